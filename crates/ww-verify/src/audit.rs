//! Walks the chain of one meter, record by record, and holds each against the meter's signature,
//! the record before it, its readings and the enrolment it names.

use std::collections::{BTreeMap, BTreeSet};

use ww_wire::cose::{Item, Items};
use ww_wire::merkle::TreeBuilder;
use ww_wire::packed::Codec;
use ww_wire::record::Record;
use ww_wire::{
    AnyReading, ChainRecord, Custody, Domain, Enrolment, Gap, GapKind, Hash, MeterId, PublicKey,
    RecordType, Sign1, SignerId, TimeQuality, UtcMillis, Window,
};

use crate::report::{Grade, Missing, Problem, Report, Verdict};
use crate::signature::{BadSignature, NotAPoint, VerifyingKey};

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
}

/// An audit under way.
#[derive(Debug)]
pub struct Audit {
    meter: MeterId,
    key: VerifyingKey,
    enrolments: BTreeMap<Hash, Enrolment>,
    /// Enrolments to which the meter consented.
    accepted: BTreeSet<Hash>,
    operators: BTreeSet<SignerId>,
    trusted_operator: Option<SignerId>,
    items: u64,
    last: Option<Last>,
    /// The window that readings may follow.
    open: Option<Window>,
    gaps: Vec<Gap>,
    firmwares: BTreeSet<Hash>,
    /// When the sensor's counter was last seen: energy since then may be counted at once.
    counted: Option<UtcMillis>,
    report: Report,
    attested: bool,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    index: u64,
    digest: Hash,
    window: Option<Window>,
}

impl Audit {
    /// An audit of `meter` with its public key; `trusted_operator` is the operator whose
    /// enrolments count, if the auditor knows which.
    ///
    /// # Errors
    /// [`AuditError::ForeignKey`] when the key is not the meter's, [`AuditError::NotAPoint`].
    pub fn new(
        meter: MeterId,
        key: PublicKey,
        trusted_operator: Option<SignerId>,
    ) -> Result<Self, AuditError> {
        if key.id() != meter {
            return Err(AuditError::ForeignKey {
                meter,
                got: key.id(),
            });
        }
        Ok(Self {
            meter,
            key: VerifyingKey::new(key)?,
            enrolments: BTreeMap::new(),
            accepted: BTreeSet::new(),
            operators: BTreeSet::new(),
            trusted_operator,
            items: 0,
            last: None,
            open: None,
            gaps: Vec::new(),
            firmwares: BTreeSet::new(),
            counted: None,
            report: Report {
                meter: meter.to_string(),
                verdict: Verdict::Empty,
                records: 0,
                windows: 0,
                boots: 0,
                gaps: 0,
                readings: 0,
                energy_mwh: 0,
                indices: None,
                times_ms: None,
                firmwares: Vec::new(),
                grade: Grade::default(),
                missing: Vec::new(),
                problems: Vec::new(),
                trust: Vec::new(),
            },
            attested: true,
        })
    }

    /// Takes the operator's enrolments of the meter and the meter's consents to them, in any order:
    /// a CBOR sequence of COSE_Sign1.
    pub fn enrolments(&mut self, body: &[u8]) {
        for item in Items::new(body) {
            match item {
                Ok(Item::Sign1(sign1)) => self.enrolment(&sign1),
                Ok(Item::Readings(_)) => self.unreadable("readings stand among the enrolments"),
                Err(error) => self.unreadable(&error.to_string()),
            }
            self.items += 1;
        }
    }

    fn enrolment(&mut self, sign1: &Sign1<'_>) {
        let enrolment = match Enrolment::decode(sign1.payload) {
            Ok(enrolment) => enrolment,
            Err(error) => return self.unreadable(&error.to_string()),
        };
        if enrolment.meter() != self.meter {
            return self.foreign(enrolment.meter());
        }
        let digest = Hash::of(&[sign1.payload]);
        let by_operator = VerifyingKey::new(enrolment.operator_key)
            .is_ok_and(|key| verify(&key, RecordType::Enrolment, sign1).is_ok());
        let by_meter = self
            .key
            .verify(Domain::EnrolmentAcceptance, sign1.payload, &sign1.signature)
            .is_ok();
        if by_operator {
            self.operators.insert(enrolment.operator);
            self.enrolments.insert(digest, enrolment);
        } else if by_meter {
            self.accepted.insert(digest);
        } else {
            let record = format!("enrolment {}", enrolment.number);
            self.problem(Problem::BadSignature { record });
        }
    }

    /// Takes the next part of the chain: a CBOR sequence of COSE_Sign1 in the order of their
    /// chain indices, each Window perhaps followed by its packed readings.
    pub fn records(&mut self, body: &[u8]) {
        for item in Items::new(body) {
            match item {
                Ok(Item::Sign1(sign1)) => {
                    self.close_window_without_readings();
                    self.record(&sign1);
                }
                Ok(Item::Readings(block)) => match self.open.take() {
                    Some(window) => self.readings(&window, block),
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
        let first = self.report.indices.map_or(index, |(first, _)| first);
        self.report.indices = Some((first, index));
        let previous_window = self.last.and_then(|last| last.window);
        let mut window_now = previous_window;
        match record {
            ChainRecord::Window(window) => {
                self.window(&window, previous_window.as_ref());
                window_now = Some(window);
            }
            ChainRecord::Boot(boot) => {
                self.report.boots += 1;
                self.attested &= boot.attestation != ww_wire::Attestation::NONE;
            }
            ChainRecord::Gap(gap) => {
                self.report.gaps += 1;
                self.gaps.push(gap);
            }
        }
        self.last = Some(Last {
            index,
            digest: Hash::of(&[sign1.payload]),
            window: window_now,
        });
    }

    /// Whether the record may follow the last one; notes a hole before it.
    fn link(&mut self, record: &ChainRecord) -> bool {
        let index = record.chain_index().get();
        let Some(last) = self.last else {
            return true;
        };
        if index <= last.index {
            self.problem(Problem::OutOfOrder {
                index,
                after: last.index,
            });
            return false;
        }
        if index == last.index + 1 {
            if record.previous() != last.digest {
                self.problem(Problem::BrokenLink {
                    index,
                    named: record.previous().to_string(),
                    actual: last.digest.to_string(),
                });
                return false;
            }
            return true;
        }
        let energy_mwh = match (last.window, record) {
            (Some(before), ChainRecord::Window(after)) => after
                .produced_open
                .get()
                .checked_sub(before.produced_close.get()),
            _ => None,
        };
        self.report.missing.push(Missing::Records {
            first_index: last.index + 1,
            last_index: index - 1,
            declared: false,
            energy_mwh,
        });
        true
    }

    fn window(&mut self, window: &Window, before: Option<&Window>) {
        let index = window.chain_index.get();
        let hole = self.last.is_some_and(|last| last.index + 1 != index);
        if let Some(before) = before
            && !hole
        {
            self.continuity(window, before);
        }
        self.plausibility(window);
        self.firmwares.insert(window.firmware);
        self.report.windows += 1;
        self.report.readings += u64::from(window.count);
        self.report.energy_mwh += window.produced_close.get() - window.produced_open.get();
        for time in [window.first_time, window.last_time].into_iter().flatten() {
            let (first, last) = self.report.times_ms.unwrap_or((time.get(), time.get()));
            self.report.times_ms = Some((first.min(time.get()), last.max(time.get())));
        }
        self.open = Some(*window);
    }

    fn continuity(&mut self, window: &Window, before: &Window) {
        let index = window.chain_index.get();
        if window.produced_open != before.produced_close {
            let reason = format!(
                "produced was {} mWh at its close and is {} mWh here",
                before.produced_close.get(),
                window.produced_open.get()
            );
            self.problem(Problem::Discontinuous { index, reason });
        }
        let (expected, got) = (before.last_sequence.get() + 1, window.first_sequence.get());
        let same_boot = window.boot == before.boot;
        if got < expected || (same_boot && got != expected) {
            let reason = format!("reading {expected} should be the first, but it is {got}");
            self.problem(Problem::Discontinuous { index, reason });
        }
    }

    /// Holds the energy against nameplate × time since the counter was last seen. A window without
    /// energy tells nothing of that unless its readings were served.
    fn plausibility(&mut self, window: &Window) {
        let index = window.chain_index.get();
        if window.enrolment.is_zero() {
            return;
        }
        let Some(enrolment) = self.enrolments.get(&window.enrolment) else {
            let digest = window.enrolment.to_string();
            return self.problem(Problem::UnknownEnrolment { index, digest });
        };
        let energy_mwh = window.produced_close.get() - window.produced_open.get();
        if energy_mwh == 0 {
            return;
        }
        let counted = core::mem::replace(&mut self.counted, window.first_time);
        let (Some(start), Some(end)) = (counted, window.last_time) else {
            return;
        };
        let elapsed_ms = end.get().saturating_sub(start.get());
        let bound_mwh = enrolment.nameplate().energy_mwh(elapsed_ms);
        if u128::from(energy_mwh) > bound_mwh {
            let bound_mwh = u64::try_from(bound_mwh).unwrap_or(u64::MAX);
            self.problem(Problem::Implausible {
                index,
                energy_mwh,
                bound_mwh,
            });
        }
    }

    fn readings(&mut self, window: &Window, block: &[u8]) {
        if let Err(reason) = self.check_readings(window, block) {
            self.problem(Problem::WrongReadings {
                index: window.chain_index.get(),
                reason,
            });
        }
    }

    fn check_readings(&mut self, window: &Window, block: &[u8]) -> Result<(), String> {
        let (mut codec, mut rest) = Codec::open(self.meter, block).map_err(|e| e.to_string())?;
        let mut tree = TreeBuilder::new();
        let mut synchronised = 0;
        let mut counted = None;
        let mut produced = window.produced_open;
        let mut ends: Option<(AnyReading, AnyReading)> = None;
        while !rest.is_empty() {
            if tree.size() == u64::from(window.count) {
                return Err(format!(
                    "more than its {} readings were served",
                    window.count
                ));
            }
            let (reading, used) = codec.unpack(rest).map_err(|error| error.to_string())?;
            rest = &rest[used..];
            tree.push(&reading.encode().map_err(|rule| rule.to_string())?);
            let sum = reading.sum();
            if sum.sequence.get() != window.first_sequence.get() + tree.size() - 1 {
                return Err(format!(
                    "reading {} is out of its place",
                    sum.sequence.get()
                ));
            }
            if sum.produced < produced || sum.boot != window.boot {
                return Err(format!(
                    "reading {} contradicts the window",
                    sum.sequence.get()
                ));
            }
            produced = sum.produced;
            counted = sum.time.filter(|_| sum.settles_counter()).or(counted);
            synchronised += u64::from(sum.time_quality == TimeQuality::Synchronised);
            ends = Some((ends.map_or(reading, |(first, _)| first), reading));
        }
        if tree.size() != u64::from(window.count) {
            return Err(format!(
                "{} of its {} readings were served",
                tree.size(),
                window.count
            ));
        }
        if tree.root() != window.root {
            return Err("they lead to another root: at least one was altered".to_owned());
        }
        let times = ends.map(|(first, last)| (first.sum().time, last.sum().time));
        if times != Some((window.first_time, window.last_time)) || produced != window.produced_close
        {
            return Err(
                "its first and last time or its energy are not those of its readings".to_owned(),
            );
        }
        self.counted = counted.or(self.counted);
        self.report.grade.checked_readings += tree.size();
        self.report.grade.synchronised_readings += synchronised;
        Ok(())
    }

    fn close_window_without_readings(&mut self) {
        if let Some(window) = self.open.take() {
            self.report.missing.push(Missing::Readings {
                index: window.chain_index.get(),
                count: window.count,
                declared: false,
            });
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

    /// The latest time of any window so far, ms UTC.
    #[must_use]
    pub fn last_time_ms(&self) -> Option<u64> {
        self.report.times_ms.map(|(_, last)| last)
    }

    /// Ends the audit. `asked_ms` is the time asked for, from and to in ms UTC: what is not shown
    /// at its ends counts as missing, up to the length of a window.
    #[must_use]
    pub fn finish(mut self, asked_ms: Option<(u64, u64)>) -> Report {
        self.close_window_without_readings();
        self.mark_declared();
        if let Some(asked) = asked_ms {
            self.check_ends(asked);
        }
        self.grade();
        self.trust();
        self.report.firmwares = self.firmwares.iter().map(Hash::to_string).collect();
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

    fn mark_declared(&mut self) {
        let covers = |gap: &Gap, records: bool, first: u64, last: u64| {
            (gap.kind == GapKind::Records) == records
                && gap.first_index.get() <= first
                && last <= gap.last_index.get()
        };
        for missing in &mut self.report.missing {
            match missing {
                Missing::Records {
                    first_index,
                    last_index,
                    declared,
                    ..
                } => {
                    *declared = self
                        .gaps
                        .iter()
                        .any(|gap| covers(gap, true, *first_index, *last_index));
                }
                Missing::Readings {
                    index, declared, ..
                } => {
                    *declared = self
                        .gaps
                        .iter()
                        .any(|gap| covers(gap, false, *index, *index));
                }
                Missing::Before { .. } | Missing::After { .. } | Missing::Times => {}
            }
        }
    }

    fn check_ends(&mut self, (from_ms, to_ms): (u64, u64)) {
        let Some((first_time_ms, last_time_ms)) = self.report.times_ms else {
            if self.report.records > 0 {
                self.report.missing.push(Missing::Times);
            }
            return;
        };
        if first_time_ms > from_ms.saturating_add(ww_wire::chain::WINDOW_MS) {
            self.report.missing.push(Missing::Before { first_time_ms });
        }
        if last_time_ms.saturating_add(ww_wire::chain::WINDOW_MS) < to_ms {
            self.report.missing.push(Missing::After { last_time_ms });
        }
    }

    fn grade(&mut self) {
        let newest = self
            .enrolments
            .values()
            .max_by_key(|enrolment| enrolment.number);
        let grade = &mut self.report.grade;
        grade.custody = match newest.map(|enrolment| enrolment.custody) {
            Some(Custody::SecureElement) => "a secure element (claimed, no attestation chain seen)",
            Some(Custody::Software) => "software",
            None => "an unknown place (no enrolment)",
        }
        .to_owned();
        grade.sensor_link = "LAN poll".to_owned();
        grade.firmware = if self.attested && self.report.boots > 0 {
            "attested"
        } else {
            "claimed"
        }
        .to_owned();
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
        match (self.trusted_operator, self.operators.len()) {
            (_, 0) => trust.push(
                "Whoever gave you the meter's id: no operator has vouched for what it measures."
                    .to_owned(),
            ),
            (Some(trusted), 1) if self.operators.contains(&trusted) => trust.push(format!(
                "Operator {trusted}, whom you named, for rated power, place and sensor."
            )),
            _ => {
                let operators: Vec<String> =
                    self.operators.iter().map(SignerId::to_string).collect();
                trust.push(format!(
                    "The operator {} for rated power, place and sensor; compare this id with one that you have from elsewhere.",
                    operators.join(", ")
                ));
            }
        }
        if self
            .enrolments
            .keys()
            .any(|digest| !self.accepted.contains(digest))
        {
            trust.push(
                "The operator alone for at least one enrolment: the meter's consent was not served."
                    .to_owned(),
            );
        }
        if self.report.grade.firmware == "claimed" {
            trust.push("The meter's own word for the firmware that made the readings: no boot loader has attested it.".to_owned());
        }
        trust.push(
            "Who served these records, for not showing another history to someone else: that ends with the public log and its witnesses."
                .to_owned(),
        );
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
