//! Energy in bars and sums, in the site's own calendar.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Milli;

/// How long a chart is: so far back from now, or the whole calendar period that holds a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeFrame {
    /// 6 bars of 10 minutes.
    Hour,
    /// 24 bars of an hour; of a calendar day, its 23, 24 or 25.
    Day,
    /// 7 bars of a local day; of a calendar week, Monday to Sunday.
    Week,
    /// 30 bars of a local day; of a calendar month, its days.
    Month,
    /// 12 bars of a local month.
    Year,
}

impl TimeFrame {
    /// All of them, shortest first.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// The name in queries and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The label of a bar, as `strftime` writes it.
    #[must_use]
    pub const fn label_format(self) -> &'static str {
        match self {
            Self::Hour | Self::Day => "%H:%M",
            Self::Week => "%a",
            Self::Month => "%b %d",
            Self::Year => "%b",
        }
    }
}

/// A chart. One that ends now has no bars when the meter has no reading in it, and one of a whole period has all
/// of its bars; where it begins and ends is told anyway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Chart {
    /// The bars, oldest first.
    pub data_points: Vec<DataPoint>,
    /// The time frame asked for.
    pub time_frame: TimeFrame,
    /// Sum of the bars in Wh.
    #[schema(value_type = f64, example = 1250.25)]
    pub total_energy: Milli,
    /// The first moment of the whole chart, Unix seconds.
    #[schema(example = 1_750_284_000)]
    pub start: i64,
    /// The first moment after the whole chart, Unix seconds.
    #[schema(example = 1_750_370_400)]
    pub end: i64,
    /// IANA name of the site's time zone, in which the bars are cut.
    #[schema(example = "Europe/Berlin")]
    pub timezone: String,
}

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DataPoint {
    /// Its start in the site's time zone.
    #[schema(example = "14:00")]
    pub label: String,
    /// Energy in Wh.
    #[schema(value_type = f64, example = 250.5)]
    pub value: Milli,
    /// Its start, Unix seconds.
    #[schema(example = 1_750_352_400)]
    pub timestamp: i64,
    /// The first moment after it, Unix seconds.
    #[schema(example = 1_750_356_000)]
    pub end: i64,
    /// How many readings there are in it.
    #[schema(example = 360)]
    pub readings: u32,
    /// Whether readings are missing in it, so that energy of other bars may be booked here.
    pub spans_gap: bool,
}

/// Energy of one installation in its site's calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Energy {
    /// Number of the installation.
    #[schema(value_type = i64)]
    pub installation_id: u32,
    /// Since local midnight, Wh.
    #[schema(value_type = f64)]
    pub today_wh: Milli,
    /// Since the first of the local month, Wh.
    #[schema(value_type = f64)]
    pub month_wh: Milli,
    /// Since the first of the local year, Wh.
    #[schema(value_type = f64)]
    pub year_wh: Milli,
    /// Ever, across replaced meters, Wh.
    #[schema(value_type = f64)]
    pub lifetime_wh: Milli,
    /// What a meter measured beside the one that it replaced, before that one ended, Wh. It was
    /// counted there; none of the other figures has it again.
    #[schema(value_type = f64)]
    pub overlap_wh: Milli,
    /// Mean of the whole ones of the seven local days before today, Wh; null before there is one.
    #[schema(required, value_type = Option<f64>)]
    pub average_7d_wh: Option<Milli>,
    /// The meter's own sum at its newest record that is in these figures, Wh; 0 before the first. A
    /// reading of the live stream whose `produced_wh` is higher is not in them yet.
    #[schema(value_type = f64)]
    pub produced_wh: Milli,
    /// What signed corrections have taken back, Wh; the lifetime figure is before that.
    #[schema(value_type = f64)]
    pub corrected_wh: Milli,
    /// IANA name of the time zone in which this was counted.
    pub timezone: String,
}
