//! Installations: announced by meters, approved and revoked by operators.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, FromRequest, Request, State};
use axum::http::{Response, StatusCode, Uri};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use ww_api::name::Named;
use ww_api::submission::parse_object;
use ww_api::{
    Announcement, Approval, Installation, InstallationDetail, LabelRequest, ProblemKind,
    RevocationRequest, hex,
};
use ww_store::{Announced, InstallationState, SensorProposal, Verified};
use ww_verify::VerifyingKey;
use ww_wire::record::Record as _;
use ww_wire::{
    Address, ChainIndex, Custody, DeciDegrees, Domain, Enrolment, GeoDegrees, Label, Mac,
    ProductionCounter, PublicKey, Replacement, Revocation, RevocationReason, SensorModel, Sign1,
    Text, UtcMillis, Watts,
};

use crate::access::Caller;
use crate::error::{Failure, Result};
use crate::ingest::{expect_media_type, signature_invalid};
use crate::parameters::{Parameters, Path};
use crate::readings::{meter_of, page};
use crate::records;
use crate::state::{Gateway, Peer, Shared, to_its_end};
use crate::view;

/// What it costs an address to bring a new meter, beside the request: each takes a place that others
/// may need, until an operator looks.
const ANNOUNCEMENT_COST: usize = 10;

/// A JSON body, refused by name when it is not what it should be.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Gateway> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self> {
        expect_media_type(request.headers(), "json")?;
        let limits = &gateway.config.limits;
        let limit = limits.json_body_bytes;
        let timeout = Duration::from_millis(limits.request_timeout_ms);
        let body = tokio::time::timeout(timeout, to_bytes(request.into_body(), limit))
            .await
            .map_err(|_| {
                Failure::new(
                    ProblemKind::RequestTimeout,
                    "the body did not arrive in time",
                )
            })?
            .map_err(|_| {
                let detail = format!("the body broke off or is longer than {limit} bytes");
                Failure::new(ProblemKind::BodyTooLarge, detail)
            })?;
        // An absent body stands for an object without fields.
        let body = if body.is_empty() { b"{}" } else { &body[..] };
        Ok(Self(parse_object(body)?))
    }
}

/// `GET /api/v1/installations/`.
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let limit = parameters.limit(gateway.config.limits.page_rows)?;
    let after = parameters.integer("cursor")?.unwrap_or(0);
    let installations = gateway.store.installations().await?;
    let shown: Vec<Installation> = installations
        .iter()
        .filter(|installation| u64::from(installation.id.0) > after)
        .take(limit.map_or(usize::MAX, |limit| limit as usize))
        .map(|installation| show(&gateway, installation))
        .collect();
    let cursor = shown.last().map(|installation| installation.id.to_string());
    Ok(page(
        shown,
        limit.unwrap_or(u32::MAX),
        cursor,
        &uri,
        &parameters,
    ))
}

/// `GET /api/v1/installations/{id}`.
pub(crate) async fn one(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<InstallationDetail>> {
    let stored = stored(&gateway, &id).await?;
    let report = gateway.store.status_report(stored.id).await?;
    let boot_received = match &stored.last_boot {
        Some(boot) => {
            let index = boot.chain_index;
            let next = ChainIndex::new(index.get() + 1).unwrap_or(ChainIndex::MAX);
            let held = gateway.store.chain(stored.id, index, next, 1).await?;
            held.first().and_then(|record| record.received)
        }
        None => None,
    };
    Ok(Json(InstallationDetail {
        installation: show(&gateway, &stored),
        enrolment: view::enrolment(&stored),
        proposal: view::proposal(&stored),
        last_boot: (stored.last_boot.as_ref()).map(|boot| view::last_boot(boot, boot_received)),
        status_report: report.as_ref().map(view::report),
        revocation: stored.revocation.as_ref().map(view::revocation),
    }))
}

pub(crate) fn show(gateway: &Shared, installation: &ww_store::Installation) -> Installation {
    let meter = gateway.registry.by_installation(installation.id);
    let cadence_s = gateway.config.expected_cadence_s;
    view::installation(installation, meter.as_deref(), gateway.now(), cadence_s)
}

pub(crate) async fn stored(gateway: &Shared, id: &str) -> Result<ww_store::Installation> {
    let meter = meter_of(gateway, id)?;
    let installation = gateway.store.installation(meter.installation).await?;
    installation.ok_or_else(|| Failure::not_found(format!("installation {id}")))
}

/// `POST /api/v1/installations/`.
pub(crate) async fn announce(
    State(gateway): State<Gateway>,
    caller: Option<Extension<Caller>>,
    Extension(Peer(address)): Extension<Peer>,
    JsonBody(body): JsonBody<Announcement>,
) -> Result<Response<Body>> {
    let announcement = read_announcement(body)?;
    let meter = announcement.public_key.id();
    let name = announcement.name.clone();
    let audit = gateway.audit(
        format!("meter {meter}"),
        "installation.announce",
        format!("meter {meter}"),
        announcement.name.clone(),
    );
    let waiting_limit = gateway.config.limits.waiting_meters;
    let is_unknown = caller.is_none();
    let intake = Arc::clone(&gateway);
    let announced = to_its_end(async move {
        let announced = intake.store.announce(announcement, waiting_limit, audit);
        let announced = announced.await?;
        if let Announced::New {
            installation,
            forgotten,
        } = &announced
        {
            tracing::info!(installation_id = installation.id.0, meter_id = %meter, "a meter waits for approval");
            if let Some(forgotten) = forgotten {
                tracing::info!(meter_id = %forgotten, "a meter that had waited for a day was forgotten");
                intake.registry.forget(forgotten);
            }
            if is_unknown {
                let now = Instant::now();
                intake.anonymous.charge(address, ANNOUNCEMENT_COST, now);
            }
            intake.know(meter).await?;
            intake.announce_change().await;
        }
        Ok(announced)
    })
    .await?;
    let (status, installation) = match announced {
        Announced::New { installation, .. } => (StatusCode::CREATED, installation),
        Announced::Known(installation) => {
            let may_read = gateway.config.public_read || caller.is_some();
            if !may_read {
                let cadence_s = gateway.config.expected_cadence_s;
                let told = view::acquaintance(&installation, name, cadence_s);
                return Ok(Json(told).into_response());
            }
            (StatusCode::OK, installation)
        }
        Announced::TooManyWaiting => {
            return Err(Failure::new(
                ProblemKind::TooManyWaiting,
                format!("{waiting_limit} meters wait already, none of them for a day"),
            ));
        }
    };
    Ok((status, Json(show(&gateway, &installation))).into_response())
}

fn read_announcement(body: Announcement) -> Result<ww_store::Announcement> {
    check_name(&body.name)?;
    let public_key = read_public_key(&body.public_key)?;
    let payload = match &body.shelly_payload {
        None => Vec::new(),
        Some(payload) => STANDARD
            .decode(payload.trim())
            .map_err(|_| Failure::invalid("shelly_payload", "must be base64"))?,
    };
    let proposed = propose(&payload);
    let boot_time = match body.boot_timestamp {
        None => None,
        Some(seconds) => Some(read_seconds(seconds)?),
    };
    let mac = body.shelly_mac.as_deref().map(read_mac).transpose()?;
    let model = named("sensor_model", body.sensor_model.as_deref())?;
    let production_counter = named("production_counter", body.production_counter.as_deref())?;
    Ok(ww_store::Announcement {
        name: body.name,
        public_key,
        time_zone: body.time_zone,
        sensor: SensorProposal {
            model: model.or(proposed.model),
            mac: mac.or(proposed.mac),
            channel: body.channel,
            production_counter,
            rated_power: body.rated_power_w.map(read_rated_power).transpose()?,
        },
        shelly_payload: payload,
        boot_time,
    })
}

fn check_name(name: &str) -> Result<Text<64>> {
    Text::new(name)
        .filter(|_| !name.is_empty())
        .ok_or_else(|| Failure::invalid("name", "has 1 to 64 bytes and no control characters"))
}

fn read_public_key(text: &str) -> Result<PublicKey> {
    let refused = || Failure::invalid("public_key", "must be 128 hex digits: X then Y");
    let key = match text.len() {
        130 => hex::decode_array(text).and_then(|sec1| PublicKey::from_sec1(&sec1)),
        _ => hex::decode_array(text).map(PublicKey),
    };
    let key = key.ok_or_else(refused)?;
    VerifyingKey::new(key).map_err(|error| {
        Failure::new(ProblemKind::KeyNotOnCurve, error.to_string()).field("public_key")
    })?;
    Ok(key)
}

fn read_rated_power(watts: u32) -> Result<Watts> {
    Watts::new(watts).ok_or_else(|| Failure::invalid("rated_power_w", "is too large"))
}

fn read_seconds(seconds: i64) -> Result<UtcMillis> {
    let Ok(seconds) = u64::try_from(seconds) else {
        return Err(
            Failure::new(ProblemKind::NegativeTime, "`boot_timestamp` is negative")
                .field("boot_timestamp")
                .rule("is counted from 1970 on"),
        );
    };
    seconds
        .checked_mul(1000)
        .filter(|millis| *millis <= ww_api::time::LAST_MILLIS)
        .and_then(UtcMillis::new)
        .ok_or_else(|| {
            Failure::new(
                ProblemKind::TimeOutOfRange,
                "the time is after the year 9999",
            )
            .field("boot_timestamp")
        })
}

fn read_mac(text: &str) -> Result<Mac> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    hex::decode_array(&digits)
        .map(Mac)
        .ok_or_else(|| Failure::invalid("shelly_mac", "must be 12 hex digits"))
}

fn named<N: Named>(field: &'static str, name: Option<&str>) -> Result<Option<N>> {
    name.map(|name| {
        N::from_name(name)
            .ok_or_else(|| Failure::invalid(field, format!("must be one of {}", N::all_names())))
    })
    .transpose()
}

/// What a sensor's own answer shows: `/status` of the first generation, `Shelly.GetDeviceInfo` of
/// the later ones. It only proposes; an operator decides.
fn propose(payload: &[u8]) -> SensorProposal {
    let Ok(answer) = serde_json::from_slice::<serde_json::Value>(payload) else {
        return SensorProposal::default();
    };
    let mac = answer["mac"].as_str().and_then(|mac| read_mac(mac).ok());
    let emeters = answer["emeters"].as_array().map(Vec::len);
    let later = answer["gen"]
        .as_u64()
        .is_some_and(|generation| generation >= 2);
    let triphase = answer["profile"] == "triphase" || answer["app"] == "Pro3EM";
    let model = match (emeters, later) {
        (Some(3), _) => Some(SensorModel::Shelly3EmGen1),
        (Some(_), _) => Some(SensorModel::ShellyEmGen1),
        (None, true) if triphase => Some(SensorModel::ShellyEmGen2),
        (None, true) => Some(SensorModel::ShellyEm1Gen2),
        (None, false) => None,
    };
    SensorProposal {
        model,
        mac,
        ..SensorProposal::default()
    }
}

/// `POST /api/v1/installations/{id}/approve`.
pub(crate) async fn approve(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Approval>,
) -> Result<Json<Installation>> {
    let alone = Arc::clone(&gateway.labelling).lock_owned().await;
    let installation = stored(&gateway, &id).await?;
    if installation.state == InstallationState::Revoked {
        return Err(Failure::new(
            ProblemKind::StateConflict,
            "a revoked key stays revoked; the meter needs a new key",
        ));
    }
    let time = gateway.now().ok_or_else(|| {
        Failure::new(
            ProblemKind::StateConflict,
            "the gateway does not know the time, which an Enrolment must state",
        )
    })?;
    let enrolment = match &body.record {
        Some(record) => brought_enrolment(&gateway, &installation, record)?,
        None => signed_enrolment(&gateway, &installation, &body, time).await?,
    };
    let (name, zone) = (body.name.as_deref(), body.time_zone.as_deref());
    let label = label(&gateway, &installation, name, zone, time)?;
    let replacement = replacement(&gateway, &installation, &body, time).await?;
    let old = replacement
        .as_ref()
        .map(|replacement| replacement.record().old_meter);
    let replacement = replacement.map(|replacement| {
        let old = replacement.record().old_meter;
        let subject = format!("meter {old} by installation {}", installation.id);
        let audit = gateway.audit_of(&caller, "installation.replace", subject, "");
        (replacement, audit)
    });
    let subject = format!("installation {}", installation.id);
    let digest = digest(enrolment.record())?;
    let audit = gateway.audit_of(&caller, "installation.approve", subject, digest);
    to_its_end(async move {
        let _alone = alone;
        let approved = gateway
            .store
            .enrol(enrolment, Some(label), replacement, audit)
            .await?;
        if let Some(old) = old {
            gateway.know(old).await?;
        }
        tracing::info!(
            installation_id = approved.id.0,
            actor = caller.name,
            "a meter was approved"
        );
        gateway.know(approved.meter).await?;
        gateway.announce_change().await;
        Ok(Json(show(&gateway, &approved)))
    })
    .await
}

fn digest(enrolment: &Enrolment) -> Result<String> {
    let payload = enrolment.encode().map_err(|rule| {
        Failure::new(ProblemKind::InvalidField, rule.0)
            .field("enrolment")
            .rule(rule.0)
    })?;
    Ok(format!("enrolment {}", payload.digest()))
}

fn read_hex(field: &'static str, text: &str) -> Result<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    let len = hex::decode_into(text, &mut bytes)
        .ok_or_else(|| Failure::invalid(field, "must be hex digits, two for each byte"))?;
    bytes.truncate(len);
    Ok(bytes)
}

/// An Enrolment that an offline operator has signed.
fn brought_enrolment(
    gateway: &Shared,
    installation: &ww_store::Installation,
    record: &str,
) -> Result<Verified<Enrolment>> {
    let bytes = read_hex("record", record)?;
    let sign1 = Sign1::decode(&bytes)?;
    let enrolment = Enrolment::decode(sign1.payload)?;
    if enrolment.meter_key != installation.public_key {
        return Err(Failure::new(
            ProblemKind::EnrolmentForeign,
            "the Enrolment's meter key is not this installation's",
        )
        .field("meter_key"));
    }
    let key = gateway.operator_key(&enrolment.operator).ok_or_else(|| {
        Failure::new(
            ProblemKind::UnknownOperator,
            format!("{} is no operator of this gateway", enrolment.operator),
        )
        .field("operator")
    })?;
    key.verify(
        Domain::Record(Enrolment::TYPE),
        sign1.payload,
        &sign1.signature,
    )
    .map_err(|_| signature_invalid(&enrolment.operator))?;
    Ok(Verified::vouched(enrolment, sign1.signature))
}

/// An Enrolment from what the meter proposed and the operator says, signed by the gateway's key.
async fn signed_enrolment(
    gateway: &Shared,
    installation: &ww_store::Installation,
    body: &Approval,
    time: UtcMillis,
) -> Result<Verified<Enrolment>> {
    let enrolments = gateway.store.enrolments(installation.id).await?;
    let last = enrolments.last().map(|last| last.enrolment);
    let proposed = &installation.sensor;
    let needed = |field: &'static str| {
        Failure::new(
            ProblemKind::MissingField,
            format!("`{field}` is neither in the request nor in what the meter announced"),
        )
        .field(field)
    };
    let sensor_mac = body.shelly_mac.as_deref().map(read_mac).transpose()?;
    let rated_power = body.rated_power_w.map(read_rated_power).transpose()?;
    let grid_connection = match &body.grid_connection {
        None => last.map_or(Text::EMPTY, |last| last.grid_connection),
        Some(text) => Text::new(text).ok_or_else(|| {
            Failure::invalid(
                "grid_connection",
                "has at most 40 bytes and no control characters",
            )
        })?,
    };
    let custody = named("custody", body.custody.as_deref())?;
    let model = named("sensor_model", body.sensor_model.as_deref())?;
    let counter = named("production_counter", body.production_counter.as_deref())?;
    let enrolment = Enrolment {
        operator: gateway.operator.id(),
        operator_key: *gateway.operator.public(),
        meter_key: installation.public_key,
        number: last.map_or(0, |last| last.number).saturating_add(1),
        time,
        custody: custody
            .or(last.map(|l| l.custody))
            .unwrap_or(Custody::Software),
        sensor_model: model
            .or(last.map(|l| l.sensor_model))
            .or(proposed.model)
            .ok_or_else(|| needed("sensor_model"))?,
        sensor_mac: sensor_mac
            .or(last.map(|l| l.sensor_mac))
            .or(proposed.mac)
            .ok_or_else(|| needed("shelly_mac"))?,
        channel: body
            .channel
            .or(last.map(|l| l.channel))
            .or(proposed.channel)
            .unwrap_or(0),
        production_counter: counter
            .or(last.map(|l| l.production_counter))
            .or(proposed.production_counter)
            .unwrap_or(ProductionCounter::Total),
        ct_ratio_milli: body
            .ct_ratio_milli
            .or(last.map(|l| l.ct_ratio_milli))
            .unwrap_or(1000),
        rated_power: rated_power
            .or(last.map(|l| l.rated_power))
            .or(proposed.rated_power)
            .ok_or_else(|| needed("rated_power_w"))?,
        latitude: degrees("latitude_e7", body.latitude_e7)?.or(last.and_then(|l| l.latitude)),
        longitude: degrees("longitude_e7", body.longitude_e7)?.or(last.and_then(|l| l.longitude)),
        tilt: angle("tilt_decidegrees", body.tilt_decidegrees)?.or(last.and_then(|l| l.tilt)),
        azimuth: angle("azimuth_decidegrees", body.azimuth_decidegrees)?
            .or(last.and_then(|l| l.azimuth)),
        grid_connection,
        start_import: last.and_then(|l| l.start_import),
        start_export: last.and_then(|l| l.start_export),
        owner: last.map_or(Address::ZERO, |l| l.owner),
        chain_id: last.map_or(0, |l| l.chain_id),
        minter: last.map_or(Address::ZERO, |l| l.minter),
    };
    gateway.operator.sign(enrolment).map_err(|rule| {
        Failure::new(ProblemKind::InvalidField, rule.0)
            .field("enrolment")
            .rule(rule.0)
    })
}

fn degrees(field: &'static str, value: Option<i32>) -> Result<Option<GeoDegrees>> {
    value
        .map(|value| {
            GeoDegrees::new(value).ok_or_else(|| Failure::invalid(field, "is out of range"))
        })
        .transpose()
}

fn angle(field: &'static str, value: Option<u16>) -> Result<Option<DeciDegrees>> {
    value
        .map(|value| {
            DeciDegrees::new(value).ok_or_else(|| Failure::invalid(field, "is out of range"))
        })
        .transpose()
}

fn label(
    gateway: &Shared,
    installation: &ww_store::Installation,
    name: Option<&str>,
    zone: Option<&str>,
    time: UtcMillis,
) -> Result<Verified<Label>> {
    let name = check_name(name.unwrap_or(&installation.name))?;
    let zone = zone.unwrap_or(&installation.time_zone);
    if let Some(follower) = installation.replaced_by
        && view::zone(zone) != view::zone(&installation.time_zone)
    {
        return Err(Failure::new(
            ProblemKind::StateConflict,
            format!("installation {follower} follows this one and sets the time zone of both"),
        )
        .field("time_zone"));
    }
    let time_zone = Text::new(zone)
        .filter(|_| zone.is_empty() || jiff::tz::TimeZone::get(zone).is_ok())
        .ok_or_else(|| {
            Failure::invalid("time_zone", "must be a name of the IANA time zone database")
        })?;
    let label = Label {
        operator: gateway.operator.id(),
        meter: installation.meter,
        time,
        name,
        time_zone,
    };
    gateway
        .operator
        .sign(label)
        .map_err(|rule| Failure::invalid("name", rule.0))
}

/// The Replacement by which this meter follows another at its place: brought, or signed by the
/// gateway's key.
async fn replacement(
    gateway: &Shared,
    new: &ww_store::Installation,
    body: &Approval,
    time: UtcMillis,
) -> Result<Option<Verified<Replacement>>> {
    if let Some(record) = &body.replacement {
        if body.replaces.is_some() {
            return Err(Failure::invalid(
                "replacement",
                "stands in the place of `replaces`",
            ));
        }
        let bytes = read_hex("replacement", record)?;
        let replacement = records::verify_replacement(gateway, &Sign1::decode(&bytes)?)?;
        if replacement.record().new_meter != new.meter {
            let rule = "names this installation's meter as the new one";
            return Err(Failure::invalid("replacement", rule));
        }
        return Ok(Some(replacement));
    }
    let Some(old) = body.replaces else {
        return Ok(None);
    };
    let old = stored(gateway, &old.to_string()).await?;
    if new.replaces == Some(old.id) {
        return Ok(None);
    }
    let end = gateway.store.chain_end(old.id).await?.ok_or_else(|| {
        Failure::new(
            ProblemKind::StateConflict,
            format!("installation {} has no chain that could end", old.id),
        )
        .field("replaces")
    })?;
    let replacement = Replacement {
        signer: gateway.operator.id(),
        old_meter: old.meter,
        new_meter: new.meter,
        time,
        last_index: end.index,
        last_digest: end.digest,
        produced_close: end.produced,
    };
    let signed = gateway
        .operator
        .sign(replacement)
        .map_err(|rule| Failure::invalid("replaces", rule.0))?;
    Ok(Some(signed))
}

/// `POST /api/v1/installations/{id}/label`. What is said already is not said again.
pub(crate) async fn relabel(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<LabelRequest>,
) -> Result<Json<Installation>> {
    let alone = Arc::clone(&gateway.labelling).lock_owned().await;
    let installation = stored(&gateway, &id).await?;
    if body.name.is_none() && body.time_zone.is_none() {
        let detail = "neither `name` nor `time_zone` is there";
        return Err(Failure::new(ProblemKind::MissingField, detail).field("name"));
    }
    let time = gateway.now().ok_or_else(|| {
        Failure::new(
            ProblemKind::StateConflict,
            "the gateway does not know the time, which a Label must state",
        )
    })?;
    let (name, zone) = (body.name.as_deref(), body.time_zone.as_deref());
    let label = label(&gateway, &installation, name, zone, time)?;
    if let Some(newest) = installation.label {
        let said = label.record();
        if (newest.name, newest.time_zone) == (said.name, said.time_zone) {
            return Ok(Json(show(&gateway, &installation)));
        }
        if newest.time > time {
            let newest = ww_api::time::iso(newest.time);
            return Err(Failure::new(
                ProblemKind::StateConflict,
                format!("the newest Label is of {newest}, when this gateway's clock was ahead"),
            ));
        }
    }
    let subject = format!("installation {}", installation.id);
    let said = label.record();
    let zone = view::zone(said.time_zone.as_str());
    let detail = format!("{} in {zone}", said.name.as_str());
    let audit = gateway.audit_of(&caller, "installation.label", subject, detail);
    to_its_end(async move {
        let _alone = alone;
        let labelled = gateway.store.label(label, audit).await?;
        tracing::info!(
            installation_id = labelled.id.0,
            actor = caller.name,
            "an installation was labelled"
        );
        gateway.know(labelled.meter).await?;
        gateway.announce_change().await;
        Ok(Json(show(&gateway, &labelled)))
    })
    .await
}

/// `POST /api/v1/installations/{id}/revoke`.
pub(crate) async fn revoke(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<RevocationRequest>,
) -> Result<Json<Installation>> {
    let installation = stored(&gateway, &id).await?;
    let reason = named::<RevocationReason>("reason", Some(&body.reason))?;
    let note = Text::new(&body.note).ok_or_else(|| {
        Failure::invalid("note", "has at most 64 bytes and no control characters")
    })?;
    if installation.state == InstallationState::Revoked {
        return Err(Failure::new(
            ProblemKind::StateConflict,
            "the key is revoked already",
        ));
    }
    let revocation = Revocation {
        operator: gateway.operator.id(),
        meter: installation.meter,
        // The time is for people; a gateway that does not know it says 1970.
        time: gateway.now().unwrap_or(UtcMillis::ZERO),
        reason: reason.unwrap_or(RevocationReason::Other),
        note,
    };
    let revocation = gateway
        .operator
        .sign(revocation)
        .map_err(|rule| Failure::invalid("reason", rule.0))?;
    let subject = format!("installation {}", installation.id);
    let detail = format!("{}: {}", body.reason, body.note);
    let audit = gateway.audit_of(&caller, "installation.revoke", subject, detail);
    to_its_end(async move {
        let revoked = gateway.store.revoke(revocation, audit).await?;
        tracing::info!(
            installation_id = revoked.id.0,
            actor = caller.name,
            "a meter was revoked"
        );
        gateway.know(revoked.meter).await?;
        gateway.announce_change().await;
        Ok(Json(show(&gateway, &revoked)))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_a_real_sensor_proposes_its_mac_and_model() {
        let answer = br#"{"mac":"EC64C9C05E97","emeters":[{"power":16.35},{"power":0.0}]}"#;
        let proposed = propose(answer);
        assert_eq!(
            proposed.mac,
            Some(Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]))
        );
        assert_eq!(proposed.model, Some(SensorModel::ShellyEmGen1));
    }

    #[test]
    fn device_information_of_later_generations_proposes_the_model() {
        let single = br#"{"mac":"AABBCCDDEEFF","gen":2,"app":"ProEM"}"#;
        assert_eq!(propose(single).model, Some(SensorModel::ShellyEm1Gen2));
        let three = br#"{"mac":"AABBCCDDEEFF","gen":2,"app":"Pro3EM","profile":"triphase"}"#;
        assert_eq!(propose(three).model, Some(SensorModel::ShellyEmGen2));
        assert_eq!(propose(b"nonsense"), SensorProposal::default());
    }

    #[test]
    fn a_mac_is_read_with_and_without_separators() {
        let mac = Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]);
        assert_eq!(read_mac("ec:64:C9:c0:5e:97").unwrap(), mac);
        assert_eq!(read_mac("EC64C9C05E97").unwrap(), mac);
        assert!(read_mac("EC64C9C05E").is_err());
    }
}
