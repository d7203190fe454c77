//! What all requests share.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use ww_api::ProblemKind;
use ww_store::{EventId, NewAudit, Store, StoreError};
use ww_wire::{MeterId, SignerId, UtcMillis};

use crate::access::{Caller, Keys};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Failure, Result};
use crate::firmware::Rollouts;
use crate::limits::{BodyRoom, PeerLimit, Rate, Shares};
use crate::metrics::Metrics;
use crate::operator::OperatorKey;
use crate::ota::Ota;
use crate::probe::InternetWatch;
use crate::registry::Registry;
use crate::session::CookieNames;
use crate::status::StatusMemory;

/// The shared state.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) operator: OperatorKey,
    pub(crate) operators: Vec<ww_verify::VerifyingKey>,
    pub(crate) registry: Registry,
    /// Held by who takes over into the registry what the store says.
    pub(crate) knowing: tokio::sync::Mutex<()>,
    /// Held by who says a name or a time zone: what is not said stays, and must not change meanwhile.
    pub(crate) labelling: Arc<tokio::sync::Mutex<()>>,
    pub(crate) keys: Keys,
    pub(crate) cookie_names: CookieNames,
    /// Requests without a key, or with one that is not valid.
    pub(crate) anonymous: PeerLimit,
    /// Records that were refused. Readers of the API must not take from what meters need.
    pub(crate) refused: PeerLimit,
    pub(crate) bodies: BodyRoom,
    pub(crate) metrics: Metrics,
    pub(crate) internet: InternetWatch,
    pub(crate) status: StatusMemory,
    pub(crate) events: watch::Sender<EventId>,
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) ota: Ota,
    pub(crate) rollouts: Rollouts,
    /// Held by the export that reads a page.
    pub(crate) exporting: Arc<Semaphore>,
    pub(crate) live_slots: Arc<Semaphore>,
    pub(crate) live_shares: Arc<Shares>,
}

/// A handle to it.
pub(crate) type Gateway = Arc<Shared>;

/// The address that a request came from; behind a trusted proxy, the one that the proxy names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Whether a request came by HTTPS, here or at a trusted proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encrypted(pub(crate) bool);

impl Shared {
    pub(crate) fn now(&self) -> Option<UtcMillis> {
        self.clock.now()
    }

    pub(crate) fn meter_rate(&self) -> Rate {
        let limits = &self.config.limits;
        Rate::new(limits.meter_records_per_s, limits.meter_burst)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Whether this key is an operator's, and if so, how to check its signatures.
    pub(crate) fn operator_key(&self, id: &SignerId) -> Option<&ww_verify::VerifyingKey> {
        self.operators.iter().find(|key| key.public().id() == *id)
    }

    /// Wakes the live streams: everything up to `event` is durable.
    pub(crate) fn announce_event(&self, event: EventId) {
        self.events.send_if_modified(|newest| {
            let newer = event > *newest;
            *newest = event.max(*newest);
            newer
        });
    }

    /// Wakes the live streams after a change whose event is not at hand.
    pub(crate) async fn announce_change(&self) {
        match self.store.last_event().await {
            Ok(event) => self.announce_event(event),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "live streams were not told of a change"
            ),
        }
    }

    /// Takes over what the store says of a meter. One at a time, so that what is asked first is not
    /// put last.
    pub(crate) async fn know(&self, meter: MeterId) -> core::result::Result<(), StoreError> {
        let _alone = self.knowing.lock().await;
        if let Some(installation) = self.store.installation_of(meter).await? {
            let enrolments = self.store.enrolments(installation.id).await?;
            self.registry.put(&installation, &enrolments);
        }
        Ok(())
    }

    /// A line for the audit trail.
    pub(crate) fn audit(
        &self,
        actor: impl Into<String>,
        action: &str,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) -> NewAudit {
        NewAudit {
            at: self.now(),
            actor: actor.into(),
            action: action.to_owned(),
            subject: subject.into(),
            detail: detail.into(),
        }
    }

    /// A line for the audit trail about what the bearer of a key did.
    pub(crate) fn audit_of(
        &self,
        caller: &Caller,
        action: &str,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) -> NewAudit {
        self.audit(caller.name.as_str(), action, subject, detail)
    }
}

/// Does an act to its end although whoever asked for it may hang up: what the store has taken, the
/// gateway's memory and its live streams must hear of.
pub(crate) async fn to_its_end<T: Send + 'static>(
    act: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(act).await.unwrap_or_else(|fault| {
        tracing::error!(%fault, "an act broke off");
        Err(Failure::new(
            ProblemKind::Internal,
            "the act broke off; ask what has become of it before you try again",
        ))
    })
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn an_act_goes_on_when_whoever_asked_for_it_has_hung_up() {
        let (go_on, may_go_on) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let act = to_its_end(async move {
            may_go_on.await.unwrap();
            done.send(()).unwrap();
            Ok(())
        });
        tokio::select! {
            biased;
            _ = act => unreachable!("it waits"),
            () = core::future::ready(()) => {}
        }
        go_on.send(()).unwrap();
        is_done.await.unwrap();
    }
}
