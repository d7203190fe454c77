use super::json::NumberError;
use super::*;
use proptest::prelude::*;
use std::string::String;
use std::vec::Vec;
use ww_wire::{Mac, Milliamperes, Millivars, Millivolts, MilliwattHours, Milliwatts};

const GEN1_EM: &[u8] = include_bytes!("../../tests/fixtures/shelly-em-gen1-status.json");
const GEN1_3EM: &[u8] = include_bytes!("../../tests/fixtures/shelly-3em-gen1-status.json");
const EM1: &[u8] = include_bytes!("../../tests/fixtures/shelly-pro-em-gen2-em1.json");
const EM1_DATA: &[u8] = include_bytes!("../../tests/fixtures/shelly-pro-em-gen2-em1data.json");
const SYS: &[u8] = include_bytes!("../../tests/fixtures/shelly-pro-em-gen2-sys.json");
const EM: &[u8] = include_bytes!("../../tests/fixtures/shelly-pro-3em-gen2-em.json");
const EM_DATA: &[u8] = include_bytes!("../../tests/fixtures/shelly-pro-3em-gen2-emdata.json");
const EM_INFO: &[u8] = include_bytes!("../../tests/fixtures/shelly-pro-3em-gen2-identity.json");

fn sensor(model: SensorModel, channel: u8) -> Sensor {
    Sensor::new(model, channel).unwrap()
}

fn em(channel: u8) -> Sensor {
    sensor(SensorModel::ShellyEmGen1, channel)
}

fn answered<'a>(
    poll: &mut Poll,
    status: u16,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), PollError> {
    poll.begin(status)?;
    for piece in pieces {
        poll.push(piece)?;
    }
    poll.end()
}

/// The sample of a sensor that answers each path with status 200 and the body given for it.
fn sampled(sensor: Sensor, answers: &[(&str, &[u8])]) -> Result<SensorSample, PollError> {
    let mut poll = Poll::new(sensor);
    while let Some(path) = poll.request() {
        match answers.iter().find(|(known, _)| *known == path) {
            Some((_, body)) => answered(&mut poll, 200, [*body])?,
            None => answered(&mut poll, 404, [b"no such handler".as_slice()])?,
        }
    }
    poll.sample()
}

fn status(sensor: Sensor, body: &str) -> Result<SensorSample, AnswerError> {
    match sampled(sensor, &[("/status", body.as_bytes())]) {
        Ok(sample) => Ok(sample),
        Err(PollError::Answer { error, .. }) => Err(error),
        Err(PollError::Status { .. }) => panic!("the status was 200"),
    }
}

/// The real answer with one piece of text replaced.
fn altered(from: &str, to: &str) -> Result<SensorSample, AnswerError> {
    let text = core::str::from_utf8(GEN1_EM).unwrap();
    assert!(text.contains(from), "{from}");
    status(em(0), &text.replacen(from, to, 1))
}

fn milliwatts(raw: i64) -> Milliwatts {
    Milliwatts::new(raw).unwrap()
}

fn energy(raw: u64) -> MilliwattHours {
    MilliwattHours::new(raw).unwrap()
}

fn real_sample() -> SensorSample {
    SensorSample {
        mac: Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]),
        clock: SensorClock::At(1_750_346_382),
        values: Some(SensorValues {
            power: milliwatts(16_350),
            import_total: energy(8_900),
            export_total: MilliwattHours::ZERO,
            reactive: Millivars::new(24_380),
            voltage: Millivolts::new(237_130),
            current: None,
            phases: None,
        }),
    }
}

#[test]
fn a_real_shelly_em_is_read_exactly_and_in_watt_hours() {
    assert_eq!(sampled(em(0), &[("/status", GEN1_EM)]), Ok(real_sample()));
}

#[test]
fn a_real_answer_byte_by_byte_gives_the_same_sample() {
    let mut poll = Poll::new(em(0));
    answered(&mut poll, 200, GEN1_EM.chunks(1)).unwrap();
    assert_eq!(poll.sample(), Ok(real_sample()));
}

#[test]
fn a_real_answer_split_anywhere_gives_the_same_sample() {
    for middle in 0..=GEN1_EM.len() {
        let (first, second) = GEN1_EM.split_at(middle);
        let mut poll = Poll::new(em(0));
        answered(&mut poll, 200, [first, second]).unwrap();
        assert_eq!(poll.sample(), Ok(real_sample()), "split at {middle}");
    }
}

#[test]
fn a_real_answer_cut_off_anywhere_gives_no_sample() {
    let whole = GEN1_EM.trim_ascii_end().len();
    for length in 0..whole {
        let mut poll = Poll::new(em(0));
        let cut = answered(&mut poll, 200, [&GEN1_EM[..length]]);
        assert!(
            matches!(cut, Err(PollError::Answer { .. })),
            "cut at {length}"
        );
    }
}

#[test]
fn the_enrolled_channel_is_read_and_no_other() {
    let values = sampled(em(1), &[("/status", GEN1_EM)])
        .unwrap()
        .values
        .unwrap();
    assert_eq!(
        (values.power, values.import_total),
        (Milliwatts::ZERO, MilliwattHours::ZERO)
    );
}

#[test]
fn a_model_has_only_its_own_channels() {
    assert!(Sensor::new(SensorModel::ShellyEmGen1, 2).is_none());
    assert!(Sensor::new(SensorModel::ShellyEm1Gen2, 3).is_none());
    assert!(Sensor::new(SensorModel::ShellyEmGen2, 1).is_none());
}

#[test]
fn a_gen1_three_phase_sensor_is_the_sum_of_its_phases() {
    let sensor = sensor(SensorModel::Shelly3EmGen1, 0);
    let values = sampled(sensor, &[("/status", GEN1_3EM)])
        .unwrap()
        .values
        .unwrap();
    assert_eq!(values.power, milliwatts(1_797_770 + 1_821_340 - 8_830));
    assert_eq!(
        values.import_total,
        energy(1_184_633_100 + 1_131_873_100 + 349_600_500)
    );
    assert_eq!(values.export_total, energy(1_158_300 + 487_700 + 293_700));
    assert_eq!(values.current, Milliamperes::new(7_740 + 7_890 + 150));
    assert_eq!(
        values.voltage,
        Millivolts::new((236_270 + 235_440 + 235_140) / 3)
    );
    let phases = values.phases.unwrap();
    assert_eq!(phases[2].power, Some(milliwatts(-8_830)));
    assert_eq!(phases[1].export_total, Some(energy(487_700)));
}

#[test]
fn one_phase_that_is_not_valid_makes_the_register_not_valid() {
    let text = core::str::from_utf8(GEN1_3EM).unwrap();
    let body = text.replace("\"voltage\":235.14,\"is_valid\":true", "\"is_valid\":false");
    let sample = status(sensor(SensorModel::Shelly3EmGen1, 0), &body).unwrap();
    assert_eq!(sample.values, None);
}

#[test]
fn a_gen2_channel_is_merged_from_its_answers() {
    let answers = [
        ("/rpc/EM1Data.GetStatus?id=1", EM1_DATA),
        ("/rpc/EM1.GetStatus?id=1", EM1),
        ("/rpc/Sys.GetStatus", SYS),
    ];
    let expected = SensorSample {
        mac: Mac([0x08, 0xf9, 0xe0, 0xe6, 0x72, 0x04]),
        clock: SensorClock::At(1_707_930_973),
        values: Some(SensorValues {
            power: milliwatts(-5_080_300),
            import_total: energy(6_644_900),
            export_total: energy(2_595_260),
            reactive: None,
            voltage: Millivolts::new(224_600),
            current: Milliamperes::new(22_780),
            phases: None,
        }),
    };
    assert_eq!(
        sampled(sensor(SensorModel::ShellyEm1Gen2, 1), &answers),
        Ok(expected)
    );
}

#[test]
fn a_gen2_three_phase_sensor_gives_its_own_sums() {
    let answers = [
        ("/rpc/EMData.GetStatus?id=0", EM_DATA),
        ("/rpc/EM.GetStatus?id=0", EM),
        ("/rpc/Shelly.GetDeviceInfo", EM_INFO),
    ];
    let sample = sampled(sensor(SensorModel::ShellyEmGen2, 0), &answers).unwrap();
    let values = sample.values.unwrap();
    assert_eq!(values.power, milliwatts(25_442_703));
    assert_eq!(values.import_total, energy(248_533_570));
    assert_eq!(values.export_total, energy(10));
    assert_eq!(values.current, Milliamperes::new(109_402));
    assert_eq!(values.voltage, Millivolts::new(233_900));
    assert_eq!(
        values.phases.unwrap()[2].import_total,
        Some(energy(104_999_430))
    );
}

#[test]
fn without_sys_the_mac_comes_from_the_device_info_and_the_clock_is_not_given() {
    let info = br#"{"mac":"08F9E0E67204","model":"SPEM-002CEBEU50","gen":2}"#;
    let answers = [
        ("/rpc/EM1Data.GetStatus?id=1", EM1_DATA),
        ("/rpc/EM1.GetStatus?id=1", EM1),
        ("/rpc/Shelly.GetDeviceInfo", info.as_slice()),
    ];
    let sample = sampled(sensor(SensorModel::ShellyEm1Gen2, 1), &answers).unwrap();
    assert_eq!(sample.mac, Mac([0x08, 0xf9, 0xe0, 0xe6, 0x72, 0x04]));
    assert_eq!(sample.clock, SensorClock::NotGiven);
}

#[test]
fn a_gen2_channel_with_errors_is_not_valid() {
    let broken = br#"{"id":1,"act_power":null,"voltage":null,"errors":["power_meter_failure"]}"#;
    let answers = [
        ("/rpc/EM1Data.GetStatus?id=1", EM1_DATA),
        ("/rpc/EM1.GetStatus?id=1", broken.as_slice()),
        ("/rpc/Sys.GetStatus", SYS),
    ];
    let sample = sampled(sensor(SensorModel::ShellyEm1Gen2, 1), &answers).unwrap();
    assert_eq!(sample.values, None);
}

#[test]
fn another_component_than_the_asked_one_is_refused() {
    let answers = [("/rpc/EM1Data.GetStatus?id=0", EM1_DATA)];
    assert_eq!(
        sampled(sensor(SensorModel::ShellyEm1Gen2, 0), &answers),
        Err(PollError::Answer {
            path: "/rpc/EM1Data.GetStatus?id=0",
            error: AnswerError::OtherComponent {
                asked: 0,
                answered: 1
            },
        })
    );
}

#[test]
fn a_status_that_is_no_success_ends_the_poll() {
    for refusal in [401, 404, 500, 503] {
        let mut poll = Poll::new(em(0));
        let expected = PollError::Status {
            path: "/status",
            status: refusal,
        };
        assert_eq!(poll.begin(refusal), Err(expected));
    }
}

#[test]
fn values_that_the_sensor_calls_invalid_are_absent() {
    let sample = altered(
        "\"is_valid\":true,\"total\"",
        "\"is_valid\":false,\"total\"",
    )
    .unwrap();
    assert_eq!(
        sample,
        SensorSample {
            values: None,
            ..real_sample()
        }
    );
}

#[test]
fn a_clock_of_zero_or_null_is_unset() {
    for unset in ["0", "null"] {
        let sample = altered("1750346382", unset).unwrap();
        assert_eq!(sample.clock, SensorClock::Unset);
    }
}

#[test]
fn an_absent_value_is_absent_and_not_zero() {
    let sample = altered("\"reactive\":24.38,", "").unwrap();
    assert_eq!(sample.values.unwrap().reactive, None);
    let sample = altered("237.13", "null").unwrap();
    assert_eq!(sample.values.unwrap().voltage, None);
}

#[test]
fn without_power_or_a_counter_there_is_no_sample() {
    let missing = |name| Err(AnswerError::Missing { name });
    assert_eq!(altered("\"power\":16.35,", ""), missing(Name::Power));
    assert_eq!(altered("\"total\":8.9,", ""), missing(Name::Total));
    assert_eq!(altered("8.9", "null"), missing(Name::Total));
    assert_eq!(
        altered("\"is_valid\":true,\"total\"", "\"total\""),
        missing(Name::IsValid)
    );
    assert_eq!(altered("\"mac\":\"EC64C9C05E97\",", ""), missing(Name::Mac));
    assert_eq!(altered("\"emeters\"", "\"meters\""), missing(Name::IsValid));
}

#[test]
fn numbers_that_do_not_fit_their_unit_are_refused_by_name() {
    let refused = |name, error| Err(AnswerError::Number { name, error });
    assert_eq!(
        altered("16.35", "1.635e1"),
        refused(Name::Power, NumberError::Exponent)
    );
    assert_eq!(
        altered("16.35", "16.35001"),
        refused(Name::Power, NumberError::TooPrecise { decimals: 3 })
    );
    assert_eq!(
        altered("8.9", "99999999999999999999"),
        refused(Name::Total, NumberError::TooLarge)
    );
    assert_eq!(
        altered("8.9", "18446744073709551.615"),
        refused(Name::Total, NumberError::TooLarge)
    );
    assert_eq!(
        altered("8.9", "-8.9"),
        refused(Name::Total, NumberError::Negative)
    );
    assert_eq!(
        altered("237.13", "4294967.295"),
        refused(Name::Voltage, NumberError::TooLarge)
    );
}

#[test]
fn nan_from_the_sensor_is_refused_by_name() {
    assert!(matches!(
        altered("16.35", "nan"),
        Err(AnswerError::Json(json::JsonError::NotANumber { .. }))
    ));
}

#[test]
fn a_member_of_the_wrong_type_is_refused() {
    let wrong = |name| Err(AnswerError::WrongType { name });
    assert_eq!(altered("16.35", "\"16.35\""), wrong(Name::Power));
    assert_eq!(altered("16.35", "[16.35]"), wrong(Name::Power));
    assert_eq!(altered("\"EC64C9C05E97\"", "7"), wrong(Name::Mac));
    assert_eq!(altered("1750346382", "true"), wrong(Name::Unixtime));
}

#[test]
fn a_mac_that_is_no_mac_is_refused() {
    for mac in [
        "EC64C9C05E9",
        "EC64C9C05E977",
        "EC64C9C05E9G",
        "EC:64:C9:C05",
    ] {
        assert_eq!(altered("EC64C9C05E97", mac), Err(AnswerError::Mac), "{mac}");
    }
}

#[test]
fn a_counter_that_stands_twice_is_refused() {
    assert_eq!(
        altered("\"total\":8.9,", "\"total\":8.9,\"total\":9.9,"),
        Err(AnswerError::DuplicateName { name: Name::Total })
    );
}

#[test]
fn a_second_list_of_channels_is_refused() {
    assert_eq!(
        altered("\"update\":", "\"emeters\":[],\"update\":"),
        Err(AnswerError::DuplicateName {
            name: Name::Emeters
        })
    );
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for model in SensorModel::ALL {
            let mut poll = Poll::new(sensor(*model, 0));
            let _ = answered(&mut poll, 200, [bytes.as_slice()]);
            let _ = poll.sample();
        }
    }

    #[test]
    fn a_real_answer_with_a_broken_byte_never_panics(at in 0_usize..960, byte in any::<u8>()) {
        let mut bytes = GEN1_EM.to_vec();
        bytes[at] = byte;
        let _ = sampled(em(0), &[("/status", &bytes)]);
    }

    #[test]
    fn every_value_that_a_shelly_can_print_comes_back_exactly(
        power in -1_200_000_i64..1_200_000,
        total in 0_u64..1_000_000_000,
        returned in 0_u64..1_000_000_000,
        cuts in prop::collection::vec(1_usize..50, 1..10),
    ) {
        let sign = if power < 0 { "-" } else { "" };
        let body: String = std::format!(
            "{{\"unixtime\":5,\"mac\":\"0123456789ab\",\"emeters\":[{{\"power\":{sign}{}.{:02},\
             \"is_valid\":true,\"total\":{}.{},\"total_returned\":{}.{}}}]}}",
            power.abs() / 100, power.abs() % 100,
            total / 10, total % 10, returned / 10, returned % 10,
        );
        let mut pieces = Vec::new();
        let mut rest = body.as_bytes();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, tail) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        let mut poll = Poll::new(em(0));
        answered(&mut poll, 200, pieces).unwrap();
        let values = poll.sample().unwrap().values.unwrap();
        prop_assert_eq!(values.power, milliwatts(power * 10));
        prop_assert_eq!(values.import_total, energy(total * 100));
        prop_assert_eq!(values.export_total, energy(returned * 100));
    }
}
