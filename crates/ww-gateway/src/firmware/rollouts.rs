//! Rollouts as they run: the engine in memory is told every fact at once, and answers what each device is
//! to do; what changed is written behind that, many rows at a time. An operator's word and a device's
//! report are answered once they are durable. While the gateway does not know the time, every device holds.

mod begin;
mod held;
mod people;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use ww_api::ProblemKind;
use ww_release::assignment::Stage;
use ww_release::question::Question;
use ww_rollout::{Asked, Changes, DeviceState, Door, Prior, Refusal, Why};
use ww_store::{InstallationId, RolloutChange, RolloutId, Store, StoreError};
use ww_wire::{Boot, Hash, UpdateReport};

pub(crate) use self::begin::begin;
use self::held::{HeldRollout, Unwritten};
pub(crate) use self::people::{abort, devices, list, one, pause, resume, retry, summary};
use crate::access::Caller;
use crate::error::{Failure, Result};
use crate::registry::Meter;
use crate::state::{Gateway, Shared};

/// Devices that are read at a time.
const DEVICES_AT_ONCE: u32 = 1_000;

/// How long changes may wait to be written beside others.
const WRITE_PAUSE: Duration = Duration::from_millis(200);

/// How long nothing is looked at, at most: a clock may be set.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Who did what the engine decided.
const GATEWAY: &str = "gateway";

/// What a device is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) stage: Stage,
    pub(crate) release: Option<Hash>,
}

impl Decision {
    /// It stays with what it has.
    const HOLD: Self = Self {
        stage: Stage::Hold,
        release: None,
    };
}

/// All rollouts that tell devices anything.
pub(crate) struct Rollouts {
    held: Mutex<Held>,
    /// Held by who publishes, withdraws, or begins a rollout.
    pub(crate) publishing: tokio::sync::Mutex<()>,
    /// Held by the release file that is read.
    pub(crate) uploading: Arc<Semaphore>,
    /// Held by who writes changes, so that what came first is not written last.
    writing: tokio::sync::Mutex<()>,
    changed: Notify,
}

#[derive(Default)]
struct Held {
    rollouts: BTreeMap<RolloutId, HeldRollout>,
    /// By which rollout a meter is told: the newest that it is in.
    of: HashMap<InstallationId, RolloutId>,
    /// The newest time that was known, in milliseconds.
    last_ms: u64,
}

impl Rollouts {
    /// Takes up what the store has, and what meters have signed since it was written.
    pub(crate) async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut held = Held::default();
        for id in store.telling_rollouts().await? {
            if let Some((rollout, members)) = held::load(store, id).await? {
                held.last_ms = held.last_ms.max(rollout.engine.course().since_ms());
                held.of.extend(members.iter().map(|member| (*member, id)));
                held.rollouts.insert(id, rollout);
            }
        }
        Ok(Self {
            held: Mutex::new(held),
            publishing: tokio::sync::Mutex::default(),
            uploading: Arc::new(Semaphore::new(1)),
            writing: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Takes up the Boot records that meters had signed before the gateway started: one may have been
    /// stored, and what follows from it not written.
    pub(crate) async fn catch_up(&self, gateway: &Shared) -> Result<(), StoreError> {
        let mut after = InstallationId(0);
        loop {
            let devices = gateway
                .store
                .firmware_devices(after, DEVICES_AT_ONCE)
                .await?;
            let Some(last) = devices.last() else {
                return Ok(());
            };
            after = last.installation;
            for device in &devices {
                if let Some(boot) = &device.last_boot {
                    self.booted(gateway, device.installation, boot);
                }
            }
        }
    }

    /// A device asks whether there is anything for it.
    pub(crate) fn asked(&self, gateway: &Shared, meter: &Meter, question: &Question) -> Decision {
        self.decide(gateway, meter, question, Door::Check)
    }

    /// A device that has fetched all asks whether it may start it.
    pub(crate) fn staged(&self, gateway: &Shared, meter: &Meter, question: &Question) -> Decision {
        self.decide(gateway, meter, question, Door::Verify)
    }

    fn decide(&self, gateway: &Shared, meter: &Meter, question: &Question, door: Door) -> Decision {
        let Some(now) = gateway.now() else {
            return Decision::HOLD;
        };
        let asked = Asked {
            state: DeviceState::numbered(question.state.number())
                .expect("a question has the same list of states"),
            obstacle: question.obstacle.into(),
            release: question.release,
            running: question.running,
            security_counter: question.security_counter,
            done_bytes: question.done_bytes,
            total_bytes: question.total_bytes,
        };
        let mut held = self.lock();
        held.last_ms = now.get();
        let Some(rollout) = held.telling(meter.installation) else {
            return Decision::HOLD;
        };
        let offset_s = offset_s(meter, now.get());
        let (decision, changes) =
            rollout
                .engine
                .asked(now.get(), meter.meter, &asked, door, offset_s);
        let has_changed = rollout.note(gateway, changes, GATEWAY);
        drop(held);
        if has_changed {
            self.changed.notify_one();
        }
        match decision {
            ww_rollout::Decision::Fetch(release) => Decision {
                stage: Stage::Fetch,
                release: Some(release),
            },
            ww_rollout::Decision::Arm(release) => Decision {
                stage: Stage::Arm,
                release: Some(release),
            },
            // What it has fetched may yet be started.
            ww_rollout::Decision::Hold(Why::Paused | Why::Halted(_) | Why::WindowClosed { .. }) => {
                Decision {
                    stage: Stage::Hold,
                    release: question.release,
                }
            }
            ww_rollout::Decision::Hold(_) => Decision::HOLD,
        }
    }

    /// A device has reported, and its signature held. The same again changes nothing.
    pub(crate) async fn reported(
        &self,
        gateway: &Shared,
        installation: InstallationId,
        report: &UpdateReport,
    ) -> Result<()> {
        self.tell(gateway, installation, |rollout, now_ms| {
            rollout.engine.reported(now_ms, report)
        });
        self.write(gateway).await?;
        Ok(())
    }

    /// A meter has started, and its signature held.
    pub(crate) fn booted(&self, gateway: &Shared, installation: InstallationId, boot: &Boot) {
        let has_changed = self.tell(gateway, installation, |rollout, now_ms| {
            rollout.engine.booted(now_ms, boot)
        });
        if has_changed {
            self.changed.notify_one();
        }
    }

    fn tell(
        &self,
        gateway: &Shared,
        installation: InstallationId,
        fact: impl FnOnce(&mut HeldRollout, u64) -> Changes,
    ) -> bool {
        let mut held = self.lock();
        let now_ms = held.now_ms(gateway);
        let Some(rollout) = held.telling(installation) else {
            return false;
        };
        let changes = fact(rollout, now_ms);
        rollout.note(gateway, changes, GATEWAY)
    }

    /// By which rollout a meter is told.
    pub(crate) fn of(&self, installation: InstallationId) -> Option<RolloutId> {
        self.lock().of.get(&installation).copied()
    }

    /// Carries out an operator's word and answers once it is durable.
    async fn order(
        &self,
        gateway: &Shared,
        caller: &Caller,
        id: RolloutId,
        word: impl FnOnce(&mut HeldRollout, u64) -> Result<Changes, Refusal>,
    ) -> Result<()> {
        {
            let mut held = self.lock();
            let now_ms = held.now_ms(gateway);
            let rollout = held.rollouts.get_mut(&id);
            let rollout = rollout.ok_or_else(|| refused(&Refusal::Ended))?;
            let changes = word(rollout, now_ms).map_err(|refusal| refused(&refusal))?;
            rollout.note(gateway, changes, &caller.name);
        }
        self.changed.notify_one();
        Ok(self.write(gateway).await?)
    }

    /// Ends all rollouts of a release, those too that are over. Who has it goes back to the newest release
    /// before it for the same hardware that is not withdrawn and whose security counter allows that.
    pub(crate) async fn withdraw(
        &self,
        gateway: &Shared,
        caller: &Caller,
        release: &Hash,
    ) -> Result<()> {
        let prior = prior(gateway, release);
        if prior.is_some() {
            self.take_up(gateway, release).await?;
        }
        {
            let mut held = self.lock();
            let now_ms = held.now_ms(gateway);
            let of_release = |rollout: &&mut HeldRollout| rollout.engine.plan().release == *release;
            for rollout in held.rollouts.values_mut().filter(of_release) {
                if let Ok(changes) = rollout.engine.withdraw(now_ms, prior) {
                    rollout.note(gateway, changes, &caller.name);
                }
            }
        }
        self.changed.notify_one();
        Ok(self.write(gateway).await?)
    }

    /// Lets rollouts of a release that are over tell their meters again, where no other one does.
    async fn take_up(&self, gateway: &Shared, release: &Hash) -> Result<()> {
        // The newest first: of two that a meter was in, that tells it.
        for id in gateway.store.rollouts_of(*release).await?.into_iter().rev() {
            if self.lock().rollouts.contains_key(&id) {
                continue;
            }
            let loaded = held::load(gateway.store.as_ref(), id).await?;
            let Some((rollout, members)) = loaded else {
                continue;
            };
            let mut held = self.lock();
            for member in members {
                held.of.entry(member).or_insert(id);
            }
            held.rollouts.insert(id, rollout);
        }
        Ok(())
    }

    /// Writes what is unwritten, many rows at a time.
    pub(crate) async fn write(&self, gateway: &Shared) -> Result<(), StoreError> {
        let _alone = self.writing.lock().await;
        loop {
            let next = {
                let mut held = self.lock();
                let mut rollouts = held.rollouts.iter_mut();
                rollouts.find_map(|(id, rollout)| Some((*id, rollout.take_change(gateway)?)))
            };
            let Some((id, (change, unwritten))) = next else {
                return Ok(());
            };
            self.write_one(gateway, id, change, unwritten).await?;
        }
    }

    async fn write_one(
        &self,
        gateway: &Shared,
        id: RolloutId,
        change: RolloutChange,
        unwritten: Unwritten,
    ) -> Result<(), StoreError> {
        let told = gateway.store.change_rollout(id, change).await;
        let mut held = self.lock();
        match told {
            Ok(event) => {
                if let Some(event) = event {
                    gateway.announce_event(event);
                }
                if held.rollouts.get(&id).is_some_and(HeldRollout::is_done) {
                    held.forget(id);
                }
                Ok(())
            }
            Err(error) => {
                if let Some(rollout) = held.rollouts.get_mut(&id) {
                    rollout.put_back(unwritten);
                }
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl Held {
    fn telling(&mut self, installation: InstallationId) -> Option<&mut HeldRollout> {
        let id = self.of.get(&installation)?;
        self.rollouts.get_mut(id)
    }

    /// The time; while it is not known, the last that was.
    fn now_ms(&mut self, gateway: &Shared) -> u64 {
        if let Some(now) = gateway.now() {
            self.last_ms = now.get();
        }
        self.last_ms
    }

    fn forget(&mut self, id: RolloutId) {
        self.rollouts.remove(&id);
        self.of.retain(|_, told_by| *told_by != id);
    }
}

/// The newest release before one for the same hardware that is not withdrawn and that devices take which
/// have confirmed the one.
fn prior(gateway: &Shared, release: &Hash) -> Option<Prior> {
    let withdrawn = gateway.ota.catalogue.release(release)?;
    let before = gateway.ota.catalogue.releases(withdrawn.id, usize::MAX);
    let prior = before.into_iter().find(|release| {
        release.class == withdrawn.class
            && release.withdrawal.is_none()
            && release.security_counter >= withdrawn.security_counter
            && release.payload != withdrawn.payload
    })?;
    Some(Prior {
        release: prior.digest,
        payload: prior.payload,
        security_counter: prior.security_counter,
    })
}

fn refused(refusal: &Refusal) -> Failure {
    Failure::new(ProblemKind::RolloutConflict, refusal.to_string())
}

/// How far ahead of UTC a meter's site is.
fn offset_s(meter: &Meter, now_ms: u64) -> i32 {
    let now = i64::try_from(now_ms).ok();
    let now = now.and_then(|now| Timestamp::from_millisecond(now).ok());
    now.map_or(0, |now| meter.time_zone.to_offset(now).seconds())
}

/// Lets rollouts go on with the time, and writes what has changed, until the gateway stops.
pub(crate) async fn watch(gateway: Gateway) {
    let mut stopping = gateway.stopping.subscribe();
    loop {
        let pause = gateway.rollouts.tick(&gateway);
        if let Err(error) = gateway.rollouts.write(&gateway).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "changes of rollouts were not written; they are tried again"
            );
        }
        if *stopping.borrow() {
            return;
        }
        tokio::time::sleep(WRITE_PAUSE).await;
        tokio::select! {
            () = gateway.rollouts.changed.notified() => {}
            () = tokio::time::sleep(pause) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}

impl Rollouts {
    /// Tells all of them the time, and says how long nothing changes by itself.
    fn tick(&self, gateway: &Shared) -> Duration {
        let Some(now) = gateway.now() else {
            return LONGEST_PAUSE;
        };
        let now_ms = now.get();
        let mut held = self.lock();
        held.last_ms = now_ms;
        let mut next = None;
        for rollout in held.rollouts.values_mut() {
            if rollout
                .engine
                .next_deadline_ms()
                .is_some_and(|at| at <= now_ms)
            {
                let changes = rollout.engine.tick(now_ms);
                rollout.note(gateway, changes, GATEWAY);
            }
            next = [next, rollout.engine.next_deadline_ms()]
                .into_iter()
                .flatten()
                .min();
        }
        let until_next = next.map_or(LONGEST_PAUSE, |at| {
            Duration::from_millis(at.saturating_sub(now_ms))
        });
        until_next.min(LONGEST_PAUSE)
    }
}
