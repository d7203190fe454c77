//! The meter over real sockets and a real file, on a clock that jumps ahead whenever nothing is
//! under way.

mod settings;
mod world;

use ww_device::meter::Progress;
use ww_device::shelly::PollError;
use ww_device::uplink::{Refusal, Request, Standing};
use ww_sim::emulator::HttpFaults;
use ww_wire::{BootCounter, Millivolts, MilliwattHours, Milliwatts, ReadingFlags, SensorModel};

use super::*;
use world::{PASSWORD, Running, World, basic_server, plain_server, reading, starting_server};

const MODELS: [SensorModel; 4] = [
    SensorModel::ShellyEmGen1,
    SensorModel::Shelly3EmGen1,
    SensorModel::ShellyEm1Gen2,
    SensorModel::ShellyEmGen2,
];

fn has(event: &Event, flags: ReadingFlags) -> bool {
    reading(event).is_some_and(|reading| reading.sum().flags.intersects(flags))
}

async fn next_reading(meter: &mut Running) -> Event {
    meter
        .until("a reading", |event| reading(event).is_some())
        .await
}

/// Lets it read so often, and gives the last one's number.
async fn readings(meter: &mut Running, count: usize) -> u64 {
    let mut last = 0;
    for _ in 0..count {
        let event = next_reading(meter).await;
        last = reading(&event).unwrap().sum().sequence.get();
    }
    last
}

/// Two slots later nothing waits for an earlier back-off any more: what a stop leaves then is only
/// what the gateway did not take.
async fn settled(meter: &mut Running) -> u64 {
    readings(meter, 2).await
}

/// A reading that says nothing of a failed poll.
async fn measured(meter: &mut Running) {
    let event = next_reading(meter).await;
    assert!(!has(&event, ReadingFlags::FAILED), "{event:?}");
}

async fn announced(meter: &mut Running) {
    let is_announced = |event: &Event| {
        matches!(
            event,
            Event::Done {
                request: Request::Announce,
                ..
            }
        )
    };
    meter.until("an announcement", is_announced).await;
}

/// A world and a meter in it that an operator has approved.
async fn at_work() -> (World, Running) {
    let world = World::new(SensorModel::ShellyEmGen1, None).await;
    world.gateway.approve();
    let mut meter = world.start();
    enrolled(&mut meter).await;
    (world, meter)
}

/// Takes the state folder from a meter that was at work; gives its last number, and how many
/// records and readings the gateway has of it.
async fn with_a_lost_state() -> (World, u64, (usize, usize)) {
    let (mut world, mut meter) = at_work().await;
    let last = settled(&mut meter).await;
    meter.stop().await;
    world.state = world.state_named("lost");
    let held = held(&world);
    (world, last, held)
}

/// How many records and readings the gateway has.
fn held(world: &World) -> (usize, usize) {
    (world.gateway.records(), world.gateway.live().len())
}

/// The meter does not start, for this reason.
async fn refused(world: &World, reason: &str) -> String {
    let error = format!("{:#}", world.start().ended().await.unwrap_err());
    assert!(error.contains(reason), "{error}");
    error
}

async fn enrolled(meter: &mut Running) {
    let is_enrolled = |event: &Event| {
        matches!(
            event,
            Event::Done {
                progress: Progress::Enrolled { .. },
                ..
            }
        )
    };
    meter.until("the enrolment", is_enrolled).await;
}

/// What is said when the uplink is blocked.
async fn blocked(meter: &mut Running) -> String {
    let is_blocked = |event: &Event| matches!(event, Event::UplinkBlocked { .. });
    match meter.until("the block", is_blocked).await {
        Event::UplinkBlocked { why } => why,
        _ => unreachable!(),
    }
}

/// Until more records wait for the gateway than it holds.
async fn outgrown(meter: &mut Running, records: usize) {
    let has_more = |event: &Event| match event {
        Event::Recorded { depth, .. } => depth.records > records as u64,
        _ => false,
    };
    meter.until("more records", has_more).await;
}

async fn drained(meter: &mut Running) {
    let is_drained = |event: &Event| {
        matches!(
            event,
            Event::Done { request: Request::Batch, depth, .. } if depth.records == 0
        )
    };
    meter.until("an empty queue", is_drained).await;
}

#[tokio::test]
async fn the_real_answer_of_a_shelly_becomes_a_signed_reading_at_the_gateway() {
    let mut world = World::new(SensorModel::ShellyEmGen1, None).await;
    let fixture = include_str!("../../../ww-device/tests/fixtures/shelly-em-gen1-status.json");
    world.shelly = plain_server("/status", fixture).await;
    let mut meter = world.start();
    let first = next_reading(&mut meter).await;
    let sum = *reading(&first).unwrap().sum();
    assert_eq!(sum.power, Milliwatts::new(16_350));
    assert_eq!(sum.import_total, MilliwattHours::new(8_900));
    assert_eq!(sum.voltage, Millivolts::new(237_130));
    assert!(!sum.flags.intersects(ReadingFlags::FAILED));
    world.gateway.approve();
    enrolled(&mut meter).await;
    let is_sent = |event: &Event| {
        matches!(
            event,
            Event::Done {
                request: Request::Reading,
                ..
            }
        )
    };
    meter.until("a reading at the gateway", is_sent).await;
    let last = settled(&mut meter).await;
    meter.stop().await;
    assert_eq!(world.gateway.live()[0].sum().power, sum.power);
    world.gateway.assert_complete(1..=last);
}

#[tokio::test]
async fn every_model_is_read_behind_its_password() {
    for model in MODELS {
        let world = World::new(model, Some(PASSWORD)).await;
        let mut meter = world.start();
        measured(&mut meter).await;
        measured(&mut meter).await;
        world.emulator.forget_nonces();
        measured(&mut meter).await;
        meter.stop().await;
    }
}

#[tokio::test]
async fn a_wrong_password_fails_the_poll_and_says_so() {
    for model in [SensorModel::ShellyEmGen1, SensorModel::ShellyEm1Gen2] {
        let mut world = World::new(model, Some(PASSWORD)).await;
        world.password = Some("moon");
        let mut meter = world.start();
        let event = next_reading(&mut meter).await;
        let Event::Recorded { recording, .. } = event else {
            unreachable!()
        };
        let flags = recording.reading.sum().flags;
        assert!(flags.intersects(ReadingFlags::SENSOR_MALFORMED));
        assert!(
            matches!(recording.cause, Some(PollError::Status { status: 401, .. })),
            "{recording:?}"
        );
        meter.stop().await;
    }
}

#[tokio::test]
async fn a_password_for_digest_is_not_given_away_by_basic() {
    let mut world = World::new(SensorModel::ShellyEm1Gen2, Some(PASSWORD)).await;
    let identity =
        include_str!("../../../ww-device/tests/fixtures/shelly-pro-em-gen2-identity.json");
    let (url, mut authorizations) = basic_server(identity).await;
    world.shelly = url;
    let mut meter = world.start();
    let event = next_reading(&mut meter).await;
    assert!(has(&event, ReadingFlags::SENSOR_MALFORMED));
    meter.stop().await;
    assert_eq!(authorizations.try_recv(), Ok(None));
    assert!(authorizations.try_recv().is_err(), "it was asked once more");
}

#[tokio::test]
async fn a_sensor_that_is_away_leaves_failed_polls_until_it_is_back() {
    let world = World::new(SensorModel::ShellyEmGen1, None).await;
    let mut meter = world.start();
    next_reading(&mut meter).await;
    world.emulator.set_faults(HttpFaults {
        is_unreachable: true,
        ..HttpFaults::default()
    });
    let away = next_reading(&mut meter).await;
    assert!(has(&away, ReadingFlags::SENSOR_UNREACHABLE));
    assert!(
        matches!(&away, Event::Recorded { broken: Some(why), .. } if !why.is_empty()),
        "{away:?}"
    );
    world.emulator.set_faults(HttpFaults::default());
    measured(&mut meter).await;
    meter.stop().await;
}

#[tokio::test]
async fn a_new_meter_waits_for_its_sensor() {
    let world = World::new(SensorModel::ShellyEmGen2, None).await;
    world.emulator.set_faults(HttpFaults {
        is_unreachable: true,
        ..HttpFaults::default()
    });
    let mut meter = world.start();
    let is_sought = |event: &Event| matches!(event, Event::SensorSought { .. });
    meter.until("the sensor missed", is_sought).await;
    meter.until("the sensor missed again", is_sought).await;
    world.emulator.set_faults(HttpFaults::default());
    measured(&mut meter).await;
    meter.stop().await;
}

#[tokio::test]
async fn a_sensor_that_is_starting_is_waited_for() {
    let mut world = World::new(SensorModel::ShellyEmGen1, None).await;
    let fixture = include_str!("../../../ww-device/tests/fixtures/shelly-em-gen1-status.json");
    world.shelly = starting_server(fixture).await;
    let mut meter = world.start();
    let is_sought =
        |event: &Event| matches!(event, Event::SensorSought { why } if why.contains("503"));
    meter.until("the sensor missed", is_sought).await;
    measured(&mut meter).await;
    meter.stop().await;
}

#[tokio::test]
async fn a_meter_announces_what_it_proposes_and_waits_for_approval() {
    let world = World::new(SensorModel::ShellyEm1Gen2, None).await;
    let mut meter = world.start();
    let is_announced = |event: &Event| {
        matches!(
            event,
            Event::Done {
                progress: Progress::Announced,
                installation: Some(7),
                ..
            }
        )
    };
    meter.until("the announcement", is_announced).await;
    let event = next_reading(&mut meter).await;
    assert!(matches!(
        event,
        Event::Recorded {
            standing: Standing::Waiting,
            ..
        }
    ));
    assert!(world.gateway.live().is_empty());
    let announcement = world.gateway.announcements().remove(0);
    assert_eq!(announcement.public_key, world.public_key.to_string());
    assert_eq!(
        announcement.sensor_model.as_deref(),
        Some("shelly_em1_gen2")
    );
    assert_eq!(announcement.shelly_mac.as_deref(), Some("EC64C9C05E97"));
    assert_eq!(announcement.production_counter.as_deref(), Some("total"));
    assert_eq!(announcement.rated_power_w, Some(800));
    meter.stop().await;
}

#[tokio::test]
async fn nothing_is_lost_while_the_gateway_is_away() {
    let (world, mut meter) = at_work().await;
    next_reading(&mut meter).await;
    world.gateway.set_away(true);
    let last = readings(&mut meter, 70).await;
    assert!(last > 70);
    world.gateway.set_away(false);
    drained(&mut meter).await;
    let last = settled(&mut meter).await;
    meter.stop().await;
    world.gateway.assert_complete(1..=last);
}

#[tokio::test]
async fn a_killed_meter_goes_on_with_the_next_number_and_loses_nothing() {
    let (world, mut meter) = at_work().await;
    world.gateway.set_away(true);
    let last = readings(&mut meter, 12).await;
    meter.kill().await;
    world.gateway.set_away(false);
    let mut meter = world.start();
    let is_started = |event: &Event| matches!(event, Event::Started { boot, .. } if *boot == BootCounter::new(2).unwrap());
    meter.until("the second boot", is_started).await;
    let event = next_reading(&mut meter).await;
    assert_eq!(reading(&event).unwrap().sum().sequence.get(), last + 1);
    let last = settled(&mut meter).await;
    meter.stop().await;
    world.gateway.assert_complete(1..=last);
}

#[tokio::test]
async fn an_orderly_stop_seals_and_sends_what_is_left() {
    let (world, mut meter) = at_work().await;
    let last = settled(&mut meter).await;
    meter.stop().await;
    world.gateway.assert_complete(1..=last);
}

#[tokio::test]
async fn a_gateway_that_forgot_the_meter_is_told_again() {
    let (world, mut meter) = at_work().await;
    world.gateway.forget_once();
    let is_unknown = |event: &Event| {
        matches!(
            event,
            Event::Refused {
                refusal: Refusal::UnknownMeter,
                ..
            }
        )
    };
    meter.until("the refusal", is_unknown).await;
    announced(&mut meter).await;
    assert_eq!(world.gateway.announcements().len(), 2);
    meter.stop().await;
}

#[tokio::test]
async fn a_gateway_that_lost_everything_is_told_again_while_the_meter_waits() {
    let world = World::new(SensorModel::ShellyEmGen1, None).await;
    let mut meter = world.start();
    announced(&mut meter).await;
    announced(&mut meter).await;
    meter.stop().await;
}

#[tokio::test]
async fn a_gateway_that_is_not_there_yet_is_tried_until_it_is() {
    let mut world = World::new(SensorModel::ShellyEmGen1, None).await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let there = world.gateway.clone();
    world.gateway_url = format!("http://{address}");
    let mut meter = world.start();
    let is_refused = |event: &Event| {
        matches!(
            event,
            Event::Refused {
                request: Request::Announce,
                refusal: Refusal::Unavailable { .. },
                ..
            }
        )
    };
    meter.until("no connection", is_refused).await;
    there.serve_at(address).await;
    announced(&mut meter).await;
    meter.stop().await;
}

#[tokio::test]
async fn a_second_process_with_the_same_key_is_refused() {
    let world = World::new(SensorModel::ShellyEmGen1, None).await;
    let mut meter = world.start();
    next_reading(&mut meter).await;
    refused(&world, "running already").await;
    meter.stop().await;
}

#[tokio::test]
async fn a_second_process_with_the_same_key_and_another_state_folder_is_refused() {
    let mut world = World::new(SensorModel::ShellyEmGen1, None).await;
    let mut meter = world.start();
    next_reading(&mut meter).await;
    world.state = world.state_named("another");
    refused(&world, "running already").await;
    meter.stop().await;
    let mut meter = world.start();
    next_reading(&mut meter).await;
    meter.stop().await;
}

#[tokio::test]
async fn a_key_whose_state_folder_is_lost_sends_nothing_and_measures_on_over_every_start() {
    let (world, last, before) = with_a_lost_state().await;
    let mut meter = world.start();
    let why = blocked(&mut meter).await;
    for part in ["never made", "wattwitness keys new", "replacement"] {
        assert!(why.contains(part), "{why}");
    }
    settled(&mut meter).await;
    meter.stop().await;
    // The next start looks at the note in the folder; what the gateway has cannot tell the two
    // queues apart any more as soon as this one has as many records.
    let mut meter = world.start();
    assert_eq!(blocked(&mut meter).await, why);
    outgrown(&mut meter, before.0).await;
    meter.stop().await;
    let mut meter = world.start();
    assert_eq!(blocked(&mut meter).await, why);
    settled(&mut meter).await;
    meter.stop().await;
    world.gateway.assert_complete(1..=last);
    assert_eq!(held(&world), before);
}

#[tokio::test]
async fn a_key_whose_state_folder_is_lost_in_an_outage_sends_nothing_after_a_restart() {
    let (world, last, before) = with_a_lost_state().await;
    world.gateway.set_away(true);
    let mut meter = world.start();
    outgrown(&mut meter, before.0).await;
    meter.stop().await;
    world.gateway.set_away(false);
    let mut meter = world.start();
    let why = blocked(&mut meter).await;
    assert!(why.contains("nothing was ever sent from here"), "{why}");
    meter.stop().await;
    world.gateway.assert_complete(1..=last);
    assert_eq!(held(&world), before);
}

#[tokio::test]
async fn a_meter_to_whose_batches_every_answer_was_lost_goes_on_after_a_restart() {
    let world = World::new(SensorModel::ShellyEmGen1, None).await;
    world.gateway.approve();
    world.gateway.set_losing_batch_answers(true);
    let mut meter = world.start();
    let is_lost = |event: &Event| {
        matches!(
            event,
            Event::Refused {
                request: Request::Batch,
                ..
            }
        )
    };
    meter.until("a batch without an answer", is_lost).await;
    assert!(world.gateway.records() > 0);
    meter.kill().await;
    world.gateway.set_losing_batch_answers(false);
    let mut meter = world.start();
    drained(&mut meter).await;
    let last = settled(&mut meter).await;
    meter.stop().await;
    world.gateway.assert_complete(1..=last);
}

#[tokio::test]
async fn no_reading_is_lost_by_a_gateway_that_claims_a_contradiction_falsely() {
    let (world, mut meter) = at_work().await;
    settled(&mut meter).await;
    world.gateway.set_contradicting(true);
    let why = blocked(&mut meter).await;
    assert!(why.contains("equivocation"), "{why}");
    let first = settled(&mut meter).await;
    world.gateway.set_contradicting(false);
    let live = world.gateway.live().len();
    assert_eq!(settled(&mut meter).await, first + 2, "it measures on");
    assert_eq!(blocked(&mut meter).await, why, "and says it again");
    assert_eq!(world.gateway.live().len(), live);
    meter.stop().await;
    world.remove_notes();
    let mut meter = world.start();
    drained(&mut meter).await;
    let last = settled(&mut meter).await;
    meter.stop().await;
    world.gateway.assert_complete(1..=last);
}

#[tokio::test]
async fn a_queue_of_another_key_is_refused_and_named() {
    let mut world = World::new(SensorModel::ShellyEmGen1, None).await;
    let mut meter = world.start();
    next_reading(&mut meter).await;
    meter.stop().await;
    world.change_key();
    let error = refused(&world, "another key").await;
    assert!(error.contains("queue.flash"), "{error}");
}

#[tokio::test]
async fn a_channel_that_the_sensor_does_not_have_is_refused() {
    let mut world = World::new(SensorModel::ShellyEmGen2, None).await;
    world.channel = 1;
    refused(&world, "there is only 0").await;
}

#[tokio::test]
async fn a_sensor_that_asks_for_a_password_is_refused_without_one() {
    let mut world = World::new(SensorModel::ShellyEm1Gen2, Some(PASSWORD)).await;
    world.password = None;
    refused(&world, PASSWORD_VARIABLE).await;
}
