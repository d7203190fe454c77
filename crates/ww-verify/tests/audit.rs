//! Honest and dishonest histories of one meter, signed with real keys, before the auditor.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use ww_verify::{Audit, Missing, Problem, Report, Verdict};
use ww_wire::cose::byte_string_head;
use ww_wire::merkle::TreeBuilder;
use ww_wire::packed::{Codec, MAX_PACKED_READING};
use ww_wire::record::Record;
use ww_wire::*;

const START_MS: u64 = 1_750_345_800_000;
const RATED_WATTS: u32 = 5_000;

struct Key(SigningKey);

impl Key {
    fn new(label: u8) -> Self {
        Self(SigningKey::from_slice(&[label; 32]).unwrap())
    }

    fn public(&self) -> PublicKey {
        let point = self.0.verifying_key().to_sec1_point(false);
        PublicKey::from_sec1(point.as_bytes().try_into().unwrap()).unwrap()
    }

    fn sign(&self, record_type: RecordType, payload: &[u8]) -> Vec<u8> {
        self.sign_in(Domain::Record(record_type), payload)
    }

    fn sign_in(&self, domain: Domain, payload: &[u8]) -> Vec<u8> {
        let message = ToBeSigned::new(domain, payload).unwrap();
        let signature: p256::ecdsa::Signature = self.0.sign(message.as_bytes());
        let signature = Signature::normalise(signature.to_bytes().into()).unwrap();
        Sign1 { payload, signature }.encode().unwrap().to_vec()
    }
}

fn enrolment(operator: &Key, meter: &Key) -> Enrolment {
    Enrolment {
        operator: operator.public().id(),
        operator_key: operator.public(),
        meter_key: meter.public(),
        number: 1,
        time: UtcMillis::new(START_MS).unwrap(),
        custody: Custody::Software,
        sensor_model: SensorModel::ShellyEmGen1,
        sensor_mac: Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]),
        channel: 0,
        production_counter: ProductionCounter::Total,
        ct_ratio_milli: 1000,
        rated_power: Watts::new(RATED_WATTS).unwrap(),
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
    }
}

/// A history of one meter: a Boot, then windows of 60 readings.
struct History {
    operator: Key,
    meter: Key,
    chain: Vec<ChainRecord>,
    readings: Vec<Vec<Reading>>,
}

impl History {
    fn of_windows(count: u64) -> Self {
        let (operator, meter) = (Key::new(1), Key::new(2));
        let mut history = Self {
            operator,
            meter,
            chain: Vec::new(),
            readings: Vec::new(),
        };
        history.push(ChainRecord::Boot(Boot {
            meter: history.id(),
            chain_index: ChainIndex::ZERO,
            previous: Hash::ZERO,
            boot: BootCounter::new(1).unwrap(),
            time: UtcMillis::new(START_MS),
            uptime: UptimeMillis::ZERO,
            time_quality: TimeQuality::Synchronised,
            firmware: Hash([7; 32]),
            version_major: 0,
            version_minor: 1,
            version_patch: 0,
            security_counter: 0,
            reset_reason: ResetReason::Requested,
            last_recovered: None,
            first_new: Sequence::new(1).unwrap(),
            attestation: Attestation::NONE,
        }));
        for number in 0..count {
            let window = history.window(number, 60, 10_000);
            history.push(window);
        }
        history
    }

    fn id(&self) -> MeterId {
        self.meter.public().id()
    }

    fn push(&mut self, record: ChainRecord) {
        self.chain.push(record);
        if self.readings.len() < self.chain.len() {
            self.readings.push(Vec::new());
        }
    }

    fn last_digest(&self) -> Hash {
        self.chain
            .last()
            .map_or(Hash::ZERO, |record| record.encode().unwrap().digest())
    }

    fn reading(&self, sequence: u64, energy_mwh: u64) -> Reading {
        let elapsed = (sequence - 1) * 10_000;
        let produced = MilliwattHours::new(sequence * energy_mwh).unwrap();
        Reading {
            meter: self.id(),
            boot: BootCounter::new(1).unwrap(),
            sequence: Sequence::new(sequence).unwrap(),
            time: UtcMillis::new(START_MS + elapsed),
            uptime: UptimeMillis::new(elapsed + 500).unwrap(),
            time_quality: TimeQuality::Synchronised,
            power: Milliwatts::new(3_600_000),
            import_total: Some(produced),
            export_total: Some(MilliwattHours::ZERO),
            counter_epoch: CounterEpoch::ZERO,
            produced,
            voltage: Millivolts::new(237_130),
            current: None,
            reactive_power: Millivars::new(24_380),
            temperature: None,
            flags: ReadingFlags::NONE,
        }
    }

    /// The window `number` of 60 readings, each adding `energy_mwh`.
    fn window(&mut self, number: u64, readings: u64, energy_mwh: u64) -> ChainRecord {
        let first = number * 60 + 1;
        let all: Vec<Reading> = (first..first + readings)
            .map(|sequence| self.reading(sequence, energy_mwh))
            .collect();
        let enrolment = enrolment(&self.operator, &self.meter)
            .encode()
            .unwrap()
            .digest();
        let window = window_over(
            self.chain.len() as u64,
            self.last_digest(),
            MilliwattHours::new((first - 1) * energy_mwh).unwrap(),
            enrolment,
            &all,
        );
        self.readings.push(all);
        ChainRecord::Window(window)
    }

    fn bytes_of(&self, place: usize) -> Vec<u8> {
        let record = &self.chain[place];
        let mut bytes = self
            .meter
            .sign(record.record_type(), &record.encode().unwrap());
        if !self.readings[place].is_empty() {
            bytes.extend(packed(self.id(), &self.readings[place]));
        }
        bytes
    }

    fn places(&self) -> Vec<usize> {
        (0..self.chain.len()).collect()
    }

    fn audit_of(&self, body: &[u8]) -> Report {
        let mut audit = Audit::new(self.id(), self.meter.public(), None).unwrap();
        let enrolment = enrolment(&self.operator, &self.meter);
        audit.enrolments(
            &self
                .operator
                .sign(RecordType::Enrolment, &enrolment.encode().unwrap()),
        );
        audit.records(body);
        audit.finish(None)
    }

    fn audit(&self, places: &[usize]) -> Report {
        let body: Vec<u8> = places
            .iter()
            .flat_map(|place| self.bytes_of(*place))
            .collect();
        self.audit_of(&body)
    }
}

fn window_over(
    index: u64,
    previous: Hash,
    produced_open: MilliwattHours,
    enrolment: Hash,
    readings: &[Reading],
) -> Window {
    let mut tree = TreeBuilder::new();
    readings
        .iter()
        .for_each(|reading| tree.push(&reading.encode().unwrap()));
    let (first, last) = (readings.first().unwrap(), readings.last().unwrap());
    Window {
        meter: first.meter,
        chain_index: ChainIndex::new(index).unwrap(),
        previous,
        boot: first.boot,
        first_sequence: first.sequence,
        last_sequence: last.sequence,
        count: readings.len() as u32,
        first_time: first.time,
        last_time: last.time,
        produced_open,
        produced_close: last.produced,
        root: tree.root(),
        enrolment,
        firmware: Hash([7; 32]),
        log_size: 0,
        log_root: Hash::ZERO,
        flags: WindowFlags::NONE,
    }
}

fn packed(meter: MeterId, readings: &[Reading]) -> Vec<u8> {
    let mut codec = Codec::new(meter, RecordType::Reading).unwrap();
    let mut block = codec.block_header().to_vec();
    for reading in readings {
        let mut out = [0; MAX_PACKED_READING];
        let len = codec
            .pack(&AnyReading::SinglePhase(*reading), &mut out)
            .unwrap();
        block.extend(&out[..len]);
    }
    let (head, len) = byte_string_head(block.len() as u32);
    [&head[..len], &block].concat()
}

#[test]
fn an_honest_history_is_complete() {
    let history = History::of_windows(5);
    let report = history.audit(&history.places());
    assert_eq!(report.problems, []);
    assert_eq!(report.missing, []);
    assert_eq!(report.verdict, Verdict::Complete);
    assert_eq!(report.energy_mwh, 5 * 60 * 10_000);
    assert_eq!(report.grade.checked_readings, 300);
}

#[test]
fn altered_reading() {
    let mut history = History::of_windows(3);
    history.readings[2][30].power = Milliwatts::new(3_600_001);
    let report = history.audit(&history.places());
    assert!(matches!(
        report.problems[..],
        [Problem::WrongReadings { index: 2, .. }]
    ));
    assert_eq!(report.verdict, Verdict::Refuted);
}

#[test]
fn left_out_reading() {
    let mut history = History::of_windows(3);
    history.readings[2].pop();
    let report = history.audit(&history.places());
    assert!(matches!(
        report.problems[..],
        [Problem::WrongReadings { index: 2, .. }]
    ));
}

#[test]
fn spliced_window() {
    let mut history = History::of_windows(3);
    let ChainRecord::Window(mut foreign) = history.chain[2] else {
        unreachable!()
    };
    foreign.previous = Hash([9; 32]);
    history.chain[2] = ChainRecord::Window(foreign);
    let report = history.audit(&history.places());
    assert!(matches!(
        report.problems[0],
        Problem::BrokenLink { index: 2, .. }
    ));
}

#[test]
fn replayed_window() {
    let history = History::of_windows(3);
    let report = history.audit(&[0, 1, 2, 2, 3]);
    assert!(matches!(
        report.problems[0],
        Problem::OutOfOrder { index: 2, after: 2 }
    ));
}

#[test]
fn window_signed_by_another_key() {
    let mut history = History::of_windows(3);
    let honest: Vec<u8> = [0, 1]
        .iter()
        .flat_map(|place| history.bytes_of(*place))
        .collect();
    let payload = history.chain[2].encode().unwrap();
    history.meter = Key::new(2);
    let forged = Key::new(3).sign(RecordType::Window, &payload);
    let report = history.audit_of(&[honest, forged].concat());
    assert!(
        matches!(&report.problems[..], [Problem::BadSignature { record }] if record == "window 2")
    );
}

#[test]
fn signature_of_another_domain() {
    let history = History::of_windows(1);
    let payload = history.chain[1].encode().unwrap();
    let forged = history.meter.sign(RecordType::Boot, &payload);
    let report = history.audit_of(&[history.bytes_of(0), forged].concat());
    assert!(matches!(
        report.problems[..],
        [Problem::BadSignature { .. }]
    ));
}

#[test]
fn a_window_left_out_is_missing_and_undeclared() {
    let history = History::of_windows(4);
    let report = history.audit(&[0, 1, 3, 4]);
    assert_eq!(report.problems, []);
    assert_eq!(
        report.missing,
        [Missing::Records {
            first_index: 2,
            last_index: 2,
            declared: false,
            energy_mwh: Some(600_000),
        }]
    );
    assert_eq!(report.verdict, Verdict::Incomplete);
}

#[test]
fn a_loss_that_the_meter_declared_says_so() {
    let mut history = History::of_windows(4);
    let gap = Gap {
        meter: history.id(),
        chain_index: ChainIndex::new(5).unwrap(),
        previous: history.last_digest(),
        boot: BootCounter::new(1).unwrap(),
        time: None,
        kind: GapKind::Records,
        first_index: ChainIndex::new(2).unwrap(),
        last_index: ChainIndex::new(2).unwrap(),
        first_sequence: Sequence::new(61),
        last_sequence: Sequence::new(120),
        produced_open: MilliwattHours::new(600_000).unwrap(),
        produced_close: MilliwattHours::new(1_200_000).unwrap(),
        last_digest: history.chain[2].encode().unwrap().digest(),
    };
    history.push(ChainRecord::Gap(gap));
    let report = history.audit(&[0, 1, 3, 4, 5]);
    assert!(matches!(
        report.missing[..],
        [Missing::Records { declared: true, .. }]
    ));
}

#[test]
fn energy_between_two_windows_is_refuted() {
    let mut history = History::of_windows(1);
    let ChainRecord::Window(mut second) = history.window(1, 60, 10_000) else {
        unreachable!()
    };
    second.produced_open = MilliwattHours::new(600_001).unwrap();
    history.push(ChainRecord::Window(second));
    let report = history.audit(&history.places());
    assert!(
        report
            .problems
            .iter()
            .any(|p| matches!(p, Problem::Discontinuous { index: 2, .. }))
    );
}

#[test]
fn more_energy_than_the_nameplate_allows_is_refuted() {
    let mut history = History::of_windows(0);
    // 5 kW × 1.35 × 10 s = 18.75 Wh at the most.
    let first = history.window(0, 60, 20_700);
    history.push(first);
    let second = history.window(1, 60, 20_700);
    history.push(second);
    let report = history.audit(&history.places());
    assert!(matches!(
        report.problems[..],
        [Problem::Implausible { index: 2, .. }]
    ));
}

#[test]
fn an_enrolment_forged_for_the_meter_is_refuted() {
    let history = History::of_windows(1);
    let mut audit = Audit::new(history.id(), history.meter.public(), None).unwrap();
    let payload = enrolment(&history.operator, &history.meter)
        .encode()
        .unwrap();
    audit.enrolments(&Key::new(3).sign(RecordType::Enrolment, &payload));
    assert!(matches!(
        audit.finish(None).problems[..],
        [Problem::BadSignature { .. }]
    ));
}

#[test]
fn the_ends_that_are_not_shown_are_missing() {
    let history = History::of_windows(2);
    let mut audit = Audit::new(history.id(), history.meter.public(), None).unwrap();
    let enrolment = enrolment(&history.operator, &history.meter)
        .encode()
        .unwrap();
    audit.enrolments(&history.operator.sign(RecordType::Enrolment, &enrolment));
    history
        .places()
        .iter()
        .for_each(|place| audit.records(&history.bytes_of(*place)));
    let report = audit.finish(Some((START_MS - 3_600_000, START_MS + 7_200_000)));
    assert!(matches!(
        report.missing[..],
        [Missing::Before { .. }, Missing::After { .. }]
    ));
}

#[test]
fn a_cut_body_is_unreadable_and_never_a_panic() {
    let history = History::of_windows(1);
    let body: Vec<u8> = history
        .places()
        .iter()
        .flat_map(|p| history.bytes_of(*p))
        .collect();
    for len in 0..body.len() {
        let report = history.audit_of(&body[..len]);
        let whole_records = report.problems.is_empty();
        assert!(
            report.verdict != Verdict::Complete || whole_records,
            "cut at {len}"
        );
        assert!(report.energy_mwh == 0 || len > 300, "cut at {len}");
    }
}

#[test]
fn the_report_reads_in_plain_words() {
    let history = History::of_windows(2);
    let text = history.audit(&[0, 2]).to_string();
    assert!(text.contains("INCOMPLETE"), "{text}");
    assert!(text.contains("chain records 1 to 1"), "{text}");
    assert!(text.contains("Whom you still have to trust"), "{text}");
}

#[test]
fn the_meters_consent_is_told_from_the_operators_word() {
    let history = History::of_windows(1);
    let payload = enrolment(&history.operator, &history.meter)
        .encode()
        .unwrap();
    let audit_with = |consent: &[u8]| {
        let mut audit = Audit::new(history.id(), history.meter.public(), None).unwrap();
        audit.enrolments(&history.operator.sign(RecordType::Enrolment, &payload));
        audit.enrolments(consent);
        history
            .places()
            .iter()
            .for_each(|place| audit.records(&history.bytes_of(*place)));
        audit.finish(None)
    };
    let alone = |report: &Report| {
        report
            .trust
            .iter()
            .any(|line| line.contains("operator alone"))
    };
    let consent = history.meter.sign_in(Domain::EnrolmentAcceptance, &payload);
    let accepted = audit_with(&consent);
    assert_eq!(accepted.verdict, Verdict::Complete);
    assert!(!alone(&accepted));
    assert!(alone(&audit_with(&[])));
    let forged = Key::new(3).sign_in(Domain::EnrolmentAcceptance, &payload);
    assert_eq!(audit_with(&forged).verdict, Verdict::Refuted);
}
