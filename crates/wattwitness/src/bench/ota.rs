//! `wattwitness bench ota`: what an update of firmware costs, by the product's own agent, gateway and release
//! tool, over real connections. The devices' flash is in memory; a slow line is a forwarder that waits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Client, Url};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use ww_api::name::Named;
use ww_api::{Announcement, Approval, Installation};
use ww_device::now::Now;
use ww_device::signer::{Signer, SoftwareSigner};
use ww_device::update::agent::{Agent, Conditions, Diagnostics, Request, Workspace};
use ww_device::verifier::SoftwareVerifier;
use ww_gateway::{Config, Gateway, Limits, SystemClock};
use ww_release::question::{MAX_QUESTION, Obstacle, ProvenQuestion, Question, UpdateState};
use ww_sim::park::{Park, Post};
use ww_sim::updater::{Carrier, Updater};
use ww_wire::record::Record;
use ww_wire::{
    BootCounter, Domain, PublicKey, RecordType, ResetReason, Sign1, ToBeSigned, UpdateReport,
    UptimeMillis,
};

use super::Figures;
use super::gateway::process_cpu_s;
use crate::demo::firmware::{self, Firmware};
use crate::keys::PrivateKey;
use crate::ota::OtaClient;
use crate::serve;

/// Bytes of the image: those of the firmware that the system before this one measured itself with.
const IMAGE_BYTES: usize = 1_030_000;

/// 1 Mbit/s.
const SLOW_BYTES_PER_S: u64 = 125_000;

/// A device that has been up for so long has everything due.
const UP_MS: u64 = 3_600_000;

/// How much to measure.
pub(super) struct Plan {
    /// Devices that update at once.
    pub(super) herd: usize,
    /// Questions that each of them asks in process.
    pub(super) questions: usize,
    /// Whether the slow line is measured, too.
    pub(super) slow: bool,
}

/// Measures all of it.
pub(super) async fn measure(plan: &Plan, figures: &mut Figures) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("wattwitness-bench-")
        .tempdir()?;
    let path = folder.path().to_owned();
    eprintln!("making keys, a root and two releases of {IMAGE_BYTES} bytes");
    let firmware = tokio::task::spawn_blocking(move || {
        Firmware::prepare(&path, IMAGE_BYTES, firmware::Deltas::None, false)
    });
    let site = Site::start(folder, firmware.await??).await?;
    let mut devices = site.devices(plan.herd + 3).await?;
    site.publish().await?;
    site.roll_out().await?;

    let (agent, workspace) = (size_of::<Agent>(), size_of::<Workspace>());
    figures.insert("agent_ram_bytes".into(), (agent + workspace).into());

    eprintln!("one device, on loopback");
    let one = devices.pop().context("there is a device")?;
    let clock = Stopwatch::start();
    let (mut one, requests) = one.update(site.url.clone()).await?;
    figures.insert("update_s".into(), round(clock.seconds()).into());
    figures.insert("update_requests".into(), requests.into());
    one.finish(site.url.clone()).await?;

    eprintln!("one device, counted");
    let counting = Forwarder::start(site.gateway.local_addr(), None).await?;
    let counted = devices.pop().context("there is a device")?;
    counted.update(counting.url()?).await?;
    let bytes = counting.bytes.load(Ordering::Relaxed);
    let overhead = bytes as f64 / IMAGE_BYTES as f64 - 1.0;
    figures.insert("wire_bytes".into(), bytes.into());
    figures.insert("wire_overhead".into(), round(overhead).into());

    if plan.slow {
        eprintln!("one device at 1 Mbit/s, beside a copy of as many bytes");
        let slow = Forwarder::start(site.gateway.local_addr(), Some(SLOW_BYTES_PER_S)).await?;
        let device = devices.pop().context("there is a device")?;
        let (clock, cpu) = (Stopwatch::start(), process_cpu_s()?);
        device.update(slow.url()?).await?;
        let (update_s, busy_s) = (clock.seconds(), process_cpu_s()? - cpu);
        let copy_s = copied(IMAGE_BYTES).await?;
        figures.insert("update_1mbit_s".into(), round(update_s).into());
        figures.insert("time_ratio_to_tcp".into(), round(update_s / copy_s).into());
        // Processor time of both ends, of which cryptography is a part.
        figures.insert("busy_share_1mbit".into(), round(busy_s / update_s).into());
    }

    eprintln!("{} questions of each, in process", plan.questions);
    let asked = site.questions(&devices, plan.questions).await?;
    figures.insert("checks_per_s_per_core".into(), asked.round().into());

    eprintln!("{} devices at once", devices.len());
    let clock = Stopwatch::start();
    let herd = devices.len();
    let updates = devices
        .into_iter()
        .map(|device| tokio::spawn(device.update(site.url.clone())));
    for update in updates.collect::<Vec<_>>() {
        update.await??;
    }
    figures.insert("herd_devices".into(), herd.into());
    figures.insert("herd_s".into(), round(clock.seconds()).into());

    site.gateway.shutdown().await;
    Ok(())
}

/// A gateway in this process, with its firmware.
struct Site {
    gateway: Gateway,
    url: Url,
    firmware: Arc<Firmware>,
    admin_key: String,
    client: Client,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn start(folder: tempfile::TempDir, firmware: Firmware) -> anyhow::Result<Self> {
        let data_dir = folder.path().join("data");
        std::fs::create_dir(&data_dir)?;
        let config = Config {
            data_dir,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_read: true,
            firmware_key_file: Some(firmware.fleet_key_file()),
            assignment_key_file: Some(firmware.assignment_key_file()),
            limits: Limits {
                meter_records_per_s: 1_000_000,
                meter_burst: 1_000_000,
                peer_requests_per_s: 1_000_000,
                peer_burst: 1_000_000,
                connections_per_peer: 10_000,
                ..Limits::default()
            },
            ..Config::default()
        };
        let gateway = serve::start(config, Arc::new(SystemClock)).await?;
        let admin_key = std::fs::read_to_string(gateway.admin_key_file())?;
        Ok(Self {
            url: format!("http://{}", gateway.local_addr()).parse()?,
            gateway,
            firmware: Arc::new(firmware),
            admin_key: admin_key.trim().to_owned(),
            client: Client::builder().timeout(Duration::from_secs(30)).build()?,
            _folder: folder,
        })
    }

    /// So many devices that the gateway knows.
    async fn devices(&self, count: usize) -> anyhow::Result<Vec<Device>> {
        let park = Park::example(count, 1);
        let mut devices = Vec::new();
        for (number, post) in park.posts.iter().enumerate() {
            let key = PrivateKey::generate()?;
            self.enrol(&park, post, key.public()).await?;
            devices.push(Device {
                updater: self.firmware.updater(key.public().id(), number as u64)?,
                signer: SoftwareSigner::new(key.bytes())?,
            });
        }
        Ok(devices)
    }

    async fn enrol(&self, park: &Park, post: &Post, key: PublicKey) -> anyhow::Result<()> {
        let announcement = Announcement {
            name: post.name.clone(),
            public_key: key.to_string(),
            shelly_payload: None,
            boot_timestamp: None,
            shelly_mac: Some(post.mac.to_string()),
            sensor_model: Some(post.model.name().to_owned()),
            channel: Some(0),
            production_counter: Some(post.production_counter.name().to_owned()),
            rated_power_w: None,
            time_zone: None,
        };
        let url = self.url.join("api/v1/installations/")?;
        let announced = self.client.post(url).json(&announcement).send().await?;
        let id = announced
            .error_for_status()?
            .json::<Installation>()
            .await?
            .id;
        let approval = Approval {
            rated_power_w: Some(post.plant.rated_w.round() as u32),
            time_zone: Some(park.time_zone.to_owned()),
            ..Approval::default()
        };
        let url = self
            .url
            .join(&format!("api/v1/installations/{id}/approve"))?;
        let request = self.client.post(url).bearer_auth(&self.admin_key);
        request.json(&approval).send().await?.error_for_status()?;
        Ok(())
    }

    async fn publish(&self) -> anyhow::Result<()> {
        let (firmware, url) = (Arc::clone(&self.firmware), self.url.to_string());
        let key = self.gateway.admin_key_file().to_owned();
        tokio::task::spawn_blocking(move || firmware.publish(&url, &key)).await?
    }

    async fn roll_out(&self) -> anyhow::Result<()> {
        let waves = json!([{ "percent": 100 }]);
        firmware::roll_out(&self.url, &self.admin_key, waves).await
    }

    /// Has each device ask so many questions, one after the other, and all devices at once; how many are
    /// answered for a second of processor time.
    async fn questions(&self, devices: &[Device], each: usize) -> anyhow::Result<f64> {
        let rounds: Vec<Vec<Vec<u8>>> = (1..=each as u64)
            .map(|round| {
                devices
                    .iter()
                    .map(|one| self.question(one, round))
                    .collect()
            })
            .collect();
        let cpu = process_cpu_s()?;
        for questions in &rounds {
            let answers = questions
                .iter()
                .map(|question| self.gateway.answer_question(question));
            let answered = futures_util::future::join_all(answers).await;
            ensure!(
                answered.iter().all(Option::is_some),
                "a question was refused"
            );
        }
        Ok((each * devices.len()) as f64 / (process_cpu_s()? - cpu))
    }

    /// A device's question, as its agent asks it, with the nonce of this number.
    fn question(&self, device: &Device, number: u64) -> Vec<u8> {
        let id = device.signer.public_key().id();
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        let question = Question {
            device: id,
            nonce,
            root_number: 1,
            class: self.firmware.class(),
            running: device.updater.running(),
            security_counter: 0,
            state: UpdateState::Idle,
            obstacle: Obstacle::None,
            release: None,
            done_bytes: 0,
            total_bytes: 0,
        };
        let proven = ProvenQuestion::new(question, &self.firmware.secret(id));
        let mut bytes = vec![0; MAX_QUESTION];
        let len = ww_release::canonical::encode(&proven, &mut bytes).map_or(0, <[u8]>::len);
        bytes.truncate(len);
        bytes
    }
}

/// A device: its slots and agent, and the key of its meter.
struct Device {
    updater: Updater,
    signer: SoftwareSigner,
}

impl Device {
    /// Updates from the first question to the restart; the device, and how many requests it took.
    async fn update(self, gateway: Url) -> anyhow::Result<(Self, u32)> {
        self.run(gateway, true).await
    }

    /// Restarts with the new image, confirms it and reports.
    async fn finish(&mut self, gateway: Url) -> anyhow::Result<()> {
        self.updater
            .restart(ResetReason::Update, &mut SoftwareVerifier)?;
        let client = OtaClient::new(gateway, self.signer.public_key().id())?;
        let (signer, updater) = (self.signer.clone(), &mut self.updater);
        tokio::task::block_in_place(|| run(updater, signer, &client).map(|_| ()))
    }

    async fn run(mut self, gateway: Url, restarts: bool) -> anyhow::Result<(Self, u32)> {
        let client = OtaClient::new(gateway, self.signer.public_key().id())?;
        let done = tokio::task::spawn_blocking(move || {
            let signer = self.signer.clone();
            let (requests, is_armed) = run(&mut self.updater, signer, &client)?;
            ensure!(
                is_armed == restarts,
                "the device is at {:?}",
                self.updater.progress()
            );
            Ok((self, requests))
        });
        done.await?
    }
}

/// Does everything that is due; how many requests that took, and whether a restart is.
fn run(
    updater: &mut Updater,
    signer: SoftwareSigner,
    client: &OtaClient,
) -> anyhow::Result<(u32, bool)> {
    let mut line = Line {
        client,
        signer,
        runtime: tokio::runtime::Handle::current(),
        requests: 0,
    };
    let conditions = Conditions {
        is_paused: false,
        is_brown_out: false,
        diagnostics: Diagnostics::PASSED,
    };
    let up = UptimeMillis::new(UP_MS).context("an hour is an uptime")?;
    let now = Now::unsynchronised(up);
    let restarts = updater.run(now, conditions, &mut SoftwareVerifier, &mut line);
    Ok((line.requests, restarts))
}

/// A device's way to the gateway.
struct Line<'a> {
    client: &'a OtaClient,
    signer: SoftwareSigner,
    runtime: tokio::runtime::Handle,
    requests: u32,
}

impl Carrier for Line<'_> {
    fn carry(&mut self, request: Request, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        self.requests += 1;
        self.runtime
            .block_on(self.client.send(request, body.to_vec()))
    }

    fn sign(&mut self, report: &UpdateReport) -> Option<Vec<u8>> {
        let payload = report.encode().ok()?;
        let message = ToBeSigned::new(Domain::Record(RecordType::UpdateReport), &payload)?;
        let signature = self.signer.sign(&message).ok()?;
        let sign1 = Sign1 {
            payload: &payload,
            signature,
        };
        sign1.encode().map(|bytes| bytes.to_vec())
    }

    fn boot(&self) -> BootCounter {
        BootCounter::new(1).unwrap_or(BootCounter::ZERO)
    }
}

/// Carries connections on to a gateway, counts their bytes, and may be slow.
struct Forwarder {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
}

impl Forwarder {
    async fn start(to: SocketAddr, bytes_per_s: Option<u64>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    let far = TcpStream::connect(to).await?;
                    let ((from_near, to_near), (from_far, to_far)) =
                        (near.into_split(), far.into_split());
                    tokio::try_join!(
                        carried(from_near, to_far, &counted, bytes_per_s),
                        carried(from_far, to_near, &counted, bytes_per_s),
                    )
                });
            }
        });
        Ok(Self { address, bytes })
    }

    fn url(&self) -> anyhow::Result<Url> {
        Ok(format!("http://{}", self.address).parse()?)
    }
}

/// Carries bytes until there are no more, at most so many a second.
async fn carried(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    counted: &AtomicU64,
    bytes_per_s: Option<u64>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1_250];
    let (clock, mut sent) = (tokio::time::Instant::now(), 0);
    loop {
        let len = from.read(&mut buffer).await?;
        if len == 0 {
            return to.shutdown().await;
        }
        counted.fetch_add(len as u64, Ordering::Relaxed);
        sent += len as u64;
        if let Some(rate) = bytes_per_s {
            // What was idle before is not made up for.
            let due = clock + Duration::from_secs_f64(sent as f64 / rate as f64);
            if due + Duration::from_millis(50) < tokio::time::Instant::now() {
                sent = (clock.elapsed().as_secs_f64() * rate as f64) as u64;
            }
            tokio::time::sleep_until(due).await;
        }
        to.write_all(&buffer[..len]).await?;
    }
}

/// How long a bare copy of so many bytes takes on the slow line, in seconds.
async fn copied(bytes: usize) -> anyhow::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = listener.local_addr()?;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream.write_all(&vec![0xa5; bytes]).await?;
        stream.shutdown().await
    });
    let slow = Forwarder::start(server, Some(SLOW_BYTES_PER_S)).await?;
    let clock = Stopwatch::start();
    let mut stream = TcpStream::connect(slow.address).await?;
    let mut copy = Vec::new();
    stream.read_to_end(&mut copy).await?;
    ensure!(copy.len() == bytes, "the copy is not whole");
    Ok(clock.seconds())
}

/// Time that has passed.
struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the benchmark measures time"
    )]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// To four places.
fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
