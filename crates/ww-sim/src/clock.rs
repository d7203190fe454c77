//! The time of the park: a clock that a test moves by hand, and one that runs by itself, as fast
//! as it is told. They keep true time; what a meter believes is its own affair.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ww_wire::UtcMillis;

/// Where a part of the park takes its time from.
pub trait Clock: Send + Sync {
    /// UTC now.
    fn utc(&self) -> UtcMillis;
    /// Milliseconds since some start that never step, whatever UTC does.
    fn elapsed_ms(&self) -> u64;
}

/// A clock that stands until it is moved. Clones show the same time.
#[derive(Clone, Debug)]
pub struct FakeClock {
    time: Arc<Mutex<Time>>,
}

#[derive(Clone, Copy, Debug)]
struct Time {
    utc_ms: u64,
    elapsed_ms: u64,
}

impl FakeClock {
    /// Starts at `utc`.
    #[must_use]
    pub fn new(utc: UtcMillis) -> Self {
        Self {
            time: Arc::new(Mutex::new(Time {
                utc_ms: utc.get(),
                elapsed_ms: 0,
            })),
        }
    }

    /// Lets `duration_ms` pass.
    pub fn advance_ms(&self, duration_ms: u64) {
        self.with(|time| {
            time.utc_ms = time.utc_ms.saturating_add(duration_ms);
            time.elapsed_ms = time.elapsed_ms.saturating_add(duration_ms);
        });
    }

    /// Sets UTC forward or back by `by_ms` while no time passes.
    pub fn step_utc_ms(&self, by_ms: i64) {
        self.with(|time| time.utc_ms = time.utc_ms.saturating_add_signed(by_ms));
    }

    fn with<T>(&self, change: impl FnOnce(&mut Time) -> T) -> T {
        change(&mut self.time.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for FakeClock {
    fn utc(&self) -> UtcMillis {
        UtcMillis::new(self.with(|time| time.utc_ms)).unwrap_or(UtcMillis::MAX)
    }

    fn elapsed_ms(&self) -> u64 {
        self.with(|time| time.elapsed_ms)
    }
}

/// A clock that runs by itself from a given time on, `speed` times as fast as the world's.
#[derive(Clone, Copy, Debug)]
pub struct RunningClock {
    start: UtcMillis,
    started: Instant,
    speed: f64,
}

impl RunningClock {
    /// Starts at `start`.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "a live park runs in real time")]
    pub fn new(start: UtcMillis, speed: f64) -> Self {
        Self {
            start,
            started: Instant::now(),
            speed,
        }
    }
}

impl Clock for RunningClock {
    fn utc(&self) -> UtcMillis {
        self.start
            .checked_add_ms(self.elapsed_ms())
            .unwrap_or(UtcMillis::MAX)
    }

    fn elapsed_ms(&self) -> u64 {
        (self.started.elapsed().as_secs_f64() * 1000.0 * self.speed) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_moves_both_and_stepping_only_utc() {
        let clock = FakeClock::new(UtcMillis::new(1_000_000).unwrap());
        let other = clock.clone();
        clock.advance_ms(500);
        clock.step_utc_ms(-2_000);
        assert_eq!(other.utc().get(), 998_500);
        assert_eq!(other.elapsed_ms(), 500);
    }

    #[test]
    fn a_running_clock_keeps_its_speed() {
        let clock = RunningClock::new(UtcMillis::new(5_000).unwrap(), 0.0);
        assert_eq!((clock.utc().get(), clock.elapsed_ms()), (5_000, 0));
        let fast = RunningClock::new(UtcMillis::new(5_000).unwrap(), 1e9);
        while fast.elapsed_ms() == 0 {}
        assert!(fast.utc().get() > 5_000);
    }
}
