//! Firmware for people: who may sign it, what is published, and how each meter is with it. What devices
//! are told is elsewhere; nothing here is installed by being published.

pub(crate) mod rollouts;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use ww_api::{FirmwareDeviceDetail, FirmwareRelease, FirmwareRoot, ProblemKind, hex};
use ww_release::file::{Field, FileError, ReleaseFile, Unacceptable};
use ww_release::release::HardwareClass;
use ww_release::root::{MAX_ROOT, SignedRoot};
use ww_store::{InstallationId, NewFirmwareRelease};
use ww_wire::{Hash, SignerId};

pub(crate) use self::rollouts::{Decision, Rollouts, watch};
use crate::access::Caller;
use crate::error::{Failure, Result};
use crate::ingest::expect_media_type;
use crate::ota::Checker;
use crate::ota::catalogue::HeldRelease;
use crate::parameters::{Parameters, Path};
use crate::readings::page;
use crate::state::{Gateway, Shared, to_its_end};

/// Rows of a list when nothing is said.
const ROWS: u32 = 100;

/// Devices of a list when nothing is said, and that are read at a time.
const DEVICES: u32 = 1_000;

/// Reports that are shown of one meter.
const REPORTS: u32 = 100;

/// `GET /api/v1/firmware/roots`.
pub(crate) async fn list_roots(State(gateway): State<Gateway>) -> Json<Vec<FirmwareRoot>> {
    let roots = gateway.ota.catalogue.roots();
    let shown = roots.iter().filter_map(|root| view::root(&gateway, root));
    Json(shown.collect())
}

/// `POST /api/v1/firmware/roots`.
pub(crate) async fn add_root(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response<Body>> {
    gateway.ota.keys()?;
    expect_media_type(request.headers(), "cbor")?;
    let timeout = gateway.config.limits.request_timeout_ms;
    let body = body_of(request.into_body(), MAX_ROOT, timeout).await?;
    to_its_end(async move {
        let _alone = gateway.rollouts.publishing.lock().await;
        let newest = gateway.ota.catalogue.newest_root();
        if let Some(newest) = newest.filter(|newest| newest.bytes == body) {
            return Ok(Json(view::root(&gateway, &newest)).into_response());
        }
        let number = trusted_root(&gateway, &body)?;
        let audit = gateway.audit_of(
            &caller,
            "firmware.root",
            format!("root {number}"),
            format!("SHA-256 {}", Hash::of(&[&body])),
        );
        let added = gateway
            .store
            .add_firmware_root(number, body.to_vec(), audit.clone());
        if !added.await? {
            return Err(untrusted_root(format!("another root {number} is held")));
        }
        gateway.ota.catalogue.put_root(ww_store::FirmwareRoot {
            number,
            bytes: body.to_vec(),
            added: audit.at,
            added_by: audit.actor,
        });
        let root = gateway.ota.catalogue.root(number);
        let shown = root.and_then(|root| view::root(&gateway, &root));
        Ok((StatusCode::CREATED, Json(shown)).into_response())
    })
    .await
}

/// The number of a root that follows the newest, or is the first.
fn trusted_root(gateway: &Shared, body: &[u8]) -> Result<u32> {
    let malformed = |error: ww_release::canonical::Malformed| {
        Failure::new(ProblemKind::RootMalformed, error.to_string()).field("body")
    };
    let root = SignedRoot::decode(body).map_err(malformed)?;
    let trusted = match gateway.ota.catalogue.newest_root() {
        None => root.stand_alone(&mut Checker),
        Some(newest) => {
            let newest = SignedRoot::decode(&newest.bytes).map_err(malformed)?;
            root.follow(newest.claimed(), &mut Checker)
        }
    };
    let trusted = trusted.map_err(|distrust| untrusted_root(distrust.to_string()))?;
    Ok(trusted.number)
}

fn untrusted_root(detail: String) -> Failure {
    Failure::new(ProblemKind::RootUntrusted, detail).field("body")
}

/// `GET /api/v1/firmware/releases`.
pub(crate) async fn list_releases(
    State(gateway): State<Gateway>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let limit = parameters
        .limit(gateway.config.limits.page_rows)?
        .unwrap_or(ROWS);
    let before = parameters.integer("cursor")?.unwrap_or(u64::MAX);
    let releases = gateway.ota.catalogue.releases(before, limit as usize);
    let cursor = releases.last().map(|release| release.id.to_string());
    let shown: Vec<_> = releases
        .iter()
        .map(|release| view::release(&gateway, release))
        .collect();
    Ok(page(shown, limit, cursor, &uri, &parameters))
}

/// `GET /api/v1/firmware/releases/{digest}`.
pub(crate) async fn read_release(
    State(gateway): State<Gateway>,
    Path(digest): Path<String>,
) -> Result<Json<FirmwareRelease>> {
    let release = release_named(&gateway, &digest)?;
    Ok(Json(view::release(&gateway, &release)))
}

/// The release of which a path has the digest.
fn release_named(gateway: &Shared, digest: &str) -> Result<Arc<HeldRelease>> {
    let release =
        hex::decode_array(digest).and_then(|digest| gateway.ota.catalogue.release(&Hash(digest)));
    release.ok_or_else(|| Failure::not_found(format!("release {digest}")))
}

/// `POST /api/v1/firmware/releases`. One at a time: a release file is held whole while it is checked.
pub(crate) async fn publish(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response<Body>> {
    gateway.ota.keys()?;
    expect_release_file(request.headers())?;
    let held = Arc::clone(&gateway.rollouts.uploading);
    let held = held.try_acquire_owned().map_err(|_| {
        let detail = "another release is being published; try again once it is";
        Failure::new(ProblemKind::RateLimited, detail).retry_after(1)
    })?;
    let limits = &gateway.config.limits;
    let timeout = limits.release_timeout_ms;
    let body = body_of(request.into_body(), limits.release_body_bytes, timeout).await?;
    to_its_end(async move {
        let _held = held;
        // A root or a withdrawal that comes meanwhile waits.
        let _alone = gateway.rollouts.publishing.lock().await;
        let confirmed = confirmed_counters(&gateway).await?;
        let checking = Arc::clone(&gateway);
        let checked = tokio::task::spawn_blocking(move || check(&checking, &body, &confirmed));
        let (new, named) = checked.await.unwrap_or_else(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "checking a release broke off"
            );
            Err(Failure::new(ProblemKind::Internal, "nothing was published"))
        })?;
        let subject = format!("release {}", new.digest);
        let audit = gateway.audit_of(&caller, "firmware.publish", subject, named);
        let (stored, is_new) = gateway.store.publish_firmware(new, audit).await?;
        let fleet = &gateway.ota.keys()?.fleet;
        let release = gateway.ota.catalogue.put_release(stored, Some(fleet));
        let release = release
            .ok_or_else(|| Failure::new(ProblemKind::Internal, "the release cannot be read"))?;
        let status = match is_new {
            true => StatusCode::CREATED,
            false => StatusCode::OK,
        };
        Ok((status, Json(view::release(&gateway, &release))).into_response())
    })
    .await
}

fn expect_release_file(headers: &HeaderMap) -> Result<()> {
    expect_media_type(headers, "cbor").or_else(|_| expect_media_type(headers, "octet-stream"))
}

/// The highest counter that devices of each class have confirmed, by their own word.
async fn confirmed_counters(gateway: &Shared) -> Result<Vec<(HardwareClass, u32)>> {
    let mut confirmed: Vec<(HardwareClass, u32)> = Vec::new();
    let mut after = InstallationId(0);
    loop {
        let devices = gateway.store.firmware_devices(after, DEVICES).await?;
        let Some(last) = devices.last() else {
            return Ok(confirmed);
        };
        after = last.installation;
        for device in devices {
            let Some((said, _)) = view::said(gateway, &device) else {
                continue;
            };
            let (class, counter) = (said.class, said.security_counter);
            match confirmed.iter_mut().find(|(known, _)| *known == class) {
                Some((_, highest)) => *highest = counter.max(*highest),
                None => confirmed.push((class, counter)),
            }
        }
    }
}

/// A release that devices would take, as the store takes it, and what people call it.
fn check(
    gateway: &Shared,
    body: &[u8],
    confirmed: &[(HardwareClass, u32)],
) -> Result<(NewFirmwareRelease, String)> {
    let malformed = |error: FileError| {
        Failure::new(ProblemKind::ReleaseMalformed, error.to_string()).field("body")
    };
    let file = ReleaseFile::decode(body).map_err(malformed)?;
    let root = gateway.ota.catalogue.newest_root().ok_or_else(|| {
        let detail = "no root was added to this gateway yet: nobody may sign releases";
        Failure::new(ProblemKind::ReleaseUntrusted, detail)
    })?;
    let signed = SignedRoot::decode(&root.bytes)
        .map_err(|_| Failure::new(ProblemKind::Internal, "the newest root cannot be read"))?;
    let class = file.release().class;
    let counter = confirmed.iter().find(|(known, _)| *known == class);
    let field = Field {
        class: None,
        confirmed_counter: counter.map_or(0, |(_, counter)| *counter),
        fleet: Some(&gateway.ota.keys()?.fleet),
    };
    let release = file
        .acceptable(signed.claimed(), &field, &mut Checker)
        .map_err(unacceptable)?;
    let digest = release.digest();
    for encoding in release.encodings() {
        let other = gateway.ota.catalogue.with_key(&encoding.key_check);
        if let Some(other) = other.filter(|other| other.digest != digest) {
            return Err(unfit(format!(
                "the key of object {} has served release {}; no key may serve twice",
                encoding.object, other.digest
            )));
        }
    }
    let mut keys = Vec::new();
    let mut objects = Vec::new();
    for (encoding, object) in file.objects() {
        keys.extend_from_slice(&object.key);
        objects.push((encoding.object, object.ciphertext.to_vec()));
        objects.push((encoding.list, object.list.to_vec()));
    }
    let new = NewFirmwareRelease {
        digest,
        payload: release.payload,
        root_number: root.number,
        envelope: file.envelope().to_vec(),
        keys,
        objects,
    };
    let named = format!(
        "version {} for {}, counter {}",
        release.version,
        view::uuid(&class),
        release.security_counter
    );
    Ok((new, named))
}

fn unacceptable(why: Unacceptable) -> Failure {
    match why {
        Unacceptable::Distrust(distrust) => {
            Failure::new(ProblemKind::ReleaseUntrusted, distrust.to_string()).field("body")
        }
        other => unfit(other.to_string()),
    }
}

fn unfit(rule: String) -> Failure {
    Failure::new(ProblemKind::ReleaseUnfit, rule.clone())
        .field("body")
        .rule(rule)
}

/// `POST /api/v1/firmware/releases/{digest}/withdraw`.
pub(crate) async fn withdraw(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    Path(digest): Path<String>,
) -> Result<Json<FirmwareRelease>> {
    to_its_end(async move {
        let _alone = gateway.rollouts.publishing.lock().await;
        let release = release_named(&gateway, &digest)?;
        let subject = format!("release {digest}");
        let named = format!("version {}", release.version);
        let audit = gateway.audit_of(&caller, "firmware.withdraw", subject, named);
        let stored = gateway
            .store
            .withdraw_firmware(release.digest, audit)
            .await?;
        let fleet = gateway.ota.keys().ok().map(|keys| &keys.fleet);
        let release = stored.and_then(|stored| gateway.ota.catalogue.put_release(stored, fleet));
        let release = release.ok_or_else(|| Failure::not_found(format!("release {digest}")))?;
        gateway
            .rollouts
            .withdraw(&gateway, &caller, &release.digest)
            .await?;
        Ok(Json(view::release(&gateway, &release)))
    })
    .await
}

/// `GET /ota/status`.
pub(crate) async fn list_devices(
    State(gateway): State<Gateway>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let limit = parameters
        .limit(gateway.config.limits.page_rows)?
        .unwrap_or(DEVICES);
    let after = parameters.integer("cursor")?.unwrap_or(0);
    let after = InstallationId(u32::try_from(after).unwrap_or(u32::MAX));
    let devices = gateway.store.firmware_devices(after, limit).await?;
    let cursor = devices.last().map(|last| last.installation.to_string());
    let shown: Vec<_> = devices
        .iter()
        .map(|device| view::device(&gateway, device))
        .collect();
    Ok(page(shown, limit, cursor, &uri, &parameters))
}

/// `GET /ota/status/{meter_id}`.
pub(crate) async fn read_device(
    State(gateway): State<Gateway>,
    Path(meter_id): Path<String>,
) -> Result<Json<FirmwareDeviceDetail>> {
    let missing = || Failure::not_found(format!("meter {meter_id} in service"));
    let meter = hex::decode_array(&meter_id).map(SignerId);
    let meter = meter.and_then(|meter| gateway.registry.by_meter(&meter));
    let installation = meter.ok_or_else(missing)?.installation;
    let device = gateway.store.firmware_device(installation).await?;
    let device = device.ok_or_else(missing)?;
    let reports = gateway
        .store
        .firmware_reports(installation, REPORTS)
        .await?;
    Ok(Json(FirmwareDeviceDetail {
        device: view::device(&gateway, &device),
        reports: reports
            .iter()
            .filter_map(|report| view::report(&gateway, report))
            .collect(),
    }))
}

/// Reads a body of at most `limit` bytes that arrives in time.
async fn body_of(body: Body, limit: usize, timeout_ms: u64) -> Result<Bytes> {
    let too_large = || {
        let detail = format!("the body is longer than {limit} bytes");
        Failure::new(ProblemKind::BodyTooLarge, detail)
    };
    if hyper::body::Body::size_hint(&body).lower() > limit as u64 {
        return Err(too_large());
    }
    let mut body = body;
    let read = async {
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame
                .map_err(|_| Failure::new(ProblemKind::RequestTimeout, "the body broke off"))?;
            if let Ok(data) = frame.into_data() {
                if all.len() + data.len() > limit {
                    return Err(too_large());
                }
                all.extend_from_slice(&data);
            }
        }
        Ok(all.freeze())
    };
    tokio::time::timeout(Duration::from_millis(timeout_ms), read)
        .await
        .unwrap_or_else(|_| {
            let detail = format!("the body did not arrive within {timeout_ms} ms");
            Err(Failure::new(ProblemKind::RequestTimeout, detail))
        })
}
