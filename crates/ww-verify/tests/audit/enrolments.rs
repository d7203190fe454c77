//! Whose word stands behind the windows: enrolments, consents, and what attests nothing.

use ww_verify::{Audit, Missing, Problem, Question, Report, Verdict};
use ww_wire::record::Record;
use ww_wire::*;

use crate::history::*;

#[test]
fn an_enrolment_forged_for_the_meter_is_refuted() {
    let history = History::of_windows(1);
    let mut audit = Audit::new(history.id(), history.meter.public(), Question::default()).unwrap();
    let payload = enrolment(&history.operator, &history.meter)
        .encode()
        .unwrap();
    audit.enrolments(&Key::new(3).sign(RecordType::Enrolment, &payload));
    assert!(matches!(
        audit.finish().problems[..],
        [Problem::BadSignature { .. }]
    ));
}

#[test]
fn the_meters_consent_is_told_from_the_operators_word() {
    let history = History::of_windows(1);
    let payload = enrolment(&history.operator, &history.meter)
        .encode()
        .unwrap();
    let audit_with = |consent: &[u8]| {
        let mut audit = history.begin(Question::default());
        audit.enrolments(consent);
        audit.records(&history.body(&history.places()));
        audit.finish()
    };
    let alone = |report: &Report| {
        report
            .trust
            .iter()
            .any(|line| line.contains("operator alone"))
    };
    let consent = history.meter.sign_in(Domain::EnrolmentAcceptance, &payload);
    let accepted = audit_with(&consent);
    assert_eq!(accepted.verdict, Verdict::Complete);
    assert!(!alone(&accepted));
    assert!(alone(&audit_with(&[])));
    let forged = Key::new(3).sign_in(Domain::EnrolmentAcceptance, &payload);
    assert_eq!(audit_with(&forged).verdict, Verdict::Refuted);
}

#[test]
fn windows_by_the_word_of_another_operator_are_refuted() {
    let history = History::of_windows(2);
    let by = |operator: &Key| {
        let question = Question {
            operator: Some(operator.public().id()),
            ..Question::default()
        };
        history.ask(question, &history.places())
    };
    assert_eq!(by(&history.operator).verdict, Verdict::Complete);
    let report = by(&Key::new(9));
    assert!(
        matches!(
            report.problems[..],
            [Problem::ForeignOperator {
                first_index: 1,
                windows: 2,
                ..
            }]
        ),
        "{report}"
    );
    assert_eq!(report.unbounded_energy_mwh, 2 * WINDOW_MWH);
    assert!(!report.to_string().contains("is proven"), "{report}");
}

#[test]
fn an_enrolment_that_no_window_names_says_nothing() {
    let mut history = History::of_windows(0);
    history.enrolment = Hash::ZERO;
    history.push_window(0);
    let report = history.audit(&history.places());
    assert!(report.grade.custody.contains("no enrolment"), "{report}");
    assert!(
        report
            .trust
            .iter()
            .any(|line| line.contains("no operator has vouched"))
    );
    assert_eq!(report.unbounded_energy_mwh, WINDOW_MWH);
    assert!(
        report.to_string().contains("unbounded: 0.6000 kWh"),
        "{report}"
    );
}

#[test]
fn an_enrolment_that_was_not_served_is_missing_and_refutes_nothing() {
    let history = History::of_windows(2);
    let mut audit = Audit::new(history.id(), history.meter.public(), Question::default()).unwrap();
    audit.records(&history.body(&history.places()));
    let report = audit.finish();
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert!(matches!(
        report.missing[..],
        [Missing::Enrolment {
            first_index: 1,
            windows: 2,
            ..
        }]
    ));
}

#[test]
fn bytes_in_the_place_of_an_attestation_attest_nothing() {
    let mut history = History::of_windows(0);
    let Some(ChainRecord::Boot(boot)) = history.chain.first_mut() else {
        unreachable!()
    };
    boot.attestation = Attestation([1; 64]);
    history.push_window(0);
    let report = history.audit(&history.places());
    assert_eq!(report.grade.firmware, "claimed");
    assert!(
        report
            .trust
            .iter()
            .any(|line| line.contains("no boot loader"))
    );
}
