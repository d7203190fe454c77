//! Counts what a test runner reports, and says when a green run proves nothing: no test ran, or
//! some were left out. It runs nothing itself.

use anyhow::Result;
use serde_json::Value;

use crate::setup::Missing;

/// What one suite reported.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Ignored, skipped, filtered out, to be done, expected to fail: whatever did not really run.
    pub(crate) skipped: u64,
    /// Sentences that say why the suite is not green, beyond its failed tests.
    pub(crate) faults: Vec<String>,
}

impl Tally {
    /// One thing that held.
    pub(crate) fn single() -> Self {
        Self {
            passed: 1,
            ..Self::default()
        }
    }

    /// What a suite came to; one that broke off, or could not run, has failed once.
    ///
    /// # Errors
    /// [`Missing`] alone: without the means, the rest of the run would be no better.
    pub(crate) fn of(outcome: Result<Self>) -> Result<Self> {
        match outcome {
            Err(error) if !error.is::<Missing>() => {
                eprintln!("{error:#}");
                let faults = vec![format!("{error:#}")];
                Ok(Self {
                    failed: 1,
                    faults,
                    ..Self::default()
                })
            }
            other => other,
        }
    }

    /// Closes the count by the house rules: every fault, and every test that was left out, is
    /// a failure of its own.
    pub(crate) fn close(mut self, runner_succeeded: bool) -> Self {
        self.failed += self.faults.len() as u64;
        if self.skipped > 0 {
            self.faults
                .push(format!("{} left out, each counted as failed", self.skipped));
            self.failed += self.skipped;
        }
        if self.failed == 0 && !runner_succeeded {
            self.faults
                .push("the runner failed without naming a failed test".to_owned());
            self.failed += 1;
        }
        if self.failed == 0 && self.passed == 0 {
            self.faults.push("no test ran".to_owned());
            self.failed += 1;
        }
        self
    }

    /// Reads the JSON report of Vitest.
    pub(crate) fn from_vitest(report: &Value) -> Option<Self> {
        let field = |name: &str| report[name].as_u64();
        Some(Self {
            passed: field("numPassedTests")?,
            failed: field("numFailedTests")?,
            skipped: field("numPendingTests")? + field("numTodoTests")?,
            faults: Vec::new(),
        })
    }

    /// Reads the JSON report of Playwright. A flaky test, one that passed only when repeated,
    /// has failed.
    pub(crate) fn from_playwright(report: &Value) -> Option<Self> {
        let field = |name: &str| report["stats"][name].as_u64();
        Some(Self {
            passed: field("expected")?,
            failed: field("unexpected")? + field("flaky")?,
            skipped: field("skipped")?,
            faults: Vec::new(),
        })
    }

    /// Reads a closing line such as `736 passed, 0 failed`; none for any other line.
    pub(crate) fn from_closing_line(line: &str) -> Option<Self> {
        let (passed, failed) = line.trim().split_once(", ")?;
        Some(Self {
            passed: passed.strip_suffix(" passed")?.parse().ok()?,
            failed: failed.strip_suffix(" failed")?.parse().ok()?,
            ..Self::default()
        })
    }
}

/// Counts the lines of a `cargo test`, every test binary and every crate's doc tests.
#[derive(Debug, Default)]
pub(crate) struct CargoTally {
    tally: Tally,
    /// The file in a `tests` folder whose tests are running.
    running: Option<String>,
}

impl CargoTally {
    /// Takes one line in.
    pub(crate) fn see(&mut self, line: &str) {
        let line = line.trim();
        if let Some(file) = line.strip_prefix("Running ") {
            let file = file.split(' ').next().unwrap_or_default();
            self.running = file.starts_with("tests/").then(|| file.to_owned());
        } else if line.starts_with("Doc-tests ") {
            self.running = None;
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.add(counts);
        }
    }

    /// The count so far.
    pub(crate) fn tally(self) -> Tally {
        self.tally
    }

    /// Takes `ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
    fn add(&mut self, counts: &str) {
        let counts = counts.split_once(". ").map_or("", |(_, counts)| counts);
        let mut seen = 0;
        for part in counts.split("; ") {
            let Some((count, word)) = part.split_once(' ') else {
                continue;
            };
            let Ok(count) = count.parse::<u64>() else {
                continue;
            };
            seen += count;
            match word {
                "passed" | "measured" => self.tally.passed += count,
                "failed" => self.tally.failed += count,
                _ => self.tally.skipped += count,
            }
        }
        // A crate without doc tests is usual; a file of tests without tests is a mistake, most
        // often a `cfg` that is never true.
        if let (0, Some(file)) = (seen, self.running.take()) {
            self.tally.faults.push(format!("{file}: no test ran"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cargo(text: &str) -> Tally {
        let mut counter = CargoTally::default();
        text.lines().for_each(|line| counter.see(line));
        counter.tally()
    }

    const GREEN: &str = "\
     Running unittests src/lib.rs (target/debug/deps/ww_wire-1)

running 2 tests
test units::tests::a ... ok
test units::tests::test_result ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/vectors.rs (target/debug/deps/vectors-1)

running 1 test
test golden ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s

   Doc-tests ww_wire

running 0 tests

test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn every_binary_of_a_cargo_test_is_summed() {
        let tally = cargo(GREEN).close(true);
        assert_eq!(
            tally,
            Tally {
                passed: 3,
                ..Tally::default()
            }
        );
    }

    #[test]
    fn failed_and_ignored_tests_are_both_failures() {
        let tally = cargo(
            "test result: FAILED. 7 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1s",
        )
        .close(false);
        assert_eq!((tally.passed, tally.failed, tally.skipped), (7, 3, 1));
        assert_eq!(tally.faults, ["1 left out, each counted as failed"]);
    }

    #[test]
    fn a_filter_is_a_failure() {
        let tally = cargo(
            "test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1s",
        );
        assert_eq!(tally.close(true).failed, 4);
    }

    #[test]
    fn a_file_of_tests_that_runs_none_is_a_failure() {
        let tally = cargo(&GREEN.replace("1 passed", "0 passed")).close(true);
        assert_eq!((tally.passed, tally.failed), (2, 1));
        assert_eq!(tally.faults, ["tests/vectors.rs: no test ran"]);
    }

    #[test]
    fn a_crate_without_doc_tests_is_no_failure() {
        let tally = cargo("   Doc-tests a\ntest result: ok. 0 passed; 0 failed\n");
        assert_eq!(tally, Tally::default());
    }

    #[test]
    fn a_suite_without_tests_is_a_failure() {
        let tally = Tally::default().close(true);
        assert_eq!(
            (tally.failed, tally.faults),
            (1, vec!["no test ran".to_owned()])
        );
    }

    #[test]
    fn a_runner_that_breaks_off_is_a_failure_though_every_reported_test_passed() {
        let tally = Tally {
            passed: 3,
            ..Tally::default()
        }
        .close(false);
        assert_eq!((tally.passed, tally.failed), (3, 1));
    }

    #[test]
    fn a_suite_that_breaks_off_has_failed_but_missing_means_end_the_run() {
        let broken = Tally::of(Err(anyhow::anyhow!("no compiler output"))).unwrap();
        assert_eq!(
            (broken.failed, broken.faults),
            (1, vec!["no compiler output".to_owned()])
        );
        let missing = anyhow::Error::new(Missing::new("a pen", "buy one"));
        assert!(Tally::of(Err(missing)).unwrap_err().is::<Missing>());
    }

    #[test]
    fn vitest_counts_skipped_and_to_be_done_tests_as_left_out() {
        let report = json!({
            "numTotalTests": 10, "numPassedTests": 6, "numFailedTests": 1,
            "numPendingTests": 2, "numTodoTests": 1,
        });
        let expected = Tally {
            passed: 6,
            failed: 1,
            skipped: 3,
            faults: Vec::new(),
        };
        assert_eq!(Tally::from_vitest(&report), Some(expected));
        assert_eq!(Tally::from_vitest(&json!({})), None);
    }

    #[test]
    fn playwright_counts_a_flaky_test_as_failed() {
        let report = json!({"stats": {"expected": 6, "unexpected": 1, "flaky": 2, "skipped": 3}});
        let expected = Tally {
            passed: 6,
            failed: 3,
            skipped: 3,
            faults: Vec::new(),
        };
        assert_eq!(Tally::from_playwright(&report), Some(expected));
        assert_eq!(Tally::from_playwright(&json!({})), None);
    }

    #[test]
    fn a_closing_line_is_read_and_nothing_else() {
        let counts =
            |line: &str| Tally::from_closing_line(line).map(|tally| (tally.passed, tally.failed));
        assert_eq!(counts("736 passed, 0 failed"), Some((736, 0)));
        assert_eq!(counts("1 passed, 2 failed, 3 skipped"), None);
        assert_eq!(counts("passed, failed"), None);
        assert_eq!(counts("5 passed and that in the first run"), None);
    }
}
