//! Storage of WattWitness: what a gateway keeps and how it asks for it. It checks that records fit
//! one another; signatures are checked before they come here, and no clock is read here.
//!
//! [`Store`] is what every backend keeps. What goes in is [`Verified`]: its constructor says who
//! may call it.

mod booking;
mod calendar;
mod chunk;
mod energy;
mod error;
mod firmware;
mod identity;
mod installation;
mod journal;
mod mark;
mod reading;
mod sqlite;
mod store;
mod varint;
mod verified;

pub use energy::{Bar, Chart, EnergySummary, Moment, Span};
pub use error::{Refusal, StoreError};
pub use firmware::{
    DeviceQuestion, FIRMWARE_REPORTS_KEPT, FirmwareDevice, FirmwareRelease, FirmwareRoot,
    NewFirmwareRelease, NewRollout, OBJECT_PIECE_BYTES, ObjectRange, RolloutChange, RolloutId,
    RolloutMember, RolloutStage, StoredRollout, StoredUpdateReport, Withdrawal,
};
pub use identity::{EventId, InstallationId, KeyId, ReadingId};
pub use installation::{
    Announced, Announcement, ChainEnd, Installation, InstallationState, LastReading,
    SensorProposal, StoredEnrolment, StoredReport, StoredStatement,
};
pub use journal::{
    ApiKey, ApiSession, AuditQuery, AuditRecord, EVENTS_KEPT, Event, EventKind, Evidence,
    EvidenceSum, Finding, FindingKind, FindingSum, ImportedReading, NewApiKey, NewApiSession,
    NewAudit, NewFinding, Role, SESSIONS_PER_KEY, SignedBytes,
};
pub use mark::{Mark, MarkQuery};
pub use reading::{
    Position, Proof, ProvenReading, ReadingQuery, StoredChainRecord, StoredReading, StoredWindow,
    WholeWindow, WindowProof, WindowQuery,
};
pub use sqlite::{SqliteOptions, SqliteStore};
pub use store::{
    Answer, Ingest, Integrity, Maintenance, OfAll, Outcome, Receipt, Statistics, Store,
};
pub use verified::{Acceptance, Verified, WindowContradiction, WindowReadings};
