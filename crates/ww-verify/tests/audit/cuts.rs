//! Any history, by any clocks, cut anywhere: what is called complete hides no energy.

use proptest::prelude::*;
use ww_verify::{Question, Verdict};
use ww_wire::*;

use crate::history::*;

/// How a window of the history came to be, and what its clock read.
#[derive(Clone, Copy, Debug)]
enum Step {
    Synchronised,
    /// By a clock that nobody kept, so many minutes wrong.
    Informative(i64),
    WithoutTime,
    WithoutReadings(i64),
    /// After a start whose clock was synchronised, or was not and so many minutes wrong.
    Started(Option<i64>),
}

fn step() -> impl Strategy<Value = Step> {
    let wrong_minutes = -90_i64..90;
    prop_oneof![
        6 => Just(Step::Synchronised),
        3 => wrong_minutes.clone().prop_map(Step::Informative),
        1 => Just(Step::WithoutTime),
        1 => wrong_minutes.clone().prop_map(Step::WithoutReadings),
        1 => proptest::option::of(wrong_minutes).prop_map(Step::Started),
    ]
}

impl History {
    fn of_steps(steps: &[Step]) -> Self {
        let mut history = Self::of_windows(0);
        for (number, step) in (0..).zip(steps) {
            let wrong_ms = |minutes: i64| minutes * MINUTE_MS as i64;
            match *step {
                Step::Synchronised => {}
                Step::Informative(minutes) | Step::WithoutReadings(minutes) => {
                    history.quality = TimeQuality::Informative;
                    history.clock_ms = Some(wrong_ms(minutes));
                }
                Step::WithoutTime => history.clock_ms = None,
                Step::Started(wrong_minutes) => {
                    let (quality, minutes) = match wrong_minutes {
                        None => (TimeQuality::Synchronised, 0),
                        Some(minutes) => (TimeQuality::Informative, minutes),
                    };
                    let time = START_MS + number * WINDOW_MS;
                    history.quality = quality;
                    history.boot(UtcMillis::new(
                        time.checked_add_signed(wrong_ms(minutes)).unwrap(),
                    ));
                    history.quality = TimeQuality::Synchronised;
                }
            }
            match step {
                Step::WithoutReadings(_) => history.push_bare(number, |_| {}),
                _ => history.push_window(number),
            }
            history.quality = TimeQuality::Synchronised;
            history.clock_ms = Some(0);
        }
        history
    }
}

/// The energy of the windows that truly lie in the time asked for, all shown or not.
fn true_mwh(question: Question, windows: usize) -> u64 {
    let starts = (0..windows as u64).map(|number| START_MS + number * WINDOW_MS);
    let inside = starts.filter(|start_ms| {
        let end_ms = start_ms + WINDOW_MS - 10_000;
        question.from_ms.is_none_or(|from_ms| end_ms >= from_ms)
            && question.to_ms.is_none_or(|to_ms| *start_ms < to_ms)
    });
    inside.count() as u64 * WINDOW_MWH
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_cut_hides_energy_from_a_complete_answer(
        steps in proptest::collection::vec(step(), 6..12),
        from in proptest::option::of(0_u64..12),
        slots in 1_u64..12,
        hole in (0_usize..14, 1_usize..3),
    ) {
        let history = History::of_steps(&steps);
        let half_windows = |count: u64| START_MS + count * WINDOW_MS / 2;
        let question = Question {
            from_ms: from.map(half_windows),
            to_ms: Some(half_windows(from.unwrap_or(0) + slots)),
            ..Question::default()
        };
        let truth = true_mwh(question, steps.len());

        let bodies: Vec<Vec<u8>> = history.places().iter().map(|at| history.bytes_of(*at)).collect();
        let ask = |shown: &[usize]| {
            let mut audit = history.begin(question);
            shown.iter().for_each(|place| audit.records(&bodies[*place]));
            audit.finish()
        };
        let all = history.places();
        let report = ask(&all);
        prop_assert!(report.problems.is_empty(), "{report}");
        prop_assert!(report.energy_mwh + report.unplaced_energy_mwh >= truth, "{report}");

        let (at, len) = hole;
        let with_hole = all.iter().copied().filter(|place| !(at..at + len).contains(place));
        let mut cuts = vec![all.clone(), with_hole.collect()];
        for at in 1..all.len() {
            cuts.extend([all[..at].to_vec(), all[at..].to_vec()]);
        }
        for cut in cuts {
            let report = ask(&cut);
            prop_assert!(report.energy_mwh <= truth, "{report}");
            let told = report.energy_mwh + report.unplaced_energy_mwh;
            prop_assert!(
                report.verdict != Verdict::Complete || told >= truth,
                "shown {cut:?}, true {truth} mWh\n{report}"
            );
        }
    }
}
