//! What interrupted a meter, found in SQL: starts and gaps among the records of its chain, outages as
//! what lies between its readings. All of it is bounded, however long the span: each constant says by how much.

use rusqlite::{Connection, OptionalExtension, Row, params};
use ww_wire::{Boot, ChainRecord, Gap, GapKind, MilliwattHours, RecordType, Sequence, UtcMillis};

use super::failure::Result;
use super::lookup::{ChainRow, Owner, owner, point_after};
use super::queries::readings;
use super::registry::installation;
use super::session::load_standing;
use crate::calendar::{Step, TEN_MINUTES_S};
use crate::{InstallationId, InstallationState, Mark, MarkQuery, ReadingQuery};

/// Outages of a longer span are found in steps, not in readings.
const SPAN_OF_READINGS_MS: u64 = 2 * 86_400_000;

/// Of a longer one, in steps of an hour, not of ten minutes.
const SPAN_OF_TEN_MINUTES_MS: u64 = 2 * 366 * 86_400_000;

/// Readings that are looked at, at most; the newest.
const MOST_READINGS: u32 = 50_000;

/// Steps that are looked at, at most: the newest 20 years.
const MOST_STEPS: u32 = 180_000;

/// Records of one kind that are looked at, at most: of starts the newest of the span, of gaps the first from
/// its start on.
const MOST_RECORDS: u32 = 2_000;

/// Windows of all gaps together whose times are looked at, at most, and windows without readings.
const MOST_WINDOWS: u32 = 20_000;

/// Starts of unknown time whose first reading is looked for, at most: each may unpack a day.
const MOST_LOOKED_UP: usize = 64;

/// Gives up, with less than there is, once nobody has `asked` any more.
pub(super) fn marks(
    connection: &Connection,
    query: &MarkQuery,
    asked: &dyn Fn() -> bool,
) -> Result<Vec<Mark>> {
    let Some(owner) = owner(connection, query.installation)? else {
        return Ok(Vec::new());
    };
    let mut others = boots(connection, owner, query, asked)?;
    let gaps = gaps(connection, owner, query, asked)?;
    if !asked() {
        return Ok(Vec::new());
    }
    let mut outages = outages(connection, owner.id, query, &gaps)?;
    others.extend(gaps);
    let limit = query.limit as usize;
    others.sort_by_key(|mark| core::cmp::Reverse(mark.start()));
    others.truncate(limit.saturating_sub(outages.len()).max(limit / 2));
    outages.sort_by_key(|outage| core::cmp::Reverse(length(outage)));
    outages.truncate(limit - others.len());
    others.extend(outages);
    others.sort_by_key(Mark::start);
    Ok(others)
}

/// How long an outage was; one that lasts is the longest.
fn length(mark: &Mark) -> u64 {
    match mark {
        Mark::Outage {
            start,
            end: Some(end),
            ..
        } => end.get() - start.get(),
        _ => u64::MAX,
    }
}

fn bound(time: UtcMillis) -> i64 {
    i64::try_from(time.get()).unwrap_or(i64::MAX)
}

fn utc(millis: i64) -> UtcMillis {
    let millis = u64::try_from(millis).ok().and_then(UtcMillis::new);
    millis.unwrap_or(UtcMillis::ZERO)
}

/// The step of ten minutes that a moment lies in.
fn step_of(time: UtcMillis) -> i64 {
    let second = bound(time).div_euclid(1000);
    second - second.rem_euclid(TEN_MINUTES_S)
}

fn boots(
    connection: &Connection,
    owner: Owner,
    query: &MarkQuery,
    asked: &dyn Fn() -> bool,
) -> Result<Vec<Mark>> {
    let between = (
        behind(connection, owner.id, query)?,
        before(connection, owner.id, query)?,
    );
    let rows = records(connection, owner, RecordType::Boot, between, true)?;
    let mut looked_up = 0;
    let mut marks = Vec::new();
    for row in rows {
        if !asked() {
            break;
        }
        let ChainRecord::Boot(boot) = ChainRecord::decode(&row.payload)? else {
            continue;
        };
        let mut at = boot.time;
        if at.is_none() && looked_up < MOST_LOOKED_UP {
            looked_up += 1;
            at = first_reading_time(connection, owner, &boot)?;
        }
        let at = at.or(row.received);
        if let Some(at) = at.filter(|at| (query.start..=query.end).contains(at)) {
            marks.push(Mark::Boot { at, boot });
        }
    }
    Ok(marks)
}

fn first_reading_time(
    connection: &Connection,
    owner: Owner,
    boot: &Boot,
) -> Result<Option<UtcMillis>> {
    let before = Sequence::new(boot.first_new.get() - 1).unwrap_or(Sequence::ZERO);
    let first = point_after(connection, owner, before)?;
    Ok(first.and_then(|first| first.time))
}

/// Records of one kind with an index between two, without them.
fn records(
    connection: &Connection,
    owner: Owner,
    kind: RecordType,
    (after, before): (i64, i64),
    newest: bool,
) -> Result<Vec<ChainRow>> {
    let order = if newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT chain_index, received, payload, signature FROM chain INDEXED BY chain_of_others
         WHERE meter = ?1 AND substr(payload, 1, 1) = ?2 AND substr(payload, 1, 1) <> x'03'
             AND chain_index > ?3 AND chain_index < ?4
         ORDER BY chain_index {order} LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let key = params![owner.id.0, &[kind as u8][..], after, before, MOST_RECORDS];
    let mut rows = statement.query(key)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(ChainRow::from_row(owner, row)?);
    }
    Ok(records)
}

/// The index behind which the records of a span stand. A chain goes on in time: that is the last window that
/// ended before the span. Where one that began later stands before it a clock was wrong, and any may be meant.
fn behind(connection: &Connection, id: InstallationId, query: &MarkQuery) -> Result<i64> {
    let last = index_before(connection, id, query.start)?;
    let is_in_order = last < index_after(connection, id, query.start)?;
    Ok(if is_in_order { last } else { -1 })
}

/// The index before which the records of a span stand: the first window that began after it, as with
/// [`behind`]. What says that it began after now tells nothing.
fn before(connection: &Connection, id: InstallationId, query: &MarkQuery) -> Result<i64> {
    if query.now.is_some_and(|now| query.end >= now) {
        return Ok(i64::MAX);
    }
    let first = index_after(connection, id, query.end)?;
    let is_in_order = index_before(connection, id, query.end)? < first;
    Ok(if is_in_order { first } else { i64::MAX })
}

/// The index of the last window that ended before a moment; -1 for none.
fn index_before(connection: &Connection, id: InstallationId, time: UtcMillis) -> Result<i64> {
    let key = params![id.0, bound(time)];
    let mut last = -1;
    for sql in [
        "SELECT chain_index FROM windows WHERE meter = ?1 AND max_time < ?2
         ORDER BY max_time DESC LIMIT 1",
        "SELECT last_index FROM chunks WHERE meter = ?1 AND max_time < ?2
         ORDER BY max_time DESC LIMIT 1",
    ] {
        let index = connection
            .prepare_cached(sql)?
            .query_row(key, |row| row.get(0));
        last = last.max(index.optional()?.unwrap_or(-1));
    }
    Ok(last)
}

/// The index of the first window that began after a moment.
fn index_after(connection: &Connection, id: InstallationId, time: UtcMillis) -> Result<i64> {
    let key = params![id.0, bound(time)];
    let mut first = i64::MAX;
    for sql in [
        "SELECT chain_index FROM windows WHERE meter = ?1 AND max_time > ?2 AND min_time > ?2
         ORDER BY max_time LIMIT 1",
        "SELECT first_index FROM chunks WHERE meter = ?1 AND max_time > ?2 AND min_time > ?2
         ORDER BY max_time LIMIT 1",
    ] {
        let index = connection
            .prepare_cached(sql)?
            .query_row(key, |row| row.get(0));
        first = first.min(index.optional()?.unwrap_or(i64::MAX));
    }
    Ok(first)
}

/// The gaps that reach into the span. One that a later one of its kind covers is left out: the later one says
/// all of it. The record stands behind what it speaks of, so behind all that ended before the span.
fn gaps(
    connection: &Connection,
    owner: Owner,
    query: &MarkQuery,
    asked: &dyn Fn() -> bool,
) -> Result<Vec<Mark>> {
    let between = (behind(connection, owner.id, query)?, i64::MAX);
    let rows = records(connection, owner, RecordType::Gap, between, false)?;
    let mut windows = MOST_WINDOWS;
    let mut latest: Vec<Gap> = Vec::new();
    let mut marks = Vec::new();
    for row in rows.into_iter().rev() {
        if !asked() {
            break;
        }
        let ChainRecord::Gap(gap) = ChainRecord::decode(&row.payload)? else {
            continue;
        };
        let known = latest.iter().rev().find(|later| later.kind == gap.kind);
        if known.is_some_and(|later| {
            later.first_index <= gap.first_index && gap.last_index <= later.last_index
        }) {
            continue;
        }
        latest.push(gap);
        let (start, end) = gap_times(connection, owner.id, &gap, &mut windows)?;
        let made = gap.time.or(row.received);
        let Some(start) = start.or(made) else {
            continue;
        };
        let end = end.or(made).unwrap_or(start).max(start);
        if start <= query.end && end >= query.start {
            marks.push(Mark::Gap { start, end, gap });
        }
    }
    Ok(marks)
}

type Times = (Option<UtcMillis>, Option<UtcMillis>);

/// From when to when a meter measured what it gave up. It is not known of a gap for which no `windows` are
/// left to be looked at.
fn gap_times(
    connection: &Connection,
    id: InstallationId,
    gap: &Gap,
    windows: &mut u32,
) -> Result<Times> {
    let (first, last) = (gap.first_index.get() as i64, gap.last_index.get() as i64);
    if gap.kind != GapKind::Records {
        let (looked_at, times) = connection
            .prepare_cached(
                "SELECT count(*), min(min_time) FILTER (WHERE is_bare),
                     max(max_time) FILTER (WHERE is_bare)
                 FROM (
                     SELECT min_time, max_time, packed IS NULL AS is_bare FROM windows
                     WHERE meter = ?1 AND chain_index BETWEEN ?2 AND ?3 LIMIT ?4)",
            )?
            .query_row(params![id.0, first, last, *windows], |row| {
                let time = |column: Option<i64>| column.map(utc);
                Ok((row.get(0)?, (time(row.get(1)?), time(row.get(2)?))))
            })?;
        *windows = windows.saturating_sub(looked_at);
        return Ok(times);
    }
    let nearest = |sqls: [&str; 2], index: i64| -> Result<Vec<(i64, i64)>> {
        let mut found = Vec::new();
        for sql in sqls {
            let row = connection
                .prepare_cached(sql)?
                .query_row(params![id.0, index], |row| {
                    Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?))
                })
                .optional()?;
            found.extend(row.and_then(|(index, time)| Some((index, time?))));
        }
        Ok(found)
    };
    let before = nearest(
        [
            "SELECT chain_index, max_time FROM windows WHERE meter = ?1 AND chain_index < ?2
             ORDER BY chain_index DESC LIMIT 1",
            "SELECT last_index, max_time FROM chunks WHERE meter = ?1 AND last_index < ?2
             ORDER BY last_index DESC LIMIT 1",
        ],
        first,
    )?;
    let after = nearest(
        [
            "SELECT chain_index, min_time FROM windows WHERE meter = ?1 AND chain_index > ?2
             ORDER BY chain_index LIMIT 1",
            "SELECT first_index, min_time FROM chunks WHERE meter = ?1 AND last_index > ?2
                 AND first_index > ?2 ORDER BY last_index LIMIT 1",
        ],
        last,
    )?;
    let start = before.into_iter().max().map(|(_, time)| utc(time));
    let end = after.into_iter().min().map(|(_, time)| utc(time));
    Ok((start, end))
}

/// A time for which there are readings, or none are missed: a moment, a step, a window.
#[derive(Clone, Copy, Debug)]
struct Measured {
    from: UtcMillis,
    to: UtcMillis,
    /// `produced`, of a reading.
    produced: Option<MilliwattHours>,
}

impl Measured {
    /// A step that begins at this second.
    fn step(start: i64, length_s: i64) -> Self {
        Self {
            from: utc(start * 1000),
            to: utc((start + length_s) * 1000),
            produced: None,
        }
    }

    /// A window by its first and last time.
    fn window(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            from: utc(row.get(0)?),
            to: utc(row.get(1)?),
            produced: None,
        })
    }
}

/// The times between what was measured. What a meter measured and then gave up is none: a Gap says so.
fn outages(
    connection: &Connection,
    id: InstallationId,
    query: &MarkQuery,
    gaps: &[Mark],
) -> Result<Vec<Mark>> {
    let Some(mut line) = Line::load(connection, id, query)? else {
        return Ok(Vec::new());
    };
    let mut measured = match line.is_of_readings() {
        true => line.readings()?,
        false => line.steps()?,
    };
    measured.extend(windows_without_readings(
        connection, id, line.from, line.to,
    )?);
    measured.extend(gaps.iter().filter_map(|mark| match mark {
        Mark::Gap { start, end, gap } if gap.kind == GapKind::Records => Some(Measured {
            from: *start,
            to: *end,
            produced: None,
        }),
        _ => None,
    }));
    // The neighbours of the span: an outage may begin before it, or end after it.
    let neighbours = [line.last_before(line.from)?, line.first_after(line.to)?];
    let is_followed = neighbours[1].is_some();
    measured.extend(neighbours.into_iter().flatten());
    measured.sort_by_key(|measured| measured.from);
    let patience_ms = line.patience_ms();
    let mut outages = Vec::new();
    let mut last: Option<Measured> = None;
    for next in measured {
        if let Some(last) = last
            && next.from.get().saturating_sub(last.to.get()) > patience_ms
        {
            // A reading from the future ends nothing yet.
            let end = Some(next.from).filter(|end| query.now.is_none_or(|now| *end <= now));
            let produced = last.produced.zip(next.produced);
            let energy = produced.and_then(|(before, after)| after.checked_sub(before));
            if end.is_some() || line.lasts_until.is_some() {
                outages.push(Mark::Outage {
                    start: last.to,
                    end,
                    energy: energy.filter(|_| end.is_some()),
                });
            }
        }
        if last.is_none_or(|last| last.to <= next.to) {
            last = Some(next);
        }
    }
    if let (Some(last), Some(now)) = (last, line.lasts_until)
        && !is_followed
        && now.get().saturating_sub(last.to.get()) > query.patience_ms
    {
        outages.push(Mark::Outage {
            start: last.to,
            end: None,
            energy: None,
        });
    }
    Ok(outages)
}

/// A meter's life, as far as it is asked for.
struct Line<'a> {
    connection: &'a Connection,
    id: InstallationId,
    from: UtcMillis,
    to: UtcMillis,
    patience_ms: u64,
    /// Now, if a reading should have come.
    lasts_until: Option<UtcMillis>,
    /// Steps with readings that are not in the rollups yet.
    booked: Vec<(Step, i64)>,
}

impl<'a> Line<'a> {
    /// `None` for a meter that has measured nothing by the end of the span.
    fn load(
        connection: &'a Connection,
        id: InstallationId,
        query: &MarkQuery,
    ) -> Result<Option<Self>> {
        let (Some(installation), Some((head, mut ledger))) = (
            installation(connection, id)?,
            load_standing(connection, id)?,
        ) else {
            return Ok(None);
        };
        let newest = head.latest.map(|(time, _)| time).or(head.first_time);
        let (Some(first), Some(known)) = (head.first_time, query.now.or(newest)) else {
            return Ok(None);
        };
        let (from, to) = (query.start.max(first), query.end.min(known));
        if from > to {
            return Ok(None);
        }
        let is_in_service =
            installation.state == InstallationState::Active && installation.replaced_by.is_none();
        let entries = ledger.settle_all();
        Ok(Some(Self {
            connection,
            id,
            from,
            to,
            patience_ms: query.patience_ms,
            lasts_until: query.now.filter(|_| is_in_service),
            booked: (entries.iter())
                .filter(|entry| entry.sums.readings > 0)
                .map(|entry| (entry.step, entry.start))
                .collect(),
        }))
    }

    const fn span_ms(&self) -> u64 {
        self.to.get() - self.from.get()
    }

    const fn is_of_readings(&self) -> bool {
        self.span_ms() <= SPAN_OF_READINGS_MS
    }

    /// How far what was measured may be apart: of steps, by less than one.
    fn patience_ms(&self) -> u64 {
        match self.is_of_readings() {
            true => self.patience_ms,
            false => self.patience_ms.max(TEN_MINUTES_S as u64 * 1000 - 1),
        }
    }

    fn readings(&mut self) -> Result<Vec<Measured>> {
        let measured = self.readings_of(self.from, self.to, MOST_READINGS)?;
        if measured.len() == MOST_READINGS as usize
            && let Some(oldest) = measured.last()
        {
            self.from = oldest.from;
        }
        Ok(measured)
    }

    /// Readings of a time, newest first.
    fn readings_of(&self, from: UtcMillis, to: UtcMillis, limit: u32) -> Result<Vec<Measured>> {
        let query = ReadingQuery {
            installation: self.id,
            start: from,
            end: to,
            after: None,
            limit: Some(limit),
        };
        let held = readings(self.connection, &query)?;
        let measured = held.iter().filter_map(|stored| {
            let sum = stored.reading.sum();
            Some(Measured {
                from: sum.time?,
                to: sum.time?,
                produced: Some(sum.produced),
            })
        });
        Ok(measured.collect())
    }

    fn steps(&mut self) -> Result<Vec<Measured>> {
        let (step, length_s) = match self.span_ms() {
            ..=SPAN_OF_TEN_MINUTES_MS => (Step::TenMinutes, TEN_MINUTES_S),
            _ => (Step::Hour, 3600),
        };
        let (from, to) = (bound(self.from) / 1000, bound(self.to) / 1000);
        let mut statement = self.connection.prepare_cached(
            "SELECT start FROM rollups
             WHERE meter = ?1 AND step = ?2 AND start > ?3 AND start <= ?4 AND readings > 0
             ORDER BY start DESC LIMIT ?5",
        )?;
        let key = params![self.id.0, step as u8, from - length_s, to, MOST_STEPS];
        let mut starts = statement
            .query_map(key, |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        if starts.len() == MOST_STEPS as usize
            && let Some(oldest) = starts.last()
        {
            self.from = utc(oldest * 1000);
        }
        let booked = self.booked.iter().filter(|(booked, _)| *booked == step);
        let within = booked.map(|(_, start)| *start);
        starts.extend(within.filter(|start| (from - length_s + 1..=to).contains(start)));
        Ok(starts
            .into_iter()
            .map(|start| Measured::step(start, length_s))
            .collect())
    }

    /// The last that was measured before a moment: read, or sealed in a window whose readings did not come.
    fn last_before(&self, time: UtcMillis) -> Result<Option<Measured>> {
        let read = self.last_read_before(time)?;
        let since = read.map_or(-1, |read| bound(read.to));
        let window = self
            .connection
            .prepare_cached(
                "SELECT min_time, max_time FROM windows
                 WHERE meter = ?1 AND max_time > ?2 AND max_time < ?3 AND packed IS NULL
                 ORDER BY max_time DESC LIMIT 1",
            )?
            .query_row(params![self.id.0, since, bound(time)], Measured::window)
            .optional()?;
        Ok(window.or(read))
    }

    fn last_read_before(&self, time: UtcMillis) -> Result<Option<Measured>> {
        let own = step_of(time);
        if self.is_of_readings()
            && let Some(before) = time.get().checked_sub(1).and_then(UtcMillis::new)
        {
            let newest = self.readings_of(utc(own * 1000), before, 1)?;
            if let Some(newest) = newest.first() {
                return Ok(Some(*newest));
            }
        }
        let held: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT start FROM rollups
                 WHERE meter = ?1 AND step = 0 AND start < ?2 AND readings > 0
                 ORDER BY start DESC LIMIT 1",
            )?
            .query_row(params![self.id.0, own], |row| row.get(0))
            .optional()?;
        let booked = self.ten_minutes().filter(|start| *start < own);
        let last = held.into_iter().chain(booked).max();
        let Some(step) = last.map(|start| Measured::step(start, TEN_MINUTES_S)) else {
            return Ok(None);
        };
        if !self.is_of_readings() {
            return Ok(Some(step));
        }
        let newest = self.readings_of(step.from, step.to, 1)?;
        Ok(newest.first().copied())
    }

    /// The first that was measured after a moment, as with [`Self::last_before`].
    fn first_after(&self, time: UtcMillis) -> Result<Option<Measured>> {
        let read = self.first_read_after(time)?;
        let until = read.map_or((i64::MAX, i64::MAX), |read| {
            (bound(read.from), bound(read.to))
        });
        let window = self
            .connection
            .prepare_cached(
                "SELECT min_time, max_time FROM windows
                 WHERE meter = ?1 AND max_time > ?2 AND max_time <= ?4
                     AND min_time > ?2 AND min_time < ?3 AND packed IS NULL
                 ORDER BY max_time LIMIT 1",
            )?
            .query_row(
                params![self.id.0, bound(time), until.0, until.1],
                Measured::window,
            )
            .optional()?;
        Ok(window.or(read))
    }

    fn first_read_after(&self, time: UtcMillis) -> Result<Option<Measured>> {
        let own = step_of(time);
        if self.is_of_readings() {
            let on = UtcMillis::new(time.get() + 1).unwrap_or(UtcMillis::MAX);
            let rest = self.readings_of(on, utc((own + TEN_MINUTES_S) * 1000), MOST_READINGS)?;
            if let Some(oldest) = rest.last() {
                return Ok(Some(*oldest));
            }
        }
        let held: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT start FROM rollups
                 WHERE meter = ?1 AND step = 0 AND start > ?2 AND readings > 0
                 ORDER BY start LIMIT 1",
            )?
            .query_row(params![self.id.0, own], |row| row.get(0))
            .optional()?;
        let booked = self.ten_minutes().filter(|start| *start > own);
        let first = held.into_iter().chain(booked).min();
        let Some(step) = first.map(|start| Measured::step(start, TEN_MINUTES_S)) else {
            return Ok(None);
        };
        if !self.is_of_readings() {
            return Ok(Some(step));
        }
        let readings = self.readings_of(step.from, step.to, MOST_READINGS)?;
        Ok(readings.last().copied())
    }

    fn ten_minutes(&self) -> impl Iterator<Item = i64> {
        let booked = self.booked.iter();
        booked
            .filter(|(step, _)| *step == Step::TenMinutes)
            .map(|(_, start)| *start)
    }
}

/// The windows of a time whose readings did not come.
fn windows_without_readings(
    connection: &Connection,
    id: InstallationId,
    from: UtcMillis,
    to: UtcMillis,
) -> Result<Vec<Measured>> {
    let mut statement = connection.prepare_cached(
        "SELECT min_time, max_time FROM windows
         WHERE meter = ?1 AND max_time >= ?2 AND min_time <= ?3 AND packed IS NULL
         ORDER BY max_time DESC LIMIT ?4",
    )?;
    let mut rows = statement.query(params![id.0, bound(from), bound(to), MOST_WINDOWS])?;
    let mut windows = Vec::new();
    while let Some(row) = rows.next()? {
        windows.push(Measured::window(row)?);
    }
    Ok(windows)
}

#[cfg(test)]
mod tests {
    use ww_wire::{BootCounter, ChainIndex, Hash, SignerId};

    use super::super::schema;
    use super::*;

    #[test]
    fn the_windows_of_all_gaps_together_are_bounded() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        for index in 0..5 {
            connection
                .execute(
                    "INSERT INTO windows (meter, chain_index, first_sequence, last_sequence,
                         min_time, max_time) VALUES (1, ?1, ?1, ?1, ?1 * 10, ?1 * 10 + 9)",
                    [index],
                )
                .unwrap();
        }
        let gap = Gap {
            meter: SignerId([0; 32]),
            chain_index: ChainIndex::new(5).unwrap(),
            previous: Hash::ZERO,
            boot: BootCounter::new(1).unwrap(),
            time: None,
            kind: GapKind::Readings,
            first_index: ChainIndex::ZERO,
            last_index: ChainIndex::new(4).unwrap(),
            first_sequence: None,
            last_sequence: None,
            produced_open: MilliwattHours::ZERO,
            produced_close: MilliwattHours::ZERO,
            last_digest: Hash::ZERO,
        };
        let mut windows = 8;
        let mut times = || gap_times(&connection, InstallationId(1), &gap, &mut windows).unwrap();
        assert_eq!(times(), (Some(utc(0)), Some(utc(49))));
        assert_eq!(times(), (Some(utc(0)), Some(utc(29))));
        assert_eq!(times(), (None, None));
    }
}
