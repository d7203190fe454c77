//! Readings taken over from an older system: shown apart, verified by nothing, in no total.

use serde::Serialize;
use utoipa::ToSchema;

use crate::Milli;

/// An older system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportSource {
    /// The name under which its readings were taken over.
    pub name: String,
}

/// A row of an older system's database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportedReading {
    /// Its number there.
    #[schema(value_type = i64)]
    pub id: u64,
    /// The number of its installation there.
    #[schema(value_type = i64)]
    pub installation_id: u64,
    /// Power in W as it stood there.
    #[schema(value_type = f64)]
    pub power_w: Milli,
    /// The counter in Wh as it stood there.
    #[schema(value_type = f64)]
    pub total_wh: Milli,
    /// The time as it stood there, Unix seconds.
    pub timestamp: i64,
    /// What stood there as signature.
    pub signature: String,
    /// Always false.
    pub is_verified: bool,
}
