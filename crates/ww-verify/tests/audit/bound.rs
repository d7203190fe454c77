//! Energy against rated power: what is refuted, and what no honest meter is refuted for.

use ww_verify::{Problem, Question, Remark, Verdict};
use ww_wire::*;

use crate::history::*;

impl History {
    /// Appends a window over 60 readings, each changed before it is sealed.
    pub(crate) fn push_changed(&mut self, number: u64, change: impl Fn(&mut Reading)) {
        let opens_at = self.chain.iter().rev().find_map(|record| match record {
            ChainRecord::Window(window) => Some(window.produced_close),
            _ => None,
        });
        let first = number * 60 + 1;
        let changed = |sequence| {
            let mut reading = self.reading(sequence, 10_000);
            change(&mut reading);
            reading
        };
        let all: Vec<Reading> = (first..first + 60).map(changed).collect();
        let window = window_over(
            self.chain.len() as u64,
            self.last_digest(),
            opens_at.unwrap_or(MilliwattHours::ZERO),
            self.enrolment,
            &all,
        );
        self.readings.push(all);
        self.push(ChainRecord::Window(window));
    }

    /// Appends a window in which the counter stands.
    fn push_still(&mut self, number: u64, produced_mwh: u64, flags: ReadingFlags) {
        self.push_changed(number, |reading| still(reading, produced_mwh, flags));
    }
}

fn still(reading: &mut Reading, produced_mwh: u64, flags: ReadingFlags) {
    reading.produced = MilliwattHours::new(produced_mwh).unwrap();
    reading.flags = flags;
    if flags.intersects(ReadingFlags::FAILED) {
        reading.power = None;
        reading.import_total = None;
        reading.export_total = None;
        reading.voltage = None;
        reading.reactive_power = None;
    }
}

/// What 5 kW × 1.35 can be in so many minutes, a little less.
const fn most_mwh(minutes: u64) -> u64 {
    minutes * 112_000
}

#[test]
fn more_energy_than_the_nameplate_allows_is_refuted() {
    let mut history = History::of_windows(0);
    // 5 kW × 1.35 × 10 s = 18.75 Wh at the most.
    let first = history.window(0, 60, 20_700);
    history.push(first);
    let second = history.window(1, 60, 20_700);
    history.push(second);
    let report = history.audit(&history.places());
    assert!(matches!(
        report.problems[..],
        [
            Problem::Implausible { index: 1, .. },
            Problem::Implausible { index: 2, .. }
        ]
    ));
}

#[test]
fn energy_of_unknown_time_is_unbounded_and_not_refuted() {
    let mut history = History::of_windows(1);
    history.clock_ms = None;
    history.push_window(1);
    let report = history.audit(&history.places());
    assert_eq!(report.verdict, Verdict::Complete, "{report}");
    assert_eq!(report.unbounded_energy_mwh, WINDOW_MWH);
}

#[test]
fn the_first_window_shown_after_an_outage_is_unbounded_and_not_refuted() {
    let mut history = History::of_windows(5);
    history.push_still(5, 9_000_000, ReadingFlags::NONE);
    let question = Question {
        from_ms: Some(START_MS + 5 * WINDOW_MS + 1),
        ..Question::default()
    };
    let report = history.ask(question, &[6]);
    assert_eq!(report.problems, []);
    assert_eq!(report.unbounded_energy_mwh, 6_000_000);
}

#[test]
fn a_clock_that_steps_back_does_not_refute_an_honest_meter() {
    let mut history = History::of_windows(2);
    history.clock_ms = Some(-590_000);
    history.push_window(2);
    let report = history.audit(&history.places());
    assert_eq!(report.problems, []);
    assert!(matches!(
        report.remarks[..],
        [Remark::TimeWentBack { index: 3, .. }]
    ));
}

#[test]
fn a_reboot_without_a_time_server_does_not_refute_an_honest_meter() {
    let mut history = History::of_windows(6);
    // The clock comes up twenty minutes back, and the increment waits for an hour.
    let counted = 6 * WINDOW_MWH;
    history.quality = TimeQuality::Informative;
    history.clock_ms = Some(-20 * MINUTE_MS as i64);
    history.boot(UtcMillis::new(START_MS + 40 * MINUTE_MS));
    for number in 6..12 {
        history.push_still(number, counted, ReadingFlags::INCREMENT_PENDING);
    }
    let released = counted + most_mwh(60);
    history.push_still(12, released, ReadingFlags::NONE);
    let report = history.audit(&history.places());
    assert_eq!(report.problems, []);
    assert_eq!(report.unbounded_energy_mwh, most_mwh(60));
    // The counter was counted now: the bound holds again.
    history.push_still(13, released + most_mwh(30), ReadingFlags::NONE);
    let report = history.audit(&history.places());
    assert!(
        matches!(
            report.problems[..],
            [Problem::Implausible { index: 15, .. }]
        ),
        "{report}"
    );
}

#[test]
fn a_reboot_from_a_clock_that_ran_ahead_does_not_refute_an_honest_meter() {
    let mut history = History::of_windows(1);
    history.quality = TimeQuality::Informative;
    history.clock_ms = Some(60 * MINUTE_MS as i64);
    history.push_window(1);
    // It was down for an hour and a half; now there is a time server.
    history.quality = TimeQuality::Synchronised;
    history.clock_ms = Some(90 * MINUTE_MS as i64);
    history.boot(UtcMillis::new(START_MS + 110 * MINUTE_MS));
    let released = 2 * WINDOW_MWH + most_mwh(90);
    history.push_still(2, released, ReadingFlags::NONE);
    let report = history.audit(&history.places());
    assert_eq!(report.problems, []);
}

/// Three hours without the sensor, in whose middle something is done to the window `number`.
fn three_hours_out_of_reach(middle: impl Fn(&mut History, u64)) -> History {
    let mut history = History::of_windows(1);
    for number in 1..19 {
        match number {
            10 => middle(&mut history, number),
            _ => history.push_still(number, WINDOW_MWH, ReadingFlags::SENSOR_UNREACHABLE),
        }
    }
    history.push_still(19, WINDOW_MWH + most_mwh(180), ReadingFlags::NONE);
    history
}

#[test]
fn a_clock_set_back_while_the_sensor_is_out_of_reach_does_not_refute_an_honest_meter() {
    let set_back = |history: &mut History, number: u64| {
        history.clock_ms = Some(-(HOUR_MS as i64));
        let first = number * 60 + 1;
        history.push_changed(number, |reading| {
            let stepped = match reading.sequence.get() == first {
                true => ReadingFlags::CLOCK_STEPPED,
                false => ReadingFlags::NONE,
            };
            let flags = ReadingFlags::SENSOR_UNREACHABLE.with(stepped);
            still(reading, WINDOW_MWH, flags);
        });
    };
    let mut history = three_hours_out_of_reach(set_back);
    let report = history.audit(&history.places());
    assert_eq!(report.problems, []);
    assert_eq!(report.unbounded_energy_mwh, most_mwh(180));
    // Nor where the window that tells of it lost its readings.
    history.readings[11].clear();
    let report = history.audit(&history.places());
    assert_eq!(report.problems, []);
}

#[test]
fn a_clock_set_back_after_the_counter_was_counted_does_not_refute_an_honest_meter() {
    const BACK_MS: u64 = 5 * MINUTE_MS;
    let mut history = History::of_windows(1);
    // Counted in its first half; then the sensor is gone, and the clock is set back.
    history.push_changed(1, |reading| {
        let sequence = reading.sequence.get();
        let flags = match sequence {
            ..=90 => ReadingFlags::NONE,
            100 => ReadingFlags::SENSOR_UNREACHABLE.with(ReadingFlags::CLOCK_STEPPED),
            _ => ReadingFlags::SENSOR_UNREACHABLE,
        };
        still(reading, WINDOW_MWH, flags);
        if sequence >= 100 {
            reading.time = UtcMillis::new(reading.time.unwrap().get() - BACK_MS);
        }
    });
    history.clock_ms = Some(-(BACK_MS as i64));
    for number in 2..14 {
        history.push_still(number, WINDOW_MWH, ReadingFlags::SENSOR_UNREACHABLE);
    }
    history.push_still(14, WINDOW_MWH + most_mwh(135), ReadingFlags::NONE);
    let report = history.audit(&history.places());
    assert_eq!(report.problems, []);
}

#[test]
fn a_catch_up_by_a_clock_that_stood_firm_is_bounded() {
    let unreachable = |history: &mut History, number: u64| {
        history.push_still(number, WINDOW_MWH, ReadingFlags::SENSOR_UNREACHABLE);
    };
    let mut history = three_hours_out_of_reach(unreachable);
    let report = history.audit(&history.places());
    assert_eq!((report.problems, report.unbounded_energy_mwh), (vec![], 0));
    // Half an hour's energy in ten minutes.
    history.push_still(20, WINDOW_MWH + most_mwh(180 + 30), ReadingFlags::NONE);
    let report = history.audit(&history.places());
    assert!(matches!(
        report.problems[..],
        [Problem::Implausible { index: 21, .. }]
    ));
}

#[test]
fn energy_withheld_before_a_window_that_adds_none() {
    let mut history = History::of_windows(1);
    let hidden = WINDOW_MWH + most_mwh(600);
    history.push_still(1, hidden, ReadingFlags::NONE);
    history.push_still(2, hidden, ReadingFlags::NONE);
    history.push_still(3, hidden + WINDOW_MWH, ReadingFlags::NONE);
    let report = history.audit(&[0, 1, 3, 4]);
    assert!(
        matches!(
            report.problems[..],
            [Problem::Implausible { index: 3, energy_mwh, .. }] if energy_mwh == most_mwh(600)
        ),
        "{report}"
    );
}

#[test]
fn energy_withheld_before_windows_that_do_not_see_the_counter() {
    let mut history = History::of_windows(1);
    let hidden = WINDOW_MWH + most_mwh(18);
    history.push_still(1, hidden, ReadingFlags::NONE);
    // What is withheld fits into its time, and so does what follows, but not both together.
    for number in 2..8 {
        history.push_still(number, hidden, ReadingFlags::SENSOR_UNREACHABLE);
    }
    history.push_still(8, hidden + most_mwh(75), ReadingFlags::NONE);
    let places: Vec<usize> = (0..10).filter(|place| *place != 2).collect();
    let report = history.audit(&places);
    assert!(
        matches!(report.problems[..], [Problem::Implausible { index: 9, .. }]),
        "{report}"
    );
}

#[test]
fn a_day_withheld_before_a_night_does_not_refute_the_morning() {
    let mut history = History::of_windows(30);
    let evening = 30 * WINDOW_MWH;
    for number in 30..32 {
        history.push_still(number, evening, ReadingFlags::NONE);
    }
    history.push_still(32, evening + most_mwh(9), ReadingFlags::NONE);
    let places: Vec<usize> = (0..34).filter(|place| !(2..31).contains(place)).collect();
    let report = history.audit(&places);
    assert_eq!(report.problems, []);
    assert_eq!(report.unbounded_energy_mwh, 0);
}

#[test]
fn a_clock_set_back_behind_a_hole_does_not_refute_an_honest_meter() {
    let mut history = History::of_windows(1);
    history.quality = TimeQuality::Informative;
    history.push_window(1);
    // Set back by an hour in records that are not shown.
    history.clock_ms = Some(-(HOUR_MS as i64));
    let counted = 2 * WINDOW_MWH;
    for number in 2..20 {
        history.push_still(number, counted, ReadingFlags::SENSOR_UNREACHABLE);
    }
    history.push_still(20, counted + most_mwh(180), ReadingFlags::NONE);
    let places: Vec<usize> = (0..22).filter(|place| !(3..15).contains(place)).collect();
    let report = history.audit(&places);
    assert_eq!(report.problems, []);
}
