//! How a meter becomes known, is approved, consents, and is replaced.

use serde_json::{Value, json};
use ww_api::hex;
use ww_wire::cose::{Item, Items};
use ww_wire::record::Record as _;
use ww_wire::{
    ChainIndex, Domain, Enrolment, Hash, MilliwattHours, ProductionCounter, RecordType,
    Replacement, SensorModel, Sign1, UtcMillis, Window,
};

use crate::world::{START_MS, TestMeter, World, packed, problem};

/// The answer of a real sensor, as far as it matters here.
const STATUS: &str = r#"{"mac":"EC64C9C05E97","emeters":[{"power":16.35},{"power":0.0}]}"#;

async fn enrolment_of(world: &World, meter: &TestMeter) -> (Enrolment, Vec<u8>) {
    let path = format!("/api/v1/meters/{}/enrolment", meter.meter());
    let response = world.get(&path).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/cose");
    let bytes = response.bytes().await.unwrap().to_vec();
    let sign1 = Sign1::decode(&bytes).unwrap();
    (Enrolment::decode(sign1.payload).unwrap(), bytes)
}

#[tokio::test]
async fn a_meter_announces_itself_as_the_seed_did_and_waits() {
    let world = World::start().await;
    let meter = TestMeter::new();
    let body = json!({
        "name": "Hackathon Test 1",
        "public_key": meter.public_key().to_string(),
        "shelly_payload": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, STATUS),
        "boot_timestamp": 1_750_346_382,
    });
    let response = world.post("/api/v1/installations/", &body).await;
    assert_eq!(response.status(), 201);
    let installation: Value = response.json().await.unwrap();
    assert_eq!(installation["is_active"], false);
    assert_eq!(installation["state"], "waiting");
    assert_eq!(installation["shelly_mac"], "EC64C9C05E97");
    assert_eq!(installation["sensor_model"], "shelly_em_gen1");
    assert_eq!(installation["last_boot_timestamp"], 1_750_346_382);
    let path = |meter: &TestMeter| format!("/api/v1/meters/{}/enrolment", meter.meter());
    for (meter, kind) in [
        (&meter, "meter-waiting"),
        (&TestMeter::new(), "unknown-meter"),
    ] {
        let problem = problem(world.get(&path(meter)).await).await;
        assert_eq!(problem["status"], 404);
        assert_eq!(problem["type"], format!("/problems/{kind}"));
    }
}

#[tokio::test]
async fn what_the_meter_proposed_holds_when_the_operator_says_nothing_else() {
    let world = World::start().await;
    let meter = TestMeter::new();
    let body = json!({
        "name": "Balcony",
        "public_key": meter.public_key().to_string(),
        "shelly_mac": "EC64C9C05E97",
        "sensor_model": "shelly_em_gen1",
        "channel": 1,
        "production_counter": "total_returned",
        "rated_power_w": 600,
        "time_zone": "Asia/Kolkata",
    });
    let announced = world.post("/api/v1/installations/", &body).await;
    let announced: Value = announced.json().await.unwrap();
    let approved = world
        .approve(announced["id"].as_u64().unwrap(), &json!({}))
        .await;
    assert_eq!(approved["rated_power_w"], 600);
    assert_eq!(approved["timezone"], "Asia/Kolkata");
    let (enrolment, _) = enrolment_of(&world, &meter).await;
    assert_eq!(enrolment.rated_power.get(), 600);
    assert_eq!(enrolment.channel, 1);
    assert_eq!(
        enrolment.production_counter,
        ProductionCounter::TotalReturned
    );
}

#[tokio::test]
async fn announcing_a_known_key_again_changes_nothing() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let before = world.json("/api/v1/installations/").await;
    let body = json!({"name": "Mine now", "public_key": meter.public_key().to_string()});
    let response = world.post("/api/v1/installations/", &body).await;
    assert_eq!(response.status(), 200);
    assert_eq!(world.json("/api/v1/installations/").await, before);
}

#[tokio::test]
async fn who_announces_a_known_key_learns_nothing_that_a_stranger_may_not_read() {
    let world = World::with(|_| {}).await;
    let meter = world.enrolled().await;
    world.submit(&meter, &meter.reading(0)).await;
    let body = json!({"name": "Mine now", "public_key": meter.public_key().to_string()});
    let told = world.post("/api/v1/installations/", &body).await;
    assert_eq!(told.status(), 200);
    let told: Value = told.json().await.unwrap();
    assert_eq!(told["state"], "active");
    assert_eq!(told["name"], "Mine now");
    for private in ["shelly_mac", "last_seen_at", "created_at", "rated_power_w"] {
        assert_eq!(told[private], Value::Null, "{private}");
    }
    let reader = world.admin_post("/api/v1/installations/", &body).await;
    let reader: Value = reader.json().await.unwrap();
    assert_eq!(reader["shelly_mac"], "EC64C9C05E97");
}

#[tokio::test]
async fn what_is_no_announcement_is_refused_by_name() {
    let world = World::start().await;
    let key = TestMeter::new().public_key().to_string();
    for (body, kind, field) in [
        (
            json!({"name": "x", "public_key": "00".repeat(64)}),
            "key-not-on-curve",
            "public_key",
        ),
        (
            json!({"name": "x", "public_key": "00"}),
            "invalid-field",
            "public_key",
        ),
        (json!({"name": "x"}), "missing-field", "public_key"),
        (
            json!({"name": "", "public_key": key}),
            "invalid-field",
            "name",
        ),
        (
            json!({"name": "x", "public_key": key, "boot_timestamp": -1}),
            "negative-time",
            "boot_timestamp",
        ),
        (
            json!({"name": "x", "public_key": key, "shelly_payload": "§"}),
            "invalid-field",
            "shelly_payload",
        ),
        (
            json!({"name": "x", "public_key": key, "time_zone": "Mars/Olympus"}),
            "invalid-field",
            "time_zone",
        ),
        (
            json!({"name": "x", "public_key": key, "colour": "red"}),
            "unknown-field",
            "colour",
        ),
    ] {
        let problem = problem(world.post("/api/v1/installations/", &body).await).await;
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{problem}");
        assert_eq!(problem["field"], field);
    }
    assert_eq!(world.json("/api/v1/installations/").await, json!([]));
}

#[tokio::test]
async fn only_so_many_meters_may_wait() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.waiting_meters = 2;
    })
    .await;
    world.announce(&TestMeter::new(), "AABBCCDDEE01").await;
    let second = world.announce(&TestMeter::new(), "AABBCCDDEE02").await;
    let body = json!({"name": "third", "public_key": TestMeter::new().public_key().to_string()});
    let problem = problem(world.post("/api/v1/installations/", &body).await).await;
    assert_eq!(problem["type"], "/problems/too-many-waiting");
    world.approve(second, &json!({"rated_power_w": 800})).await;
    assert_eq!(
        world.post("/api/v1/installations/", &body).await.status(),
        201
    );
}

#[tokio::test]
async fn keys_that_fill_the_waiting_list_shut_nobody_out_for_good() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.waiting_meters = 1;
    })
    .await;
    let squatter = TestMeter::new();
    let taken = world.announce(&squatter, "AABBCCDDEE01").await;
    world.clock.set(START_MS + 1_000 + 86_400_000);
    let id = world.announce(&TestMeter::new(), "EC64C9C05E97").await;
    let listed = world.json("/api/v1/installations/").await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["shelly_mac"], "EC64C9C05E97");
    world.approve(id, &json!({"rated_power_w": 800})).await;
    let path = format!("/api/v1/meters/{}/enrolment", squatter.meter());
    let gone = problem(world.get(&path).await).await;
    assert_eq!(gone["type"], "/problems/unknown-meter");
    assert!(taken <= id);
}

#[tokio::test]
async fn an_approval_signs_an_enrolment_that_the_meter_can_fetch_and_accept() {
    let world = World::start().await;
    let meter = TestMeter::new();
    let id = world.announce(&meter, "EC64C9C05E97").await;
    let approved = world
        .approve(
            id,
            &json!({
                "name": "South roof", "time_zone": "Europe/Berlin", "rated_power_w": 800,
                "production_counter": "total_returned", "channel": 1,
                "latitude_e7": 521_000_000, "longitude_e7": 134_000_000,
            }),
        )
        .await;
    assert_eq!(approved["name"], "South roof");
    assert_eq!(approved["timezone"], "Europe/Berlin");
    assert_eq!(approved["is_active"], true);
    assert_eq!(approved["enrolment_accepted"], false);

    let (enrolment, bytes) = enrolment_of(&world, &meter).await;
    assert_eq!(enrolment.meter(), meter.meter());
    assert_eq!(enrolment.operator_key, *world.gateway.operator_key());
    assert_eq!(enrolment.sensor_model, SensorModel::ShellyEmGen1);
    assert_eq!(
        enrolment.production_counter,
        ProductionCounter::TotalReturned
    );
    assert_eq!(enrolment.channel, 1);
    assert_eq!(enrolment.rated_power.get(), 800);
    let sign1 = Sign1::decode(&bytes).unwrap();
    let operator = ww_verify::VerifyingKey::new(enrolment.operator_key).unwrap();
    let domain = Domain::Record(Enrolment::TYPE);
    assert!(
        operator
            .verify(domain, sign1.payload, &sign1.signature)
            .is_ok()
    );

    let signature = meter.sign(Domain::EnrolmentAcceptance, sign1.payload);
    let acceptance = Sign1 {
        payload: sign1.payload,
        signature,
    }
    .encode()
    .unwrap();
    assert_eq!(world.post_records(acceptance.to_vec()).await.status(), 200);
    let shown = world.json(&format!("/api/v1/installations/{id}")).await;
    assert_eq!(shown["enrolment_accepted"], true);
    let path = format!("/api/v1/meters/{}/enrolments", meter.meter());
    let both = world.get(&path).await.bytes().await.unwrap();
    assert_eq!(both, [bytes, acceptance.to_vec()].concat());
}

#[tokio::test]
async fn an_acceptance_that_is_sent_again_writes_nothing() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let (_, bytes) = enrolment_of(&world, &meter).await;
    let sign1 = Sign1::decode(&bytes).unwrap();
    let signature = meter.sign(Domain::EnrolmentAcceptance, sign1.payload);
    let payload = sign1.payload;
    let acceptance = Sign1 { payload, signature }.encode().unwrap().to_vec();
    assert_eq!(world.post_records(acceptance.clone()).await.status(), 200);
    let trail = world.admin_json("/api/v1/audit").await;
    assert_eq!(trail[0]["action"], "enrolment.accept");
    assert_eq!(trail[0]["actor"], format!("meter {}", meter.meter()));
    world.clock.set(START_MS + 100_000);
    assert_eq!(world.post_records(acceptance.clone()).await.status(), 200);
    assert_eq!(world.post_records(bytes.clone()).await.status(), 200);
    assert_eq!(world.admin_json("/api/v1/audit").await, trail);
    let shown = world
        .json(&format!("/api/v1/installations/{}", meter.id))
        .await;
    assert_eq!(shown["last_seen_at"], "2025-06-19T16:50:01.000000");
    let many = [&acceptance[..], &acceptance[..]].concat();
    let problem = problem(world.post_records(many).await).await;
    assert_eq!(problem["type"], "/problems/batch-too-large");
}

#[tokio::test]
async fn an_acceptance_of_what_no_operator_signed_is_refused() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let (enrolment, _) = enrolment_of(&world, &meter).await;
    let forged = Enrolment {
        rated_power: ww_wire::Watts::new(80_000).unwrap(),
        ..enrolment
    };
    let payload = forged.encode().unwrap();
    let signature = meter.sign(Domain::EnrolmentAcceptance, &payload);
    let body = Sign1 {
        payload: &payload,
        signature,
    }
    .encode()
    .unwrap()
    .to_vec();
    let problem = problem(world.post_records(body).await).await;
    assert_eq!(problem["type"], "/problems/enrolment-unknown", "{problem}");
}

#[tokio::test]
async fn an_offline_operator_brings_a_signed_enrolment() {
    let operator = TestMeter::new();
    let key = operator.public_key();
    let world = World::with(|config| {
        config.public_read = true;
        config.trusted_operator_keys = vec![key.to_string()];
    })
    .await;
    let meter = TestMeter::new();
    let id = world.announce(&meter, "EC64C9C05E97").await;
    let template = world.enrolled_elsewhere(&operator, &meter);
    let body = json!({"record": hex::encode(&operator.sign1(&template))});
    let approved = world.approve(id, &body).await;
    assert_eq!(approved["rated_power_w"], 900);

    let stranger = TestMeter::new();
    let forged = world.enrolled_elsewhere(&stranger, &meter);
    let body = json!({"record": hex::encode(&stranger.sign1(&forged))});
    let path = format!("/api/v1/installations/{id}/approve");
    let refused = problem(world.admin_post(&path, &body).await).await;
    assert_eq!(refused["type"], "/problems/unknown-operator");
    let foreign = world.enrolled_elsewhere(&operator, &TestMeter::new());
    let body = json!({"record": hex::encode(&operator.sign1(&foreign))});
    let refused = problem(world.admin_post(&path, &body).await).await;
    assert_eq!(refused["type"], "/problems/enrolment-foreign");
}

#[tokio::test]
async fn a_gateway_set_up_anew_learns_the_number_in_force_from_the_meter() {
    for approvals in [1, 2] {
        let before = World::start().await;
        let meter = before.enrolled().await;
        for _ in 1..approvals {
            before.approve(meter.id, &json!({})).await;
        }
        let (in_force, shown) = enrolment_of(&before, &meter).await;
        assert_eq!(in_force.number, approvals);

        let folder = tempfile::tempdir().unwrap();
        let key = |folder: &std::path::Path| folder.join("operator.key");
        std::fs::copy(key(before.folder.path()), key(folder.path())).unwrap();
        let world = World::open(folder, |config| config.public_read = true).await;
        world.clock.set(START_MS + 100_000);
        let id = world.announce(&meter, "EC64C9C05E97").await;
        world.approve(id, &json!({"rated_power_w": 900})).await;
        let (approved, _) = enrolment_of(&world, &meter).await;
        assert_eq!(approved.number, 1);

        assert_eq!(world.post_records(shown.clone()).await.status(), 200);
        let (renewed, bytes) = enrolment_of(&world, &meter).await;
        assert_eq!(renewed.number, approvals + 1);
        assert_eq!(renewed.rated_power.get(), 900);
        let payload = Sign1::decode(&bytes).unwrap().payload;
        let signature = meter.sign(Domain::EnrolmentAcceptance, payload);
        let consent = Sign1 { payload, signature }.encode().unwrap().to_vec();
        assert_eq!(world.post_records(consent).await.status(), 200);
        // What is behind now stays behind.
        let again = problem(world.post_records(shown).await).await;
        assert_eq!(again["type"], "/problems/key-exists", "{again}");
    }
}

#[tokio::test]
async fn an_approval_names_what_is_missing_or_wrong() {
    let world = World::start().await;
    let meter = TestMeter::new();
    let body = json!({"name": "bare", "public_key": meter.public_key().to_string()});
    let response = world.post("/api/v1/installations/", &body).await;
    let id = response.json::<Value>().await.unwrap()["id"]
        .as_u64()
        .unwrap();
    let path = format!("/api/v1/installations/{id}/approve");
    let full = json!({"rated_power_w": 800, "shelly_mac": "EC64C9C05E97", "sensor_model": "shelly_em_gen1"});
    for (field, value) in [
        ("rated_power_w", Value::Null),
        ("shelly_mac", Value::Null),
        ("sensor_model", Value::Null),
        ("sensor_model", json!("toaster")),
        ("time_zone", json!("Europe/Atlantis")),
        ("name", json!("x".repeat(65))),
    ] {
        let mut body = full.clone();
        body[field] = value;
        let problem = problem(world.admin_post(&path, &body).await).await;
        assert_eq!(problem["field"], field, "{problem}");
        assert_eq!(problem["status"], 422);
    }
    let shown = world.json(&format!("/api/v1/installations/{id}")).await;
    assert_eq!(shown["state"], "waiting");
}

#[tokio::test]
async fn a_sensor_has_one_active_meter_and_a_revoked_key_stays_revoked() {
    let world = World::start().await;
    let first = world.enrolled().await;
    let second = TestMeter::new();
    let id = world.announce(&second, "EC64C9C05E97").await;
    let path = format!("/api/v1/installations/{id}/approve");
    let body = json!({"rated_power_w": 800});
    let taken = problem(world.admin_post(&path, &body).await).await;
    assert_eq!(taken["type"], "/problems/sensor-in-use", "{taken}");
    let revoke = format!("/api/v1/installations/{}/revoke", first.id);
    let reason = json!({"reason": "decommissioned", "note": "roof rebuilt"});
    assert_eq!(world.admin_post(&revoke, &reason).await.status(), 200);
    assert_eq!(world.admin_post(&path, &body).await.status(), 200);
    let again = format!("/api/v1/installations/{}/approve", first.id);
    let refused = problem(world.admin_post(&again, &body).await).await;
    assert_eq!(refused["type"], "/problems/state-conflict");
}

#[tokio::test]
async fn a_replaced_meter_hands_its_lifetime_total_on() {
    let world = World::start().await;
    let old = world.enrolled().await;
    let readings: Vec<_> = (0..60).map(|place| old.reading(place)).collect();
    let boot = old.boot();
    let window = old.window(&readings, 1, boot.encode().unwrap().digest());
    let body = [old.sign1(&boot), old.sign1(&window), packed(&readings)].concat();
    assert_eq!(world.post_records(body).await.status(), 200);

    let new = TestMeter::new();
    let id = world.announce(&new, "EC64C9C05E97").await;
    let approved = world
        .approve(id, &json!({"rated_power_w": 800, "replaces": old.id}))
        .await;
    assert_eq!(approved["replaces"], old.id);
    let path = format!("/api/v1/meters/{}/statements", new.meter());
    let statements = world.get(&path).await;
    assert_eq!(statements.headers()["content-type"], "application/cose");
    let statements = statements.bytes().await.unwrap();
    let kinds: Vec<_> = Items::new(&statements)
        .map(|item| match item.unwrap() {
            Item::Sign1(sign1) => RecordType::of(sign1.payload).unwrap(),
            Item::Readings(_) => panic!("no readings among statements"),
        })
        .collect();
    assert_eq!(kinds, [RecordType::Replacement, RecordType::Label]);
    let late = problem(world.submit(&old, &old.reading(60)).await).await;
    assert_eq!(late["type"], "/problems/meter-replaced");
    assert_eq!(late["status"], 403);
    // It may still say how it is, and hears in the answer how far its backlog is held.
    assert_eq!(
        world.post_records(old.sign1(&old.report())).await.status(),
        200
    );
    world.clock.set(START_MS + 660_000);
    let reading = ww_wire::Reading {
        time: ww_wire::UtcMillis::new(START_MS + 650_000),
        produced: ww_wire::MilliwattHours::new(1_100).unwrap(),
        ..new.reading(0)
    };
    assert_eq!(world.submit(&new, &reading).await.status(), 201);
    let energy = world
        .json(&format!("/api/v1/installations/{id}/energy"))
        .await;
    assert_eq!(energy["lifetime_wh"].to_string(), "7.0");
    let park = world.json("/api/v1/status/").await;
    assert_eq!(park["installations"][0]["liveness"], "silent");
    let why = park["installations"][0]["why"].as_str().unwrap();
    assert_eq!(why, format!("installation {id} has taken its place"));
    assert_eq!(park["status"], "healthy", "{park}");
}

#[tokio::test]
async fn what_a_new_meter_measured_beside_the_old_one_is_counted_once() {
    let world = World::start().await;
    let old = world.enrolled().await;
    with_a_window(&world, &old).await;
    // On the same Shelly a second meter has queued the same ten minutes, and ten more.
    let new = TestMeter::new();
    let id = world.announce(&new, "EC64C9C05E97").await;
    let beside: Vec<_> = (0..60).map(|place| new.reading(place)).collect();
    let after: Vec<_> = (60..120).map(|place| new.reading(place)).collect();
    let boot = new.boot();
    let first = new.window(&beside, 1, boot.encode().unwrap().digest());
    let second = Window {
        produced_open: first.produced_close,
        ..new.window(&after, 2, first.encode().unwrap().digest())
    };
    let backlog = [
        new.sign1(&boot),
        new.sign1(&first),
        packed(&beside),
        new.sign1(&second),
        packed(&after),
    ]
    .concat();
    let early = problem(world.post_records(backlog.clone()).await).await;
    assert_eq!(early["type"], "/problems/meter-waiting");
    world.clock.set(START_MS + 1_300_000);
    world
        .approve(id, &json!({"rated_power_w": 800, "replaces": old.id}))
        .await;
    assert_eq!(world.post_records(backlog).await.status(), 200);
    let path = format!("/api/v1/installations/{id}/energy");
    let energy = world.json(&path).await;
    for field in ["lifetime_wh", "today_wh"] {
        assert_eq!(energy[field].to_string(), "11.9", "{field}");
    }
    assert_eq!(energy["overlap_wh"].to_string(), "5.9");
    // It is stored and shown for itself.
    let list = format!("/api/v1/readings/{id}?start_time=1970-01-01T00:00:00Z");
    assert_eq!(world.json(&list).await.as_array().unwrap().len(), 120);
}

/// Boot and one window of a meter, sent and acknowledged.
async fn with_a_window(world: &World, meter: &TestMeter) -> Window {
    let readings: Vec<_> = (0..60).map(|place| meter.reading(place)).collect();
    let boot = meter.boot();
    let window = meter.window(&readings, 1, boot.encode().unwrap().digest());
    let body = [meter.sign1(&boot), meter.sign1(&window), packed(&readings)];
    assert_eq!(world.post_records(body.concat()).await.status(), 200);
    window
}

fn replacement(old: &TestMeter, new: &TestMeter, window: &Window) -> Replacement {
    Replacement {
        signer: old.meter(),
        old_meter: old.meter(),
        new_meter: new.meter(),
        time: UtcMillis::new(START_MS).unwrap(),
        last_index: window.chain_index,
        last_digest: window.encode().unwrap().digest(),
        produced_close: window.produced_close,
    }
}

#[tokio::test]
async fn the_key_of_one_meter_cannot_raise_the_lifetime_of_another() {
    let world = World::start().await;
    let thief = world.enrolled().await;
    let mut other = TestMeter::new();
    other.id = world.announce(&other, "AABBCCDDEE01").await;
    world
        .approve(other.id, &json!({"rated_power_w": 800}))
        .await;
    let window = with_a_window(&world, &thief).await;
    let honest = replacement(&thief, &other, &window);
    let forged = Replacement {
        last_index: ChainIndex::new(1 << 40).unwrap(),
        last_digest: Hash([1; 32]),
        produced_close: MilliwattHours::new(1 << 62).unwrap(),
        ..honest
    };
    for record in [forged, honest] {
        let problem = problem(world.post_records(thief.sign1(&record)).await).await;
        assert_eq!(problem["type"], "/problems/unknown-operator", "{problem}");
    }
    let path = format!("/api/v1/installations/{}/energy", other.id);
    let energy = world.json(&path).await;
    assert_eq!(energy["lifetime_wh"].to_string(), "0.0");
    // Nor does an operator's approval help a record that does not fit.
    let approve = format!("/api/v1/installations/{}/approve", other.id);
    let body = json!({"replacement": hex::encode(&thief.sign1(&forged))});
    let refused = problem(world.admin_post(&approve, &body).await).await;
    assert_eq!(refused["type"], "/problems/state-conflict", "{refused}");
}

#[tokio::test]
async fn the_old_meters_own_word_takes_effect_with_an_operators_approval() {
    let world = World::start().await;
    let old = world.enrolled().await;
    let window = with_a_window(&world, &old).await;
    let new = TestMeter::new();
    let id = world.announce(&new, "EC64C9C05E97").await;
    let word = hex::encode(&old.sign1(&replacement(&old, &new, &window)));
    let body = json!({"rated_power_w": 800, "replacement": word});
    let approved = world.approve(id, &body).await;
    assert_eq!(approved["replaces"], old.id);
    let energy = world
        .json(&format!("/api/v1/installations/{id}/energy"))
        .await;
    assert_eq!(energy["lifetime_wh"].to_string(), "5.9");
}

#[tokio::test]
async fn an_approval_that_is_refused_replaces_nothing() {
    let world = World::start().await;
    let old = world.enrolled().await;
    with_a_window(&world, &old).await;
    let other = world.announce(&TestMeter::new(), "AABBCCDDEE01").await;
    world.approve(other, &json!({"rated_power_w": 800})).await;
    let new = world.announce(&TestMeter::new(), "AABBCCDDEE01").await;
    let path = format!("/api/v1/installations/{new}/approve");
    let body = json!({"rated_power_w": 800, "replaces": old.id});
    let refused = problem(world.admin_post(&path, &body).await).await;
    assert_eq!(refused["type"], "/problems/sensor-in-use");
    let shown = world
        .json(&format!("/api/v1/installations/{}", old.id))
        .await;
    assert_eq!(shown["replaced_by"], Value::Null);
    assert_eq!(world.submit(&old, &old.reading(60)).await.status(), 201);
}
