//! Strategies for arbitrary valid records: every field over its whole range, edges included, tied
//! together only where a rule ties it.

use proptest::prelude::*;
use ww_wire::*;

/// Raw integers that lean towards the edges, where encodings break.
macro_rules! raw {
    ($name:ident, $integer:ty) => {
        fn $name() -> impl Strategy<Value = $integer> {
            prop_oneof![
                4 => any::<$integer>(),
                2 => 0..=127 as $integer,
                1 => Just(<$integer>::MAX - 1),
                1 => Just(<$integer>::MIN + 1),
            ]
        }
    };
}
raw!(raw_u16, u16);
raw!(raw_u32, u32);
raw!(raw_u64, u64);
raw!(raw_i16, i16);
raw!(raw_i64, i64);

macro_rules! unit {
    ($name:ident, $raw:ident, $unit:ident) => {
        // Boxed: the trees of a whole record's fields would not fit on a test thread's stack.
        pub(crate) fn $name() -> BoxedStrategy<$unit> {
            $raw()
                .prop_filter_map("the mark for absent", $unit::new)
                .boxed()
        }
    };
}
unit!(energy, raw_u64, MilliwattHours);
unit!(power, raw_i64, Milliwatts);
unit!(reactive_power, raw_i64, Millivars);
unit!(voltage, raw_u32, Millivolts);
unit!(current, raw_u32, Milliamperes);
unit!(temperature, raw_i16, DeciCelsius);
unit!(utc, raw_u64, UtcMillis);
unit!(uptime, raw_u64, UptimeMillis);
unit!(watts, raw_u32, Watts);
unit!(signal_strength, raw_i16, Dbm);
unit!(memory, raw_u32, Bytes);
unit!(chain_index, raw_u64, ChainIndex);
unit!(counter_epoch, raw_u16, CounterEpoch);

pub(crate) fn sequence() -> impl Strategy<Value = Sequence> {
    (1..u64::MAX).prop_filter_map("the mark for absent", Sequence::new)
}

pub(crate) fn boot_counter() -> impl Strategy<Value = BootCounter> {
    (1..u32::MAX).prop_filter_map("the mark for absent", BootCounter::new)
}

pub(crate) fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn hash_or_none() -> impl Strategy<Value = Hash> {
    prop_oneof![hash(), Just(Hash::ZERO)]
}

pub(crate) fn signer() -> impl Strategy<Value = SignerId> {
    any::<[u8; 32]>().prop_map(SignerId)
}

fn address() -> impl Strategy<Value = Address> {
    prop_oneof![any::<[u8; 20]>().prop_map(Address), Just(Address([0; 20])),]
}

fn one_of<T: Copy + core::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

fn text<const N: usize>() -> impl Strategy<Value = Text<N>> {
    "\\PC{0,16}".prop_filter_map("too long", |text| Text::new(&text))
}

/// Time and its quality: absent exactly when unknown.
pub(crate) fn time_and_quality() -> impl Strategy<Value = (Option<UtcMillis>, TimeQuality)> {
    prop_oneof![
        1 => Just((None, TimeQuality::Unknown)),
        3 => (
            utc().prop_map(Some),
            one_of(&[
                TimeQuality::Informative,
                TimeQuality::Synchronised,
                TimeQuality::Relative
            ])
        ),
    ]
}

/// Chain index and the digest of the record before: zero exactly at the start.
fn link() -> impl Strategy<Value = (ChainIndex, Hash)> {
    (chain_index(), hash()).prop_map(|(index, previous)| {
        let first = index == ChainIndex::ZERO;
        (index, if first { Hash::ZERO } else { previous })
    })
}

fn produced() -> impl Strategy<Value = (MilliwattHours, MilliwattHours)> {
    (energy(), energy()).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

fn checkpoint() -> impl Strategy<Value = (u64, Hash)> {
    prop_oneof![Just((0, Hash::ZERO)), (1..=u64::MAX, hash())]
}

fn flags(failed: bool) -> impl Strategy<Value = ReadingFlags> {
    any::<u16>().prop_map(move |bits| {
        let mut flags = ReadingFlags::NONE;
        for (i, (flag, _)) in ReadingFlags::NAMES.iter().enumerate() {
            if bits >> i & 1 == 1 {
                flags = flags.with(*flag);
            }
        }
        if failed {
            flags
                .without(ReadingFlags::RECOVERED)
                .without(ReadingFlags::COUNTER_FELL)
                .without(ReadingFlags::INCREMENT_REFUSED)
                .without(ReadingFlags::INCREMENT_PENDING)
                .with(if flags.intersects(ReadingFlags::FAILED) {
                    ReadingFlags::NONE
                } else {
                    ReadingFlags::SENSOR_UNREACHABLE
                })
        } else {
            flags.without(ReadingFlags::FAILED)
        }
    })
}

/// The values of the sensor: all absent in a failed poll, power and totals present in any other.
#[derive(Clone, Copy, Debug)]
struct Values {
    power: Option<Milliwatts>,
    import_total: Option<MilliwattHours>,
    export_total: Option<MilliwattHours>,
    voltage: Option<Millivolts>,
    current: Option<Milliamperes>,
    reactive_power: Option<Millivars>,
    temperature: Option<DeciCelsius>,
    flags: ReadingFlags,
}

fn values() -> impl Strategy<Value = Values> {
    let failed = flags(true).prop_map(|flags| Values {
        power: None,
        import_total: None,
        export_total: None,
        voltage: None,
        current: None,
        reactive_power: None,
        temperature: None,
        flags,
    });
    let worked = (
        (power(), energy(), energy()),
        prop::option::of(voltage()),
        prop::option::of(current()),
        prop::option::of(reactive_power()),
        prop::option::of(temperature()),
        flags(false),
    )
        .prop_map(
            |((power, import, export), voltage, current, reactive_power, temperature, flags)| {
                Values {
                    power: Some(power),
                    import_total: Some(import),
                    export_total: Some(export),
                    voltage,
                    current,
                    reactive_power,
                    temperature,
                    flags,
                }
            },
        );
    prop_oneof![1 => failed, 4 => worked]
}

/// Any valid reading of `meter`.
pub(crate) fn reading_of(meter: SignerId) -> impl Strategy<Value = Reading> {
    (
        boot_counter(),
        sequence(),
        time_and_quality(),
        uptime(),
        counter_epoch(),
        energy(),
        values(),
    )
        .prop_map(
            move |(boot, sequence, (time, time_quality), uptime, counter_epoch, produced, v)| {
                Reading {
                    meter,
                    boot,
                    sequence,
                    time,
                    uptime,
                    time_quality,
                    power: v.power,
                    import_total: v.import_total,
                    export_total: v.export_total,
                    counter_epoch,
                    produced,
                    voltage: v.voltage,
                    current: v.current,
                    reactive_power: v.reactive_power,
                    temperature: v.temperature,
                    flags: v.flags,
                }
            },
        )
}

/// Any valid reading.
pub(crate) fn reading() -> impl Strategy<Value = Reading> {
    signer().prop_flat_map(reading_of)
}

fn phase() -> impl Strategy<Value = Phase> {
    (
        prop::option::of(power()),
        prop::option::of(voltage()),
        prop::option::of(current()),
        prop::option::of(energy()),
        prop::option::of(energy()),
    )
        .prop_map(
            |(power, voltage, current, import_total, export_total)| Phase {
                power,
                voltage,
                current,
                import_total,
                export_total,
            },
        )
}

/// Any valid three-phase reading of `meter`.
pub(crate) fn three_phase_reading_of(meter: SignerId) -> impl Strategy<Value = ThreePhaseReading> {
    (reading_of(meter), [phase(), phase(), phase()]).prop_map(|(sum, phases)| {
        let failed = sum.flags.intersects(ReadingFlags::FAILED);
        ThreePhaseReading {
            sum,
            phases: if failed { [Phase::ABSENT; 3] } else { phases },
        }
    })
}

/// Any valid three-phase reading.
pub(crate) fn three_phase_reading() -> impl Strategy<Value = ThreePhaseReading> {
    signer().prop_flat_map(three_phase_reading_of)
}

/// Any valid window.
pub(crate) fn window() -> impl Strategy<Value = Window> {
    (
        (signer(), link(), boot_counter()),
        (1..u64::MAX - 601, 1..=chain::MAX_WINDOW_READINGS),
        (prop::option::of(utc()), prop::option::of(utc())),
        produced(),
        (hash(), hash_or_none(), hash()),
        checkpoint(),
        0..=3u16,
    )
        .prop_map(
            |(
                (meter, (chain_index, previous), boot),
                (first, count),
                (first_time, last_time),
                (produced_open, produced_close),
                (root, enrolment, firmware),
                (log_size, log_root),
                flags,
            )| Window {
                meter,
                chain_index,
                previous,
                boot,
                first_sequence: Sequence::new(first).unwrap(),
                last_sequence: Sequence::new(first + u64::from(count) - 1).unwrap(),
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
                flags: WindowFlags::from_bits(flags).unwrap(),
            },
        )
}

/// Any valid boot.
pub(crate) fn boot() -> impl Strategy<Value = Boot> {
    (
        (signer(), link(), boot_counter()),
        time_and_quality(),
        (uptime(), hash()),
        any::<(u16, u16, u16, u32)>(),
        one_of(chain::ResetReason::ALL),
        (sequence(), sequence(), any::<bool>()),
        prop_oneof![
            Just(Attestation::NONE),
            any::<[u8; 64]>().prop_map(Attestation)
        ],
    )
        .prop_map(
            |(
                (meter, (chain_index, previous), boot),
                (time, time_quality),
                (uptime, firmware),
                (version_major, version_minor, version_patch, security_counter),
                reset_reason,
                (a, b, recovered),
                attestation,
            )| Boot {
                meter,
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
                last_recovered: (recovered && a != b).then_some(a.min(b)),
                first_new: a.max(b),
                attestation,
            },
        )
}

/// Any valid gap.
pub(crate) fn gap() -> impl Strategy<Value = Gap> {
    (
        (signer(), hash(), boot_counter(), prop::option::of(utc())),
        one_of(GapKind::ALL),
        [1..u64::MAX - 1, 1..u64::MAX - 1, 1..u64::MAX - 1],
        (sequence(), sequence(), any::<bool>()),
        produced(),
        hash(),
    )
        .prop_filter_map(
            "two of three indices are equal at the end",
            |(
                (meter, previous, boot, time),
                kind,
                mut indices,
                (a, b, named),
                (produced_open, produced_close),
                last_digest,
            )| {
                indices.sort_unstable();
                let [first, last, own] = indices.map(|index| ChainIndex::new(index).unwrap());
                let named = named || kind != GapKind::Records;
                (last < own).then_some(Gap {
                    meter,
                    chain_index: own,
                    previous,
                    boot,
                    time,
                    kind,
                    first_index: first,
                    last_index: last,
                    first_sequence: named.then_some(a.min(b)),
                    last_sequence: named.then_some(a.max(b)),
                    produced_open,
                    produced_close,
                    last_digest: if kind == GapKind::Records {
                        last_digest
                    } else {
                        Hash::ZERO
                    },
                })
            },
        )
}

/// Any valid enrolment.
pub(crate) fn enrolment() -> impl Strategy<Value = Enrolment> {
    let place = prop::option::of((
        -900_000_000..=900_000_000i32,
        -1_800_000_000..=1_800_000_000i32,
    ));
    let mint = prop_oneof![
        Just((0, Address::ZERO)),
        (1..=u64::MAX, any::<[u8; 20]>().prop_map(Address))
    ];
    (
        (any::<[u8; 32]>(), any::<[u8; 32]>(), 1..=u32::MAX, utc()),
        (
            one_of(Custody::ALL),
            one_of(SensorModel::ALL),
            any::<[u8; 6]>(),
            any::<u8>(),
            one_of(ProductionCounter::ALL),
        ),
        (1..=u32::MAX, watts()),
        place,
        (
            prop::option::of(0..=900u16),
            prop::option::of(0..3600u16),
            text(),
        ),
        (prop::option::of(energy()), prop::option::of(energy())),
        (address(), mint),
    )
        .prop_filter_map(
            "equal keys or no rated power",
            |(
                (operator_half, meter_half, number, time),
                (custody, sensor_model, mac, channel, production_counter),
                (ct_ratio_milli, rated_power),
                place,
                (tilt, azimuth, grid_connection),
                (start_import, start_export),
                (owner, (chain_id, minter)),
            )| {
                let key = |half: [u8; 32], tail: u8| {
                    let mut key = [tail; 64];
                    key[..32].copy_from_slice(&half);
                    PublicKey(key)
                };
                let operator_key = key(operator_half, 1);
                let three_phase = sensor_model.is_three_phase();
                let enrolment = Enrolment {
                    operator: operator_key.id(),
                    operator_key,
                    meter_key: key(meter_half, 2),
                    number,
                    time,
                    custody,
                    sensor_model,
                    sensor_mac: Mac(mac),
                    channel: if three_phase { 0 } else { channel },
                    production_counter,
                    ct_ratio_milli,
                    rated_power,
                    latitude: place.and_then(|(latitude, _)| GeoDegrees::new(latitude)),
                    longitude: place.and_then(|(_, longitude)| GeoDegrees::new(longitude)),
                    tilt: tilt.and_then(DeciDegrees::new),
                    azimuth: azimuth.and_then(DeciDegrees::new),
                    grid_connection,
                    start_import,
                    start_export,
                    owner,
                    chain_id,
                    minter,
                };
                (rated_power != Watts::ZERO).then_some(enrolment)
            },
        )
}

/// Any valid label.
pub(crate) fn label() -> impl Strategy<Value = Label> {
    (signer(), signer(), utc(), text(), text()).prop_filter_map(
        "no name",
        |(operator, meter, time, name, time_zone)| {
            (name != Text::EMPTY).then_some(Label {
                operator,
                meter,
                time,
                name,
                time_zone,
            })
        },
    )
}

/// Any valid correction.
pub(crate) fn correction() -> impl Strategy<Value = Correction> {
    (
        (signer(), signer(), utc(), hash()),
        (sequence(), sequence()),
        energy(),
        one_of(CorrectionReason::ALL),
        text(),
    )
        .prop_map(
            |((operator, meter, time, target), (a, b), reduction, reason, note)| Correction {
                operator,
                meter,
                time,
                target,
                first_sequence: a.min(b),
                last_sequence: a.max(b),
                reduction,
                reason,
                note,
            },
        )
}

/// Any valid revocation.
pub(crate) fn revocation() -> impl Strategy<Value = Revocation> {
    (
        signer(),
        signer(),
        utc(),
        one_of(RevocationReason::ALL),
        text(),
    )
        .prop_map(|(operator, meter, time, reason, note)| Revocation {
            operator,
            meter,
            time,
            reason,
            note,
        })
}

/// Any valid replacement.
pub(crate) fn replacement() -> impl Strategy<Value = Replacement> {
    (
        [signer(), signer(), signer()],
        utc(),
        chain_index(),
        hash(),
        energy(),
    )
        .prop_map(
            |([signer, old_meter, new_meter], time, last_index, last_digest, produced_close)| {
                Replacement {
                    signer,
                    old_meter,
                    new_meter,
                    time,
                    last_index,
                    last_digest,
                    produced_close,
                }
            },
        )
}

/// Any valid status report.
pub(crate) fn status_report() -> impl Strategy<Value = StatusReport> {
    (
        (signer(), boot_counter(), time_and_quality(), uptime()),
        any::<[u32; 4]>(),
        prop::option::of(signal_strength()),
        prop::option::of(memory()),
        prop::option::of(temperature()),
    )
        .prop_map(
            |(
                (meter, boot, (time, time_quality), uptime),
                [
                    queued_records,
                    queued_readings,
                    sensor_failures,
                    upload_failures,
                ],
                signal_strength,
                free_memory,
                temperature,
            )| StatusReport {
                meter,
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
            },
        )
}

/// Any valid acknowledgement.
pub(crate) fn acknowledgement() -> impl Strategy<Value = Acknowledgement> {
    (
        signer(),
        chain_index(),
        prop::option::of(utc()),
        checkpoint(),
        hash_or_none(),
    )
        .prop_map(
            |(meter, next_index, time, (log_size, log_root), enrolment)| Acknowledgement {
                meter,
                next_index,
                time,
                log_size,
                log_root,
                enrolment,
            },
        )
}

/// Any valid update report.
pub(crate) fn update_report() -> impl Strategy<Value = UpdateReport> {
    (
        (signer(), boot_counter(), time_and_quality(), uptime()),
        (hash_or_none(), hash(), hash_or_none()),
        any::<(u32, u32)>(),
        one_of(UpdateOutcome::ALL),
        one_of(&UpdateObstacle::ALL[1..]),
    )
        .prop_map(
            |(
                (meter, boot, (time, time_quality), uptime),
                (release, payload, other),
                (root_number, security_counter),
                outcome,
                obstacle,
            )| {
                let confirmed = outcome == UpdateOutcome::Confirmed;
                UpdateReport {
                    meter,
                    boot,
                    time,
                    uptime,
                    time_quality,
                    release,
                    payload,
                    running: if confirmed { payload } else { other },
                    root_number,
                    security_counter,
                    outcome,
                    obstacle: if confirmed {
                        UpdateObstacle::None
                    } else {
                        obstacle
                    },
                }
            },
        )
}
