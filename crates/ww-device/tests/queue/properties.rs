//! Random lives against the reference model, and random bytes against the mount.

use proptest::prelude::*;
use ww_device::queue::{Layout, Queue};

use crate::flash::{Cut, Flash, SECTOR, random};
use crate::world::{PUBLIC_KEY, Step, World};

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (1u64..400).prop_map(Step::Reading),
        2 => any::<bool>().prop_map(|answered| Step::Upload { answered }),
        1 => Just(Step::Drain),
        1 => Just(Step::Stop),
        1 => Just(Step::Reboot),
        1 => (1u64..2000).prop_map(Step::ClockBack),
        1 => any::<bool>().prop_map(Step::Clock),
        1 => Just(Step::Checkpoint),
        1 => any::<bool>().prop_map(Step::Signer),
    ]
}

fn cut() -> impl Strategy<Value = (u64, Cut)> {
    let point = prop_oneof![
        Just(Cut::Before),
        any::<u64>().prop_map(Cut::Torn),
        Just(Cut::After)
    ];
    (0u64..60, point)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_reading_is_proven_or_given_up_by_a_signed_record(
        steps in prop::collection::vec(step(), 1..400),
        cuts in prop::collection::vec(cut(), 0..12),
        sectors in (4u32..8, 3u32..6),
        three_phase: bool,
    ) {
        let mut world = World::new(Layout::new(1, sectors.0, sectors.1).unwrap());
        world.three_phase = three_phase;
        world.cuts = cuts;
        if let Some((later, cut)) = world.cuts.pop() {
            world.with_flash_of(|flash| flash.cut = Some((later, cut)));
        }
        world.run(&steps);
        world.with_flash_of(|flash| flash.cut = None);
        world.settle();
    }

    #[test]
    fn any_bytes_can_be_mounted_and_used(mut seed: u64, fill in 0u8..3) {
        let layout = Layout::new(0, 4, 3).unwrap();
        let mut flash = Flash::new(9);
        for byte in &mut flash.bytes {
            *byte = match fill {
                0 => random(&mut seed) as u8,
                1 => 0,
                _ => *byte & random(&mut seed) as u8 | random(&mut seed) as u8,
            };
        }
        let mut world = World::with_flash(layout, flash);
        world.run(&[Step::Reading(10), Step::Checkpoint, Step::Reading(10), Step::Reboot]);
        world.settle();
    }

    /// Rot is outside the promise to lose nothing, but it must end in values, not in a panic.
    #[test]
    fn a_queue_with_flipped_bits_can_be_mounted_and_used(
        flips in prop::collection::vec((0usize..11 * SECTOR, 0u8..8), 1..40),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let layout = Layout::new(0, 6, 3).unwrap();
        let mut world = World::new(layout);
        for _ in 0..150 {
            world.step(Step::Reading(60)).unwrap();
        }
        let mut flash = world.queue.take().unwrap().into_flash();
        for (at, bit) in flips {
            flash.bytes[at] ^= 1 << bit;
        }
        if let Ok((queue, recovered)) = Queue::mount(flash, layout, PUBLIC_KEY.id()) {
            // A gateway that knows nothing of before: what rots may be told differently.
            let mut after = World::new(layout);
            (after.queue, after.recovered) = (Some(queue), Some(recovered));
            after.time_ms = world.time_ms;
            for step in steps {
                if !matches!(step, Step::Drain | Step::Reboot) {
                    let _ = after.tolerate(step);
                }
            }
        }
    }
}
