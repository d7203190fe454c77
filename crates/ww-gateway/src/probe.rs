//! Whether the internet can be reached: a TCP connection, opened now and then.

use std::sync::Mutex;
use std::time::Duration;

use tokio::net::TcpStream;
use ww_api::Internet;
use ww_api::status::InternetState;
use ww_wire::UtcMillis;

use crate::config::InternetProbe;
use crate::state::Gateway;
use crate::view;

/// What the probe found last.
#[derive(Debug)]
pub(crate) struct InternetWatch {
    found: Mutex<Found>,
}

#[derive(Clone, Debug)]
struct Found {
    state: InternetState,
    since: Option<UtcMillis>,
    why: String,
}

impl InternetWatch {
    pub(crate) fn new(probe: Option<&InternetProbe>) -> Self {
        let why = match probe {
            None => "no probe is configured".to_owned(),
            Some(probe) => format!("{} has not been tried yet", probe.address),
        };
        Self {
            found: Mutex::new(Found {
                state: InternetState::Unknown,
                since: None,
                why,
            }),
        }
    }

    fn put(&self, state: InternetState, why: String, now: Option<UtcMillis>) {
        let mut found = self.lock();
        if found.state != state {
            found.since = now;
        }
        found.state = state;
        found.why = why;
    }

    pub(crate) fn show(&self) -> Internet {
        let found = self.lock();
        Internet {
            state: found.state,
            since: view::iso(found.since),
            why: found.why.clone(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Found> {
        self.found
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

/// Probes until the gateway stops.
pub(crate) async fn watch(gateway: Gateway, probe: InternetProbe) {
    let timeout = Duration::from_millis(probe.timeout_ms.max(1));
    let mut ticks = tokio::time::interval(Duration::from_secs(probe.interval_s.max(1)));
    let mut stopping = gateway.stopping.subscribe();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        let connected = tokio::time::timeout(timeout, TcpStream::connect(&probe.address)).await;
        let (state, why) = match connected {
            Ok(Ok(_)) => (
                InternetState::Reachable,
                format!("{} answers", probe.address),
            ),
            Ok(Err(error)) => (
                InternetState::Unreachable,
                format!("{} does not answer: {error}", probe.address),
            ),
            Err(_) => (
                InternetState::Unreachable,
                format!(
                    "{} does not answer in {} ms",
                    probe.address, probe.timeout_ms
                ),
            ),
        };
        gateway.internet.put(state, why, gateway.now());
    }
}
