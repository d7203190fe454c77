//! The closing table of a run and its last line, `N passed, N failed`. Both go to standard
//! output, which carries nothing else.

use std::fmt::Write as _;
use std::time::Duration;

use crate::tally::Tally;

/// What each part of a run came to.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    name: String,
    tally: Tally,
    took: Duration,
}

impl Report {
    pub(crate) fn add(&mut self, name: &str, tally: Tally, took: Duration) {
        self.rows.push(Row {
            name: name.to_owned(),
            tally,
            took,
        });
    }

    /// True when nothing failed and something passed.
    pub(crate) fn is_green(&self) -> bool {
        self.failed() == 0 && self.passed() > 0
    }

    /// The table, the faults and the closing line.
    pub(crate) fn text(&self) -> String {
        let width = self
            .rows
            .iter()
            .map(|row| row.name.len() + 2)
            .max()
            .unwrap_or(0)
            .max(12);
        let mut text = format!(
            "{:<width$}{:>8}{:>8}{:>10}\n",
            "", "passed", "failed", "time"
        );
        for Row { name, tally, took } in &self.rows {
            let Tally { passed, failed, .. } = tally;
            let seconds = took.as_secs();
            let _ = writeln!(text, "{name:<width$}{passed:>8}{failed:>8}{seconds:>8} s");
        }
        for Row { name, tally, .. } in &self.rows {
            for fault in &tally.faults {
                let _ = writeln!(text, "{name}: {fault}");
            }
        }
        let _ = writeln!(text, "{} passed, {} failed", self.passed(), self.failed());
        text
    }

    fn passed(&self) -> u64 {
        self.rows.iter().map(|row| row.tally.passed).sum()
    }

    fn failed(&self) -> u64 {
        self.rows.iter().map(|row| row.tally.failed).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_sums_every_row() {
        let mut report = Report::default();
        let tally = Tally {
            passed: 412,
            ..Tally::default()
        };
        report.add("rust", tally, Duration::from_secs(312));
        let broken = Tally::of(Err(anyhow::anyhow!("no answer"))).unwrap();
        report.add("browser", broken, Duration::ZERO);
        assert_eq!(
            report.text(),
            "              passed  failed      time\n\
             rust             412       0     312 s\n\
             browser            0       1       0 s\n\
             browser: no answer\n\
             412 passed, 1 failed\n"
        );
        assert!(!report.is_green());
    }

    #[test]
    fn an_empty_run_is_not_green() {
        assert!(!Report::default().is_green());
    }

    #[test]
    fn a_run_without_failures_is_green() {
        let mut report = Report::default();
        report.add("fmt", Tally::single(), Duration::ZERO);
        assert!(report.is_green());
    }
}
