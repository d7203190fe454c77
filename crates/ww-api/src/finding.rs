//! What was found out of the ordinary about a meter, and the signed records that prove it.

use serde::Serialize;
use utoipa::ToSchema;

/// One finding. It is a remark: what it speaks of was stored, or kept as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// Number of the finding.
    #[schema(value_type = i64)]
    pub id: u64,
    /// Number of the installation.
    #[schema(value_type = i64)]
    pub installation_id: u32,
    /// Kind.
    #[schema(example = "power-above-rating")]
    pub kind: String,
    /// Number of the reading, or index of the chain record, concerned.
    #[schema(value_type = i64)]
    pub number: u64,
    /// When the gateway found it; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub created_at: Option<String>,
    /// In words.
    pub detail: String,
}

/// Two signed statements of one meter that cannot both be true. Anyone can check the signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Evidence {
    /// Number of the evidence.
    #[schema(value_type = i64)]
    pub id: u64,
    /// Number of the installation.
    #[schema(value_type = i64)]
    pub installation_id: u32,
    /// Kind of the finding that it belongs to.
    #[schema(example = "equivocating-reading")]
    pub kind: String,
    /// Number of the reading, or index of the chain record, concerned.
    #[schema(value_type = i64)]
    pub number: u64,
    /// When the second statement came; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub created_at: Option<String>,
    /// The one that is held; null where the refused one contradicts a sum of several.
    #[schema(required)]
    pub stored: Option<SignedRecord>,
    /// Of a held reading without a signature of its own: the chain index of the window that seals it.
    #[schema(required, value_type = Option<i64>)]
    pub stored_in_window: Option<u64>,
    /// The one that was refused.
    pub refused: SignedRecord,
    /// Of a window that was refused: its packed readings, hex, if they came.
    #[schema(required)]
    pub refused_readings: Option<String>,
}

/// The canonical bytes of a record and the meter's signature over them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignedRecord {
    /// The bytes, hex.
    pub record: String,
    /// The signature, 128 hex digits; null for a reading that came in a window.
    #[schema(required)]
    pub signature: Option<String>,
}
