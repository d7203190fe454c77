//! A Shelly energy meter on real HTTP, with the answers of four models and the faults of all. It
//! shows what a [`Sensor`] observes; physics and counters are the sensor's.
//!
//! | model | doors |
//! | --- | --- |
//! | first generation | `/shelly`, `/status`, `/emeter/{n}` |
//! | second generation | `/shelly`, `/rpc/Shelly.GetDeviceInfo`, `/rpc/Sys.GetStatus`, `/rpc/EM1.GetStatus?id=`, `/rpc/EM1Data.GetStatus?id=` or, with three phases, `/rpc/EM.GetStatus?id=0`, `/rpc/EMData.GetStatus?id=0` |
//!
//! With a password the first generation asks for basic authentication and the second for digest
//! authentication by SHA-256; both show `/shelly` (and `Shelly.GetDeviceInfo`) to anyone.

mod answer;
mod authentication;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::sensor::{self, Sensor};
use authentication::Guard;
use ww_wire::{SensorModel, UtcMillis};

/// How long no connection is taken after one could not be.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How the sensor is mounted: what its answers say beside the measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Housing {
    /// Name of the radio network.
    pub ssid: String,
    /// Its address there.
    pub ip: String,
    /// Signal strength in dBm.
    pub rssi_dbm: i16,
    /// Offset of its local clock from UTC.
    pub utc_offset_s: i64,
    /// The user is always `admin`; `None` leaves the doors open.
    pub password: Option<String>,
}

impl Default for Housing {
    fn default() -> Self {
        Self {
            ssid: "park".into(),
            ip: "127.0.0.1".into(),
            rssi_dbm: -67,
            utc_offset_s: 7200,
            password: None,
        }
    }
}

/// What may be wrong on the way to the sensor, each until it is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpFaults {
    /// Every answer comes this much later.
    pub delay: Duration,
    /// Connections are closed without a word.
    pub is_unreachable: bool,
    /// The body breaks off after this many bytes, though its length promised more.
    pub truncated_after_bytes: Option<usize>,
    /// The body is this instead, with status 200.
    pub nonsense: Option<&'static str>,
}

/// A running emulator; it stops when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    running: watch::Sender<bool>,
}

impl Emulator {
    /// Starts listening at `address` (port 0 takes a free one) in the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(
        address: SocketAddr,
        sensor: Sensor,
        housing: Housing,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let id = answer::device_id(sensor.model(), sensor.mac());
        let guard = housing.password.as_deref().map(|password| {
            if sensor::speaks_rpc(sensor.model()) {
                Guard::digest(&id, password, u64::from(address.port()))
            } else {
                Guard::basic(&id, password)
            }
        });
        let state = State {
            sensor,
            guard,
            faults: HttpFaults::default(),
            requests: 0,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            housing,
            clock,
        });
        let (running, stopped) = watch::channel(true);
        tokio::spawn(accept(listener, Arc::clone(&shared), stopped));
        Ok(Self {
            address,
            shared,
            running,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as the base of a URL without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets what is wrong on the way; it holds for the next request on any connection.
    pub fn set_faults(&self, faults: HttpFaults) {
        self.shared.state().faults = faults;
    }

    /// Forgets every nonce it gave out, as a restart does.
    pub fn forget_nonces(&self) {
        if let Some(guard) = &mut self.shared.state().guard {
            guard.forget_nonces();
        }
    }

    /// Gives the sensor to `change`, to break it, to reset it or to look at it.
    pub fn with_sensor<T>(&self, change: impl FnOnce(&mut Sensor) -> T) -> T {
        change(&mut self.shared.state().sensor)
    }

    /// Requests that reached it so far, answered or not.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.state().requests
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.running.send_replace(false);
    }
}

struct Shared {
    state: Mutex<State>,
    housing: Housing,
    clock: Arc<dyn Clock>,
}

struct State {
    sensor: Sensor,
    guard: Option<Guard>,
    faults: HttpFaults,
    requests: u64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => {
                let stream = match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) if is_of_one_connection(&error) => continue,
                    Err(_) => {
                        tokio::time::sleep(ACCEPT_AGAIN).await;
                        continue;
                    }
                };
                if !shared.state().faults.is_unreachable {
                    tokio::spawn(serve(stream, Arc::clone(&shared), stopped.clone()));
                }
            }
        }
    }
}

/// A connection that died while it waited is the peer's loss, and the next one is there. Any other
/// error, such as too many open files, stays until something else ends.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let service = service_fn(|request| answer_request(request, &shared));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = stopped.changed() => {}
        // An error is a peer that left or a fault of ours that worked.
        _ = connection => {}
    }
}

/// The connection ends here without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the emulated sensor is unreachable")]
struct Unreachable;

async fn answer_request(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<AnswerBody>, Unreachable> {
    let faults = {
        let mut state = shared.state();
        state.requests += 1;
        state.faults
    };
    if !faults.delay.is_zero() {
        tokio::time::sleep(faults.delay).await;
    }
    if faults.is_unreachable {
        return Err(Unreachable);
    }
    let Answer {
        status,
        body,
        challenge,
    } = answer(&request, shared);
    let body = match faults.nonsense {
        Some(nonsense) if status == StatusCode::OK => nonsense.to_owned(),
        _ => body,
    };
    let content_type = if body.starts_with('{') {
        "application/json"
    } else {
        "text/plain"
    };
    let mut response = Response::new(AnswerBody::new(body, faults.truncated_after_bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static(content_type),
    );
    if let Some(challenge) = challenge.and_then(|text| text.parse().ok()) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    let length = response.body().promised_bytes;
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    Ok(response)
}

struct Answer {
    status: StatusCode,
    body: String,
    challenge: Option<String>,
}

impl Answer {
    fn ok(body: String) -> Self {
        Self {
            status: StatusCode::OK,
            body,
            challenge: None,
        }
    }

    fn refused(status: StatusCode, body: impl Into<String>) -> Self {
        Self {
            status,
            body: body.into(),
            challenge: None,
        }
    }
}

/// What a sensor answers to `GET target` at `now` when nothing is in the way: no lock, no HTTP, no
/// fault but the sensor's own. For meters whose years pass in minutes.
#[must_use]
pub fn document(
    sensor: &mut Sensor,
    housing: &Housing,
    target: &str,
    now: UtcMillis,
) -> (u16, String) {
    let answer = answer_to(sensor, housing, target, now);
    (answer.status.as_u16(), answer.body)
}

fn answer(request: &Request<Incoming>, shared: &Shared) -> Answer {
    let path = request.uri().path();
    let target = request
        .uri()
        .path_and_query()
        .map_or(path, |target| target.as_str());
    let mut state = shared.state();
    let State { sensor, guard, .. } = &mut *state;
    if request.method() != Method::GET {
        return Answer::refused(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    }
    let open = matches!(path, "/shelly" | "/rpc/Shelly.GetDeviceInfo");
    if let Some(guard) = guard.as_mut().filter(|_| !open) {
        let header = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        if let Err(challenge) = guard.admit(request.method().as_str(), target, header) {
            let refused = Answer::refused(StatusCode::UNAUTHORIZED, "401 Unauthorized");
            return Answer {
                challenge: Some(challenge),
                ..refused
            };
        }
    }
    answer_to(sensor, &shared.housing, target, shared.clock.utc())
}

fn answer_to(sensor: &mut Sensor, housing: &Housing, target: &str, now: UtcMillis) -> Answer {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let model = sensor.model();
    let observation = sensor.observe(now);
    let is_locked = housing.password.is_some();
    if path == "/shelly" {
        return Answer::ok(answer::shelly(model, &observation, is_locked));
    }
    match (model, path.strip_prefix("/rpc/")) {
        (SensorModel::ShellyEmGen1, None) if path == "/status" => {
            Answer::ok(answer::em_status(&observation, housing))
        }
        (SensorModel::Shelly3EmGen1, None) if path == "/status" => {
            Answer::ok(answer::three_em_status(&observation, housing))
        }
        (SensorModel::ShellyEmGen1 | SensorModel::Shelly3EmGen1, None) => {
            let channel = path
                .strip_prefix("/emeter/")
                .and_then(|n| n.parse::<usize>().ok());
            match channel.and_then(|channel| observation.channels.get(channel)) {
                Some(shown) => Answer::ok(answer::emeter(model, shown)),
                None => Answer::refused(StatusCode::NOT_FOUND, "Not Found"),
            }
        }
        (SensorModel::ShellyEm1Gen2 | SensorModel::ShellyEmGen2, Some(method)) => rpc(
            model,
            method,
            parameter(query, "id"),
            &observation,
            is_locked,
        ),
        _ => Answer::refused(StatusCode::NOT_FOUND, "Not Found"),
    }
}

fn rpc(
    model: SensorModel,
    method: &str,
    id: Option<&str>,
    observation: &crate::sensor::Observation,
    is_locked: bool,
) -> Answer {
    let by_id = |render: fn(usize, &crate::sensor::Observation) -> Option<String>| {
        let Some(id) = id else {
            let body = r#"{"code":-103,"message":"Missing required argument 'id'!"}"#;
            return Answer::refused(StatusCode::INTERNAL_SERVER_ERROR, body);
        };
        match id.parse().ok().and_then(|id| render(id, observation)) {
            Some(body) => Answer::ok(body),
            None => {
                let body = r#"{"code":-105,"message":"Argument 'id' not found!"}"#;
                Answer::refused(StatusCode::NOT_FOUND, body)
            }
        }
    };
    match (method, model.is_three_phase()) {
        ("Shelly.GetDeviceInfo", _) => Answer::ok(answer::shelly(model, observation, is_locked)),
        ("Sys.GetStatus", _) => Answer::ok(answer::sys_status(observation)),
        ("EM1.GetStatus", false) => by_id(answer::em1_status),
        ("EM1Data.GetStatus", false) => by_id(answer::em1_data_status),
        ("EM.GetStatus", true) => by_id(answer::em_rpc_status),
        ("EMData.GetStatus", true) => by_id(answer::em_data_status),
        _ => {
            let body = r#"{"code":404,"message":"No handler for this method"}"#;
            Answer::refused(StatusCode::NOT_FOUND, body)
        }
    }
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

/// A body that can break off before the length that it promised.
struct AnswerBody {
    promised_bytes: u64,
    rest: Option<Bytes>,
    end: End,
}

/// What follows the last byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// A pause first, in which the server sends what it has; then it breaks off.
    Pause,
    BreakOff,
}

impl AnswerBody {
    fn new(text: String, truncated_after_bytes: Option<usize>) -> Self {
        let mut rest = Bytes::from(text);
        let promised_bytes = rest.len() as u64;
        let mut end = End::Whole;
        if let Some(kept) = truncated_after_bytes.filter(|kept| *kept < rest.len()) {
            rest.truncate(kept);
            end = End::Pause;
        }
        let rest = Some(rest).filter(|rest| !rest.is_empty());
        Self {
            promised_bytes,
            rest,
            end,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(bytes) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Pause => {
                self.end = End::BreakOff;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::BreakOff => Poll::Ready(Some(Err(BrokenOff))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.end == End::Whole
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised_bytes)
    }
}

/// The body ends before the length that was promised.
#[derive(Debug, thiserror::Error)]
#[error("the emulated answer breaks off")]
struct BrokenOff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_free_descriptors_is_left_alone_for_a_while() {
        let (aborted, too_many_open_files) = (103, 24);
        assert!(is_of_one_connection(&io::Error::from_raw_os_error(aborted)));
        assert!(!is_of_one_connection(&io::Error::from_raw_os_error(
            too_many_open_files
        )));
    }
}
