//! The way of a rollout when nobody interferes, and what devices are told on it.

use ww_rollout::{Decision, DeviceState, Event, Plan, Standing, State, Why, Window};

use crate::support::{
    Ask, DAY_MS, HOUR_MS, RELEASE, START_MS, checking, counts, in_state, let_time_pass, meter,
    percent, plan, rollout, settled, started,
};

#[test]
fn waves_start_one_after_the_other_and_the_rollout_completes() {
    let mut rollout = rollout(&[1, 10]);
    assert_eq!(rollout.state(), State::Running { wave: 1 });
    let changes = rollout.confirmed(START_MS, 0..1);
    let until_ms = START_MS + HOUR_MS;
    assert_eq!(rollout.state(), State::Soaking { wave: 1, until_ms });
    assert_eq!(
        changes.events,
        [
            Event::Member(meter(0), Standing::Confirmed),
            Event::WaveSucceeded {
                wave: 1,
                confirmed: 1,
                size: 1
            }
        ]
    );
    assert_eq!(rollout.next_deadline_ms(), Some(until_ms));
    assert!(rollout.tick(until_ms - 1).is_empty());
    let changes = rollout.tick(until_ms);
    assert_eq!(changes.events, [Event::WaveStarted { wave: 2, size: 10 }]);
    rollout.confirmed(until_ms, 1..11);
    let changes = rollout.tick(until_ms + HOUR_MS);
    assert_eq!(changes.events, [Event::Finishing, Event::Completed]);
    assert_eq!(rollout.state(), State::Completed);
    assert_eq!(rollout.next_deadline_ms(), None);
}

#[test]
fn a_rollout_waits_for_its_last_devices_until_their_deadline() {
    let plan = Plan {
        error_percent: percent(11),
        ..plan(&counts(&[10]))
    };
    let mut rollout = started(plan, 10);
    rollout.confirmed(START_MS, 0..9);
    rollout.tick(START_MS + HOUR_MS);
    assert_eq!(rollout.state(), State::Finishing);
    assert_eq!(
        rollout.check(START_MS + HOUR_MS, 9, &checking()),
        Decision::Fetch(RELEASE)
    );
    let now_ms = let_time_pass(&mut rollout, START_MS + HOUR_MS);
    assert_eq!(now_ms, START_MS + 2 * DAY_MS);
    assert_eq!(rollout.state(), State::Completed);
    assert_eq!(
        rollout.check(now_ms, 9, &checking()),
        Decision::Hold(Why::Completed)
    );
}

#[test]
fn a_failure_while_a_wave_soaks_halts() {
    let mut rollout = rollout(&[10, 10]);
    rollout.confirmed(START_MS, 0..9);
    assert_eq!(rollout.state().name(), "soaking");
    rollout.rolled_back(START_MS + 1, 9..10);
    assert_eq!(rollout.state().name(), "halted");
}

#[test]
fn a_failure_in_an_earlier_wave_halts_a_later_one() {
    let mut rollout = rollout(&[10, 100]);
    rollout.confirmed(START_MS, 0..9);
    rollout.tick(START_MS + HOUR_MS);
    assert_eq!(rollout.state(), State::Running { wave: 2 });
    rollout.rolled_back(START_MS + HOUR_MS, 9..10);
    assert_eq!(rollout.state().name(), "halted");
}

#[test]
fn a_device_waits_for_its_wave() {
    let mut rollout = rollout(&[1, 1]);
    let before = Decision::Hold(Why::BeforeItsWave { wave: 2 });
    assert_eq!(rollout.check(START_MS, 1, &checking()), before);
    let staged = in_state(DeviceState::Staged);
    assert_eq!(rollout.verify(START_MS, 1, &staged), before);
    rollout.confirmed(START_MS, 0..1);
    assert_eq!(
        rollout.check(START_MS + HOUR_MS, 1, &checking()),
        Decision::Fetch(RELEASE)
    );
}

#[test]
fn a_device_is_told_to_start_only_what_it_has_staged_and_only_at_the_door_for_it() {
    let mut rollout = rollout(&[10]);
    let staged = in_state(DeviceState::Staged);
    assert_eq!(
        rollout.check(START_MS, 0, &staged),
        Decision::Fetch(RELEASE)
    );
    assert_eq!(rollout.verify(START_MS, 0, &staged), Decision::Arm(RELEASE));
    let nothing = Decision::Hold(Why::NothingStaged);
    let fetching = in_state(DeviceState::Fetching);
    assert_eq!(rollout.verify(START_MS, 0, &fetching), nothing);
    let other = ww_rollout::Asked {
        release: Some(ww_wire::Hash([9; 32])),
        ..staged
    };
    assert_eq!(rollout.verify(START_MS, 0, &other), nothing);
}

#[test]
fn a_device_fetches_at_any_hour_and_starts_in_its_window() {
    let plan = Plan {
        window: Some(Window {
            from_minute: 120,
            to_minute: 180,
        }),
        ..plan(&counts(&[10]))
    };
    let mut rollout = started(plan, 10);
    let staged = in_state(DeviceState::Staged);
    let opens_ms = START_MS + 2 * HOUR_MS;
    assert_eq!(
        rollout.check(START_MS, 0, &checking()),
        Decision::Fetch(RELEASE)
    );
    assert_eq!(
        rollout.verify(opens_ms - 1, 0, &staged),
        Decision::Hold(Why::WindowClosed { opens_ms })
    );
    assert_eq!(rollout.verify(opens_ms, 0, &staged), Decision::Arm(RELEASE));
    let closes_ms = opens_ms + HOUR_MS;
    assert_ne!(
        rollout.verify(closes_ms, 0, &staged),
        Decision::Arm(RELEASE)
    );
}

#[test]
fn who_is_not_a_member_is_held() {
    let mut rollout = rollout(&[1]);
    assert_eq!(
        rollout.check(START_MS, 99, &checking()),
        Decision::Hold(Why::NotAMember)
    );
}

#[test]
fn who_runs_the_release_is_not_told_to_fetch_it() {
    let mut rollout = rollout(&[10]);
    assert_eq!(
        rollout.check(START_MS, 0, &settled()),
        Decision::Hold(Why::RunsIt)
    );
    rollout.confirmed(START_MS, 0..1);
    assert_eq!(
        rollout.check(START_MS, 0, &settled()),
        Decision::Hold(Why::Confirmed)
    );
}

#[test]
fn progress_is_shown_and_written_once() {
    let mut rollout = rollout(&[10]);
    let half = ww_rollout::Asked {
        done_bytes: 512,
        total_bytes: 1024,
        ..in_state(DeviceState::Fetching)
    };
    let ask = |rollout: &mut ww_rollout::Rollout| {
        let (_, changes) = rollout.asked(START_MS, meter(0), &half, ww_rollout::Door::Check, 0);
        changes
    };
    let changes = ask(&mut rollout);
    assert_eq!(changes.members.len(), 1);
    assert_eq!((changes.course, changes.events), (None, vec![]));
    assert!(ask(&mut rollout).is_empty());
    let progress = rollout.member(meter(0)).unwrap().progress.unwrap();
    assert_eq!((progress.done_bytes, progress.total_bytes), (512, 1024));
}

#[test]
fn a_fleet_of_one_is_updated() {
    let mut rollout = rollout(&[1]);
    rollout.confirmed(START_MS, 0..1);
    rollout.tick(START_MS + HOUR_MS);
    assert_eq!(rollout.state(), State::Completed);
}
