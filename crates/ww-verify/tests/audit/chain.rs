//! What the chain alone shows: signatures, links, holes, and readings against their windows.

use ww_verify::{Missing, Problem, Verdict};
use ww_wire::*;

use crate::history::*;

#[test]
fn an_honest_history_is_complete() {
    let history = History::of_windows(5);
    let report = history.audit(&history.places());
    assert_eq!(report.problems, []);
    assert_eq!(report.missing, []);
    assert_eq!(report.verdict, Verdict::Complete);
    assert_eq!(report.energy_mwh, 5 * 60 * 10_000);
    assert_eq!(report.grade.checked_readings, 300);
}

#[test]
fn altered_reading() {
    let mut history = History::of_windows(3);
    history.readings[2][30].power = Milliwatts::new(3_600_001);
    let report = history.audit(&history.places());
    assert!(matches!(
        report.problems[..],
        [Problem::WrongReadings { index: 2, .. }]
    ));
    assert_eq!(report.verdict, Verdict::Refuted);
}

#[test]
fn left_out_reading() {
    let mut history = History::of_windows(3);
    history.readings[2].pop();
    let report = history.audit(&history.places());
    assert!(matches!(
        report.problems[..],
        [Problem::WrongReadings { index: 2, .. }]
    ));
}

#[test]
fn spliced_window() {
    let mut history = History::of_windows(3);
    let ChainRecord::Window(mut foreign) = history.chain[2] else {
        unreachable!()
    };
    foreign.previous = Hash([9; 32]);
    history.chain[2] = ChainRecord::Window(foreign);
    let report = history.audit(&history.places());
    assert!(matches!(
        report.problems[0],
        Problem::BrokenLink { index: 2, .. }
    ));
}

#[test]
fn replayed_window() {
    let history = History::of_windows(3);
    let report = history.audit(&[0, 1, 2, 2, 3]);
    assert!(matches!(
        report.problems[0],
        Problem::OutOfOrder { index: 2, after: 2 }
    ));
}

#[test]
fn window_signed_by_another_key() {
    let mut history = History::of_windows(3);
    let honest: Vec<u8> = [0, 1]
        .iter()
        .flat_map(|place| history.bytes_of(*place))
        .collect();
    let payload = history.chain[2].encode().unwrap();
    history.meter = Key::new(2);
    let forged = Key::new(3).sign(RecordType::Window, &payload);
    let report = history.audit_of(&[honest, forged].concat());
    assert!(
        matches!(&report.problems[..], [Problem::BadSignature { record }] if record == "window 2")
    );
}

#[test]
fn signature_of_another_domain() {
    let history = History::of_windows(1);
    let payload = history.chain[1].encode().unwrap();
    let forged = history.meter.sign(RecordType::Boot, &payload);
    let report = history.audit_of(&[history.bytes_of(0), forged].concat());
    assert!(matches!(
        report.problems[..],
        [Problem::BadSignature { .. }]
    ));
}

#[test]
fn a_window_left_out_is_missing_and_undeclared() {
    let history = History::of_windows(4);
    let report = history.audit(&[0, 1, 3, 4]);
    assert_eq!(report.problems, []);
    assert_eq!(
        report.missing,
        [Missing::Records {
            first_index: 2,
            last_index: 2,
            declared: false,
            energy_mwh: Some(600_000),
        }]
    );
    assert_eq!(report.verdict, Verdict::Incomplete);
}

#[test]
fn withheld_beginning() {
    let history = History::of_windows(4);
    let report = history.audit(&[2, 3, 4]);
    assert_eq!(
        report.missing,
        [Missing::Records {
            first_index: 0,
            last_index: 1,
            declared: false,
            energy_mwh: Some(WINDOW_MWH),
        }]
    );
    assert_eq!(report.verdict, Verdict::Incomplete);
}

/// The Gap with which a meter of four windows gives up the second one.
fn loss_of_record_2(history: &History, last_digest: Hash) -> Gap {
    Gap {
        meter: history.id(),
        chain_index: ChainIndex::new(5).unwrap(),
        previous: history.last_digest(),
        boot: BootCounter::new(1).unwrap(),
        time: None,
        kind: GapKind::Records,
        first_index: ChainIndex::new(2).unwrap(),
        last_index: ChainIndex::new(2).unwrap(),
        first_sequence: Sequence::new(61),
        last_sequence: Sequence::new(120),
        produced_open: MilliwattHours::new(600_000).unwrap(),
        produced_close: MilliwattHours::new(1_200_000).unwrap(),
        last_digest,
    }
}

#[test]
fn a_loss_that_the_meter_declared_says_so() {
    let mut history = History::of_windows(4);
    let gap = loss_of_record_2(&history, history.chain[2].encode().unwrap().digest());
    history.push(ChainRecord::Gap(gap));
    let report = history.audit(&[0, 1, 3, 4, 5]);
    assert!(matches!(
        report.missing[..],
        [Missing::Records { declared: true, .. }]
    ));
}

#[test]
fn a_declared_loss_that_ends_in_another_record_is_refuted() {
    let mut history = History::of_windows(4);
    let gap = loss_of_record_2(&history, Hash([9; 32]));
    history.push(ChainRecord::Gap(gap));
    let report = history.audit(&[0, 1, 3, 4, 5]);
    assert!(matches!(
        report.problems[..],
        [Problem::BrokenLink { index: 3, .. }]
    ));
}

#[test]
fn energy_between_two_windows_is_refuted() {
    let mut history = History::of_windows(1);
    let ChainRecord::Window(mut second) = history.window(1, 60, 10_000) else {
        unreachable!()
    };
    second.produced_open = MilliwattHours::new(600_001).unwrap();
    history.push(ChainRecord::Window(second));
    let report = history.audit(&history.places());
    assert!(
        report
            .problems
            .iter()
            .any(|p| matches!(p, Problem::Discontinuous { index: 2, .. }))
    );
}

#[test]
fn a_hole_before_a_boot_does_not_refute_an_honest_meter() {
    let mut history = History::of_windows(3);
    history.boot(UtcMillis::new(START_MS + 3 * WINDOW_MS));
    history.push_window(3);
    let report = history.audit(&[0, 1, 4, 5]);
    assert_eq!(report.problems, []);
    assert_eq!(report.missing_energy_mwh, 2 * WINDOW_MWH);
    assert_eq!(report.energy_mwh, 2 * WINDOW_MWH);
    assert!(
        report.to_string().contains("1.2000 kWh in missing records"),
        "{report}"
    );
}

#[test]
fn energy_that_falls_over_a_hole_is_refuted() {
    let mut history = History::of_windows(3);
    history.push_bare(3, |window| {
        window.produced_open = MilliwattHours::new(WINDOW_MWH - 1).unwrap();
    });
    let report = history.audit(&[0, 1, 4]);
    assert!(matches!(
        report.problems[..],
        [Problem::Discontinuous { index: 4, .. }]
    ));
}

#[test]
fn numbers_that_repeat_over_a_hole_are_refuted() {
    let mut history = History::of_windows(3);
    history.boot(None);
    history.push_bare(3, |window| {
        window.first_sequence = Sequence::new(60).unwrap();
        window.last_sequence = Sequence::new(119).unwrap();
    });
    let report = history.audit(&[0, 1, 4, 5]);
    assert!(matches!(
        report.problems[..],
        [Problem::Discontinuous { index: 5, .. }]
    ));
}

#[test]
fn energies_beyond_their_field_are_a_problem_and_no_panic() {
    let mut history = History::of_windows(0);
    for number in [0, 1] {
        history.push_bare(number, |window| {
            window.produced_open = MilliwattHours::ZERO;
            window.produced_close = MilliwattHours::MAX;
        });
    }
    let report = history.audit(&history.places());
    assert!(
        report
            .problems
            .contains(&Problem::EnergyOverflow { index: 2 })
    );
    assert_eq!(report.verdict, Verdict::Refuted);
}

#[test]
fn a_cut_body_is_unreadable_and_never_a_panic() {
    let history = History::of_windows(1);
    let body: Vec<u8> = history
        .places()
        .iter()
        .flat_map(|p| history.bytes_of(*p))
        .collect();
    for len in 0..body.len() {
        let report = history.audit_of(&body[..len]);
        let whole_records = report.problems.is_empty();
        assert!(
            report.verdict != Verdict::Complete || whole_records,
            "cut at {len}"
        );
        assert!(report.energy_mwh == 0 || len > 300, "cut at {len}");
    }
}

#[test]
fn a_body_of_nothing_but_faults_does_not_fill_the_auditors_memory() {
    let history = History::of_windows(0);
    // Empty byte strings: readings without a window before them.
    let report = history.audit_of(&[0x40; 100_000]);
    assert_eq!(report.verdict, Verdict::Refuted);
    assert_eq!(report.problems.len(), 1_000);
}
