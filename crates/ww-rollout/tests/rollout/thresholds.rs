//! Where exactly a wave has succeeded, where it has failed, and when silence is failure.

use ww_rollout::{HaltCause, Plan, Rollout, Standing, State};

use crate::support::{Ask, DAY_MS, START_MS, counts, percent, plan, rollout, started};

fn one_wave(size: u32, success: u8, error: u8) -> Rollout {
    let plan = Plan {
        success_percent: percent(success),
        error_percent: percent(error),
        ..plan(&counts(&[size]))
    };
    started(plan, size as usize)
}

#[test]
fn a_wave_has_succeeded_at_its_share_and_not_one_before() {
    for (size, success, needed) in [
        (10, 90, 9),
        (11, 90, 10),
        (1, 1, 1),
        (200, 50, 100),
        (3, 67, 3),
    ] {
        let mut rollout = one_wave(size, success, 100);
        rollout.tick(START_MS);
        if needed > 1 {
            rollout.confirmed(START_MS, 0..needed - 1);
        }
        assert_eq!(
            rollout.state(),
            State::Running { wave: 1 },
            "{size}, {success} %"
        );
        rollout.confirmed(START_MS, needed - 1..needed);
        assert_eq!(rollout.state().name(), "soaking", "{size}, {success} %");
    }
}

#[test]
fn a_rollout_halts_at_its_share_of_failures_and_not_one_before() {
    for (size, error, limit) in [
        (10, 10, 1),
        (11, 10, 2),
        (200, 5, 10),
        (201, 5, 11),
        (1, 100, 1),
    ] {
        let mut rollout = one_wave(size, 1, error);
        if limit > 1 {
            rollout.rolled_back(START_MS, 0..limit - 1);
        }
        assert_eq!(
            rollout.state(),
            State::Running { wave: 1 },
            "{size}, {error} %"
        );
        rollout.rolled_back(START_MS, limit - 1..limit);
        let cause = HaltCause::TooManyFailures {
            wave: 1,
            failed: limit as u32,
            of: size,
            limit: percent(error),
        };
        assert_eq!(rollout.state(), State::Halted(cause));
    }
}

#[test]
fn fewer_failures_than_the_minimum_do_not_halt() {
    let plan = Plan {
        success_percent: percent(1),
        error_minimum: 3,
        ..plan(&counts(&[10]))
    };
    let mut rollout = started(plan, 10);
    rollout.rolled_back(START_MS, 0..2);
    assert_eq!(rollout.state(), State::Running { wave: 1 });
    rollout.rolled_back(START_MS, 2..3);
    assert_eq!(rollout.state().name(), "halted");
}

#[test]
fn a_wave_that_cannot_succeed_any_more_halts_at_once() {
    let mut rollout = one_wave(10, 90, 100);
    rollout.rolled_back(START_MS, 0..1);
    assert_eq!(rollout.state(), State::Running { wave: 1 });
    rollout.rolled_back(START_MS, 1..2);
    let cause = HaltCause::OutOfReach {
        wave: 1,
        failed: 2,
        of: 10,
        needed: percent(90),
    };
    assert_eq!(rollout.state(), State::Halted(cause));
}

#[test]
fn a_silent_device_is_a_failure_exactly_at_its_deadline() {
    let mut rollout = rollout(&[10]);
    let deadline_ms = START_MS + 2 * DAY_MS;
    assert_eq!(rollout.next_deadline_ms(), Some(deadline_ms));
    rollout.tick(deadline_ms - 1);
    assert_eq!(rollout.standing(0), Standing::Pending);
    assert_eq!(rollout.state(), State::Running { wave: 1 });
    rollout.tick(deadline_ms);
    assert_eq!(rollout.standing(0), Standing::Overdue { heard: false });
    assert_eq!(rollout.wave(1).overdue, 10);
    assert_eq!(rollout.state().name(), "halted");
}

#[test]
fn a_device_that_is_not_done_by_its_deadline_is_a_failure_though_it_was_heard() {
    let mut rollout = one_wave(10, 1, 100);
    let fetching = crate::support::in_state(ww_rollout::DeviceState::Fetching);
    rollout.check(START_MS + DAY_MS, 3, &fetching);
    rollout.confirmed(START_MS, 0..1);
    rollout.tick(START_MS + 2 * DAY_MS);
    assert_eq!(rollout.standing(3), Standing::Overdue { heard: true });
    assert_eq!(rollout.standing(4), Standing::Overdue { heard: false });
}

#[test]
fn a_device_that_was_only_late_is_confirmed_after_all() {
    let plan = Plan {
        success_percent: percent(50),
        error_percent: percent(100),
        ..plan(&counts(&[2, 1]))
    };
    let mut rollout = started(plan, 3);
    rollout.confirmed(START_MS, 0..1);
    rollout.confirmed(START_MS + DAY_MS, 2..3);
    rollout.tick(START_MS + 2 * DAY_MS);
    assert_eq!(rollout.standing(1).name(), "overdue");
    rollout.confirmed(START_MS + 3 * DAY_MS, 1..2);
    assert_eq!(rollout.standing(1), Standing::Confirmed);
    assert_eq!((rollout.wave(1).confirmed, rollout.wave(1).overdue), (2, 0));
}
