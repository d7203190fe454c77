//! ww-rollout as a gateway sees it: waves, thresholds, evidence, operators, restarts.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its own values are wrong"
)]
#![expect(
    unused_must_use,
    reason = "only the tests of a store write what has changed"
)]

mod evidence;
mod operators;
mod plans;
mod properties;
mod restarts;
mod support;
mod thresholds;
mod waves;
