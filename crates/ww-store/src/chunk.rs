//! A run of windows in compact columns: readings, records and signatures in a few bytes each. What
//! can be computed again is left out: roots from the readings, links from the digests. No SQL.
//!
//! ```text
//! version ‖ kind of reading ‖ window table ‖ 64 bytes of signature per window ‖ columns
//! ```
//!
//! A column is one field of all readings, as the difference from what the columns before it let one
//! expect, divided by the greatest common divisor, coded by pcodec.

use core::ops::Range;

use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};
use ww_wire::chain::MAX_WINDOW_READINGS;
use ww_wire::field::Field;
use ww_wire::merkle::{TreeBuilder, leaf_hash};
use ww_wire::{
    AnyReading, BootCounter, ChainIndex, CounterEpoch, Hash, MeterId, MilliwattHours, Phase,
    Reading, ReadingFlags, Record, RecordType, Rule, Sequence, Signature, TimeQuality, Unit,
    UptimeMillis, UtcMillis, Window, WindowFlags,
};

use crate::varint::{self, Bytes, Unreadable};

const VERSION: u8 = 1;

/// The most windows in one chunk: those of a day, on the grid.
pub(crate) const MAX_WINDOWS: usize = 144;

/// Readings are expected so far apart when the chunk itself does not tell.
const GRID_STEP_MS: i64 = 10_000;

/// Why a chunk cannot be made or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChunkError {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("chunk version {0} is not known")]
    UnknownVersion(u8),
    #[error("pcodec failed: {0}")]
    Pcodec(String),
    #[error("the windows of a chunk are of one meter, one kind, in order, with all their readings")]
    Unfit,
    #[error("a rebuilt record is not valid: {0}")]
    Rule(#[from] Rule),
}

impl From<pco::errors::PcoError> for ChunkError {
    fn from(error: pco::errors::PcoError) -> Self {
        Self::Pcodec(error.to_string())
    }
}

/// A window with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedWindow {
    pub(crate) window: Window,
    pub(crate) signature: Signature,
    /// Kept to the second.
    pub(crate) received: Option<UtcMillis>,
}

/// One window within a chunk, as far as it is known without hashing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) index: ChainIndex,
    pub(crate) first_sequence: Sequence,
    pub(crate) received: Option<UtcMillis>,
    readings: Range<usize>,
    boot: BootCounter,
    flags: WindowFlags,
    produced_open: MilliwattHours,
    /// `None` when it is the digest of the window before in this chunk.
    previous: Option<Hash>,
    pub(crate) enrolment: Hash,
    firmware: Hash,
    log_size: u64,
    log_root: Hash,
}

impl Part {
    /// How many readings it has.
    pub(crate) const fn count(&self) -> usize {
        self.readings.end - self.readings.start
    }

    /// The number of its last reading.
    pub(crate) const fn last_sequence(&self) -> u64 {
        self.first_sequence.get() + self.count() as u64 - 1
    }
}

/// An unpacked chunk.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    meter: MeterId,
    parts: Vec<Part>,
    signatures: Vec<Signature>,
    readings: Vec<AnyReading>,
}

/// Bits of a window's line: what is not as the window before lets one expect.
mod differs {
    pub(super) const INDEX: u64 = 1;
    pub(super) const SEQUENCE: u64 = 1 << 1;
    pub(super) const COUNT: u64 = 1 << 2;
    pub(super) const BOOT: u64 = 1 << 3;
    pub(super) const RECEIVED: u64 = 1 << 4;
    pub(super) const LOG: u64 = 1 << 5;
    pub(super) const ENROLMENT: u64 = 1 << 6;
    pub(super) const FLAGS: u64 = 1 << 7;
    pub(super) const PREVIOUS: u64 = 1 << 8;
    pub(super) const PRODUCED_OPEN: u64 = 1 << 9;
    pub(super) const FIRMWARE: u64 = 1 << 10;
}

/// What the line of the next window is coded against.
struct Expected {
    index: u64,
    sequence: u64,
    count: usize,
    boot: u64,
    /// Seconds since 1970 plus one; 0 for unknown.
    received: u64,
    log: (u64, Hash),
    enrolment: Hash,
    firmware: Hash,
    flags: u16,
}

impl Expected {
    const FIRST: Self = Self {
        index: 0,
        sequence: 1,
        count: 60,
        boot: 1,
        received: 0,
        log: (0, Hash::ZERO),
        enrolment: Hash::ZERO,
        firmware: Hash::ZERO,
        flags: 0,
    };
}

/// Codes windows with their readings, in order of chain and sequence.
///
/// # Errors
/// [`ChunkError::Unfit`] for what is no such run; the others never for valid records.
pub(crate) fn encode(
    sealed: &[SealedWindow],
    readings: &[AnyReading],
) -> Result<Vec<u8>, ChunkError> {
    let kind = readings.first().ok_or(ChunkError::Unfit)?.record_type();
    let mut out = vec![VERSION, kind as u8];
    varint::put(&mut out, sealed.len() as u64);
    encode_windows(sealed, readings, &mut out)?;
    for window in sealed {
        out.extend_from_slice(window.signature.bytes());
    }
    encode_readings(kind, readings, &mut out)?;
    Ok(out)
}

fn encode_windows(
    sealed: &[SealedWindow],
    readings: &[AnyReading],
    out: &mut Vec<u8>,
) -> Result<(), ChunkError> {
    let mut expected = Expected::FIRST;
    let mut before: Option<(&Window, Hash)> = None;
    let mut rest = readings;
    for SealedWindow {
        window, received, ..
    } in sealed
    {
        let (own, others) = rest
            .split_at_checked(window.count as usize)
            .ok_or(ChunkError::Unfit)?;
        rest = others;
        let (index, sequence) = (window.chain_index.get(), window.first_sequence.get());
        if index < expected.index
            || sequence < expected.sequence
            || own.first().map(|first| first.sum().sequence) != Some(window.first_sequence)
        {
            return Err(ChunkError::Unfit);
        }
        let link =
            before.filter(|(before, _)| before.chain_index.next() == Some(window.chain_index));
        let received = received.map_or(0, |received| received.seconds() + 1);
        let mut line = Vec::with_capacity(16);
        let mut bits = 0;
        if index != expected.index {
            bits |= differs::INDEX;
            varint::put(&mut line, index - expected.index);
        }
        if sequence != expected.sequence {
            bits |= differs::SEQUENCE;
            varint::put(&mut line, sequence - expected.sequence);
        }
        if own.len() != expected.count {
            bits |= differs::COUNT;
            varint::put(&mut line, own.len() as u64);
        }
        let boot = u64::from(window.boot.get());
        if boot != expected.boot {
            bits |= differs::BOOT;
            varint::put(&mut line, boot);
        }
        if received != expected.received {
            bits |= differs::RECEIVED;
            varint::put_signed(&mut line, received.wrapping_sub(expected.received) as i64);
        }
        if (window.log_size, window.log_root) != expected.log {
            bits |= differs::LOG;
            varint::put(&mut line, window.log_size);
            line.extend_from_slice(&window.log_root.0);
        }
        if window.enrolment != expected.enrolment {
            bits |= differs::ENROLMENT;
            line.extend_from_slice(&window.enrolment.0);
        }
        if window.firmware != expected.firmware {
            bits |= differs::FIRMWARE;
            line.extend_from_slice(&window.firmware.0);
        }
        if window.flags.bits() != expected.flags {
            bits |= differs::FLAGS;
            varint::put(&mut line, u64::from(window.flags.bits()));
        }
        if link.is_none_or(|(_, digest)| digest != window.previous) {
            bits |= differs::PREVIOUS;
            line.extend_from_slice(&window.previous.0);
        }
        if before.map(|(before, _)| before.produced_close) != Some(window.produced_open) {
            bits |= differs::PRODUCED_OPEN;
            varint::put(&mut line, window.produced_open.get());
        }
        varint::put(out, bits);
        out.extend_from_slice(&line);
        expected = Expected {
            index: index + 1,
            sequence: sequence + own.len() as u64,
            count: own.len(),
            boot,
            received: expect_received(received),
            log: (window.log_size, window.log_root),
            enrolment: window.enrolment,
            firmware: window.firmware,
            flags: window.flags.bits(),
        };
        before = Some((window, window.encode()?.digest()));
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(ChunkError::Unfit)
    }
}

/// The next window is expected to arrive ten minutes later.
const fn expect_received(received: u64) -> u64 {
    if received == 0 {
        0
    } else {
        received + ww_wire::chain::WINDOW_MS / 1000
    }
}

impl Chunk {
    /// Reads what [`encode`] wrote.
    ///
    /// # Errors
    /// Any [`ChunkError`] but [`ChunkError::Unfit`].
    pub(crate) fn decode(meter: MeterId, body: &[u8]) -> Result<Self, ChunkError> {
        let mut bytes = Bytes(body);
        let [version, kind] = bytes.array()?;
        if version != VERSION {
            return Err(ChunkError::UnknownVersion(version));
        }
        let kind = RecordType::of(&[kind]).map_err(|_| Unreadable)?;
        let windows: usize = bytes.number()?;
        let mut parts = decode_windows(windows, &mut bytes)?;
        let mut signatures = Vec::with_capacity(parts.len());
        for _ in 0..windows {
            signatures.push(Signature::from_low_s(bytes.array()?).map_err(|_| Unreadable)?);
        }
        let readings = decode_readings(meter, kind, &parts, &mut bytes)?;
        // A window opens at the close of the one before unless its line says otherwise.
        let mut close: Option<MilliwattHours> = None;
        for part in &mut parts {
            if part.produced_open == MilliwattHours::MAX {
                part.produced_open = close.ok_or(Unreadable)?;
            }
            close = readings[part.readings.clone()]
                .last()
                .map(|last| last.sum().produced);
        }
        Ok(Self {
            meter,
            parts,
            signatures,
            readings,
        })
    }

    /// The windows as far as they are known without hashing.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// All readings, in order.
    pub(crate) fn readings(&self) -> &[AnyReading] {
        &self.readings
    }

    /// The readings of one window.
    pub(crate) fn readings_of(&self, part: &Part) -> &[AnyReading] {
        &self.readings[part.readings.clone()]
    }

    /// The windows, with roots and links computed again.
    ///
    /// # Errors
    /// [`ChunkError::Rule`], [`ChunkError::Unreadable`] for what was not made by [`encode`].
    pub(crate) fn windows(&self) -> Result<Vec<SealedWindow>, ChunkError> {
        let mut windows = Vec::with_capacity(self.parts.len());
        let mut digest = None;
        for (part, signature) in self.parts.iter().zip(&self.signatures) {
            let window = self.window(part, digest)?;
            digest = Some(window.encode()?.digest());
            windows.push(SealedWindow {
                window,
                signature: *signature,
                received: part.received,
            });
        }
        Ok(windows)
    }

    fn window(&self, part: &Part, before: Option<Hash>) -> Result<Window, ChunkError> {
        let readings = self.readings_of(part);
        let (first, last) = readings.first().zip(readings.last()).ok_or(Unreadable)?;
        let mut tree = TreeBuilder::new();
        for reading in readings {
            tree.push_leaf_hash(leaf_hash(&reading.encode()?));
        }
        Ok(Window {
            meter: self.meter,
            chain_index: part.index,
            previous: part.previous.or(before).ok_or(Unreadable)?,
            boot: part.boot,
            first_sequence: part.first_sequence,
            last_sequence: last.sum().sequence,
            count: readings.len() as u32,
            first_time: first.sum().time,
            last_time: last.sum().time,
            produced_open: part.produced_open,
            produced_close: last.sum().produced,
            root: tree.root(),
            enrolment: part.enrolment,
            firmware: part.firmware,
            log_size: part.log_size,
            log_root: part.log_root,
            flags: part.flags,
        })
    }
}

fn decode_windows(count: usize, bytes: &mut Bytes<'_>) -> Result<Vec<Part>, ChunkError> {
    let mut expected = Expected::FIRST;
    let mut parts = Vec::new();
    let mut at = 0_usize;
    for _ in 0..count {
        let bits = bytes.unsigned()?;
        let has = |bit| bits & bit != 0;
        if has(differs::INDEX) {
            expected.index = expected
                .index
                .checked_add(bytes.unsigned()?)
                .ok_or(Unreadable)?;
        }
        if has(differs::SEQUENCE) {
            expected.sequence = expected
                .sequence
                .checked_add(bytes.unsigned()?)
                .ok_or(Unreadable)?;
        }
        if has(differs::COUNT) {
            expected.count = bytes.number()?;
        }
        if has(differs::BOOT) {
            expected.boot = bytes.unsigned()?;
        }
        if has(differs::RECEIVED) {
            expected.received = expected.received.wrapping_add(bytes.signed()? as u64);
        }
        if has(differs::LOG) {
            expected.log = (bytes.unsigned()?, Hash(bytes.array()?));
        }
        if has(differs::ENROLMENT) {
            expected.enrolment = Hash(bytes.array()?);
        }
        if has(differs::FIRMWARE) {
            expected.firmware = Hash(bytes.array()?);
        }
        if has(differs::FLAGS) {
            expected.flags = bytes.number()?;
        }
        let previous = if has(differs::PREVIOUS) {
            Some(Hash(bytes.array()?))
        } else {
            None
        };
        let produced_open = if has(differs::PRODUCED_OPEN) {
            MilliwattHours::new(bytes.unsigned()?).ok_or(Unreadable)?
        } else {
            MilliwattHours::MAX
        };
        if expected.count == 0 || expected.count > MAX_WINDOW_READINGS as usize {
            return Err(Unreadable.into());
        }
        let boot = u32::try_from(expected.boot).map_err(|_| Unreadable)?;
        let received = expected.received.checked_sub(1);
        parts.push(Part {
            index: ChainIndex::new(expected.index).ok_or(Unreadable)?,
            first_sequence: Sequence::new(expected.sequence).ok_or(Unreadable)?,
            received: received
                .and_then(|seconds| seconds.checked_mul(1000))
                .and_then(UtcMillis::new),
            readings: at..at + expected.count,
            boot: BootCounter::new(boot).ok_or(Unreadable)?,
            flags: WindowFlags::from_bits(expected.flags).ok_or(Unreadable)?,
            produced_open,
            previous,
            enrolment: expected.enrolment,
            firmware: expected.firmware,
            log_size: expected.log.0,
            log_root: expected.log.1,
        });
        at += expected.count;
        expected.index = expected.index.checked_add(1).ok_or(Unreadable)?;
        expected.sequence = expected
            .sequence
            .checked_add(expected.count as u64)
            .ok_or(Unreadable)?;
        expected.received = expect_received(expected.received);
    }
    Ok(parts)
}

/// The columns of a reading, before any transformation, in the order in which they are written.
/// An absent value repeats the one before, so that it costs little.
#[derive(Default)]
struct Columns {
    present: Vec<i64>,
    time_quality: Vec<i64>,
    flags: Vec<i64>,
    counter_epoch: Vec<i64>,
    time: Vec<i64>,
    uptime: Vec<i64>,
    power: Vec<i64>,
    import_total: Vec<i64>,
    export_total: Vec<i64>,
    produced: Vec<i64>,
    voltage: Vec<i64>,
    current: Vec<i64>,
    reactive_power: Vec<i64>,
    temperature: Vec<i64>,
    phases_present: Vec<i64>,
    /// Power, voltage, current, import and export total of phases A, B, C.
    phases: [[Vec<i64>; 5]; 3],
}

/// Notes whether a value is there, and repeats the last one if it is not.
fn push_optional(column: &mut Vec<i64>, present: &mut i64, bit: u32, value: Option<i64>) {
    if value.is_some() {
        *present |= 1 << bit;
    }
    let last = column.last().copied().unwrap_or(0);
    column.push(value.unwrap_or(last));
}

impl Columns {
    fn push(&mut self, reading: &AnyReading) {
        let sum = reading.sum();
        let mut present = 0;
        let energy = |value: Option<MilliwattHours>| value.map(|value| value.get() as i64);
        push_optional(
            &mut self.time,
            &mut present,
            0,
            sum.time.map(|v| v.get() as i64),
        );
        push_optional(&mut self.power, &mut present, 1, sum.power.map(|v| v.get()));
        push_optional(
            &mut self.import_total,
            &mut present,
            2,
            energy(sum.import_total),
        );
        push_optional(
            &mut self.export_total,
            &mut present,
            3,
            energy(sum.export_total),
        );
        push_optional(
            &mut self.voltage,
            &mut present,
            4,
            sum.voltage.map(|v| v.get().into()),
        );
        push_optional(
            &mut self.current,
            &mut present,
            5,
            sum.current.map(|v| v.get().into()),
        );
        push_optional(
            &mut self.reactive_power,
            &mut present,
            6,
            sum.reactive_power.map(|v| v.get()),
        );
        push_optional(
            &mut self.temperature,
            &mut present,
            7,
            sum.temperature.map(|v| v.get().into()),
        );
        self.present.push(present);
        self.time_quality.push(sum.time_quality as i64);
        self.flags.push(sum.flags.bits().into());
        self.counter_epoch.push(sum.counter_epoch.get().into());
        self.uptime.push(sum.uptime.get() as i64);
        self.produced.push(sum.produced.get() as i64);
        if let Some(phases) = reading.phases() {
            self.push_phases(phases);
        }
    }

    fn push_phases(&mut self, phases: &[Phase; 3]) {
        let mut present = 0;
        for (at, (phase, columns)) in (0..).step_by(5).zip(phases.iter().zip(&mut self.phases)) {
            let energy = |value: Option<MilliwattHours>| value.map(|value| value.get() as i64);
            let [power, voltage, current, import_total, export_total] = columns;
            push_optional(power, &mut present, at, phase.power.map(|v| v.get()));
            push_optional(
                voltage,
                &mut present,
                at + 1,
                phase.voltage.map(|v| v.get().into()),
            );
            push_optional(
                current,
                &mut present,
                at + 2,
                phase.current.map(|v| v.get().into()),
            );
            push_optional(
                import_total,
                &mut present,
                at + 3,
                energy(phase.import_total),
            );
            push_optional(
                export_total,
                &mut present,
                at + 4,
                energy(phase.export_total),
            );
        }
        self.phases_present.push(present);
    }
}

fn encode_readings(
    kind: RecordType,
    readings: &[AnyReading],
    out: &mut Vec<u8>,
) -> Result<(), ChunkError> {
    let mut columns = Columns::default();
    for reading in readings {
        if reading.record_type() != kind {
            return Err(ChunkError::Unfit);
        }
        columns.push(reading);
    }
    let step = usual_step(&columns.time);
    varint::put(out, step as u64);
    let counter = followed_counter(&columns);
    out.push(u8::from(counter == Counter::Export));
    let (slots, phase) = split_time(step, &columns.time);
    for column in [
        &columns.present,
        &columns.time_quality,
        &columns.flags,
        &columns.counter_epoch,
        &slots,
        &phase,
        &drift(&columns.time, &columns.uptime),
        &columns.power,
        &produced_apart(&columns, counter),
        &columns.temperature,
    ] {
        put_column(column, out)?;
    }
    let (time, power) = (&columns.time, &columns.power);
    put_counter(&columns.import_total, time, power, Counter::Import, out)?;
    put_counter(&columns.export_total, time, power, Counter::Export, out)?;
    put_beside(&columns.voltage, power, out)?;
    put_beside(&columns.current, power, out)?;
    put_beside(&columns.reactive_power, power, out)?;
    if kind == RecordType::ThreePhaseReading {
        put_column(&columns.phases_present, out)?;
        for [own_power, voltage, current, import_total, export_total] in &columns.phases {
            put_beside(own_power, power, out)?;
            put_beside(voltage, own_power, out)?;
            put_beside(current, own_power, out)?;
            put_counter(import_total, time, own_power, Counter::Import, out)?;
            put_counter(export_total, time, own_power, Counter::Export, out)?;
        }
    }
    Ok(())
}

fn decode_readings(
    meter: MeterId,
    kind: RecordType,
    parts: &[Part],
    bytes: &mut Bytes<'_>,
) -> Result<Vec<AnyReading>, ChunkError> {
    let count = parts.last().map_or(0, |part| part.readings.end);
    let step = bytes.number::<i64>()?;
    let counter = match bytes.array()? {
        [0] => Counter::Import,
        [1] => Counter::Export,
        _ => return Err(Unreadable.into()),
    };
    let mut columns = Columns {
        present: take_column(count, bytes)?,
        time_quality: take_column(count, bytes)?,
        flags: take_column(count, bytes)?,
        counter_epoch: take_column(count, bytes)?,
        ..Columns::default()
    };
    let slots = take_column(count, bytes)?;
    columns.time = join_time(step, &slots, &take_column(count, bytes)?);
    columns.uptime = undrift(&columns.time, &take_column(count, bytes)?);
    columns.power = take_column(count, bytes)?;
    let apart = take_column(count, bytes)?;
    columns.temperature = take_column(count, bytes)?;
    let (time, power) = (&columns.time, &columns.power);
    columns.import_total = take_counter(count, time, power, Counter::Import, bytes)?;
    columns.export_total = take_counter(count, time, power, Counter::Export, bytes)?;
    columns.voltage = take_beside(count, power, bytes)?;
    columns.current = take_beside(count, power, bytes)?;
    columns.reactive_power = take_beside(count, power, bytes)?;
    if kind == RecordType::ThreePhaseReading {
        columns.phases_present = take_column(count, bytes)?;
        for phase in &mut columns.phases {
            let own_power = take_beside(count, power, bytes)?;
            let voltage = take_beside(count, &own_power, bytes)?;
            let current = take_beside(count, &own_power, bytes)?;
            let import_total = take_counter(count, time, &own_power, Counter::Import, bytes)?;
            let export_total = take_counter(count, time, &own_power, Counter::Export, bytes)?;
            *phase = [own_power, voltage, current, import_total, export_total];
        }
    }
    if !bytes.is_empty() {
        return Err(Unreadable.into());
    }
    columns.produced = undrift(counter_column(&columns, counter), &apart);
    let mut readings = Vec::with_capacity(count);
    for part in parts {
        for at in part.readings.clone() {
            let place = (at - part.readings.start) as u64;
            let sum = columns.sum(meter, part, place, at)?;
            let phases = match kind {
                RecordType::ThreePhaseReading => Some(columns.phases(at)?),
                _ => None,
            };
            readings.push(AnyReading::new(sum, phases));
        }
    }
    Ok(readings)
}

impl Columns {
    fn sum(
        &self,
        meter: MeterId,
        part: &Part,
        place: u64,
        at: usize,
    ) -> Result<Reading, Unreadable> {
        let present = self.present[at];
        let sequence = part.first_sequence.get().checked_add(place);
        Ok(Reading {
            meter,
            boot: part.boot,
            sequence: sequence.and_then(Sequence::new).ok_or(Unreadable)?,
            time: unsigned64(present, 0, self.time[at])?,
            uptime: UptimeMillis::new(self.uptime[at] as u64).ok_or(Unreadable)?,
            time_quality: TimeQuality::take(&[narrow::<u8>(self.time_quality[at])?])
                .map_err(|_| Unreadable)?,
            power: signed64(present, 1, self.power[at])?,
            import_total: unsigned64(present, 2, self.import_total[at])?,
            export_total: unsigned64(present, 3, self.export_total[at])?,
            counter_epoch: CounterEpoch::new(narrow(self.counter_epoch[at])?).ok_or(Unreadable)?,
            produced: MilliwattHours::new(self.produced[at] as u64).ok_or(Unreadable)?,
            voltage: narrowed(present, 4, self.voltage[at])?,
            current: narrowed(present, 5, self.current[at])?,
            reactive_power: signed64(present, 6, self.reactive_power[at])?,
            temperature: narrowed(present, 7, self.temperature[at])?,
            flags: ReadingFlags::from_bits(narrow(self.flags[at])?).ok_or(Unreadable)?,
        })
    }

    fn phases(&self, at: usize) -> Result<[Phase; 3], Unreadable> {
        let present = self.phases_present[at];
        let mut phases = [Phase::ABSENT; 3];
        for (bit, (phase, columns)) in (0..).step_by(5).zip(phases.iter_mut().zip(&self.phases)) {
            let [power, voltage, current, import_total, export_total] = columns;
            *phase = Phase {
                power: signed64(present, bit, power[at])?,
                voltage: narrowed(present, bit + 1, voltage[at])?,
                current: narrowed(present, bit + 2, current[at])?,
                import_total: unsigned64(present, bit + 3, import_total[at])?,
                export_total: unsigned64(present, bit + 4, export_total[at])?,
            };
        }
        Ok(phases)
    }
}

fn optional<U: Unit>(present: i64, bit: u32, raw: U::Raw) -> Result<Option<U>, Unreadable> {
    if present >> bit & 1 == 0 {
        return Ok(None);
    }
    U::from_raw(raw).map(Some).ok_or(Unreadable)
}

fn unsigned64<U: Unit<Raw = u64>>(
    present: i64,
    bit: u32,
    raw: i64,
) -> Result<Option<U>, Unreadable> {
    optional(present, bit, raw as u64)
}

fn signed64<U: Unit<Raw = i64>>(present: i64, bit: u32, raw: i64) -> Result<Option<U>, Unreadable> {
    optional(present, bit, raw)
}

fn narrowed<U: Unit>(present: i64, bit: u32, raw: i64) -> Result<Option<U>, Unreadable>
where
    U::Raw: TryFrom<i64>,
{
    // What an absent value repeats need not fit.
    if present >> bit & 1 == 0 {
        return Ok(None);
    }
    optional(present, bit, narrow(raw)?)
}

fn narrow<T: TryFrom<i64>>(raw: i64) -> Result<T, Unreadable> {
    T::try_from(raw).map_err(|_| Unreadable)
}

/// The distance at which most readings follow one another.
fn usual_step(time: &[i64]) -> i64 {
    let mut steps: Vec<i64> = time
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .collect();
    if steps.is_empty() {
        return GRID_STEP_MS;
    }
    let middle = steps.len() / 2;
    let (_, &mut median, _) = steps.select_nth_unstable(middle);
    let seconds = median.saturating_add(500) / 1000;
    if (1..=600).contains(&seconds) {
        seconds * 1000
    } else {
        GRID_STEP_MS
    }
}

/// Splits times into the count of grid steps since the last one, less one, and the distance from
/// the grid: the jitter of each stands for itself.
fn split_time(step: i64, time: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let mut slot_before = 0_i64;
    time.iter()
        .map(|time| {
            let slot = time.wrapping_add(step / 2).div_euclid(step);
            let skipped = slot.wrapping_sub(slot_before).wrapping_sub(1);
            slot_before = slot;
            (skipped, time.wrapping_sub(slot.wrapping_mul(step)))
        })
        .unzip()
}

fn join_time(step: i64, slots: &[i64], phase: &[i64]) -> Vec<i64> {
    let mut slot = 0_i64;
    slots
        .iter()
        .zip(phase)
        .map(|(skipped, phase)| {
            slot = slot.wrapping_add(*skipped).wrapping_add(1);
            slot.wrapping_mul(step).wrapping_add(*phase)
        })
        .collect()
}

/// Uptime and time go on alike until one of them steps.
fn drift(time: &[i64], uptime: &[i64]) -> Vec<i64> {
    let mut before = 0_i64;
    time.iter()
        .zip(uptime)
        .map(|(time, uptime)| {
            let apart = uptime.wrapping_sub(*time);
            let drift = apart.wrapping_sub(before);
            before = apart;
            drift
        })
        .collect()
}

fn undrift(time: &[i64], drift: &[i64]) -> Vec<i64> {
    let mut apart = 0_i64;
    time.iter()
        .zip(drift)
        .map(|(time, drift)| {
            apart = apart.wrapping_add(*drift);
            time.wrapping_add(apart)
        })
        .collect()
}

/// Which counter of the sensor `produced` follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counter {
    Import,
    Export,
}

fn counter_column(columns: &Columns, counter: Counter) -> &[i64] {
    match counter {
        Counter::Import => &columns.import_total,
        Counter::Export => &columns.export_total,
    }
}

fn followed_counter(columns: &Columns) -> Counter {
    let strays = |counter| {
        produced_apart(columns, counter)
            .iter()
            .filter(|apart| **apart != 0)
            .count()
    };
    if strays(Counter::Import) <= strays(Counter::Export) {
        Counter::Import
    } else {
        Counter::Export
    }
}

/// By how much the distance between `produced` and the counter changes; mostly by nothing.
fn produced_apart(columns: &Columns, counter: Counter) -> Vec<i64> {
    drift(counter_column(columns, counter), &columns.produced)
}

/// A column whose values follow those of another is coded as what is left of it when a multiple of
/// the other is taken away; the multiple stands before it, times this.
const SLOPE_UNIT: i64 = 1 << 32;

/// Codes a column beside one that it may follow: voltage and reactive power rise with power.
fn put_beside(column: &[i64], guide: &[i64], out: &mut Vec<u8>) -> Result<(), ChunkError> {
    let scale = Scale::of(column);
    let scaled = scale.divide(column);
    let slope = slope(&scaled, guide);
    let apart = take_away(&scaled, guide, slope);
    scale.put(out);
    if restlessness(&apart) < restlessness(&scaled) {
        varint::put_signed(out, slope);
        put_column(&apart, out)
    } else {
        varint::put_signed(out, 0);
        put_column(&scaled, out)
    }
}

fn take_beside(count: usize, guide: &[i64], bytes: &mut Bytes<'_>) -> Result<Vec<i64>, ChunkError> {
    let scale = Scale::take(bytes)?;
    let slope = bytes.signed()?;
    let mut column = take_column(count, bytes)?;
    for (value, guide) in column.iter_mut().zip(guide) {
        *value = scale.multiply(value.wrapping_add(share(*guide, slope)));
    }
    Ok(column)
}

fn take_away(column: &[i64], guide: &[i64], slope: i64) -> Vec<i64> {
    column
        .iter()
        .zip(guide)
        .map(|(value, guide)| value.wrapping_sub(share(*guide, slope)))
        .collect()
}

/// Integers only, so that every machine takes away the same.
const fn share(guide: i64, slope: i64) -> i64 {
    (guide as i128 * slope as i128 / SLOPE_UNIT as i128) as i64
}

/// The slope by which the steps of a column follow those of its guide best (least squares).
fn slope(column: &[i64], guide: &[i64]) -> i64 {
    let (mut both, mut own) = (0.0, 0.0);
    for (column, guide) in column.windows(2).zip(guide.windows(2)) {
        let by = guide[1].wrapping_sub(guide[0]) as f64;
        both += by * column[1].wrapping_sub(column[0]) as f64;
        own += by * by;
    }
    let slope = if own > 0.0 { both / own } else { 0.0 };
    (slope * SLOPE_UNIT as f64) as i64
}

/// About the bits that the steps of a column take.
fn restlessness(column: &[i64]) -> u64 {
    column
        .windows(2)
        .map(|pair| bits(pair[1].wrapping_sub(pair[0])))
        .sum()
}

/// About the bits that the values of a column take, as seen from the one in the middle.
fn spread(column: &[i64]) -> u64 {
    let mut sorted = column.to_vec();
    let place = sorted.len() / 2;
    let (_, middle, _) = sorted.select_nth_unstable(place);
    let middle = *middle;
    column
        .iter()
        .map(|value| bits(value.wrapping_sub(middle)))
        .sum()
}

fn bits(value: i64) -> u64 {
    u64::from(u64::BITS - value.unsigned_abs().leading_zeros())
}

/// A counter that stands in the rows is coded as it is.
const COUNTER_PLAIN: u8 = 0;
/// A counter is coded as what its steps are apart from those that power makes one expect.
const COUNTER_BY_POWER: u8 = 1;

/// Milliwatts times milliseconds in a milliwatt-hour, doubled: power is summed up at both ends.
const POWER_TIME_UNIT: i128 = 2 * 3_600_000;

/// A longer step of time says nothing about the energy within it.
const LONGEST_STEP_MS: i64 = 600_000;

fn put_counter(
    column: &[i64],
    time: &[i64],
    power: &[i64],
    counter: Counter,
    out: &mut Vec<u8>,
) -> Result<(), ChunkError> {
    let scale = Scale::of(column);
    let scaled = scale.divide(column);
    let mut expect = Expectation::new(scale.divisor, counter);
    let mut before = 0_i64;
    let apart: Vec<i64> = scaled
        .iter()
        .zip(time.iter().zip(power))
        .map(|(value, (time, power))| {
            let expected = expect.step(*time, *power);
            let step = value.wrapping_sub(before);
            before = *value;
            expect.settle(step);
            step.wrapping_sub(expected)
        })
        .collect();
    scale.put(out);
    let by_power: u64 = apart.iter().map(|apart| bits(*apart)).sum();
    if by_power < restlessness(&scaled) {
        out.push(COUNTER_BY_POWER);
        put_column(&apart, out)
    } else {
        out.push(COUNTER_PLAIN);
        put_column(&scaled, out)
    }
}

fn take_counter(
    count: usize,
    time: &[i64],
    power: &[i64],
    counter: Counter,
    bytes: &mut Bytes<'_>,
) -> Result<Vec<i64>, ChunkError> {
    let scale = Scale::take(bytes)?;
    let [kind] = bytes.array()?;
    let mut column = take_column(count, bytes)?;
    match kind {
        COUNTER_PLAIN => {}
        COUNTER_BY_POWER => {
            let mut expect = Expectation::new(scale.divisor, counter);
            let mut before = 0_i64;
            for (value, (time, power)) in column.iter_mut().zip(time.iter().zip(power)) {
                let step = expect.step(*time, *power).wrapping_add(*value);
                expect.settle(step);
                before = before.wrapping_add(step);
                *value = before;
            }
        }
        _ => return Err(Unreadable.into()),
    }
    for value in &mut column {
        *value = scale.multiply(*value);
    }
    Ok(column)
}

/// What a counter is expected to count: power over time, with what was counted too little or too
/// much carried on. Integers only, so that every machine expects the same.
struct Expectation {
    counter: Counter,
    /// One count, in power times time.
    unit: i128,
    before: Option<(i64, i64)>,
    carried: i128,
}

impl Expectation {
    fn new(divisor: i64, counter: Counter) -> Self {
        Self {
            counter,
            unit: POWER_TIME_UNIT * i128::from(divisor.max(1)),
            before: None,
            carried: 0,
        }
    }

    fn step(&mut self, time: i64, power: i64) -> i64 {
        let power = match self.counter {
            Counter::Import => power.max(0),
            Counter::Export => power.min(0).saturating_neg(),
        };
        let (time_before, power_before) = self.before.unwrap_or((time, power));
        self.before = Some((time, power));
        let elapsed = time.wrapping_sub(time_before).clamp(0, LONGEST_STEP_MS);
        self.carried += (i128::from(power) + i128::from(power_before)) * i128::from(elapsed);
        (self.carried / self.unit) as i64
    }

    fn settle(&mut self, step: i64) {
        let counted = i128::from(step).saturating_mul(self.unit);
        self.carried = self.carried.saturating_sub(counted).clamp(0, self.unit - 1);
    }
}

/// What all values of a column have in common.
#[derive(Clone, Copy, Debug)]
struct Scale {
    divisor: i64,
    base: i64,
}

impl Scale {
    const NONE: Self = Self {
        divisor: 1,
        base: 0,
    };

    /// The greatest common divisor of all differences to the first value, and what is left of that.
    fn of(column: &[i64]) -> Self {
        let first = column.first().copied().unwrap_or(0);
        let mut divisor = 0;
        for value in column {
            divisor = greatest_common_divisor(value.wrapping_sub(first).unsigned_abs(), divisor);
            if divisor == 1 {
                return Self::NONE;
            }
        }
        // Differences that overflow, or 2^63, are not divided.
        let Ok(divisor @ 1..) = i64::try_from(divisor) else {
            return Self::NONE;
        };
        let scale = Self {
            divisor,
            base: first.rem_euclid(divisor),
        };
        let is_exact = column
            .iter()
            .all(|value| scale.multiply(scale.quotient(*value)) == *value);
        if is_exact { scale } else { Self::NONE }
    }

    const fn quotient(self, value: i64) -> i64 {
        value.wrapping_sub(self.base).wrapping_div(self.divisor)
    }

    const fn multiply(self, value: i64) -> i64 {
        value.wrapping_mul(self.divisor).wrapping_add(self.base)
    }

    fn divide(self, column: &[i64]) -> Vec<i64> {
        column.iter().map(|value| self.quotient(*value)).collect()
    }

    fn put(self, out: &mut Vec<u8>) {
        varint::put_signed(out, self.divisor);
        varint::put_signed(out, self.base);
    }

    fn take(bytes: &mut Bytes<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            divisor: bytes.signed()?,
            base: bytes.signed()?,
        })
    }
}

/// All values are the same.
const COLUMN_CONSTANT: u8 = 0;
/// Coded by pcodec in 64 bits.
const COLUMN_WIDE: u8 = 1;
/// Coded by pcodec in 32 bits.
const COLUMN_NARROW: u8 = 2;

/// Day and night have little in common: beside one table for all values, pcodec may use one for
/// each stretch of so many.
const STRETCH: usize = 1440;

fn put_column(column: &[i64], out: &mut Vec<u8>) -> Result<(), ChunkError> {
    let first = column.first().copied().unwrap_or(0);
    if column.iter().all(|value| *value == first) {
        out.push(COLUMN_CONSTANT);
        varint::put_signed(out, first);
        return Ok(());
    }
    let scale = Scale::of(column);
    let scaled = scale.divide(column);
    let narrow: Result<Vec<i32>, _> = scaled.iter().map(|value| i32::try_from(*value)).collect();
    let plan = column_plan(&scaled);
    let (kind, coded) = match narrow {
        Ok(narrow) => (COLUMN_NARROW, compress(&narrow, &plan)?),
        Err(_) => (COLUMN_WIDE, compress(&scaled, &plan)?),
    };
    out.push(kind);
    scale.put(out);
    varint::put(out, coded.len() as u64);
    out.extend_from_slice(&coded);
    Ok(())
}

/// Whether values or their differences are coded. The first guess of pcodec itself is no better and
/// takes as long as the coding; a common divisor is taken out already.
fn column_plan(column: &[i64]) -> ChunkConfig {
    let delta = if restlessness(column) < spread(column) {
        DeltaSpec::TryConsecutive(1)
    } else {
        DeltaSpec::NoOp
    };
    ChunkConfig::default()
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(delta)
}

/// Codes a column as a whole and, where that may help, in stretches, and keeps the shorter.
fn compress<T: Number>(column: &[T], plan: &ChunkConfig) -> Result<Vec<u8>, ChunkError> {
    let whole = simple_compress(column, plan)?;
    // What is short already is not worth the time.
    if whole.len() <= column.len() / 4 || column.len() <= STRETCH {
        return Ok(whole);
    }
    let plan = plan
        .clone()
        .with_paging_spec(PagingSpec::EqualPagesUpTo(STRETCH));
    let in_stretches = simple_compress(column, &plan)?;
    if in_stretches.len() < whole.len() {
        Ok(in_stretches)
    } else {
        Ok(whole)
    }
}

fn take_column(count: usize, bytes: &mut Bytes<'_>) -> Result<Vec<i64>, ChunkError> {
    let [kind] = bytes.array()?;
    if kind == COLUMN_CONSTANT {
        return Ok(vec![bytes.signed()?; count]);
    }
    let scale = Scale::take(bytes)?;
    let len = bytes.number()?;
    let coded = bytes.take(len)?;
    let column: Vec<i64> = match kind {
        COLUMN_WIDE => simple_decompress(coded)?,
        COLUMN_NARROW => {
            let narrow: Vec<i32> = simple_decompress(coded)?;
            narrow.into_iter().map(i64::from).collect()
        }
        _ => return Err(Unreadable.into()),
    };
    if column.len() != count {
        return Err(Unreadable.into());
    }
    Ok(column
        .into_iter()
        .map(|value| scale.multiply(value))
        .collect())
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ww_wire::{DeciCelsius, Milliamperes, Millivars, Millivolts, Milliwatts};

    use super::*;

    const METER: MeterId = ww_wire::SignerId([7; 32]);

    fn signature(mark: u64) -> Signature {
        let mut bytes = [1; 64];
        bytes[..8].copy_from_slice(&mark.to_be_bytes());
        Signature::from_low_s(bytes).unwrap()
    }

    /// Seals readings into windows of up to `size`, with links where they follow one another.
    fn seal(readings: &[AnyReading], size: usize) -> Vec<SealedWindow> {
        let mut windows: Vec<SealedWindow> = Vec::new();
        for own in readings.chunks(size) {
            let (first, last) = (own[0].sum(), own[own.len() - 1].sum());
            let before = windows.last().map(|sealed| sealed.window);
            let leaves: Vec<Hash> = own.iter().map(|r| r.leaf_hash().unwrap()).collect();
            let window = Window {
                meter: METER,
                chain_index: ChainIndex::new(5 + windows.len() as u64).unwrap(),
                previous: before.map_or(Hash([3; 32]), |b| b.encode().unwrap().digest()),
                boot: first.boot,
                first_sequence: first.sequence,
                last_sequence: last.sequence,
                count: own.len() as u32,
                first_time: first.time,
                last_time: last.time,
                produced_open: before.map_or(first.produced, |b| b.produced_close),
                produced_close: last.produced,
                root: ww_wire::merkle::root(&leaves),
                enrolment: Hash([4; 32]),
                firmware: Hash([5; 32]),
                log_size: windows.len() as u64 / 3,
                log_root: if windows.len() < 3 {
                    Hash::ZERO
                } else {
                    Hash([6; 32])
                },
                flags: WindowFlags::NONE,
            };
            windows.push(SealedWindow {
                window,
                signature: signature(windows.len() as u64 + 1),
                received: UtcMillis::new(1_750_000_000_000 + windows.len() as u64 * 601_000),
            });
        }
        windows
    }

    fn assert_comes_back(sealed: &[SealedWindow], readings: &[AnyReading]) -> usize {
        let body = encode(sealed, readings).unwrap();
        let chunk = Chunk::decode(METER, &body).unwrap();
        assert_eq!(chunk.readings(), readings);
        assert_eq!(chunk.windows().unwrap(), sealed);
        body.len()
    }

    fn energy() -> impl Strategy<Value = Option<MilliwattHours>> {
        prop_oneof![
            Just(None),
            (0..9_000_000_u64).prop_map(|value| MilliwattHours::new(value * 100)),
            any::<u64>().prop_map(MilliwattHours::new),
        ]
    }

    fn power() -> impl Strategy<Value = Option<Milliwatts>> {
        prop_oneof![
            Just(None),
            (-9_000..500_000_i64).prop_map(|value| Milliwatts::new(value * 10)),
            any::<i64>().prop_map(Milliwatts::new),
        ]
    }

    prop_compose! {
        fn phase()(
            power in power(),
            voltage in any::<u32>().prop_map(Millivolts::new),
            current in any::<u32>().prop_map(Milliamperes::new),
            import_total in energy(),
            export_total in energy(),
        ) -> Phase {
            Phase { power, voltage, current, import_total, export_total }
        }
    }

    prop_compose! {
        /// A reading with any values, valid as a record; number and `produced` come later.
        fn reading()(
            time in prop_oneof![
                Just(None),
                (0..1_000_000_u64).prop_map(|step| UtcMillis::new(1_750_000_000_000 + step)),
                any::<u64>().prop_map(UtcMillis::new),
            ],
            uptime in any::<u64>().prop_map(|v| UptimeMillis::new(v).unwrap_or(UptimeMillis::ZERO)),
            values in (power(), energy(), energy()),
            counter_epoch in any::<u16>().prop_map(|v| CounterEpoch::new(v).unwrap_or(CounterEpoch::ZERO)),
            voltage in any::<u32>().prop_map(Millivolts::new),
            current in prop::option::of(any::<u32>().prop_map(|v| Milliamperes::new(v).unwrap_or(Milliamperes::ZERO))),
            reactive_power in prop::option::of(any::<i64>().prop_map(|v| Millivars::new(v).unwrap_or(Millivars::ZERO))),
            temperature in any::<i16>().prop_map(DeciCelsius::new),
            phases in [phase(), phase(), phase()],
        ) -> (Reading, [Phase; 3]) {
            let failed = values.0.is_none() || values.1.is_none() || values.2.is_none();
            let reading = Reading {
                meter: METER,
                boot: BootCounter::new(3).unwrap(),
                sequence: Sequence::new(1).unwrap(),
                time,
                uptime,
                time_quality: if time.is_some() { TimeQuality::Relative } else { TimeQuality::Unknown },
                power: values.0.filter(|_| !failed),
                import_total: values.1.filter(|_| !failed),
                export_total: values.2.filter(|_| !failed),
                counter_epoch,
                produced: MilliwattHours::ZERO,
                voltage: voltage.filter(|_| !failed),
                current: current.filter(|_| !failed),
                reactive_power: reactive_power.filter(|_| !failed),
                temperature: temperature.filter(|_| !failed),
                flags: if failed { ReadingFlags::SENSOR_UNREACHABLE } else { ReadingFlags::QUEUED },
            };
            (reading, if failed { [Phase::ABSENT; 3] } else { phases })
        }
    }

    fn numbered(raw: &[(Reading, [Phase; 3])], three_phases: bool, step: u64) -> Vec<AnyReading> {
        (0..)
            .zip(raw)
            .map(|(place, (reading, phases))| {
                let mut sum = *reading;
                sum.sequence = Sequence::new(1000 + place).unwrap();
                sum.produced = MilliwattHours::new(place * step).unwrap();
                AnyReading::new(sum, three_phases.then_some(*phases))
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_was_signed_comes_back_to_the_last_bit(
            raw in prop::collection::vec(reading(), 1..120),
            three_phases: bool,
            size in 1..40_usize,
            step in prop_oneof![0..5000_u64, Just(1_u64 << 50)],
        ) {
            let readings = numbered(&raw, three_phases, step);
            assert_comes_back(&seal(&readings, size), &readings);
        }
    }

    proptest! {
        #[test]
        fn a_column_of_any_numbers_comes_back_in_stretches_or_whole(
            few in prop::collection::vec(any::<i64>(), 2..40),
            quiet in 0..3 * STRETCH,
            wild in 0..2 * STRETCH,
        ) {
            let mut column = vec![i64::MIN, i64::MAX];
            column.extend((0..quiet as i64).map(|at| at % 7));
            // Made of few: numbers over all 64 bits.
            column.extend((0..wild).map(|at| {
                few[at % few.len()].wrapping_mul(2 * at as i64 + 1)
            }));
            let mut bytes = Vec::new();
            put_column(&column, &mut bytes).unwrap();
            let mut rest = Bytes(&bytes);
            prop_assert!(take_column(column.len(), &mut rest).unwrap() == column);
            prop_assert!(rest.is_empty());
        }
    }

    /// A day at a plant under clouds: values as a sensor gives them, to 0.01 W, 0.01 V, 0.01 var
    /// and 0.1 Wh, each with its own noise, and a few milliseconds of jitter.
    fn noisy_day() -> Vec<AnyReading> {
        let mut state = 1_u64;
        let mut noise = move |width: i64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((i128::from(state >> 33) * i128::from(2 * width)) >> 31) as i64 - width
        };
        let (mut cloud, mut energy_mj, mut readings) = (500_i64, 0_i64, Vec::new());
        for slot in 0..8640_i64 {
            let height = (slot - 4320).abs();
            let clear_mw = (2700 - height).max(0) * 1800;
            cloud = (cloud + noise(30)).clamp(100, 1000);
            let power = (clear_mw * cloud / 1000 - 6000 + noise(30 + clear_mw / 2000)) / 10 * 10;
            energy_mj += power.max(0) * 10;
            let total = (energy_mj / 3600 / 100) as u64 * 100;
            let time = 1_750_032_000_000 + slot * 10_000 + 12 + noise(8);
            let voltage = (231_000 + power / 1000 + noise(150) + noise(100)) / 10 * 10;
            let reactive = (17_500 + power * 12 / 1000 + noise(300)) / 10 * 10;
            readings.push(AnyReading::SinglePhase(Reading {
                meter: METER,
                boot: BootCounter::new(3).unwrap(),
                sequence: Sequence::new(slot as u64 + 1).unwrap(),
                time: UtcMillis::new(time as u64),
                uptime: UptimeMillis::new(time as u64 - 1_750_000_000_000).unwrap(),
                time_quality: TimeQuality::Synchronised,
                power: Milliwatts::new(power),
                import_total: MilliwattHours::new(total + 8900),
                export_total: MilliwattHours::new(0),
                counter_epoch: CounterEpoch::ZERO,
                produced: MilliwattHours::new(total).unwrap(),
                voltage: Millivolts::new(voltage as u32),
                current: None,
                reactive_power: Millivars::new(reactive),
                temperature: None,
                flags: ReadingFlags::NONE,
            }));
        }
        readings
    }

    #[test]
    fn a_noisy_day_takes_less_than_six_bytes_a_reading_with_its_signatures() {
        let readings = noisy_day();
        let bytes = assert_comes_back(&seal(&readings, 60), &readings);
        let tenths = bytes * 10 / readings.len();
        assert!(tenths < 56, "{bytes} bytes for {} readings", readings.len());
    }

    #[test]
    fn a_chunk_cut_short_is_an_error() {
        let readings = &noisy_day()[4000..4120];
        let body = encode(&seal(readings, 60), readings).unwrap();
        for length in 0..body.len() {
            assert!(Chunk::decode(METER, &body[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn windows_without_all_their_readings_make_no_chunk() {
        let readings = &noisy_day()[..120];
        let sealed = seal(readings, 60);
        let refused = encode(&sealed, &readings[..119]);
        assert_eq!(refused, Err(ChunkError::Unfit));
        let refused = encode(&[sealed[1].clone(), sealed[0].clone()], readings);
        assert_eq!(refused, Err(ChunkError::Unfit));
    }
}
