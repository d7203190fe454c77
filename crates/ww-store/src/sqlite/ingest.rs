//! The rules by which what meters send is taken: idempotent by meter and number, one chain, windows
//! that agree with their readings. Each rule checks first and writes then, so that a refusal has
//! changed nothing but the evidence.

use rusqlite::{OptionalExtension, params};
use ww_wire::{
    AnyReading, Boot, ChainRecord, Gap, GapKind, Hash, Payload, Reading, Record, Sequence,
    Signature, StatusReport, UtcMillis, Window,
};

use super::failure::{Failure, Result};
use super::journal::{NewEvidence, record_evidence, record_finding};
use super::lookup::{
    ChainRow, MAX_COUNTED, Owner, chain_index, chain_record, chunk_with_index, find,
    is_whole_between, live_between, live_body, load_chunk, point_after, point_before, window_after,
    window_before, without_header,
};
use super::session::{Desk, Ended, Meter, Sealed, Session, millis};
use crate::booking::Point;
use crate::calendar::calendar_seconds;
use crate::{
    FindingKind, Ingest, InstallationState, Outcome, Proof, ReadingId, Receipt, Refusal,
    StoredReading, Verified, WindowReadings,
};

/// Chain indices above this are refused: no honest meter gets there, and every SQL integer and
/// JavaScript number up to it is exact.
const MAX_INDEX: u64 = 1 << 53;

/// `produced` above this is refused, so that sums of increments always fit an SQL integer.
const MAX_PRODUCED: u64 = i64::MAX as u64;

/// Records that are stepped over at once behind a hole that was filled. The meter is told how far it
/// got, sends that record again and so moves it on.
const MAX_STEPS: usize = 4_096;

/// So many steps are spent on a run of windows in a chunk, which must be unpacked.
const STEPS_PER_CHUNK: usize = 64;

/// Status reports that are kept of each meter.
const STATUS_REPORTS_KEPT: u32 = 100;

/// Takes a batch, in order.
pub(super) fn ingest(
    session: &mut Session,
    batch: &[Ingest],
    received: Option<UtcMillis>,
) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(batch.len());
    // Whether the record that a finding speaks of was stored: of others there is nothing new to say.
    let mut stored = true;
    for item in batch {
        outcomes.push(match item {
            Ingest::Finding(finding) => {
                if stored {
                    record_finding(&session.connection, finding, received)?;
                }
                Outcome::Stored(Receipt {
                    installation: finding.installation,
                    received,
                    next_index: chain_index(0)?,
                    sealed_in: None,
                    event: None,
                })
            }
            record => {
                let outcome = ingest_one(session, record, received)?;
                stored = matches!(outcome, Outcome::Stored(_));
                outcome
            }
        });
    }
    for outcome in &mut outcomes {
        if let Outcome::Stored(receipt) | Outcome::Duplicate(receipt) = outcome
            && let Some(next) = session.next_index(receipt.installation)
        {
            receipt.next_index = chain_index(next)?;
        }
    }
    Ok(outcomes)
}

fn ingest_one(
    session: &mut Session,
    item: &Ingest,
    received: Option<UtcMillis>,
) -> Result<Outcome> {
    let meter = match item {
        Ingest::Reading(reading) => reading.record().sum().meter,
        Ingest::Window(window, _) => window.record().meter,
        Ingest::Chain(record) => record.record().meter(),
        Ingest::Status(report) => report.record().meter,
        Ingest::Finding(_) => return unreachable_finding(),
    };
    let outcome = session.with_meter(&meter, |meter, desk| {
        if meter.state != InstallationState::Active {
            return Ok(Outcome::Refused(Refusal::NotActive {
                installation: meter.id,
                state: meter.state,
            }));
        }
        let mut intake = Intake {
            meter,
            desk,
            received,
        };
        match item {
            Ingest::Reading(reading) => intake.reading(reading),
            Ingest::Window(window, readings) => intake.window(window, readings.as_ref()),
            Ingest::Chain(record) => intake.chain(record),
            Ingest::Status(report) => intake.status(report),
            Ingest::Finding(_) => unreachable_finding(),
        }
    })?;
    Ok(outcome.unwrap_or(Outcome::Refused(Refusal::UnknownMeter { meter })))
}

fn unreachable_finding<T>() -> Result<T> {
    Err(Failure::Damaged("a finding is no record".to_owned()))
}

/// One record of one active meter.
struct Intake<'a, 'b> {
    meter: &'a mut Meter,
    desk: &'a mut Desk<'b>,
    received: Option<UtcMillis>,
}

impl Intake<'_, '_> {
    fn owner(&self) -> Owner {
        Owner {
            id: self.meter.id,
            meter: self.meter.meter,
        }
    }

    fn reading(&mut self, verified: &Verified<AnyReading>) -> Result<Outcome> {
        let reading = verified.record();
        let sum = reading.sum();
        if let Some(refusal) = self.out_of_range([
            ("sequence", sum.sequence.get(), ReadingId::MAX_SEQUENCE),
            ("produced", sum.produced.get(), MAX_PRODUCED),
        ]) {
            return Ok(Outcome::Refused(refusal));
        }
        let point = Point::of(reading);
        match self.meter.head.last {
            Some(last) if point.sequence <= last.sequence => {
                self.reading_out_of_order(verified, point)
            }
            last => {
                if let Some(refusal) = self.past_the_end(point.sequence)? {
                    return Ok(Outcome::Refused(refusal));
                }
                if last.is_some_and(|last| point.produced < last.produced) {
                    return self.produced_fell(verified);
                }
                self.append(verified, last.as_ref(), &point)
            }
        }
    }

    /// Stores a reading that follows the last one.
    fn append(
        &mut self,
        verified: &Verified<AnyReading>,
        last: Option<&Point>,
        point: &Point,
    ) -> Result<Outcome> {
        self.insert_fresh(verified)?;
        self.meter.ledger.book(last, point);
        self.meter.head.append(point, self.received);
        if self.meter.ledger.is_to_be_settled() {
            self.desk.touch();
        }
        self.desk.appended();
        self.stored_reading(point.sequence)
    }

    /// A reading that is not the newest: perhaps known, perhaps late.
    fn reading_out_of_order(
        &mut self,
        verified: &Verified<AnyReading>,
        point: Point,
    ) -> Result<Outcome> {
        let owner = self.owner();
        if let Some(stored) = find(self.desk.connection, owner, point.sequence)? {
            return self.known_reading(verified, &stored);
        }
        if let Some(refusal) = self.past_the_end(point.sequence)? {
            return Ok(Outcome::Refused(refusal));
        }
        let before = point_before(self.desk.connection, owner, point.sequence)?;
        let after = point_after(self.desk.connection, owner, point.sequence)?;
        if before.is_some_and(|before| point.produced < before.produced)
            || after.is_some_and(|after| after.produced < point.produced)
        {
            return self.produced_fell(verified);
        }
        let bare = self.bare_window(point.sequence)?;
        let close = bare
            .as_ref()
            .map(Point::close_of)
            .filter(|close| close.sequence == point.sequence);
        if let Some(window) = &bare
            && !fits_ends(window, verified.record().sum())
        {
            return self.contradicted_by_bare_window(verified, window);
        }
        self.insert_fresh(verified)?;
        self.rebook(before, close.as_slice(), &[point], after);
        self.meter.head.append(&point, self.received);
        self.desk.touch();
        let outcome = self.stored_reading(point.sequence)?;
        if let Some(window) = bare {
            self.seal_bare_window(&window)?;
        }
        Ok(outcome)
    }

    fn known_reading(
        &mut self,
        verified: &Verified<AnyReading>,
        stored: &StoredReading,
    ) -> Result<Outcome> {
        let sealed_in = match stored.proof {
            Proof::Signature(_) => None,
            Proof::Window { index, .. } => Some(index),
        };
        if stored.reading == *verified.record() {
            return Ok(Outcome::Duplicate(Receipt {
                installation: self.meter.id,
                received: stored.received,
                next_index: chain_index(self.meter.head.next_index)?,
                sealed_in,
                event: None,
            }));
        }
        let sequence = stored.reading.sum().sequence;
        let (first, second) = (stored.reading.encode()?, verified.record().encode()?);
        self.evidence(NewEvidence {
            kind: FindingKind::EquivocatingReading,
            number: sequence.get(),
            stored: &first,
            stored_signature: match &stored.proof {
                Proof::Signature(signature) => Some(signature),
                Proof::Window { .. } => None,
            },
            stored_in: sealed_in,
            refused: &second,
            refused_signature: Some(verified.signature()),
            refused_readings: None,
        })?;
        Ok(Outcome::Refused(Refusal::EquivocatingReading {
            installation: self.meter.id,
            sequence,
            stored: first.digest(),
            got: second.digest(),
        }))
    }

    fn insert_fresh(&mut self, verified: &Verified<AnyReading>) -> Result<()> {
        let sum = verified.record().sum();
        let body = live_body(verified.record(), verified.signature(), self.received)?;
        let fresh = &mut *self.desk.fresh;
        fresh.rows += 1;
        fresh.last_id += 1;
        self.desk
            .connection
            .prepare_cached(
                "INSERT INTO fresh (id, meter, sequence, time, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                fresh.last_id,
                self.meter.id.0,
                sum.sequence.get() as i64,
                list_time(sum.time),
                body
            ])?;
        Ok(())
    }

    fn stored_reading(&mut self, sequence: Sequence) -> Result<Outcome> {
        let event = self.desk.reading_event(self.meter.id, sequence);
        let mut receipt = self.receipt()?;
        receipt.event = Some(event);
        Ok(Outcome::Stored(receipt))
    }

    /// Notes that the meter was heard of, and makes a receipt.
    fn seen(&mut self) -> Result<Receipt> {
        self.meter.head.last_seen = self.meter.head.last_seen.max(self.received);
        self.desk.touch();
        self.receipt()
    }

    fn receipt(&self) -> Result<Receipt> {
        Ok(Receipt {
            installation: self.meter.id,
            received: self.received,
            next_index: chain_index(self.meter.head.next_index)?,
            sealed_in: None,
            event: None,
        })
    }

    fn window(
        &mut self,
        verified: &Verified<Window>,
        readings: Option<&WindowReadings>,
    ) -> Result<Outcome> {
        let window = verified.record();
        if let Some(refusal) = self.out_of_range([
            (
                "last_sequence",
                window.last_sequence.get(),
                ReadingId::MAX_SEQUENCE,
            ),
            ("produced_close", window.produced_close.get(), MAX_PRODUCED),
            ("chain_index", window.chain_index.get(), MAX_INDEX),
        ]) {
            return Ok(Outcome::Refused(refusal));
        }
        if readings.is_some_and(|readings| !readings.are_of(window)) {
            return Ok(Outcome::Refused(Refusal::ForeignReadings {
                installation: self.meter.id,
                index: window.chain_index,
            }));
        }
        let link = Link {
            index: window.chain_index.get(),
            previous: window.previous,
            payload: window.encode()?,
            signature: *verified.signature(),
        };
        match self.check_link(&link)? {
            Linked::Refused(refusal) => return Ok(Outcome::Refused(refusal)),
            Linked::Known(received) => {
                if let Some(readings) = readings
                    && let Some(outcome) = self.fill_bare_window(verified, readings)?
                {
                    return Ok(outcome);
                }
                return self.known_link(received);
            }
            Linked::New => {}
        }
        if let Some(refusal) = self.past_the_end(window.last_sequence)? {
            return Ok(Outcome::Refused(refusal));
        }
        if let Some(refusal) = self.check_overlap(verified, readings)? {
            return Ok(Outcome::Refused(refusal));
        }
        if let Some(refusal) = self.check_energy(verified, readings)? {
            return Ok(Outcome::Refused(refusal));
        }
        let live = self.live_in(window)?;
        let collected = match readings {
            Some(_) => None,
            None if live.len() == window.count as usize => {
                let held = live.iter().map(|stored| stored.reading).collect();
                match WindowReadings::collect(window, held) {
                    Ok(readings) => Some(readings),
                    Err(_) => return self.contradiction(verified, None, &live[0]),
                }
            }
            None => None,
        };
        let readings = readings.or(collected.as_ref());
        let contradicting = match readings {
            Some(readings) => first_difference(readings, &live),
            None => live
                .iter()
                .find(|stored| !fits_ends(window, stored.reading.sum())),
        };
        if let Some(stored) = contradicting {
            return self.contradiction(verified, readings, stored);
        }
        if let Some(refusal) = self.book_window(verified, readings, &live)? {
            return Ok(Outcome::Refused(refusal));
        }
        self.insert_chain(&link)?;
        let is_tip = (self.meter.head.tip).is_some_and(|(tip, _)| tip == link.index);
        if is_tip || (self.meter.sealed).is_some_and(|sealed| sealed.tip == link.index) {
            self.meter.sealed = Some(Sealed {
                index: link.index,
                close: window.produced_close,
                tip: link.index,
            });
        }
        self.insert_window(window, readings)?;
        Ok(Outcome::Stored(self.seen()?))
    }

    /// The live readings that a window covers.
    fn live_in(&self, window: &Window) -> Result<Vec<StoredReading>> {
        if self.meter.head.live == 0 {
            return Ok(Vec::new());
        }
        live_between(
            self.desk.connection,
            self.owner(),
            window.first_sequence,
            window.last_sequence,
        )
    }

    /// Books what a new window brings: its readings that were not live before, or its close when it
    /// has no readings.
    fn book_window(
        &mut self,
        verified: &Verified<Window>,
        readings: Option<&WindowReadings>,
        live: &[StoredReading],
    ) -> Result<Option<Refusal>> {
        let window = verified.record();
        let old: Vec<Point> = live
            .iter()
            .map(|stored| Point::of(&stored.reading))
            .collect();
        let new: Vec<Point> = match readings {
            Some(readings) if readings.readings().len() == old.len() => return Ok(None),
            Some(readings) => readings.readings().iter().map(Point::of).collect(),
            None => {
                let mut points = old.clone();
                let close = Point::close_of(window);
                match points.last() {
                    Some(last) if last.sequence == close.sequence => {}
                    _ => points.push(close),
                }
                points
            }
        };
        self.replace_points(verified, readings, &old, &new)
    }

    /// Puts `new` points in the place of `old` ones within the window's numbers, unless `produced`
    /// would fall.
    fn replace_points(
        &mut self,
        verified: &Verified<Window>,
        readings: Option<&WindowReadings>,
        old: &[Point],
        new: &[Point],
    ) -> Result<Option<Refusal>> {
        let window = verified.record();
        let (owner, last) = (self.owner(), self.meter.head.last);
        let in_order = last.is_none_or(|last| last.sequence < window.first_sequence);
        let (before, after) = if in_order {
            (last, None)
        } else {
            (
                point_before(self.desk.connection, owner, window.first_sequence)?,
                point_after(self.desk.connection, owner, window.last_sequence)?,
            )
        };
        if falls(before.iter().chain(new).chain(&after)) {
            let payload = window.encode()?;
            self.evidence(NewEvidence {
                kind: FindingKind::ProducedFell,
                number: window.first_sequence.get(),
                stored: &[],
                stored_signature: None,
                stored_in: None,
                refused: &payload,
                refused_signature: Some(verified.signature()),
                refused_readings: readings.map(WindowReadings::packed),
            })?;
            return Ok(Some(Refusal::ProducedFell {
                installation: self.meter.id,
                sequence: window.first_sequence,
            }));
        }
        self.rebook(before, old, new, after);
        for point in new {
            self.meter.head.note(point, self.received);
        }
        Ok(None)
    }

    fn rebook(
        &mut self,
        before: Option<Point>,
        old: &[Point],
        new: &[Point],
        after: Option<Point>,
    ) {
        let ledger = &mut self.meter.ledger;
        // `after` first and the new points last: the newest period stays the open one in order.
        if let Some(after) = &after {
            ledger.unbook(old.last().or(before.as_ref()), after);
            ledger.book(new.last().or(before.as_ref()), after);
        }
        let mut last = before;
        for point in old {
            ledger.unbook(last.as_ref(), point);
            last = Some(*point);
        }
        let mut last = before;
        for point in new {
            ledger.book(last.as_ref(), point);
            last = Some(*point);
        }
    }

    fn insert_window(&mut self, window: &Window, readings: Option<&WindowReadings>) -> Result<()> {
        let times = readings.map_or((window.first_time, window.last_time), |readings| {
            time_bounds(readings.readings())
        });
        self.desk
            .connection
            .prepare_cached(
                "INSERT INTO windows (meter, chain_index, first_sequence, last_sequence, min_time,
                     max_time, received, packed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                self.meter.id.0,
                window.chain_index.get() as i64,
                window.first_sequence.get() as i64,
                window.last_sequence.get() as i64,
                list_time(times.0),
                list_time(times.1),
                millis(self.received),
                readings.map(WindowReadings::packed),
            ])?;
        let head = &mut self.meter.head;
        head.sealed_sequence = head.sealed_sequence.max(window.last_sequence.get());
        if readings.is_some() {
            self.drop_live(window)?;
        }
        Ok(())
    }

    /// Single signatures go once each reading was found equal to its leaf.
    fn drop_live(&mut self, window: &Window) -> Result<()> {
        if self.meter.head.live == 0 {
            return Ok(());
        }
        let key = params![
            self.meter.id.0,
            window.first_sequence.get() as i64,
            window.last_sequence.get() as i64
        ];
        let from_fresh = self
            .desk
            .connection
            .prepare_cached("DELETE FROM fresh WHERE meter = ?1 AND sequence BETWEEN ?2 AND ?3")?
            .execute(key)?;
        let from_live = self
            .desk
            .connection
            .prepare_cached("DELETE FROM live WHERE meter = ?1 AND sequence BETWEEN ?2 AND ?3")?
            .execute(key)?;
        self.desk.fresh.rows -= from_fresh as u64;
        self.meter.head.live -= (from_fresh + from_live) as u64;
        Ok(())
    }

    /// The window without readings that covers this number.
    fn bare_window(&self, sequence: Sequence) -> Result<Option<Window>> {
        if sequence.get() > self.meter.head.sealed_sequence {
            return Ok(None);
        }
        let index: Option<i64> = self
            .desk
            .connection
            .prepare_cached(
                "SELECT chain_index FROM windows WHERE meter = ?1 AND last_sequence >= ?2
                     AND first_sequence <= ?2 AND packed IS NULL
                 ORDER BY last_sequence LIMIT 1",
            )?
            .query_row(params![self.meter.id.0, sequence.get() as i64], |row| {
                row.get(0)
            })
            .optional()?;
        index
            .map(|index| super::lookup::window_record(self.desk.connection, self.owner(), index))
            .transpose()
    }

    /// Puts the readings that came after their window in their place; `None` when they are held.
    fn fill_bare_window(
        &mut self,
        verified: &Verified<Window>,
        readings: &WindowReadings,
    ) -> Result<Option<Outcome>> {
        let window = verified.record();
        if self.bare_window(window.first_sequence)?.as_ref() != Some(window) {
            return Ok(None);
        }
        let live = self.live_in(window)?;
        if let Some(stored) = first_difference(readings, &live) {
            return self
                .contradiction(verified, Some(readings), stored)
                .map(Some);
        }
        let mut old: Vec<Point> = live
            .iter()
            .map(|stored| Point::of(&stored.reading))
            .collect();
        if old
            .last()
            .is_none_or(|last| last.sequence != window.last_sequence)
        {
            old.push(Point::close_of(window));
        }
        let new: Vec<Point> = readings.readings().iter().map(Point::of).collect();
        if let Some(refusal) = self.replace_points(verified, Some(readings), &old, &new)? {
            return Ok(Some(Outcome::Refused(refusal)));
        }
        self.store_packed(window, readings)?;
        Ok(Some(Outcome::Stored(self.seen()?)))
    }

    fn store_packed(&mut self, window: &Window, readings: &WindowReadings) -> Result<()> {
        let (min_time, max_time) = time_bounds(readings.readings());
        self.desk
            .connection
            .prepare_cached(
                "UPDATE windows SET packed = ?3, min_time = ?4, max_time = ?5
                 WHERE meter = ?1 AND last_sequence = ?2",
            )?
            .execute(params![
                self.meter.id.0,
                window.last_sequence.get() as i64,
                readings.packed(),
                list_time(min_time),
                list_time(max_time),
            ])?;
        self.drop_live(window)?;
        self.desk.touch();
        Ok(())
    }

    /// Seals a window without readings once all of them have come one by one.
    fn seal_bare_window(&mut self, window: &Window) -> Result<()> {
        let live = self.live_in(window)?;
        if live.len() != window.count as usize {
            return Ok(());
        }
        let held = live.iter().map(|stored| stored.reading).collect();
        match WindowReadings::collect(window, held) {
            Ok(readings) => self.store_packed(window, &readings),
            Err(contradiction) => {
                let finding = crate::NewFinding {
                    installation: self.meter.id,
                    kind: FindingKind::WindowContradictsReading,
                    number: window.chain_index.get(),
                    detail: format!(
                        "the readings that came one by one are not those of the window: \
                         {contradiction}"
                    ),
                };
                record_finding(self.desk.connection, &finding, self.received)
            }
        }
    }

    /// Whether `produced` goes on from the window before and to the window after. Where records are
    /// missing between them, or were given up, it may have risen meanwhile.
    fn check_energy(
        &mut self,
        verified: &Verified<Window>,
        readings: Option<&WindowReadings>,
    ) -> Result<Option<Refusal>> {
        let window = verified.record();
        let index = window.chain_index.get();
        if let Some((before, whole)) = self.window_before(index)?
            && (before.close > window.produced_open
                || whole && before.close != window.produced_open)
        {
            return self.torn_apart(verified, readings, before.index).map(Some);
        }
        if self.meter.head.tip.is_none_or(|(tip, _)| tip < index) {
            return Ok(None);
        }
        if let Some((after, whole)) = self.window_after(index)?
            && (after.produced_open < window.produced_close
                || whole && after.produced_open != window.produced_close)
        {
            let other = after.chain_index.get();
            return self.torn_apart(verified, readings, other).map(Some);
        }
        Ok(None)
    }

    /// The nearest window before `index`, and whether all records between are held.
    fn window_before(&self, index: u64) -> Result<Option<(Sealed, bool)>> {
        if let Some(sealed) = self.meter.sealed
            && sealed.tip + 1 == index
        {
            return Ok(Some((sealed, sealed.tip - sealed.index <= MAX_COUNTED)));
        }
        let (connection, owner) = (self.desk.connection, self.owner());
        let Some(window) = window_before(connection, owner, index)? else {
            return Ok(None);
        };
        let before = window.chain_index.get();
        let sealed = Sealed {
            index: before,
            close: window.produced_close,
            tip: before,
        };
        let whole = is_whole_between(connection, owner.id, before, index)?;
        Ok(Some((sealed, whole)))
    }

    /// The nearest window after `index`, and whether all records between are held.
    fn window_after(&self, index: u64) -> Result<Option<(Window, bool)>> {
        let (connection, owner) = (self.desk.connection, self.owner());
        let Some(window) = window_after(connection, owner, index)? else {
            return Ok(None);
        };
        let whole = is_whole_between(connection, owner.id, index, window.chain_index.get())?;
        Ok(Some((window, whole)))
    }

    fn torn_apart(
        &mut self,
        verified: &Verified<Window>,
        readings: Option<&WindowReadings>,
        other: u64,
    ) -> Result<Refusal> {
        self.evidence_of_record(FindingKind::EnergyTornApart, verified, readings, other)?;
        Ok(Refusal::EnergyTornApart {
            installation: self.meter.id,
            index: verified.record().chain_index,
            other: chain_index(other)?,
        })
    }

    /// Keeps a refused window beside the record of the chain that it contradicts.
    fn evidence_of_record(
        &mut self,
        kind: FindingKind,
        verified: &Verified<Window>,
        readings: Option<&WindowReadings>,
        other: u64,
    ) -> Result<()> {
        let window = verified.record();
        let payload = window.encode()?;
        let stored = chain_record(self.desk.connection, self.owner(), other)?;
        self.evidence(NewEvidence {
            kind,
            number: window.chain_index.get(),
            stored: stored.as_ref().map_or(&[], |row| &row.payload),
            stored_signature: stored.as_ref().map(|row| &row.signature),
            stored_in: None,
            refused: &payload,
            refused_signature: Some(verified.signature()),
            refused_readings: readings.map(WindowReadings::packed),
        })
    }

    fn check_overlap(
        &mut self,
        verified: &Verified<Window>,
        readings: Option<&WindowReadings>,
    ) -> Result<Option<Refusal>> {
        let window = verified.record();
        if window.first_sequence.get() > self.meter.head.sealed_sequence {
            return Ok(None);
        }
        let key = params![
            self.meter.id.0,
            window.first_sequence.get() as i64,
            window.last_sequence.get() as i64
        ];
        let mut other: Option<(u64, u64)> = self
            .desk
            .connection
            .prepare_cached(
                "SELECT chain_index, first_sequence FROM windows WHERE meter = ?1
                     AND last_sequence >= ?2 AND first_sequence <= ?3
                 ORDER BY last_sequence LIMIT 1",
            )?
            .query_row(key, |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
            })
            .optional()?;
        if other.is_none() {
            other = self.overlapping_part(window)?;
        }
        let Some((index, first)) = other else {
            return Ok(None);
        };
        let sequence = window.first_sequence.get().max(first);
        self.evidence_of_record(FindingKind::OverlappingWindows, verified, readings, index)?;
        Ok(Some(Refusal::OverlappingWindows {
            installation: self.meter.id,
            index: window.chain_index,
            other: chain_index(index)?,
            sequence: super::session::sequence_from(sequence as i64)?,
        }))
    }

    /// A window in a chunk that shares a reading with this one: its index and first number.
    fn overlapping_part(&self, window: &Window) -> Result<Option<(u64, u64)>> {
        let mut statement = self.desk.connection.prepare_cached(
            "SELECT id FROM chunks WHERE meter = ?1 AND last_sequence >= ?2
                 AND first_sequence <= ?3 ORDER BY last_sequence",
        )?;
        let mut rows = statement.query(params![
            self.meter.id.0,
            window.first_sequence.get() as i64,
            window.last_sequence.get() as i64
        ])?;
        while let Some(row) = rows.next()? {
            let chunk = load_chunk(self.desk.connection, self.owner(), row.get(0)?)?;
            let part = chunk.parts().iter().find(|part| {
                part.first_sequence <= window.last_sequence
                    && part.last_sequence() >= window.first_sequence.get()
            });
            if let Some(part) = part {
                return Ok(Some((part.index.get(), part.first_sequence.get())));
            }
        }
        Ok(None)
    }

    fn chain(&mut self, verified: &Verified<ChainRecord>) -> Result<Outcome> {
        let signature = *verified.signature();
        match verified.record() {
            ChainRecord::Window(window) => {
                self.window(&Verified::vouched(*window, signature), None)
            }
            ChainRecord::Boot(boot) => {
                let link = Link {
                    index: boot.chain_index.get(),
                    previous: boot.previous,
                    payload: boot.encode()?,
                    signature,
                };
                self.other_chain_record(&link, |intake| intake.note_boot(boot))
            }
            ChainRecord::Gap(gap) => {
                let link = Link {
                    index: gap.chain_index.get(),
                    previous: gap.previous,
                    payload: gap.encode()?,
                    signature,
                };
                self.other_chain_record(&link, |intake| intake.note_gap(gap))
            }
        }
    }

    fn other_chain_record(
        &mut self,
        link: &Link,
        note: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Outcome> {
        if let Some(refusal) = self.out_of_range([("chain_index", link.index, MAX_INDEX)]) {
            return Ok(Outcome::Refused(refusal));
        }
        match self.check_link(link)? {
            Linked::Refused(refusal) => Ok(Outcome::Refused(refusal)),
            Linked::Known(received) => self.known_link(received),
            Linked::New => {
                note(self)?;
                self.insert_chain(link)?;
                Ok(Outcome::Stored(self.seen()?))
            }
        }
    }

    fn note_boot(&mut self, boot: &Boot) -> Result<()> {
        let stored: Option<Vec<u8>> = self
            .desk
            .connection
            .prepare_cached("SELECT last_boot FROM installations WHERE id = ?1")?
            .query_row([self.meter.id.0], |row| row.get(0))?;
        let newest = stored.map(|payload| Boot::decode(&payload)).transpose()?;
        if newest.is_some_and(|newest| newest.boot >= boot.boot) {
            return Ok(());
        }
        self.desk
            .connection
            .prepare_cached("UPDATE installations SET last_boot = ?2 WHERE id = ?1")?
            .execute(params![self.meter.id.0, &boot.encode()?[..]])?;
        self.desk.installation_event(self.meter.id);
        Ok(())
    }

    fn note_gap(&mut self, gap: &Gap) -> Result<()> {
        if gap.kind != GapKind::Records {
            return Ok(());
        }
        self.desk
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO gaps (meter, first_index, last_index, chain_index)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                self.meter.id.0,
                gap.first_index.get() as i64,
                gap.last_index.get() as i64,
                gap.chain_index.get() as i64
            ])?;
        Ok(())
    }

    fn status(&mut self, verified: &Verified<StatusReport>) -> Result<Outcome> {
        let report = verified.record();
        let payload = report.encode()?;
        let connection = self.desk.connection;
        let stored: Option<Vec<u8>> = connection
            .prepare_cached("SELECT status FROM installations WHERE id = ?1")?
            .query_row([self.meter.id.0], |row| row.get(0))?;
        let newest = stored
            .map(|payload| StatusReport::decode(&payload))
            .transpose()?;
        let age = |report: &StatusReport| (report.boot, report.uptime);
        if let Some(newest) = &newest
            && age(newest) >= age(report)
        {
            // Late or sent twice: what is newer stays.
            return self.duplicate(self.received);
        }
        connection
            .prepare_cached("UPDATE installations SET status = ?2 WHERE id = ?1")?
            .execute(params![self.meter.id.0, &payload[..]])?;
        connection
            .prepare_cached(
                "INSERT INTO status_reports (meter, payload, signature, received)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                self.meter.id.0,
                &payload[..],
                &verified.signature().bytes()[..],
                millis(self.received)
            ])?;
        connection
            .prepare_cached(
                "DELETE FROM status_reports WHERE meter = ?1 AND id <= (
                     SELECT id FROM status_reports WHERE meter = ?1
                     ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![self.meter.id.0, STATUS_REPORTS_KEPT])?;
        let event = self.desk.installation_event(self.meter.id);
        let mut receipt = self.seen()?;
        receipt.event = Some(event);
        Ok(Outcome::Stored(receipt))
    }

    /// Who sends what is held already need not be the meter: it was not heard of.
    fn duplicate(&self, received: Option<UtcMillis>) -> Result<Outcome> {
        Ok(Outcome::Duplicate(Receipt {
            installation: self.meter.id,
            received,
            next_index: chain_index(self.meter.head.next_index)?,
            sealed_in: None,
            event: None,
        }))
    }

    fn known_link(&mut self, received: Option<UtcMillis>) -> Result<Outcome> {
        self.advance()?;
        self.duplicate(received)
    }

    /// Refuses what a replaced meter measured after the record with which it ended.
    fn past_the_end(&self, sequence: Sequence) -> Result<Option<Refusal>> {
        match self.meter.ended {
            Some(ended) if sequence.get() > ended.last_sequence => self.replaced(ended).map(Some),
            _ => Ok(None),
        }
    }

    fn replaced(&self, ended: Ended) -> Result<Refusal> {
        Ok(Refusal::Replaced {
            installation: self.meter.id,
            by: ended.by,
            last_index: chain_index(ended.last_index)?,
        })
    }

    /// Where a record stands to the chain so far.
    fn check_link(&mut self, link: &Link) -> Result<Linked> {
        if let Some(ended) = self.meter.ended
            && link.index > ended.last_index
        {
            return Ok(Linked::Refused(self.replaced(ended)?));
        }
        if let Some((tip, digest)) = self.meter.head.tip {
            if link.index == tip + 1 {
                return if link.previous == digest {
                    Ok(Linked::New)
                } else {
                    self.broken_chain(link, link.index, digest, link.previous, None)
                };
            }
            if link.index <= tip {
                return self.check_link_below_tip(link);
            }
        }
        Ok(Linked::New)
    }

    fn check_link_below_tip(&mut self, link: &Link) -> Result<Linked> {
        let (connection, owner) = (self.desk.connection, self.owner());
        if let Some(stored) = chain_record(connection, owner, link.index)? {
            if stored.payload == link.payload[..] {
                return Ok(Linked::Known(stored.received));
            }
            return self.equivocating_chain(link, &stored);
        }
        let before = match link.index.checked_sub(1) {
            Some(index) => chain_record(connection, owner, index)?,
            None => None,
        };
        if let Some(before) = before {
            let digest = Hash::of(&[&before.payload]);
            if digest != link.previous {
                return self.broken_chain(link, link.index, digest, link.previous, Some(&before));
            }
        }
        if let Some(after) = chain_record(connection, owner, link.index + 1)? {
            let (digest, named) = (
                link.payload.digest(),
                ChainRecord::decode(&after.payload)?.previous(),
            );
            if digest != named {
                return self.broken_chain(link, after.index, digest, named, Some(&after));
            }
        }
        Ok(Linked::New)
    }

    fn equivocating_chain(&mut self, link: &Link, stored: &ChainRow) -> Result<Linked> {
        self.evidence(NewEvidence {
            kind: FindingKind::EquivocatingChain,
            number: link.index,
            stored: &stored.payload,
            stored_signature: Some(&stored.signature),
            stored_in: None,
            refused: &link.payload,
            refused_signature: Some(&link.signature),
            refused_readings: None,
        })?;
        Ok(Linked::Refused(Refusal::EquivocatingChain {
            installation: self.meter.id,
            index: chain_index(link.index)?,
            stored: Hash::of(&[&stored.payload]),
            got: link.payload.digest(),
        }))
    }

    fn broken_chain(
        &mut self,
        link: &Link,
        index: u64,
        expected: Hash,
        got: Hash,
        neighbour: Option<&ChainRow>,
    ) -> Result<Linked> {
        let tip = match neighbour {
            Some(_) => None,
            None => chain_record(self.desk.connection, self.owner(), link.index - 1)?,
        };
        let stored = neighbour.or(tip.as_ref());
        self.evidence(NewEvidence {
            kind: FindingKind::BrokenChain,
            number: link.index,
            stored: stored.map_or(&[], |row| &row.payload),
            stored_signature: stored.map(|row| &row.signature),
            stored_in: None,
            refused: &link.payload,
            refused_signature: Some(&link.signature),
            refused_readings: None,
        })?;
        Ok(Linked::Refused(Refusal::BrokenChain {
            installation: self.meter.id,
            index: chain_index(index)?,
            expected,
            got,
        }))
    }

    fn insert_chain(&mut self, link: &Link) -> Result<()> {
        self.desk
            .connection
            .prepare_cached(
                "INSERT INTO chain (meter, chain_index, received, payload, signature)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                self.meter.id.0,
                link.index as i64,
                millis(self.received),
                without_header(&link.payload),
                &link.signature.bytes()[..]
            ])?;
        if let Some(sealed) = &mut self.meter.sealed
            && sealed.tip + 1 == link.index
        {
            sealed.tip = link.index;
        }
        let head = &mut self.meter.head;
        if head.tip.is_none_or(|(tip, _)| tip < link.index) {
            head.tip = Some((link.index, link.payload.digest()));
        }
        if head.next_index == link.index {
            head.next_index += 1;
        }
        self.desk.touch();
        self.advance()
    }

    /// Moves the index that is expected next past what is held or covered by a Gap.
    fn advance(&mut self) -> Result<()> {
        let tip = self.meter.head.tip.map_or(0, |(tip, _)| tip);
        let mut steps = 0;
        while self.meter.head.next_index <= tip && steps < MAX_STEPS {
            let next = self.meter.head.next_index;
            let past = if self.is_held_alone(next)? {
                steps += 1;
                next + 1
            } else {
                steps += STEPS_PER_CHUNK;
                let past = match self.past_run_in_chunk(next)? {
                    Some(past) => Some(past),
                    None => self.past_gap(next)?,
                };
                match past {
                    Some(past) => past,
                    None => break,
                }
            };
            self.meter.head.next_index = past;
            self.desk.touch();
        }
        Ok(())
    }

    fn is_held_alone(&self, index: u64) -> Result<bool> {
        Ok(self
            .desk
            .connection
            .prepare_cached("SELECT 1 FROM chain WHERE meter = ?1 AND chain_index = ?2")?
            .exists(params![self.meter.id.0, index as i64])?)
    }

    /// The index after a window in a chunk and those that follow it there.
    fn past_run_in_chunk(&self, index: u64) -> Result<Option<u64>> {
        let Some(rowid) = chunk_with_index(self.desk.connection, self.meter.id, index)? else {
            return Ok(None);
        };
        let chunk = load_chunk(self.desk.connection, self.owner(), rowid)?;
        let mut past = index;
        for part in chunk.parts() {
            if part.index.get() == past {
                past += 1;
            }
        }
        Ok((past > index).then_some(past))
    }

    fn past_gap(&self, index: u64) -> Result<Option<u64>> {
        let last: Option<i64> = self
            .desk
            .connection
            .prepare_cached(
                "SELECT max(last_index) FROM gaps
                 WHERE meter = ?1 AND first_index <= ?2 AND last_index >= ?2",
            )?
            .query_row(params![self.meter.id.0, index as i64], |row| row.get(0))?;
        Ok(last.map(|last| last as u64 + 1))
    }

    fn out_of_range<const N: usize>(
        &self,
        fields: [(&'static str, u64, u64); N],
    ) -> Option<Refusal> {
        fields
            .into_iter()
            .find(|(_, value, most)| value > most)
            .map(|(field, value, _)| Refusal::OutOfRange {
                installation: self.meter.id,
                field,
                value,
            })
    }

    fn produced_fell(&mut self, verified: &Verified<AnyReading>) -> Result<Outcome> {
        let sequence = verified.record().sum().sequence;
        let payload = verified.record().encode()?;
        let neighbour = point_before(self.desk.connection, self.owner(), sequence)?
            .map(|before| find(self.desk.connection, self.owner(), before.sequence))
            .transpose()?
            .flatten();
        let stored = neighbour
            .as_ref()
            .map(|stored| stored.reading.encode())
            .transpose()?;
        self.evidence(NewEvidence {
            kind: FindingKind::ProducedFell,
            number: sequence.get(),
            stored: stored.as_deref().unwrap_or(&[]),
            stored_signature: neighbour.as_ref().and_then(|stored| match &stored.proof {
                Proof::Signature(signature) => Some(signature),
                Proof::Window { .. } => None,
            }),
            stored_in: neighbour.as_ref().and_then(|stored| match stored.proof {
                Proof::Signature(_) => None,
                Proof::Window { index, .. } => Some(index),
            }),
            refused: &payload,
            refused_signature: Some(verified.signature()),
            refused_readings: None,
        })?;
        Ok(Outcome::Refused(Refusal::ProducedFell {
            installation: self.meter.id,
            sequence,
        }))
    }

    /// A window whose leaf differs from a reading that was signed alone.
    fn contradiction(
        &mut self,
        verified: &Verified<Window>,
        readings: Option<&WindowReadings>,
        stored: &StoredReading,
    ) -> Result<Outcome> {
        let window = verified.record();
        let (first, second) = (stored.reading.encode()?, window.encode()?);
        self.evidence(NewEvidence {
            kind: FindingKind::WindowContradictsReading,
            number: window.chain_index.get(),
            stored: &first,
            stored_signature: match &stored.proof {
                Proof::Signature(signature) => Some(signature),
                Proof::Window { .. } => None,
            },
            stored_in: None,
            refused: &second,
            refused_signature: Some(verified.signature()),
            refused_readings: readings.map(WindowReadings::packed),
        })?;
        Ok(Outcome::Refused(Refusal::WindowContradictsReading {
            installation: self.meter.id,
            index: window.chain_index,
            sequence: stored.reading.sum().sequence,
        }))
    }

    /// A late reading that cannot be the last one of a window that was stored without readings.
    fn contradicted_by_bare_window(
        &mut self,
        verified: &Verified<AnyReading>,
        window: &Window,
    ) -> Result<Outcome> {
        let sequence = verified.record().sum().sequence;
        let (first, second) = (window.encode()?, verified.record().encode()?);
        let signature = chain_record(self.desk.connection, self.owner(), window.chain_index.get())?
            .map(|row| row.signature);
        self.evidence(NewEvidence {
            kind: FindingKind::WindowContradictsReading,
            number: window.chain_index.get(),
            stored: &first,
            stored_signature: signature.as_ref(),
            stored_in: None,
            refused: &second,
            refused_signature: Some(verified.signature()),
            refused_readings: None,
        })?;
        Ok(Outcome::Refused(Refusal::WindowContradictsReading {
            installation: self.meter.id,
            index: window.chain_index,
            sequence,
        }))
    }

    fn evidence(&mut self, evidence: NewEvidence<'_>) -> Result<()> {
        if record_evidence(
            self.desk.connection,
            self.meter.id,
            &evidence,
            self.received,
        )? {
            self.desk.installation_event(self.meter.id);
        }
        Ok(())
    }
}

/// A chain record on its way in.
struct Link {
    index: u64,
    previous: Hash,
    payload: Payload,
    signature: Signature,
}

enum Linked {
    New,
    /// The very same record is held since then.
    Known(Option<UtcMillis>),
    Refused(Refusal),
}

/// Whether a reading can lie in a window of which only the ends are known.
fn fits_ends(window: &Window, reading: &Reading) -> bool {
    let is_first = reading.sequence == window.first_sequence;
    let is_last = reading.sequence == window.last_sequence;
    reading.boot == window.boot
        && (window.produced_open..=window.produced_close).contains(&reading.produced)
        && (!is_first || reading.time == window.first_time)
        && (!is_last
            || (reading.produced, reading.time) == (window.produced_close, window.last_time))
}

/// Whether `produced` falls from one point to the next.
fn falls<'a>(points: impl Iterator<Item = &'a Point>) -> bool {
    !points.map(|point| point.produced).is_sorted()
}

/// The first live reading that is not the leaf at its place.
fn first_difference<'a>(
    readings: &WindowReadings,
    live: &'a [StoredReading],
) -> Option<&'a StoredReading> {
    let first = readings.readings().first()?.sum().sequence.get();
    live.iter().find(|stored| {
        let place = stored.reading.sum().sequence.get().checked_sub(first);
        let leaf = place.and_then(|place| readings.readings().get(usize::try_from(place).ok()?));
        leaf != Some(&stored.reading)
    })
}

fn time_bounds(readings: &[AnyReading]) -> (Option<UtcMillis>, Option<UtcMillis>) {
    let times = || {
        readings
            .iter()
            .filter_map(|reading| reading.sum().time)
            .filter(|time| calendar_seconds(Some(*time)).is_some())
    };
    (times().min(), times().max())
}

/// A time by which lists are ordered; an impossible one is as good as unknown.
fn list_time(time: Option<UtcMillis>) -> Option<i64> {
    calendar_seconds(time)?;
    millis(time)
}
