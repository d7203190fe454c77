//! Upload batches: chain records in order, each window with its readings, straight from the flash
//! into the caller's buffer as an `application/cose` body.

use embedded_storage::nor_flash::NorFlash;
use ww_wire::cose::byte_string_head;
use ww_wire::packed::{Codec, PackError};
use ww_wire::{ChainIndex, ChainRecord, GapKind, Hash, Sign1, Window};

use super::records::StoredRecord;
use super::state::RecordsGap;
use super::{Loss, Queue, index};
use crate::flash::FlashFailure;

/// The longest head of a CBOR byte string that is needed.
const MAX_HEAD: usize = 5;

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
    /// Readings that were never acknowledged cannot be read back; a Gap of kind Unreadable must
    /// say so first. `Chain::next_batch` makes it.
    #[error("readings of a window cannot be read back")]
    Unreadable(Loss),
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
    /// Writes the records from `from` on into `buffer`, as many as fit. A batch without records
    /// means that there is nothing more to send.
    ///
    /// When records are missing at `from` because they were given up, the Gap that says so comes
    /// first, out of its place, so that the gateway can take what follows; it comes again in its
    /// place.
    ///
    /// # Errors
    /// Any [`BatchError`].
    pub fn next_batch(&mut self, from: ChainIndex, buffer: &mut [u8]) -> Result<Batch, BatchError> {
        let mut batch = Batch {
            len: 0,
            records: 0,
            readings: 0,
            next_index: from,
        };
        let gap = self.state.records_gap;
        if let Some(gap) = gap.filter(|gap| gap.last_index >= from.get()) {
            let mut cursor = self.records_from(gap.index)?;
            if let Some(stored) = self.next_record(&mut cursor)? {
                batch.len = put_record(&stored, buffer)
                    .ok_or(BatchError::BufferTooSmall(stored.record.chain_index()))?;
                batch.records = 1;
                if gap.first_index <= from.get() {
                    batch.next_index = index(gap.last_index.saturating_add(1));
                }
            }
        }
        let mut cursor = self.records_from(batch.next_index.get())?;
        while let Some(stored) = self.next_record(&mut cursor)? {
            let rest = &mut buffer[batch.len..];
            let chain_index = stored.record.chain_index();
            let given_up =
                |gap: RecordsGap| (gap.first_index..=gap.last_index).contains(&chain_index.get());
            if gap.is_some_and(given_up) {
                continue;
            }
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
            batch.next_index = index(chain_index.get().saturating_add(1));
        }
        Ok(batch)
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
        let last = window.last_sequence.get();
        if last <= self.state.last_given_up() {
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
            // Acknowledged once, erased since: the gateway had them.
            Packed::NotWhole if last <= self.state.settled_sequence => Ok(nothing),
            Packed::NotWhole => {
                let (first, last) = self.state.unreadable;
                if (first..=last).contains(&window.chain_index.get()) {
                    return Ok(nothing);
                }
                Ok(Readings::Unreadable(self.unreadable_loss(window)?))
            }
        }
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
