//! API keys for people and programs, their roles, and the trail of what was changed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the bearer of a key may do. Operators and firmware engineers stand beside each other: each may do
/// what a viewer may, neither what the other does; an administrator may do all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Approves and revokes meters; pauses and aborts rollouts, which makes nothing run.
    Operator,
    /// Adds roots, publishes and withdraws releases, and rolls them out.
    Firmware,
    /// Manages keys and reads the audit trail.
    Admin,
}

impl Role {
    /// All roles, least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Firmware, Self::Admin];

    /// Whether who has this role may do what needs the other.
    #[must_use]
    pub const fn may(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Admin, _) | (_, Self::Viewer) => true,
            (Self::Operator, Self::Operator) | (Self::Firmware, Self::Firmware) => true,
            (Self::Viewer | Self::Operator | Self::Firmware, _) => false,
        }
    }

    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Firmware => "firmware",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// An API key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    /// Number of the key.
    #[schema(value_type = i64)]
    pub id: u64,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it was made; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub created_at: Option<String>,
    /// When it ends by itself; null for never.
    #[schema(required)]
    pub expires_at: Option<String>,
    /// When it was revoked; null while it is valid.
    #[schema(required)]
    pub revoked_at: Option<String>,
}

/// What `POST /api/v1/keys` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What it is for; 1 to 64 characters.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it ends by itself; ISO 8601. It never does when this is left out.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// What `POST /api/v1/keys` answers: the only time that the key itself is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewApiKeyAnswer {
    /// Number of the key.
    #[schema(value_type = i64)]
    pub id: u64,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// The key: send it as `Authorization: Bearer …`. It cannot be shown again.
    pub key: String,
}

impl std::fmt::Debug for NewApiKeyAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewApiKeyAnswer")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Number of the line.
    #[schema(value_type = i64)]
    pub id: u64,
    /// When; ISO 8601 in UTC without a zone; null when the gateway did not know the time.
    #[schema(required)]
    pub time: Option<String>,
    /// Who: the name of a key, or `gateway`.
    pub actor: String,
    /// What was done.
    #[schema(example = "installation.approved")]
    pub action: String,
    /// To what.
    pub subject: String,
    /// With what.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_and_firmware_engineers_stand_beside_each_other() {
        for (role, may) in [
            (Role::Viewer, [true, false, false, false]),
            (Role::Operator, [true, true, false, false]),
            (Role::Firmware, [true, false, true, false]),
            (Role::Admin, [true; 4]),
        ] {
            assert_eq!(Role::ALL.map(|needed| role.may(needed)), may, "{role:?}");
        }
    }
}
