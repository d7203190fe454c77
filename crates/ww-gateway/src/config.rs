//! The gateway's settings: one struct, every unit in its name, unknown fields refused.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use ww_store::EVENTS_KEPT;

use crate::network::Network;

/// The settings of one gateway.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address to listen on. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder of the database and of the keys that the gateway makes.
    pub data_dir: PathBuf,
    /// Whether anyone may read what a viewer may.
    pub public_read: bool,
    /// Origins of web pages elsewhere that may use the API, such as `https://example.org`; `*` for all.
    pub cors_origins: Vec<String>,
    /// Certificate and key for HTTPS; plain HTTP without.
    pub tls: Option<Tls>,
    /// The gateway's own operator key; `DATA/operator.key` if not named. Made at the first start.
    pub operator_key_file: Option<PathBuf>,
    /// Public keys of further operators, 128 hex digits each: X then Y.
    pub trusted_operator_keys: Vec<String>,
    /// The fleet's key, 64 hex digits, with which devices are told of firmware. Goes with `assignment_key_file`;
    /// without both no firmware is updated.
    pub firmware_key_file: Option<PathBuf>,
    /// The key that signs assignments, a P-256 key in PKCS #8 (PEM).
    pub assignment_key_file: Option<PathBuf>,
    /// How to find out whether the internet can be reached; without it the answer is "unknown".
    pub internet_probe: Option<InternetProbe>,
    /// Proxies before this gateway, by address or network: who asks through one of them is whom it
    /// names last in `X-Forwarded-For`, and by HTTPS if `X-Forwarded-Proto` says so. Nobody else is
    /// believed what stands there.
    pub trusted_proxies: Vec<Network>,
    /// Seconds between two readings of a healthy meter.
    pub expected_cadence_s: u32,
    /// How long requests under way may take once the gateway is to stop.
    pub shutdown_grace_ms: u64,
    /// Limits.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            data_dir: PathBuf::from("data"),
            public_read: false,
            cors_origins: Vec::new(),
            tls: None,
            operator_key_file: None,
            trusted_operator_keys: Vec::new(),
            firmware_key_file: None,
            assignment_key_file: None,
            internet_probe: None,
            trusted_proxies: Vec::new(),
            expected_cadence_s: 10,
            shutdown_grace_ms: 10_000,
            limits: Limits::default(),
        }
    }
}

/// Files for HTTPS, PEM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate and its chain.
    pub certificate_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
}

/// A TCP connection that is opened now and then.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InternetProbe {
    /// Host and port, such as `one.one.one.one:443`.
    pub address: String,
    /// How often.
    #[serde(default = "default_probe_interval_s")]
    pub interval_s: u64,
    /// How long to wait.
    #[serde(default = "default_probe_timeout_ms")]
    pub timeout_ms: u64,
}

const fn default_probe_interval_s() -> u64 {
    60
}

const fn default_probe_timeout_ms() -> u64 {
    3_000
}

/// What the gateway takes at most. Whatever is above is refused by name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of a JSON body.
    pub json_body_bytes: usize,
    /// Bytes of a body of records.
    pub records_body_bytes: usize,
    /// Records in one body.
    pub batch_records: usize,
    /// How long a body may take to arrive and an answer to be found.
    pub request_timeout_ms: u64,
    /// Bytes of a release file; there is one at a time.
    pub release_body_bytes: usize,
    /// How long a release file may take to arrive and to be checked.
    pub release_timeout_ms: u64,
    /// Bytes of all bodies together that have begun to arrive and are not complete. One address may
    /// hold an eighth of them, and one body of the longest in any case.
    pub unfinished_body_bytes: usize,
    /// How long the head of a request may take, the idle time before it included.
    pub head_timeout_ms: u64,
    /// How long a peer may take nothing of an answer that waits for it.
    pub write_timeout_ms: u64,
    /// Connections at one time.
    pub connections: usize,
    /// Connections of one address at one time (IPv6: of one /64, but for link-local and unique local
    /// addresses); trusted proxies may have more.
    pub connections_per_peer: usize,
    /// Readings and records a second that one meter may send in the long run.
    pub meter_records_per_s: u32,
    /// How many it may send at once after a pause.
    pub meter_burst: u32,
    /// Requests a second without a key that one address may send in the long run; as many records
    /// that are refused or sent again, which are counted apart.
    pub peer_requests_per_s: u32,
    /// How many it may send at once after a pause.
    pub peer_burst: u32,
    /// Meters that may wait for approval.
    pub waiting_meters: u32,
    /// Rows on one page, and points of one thinned list.
    pub page_rows: u32,
    /// Live streams at one time.
    pub live_streams: usize,
    /// Live streams of one address at one time.
    pub live_streams_per_peer: usize,
    /// How long a live stream says nothing before it sends `alive`, so that both sides notice dead
    /// connections. The dashboard gives a stream up after 60 s without a word.
    pub live_quiet_ms: u64,
    /// Events that a live stream catches up on, 100000 at most; who missed more is told to reload.
    pub resumed_events: u64,
}

impl Limits {
    /// Events that a live stream catches up on: no more than are kept.
    pub(crate) fn resumable_events(&self) -> u64 {
        self.resumed_events.min(EVENTS_KEPT)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_body_bytes: 16 << 10,
            records_body_bytes: 1 << 20,
            batch_records: 512,
            request_timeout_ms: 10_000,
            release_body_bytes: 64 << 20,
            release_timeout_ms: 300_000,
            unfinished_body_bytes: 256 << 20,
            head_timeout_ms: 60_000,
            write_timeout_ms: 30_000,
            connections: 10_000,
            connections_per_peer: 256,
            meter_records_per_s: 50,
            meter_burst: 2_000,
            peer_requests_per_s: 50,
            peer_burst: 500,
            waiting_meters: 100,
            page_rows: 10_000,
            live_streams: 1_000,
            live_streams_per_peer: 50,
            live_quiet_ms: 15_000,
            resumed_events: 10_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_means_a_private_gateway_on_this_computer() {
        let config: Config = serde_json::from_str("{}").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert!(!config.public_read);
    }

    #[test]
    fn no_stream_catches_up_on_more_events_than_are_kept() {
        for (resumed_events, resumable) in [(3, 3), (EVENTS_KEPT + 1, EVENTS_KEPT)] {
            let limits = Limits {
                resumed_events,
                ..Limits::default()
            };
            assert_eq!(limits.resumable_events(), resumable);
        }
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        for text in [r#"{"pubilc_read":true}"#, r#"{"limits":{"body":1}}"#] {
            assert!(serde_json::from_str::<Config>(text).is_err(), "{text}");
        }
    }
}
