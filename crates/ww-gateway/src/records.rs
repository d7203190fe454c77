//! The binary door: sequences of COSE_Sign1 in, an Acknowledgement out; and the same records out
//! again for whoever wants to check them. The checks are those of the JSON door.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use bytes::Bytes;
use hyper::body::Incoming;
use tokio::time::Instant;
use ww_api::route::{ACKNOWLEDGEMENT, COSE};
use ww_api::{ProblemKind, RecordReference, hex};
use ww_store::{
    Acceptance, Ingest, Installation, InstallationId, Outcome, StoredEnrolment, Verified,
    WindowReadings,
};
use ww_verify::VerifyingKey;
use ww_wire::cose::{Item, Items, byte_string_head};
use ww_wire::record::Record;
use ww_wire::{
    Acknowledgement, AnyReading, Boot, ChainIndex, ChainRecord, Correction, Domain, Enrolment, Gap,
    Hash, Label, MeterId, RecordType, Replacement, Revocation, Sign1, Signature, StatusReport,
    Window,
};

use crate::error::{Failure, Result};
use crate::ingest::{
    active_meter, admit, check_ranges, expect_media_type, push_remarks, read_body, reference,
    refuse, signature_invalid, signer_of, verify,
};
use crate::metrics::add;
use crate::parameters::Parameters;
use crate::plausibility;
use crate::registry::Meter;
use crate::state::{Gateway, Peer, Shared};

/// Bodies above this are checked beside the threads that serve connections.
const INLINE_BYTES: usize = 4 << 10;

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
    let room = gateway.bodies.enter();
    let body = read_body(
        request.into_body(),
        limits.records_body_bytes,
        timeout,
        room,
    )
    .await?;
    let checked = check_body(gateway, body).await?;
    let meter = checked.meter;
    let next_index = store_records(gateway, checked).await?;
    acknowledge(gateway, meter, next_index).await
}

async fn check_body(gateway: &Gateway, body: Bytes) -> Result<Checked> {
    if body.len() <= INLINE_BYTES {
        return check(gateway, &body);
    }
    let gateway = Arc::clone(gateway);
    tokio::task::spawn_blocking(move || check(&gateway, &body))
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
    /// Which record each entry of the batch came from.
    references: Vec<RecordReference>,
    statements: Vec<Statement>,
    readings: u64,
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
fn check(gateway: &Shared, body: &[u8]) -> Result<Checked> {
    let mut checker = Checker {
        gateway,
        meter: None,
        batch: Vec::new(),
        references: Vec::new(),
        statements: Vec::new(),
        window: None,
        readings: 0,
    };
    let limit = gateway.config.limits.batch_records;
    for (position, item) in Items::new(body).enumerate() {
        let item = item.map_err(|error| Failure::from(error).record(at(position)))?;
        match item {
            Item::Sign1(_) if checker.references.len() >= limit => {
                return Err(Failure::new(
                    ProblemKind::BatchTooLarge,
                    format!("a batch has at most {limit} records"),
                ));
            }
            Item::Sign1(sign1) => checker
                .sign1(position, &sign1)
                .map_err(|failure| failure.record(reference(position, sign1.payload)))?,
            Item::Readings(packed) => checker
                .packed(packed)
                .map_err(|failure| failure.record(at(position)))?,
        }
    }
    checker.finish()
}

fn at(position: usize) -> RecordReference {
    RecordReference {
        position,
        ..RecordReference::default()
    }
}

struct Checker<'a> {
    gateway: &'a Shared,
    meter: Option<(MeterId, Option<Arc<Meter>>)>,
    batch: Vec<Ingest>,
    references: Vec<RecordReference>,
    statements: Vec<Statement>,
    /// The window that packed readings may follow, and its place in the batch.
    window: Option<(usize, Window, Signature)>,
    readings: u64,
}

impl Checker<'_> {
    fn sign1(&mut self, position: usize, sign1: &Sign1<'_>) -> Result<()> {
        self.window = None;
        let payload = sign1.payload;
        let reference = reference(position, payload);
        match RecordType::of(payload)? {
            RecordType::Reading | RecordType::ThreePhaseReading => {
                let meter = self.meter_of(payload)?;
                let reading = AnyReading::decode(payload)?;
                check_ranges(&reading)?;
                let domain = Domain::Record(reading.record_type());
                let signature = verify(&meter, domain, payload, *sign1.signature.bytes())?;
                let now = self.gateway.now();
                let sum = *reading.sum();
                let remarks =
                    meter.plausibility(|memory| memory.look(&sum, meter.enrolment.as_ref(), now));
                self.push(
                    Ingest::Reading(Verified::vouched(reading, signature)),
                    reference,
                );
                self.remark(&meter, sum.sequence.get(), remarks);
                self.readings += 1;
            }
            RecordType::Window => {
                let (window, signature) = self.own::<Window>(sign1)?;
                let verified = Verified::vouched(window, signature);
                self.window = Some((self.batch.len(), window, signature));
                self.push(Ingest::Window(verified, None), reference);
            }
            RecordType::Boot => {
                let (boot, signature) = self.own::<Boot>(sign1)?;
                let verified = Verified::vouched(ChainRecord::Boot(boot), signature);
                self.push(Ingest::Chain(verified), reference);
            }
            RecordType::Gap => {
                let (gap, signature) = self.own::<Gap>(sign1)?;
                let verified = Verified::vouched(ChainRecord::Gap(gap), signature);
                self.push(Ingest::Chain(verified), reference);
            }
            RecordType::StatusReport => {
                let (report, signature) = self.own::<StatusReport>(sign1)?;
                self.push(
                    Ingest::Status(Verified::vouched(report, signature)),
                    reference,
                );
            }
            RecordType::Enrolment => self.enrolment(sign1)?,
            RecordType::Label => {
                let label = self.operators::<Label>(sign1)?;
                self.one_meter(label.record().meter)?;
                self.statements.push(Statement::Label(label));
            }
            RecordType::Correction => {
                let correction = self.operators::<Correction>(sign1)?;
                self.one_meter(correction.record().meter)?;
                self.statements.push(Statement::Correction(correction));
            }
            RecordType::Revocation => {
                let revocation = self.operators::<Revocation>(sign1)?;
                self.one_meter(revocation.record().meter)?;
                self.statements.push(Statement::Revocation(revocation));
            }
            RecordType::Replacement => self.replacement(sign1)?,
            RecordType::Acknowledgement => {
                return Err(Failure::new(
                    ProblemKind::RecordTypeUnexpected,
                    "an Acknowledgement is an answer, not a request",
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

    /// A record that an operator signs.
    fn operators<R: Record>(&self, sign1: &Sign1<'_>) -> Result<Verified<R>> {
        let record = R::decode(sign1.payload)?;
        let signer = record.signer();
        let key = self.gateway.operator_key(&signer).ok_or_else(|| {
            Failure::new(
                ProblemKind::UnknownOperator,
                format!("{signer} is no operator of this gateway"),
            )
            .field("operator")
        })?;
        check_signature(key, Domain::Record(R::TYPE), sign1)?;
        Ok(Verified::vouched(record, sign1.signature))
    }

    /// An Enrolment comes from an operator, or from the meter as its consent.
    fn enrolment(&mut self, sign1: &Sign1<'_>) -> Result<()> {
        let enrolment = Enrolment::decode(sign1.payload)?;
        self.one_meter(enrolment.meter())?;
        let meter_key = VerifyingKey::new(enrolment.meter_key).map_err(|error| {
            Failure::new(ProblemKind::KeyNotOnCurve, error.to_string()).field("meter_key")
        })?;
        if check_signature(&meter_key, Domain::EnrolmentAcceptance, sign1).is_ok() {
            let acceptance = Verified::vouched(Acceptance(enrolment), sign1.signature);
            self.statements.push(Statement::Acceptance(acceptance));
            return Ok(());
        }
        let enrolment = self.operators::<Enrolment>(sign1)?;
        self.statements.push(Statement::Enrolment(enrolment));
        Ok(())
    }

    /// A Replacement comes from an operator, or from the meter that ends.
    fn replacement(&mut self, sign1: &Sign1<'_>) -> Result<()> {
        let replacement = Replacement::decode(sign1.payload)?;
        self.one_meter(replacement.new_meter)?;
        let verified = if replacement.signer == replacement.old_meter {
            let old = active_meter(self.gateway, sign1.payload)?;
            check_signature(&old.key, Domain::Record(Replacement::TYPE), sign1)?;
            Verified::vouched(replacement, sign1.signature)
        } else {
            self.operators::<Replacement>(sign1)?
        };
        self.statements.push(Statement::Replacement(verified));
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
            let remark = plausibility::look_at_window(
                window.produced_open,
                readings.readings(),
                meter.enrolment.as_ref(),
            );
            self.remark(&meter, window.first_sequence.get(), remark);
        }
        self.readings += u64::from(window.count);
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

    fn push(&mut self, entry: Ingest, reference: RecordReference) {
        self.batch.push(entry);
        self.references.push(reference);
    }

    fn remark(
        &mut self,
        meter: &Meter,
        number: u64,
        remarks: impl IntoIterator<Item = plausibility::Remark>,
    ) {
        push_remarks(&mut self.batch, meter, number, remarks);
        self.references
            .resize_with(self.batch.len(), RecordReference::default);
    }

    fn finish(self) -> Result<Checked> {
        let Some((meter, known)) = self.meter else {
            return Err(Failure::new(
                ProblemKind::EmptyBatch,
                "there is no record in the body",
            ));
        };
        if let Some(known) = known {
            let rate = self.gateway.meter_rate();
            known.take(self.references.len(), rate, Instant::now())?;
        }
        Ok(Checked {
            meter,
            batch: self.batch,
            references: self.references,
            statements: self.statements,
            readings: self.readings,
        })
    }
}

fn check_signature(key: &VerifyingKey, domain: Domain, sign1: &Sign1<'_>) -> Result<()> {
    key.verify(domain, sign1.payload, &sign1.signature)
        .map_err(|_| signature_invalid(&key.public().id()))
}

/// Stores all and gives the chain record expected next, if the store said so.
async fn store_records(gateway: &Shared, checked: Checked) -> Result<Option<ChainIndex>> {
    let now = gateway.now();
    let mut next_index = None;
    if !checked.batch.is_empty() {
        let records = checked.batch.len() as u64;
        let outcomes = gateway.store.ingest(checked.batch, now).await?;
        next_index = note_outcomes(gateway, &outcomes, checked.readings, records);
        if let Some(meter) = gateway.registry.by_meter(&checked.meter) {
            meter.seen(now);
        }
        let refused =
            outcomes
                .into_iter()
                .zip(checked.references)
                .find_map(|(outcome, reference)| match outcome {
                    Outcome::Refused(refusal) => Some((refusal, reference)),
                    Outcome::Stored(_) | Outcome::Duplicate(_) => None,
                });
        if let Some((refusal, reference)) = refused {
            if refusal.is_equivocation() {
                tracing::warn!(meter_id = %checked.meter, "the meter contradicts itself: {refusal}");
            }
            return Err(Failure::from(refusal).record(reference));
        }
    }
    for statement in checked.statements {
        store_statement(gateway, statement).await?;
    }
    Ok(next_index)
}

fn note_outcomes(
    gateway: &Shared,
    outcomes: &[Outcome],
    readings: u64,
    records: u64,
) -> Option<ChainIndex> {
    let mut stored = false;
    let mut newest = None;
    let mut next_index = None;
    for outcome in outcomes {
        match outcome {
            Outcome::Stored(receipt) => {
                stored = true;
                newest = newest.max(receipt.event);
                next_index = next_index.max(Some(receipt.next_index));
            }
            Outcome::Duplicate(receipt) => {
                add(&gateway.metrics.duplicates, 1);
                next_index = next_index.max(Some(receipt.next_index));
            }
            Outcome::Refused(_) => {}
        }
    }
    if stored {
        add(&gateway.metrics.readings_sealed, readings);
        add(&gateway.metrics.records_stored, records);
    }
    if let Some(event) = newest {
        gateway.announce_event(event);
    }
    next_index
}

async fn store_statement(gateway: &Shared, statement: Statement) -> Result<()> {
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
            store.accept_enrolment(acceptance, gateway.now()).await?
        }
        Statement::Enrolment(enrolment) => {
            let record = enrolment.record();
            let audit = audit(operator(record), "installation.enrol", record.meter());
            store.enrol(enrolment, None, audit).await?
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
            reload(gateway, record.old_meter).await?;
            installation
        }
    };
    gateway.registry.put(&installation);
    gateway.announce_change().await;
    Ok(())
}

/// Reads a meter anew after a change of which it is not the answer.
pub(crate) async fn reload(gateway: &Shared, meter: MeterId) -> Result<()> {
    if let Some(installation) = gateway.store.installation_of(meter).await? {
        gateway.registry.put(&installation);
    }
    Ok(())
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
        .ok_or_else(|| Failure::not_found(format!("enrolment of meter {meter_id}")))?;
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
    installation.ok_or_else(|| Failure::not_found(format!("meter {meter_id}")))
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

/// The last record of a meter's chain and `produced` there, for a Replacement.
pub(crate) async fn end_of_chain(
    gateway: &Shared,
    installation: &Installation,
) -> Result<(ChainIndex, Hash, ww_wire::MilliwattHours)> {
    let id: InstallationId = installation.id;
    let conflict = || {
        Failure::new(
            ProblemKind::StateConflict,
            format!("installation {id} has no window yet that could be its last record"),
        )
        .field("replaces")
    };
    let next = installation.next_index.get();
    let mut digest = None;
    for index in (0..next).rev() {
        let from = ChainIndex::new(index).ok_or_else(conflict)?;
        let to = from.next().ok_or_else(conflict)?;
        let records = gateway.store.chain(id, from, to, 1).await?;
        let Some(record) = records.first() else {
            continue;
        };
        let (last_index, last_digest) =
            *digest.get_or_insert((record.index, Hash::of(&[&record.payload])));
        match ChainRecord::decode(&record.payload)? {
            ChainRecord::Window(window) => {
                return Ok((last_index, last_digest, window.produced_close));
            }
            ChainRecord::Gap(gap) => return Ok((last_index, last_digest, gap.produced_close)),
            ChainRecord::Boot(_) => {}
        }
    }
    Err(conflict())
}
