//! Energy by calendar: charts and totals. Energy is always a difference of `produced`; power is
//! never integrated.

use core::ops::RangeInclusive;

use jiff::civil::Date;
use ww_wire::{MilliwattHours, UtcMillis};

/// How far back a chart looks, and in which steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// 6 bars of 10 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 12 months.
    Year,
}

impl Span {
    /// All of them, shortest first.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];
}

/// A moment that a chart is to show, in the middle of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// This very moment.
    Time(UtcMillis),
    /// The beginning of this day at the site; of [`Self::YEARS`].
    Day(Date),
}

impl Moment {
    /// The years that calendars have.
    pub const YEARS: RangeInclusive<i16> = 1970..=9998;
}

/// One bar: the energy that the readings in `[start, end)` brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Its first moment. A bar of ten minutes is one signed window.
    pub start: UtcMillis,
    /// The first moment after it.
    pub end: UtcMillis,
    /// The label in the site's time zone: `14:00`, `Mon`, `Jun 19` or `Jun`.
    pub label: String,
    /// The energy.
    pub energy: MilliwattHours,
    /// How many readings there are.
    pub readings: u32,
    /// Whether some of the energy was produced before `start`, in a gap that a reading of this bar
    /// closed.
    pub spans_gap: bool,
}

/// Bars without a hole, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The bars. Of a chart that ends now there are none when the installation has no reading in them at
    /// all; a whole period of the calendar always has all of them.
    pub bars: Vec<Bar>,
    /// When the first of them starts, or would.
    pub start: UtcMillis,
    /// The first moment after the last of them.
    pub end: UtcMillis,
    /// The sum of the bars.
    pub total: MilliwattHours,
    /// The site's time zone by its IANA name.
    pub time_zone: String,
}

/// The figures of an installation; the meters that it follows are in all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnergySummary {
    /// This local day so far.
    pub today: MilliwattHours,
    /// This local month so far.
    pub month: MilliwattHours,
    /// This local year so far.
    pub year: MilliwattHours,
    /// Everything, readings of unknown time included.
    pub lifetime: MilliwattHours,
    /// What meters measured beside the one that they follow, before that one ended: in none of the
    /// other figures.
    pub overlap: MilliwattHours,
    /// The mean of the whole ones of the seven local days before today: the day of the first reading
    /// does not count, nor do those before it. None before there is one.
    pub seven_day_average: Option<MilliwattHours>,
    /// `produced` of the meter itself at its newest record that is in these figures; zero before the
    /// first.
    pub produced: MilliwattHours,
    /// What signed corrections have taken back; `lifetime` is before that.
    pub corrected: MilliwattHours,
    /// The site's time zone by its IANA name.
    pub time_zone: String,
}
