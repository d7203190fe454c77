//! Makes the golden vectors of format version 1 out of records written down here. It writes no
//! file: a test holds what it makes against the committed files, and an example writes new ones.

use core::fmt::Write as _;

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use ww_wire::cose::byte_string_head;
use ww_wire::packed::{Codec, MAX_PACKED_READING};
use ww_wire::record::FieldLayout;
use ww_wire::*;

/// Every file of the vectors: its name and its text.
pub(crate) fn files() -> Vec<(&'static str, String)> {
    vec![
        ("keys.json", keys()),
        ("records.json", records()),
        ("record-refusals.json", record_refusals()),
        ("record-refusals-2.json", more_record_refusals()),
        ("cose-refusals.json", cose_refusals()),
        ("forgeries.json", forgeries()),
        ("merkle.json", merkle_tree()),
        ("packed.json", packed_blocks()),
        ("packed-refusals.json", packed_refusals()),
        ("bodies.json", bodies()),
    ]
    .into_iter()
    .map(|(name, json)| (name, json.file()))
    .collect()
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes any text");
        text
    })
}

/// JSON whose members keep their order.
enum Json {
    Null,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    fn file(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out);
        out.push('\n');
        out
    }

    fn write(&self, indent: usize, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Text(text) => {
                assert!(
                    text.chars()
                        .all(|c| !c.is_control() && c != '"' && c != '\\')
                );
                write!(out, "\"{text}\"").expect("a String takes any text");
            }
            Self::List(items) => {
                let items = items.iter().map(|item| (None, item));
                Self::write_all(items, ['[', ']'], indent, out);
            }
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| (Some(*name), value));
                Self::write_all(members, ['{', '}'], indent, out);
            }
        }
    }

    fn write_all<'a>(
        items: impl ExactSizeIterator<Item = (Option<&'static str>, &'a Json)>,
        [open, close]: [char; 2],
        indent: usize,
        out: &mut String,
    ) {
        out.push(open);
        let count = items.len();
        for (i, (name, value)) in items.enumerate() {
            out.push('\n');
            out.push_str(&" ".repeat(indent + 1));
            if let Some(name) = name {
                write!(out, "\"{name}\": ").expect("a String takes any text");
            }
            value.write(indent + 1, out);
            if i + 1 < count {
                out.push(',');
            }
        }
        if count > 0 {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
        }
        out.push(close);
    }
}

/// How a value stands in the vectors: whole numbers as decimal text (JSON's numbers lose digits
/// in some languages), bytes in hexadecimal, text as it is, absent as null.
trait Value {
    fn json(&self) -> Json;
}

macro_rules! decimal {
    ($($integer:ty),*) => {$(
        impl Value for $integer {
            fn json(&self) -> Json {
                Json::Text(self.to_string())
            }
        }
    )*};
}
decimal!(u8, u16, u32, u64, i16, i32, i64, usize);

macro_rules! units {
    ($($unit:ty),*) => {$(
        impl Value for $unit {
            fn json(&self) -> Json {
                self.get().json()
            }
        }
    )*};
}
units!(
    MilliwattHours,
    Milliwatts,
    Millivars,
    Millivolts,
    Milliamperes,
    DeciCelsius,
    UtcMillis,
    UptimeMillis,
    Watts,
    GeoDegrees,
    DeciDegrees,
    Dbm,
    Bytes,
    Sequence,
    ChainIndex,
    BootCounter,
    CounterEpoch
);

macro_rules! hexadecimal {
    ($($name:ty),*) => {$(
        impl Value for $name {
            fn json(&self) -> Json {
                Json::Text(hex(&self.0))
            }
        }
    )*};
}
hexadecimal!(Hash, SignerId, PublicKey, Mac, Address, Attestation);

macro_rules! enumerations {
    ($($name:ty),*) => {$(
        impl Value for $name {
            fn json(&self) -> Json {
                (*self as u8).json()
            }
        }
    )*};
}
enumerations!(
    TimeQuality,
    ResetReason,
    GapKind,
    Custody,
    SensorModel,
    ProductionCounter,
    CorrectionReason,
    RevocationReason
);

impl Value for ReadingFlags {
    fn json(&self) -> Json {
        self.bits().json()
    }
}

impl Value for WindowFlags {
    fn json(&self) -> Json {
        self.bits().json()
    }
}

impl<const N: usize> Value for Text<N> {
    fn json(&self) -> Json {
        text(self.as_str())
    }
}

impl<T: Value> Value for Option<T> {
    fn json(&self) -> Json {
        self.as_ref().map_or(Json::Null, Value::json)
    }
}

impl Value for [u8] {
    fn json(&self) -> Json {
        Json::Text(hex(self))
    }
}

impl Value for [Hash] {
    fn json(&self) -> Json {
        Json::List(self.iter().map(Value::json).collect())
    }
}

impl Value for [Phase; 3] {
    fn json(&self) -> Json {
        let phase = |phase: &Phase| {
            Json::Object(vec![
                ("power", phase.power.json()),
                ("voltage", phase.voltage.json()),
                ("current", phase.current.json()),
                ("import_total", phase.import_total.json()),
                ("export_total", phase.export_total.json()),
            ])
        };
        Json::List(self.iter().map(phase).collect())
    }
}

fn text(text: &str) -> Json {
    Json::Text(text.to_owned())
}

/// The fields of a record by name, as the struct holds them; all of them, in their order.
macro_rules! fields {
    ($record:expr, $layout:expr, $($field:ident),* $(,)?) => {{
        let names: Vec<&str> = $layout.iter().map(|field: &FieldLayout| field.name).collect();
        assert_eq!(names, [$(stringify!($field)),*], "a field is missing in the vectors");
        Json::Object(vec![$((stringify!($field), $record.$field.json())),*])
    }};
}

/// A key that everybody knows.
struct TestKey {
    label: &'static str,
    secret: [u8; 32],
    signing: SigningKey,
    public: PublicKey,
}

impl TestKey {
    fn new(label: &'static str) -> Self {
        let secret = Hash::of(&[b"wattwitness test key: ", label.as_bytes()]).0;
        let signing = SigningKey::from_slice(&secret).expect("the hash is in the range of a key");
        let point = signing.verifying_key().to_sec1_point(false);
        let sec1: [u8; 65] = point.as_bytes().try_into().expect("it is not compressed");
        let public = PublicKey::from_sec1(&sec1).expect("it is not compressed");
        Self {
            label,
            secret,
            signing,
            public,
        }
    }

    fn id(&self) -> SignerId {
        self.public.id()
    }

    /// As a signer makes it: deterministic (RFC 6979), with s high or low.
    fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        let signature: p256::ecdsa::Signature = self.signing.sign(message);
        signature.to_bytes().into()
    }

    fn sign(&self, domain: Domain, payload: &[u8]) -> Signature {
        let to_be_signed = ToBeSigned::new(domain, payload).expect("it is a record");
        Signature::normalise(self.sign_raw(to_be_signed.as_bytes())).expect("it is in range")
    }

    fn sign1(&self, payload: &[u8], domain: Domain) -> Vec<u8> {
        sign1(payload, self.sign(domain, payload))
    }
}

fn sign1(payload: &[u8], signature: Signature) -> Vec<u8> {
    let sign1 = Sign1 { payload, signature };
    sign1.encode().expect("it is a record").to_vec()
}

fn meter() -> TestKey {
    TestKey::new("meter")
}

fn operator() -> TestKey {
    TestKey::new("operator")
}

fn keys() -> Json {
    let key = |key: TestKey| {
        Json::Object(vec![
            ("label", text(key.label)),
            ("secret", key.secret.json()),
            ("public_key", key.public.json()),
            ("id", key.id().json()),
        ])
    };
    Json::Object(vec![
        (
            "about",
            text(
                "TEST KEYS, known to everybody: never trust them. The secret is SHA-256 of the text \
                 'wattwitness test key: ' and the label. The id is SHA-256 of the public key X then Y.",
            ),
        ),
        (
            "keys",
            Json::List(
                ["meter", "operator", "other meter"]
                    .map(|label| key(TestKey::new(label)))
                    .into(),
            ),
        ),
    ])
}

fn energy(mwh: u64) -> MilliwattHours {
    MilliwattHours::new(mwh).expect("it is not the mark for absent")
}

fn sequence(number: u64) -> Sequence {
    Sequence::new(number).expect("it is not the mark for absent")
}

fn index(number: u64) -> ChainIndex {
    ChainIndex::new(number).expect("it is not the mark for absent")
}

fn boot_counter(number: u32) -> BootCounter {
    BootCounter::new(number).expect("it is not the mark for absent")
}

fn uptime(ms: u64) -> UptimeMillis {
    UptimeMillis::new(ms).expect("it is not the mark for absent")
}

fn utc(ms: u64) -> UtcMillis {
    UtcMillis::new(ms).expect("it is not the mark for absent")
}

fn name<const N: usize>(text: &str) -> Text<N> {
    Text::new(text).expect("it fits")
}

/// What a real Shelly EM answered.
fn reading() -> Reading {
    Reading {
        meter: meter().id(),
        boot: boot_counter(3),
        sequence: sequence(4_711),
        time: Some(utc(1_750_346_380_000)),
        uptime: uptime(86_400_123),
        time_quality: TimeQuality::Synchronised,
        power: Milliwatts::new(16_350),
        import_total: Some(energy(8_900)),
        export_total: Some(energy(0)),
        counter_epoch: CounterEpoch::ZERO,
        produced: energy(8_900),
        voltage: Millivolts::new(237_130),
        current: None,
        reactive_power: Millivars::new(24_380),
        temperature: None,
        flags: ReadingFlags::NONE,
    }
}

/// A sensor that did not answer, before the meter knew the time.
fn failed_poll() -> Reading {
    Reading {
        time: None,
        uptime: uptime(10_000),
        time_quality: TimeQuality::Unknown,
        power: None,
        import_total: None,
        export_total: None,
        voltage: None,
        reactive_power: None,
        flags: ReadingFlags::SENSOR_UNREACHABLE.with(ReadingFlags::QUEUED),
        ..reading()
    }
}

/// Every number at an end of its range.
fn extreme_reading() -> Reading {
    Reading {
        boot: BootCounter::MAX,
        sequence: Sequence::MAX,
        time: Some(UtcMillis::MAX),
        uptime: UptimeMillis::MAX,
        time_quality: TimeQuality::Relative,
        power: Milliwatts::new(i64::MIN + 1),
        import_total: Some(MilliwattHours::MAX),
        export_total: Some(MilliwattHours::MAX),
        counter_epoch: CounterEpoch::MAX,
        produced: MilliwattHours::MAX,
        voltage: Some(Millivolts::MAX),
        current: Some(Milliamperes::MAX),
        reactive_power: Some(Millivars::MAX),
        temperature: DeciCelsius::new(i16::MIN + 1),
        flags: ReadingFlags::QUEUED
            .with(ReadingFlags::RECOVERED)
            .with(ReadingFlags::COUNTER_FELL)
            .with(ReadingFlags::INCREMENT_REFUSED)
            .with(ReadingFlags::INCREMENT_PENDING)
            .with(ReadingFlags::CLOCK_STEPPED)
            .with(ReadingFlags::SENSOR_CLOCK_UNSET)
            .with(ReadingFlags::SENSOR_CLOCK_DIFFERS),
        ..reading()
    }
}

fn three_phase_reading() -> ThreePhaseReading {
    let phase = |power, voltage, current, import| Phase {
        power: Milliwatts::new(power),
        voltage: Millivolts::new(voltage),
        current: Milliamperes::new(current),
        import_total: Some(energy(import)),
        export_total: Some(energy(1_200)),
    };
    ThreePhaseReading {
        sum: Reading {
            power: Milliwatts::new(3_600_000),
            import_total: Some(energy(6_000_300)),
            export_total: Some(energy(3_600)),
            produced: energy(5_000_000),
            voltage: Millivolts::new(230_500),
            current: Milliamperes::new(15_700),
            reactive_power: None,
            temperature: DeciCelsius::new(415),
            ..reading()
        },
        phases: [
            phase(1_210_000, 230_100, 5_280, 2_000_100),
            phase(-10_000, 230_600, 50, 2_000_100),
            Phase {
                voltage: None,
                ..phase(2_400_000, 0, 10_370, 2_000_100)
            },
        ],
    }
}

fn boot() -> Boot {
    Boot {
        meter: meter().id(),
        chain_index: index(0),
        previous: Hash::ZERO,
        boot: boot_counter(1),
        time: None,
        uptime: uptime(850),
        time_quality: TimeQuality::Unknown,
        firmware: Hash::of(&[b"firmware 1.4.2"]),
        version_major: 1,
        version_minor: 4,
        version_patch: 2,
        security_counter: 7,
        reset_reason: ResetReason::PowerOn,
        last_recovered: None,
        first_new: sequence(1),
        attestation: Attestation::NONE,
    }
}

fn window() -> Window {
    Window {
        meter: meter().id(),
        chain_index: index(12),
        previous: digest_of(&boot()),
        boot: boot_counter(3),
        first_sequence: sequence(4_711),
        last_sequence: sequence(4_770),
        count: 60,
        first_time: Some(utc(1_750_346_400_000)),
        last_time: Some(utc(1_750_346_990_000)),
        produced_open: energy(8_900),
        produced_close: energy(11_600),
        root: Hash::of(&[b"a root"]),
        enrolment: digest_of(&enrolment()),
        firmware: Hash::of(&[b"firmware 1.4.2"]),
        log_size: 123_456_789,
        log_root: Hash::of(&[b"a checkpoint's root"]),
        flags: WindowFlags::NONE,
    }
}

fn gap() -> Gap {
    Gap {
        meter: meter().id(),
        chain_index: index(3_000),
        previous: digest_of(&window()),
        boot: boot_counter(3),
        time: Some(utc(1_750_400_000_000)),
        kind: GapKind::Records,
        first_index: index(13),
        last_index: index(40),
        first_sequence: Some(sequence(4_771)),
        last_sequence: Some(sequence(6_390)),
        produced_open: energy(11_600),
        produced_close: energy(230_000),
        last_digest: Hash::of(&[b"the last record that is gone"]),
    }
}

fn enrolment() -> Enrolment {
    Enrolment {
        operator: operator().id(),
        operator_key: operator().public,
        meter_key: meter().public,
        number: 1,
        time: utc(1_750_340_000_000),
        custody: Custody::SecureElement,
        sensor_model: SensorModel::ShellyEmGen1,
        sensor_mac: Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]),
        channel: 1,
        production_counter: ProductionCounter::TotalReturned,
        ct_ratio_milli: 1_000,
        rated_power: Watts::new(5_000).expect("it is not the mark for absent"),
        latitude: GeoDegrees::new(481_371_540),
        longitude: GeoDegrees::new(115_761_240),
        tilt: DeciDegrees::new(350),
        azimuth: DeciDegrees::new(1_800),
        grid_connection: name("DE0001234567890000000000000012345"),
        start_import: Some(energy(8_900)),
        start_export: Some(energy(0)),
        owner: Address([0x0a; 20]),
        chain_id: 31_337,
        minter: Address([0x0b; 20]),
    }
}

/// Nothing in it that may be left out.
fn bare_enrolment() -> Enrolment {
    Enrolment {
        number: 2,
        custody: Custody::Software,
        sensor_model: SensorModel::ShellyEmGen2,
        channel: 0,
        production_counter: ProductionCounter::Total,
        ct_ratio_milli: 40_000,
        latitude: None,
        longitude: None,
        tilt: None,
        azimuth: None,
        grid_connection: Text::EMPTY,
        start_import: None,
        start_export: None,
        owner: Address::ZERO,
        chain_id: 0,
        minter: Address::ZERO,
        ..enrolment()
    }
}

fn label() -> Label {
    Label {
        operator: operator().id(),
        meter: meter().id(),
        time: utc(1_750_340_060_000),
        name: name("Süddach – Halle 3"),
        time_zone: name("Europe/Berlin"),
    }
}

fn correction() -> Correction {
    Correction {
        operator: operator().id(),
        meter: meter().id(),
        time: utc(1_750_500_000_000),
        target: digest_of(&window()),
        first_sequence: sequence(4_711),
        last_sequence: sequence(4_770),
        reduction: energy(2_700),
        reason: CorrectionReason::Installation,
        note: name("clamp on the wrong conductor"),
    }
}

fn revocation() -> Revocation {
    Revocation {
        operator: operator().id(),
        meter: meter().id(),
        time: utc(1_750_600_000_000),
        reason: RevocationReason::KeyCompromise,
        note: Text::EMPTY,
    }
}

fn replacement() -> Replacement {
    Replacement {
        signer: meter().id(),
        old_meter: meter().id(),
        new_meter: TestKey::new("other meter").id(),
        time: utc(1_750_700_000_000),
        last_index: index(3_000),
        last_digest: digest_of(&gap()),
        produced_close: energy(230_000),
    }
}

fn status_report() -> StatusReport {
    StatusReport {
        meter: meter().id(),
        boot: boot_counter(3),
        time: Some(utc(1_750_346_385_000)),
        uptime: uptime(86_405_123),
        time_quality: TimeQuality::Informative,
        queued_records: 2,
        queued_readings: 61,
        sensor_failures: 4,
        upload_failures: 17,
        signal_strength: Dbm::new(-67),
        free_memory: Bytes::new(143_360),
        temperature: DeciCelsius::new(-35),
    }
}

fn acknowledgement() -> Acknowledgement {
    Acknowledgement {
        meter: meter().id(),
        next_index: index(13),
        time: Some(utc(1_750_347_000_456)),
        log_size: 123_456_789,
        log_root: Hash::of(&[b"a checkpoint's root"]),
        enrolment: digest_of(&enrolment()),
    }
}

fn digest_of(record: &impl Record) -> Hash {
    payload_of(record).digest()
}

fn payload_of(record: &impl Record) -> Payload {
    record.encode().expect("the record keeps its rules")
}

/// One vector: the fields by name, and everything that follows from them.
fn vector<R: Record>(
    title: &str,
    record: &R,
    fields: Json,
    signed: Option<(&TestKey, Domain)>,
) -> Json {
    let payload = payload_of(record);
    let mut members = vec![
        ("name", text(title)),
        ("type", text(R::TYPE.name())),
        ("signer_id", record.signer().json()),
        ("fields", fields),
        ("payload", payload.json()),
        ("digest", payload.digest().json()),
    ];
    if matches!(R::TYPE, RecordType::Reading | RecordType::ThreePhaseReading) {
        members.push(("leaf_hash", merkle::leaf_hash(&payload).json()));
    }
    if let Some((key, domain)) = signed {
        let domain_text = format!("wattwitness/v1/{}", domain.name());
        let to_be_signed = ToBeSigned::new(domain, &payload).expect("it is a record");
        members.extend([
            ("key", text(key.label)),
            ("public_key", key.public.json()),
            ("domain", text(&domain_text)),
            ("external_aad", domain_text.as_bytes().json()),
            ("sig_structure", to_be_signed.as_bytes().json()),
            ("signature", key.sign(domain, &payload).bytes()[..].json()),
            ("cose_sign1", key.sign1(&payload, domain)[..].json()),
        ]);
    }
    Json::Object(members)
}

fn reading_fields(sum: &Reading, phases: Option<&[Phase; 3]>, layout: &[FieldLayout]) -> Json {
    let mut members = vec![
        ("boot", sum.boot.json()),
        ("sequence", sum.sequence.json()),
        ("time", sum.time.json()),
        ("uptime", sum.uptime.json()),
        ("time_quality", sum.time_quality.json()),
        ("power", sum.power.json()),
        ("import_total", sum.import_total.json()),
        ("export_total", sum.export_total.json()),
        ("counter_epoch", sum.counter_epoch.json()),
        ("produced", sum.produced.json()),
        ("voltage", sum.voltage.json()),
        ("current", sum.current.json()),
        ("reactive_power", sum.reactive_power.json()),
        ("temperature", sum.temperature.json()),
        ("flags", sum.flags.json()),
    ];
    members.extend(phases.map(|phases| ("phases", phases.json())));
    let written = members.iter().map(|(name, _)| *name);
    assert!(
        written.eq(layout.iter().map(|field| field.name)),
        "a field is missing"
    );
    Json::Object(members)
}

fn reading_vector(title: &str, record: &Reading) -> Json {
    let fields = reading_fields(record, None, Reading::FIELDS);
    let domain = Domain::Record(Reading::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

fn three_phase_vector(title: &str, record: &ThreePhaseReading) -> Json {
    let fields = reading_fields(&record.sum, Some(&record.phases), ThreePhaseReading::FIELDS);
    let domain = Domain::Record(ThreePhaseReading::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

fn window_vector(title: &str, record: &Window) -> Json {
    let fields = fields!(
        record,
        Window::FIELDS,
        chain_index,
        previous,
        boot,
        first_sequence,
        last_sequence,
        count,
        first_time,
        last_time,
        produced_open,
        produced_close,
        root,
        enrolment,
        firmware,
        log_size,
        log_root,
        flags,
    );
    let domain = Domain::Record(Window::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

fn boot_vector(title: &str, record: &Boot) -> Json {
    let fields = fields!(
        record,
        Boot::FIELDS,
        chain_index,
        previous,
        boot,
        time,
        uptime,
        time_quality,
        firmware,
        version_major,
        version_minor,
        version_patch,
        security_counter,
        reset_reason,
        last_recovered,
        first_new,
        attestation,
    );
    let domain = Domain::Record(Boot::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

fn gap_vector(title: &str, record: &Gap) -> Json {
    let fields = fields!(
        record,
        Gap::FIELDS,
        chain_index,
        previous,
        boot,
        time,
        kind,
        first_index,
        last_index,
        first_sequence,
        last_sequence,
        produced_open,
        produced_close,
        last_digest,
    );
    let domain = Domain::Record(Gap::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

fn enrolment_vector(title: &str, record: &Enrolment, key: &TestKey, domain: Domain) -> Json {
    let fields = fields!(
        record,
        Enrolment::FIELDS,
        operator_key,
        meter_key,
        number,
        time,
        custody,
        sensor_model,
        sensor_mac,
        channel,
        production_counter,
        ct_ratio_milli,
        rated_power,
        latitude,
        longitude,
        tilt,
        azimuth,
        grid_connection,
        start_import,
        start_export,
        owner,
        chain_id,
        minter,
    );
    vector(title, record, fields, Some((key, domain)))
}

fn status_report_vector(title: &str, record: &StatusReport) -> Json {
    let fields = fields!(
        record,
        StatusReport::FIELDS,
        boot,
        time,
        uptime,
        time_quality,
        queued_records,
        queued_readings,
        sensor_failures,
        upload_failures,
        signal_strength,
        free_memory,
        temperature,
    );
    let domain = Domain::Record(StatusReport::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

fn acknowledgement_vector(title: &str, record: &Acknowledgement) -> Json {
    let fields = fields!(
        record,
        Acknowledgement::FIELDS,
        next_index,
        time,
        log_size,
        log_root,
        enrolment,
    );
    vector(title, record, fields, None)
}

fn operator_vectors() -> Vec<Json> {
    let operator = operator();
    let record = label();
    let label = vector(
        "label in UTF-8",
        &record,
        fields!(record, Label::FIELDS, meter, time, name, time_zone),
        Some((&operator, Domain::Record(Label::TYPE))),
    );
    let record = correction();
    let correction = vector(
        "correction",
        &record,
        fields!(
            record,
            Correction::FIELDS,
            meter,
            time,
            target,
            first_sequence,
            last_sequence,
            reduction,
            reason,
            note,
        ),
        Some((&operator, Domain::Record(Correction::TYPE))),
    );
    let record = revocation();
    let revocation = vector(
        "revocation without a note",
        &record,
        fields!(record, Revocation::FIELDS, meter, time, reason, note),
        Some((&operator, Domain::Record(Revocation::TYPE))),
    );
    let record = replacement();
    let replacement = vector(
        "replacement signed by the old meter",
        &record,
        fields!(
            record,
            Replacement::FIELDS,
            old_meter,
            new_meter,
            time,
            last_index,
            last_digest,
            produced_close,
        ),
        Some((&meter(), Domain::Record(Replacement::TYPE))),
    );
    vec![label, correction, revocation, replacement]
}

fn records() -> Json {
    let enrolment_domain = Domain::Record(Enrolment::TYPE);
    let mut vectors = vec![
        reading_vector("reading of a real Shelly EM", &reading()),
        reading_vector("failed poll, time unknown", &failed_poll()),
        reading_vector("every number at an end of its range", &extreme_reading()),
        three_phase_vector(
            "three phases, one of them without a voltage",
            &three_phase_reading(),
        ),
        three_phase_vector(
            "failed poll of a three-phase sensor",
            &ThreePhaseReading {
                sum: failed_poll(),
                phases: [Phase::ABSENT; 3],
            },
        ),
        window_vector("window of ten minutes", &window()),
        window_vector(
            "window of one reading, recovered, no time, no enrolment, no log",
            &Window {
                last_sequence: sequence(4_711),
                count: 1,
                first_time: None,
                last_time: None,
                produced_close: energy(8_900),
                enrolment: Hash::ZERO,
                log_size: 0,
                log_root: Hash::ZERO,
                flags: WindowFlags::RECOVERED,
                ..window()
            },
        ),
        boot_vector("first boot of a meter", &boot()),
        boot_vector(
            "boot after a brown-out, with an attestation",
            &Boot {
                chain_index: index(13),
                previous: digest_of(&window()),
                boot: boot_counter(4),
                time: Some(utc(1_750_347_100_000)),
                time_quality: TimeQuality::Relative,
                reset_reason: ResetReason::BrownOut,
                last_recovered: Some(sequence(4_770)),
                first_new: sequence(4_900),
                attestation: Attestation([0x17; 64]),
                ..boot()
            },
        ),
        gap_vector("gap of whole records", &gap()),
        gap_vector(
            "gap of single readings",
            &Gap {
                kind: GapKind::Readings,
                last_digest: Hash::ZERO,
                ..gap()
            },
        ),
        gap_vector(
            "gap of records among which is no window, time unknown",
            &Gap {
                time: None,
                first_sequence: None,
                last_sequence: None,
                produced_close: energy(11_600),
                ..gap()
            },
        ),
        enrolment_vector(
            "enrolment by the operator",
            &enrolment(),
            &operator(),
            enrolment_domain,
        ),
        enrolment_vector(
            "the same enrolment, accepted by the meter",
            &enrolment(),
            &meter(),
            Domain::EnrolmentAcceptance,
        ),
        enrolment_vector(
            "enrolment with all left out that may be",
            &bare_enrolment(),
            &operator(),
            enrolment_domain,
        ),
    ];
    vectors.extend(operator_vectors());
    vectors.extend([
        status_report_vector("status report", &status_report()),
        status_report_vector(
            "status report of a meter without radio, thermometer or time",
            &StatusReport {
                time: None,
                time_quality: TimeQuality::Unknown,
                signal_strength: None,
                free_memory: None,
                temperature: None,
                ..status_report()
            },
        ),
        acknowledgement_vector("acknowledgement", &acknowledgement()),
        acknowledgement_vector(
            "acknowledgement of a gateway without time, log or enrolment",
            &Acknowledgement {
                next_index: index(0),
                time: None,
                log_size: 0,
                log_root: Hash::ZERO,
                enrolment: Hash::ZERO,
                ..acknowledgement()
            },
        ),
    ]);
    Json::Object(vec![
        (
            "about",
            text(
                "Each vector: the fields by name, then what follows from them. Whole numbers are \
                 decimal text, bytes are hexadecimal, absent is null.",
            ),
        ),
        ("records", Json::List(vectors)),
    ])
}

/// A payload that is refused, made from a good one by writing `bytes` over it at a field.
fn spoilt<R: Record>(title: &str, record: &R, field: &str, bytes: &[u8], reason: &str) -> Json {
    let mut payload = payload_of(record).to_vec();
    let mut at = record::HEADER_LENGTH;
    for layout in R::FIELDS {
        if layout.name == field {
            break;
        }
        at += layout.width;
    }
    assert!(at < payload.len(), "no field {field}");
    payload[at..at + bytes.len()].copy_from_slice(bytes);
    refusal(title, R::TYPE, &payload, reason, Some(field))
}

fn refusal(
    title: &str,
    record_type: RecordType,
    payload: &[u8],
    reason: &str,
    field: Option<&str>,
) -> Json {
    let field = if reason == "rule" { None } else { field };
    Json::Object(vec![
        ("name", text(title)),
        ("type", text(record_type.name())),
        ("payload", payload.json()),
        ("reason", text(reason)),
        ("field", field.map_or(Json::Null, text)),
    ])
}

fn record_refusals() -> Json {
    use RecordType as T;
    let reading = reading();
    let good = payload_of(&reading);
    let with = |at: usize, byte: u8| {
        let mut bytes = good.to_vec();
        bytes[at] = byte;
        bytes
    };
    let longer = [&good[..], &[0]].concat();
    let absent_u64 = [0xff; 8];
    let zero_hash = [0; 32];
    let mut refusals = vec![
        refusal("no bytes", T::Reading, &[], "empty", None),
        refusal("type 0", T::Reading, &with(0, 0), "unknown-type", None),
        refusal(
            "type 0x7f",
            T::Reading,
            &with(0, 0x7f),
            "unknown-type",
            None,
        ),
        refusal(
            "a reading taken for a window",
            T::Window,
            &good,
            "wrong-type",
            None,
        ),
        refusal(
            "version 0",
            T::Reading,
            &with(1, 0),
            "unknown-version",
            None,
        ),
        refusal(
            "version 2",
            T::Reading,
            &with(1, 2),
            "unknown-version",
            None,
        ),
        refusal("type only", T::Reading, &good[..1], "wrong-length", None),
        refusal(
            "a byte short",
            T::Reading,
            &good[..good.len() - 1],
            "wrong-length",
            None,
        ),
        refusal("a byte long", T::Reading, &longer, "wrong-length", None),
        refusal(
            "a single-phase reading marked three-phase",
            T::ThreePhaseReading,
            &with(0, 2),
            "wrong-length",
            None,
        ),
        spoilt(
            "sequence absent",
            &reading,
            "sequence",
            &absent_u64,
            "absent",
        ),
        spoilt("boot absent", &reading, "boot", &[0xff; 4], "absent"),
        spoilt("uptime absent", &reading, "uptime", &absent_u64, "absent"),
        spoilt(
            "produced absent",
            &reading,
            "produced",
            &absent_u64,
            "absent",
        ),
        spoilt(
            "counter epoch absent",
            &reading,
            "counter_epoch",
            &[0xff; 2],
            "absent",
        ),
        spoilt(
            "time quality 4",
            &reading,
            "time_quality",
            &[4],
            "unknown-value",
        ),
        spoilt("flag bit 12", &reading, "flags", &[0x10, 0], "unknown-bits"),
        spoilt("flag bit 15", &reading, "flags", &[0x80, 0], "unknown-bits"),
        spoilt("sequence 0", &reading, "sequence", &[0; 8], "rule"),
        spoilt("boot 0", &reading, "boot", &[0; 4], "rule"),
        spoilt(
            "time absent though known",
            &reading,
            "time",
            &absent_u64,
            "rule",
        ),
        spoilt(
            "time present though unknown",
            &reading,
            "time_quality",
            &[0],
            "rule",
        ),
        spoilt(
            "failed poll with values",
            &reading,
            "flags",
            &[0, 1],
            "rule",
        ),
        spoilt(
            "no power though the poll worked",
            &reading,
            "power",
            &[0x80, 0, 0, 0, 0, 0, 0, 0],
            "rule",
        ),
        spoilt(
            "no total though the poll worked",
            &reading,
            "import_total",
            &absent_u64,
            "rule",
        ),
        spoilt(
            "failed poll with an increment",
            &failed_poll(),
            "flags",
            &[0, 0x21],
            "rule",
        ),
        spoilt(
            "failed poll with a phase",
            &ThreePhaseReading {
                sum: failed_poll(),
                phases: [Phase::ABSENT; 3],
            },
            "phases",
            &[0; 8],
            "rule",
        ),
    ];
    let (window, boot, gap) = (window(), boot(), gap());
    refusals.extend([
        spoilt("count of none", &window, "count", &[0; 4], "rule"),
        spoilt(
            "count does not fit the sequences",
            &window,
            "count",
            &[0, 0, 0, 59],
            "rule",
        ),
        spoilt(
            "601 readings",
            &window,
            "last_sequence",
            &(4_711u64 + 600).to_be_bytes(),
            "rule",
        ),
        spoilt(
            "window ends before it begins",
            &window,
            "last_sequence",
            &[0; 8],
            "rule",
        ),
        spoilt(
            "produced falls in a window",
            &window,
            "produced_close",
            &8_899u64.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "log size without a root",
            &window,
            "log_root",
            &zero_hash,
            "rule",
        ),
        spoilt(
            "log root without a size",
            &window,
            "log_size",
            &[0; 8],
            "rule",
        ),
        spoilt(
            "no record before, but not the first",
            &window,
            "previous",
            &zero_hash,
            "rule",
        ),
        spoilt(
            "first record with one before",
            &boot,
            "previous",
            &[1; 32],
            "rule",
        ),
        spoilt(
            "window flag bit 2",
            &window,
            "flags",
            &[0, 4],
            "unknown-bits",
        ),
        spoilt(
            "reset reason 8",
            &boot,
            "reset_reason",
            &[8],
            "unknown-value",
        ),
        spoilt(
            "first new reading absent",
            &boot,
            "first_new",
            &absent_u64,
            "absent",
        ),
        spoilt("last recovered 0", &boot, "last_recovered", &[0; 8], "rule"),
        spoilt(
            "first new reading not after the last",
            &boot,
            "last_recovered",
            &1u64.to_be_bytes(),
            "rule",
        ),
        spoilt("gap kind 0", &gap, "kind", &[0], "unknown-value"),
        spoilt(
            "gap of readings with a last digest",
            &gap,
            "kind",
            &[1],
            "rule",
        ),
        spoilt(
            "gap of records without a last digest",
            &gap,
            "last_digest",
            &zero_hash,
            "rule",
        ),
        spoilt(
            "gap that speaks of itself",
            &gap,
            "last_index",
            &3_000u64.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "gap that ends before it begins",
            &gap,
            "first_index",
            &41u64.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "gap with a first reading but no last",
            &gap,
            "last_sequence",
            &absent_u64,
            "rule",
        ),
        spoilt(
            "gap from reading 0",
            &gap,
            "first_sequence",
            &[0; 8],
            "rule",
        ),
        spoilt(
            "produced falls over a gap",
            &gap,
            "produced_close",
            &[0; 8],
            "rule",
        ),
    ]);
    let (enrolment, label, correction) = (enrolment(), label(), correction());
    let three_phase = [SensorModel::Shelly3EmGen1 as u8];
    refusals.extend([
        spoilt(
            "operator id of another key",
            &enrolment,
            "operator_key",
            &[9; 64],
            "rule",
        ),
        spoilt(
            "meter key is the operator's",
            &enrolment,
            "meter_key",
            &operator().public.0,
            "rule",
        ),
        spoilt("enrolment number 0", &enrolment, "number", &[0; 4], "rule"),
        spoilt(
            "time of the enrolment absent",
            &enrolment,
            "time",
            &absent_u64,
            "absent",
        ),
        spoilt("custody 2", &enrolment, "custody", &[2], "unknown-value"),
        spoilt(
            "sensor model 0",
            &enrolment,
            "sensor_model",
            &[0],
            "unknown-value",
        ),
        spoilt(
            "channel 1 of a three-phase sensor",
            &enrolment,
            "sensor_model",
            &three_phase,
            "rule",
        ),
        spoilt(
            "transformer ratio 0",
            &enrolment,
            "ct_ratio_milli",
            &[0; 4],
            "rule",
        ),
        spoilt(
            "rated power absent",
            &enrolment,
            "rated_power",
            &[0xff; 4],
            "absent",
        ),
        spoilt("rated power 0", &enrolment, "rated_power", &[0; 4], "rule"),
        spoilt(
            "latitude above 90",
            &enrolment,
            "latitude",
            &900_000_001i32.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "longitude below -180",
            &enrolment,
            "longitude",
            &(-1_800_000_001i32).to_be_bytes(),
            "rule",
        ),
        spoilt(
            "latitude without longitude",
            &enrolment,
            "longitude",
            &i32::MIN.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "tilt above 90",
            &enrolment,
            "tilt",
            &901u16.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "azimuth of 360",
            &enrolment,
            "azimuth",
            &3_600u16.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "chain without a contract",
            &enrolment,
            "minter",
            &[0; 20],
            "rule",
        ),
        spoilt(
            "text goes on after its padding",
            &bare_enrolment(),
            "grid_connection",
            &[0, b'a'],
            "text",
        ),
        spoilt("text with a line feed", &label, "name", b"\n", "text"),
        spoilt(
            "text with a C1 control character",
            &label,
            "name",
            &[0xc2, 0x85],
            "text",
        ),
        spoilt("text that is no UTF-8", &label, "name", &[0xff], "text"),
        spoilt(
            "text with an overlong form",
            &label,
            "name",
            &[0xc0, 0xaf],
            "text",
        ),
        spoilt(
            "text with a surrogate",
            &label,
            "name",
            &[0xed, 0xa0, 0x80],
            "text",
        ),
        spoilt("label without a name", &label, "name", &[0; 64], "rule"),
        spoilt(
            "correction from reading 0",
            &correction,
            "first_sequence",
            &[0; 8],
            "rule",
        ),
        spoilt(
            "correction that ends before it begins",
            &correction,
            "last_sequence",
            &4_710u64.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "correction of no record",
            &correction,
            "target",
            &zero_hash,
            "rule",
        ),
        spoilt(
            "correction reason 4",
            &correction,
            "reason",
            &[4],
            "unknown-value",
        ),
        spoilt(
            "reduction absent",
            &correction,
            "reduction",
            &absent_u64,
            "absent",
        ),
        spoilt(
            "meter that revokes itself",
            &revocation(),
            "meter",
            &operator().id().0,
            "rule",
        ),
        spoilt(
            "revocation reason 5",
            &revocation(),
            "reason",
            &[5],
            "unknown-value",
        ),
        spoilt(
            "meter that replaces itself",
            &replacement(),
            "new_meter",
            &meter().id().0,
            "rule",
        ),
        spoilt(
            "replacement of no record",
            &replacement(),
            "last_digest",
            &zero_hash,
            "rule",
        ),
        spoilt(
            "status report of boot 0",
            &status_report(),
            "boot",
            &[0; 4],
            "rule",
        ),
        spoilt(
            "status report with time unknown",
            &status_report(),
            "time_quality",
            &[0],
            "rule",
        ),
        spoilt(
            "acknowledged log size without a root",
            &acknowledgement(),
            "log_root",
            &zero_hash,
            "rule",
        ),
    ]);
    Json::Object(vec![
        (
            "about",
            text(
                "Payloads that must be refused when read as the type that is named, and the first \
                 reason: empty, unknown-type, wrong-type, unknown-version, wrong-length; absent, \
                 unknown-value, unknown-bits, text (of the field that is named); rule (fields do \
                 not agree). Checks go in the order of FORMAT.md.",
            ),
        ),
        ("refusals", Json::List(refusals)),
    ])
}

/// Rules that no refusal of the first file breaks alone.
fn more_record_refusals() -> Json {
    let readings_gap = Gap {
        kind: GapKind::Readings,
        last_digest: Hash::ZERO,
        ..gap()
    };
    let timed_boot = Boot {
        time: Some(utc(1_750_347_100_000)),
        time_quality: TimeQuality::Relative,
        ..boot()
    };
    let from_0_to_59 = (59u128).to_be_bytes();
    let refusals = vec![
        spoilt(
            "window from reading 0",
            &window(),
            "first_sequence",
            &from_0_to_59,
            "rule",
        ),
        spoilt("window of boot 0", &window(), "boot", &[0; 4], "rule"),
        spoilt(
            "boot with time unknown",
            &timed_boot,
            "time_quality",
            &[0],
            "rule",
        ),
        spoilt(
            "gap of readings without any",
            &readings_gap,
            "first_sequence",
            &[0xff; 16],
            "rule",
        ),
    ];
    Json::Object(vec![
        ("about", text("More refusals, as in record-refusals.json.")),
        ("refusals", Json::List(refusals)),
    ])
}

/// n - s in the place of s.
fn other_s(signature: &[u8; 64]) -> [u8; 64] {
    let scalar = p256::ecdsa::Signature::from_slice(signature).expect("it is in range");
    let negated = -*scalar.s();
    let other = p256::ecdsa::Signature::from_scalars(*scalar.r(), negated).expect("it is in range");
    other.to_bytes().into()
}

fn cose_refusals() -> Json {
    let payload = payload_of(&reading());
    let domain = Domain::Record(RecordType::Reading);
    let signature = *meter().sign(domain, &payload).bytes();
    let good = meter().sign1(&payload, domain);
    // d2 84 43 a10126 a0 58 75 payload 58 40 signature
    let protected = &good[2..6];
    let written =
        |tag: &[u8], protected: &[u8], unprotected: &[u8], payload: &[u8], signature: &[u8]| {
            [tag, &[0x84], protected, unprotected, payload, signature].concat()
        };
    let with_signature = |signature: &[u8]| {
        let head = [0x58, signature.len() as u8];
        let payload = &good[7..9 + payload.len()];
        written(
            &[0xd2],
            protected,
            &[0xa0],
            payload,
            &[&head, signature].concat(),
        )
    };
    let payload_item = &good[7..9 + payload.len()];
    let signature_item = &good[9 + payload.len()..];
    let half = |part: usize, bytes: &[u8]| {
        let mut changed = signature;
        changed[32 * part..32 * part + 32].copy_from_slice(bytes);
        with_signature(&changed)
    };
    let order: [u8; 32] = {
        // n is one more than the largest scalar.
        let mut order: [u8; 32] = (-p256::Scalar::ONE).to_bytes().into();
        order[31] += 1;
        order
    };
    let refusal = |title: &str, bytes: &[u8], reason: &str| {
        Json::Object(vec![
            ("name", text(title)),
            ("cose_sign1", bytes.json()),
            ("reason", text(reason)),
        ])
    };
    let long_payload = [&[0x59, 0x01, 0x41][..], &[1; 321]].concat();
    let payload_len = payload.len() as u8;
    let refusals = vec![
        refusal("no bytes", &[], "truncated"),
        refusal("cut inside the payload", &good[..60], "truncated"),
        refusal(
            "cut before the last byte",
            &good[..good.len() - 1],
            "truncated",
        ),
        refusal(
            "a byte after the item",
            &[&good[..], &[0]].concat(),
            "trailing",
        ),
        refusal("the item twice", &[&good[..], &good].concat(), "trailing"),
        refusal("untagged", &good[1..], "shape"),
        refusal(
            "tag 98 (COSE_Sign)",
            &[&[0xd8, 0x62], &good[1..]].concat(),
            "shape",
        ),
        refusal(
            "tag 18 not in shortest form",
            &[&[0xd8, 0x12], &good[1..]].concat(),
            "shape",
        ),
        refusal(
            "array of indefinite length",
            &[&[0xd2, 0x9f], &good[2..], &[0xff]].concat(),
            "shape",
        ),
        refusal(
            "algorithm EdDSA",
            &written(
                &[0xd2],
                &[0x43, 0xa1, 0x01, 0x27],
                &[0xa0],
                payload_item,
                signature_item,
            ),
            "shape",
        ),
        refusal(
            "algorithm ES256 not in shortest form",
            &written(
                &[0xd2],
                &[0x44, 0xa1, 0x01, 0x38, 0x06],
                &[0xa0],
                payload_item,
                signature_item,
            ),
            "shape",
        ),
        refusal(
            "a key id in the protected header",
            &written(
                &[0xd2],
                &[0x46, 0xa2, 0x01, 0x26, 0x04, 0x41, 0x01],
                &[0xa0],
                payload_item,
                signature_item,
            ),
            "shape",
        ),
        refusal(
            "a key id in the unprotected header",
            &written(
                &[0xd2],
                protected,
                &[0xa1, 0x04, 0x41, 0x01],
                payload_item,
                signature_item,
            ),
            "shape",
        ),
        refusal(
            "payload detached",
            &written(&[0xd2], protected, &[0xa0], &[0xf6], signature_item),
            "shape",
        ),
        refusal(
            "payload in chunks",
            &written(
                &[0xd2],
                protected,
                &[0xa0],
                &[&[0x5f][..], payload_item, &[0xff]].concat(),
                signature_item,
            ),
            "shape",
        ),
        refusal(
            "length of the payload not in shortest form",
            &written(
                &[0xd2],
                protected,
                &[0xa0],
                &[&[0x59, 0, payload_len][..], &payload].concat(),
                signature_item,
            ),
            "not-canonical",
        ),
        refusal(
            "length of the signature not in shortest form",
            &written(
                &[0xd2],
                protected,
                &[0xa0],
                payload_item,
                &[&[0x59, 0, 64][..], &signature].concat(),
            ),
            "not-canonical",
        ),
        refusal(
            "length of the protected header not in shortest form",
            &written(
                &[0xd2],
                &[0x58, 3, 0xa1, 0x01, 0x26],
                &[0xa0],
                payload_item,
                signature_item,
            ),
            "not-canonical",
        ),
        refusal(
            "payload longer than any record",
            &written(&[0xd2], protected, &[0xa0], &long_payload, signature_item),
            "payload-too-long",
        ),
        refusal(
            "signature of 63 bytes",
            &with_signature(&signature[..63]),
            "shape",
        ),
        refusal(
            "signature of 65 bytes",
            &with_signature(&[&signature[..], &[0]].concat()),
            "shape",
        ),
        refusal("high s", &with_signature(&other_s(&signature)), "high-s"),
        refusal("r = 0", &half(0, &[0; 32]), "out-of-range"),
        refusal("s = 0", &half(1, &[0; 32]), "out-of-range"),
        refusal("r = n", &half(0, &order), "out-of-range"),
        refusal("s = n", &half(1, &order), "out-of-range"),
    ];
    Json::Object(vec![
        (
            "about",
            text(
                "Bytes that are not the one form of COSE_Sign1, and the first reason: truncated, \
                 trailing, shape, not-canonical, payload-too-long, high-s, out-of-range.",
            ),
        ),
        ("refusals", Json::List(refusals)),
    ])
}

fn forgeries() -> Json {
    let domain = Domain::Record(RecordType::Reading);
    let meter = meter();
    let signature = meter.sign(domain, &payload_of(&reading()));
    let forged = |title: &str, payload: &[u8], signature: Signature, key: &TestKey| {
        Json::Object(vec![
            ("name", text(title)),
            ("public_key", key.public.json()),
            ("domain", text("wattwitness/v1/reading")),
            ("cose_sign1", sign1(payload, signature)[..].json()),
        ])
    };
    let tampered =
        |title: &str, record: Reading| forged(title, &payload_of(&record), signature, &meter);
    let good = payload_of(&reading());
    let other = TestKey::new("other meter");
    let bare = Signature::normalise(meter.sign_raw(&good)).expect("it is in range");
    let forgeries = vec![
        tampered(
            "power changed",
            Reading {
                power: Milliwatts::new(16_351),
                ..reading()
            },
        ),
        tampered(
            "total a thousandfold",
            Reading {
                import_total: Some(energy(8_900_000)),
                ..reading()
            },
        ),
        tampered(
            "time an hour later",
            Reading {
                time: Some(utc(1_750_349_980_000)),
                ..reading()
            },
        ),
        tampered(
            "next sequence",
            Reading {
                sequence: sequence(4_712),
                ..reading()
            },
        ),
        tampered(
            "another meter",
            Reading {
                meter: other.id(),
                ..reading()
            },
        ),
        forged("checked with another key", &good, signature, &other),
        forged(
            "signed as a window",
            &good,
            meter.sign(Domain::Record(RecordType::Window), &good),
            &meter,
        ),
        forged(
            "signed as the consent to an enrolment",
            &good,
            meter.sign(Domain::EnrolmentAcceptance, &good),
            &meter,
        ),
        forged("payload signed without Sig_structure", &good, bare, &meter),
        forged(
            "signature of another meter",
            &good,
            other.sign(domain, &good),
            &meter,
        ),
        forged(
            "r and s are 1",
            &good,
            Signature::from_low_s({
                let mut ones = [0; 64];
                (ones[31], ones[63]) = (1, 1);
                ones
            })
            .expect("it is in range"),
            &meter,
        ),
    ];
    Json::Object(vec![
        (
            "about",
            text(
                "COSE_Sign1 in the right form whose signature must not verify under the public key \
                 and the domain that are given.",
            ),
        ),
        ("forgeries", Json::List(forgeries)),
    ])
}

/// The entries with which the certificate-transparency community tests its own trees.
const ENTRIES: [&[u8]; 8] = [
    &[],
    &[0x00],
    &[0x10],
    &[0x20, 0x21],
    &[0x30, 0x31],
    &[0x40, 0x41, 0x42, 0x43],
    &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
    &[
        0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e,
        0x6f,
    ],
];

fn merkle_tree() -> Json {
    let leaves: Vec<Hash> = ENTRIES
        .iter()
        .map(|entry| merkle::leaf_hash(entry))
        .collect();
    let roots: Vec<Hash> = (0..=8).map(|size| merkle::root(&leaves[..size])).collect();
    let inclusion = |index: usize, size: usize| {
        let proof = merkle::inclusion_proof(&leaves[..size], index).expect("the leaf is there");
        Json::Object(vec![
            ("index", index.json()),
            ("size", size.json()),
            ("proof", proof.hashes().json()),
        ])
    };
    let consistency = |from: usize, to: usize| {
        let proof = merkle::consistency_proof(&leaves[..to], from).expect("sizes are in order");
        Json::Object(vec![
            ("from", from.json()),
            ("to", to.json()),
            ("proof", proof.hashes().json()),
        ])
    };
    let inclusions = (1..=8).flat_map(|size| (0..size).map(move |index| (index, size)));
    let consistencies = (1..=8).flat_map(|to| (1..=to).map(move |from| (from, to)));
    Json::Object(vec![
        (
            "about",
            text(
                "A tree of eight entries: leaf hashes, the roots over the first 0 to 8 of them, \
                 every inclusion and every consistency proof. Proofs that must be refused: any of \
                 these with a hash changed, left out or added, or at another index or size.",
            ),
        ),
        (
            "entries",
            Json::List(ENTRIES.iter().map(|entry| entry.json()).collect()),
        ),
        ("leaf_hashes", leaves[..].json()),
        ("roots", roots[..].json()),
        (
            "inclusion",
            Json::List(inclusions.map(|(i, n)| inclusion(i, n)).collect()),
        ),
        (
            "consistency",
            Json::List(consistencies.map(|(m, n)| consistency(m, n)).collect()),
        ),
    ])
}

fn pack(readings: &[AnyReading]) -> Vec<u8> {
    let first = &readings[0];
    let mut codec = Codec::new(first.sum().meter, first.record_type()).expect("it is a reading");
    let mut block = codec.block_header().to_vec();
    for reading in readings {
        let mut out = [0; MAX_PACKED_READING];
        let len = codec.pack(reading, &mut out).expect("there is room");
        block.extend(&out[..len]);
    }
    block
}

/// Two minutes of a morning with all that can happen in it.
fn eventful_readings() -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut last = Reading {
        time: Some(utc(1_750_346_400_000)),
        ..reading()
    };
    readings.push(last);
    let mut push = |change: &dyn Fn(&mut Reading)| {
        last.sequence = last.sequence.next().expect("far from the end");
        last.time = last.time.and_then(|time| time.checked_add_ms(10_000));
        last.uptime = last
            .uptime
            .checked_add_ms(10_000)
            .expect("far from the end");
        change(&mut last);
        readings.push(last);
    };
    push(&|r| r.power = Milliwatts::new(16_400));
    push(&|r| {
        r.import_total = Some(energy(9_000));
        r.produced = energy(9_000);
    });
    push(&|_| {});
    push(&|r| {
        *r = Reading {
            meter: r.meter,
            sequence: r.sequence,
            time: r.time,
            uptime: r.uptime,
            time_quality: TimeQuality::Relative,
            produced: r.produced,
            ..failed_poll()
        };
    });
    push(&|r| {
        r.power = Milliwatts::new(-3);
        r.import_total = Some(energy(9_100));
        r.export_total = Some(energy(55));
        r.produced = energy(9_055);
        r.voltage = Millivolts::new(229_990);
        r.temperature = DeciCelsius::new(-5);
        r.flags = ReadingFlags::RECOVERED;
    });
    push(&|r| {
        r.export_total = Some(energy(155));
        r.produced = energy(9_155);
        r.temperature = None;
        r.current = Milliamperes::new(71);
        r.flags = ReadingFlags::NONE;
    });
    push(&|r| {
        r.export_total = Some(energy(255));
        r.produced = energy(9_255);
    });
    push(&|r| {
        r.import_total = Some(energy(0));
        r.counter_epoch = r.counter_epoch.next().expect("far from the end");
        r.flags = ReadingFlags::COUNTER_FELL;
    });
    push(&|r| {
        r.time = Some(utc(1_750_346_381_500));
        r.flags = ReadingFlags::CLOCK_STEPPED;
    });
    push(&|r| {
        r.time = None;
        r.time_quality = TimeQuality::Unknown;
        r.boot = r.boot.next().expect("far from the end");
        r.sequence = sequence(5_000);
        r.uptime = uptime(1_000);
    });
    push(&|_| {});
    push(&|r| *r = extreme_reading());
    readings
}

fn packed_blocks() -> Json {
    let block = |title: &str, readings: &[AnyReading]| {
        let payloads = readings.iter().map(|reading| {
            let payload = reading.encode().expect("the reading keeps its rules");
            payload.json()
        });
        Json::Object(vec![
            ("name", text(title)),
            ("meter", readings[0].sum().meter.json()),
            ("type", text(readings[0].record_type().name())),
            ("block", pack(readings)[..].json()),
            ("payloads", Json::List(payloads.collect())),
        ])
    };
    let single: Vec<AnyReading> = eventful_readings()
        .into_iter()
        .map(AnyReading::SinglePhase)
        .collect();
    let three: Vec<AnyReading> = eventful_readings()
        .into_iter()
        .enumerate()
        .map(|(i, sum)| {
            let failed = sum.flags.intersects(ReadingFlags::FAILED);
            let mut phases = three_phase_reading().phases;
            if i % 3 == 1 {
                phases[1].power = Milliwatts::new(1_000 * i as i64);
                phases[2].current = None;
            }
            if failed {
                phases = [Phase::ABSENT; 3];
            }
            AnyReading::ThreePhase(ThreePhaseReading { sum, phases })
        })
        .collect();
    Json::Object(vec![
        (
            "about",
            text(
                "Packed blocks and the payloads that come out of them, for the meter that is named.",
            ),
        ),
        (
            "blocks",
            Json::List(vec![
                block("one reading", &single[..1]),
                block("all that can happen in two minutes", &single),
                block("the same with three phases", &three),
            ]),
        ),
    ])
}

fn packed_refusals() -> Json {
    let good = pack(
        &eventful_readings()
            .into_iter()
            .map(AnyReading::SinglePhase)
            .collect::<Vec<_>>(),
    );
    let refusal = |title: &str, block: &[u8], reason: &str| {
        Json::Object(vec![
            ("name", text(title)),
            ("block", block.json()),
            ("reason", text(reason)),
        ])
    };
    let refusals = vec![
        refusal("no bytes", &[], "truncated"),
        refusal("one byte", &[1], "truncated"),
        refusal("packing version 0", &[0, 1], "unknown-packing"),
        refusal("packing version 2", &[2, 1], "unknown-packing"),
        refusal("block of windows", &[1, 3], "unknown-packing"),
        refusal("cut inside a reading", &good[..good.len() - 1], "truncated"),
        refusal("one byte of a mask", &[1, 1, 0], "truncated"),
        refusal(
            "number of eleven groups",
            &[&[1, 1, 0, 1][..], &[0x80; 10], &[1]].concat(),
            "out-of-range",
        ),
        refusal(
            "number above 64 bits where none may be absent",
            &[&[1, 1, 0, 1][..], &[0xff; 9], &[0x7f]].concat(),
            "out-of-range",
        ),
        refusal(
            "boot counter above 32 bits",
            &[1, 1, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x20],
            "out-of-range",
        ),
        refusal("time quality 4", &[1, 1, 0, 0x10, 4], "out-of-range"),
        refusal("flag bit 12", &[1, 1, 0x80, 0, 0x10, 0], "out-of-range"),
        refusal(
            "voltage above 32 bits",
            &[1, 1, 0x08, 0, 0x82, 0x80, 0x80, 0x80, 0xc0, 0x00],
            "out-of-range",
        ),
        refusal(
            "sequence is the mark for absent",
            &[1, 1, 0, 2, 3],
            "out-of-range",
        ),
    ];
    Json::Object(vec![
        (
            "about",
            text(
                "Blocks that must be refused, and the reason: truncated, unknown-packing, \
                 out-of-range. A reading that unpacks may still break a rule of its record: it is \
                 encoded and compared before it is used.",
            ),
        ),
        ("refusals", Json::List(refusals)),
    ])
}

/// A chain of four records as a meter uploads it: boot, window, window, gap.
fn bodies() -> Json {
    let meter = meter();
    let readings: Vec<AnyReading> = (0..5)
        .map(|i: u64| {
            AnyReading::SinglePhase(Reading {
                boot: boot_counter(1),
                sequence: sequence(1 + i),
                time: Some(utc(1_750_346_990_000 + 10_000 * i)),
                uptime: uptime(10_000 * (1 + i)),
                import_total: Some(energy(8_900 + 100 * i)),
                produced: energy(100 * i),
                ..reading()
            })
        })
        .collect();
    let (before, after) = readings.split_at(1);
    let boot = boot();
    let sealed = |chain_index: u64, previous: Hash, readings: &[AnyReading], produced_open: u64| {
        let leaves: Vec<Hash> = readings
            .iter()
            .map(|reading| reading.leaf_hash().expect("the reading keeps its rules"))
            .collect();
        let (first, last) = (readings[0].sum(), readings[readings.len() - 1].sum());
        Window {
            chain_index: index(chain_index),
            previous,
            boot: boot_counter(1),
            first_sequence: first.sequence,
            last_sequence: last.sequence,
            count: readings.len() as u32,
            first_time: first.time,
            last_time: last.time,
            produced_open: energy(produced_open),
            produced_close: last.produced,
            root: merkle::root(&leaves),
            log_size: 0,
            log_root: Hash::ZERO,
            ..window()
        }
    };
    let first = sealed(1, digest_of(&boot), before, 0);
    let second = Window {
        flags: WindowFlags::ORDERLY_STOP,
        ..sealed(2, digest_of(&first), after, 0)
    };
    let gap = Gap {
        chain_index: index(3),
        previous: digest_of(&second),
        boot: boot_counter(1),
        kind: GapKind::Readings,
        first_index: index(1),
        last_index: index(1),
        first_sequence: first.first_sequence.into(),
        last_sequence: first.last_sequence.into(),
        produced_open: first.produced_open,
        produced_close: first.produced_close,
        last_digest: Hash::ZERO,
        ..gap()
    };
    let signed = |record: &ChainRecord| {
        let payload = record.encode().expect("the record keeps its rules");
        meter.sign1(&payload, Domain::Record(record.record_type()))
    };
    let byte_string = |bytes: &[u8]| {
        let (head, head_len) = byte_string_head(bytes.len() as u32);
        [&head[..head_len], bytes].concat()
    };
    let items: Vec<(&str, Vec<u8>)> = vec![
        ("cose_sign1", signed(&ChainRecord::Boot(boot))),
        ("cose_sign1", signed(&ChainRecord::Window(first))),
        ("cose_sign1", signed(&ChainRecord::Window(second))),
        ("readings", pack(after)),
        ("cose_sign1", signed(&ChainRecord::Gap(gap))),
    ];
    let body: Vec<u8> = items
        .iter()
        .flat_map(|(kind, bytes)| {
            if *kind == "readings" {
                byte_string(bytes)
            } else {
                bytes.clone()
            }
        })
        .collect();
    let item =
        |(kind, bytes): &(&'static str, Vec<u8>)| Json::Object(vec![(*kind, bytes[..].json())]);
    let refusal = |title: &str, body: &[u8], reason: &str| {
        Json::Object(vec![
            ("name", text(title)),
            ("body", body.json()),
            ("reason", text(reason)),
        ])
    };
    Json::Object(vec![
        (
            "about",
            text(
                "A body of application/cose: a boot, a window whose readings were given up, a \
                 window with its packed readings, the gap that says so. Links, sequences and roots \
                 hold. Then bodies that must be refused.",
            ),
        ),
        ("public_key", meter.public.json()),
        ("body", body[..].json()),
        ("items", Json::List(items.iter().map(item).collect())),
        (
            "refusals",
            Json::List(vec![
                refusal(
                    "cut inside the last item",
                    &body[..body.len() - 1],
                    "truncated",
                ),
                refusal(
                    "numbers among the items",
                    &[&body[..], &[0x01, 0x02]].concat(),
                    "shape",
                ),
                refusal(
                    "a text among the items",
                    &[&body[..], &[0x62, b'h', b'i']].concat(),
                    "shape",
                ),
                refusal(
                    "readings of indefinite length",
                    &[&body[..], &[0x5f, 0xff]].concat(),
                    "shape",
                ),
                refusal(
                    "readings whose length is not in shortest form",
                    &[&body[..], &[0x58, 0x02, 1, 1]].concat(),
                    "not-canonical",
                ),
            ]),
        ),
    ])
}
