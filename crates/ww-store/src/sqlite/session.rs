//! The writer's side of the SQLite backend: its connection, what it remembers of each meter, and
//! the group commit. What is written, and by which rules, is in `ingest`, `registry`, `upkeep`.
//!
//! A reading in order writes one row, in `fresh`. The row of its meter in `heads` stays behind until
//! something else changes it or the fresh readings are filed: whoever needs the head takes the fresh
//! readings that came since and appends them, as the writer did.
//!
//! Invariant: the fresh readings behind a row of `heads` follow it and one another in order, and the
//! writer remembers every meter whose row is behind.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::{mpsc, oneshot};
use ww_wire::{Hash, MeterId, MilliwattHours, Sequence, UtcMillis};

use super::failure::{Failure, Result};
use super::lookup::{Owner, blob, read_live_body};
use crate::booking::{Entry, Ledger, Point};
use crate::calendar::Calendar;
use crate::varint;
use crate::{EventId, InstallationId, InstallationState, RolloutId, StoreError};

/// The most calls that share one commit: enough to make the fsync cheap, few enough that the first
/// does not wait long for the last.
const MAX_CALLS_PER_COMMIT: usize = 512;

/// So many calls in one commit mean that more are on their way: the next commit waits for them.
const CALLS_UNDER_LOAD: usize = 4;

/// How long it waits. Under such a load a call waits for longer anyway; at rest nothing waits.
const GATHER: Duration = Duration::from_millis(5);

/// How far a reading's time may be ahead of its arrival before one of the two is doubted.
const AHEAD_MS: u64 = 60_000;

/// Something to be written. It may be run again after a rollback, so `run` replaces what it noted
/// before.
pub(super) trait Work: Send {
    fn run(&mut self, session: &mut Session) -> core::result::Result<(), StoreError>;
    /// Called once, after the commit or when there will be none.
    fn answer(self: Box<Self>, committed: core::result::Result<(), StoreError>);
}

/// [`Work`] whose refusals are answers that take its own changes back and nobody else's.
pub(super) struct Job<T, F> {
    pub(super) attempt: &'static str,
    pub(super) change: F,
    pub(super) answer: Option<core::result::Result<T, StoreError>>,
    pub(super) reply: oneshot::Sender<core::result::Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&mut Session) -> Result<T> + Send> Work for Job<T, F> {
    fn run(&mut self, session: &mut Session) -> core::result::Result<(), StoreError> {
        let attempt = self.attempt;
        let answer = session
            .in_savepoint(&mut self.change)
            .map_err(|failure| failure.attempting(attempt))?;
        self.answer = Some(answer.map_err(StoreError::Refused));
        Ok(())
    }

    fn answer(self: Box<Self>, committed: core::result::Result<(), StoreError>) {
        let answer = match committed {
            Ok(()) => self.answer.unwrap_or(Err(StoreError::Closed)),
            Err(error) => Err(error),
        };
        // Whoever asked may have gone; the work is done all the same.
        drop(self.reply.send(answer));
    }
}

/// Lets calls come in, so that far more of them share the next commit.
#[expect(
    clippy::disallowed_methods,
    reason = "what is waited for are calls that nobody has announced"
)]
fn gather() {
    std::thread::sleep(GATHER);
}

/// What the writer remembers of a meter, so that a reading in order costs no look-up.
pub(super) struct Meter {
    pub(super) id: InstallationId,
    pub(super) meter: MeterId,
    pub(super) state: InstallationState,
    /// Set once another meter follows this one.
    pub(super) ended: Option<Ended>,
    pub(super) head: Head,
    pub(super) ledger: Ledger,
    /// The last window, and how far the chain is held without a hole from there on; not known until
    /// a window was taken at the tip.
    pub(super) sealed: Option<Sealed>,
    row: HeadRow,
}

/// How a meter's row in `heads` stands to what is remembered of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeadRow {
    /// There is none.
    Missing,
    Current,
    /// Fresh readings say the rest.
    Behind,
    /// It is to be written before the commit.
    Outdated,
}

/// How far the records of a replaced meter are taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) by: InstallationId,
    pub(super) last_index: u64,
    pub(super) last_sequence: u64,
}

/// A window behind which nothing is missing up to `tip`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed {
    pub(super) index: u64,
    pub(super) close: MilliwattHours,
    pub(super) tip: u64,
}

/// The state of a meter's numbers; a row of `heads` and the fresh readings that came since.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The point with the highest sequence number.
    pub(super) last: Option<Point>,
    /// The reading with the newest time that was not in the future when it came: seconds do not
    /// matter, milliseconds do.
    pub(super) latest: Option<(UtcMillis, Sequence)>,
    /// The earliest time of any reading.
    pub(super) first_time: Option<UtcMillis>,
    /// The highest sequence number that a window covers; 0 for none.
    pub(super) sealed_sequence: u64,
    /// The chain record with the highest index.
    pub(super) tip: Option<(u64, Hash)>,
    pub(super) next_index: u64,
    pub(super) last_seen: Option<UtcMillis>,
    /// How many rows `live` has.
    pub(super) live: u64,
}

impl Head {
    pub(super) const NEW: Self = Self {
        last: None,
        latest: None,
        first_time: None,
        sealed_sequence: 0,
        tip: None,
        next_index: 0,
        last_seen: None,
        live: 0,
    };

    /// Takes the point of a fresh reading that follows the last one.
    pub(super) fn append(&mut self, point: &Point, received: Option<UtcMillis>) {
        self.live += 1;
        self.last_seen = self.last_seen.max(received);
        self.note(point, received);
    }

    /// Notes that a point is held now, which came at `received`.
    pub(super) fn note(&mut self, point: &Point, received: Option<UtcMillis>) {
        if self.last.is_none_or(|last| last.sequence <= point.sequence) {
            self.last = Some(*point);
        }
        let Some(time) = point.time.filter(|_| point.is_reading) else {
            return;
        };
        let place = (time, point.sequence);
        if !is_ahead(time, received) && self.latest.is_none_or(|latest| latest < place) {
            self.latest = Some(place);
        }
        if self.first_time.is_none_or(|first| time < first) {
            self.first_time = Some(time);
        }
    }
}

/// Whether a reading's time is ahead of its arrival: the meter's clock is fast, or the gateway's slow.
pub(super) fn is_ahead(time: UtcMillis, received: Option<UtcMillis>) -> bool {
    received.is_some_and(|received| time.get() > received.get().saturating_add(AHEAD_MS))
}

/// The writer: one thread, one connection, one transaction at a time.
pub(super) struct Session {
    pub(super) connection: Connection,
    meters: HashMap<MeterId, Meter>,
    ids: HashMap<InstallationId, MeterId>,
    /// Whose row is to be written before the commit.
    outdated: Vec<MeterId>,
    /// Whose row is behind, or was.
    behind: BTreeSet<MeterId>,
    /// A transaction failed: what is remembered may be of it, and goes before the next one begins.
    is_doubtful: bool,
    next_event: u64,
    first_pending_event: u64,
    pending_events: Vec<u8>,
    fresh: Fresh,
    fresh_limit: u64,
    commits: Arc<AtomicU64>,
}

/// What the writer knows of `fresh`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh {
    pub(super) rows: u64,
    /// The highest number of any row so far; none is given twice.
    pub(super) last_id: i64,
}

/// The kinds of events, as they stand in `events.body`. In one about a rollout its number stands where
/// an installation's does in the others.
pub(super) const EVENT_READING: u8 = 0;
pub(super) const EVENT_INSTALLATION: u8 = 1;
pub(super) const EVENT_ROLLOUT: u8 = 2;

impl Session {
    pub(super) fn new(
        connection: Connection,
        fresh_limit: u64,
        commits: Arc<AtomicU64>,
    ) -> Result<Self> {
        let mut session = Self {
            connection,
            meters: HashMap::new(),
            ids: HashMap::new(),
            outdated: Vec::new(),
            behind: BTreeSet::new(),
            is_doubtful: false,
            next_event: 1,
            first_pending_event: 1,
            pending_events: Vec::new(),
            fresh: Fresh {
                rows: 0,
                last_id: 0,
            },
            fresh_limit,
            commits,
        };
        session.forget()?;
        Ok(session)
    }

    /// Serves calls until the last sender is gone.
    pub(super) fn serve(mut self, mut calls: mpsc::Receiver<Box<dyn Work>>) {
        let mut batch: Vec<Box<dyn Work>> = Vec::new();
        let mut is_under_load = false;
        while let Some(first) = calls.blocking_recv() {
            batch.push(first);
            if is_under_load {
                gather();
            }
            while batch.len() < MAX_CALLS_PER_COMMIT
                && let Ok(next) = calls.try_recv()
            {
                batch.push(next);
            }
            is_under_load = batch.len() >= CALLS_UNDER_LOAD;
            self.commit_together(&mut batch);
        }
        // A clean close leaves one file behind. If it fails, the next start reads the log instead.
        drop(
            self.connection
                .execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)"),
        );
    }

    /// One commit for all; if it fails, one for each, so that a poisoned call fails alone.
    fn commit_together(&mut self, batch: &mut Vec<Box<dyn Work>>) {
        match self.transact(batch) {
            Ok(()) => batch.drain(..).for_each(|work| work.answer(Ok(()))),
            Err(error) if batch.len() == 1 => {
                if let Some(work) = batch.pop() {
                    work.answer(Err(error));
                }
            }
            Err(_) => {
                for mut work in batch.drain(..) {
                    let committed = self.transact(core::slice::from_mut(&mut work));
                    work.answer(committed);
                }
            }
        }
    }

    fn transact(&mut self, batch: &mut [Box<dyn Work>]) -> core::result::Result<(), StoreError> {
        if self.is_doubtful {
            self.forget()
                .map_err(|failure| failure.attempting("take up its work again after a failure"))?;
            self.is_doubtful = false;
        }
        let result = self.run_and_commit(batch);
        if result.is_err() {
            self.is_doubtful = true;
            if !self.connection.is_autocommit() {
                // Nothing was committed; if even this fails, closing the connection does it.
                drop(self.connection.execute_batch("ROLLBACK"));
            }
        }
        result
    }

    fn run_and_commit(
        &mut self,
        batch: &mut [Box<dyn Work>],
    ) -> core::result::Result<(), StoreError> {
        let attempt = "commit";
        let sql = |failure: rusqlite::Error| Failure::from(failure).attempting(attempt);
        self.execute("BEGIN IMMEDIATE").map_err(sql)?;
        for work in batch {
            work.run(self)?;
        }
        self.save_outdated()
            .and_then(|()| self.file_fresh())
            .map_err(|failure| failure.attempting(attempt))?;
        self.execute("COMMIT").map_err(sql)?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Runs a change that goes alone if it is refused. It may be one beside another writer, as of an
    /// import beside a gateway: no head is written here that is only behind.
    fn in_savepoint<T>(
        &mut self,
        change: &mut impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<core::result::Result<T, crate::Refusal>> {
        self.save_outdated()?;
        self.execute("SAVEPOINT job")?;
        let answer = match change(self) {
            Ok(answer) => {
                self.save_outdated()?;
                Ok(answer)
            }
            Err(Failure::Refused(refusal)) => {
                self.execute("ROLLBACK TO job")?;
                self.forget()?;
                Err(refusal)
            }
            Err(failure) => return Err(failure),
        };
        self.execute("RELEASE job")?;
        Ok(answer)
    }

    /// Moves the fresh readings to where they are found by meter, once there are enough of them.
    fn file_fresh(&mut self) -> Result<()> {
        if self.fresh.rows < self.fresh_limit {
            return Ok(());
        }
        self.flush()?;
        self.connection
            .prepare_cached(
                "INSERT INTO live (meter, sequence, time, body)
                 SELECT meter, sequence, time, body FROM fresh ORDER BY meter, sequence",
            )?
            .execute([])?;
        self.connection
            .prepare_cached("DELETE FROM fresh")?
            .execute([])?;
        self.fresh.rows = 0;
        Ok(())
    }

    /// Drops everything remembered, as after a rollback, and takes up what the rows say.
    fn forget(&mut self) -> Result<()> {
        self.meters.clear();
        self.ids.clear();
        self.outdated.clear();
        self.behind.clear();
        self.pending_events.clear();
        self.next_event = last_event(&self.connection)?.0 + 1;
        self.first_pending_event = self.next_event;
        self.fresh = self
            .connection
            .prepare_cached(
                "SELECT count(*), max(coalesce(max(id), 0),
                     (SELECT coalesce(max(fresh_id), 0) FROM heads)) FROM fresh",
            )?
            .query_row([], |row| {
                Ok(Fresh {
                    rows: row.get::<_, i64>(0)? as u64,
                    last_id: row.get(1)?,
                })
            })?;
        self.remember_behind()
    }

    fn remember_behind(&mut self) -> Result<()> {
        let behind: Vec<MeterId> = self
            .connection
            .prepare_cached(
                "SELECT meter FROM installations WHERE id IN (
                     SELECT f.meter FROM fresh f JOIN heads h ON h.meter = f.meter
                     WHERE f.id > h.fresh_id)",
            )?
            .query_map([], |row| row.get(0).map(ww_wire::SignerId))?
            .collect::<rusqlite::Result<_>>()?;
        for id in behind {
            if let Some(mut meter) = Meter::load(&self.connection, &id)? {
                meter.row = HeadRow::Behind;
                self.ids.insert(meter.id, id);
                self.meters.insert(id, meter);
                self.behind.insert(id);
            }
        }
        Ok(())
    }

    /// Writes everything that is remembered and not yet in its rows.
    pub(super) fn flush(&mut self) -> Result<()> {
        let behind = core::mem::take(&mut self.behind);
        self.outdated.extend(behind);
        self.save_outdated()
    }

    /// Writes what is remembered and no row says: a head that is behind may stay so.
    fn save_outdated(&mut self) -> Result<()> {
        for id in self.outdated.drain(..) {
            if let Some(meter) = self.meters.get_mut(&id) {
                meter.save(&self.connection, self.fresh)?;
            }
        }
        if !self.pending_events.is_empty() {
            self.connection
                .prepare_cached("INSERT INTO events (id, body) VALUES (?1, ?2)")?
                .execute(params![
                    self.first_pending_event as i64,
                    self.pending_events
                ])?;
            self.pending_events.clear();
        }
        self.first_pending_event = self.next_event;
        Ok(())
    }

    /// Gives `work` the meter, the connection and the events; `None` when no installation has it.
    pub(super) fn with_meter<T>(
        &mut self,
        id: &MeterId,
        work: impl FnOnce(&mut Meter, &mut Desk<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        if !self.meters.contains_key(id) {
            let Some(meter) = Meter::load(&self.connection, id)? else {
                return Ok(None);
            };
            self.ids.insert(meter.id, *id);
            self.meters.insert(*id, meter);
        }
        let meter = self
            .meters
            .get_mut(id)
            .expect("it was there, or was inserted above");
        let mut desk = Desk {
            connection: &self.connection,
            next_event: &mut self.next_event,
            pending_events: &mut self.pending_events,
            fresh: &mut self.fresh,
            touched: false,
            appended: false,
        };
        let answer = work(meter, &mut desk)?;
        let is_row_needed = desk.touched || desk.appended && meter.row == HeadRow::Missing;
        if is_row_needed && meter.row != HeadRow::Outdated {
            meter.row = HeadRow::Outdated;
            self.outdated.push(*id);
        } else if desk.appended && meter.row == HeadRow::Current {
            meter.row = HeadRow::Behind;
            self.behind.insert(*id);
        }
        Ok(Some(answer))
    }

    /// What is remembered of an installation's chain, if anything is.
    pub(super) fn next_index(&self, id: InstallationId) -> Option<u64> {
        let meter = self.ids.get(&id)?;
        self.meters.get(meter).map(|meter| meter.head.next_index)
    }

    /// Writes down an event about an installation, and forgets what is remembered of its meter,
    /// since its row has changed. To be called when nothing of it waits to be flushed.
    pub(super) fn installation_changed(&mut self, id: InstallationId) -> Result<()> {
        self.flush()?;
        if let Some(meter) = self.ids.remove(&id) {
            self.meters.remove(&meter);
        }
        put_event(
            &mut self.next_event,
            &mut self.pending_events,
            EVENT_INSTALLATION,
            id,
            0,
        );
        Ok(())
    }

    /// Writes down an event about a rollout.
    pub(super) fn rollout_changed(&mut self, id: RolloutId) -> EventId {
        put_event(
            &mut self.next_event,
            &mut self.pending_events,
            EVENT_ROLLOUT,
            InstallationId(id.0),
            0,
        )
    }
}

/// What an ingest rule has at hand beside its meter.
pub(super) struct Desk<'a> {
    pub(super) connection: &'a Connection,
    next_event: &'a mut u64,
    pending_events: &'a mut Vec<u8>,
    pub(super) fresh: &'a mut Fresh,
    touched: bool,
    appended: bool,
}

impl Desk<'_> {
    /// Says that what is remembered of the meter must be written.
    pub(super) const fn touch(&mut self) {
        self.touched = true;
    }

    /// Says that a fresh reading was appended to the meter's head, and nothing else changed.
    pub(super) const fn appended(&mut self) {
        self.appended = true;
    }

    pub(super) fn reading_event(&mut self, id: InstallationId, sequence: Sequence) -> EventId {
        put_event(
            self.next_event,
            self.pending_events,
            EVENT_READING,
            id,
            sequence.get(),
        )
    }

    pub(super) fn installation_event(&mut self, id: InstallationId) -> EventId {
        put_event(
            self.next_event,
            self.pending_events,
            EVENT_INSTALLATION,
            id,
            0,
        )
    }
}

fn put_event(
    next_event: &mut u64,
    pending: &mut Vec<u8>,
    kind: u8,
    id: InstallationId,
    sequence: u64,
) -> EventId {
    let event = EventId(*next_event);
    *next_event += 1;
    pending.push(kind);
    varint::put(pending, u64::from(id.0));
    varint::put(pending, sequence);
    event
}

/// The newest event; 0 when there is none.
pub(super) fn last_event(connection: &Connection) -> Result<EventId> {
    let newest = connection
        .prepare_cached("SELECT id, body FROM events ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    let Some((first, body)) = newest else {
        return Ok(EventId(0));
    };
    let mut count = 0;
    super::journal::each_event(&body, |_, _, _| count += 1)?;
    Ok(EventId(first as u64 + count - 1))
}

impl Meter {
    fn load(connection: &Connection, meter: &MeterId) -> Result<Option<Self>> {
        let row = connection
            .prepare_cached(
                "SELECT id, state, time_zone, replaced_by, ended_index, ended_sequence
                 FROM installations WHERE meter = ?1",
            )?
            .query_row([&meter.0[..]], |row| {
                let ended = match row.get::<_, Option<u32>>(3)? {
                    None => None,
                    Some(by) => Some(Ended {
                        by: InstallationId(by),
                        last_index: row.get::<_, i64>(4)? as u64,
                        last_sequence: row.get::<_, i64>(5)? as u64,
                    }),
                };
                Ok((
                    row.get::<_, u32>(0)?,
                    row.get::<_, u8>(1)?,
                    row.get::<_, String>(2)?,
                    ended,
                ))
            })
            .optional()?;
        let Some((id, state, time_zone, ended)) = row else {
            return Ok(None);
        };
        let id = InstallationId(id);
        let (head, ledger, row) = match load_standing(connection, id)? {
            Some((head, ledger)) => (head, ledger, HeadRow::Current),
            None => (
                Head::NEW,
                Ledger::new(calendar(&time_zone)?),
                HeadRow::Missing,
            ),
        };
        Ok(Some(Self {
            id,
            meter: *meter,
            state: state_from_number(state)?,
            ended,
            head,
            ledger,
            sealed: None,
            row,
        }))
    }

    fn save(&mut self, connection: &Connection, fresh: Fresh) -> Result<()> {
        if self.row == HeadRow::Current {
            return Ok(());
        }
        let settled = self.ledger.settle();
        write_rollups(connection, self.id, &settled)?;
        save_head(
            connection,
            self.id,
            &self.head,
            &self.ledger.encode(),
            fresh.last_id,
        )?;
        self.row = HeadRow::Current;
        Ok(())
    }
}

/// The calendar of a time zone that was checked when it was stored.
pub(super) fn calendar(time_zone: &str) -> Result<Calendar> {
    Calendar::named(time_zone)
        .ok_or_else(|| Failure::Damaged(format!("time zone {time_zone:?} is not known")))
}

/// Adds entries to their rows.
pub(super) fn write_rollups(
    connection: &Connection,
    id: InstallationId,
    entries: &[Entry],
) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO rollups (meter, step, start, energy, readings, gaps)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET energy = energy + excluded.energy,
             readings = readings + excluded.readings, gaps = gaps + excluded.gaps",
    )?;
    for entry in entries {
        statement.execute(params![
            id.0,
            entry.step as u8,
            entry.start,
            entry.sums.energy,
            entry.sums.readings,
            entry.sums.gaps
        ])?;
    }
    Ok(())
}

/// The head of a meter, as of now.
pub(super) fn load_head(connection: &Connection, id: InstallationId) -> Result<Option<Head>> {
    Ok(load_standing(connection, id)?.map(|(head, _)| head))
}

/// The heads of all meters that have one, as of now.
pub(super) fn load_heads(connection: &Connection) -> Result<HashMap<InstallationId, Head>> {
    let mut statement = connection.prepare_cached(Standing::SELECT)?;
    let mut rows = statement.query([0, u32::MAX])?;
    let mut standings = HashMap::new();
    while let Some(row) = rows.next()? {
        let standing = Standing::from_row(row)?;
        standings.insert(standing.owner.id, standing);
    }
    let mut statement =
        connection.prepare_cached("SELECT body, id, meter FROM fresh ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(standing) = standings.get_mut(&InstallationId(row.get(2)?))
            && row.get::<_, i64>(1)? > standing.fresh_id
        {
            standing.append(row.get_ref(0)?.as_blob().map_err(blob)?)?;
        }
    }
    let heads = standings.into_iter();
    Ok(heads.map(|(id, standing)| (id, standing.head)).collect())
}

/// The head of a meter and its ledger, as of now.
pub(super) fn load_standing(
    connection: &Connection,
    id: InstallationId,
) -> Result<Option<(Head, Ledger)>> {
    let mut statement = connection.prepare_cached(Standing::SELECT)?;
    let mut rows = statement.query([id.0, id.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut standing = Standing::from_row(row)?;
    let mut statement = connection
        .prepare_cached("SELECT body FROM fresh WHERE id > ?2 AND meter = ?1 ORDER BY id")?;
    let mut rows = statement.query(params![id.0, standing.fresh_id])?;
    while let Some(row) = rows.next()? {
        standing.append(row.get_ref(0)?.as_blob().map_err(blob)?)?;
    }
    Ok(Some((standing.head, standing.ledger)))
}

/// A row of `heads`, and what is appended to it.
struct Standing {
    owner: Owner,
    head: Head,
    ledger: Ledger,
    /// The fresh readings up to this row are in it.
    fresh_id: i64,
}

impl Standing {
    const SELECT: &str = "SELECT last_sequence, last_time, last_produced, last_is_reading,
             latest_time, latest_sequence, first_time, sealed_sequence, tip_index, tip_digest,
             next_index, last_seen, live, ledger, fresh_id, i.id, i.meter, i.time_zone
         FROM heads h JOIN installations i ON i.id = h.meter WHERE h.meter BETWEEN ?1 AND ?2";

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let mut ledger = Ledger::new(calendar(row.get_ref(17)?.as_str().map_err(blob)?)?);
        ledger.restore(row.get_ref(13)?.as_blob().map_err(blob)?)?;
        Ok(Self {
            owner: Owner {
                id: InstallationId(row.get(15)?),
                meter: ww_wire::SignerId(row.get(16)?),
            },
            head: head_from(row)?,
            ledger,
            fresh_id: row.get(14)?,
        })
    }

    /// Takes the body of the next fresh reading.
    fn append(&mut self, body: &[u8]) -> Result<()> {
        let stored = read_live_body(self.owner, body)?;
        let point = Point::of(&stored.reading);
        self.ledger.book(self.head.last.as_ref(), &point);
        self.head.append(&point, stored.received);
        Ok(())
    }
}

fn head_from(row: &Row<'_>) -> Result<Head> {
    let last_sequence: i64 = row.get(0)?;
    let last = if last_sequence == 0 {
        None
    } else {
        Some(Point {
            sequence: sequence_from(last_sequence)?,
            time: time_from(row.get(1)?),
            produced: energy_from(row.get(2)?)?,
            recovered: false,
            is_reading: row.get(3)?,
        })
    };
    let latest = match time_from(row.get(4)?) {
        Some(time) => Some((time, sequence_from(row.get(5)?)?)),
        None => None,
    };
    let tip = match row.get::<_, Option<i64>>(8)? {
        Some(index) => Some((index as u64, Hash(row.get(9)?))),
        None => None,
    };
    Ok(Head {
        last,
        latest,
        first_time: time_from(row.get(6)?),
        sealed_sequence: row.get::<_, i64>(7)? as u64,
        tip,
        next_index: row.get::<_, i64>(10)? as u64,
        last_seen: time_from(row.get(11)?),
        live: row.get::<_, i64>(12)? as u64,
    })
}

fn save_head(
    connection: &Connection,
    id: InstallationId,
    head: &Head,
    ledger: &[u8],
    fresh_id: i64,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO heads (meter, last_sequence, last_time, last_produced,
                 last_is_reading, latest_time, latest_sequence, first_time, sealed_sequence,
                 tip_index, tip_digest, next_index, last_seen, live, ledger, fresh_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            id.0,
            head.last.map_or(0, |last| last.sequence.get() as i64),
            head.last.and_then(|last| millis(last.time)),
            head.last.map_or(0, |last| last.produced.get() as i64),
            head.last.is_some_and(|last| last.is_reading),
            head.latest.map(|(time, _)| time.get() as i64),
            head.latest.map_or(0, |(_, sequence)| sequence.get() as i64),
            millis(head.first_time),
            head.sealed_sequence as i64,
            head.tip.map(|(index, _)| index as i64),
            head.tip.as_ref().map(|(_, digest)| &digest.0[..]),
            head.next_index as i64,
            millis(head.last_seen),
            head.live as i64,
            ledger,
            fresh_id,
        ])?;
    Ok(())
}

/// A time as it stands in a column: 64 bits as they are, so that even a time beyond 2^63 comes back.
pub(super) fn millis(time: Option<UtcMillis>) -> Option<i64> {
    time.map(|time| time.get() as i64)
}

pub(super) fn time_from(column: Option<i64>) -> Option<UtcMillis> {
    column.and_then(|millis| UtcMillis::new(millis as u64))
}

pub(super) fn sequence_from(column: i64) -> Result<Sequence> {
    Sequence::new(column as u64)
        .ok_or_else(|| Failure::Damaged(format!("sequence number {column}")))
}

pub(super) fn energy_from(column: i64) -> Result<MilliwattHours> {
    u64::try_from(column)
        .ok()
        .and_then(MilliwattHours::new)
        .ok_or_else(|| Failure::Damaged(format!("energy {column}")))
}

pub(super) fn state_from_number(number: u8) -> Result<InstallationState> {
    match number {
        0 => Ok(InstallationState::Waiting),
        1 => Ok(InstallationState::Active),
        2 => Ok(InstallationState::Revoked),
        _ => Err(Failure::Damaged(format!("state {number}"))),
    }
}

pub(super) const fn state_number(state: InstallationState) -> u8 {
    match state {
        InstallationState::Waiting => 0,
        InstallationState::Active => 1,
        InstallationState::Revoked => 2,
    }
}
