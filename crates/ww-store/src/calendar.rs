//! A site's calendar: which hour, local day and month a moment belongs to, through every change of
//! the clocks. It knows no installation and stores nothing.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use ww_wire::UtcMillis;

use crate::{Moment, Span};

/// The last moment that calendars go up to, 9999-01-01T00:00:00Z. A later time is a broken clock.
const END_OF_CALENDAR_S: i64 = 253_370_764_800;

/// A bar of ten minutes.
pub(crate) const TEN_MINUTES_S: i64 = 600;

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
                let start = seconds - seconds.rem_euclid(TEN_MINUTES_S);
                let end = start + TEN_MINUTES_S;
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

    /// A moment of a calendar, in seconds since 1970; `None` outside of the years that calendars have.
    pub(crate) fn moment(&self, moment: Moment) -> Option<i64> {
        match moment {
            Moment::Time(time) => calendar_seconds(Some(time)),
            Moment::Day(date) => Moment::YEARS
                .contains(&date.year())
                .then(|| on_grid(self.start_of(date))),
        }
    }

    /// The bars of the whole hour, local day, week from Monday, month or year that the moment lies in,
    /// oldest first. Bars of ten minutes keep to the UTC grid: an hour has those that begin in it, and
    /// the moment lies in one of them.
    pub(crate) fn whole(&self, span: Span, seconds: i64) -> Vec<Period> {
        let date = self.date(seconds);
        let whole = match span {
            Span::Hour => {
                let bar = self.period(Step::TenMinutes, seconds);
                let hour = self.hour(bar.start);
                Period {
                    start: on_grid(hour.start),
                    end: on_grid(hour.end),
                }
            }
            Span::Day => self.period(Step::Day, seconds),
            Span::Week => {
                let monday =
                    date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days());
                self.between_dates(monday, monday.saturating_add(7.days()))
            }
            Span::Month => self.period(Step::Month, seconds),
            Span::Year => {
                let first = date.first_of_year();
                self.between_dates(first, first.saturating_add(1.year()))
            }
        };
        let mut bars = Vec::with_capacity(31);
        let mut start = whole.start;
        while start < whole.end {
            let bar = self.period(span.step(), start);
            start = bar.end;
            bars.push(bar);
        }
        bars
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

/// The first moment of the grid of ten minutes from this one on.
const fn on_grid(seconds: i64) -> i64 {
    seconds + (-seconds).rem_euclid(TEN_MINUTES_S)
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds)
        .expect("`calendar_seconds` keeps every moment within the years that jiff knows")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// Zones that differ: whole, half and quarter hours, changes by half an hour and at midnight, both
    /// hemispheres, none at all, both ends of the day.
    const ZONES: [&str; 14] = [
        "UTC",
        "Europe/Berlin",
        "Europe/Dublin",
        "America/New_York",
        "America/St_Johns",
        "America/Sao_Paulo",
        "America/Havana",
        "Africa/Casablanca",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Asia/Beirut",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "Pacific/Apia",
    ];

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

    fn hours(calendar: &Calendar, day: Date) -> (usize, i64) {
        let moment = calendar.moment(Moment::Day(day)).unwrap();
        let bars = calendar.whole(Span::Day, moment);
        (bars.len(), bars[bars.len() - 1].end - bars[0].start)
    }

    #[test]
    fn a_whole_day_has_the_hours_that_its_clocks_went_through() {
        let berlin = calendar("Europe/Berlin");
        assert_eq!(hours(&berlin, date(2025, 10, 26)), (25, 25 * 3600));
        assert_eq!(hours(&berlin, date(2026, 3, 29)), (23, 23 * 3600));
        assert_eq!(hours(&berlin, date(2026, 3, 30)), (24, 24 * 3600));
        let kolkata = calendar("Asia/Kolkata");
        assert_eq!(hours(&kolkata, date(2025, 10, 26)), (24, 24 * 3600));
        // Half an hour is repeated as a bar of its own in autumn; in spring an hour is but a half.
        let lord_howe = calendar("Australia/Lord_Howe");
        assert_eq!(hours(&lord_howe, date(2025, 4, 6)), (25, 24 * 3600 + 1800));
        assert_eq!(hours(&lord_howe, date(2025, 10, 5)), (24, 24 * 3600 - 1800));
    }

    #[test]
    fn a_whole_week_runs_from_monday_to_sunday_across_a_change_of_the_clocks() {
        let calendar = calendar("Europe/Berlin");
        for day in 20..=26 {
            let moment = calendar.moment(Moment::Day(date(2025, 10, day)));
            let bars = calendar.whole(Span::Week, moment.unwrap());
            assert_eq!(bars.len(), 7);
            assert_eq!(bars[0].start, at("2025-10-19T22:00:00Z"));
            assert_eq!(bars[6].end, at("2025-10-26T23:00:00Z"));
            assert_eq!(calendar.label(Span::Week, bars[0].start), "Mon");
        }
    }

    #[test]
    fn a_whole_month_and_a_whole_year_have_their_own_days_and_months() {
        let calendar = calendar("America/New_York");
        let february = at("2028-02-10T00:00:00Z");
        assert_eq!(calendar.whole(Span::Month, february).len(), 29);
        let year = calendar.whole(Span::Year, at("2026-01-01T04:59:59Z"));
        assert_eq!(year.len(), 12);
        assert_eq!(year[0].start, at("2025-01-01T05:00:00Z"));
        assert_eq!(year[11].end, at("2026-01-01T05:00:00Z"));
    }

    #[test]
    fn a_whole_hour_of_a_zone_of_quarter_hours_has_the_bars_that_begin_in_it() {
        let calendar = calendar("Asia/Kathmandu");
        // 19:15 is a full hour there, and the bar that holds it began in the hour before.
        let before = calendar.whole(Span::Hour, at("2025-06-19T19:15:00Z"));
        let bars = calendar.whole(Span::Hour, at("2025-06-19T19:20:00Z"));
        assert_eq!(bars.len(), 6);
        assert_eq!(bars[0].start, at("2025-06-19T19:20:00Z"));
        assert_eq!(before[5].end, bars[0].start);
        let midnight = calendar.moment(Moment::Day(date(2025, 6, 20))).unwrap();
        let first = calendar.whole(Span::Hour, midnight);
        assert_eq!(first[0].start, at("2025-06-19T18:20:00Z"));
    }

    #[test]
    fn a_day_that_a_site_never_had_is_the_one_after_it() {
        let calendar = calendar("Pacific/Apia");
        let missing = calendar.moment(Moment::Day(date(2011, 12, 30))).unwrap();
        let bars = calendar.whole(Span::Day, missing);
        assert_eq!(bars[0].start, at("2011-12-30T10:00:00Z"));
        assert_eq!(bars.len(), 24);
    }

    #[test]
    fn a_day_outside_of_the_calendar_is_no_moment() {
        for (year, is_in) in [(1969, false), (1970, true), (9998, true), (9999, false)] {
            let moment = Calendar::UTC.moment(Moment::Day(date(year, 6, 1)));
            assert_eq!(moment.is_some(), is_in, "{year}");
        }
        for zone in ZONES {
            let calendar = calendar(zone);
            let last = calendar.moment(Moment::Day(date(9998, 12, 31))).unwrap();
            for span in Span::ALL {
                assert!(!calendar.whole(span, last).is_empty());
            }
        }
    }

    proptest! {
        #[test]
        fn a_whole_period_is_covered_by_bars_of_its_step_without_a_hole(
            zone in proptest::sample::select(&ZONES[..]),
            span in proptest::sample::select(&Span::ALL[..]),
            // 2012 to 2100.
            seconds in 1_325_376_000_i64..4_102_444_800,
            other in 0.0..1.0_f64,
        ) {
            let calendar = calendar(zone);
            let bars = calendar.whole(span, seconds);
            let (start, end) = (bars[0].start, bars[bars.len() - 1].end);
            prop_assert!(start <= seconds && seconds < end);
            for (at, bar) in bars.iter().enumerate() {
                prop_assert!(bar.start < bar.end);
                prop_assert_eq!(calendar.period(span.step(), bar.start), *bar);
                prop_assert_eq!(calendar.period(span.step(), bar.end - 1), *bar);
                if let Some(next) = bars.get(at + 1) {
                    prop_assert_eq!(bar.end, next.start);
                }
            }
            // It is the same for every moment in it, and its neighbours lie beside it.
            let inside = start + ((end - start - 1) as f64 * other) as i64;
            prop_assert_eq!(&calendar.whole(span, inside), &bars);
            prop_assert_eq!(calendar.whole(span, end)[0].start, end);
            let before = calendar.whole(span, start - 1);
            prop_assert_eq!(before[before.len() - 1].end, start);
        }
    }

    #[test]
    fn a_zone_that_does_not_exist_has_no_calendar() {
        assert!(Calendar::named("Europe/Atlantis").is_none());
    }
}
