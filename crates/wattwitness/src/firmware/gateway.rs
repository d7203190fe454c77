//! The gateway that a person publishes to, as the command line names it.

use std::path::PathBuf;

use reqwest::Url;

use crate::http::{self, Server};

/// Which gateway, and by which key.
#[derive(Debug, clap::Args)]
pub(crate) struct GatewayArguments {
    /// The gateway
    #[arg(long, value_name = "URL", env = "WATTWITNESS_GATEWAY", value_parser = http::address)]
    gateway: Url,
    /// File with an API key that may publish firmware
    #[arg(long, value_name = "FILE", env = "WATTWITNESS_API_KEY_FILE")]
    api_key_file: PathBuf,
}

impl GatewayArguments {
    /// A way to it; nothing is asked yet.
    pub(crate) fn server(&self) -> anyhow::Result<Server> {
        Server::new(&self.gateway, Some(&self.api_key_file))
    }
}
