//! One rollout in memory: the engine, what is not written yet, and how many meters are how far.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use ww_api::{NewRollout, Rollout, RolloutCounts, RolloutState, RolloutWave, RolloutWaveState};
use ww_rollout::{
    Changes, DeviceState, Event, MemberView, Plan, Standing, State, Status, WaveView,
};
use ww_store::{
    InstallationId, NewAudit, RolloutChange, RolloutId, RolloutStage, Store, StoreError,
    StoredRollout,
};
use ww_wire::{MeterId, UtcMillis};

use crate::state::Shared;
use crate::view::iso;

/// Members that are read or written at a time.
const MEMBERS_AT_ONCE: u32 = 4_096;

/// A rollout that tells devices something, or did.
pub(crate) struct HeldRollout {
    pub(super) engine: ww_rollout::Rollout,
    pub(super) asked_for: NewRollout,
    pub(super) id: RolloutId,
    pub(super) created: Option<UtcMillis>,
    pub(super) created_by: String,
    changed: Option<UtcMillis>,
    /// Of those who are undecided and have begun: in which wave and how far.
    under_way: HashMap<MeterId, (u32, Phase)>,
    unwritten: Unwritten,
}

/// What was asked for and what the engine made of it, as the store keeps it.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredPlan {
    pub(super) asked_for: NewRollout,
    pub(super) plan: Plan,
}

/// What the store does not know yet.
#[derive(Default)]
pub(super) struct Unwritten {
    members: HashSet<MeterId>,
    course: bool,
    audit: Vec<NewAudit>,
}

impl Unwritten {
    fn is_empty(&self) -> bool {
        self.members.is_empty() && !self.course && self.audit.is_empty()
    }
}

/// How far a meter is that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Fetching,
    Staged,
    Trial,
}

impl Phase {
    /// None of one that has not begun, or of which it is decided.
    fn of(member: &MemberView) -> Option<Self> {
        if !matches!(member.standing, Standing::Waiting | Standing::Pending) {
            return None;
        }
        match member.progress?.state {
            DeviceState::Fetching => Some(Self::Fetching),
            DeviceState::Staged => Some(Self::Staged),
            // Its signed word is not here yet.
            DeviceState::Trial | DeviceState::Confirmed => Some(Self::Trial),
            DeviceState::Idle | DeviceState::Checking | DeviceState::RolledBack => None,
        }
    }
}

impl HeldRollout {
    pub(super) fn new(
        stored: &StoredRollout,
        asked_for: NewRollout,
        engine: ww_rollout::Rollout,
    ) -> Self {
        let mut under_way = HashMap::new();
        for meter in engine.meters() {
            if let Some(member) = engine.member(*meter)
                && let Some(phase) = Phase::of(&member)
            {
                under_way.insert(*meter, (member.wave, phase));
            }
        }
        Self {
            id: stored.id,
            created: stored.created,
            created_by: stored.created_by.clone(),
            changed: stored.created,
            engine,
            asked_for,
            under_way,
            unwritten: Unwritten::default(),
        }
    }

    /// Takes up what a call has changed; tells whether it was anything.
    pub(super) fn note(&mut self, gateway: &Shared, changes: Changes, actor: &str) -> bool {
        if changes.is_empty() {
            return false;
        }
        for (meter, _) in changes.members {
            let member = self.engine.member(meter);
            match member.and_then(|member| Some((member.wave, Phase::of(&member)?))) {
                Some(now) => self.under_way.insert(meter, now),
                None => self.under_way.remove(&meter),
            };
            self.unwritten.members.insert(meter);
        }
        self.unwritten.course |= changes.course.is_some();
        self.changed = gateway.now().or(self.changed);
        for event in changes.events {
            let Some((action, is_ordered)) = action(&event) else {
                continue;
            };
            // What follows from an operator's word, the engine has decided.
            let actor = if is_ordered { actor } else { super::GATEWAY };
            let subject = format!("rollout {}", self.id);
            let line = gateway.audit(actor, action, subject, event.to_string());
            tracing::info!(rollout = self.id.0, "{event}");
            self.unwritten.audit.push(line);
        }
        true
    }

    /// What there is to write next, and what to put back if it cannot be.
    pub(super) fn take_change(&mut self, gateway: &Shared) -> Option<(RolloutChange, Unwritten)> {
        if self.unwritten.is_empty() {
            return None;
        }
        let Unwritten {
            members, course, ..
        } = &mut self.unwritten;
        let some: HashSet<_> = members
            .iter()
            .take(MEMBERS_AT_ONCE as usize)
            .copied()
            .collect();
        members.retain(|meter| !some.contains(meter));
        let unwritten = Unwritten {
            members: some,
            course: std::mem::take(course),
            audit: std::mem::take(&mut self.unwritten.audit),
        };
        let members = unwritten.members.iter().filter_map(|meter| {
            let installation = gateway.registry.by_meter(meter)?.installation;
            Some((installation, json(&self.engine.row(*meter)?)))
        });
        let change = RolloutChange {
            members: members.collect(),
            course: unwritten.course.then(|| json(self.engine.course())),
            summary: Some(json(&self.summary(gateway))),
            stage: unwritten
                .course
                .then(|| stage(self.engine.course().status())),
            audit: unwritten.audit.clone(),
            is_told: true,
        };
        Some((change, unwritten))
    }

    /// Whether it is over and all of it is written.
    pub(super) fn is_done(&self) -> bool {
        let stage = stage(self.engine.course().status());
        stage == RolloutStage::Over && self.unwritten.is_empty()
    }

    /// Puts back what could not be written, behind which newer things may have come.
    pub(super) fn put_back(&mut self, unwritten: Unwritten) {
        self.unwritten.members.extend(unwritten.members);
        self.unwritten.course |= unwritten.course;
        self.unwritten.audit.splice(0..0, unwritten.audit);
    }

    /// The rollout as a list shows it.
    pub(super) fn summary(&self, gateway: &Shared) -> Rollout {
        let plan = self.engine.plan();
        let release = gateway.ota.catalogue.release(&plan.release);
        let waves = self.waves();
        let mut counts = RolloutCounts::default();
        for wave in &waves {
            add(&mut counts, &wave.counts);
        }
        let state = self.engine.state();
        Rollout {
            id: self.id.0,
            name: self.asked_for.name.clone(),
            release: self.asked_for.release.clone(),
            version: release.map_or_else(String::new, |release| release.version.clone()),
            state: shown(&state),
            reason: state.to_string(),
            wave: self.engine.waves().filter(|wave| wave.started).count() as u32,
            waves_in_all: waves.len() as u32,
            meters: self.engine.meters().len() as u32,
            counts,
            created_at: iso(self.created),
            created_by: self.created_by.clone(),
            changed_at: iso(self.changed),
        }
    }

    /// Its waves as people see them.
    pub(super) fn waves(&self) -> Vec<RolloutWave> {
        let state = self.engine.state();
        let newest = self.engine.waves().filter(|wave| wave.started).count() as u32;
        let under_way = self.phases();
        let wave = |wave: WaveView| {
            let is_newest = wave.number == newest;
            let soaks_until = match state {
                State::Soaking { until_ms, .. } if is_newest => UtcMillis::new(until_ms),
                _ => None,
            };
            let phases = under_way.get(&wave.number).copied().unwrap_or_default();
            RolloutWave {
                number: wave.number,
                meters: wave.size,
                state: match (&state, wave.started) {
                    (_, false) => RolloutWaveState::Waiting,
                    (_, true) if !is_newest => RolloutWaveState::Passed,
                    (State::Running { .. }, true) => RolloutWaveState::Running,
                    (State::Soaking { .. }, true) => RolloutWaveState::Soaking,
                    (State::Finishing | State::Completed, true) => RolloutWaveState::Passed,
                    _ => RolloutWaveState::Stopped,
                },
                counts: counts(&wave, phases),
                deadline_at: iso(wave.deadline_ms.and_then(UtcMillis::new)),
                soaks_until: iso(soaks_until),
            }
        };
        self.engine.waves().map(wave).collect()
    }

    /// How many of each wave fetch, have fetched, and try. Who is past the deadline has failed.
    fn phases(&self) -> HashMap<u32, [u32; 3]> {
        let has_overdue: HashSet<u32> = self
            .engine
            .waves()
            .filter(|wave| wave.overdue > 0)
            .map(|wave| wave.number)
            .collect();
        let mut phases: HashMap<u32, [u32; 3]> = HashMap::new();
        for (meter, (wave, phase)) in &self.under_way {
            let is_overdue = || {
                let member = self.engine.member(*meter);
                member.is_none_or(|member| Phase::of(&member).is_none())
            };
            if has_overdue.contains(wave) && is_overdue() {
                continue;
            }
            phases.entry(*wave).or_default()[*phase as usize] += 1;
        }
        phases
    }
}

fn counts(wave: &WaveView, [fetching, staged, trial]: [u32; 3]) -> RolloutCounts {
    let failed = wave.failed + wave.overdue;
    let begun = wave.confirmed + failed + fetching + staged + trial;
    RolloutCounts {
        waiting: wave.size.saturating_sub(begun),
        fetching,
        staged,
        trial,
        updated: wave.confirmed,
        failed,
    }
}

fn add(sum: &mut RolloutCounts, other: &RolloutCounts) {
    sum.waiting += other.waiting;
    sum.fetching += other.fetching;
    sum.staged += other.staged;
    sum.trial += other.trial;
    sum.updated += other.updated;
    sum.failed += other.failed;
}

/// How an event is called in the audit trail, and whether an operator's word is one; `None` for what
/// stands there otherwise: every report of a device has a line of its own.
fn action(event: &Event) -> Option<(&'static str, bool)> {
    Some(match event {
        Event::WaveStarted { .. } => ("rollout.wave", false),
        Event::WaveSucceeded { .. } => ("rollout.succeed", false),
        Event::Finishing => ("rollout.finish", false),
        Event::Completed => ("rollout.complete", false),
        Event::Halted(_) => ("rollout.halt", false),
        Event::Paused => ("rollout.pause", true),
        Event::Resumed => ("rollout.resume", true),
        Event::Aborted => ("rollout.abort", true),
        Event::Withdrawn { .. } => ("rollout.withdraw", true),
        Event::Retried(_) => ("rollout.retry", true),
        Event::Member(..) => return None,
    })
}

fn stage(status: Status) -> RolloutStage {
    match status {
        Status::Active | Status::Paused | Status::Halted(_) => RolloutStage::Open,
        Status::Withdrawn { prior: Some(_) } => RolloutStage::Telling,
        Status::Completed | Status::Aborted | Status::Withdrawn { prior: None } => {
            RolloutStage::Over
        }
    }
}

const fn shown(state: &State) -> RolloutState {
    match state {
        State::Running { .. } => RolloutState::Running,
        State::Soaking { .. } => RolloutState::Soaking,
        State::Finishing => RolloutState::Finishing,
        State::Paused => RolloutState::Paused,
        State::Halted(_) => RolloutState::Halted,
        State::Completed => RolloutState::Completed,
        State::Aborted => RolloutState::Aborted,
        State::Withdrawn { .. } => RolloutState::Withdrawn,
    }
}

/// A row as the store keeps it.
pub(super) fn json(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).expect("rows have only string keys")
}

/// A rollout as the store has it, and its meters. `None` when there is no such rollout, or it cannot be read, which is logged.
pub(super) async fn load(
    store: &dyn Store,
    id: RolloutId,
) -> Result<Option<(HeldRollout, Vec<InstallationId>)>, StoreError> {
    let Some(stored) = store.rollout(id).await? else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    loop {
        let from = rows.len() as u32;
        let page = store.rollout_members(id, from, MEMBERS_AT_ONCE).await?;
        let is_last = page.len() < MEMBERS_AT_ONCE as usize;
        rows.extend(page);
        if is_last {
            break;
        }
    }
    let meters = meters(store).await?;
    let mut members = Vec::with_capacity(rows.len());
    let mut order = Vec::with_capacity(rows.len());
    let mut known = Vec::new();
    for row in rows {
        members.push(row.installation);
        let meter = meters.get(&row.installation);
        let (Some(meter), Ok(body)) = (meter, serde_json::from_slice(&row.body)) else {
            tracing::error!(rollout = id.0, "a stored rollout cannot be read");
            return Ok(None);
        };
        order.push(*meter);
        known.push((*meter, body));
    }
    let read = || {
        let StoredPlan { asked_for, plan } = serde_json::from_slice(&stored.plan).ok()?;
        let course = serde_json::from_slice(&stored.course).ok()?;
        let engine = ww_rollout::Rollout::from_rows(plan, order, course, known).ok()?;
        Some(HeldRollout::new(&stored, asked_for, engine))
    };
    let rollout = read();
    if rollout.is_none() {
        tracing::error!(rollout = id.0, "a stored rollout cannot be read");
    }
    Ok(rollout.map(|rollout| (rollout, members)))
}

/// The meters of all installations, those out of service too.
async fn meters(store: &dyn Store) -> Result<HashMap<InstallationId, MeterId>, StoreError> {
    let installations = store.installations().await?;
    let meters = installations.into_iter().map(|one| (one.id, one.meter));
    Ok(meters.collect())
}
