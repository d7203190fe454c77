//! What an operator should look at now.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A meter in service is not heard.
    Silent,
    /// A meter signed two statements that cannot both be true; the evidence is held.
    Equivocation,
    /// Readings of the last seven days were found to be out of the ordinary.
    Plausibility,
    /// A meter waits for an operator's approval.
    Waiting,
}

/// One alert. There is one for each installation and thing that is the matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Number of the installation.
    #[schema(value_type = i64)]
    pub installation_id: u32,
    /// Its name.
    #[schema(example = "Barn roof")]
    pub name: String,
    /// What is the matter.
    pub kind: AlertKind,
    /// Since when; ISO 8601 in UTC without a zone. Null when the gateway did not know the time.
    #[schema(required, example = "2025-06-19T16:52:26.093000")]
    pub since: Option<String>,
    /// How many findings or pieces of evidence there are; 1 where nothing is counted.
    #[schema(value_type = i64, example = 1)]
    pub count: u64,
    /// In words; of findings it begins with their kind, such as `power-above-rating`.
    pub detail: String,
}
