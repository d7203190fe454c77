//! How energy is booked: each reading brings the difference of `produced` to the one before it, and
//! brings it to the periods that its own time lies in. Which reading is before which goes by their
//! numbers, never by their times. Nothing here stores anything.
//!
//! Invariant: the energy of all periods of one step, and what readings of unknown time brought, add
//! up to `produced` of the last reading less that of the first.

use ww_wire::{AnyReading, MilliwattHours, ReadingFlags, Sequence, UtcMillis, Window};

use crate::calendar::{Calendar, Period, Step, calendar_seconds};
use crate::varint::{self, Bytes, Unreadable};

/// An increment that spans more than this was not brought by the reading of the next poll.
const GAP_MS: u64 = 60_000;

/// What booking needs of a reading, or of a window whose readings are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) sequence: Sequence,
    pub(crate) time: Option<UtcMillis>,
    pub(crate) produced: MilliwattHours,
    /// Whether the increment spans a gap by the meter's own word.
    pub(crate) recovered: bool,
    /// Whether a reading is held; a window without readings is none.
    pub(crate) is_reading: bool,
}

impl Point {
    pub(crate) fn of(reading: &AnyReading) -> Self {
        let sum = reading.sum();
        Self {
            sequence: sum.sequence,
            time: sum.time,
            produced: sum.produced,
            recovered: sum.flags.contains(ReadingFlags::RECOVERED),
            is_reading: true,
        }
    }

    /// The close of a window whose readings are not held.
    pub(crate) const fn close_of(window: &Window) -> Self {
        Self {
            sequence: window.last_sequence,
            time: window.last_time,
            produced: window.produced_close,
            recovered: false,
            is_reading: false,
        }
    }
}

/// What one period holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// mWh.
    pub(crate) energy: i64,
    pub(crate) readings: i64,
    /// Readings whose increment spans a gap.
    pub(crate) gaps: i64,
}

impl Sums {
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            energy: self.energy.wrapping_add(other.energy),
            readings: self.readings.wrapping_add(other.readings),
            gaps: self.gaps.wrapping_add(other.gaps),
        }
    }

    const fn negated(self) -> Self {
        Self {
            energy: self.energy.wrapping_neg(),
            readings: self.readings.wrapping_neg(),
            gaps: self.gaps.wrapping_neg(),
        }
    }
}

/// One period of one step and what it holds, or by how much that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) step: Step,
    pub(crate) start: i64,
    pub(crate) sums: Sums,
}

/// Changes that are booked but not yet written to their rows, and a memory of the periods that the
/// last reading lay in.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    calendar: Calendar,
    current: [Option<Period>; 4],
    /// What was booked within one and the same period of every step, and is not yet in `entries`.
    run: Option<Run>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    /// What the periods of all steps have in common.
    within: Period,
    starts: [i64; 4],
    sums: Sums,
}

impl Ledger {
    pub(crate) const fn new(calendar: Calendar) -> Self {
        Self {
            calendar,
            current: [None; 4],
            run: None,
            entries: Vec::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn entries(&mut self) -> &[Entry] {
        self.close_run();
        &self.entries
    }

    /// Books a point that follows `before`.
    pub(crate) fn book(&mut self, before: Option<&Point>, point: &Point) {
        self.change(point.time, brought(before, point));
    }

    /// Takes back what [`Ledger::book`] did.
    pub(crate) fn unbook(&mut self, before: Option<&Point>, point: &Point) {
        self.change(point.time, brought(before, point).negated());
    }

    fn change(&mut self, time: Option<UtcMillis>, sums: Sums) {
        let Some(seconds) = calendar_seconds(time) else {
            return;
        };
        if let Some(run) = &mut self.run
            && run.within.contains(seconds)
        {
            run.sums = run.sums.plus(sums);
            return;
        }
        self.close_run();
        let periods = Step::ALL.map(|step| self.period(step, seconds));
        let within = periods.into_iter().reduce(|a, b| Period {
            start: a.start.max(b.start),
            end: a.end.min(b.end),
        });
        self.run = within.map(|within| Run {
            within,
            starts: periods.map(|period| period.start),
            sums,
        });
    }

    fn period(&mut self, step: Step, seconds: i64) -> Period {
        let current = &mut self.current[step as usize];
        match current {
            Some(period) if period.contains(seconds) => *period,
            _ => *current.insert(self.calendar.period(step, seconds)),
        }
    }

    fn close_run(&mut self) {
        let Some(run) = self.run.take() else {
            return;
        };
        for (step, start) in Step::ALL.into_iter().zip(run.starts) {
            // The newest entries are the likeliest, and stand last.
            let known = self
                .entries
                .iter_mut()
                .rev()
                .find(|entry| entry.start == start && entry.step == step);
            match known {
                Some(entry) => entry.sums = entry.sums.plus(run.sums),
                None => self.entries.push(Entry {
                    step,
                    start,
                    sums: run.sums,
                }),
            }
        }
    }

    /// Whether there are more entries than those of the periods that the last point lay in, so that
    /// it is time to write some.
    pub(crate) const fn is_to_be_settled(&self) -> bool {
        self.entries.len() > Step::ALL.len()
    }

    /// Takes out the entries to be written: all but those of the periods that the last point lay
    /// in, as long as there are no more than those.
    pub(crate) fn settle(&mut self) -> Vec<Entry> {
        self.close_run();
        if !self.is_to_be_settled() {
            return Vec::new();
        }
        let current = self.current;
        let is_open = |entry: &Entry| {
            current[entry.step as usize].is_some_and(|period| period.start == entry.start)
        };
        let (open, settled) = self.entries.drain(..).partition(is_open);
        self.entries = open;
        settled
    }

    /// Takes out all entries.
    pub(crate) fn settle_all(&mut self) -> Vec<Entry> {
        self.close_run();
        core::mem::take(&mut self.entries)
    }

    /// The entries as bytes.
    pub(crate) fn encode(&mut self) -> Vec<u8> {
        self.close_run();
        let mut out = Vec::with_capacity(64);
        for entry in &self.entries {
            out.push(entry.step as u8);
            varint::put_signed(&mut out, entry.start);
            varint::put_signed(&mut out, entry.sums.energy);
            varint::put_signed(&mut out, entry.sums.readings);
            varint::put_signed(&mut out, entry.sums.gaps);
        }
        out
    }

    /// Adds entries that [`Ledger::encode`] wrote.
    pub(crate) fn restore(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        let mut bytes = Bytes(bytes);
        while !bytes.is_empty() {
            let [step] = bytes.array()?;
            self.entries.push(Entry {
                step: Step::from_number(step).ok_or(Unreadable)?,
                start: bytes.signed()?,
                sums: Sums {
                    energy: bytes.signed()?,
                    readings: bytes.signed()?,
                    gaps: bytes.signed()?,
                },
            });
        }
        Ok(())
    }
}

/// What a point brings when it follows `before`. The first of all brings no energy: what the meter
/// produced before it cannot be told apart by time.
fn brought(before: Option<&Point>, point: &Point) -> Sums {
    let energy = before.map_or(0, |before| {
        point.produced.get().wrapping_sub(before.produced.get()) as i64
    });
    let spans_gap = energy > 0 && (point.recovered || is_far(before, point));
    Sums {
        energy,
        readings: i64::from(point.is_reading),
        gaps: i64::from(spans_gap),
    }
}

/// Whether there is a gap before a point. A lost reading within a window that is held otherwise is
/// one too; a window without readings is as close as its length.
fn is_far(before: Option<&Point>, point: &Point) -> bool {
    let Some((before_time, time)) = before.and_then(|before| before.time.zip(point.time)) else {
        return before.is_some();
    };
    let allowed = if point.is_reading {
        GAP_MS
    } else {
        ww_wire::chain::WINDOW_MS + GAP_MS
    };
    time.get().saturating_sub(before_time.get()) > allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(sequence: u64, seconds: u64, produced: u64) -> Point {
        Point {
            sequence: Sequence::new(sequence).unwrap(),
            time: UtcMillis::new(seconds * 1000),
            produced: MilliwattHours::new(produced).unwrap(),
            recovered: false,
            is_reading: true,
        }
    }

    fn energy(ledger: &mut Ledger, step: Step, start: i64) -> Option<i64> {
        ledger
            .entries()
            .iter()
            .find(|entry| entry.step == step && entry.start == start)
            .map(|entry| entry.sums.energy)
    }

    #[test]
    fn a_reading_at_the_full_ten_minutes_belongs_to_the_new_period_like_to_the_new_window() {
        let mut ledger = Ledger::new(Calendar::UTC);
        ledger.book(Some(&point(1, 590, 100)), &point(2, 600, 130));
        assert_eq!(energy(&mut ledger, Step::TenMinutes, 600), Some(30));
        assert_eq!(energy(&mut ledger, Step::TenMinutes, 0), None);
    }

    #[test]
    fn the_increment_over_a_gap_is_booked_where_it_arrived_and_marked() {
        let mut ledger = Ledger::new(Calendar::UTC);
        ledger.book(Some(&point(1, 0, 100)), &point(2, 7200, 900));
        let hour = ledger
            .entries()
            .iter()
            .find(|entry| entry.step == Step::Hour)
            .unwrap();
        assert_eq!(hour.start, 7200);
        assert_eq!(
            hour.sums,
            Sums {
                energy: 800,
                readings: 1,
                gaps: 1
            }
        );
    }

    #[test]
    fn a_gap_without_production_is_not_marked() {
        let mut ledger = Ledger::new(Calendar::UTC);
        ledger.book(Some(&point(1, 0, 100)), &point(2, 7200, 100));
        assert!(ledger.entries().iter().all(|entry| entry.sums.gaps == 0));
    }

    #[test]
    fn a_reading_of_unknown_time_is_in_no_period() {
        let mut ledger = Ledger::new(Calendar::UTC);
        let untimed = Point {
            time: None,
            ..point(2, 0, 150)
        };
        ledger.book(Some(&point(1, 0, 100)), &untimed);
        assert!(ledger.entries().is_empty());
    }

    #[test]
    fn a_time_beyond_all_calendars_is_in_no_period() {
        let mut ledger = Ledger::new(Calendar::UTC);
        let absurd = Point {
            time: Some(UtcMillis::MAX),
            ..point(2, 0, 150)
        };
        ledger.book(Some(&point(1, 0, 100)), &absurd);
        assert!(ledger.entries().is_empty());
    }

    #[test]
    fn unbooking_leaves_nothing_behind() {
        let mut ledger = Ledger::new(Calendar::named("Europe/Berlin").unwrap());
        let (first, second) = (point(1, 0, 100), point(2, 7200, 900));
        ledger.book(Some(&first), &second);
        ledger.unbook(Some(&first), &second);
        assert!(
            ledger
                .entries()
                .iter()
                .all(|entry| entry.sums == Sums::default())
        );
    }

    #[test]
    fn entries_survive_their_bytes() {
        let mut ledger = Ledger::new(Calendar::named("Asia/Kathmandu").unwrap());
        ledger.book(
            Some(&point(1, 1_750_346_372, 100)),
            &point(2, 1_750_346_382, 900),
        );
        let mut restored = Ledger::new(Calendar::UTC);
        restored.restore(&ledger.encode()).unwrap();
        assert_eq!(restored.entries().to_vec(), ledger.entries());
    }
}
