//! Finding out what a flash holds, after whatever happened to it.

use embedded_storage::nor_flash::NorFlash;
use ww_wire::packed::Codec;
use ww_wire::{AnyReading, BootCounter, MeterId};

use super::layout::{CHAIN_RESERVE, SETTINGS_SECTORS};
use super::readings::MAX_BAD_SECTORS;
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
        let (state, lost_from) = mount_chain(&mut chain, &mut flash)?;
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
            declared: (1, 0),
            lost_from,
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
        let newest = newest(ring, &mut self.flash, |entry| {
            match entry {
                Visit::Start(carry) => {
                    codec = None;
                    carried = carry.map_or(0, readings::carried_sequence).max(carried);
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
            self.state.boot = self.state.boot.max(last.sum().boot.get());
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

/// Gives the state of the chain and, when its last records cannot be read, the first of them.
fn mount_chain<F: NorFlash>(
    ring: &mut Ring,
    flash: &mut F,
) -> Result<(ChainState, Option<u64>), MountError> {
    let highest = highest_number(ring, flash)?;
    let lowest = highest.map_or(0, |highest| (highest + 1).saturating_sub(ring.sectors()));
    let mut number = None;
    for candidate in highest
        .into_iter()
        .flat_map(|highest| (lowest..=highest).rev())
    {
        if ring.has_entry(flash, candidate)? {
            number = Some(candidate);
            break;
        }
    }
    let Some(number) = number else {
        return Ok((ChainState::NEW, None));
    };
    // The newest header that can be read, then everything since.
    let mut first = number;
    let mut state = loop {
        let header = ring.header(flash, first)?;
        match header.and_then(|header| ChainState::from_bytes(header.carry())) {
            Some(state) => break state,
            None if first == lowest => break ChainState::NEW,
            None => first -= 1,
        }
    };
    let mut scan = ring.scan(first);
    for sector in first..=number {
        if !ring.may_hold(flash, sector)? {
            continue;
        }
        scan = ring.scan(sector);
        while let Some(entry) = ring.next_entry(flash, &mut scan)? {
            match entry.kind {
                records::RECORD => {
                    if let Some((record, payload)) = records::decode(entry.body())
                        && record.chain_index().get() >= state.next_index
                    {
                        state.apply(&record, ww_wire::Hash::of(&[payload]));
                    }
                }
                records::ACKNOWLEDGED => {
                    if let Some((index, sequence)) = records::decode_acknowledged(entry.body()) {
                        state.settle(index, sequence);
                    }
                }
                _ => {}
            }
        }
    }
    let programmed = ring.programmed_after(flash, number, scan.end)?;
    let free = if programmed == 0 {
        scan.end
    } else {
        SECTOR_BYTES
    };
    ring.head = Some(Head { number, free });
    ring.next = number + 1;
    let lost_from = state.next_index;
    let lost = state.settled_index.saturating_sub(lost_from);
    if lost == 0 {
        return Ok((state, None));
    }
    // One more, which nobody can hold: no record is taken for the one after a lost one. Each of the
    // lost ones may have been a Boot.
    state.next_index = lost_from.saturating_add(lost + 1);
    state.boot = state
        .boot
        .saturating_add(u32::try_from(lost).unwrap_or(u32::MAX));
    Ok((state, Some(lost_from)))
}

enum Visit<'a> {
    /// A sector begins, with this carry if its header can be read.
    Start(Option<&'a [u8]>),
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

/// The highest number of any sector of the ring, by its header or by its entries: the newest
/// sector's header may have rotted.
fn highest_number<F: NorFlash>(ring: &Ring, flash: &mut F) -> Result<Option<u32>, MountError> {
    let mut highest = newest_number(ring, flash)?;
    let mut next = highest.map_or(0, |highest| highest + 1);
    let mut without = 0;
    // Numbers of sectors that the flash did not take are passed over.
    while without < MAX_BAD_SECTORS && without + 1 < ring.sectors() {
        if ring.has_entry(flash, next)? {
            (highest, without) = (Some(next), 0);
        } else {
            without += 1;
        }
        next += 1;
    }
    Ok(highest)
}

/// Finds the newest sector of readings with an entry and shows it to `visit`, which says whether an
/// entry counts. Sectors without an entry count as never opened: they are erased again before use.
/// A packed reading hangs on the one before it, so behind a spoilt one none is looked for.
fn newest<F: NorFlash>(
    ring: &Ring,
    flash: &mut F,
    mut visit: impl FnMut(Visit<'_>) -> bool,
) -> Result<Option<Newest>, MountError> {
    let Some(highest) = highest_number(ring, flash)? else {
        return Ok(None);
    };
    let mut garbage = 0;
    if ring.is_beyond_reading(flash, highest + 1)? {
        garbage = SECTOR_BYTES;
    }
    let lowest = (highest + 1).saturating_sub(ring.sectors());
    for number in (lowest..=highest).rev() {
        if !ring.may_hold(flash, number)? {
            continue;
        }
        let header = ring.header(flash, number)?;
        visit(Visit::Start(header.as_ref().map(|header| header.carry())));
        let (mut end, mut any) = (ring.first_entry(), false);
        while let Found::Entry(entry) = ring.entry(flash, number, end)?
            && visit(Visit::Entry(entry.kind, entry.body()))
        {
            (end, any) = (entry.next, true);
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
