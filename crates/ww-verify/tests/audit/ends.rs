//! The two ends of the time asked for, where clocks are not synchronised: who serves the records may
//! cut at any of them.

use ww_verify::{Missing, Question, Report, Verdict};
use ww_wire::*;

use crate::history::*;

/// Records whose time proves nothing, whatever it reads.
#[derive(Clone, Copy, Debug)]
enum Unproven {
    Window(TimeQuality),
    WindowWithoutTime,
    WindowWithoutReadings,
    Boot,
    Gap,
}

const UNPROVEN: [Unproven; 6] = [
    Unproven::Window(TimeQuality::Informative),
    Unproven::Window(TimeQuality::Relative),
    Unproven::WindowWithoutTime,
    Unproven::WindowWithoutReadings,
    Unproven::Boot,
    Unproven::Gap,
];

impl History {
    /// Windows from the number `from` on up to `to`, by a clock that is `wrong_ms` wrong.
    fn push_windows(&mut self, from: u64, to: u64, quality: TimeQuality, wrong_ms: Option<i64>) {
        (self.quality, self.clock_ms) = (quality, wrong_ms);
        (from..to).for_each(|number| self.push_window(number));
        (self.quality, self.clock_ms) = (TimeQuality::Synchronised, Some(0));
    }

    /// Appends the window `number` as a record whose time, `wrong_ms` wrong, proves nothing, or another
    /// such record and then the window.
    fn push_unproven(&mut self, number: u64, kind: Unproven, wrong_ms: i64) {
        let reads = START_MS + number * WINDOW_MS;
        let reads = UtcMillis::new(reads.checked_add_signed(wrong_ms).unwrap());
        match kind {
            Unproven::Window(quality) => {
                self.push_windows(number, number + 1, quality, Some(wrong_ms));
            }
            Unproven::WindowWithoutTime => {
                self.push_windows(number, number + 1, TimeQuality::Unknown, None);
            }
            Unproven::WindowWithoutReadings => {
                self.clock_ms = Some(wrong_ms);
                self.push_bare(number, |_| {});
                self.clock_ms = Some(0);
            }
            Unproven::Boot => {
                self.quality = TimeQuality::Informative;
                self.boot(reads);
                self.quality = TimeQuality::Synchronised;
                self.push_window(number);
            }
            Unproven::Gap => {
                let gap = self.gap(reads);
                self.push(ChainRecord::Gap(gap));
                self.push_window(number);
            }
        }
    }

    fn gap(&self, time: Option<UtcMillis>) -> Gap {
        Gap {
            meter: self.id(),
            chain_index: ChainIndex::new(self.chain.len() as u64).unwrap(),
            previous: self.last_digest(),
            boot: BootCounter::new(1).unwrap(),
            time,
            kind: GapKind::Readings,
            first_index: ChainIndex::new(1).unwrap(),
            last_index: ChainIndex::new(1).unwrap(),
            first_sequence: Sequence::new(1),
            last_sequence: Sequence::new(60),
            produced_open: MilliwattHours::ZERO,
            produced_close: MilliwattHours::new(WINDOW_MWH).unwrap(),
            last_digest: Hash::ZERO,
        }
    }
}

fn first_hour() -> Question {
    between(START_MS, START_MS + HOUR_MS)
}

fn cut_shows_no_end(report: &Report) -> bool {
    matches!(report.missing.last(), Some(Missing::After { .. }))
}

#[test]
fn cut_at_a_record_that_reads_past_the_end() {
    for kind in UNPROVEN {
        let mut history = History::of_windows(2);
        history.push_unproven(2, kind, 5 * HOUR_MS as i64);
        history.push_windows(3, 9, TimeQuality::Synchronised, Some(0));
        let mut audit = history.begin(first_hour());
        audit.records(&history.body(&[0, 1, 2]));
        audit.records(&history.body(&[3]));
        assert!(!audit.is_past_the_end(), "{kind:?}");
        let report = audit.finish();
        assert!(cut_shows_no_end(&report), "{kind:?}: {report}");
        assert_eq!(report.verdict, Verdict::Incomplete, "{kind:?}");

        let report = history.ask(first_hour(), &history.places());
        assert_eq!(report.energy_mwh, 6 * WINDOW_MWH, "{kind:?}: {report}");
        assert!(!cut_shows_no_end(&report), "{kind:?}: {report}");
    }
}

#[test]
fn cut_at_a_record_that_reads_before_the_start() {
    let question = between(NOON_MS, NOON_MS + HOUR_MS);
    for kind in UNPROVEN {
        // Window 144 begins at noon; the third after it is said to be of the morning.
        let mut history = History::of_windows(146);
        history.push_unproven(146, kind, -(5 * HOUR_MS as i64));
        history.push_windows(147, 156, TimeQuality::Synchronised, Some(0));
        let shown_from = |first: usize| {
            let places: Vec<usize> = (first..history.chain.len()).collect();
            history.ask(question, &places)
        };
        let report = shown_from(147);
        assert!(
            matches!(report.missing[0], Missing::Before { .. }),
            "{kind:?}: {report}"
        );
        let report = shown_from(140);
        assert_eq!(report.energy_mwh, 6 * WINDOW_MWH, "{kind:?}: {report}");
        assert!(
            !matches!(report.missing.first(), Some(Missing::Before { .. })),
            "{kind:?}: {report}"
        );
    }
}

#[test]
fn windows_between_two_synchronised_times_lie_there_whatever_their_own_clock_says() {
    for wrong_ms in [
        Some(0),
        Some(30 * HOUR_MS as i64),
        Some(-(HOUR_MS as i64)),
        None,
    ] {
        let mut history = History::of_windows(1);
        let quality = wrong_ms.map_or(TimeQuality::Unknown, |_| TimeQuality::Informative);
        history.push_windows(1, 4, quality, wrong_ms);
        history.push_windows(4, 20, TimeQuality::Synchronised, Some(0));
        let ask = |from, to| {
            let question = between(START_MS + from * HOUR_MS, START_MS + to * HOUR_MS);
            history.ask(question, &history.places())
        };
        let report = ask(0, 1);
        assert_eq!(report.verdict, Verdict::Complete, "{report}");
        assert_eq!(report.energy_mwh, 6 * WINDOW_MWH, "{report}");
        assert_eq!(report.unplaced_windows, 0, "{report}");
        let report = ask(2, 3);
        assert_eq!(report.energy_mwh, 6 * WINDOW_MWH, "{report}");
        assert_eq!(report.unplaced_windows, 0, "{report}");
    }
}

#[test]
fn cut_before_the_start_of_a_time_without_an_end() {
    let history = two_days();
    let question = Question {
        from_ms: Some(NOON_MS),
        ..Question::default()
    };
    let shown_to = |last: usize| history.ask(question, &(0..=last).collect::<Vec<_>>());
    // Window 145 begins at noon.
    let report = shown_to(143);
    assert!(cut_shows_no_end(&report), "{report}");
    assert!(!report.to_string().contains("Grade"), "{report}");
    assert_eq!(shown_to(145).verdict, Verdict::Complete);
}

#[test]
fn a_time_that_nobody_kept_is_not_shown_as_that_of_the_energy() {
    let mut history = History::of_windows(1);
    let ahead_ms = 30 * HOUR_MS as i64;
    history.push_windows(1, 4, TimeQuality::Informative, Some(ahead_ms));
    history.push_windows(4, 6, TimeQuality::Synchronised, Some(0));
    let question = between(START_MS, START_MS + 4 * WINDOW_MS);
    let report = history.ask(question, &history.places());
    assert_eq!(report.windows, 4);
    let last_ms = START_MS + WINDOW_MS - 10_000;
    assert_eq!(report.last_time_ms, Some(last_ms), "{report}");
}

#[test]
fn windows_across_an_end_whose_clock_nobody_kept_stand_beside_the_energy() {
    let mut history = History::of_windows(5);
    history.push_windows(5, 8, TimeQuality::Informative, Some(0));
    history.push_windows(8, 14, TimeQuality::Synchronised, Some(0));
    let ask = |question| {
        let report = history.ask(question, &history.places());
        assert_eq!(report.verdict, Verdict::Complete, "{report}");
        (report.energy_mwh, report.unplaced_energy_mwh)
    };
    assert_eq!(ask(first_hour()), (5 * WINDOW_MWH, 3 * WINDOW_MWH));
    let second = between(START_MS + HOUR_MS, START_MS + 2 * HOUR_MS);
    assert_eq!(ask(second), (4 * WINDOW_MWH, 3 * WINDOW_MWH));
}

#[test]
fn a_meter_that_was_never_synchronised_can_show_its_whole_history_and_no_other() {
    let mut history = History::of_windows(0);
    history.chain.clear();
    history.readings.clear();
    history.quality = TimeQuality::Informative;
    history.boot(UtcMillis::new(START_MS));
    history.push_windows(0, 12, TimeQuality::Informative, Some(0));
    let whole = history.audit(&history.places());
    assert_eq!(whole.verdict, Verdict::Complete, "{whole}");
    assert_eq!(whole.energy_mwh, 12 * WINDOW_MWH);

    let (from_ms, to_ms) = (Some(START_MS), Some(START_MS + HOUR_MS));
    for (from_ms, to_ms) in [(from_ms, to_ms), (from_ms, None), (None, to_ms)] {
        let question = Question {
            from_ms,
            to_ms,
            ..Question::default()
        };
        let report = history.ask(question, &history.places());
        assert_eq!(report.verdict, Verdict::Incomplete, "{report}");
        assert_eq!(report.unplaced_energy_mwh, 12 * WINDOW_MWH, "{report}");
        let text = report.to_string();
        assert!(
            text.contains("no record shown has one") && text.contains("ask for the whole history"),
            "{text}"
        );
    }
}

#[test]
fn a_clock_that_was_lost_and_never_found_shows_no_end() {
    let mut history = History::of_windows(3);
    history.push_windows(3, 30, TimeQuality::Informative, Some(0));
    let report = history.ask(first_hour(), &history.places());
    assert!(
        matches!(
            report.missing[..],
            [Missing::After {
                unplaced_windows: 27,
                ..
            }]
        ),
        "{report}"
    );
    let text = report.to_string();
    assert!(
        text.contains("behind 2025-06-19 15:39:50 UTC: nothing says which of the 27 windows"),
        "{text}"
    );
    // What lies wholly behind the last synchronised time needs no later one.
    let from = Question {
        from_ms: Some(START_MS + 2 * WINDOW_MS),
        ..Question::default()
    };
    let report = history.ask(from, &history.places());
    assert_eq!(report.verdict, Verdict::Complete, "{report}");
    assert_eq!(report.energy_mwh, 28 * WINDOW_MWH);
}

#[test]
fn a_window_that_was_synchronised_half_way_counts_where_its_synchronised_readings_lie() {
    let mut history = History::of_windows(5);
    // From the thirty-first reading on there was a time server; before, the clock was a day behind.
    let first = history.chain.len() as u64 * 60 - 59;
    history.push_changed(5, |reading| {
        if reading.sequence.get() < first + 30 {
            reading.time_quality = TimeQuality::Informative;
            reading.time = UtcMillis::new(reading.time.unwrap().get() - 24 * HOUR_MS);
        }
        reading.produced = MilliwattHours::new(reading.sequence.get() * 10_000).unwrap();
    });
    history.push_windows(6, 14, TimeQuality::Synchronised, Some(0));
    let ask = |from_ms, to_ms| {
        let question = between(START_MS + from_ms, START_MS + to_ms);
        let report = history.ask(question, &history.places());
        assert_eq!(report.verdict, Verdict::Complete, "{report}");
        (report.energy_mwh, report.unplaced_energy_mwh)
    };
    assert_eq!(ask(0, HOUR_MS), (6 * WINDOW_MWH, 0));
    // Its first half may lie before, the second does not.
    let half = 5 * WINDOW_MS + WINDOW_MS / 2;
    assert_eq!(ask(0, half - 10_000), (5 * WINDOW_MWH, WINDOW_MWH));
    assert_eq!(ask(half, half + HOUR_MS), (7 * WINDOW_MWH, 0));
    assert_eq!(ask(HOUR_MS, 2 * HOUR_MS), (6 * WINDOW_MWH, 0));
}

#[test]
fn a_window_whose_ends_have_no_time_counts_where_its_synchronised_readings_lie() {
    let mut history = History::of_windows(5);
    history.push_changed(5, |reading| {
        if matches!(reading.sequence.get(), 301 | 360) {
            reading.time_quality = TimeQuality::Unknown;
            reading.time = None;
        }
        reading.produced = MilliwattHours::new(reading.sequence.get() * 10_000).unwrap();
    });
    let question = between(START_MS, START_MS + 5 * WINDOW_MS + MINUTE_MS);
    let report = history.ask(question, &history.places());
    assert_eq!(report.verdict, Verdict::Complete, "{report}");
    assert_eq!(report.energy_mwh, 6 * WINDOW_MWH);
}

#[test]
fn a_window_without_readings_is_missing_them_wherever_it_may_lie() {
    let mut history = History::of_windows(5);
    history.push_unproven(5, Unproven::WindowWithoutReadings, 5 * HOUR_MS as i64);
    history.push_windows(6, 12, TimeQuality::Synchronised, Some(0));
    let report = history.ask(first_hour(), &history.places());
    assert!(
        matches!(
            report.missing[..],
            [Missing::Readings { first_index: 6, .. }]
        ),
        "{report}"
    );
}

#[test]
fn withheld_window_across_the_end() {
    let history = two_days();
    let shown: Vec<usize> = (140..=150).collect();
    // The last shown ends ten seconds before the hour does, and the next begins with it.
    let ask = |late_ms| history.ask(between(NOON_MS, NOON_MS + HOUR_MS + late_ms), &shown);
    assert_eq!(ask(0).verdict, Verdict::Complete);
    assert!(ask(0).to_string().contains("would leave no mark"));
    assert!(cut_shows_no_end(&ask(1)), "{}", ask(1));
}

#[test]
fn a_synchronised_window_that_later_ones_contradict_stands_beside_the_energy() {
    let aside = |wrong_ms: i64, question| {
        let mut history = History::of_windows(8);
        history.push_windows(8, 9, TimeQuality::Synchronised, Some(wrong_ms));
        history.push_windows(9, 20, TimeQuality::Synchronised, Some(0));
        history.ask(question, &history.places()).unplaced_energy_mwh
    };
    let question = between(START_MS + HOUR_MS, START_MS + 2 * HOUR_MS);
    assert_eq!(aside(5 * HOUR_MS as i64, question), WINDOW_MWH);
    assert_eq!(aside(-(5 * HOUR_MS as i64), question), WINDOW_MWH);
}

#[test]
fn a_hole_before_the_first_window_shown_did_not_take_the_whole_register() {
    let mut history = History::of_windows(4);
    let from_ms = START_MS + 4 * WINDOW_MS;
    history.boot(UtcMillis::new(from_ms));
    history.push_windows(4, 8, TimeQuality::Synchronised, Some(0));
    let question = Question {
        from_ms: Some(from_ms),
        ..Question::default()
    };
    // The Boot at 5, and not the window after it.
    let report = history.ask(question, &[5, 7, 8, 9]);
    assert_eq!(report.missing_energy_mwh, 0, "{report}");
    assert!(
        matches!(
            report.missing[..],
            [Missing::Records {
                first_index: 6,
                energy_mwh: None,
                ..
            }]
        ),
        "{report}"
    );
}
