//! The live stream: server-sent events in the store's own order, resumed after `Last-Event-ID`.
//! Each stream reads the store's events for itself, so that a slow client misses none and holds up
//! nobody; a change wakes all of them. It ends with the key or session that it was opened with. Who missed
//! too many is told to ask for everything again: that is cheaper for both than telling them one by one.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use ww_api::ProblemKind;
use ww_store::{Event, EventId, EventKind};

use crate::access::Caller;
use crate::error::{Failure, Result};
use crate::firmware::rollouts;
use crate::installations::show;
use crate::limits::Share;
use crate::metrics::{add, subtract};
use crate::parameters::Parameters;
use crate::state::{Gateway, Peer, Shared};
use crate::view;

/// Events that are read at a time.
const EVENTS_AT_ONCE: u32 = 256;

/// How long a client should wait before it connects again.
const RETRY_MS: u32 = 2_000;

struct Stream {
    gateway: Gateway,
    after: EventId,
    woken: watch::Receiver<EventId>,
    stopping: watch::Receiver<bool>,
    /// Who listens, unless anyone may.
    caller: Option<Caller>,
    withdrawals: watch::Receiver<()>,
    opened: bool,
    /// What the client has cannot be continued, whatever it is.
    is_lost: bool,
    _held: (OwnedSemaphorePermit, Share),
}

impl Drop for Stream {
    fn drop(&mut self) {
        subtract(&self.gateway.metrics.live_streams, 1);
    }
}

/// `GET /api/v1/live`.
pub(crate) async fn stream_live(
    State(gateway): State<Gateway>,
    Extension(Peer(peer)): Extension<Peer>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let too_many = |whose| {
        let detail = format!("too many live streams {whose}are open");
        Failure::new(ProblemKind::RateLimited, detail)
    };
    let slot = Arc::clone(&gateway.live_slots)
        .try_acquire_owned()
        .map_err(|_| too_many(""))?;
    let share = gateway.live_shares.take(peer);
    let share = share.ok_or_else(|| too_many("of this address "))?;
    let newest = gateway.store.last_event().await?;
    let asked = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .or_else(|| parameters.text("last_event_id"));
    let after = match asked {
        None => newest,
        Some(id) => id.parse().map(EventId).map_err(|_| {
            Failure::invalid("last_event_id", "is the `id` of an event of this stream")
        })?,
    };
    add(&gateway.metrics.live_streams, 1);
    let stream = Stream {
        // An id from before the database was restored may be ahead of it.
        is_lost: after > newest,
        after,
        woken: gateway.events.subscribe(),
        stopping: gateway.stopping.subscribe(),
        caller: caller.map(|Extension(caller)| caller),
        withdrawals: gateway.keys.withdrawals(),
        opened: false,
        gateway,
        _held: (slot, share),
    };
    let pieces = stream::unfold(stream, |mut stream| async move {
        let piece = stream.next().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), stream))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

impl Stream {
    /// The next bytes; `None` when the gateway stops, the store fails, or who listens has no right to any
    /// more.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.opened {
            self.opened = true;
            return Some(Bytes::from(format!("retry: {RETRY_MS}\n: open\n\n")));
        }
        loop {
            if *self.stopping.borrow() || !self.is_admitted() {
                return None;
            }
            let newest = *self.woken.borrow_and_update();
            let missed = newest.0.saturating_sub(self.after.0);
            if self.is_lost || missed > self.gateway.config.limits.resumable_events() {
                self.is_lost = false;
                self.after = newest;
                let text = format!("id: {newest}\nevent: reload\ndata: {{}}\n\n");
                return Some(Bytes::from(text));
            }
            let events = self.gateway.store.events(self.after, EVENTS_AT_ONCE).await;
            let events = events
                .inspect_err(|error| {
                    tracing::warn!(
                        error = error as &dyn std::error::Error,
                        "a live stream broke off"
                    );
                })
                .ok()?;
            if let Some(last) = events.last() {
                self.after = last.id;
                let piece = render(&self.gateway, &events).await?;
                if !piece.is_empty() {
                    return Some(Bytes::from(piece));
                }
                continue;
            }
            let quiet = Duration::from_millis(self.gateway.config.limits.live_quiet_ms);
            let mut silence = pin!(tokio::time::sleep(quiet));
            loop {
                let (has_news, is_quiet) = tokio::select! {
                    changed = self.woken.changed() => {
                        changed.ok()?;
                        (true, false)
                    }
                    _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                    // Of whoever has lost a right, the store has nothing new to say.
                    changed = self.withdrawals.changed() => {
                        changed.ok()?;
                        (false, false)
                    }
                    () = &mut silence => (false, true),
                };
                if has_news {
                    break;
                }
                if !self.is_admitted() {
                    return None;
                }
                if is_quiet {
                    let alive = serde_json::json!({ "time": view::iso(self.gateway.now()) });
                    return Some(Bytes::from(format!("event: alive\ndata: {alive}\n\n")));
                }
            }
        }
    }

    /// Whether the key or session of who listens is still good.
    fn is_admitted(&self) -> bool {
        let now = self.gateway.now();
        self.gateway.keys.still_admit(self.caller.as_ref(), now)
    }
}

async fn render(gateway: &Shared, events: &[Event]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for event in events {
        match &event.kind {
            EventKind::Reading(stored) => {
                if let Some(meter) = gateway.registry.by_installation(stored.installation) {
                    push(
                        &mut text,
                        event.id,
                        "reading",
                        &view::reading(&meter, stored),
                    );
                }
            }
            EventKind::Rollout(id) => {
                if let Some(rollout) = rollouts::summary(gateway, *id).await.ok()? {
                    push(&mut text, event.id, "rollout", &rollout);
                }
            }
            EventKind::Installation(id) => {
                if let Some(installation) = gateway.store.installation(*id).await.ok()? {
                    push(
                        &mut text,
                        event.id,
                        "installation",
                        &show(gateway, &installation),
                    );
                }
            }
        }
    }
    Some(text)
}

fn push(text: &mut Vec<u8>, id: EventId, name: &str, data: &impl Serialize) {
    text.extend_from_slice(format!("id: {id}\nevent: {name}\ndata: ").as_bytes());
    serde_json::to_writer(&mut *text, data).expect("shapes of the API have only string keys");
    text.extend_from_slice(b"\n\n");
}
