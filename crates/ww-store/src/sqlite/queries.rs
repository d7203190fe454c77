//! Lists and single readings, windows and chain records in SQL. It only reads.

use rusqlite::{Connection, OptionalExtension, params};
use ww_wire::merkle::{inclusion_proof, leaf_hash};
use ww_wire::{AnyReading, ChainIndex, ChainRecord, Hash, RecordType, Sequence, UtcMillis, Window};

use super::failure::{Failure, Result};
use super::lookup::{
    ChainRow, EncodePayload, Owner, Place, Segment, blob, chain_index, chain_row, chunk_with_index,
    find, load_chunk, load_segment, owner, read_live_body, read_sealed_bodies, segments_in, unpack,
    window_index_after, window_index_before, window_record,
};
use super::session::{is_ahead, load_head, time_from};
use crate::calendar::calendar_seconds;
use crate::verified::pack;
use crate::{
    InstallationId, Position, Proof, ProvenReading, ReadingId, ReadingQuery, StoredChainRecord,
    StoredReading, StoredWindow, WholeWindow, WindowProof, WindowQuery,
};

pub(super) fn latest(connection: &Connection, id: InstallationId) -> Result<Option<StoredReading>> {
    let (Some(owner), Some(head)) = (owner(connection, id)?, load_head(connection, id)?) else {
        return Ok(None);
    };
    if let Some((_, sequence)) = head.latest {
        // One that is ahead may be so because the gateway's own clock is behind. It is shown until
        // the next one comes, so that neither of the two clocks holds the view up.
        if let Some(last) = head.last
            && last.is_reading
            && last.sequence > sequence
            && let Some(newest) = find(connection, owner, last.sequence)?
            && (newest.reading.sum().time).is_some_and(|time| is_ahead(time, newest.received))
        {
            return Ok(Some(newest));
        }
        return find(connection, owner, sequence);
    }
    let numbered = by_sequence(connection, owner, Order::NewestFirst, None, 1)?;
    Ok(numbered.into_iter().next())
}

pub(super) fn readings(
    connection: &Connection,
    query: &ReadingQuery,
) -> Result<Vec<StoredReading>> {
    let Some(owner) = owner(connection, query.installation)? else {
        return Ok(Vec::new());
    };
    let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
    let end = query
        .after
        .map_or(query.end, |after| after.time.min(query.end));
    let (start, end) = (bound(query.start), bound(end));
    let wanted = |stored: &StoredReading| {
        position(stored).filter(|position| {
            position.time >= query.start
                && position.time <= query.end
                && query.after.is_none_or(|after| *position < after)
        })
    };
    let mut found = live_in_time(connection, owner, start, end, query.after, limit)?;
    found.retain(|stored| wanted(stored).is_some());
    let mut segments = segments_in(connection, owner.id, start, end)?;
    segments.sort_by_key(|segment| core::cmp::Reverse(segment.max_time));
    for segment in segments {
        sort_newest_first(&mut found);
        found.truncate(limit);
        let oldest = found.last().and_then(position);
        if found.len() == limit && oldest.is_none_or(|oldest| Some(oldest.time) > segment.max_time)
        {
            break;
        }
        let loaded = load_segment(connection, owner, &segment)?;
        found.extend(loaded.into_iter().filter(|stored| wanted(stored).is_some()));
    }
    sort_newest_first(&mut found);
    found.truncate(limit);
    Ok(found)
}

/// As [`readings`], from the other end. A segment is unpacked only if it may hold one of the first.
pub(super) fn oldest_readings(
    connection: &Connection,
    query: &ReadingQuery,
) -> Result<Vec<StoredReading>> {
    let Some(owner) = owner(connection, query.installation)? else {
        return Ok(Vec::new());
    };
    let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
    let start = query
        .after
        .map_or(query.start, |after| after.time.max(query.start));
    let (start, end) = (bound(start), bound(query.end));
    let wanted = |stored: &StoredReading| {
        position(stored).is_some_and(|position| {
            position.time >= query.start
                && position.time <= query.end
                && query.after.is_none_or(|after| position > after)
        })
    };
    let mut found = oldest_live(connection, owner, start, end, query.after, limit)?;
    found.retain(wanted);
    for (min_time, segment) in segments_by_start(connection, owner.id, start, end)? {
        found.sort_by_key(position);
        found.truncate(limit);
        let newest = found.last().and_then(position);
        if found.len() == limit && newest.is_none_or(|newest| bound(newest.time) < min_time) {
            break;
        }
        let loaded = load_segment(connection, owner, &segment)?;
        found.extend(loaded.into_iter().filter(wanted));
    }
    found.sort_by_key(position);
    found.truncate(limit);
    Ok(found)
}

fn oldest_live(
    connection: &Connection,
    owner: Owner,
    start: i64,
    end: i64,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<StoredReading>> {
    let mut statement = connection.prepare_cached(
        "SELECT body, time, sequence FROM singles WHERE meter = ?1 AND time BETWEEN ?2 AND ?3
             AND (?4 IS NULL OR (time, sequence) > (?4, ?5))
         ORDER BY time, sequence LIMIT ?6",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![
        owner.id.0,
        start,
        end,
        after.map(|after| bound(after.time)),
        after.map(|after| after.sequence.get() as i64),
        limit
    ])?;
    let mut readings = Vec::new();
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_blob().map_err(blob)?;
        readings.push(read_live_body(owner, body)?);
    }
    Ok(readings)
}

/// The segments that may hold a reading of `[start, end]` with when they begin, in that order.
fn segments_by_start(
    connection: &Connection,
    id: InstallationId,
    start: i64,
    end: i64,
) -> Result<Vec<(i64, Segment)>> {
    let mut segments = Vec::new();
    for (place, sql) in [
        (
            Place::Window,
            "SELECT id, first_sequence, max_time, min_time FROM windows
             WHERE meter = ?1 AND max_time >= ?2 AND min_time <= ?3 AND packed IS NOT NULL",
        ),
        (
            Place::Chunk,
            "SELECT id, first_sequence, max_time, min_time FROM chunks
             WHERE meter = ?1 AND max_time >= ?2 AND min_time <= ?3",
        ),
    ] {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![id.0, start, end])?;
        while let Some(row) = rows.next()? {
            segments.push((row.get(3)?, Segment::from_row(place, row)?));
        }
    }
    segments.sort_by_key(|(min_time, _)| *min_time);
    Ok(segments)
}

/// A time as a bound of a list: beyond the calendar there is nothing.
fn bound(time: UtcMillis) -> i64 {
    i64::try_from(time.get()).unwrap_or(i64::MAX)
}

fn position(stored: &StoredReading) -> Option<Position> {
    let sum = stored.reading.sum();
    calendar_seconds(sum.time)?;
    Some(Position {
        time: sum.time?,
        sequence: sum.sequence,
    })
}

fn sort_newest_first(readings: &mut [StoredReading]) {
    readings.sort_by_key(|stored| core::cmp::Reverse(position(stored)));
}

fn live_in_time(
    connection: &Connection,
    owner: Owner,
    start: i64,
    end: i64,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<StoredReading>> {
    let mut statement = connection.prepare_cached(
        "SELECT body, time, sequence FROM singles WHERE meter = ?1 AND time BETWEEN ?2 AND ?3
             AND (?4 IS NULL OR (time, sequence) < (?4, ?5))
         ORDER BY time DESC, sequence DESC LIMIT ?6",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![
        owner.id.0,
        start,
        end,
        after.map(|after| bound(after.time)),
        after.map(|after| after.sequence.get() as i64),
        limit
    ])?;
    let mut readings = Vec::new();
    while let Some(row) = rows.next()? {
        readings.push(read_live_body(
            owner,
            row.get_ref(0)?.as_blob().map_err(blob)?,
        )?);
    }
    Ok(readings)
}

/// Readings with their own signature that a thinned list is made from, at most.
const MAX_LIVE_LOOKED_AT: u64 = 100_000;

/// Windows that are not merged and whose times are looked at, at most; the newest.
const MAX_WINDOWS_LISTED: u32 = 50_000;

/// Keeps the first and the last reading of the span, and the highest and the lowest power of each
/// stretch of equal length between them. The work is bounded whatever the span: of more than `most`
/// sealed readings, the extremes that are noted of each chunk stand for it, and where there are more
/// stretches than chunks, or nothing is noted, whole windows or chunks evenly spread over the span are
/// looked at; of too many others, the first ones of each stretch.
///
/// Gives up, with nothing, once nobody has `asked` any more.
pub(super) fn thinned(
    connection: &Connection,
    id: InstallationId,
    (start, end): (UtcMillis, UtcMillis),
    max_points: u32,
    most: u64,
    asked: &dyn Fn() -> bool,
) -> Result<Vec<StoredReading>> {
    let Some(owner) = owner(connection, id)? else {
        return Ok(Vec::new());
    };
    if end < start || max_points == 0 {
        return Ok(Vec::new());
    }
    let (from, to) = (bound(start), bound(end));
    let runs = runs_in(connection, id, from, to)?;
    let fresh = fresh_in_time(connection, owner, from, to)?;
    let extent = runs
        .iter()
        .map(|run| (run.min_time, run.max_time))
        .chain(live_extent(connection, id, from, to)?)
        .chain(fresh.iter().filter_map(|stored| {
            let time = bound(position(stored)?.time);
            Some((time, time))
        }))
        .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    let Some((first, last)) = extent else {
        return Ok(Vec::new());
    };
    let mut thinning = Thinning::new(from.max(first), to.min(last), max_points);
    for stored in fresh {
        thinning.consider(stored);
    }
    for (from, to, limit) in live_pieces(connection, id, &thinning)? {
        if !asked() {
            return Ok(Vec::new());
        }
        each_live(connection, owner, from, to, limit, |stored| {
            thinning.consider(stored);
        })?;
    }
    for run in looked_at(owner, runs, most, &mut thinning)? {
        if !asked() {
            return Ok(Vec::new());
        }
        for stored in load_segment(connection, owner, &run.segment)? {
            thinning.consider(stored);
        }
    }
    Ok(thinning.finish())
}

/// The runs to be unpacked; what is noted of the others is considered here.
fn looked_at(
    owner: Owner,
    mut runs: Vec<Run>,
    most: u64,
    thinning: &mut Thinning,
) -> Result<Vec<Run>> {
    let total: u64 = runs.iter().map(|run| run.readings).sum();
    if total <= most {
        return Ok(runs);
    }
    for run in &runs {
        if let Some(body) = &run.extremes {
            for stored in read_sealed_bodies(owner, body)? {
                thinning.consider(stored);
            }
        }
    }
    let last = runs.pop();
    let first = (!runs.is_empty()).then(|| runs.remove(0));
    if thinning.kept.len() <= runs.len() {
        runs.retain(|run| run.extremes.is_none());
    }
    let mut looked_at = spread(runs, most);
    looked_at.extend(first.into_iter().chain(last));
    Ok(looked_at)
}

/// The readings kept so far of a list that is being thinned.
struct Thinning {
    from: i64,
    to: i64,
    max_points: usize,
    /// Lowest and highest power by stretch.
    kept: Vec<[Option<StoredReading>; 2]>,
    /// The first and the last of all.
    ends: [Option<StoredReading>; 2],
    seen: usize,
    /// All of them, as long as there are no more than `max_points`.
    few: Vec<StoredReading>,
}

impl Thinning {
    fn new(from: i64, to: i64, max_points: u32) -> Self {
        // Two are for the ends; fewer points than four show one stretch and no ends.
        let stretches = (max_points / 2).saturating_sub(1).max(1) as usize;
        Self {
            from,
            to,
            max_points: max_points as usize,
            kept: vec![const { [None, None] }; stretches],
            ends: [None, None],
            seen: 0,
            few: Vec::new(),
        }
    }

    /// The first and the last time of a stretch.
    fn stretch(&self, at: usize) -> (i64, i64) {
        let span = self.to.abs_diff(self.from) as u128 + 1;
        let edge = |at: usize| {
            let offset = (at as u128 * span).div_ceil(self.kept.len() as u128);
            self.from.saturating_add_unsigned(offset as u64)
        };
        (edge(at), edge(at + 1) - 1)
    }

    fn consider(&mut self, stored: StoredReading) {
        let Some(time) = position(&stored).map(|position| bound(position.time)) else {
            return;
        };
        if time < self.from || time > self.to {
            return;
        }
        self.seen += 1;
        if self.seen <= self.max_points {
            self.few.push(stored.clone());
        }
        let [first, last] = &mut self.ends;
        if (first.as_ref()).is_none_or(|first| position(&stored) < position(first)) {
            *first = Some(stored.clone());
        }
        if (last.as_ref()).is_none_or(|last| position(&stored) > position(last)) {
            *last = Some(stored.clone());
        }
        let span = self.to.abs_diff(self.from) as u128 + 1;
        let offset = u128::from(time.abs_diff(self.from));
        let at = offset * self.kept.len() as u128 / span;
        let [low, high] = &mut self.kept[at as usize];
        let power = |stored: &StoredReading| stored.reading.sum().power;
        if low.as_ref().is_none_or(|low| power(&stored) < power(low)) {
            *low = Some(stored.clone());
        }
        if high
            .as_ref()
            .is_none_or(|high| power(&stored) > power(high))
        {
            *high = Some(stored);
        }
    }

    fn finish(self) -> Vec<StoredReading> {
        let mut thinned: Vec<StoredReading> = match self.seen <= self.max_points {
            true => self.few,
            false if self.max_points < 4 => self.kept.into_iter().flatten().flatten().collect(),
            false => (self.kept.into_iter().flatten().flatten())
                .chain(self.ends.into_iter().flatten())
                .collect(),
        };
        sort_newest_first(&mut thinned);
        thinned.dedup_by_key(|stored| stored.reading.sum().sequence);
        thinned.truncate(self.max_points);
        thinned
    }
}

/// A segment with how much there is in it, and from when to when.
struct Run {
    segment: Segment,
    min_time: i64,
    max_time: i64,
    readings: u64,
    /// Of a chunk: its readings of lowest and highest power, as they are noted.
    extremes: Option<Vec<u8>>,
}

/// The segments that may hold a reading of `[start, end]`, by time.
fn runs_in(connection: &Connection, id: InstallationId, start: i64, end: i64) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for (place, sql) in [
        (
            Place::Window,
            "SELECT id, first_sequence, max_time, min_time, last_sequence - first_sequence + 1, NULL
             FROM windows
             WHERE meter = ?1 AND max_time >= ?2 AND min_time <= ?3 AND packed IS NOT NULL
             ORDER BY max_time DESC LIMIT ?4",
        ),
        (
            Place::Chunk,
            "SELECT c.id, first_sequence, max_time, min_time, readings, e.body FROM chunks c
             LEFT JOIN chunk_extremes e ON e.meter = c.meter AND e.chunk = c.id
             WHERE c.meter = ?1 AND max_time >= ?2 AND min_time <= ?3
             ORDER BY max_time DESC LIMIT ?4",
        ),
    ] {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![id.0, start, end, MAX_WINDOWS_LISTED])?;
        while let Some(row) = rows.next()? {
            runs.push(Run {
                segment: Segment::from_row(place, row)?,
                max_time: row.get(2)?,
                min_time: row.get(3)?,
                readings: row.get::<_, i64>(4)?.unsigned_abs(),
                extremes: row.get(5)?,
            });
        }
    }
    runs.sort_by_key(|run| run.max_time);
    Ok(runs)
}

/// As many runs, evenly spread over all, as together hold about `most` readings.
fn spread(mut runs: Vec<Run>, most: u64) -> Vec<Run> {
    let total: u128 = runs.iter().map(|run| u128::from(run.readings)).sum();
    let most = u128::from(most);
    if total <= most {
        return runs;
    }
    // Every reading earns `most`, one that is looked at costs `total`. Half of the first run's cost
    // is there at the start, so that as much is left out before the first as after the last.
    let first = runs.first().map_or(0, |run| u128::from(run.readings));
    let mut credit = first * total / 2;
    runs.retain(|run| {
        let readings = u128::from(run.readings);
        credit += readings * most;
        let affordable = credit >= readings * total;
        if affordable {
            credit -= readings * total;
        }
        affordable
    });
    runs
}

fn fresh_in_time(
    connection: &Connection,
    owner: Owner,
    start: i64,
    end: i64,
) -> Result<Vec<StoredReading>> {
    let mut statement = connection
        .prepare_cached("SELECT body FROM fresh WHERE meter = ?1 AND time BETWEEN ?2 AND ?3")?;
    let mut rows = statement.query(params![owner.id.0, start, end])?;
    let mut readings = Vec::new();
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_blob().map_err(blob)?;
        readings.push(read_live_body(owner, body)?);
    }
    Ok(readings)
}

/// The first and the last time in `live`.
fn live_extent(
    connection: &Connection,
    id: InstallationId,
    start: i64,
    end: i64,
) -> Result<Option<(i64, i64)>> {
    // One aggregate each: so the index gives it without a scan.
    let edge = |sql: &str| -> Result<Option<i64>> {
        let mut statement = connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![id.0, start, end], |row| row.get(0))?)
    };
    let first = edge("SELECT min(time) FROM live WHERE meter = ?1 AND time BETWEEN ?2 AND ?3")?;
    let last = edge("SELECT max(time) FROM live WHERE meter = ?1 AND time BETWEEN ?2 AND ?3")?;
    Ok(first.zip(last))
}

/// From when to when to look into `live`, and at how many readings at most.
fn live_pieces(
    connection: &Connection,
    id: InstallationId,
    thinning: &Thinning,
) -> Result<Vec<(i64, i64, u64)>> {
    let most = MAX_LIVE_LOOKED_AT;
    let count: u64 = connection
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM live WHERE meter = ?1
                 AND time BETWEEN ?2 AND ?3 LIMIT ?4)",
        )?
        .query_row(
            params![id.0, thinning.from, thinning.to, most as i64 + 1],
            |row| row.get::<_, i64>(0),
        )?
        .unsigned_abs();
    if count <= most {
        return Ok(vec![(thinning.from, thinning.to, most)]);
    }
    let stretches = thinning.kept.len();
    let each = (most / stretches as u64).max(1);
    Ok((0..stretches)
        .map(|at| {
            let (from, to) = thinning.stretch(at);
            (from, to, each)
        })
        .collect())
}

fn each_live(
    connection: &Connection,
    owner: Owner,
    start: i64,
    end: i64,
    limit: u64,
    mut each: impl FnMut(StoredReading),
) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT body FROM live WHERE meter = ?1 AND time BETWEEN ?2 AND ?3 ORDER BY time LIMIT ?4",
    )?;
    let mut rows = statement.query(params![owner.id.0, start, end, limit as i64])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_blob().map_err(blob)?;
        each(read_live_body(owner, body)?);
    }
    Ok(())
}

pub(super) fn reading(
    connection: &Connection,
    id: InstallationId,
    sequence: Sequence,
) -> Result<Option<ProvenReading>> {
    let Some(owner) = owner(connection, id)? else {
        return Ok(None);
    };
    let Some(stored) = find(connection, owner, sequence)? else {
        return Ok(None);
    };
    let window = match stored.proof {
        Proof::Signature(_) => None,
        Proof::Window { index, leaf, .. } => Some(window_proof(connection, owner, index, leaf)?),
    };
    Ok(Some(ProvenReading { stored, window }))
}

fn window_proof(
    connection: &Connection,
    owner: Owner,
    index: ChainIndex,
    leaf: u32,
) -> Result<WindowProof> {
    let missing = || Failure::Damaged(format!("window {} has gone", index.get()));
    let (window, signature, leaves) = match window_in_chunk(connection, owner, index)? {
        Some(found) => found,
        None => {
            let window = window_record(connection, owner, index.get() as i64)?;
            let row =
                super::lookup::chain_record(connection, owner, index.get())?.ok_or_else(missing)?;
            let packed = packed_of(connection, owner, &window)?.ok_or_else(missing)?;
            let leaves = leaves(&unpack(owner.meter, &packed)?)?;
            (window, row.signature, leaves)
        }
    };
    let proof = inclusion_proof(&leaves, leaf as usize)
        .map_err(|error| Failure::Damaged(format!("window {}: {error}", index.get())))?;
    Ok(WindowProof {
        window,
        signature,
        path: proof.hashes().to_vec(),
    })
}

type WindowWithLeaves = (Window, ww_wire::Signature, Vec<Hash>);

fn window_in_chunk(
    connection: &Connection,
    owner: Owner,
    index: ChainIndex,
) -> Result<Option<WindowWithLeaves>> {
    let Some(rowid) = chunk_with_index(connection, owner.id, index.get())? else {
        return Ok(None);
    };
    let chunk = load_chunk(connection, owner, rowid)?;
    let Some(part) = chunk.parts().iter().find(|part| part.index == index) else {
        return Ok(None);
    };
    let leaves = leaves(chunk.readings_of(part))?;
    let sealed = chunk
        .windows()?
        .into_iter()
        .find(|sealed| sealed.window.chain_index == index);
    Ok(sealed.map(|sealed| (sealed.window, sealed.signature, leaves)))
}

fn leaves(readings: &[ww_wire::AnyReading]) -> Result<Vec<Hash>> {
    readings
        .iter()
        .map(|reading| Ok(leaf_hash(&reading.encode()?)))
        .collect()
}

/// The packed readings of a window that is not in a chunk.
fn packed_of(connection: &Connection, owner: Owner, window: &Window) -> Result<Option<Vec<u8>>> {
    let packed: Option<Option<Vec<u8>>> = connection
        .prepare_cached("SELECT packed FROM windows WHERE meter = ?1 AND last_sequence = ?2")?
        .query_row(
            params![owner.id.0, window.last_sequence.get() as i64],
            |row| row.get(0),
        )
        .optional()?;
    Ok(packed.flatten())
}

pub(super) fn pending(
    connection: &Connection,
    after: Option<ReadingId>,
    limit: u32,
) -> Result<Vec<StoredReading>> {
    let first = after
        .and_then(ReadingId::installation)
        .unwrap_or(InstallationId(0));
    let ids: Vec<u32> = connection
        .prepare_cached("SELECT id FROM installations WHERE id >= ?1 ORDER BY id")?
        .query_map([first.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut pending = Vec::new();
    for id in ids.into_iter().map(InstallationId) {
        let left = limit as usize - pending.len();
        if left == 0 {
            break;
        }
        let Some(owner) = owner(connection, id)? else {
            continue;
        };
        let after = after.filter(|_| id == first).map(ReadingId::sequence);
        let order = Order::OldestFirst;
        pending.extend(by_sequence(connection, owner, order, after, left)?);
    }
    Ok(pending)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    OldestFirst,
    NewestFirst,
}

/// Readings by number, after `after`. Each kind of place gives its first ones; the first of all are
/// among them.
fn by_sequence(
    connection: &Connection,
    owner: Owner,
    order: Order,
    after: Option<Sequence>,
    limit: usize,
) -> Result<Vec<StoredReading>> {
    let (direction, after) = match order {
        Order::OldestFirst => ("ASC", after.map_or(0, |after| after.get() as i64)),
        Order::NewestFirst => ("DESC", 0),
    };
    let sql_limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    {
        let sql = format!(
            "SELECT body, time, sequence FROM singles WHERE meter = ?1 AND sequence > ?2
             ORDER BY sequence {direction} LIMIT ?3"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![owner.id.0, after, sql_limit])?;
        while let Some(row) = rows.next()? {
            found.push(read_live_body(
                owner,
                row.get_ref(0)?.as_blob().map_err(blob)?,
            )?);
        }
    }
    for (place, table) in [
        (Place::Window, "windows WHERE packed IS NOT NULL AND"),
        (Place::Chunk, "chunks WHERE"),
    ] {
        let sql = format!(
            "SELECT id, first_sequence, max_time FROM {table}
             meter = ?1 AND last_sequence > ?2 ORDER BY last_sequence {direction}"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![owner.id.0, after])?;
        let mut count = 0;
        while count < limit
            && let Some(row) = rows.next()?
        {
            let segment = Segment::from_row(place, row)?;
            let loaded = load_segment(connection, owner, &segment)?;
            let wanted = loaded
                .into_iter()
                .filter(|stored| stored.reading.sum().sequence.get() as i64 > after);
            let before = found.len();
            found.extend(wanted);
            count += found.len() - before;
        }
    }
    found.sort_by_key(|stored| stored.reading.sum().sequence);
    if order == Order::NewestFirst {
        found.reverse();
    }
    found.truncate(limit);
    Ok(found)
}

pub(super) fn windows(connection: &Connection, query: &WindowQuery) -> Result<Vec<StoredWindow>> {
    let Some(owner) = owner(connection, query.installation)? else {
        return Ok(Vec::new());
    };
    let limit = query.limit as usize;
    let after = query.after.map_or(-1, |after| after.get() as i64);
    let (start, end) = (bound(query.start), bound(query.end));
    let mut windows = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT c.chain_index, c.received, c.payload, c.signature, w.packed IS NOT NULL
         FROM windows w JOIN chain c ON c.meter = w.meter AND c.chain_index = w.chain_index
         WHERE w.meter = ?1 AND w.max_time >= ?2 AND w.min_time <= ?3 AND w.chain_index > ?4
         ORDER BY w.chain_index LIMIT ?5",
    )?;
    let mut rows = statement.query(params![owner.id.0, start, end, after, query.limit])?;
    while let Some(row) = rows.next()? {
        let record = ChainRow::from_row(owner, row)?;
        windows.push(StoredWindow {
            window: ww_wire::Record::decode(&record.payload)?,
            signature: record.signature,
            received: record.received,
            has_readings: row.get(4)?,
        });
    }
    let mut statement = connection.prepare_cached(
        "SELECT id FROM chunks
         WHERE meter = ?1 AND max_time >= ?2 AND min_time <= ?3 AND last_index > ?4
         ORDER BY last_index",
    )?;
    let mut rows = statement.query(params![owner.id.0, start, end, after])?;
    let mut count = 0;
    while count < limit
        && let Some(row) = rows.next()?
    {
        let chunk = load_chunk(connection, owner, row.get(0)?)?;
        for (sealed, part) in chunk.windows()?.into_iter().zip(chunk.parts()) {
            let overlaps = chunk.readings_of(part).iter().any(|reading| {
                let time = reading.sum().time;
                time.is_some_and(|time| time >= query.start && time <= query.end)
            });
            if overlaps && part.index.get() as i64 > after {
                count += 1;
                windows.push(StoredWindow {
                    window: sealed.window,
                    signature: sealed.signature,
                    received: sealed.received,
                    has_readings: true,
                });
            }
        }
    }
    windows.sort_by_key(|stored| stored.window.chain_index);
    windows.truncate(limit);
    Ok(windows)
}

/// One window with its readings and its neighbours.
pub(super) fn window(
    connection: &Connection,
    id: InstallationId,
    index: ChainIndex,
) -> Result<Option<WholeWindow>> {
    let Some(owner) = owner(connection, id)? else {
        return Ok(None);
    };
    let found = match compact_window(connection, owner, index)? {
        Some(found) => Some(found),
        None => window_alone(connection, owner, index)?,
    };
    let Some((stored, readings)) = found else {
        return Ok(None);
    };
    let before = window_index_before(connection, owner, index.get())?;
    let after = window_index_after(connection, owner, index.get())?;
    let enrolment = stored.window.enrolment;
    Ok(Some(WholeWindow {
        readings: (0..)
            .zip(readings)
            .map(|(leaf, reading)| StoredReading {
                installation: id,
                reading,
                received: stored.received,
                proof: Proof::Window {
                    index,
                    leaf,
                    enrolment,
                },
            })
            .collect(),
        stored,
        previous: before.map(chain_index).transpose()?,
        next: after.map(chain_index).transpose()?,
    }))
}

type FoundWindow = (StoredWindow, Vec<AnyReading>);

/// A window in a chunk.
fn compact_window(
    connection: &Connection,
    owner: Owner,
    index: ChainIndex,
) -> Result<Option<FoundWindow>> {
    let Some(rowid) = chunk_with_index(connection, owner.id, index.get())? else {
        return Ok(None);
    };
    let chunk = load_chunk(connection, owner, rowid)?;
    let mut windows = chunk.windows()?.into_iter().zip(chunk.parts());
    let found = windows.find(|(_, part)| part.index == index);
    Ok(found.map(|(sealed, part)| {
        let stored = StoredWindow {
            window: sealed.window,
            signature: sealed.signature,
            received: sealed.received,
            has_readings: true,
        };
        (stored, chunk.readings_of(part).to_vec())
    }))
}

/// A window that is in no chunk. Other records of the chain are none.
fn window_alone(
    connection: &Connection,
    owner: Owner,
    index: ChainIndex,
) -> Result<Option<FoundWindow>> {
    let Some(row) = chain_row(connection, owner, index.get())? else {
        return Ok(None);
    };
    let ChainRecord::Window(window) = ChainRecord::decode(&row.payload)? else {
        return Ok(None);
    };
    let packed = packed_of(connection, owner, &window)?;
    let stored = StoredWindow {
        window,
        signature: row.signature,
        received: row.received,
        has_readings: packed.is_some(),
    };
    let readings = packed.map(|packed| unpack(owner.meter, &packed));
    Ok(Some((stored, readings.transpose()?.unwrap_or_default())))
}

pub(super) fn chain(
    connection: &Connection,
    id: InstallationId,
    from: ChainIndex,
    to: ChainIndex,
    limit: u32,
) -> Result<Vec<StoredChainRecord>> {
    let Some(owner) = owner(connection, id)? else {
        return Ok(Vec::new());
    };
    let (from, to) = (index_bound(from), index_bound(to));
    let mut records = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT chain_index, received, payload, signature FROM chain
         WHERE meter = ?1 AND chain_index >= ?2 AND chain_index < ?3
         ORDER BY chain_index LIMIT ?4",
    )?;
    let mut rows = statement.query(params![id.0, from, to, limit])?;
    while let Some(row) = rows.next()? {
        let record = ChainRow::from_row(owner, row)?;
        let packed = if RecordType::of(&record.payload)? == RecordType::Window {
            let window: Window = ww_wire::Record::decode(&record.payload)?;
            packed_of(connection, owner, &window)?
        } else {
            None
        };
        records.push(StoredChainRecord {
            index: chain_index(record.index)?,
            payload: record.payload,
            signature: record.signature,
            received: record.received,
            packed,
        });
    }
    let mut statement = connection.prepare_cached(
        "SELECT id FROM chunks WHERE meter = ?1 AND last_index >= ?2 AND first_index < ?3
         ORDER BY last_index",
    )?;
    let mut rows = statement.query(params![id.0, from, to])?;
    let mut count = 0;
    while count < limit
        && let Some(row) = rows.next()?
    {
        let chunk = load_chunk(connection, owner, row.get(0)?)?;
        for (sealed, part) in chunk.windows()?.into_iter().zip(chunk.parts()) {
            if !(from..to).contains(&(part.index.get() as i64)) {
                continue;
            }
            count += 1;
            records.push(StoredChainRecord {
                index: part.index,
                payload: sealed.window.encode_payload()?,
                signature: sealed.signature,
                received: time_from(sealed.received.map(|time| time.get() as i64)),
                packed: Some(pack(chunk.readings_of(part))?),
            });
        }
    }
    records.sort_by_key(|record| record.index);
    records.truncate(limit as usize);
    Ok(records)
}

fn index_bound(index: ChainIndex) -> i64 {
    i64::try_from(index.get()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: i64, readings: u64) -> Run {
        Run {
            segment: Segment {
                place: Place::Chunk,
                rowid: number,
                first_sequence: Sequence::new(1).unwrap(),
                max_time: None,
            },
            min_time: number,
            max_time: number,
            readings,
            extremes: None,
        }
    }

    fn spread_over(days: i64, most: u64) -> Vec<i64> {
        let runs = (0..days).map(|day| run(day, 8_640)).collect();
        let spread = spread(runs, most);
        spread.iter().map(|run| run.segment.rowid).collect()
    }

    #[test]
    fn few_runs_are_all_looked_at() {
        assert_eq!(spread_over(3, 3 * 8_640), [0, 1, 2]);
    }

    #[test]
    fn of_ten_years_a_bounded_number_of_days_is_looked_at_evenly_spread() {
        let days = spread_over(3_650, 400_000);
        assert!((45..=47).contains(&days.len()), "{}", days.len());
        let apart: Vec<i64> = days.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(
            apart.iter().all(|days| (78..=80).contains(days)),
            "{apart:?}"
        );
        assert!(days[0] < 80 && days[days.len() - 1] > 3_650 - 80);
    }

    #[test]
    fn stretches_lie_side_by_side_and_a_reading_is_in_its_own() {
        let thinning = Thinning::new(1_000, 10_006, 16);
        let mut next = 1_000;
        for at in 0..7 {
            let (first, last) = thinning.stretch(at);
            assert_eq!(first, next);
            for time in [first, last] {
                let offset = time.abs_diff(1_000) as u128;
                assert_eq!(offset * 7 / 9_007, at as u128);
            }
            next = last + 1;
        }
        assert_eq!(next, 10_007);
    }
}
