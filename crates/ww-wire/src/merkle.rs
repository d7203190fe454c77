//! The Merkle tree of RFC 9162, section 2.1: heads, inclusion and consistency proofs, over leaf
//! hashes that the caller holds. Used alike for the readings of a window and for the public log.

use crate::Hash;

/// The most hashes that a proof can hold: a tree of 2^64 leaves is 64 levels deep, and a
/// consistency proof has at most one hash more than that.
pub const MAX_PROOF_HASHES: usize = 65;

/// The hash of a leaf: SHA-256(0x00 ‖ entry), RFC 9162, section 2.1.1.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash::of(&[&[0], entry])
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 9162, section 2.1.1.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Hash::of(&[&bytes])
}

/// The head of the tree with no leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash::of(&[])
}

/// Takes leaves one at a time and keeps only the roots of the complete subtrees (at most 64).
#[derive(Clone, Debug)]
pub struct TreeBuilder {
    size: u64,
    /// `peaks[level]` is in use exactly when bit `level` of `size` is set.
    peaks: [Hash; 64],
}

impl TreeBuilder {
    /// A tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            peaks: [Hash::ZERO; 64],
        }
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends an entry.
    pub fn push(&mut self, entry: &[u8]) {
        self.push_leaf_hash(leaf_hash(entry));
    }

    /// Appends an entry by its leaf hash.
    pub fn push_leaf_hash(&mut self, leaf: Hash) {
        let merges = self.size.trailing_ones() as usize;
        let mut node = leaf;
        for left in &self.peaks[..merges] {
            node = node_hash(left, &node);
        }
        self.peaks[merges] = node;
        self.size += 1;
    }

    /// The Merkle tree head of all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for (level, peak) in self.peaks.iter().enumerate() {
            if self.size >> level & 1 == 1 {
                root = Some(root.map_or(*peak, |right| node_hash(peak, &right)));
            }
        }
        root.unwrap_or_else(empty_root)
    }
}

impl Default for TreeBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// The hashes of an inclusion or consistency proof, in the order of RFC 9162.
#[derive(Clone, Debug)]
pub struct Proof {
    hashes: [Hash; MAX_PROOF_HASHES],
    len: usize,
}

impl Proof {
    const fn new() -> Self {
        Self {
            hashes: [Hash::ZERO; MAX_PROOF_HASHES],
            len: 0,
        }
    }

    /// The hashes.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes[..self.len]
    }

    fn push(&mut self, hash: Hash) {
        self.hashes[self.len] = hash;
        self.len += 1;
    }
}

/// Why a proof could not be made or does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf is not in a tree of this size.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    IndexOutside {
        /// The leaf's index, from 0.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// A tree cannot be consistent with a larger one before it, nor with the empty tree.
    #[error("there is no consistency proof from size {from} to size {to}")]
    SizesOutOfOrder {
        /// The earlier size.
        from: u64,
        /// The later size.
        to: u64,
    },
    /// The proof has too few or too many hashes for these sizes.
    #[error("the proof has {got} hashes, which does not fit the sizes")]
    WrongLength {
        /// How many hashes came.
        got: usize,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    WrongRoot,
}

/// The head of the tree over `leaves` (leaf hashes).
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut tree = TreeBuilder::new();
    for leaf in leaves {
        tree.push_leaf_hash(*leaf);
    }
    tree.root()
}

/// The inclusion proof of leaf `index` in the tree over `leaves`, RFC 9162, section 2.1.3.1.
///
/// # Errors
/// [`ProofError::IndexOutside`].
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Result<Proof, ProofError> {
    if index >= leaves.len() {
        return Err(ProofError::IndexOutside {
            index: index as u64,
            size: leaves.len() as u64,
        });
    }
    let mut proof = Proof::new();
    inclusion_path(leaves, index, &mut proof);
    Ok(proof)
}

/// PATH(m, D[n]); the recursion is as deep as the tree, at most 64.
fn inclusion_path(leaves: &[Hash], index: usize, proof: &mut Proof) {
    if leaves.len() <= 1 {
        return;
    }
    let (left, right) = leaves.split_at(largest_power_of_two_below(leaves.len()));
    if index < left.len() {
        inclusion_path(left, index, proof);
        proof.push(root(right));
    } else {
        inclusion_path(right, index - left.len(), proof);
        proof.push(root(left));
    }
}

/// The consistency proof from the tree over the first `from` of `leaves` to the tree over all of
/// them, RFC 9162, section 2.1.4.1.
///
/// # Errors
/// [`ProofError::SizesOutOfOrder`] when `from` is 0 or more than there are leaves.
pub fn consistency_proof(leaves: &[Hash], from: usize) -> Result<Proof, ProofError> {
    if from == 0 || from > leaves.len() {
        return Err(ProofError::SizesOutOfOrder {
            from: from as u64,
            to: leaves.len() as u64,
        });
    }
    let mut proof = Proof::new();
    consistency_path(leaves, from, true, &mut proof);
    Ok(proof)
}

/// SUBPROOF(m, D[n], b).
fn consistency_path(leaves: &[Hash], from: usize, known: bool, proof: &mut Proof) {
    if from == leaves.len() {
        if !known {
            proof.push(root(leaves));
        }
        return;
    }
    let (left, right) = leaves.split_at(largest_power_of_two_below(leaves.len()));
    if from <= left.len() {
        consistency_path(left, from, known, proof);
        proof.push(root(right));
    } else {
        consistency_path(right, from - left.len(), false, proof);
        proof.push(root(left));
    }
}

/// The largest power of two smaller than `n`, for `n` > 1.
const fn largest_power_of_two_below(n: usize) -> usize {
    1 << (n - 1).ilog2()
}

/// Checks that `leaf` is the leaf hash at `index` of the tree of `size` leaves with head `root`,
/// RFC 9162, section 2.1.3.2.
///
/// # Errors
/// [`ProofError::IndexOutside`], [`ProofError::WrongLength`], [`ProofError::WrongRoot`].
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::IndexOutside { index, size });
    }
    let wrong_length = ProofError::WrongLength { got: proof.len() };
    let (mut node_index, mut last_index) = (index, size - 1);
    let mut node = *leaf;
    for sibling in proof {
        if last_index == 0 {
            return Err(wrong_length);
        }
        if node_index & 1 == 1 || node_index == last_index {
            node = node_hash(sibling, &node);
            while node_index & 1 == 0 && node_index != 0 {
                node_index >>= 1;
                last_index >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        node_index >>= 1;
        last_index >>= 1;
    }
    if last_index != 0 {
        return Err(wrong_length);
    }
    if node == *root {
        Ok(())
    } else {
        Err(ProofError::WrongRoot)
    }
}

/// Checks that the tree of `to` leaves with head `to_root` extends the tree of `from` leaves with
/// head `from_root`, RFC 9162, section 2.1.4.2.
///
/// # Errors
/// [`ProofError::SizesOutOfOrder`], [`ProofError::WrongLength`], [`ProofError::WrongRoot`].
pub fn verify_consistency(
    from: u64,
    from_root: &Hash,
    to: u64,
    to_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if from == 0 || from > to {
        return Err(ProofError::SizesOutOfOrder { from, to });
    }
    let wrong_length = ProofError::WrongLength { got: proof.len() };
    if from == to {
        return match (proof.is_empty(), from_root == to_root) {
            (false, _) => Err(wrong_length),
            (true, true) => Ok(()),
            (true, false) => Err(ProofError::WrongRoot),
        };
    }
    // A complete subtree of the old tree is its own first node.
    let (first, rest) = if from.is_power_of_two() {
        (*from_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(wrong_length)?;
        (*first, rest)
    };
    let shift = (from - 1).trailing_ones();
    let (mut node_index, mut last_index) = (
        (from - 1).checked_shr(shift).unwrap_or(0),
        (to - 1).checked_shr(shift).unwrap_or(0),
    );
    let (mut old_node, mut new_node) = (first, first);
    for sibling in rest {
        if last_index == 0 {
            return Err(wrong_length);
        }
        if node_index & 1 == 1 || node_index == last_index {
            old_node = node_hash(sibling, &old_node);
            new_node = node_hash(sibling, &new_node);
            while node_index & 1 == 0 && node_index != 0 {
                node_index >>= 1;
                last_index >>= 1;
            }
        } else {
            new_node = node_hash(&new_node, sibling);
        }
        node_index >>= 1;
        last_index >>= 1;
    }
    if last_index != 0 {
        return Err(wrong_length);
    }
    if old_node == *from_root && new_node == *to_root {
        Ok(())
    } else {
        Err(ProofError::WrongRoot)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn leaves(n: usize) -> Vec<Hash> {
        (0..n)
            .map(|i| leaf_hash(&(i as u32).to_be_bytes()))
            .collect()
    }

    /// MTH(D[n]) written straight from the recursive definition of RFC 9162, section 2.1.1.
    fn root_by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(largest_power_of_two_below(leaves.len()));
                node_hash(&root_by_definition(left), &root_by_definition(right))
            }
        }
    }

    #[test]
    fn the_builder_agrees_with_the_definition_at_every_size() {
        let all = leaves(130);
        for n in 0..=all.len() {
            assert_eq!(root(&all[..n]), root_by_definition(&all[..n]), "size {n}");
        }
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proven_and_no_other_place_is() {
        let all = leaves(33);
        for n in 1..=all.len() {
            let head = root(&all[..n]);
            for i in 0..n {
                let proof = inclusion_proof(&all[..n], i).unwrap();
                let verify = |leaf: &Hash, index| {
                    verify_inclusion(leaf, index, n as u64, proof.hashes(), &head)
                };
                assert_eq!(verify(&all[i], i as u64), Ok(()), "leaf {i} of {n}");
                for j in (0..n).filter(|j| *j != i) {
                    assert!(
                        verify(&all[i], j as u64).is_err(),
                        "leaf {i} of {n} taken at {j}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_pair_of_small_trees_is_consistent() {
        let all = leaves(33);
        for to in 1..=all.len() {
            for from in 1..=to {
                let proof = consistency_proof(&all[..to], from).unwrap();
                let verdict = verify_consistency(
                    from as u64,
                    &root(&all[..from]),
                    to as u64,
                    &root(&all[..to]),
                    proof.hashes(),
                );
                assert_eq!(verdict, Ok(()), "{from} to {to}");
            }
        }
    }

    #[test]
    fn a_rewritten_history_is_not_consistent() {
        let old = leaves(5);
        let mut new = leaves(9);
        new[2] = leaf_hash(b"another");
        let proof = consistency_proof(&new, 5).unwrap();
        let verdict = verify_consistency(5, &root(&old), 9, &root(&new), proof.hashes());
        assert_eq!(verdict, Err(ProofError::WrongRoot));
    }

    proptest! {
        #[test]
        fn a_proof_with_a_hash_more_or_less_is_refused(n in 2usize..70, pick in any::<usize>()) {
            let all = leaves(n);
            let i = pick % n;
            let proof = inclusion_proof(&all, i).unwrap();
            let mut longer = proof.hashes().to_vec();
            longer.push(Hash::ZERO);
            let shorter = &proof.hashes()[1..];
            let verify =
                |hashes: &[Hash]| verify_inclusion(&all[i], i as u64, n as u64, hashes, &root(&all));
            prop_assert!(verify(&longer).is_err());
            prop_assert!(verify(shorter).is_err());
        }

        #[test]
        fn hostile_consistency_proofs_end_in_an_error(
            from in any::<u64>(), to in any::<u64>(), hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70)
        ) {
            let hashes: Vec<Hash> = hashes.into_iter().map(Hash).collect();
            let verdict = verify_consistency(from, &Hash::ZERO, to, &Hash([1; 32]), &hashes);
            prop_assert!(verdict.is_err());
        }
    }
}
