//! The time asked for: its two ends, what lies in it, and clocks that cannot be relied on.

use ww_verify::{Audit, AuditError, Missing, Question, Remark, Verdict};
use ww_wire::*;

use crate::history::*;

#[test]
fn an_hour_of_two_days_is_an_hour() {
    let history = two_days();
    let places: Vec<usize> = (100..200).collect();
    let report = history.ask(between(NOON_MS, NOON_MS + HOUR_MS), &places);
    assert_eq!(report.verdict, Verdict::Complete, "{report}");
    assert_eq!(report.energy_mwh, 6 * WINDOW_MWH);
    assert_eq!((report.windows, report.readings), (6, 360));
    assert_eq!(report.grade.checked_readings, 360);
    assert_eq!(report.first_time_ms, Some(NOON_MS));
    assert_eq!(report.last_time_ms, Some(NOON_MS + HOUR_MS - 10_000));
    assert_eq!(report.records, 100);
}

#[test]
fn a_window_across_an_edge_counts_in_full() {
    let history = two_days();
    let question = between(NOON_MS + 60_000, NOON_MS + WINDOW_MS + 1);
    let report = history.ask(question, &(100..200).collect::<Vec<_>>());
    assert_eq!(report.energy_mwh, 2 * WINDOW_MWH);
    assert!(report.to_string().contains("whole windows"), "{report}");
}

#[test]
fn what_is_missing_elsewhere_is_not_missing_in_the_time_asked_for() {
    let history = two_days();
    let question = between(NOON_MS, NOON_MS + HOUR_MS);
    let holes = |from: usize| {
        let shown: Vec<usize> = (100..200)
            .filter(|n| !(from..from + 3).contains(n))
            .collect();
        history.ask(question, &shown).missing.len()
    };
    // Window 145 begins at noon.
    assert_eq!((holes(120), holes(170)), (0, 0));
    assert_eq!((holes(144), holes(150)), (1, 1));
}

#[test]
fn a_time_that_ends_before_it_begins_is_no_question() {
    let history = History::of_windows(0);
    let question = between(NOON_MS, NOON_MS);
    let audit = Audit::new(history.id(), history.meter.public(), question);
    assert_eq!(audit.unwrap_err(), AuditError::EmptyTime);
}

#[test]
fn withheld_window_at_the_start_of_the_time_asked_for() {
    let history = two_days();
    let question = between(NOON_MS, NOON_MS + HOUR_MS);
    let shown_from = |first: usize| history.ask(question, &(first..200).collect::<Vec<_>>());
    // Window 145 begins at noon: all before it lies before noon.
    for first in [144, 145] {
        assert_eq!(shown_from(first).verdict, Verdict::Complete);
    }
    assert!(matches!(
        shown_from(146).missing[..],
        [Missing::Before { .. }]
    ));
}

#[test]
fn a_history_from_its_first_record_on_lacks_no_beginning() {
    let history = History::of_windows(4);
    let question = Question {
        from_ms: Some(START_MS - HOUR_MS),
        ..Question::default()
    };
    let report = history.ask(question, &history.places());
    assert_eq!(report.verdict, Verdict::Complete, "{report}");
}

#[test]
fn withheld_tail_of_the_time_asked_for() {
    let history = two_days();
    let question = between(NOON_MS, NOON_MS + HOUR_MS);
    let shown_to = |last: usize| history.ask(question, &(140..=last).collect::<Vec<_>>());
    assert_eq!(shown_to(150).verdict, Verdict::Complete);
    assert!(matches!(shown_to(149).missing[..], [Missing::After { .. }]));
    let mark = "were they withheld, would leave no mark";
    assert!(shown_to(150).to_string().contains(mark));
    assert!(!shown_to(151).to_string().contains(mark));
}

/// Three windows of which the clock puts the second a year ahead.
fn ahead_for_a_window() -> History {
    let mut history = History::of_windows(1);
    history.clock_ms = Some(365 * 24 * 3_600_000);
    history.push_window(1);
    history.clock_ms = Some(0);
    history.push_window(2);
    history
}

#[test]
fn future_window_that_would_end_the_fetch() {
    let history = ahead_for_a_window();
    let mut audit = history.begin(between(START_MS, START_MS + HOUR_MS));
    audit.records(&history.body(&[0, 1, 2]));
    assert!(!audit.is_past_the_end());
    audit.records(&history.body(&[3]));
    assert!(!audit.is_past_the_end());
    let report = audit.finish();
    assert!(
        matches!(report.missing[..], [Missing::After { .. }]),
        "{report}"
    );
    assert!(matches!(
        report.remarks[..],
        [Remark::TimeWentBack { index: 3, .. }]
    ));
}

#[test]
fn a_window_dated_after_the_audit_does_not_say_when_it_was_made() {
    let history = ahead_for_a_window();
    let question = Question {
        now_ms: Some(START_MS + HOUR_MS),
        ..between(START_MS, START_MS + HOUR_MS)
    };
    let mut audit = history.begin(question);
    audit.records(&history.body(&[0, 1]));
    audit.records(&history.body(&[2]));
    assert!(!audit.is_past_the_end());
    let report = audit.finish();
    assert!(matches!(
        report.remarks[..],
        [Remark::FutureTime { index: 2, .. }]
    ));
    assert!(matches!(report.missing[..], [Missing::After { .. }]));
    assert_eq!(report.energy_mwh, WINDOW_MWH);
    assert_eq!(report.unplaced_energy_mwh, WINDOW_MWH);
}

#[test]
fn a_part_wholly_after_the_time_asked_for_ends_the_fetch() {
    let history = two_days();
    let mut audit = history.begin(between(NOON_MS, NOON_MS + HOUR_MS));
    audit.records(&history.body(&[143, 144, 145, 150, 151]));
    assert!(!audit.is_past_the_end());
    audit.records(&history.body(&[152, 153]));
    assert!(audit.is_past_the_end());
}

#[test]
fn a_window_of_unknown_time_is_told_apart_where_it_may_lie_in_the_time_asked_for() {
    let mut history = History::of_windows(2);
    history.clock_ms = None;
    history.push_window(2);
    history.clock_ms = Some(0);
    (3..12).for_each(|number| history.push_window(number));
    let ask = |from_ms, to_ms| {
        let question = between(START_MS + from_ms, START_MS + to_ms);
        let report = history.ask(question, &history.places());
        assert_eq!(report.verdict, Verdict::Complete, "{report}");
        (report.energy_mwh, report.unplaced_energy_mwh)
    };
    let middle = 2 * WINDOW_MS + WINDOW_MS / 2;
    assert_eq!(ask(middle, 6 * WINDOW_MS), (3 * WINDOW_MWH, WINDOW_MWH));
    assert_eq!(ask(0, middle), (2 * WINDOW_MWH, WINDOW_MWH));
    // Before or after it, and all around it.
    assert_eq!(ask(0, WINDOW_MS), (WINDOW_MWH, 0));
    assert_eq!(ask(6 * WINDOW_MS, 9 * WINDOW_MS), (3 * WINDOW_MWH, 0));
    assert_eq!(ask(WINDOW_MS, 6 * WINDOW_MS), (5 * WINDOW_MWH, 0));
}

#[test]
fn windows_withheld_before_a_boot_whose_clock_was_restored() {
    let mut history = History::of_windows(0);
    let push = |history: &mut History, numbers: std::ops::Range<u64>| {
        for number in numbers {
            let window = history.window(number, 60, 1_000);
            history.push(window);
        }
    };
    push(&mut history, 0..6);
    // Power is lost after an hour; the clock comes up half an hour back, and stays there a while.
    history.quality = TimeQuality::Informative;
    history.clock_ms = Some(-33 * MINUTE_MS as i64);
    history.boot(UtcMillis::new(START_MS + 27 * MINUTE_MS));
    push(&mut history, 6..8);
    history.quality = TimeQuality::Synchronised;
    history.clock_ms = Some(0);
    push(&mut history, 8..10);
    let question = Question {
        from_ms: Some(START_MS + 30 * MINUTE_MS),
        ..Question::default()
    };
    // Shown up to the twentieth minute, and up to the thirtieth: the Boot is dated before it.
    for shown in [2, 3] {
        let places = (0..=shown).chain(7..12).collect::<Vec<_>>();
        let report = history.ask(question, &places);
        assert!(
            matches!(report.missing[..], [Missing::Records { last_index: 6, .. }]),
            "{report}"
        );
        assert_eq!(report.verdict, Verdict::Incomplete, "{report}");
    }
}

/// Eight windows; the clock is five hours ahead in the second.
fn five_hours_ahead(quality: TimeQuality) -> History {
    let mut history = History::of_windows(1);
    history.quality = quality;
    history.clock_ms = Some(5 * HOUR_MS as i64);
    history.push_window(1);
    history.quality = TimeQuality::Synchronised;
    history.clock_ms = Some(0);
    (2..8).for_each(|number| history.push_window(number));
    history
}

#[test]
fn windows_withheld_behind_a_clock_that_ran_ahead() {
    // That the clock was synchronised then is a claim which what follows contradicts.
    for quality in [TimeQuality::Informative, TimeQuality::Synchronised] {
        let history = five_hours_ahead(quality);
        let report = history.ask(
            between(START_MS, START_MS + HOUR_MS),
            &[0, 1, 2, 5, 6, 7, 8],
        );
        assert!(
            matches!(
                report.missing[..],
                [Missing::Records {
                    first_index: 3,
                    last_index: 4,
                    ..
                }]
            ),
            "{report}"
        );
    }
}

#[test]
fn a_hole_beside_windows_without_readings_may_lie_anywhere() {
    let mut history = two_days();
    let question = between(NOON_MS, NOON_MS + HOUR_MS);
    let shown: Vec<usize> = (100..200).filter(|place| *place != 120).collect();
    assert_eq!(history.ask(question, &shown).missing, []);
    history.readings[121..200].fill(Vec::new());
    assert!(matches!(
        history.ask(question, &shown).missing[0],
        Missing::Records {
            first_index: 120,
            ..
        }
    ));
}

#[test]
fn a_window_of_unknown_time_behind_a_clock_that_ran_ahead_may_lie_in_the_time_asked_for() {
    let ask = |quality| {
        let mut history = History::of_windows(1);
        history.quality = quality;
        history.clock_ms = Some(5 * HOUR_MS as i64);
        history.push_window(1);
        history.clock_ms = None;
        history.push_window(2);
        history.quality = TimeQuality::Synchronised;
        history.clock_ms = Some(0);
        (3..8).for_each(|number| history.push_window(number));
        let question = between(START_MS, START_MS + HOUR_MS);
        let report = history.ask(question, &history.places());
        (report.energy_mwh, report.unplaced_energy_mwh)
    };
    // Nobody kept the clock: the times around the two say where they lie.
    assert_eq!(ask(TimeQuality::Informative), (6 * WINDOW_MWH, 0));
    // One of two synchronised times is wrong, and nothing says which.
    let torn = (4 * WINDOW_MWH, 2 * WINDOW_MWH);
    assert_eq!(ask(TimeQuality::Synchronised), torn);
}
