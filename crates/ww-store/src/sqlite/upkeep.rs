//! Upkeep in SQL: merging windows into chunks, rebuilding rollups, checking everything against
//! itself, counting. Chunks are made on a reader's thread; the writer only swaps rows.

use core::ops::Range;

use rusqlite::{Connection, OptionalExtension, params};
use ww_wire::{AnyReading, ChainRecord, Hash, Record, RecordType, Window};

use super::failure::{Failure, Result};
use super::lookup::{
    ChainRow, Owner, live_between, load_chunk, owner, sealed_bodies, unpack, window_record,
};
use super::session::{
    Session, calendar, load_standing, millis, sequence_from, time_from, write_rollups,
};
use crate::booking::{Entry, Ledger, Point, Sums};
use crate::calendar::{Calendar, Step, calendar_seconds};
use crate::chunk::{self, Chunk, MAX_WINDOWS, SealedWindow};
use crate::{
    EVENTS_KEPT, InstallationId, Integrity, Maintenance, Proof, Statistics, StoredReading,
    WindowReadings,
};

/// Points that are booked before the entries they made are put aside.
const BOOKED_AT_ONCE: u32 = 60;

/// Rows that are to make way for chunks.
pub(super) struct Plan {
    owner: Owner,
    windows: Vec<WindowRow>,
    chunk: Option<i64>,
    pieces: Vec<Piece>,
}

struct Piece {
    sealed: Vec<SealedWindow>,
    readings: usize,
    min_time: Option<i64>,
    max_time: Option<i64>,
    extremes: Vec<u8>,
    body: Vec<u8>,
}

#[derive(Clone, Copy)]
struct WindowRow {
    rowid: i64,
    index: i64,
    first_sequence: i64,
    kind: Option<u8>,
}

/// Where a chunk lies.
struct Extent {
    rowid: i64,
    sequences: (i64, i64),
    indices: (i64, i64),
}

/// Finds a run of windows that can become a chunk, and makes it. If there is none, a chunk of which an
/// older version did not note the extremes is made anew.
///
/// A run is a full one of [`MAX_WINDOWS`], or one that cannot grow because a chunk stands behind
/// it. Windows that lie in a hole of a chunk are merged with it.
///
/// Invariant: the chunks of a meter overlap neither in numbers nor in indices.
pub(super) fn plan(connection: &Connection) -> Result<Option<Plan>> {
    // Of each meter no more windows are counted than it takes.
    let ids: Vec<u32> = connection
        .prepare_cached(
            "SELECT id FROM installations WHERE ?1 <= (SELECT count(*) FROM (
                 SELECT 1 FROM windows WHERE meter = installations.id LIMIT ?1))",
        )?
        .query_map([MAX_WINDOWS as i64], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in ids.into_iter().map(InstallationId) {
        let Some(owner) = owner(connection, id)? else {
            continue;
        };
        if let Some((windows, chunk)) = choose_run(connection, owner)? {
            return make(connection, owner, windows, chunk).map(Some);
        }
    }
    let unnoted = connection
        .prepare_cached("SELECT meter, chunk FROM chunk_extremes WHERE body IS NULL LIMIT 1")?
        .query_row([], |row| {
            Ok((InstallationId(row.get(0)?), row.get::<_, i64>(1)?))
        })
        .optional()?;
    match unnoted {
        Some((id, chunk)) => {
            let owner = owner(connection, id)?
                .ok_or_else(|| Failure::Damaged(format!("installation {id} has gone")))?;
            make(connection, owner, Vec::new(), Some(chunk)).map(Some)
        }
        None => Ok(None),
    }
}

fn choose_run(
    connection: &Connection,
    owner: Owner,
) -> Result<Option<(Vec<WindowRow>, Option<i64>)>> {
    let chunks = extents(connection, owner)?;
    let mut statement = connection.prepare_cached(
        "SELECT id, chain_index, first_sequence, substr(packed, 2, 1) FROM windows
         WHERE meter = ?1 AND packed IS NOT NULL ORDER BY last_sequence",
    )?;
    let mut rows = statement.query([owner.id.0])?;
    let mut run: Vec<WindowRow> = Vec::new();
    let mut place = None;
    while let Some(row) = rows.next()? {
        let kind: Vec<u8> = row.get(3)?;
        let window = WindowRow {
            rowid: row.get(0)?,
            index: row.get(1)?,
            first_sequence: row.get(2)?,
            kind: kind.first().copied(),
        };
        let Some(own_place) = place_among(&chunks, &window) else {
            continue;
        };
        let continues = place == Some(own_place)
            && run
                .last()
                .is_none_or(|last| last.index < window.index && last.kind == window.kind);
        if !continues && !run.is_empty() {
            break;
        }
        place = Some(own_place);
        run.push(window);
        if run.len() == MAX_WINDOWS {
            break;
        }
    }
    let is_last = rows.next()?.is_none();
    let inside = place.and_then(|(_, inside)| inside);
    if run.is_empty() || (run.len() < MAX_WINDOWS && is_last && inside.is_none()) {
        return Ok(None);
    }
    Ok(Some((run, inside)))
}

fn extents(connection: &Connection, owner: Owner) -> Result<Vec<Extent>> {
    Ok(connection
        .prepare_cached(
            "SELECT id, first_sequence, last_sequence, first_index, last_index FROM chunks
             WHERE meter = ?1 ORDER BY last_sequence",
        )?
        .query_map([owner.id.0], |row| {
            Ok(Extent {
                rowid: row.get(0)?,
                sequences: (row.get(1)?, row.get(2)?),
                indices: (row.get(3)?, row.get(4)?),
            })
        })?
        .collect::<rusqlite::Result<_>>()?)
}

/// Before which chunk a window comes, and in which one it lies; `None` when its number and its
/// index disagree about that, which no honest meter brings about.
fn place_among(chunks: &[Extent], window: &WindowRow) -> Option<(usize, Option<i64>)> {
    let by_sequence = chunks.partition_point(|chunk| chunk.sequences.1 < window.first_sequence);
    let by_index = chunks.partition_point(|chunk| chunk.indices.1 < window.index);
    let next = chunks.get(by_sequence);
    let inside = next.filter(|chunk| chunk.sequences.0 <= window.first_sequence);
    let inside_by_index = next.filter(|chunk| chunk.indices.0 <= window.index);
    (by_sequence == by_index && inside.is_some() == inside_by_index.is_some())
        .then(|| (by_sequence, inside.map(|chunk| chunk.rowid)))
}

fn make(
    connection: &Connection,
    owner: Owner,
    windows: Vec<WindowRow>,
    chunk: Option<i64>,
) -> Result<Plan> {
    let mut sealed = Vec::new();
    for row in &windows {
        sealed.push(load_window(connection, owner, row)?);
    }
    if let Some(rowid) = chunk {
        let chunk = load_chunk(connection, owner, rowid)?;
        for (window, part) in chunk.windows()?.into_iter().zip(chunk.parts()) {
            sealed.push((window, chunk.readings_of(part).to_vec()));
        }
        sealed.sort_by_key(|(sealed, _)| sealed.window.first_sequence);
    }
    let mut pieces = Vec::new();
    for range in pieces_of(&sealed) {
        pieces.push(make_piece(owner, &sealed[range])?);
    }
    Ok(Plan {
        owner,
        windows,
        chunk,
        pieces,
    })
}

fn load_window(
    connection: &Connection,
    owner: Owner,
    row: &WindowRow,
) -> Result<(SealedWindow, Vec<AnyReading>)> {
    let window = window_record(connection, owner, row.index)?;
    let mut statement = connection.prepare_cached(
        "SELECT c.signature, c.received, w.packed FROM windows w
         JOIN chain c ON c.meter = w.meter AND c.chain_index = w.chain_index WHERE w.id = ?1",
    )?;
    let (signature, received, packed) = statement.query_row([row.rowid], |row| {
        Ok((
            row.get::<_, [u8; 64]>(0)?,
            row.get::<_, Option<i64>>(1)?,
            row.get::<_, Vec<u8>>(2)?,
        ))
    })?;
    let whole_seconds = time_from(received.map(|received| received - received.rem_euclid(1000)));
    let sealed = SealedWindow {
        window,
        signature: ww_wire::Signature::from_low_s(signature)?,
        received: whole_seconds,
    };
    Ok((sealed, unpack(owner.meter, &packed)?))
}

/// Splits windows where the kind of reading changes, and into even pieces that are not too long.
fn pieces_of(sealed: &[(SealedWindow, Vec<AnyReading>)]) -> Vec<Range<usize>> {
    let kind = |at: usize| sealed[at].1.first().map(AnyReading::record_type);
    let mut pieces = Vec::new();
    let mut start = 0;
    for at in 1..=sealed.len() {
        if at < sealed.len() && kind(at) == kind(start) {
            continue;
        }
        let parts = (at - start).div_ceil(MAX_WINDOWS);
        let length = (at - start).div_ceil(parts);
        while start < at {
            let end = (start + length).min(at);
            pieces.push(start..end);
            start = end;
        }
    }
    pieces
}

/// Codes a piece and makes sure that every record comes back from it to the last bit.
fn make_piece(owner: Owner, sealed: &[(SealedWindow, Vec<AnyReading>)]) -> Result<Piece> {
    let windows: Vec<SealedWindow> = sealed.iter().map(|(window, _)| window.clone()).collect();
    let readings: Vec<AnyReading> = sealed
        .iter()
        .flat_map(|(_, readings)| readings.iter().copied())
        .collect();
    let body = chunk::encode(&windows, &readings)?;
    let back = Chunk::decode(owner.meter, &body)?;
    let is_faithful = back.readings() == readings && back.windows()? == windows;
    if !is_faithful {
        return Err(Failure::Damaged(format!(
            "a chunk of installation {} does not give back its windows; they stay as they are",
            owner.id
        )));
    }
    let times = || {
        readings
            .iter()
            .filter(|reading| calendar_seconds(reading.sum().time).is_some())
            .filter_map(|reading| millis(reading.sum().time))
    };
    Ok(Piece {
        readings: readings.len(),
        min_time: times().min(),
        max_time: times().max(),
        extremes: sealed_bodies(&extremes(owner, sealed))?,
        sealed: windows,
        body,
    })
}

/// The readings of lowest and highest power, of those that are at a place in time and have one.
fn extremes(owner: Owner, sealed: &[(SealedWindow, Vec<AnyReading>)]) -> Vec<StoredReading> {
    let readings = sealed.iter().flat_map(|(sealed, readings)| {
        let window = &sealed.window;
        (0..)
            .zip(readings)
            .map(move |(leaf, reading)| StoredReading {
                installation: owner.id,
                reading: *reading,
                received: sealed.received,
                proof: Proof::Window {
                    index: window.chain_index,
                    leaf,
                    enrolment: window.enrolment,
                },
            })
    });
    let power = |stored: &StoredReading| stored.reading.sum().power;
    let (mut low, mut high) = (None, None);
    for stored in readings {
        let sum = stored.reading.sum();
        if sum.power.is_none() || calendar_seconds(sum.time).is_none() {
            continue;
        }
        if low.as_ref().is_none_or(|low| power(&stored) < power(low)) {
            low = Some(stored.clone());
        }
        if (high.as_ref()).is_none_or(|high| power(&stored) > power(high)) {
            high = Some(stored);
        }
    }
    low.into_iter().chain(high).collect()
}

/// Puts the chunks of a plan in the place of its rows.
pub(super) fn carry_out(session: &mut Session, plan: &Plan) -> Result<Maintenance> {
    let connection = &session.connection;
    let id = plan.owner.id.0;
    let mut deleted = 0;
    for row in &plan.windows {
        deleted += connection
            .prepare_cached("DELETE FROM windows WHERE id = ?1")?
            .execute([row.rowid])?;
        deleted += connection
            .prepare_cached("DELETE FROM chain WHERE meter = ?1 AND chain_index = ?2")?
            .execute(params![id, row.index])?;
    }
    if let Some(rowid) = plan.chunk {
        connection
            .prepare_cached("DELETE FROM chunks WHERE id = ?1")?
            .execute([rowid])?;
        connection
            .prepare_cached("DELETE FROM chunk_extremes WHERE meter = ?1 AND chunk = ?2")?
            .execute([i64::from(id), rowid])?;
    }
    if deleted != 2 * plan.windows.len() {
        return Err(Failure::Damaged(format!(
            "windows of installation {id} vanished while they were merged"
        )));
    }
    for piece in &plan.pieces {
        let (Some(first), Some(last)) = (piece.sealed.first(), piece.sealed.last()) else {
            continue;
        };
        connection
            .prepare_cached(
                "INSERT INTO chunks (meter, first_index, last_index, first_sequence,
                     last_sequence, min_time, max_time, windows, readings, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                id,
                first.window.chain_index.get() as i64,
                last.window.chain_index.get() as i64,
                first.window.first_sequence.get() as i64,
                last.window.last_sequence.get() as i64,
                piece.min_time,
                piece.max_time,
                piece.sealed.len() as i64,
                piece.readings as i64,
                piece.body,
            ])?;
        connection
            .prepare_cached("INSERT INTO chunk_extremes (meter, chunk, body) VALUES (?1, ?2, ?3)")?
            .execute(params![id, connection.last_insert_rowid(), piece.extremes])?;
    }
    let readings: usize = plan.pieces.iter().map(|piece| piece.readings).sum();
    Ok(Maintenance {
        compacted_windows: plan.windows.len() as u32,
        compacted_readings: u32::try_from(readings).unwrap_or(u32::MAX),
        more: true,
    })
}

/// Forgets events that nobody resumes from any more. A row holds those of a whole commit: it goes
/// once the last of them may.
pub(super) fn forget_old_events(session: &mut Session) -> Result<()> {
    let newest = super::session::last_event(&session.connection)?.0;
    session
        .connection
        .prepare_cached(
            "DELETE FROM events WHERE id < (SELECT max(id) FROM events WHERE id <= ?1)",
        )?
        .execute([newest.saturating_sub(EVENTS_KEPT) as i64 + 1])?;
    Ok(())
}

/// Calls `each` with every point of a meter, in the order of their numbers. At most one chunk, and
/// what lies beside it, is in memory.
fn each_point(connection: &Connection, owner: Owner, mut each: impl FnMut(&Point)) -> Result<()> {
    let mut from = 0;
    for extent in extents(connection, owner)? {
        let chunk = load_chunk(connection, owner, extent.rowid)?;
        let mut points: Vec<Point> = chunk.readings().iter().map(Point::of).collect();
        let through = extent.sequences.1;
        points.extend(loose_points(connection, owner, from, through)?);
        points.sort_by_key(|point| point.sequence);
        points.iter().for_each(&mut each);
        from = through + 1;
    }
    let mut points = loose_points(connection, owner, from, i64::MAX - 1)?;
    points.sort_by_key(|point| point.sequence);
    points.iter().for_each(each);
    Ok(())
}

/// The points of windows that end within these numbers, and of live readings among them.
fn loose_points(
    connection: &Connection,
    owner: Owner,
    from: i64,
    through: i64,
) -> Result<Vec<Point>> {
    let live = live_between(
        connection,
        owner,
        sequence_from(from)?,
        sequence_from(through)?,
    )?;
    let mut points: Vec<Point> = live
        .iter()
        .map(|stored| Point::of(&stored.reading))
        .collect();
    let mut statement = connection.prepare_cached(
        "SELECT chain_index, last_sequence, packed FROM windows
         WHERE meter = ?1 AND last_sequence BETWEEN ?2 AND ?3",
    )?;
    let mut rows = statement.query(params![owner.id.0, from, through])?;
    while let Some(row) = rows.next()? {
        match row.get::<_, Option<Vec<u8>>>(2)? {
            Some(packed) => {
                points.extend(unpack(owner.meter, &packed)?.iter().map(Point::of));
            }
            None => {
                let last: i64 = row.get(1)?;
                let is_live = live
                    .iter()
                    .any(|stored| stored.reading.sum().sequence.get() as i64 == last);
                if !is_live {
                    let window = window_record(connection, owner, row.get(0)?)?;
                    points.push(Point::close_of(&window));
                }
            }
        }
    }
    Ok(points)
}

/// What the rollups of a meter are by its readings.
fn recomputed(connection: &Connection, owner: Owner, calendar: Calendar) -> Result<Vec<Entry>> {
    let mut ledger = Ledger::new(calendar);
    let mut settled = Vec::new();
    let mut before: Option<Point> = None;
    let mut booked = 0_u32;
    each_point(connection, owner, |point| {
        ledger.book(before.as_ref(), point);
        before = Some(*point);
        booked += 1;
        if booked.is_multiple_of(BOOKED_AT_ONCE) {
            settled.extend(ledger.settle());
        }
    })?;
    settled.extend(ledger.settle_all());
    Ok(settled)
}

/// Makes the rollups of a meter anew, in the calendar of its zone.
pub(super) fn rebuild_rollups(session: &mut Session, id: InstallationId) -> Result<()> {
    session.flush()?;
    let connection = &session.connection;
    let Some(owner) = owner(connection, id)? else {
        return Ok(());
    };
    let settled = recomputed(connection, owner, calendar_of(connection, id)?)?;
    connection
        .prepare_cached("DELETE FROM rollups WHERE meter = ?1")?
        .execute([id.0])?;
    connection
        .prepare_cached("UPDATE heads SET ledger = x'' WHERE meter = ?1")?
        .execute([id.0])?;
    write_rollups(connection, id, &settled)?;
    session.installation_changed(id)
}

fn calendar_of(connection: &Connection, id: InstallationId) -> Result<Calendar> {
    let zone: String = connection
        .prepare_cached("SELECT time_zone FROM installations WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    calendar(&zone)
}

pub(super) fn integrity(connection: &Connection) -> Result<Integrity> {
    let mut report = Integrity::default();
    let ids: Vec<u32> = connection
        .prepare_cached("SELECT id FROM installations ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in ids.into_iter().map(InstallationId) {
        if let Some(owner) = owner(connection, id)? {
            check_rollups(connection, owner, &mut report)?;
            check_chain(connection, owner, &mut report)?;
        }
    }
    let verdict: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if verdict != "ok" {
        report.faults.push(verdict);
    }
    Ok(report)
}

type Tally = std::collections::BTreeMap<(Step, i64), Sums>;

fn tally(entries: impl IntoIterator<Item = Entry>) -> Tally {
    let mut tally = Tally::new();
    for entry in entries {
        let sums = tally.entry((entry.step, entry.start)).or_default();
        *sums = sums.plus(entry.sums);
    }
    tally.retain(|_, sums| *sums != Sums::default());
    tally
}

fn check_rollups(connection: &Connection, owner: Owner, report: &mut Integrity) -> Result<()> {
    let calendar = calendar_of(connection, owner.id)?;
    let expected = tally(recomputed(connection, owner, calendar)?);
    let mut stored = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT step, start, energy, readings, gaps FROM rollups WHERE meter = ?1",
    )?;
    let mut rows = statement.query([owner.id.0])?;
    while let Some(row) = rows.next()? {
        stored.push(Entry {
            step: Step::from_number(row.get(0)?)
                .ok_or_else(|| Failure::Damaged("a rollup of no step".to_owned()))?,
            start: row.get(1)?,
            sums: Sums {
                energy: row.get(2)?,
                readings: row.get(3)?,
                gaps: row.get(4)?,
            },
        });
    }
    let mut standing = load_standing(connection, owner.id)?;
    if let Some((_, ledger)) = &mut standing {
        stored.extend(ledger.settle_all());
    }
    let stored = tally(stored);
    report.rollups += expected.len() as u64;
    for (key, sums) in &expected {
        if stored.get(key) != Some(sums) {
            report.faults.push(format!(
                "installation {}: rollup {key:?} is {:?}, its readings make {sums:?}",
                owner.id,
                stored.get(key)
            ));
        }
    }
    for (key, sums) in stored.iter().filter(|(key, _)| !expected.contains_key(key)) {
        report.faults.push(format!(
            "installation {}: rollup {key:?} is {sums:?}, but no reading is in it",
            owner.id
        ));
    }
    let (mut readings, mut last) = (0, None);
    each_point(connection, owner, |point| {
        readings += u64::from(point.is_reading);
        last = Some((point.sequence, point.produced));
    })?;
    report.readings += readings;
    let remembered = standing.and_then(|(head, _)| head.last);
    if remembered.map(|last| (last.sequence, last.produced)) != last {
        report.faults.push(format!(
            "installation {}: its last reading is {last:?}, remembered is {remembered:?}",
            owner.id
        ));
    }
    Ok(())
}

fn check_chain(connection: &Connection, owner: Owner, report: &mut Integrity) -> Result<()> {
    let mut digests = std::collections::BTreeMap::new();
    let mut statement = connection.prepare_cached(
        "SELECT chain_index, received, payload, signature FROM chain WHERE meter = ?1",
    )?;
    let mut rows = statement.query([owner.id.0])?;
    while let Some(row) = rows.next()? {
        let row = ChainRow::from_row(owner, row)?;
        let record = ChainRecord::decode(&row.payload)?;
        digests.insert(row.index, (Hash::of(&[&row.payload]), record.previous()));
        if RecordType::of(&row.payload)? == RecordType::Window {
            report.windows += 1;
            check_window(connection, owner, &Window::decode(&row.payload)?, report)?;
        }
    }
    for extent in extents(connection, owner)? {
        for sealed in load_chunk(connection, owner, extent.rowid)?.windows()? {
            report.windows += 1;
            let window = sealed.window;
            let digest = window.encode()?.digest();
            digests.insert(window.chain_index.get(), (digest, window.previous));
        }
    }
    let mut before: Option<(u64, Hash)> = None;
    for (index, (digest, previous)) in digests {
        if let Some((last, expected)) = before
            && last + 1 == index
            && expected != previous
        {
            report.faults.push(format!(
                "installation {}: chain record {index} does not follow {last}",
                owner.id
            ));
        }
        before = Some((index, digest));
    }
    Ok(())
}

fn check_window(
    connection: &Connection,
    owner: Owner,
    window: &Window,
    report: &mut Integrity,
) -> Result<()> {
    let packed: Option<Vec<u8>> = connection
        .prepare_cached("SELECT packed FROM windows WHERE meter = ?1 AND last_sequence = ?2")?
        .query_row(
            params![owner.id.0, window.last_sequence.get() as i64],
            |row| row.get(0),
        )?;
    if let Some(packed) = packed
        && let Err(contradiction) = WindowReadings::open(window, &packed)
    {
        report.faults.push(format!(
            "installation {}: window {}: {contradiction}",
            owner.id,
            window.chain_index.get()
        ));
    }
    Ok(())
}

pub(super) fn statistics(connection: &Connection, commits: u64) -> Result<Statistics> {
    let number = |sql: &str| -> Result<u64> {
        let number: Option<i64> = connection
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))?;
        Ok(number.unwrap_or(0) as u64)
    };
    let pragma = |name| -> Result<u64> {
        let number: i64 = connection.pragma_query_value(None, name, |row| row.get(0))?;
        Ok(number as u64)
    };
    let compacted = number("SELECT sum(readings) FROM chunks")?;
    let in_windows = number(
        "SELECT sum(last_sequence - first_sequence + 1) FROM windows WHERE packed IS NOT NULL",
    )?;
    let in_use = pragma("page_count")? - pragma("freelist_count")?;
    Ok(Statistics {
        installations: number("SELECT count(*) FROM installations")?,
        live_readings: number("SELECT sum(live) FROM heads")?
            + number(
                "SELECT count(*) FROM fresh f JOIN heads h ON h.meter = f.meter
                 WHERE f.id > h.fresh_id",
            )?,
        sealed_readings: compacted + in_windows,
        compacted_readings: compacted,
        windows: number("SELECT count(*) FROM windows")?
            + number("SELECT sum(windows) FROM chunks")?,
        bytes: in_use * pragma("page_size")?,
        live_bytes: number(
            "SELECT sum(pgsize) FROM dbstat WHERE name IN ('fresh', 'live', 'live_by_time')",
        )?,
        commits,
    })
}
