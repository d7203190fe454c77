//! Honest and dishonest histories of one meter, signed with real keys, before the auditor.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use ww_verify::{
    Audit, AuditError, Missing, Problem, Question, Remark, Report, Statement, Verdict,
};
use ww_wire::cose::byte_string_head;
use ww_wire::merkle::TreeBuilder;
use ww_wire::packed::{Codec, MAX_PACKED_READING};
use ww_wire::record::Record;
use ww_wire::*;

const START_MS: u64 = 1_750_345_800_000;
const RATED_WATTS: u32 = 5_000;
const WINDOW_MS: u64 = chain::WINDOW_MS;
const HOUR_MS: u64 = 6 * WINDOW_MS;
/// What a window of 60 readings counts when each adds 10 Wh.
const WINDOW_MWH: u64 = 600_000;

struct Key(SigningKey);

impl Key {
    fn new(label: u8) -> Self {
        Self(SigningKey::from_slice(&[label; 32]).unwrap())
    }

    fn public(&self) -> PublicKey {
        let point = self.0.verifying_key().to_sec1_point(false);
        PublicKey::from_sec1(point.as_bytes().try_into().unwrap()).unwrap()
    }

    fn sign(&self, record_type: RecordType, payload: &[u8]) -> Vec<u8> {
        self.sign_in(Domain::Record(record_type), payload)
    }

    fn sign_in(&self, domain: Domain, payload: &[u8]) -> Vec<u8> {
        let message = ToBeSigned::new(domain, payload).unwrap();
        let signature: p256::ecdsa::Signature = self.0.sign(message.as_bytes());
        let signature = Signature::normalise(signature.to_bytes().into()).unwrap();
        Sign1 { payload, signature }.encode().unwrap().to_vec()
    }
}

fn enrolment(operator: &Key, meter: &Key) -> Enrolment {
    Enrolment {
        operator: operator.public().id(),
        operator_key: operator.public(),
        meter_key: meter.public(),
        number: 1,
        time: UtcMillis::new(START_MS).unwrap(),
        custody: Custody::Software,
        sensor_model: SensorModel::ShellyEmGen1,
        sensor_mac: Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]),
        channel: 0,
        production_counter: ProductionCounter::Total,
        ct_ratio_milli: 1000,
        rated_power: Watts::new(RATED_WATTS).unwrap(),
        latitude: None,
        longitude: None,
        tilt: None,
        azimuth: None,
        grid_connection: Text::EMPTY,
        start_import: None,
        start_export: None,
        owner: Address::ZERO,
        chain_id: 0,
        minter: Address::ZERO,
    }
}

/// A history of one meter: a Boot, then windows of 60 readings.
struct History {
    operator: Key,
    meter: Key,
    chain: Vec<ChainRecord>,
    readings: Vec<Vec<Reading>>,
    /// How wrong the meter's clock is; no time at all when `None`.
    clock_ms: Option<i64>,
    /// What the meter says of its clock when it has one.
    quality: TimeQuality,
    /// The enrolment that windows name.
    enrolment: Hash,
}

impl History {
    fn of_windows(count: u64) -> Self {
        let (operator, meter) = (Key::new(1), Key::new(2));
        let enrolment = enrolment(&operator, &meter).encode().unwrap().digest();
        let mut history = Self {
            operator,
            meter,
            chain: Vec::new(),
            readings: Vec::new(),
            clock_ms: Some(0),
            quality: TimeQuality::Synchronised,
            enrolment,
        };
        history.boot(UtcMillis::new(START_MS));
        for number in 0..count {
            history.push_window(number);
        }
        history
    }

    fn boot(&mut self, time: Option<UtcMillis>) {
        let quality = time.map_or(TimeQuality::Unknown, |_| self.quality);
        self.push(ChainRecord::Boot(Boot {
            meter: self.id(),
            chain_index: ChainIndex::new(self.chain.len() as u64).unwrap(),
            previous: self.last_digest(),
            boot: BootCounter::new(1).unwrap(),
            time,
            uptime: UptimeMillis::ZERO,
            time_quality: quality,
            firmware: Hash([7; 32]),
            version_major: 0,
            version_minor: 1,
            version_patch: 0,
            security_counter: 0,
            reset_reason: ResetReason::Requested,
            last_recovered: None,
            first_new: Sequence::new(1).unwrap(),
            attestation: Attestation::NONE,
        }));
    }

    fn push_window(&mut self, number: u64) {
        let window = self.window(number, 60, 10_000);
        self.push(window);
    }

    /// Appends a window without its readings, changed before it is signed.
    fn push_bare(&mut self, number: u64, change: impl FnOnce(&mut Window)) {
        let ChainRecord::Window(mut window) = self.window(number, 60, 10_000) else {
            unreachable!()
        };
        change(&mut window);
        self.readings.pop();
        self.push(ChainRecord::Window(window));
    }

    fn id(&self) -> MeterId {
        self.meter.public().id()
    }

    fn push(&mut self, record: ChainRecord) {
        self.chain.push(record);
        if self.readings.len() < self.chain.len() {
            self.readings.push(Vec::new());
        }
    }

    fn last_digest(&self) -> Hash {
        self.chain
            .last()
            .map_or(Hash::ZERO, |record| record.encode().unwrap().digest())
    }

    fn reading(&self, sequence: u64, energy_mwh: u64) -> Reading {
        let elapsed = (sequence - 1) * 10_000;
        let time = self.clock_ms.and_then(|wrong| {
            UtcMillis::new((START_MS + elapsed).checked_add_signed(wrong).unwrap())
        });
        let produced = MilliwattHours::new(sequence * energy_mwh).unwrap();
        Reading {
            meter: self.id(),
            boot: BootCounter::new(1).unwrap(),
            sequence: Sequence::new(sequence).unwrap(),
            time,
            uptime: UptimeMillis::new(elapsed + 500).unwrap(),
            time_quality: time.map_or(TimeQuality::Unknown, |_| self.quality),
            power: Milliwatts::new(3_600_000),
            import_total: Some(produced),
            export_total: Some(MilliwattHours::ZERO),
            counter_epoch: CounterEpoch::ZERO,
            produced,
            voltage: Millivolts::new(237_130),
            current: None,
            reactive_power: Millivars::new(24_380),
            temperature: None,
            flags: ReadingFlags::NONE,
        }
    }

    /// The window `number` of 60 readings, each adding `energy_mwh`.
    fn window(&mut self, number: u64, readings: u64, energy_mwh: u64) -> ChainRecord {
        let first = number * 60 + 1;
        let all: Vec<Reading> = (first..first + readings)
            .map(|sequence| self.reading(sequence, energy_mwh))
            .collect();
        let window = window_over(
            self.chain.len() as u64,
            self.last_digest(),
            MilliwattHours::new((first - 1) * energy_mwh).unwrap(),
            self.enrolment,
            &all,
        );
        self.readings.push(all);
        ChainRecord::Window(window)
    }

    fn bytes_of(&self, place: usize) -> Vec<u8> {
        let record = &self.chain[place];
        let mut bytes = self
            .meter
            .sign(record.record_type(), &record.encode().unwrap());
        if !self.readings[place].is_empty() {
            bytes.extend(packed(self.id(), &self.readings[place]));
        }
        bytes
    }

    fn places(&self) -> Vec<usize> {
        (0..self.chain.len()).collect()
    }

    /// The operator's enrolment, signed.
    fn enrolment_bytes(&self) -> Vec<u8> {
        let enrolment = enrolment(&self.operator, &self.meter);
        self.operator
            .sign(RecordType::Enrolment, &enrolment.encode().unwrap())
    }

    fn begin(&self, question: Question) -> Audit {
        let mut audit = Audit::new(self.id(), self.meter.public(), question).unwrap();
        audit.enrolments(&self.enrolment_bytes());
        audit
    }

    fn audit_of(&self, body: &[u8]) -> Report {
        let mut audit = self.begin(Question::default());
        audit.records(body);
        audit.finish()
    }

    fn body(&self, places: &[usize]) -> Vec<u8> {
        places
            .iter()
            .flat_map(|place| self.bytes_of(*place))
            .collect()
    }

    fn audit(&self, places: &[usize]) -> Report {
        self.audit_of(&self.body(places))
    }

    fn ask(&self, question: Question, places: &[usize]) -> Report {
        let mut audit = self.begin(question);
        audit.records(&self.body(places));
        audit.finish()
    }
}

fn between(from_ms: u64, to_ms: u64) -> Question {
    Question {
        from_ms: Some(from_ms),
        to_ms: Some(to_ms),
        ..Question::default()
    }
}

fn window_over(
    index: u64,
    previous: Hash,
    produced_open: MilliwattHours,
    enrolment: Hash,
    readings: &[Reading],
) -> Window {
    let mut tree = TreeBuilder::new();
    readings
        .iter()
        .for_each(|reading| tree.push(&reading.encode().unwrap()));
    let (first, last) = (readings.first().unwrap(), readings.last().unwrap());
    Window {
        meter: first.meter,
        chain_index: ChainIndex::new(index).unwrap(),
        previous,
        boot: first.boot,
        first_sequence: first.sequence,
        last_sequence: last.sequence,
        count: readings.len() as u32,
        first_time: first.time,
        last_time: last.time,
        produced_open,
        produced_close: last.produced,
        root: tree.root(),
        enrolment,
        firmware: Hash([7; 32]),
        log_size: 0,
        log_root: Hash::ZERO,
        flags: WindowFlags::NONE,
    }
}

fn packed(meter: MeterId, readings: &[Reading]) -> Vec<u8> {
    let mut codec = Codec::new(meter, RecordType::Reading).unwrap();
    let mut block = codec.block_header().to_vec();
    for reading in readings {
        let mut out = [0; MAX_PACKED_READING];
        let len = codec
            .pack(&AnyReading::SinglePhase(*reading), &mut out)
            .unwrap();
        block.extend(&out[..len]);
    }
    let (head, len) = byte_string_head(block.len() as u32);
    [&head[..len], &block].concat()
}

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
fn a_loss_that_the_meter_declared_says_so() {
    let mut history = History::of_windows(4);
    let gap = Gap {
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
        last_digest: history.chain[2].encode().unwrap().digest(),
    };
    history.push(ChainRecord::Gap(gap));
    let report = history.audit(&[0, 1, 3, 4, 5]);
    assert!(matches!(
        report.missing[..],
        [Missing::Records { declared: true, .. }]
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
fn the_report_reads_in_plain_words() {
    let history = History::of_windows(2);
    let text = history.audit(&[0, 2]).to_string();
    assert!(text.contains("INCOMPLETE"), "{text}");
    assert!(
        text.contains("· chain record 1 (nobody declared it"),
        "{text}"
    );
    assert!(text.contains("energy: 0.6000 kWh"), "{text}");
    assert!(
        text.contains(
            "60 readings in 1 window, from 2025-06-19 15:20:00 UTC to 2025-06-19 15:29:50 UTC"
        ),
        "{text}"
    );
    assert!(
        text.contains("records after number 2, were they withheld, would leave no mark"),
        "{text}"
    );
    assert!(text.contains("Whom you still have to trust"), "{text}");
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

/// Two days: a Boot at 0, the windows 1 to 288.
fn two_days() -> History {
    History::of_windows(288)
}

const NOON_MS: u64 = START_MS + 24 * HOUR_MS;

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

#[test]
fn withheld_window_at_the_start_of_the_time_asked_for() {
    let history = two_days();
    let question = between(NOON_MS, NOON_MS + HOUR_MS);
    let shown_from = |first: usize| history.ask(question, &(first..200).collect::<Vec<_>>());
    // Window 145 begins at noon, so 144 shows that nothing stands between the two.
    assert_eq!(shown_from(144).verdict, Verdict::Complete);
    for first in [145, 146] {
        assert!(matches!(
            shown_from(first).missing[..],
            [Missing::Before { .. }]
        ));
    }
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
fn a_declared_loss_that_ends_in_another_record_is_refuted() {
    let mut history = History::of_windows(4);
    history.push(ChainRecord::Gap(Gap {
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
        last_digest: Hash([9; 32]),
    }));
    let report = history.audit(&[0, 1, 3, 4, 5]);
    assert!(matches!(
        report.problems[..],
        [Problem::BrokenLink { index: 3, .. }]
    ));
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
fn energy_of_unknown_time_is_unbounded_and_not_refuted() {
    let mut history = History::of_windows(1);
    history.clock_ms = None;
    history.push_window(1);
    let report = history.audit(&history.places());
    assert_eq!(report.verdict, Verdict::Complete, "{report}");
    assert_eq!(report.unbounded_energy_mwh, WINDOW_MWH);
}

#[test]
fn a_window_of_unknown_time_is_told_apart_where_it_may_lie_in_the_time_asked_for() {
    let mut history = History::of_windows(2);
    history.clock_ms = None;
    history.push_window(2);
    history.clock_ms = Some(0);
    (3..12).for_each(|number| history.push_window(number));
    let ask = |from, to| {
        let question = between(START_MS + from * WINDOW_MS, START_MS + to * WINDOW_MS);
        history.ask(question, &history.places()).unplaced_energy_mwh
    };
    assert_eq!(ask(1, 6), WINDOW_MWH);
    assert_eq!((ask(0, 1), ask(6, 9)), (0, 0));
}

#[test]
fn the_first_window_shown_after_an_outage_is_unbounded_and_not_refuted() {
    let mut history = History::of_windows(5);
    history.push_bare(5, |window| {
        window.produced_close = MilliwattHours::new(9_000_000).unwrap();
    });
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

const MINUTE_MS: u64 = 60_000;

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
    for quality in [TimeQuality::Informative, TimeQuality::Synchronised] {
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
        assert_eq!(report.unplaced_energy_mwh, WINDOW_MWH, "{report}");
    }
}

impl History {
    /// Appends a window over 60 readings, each changed before it is sealed.
    fn push_changed(&mut self, number: u64, change: impl Fn(&mut Reading)) {
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
