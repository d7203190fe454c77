//! Upload batches: chain records in order, each window with its readings, straight from the flash
//! into the caller's buffer as an `application/cose` body.

use embedded_storage::nor_flash::NorFlash;
use ww_wire::cose::byte_string_head;
use ww_wire::packed::{Codec, PackError};
use ww_wire::{ChainIndex, ChainRecord, GapKind, Hash, Sign1, Window};

use super::records::{RecordCursor, StoredRecord};
use super::{Loss, Queue, energy, index, sequence};
use crate::flash::FlashFailure;

/// The most records of one body. Part of the protocol: every gateway takes at least as many.
pub const MAX_BATCH_RECORDS: u32 = 256;

/// The longest head of a CBOR byte string that is needed.
const MAX_HEAD: usize = 5;

/// How much a batch may hold. The first record goes in whatever its size, with its readings, as
/// long as the buffer takes it: else nothing would ever get on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimit {
    /// The most records.
    pub records: u32,
    /// The most bytes.
    pub bytes: usize,
}

impl BatchLimit {
    /// As much as the protocol and the buffer allow.
    pub const MOST: Self = Self {
        records: MAX_BATCH_RECORDS,
        bytes: usize::MAX,
    };

    /// Half of a batch that the gateway did not take, and one record at the least.
    #[must_use]
    pub fn half_of(batch: &Batch) -> Self {
        Self {
            records: (batch.records / 2).max(1),
            bytes: batch.len / 2,
        }
    }

    /// Twice as much.
    #[must_use]
    pub fn doubled(self) -> Self {
        Self {
            records: (self.records.saturating_mul(2)).min(MAX_BATCH_RECORDS),
            bytes: self.bytes.saturating_mul(2),
        }
    }
}

/// What was written into the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Bytes of the body.
    pub len: usize,
    /// Chain records in it.
    pub records: u32,
    /// Readings in it.
    pub readings: u32,
    /// The record after the last one in it: where the batch after this one begins.
    pub next_index: ChainIndex,
}

/// Why there is no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Not even one record, with its readings, fits the buffer.
    #[error("record {0:?} does not fit the buffer with its readings")]
    BufferTooSmall(ChainIndex),
    /// Readings of a window cannot be read back, and no Gap says so; one must say so first.
    /// `Chain::next_batch` makes it.
    #[error("readings of a window cannot be read back")]
    Unreadable(Loss),
    /// Records that the gateway wants cannot be read back, and no Gap says so; one must say so
    /// first. `Chain::next_batch` makes it.
    #[error("records of the chain cannot be read back")]
    Missing(Loss),
    /// Reading the flash failed.
    #[error(transparent)]
    Flash(#[from] FlashFailure),
}

/// A window's readings as they came from the flash.
enum Packed {
    /// So many bytes.
    Whole(usize),
    /// At least one is missing or changed.
    NotWhole,
    NoRoom,
}

impl<F: NorFlash> Queue<F> {
    /// Writes the records from `from` on into `buffer`, as many as the limit allows. A batch without
    /// records means that there is nothing more to send.
    ///
    /// Where records are missing, the Gap that says so stands in for them, out of its place, so that
    /// the gateway can take what follows; it comes again in its place.
    ///
    /// # Errors
    /// Any [`BatchError`].
    pub fn next_batch(
        &mut self,
        from: ChainIndex,
        limit: BatchLimit,
        buffer: &mut [u8],
    ) -> Result<Batch, BatchError> {
        let mut batch = Batch {
            len: 0,
            records: 0,
            readings: 0,
            next_index: from,
        };
        let most = limit.bytes.min(buffer.len());
        let mut cursor = self.records_from(from.get())?;
        while batch.records < limit.records {
            let wanted = batch.next_index.get();
            let Some(stored) = self.next_held(&mut cursor)? else {
                let (end, last_digest) = (self.state.next_index, self.state.previous);
                if wanted < end && batch.records == 0 {
                    let loss = self.missing_records(wanted, end, last_digest)?;
                    return Err(BatchError::Missing(loss));
                }
                break;
            };
            let chain_index = stored.record.chain_index();
            let found = chain_index.get();
            if wanted < found {
                let bridge = match last_of_gap(&stored.record, wanted) {
                    // It comes in its place, right away.
                    Some(last) => Some((last, None)),
                    None => self.gap_over(wanted)?.map(|(last, gap)| (last, Some(gap))),
                };
                let Some((last, gap)) = bridge else {
                    if batch.records > 0 {
                        break;
                    }
                    let last_digest = stored.record.previous();
                    let loss = self.missing_records(wanted, found, last_digest)?;
                    return Err(BatchError::Missing(loss));
                };
                if let Some(gap) = gap {
                    match put_record(&gap, room(&batch, most, buffer)) {
                        Some(len) => batch.len += len,
                        None if batch.records > 0 => break,
                        None => return Err(BatchError::BufferTooSmall(gap.record.chain_index())),
                    }
                    batch.records += 1;
                }
                batch.next_index = index(last.saturating_add(1).min(found));
                cursor = self.records_from(batch.next_index.get())?;
                continue;
            }
            let rest = room(&batch, most, buffer);
            let record_len = put_record(&stored, rest);
            let written = match record_len {
                Some(len) => self.put_readings(&stored.record, &mut rest[len..])?,
                None => Readings::NoRoom,
            };
            let (len, readings) = match written {
                Readings::Written { len, readings } => (len, readings),
                Readings::NoRoom if batch.records > 0 => break,
                Readings::NoRoom => return Err(BatchError::BufferTooSmall(chain_index)),
                Readings::Unreadable(_) if batch.records > 0 => break,
                Readings::Unreadable(loss) => return Err(BatchError::Unreadable(loss)),
            };
            batch.len += record_len.unwrap_or(0) + len;
            batch.records += 1;
            batch.readings += readings;
            batch.next_index = index(found.saturating_add(1));
        }
        Ok(batch)
    }

    /// The next record that was not given up; one that was may still be on the flash.
    fn next_held(
        &mut self,
        cursor: &mut RecordCursor,
    ) -> Result<Option<StoredRecord>, FlashFailure> {
        while let Some(stored) = self.next_record(cursor)? {
            if !self.is_given_up(stored.record.chain_index().get()) {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    fn is_given_up(&self, index: u64) -> bool {
        self.state
            .records_gap
            .is_some_and(|gap| (gap.first_index..=gap.last_index).contains(&index))
    }

    /// A Gap that says that record `wanted` is gone, if there is one, and the last that it speaks of.
    fn gap_over(&mut self, wanted: u64) -> Result<Option<(u64, StoredRecord)>, FlashFailure> {
        // The newest one first; an older one may be anywhere behind what it speaks of.
        let newest = self.state.records_gap.map(|gap| gap.index);
        for from in newest.into_iter().chain([wanted.saturating_add(1)]) {
            let mut cursor = self.records_from(from)?;
            while let Some(stored) = self.next_record(&mut cursor)? {
                if let Some(last) = last_of_gap(&stored.record, wanted) {
                    return Ok(Some((last, stored)));
                }
            }
        }
        Ok(None)
    }

    /// What a Gap must say of the records around `wanted` that are not on the flash any more, up to
    /// `found`, which names `last_digest` as the record before it. Numbers of readings that were
    /// skipped count as lost.
    fn missing_records(
        &mut self,
        wanted: u64,
        found: u64,
        last_digest: Hash,
    ) -> Result<Loss, FlashFailure> {
        // The last sealed reading and `produced`, before the hole and after it.
        let (mut open, mut close) = ((0, 0), (0, 0));
        let mut first = 0;
        let mut sector = None;
        let mut after = found;
        let mut cursor = self.records_from(0)?;
        while let Some(stored) = self.next_record(&mut cursor)? {
            let index = stored.record.chain_index().get();
            if sector.replace(cursor.number) != Some(cursor.number)
                && let Some(state) = self.carried_state(cursor.number)?
                && state.next_index <= found
            {
                close = close.max((state.sealed_sequence, state.sealed_close));
                if state.next_index == found {
                    break;
                }
            }
            let window = match &stored.record {
                ChainRecord::Window(window) => Some(window),
                _ => None,
            };
            if index < found {
                if let Some(window) = window {
                    let sealed = (window.last_sequence.get(), window.produced_close.get());
                    close = close.max(sealed);
                }
                if let ChainRecord::Gap(gap) = &stored.record
                    && gap.kind == GapKind::Records
                    && let Some(last) = gap.last_sequence
                {
                    close = close.max((last.get(), gap.produced_close.get()));
                }
                if index < wanted && !self.is_given_up(index) {
                    (first, open) = (index + 1, close);
                }
            } else if index != after {
                break;
            } else if let Some(window) = window {
                close = (
                    window.first_sequence.get().saturating_sub(1),
                    window.produced_open.get(),
                );
                break;
            } else {
                after += 1;
            }
        }
        if after == self.state.next_index {
            close = (self.state.sealed_sequence, self.state.sealed_close);
        }
        let (first_sequence, last_sequence) = if open.0 < close.0 {
            (Some(sequence(open.0 + 1)), Some(sequence(close.0)))
        } else {
            (None, None)
        };
        Ok(Loss {
            kind: GapKind::Records,
            first_index: index(first),
            last_index: index(found.saturating_sub(1)),
            first_sequence,
            last_sequence,
            produced_open: energy(open.1),
            produced_close: energy(close.1.max(open.1)),
            last_digest,
        })
    }

    /// Writes a window's readings as a byte string, unless they are known to be gone.
    fn put_readings(
        &mut self,
        record: &ChainRecord,
        out: &mut [u8],
    ) -> Result<Readings, FlashFailure> {
        let nothing = Readings::Written {
            len: 0,
            readings: 0,
        };
        let ChainRecord::Window(window) = record else {
            return Ok(nothing);
        };
        // What a Gap gave up begins with the first record that was not acknowledged.
        let is_new = window.chain_index.get() >= self.state.settled_index;
        if is_new && window.last_sequence.get() <= self.state.last_given_up() {
            return Ok(nothing);
        }
        let Some(block) = out.get_mut(MAX_HEAD..) else {
            return Ok(Readings::NoRoom);
        };
        match self.pack(window, block)? {
            Packed::Whole(len) => {
                let (head, head_len) = byte_string_head(len as u32);
                out.copy_within(MAX_HEAD..MAX_HEAD + len, head_len);
                out[..head_len].copy_from_slice(&head[..head_len]);
                Ok(Readings::Written {
                    len: head_len + len,
                    readings: window.count,
                })
            }
            Packed::NoRoom => Ok(Readings::NoRoom),
            Packed::NotWhole if self.is_declared(window.chain_index.get())? => Ok(nothing),
            Packed::NotWhole => Ok(Readings::Unreadable(self.missing_readings(window)?)),
        }
    }

    /// Whether a Gap says that this window has lost readings.
    fn is_declared(&mut self, index: u64) -> Result<bool, FlashFailure> {
        let covers = |(first, last): (u64, u64)| (first..=last).contains(&index);
        if covers(self.state.unreadable) || covers(self.declared) {
            return Ok(true);
        }
        let mut cursor = self.records_from(index.saturating_add(1))?;
        while let Some(stored) = self.next_record(&mut cursor)? {
            if let ChainRecord::Gap(gap) = stored.record
                && gap.kind != GapKind::Records
                && covers((gap.first_index.get(), gap.last_index.get()))
            {
                self.declared = (gap.first_index.get(), gap.last_index.get());
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a Gap must say of a window whose readings do not come back whole: they were acknowledged
    /// once and erased since, with those of the windows after it, or they cannot be read.
    fn missing_readings(&mut self, window: &Window) -> Result<Loss, FlashFailure> {
        let mut oldest = self.readings_after(0)?;
        let oldest = self.next_reading(&mut oldest)?;
        let is_erased = |window: &Window| {
            oldest.is_none_or(|oldest| window.first_sequence < oldest.sum().sequence)
        };
        if !is_erased(window) {
            return self.unreadable_loss(window);
        }
        let mut last = *window;
        let mut cursor = self.records_from(window.chain_index.get())?;
        while let Some(stored) = self.next_held(&mut cursor)? {
            match stored.record {
                ChainRecord::Window(later) if is_erased(&later) => last = later,
                ChainRecord::Window(_) => break,
                ChainRecord::Boot(_) | ChainRecord::Gap(_) => {}
            }
        }
        Ok(Loss {
            kind: GapKind::Readings,
            first_index: window.chain_index,
            last_index: last.chain_index,
            first_sequence: Some(window.first_sequence),
            last_sequence: Some(last.last_sequence),
            produced_open: window.produced_open,
            produced_close: last.produced_close,
            last_digest: Hash::ZERO,
        })
    }

    /// Packs a window's readings in a block of their own and checks them against its root.
    fn pack(&mut self, window: &Window, out: &mut [u8]) -> Result<Packed, FlashFailure> {
        let mut cursor = self.readings_after(window.first_sequence.get() - 1)?;
        let mut packer: Option<Codec> = None;
        let mut tree = crate::chain::WindowTree::new();
        let mut len = 0;
        while tree.size() < window.count {
            let Some(reading) = self.next_reading(&mut cursor)? else {
                return Ok(Packed::NotWhole);
            };
            if reading.sum().sequence > window.last_sequence {
                return Ok(Packed::NotWhole);
            }
            let packer = match &mut packer {
                Some(packer) => packer,
                none => {
                    let codec = Codec::new(self.meter, reading.record_type())
                        .expect("a reading's type is a type of reading");
                    let header = codec.block_header();
                    let Some(out) = out.get_mut(..header.len()) else {
                        return Ok(Packed::NoRoom);
                    };
                    out.copy_from_slice(&header);
                    len = header.len();
                    none.insert(codec)
                }
            };
            match packer.pack(&reading, &mut out[len..]) {
                Ok(packed) => len += packed,
                Err(PackError::NoRoom) => return Ok(Packed::NoRoom),
                Err(_) => return Ok(Packed::NotWhole),
            }
            let Ok(leaf) = reading.leaf_hash() else {
                return Ok(Packed::NotWhole);
            };
            tree.push(leaf);
        }
        Ok(if tree.root() == window.root {
            Packed::Whole(len)
        } else {
            Packed::NotWhole
        })
    }

    /// What the Gap must say: from the first window that is known to be unreadable since the last
    /// acknowledged record, to this one. Windows in between may be whole.
    fn unreadable_loss(&mut self, window: &Window) -> Result<Loss, FlashFailure> {
        let mut first = *window;
        let (known, last) = self.state.unreadable;
        if known <= last && last >= self.state.first_live_index() {
            let mut cursor = self.records_from(known.max(self.state.first_live_index()))?;
            while let Some(stored) = self.next_record(&mut cursor)? {
                if let ChainRecord::Window(earlier) = stored.record {
                    if earlier.chain_index < first.chain_index {
                        first = earlier;
                    }
                    break;
                }
            }
        }
        Ok(Loss {
            kind: GapKind::Unreadable,
            first_index: first.chain_index,
            last_index: window.chain_index,
            first_sequence: Some(first.first_sequence),
            last_sequence: Some(window.last_sequence),
            produced_open: first.produced_open,
            produced_close: window.produced_close,
            last_digest: Hash::ZERO,
        })
    }
}

/// What became of a window's readings.
enum Readings {
    Written { len: usize, readings: u32 },
    NoRoom,
    Unreadable(Loss),
}

/// The last record that this one gives up, when it is a Gap that gives up record `wanted`.
fn last_of_gap(record: &ChainRecord, wanted: u64) -> Option<u64> {
    match record {
        ChainRecord::Gap(gap) if gap.kind == GapKind::Records => {
            let (first, last) = (gap.first_index.get(), gap.last_index.get());
            (first..=last).contains(&wanted).then_some(last)
        }
        _ => None,
    }
}

/// Where the next record of a batch goes; the first may take the whole buffer.
fn room<'a>(batch: &Batch, most: usize, buffer: &'a mut [u8]) -> &'a mut [u8] {
    let end = if batch.records == 0 {
        buffer.len()
    } else {
        most.max(batch.len)
    };
    &mut buffer[batch.len..end]
}

/// Writes a COSE_Sign1 to the front of `out` and gives its length; `None` when it does not fit.
fn put_record(stored: &StoredRecord, out: &mut [u8]) -> Option<usize> {
    let sign1 = Sign1 {
        payload: stored.payload(),
        signature: stored.signature()?,
    };
    let bytes = sign1.encode()?;
    out.get_mut(..bytes.len())?.copy_from_slice(&bytes);
    Some(bytes.len())
}
