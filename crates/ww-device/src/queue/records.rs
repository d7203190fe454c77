//! The chain ring: Window, Boot and Gap records with their signatures, and what was acknowledged.

use embedded_storage::nor_flash::NorFlash;
use ww_wire::{ChainIndex, ChainRecord, Gap, GapKind, Hash, Record, Sequence, Signature, Window};

use super::layout::CHAIN_RESERVE;
use super::ring::{Appended, Entry, Scan};
use super::state::ChainState;
use super::{Loss, Need, PushError, Queue, energy, index, sequence};
use crate::flash::FlashFailure;

/// A payload, then its signature.
pub(super) const RECORD: u8 = 1;
/// Next index and last sequence that are acknowledged, u64 each.
pub(super) const ACKNOWLEDGED: u8 = 2;

const SIGNATURE_BYTES: usize = 64;
const ACKNOWLEDGED_BYTES: usize = 16;

/// Why an acknowledgement is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgeError {
    /// The gateway claims to hold what was never made.
    #[error("the gateway expects record {next}, the chain has {made} records")]
    NeverMade {
        /// The index that the gateway expects next.
        next: u64,
        /// The next index of the chain; 0 when nothing was ever sent from here.
        made: u64,
    },
    /// Reading the flash failed.
    #[error(transparent)]
    Flash(#[from] FlashFailure),
}

/// A chain record as it lies on the flash.
pub(super) struct StoredRecord {
    pub(super) record: ChainRecord,
    entry: Entry,
}

impl StoredRecord {
    pub(super) fn payload(&self) -> &[u8] {
        let body = self.entry.body();
        &body[..body.len() - SIGNATURE_BYTES]
    }

    pub(super) fn signature(&self) -> Option<Signature> {
        let (_, signature) = self.entry.body().split_last_chunk::<SIGNATURE_BYTES>()?;
        Signature::from_low_s(*signature).ok()
    }
}

/// A place in the chain ring from which to read on.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordCursor {
    /// The sector of the record that was read last.
    pub(super) number: u32,
    /// Where to read on in it; none before it was looked at.
    scan: Option<Scan>,
    /// Records below this are passed over.
    from: u64,
}

pub(super) fn decode(body: &[u8]) -> Option<(ChainRecord, &[u8])> {
    let (payload, _) = body.split_last_chunk::<SIGNATURE_BYTES>()?;
    Some((ChainRecord::decode(payload).ok()?, payload))
}

pub(super) fn decode_acknowledged(body: &[u8]) -> Option<(u64, u64)> {
    let body: &[u8; ACKNOWLEDGED_BYTES] = body.try_into().ok()?;
    let (index, sequence) = body.split_at(8);
    Some((
        u64::from_be_bytes(index.try_into().ok()?),
        u64::from_be_bytes(sequence.try_into().ok()?),
    ))
}

impl<F: NorFlash> Queue<F> {
    /// Says what must come before a chain record of the longest kind can be stored; to be asked
    /// before the record is made, because a Gap that comes first takes its place in the chain.
    ///
    /// # Errors
    /// [`PushError::Blocked`] with [`Need::Gap`], [`PushError::Flash`], [`PushError::Refused`].
    pub fn prepare_record(&mut self) -> Result<(), PushError> {
        self.check_certain()?;
        if self.chain.fits(Window::LENGTH + SIGNATURE_BYTES) {
            return Ok(());
        }
        match self.records_loss(self.chain.next)? {
            Some(loss) => Err(PushError::Blocked(Need::Gap(loss))),
            None => Ok(()),
        }
    }

    /// Stores a signed chain record. When this returns `Ok`, the record survives a power cut and
    /// its signature may leave.
    ///
    /// # Errors
    /// Any [`PushError`] but [`PushError::OutOfOrder`].
    pub fn push_chain(
        &mut self,
        record: &ChainRecord,
        signature: &Signature,
    ) -> Result<(), PushError> {
        self.check_certain()?;
        if record.meter() != self.meter
            || record.chain_index() != self.next_index()
            || record.previous() != self.previous()
        {
            return Err(PushError::NotLinked {
                next: self.state.next_index,
                got: record.chain_index().get(),
            });
        }
        let payload = record.encode()?;
        let len = payload.len() + SIGNATURE_BYTES;
        let gap = match record {
            ChainRecord::Gap(gap) if gap.kind == GapKind::Records => Some(gap),
            _ => None,
        };
        let mut refused = None;
        loop {
            if !self.chain.fits(len) {
                self.open_chain_sector(gap, refused)?;
            }
            let parts = [&payload[..], signature.bytes()];
            match self.chain.append(&mut self.flash, RECORD, &parts) {
                Ok(Appended::Done) => break,
                Ok(Appended::NoRoom) => {}
                Ok(Appended::Failed(failure)) => refused = Some(failure),
                Err(failure) => return Err(self.doubt(failure)),
            }
        }
        self.state.apply(record, payload.digest());
        if gap.is_some_and(|gap| {
            self.lost_from
                .is_some_and(|lost| gap.first_index.get() <= lost)
        }) {
            self.lost_from = None;
        }
        self.chain_head_in_use();
        Ok(())
    }

    /// What a Gap must say before anything else is added to the chain: the last records cannot be
    /// read, though the gateway acknowledged them, with readings that must not be sealed again.
    pub(crate) fn lost_tail(&mut self) -> Result<Option<Loss>, FlashFailure> {
        let Some(lost_from) = self.lost_from else {
            return Ok(None);
        };
        let state = self.state;
        let (open, last) = (state.sealed_sequence, state.settled_sequence);
        let mut produced_close = state.sealed_close;
        if open < last {
            let mut cursor = self.readings_after(last - 1)?;
            match self.next_reading(&mut cursor)? {
                Some(reading) if reading.sum().sequence.get() == last => {
                    produced_close = reading.sum().produced.get();
                }
                // What is sealed next must not open above where it closes.
                Some(_) => {}
                None => produced_close = self.last_produced,
            }
        }
        Ok(Some(Loss {
            kind: GapKind::Records,
            first_index: index(lost_from),
            last_index: index(state.next_index - 1),
            first_sequence: (open < last).then(|| sequence(open + 1)),
            last_sequence: (open < last).then(|| sequence(last)),
            produced_open: energy(state.sealed_close),
            produced_close: energy(produced_close.max(state.sealed_close)),
            last_digest: state.previous,
        }))
    }

    /// The head sector has an entry: from now on it counts, and with it its header's word on what
    /// is settled.
    fn chain_head_in_use(&mut self) {
        if let Some(head) = self.chain.head {
            self.chain_clear = head.number + CHAIN_RESERVE;
        }
        self.durably_settled = self.durably_settled.max(self.head_settled);
    }

    /// Opens the next sector that the flash takes. The sectors that come after it must hold
    /// nothing that is needed, or nothing but what `gap`, its first entry, covers.
    fn open_chain_sector(
        &mut self,
        gap: Option<&Gap>,
        mut refused: Option<FlashFailure>,
    ) -> Result<(), PushError> {
        loop {
            let number = self.chain.next;
            if let Some(failure) = refused
                && number > self.chain_clear
            {
                self.chain.next = self.chain_clear + 1 - CHAIN_RESERVE;
                return Err(PushError::Refused(failure));
            }
            if let Some(loss) = self.records_loss(number)?
                && !gap.is_some_and(|gap| {
                    gap.first_index <= loss.first_index && loss.last_index <= gap.last_index
                })
            {
                return Err(PushError::Blocked(Need::Gap(loss)));
            }
            match self.chain.open(&mut self.flash, &self.state.to_bytes()) {
                Ok(()) => {
                    self.head_settled = self.state.settled_sequence;
                    return Ok(());
                }
                Err(failure) => refused = Some(failure),
            }
        }
    }

    /// What a Gap must say before sector `number` can be opened: the records that are still
    /// needed in the sectors after it, which become the new reserve.
    fn records_loss(&mut self, number: u32) -> Result<Option<Loss>, FlashFailure> {
        let state = self.state;
        let first_index = state.first_live_index();
        let mut last: Option<(u64, Hash)> = None;
        // `produced` where what is needed begins, as far as the flash still tells.
        let mut produced_open = None;
        let mut readings: Option<(Sequence, Sequence)> = None;
        // And where it ends: a sector whose header cannot be read does not tell before its windows.
        let mut close = None;
        for ahead in 0..=CHAIN_RESERVE {
            let Some(victim) = (number + ahead).checked_sub(self.chain.sectors()) else {
                continue;
            };
            if !self.chain.may_hold(&mut self.flash, victim)? {
                continue;
            }
            if let Some(carried) = self.carried_state(victim)? {
                close = Some(carried.sealed_close);
                if carried.next_index <= first_index {
                    produced_open = close;
                }
            }
            let mut scan = self.chain.scan(victim);
            while let Some(entry) = self.chain.next_entry(&mut self.flash, &mut scan)? {
                if entry.kind != RECORD {
                    continue;
                }
                let Some((record, payload)) = decode(entry.body()) else {
                    continue;
                };
                let index = record.chain_index().get();
                let needed = index >= first_index;
                if needed {
                    last = Some((index, Hash::of(&[payload])));
                    produced_open = produced_open.or(close);
                }
                if let ChainRecord::Gap(gap) = &record
                    && needed
                    && gap.kind == GapKind::Records
                    && let (Some(from), Some(to)) = (gap.first_sequence, gap.last_sequence)
                {
                    // What it gave up is lost with it, unless this Gap says so too.
                    let (first, last) = readings.unwrap_or((from, to));
                    readings = Some((first.min(from), last.max(to)));
                    close = close.max(Some(gap.produced_close.get()));
                }
                if let ChainRecord::Window(window) = record {
                    close = Some(window.produced_close.get());
                    if needed {
                        produced_open.get_or_insert(window.produced_open.get());
                        let (from, _) = readings.unwrap_or((window.first_sequence, Sequence::ZERO));
                        readings = Some((from, window.last_sequence));
                    } else {
                        produced_open = close;
                    }
                }
            }
        }
        let Some((last_index, last_digest)) = last else {
            return Ok(None);
        };
        let close = close.unwrap_or(state.sealed_close);
        let mut loss = Loss {
            kind: GapKind::Records,
            first_index: index(first_index),
            last_index: index(last_index),
            first_sequence: readings.map(|(first, _)| first),
            last_sequence: readings.map(|(_, last)| last),
            produced_open: energy(produced_open.unwrap_or(close).min(close)),
            produced_close: energy(close),
            last_digest,
        };
        // The newest Gap speaks for all that was lost since the last acknowledged record.
        if let Some(before) = state
            .records_gap
            .filter(|gap| gap.last_index >= state.settled_index)
        {
            loss.first_index = index(before.first_index);
            loss.produced_open = energy(before.produced_open.min(close));
            if before.first_sequence != 0 {
                loss.first_sequence = Some(sequence(before.first_sequence));
                let last = loss.last_sequence.map_or(0, Sequence::get);
                loss.last_sequence = Some(sequence(last.max(before.last_sequence)));
            }
        }
        Ok(Some(loss))
    }

    /// Takes in which record the gateway expects next: all before it are durable there. What it
    /// acknowledged once stays acknowledged; to a gateway that asks for older records again (it
    /// was restored from a backup) `next_batch` gives what is still here.
    ///
    /// # Errors
    /// Any [`AcknowledgeError`]; then nothing changes.
    pub fn acknowledge(&mut self, next: ChainIndex) -> Result<(), AcknowledgeError> {
        let next = next.get();
        if next > self.state.next_index {
            return Err(AcknowledgeError::NeverMade {
                next,
                made: self.state.next_index,
            });
        }
        if next <= self.state.settled_index {
            return Ok(());
        }
        let mut last = 0;
        let mut cursor = self.records_from(self.state.settled_index)?;
        while let Some(stored) = self.next_record(&mut cursor)? {
            if stored.record.chain_index().get() >= next {
                break;
            }
            match stored.record {
                ChainRecord::Window(window) => last = window.last_sequence.get(),
                ChainRecord::Gap(gap) if gap.kind == GapKind::Records => {
                    last = gap.last_sequence.map_or(last, |s| s.get().max(last));
                }
                _ => {}
            }
        }
        self.state.settle(next, last);
        if self.doubtful.is_none() {
            // A lost acknowledgement only makes the meter send again.
            let _ = self.store_acknowledgement();
        }
        Ok(())
    }

    /// Writes down what is acknowledged. `Blocked` says which Gap would make room.
    pub(super) fn store_acknowledgement(&mut self) -> Result<(), PushError> {
        if !self.chain.fits(ACKNOWLEDGED_BYTES) {
            self.open_chain_sector(None, None)?;
        }
        let index = self.state.settled_index.to_be_bytes();
        let sequence = self.state.settled_sequence.to_be_bytes();
        let parts = [&index[..], &sequence[..]];
        match self.chain.append(&mut self.flash, ACKNOWLEDGED, &parts)? {
            Appended::Done => {
                self.durably_settled = self.state.settled_sequence;
                self.chain_head_in_use();
                Ok(())
            }
            Appended::Failed(failure) => Err(PushError::Refused(failure)),
            Appended::NoRoom => unreachable!("a sector with room was opened above"),
        }
    }

    /// What was known of the chain when sector `number` was opened, as its header says.
    pub(super) fn carried_state(
        &mut self,
        number: u32,
    ) -> Result<Option<ChainState>, FlashFailure> {
        let header = self.chain.header(&mut self.flash, number)?;
        Ok(header.and_then(|header| ChainState::from_bytes(header.carry())))
    }

    /// A place to read on from, for the records from `from` on.
    pub(super) fn records_from(&mut self, from: u64) -> Result<RecordCursor, FlashFailure> {
        let mut number = self.chain.oldest();
        if let Some(head) = self.chain.head {
            for candidate in (self.chain.oldest()..=head.number).rev() {
                let state = self.carried_state(candidate)?;
                if state.is_some_and(|state| state.next_index <= from) {
                    number = candidate;
                    break;
                }
            }
        }
        Ok(RecordCursor {
            number,
            scan: None,
            from,
        })
    }

    /// The next record in chain order; `None` at the end.
    pub(super) fn next_record(
        &mut self,
        cursor: &mut RecordCursor,
    ) -> Result<Option<StoredRecord>, FlashFailure> {
        let Some(head) = self.chain.head else {
            return Ok(None);
        };
        while cursor.number <= head.number {
            let scan = match &mut cursor.scan {
                Some(scan) => scan,
                None if self.chain.may_hold(&mut self.flash, cursor.number)? => {
                    cursor.scan.insert(self.chain.scan(cursor.number))
                }
                None => {
                    cursor.number += 1;
                    continue;
                }
            };
            let Some(entry) = self.chain.next_entry(&mut self.flash, scan)? else {
                (cursor.number, cursor.scan) = (cursor.number + 1, None);
                continue;
            };
            if entry.kind == RECORD
                && let Some((record, _)) = decode(entry.body())
                && record.chain_index().get() >= cursor.from
            {
                cursor.from = record.chain_index().get().saturating_add(1);
                return Ok(Some(StoredRecord { record, entry }));
            }
        }
        Ok(None)
    }
}
