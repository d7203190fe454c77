//! `wattwitness firmware publish`, `list` and `withdraw`: what a gateway is to know of releases. What
//! devices would refuse is not sent at all.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use reqwest::Url;
use ww_api::{FirmwareRelease, FirmwareReleaseState};
use ww_verify::Plain;

use crate::firmware::gateway::GatewayArguments;
use crate::firmware::inspect::FieldArguments;
use crate::firmware::{decoded, read};
use crate::http::{self, Server};
use crate::keys::root::RootFile;

const RELEASES: &str = "api/v1/firmware/releases";

#[derive(Debug, clap::Args)]
pub(crate) struct PublishArguments {
    /// The release
    file: PathBuf,
    /// The root that devices trust: what it does not let them take is not sent
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    #[command(flatten)]
    field: FieldArguments,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArguments {
    /// The gateway
    #[arg(long, value_name = "URL", env = "WATTWITNESS_GATEWAY", value_parser = http::address)]
    gateway: Url,
    /// File with an API key, where the gateway shows nothing without one
    #[arg(long, value_name = "FILE", env = "WATTWITNESS_API_KEY_FILE")]
    api_key_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WithdrawArguments {
    /// The release: its file, or its digest
    release: String,
    #[command(flatten)]
    gateway: GatewayArguments,
}

/// Sends a release that devices take.
pub(crate) fn publish(arguments: &PublishArguments) -> anyhow::Result<String> {
    let bytes = read(&arguments.file)?;
    let release = decoded(&bytes, &arguments.file)?;
    let root = RootFile::load(&arguments.root)?;
    root.in_force(&arguments.root)?;
    arguments
        .field
        .judged(&release, &root)?
        .map_err(|why| anyhow!("devices would refuse this release, so it is not sent: {why}"))?;
    let (version, digest) = (release.release().version, release.release().digest());
    let server = arguments.gateway.server()?;
    let body = Some(("application/octet-stream", bytes.clone()));
    let answer = crate::online(server.upload(RELEASES, body))?;
    let kept: FirmwareRelease =
        http::read_json(&answer).context("the gateway did not answer as gateways do")?;
    let signers = release.signed().approved().signatures();
    ensure!(
        signers
            .map(|signed| signed.signer().to_string())
            .eq(kept.signers),
        "the gateway has this release already, signed by others, and keeps that: build it anew to \
         publish it with these signatures"
    );
    Ok(format!("release {version} is published\ndigest {digest}"))
}

/// Lists what a gateway has.
pub(crate) fn list(arguments: &ListArguments) -> anyhow::Result<String> {
    let server = Server::new(&arguments.gateway, arguments.api_key_file.as_deref())?;
    let mut all: Vec<FirmwareRelease> = Vec::new();
    crate::online(server.pages(RELEASES, |page| {
        all.extend(
            http::read_json::<Vec<FirmwareRelease>>(page).with_context(|| {
                format!("the answer to {RELEASES} is not what a gateway says; is this its address?")
            })?,
        );
        Ok(())
    }))?;
    if all.is_empty() {
        return Ok("no release is published".to_owned());
    }
    let lines = all.iter().map(|release| {
        let state = match release.state {
            FirmwareReleaseState::Published => "published",
            FirmwareReleaseState::Withdrawn => "withdrawn",
        };
        format!(
            "{}  {:12}  {state}  on {} meters, hardware class {}, security counter {}",
            Plain(&release.digest),
            Plain(&release.version).to_string(),
            release.installed,
            Plain(&release.hardware_class),
            release.security_counter,
        )
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// Takes a release back.
pub(crate) fn withdraw(arguments: &WithdrawArguments) -> anyhow::Result<String> {
    let digest = digest(&arguments.release)?;
    let server = arguments.gateway.server()?;
    crate::online(server.upload(&format!("{RELEASES}/{digest}/withdraw"), None))?;
    Ok(format!("release {digest} is withdrawn"))
}

fn digest(release: &str) -> anyhow::Result<String> {
    if ww_api::hex::decode_array::<32>(release).is_some() {
        return Ok(release.to_ascii_lowercase());
    }
    let file = Path::new(release);
    let bytes = read(file).with_context(|| {
        format!("{release} is neither a digest of 64 hex digits nor a release file")
    })?;
    Ok(decoded(&bytes, file)?.release().digest().to_string())
}
