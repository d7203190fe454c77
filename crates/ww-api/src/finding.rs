//! What was found out of the ordinary about a meter.

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
