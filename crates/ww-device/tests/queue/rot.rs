//! A flash that forgets: what of the queue's promises still holds then.

use ww_device::queue::Layout;
use ww_wire::{ChainIndex, ChainRecord, GapKind};

use crate::flash::{Flash, SECTOR, random};
use crate::world::{Snapshot, Step, World};

const CHAIN: std::ops::Range<usize> = 2..8;
const READINGS: std::ops::Range<usize> = 8..11;

/// A chain header, then a readings header: twelve bytes, the carry, the checksum.
const CHAIN_HEADER: usize = 12 + 16 * 8 + 4 + 3 * 32 + 4;
const READINGS_HEADER: usize = 12 + 8 + 4;

/// Some days with reboots, of which the gateway has seen everything up to the last readings.
fn lived() -> World {
    let mut world = World::new(Layout::new(0, 6, 3).unwrap());
    for i in 0..330 {
        world.step(Step::Reading(100)).unwrap();
        if i % 40 == 39 {
            world.step(Step::Reboot).unwrap();
            world.step(Step::Drain).unwrap();
        }
    }
    world
}

/// Where the newest sector of a ring begins.
fn newest(flash: &Flash, ring: std::ops::Range<usize>) -> usize {
    let number = |sector: &usize| {
        let at = *sector * SECTOR;
        let is_opened = flash.bytes[at..at + 2] == *b"Wq";
        is_opened.then(|| flash.bytes[at + 4..at + 8].to_vec())
    };
    ring.max_by_key(number).unwrap() * SECTOR
}

/// What was given out: the next index, the next reading, the last boot.
fn numbers(world: &mut World) -> (u64, u64, u32) {
    world.with_flash_of(|_| ());
    let recovered = world.recovered.unwrap();
    let boot = recovered.last_boot.map_or(0, |boot| boot.get());
    (
        recovered.next_index.get(),
        recovered.next_sequence.get(),
        boot,
    )
}

/// Mounts with the change made and checks that nothing is given out again.
fn rotted(snapshot: &Snapshot, given_out: (u64, u64, u32), rot: impl FnOnce(&mut Flash)) -> World {
    let mut world = World::from_snapshot(snapshot, None);
    world.with_flash_of(rot);
    let (index, sequence, boot) = numbers(&mut world);
    assert!(
        index >= given_out.0 && sequence >= given_out.1 && boot >= given_out.2,
        "{given_out:?} were given out, and now ({index}, {sequence}, {boot}) come next"
    );
    world
}

/// Goes on with the gateway of before, which panics when a number comes again.
fn go_on(world: &mut World) {
    for _ in 0..3 {
        world.step(Step::Reading(60)).unwrap();
    }
    world.step(Step::Reboot).unwrap();
    world.settle();
}

#[test]
fn no_bit_of_the_newest_headers_gives_a_number_out_again() {
    let mut world = lived();
    let given_out = numbers(&mut world);
    let snapshot = world.snapshot();
    for (ring, header) in [(CHAIN, CHAIN_HEADER), (READINGS, READINGS_HEADER)] {
        let at = world.with_flash_of(|flash| newest(flash, ring));
        for bit in 0..header * 8 {
            let flip = |flash: &mut Flash| flash.bytes[at + bit / 8] ^= 1 << (bit % 8);
            let mut world = rotted(&snapshot, given_out, flip);
            if bit % 64 == 0 {
                go_on(&mut world);
            }
        }
        let zero = |flash: &mut Flash| flash.bytes[at..at + header].fill(0);
        go_on(&mut rotted(&snapshot, given_out, zero));
    }
}

#[test]
fn a_newest_sector_of_readings_beyond_reading_costs_numbers_and_repeats_none() {
    let mut world = lived();
    let given_out = numbers(&mut world);
    let snapshot = world.snapshot();
    let spoil = |flash: &mut Flash| {
        let at = newest(flash, READINGS);
        let mut seed = 3;
        for byte in &mut flash.bytes[at..at + SECTOR] {
            *byte &= random(&mut seed) as u8;
        }
    };
    let mut world = rotted(&snapshot, given_out, spoil);
    for _ in 0..3 {
        // Live readings go to the gateway of before, which panics when a number comes again.
        world.act(Step::Reading(60)).unwrap();
    }
    world.act(Step::Drain).unwrap();
}

#[test]
fn an_acknowledged_last_record_that_rots_keeps_its_number() {
    let mut world = lived();
    world.step(Step::Stop).unwrap();
    world.step(Step::Drain).unwrap();
    let given_out = numbers(&mut world);
    let snapshot = world.snapshot();
    let (last, record) = world.gateway.records.iter().next_back().unwrap();
    assert_eq!(*last + 1, given_out.0);
    let payload = record.encode().unwrap();
    let spoil = |flash: &mut Flash| {
        let mut places = flash.bytes.windows(payload.len());
        let at = places.position(|bytes| bytes == &payload[..]).unwrap();
        flash.bytes[at + 40] ^= 1;
    };
    let mut world = rotted(&snapshot, given_out, spoil);
    go_on(&mut world);
    let skips = |record: &ChainRecord| matches!(record, ChainRecord::Gap(gap) if gap.first_index.get() == *last);
    assert!(world.gateway.records.values().any(skips));
}

/// Wherever in the chain ring a bit flips, what can be read arrives and Gaps speak of the rest.
#[test]
fn a_chain_with_a_spoilt_place_is_sent_with_a_signed_gap_for_it() {
    let mut world = World::new(Layout::new(0, 6, 3).unwrap());
    for i in 0..40 {
        world.act(Step::Reading(300)).unwrap();
        if i % 9 == 8 {
            world.act(Step::Reboot).unwrap();
        }
    }
    let snapshot = world.snapshot();
    let mut gaps = 0;
    for at in (CHAIN.start * SECTOR..CHAIN.end * SECTOR).step_by(59) {
        let mut world = World::from_snapshot(&snapshot, None);
        world.with_flash_of(|flash| flash.bytes[at] ^= 16);
        world.settle();
        let of_records = |record: &&ChainRecord| matches!(record, ChainRecord::Gap(gap) if gap.kind == GapKind::Records);
        gaps += world.gateway.records.values().filter(of_records).count();
    }
    assert!(gaps > 50, "{gaps} gaps");
}

/// The first record of the batch after the hole is asked for, too, while there is an erased word in
/// the spoilt one.
#[test]
fn a_spoilt_record_with_an_erased_word_in_it_hides_no_other() {
    let mut world = World::new(Layout::new(0, 6, 3).unwrap());
    world.time_known = false;
    for _ in 0..2 * 60 + 10 {
        world.act(Step::Reading(10)).unwrap();
    }
    let end = world.queue().next_index().get();
    // The first window: its times are absent, which is all ones.
    world.with_flash_of(|flash| {
        let head = CHAIN.start * SECTOR + CHAIN_HEADER;
        flash.bytes[head + 288 + 60] ^= 1;
    });
    assert_eq!(world.queue().next_index().get(), end);
    world.settle();
    let missing = |index: u64| !world.gateway.records.contains_key(&index);
    let missing: Vec<_> = (0..world.gateway.next_index())
        .filter(|index| missing(*index))
        .collect();
    assert_eq!(missing, [1]);
    let from = ChainIndex::new(2).unwrap();
    assert!(world.gateway.records.contains_key(&from.get()));
}
