//! Names and time zones of installations: said by operators in signed Labels.

use serde_json::{Value, json};

use crate::world::{START_MS, TestMeter, World, problem};

async fn label(world: &World, id: u64, body: &Value) -> Value {
    let path = format!("/api/v1/installations/{id}/label");
    let response = world.admin_post(&path, body).await;
    let status = response.status();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn statements(world: &World, meter: &TestMeter) -> Vec<u8> {
    let path = format!("/api/v1/meters/{}/statements", meter.meter());
    let response = world.get(&path).await;
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_new_name_is_signed_and_stands_in_the_audit_trail() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let before = statements(&world, &meter).await;
    world.clock.set(START_MS + 60_000);
    let labelled = label(&world, meter.id, &json!({"name": "Barn roof"})).await;
    assert_eq!(labelled["name"], "Barn roof");
    let path = format!("/api/v1/installations/{}", meter.id);
    assert_eq!(world.json(&path).await["name"], "Barn roof");
    let after = statements(&world, &meter).await;
    let added = after.strip_prefix(&*before).unwrap();
    let name = b"Barn roof";
    assert!(added.windows(name.len()).any(|bytes| bytes == name));
    let trail = world
        .admin_json("/api/v1/audit?action=installation.label")
        .await;
    assert_eq!(trail.as_array().unwrap().len(), 1);
    assert_eq!(trail[0]["actor"], "admin");
    assert_eq!(trail[0]["subject"], format!("installation {}", meter.id));
    assert_eq!(trail[0]["detail"], "Barn roof in UTC");
}

#[tokio::test]
async fn what_is_not_said_stays() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let body = json!({"time_zone": "Europe/Berlin"});
    let zoned = label(&world, meter.id, &body).await;
    assert_eq!(zoned["name"], "Hackathon Test 1");
    assert_eq!(zoned["timezone"], "Europe/Berlin");
    world.clock.set(START_MS + 60_000);
    let named = label(&world, meter.id, &json!({"name": "Barn roof"})).await;
    assert_eq!(named["timezone"], "Europe/Berlin");
    let energy = format!("/api/v1/installations/{}/energy", meter.id);
    assert_eq!(world.json(&energy).await["timezone"], "Europe/Berlin");
}

#[tokio::test]
async fn what_is_said_already_is_not_said_again() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let body = json!({"name": "Barn roof", "time_zone": "Europe/Berlin"});
    label(&world, meter.id, &body).await;
    let before = statements(&world, &meter).await;
    world.clock.set(START_MS + 60_000);
    label(&world, meter.id, &body).await;
    assert_eq!(statements(&world, &meter).await, before);
}

#[tokio::test]
async fn a_meter_that_waits_can_be_named_and_keeps_the_name() {
    let world = World::start().await;
    let meter = TestMeter::new();
    let id = world.announce(&meter, "EC64C9C05E97").await;
    let named = label(&world, id, &json!({"name": "Barn roof"})).await;
    assert_eq!(named["state"], "waiting");
    let approved = world.approve(id, &json!({"rated_power_w": 800})).await;
    assert_eq!(approved["name"], "Barn roof");
}

#[tokio::test]
async fn what_is_no_label_is_refused_by_name() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let path = format!("/api/v1/installations/{}/label", meter.id);
    for (body, kind, field) in [
        (json!({}), "missing-field", "name"),
        (json!({"name": ""}), "invalid-field", "name"),
        (json!({"name": "x".repeat(65)}), "invalid-field", "name"),
        (json!({"name": "a\u{7}b"}), "invalid-field", "name"),
        (
            json!({"time_zone": "Mars/Base"}),
            "invalid-field",
            "time_zone",
        ),
        (json!({"naem": "x"}), "unknown-field", "naem"),
    ] {
        let problem = problem(world.admin_post(&path, &body).await).await;
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{problem}");
        assert_eq!(problem["field"], field, "{problem}");
    }
    let missing = "/api/v1/installations/99/label";
    let problem = problem(world.admin_post(missing, &json!({"name": "x"})).await).await;
    assert_eq!(problem["type"], "/problems/not-found");
}

#[tokio::test]
async fn a_replaced_meter_keeps_the_zone_of_the_one_that_follows_it() {
    let world = World::start().await;
    let old = world.enrolled().await;
    let response = world.post_records(old.sign1(&old.boot())).await;
    assert_eq!(response.status(), 200);
    let id = world.announce(&TestMeter::new(), "EC64C9C05E98").await;
    let body = json!({"rated_power_w": 800, "replaces": old.id, "time_zone": "Europe/Berlin"});
    world.approve(id, &body).await;
    let zoned = json!({"time_zone": "Asia/Kolkata"});
    let approval = json!({"rated_power_w": 800, "time_zone": "Asia/Kolkata"});
    for (act, body) in [("label", zoned), ("approve", approval)] {
        let path = format!("/api/v1/installations/{}/{act}", old.id);
        let problem = problem(world.admin_post(&path, &body).await).await;
        assert_eq!(problem["type"], "/problems/state-conflict", "{problem}");
        assert_eq!(problem["field"], "time_zone", "{problem}");
    }
    let named = json!({"name": "Barn roof, before", "time_zone": "Europe/Berlin"});
    let named = label(&world, old.id, &named).await;
    assert_eq!(named["name"], "Barn roof, before");
    assert_eq!(named["timezone"], "Europe/Berlin");
}

#[tokio::test]
async fn two_who_label_at_once_lose_nothing_of_each_other() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for (round, zone) in ["Europe/Berlin", "Asia/Kolkata", "UTC"].iter().enumerate() {
        let now = START_MS + 60_000 * (round as u64 + 1);
        world.clock.set(now);
        let name = format!("Roof {round}");
        let (named, zoned) = (json!({"name": name}), json!({"time_zone": zone}));
        tokio::join!(
            label(&world, meter.id, &named),
            label(&world, meter.id, &zoned),
        );
        let path = format!("/api/v1/installations/{}", meter.id);
        let shown = world.json(&path).await;
        assert_eq!(
            (&shown["name"], &shown["timezone"]),
            (&json!(name), &json!(zone))
        );
    }
}

#[tokio::test]
async fn a_clock_that_went_back_does_not_rename_silently_in_vain() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let path = format!("/api/v1/installations/{}/label", meter.id);
    for now in [0, START_MS] {
        world.clock.set(now);
        let problem = problem(world.admin_post(&path, &json!({"name": "x"})).await).await;
        assert_eq!(problem["type"], "/problems/state-conflict", "{problem}");
    }
    let path = format!("/api/v1/installations/{}", meter.id);
    assert_eq!(world.json(&path).await["name"], "Hackathon Test 1");
}
