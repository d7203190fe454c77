//! A report in plain words. It shows what the report holds and judges nothing.

use std::fmt;

use crate::plain::Plain;
use crate::report::{Asked, Missing, Remark, Report, Statement, Verdict};

/// Lines of a list that are shown; the rest is in the JSON.
const LINES: usize = 20;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Meter    {}", self.meter)?;
        self.asked.fmt(f)?;
        let verdict = match self.verdict {
            Verdict::Complete => "COMPLETE: everything asked for is there, and every proof holds.",
            Verdict::Incomplete => {
                "INCOMPLETE: what is there is proven; what is missing is listed."
            }
            Verdict::Refuted => "REFUTED: something does not hold; it is listed.",
            Verdict::Empty => "NOTHING TO CHECK: no record was served.",
        };
        writeln!(f, "Verdict  {verdict}")?;
        self.write_proven(f)?;
        write_list(f, "What does not hold", self.problems.iter())?;
        write_list(f, "What is missing", self.missing.iter())?;
        write_list(f, "What was said of it since", self.statements.iter())?;
        write_list(f, "What is out of the ordinary", self.remarks.iter())?;
        write_list(f, "Whom you still have to trust", self.trust.iter())
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from_ms, self.to_ms) {
            (None, None) => writeln!(f, "Asked    the whole history"),
            (Some(from), None) => writeln!(f, "Asked    from {}", Utc(from)),
            (None, Some(to)) => writeln!(f, "Asked    before {}", Utc(to)),
            (Some(from), Some(to)) => {
                writeln!(f, "Asked    from {}, before {}", Utc(from), Utc(to))
            }
        }
    }
}

impl Report {
    fn write_proven(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(first), Some(last)) = (self.first_index, self.last_index) else {
            return Ok(());
        };
        let title = match self.verdict {
            Verdict::Refuted => "What the records claim; what does not hold is below",
            _ => "What is proven by the meter's signatures",
        };
        writeln!(f, "\n{title}")?;
        self.write_energy(f)?;
        let grade = &self.grade;
        if grade.checked_readings > 0 {
            writeln!(
                f,
                "  · {} of the readings checked one by one against their window's root; {} of them with a synchronised clock",
                grade.checked_readings, grade.synchronised_readings
            )?;
        }
        let shown_until = self
            .shown_until_ms
            .map(|time| format!(", the last from {}", Utc(time)));
        writeln!(
            f,
            "  · chain records {first} to {last}{}: {}, {}, {}",
            shown_until.unwrap_or_default(),
            Count(self.records, "signature"),
            Count(self.boots, "start of the meter"),
            Count(self.gaps, "declared loss"),
        )?;
        if self.windows == 0 && self.unplaced_windows == 0 {
            return Ok(());
        }
        writeln!(
            f,
            "Grade    key in {}; sensor by {}; firmware {}",
            grade.custody, grade.sensor_link, grade.firmware
        )
    }

    fn write_energy(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  · energy: {} kWh", KilowattHours(self.energy_mwh))?;
        if self.unbounded_energy_mwh > 0 {
            writeln!(
                f,
                "      unbounded: {} kWh of it, which no rated power limits (no enrolment that counts, time not known or not measured by a firm clock, or the record before not shown)",
                KilowattHours(self.unbounded_energy_mwh)
            )?;
        }
        if self.missing_energy_mwh > 0 {
            writeln!(
                f,
                "      beside it: {} kWh in missing records, by the register of the windows around them; their readings are not shown",
                KilowattHours(self.missing_energy_mwh)
            )?;
        }
        if self.unplaced_windows > 0 {
            writeln!(
                f,
                "      beside it: {} kWh in {} that may lie in the time asked for or not: no synchronised clock says which",
                KilowattHours(self.unplaced_energy_mwh),
                Count(self.unplaced_windows, "window"),
            )?;
        }
        if self.windows == 0 {
            return writeln!(f, "  · no window that certainly lies in the time asked for");
        }
        write!(
            f,
            "  · {} in {}",
            Count(self.readings, "reading"),
            Count(self.windows, "window")
        )?;
        if let (Some(first), Some(last)) = (self.first_time_ms, self.last_time_ms) {
            write!(f, ", from {} to {}", Utc(first), Utc(last))?;
        }
        match (self.asked.from_ms, self.asked.to_ms) {
            (None, None) => writeln!(f),
            _ => writeln!(f, " (whole windows: one across an edge counts in full)"),
        }
    }
}

fn write_list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    lines: impl ExactSizeIterator<Item = T>,
) -> fmt::Result {
    let count = lines.len();
    if count == 0 {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    for line in lines.take(LINES) {
        writeln!(f, "  · {line}")?;
    }
    if count > LINES {
        writeln!(
            f,
            "  · and {} more (all of them with --json)",
            count - LINES
        )?;
    }
    Ok(())
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Records {
                first_index,
                last_index,
                declared,
                energy_mwh,
            } => {
                let who = match declared {
                    true => "the meter declared the loss itself",
                    false => "nobody declared it: ask who serves the records",
                };
                write!(
                    f,
                    "chain {} ({who})",
                    Range("record", *first_index, *last_index)
                )?;
                match energy_mwh {
                    Some(energy) => {
                        write!(f, "; {} kWh passed meanwhile", KilowattHours(*energy))
                    }
                    None => Ok(()),
                }
            }
            Self::Readings {
                first_index,
                last_index,
                count,
                declared,
            } => write!(
                f,
                "{} of {}, whose energy is proven ({})",
                Count(*count, "single reading"),
                Range("window", *first_index, *last_index),
                match declared {
                    true => "the meter declared the loss itself",
                    false => "not served, or no longer kept",
                }
            ),
            Self::Before {
                first_index,
                first_time_ms,
            } => {
                write!(
                    f,
                    "a synchronised time from before the time asked for: the first record shown is {first_index}, "
                )?;
                match first_time_ms {
                    Some(time) => write!(f, "the first synchronised time {}", Utc(*time)),
                    None => write!(f, "and no synchronised time is shown"),
                }
            }
            Self::After {
                last_time_ms: Some(time),
                unplaced_windows: 0,
            } => write!(
                f,
                "everything after {}, the last synchronised time shown: still to come, not sealed yet, not measured, or withheld",
                Utc(*time)
            ),
            Self::After {
                last_time_ms: Some(time),
                unplaced_windows,
            } => write!(
                f,
                "a synchronised time behind {}: nothing says which of the {} after it lie in the time asked for, or whether more do; ask for the whole history",
                Utc(*time),
                Count(*unplaced_windows, "window")
            ),
            Self::After {
                last_time_ms: None, ..
            } => write!(
                f,
                "a synchronised time: no record shown has one, so nothing says which of them lie in the time asked for; ask for the whole history"
            ),
            Self::Enrolment {
                digest,
                first_index,
                windows,
            } => write!(
                f,
                "the enrolment {digest}, which {} from {first_index} on name",
                Count(*windows, "window")
            ),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeWentBack {
                index,
                from_ms,
                to_ms,
            } => write!(
                f,
                "time goes back at record {index}, from {} to {}",
                Utc(*from_ms),
                Utc(*to_ms)
            ),
            Self::FutureTime { index, time_ms } => write!(
                f,
                "window {index} is dated {}, which is yet to come: its time does not count",
                Utc(*time_ms)
            ),
            Self::Uncounted { record, signer } => write!(
                f,
                "a {record} by {signer}, who is not an operator that counts here"
            ),
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Correction {
                time_ms,
                first_sequence,
                last_sequence,
                reduction_mwh,
                reason,
                note,
            } => write!(
                f,
                "corrected at {}: {} kWh of {} no longer count ({reason}{}); the energy above still has them",
                Utc(*time_ms),
                KilowattHours(*reduction_mwh),
                Range("reading", *first_sequence, *last_sequence),
                Note(note),
            ),
            Self::Revocation {
                time_ms,
                energy_after_mwh,
                reason,
                note,
            } => {
                write!(
                    f,
                    "revoked at {} ({reason}{}): windows after it do not count",
                    Utc(*time_ms),
                    Note(note)
                )?;
                match energy_after_mwh {
                    Some(0) => Ok(()),
                    Some(energy) => write!(
                        f,
                        "; {} kWh of the energy above are theirs",
                        KilowattHours(*energy)
                    ),
                    None => write!(f, "; they claim more than any meter can"),
                }
            }
            Self::ReplacedBy {
                time_ms,
                meter,
                last_index,
            } => write!(
                f,
                "replaced at {} by meter {meter}: records after number {last_index} do not count; the \
                 energy above has those that were served",
                Utc(*time_ms)
            ),
            Self::Replaces {
                time_ms,
                meter,
                produced_mwh,
            } => write!(
                f,
                "follows meter {meter} since {}, which ended at {} kWh",
                Utc(*time_ms),
                KilowattHours(*produced_mwh)
            ),
        }
    }
}

/// The operator's words behind a reason, if there are any.
struct Note<'a>(&'a str);

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            note => write!(f, ": {}", Plain(note)),
        }
    }
}

/// So many of something, in the plural where there is not one.
struct Count(u64, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (1, noun) => write!(f, "1 {noun}"),
            (count, "start of the meter") => write!(f, "{count} starts of the meter"),
            (count, noun) if noun.ends_with('s') => write!(f, "{count} {noun}es"),
            (count, noun) => write!(f, "{count} {noun}s"),
        }
    }
}

/// Records from the first to the last.
struct Range(&'static str, u64, u64);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(noun, first, last) = self;
        match first == last {
            true => write!(f, "{noun} {first}"),
            false => write!(f, "{noun}s {first} to {last}"),
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
