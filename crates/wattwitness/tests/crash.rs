//! `kill -9` of the real gateway under load, fifty times: what it acknowledged is there afterwards,
//! once, bit by bit.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use ww_device::signer::{Signer, SoftwareSigner};
use ww_wire::record::Record;
use ww_wire::*;

const KILLS: u64 = 50;
const SENDERS: u64 = 4;
const CONFIG: &str = "\
[serve.limits]
meter_records_per_s = 1000000
meter_burst = 1000000
peer_requests_per_s = 1000000
peer_burst = 1000000
";

struct World {
    folder: tempfile::TempDir,
    port: u16,
    client: Client,
    signer: SoftwareSigner,
    start_ms: u64,
}

/// The gateway's process; killed without warning when dropped.
struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("wattwitness.toml"), CONFIG).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
        Self {
            folder,
            port: listener.local_addr().unwrap().port(),
            client: Client::builder()
                .timeout(Duration::from_secs(20))
                .build()
                .unwrap(),
            signer: SoftwareSigner::new(&[7; 32]).unwrap(),
            start_ms: now - 86_400_000,
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Starts the gateway and waits until it answers.
    async fn serve(&self) -> Gateway {
        let child = Command::new(env!("CARGO_BIN_EXE_wattwitness"))
            .arg("--config")
            .arg(self.path("wattwitness.toml"))
            .args(["--log", "error", "serve", "--public-read", "--data"])
            .arg(self.path("data"))
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let gateway = Gateway(child);
        let ready = async {
            let mut pause = tokio::time::interval(Duration::from_millis(20));
            loop {
                pause.tick().await;
                let answer = self.client.get(self.url("/ready")).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ready)
            .await
            .unwrap();
        gateway
    }

    async fn enrol(&self) {
        let announcement = json!({
            "name": "Crash", "public_key": self.signer.public_key().to_string(),
            "sensor_model": "shelly_em_gen1", "shelly_mac": "EC64C9C05E97",
            "channel": 0, "production_counter": "total",
        });
        let announced = self
            .client
            .post(self.url("/api/v1/installations/"))
            .json(&announcement);
        let installation: Value = announced.send().await.unwrap().json().await.unwrap();
        let key = std::fs::read_to_string(Path::new(&self.path("data")).join("admin.key")).unwrap();
        let path = format!("/api/v1/installations/{}/approve", installation["id"]);
        let approval = json!({"rated_power_w": 5000, "time_zone": "Europe/Berlin"});
        let approved = self
            .client
            .post(self.url(&path))
            .bearer_auth(key.trim())
            .json(&approval);
        assert!(approved.send().await.unwrap().status().is_success());
    }

    fn reading(&self, sequence: u64) -> Payload {
        let elapsed_ms = sequence * 1000;
        let produced = MilliwattHours::new(sequence * 100);
        let reading = Reading {
            meter: self.signer.public_key().id(),
            boot: BootCounter::new(1).unwrap(),
            sequence: Sequence::new(sequence).unwrap(),
            time: UtcMillis::new(self.start_ms + elapsed_ms),
            uptime: UptimeMillis::new(elapsed_ms).unwrap(),
            time_quality: TimeQuality::Synchronised,
            power: Milliwatts::new(360_000),
            import_total: produced,
            export_total: MilliwattHours::new(0),
            counter_epoch: CounterEpoch::ZERO,
            produced: produced.unwrap(),
            voltage: Millivolts::new(230_000),
            current: None,
            reactive_power: None,
            temperature: None,
            flags: ReadingFlags::NONE,
        };
        reading.encode().unwrap()
    }

    /// Sends one reading; true when the gateway acknowledged it.
    async fn send(&self, sequence: u64) -> bool {
        let payload = self.reading(sequence);
        let message = ToBeSigned::new(Domain::Record(RecordType::Reading), &payload).unwrap();
        let signature = self.signer.clone().sign(&message).unwrap();
        let body = Sign1 {
            payload: &payload,
            signature,
        }
        .encode()
        .unwrap()
        .to_vec();
        let request = self.client.post(self.url("/api/v1/records"));
        let request = request
            .header("content-type", "application/cose")
            .body(body);
        match request.send().await {
            Err(_) => false,
            Ok(answer) => {
                assert!(
                    answer.status().is_success(),
                    "reading {sequence}: {}",
                    answer.status()
                );
                answer
                    .bytes()
                    .await
                    .is_ok_and(|bytes| Acknowledgement::decode(&bytes).is_ok())
            }
        }
    }

    /// Every reading that the gateway shows, by number, with its signed bytes.
    async fn stored(&self) -> BTreeMap<u64, String> {
        let from = jiff::Timestamp::from_millisecond(self.start_ms as i64).unwrap();
        let url = self.url(&format!("/api/v1/readings/1?start_time={from}"));
        let listed: Vec<Value> = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let mut stored = BTreeMap::new();
        for reading in listed {
            let number = reading["sequence"].as_u64().unwrap();
            let record = reading["record"].as_str().unwrap().to_owned();
            assert_eq!(
                stored.insert(number, record),
                None,
                "reading {number} is there twice"
            );
        }
        stored
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_reading_is_lost_or_doubled_by_fifty_kills_under_load() {
    let world = Arc::new(World::new());
    let gateway = world.serve().await;
    world.enrol().await;
    drop(gateway);
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let next = Arc::new(AtomicU64::new(1));
    for kill in 0..KILLS {
        let gateway = world.serve().await;
        let enough = acknowledged.lock().unwrap().len() as u64 + 5 + kill % 17;
        let (reached, mut signal) = tokio::sync::watch::channel(false);
        let reached = Arc::new(reached);
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                let (world, acknowledged) = (Arc::clone(&world), Arc::clone(&acknowledged));
                let (next, reached) = (Arc::clone(&next), Arc::clone(&reached));
                tokio::spawn(async move {
                    // A sender ends with the gateway that it was sending to.
                    loop {
                        let sequence = next.fetch_add(1, Ordering::Relaxed);
                        if !world.send(sequence).await {
                            return;
                        }
                        let mut acknowledged = acknowledged.lock().unwrap();
                        acknowledged.push(sequence);
                        if acknowledged.len() as u64 >= enough {
                            reached.send_replace(true);
                        }
                    }
                })
            })
            .collect();
        let under_load = signal.wait_for(|reached| *reached);
        tokio::time::timeout(Duration::from_secs(60), under_load)
            .await
            .unwrap()
            .unwrap();
        drop(gateway);
        for sender in senders {
            sender.await.unwrap();
        }
    }
    let _gateway = world.serve().await;
    let stored = world.stored().await;
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() as u64 >= KILLS * 5);
    for sequence in acknowledged {
        assert!(
            stored.contains_key(&sequence),
            "reading {sequence} was acknowledged and is gone"
        );
    }
    for (sequence, record) in stored {
        let signed = ww_api::hex::encode(&world.reading(sequence));
        assert_eq!(record, signed, "reading {sequence} is not what was signed");
    }
}
