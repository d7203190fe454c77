//! The product's meter in the simulated park.
#![expect(clippy::unwrap_used, reason = "a test stops where its helper fails")]

mod answers;
mod bench;
mod energy;
mod happenings;
mod journeys;
mod lost_flash;
mod power_cut;
