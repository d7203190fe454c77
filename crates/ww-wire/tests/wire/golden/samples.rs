//! The records of the vectors, with every kind of field in them.

use ww_wire::*;

use super::keys::{TestKey, meter, operator};
use super::records::digest_of;

pub(super) fn energy(mwh: u64) -> MilliwattHours {
    MilliwattHours::new(mwh).expect("it is not the mark for absent")
}

pub(super) fn sequence(number: u64) -> Sequence {
    Sequence::new(number).expect("it is not the mark for absent")
}

pub(super) fn index(number: u64) -> ChainIndex {
    ChainIndex::new(number).expect("it is not the mark for absent")
}

pub(super) fn boot_counter(number: u32) -> BootCounter {
    BootCounter::new(number).expect("it is not the mark for absent")
}

pub(super) fn uptime(ms: u64) -> UptimeMillis {
    UptimeMillis::new(ms).expect("it is not the mark for absent")
}

pub(super) fn utc(ms: u64) -> UtcMillis {
    UtcMillis::new(ms).expect("it is not the mark for absent")
}

pub(super) fn name<const N: usize>(text: &str) -> Text<N> {
    Text::new(text).expect("it fits")
}

/// What a real Shelly EM answered.
pub(super) fn reading() -> Reading {
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
pub(super) fn failed_poll() -> Reading {
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
pub(super) fn extreme_reading() -> Reading {
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

pub(super) fn three_phase_reading() -> ThreePhaseReading {
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

pub(super) fn boot() -> Boot {
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

pub(super) fn window() -> Window {
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

pub(super) fn gap() -> Gap {
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

pub(super) fn enrolment() -> Enrolment {
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
pub(super) fn bare_enrolment() -> Enrolment {
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

pub(super) fn label() -> Label {
    Label {
        operator: operator().id(),
        meter: meter().id(),
        time: utc(1_750_340_060_000),
        name: name("Süddach – Halle 3"),
        time_zone: name("Europe/Berlin"),
    }
}

pub(super) fn correction() -> Correction {
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

pub(super) fn revocation() -> Revocation {
    Revocation {
        operator: operator().id(),
        meter: meter().id(),
        time: utc(1_750_600_000_000),
        reason: RevocationReason::KeyCompromise,
        note: Text::EMPTY,
    }
}

pub(super) fn replacement() -> Replacement {
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

pub(super) fn status_report() -> StatusReport {
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

pub(super) fn acknowledgement() -> Acknowledgement {
    Acknowledgement {
        meter: meter().id(),
        next_index: index(13),
        time: Some(utc(1_750_347_000_456)),
        log_size: 123_456_789,
        log_root: Hash::of(&[b"a checkpoint's root"]),
        enrolment: digest_of(&enrolment()),
    }
}

pub(super) fn update_report() -> UpdateReport {
    UpdateReport {
        meter: meter().id(),
        boot: boot_counter(5),
        time: Some(utc(1_750_350_000_000)),
        uptime: uptime(95_432),
        time_quality: TimeQuality::Synchronised,
        release: Hash::of(&[b"release of firmware 1.5.0"]),
        payload: Hash::of(&[b"firmware 1.5.0"]),
        running: Hash::of(&[b"firmware 1.5.0"]),
        root_number: 3,
        security_counter: 8,
        outcome: UpdateOutcome::Confirmed,
        obstacle: UpdateObstacle::None,
    }
}
