//! Finding out what a flash holds, after whatever happened to it.

use embedded_storage::nor_flash::NorFlash;
use ww_wire::packed::Codec;
use ww_wire::{AnyReading, BootCounter, MeterId};

use super::layout::{CHAIN_RESERVE, SETTINGS_SECTORS};
use super::ring::{Found, Head, Ring, RingId};
use super::settings::{Digests, SETTINGS_BYTES};
use super::state::{ChainState, STATE_BYTES};
use super::{Layout, Queue, Recovered, energy, index, readings, records, sequence};
use crate::flash::{FlashFailure, SECTOR_BYTES, WORD_BYTES};

/// Why there is no queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    /// The chip's words or sectors are not those that the queue is made for.
    #[error("the flash must write words of at most 4 bytes and erase sectors of 4 KiB")]
    Geometry,
    /// The layout ends beyond the chip.
    #[error("the layout needs {needed} bytes, the flash has {has}")]
    TooSmall {
        /// Bytes that the layout needs.
        needed: u32,
        /// Bytes of the chip.
        has: usize,
    },
    /// The flash holds another meter's queue. It is not touched: erase it by hand, or bring back
    /// the key.
    #[error("the sector at offset {offset:#x} belongs to a meter with another key")]
    ForeignMeter {
        /// Where.
        offset: u32,
    },
    /// Reading failed.
    #[error(transparent)]
    Flash(#[from] FlashFailure),
}

/// What stands in the newest sector of a ring.
struct Newest {
    head: Head,
    /// Bytes that can be read as nothing, in this sector and in newer ones without any entry.
    garbage: u32,
}

/// The least that a reading takes on the flash.
const MIN_READING_BYTES: u64 = super::ring::entry_size(2) as u64;

impl<F: NorFlash> Queue<F> {
    /// Finds everything whose writing was completed, in order. Writes nothing.
    ///
    /// # Errors
    /// Any [`MountError`].
    pub fn mount(
        mut flash: F,
        layout: Layout,
        meter: MeterId,
    ) -> Result<(Self, Recovered), MountError> {
        if !WORD_BYTES.is_multiple_of(F::WRITE_SIZE)
            || !WORD_BYTES.is_multiple_of(F::READ_SIZE)
            || !(SECTOR_BYTES as usize).is_multiple_of(F::ERASE_SIZE)
        {
            return Err(MountError::Geometry);
        }
        if flash.capacity() < layout.end_bytes() as usize {
            return Err(MountError::TooSmall {
                needed: layout.end_bytes(),
                has: flash.capacity(),
            });
        }
        let tag = [meter.0[0], meter.0[1], meter.0[2], meter.0[3]];
        let mut settings = Ring::new(
            RingId::Settings,
            layout.settings_start(),
            SETTINGS_SECTORS,
            SETTINGS_BYTES,
            tag,
        );
        let digests = mount_settings(&mut settings, &mut flash)?;
        let mut chain = Ring::new(
            RingId::Chain,
            layout.chain_start(),
            layout.chain_sectors(),
            STATE_BYTES,
            tag,
        );
        let state = mount_chain(&mut chain, &mut flash)?;
        let readings = Ring::new(
            RingId::Readings,
            layout.readings_start(),
            layout.readings_sectors(),
            readings::CARRY_BYTES,
            tag,
        );
        let mut queue = Self {
            flash,
            meter,
            settings,
            digests,
            chain,
            state,
            chain_clear: chain
                .head
                .map_or(CHAIN_RESERVE - 1, |head| head.number + CHAIN_RESERVE),
            head_settled: state.settled_sequence,
            durably_settled: state.settled_sequence,
            readings,
            codec: None,
            next_sequence: 1,
            last_produced: state.sealed_close,
            doubtful: None,
        };
        let recovered = queue.mount_readings()?;
        Ok((queue, recovered))
    }

    fn mount_readings(&mut self) -> Result<Recovered, MountError> {
        let mut last: Option<AnyReading> = None;
        let mut codec: Option<Codec> = None;
        let (meter, ring) = (self.meter, &mut self.readings);
        let mut carried = 1;
        let newest = newest(ring, &mut self.flash, false, |entry| {
            match entry {
                Visit::Start(carry) => {
                    codec = None;
                    carried = readings::carried_sequence(carry).max(carried);
                }
                Visit::Entry(kind, body) => {
                    let Some(reading) = readings::unpack(&mut codec, meter, kind, body) else {
                        return false;
                    };
                    last = Some(reading);
                }
            }
            true
        })?;
        let garbage = newest.as_ref().map_or(0, |newest| newest.garbage);
        ring.head = newest.map(|newest| newest.head);
        ring.next = ring.head.map_or(0, |head| head.number + 1);
        self.codec = codec;
        let skipped = u64::from(garbage).div_ceil(MIN_READING_BYTES);
        let after_last = last.map_or(1, |reading| reading.sum().sequence.get().saturating_add(1));
        self.next_sequence = after_last
            .max(carried)
            .max(self.state.sealed_sequence.saturating_add(1))
            .saturating_add(skipped)
            .max(self.state.first_new);
        if let Some(last) = &last {
            self.last_produced = self.last_produced.max(last.sum().produced.get());
        }
        Ok(Recovered {
            last_reading: last,
            last_boot: BootCounter::new(self.state.boot).filter(|boot| *boot != BootCounter::ZERO),
            next_index: index(self.state.next_index),
            next_sequence: sequence(self.next_sequence),
            produced: energy(self.last_produced),
            skipped,
        })
    }
}

fn mount_settings<F: NorFlash>(ring: &mut Ring, flash: &mut F) -> Result<Digests, MountError> {
    let mut blob = [0; SETTINGS_BYTES];
    let mut found = false;
    // A settings sector is whole as soon as its header is: the header carries everything.
    let Some(number) = newest_number(ring, flash)? else {
        return Ok(Digests::NONE);
    };
    let mut free = ring.first_entry();
    if let Some(header) = ring.header(flash, number)? {
        blob.copy_from_slice(header.carry());
        found = true;
    }
    while let Found::Entry(entry) = ring.entry(flash, number, free)? {
        super::settings::apply(&mut blob, entry.kind, entry.body());
        free = entry.next;
    }
    if ring.programmed_after(flash, number, free)? > 0 {
        free = SECTOR_BYTES;
    }
    ring.head = Some(Head { number, free });
    ring.next = number + 1;
    Ok(if found {
        Digests::of(&blob)
    } else {
        Digests::NONE
    })
}

fn mount_chain<F: NorFlash>(ring: &mut Ring, flash: &mut F) -> Result<ChainState, MountError> {
    let mut state = ChainState::NEW;
    let newest = newest(ring, flash, true, |visit| {
        match visit {
            Visit::Start(carry) => {
                state = ChainState::from_bytes(carry).unwrap_or(ChainState::NEW);
            }
            Visit::Entry(records::RECORD, body) => {
                if let Some((record, payload)) = records::decode(body)
                    && record.chain_index().get() >= state.next_index
                {
                    state.apply(&record, ww_wire::Hash::of(&[payload]));
                }
            }
            Visit::Entry(records::ACKNOWLEDGED, body) => {
                if let Some((index, sequence)) = records::decode_acknowledged(body) {
                    state.settle(index, sequence);
                }
            }
            Visit::Entry(..) => {}
        }
        true
    })?;
    if newest.is_none() {
        state = ChainState::NEW;
    }
    ring.head = newest.map(|newest| newest.head);
    ring.next = ring.head.map_or(0, |head| head.number + 1);
    Ok(state)
}

enum Visit<'a> {
    /// A sector begins, with this carry.
    Start(&'a [u8]),
    /// An entry of this kind and body.
    Entry(u8, &'a [u8]),
}

/// The highest number of any sector of the ring.
fn newest_number<F: NorFlash>(ring: &Ring, flash: &mut F) -> Result<Option<u32>, MountError> {
    let mut newest = None;
    for slot in 0..ring.sectors() {
        if let Some(header) = ring.header_in_slot(flash, slot)? {
            if header.is_foreign() {
                let offset = ring.slot_offset(slot);
                return Err(MountError::ForeignMeter { offset });
            }
            newest = newest.max(Some(header.number));
        }
    }
    Ok(newest)
}

/// Finds the newest sector with an entry and shows it to `visit`, which says whether an entry
/// counts. Sectors without an entry count as never opened: they are erased again before use.
///
/// With `resume`, entries behind a spoilt one are looked for too; a packed reading hangs on the
/// one before it, so the readings do without.
fn newest<F: NorFlash>(
    ring: &Ring,
    flash: &mut F,
    resume: bool,
    mut visit: impl FnMut(Visit<'_>) -> bool,
) -> Result<Option<Newest>, MountError> {
    let Some(highest) = newest_number(ring, flash)? else {
        return Ok(None);
    };
    let mut garbage = 0;
    let lowest = (highest + 1).saturating_sub(ring.sectors());
    for number in (lowest..=highest).rev() {
        let Some(header) = ring.header(flash, number)? else {
            continue;
        };
        visit(Visit::Start(header.carry()));
        let (mut end, mut at, mut any) = (ring.first_entry(), ring.first_entry(), false);
        loop {
            match ring.entry(flash, number, at)? {
                Found::Entry(entry) if visit(Visit::Entry(entry.kind, entry.body())) => {
                    (at, end, any) = (entry.next, entry.next, true);
                }
                Found::Entry(_) | Found::Garbage if resume => at += WORD_BYTES as u32,
                Found::Entry(_) | Found::Garbage | Found::End => break,
            }
        }
        let programmed = ring.programmed_after(flash, number, end)?;
        garbage += programmed;
        if any {
            let free = if programmed == 0 { end } else { SECTOR_BYTES };
            let head = Head { number, free };
            return Ok(Some(Newest { head, garbage }));
        }
    }
    Ok(None)
}
