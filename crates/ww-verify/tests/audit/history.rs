//! The histories that the tests are about: one meter with a real key, its operator, and what a
//! gateway could show of them. Judges nothing.

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use ww_verify::{Audit, Question, Report};
use ww_wire::cose::byte_string_head;
use ww_wire::merkle::TreeBuilder;
use ww_wire::packed::{Codec, MAX_PACKED_READING};
use ww_wire::record::Record;
use ww_wire::*;

pub(crate) const START_MS: u64 = 1_750_345_800_000;
pub(crate) const RATED_WATTS: u32 = 5_000;
pub(crate) const WINDOW_MS: u64 = chain::WINDOW_MS;
pub(crate) const HOUR_MS: u64 = 6 * WINDOW_MS;
/// What a window of 60 readings counts when each adds 10 Wh.
pub(crate) const WINDOW_MWH: u64 = 600_000;
pub(crate) const NOON_MS: u64 = START_MS + 24 * HOUR_MS;
pub(crate) const MINUTE_MS: u64 = 60_000;

pub(crate) struct Key(SigningKey);

impl Key {
    pub(crate) fn new(label: u8) -> Self {
        Self(SigningKey::from_slice(&[label; 32]).unwrap())
    }

    pub(crate) fn public(&self) -> PublicKey {
        let point = self.0.verifying_key().to_sec1_point(false);
        PublicKey::from_sec1(point.as_bytes().try_into().unwrap()).unwrap()
    }

    pub(crate) fn sign(&self, record_type: RecordType, payload: &[u8]) -> Vec<u8> {
        self.sign_in(Domain::Record(record_type), payload)
    }

    pub(crate) fn sign_in(&self, domain: Domain, payload: &[u8]) -> Vec<u8> {
        let message = ToBeSigned::new(domain, payload).unwrap();
        let signature: p256::ecdsa::Signature = self.0.sign(message.as_bytes());
        let signature = Signature::normalise(signature.to_bytes().into()).unwrap();
        Sign1 { payload, signature }.encode().unwrap().to_vec()
    }
}

pub(crate) fn enrolment(operator: &Key, meter: &Key) -> Enrolment {
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
pub(crate) struct History {
    pub(crate) operator: Key,
    pub(crate) meter: Key,
    pub(crate) chain: Vec<ChainRecord>,
    pub(crate) readings: Vec<Vec<Reading>>,
    /// How wrong the meter's clock is; no time at all when `None`.
    pub(crate) clock_ms: Option<i64>,
    /// What the meter says of its clock when it has one.
    pub(crate) quality: TimeQuality,
    /// The enrolment that windows name.
    pub(crate) enrolment: Hash,
}

impl History {
    pub(crate) fn of_windows(count: u64) -> Self {
        let (operator, meter) = (Key::new(1), Key::new(2));
        let enrolment = enrolment(&operator, &meter).encode().unwrap().digest();
        let mut history = Self {
            operator,
            meter,
            chain: Vec::new(),
            readings: Vec::new(),
            clock_ms: Some(0),
            quality: TimeQuality::Synchronised,
            enrolment,
        };
        history.boot(UtcMillis::new(START_MS));
        for number in 0..count {
            history.push_window(number);
        }
        history
    }

    pub(crate) fn boot(&mut self, time: Option<UtcMillis>) {
        let quality = time.map_or(TimeQuality::Unknown, |_| self.quality);
        self.push(ChainRecord::Boot(Boot {
            meter: self.id(),
            chain_index: ChainIndex::new(self.chain.len() as u64).unwrap(),
            previous: self.last_digest(),
            boot: BootCounter::new(1).unwrap(),
            time,
            uptime: UptimeMillis::ZERO,
            time_quality: quality,
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
    }

    pub(crate) fn push_window(&mut self, number: u64) {
        let window = self.window(number, 60, 10_000);
        self.push(window);
    }

    /// Appends a window without its readings, changed before it is signed.
    pub(crate) fn push_bare(&mut self, number: u64, change: impl FnOnce(&mut Window)) {
        let ChainRecord::Window(mut window) = self.window(number, 60, 10_000) else {
            unreachable!()
        };
        change(&mut window);
        self.readings.pop();
        self.push(ChainRecord::Window(window));
    }

    pub(crate) fn id(&self) -> MeterId {
        self.meter.public().id()
    }

    pub(crate) fn push(&mut self, record: ChainRecord) {
        self.chain.push(record);
        if self.readings.len() < self.chain.len() {
            self.readings.push(Vec::new());
        }
    }

    pub(crate) fn last_digest(&self) -> Hash {
        self.chain
            .last()
            .map_or(Hash::ZERO, |record| record.encode().unwrap().digest())
    }

    pub(crate) fn reading(&self, sequence: u64, energy_mwh: u64) -> Reading {
        let elapsed = (sequence - 1) * 10_000;
        let time = self.clock_ms.and_then(|wrong| {
            UtcMillis::new((START_MS + elapsed).checked_add_signed(wrong).unwrap())
        });
        let produced = MilliwattHours::new(sequence * energy_mwh).unwrap();
        Reading {
            meter: self.id(),
            boot: BootCounter::new(1).unwrap(),
            sequence: Sequence::new(sequence).unwrap(),
            time,
            uptime: UptimeMillis::new(elapsed + 500).unwrap(),
            time_quality: time.map_or(TimeQuality::Unknown, |_| self.quality),
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
    pub(crate) fn window(&mut self, number: u64, readings: u64, energy_mwh: u64) -> ChainRecord {
        let first = number * 60 + 1;
        let all: Vec<Reading> = (first..first + readings)
            .map(|sequence| self.reading(sequence, energy_mwh))
            .collect();
        let window = window_over(
            self.chain.len() as u64,
            self.last_digest(),
            MilliwattHours::new((first - 1) * energy_mwh).unwrap(),
            self.enrolment,
            &all,
        );
        self.readings.push(all);
        ChainRecord::Window(window)
    }

    pub(crate) fn bytes_of(&self, place: usize) -> Vec<u8> {
        let record = &self.chain[place];
        let mut bytes = self
            .meter
            .sign(record.record_type(), &record.encode().unwrap());
        if !self.readings[place].is_empty() {
            bytes.extend(packed(self.id(), &self.readings[place]));
        }
        bytes
    }

    pub(crate) fn places(&self) -> Vec<usize> {
        (0..self.chain.len()).collect()
    }

    /// The operator's enrolment, signed.
    pub(crate) fn enrolment_bytes(&self) -> Vec<u8> {
        let enrolment = enrolment(&self.operator, &self.meter);
        self.operator
            .sign(RecordType::Enrolment, &enrolment.encode().unwrap())
    }

    pub(crate) fn begin(&self, question: Question) -> Audit {
        let mut audit = Audit::new(self.id(), self.meter.public(), question).unwrap();
        audit.enrolments(&self.enrolment_bytes());
        audit
    }

    pub(crate) fn audit_of(&self, body: &[u8]) -> Report {
        let mut audit = self.begin(Question::default());
        audit.records(body);
        audit.finish()
    }

    pub(crate) fn body(&self, places: &[usize]) -> Vec<u8> {
        places
            .iter()
            .flat_map(|place| self.bytes_of(*place))
            .collect()
    }

    pub(crate) fn audit(&self, places: &[usize]) -> Report {
        self.audit_of(&self.body(places))
    }

    pub(crate) fn ask(&self, question: Question, places: &[usize]) -> Report {
        let mut audit = self.begin(question);
        audit.records(&self.body(places));
        audit.finish()
    }
}

pub(crate) fn between(from_ms: u64, to_ms: u64) -> Question {
    Question {
        from_ms: Some(from_ms),
        to_ms: Some(to_ms),
        ..Question::default()
    }
}

pub(crate) fn window_over(
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

pub(crate) fn packed(meter: MeterId, readings: &[Reading]) -> Vec<u8> {
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

/// Two days: a Boot at 0, the windows 1 to 288.
pub(crate) fn two_days() -> History {
    History::of_windows(288)
}
