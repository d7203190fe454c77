//! The shapes of the seed, word for word, with what stands beside them.

use std::time::Duration;

use serde_json::{Value, json};
use ww_api::hex;
use ww_wire::record::Record as _;

use crate::world::{START_MS, World};

#[tokio::test]
async fn an_installation_has_the_shape_of_the_seed() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let list = world.json("/api/v1/installations/").await;
    let mut expected = json!({
        "id": meter.id,
        "name": "Hackathon Test 1",
        "shelly_mac": "EC64C9C05E97",
        "public_key": meter.public_key().to_string(),
        "created_at": "2025-06-19T16:50:01.000000",
        "is_active": true,
        "last_boot_timestamp": 1_750_346_382,
        "meter_id": meter.meter().to_string(),
        "state": "active",
        "liveness": "never",
        "last_seen_at": null,
        "expected_cadence_s": 10,
        "rated_power_w": 800,
        "timezone": "UTC",
        "sensor_model": "shelly_em_gen1",
        "firmware_digest": null,
        "enrolment_accepted": false,
        "replaces": null,
        "replaced_by": null,
    });
    expected["enrolment_digest"] = list[0]["enrolment_digest"].clone();
    assert_eq!(list, json!([expected]));
    assert_eq!(list[0]["enrolment_digest"].as_str().unwrap().len(), 64);
    let one = world
        .json(&format!("/api/v1/installations/{}", meter.id))
        .await;
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&one[field], value, "{field}");
    }
}

#[tokio::test]
async fn a_reading_has_the_shape_of_the_seed() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let reading = meter.reading(0);
    let body = meter.submission(&reading);
    let response = world.post("/api/v1/readings/", &body).await;
    let expected = json!({
        "id": (meter.id << 29) + 1,
        "installation_id": meter.id,
        "power_w": 16.35,
        "total_wh": 8.9,
        "timestamp": START_MS / 1000,
        "signature": body["signature"],
        "is_verified": true,
        "created_at": "2025-06-19T16:50:01.000000",
        "verification_timestamp": "2025-06-19T16:50:01.000000",
        "is_on_chain": false,
        "blockchain_tx_hash": null,
        "blockchain_block_number": null,
        "meter_id": meter.meter().to_string(),
        "sequence": 1,
        "produced_wh": 0.0,
        "flags": [],
        "record": hex::encode(&reading.encode().unwrap()),
        "window_id": null,
        "proof": null,
    });
    assert_eq!(response.json::<Value>().await.unwrap(), expected);
    assert_eq!(
        world.json(&format!("/api/v1/readings/{}", meter.id)).await,
        json!([expected])
    );
    let latest = world
        .json(&format!("/api/v1/readings/latest/{}", meter.id))
        .await;
    assert_eq!(latest, expected);
}

#[tokio::test]
async fn pending_readings_have_the_compact_shape_of_the_seed() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut signatures = Vec::new();
    for place in 0..3 {
        let body = meter.submission(&meter.reading(place));
        signatures.push(body["signature"].clone());
        world.post("/api/v1/readings/", &body).await;
    }
    let first = (meter.id << 29) + 1;
    let expected = json!({
        "readings": [
            [first, 16.35, 8.9, START_MS / 1000, signatures[0]],
            [first + 1, 16.35, 9.0, START_MS / 1000 + 10, signatures[1]],
        ],
        "first_reading_id": first,
        "last_reading_id": first + 1,
        "count": 2,
    });
    assert_eq!(
        world.json("/api/v1/readings/pending?limit=2").await,
        expected
    );
    let path = format!("/api/v1/readings/pending?limit=2&after={}", first + 1);
    let rest = world.json(&path).await;
    assert_eq!(rest["readings"][0][4], signatures[2]);
    assert_eq!(rest["count"], 1);
}

#[tokio::test]
async fn a_chart_has_the_shape_and_the_labels_of_the_seed() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for place in 0..3 {
        world.submit(&meter, &meter.reading(place)).await;
    }
    let path = format!("/api/v1/readings/{}/chart", meter.id);
    for (frame, bars, last_label, last_start) in [
        ("hour", 6, "16:50", START_MS / 1000),
        ("day", 24, "16:00", 1_750_348_800),
        ("week", 7, "Thu", 1_750_291_200),
        ("month", 30, "Jun 19", 1_750_291_200),
        ("year", 12, "Jun", 1_748_736_000),
    ] {
        let chart = world.json(&format!("{path}?time_frame={frame}")).await;
        let points = chart["data_points"].as_array().unwrap();
        assert_eq!(points.len(), bars, "{frame}");
        let last = &points[bars - 1];
        assert_eq!(last["label"], last_label);
        assert_eq!(last["timestamp"], last_start);
        assert_eq!(last["value"].to_string(), "0.2");
        assert_eq!(chart["time_frame"], frame);
        assert_eq!(chart["total_energy"].to_string(), "0.2");
    }
    let wrong = world.get(&format!("{path}?time_frame=decade")).await;
    assert_eq!(wrong.status(), 422);
}

#[tokio::test]
async fn energy_is_counted_in_the_calendar_of_the_site() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for place in 0..3 {
        world.submit(&meter, &meter.reading(place)).await;
    }
    let energy = world
        .json(&format!("/api/v1/installations/{}/energy", meter.id))
        .await;
    for field in ["today_wh", "month_wh", "year_wh", "lifetime_wh"] {
        assert_eq!(energy[field].to_string(), "0.2", "{field}");
    }
    assert_eq!(energy["installation_id"], meter.id);
    assert_eq!(energy["timezone"], "UTC");
}

#[tokio::test]
async fn health_says_healthy() {
    let world = World::start().await;
    let health = world.json("/health").await;
    assert_eq!(health["status"], "healthy");
}

#[tokio::test]
async fn status_says_what_since_when_and_why() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let status = world.json("/api/v1/status/").await;
    assert_eq!(status["status"], "unhealthy");
    assert_eq!(status["internet"]["state"], "unknown");
    assert_eq!(status["installations"][0]["state"], "never");
    world.submit(&meter, &meter.reading(0)).await;
    let status = world.json("/api/v1/status/").await;
    assert_eq!(status["status"], "healthy");
    assert_eq!(status["installations"][0]["is_alive"], true);
    assert_eq!(
        status["installations"][0]["last_seen_at"],
        "2025-06-19T16:50:01.000000"
    );
    world.clock.set(START_MS + 1_000 + 30_001);
    let late = world.json("/api/v1/status/").await;
    assert_eq!(late["installations"][0]["state"], "late");
    assert_eq!(late["status"], "degraded");
    assert_eq!(late["since"], "2025-06-19T16:50:31.001000");
    assert_eq!(late["why"], "0 of 1 meters are live");
    assert_eq!(
        late["installations"][0]["since"],
        "2025-06-19T16:50:01.000000"
    );
    assert_eq!(
        late["installations"][0]["why"],
        "should be heard every 10 s"
    );
    assert_eq!(late["internet"]["why"], "no probe is configured");
    world.clock.set(START_MS + 1_000 + 600_001);
    let silent = world.json("/api/v1/status/").await;
    assert_eq!(silent["installations"][0]["state"], "silent");
    assert_eq!(silent["status"], "unhealthy");
}

#[tokio::test]
async fn since_when_the_park_is_as_it_is_does_not_depend_on_who_asks() {
    let world = World::with(|config| config.expected_cadence_s = 1).await;
    let meter = world.enrolled().await;
    world.submit(&meter, &meter.reading(0)).await;
    world.clock.set(START_MS + 61_000);
    // That the gateway has looked by itself is seen in its figures.
    let degraded = async {
        loop {
            let metrics = world.client.get(world.url("/metrics"));
            let metrics = metrics.bearer_auth(&world.admin_key).send().await.unwrap();
            let metrics = metrics.text().await.unwrap();
            let mut lines = metrics.lines();
            if lines.any(|line| line == "wattwitness_park_health 1") {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), degraded)
        .await
        .unwrap();
    world.clock.set(START_MS + 121_000);
    let status = world.admin_json("/api/v1/status/").await;
    assert_eq!(status["status"], "degraded");
    assert_eq!(status["since"], "2025-06-19T16:51:01.000000");
}

#[tokio::test]
async fn a_meter_that_was_silent_is_live_since_it_was_heard_again() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    world.submit(&meter, &meter.reading(0)).await;
    for (place, now_ms) in [(100, 1_001_000), (101, 1_011_000)] {
        world.clock.set(START_MS + now_ms);
        let stored = world.submit(&meter, &meter.reading(place)).await;
        assert_eq!(stored.status(), 201);
        let status = world.json("/api/v1/status/").await;
        assert_eq!(status["installations"][0]["state"], "live");
        assert_eq!(
            status["installations"][0]["since"],
            "2025-06-19T17:06:41.000000"
        );
    }
}
