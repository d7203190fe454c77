//! The binary door: sequences of COSE_Sign1 in, an Acknowledgement out; and the same records out
//! again for whoever wants to check them. The checks are those of the JSON door.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use hyper::body::Incoming;
use tokio::time::Instant;
use ww_api::route::{ACKNOWLEDGEMENT, COSE};
use ww_api::{ProblemKind, RecordReference, hex};
use ww_store::{
    Acceptance, Ingest, Installation, NewAudit, Outcome, StoredEnrolment, StoredStatement,
    Verified, WindowReadings,
};
use ww_verify::VerifyingKey;
use ww_wire::cose::{Item, Items, byte_string_head};
use ww_wire::record::Record;
use ww_wire::{
    Acknowledgement, AnyReading, Boot, ChainIndex, ChainRecord, Correction, Domain, Enrolment, Gap,
    Hash, Label, MeterId, RecordType, Replacement, Revocation, Sign1, Signature, StatusReport,
    UtcMillis, Window,
};

use crate::error::{Failure, Result, not_active};
use crate::ingest::{
    active_meter, admit, charge, check_ranges, expect_media_type, finding, read_body, reference,
    refuse, signature_invalid, signer_of, unknown_meter, verify,
};
use crate::metrics::add;
use crate::parameters::{Parameters, Path};
use crate::plausibility::{self, NumberedRemark, Plausibility};
use crate::readings::{PAGE_BYTES, put_next};
use crate::registry::Meter;
use crate::state::{Gateway, Peer, Shared, to_its_end};

/// Bodies above this are checked beside the threads that serve connections.
const INLINE_BYTES: usize = 4 << 10;

/// Statements in one body: each is written for itself.
const MAX_STATEMENTS: usize = 16;

/// Chain records on one page.
const PAGE_RECORDS: u32 = 144;

/// `POST /api/v1/records`.
pub(crate) async fn submit_records(
    gateway: &Gateway,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    let started = Instant::now();
    let result = take_records(gateway, peer, request).await;
    gateway.metrics.ingested(started.elapsed());
    result.unwrap_or_else(|failure| refuse(gateway, peer, failure))
}

async fn take_records(
    gateway: &Gateway,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>> {
    admit(gateway, peer)?;
    expect_media_type(request.headers(), "cose")?;
    let limits = &gateway.config.limits;
    let timeout = Duration::from_millis(limits.request_timeout_ms);
    let room = gateway.bodies.enter(peer.0);
    let body = read_body(
        request.into_body(),
        limits.records_body_bytes,
        timeout,
        room,
    )
    .await?;
    let checked = check_body(gateway, peer, body.clone()).await?;
    let meter = checked.meter;
    let next_index = store_records(gateway, peer, &body, checked).await?;
    acknowledge(gateway, meter, next_index).await
}

async fn check_body(gateway: &Gateway, peer: Peer, body: Bytes) -> Result<Checked> {
    if body.len() <= INLINE_BYTES {
        return check(gateway, peer, &body);
    }
    let gateway = Arc::clone(gateway);
    tokio::task::spawn_blocking(move || check(&gateway, peer, &body))
        .await
        .unwrap_or_else(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "checking records broke off"
            );
            Err(Failure::new(ProblemKind::Internal, "nothing was stored"))
        })
}

/// A body whose every signature holds.
#[derive(Debug)]
struct Checked {
    meter: MeterId,
    batch: Vec<Ingest>,
    /// What is known of each entry of the batch.
    entries: Vec<Entry>,
    statements: Vec<Statement>,
}

/// What is known of an entry of the batch.
#[derive(Debug)]
struct Entry {
    /// Where the record stands in the body; `None` for a finding.
    position: Option<usize>,
    kind: EntryKind,
    /// Readings that come with a Window.
    readings: u64,
    /// What is remembered of the meter's readings once it is stored.
    learned: Option<Plausibility>,
}

/// As what a record is counted.
#[derive(Clone, Copy, Debug)]
enum EntryKind {
    /// A reading that is signed alone.
    Reading,
    /// A record of the chain.
    Chain,
    /// A report of how the meter is, or a finding.
    Other,
}

/// What is not part of a meter's own stream.
#[derive(Debug)]
enum Statement {
    Acceptance(Verified<Acceptance>),
    Enrolment(Verified<Enrolment>),
    Label(Verified<Label>),
    Correction(Verified<Correction>),
    Revocation(Verified<Revocation>),
    Replacement(Verified<Replacement>),
}

/// Checks a body record by record; the first that does not hold refuses all of it.
fn check(gateway: &Shared, peer: Peer, body: &[u8]) -> Result<Checked> {
    let mut checker = Checker {
        gateway,
        peer,
        now: gateway.now(),
        meter: None,
        batch: Vec::new(),
        entries: Vec::new(),
        statements: Vec::new(),
        window: None,
        records: 0,
        memory: Plausibility::after(None),
        backlog: Plausibility::after(None),
    };
    let limit = gateway.config.limits.batch_records;
    for (position, item) in Items::new(body).enumerate() {
        let item = item.map_err(|error| Failure::from(error).record(at(position)))?;
        match item {
            Item::Sign1(_) if checker.records >= limit => {
                return Err(Failure::new(
                    ProblemKind::BatchTooLarge,
                    format!("a batch has at most {limit} records"),
                ));
            }
            Item::Sign1(sign1) => {
                checker.records += 1;
                checker
                    .sign1(position, &sign1)
                    .map_err(|failure| failure.record(reference(position, sign1.payload)))?;
            }
            Item::Readings(packed) => checker
                .packed(packed)
                .map_err(|failure| failure.record(at(position)))?,
        }
    }
    checker.finish()
}

/// The record at a position of a body that was read before.
fn reference_in(body: &[u8], position: usize) -> RecordReference {
    match Items::new(body).nth(position) {
        Some(Ok(Item::Sign1(sign1))) => reference(position, sign1.payload),
        _ => at(position),
    }
}

fn at(position: usize) -> RecordReference {
    RecordReference {
        position,
        ..RecordReference::default()
    }
}

struct Checker<'a> {
    gateway: &'a Shared,
    peer: Peer,
    now: Option<UtcMillis>,
    meter: Option<(MeterId, Option<Arc<Meter>>)>,
    batch: Vec<Ingest>,
    entries: Vec<Entry>,
    statements: Vec<Statement>,
    /// The window that packed readings may follow, and its place in the batch.
    window: Option<(usize, Window, Signature)>,
    records: usize,
    /// What is remembered of the meter, and what this body adds to it.
    memory: Plausibility,
    /// The same of readings that come after newer ones.
    backlog: Plausibility,
}

impl Checker<'_> {
    fn sign1(&mut self, position: usize, sign1: &Sign1<'_>) -> Result<()> {
        self.window = None;
        let payload = sign1.payload;
        match RecordType::of(payload)? {
            RecordType::Reading | RecordType::ThreePhaseReading => {
                let meter = self.meter_of(payload)?;
                let reading = AnyReading::decode(payload)?;
                check_ranges(&reading)?;
                let domain = Domain::Record(reading.record_type());
                let signature = verify(&meter, domain, payload, *sign1.signature.bytes())?;
                let sum = reading.sum();
                let remarks = self.memory.look(sum, meter.enrolment.as_ref(), self.now);
                let reading = Ingest::Reading(Verified::vouched(reading, signature));
                self.push(reading, position, Some(self.memory));
                for (kind, detail) in remarks {
                    self.remark(&meter, (kind, sum.sequence.get(), detail));
                }
            }
            RecordType::Window => {
                let (window, signature) = self.own::<Window>(sign1)?;
                let verified = Verified::vouched(window, signature);
                self.window = Some((self.batch.len(), window, signature));
                self.push(Ingest::Window(verified, None), position, None);
            }
            RecordType::Boot => {
                let (boot, signature) = self.own::<Boot>(sign1)?;
                let verified = Verified::vouched(ChainRecord::Boot(boot), signature);
                self.push(Ingest::Chain(verified), position, None);
            }
            RecordType::Gap => {
                let (gap, signature) = self.own::<Gap>(sign1)?;
                let verified = Verified::vouched(ChainRecord::Gap(gap), signature);
                self.push(Ingest::Chain(verified), position, None);
            }
            RecordType::StatusReport => {
                let (report, signature) = self.own::<StatusReport>(sign1)?;
                let report = Ingest::Status(Verified::vouched(report, signature));
                self.push(report, position, None);
            }
            RecordType::Enrolment => self.enrolment(sign1)?,
            RecordType::Label => {
                let label = self.operators::<Label>(sign1)?;
                self.one_meter(label.record().meter)?;
                self.state(Statement::Label(label))?;
            }
            RecordType::Correction => {
                let correction = self.operators::<Correction>(sign1)?;
                self.one_meter(correction.record().meter)?;
                self.state(Statement::Correction(correction))?;
            }
            RecordType::Revocation => {
                let revocation = self.operators::<Revocation>(sign1)?;
                self.one_meter(revocation.record().meter)?;
                self.state(Statement::Revocation(revocation))?;
            }
            RecordType::Replacement => self.replacement(sign1)?,
            RecordType::Acknowledgement => {
                return Err(Failure::new(
                    ProblemKind::RecordTypeUnexpected,
                    "an Acknowledgement is an answer, not a request",
                ));
            }
            RecordType::UpdateReport => {
                return Err(Failure::new(
                    ProblemKind::RecordTypeUnexpected,
                    "an UpdateReport goes to /ota/complete",
                ));
            }
        }
        Ok(())
    }

    /// A record that a meter signs of itself.
    fn own<R: Record>(&mut self, sign1: &Sign1<'_>) -> Result<(R, Signature)> {
        let meter = self.meter_of(sign1.payload)?;
        let record = R::decode(sign1.payload)?;
        let domain = Domain::Record(R::TYPE);
        let signature = verify(&meter, domain, sign1.payload, *sign1.signature.bytes())?;
        Ok((record, signature))
    }

    /// A record that an operator signs. Anyone can send it again: whoever does pays for it.
    fn operators<R: Record>(&self, sign1: &Sign1<'_>) -> Result<Verified<R>> {
        let verified = verify_operators::<R>(self.gateway, sign1)?;
        charge(self.gateway, self.peer, 1);
        Ok(verified)
    }

    /// An Enrolment comes from an operator, or from the meter as its consent.
    fn enrolment(&mut self, sign1: &Sign1<'_>) -> Result<()> {
        let enrolment = Enrolment::decode(sign1.payload)?;
        let meter = enrolment.meter();
        self.one_meter(meter)?;
        let known = self.gateway.registry.by_meter(&meter);
        if let Some(known) = &known
            && check_signature(&known.key, Domain::EnrolmentAcceptance, sign1).is_ok()
        {
            charge(self.gateway, self.peer, 1);
            let acceptance = Verified::vouched(Acceptance(enrolment), sign1.signature);
            return self.state(Statement::Acceptance(acceptance));
        }
        // For a meter that was never announced no key is tried but an operator's.
        let verified = self.operators::<Enrolment>(sign1);
        if known.is_none() {
            let enrolment = verified
                .as_ref()
                .map_err(|_| unknown_meter(&meter))?
                .record();
            VerifyingKey::new(enrolment.meter_key).map_err(|error| {
                Failure::new(ProblemKind::KeyNotOnCurve, error.to_string()).field("meter_key")
            })?;
        }
        self.state(Statement::Enrolment(verified?))
    }

    /// A Replacement is an operator's act. Where the meter that ends has signed it, an operator
    /// brings it with the approval of the meter that follows.
    fn replacement(&mut self, sign1: &Sign1<'_>) -> Result<()> {
        let replacement = Replacement::decode(sign1.payload)?;
        self.one_meter(replacement.new_meter)?;
        if replacement.signer == replacement.old_meter {
            return Err(Failure::new(
                ProblemKind::UnknownOperator,
                "a Replacement by the old meter takes effect when an operator brings it with the \
                 approval of the new one",
            )
            .field("signer"));
        }
        let replacement = self.operators::<Replacement>(sign1)?;
        self.state(Statement::Replacement(replacement))
    }

    /// Takes a statement; of a meter's consents one in a body.
    fn state(&mut self, statement: Statement) -> Result<()> {
        let is_consent = |statement: &Statement| matches!(statement, Statement::Acceptance(_));
        if self.statements.len() >= MAX_STATEMENTS
            || is_consent(&statement) && self.statements.iter().any(is_consent)
        {
            return Err(Failure::new(
                ProblemKind::BatchTooLarge,
                format!(
                    "a batch has at most {MAX_STATEMENTS} statements, one of them an acceptance"
                ),
            ));
        }
        self.statements.push(statement);
        Ok(())
    }

    /// Packed readings complete the window before them.
    fn packed(&mut self, packed: &[u8]) -> Result<()> {
        let Some((place, window, signature)) = self.window.take() else {
            return Err(Failure::new(
                ProblemKind::ReadingsMalformed,
                "packed readings follow their Window",
            ));
        };
        let readings = WindowReadings::open(&window, packed)?;
        for reading in readings.readings() {
            check_ranges(reading)?;
        }
        let meter = self.meter.as_ref().and_then(|(_, meter)| meter.clone());
        if let Some(meter) = meter {
            let enrolment = meter.enrolment_named(&window.enrolment);
            let is_newest = self.memory.is_before(window.first_sequence);
            let memory = match is_newest {
                true => &mut self.memory,
                false => &mut self.backlog,
            };
            let remarks = memory.look_at_readings(readings.readings(), enrolment, self.now);
            self.entries[place].learned = is_newest.then_some(self.memory);
            for remark in remarks {
                self.remark(&meter, remark);
            }
            let number = window.first_sequence.get();
            let open = window.produced_open;
            if let Some((kind, detail)) =
                plausibility::look_at_window(open, readings.readings(), enrolment)
            {
                self.remark(&meter, (kind, number, detail));
            }
        }
        self.entries[place].readings = u64::from(window.count);
        self.batch[place] = Ingest::Window(Verified::vouched(window, signature), Some(readings));
        Ok(())
    }

    fn meter_of(&mut self, payload: &[u8]) -> Result<Arc<Meter>> {
        let signer = signer_of(payload)?;
        if let Some((meter, Some(known))) = &self.meter
            && *meter == signer
        {
            return Ok(Arc::clone(known));
        }
        let meter = active_meter(self.gateway, payload)?;
        self.one_meter(meter.meter)?;
        meter.admit(1, self.gateway.meter_rate(), Instant::now())?;
        self.memory = meter.plausibility();
        self.meter = Some((meter.meter, Some(Arc::clone(&meter))));
        Ok(meter)
    }

    fn one_meter(&mut self, meter: MeterId) -> Result<()> {
        match self.meter.get_or_insert((meter, None)) {
            (known, _) if *known == meter => Ok(()),
            (known, _) => Err(Failure::new(
                ProblemKind::MixedBatch,
                format!("the batch began with meter {known}"),
            )
            .field("meter")),
        }
    }

    fn push(&mut self, record: Ingest, position: usize, learned: Option<Plausibility>) {
        let kind = match record {
            Ingest::Reading(_) => EntryKind::Reading,
            Ingest::Window(..) | Ingest::Chain(_) => EntryKind::Chain,
            Ingest::Status(_) | Ingest::Finding(_) => EntryKind::Other,
        };
        self.batch.push(record);
        self.entries.push(Entry {
            position: Some(position),
            kind,
            readings: 0,
            learned,
        });
    }

    fn remark(&mut self, meter: &Meter, remark: NumberedRemark) {
        self.batch.push(finding(meter, remark));
        self.entries.push(Entry {
            position: None,
            kind: EntryKind::Other,
            readings: 0,
            learned: None,
        });
    }

    fn finish(self) -> Result<Checked> {
        let Some((meter, known)) = self.meter else {
            return Err(Failure::new(
                ProblemKind::EmptyBatch,
                "there is no record in the body",
            ));
        };
        if let Some(known) = known {
            known.admit(self.records, self.gateway.meter_rate(), Instant::now())?;
        }
        Ok(Checked {
            meter,
            batch: self.batch,
            entries: self.entries,
            statements: self.statements,
        })
    }
}

fn check_signature(key: &VerifyingKey, domain: Domain, sign1: &Sign1<'_>) -> Result<()> {
    key.verify(domain, sign1.payload, &sign1.signature)
        .map_err(|_| signature_invalid(&key.public().id()))
}

/// Checks a record that an operator signs; the operator must be one of this gateway's.
fn verify_operators<R: Record>(gateway: &Shared, sign1: &Sign1<'_>) -> Result<Verified<R>> {
    let record = R::decode(sign1.payload)?;
    let signer = record.signer();
    let key = gateway.operator_key(&signer).ok_or_else(|| {
        Failure::new(
            ProblemKind::UnknownOperator,
            format!("{signer} is no operator of this gateway"),
        )
        .field("operator")
    })?;
    check_signature(key, Domain::Record(R::TYPE), sign1)?;
    Ok(Verified::vouched(record, sign1.signature))
}

/// A Replacement that comes with an approval: signed by an operator, or by the meter that ends.
pub(crate) fn verify_replacement(
    gateway: &Shared,
    sign1: &Sign1<'_>,
) -> Result<Verified<Replacement>> {
    let replacement = Replacement::decode(sign1.payload)?;
    if replacement.signer != replacement.old_meter {
        return verify_operators::<Replacement>(gateway, sign1);
    }
    let old = active_meter(gateway, sign1.payload)?;
    check_signature(&old.key, Domain::Record(Replacement::TYPE), sign1)?;
    Ok(Verified::vouched(replacement, sign1.signature))
}

/// Stores all and gives the chain record expected next, if the store said so.
async fn store_records(
    gateway: &Gateway,
    peer: Peer,
    body: &[u8],
    checked: Checked,
) -> Result<Option<ChainIndex>> {
    let now = gateway.now();
    let mut next_index = None;
    if !checked.batch.is_empty() {
        let boots = boots_of(&checked.batch);
        let outcomes = gateway.store.ingest(checked.batch, now).await?;
        for (place, boot) in boots {
            if let Some(Outcome::Stored(receipt)) = outcomes.get(place) {
                gateway.registry.started(&boot);
                gateway
                    .rollouts
                    .booted(gateway, receipt.installation, &boot);
            }
        }
        let noted = note_outcomes(gateway, &outcomes, &checked.entries);
        next_index = noted.next_index;
        if noted.stored > 0
            && let Some(meter) = gateway.registry.by_meter(&checked.meter)
        {
            let rate = gateway.meter_rate();
            meter.stored(noted.stored, rate, Instant::now(), now, noted.learned);
        }
        charge(gateway, peer, noted.duplicates);
        let refused = outcomes
            .into_iter()
            .zip(checked.entries)
            .find_map(|(outcome, entry)| match outcome {
                Outcome::Refused(refusal) => Some((refusal, entry.position?)),
                Outcome::Stored(_) | Outcome::Duplicate(_) => None,
            });
        if let Some((refusal, position)) = refused {
            if refusal.is_equivocation() {
                tracing::warn!(meter_id = %checked.meter, "the meter contradicts itself: {refusal}");
            }
            return Err(Failure::from(refusal).record(reference_in(body, position)));
        }
    }
    for statement in checked.statements {
        to_its_end(store_statement(Arc::clone(gateway), statement)).await?;
    }
    Ok(next_index)
}

/// The Boot records of a batch and their places in it.
fn boots_of(batch: &[Ingest]) -> Vec<(usize, Boot)> {
    let places = batch.iter().enumerate();
    let boots = places.filter_map(|(place, item)| match item {
        Ingest::Chain(record) => match record.record() {
            ChainRecord::Boot(boot) => Some((place, *boot)),
            _ => None,
        },
        _ => None,
    });
    boots.collect()
}

/// What became of a body's records.
#[derive(Debug, Default)]
struct Noted {
    stored: usize,
    duplicates: usize,
    learned: Option<Plausibility>,
    next_index: Option<ChainIndex>,
}

fn note_outcomes(gateway: &Shared, outcomes: &[Outcome], entries: &[Entry]) -> Noted {
    let mut noted = Noted::default();
    let mut newest = None;
    let (mut single, mut chained, mut sealed) = (0, 0, 0);
    let records = outcomes
        .iter()
        .zip(entries)
        .filter(|(_, entry)| entry.position.is_some());
    for (outcome, entry) in records {
        match outcome {
            Outcome::Stored(receipt) => {
                noted.stored += 1;
                match entry.kind {
                    EntryKind::Reading => single += 1,
                    EntryKind::Chain => chained += 1,
                    EntryKind::Other => {}
                }
                sealed += entry.readings;
                newest = newest.max(receipt.event);
                noted.learned = entry.learned.or(noted.learned);
                noted.next_index = noted.next_index.max(Some(receipt.next_index));
            }
            Outcome::Duplicate(receipt) => {
                noted.duplicates += 1;
                noted.next_index = noted.next_index.max(Some(receipt.next_index));
            }
            Outcome::Refused(_) => {}
        }
    }
    add(&gateway.metrics.duplicates, noted.duplicates as u64);
    add(&gateway.metrics.readings_stored, single);
    add(&gateway.metrics.readings_sealed, sealed);
    add(&gateway.metrics.records_stored, chained);
    if let Some(event) = newest {
        gateway.announce_event(event);
    }
    noted
}

async fn store_statement(gateway: Gateway, statement: Statement) -> Result<()> {
    let gateway = gateway.as_ref();
    let audit = |signer: String, action: &str, meter: MeterId| {
        gateway.audit(
            signer,
            action,
            format!("meter {meter}"),
            "by a signed record",
        )
    };
    let store = &gateway.store;
    let installation = match statement {
        Statement::Acceptance(acceptance) => {
            let Acceptance(enrolment) = *acceptance.record();
            let meter = enrolment.meter();
            if is_accepted(gateway, &enrolment).await? {
                return Ok(());
            }
            let audit = audit(format!("meter {meter}"), "enrolment.accept", meter);
            store.accept_enrolment(acceptance, audit).await?
        }
        Statement::Enrolment(enrolment) => {
            let record = enrolment.record();
            let audit = audit(operator(record), "installation.enrol", record.meter());
            store_enrolment(gateway, enrolment, audit).await?
        }
        Statement::Label(label) => {
            let record = label.record();
            let audit = audit(operator(record), "installation.label", record.meter);
            store.label(label, audit).await?
        }
        Statement::Correction(correction) => {
            let record = correction.record();
            let audit = audit(operator(record), "installation.correct", record.meter);
            store.correct(correction, audit).await?
        }
        Statement::Revocation(revocation) => {
            let record = revocation.record();
            let audit = audit(operator(record), "installation.revoke", record.meter);
            store.revoke(revocation, audit).await?
        }
        Statement::Replacement(replacement) => {
            let record = *replacement.record();
            let audit = audit(operator(&record), "installation.replace", record.new_meter);
            let installation = store.replace(replacement, audit).await?;
            gateway.know(record.old_meter).await?;
            installation
        }
    };
    gateway.know(installation.meter).await?;
    gateway.announce_change().await;
    Ok(())
}

/// Stores an Enrolment that was brought. A meter brings the one in force on it when a gateway's own
/// is behind that by its number, as of a gateway set up anew: then what an operator approved here
/// last is signed again under the next number, so that the meter can take it.
async fn store_enrolment(
    gateway: &Shared,
    brought: Verified<Enrolment>,
    audit: NewAudit,
) -> Result<Installation> {
    let record = *brought.record();
    let meter = record.meter();
    let held = gateway.registry.by_meter(&meter);
    let approved = held
        .and_then(|meter| meter.enrolment)
        .filter(|held| *held != record && held.operator == gateway.operator.id());
    let is_behind = |held: &Enrolment| held.number < record.number && held.time > record.time;
    let is_rival = |held: &Enrolment| held.number == record.number;
    let next = record.number.checked_add(1);
    let again = approved.filter(|held| is_behind(held) || is_rival(held));
    let Some((held, number)) = again.zip(next) else {
        return Ok(gateway.store.enrol(brought, None, None, audit).await?);
    };
    let renewed = Enrolment {
        number,
        time: gateway.now().unwrap_or(held.time),
        ..held
    };
    let renewed = gateway.operator.sign(renewed).map_err(damaged)?;
    let renewal = gateway.audit(
        "gateway",
        "installation.enrol",
        format!("meter {meter}"),
        format!(
            "number {} again as number {number}: the meter had number {}",
            held.number, record.number
        ),
    );
    // Of two with one number the first stays.
    let stored = if is_rival(&held) {
        gateway.store.enrol(renewed, None, None, renewal)
    } else {
        gateway.store.renew((brought, audit), (renewed, renewal))
    };
    Ok(stored.await?)
}

/// Whether the meter's consent to this enrolment is held: then there is nothing to write.
async fn is_accepted(gateway: &Shared, enrolment: &Enrolment) -> Result<bool> {
    let Some(meter) = gateway.registry.by_meter(&enrolment.meter()) else {
        return Ok(false);
    };
    let held = gateway.store.enrolments(meter.installation).await?;
    Ok(held
        .iter()
        .any(|held| held.enrolment == *enrolment && held.acceptance.is_some()))
}

fn operator(record: &impl Record) -> String {
    format!("signer {}", record.signer())
}

async fn acknowledge(
    gateway: &Shared,
    meter: MeterId,
    next_index: Option<ChainIndex>,
) -> Result<Response<Body>> {
    let known = gateway.registry.by_meter(&meter);
    let (next_index, enrolment) = match (next_index, known) {
        (Some(next_index), Some(known)) => (next_index, known.enrolment_digest),
        _ => {
            let installation = gateway.store.installation_of(meter).await?;
            let installation =
                installation.ok_or_else(|| Failure::not_found(format!("meter {meter}")))?;
            (installation.next_index, installation.enrolment_digest)
        }
    };
    let acknowledgement = Acknowledgement {
        meter,
        next_index,
        time: gateway.now(),
        log_size: 0,
        log_root: Hash::ZERO,
        enrolment: enrolment.unwrap_or(Hash::ZERO),
    };
    let payload = acknowledgement.encode().map_err(|rule| {
        tracing::error!(%rule, "the acknowledgement breaks its own rule");
        Failure::new(
            ProblemKind::Internal,
            "all was stored, but not acknowledged",
        )
    })?;
    Ok(bytes_answer(ACKNOWLEDGEMENT, payload.to_vec()))
}

/// `GET /api/v1/meters/{meter_id}/enrolment`.
pub(crate) async fn read_enrolment(
    State(gateway): State<Gateway>,
    Path(meter_id): Path<String>,
) -> Result<Response<Body>> {
    let installation = installation_of(&gateway, &meter_id).await?;
    let enrolments = gateway.store.enrolments(installation.id).await?;
    let newest = enrolments
        .last()
        .ok_or_else(|| not_active(installation.state).answered_404())?;
    Ok(bytes_answer(COSE, enrolment_bytes(newest)?))
}

/// `GET /api/v1/meters/{meter_id}/enrolments`.
pub(crate) async fn list_enrolments(
    State(gateway): State<Gateway>,
    Path(meter_id): Path<String>,
) -> Result<Response<Body>> {
    let installation = installation_of(&gateway, &meter_id).await?;
    let mut body = Vec::new();
    for enrolment in gateway.store.enrolments(installation.id).await? {
        body.extend_from_slice(&enrolment_bytes(&enrolment)?);
        if let Some(acceptance) = enrolment.acceptance {
            let payload = encode(&enrolment.enrolment)?;
            push_sign1(&mut body, &payload, acceptance)?;
        }
    }
    Ok(bytes_answer(COSE, body))
}

/// `GET /api/v1/meters/{meter_id}/statements`. A meter that follows another is shown with the
/// Replacement that says so, which is a statement of the other. The cursor is how many were shown.
pub(crate) async fn list_statements(
    State(gateway): State<Gateway>,
    Path(meter_id): Path<String>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let skipped = parameters.integer("cursor")?.unwrap_or(0);
    let installation = installation_of(&gateway, &meter_id).await?;
    let statements = statements_of(&gateway, &installation).await?;
    let (mut body, mut next) = (Vec::new(), None);
    for (place, statement) in (0..)
        .zip(statements)
        .skip_while(|(place, _)| *place < skipped)
    {
        if body.len() >= PAGE_BYTES {
            next = Some(place);
            break;
        }
        push_sign1(&mut body, &statement.payload, statement.signature)?;
    }
    let mut response = bytes_answer(COSE, body);
    if let Some(next) = next {
        let query = parameters.with_cursor(&next.to_string());
        put_next(&mut response, &uri, &query);
    }
    Ok(response)
}

/// What was said of a meter. The Replacement by which it follows another was said of both.
pub(crate) async fn statements_of(
    gateway: &Shared,
    installation: &Installation,
) -> Result<Vec<StoredStatement>> {
    let mut statements = Vec::new();
    if let Some(old) = installation.replaces {
        statements = gateway.store.statements(old).await?;
        statements.retain(|statement| statement.record_type == RecordType::Replacement);
    }
    statements.extend(gateway.store.statements(installation.id).await?);
    Ok(statements)
}

/// `GET /api/v1/meters/{meter_id}/records`.
pub(crate) async fn list_records(
    State(gateway): State<Gateway>,
    Path(meter_id): Path<String>,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let installation = installation_of(&gateway, &meter_id).await?;
    let index = |name| -> Result<Option<ChainIndex>> {
        Ok(parameters.integer(name)?.and_then(ChainIndex::new))
    };
    let from = index("from_index")?.unwrap_or(ChainIndex::ZERO);
    let to = index("to_index")?
        .and_then(ChainIndex::next)
        .unwrap_or(ChainIndex::MAX);
    let store = &gateway.store;
    let records = store.chain(installation.id, from, to, PAGE_RECORDS).await?;
    let mut body = Vec::new();
    for record in &records {
        push_sign1(&mut body, &record.payload, record.signature)?;
        if let Some(packed) = &record.packed {
            let (head, len) = byte_string_head(u32::try_from(packed.len()).unwrap_or(u32::MAX));
            body.extend_from_slice(&head[..len]);
            body.extend_from_slice(packed);
        }
    }
    let mut response = bytes_answer(COSE, body);
    if records.len() == PAGE_RECORDS as usize
        && let Some(next) = records.last().and_then(|record| record.index.next())
        && next < to
    {
        let mut link = format!(
            "</api/v1/meters/{meter_id}/records?from_index={}",
            next.get()
        );
        if let Some(to) = parameters.integer("to_index")? {
            write!(link, "&to_index={to}").expect("writing to a String does not fail");
        }
        link.push_str(">; rel=\"next\"");
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

async fn installation_of(gateway: &Shared, meter_id: &str) -> Result<Installation> {
    let meter = hex::decode_array(meter_id)
        .map(ww_wire::SignerId)
        .ok_or_else(|| Failure::invalid("meter_id", "must be 64 hex digits"))?;
    let installation = gateway.store.installation_of(meter).await?;
    installation.ok_or_else(|| unknown_meter(&meter).answered_404())
}

fn enrolment_bytes(enrolment: &StoredEnrolment) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    let payload = encode(&enrolment.enrolment)?;
    push_sign1(&mut body, &payload, enrolment.operator_signature)?;
    Ok(body)
}

fn encode(record: &impl Record) -> Result<Vec<u8>> {
    record
        .encode()
        .map(|payload| payload.to_vec())
        .map_err(damaged)
}

fn damaged(what: impl std::fmt::Display) -> Failure {
    tracing::error!(%what, "a stored record cannot be written");
    Failure::new(ProblemKind::Internal, "a stored record cannot be written")
}

fn push_sign1(body: &mut Vec<u8>, payload: &[u8], signature: Signature) -> Result<()> {
    let sign1 = Sign1 { payload, signature };
    let bytes = sign1
        .encode()
        .ok_or_else(|| damaged("longer than any record"))?;
    body.extend_from_slice(&bytes);
    Ok(())
}

fn bytes_answer(media_type: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
