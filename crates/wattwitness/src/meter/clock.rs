//! The clocks of this machine, and how far UTC can be relied on. The only place of the meter that
//! reads them.
//!
//! Whether UTC is synchronised the kernel knows, whoever keeps the clock (timesyncd, chrony, ntpd,
//! PTP): its estimate of the error is below 16 s. `timedatectl` tells it, asked once a minute. Where
//! there is none the sign of systemd-timesyncd counts, and without that one nobody is known to keep
//! the clock.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use tokio::process::Command;
use tokio::task::AbortHandle;
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

/// How often the kernel is asked; how old its word is then is nothing beside what it speaks of.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// How long its answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Where the meter takes its time from.
pub(super) trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Now;

    /// Comes back at `uptime` or a little later; at once when that is past.
    fn sleep_until(&self, uptime: UptimeMillis) -> impl Future<Output = ()> + Send;
}

/// The system's clocks. Uptime counts from here on, while the machine sleeps too.
#[derive(Debug)]
pub(super) struct SystemClock {
    started: Duration,
    /// What the kernel said last, if it could be asked.
    is_synchronised: Arc<Mutex<Option<bool>>>,
    asking: AbortHandle,
    quality: Mutex<Option<(UptimeMillis, TimeQuality)>>,
}

impl SystemClock {
    /// Asks the kernel for the first time, and goes on asking until this is dropped.
    pub(super) async fn start() -> Self {
        let is_synchronised = Arc::new(Mutex::new(ask(timedatectl()).await));
        let said = Arc::clone(&is_synchronised);
        let asking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(ASK_EVERY).await;
                let answer = ask(timedatectl()).await;
                *said.lock().unwrap_or_else(PoisonError::into_inner) = answer;
            }
        });
        Self {
            started: since_boot(),
            is_synchronised,
            asking: asking.abort_handle(),
            quality: Mutex::new(None),
        }
    }

    fn uptime(&self) -> UptimeMillis {
        let elapsed_ms = u64::try_from(since_boot().saturating_sub(self.started).as_millis());
        elapsed_ms
            .ok()
            .and_then(UptimeMillis::new)
            .unwrap_or(UptimeMillis::MAX)
    }

    /// The quality of a clock that is set.
    fn quality(&self, uptime: UptimeMillis, utc: SystemTime) -> TimeQuality {
        let said = *self
            .is_synchronised
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match said {
            Some(true) => TimeQuality::Synchronised,
            Some(false) => TimeQuality::Informative,
            None => self.quality_by_sign(uptime, utc),
        }
    }

    fn quality_by_sign(&self, uptime: UptimeMillis, utc: SystemTime) -> TimeQuality {
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

impl Drop for SystemClock {
    fn drop(&mut self) {
        self.asking.abort();
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

/// The time since the machine was started, that in which it slept included: a counter that ran on
/// in its sleep has gained no more than that time allows.
fn since_boot() -> Duration {
    clock_gettime(ClockId::Boottime)
        .try_into()
        .unwrap_or(Duration::MAX)
}

fn timedatectl() -> Command {
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property=NTPSynchronized", "--value"]);
    command
}

/// Whether the kernel calls its clock synchronised; `None` when it cannot be asked in this way.
async fn ask(mut command: Command) -> Option<bool> {
    command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(ANSWER_WITHIN, command.output())
        .await
        .ok()?
        .ok()?;
    match output.stdout.trim_ascii() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
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

    #[tokio::test]
    async fn uptime_begins_at_zero_and_does_not_go_back() {
        let clock = SystemClock::start().await;
        let first = clock.now().uptime();
        assert!(first.get() < 600_000, "{first:?}");
        assert!(clock.now().uptime() >= first);
    }

    #[tokio::test]
    async fn the_kernels_word_goes_before_the_sign() {
        let clock = SystemClock::start().await;
        for (said, expected) in [
            (true, TimeQuality::Synchronised),
            (false, TimeQuality::Informative),
        ] {
            *clock.is_synchronised.lock().unwrap() = Some(said);
            assert_eq!(clock.now().quality(), expected);
        }
    }

    #[tokio::test]
    async fn whoever_cannot_be_asked_says_nothing() {
        let saying = |words: &str| {
            let mut command = Command::new("echo");
            command.arg(words);
            command
        };
        assert_eq!(ask(saying("yes")).await, Some(true));
        assert_eq!(ask(saying("no")).await, Some(false));
        assert_eq!(ask(saying("Failed to connect to bus")).await, None);
        assert_eq!(ask(Command::new("false")).await, None);
        assert_eq!(ask(Command::new("/nowhere/timedatectl")).await, None);
    }
}
