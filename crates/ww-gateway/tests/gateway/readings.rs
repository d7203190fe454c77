//! What comes in through the JSON door comes out of every view.

use serde_json::{Value, json};
use ww_api::hex;
use ww_wire::record::Record as _;
use ww_wire::{Hash, MilliwattHours, Milliwatts, Reading, UtcMillis, Window};

use crate::world::{START_MS, TestMeter, World, packed, problem};

#[tokio::test]
async fn a_reading_is_answered_with_201_and_again_with_the_stored_answer() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let reading = meter.reading(0);
    let first = world.submit(&meter, &reading).await;
    assert_eq!(first.status(), 201);
    let first: Value = first.json().await.unwrap();
    world.clock.set(START_MS + 60_000);
    let again = world.submit(&meter, &reading).await;
    assert_eq!(again.status(), 200);
    let again: Value = again.json().await.unwrap();
    assert_eq!(first["created_at"], "2025-06-19T16:50:01.000000");
    // A second signature over the same bytes differs; what was stored first stays.
    for field in [
        "id",
        "created_at",
        "record",
        "signature",
        "power_w",
        "sequence",
    ] {
        assert_eq!(first[field], again[field], "{field}");
    }
    assert_eq!(world.visible_readings(meter.id).await, 1);
}

#[tokio::test]
async fn plain_fields_that_agree_may_stand_beside_the_record() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut body = meter.submission(&meter.reading(0));
    body["power_w"] = json!(16.35);
    body["total_wh"] = json!(8.9);
    body["timestamp"] = json!(START_MS / 1000);
    body["sequence"] = json!(1);
    body["installation_id"] = json!(meter.id);
    body["meter_id"] = json!(meter.meter().to_string());
    body["public_key"] = json!(meter.public_key().to_string().to_uppercase());
    let response = world.post("/api/v1/readings/", &body).await;
    assert_eq!(response.status(), 201);
}

#[tokio::test]
async fn power_is_shown_in_the_direction_of_production() {
    let world = World::start().await;
    let meter = TestMeter::new();
    let id = world.announce(&meter, "EC64C9C05E97").await;
    let body = json!({"rated_power_w": 800, "production_counter": "total_returned"});
    world.approve(id, &body).await;
    let reading = Reading {
        power: Milliwatts::new(-16_350),
        export_total: MilliwattHours::new(21_700_000),
        ..meter.reading(0)
    };
    let mut submission = meter.submission(&reading);
    submission["power_w"] = json!(16.35);
    submission["total_wh"] = json!(21_700.0);
    let response = world.post("/api/v1/readings/", &submission).await;
    let shown: Value = response.json().await.unwrap();
    assert_eq!(shown["power_w"].to_string(), "16.35");
    assert_eq!(shown["total_wh"].to_string(), "21700.0");
}

#[tokio::test]
async fn latest_is_the_newest_measurement_not_the_newest_arrival() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    world.submit(&meter, &meter.reading(5)).await;
    world.submit(&meter, &meter.reading(2)).await;
    let latest = world
        .json(&format!("/api/v1/readings/latest/{}", meter.id))
        .await;
    assert_eq!(latest["sequence"], 6);
}

#[tokio::test]
async fn a_park_is_told_whole_as_each_of_its_meters_is() {
    let world = World::start().await;
    let one = world.enrolled().await;
    let mut other = TestMeter::new();
    let id = world.announce(&other, "AABBCCDDEE02").await;
    world.approve(id, &json!({"rated_power_w": 800})).await;
    other.id = id;
    world.announce(&TestMeter::new(), "AABBCCDDEE03").await;
    for meter in [&one, &other] {
        world.submit(meter, &meter.reading(0)).await;
        world.submit(meter, &meter.reading(1)).await;
    }
    // Also while the gateway does not know the time.
    for now in [START_MS + 1_000, 0] {
        world.clock.set(now);
        let (mut latest, mut energy) = (Vec::new(), Vec::new());
        for id in [one.id, other.id] {
            latest.push(world.json(&format!("/api/v1/readings/latest/{id}")).await);
            let path = format!("/api/v1/installations/{id}/energy");
            energy.push(world.json(&path).await);
        }
        assert_eq!(world.json("/api/v1/readings/latest").await, json!(latest));
        assert_eq!(world.json("/api/v1/energy").await, json!(energy));
    }
}

#[tokio::test]
async fn nothing_is_404_for_latest_and_empty_for_lists_and_charts() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let id = meter.id;
    let latest = world.get(&format!("/api/v1/readings/latest/{id}")).await;
    assert_eq!(problem(latest).await["type"], "/problems/not-found");
    assert_eq!(
        world.json(&format!("/api/v1/readings/{id}")).await,
        json!([])
    );
    let chart = world
        .json(&format!("/api/v1/readings/{id}/chart?time_frame=year"))
        .await;
    assert_eq!(chart["data_points"], json!([]));
    assert_eq!(chart["total_energy"].to_string(), "0.0");
    let pending = world.json("/api/v1/readings/pending").await;
    assert_eq!(
        pending,
        json!({"readings": [], "first_reading_id": null, "last_reading_id": null, "count": 0})
    );
    let missing = world.get("/api/v1/readings/latest/99").await;
    assert_eq!(problem(missing).await["status"], 404);
}

#[tokio::test]
async fn a_list_is_newest_first_and_whole_unless_a_limit_is_given() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for place in 0..5 {
        world.submit(&meter, &meter.reading(place)).await;
    }
    let path = format!("/api/v1/readings/{}", meter.id);
    let sequences = |list: &Value| -> Vec<u64> {
        let list = list.as_array().unwrap();
        list.iter()
            .map(|reading| reading["sequence"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(sequences(&world.json(&path).await), [5, 4, 3, 2, 1]);

    let mut next = Some(format!("{path}?limit=2"));
    let mut pages = Vec::new();
    while let Some(path) = next {
        let response = world.get(&path).await;
        next = response.headers().get("link").map(|link| {
            let link = link.to_str().unwrap();
            let (target, relation) = link.split_once('>').unwrap();
            assert_eq!(relation, "; rel=\"next\"");
            target.trim_start_matches('<').to_owned()
        });
        pages.push(sequences(&response.json().await.unwrap()));
    }
    assert_eq!(pages, [vec![5, 4], vec![3, 2], vec![1]]);
}

#[tokio::test]
async fn a_list_takes_its_range_in_iso_8601() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for place in 0..5 {
        world.submit(&meter, &meter.reading(place)).await;
    }
    let id = meter.id;
    for (range, count) in [
        (
            "start_time=2025-06-19T16:50:10Z&end_time=2025-06-19T16:50:30Z",
            3,
        ),
        (
            "start_time=2025-06-19T18:50:10%2B02:00&end_time=2025-06-19T18:50:30%2B02:00",
            3,
        ),
        ("start_time=2025-06-19T16:50:20", 3),
        ("end_time=2025-06-19T16:50:00", 1),
        ("end_time=2025-06-18T00:00:00", 0),
    ] {
        let list = world.json(&format!("/api/v1/readings/{id}?{range}")).await;
        assert_eq!(list.as_array().unwrap().len(), count, "{range}");
    }
    for (query, field) in [
        ("start_time=yesterday", "start_time"),
        ("limit=0", "limit"),
        ("cursor=nowhere&limit=1", "cursor"),
        ("start_time=2025-06-20&end_time=2025-06-19", "start_time"),
        ("on_chain_only=perhaps", "on_chain_only"),
    ] {
        let refused = problem(world.get(&format!("/api/v1/readings/{id}?{query}")).await).await;
        assert_eq!(refused["field"], field);
        assert_eq!(refused["status"], 422);
    }
}

#[tokio::test]
async fn the_filters_of_the_seed_are_taken() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    world.submit(&meter, &meter.reading(0)).await;
    let id = meter.id;
    for path in [
        format!("/api/v1/readings/{id}"),
        format!("/api/v1/readings/{id}/optimized"),
    ] {
        let verified = world
            .json(&format!("{path}?verified_only=true&max_points=10"))
            .await;
        assert_eq!(verified.as_array().unwrap().len(), 1);
        assert_eq!(
            world.json(&format!("{path}?on_chain_only=true")).await,
            json!([])
        );
    }
    let latest = world
        .get(&format!("/api/v1/readings/latest/{id}?on_chain_only=true"))
        .await;
    assert_eq!(latest.status(), 404);
    let chart = world
        .json(&format!("/api/v1/readings/{id}/chart?on_chain_only=true"))
        .await;
    assert_eq!(chart["data_points"], json!([]));
}

#[tokio::test]
async fn one_reading_is_found_by_its_id() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let reading = meter.reading(0);
    world.submit(&meter, &reading).await;
    let id = (meter.id << 29) + 1;
    let shown = world
        .json(&format!("/api/v1/installations/{}/readings/{id}", meter.id))
        .await;
    assert_eq!(shown["id"], id);
    assert_eq!(shown["record"], hex::encode(&reading.encode().unwrap()));
    for other in [id + 1, (99 << 29) + 1] {
        let path = format!("/api/v1/installations/{}/readings/{other}", meter.id);
        assert_eq!(world.get(&path).await.status(), 404);
    }
}

#[tokio::test]
async fn odd_readings_are_taken_and_noted() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    world.submit(&meter, &meter.reading(0)).await;
    let strong = Reading {
        power: Milliwatts::new(1_080_001),
        ..meter.reading(1)
    };
    assert_eq!(world.submit(&meter, &strong).await.status(), 201);
    let early = Reading {
        time: UtcMillis::new(START_MS - 1),
        ..meter.reading(2)
    };
    assert_eq!(world.submit(&meter, &early).await.status(), 201);
    let late = Reading {
        time: UtcMillis::new(START_MS + 100_000_000),
        ..meter.reading(3)
    };
    assert_eq!(world.submit(&meter, &late).await.status(), 201);
    let findings = world
        .json(&format!("/api/v1/installations/{}/findings", meter.id))
        .await;
    let kinds: Vec<_> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["power-above-rating", "time-went-back", "future-time"]
    );
    assert_eq!(findings[0]["number"], 2);
}

#[tokio::test]
async fn a_gateway_that_does_not_know_the_time_takes_readings() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    world.clock.set(0);
    let response = world.submit(&meter, &meter.reading(0)).await;
    assert_eq!(response.status(), 201);
    let shown: Value = response.json().await.unwrap();
    assert_eq!(shown["created_at"], Value::Null);
    assert_eq!(shown["timestamp"], START_MS / 1000);
    assert_eq!(world.json("/ready").await["time_known"], false);
    let list = world.json(&format!("/api/v1/readings/{}", meter.id)).await;
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_reading_is_shown_by_the_enrolment_that_was_in_force_when_it_was_made() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let digest = async || {
        let path = format!("/api/v1/installations/{}", meter.id);
        let shown = world.json(&path).await;
        let digest = shown["enrolment_digest"].as_str().unwrap();
        Hash(hex::decode_array(digest).unwrap())
    };
    let (early, late) = (meter.reading(0), meter.reading(70));
    assert_eq!(world.submit(&meter, &early).await.status(), 201);
    let before = digest().await;
    // The transformer was one of two to one, and the sensor sat the other way round.
    world.clock.set(START_MS + 650_000);
    let turned = json!({"production_counter": "total_returned", "ct_ratio_milli": 2_000});
    world.approve(meter.id, &turned).await;
    let after = digest().await;
    assert_eq!(world.submit(&meter, &late).await.status(), 201);

    let (first, second) = ((16.35, json!(8.9)), (-32.7, json!(0.0)));
    let expect = async |expected: &[(f64, Value)], point: &str| {
        let rows = |list: &Value| -> Vec<(f64, Value)> {
            let rows = list.as_array().unwrap().iter();
            rows.map(|row| (row["power_w"].as_f64().unwrap(), row["total_wh"].clone()))
                .collect()
        };
        let everything = "start_time=1970-01-01T00:00:00Z";
        let list = format!("/api/v1/readings/{}?{everything}", meter.id);
        let mut list = rows(&world.json(&list).await);
        list.reverse();
        // Of many, the first and the last ones will do.
        list.dedup_by(|one, other| one.0 == other.0);
        let shown: Vec<f64> = list.iter().map(|(power, _)| *power).collect();
        let powers: Vec<f64> = expected.iter().map(|(power, _)| *power).collect();
        assert_eq!(shown, powers, "{point}");
        let thinned = format!("/api/v1/readings/{}/optimized?{everything}", meter.id);
        let mut thinned = rows(&world.json(&thinned).await);
        thinned.reverse();
        assert_eq!(thinned.first(), expected.first(), "{point}");
        assert_eq!(thinned.last(), expected.last(), "{point}");
        let pending = world.json("/api/v1/readings/pending").await;
        assert_eq!(pending["readings"][0][1], json!(expected[0].0), "{point}");
        let latest = format!("/api/v1/readings/latest/{}", meter.id);
        let latest = world.json(&latest).await;
        let last = &expected[expected.len() - 1];
        assert_eq!(
            rows(&json!([latest])),
            std::slice::from_ref(last),
            "{point}"
        );
        let one = format!("/api/v1/installations/{}/readings/1", meter.id);
        let one = world.json(&one).await;
        assert_eq!(rows(&json!([one])), expected[..1], "{point}");
    };
    expect(&[first.clone(), second.clone()], "live").await;

    let readings: Vec<_> = (0..120).map(|place| meter.reading(place)).collect();
    let boot = meter.boot();
    let made_before = Window {
        enrolment: before,
        ..meter.window(&readings[..60], 1, boot.encode().unwrap().digest())
    };
    let made_after = Window {
        enrolment: after,
        produced_open: made_before.produced_close,
        ..meter.window(&readings[60..], 2, made_before.encode().unwrap().digest())
    };
    world.clock.set(START_MS + 1_300_000);
    let body = [
        meter.sign1(&boot),
        meter.sign1(&made_before),
        packed(&readings[..60]),
        meter.sign1(&made_after),
        packed(&readings[60..]),
    ];
    assert_eq!(world.post_records(body.concat()).await.status(), 200);
    expect(&[first, second], "sealed").await;
    // Energy is the plant's, whatever the sensor's sign.
    let energy = format!("/api/v1/installations/{}/energy", meter.id);
    let energy = world.json(&energy).await;
    assert_eq!(energy["lifetime_wh"].to_string(), "11.9");
}
