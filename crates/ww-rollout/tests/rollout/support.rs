//! A fleet that says what a test wants, and a rollout over it.

use ww_rollout::{
    Asked, Changes, Decision, DeviceState, Door, Percent, Plan, Prior, Rollout, RolloutId,
    Standing, WaveSize, WaveView,
};
use ww_wire::{
    Attestation, Boot, BootCounter, ChainIndex, Hash, MeterId, ResetReason, Sequence, SignerId,
    TimeQuality, UpdateObstacle, UpdateOutcome, UpdateReport, UptimeMillis,
};

/// 2026-11-23T00:00:00Z.
pub(crate) const START_MS: u64 = 1_795_392_000_000;
pub(crate) const HOUR_MS: u64 = 3_600_000;
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;

pub(crate) const RELEASE: Hash = Hash([0x2e; 32]);
pub(crate) const NEW: Hash = Hash([0x22; 32]);
pub(crate) const OLD: Hash = Hash([0x11; 32]);
pub(crate) const COUNTER: u32 = 7;
pub(crate) const PRIOR: Prior = Prior {
    release: Hash([0x1e; 32]),
    payload: OLD,
    security_counter: COUNTER,
};

pub(crate) fn percent(share: u8) -> Percent {
    Percent::new(share).unwrap()
}

/// The meter at this place in the order of the rollout.
pub(crate) fn meter(place: usize) -> MeterId {
    SignerId(Hash::of(&[b"meter", &place.to_be_bytes()]).0)
}

pub(crate) fn meters(count: usize) -> Vec<MeterId> {
    (0..count).map(meter).collect()
}

/// 90 % of a wave must succeed, 10 % may not fail; an hour of soaking, two days for each device.
pub(crate) fn plan(waves: &[WaveSize]) -> Plan {
    Plan {
        id: RolloutId([7; 16]),
        release: RELEASE,
        payload: NEW,
        security_counter: COUNTER,
        waves: waves.to_vec(),
        success_percent: percent(90),
        error_percent: percent(10),
        error_minimum: 1,
        soak_ms: HOUR_MS,
        deadline_ms: 2 * DAY_MS,
        window: None,
    }
}

/// Waves of so many devices each.
pub(crate) fn counts(counts: &[u32]) -> Vec<WaveSize> {
    counts.iter().copied().map(WaveSize::Count).collect()
}

/// A rollout over as many meters as the waves take, at [`START_MS`].
pub(crate) fn rollout(waves: &[u32]) -> Rollout {
    started(plan(&counts(waves)), waves.iter().sum::<u32>() as usize)
}

pub(crate) fn started(plan: Plan, members: usize) -> Rollout {
    Rollout::new(plan, meters(members), START_MS).unwrap().0
}

/// What a meter says that runs the old payload and asks.
pub(crate) fn checking() -> Asked {
    Asked {
        state: DeviceState::Checking,
        obstacle: UpdateObstacle::None,
        release: None,
        running: OLD,
        security_counter: COUNTER - 1,
        done_bytes: 0,
        total_bytes: 0,
    }
}

pub(crate) fn in_state(state: DeviceState) -> Asked {
    Asked {
        state,
        release: Some(RELEASE),
        ..checking()
    }
}

/// What a meter says that runs the new payload for good.
pub(crate) fn settled() -> Asked {
    Asked {
        running: NEW,
        security_counter: COUNTER,
        ..in_state(DeviceState::Confirmed)
    }
}

pub(crate) fn report(place: usize, boot: u32, outcome: UpdateOutcome) -> UpdateReport {
    let confirmed = outcome == UpdateOutcome::Confirmed;
    UpdateReport {
        meter: meter(place),
        boot: BootCounter::new(boot).unwrap(),
        time: None,
        uptime: UptimeMillis::new(90_000).unwrap(),
        time_quality: TimeQuality::Unknown,
        release: RELEASE,
        payload: NEW,
        running: if confirmed { NEW } else { OLD },
        root_number: 1,
        security_counter: COUNTER,
        outcome,
        obstacle: match outcome {
            UpdateOutcome::Confirmed => UpdateObstacle::None,
            UpdateOutcome::RolledBack => UpdateObstacle::Sensor,
            UpdateOutcome::Refused => UpdateObstacle::OtherHardware,
        },
    }
}

pub(crate) fn boot(place: usize, boot: u32, firmware: Hash) -> Boot {
    Boot {
        meter: meter(place),
        chain_index: ChainIndex::ZERO,
        previous: Hash::ZERO,
        boot: BootCounter::new(boot).unwrap(),
        time: None,
        uptime: UptimeMillis::ZERO,
        time_quality: TimeQuality::Unknown,
        firmware,
        version_major: 2,
        version_minor: 0,
        version_patch: 0,
        security_counter: COUNTER,
        reset_reason: ResetReason::Requested,
        last_recovered: None,
        first_new: Sequence::new(1).unwrap(),
        attestation: Attestation::NONE,
    }
}

pub(crate) trait Ask {
    fn check(&mut self, now_ms: u64, place: usize, asked: &Asked) -> Decision;
    fn verify(&mut self, now_ms: u64, place: usize, asked: &Asked) -> Decision;
    fn confirmed(&mut self, now_ms: u64, places: core::ops::Range<usize>) -> Changes;
    fn rolled_back(&mut self, now_ms: u64, places: core::ops::Range<usize>) -> Changes;
    fn standing(&self, place: usize) -> Standing;
    fn wave(&self, number: u32) -> WaveView;
}

impl Ask for Rollout {
    fn check(&mut self, now_ms: u64, place: usize, asked: &Asked) -> Decision {
        self.asked(now_ms, meter(place), asked, Door::Check, 0).0
    }

    fn verify(&mut self, now_ms: u64, place: usize, asked: &Asked) -> Decision {
        self.asked(now_ms, meter(place), asked, Door::Verify, 0).0
    }

    fn confirmed(&mut self, now_ms: u64, places: core::ops::Range<usize>) -> Changes {
        reported(self, now_ms, places, UpdateOutcome::Confirmed)
    }

    fn rolled_back(&mut self, now_ms: u64, places: core::ops::Range<usize>) -> Changes {
        reported(self, now_ms, places, UpdateOutcome::RolledBack)
    }

    fn standing(&self, place: usize) -> Standing {
        self.member(meter(place)).unwrap().standing
    }

    fn wave(&self, number: u32) -> WaveView {
        self.waves().find(|wave| wave.number == number).unwrap()
    }
}

/// The changes of the last report.
fn reported(
    rollout: &mut Rollout,
    now_ms: u64,
    places: core::ops::Range<usize>,
    outcome: UpdateOutcome,
) -> Changes {
    let reports = places.map(|place| report(place, 5, outcome));
    let changes = reports.map(|report| rollout.reported(now_ms, &report));
    changes.last().unwrap()
}

/// Jumps from deadline to deadline until there is none; at most as often as there is something to wait for.
pub(crate) fn let_time_pass(rollout: &mut Rollout, from_ms: u64) -> u64 {
    let mut now_ms = from_ms;
    let mut jumps = 0;
    while let Some(deadline_ms) = rollout.next_deadline_ms() {
        now_ms = now_ms.max(deadline_ms);
        rollout.tick(now_ms);
        jumps += 1;
        let most = 2 * rollout.waves().count() + rollout.meters().len() + 2;
        assert!(jumps <= most, "{:?} waits for ever", rollout.state());
    }
    now_ms
}
