//! The writer's side of the SQLite backend: its connection, what it remembers of each meter, and
//! the group commit. What is written, and by which rules, is in `ingest`, `registry`, `upkeep`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot};
use ww_wire::{Hash, MeterId, MilliwattHours, Sequence, UtcMillis};

use super::failure::{Failure, Result};
use crate::booking::{Entry, Ledger, Point};
use crate::calendar::Calendar;
use crate::varint;
use crate::{EventId, InstallationId, InstallationState, StoreError};

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
    is_dirty: bool,
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

/// The state of a meter's numbers; a row of `heads`.
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
    dirty: Vec<MeterId>,
    next_event: u64,
    first_pending_event: u64,
    pending_events: Vec<u8>,
    /// How many rows `fresh` has.
    fresh: u64,
    fresh_limit: u64,
    commits: Arc<AtomicU64>,
}

/// The two kinds of events, as they stand in `events.body`.
pub(super) const EVENT_READING: u8 = 0;
pub(super) const EVENT_INSTALLATION: u8 = 1;

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
            dirty: Vec::new(),
            next_event: 1,
            first_pending_event: 1,
            pending_events: Vec::new(),
            fresh: 0,
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
        let result = self.run_and_commit(batch);
        if result.is_err() {
            if !self.connection.is_autocommit() {
                // Nothing was committed; if even this fails, closing the connection does it.
                drop(self.connection.execute_batch("ROLLBACK"));
            }
            self.forget()
                .map_err(|failure| failure.attempting("take up its work again after a failure"))?;
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
        self.flush()
            .and_then(|()| self.file_fresh())
            .map_err(|failure| failure.attempting(attempt))?;
        self.execute("COMMIT").map_err(sql)?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn in_savepoint<T>(
        &mut self,
        change: &mut impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<core::result::Result<T, crate::Refusal>> {
        self.flush()?;
        self.execute("SAVEPOINT job")?;
        let answer = match change(self) {
            Ok(answer) => {
                self.flush()?;
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
        if self.fresh < self.fresh_limit {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "INSERT INTO live (meter, sequence, time, body)
                 SELECT meter, sequence, time, body FROM fresh ORDER BY meter, sequence",
            )?
            .execute([])?;
        self.connection
            .prepare_cached("DELETE FROM fresh")?
            .execute([])?;
        self.fresh = 0;
        Ok(())
    }

    /// Drops everything remembered, as after a rollback.
    fn forget(&mut self) -> Result<()> {
        self.meters.clear();
        self.ids.clear();
        self.dirty.clear();
        self.pending_events.clear();
        self.next_event = last_event(&self.connection)?.0 + 1;
        self.first_pending_event = self.next_event;
        let fresh: i64 = self
            .connection
            .prepare_cached("SELECT count(*) FROM fresh")?
            .query_row([], |row| row.get(0))?;
        self.fresh = fresh as u64;
        Ok(())
    }

    /// Writes what is remembered and not yet in its rows.
    pub(super) fn flush(&mut self) -> Result<()> {
        for id in self.dirty.drain(..) {
            if let Some(meter) = self.meters.get_mut(&id) {
                meter.save(&self.connection)?;
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
        };
        let answer = work(meter, &mut desk)?;
        if desk.touched && !meter.is_dirty {
            meter.is_dirty = true;
            self.dirty.push(*id);
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
}

/// What an ingest rule has at hand beside its meter.
pub(super) struct Desk<'a> {
    pub(super) connection: &'a Connection,
    next_event: &'a mut u64,
    pending_events: &'a mut Vec<u8>,
    /// How many rows `fresh` has.
    pub(super) fresh: &'a mut u64,
    touched: bool,
}

impl Desk<'_> {
    /// Says that what is remembered of the meter must be written.
    pub(super) const fn touch(&mut self) {
        self.touched = true;
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
        let calendar = Calendar::named(&time_zone)
            .ok_or_else(|| Failure::Damaged(format!("time zone {time_zone:?} is not known")))?;
        let mut loaded = Self {
            id: InstallationId(id),
            meter: *meter,
            state: state_from_number(state)?,
            ended,
            head: Head::NEW,
            ledger: Ledger::new(calendar),
            sealed: None,
            is_dirty: false,
        };
        if let Some((head, ledger)) = load_head(connection, loaded.id)? {
            loaded.head = head;
            loaded.ledger.restore(&ledger)?;
        }
        Ok(Some(loaded))
    }

    fn save(&mut self, connection: &Connection) -> Result<()> {
        let settled = self.ledger.settle();
        write_rollups(connection, self.id, &settled)?;
        save_head(connection, self.id, &self.head, &self.ledger.encode())?;
        self.is_dirty = false;
        Ok(())
    }
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

/// The head of a meter and its ledger's bytes.
pub(super) fn load_head(
    connection: &Connection,
    id: InstallationId,
) -> Result<Option<(Head, Vec<u8>)>> {
    let mut statement = connection.prepare_cached(
        "SELECT last_sequence, last_time, last_produced, last_is_reading, latest_time,
             latest_sequence, first_time, sealed_sequence, tip_index, tip_digest, next_index,
             last_seen, live, ledger
         FROM heads WHERE meter = ?1",
    )?;
    let mut rows = statement.query([id.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
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
    let head = Head {
        last,
        latest,
        first_time: time_from(row.get(6)?),
        sealed_sequence: row.get::<_, i64>(7)? as u64,
        tip,
        next_index: row.get::<_, i64>(10)? as u64,
        last_seen: time_from(row.get(11)?),
        live: row.get::<_, i64>(12)? as u64,
    };
    Ok(Some((head, row.get(13)?)))
}

fn save_head(
    connection: &Connection,
    id: InstallationId,
    head: &Head,
    ledger: &[u8],
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO heads (meter, last_sequence, last_time, last_produced,
                 last_is_reading, latest_time, latest_sequence, first_time, sealed_sequence,
                 tip_index, tip_digest, next_index, last_seen, live, ledger)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
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
