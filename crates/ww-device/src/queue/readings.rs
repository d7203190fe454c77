//! The readings ring: packed readings, each durable on its own, packed anew in every sector.

use embedded_storage::nor_flash::NorFlash;
use ww_wire::packed::{Codec, MAX_PACKED_READING};
use ww_wire::{AnyReading, GapKind, Hash, MeterId, RecordType};

use super::ring::{Appended, Found};
use super::{Loss, Need, PushError, Queue};
use crate::flash::FlashFailure;

/// A sector's carry: the lowest number that a reading in it can have.
pub(super) const CARRY_BYTES: usize = 8;

const SINGLE_PHASE: u8 = 1;
const THREE_PHASE: u8 = 2;

/// Sectors in a row that may fail before the queue gives up on a reading.
pub(super) const MAX_BAD_SECTORS: u32 = 3;

pub(super) fn carried_sequence(carry: &[u8]) -> u64 {
    carry.try_into().map_or(0, u64::from_be_bytes)
}

const fn kind_of(record_type: RecordType) -> u8 {
    match record_type {
        RecordType::ThreePhaseReading => THREE_PHASE,
        _ => SINGLE_PHASE,
    }
}

/// The codec to go on with: the present one, or a new one where readings of another kind begin.
fn codec_for(codec: Option<&Codec>, meter: MeterId, record_type: RecordType) -> Option<Codec> {
    codec
        .filter(|codec| codec.block_header()[1] == record_type as u8)
        .cloned()
        .or_else(|| Codec::new(meter, record_type))
}

/// Unpacks an entry; `None` when it is no reading that follows what the codec has seen.
pub(super) fn unpack(
    codec: &mut Option<Codec>,
    meter: MeterId,
    kind: u8,
    body: &[u8],
) -> Option<AnyReading> {
    let record_type = match kind {
        SINGLE_PHASE => RecordType::Reading,
        THREE_PHASE => RecordType::ThreePhaseReading,
        _ => return None,
    };
    let mut next = codec_for(codec.as_ref(), meter, record_type)?;
    let (reading, len) = next.unpack(body).ok()?;
    if len != body.len() {
        return None;
    }
    *codec = Some(next);
    Some(reading)
}

/// A place in the readings ring from which to read on.
#[derive(Clone, Debug)]
pub(crate) struct ReadingCursor {
    number: u32,
    /// Offset in the sector; 0 before it was looked at.
    at: u32,
    codec: Option<Codec>,
    /// Readings up to this one are passed over.
    after: u64,
}

impl<F: NorFlash> Queue<F> {
    /// Stores a reading. When this returns `Ok`, the reading survives a power cut and may be
    /// signed and sent.
    ///
    /// # Errors
    /// Any [`PushError`] but [`PushError::NotLinked`].
    pub fn push_reading(&mut self, reading: &AnyReading) -> Result<(), PushError> {
        self.check_certain()?;
        let sum = reading.sum();
        let number = sum.sequence.get();
        if sum.meter != self.meter
            || number < self.next_sequence
            || sum.produced.get() < self.last_produced
        {
            return Err(PushError::OutOfOrder {
                next: self.next_sequence,
                got: number,
                boot: sum.boot.get(),
            });
        }
        reading.encode()?;
        let mut bad_sectors = 0;
        loop {
            let record_type = reading.record_type();
            let mut packed = [0; MAX_PACKED_READING];
            let mut codec = codec_for(self.codec.as_ref(), self.meter, record_type)
                .expect("a reading's type is a type of reading");
            let len = codec
                .pack(reading, &mut packed)
                .expect("meter and kind are the codec's, and the buffer takes any reading");
            if !self.readings.fits(len) {
                self.open_readings_sector()?;
                continue;
            }
            let parts = [&packed[..len]];
            match self
                .readings
                .append(&mut self.flash, kind_of(record_type), &parts)
            {
                Ok(Appended::Done) => {
                    self.codec = Some(codec);
                    self.next_sequence = number.saturating_add(1);
                    self.last_produced = sum.produced.get();
                    return Ok(());
                }
                Ok(Appended::NoRoom) => self.codec = None,
                Ok(Appended::Failed(failure)) => {
                    self.codec = None;
                    bad_sectors += 1;
                    if bad_sectors == MAX_BAD_SECTORS {
                        return Err(PushError::Refused(failure));
                    }
                }
                Err(failure) => {
                    self.next_sequence = number.saturating_add(1);
                    return Err(self.doubt(failure));
                }
            }
        }
    }

    /// Opens the next sector that the flash takes, once what it erases is no longer needed.
    fn open_readings_sector(&mut self) -> Result<(), PushError> {
        let first = self.readings.next;
        loop {
            let number = self.readings.next;
            self.check_readings_may_go(number)?;
            let carry = self.next_sequence.to_be_bytes();
            match self.readings.open(&mut self.flash, &carry) {
                Ok(()) => {
                    self.codec = None;
                    return Ok(());
                }
                Err(failure) if number - first >= MAX_BAD_SECTORS - 1 => {
                    self.readings.next = first;
                    return Err(PushError::Refused(failure));
                }
                Err(_) => {}
            }
        }
    }

    /// Checks that no reading is still needed in the slot that sector `number` takes.
    fn check_readings_may_go(&mut self, number: u32) -> Result<(), PushError> {
        let Some(victim) = number.checked_sub(self.readings.sectors()) else {
            return Ok(());
        };
        let Some(last) = self.last_sequence_in(victim)? else {
            return Ok(());
        };
        if last <= self.durably_settled.max(self.state.last_given_up()) {
            return Ok(());
        }
        if last > self.state.sealed_sequence {
            return Err(PushError::Blocked(Need::Seal));
        }
        if self.durably_settled < self.state.settled_sequence {
            // Acknowledged, but not on the flash: a power cut now must not make them look lost.
            self.store_acknowledgement()?;
            return self.check_readings_may_go(number);
        }
        match self.readings_loss(last)? {
            Some(loss) => Err(PushError::Blocked(Need::Gap(loss))),
            None => Ok(()),
        }
    }

    /// The highest sequence number in a sector, if it still holds readings.
    fn last_sequence_in(&mut self, number: u32) -> Result<Option<u64>, FlashFailure> {
        if !self.readings.may_hold(&mut self.flash, number)? {
            return Ok(None);
        }
        let mut last = None;
        let (mut codec, mut at) = (None, self.readings.first_entry());
        while let Found::Entry(entry) = self.readings.entry(&mut self.flash, number, at)? {
            let Some(reading) = unpack(&mut codec, self.meter, entry.kind, entry.body()) else {
                break;
            };
            last = last.max(Some(reading.sum().sequence.get()));
            at = entry.next;
        }
        Ok(last)
    }

    /// What a Gap must say so that readings up to `last` may go: all windows since the last
    /// acknowledged record that have lost, or now lose, their readings.
    fn readings_loss(&mut self, last: u64) -> Result<Option<Loss>, FlashFailure> {
        let mut loss: Option<Loss> = None;
        let mut cursor = self.records_from(self.state.first_live_index())?;
        while let Some(stored) = self.next_record(&mut cursor)? {
            let ww_wire::ChainRecord::Window(window) = stored.record else {
                continue;
            };
            if window.first_sequence.get() > last {
                break;
            }
            let known = loss.get_or_insert(Loss {
                kind: GapKind::Readings,
                first_index: window.chain_index,
                last_index: window.chain_index,
                first_sequence: Some(window.first_sequence),
                last_sequence: None,
                produced_open: window.produced_open,
                produced_close: window.produced_close,
                last_digest: Hash::ZERO,
            });
            known.last_index = window.chain_index;
            known.last_sequence = Some(window.last_sequence);
            known.produced_close = window.produced_close;
        }
        Ok(loss)
    }

    /// A place to read on from, for the readings after number `after`.
    pub(crate) fn readings_after(&mut self, after: u64) -> Result<ReadingCursor, FlashFailure> {
        let mut number = self.readings.oldest();
        if let Some(head) = self.readings.head {
            for candidate in (self.readings.oldest()..=head.number).rev() {
                let header = self.readings.header(&mut self.flash, candidate)?;
                if header.is_some_and(|header| carried_sequence(header.carry()) <= after + 1) {
                    number = candidate;
                    break;
                }
            }
        }
        Ok(ReadingCursor {
            number,
            at: 0,
            codec: None,
            after,
        })
    }

    /// The next reading in the order of their numbers; `None` at the end.
    pub(crate) fn next_reading(
        &mut self,
        cursor: &mut ReadingCursor,
    ) -> Result<Option<AnyReading>, FlashFailure> {
        let Some(head) = self.readings.head else {
            return Ok(None);
        };
        while cursor.number <= head.number {
            if cursor.at == 0 {
                if !self.readings.may_hold(&mut self.flash, cursor.number)? {
                    cursor.number += 1;
                    continue;
                }
                cursor.at = self.readings.first_entry();
                cursor.codec = None;
            }
            let found = self
                .readings
                .entry(&mut self.flash, cursor.number, cursor.at)?;
            if let Found::Entry(entry) = found
                && let Some(reading) =
                    unpack(&mut cursor.codec, self.meter, entry.kind, entry.body())
            {
                cursor.at = entry.next;
                let number = reading.sum().sequence.get();
                if number > cursor.after {
                    cursor.after = number;
                    return Ok(Some(reading));
                }
            } else {
                (cursor.number, cursor.at) = (cursor.number + 1, 0);
            }
        }
        Ok(None)
    }

    /// Shows the readings from `first` to `last` that are still on the flash, in order.
    ///
    /// # Errors
    /// The [`FlashFailure`] of a read.
    pub fn for_each_reading(
        &mut self,
        first: ww_wire::Sequence,
        last: ww_wire::Sequence,
        mut show: impl FnMut(&AnyReading),
    ) -> Result<(), FlashFailure> {
        let mut cursor = self.readings_after(first.get().saturating_sub(1))?;
        while let Some(reading) = self.next_reading(&mut cursor)? {
            if reading.sum().sequence > last {
                break;
            }
            show(&reading);
        }
        Ok(())
    }
}
