//! A power cut at every flash operation of a small life that has everything in it.

use ww_device::queue::Layout;
use ww_wire::GapKind;

use crate::flash::{Cut, random};
use crate::world::{Step, World};

/// Six chain sectors (44 records besides the reserve) and three of readings (about 200 of three
/// phases), so that readings go first, then windows.
fn small() -> Layout {
    Layout::new(0, 6, 3).unwrap()
}

/// Several windows, acknowledgements, a reboot in the middle of a window, then an outage long
/// enough for both rings to overflow, with reboots, and the way back.
fn life() -> Vec<Step> {
    let mut steps = Vec::new();
    let reading = Step::Reading(100);
    let answered = Step::Upload { answered: true };
    for i in 0..20 {
        steps.push(reading);
        if i % 7 == 6 {
            steps.extend([Step::Upload { answered: false }, answered]);
        }
    }
    steps.extend([
        Step::Checkpoint,
        Step::Reboot,
        reading,
        reading,
        Step::Stop,
        Step::Reboot,
    ]);
    for i in 0..480 {
        steps.push(reading);
        if i % 60 == 31 {
            steps.extend([Step::Checkpoint, Step::Reboot]);
        }
        if i == 280 {
            steps.push(answered);
        }
    }
    steps.extend([answered, reading, answered, answered, Step::Drain]);
    for _ in 0..8 {
        steps.push(reading);
    }
    steps
}

#[test]
fn a_life_without_a_cut_overflows_both_rings_and_leaves_a_trace_of_every_reading() {
    let mut world = World::new(small());
    world.three_phase = true;
    world.run(&life());
    world.settle();
    let gaps = |kind| {
        let of_kind = |record: &&ww_wire::ChainRecord| matches!(record, ww_wire::ChainRecord::Gap(gap) if gap.kind == kind);
        world.gateway.records.values().filter(of_kind).count()
    };
    let counts = [GapKind::Readings, GapKind::Records, GapKind::Unreadable].map(gaps);
    assert!(
        counts[0] >= 2 && counts[1] >= 2 && counts[2] == 0,
        "{counts:?}"
    );
}

#[test]
fn a_power_cut_at_any_flash_operation_loses_nothing_and_repeats_nothing() {
    let steps = life();
    let mut world = World::new(small());
    world.three_phase = true;
    let mut seed = 1;
    let mut cuts = 0;
    // From a snapshot at every tenth step: a reboot happens there, as if the power had gone.
    for (at, stretch) in steps.chunks(10).enumerate() {
        let snapshot = world.snapshot();
        let first = world.operations();
        let mut rehearsal = World::from_snapshot(&snapshot, None);
        rehearsal.run(stretch);
        let end = rehearsal.operations();
        let after: Vec<Step> = steps.iter().skip(at * 10).take(18).copied().collect();
        for operation in first..end {
            for cut in [Cut::Before, Cut::Torn(random(&mut seed)), Cut::After] {
                let mut world = World::from_snapshot(&snapshot, Some((operation, cut)));
                world.run(&after);
                world.settle();
                cuts += 1;
            }
        }
        world.run(stretch);
    }
    assert!(cuts > 1200, "{cuts}");
}

#[test]
fn no_sequence_number_repeats_over_thousands_of_power_cuts() {
    let mut world = World::new(small());
    let mut seed = 5;
    world.cuts = (0..3000)
        .map(|_| {
            let cut = match random(&mut seed) % 4 {
                0 => Cut::Before,
                1 => Cut::After,
                _ => Cut::Torn(random(&mut seed)),
            };
            (random(&mut seed) % 12, cut)
        })
        .collect();
    world.with_flash_of(|flash| flash.cut = Some((0, Cut::Before)));
    let mut steps = 0;
    while !world.cuts.is_empty() {
        let step = match random(&mut seed) % 20 {
            0 => Step::Upload { answered: true },
            1 => Step::Checkpoint,
            _ => Step::Reading(70),
        };
        world.run(&[step]);
        steps += 1;
        assert!(steps < 100_000, "the life does not get on");
    }
    assert_eq!(world.cuts_struck, 3000);
    world.settle();
}
