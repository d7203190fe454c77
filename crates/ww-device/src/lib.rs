//! The meter without its input and output: state machines that take `now`, bytes and randomness
//! and give back requests, records and the next deadline. It opens no socket, reads no clock and
//! allocates nothing, so the same code runs on the chip, on Linux and in the simulator.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod authentication;
pub mod chain;
pub mod flash;
pub mod grid;
pub mod meter;
pub mod now;
pub mod queue;
pub mod register;
pub mod sampler;
pub mod shelly;
pub mod signer;
pub mod update;
pub mod uplink;
pub mod verifier;
