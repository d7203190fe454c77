//! The HTTP types of WattWitness and its OpenAPI document. Shapes only: nothing here listens,
//! stores or checks a signature.

pub mod announcement;
pub mod chart;
pub mod decimal;
pub mod finding;
pub mod hex;
pub mod import;
pub mod installation;
pub mod key;
pub mod name;
pub mod openapi;
pub mod problem;
pub mod reading;
pub mod route;
pub mod status;
pub mod submission;
pub mod time;
pub mod window;

pub use announcement::{Announcement, Approval, RevocationRequest};
pub use chart::{Chart, DataPoint, Energy, TimeFrame};
pub use decimal::{DecimalError, Milli};
pub use finding::{Evidence, Finding, SignedRecord};
pub use import::{ImportSource, ImportedReading};
pub use installation::{Installation, InstallationState, Liveness};
pub use key::{ApiKey, AuditEntry, NewApiKey, NewApiKeyAnswer, Role};
pub use problem::{Problem, ProblemKind, RecordReference};
pub use reading::{PendingReadings, Reading, ReadingProof};
pub use route::{Access, Method, ROUTES, Route};
pub use status::{Health, Internet, MeterStatus, ParkStatus, Readiness};
pub use submission::{FieldError, Submission};
pub use window::WindowSummary;
