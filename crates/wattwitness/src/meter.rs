//! `wattwitness meter`: the product's own meter on Linux, beside a Shelly on the LAN. The meter
//! itself is `ww-device`; here are the clocks, the file, the sockets and the log around it.
//!
//! ```text
//!              ┌──────────┐ pieces of answers  ┌────────┐ answers ┌─────────┐
//!   Shelly ◄───┤  sensor  ├───────────────────►│ driver │◄────────┤ gateway ├───► gateway
//!              └──────────┘◄────── paths ──────┤        ├────────►└─────────┘
//!                                              └─┬────┬─┘ bodies
//!                                  queue_file ◄──┘    └──► journal
//! ```

mod clock;
mod contradiction;
mod driver;
pub(crate) mod gateway;
mod journal;
mod queue_file;
mod sensor;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use jiff::tz::TimeZone;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ww_device::authentication::GEN2_USER;
use ww_device::chain::Start;
use ww_device::meter::{Meter, StartError};
use ww_device::queue::{Layout, Queue};
use ww_device::register::RegisterRules;
use ww_device::sampler::Enrolled;
use ww_device::shelly::Sensor;
use ww_device::signer::SoftwareSigner;
use ww_device::verifier::SoftwareVerifier;
use ww_wire::{
    Enrolment, Hash, MeterId, Nameplate, ProductionCounter, ResetReason, SensorModel, Text, Watts,
};
use zeroize::Zeroizing;

use crate::http;
use crate::keys::{PrivateKey, fingerprint};
use clock::{Clock, SystemClock};
use contradiction::Contradiction;
use driver::{Driver, Introduction};
use gateway::GatewayClient;
use journal::{Event, Journal, Reporter};
use queue_file::QueueFile;
use sensor::{Identified, Login, NotIdentified, SensorClient};

/// Where the Shelly's password may be given; never on the command line, where others can read it.
const PASSWORD_VARIABLE: &str = "WATTWITNESS_SHELLY_PASSWORD";

const SHELLY_EXAMPLE: &str = "http://192.168.1.50";

const USER_AGENT: &str = concat!("wattwitness/", env!("CARGO_PKG_VERSION"));

/// The longest password file that is read.
const LONGEST_PASSWORD_FILE: u64 = 1024;

/// How long until a sensor that did not say what it is is asked again.
const IDENTIFY_AGAIN_MS: u64 = 5_000;

/// What the largest clamp of these sensors measures, 120 A, at 230 V: the bound of a phase before
/// an operator has said what the plant can produce.
const LARGEST_CLAMP_W: u32 = 120 * 230;

const EXAMPLES: &str = "\
Examples:
  wattwitness keys new meter.key
  wattwitness meter --shelly http://192.168.1.50 \\
      --gateway http://192.168.1.10:8000 --key meter.key
  wattwitness meter --shelly http://192.168.1.50 \\
      --gateway http://192.168.1.10:8000 --key meter.key --channel 1 \\
      --production-counter total-returned \\
      --shelly-password-file shelly.password

What channel, counter, rated power, name and time zone say is proposed to the
operator, who decides when he approves the meter. The Shelly's password comes
from a file or from WATTWITNESS_SHELLY_PASSWORD.

Readings say how far their time can be relied on. The clock counts as
synchronised when the kernel says so, whoever keeps it (timesyncd, chrony, ntpd,
PTP): `timedatectl` is asked once a minute. Without systemd, a fresh
/run/systemd/timesync/synchronized counts; otherwise the time is informative.

One key has one queue: with a lost state folder, or an older copy that lacks
records which the gateway has, the meter sends nothing, so that it contradicts
nothing that it signed; it goes on measuring, keeps what it measures, and says in
the log what to do. Make a new key then, and let the operator approve it as the
replacement. Never start it on a copy.";

/// What the meter is told by flags, environment and configuration file.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[command(after_help = EXAMPLES)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MeterArguments {
    /// Address of the Shelly, such as http://192.168.1.50
    #[arg(long, value_name = "URL", env = "WATTWITNESS_SHELLY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shelly: Option<String>,
    /// Address of the gateway, such as http://192.168.1.10:8000
    #[arg(long, value_name = "URL", env = "WATTWITNESS_GATEWAY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gateway: Option<String>,
    /// The meter's private key (`wattwitness keys new FILE` makes one)
    #[arg(long, value_name = "FILE", env = "WATTWITNESS_KEY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
    /// Channel of the Shelly, from 0; 0 if left out
    #[arg(long, value_name = "N", env = "WATTWITNESS_CHANNEL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<u8>,
    /// Which of the Shelly's counters counts production; `total` if left out
    #[arg(long, value_name = "COUNTER", env = "WATTWITNESS_PRODUCTION_COUNTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) production_counter: Option<CounterArgument>,
    /// Rated power of the plant in W
    #[arg(long, value_name = "W", env = "WATTWITNESS_RATED_POWER_W")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rated_power_w: Option<u32>,
    /// Name of the meter for people
    #[arg(long, env = "WATTWITNESS_NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Time zone of the site, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", env = "WATTWITNESS_TIME_ZONE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_zone: Option<String>,
    /// Where to keep the queue (1 MiB); beside the key file, as FILE.state, if left out
    #[arg(long, value_name = "DIR", env = "WATTWITNESS_STATE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<PathBuf>,
    /// User of the Shelly, if it has a password; `admin` if left out
    #[arg(long, value_name = "USER", env = "WATTWITNESS_SHELLY_USER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shelly_user: Option<String>,
    /// File with the Shelly's password, readable by its owner only
    #[arg(long, value_name = "FILE", env = "WATTWITNESS_SHELLY_PASSWORD_FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shelly_password_file: Option<PathBuf>,
}

/// A counter of the sensor, as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CounterArgument {
    /// `total`: production makes the Shelly's power positive
    Total,
    /// `total_returned`: production makes the Shelly's power negative
    #[value(alias = "total_returned")]
    #[serde(alias = "total_returned")]
    TotalReturned,
}

impl From<CounterArgument> for ProductionCounter {
    fn from(argument: CounterArgument) -> Self {
        match argument {
            CounterArgument::Total => Self::Total,
            CounterArgument::TotalReturned => Self::TotalReturned,
        }
    }
}

/// Runs a meter until `stop` comes.
///
/// # Errors
/// In words for whoever started it: a setting that cannot be, a key file that others can read, a
/// sensor that is no meter, a queue that another process holds or that the disk does not keep.
pub(crate) async fn run(
    arguments: MeterArguments,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let password = std::env::var(PASSWORD_VARIABLE).ok().map(Zeroizing::new);
    let settings = Settings::new(arguments, password)?;
    let journal = Journal::new(settings.zone.clone());
    operate(settings, SystemClock::start().await, journal, stop).await
}

/// The arguments, as they are used.
struct Settings {
    shelly: Url,
    gateway: Url,
    key: PrivateKey,
    key_file: PathBuf,
    channel: u8,
    production_counter: ProductionCounter,
    rated_power: Option<Watts>,
    name: Option<String>,
    time_zone: Option<String>,
    zone: TimeZone,
    state: PathBuf,
    login: Option<Login>,
}

impl Settings {
    fn new(arguments: MeterArguments, password: Option<Zeroizing<String>>) -> anyhow::Result<Self> {
        let shelly = url("shelly", SHELLY_EXAMPLE, arguments.shelly.as_deref())?;
        ensure!(
            shelly.path() == "/",
            "--shelly is the address of the device alone, without a path"
        );
        let gateway = url("gateway", http::EXAMPLE, arguments.gateway.as_deref())?;
        let key_file = arguments
            .key
            .context("--key FILE is missing; `wattwitness keys new FILE` makes a key")?;
        let key = PrivateKey::load(&key_file)?;
        let rated_power = match arguments.rated_power_w {
            Some(0) => anyhow::bail!("--rated-power-w must be more than 0"),
            Some(watts) => Some(Watts::new(watts).context("--rated-power-w is out of range")?),
            None => None,
        };
        if let Some(name) = &arguments.name {
            ensure!(
                !name.is_empty() && Text::<64>::new(name).is_some(),
                "--name must have 1 to 64 bytes and no control characters"
            );
        }
        let zone = match &arguments.time_zone {
            Some(name) => TimeZone::get(name).with_context(|| {
                format!("--time-zone {name} is not known; write it like Europe/Berlin")
            })?,
            None => TimeZone::UTC,
        };
        let password = match &arguments.shelly_password_file {
            Some(file) => Some(password_from(file)?),
            None => password,
        };
        ensure!(
            password.is_some() || arguments.shelly_user.is_none(),
            "--shelly-user is of no use without a password: give it by --shelly-password-file FILE \
             or in {PASSWORD_VARIABLE}"
        );
        let user = arguments
            .shelly_user
            .unwrap_or_else(|| GEN2_USER.to_owned());
        Ok(Self {
            shelly,
            gateway,
            key,
            channel: arguments.channel.unwrap_or(0),
            production_counter: arguments
                .production_counter
                .unwrap_or(CounterArgument::Total)
                .into(),
            rated_power,
            name: arguments.name,
            time_zone: arguments.time_zone,
            zone,
            state: arguments.state.unwrap_or_else(|| state_beside(&key_file)),
            key_file,
            login: password.map(|password| Login { user, password }),
        })
    }

    /// What is polled, and how, before an operator has said so.
    fn proposed(&self, sensor: Sensor) -> Enrolled {
        let phases = if sensor.model().is_three_phase() {
            3
        } else {
            1
        };
        let largest = Watts::new(LARGEST_CLAMP_W * phases).unwrap_or(Watts::MAX);
        Enrolled {
            sensor,
            mac: None,
            rules: RegisterRules {
                production_counter: self.production_counter,
                nameplate: Nameplate {
                    rated_power: self.rated_power.unwrap_or(largest),
                    ct_ratio_milli: 1000,
                },
            },
        }
    }
}

/// Reads an address without showing it in an error: it could hold a password.
fn url(flag: &str, example: &str, text: Option<&str>) -> anyhow::Result<Url> {
    let text = text.with_context(|| format!("--{flag} URL is missing, such as {example}"))?;
    let url = Url::parse(text)
        .ok()
        .filter(http::is_address)
        .with_context(|| format!("--{flag} is no address; write it like {example}"))?;
    ensure!(
        url.username().is_empty() && url.password().is_none(),
        "--{flag} must not hold a password: addresses end up in logs and lists of processes"
    );
    ensure!(
        url.query().is_none() && url.fragment().is_none(),
        "--{flag} must be an address without ? and #"
    );
    Ok(url)
}

fn state_beside(key_file: &Path) -> PathBuf {
    let mut path = OsString::from(key_file);
    path.push(".state");
    path.into()
}

fn password_from(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let shown = file.display();
    let mut opened =
        File::open(file).with_context(|| format!("cannot open the password file {shown}"))?;
    let mode = opened.metadata()?.permissions().mode() & 0o777;
    ensure!(
        mode & 0o077 == 0,
        "the password file {shown} can be read by others (mode {mode:04o}); run: chmod 600 {shown}"
    );
    let mut text = Zeroizing::new(String::new());
    Read::by_ref(&mut opened)
        .take(LONGEST_PASSWORD_FILE)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read the password file {shown}"))?;
    let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    ensure!(!password.is_empty(), "the password file {shown} is empty");
    Ok(password)
}

/// Puts the meter together and runs it.
async fn operate<C: Clock, R: Reporter>(
    settings: Settings,
    clock: C,
    mut reporter: R,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut stop = std::pin::pin!(stop);
    let _key_lock = queue_file::lock_key(&settings.key_file)?;
    let mut queue_file = QueueFile::open(&settings.state)?;
    let queue_path = QueueFile::path(&settings.state);
    let last_failure = queue_file.last_failure();
    let why_not_started = |error: StartError| match last_failure.take() {
        Some(failure) => anyhow::Error::from(failure).context(error),
        None => error.into(),
    };
    let in_queue_file = || format!("in the queue file {}", queue_path.display());

    let public_key = settings.key.public();
    let enrolment = enrolment_in_force(&mut queue_file, public_key.id())
        .map_err(why_not_started)
        .with_context(in_queue_file)?;
    let client = SensorClient::new(settings.shelly.clone(), settings.login.clone())?;
    let (model, channel, identified) = match &enrolment {
        Some(enrolment) => (enrolment.sensor_model, enrolment.channel, None),
        None => tokio::select! {
            biased;
            () = &mut stop => return Ok(()),
            found = identify(&client, &clock, &mut reporter) => {
                let found = found?;
                (found.model, settings.channel, Some(found))
            }
        },
    };
    let sensor = Sensor::new(model, channel)
        .with_context(|| format!("the sensor has no channel {channel}; {}", channels(model)))?;

    let signer = SoftwareSigner::new(settings.key.bytes()).context("the key cannot sign")?;
    let start = Start {
        now: clock.now(),
        firmware: firmware()
            .context("cannot read the running program, which a Boot record names")?,
        version: version(),
        security_counter: 0,
        reset_reason: ResetReason::Requested,
    };
    let proposed = settings.proposed(sensor);
    let layout = Layout::ONE_MEBIBYTE;
    let (meter, boot) = Meter::start(
        queue_file,
        layout,
        signer,
        SoftwareVerifier,
        proposed,
        &start,
    )
    .map_err(why_not_started)
    .with_context(in_queue_file)?;
    reporter.report(Event::Started {
        meter: meter.id(),
        fingerprint: fingerprint(&public_key),
        boot: boot.boot,
        model,
        channel,
    });
    let introduction = Introduction {
        name: settings.name,
        public_key,
        boot_timestamp: start
            .now
            .time()
            .and_then(|time| i64::try_from(time.seconds()).ok()),
        identified,
        rated_power_w: settings.rated_power.map(Watts::get),
        time_zone: settings.time_zone,
    };
    let gateway = GatewayClient::new(settings.gateway, meter.id())?;
    let noted = Contradiction::noted(&settings.state, meter.id());
    let mut driver = Driver::new(
        meter,
        clock,
        reporter,
        client,
        gateway,
        introduction,
        settings.state,
        last_failure,
    );
    if let Some(noted) = noted {
        driver.block(noted);
    }
    driver.run(stop).await
}

/// Looks before the meter starts, which needs to know what it polls.
fn enrolment_in_force(
    queue_file: &mut QueueFile,
    meter: MeterId,
) -> Result<Option<Enrolment>, StartError> {
    let (mut queue, _) = Queue::mount(queue_file, Layout::ONE_MEBIBYTE, meter)?;
    Ok(queue.enrolment()?.map(|(enrolment, _)| enrolment))
}

/// Asks until there is an answer.
async fn identify(
    client: &SensorClient,
    clock: &impl Clock,
    reporter: &mut impl Reporter,
) -> anyhow::Result<Identified> {
    loop {
        match client.identify().await {
            Ok(found) => {
                reporter.report(Event::SensorFound(found.clone()));
                return Ok(found);
            }
            Err(NotIdentified::Unusable(error)) => return Err(error),
            Err(NotIdentified::Unreachable(why)) => reporter.report(Event::SensorSought { why }),
        }
        let now = clock.now().uptime();
        let until = now.checked_add_ms(IDENTIFY_AGAIN_MS).unwrap_or(now);
        reporter.report(Event::Waits {
            until,
            under_way: false,
        });
        clock.sleep_until(until).await;
    }
}

fn channels(model: SensorModel) -> String {
    let last = (0..=u8::MAX)
        .take_while(|channel| Sensor::new(model, *channel).is_some())
        .last();
    match last {
        Some(last) if last > 0 => format!("there are 0 to {last}"),
        _ => "there is only 0".to_owned(),
    }
}

/// SHA-256 of the running program's file.
fn firmware() -> std::io::Result<Hash> {
    let mut file = File::open("/proc/self/exe")?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            return Ok(Hash(hasher.finalize().into()));
        }
        hasher.update(&buffer[..length]);
    }
}

fn version() -> (u16, u16, u16) {
    let number = |text: &str| {
        text.parse()
            .expect("Cargo's version numbers of this crate are small")
    };
    (
        number(env!("CARGO_PKG_VERSION_MAJOR")),
        number(env!("CARGO_PKG_VERSION_MINOR")),
        number(env!("CARGO_PKG_VERSION_PATCH")),
    )
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("Linux gives randomness to every process once it is up");
    bytes
}

fn random_number() -> u32 {
    u32::from_ne_bytes(random())
}
