//! Updates of firmware on a simulated device: the journey, power cuts, and attacks.
#![expect(clippy::unwrap_used, reason = "a test stops where its helper fails")]

mod attacks;
mod device;
mod gateway;
mod journey;
mod people;
mod power;
