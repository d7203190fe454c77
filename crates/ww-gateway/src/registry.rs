//! The meters as the hot path needs them: key parsed, state and enrolment at hand. What is durable
//! is in the store; this is its copy in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use tokio::time::Instant;
use ww_store::{Installation, InstallationId, InstallationState};
use ww_verify::VerifyingKey;
use ww_wire::{Enrolment, Hash, MeterId, UtcMillis};

use crate::limits::{Bucket, Rate, RetryAfter};
use crate::plausibility::Plausibility;

/// One meter. It is replaced as a whole when an operator decides something.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) installation: InstallationId,
    pub(crate) meter: MeterId,
    pub(crate) key: VerifyingKey,
    pub(crate) state: InstallationState,
    pub(crate) enrolment: Option<Enrolment>,
    pub(crate) enrolment_digest: Option<Hash>,
    memory: Arc<Mutex<Memory>>,
}

/// What changes with every reading.
#[derive(Debug)]
struct Memory {
    bucket: Bucket,
    plausibility: Plausibility,
    last_seen: Option<UtcMillis>,
}

impl Meter {
    /// Takes the tokens of `count` records.
    pub(crate) fn take(&self, count: usize, rate: Rate, now: Instant) -> Result<(), RetryAfter> {
        self.lock().bucket.take(count as f64, rate, now)
    }

    /// Works on the memory of what the meter sent before.
    pub(crate) fn plausibility<T>(&self, work: impl FnOnce(&mut Plausibility) -> T) -> T {
        work(&mut self.lock().plausibility)
    }

    /// Notes that something valid came.
    pub(crate) fn seen(&self, now: Option<UtcMillis>) {
        let mut memory = self.lock();
        memory.last_seen = memory.last_seen.max(now);
    }

    /// When something valid came last, a duplicate included.
    pub(crate) fn last_seen(&self) -> Option<UtcMillis> {
        self.lock().last_seen
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
    meters: RwLock<Meters>,
}

#[derive(Debug, Default)]
struct Meters {
    by_meter: HashMap<MeterId, Arc<Meter>>,
    by_installation: HashMap<InstallationId, Arc<Meter>>,
}

impl Registry {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            meters: RwLock::default(),
        }
    }

    pub(crate) fn by_meter(&self, meter: &MeterId) -> Option<Arc<Meter>> {
        self.read().by_meter.get(meter).cloned()
    }

    pub(crate) fn by_installation(&self, id: InstallationId) -> Option<Arc<Meter>> {
        self.read().by_installation.get(&id).cloned()
    }

    /// Takes over what the store says of an installation.
    pub(crate) fn put(&self, installation: &Installation) {
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
            memory,
        });
        meters.by_meter.insert(meter.meter, Arc::clone(&meter));
        meters.by_installation.insert(meter.installation, meter);
    }

    fn memory(&self, installation: &Installation) -> Memory {
        Memory {
            bucket: Bucket::full(self.rate, Instant::now()),
            plausibility: Plausibility::after(installation.last_reading),
            last_seen: installation.last_seen,
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Meters> {
        self.meters
            .read()
            .expect("no code panics while it holds this lock")
    }
}
