//! The gateway under test, its clock, and meters that sign.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use ww_api::hex;
use ww_gateway::{Clock, Config, Gateway};
use ww_store::{SqliteOptions, SqliteStore, Store};
use ww_wire::cose::byte_string_head;
use ww_wire::merkle::TreeBuilder;
use ww_wire::packed::{Codec, MAX_PACKED_READING};
use ww_wire::record::Record;
use ww_wire::{
    AnyReading, Boot, BootCounter, ChainIndex, CounterEpoch, Domain, Hash, MeterId, Milliamperes,
    Millivars, Millivolts, MilliwattHours, Milliwatts, PublicKey, Reading, ReadingFlags,
    ResetReason, Sequence, Sign1, Signature, StatusReport, TimeQuality, ToBeSigned, UptimeMillis,
    UtcMillis, Window, WindowFlags,
};

/// 2025-06-19T16:50:00Z, on the grid of windows.
pub(crate) const START_MS: u64 = 1_750_351_800_000;

/// A clock that stands where it is put; 0 means that it does not know the time.
#[derive(Debug)]
pub(crate) struct FakeClock(AtomicU64);

impl FakeClock {
    pub(crate) fn set(&self, millis: u64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Option<UtcMillis> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            millis => UtcMillis::new(millis),
        }
    }
}

/// A gateway with its folder.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) folder: TempDir,
    pub(crate) client: Client,
    pub(crate) admin_key: String,
}

impl World {
    /// A gateway with public read, as the demo has it.
    pub(crate) async fn start() -> Self {
        Self::with(|config| config.public_read = true).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::open(folder, change).await
    }

    /// A gateway on what an earlier one left behind.
    pub(crate) async fn open(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: folder.path().to_owned(),
            ..Config::default()
        };
        change(&mut config);
        let path = folder.path().join("store.sqlite");
        let store = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
        let clock = Arc::new(FakeClock(AtomicU64::new(START_MS + 1_000)));
        let (held, told) = (Arc::clone(&store), Arc::clone(&clock));
        let gateway = Gateway::start(config, held as Arc<dyn Store>, told as Arc<dyn Clock>)
            .await
            .unwrap();
        let admin_key = std::fs::read_to_string(gateway.admin_key_file()).unwrap();
        Self {
            gateway,
            store,
            clock,
            folder,
            client: Client::new(),
            admin_key: admin_key.trim().to_owned(),
        }
    }

    /// What the clock says, in milliseconds.
    pub(crate) fn clock(&self) -> u64 {
        self.clock.0.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway.local_addr())
    }

    /// What this gateway calls its cookies where they are not for HTTPS alone.
    pub(crate) fn cookie_name(&self) -> String {
        let operator = self.gateway.operator_key().id();
        format!("wattwitness_session_{}", hex::encode(&operator.0[..4]))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    /// A 200 with JSON.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.client
            .post(self.url(path))
            .json(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.client
            .post(self.url(path))
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn admin_post(&self, path: &str, body: &Value) -> Response {
        self.client
            .post(self.url(path))
            .bearer_auth(&self.admin_key)
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// A new key of this role.
    pub(crate) async fn key(&self, body: &Value) -> (u64, String) {
        let response = self.admin_post("/api/v1/keys", body).await;
        assert_eq!(response.status(), 201);
        let made: Value = response.json().await.unwrap();
        let key = made["key"].as_str().unwrap().to_owned();
        (made["id"].as_u64().unwrap(), key)
    }

    pub(crate) async fn revoke_key(&self, id: u64) {
        let url = self.url(&format!("/api/v1/keys/{id}"));
        let request = self.client.delete(url).bearer_auth(&self.admin_key);
        assert_eq!(request.send().await.unwrap().status(), 204);
    }

    pub(crate) async fn admin_json(&self, path: &str) -> Value {
        let request = self.client.get(self.url(path)).bearer_auth(&self.admin_key);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn post_records(&self, body: Vec<u8>) -> Response {
        self.client
            .post(self.url("/api/v1/records"))
            .header("content-type", "application/cose")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// Announces a meter and approves it.
    pub(crate) async fn enrolled(&self) -> TestMeter {
        let meter = TestMeter::new();
        let id = self.announce(&meter, "EC64C9C05E97").await;
        self.approve(id, &json!({"rated_power_w": 800})).await;
        TestMeter { id, ..meter }
    }

    pub(crate) async fn announce(&self, meter: &TestMeter, mac: &str) -> u64 {
        let body = json!({
            "name": "Hackathon Test 1",
            "public_key": meter.public_key().to_string(),
            "shelly_mac": mac,
            "sensor_model": "shelly_em_gen1",
            "boot_timestamp": 1_750_346_382,
        });
        let response = self.post("/api/v1/installations/", &body).await;
        assert_eq!(response.status(), 201);
        let installation: Value = response.json().await.unwrap();
        installation["id"].as_u64().unwrap()
    }

    pub(crate) async fn approve(&self, id: u64, body: &Value) -> Value {
        let path = format!("/api/v1/installations/{id}/approve");
        let response = self.admin_post(&path, body).await;
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub(crate) async fn submit(&self, meter: &TestMeter, reading: &Reading) -> Response {
        self.post("/api/v1/readings/", &meter.submission(reading))
            .await
    }

    /// How many readings any view shows: the list, the thinned list, pending and latest; where there
    /// are none, there is nothing in charts and totals either.
    pub(crate) async fn visible_readings(&self, id: u64) -> usize {
        let everything = "start_time=1970-01-01T00:00:00Z";
        let list = self
            .json(&format!("/api/v1/readings/{id}?{everything}"))
            .await;
        let thinned = self
            .json(&format!("/api/v1/readings/{id}/optimized?{everything}"))
            .await;
        let pending = self.json("/api/v1/readings/pending").await;
        let listed = list.as_array().unwrap().len();
        assert_eq!(thinned.as_array().unwrap().len(), listed);
        assert_eq!(pending["count"], listed);
        let latest = self
            .get(&format!("/api/v1/readings/latest/{id}"))
            .await
            .status();
        assert_eq!(latest == 404, listed == 0);
        if listed == 0 {
            let charts = format!("/api/v1/readings/{id}/chart?time_frame=year");
            assert_eq!(self.json(&charts).await["data_points"], json!([]));
            let energy = format!("/api/v1/installations/{id}/energy");
            assert_eq!(self.json(&energy).await["lifetime_wh"].to_string(), "0.0");
            let windows = format!("/api/v1/installations/{id}/windows?{everything}");
            assert_eq!(self.json(&windows).await, json!([]));
        }
        listed
    }
}

/// A browser that is logged in.
pub(crate) struct Login {
    /// As the browser sends it: `name=token`.
    pub(crate) cookie: String,
    pub(crate) csrf_token: String,
}

impl Login {
    pub(crate) async fn begin(world: &World, key: &str) -> Self {
        let response = world.post("/api/v1/session", &json!({"key": key})).await;
        assert_eq!(response.status(), 200);
        Self::of(response).await
    }

    pub(crate) async fn of(response: Response) -> Self {
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        let (cookie, _) = cookie.split_once(';').unwrap();
        let cookie = cookie.to_owned();
        let session: Value = response.json().await.unwrap();
        let csrf_token = session["csrf_token"].as_str().unwrap().to_owned();
        Self { cookie, csrf_token }
    }

    pub(crate) fn with_cookie(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("cookie", &self.cookie)
    }

    pub(crate) fn with_csrf(&self, request: RequestBuilder) -> RequestBuilder {
        self.with_cookie(request)
            .header("x-csrf-token", &self.csrf_token)
    }

    pub(crate) async fn get(&self, world: &World, path: &str) -> Response {
        let request = self.with_cookie(world.client.get(world.url(path)));
        request.send().await.unwrap()
    }

    /// What the gateway says of the session.
    pub(crate) async fn session(&self, world: &World) -> Value {
        let response = self.get(world, "/api/v1/session").await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    pub(crate) async fn post(&self, world: &World, path: &str, body: &Value) -> Response {
        let request = self.with_csrf(world.client.post(world.url(path)));
        request.json(body).send().await.unwrap()
    }

    pub(crate) async fn end(&self, world: &World) -> Response {
        let url = world.url("/api/v1/session");
        let request = self.with_csrf(world.client.delete(url));
        request.send().await.unwrap()
    }
}

/// The kind, field and status of a refusal.
pub(crate) async fn problem(response: Response) -> Value {
    let content_type = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    let status = response.status().as_u16();
    let problem: Value = response.json().await.unwrap();
    assert_eq!(content_type, "application/problem+json", "{problem}");
    assert_eq!(problem["status"], status);
    problem
}

/// A meter with a key of its own.
pub(crate) struct TestMeter {
    pub(crate) id: u64,
    pair: EcdsaKeyPair,
}

impl TestMeter {
    pub(crate) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { id: 0, pair }
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        let sec1: [u8; 65] = self.pair.public_key().as_ref().try_into().unwrap();
        PublicKey::from_sec1(&sec1).unwrap()
    }

    pub(crate) fn meter(&self) -> MeterId {
        self.public_key().id()
    }

    pub(crate) fn sign(&self, domain: Domain, payload: &[u8]) -> Signature {
        let message = ToBeSigned::new(domain, payload).unwrap();
        let raw = self
            .pair
            .sign(&SystemRandom::new(), message.as_bytes())
            .unwrap();
        Signature::normalise(raw.as_ref().try_into().unwrap()).unwrap()
    }

    /// The reading of the grid's `place`-th slot, from 0; its sequence number is one more.
    pub(crate) fn reading(&self, place: u64) -> Reading {
        let energy = 8_900 + 100 * place;
        Reading {
            meter: self.meter(),
            boot: BootCounter::new(1).unwrap(),
            sequence: Sequence::new(place + 1).unwrap(),
            time: UtcMillis::new(START_MS + 10_000 * place),
            uptime: UptimeMillis::new(5_000 + 10_000 * place).unwrap(),
            time_quality: TimeQuality::Synchronised,
            power: Milliwatts::new(16_350),
            import_total: MilliwattHours::new(energy),
            export_total: Some(MilliwattHours::ZERO),
            counter_epoch: CounterEpoch::ZERO,
            produced: MilliwattHours::new(100 * place).unwrap(),
            voltage: Millivolts::new(237_130),
            current: Milliamperes::new(124),
            reactive_power: Millivars::new(24_380),
            temperature: None,
            flags: ReadingFlags::NONE,
        }
    }

    pub(crate) fn submission(&self, reading: &Reading) -> Value {
        let payload = reading.encode().unwrap();
        let signature = self.sign(Domain::Record(Reading::TYPE), &payload);
        json!({"record": hex::encode(&payload), "signature": signature.to_string()})
    }

    pub(crate) fn sign1<R: Record>(&self, record: &R) -> Vec<u8> {
        let payload = record.encode().unwrap();
        let signature = self.sign(Domain::Record(R::TYPE), &payload);
        let sign1 = Sign1 {
            payload: &payload,
            signature,
        };
        sign1.encode().unwrap().to_vec()
    }

    /// The first record of the chain.
    pub(crate) fn boot(&self) -> Boot {
        Boot {
            meter: self.meter(),
            chain_index: ChainIndex::ZERO,
            previous: Hash::ZERO,
            boot: BootCounter::new(1).unwrap(),
            time: UtcMillis::new(START_MS - 5_000),
            uptime: UptimeMillis::ZERO,
            time_quality: TimeQuality::Synchronised,
            firmware: Hash([9; 32]),
            version_major: 0,
            version_minor: 1,
            version_patch: 0,
            security_counter: 1,
            reset_reason: ResetReason::PowerOn,
            last_recovered: None,
            first_new: Sequence::new(1).unwrap(),
            attestation: ww_wire::Attestation::NONE,
        }
    }

    pub(crate) fn report(&self) -> StatusReport {
        StatusReport {
            meter: self.meter(),
            boot: BootCounter::new(1).unwrap(),
            time: None,
            uptime: UptimeMillis::ZERO,
            time_quality: TimeQuality::Unknown,
            queued_records: 0,
            queued_readings: 0,
            sensor_failures: 0,
            upload_failures: 0,
            signal_strength: None,
            free_memory: None,
            temperature: None,
        }
    }

    /// The window over these readings, after `previous`.
    pub(crate) fn window(&self, readings: &[Reading], index: u64, previous: Hash) -> Window {
        let (first, last) = (readings[0], readings[readings.len() - 1]);
        let mut tree = TreeBuilder::new();
        for reading in readings {
            tree.push(&reading.encode().unwrap());
        }
        Window {
            meter: self.meter(),
            chain_index: ChainIndex::new(index).unwrap(),
            previous,
            boot: first.boot,
            first_sequence: first.sequence,
            last_sequence: last.sequence,
            count: readings.len() as u32,
            first_time: first.time,
            last_time: last.time,
            produced_open: first.produced,
            produced_close: last.produced,
            root: tree.root(),
            enrolment: Hash::ZERO,
            firmware: Hash([9; 32]),
            log_size: 0,
            log_root: Hash::ZERO,
            flags: WindowFlags::NONE,
        }
    }
}

/// Readings as they follow their window in a body.
pub(crate) fn packed(readings: &[Reading]) -> Vec<u8> {
    let mut codec = Codec::new(readings[0].meter, Reading::TYPE).unwrap();
    let mut block = codec.block_header().to_vec();
    let mut bytes = [0; MAX_PACKED_READING];
    for reading in readings {
        let used = codec
            .pack(&AnyReading::SinglePhase(*reading), &mut bytes)
            .unwrap();
        block.extend_from_slice(&bytes[..used]);
    }
    let (head, len) = byte_string_head(block.len() as u32);
    [&head[..len], &block].concat()
}

impl World {
    /// An Enrolment that somebody made without this gateway.
    #[expect(
        clippy::unused_self,
        reason = "reads as one with the other ways to enrol"
    )]
    pub(crate) fn enrolled_elsewhere(
        &self,
        operator: &TestMeter,
        meter: &TestMeter,
    ) -> ww_wire::Enrolment {
        ww_wire::Enrolment {
            operator: operator.meter(),
            operator_key: operator.public_key(),
            meter_key: meter.public_key(),
            number: 1,
            time: UtcMillis::new(START_MS).unwrap(),
            custody: ww_wire::Custody::Software,
            sensor_model: ww_wire::SensorModel::ShellyEmGen1,
            sensor_mac: ww_wire::Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]),
            channel: 0,
            production_counter: ww_wire::ProductionCounter::Total,
            ct_ratio_milli: 1000,
            rated_power: ww_wire::Watts::new(900).unwrap(),
            latitude: None,
            longitude: None,
            tilt: None,
            azimuth: None,
            grid_connection: ww_wire::Text::EMPTY,
            start_import: None,
            start_export: None,
            owner: ww_wire::Address::ZERO,
            chain_id: 0,
            minter: ww_wire::Address::ZERO,
        }
    }
}
