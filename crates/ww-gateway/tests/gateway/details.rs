//! One window and one installation with all that belongs to them, and what was said of a meter.

use serde_json::{Value, json};
use ww_api::hex;
use ww_wire::merkle::TreeBuilder;
use ww_wire::record::Record as _;
use ww_wire::{
    BootCounter, Bytes, Dbm, DeciCelsius, Reading, StatusReport, UptimeMillis, UtcMillis, Window,
};

use crate::world::{START_MS, TestMeter, World, packed, problem};

#[tokio::test]
async fn the_root_of_a_window_can_be_rebuilt_from_its_readings() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let readings: Vec<_> = (0..60).map(|place| meter.reading(place)).collect();
    let boot = meter.boot();
    let first = meter.window(&readings[..30], 1, boot.encode().unwrap().digest());
    let second = Window {
        produced_open: first.produced_close,
        ..meter.window(&readings[30..], 2, first.encode().unwrap().digest())
    };
    let body = [
        meter.sign1(&boot),
        meter.sign1(&first),
        packed(&readings[..30]),
        // The readings of the second do not come.
        meter.sign1(&second),
    ];
    world.clock.set(START_MS + 700_000);
    assert_eq!(world.post_records(body.concat()).await.status(), 200);
    let path = format!("/api/v1/installations/{}/windows", meter.id);
    let shown = world.json(&format!("{path}/1")).await;
    let listed = world.json(&path).await;
    for (name, value) in listed[0].as_object().unwrap() {
        assert_eq!(shown[name], *value, "{name}");
    }
    let mut tree = TreeBuilder::new();
    for (place, reading) in shown["readings"].as_array().unwrap().iter().enumerate() {
        let record: [u8; Reading::LENGTH] =
            hex::decode_array(reading["record"].as_str().unwrap()).unwrap();
        tree.push(&record);
        assert_eq!(reading["sequence"], place as u64 + 1);
        assert_eq!(reading["id"], (meter.id << 29) + place as u64 + 1);
        assert_eq!(reading["timestamp"], START_MS / 1000 + 10 * place as u64);
        assert_eq!(reading["power_w"].to_string(), "16.35");
    }
    assert_eq!(tree.root().to_string(), shown["root"].as_str().unwrap());
    assert_eq!(shown["chain_index"], 1);
    assert_eq!(shown["previous_digest"], first.previous.to_string());
    assert_eq!(
        (&shown["previous_id"], &shown["next_id"]),
        (&Value::Null, &json!(2))
    );
    let bare = world.json(&format!("{path}/2")).await;
    assert_eq!(bare["readings"], json!([]));
    assert_eq!(bare["has_readings"], false);
    assert_eq!(
        (&bare["previous_id"], &bare["next_id"]),
        (&json!(1), &Value::Null)
    );
    // 0 is a Boot.
    for none in ["0", "3", "first", "-1"] {
        let missing = problem(world.get(&format!("{path}/{none}")).await).await;
        assert_eq!(missing["type"], "/problems/not-found", "{none}");
    }
}

#[tokio::test]
async fn an_installation_shows_what_is_known_of_it_from_its_announcement_to_its_end() {
    let world = World::start().await;
    let mut meter = TestMeter::new();
    let announcement = json!({
        "name": "Barn roof", "public_key": meter.public_key().to_string(),
        "shelly_mac": "EC64C9C05E97", "sensor_model": "shelly_em_gen1", "channel": 1,
        "rated_power_w": 640, "time_zone": "Europe/Berlin",
    });
    let announced = world.post("/api/v1/installations/", &announcement).await;
    assert_eq!(announced.status(), 201);
    let announced: Value = announced.json().await.unwrap();
    meter.id = announced["id"].as_u64().unwrap();
    let path = format!("/api/v1/installations/{}", meter.id);
    let waiting = world.json(&path).await;
    for (name, value) in announced.as_object().unwrap() {
        assert_eq!(waiting[name], *value, "{name}");
    }
    let proposal = json!({
        "sensor_model": "shelly_em_gen1", "shelly_mac": "EC64C9C05E97", "channel": 1,
        "production_counter": null, "rated_power_w": 640, "time_zone": "Europe/Berlin",
    });
    assert_eq!(waiting["proposal"], proposal);
    for none in ["enrolment", "last_boot", "status_report", "revocation"] {
        assert_eq!(waiting[none], Value::Null, "{none}");
    }

    let approval = json!({
        "rated_power_w": 800, "production_counter": "total_returned", "ct_ratio_milli": 2_000,
        "latitude_e7": 481_374_300, "longitude_e7": 115_754_900, "tilt_decidegrees": 305,
        "azimuth_decidegrees": 1_800, "grid_connection": "DE000123",
    });
    world.approve(meter.id, &approval).await;
    let report = StatusReport {
        boot: BootCounter::new(3).unwrap(),
        queued_records: 5,
        queued_readings: 300,
        signal_strength: Dbm::new(-61),
        free_memory: Bytes::new(143_360),
        temperature: DeciCelsius::new(415),
        ..meter.report()
    };
    let body = [meter.sign1(&meter.boot()), meter.sign1(&report)].concat();
    world.clock.set(START_MS + 2_000);
    assert_eq!(world.post_records(body).await.status(), 200);
    let shown = world.json(&path).await;
    let enrolment = &shown["enrolment"];
    for (name, value) in [
        ("number", json!(1)),
        ("time", json!("2025-06-19T16:50:01.000000")),
        ("custody", json!("software")),
        ("sensor_model", json!("shelly_em_gen1")),
        ("shelly_mac", json!("EC64C9C05E97")),
        ("channel", json!(1)),
        ("production_counter", json!("total_returned")),
        ("ct_ratio_milli", json!(2_000)),
        ("rated_power_w", json!(800)),
        ("latitude_e7", json!(481_374_300)),
        ("longitude_e7", json!(115_754_900)),
        ("tilt_decidegrees", json!(305)),
        ("azimuth_decidegrees", json!(1_800)),
        ("grid_connection", json!("DE000123")),
        ("accepted", json!(false)),
        ("digest", shown["enrolment_digest"].clone()),
    ] {
        assert_eq!(enrolment[name], value, "{name}");
    }
    assert_eq!(shown["proposal"]["time_zone"], Value::Null);
    let boot = json!({
        "boot": 1, "timestamp": START_MS / 1000 - 5, "firmware_digest": "09".repeat(32),
        "firmware_version": "0.1.0", "reset_reason": "power_on",
        "received_at": "2025-06-19T16:50:02.000000",
    });
    assert_eq!(shown["last_boot"], boot);
    let expected = json!({
        "received_at": "2025-06-19T16:50:02.000000", "timestamp": null, "time_quality": "unknown",
        "boot": 3, "uptime_ms": 0, "queued_records": 5, "queued_readings": 300,
        "sensor_failures": 0, "upload_failures": 0, "signal_strength_dbm": -61,
        "free_memory_bytes": 143_360, "temperature_c": 41.5,
    });
    assert_eq!(shown["status_report"], expected);

    let newer = StatusReport {
        time: UtcMillis::new(START_MS + 3_000),
        uptime: UptimeMillis::new(60_000).unwrap(),
        time_quality: ww_wire::TimeQuality::Synchronised,
        ..report
    };
    let taken = world.post_records(meter.sign1(&newer)).await;
    assert_eq!(taken.status(), 200);
    let revocation = json!({"reason": "lost", "note": "stolen from the roof"});
    let revoked = world
        .admin_post(&format!("{path}/revoke"), &revocation)
        .await;
    assert_eq!(revoked.status(), 200);
    let shown = world.json(&path).await;
    assert_eq!(shown["status_report"]["timestamp"], START_MS / 1000 + 3);
    let expected = json!({
        "reason": "lost", "note": "stolen from the roof", "time": "2025-06-19T16:50:02.000000",
    });
    assert_eq!(shown["revocation"], expected);
}
