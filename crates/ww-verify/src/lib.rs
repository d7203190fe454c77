//! The auditor: takes what a gateway serves about one meter, believes none of it, and says in
//! plain words what is proven, what is missing and whom one still has to trust. Fetches nothing
//! and reads no clock: bytes go in, a report comes out.

pub mod audit;
pub mod report;
pub mod signature;

pub use audit::{Audit, AuditError};
pub use report::{Missing, Problem, Report, Verdict};
pub use signature::{BadSignature, NotAPoint, VerifyingKey};
