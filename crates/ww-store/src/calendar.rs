//! A site's calendar: which hour, local day and month a moment belongs to, through every change of
//! the clocks. It knows no installation and stores nothing.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use ww_wire::UtcMillis;

use crate::Span;

/// The last moment that calendars go up to, 9999-01-01T00:00:00Z. A later time is a broken clock.
const END_OF_CALENDAR_S: i64 = 253_370_764_800;

/// Seconds since 1970 that calendars work with; `None` for an unknown or impossible time.
pub(crate) fn calendar_seconds(time: Option<UtcMillis>) -> Option<i64> {
    let seconds = i64::try_from(time?.seconds()).ok()?;
    (seconds < END_OF_CALENDAR_S).then_some(seconds)
}

/// The steps in which energy is summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Step {
    /// 600 s on the UTC grid: what one window covers.
    TenMinutes = 0,
    /// From full hour to full hour of the local clock. A change of the clocks by less than an hour
    /// cuts an hour in two.
    Hour = 1,
    /// A local day, 23 to 25 hours long where the clocks change.
    Day = 2,
    /// A local month.
    Month = 3,
}

impl Step {
    pub(crate) const ALL: [Self; 4] = [Self::TenMinutes, Self::Hour, Self::Day, Self::Month];

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl Span {
    pub(crate) const fn step(self) -> Step {
        match self {
            Self::Hour => Step::TenMinutes,
            Self::Day => Step::Hour,
            Self::Week | Self::Month => Step::Day,
            Self::Year => Step::Month,
        }
    }

    pub(crate) const fn bars(self) -> usize {
        match self {
            Self::Hour => 6,
            Self::Day => 24,
            Self::Week => 7,
            Self::Month => 30,
            Self::Year => 12,
        }
    }

    const fn label_format(self) -> &'static str {
        match self {
            Self::Hour | Self::Day => "%H:%M",
            Self::Week => "%a",
            Self::Month => "%b %d",
            Self::Year => "%b",
        }
    }
}

/// Seconds from `start` up to and without `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Period {
    pub(crate) const fn contains(&self, seconds: i64) -> bool {
        self.start <= seconds && seconds < self.end
    }
}

/// A time zone of the IANA database (bundled: the host needs none).
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
}

impl Calendar {
    pub(crate) const UTC: Self = Self {
        zone: TimeZone::UTC,
    };

    /// The calendar of the zone; an empty name is UTC. `None` when no zone has this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::UTC);
        }
        let zone = TimeZone::get(name).ok()?;
        Some(Self { zone })
    }

    /// The period of this step that the moment lies in. The periods of one step follow one another
    /// without a hole.
    pub(crate) fn period(&self, step: Step, seconds: i64) -> Period {
        match step {
            Step::TenMinutes => {
                let start = seconds - seconds.rem_euclid(600);
                let end = start + 600;
                Period { start, end }
            }
            Step::Hour => self.hour(seconds),
            Step::Day => {
                let date = self.date(seconds);
                self.between_dates(date, date.saturating_add(1.day()))
            }
            Step::Month => {
                let date = self.date(seconds).first_of_month();
                self.between_dates(date, date.saturating_add(1.month()))
            }
        }
    }

    /// The bars of a chart that ends with the bar of `now`, oldest first.
    pub(crate) fn bars(&self, span: Span, now: i64) -> Vec<Period> {
        let mut bars = Vec::with_capacity(span.bars());
        let mut moment = now;
        for _ in 0..span.bars() {
            let period = self.period(span.step(), moment);
            bars.push(period);
            moment = period.start - 1;
        }
        bars.reverse();
        bars
    }

    pub(crate) fn label(&self, span: Span, seconds: i64) -> String {
        timestamp(seconds)
            .to_zoned(self.zone.clone())
            .strftime(span.label_format())
            .to_string()
    }

    /// When this local year began.
    pub(crate) fn start_of_year(&self, seconds: i64) -> i64 {
        self.start_of(self.date(seconds).first_of_year())
    }

    fn hour(&self, seconds: i64) -> Period {
        let offset = self.offset(seconds);
        let start = seconds - (seconds + offset).rem_euclid(3600);
        let end = start + 3600;
        Period {
            start: self.first_with_offset(offset, start, seconds),
            end: self.last_with_offset(offset, seconds, end),
        }
    }

    /// The first second from `low` on after which the clock keeps `offset` up to `high`.
    fn first_with_offset(&self, offset: i64, low: i64, high: i64) -> i64 {
        let (mut low, mut high) = (low, high);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.offset(middle) == offset {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The first second after `low`, at most `high`, at which the clock leaves `offset`.
    fn last_with_offset(&self, offset: i64, low: i64, high: i64) -> i64 {
        let (mut low, mut high) = (low, high);
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if self.offset(middle) == offset {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    fn offset(&self, seconds: i64) -> i64 {
        i64::from(self.zone.to_offset(timestamp(seconds)).seconds())
    }

    fn date(&self, seconds: i64) -> Date {
        self.zone.to_datetime(timestamp(seconds)).date()
    }

    fn between_dates(&self, from: Date, to: Date) -> Period {
        Period {
            start: self.start_of(from),
            end: self.start_of(to),
        }
    }

    /// The first moment of a day, which is not 00:00 where the clocks change at midnight.
    fn start_of(&self, date: Date) -> i64 {
        date.to_zoned(self.zone.clone())
            .and_then(|zoned| zoned.start_of_day())
            .expect("`calendar_seconds` keeps every date within the years that jiff knows")
            .timestamp()
            .as_second()
    }
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds)
        .expect("`calendar_seconds` keeps every moment within the years that jiff knows")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(name: &str) -> Calendar {
        Calendar::named(name).unwrap()
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn the_day_on_which_berlin_springs_forward_has_23_hours() {
        let day = calendar("Europe/Berlin").period(Step::Day, at("2025-03-30T12:00:00Z"));
        assert_eq!(day.start, at("2025-03-29T23:00:00Z"));
        assert_eq!(day.end - day.start, 23 * 3600);
    }

    #[test]
    fn the_day_on_which_new_york_falls_back_has_25_hours() {
        let calendar = calendar("America/New_York");
        let day = calendar.period(Step::Day, at("2025-11-02T12:00:00Z"));
        assert_eq!(day.start, at("2025-11-02T04:00:00Z"));
        assert_eq!(day.end - day.start, 25 * 3600);
        let bars = calendar.bars(Span::Day, day.end - 1);
        assert_eq!(calendar.label(Span::Day, bars[0].start), "01:00");
        assert_eq!(calendar.label(Span::Day, bars[1].start), "01:00");
        assert_eq!(calendar.label(Span::Day, bars[2].start), "02:00");
    }

    #[test]
    fn a_kolkata_day_starts_at_half_past_six_in_the_evening_utc() {
        let day = calendar("Asia/Kolkata").period(Step::Day, at("2025-06-19T20:00:00Z"));
        assert_eq!(day.start, at("2025-06-19T18:30:00Z"));
        assert_eq!(day.end, at("2025-06-20T18:30:00Z"));
    }

    #[test]
    fn a_kathmandu_hour_starts_a_quarter_past_the_utc_hour() {
        let calendar = calendar("Asia/Kathmandu");
        let hour = calendar.period(Step::Hour, at("2025-06-19T20:00:00Z"));
        assert_eq!(hour.start, at("2025-06-19T19:15:00Z"));
        assert_eq!(hour.end, at("2025-06-19T20:15:00Z"));
        assert_eq!(calendar.label(Span::Day, hour.start), "01:00");
    }

    #[test]
    fn lord_howe_repeats_half_an_hour_as_a_bar_of_its_own() {
        // 2025-04-06 02:00 +11:00 becomes 01:30 +10:30.
        let calendar = calendar("Australia/Lord_Howe");
        let change = at("2025-04-05T15:00:00Z");
        let before = calendar.period(Step::Hour, change - 1);
        let after = calendar.period(Step::Hour, change);
        assert_eq!(before.end, change);
        assert_eq!(before.start, change - 3600);
        assert_eq!(after.start, change);
        assert_eq!(after.end, change + 1800);
        assert_eq!(calendar.label(Span::Day, after.start), "01:30");
    }

    #[test]
    fn the_periods_of_every_step_follow_one_another_without_a_hole() {
        for name in [
            "Europe/Berlin",
            "America/New_York",
            "Asia/Kolkata",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "America/Sao_Paulo",
            "Pacific/Apia",
        ] {
            let calendar = calendar(name);
            for (step, periods) in [(Step::Hour, 24 * 400), (Step::Day, 800), (Step::Month, 36)] {
                let mut moment = at("2010-06-01T00:00:00Z");
                let mut period = calendar.period(step, moment);
                for _ in 0..periods {
                    assert!(period.contains(moment), "{name} {step:?} {moment}");
                    moment = period.end;
                    let next = calendar.period(step, moment);
                    assert_eq!(next.start, period.end, "{name} {step:?} {moment}");
                    assert_eq!(calendar.period(step, next.end - 1), next);
                    period = next;
                }
            }
        }
    }

    #[test]
    fn a_month_holds_30_bars_of_local_days_that_end_today() {
        let calendar = calendar("Europe/Berlin");
        let now = at("2025-11-22T10:00:00Z");
        let bars = calendar.bars(Span::Month, now);
        assert_eq!(bars.len(), 30);
        assert!(bars[29].contains(now));
        assert_eq!(calendar.label(Span::Month, bars[0].start), "Oct 24");
    }

    #[test]
    fn a_zone_that_does_not_exist_has_no_calendar() {
        assert!(Calendar::named("Europe/Atlantis").is_none());
    }
}
