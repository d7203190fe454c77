//! The park for tests and the demo: what surrounds a meter, never the meter itself.
//!
//! Everything is a function of a seed and a time: the same seed gives the same sky, the same
//! counters, the same torn flash word and the same lost packet on every machine of one kind.

pub mod clock;
pub mod emulator;
pub mod flash;
pub mod gateway;
pub mod meter;
pub mod network;
pub mod noise;
pub mod park;
pub mod plant;
pub mod random;
pub mod sensor;
pub mod signer;
pub mod sun;
pub mod updater;
pub mod weather;
