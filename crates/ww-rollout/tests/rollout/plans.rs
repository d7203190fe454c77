//! What a plan may say, how groups and waves are cut, and when a window is open.

use std::collections::HashSet;

use proptest::prelude::*;
use ww_rollout::group::{ordered, rank, share};
use ww_rollout::{
    MAX_DURATION_MS, MAX_WAVES, Percent, Plan, PlanError, Rollout, RolloutId, WaveSize, Window,
};

use crate::support::{DAY_MS, HOUR_MS, START_MS, counts, meter, meters, percent, plan};

fn refused(plan: Plan, members: usize) -> PlanError {
    Rollout::new(plan, meters(members), START_MS).unwrap_err()
}

#[test]
fn a_share_is_rounded_up() {
    for (share, whole, part) in [(1, 1, 1), (1, 10, 1), (10, 10, 1), (10, 11, 2), (100, 7, 7)] {
        assert_eq!(percent(share).of_rounded_up(whole), part);
    }
}

#[test]
fn a_share_is_from_1_to_100() {
    assert_eq!([0, 101, 255].map(Percent::new), [None; 3]);
    assert!(serde_json::from_str::<Percent>("0").is_err());
    assert_eq!(
        serde_json::from_str::<Percent>("100").unwrap(),
        percent(100)
    );
}

#[test]
fn waves_are_clipped_to_who_is_left() {
    let sizes = [
        WaveSize::Count(1),
        WaveSize::Percent(percent(10)),
        WaveSize::Percent(percent(100)),
    ];
    let ends = |members| plan(&sizes).wave_ends(members).unwrap();
    assert_eq!(ends(15), [1, 3, 15]);
    assert_eq!(ends(2), [1, 2]);
    assert_eq!(ends(1), [1]);
    assert_eq!(ends(100_000), [1, 10_001, 100_000]);
}

#[test]
fn a_plan_that_leaves_meters_out_is_refused() {
    assert_eq!(refused(plan(&counts(&[1, 2])), 5), PlanError::LeftOut(2));
}

#[test]
fn a_plan_without_meters_or_waves_is_refused() {
    assert_eq!(refused(plan(&counts(&[1])), 0), PlanError::NoMembers);
    assert_eq!(refused(plan(&[]), 1), PlanError::NoWaves);
    assert_eq!(refused(plan(&counts(&[0, 1])), 1), PlanError::EmptyWave);
    let many = counts(&[1; MAX_WAVES + 1]);
    assert_eq!(refused(plan(&many), 1), PlanError::TooManyWaves(33));
}

#[test]
fn a_meter_is_a_member_once() {
    let twice = vec![meter(0), meter(1), meter(0)];
    let refused = Rollout::new(plan(&counts(&[3])), twice, START_MS).unwrap_err();
    assert_eq!(refused, PlanError::MemberTwice(meter(0)));
}

#[test]
fn times_that_nobody_could_keep_are_refused() {
    let plan = plan(&counts(&[1]));
    let with = |deadline_ms, soak_ms| Plan {
        deadline_ms,
        soak_ms,
        ..plan.clone()
    };
    assert_eq!(refused(with(0, 0), 1), PlanError::NoTime);
    let too_long = MAX_DURATION_MS + 1;
    assert_eq!(refused(with(too_long, 0), 1), PlanError::TooLong);
    assert_eq!(refused(with(1, too_long), 1), PlanError::TooLong);
}

#[test]
fn a_window_opens_before_any_deadline() {
    let with = |from_minute, to_minute, deadline_ms| Plan {
        window: Some(Window {
            from_minute,
            to_minute,
        }),
        deadline_ms,
        ..plan(&counts(&[1]))
    };
    assert_eq!(refused(with(0, 1440, DAY_MS), 1), PlanError::NoSuchMinute);
    assert_eq!(refused(with(1440, 0, DAY_MS), 1), PlanError::NoSuchMinute);
    assert_eq!(refused(with(60, 60, DAY_MS), 1), PlanError::EmptyWindow);
    let short = with(60, 61, DAY_MS - 1);
    assert_eq!(refused(short, 1), PlanError::DeadlineBeforeWindow);
    assert_eq!(with(60, 61, DAY_MS).wave_ends(1), Ok(vec![1]));
}

const NIGHT: Window = Window {
    from_minute: 22 * 60,
    to_minute: 4 * 60,
};

#[test]
fn a_window_over_midnight_is_open_from_its_first_minute_up_to_its_last() {
    let open = |hours: u64, ms: u64| NIGHT.is_open(START_MS + hours * HOUR_MS + ms, 0);
    assert!(!open(21, HOUR_MS - 1));
    assert!(open(22, 0));
    assert!(open(24, 0));
    assert!(open(27, HOUR_MS - 1));
    assert!(!open(28, 0));
}

#[test]
fn a_window_is_in_the_time_of_the_site() {
    // India is half an hour off the full one.
    let kolkata_s = 19_800;
    let opens_ms = START_MS + 16 * HOUR_MS + HOUR_MS / 2;
    assert!(!NIGHT.is_open(opens_ms - 1, kolkata_s));
    assert!(NIGHT.is_open(opens_ms, kolkata_s));
    assert_eq!(NIGHT.opens_ms(opens_ms - 1, kolkata_s), opens_ms);
    assert!(NIGHT.is_open(START_MS + 2 * HOUR_MS, -8 * 3600 + 3600 * 4));
}

#[test]
fn an_open_window_opens_now() {
    let now_ms = START_MS + 23 * HOUR_MS;
    assert_eq!(NIGHT.opens_ms(now_ms, 0), now_ms);
}

#[test]
fn a_group_by_share_is_the_same_whoever_asks_and_another_in_another_rollout() {
    let (one, other) = (RolloutId([1; 16]), RolloutId([2; 16]));
    let fleet = meters(1000);
    let backwards: Vec<_> = fleet.iter().rev().copied().collect();
    let chosen = share(one, fleet.clone(), percent(10));
    assert_eq!(chosen.len(), 100);
    assert_eq!(share(one, backwards, percent(10)), chosen);
    let first: HashSet<_> = chosen.into_iter().collect();
    let again = share(other, fleet, percent(10));
    let both = again.iter().filter(|meter| first.contains(*meter)).count();
    // 10 of 100 by chance; that it is above 40 has a chance below 10^-15.
    assert!(both < 40, "{both} of 100 are in both");
}

#[test]
fn an_order_names_each_meter_once() {
    let id = RolloutId([1; 16]);
    let twice = [meters(10), meters(10)].concat();
    let order = ordered(id, twice);
    assert_eq!(order.len(), 10);
    assert!(order.is_sorted_by_key(|meter| rank(id, *meter)));
}

proptest! {
    #[test]
    fn a_share_has_no_one_too_many_and_none_too_few(share in 1..=100u8, whole in 1..200_000u64) {
        let part = percent(share).of_rounded_up(whole);
        prop_assert!(percent(share).is_reached(part, whole));
        prop_assert!(!percent(share).is_reached(part - 1, whole));
        prop_assert!((1..=whole).contains(&part));
    }

    #[test]
    fn a_window_is_open_as_long_as_it_is_and_opens_when_it_says(
        from_minute in 0..1440u16, length in 1..1440u16, at_ms in 0..10 * DAY_MS, offset in -50_400..=50_400i32
    ) {
        let window = Window { from_minute, to_minute: (from_minute + length) % 1440 };
        let now_ms = START_MS + at_ms;
        let opens_ms = window.opens_ms(now_ms, offset);
        prop_assert!(window.is_open(opens_ms, offset));
        prop_assert!(opens_ms == now_ms || !window.is_open(opens_ms - 1, offset));
        prop_assert!(opens_ms - now_ms < DAY_MS);
        let minutes = (0..1440).filter(|minute| window.is_open(START_MS + minute * 60_000, offset));
        // An offset of odd seconds moves both ends into a minute; none is lost.
        prop_assert_eq!(minutes.count(), usize::from(length));
    }
}
