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
use crate::question::{Around, Place, Question, Span};
use crate::readings::{self, Seen};
use crate::report::{Missing, Problem, Remark, Report, Verdict};
use crate::signature::{BadSignature, NotAPoint, VerifyingKey};
use crate::statements::{StatementError, Statements};
use crate::timeline::Timeline;

/// One slot of the grid on which readings are taken: between a reading and the one after it lies no
/// other.
const SLOT_MS: u64 = 10_000;

/// How many problems are kept; further ones are not noted.
const MOST_PROBLEMS: usize = 1_000;

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

/// An audit under way. A clone of it is a way to see what a part of the chain would show.
#[derive(Clone, Debug)]
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
    /// The last time of any clock.
    last_time_ms: Option<u64>,
    timeline: Timeline<Held>,
    bound: Bound,
    statements: Statements,
    /// The first and the last reading that count.
    sequences: Option<(u64, u64)>,
    firmwares: BTreeSet<Hash>,
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
    around: Around,
    energy_mwh: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    window: Window,
    /// The time that it states, if that is known and believed.
    span: Option<Span>,
    /// The energy of missing records since the window before, if any are missing.
    missing_mwh: Option<u64>,
    is_first: bool,
}

/// What a window adds to the figures once its place is known.
#[derive(Clone, Copy, Debug)]
struct Held {
    window: Window,
    /// The time that it states, if that is known and believed.
    span: Option<Span>,
    /// The part of it that synchronised readings state.
    told: Option<Span>,
    lacks_readings: bool,
    checked_readings: u64,
    synchronised_readings: u64,
    is_unbounded: bool,
}

impl Held {
    fn energy_mwh(&self) -> u64 {
        self.window.produced_close.get() - self.window.produced_open.get()
    }
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
            last_time_ms: None,
            timeline: Timeline::new(question),
            bound: Bound::default(),
            statements: Statements::default(),
            sequences: None,
            firmwares: BTreeSet::new(),
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
    /// needs a synchronised time from before it, or the first record of the chain.
    pub fn records(&mut self, body: &[u8]) {
        self.timeline.begin_part();
        for item in Items::new(body) {
            match item {
                Ok(Item::Sign1(sign1)) => {
                    self.close_window_without_readings();
                    self.record(&sign1);
                }
                Ok(Item::Readings(block)) => match self.open.take() {
                    Some(open) => self.readings(open, block),
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
                    if boot.time_quality == TimeQuality::Synchronised
                        && self.question.believes(time.get())
                    {
                        self.settle_holes(time.get());
                        let placed = self.timeline.synchronise(time.get(), time.get());
                        self.take_all(placed);
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
                around: self.timeline.around_now(),
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
        let is_first = self.last_window.is_none()
            && self.report.first_index == Some(0)
            && self.holes.is_empty();
        if let Some(span) = span {
            self.tell_time(index, span.start_ms, span.end_ms);
        }
        self.last_window = Some(*window);
        self.holes_before_window = self.holes.len();
        self.open = Some(Open {
            window: *window,
            span,
            missing_mwh,
            is_first,
        });
    }

    /// Holds the window against the one before it, and gives the energy of the records that are
    /// missing between the two, if any are.
    fn follow(&mut self, window: &Window) -> Option<u64> {
        let holes = self.holes.len() - self.holes_before_window;
        let index = window.chain_index.get();
        let Some(before) = self.last_window else {
            // The register starts at zero: what stands there now passed in the records that are
            // missing, where these are all that there are before it.
            let is_shown = self.question.from_ms.is_none() || self.report.first_index == Some(0);
            if let Some(hole) = self.holes.last_mut().filter(|_| is_shown) {
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
        if let Some(last_ms) = self.last_time_ms
            && start_ms < last_ms
        {
            self.report.remarks.push(Remark::TimeWentBack {
                index,
                from_ms: last_ms,
                to_ms: start_ms,
            });
        }
        self.last_time_ms = Some(end_ms);
    }

    /// What is missing in front of a synchronised time, and behind the one before it, lies before it.
    fn settle_holes(&mut self, time_ms: u64) {
        let unsettled = |hole: &&mut Hole| hole.around.before_ms.is_none();
        for hole in self.holes.iter_mut().rev().take_while(unsettled) {
            hole.around.before_ms = Some(time_ms);
        }
    }

    fn readings(&mut self, open: Open, block: &[u8]) {
        match readings::check(&open.window, block) {
            Ok(seen) => self.hold(open, Some(seen), false),
            Err(reason) => {
                self.problem(Problem::WrongReadings {
                    index: open.window.chain_index.get(),
                    reason,
                });
                self.hold(open, None, false);
            }
        }
    }

    fn close_window_without_readings(&mut self) {
        if let Some(open) = self.open.take() {
            self.hold(open, None, true);
        }
    }

    /// Judges a window, and places it in time.
    fn hold(&mut self, open: Open, seen: Option<Seen>, lacks_readings: bool) {
        let is_unbounded = self.judge(&open, seen);
        let Open { window, span, .. } = open;
        let told = seen.and_then(|seen| seen.told);
        let told = told.filter(|told| self.question.believes(told.span.end_ms));
        let held = Held {
            window,
            span,
            told: told.map(|told| told.span),
            lacks_readings,
            checked_readings: seen.map_or(0, |seen| seen.readings),
            synchronised_readings: seen.map_or(0, |seen| seen.synchronised),
            is_unbounded,
        };
        let ends_synchronised = seen.is_some_and(|seen| seen.ends_synchronised);
        if let Some(told) = told {
            self.settle_holes(told.first_ms);
        }
        let placed = self.timeline.hold(held, told, ends_synchronised);
        self.take_all(placed);
    }

    fn take_all(&mut self, placed: Vec<(Held, Place)>) {
        for (held, place) in placed {
            self.take(&held, place);
        }
    }

    fn take(&mut self, held: &Held, place: Place) {
        let window = &held.window;
        let index = window.chain_index.get();
        match place {
            Place::Outside => return,
            Place::Inside => self.count(held),
            Place::Unknown => {
                self.report.unplaced_windows += 1;
                let sum = self.report.unplaced_energy_mwh;
                let sum = sum.checked_add(held.energy_mwh());
                self.report.unplaced_energy_mwh = self.checked(index, sum);
            }
        }
        self.enrolments.name(window);
        if held.lacks_readings {
            self.without_readings.push((index, window.count));
        }
    }

    /// Adds a window to what was asked for.
    fn count(&mut self, held: &Held) {
        let window = &held.window;
        let (index, energy_mwh) = (window.chain_index.get(), held.energy_mwh());
        let sum = self.report.energy_mwh.checked_add(energy_mwh);
        self.report.energy_mwh = self.checked(index, sum);
        if held.is_unbounded {
            let sum = self.report.unbounded_energy_mwh.checked_add(energy_mwh);
            self.report.unbounded_energy_mwh = self.checked(index, sum);
        }
        self.report.windows += 1;
        self.report.readings += u64::from(window.count);
        self.report.grade.checked_readings += held.checked_readings;
        self.report.grade.synchronised_readings += held.synchronised_readings;
        self.firmwares.insert(window.firmware);
        self.statements.count(held.span, energy_mwh);
        let last = window.last_sequence.get();
        let first = self
            .sequences
            .map_or(window.first_sequence.get(), |(first, _)| first);
        self.sequences = Some((first, last));
        let shown = match self.question.is_whole() {
            true => held.span,
            false => held.told,
        };
        if let Some(span) = shown {
            self.report.first_time_ms.get_or_insert(span.start_ms);
            self.report.last_time_ms = Some(span.end_ms);
        }
    }

    /// Holds the energy of a window against the rated power, and says whether that was not possible.
    fn judge(&mut self, open: &Open, seen: Option<Seen>) -> bool {
        let window = &open.window;
        let judgement = self.bound.judge(&Rise {
            window,
            missing_mwh: open.missing_mwh,
            is_first: open.is_first,
            seen,
            nameplate: self.enrolments.nameplate(window),
        });
        if let Judgement::Implausible {
            energy_mwh,
            bound_mwh,
        } = judgement
        {
            self.problem(Problem::Implausible {
                index: window.chain_index.get(),
                energy_mwh,
                bound_mwh,
            });
        }
        judgement == Judgement::Unbounded
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

    /// Whether nothing of the time asked for can lie before what was taken so far: it begins with the
    /// first record of the chain, or shows a synchronised time at or before the start.
    #[must_use]
    pub fn shows_the_beginning(&self) -> bool {
        let first_ms = self.timeline.first_ms();
        let reaches = |from_ms| first_ms.is_some_and(|first_ms| first_ms <= from_ms);
        match self.report.first_index {
            None => false,
            // Without a start, what is missing before the first record is a hole like any other.
            Some(first_index) => first_index == 0 || self.question.from_ms.is_none_or(reaches),
        }
    }

    /// Whether all synchronised times of the part that was taken last, of which there is one at least,
    /// lie after the time asked for. Of a part, since a clock may have been wrong for a window.
    #[must_use]
    pub const fn is_past_the_end(&self) -> bool {
        self.timeline.is_past_the_end()
    }

    /// Ends the audit.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.close_window_without_readings();
        let (before, after) = self.missing_ends();
        let placed = self.timeline.end();
        self.take_all(placed);
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
        self.report.shown_until_ms = self.last_time_ms;
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

    /// What is not shown at the ends of the time asked for. Only a synchronised time proves an end;
    /// an end that falls on the last reading shown rests on the word of who served it.
    fn missing_ends(&self) -> (Option<Missing>, Option<Missing>) {
        let Some(first_index) = self.report.first_index else {
            return (None, None);
        };
        let before = Missing::Before {
            first_index,
            first_time_ms: self.timeline.first_ms(),
        };
        let (last_ms, unplaced) = (self.timeline.last_ms(), self.timeline.unplaced());
        let reaches = |ms| last_ms.is_some_and(|last_ms| last_ms.saturating_add(SLOT_MS) >= ms);
        // Without an end, something of the time asked for must be there at least.
        let end_ms = self.question.to_ms.or(self.question.from_ms);
        let ends = unplaced == 0 && end_ms.is_none_or(reaches);
        let after = Missing::After {
            last_time_ms: last_ms,
            unplaced_windows: unplaced,
        };
        (
            (!self.shows_the_beginning()).then_some(before),
            (!ends).then_some(after),
        )
    }

    /// The holes that may touch the time asked for.
    fn missing_records(&mut self) {
        for hole in core::mem::take(&mut self.holes) {
            if self.question.place(hole.around) == Place::Outside {
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
        let last_ms = self.timeline.last_ms();
        let end_is_shown = last_ms.is_some_and(|last_ms| self.question.is_over(last_ms));
        if !end_is_shown && let Some(last) = self.last {
            trust.push(format!(
                "Who served these records, for having shown the end: records after number {}, were they withheld, would leave no mark.",
                last.index
            ));
        }
        trust.push(
            "Who served these records, for having shown every correction and revocation: one that is withheld leaves no mark."
                .to_owned(),
        );
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

    /// Notes what does not hold. One refutes; who serves many must not fill the auditor's memory.
    fn problem(&mut self, problem: Problem) {
        if self.report.problems.len() < MOST_PROBLEMS {
            self.report.problems.push(problem);
        }
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
