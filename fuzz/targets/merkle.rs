//! Proofs: hostile ones end in an error, and changed ones are never taken.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ww_wire::Hash;
use ww_wire::merkle::{
    consistency_proof, inclusion_proof, leaf_hash, root, verify_consistency, verify_inclusion,
};

fn hashes(bytes: &[u8]) -> Vec<Hash> {
    bytes
        .chunks_exact(32)
        .map(|hash| Hash(hash.try_into().expect("it has 32 bytes")))
        .collect()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((numbers, rest)) = bytes.split_first_chunk::<16>() else {
        return;
    };
    let (a, b) = numbers.split_at(8);
    let a = u64::from_be_bytes(a.try_into().expect("it has 8 bytes"));
    let b = u64::from_be_bytes(b.try_into().expect("it has 8 bytes"));
    let given = hashes(rest);

    // Any sizes at all: no root is known that these could lead to.
    let nothing = leaf_hash(b"nothing");
    assert!(verify_inclusion(&Hash::ZERO, a, b, &given, &nothing).is_err());
    assert!(verify_consistency(a, &Hash::ZERO, b, &nothing, &given).is_err());

    // A small tree: only the right proof is taken.
    let size = 1 + (b % 64) as usize;
    let place = (a % size as u64) as usize;
    let leaves: Vec<Hash> = (0..size as u32)
        .map(|i| leaf_hash(&i.to_be_bytes()))
        .collect();
    let head = root(&leaves);
    let proof = inclusion_proof(&leaves, place).expect("the leaf is in the tree");
    let verify = |hashes: &[Hash]| {
        verify_inclusion(&leaves[place], place as u64, size as u64, hashes, &head).is_ok()
    };
    assert!(verify(proof.hashes()));
    assert_eq!(verify(&given), given == proof.hashes());

    let from = place + 1;
    let proof = consistency_proof(&leaves, from).expect("the sizes are in order");
    let old = root(&leaves[..from]);
    let verify =
        |hashes: &[Hash]| verify_consistency(from as u64, &old, size as u64, &head, hashes).is_ok();
    assert!(verify(proof.hashes()));
    assert_eq!(verify(&given), given == proof.hashes());
});
