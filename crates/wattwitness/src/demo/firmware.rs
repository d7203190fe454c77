//! The firmware of the demo's park: keys of people and of a fleet, a first release that the meters are made
//! with, and a second that is rolled out while one watches. It is made, signed and published by the commands
//! that people type; only the images are made up, since nothing here runs them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser as _;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};
use ww_api::hex;
use ww_device::update::agent::{Conditions, Diagnostics, Progress, Request, Settings};
use ww_device::verifier::SoftwareVerifier;
use ww_release::fleet::FleetKey;
use ww_release::release::HardwareClass;
use ww_release::root::SignedRoot;
use ww_release::secret::DeviceSecret;
use ww_sim::flash::SECTOR_BYTES;
use ww_sim::meter::Firmware as Running;
use ww_sim::random::Random;
use ww_sim::updater::{Carrier, Make, Updater};
use ww_wire::{BootCounter, MeterId, TimeQuality, UpdateReport};
use zeroize::Zeroizing;

use crate::keys::secret_file;
use crate::ota::OtaClient;
use crate::{Command, CommandLine, firmware, keys};

/// UUID of the hardware that the demo's meters stand for.
const CLASS: &str = "6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7f";

/// Bytes of an image: those of a small firmware with radio, TCP and P-256.
pub(crate) const IMAGE_BYTES: usize = 550_000;

/// How many sectors a slot has beyond the image: room for a delta, and for a larger image.
const SPARE_SECTORS: u32 = 56;

/// What an image that does not reach its sensor says of itself.
const BROKEN: &str = "sensor driver broken";

/// The park's meters ask often, so that one sees something.
const SETTINGS: Settings = Settings {
    check_every_ms: 15_000,
    verify_every_ms: 10_000,
    trial_ms: 90_000,
};

/// Whether a release has a delta from the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deltas {
    None,
    FromFirst,
}

/// What the park's firmware is made of.
pub(crate) struct Firmware {
    folder: PathBuf,
    root: Vec<u8>,
    root_number: u32,
    first: Vec<u8>,
    slot_sectors: u32,
    fleet: FleetKey,
    class: HardwareClass,
}

impl Firmware {
    /// Makes keys, a root and two releases in a folder. The second one's image does not work if it `is_bad`.
    pub(crate) fn prepare(
        folder: &Path,
        image_bytes: usize,
        deltas: Deltas,
        is_bad: bool,
    ) -> anyhow::Result<Self> {
        let folder = folder.join("firmware");
        std::fs::create_dir_all(&folder)?;
        let at = |name: &str| folder.join(name).display().to_string();
        let new = |words: &[&str], name: &str| {
            let file = at(name);
            said(&[&["keys", "new"], words, &[file.as_str()]].concat())
        };
        let passphrase = at("passphrase");
        let mut digits = Zeroizing::new([0; 16]);
        getrandom::fill(&mut *digits)?;
        secret_file::make(Path::new(&passphrase), &hex::encode(&*digits))?;
        let opened = ["--passphrase-file", passphrase.as_str()];
        for person in ["anna", "bert"] {
            let of = |role| [&["--role", role][..], &opened].concat();
            new(&of("root"), &format!("{person}-root.key"))?;
            new(&of("release"), &format!("{person}.key"))?;
        }
        new(
            &["--role", "assignment", "--no-passphrase"],
            "assignment.key",
        )?;
        said(&["keys", "fleet", &at("fleet.key")])?;
        let root = at("root-1.cbor");
        said(&[
            "keys",
            "root",
            "new",
            &root,
            "--root-key",
            &at("anna-root.pub"),
            &at("bert-root.pub"),
            "--release-key",
            &at("anna.pub"),
            &at("bert.pub"),
            "--assignment-key",
            &at("assignment.pub"),
        ])?;
        for person in ["anna-root.key", "bert-root.key"] {
            let key = at(person);
            let words = ["keys", "root", "sign", &root, "--key", &key];
            said(&[&words[..], &opened].concat())?;
        }
        let first = image(image_bytes, "1.0.0", "works", 1);
        let works = if is_bad { BROKEN } else { "works" };
        std::fs::write(folder.join("1.0.0.bin"), &first)?;
        std::fs::write(
            folder.join("2.0.0.bin"),
            image(image_bytes, "2.0.0", works, 2),
        )?;
        let from = at("1.0.0.wwr");
        let delta = ["--from", from.as_str()];
        let from = match deltas {
            Deltas::None => &[][..],
            Deltas::FromFirst => &delta,
        };
        for (version, counter, from) in [("1.0.0", "1", &[][..]), ("2.0.0", "2", from)] {
            let file = at(&format!("{version}.wwr"));
            let image = at(&format!("{version}.bin"));
            let key = at("fleet.key");
            let words = [
                "firmware",
                "build",
                &image,
                &file,
                "--version",
                version,
                "--security-counter",
                counter,
                "--hardware-class",
                CLASS,
                "--fleet-key",
                &key,
            ];
            said(&[&words, from].concat())?;
            for person in ["anna.key", "bert.key"] {
                let key = at(person);
                let words = ["firmware", "sign", &file, "--key", &key, "--root", &root];
                said(&[&words[..], &opened].concat())?;
            }
        }
        let signed = std::fs::read(&root)?;
        let signed = SignedRoot::decode(&signed)?;
        Ok(Self {
            root: signed.approved().content.to_vec(),
            root_number: signed.claimed().number,
            first,
            slot_sectors: image_bytes.div_ceil(SECTOR_BYTES) as u32 + SPARE_SECTORS,
            fleet: keys::fleet_key(Path::new(&at("fleet.key")))?,
            class: firmware::hardware_class(CLASS).map_err(anyhow::Error::msg)?,
            folder,
        })
    }

    /// What a device shares with its gateway.
    pub(crate) fn secret(&self, device: MeterId) -> DeviceSecret {
        self.fleet.device_secret(device)
    }

    /// The hardware that it is for.
    pub(crate) const fn class(&self) -> HardwareClass {
        self.class
    }

    /// The file with the fleet's key.
    pub(crate) fn fleet_key_file(&self) -> PathBuf {
        self.folder.join("fleet.key")
    }

    /// The file with the gateway's assignment key.
    pub(crate) fn assignment_key_file(&self) -> PathBuf {
        self.folder.join("assignment.key")
    }

    /// Makes a meter's slots, its boot loader and its agent.
    pub(crate) fn updater(&self, device: MeterId, seed: u64) -> anyhow::Result<Updater> {
        let make = Make {
            image: &self.first,
            root: &self.root,
            root_number: self.root_number,
            device,
            class: self.class,
            secret: self.fleet.provision(device),
            settings: SETTINGS,
            slot_sectors: self.slot_sectors,
            seed,
        };
        Ok(Updater::new(make, &mut SoftwareVerifier)?)
    }

    /// Publishes the root and both releases.
    pub(crate) fn publish(&self, gateway: &str, admin_key_file: &Path) -> anyhow::Result<()> {
        let at = |name: &str| self.folder.join(name).display().to_string();
        let (root, key) = (at("root-1.cbor"), admin_key_file.display().to_string());
        let to = ["--gateway", gateway, "--api-key-file", &key];
        said(&[&["keys", "root", "publish", &root][..], &to].concat())?;
        for version in ["1.0.0", "2.0.0"] {
            let file = at(&format!("{version}.wwr"));
            let words = ["firmware", "publish", &file, "--root", &root];
            said(&[&words[..], &to].concat())?;
        }
        Ok(())
    }
}

/// What a command prints that succeeded.
fn said(words: &[&str]) -> anyhow::Result<String> {
    let line = CommandLine::try_parse_from(std::iter::once(&"wattwitness").chain(words))?;
    let done = match line.command {
        Command::Keys(command) => keys::run(&command),
        Command::Firmware(command) => firmware::run(&command).map(|(text, _)| text),
        _ => bail!("the demo types no such command"),
    };
    done.with_context(|| format!("`{}` failed", words.join(" ")))
}

/// An image that says what it is, and for the rest looks like code: the same in each version, but for some
/// places.
fn image(bytes: usize, version: &str, works: &str, changes: u64) -> Vec<u8> {
    let mut image = vec![0; bytes];
    Random::new(0x0077_7177).fill(&mut image);
    let mut random = Random::new(changes);
    for _ in 0..400 {
        let at = random.below(bytes as u64 - 8) as usize;
        random.fill(&mut image[at..at + 8]);
    }
    let mut head = String::new();
    writeln!(head, "simulated meter firmware {version}: {works}").expect("a string takes text");
    image[..head.len()].copy_from_slice(head.as_bytes());
    image
}

/// What an image says of itself.
pub(super) struct Claimed {
    pub(super) version: (u16, u16, u16),
    pub(super) reaches_sensor: bool,
}

/// Reads the first line of an image.
pub(super) fn claimed(head: &[u8]) -> Option<Claimed> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let text = std::str::from_utf8(line).ok()?;
    let (version, works) = text
        .strip_prefix("simulated meter firmware ")?
        .split_once(": ")?;
    let mut numbers = version.split('.').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Claimed {
        version: (next()?, next()?, next()?),
        reaches_sensor: works != BROKEN,
    })
}

/// What runs on a device, as its Boot records are to say it.
pub(super) fn running(updater: &mut Updater) -> Running {
    let version = claimed(&updater.head()).map_or((0, 0, 0), |claimed| claimed.version);
    Running {
        digest: updater.running(),
        version,
        security_counter: updater.security_counter(),
    }
}

/// The way of a meter to its gateway, while it may be asked to sign.
pub(super) struct Carrying<'a> {
    pub(super) client: &'a OtaClient,
    pub(super) runtime: &'a tokio::runtime::Handle,
    pub(super) meter: &'a mut super::park::Metering,
}

impl Carrier for Carrying<'_> {
    fn carry(&mut self, request: Request, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        self.runtime
            .block_on(self.client.send(request, body.to_vec()))
    }

    fn sign(&mut self, report: &UpdateReport) -> Option<Vec<u8>> {
        let mut signed = vec![0; 1024];
        let len = self.meter.meter_mut()?.sign_update(report, &mut signed);
        signed.truncate(len.ok()?);
        Some(signed)
    }

    fn boot(&self) -> BootCounter {
        self.meter
            .meter()
            .map_or(BootCounter::ZERO, ww_device::meter::Meter::boot)
    }
}

/// What a meter knows of itself since it started.
pub(super) fn conditions(meter: &super::park::Metering) -> Conditions {
    let shown = meter.shown();
    Conditions {
        is_paused: false,
        is_brown_out: false,
        diagnostics: Diagnostics {
            sensor: shown.sensor,
            // What the gateway took was signed, and kept before that.
            signer: shown.gateway,
            queue: shown.gateway,
            gateway: shown.gateway,
            time: meter.meter_now().quality() == TimeQuality::Synchronised,
        },
    }
}

/// What one reads of a release in the gateway's list.
#[derive(Deserialize)]
struct Listed {
    digest: String,
    version: String,
}

/// What one reads of a device in the gateway's list.
#[derive(Deserialize)]
struct Device {
    meter_id: String,
}

/// Begins the rollout of the second release to every meter that the gateway knows, in these waves.
pub(crate) async fn roll_out(gateway: &Url, admin_key: &str, waves: Value) -> anyhow::Result<()> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .build()?;
    let listed = async |path: &str| {
        let request = client.get(gateway.join(path)?).bearer_auth(admin_key);
        anyhow::Ok(request.send().await?.error_for_status()?.bytes().await?)
    };
    let releases: Vec<Listed> = serde_json::from_slice(&listed("api/v1/firmware/releases").await?)?;
    let release = releases
        .into_iter()
        .find(|release| release.version == "2.0.0")
        .context("release 2.0.0 is not in the gateway's list")?;
    let meters: Vec<Device> = serde_json::from_slice(&listed("ota/status").await?)?;
    let meters: Vec<String> = meters.into_iter().map(|device| device.meter_id).collect();
    let rollout = json!({
        "release": release.digest,
        "name": "2.0.0 for the park",
        "group": { "meters": meters },
        "waves": waves,
        "success_percent": 100,
        "error_percent": 50,
        "soak_seconds": 30,
        "deadline_seconds": 900,
    });
    let begun = client
        .post(gateway.join("api/v1/firmware/rollouts")?)
        .bearer_auth(admin_key)
        .json(&rollout)
        .send()
        .await?;
    if !begun.status().is_success() {
        bail!("the gateway began no rollout: {}", begun.text().await?);
    }
    Ok(())
}

/// An update's progress for the log.
pub(super) fn told(name: &str, progress: &Progress) {
    tracing::info!(
        meter = name,
        state = progress.state.name(),
        obstacle = progress.obstacle.name(),
        percent = progress.percent(),
        "firmware"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_says_its_version_and_whether_it_works() {
        let claim = claimed(&image(9_000, "2.0.1", "works", 1)).unwrap();
        assert_eq!((claim.version, claim.reaches_sensor), ((2, 0, 1), true));
        assert!(
            !claimed(&image(9_000, "2.0.1", BROKEN, 1))
                .unwrap()
                .reaches_sensor
        );
        assert!(claimed(&[0xff; 64]).is_none());
    }

    #[test]
    fn neighbouring_images_differ_in_a_few_places() {
        let (one, next) = (
            image(90_000, "1.0.0", "works", 1),
            image(90_000, "2.0.0", "works", 2),
        );
        let differing = one.iter().zip(&next).filter(|(a, b)| a != b).count();
        assert!((1..10_000).contains(&differing), "{differing}");
    }
}
