//! Vectors of packed readings.

use ww_wire::packed::{Codec, MAX_PACKED_READING};
use ww_wire::*;

use super::json::{Json, Value, text};
use super::samples::{
    energy, extreme_reading, failed_poll, reading, sequence, three_phase_reading, uptime, utc,
};

pub(super) fn pack(readings: &[AnyReading]) -> Vec<u8> {
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
pub(super) fn eventful_readings() -> Vec<Reading> {
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

pub(super) fn packed_blocks() -> Json {
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

pub(super) fn packed_refusals() -> Json {
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
