//! Walks the chain of one meter, record by record, and holds each against the meter's signature,
//! the record before it, its readings and the enrolment it names.

use std::collections::BTreeSet;

use ww_wire::cose::{Item, Items};
use ww_wire::{
    ChainRecord, Custody, Domain, Gap, GapKind, Hash, MeterId, PublicKey, RecordType, Sign1,
    SignerId, TimeQuality, Window,
};

use crate::bound::{Bound, Judgement, Rise};
use crate::enrolments::{EnrolmentError, Enrolments};
use crate::question::{Place, Question, Span};
use crate::readings::{self, Seen};
use crate::report::{Missing, Problem, Remark, Report, Verdict};
use crate::signature::{BadSignature, NotAPoint, VerifyingKey};
use crate::statements::{StatementError, Statements};

/// How far the last record shown may lie before the end of the time asked for: three slots of the
/// 10-second grid.
const END_TOLERANCE_MS: u64 = 30_000;

/// Why an audit cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The key is not the meter's.
    #[error("the key's SHA-256 is {got}, but the meter is {meter}")]
    ForeignKey {
        /// The meter asked for.
        meter: MeterId,
        /// The id of the key given.
        got: SignerId,
    },
    /// The key is no point on the curve.
    #[error(transparent)]
    NotAPoint(#[from] NotAPoint),
    /// The time asked for does not begin before it ends.
    #[error("the time asked for must begin before it ends")]
    EmptyTime,
}

/// An audit under way.
#[derive(Debug)]
pub struct Audit {
    meter: MeterId,
    key: VerifyingKey,
    question: Question,
    enrolments: Enrolments,
    items: u64,
    last: Option<Last>,
    last_window: Option<Window>,
    holes: Vec<Hole>,
    /// How many of the holes lie before `last_window`.
    holes_before_window: usize,
    gaps: Vec<Gap>,
    /// The window that readings may follow.
    open: Option<Open>,
    without_readings: Vec<(u64, u32)>,
    clock: Clock,
    /// The last synchronised time: a clock that nobody keeps bounds nothing.
    synchronised_ms: Option<u64>,
    adrift: Adrift,
    bound: Bound,
    statements: Statements,
    /// The first and the last reading that count.
    sequences: Option<(u64, u64)>,
    firmwares: BTreeSet<Hash>,
    part: Part,
    report: Report,
}

/// The last record that held.
#[derive(Clone, Copy, Debug)]
struct Last {
    index: u64,
    digest: Hash,
}

/// Records that were not shown.
#[derive(Clone, Copy, Debug)]
struct Hole {
    first_index: u64,
    last_index: u64,
    /// What the record behind it names as the one before it.
    last_digest: Hash,
    /// The last synchronised time shown before it.
    before_ms: Option<u64>,
    /// The first synchronised time shown behind it.
    after_ms: Option<u64>,
    energy_mwh: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    window: Window,
    place: Place,
    /// Its time is known and believed.
    is_dated: bool,
    /// The energy of missing records since the window before, if any are missing.
    missing_mwh: Option<u64>,
    is_first: bool,
}

/// The times of the chain, in its order.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    first_ms: Option<u64>,
    last_ms: Option<u64>,
}

/// Windows whose time is not known, since the last synchronised time.
#[derive(Clone, Copy, Debug, Default)]
struct Adrift {
    windows: u64,
    energy_mwh: u64,
}

/// The windows of the part that was taken last, against the end of the time asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    over: u64,
    not_over: u64,
}

impl Audit {
    /// An audit of `meter` with its public key.
    ///
    /// # Errors
    /// [`AuditError::ForeignKey`] when the key is not the meter's, [`AuditError::NotAPoint`],
    /// [`AuditError::EmptyTime`].
    pub fn new(meter: MeterId, key: PublicKey, question: Question) -> Result<Self, AuditError> {
        if key.id() != meter {
            return Err(AuditError::ForeignKey {
                meter,
                got: key.id(),
            });
        }
        if let (Some(from_ms), Some(to_ms)) = (question.from_ms, question.to_ms)
            && from_ms >= to_ms
        {
            return Err(AuditError::EmptyTime);
        }
        Ok(Self {
            meter,
            key: VerifyingKey::new(key)?,
            question,
            enrolments: Enrolments::new(question.operator),
            items: 0,
            last: None,
            last_window: None,
            holes: Vec::new(),
            holes_before_window: 0,
            gaps: Vec::new(),
            open: None,
            without_readings: Vec::new(),
            clock: Clock::default(),
            synchronised_ms: None,
            adrift: Adrift::default(),
            bound: Bound::default(),
            statements: Statements::default(),
            sequences: None,
            firmwares: BTreeSet::new(),
            part: Part::default(),
            report: Report::empty(meter, &question),
        })
    }

    /// Takes the operator's enrolments of the meter and the meter's consents to them, in any order,
    /// before any record: a CBOR sequence of COSE_Sign1.
    pub fn enrolments(&mut self, body: &[u8]) {
        for item in Items::new(body) {
            match item {
                Ok(Item::Sign1(sign1)) => match self.enrolments.take(&self.key, &sign1) {
                    Ok(()) => {}
                    Err(EnrolmentError::Unreadable(reason)) => self.unreadable(&reason),
                    Err(EnrolmentError::Foreign(meter)) => self.foreign(meter),
                    Err(EnrolmentError::BadSignature { number }) => {
                        let record = format!("enrolment {number}");
                        self.problem(Problem::BadSignature { record });
                    }
                },
                Ok(Item::Readings(_)) => self.unreadable("readings stand among the enrolments"),
                Err(error) => self.unreadable(&error.to_string()),
            }
            self.items += 1;
        }
    }

    /// Takes what was appended to the meter's history, after the enrolments and before any record:
    /// a CBOR sequence of COSE_Sign1.
    pub fn statements(&mut self, body: &[u8]) {
        for item in Items::new(body) {
            match item {
                Ok(Item::Sign1(sign1)) => {
                    let key_of = |operator| self.enrolments.key_of(operator);
                    match self.statements.take(&self.key, key_of, &sign1) {
                        Ok(()) => {}
                        Err(StatementError::Unreadable(reason)) => self.unreadable(&reason),
                        Err(StatementError::Foreign(meter)) => self.foreign(meter),
                        Err(StatementError::BadSignature(record_type)) => {
                            let record = record_type.name().to_owned();
                            self.problem(Problem::BadSignature { record });
                        }
                    }
                }
                Ok(Item::Readings(_)) => self.unreadable("readings stand among the statements"),
                Err(error) => self.unreadable(&error.to_string()),
            }
            self.items += 1;
        }
    }

    /// Takes the next part of the chain: a CBOR sequence of COSE_Sign1 in the order of their
    /// chain indices, each Window perhaps followed by its packed readings. A question with a start
    /// needs one record from before it, or the first of the chain.
    pub fn records(&mut self, body: &[u8]) {
        self.part = Part::default();
        for item in Items::new(body) {
            match item {
                Ok(Item::Sign1(sign1)) => {
                    self.close_window_without_readings();
                    self.record(&sign1);
                }
                Ok(Item::Readings(block)) => match self.open.take() {
                    Some(open) => self.readings(&open, block),
                    None => self.unreadable("readings stand without a window before them"),
                },
                Err(error) => self.unreadable(&error.to_string()),
            }
            self.items += 1;
        }
    }

    fn record(&mut self, sign1: &Sign1<'_>) {
        let record = match ChainRecord::decode(sign1.payload) {
            Ok(record) => record,
            Err(error) => return self.unreadable(&error.to_string()),
        };
        if record.meter() != self.meter {
            return self.foreign(record.meter());
        }
        let index = record.chain_index().get();
        if verify(&self.key, record.record_type(), sign1).is_err() {
            let record = format!("{} {index}", record.record_type().name());
            return self.problem(Problem::BadSignature { record });
        }
        if !self.link(&record) {
            return;
        }
        self.report.records += 1;
        self.report.first_index.get_or_insert(index);
        self.report.last_index = Some(index);
        self.last = Some(Last {
            index,
            digest: Hash::of(&[sign1.payload]),
        });
        match record {
            ChainRecord::Window(window) => self.window(&window),
            ChainRecord::Boot(boot) => {
                self.report.boots += 1;
                self.bound.start(&boot);
                if let Some(time) = boot.time {
                    self.tell_time(index, time.get(), time.get());
                    if boot.time_quality == TimeQuality::Synchronised {
                        self.synchronise(time.get(), time.get());
                    }
                }
            }
            // A Gap says when something was given up, which tells nothing of the windows around it.
            ChainRecord::Gap(gap) => {
                self.report.gaps += 1;
                self.gaps.push(gap);
            }
        }
    }

    /// Whether the record may follow the last one; notes a hole before it.
    fn link(&mut self, record: &ChainRecord) -> bool {
        let index = record.chain_index().get();
        let first_expected = match self.last {
            None if self.question.from_ms.is_some() => index,
            None => 0,
            Some(last) => last.index + 1,
        };
        match self.last {
            Some(last) if index <= last.index => {
                self.problem(Problem::OutOfOrder {
                    index,
                    after: last.index,
                });
                return false;
            }
            Some(last) if index == first_expected && record.previous() != last.digest => {
                self.problem(Problem::BrokenLink {
                    index,
                    named: record.previous().to_string(),
                    actual: last.digest.to_string(),
                });
                return false;
            }
            _ => {}
        }
        if index > first_expected {
            self.holes.push(Hole {
                first_index: first_expected,
                last_index: index - 1,
                last_digest: record.previous(),
                before_ms: self.synchronised_ms,
                after_ms: None,
                energy_mwh: None,
            });
        }
        true
    }

    fn window(&mut self, window: &Window) {
        let index = window.chain_index.get();
        let span = Span::of(window).filter(|span| {
            let believed = self.question.believes(span.end_ms);
            if !believed {
                let time_ms = span.end_ms;
                let remark = Remark::FutureTime { index, time_ms };
                self.report.remarks.push(remark);
            }
            believed
        });
        let missing_mwh = self.follow(window);
        let place = self.question.place(span);
        let is_first = self.last_window.is_none()
            && self.report.first_index == Some(0)
            && self.holes.is_empty();
        match span {
            Some(span) => {
                self.tell_time(index, span.start_ms, span.end_ms);
                let over = self.question.is_over(span.start_ms);
                self.part.over += u64::from(over);
                self.part.not_over += u64::from(!over);
            }
            None => self.part.not_over += 1,
        }
        match place {
            Place::Outside => {}
            Place::Inside => self.count(window, span),
            Place::Unknown => {
                let energy_mwh = window.produced_close.get() - window.produced_open.get();
                self.adrift.windows += 1;
                let adrift = self.adrift.energy_mwh.checked_add(energy_mwh);
                self.adrift.energy_mwh = self.checked(index, adrift);
            }
        }
        if place != Place::Outside {
            self.enrolments.name(window);
        }
        self.last_window = Some(*window);
        self.holes_before_window = self.holes.len();
        self.open = Some(Open {
            window: *window,
            place,
            is_dated: span.is_some(),
            missing_mwh,
            is_first,
        });
    }

    /// Adds a window to what was asked for.
    fn count(&mut self, window: &Window, span: Option<Span>) {
        let energy_mwh = window.produced_close.get() - window.produced_open.get();
        let sum = self.report.energy_mwh.checked_add(energy_mwh);
        self.report.energy_mwh = self.checked(window.chain_index.get(), sum);
        self.report.windows += 1;
        self.report.readings += u64::from(window.count);
        self.firmwares.insert(window.firmware);
        self.statements.count(span, energy_mwh);
        let last = window.last_sequence.get();
        let first = self
            .sequences
            .map_or(window.first_sequence.get(), |(first, _)| first);
        self.sequences = Some((first, last));
        if let Some(span) = span {
            self.report.first_time_ms.get_or_insert(span.start_ms);
            self.report.last_time_ms = Some(span.end_ms);
        }
    }

    /// Holds the window against the one before it, and gives the energy of the records that are
    /// missing between the two, if any are.
    fn follow(&mut self, window: &Window) -> Option<u64> {
        let holes = self.holes.len() - self.holes_before_window;
        let index = window.chain_index.get();
        let Some(before) = self.last_window else {
            // The register starts at zero: what stands there now passed in the records that a
            // history without its beginning lacks.
            if let Some(hole) = self.holes.last_mut() {
                hole.energy_mwh = Some(window.produced_open.get());
            }
            return None;
        };
        let (close, open) = (before.produced_close, window.produced_open);
        if (holes == 0 && open != close) || open < close {
            let reason = format!(
                "produced was {} mWh at its close and is {} mWh here",
                close.get(),
                open.get()
            );
            self.problem(Problem::Discontinuous { index, reason });
        }
        let (expected, got) = (before.last_sequence.get() + 1, window.first_sequence.get());
        let must_follow = holes == 0 && window.boot == before.boot;
        if got < expected || (must_follow && got != expected) {
            let reason = format!("reading {expected} should be the first, but it is {got}");
            self.problem(Problem::Discontinuous { index, reason });
        }
        if holes == 0 {
            return None;
        }
        let energy_mwh = open.checked_sub(close).map(|energy| energy.get());
        if let Some(hole) = self.holes.last_mut() {
            hole.energy_mwh = energy_mwh;
        }
        Some(energy_mwh.unwrap_or(0))
    }

    /// Takes the believed times of a record that stands behind all others.
    fn tell_time(&mut self, index: u64, start_ms: u64, end_ms: u64) {
        if !self.question.believes(end_ms) {
            return;
        }
        if let Some(last_ms) = self.clock.last_ms
            && start_ms < last_ms
        {
            self.report.remarks.push(Remark::TimeWentBack {
                index,
                from_ms: last_ms,
                to_ms: start_ms,
            });
        }
        self.clock.first_ms.get_or_insert(start_ms);
        self.clock.last_ms = Some(end_ms);
    }

    /// Takes the believed times of a record that stands behind all others and whose clock was
    /// synchronised: what is missing or not dated in front of it lies before them.
    fn synchronise(&mut self, start_ms: u64, end_ms: u64) {
        if !self.question.believes(end_ms) {
            return;
        }
        let unsettled = |hole: &&mut Hole| hole.after_ms.is_none();
        for hole in self.holes.iter_mut().rev().take_while(unsettled) {
            hole.after_ms = Some(start_ms);
        }
        self.place_adrift(Some(start_ms));
        self.synchronised_ms = Some(end_ms);
    }

    /// Windows of unknown time lie between the synchronised times around them: counts them as not
    /// placed when that may touch the time asked for.
    fn place_adrift(&mut self, next_ms: Option<u64>) {
        let adrift = core::mem::take(&mut self.adrift);
        if adrift.windows == 0 || !self.question.may_touch(self.synchronised_ms, next_ms) {
            return;
        }
        self.report.unplaced_windows += adrift.windows;
        let sum = self
            .report
            .unplaced_energy_mwh
            .checked_add(adrift.energy_mwh);
        let index = self.last.map_or(0, |last| last.index);
        self.report.unplaced_energy_mwh = self.checked(index, sum);
    }

    fn readings(&mut self, open: &Open, block: &[u8]) {
        match readings::check(&open.window, block) {
            Ok(seen) => {
                if open.place == Place::Inside {
                    self.report.grade.checked_readings += seen.readings;
                    self.report.grade.synchronised_readings += seen.synchronised;
                }
                // The time of a window that is adrift is not believed.
                if let Some((first, last)) = seen.synchronised_times
                    && open.is_dated
                {
                    self.synchronise(first.get(), last.get());
                }
                self.judge(open, Some(seen));
            }
            Err(reason) => {
                self.problem(Problem::WrongReadings {
                    index: open.window.chain_index.get(),
                    reason,
                });
                self.judge(open, None);
            }
        }
    }

    fn close_window_without_readings(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        if open.place != Place::Outside {
            let window = &open.window;
            self.without_readings
                .push((window.chain_index.get(), window.count));
        }
        self.judge(&open, None);
    }

    fn judge(&mut self, open: &Open, seen: Option<Seen>) {
        let window = &open.window;
        let index = window.chain_index.get();
        let judgement = self.bound.judge(&Rise {
            window,
            missing_mwh: open.missing_mwh,
            is_first: open.is_first,
            seen,
            nameplate: self.enrolments.nameplate(window),
        });
        match judgement {
            Judgement::Implausible {
                energy_mwh,
                bound_mwh,
            } => self.problem(Problem::Implausible {
                index,
                energy_mwh,
                bound_mwh,
            }),
            Judgement::Unbounded if open.place == Place::Inside => {
                let energy_mwh = window.produced_close.get() - window.produced_open.get();
                let sum = self.report.unbounded_energy_mwh.checked_add(energy_mwh);
                self.report.unbounded_energy_mwh = self.checked(index, sum);
            }
            Judgement::Plausible | Judgement::Unbounded => {}
        }
    }

    /// Chain records that held so far.
    #[must_use]
    pub const fn records_checked(&self) -> u64 {
        self.report.records
    }

    /// The chain index after the last record that held; `None` before the first.
    #[must_use]
    pub fn next_index(&self) -> Option<u64> {
        self.last.map(|last| last.index + 1)
    }

    /// Whether the part that was taken last lies wholly after the time asked for. One window there
    /// does not say so: a clock may have been wrong for a while.
    #[must_use]
    pub const fn is_past_the_end(&self) -> bool {
        self.part.over > 0 && self.part.not_over == 0
    }

    /// Ends the audit.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.close_window_without_readings();
        self.place_adrift(None);
        let (before, after) = self.missing_ends();
        self.report.missing.extend(before);
        self.missing_records();
        self.missing_readings();
        self.report.missing.extend(self.enrolments.missing());
        self.report.missing.extend(after);
        self.report.problems.extend(self.enrolments.foreign());
        let counts = |operator| self.enrolments.counts_as_operator(operator);
        let (told, uncounted) = self.statements.told(self.meter, counts, self.sequences);
        self.report.statements = told;
        self.report.remarks.extend(uncounted);
        self.report.shown_until_ms = self.clock.last_ms;
        self.report.firmwares = self.firmwares.iter().map(Hash::to_string).collect();
        self.grade();
        self.trust();
        self.report.verdict = if !self.report.problems.is_empty() {
            Verdict::Refuted
        } else if self.report.records == 0 {
            Verdict::Empty
        } else if self.report.missing.is_empty() {
            Verdict::Complete
        } else {
            Verdict::Incomplete
        };
        self.report
    }

    /// What is not shown at the ends of the time asked for.
    fn missing_ends(&self) -> (Option<Missing>, Option<Missing>) {
        let Some(first_index) = self.report.first_index else {
            return (None, None);
        };
        let Clock { first_ms, last_ms } = self.clock;
        let before = self.question.from_ms.filter(|from_ms| {
            first_index > 0 && first_ms.is_none_or(|first_ms| first_ms >= *from_ms)
        });
        let after = self.question.to_ms.filter(|to_ms| {
            last_ms.is_none_or(|last_ms| last_ms.saturating_add(END_TOLERANCE_MS) < *to_ms)
        });
        (
            before.map(|_| Missing::Before {
                first_index,
                first_time_ms: first_ms,
            }),
            after.map(|_| Missing::After {
                last_time_ms: last_ms,
            }),
        )
    }

    /// The holes that may touch the time asked for.
    fn missing_records(&mut self) {
        for hole in core::mem::take(&mut self.holes) {
            if !self.question.may_touch(hole.before_ms, hole.after_ms) {
                continue;
            }
            let Hole {
                first_index,
                last_index,
                energy_mwh,
                ..
            } = hole;
            let declaring = |gap: &&Gap| {
                gap.kind == GapKind::Records
                    && gap.first_index.get() <= first_index
                    && last_index <= gap.last_index.get()
            };
            let ends_it = |gap: &&Gap| gap.last_index.get() == last_index;
            let gaps = || self.gaps.iter().filter(declaring);
            let declared = gaps().next().is_some();
            let other = gaps()
                .filter(ends_it)
                .find(|gap| gap.last_digest != hole.last_digest);
            let broken = other.map(|gap| Problem::BrokenLink {
                index: last_index + 1,
                named: hole.last_digest.to_string(),
                actual: gap.last_digest.to_string(),
            });
            self.report.problems.extend(broken);
            let sum = self
                .report
                .missing_energy_mwh
                .checked_add(energy_mwh.unwrap_or(0));
            self.report.missing_energy_mwh = self.checked(last_index, sum);
            self.report.missing.push(Missing::Records {
                first_index,
                last_index,
                declared,
                energy_mwh,
            });
        }
    }

    /// The windows without readings, neighbours in one line.
    fn missing_readings(&mut self) {
        let mut lines: Vec<Missing> = Vec::new();
        for (window, readings) in core::mem::take(&mut self.without_readings) {
            let is_declared = self.gaps.iter().any(|gap| {
                gap.kind != GapKind::Records
                    && (gap.first_index.get()..=gap.last_index.get()).contains(&window)
            });
            match lines.last_mut() {
                Some(Missing::Readings {
                    last_index,
                    count,
                    declared,
                    ..
                }) if *last_index + 1 == window && *declared == is_declared => {
                    *last_index = window;
                    *count += u64::from(readings);
                }
                _ => lines.push(Missing::Readings {
                    first_index: window,
                    last_index: window,
                    count: u64::from(readings),
                    declared: is_declared,
                }),
            }
        }
        self.report.missing.extend(lines);
    }

    fn grade(&mut self) {
        let grade = &mut self.report.grade;
        grade.custody = match self.enrolments.custody() {
            Some(Custody::SecureElement) => "a secure element (claimed, no attestation chain seen)",
            Some(Custody::Software) => "software",
            None => "an unknown place (no enrolment that counts)",
        }
        .to_owned();
        grade.sensor_link = "LAN poll".to_owned();
        // Version 1 leaves open what a boot loader signs: no bytes of a Boot attest anything yet.
        grade.firmware = "claimed".to_owned();
    }

    fn trust(&mut self) {
        let trust = &mut self.report.trust;
        trust.push(
            "Whoever holds the meter's key and could reach it: a signature shows which key signed, not that nobody copied it."
                .to_owned(),
        );
        trust.push(
            "The sensor's owner, within nameplate and physics: the meter signs what a box on the local network told it."
                .to_owned(),
        );
        let operators: Vec<String> = self
            .enrolments
            .operators()
            .iter()
            .map(SignerId::to_string)
            .collect();
        trust.push(match (self.question.operator, operators.is_empty()) {
            (Some(operator), false) => {
                format!("Operator {operator}, whom you named, for rated power, place and sensor.")
            }
            (Some(operator), true) => format!(
                "Whoever gave you the meter's id: operator {operator}, whom you named, has vouched for none of these windows."
            ),
            (None, false) => format!(
                "The operator {} for rated power, place and sensor; compare this id with one that you have from elsewhere.",
                operators.join(", ")
            ),
            (None, true) => {
                "Whoever gave you the meter's id: no operator has vouched for what it measures."
                    .to_owned()
            }
        });
        if self.enrolments.lack_consent() {
            trust.push(
                "The operator alone for at least one enrolment: the meter's consent was not served."
                    .to_owned(),
            );
        }
        trust.push("The meter's own word for the firmware that made the readings: no boot loader has attested it.".to_owned());
        let end_is_shown = self
            .clock
            .last_ms
            .is_some_and(|ms| self.question.is_over(ms));
        if !end_is_shown && let Some(last) = self.last {
            trust.push(format!(
                "Who served these records, for having shown the end: records after number {}, were they withheld, would leave no mark.",
                last.index
            ));
        }
        trust.push(
            "Who served these records, for not showing another history to someone else: that ends with the public log and its witnesses."
                .to_owned(),
        );
    }

    /// A sum of energies; one too large for its field is a problem, and stays at the end of it.
    fn checked(&mut self, index: u64, sum: Option<u64>) -> u64 {
        sum.unwrap_or_else(|| {
            self.problem(Problem::EnergyOverflow { index });
            u64::MAX
        })
    }

    fn problem(&mut self, problem: Problem) {
        self.report.problems.push(problem);
    }

    fn unreadable(&mut self, reason: &str) {
        self.problem(Problem::Unreadable {
            item: self.items,
            reason: reason.to_owned(),
        });
    }

    fn foreign(&mut self, meter: MeterId) {
        self.problem(Problem::ForeignMeter {
            item: self.items,
            meter: meter.to_string(),
        });
    }
}

fn verify(
    key: &VerifyingKey,
    record_type: RecordType,
    sign1: &Sign1<'_>,
) -> Result<(), BadSignature> {
    key.verify(Domain::Record(record_type), sign1.payload, &sign1.signature)
}
