//! `wattwitness enrol`: an operator approves a meter, with the gateway's operator key or with one of
//! his own that never leaves this computer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use jiff::tz::TimeZone;
use reqwest::Url;
use ww_api::name::Named;
use ww_api::{Approval, Installation, InstallationState, hex};
use ww_device::signer::{Signer, SoftwareSigner};
use ww_gateway::{Clock, SystemClock};
use ww_verify::Plain;
use ww_wire::record::Record;
use ww_wire::{
    Address, Custody, Domain, Enrolment, Mac, MeterId, ProductionCounter, PublicKey, RecordType,
    SensorModel, Sign1, Text, ToBeSigned, Watts,
};

use crate::http::{self, NoAnswer, Server};
use crate::keys::{PrivateKey, fingerprint, signer_id};
use crate::meter::CounterArgument;

/// How often to look whether the meter has announced itself.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

const EXAMPLES: &str = "\
Examples:
  export WATTWITNESS_GATEWAY=http://127.0.0.1:8000
  export WATTWITNESS_API_KEY_FILE=data/admin.key
  wattwitness enrol
      lists the meters that wait, with their fingerprints
  wattwitness enrol --meter 5f2c… --rated-power-w 800
      approves one; the gateway signs with its operator key
  wattwitness enrol --meter 5f2c… --rated-power-w 800 --operator-key operator.key
      the same with a key of your own, which the gateway must list in
      trusted_operator_keys
  wattwitness enrol --meter 7e91… --replaces 1
      approves one in the place of installation 1's meter, whose lifetime total
      goes on

Compare the fingerprint with the one that `wattwitness keys show` prints on the meter.";

/// Which meter, and what it measures.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EnrolArguments {
    /// The gateway
    #[arg(long, value_name = "URL", env = "WATTWITNESS_GATEWAY", value_parser = http::address)]
    gateway: Url,
    /// File with an API key of an operator or administrator
    #[arg(long, value_name = "FILE", env = "WATTWITNESS_API_KEY_FILE")]
    api_key_file: PathBuf,
    /// The meter's id; without it, the meters that wait are listed
    #[arg(long, value_name = "ID", value_parser = signer_id)]
    meter: Option<MeterId>,
    /// How long to wait for the meter to announce itself
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait_s: u64,
    /// Your own operator key; without it the gateway's signs
    #[arg(long, value_name = "FILE")]
    operator_key: Option<PathBuf>,
    /// Name for people [default: as announced]
    #[arg(long)]
    name: Option<String>,
    /// Time zone of the site, such as Europe/Berlin [default: as announced]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Rated power of the plant in W [default: as announced]
    #[arg(long, value_name = "W")]
    rated_power_w: Option<u32>,
    /// Channel of the sensor, from 0 [default: as announced; 0 with --operator-key]
    #[arg(long, value_name = "N")]
    channel: Option<u8>,
    /// Which counter counts production [default: as announced; `total` with --operator-key]
    #[arg(long, value_name = "COUNTER")]
    production_counter: Option<CounterArgument>,
    /// Number of the installation whose meter this one replaces: its lifetime total goes on
    #[arg(long, value_name = "NUMBER", conflicts_with = "operator_key")]
    replaces: Option<u32>,
}

/// Does what was asked and gives what to print.
pub(crate) async fn run(arguments: &EnrolArguments) -> anyhow::Result<String> {
    let Some(meter) = arguments.meter else {
        return waiting(&server(arguments)?).await;
    };
    let installation = announced(arguments, meter).await?;
    let approval = match &arguments.operator_key {
        None => by_the_gateway(arguments),
        Some(file) => signed_here(arguments, file, &installation)?,
    };
    let path = format!("api/v1/installations/{}/approve", installation.id);
    let body = serde_json::to_vec(&approval)?;
    let approved: Installation = server(arguments)?.post(&path, body).await?;
    Ok(format!(
        "installation {} ({}) is active",
        approved.id,
        Plain(&approved.name)
    ))
}

fn server(arguments: &EnrolArguments) -> anyhow::Result<Server> {
    Server::new(&arguments.gateway, Some(&arguments.api_key_file))
}

async fn waiting(server: &Server) -> anyhow::Result<String> {
    let all: Vec<Installation> = server.json("api/v1/installations/").await?;
    let lines: Vec<String> = all
        .iter()
        .filter(|installation| installation.state == InstallationState::Waiting)
        .map(|installation| {
            let key = hex::decode_array(&installation.public_key).map(PublicKey);
            format!(
                "{}  {}  {}",
                key.map_or_else(|| "unreadable key".to_owned(), |key| fingerprint(&key)),
                Plain(&installation.meter_id),
                Plain(&installation.name)
            )
        })
        .collect();
    Ok(if lines.is_empty() {
        "no meter waits for approval".to_owned()
    } else {
        lines.join("\n")
    })
}

/// Waits until the meter has announced itself; a gateway that is just starting is waited for too.
async fn announced(arguments: &EnrolArguments, meter: MeterId) -> anyhow::Result<Installation> {
    let mut obstacle = None;
    let looking = async {
        let mut look = tokio::time::interval(LOOK_AGAIN);
        loop {
            look.tick().await;
            match look_for(arguments, meter).await {
                Ok(Some(installation)) => return Ok(installation),
                Ok(None) => obstacle = None,
                Err(error) if may_pass(&error) => obstacle = Some(error),
                Err(error) => return Err(error),
            }
        }
    };
    let limit = Duration::from_secs(arguments.wait_s);
    match tokio::time::timeout(limit, looking).await {
        Ok(found) => found,
        Err(_) => Err(obstacle
            .unwrap_or_else(|| {
                anyhow::anyhow!("meter {meter} has not announced itself to this gateway")
            })
            .context(format!("gave up after {} s", arguments.wait_s))),
    }
}

async fn look_for(
    arguments: &EnrolArguments,
    meter: MeterId,
) -> anyhow::Result<Option<Installation>> {
    server(arguments)?.installation(&meter.to_string()).await
}

/// Whether it may be that the gateway is just starting: it does not listen yet, or has not made the
/// key file.
fn may_pass(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let no_file = cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        no_file
            || cause
                .downcast_ref::<NoAnswer>()
                .is_some_and(|error| error.is_unconnected)
    })
}

fn by_the_gateway(arguments: &EnrolArguments) -> Approval {
    let counter = arguments.production_counter.map(ProductionCounter::from);
    Approval {
        name: arguments.name.clone(),
        time_zone: arguments.time_zone.clone(),
        rated_power_w: arguments.rated_power_w,
        channel: arguments.channel,
        production_counter: counter.map(|counter| counter.name().to_owned()),
        replaces: arguments.replaces,
        ..Approval::default()
    }
}

fn signed_here(
    arguments: &EnrolArguments,
    operator_key: &Path,
    installation: &Installation,
) -> anyhow::Result<Approval> {
    let operator = PrivateKey::load(operator_key)?;
    let enrolment = enrolment(arguments, operator.public(), installation)?;
    let payload = enrolment.encode()?;
    let message = ToBeSigned::new(Domain::Record(RecordType::Enrolment), &payload)
        .context("the enrolment is too long to be signed")?;
    let signature = SoftwareSigner::new(operator.bytes())?.sign(&message)?;
    let signed = Sign1 {
        payload: &payload,
        signature,
    }
    .encode();
    Ok(Approval {
        record: Some(hex::encode(
            &signed.context("the enrolment is too long to be sent")?,
        )),
        name: arguments.name.clone(),
        time_zone: arguments.time_zone.clone(),
        ..Approval::default()
    })
}

fn enrolment(
    arguments: &EnrolArguments,
    operator_key: PublicKey,
    installation: &Installation,
) -> anyhow::Result<Enrolment> {
    if let Some(zone) = &arguments.time_zone {
        TimeZone::get(zone).with_context(|| format!("`{zone}` is no time zone"))?;
    }
    ensure!(
        installation.enrolment_digest.is_none(),
        "the meter has an enrolment already; a new number is needed, which the gateway counts: leave out --operator-key"
    );
    let meter_key = hex::decode_array(&installation.public_key)
        .map(PublicKey)
        .context("the gateway gave an unreadable public key")?;
    ensure!(
        meter_key
            .id()
            .to_string()
            .eq_ignore_ascii_case(&installation.meter_id),
        "the gateway gave a key that is not the meter's"
    );
    let Some(model) = installation
        .sensor_model
        .as_deref()
        .and_then(SensorModel::from_name)
    else {
        bail!("the meter did not announce what sensor it reads");
    };
    let mac = installation
        .shelly_mac
        .as_deref()
        .and_then(hex::decode_array);
    let rated = arguments.rated_power_w.or(installation.rated_power_w);
    Ok(Enrolment {
        operator: operator_key.id(),
        operator_key,
        meter_key,
        number: 1,
        time: SystemClock
            .now()
            .context("this computer's clock is not set")?,
        custody: Custody::Software,
        sensor_model: model,
        sensor_mac: Mac(mac.context("the meter did not announce its sensor's MAC address")?),
        channel: arguments.channel.unwrap_or(0),
        production_counter: arguments
            .production_counter
            .map_or(ProductionCounter::Total, ProductionCounter::from),
        ct_ratio_milli: 1000,
        rated_power: rated
            .and_then(Watts::new)
            .context("say the rated power: --rated-power-w")?,
        latitude: None,
        longitude: None,
        tilt: None,
        azimuth: None,
        grid_connection: Text::EMPTY,
        start_import: None,
        start_export: None,
        owner: Address::ZERO,
        chain_id: 0,
        minter: Address::ZERO,
    })
}
