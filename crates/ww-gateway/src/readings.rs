//! Readings, windows, charts and energy out of the store.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, Response, Uri, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::stream;
use ww_api::reading::{PendingReadings, split_reading_id};
use ww_api::{
    Chart, Energy, Evidence, Finding, Milli, Reading, TimeFrame, WindowDetail, WindowSummary,
};
use ww_store::{
    InstallationId, OfAll, Position, ReadingId, ReadingQuery, StoredReading, WindowQuery,
};
use ww_wire::{ChainIndex, Sequence, UtcMillis};

use std::sync::Arc;

use crate::access::Caller;
use crate::error::{Failure, Result};
use crate::parameters::{Parameters, Path};
use crate::registry::Meter;
use crate::state::{Gateway, Shared};
use crate::view;

/// Rows that a list without `limit` reads at a time.
const CHUNK_ROWS: u32 = 1_000;

/// Rows of `pending` when nothing is said.
const PENDING_ROWS: u32 = 1_000;

/// Points of a thinned list when nothing is said.
const DEFAULT_POINTS: u32 = 500;

/// A page that is this long takes no further row.
pub(crate) const PAGE_BYTES: usize = 256 << 10;

/// The installation that a path names.
pub(crate) fn meter_of(gateway: &Shared, id: &str) -> Result<Arc<Meter>> {
    id.parse()
        .ok()
        .and_then(|id| gateway.registry.by_installation(InstallationId(id)))
        .ok_or_else(|| Failure::not_found(format!("installation {id}")))
}

/// `GET /api/v1/readings/{installation_id}`.
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Option<Extension<Caller>>,
    Path(id): Path<String>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let meter = meter_of(&gateway, &id)?;
    let (start, end) = parameters.range(gateway.now())?;
    let limit = parameters.limit(gateway.config.limits.page_rows)?;
    parameters.boolean("verified_only")?;
    if parameters.boolean("on_chain_only")? {
        return Ok(Json([(); 0]).into_response());
    }
    let query = ReadingQuery {
        installation: meter.installation,
        start,
        end,
        after: parameters.text("cursor").map(position).transpose()?,
        limit: Some(limit.unwrap_or(CHUNK_ROWS)),
    };
    if limit.is_none() {
        let caller = caller.map(|Extension(caller)| caller);
        return Ok(stream_all(gateway, caller, meter, query));
    }
    let readings = gateway.store.readings(query).await?;
    let shown: Vec<Reading> = readings.iter().map(|r| view::reading(&meter, r)).collect();
    let mut response = Json(shown).into_response();
    if readings.len() as u32 == query.limit.unwrap_or(0)
        && let Some(cursor) = readings.last().and_then(cursor_of)
    {
        put_next(&mut response, &uri, &parameters.with_cursor(&cursor));
    }
    Ok(response)
}

/// A whole list, however long, in bounded memory: the store is asked for a piece at a time, as long as who
/// asked has a right to it.
fn stream_all(
    gateway: Gateway,
    caller: Option<Caller>,
    meter: Arc<Meter>,
    query: ReadingQuery,
) -> Response<Body> {
    let state = Some((gateway, caller, meter, query, true));
    let pieces = stream::try_unfold(state, |state| async move {
        let Some((gateway, caller, meter, mut query, first)) = state else {
            return Ok::<_, std::io::Error>(None);
        };
        let readings = gateway.store.readings(query).await.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "a list broke off");
            std::io::Error::other("the store failed")
        })?;
        if !gateway.keys.still_admit(caller.as_ref(), gateway.now()) {
            return Err(std::io::Error::other("the right to the list has ended"));
        }
        let mut piece = Vec::with_capacity(readings.len() * 900 + 2);
        for (at, reading) in readings.iter().enumerate() {
            piece.push(if first && at == 0 { b'[' } else { b',' });
            serde_json::to_writer(&mut piece, &view::reading(&meter, reading))
                .map_err(std::io::Error::other)?;
        }
        let next = match readings.last().and_then(position_of) {
            Some(position) if readings.len() as u32 == CHUNK_ROWS => {
                query.after = Some(position);
                Some((gateway, caller, meter, query, false))
            }
            _ => {
                if first && readings.is_empty() {
                    piece.push(b'[');
                }
                piece.push(b']');
                None
            }
        };
        Ok(Some((Bytes::from(piece), next)))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

pub(crate) fn position_of(reading: &StoredReading) -> Option<Position> {
    let sum = reading.reading.sum();
    Some(Position {
        time: sum.time?,
        sequence: sum.sequence,
    })
}

fn cursor_of(reading: &StoredReading) -> Option<String> {
    let position = position_of(reading)?;
    Some(format!(
        "{}.{}",
        position.time.get(),
        position.sequence.get()
    ))
}

fn position(cursor: &str) -> Result<Position> {
    let (time, sequence) = cursor.split_once('.').unwrap_or_default();
    let time = time.parse().ok().and_then(UtcMillis::new);
    let sequence = sequence.parse().ok().and_then(Sequence::new);
    match (time, sequence) {
        (Some(time), Some(sequence)) => Ok(Position { time, sequence }),
        _ => Err(Failure::invalid("cursor", "comes from a `Link` header")),
    }
}

/// Leads to the next page (RFC 8288).
pub(crate) fn put_next(response: &mut Response<Body>, uri: &Uri, query: &str) {
    let link = format!("<{}?{query}>; rel=\"next\"", uri.path());
    if let Ok(link) = HeaderValue::from_str(&link) {
        response.headers_mut().insert(header::LINK, link);
    }
}

/// `GET /api/v1/readings/{installation_id}/optimized`.
pub(crate) async fn thinned(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Json<Vec<Reading>>> {
    let meter = meter_of(&gateway, &id)?;
    let (start, end) = parameters.range(gateway.now())?;
    let most = u64::from(gateway.config.limits.page_rows);
    let points = match parameters.integer("max_points")? {
        None => DEFAULT_POINTS,
        Some(points) if (1..=most).contains(&points) => points as u32,
        Some(_) => {
            let rule = format!("must be from 1 to {most}");
            return Err(Failure::invalid("max_points", rule));
        }
    };
    parameters.boolean("verified_only")?;
    if parameters.boolean("on_chain_only")? {
        return Ok(Json(Vec::new()));
    }
    let store = &gateway.store;
    let readings = store
        .thinned(meter.installation, start, end, points)
        .await?;
    Ok(Json(
        readings.iter().map(|r| view::reading(&meter, r)).collect(),
    ))
}

/// `GET /api/v1/readings/latest/{installation_id}`.
pub(crate) async fn latest(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Json<Reading>> {
    let meter = meter_of(&gateway, &id)?;
    parameters.boolean("verified_only")?;
    let latest = match parameters.boolean("on_chain_only")? {
        true => None,
        false => gateway.store.latest(meter.installation).await?,
    };
    let latest =
        latest.ok_or_else(|| Failure::not_found(format!("reading of installation {id}")))?;
    Ok(Json(view::reading(&meter, &latest)))
}

/// `GET /api/v1/readings/latest`.
pub(crate) async fn latest_of_all(State(gateway): State<Gateway>) -> Result<Json<Vec<Reading>>> {
    let latest = readable(gateway.store.latest_of_all().await?)?;
    let readings = latest.iter().filter_map(|(id, latest)| {
        let meter = gateway.registry.by_installation(*id)?;
        Some(view::reading(&meter, latest))
    });
    Ok(Json(readings.collect()))
}

/// What can be read. An installation of which nothing can be is left out, so that the others are told.
fn readable<T>(all: OfAll<T>) -> Result<Vec<(InstallationId, T)>> {
    let (mut read, mut failed) = (Vec::with_capacity(all.len()), None);
    for (id, found) in all {
        match found {
            Ok(found) => read.push((id, found)),
            Err(error) => {
                tracing::error!(
                    installation_id = id.0,
                    error = &error as &dyn std::error::Error,
                    "an installation is left out of the park"
                );
                failed = Some(error);
            }
        }
    }
    match failed {
        Some(error) if read.is_empty() => Err(error.into()),
        _ => Ok(read),
    }
}

/// `GET /api/v1/installations/{id}/readings/{reading_id}`. A plain sequence number is taken too.
pub(crate) async fn one(
    State(gateway): State<Gateway>,
    Path((id, reading_id)): Path<(String, String)>,
) -> Result<Json<Reading>> {
    let meter = meter_of(&gateway, &id)?;
    let missing = || Failure::not_found(format!("reading {reading_id} of installation {id}"));
    let number: u64 = reading_id.parse().map_err(|_| missing())?;
    let sequence = match split_reading_id(number) {
        Some((0, sequence)) => sequence,
        Some((installation, sequence)) if installation == meter.installation.0 => sequence,
        _ => return Err(missing()),
    };
    let sequence = Sequence::new(sequence).ok_or_else(missing)?;
    let proven = gateway.store.reading(meter.installation, sequence).await?;
    let proven = proven.ok_or_else(missing)?;
    Ok(Json(view::proven_reading(&meter, &proven)))
}

/// `GET /api/v1/readings/pending`.
pub(crate) async fn pending(
    State(gateway): State<Gateway>,
    parameters: Parameters,
) -> Result<Json<PendingReadings>> {
    let limit = parameters.limit(gateway.config.limits.page_rows)?;
    let after = parameters.integer("after")?.map(ReadingId);
    let stored = gateway
        .store
        .pending(after, limit.unwrap_or(PENDING_ROWS))
        .await?;
    let readings: Vec<_> = stored
        .iter()
        .filter_map(|stored| {
            let meter = gateway.registry.by_installation(stored.installation)?;
            Some(view::pending(&meter, stored))
        })
        .collect();
    Ok(Json(PendingReadings {
        first_reading_id: readings.first().map(|reading| reading.0),
        last_reading_id: readings.last().map(|reading| reading.0),
        count: readings.len(),
        readings,
    }))
}

/// `GET /api/v1/readings/{installation_id}/chart`.
pub(crate) async fn chart(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Json<Chart>> {
    let meter = meter_of(&gateway, &id)?;
    let frame = parameters.text("time_frame").unwrap_or("day");
    let frame = TimeFrame::ALL
        .into_iter()
        .find(|known| known.name() == frame)
        .ok_or_else(|| Failure::invalid("time_frame", "must be hour, day, week, month or year"))?;
    parameters.boolean("verified_only")?;
    let (id, span) = (meter.installation, view::span(frame));
    let chart = match parameters.moment("at")? {
        Some(moment) => gateway.store.whole_chart(id, span, moment).await?,
        None => {
            let now = now_of(&gateway, id).await?.unwrap_or(UtcMillis::ZERO);
            gateway.store.chart(id, span, now).await?
        }
    };
    let chart = chart.ok_or_else(|| Failure::not_found(format!("installation {id}")))?;
    let mut chart = view::chart(chart, frame);
    if parameters.boolean("on_chain_only")? {
        chart.data_points.clear();
        chart.total_energy = Milli(0);
    }
    Ok(Json(chart))
}

/// `GET /api/v1/installations/{id}/energy`.
pub(crate) async fn energy(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<Energy>> {
    let meter = meter_of(&gateway, &id)?;
    let now = now_of(&gateway, meter.installation).await?;
    let now = now.unwrap_or(UtcMillis::ZERO);
    let summary = gateway.store.energy(meter.installation, now).await?;
    let summary = summary.ok_or_else(|| Failure::not_found(format!("installation {id}")))?;
    Ok(Json(view::energy(meter.installation.0, &summary)))
}

/// `GET /api/v1/energy`.
pub(crate) async fn energies(State(gateway): State<Gateway>) -> Result<Json<Vec<Energy>>> {
    let energies = readable(gateway.store.energies(gateway.now()).await?)?;
    let energies = energies
        .iter()
        .map(|(id, summary)| view::energy(id.0, summary));
    Ok(Json(energies.collect()))
}

/// The time that a calendar ends with: now, or the newest reading's while the gateway does not
/// know the time.
async fn now_of(gateway: &Shared, installation: InstallationId) -> Result<Option<UtcMillis>> {
    if let Some(now) = gateway.now() {
        return Ok(Some(now));
    }
    let latest = gateway.store.latest(installation).await?;
    Ok(latest.and_then(|latest| latest.reading.sum().time))
}

/// `GET /api/v1/installations/{id}/windows`.
pub(crate) async fn windows(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let meter = meter_of(&gateway, &id)?;
    let (start, end) = parameters.range(gateway.now())?;
    let most = gateway.config.limits.page_rows;
    let query = WindowQuery {
        installation: meter.installation,
        start,
        end,
        after: parameters.integer("cursor")?.and_then(ChainIndex::new),
        limit: parameters.limit(most)?.unwrap_or(most),
    };
    let windows = gateway.store.windows(query).await?;
    let shown: Vec<WindowSummary> = windows
        .iter()
        .map(|stored| view::window(meter.installation.0, stored))
        .collect();
    let cursor = shown.last().map(|window| window.id.to_string());
    Ok(page(shown, query.limit, cursor, &uri, &parameters))
}

/// `GET /api/v1/installations/{id}/windows/{window_id}`.
pub(crate) async fn window(
    State(gateway): State<Gateway>,
    Path((id, window_id)): Path<(String, String)>,
) -> Result<Json<WindowDetail>> {
    let meter = meter_of(&gateway, &id)?;
    let missing = || Failure::not_found(format!("window {window_id} of installation {id}"));
    let index = window_id.parse().ok().and_then(ChainIndex::new);
    let index = index.ok_or_else(missing)?;
    let whole = gateway.store.window(meter.installation, index).await?;
    let whole = whole.ok_or_else(missing)?;
    Ok(Json(view::whole_window(&meter, &whole)))
}

/// What is listed of an installation by its place.
pub(crate) trait Listed: serde::Serialize + Send + Sync + Sized {
    /// Rows of a page, at most.
    const MOST: u32;
    /// Rows that are read at a time.
    const AT_ONCE: u32;

    fn place(&self) -> u64;

    /// The next rows after a place.
    fn after(
        gateway: &Shared,
        installation: InstallationId,
        place: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Self>>> + Send;
}

impl Listed for Finding {
    const MOST: u32 = u32::MAX;
    const AT_ONCE: u32 = CHUNK_ROWS;

    fn place(&self) -> u64 {
        self.id
    }

    async fn after(
        gateway: &Shared,
        installation: InstallationId,
        place: u64,
        limit: u32,
    ) -> Result<Vec<Self>> {
        let found = gateway.store.findings(Some(installation), place, limit);
        Ok(found.await?.into_iter().map(view::finding).collect())
    }
}

impl Listed for Evidence {
    const MOST: u32 = 100;
    /// Each may hold a whole window with its readings.
    const AT_ONCE: u32 = 8;

    fn place(&self) -> u64 {
        self.id
    }

    async fn after(
        gateway: &Shared,
        installation: InstallationId,
        place: u64,
        limit: u32,
    ) -> Result<Vec<Self>> {
        let found = gateway.store.evidence(Some(installation), place, limit);
        Ok(found.await?.iter().map(view::evidence).collect())
    }
}

/// `GET /api/v1/installations/{id}/findings` and `…/evidence`: a page as a bare array. It ends early once
/// it is long enough in bytes, and leads to the next one if there may be more.
pub(crate) async fn by_place<T: Listed>(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let meter = meter_of(&gateway, &id)?;
    let most = gateway.config.limits.page_rows.min(T::MOST);
    let limit = parameters.limit(most)?.unwrap_or(most);
    let mut after = parameters.integer("cursor")?.unwrap_or(0);
    let (mut body, mut count, mut is_last) = (vec![b'['], 0, false);
    while count < limit && body.len() < PAGE_BYTES && !is_last {
        let asked = T::AT_ONCE.min(limit - count);
        let piece = T::after(&gateway, meter.installation, after, asked).await?;
        is_last = (piece.len() as u64) < u64::from(asked);
        for row in &piece {
            if body.len() >= PAGE_BYTES {
                is_last = false;
                break;
            }
            if count > 0 {
                body.push(b',');
            }
            serde_json::to_writer(&mut body, row).expect("shapes of the API have only string keys");
            after = row.place();
            count += 1;
        }
    }
    body.push(b']');
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    if !is_last {
        let query = parameters.with_cursor(&after.to_string());
        put_next(&mut response, &uri, &query);
    }
    Ok(response)
}

/// A page as a bare array, with a `Link` to the next one if this one is full.
pub(crate) fn page<T: serde::Serialize>(
    rows: Vec<T>,
    limit: u32,
    cursor: Option<String>,
    uri: &Uri,
    parameters: &Parameters,
) -> Response<Body> {
    let is_full = rows.len() as u64 == u64::from(limit);
    let mut response = Json(rows).into_response();
    if let Some(cursor) = cursor.filter(|_| is_full) {
        put_next(&mut response, uri, &parameters.with_cursor(&cursor));
    }
    response
}

#[cfg(test)]
mod tests {
    use ww_store::StoreError;

    use super::*;

    #[test]
    fn a_damaged_installation_hides_no_other_but_nobody_is_told_that_a_damaged_park_is_empty() {
        let damaged = || {
            let what = "a page".to_owned();
            (InstallationId(1), Err(StoreError::Damaged { what }))
        };
        let read = readable(vec![damaged(), (InstallationId(2), Ok("read"))]);
        assert_eq!(read.unwrap(), [(InstallationId(2), "read")]);
        readable::<&str>(vec![damaged()]).unwrap_err();
        assert_eq!(readable::<&str>(Vec::new()).unwrap(), []);
    }
}
