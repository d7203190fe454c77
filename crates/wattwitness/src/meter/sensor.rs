//! The Shelly over HTTP: asks for what the meter wants and hands over the answer piece by piece. It
//! reads no measurement; only which model answers.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use ww_device::authentication::{AuthenticationError, Challenge, Header};
use ww_device::sampler::TIMEOUT_MS;
use ww_device::shelly::{IDENTITY_PATH, IdentityReader, Poll, Sensor};
use ww_wire::{Mac, SensorModel};
use zeroize::Zeroizing;

use crate::http::reason;

/// The most that is read of an answer that says what the sensor is.
const LONGEST_IDENTITY: usize = 8 << 10;

/// The requests of one poll share a connection; it is given up before the next poll, because a
/// Shelly has few of them.
const IDLE: Duration = Duration::from_secs(3);

/// Where the first generation shows its measurement.
const GEN1_STATUS: &str = "/status";

/// Name and password for the sensor.
#[derive(Clone)]
pub(super) struct Login {
    /// The user.
    pub(super) user: String,
    /// The password.
    pub(super) password: Zeroizing<String>,
}

/// How a generation of sensors asks for a password. A device of one is never answered in the way
/// of the other: Basic would give a digest password away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Basic,
    Digest,
}

impl Scheme {
    const fn of(model: SensorModel) -> Self {
        match model {
            SensorModel::ShellyEmGen1 | SensorModel::Shelly3EmGen1 => Self::Basic,
            SensorModel::ShellyEm1Gen2 | SensorModel::ShellyEmGen2 => Self::Digest,
        }
    }
}

/// What the sensor has asked for so far.
enum Authorization {
    None,
    Basic,
    Digest(Box<Challenge>),
}

/// The way to one sensor.
#[derive(Clone)]
pub(super) struct SensorClient {
    http: Client,
    base: Url,
    login: Option<Login>,
    authorization: Arc<Mutex<Authorization>>,
}

/// What the sensor turned out to be.
#[derive(Clone, Debug)]
pub(super) struct Identified {
    /// Its model.
    pub(super) model: SensorModel,
    /// Its MAC address.
    pub(super) mac: Mac,
    /// The answer in which it said so.
    pub(super) answer: Vec<u8>,
}

/// Why it is not known what the sensor is.
#[derive(Debug)]
pub(super) enum NotIdentified {
    /// No answer, or half of one: worth another try.
    Unreachable(String),
    /// An answer that another try does not change.
    Unusable(anyhow::Error),
}

/// What comes of a request, in this order; nothing follows `Ends` and `Broke`.
#[derive(Debug)]
pub(super) enum Piece {
    /// The status, once authentication is settled.
    Begins(u16),
    /// The next bytes of the body.
    Bytes(Vec<u8>),
    /// The body is whole.
    Ends,
    /// There is no connection, or it broke.
    Broke(String),
}

/// One request under way. Dropping it closes its connection.
pub(super) struct Exchange {
    state: State,
}

enum State {
    Asking(Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send>>),
    Reading(Box<Response>),
    Over,
}

impl SensorClient {
    /// A way to the sensor at `base`; nothing is asked yet.
    pub(super) fn new(base: Url, login: Option<Login>) -> anyhow::Result<Self> {
        if let Some(login) = &login {
            Header::basic(&login.user, &login.password)
                .context("the Shelly's user or password cannot be used")?;
        }
        // A sensor is in the same house: no proxy, and nowhere else that it may send us.
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .http1_only()
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(IDLE)
            .user_agent(super::USER_AGENT)
            .build()
            .context("no HTTP client can be made")?;
        Ok(Self {
            http,
            base,
            login,
            authorization: Arc::new(Mutex::new(Authorization::None)),
        })
    }

    /// Asks for `path`, which is given as it goes onto the wire.
    pub(super) fn get(&self, path: &'static str, model: SensorModel) -> Exchange {
        let asking = self.clone().ask(path, Some(Scheme::of(model)));
        Exchange {
            state: State::Asking(Box::pin(asking)),
        }
    }

    /// Finds out what the sensor is, by what it says itself; one that says nothing but shows the
    /// measurement of the first generation is one of these.
    pub(super) async fn identify(&self) -> Result<Identified, NotIdentified> {
        let limit = Duration::from_millis(TIMEOUT_MS);
        tokio::time::timeout(limit, self.try_to_identify())
            .await
            .unwrap_or_else(|_| {
                let why = format!("no whole answer within {} s", limit.as_secs());
                Err(NotIdentified::Unreachable(why))
            })
    }

    async fn try_to_identify(&self) -> Result<Identified, NotIdentified> {
        // Every generation answers this without a password, so none is given away by asking.
        let (status, answer) = self.read(IDENTITY_PATH, None).await?;
        let identified = if status == 404 {
            let (status, answer) = self.read(GEN1_STATUS, Some(Scheme::Basic)).await?;
            by_measurement(status, answer)
        } else {
            by_identity(status, answer, self.login.is_some())
        };
        identified.map_err(NotIdentified::Unusable)
    }

    async fn read(
        &self,
        path: &'static str,
        scheme: Option<Scheme>,
    ) -> Result<(u16, Vec<u8>), NotIdentified> {
        let unreachable = |error| NotIdentified::Unreachable(reason(&error));
        let asked = self.clone().ask(path, scheme).await;
        let mut response = asked.map_err(unreachable)?;
        let mut answer = Vec::new();
        while let Some(bytes) = response.chunk().await.map_err(unreachable)? {
            answer.extend_from_slice(&bytes);
            if answer.len() > LONGEST_IDENTITY {
                let error = anyhow::anyhow!("the answer to {path} is longer than any Shelly's");
                return Err(NotIdentified::Unusable(error));
            }
        }
        let status = response.status();
        if status.is_server_error() {
            // A Shelly that is starting answers like that.
            let why = format!("{path} was answered with status {status}");
            return Err(NotIdentified::Unreachable(why));
        }
        Ok((status.as_u16(), answer))
    }

    /// Asks once, and once more when the sensor wants a password in the way that is right for it.
    async fn ask(self, path: &'static str, scheme: Option<Scheme>) -> reqwest::Result<Response> {
        let mut url = self.base.clone();
        let (without_query, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        url.set_path(without_query);
        url.set_query(query);
        let mut is_second = false;
        loop {
            let mut request = self.http.get(url.clone());
            if let Some(header) = scheme.and_then(|_| self.header(path)) {
                request = request.header(AUTHORIZATION, header);
            }
            let response = request.send().await?;
            let wants_password = response.status() == StatusCode::UNAUTHORIZED && !is_second;
            match scheme {
                Some(scheme) if wants_password && self.take_challenge(&response, scheme) => {
                    is_second = true;
                }
                _ => return Ok(response),
            }
        }
    }

    fn header(&self, path: &str) -> Option<HeaderValue> {
        let login = self.login.as_ref()?;
        let header = match &mut *self.authorization() {
            Authorization::None => return None,
            Authorization::Basic => Header::basic(&login.user, &login.password),
            Authorization::Digest(challenge) => digest(challenge, login, path),
        };
        match header {
            Ok(header) => {
                let mut value = HeaderValue::from_str(header.as_str()).ok()?;
                value.set_sensitive(true);
                Some(value)
            }
            Err(error) => {
                tracing::warn!(%error, "the sensor's challenge cannot be answered");
                None
            }
        }
    }

    /// Whether asking again, with what the sensor wants, makes sense.
    fn take_challenge(&self, response: &Response, scheme: Scheme) -> bool {
        if self.login.is_none() {
            return false;
        }
        let offers = response.headers().get_all(WWW_AUTHENTICATE);
        let mut offers = offers.iter().filter_map(|value| value.to_str().ok());
        let mut authorization = self.authorization();
        let wanted = match (scheme, &*authorization) {
            // It has the password and refuses it.
            (Scheme::Basic, Authorization::Basic) => None,
            (Scheme::Basic, _) => offers
                .any(|offer| {
                    offer
                        .get(..5)
                        .is_some_and(|s| s.eq_ignore_ascii_case("basic"))
                })
                .then_some(Authorization::Basic),
            (Scheme::Digest, _) => offers
                .find_map(|offer| Challenge::parse(offer).ok())
                .map(|challenge| Authorization::Digest(Box::new(challenge))),
        };
        wanted.is_some_and(|wanted| {
            *authorization = wanted;
            true
        })
    }

    fn authorization(&self) -> MutexGuard<'_, Authorization> {
        self.authorization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(
    challenge: &mut Challenge,
    login: &Login,
    path: &str,
) -> Result<Header, AuthenticationError> {
    challenge.header(&login.user, &login.password, path, super::random())
}

fn by_identity(status: u16, answer: Vec<u8>, has_login: bool) -> anyhow::Result<Identified> {
    ensure!(
        status == 200,
        "{IDENTITY_PATH} was answered with status {status}; is this address a Shelly's?"
    );
    let mut reader = IdentityReader::new();
    let identity = reader
        .push(&answer)
        .and_then(|()| reader.finish())
        .with_context(|| format!("the answer to {IDENTITY_PATH} is none of a Shelly"))?;
    let mac = identity.mac;
    let Some(model) = identity.model else {
        bail!(
            "the Shelly {mac} is no energy meter that is known here (Shelly EM, 3EM, Pro EM, Pro 3EM)"
        );
    };
    ensure!(
        has_login || !identity.password_needed,
        "the Shelly {mac} asks for a password: give it by --shelly-password-file FILE or in {}",
        super::PASSWORD_VARIABLE
    );
    Ok(Identified { model, mac, answer })
}

/// A single-phase device shows two channels and a three-phase one three, which makes all the
/// difference between the two.
fn by_measurement(status: u16, answer: Vec<u8>) -> anyhow::Result<Identified> {
    ensure!(
        status == 200,
        "neither {IDENTITY_PATH} nor {GEN1_STATUS} is answered as a Shelly does (status {status})"
    );
    for model in [SensorModel::Shelly3EmGen1, SensorModel::ShellyEmGen1] {
        let sensor = Sensor::new(model, 0).context("every model has a channel 0")?;
        let mut poll = Poll::new(sensor);
        let sample = poll
            .begin(status)
            .and_then(|()| poll.push(&answer))
            .and_then(|()| poll.end())
            .and_then(|()| poll.sample());
        if let Ok(sample) = sample {
            let mac = sample.mac;
            return Ok(Identified { model, mac, answer });
        }
    }
    bail!("the answer to {GEN1_STATUS} is none of a Shelly EM or 3EM")
}

impl Exchange {
    /// The next piece. Nothing is lost when this is dropped before it is done.
    pub(super) async fn next(&mut self) -> Piece {
        match &mut self.state {
            State::Asking(asking) => match asking.await {
                Ok(response) => {
                    let status = response.status().as_u16();
                    self.state = State::Reading(Box::new(response));
                    Piece::Begins(status)
                }
                Err(error) => self.broke(error),
            },
            State::Reading(response) => match response.chunk().await {
                Ok(Some(bytes)) => Piece::Bytes(bytes.to_vec()),
                Ok(None) => {
                    self.state = State::Over;
                    Piece::Ends
                }
                Err(error) => self.broke(error),
            },
            State::Over => std::future::pending().await,
        }
    }

    fn broke(&mut self, error: reqwest::Error) -> Piece {
        self.state = State::Over;
        Piece::Broke(reason(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_status_is_that_of_a_shelly_em() {
        let answer = include_bytes!("../../../ww-device/tests/fixtures/shelly-em-gen1-status.json");
        let identified = by_measurement(200, answer.to_vec()).unwrap();
        assert_eq!(identified.model, SensorModel::ShellyEmGen1);
        assert_eq!(identified.mac.to_string(), "EC64C9C05E97");
    }

    #[test]
    fn three_channels_are_those_of_a_3em() {
        let answer =
            include_bytes!("../../../ww-device/tests/fixtures/shelly-3em-gen1-status.json");
        let identified = by_measurement(200, answer.to_vec()).unwrap();
        assert_eq!(identified.model, SensorModel::Shelly3EmGen1);
    }

    #[test]
    fn a_shelly_that_is_no_meter_is_named() {
        let plug = br#"{"type":"SHPLG-S","mac":"AABBCCDDEEFF","auth":false}"#;
        let error = by_identity(200, plug.to_vec(), false).unwrap_err();
        assert!(error.to_string().contains("AABBCCDDEEFF"), "{error}");
    }

    #[test]
    fn a_password_that_is_missing_is_asked_for_by_name() {
        let locked = br#"{"type":"SHEM","mac":"AABBCCDDEEFF","auth":true}"#;
        let error = by_identity(200, locked.to_vec(), false).unwrap_err();
        assert!(
            error.to_string().contains("--shelly-password-file"),
            "{error}"
        );
        by_identity(200, locked.to_vec(), true).unwrap();
    }
}
