//! What interrupted a meter, as marks on the axis of time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Milli;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// The meter started.
    Boot,
    /// No reading for more than three cadences; in a span of more than two days, none in whole steps
    /// of ten minutes, and of more than two years, none in whole hours. What the meter gave up is
    /// none.
    Outage,
    /// The meter's queue gave readings or records up, and says so in a signed Gap.
    Gap,
}

/// One mark. A field that does not belong to its kind is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mark {
    /// What happened.
    pub kind: MarkKind,
    /// Its first moment, Unix seconds.
    #[schema(example = 1_750_352_400)]
    pub start: i64,
    /// Its last moment, Unix seconds, the start again for what has no length; null while it lasts.
    #[schema(required, example = 1_750_353_000)]
    pub end: Option<i64>,
    /// Of a boot or a gap: how many times the meter had started, this one included.
    #[schema(required, example = 3)]
    pub boot: Option<u32>,
    /// Of a boot, why: `unknown`, `power_on`, `brown_out`, `watchdog`, `crash`, `requested`, `update`
    /// or `wake`.
    #[schema(required, example = "power_on")]
    pub reset_reason: Option<String>,
    /// Of a boot: SHA-256 of the running firmware, as the meter claims it, hex.
    #[schema(required)]
    pub firmware_digest: Option<String>,
    /// Of a boot: the firmware's version.
    #[schema(required, example = "0.1.0")]
    pub firmware_version: Option<String>,
    /// Of a gap: how many readings are gone; null when that cannot be told.
    #[schema(required, value_type = Option<i64>)]
    pub readings_lost: Option<u64>,
    /// The energy that the meter counted meanwhile, Wh; null when that cannot be told.
    #[schema(required, value_type = Option<f64>)]
    pub energy_wh: Option<Milli>,
}
