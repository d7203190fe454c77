//! The tree against the roots and proofs that the certificate-transparency community tests its
//! own logs with.

use ww_wire::Hash;
use ww_wire::merkle::*;

/// The entries of the reference tree.
const ENTRIES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// The roots over its first 0 to 8 entries.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

fn hash(hex: &str) -> Hash {
    Hash(bytes(hex).try_into().unwrap())
}

fn hashes(hex: &[&str]) -> Vec<Hash> {
    hex.iter().map(|hex| hash(hex)).collect()
}

fn leaves(size: usize) -> Vec<Hash> {
    ENTRIES[..size]
        .iter()
        .map(|entry| leaf_hash(&bytes(entry)))
        .collect()
}

#[test]
fn the_reference_roots_come_out() {
    let mut tree = TreeBuilder::new();
    assert_eq!(tree.root(), hash(ROOTS[0]));
    for (entry, expected) in ENTRIES.iter().zip(&ROOTS[1..]) {
        tree.push(&bytes(entry));
        assert_eq!(tree.root(), hash(expected), "size {}", tree.size());
    }
}

#[test]
fn the_reference_inclusion_proofs_come_out() {
    let reference: [(usize, usize, &[&str]); 5] = [
        (0, 1, &[]),
        (
            0,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            3,
            &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
        ),
        (
            1,
            5,
            &[
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (index, size, expected) in reference {
        let (leaves, expected) = (leaves(size), hashes(expected));
        let proof = inclusion_proof(&leaves, index).unwrap();
        assert_eq!(proof.hashes(), expected, "leaf {index} of {size}");
        let (index, root) = (index as u64, hash(ROOTS[size]));
        assert_eq!(
            verify_inclusion(
                &leaves[index as usize],
                index,
                size as u64,
                &expected,
                &root
            ),
            Ok(())
        );
    }
}

#[test]
fn the_reference_consistency_proofs_come_out() {
    let reference: [(usize, usize, &[&str]); 4] = [
        (1, 1, &[]),
        (
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            &[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            &[
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (from, to, expected) in reference {
        let expected = hashes(expected);
        let proof = consistency_proof(&leaves(to), from).unwrap();
        assert_eq!(proof.hashes(), expected, "{from} to {to}");
        let (old, new) = (hash(ROOTS[from]), hash(ROOTS[to]));
        assert_eq!(
            verify_consistency(from as u64, &old, to as u64, &new, &expected),
            Ok(())
        );
    }
}

#[test]
fn leaf_and_node_hashes_cannot_be_taken_for_one_another() {
    let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
    let node = node_hash(&left, &right);
    let as_entry = [&left.0[..], &right.0].concat();
    assert_ne!(node, leaf_hash(&as_entry));
    assert_ne!(node, leaf_hash(&[&[1][..], &as_entry].concat()));
}

#[test]
fn a_hash_changed_anywhere_in_a_proof_is_refused() {
    let leaves = leaves(8);
    let root = hash(ROOTS[8]);
    let inclusion = inclusion_proof(&leaves, 5).unwrap();
    let consistency = consistency_proof(&leaves, 6).unwrap();
    for i in 0..3 {
        let mut hashes = inclusion.hashes().to_vec();
        hashes[i].0[31] ^= 1;
        let verdict = verify_inclusion(&leaves[5], 5, 8, &hashes, &root);
        assert_eq!(verdict, Err(ProofError::WrongRoot));
        let mut hashes = consistency.hashes().to_vec();
        hashes[i].0[31] ^= 1;
        let verdict = verify_consistency(6, &hash(ROOTS[6]), 8, &root, &hashes);
        assert_eq!(verdict, Err(ProofError::WrongRoot));
    }
}

#[test]
fn a_consistency_proof_of_sizes_out_of_order_is_refused() {
    let root = hash(ROOTS[8]);
    for (from, to) in [(0, 8), (8, 7), (9, 8)] {
        assert_eq!(
            verify_consistency(from, &root, to, &root, &[]),
            Err(ProofError::SizesOutOfOrder { from, to })
        );
    }
}

#[test]
fn the_deepest_trees_are_within_reach() {
    let leaf = leaf_hash(b"leaf");
    let hashes = [leaf; 64];
    let mut root = leaf;
    for sibling in &hashes {
        root = node_hash(&root, sibling);
    }
    assert_eq!(verify_inclusion(&leaf, 0, u64::MAX, &hashes, &root), Ok(()));
}
