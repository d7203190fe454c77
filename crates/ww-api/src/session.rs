//! A browser's session: begun with an API key, kept in a cookie that scripts cannot read.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Role;

/// What the cookie of a session is called, before `_` and eight digits of the gateway's own. Where it came by
/// HTTPS its name has [`SECURE_PREFIX`] before it.
pub const SESSION_COOKIE: &str = "wattwitness_session";

/// What browsers take only for a cookie that is `Secure`, of this host alone and of its root (RFC
/// 6265bis, 4.1.3.2).
pub const SECURE_PREFIX: &str = "__Host-";

/// The header with which a page shows that it can read the answers of this gateway.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// What `POST /api/v1/session` takes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// An API key, `wwk_…`.
    pub key: String,
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSession").finish_non_exhaustive()
    }
}

/// Who is logged in, and what anyone may do.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The role of the key with which the session was begun, or of the bearer; null when nobody is logged in.
    #[schema(required, value_type = Option<Role>)]
    pub role: Option<Role>,
    /// That key's name, under which changes stand in the audit trail.
    #[schema(required, example = "control room")]
    pub name: Option<String>,
    /// Whether anyone may read what a viewer may.
    pub public_read: bool,
    /// When the session ends by itself; ISO 8601 in UTC without a zone. Null without a session.
    #[schema(required, example = "2025-07-19T16:52:26.093000")]
    pub expires_at: Option<String>,
    /// What `X-CSRF-Token` has to say in every request of this session but GET and HEAD; null without a session.
    #[schema(required)]
    pub csrf_token: Option<String>,
    /// The gateway's version.
    #[schema(example = "0.1.0")]
    pub version: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("role", &self.role)
            .field("name", &self.name)
            .field("public_read", &self.public_read)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
