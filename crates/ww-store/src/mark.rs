//! What interrupted a meter: its starts, the times without a reading, and what it gave up.

use ww_wire::{Boot, Gap, MilliwattHours, UtcMillis};

use crate::InstallationId;

/// Which marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkQuery {
    /// Whose.
    pub installation: InstallationId,
    /// The first moment.
    pub start: UtcMillis,
    /// The last moment, inclusive.
    pub end: UtcMillis,
    /// Now. While that is not known no outage lasts.
    pub now: Option<UtcMillis>,
    /// Readings may be this far apart before it is an outage.
    pub patience_ms: u64,
    /// At most so many. Of more, the longest outages and the newest of the others: at least half are of
    /// those if there are so many.
    pub limit: u32,
}

/// Something that interrupted a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The meter started.
    Boot {
        /// When the record was made, by its own word. Where the meter did not know the time, that of the
        /// first reading after it; where that is not held, has no time or lies behind too many other starts,
        /// when the record was stored.
        at: UtcMillis,
        /// The record.
        boot: Boot,
    },
    /// There is no reading.
    Outage {
        /// The time of the last reading before it, or the end of the last step that has one.
        start: UtcMillis,
        /// The time of the first reading after it, or the start of the first step that has one; `None`
        /// while it lasts. That of a meter that is no longer in service is no outage.
        end: Option<UtcMillis>,
        /// What the meter counted between the two; known of readings only.
        energy: Option<MilliwattHours>,
    },
    /// The meter gave up what it had measured.
    Gap {
        /// From when on: of readings the start of their windows, of whole records the end of the window before.
        /// Where nothing of that is held, when it was given up, or when that was stored.
        start: UtcMillis,
        /// Until when.
        end: UtcMillis,
        /// The record.
        gap: Gap,
    },
}

impl Mark {
    /// Its first moment.
    #[must_use]
    pub const fn start(&self) -> UtcMillis {
        match self {
            Self::Boot { at, .. } => *at,
            Self::Outage { start, .. } | Self::Gap { start, .. } => *start,
        }
    }
}
