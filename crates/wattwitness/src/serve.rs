//! `wattwitness serve`: a gateway on embedded SQLite until somebody asks it to stop.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;
use ww_gateway::{Clock, Config, Gateway, StartError, SystemClock};
use ww_store::{SqliteOptions, SqliteStore};

use crate::data_folder::DataFolder;
use crate::stop;

/// The database's name in the data folder.
pub(crate) const DATABASE_FILE: &str = "wattwitness.db";

const EXAMPLES: &str = "\
Examples:
  wattwitness serve
  wattwitness serve --listen 127.0.0.1:8000 --data data --public-read
  wattwitness serve --listen [::]:8443 \\
      --tls-cert fullchain.pem --tls-key privkey.pem

At its first start the gateway makes DATA/admin.key (an API key for its
administrator) and DATA/operator.key (with which approvals are signed), both
readable by their owner only.";

/// What a gateway is told by flags and environment; everything else is in the configuration file.
#[derive(Debug, Default, clap::Args, Serialize)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArguments {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDR", env = "WATTWITNESS_LISTEN", value_parser = listen_address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<SocketAddr>,
    /// Folder of the database and the keys [default: data]
    #[arg(long = "data", value_name = "DIR", env = "WATTWITNESS_DATA")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Let anyone read what a viewer may
    #[arg(
        long,
        value_name = "BOOL",
        env = "WATTWITNESS_PUBLIC_READ",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    public_read: Option<bool>,
    /// Origin of a web page elsewhere that may use the API; repeat for more
    #[arg(
        long = "cors-origin",
        value_name = "ORIGIN",
        env = "WATTWITNESS_CORS_ORIGINS",
        value_delimiter = ','
    )]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cors_origins: Vec<String>,
    #[command(flatten)]
    #[serde(skip_serializing_if = "TlsArguments::is_empty")]
    tls: TlsArguments,
    /// The fleet's key: lets meters be told about firmware; see `wattwitness keys`
    #[arg(
        long = "firmware-key",
        value_name = "FILE",
        env = "WATTWITNESS_FIRMWARE_KEY",
        requires = "assignment_key_file"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    firmware_key_file: Option<PathBuf>,
    /// The key that signs what meters are to do about firmware (PEM)
    #[arg(
        long = "assignment-key",
        value_name = "FILE",
        env = "WATTWITNESS_ASSIGNMENT_KEY",
        requires = "firmware_key_file"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment_key_file: Option<PathBuf>,
}

/// Both or none.
#[derive(Debug, Default, clap::Args, Serialize)]
struct TlsArguments {
    /// Certificate chain for HTTPS (PEM)
    #[arg(
        long = "tls-cert",
        value_name = "FILE",
        env = "WATTWITNESS_TLS_CERT",
        requires = "key_file"
    )]
    certificate_file: Option<PathBuf>,
    /// Private key for HTTPS (PEM)
    #[arg(
        long = "tls-key",
        value_name = "FILE",
        env = "WATTWITNESS_TLS_KEY",
        requires = "certificate_file"
    )]
    key_file: Option<PathBuf>,
}

impl TlsArguments {
    fn is_empty(&self) -> bool {
        self.certificate_file.is_none()
    }
}

/// Serves until it is asked to stop.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let folder = DataFolder::take(&config.data_dir)?;
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let gateway = start(config, Arc::new(SystemClock)).await?;
    tracing::info!(
        url = %format_args!("{scheme}://{}", address(&gateway)),
        admin_key = %gateway.admin_key_file().display(),
        "ready; stop with Ctrl-C"
    );
    stop::requested().await;
    gateway.shutdown().await;
    // Only now is nothing written any more.
    drop(folder);
    Ok(())
}

/// Reads an address to listen on.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "write numbers and a port, like 127.0.0.1:8000 or [::]:8000")
}

/// Opens the database in the data folder and starts the gateway on it.
pub(crate) async fn start(config: Config, clock: Arc<dyn Clock>) -> anyhow::Result<Gateway> {
    let store = open(&config.data_dir)?;
    let started = Gateway::start(config, Arc::new(store), clock).await;
    started.map_err(|error| match &error {
        StartError::Listen { address, source } if source.kind() == ErrorKind::AddrInUse => {
            anyhow::anyhow!(
                "cannot listen on {address}: another program does so, maybe another gateway; \
                 --listen names another address"
            )
        }
        _ => error.into(),
    })
}

/// Opens the database in a data folder.
pub(crate) fn open(folder: &Path) -> anyhow::Result<SqliteStore> {
    let file = folder.join(DATABASE_FILE);
    SqliteStore::open(&file, SqliteOptions::default())
        .with_context(|| format!("cannot open the database {}", file.display()))
}

/// Where a browser on this computer finds it.
pub(crate) fn address(gateway: &Gateway) -> SocketAddr {
    let mut address = gateway.local_addr();
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}
