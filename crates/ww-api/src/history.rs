//! What was said of a meter, signed, in the order in which it was said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryKind {
    /// What the meter measures, and where.
    Enrolment,
    /// Its name and time zone.
    Label,
    /// Energy that was taken back.
    Correction,
    /// The end of the trust in its key.
    Revocation,
    /// One meter following another.
    Replacement,
}

/// Whose key has signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignedBy {
    /// An operator's.
    Operator,
    /// A meter's.
    Meter,
}

/// One signed record of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// What was said.
    pub kind: HistoryKind,
    /// When it was signed, by the signer's word; ISO 8601 in UTC without a zone.
    #[schema(example = "2025-06-19T16:52:26.093000")]
    pub issued_at: String,
    /// When the gateway stored it; ISO 8601 in UTC without a zone. Null when it did not know the time.
    #[schema(required)]
    pub received_at: Option<String>,
    /// SHA-256 of the signer's public key, hex.
    pub signer: String,
    /// Whose key that is.
    pub signed_by: SignedBy,
    /// SHA-256 of the record, hex.
    pub digest: String,
    /// The signed bytes, hex.
    pub record: String,
    /// The signature, 128 hex digits.
    pub signature: String,
    /// Of an Enrolment that the meter has accepted: the meter's signature over the same bytes, 128 hex digits.
    #[schema(required)]
    pub acceptance: Option<String>,
    /// What the record says, by the names of its fields.
    #[schema(example = json!({"name": "Barn roof", "time_zone": "Europe/Berlin"}))]
    pub summary: BTreeMap<String, String>,
}
