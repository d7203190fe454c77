//! Turns what the sensor's counter shows into `produced`, the sum of accepted increments that a
//! meter signs. It never makes energy up, and it does not look at power.
//!
//! `B` is the baseline, the highest value counted so far; `v` the value now; `P` 1.35 times the
//! rated power. The allowance grows by `P` × elapsed time and is drawn on by what is accepted; it
//! is never more than `P` × (time since the last value + 60 s) + 0.3 Wh, because a Shelly brings its
//! counters up to date as seldom as once a minute, and each phase resolves 0.1 Wh.
//!
//! | what is seen | what is done | flags |
//! | --- | --- | --- |
//! | the first value ever | it becomes `B`; nothing is counted | – |
//! | `v` ≥ `B` by no more than the allowance | `v − B` is added to `produced`; `B` = `v` | – |
//! | the same, more than 30 s after the last value, or the first since a reboot | the same: the increment spans the gap | RECOVERED |
//! | `v` > `B` by more than the allowance | nothing is added; the epoch rises; `B` = `v` | INCREMENT_REFUSED |
//! | the same, and the time since `B` is not known (a reboot since, and a clock that was not synchronised then or is not now) | the allowance counts from the boot alone; `B` stays, until the allowance or the clock lets the increment in, or the clock refuses it | INCREMENT_PENDING |
//! | `v` below the value before, but not below `B` by more than the tolerance: a dip | the epoch rises; `B` stays, so that the way back up is not counted twice | COUNTER_FELL |
//! | `v` below `B` by more than the tolerance: a reset | the epoch rises; `B` = `v`; the old `B` is remembered as `H` until the counter passes it; the allowance is what the time since the last value earned | COUNTER_FELL |
//! | `v` ≥ `H` again after a gap: a glitch that ended unseen, or a reset that grew unseen | nothing is added, for the two cannot be told apart; the epoch rises; `B` = `v` | INCREMENT_REFUSED |
//! | the first value after a reboot, and no reading is left that says what the one before was | nothing is added, for nobody knows how much it would be; the epoch rises; `B` = `v` | INCREMENT_REFUSED, RECOVERED |
//! | a poll without a value | nothing changes; the time to the next value is longer | – |
//!
//! The tolerance is the largest allowance that polls 30 s apart can have, so that a fall beyond it
//! (a glitch to zero, say) can never come back within the allowance. What it costs: a true reset
//! of a counter that stood below the tolerance, or that lost less than the tolerance, counts only
//! from the old value on. And a counter that is reset while an increment is pending takes that
//! increment with it.
//!
//! A clock counts across a reboot only when it was synchronised before and is again: a machine without
//! a battery for its clock comes up with the time at which it went down, and a step of hours would
//! pass for seconds. Where no clock is ever synchronised an increment still does not wait for ever:
//! the allowance grows by 1.35 times the rated power and the counter by no more than that power, so
//! what the counter gained in a stop is let in after at most three times the stop's length; if the
//! meter stops again before, what it waits for adds up and the wait begins anew.
//!
//! What stays possible: a counter that falls beyond the tolerance and then climbs back in steps, or
//! in a gap after it has passed `H`, each no larger than the plant could produce in that time. No
//! rule on this counter alone can tell that from production; the bound holds there too.

use crate::now::Now;
use ww_wire::{
    CounterEpoch, MilliwattHours, Nameplate, ProductionCounter, Reading, ReadingFlags, TimeQuality,
    UptimeMillis, UtcMillis,
};

/// Values further apart than this have a gap between them: on the 10 s grid, two missed ones.
pub const GAP_MS: u64 = 30_000;

/// What the enrolment says of the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterRules {
    /// Which of the sensor's counters counts production.
    pub production_counter: ProductionCounter,
    /// What bounds the plant; what the counter shows is multiplied by its transformer ratio.
    pub nameplate: Nameplate,
}

impl RegisterRules {
    fn counter(
        &self,
        import: Option<MilliwattHours>,
        export: Option<MilliwattHours>,
    ) -> Option<u64> {
        let counter = match self.production_counter {
            ProductionCounter::Total => import,
            ProductionCounter::TotalReturned => export,
        };
        counter.map(MilliwattHours::get)
    }

    fn is_dip(&self, fall: u64) -> bool {
        self.nameplate.counted(fall) <= self.nameplate.work_shown(GAP_MS)
    }
}

/// What a value of the counter led to: fields of the next reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The never-decreasing sum after this value.
    pub produced: MilliwattHours,
    /// The epoch after this value.
    pub epoch: CounterEpoch,
    /// Those of the flags that speak of the counter.
    pub flags: ReadingFlags,
}

/// The register: a pure state machine, small enough to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    rules: RegisterRules,
    produced: MilliwattHours,
    /// Accepted energy below 1 mWh, in µWh; only an external transformer makes any.
    remainder_uwh: u16,
    epoch: CounterEpoch,
    counter: Option<Counter>,
    /// There was a counter, and nobody knows any more what it showed.
    counter_is_forgotten: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counter {
    /// `B`
    baseline: u64,
    /// `H`
    fallen_from: Option<u64>,
    /// The value before this one, whatever became of it.
    last: u64,
    /// When the allowance was brought up to date.
    settled: Settled,
    allowance: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    ThisBoot(UptimeMillis),
    /// When the clock said so and was synchronised.
    EarlierBoot(Option<UtcMillis>),
}

/// The time since the counter was settled.
struct Elapsed {
    at_least_ms: u64,
    exact: bool,
    is_gap: bool,
}

impl Settled {
    fn elapsed(self, now: Now) -> Elapsed {
        match self {
            Self::ThisBoot(then) => {
                let elapsed_ms = now.uptime().since(then);
                Elapsed {
                    at_least_ms: elapsed_ms,
                    exact: true,
                    is_gap: elapsed_ms > GAP_MS,
                }
            }
            Self::EarlierBoot(then) => {
                let uptime_ms = now.uptime().get();
                let by_clock_ms = then
                    .zip(now.synchronised())
                    .and_then(|(then, time)| time.get().checked_sub(then.get()));
                Elapsed {
                    at_least_ms: by_clock_ms.map_or(uptime_ms, |ms| ms.max(uptime_ms)),
                    exact: by_clock_ms.is_some(),
                    is_gap: true,
                }
            }
        }
    }
}

impl Register {
    /// A register that goes on from `produced` and `epoch`: zero for a new meter, otherwise those
    /// of the newest record on flash. [`Register::replay`] restores the rest.
    #[must_use]
    pub const fn new(rules: RegisterRules, produced: MilliwattHours, epoch: CounterEpoch) -> Self {
        Self {
            rules,
            produced,
            remainder_uwh: 0,
            epoch,
            counter: None,
            counter_is_forgotten: false,
        }
    }

    /// The never-decreasing sum.
    #[must_use]
    pub const fn produced(&self) -> MilliwattHours {
        self.produced
    }

    /// The epoch of the sensor's counter.
    #[must_use]
    pub const fn epoch(&self) -> CounterEpoch {
        self.epoch
    }

    /// Restores what a reboot wiped, from readings of earlier boots that are still on flash, the
    /// oldest first. The last that settled the counter ([`Reading::settles_counter`]) and all after
    /// it are enough to lose no energy; older ones bring back the memory of a dip or reset that is
    /// still under way (ten minutes of them are plenty). The first one should be one that
    /// [`is_baseline`] takes, or the first ever: within a dip a value is too low to begin with, and
    /// from one whose increment waits that increment is lost. Where none is left that settled the
    /// counter, [`Register::forget_counter`] is due.
    pub fn replay(&mut self, reading: &Reading) {
        let is_explained = reading
            .flags
            .intersects(ReadingFlags::COUNTER_FELL.with(ReadingFlags::INCREMENT_REFUSED));
        if reading.counter_epoch != self.epoch && !is_explained {
            // What the counter itself did not bring about was another sensor.
            self.counter = None;
        }
        self.produced = reading.produced;
        self.epoch = reading.counter_epoch;
        let Some(value) = self
            .rules
            .counter(reading.import_total, reading.export_total)
        else {
            return;
        };
        let synchronised = reading.time_quality == TimeQuality::Synchronised;
        let settled = Settled::EarlierBoot(reading.time.filter(|_| synchronised));
        let allowance = self.rules.nameplate.work_shown(0);
        let Some(counter) = &mut self.counter else {
            self.counter = Some(Counter {
                baseline: value,
                fallen_from: None,
                last: value,
                settled,
                allowance,
            });
            return;
        };
        counter.last = value;
        if !reading.flags.contains(ReadingFlags::INCREMENT_PENDING) {
            counter.settled = settled;
            counter.allowance = allowance;
            if value >= counter.baseline {
                counter.rise_to(value);
            } else if !self.rules.is_dip(counter.baseline - value) {
                counter.reset_to(value);
            }
        }
    }

    /// Says that the counter had values in earlier boots and that none of them is left: what it
    /// gained until its next value is refused, in the open.
    pub fn forget_counter(&mut self) {
        self.counter = None;
        self.counter_is_forgotten = true;
    }

    /// Takes over another enrolment. Other counters or another transformer are a swap: the epoch
    /// rises, and the next value is a new baseline.
    pub fn change_rules(&mut self, rules: RegisterRules) {
        let measures_the_same = self.rules.production_counter == rules.production_counter
            && self.rules.nameplate.ct_ratio_milli == rules.nameplate.ct_ratio_milli;
        self.rules = rules;
        if !measures_the_same {
            self.swap_sensor();
        }
    }

    /// Says that another sensor is enrolled: the epoch rises, and the next value is a new
    /// baseline.
    pub fn swap_sensor(&mut self) {
        self.counter = None;
        self.raise_epoch();
    }

    /// Takes the counters of a poll that worked.
    #[must_use]
    pub fn count(&mut self, import: MilliwattHours, export: MilliwattHours, now: Now) -> Counted {
        let flags = match self.rules.counter(Some(import), Some(export)) {
            Some(value) => self.value(value, now),
            None => ReadingFlags::NONE,
        };
        Counted {
            produced: self.produced,
            epoch: self.epoch,
            flags,
        }
    }

    fn value(&mut self, value: u64, now: Now) -> ReadingFlags {
        let Some(mut counter) = self.counter else {
            self.counter = Some(Counter {
                baseline: value,
                fallen_from: None,
                last: value,
                settled: Settled::ThisBoot(now.uptime()),
                allowance: self.rules.nameplate.work_shown(0),
            });
            if !core::mem::take(&mut self.counter_is_forgotten) {
                return ReadingFlags::NONE;
            }
            self.raise_epoch();
            return ReadingFlags::INCREMENT_REFUSED.with(ReadingFlags::RECOVERED);
        };
        let elapsed = counter.settled.elapsed(now);
        let allowance = counter
            .allowance
            .saturating_add(self.rules.nameplate.work(elapsed.at_least_ms))
            .min(self.rules.nameplate.work_shown(elapsed.at_least_ms));
        let fell = value < counter.last;
        let mut flags = ReadingFlags::NONE;
        if fell {
            flags = flags.with(ReadingFlags::COUNTER_FELL);
            self.raise_epoch();
        }
        counter.last = value;
        let mut allowance_left = allowance;
        if value < counter.baseline {
            if !self.rules.is_dip(counter.baseline - value) {
                counter.reset_to(value);
                allowance_left =
                    allowance.min(self.rules.nameplate.work_resolved(elapsed.at_least_ms));
            }
        } else {
            let increment = if fell && value > counter.baseline {
                Increment::Pending
            } else {
                self.increment(&counter, value, allowance, &elapsed)
            };
            match increment {
                Increment::Accepted { drawn } => allowance_left -= drawn,
                Increment::Refused => {
                    flags = flags.with(ReadingFlags::INCREMENT_REFUSED);
                    self.raise_epoch();
                }
                Increment::Pending => {
                    self.counter = Some(counter);
                    return flags.with(ReadingFlags::INCREMENT_PENDING);
                }
            }
            counter.rise_to(value);
        }
        counter.settled = Settled::ThisBoot(now.uptime());
        counter.allowance = allowance_left;
        self.counter = Some(counter);
        if elapsed.is_gap {
            flags.with(ReadingFlags::RECOVERED)
        } else {
            flags
        }
    }

    /// Judges the step from the baseline up to `value`, and adds it when it is accepted.
    fn increment(
        &mut self,
        counter: &Counter,
        value: u64,
        allowance: u128,
        elapsed: &Elapsed,
    ) -> Increment {
        let step = value - counter.baseline;
        let drawn = self.rules.nameplate.counted(step);
        let came_back = elapsed.is_gap && counter.fallen_from.is_some_and(|high| value >= high);
        if came_back {
            return Increment::Refused;
        }
        if drawn > allowance {
            return if elapsed.exact {
                Increment::Refused
            } else {
                Increment::Pending
            };
        }
        let ratio_milli = self.rules.nameplate.ct_ratio_milli;
        let sum_uwh = u128::from(step) * u128::from(ratio_milli) + u128::from(self.remainder_uwh);
        let produced = u64::try_from(sum_uwh / 1000)
            .ok()
            .and_then(MilliwattHours::new)
            .and_then(|increment| self.produced.checked_add(increment));
        let Some(produced) = produced else {
            return Increment::Refused;
        };
        self.produced = produced;
        self.remainder_uwh =
            u16::try_from(sum_uwh % 1000).expect("a remainder of 1000 is below 1000");
        Increment::Accepted { drawn }
    }

    /// At the end of its range the epoch stays where it is: 65,534 resets are a broken sensor.
    fn raise_epoch(&mut self) {
        self.epoch = self.epoch.next().unwrap_or(self.epoch);
    }
}

/// Whether it is certain that the value of `reading` became the baseline: it added to what `before`,
/// the reading before it, had produced, or what it would have added was refused.
#[must_use]
pub fn is_baseline(reading: &Reading, before: Option<&Reading>) -> bool {
    let added = before.is_some_and(|before| reading.produced > before.produced);
    let refused = reading.flags.contains(ReadingFlags::INCREMENT_REFUSED);
    reading.settles_counter() && (added || refused)
}

enum Increment {
    Accepted { drawn: u128 },
    Refused,
    Pending,
}

impl Counter {
    fn rise_to(&mut self, value: u64) {
        self.baseline = value;
        if self.fallen_from.is_some_and(|high| value >= high) {
            self.fallen_from = None;
        }
    }

    fn reset_to(&mut self, value: u64) {
        self.fallen_from = Some(self.baseline);
        self.baseline = value;
    }
}

#[cfg(test)]
mod tests;
