#![no_std]
//! The signed records of WattWitness. See `docs/FORMAT.md` for every byte.

pub mod hash;
pub mod signature;
pub mod units;

pub use hash::{Hash, MeterId, PublicKey, SignerId};
pub use signature::{Signature, SignatureError};
pub use units::*;
