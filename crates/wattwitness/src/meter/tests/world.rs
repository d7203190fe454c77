//! What stands around a meter under test: an emulated Shelly, a gateway that checks everything, a
//! clock that is moved by the meter's own waiting.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use ww_api::Announcement;
use ww_device::now::Now;
use ww_device::signer::Signer;
use ww_device::uplink::Request;
use ww_sim::clock::{Clock as _, FakeClock};
use ww_sim::emulator::{Emulator, Housing};
use ww_sim::gateway::{Gateway as _, ReferenceGateway, Reply};
use ww_sim::park::{Park, Post};
use ww_verify::VerifyingKey;
use ww_wire::cose::{Item, Items};
use ww_wire::{
    AnyReading, Domain, Mac, ProductionCounter, PublicKey, Record, RecordType, TimeQuality,
    ToBeSigned, UptimeMillis, UtcMillis,
};

use super::super::*;

pub(super) const PASSWORD: &str = "sun";

/// Just before the real answer was given, 2025-06-19T15:19:38Z.
const START_MS: u64 = 1_750_346_378_000;

/// The real device's.
const MAC: Mac = Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]);

/// Nothing here takes long; what takes this long never comes.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) struct World {
    folder: TempDir,
    time: FakeClock,
    key_file: PathBuf,
    pub(super) state: PathBuf,
    pub(super) public_key: PublicKey,
    pub(super) emulator: Emulator,
    pub(super) shelly: String,
    pub(super) password: Option<&'static str>,
    pub(super) channel: u8,
    pub(super) gateway: GatewayDouble,
    pub(super) gateway_url: String,
}

impl World {
    pub(super) async fn new(model: SensorModel, password: Option<&'static str>) -> Self {
        let start = UtcMillis::new(START_MS).unwrap();
        let time = FakeClock::new(start);
        let post = Post {
            model,
            mac: MAC,
            production_counter: ProductionCounter::Total,
            ..Park::example(1, 5).posts.remove(0)
        };
        let housing = Housing {
            password: password.map(Into::into),
            ..Housing::default()
        };
        let clock: Arc<dyn ww_sim::clock::Clock> = Arc::new(time.clone());
        let sensor = post.sensor(start);
        let emulator = Emulator::start(anywhere(), sensor, housing, clock)
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("meter.key");
        let key = PrivateKey::generate().unwrap();
        key.store(&key_file).unwrap();
        let gateway = GatewayDouble::new(post, key.public());
        let address = gateway.serve_at(anywhere()).await;
        Self {
            state: folder.path().join("state"),
            folder,
            time,
            key_file,
            public_key: key.public(),
            shelly: emulator.url(),
            emulator,
            password,
            channel: 0,
            gateway,
            gateway_url: format!("http://{address}"),
        }
    }

    /// Another key in the place of the meter's, whose queue stays.
    pub(super) fn change_key(&mut self) {
        std::fs::remove_file(&self.key_file).unwrap();
        PrivateKey::generate()
            .unwrap()
            .store(&self.key_file)
            .unwrap();
    }

    /// Removes the notes of a contradiction from the state folder.
    pub(super) fn remove_notes(&self) {
        let files = std::fs::read_dir(&self.state).unwrap();
        let notes: Vec<_> = files
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
            .collect();
        assert_eq!(notes.len(), 1, "{notes:?}");
        std::fs::remove_file(&notes[0]).unwrap();
    }

    /// A state folder of this name beside the others.
    pub(super) fn state_named(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn arguments(&self) -> MeterArguments {
        MeterArguments {
            shelly: Some(self.shelly.clone()),
            gateway: Some(self.gateway_url.clone()),
            key: Some(self.key_file.clone()),
            channel: Some(self.channel),
            rated_power_w: Some(800),
            state: Some(self.state.clone()),
            ..MeterArguments::default()
        }
    }

    /// Starts the meter, as after a boot.
    pub(super) fn start(&self) -> Running {
        let password = self
            .password
            .map(|password| Zeroizing::new(password.to_owned()));
        let settings = Settings::new(self.arguments(), password).unwrap();
        let clock = TestClock {
            booted_ms: self.time.elapsed_ms(),
            time: self.time.clone(),
            moved: Arc::new(watch::Sender::new(())),
        };
        let (told, events) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            // A test that ends without a word stops its meter, too.
            let _ = stopped.await;
        };
        let running = operate(settings, clock.clone(), Told(told), stopped);
        Running {
            clock,
            events,
            stop,
            task: tokio::spawn(running),
        }
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// The reading of an event that tells of one.
pub(super) fn reading(event: &Event) -> Option<&AnyReading> {
    match event {
        Event::Recorded { recording, .. } => Some(&recording.reading),
        _ => None,
    }
}

/// A plain HTTP server with one file and nothing else.
pub(super) async fn plain_server(path: &'static str, content: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind(anywhere()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route(path, get(move || async move { content }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A sensor of the first generation that is not quite there when it is asked for the first time.
pub(super) async fn starting_server(status: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind(anywhere()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let was_asked = Arc::new(AtomicBool::new(false));
    let identity = move || {
        let answer = if was_asked.swap(true, Ordering::Relaxed) {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        async move { answer }
    };
    let router = Router::new()
        .route("/shelly", get(identity))
        .route("/status", get(move || async move { status }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A server that says what it is and asks for a password by Basic for everything else; it tells
/// which authorization came with that.
pub(super) async fn basic_server(
    identity: &'static str,
) -> (String, mpsc::UnboundedReceiver<Option<String>>) {
    let listener = tokio::net::TcpListener::bind(anywhere()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::unbounded_channel();
    let refuse = move |headers: HeaderMap| {
        let authorization = headers.get("authorization");
        tell.send(authorization.map(|value| value.to_str().unwrap().to_owned()))
            .unwrap();
        async {
            let challenge = [("www-authenticate", "Basic realm=\"shelly\"")];
            (StatusCode::UNAUTHORIZED, challenge)
        }
    };
    let router = Router::new()
        .route("/shelly", get(move || async move { identity }))
        .fallback(refuse);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), told)
}

struct Told(mpsc::UnboundedSender<Event>);

impl Reporter for Told {
    fn report(&mut self, event: Event) {
        // A test that has seen enough listens no more.
        let _ = self.0.send(event);
    }
}

#[derive(Clone)]
struct TestClock {
    time: FakeClock,
    booted_ms: u64,
    moved: Arc<watch::Sender<()>>,
}

impl TestClock {
    fn advance_to(&self, uptime: UptimeMillis) {
        let wait_ms = uptime.since(Clock::now(self).uptime());
        self.time.advance_ms(wait_ms);
        self.moved.send_replace(());
    }
}

impl Clock for TestClock {
    fn now(&self) -> Now {
        let uptime_ms = self.time.elapsed_ms() - self.booted_ms;
        let uptime = UptimeMillis::new(uptime_ms).unwrap();
        Now::at(uptime, self.time.utc(), TimeQuality::Synchronised)
    }

    async fn sleep_until(&self, uptime: UptimeMillis) {
        let mut moved = self.moved.subscribe();
        while self.now().uptime() < uptime {
            moved.changed().await.unwrap();
        }
    }
}

/// A meter under test.
pub(super) struct Running {
    clock: TestClock,
    events: mpsc::UnboundedReceiver<Event>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Lets time jump ahead whenever nothing is under way, until an event is `wanted`.
    pub(super) async fn until(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        let waiting = async {
            loop {
                let Some(event) = self.events.recv().await else {
                    let ended = (&mut self.task).await.unwrap();
                    panic!("the meter ended before {what}: {ended:?}");
                };
                if let Event::Waits {
                    until,
                    under_way: false,
                } = event
                {
                    self.clock.advance_to(until);
                }
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("{what} never came"))
    }

    /// Stops in an orderly way.
    pub(super) async fn stop(self) {
        self.stop.send(()).unwrap();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("a stop takes 5 s at most").unwrap().unwrap();
    }

    /// Ends as a power cut does, as far as a program can.
    pub(super) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    /// What the meter ended with, all by itself.
    pub(super) async fn ended(self) -> anyhow::Result<()> {
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("the meter ends by itself").unwrap()
    }
}

/// The simulator's reference gateway behind real HTTP; every signature is checked by the auditor's
/// code first.
#[derive(Clone)]
pub(super) struct GatewayDouble(Arc<Mutex<Double>>);

struct Double {
    reference: ReferenceGateway<SoftwareVerifier>,
    post: Post,
    meter_key: PublicKey,
    approved: bool,
    away: bool,
    forgets: bool,
    contradicts: bool,
    loses_batch_answers: bool,
    announcements: Vec<Announcement>,
    live: Vec<AnyReading>,
}

impl GatewayDouble {
    fn new(post: Post, meter_key: PublicKey) -> Self {
        Self(Arc::new(Mutex::new(Double {
            reference: ReferenceGateway::new(meter_key, SoftwareVerifier),
            post,
            meter_key,
            approved: false,
            away: false,
            forgets: false,
            contradicts: false,
            loses_batch_answers: false,
            announcements: Vec::new(),
            live: Vec::new(),
        })))
    }

    pub(super) async fn serve_at(&self, address: SocketAddr) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/api/v1/installations/", post(announce))
            .route("/api/v1/meters/{meter_id}/enrolment", get(enrolment))
            .route("/api/v1/records", post(records))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn lock(&self) -> MutexGuard<'_, Double> {
        self.0.lock().unwrap()
    }

    /// Approves the meter as an operator does.
    pub(super) fn approve(&self) {
        let mut double = self.lock();
        let mut operator = SoftwareSigner::new(&[3; 32]).unwrap();
        let time = UtcMillis::new(START_MS).unwrap();
        let enrolment = double
            .post
            .enrolment(operator.public_key(), double.meter_key, time);
        let payload = enrolment.encode().unwrap();
        let message = ToBeSigned::new(Domain::Record(RecordType::Enrolment), &payload).unwrap();
        let signature = operator.sign(&message).unwrap();
        double.reference.enrol(enrolment, signature);
        double.approved = true;
    }

    /// Answers 503 from now on, or no longer.
    pub(super) fn set_away(&self, away: bool) {
        self.lock().away = away;
    }

    /// Does not know the meter when it comes next.
    pub(super) fn forget_once(&self) {
        self.lock().forgets = true;
    }

    /// Says from now on, or no longer, that it holds another record in the place of whatever comes.
    pub(super) fn set_contradicting(&self, contradicts: bool) {
        self.lock().contradicts = contradicts;
    }

    /// Takes batches from now on, or no longer, without being heard.
    pub(super) fn set_losing_batch_answers(&self, loses: bool) {
        self.lock().loses_batch_answers = loses;
    }

    /// How many records of the chain it holds.
    pub(super) fn records(&self) -> usize {
        self.lock().reference.records().len()
    }

    pub(super) fn announcements(&self) -> Vec<Announcement> {
        self.lock().announcements.clone()
    }

    /// The readings that came one by one.
    pub(super) fn live(&self) -> Vec<AnyReading> {
        self.lock().live.clone()
    }

    /// All of `sequences` are here in sealed windows, and nothing contradicts anything.
    pub(super) fn assert_complete(&self, sequences: RangeInclusive<u64>) {
        let double = self.lock();
        assert_eq!(double.reference.contradictions(), []);
        assert!(double.reference.is_accepted());
        let missing: Vec<_> = sequences
            .filter(|sequence| !double.reference.accounts_for(*sequence))
            .collect();
        assert_eq!(missing, [0; 0]);
    }
}

type Answered = (StatusCode, Vec<u8>);

fn problem(status: StatusCode, slug: &str) -> Answered {
    let body = format!(
        r#"{{"type":"/problems/{slug}","title":"{slug}","status":{}}}"#,
        status.as_u16()
    );
    (status, body.into_bytes())
}

async fn announce(State(gateway): State<GatewayDouble>, body: Bytes) -> Answered {
    let mut double = gateway.lock();
    if double.away {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    }
    let announcement = serde_json::from_slice(&body).unwrap();
    double.announcements.push(announcement);
    (StatusCode::CREATED, br#"{"id":7}"#.to_vec())
}

async fn enrolment(State(gateway): State<GatewayDouble>) -> Answered {
    let double = gateway.lock();
    if double.away {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    }
    answered(double, Request::Enrolment, &[])
}

async fn records(
    State(gateway): State<GatewayDouble>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let mut double = gateway.lock();
    assert_eq!(headers["content-type"], "application/cose");
    if double.away {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    }
    if std::mem::take(&mut double.forgets) {
        return problem(StatusCode::FORBIDDEN, "unknown-meter");
    }
    if double.contradicts {
        return problem(StatusCode::CONFLICT, "equivocation");
    }
    if !double.approved {
        return problem(StatusCode::FORBIDDEN, "meter-waiting");
    }
    let key = VerifyingKey::new(double.meter_key).unwrap();
    let mut request = Request::Batch;
    for item in Items::new(&body) {
        let Item::Sign1(sign1) = item.unwrap() else {
            continue;
        };
        let record_type = RecordType::of(sign1.payload).unwrap();
        let domain = match record_type {
            RecordType::Enrolment => Domain::EnrolmentAcceptance,
            other => Domain::Record(other),
        };
        key.verify(domain, sign1.payload, &sign1.signature).unwrap();
        match record_type {
            RecordType::Enrolment => request = Request::Acceptance,
            RecordType::Reading | RecordType::ThreePhaseReading => {
                double.live.push(AnyReading::decode(sign1.payload).unwrap());
            }
            _ => {}
        }
    }
    let is_lost = double.loses_batch_answers && request == Request::Batch;
    let answer = answered(double, request, &body);
    if is_lost {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    }
    answer
}

fn answered(mut double: MutexGuard<'_, Double>, request: Request, body: &[u8]) -> Answered {
    let meter = double.meter_key.id();
    let now = UtcMillis::new(START_MS).unwrap();
    match double.reference.ask(meter, request, body, now) {
        Reply::Done(body) => (StatusCode::OK, body),
        Reply::Refused(_) if request == Request::Enrolment => {
            problem(StatusCode::NOT_FOUND, "not-found")
        }
        Reply::Refused(_) => problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid-field"),
    }
}
