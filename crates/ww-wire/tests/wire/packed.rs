//! Packed readings come back as they were, whatever they were, and take few bytes.

use proptest::prelude::*;
use ww_wire::packed::{BLOCK_HEADER, Codec, MAX_PACKED_READING, PackError};
use ww_wire::*;

use crate::arbitrary;

fn pack(meter: MeterId, record_type: RecordType, readings: &[AnyReading]) -> Vec<u8> {
    let mut codec = Codec::new(meter, record_type).unwrap();
    let mut block = codec.block_header().to_vec();
    for reading in readings {
        let mut out = [0; MAX_PACKED_READING];
        let len = codec.pack(reading, &mut out).unwrap();
        block.extend(&out[..len]);
    }
    block
}

/// Unpacks a whole block, as whoever receives it does.
fn unpack(meter: MeterId, block: &[u8]) -> Result<Vec<AnyReading>, PackError> {
    let (mut codec, mut rest) = Codec::open(meter, block)?;
    let mut readings = Vec::new();
    while !rest.is_empty() {
        let (reading, len) = codec.unpack(rest)?;
        readings.push(reading);
        rest = &rest[len..];
    }
    Ok(readings)
}

/// Sequences of arbitrary readings of one meter: values leap over their whole range, and come and
/// go with every failed poll.
fn sequence_of_readings() -> impl Strategy<Value = (MeterId, RecordType, Vec<AnyReading>)> {
    (arbitrary::signer(), any::<bool>()).prop_flat_map(|(meter, three_phase)| {
        let record_type = if three_phase {
            RecordType::ThreePhaseReading
        } else {
            RecordType::Reading
        };
        let reading = if three_phase {
            arbitrary::three_phase_reading_of(meter)
                .prop_map(AnyReading::ThreePhase)
                .boxed()
        } else {
            arbitrary::reading_of(meter)
                .prop_map(AnyReading::SinglePhase)
                .boxed()
        };
        // Neighbours that are alike are packed by their likeness: repeat some.
        let runs = prop::collection::vec((reading, 1..3usize), 1..12);
        runs.prop_map(move |runs| {
            let readings = runs
                .into_iter()
                .flat_map(|(reading, times)| core::iter::repeat_n(reading, times))
                .collect();
            (meter, record_type, readings)
        })
    })
}

proptest! {
    #[test]
    fn round_trip((meter, record_type, readings) in sequence_of_readings()) {
        let block = pack(meter, record_type, &readings);
        prop_assert_eq!(unpack(meter, &block), Ok(readings));
    }

    #[test]
    fn a_cut_block_never_gives_another_reading(
        (meter, record_type, readings) in sequence_of_readings(), cut in any::<usize>()
    ) {
        let block = pack(meter, record_type, &readings);
        let cut = &block[..cut % block.len()];
        match unpack(meter, cut) {
            Ok(fewer) => prop_assert_eq!(&fewer[..], &readings[..fewer.len()]),
            Err(error) => prop_assert_eq!(error, PackError::Truncated),
        }
    }

    #[test]
    fn random_bytes_end_in_an_error_value_or_in_readings_that_pack_again(
        three_phase in any::<bool>(), bytes in prop::collection::vec(any::<u8>(), 0..400)
    ) {
        let meter = SignerId([7; 32]);
        let record_type = if three_phase { 2 } else { 1 };
        let block = [&[packed::PACKING_VERSION, record_type], &bytes[..]].concat();
        if let Ok(readings) = unpack(meter, &block) {
            let record_type = RecordType::of(&[record_type]).unwrap();
            let again = pack(meter, record_type, &readings);
            prop_assert_eq!(unpack(meter, &again), Ok(readings));
        }
    }

    #[test]
    fn changed_bytes_end_in_an_error_value_or_in_other_readings(
        (meter, record_type, readings) in sequence_of_readings(),
        at in any::<usize>(),
        bits in 1..=u8::MAX,
    ) {
        let mut block = pack(meter, record_type, &readings);
        let at = at % block.len();
        block[at] ^= bits;
        if let Ok(readings) = unpack(meter, &block) {
            let record_type = RecordType::of(&block[1..2]).unwrap();
            prop_assert_eq!(unpack(meter, &pack(meter, record_type, &readings)), Ok(readings));
        }
    }

    #[test]
    fn too_little_room_leaves_the_codec_where_it_was(
        (meter, record_type, readings) in sequence_of_readings(), room in any::<usize>()
    ) {
        let mut codec = Codec::new(meter, record_type).unwrap();
        let mut block = codec.block_header().to_vec();
        for reading in &readings {
            let mut out = [0; MAX_PACKED_READING];
            let needed = codec.clone().pack(reading, &mut out).unwrap();
            let room = room % needed;
            prop_assert_eq!(codec.pack(reading, &mut out[..room]), Err(PackError::NoRoom));
            let len = codec.pack(reading, &mut out).unwrap();
            block.extend(&out[..len]);
        }
        prop_assert_eq!(unpack(meter, &block), Ok(readings));
    }
}

#[test]
fn another_meter_or_kind_of_sensor_is_foreign_to_a_block() {
    let readings = a_day(1);
    let mut out = [0; MAX_PACKED_READING];
    let reading = AnyReading::SinglePhase(readings[0]);
    let mut of_another = Codec::new(SignerId([9; 32]), RecordType::Reading).unwrap();
    assert_eq!(of_another.pack(&reading, &mut out), Err(PackError::Foreign));
    let meter = readings[0].meter;
    let mut of_three = Codec::new(meter, RecordType::ThreePhaseReading).unwrap();
    assert_eq!(of_three.pack(&reading, &mut out), Err(PackError::Foreign));
    assert!(Codec::new(meter, RecordType::Window).is_none());
}

#[test]
fn unknown_packings_are_refused() {
    let meter = SignerId([1; 32]);
    for (version, record_type) in [(0, 1), (2, 1), (1, 0), (1, 3), (1, 0xff)] {
        assert_eq!(
            Codec::open(meter, &[version, record_type]).map(|_| ()),
            Err(PackError::UnknownPacking {
                version,
                record_type
            })
        );
    }
    assert_eq!(
        Codec::open(meter, &[1]).map(|_| ()),
        Err(PackError::Truncated)
    );
}

#[test]
fn a_varint_without_an_end_is_refused() {
    let block = [&[1, 1, 0, 1][..], &[0xff; 40]].concat();
    assert_eq!(
        unpack(SignerId([1; 32]), &block),
        Err(PackError::OutOfRange)
    );
}

/// A sunny day of a 5 kW plant at the sensor's own resolution (0.01 W, 0.01 V, 0.01 var, 0.1 Wh),
/// with noise on every value, from a small deterministic generator.
fn a_day(readings: u64) -> Vec<Reading> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = move |spread: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % spread
    };
    let mut energy_mws = 0;
    (0..readings)
        .map(|i| {
            let phase = i as f64 / readings as f64 * core::f64::consts::PI;
            let sun = (phase.sin() * 5_000_000.0) as u64;
            let power = (sun * (900 + noise(100)) / 1000) / 10 * 10;
            energy_mws += power * 10;
            let total = 8_900 + energy_mws / 3600 / 100 * 100;
            let voltage = 230_000 + noise(4_000) / 10 * 10;
            Reading {
                meter: SignerId([5; 32]),
                boot: BootCounter::new(3).unwrap(),
                sequence: Sequence::new(1 + i).unwrap(),
                time: UtcMillis::new(1_750_346_380_000 + i * 10_000),
                uptime: UptimeMillis::new(12_345 + i * 10_000).unwrap(),
                time_quality: TimeQuality::Synchronised,
                power: Milliwatts::new(power as i64),
                import_total: MilliwattHours::new(total),
                export_total: MilliwattHours::new(0),
                counter_epoch: CounterEpoch::ZERO,
                produced: MilliwattHours::new(total - 8_900).unwrap(),
                voltage: Millivolts::new(voltage as u32),
                current: None,
                reactive_power: Millivars::new((24_000 + noise(3_000) / 10 * 10) as i64),
                temperature: None,
                flags: ReadingFlags::NONE,
            }
        })
        .collect()
}

#[test]
fn realistic_readings_take_at_most_20_bytes_on_average() {
    let day: Vec<AnyReading> = a_day(6 * 60 * 12)
        .into_iter()
        .map(AnyReading::SinglePhase)
        .collect();
    let bytes: usize = day
        .chunks(60)
        .map(|window| pack(window[0].sum().meter, RecordType::Reading, window).len())
        .sum();
    let average = bytes as f64 / day.len() as f64;
    assert!(average <= 20.0, "{average} bytes per reading");
}

#[test]
fn an_unchanged_reading_ten_seconds_on_takes_two_bytes() {
    let mut readings = a_day(2);
    let (first, second) = readings.split_at_mut(1);
    second[0] = Reading {
        sequence: second[0].sequence,
        time: second[0].time,
        uptime: second[0].uptime,
        ..first[0]
    };
    let readings: Vec<AnyReading> = readings.into_iter().map(AnyReading::SinglePhase).collect();
    let one = pack(readings[0].sum().meter, RecordType::Reading, &readings[..1]);
    let both = pack(readings[0].sum().meter, RecordType::Reading, &readings);
    assert_eq!(both.len() - one.len(), 2);
    assert_eq!(both[..BLOCK_HEADER], [1, 1]);
}
