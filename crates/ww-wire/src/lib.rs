#![no_std]
//! The signed records of WattWitness: canonical bytes, units, hashing, Merkle trees, signing
//! domains, and the bound of what they may claim. No I/O, no allocation, no clock, no key: what is signed and hashed, and nothing else.
//! `docs/FORMAT.md` describes every byte for those who write a verifier of their own.

pub mod chain;
pub mod cose;
pub mod enrolment;
pub mod field;
pub mod hash;
pub mod merkle;
pub mod nameplate;
pub mod packed;
pub mod reading;
pub mod record;
pub mod signature;
pub mod status;
pub mod units;
pub mod update;

pub use chain::{Boot, ChainRecord, Gap, GapKind, ResetReason, Window, WindowFlags};
pub use cose::{Domain, Sign1, ToBeSigned};
pub use enrolment::{
    Correction, CorrectionReason, Custody, Enrolment, Label, ProductionCounter, Replacement,
    Revocation, RevocationReason, SensorModel,
};
pub use field::{Address, Attestation, Mac, Text};
pub use hash::{Hash, MeterId, PublicKey, SignerId};
pub use nameplate::Nameplate;
pub use reading::{AnyReading, Phase, Reading, ReadingFlags, ThreePhaseReading, TimeQuality};
pub use record::{DecodeError, Payload, Record, RecordType, Rule};
pub use signature::{Signature, SignatureError};
pub use status::{Acknowledgement, StatusReport};
pub use units::*;
pub use update::{UpdateObstacle, UpdateOutcome, UpdateReport};
