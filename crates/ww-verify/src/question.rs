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

/// The synchronised times around something whose own time is not synchronised: it was made after
/// the one and before the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Around {
    pub(crate) after_ms: Option<u64>,
    pub(crate) before_ms: Option<u64>,
}

/// Where something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the time asked for.
    Inside,
    /// Before or after it.
    Outside,
    /// Nothing that can be relied on says where.
    Unknown,
}

impl Question {
    pub(crate) fn believes(&self, time_ms: u64) -> bool {
        self.now_ms
            .is_none_or(|now_ms| time_ms <= now_ms.saturating_add(CLOCK_TOLERANCE_MS))
    }

    /// Whether everything is asked for, whenever it was made.
    pub(crate) fn is_whole(&self) -> bool {
        (self.from_ms, self.to_ms) == (None, None)
    }

    pub(crate) fn touches(&self, span: Span) -> bool {
        self.from_ms.is_none_or(|from_ms| span.end_ms >= from_ms) && !self.is_over(span.start_ms)
    }

    /// Places what lies between two times. Where the first is after the second, one of them is
    /// wrong and it may lie anywhere.
    pub(crate) fn place(&self, around: Around) -> Place {
        let Around {
            after_ms,
            before_ms,
        } = around;
        if self.is_whole() {
            return Place::Inside;
        }
        if let (Some(after_ms), Some(before_ms)) = (after_ms, before_ms)
            && after_ms > before_ms
        {
            return Place::Unknown;
        }
        let is_early = |from_ms| before_ms.is_some_and(|before_ms| before_ms <= from_ms);
        let is_late = |to_ms| after_ms.is_some_and(|after_ms| after_ms >= to_ms);
        if self.from_ms.is_some_and(is_early) || self.to_ms.is_some_and(is_late) {
            return Place::Outside;
        }
        let begun = |from_ms| after_ms.is_some_and(|after_ms| after_ms >= from_ms);
        let not_over = |to_ms| before_ms.is_some_and(|before_ms| before_ms <= to_ms);
        match self.from_ms.is_none_or(begun) && self.to_ms.is_none_or(not_over) {
            true => Place::Inside,
            false => Place::Unknown,
        }
    }

    /// Whether a time lies after the time asked for.
    pub(crate) fn is_over(&self, time_ms: u64) -> bool {
        self.to_ms.is_some_and(|to_ms| time_ms >= to_ms)
    }
}
