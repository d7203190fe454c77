//! Holds the energy of windows against rated power × time. Where that is not possible it says so;
//! it never refutes a window for what is merely not known.

use ww_wire::{Boot, Nameplate, TimeQuality, UtcMillis, Window};

use crate::readings::{Seen, Settled};

/// What is known since the sensor's counter was last seen: energy since then may be counted at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bound {
    counted: Option<Counted>,
    /// The energy of missing records since then.
    missing_mwh: u64,
}

/// When the counter was last seen, and what became of the clock since.
#[derive(Clone, Copy, Debug)]
struct Counted {
    time: UtcMillis,
    synchronised: bool,
    /// The clock was set, or may have been: times of now and of then do not tell how long it was.
    clock_is_lost: bool,
    /// Records are missing since. Only a clock that is synchronised at both ends spans them.
    over_a_hole: bool,
}

/// What a window's energy is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The plant can have produced it.
    Plausible,
    /// Nothing says how much the plant can have produced.
    Unbounded,
    /// It is more than the plant can have produced.
    Implausible {
        /// Energy since the counter was last seen.
        energy_mwh: u64,
        /// The most that is possible.
        bound_mwh: u64,
    },
}

/// A window with what is known around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rise<'a> {
    pub(crate) window: &'a Window,
    /// The energy of missing records since the window before, if any are missing.
    pub(crate) missing_mwh: Option<u64>,
    /// The chain is shown from its first record on, and this is its first window.
    pub(crate) is_first: bool,
    /// Its readings, if they were served and hold.
    pub(crate) seen: Option<Seen>,
    /// The plant, by an enrolment that counts.
    pub(crate) nameplate: Option<Nameplate>,
}

impl Bound {
    /// Takes note that the meter started: the clock of the boot before goes on only when it was
    /// synchronised and is again.
    pub(crate) fn start(&mut self, boot: &Boot) {
        if let Some(counted) = &mut self.counted {
            let goes_on = counted.synchronised && boot.time_quality == TimeQuality::Synchronised;
            counted.clock_is_lost |= !goes_on;
        }
    }

    /// Judges the next window.
    pub(crate) fn judge(&mut self, rise: &Rise<'_>) -> Judgement {
        let clock_is_lost = rise.seen.is_none_or(|seen| seen.clock_stepped);
        if let Some(counted) = &mut self.counted {
            let went_back = |first| first < counted.time;
            counted.clock_is_lost |= clock_is_lost || rise.window.first_time.is_some_and(went_back);
            counted.over_a_hole |= rise.missing_mwh.is_some();
        }
        self.missing_mwh = self
            .missing_mwh
            .saturating_add(rise.missing_mwh.unwrap_or(0));
        let judgement = self.hold(rise, clock_is_lost);
        if matches!(judgement, Judgement::Implausible { .. }) {
            self.missing_mwh = 0;
        }
        if let Some(counted) = Counted::within(rise, clock_is_lost) {
            self.counted = Some(counted);
            self.missing_mwh = 0;
        }
        judgement
    }

    /// Holds the energy of the window and of what is missing before it against the time since the
    /// counter was last seen. Missing energy is held even where the window itself adds none: once
    /// the counter is seen again, nothing else would tell when it was gained.
    fn hold(&self, rise: &Rise<'_>, clock_is_lost: bool) -> Judgement {
        let window = rise.window;
        let energy_mwh = energy_mwh(window).saturating_add(self.missing_mwh);
        if energy_mwh == 0 {
            return Judgement::Plausible;
        }
        let (Some(nameplate), Some(first), Some(last)) =
            (rise.nameplate, window.first_time, window.last_time)
        else {
            return Judgement::Unbounded;
        };
        let since = self.counted.filter(|counted| counted.time <= first);
        let start = since.map_or(first, |counted| counted.time);
        let elapsed_ms = last.get().saturating_sub(start.get());
        let bound_mwh = nameplate.energy_mwh(elapsed_ms);
        if u128::from(energy_mwh) <= bound_mwh {
            return Judgement::Plausible;
        }
        let is_measured = match since {
            Some(counted) => counted.measures_to(rise.seen),
            None => rise.is_first && !clock_is_lost,
        };
        if !is_measured {
            return Judgement::Unbounded;
        }
        Judgement::Implausible {
            energy_mwh,
            bound_mwh: u64::try_from(bound_mwh).unwrap_or(u64::MAX),
        }
    }
}

impl Counted {
    /// When the counter was last seen in a window. Where its readings do not say so but energy was
    /// added, it was seen at some time in it: after its first reading.
    fn within(rise: &Rise<'_>, clock_is_lost: bool) -> Option<Self> {
        let settled = rise.seen.and_then(|seen| seen.settled);
        let rose = || {
            let first = rise.window.first_time?;
            (energy_mwh(rise.window) > 0).then_some(Settled {
                time: first,
                synchronised: false,
                clock_stepped_since: clock_is_lost,
            })
        };
        let settled = settled.or_else(rose)?;
        Some(Self {
            time: settled.time,
            synchronised: settled.synchronised,
            clock_is_lost: settled.clock_stepped_since,
            over_a_hole: false,
        })
    }

    /// Whether the time from then to the end of a window with these readings is known.
    fn measures_to(&self, seen: Option<Seen>) -> bool {
        let both_synchronised = || self.synchronised && seen.is_some_and(|s| s.ends_synchronised);
        !self.clock_is_lost && (!self.over_a_hole || both_synchronised())
    }
}

fn energy_mwh(window: &Window) -> u64 {
    window.produced_close.get() - window.produced_open.get()
}
