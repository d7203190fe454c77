//! What makes a device count as updated or as failed, and what does not.

use ww_rollout::{Asked, Decision, DeviceState, Failure, Rollout, Standing, Why};
use ww_wire::{Hash, UpdateObstacle, UpdateOutcome, UpdateReport, UptimeMillis};

use crate::support::{
    Ask, NEW, OLD, RELEASE, START_MS, boot, checking, in_state, report, rollout, settled,
};

fn large() -> Rollout {
    rollout(&[1000])
}

#[test]
fn a_confirming_report_counts() {
    let mut rollout = large();
    rollout.confirmed(START_MS, 0..1);
    assert_eq!(rollout.standing(0), Standing::Confirmed);
}

#[test]
fn the_servers_hope_counts_for_nothing() {
    let mut rollout = large();
    let staged = in_state(DeviceState::Staged);
    assert_eq!(rollout.verify(START_MS, 0, &staged), Decision::Arm(RELEASE));
    rollout.check(START_MS, 0, &settled());
    assert_eq!(rollout.standing(0), Standing::Pending);
}

#[test]
fn a_boot_of_the_payload_and_then_the_device_itself_count() {
    let mut rollout = large();
    rollout.booted(START_MS, &boot(0, 5, NEW));
    assert_eq!(rollout.standing(0), Standing::Pending);
    let trial = Asked {
        state: DeviceState::Trial,
        ..settled()
    };
    rollout.check(START_MS, 0, &trial);
    assert_eq!(rollout.standing(0), Standing::Pending);
    rollout.check(START_MS, 0, &settled());
    assert_eq!(rollout.standing(0), Standing::Confirmed);
}

#[test]
fn a_device_that_asked_before_its_boot_was_known_counts_when_it_asks_again() {
    let mut rollout = large();
    rollout.check(START_MS, 0, &settled());
    rollout.booted(START_MS, &boot(0, 5, NEW));
    assert_eq!(rollout.standing(0), Standing::Pending);
    rollout.check(START_MS, 0, &settled());
    assert_eq!(rollout.standing(0), Standing::Confirmed);
}

#[test]
fn a_device_that_says_it_runs_something_else_is_not_confirmed_by_its_boot() {
    let mut rollout = large();
    rollout.booted(START_MS, &boot(0, 5, NEW));
    rollout.check(START_MS, 0, &checking());
    let idle = Asked {
        state: DeviceState::Idle,
        ..checking()
    };
    rollout.check(START_MS, 0, &idle);
    assert_eq!(rollout.standing(0), Standing::Pending);
}

#[test]
fn a_report_about_another_release_or_payload_changes_nothing() {
    let mut rollout = large();
    let good = report(0, 5, UpdateOutcome::Confirmed);
    let other = Hash([9; 32]);
    let of_another_release = UpdateReport {
        release: other,
        ..good
    };
    let of_another_payload = UpdateReport {
        payload: other,
        running: other,
        ..good
    };
    assert!(rollout.reported(START_MS, &of_another_release).is_empty());
    assert!(rollout.reported(START_MS, &of_another_payload).is_empty());
    assert!(
        rollout
            .reported(START_MS, &report(5000, 5, UpdateOutcome::RolledBack))
            .is_empty()
    );
}

#[test]
fn a_boot_of_another_payload_after_the_new_one_is_a_failure_though_its_report_was_lost() {
    let mut rollout = large();
    rollout.booted(START_MS, &boot(0, 5, NEW));
    rollout.booted(START_MS, &boot(0, 6, OLD));
    assert_eq!(rollout.standing(0), Standing::Failed(Failure::Reverted));
    rollout.reported(START_MS, &report(0, 6, UpdateOutcome::RolledBack));
    let told = Failure::RolledBack(UpdateObstacle::Sensor);
    assert_eq!(rollout.standing(0), Standing::Failed(told));
    assert_eq!(rollout.wave(1).failed, 1);
}

#[test]
fn a_device_that_lost_a_confirmed_release_counts_as_failed() {
    let mut rollout = large();
    rollout.confirmed(START_MS, 0..1);
    rollout.booted(START_MS, &boot(0, 6, OLD));
    assert_eq!(rollout.standing(0), Standing::Failed(Failure::Reverted));
}

#[test]
fn a_signed_failure_in_the_same_boot_outweighs_what_the_device_only_said() {
    let mut rollout = large();
    rollout.booted(START_MS, &boot(0, 5, NEW));
    rollout.check(START_MS, 0, &settled());
    assert_eq!(rollout.standing(0), Standing::Confirmed);
    rollout.reported(START_MS, &report(0, 5, UpdateOutcome::RolledBack));
    assert_eq!(rollout.standing(0).name(), "rolled-back");
}

#[test]
fn an_ordinary_reboot_changes_nothing_that_counts() {
    let mut rollout = large();
    rollout.booted(START_MS, &boot(0, 4, OLD));
    assert_eq!(rollout.standing(0), Standing::Pending);
    rollout.confirmed(START_MS, 0..1);
    rollout.booted(START_MS, &boot(0, 6, NEW));
    assert_eq!(rollout.standing(0), Standing::Confirmed);
}

#[test]
fn a_repeated_or_older_report_changes_nothing() {
    let mut rollout = large();
    let older = report(0, 4, UpdateOutcome::RolledBack);
    let newer = report(0, 5, UpdateOutcome::Confirmed);
    let same_boot = UpdateReport {
        uptime: UptimeMillis::ZERO,
        ..report(0, 5, UpdateOutcome::RolledBack)
    };
    assert!(!rollout.reported(START_MS, &newer).is_empty());
    let same_moment = report(0, 5, UpdateOutcome::RolledBack);
    for repeated in [newer, older, same_boot, same_moment] {
        assert!(rollout.reported(START_MS, &repeated).is_empty());
    }
    let boots = boot(0, 5, NEW);
    assert!(!rollout.booted(START_MS, &boots).is_empty());
    assert!(rollout.booted(START_MS, &boots).is_empty());
}

#[test]
fn who_says_that_it_rolled_back_is_held_and_counts_for_nothing() {
    let mut rollout = large();
    let says = in_state(DeviceState::RolledBack);
    assert_eq!(
        rollout.check(START_MS, 0, &says),
        Decision::Hold(Why::SaysRolledBack)
    );
    assert_eq!(rollout.standing(0), Standing::Pending);
    assert_eq!(rollout.wave(1).failed, 0);
}

#[test]
fn who_rolled_back_or_refused_is_not_told_to_try_again() {
    let mut rollout = large();
    rollout.rolled_back(START_MS, 0..1);
    rollout.reported(START_MS, &report(1, 5, UpdateOutcome::Refused));
    for place in [0, 1] {
        let decision = rollout.check(START_MS, place, &checking());
        assert!(matches!(decision, Decision::Hold(Why::Failed(_))));
        let staged = in_state(DeviceState::Staged);
        let decision = rollout.verify(START_MS, place, &staged);
        assert!(matches!(decision, Decision::Hold(Why::Failed(_))));
    }
}

#[test]
fn a_member_that_had_the_payload_before_its_wave_counts_in_its_wave() {
    let mut rollout = rollout(&[1, 1]);
    rollout.booted(START_MS, &boot(1, 3, NEW));
    rollout.check(START_MS, 1, &settled());
    assert_eq!(rollout.standing(1), Standing::Confirmed);
    assert_eq!(rollout.wave(2).confirmed, 1);
    assert_eq!(rollout.state().name(), "running");
}
