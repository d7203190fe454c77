//! One rule of the queue or the chain each.

use ww_device::chain::{Chain, ChainError, Start};
use ww_device::now::Now;
use ww_device::queue::{
    AcknowledgeError, BatchError, BatchLimit, Layout, LayoutError, LogCheckpoint,
    MAX_BATCH_RECORDS, MountError, Need, PushError, Queue,
};
use ww_device::signer::{SignError, Signer};
use ww_wire::*;

use crate::flash::{Cut, Flash};
use crate::world::{PUBLIC_KEY, Step, World};

fn small() -> Layout {
    Layout::new(0, 6, 3).unwrap()
}

/// A world whose clock stands `before_ms` before a window's end.
fn world(before_ms: u64) -> World {
    let mut world = World::new(small());
    world.time_ms = 1_750_000_200_000 - before_ms;
    assert_eq!((world.time_ms + before_ms) % 600_000, 0);
    world
}

fn readings(world: &mut World, count: u32, seconds: u64) {
    for _ in 0..count {
        world.step(Step::Reading(seconds)).unwrap();
    }
}

/// What the chain holds, as the gateway sees it.
fn chain(world: &mut World) -> Vec<ChainRecord> {
    world.overhear();
    world.gateway.records.values().copied().collect()
}

fn windows(world: &mut World) -> Vec<Window> {
    let window = |record| match record {
        ChainRecord::Window(window) => Some(window),
        _ => None,
    };
    chain(world).into_iter().filter_map(window).collect()
}

fn gaps(world: &mut World) -> Vec<Gap> {
    let gap = |record| match record {
        ChainRecord::Gap(gap) => Some(gap),
        _ => None,
    };
    chain(world).into_iter().filter_map(gap).collect()
}

fn tick(world: &mut World, ms: u64) {
    world.time_ms += ms;
    let now = world.now();
    let (queue, chain) = (world.queue.as_mut().unwrap(), world.chain.as_mut().unwrap());
    chain.tick(queue, &mut world.signer, now).unwrap();
}

#[test]
fn a_reading_on_the_boundary_is_the_first_of_the_new_window() {
    let mut world = world(20_000);
    readings(&mut world, 3, 10);
    world.step(Step::Stop).unwrap();
    let windows = windows(&mut world);
    assert_eq!(windows.len(), 2);
    assert_eq!(windows[0].count, 1);
    assert_eq!(windows[1].first_time, UtcMillis::new(1_750_000_200_000));
    assert_eq!(windows[1].count, 2);
}

#[test]
fn a_tick_before_the_end_of_the_window_seals_nothing() {
    let mut world = world(20_000);
    readings(&mut world, 1, 10);
    tick(&mut world, 9_999);
    assert!(windows(&mut world).is_empty());
    tick(&mut world, 1);
    assert_eq!(windows(&mut world).len(), 1);
}

#[test]
fn sixty_readings_without_time_are_a_window() {
    let mut world = world(20_000);
    world.time_known = false;
    readings(&mut world, 61, 10);
    let windows = windows(&mut world);
    assert_eq!(windows.len(), 1);
    assert_eq!(windows[0].count, 60);
    assert_eq!(windows[0].first_time, None);
}

#[test]
fn a_window_without_time_closes_when_time_becomes_known() {
    let mut world = world(500_000);
    world.time_known = false;
    readings(&mut world, 2, 10);
    world.time_known = true;
    readings(&mut world, 1, 10);
    assert_eq!(windows(&mut world)[0].count, 2);
}

#[test]
fn a_clock_that_steps_back_closes_the_window() {
    let mut world = world(500_000);
    readings(&mut world, 2, 10);
    world.step(Step::ClockBack(900)).unwrap();
    readings(&mut world, 2, 10);
    world.step(Step::Stop).unwrap();
    let windows = windows(&mut world);
    assert_eq!(windows.len(), 2);
    assert!(windows[1].last_time < windows[0].first_time);
    assert_eq!(windows[1].produced_open, windows[0].produced_close);
}

#[test]
fn six_hundred_readings_are_a_window() {
    let mut world = World::new(Layout::new(0, 6, 8).unwrap());
    world.time_ms = 1_750_000_200_000;
    for _ in 0..601 {
        world.act(Step::Reading(0)).unwrap();
    }
    let mut buffer = [0; 65_536];
    let batch = world
        .queue()
        .next_batch(ChainIndex::ZERO, BatchLimit::MOST, &mut buffer)
        .unwrap();
    assert_eq!((batch.records, batch.readings), (2, 600));
}

#[test]
fn an_orderly_stop_seals_with_its_flag_and_leaves_nothing_to_recover() {
    let mut world = world(500_000);
    readings(&mut world, 3, 10);
    world.step(Step::Stop).unwrap();
    world.boot();
    let windows = windows(&mut world);
    assert_eq!(windows.len(), 1);
    assert_eq!(windows[0].flags, WindowFlags::ORDERLY_STOP);
}

#[test]
fn only_the_window_that_an_orderly_stop_cuts_short_says_so() {
    let mut world = world(20_000);
    readings(&mut world, 1, 10);
    world.signer.works = false;
    readings(&mut world, 3, 10);
    world.signer.works = true;
    world.step(Step::Stop).unwrap();
    let flags: Vec<_> = windows(&mut world)
        .iter()
        .map(|window| window.flags)
        .collect();
    assert_eq!(flags, [WindowFlags::NONE, WindowFlags::ORDERLY_STOP]);
}

#[test]
fn the_unsealed_tail_is_sealed_first_under_its_old_boot_and_firmware() {
    let mut world = world(500_000);
    readings(&mut world, 3, 10);
    world.boot();
    let [boot, window, next_boot] = chain(&mut world)[..] else {
        panic!("{:?}", chain(&mut world));
    };
    let (ChainRecord::Boot(boot), ChainRecord::Boot(next_boot)) = (boot, next_boot) else {
        panic!("{boot:?} {next_boot:?}");
    };
    let ChainRecord::Window(window) = window else {
        panic!("{window:?}");
    };
    assert_eq!((boot.boot.get(), next_boot.boot.get()), (1, 2));
    assert_eq!(
        (window.boot, window.flags),
        (boot.boot, WindowFlags::RECOVERED)
    );
    assert_eq!(window.firmware, boot.firmware);
    assert_eq!(next_boot.last_recovered, Some(window.last_sequence));
    assert_eq!(next_boot.first_new, window.last_sequence.next().unwrap());
}

#[test]
fn the_last_reading_comes_back_with_its_values() {
    let mut world = world(500_000);
    world.three_phase = true;
    readings(&mut world, 5, 10);
    let produced = world.produced;
    world.boot();
    let recovered = world.recovered.unwrap();
    assert_eq!(
        recovered.last_reading.unwrap().sum().produced.get(),
        produced
    );
    assert_eq!(recovered.last_reading.unwrap().sum().sequence.get(), 5);
    assert!(recovered.last_reading.unwrap().phases().is_some());
    assert_eq!(recovered.produced.get(), produced);
    assert_eq!(recovered.last_boot, BootCounter::new(1));
    assert_eq!((recovered.next_sequence.get(), recovered.skipped), (6, 0));
}

#[test]
fn a_torn_reading_costs_the_numbers_that_its_bytes_could_have_held() {
    let mut world = world(500_000);
    readings(&mut world, 3, 10);
    let mut flash = world.queue.take().unwrap().into_flash();
    flash.cut = Some((flash.operations, Cut::Torn(3)));
    let (queue, recovered) = Queue::mount(flash, small(), PUBLIC_KEY.id()).unwrap();
    (world.queue, world.recovered, world.chain) = (Some(queue), Some(recovered), None);
    // The cut strikes the window that recovery seals; the readings are whole.
    world.boot();
    assert_eq!(world.recovered.unwrap().next_sequence.get(), 4);
    world.with_flash_of(|flash| flash.cut = Some((flash.operations + 1, Cut::Torn(3))));
    assert!(world.step(Step::Reading(10)).is_err());
    world.boot();
    let recovered = world.recovered.unwrap();
    assert!((1..=12).contains(&recovered.skipped), "{recovered:?}");
    assert_eq!(recovered.next_sequence.get(), 4 + recovered.skipped);
    readings(&mut world, 2, 10);
    world.settle();
}

#[test]
fn numbers_go_on_when_the_readings_ring_is_lost() {
    let mut world = world(500_000);
    readings(&mut world, 3, 10);
    world.boot();
    world.with_flash_of(|flash| flash.cut = Some((flash.operations + 1, Cut::Torn(3))));
    assert!(world.step(Step::Reading(10)).is_err());
    world.boot();
    let next = world.recovered.unwrap().next_sequence;
    assert!(next.get() > 4, "some were skipped");
    world.with_flash_of(|flash| flash.bytes[8 * 4096..].fill(0xff));
    assert_eq!(world.queue().next_sequence(), next);
}

#[test]
fn a_hole_in_the_tail_ends_one_window_and_begins_the_next() {
    let mut world = World::new(small());
    world.time_ms = 1_750_000_200_000;
    world.act(Step::Reading(0)).unwrap();
    world.signer.works = false;
    for _ in 0..400 {
        world.act(Step::Reading(1)).unwrap();
    }
    world.with_flash_of(|flash| flash.bytes[8 * 4096 + 3000] ^= 1);
    world.signer.works = true;
    world.boot();
    let windows = windows(&mut world);
    assert_eq!(windows.len(), 2);
    assert!(windows[0].last_sequence.next().unwrap() < windows[1].first_sequence);
    assert_eq!(windows[1].last_sequence.get(), 401);
}

#[test]
fn readings_taken_while_the_signer_fails_are_sealed_cell_by_cell_when_it_works() {
    let mut world = world(25_000);
    readings(&mut world, 1, 10);
    world.signer.works = false;
    readings(&mut world, 130, 10);
    assert!(windows(&mut world).is_empty());
    world.signer.works = true;
    tick(&mut world, 1);
    let windows = windows(&mut world);
    let counts: Vec<_> = windows.iter().map(|window| window.count).collect();
    assert_eq!(counts, [2, 60, 60, 9]);
    world.settle();
}

#[test]
fn a_change_of_enrolment_seals_the_readings_before_under_the_old_one() {
    let mut world = world(500_000);
    readings(&mut world, 2, 10);
    let enrolment = enrolment(1);
    let now = world.now();
    let signature = Signature::from_low_s([1; 64]).unwrap();
    let (queue, chain) = (world.queue.as_mut().unwrap(), world.chain.as_mut().unwrap());
    chain
        .enrol(queue, &mut world.signer, &enrolment, &signature, now)
        .unwrap();
    readings(&mut world, 2, 10);
    world.boot();
    let windows = windows(&mut world);
    assert_eq!(windows[0].enrolment, Hash::ZERO);
    assert_eq!(windows[1].enrolment, enrolment.encode().unwrap().digest());
    assert_eq!(
        world.queue().enrolment().unwrap(),
        Some((enrolment, signature))
    );
}

#[test]
fn settings_outlive_many_changes_and_a_cut_in_each() {
    let mut world = world(500_000);
    readings(&mut world, 1, 10);
    let signature = Signature::from_low_s([1; 64]).unwrap();
    for number in 1..40 {
        let enrolment = enrolment(number);
        world.queue().set_enrolment(&enrolment, &signature).unwrap();
        let checkpoint = LogCheckpoint {
            size: u64::from(number),
            root: Hash([number as u8; 32]),
        };
        world.queue().set_checkpoint(&checkpoint).unwrap();
        let torn = LogCheckpoint {
            size: 1000,
            root: Hash([9; 32]),
        };
        world.with_flash_of(|flash| flash.cut = Some((flash.operations, Cut::Torn(7))));
        assert!(world.queue().set_checkpoint(&torn).is_err());
        world.boot();
        assert_eq!(
            world.queue().enrolment().unwrap(),
            Some((enrolment, signature))
        );
        assert_eq!(world.queue().checkpoint(), checkpoint);
        assert_eq!(
            world.queue().enrolment_digest(),
            enrolment.encode().unwrap().digest()
        );
    }
}

#[test]
fn acknowledged_data_goes_without_a_gap() {
    let mut world = world(500_000);
    for _ in 0..700 {
        world.step(Step::Reading(60)).unwrap();
        world.step(Step::Drain).unwrap();
    }
    assert!(gaps(&mut world).is_empty());
    world.settle();
}

#[test]
fn an_outage_costs_readings_first_then_windows() {
    let mut world = world(500_000);
    world.three_phase = true;
    while gaps(&mut world).is_empty() {
        readings(&mut world, 1, 60);
    }
    let first = gaps(&mut world)[0];
    assert_eq!(first.kind, GapKind::Readings);
    assert_eq!(first.first_index.get(), 1, "the oldest window");
    while !gaps(&mut world)
        .iter()
        .any(|gap| gap.kind == GapKind::Records)
    {
        readings(&mut world, 1, 60);
    }
    world.settle();
}

#[test]
fn the_newest_gap_speaks_for_all_losses_since_the_last_acknowledged_record() {
    let mut world = world(500_000);
    world.three_phase = true;
    readings(&mut world, 5, 60);
    world.step(Step::Stop).unwrap();
    world.step(Step::Drain).unwrap();
    let lost_from = world.queue().first_unacknowledged();
    for _ in 0..60 {
        readings(&mut world, 10, 60);
        world.step(Step::Stop).unwrap();
    }
    for kind in [GapKind::Readings, GapKind::Records] {
        let of_kind = gaps(&mut world).into_iter().filter(|gap| gap.kind == kind);
        let gaps: Vec<_> = of_kind.collect();
        assert!(gaps.len() >= 2, "{kind:?}: {gaps:?}");
        for pair in gaps.windows(2) {
            assert!(pair[0].last_index < pair[1].last_index, "{pair:?}");
        }
        if kind == GapKind::Records {
            assert!(
                gaps.iter().all(|gap| gap.first_index == lost_from),
                "{gaps:?}"
            );
            assert!(
                gaps.iter()
                    .all(|gap| gap.first_sequence == Sequence::new(6)),
                "{gaps:?}"
            );
        }
    }
    world.settle();
}

/// Fills the chain ring until the next record needs a Gap first.
fn full() -> World {
    let mut world = world(500_000);
    readings(&mut world, 1, 10);
    while world.queue().prepare_record().is_ok() {
        readings(&mut world, 1, 600);
    }
    world
}

#[test]
fn a_record_that_would_cost_others_is_blocked_until_a_gap_says_so() {
    let mut world = full();
    let blocked = world.queue().prepare_record().unwrap_err();
    assert!(matches!(blocked, PushError::Blocked(Need::Gap(_))));
    let boot = |record| match record {
        ChainRecord::Boot(boot) => boot,
        other => panic!("{other:?}"),
    };
    let next = ChainRecord::Boot(Boot {
        chain_index: world.queue().next_index(),
        previous: world.queue().previous(),
        ..boot(chain(&mut world)[0])
    });
    let signature = Signature::from_low_s([1; 64]).unwrap();
    // A shorter record may still fit; then the next one does not.
    let pushed = world.queue().push_chain(&next, &signature);
    if pushed.is_ok() {
        let next = ChainRecord::Boot(Boot {
            chain_index: world.queue().next_index(),
            previous: world.queue().previous(),
            ..boot(next)
        });
        let pushed = world.queue().push_chain(&next, &signature);
        assert_eq!(pushed, Err(blocked));
    } else {
        assert_eq!(pushed, Err(blocked));
    }
}

#[test]
fn a_gap_can_be_written_after_any_number_of_cuts_in_the_middle_of_it() {
    for operation in 0..3 {
        let mut world = full();
        let before = world.queue().depth().records;
        // Erase, header, Gap.
        world.cuts = (0..9).map(|seed| (operation, Cut::Torn(seed))).collect();
        world.with_flash_of(|flash| flash.cut = Some((flash.operations + operation, Cut::Before)));
        world.boot();
        assert_eq!(world.cuts_struck, 10);
        let lost = gaps(&mut world).last().map(|gap| gap.last_index.get() + 1);
        assert!(
            lost.is_some_and(|lost| lost < before),
            "{lost:?} of {before}"
        );
        world.settle();
    }
}

#[test]
fn a_gateway_that_claims_what_was_never_made_is_not_believed() {
    let mut world = world(500_000);
    readings(&mut world, 2, 10);
    let next = ChainIndex::new(2).unwrap();
    let error = world.queue().acknowledge(next);
    assert_eq!(error, Err(AcknowledgeError::NeverMade { next: 2, made: 1 }));
}

#[test]
fn an_acknowledgement_outlives_a_reboot_and_never_goes_back() {
    let mut world = world(500_000);
    readings(&mut world, 100, 10);
    world.step(Step::Drain).unwrap();
    let settled = world.queue().first_unacknowledged();
    world.queue().acknowledge(ChainIndex::ZERO).unwrap();
    assert_eq!(world.queue().first_unacknowledged(), settled);
    world.with_flash_of(|_| ());
    assert_eq!(world.queue().first_unacknowledged(), settled);
}

/// The chain ring is full, so the acknowledgement finds no room until the next Gap is written;
/// the readings that it speaks of must not be erased before.
#[test]
fn an_acknowledgement_is_on_the_flash_before_its_readings_are_erased() {
    let acknowledged = ChainIndex::new(8).unwrap();
    let after = |more| {
        let mut world = World::new(Layout::new(0, 4, 3).unwrap());
        world.time_ms = 1_750_000_200_000;
        world.three_phase = true;
        let take = |world: &mut World, count, seconds| {
            for _ in 0..count {
                world.act(Step::Reading(seconds)).unwrap();
            }
        };
        take(&mut world, 7, 600);
        take(&mut world, 99, 1);
        take(&mut world, 14, 600);
        world.act(Step::Stop).unwrap();
        assert_eq!(world.queue().next_index().get(), 22, "two sectors are full");
        for next in [1, 2, 3, 4, 5, 6, 8] {
            let next = ChainIndex::new(next).unwrap();
            world.queue().acknowledge(next).unwrap();
        }
        take(&mut world, more, 1);
        let erases = world.with_flash_of(|flash| flash.erases[6]);
        (erases, world.queue().first_unacknowledged())
    };
    assert!(after(0).1 < acknowledged, "it found no room");
    // Up to the first reading for which the oldest sector was erased.
    let first = (1..30)
        .map(|tens| after(10 * tens))
        .find(|(erases, _)| *erases > 1);
    assert_eq!(first, Some((2, acknowledged)));
}

#[test]
fn a_gateway_restored_from_a_backup_gets_again_what_is_still_here() {
    let mut world = world(500_000);
    readings(&mut world, 200, 10);
    world.settle();
    world.gateway = crate::world::Gateway::default();
    let mut buffer = [0; 8192];
    let mut from = ChainIndex::ZERO;
    loop {
        let batch = world
            .queue()
            .next_batch(from, BatchLimit::MOST, &mut buffer)
            .unwrap();
        if batch.records == 0 {
            break;
        }
        world.gateway.receive(&buffer[..batch.len]);
        from = batch.next_index;
    }
    let end = world.queue().next_index().get();
    world.gateway.audit(end, &world.recorded);
    assert_eq!(world.gateway.readings.len(), 200);
}

#[test]
fn a_buffer_too_small_for_one_window_is_named() {
    let mut world = world(500_000);
    readings(&mut world, 60, 10);
    let mut buffer = [0; 500];
    let queue = world.queue();
    let index = ChainIndex::new(1).unwrap();
    let error = queue.next_batch(index, BatchLimit::MOST, &mut buffer).err();
    assert_eq!(error, Some(BatchError::BufferTooSmall(index)));
}

#[test]
fn a_batch_holds_no_more_records_than_the_protocol_allows() {
    let mut world = World::new(Layout::new(0, 40, 3).unwrap());
    for _ in 0..MAX_BATCH_RECORDS + 40 {
        world.act(Step::Reading(600)).unwrap();
    }
    let mut buffer = vec![0; 256 * 1024];
    let mut next = |from, limit| {
        let batch = world.queue().next_batch(from, limit, &mut buffer).unwrap();
        (batch.records, batch.next_index)
    };
    let (records, from) = next(ChainIndex::ZERO, BatchLimit::MOST);
    assert_eq!(
        (records, from.get()),
        (MAX_BATCH_RECORDS, MAX_BATCH_RECORDS.into())
    );
    let (records, _) = next(from, BatchLimit::MOST);
    assert!((30..45).contains(&records), "{records}");
}

#[test]
fn a_batch_that_is_not_taken_is_halved_until_it_is_one_record() {
    let mut world = World::new(Layout::new(0, 8, 8).unwrap());
    for _ in 0..30 {
        world.act(Step::Reading(600)).unwrap();
    }
    let mut buffer = vec![0; 64 * 1024];
    let (mut limit, mut records, mut len) = (BatchLimit::MOST, Vec::new(), usize::MAX);
    for _ in 0..6 {
        let batch = world
            .queue()
            .next_batch(ChainIndex::ZERO, limit, &mut buffer)
            .unwrap();
        assert!(batch.len < len || batch.records == 1, "{batch:?}");
        (limit, len) = (BatchLimit::half_of(&batch), batch.len);
        records.push(batch.records);
    }
    assert!(records[0] >= 29 && records[4..] == [1, 1], "{records:?}");
    assert_eq!(
        (0..9).fold(limit, |limit, _| limit.doubled()).records,
        MAX_BATCH_RECORDS
    );
}

#[test]
fn readings_that_rot_are_given_up_by_a_signed_gap_and_their_window_is_kept() {
    let mut world = world(500_000);
    for _ in 0..120 {
        world.act(Step::Reading(10)).unwrap();
    }
    world.act(Step::Stop).unwrap();
    let readings_start = (2 + 6) * 4096;
    world.with_flash_of(|flash| flash.bytes[readings_start + 1000] ^= 1);
    world.recorded.clear();
    world.act(Step::Drain).unwrap();
    let gaps = gaps(&mut world);
    assert!(gaps.iter().all(|gap| gap.kind == GapKind::Unreadable));
    // The sector cannot be read on behind the flipped bit: the last two of three windows.
    let ranges = gaps
        .iter()
        .map(|gap| (gap.first_index.get(), gap.last_index.get()));
    assert_eq!(ranges.collect::<Vec<_>>(), [(2, 2), (3, 3)]);
    assert_eq!(windows(&mut world).len(), 3);
    assert!(world.gateway.whole.contains(&1));
}

/// A sector's new header before the entries of its earlier use, as no completed erase leaves it.
#[test]
fn mixed_and_matched_sectors() {
    let mut world = World::new(Layout::new(0, 6, 3).unwrap());
    let slot = 8 * 4096..9 * 4096;
    let header = 24;
    let mut numbers = |until_number| {
        loop {
            world.act(Step::Reading(60)).unwrap();
            world.act(Step::Drain).unwrap();
            if world.recorded.len() == until_number {
                return world.with_flash_of(|flash| flash.clone());
            }
        }
    };
    let early = numbers(100);
    let mut late = numbers(1500);
    let opened = |flash: &Flash| flash.bytes[slot.start + 4..slot.start + 8].to_vec();
    assert_ne!(opened(&early), opened(&late), "the slot was used twice");
    late.bytes[slot.start + header..slot.end]
        .copy_from_slice(&early.bytes[slot.start + header..slot.end]);
    let (mut queue, recovered) = Queue::mount(late, small(), PUBLIC_KEY.id()).unwrap();
    assert!(recovered.next_sequence.get() > 1400);
    let last = recovered.last_reading.unwrap();
    assert!(last.sum().sequence.get() > 1200, "{last:?}");
    let (first, last) = (Sequence::new(1).unwrap(), Sequence::MAX);
    queue
        .for_each_reading(first, last, |reading| {
            assert!(reading.sum().sequence.get() > 100, "{reading:?}");
        })
        .unwrap();
}

#[test]
fn a_bad_sector_of_either_ring_is_passed_over() {
    for sector in [3, 4, 9] {
        let mut flash = Flash::new(11);
        flash.bad = vec![sector];
        let mut world = World::with_flash(small(), flash);
        for _ in 0..600 {
            world.step(Step::Reading(60)).unwrap();
            world.step(Step::Upload { answered: true }).unwrap();
        }
        world.boot();
        world.settle();
        assert_eq!(world.recorded.len(), 600);
        assert!(gaps(&mut world).is_empty());
    }
}

#[test]
fn a_flash_that_takes_nothing_ends_in_an_error_that_says_where() {
    let mut world = world(500_000);
    readings(&mut world, 1, 10);
    world.with_flash_of(|flash| flash.bad = (0..11).collect());
    let error = world.start().unwrap_err();
    let ChainError::Push(PushError::Refused(failure)) = error else {
        panic!("{error:?}");
    };
    assert!(
        failure.offset >= 2 * 4096 && failure.offset < 8 * 4096,
        "{failure}"
    );
}

#[test]
fn another_meters_queue_is_not_touched() {
    let mut world = world(500_000);
    readings(&mut world, 3, 10);
    let flash = world.queue.take().unwrap().into_flash();
    let before = flash.operations;
    let mut flash = flash;
    let error = Queue::mount(&mut flash, small(), SignerId([9; 32])).err();
    assert!(
        matches!(error, Some(MountError::ForeignMeter { .. })),
        "{error:?}"
    );
    assert_eq!(flash.operations, before);
}

#[test]
fn a_signer_with_another_key_starts_no_chain() {
    struct Other;
    impl Signer for Other {
        fn public_key(&self) -> PublicKey {
            PublicKey([5; 64])
        }
        fn sign(&mut self, _: &ToBeSigned) -> Result<Signature, SignError> {
            panic!("nothing is to be signed")
        }
    }
    let (mut queue, recovered) = Queue::mount(Flash::new(11), small(), PUBLIC_KEY.id()).unwrap();
    let start = Start {
        now: Now::unsynchronised(UptimeMillis::ZERO),
        firmware: Hash::ZERO,
        version: (0, 0, 0),
        security_counter: 0,
        reset_reason: ResetReason::Unknown,
    };
    let error = Chain::start(&mut queue, &mut Other, &recovered, &start).err();
    assert!(
        matches!(error, Some(ChainError::ForeignSigner { .. })),
        "{error:?}"
    );
}

#[test]
fn a_reading_that_goes_back_is_refused() {
    let mut world = world(500_000);
    readings(&mut world, 3, 10);
    world.produced = 0;
    let error = world.step(Step::Reading(10)).unwrap_err();
    assert!(
        matches!(error, ChainError::Push(PushError::OutOfOrder { .. })),
        "{error:?}"
    );
}

#[test]
fn a_record_that_does_not_link_is_refused() {
    let mut world = world(500_000);
    readings(&mut world, 3, 10);
    let boot = chain(&mut world)[0];
    let signature = Signature::from_low_s([1; 64]).unwrap();
    let error = world.queue().push_chain(&boot, &signature);
    assert_eq!(error, Err(PushError::NotLinked { next: 1, got: 0 }));
}

#[test]
fn a_layout_that_cannot_work_is_named() {
    let layout = |chain, readings| Layout::new(0, chain, readings).err();
    assert_eq!(layout(3, 8), Some(LayoutError::ChainTooSmall { got: 3 }));
    assert_eq!(layout(8, 2), Some(LayoutError::ReadingsTooSmall { got: 2 }));
    let error = Queue::mount(Flash::new(10), small(), PUBLIC_KEY.id()).err();
    assert!(matches!(error, Some(MountError::TooSmall { .. })));
}

#[test]
fn the_queue_itself_never_erases_readings_that_are_in_no_window() {
    let mut world = World::new(small());
    world.three_phase = true;
    readings(&mut world, 1, 0);
    world.signer.works = false;
    let error = (0..1000)
        .find_map(|_| world.act(Step::Reading(1)).err())
        .expect("three sectors do not hold a thousand three-phase readings");
    assert!(matches!(
        error,
        ChainError::Sign(_) | ChainError::Push(PushError::Blocked(Need::Seal))
    ));
    world.signer.works = true;
    world.act(Step::Stop).unwrap();
    let mut buffer = [0; 65_536];
    let batch = world
        .queue()
        .next_batch(ChainIndex::ZERO, BatchLimit::MOST, &mut buffer)
        .unwrap();
    world.gateway.receive(&buffer[..batch.len]);
    let end = world.queue().next_index().get();
    assert_eq!(
        world.gateway.whole.len() as u64,
        end - 1,
        "all but the boot"
    );
    world.gateway.audit(end, &world.recorded);
}

fn enrolment(number: u32) -> Enrolment {
    let operator_key = PublicKey([0x22; 64]);
    Enrolment {
        operator: operator_key.id(),
        operator_key,
        meter_key: PUBLIC_KEY,
        number,
        time: UtcMillis::new(1_750_000_000_000).unwrap(),
        custody: Custody::Software,
        sensor_model: SensorModel::ShellyEmGen1,
        sensor_mac: Mac([1; 6]),
        channel: 0,
        production_counter: ProductionCounter::Total,
        ct_ratio_milli: 1000,
        rated_power: Watts::new(800).unwrap(),
        latitude: None,
        longitude: None,
        tilt: None,
        azimuth: None,
        grid_connection: Text::EMPTY,
        start_import: None,
        start_export: None,
        owner: Address::ZERO,
        chain_id: 0,
        minter: Address::ZERO,
    }
}
