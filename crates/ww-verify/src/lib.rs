//! The auditor: takes what a gateway serves about one meter, believes none of it, and says in
//! plain words what is proven, what is missing and whom one still has to trust. Fetches nothing
//! and reads no clock: bytes go in, a report comes out.

pub mod audit;
mod bound;
mod enrolments;
pub mod plain;
pub mod question;
mod readings;
pub mod report;
pub mod signature;
mod statements;
mod text;
mod timeline;

pub use audit::{Audit, AuditError};
pub use plain::Plain;
pub use question::Question;
pub use report::{Missing, Problem, Remark, Report, Statement, Verdict};
pub use signature::{BadSignature, NotAPoint, VerifyingKey};
