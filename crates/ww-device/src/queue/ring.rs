//! A ring of sectors that is only ever appended to: numbered sectors, checksummed entries, and
//! what a mount after any power cut makes of them. It does not know what the entries mean.
//!
//! ```text
//! sector n (at slot n mod sectors):
//! | "Wq" | version | ring | number u32 | meter tag 4 | carry … | CRC-32 |   written right after erase
//! | kind 4 bits, length 12 bits | body … | 0 to 3 zeros | CRC-32 | next entry … | erased … |
//! ```
//! Every checksum starts with the sector's number, so that nothing left over from an earlier use
//! of the slot passes for an entry of the present one. Whatever is not erased after the last
//! valid entry makes the rest of the sector dead: no word is programmed twice.

use embedded_storage::nor_flash::NorFlash;

use crate::flash::{self, Checksum, FlashFailure, SECTOR_BYTES, WORD_BYTES};

const MAGIC: [u8; 2] = *b"Wq";
const VERSION: u8 = 1;
const FIXED_HEADER: usize = 12;
const CHECKSUM: usize = 4;

/// No sector is opened this often: the cells wear out ten thousand times earlier.
const MAX_NUMBER: u32 = u32::MAX / 2;

/// The largest carry of any ring (the settings).
const MAX_CARRY: usize = 424;

/// The largest entry of any ring, with head, padding and checksum (an enrolment).
pub(super) const MAX_ENTRY: usize = 400;

/// Bytes that an entry with a body of `len` bytes takes.
pub(super) const fn entry_size(len: usize) -> usize {
    (2 + len).next_multiple_of(WORD_BYTES) + CHECKSUM
}

/// Which ring a sector belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum RingId {
    Settings = 1,
    Chain = 2,
    Readings = 3,
}

/// Where the next entry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) number: u32,
    /// Offset of the first free byte in the sector; [`SECTOR_BYTES`] when nothing more goes in.
    pub(super) free: u32,
}

/// A sector's header as it stands in the flash.
pub(super) struct Header {
    pub(super) number: u32,
    foreign: bool,
    bytes: [u8; FIXED_HEADER + MAX_CARRY + CHECKSUM],
    carry: usize,
}

impl Header {
    pub(super) fn carry(&self) -> &[u8] {
        &self.bytes[FIXED_HEADER..FIXED_HEADER + self.carry]
    }

    /// Whether another meter's key wrote it.
    pub(super) fn is_foreign(&self) -> bool {
        self.foreign
    }
}

/// An entry read into a buffer.
pub(super) struct Entry {
    pub(super) kind: u8,
    bytes: [u8; MAX_ENTRY],
    len: usize,
    /// Offset of the entry after it.
    pub(super) next: u32,
}

impl Entry {
    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[2..2 + self.len]
    }
}

/// What stands at an offset of a sector.
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for one loop turn on the stack, and there is no heap to put it on"
)]
pub(super) enum Found {
    Entry(Entry),
    /// Erased, or the end of the sector.
    End,
    /// Neither erased nor a valid entry.
    Garbage,
}

/// A place in a sector from which to read on, past what cannot be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    pub(super) number: u32,
    /// Where the last entry ends that could be read.
    pub(super) end: u32,
    at: u32,
    /// Where the bytes end that are not erased; looked up at the first that cannot be read.
    programmed: Option<u32>,
}

/// What became of an entry to append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    /// It is on the flash and reads back.
    Done,
    /// The head sector has no room left for it, or there is none.
    NoRoom,
    /// The flash did not take it; the rest of the sector is dead, and the entry is not on it.
    Failed(FlashFailure),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    id: RingId,
    base: u32,
    sectors: u32,
    carry: usize,
    tag: [u8; 4],
    pub(super) head: Option<Head>,
    /// The number of the sector that will be opened next.
    pub(super) next: u32,
}

impl Ring {
    pub(super) const fn new(
        id: RingId,
        first_sector: u32,
        sectors: u32,
        carry: usize,
        tag: [u8; 4],
    ) -> Self {
        assert!(carry <= MAX_CARRY);
        Self {
            id,
            base: first_sector * SECTOR_BYTES,
            sectors,
            carry,
            tag,
            head: None,
            next: 0,
        }
    }

    pub(super) const fn sectors(&self) -> u32 {
        self.sectors
    }

    /// Offset of a sector's first entry.
    pub(super) const fn first_entry(&self) -> u32 {
        (FIXED_HEADER + self.carry + CHECKSUM) as u32
    }

    /// Where a slot begins on the chip.
    pub(super) const fn slot_offset(&self, slot: u32) -> u32 {
        self.base + slot * SECTOR_BYTES
    }

    const fn offset(&self, number: u32) -> u32 {
        self.slot_offset(number % self.sectors)
    }

    /// The header in a slot, if it is whole and belongs there.
    pub(super) fn header_in_slot<F: NorFlash>(
        &self,
        flash: &mut F,
        slot: u32,
    ) -> Result<Option<Header>, FlashFailure> {
        let mut header = Header {
            number: 0,
            foreign: false,
            bytes: [0; _],
            carry: self.carry,
        };
        let len = FIXED_HEADER + self.carry;
        let bytes = &mut header.bytes[..len + CHECKSUM];
        flash::read(flash, self.slot_offset(slot), bytes)?;
        let (content, checksum) = bytes.split_at(len);
        if content[..4] != [MAGIC[0], MAGIC[1], VERSION, self.id as u8]
            || Checksum::new().with(content).finish() != *checksum
        {
            return Ok(None);
        }
        header.number = u32::from_be_bytes([content[4], content[5], content[6], content[7]]);
        header.foreign = content[8..FIXED_HEADER] != self.tag;
        let belongs = header.number % self.sectors == slot && header.number <= MAX_NUMBER;
        Ok(belongs.then_some(header))
    }

    /// The header of sector `number`, if the slot still holds that sector.
    pub(super) fn header<F: NorFlash>(
        &self,
        flash: &mut F,
        number: u32,
    ) -> Result<Option<Header>, FlashFailure> {
        let header = self.header_in_slot(flash, number % self.sectors)?;
        Ok(header.filter(|header| header.number == number))
    }

    /// Whether the slot may hold sector `number`: no valid header says otherwise. Its entries tell;
    /// their checksums start with the number, so that they need no header.
    pub(super) fn may_hold<F: NorFlash>(
        &self,
        flash: &mut F,
        number: u32,
    ) -> Result<bool, FlashFailure> {
        let header = self.header_in_slot(flash, number % self.sectors)?;
        Ok(header.is_none_or(|header| header.number == number))
    }

    /// The beginning of a sector, to read it from there with [`Ring::next_entry`].
    pub(super) fn scan(&self, number: u32) -> Scan {
        let at = self.first_entry();
        Scan {
            number,
            end: at,
            at,
            programmed: None,
        }
    }

    /// The next entry that can be read. Behind a spoilt one, which may have erased words in it,
    /// others may be whole.
    pub(super) fn next_entry<F: NorFlash>(
        &self,
        flash: &mut F,
        scan: &mut Scan,
    ) -> Result<Option<Entry>, FlashFailure> {
        loop {
            match (self.entry(flash, scan.number, scan.at)?, scan.programmed) {
                (Found::Entry(entry), _) => {
                    (scan.at, scan.end) = (entry.next, entry.next);
                    return Ok(Some(entry));
                }
                (Found::Garbage, None) => {
                    let after = self.programmed_after(flash, scan.number, scan.at)?;
                    scan.programmed = Some(scan.at + after);
                }
                (Found::Garbage, Some(_)) => scan.at += WORD_BYTES as u32,
                (Found::End, Some(programmed)) if scan.at < programmed => {
                    scan.at += WORD_BYTES as u32;
                }
                (Found::End, _) => return Ok(None),
            }
        }
    }

    /// Whether any entry of sector `number` is in its slot.
    pub(super) fn has_entry<F: NorFlash>(
        &self,
        flash: &mut F,
        number: u32,
    ) -> Result<bool, FlashFailure> {
        Ok(self.may_hold(flash, number)?
            && self.next_entry(flash, &mut self.scan(number))?.is_some())
    }

    /// Whether the slot of sector `number` holds something of which nothing can be read, neither
    /// as that sector nor as the one before it in the slot.
    pub(super) fn is_beyond_reading<F: NorFlash>(
        &self,
        flash: &mut F,
        number: u32,
    ) -> Result<bool, FlashFailure> {
        if self.header_in_slot(flash, number % self.sectors)?.is_some()
            || self.programmed_after(flash, number, self.first_entry())? == 0
        {
            return Ok(false);
        }
        let earlier = number.checked_sub(self.sectors);
        for number in earlier.into_iter().chain([number]) {
            if self.next_entry(flash, &mut self.scan(number))?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The oldest number that a sector of the ring can still have.
    pub(super) fn oldest(&self) -> u32 {
        self.head
            .map_or(0, |head| (head.number + 1).saturating_sub(self.sectors))
    }

    /// What stands at `at` in the slot of sector `number`, whether its header can be read or not:
    /// the checksum of an entry starts with the number, so that nothing of another sector passes.
    pub(super) fn entry<F: NorFlash>(
        &self,
        flash: &mut F,
        number: u32,
        at: u32,
    ) -> Result<Found, FlashFailure> {
        if at + (WORD_BYTES + CHECKSUM) as u32 > SECTOR_BYTES {
            return Ok(Found::End);
        }
        let mut entry = Entry {
            kind: 0,
            bytes: [0; _],
            len: 0,
            next: 0,
        };
        let offset = self.offset(number) + at;
        flash::read(flash, offset, &mut entry.bytes[..WORD_BYTES])?;
        if entry.bytes[..WORD_BYTES] == [0xff; WORD_BYTES] {
            return Ok(Found::End);
        }
        let head = u16::from_be_bytes([entry.bytes[0], entry.bytes[1]]);
        entry.kind = (head >> 12) as u8;
        entry.len = usize::from(head & 0xfff);
        let size = entry_size(entry.len);
        if size > MAX_ENTRY || at + size as u32 > SECTOR_BYTES {
            return Ok(Found::Garbage);
        }
        entry.next = at + size as u32;
        flash::read(
            flash,
            offset + WORD_BYTES as u32,
            &mut entry.bytes[WORD_BYTES..size],
        )?;
        let (content, checksum) = entry.bytes[..size].split_at(size - CHECKSUM);
        if self.checksum(number, content) == *checksum {
            Ok(Found::Entry(entry))
        } else {
            Ok(Found::Garbage)
        }
    }

    fn checksum(&self, number: u32, content: &[u8]) -> [u8; 4] {
        Checksum::new()
            .with(&number.to_be_bytes())
            .with(content)
            .finish()
    }

    /// Bytes from `at` to the last one of the sector that is not erased.
    pub(super) fn programmed_after<F: NorFlash>(
        &self,
        flash: &mut F,
        number: u32,
        at: u32,
    ) -> Result<u32, FlashFailure> {
        let sector = self.offset(number);
        flash::programmed_bytes(flash, sector + at, sector + SECTOR_BYTES)
    }

    /// Whether an entry with a body of `len` bytes fits into the head sector.
    pub(super) fn fits(&self, len: usize) -> bool {
        self.head
            .is_some_and(|head| head.free + entry_size(len) as u32 <= SECTOR_BYTES)
    }

    /// Erases the next sector and writes its header. When the flash does not take it, the one
    /// after it is next.
    pub(super) fn open<F: NorFlash>(
        &mut self,
        flash: &mut F,
        carry: &[u8],
    ) -> Result<(), FlashFailure> {
        debug_assert_eq!(carry.len(), self.carry);
        let number = self.next;
        let mut bytes = [0; FIXED_HEADER + MAX_CARRY + CHECKSUM];
        let len = FIXED_HEADER + self.carry;
        bytes[..4].copy_from_slice(&[MAGIC[0], MAGIC[1], VERSION, self.id as u8]);
        bytes[4..8].copy_from_slice(&number.to_be_bytes());
        bytes[8..FIXED_HEADER].copy_from_slice(&self.tag);
        bytes[FIXED_HEADER..len].copy_from_slice(carry);
        let checksum = Checksum::new().with(&bytes[..len]).finish();
        bytes[len..len + CHECKSUM].copy_from_slice(&checksum);
        self.next = number.wrapping_add(1);
        let offset = self.offset(number);
        flash::erase(flash, offset)?;
        let bytes = &bytes[..len + CHECKSUM];
        flash::write(flash, offset, bytes)?;
        if !flash::holds(flash, offset, bytes)? {
            return Err(not_held(offset));
        }
        let free = self.first_entry();
        self.head = Some(Head { number, free });
        Ok(())
    }

    /// Appends an entry to the head sector.
    ///
    /// # Errors
    /// A [`FlashFailure`] leaves open whether the entry is on the flash.
    pub(super) fn append<F: NorFlash>(
        &mut self,
        flash: &mut F,
        kind: u8,
        parts: &[&[u8]],
    ) -> Result<Appended, FlashFailure> {
        let len = parts.iter().map(|part| part.len()).sum();
        let Some(head) = self.head.filter(|_| self.fits(len)) else {
            return Ok(Appended::NoRoom);
        };
        let size = entry_size(len);
        let mut bytes = [0; MAX_ENTRY];
        let lead = u16::from(kind) << 12 | len as u16;
        bytes[..2].copy_from_slice(&lead.to_be_bytes());
        let mut at = 2;
        for part in parts {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        let checksum = self.checksum(head.number, &bytes[..size - CHECKSUM]);
        bytes[size - CHECKSUM..size].copy_from_slice(&checksum);
        let offset = self.offset(head.number) + head.free;
        let written = flash::write(flash, offset, &bytes[..size]);
        // Also after an error: the chip may have taken the bytes all the same, and then they count.
        self.head = Some(Head {
            free: SECTOR_BYTES,
            ..head
        });
        let held = flash::holds(flash, offset, &bytes[..size])?;
        let free = if held {
            head.free + size as u32
        } else {
            SECTOR_BYTES
        };
        self.head = Some(Head { free, ..head });
        Ok(if held {
            Appended::Done
        } else {
            Appended::Failed(written.err().unwrap_or_else(|| not_held(offset)))
        })
    }
}

/// The chip said that it wrote, and does not hold it.
const fn not_held(offset: u32) -> FlashFailure {
    FlashFailure {
        attempted: crate::flash::Operation::Write,
        offset,
        kind: embedded_storage::nor_flash::NorFlashErrorKind::Other,
    }
}
