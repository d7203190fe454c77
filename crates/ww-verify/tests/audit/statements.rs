//! What operators said of the meter afterwards.

use ww_verify::{Problem, Question, Remark, Report, Statement, Verdict};
use ww_wire::record::Record;
use ww_wire::*;

use crate::history::*;

impl History {
    fn revocation(&self, operator: &Key, time_ms: u64) -> Vec<u8> {
        let revocation = Revocation {
            operator: operator.public().id(),
            meter: self.id(),
            time: UtcMillis::new(time_ms).unwrap(),
            reason: RevocationReason::KeyCompromise,
            note: Text::new("found in a bin").unwrap(),
        };
        operator.sign(RecordType::Revocation, &revocation.encode().unwrap())
    }

    fn correction(&self, first_sequence: u64, last_sequence: u64) -> Vec<u8> {
        let correction = Correction {
            operator: self.operator.public().id(),
            meter: self.id(),
            time: UtcMillis::new(START_MS + HOUR_MS).unwrap(),
            target: self.last_digest(),
            first_sequence: Sequence::new(first_sequence).unwrap(),
            last_sequence: Sequence::new(last_sequence).unwrap(),
            reduction: MilliwattHours::new(250_000).unwrap(),
            reason: CorrectionReason::SensorFault,
            note: Text::EMPTY,
        };
        self.operator
            .sign(RecordType::Correction, &correction.encode().unwrap())
    }

    fn told(&self, question: Question, statements: &[u8]) -> Report {
        let mut audit = self.begin(question);
        audit.statements(statements);
        audit.records(&self.body(&self.places()));
        audit.finish()
    }
}

#[test]
fn a_revocation_is_told_with_the_energy_of_the_windows_after_it() {
    let history = History::of_windows(3);
    let revocation = history.revocation(&history.operator, START_MS + WINDOW_MS);
    // Served twice, it is still one.
    let report = history.told(
        Question::default(),
        &[&revocation[..], &revocation].concat(),
    );
    assert!(matches!(
        report.statements[..],
        [Statement::Revocation { energy_after_mwh: Some(energy), .. }] if energy == 2 * WINDOW_MWH
    ));
    let text = report.to_string();
    let line = "revoked at 2025-06-19 15:20:00 UTC (its key may be known to others: found in a bin): windows after it do not count; 1.2000 kWh";
    assert!(text.contains(line), "{text}");
}

#[test]
fn a_note_cannot_turn_what_the_report_says() {
    let history = History::of_windows(1);
    let revocation = Revocation {
        operator: history.operator.public().id(),
        meter: history.id(),
        time: UtcMillis::new(START_MS).unwrap(),
        reason: RevocationReason::Other,
        note: Text::new("\u{202e}enif lla").unwrap(),
    };
    let signed = (history.operator).sign(RecordType::Revocation, &revocation.encode().unwrap());
    let text = history.told(Question::default(), &signed).to_string();
    assert!(text.contains("another reason: \u{fffd}enif lla"), "{text}");
}

#[test]
fn a_correction_stands_beside_the_energy_that_it_concerns() {
    let history = History::of_windows(3);
    let concerned = history.told(Question::default(), &history.correction(61, 90));
    assert_eq!(concerned.energy_mwh, 3 * WINDOW_MWH);
    assert!(matches!(
        concerned.statements[..],
        [Statement::Correction {
            reduction_mwh: 250_000,
            ..
        }]
    ));
    let elsewhere = between(START_MS, START_MS + WINDOW_MS);
    let other = history.told(elsewhere, &history.correction(61, 90));
    assert_eq!(other.statements, []);
}

#[test]
fn revocation_by_somebody_else() {
    let history = History::of_windows(1);
    let report = history.told(
        Question::default(),
        &history.revocation(&Key::new(9), START_MS),
    );
    assert_eq!(report.statements, []);
    assert!(matches!(report.remarks[..], [Remark::Uncounted { .. }]));
}

#[test]
fn revocation_by_an_operator_who_is_not_the_one_named() {
    let history = History::of_windows(1);
    let question = Question {
        operator: Some(Key::new(9).public().id()),
        ..Question::default()
    };
    let report = history.told(question, &history.revocation(&history.operator, START_MS));
    assert_eq!(report.statements, []);
    assert!(matches!(report.remarks[..], [Remark::Uncounted { .. }]));
}

#[test]
fn altered_statement() {
    let history = History::of_windows(1);
    let mut revocation = history.revocation(&history.operator, START_MS);
    let last = revocation.len() - 1;
    revocation[last] ^= 1;
    let report = history.told(Question::default(), &revocation);
    assert_eq!(report.statements, []);
    assert!(matches!(
        report.problems[..],
        [Problem::BadSignature { .. }]
    ));
}

#[test]
fn a_replacement_counts_by_an_operator_and_not_by_the_meter_that_ends() {
    let history = History::of_windows(1);
    let replacement = |signer: &Key| {
        let record = Replacement {
            signer: signer.public().id(),
            old_meter: history.id(),
            new_meter: Key::new(9).public().id(),
            time: UtcMillis::new(START_MS).unwrap(),
            last_index: ChainIndex::new(1).unwrap(),
            last_digest: history.last_digest(),
            produced_close: MilliwattHours::new(WINDOW_MWH).unwrap(),
        };
        let signed = signer.sign(RecordType::Replacement, &record.encode().unwrap());
        history.told(Question::default(), &signed)
    };
    assert!(matches!(
        replacement(&history.operator).statements[..],
        [Statement::ReplacedBy { last_index: 1, .. }]
    ));
    let by_itself = replacement(&history.meter);
    assert_eq!(by_itself.statements, []);
    assert!(matches!(by_itself.remarks[..], [Remark::Uncounted { .. }]));
}

#[test]
fn that_no_revocation_is_withheld_is_the_word_of_who_serves() {
    let history = History::of_windows(1);
    let report = history.audit(&history.places());
    assert_eq!(report.verdict, Verdict::Complete);
    let says_so = |line: &String| line.contains("every correction and revocation");
    assert!(report.trust.iter().any(says_so), "{report}");
}
