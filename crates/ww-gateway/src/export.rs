//! Readings as a table, however many, in bounded memory: a page of them is read once the one before it has
//! gone out. All exports together read one page at a time, so that the store always has a reader for
//! everybody else.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::watch;
use ww_api::Milli;
use ww_store::{Proof, ReadingQuery, StoredReading};
use ww_wire::{MilliwattHours, ReadingFlags, UtcMillis};

use crate::csv;
use crate::error::Result;
use crate::installations::stored;
use crate::parameters::{Parameters, Path};
use crate::readings::{meter_of, position_of};
use crate::registry::Meter;
use crate::state::Gateway;
use crate::view;

/// Readings on one page.
const PAGE_READINGS: u32 = 5_000;

const COLUMNS: [&str; 10] = [
    "time_utc",
    "time_local",
    "sequence",
    "power_w",
    "voltage_v",
    "reactive_power_var",
    "produced_wh",
    "total_wh",
    "flags",
    "signature_state",
];

/// An export under way.
struct Export {
    gateway: Gateway,
    meter: Arc<Meter>,
    zone: TimeZone,
    query: ReadingQuery,
    stopping: watch::Receiver<bool>,
    /// What goes out before the next page.
    head: Vec<u8>,
}

/// `GET /api/v1/installations/{id}/readings.csv`. Readings of unknown time are in no such list.
pub(crate) async fn readings(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let meter = meter_of(&gateway, &id)?;
    let (start, end) = parameters.range(gateway.now())?;
    let installation = stored(&gateway, &id).await?;
    let mut head = Vec::new();
    let mut row = csv::Row::of(&mut head);
    for name in COLUMNS {
        row.cell(name);
    }
    row.end();
    let name = format!("installation-{}-readings.csv", meter.installation);
    let export = Export {
        zone: TimeZone::get(&installation.time_zone).unwrap_or(TimeZone::UTC),
        query: ReadingQuery {
            installation: meter.installation,
            start,
            end,
            after: None,
            limit: Some(PAGE_READINGS),
        },
        stopping: gateway.stopping.subscribe(),
        gateway,
        meter,
        head,
    };
    let pieces = stream::try_unfold(Some(export), |export| async move {
        match export {
            Some(export) => export.next().await.map(Some),
            None => Ok(None),
        }
    });
    Ok(csv::download(&name, pieces))
}

impl Export {
    /// The next page, and what follows it. A table that breaks off must not look whole: it ends in an error.
    async fn next(mut self) -> std::io::Result<(Bytes, Option<Self>)> {
        let page = tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => {
                return Err(std::io::Error::other("the gateway stops"));
            }
            page = page(&self.gateway, self.query) => page?,
        };
        let mut piece = std::mem::take(&mut self.head);
        for stored in &page {
            self.write(&mut piece, stored);
        }
        let is_last = (page.len() as u64) < u64::from(PAGE_READINGS);
        self.query.after = page.last().and_then(position_of);
        let next = (!is_last && self.query.after.is_some()).then_some(self);
        Ok((Bytes::from(piece), next))
    }

    fn write(&self, piece: &mut Vec<u8>, stored: &StoredReading) {
        let sum = stored.reading.sum();
        let enrolment = self.meter.enrolment_of(stored);
        let state = match stored.proof {
            Proof::Signature(_) => "signed",
            Proof::Window { .. } => "sealed",
        };
        let flags = view::flags(sum.flags, ReadingFlags::NAMES, ReadingFlags::contains);
        csv::Row::of(piece)
            .cell(&view::iso(sum.time).unwrap_or_default())
            .cell(&sum.time.map(|time| self.local(time)).unwrap_or_default())
            .cell(&sum.sequence.get().to_string())
            .cell(&decimal(view::power(enrolment, sum)))
            .cell(&decimal(
                sum.voltage.map(|voltage| Milli(i128::from(voltage.get()))),
            ))
            .cell(&decimal(
                sum.reactive_power
                    .map(|power| Milli(i128::from(power.get()))),
            ))
            .cell(&decimal(Some(wh(sum.produced))))
            .cell(&decimal(view::total(enrolment, sum)))
            .cell(&flags.join(" "))
            .cell(state)
            .end();
    }

    /// The time at the site, with its distance from UTC.
    fn local(&self, time: UtcMillis) -> String {
        let millis = i64::try_from(time.get()).ok();
        let moment = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        moment.map_or_else(String::new, |moment| {
            let local = moment.to_zoned(self.zone.clone());
            local.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
        })
    }
}

async fn page(gateway: &Gateway, query: ReadingQuery) -> std::io::Result<Vec<StoredReading>> {
    let _alone = (gateway.exporting.acquire().await).map_err(std::io::Error::other)?;
    let page = gateway.store.oldest_readings(query).await;
    page.map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "an export broke off"
        );
        std::io::Error::other("the store failed")
    })
}

fn decimal(value: Option<Milli>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn wh(energy: MilliwattHours) -> Milli {
    Milli(i128::from(energy.get()))
}
