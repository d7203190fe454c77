//! The server of WattWitness: takes signed records over HTTP, verifies and stores them, serves the
//! API, the live stream and the dashboard. It is a library; the program around it reads files and
//! flags, and chooses the store.
//!
//! Invariant: nothing is stored as verified that was not verified here, and nothing is acknowledged
//! before the store has it durably.

mod access;
mod administration;
mod alerts;
mod assets;
mod clock;
mod config;
mod connection;
mod csv;
mod error;
mod export;
mod firmware;
mod history;
mod ingest;
mod installations;
mod key_file;
mod legacy;
mod limits;
mod live;
mod marks;
mod metrics;
mod network;
mod operator;
mod ota;
mod parameters;
mod plausibility;
mod probe;
mod readings;
mod records;
mod registry;
mod router;
mod server;
mod session;
mod state;
mod status;
mod view;

pub use clock::{Clock, SystemClock};
pub use config::{Config, InternetProbe, Limits, Tls};
pub use key_file::KeyFileError;
pub use network::{Network, NotANetwork};
pub use operator::OperatorKey;
pub use server::{Gateway, StartError, StopReason};
