//! Rollouts for people: lists, one with its waves and steps, its meters, and what an operator may say.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{Response, Uri};
use ww_api::{
    ProblemKind, Rollout, RolloutDetail, RolloutDevice, RolloutDeviceState, RolloutStep, hex,
};
use ww_rollout::{Changes, DeviceState, MemberView, Refusal, Standing};
use ww_store::{AuditQuery, RolloutId, StoredRollout};
use ww_wire::{MeterId, SignerId};

use super::held::{self, HeldRollout};
use crate::access::Caller;
use crate::error::{Failure, Result};
use crate::firmware::view;
use crate::parameters::{Parameters, Path};
use crate::readings::page;
use crate::state::{Gateway, Shared, to_its_end};
use crate::view::iso;

/// Rollouts of a list when nothing is said.
const ROWS: u32 = 100;

/// Meters of a list when nothing is said, and at most: each is looked up.
const DEVICES: u32 = 1_000;

/// Steps that are shown of a rollout.
const STEPS: usize = 100;

/// Lines of the audit trail that are read for them: those of rollouts whose number begins alike are
/// passed over.
const LINES: u32 = 1_000;

/// `GET /api/v1/firmware/rollouts`.
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let limit = parameters
        .limit(gateway.config.limits.page_rows)?
        .unwrap_or(ROWS);
    let before = parameters.integer("cursor")?;
    let before = before.map(|before| RolloutId(u32::try_from(before).unwrap_or(u32::MAX)));
    let stored = gateway.store.rollouts(before, limit).await?;
    let cursor = stored.last().map(|last| last.id.to_string());
    let shown: Vec<_> = stored
        .iter()
        .filter_map(|stored| summary_of(&gateway, stored))
        .collect();
    // One that cannot be read must not end the list.
    let limit = if stored.len() as u32 == limit {
        shown.len() as u32
    } else {
        limit
    };
    Ok(page(shown, limit, cursor, &uri, &parameters))
}

/// A rollout as a list shows it: as it is now while it tells meters anything, and as it ended.
fn summary_of(gateway: &Shared, stored: &StoredRollout) -> Option<Rollout> {
    let now = gateway
        .rollouts
        .lock()
        .rollouts
        .get(&stored.id)
        .map(|rollout| rollout.summary(gateway));
    now.or_else(|| {
        let summary: Rollout = serde_json::from_slice(&stored.summary).ok()?;
        Some(Rollout {
            id: stored.id.0,
            ..summary
        })
    })
}

/// A rollout as the live stream tells it; `None` when there is no such.
pub(crate) async fn summary(gateway: &Shared, id: RolloutId) -> Result<Option<Rollout>> {
    let stored = gateway.store.rollout(id).await?;
    Ok(stored.and_then(|stored| summary_of(gateway, &stored)))
}

/// `GET /api/v1/firmware/rollouts/{id}`.
pub(crate) async fn one(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<RolloutDetail>> {
    to_its_end(async move {
        // What it has decided stands in its steps, once it is written.
        if let Err(error) = gateway.rollouts.write(&gateway).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a rollout is shown without its last steps"
            );
        }
        let stored = stored(&gateway, &id).await?;
        Ok(Json(detail(&gateway, stored).await?))
    })
    .await
}

async fn stored(gateway: &Shared, id: &str) -> Result<StoredRollout> {
    let missing = || Failure::not_found(format!("rollout {id}"));
    let number = id.parse().map(RolloutId).map_err(|_| missing())?;
    gateway.store.rollout(number).await?.ok_or_else(missing)
}

/// Gives a rollout to `work`: as it is in memory, or, once it is over, as it was stored.
async fn with<T>(
    gateway: &Shared,
    id: RolloutId,
    work: impl FnOnce(&HeldRollout) -> T,
) -> Result<T> {
    {
        let held = gateway.rollouts.lock();
        if let Some(rollout) = held.rollouts.get(&id) {
            return Ok(work(rollout));
        }
    }
    let loaded = held::load(gateway.store.as_ref(), id).await?;
    let (rollout, _) = loaded.ok_or_else(|| {
        let detail = format!("rollout {id} cannot be read as it was stored");
        Failure::new(ProblemKind::Internal, detail)
    })?;
    Ok(work(&rollout))
}

pub(super) async fn detail(gateway: &Shared, stored: StoredRollout) -> Result<RolloutDetail> {
    let steps = steps(gateway, &stored).await?;
    let ended = summary_of(gateway, &stored);
    with(gateway, stored.id, |rollout| RolloutDetail {
        rollout: ended.unwrap_or_else(|| rollout.summary(gateway)),
        plan: rollout.asked_for.clone(),
        waves: rollout.waves(),
        steps,
    })
    .await
}

async fn steps(gateway: &Shared, stored: &StoredRollout) -> Result<Vec<RolloutStep>> {
    let subject = format!("rollout {}", stored.id);
    let query = AuditQuery {
        action: Some("rollout".to_owned()),
        subject: Some(subject.clone()),
        start: stored.created,
        limit: LINES,
        ..AuditQuery::default()
    };
    let lines = gateway.store.audit(query).await?;
    let of_it = lines.into_iter().map(|line| line.audit);
    let of_it = of_it.filter(|line| line.subject == subject).take(STEPS);
    Ok(of_it
        .map(|line| RolloutStep {
            time: iso(line.at),
            actor: line.actor,
            action: line.action,
            detail: line.detail,
        })
        .collect())
}

/// `GET /api/v1/firmware/rollouts/{id}/devices`.
pub(crate) async fn devices(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let limit = parameters.limit(DEVICES)?.unwrap_or(DEVICES);
    let from = parameters.integer("cursor")?.unwrap_or(0);
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let stored = stored(&gateway, &id).await?;
    let members: Vec<MemberView> = with(&gateway, stored.id, |rollout| {
        let meters = rollout.engine.meters().iter();
        let page = meters.skip(from).take(limit as usize);
        page.filter_map(|meter| rollout.engine.member(*meter))
            .collect()
    })
    .await?;
    let mut shown = Vec::with_capacity(members.len());
    for member in &members {
        shown.extend(device(&gateway, member).await?);
    }
    let is_full = members.len() == limit as usize;
    let cursor = from.saturating_add(members.len()).to_string();
    let limit = if is_full { shown.len() as u32 } else { limit };
    Ok(page(shown, limit, Some(cursor), &uri, &parameters))
}

/// A member as people see it; `None` of one that is out of service.
async fn device(gateway: &Shared, member: &MemberView) -> Result<Option<RolloutDevice>> {
    let Some(meter) = gateway.registry.by_meter(&member.meter) else {
        return Ok(None);
    };
    let stored = gateway.store.firmware_device(meter.installation).await?;
    Ok(stored.map(|stored| RolloutDevice {
        device: view::device(gateway, &stored),
        wave: member.wave,
        rollout_state: state(member),
        failure: match member.standing {
            Standing::Failed(failure) => Some(failure.to_string()),
            Standing::Overdue { heard: true } => Some("was not done by its deadline".to_owned()),
            Standing::Overdue { heard: false } => Some("was silent past its deadline".to_owned()),
            Standing::Waiting | Standing::Pending | Standing::Confirmed => None,
        },
    }))
}

fn state(member: &MemberView) -> RolloutDeviceState {
    match member.standing {
        Standing::Confirmed => return RolloutDeviceState::Updated,
        Standing::Failed(_) | Standing::Overdue { .. } => return RolloutDeviceState::Failed,
        Standing::Waiting | Standing::Pending => {}
    }
    match member.progress.map(|progress| progress.state) {
        Some(DeviceState::Fetching) => RolloutDeviceState::Fetching,
        Some(DeviceState::Staged) => RolloutDeviceState::Staged,
        Some(DeviceState::Trial | DeviceState::Confirmed) => RolloutDeviceState::Trial,
        _ => RolloutDeviceState::Waiting,
    }
}

/// `POST /api/v1/firmware/rollouts/{id}/pause`.
pub(crate) async fn pause(
    gateway: State<Gateway>,
    caller: Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<RolloutDetail>> {
    order(gateway, caller, id, |rollout, now_ms| {
        rollout.engine.pause(now_ms)
    })
    .await
}

/// `POST /api/v1/firmware/rollouts/{id}/resume`.
pub(crate) async fn resume(
    gateway: State<Gateway>,
    caller: Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<RolloutDetail>> {
    order(gateway, caller, id, |rollout, now_ms| {
        rollout.engine.resume(now_ms)
    })
    .await
}

/// `POST /api/v1/firmware/rollouts/{id}/abort`.
pub(crate) async fn abort(
    gateway: State<Gateway>,
    caller: Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<RolloutDetail>> {
    order(gateway, caller, id, |rollout, now_ms| {
        rollout.engine.abort(now_ms)
    })
    .await
}

/// `POST /api/v1/firmware/rollouts/{id}/devices/{meter_id}/retry`.
pub(crate) async fn retry(
    gateway: State<Gateway>,
    caller: Extension<Caller>,
    Path((id, meter_id)): Path<(String, String)>,
) -> Result<Json<RolloutDetail>> {
    let meter: Option<MeterId> = hex::decode_array(&meter_id).map(SignerId);
    let meter = meter.ok_or_else(|| Failure::not_found(format!("meter {meter_id}")))?;
    order(gateway, caller, id, move |rollout, now_ms| {
        rollout.engine.retry(now_ms, meter)
    })
    .await
}

async fn order(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    id: String,
    word: impl FnOnce(&mut HeldRollout, u64) -> Result<Changes, Refusal> + Send + 'static,
) -> Result<Json<RolloutDetail>> {
    to_its_end(async move {
        let before = stored(&gateway, &id).await?;
        gateway
            .rollouts
            .order(&gateway, &caller, before.id, word)
            .await?;
        let after = stored(&gateway, &id).await?;
        Ok(Json(detail(&gateway, after).await?))
    })
    .await
}
