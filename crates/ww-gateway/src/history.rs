//! What was said of a meter, signed: the same records that `/api/v1/meters/{meter_id}/enrolments` and
//! `…/statements` give as bytes, in the order in which they were said, with what they say in words.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use ww_api::name::Named as _;
use ww_api::{HistoryEntry, HistoryKind, ProblemKind, SignedBy, hex, time};
use ww_store::{StoredEnrolment, StoredStatement};
use ww_wire::record::Record;
use ww_wire::{Correction, Hash, Label, RecordType, Replacement, Revocation, SignerId, UtcMillis};

use crate::error::{Failure, Result};
use crate::installations::stored;
use crate::parameters::Path;
use crate::records::statements_of;
use crate::state::Gateway;
use crate::view;

/// `GET /api/v1/installations/{id}/history`.
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<Vec<HistoryEntry>>> {
    let installation = stored(&gateway, &id).await?;
    let enrolments = gateway.store.enrolments(installation.id).await?;
    let statements = statements_of(&gateway, &installation).await?;
    let mut said = Vec::with_capacity(enrolments.len() + statements.len());
    for stored in &enrolments {
        said.push(of_enrolment(stored)?);
    }
    for stored in &statements {
        said.extend(of_statement(stored)?);
    }
    // What came while the gateway did not know the time goes by when it was signed.
    said.sort_by_key(|said| said.received.unwrap_or(said.issued));
    Ok(Json(said.into_iter().map(Said::entry).collect()))
}

/// A record that was said of a meter.
struct Said {
    kind: HistoryKind,
    issued: UtcMillis,
    received: Option<UtcMillis>,
    signer: SignerId,
    signed_by: SignedBy,
    payload: Vec<u8>,
    signature: String,
    acceptance: Option<String>,
    summary: Summary,
}

impl Said {
    fn entry(self) -> HistoryEntry {
        HistoryEntry {
            kind: self.kind,
            issued_at: time::iso(self.issued),
            received_at: view::iso(self.received),
            signer: self.signer.to_string(),
            signed_by: self.signed_by,
            digest: Hash::of(&[&self.payload]).to_string(),
            record: hex::encode(&self.payload),
            signature: self.signature,
            acceptance: self.acceptance,
            summary: self.summary.0,
        }
    }
}

/// The fields of a record by their names in the API. What is absent is left out.
#[derive(Default)]
struct Summary(BTreeMap<String, String>);

impl Summary {
    fn with(self, name: &str, value: impl ToString) -> Self {
        self.with_some(name, Some(value))
    }

    fn with_some(mut self, name: &str, value: Option<impl ToString>) -> Self {
        let value = value.map(|value| value.to_string());
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.0.insert(name.to_owned(), value);
        }
        self
    }
}

fn of_enrolment(stored: &StoredEnrolment) -> Result<Said> {
    let enrolment = &stored.enrolment;
    let payload = enrolment.encode().map_err(|_| damaged())?;
    let summary = Summary::default()
        .with("number", enrolment.number)
        .with("custody", enrolment.custody.name())
        .with("sensor_model", enrolment.sensor_model.name())
        .with("shelly_mac", enrolment.sensor_mac)
        .with("channel", enrolment.channel)
        .with("production_counter", enrolment.production_counter.name())
        .with("ct_ratio_milli", enrolment.ct_ratio_milli)
        .with("rated_power_w", enrolment.rated_power.get())
        .with_some(
            "latitude_e7",
            enrolment.latitude.map(|degrees| degrees.get()),
        )
        .with_some(
            "longitude_e7",
            enrolment.longitude.map(|degrees| degrees.get()),
        )
        .with_some(
            "tilt_decidegrees",
            enrolment.tilt.map(|degrees| degrees.get()),
        )
        .with_some(
            "azimuth_decidegrees",
            enrolment.azimuth.map(|degrees| degrees.get()),
        )
        .with("grid_connection", enrolment.grid_connection.as_str());
    Ok(Said {
        kind: HistoryKind::Enrolment,
        issued: enrolment.time,
        received: stored.received,
        signer: enrolment.operator,
        signed_by: SignedBy::Operator,
        payload: payload.to_vec(),
        signature: stored.operator_signature.to_string(),
        acceptance: stored.acceptance.map(|signature| signature.to_string()),
        summary,
    })
}

/// `None` for a record that is not said of a meter; the store holds none.
fn of_statement(stored: &StoredStatement) -> Result<Option<Said>> {
    let said = match RecordType::of(&stored.payload)? {
        RecordType::Label => {
            let label = Label::decode(&stored.payload)?;
            let summary = Summary::default()
                .with("name", label.name.as_str())
                .with("time_zone", label.time_zone.as_str());
            said(
                stored,
                HistoryKind::Label,
                (label.time, label.operator),
                summary,
            )
        }
        RecordType::Correction => {
            let correction = Correction::decode(&stored.payload)?;
            let summary = Summary::default()
                .with("target", correction.target)
                .with("first_sequence", correction.first_sequence.get())
                .with("last_sequence", correction.last_sequence.get())
                .with("reduction_wh", view::energy_milli(correction.reduction))
                .with("reason", correction.reason.name())
                .with("note", correction.note.as_str());
            let signed = (correction.time, correction.operator);
            said(stored, HistoryKind::Correction, signed, summary)
        }
        RecordType::Revocation => {
            let revocation = Revocation::decode(&stored.payload)?;
            let summary = Summary::default()
                .with("reason", revocation.reason.name())
                .with("note", revocation.note.as_str());
            let signed = (revocation.time, revocation.operator);
            said(stored, HistoryKind::Revocation, signed, summary)
        }
        RecordType::Replacement => {
            let replacement = Replacement::decode(&stored.payload)?;
            let summary = Summary::default()
                .with("old_meter", replacement.old_meter)
                .with("new_meter", replacement.new_meter)
                .with("last_index", replacement.last_index.get())
                .with("last_digest", replacement.last_digest)
                .with(
                    "produced_close_wh",
                    view::energy_milli(replacement.produced_close),
                );
            let signed = (replacement.time, replacement.signer);
            let mut said = said(stored, HistoryKind::Replacement, signed, summary);
            if replacement.signer == replacement.old_meter {
                said.signed_by = SignedBy::Meter;
            }
            said
        }
        _ => return Ok(None),
    };
    Ok(Some(said))
}

fn said(
    stored: &StoredStatement,
    kind: HistoryKind,
    (issued, signer): (UtcMillis, SignerId),
    summary: Summary,
) -> Said {
    Said {
        kind,
        issued,
        received: stored.received,
        signer,
        signed_by: SignedBy::Operator,
        payload: stored.payload.clone(),
        signature: stored.signature.to_string(),
        acceptance: None,
        summary,
    }
}

fn damaged() -> Failure {
    Failure::new(ProblemKind::Internal, "a stored enrolment cannot be read")
}
