//! The HTTP types of WattWitness and its OpenAPI document. Shapes only: nothing here listens,
//! stores or checks a signature.

pub mod alert;
pub mod announcement;
pub mod chart;
pub mod decimal;
pub mod finding;
pub mod firmware;
pub mod hex;
pub mod history;
pub mod import;
pub mod installation;
pub mod key;
pub mod mark;
pub mod name;
pub mod openapi;
pub mod problem;
pub mod reading;
pub mod route;
pub mod session;
pub mod status;
pub mod submission;
pub mod time;
pub mod window;

pub use alert::{Alert, AlertKind};
pub use announcement::{Announcement, Approval, LabelRequest, RevocationRequest};
pub use chart::{Chart, DataPoint, Energy, TimeFrame};
pub use decimal::{DecimalError, Milli};
pub use finding::{Evidence, Finding, SignedRecord};
pub use firmware::{
    FirmwareDevice, FirmwareDeviceDetail, FirmwareEncoding, FirmwareRelease, FirmwareReleaseState,
    FirmwareReport, FirmwareRole, FirmwareRoot, MaintenanceWindow, NewRollout, Rollout,
    RolloutCounts, RolloutDetail, RolloutDevice, RolloutDeviceState, RolloutGroup, RolloutState,
    RolloutStep, RolloutWave, RolloutWaveSize, RolloutWaveState, UpdateOutcome, UpdateState,
};
pub use history::{HistoryEntry, HistoryKind, SignedBy};
pub use import::{ImportSource, ImportedReading};
pub use installation::{
    EnrolmentDetail, Installation, InstallationDetail, InstallationState, LastBoot, Liveness,
    MeterReport, Proposal, RevocationDetail,
};
pub use key::{ApiKey, AuditEntry, NewApiKey, NewApiKeyAnswer, Role};
pub use mark::{Mark, MarkKind};
pub use problem::{Problem, ProblemKind, RecordReference};
pub use reading::{PendingReadings, Reading, ReadingProof};
pub use route::{Access, Method, ROUTES, Route};
pub use session::{NewSession, Session};
pub use status::{Health, Internet, MeterStatus, ParkStatus, Readiness};
pub use submission::{FieldError, Submission};
pub use window::{WindowDetail, WindowReading, WindowSummary};
