//! The emulator over real sockets: each door, each lock and each fault.
#![expect(clippy::unwrap_used, reason = "a test stops where its helper fails")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use ww_sim::clock::{Clock, FakeClock};
use ww_sim::emulator::{Emulator, Housing, HttpFaults};
use ww_sim::park::{Park, Post};
use ww_wire::{Mac, SensorModel, UtcMillis};

/// 2025-06-16T00:00:00Z.
const START_S: u64 = 1_750_032_000;
const MAC: Mac = Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]);

struct Bench {
    emulator: Emulator,
    clock: FakeClock,
}

async fn bench(model: SensorModel, password: Option<&str>) -> Bench {
    let start = UtcMillis::new(START_S * 1000).unwrap();
    let clock = FakeClock::new(start);
    clock.advance_ms(11 * 3_600_000);
    let example = Park::example(1, 5).posts.remove(0);
    let post = Post {
        model,
        mac: MAC,
        ..example
    };
    let sensor = post.sensor(start);
    let housing = Housing {
        password: password.map(Into::into),
        ..Housing::default()
    };
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let emulator = Emulator::start(address, sensor, housing, shared)
        .await
        .unwrap();
    Bench { emulator, clock }
}

#[derive(Debug)]
struct Got {
    status: u16,
    head: String,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn promised_bytes(&self) -> usize {
        let lower = self.head.to_lowercase();
        let line = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap();
        line.parse().unwrap()
    }
}

/// One request on a connection of its own; `None` when the peer closed without a word.
async fn get_with(bench: &Bench, target: &str, authorization: Option<&str>) -> Option<Got> {
    let mut stream = TcpStream::connect(bench.emulator.address()).await.unwrap();
    let authorization =
        authorization.map_or(String::new(), |value| format!("Authorization: {value}\r\n"));
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: shelly\r\nConnection: close\r\n{authorization}\r\n"
    );
    // The peer may have closed already; what it said is what counts.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Got {
        status,
        head: head.into(),
        body: body.into(),
    })
}

async fn get(bench: &Bench, target: &str) -> Got {
    get_with(bench, target, None).await.expect("an answer")
}

#[tokio::test]
async fn a_shelly_em_shows_the_plant_on_status_and_emeter() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    let status = get(&bench, "/status").await.json();
    assert_eq!(status["mac"], "EC64C9C05E97");
    assert_eq!(status["unixtime"], START_S + 11 * 3600);
    assert!(status["emeters"][0]["power"].as_f64().unwrap() > 50.0);
    assert_eq!(get(&bench, "/emeter/0").await.json(), status["emeters"][0]);
    assert_eq!(get(&bench, "/emeter/2").await.status, 404);
    assert_eq!(get(&bench, "/shelly").await.json()["type"], "SHEM");
}

#[tokio::test]
async fn a_pro_em_shows_the_same_plant_by_rpc() {
    let bench = bench(SensorModel::ShellyEm1Gen2, None).await;
    let power = get(&bench, "/rpc/EM1.GetStatus?id=0").await.json();
    let counters = get(&bench, "/rpc/EM1Data.GetStatus?id=0").await.json();
    assert!(power["act_power"].as_f64().unwrap() > 50.0);
    assert!(counters["total_act_energy"].as_f64().unwrap() > 100.0);
    assert_eq!(
        get(&bench, "/rpc/Sys.GetStatus").await.json()["unixtime"],
        START_S + 11 * 3600
    );
    assert_eq!(
        get(&bench, "/rpc/Shelly.GetDeviceInfo").await.json()["app"],
        "ProEM50"
    );
    assert_eq!(get(&bench, "/rpc/EM1.GetStatus?id=7").await.status, 404);
    assert_eq!(get(&bench, "/rpc/EM1.GetStatus").await.status, 500);
    assert_eq!(get(&bench, "/status").await.status, 404);
}

#[tokio::test]
async fn both_three_phase_models_show_three_phases() {
    let first = bench(SensorModel::Shelly3EmGen1, None).await;
    let second = bench(SensorModel::ShellyEmGen2, None).await;
    let status = get(&first, "/status").await.json();
    assert_eq!(status["emeters"].as_array().unwrap().len(), 3);
    let power = get(&second, "/rpc/EM.GetStatus?id=0").await.json();
    assert!(power["c_act_power"].as_f64().unwrap() > 10.0);
    let counters = get(&second, "/rpc/EMData.GetStatus?id=0").await.json();
    assert!(counters["total_act"].as_f64().unwrap() > 100.0);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    let mut stream = TcpStream::connect(bench.emulator.address()).await.unwrap();
    for _ in 0..2 {
        stream
            .write_all(b"GET /shelly HTTP/1.1\r\nHost: shelly\r\n\r\n")
            .await
            .unwrap();
        let mut bytes = vec![0; 4096];
        let length = stream.read(&mut bytes).await.unwrap();
        assert!(bytes[..length].starts_with(b"HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn with_a_password_the_first_generation_asks_for_basic() {
    let bench = bench(SensorModel::ShellyEmGen1, Some("sun")).await;
    let refused = get(&bench, "/status").await;
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .head
            .to_lowercase()
            .contains("www-authenticate: basic")
    );
    assert_eq!(get(&bench, "/shelly").await.json()["auth"], true);
    let admitted = get_with(&bench, "/status", Some("Basic YWRtaW46c3Vu"))
        .await
        .unwrap();
    assert_eq!(admitted.status, 200);
}

#[tokio::test]
async fn with_a_password_the_second_generation_asks_for_digest() {
    let bench = bench(SensorModel::ShellyEm1Gen2, Some("sun")).await;
    let refused = get(&bench, "/rpc/Sys.GetStatus").await;
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .head
            .contains("Digest qop=\"auth\", realm=\"shellyproem50-ec64c9c05e97\"")
    );
    assert_eq!(
        get(&bench, "/rpc/Shelly.GetDeviceInfo").await.json()["auth_en"],
        true
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_sensor_answers_late() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    bench.emulator.set_faults(HttpFaults {
        delay: Duration::from_secs(30),
        ..HttpFaults::default()
    });
    let asked = tokio::time::Instant::now();
    assert_eq!(get(&bench, "/status").await.status, 200);
    assert!(asked.elapsed() >= Duration::from_secs(30));
}

#[tokio::test]
async fn an_unreachable_sensor_says_nothing_and_comes_back() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    bench.emulator.set_faults(HttpFaults {
        is_unreachable: true,
        ..HttpFaults::default()
    });
    assert!(get_with(&bench, "/status", None).await.is_none());
    bench.emulator.set_faults(HttpFaults::default());
    assert_eq!(get(&bench, "/status").await.status, 200);
}

#[tokio::test]
async fn a_sensor_that_becomes_unreachable_cuts_the_connections_it_has() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    let mut stream = TcpStream::connect(bench.emulator.address()).await.unwrap();
    let request = b"GET /shelly HTTP/1.1\r\nHost: shelly\r\n\r\n";
    stream.write_all(request).await.unwrap();
    assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
    bench.emulator.set_faults(HttpFaults {
        is_unreachable: true,
        ..HttpFaults::default()
    });
    stream.write_all(request).await.unwrap();
    assert_eq!(stream.read(&mut [0; 4096]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_truncated_answer_is_shorter_than_it_promised() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    let faults = HttpFaults {
        truncated_after_bytes: Some(300),
        ..HttpFaults::default()
    };
    bench.emulator.set_faults(faults);
    let got = get(&bench, "/status").await;
    assert!(got.promised_bytes() > 900);
    assert!(
        (1..=300).contains(&got.body.len()),
        "{} bytes",
        got.body.len()
    );
}

#[tokio::test]
async fn nonsense_comes_with_status_200() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    let faults = HttpFaults {
        nonsense: Some("{\"emeters\":[{\"power\":NaN"),
        ..HttpFaults::default()
    };
    bench.emulator.set_faults(faults);
    let got = get(&bench, "/status").await;
    assert_eq!(
        (got.status, got.body.as_str()),
        (200, "{\"emeters\":[{\"power\":NaN")
    );
}

#[tokio::test]
async fn a_sensor_that_does_not_vouch_says_so() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    bench
        .emulator
        .with_sensor(|sensor| sensor.faults_mut().is_invalid = true);
    let emeter = get(&bench, "/emeter/0").await.json();
    assert_eq!(emeter["is_valid"], false);
}

#[tokio::test]
async fn a_sensor_without_a_time_server_says_unixtime_zero() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    bench
        .emulator
        .with_sensor(|sensor| sensor.faults_mut().clock_is_unset = true);
    assert_eq!(get(&bench, "/status").await.json()["unixtime"], 0);
}

#[tokio::test]
async fn another_device_at_the_address_shows_its_own_mac() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    bench
        .emulator
        .with_sensor(|sensor| sensor.faults_mut().other_mac = Some(Mac([2, 0, 0, 0, 0, 9])));
    assert_eq!(get(&bench, "/status").await.json()["mac"], "020000000009");
}

#[tokio::test]
async fn a_stepping_clock_shows_in_unixtime_only() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    let before = get(&bench, "/status").await.json();
    bench
        .emulator
        .with_sensor(|sensor| sensor.faults_mut().clock_offset_s = -7_200);
    let after = get(&bench, "/status").await.json();
    assert_eq!(
        after["unixtime"],
        before["unixtime"].as_u64().unwrap() - 7_200
    );
    assert_eq!(after["emeters"], before["emeters"]);
    assert_eq!(after["uptime"], before["uptime"]);
}

#[tokio::test]
async fn counters_fall_to_zero_at_a_reset_and_by_a_dip_for_a_while() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    let total = || async {
        get(&bench, "/emeter/0").await.json()["total"]
            .as_f64()
            .unwrap()
    };
    let before = total().await;
    bench
        .emulator
        .with_sensor(|sensor| sensor.faults_mut().dip_mwh = 100_000);
    assert!((total().await - (before - 100.0)).abs() < 0.11);
    bench
        .emulator
        .with_sensor(|sensor| sensor.faults_mut().dip_mwh = 0);
    assert_eq!(total().await, before);
    bench
        .emulator
        .with_sensor(|sensor| sensor.reset_counters(bench.clock.utc()));
    assert_eq!(total().await, 0.0);
}

#[tokio::test]
async fn time_moves_only_with_the_clock() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    let before = get(&bench, "/status").await.json();
    assert_eq!(get(&bench, "/status").await.json(), before);
    bench.clock.advance_ms(600_000);
    let after = get(&bench, "/status").await.json();
    assert!(after["emeters"][0]["total"].as_f64() > before["emeters"][0]["total"].as_f64());
}

#[tokio::test]
async fn a_dropped_emulator_is_gone() {
    let bench = bench(SensorModel::ShellyEmGen1, None).await;
    let address = bench.emulator.address();
    drop(bench);
    let closed = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), closed)
        .await
        .expect("the port is free again");
}
