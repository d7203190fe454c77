//! What an auditor asks of a meter's history: which time, by whose word, at what hour. It places
//! spans of time; it looks at no record.

use ww_wire::{SignerId, UtcMillis, Window};

/// How far a meter's clock may be ahead of the auditor's.
const CLOCK_TOLERANCE_MS: u64 = 60_000;

/// What an auditor asks. The default asks for everything, by any operator's word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The operator whose enrolments alone count; absent, any operator's do.
    pub operator: Option<SignerId>,
    /// Start of the time asked for, ms UTC; absent, the meter's first record.
    pub from_ms: Option<u64>,
    /// End of the time asked for, ms UTC, itself not included; absent, the last record shown.
    pub to_ms: Option<u64>,
    /// The auditor's own time, ms UTC, if known: records dated after it do not say when they were
    /// made.
    pub now_ms: Option<u64>,
}

/// From the first to the last reading of a window, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start_ms: u64,
    pub(crate) end_ms: u64,
}

impl Span {
    /// The span of a window, if its time is known.
    pub(crate) fn of(window: &Window) -> Option<Self> {
        let times = [window.first_time, window.last_time];
        let known = || times.iter().flatten().map(|time| UtcMillis::get(*time));
        Some(Self {
            start_ms: known().min()?,
            end_ms: known().max()?,
        })
    }
}

/// Where a window lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the time asked for, with at least one reading.
    Inside,
    /// Before or after it.
    Outside,
    /// Its time is not known, or not believed.
    Unknown,
}

impl Question {
    pub(crate) fn believes(&self, time_ms: u64) -> bool {
        self.now_ms
            .is_none_or(|now_ms| time_ms <= now_ms.saturating_add(CLOCK_TOLERANCE_MS))
    }

    pub(crate) fn place(&self, span: Option<Span>) -> Place {
        match span {
            _ if (self.from_ms, self.to_ms) == (None, None) => Place::Inside,
            None => Place::Unknown,
            Some(span) if self.touches(span) => Place::Inside,
            Some(_) => Place::Outside,
        }
    }

    pub(crate) fn touches(&self, span: Span) -> bool {
        self.from_ms.is_none_or(|from_ms| span.end_ms >= from_ms) && !self.is_over(span.start_ms)
    }

    /// Whether what lies between two times, each perhaps unknown, may touch the time asked for.
    /// Where the first is after the second, one of them is wrong and it may lie anywhere.
    pub(crate) fn may_touch(&self, after_ms: Option<u64>, before_ms: Option<u64>) -> bool {
        let around = Span {
            start_ms: after_ms.unwrap_or(0),
            end_ms: before_ms.unwrap_or(u64::MAX),
        };
        around.start_ms > around.end_ms || self.touches(around)
    }

    /// Whether a time lies after the time asked for.
    pub(crate) fn is_over(&self, time_ms: u64) -> bool {
        self.to_ms.is_some_and(|to_ms| time_ms >= to_ms)
    }
}
