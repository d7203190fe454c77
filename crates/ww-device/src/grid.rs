//! When to poll: every 10 s, on the whole tens of seconds of UTC, or of the uptime while the time
//! is not known. It does not number slots: a slot that was missed leaves nothing behind.
//!
//! | what happens | what follows |
//! | --- | --- |
//! | the device wakes up to 2 s late | the poll starts at once |
//! | it wakes later than that | the slot is missed; the next one is kept |
//! | it stalls over many slots | they are missed; there is no burst to make up for them |
//! | the clock steps, or becomes known | the grid moves with it; two polls start at least 5 s apart |

use crate::now::Now;
use ww_wire::{UptimeMillis, UtcMillis};

/// Time from slot to slot.
pub const CADENCE_MS: u64 = 10_000;
/// How late a poll may start and still belong to its slot.
pub const LATE_MS: u64 = 2_000;
/// Time between the starts of two polls, whatever the clock does.
pub const APART_MS: u64 = 5_000;

/// The grid, and when it was last used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    last_start: Option<UptimeMillis>,
}

impl Grid {
    /// A grid on which nothing was polled yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { last_start: None }
    }

    /// When the next poll starts: `now` or later. It stays true only while the clock does not
    /// step, so a device that sleeps until then asks again when it wakes.
    #[must_use]
    pub fn next_start(&self, now: Now) -> UptimeMillis {
        let time_ms = now.time().map_or(now.uptime().get(), UtcMillis::get);
        let late_ms = time_ms % CADENCE_MS;
        let earliest = self
            .last_start
            .and_then(|start| start.checked_add_ms(APART_MS));
        let too_early = |start: UptimeMillis| earliest.is_some_and(|earliest| start < earliest);
        if late_ms <= LATE_MS && !too_early(now.uptime()) {
            return now.uptime();
        }
        let after = |ms| now.uptime().checked_add_ms(ms).unwrap_or(UptimeMillis::MAX);
        let next = after(CADENCE_MS - late_ms);
        if too_early(next) {
            after(2 * CADENCE_MS - late_ms)
        } else {
            next
        }
    }

    /// Says that a poll starts.
    pub fn started(&mut self, now: Now) {
        self.last_start = Some(now.uptime());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;
    use ww_wire::TimeQuality;

    fn uptime(ms: u64) -> UptimeMillis {
        UptimeMillis::new(ms).unwrap()
    }

    fn at(uptime_ms: u64, utc_ms: u64) -> Now {
        Now::at(
            uptime(uptime_ms),
            UtcMillis::new(utc_ms).unwrap(),
            TimeQuality::Synchronised,
        )
    }

    fn polled(now: Now) -> Grid {
        let mut grid = Grid::new();
        grid.started(now);
        grid
    }

    #[test]
    fn polls_start_on_whole_tens_of_seconds_of_utc() {
        let now = at(3_123, 1_750_000_004_500);
        assert_eq!(Grid::new().next_start(now), uptime(3_123 + 5_500));
        let on_the_grid = at(8_623, 1_750_000_010_000);
        assert_eq!(Grid::new().next_start(on_the_grid), on_the_grid.uptime());
    }

    #[test]
    fn polls_start_on_whole_tens_of_seconds_of_uptime_while_the_time_is_unknown() {
        let now = Now::unsynchronised(uptime(23_000));
        assert_eq!(Grid::new().next_start(now), uptime(30_000));
    }

    #[test]
    fn a_slot_is_polled_once() {
        let slot = at(50_000, 1_750_000_010_000);
        assert_eq!(polled(slot).next_start(slot), uptime(60_000));
        assert_eq!(
            polled(slot).next_start(at(51_000, 1_750_000_011_000)),
            uptime(60_000)
        );
    }

    #[test]
    fn a_little_late_is_not_missed_and_too_late_is() {
        let late = at(52_000, 1_750_000_012_000);
        assert_eq!(Grid::new().next_start(late), late.uptime());
        let too_late = at(52_001, 1_750_000_012_001);
        assert_eq!(Grid::new().next_start(too_late), uptime(60_000));
    }

    #[test]
    fn a_stall_is_not_made_up_for_by_a_burst() {
        let mut grid = polled(at(50_000, 1_750_000_010_000));
        let awake = at(350_500, 1_750_000_310_500);
        assert_eq!(grid.next_start(awake), awake.uptime());
        grid.started(awake);
        assert_eq!(grid.next_start(awake), uptime(360_000));
    }

    #[test]
    fn a_clock_set_back_a_little_does_not_poll_the_slot_again() {
        let grid = polled(at(50_000, 1_750_000_010_000));
        assert_eq!(
            grid.next_start(at(50_020, 1_750_000_009_990)),
            uptime(60_030)
        );
    }

    #[test]
    fn a_clock_set_back_by_hours_keeps_the_pace() {
        let grid = polled(at(50_000, 1_750_000_010_000));
        assert_eq!(
            grid.next_start(at(51_000, 1_749_990_001_000)),
            uptime(60_000)
        );
    }

    #[test]
    fn the_grid_moves_to_utc_when_the_time_becomes_known() {
        let grid = polled(Now::unsynchronised(uptime(50_000)));
        assert_eq!(
            grid.next_start(at(53_000, 1_750_000_006_000)),
            uptime(57_000)
        );
    }

    proptest! {
        #[test]
        fn whatever_the_clock_does_polls_go_on_and_stay_apart(
            steps in prop::collection::vec((0_u64..30_000, -40_000_i64..40_000), 1..200),
        ) {
            let mut grid = Grid::new();
            let (mut uptime_ms, mut offset_ms) = (1_000_u64, 1_750_000_000_000_i64);
            let mut starts: Vec<u64> = Vec::new();
            for (passed_ms, step_ms) in steps {
                uptime_ms += passed_ms;
                offset_ms += step_ms;
                let now = at(uptime_ms, (offset_ms + uptime_ms as i64) as u64);
                let start = grid.next_start(now);
                prop_assert!(start >= now.uptime());
                prop_assert!(start.get() - uptime_ms <= CADENCE_MS + APART_MS);
                if start == now.uptime() {
                    grid.started(now);
                    starts.push(uptime_ms);
                }
            }
            prop_assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= APART_MS));
        }
    }
}
