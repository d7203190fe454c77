//! Which meters come first. The order follows from the rollout's id and the meter's own, so nobody
//! chooses it, and the meters that go first differ from rollout to rollout. Who belongs to a group by
//! label or hardware is for the caller to say.

use ww_wire::{Hash, MeterId};

use crate::plan::{Percent, RolloutId};

/// Keeps the hashes of this order apart from all others.
const DOMAIN: &[u8] = b"wattwitness/v1/rollout-order";

/// A meter's place among all meters, were it not for the others: SHA-256 of a fixed text, the rollout's id
/// and the meter's id. The lowest goes first.
#[must_use]
pub fn rank(rollout: RolloutId, meter: MeterId) -> Hash {
    Hash::of(&[DOMAIN, &rollout.0, &meter.0])
}

/// The meters in the order of a rollout, each once.
#[must_use]
pub fn ordered(rollout: RolloutId, meters: impl IntoIterator<Item = MeterId>) -> Vec<MeterId> {
    let mut ranked: Vec<(Hash, MeterId)> = meters
        .into_iter()
        .map(|meter| (rank(rollout, meter), meter))
        .collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked.into_iter().map(|(_, meter)| meter).collect()
}

/// The first `percent` of the meters in the order of a rollout, rounded up.
#[must_use]
pub fn share(
    rollout: RolloutId,
    meters: impl IntoIterator<Item = MeterId>,
    percent: Percent,
) -> Vec<MeterId> {
    let mut meters = ordered(rollout, meters);
    let taken = percent.of_rounded_up(meters.len() as u64);
    meters.truncate(usize::try_from(taken).expect("a share is no more than the whole"));
    meters
}
