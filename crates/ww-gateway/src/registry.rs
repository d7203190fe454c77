//! The meters as the hot path needs them: key parsed, state and enrolment at hand. What is durable
//! is in the store; this is its copy in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use jiff::tz::TimeZone;
use tokio::time::Instant;
use ww_api::Liveness;
use ww_store::{
    Installation, InstallationId, InstallationState, Proof, StoredEnrolment, StoredReading,
};
use ww_verify::VerifyingKey;
use ww_wire::record::Record as _;
use ww_wire::{Boot, Enrolment, Hash, MeterId, UtcMillis};

use crate::limits::{Bucket, Rate, RetryAfter};
use crate::plausibility::Plausibility;
use crate::view::liveness;

/// One meter. It is replaced as a whole when an operator decides something.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) installation: InstallationId,
    pub(crate) meter: MeterId,
    pub(crate) key: VerifyingKey,
    pub(crate) state: InstallationState,
    pub(crate) enrolment: Option<Enrolment>,
    pub(crate) enrolment_digest: Option<Hash>,
    /// The site's; UTC for one that is not known here.
    pub(crate) time_zone: TimeZone,
    /// All that it ever had, by number.
    enrolments: Vec<Held>,
    memory: Arc<Mutex<Memory>>,
}

/// An Enrolment, and since when it is held.
#[derive(Debug)]
struct Held {
    enrolment: Enrolment,
    digest: Hash,
    received: Option<UtcMillis>,
}

/// What changes with every reading.
#[derive(Debug)]
struct Memory {
    bucket: Bucket,
    plausibility: Plausibility,
    cadence_s: u32,
    last_seen: Option<UtcMillis>,
    heard_again: Option<UtcMillis>,
}

impl Meter {
    /// Whether there are tokens for `count` records. None is taken: anyone can send a meter's
    /// records again, and must not use up what the meter needs.
    pub(crate) fn admit(&self, count: usize, rate: Rate, now: Instant) -> Result<(), RetryAfter> {
        let mut bucket = self.lock().bucket;
        bucket.take(count as f64, rate, now)
    }

    /// The Enrolment that says what a reading means: the one that its window names, or of a reading
    /// that no window covers yet, the one in force when it came.
    pub(crate) fn enrolment_of(&self, stored: &StoredReading) -> Option<&Enrolment> {
        if let Proof::Window { enrolment, .. } = &stored.proof {
            return self.enrolment_named(enrolment);
        }
        let was_there = |held: &&Held| {
            let times = held.received.zip(stored.received);
            times.is_none_or(|(held, reading)| held <= reading)
        };
        let newest = self.enrolments.iter().rev().find(was_there);
        newest
            .or(self.enrolments.first())
            .map(|held| &held.enrolment)
    }

    /// The Enrolment with this digest. What was measured before there was one, or under one that this
    /// gateway never had, is before the first.
    pub(crate) fn enrolment_named(&self, digest: &Hash) -> Option<&Enrolment> {
        let named = self.enrolments.iter().find(|held| held.digest == *digest);
        named
            .or(self.enrolments.first())
            .map(|held| &held.enrolment)
    }

    /// What is remembered of the readings before.
    pub(crate) fn plausibility(&self) -> Plausibility {
        self.lock().plausibility
    }

    /// Notes that `count` new records of the meter were stored: takes their tokens, and what was
    /// learned from the last of them.
    pub(crate) fn stored(
        &self,
        count: usize,
        rate: Rate,
        at: Instant,
        now: Option<UtcMillis>,
        learned: Option<Plausibility>,
    ) {
        let mut memory = self.lock();
        memory.bucket.charge(count as f64, rate, at);
        let before = liveness(memory.last_seen, now, memory.cadence_s);
        if matches!(before, Liveness::Late | Liveness::Silent) {
            memory.heard_again = now;
        }
        memory.last_seen = memory.last_seen.max(now);
        if let Some(learned) = learned {
            memory.plausibility.adopt(learned);
        }
    }

    /// When something new of it was stored last.
    pub(crate) fn last_seen(&self) -> Option<UtcMillis> {
        self.lock().last_seen
    }

    /// When it was heard again after it had been late, if this gateway has seen that.
    pub(crate) fn heard_again(&self) -> Option<UtcMillis> {
        self.lock().heard_again
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

/// All meters by id and by number.
#[derive(Debug)]
pub(crate) struct Registry {
    rate: Rate,
    cadence_s: u32,
    meters: RwLock<Meters>,
}

#[derive(Debug, Default)]
struct Meters {
    by_meter: HashMap<MeterId, Arc<Meter>>,
    by_installation: HashMap<InstallationId, Arc<Meter>>,
    /// What each meter in service runs, and how many run it.
    runs: HashMap<InstallationId, Hash>,
    running: HashMap<Hash, u64>,
}

impl Meters {
    fn runs(&mut self, installation: InstallationId, payload: Option<Hash>) {
        let before = match payload {
            Some(payload) => {
                *self.running.entry(payload).or_default() += 1;
                self.runs.insert(installation, payload)
            }
            None => self.runs.remove(&installation),
        };
        let before = before.and_then(|before| Some((before, self.running.get_mut(&before)?)));
        if let Some((before, count)) = before {
            *count -= 1;
            if *count == 0 {
                self.running.remove(&before);
            }
        }
    }
}

impl Registry {
    pub(crate) fn new(rate: Rate, cadence_s: u32) -> Self {
        Self {
            rate,
            cadence_s,
            meters: RwLock::default(),
        }
    }

    pub(crate) fn by_meter(&self, meter: &MeterId) -> Option<Arc<Meter>> {
        self.read().by_meter.get(meter).cloned()
    }

    pub(crate) fn by_installation(&self, id: InstallationId) -> Option<Arc<Meter>> {
        self.read().by_installation.get(&id).cloned()
    }

    /// Forgets a meter that the store has forgotten.
    pub(crate) fn forget(&self, meter: &MeterId) {
        let mut meters = self
            .meters
            .write()
            .expect("no code panics while it holds this lock");
        if let Some(known) = meters.by_meter.remove(meter) {
            meters.by_installation.remove(&known.installation);
        }
    }

    /// Takes over what the store says of an installation and its enrolments.
    pub(crate) fn put(&self, installation: &Installation, enrolments: &[StoredEnrolment]) {
        let Ok(key) = VerifyingKey::new(installation.public_key) else {
            tracing::error!(
                installation_id = installation.id.0,
                "the stored public key is no point of P-256; nothing of this meter will be taken"
            );
            return;
        };
        let mut meters = self
            .meters
            .write()
            .expect("no code panics while it holds this lock");
        let memory = meters.by_meter.get(&installation.meter).map_or_else(
            || Arc::new(Mutex::new(self.memory(installation))),
            |known| Arc::clone(&known.memory),
        );
        let meter = Arc::new(Meter {
            installation: installation.id,
            meter: installation.meter,
            key,
            state: installation.state,
            enrolment: installation.enrolment,
            enrolment_digest: installation.enrolment_digest,
            time_zone: TimeZone::get(&installation.time_zone).unwrap_or(TimeZone::UTC),
            enrolments: enrolments.iter().filter_map(held).collect(),
            memory,
        });
        let runs = installation.last_boot.filter(|_| {
            installation.state == InstallationState::Active && installation.replaced_by.is_none()
        });
        meters.runs(meter.installation, runs.map(|boot| boot.firmware));
        meters.by_meter.insert(meter.meter, Arc::clone(&meter));
        meters.by_installation.insert(meter.installation, meter);
    }

    /// Notes what a meter in service runs since it has started.
    pub(crate) fn started(&self, boot: &Boot) {
        let mut meters = self
            .meters
            .write()
            .expect("no code panics while it holds this lock");
        if let Some(meter) = meters.by_meter.get(&boot.meter) {
            let installation = meter.installation;
            meters.runs(installation, Some(boot.firmware));
        }
    }

    /// How many meters in service run this payload by their newest Boot record.
    pub(crate) fn running(&self, payload: &Hash) -> u64 {
        self.read().running.get(payload).copied().unwrap_or(0)
    }

    fn memory(&self, installation: &Installation) -> Memory {
        Memory {
            bucket: Bucket::full(self.rate, Instant::now()),
            plausibility: Plausibility::after(installation.last_reading),
            cadence_s: self.cadence_s,
            last_seen: installation.last_seen,
            heard_again: None,
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Meters> {
        self.meters
            .read()
            .expect("no code panics while it holds this lock")
    }
}

fn held(stored: &StoredEnrolment) -> Option<Held> {
    let payload = stored.enrolment.encode().ok()?;
    Some(Held {
        enrolment: stored.enrolment,
        digest: payload.digest(),
        received: stored.received,
    })
}
