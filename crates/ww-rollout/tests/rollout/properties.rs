//! What holds whatever devices, operators and the power do, in any order: a fleet of a few meters, and a
//! random history over it.

use std::collections::HashMap;

use proptest::prelude::*;
use ww_rollout::{
    Asked, Changes, Course, Decision, DeviceState, Door, Event, LoadError, Member, Percent, Plan,
    Rollout, Snapshot, Standing, State, WaveSize, Window,
};
use ww_wire::{Boot, MeterId, UpdateOutcome, UpdateReport, UptimeMillis};

use crate::support::{
    DAY_MS, HOUR_MS, NEW, OLD, PRIOR, RELEASE, START_MS, boot, in_state, let_time_pass, meter,
    meters, plan, report, settled,
};

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Fact {
    Asked(usize, Asked, Door),
    Reported(UpdateReport),
    Booted(Boot),
    /// So many milliseconds pass, and nobody looks.
    Passed(u64),
    /// The time of the next deadline comes, or not quite.
    Came {
        early: bool,
    },
    Paused,
    Resumed,
    Retried(usize),
    Aborted,
    Withdrawn,
}

/// One more than any fleet here, so that strangers turn up too.
const FLEET: usize = 13;

fn asked() -> impl Strategy<Value = Asked> {
    (prop::sample::select(&DeviceState::ALL[..]), 0..4u8).prop_map(|(state, kind)| match kind {
        0 => Asked {
            release: None,
            ..in_state(state)
        },
        1 => Asked { state, ..settled() },
        2 => Asked {
            release: Some(PRIOR.release),
            ..settled()
        },
        _ => in_state(state),
    })
}

fn any_report() -> impl Strategy<Value = UpdateReport> {
    let outcome = prop_oneof![
        12 => Just(UpdateOutcome::Confirmed),
        1 => Just(UpdateOutcome::RolledBack),
        1 => Just(UpdateOutcome::Refused),
    ];
    (0..FLEET, 1..6u32, 0..3u64, outcome).prop_map(|(place, boot, uptime, outcome)| UpdateReport {
        uptime: UptimeMillis::new(uptime).unwrap(),
        ..report(place, boot, outcome)
    })
}

fn any_boot() -> impl Strategy<Value = Boot> {
    // A meter boots once with one counter, so its payload follows from the counter here.
    (0..FLEET, 1..6u32).prop_map(|(place, count)| {
        let ours = !(place as u32 + count).is_multiple_of(4);
        boot(place, count, if ours { NEW } else { OLD })
    })
}

fn fact() -> impl Strategy<Value = Fact> {
    let door = prop_oneof![Just(Door::Check), Just(Door::Verify)];
    prop_oneof![
        8 => (0..FLEET, asked(), door).prop_map(|(place, asked, door)| Fact::Asked(place, asked, door)),
        10 => any_report().prop_map(Fact::Reported),
        4 => any_boot().prop_map(Fact::Booted),
        3 => (0..3 * DAY_MS).prop_map(Fact::Passed),
        6 => any::<bool>().prop_map(|early| Fact::Came { early }),
        1 => Just(Fact::Paused),
        3 => Just(Fact::Resumed),
        3 => (0..FLEET).prop_map(Fact::Retried),
        // Rarely: what comes after an end shows little.
        1 => prop_oneof![8 => Just(Fact::Resumed), 1 => Just(Fact::Aborted), 1 => Just(Fact::Withdrawn)],
    ]
}

fn share(least: u8, most: u8) -> impl Strategy<Value = Percent> {
    (least..=most).prop_map(|share| Percent::new(share).unwrap())
}

prop_compose! {
    fn any_rollout()(
        members in 1..FLEET,
        mut waves in prop::collection::vec(
            prop_oneof![(1..4u32).prop_map(WaveSize::Count), share(1, 40).prop_map(WaveSize::Percent)], 0..4
        ),
        success_percent in share(1, 100),
        error_percent in share(20, 100),
        error_minimum in 0..4u32,
        soak_ms in prop_oneof![Just(0), 1..2 * DAY_MS],
        window in prop::option::of((0..1440u16, 1..1440u16)),
    ) -> (Plan, usize) {
        waves.push(WaveSize::Percent(Percent::new(100).unwrap()));
        let window = window.map(|(from_minute, length)| Window {
            from_minute,
            to_minute: (from_minute + length) % 1440,
        });
        let plan = Plan {
            success_percent, error_percent, error_minimum, soak_ms, window, ..plan(&waves)
        };
        (plan, members)
    }
}

prop_compose! {
    /// A history over a rollout.
    fn history()(rollout in any_rollout(), facts in prop::collection::vec(fact(), 0..120))
        -> ((Plan, usize), Vec<Fact>) {
        (rollout, facts)
    }
}

/// A rollout and the time.
#[derive(Clone)]
struct World {
    rollout: Rollout,
    now_ms: u64,
}

/// What a fact led to.
#[derive(Debug, PartialEq)]
struct Outcome {
    decision: Option<Decision>,
    changes: Changes,
    refused: bool,
    next_deadline_ms: Option<u64>,
}

impl World {
    fn new((plan, members): (Plan, usize)) -> (Self, Changes) {
        let (rollout, changes) = Rollout::new(plan, meters(members), START_MS).unwrap();
        let now_ms = START_MS;
        (Self { rollout, now_ms }, changes)
    }

    fn take(&mut self, fact: Fact) -> Outcome {
        let (rollout, now_ms) = (&mut self.rollout, &mut self.now_ms);
        let mut decision = None;
        let done = match fact {
            Fact::Asked(place, asked, door) => {
                let (told, changes) = rollout.asked(*now_ms, meter(place), &asked, door, 0);
                decision = Some(told);
                Ok(changes)
            }
            Fact::Reported(report) => Ok(rollout.reported(*now_ms, &report)),
            Fact::Booted(boot) => Ok(rollout.booted(*now_ms, &boot)),
            Fact::Passed(duration_ms) => {
                *now_ms += duration_ms;
                Ok(Changes::default())
            }
            Fact::Came { early } => {
                let deadline_ms = rollout.next_deadline_ms().unwrap_or(*now_ms);
                *now_ms = (*now_ms).max(deadline_ms - u64::from(early));
                Ok(rollout.tick(*now_ms))
            }
            Fact::Paused => rollout.pause(*now_ms),
            Fact::Resumed => rollout.resume(*now_ms),
            Fact::Retried(place) => rollout.retry(*now_ms, meter(place)),
            Fact::Aborted => rollout.abort(*now_ms),
            Fact::Withdrawn => rollout.withdraw(*now_ms, Some(PRIOR)),
        };
        Outcome {
            decision,
            refused: done.is_err(),
            changes: done.unwrap_or_default(),
            next_deadline_ms: rollout.next_deadline_ms(),
        }
    }
}

/// What a store keeps: the newest of each row that a call gave out.
struct Stored {
    plan: Plan,
    members: Vec<MeterId>,
    course: Option<Course>,
    rows: HashMap<MeterId, Member>,
}

impl Stored {
    fn write(&mut self, changes: &Changes) {
        self.rows.extend(changes.members.iter().copied());
        if changes.course.is_some() {
            self.course.clone_from(&changes.course);
        }
    }

    fn restart(&self) -> Result<Rollout, LoadError> {
        let through_text = |member: &Member| {
            let text = serde_json::to_string(member).unwrap();
            serde_json::from_str::<Member>(&text).unwrap()
        };
        let rows = self.rows.iter();
        Rollout::from_rows(
            self.plan.clone(),
            self.members.clone(),
            self.course.clone().unwrap(),
            rows.map(|(meter, row)| (*meter, through_text(row))),
        )
    }
}

/// The part of a wave that the tests count themselves: confirmed, failed and overdue members.
fn counted(rollout: &Rollout, wave: u32) -> [u32; 3] {
    let mut counts = [0; 3];
    for meter in rollout.meters() {
        let member = rollout.member(*meter).unwrap();
        if member.wave != wave {
            continue;
        }
        match member.standing {
            Standing::Confirmed => counts[0] += 1,
            Standing::Failed(_) => counts[1] += 1,
            Standing::Overdue { .. } => counts[2] += 1,
            Standing::Waiting | Standing::Pending => {}
        }
    }
    counts
}

fn is_stopped(state: State) -> bool {
    !matches!(
        state,
        State::Running { .. } | State::Soaking { .. } | State::Finishing
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_wave_never_starts_before_its_predecessor_succeeded_and_soaked((start, facts) in history()) {
        let plan = start.0.clone();
        let (mut world, _) = World::new(start);
        // For how long the rollout has run in all, and had when the newest wave succeeded.
        let (mut ran_ms, mut succeeded) = (0, None);
        for fact in facts {
            let (stood, before_ms) = (is_stopped(world.rollout.state()), world.now_ms);
            let outcome = world.take(fact);
            if !stood {
                ran_ms += world.now_ms - before_ms;
            }
            for event in outcome.changes.events {
                match event {
                    Event::WaveSucceeded { wave, confirmed, size } => {
                        let view = world.rollout.waves().find(|view| view.number == wave).unwrap();
                        prop_assert_eq!(size, view.size);
                        let needed = (size - view.excused) * u32::from(plan.success_percent.get());
                        prop_assert!(confirmed > 0 && confirmed * 100 >= needed);
                        succeeded = Some((wave, ran_ms));
                    }
                    Event::WaveStarted { wave, .. } => {
                        let (before, since_ms) = succeeded.take().unwrap();
                        prop_assert_eq!(before + 1, wave);
                        prop_assert!(ran_ms - since_ms >= plan.soak_ms);
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn nobody_is_told_to_fetch_or_start_before_their_wave((start, facts) in history()) {
        let (mut world, first) = World::new(start);
        let starts = |changes: &Changes| {
            let events = changes.events.iter();
            events.filter(|event| matches!(event, Event::WaveStarted { .. })).count() as u32
        };
        let mut started = starts(&first);
        for fact in facts {
            let outcome = world.take(fact);
            started += starts(&outcome.changes);
            let (Fact::Asked(place, ..), Some(decision)) = (fact, outcome.decision) else {
                continue;
            };
            if let Decision::Fetch(release) | Decision::Arm(release) = decision {
                let member = world.rollout.member(meter(place)).unwrap();
                prop_assert!(release == PRIOR.release || member.wave <= started);
            }
        }
    }

    #[test]
    fn after_a_pause_a_halt_or_an_end_nobody_is_told_to_start_until_it_is_resumed((start, facts) in history()) {
        let (mut world, _) = World::new(start);
        let mut stopped = false;
        for fact in facts {
            let outcome = world.take(fact);
            for event in &outcome.changes.events {
                match event {
                    Event::Halted(_) | Event::Paused | Event::Aborted | Event::Completed | Event::Withdrawn { .. } => {
                        stopped = true;
                    }
                    Event::Resumed => stopped = false,
                    _ => {}
                }
            }
            if stopped {
                prop_assert!(!matches!(outcome.decision, Some(Decision::Arm(RELEASE) | Decision::Fetch(RELEASE))));
            }
        }
    }

    #[test]
    fn who_failed_is_told_nothing_until_an_operator_says_retry((start, facts) in history()) {
        let (mut world, _) = World::new(start);
        for fact in facts {
            let before = world.rollout.clone();
            let outcome = world.take(fact);
            let (Fact::Asked(place, asked, _), Some(decision)) = (fact, outcome.decision) else {
                continue;
            };
            let Some(member) = before.member(meter(place)) else {
                continue;
            };
            let says = asked.state == DeviceState::RolledBack && asked.release == Some(RELEASE);
            let failed = matches!(member.standing, Standing::Failed(_));
            if failed || (says && member.retries == 0) {
                prop_assert!(!matches!(decision, Decision::Arm(RELEASE) | Decision::Fetch(RELEASE)));
            }
        }
    }

    #[test]
    fn a_device_starts_only_in_its_window((start, facts) in history()) {
        let window = start.0.window;
        let (mut world, _) = World::new(start);
        for fact in facts {
            let outcome = world.take(fact);
            if let (Some(Decision::Arm(_)), Some(window)) = (outcome.decision, window) {
                let minute = world.now_ms / 60_000 % 1440;
                let (from, to) = (u64::from(window.from_minute), u64::from(window.to_minute));
                let inside = if from < to { (from..to).contains(&minute) } else { minute >= from || minute < to };
                prop_assert!(inside);
            }
        }
    }

    #[test]
    fn what_is_counted_is_what_the_members_are((start, facts) in history()) {
        let (mut world, _) = World::new(start);
        for fact in facts {
            world.take(fact);
            let mut members = 0;
            for wave in world.rollout.waves() {
                let counts = counted(&world.rollout, wave.number);
                prop_assert_eq!(counts, [wave.confirmed, wave.failed, wave.overdue]);
                prop_assert_eq!(wave.size, wave.undecided + counts.iter().sum::<u32>());
                prop_assert!(wave.excused <= wave.failed + wave.overdue);
                members += wave.size as usize;
            }
            prop_assert_eq!(members, world.rollout.meters().len());
        }
    }

    #[test]
    fn every_rollout_ends_or_halts_when_time_passes((start, facts) in history()) {
        let (mut world, _) = World::new(start);
        for fact in facts {
            world.take(fact);
        }
        if world.rollout.state() == State::Paused {
            world.take(Fact::Resumed);
        }
        let_time_pass(&mut world.rollout, world.now_ms);
        prop_assert!(is_stopped(world.rollout.state()), "{:?}", world.rollout.state());
    }

    #[test]
    fn nothing_happens_by_itself_before_the_next_deadline((start, facts) in history()) {
        let (mut world, _) = World::new(start);
        for fact in facts {
            world.take(fact);
            world.rollout.tick(world.now_ms);
            let until_ms = world.rollout.next_deadline_ms().unwrap_or(world.now_ms + 1000 * DAY_MS);
            prop_assert!(until_ms > world.now_ms);
            prop_assert!(world.rollout.clone().tick(until_ms - 1).is_empty());
        }
    }

    #[test]
    fn a_restart_at_any_point_changes_nothing((start, facts) in history()) {
        let (plan, members) = start.clone();
        let (mut world, first) = World::new(start);
        let mut stored = Stored { plan, members: meters(members), course: None, rows: HashMap::new() };
        stored.write(&first);
        for fact in facts {
            let mut from_rows = World { rollout: stored.restart().unwrap(), ..world };
            let text = serde_json::to_string(&world.rollout.snapshot()).unwrap();
            let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
            let mut from_snapshot = World { rollout: snapshot.try_into().unwrap(), ..world };
            let outcome = world.take(fact);
            stored.write(&outcome.changes);
            prop_assert_eq!(&from_rows.take(fact), &outcome);
            prop_assert_eq!(&from_snapshot.take(fact), &outcome);
            prop_assert_eq!(from_rows.rollout.snapshot(), world.rollout.snapshot());
        }
    }

    #[test]
    fn repeated_reports_and_boots_change_nothing((start, facts) in history()) {
        let (mut world, _) = World::new(start);
        for fact in facts {
            world.take(fact);
            if matches!(fact, Fact::Reported(_) | Fact::Booted(_)) {
                prop_assert!(world.take(fact).changes.is_empty());
            }
        }
    }

    #[test]
    fn reports_and_boots_lead_to_the_same_in_any_order(
        facts in prop::collection::vec(
            prop_oneof![any_report().prop_map(Fact::Reported), any_boot().prop_map(Fact::Booted)], 0..40
        ),
        order in any::<u64>(),
    ) {
        // One moment in the life of a meter has one report; of those that share it here, the first is kept.
        let mut moments = std::collections::HashSet::new();
        let facts: Vec<Fact> = facts.into_iter().filter(|fact| match fact {
            Fact::Reported(report) => moments.insert((report.meter, report.boot, report.uptime)),
            _ => true,
        }).collect();
        let mut shuffled = facts.clone();
        shuffled.extend(facts.iter().take(5).copied());
        shuffled.sort_by_cached_key(|fact| ww_wire::Hash::of(&[format!("{fact:?}").as_bytes(), &order.to_be_bytes()]));
        let patient = Plan {
            error_minimum: u32::MAX,
            success_percent: Percent::new(1).unwrap(),
            soak_ms: HOUR_MS,
            ..plan(&[WaveSize::Count(FLEET as u32)])
        };
        let end = |facts: &[Fact]| {
            let (mut world, _) = World::new((patient.clone(), FLEET));
            for fact in facts {
                world.take(*fact);
            }
            let members = (0..FLEET).map(|place| world.rollout.member(meter(place)).unwrap().standing);
            members.collect::<Vec<_>>()
        };
        prop_assert_eq!(end(&facts), end(&shuffled));
    }
}
