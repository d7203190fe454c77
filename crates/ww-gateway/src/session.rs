//! Browsers' sessions: an API key is changed for a cookie that scripts cannot read, and every change
//! that comes with the cookie shows that a page of this gateway sent it. What a session may do is the
//! key's affair.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::time::Instant;
use ww_api::session::{CSRF_HEADER, SECURE_PREFIX, SESSION_COOKIE};
use ww_api::{NewSession, ProblemKind, Session, hex};
use ww_store::NewApiSession;
use ww_wire::{Hash, SignerId, UtcMillis};

use crate::access::Caller;
use crate::error::{Failure, Result};
use crate::installations::JsonBody;
use crate::state::{Encrypted, Gateway, Peer, Shared, to_its_end};
use crate::view;

/// How long a session lasts: 30 days.
const LASTS_MS: u64 = 30 * 86_400_000;

/// What it costs an address to log in, beside the request: with a wrong key it may be guessing, and a right
/// one leaves a session and a line in the audit trail.
const LOGIN_COST: usize = 20;

/// What every token begins with, so that it is recognised where it should not be.
const PREFIX: &str = "wws_";

/// What a token is hashed behind to make the word that pages send. The token itself is hashed for the
/// store, and begins otherwise.
const CSRF_DOMAIN: &[u8] = b"wattwitness csrf\0";

/// What a session's cookie holds: 256 random bits. It is nowhere but in the browser.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    fn new() -> Result<Self> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes)
            .map_err(|_| Failure::new(ProblemKind::Internal, "the system gives no randomness"))?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// What the request's cookies of this name say. Over HTTPS only the cookie that browsers took over HTTPS counts: anyone
    /// on the way can set the other one. Of that a browser may send several, put for other paths or by a
    /// neighbour of the same domain; none of them hides another.
    pub(crate) fn all(headers: &HeaderMap, name: &str) -> impl Iterator<Item = Self> {
        let cookies = headers.get_all(header::COOKIE).iter();
        cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(move |(known, _)| *known == name)
            .map(|(_, token)| Self(token.to_owned()))
    }

    /// What the store knows of it.
    pub(crate) fn hash(&self) -> Hash {
        Hash::of(&[self.0.as_bytes()])
    }

    fn csrf_token(&self) -> String {
        let hash = Hash::of(&[CSRF_DOMAIN, self.0.as_bytes()]);
        URL_SAFE_NO_PAD.encode(hash.0)
    }

    /// Refuses a change that does not show that a page sent it that can read this gateway's answers.
    pub(crate) fn expect_csrf(&self, headers: &HeaderMap) -> Result<()> {
        let wrong =
            |detail| Failure::new(ProblemKind::CsrfTokenWrong, detail).field("X-CSRF-Token");
        let shown = headers
            .get(CSRF_HEADER)
            .ok_or_else(|| wrong("the header `X-CSRF-Token` is missing"))?;
        verify_slices_are_equal(shown.as_bytes(), self.csrf_token().as_bytes())
            .map_err(|_| wrong("`X-CSRF-Token` is not the `csrf_token` of this session"))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

/// What the cookies of this gateway are called. Cookies know no ports: two gateways of one host would take each
/// other's for their own that is over.
#[derive(Debug)]
pub(crate) struct CookieNames {
    plain: String,
    secure: String,
}

impl CookieNames {
    pub(crate) fn of(operator: &SignerId) -> Self {
        let plain = format!("{SESSION_COOKIE}_{}", hex::encode(&operator.0[..4]));
        Self {
            secure: format!("{SECURE_PREFIX}{plain}"),
            plain,
        }
    }

    pub(crate) fn over(&self, Encrypted(is_encrypted): Encrypted) -> &str {
        match is_encrypted {
            true => &self.secure,
            false => &self.plain,
        }
    }
}

/// The cookie with a token for so many seconds; with none, it is taken back.
fn set_cookie(
    gateway: &Shared,
    response: &mut Response<Body>,
    token: &str,
    seconds: u64,
    encrypted: Encrypted,
) {
    let name = gateway.cookie_names.over(encrypted);
    let secure = if encrypted.0 { "; Secure" } else { "" };
    let cookie =
        format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let cookie =
        HeaderValue::try_from(cookie).expect("names and tokens are letters, digits, - and _");
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// `GET /api/v1/session`.
pub(crate) async fn read(
    State(gateway): State<Gateway>,
    Extension(encrypted): Extension<Encrypted>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
) -> Response<Body> {
    let caller = caller.map(|Extension(caller)| caller);
    let mut response = Json(show(&gateway, caller.as_ref())).into_response();
    // While the time is not known no session is good, and one may be again.
    let is_over = caller.is_none() && gateway.now().is_some();
    let name = gateway.cookie_names.over(encrypted);
    if is_over && Token::all(&headers, name).next().is_some() {
        set_cookie(&gateway, &mut response, "", 0, encrypted);
    }
    response
}

fn show(gateway: &Shared, caller: Option<&Caller>) -> Session {
    let login = caller.and_then(|caller| caller.login.as_ref());
    Session {
        role: caller.map(|caller| caller.role),
        name: caller.map(|caller| caller.name.clone()),
        public_read: gateway.config.public_read,
        expires_at: view::iso(login.map(|login| login.expires)),
        csrf_token: login.map(|login| login.token.csrf_token()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// `POST /api/v1/session`. The key is what proves the right, so that no cookie is asked for; one that
/// the browser had before is good for nothing any more.
pub(crate) async fn begin(
    State(gateway): State<Gateway>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(encrypted): Extension<Encrypted>,
    request: Request,
) -> Result<Response<Body>> {
    expect_json(request.headers())?;
    let before = kept(&gateway, request.headers(), encrypted);
    let JsonBody(NewSession { key }) = JsonBody::from_request(request, &gateway).await?;
    gateway.anonymous.check(peer, Instant::now)?;
    (gateway.anonymous).charge(peer, LOGIN_COST, Instant::now());
    let now = gateway.now();
    let caller = gateway.keys.by_key(key.trim(), now);
    let caller = caller.ok_or_else(unknown_key)?;
    let now = now.ok_or_else(|| {
        let detail = "the gateway does not know the time, and could not end the session in time";
        Failure::new(ProblemKind::StateConflict, detail)
    })?;
    let last = UtcMillis::new(now.get().saturating_add(LASTS_MS)).unwrap_or(UtcMillis::MAX);
    let token = Token::new()?;
    let new = NewApiSession {
        hash: token.hash(),
        key: caller.key,
        expires: caller.expires.map_or(last, |end| end.min(last)),
    };
    let subject = format!("key {}", caller.key.0);
    let begun = gateway.audit_of(&caller, "session.begin", subject, "");
    let intake = gateway.clone();
    to_its_end(async move {
        let stored = intake.store.add_session(new, begun).await?;
        let stored = stored.ok_or_else(unknown_key)?;
        intake.keys.put_session(&stored.session);
        if let Some(before) = before {
            end_one(&intake, &before).await?;
        }
        Ok(())
    })
    .await?;
    let caller = gateway.keys.by_session(&token, Some(now));
    let shown = show(&gateway, caller.as_ref());
    let mut response = Json(shown).into_response();
    let seconds = (new.expires.get() - now.get()) / 1000;
    set_cookie(&gateway, &mut response, &token.0, seconds, encrypted);
    Ok(response)
}

fn unknown_key() -> Failure {
    let detail = "the key sent is not known here or has expired";
    Failure::new(ProblemKind::KeyUnknown, detail)
}

/// JSON and nothing else: a form of another site cannot send it, and a script there has to ask first.
fn expect_json(headers: &HeaderMap) -> Result<()> {
    let media_type = headers.get(header::CONTENT_TYPE);
    let is_json = media_type
        .and_then(|media_type| media_type.to_str().ok())
        .and_then(|media_type| media_type.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
    match is_json {
        true => Ok(()),
        false => Err(Failure::new(
            ProblemKind::UnsupportedMediaType,
            "expected `application/json`",
        )
        .field("Content-Type")),
    }
}

/// `DELETE /api/v1/session`. Where there is no session any more, the cookie is taken back all the same.
pub(crate) async fn end(
    State(gateway): State<Gateway>,
    Extension(encrypted): Extension<Encrypted>,
    headers: HeaderMap,
) -> Result<Response<Body>> {
    if let Some(token) = kept(&gateway, &headers, encrypted) {
        token.expect_csrf(&headers)?;
        let intake = gateway.clone();
        to_its_end(async move { end_one(&intake, &token).await }).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&gateway, &mut response, "", 0, encrypted);
    Ok(response)
}

/// The token of a session that is kept.
fn kept(gateway: &Shared, headers: &HeaderMap, encrypted: Encrypted) -> Option<Token> {
    let mut tokens = Token::all(headers, gateway.cookie_names.over(encrypted));
    tokens.find(|token| gateway.keys.holder(token).is_some())
}

async fn end_one(gateway: &Shared, token: &Token) -> Result<()> {
    let Some(caller) = gateway.keys.holder(token) else {
        return Ok(());
    };
    let subject = format!("key {}", caller.key.0);
    let audit = gateway.audit_of(&caller, "session.end", subject, "");
    gateway.store.end_session(token.hash(), audit).await?;
    gateway.keys.end_session(&token.hash());
    Ok(())
}

/// Forgets the sessions that have ended by themselves or with their key.
pub(crate) async fn forget_ended(gateway: &Shared) -> Result<(), ww_store::StoreError> {
    if let Some(now) = gateway.now()
        && gateway.keys.hold_ended(now)
    {
        gateway.store.forget_sessions(now).await?;
        gateway.keys.forget_ended(now);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(cookies: &[&'static str], is_encrypted: bool) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_static(cookie));
        }
        let names = CookieNames::of(&SignerId([0xab; 32]));
        let tokens = Token::all(&headers, names.over(Encrypted(is_encrypted)));
        tokens.map(|token| token.0).collect()
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        for cookies in [
            &["wattwitness_session_abababab=wws_a"][..],
            &["theme=dark; wattwitness_session_abababab=wws_a; x=y"],
            &["theme=dark", " wattwitness_session_abababab=wws_a"],
        ] {
            assert_eq!(tokens(cookies, false), ["wws_a"], "{cookies:?}");
        }
        for cookies in [
            &[][..],
            &["my_wattwitness_session_abababab=wws_a"],
            &["wattwitness_session_abababab"],
            &["wattwitness_session_cdcdcdcd=wws_a"],
        ] {
            assert!(tokens(cookies, false).is_empty(), "{cookies:?}");
        }
    }

    #[test]
    fn over_https_a_cookie_that_came_over_http_is_not_looked_at() {
        let both =
            ["wattwitness_session_abababab=wws_a; __Host-wattwitness_session_abababab=wws_b"];
        assert_eq!(tokens(&both, true), ["wws_b"]);
        assert!(tokens(&["wattwitness_session_abababab=wws_a"], true).is_empty());
    }

    #[test]
    fn tokens_are_long_and_never_the_same_and_show_themselves_nowhere() {
        let (one, other) = (Token::new().unwrap(), Token::new().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.0.len(), PREFIX.len() + 43);
        assert!(!format!("{one:?}").contains(PREFIX));
        let csrf = one.csrf_token();
        assert_ne!(csrf, URL_SAFE_NO_PAD.encode(one.hash().0));
        assert_ne!(csrf, other.csrf_token());
    }

    #[test]
    fn a_change_shows_the_word_of_its_own_session() {
        let (one, other) = (Token::new().unwrap(), Token::new().unwrap());
        let mut headers = HeaderMap::new();
        assert!(one.expect_csrf(&headers).is_err());
        for (shown, is_right) in [
            (one.csrf_token(), true),
            (other.csrf_token(), false),
            (String::new(), false),
        ] {
            headers.insert(CSRF_HEADER, HeaderValue::try_from(shown).unwrap());
            assert_eq!(one.expect_csrf(&headers).is_ok(), is_right);
        }
    }
}
