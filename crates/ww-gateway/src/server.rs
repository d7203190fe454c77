//! Starts a gateway, accepts connections, and stops it in good order: what was begun is answered,
//! live streams are ended, and the store is closed last.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ww_api::hex;
use ww_store::{Store, StoreError};
use ww_verify::{NotAPoint, VerifyingKey};
use ww_wire::PublicKey;

use crate::access::{self, FirstKeyError, Keys};
use crate::clock::Clock;
use crate::config::{Config, Tls};
use crate::connection::Impatient;
use crate::firmware::{self, Rollouts};
use crate::key_file::KeyFileError;
use crate::limits::{BodyRoom, PeerLimit, Rate, Seldom, Share, Shares};
use crate::metrics::{Metrics, add, subtract};
use crate::network;
use crate::operator::OperatorKey;
use crate::ota::{self, FirmwareKeys, Ota};
use crate::probe::{self, InternetWatch};
use crate::registry::Registry;
use crate::router::{self, Entrance};
use crate::session::{self, CookieNames};
use crate::state::{self, Peer, Shared};
use crate::status::{self, StatusMemory};

/// The pause between two steps of upkeep when there is nothing to do.
const UPKEEP_PAUSE: Duration = Duration::from_secs(60);

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause after a connection could not be accepted (no file descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The pause between two warnings that an address has its share of the connections.
const WARNING_PAUSE: Duration = Duration::from_secs(60);

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made.
    #[error("cannot make the folder {}", path.display())]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The store failed.
    #[error("the store failed at the start")]
    Store(#[from] StoreError),
    /// One of the two keys for firmware without the other.
    #[error(
        "firmware_key_file and assignment_key_file go together: one is named without the other"
    )]
    FirmwareKeys,
    /// A trusted operator's key is not 128 hex digits.
    #[error("trusted_operator_keys: {text:?} is not 128 hex digits")]
    OperatorKey {
        /// What stands there.
        text: String,
    },
    /// A trusted operator's key is no point of the curve.
    #[error("trusted_operator_keys")]
    OperatorKeyNotOnCurve(#[from] NotAPoint),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A file for HTTPS cannot be read.
    #[error("cannot read {} for TLS", path.display())]
    TlsFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not go together.
    #[error("certificate and key cannot be used for TLS")]
    Tls(#[from] rustls::Error),
}

impl From<FirstKeyError> for StartError {
    fn from(error: FirstKeyError) -> Self {
        match error {
            FirstKeyError::File(error) => Self::KeyFile(error),
            FirstKeyError::Store(error) => Self::Store(error),
        }
    }
}

/// How a gateway came to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// Every request under way was answered.
    Drained,
    /// Some were not answered within `shutdown_grace_ms` and were cut off.
    CutOff,
}

/// A gateway that runs.
#[derive(Debug)]
pub struct Gateway {
    local_addr: SocketAddr,
    admin_key_file: PathBuf,
    operator_key: PublicKey,
    stopping: watch::Sender<bool>,
    serving: JoinHandle<StopReason>,
    shared: SharedHandle,
}

struct SharedHandle(state::Gateway);

impl std::fmt::Debug for SharedHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Gateway {
    /// Starts to serve. The store must be open; the gateway closes it when it stops.
    ///
    /// # Errors
    /// Any [`StartError`].
    pub async fn start(
        config: Config,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        std::fs::create_dir_all(&config.data_dir).map_err(|source| StartError::DataFolder {
            path: config.data_dir.clone(),
            source,
        })?;
        let admin_key_file = config.data_dir.join("admin.key");
        access::admin_key(store.as_ref(), &admin_key_file, clock.now()).await?;
        let tls = config.tls.as_ref().map(tls_acceptor).transpose()?;
        let address = config.listen;
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let local_addr = listener.local_addr().map_err(listen)?;
        let shared = shared(config, Arc::clone(&store), clock).await?;
        let operator_key = *shared.operator.public();
        let stopping = shared.stopping.clone();
        tracing::info!(
            address = %local_addr,
            tls = tls.is_some(),
            public_read = shared.config.public_read,
            "the gateway listens"
        );
        tokio::spawn(upkeep(Arc::clone(&shared)));
        tokio::spawn(firmware::watch(Arc::clone(&shared)));
        tokio::spawn(ota::write_questions(Arc::clone(&shared)));
        tokio::spawn(status::watch(Arc::clone(&shared)));
        if let Some(internet_probe) = shared.config.internet_probe.clone() {
            tokio::spawn(probe::watch(Arc::clone(&shared), internet_probe));
        }
        let serving = tokio::spawn(serve(listener, tls, Arc::clone(&shared)));
        Ok(Self {
            local_addr,
            admin_key_file,
            operator_key,
            stopping,
            serving,
            shared: SharedHandle(shared),
        })
    }

    /// The address that it listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The file with the administrator's key.
    #[must_use]
    pub fn admin_key_file(&self) -> &std::path::Path {
        &self.admin_key_file
    }

    /// The public key with which this gateway signs what operators approve.
    #[must_use]
    pub const fn operator_key(&self) -> &PublicKey {
        &self.operator_key
    }

    /// Answers a device's question without HTTP, as `POST /ota/check` does; `None` where that refuses. For
    /// whoever measures what an answer costs.
    pub async fn answer_question(&self, question: &[u8]) -> Option<Vec<u8>> {
        ota::answer(&self.shared.0, question).await.ok()
    }

    /// Stops: no new connection, an answer for every request under way (within
    /// `shutdown_grace_ms`), an end for the live streams, and the store closed.
    pub async fn shutdown(self) -> StopReason {
        self.stopping.send_replace(true);
        let reason = self.serving.await.unwrap_or(StopReason::CutOff);
        let SharedHandle(shared) = self.shared;
        shared.ota.sessions.write(&shared).await;
        if let Err(error) = shared.rollouts.write(&shared).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the last changes of rollouts were not written"
            );
        }
        if let Err(error) = shared.store.close().await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the store did not close well"
            );
        }
        tracing::info!(?reason, "the gateway has stopped");
        reason
    }
}

async fn shared(
    config: Config,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> Result<state::Gateway, StartError> {
    let operator_file = config
        .operator_key_file
        .clone()
        .unwrap_or_else(|| config.data_dir.join("operator.key"));
    let operator = OperatorKey::open_or_make(&operator_file)?;
    let mut operators = vec![VerifyingKey::new(*operator.public())?];
    for text in &config.trusted_operator_keys {
        let key = hex::decode_array(text)
            .map(PublicKey)
            .ok_or_else(|| StartError::OperatorKey { text: text.clone() })?;
        operators.push(VerifyingKey::new(key)?);
    }
    let limits = &config.limits;
    let meter_rate = Rate::new(limits.meter_records_per_s, limits.meter_burst);
    let registry = Registry::new(meter_rate, config.expected_cadence_s);
    for installation in store.installations().await? {
        let enrolments = store.enrolments(installation.id).await?;
        registry.put(&installation, &enrolments);
    }
    let keys = Keys::default();
    for key in store.keys().await? {
        keys.put(&key);
    }
    for kept in store.sessions().await? {
        keys.put_session(&kept.session);
    }
    let firmware_keys = match (&config.firmware_key_file, &config.assignment_key_file) {
        (None, None) => None,
        (Some(fleet), Some(assignment)) => Some(FirmwareKeys::open(fleet, assignment)?),
        _ => return Err(StartError::FirmwareKeys),
    };
    let ota = Ota::open(firmware_keys, store.as_ref()).await?;
    let rollouts = Rollouts::load(store.as_ref()).await?;
    let newest = store.last_event().await?;
    let peer_rate = Rate::new(limits.peer_requests_per_s, limits.peer_burst);
    let shared = Arc::new(Shared {
        ota,
        rollouts,
        knowing: tokio::sync::Mutex::new(()),
        labelling: Arc::default(),
        anonymous: PeerLimit::new(peer_rate),
        refused: PeerLimit::new(peer_rate),
        bodies: BodyRoom::new(
            limits.unfinished_body_bytes,
            limits.records_body_bytes.max(limits.json_body_bytes),
        ),
        exporting: Arc::new(Semaphore::new(1)),
        cookie_names: CookieNames::of(&operator.id()),
        live_slots: Arc::new(Semaphore::new(limits.live_streams)),
        live_shares: Shares::new(limits.live_streams_per_peer),
        internet: InternetWatch::new(config.internet_probe.as_ref()),
        metrics: Metrics::new(),
        status: StatusMemory::default(),
        events: watch::Sender::new(newest),
        stopping: watch::Sender::new(false),
        config,
        store,
        clock,
        operator,
        operators,
        registry,
        keys,
    });
    shared.rollouts.catch_up(&shared).await?;
    Ok(shared)
}

/// Lets the store do its upkeep, step by step, until the gateway stops.
async fn upkeep(gateway: state::Gateway) {
    let mut stopping = gateway.stopping.subscribe();
    loop {
        if let Err(error) = session::forget_ended(&gateway).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "sessions that have ended could not be forgotten"
            );
        }
        let pause = match gateway.store.maintain().await {
            Ok(done) if done.more => Duration::ZERO,
            Ok(_) => UPKEEP_PAUSE,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "upkeep of the store failed"
                );
                UPKEEP_PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    gateway: state::Gateway,
) -> StopReason {
    let router = router::router(&gateway);
    let cors = router::cors(&gateway.config.cors_origins);
    let slots = Arc::new(Semaphore::new(gateway.config.limits.connections));
    let shares = Shares::new(gateway.config.limits.connections_per_peer);
    let mut warning = Seldom::new(WARNING_PAUSE);
    let graceful = GracefulShutdown::new();
    let builder = Arc::new(connection_builder(&gateway));
    let mut stopping = gateway.stopping.subscribe();
    let grace = Duration::from_millis(gateway.config.shutdown_grace_ms);
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let Some((stream, address, slot)) = accepted else {
            continue;
        };
        let peer = address.ip();
        let is_proxy = network::is_among(&gateway.config.trusted_proxies, peer);
        let share = shares.take(peer);
        if share.is_none() && !is_proxy {
            add(&gateway.metrics.connections_refused, 1);
            if warning.is_due(Instant::now()) {
                let most = gateway.config.limits.connections_per_peer;
                tracing::warn!(%peer, most, "closed a connection of an address that has its share");
            }
            continue;
        }
        let connection = Connection {
            entrance: Entrance {
                gateway: Arc::clone(&gateway),
                router: router.clone(),
                cors: cors.clone(),
                peer: Peer(peer),
                is_proxy,
                is_encrypted: tls.is_some(),
                activity: Arc::default(),
            },
            builder: Arc::clone(&builder),
            watcher: graceful.watcher(),
            _held: (slot, share),
        };
        connections.spawn(connection.run(stream, tls.clone()));
    }
    drop(listener);
    let drained = async {
        graceful.shutdown().await;
        while connections.join_next().await.is_some() {}
    };
    match tokio::time::timeout(grace, drained).await {
        Ok(()) => StopReason::Drained,
        Err(_) => StopReason::CutOff,
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, address, slot))
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "no connection could be accepted"
            );
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn connection_builder(gateway: &Shared) -> auto::Builder<TokioExecutor> {
    let head_timeout = Duration::from_millis(gateway.config.limits.head_timeout_ms);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The gateway's own clock dates its answers, not the computer's.
        .auto_date_header(false)
        .header_read_timeout(head_timeout)
        .pipeline_flush(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .keep_alive_interval(Some(head_timeout))
        .max_concurrent_streams(32);
    builder
}

/// One accepted connection.
struct Connection {
    entrance: Entrance,
    builder: Arc<auto::Builder<TokioExecutor>>,
    watcher: Watcher,
    _held: (OwnedSemaphorePermit, Option<Share>),
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let gateway = Arc::clone(&self.entrance.gateway);
        add(&gateway.metrics.connections, 1);
        let write_timeout = Duration::from_millis(gateway.config.limits.write_timeout_ms);
        let stream = Impatient::new(stream, write_timeout);
        match tls {
            None => self.serve(stream).await,
            Some(tls) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.serve(stream).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
        subtract(&gateway.metrics.connections, 1);
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let Self {
            entrance,
            builder,
            watcher,
            _held,
        } = self;
        let spell = Duration::from_millis(entrance.gateway.config.limits.head_timeout_ms.max(1));
        let activity = Arc::clone(&entrance.activity);
        let entrance = Arc::new(entrance);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let answer = router::answer(Arc::clone(&entrance), request);
            async move { Ok::<_, std::convert::Infallible>(answer.await) }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(watcher.watch(connection.into_owned()));
        // The builder has no timer before it has read the version, and none for HTTP/2 without
        // requests, so a connection that asks for nothing is noticed here.
        let mut spells = tokio::time::interval_at(Instant::now() + spell, spell);
        let mut seen = 0;
        loop {
            tokio::select! {
                biased;
                ended = &mut connection => {
                    if let Err(error) = ended {
                        tracing::debug!(error, "a connection broke off");
                    }
                    return;
                }
                _ = spells.tick() => {
                    if activity.is_idle_since(&mut seen) {
                        tracing::debug!("closed a connection that asked for nothing");
                        return;
                    }
                }
            }
        }
    }
}

fn tls_acceptor(tls: &Tls) -> Result<TlsAcceptor, StartError> {
    let failed = |path: &PathBuf| {
        let path = path.clone();
        move |source| StartError::TlsFile { path, source }
    };
    let file = &tls.certificate_file;
    let certificates = CertificateDer::pem_file_iter(file)
        .map_err(failed(file))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed(file))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key_file).map_err(failed(&tls.key_file))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
