//! An installation: one meter at its place, as the seed listed it, with what we know more.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Milli;

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

/// One meter at its place with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct InstallationDetail {
    /// The installation as a list shows it.
    #[serde(flatten)]
    pub installation: Installation,
    /// The Enrolment that an operator signed last; null while it waits.
    #[schema(required)]
    pub enrolment: Option<EnrolmentDetail>,
    /// What the meter proposed when it announced itself.
    pub proposal: Proposal,
    /// The newest Boot record; null before the first.
    #[schema(required)]
    pub last_boot: Option<LastBoot>,
    /// The newest status report; null before the first.
    #[schema(required)]
    pub status_report: Option<MeterReport>,
    /// The end of the trust in its key; null while there is none.
    #[schema(required)]
    pub revocation: Option<RevocationDetail>,
}

/// What a meter measures and where, by the word of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentDetail {
    /// SHA-256 of the record, hex.
    pub digest: String,
    /// Counts the enrolments of this meter, from 1.
    #[schema(example = 1)]
    pub number: u32,
    /// When the operator signed; ISO 8601 in UTC without a zone.
    #[schema(example = "2025-06-19T16:52:26.093000")]
    pub time: String,
    /// SHA-256 of the operator's public key, hex.
    pub operator: String,
    /// Where the meter's key lives: `software` or `secure_element`.
    #[schema(example = "software")]
    pub custody: String,
    /// The sensor's model.
    #[schema(example = "shelly_em_gen1")]
    pub sensor_model: String,
    /// MAC address of the sensor, 12 hex digits.
    #[schema(example = "EC64C9C05E97")]
    pub shelly_mac: String,
    /// Channel of the sensor, from 0.
    #[schema(example = 0)]
    pub channel: u8,
    /// Which counter counts production: `total` or `total_returned`.
    #[schema(example = "total")]
    pub production_counter: String,
    /// Ratio of an external current transformer in thousandths; 1000 for none.
    #[schema(example = 1000)]
    pub ct_ratio_milli: u32,
    /// Rated power of the plant in W.
    #[schema(example = 800)]
    pub rated_power_w: u32,
    /// Degrees north times 10^7.
    #[schema(required, example = 481_374_300)]
    pub latitude_e7: Option<i32>,
    /// Degrees east times 10^7.
    #[schema(required, example = 115_754_900)]
    pub longitude_e7: Option<i32>,
    /// The modules' tilt from the horizontal in tenths of a degree.
    #[schema(required, example = 300)]
    pub tilt_decidegrees: Option<u16>,
    /// Where the modules face, clockwise from north, in tenths of a degree.
    #[schema(required, example = 1800)]
    pub azimuth_decidegrees: Option<u16>,
    /// The grid connection's identifier; null for none.
    #[schema(required)]
    pub grid_connection: Option<String>,
    /// Whether the meter has countersigned it.
    pub accepted: bool,
}

/// What a meter proposed of itself when it announced itself; an operator decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// The sensor's model.
    #[schema(required, example = "shelly_em_gen1")]
    pub sensor_model: Option<String>,
    /// MAC address of the sensor, 12 hex digits.
    #[schema(required, example = "EC64C9C05E97")]
    pub shelly_mac: Option<String>,
    /// Channel of the sensor, from 0.
    #[schema(required, example = 0)]
    pub channel: Option<u8>,
    /// Which counter counts production: `total` or `total_returned`.
    #[schema(required, example = "total")]
    pub production_counter: Option<String>,
    /// Rated power of the plant in W.
    #[schema(required, example = 800)]
    pub rated_power_w: Option<u32>,
    /// IANA name of the site's time zone; null once an operator has said one.
    #[schema(required, example = "Europe/Berlin")]
    pub time_zone: Option<String>,
}

/// A start of the meter, as it signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastBoot {
    /// How many times the meter has started, this one included.
    #[schema(example = 3)]
    pub boot: u32,
    /// When, Unix seconds; null when the meter did not know the time.
    #[schema(required, example = 1_750_346_382)]
    pub timestamp: Option<i64>,
    /// SHA-256 of the running firmware, as the meter claims it, hex.
    pub firmware_digest: String,
    /// The firmware's version.
    #[schema(example = "0.1.0")]
    pub firmware_version: String,
    /// Why: `unknown`, `power_on`, `brown_out`, `watchdog`, `crash`, `requested`, `update` or `wake`.
    #[schema(example = "power_on")]
    pub reset_reason: String,
    /// When the gateway stored it; ISO 8601 in UTC without a zone. Null when it did not know the time.
    #[schema(required)]
    pub received_at: Option<String>,
}

/// A meter's state of health, as it signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeterReport {
    /// When the gateway stored it; ISO 8601 in UTC without a zone. Null when it did not know the time.
    #[schema(required)]
    pub received_at: Option<String>,
    /// When the meter made it, Unix seconds; null when the meter did not know the time.
    #[schema(required, example = 1_750_352_712)]
    pub timestamp: Option<i64>,
    /// How far that can be relied on: `unknown`, `informative`, `synchronised` or `relative`.
    #[schema(example = "synchronised")]
    pub time_quality: String,
    /// The boot in which it was made.
    #[schema(example = 3)]
    pub boot: u32,
    /// How long the meter had run then, ms.
    #[schema(value_type = i64, example = 6_330_000)]
    pub uptime_ms: u64,
    /// Chain records that waited for the gateway.
    #[schema(example = 0)]
    pub queued_records: u32,
    /// Readings that waited for the gateway.
    #[schema(example = 0)]
    pub queued_readings: u32,
    /// Polls of the sensor that had failed in this boot.
    #[schema(example = 0)]
    pub sensor_failures: u32,
    /// Uploads that had failed in this boot.
    #[schema(example = 0)]
    pub upload_failures: u32,
    /// Signal strength of the radio in dBm.
    #[schema(required, example = -61)]
    pub signal_strength_dbm: Option<i16>,
    /// Free memory in bytes.
    #[schema(required, value_type = Option<i64>, example = 143_360)]
    pub free_memory_bytes: Option<u64>,
    /// Temperature of the meter itself in °C.
    #[schema(required, value_type = Option<f64>, example = 41.5)]
    pub temperature_c: Option<Milli>,
}

/// Why a meter is no longer trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevocationDetail {
    /// `other`, `decommissioned`, `lost`, `key_compromise` or `manipulation`.
    #[schema(example = "lost")]
    pub reason: String,
    /// In words; may be empty.
    pub note: String,
    /// When the operator signed; ISO 8601 in UTC without a zone. Null when the gateway did not know the time.
    #[schema(required)]
    pub time: Option<String>,
}
