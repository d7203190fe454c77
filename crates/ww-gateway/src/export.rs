//! Tables, however long, in bounded memory: a page is read once the one before it has gone out. All exports
//! together read one page at a time, so that the store always has a reader for everybody else. The table of
//! readings is made here, that of the audit trail is not.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::Response;
use bytes::Bytes;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{Semaphore, watch};
use ww_api::Milli;
use ww_store::{Proof, ReadingQuery, StoreError, StoredReading};
use ww_wire::{ReadingFlags, UtcMillis};

use crate::access::Caller;
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

/// What an export is besides its table.
struct Export<R> {
    gateway: Gateway,
    /// Who asked, unless anyone may.
    caller: Option<Caller>,
    stopping: watch::Receiver<bool>,
    read: R,
}

/// The pages of a table: `read` makes one of them and tells what follows it. A table that breaks off must not
/// look whole: it ends in an error, when the gateway stops, when the store fails, and when who asked for it
/// has no right to it any more.
pub(crate) fn pages<T, R, P>(
    gateway: Gateway,
    caller: Option<Caller>,
    first: T,
    read: R,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + use<T, R, P>
where
    T: Send + 'static,
    R: Fn(T, Gateway) -> P + Send + 'static,
    P: Future<Output = core::result::Result<(Vec<u8>, Option<T>), StoreError>> + Send + 'static,
{
    let export = Export {
        stopping: gateway.stopping.subscribe(),
        gateway,
        caller,
        read,
    };
    stream::try_unfold(Some((export, first)), |under_way| async move {
        let Some((mut export, table)) = under_way else {
            return Ok(None);
        };
        let gateway = &export.gateway;
        let reading = (export.read)(table, Arc::clone(gateway));
        let page = tokio::select! {
            biased;
            _ = export.stopping.wait_for(|stopping| *stopping) => {
                return Err(std::io::Error::other("the gateway stops"));
            }
            page = in_turn(&gateway.exporting, reading) => page?,
        };
        let (piece, next) = page.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an export broke off"
            );
            std::io::Error::other("the store failed")
        })?;
        let caller = export.caller.as_ref();
        if !gateway.keys.still_admit(caller, gateway.now()) {
            return Err(std::io::Error::other("the right to the table has ended"));
        }
        let next = next.map(|table| (export, table));
        Ok(Some((Bytes::from(piece), next)))
    })
}

/// Reads while no other export does. The turn lasts as long as the store reads, though nobody may wait for
/// the page any more.
async fn in_turn<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    reading: impl Future<Output = T> + Send + 'static,
) -> std::io::Result<T> {
    let turn = Arc::clone(turns).acquire_owned().await;
    let turn = turn.map_err(std::io::Error::other)?;
    let reading = async move {
        let page = reading.await;
        drop(turn);
        page
    };
    tokio::spawn(reading).await.map_err(std::io::Error::other)
}

/// A table of readings under way.
struct Readings {
    meter: Arc<Meter>,
    zone: TimeZone,
    query: ReadingQuery,
    /// What goes out before the next page.
    head: Vec<u8>,
}

/// `GET /api/v1/installations/{id}/readings.csv`. Readings of unknown time are in no such list.
pub(crate) async fn readings(
    State(gateway): State<Gateway>,
    caller: Option<Extension<Caller>>,
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
    let table = Readings {
        zone: TimeZone::get(&installation.time_zone).unwrap_or(TimeZone::UTC),
        query: ReadingQuery {
            installation: meter.installation,
            start,
            end,
            after: None,
            limit: Some(PAGE_READINGS),
        },
        meter,
        head,
    };
    let caller = caller.map(|Extension(caller)| caller);
    let pieces = pages(gateway, caller, table, Readings::next);
    Ok(csv::download(&name, pieces))
}

impl Readings {
    /// The next page, and what follows it.
    async fn next(
        mut self,
        gateway: Gateway,
    ) -> core::result::Result<(Vec<u8>, Option<Self>), StoreError> {
        let page = gateway.store.oldest_readings(self.query).await?;
        let mut piece = std::mem::take(&mut self.head);
        for stored in &page {
            self.write(&mut piece, stored);
        }
        let is_last = (page.len() as u64) < u64::from(PAGE_READINGS);
        self.query.after = page.last().and_then(position_of);
        let next = (!is_last && self.query.after.is_some()).then_some(self);
        Ok((piece, next))
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
            .cell(&decimal(Some(view::energy_milli(sum.produced))))
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

fn decimal(value: Option<Milli>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn the_turn_lasts_as_long_as_the_store_reads_though_nobody_waits() {
        let turns = Arc::new(Semaphore::new(1));
        let (found, is_found) = oneshot::channel::<()>();
        tokio::select! {
            biased;
            _ = in_turn(&turns, is_found) => unreachable!("it waits"),
            () = core::future::ready(()) => {}
        }
        tokio::task::yield_now().await;
        assert_eq!(turns.available_permits(), 0);
        found.send(()).unwrap();
        drop(turns.acquire().await.unwrap());
    }
}
