//! Sealed windows: as a list shows them, and one with its readings.

use serde::Serialize;
use utoipa::ToSchema;

use crate::Milli;

/// One sealed window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WindowSummary {
    /// Chain index of the window.
    #[schema(value_type = i64)]
    pub id: u64,
    /// Number of the installation.
    #[schema(value_type = i64)]
    pub installation_id: u32,
    /// SHA-256 of the record, hex.
    pub digest: String,
    /// The signed bytes, hex.
    pub record: String,
    /// The meter's signature, 128 hex digits.
    pub signature: String,
    /// The boot in which it was taken.
    pub boot: u32,
    /// Number of the first reading.
    #[schema(value_type = i64)]
    pub first_sequence: u64,
    /// Number of the last reading.
    #[schema(value_type = i64)]
    pub last_sequence: u64,
    /// How many readings there are.
    pub count: u32,
    /// Time of the first reading, Unix seconds.
    #[schema(required)]
    pub first_timestamp: Option<i64>,
    /// Time of the last reading, Unix seconds.
    #[schema(required)]
    pub last_timestamp: Option<i64>,
    /// The energy between the close of the window before and this close, Wh.
    #[schema(value_type = f64)]
    pub energy_wh: Milli,
    /// `produced` at the close, Wh.
    #[schema(value_type = f64)]
    pub produced_close_wh: Milli,
    /// Root over the readings, hex.
    pub root: String,
    /// Digest of the Enrolment in force, hex; null for none.
    #[schema(required)]
    pub enrolment_digest: Option<String>,
    /// Digest of the running firmware, hex.
    pub firmware_digest: String,
    /// How it was closed: names of the flags.
    pub flags: Vec<String>,
    /// When the gateway received it; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub created_at: Option<String>,
    /// Whether its single readings are held too.
    pub has_readings: bool,
}

/// One sealed window with its readings and its neighbours: all that is needed to rebuild its root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WindowDetail {
    /// The window as a list shows it.
    #[serde(flatten)]
    pub summary: WindowSummary,
    /// Its place in the meter's chain; the same as `id`.
    #[schema(value_type = i64, example = 17)]
    pub chain_index: u64,
    /// SHA-256 of the record before it in the chain, hex; null for the first record.
    #[schema(required)]
    pub previous_digest: Option<String>,
    /// Its readings by number; empty when they are not held.
    pub readings: Vec<WindowReading>,
    /// Chain index of the window before it; null when none is held.
    #[schema(required, value_type = Option<i64>)]
    pub previous_id: Option<u64>,
    /// Chain index of the window after it; null when there is none yet.
    #[schema(required, value_type = Option<i64>)]
    pub next_id: Option<u64>,
}

/// One reading of a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WindowReading {
    /// Number of the reading: installation · 2^29 + sequence.
    #[schema(value_type = i64)]
    pub id: u64,
    /// The meter's number of this reading.
    #[schema(value_type = i64)]
    pub sequence: u64,
    /// When the sensor was asked, Unix seconds; null when the meter did not know the time.
    #[schema(required, example = 1_750_352_712)]
    pub timestamp: Option<i64>,
    /// Power of the plant in W, positive in the direction of production; null when the poll failed.
    #[schema(required, value_type = Option<f64>, example = 16.6)]
    pub power_w: Option<Milli>,
    /// The canonical bytes, hex: a leaf of the window's tree.
    pub record: String,
}
