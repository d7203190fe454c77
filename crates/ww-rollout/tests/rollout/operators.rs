//! Pause, resume, abort, withdraw, retry.

use ww_rollout::{
    Asked, Decision, DeviceState, Event, HaltCause, Plan, Prior, Refusal, Rollout, Standing, State,
    Why,
};
use ww_wire::{Hash, UpdateOutcome};

use crate::support::{
    Ask, COUNTER, DAY_MS, HOUR_MS, NEW, OLD, PRIOR, RELEASE, START_MS, boot, checking, counts,
    in_state, let_time_pass, meter, percent, plan, report, rollout, settled, started,
};

fn staged() -> Asked {
    in_state(DeviceState::Staged)
}

/// What a staged device is told when it wants to start, and what one that asks.
fn told(rollout: &mut Rollout, now_ms: u64) -> [Decision; 2] {
    [
        rollout.verify(now_ms, 9, &staged()),
        rollout.check(now_ms, 9, &checking()),
    ]
}

#[test]
fn a_pause_holds_devices_that_have_downloaded_and_a_resume_lets_them_go_on() {
    let mut rollout = rollout(&[10]);
    rollout.pause(START_MS).unwrap();
    assert_eq!(
        told(&mut rollout, START_MS),
        [Decision::Hold(Why::Paused); 2]
    );
    rollout.resume(START_MS + 1).unwrap();
    let go_on = [Decision::Arm(RELEASE), Decision::Fetch(RELEASE)];
    assert_eq!(told(&mut rollout, START_MS + 1), go_on);
}

#[test]
fn a_halt_holds_devices_that_have_downloaded() {
    let mut rollout = rollout(&[10]);
    rollout.rolled_back(START_MS, 0..1);
    let State::Halted(cause) = rollout.state() else {
        panic!("{:?}", rollout.state());
    };
    let held = [Decision::Hold(Why::Halted(cause)); 2];
    assert_eq!(told(&mut rollout, START_MS), held);
}

#[test]
fn an_abort_holds_devices_that_have_downloaded_for_ever() {
    let mut rollout = rollout(&[10]);
    rollout.abort(START_MS).unwrap();
    let held = [Decision::Hold(Why::Aborted); 2];
    assert_eq!(told(&mut rollout, START_MS), held);
    assert_eq!(rollout.resume(START_MS), Err(Refusal::Ended));
    assert_eq!(rollout.pause(START_MS), Err(Refusal::Ended));
    assert_eq!(rollout.abort(START_MS), Err(Refusal::Ended));
    assert_eq!(rollout.retry(START_MS, meter(0)), Err(Refusal::Ended));
    assert_eq!(rollout.next_deadline_ms(), None);
}

#[test]
fn what_devices_end_as_is_known_after_an_abort_too() {
    let mut rollout = rollout(&[10]);
    rollout.abort(START_MS).unwrap();
    rollout.confirmed(START_MS + 1, 0..1);
    assert_eq!(rollout.standing(0), Standing::Confirmed);
    assert_eq!(rollout.state(), State::Aborted);
    rollout.booted(START_MS + 2, &boot(0, 6, Hash([3; 32])));
    assert_eq!(rollout.standing(0), Standing::Confirmed);
}

#[test]
fn the_clocks_stand_still_while_it_is_paused() {
    let mut rollout = rollout(&[10]);
    rollout.confirmed(START_MS, 0..9);
    rollout.pause(START_MS + HOUR_MS / 2).unwrap();
    assert_eq!(rollout.next_deadline_ms(), None);
    rollout.tick(START_MS + 10 * DAY_MS);
    assert_eq!(rollout.state(), State::Paused);
    rollout.resume(START_MS + 10 * DAY_MS).unwrap();
    let until_ms = START_MS + 10 * DAY_MS + HOUR_MS / 2;
    assert_eq!(rollout.state(), State::Soaking { wave: 1, until_ms });
    assert_eq!(rollout.next_deadline_ms(), Some(until_ms));
    assert_eq!(rollout.standing(9), Standing::Pending);
    let late_ms = START_MS + 12 * DAY_MS - HOUR_MS / 2;
    assert_eq!(rollout.wave(1).deadline_ms, Some(late_ms));
}

#[test]
fn what_failed_during_a_pause_halts_when_it_is_resumed() {
    let mut rollout = rollout(&[10]);
    rollout.pause(START_MS).unwrap();
    rollout.rolled_back(START_MS, 0..1);
    assert_eq!(rollout.state(), State::Paused);
    let changes = rollout.resume(START_MS).unwrap();
    assert_eq!(rollout.state().name(), "halted");
    assert_eq!(changes.events[0], Event::Resumed);
}

#[test]
fn what_runs_is_not_resumed_and_what_stands_is_not_paused() {
    let mut rollout = rollout(&[10]);
    assert_eq!(rollout.resume(START_MS), Err(Refusal::NotStopped));
    rollout.pause(START_MS).unwrap();
    assert_eq!(rollout.pause(START_MS), Err(Refusal::NotRunning));
}

#[test]
fn a_resumed_halt_excuses_what_failed_so_far_and_no_more() {
    let mut rollout = rollout(&[30]);
    rollout.rolled_back(START_MS, 0..3);
    assert_eq!(rollout.state().name(), "halted");
    rollout.resume(START_MS).unwrap();
    assert_eq!(rollout.state(), State::Running { wave: 1 });
    assert_eq!(rollout.wave(1).excused, 3);
    // 27 count: 10 % of them are reached by the third.
    rollout.rolled_back(START_MS, 3..5);
    assert_eq!(rollout.state(), State::Running { wave: 1 });
    rollout.rolled_back(START_MS, 5..6);
    let cause = HaltCause::TooManyFailures {
        wave: 1,
        failed: 3,
        of: 27,
        limit: percent(10),
    };
    assert_eq!(rollout.state(), State::Halted(cause));
}

#[test]
fn a_wave_in_which_nobody_is_left_does_not_pass_for_a_success() {
    let plan = Plan {
        error_minimum: 0,
        ..plan(&counts(&[1, 1]))
    };
    let mut rollout = started(plan, 2);
    rollout.rolled_back(START_MS, 0..1);
    rollout.resume(START_MS).unwrap();
    let cause = HaltCause::NobodyLeft { wave: 1 };
    assert_eq!(rollout.state(), State::Halted(cause));
    rollout.retry(START_MS, meter(0)).unwrap();
    rollout.resume(START_MS).unwrap();
    assert_eq!(rollout.state(), State::Running { wave: 1 });
    rollout.reported(START_MS, &report(0, 9, UpdateOutcome::Confirmed));
    assert_eq!(rollout.state().name(), "soaking");
}

#[test]
fn a_retried_device_has_a_deadline_of_its_own() {
    let mut rollout = rollout(&[100]);
    rollout.rolled_back(START_MS, 0..1);
    let now_ms = START_MS + DAY_MS;
    rollout.retry(now_ms, meter(0)).unwrap();
    assert_eq!(rollout.standing(0), Standing::Pending);
    rollout.confirmed(now_ms, 1..100);
    let own_ms = now_ms + 2 * DAY_MS;
    rollout.tick(own_ms - 1);
    assert_eq!(rollout.state(), State::Finishing);
    assert_eq!(rollout.standing(0), Standing::Pending);
    assert_eq!(rollout.next_deadline_ms(), Some(own_ms));
    rollout.tick(own_ms);
    assert_eq!(rollout.standing(0), Standing::Overdue { heard: false });
    assert_eq!(rollout.state(), State::Completed);
}

#[test]
fn a_retried_device_is_let_through_until_it_begins_and_rolls_back_again() {
    let mut rollout = rollout(&[100]);
    let (says, fetch) = (in_state(DeviceState::RolledBack), Decision::Fetch(RELEASE));
    rollout.rolled_back(START_MS, 0..1);
    rollout.retry(START_MS, meter(0)).unwrap();
    assert_eq!(rollout.check(START_MS, 0, &says), fetch);
    assert_eq!(rollout.check(START_MS, 0, &says), fetch);
    rollout.check(START_MS, 0, &in_state(DeviceState::Fetching));
    assert_eq!(
        rollout.check(START_MS, 0, &says),
        Decision::Hold(Why::SaysRolledBack)
    );
}

#[test]
fn the_report_of_an_earlier_attempt_does_not_end_the_next() {
    let mut rollout = rollout(&[100]);
    rollout.rolled_back(START_MS, 0..1);
    rollout.retry(START_MS, meter(0)).unwrap();
    rollout.rolled_back(START_MS, 0..1);
    assert_eq!(rollout.standing(0), Standing::Pending);
    rollout.booted(START_MS, &boot(0, 5, OLD));
    rollout.booted(START_MS, &boot(0, 6, OLD));
    assert_eq!(rollout.standing(0), Standing::Pending);
    rollout.reported(START_MS, &report(0, 7, UpdateOutcome::RolledBack));
    assert_eq!(rollout.standing(0).name(), "rolled-back");
}

#[test]
fn the_boots_of_an_earlier_attempt_do_not_end_the_next() {
    let mut rollout = rollout(&[100]);
    let boots = [boot(0, 5, NEW), boot(0, 6, OLD)];
    boots.map(|boot| rollout.booted(START_MS, &boot));
    assert_eq!(rollout.standing(0).name(), "reverted");
    rollout.retry(START_MS, meter(0)).unwrap();
    for boot in boots {
        assert!(rollout.booted(START_MS, &boot).is_empty());
    }
    assert_eq!(rollout.standing(0), Standing::Pending);
}

#[test]
fn a_reboot_after_a_retry_is_not_taken_for_a_failure() {
    let mut rollout = rollout(&[100]);
    rollout.booted(START_MS, &boot(0, 4, NEW));
    rollout.rolled_back(START_MS, 0..1);
    rollout.retry(START_MS, meter(0)).unwrap();
    rollout.booted(START_MS, &boot(0, 6, OLD));
    assert_eq!(rollout.standing(0), Standing::Pending);
}

#[test]
fn a_late_device_that_runs_the_release_and_is_retried_is_confirmed_when_it_says_so() {
    let plan = Plan {
        success_percent: percent(50),
        error_percent: percent(100),
        ..plan(&counts(&[3]))
    };
    let mut rollout = started(plan, 3);
    rollout.booted(START_MS, &boot(0, 4, NEW));
    rollout.confirmed(START_MS, 1..2);
    rollout.tick(START_MS + 2 * DAY_MS);
    rollout.resume(START_MS + 2 * DAY_MS).unwrap();
    rollout.retry(START_MS + 2 * DAY_MS, meter(0)).unwrap();
    rollout.check(START_MS + 2 * DAY_MS, 0, &settled());
    assert_eq!(rollout.standing(0), Standing::Confirmed);
}

#[test]
fn only_who_failed_is_retried() {
    let mut rollout = rollout(&[10]);
    let refused = rollout.retry(START_MS, meter(0));
    assert_eq!(refused, Err(Refusal::NotFailed(meter(0))));
    rollout.confirmed(START_MS, 0..1);
    let refused = rollout.retry(START_MS, meter(0));
    assert_eq!(refused, Err(Refusal::NotFailed(meter(0))));
    let stranger = meter(77);
    let refused = rollout.retry(START_MS, stranger);
    assert_eq!(refused, Err(Refusal::NotAMember(stranger)));
}

fn completed() -> Rollout {
    let mut rollout = rollout(&[1]);
    rollout.confirmed(START_MS, 0..1);
    let_time_pass(&mut rollout, START_MS);
    assert_eq!(rollout.state(), State::Completed);
    rollout
}

#[test]
fn who_has_a_withdrawn_release_goes_back_to_the_one_before() {
    let mut rollout = completed();
    let changes = rollout.withdraw(START_MS + DAY_MS, Some(PRIOR)).unwrap();
    assert_eq!(changes.events, [Event::Withdrawn { reassigned: true }]);
    let back = Decision::Fetch(PRIOR.release);
    assert_eq!(rollout.check(START_MS + DAY_MS, 0, &settled()), back);
    let staged = Asked {
        state: DeviceState::Staged,
        release: Some(PRIOR.release),
        ..settled()
    };
    let arm = Decision::Arm(PRIOR.release);
    assert_eq!(rollout.verify(START_MS + DAY_MS, 0, &staged), arm);
    rollout.booted(START_MS + DAY_MS, &boot(0, 9, OLD));
    assert_eq!(rollout.standing(0), Standing::Confirmed);
    let again = rollout.withdraw(START_MS + DAY_MS, None);
    assert_eq!(again, Err(Refusal::WithdrawnAlready));
}

#[test]
fn who_does_not_run_a_withdrawn_release_stays_as_it_is() {
    let mut rollout = rollout(&[10]);
    rollout.withdraw(START_MS, Some(PRIOR)).unwrap();
    let on_trial = Asked {
        state: DeviceState::Trial,
        ..settled()
    };
    let held = Decision::Hold(Why::Withdrawn);
    assert_eq!(rollout.check(START_MS, 0, &checking()), held);
    assert_eq!(rollout.verify(START_MS, 0, &staged()), held);
    assert_eq!(rollout.check(START_MS, 0, &on_trial), held);
}

#[test]
fn a_release_before_whose_counter_is_lower_is_not_assigned() {
    let mut rollout = completed();
    let lower = Prior {
        security_counter: COUNTER - 1,
        ..PRIOR
    };
    let changes = rollout.withdraw(START_MS + DAY_MS, Some(lower)).unwrap();
    assert_eq!(changes.events, [Event::Withdrawn { reassigned: false }]);
    assert!(rollout.state().to_string().contains("security counter"));
    let held = Decision::Hold(Why::Withdrawn);
    assert_eq!(rollout.check(START_MS + DAY_MS, 0, &settled()), held);
}

#[test]
fn a_device_whose_own_counter_is_higher_does_not_go_back() {
    let mut rollout = completed();
    rollout.withdraw(START_MS + DAY_MS, Some(PRIOR)).unwrap();
    let ahead = Asked {
        security_counter: COUNTER + 1,
        ..settled()
    };
    assert_eq!(
        rollout.check(START_MS + DAY_MS, 0, &ahead),
        Decision::Hold(Why::CounterTooLow)
    );
}

#[test]
fn who_rolled_back_from_the_release_before_is_not_told_to_try_it_again() {
    let mut rollout = completed();
    rollout.withdraw(START_MS + DAY_MS, Some(PRIOR)).unwrap();
    let says = Asked {
        state: DeviceState::RolledBack,
        release: Some(PRIOR.release),
        ..settled()
    };
    assert_eq!(
        rollout.check(START_MS + DAY_MS, 0, &says),
        Decision::Hold(Why::SaysRolledBack)
    );
}

#[test]
fn an_operators_word_comes_after_what_time_has_done() {
    let mut rollout = rollout(&[10]);
    let changes = rollout.abort(START_MS + 3 * DAY_MS).unwrap();
    assert!(matches!(
        changes.events[..],
        [Event::Halted(_), Event::Aborted]
    ));
}

#[test]
fn a_pause_does_not_hide_that_the_rollout_has_halted() {
    let mut rollout = rollout(&[10]);
    let changes = rollout.pause(START_MS + 3 * DAY_MS).unwrap();
    assert!(matches!(changes.events[..], [Event::Halted(_)]));
    assert_eq!(rollout.state().name(), "halted");
}
