//! An installation: one meter at its place, as the seed listed it, with what we know more.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an operator decided about a meter's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstallationState {
    /// Announced, not approved: nothing of it is accepted.
    Waiting,
    /// Approved by an operator's signature.
    Active,
    /// No longer trusted.
    Revoked,
}

/// When a meter was last heard, against the cadence it should keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Liveness {
    /// Heard within three times its cadence.
    Live,
    /// Later than that, but within ten minutes.
    Late,
    /// Not heard for more than ten minutes.
    Silent,
    /// Never heard.
    Never,
}

/// One meter at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Installation {
    /// Number of the installation in this gateway.
    #[schema(value_type = i64, example = 1)]
    pub id: u32,
    /// The name that people see.
    #[schema(example = "Hackathon Test 1")]
    pub name: String,
    /// MAC address of the sensor, 12 hex digits; announced, or enrolled once active.
    #[schema(required, example = "EC64C9C05E97")]
    pub shelly_mac: Option<String>,
    /// The meter's P-256 public key, 128 hex digits: X then Y.
    pub public_key: String,
    /// When it was announced; ISO 8601 in UTC without a zone. Null when the gateway did not know the time.
    #[schema(required, example = "2025-06-19T16:52:26.093539")]
    pub created_at: Option<String>,
    /// Whether its readings are accepted.
    pub is_active: bool,
    /// When the meter last started, Unix seconds.
    #[schema(required)]
    pub last_boot_timestamp: Option<i64>,
    /// SHA-256 of the public key, hex.
    pub meter_id: String,
    /// What an operator decided.
    pub state: InstallationState,
    /// When it was last heard, against its cadence.
    pub liveness: Liveness,
    /// When the gateway last heard it; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub last_seen_at: Option<String>,
    /// Seconds between two readings of a healthy meter.
    pub expected_cadence_s: u32,
    /// Rated power of the plant in W, once enrolled.
    #[schema(required)]
    pub rated_power_w: Option<u32>,
    /// IANA name of the site's time zone.
    #[schema(example = "Europe/Berlin")]
    pub timezone: String,
    /// The sensor's model.
    #[schema(required, example = "shelly_em_gen1")]
    pub sensor_model: Option<String>,
    /// SHA-256 of the running firmware as the newest Boot record claims it, hex.
    #[schema(required)]
    pub firmware_digest: Option<String>,
    /// Digest of the Enrolment in force or awaiting the meter's acceptance, hex.
    #[schema(required)]
    pub enrolment_digest: Option<String>,
    /// Whether the meter has countersigned that Enrolment.
    pub enrolment_accepted: bool,
    /// Number of the installation that this one follows at the same place.
    #[schema(required, value_type = Option<i64>)]
    pub replaces: Option<u32>,
    /// Number of the installation that follows this one.
    #[schema(required, value_type = Option<i64>)]
    pub replaced_by: Option<u32>,
}
