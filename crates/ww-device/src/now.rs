//! What time it is, as an input: this crate reads no clock.

use ww_wire::{TimeQuality, UptimeMillis, UtcMillis};

/// A moment, by the device's own count and, when it is known, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    uptime: UptimeMillis,
    time: Option<UtcMillis>,
    quality: TimeQuality,
}

impl Now {
    /// A moment of which only the time since boot is known.
    #[must_use]
    pub const fn unsynchronised(uptime: UptimeMillis) -> Self {
        Self {
            uptime,
            time: None,
            quality: TimeQuality::Unknown,
        }
    }

    /// A moment known in UTC as well as `quality` says; of [`TimeQuality::Unknown`] the time is
    /// not used.
    #[must_use]
    pub const fn at(uptime: UptimeMillis, time: UtcMillis, quality: TimeQuality) -> Self {
        match quality {
            TimeQuality::Unknown => Self::unsynchronised(uptime),
            _ => Self {
                uptime,
                time: Some(time),
                quality,
            },
        }
    }

    /// Time since this boot; it never steps.
    #[must_use]
    pub const fn uptime(self) -> UptimeMillis {
        self.uptime
    }

    /// UTC, absent exactly when [`Now::quality`] is [`TimeQuality::Unknown`].
    #[must_use]
    pub const fn time(self) -> Option<UtcMillis> {
        self.time
    }

    /// UTC, if the clock is synchronised: what a clock that nobody keeps shows may be far off.
    #[must_use]
    pub const fn synchronised(self) -> Option<UtcMillis> {
        match self.quality {
            TimeQuality::Synchronised => self.time,
            _ => None,
        }
    }

    /// How far [`Now::time`] can be relied on.
    #[must_use]
    pub const fn quality(self) -> TimeQuality {
        self.quality
    }
}
