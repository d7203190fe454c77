//! Holds the energy of windows against rated power × time. Where that is not possible it says so;
//! it never refutes a window for what is merely not known.

use ww_wire::{Nameplate, UtcMillis, Window};

use crate::readings::Seen;

/// When the sensor's counter was last seen: energy since then may be counted at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bound {
    counted: Option<UtcMillis>,
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
    /// The energy of missing records since the window before.
    pub(crate) missing_mwh: u64,
    /// The chain is shown from its first record on, and this is its first window.
    pub(crate) is_first: bool,
    /// Its readings, if they were served and hold.
    pub(crate) seen: Option<Seen>,
    /// The plant, by an enrolment that counts.
    pub(crate) nameplate: Option<Nameplate>,
}

impl Bound {
    /// Judges the next window.
    pub(crate) fn judge(&mut self, rise: &Rise<'_>) -> Judgement {
        let window = rise.window;
        let energy_mwh = window.produced_close.get() - window.produced_open.get();
        let counted = self.counted;
        let settled = rise.seen.and_then(|seen| seen.settled);
        // Energy was added, so the counter was seen: in this window, if its readings do not say when.
        let at_latest = if energy_mwh > 0 {
            window.first_time
        } else {
            None
        };
        self.counted = settled.or(at_latest).or(counted);
        if energy_mwh == 0 {
            return Judgement::Plausible;
        }
        let (Some(nameplate), Some(first), Some(last)) =
            (rise.nameplate, window.first_time, window.last_time)
        else {
            return Judgement::Unbounded;
        };
        let energy_mwh = energy_mwh.saturating_add(rise.missing_mwh);
        let since = counted.filter(|counted| *counted <= first);
        let elapsed_ms = last.get().saturating_sub(since.unwrap_or(first).get());
        let bound_mwh = nameplate.energy_mwh(elapsed_ms);
        if u128::from(energy_mwh) <= bound_mwh {
            return Judgement::Plausible;
        }
        let stepped = rise.seen.is_some_and(|seen| seen.clock_stepped);
        if stepped || (since.is_none() && !rise.is_first) {
            return Judgement::Unbounded;
        }
        Judgement::Implausible {
            energy_mwh,
            bound_mwh: u64::try_from(bound_mwh).unwrap_or(u64::MAX),
        }
    }
}
