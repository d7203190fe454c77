//! One window and one installation with all that belongs to them, and what was said of a meter.

use serde_json::{Value, json};
use ww_api::hex;
use ww_verify::VerifyingKey;
use ww_wire::merkle::TreeBuilder;
use ww_wire::record::Record as _;
use ww_wire::{
    BootCounter, Bytes, Dbm, DeciCelsius, Domain, Hash, Reading, RecordType, Signature,
    StatusReport, UptimeMillis, UtcMillis, Window,
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

/// The records of a history, each with its kind; all of them hold by digest and signature.
async fn history(world: &World, id: u64) -> Vec<(String, Value)> {
    let path = format!("/api/v1/installations/{id}/history");
    let entries = world.json(&path).await;
    let mut kinds = Vec::new();
    for entry in entries.as_array().unwrap() {
        let text = entry["record"].as_str().unwrap();
        let mut record = vec![0; text.len() / 2];
        assert_eq!(hex::decode_into(text, &mut record), Some(text.len() / 2));
        assert_eq!(
            Hash::of(&[&record]).to_string(),
            entry["digest"].as_str().unwrap()
        );
        assert_eq!(entry["signer"], hex::encode(&record[2..34]));
        let record_type = RecordType::of(&record).unwrap();
        let raw = hex::decode_array(entry["signature"].as_str().unwrap()).unwrap();
        let signature = Signature::from_low_s(raw).unwrap();
        let operator = VerifyingKey::new(*world.gateway.operator_key()).unwrap();
        let domain = Domain::Record(record_type);
        assert!(operator.verify(domain, &record, &signature).is_ok());
        kinds.push((entry["kind"].as_str().unwrap().to_owned(), entry.clone()));
    }
    kinds
}

#[tokio::test]
async fn a_history_tells_what_was_said_of_a_meter_in_its_order_and_signed() {
    let world = World::start().await;
    let old = world.enrolled().await;
    let boot = old.sign1(&old.boot());
    assert_eq!(world.post_records(boot).await.status(), 200);
    world.clock.set(START_MS + 60_000);
    let body = json!({"name": "Barn roof", "time_zone": "Europe/Berlin"});
    let path = format!("/api/v1/installations/{}", old.id);
    let labelled = world.admin_post(&format!("{path}/label"), &body).await;
    assert_eq!(labelled.status(), 200);
    world.clock.set(START_MS + 120_000);
    let approved = world.approve(old.id, &json!({"rated_power_w": 900})).await;
    world.clock.set(START_MS + 180_000);
    let new = TestMeter::new();
    let new_id = world.announce(&new, "EC64C9C05E97").await;
    let body = json!({"rated_power_w": 800, "replaces": old.id});
    world.approve(new_id, &body).await;
    world.clock.set(START_MS + 240_000);
    let body = json!({"reason": "decommissioned", "note": "taken down"});
    let revoked = world.admin_post(&format!("{path}/revoke"), &body).await;
    assert_eq!(revoked.status(), 200);

    let told = history(&world, old.id).await;
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    // An approval says the name again; a replacement is told of both meters.
    let expected = [
        "enrolment",
        "label",
        "label",
        "enrolment",
        "label",
        "replacement",
        "revocation",
    ];
    assert_eq!(kinds, expected);
    let first = &told[0].1;
    assert_eq!(first["issued_at"], "2025-06-19T16:50:01.000000");
    assert_eq!(first["received_at"], "2025-06-19T16:50:01.000000");
    assert_eq!(
        (&first["signed_by"], &first["acceptance"]),
        (&json!("operator"), &Value::Null)
    );
    let summary = json!({
        "number": "1", "custody": "software", "sensor_model": "shelly_em_gen1",
        "shelly_mac": "EC64C9C05E97", "channel": "0", "production_counter": "total",
        "ct_ratio_milli": "1000", "rated_power_w": "800",
    });
    assert_eq!(first["summary"], summary);
    let label = json!({"name": "Barn roof", "time_zone": "Europe/Berlin"});
    assert_eq!(told[2].1["summary"], label);
    assert_eq!(told[3].1["digest"], approved["enrolment_digest"]);
    assert_eq!(told[3].1["summary"]["rated_power_w"], "900");
    let revocation = json!({"reason": "decommissioned", "note": "taken down"});
    assert_eq!(told[6].1["summary"], revocation);
    assert_eq!(told[6].1["issued_at"], "2025-06-19T16:54:00.000000");

    let told = history(&world, new_id).await;
    let replacement = told.iter().find(|(kind, _)| kind == "replacement");
    let summary = &replacement.unwrap().1["summary"];
    assert_eq!(summary["old_meter"], old.meter().to_string());
    assert_eq!(summary["new_meter"], new.meter().to_string());
    assert_eq!(
        (&summary["last_index"], &summary["produced_close_wh"]),
        (&json!("0"), &json!("0.0"))
    );
}
