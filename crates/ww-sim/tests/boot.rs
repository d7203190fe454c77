//! The boot state on a flash that loses its power: whatever is cut, the next start finds the state
//! before or the one after, and a new image never starts more often than it may.
#![expect(clippy::unwrap_used, reason = "a test stops where its helper fails")]

use ww_device::update::boot::{
    BOOT_SECTORS, BROWN_OUTS, BootError, BootState, BootStore, CRASHES, Candidate, Fault, Phase,
    Slot,
};
use ww_sim::flash::{CutPoint, NorFlashModel, PowerCut};
use ww_sim::random::Random;
use ww_wire::{Hash, ResetReason};

const FIRST_SECTOR: u32 = 1;

fn chip() -> NorFlashModel {
    NorFlashModel::new((FIRST_SECTOR + BOOT_SECTORS) as usize)
}

fn mount(chip: &mut NorFlashModel) -> BootStore {
    BootStore::mount(chip, FIRST_SECTOR).unwrap()
}

fn candidate(security_counter: u32) -> Candidate {
    Candidate {
        release: Hash([0x5e; 32]),
        payload: Hash([security_counter as u8; 32]),
        payload_bytes: 1_000_000,
        security_counter,
    }
}

fn start(store: &mut BootStore, chip: &mut NorFlashModel, reset: ResetReason) -> Slot {
    store.start(chip, reset, |_, _, _| true)
}

#[test]
fn a_new_device_starts_its_first_image() {
    let mut chip = chip();
    let mut store = mount(&mut chip);
    assert_eq!(*store.state(), BootState::NEW);
    assert_eq!(start(&mut store, &mut chip, ResetReason::PowerOn), Slot::A);
    assert_eq!(chip.counters().operations, 0);
}

#[test]
fn a_confirmed_image_starts_from_then_on_and_its_counter_holds() {
    let mut chip = chip();
    let mut store = mount(&mut chip);
    store.arm(&mut chip, candidate(7)).unwrap();
    let mut store = mount(&mut chip);
    assert_eq!(start(&mut store, &mut chip, ResetReason::Update), Slot::B);
    store.confirm(&mut chip).unwrap();
    let mut store = mount(&mut chip);
    assert_eq!(start(&mut store, &mut chip, ResetReason::Crash), Slot::B);
    let state = *store.state();
    assert_eq!((state.confirmed, state.security_counter), (Slot::B, 7));
    let lower = store.arm(&mut chip, candidate(6));
    assert_eq!(
        lower,
        Err(BootError::CounterTooLow {
            offered: 6,
            confirmed: 7
        })
    );
    store.arm(&mut chip, candidate(7)).unwrap();
    assert_eq!(start(&mut store, &mut chip, ResetReason::Update), Slot::A);
}

#[test]
fn an_image_that_crashes_or_browns_out_too_often_is_given_up() {
    for (reset, budget, fault) in [
        (ResetReason::Crash, CRASHES, Fault::Crashes),
        (ResetReason::Watchdog, CRASHES, Fault::Crashes),
        (ResetReason::Requested, CRASHES, Fault::Crashes),
        (ResetReason::BrownOut, BROWN_OUTS, Fault::BrownOuts),
    ] {
        let mut chip = chip();
        let mut store = mount(&mut chip);
        store.arm(&mut chip, candidate(1)).unwrap();
        assert_eq!(start(&mut store, &mut chip, ResetReason::Update), Slot::B);
        for _ in 1..budget {
            // Whoever pulls the plug in between is no fault of the image.
            let mut store = mount(&mut chip);
            assert_eq!(start(&mut store, &mut chip, ResetReason::PowerOn), Slot::B);
            assert_eq!(start(&mut store, &mut chip, reset), Slot::B);
        }
        let mut store = mount(&mut chip);
        assert_eq!(start(&mut store, &mut chip, reset), Slot::A, "{reset:?}");
        let candidate = candidate(1);
        let is_reported = false;
        let given_up = Phase::RolledBack {
            candidate,
            fault,
            is_reported,
        };
        assert_eq!(store.state().phase, given_up);
        assert_eq!(store.state().security_counter, 0);
        let mut store = mount(&mut chip);
        assert_eq!(start(&mut store, &mut chip, reset), Slot::A);
    }
}

#[test]
fn an_image_that_is_no_longer_whole_does_not_start() {
    let mut chip = chip();
    let mut store = mount(&mut chip);
    store.arm(&mut chip, candidate(1)).unwrap();
    let slot = store.start(&mut chip, ResetReason::Update, |_, slot, looked_at| {
        assert_eq!((slot, *looked_at), (Slot::B, candidate(1)));
        false
    });
    assert_eq!(slot, Slot::A);
    let (candidate, fault) = (candidate(1), Fault::Image);
    let is_reported = false;
    let given_up = Phase::RolledBack {
        candidate,
        fault,
        is_reported,
    };
    assert_eq!(mount(&mut chip).state().phase, given_up);
}

#[test]
fn nothing_starts_that_cannot_be_counted() {
    let mut chip = chip();
    let mut store = mount(&mut chip);
    store.arm(&mut chip, candidate(1)).unwrap();
    let operation = chip.counters().operations;
    let point = CutPoint::Before;
    chip.cut_power_at(PowerCut { operation, point });
    assert_eq!(start(&mut store, &mut chip, ResetReason::Update), Slot::A);
}

#[test]
fn what_is_armed_or_tried_can_be_given_up_and_nothing_else() {
    let mut chip = chip();
    let mut store = mount(&mut chip);
    assert_eq!(store.confirm(&mut chip), Err(BootError::WrongPhase));
    assert_eq!(
        store.roll_back(&mut chip, Fault::Sensor),
        Err(BootError::WrongPhase)
    );
    store.arm(&mut chip, candidate(1)).unwrap();
    let again = store.arm(&mut chip, candidate(2));
    assert_eq!(again, Err(BootError::WrongPhase));
    store.roll_back(&mut chip, Fault::Uncounted).unwrap();
    assert_eq!(start(&mut store, &mut chip, ResetReason::Update), Slot::A);
    store.arm(&mut chip, candidate(2)).unwrap();
    assert_eq!(start(&mut store, &mut chip, ResetReason::Update), Slot::B);
    store.roll_back(&mut chip, Fault::Sensor).unwrap();
    assert_eq!(start(&mut store, &mut chip, ResetReason::Update), Slot::A);
}

#[test]
fn what_became_of_a_candidate_is_kept_until_somebody_was_told() {
    let mut chip = chip();
    let mut store = mount(&mut chip);
    store.arm(&mut chip, candidate(1)).unwrap();
    start(&mut store, &mut chip, ResetReason::Update);
    store.confirm(&mut chip).unwrap();
    assert_eq!(
        mount(&mut chip).state().phase,
        Phase::Confirmed(candidate(1))
    );
    store.reported(&mut chip).unwrap();
    assert_eq!(mount(&mut chip).state().phase, Phase::Settled);
    assert_eq!(store.reported(&mut chip), Err(BootError::WrongPhase));

    store.arm(&mut chip, candidate(2)).unwrap();
    start(&mut store, &mut chip, ResetReason::Update);
    store.roll_back(&mut chip, Fault::Time).unwrap();
    store.reported(&mut chip).unwrap();
    let told = Phase::RolledBack {
        candidate: candidate(2),
        fault: Fault::Time,
        is_reported: true,
    };
    assert_eq!(mount(&mut chip).state().phase, told);
    assert_eq!(store.reported(&mut chip), Err(BootError::WrongPhase));
}

#[test]
fn a_copy_that_rots_leaves_the_other() {
    let mut chip = chip();
    let mut store = mount(&mut chip);
    store.arm(&mut chip, candidate(3)).unwrap();
    start(&mut store, &mut chip, ResetReason::Update);
    store.confirm(&mut chip).unwrap();
    let state = *store.state();
    for copy in 0..BOOT_SECTORS {
        let mut rotten = chip.clone();
        for byte in (0..4096).step_by(16) {
            rotten.flip_bit((FIRST_SECTOR + copy) * 4096 + byte, 3);
        }
        assert_eq!(*mount(&mut rotten).state(), state);
    }
}

/// Does one of the things that may be done now; the same for the same number.
fn act(store: &mut BootStore, chip: &mut NorFlashModel, choice: u64) {
    let counter = store.state().security_counter;
    let reset = match choice % 5 {
        0 | 1 => ResetReason::Crash,
        2 => ResetReason::BrownOut,
        3 => ResetReason::PowerOn,
        _ => ResetReason::Watchdog,
    };
    let _ = match (store.state().phase, choice % 3) {
        (Phase::Confirmed(_), 0) => store.reported(chip),
        (
            Phase::RolledBack {
                is_reported: false, ..
            },
            0,
        ) => store.reported(chip),
        (Phase::Settled | Phase::Confirmed(_) | Phase::RolledBack { .. }, _) => {
            store.arm(chip, candidate(counter.saturating_add((choice % 2) as u32)))
        }
        (Phase::Armed(_), 0) => store.roll_back(chip, Fault::Uncounted),
        (Phase::Trial { .. }, 0) => store.confirm(chip),
        (Phase::Trial { .. }, 1) => store.roll_back(chip, Fault::Sensor),
        (Phase::Armed(_) | Phase::Trial { .. }, _) => {
            start(store, chip, reset);
            Ok(())
        }
    };
}

/// Cuts the power in a third of 400 steps, so that cuts follow each other closely and every sector is
/// erased several times.
fn live(seed: u64) -> u64 {
    let (mut random, mut chip) = (Random::new(seed), chip());
    let mut store = mount(&mut chip);
    let mut cuts = 0;
    for step in 0..400 {
        let choice = random.bits();
        let before = *store.state();
        let mut undisturbed = (store, chip.clone());
        act(&mut undisturbed.0, &mut undisturbed.1, choice);
        let after = *undisturbed.0.state();
        if random.below(3) == 0 {
            let operation = chip.counters().operations + random.below(4);
            let point = match random.below(4) {
                0 => CutPoint::Before,
                1 => CutPoint::After,
                _ => CutPoint::Torn {
                    seed: random.bits(),
                },
            };
            chip.cut_power_at(PowerCut { operation, point });
        }
        act(&mut store, &mut chip, choice);
        let was_cut = !chip.is_powered();
        cuts += u64::from(was_cut);
        chip.restore_power();
        let found = *mount(&mut chip).state();
        assert!(
            found == after || (was_cut && found == before),
            "seed {seed}, step {step}: {before:?} became {found:?} in the place of {after:?}"
        );
        store = mount(&mut chip);
    }
    assert_eq!(chip.counters().violations, 0);
    cuts
}

#[test]
fn a_cut_at_any_operation_leaves_the_state_before_or_the_one_after() {
    let cuts: u64 = (0..300).map(live).sum();
    println!("{cuts} power cuts");
    assert!(cuts > 15_000);
}
