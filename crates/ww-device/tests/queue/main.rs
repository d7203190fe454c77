//! The queue and the chain against power cuts, full rings, bad sectors and a reference model.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by panicking, as the tests themselves do"
)]

mod capacity;
mod cuts;
mod flash;
mod properties;
mod rot;
mod rules;
mod world;
