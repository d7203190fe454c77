//! Vectors of trees and proofs.

use ww_wire::*;

use super::json::{Json, Value, text};

/// The entries with which the certificate-transparency community tests its own trees.
pub(super) const ENTRIES: [&[u8]; 8] = [
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

pub(super) fn merkle_tree() -> Json {
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
