//! What a store gives back: a rollout, or a reason why it is none.

use ww_rollout::{Course, LoadError, PlanError, Rollout, Snapshot};

use crate::support::{Ask, START_MS, counts, meter, meters, plan, rollout};

/// The rollout's row, changed as its text.
fn course(rollout: &Rollout, from: &str, to: &str) -> Course {
    let text = serde_json::to_string(rollout.course()).unwrap();
    let changed = text.replacen(from, to, 1);
    assert_ne!(changed, text);
    serde_json::from_str(&changed).unwrap()
}

fn load(rollout: &Rollout, course: Course) -> Result<Rollout, LoadError> {
    Rollout::from_rows(
        rollout.plan().clone(),
        rollout.meters().to_vec(),
        course,
        [],
    )
}

#[test]
fn a_row_without_a_wave_or_with_too_many_is_refused() {
    let rollout = rollout(&[1]);
    let one = r#"[{"deadline_ms":1795564800000,"expired":false,"excused":0}]"#;
    let refused = load(&rollout, course(&rollout, one, "[]")).unwrap_err();
    let (started, planned) = (0, 1);
    assert_eq!(refused, LoadError::Waves { started, planned });
    let wave = one.trim_matches(['[', ']']);
    let two = format!("[{wave},{wave}]");
    let refused = load(&rollout, course(&rollout, one, &two)).unwrap_err();
    let started = 2;
    assert_eq!(refused, LoadError::Waves { started, planned });
}

#[test]
fn a_row_that_excuses_more_than_failed_is_refused() {
    let rollout = rollout(&[2]);
    let course = course(&rollout, r#""excused":0"#, r#""excused":1"#);
    let refused = load(&rollout, course).unwrap_err();
    let (wave, excused, failed) = (1, 1, 0);
    assert_eq!(
        refused,
        LoadError::Excused {
            wave,
            excused,
            failed
        }
    );
}

#[test]
fn a_row_of_a_stranger_is_refused() {
    let mut rollout = rollout(&[1]);
    let changes = rollout.confirmed(START_MS, 0..1);
    let (_, row) = changes.members[0];
    let loaded = Rollout::from_rows(
        rollout.plan().clone(),
        meters(1),
        rollout.course().clone(),
        [(meter(1), row)],
    );
    assert_eq!(loaded.unwrap_err(), LoadError::NotAMember(meter(1)));
}

#[test]
fn a_snapshot_that_names_a_place_behind_the_last_is_refused() {
    let mut rollout = rollout(&[1]);
    rollout.confirmed(START_MS, 0..1);
    let text = serde_json::to_string(&rollout.snapshot()).unwrap();
    let moved = text.replace(r#""rows":[[0,"#, r#""rows":[[1,"#);
    let snapshot: Snapshot = serde_json::from_str(&moved).unwrap();
    let refused = Rollout::try_from(snapshot).unwrap_err();
    assert_eq!(refused, LoadError::NoSuchPlace(1));
}

#[test]
fn rows_of_other_members_than_the_plan_takes_are_refused() {
    let rollout = rollout(&[1]);
    let refused = Rollout::from_rows(plan(&counts(&[1])), meters(2), rollout.course().clone(), []);
    let why = LoadError::Plan(PlanError::LeftOut(1));
    assert_eq!(refused.unwrap_err(), why);
}

#[test]
fn a_snapshot_of_100_000_of_whom_nothing_is_known_is_their_ids() {
    let mut rollout = rollout(&[100_000]);
    let bytes = |rollout: &Rollout| serde_json::to_string(&rollout.snapshot()).unwrap().len();
    let ids = 100_000 * (64 + 3);
    assert!(bytes(&rollout) < ids + 1000);
    rollout.confirmed(START_MS, 0..1000);
    assert!(bytes(&rollout) < ids + 1000 + 1000 * 100);
}
