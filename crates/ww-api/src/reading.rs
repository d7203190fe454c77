//! Readings as the seed listed them, with the signed bytes beside them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Milli;

/// The bits of a reading's id that hold its sequence number; above them stands the installation.
pub const SEQUENCE_BITS: u32 = 29;

/// The largest sequence number that has an id: 170 years of readings every 10 s.
pub const MAX_SEQUENCE: u64 = (1 << SEQUENCE_BITS) - 1;

/// The id of a reading: `installation` · 2^29 + `sequence`.
#[must_use]
pub const fn reading_id(installation: u32, sequence: u64) -> u64 {
    (installation as u64) << SEQUENCE_BITS | sequence & MAX_SEQUENCE
}

/// Installation and sequence number of a reading's id; `None` when no installation has it.
#[must_use]
pub fn split_reading_id(id: u64) -> Option<(u32, u64)> {
    let installation = u32::try_from(id >> SEQUENCE_BITS).ok()?;
    Some((installation, id & MAX_SEQUENCE))
}

/// One reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reading {
    /// Number of the reading: installation · 2^29 + sequence.
    #[schema(value_type = i64)]
    pub id: u64,
    /// Number of the installation.
    #[schema(value_type = i64)]
    pub installation_id: u32,
    /// Power of the plant in W, positive in the direction of production: the sensor's value, times the ratio of an external transformer if the enrolment names one. Null when the poll failed.
    #[schema(required, value_type = Option<f64>, example = 16.6)]
    pub power_w: Option<Milli>,
    /// The sensor's production counter in Wh, as it gave it; null when the poll failed.
    #[schema(required, value_type = Option<f64>, example = 21700.0)]
    pub total_wh: Option<Milli>,
    /// When the sensor was asked, Unix seconds; null when the meter did not know the time.
    #[schema(required, example = 1_750_352_712)]
    pub timestamp: Option<i64>,
    /// The reading's own signature, 128 hex digits; null once it is sealed in a window.
    #[schema(required)]
    pub signature: Option<String>,
    /// Whether a signature of the meter covers it. False only for rows imported from an older system.
    pub is_verified: bool,
    /// When the gateway received it; ISO 8601 in UTC without a zone; null when the gateway did not know the time.
    #[schema(required)]
    pub created_at: Option<String>,
    /// When the gateway checked the signature.
    #[schema(required)]
    pub verification_timestamp: Option<String>,
    /// Whether it is part of what a chain has confirmed.
    pub is_on_chain: bool,
    /// The transaction that did it.
    #[schema(required)]
    pub blockchain_tx_hash: Option<String>,
    /// The block of that transaction.
    #[schema(required)]
    pub blockchain_block_number: Option<i64>,
    /// SHA-256 of the meter's public key, hex.
    #[schema(required)]
    pub meter_id: Option<String>,
    /// The meter's number of this reading.
    #[schema(value_type = i64)]
    pub sequence: u64,
    /// The meter's own never-decreasing sum in Wh.
    #[schema(required, value_type = Option<f64>)]
    pub produced_wh: Option<Milli>,
    /// Names of the flags that are set.
    pub flags: Vec<String>,
    /// The signed bytes, hex; null for imported rows.
    #[schema(required)]
    pub record: Option<String>,
    /// Chain index of the window that seals it; null until then.
    #[schema(required, value_type = Option<i64>)]
    pub window_id: Option<u64>,
    /// How the window proves it; null until then.
    #[schema(required)]
    pub proof: Option<ReadingProof>,
}

/// How a sealed window proves one of its readings (RFC 9162, section 2.1.3): hash the record
/// behind a zero byte, then go up along `path` to `root`, which the window's signature covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadingProof {
    /// Place among the window's readings, from 0.
    #[schema(value_type = i64)]
    pub leaf_index: u64,
    /// How many readings the window has; null in lists.
    #[schema(required, value_type = Option<i64>)]
    pub leaf_count: Option<u64>,
    /// The sibling hashes from leaf to root, hex; null in lists: ask for the single reading.
    #[schema(required)]
    pub path: Option<Vec<String>>,
    /// The root of the window's tree, hex; null in lists.
    #[schema(required)]
    pub root: Option<String>,
    /// The window's signed bytes, hex; null in lists.
    #[schema(required)]
    pub window_record: Option<String>,
    /// The meter's signature over the window, hex; null in lists.
    #[schema(required)]
    pub window_signature: Option<String>,
}

/// Readings that are not on a chain yet, in the compact shape of the seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PendingReadings {
    /// `[id, power_w, total_wh, timestamp, signature]`, oldest first.
    #[schema(value_type = Vec<Vec<serde_json::Value>>)]
    pub readings: Vec<PendingReading>,
    /// Id of the first; null when there is none.
    #[schema(required, value_type = Option<i64>)]
    pub first_reading_id: Option<u64>,
    /// Id of the last; null when there is none.
    #[schema(required, value_type = Option<i64>)]
    pub last_reading_id: Option<u64>,
    /// How many are listed.
    pub count: usize,
}

/// `[id, power_w, total_wh, timestamp, signature]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PendingReading(
    /// Id.
    pub u64,
    /// Power in W.
    pub Option<Milli>,
    /// Counter in Wh.
    pub Option<Milli>,
    /// Unix seconds.
    pub Option<i64>,
    /// The reading's own signature, if it is still held.
    pub Option<String>,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_gives_back_installation_and_sequence() {
        let id = reading_id(7, 123_456);
        assert_eq!(split_reading_id(id), Some((7, 123_456)));
        assert_eq!(split_reading_id(u64::MAX), None);
    }
}
