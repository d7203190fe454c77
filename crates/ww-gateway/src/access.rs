//! Who may do what: API keys, their roles, and the check before every route of the table.

use std::collections::HashMap;
use std::path::Path;
use std::sync::RwLock;

use aws_lc_rs::rand;
use axum::body::Body;
use axum::extract::{MatchedPath, State};
use axum::http::{HeaderMap, Request, Response, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::time::Instant;
use ww_api::{Access, Method, ProblemKind, ROUTES, Role};
use ww_store::{ApiKey, KeyId, NewApiKey, Store, StoreError};
use ww_wire::{Hash, UtcMillis};

use crate::error::{Failure, Result};
use crate::key_file::{self, KeyFileError};
use crate::state::{Gateway, Peer, Shared};

/// What every key begins with, so that it is recognised where it should not be.
const PREFIX: &str = "wwk_";

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) role: Role,
}

/// The keys that are valid, by their hash.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    by_hash: RwLock<HashMap<Hash, Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    id: KeyId,
    caller: Caller,
    expires: Option<UtcMillis>,
}

impl Keys {
    pub(crate) fn put(&self, key: &ApiKey) {
        let mut by_hash = self
            .by_hash
            .write()
            .expect("no code panics while it holds this lock");
        if key.revoked.is_some() {
            by_hash.retain(|_, known| known.id != key.id);
            return;
        }
        let caller = Caller {
            name: key.key.name.clone(),
            role: role_of(key.key.role),
        };
        let known = Known {
            id: key.id,
            caller,
            expires: key.key.expires,
        };
        by_hash.insert(key.key.hash, known);
    }

    /// The bearer of a key. The hash is looked up, not the key: how long that takes says nothing
    /// about the key.
    fn caller(&self, key: &str, now: Option<UtcMillis>) -> Option<Caller> {
        let hash = Hash::of(&[key.as_bytes()]);
        let by_hash = self
            .by_hash
            .read()
            .expect("no code panics while it holds this lock");
        let known = by_hash.get(&hash)?;
        // A gateway that does not know the time cannot tell; a key with an end is then not taken.
        let ended = known
            .expires
            .is_some_and(|expires| now.is_none_or(|now| now >= expires));
        (!ended).then(|| known.caller.clone())
    }
}

/// Makes a key: 256 random bits.
pub(crate) fn new_key() -> Result<String, KeyFileError> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| KeyFileError::NoRandomness)?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Why the first key could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FirstKeyError {
    #[error(transparent)]
    File(#[from] KeyFileError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the administrator's key once, and lets in the one that stands in the file if the store
/// does not know it (a database that is new beside an old file). Whoever has deleted the file, or
/// revoked the key, gets no new one while another administrator's key is valid.
pub(crate) async fn admin_key(
    store: &dyn Store,
    path: &Path,
    now: Option<UtcMillis>,
) -> Result<(), FirstKeyError> {
    let known = store.keys().await?;
    let key = match key_file::read(path)? {
        Some(content) => content.trim().to_owned(),
        None if known.iter().any(|key| is_admin(key, now)) => return Ok(()),
        None => {
            let key = new_key()?;
            key_file::make(path, &format!("{key}\n"))?;
            tracing::info!(path = %path.display(), "made the administrator's key");
            key
        }
    };
    if !key.starts_with(PREFIX) {
        let path = path.to_owned();
        return Err(KeyFileError::Content { path }.into());
    }
    let hash = Hash::of(&[key.as_bytes()]);
    if known.iter().any(|known| known.key.hash == hash) {
        return Ok(());
    }
    let new = NewApiKey {
        name: "admin".to_owned(),
        role: ww_store::Role::Admin,
        hash,
        expires: None,
    };
    let audit = ww_store::NewAudit {
        at: now,
        actor: "gateway".to_owned(),
        action: "key.create".to_owned(),
        subject: "key admin".to_owned(),
        detail: "the administrator's key of this gateway".to_owned(),
    };
    store.add_key(new, audit).await?;
    Ok(())
}

/// Whether the key lets an administrator in; by an unknown time, only one that never expires.
fn is_admin(key: &ApiKey, now: Option<UtcMillis>) -> bool {
    let has_expired = |end: UtcMillis| now.is_none_or(|now| end <= now);
    key.key.role == ww_store::Role::Admin
        && key.revoked.is_none()
        && !key.key.expires.is_some_and(has_expired)
}

pub(crate) const fn role_of(role: ww_store::Role) -> Role {
    match role {
        ww_store::Role::Viewer => Role::Viewer,
        ww_store::Role::Operator => Role::Operator,
        ww_store::Role::Admin => Role::Admin,
    }
}

pub(crate) const fn stored_role(role: Role) -> ww_store::Role {
    match role {
        Role::Viewer => ww_store::Role::Viewer,
        Role::Operator => ww_store::Role::Operator,
        Role::Admin => ww_store::Role::Admin,
    }
}

/// The check before every route: the table says which role it needs.
pub(crate) async fn authorize(
    State(gateway): State<Gateway>,
    path: MatchedPath,
    mut request: Request<Body>,
    next: Next,
) -> Response<Body> {
    let access = access_of(request.method(), path.as_str());
    match admit(&gateway, access, &request) {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    }
}

/// Who may use a route. What is not in the table is for administrators only.
fn access_of(method: &axum::http::Method, path: &str) -> Access {
    let method = match method.as_str() {
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => Method::Get,
    };
    ROUTES
        .iter()
        .find(|route| {
            route.method == method && route.path.trim_end_matches('/') == path.trim_end_matches('/')
        })
        .map_or(Access::Role(Role::Admin), |route| route.access)
}

fn admit(gateway: &Shared, access: Access, request: &Request<Body>) -> Result<Option<Caller>> {
    let caller = match bearer(request.headers()) {
        None => None,
        Some(key) => match gateway.keys.caller(key, gateway.now()) {
            Some(caller) => Some(caller),
            None => {
                limit(gateway, request)?;
                return Err(Failure::new(
                    ProblemKind::KeyUnknown,
                    "the key sent is not known here or has expired",
                ));
            }
        },
    };
    if caller.is_none() {
        limit(gateway, request)?;
    }
    let needed = match access {
        Access::Open | Access::Signed => return Ok(caller),
        Access::Role(Role::Viewer) if gateway.config.public_read => return Ok(caller),
        Access::Role(role) => role,
    };
    match caller {
        None => Err(Failure::new(
            ProblemKind::Unauthorized,
            match needed {
                Role::Viewer => {
                    "public read is off on this gateway: send a key with the role viewer \
                     as a bearer token, or start the gateway with `--public-read`"
                        .to_owned()
                }
                role => format!("this needs a key with the role {}", role.name()),
            },
        )),
        Some(caller) if caller.role < needed => Err(Failure::new(
            ProblemKind::Forbidden,
            format!(
                "this needs the role {}, the key has {}",
                needed.name(),
                caller.role.name()
            ),
        )),
        Some(caller) => Ok(Some(caller)),
    }
}

fn limit(gateway: &Shared, request: &Request<Body>) -> Result<()> {
    if let Some(Peer(address)) = request.extensions().get() {
        gateway.anonymous.take(*address, Instant::now())?;
    }
    Ok(())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| key.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u32, text: &str, role: ww_store::Role) -> ApiKey {
        ApiKey {
            id: KeyId(id),
            key: NewApiKey {
                name: format!("key {id}"),
                role,
                hash: Hash::of(&[text.as_bytes()]),
                expires: UtcMillis::new(1_000),
            },
            created: None,
            revoked: None,
        }
    }

    #[test]
    fn a_key_is_known_until_it_ends() {
        let keys = Keys::default();
        keys.put(&key(1, "wwk_a", ww_store::Role::Operator));
        let caller = keys.caller("wwk_a", UtcMillis::new(999)).unwrap();
        assert_eq!(caller.role, Role::Operator);
        assert_eq!(keys.caller("wwk_a", UtcMillis::new(1_000)), None);
        assert_eq!(keys.caller("wwk_a", None), None);
        assert_eq!(keys.caller("wwk_b", UtcMillis::new(0)), None);
    }

    #[test]
    fn a_revoked_key_is_forgotten() {
        let keys = Keys::default();
        let mut one = key(1, "wwk_a", ww_store::Role::Admin);
        keys.put(&one);
        one.revoked = UtcMillis::new(5);
        keys.put(&one);
        assert_eq!(keys.caller("wwk_a", UtcMillis::new(0)), None);
    }

    #[test]
    fn keys_are_long_and_never_the_same() {
        let (one, other) = (new_key().unwrap(), new_key().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), PREFIX.len() + 43);
    }

    #[tokio::test]
    async fn another_administrators_key_stands_for_the_first_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let options = ww_store::SqliteOptions::default();
        let store = ww_store::SqliteStore::open(&folder.path().join("store.db"), options).unwrap();
        let audit = ww_store::NewAudit {
            at: None,
            actor: String::new(),
            action: String::new(),
            subject: String::new(),
            detail: String::new(),
        };
        let other = key(1, "wwk_a", ww_store::Role::Admin).key;
        store.add_key(other, audit).await.unwrap();
        let file = folder.path().join("admin.key");
        for (now, is_made) in [(999, false), (1_000, true)] {
            admin_key(&store, &file, UtcMillis::new(now)).await.unwrap();
            assert_eq!(file.exists(), is_made, "{now}");
        }
    }

    #[test]
    fn a_path_outside_the_table_is_for_nobody_but_administrators() {
        let access = access_of(&axum::http::Method::GET, "/api/v1/secret");
        assert_eq!(access, Access::Role(Role::Admin));
        let access = access_of(&axum::http::Method::POST, "/api/v1/installations");
        assert_eq!(access, Access::Open);
    }
}
