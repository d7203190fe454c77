//! Who may do what: API keys and sessions, their roles, and the check before every route of the table.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use aws_lc_rs::rand;
use axum::body::Body;
use axum::extract::{MatchedPath, State};
use axum::http::{HeaderMap, Request, Response, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::watch;
use tokio::time::Instant;
use ww_api::{Access, Method, ProblemKind, ROUTES, Role};
use ww_store::{ApiKey, KeyId, NewApiKey, NewApiSession, SESSIONS_PER_KEY, Store, StoreError};
use ww_wire::{Hash, UtcMillis};

use crate::error::{Failure, Result};
use crate::key_file::{self, KeyFileError};
use crate::session::Token;
use crate::state::{Encrypted, Gateway, Peer, Shared};

/// What every key begins with, so that it is recognised where it should not be.
const PREFIX: &str = "wwk_";

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) key: KeyId,
    /// When the key ends.
    pub(crate) expires: Option<UtcMillis>,
    /// The session, if it is not the key itself that was sent.
    pub(crate) login: Option<Login>,
}

/// The session of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) token: Token,
    pub(crate) expires: UtcMillis,
}

/// The keys that are valid and the sessions that were begun with them.
#[derive(Debug)]
pub(crate) struct Keys {
    known: RwLock<Known>,
    /// Woken whenever somebody may have lost a right.
    withdrawn: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Known {
    keys: HashMap<KeyId, Key>,
    ids: HashMap<Hash, KeyId>,
    sessions: HashMap<Hash, NewApiSession>,
}

#[derive(Clone, Debug)]
struct Key {
    name: String,
    role: Role,
    expires: Option<UtcMillis>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            known: RwLock::default(),
            withdrawn: watch::Sender::new(()),
        }
    }
}

impl Known {
    /// A key that is valid.
    fn key(&self, id: KeyId, now: Option<UtcMillis>) -> Option<Caller> {
        let caller = self.holder(id)?;
        // A gateway that does not know the time cannot tell; a key with an end is then not taken.
        let has_ended = caller.expires.is_some_and(|end| is_over(end, now));
        (!has_ended).then_some(caller)
    }

    /// A key, whether or not it has expired.
    fn holder(&self, id: KeyId) -> Option<Caller> {
        let key = self.keys.get(&id)?;
        Some(Caller {
            name: key.name.clone(),
            role: key.role,
            key: id,
            expires: key.expires,
            login: None,
        })
    }

    /// A session that has not ended, of a key that is valid.
    fn session(&self, hash: &Hash, now: Option<UtcMillis>) -> Option<(Caller, UtcMillis)> {
        let session = self.sessions.get(hash)?;
        let caller = self.key(session.key, now)?;
        (!is_over(session.expires, now)).then_some((caller, session.expires))
    }
}

fn is_over(end: UtcMillis, now: Option<UtcMillis>) -> bool {
    now.is_none_or(|now| now >= end)
}

fn has_ended(keys: &HashMap<KeyId, Key>, session: &NewApiSession, now: UtcMillis) -> bool {
    let key = keys.get(&session.key);
    let ends = key.and_then(|key| key.expires).unwrap_or(UtcMillis::MAX);
    key.is_none() || session.expires.min(ends) <= now
}

impl Keys {
    pub(crate) fn put(&self, key: &ApiKey) {
        let mut known = self.write();
        if key.revoked.is_some() {
            known.keys.remove(&key.id);
            known.ids.retain(|_, id| *id != key.id);
            known.sessions.retain(|_, session| session.key != key.id);
            drop(known);
            self.withdrawn.send_replace(());
            return;
        }
        known.ids.insert(key.key.hash, key.id);
        let held = Key {
            name: key.key.name.clone(),
            role: role_of(key.key.role),
            expires: key.key.expires,
        };
        known.keys.insert(key.id, held);
    }

    /// Takes over a session, and forgets those of its key that the store has forgotten for it.
    pub(crate) fn put_session(&self, session: &NewApiSession) {
        let mut known = self.write();
        known.sessions.insert(session.hash, *session);
        let mut of_key: Vec<_> = known
            .sessions
            .values()
            .filter(|other| other.key == session.key)
            .map(|other| {
                (
                    other.hash != session.hash,
                    Reverse(other.expires),
                    other.hash.0,
                )
            })
            .collect();
        of_key.sort_unstable();
        let too_many = of_key.iter().skip(SESSIONS_PER_KEY as usize);
        let has_forgotten = too_many.len() > 0;
        for (_, _, hash) in too_many {
            known.sessions.remove(&Hash(*hash));
        }
        drop(known);
        if has_forgotten {
            self.withdrawn.send_replace(());
        }
    }

    pub(crate) fn end_session(&self, hash: &Hash) {
        self.write().sessions.remove(hash);
        self.withdrawn.send_replace(());
    }

    /// Whether there are sessions that have ended by themselves or with their key.
    pub(crate) fn hold_ended(&self, now: UtcMillis) -> bool {
        let known = self.read();
        let mut sessions = known.sessions.values();
        sessions.any(|session| has_ended(&known.keys, session, now))
    }

    /// Forgets them. The store goes first: what it could not forget is tried again.
    pub(crate) fn forget_ended(&self, now: UtcMillis) {
        let mut known = self.write();
        let Known { keys, sessions, .. } = &mut *known;
        sessions.retain(|_, session| !has_ended(keys, session, now));
    }

    /// The bearer of a key. The hash is looked up, not the key: how long that takes says nothing
    /// about the key.
    pub(crate) fn by_key(&self, key: &str, now: Option<UtcMillis>) -> Option<Caller> {
        let hash = Hash::of(&[key.as_bytes()]);
        let known = self.read();
        let id = *known.ids.get(&hash)?;
        known.key(id, now)
    }

    /// Whose session a token is, looked up by its hash as well.
    pub(crate) fn by_session(&self, token: &Token, now: Option<UtcMillis>) -> Option<Caller> {
        let (caller, expires) = self.read().session(&token.hash(), now)?;
        let login = Login {
            token: token.clone(),
            expires,
        };
        Some(Caller {
            login: Some(login),
            ..caller
        })
    }

    /// Whose session a token is as long as it is kept: it can be ended whatever the time is, and though the
    /// time is not known. It lets nobody in.
    pub(crate) fn holder(&self, token: &Token) -> Option<Caller> {
        let known = self.read();
        let session = known.sessions.get(&token.hash())?;
        known.holder(session.key)
    }

    /// Whether what a caller was let in with is still good; nobody is where anyone may.
    pub(crate) fn still_admit(&self, caller: Option<&Caller>, now: Option<UtcMillis>) -> bool {
        let Some(caller) = caller else { return true };
        match &caller.login {
            None => self.read().key(caller.key, now).is_some(),
            Some(login) => self.read().session(&login.token.hash(), now).is_some(),
        }
    }

    /// Hears whenever somebody may have lost a right.
    pub(crate) fn withdrawals(&self) -> watch::Receiver<()> {
        self.withdrawn.subscribe()
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known
            .read()
            .expect("no code panics while it holds this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known
            .write()
            .expect("no code panics while it holds this lock")
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
        ww_store::Role::Firmware => Role::Firmware,
        ww_store::Role::Admin => Role::Admin,
    }
}

pub(crate) const fn stored_role(role: Role) -> ww_store::Role {
    match role {
        Role::Viewer => ww_store::Role::Viewer,
        Role::Operator => ww_store::Role::Operator,
        Role::Firmware => ww_store::Role::Firmware,
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
    let headers = request.headers();
    let caller = match bearer(headers) {
        None => match by_cookie(gateway, request) {
            Some(caller) => showing_its_word(caller, access, request)?,
            None => {
                limit(gateway, request)?;
                None
            }
        },
        Some(key) => match gateway.keys.by_key(key, gateway.now()) {
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
    let needed = match access {
        Access::Open | Access::Signed => return Ok(caller),
        Access::Role(Role::Viewer) if gateway.config.public_read => return Ok(caller),
        Access::Role(role) => [role; 2],
        Access::EitherRole(one, other) => [one, other],
    };
    let name = || match needed {
        [one, other] if one == other => one.name().to_owned(),
        [one, other] => format!("{} or {}", one.name(), other.name()),
    };
    match caller {
        None => Err(Failure::new(
            ProblemKind::Unauthorized,
            match needed {
                [Role::Viewer, Role::Viewer] => {
                    "public read is off on this gateway: log in, send a key with the role \
                     viewer as a bearer token, or start the gateway with `--public-read`"
                        .to_owned()
                }
                _ => format!("this needs a key with the role {}", name()),
            },
        )),
        Some(caller) if !needed.iter().any(|needed| caller.role.may(*needed)) => {
            let detail = format!(
                "this needs the role {}, the key has {}",
                name(),
                caller.role.name()
            );
            Err(Failure::new(ProblemKind::Forbidden, detail))
        }
        Some(caller) => Ok(Some(caller)),
    }
}

/// Who is logged in. A cookie that is not good any more is as none; a browser sends it unasked.
fn by_cookie(gateway: &Shared, request: &Request<Body>) -> Option<Caller> {
    let encrypted = *request.extensions().get::<Encrypted>()?;
    let name = gateway.cookie_names.over(encrypted);
    let mut tokens = Token::all(request.headers(), name);
    tokens.find_map(|token| gateway.keys.by_session(&token, gateway.now()))
}

/// As whom somebody who is logged in acts. A change has to show that a page of this gateway sent it.
fn showing_its_word(
    caller: Caller,
    access: Access,
    request: &Request<Body>,
) -> Result<Option<Caller>> {
    if request.method().is_safe() {
        return Ok(Some(caller));
    }
    // What anyone may send needs nobody's right: whoever logs in or out, and a meter that announces itself.
    if matches!(access, Access::Open | Access::Signed) {
        return Ok(None);
    }
    if let Some(login) = &caller.login {
        login.token.expect_csrf(request.headers())?;
    }
    Ok(Some(caller))
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
        let caller = keys.by_key("wwk_a", UtcMillis::new(999)).unwrap();
        assert_eq!(caller.role, Role::Operator);
        assert_eq!(keys.by_key("wwk_a", UtcMillis::new(1_000)), None);
        assert_eq!(keys.by_key("wwk_a", None), None);
        assert_eq!(keys.by_key("wwk_b", UtcMillis::new(0)), None);
    }

    #[test]
    fn a_revoked_key_is_forgotten() {
        let keys = Keys::default();
        let mut one = key(1, "wwk_a", ww_store::Role::Admin);
        keys.put(&one);
        one.revoked = UtcMillis::new(5);
        keys.put(&one);
        assert_eq!(keys.by_key("wwk_a", UtcMillis::new(0)), None);
    }

    fn session(number: u32, key: u32, expires: u64) -> NewApiSession {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        NewApiSession {
            hash: Hash(hash),
            key: KeyId(key),
            expires: UtcMillis::new(expires).unwrap(),
        }
    }

    #[test]
    fn sessions_are_forgotten_once_they_or_their_keys_have_ended() {
        let keys = Keys::default();
        keys.put(&key(1, "wwk_a", ww_store::Role::Admin));
        for (number, key, expires) in [(1, 1, 500), (2, 1, 2_000), (3, 9, 2_000)] {
            keys.put_session(&session(number, key, expires));
        }
        for (now, has_forgotten, left) in [
            (499, true, 2),
            (499, false, 2),
            (500, true, 1),
            (999, false, 1),
            (1_000, true, 0),
        ] {
            let at = UtcMillis::new(now).unwrap();
            let before = keys.read().sessions.len();
            assert_eq!(keys.hold_ended(at), has_forgotten, "{now}");
            assert_eq!(keys.read().sessions.len(), before, "{now}");
            keys.forget_ended(at);
            assert_eq!(keys.read().sessions.len(), left, "{now}");
        }
    }

    #[test]
    fn the_session_that_ends_first_makes_room_as_in_the_store() {
        let keys = Keys::default();
        keys.put_session(&session(0, 2, 1));
        for number in 1..=SESSIONS_PER_KEY {
            keys.put_session(&session(number, 1, 1_000 + u64::from(number)));
        }
        // The newest stays although it ends before all others: the clock was ahead when they began.
        keys.put_session(&session(1_000, 1, 7));
        let known = keys.read();
        let holds = |number| known.sessions.contains_key(&session(number, 1, 1).hash);
        assert_eq!(
            [0, 1, 2, SESSIONS_PER_KEY, 1_000].map(holds),
            [true, false, true, true, true]
        );
    }

    #[test]
    fn who_logs_in_wakes_nobody_until_another_session_makes_room() {
        let keys = Keys::default();
        let withdrawals = keys.withdrawals();
        for number in 1..=SESSIONS_PER_KEY {
            keys.put_session(&session(number, 1, 1_000));
        }
        assert!(!withdrawals.has_changed().unwrap());
        keys.put_session(&session(0, 1, 1_000));
        assert!(withdrawals.has_changed().unwrap());
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
