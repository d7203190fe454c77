//! What devices ask about firmware, byte by byte as docs/FIRMWARE.md has it: questions and their signed
//! answers, records of objects, metadata, and signed reports. What a device should run is decided by the
//! rollouts; people are answered elsewhere. No cookie and no header that a device does not need.

mod assigner;
mod bodies;
pub(crate) mod catalogue;
mod keys;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use hyper::body::Incoming;
use tokio::sync::Notify;
use tokio::time::Instant;
use ww_api::route::{CBOR, OCTETS};
use ww_api::{ProblemKind, hex};
use ww_release::assignment::{Assignment, MAX_ASSIGNMENT, NONCE_BYTES, Nonce, Stage};
use ww_release::canonical;
use ww_release::question::{
    Answer, AnsweredKey, MAX_ANSWER, MAX_ANSWERED_KEYS, MAX_QUESTION, ProvenQuestion, Question,
    UpdateState,
};
use ww_release::secret::DeviceSecret;
use ww_store::{InstallationState, Store, StoreError, StoredUpdateReport};
use ww_wire::cose::{Item, Items};
use ww_wire::record::{MAX_PAYLOAD, Record as _};
use ww_wire::{Domain, Hash, SignerId, UpdateReport};

use self::assigner::Assigner;
use self::catalogue::{Catalogue, HeldRelease, HeldRoot};
pub(crate) use self::keys::{Checker, FirmwareKeys};
use self::sessions::Sessions;
use crate::error::{Failure, Result};
use crate::firmware::Decision;
use crate::ingest::{active_meter, admit, charge, expect_media_type, read_body, refuse, verify};
use crate::parameters::Parameters;
use crate::registry::Meter;
use crate::state::{Gateway, Peer, Shared, to_its_end};

/// How long questions may wait to be written beside others.
const WRITE_PAUSE: Duration = Duration::from_millis(100);

/// Bytes of a COSE_Sign1 around a record: heads, header and signature.
const SIGN1_ROOM: usize = 128;

/// What is known and held for devices.
pub(crate) struct Ota {
    /// None where this gateway updates no firmware.
    working: Option<Working>,
    pub(crate) catalogue: Catalogue,
    pub(crate) sessions: Sessions,
    questions_wait: Notify,
}

struct Working {
    keys: Arc<FirmwareKeys>,
    assigner: Assigner,
}

impl Ota {
    /// Takes up roots and releases from the store, with the keys if there are any.
    pub(crate) async fn open(
        keys: Option<FirmwareKeys>,
        store: &dyn Store,
    ) -> Result<Self, StoreError> {
        let keys = keys.map(Arc::new);
        let fleet = keys.as_ref().map(|keys| &keys.fleet);
        let catalogue = Catalogue::load(store, fleet).await?;
        let working = keys.map(|keys| Working {
            assigner: Assigner::start(Arc::clone(&keys)),
            keys,
        });
        Ok(Self {
            working,
            catalogue,
            sessions: Sessions::default(),
            questions_wait: Notify::new(),
        })
    }

    /// The keys.
    ///
    /// # Errors
    /// `firmware-not-configured`.
    pub(crate) fn keys(&self) -> Result<&FirmwareKeys> {
        self.working().map(|working| &*working.keys)
    }

    fn working(&self) -> Result<&Working> {
        self.working.as_ref().ok_or_else(|| {
            not_configured(
                "this gateway was started without `--firmware-key` and `--assignment-key`",
            )
        })
    }

    /// The newest root, if what this gateway signs is an assignment by it.
    fn root(&self, working: &Working) -> Result<Arc<HeldRoot>> {
        let root = self.catalogue.newest_root();
        let root = root.ok_or_else(|| not_configured("no root was added to this gateway yet"))?;
        match root.is_assigned_by(working.keys.assignment.id()) {
            true => Ok(root),
            false => Err(not_configured(
                "the newest root does not let this gateway's key alone sign assignments",
            )),
        }
    }
}

fn not_configured(detail: &str) -> Failure {
    Failure::new(ProblemKind::FirmwareNotConfigured, detail)
}

/// Writes the questions of devices behind their answers, until the gateway stops.
pub(crate) async fn write_questions(gateway: Gateway) {
    let mut stopping = gateway.stopping.subscribe();
    loop {
        let is_stopping = tokio::select! {
            () = gateway.ota.questions_wait.notified() => false,
            _ = stopping.wait_for(|stopping| *stopping) => true,
        };
        gateway.ota.sessions.write(&gateway).await;
        if is_stopping {
            return;
        }
        tokio::time::sleep(WRITE_PAUSE).await;
    }
}

/// Where devices come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Check,
    Verify,
    Complete,
    Chunk,
    Root,
    Release,
    Object,
}

impl Door {
    /// The door at a path.
    pub(crate) fn at(path: &str) -> Option<Self> {
        let path = path.strip_prefix("/ota/")?;
        let (first, rest) = match path.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        match (first, rest) {
            ("check", None) => Some(Self::Check),
            ("verify", None) => Some(Self::Verify),
            ("complete", None) => Some(Self::Complete),
            ("chunk", None) => Some(Self::Chunk),
            (_, Some(name)) if name.contains('/') => None,
            ("root", Some(_)) => Some(Self::Root),
            ("release", Some(_)) => Some(Self::Release),
            ("object", Some(_)) => Some(Self::Object),
            _ => None,
        }
    }

    /// The one method that it takes.
    pub(crate) const fn method(self) -> Method {
        match self {
            Self::Check | Self::Verify | Self::Complete => Method::POST,
            Self::Chunk | Self::Root | Self::Release | Self::Object => Method::GET,
        }
    }
}

/// Answers a device.
pub(crate) async fn enter(
    door: Door,
    gateway: &Gateway,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    let answered = match door {
        Door::Check => check(gateway, peer, request).await,
        Door::Verify => ask_to_start(gateway, peer, request).await,
        Door::Complete => complete(gateway, peer, request).await,
        Door::Chunk => chunk(gateway, peer, &request).await,
        Door::Root | Door::Release | Door::Object => stored(door, gateway, peer, &request).await,
    };
    answered.unwrap_or_else(|failure| refuse(gateway, peer, failure))
}

/// `POST /ota/check`.
async fn check(
    gateway: &Gateway,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>> {
    let body = question_body(gateway, peer, request).await?;
    answer(gateway, &body).await.map(cbor)
}

/// The answer to a question: an assignment for this question alone, with the keys that it needs.
pub(crate) async fn answer(gateway: &Shared, body: &[u8]) -> Result<Vec<u8>> {
    let asked = Asked::take(gateway, body).await?;
    let decision = gateway
        .rollouts
        .asked(gateway, &asked.meter, &asked.question);
    let keys = asked.keys(gateway, &decision);
    asked.answer(decision, keys).await
}

/// `POST /ota/verify`.
async fn ask_to_start(
    gateway: &Gateway,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>> {
    let body = question_body(gateway, peer, request).await?;
    let claimed = decode(&body)?;
    let claimed = claimed.claimed();
    if claimed.state != UpdateState::Staged || claimed.release.is_none() {
        return Err(Failure::new(
            ProblemKind::NotStaged,
            "the question is not in the state `staged` with a release",
        ));
    }
    let asked = Asked::take(gateway, &body).await?;
    let decision = gateway
        .rollouts
        .staged(gateway, &asked.meter, &asked.question);
    let answer = asked.answer(decision, [None; MAX_ANSWERED_KEYS]).await?;
    Ok(cbor(answer))
}

async fn question_body(gateway: &Shared, peer: Peer, request: Request<Incoming>) -> Result<Bytes> {
    admit(gateway, peer)?;
    gateway.ota.working()?;
    expect_media_type(request.headers(), "cbor")?;
    body_of(gateway, peer, request, MAX_QUESTION).await
}

async fn body_of(
    gateway: &Shared,
    peer: Peer,
    request: Request<Incoming>,
    limit: usize,
) -> Result<Bytes> {
    let timeout = Duration::from_millis(gateway.config.limits.request_timeout_ms);
    let room = gateway.bodies.enter(peer.0);
    read_body(request.into_body(), limit, timeout, room).await
}

fn decode(body: &[u8]) -> Result<ProvenQuestion> {
    ProvenQuestion::decode(body).map_err(|error| {
        Failure::new(ProblemKind::QuestionMalformed, error.to_string()).field("body")
    })
}

/// A question that is proven, and its session.
struct Asked<'a> {
    working: &'a Working,
    root: Arc<HeldRoot>,
    meter: Arc<Meter>,
    secret: DeviceSecret,
    question: Question,
    server_nonce: Nonce,
}

impl<'a> Asked<'a> {
    async fn take(gateway: &'a Shared, body: &[u8]) -> Result<Self> {
        let working = gateway.ota.working()?;
        let root = gateway.ota.root(working)?;
        let proven = decode(body)?;
        let device = proven.claimed().device;
        // The secret of an unknown device is derived all the same: neither words nor time tell which
        // meters there are.
        let secret = working.keys.fleet.device_secret(device);
        let question = proven.prove(&secret);
        let meter = gateway.registry.by_meter(&device);
        let meter = meter.filter(|meter| meter.state == InstallationState::Active);
        let (Some(question), Some(meter)) = (question, meter) else {
            return Err(Failure::new(
                ProblemKind::QuestionNotProven,
                "the proof is not by the secret of a meter in service",
            ));
        };
        let sessions = &gateway.ota.sessions;
        let server_nonce = sessions
            .begin(gateway, meter.installation, &question, body, new_nonce()?)
            .await?;
        Ok(Self {
            working,
            root,
            meter,
            secret,
            question,
            server_nonce,
        })
    }

    /// The keys of what a device may fetch: the delta from what it runs, and the whole.
    fn keys(
        &self,
        gateway: &Shared,
        decision: &Decision,
    ) -> [Option<AnsweredKey>; MAX_ANSWERED_KEYS] {
        let mut keys = [None; MAX_ANSWERED_KEYS];
        let Some(digest) = decision.release.filter(|_| decision.stage == Stage::Fetch) else {
            return keys;
        };
        let Some(release) = gateway.ota.catalogue.release(&digest) else {
            return keys;
        };
        let bases = [Some(self.question.running), None];
        for (place, base) in keys.iter_mut().zip(bases) {
            let encoding = release.encodings.iter().find(|one| one.base == base);
            *place = encoding.and_then(|encoding| {
                let key = encoding.key.as_ref()?;
                Some(AnsweredKey {
                    object: encoding.object,
                    wrapped: self.secret.wrap(&encoding.object, key),
                })
            });
        }
        keys
    }

    async fn answer(
        &self,
        decision: Decision,
        keys: [Option<AnsweredKey>; MAX_ANSWERED_KEYS],
    ) -> Result<Vec<u8>> {
        let assignment = Assignment {
            device: self.question.device,
            device_nonce: self.question.nonce,
            server_nonce: self.server_nonce,
            root_number: self.root.number,
            stage: decision.stage,
            release: decision.release,
        };
        let place = self.working.assigner.sign(&assignment).await?;
        place.with(assignment, |signed| {
            let mut bytes = [0; MAX_ASSIGNMENT];
            let signed = canonical::encode(signed, &mut bytes).ok_or_else(too_long)?;
            let mut bytes = [0; MAX_ANSWER];
            let answer = canonical::encode(&Answer::new(signed, keys), &mut bytes);
            Ok(answer.ok_or_else(too_long)?.to_vec())
        })
    }
}

fn too_long() -> Failure {
    tracing::error!("an answer to a device is longer than devices take");
    Failure::new(ProblemKind::Internal, "the answer is too long")
}

fn new_nonce() -> Result<Nonce> {
    let mut nonce = [0; NONCE_BYTES];
    rand::fill(&mut nonce)
        .map_err(|_| Failure::new(ProblemKind::Internal, "the system gives no randomness"))?;
    Ok(nonce)
}

/// `POST /ota/complete`.
async fn complete(
    gateway: &Gateway,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>> {
    admit(gateway, peer)?;
    gateway.ota.working()?;
    expect_media_type(request.headers(), "cose")?;
    let body = body_of(gateway, peer, request, MAX_PAYLOAD + SIGN1_ROOM).await?;
    let mut items = Items::new(&body);
    let malformed = || Failure::new(ProblemKind::CoseMalformed, "one signed record is expected");
    let sign1 = match (items.next(), items.next()) {
        (Some(Ok(Item::Sign1(sign1))), None) => sign1,
        (Some(Err(error)), _) => return Err(error.into()),
        _ => return Err(malformed()),
    };
    let report = UpdateReport::decode(sign1.payload)?;
    let meter = active_meter(gateway, sign1.payload)?;
    let rate = gateway.meter_rate();
    meter.admit(1, rate, Instant::now())?;
    let domain = Domain::Record(UpdateReport::TYPE);
    let signature = verify(&meter, domain, sign1.payload, *sign1.signature.bytes())?;
    let now = gateway.now();
    let stored = StoredUpdateReport {
        payload: sign1.payload.to_vec(),
        signature,
        received: now,
    };
    let audit = gateway.audit(
        format!("meter {}", report.meter),
        "firmware.report",
        format!("meter {}", report.meter),
        format!(
            "{} release {}: {}",
            report.outcome.name(),
            report.release,
            report.obstacle.name()
        ),
    );
    let intake = Arc::clone(gateway);
    let at = meter.installation;
    let is_new = to_its_end(async move {
        let added = intake.store.add_firmware_report(at, stored, audit);
        let is_new = added.await?;
        // What was stored before a crash may not have been told.
        intake.rollouts.reported(&intake, at, &report).await?;
        Ok(is_new)
    })
    .await?;
    match is_new {
        true => meter.stored(1, rate, Instant::now(), now, None),
        false => charge(gateway, peer, 1),
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// `GET /ota/chunk`.
async fn chunk(
    gateway: &Gateway,
    peer: Peer,
    request: &Request<Incoming>,
) -> Result<Response<Body>> {
    admit(gateway, peer)?;
    let keys = gateway.ota.keys()?;
    let query = Parameters::of(request.uri())?;
    let device = SignerId(query.hex("device")?);
    let nonce: Nonce = query.hex("nonce")?;
    let object = Hash(query.hex("object")?);
    let from = query.integer("from")?.unwrap_or(0);
    let count = query.integer("n")?.unwrap_or(1);
    if !(1..=bodies::MAX_RECORDS).contains(&count) {
        let rule = format!("is from 1 to {}", bodies::MAX_RECORDS);
        return Err(Failure::invalid("n", rule));
    }
    let meter = gateway.registry.by_meter(&device);
    let meter = meter.filter(|meter| meter.state == InstallationState::Active);
    let Some(meter) = meter else {
        // As to a device whose session is another.
        return Err(Failure::new(
            ProblemKind::SessionSuperseded,
            "this is not the newest question of the device",
        )
        .field("nonce"));
    };
    let sessions = &gateway.ota.sessions;
    let server_nonce = sessions
        .server_nonce(gateway, meter.installation, &nonce)
        .await?;
    let bytes = gateway.ota.catalogue.object_bytes(&object);
    let bytes = bytes.ok_or_else(|| Failure::not_found(format!("object {object}")))?;
    let records = bodies::Records::new(object, bytes, from, count)?;
    let session = keys
        .fleet
        .device_secret(device)
        .session(&nonce, &server_nonce);
    let length = records.body_bytes();
    let body = bodies::tagged(Arc::clone(gateway), session, records);
    Ok(octets(body, length))
}

/// `GET /ota/root/{number}`, `GET /ota/release/{digest}`, `GET /ota/object/{digest}`: whoever has the
/// name has what never changes, and any cache may keep it.
async fn stored(
    door: Door,
    gateway: &Gateway,
    peer: Peer,
    request: &Request<Incoming>,
) -> Result<Response<Body>> {
    admit(gateway, peer)?;
    gateway.ota.working()?;
    let path = request.uri().path();
    let missing = || Failure::not_found(format!("path {path}"));
    let name = path.rsplit('/').next().unwrap_or_default();
    let digest = || hex::decode_array(name).map(Hash).ok_or_else(missing);
    let catalogue = &gateway.ota.catalogue;
    let metadata = match door {
        Door::Root => {
            let number = name.parse().map_err(|_| missing())?;
            catalogue.root(number).map(|root| root.bytes.clone())
        }
        Door::Release => {
            let release = catalogue.release(&digest()?);
            release.map(|release| release.envelope.clone())
        }
        _ => return object(gateway, digest()?, request.headers()),
    };
    let mut response = cbor(metadata.ok_or_else(missing)?);
    never_changes(response.headers_mut());
    Ok(response)
}

fn object(gateway: &Gateway, digest: Hash, headers: &HeaderMap) -> Result<Response<Body>> {
    let bytes = gateway.ota.catalogue.object_bytes(&digest);
    let bytes = bytes.ok_or_else(|| Failure::not_found(format!("object {digest}")))?;
    let tag = format!("\"{digest}\"");
    let names_it = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains(&tag));
    if headers.get(header::IF_NONE_MATCH).is_some_and(names_it) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        tell_of_object(response.headers_mut(), &tag);
        return Ok(response);
    }
    // RFC 9110, section 13.1.5: a range of another version is the whole.
    let is_this = headers.get(header::IF_RANGE).is_none_or(names_it);
    let asked = headers.get(header::RANGE).filter(|_| is_this);
    let asked = asked.and_then(|value| bodies::range(value.to_str().ok()?, bytes));
    let (start, end) = match asked {
        None => (0, bytes),
        Some(Ok(range)) => range,
        Some(Err(())) => {
            let detail = format!("the object has {bytes} bytes");
            return Err(Failure::new(ProblemKind::PastTheEnd, detail).field("Range"));
        }
    };
    let body = bodies::plain(Arc::clone(gateway), digest, start, end);
    let mut response = octets(body, end - start);
    let headers = response.headers_mut();
    tell_of_object(headers, &tag);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if asked.is_some() {
        let part = format!("bytes {start}-{}/{bytes}", end - 1);
        let part = HeaderValue::from_str(&part).expect("digits and signs are visible ASCII");
        headers.insert(header::CONTENT_RANGE, part);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

fn tell_of_object(headers: &mut HeaderMap, tag: &str) {
    let tag = HeaderValue::from_str(tag).expect("hex digits are visible ASCII");
    headers.insert(header::ETAG, tag);
    never_changes(headers);
}

fn never_changes(headers: &mut HeaderMap) {
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
}

fn cbor(bytes: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(bytes.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(CBOR));
    response
}

fn octets(body: Body, length: u64) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(OCTETS));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// The release by which a device's payload is known here, if there is one.
pub(crate) fn release_of(gateway: &Shared, payload: &Hash) -> Option<Arc<HeldRelease>> {
    gateway.ota.catalogue.with_payload(payload)
}
