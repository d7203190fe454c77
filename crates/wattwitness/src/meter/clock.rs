//! The clocks of this machine, and how far UTC can be relied on. The only place of the meter that
//! reads them.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ww_device::now::Now;
use ww_wire::{TimeQuality, UptimeMillis, UtcMillis};

/// 2024-01-01T00:00:00Z in ms: a clock that shows less was never set.
const NEVER_SET_BEFORE_MS: u64 = 1_704_067_200_000;

/// Touched by systemd-timesyncd at every answer of a time server (systemd-timesyncd.service(8)).
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// timesyncd asks at least every 2,048 s; three answers missed are no synchronisation any more.
const SYNCHRONISED_FOR: Duration = Duration::from_secs(3 * 2048);

/// How often that file is looked at.
const LOOK_EVERY_MS: u64 = 10_000;

/// Where the meter takes its time from.
pub(super) trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Now;

    /// Comes back at `uptime` or a little later; at once when that is past.
    fn sleep_until(&self, uptime: UptimeMillis) -> impl Future<Output = ()> + Send;
}

/// The system's clocks. Uptime counts from here on.
#[derive(Debug)]
pub(super) struct SystemClock {
    started: Instant,
    quality: Mutex<Option<(UptimeMillis, TimeQuality)>>,
}

impl SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this shell gives the meter its time"
    )]
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            quality: Mutex::new(None),
        }
    }

    fn uptime(&self) -> UptimeMillis {
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis());
        elapsed_ms
            .ok()
            .and_then(UptimeMillis::new)
            .unwrap_or(UptimeMillis::MAX)
    }

    /// The quality of a clock that is set.
    fn quality(&self, uptime: UptimeMillis, utc: SystemTime) -> TimeQuality {
        let mut known = self.quality.lock().unwrap_or_else(PoisonError::into_inner);
        match *known {
            Some((since, quality)) if uptime.since(since) < LOOK_EVERY_MS => quality,
            _ => {
                let quality = quality(Path::new(SYNCHRONISED), utc);
                *known = Some((uptime, quality));
                quality
            }
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this shell gives the meter its time"
    )]
    fn now(&self) -> Now {
        let (uptime, utc) = (self.uptime(), SystemTime::now());
        match utc_millis(utc) {
            Some(time) => Now::at(uptime, time, self.quality(uptime, utc)),
            None => Now::unsynchronised(uptime),
        }
    }

    async fn sleep_until(&self, uptime: UptimeMillis) {
        let wait_ms = uptime.since(self.uptime());
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
}

/// `None` for a clock that was never set.
fn utc_millis(utc: SystemTime) -> Option<UtcMillis> {
    let since_1970 = utc.duration_since(UNIX_EPOCH).ok()?;
    let ms = u64::try_from(since_1970.as_millis()).ok()?;
    (ms >= NEVER_SET_BEFORE_MS)
        .then(|| UtcMillis::new(ms))
        .flatten()
}

/// Synchronised when a time server answered lately; without a sign of that, nobody is known to
/// keep the clock.
fn quality(sign: &Path, utc: SystemTime) -> TimeQuality {
    let touched = std::fs::metadata(sign).and_then(|sign| sign.modified());
    let age = touched
        .ok()
        .and_then(|touched| utc.duration_since(touched).ok());
    match age {
        Some(age) if age <= SYNCHRONISED_FOR => TimeQuality::Synchronised,
        _ => TimeQuality::Informative,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_2024_was_never_set() {
        let at = |ms| utc_millis(UNIX_EPOCH + Duration::from_millis(ms));
        assert_eq!(at(0), None);
        assert_eq!(at(NEVER_SET_BEFORE_MS - 1), None);
        assert_eq!(at(NEVER_SET_BEFORE_MS), UtcMillis::new(NEVER_SET_BEFORE_MS));
        assert_eq!(utc_millis(UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    #[test]
    fn time_is_synchronised_while_the_sign_is_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let sign = folder.path().join("synchronized");
        let touched = UNIX_EPOCH + Duration::from_millis(NEVER_SET_BEFORE_MS);
        assert_eq!(quality(&sign, touched), TimeQuality::Informative);
        let file = std::fs::File::create(&sign).unwrap();
        file.set_modified(touched).unwrap();
        let later = |wait| quality(&sign, touched + wait);
        assert_eq!(later(SYNCHRONISED_FOR), TimeQuality::Synchronised);
        assert_eq!(
            later(SYNCHRONISED_FOR + Duration::from_secs(1)),
            TimeQuality::Informative
        );
    }

    #[test]
    fn uptime_does_not_go_back() {
        let clock = SystemClock::new();
        let first = clock.now().uptime();
        assert!(clock.now().uptime() >= first);
    }
}
