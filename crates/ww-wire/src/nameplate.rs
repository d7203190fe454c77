//! The most that a plant is believed to produce: the one bound that the meter draws on, the gateway
//! remarks on and the auditor holds windows against. It is a bound, not an estimate.

use crate::units::Watts;

/// The most power that a plant is believed to reach, in percent of its rated power.
pub const PLAUSIBLE_PERCENT: u32 = 135;
/// The longest that a sensor shows a counter without bringing it up to date (a Shelly does so once
/// a minute): energy of that time may be counted later.
pub const PUBLICATION_MS: u64 = 60_000;
/// What a counter may lag by its resolution: three phases of 0.1 Wh.
pub const RESOLUTION_MWH: u64 = 300;

/// Milliwatt-milliseconds in one milliwatt-hour.
const MILLIWATT_MILLIS: u128 = 3_600_000;

/// What bounds a plant: its rated power, and the ratio by which its counter is multiplied. Work is
/// in mW·ms, in which nothing is rounded (1 mWh = 3,600,000 mW·ms).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nameplate {
    /// Rated power of the plant.
    pub rated_power: Watts,
    /// Ratio of an external current transformer in thousandths; 1000 for none.
    pub ct_ratio_milli: u32,
}

impl Nameplate {
    /// The most power, in mW.
    #[must_use]
    pub const fn power_mw(self) -> u64 {
        // At most 2^32 × 1350, far below 2^64.
        self.rated_power.get() as u64 * 10 * PLAUSIBLE_PERCENT as u64
    }

    /// What that power does in `elapsed_ms`, in mW·ms.
    #[must_use]
    pub const fn work(self, elapsed_ms: u64) -> u128 {
        self.power_mw() as u128 * elapsed_ms as u128
    }

    /// The same, and what the counter may lag by its resolution, in mW·ms.
    #[must_use]
    pub const fn work_resolved(self, elapsed_ms: u64) -> u128 {
        self.work(elapsed_ms) + self.counted(RESOLUTION_MWH)
    }

    /// The most that the counter can have gained when it was seen `elapsed_ms` ago, in mW·ms.
    #[must_use]
    pub const fn work_shown(self, elapsed_ms: u64) -> u128 {
        self.work_resolved(elapsed_ms.saturating_add(PUBLICATION_MS))
    }

    /// The most that `produced` can have risen when the counter was seen `elapsed_ms` ago, in whole
    /// mWh; one of them is what a fractional transformer ratio left over before.
    #[must_use]
    pub const fn energy_mwh(self, elapsed_ms: u64) -> u128 {
        self.work_shown(elapsed_ms) / MILLIWATT_MILLIS + 1
    }

    /// The work behind a step of the counter, in mW·ms.
    #[must_use]
    pub const fn counted(self, step_mwh: u64) -> u128 {
        // Below 2^64 × 2^32 × 3600: within u128.
        step_mwh as u128 * self.ct_ratio_milli as u128 * (MILLIWATT_MILLIS / 1000)
    }
}
