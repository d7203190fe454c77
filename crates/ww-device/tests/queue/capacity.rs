//! What fits, in flash and in memory.

use std::mem::size_of;

use ww_device::chain::Chain;
use ww_device::queue::{Layout, Queue};

use crate::flash::Flash;
use crate::world::{Step, World};

#[test]
fn a_day_of_noisy_readings_waits_in_one_mebibyte_and_comes_back_whole() {
    let layout = Layout::ONE_MEBIBYTE;
    assert_eq!(layout.end_bytes(), 1 << 20);
    let mut world = World::new(layout);
    for _ in 0..8640 {
        world.act(Step::Reading(10)).unwrap();
    }
    world.boot();
    world.settle();
    assert!(world.gateway.records.len() >= 144);
    assert_eq!(
        world.gateway.whole.len(),
        world.gateway.records.len() - 2,
        "all but the boots"
    );
    assert_eq!(world.gateway.readings.len(), 8640);
}

#[test]
fn two_days_without_the_gateway_lose_no_reading() {
    let mut world = World::new(Layout::ONE_MEBIBYTE);
    for _ in 0..2 * 8640 {
        world.act(Step::Reading(10)).unwrap();
    }
    world.settle();
    assert_eq!(world.gateway.whole.len(), world.gateway.records.len() - 1);
}

#[test]
fn a_day_of_three_phase_readings_waits_in_one_mebibyte() {
    let mut world = World::new(Layout::ONE_MEBIBYTE);
    world.three_phase = true;
    for _ in 0..8640 {
        world.act(Step::Reading(10)).unwrap();
    }
    world.settle();
    assert_eq!(world.gateway.whole.len(), world.gateway.records.len() - 1);
}

#[test]
fn queue_and_chain_take_less_than_two_kibibytes_of_memory() {
    let bytes = size_of::<Queue<&mut Flash>>() + size_of::<Chain>();
    assert!(bytes <= 2048, "{bytes} bytes");
}

#[test]
fn wear_is_spread_over_all_sectors_of_a_ring() {
    let mut world = World::new(Layout::new(0, 6, 8).unwrap());
    for i in 0..4000 {
        world.act(Step::Reading(60)).unwrap();
        if i % 10 == 0 {
            world.act(Step::Upload { answered: true }).unwrap();
        }
    }
    let erases = world.with_flash_of(|flash| flash.erases.clone());
    for ring in [&erases[2..8], &erases[8..16]] {
        let (least, most) = (ring.iter().min().unwrap(), ring.iter().max().unwrap());
        assert!(most - least <= 1, "{ring:?}");
    }
}
