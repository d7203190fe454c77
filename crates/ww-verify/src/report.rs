//! What an audit found, for programs (serde) and for people (`Display`).

use std::fmt;

use serde::Serialize;

/// The audit's answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything that was asked for is there and holds.
    Complete,
    /// What is there holds, but something is missing, and it is listed.
    Incomplete,
    /// Something contradicts a signature, the chain or a root.
    Refuted,
    /// There was nothing to check.
    Empty,
}

/// Something that contradicts what a signature says. One is enough to refute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// Bytes that are no record, or not in its one form.
    #[error("item {item} cannot be read: {reason}")]
    Unreadable {
        /// Its place in what was served, from 0.
        item: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A record of another meter.
    #[error("item {item} belongs to another meter, {meter}")]
    ForeignMeter {
        /// Its place in what was served, from 0.
        item: u64,
        /// The meter that it names.
        meter: String,
    },
    /// A signature that does not hold.
    #[error("the signature of {record} does not hold")]
    BadSignature {
        /// Which record.
        record: String,
    },
    /// A record that does not follow the one before it.
    #[error("record {index} names {named} as the record before it, which is {actual}")]
    BrokenLink {
        /// The record's chain index.
        index: u64,
        /// The digest that it names.
        named: String,
        /// The digest of the record before.
        actual: String,
    },
    /// Records out of order, or two at one place of the chain.
    #[error(
        "record {index} comes after record {after}: served twice, out of order, or two histories"
    )]
    OutOfOrder {
        /// The record's chain index.
        index: u64,
        /// The index of the record before it.
        after: u64,
    },
    /// Readings that do not make the root of their window.
    #[error("the readings of window {index} do not match it: {reason}")]
    WrongReadings {
        /// The window's chain index.
        index: u64,
        /// What does not match.
        reason: String,
    },
    /// `produced` or the sequence does not go on where it stopped.
    #[error("window {index} does not go on where the one before it stopped: {reason}")]
    Discontinuous {
        /// The window's chain index.
        index: u64,
        /// What does not go on.
        reason: String,
    },
    /// More energy than the plant can produce.
    #[error(
        "window {index} claims {energy_mwh} mWh, above 1.35 × the rated power over its time ({bound_mwh} mWh)"
    )]
    Implausible {
        /// The window's chain index.
        index: u64,
        /// The energy claimed.
        energy_mwh: u64,
        /// The most that the plant can produce in that time.
        bound_mwh: u64,
    },
    /// A window under an enrolment that was not served.
    #[error("window {index} names the enrolment {digest}, which was not served")]
    UnknownEnrolment {
        /// The window's chain index.
        index: u64,
        /// The enrolment's digest.
        digest: String,
    },
}

/// Something that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Chain records.
    Records {
        /// The first that is missing.
        first_index: u64,
        /// The last that is missing.
        last_index: u64,
        /// The meter itself declared the loss in a signed Gap.
        declared: bool,
        /// `produced` over the hole, from the records on both sides.
        energy_mwh: Option<u64>,
    },
    /// Single readings of a window that is itself proven.
    Readings {
        /// The window's chain index.
        index: u64,
        /// How many.
        count: u32,
        /// The meter itself declared the loss in a signed Gap.
        declared: bool,
    },
    /// Nothing is shown for the start of the time asked for.
    Before {
        /// The first time that is shown, ms UTC.
        first_time_ms: u64,
    },
    /// Nothing is shown for the end of the time asked for.
    After {
        /// The last time that is shown, ms UTC.
        last_time_ms: u64,
    },
    /// No reading with a known time is in the time asked for.
    Times,
}

/// How much each figure is worth; from the records, not from the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Grade {
    /// Where the key lives: `software` or `secure-element (claimed)`.
    pub custody: String,
    /// How the sensor is read.
    pub sensor_link: String,
    /// Whether the firmware is attested or only claimed.
    pub firmware: String,
    /// Readings whose clock was synchronised when they were taken.
    pub synchronised_readings: u64,
    /// Readings that were checked one by one.
    pub checked_readings: u64,
}

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The meter.
    pub meter: String,
    /// In one word.
    pub verdict: Verdict,
    /// Chain records whose signature and link hold.
    pub records: u64,
    /// Windows among them.
    pub windows: u64,
    /// Starts of the meter among them.
    pub boots: u64,
    /// Declared losses among them.
    pub gaps: u64,
    /// Readings covered by those windows.
    pub readings: u64,
    /// Energy by those windows, mWh.
    pub energy_mwh: u64,
    /// First and last chain index.
    pub indices: Option<(u64, u64)>,
    /// First and last time, ms UTC.
    pub times_ms: Option<(u64, u64)>,
    /// Digests of the firmware that made the windows.
    pub firmwares: Vec<String>,
    /// How much it is worth.
    pub grade: Grade,
    /// What is not there.
    pub missing: Vec<Missing>,
    /// What does not hold.
    pub problems: Vec<Problem>,
    /// Whom one still has to trust, and for what.
    pub trust: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Meter    {}", self.meter)?;
        let verdict = match self.verdict {
            Verdict::Complete => "COMPLETE: everything asked for is there, and every proof holds.",
            Verdict::Incomplete => {
                "INCOMPLETE: what is there is proven; what is missing is listed."
            }
            Verdict::Refuted => "REFUTED: something contradicts the meter's own signatures.",
            Verdict::Empty => "NOTHING TO CHECK: no record was served.",
        };
        writeln!(f, "Verdict  {verdict}")?;
        self.write_proven(f)?;
        write_list(f, "What does not hold", self.problems.iter())?;
        write_list(f, "What is missing", self.missing.iter())?;
        write_list(f, "Whom you still have to trust", self.trust.iter())
    }
}

impl Report {
    fn write_proven(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, last)) = self.indices else {
            return Ok(());
        };
        writeln!(f, "\nWhat is proven by the meter's signatures")?;
        writeln!(f, "  · energy: {} kWh", KilowattHours(self.energy_mwh))?;
        writeln!(
            f,
            "  · {} readings in {} windows",
            self.readings, self.windows
        )?;
        writeln!(
            f,
            "  · chain records {first} to {last}: {} signatures, {} starts of the meter, {} declared losses",
            self.records, self.boots, self.gaps
        )?;
        let grade = &self.grade;
        writeln!(
            f,
            "  · {} of the readings checked one by one against their window's root; {} of them with a synchronised clock",
            grade.checked_readings, grade.synchronised_readings
        )?;
        writeln!(
            f,
            "Grade    key in {}; sensor by {}; firmware {}",
            grade.custody, grade.sensor_link, grade.firmware
        )
    }
}

fn write_list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    lines: impl ExactSizeIterator<Item = T>,
) -> fmt::Result {
    const SHOWN: usize = 20;
    let count = lines.len();
    if count == 0 {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    for line in lines.take(SHOWN) {
        writeln!(f, "  · {line}")?;
    }
    if count > SHOWN {
        writeln!(
            f,
            "  · and {} more (all of them with --json)",
            count - SHOWN
        )?;
    }
    Ok(())
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by_whom = |declared| match declared {
            true => "the meter declared the loss itself",
            false => "nobody declared it: ask who serves the records",
        };
        match self {
            Self::Records {
                first_index,
                last_index,
                declared,
                energy_mwh,
            } => {
                write!(
                    f,
                    "chain records {first_index} to {last_index} ({})",
                    by_whom(*declared)
                )?;
                match energy_mwh {
                    Some(energy) => {
                        write!(f, "; {} kWh passed meanwhile", KilowattHours(*energy))
                    }
                    None => Ok(()),
                }
            }
            Self::Readings {
                index,
                count,
                declared,
            } => write!(
                f,
                "the {count} single readings of window {index}, whose energy is proven ({})",
                if *declared {
                    by_whom(true)
                } else {
                    "not served, or no longer kept"
                }
            ),
            Self::Before { first_time_ms } => {
                write!(
                    f,
                    "everything before {} (the first record shown)",
                    Utc(*first_time_ms)
                )
            }
            Self::After { last_time_ms } => {
                write!(
                    f,
                    "everything after {} (the last record shown)",
                    Utc(*last_time_ms)
                )
            }
            Self::Times => write!(f, "readings with a known time"),
        }
    }
}

/// Milliwatt-hours shown as kWh with all digits that matter to a bill.
struct KilowattHours(u64);

impl fmt::Display for KilowattHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}", self.0 / 1_000_000, self.0 % 1_000_000 / 100)
    }
}

/// Milliseconds since 1970 shown as `2026-06-19 16:52:26 UTC`.
struct Utc(u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0 / 86_400_000, self.0 / 1000 % 86_400);
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"
        )
    }
}

/// Days since 1970-01-01 as a date of the Gregorian calendar, by counting from 0000-03-01, when
/// leap days come last in a year.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (400 * era + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_the_calendar_has_them() {
        assert_eq!(Utc(0).to_string(), "1970-01-01 00:00:00 UTC");
        assert_eq!(
            Utc(1_750_346_382_000).to_string(),
            "2025-06-19 15:19:42 UTC"
        );
        assert_eq!(
            Utc(1_709_164_800_000).to_string(),
            "2024-02-29 00:00:00 UTC"
        );
        assert_eq!(
            Utc(1_735_689_599_999).to_string(),
            "2024-12-31 23:59:59 UTC"
        );
    }

    #[test]
    fn energy_is_shown_in_kilowatt_hours() {
        assert_eq!(KilowattHours(8_900).to_string(), "0.0089");
        assert_eq!(KilowattHours(215_000_000).to_string(), "215.0000");
    }
}
