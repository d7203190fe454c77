//! How the park and the gateway are: what, since when, and why.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::time::MissedTickBehavior;
use ww_api::status::{Alive, InternetState};
use ww_api::{Health, InstallationState, Liveness, MeterStatus, ParkStatus, Readiness};
use ww_wire::UtcMillis;

use crate::error::Result;
use crate::state::{Gateway, Shared};
use crate::view;

/// How the park is, and since when; and since when somebody looks at it.
#[derive(Debug, Default)]
pub(crate) struct StatusMemory {
    last: Mutex<Option<(Health, Option<UtcMillis>)>>,
    begun: OnceLock<UtcMillis>,
}

impl StatusMemory {
    fn since(&self, health: Health, now: Option<UtcMillis>) -> Option<UtcMillis> {
        let mut last = self
            .last
            .lock()
            .expect("no code panics while it holds this lock");
        match *last {
            Some((known, since)) if known == health => since,
            _ => {
                *last = Some((health, now));
                now
            }
        }
    }

    /// The first known time at which the park was looked at.
    fn begun(&self, now: Option<UtcMillis>) -> Option<UtcMillis> {
        now.map(|now| *self.begun.get_or_init(|| now))
    }

    /// How the park was when it was looked at last.
    pub(crate) fn health(&self) -> Option<Health> {
        let last = self
            .last
            .lock()
            .expect("no code panics while it holds this lock");
        last.map(|(health, _)| health)
    }
}

/// Looks at the park until the gateway stops: since when it is as it is must not depend on when
/// somebody asks.
pub(crate) async fn watch(gateway: Gateway) {
    let cadence_s = gateway.config.expected_cadence_s.max(1);
    let mut ticks = tokio::time::interval(Duration::from_secs(u64::from(cadence_s)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stopping = gateway.stopping.subscribe();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        if let Err(failure) = look(&gateway).await {
            tracing::debug!(kind = failure.kind.slug(), "the park was not looked at");
        }
    }
}

/// `GET /health`. A gateway whose store has lost a part of itself only comes back by a new start.
pub(crate) async fn health(State(gateway): State<Gateway>) -> (StatusCode, Json<Alive>) {
    let (code, status) = match gateway.store.is_running() {
        true => (StatusCode::OK, "healthy"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
    };
    let alive = Alive {
        status: status.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    (code, Json(alive))
}

/// `GET /ready`.
pub(crate) async fn ready(State(gateway): State<Gateway>) -> (StatusCode, Json<Readiness>) {
    let store = gateway.store.ready().await.is_ok();
    let stopping = gateway.is_stopping();
    let ready = store && !stopping;
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let readiness = Readiness {
        ready,
        store,
        time_known: gateway.now().is_some(),
        stopping,
    };
    (status, Json(readiness))
}

/// `GET /api/v1/status/`.
pub(crate) async fn park(State(gateway): State<Gateway>) -> Result<Json<ParkStatus>> {
    Ok(Json(look(&gateway).await?))
}

async fn look(gateway: &Shared) -> Result<ParkStatus> {
    let now = gateway.now();
    let held = gateway.store.installations().await?;
    let installations: Vec<MeterStatus> = held
        .iter()
        .map(|installation| meter_status(gateway, installation, now))
        .collect();
    // Another meter stands in the place of one that was replaced: its silence is no fault.
    let counted: Vec<MeterStatus> = held
        .iter()
        .zip(&installations)
        .filter(|(held, _)| held.replaced_by.is_none())
        .map(|(_, shown)| shown.clone())
        .collect();
    let internet = gateway.internet.show();
    let (status, why) = judge(&counted, internet.state, now.is_some());
    Ok(ParkStatus {
        status,
        since: view::iso(gateway.status.since(status, now)),
        why,
        time: view::iso(now),
        gateway_since: view::iso(gateway.status.begun(now)),
        internet,
        installations,
    })
}

fn meter_status(
    gateway: &Shared,
    installation: &ww_store::Installation,
    now: Option<UtcMillis>,
) -> MeterStatus {
    let cadence_s = gateway.config.expected_cadence_s;
    let meter = gateway.registry.by_installation(installation.id);
    let last_seen = view::last_seen(installation, meter.as_deref());
    let liveness = view::liveness(last_seen, now, cadence_s);
    let decision = view::state(installation.state);
    let (state, since, why) = match decision {
        InstallationState::Waiting => (
            "waiting",
            installation.created,
            "no operator has approved it yet".to_owned(),
        ),
        InstallationState::Revoked => (
            "revoked",
            installation.revocation.map(|revocation| revocation.time),
            installation
                .revocation
                .map_or_else(String::new, |revocation| {
                    revocation.note.as_str().to_owned()
                }),
        ),
        InstallationState::Active => match liveness {
            Liveness::Live => (
                "live",
                boot_time(installation).max(meter.and_then(|meter| meter.heard_again())),
                format!("heard every {cadence_s} s"),
            ),
            Liveness::Late => (
                "late",
                last_seen,
                format!("should be heard every {cadence_s} s"),
            ),
            Liveness::Silent => ("silent", last_seen, view::unheard(cadence_s)),
            Liveness::Never => (
                "never",
                installation.created,
                "approved, but never heard".to_owned(),
            ),
        },
    };
    let why = match installation.replaced_by {
        Some(next) if decision == InstallationState::Active => {
            format!("installation {next} has taken its place")
        }
        _ => why,
    };
    MeterStatus {
        installation_id: installation.id.0,
        name: installation.name.clone(),
        state: state.to_owned(),
        decision,
        liveness,
        is_alive: decision == InstallationState::Active && liveness == Liveness::Live,
        last_seen_at: view::iso(last_seen),
        expected_cadence_s: cadence_s,
        since: view::iso(since),
        why: (!why.is_empty()).then_some(why),
    }
}

fn boot_time(installation: &ww_store::Installation) -> Option<UtcMillis> {
    installation.last_boot.as_ref().and_then(|boot| boot.time)
}

/// The worst of all. An internet that nobody asked about is no fault.
fn judge(meters: &[MeterStatus], internet: InternetState, time_known: bool) -> (Health, String) {
    let active: Vec<_> = meters
        .iter()
        .filter(|meter| meter.decision == InstallationState::Active)
        .collect();
    let alive = active.iter().filter(|meter| meter.is_alive).count();
    if !active.is_empty() && active.iter().all(|meter| is_gone(meter)) {
        return (Health::Unhealthy, "no meter is heard".to_owned());
    }
    let mut reasons = Vec::new();
    if alive < active.len() {
        reasons.push(format!("{alive} of {} meters are live", active.len()));
    }
    if internet == InternetState::Unreachable {
        reasons.push("the internet cannot be reached".to_owned());
    }
    if !time_known {
        reasons.push("the gateway does not know the time".to_owned());
    }
    match reasons.is_empty() {
        true => (
            Health::Healthy,
            format!("all {alive} active meters are live"),
        ),
        false => (Health::Degraded, reasons.join("; ")),
    }
}

fn is_gone(meter: &MeterStatus) -> bool {
    matches!(meter.liveness, Liveness::Silent | Liveness::Never)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(decision: InstallationState, liveness: Liveness) -> MeterStatus {
        MeterStatus {
            installation_id: 1,
            name: "Roof".to_owned(),
            state: String::new(),
            decision,
            liveness,
            is_alive: liveness == Liveness::Live,
            last_seen_at: None,
            expected_cadence_s: 10,
            since: None,
            why: None,
        }
    }

    fn health(meters: &[MeterStatus], internet: InternetState) -> Health {
        judge(meters, internet, true).0
    }

    #[test]
    fn an_internet_that_nobody_asked_about_is_no_fault() {
        let meters = [meter(InstallationState::Active, Liveness::Live)];
        assert_eq!(health(&meters, InternetState::Unknown), Health::Healthy);
        assert_eq!(
            health(&meters, InternetState::Unreachable),
            Health::Degraded
        );
        assert_eq!(health(&[], InternetState::Unknown), Health::Healthy);
    }

    #[test]
    fn a_meter_that_waits_or_was_revoked_is_no_fault() {
        let meters = [
            meter(InstallationState::Active, Liveness::Live),
            meter(InstallationState::Waiting, Liveness::Never),
            meter(InstallationState::Revoked, Liveness::Silent),
        ];
        assert_eq!(health(&meters, InternetState::Unknown), Health::Healthy);
    }

    #[test]
    fn one_silent_meter_degrades_the_park_and_all_of_them_make_it_unhealthy() {
        let live = meter(InstallationState::Active, Liveness::Live);
        let silent = meter(InstallationState::Active, Liveness::Silent);
        let unknown = InternetState::Unknown;
        assert_eq!(health(&[live, silent.clone()], unknown), Health::Degraded);
        assert_eq!(health(&[silent], unknown), Health::Unhealthy);
    }

    #[test]
    fn a_gateway_runs_since_the_first_time_that_it_knew() {
        let memory = StatusMemory::default();
        let at = UtcMillis::new;
        assert_eq!(memory.begun(None), None);
        assert_eq!(memory.begun(at(2)), at(2));
        assert_eq!(memory.begun(at(9)), at(2));
    }

    #[test]
    fn since_stays_while_the_health_does() {
        let memory = StatusMemory::default();
        let at = UtcMillis::new;
        assert_eq!(memory.since(Health::Healthy, at(1)), at(1));
        assert_eq!(memory.since(Health::Healthy, at(2)), at(1));
        assert_eq!(memory.since(Health::Degraded, at(3)), at(3));
    }
}
