//! Where the gateway gets the time from, and when it does not believe it.

use std::time::{SystemTime, UNIX_EPOCH};

use ww_wire::UtcMillis;

/// 2024-01-01T00:00:00Z. A computer without a battery behind its clock starts years before this.
const EARLIEST_BELIEVABLE: u64 = 1_704_067_200_000;

/// A clock.
pub trait Clock: Send + Sync + 'static {
    /// The time; `None` while it is not known.
    fn now(&self) -> Option<UtcMillis>;
}

/// The computer's own clock; a time before 2024 counts as not known.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Option<UtcMillis> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place at which the gateway reads the clock"
        )]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        believable(u64::try_from(since_epoch.as_millis()).ok()?)
    }
}

fn believable(millis: u64) -> Option<UtcMillis> {
    (millis >= EARLIEST_BELIEVABLE)
        .then(|| UtcMillis::new(millis))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_starts_in_1970_does_not_know_the_time() {
        assert_eq!(believable(5_000), None);
        assert_eq!(believable(EARLIEST_BELIEVABLE - 1), None);
        assert!(believable(EARLIEST_BELIEVABLE).is_some());
    }
}
