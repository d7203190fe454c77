//! The JSON door for readings, and the checks that both doors share. The order: size, shape, known
//! active meter, canonical bytes, plain fields beside them, sequence and time, signature, store.
//! This is the hot path: one reading per request, no middleware around it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;
use ww_api::reading::MAX_SEQUENCE;
use ww_api::{Milli, ProblemKind, RecordReference, Submission, hex};
use ww_store::{
    Ingest, InstallationState, NewFinding, Outcome, Proof, Receipt, Refusal, StoredReading,
    Verified,
};
use ww_wire::record::{HEADER_LENGTH, MAX_PAYLOAD};
use ww_wire::{AnyReading, Domain, MeterId, RecordType, Signature, SignerId, UtcMillis};

use crate::error::{Failure, Result, not_active};
use crate::legacy;
use crate::limits::BodyShare;
use crate::metrics::add;
use crate::plausibility::NumberedRemark;
use crate::registry::Meter;
use crate::state::{Peer, Shared};
use crate::view;

/// Seconds after which a body that found no room may come again.
const ROOM_PAUSE_S: u64 = 2;

/// `POST /api/v1/readings/`.
pub(crate) async fn submit_reading(
    gateway: &Shared,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    let started = Instant::now();
    let result = take_reading(gateway, peer, request).await;
    gateway.metrics.ingested(started.elapsed());
    result.unwrap_or_else(|failure| refuse(gateway, peer, failure))
}

async fn take_reading(
    gateway: &Shared,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>> {
    admit(gateway, peer)?;
    expect_media_type(request.headers(), "json")?;
    let limits = &gateway.config.limits;
    let timeout = Duration::from_millis(limits.request_timeout_ms);
    let room = gateway.bodies.enter(peer.0);
    let body = read_body(request.into_body(), limits.json_body_bytes, timeout, room).await?;
    let now = gateway.now();
    let (meter, reading) = verify_submission(gateway, &body)?;
    let rate = gateway.meter_rate();
    meter.admit(1, rate, Instant::now())?;
    let mut memory = meter.plausibility();
    let sum = reading.record().sum();
    let remarks = memory.look(sum, meter.enrolment.as_ref(), now);
    let mut batch = Vec::with_capacity(1 + remarks.len());
    batch.push(Ingest::Reading(reading.clone()));
    for (kind, detail) in remarks {
        batch.push(finding(&meter, (kind, sum.sequence.get(), detail)));
    }
    let outcomes = gateway.store.ingest(batch, now).await?;
    match outcomes.first() {
        Some(Outcome::Stored(_)) => meter.stored(1, rate, Instant::now(), now, Some(memory)),
        Some(Outcome::Duplicate(_)) => charge(gateway, peer, 1),
        Some(Outcome::Refused(_)) | None => {}
    }
    answer_reading(gateway, &meter, &reading, outcomes).await
}

/// Counts work that brought nothing new against the address that asked for it.
pub(crate) fn charge(gateway: &Shared, Peer(address): Peer, count: usize) {
    if count > 0 {
        gateway.refused.charge(address, count, Instant::now());
    }
}

/// Counts a refusal against the address that it came from, and answers it.
pub(crate) fn refuse(gateway: &Shared, Peer(address): Peer, failure: Failure) -> Response<Body> {
    gateway.metrics.problem(failure.kind);
    tracing::debug!(peer = %address, kind = failure.kind.slug(), "refused a record");
    // Whoever sends what does not hold gets slower; the next request is refused before it is read.
    // What this gateway itself cannot do is nobody's fault, nor is coming too often a lie.
    let is_no_lie = [ProblemKind::RateLimited, ProblemKind::FirmwareNotConfigured];
    if failure.kind.status() < 500 && !is_no_lie.contains(&failure.kind) {
        let _ = gateway.refused.take(address, Instant::now());
    }
    failure.into_response()
}

/// Whether anything is taken from this address now.
pub(crate) fn admit(gateway: &Shared, Peer(address): Peer) -> Result<()> {
    add(&gateway.metrics.requests, 1);
    if gateway.is_stopping() {
        return Err(Failure::new(ProblemKind::Stopping, "nothing was stored"));
    }
    gateway.refused.check(address, Instant::now)?;
    Ok(())
}

/// Refuses a body of another kind; one that says nothing of its kind is taken at its word.
pub(crate) fn expect_media_type(headers: &HeaderMap, expected: &str) -> Result<()> {
    let Some(media_type) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    if media_type
        .to_str()
        .is_ok_and(|text| text.contains(expected))
    {
        return Ok(());
    }
    Err(Failure::new(
        ProblemKind::UnsupportedMediaType,
        format!("expected a media type with `{expected}`"),
    )
    .field("Content-Type"))
}

/// Reads a body of at most `limit` bytes. One that came in one piece is not copied; one that comes
/// in several takes room among the unfinished ones.
pub(crate) async fn read_body(
    mut body: Incoming,
    limit: usize,
    timeout: Duration,
    mut room: BodyShare<'_>,
) -> Result<Bytes> {
    let too_large = || {
        Failure::new(
            ProblemKind::BodyTooLarge,
            format!("the body is longer than {limit} bytes"),
        )
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let read = async {
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame
                .map_err(|_| Failure::new(ProblemKind::RequestTimeout, "the body broke off"))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if first.len() + all.len() + data.len() > limit {
                return Err(too_large());
            }
            if body.is_end_stream() && first.is_empty() && all.is_empty() {
                return Ok(data);
            }
            if !room.grow(data.len()) {
                let detail = "too many bodies are on their way in; try again later";
                return Err(
                    Failure::new(ProblemKind::RateLimited, detail).retry_after(ROOM_PAUSE_S)
                );
            }
            if first.is_empty() && all.is_empty() {
                first = data;
                continue;
            }
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    };
    tokio::time::timeout(timeout, read)
        .await
        .unwrap_or_else(|_| {
            let detail = format!("the body did not arrive within {} ms", timeout.as_millis());
            Err(Failure::new(ProblemKind::RequestTimeout, detail))
        })
}

fn verify_submission(gateway: &Shared, body: &[u8]) -> Result<(Arc<Meter>, Verified<AnyReading>)> {
    let submission = Submission::parse(body)?;
    let (Some(record), Some(signature)) = (&submission.record, &submission.signature) else {
        return Err(incomplete(&submission));
    };
    let mut bytes = [0; MAX_PAYLOAD];
    let payload = decode_record(record, &mut bytes)?;
    let record = || reference(0, payload);
    let signature: [u8; 64] = hex::decode_array(signature).ok_or_else(|| {
        Failure::new(
            ProblemKind::SignatureMalformed,
            "`signature` is not 128 hex digits",
        )
        .field("signature")
        .record(record())
    })?;
    let meter = active_meter(gateway, payload).map_err(|failure| failure.record(record()))?;
    let reading =
        AnyReading::decode(payload).map_err(|error| Failure::from(error).record(record()))?;
    agree(&submission, &meter, &reading).map_err(|failure| failure.record(record()))?;
    check_ranges(&reading).map_err(|failure| failure.record(record()))?;
    let signature = verify(
        &meter,
        Domain::Record(reading.record_type()),
        payload,
        signature,
    )
    .map_err(|failure| explain_checksum(failure, &meter, &reading, &signature).record(record()))?;
    Ok((meter, Verified::vouched(reading, signature)))
}

/// Says why a body without a signed record is refused.
fn incomplete(submission: &Submission<'_>) -> Failure {
    let missing = |field: &'static str| {
        Failure::new(ProblemKind::MissingField, format!("`{field}` is missing"))
            .field(field)
            .rule("is needed")
    };
    if submission.record.is_some() {
        return missing("signature");
    }
    if is_legacy(submission) {
        return Failure::new(
            ProblemKind::LegacyFirmwareSignature,
            ProblemKind::LegacyFirmwareSignature.meaning(),
        )
        .field("signature")
        .rule("is made with the meter's private key");
    }
    if submission.is_legacy || submission.power_w.is_some() || submission.total_wh.is_some() {
        return Failure::new(
            ProblemKind::UnsignedReading,
            ProblemKind::UnsignedReading.meaning(),
        )
        .field("record")
        .rule("is needed");
    }
    missing("record")
}

fn is_legacy(submission: &Submission<'_>) -> bool {
    let signature = submission
        .signature
        .as_deref()
        .and_then(hex::decode_array::<64>);
    match (
        signature,
        submission.power_w,
        submission.total_wh,
        submission.timestamp,
    ) {
        (Some(signature), Some(power), Some(total), Some(time)) => {
            legacy::is_checksum(&signature, power, total, time.0 / 1000)
        }
        _ => false,
    }
}

/// A signature that does not hold may be the old firmware's checksum beside a record.
fn explain_checksum(
    failure: Failure,
    meter: &Meter,
    reading: &AnyReading,
    signature: &[u8; 64],
) -> Failure {
    let (sum, enrolment) = (reading.sum(), meter.enrolment.as_ref());
    let (Some(power), Some(total), Some(time)) = (
        view::power(enrolment, sum),
        view::total(enrolment, sum),
        sum.time,
    ) else {
        return failure;
    };
    if legacy::is_checksum(signature, power, total, i128::from(time.seconds())) {
        let kind = ProblemKind::LegacyFirmwareSignature;
        return Failure::new(kind, kind.meaning()).field("signature");
    }
    failure
}

fn decode_record<'a>(text: &str, bytes: &'a mut [u8; MAX_PAYLOAD]) -> Result<&'a [u8]> {
    if text.len() > 2 * MAX_PAYLOAD {
        let detail = format!("`record` is longer than any record ({MAX_PAYLOAD} bytes)");
        return Err(Failure::new(ProblemKind::RecordTruncated, detail).field("record"));
    }
    let len = hex::decode_into(text, bytes)
        .ok_or_else(|| Failure::invalid("record", "must be hex digits, two for each byte"))?;
    Ok(&bytes[..len])
}

/// The active meter that a payload names as its signer.
pub(crate) fn active_meter(gateway: &Shared, payload: &[u8]) -> Result<Arc<Meter>> {
    let signer = signer_of(payload)?;
    let meter = gateway.registry.by_meter(&signer);
    let meter = meter.ok_or_else(|| unknown_meter(&signer))?;
    match meter.state {
        InstallationState::Active => Ok(meter),
        state => Err(not_active(state).field("meter")),
    }
}

pub(crate) fn unknown_meter(meter: &MeterId) -> Failure {
    Failure::new(
        ProblemKind::UnknownMeter,
        format!("no meter {meter} was ever announced here"),
    )
    .field("meter")
}

/// The signer that a payload names.
pub(crate) fn signer_of(payload: &[u8]) -> Result<SignerId> {
    payload
        .get(2..HEADER_LENGTH)
        .and_then(|id| <[u8; 32]>::try_from(id).ok())
        .map(SignerId)
        .ok_or_else(|| {
            Failure::new(
                ProblemKind::RecordTruncated,
                format!("the record ends after {} bytes", payload.len()),
            )
            .field("record")
        })
}

/// Plain fields beside a record say the same as the record, or the submission is refused.
fn agree(submission: &Submission<'_>, meter: &Meter, reading: &AnyReading) -> Result<()> {
    let sum = reading.sum();
    let disagree = |kind: ProblemKind, field: &'static str, signed: String| {
        Err(Failure::new(kind, format!("the record says {signed}"))
            .field(field)
            .rule("is the record's"))
    };
    let shown =
        |value: Option<Milli>| value.map_or_else(|| "nothing".to_owned(), |v| v.to_string());
    let enrolment = meter.enrolment.as_ref();
    let (power, total) = (view::power(enrolment, sum), view::total(enrolment, sum));
    if submission.power_w.is_some() && submission.power_w != power {
        return disagree(ProblemKind::PowerDisagrees, "power_w", shown(power));
    }
    if submission.total_wh.is_some() && submission.total_wh != total {
        return disagree(ProblemKind::TotalDisagrees, "total_wh", shown(total));
    }
    if let Some(time) = submission.timestamp
        && !is_time_of(time, sum.time)
    {
        let signed = sum.time.map(|time| Milli(i128::from(time.get())));
        return disagree(ProblemKind::TimeDisagrees, "timestamp", shown(signed));
    }
    let is = |given: Option<Milli>, signed: u64| {
        given.is_none_or(|given| given.whole() == Some(i128::from(signed)))
    };
    let sequence = sum.sequence.get();
    if !is(submission.sequence, sequence) {
        return disagree(
            ProblemKind::SequenceDisagrees,
            "sequence",
            sequence.to_string(),
        );
    }
    let installation = meter.installation.0;
    if !is(submission.installation_id, u64::from(installation)) {
        return disagree(
            ProblemKind::KeyDisagrees,
            "installation_id",
            installation.to_string(),
        );
    }
    if let Some(id) = &submission.meter_id
        && hex::decode_array(id) != Some(meter.meter.0)
    {
        return disagree(
            ProblemKind::KeyDisagrees,
            "meter_id",
            meter.meter.to_string(),
        );
    }
    if let Some(key) = &submission.public_key
        && hex::decode_array(key) != Some(meter.key.public().0)
    {
        return disagree(
            ProblemKind::KeyDisagrees,
            "public_key",
            meter.key.public().to_string(),
        );
    }
    Ok(())
}

/// Whole seconds stand for all of their milliseconds; anything finer must be exact.
fn is_time_of(given: Milli, signed: Option<UtcMillis>) -> bool {
    signed.is_some_and(|signed| match given.whole() {
        Some(seconds) => seconds == i128::from(signed.seconds()),
        None => given.0 == i128::from(signed.get()),
    })
}

/// Numbers and times that no honest meter reaches would not fit an id or a date.
pub(crate) fn check_ranges(reading: &AnyReading) -> Result<()> {
    let sum = reading.sum();
    if sum.sequence.get() > MAX_SEQUENCE {
        let rule = format!("is at most {MAX_SEQUENCE}");
        return Err(Failure::new(
            ProblemKind::SequenceOutOfRange,
            format!("sequence {} {rule}", sum.sequence.get()),
        )
        .field("sequence")
        .rule(rule));
    }
    if sum
        .time
        .is_some_and(|time| time.get() > ww_api::time::LAST_MILLIS)
    {
        return Err(Failure::new(
            ProblemKind::TimeOutOfRange,
            "the time is in or after the year 9999",
        )
        .field("time")
        .rule("is before the year 9999"));
    }
    Ok(())
}

/// Checks a meter's signature.
pub(crate) fn verify(
    meter: &Meter,
    domain: Domain,
    payload: &[u8],
    signature: [u8; 64],
) -> Result<Signature> {
    let signature = Signature::from_low_s(signature)?;
    meter
        .key
        .verify(domain, payload, &signature)
        .map_err(|_| signature_invalid(&meter.meter))?;
    Ok(signature)
}

pub(crate) fn signature_invalid(signer: &MeterId) -> Failure {
    Failure::new(
        ProblemKind::SignatureInvalid,
        format!("the key of {signer} did not sign these bytes in this domain"),
    )
    .field("signature")
    .rule("is an ES256 signature over the Sig_structure of the record")
}

/// Which record of a request a problem speaks of, as far as its bytes tell.
pub(crate) fn reference(position: usize, payload: &[u8]) -> RecordReference {
    let number = |at: usize| {
        let bytes = payload.get(at..at + 8)?;
        Some(u64::from_be_bytes(bytes.try_into().ok()?))
    };
    let record_type = RecordType::of(payload).ok();
    let (sequence, chain_index) = match record_type {
        Some(RecordType::Reading | RecordType::ThreePhaseReading) => {
            (number(HEADER_LENGTH + 4), None)
        }
        Some(RecordType::Window | RecordType::Boot | RecordType::Gap) => {
            (None, number(HEADER_LENGTH))
        }
        _ => (None, None),
    };
    RecordReference {
        position,
        record_type: record_type.map(|record_type| record_type.name().to_owned()),
        meter_id: signer_of(payload).ok().map(|id| id.to_string()),
        sequence,
        chain_index,
    }
}

/// A remark as it stands behind the record that it speaks of.
pub(crate) fn finding(meter: &Meter, (kind, number, detail): NumberedRemark) -> Ingest {
    Ingest::Finding(NewFinding {
        installation: meter.installation,
        kind,
        number,
        detail,
    })
}

async fn answer_reading(
    gateway: &Shared,
    meter: &Meter,
    reading: &Verified<AnyReading>,
    outcomes: Vec<Outcome>,
) -> Result<Response<Body>> {
    let outcome = outcomes.into_iter().next().ok_or_else(|| {
        Failure::new(
            ProblemKind::Internal,
            "the store answered without an outcome",
        )
    })?;
    let (status, body) = match outcome {
        Outcome::Stored(receipt) => {
            add(&gateway.metrics.readings_stored, 1);
            if let Some(event) = receipt.event {
                gateway.announce_event(event);
            }
            let stored = as_stored(reading, &receipt);
            let body = serde_json::to_vec(&view::reading(meter, &stored));
            (StatusCode::CREATED, body)
        }
        Outcome::Duplicate(_) => {
            add(&gateway.metrics.duplicates, 1);
            (
                StatusCode::OK,
                Box::pin(stored_answer(gateway, meter, reading)).await?,
            )
        }
        Outcome::Refused(refusal) => {
            return Err(Box::pin(equivocation(gateway, meter, reading, refusal)).await);
        }
    };
    let body = body.expect("a reading has only string keys");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

/// The answer to a reading that is held already: as it is held, with the signature that came first,
/// or with its proof in the place of it once it is sealed.
async fn stored_answer(
    gateway: &Shared,
    meter: &Meter,
    reading: &Verified<AnyReading>,
) -> Result<serde_json::Result<Vec<u8>>> {
    let sequence = reading.record().sum().sequence;
    let proven = gateway.store.reading(meter.installation, sequence).await?;
    let proven = proven.ok_or_else(|| Failure::not_found(format!("reading {}", sequence.get())))?;
    Ok(serde_json::to_vec(&view::proven_reading(meter, &proven)))
}

fn as_stored(reading: &Verified<AnyReading>, receipt: &Receipt) -> StoredReading {
    StoredReading {
        installation: receipt.installation,
        reading: *reading.record(),
        received: receipt.received,
        proof: Proof::Signature(*reading.signature()),
    }
}

/// Shows the record that is held beside the one that contradicts it.
async fn equivocation(
    gateway: &Shared,
    meter: &Meter,
    reading: &Verified<AnyReading>,
    refusal: Refusal,
) -> Failure {
    let sum = reading.record().sum();
    let is_reading = matches!(refusal, Refusal::EquivocatingReading { .. });
    if refusal.is_equivocation() {
        tracing::warn!(
            installation_id = meter.installation.0,
            sequence = sum.sequence.get(),
            "the meter contradicts what it signed before: {refusal}"
        );
    }
    let failure = Failure::from(refusal).record(RecordReference {
        position: 0,
        record_type: Some(reading.record().record_type().name().to_owned()),
        meter_id: Some(meter.meter.to_string()),
        sequence: Some(sum.sequence.get()),
        chain_index: None,
    });
    if !is_reading {
        return failure;
    }
    match gateway
        .store
        .reading(meter.installation, sum.sequence)
        .await
    {
        Ok(Some(held)) => match held.stored.reading.encode() {
            Ok(payload) => failure.held(&payload),
            Err(_) => failure,
        },
        _ => failure,
    }
}
