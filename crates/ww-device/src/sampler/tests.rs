use super::*;
use std::string::{String, ToString};
use std::vec::Vec;
use ww_wire::{
    Milliwatts, Nameplate, ProductionCounter, Record, SensorModel, SignerId, TimeQuality, Watts,
};

const GEN1_EM: &str = include_str!("../../tests/fixtures/shelly-em-gen1-status.json");
const GEN1_3EM: &str = include_str!("../../tests/fixtures/shelly-3em-gen1-status.json");
const EM1: &str = include_str!("../../tests/fixtures/shelly-pro-em-gen2-em1.json");
const EM1_DATA: &str = include_str!("../../tests/fixtures/shelly-pro-em-gen2-em1data.json");
const SYS: &str = include_str!("../../tests/fixtures/shelly-pro-em-gen2-sys.json");

/// The moment of the real answer, on the grid.
const UTC_MS: u64 = 1_750_346_380_000;
const UPTIME_MS: u64 = 40_000;

fn uptime(ms: u64) -> UptimeMillis {
    UptimeMillis::new(ms).unwrap()
}

fn blind(uptime_ms: u64) -> Now {
    Now::unsynchronised(uptime(uptime_ms))
}

/// `after_ms` behind the first slot.
fn slot(after_ms: u64) -> Now {
    let time = UtcMillis::new(UTC_MS + after_ms).unwrap();
    Now::at(
        uptime(UPTIME_MS + after_ms),
        time,
        TimeQuality::Synchronised,
    )
}

fn enrolled(model: SensorModel, channel: u8, mac: &str) -> Enrolled {
    let digits = (0..6).map(|index| u8::from_str_radix(&mac[2 * index..2 * index + 2], 16));
    let mac: Vec<u8> = digits.collect::<Result<_, _>>().unwrap();
    Enrolled {
        sensor: Sensor::new(model, channel).unwrap(),
        mac: Some(Mac(mac.try_into().unwrap())),
        rules: RegisterRules {
            production_counter: ProductionCounter::Total,
            nameplate: Nameplate {
                rated_power: Watts::new(3_000).unwrap(),
                ct_ratio_milli: 1000,
            },
        },
    }
}

fn sampler_of(enrolled: Enrolled) -> Sampler {
    let register = Register::new(enrolled.rules, MilliwattHours::ZERO, CounterEpoch::ZERO);
    Sampler::new(enrolled, register)
}

fn sampler() -> Sampler {
    sampler_of(enrolled(SensorModel::ShellyEmGen1, 0, "EC64C9C05E97"))
}

/// The reading of the poll that starts at `now`, every request of which is answered at once.
fn polled(sampler: &mut Sampler, now: Now, answers: &[(&str, &str)]) -> AnyReading {
    let mut action = sampler.wake(now);
    loop {
        match action {
            Action::Ask(path) => {
                let (_, body) = answers.iter().find(|(known, _)| *known == path).unwrap();
                assert_eq!(sampler.answer_begins(200, now), Action::Wait);
                action = sampler.answer_bytes(body.as_bytes(), now);
                if action == Action::Wait {
                    action = sampler.answer_ends(now);
                }
            }
            Action::Sampled(draft) => return whole(draft),
            Action::Wait => panic!("no poll is due"),
        }
    }
}

fn whole(draft: Draft) -> AnyReading {
    let boot = BootCounter::new(1).unwrap();
    let sequence = Sequence::new(1).unwrap();
    let reading = draft.reading(SignerId([7; 32]), boot, sequence, ReadingFlags::NONE);
    match &reading {
        AnyReading::SinglePhase(reading) => reading.check().expect("no rule is broken"),
        AnyReading::ThreePhase(reading) => reading.check().expect("no rule is broken"),
    }
    reading
}

fn single(reading: AnyReading) -> Reading {
    match reading {
        AnyReading::SinglePhase(reading) => reading,
        AnyReading::ThreePhase(reading) => panic!("{reading:?} has three phases"),
    }
}

fn status(sampler: &mut Sampler, now: Now, body: &str) -> Reading {
    single(polled(sampler, now, &[("/status", body)]))
}

/// The real answer with another counter and time.
fn body(total: &str, unixtime: u64) -> String {
    GEN1_EM
        .replacen("\"total\":8.9", &std::format!("\"total\":{total}"), 1)
        .replace("1750346382", &unixtime.to_string())
}

fn is_without_values(reading: &Reading, flag: ReadingFlags) -> bool {
    reading.flags == flag
        && reading.power.is_none()
        && reading.import_total.is_none()
        && reading.export_total.is_none()
        && reading.voltage.is_none()
        && reading.current.is_none()
        && reading.reactive_power.is_none()
}

fn draft(action: Action) -> Reading {
    match action {
        Action::Sampled(draft) => single(whole(draft)),
        other => panic!("{other:?} is no reading"),
    }
}

#[test]
fn the_real_answer_becomes_a_reading_of_its_slot() {
    let reading = status(&mut sampler(), slot(0), GEN1_EM);
    assert_eq!(reading.time, UtcMillis::new(UTC_MS));
    assert_eq!(reading.uptime, uptime(UPTIME_MS));
    assert_eq!(reading.time_quality, TimeQuality::Synchronised);
    assert_eq!(reading.power, Milliwatts::new(16_350));
    assert_eq!(reading.import_total, MilliwattHours::new(8_900));
    assert_eq!(reading.produced, MilliwattHours::ZERO);
    assert_eq!(reading.flags, ReadingFlags::NONE);
}

#[test]
fn produced_goes_on_from_reading_to_reading() {
    let mut sampler = sampler();
    status(&mut sampler, slot(0), &body("8.9", 1_750_346_380));
    let reading = status(&mut sampler, slot(10_000), &body("10.1", 1_750_346_390));
    assert_eq!(reading.produced, MilliwattHours::new(1_200).unwrap());
}

#[test]
fn a_three_phase_sensor_gives_one_register_with_its_phases() {
    let mut sampler = sampler_of(enrolled(SensorModel::Shelly3EmGen1, 0, "C45BBE6A1F20"));
    let AnyReading::ThreePhase(reading) = polled(&mut sampler, slot(0), &[("/status", GEN1_3EM)])
    else {
        panic!("a reading without phases");
    };
    assert_eq!(reading.sum.power, Milliwatts::new(3_610_280));
    assert_eq!(reading.phases[1].power, Milliwatts::new(1_821_340));
}

#[test]
fn a_three_phase_sensor_that_is_unreachable_has_three_absent_phases() {
    let mut sampler = sampler_of(enrolled(SensorModel::Shelly3EmGen1, 0, "C45BBE6A1F20"));
    let _ = sampler.wake(slot(0));
    let Action::Sampled(draft) = sampler.unreachable() else {
        panic!("no reading")
    };
    let AnyReading::ThreePhase(reading) = whole(draft) else {
        panic!("no phases")
    };
    assert_eq!(reading.phases, [Phase::ABSENT; 3]);
}

#[test]
fn a_gen2_poll_asks_one_thing_after_the_other() {
    let mut sampler = sampler_of(enrolled(SensorModel::ShellyEm1Gen2, 1, "08F9E0E67204"));
    let answers = [
        ("/rpc/EM1Data.GetStatus?id=1", EM1_DATA),
        ("/rpc/EM1.GetStatus?id=1", EM1),
        ("/rpc/Sys.GetStatus", SYS),
    ];
    let reading = single(polled(&mut sampler, blind(40_000), &answers));
    assert_eq!(reading.power, Milliwatts::new(-5_080_300));
    assert_eq!(reading.export_total, MilliwattHours::new(2_595_260));
}

#[test]
fn between_slots_there_is_nothing_to_do() {
    let mut sampler = sampler();
    assert_eq!(sampler.wake(slot(4_000)), Action::Wait);
    assert_eq!(sampler.deadline(slot(4_000)), uptime(UPTIME_MS + 10_000));
}

#[test]
fn a_sensor_that_is_unreachable_leaves_a_reading_without_values() {
    let mut sampler = sampler();
    let _ = sampler.wake(slot(0));
    let reading = draft(sampler.unreachable());
    assert!(is_without_values(
        &reading,
        ReadingFlags::SENSOR_UNREACHABLE
    ));
    assert_eq!(reading.time, UtcMillis::new(UTC_MS));
}

#[test]
fn a_slow_sensor_is_unreachable_at_its_slot_and_the_next_slot_is_kept() {
    let mut sampler = sampler();
    let _ = sampler.wake(slot(0));
    let _ = sampler.answer_begins(200, slot(3_000));
    assert_eq!(
        sampler.deadline(slot(3_000)),
        uptime(UPTIME_MS + TIMEOUT_MS)
    );
    let reading = draft(sampler.wake(slot(TIMEOUT_MS)));
    assert!(is_without_values(
        &reading,
        ReadingFlags::SENSOR_UNREACHABLE
    ));
    assert_eq!(reading.uptime, uptime(UPTIME_MS));
    assert_eq!(sampler.wake(slot(TIMEOUT_MS)), Action::Wait);
    assert_eq!(sampler.wake(slot(10_000)), Action::Ask("/status"));
}

#[test]
fn an_answer_behind_the_timeout_is_not_taken() {
    let mut sampler = sampler();
    let _ = sampler.wake(slot(0));
    let _ = sampler.answer_begins(200, slot(100));
    let _ = sampler.answer_bytes(GEN1_EM.as_bytes(), slot(200));
    let reading = draft(sampler.answer_ends(slot(TIMEOUT_MS)));
    assert!(is_without_values(
        &reading,
        ReadingFlags::SENSOR_UNREACHABLE
    ));
}

#[test]
fn bytes_that_nobody_asked_for_are_ignored() {
    let mut sampler = sampler();
    assert_eq!(sampler.answer_begins(200, slot(100)), Action::Wait);
    assert_eq!(sampler.answer_bytes(b"x", slot(100)), Action::Wait);
    assert_eq!(sampler.answer_ends(slot(100)), Action::Wait);
    assert_eq!(sampler.unreachable(), Action::Wait);
}

#[test]
fn an_answer_that_cannot_be_read_leaves_a_reading_without_values() {
    for broken in ["<html>", "{}", "{\"mac\":NaN}"] {
        let reading = status(&mut sampler(), slot(0), broken);
        assert!(
            is_without_values(&reading, ReadingFlags::SENSOR_MALFORMED),
            "{broken}"
        );
    }
}

#[test]
fn a_refusal_of_the_sensor_leaves_a_reading_without_values_and_a_cause() {
    let mut sampler = sampler();
    let _ = sampler.wake(slot(0));
    let Action::Sampled(refused) = sampler.answer_begins(401, slot(50)) else {
        panic!("no reading");
    };
    let cause = PollError::Status {
        path: "/status",
        status: 401,
    };
    assert_eq!(refused.cause(), Some(cause));
    assert!(is_without_values(
        &single(whole(refused)),
        ReadingFlags::SENSOR_MALFORMED
    ));
}

#[test]
fn a_wrong_mac_leaves_a_reading_without_values_and_counts_nothing() {
    let mut sampler = sampler();
    status(&mut sampler, slot(0), &body("8.9", 1_750_346_380));
    let other = body("9.9", 1_750_346_390).replace("EC64C9C05E97", "EC64C9C05E98");
    let reading = status(&mut sampler, slot(10_000), &other);
    assert!(is_without_values(&reading, ReadingFlags::WRONG_SENSOR));
    assert_eq!(reading.produced, MilliwattHours::ZERO);
}

#[test]
fn before_there_is_an_enrolment_any_sensor_will_do() {
    let any = Enrolled {
        mac: None,
        ..enrolled(SensorModel::ShellyEmGen1, 0, "000000000000")
    };
    let reading = status(&mut sampler_of(any), slot(0), GEN1_EM);
    assert_eq!(reading.flags, ReadingFlags::NONE);
}

#[test]
fn before_there_is_an_enrolment_another_sensor_is_another_epoch() {
    let any = Enrolled {
        mac: None,
        ..enrolled(SensorModel::ShellyEmGen1, 0, "000000000000")
    };
    let mut sampler = sampler_of(any);
    status(&mut sampler, slot(0), &body("8.9", 1_750_346_380));
    let other = body("9.9", 1_750_346_390).replace("EC64C9C05E97", "EC64C9C05E98");
    let reading = status(&mut sampler, slot(10_000), &other);
    assert_eq!(
        (reading.counter_epoch.get(), reading.produced.get()),
        (1, 0)
    );
}

#[test]
fn values_that_the_sensor_calls_invalid_leave_a_reading_without_values() {
    let invalid = GEN1_EM.replace(
        "\"is_valid\":true,\"total\"",
        "\"is_valid\":false,\"total\"",
    );
    let reading = status(&mut sampler(), slot(0), &invalid);
    assert!(is_without_values(&reading, ReadingFlags::SENSOR_INVALID));
}

#[test]
fn failed_polls_keep_produced_and_the_increment_across_them_is_recovered() {
    let mut sampler = sampler();
    status(&mut sampler, slot(0), &body("8.9", 1_750_346_380));
    status(&mut sampler, slot(10_000), &body("9.9", 1_750_346_390));
    for failure in 2..8 {
        let _ = sampler.wake(slot(10_000 * failure));
        let reading = draft(sampler.unreachable());
        assert_eq!(reading.produced, MilliwattHours::new(1_000).unwrap());
    }
    let reading = status(&mut sampler, slot(80_000), &body("19.9", 1_750_346_460));
    assert_eq!(reading.flags, ReadingFlags::RECOVERED);
    assert_eq!(reading.produced, MilliwattHours::new(11_000).unwrap());
}

#[test]
fn a_sensor_without_clock_is_flagged_and_its_values_count() {
    let reading = status(&mut sampler(), slot(0), &body("8.9", 0));
    assert_eq!(reading.flags, ReadingFlags::SENSOR_CLOCK_UNSET);
    assert_eq!(reading.power, Milliwatts::new(16_350));
}

#[test]
fn a_sensor_clock_is_flagged_from_more_than_a_minute_on() {
    let seconds = UTC_MS / 1000;
    let flags = |unixtime| status(&mut sampler(), slot(0), &body("8.9", unixtime)).flags;
    assert_eq!(flags(seconds + 60), ReadingFlags::NONE);
    assert_eq!(flags(seconds + 61), ReadingFlags::SENSOR_CLOCK_DIFFERS);
    assert_eq!(flags(seconds - 61), ReadingFlags::SENSOR_CLOCK_DIFFERS);
}

#[test]
fn without_a_time_of_its_own_the_meter_says_nothing_of_the_sensors() {
    let reading = status(&mut sampler(), blind(40_000), GEN1_EM);
    assert_eq!(reading.flags, ReadingFlags::NONE);
    assert_eq!(
        (reading.time, reading.time_quality),
        (None, TimeQuality::Unknown)
    );
}

#[test]
fn a_clock_that_steps_is_flagged_once() {
    let mut sampler = sampler();
    status(&mut sampler, slot(0), GEN1_EM);
    let stepped = |after_ms: u64| {
        let time = UtcMillis::new(UTC_MS + after_ms + 20_000).unwrap();
        Now::at(
            uptime(UPTIME_MS + after_ms),
            time,
            TimeQuality::Synchronised,
        )
    };
    let first = status(&mut sampler, stepped(10_000), GEN1_EM);
    let second = status(&mut sampler, stepped(20_000), GEN1_EM);
    assert_eq!(first.flags, ReadingFlags::CLOCK_STEPPED);
    assert_eq!(second.flags, ReadingFlags::NONE);
}

#[test]
fn a_step_while_polls_fail_is_flagged_too() {
    let mut sampler = sampler();
    status(&mut sampler, slot(0), GEN1_EM);
    let time = UtcMillis::new(UTC_MS - 3_600_000).unwrap();
    let stepped = Now::at(uptime(UPTIME_MS + 10_000), time, TimeQuality::Synchronised);
    let _ = sampler.wake(stepped);
    let flags = draft(sampler.unreachable()).flags;
    assert_eq!(
        flags,
        ReadingFlags::SENSOR_UNREACHABLE.with(ReadingFlags::CLOCK_STEPPED)
    );
}

#[test]
fn a_clock_being_disciplined_or_becoming_known_is_no_step() {
    let mut sampler = sampler();
    assert_eq!(
        status(&mut sampler, blind(UPTIME_MS - 10_000), GEN1_EM).flags,
        ReadingFlags::NONE
    );
    assert_eq!(
        status(&mut sampler, slot(0), GEN1_EM).flags,
        ReadingFlags::NONE
    );
    let time = UtcMillis::new(UTC_MS + 10_900).unwrap();
    let disciplined = Now::at(uptime(UPTIME_MS + 10_000), time, TimeQuality::Synchronised);
    assert_eq!(
        status(&mut sampler, disciplined, GEN1_EM).flags,
        ReadingFlags::NONE
    );
}

#[test]
fn a_clock_step_counts_no_energy_anew() {
    let mut sampler = sampler();
    status(&mut sampler, slot(0), &body("8.9", 1_750_346_380));
    let time = UtcMillis::new(UTC_MS + 86_400_000).unwrap();
    let a_day_ahead = Now::at(uptime(UPTIME_MS + 10_000), time, TimeQuality::Synchronised);
    let reading = status(&mut sampler, a_day_ahead, &body("5008.9", 1_750_432_780));
    assert!(reading.flags.contains(ReadingFlags::INCREMENT_REFUSED));
    assert_eq!(reading.produced, MilliwattHours::ZERO);
}

#[test]
fn a_stall_is_followed_by_one_poll_and_no_burst() {
    let mut sampler = sampler();
    status(&mut sampler, slot(0), GEN1_EM);
    status(&mut sampler, slot(600_000), GEN1_EM);
    assert_eq!(sampler.wake(slot(600_000)), Action::Wait);
    assert_eq!(sampler.deadline(slot(600_000)), uptime(UPTIME_MS + 610_000));
}

#[test]
fn another_channel_is_another_epoch_and_the_poll_under_way_is_given_up() {
    let mut sampler = sampler();
    status(&mut sampler, slot(0), GEN1_EM);
    let _ = sampler.wake(slot(10_000));
    sampler.enrol(enrolled(SensorModel::ShellyEmGen1, 1, "EC64C9C05E97"));
    assert_eq!(sampler.unreachable(), Action::Wait);
    let reading = status(&mut sampler, slot(20_000), GEN1_EM);
    assert_eq!(
        (reading.counter_epoch.get(), reading.produced),
        (1, MilliwattHours::ZERO)
    );
}

#[test]
fn fixing_the_mac_of_the_same_sensor_keeps_the_epoch() {
    let fixed = enrolled(SensorModel::ShellyEmGen1, 0, "EC64C9C05E97");
    let mut sampler = sampler_of(Enrolled { mac: None, ..fixed });
    status(&mut sampler, slot(0), &body("8.9", 1_750_346_380));
    sampler.enrol(fixed);
    let reading = status(&mut sampler, slot(10_000), &body("9.9", 1_750_346_390));
    assert_eq!(
        (reading.counter_epoch.get(), reading.produced.get()),
        (0, 1_000)
    );
}

#[test]
fn enrolling_another_sensor_than_the_polled_one_is_another_epoch() {
    let other = enrolled(SensorModel::ShellyEmGen1, 0, "EC64C9C05E98");
    let mut sampler = sampler_of(Enrolled { mac: None, ..other });
    status(&mut sampler, slot(0), &body("8.9", 1_750_346_380));
    sampler.enrol(other);
    let body = body("9.9", 1_750_346_390).replace("EC64C9C05E97", "EC64C9C05E98");
    let reading = status(&mut sampler, slot(10_000), &body);
    assert_eq!(
        (reading.counter_epoch.get(), reading.produced.get()),
        (1, 0)
    );
}
