//! A meter that makes records for the tests of storage. Its signatures are of the right form and
//! worth nothing.

use ww_store::{Ingest, NewAudit, Verified, WindowReadings};
use ww_wire::field::Mac;
use ww_wire::merkle::{leaf_hash, root};
use ww_wire::{
    Address, AnyReading, Boot, BootCounter, ChainIndex, ChainRecord, CounterEpoch, Custody,
    Enrolment, Gap, GapKind, Hash, Label, MeterId, Millivolts, MilliwattHours, Milliwatts,
    ProductionCounter, PublicKey, Reading, ReadingFlags, Record, ResetReason, SensorModel,
    Sequence, Signature, Text, TimeQuality, UptimeMillis, UtcMillis, Watts, Window, WindowFlags,
};

pub(crate) fn signature(mark: u8) -> Signature {
    let mut bytes = [1; 64];
    bytes[31] = mark;
    Signature::from_low_s(bytes).unwrap()
}

pub(crate) fn utc(text: &str) -> UtcMillis {
    let moment: jiff::Timestamp = text.parse().unwrap();
    UtcMillis::new(moment.as_millisecond() as u64).unwrap()
}

pub(crate) fn audit(at: Option<UtcMillis>) -> NewAudit {
    NewAudit {
        at,
        actor: "test".to_owned(),
        action: "test".to_owned(),
        subject: "test".to_owned(),
        detail: String::new(),
    }
}

pub(crate) fn key(number: u8) -> PublicKey {
    PublicKey([number; 64])
}

pub(crate) fn operator_key() -> PublicKey {
    key(0xee)
}

#[derive(Clone, Debug)]
pub(crate) struct Meter {
    pub(crate) key: PublicKey,
    pub(crate) boot: u32,
    pub(crate) next_sequence: u64,
    pub(crate) next_index: u64,
    pub(crate) previous: Hash,
    pub(crate) produced: u64,
    pub(crate) produced_open: u64,
    pub(crate) started: u64,
}

impl Meter {
    pub(crate) fn new(number: u8) -> Self {
        Self {
            key: key(number),
            boot: 1,
            next_sequence: 1,
            next_index: 0,
            previous: Hash::ZERO,
            produced: 0,
            produced_open: 0,
            started: 1_750_000_000_000,
        }
    }

    pub(crate) fn id(&self) -> MeterId {
        self.key.id()
    }

    pub(crate) fn enrolment(&self, number: u32) -> Verified<Enrolment> {
        let enrolment = Enrolment {
            operator: operator_key().id(),
            operator_key: operator_key(),
            meter_key: self.key,
            number,
            time: UtcMillis::new(1_750_000_000_000).unwrap(),
            custody: Custody::Software,
            sensor_model: SensorModel::ShellyEmGen1,
            sensor_mac: Mac([self.key.0[0]; 6]),
            channel: 0,
            production_counter: ProductionCounter::Total,
            ct_ratio_milli: 1000,
            rated_power: Watts::new(5000).unwrap(),
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
        };
        Verified::vouched(enrolment, signature(2))
    }

    pub(crate) fn label(&self, name: &str, zone: &str, time: u64) -> Verified<Label> {
        let label = Label {
            operator: operator_key().id(),
            meter: self.id(),
            time: UtcMillis::new(time).unwrap(),
            name: Text::new(name).unwrap(),
            time_zone: Text::new(zone).unwrap(),
        };
        Verified::vouched(label, signature(3))
    }

    /// Takes a reading that brings `increment` mWh.
    pub(crate) fn read(&mut self, time: Option<UtcMillis>, increment: u64) -> AnyReading {
        self.produced += increment;
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let reading = Reading {
            meter: self.id(),
            boot: BootCounter::new(self.boot).unwrap(),
            sequence: Sequence::new(sequence).unwrap(),
            time,
            uptime: UptimeMillis::new(time.map_or(sequence * 10_000, |time| {
                time.get().saturating_sub(self.started)
            }))
            .unwrap(),
            time_quality: if time.is_some() {
                TimeQuality::Synchronised
            } else {
                TimeQuality::Unknown
            },
            power: Milliwatts::new((increment * 360) as i64),
            import_total: MilliwattHours::new(self.produced + 8900),
            export_total: MilliwattHours::new(0),
            counter_epoch: CounterEpoch::ZERO,
            produced: MilliwattHours::new(self.produced).unwrap(),
            voltage: Millivolts::new(230_000 + (sequence % 97) as u32 * 10),
            current: None,
            reactive_power: None,
            temperature: None,
            flags: ReadingFlags::NONE,
        };
        AnyReading::SinglePhase(reading)
    }

    /// Seals readings that follow one another.
    pub(crate) fn seal(&mut self, readings: &[AnyReading]) -> Window {
        let (first, last) = (readings[0].sum(), readings[readings.len() - 1].sum());
        let leaves: Vec<Hash> = readings
            .iter()
            .map(|reading| leaf_hash(&reading.encode().unwrap()))
            .collect();
        let window = Window {
            meter: self.id(),
            chain_index: ChainIndex::new(self.next_index).unwrap(),
            previous: self.previous,
            boot: first.boot,
            first_sequence: first.sequence,
            last_sequence: last.sequence,
            count: readings.len() as u32,
            first_time: first.time,
            last_time: last.time,
            produced_open: MilliwattHours::new(self.produced_open).unwrap(),
            produced_close: last.produced,
            root: root(&leaves),
            enrolment: Hash([7; 32]),
            firmware: Hash([8; 32]),
            log_size: 0,
            log_root: Hash::ZERO,
            flags: WindowFlags::NONE,
        };
        self.produced_open = last.produced.get();
        self.link(&window);
        window
    }

    pub(crate) fn start(&mut self, time: Option<UtcMillis>) -> Boot {
        let boot = Boot {
            meter: self.id(),
            chain_index: ChainIndex::new(self.next_index).unwrap(),
            previous: self.previous,
            boot: BootCounter::new(self.boot).unwrap(),
            time,
            uptime: UptimeMillis::ZERO,
            time_quality: if time.is_some() {
                TimeQuality::Synchronised
            } else {
                TimeQuality::Unknown
            },
            firmware: Hash([8; 32]),
            version_major: 0,
            version_minor: 1,
            version_patch: 0,
            security_counter: 1,
            reset_reason: ResetReason::PowerOn,
            last_recovered: None,
            first_new: Sequence::new(self.next_sequence).unwrap(),
            attestation: ww_wire::Attestation([0; 64]),
        };
        self.link(&boot);
        boot
    }

    /// Gives up the chain records from `first` to `last`, the digest of which is given.
    pub(crate) fn give_up(&mut self, first: u64, last: u64, last_digest: Hash) -> Gap {
        let gap = Gap {
            meter: self.id(),
            chain_index: ChainIndex::new(self.next_index).unwrap(),
            previous: self.previous,
            boot: BootCounter::new(self.boot).unwrap(),
            time: None,
            kind: GapKind::Records,
            first_index: ChainIndex::new(first).unwrap(),
            last_index: ChainIndex::new(last).unwrap(),
            first_sequence: None,
            last_sequence: None,
            produced_open: MilliwattHours::ZERO,
            produced_close: MilliwattHours::ZERO,
            last_digest,
        };
        self.link(&gap);
        gap
    }

    fn link(&mut self, record: &impl Record) {
        self.previous = record.encode().unwrap().digest();
        self.next_index += 1;
    }

    /// Ten minutes of readings every 10 s from `start` on, each bringing `increment`.
    pub(crate) fn ten_minutes(&mut self, start: UtcMillis, increment: u64) -> Vec<AnyReading> {
        (0..60)
            .map(|slot| {
                let time = UtcMillis::new(start.get() + slot * 10_000);
                self.read(time, increment)
            })
            .collect()
    }
}

pub(crate) fn live(reading: AnyReading) -> Ingest {
    Ingest::Reading(Verified::vouched(reading, signature(4)))
}

pub(crate) fn sealed(window: Window, readings: &[AnyReading]) -> Ingest {
    let readings = WindowReadings::collect(&window, readings.to_vec()).unwrap();
    Ingest::Window(Verified::vouched(window, signature(5)), Some(readings))
}

pub(crate) fn bare(window: Window) -> Ingest {
    Ingest::Window(Verified::vouched(window, signature(5)), None)
}

pub(crate) fn chained(record: ChainRecord) -> Ingest {
    Ingest::Chain(Verified::vouched(record, signature(6)))
}

/// The same reading with another power.
pub(crate) fn tampered(reading: AnyReading) -> AnyReading {
    let mut sum = *reading.sum();
    sum.power = Milliwatts::new(1_234_560);
    AnyReading::SinglePhase(sum)
}
