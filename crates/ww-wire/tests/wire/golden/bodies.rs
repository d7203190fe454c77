//! A vector of what a meter uploads.

use ww_wire::cose::byte_string_head;
use ww_wire::*;

use super::json::{Json, Value, text};
use super::keys::meter;
use super::packed::pack;
use super::records::digest_of;
use super::samples::{
    boot, boot_counter, energy, gap, index, reading, sequence, uptime, utc, window,
};

/// A chain of four records as a meter uploads it: boot, window, window, gap.
pub(super) fn bodies() -> Json {
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
