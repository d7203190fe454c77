//! The answers of the models as JSON text, with the fields, the order and the digits of the real
//! devices. Numbers are written from integers, so that a digit is never off.
//!
//! Sources: a real Shelly EM's `/status` (`tests/fixtures/shelly-em-gen1-status.json`), the
//! vendor's API documentation for the rest (Gen1 `/shelly`, 3EM `/status`; Gen2 components EM1,
//! EM1Data, EM, EMData, Sys and `Shelly.GetDeviceInfo`).

use super::Housing;
use crate::sensor::{ChannelObservation, Observation};
use ww_wire::{Mac, SensorModel};

const GEN1_FIRMWARE: &str = "20210429-104036/v1.10.4-2-g9a159c1fb-release-1.10";

/// The name under which a device announces itself; the second generation's realm.
pub(super) fn device_id(model: SensorModel, mac: Mac) -> String {
    match model {
        SensorModel::ShellyEmGen1 => format!("shellyem-{mac}"),
        SensorModel::Shelly3EmGen1 => format!("shellyem3-{mac}"),
        SensorModel::ShellyEm1Gen2 => format!("shellyproem50-{}", mac.to_string().to_lowercase()),
        SensorModel::ShellyEmGen2 => format!("shellypro3em-{}", mac.to_string().to_lowercase()),
    }
}

/// `/shelly` of both generations, which is `Shelly.GetDeviceInfo` of the second.
pub(super) fn shelly(model: SensorModel, observation: &Observation, is_locked: bool) -> String {
    let mac = observation.mac;
    let id = device_id(model, mac);
    let gen1 = |kind: &str, emeters: usize| {
        format!(
            r#"{{"type":"{kind}","mac":"{mac}","auth":{is_locked},"fw":"{GEN1_FIRMWARE}","longid":1,"num_outputs":1,"num_meters":0,"num_emeters":{emeters}}}"#
        )
    };
    let gen2 = |model: &str, app: &str, profile: &str| {
        let domain = if is_locked {
            format!(r#""{id}""#)
        } else {
            "null".into()
        };
        format!(
            r#"{{"name":null,"id":"{id}","mac":"{mac}","slot":0,"model":"{model}","gen":2,"fw_id":"20240625-122550/1.3.3-gbdfd9b3","ver":"1.3.3","app":"{app}","auth_en":{is_locked},"auth_domain":{domain}{profile}}}"#
        )
    };
    match model {
        SensorModel::ShellyEmGen1 => gen1("SHEM", 2),
        SensorModel::Shelly3EmGen1 => gen1("SHEM-3", 3),
        SensorModel::ShellyEm1Gen2 => gen2("SPEM-002CEBEU50", "ProEM50", ""),
        SensorModel::ShellyEmGen2 => gen2("SPEM-003CEBEU", "Pro3EM", r#","profile":"triphase""#),
    }
}

/// `/status` of the Shelly EM.
pub(super) fn em_status(observation: &Observation, housing: &Housing) -> String {
    let emeters = joined(&observation.channels, |shown| {
        emeter(SensorModel::ShellyEmGen1, shown)
    });
    format!(
        r#"{},"relays":[{}],"emeters":[{emeters}],{}}}"#,
        gen1_head(observation, housing),
        relay(),
        gen1_tail(observation),
    )
}

/// `/status` of the Shelly 3EM.
pub(super) fn three_em_status(observation: &Observation, housing: &Housing) -> String {
    let emeters = joined(&observation.channels, |shown| {
        emeter(SensorModel::Shelly3EmGen1, shown)
    });
    let total_mw: i64 = observation
        .channels
        .iter()
        .map(|shown| shown.power.get())
        .sum();
    format!(
        r#"{},"relays":[{}],"emeters":[{emeters}],"total_power":{},"emeter_n":{{"current":0.00,"ixsum":0.00,"mismatch":false,"is_valid":false}},"fs_mounted":true,"v_data":1,"ct_calst":0,{}}}"#,
        gen1_head(observation, housing),
        relay(),
        decimal(total_mw, 2),
        gen1_tail(observation),
    )
}

/// `/emeter/{n}` of the first generation, and one entry of `emeters`.
pub(super) fn emeter(model: SensorModel, shown: &ChannelObservation) -> String {
    let valid = shown.is_valid;
    let value = |thousandths: i64| decimal(if valid { thousandths } else { 0 }, 2);
    let power = value(shown.power.get());
    let voltage = value(i64::from(shown.voltage.get()));
    let total = decimal(shown.total.get() as i64, 1);
    let returned = decimal(shown.total_returned.get() as i64, 1);
    let measured = if model.is_three_phase() {
        let factor = value(power_factor(shown));
        let current = value(i64::from(shown.current.get()));
        format!(r#""power":{power},"pf":{factor},"current":{current},"voltage":{voltage}"#)
    } else {
        let reactive = value(shown.reactive.get());
        format!(r#""power":{power},"reactive":{reactive},"voltage":{voltage}"#)
    };
    format!(r#"{{{measured},"is_valid":{valid},"total":{total},"total_returned":{returned}}}"#)
}

/// `Sys.GetStatus`.
pub(super) fn sys_status(observation: &Observation) -> String {
    let (time, unixtime) = match observation.unixtime {
        Some(unixtime) => (
            format!(r#""{}""#, hour_and_minute(unixtime, 0)),
            unixtime.to_string(),
        ),
        None => ("null".into(), "null".into()),
    };
    format!(
        r#"{{"mac":"{}","restart_required":false,"time":{time},"unixtime":{unixtime},"last_sync_ts":{unixtime},"uptime":{},"ram_size":244376,"ram_free":103304,"ram_min_free":81808,"fs_size":524288,"fs_free":192512,"cfg_rev":12,"kvs_rev":0,"schedule_rev":0,"webhook_rev":0,"available_updates":{{}},"reset_reason":3}}"#,
        observation.mac, observation.uptime_s,
    )
}

/// `EM1.GetStatus`: one channel of a Pro EM; `None` when there is no such channel.
pub(super) fn em1_status(id: usize, observation: &Observation) -> Option<String> {
    let shown = observation.channels.get(id)?;
    if !shown.is_valid {
        return Some(format!(
            r#"{{"id":{id},"current":null,"voltage":null,"act_power":null,"aprt_power":null,"pf":null,"freq":null,"calibration":"factory","errors":["power_meter_failure"]}}"#
        ));
    }
    Some(format!(
        r#"{{"id":{id},"current":{},"voltage":{},"act_power":{},"aprt_power":{},"pf":{},"freq":50.0,"calibration":"factory"}}"#,
        decimal(i64::from(shown.current.get()), 3),
        decimal(i64::from(shown.voltage.get()), 1),
        decimal(shown.power.get(), 1),
        decimal(apparent_mva(shown), 1),
        decimal(power_factor(shown), 2),
    ))
}

/// `EM1Data.GetStatus`: the counters of one channel of a Pro EM, Wh.
pub(super) fn em1_data_status(id: usize, observation: &Observation) -> Option<String> {
    let shown = observation.channels.get(id)?;
    Some(format!(
        r#"{{"id":{id},"total_act_energy":{},"total_act_ret_energy":{}}}"#,
        decimal(shown.total.get() as i64, 2),
        decimal(shown.total_returned.get() as i64, 2),
    ))
}

/// `EM.GetStatus`: the three phases of a Pro 3EM.
pub(super) fn em_rpc_status(id: usize, observation: &Observation) -> Option<String> {
    if id != 0 {
        return None;
    }
    let phases = phases(observation).map(|(phase, shown)| em_phase(phase, shown));
    let phases = phases.collect::<Vec<_>>().join(",");
    let sum = |value: fn(&ChannelObservation) -> i64| {
        let valid = observation.channels.iter().all(|shown| shown.is_valid);
        let sum = observation.channels.iter().map(value).sum();
        if valid {
            decimal(sum, 3)
        } else {
            "null".into()
        }
    };
    Some(format!(
        r#"{{"id":0,{phases},"n_current":null,"total_current":{},"total_act_power":{},"total_aprt_power":{},"user_calibrated_phase":[]}}"#,
        sum(|shown| i64::from(shown.current.get())),
        sum(|shown| shown.power.get()),
        sum(apparent_mva),
    ))
}

/// `EMData.GetStatus`: the counters of a Pro 3EM, Wh.
pub(super) fn em_data_status(id: usize, observation: &Observation) -> Option<String> {
    if id != 0 {
        return None;
    }
    let phases = phases(observation).map(|(phase, shown)| {
        format!(
            r#""{phase}_total_act_energy":{},"{phase}_total_act_ret_energy":{}"#,
            decimal(shown.total.get() as i64, 2),
            decimal(shown.total_returned.get() as i64, 2),
        )
    });
    let phases = phases.collect::<Vec<_>>().join(",");
    let total: u64 = observation
        .channels
        .iter()
        .map(|shown| shown.total.get())
        .sum();
    let returned: u64 = observation
        .channels
        .iter()
        .map(|shown| shown.total_returned.get())
        .sum();
    Some(format!(
        r#"{{"id":0,{phases},"total_act":{},"total_act_ret":{}}}"#,
        decimal(total as i64, 2),
        decimal(returned as i64, 2),
    ))
}

fn gen1_head(observation: &Observation, housing: &Housing) -> String {
    let unixtime = observation.unixtime.unwrap_or(0);
    let time = observation.unixtime.map_or(String::new(), |unixtime| {
        hour_and_minute(unixtime, housing.utc_offset_s)
    });
    format!(
        r#"{{"wifi_sta":{{"connected":true,"ssid":"{}","ip":"{}","rssi":{}}},"cloud":{{"enabled":true,"connected":true}},"mqtt":{{"connected":false}},"time":"{time}","unixtime":{unixtime},"serial":{},"has_update":true,"mac":"{}","cfg_changed_cnt":0,"actions_stats":{{"skipped":0}}"#,
        housing.ssid,
        housing.ip,
        housing.rssi_dbm,
        observation.uptime_s / 100,
        observation.mac,
    )
}

fn gen1_tail(observation: &Observation) -> String {
    format!(
        r#""update":{{"status":"pending","has_update":true,"new_version":"20230913-114150/v1.14.0-gcb84623","old_version":"{GEN1_FIRMWARE}","beta_version":"20231107-164916/v1.14.1-rc1-g0617c15"}},"ram_total":49600,"ram_free":34428,"fs_size":233681,"fs_free":157879,"ping_check":true,"uptime":{}"#,
        observation.uptime_s,
    )
}

fn relay() -> &'static str {
    r#"{"ison":false,"has_timer":false,"timer_started":0,"timer_duration":0,"timer_remaining":0,"overpower":false,"is_valid":true,"source":"input"}"#
}

fn em_phase(phase: char, shown: &ChannelObservation) -> String {
    if !shown.is_valid {
        return format!(
            r#""{phase}_current":null,"{phase}_voltage":null,"{phase}_act_power":null,"{phase}_aprt_power":null,"{phase}_pf":null,"{phase}_freq":null,"{phase}_errors":["power_meter_failure"]"#
        );
    }
    format!(
        r#""{phase}_current":{},"{phase}_voltage":{},"{phase}_act_power":{},"{phase}_aprt_power":{},"{phase}_pf":{},"{phase}_freq":50.0"#,
        decimal(i64::from(shown.current.get()), 3),
        decimal(i64::from(shown.voltage.get()), 1),
        decimal(shown.power.get(), 1),
        decimal(apparent_mva(shown), 1),
        decimal(power_factor(shown), 2),
    )
}

fn phases(observation: &Observation) -> impl Iterator<Item = (char, &ChannelObservation)> {
    ['a', 'b', 'c'].into_iter().zip(&observation.channels)
}

fn joined<T>(items: &[T], render: impl Fn(&T) -> String) -> String {
    items.iter().map(render).collect::<Vec<_>>().join(",")
}

fn apparent_mva(shown: &ChannelObservation) -> i64 {
    (shown.power.get() as f64)
        .hypot(shown.reactive.get() as f64)
        .round() as i64
}

/// In thousandths; 0 when nothing flows.
fn power_factor(shown: &ChannelObservation) -> i64 {
    match apparent_mva(shown) {
        0 => 0,
        apparent => shown.power.get() * 1000 / apparent,
    }
}

/// `HH:MM` on a clock that is `offset_s` ahead of UTC.
fn hour_and_minute(unixtime: u64, offset_s: i64) -> String {
    let minutes = unixtime.saturating_add_signed(offset_s) / 60 % 1440;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Thousandths with `digits` (0 to 3) after the point, cut, not rounded.
fn decimal(thousandths: i64, digits: usize) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let fraction = format!("{:03}", thousandths.unsigned_abs() % 1000);
    format!(
        "{sign}{}.{}",
        thousandths.unsigned_abs() / 1000,
        &fraction[..digits]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use ww_wire::{DeciCelsius, Milliamperes, Millivars, Millivolts, MilliwattHours, Milliwatts};

    fn shown(power: i64, reactive: i64, total: u64) -> ChannelObservation {
        ChannelObservation {
            power: Milliwatts::new(power).unwrap(),
            reactive: Millivars::new(reactive).unwrap(),
            voltage: Millivolts::new(237_130).unwrap(),
            current: Milliamperes::new(1_473).unwrap(),
            total: MilliwattHours::new(total).unwrap(),
            total_returned: MilliwattHours::ZERO,
            is_valid: true,
        }
    }

    fn observation(channels: Vec<ChannelObservation>) -> Observation {
        Observation {
            mac: Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]),
            unixtime: Some(1_750_346_382),
            uptime_s: 325,
            temperature: DeciCelsius::new(410).unwrap(),
            channels,
        }
    }

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_status_of_a_shelly_em_is_a_real_devices_answer_to_the_byte() {
        let observation = observation(vec![shown(16_350, 24_380, 8_900), shown(0, 0, 0)]);
        let housing = Housing {
            ssid: "Ondemand".into(),
            ip: "192.168.178.156".into(),
            ..Housing::default()
        };
        let real = include_str!("../../tests/fixtures/shelly-em-gen1-status.json");
        assert_eq!(em_status(&observation, &housing), real.trim_end());
    }

    #[test]
    fn a_sensor_without_a_time_server_says_unixtime_zero() {
        let observation = Observation {
            unixtime: None,
            ..observation(vec![shown(0, 0, 0)])
        };
        let status = parsed(&em_status(&observation, &Housing::default()));
        assert_eq!(
            (&status["unixtime"], &status["time"]),
            (&Value::from(0), &Value::from(""))
        );
        assert_eq!(parsed(&sys_status(&observation))["unixtime"], Value::Null);
    }

    #[test]
    fn every_answer_is_json() {
        let three = observation(vec![
            shown(-5_100, 900, 10),
            shown(0, 0, 0),
            shown(7, 7, 1_005),
        ]);
        let texts = [
            three_em_status(&three, &Housing::default()),
            em_rpc_status(0, &three).unwrap(),
            em_data_status(0, &three).unwrap(),
            em1_status(1, &three).unwrap(),
            em1_data_status(2, &three).unwrap(),
            sys_status(&three),
            shelly(SensorModel::ShellyEmGen2, &three, true),
            shelly(SensorModel::Shelly3EmGen1, &three, false),
        ];
        for text in texts {
            assert!(parsed(&text).is_object(), "{text}");
        }
    }

    #[test]
    fn a_sensor_of_the_second_generation_that_fails_gives_null_and_never_zero() {
        let failed = ChannelObservation {
            is_valid: false,
            ..shown(5_000, 0, 70)
        };
        let answer = parsed(&em1_status(0, &observation(vec![failed])).unwrap());
        assert_eq!(answer["act_power"], Value::Null);
        assert_eq!(answer["errors"][0], "power_meter_failure");
    }

    #[test]
    fn the_sum_of_a_three_phase_answer_is_the_sum_of_its_phases() {
        let three = observation(vec![
            shown(1_000, 0, 120),
            shown(2_100, 0, 30),
            shown(3, 0, 0),
        ]);
        assert_eq!(
            parsed(&em_rpc_status(0, &three).unwrap())["total_act_power"],
            3.103
        );
        assert_eq!(
            parsed(&em_data_status(0, &three).unwrap())["total_act"],
            0.15
        );
    }

    #[test]
    fn decimals_keep_their_sign_below_one() {
        assert_eq!(decimal(-50, 2), "-0.05");
        assert_eq!(decimal(16_350, 2), "16.35");
        assert_eq!(decimal(8_900, 1), "8.9");
    }
}
