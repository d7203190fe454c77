//! Signs assignments in Merkle batches: those that are asked for while a batch is signed go into the
//! next one, under one signature (RFC 9162, section 2.1). It decides nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use ww_api::ProblemKind;
use ww_release::assignment::{self, Assignment, Batch, BatchContent, SignedAssignment};
use ww_release::key::Algorithm;
use ww_release::signatures::{Approved, Signed};
use ww_wire::merkle::node_hash;
use ww_wire::{Hash, Signature, SignerId};

use crate::error::{Failure, Result};
use crate::ota::keys::{AssignmentKey, FirmwareKeys};

/// The most assignments under one signature: paths of 12 hashes, so that an answer is far below its
/// longest.
pub(crate) const BATCH_LEAVES: usize = 4_096;

/// Assignments that may wait for their batch; who comes then waits to be let in.
const WAITING: usize = 4 * BATCH_LEAVES;

/// So many assignments in one batch mean that more are on their way: the next batch waits for them.
const LEAVES_UNDER_LOAD: usize = 8;

/// How long it waits. At rest nothing waits.
const GATHER: Duration = Duration::from_millis(2);

/// Where assignments are brought to be signed.
pub(crate) struct Assigner {
    asking: mpsc::Sender<Asked>,
}

struct Asked {
    leaf: Hash,
    reply: oneshot::Sender<Place>,
}

/// The place of an assignment in a batch that was signed.
pub(crate) struct Place {
    index: u32,
    path: Vec<u8>,
    batch: Arc<SignedBatch>,
}

/// A batch with its signature.
struct SignedBatch {
    content: BatchContent,
    signer: SignerId,
    signature: Signature,
}

impl Assigner {
    /// Begins to sign, until it is dropped.
    pub(crate) fn start(keys: Arc<FirmwareKeys>) -> Self {
        let (asking, asked) = mpsc::channel(WAITING);
        tokio::spawn(serve(keys, asked));
        Self { asking }
    }

    /// Signs an assignment with others.
    pub(crate) async fn sign(&self, assignment: &Assignment) -> Result<Place> {
        let (reply, place) = oneshot::channel();
        let leaf = assignment::leaf(assignment);
        let stopped = || Failure::new(ProblemKind::Stopping, "nothing was signed");
        let asked = self.asking.send(Asked { leaf, reply }).await;
        asked.map_err(|_| stopped())?;
        place.await.map_err(|_| stopped())
    }
}

impl Place {
    /// Gives the signed assignment to `work`.
    pub(crate) fn with<T>(
        &self,
        assignment: Assignment,
        work: impl FnOnce(&SignedAssignment<'_>) -> T,
    ) -> T {
        let SignedBatch {
            content,
            signer,
            signature,
        } = &*self.batch;
        let signed = Signed::new(*signer, Algorithm::Es256, signature.bytes())
            .expect("a signature of P-256 has 64 bytes");
        let approved = Approved::new(content)
            .with(signed)
            .expect("there is room for one signature");
        work(&SignedAssignment::new(
            assignment, self.index, &self.path, approved,
        ))
    }
}

async fn serve(keys: Arc<FirmwareKeys>, mut asked: mpsc::Receiver<Asked>) {
    let mut batch = Vec::new();
    let mut is_under_load = false;
    while let Some(first) = asked.recv().await {
        batch.push(first);
        if is_under_load {
            tokio::time::sleep(GATHER).await;
        }
        while batch.len() < BATCH_LEAVES
            && let Ok(next) = asked.try_recv()
        {
            batch.push(next);
        }
        is_under_load = batch.len() >= LEAVES_UNDER_LOAD;
        sign_together(&keys.assignment, &mut batch);
    }
}

fn sign_together(key: &AssignmentKey, batch: &mut Vec<Asked>) {
    let tree = Tree::over(batch.iter().map(|asked| asked.leaf).collect());
    let content = Batch {
        // A batch is never longer than that.
        size: batch.len() as u32,
        root: tree.root(),
    }
    .content();
    let signed = Arc::new(SignedBatch {
        signature: key.sign(&content),
        signer: key.id(),
        content,
    });
    for (index, asked) in batch.drain(..).enumerate() {
        let place = Place {
            index: index as u32,
            path: tree.path(index),
            batch: Arc::clone(&signed),
        };
        // Whoever asked may have gone.
        drop(asked.reply.send(place));
    }
}

/// A Merkle tree with all of its nodes. A node without a sibling rises as it is, which is the tree of
/// RFC 9162 for any number of leaves.
struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    fn over(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(last) = levels.last().filter(|level| level.len() > 1) {
            let above = last.chunks(2).map(|pair| match pair {
                [left, right] => node_hash(left, right),
                alone => alone[0],
            });
            let above = above.collect();
            levels.push(above);
        }
        Self { levels }
    }

    fn root(&self) -> Hash {
        let top = self.levels.last().and_then(|level| level.first());
        *top.expect("no batch is empty")
    }

    /// The hashes of an inclusion proof, one after the other.
    fn path(&self, index: usize) -> Vec<u8> {
        let mut path = Vec::with_capacity(32 * self.levels.len());
        for (height, level) in self.levels.iter().enumerate() {
            if let Some(sibling) = level.get((index >> height) ^ 1) {
                path.extend_from_slice(&sibling.0);
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use ww_wire::merkle::{inclusion_proof, leaf_hash, root};

    use super::*;

    #[test]
    fn trees_and_paths_are_those_of_rfc_9162() {
        let leaves: Vec<_> = (0..70_u8).map(|leaf| leaf_hash(&[leaf])).collect();
        for size in 1..=leaves.len() {
            let tree = Tree::over(leaves[..size].to_vec());
            assert_eq!(tree.root(), root(&leaves[..size]));
            for index in 0..size {
                let proof = inclusion_proof(&leaves[..size], index).unwrap();
                let hashes: Vec<u8> = proof.hashes().iter().flat_map(|hash| hash.0).collect();
                assert_eq!(tree.path(index), hashes, "{index} of {size}");
            }
        }
    }
}
