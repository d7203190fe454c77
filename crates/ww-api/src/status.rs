//! How the park and the gateway are: what, since when, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{InstallationState, Liveness};

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// All is well.
    Healthy,
    /// Something is out of the ordinary.
    Degraded,
    /// Nothing works as it should.
    Unhealthy,
}

/// Whether the internet can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InternetState {
    /// No probe is configured, or it has not run yet.
    Unknown,
    /// The probe was answered.
    Reachable,
    /// The probe was not answered.
    Unreachable,
}

/// What `GET /health` answers: the process is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alive {
    /// Always `healthy`.
    #[schema(example = "healthy")]
    pub status: String,
    /// The gateway's version.
    pub version: String,
}

/// What `GET /ready` answers: whether readings are taken and stored now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether it is ready.
    pub ready: bool,
    /// Whether the store answers.
    pub store: bool,
    /// Whether the gateway knows the time; it takes readings even when it does not.
    pub time_known: bool,
    /// Whether it is about to stop.
    pub stopping: bool,
}

/// Whether the internet can be reached, since when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Internet {
    /// What the probe says.
    pub state: InternetState,
    /// Since when; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub since: Option<String>,
    /// Why.
    pub why: String,
}

/// How one meter is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeterStatus {
    /// Number of the installation.
    #[schema(value_type = i64)]
    pub installation_id: u32,
    /// Its name.
    pub name: String,
    /// `waiting` or `revoked` by an operator's decision, else `live`, `late`, `silent` or `never`.
    #[schema(example = "live")]
    pub state: String,
    /// What an operator decided.
    pub decision: InstallationState,
    /// When it was last heard, against its cadence.
    pub liveness: Liveness,
    /// Whether it is live.
    pub is_alive: bool,
    /// When the gateway last heard it; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub last_seen_at: Option<String>,
    /// Seconds between two readings of a healthy meter.
    pub expected_cadence_s: u32,
    /// Since when it is in this state; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub since: Option<String>,
    /// Why.
    #[schema(required)]
    pub why: Option<String>,
}

/// What `GET /api/v1/status/` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParkStatus {
    /// The worst of all.
    pub status: Health,
    /// Since when; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub since: Option<String>,
    /// Why.
    pub why: String,
    /// The gateway's time; null when it does not know it.
    #[schema(required)]
    pub time: Option<String>,
    /// Since when the gateway has been running and known the time.
    #[schema(required)]
    pub gateway_since: Option<String>,
    /// The internet.
    pub internet: Internet,
    /// Every meter.
    pub installations: Vec<MeterStatus>,
}
