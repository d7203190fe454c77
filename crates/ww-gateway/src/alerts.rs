//! What an operator should look at now, of the whole park in one answer. It costs one look at the
//! installations, one at the sums of findings of each kind and day, and one at those against whom there is
//! evidence: none goes by how much is stored.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use ww_api::{Alert, AlertKind, Liveness};
use ww_store::{EvidenceSum, FindingSum, Installation, InstallationId, InstallationState};
use ww_wire::UtcMillis;

use crate::error::Result;
use crate::state::{Gateway, Shared};
use crate::view;

/// How far back findings are told: seven days, and the rest of the day of UTC in which that begins.
const FINDINGS_MS: u64 = 7 * 86_400_000;

/// An alert with the time that it is listed by.
type Dated = (Option<UtcMillis>, Alert);

/// `GET /api/v1/alerts`.
pub(crate) async fn list(State(gateway): State<Gateway>) -> Result<Json<Vec<Alert>>> {
    let now = gateway.now();
    let installations = gateway.store.installations().await?;
    let evidence = gateway.store.evidence_sums().await?;
    // While the time is not known, nothing says how old a finding is.
    let since = now.and_then(|now| UtcMillis::new(now.get().saturating_sub(FINDINGS_MS)));
    let findings = match since {
        Some(since) => gateway.store.finding_sums(since).await?,
        None => Vec::new(),
    };
    let names: HashMap<InstallationId, &str> = installations
        .iter()
        .map(|installation| (installation.id, installation.name.as_str()))
        .collect();
    let name = |id: &InstallationId| names.get(id).copied().unwrap_or_default().to_owned();
    let mut alerts: Vec<Dated> = installations
        .iter()
        .filter_map(|installation| of_state(&gateway, installation, now))
        .chain(
            evidence
                .iter()
                .map(|sum| of_evidence(sum, name(&sum.installation))),
        )
        .chain(
            findings
                .iter()
                .filter(|sum| !sum.newest.kind.is_contradiction())
                .map(|sum| of_findings(sum, name(&sum.newest.installation))),
        )
        .collect();
    alerts.sort_by_key(|(since, _)| core::cmp::Reverse(*since));
    Ok(Json(alerts.into_iter().map(|(_, alert)| alert).collect()))
}

/// Of a meter that waits, or is in service and silent. In the place of one that was replaced stands another.
fn of_state(gateway: &Shared, held: &Installation, now: Option<UtcMillis>) -> Option<Dated> {
    let (kind, since, detail) = match held.state {
        InstallationState::Waiting => (
            AlertKind::Waiting,
            held.created,
            "no operator has approved it yet".to_owned(),
        ),
        InstallationState::Active if held.replaced_by.is_none() => {
            let meter = gateway.registry.by_installation(held.id);
            let last_seen = view::last_seen(held, meter.as_deref());
            let cadence_s = gateway.config.expected_cadence_s;
            let is_silent = view::liveness(last_seen, now, cadence_s) == Liveness::Silent;
            is_silent.then(|| (AlertKind::Silent, last_seen, view::unheard(cadence_s)))?
        }
        InstallationState::Active | InstallationState::Revoked => return None,
    };
    let alert = Alert {
        installation_id: held.id.0,
        name: held.name.clone(),
        kind,
        since: view::iso(since),
        count: 1,
        detail,
    };
    Some((since, alert))
}

fn of_evidence(sum: &EvidenceSum, name: String) -> Dated {
    let alert = Alert {
        installation_id: sum.installation.0,
        name,
        kind: AlertKind::Equivocation,
        since: view::iso(sum.since),
        count: sum.count,
        detail: format!("{}: number {}", sum.kind.name(), sum.number),
    };
    (sum.since, alert)
}

fn of_findings(sum: &FindingSum, name: String) -> Dated {
    let newest = &sum.newest;
    let alert = Alert {
        installation_id: newest.installation.0,
        name,
        kind: AlertKind::Plausibility,
        since: view::iso(sum.since),
        count: sum.count,
        detail: format!("{}: {}", newest.kind.name(), newest.detail),
    };
    (sum.since, alert)
}
