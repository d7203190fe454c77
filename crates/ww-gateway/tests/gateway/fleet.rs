//! A fleet under test: its keys, its releases, and devices that ask as meters do.

use std::path::Path;

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Response;
use serde_json::{Value, json};
use tempfile::TempDir;
use ww_api::hex;
use ww_gateway::Config;
use ww_release::assignment::{Assignment, Nonce, SignedAssignment, Stage};
use ww_release::canonical::{self, Item};
use ww_release::file::{Draft, ReleaseFile};
use ww_release::fleet::FleetKey;
use ww_release::key::{Algorithm, Key, Suite, Verifier};
use ww_release::question::{Answer, Obstacle, ProvenQuestion, Question, UpdateState};
use ww_release::release::HardwareClass;
use ww_release::root::{Role, Root};
use ww_release::secret::{DeviceSecret, Session};
use ww_release::signatures::{Approved, Distrust, Domain, Signed, digest};
use ww_wire::{
    Boot, BootCounter, ChainIndex, Hash, PublicKey, Record as _, ResetReason, Sequence, Signature,
    SignerId, TimeQuality, UpdateObstacle, UpdateOutcome, UpdateReport, UptimeMillis, UtcMillis,
};

use crate::world::{START_MS, TestMeter, World};

/// The hardware of all devices here.
pub(crate) const CLASS: HardwareClass = HardwareClass([0xc1; 16]);

/// What devices run before any update.
pub(crate) const OLD: Hash = Hash([9; 32]);

/// Checks signatures.
pub(crate) struct Checker;

impl Verifier for Checker {
    fn es256(&mut self, key: &PublicKey, digest: &Hash, signature: &Signature) -> bool {
        let digest = Digest::import_less_safe(&digest.0, &SHA256).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.to_sec1())
            .verify_digest(&digest, signature.bytes())
            .is_ok()
    }
}

/// Somebody with a key.
pub(crate) struct Person {
    pair: EcdsaKeyPair,
    pkcs8: Vec<u8>,
    public: Vec<u8>,
}

impl Person {
    pub(crate) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let pkcs8 = pair.to_pkcs8v1().unwrap().as_ref().to_vec();
        let public = pair.public_key().as_ref()[1..].to_vec();
        Self {
            pair,
            pkcs8,
            public,
        }
    }

    pub(crate) fn key(&self) -> Key<'_> {
        Key::new(&self.public).unwrap()
    }

    pub(crate) fn sign(&self, domain: Domain, content: &[u8]) -> (SignerId, Vec<u8>) {
        let digest = digest(domain, Algorithm::Es256, self.key().id(), content);
        let digest = Digest::import_less_safe(&digest.0, &SHA256).unwrap();
        let raw = self.pair.sign_digest(&digest).unwrap();
        let raw = raw.as_ref().try_into().unwrap();
        let signature = Signature::normalise(raw).unwrap().bytes().to_vec();
        (self.key().id(), signature)
    }
}

fn role<'a>(threshold: u8, people: &[&'a Person]) -> Role<'a> {
    let mut keys: Vec<_> = people.iter().map(|one| one.key()).collect();
    keys.sort();
    Role::new(threshold, &keys).unwrap()
}

fn bytes_of<'a, T: Item<'a>>(item: &T) -> Vec<u8> {
    let mut bytes = vec![0; canonical::length(item)];
    canonical::encode(item, &mut bytes).unwrap();
    bytes
}

/// Everybody who signs, and the files of a gateway.
pub(crate) struct Fleet {
    pub(crate) root: [Person; 2],
    pub(crate) release: [Person; 3],
    pub(crate) assignment: Person,
    pub(crate) key: FleetKey,
    files: TempDir,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let assignment = Person::new();
        let secret = |name: &str, content: String| {
            let path = files.path().join(name);
            std::fs::write(&path, content).unwrap();
            close(&path);
        };
        secret("fleet.key", format!("{}\n", "5a".repeat(32)));
        secret("assignment.pem", pem(&assignment.pkcs8));
        Self {
            root: [(); 2].map(|()| Person::new()),
            release: [(); 3].map(|()| Person::new()),
            assignment,
            key: FleetKey::new([0x5a; 32]),
            files,
        }
    }

    /// Lets a gateway update this fleet's firmware.
    pub(crate) fn configure(&self, config: &mut Config) {
        config.firmware_key_file = Some(self.files.path().join("fleet.key"));
        config.assignment_key_file = Some(self.files.path().join("assignment.pem"));
        config.public_read = true;
    }

    pub(crate) fn root_of(&self, number: u32) -> Root<'_> {
        Root {
            number,
            suite: Suite::Es256Aes256Ctr,
            root: role(2, &self.root.each_ref()),
            release: role(2, &self.release.each_ref()),
            assignment: role(1, &[&self.assignment]),
        }
    }

    pub(crate) fn signed_root(root: &Root<'_>, people: &[&Person]) -> Vec<u8> {
        let content = bytes_of(root);
        let signatures: Vec<_> = people
            .iter()
            .map(|one| one.sign(Domain::Root, &content))
            .collect();
        let approved = signatures.iter().fold(Approved::new(&content), |all, one| {
            let signed = Signed::new(one.0, Algorithm::Es256, &one.1).unwrap();
            all.with(signed).unwrap()
        });
        bytes_of(&approved)
    }

    /// The first root.
    pub(crate) fn first_root(&self) -> Vec<u8> {
        Self::signed_root(&self.root_of(1), &self.root.each_ref())
    }

    /// A release file that these have signed.
    pub(crate) fn file(&self, draft: &Draft<'_>, people: &[&Person]) -> Vec<u8> {
        let mut bytes = draft
            .seal(&self.key, |bytes| {
                aws_lc_rs::rand::fill(bytes).unwrap();
                Ok(())
            })
            .unwrap();
        for person in people {
            let file = ReleaseFile::decode(&bytes).unwrap();
            let content = file.signed().approved().content.to_vec();
            let (signer, signature) = person.sign(Domain::Release, &content);
            let signed = Signed::new(signer, Algorithm::Es256, &signature).unwrap();
            bytes = file.with(signed).unwrap();
        }
        bytes
    }

    /// A release file as it should be.
    pub(crate) fn good_file(&self, version: &str, counter: u32, image: &[u8]) -> Vec<u8> {
        self.file(
            &draft(version, counter, image),
            &[&self.release[0], &self.release[2]],
        )
    }
}

pub(crate) fn draft<'a>(version: &'a str, security_counter: u32, image: &'a [u8]) -> Draft<'a> {
    Draft {
        class: CLASS,
        security_counter,
        version,
        suite: Suite::Es256Aes256Ctr,
        image,
        config: &[],
        layout: &[],
        deltas: &[],
    }
}

fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

#[cfg(unix)]
fn close(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn close(_path: &Path) {}

/// What a release is called by people and devices.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) digest: Hash,
    pub(crate) payload: Hash,
    pub(crate) object: Hash,
    pub(crate) list: Hash,
    pub(crate) file: Vec<u8>,
}

/// A gateway with a fleet.
pub(crate) struct FleetWorld {
    pub(crate) world: World,
    pub(crate) fleet: Fleet,
}

impl FleetWorld {
    /// With its first root, and everything open to read.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let fleet = Fleet::new();
        let world = World::with(|config| {
            fleet.configure(config);
            change(config);
        })
        .await;
        let this = Self { world, fleet };
        let added = this
            .post_bytes(
                "/api/v1/firmware/roots",
                "application/cbor",
                this.fleet.first_root(),
            )
            .await;
        assert_eq!(added.status(), 201);
        this
    }

    /// The same gateway after a new start.
    pub(crate) async fn restarted(self) -> Self {
        let Self { world, fleet } = self;
        let now = world.clock();
        world.gateway.shutdown().await;
        drop(world.store);
        let world = World::open(world.folder, |config| fleet.configure(config)).await;
        world.clock.set(now);
        Self { world, fleet }
    }

    pub(crate) async fn post_bytes(&self, path: &str, media_type: &str, body: Vec<u8>) -> Response {
        self.world
            .client
            .post(self.world.url(path))
            .bearer_auth(&self.world.admin_key)
            .header("content-type", media_type)
            .body(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn upload(&self, file: Vec<u8>) -> Response {
        let path = "/api/v1/firmware/releases";
        self.post_bytes(path, "application/octet-stream", file)
            .await
    }

    pub(crate) async fn publish(&self, version: &str, counter: u32, image: &[u8]) -> Published {
        let file = self.fleet.good_file(version, counter, image);
        let response = self.upload(file.clone()).await;
        let status = response.status();
        let shown: Value = response.json().await.unwrap();
        assert_eq!(status, 201, "{shown}");
        let read = ReleaseFile::decode(&file).unwrap();
        let release = read.release();
        let whole = *release.encodings().next().unwrap();
        assert_eq!(shown["digest"], release.digest().to_string());
        Published {
            digest: release.digest(),
            payload: release.payload,
            object: whole.object,
            list: whole.list,
            file,
        }
    }

    /// A meter in service, called so, whose site's clock is that of UTC.
    pub(crate) async fn device(&self, number: u8) -> Device {
        let mut meter = TestMeter::new();
        let mac = format!("EC64C9C05E{number:02X}");
        let id = self.world.announce(&meter, &mac).await;
        let approval = json!({"rated_power_w": 800, "name": format!("Roof {number}")});
        self.world.approve(id, &approval).await;
        meter.id = id;
        let secret = self.fleet.key.device_secret(meter.meter());
        Device {
            question: Question {
                device: meter.meter(),
                nonce: [number; 16],
                root_number: 1,
                class: CLASS,
                running: OLD,
                security_counter: 1,
                state: UpdateState::Checking,
                obstacle: Obstacle::None,
                release: None,
                done_bytes: 0,
                total_bytes: 0,
            },
            meter,
            secret,
            boots: 0,
            tip: Hash::ZERO,
        }
    }

    /// Begins to roll a release out to all that have the fleet's hardware; `change` has the last word.
    pub(crate) async fn begin(
        &self,
        release: &Published,
        change: impl FnOnce(&mut Value),
    ) -> Response {
        let mut body = json!({
            "release": release.digest.to_string(),
            "name": "all of them",
            "group": {"labels": ["Roof*"]},
            "waves": [{"percent": 100}],
            "success_percent": 100,
            "error_percent": 50,
            "soak_seconds": 60,
            "deadline_seconds": 86_400,
        });
        change(&mut body);
        self.world
            .admin_post("/api/v1/firmware/rollouts", &body)
            .await
    }

    /// The number of a rollout that has begun.
    pub(crate) async fn begun(&self, release: &Published, change: impl FnOnce(&mut Value)) -> u64 {
        let response = self.begin(release, change).await;
        let status = response.status();
        let shown: Value = response.json().await.unwrap();
        assert_eq!(status, 201, "{shown}");
        shown["id"].as_u64().unwrap()
    }

    pub(crate) async fn order(&self, id: u64, word: &str) -> Response {
        let path = format!("/api/v1/firmware/rollouts/{id}/{word}");
        self.world.admin_post(&path, &json!({})).await
    }

    pub(crate) async fn rollout(&self, id: u64) -> Value {
        self.world
            .json(&format!("/api/v1/firmware/rollouts/{id}"))
            .await
    }

    pub(crate) async fn post_cbor(&self, path: &str, body: Vec<u8>) -> Response {
        self.world
            .client
            .post(self.world.url(path))
            .header("content-type", "application/cbor")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// An answer that the device trusts.
    pub(crate) async fn ask(&self, device: &Device, path: &str) -> Answered {
        let response = self.post_cbor(path, device.proven()).await;
        let status = response.status();
        let body = response.bytes().await.unwrap().to_vec();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        device.trust(&self.fleet, &body).unwrap()
    }

    /// The answer to a new question.
    pub(crate) async fn ask_anew(&self, device: &mut Device) -> Answered {
        device.next_question();
        self.ask(device, "/ota/check").await
    }

    pub(crate) async fn chunk(
        &self,
        device: &Device,
        nonce: &Nonce,
        object: &Hash,
        from: u64,
        n: u64,
    ) -> Response {
        let path = format!(
            "/ota/chunk?device={}&nonce={}&object={object}&from={from}&n={n}",
            device.meter.meter(),
            hex::encode(nonce)
        );
        self.world.get(&path).await
    }

    /// Signs and sends how an update ended.
    pub(crate) async fn complete(&self, device: &Device, report: &UpdateReport) -> Response {
        self.world
            .client
            .post(self.world.url("/ota/complete"))
            .header("content-type", "application/cose")
            .body(device.meter.sign1(report))
            .send()
            .await
            .unwrap()
    }

    /// Lets a device start this payload, by its own signed word.
    pub(crate) async fn start_device(&self, device: &mut Device, payload: Hash) {
        let boot = device.boot(payload);
        let response = self.world.post_records(device.meter.sign1(&boot)).await;
        assert_eq!(response.status(), 200);
    }
}

/// What a device was answered and trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) assignment: Assignment,
    pub(crate) keys: Vec<(Hash, [u8; 40])>,
}

impl Answered {
    pub(crate) fn told(&self) -> (Stage, Option<Hash>) {
        (self.assignment.stage, self.assignment.release)
    }
}

/// A meter as it asks about firmware.
pub(crate) struct Device {
    pub(crate) meter: TestMeter,
    pub(crate) secret: DeviceSecret,
    pub(crate) question: Question,
    boots: u32,
    tip: Hash,
}

impl Device {
    pub(crate) fn next_question(&mut self) {
        aws_lc_rs::rand::fill(&mut self.question.nonce).unwrap();
    }

    /// How far it says it is with a release.
    pub(crate) fn is_at(&mut self, state: UpdateState, release: &Published) {
        self.question.state = state;
        self.question.release = Some(release.digest);
        self.next_question();
    }

    pub(crate) fn proven(&self) -> Vec<u8> {
        bytes_of(&ProvenQuestion::new(self.question, &self.secret))
    }

    /// Its question in the name of this device, proven by this secret.
    pub(crate) fn claiming(&self, device: SignerId, secret: &DeviceSecret) -> Vec<u8> {
        let mut question = self.question;
        question.device = device;
        bytes_of(&ProvenQuestion::new(question, secret))
    }

    pub(crate) fn session(&self, answered: &Answered) -> Session {
        let assignment = &answered.assignment;
        self.secret
            .session(&assignment.device_nonce, &assignment.server_nonce)
    }

    /// What the device takes of an answer to its newest question.
    pub(crate) fn trust(&self, fleet: &Fleet, body: &[u8]) -> Result<Answered, Distrust> {
        let answer = Answer::decode(body).unwrap();
        let signed = SignedAssignment::decode(answer.assignment).unwrap();
        let root = fleet.root_of(signed.claimed().root_number);
        let (device, asked) = (self.question.device, &self.question.nonce);
        let assignment = signed.trust(&root, device, asked, &mut Checker)?;
        let keys = answer.keys().map(|key| (key.object, key.wrapped));
        Ok(Answered {
            assignment,
            keys: keys.collect(),
        })
    }

    /// The record of its next start.
    pub(crate) fn boot(&mut self, payload: Hash) -> Boot {
        let boot = Boot {
            chain_index: ChainIndex::new(u64::from(self.boots)).unwrap(),
            previous: self.tip,
            boot: BootCounter::new(self.boots + 1).unwrap(),
            time: UtcMillis::new(START_MS + u64::from(self.boots) * 1_000),
            firmware: payload,
            reset_reason: ResetReason::Requested,
            first_new: Sequence::new(1).unwrap(),
            ..self.meter.boot()
        };
        self.boots += 1;
        self.tip = boot.encode().unwrap().digest();
        self.question.running = payload;
        boot
    }

    /// How an update ended.
    pub(crate) fn report(
        &self,
        release: &Published,
        outcome: UpdateOutcome,
        obstacle: UpdateObstacle,
    ) -> UpdateReport {
        UpdateReport {
            meter: self.meter.meter(),
            boot: BootCounter::new(self.boots.max(1)).unwrap(),
            time: UtcMillis::new(START_MS + 5_000),
            uptime: UptimeMillis::new(5_000).unwrap(),
            time_quality: TimeQuality::Synchronised,
            release: release.digest,
            payload: release.payload,
            running: self.question.running,
            root_number: 1,
            security_counter: 1,
            outcome,
            obstacle,
        }
    }
}
