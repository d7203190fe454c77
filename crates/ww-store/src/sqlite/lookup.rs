//! Finding stored readings and chain records wherever they are: alone, in a window, in a chunk.
//! Used by the writer and the readers; it writes nothing.

use rusqlite::{Connection, OptionalExtension, Row, params};
use ww_wire::packed::{Codec, MAX_PACKED_READING};
use ww_wire::record::{HEADER_LENGTH, VERSION};
use ww_wire::{
    AnyReading, ChainIndex, ChainRecord, Hash, MeterId, MilliwattHours, Record, RecordType,
    Sequence, Signature, UtcMillis, Window,
};

use super::failure::{Failure, Result};
use super::session::{load_head, sequence_from, time_from};
use crate::booking::Point;
use crate::chunk::Chunk;
use crate::varint::{self, Bytes, Unreadable};
use crate::{ChainEnd, InstallationId, Proof, StoredReading};

/// Chain records between two windows that are counted at most. An honest meter seals a window every
/// ten minutes, so only one that starts again and again writes more of them.
pub(super) const MAX_COUNTED: u64 = 1_000;

/// Whose readings are looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) id: InstallationId,
    pub(super) meter: MeterId,
}

/// The meter of an installation.
pub(super) fn owner(connection: &Connection, id: InstallationId) -> Result<Option<Owner>> {
    let meter = connection
        .prepare_cached("SELECT meter FROM installations WHERE id = ?1")?
        .query_row([id.0], |row| row.get::<_, [u8; 32]>(0))
        .optional()?;
    Ok(meter.map(|meter| Owner {
        id,
        meter: ww_wire::SignerId(meter),
    }))
}

/// Writes the `body` of a row of `live`: time of arrival (as its distance from the reading's time,
/// where that is known), signature, record type, packed reading.
pub(super) fn live_body(
    reading: &AnyReading,
    signature: &Signature,
    received: Option<UtcMillis>,
) -> Result<Vec<u8>> {
    let mut body = Vec::with_capacity(128);
    let time = reading.sum().time.map_or(0, UtcMillis::get);
    match received {
        None => varint::put(&mut body, 0),
        Some(received) => {
            let distance = received.get().wrapping_sub(time) as i64;
            // Even numbers are distances, so that 0 stays free; their zigzag form is doubled.
            varint::put(&mut body, 1);
            varint::put_signed(&mut body, distance);
        }
    }
    body.extend_from_slice(signature.bytes());
    body.push(reading.record_type() as u8);
    let mut codec = Codec::new(reading.sum().meter, reading.record_type())
        .expect("a reading's record type is a kind of reading");
    let mut packed = [0; MAX_PACKED_READING];
    let len = codec.pack(reading, &mut packed)?;
    body.extend_from_slice(&packed[..len]);
    Ok(body)
}

/// Reads the `body` of a row of `live`.
pub(super) fn read_live_body(owner: Owner, body: &[u8]) -> Result<StoredReading> {
    let mut bytes = Bytes(body);
    let distance = match bytes.unsigned()? {
        0 => None,
        1 => Some(bytes.signed()?),
        _ => return Err(Unreadable.into()),
    };
    let signature = Signature::from_low_s(bytes.array()?)?;
    let [record_type] = bytes.array()?;
    let mut codec = RecordType::of(&[record_type])
        .ok()
        .and_then(|record_type| Codec::new(owner.meter, record_type))
        .ok_or(Unreadable)?;
    let (reading, _) = codec.unpack(bytes.0)?;
    let time = reading.sum().time.map_or(0, UtcMillis::get);
    let received = distance.and_then(|distance| UtcMillis::new(time.wrapping_add(distance as u64)));
    Ok(StoredReading {
        installation: owner.id,
        reading,
        received,
        proof: Proof::Signature(signature),
    })
}

/// Writes sealed readings with what proves them: chain index, leaf, time of arrival, enrolment, record
/// type, packed reading.
pub(super) fn sealed_bodies(readings: &[StoredReading]) -> Result<Vec<u8>> {
    let mut body = Vec::with_capacity(128 * readings.len());
    for stored in readings {
        let Proof::Window {
            index,
            leaf,
            enrolment,
        } = &stored.proof
        else {
            return Err(Failure::Damaged("a live reading is not sealed".to_owned()));
        };
        varint::put(&mut body, index.get());
        varint::put(&mut body, u64::from(*leaf));
        varint::put(&mut body, stored.received.map_or(0, |time| time.get() + 1));
        body.extend_from_slice(&enrolment.0);
        let reading = &stored.reading;
        body.push(reading.record_type() as u8);
        let mut codec = Codec::new(reading.sum().meter, reading.record_type())
            .expect("a reading's record type is a kind of reading");
        let mut packed = [0; MAX_PACKED_READING];
        let len = codec.pack(reading, &mut packed)?;
        body.extend_from_slice(&packed[..len]);
    }
    Ok(body)
}

/// Reads what [`sealed_bodies`] wrote.
pub(super) fn read_sealed_bodies(owner: Owner, body: &[u8]) -> Result<Vec<StoredReading>> {
    let mut bytes = Bytes(body);
    let mut readings = Vec::new();
    while !bytes.is_empty() {
        let index = chain_index(bytes.unsigned()?)?;
        let leaf = bytes.number()?;
        let received = bytes.unsigned()?.checked_sub(1).and_then(UtcMillis::new);
        let enrolment = Hash(bytes.array()?);
        let [record_type] = bytes.array()?;
        let mut codec = RecordType::of(&[record_type])
            .ok()
            .and_then(|record_type| Codec::new(owner.meter, record_type))
            .ok_or(Unreadable)?;
        let (reading, used) = codec.unpack(bytes.0)?;
        bytes.take(used)?;
        readings.push(StoredReading {
            installation: owner.id,
            reading,
            received,
            proof: Proof::Window {
                index,
                leaf,
                enrolment,
            },
        });
    }
    Ok(readings)
}

/// A run of sealed readings: a window, or a chunk of windows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) place: Place,
    pub(super) rowid: i64,
    pub(super) first_sequence: Sequence,
    pub(super) max_time: Option<UtcMillis>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Window,
    Chunk,
}

impl Segment {
    pub(super) fn from_row(place: Place, row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            place,
            rowid: row.get(0)?,
            first_sequence: sequence_from(row.get(1)?)?,
            max_time: time_from(row.get(2)?),
        })
    }
}

/// All segments that may hold a reading of `[start, end]`, in no order. Windows whose readings did
/// not come are not among them.
pub(super) fn segments_in(
    connection: &Connection,
    id: InstallationId,
    start: i64,
    end: i64,
) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for (place, sql) in [
        (
            Place::Window,
            "SELECT id, first_sequence, max_time FROM windows
             WHERE meter = ?1 AND max_time >= ?2 AND min_time <= ?3 AND packed IS NOT NULL",
        ),
        (
            Place::Chunk,
            "SELECT id, first_sequence, max_time FROM chunks
             WHERE meter = ?1 AND max_time >= ?2 AND min_time <= ?3",
        ),
    ] {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![id.0, start, end])?;
        while let Some(row) = rows.next()? {
            segments.push(Segment::from_row(place, row)?);
        }
    }
    Ok(segments)
}

/// The first window and the first chunk with readings that end at or after `sequence`. Neither
/// windows nor chunks overlap one another, but a window may lie in a hole of a chunk.
fn segments_from(
    connection: &Connection,
    id: InstallationId,
    sequence: Sequence,
) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for (place, sql) in [
        (
            Place::Window,
            "SELECT id, first_sequence, max_time FROM windows
             WHERE meter = ?1 AND last_sequence >= ?2 AND packed IS NOT NULL
             ORDER BY last_sequence LIMIT 1",
        ),
        (
            Place::Chunk,
            "SELECT id, first_sequence, max_time FROM chunks
             WHERE meter = ?1 AND last_sequence >= ?2 ORDER BY last_sequence LIMIT 1",
        ),
    ] {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![id.0, sequence.get() as i64])?;
        if let Some(row) = rows.next()? {
            segments.push(Segment::from_row(place, row)?);
        }
    }
    Ok(segments)
}

/// The readings of a segment, in order.
pub(super) fn load_segment(
    connection: &Connection,
    owner: Owner,
    segment: &Segment,
) -> Result<Vec<StoredReading>> {
    match segment.place {
        Place::Chunk => Ok(stored_readings(
            owner,
            &load_chunk(connection, owner, segment.rowid)?,
        )),
        Place::Window => {
            let (index, received, packed, payload) = connection
                .prepare_cached(
                    "SELECT w.chain_index, w.received, w.packed, c.payload FROM windows w
                     JOIN chain c ON c.meter = w.meter AND c.chain_index = w.chain_index
                     WHERE w.id = ?1",
                )?
                .query_row([segment.rowid], |row| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        row.get::<_, Option<i64>>(1)?,
                        row.get::<_, Option<Vec<u8>>>(2)?,
                        row.get::<_, Vec<u8>>(3)?,
                    ))
                })?;
            let received = time_from(received);
            let index = chain_index(index as u64)?;
            let window: Window = Record::decode(&with_header(&owner.meter, &payload)?)?;
            let enrolment = window.enrolment;
            let packed = packed.unwrap_or_default();
            let readings = unpack(owner.meter, &packed)?;
            Ok((0..)
                .zip(readings)
                .map(|(leaf, reading)| StoredReading {
                    installation: owner.id,
                    reading,
                    received,
                    proof: Proof::Window {
                        index,
                        leaf,
                        enrolment,
                    },
                })
                .collect())
        }
    }
}

fn stored_readings(owner: Owner, chunk: &Chunk) -> Vec<StoredReading> {
    let mut stored = Vec::with_capacity(chunk.readings().len());
    for part in chunk.parts() {
        for (leaf, reading) in (0..).zip(chunk.readings_of(part)) {
            stored.push(StoredReading {
                installation: owner.id,
                reading: *reading,
                received: part.received,
                proof: Proof::Window {
                    index: part.index,
                    leaf,
                    enrolment: part.enrolment,
                },
            });
        }
    }
    stored
}

pub(super) fn load_chunk(connection: &Connection, owner: Owner, rowid: i64) -> Result<Chunk> {
    let body: Vec<u8> = connection
        .prepare_cached("SELECT body FROM chunks WHERE id = ?1")?
        .query_row([rowid], |row| row.get(0))?;
    Ok(Chunk::decode(owner.meter, &body)?)
}

/// Unpacks a whole block.
pub(super) fn unpack(meter: MeterId, packed: &[u8]) -> Result<Vec<AnyReading>> {
    let (mut codec, mut rest) = Codec::open(meter, packed)?;
    let mut readings = Vec::with_capacity(60);
    while !rest.is_empty() {
        let (reading, used) = codec.unpack(rest)?;
        rest = &rest[used..];
        readings.push(reading);
    }
    Ok(readings)
}

/// One reading, wherever it is.
pub(super) fn find(
    connection: &Connection,
    owner: Owner,
    sequence: Sequence,
) -> Result<Option<StoredReading>> {
    find_near(connection, owner, sequence, &mut Vec::new())
}

/// As [`find`], for many of one owner in order: `held` keeps the segment that was unpacked last, so
/// that a day's chunk is not unpacked anew for each of its readings.
pub(super) fn find_near(
    connection: &Connection,
    owner: Owner,
    sequence: Sequence,
    held: &mut Vec<StoredReading>,
) -> Result<Option<StoredReading>> {
    let among = |held: &[StoredReading]| {
        let number = |stored: &StoredReading| stored.reading.sum().sequence;
        let at = held.binary_search_by_key(&sequence, number).ok()?;
        Some(held[at].clone())
    };
    if let Some(stored) = among(held) {
        return Ok(Some(stored));
    }
    if let Some(stored) = find_live(connection, owner, sequence)? {
        return Ok(Some(stored));
    }
    for segment in segments_from(connection, owner.id, sequence)? {
        if segment.first_sequence > sequence {
            continue;
        }
        *held = load_segment(connection, owner, &segment)?;
        let found = among(held);
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn find_live(
    connection: &Connection,
    owner: Owner,
    sequence: Sequence,
) -> Result<Option<StoredReading>> {
    let mut statement = connection.prepare_cached(
        "SELECT body, time, sequence FROM singles WHERE meter = ?1 AND sequence = ?2",
    )?;
    let mut rows = statement.query(params![owner.id.0, sequence.get() as i64])?;
    rows.next()?
        .map(|row| read_live_body(owner, row.get_ref(0)?.as_blob().map_err(blob)?))
        .transpose()
}

/// The live readings numbered from `first` to `last`, in order.
pub(super) fn live_between(
    connection: &Connection,
    owner: Owner,
    first: Sequence,
    last: Sequence,
) -> Result<Vec<StoredReading>> {
    let mut statement = connection.prepare_cached(
        "SELECT body, time, sequence FROM singles WHERE meter = ?1 AND sequence BETWEEN ?2 AND ?3 ORDER BY sequence",
    )?;
    let mut rows = statement.query(params![owner.id.0, first.get() as i64, last.get() as i64])?;
    let mut readings = Vec::new();
    while let Some(row) = rows.next()? {
        readings.push(read_live_body(
            owner,
            row.get_ref(0)?.as_blob().map_err(blob)?,
        )?);
    }
    Ok(readings)
}

/// A column has another type than the table says; a STRICT table cannot come to this.
pub(super) fn blob(error: rusqlite::types::FromSqlError) -> Failure {
    Failure::Damaged(error.to_string())
}

/// The point with the highest number below `sequence`.
pub(super) fn point_before(
    connection: &Connection,
    owner: Owner,
    sequence: Sequence,
) -> Result<Option<Point>> {
    let key = params![owner.id.0, sequence.get() as i64];
    let mut before = None;
    let mut consider = |point: Point| {
        if before.is_none_or(|before: Point| before.sequence < point.sequence) {
            before = Some(point);
        }
    };
    let live: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT body, time, sequence FROM singles WHERE meter = ?1 AND sequence < ?2
             ORDER BY sequence DESC LIMIT 1",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    if let Some(body) = live {
        consider(Point::of(&read_live_body(owner, &body)?.reading));
    }
    let window: Option<i64> = connection
        .prepare_cached(
            "SELECT chain_index FROM windows WHERE meter = ?1 AND last_sequence < ?2
             ORDER BY last_sequence DESC LIMIT 1",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    if let Some(index) = window {
        consider(Point::close_of(&window_record(connection, owner, index)?));
    }
    // The chunk before, and the one in a hole of which the number may lie.
    for sql in [
        "SELECT id FROM chunks WHERE meter = ?1 AND last_sequence < ?2
         ORDER BY last_sequence DESC LIMIT 1",
        "SELECT id FROM chunks WHERE meter = ?1 AND last_sequence >= ?2
             AND first_sequence < ?2 ORDER BY last_sequence LIMIT 1",
    ] {
        let rowid: Option<i64> = connection
            .prepare_cached(sql)?
            .query_row(key, |row| row.get(0))
            .optional()?;
        if let Some(rowid) = rowid {
            let chunk = load_chunk(connection, owner, rowid)?;
            let last = chunk
                .readings()
                .iter()
                .rfind(|reading| reading.sum().sequence < sequence);
            if let Some(reading) = last {
                consider(Point::of(reading));
            }
        }
    }
    Ok(before)
}

/// The point with the lowest number above `sequence`.
pub(super) fn point_after(
    connection: &Connection,
    owner: Owner,
    sequence: Sequence,
) -> Result<Option<Point>> {
    let key = params![owner.id.0, sequence.get() as i64];
    let mut after = None;
    let mut consider = |point: Point| {
        if after.is_none_or(|after: Point| after.sequence > point.sequence) {
            after = Some(point);
        }
    };
    let live: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT body, time, sequence FROM singles WHERE meter = ?1 AND sequence > ?2 ORDER BY sequence LIMIT 1",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    if let Some(body) = live {
        consider(Point::of(&read_live_body(owner, &body)?.reading));
    }
    let window = connection
        .prepare_cached(
            "SELECT chain_index, packed FROM windows WHERE meter = ?1 AND last_sequence > ?2
             ORDER BY last_sequence LIMIT 1",
        )?
        .query_row(key, |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<Vec<u8>>>(1)?))
        })
        .optional()?;
    match window {
        Some((_, Some(packed))) => {
            let first = unpack(owner.meter, &packed)?
                .into_iter()
                .find(|reading| reading.sum().sequence > sequence);
            if let Some(reading) = first {
                consider(Point::of(&reading));
            }
        }
        Some((index, None)) => {
            let close = Point::close_of(&window_record(connection, owner, index)?);
            consider(close);
        }
        None => {}
    }
    let rowid: Option<i64> = connection
        .prepare_cached(
            "SELECT id FROM chunks WHERE meter = ?1 AND last_sequence > ?2
             ORDER BY last_sequence LIMIT 1",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    if let Some(rowid) = rowid {
        let chunk = load_chunk(connection, owner, rowid)?;
        let first = chunk
            .readings()
            .iter()
            .find(|reading| reading.sum().sequence > sequence);
        if let Some(reading) = first {
            consider(Point::of(reading));
        }
    }
    Ok(after)
}

/// The point with the earliest time from `time` on.
pub(super) fn first_from(
    connection: &Connection,
    owner: Owner,
    time: UtcMillis,
) -> Result<Option<Point>> {
    let key = params![owner.id.0, i64::try_from(time.get()).unwrap_or(i64::MAX)];
    let mut points = Vec::new();
    let single: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT body, time, sequence FROM singles WHERE meter = ?1 AND time >= ?2
             ORDER BY time, sequence LIMIT 1",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    if let Some(body) = single {
        points.push(Point::of(&read_live_body(owner, &body)?.reading));
    }
    let window = connection
        .prepare_cached(
            "SELECT chain_index, packed FROM windows WHERE meter = ?1 AND max_time >= ?2
             ORDER BY max_time LIMIT 1",
        )?
        .query_row(key, |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<Vec<u8>>>(1)?))
        })
        .optional()?;
    match window {
        Some((_, Some(packed))) => {
            points.extend(unpack(owner.meter, &packed)?.iter().map(Point::of));
        }
        Some((index, None)) => {
            points.push(Point::close_of(&window_record(connection, owner, index)?));
        }
        None => {}
    }
    let chunk = connection
        .prepare_cached(
            "SELECT id FROM chunks WHERE meter = ?1 AND max_time >= ?2 ORDER BY max_time LIMIT 1",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    if let Some(rowid) = chunk {
        let chunk = load_chunk(connection, owner, rowid)?;
        points.extend(chunk.readings().iter().map(Point::of));
    }
    points.retain(|point| point.time.is_some_and(|held| held >= time));
    Ok(points
        .into_iter()
        .min_by_key(|point| (point.time, point.sequence)))
}

/// A window that is not in a chunk.
pub(super) fn window_record(connection: &Connection, owner: Owner, index: i64) -> Result<Window> {
    let record = chain_row(connection, owner, index as u64)?
        .map(|row| ChainRecord::decode(&row.payload))
        .transpose()?;
    match record {
        Some(ChainRecord::Window(window)) => Ok(window),
        _ => Err(no_window(owner, index as u64)),
    }
}

/// A chain record with its signature.
#[derive(Clone, Debug)]
pub(super) struct ChainRow {
    pub(super) index: u64,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Signature,
    pub(super) received: Option<UtcMillis>,
}

impl ChainRow {
    /// Takes the columns `chain_index`, `received`, `payload`, `signature`.
    pub(super) fn from_row(owner: Owner, row: &Row<'_>) -> Result<Self> {
        let stored = row.get_ref(2)?.as_blob().map_err(blob)?;
        Ok(Self {
            index: row.get::<_, i64>(0)? as u64,
            received: time_from(row.get(1)?),
            payload: with_header(&owner.meter, stored)?,
            signature: Signature::from_low_s(row.get(3)?)?,
        })
    }
}

/// A chain record that is not in a chunk.
pub(super) fn chain_row(
    connection: &Connection,
    owner: Owner,
    index: u64,
) -> Result<Option<ChainRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT chain_index, received, payload, signature FROM chain
         WHERE meter = ?1 AND chain_index = ?2",
    )?;
    let mut rows = statement.query(params![owner.id.0, index as i64])?;
    rows.next()?
        .map(|row| ChainRow::from_row(owner, row))
        .transpose()
}

/// The row of the chunk that may hold the window with this index.
pub(super) fn chunk_with_index(
    connection: &Connection,
    id: InstallationId,
    index: u64,
) -> Result<Option<i64>> {
    Ok(connection
        .prepare_cached(
            "SELECT id FROM chunks WHERE meter = ?1 AND last_index >= ?2 AND first_index <= ?2
             ORDER BY last_index LIMIT 1",
        )?
        .query_row(params![id.0, index as i64], |row| row.get(0))
        .optional()?)
}

/// A chain record, wherever it is.
pub(super) fn chain_record(
    connection: &Connection,
    owner: Owner,
    index: u64,
) -> Result<Option<ChainRow>> {
    if let Some(row) = chain_row(connection, owner, index)? {
        return Ok(Some(row));
    }
    let Some(rowid) = chunk_with_index(connection, owner.id, index)? else {
        return Ok(None);
    };
    let chunk = load_chunk(connection, owner, rowid)?;
    if !chunk.parts().iter().any(|part| part.index.get() == index) {
        return Ok(None);
    }
    for sealed in chunk.windows()? {
        if sealed.window.chain_index.get() == index {
            return Ok(Some(ChainRow {
                index,
                payload: sealed.window.encode_payload()?,
                signature: sealed.signature,
                received: sealed.received,
            }));
        }
    }
    Ok(None)
}

/// The held window with the highest index below `index`.
pub(super) fn window_before(
    connection: &Connection,
    owner: Owner,
    index: u64,
) -> Result<Option<Window>> {
    window_index_before(connection, owner, index)?
        .map(|index| window_at(connection, owner, index))
        .transpose()
}

/// Its index.
pub(super) fn window_index_before(
    connection: &Connection,
    owner: Owner,
    index: u64,
) -> Result<Option<u64>> {
    let key = params![owner.id.0, index as i64];
    let alone: Option<i64> = connection
        .prepare_cached(
            "SELECT max(chain_index) FROM windows WHERE meter = ?1 AND chain_index < ?2",
        )?
        .query_row(key, |row| row.get(0))?;
    // The chunk in a hole of which the index lies, or else the one before it.
    let around: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT id, first_index FROM chunks WHERE meter = ?1 AND last_index >= ?2
             ORDER BY last_index LIMIT 1",
        )?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let chunk = match around {
        Some((rowid, first)) if first < index as i64 => Some(rowid),
        _ => connection
            .prepare_cached(
                "SELECT id FROM chunks WHERE meter = ?1 AND last_index < ?2
                 ORDER BY last_index DESC LIMIT 1",
            )?
            .query_row(key, |row| row.get(0))
            .optional()?,
    };
    let mut before = indices_in_chunk(connection, owner, chunk)?;
    before.retain(|held| *held < index);
    before.extend(alone.map(|held| held as u64));
    Ok(before.into_iter().max())
}

/// The held window with the lowest index above `index`.
pub(super) fn window_after(
    connection: &Connection,
    owner: Owner,
    index: u64,
) -> Result<Option<Window>> {
    window_index_after(connection, owner, index)?
        .map(|index| window_at(connection, owner, index))
        .transpose()
}

/// Its index.
pub(super) fn window_index_after(
    connection: &Connection,
    owner: Owner,
    index: u64,
) -> Result<Option<u64>> {
    let key = params![owner.id.0, index as i64];
    let alone: Option<i64> = connection
        .prepare_cached(
            "SELECT min(chain_index) FROM windows WHERE meter = ?1 AND chain_index > ?2",
        )?
        .query_row(key, |row| row.get(0))?;
    let chunk: Option<i64> = connection
        .prepare_cached(
            "SELECT id FROM chunks WHERE meter = ?1 AND last_index > ?2
             ORDER BY last_index LIMIT 1",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    let mut after = indices_in_chunk(connection, owner, chunk)?;
    after.retain(|held| *held > index);
    after.extend(alone.map(|held| held as u64));
    Ok(after.into_iter().min())
}

/// A window, wherever it is.
fn window_at(connection: &Connection, owner: Owner, index: u64) -> Result<Window> {
    let record = chain_record(connection, owner, index)?
        .map(|row| ChainRecord::decode(&row.payload))
        .transpose()?;
    match record {
        Some(ChainRecord::Window(window)) => Ok(window),
        _ => Err(no_window(owner, index)),
    }
}

fn no_window(owner: Owner, index: u64) -> Failure {
    Failure::Damaged(format!(
        "installation {} has no window at index {index}",
        owner.id
    ))
}

/// Whether every chain record between two windows that are neighbours is held. None of them is a
/// window, so none is in a chunk. More than [`MAX_COUNTED`] are not counted, and not called whole.
pub(super) fn is_whole_between(
    connection: &Connection,
    id: InstallationId,
    before: u64,
    after: u64,
) -> Result<bool> {
    let between = after.saturating_sub(before).saturating_sub(1);
    if between > MAX_COUNTED {
        return Ok(false);
    }
    let held: i64 = connection
        .prepare_cached(
            "SELECT count(*) FROM chain
             WHERE meter = ?1 AND chain_index > ?2 AND chain_index < ?3",
        )?
        .query_row(params![id.0, before as i64, after as i64], |row| row.get(0))?;
    Ok(held as u64 == between)
}

fn indices_in_chunk(connection: &Connection, owner: Owner, rowid: Option<i64>) -> Result<Vec<u64>> {
    let Some(rowid) = rowid else {
        return Ok(Vec::new());
    };
    let chunk = load_chunk(connection, owner, rowid)?;
    Ok(chunk.parts().iter().map(|part| part.index.get()).collect())
}

/// Where a chain ends. `produced` never falls along a chain, so what it has come to is the most
/// that the last window or the last Gap of whole records says.
pub(super) fn chain_end(connection: &Connection, owner: Owner) -> Result<Option<ChainEnd>> {
    let tip = load_head(connection, owner.id)?.and_then(|head| head.tip);
    let Some((index, digest)) = tip else {
        return Ok(None);
    };
    let mut end = ChainEnd {
        index: chain_index(index)?,
        digest,
        produced: MilliwattHours::ZERO,
        last_sequence: None,
    };
    let mut reaches = |produced: MilliwattHours, sequence: Option<Sequence>| {
        end.produced = end.produced.max(produced);
        end.last_sequence = end.last_sequence.max(sequence);
    };
    let newest = |sql: &str| -> Result<Option<i64>> {
        Ok(connection
            .prepare_cached(sql)?
            .query_row([owner.id.0], |row| row.get(0))
            .optional()?)
    };
    let window = newest(
        "SELECT chain_index FROM windows WHERE meter = ?1 ORDER BY last_sequence DESC LIMIT 1",
    )?;
    if let Some(index) = window {
        let window = window_record(connection, owner, index)?;
        reaches(window.produced_close, Some(window.last_sequence));
    }
    let chunk =
        newest("SELECT id FROM chunks WHERE meter = ?1 ORDER BY last_sequence DESC LIMIT 1")?;
    if let Some(rowid) = chunk {
        let chunk = load_chunk(connection, owner, rowid)?;
        if let Some(last) = chunk.readings().last() {
            reaches(last.sum().produced, Some(last.sum().sequence));
        }
    }
    let gap =
        newest("SELECT chain_index FROM gaps WHERE meter = ?1 ORDER BY chain_index DESC LIMIT 1")?;
    if let Some(index) = gap
        && let Some(row) = chain_row(connection, owner, index as u64)?
        && let ChainRecord::Gap(gap) = ChainRecord::decode(&row.payload)?
    {
        reaches(gap.produced_close, gap.last_sequence);
    }
    Ok(Some(end))
}

/// The canonical bytes of a window, for a row.
pub(super) trait EncodePayload {
    fn encode_payload(&self) -> Result<Vec<u8>>;
}

impl EncodePayload for Window {
    fn encode_payload(&self) -> Result<Vec<u8>> {
        Ok(self.encode()?.to_vec())
    }
}

/// Rows of `chain` leave out what every record of a meter has in common: version and signer id.
pub(super) fn without_header(payload: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(payload.len() + 1 - HEADER_LENGTH);
    stored.extend_from_slice(&payload[..1]);
    stored.extend_from_slice(&payload[HEADER_LENGTH..]);
    stored
}

fn with_header(meter: &MeterId, stored: &[u8]) -> Result<Vec<u8>> {
    let (&record_type, fields) = stored.split_first().ok_or(Unreadable)?;
    let mut payload = Vec::with_capacity(HEADER_LENGTH + fields.len());
    payload.extend_from_slice(&[record_type, VERSION]);
    payload.extend_from_slice(&meter.0);
    payload.extend_from_slice(fields);
    Ok(payload)
}

pub(super) fn chain_index(number: u64) -> Result<ChainIndex> {
    ChainIndex::new(number).ok_or_else(|| Failure::Damaged(format!("chain index {number}")))
}

#[cfg(test)]
mod tests {
    use ww_wire::{
        BootCounter, CounterEpoch, Milliamperes, Millivars, Millivolts, MilliwattHours, Milliwatts,
        Reading, ReadingFlags, SignerId, TimeQuality, UptimeMillis,
    };

    use super::*;

    const OWNER: Owner = Owner {
        id: InstallationId(1),
        meter: SignerId([7; 32]),
    };

    fn stored(number: u64) -> StoredReading {
        let reading = Reading {
            meter: OWNER.meter,
            boot: BootCounter::new(1).unwrap(),
            sequence: Sequence::new(number).unwrap(),
            time: UtcMillis::new(1_750_351_800_000 + 10_000 * number),
            uptime: UptimeMillis::new(10_000 * number).unwrap(),
            time_quality: TimeQuality::Synchronised,
            power: Milliwatts::new(16_350),
            import_total: MilliwattHours::new(8_900),
            export_total: Some(MilliwattHours::ZERO),
            counter_epoch: CounterEpoch::ZERO,
            produced: MilliwattHours::ZERO,
            voltage: Millivolts::new(237_130),
            current: Milliamperes::new(124),
            reactive_power: Millivars::new(24_380),
            temperature: None,
            flags: ReadingFlags::NONE,
        };
        StoredReading {
            installation: OWNER.id,
            reading: AnyReading::SinglePhase(reading),
            received: None,
            proof: Proof::Window {
                index: ChainIndex::ZERO,
                leaf: number as u32 - 1,
                enrolment: Hash::ZERO,
            },
        }
    }

    #[test]
    fn a_reading_of_the_segment_unpacked_last_costs_no_look_up() {
        // There is no table to look into.
        let nowhere = Connection::open_in_memory().unwrap();
        let mut held = (1..=60).map(stored).collect();
        let mut look = |number| {
            let number = Sequence::new(number).unwrap();
            find_near(&nowhere, OWNER, number, &mut held)
        };
        assert_eq!(look(7).unwrap(), Some(stored(7)));
        assert_eq!(look(60).unwrap(), Some(stored(60)));
        assert!(look(61).is_err());
    }
}
