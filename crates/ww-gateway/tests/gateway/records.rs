//! The binary door: chain records in, an Acknowledgement out, and the same bytes out again.

use serde_json::{Value, json};
use ww_api::hex;
use ww_store::{NewAudit, Store as _, Verified};
use ww_wire::cose::{Item, Items};
use ww_wire::merkle;
use ww_wire::record::Record as _;
use ww_wire::{
    Acknowledgement, Domain, Hash, Label, Milliamperes, Millivars, Millivolts, MilliwattHours,
    Milliwatts, Reading, Text, UtcMillis, Window,
};

use crate::world::{START_MS, TestMeter, World, packed, problem};

fn readings(meter: &TestMeter, places: std::ops::Range<u64>) -> Vec<Reading> {
    places.map(|place| meter.reading(place)).collect()
}

/// Boot and the first window, and the body that carries both.
fn first_window(meter: &TestMeter) -> (Window, Vec<u8>) {
    let boot = meter.boot();
    let window = meter.window(&readings(meter, 0..60), 1, boot.encode().unwrap().digest());
    let body = [
        meter.sign1(&boot),
        meter.sign1(&window),
        packed(&readings(meter, 0..60)),
    ];
    (window, body.concat())
}

async fn acknowledged(response: reqwest::Response) -> Acknowledgement {
    assert_eq!(response.status(), 200);
    let media_type = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(media_type, "application/vnd.wattwitness.acknowledgement");
    Acknowledgement::decode(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn boot_and_window_with_readings_are_acknowledged_and_shown() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let (window, body) = first_window(&meter);
    let acknowledgement = acknowledged(world.post_records(body).await).await;
    assert_eq!(acknowledgement.meter, meter.meter());
    assert_eq!(acknowledgement.next_index.get(), 2);
    assert_eq!(acknowledgement.time.unwrap().get(), START_MS + 1_000);
    let installation = world
        .json(&format!("/api/v1/installations/{}", meter.id))
        .await;
    assert_eq!(
        installation["enrolment_digest"],
        acknowledgement.enrolment.to_string()
    );
    assert_eq!(installation["last_boot_timestamp"], START_MS / 1000 - 5);
    assert_eq!(world.visible_readings(meter.id).await, 60);
    let windows = world
        .json(&format!("/api/v1/installations/{}/windows", meter.id))
        .await;
    assert_eq!(windows[0]["id"], 1);
    assert_eq!(windows[0]["record"], hex::encode(&window.encode().unwrap()));
    assert_eq!(windows[0]["energy_wh"].to_string(), "5.9");
}

#[tokio::test]
async fn the_same_body_again_is_acknowledged_and_doubles_nothing() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let (_, body) = first_window(&meter);
    acknowledged(world.post_records(body.clone()).await).await;
    let again = acknowledged(world.post_records(body).await).await;
    assert_eq!(again.next_index.get(), 2);
    assert_eq!(world.visible_readings(meter.id).await, 60);
}

#[tokio::test]
async fn a_sealed_reading_is_proven_by_its_window_alone() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for reading in readings(&meter, 0..60) {
        world.submit(&meter, &reading).await;
    }
    let (window, body) = first_window(&meter);
    acknowledged(world.post_records(body).await).await;
    let id = (meter.id << 29) + 38;
    let shown = world
        .json(&format!("/api/v1/installations/{}/readings/{id}", meter.id))
        .await;
    assert_eq!(shown["signature"], Value::Null);
    assert_eq!(shown["window_id"], 1);
    let proof = &shown["proof"];
    assert_eq!(proof["leaf_index"], 37);
    assert_eq!(proof["leaf_count"], 60);
    assert_eq!(
        proof["window_record"],
        hex::encode(&window.encode().unwrap())
    );
    let path: Vec<Hash> = proof["path"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hash| Hash(hex::decode_array(hash.as_str().unwrap()).unwrap()))
        .collect();
    let payload = meter.reading(37).encode().unwrap();
    assert_eq!(shown["record"], hex::encode(&payload));
    let leaf = merkle::leaf_hash(&payload);
    assert_eq!(
        merkle::verify_inclusion(&leaf, 37, 60, &path, &window.root),
        Ok(())
    );
}

#[tokio::test]
async fn a_reading_that_was_sealed_gets_its_proof_when_it_comes_again() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let (_, body) = first_window(&meter);
    acknowledged(world.post_records(body).await).await;
    let again = world.submit(&meter, &meter.reading(3)).await;
    assert_eq!(again.status(), 200);
    let shown: Value = again.json().await.unwrap();
    assert_eq!(shown["signature"], Value::Null);
    assert_eq!(shown["proof"]["leaf_index"], 3);
}

#[tokio::test]
async fn single_readings_and_status_reports_pass_the_binary_door_too() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let body = [meter.sign1(&meter.reading(0)), meter.sign1(&meter.report())].concat();
    let acknowledgement = acknowledged(world.post_records(body).await).await;
    assert_eq!(acknowledgement.next_index.get(), 0);
    assert_eq!(world.visible_readings(meter.id).await, 1);
}

#[tokio::test]
async fn records_come_out_as_they_went_in() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let (_, body) = first_window(&meter);
    acknowledged(world.post_records(body.clone()).await).await;
    let path = format!("/api/v1/meters/{}/records", meter.meter());
    let response = world.get(&path).await;
    assert_eq!(response.headers()["content-type"], "application/cose");
    let out = response.bytes().await.unwrap();
    let kinds = |bytes: &[u8]| -> Vec<bool> {
        Items::new(bytes)
            .map(|item| matches!(item.unwrap(), Item::Sign1(_)))
            .collect()
    };
    assert_eq!(kinds(&out), [true, true, false]);
    assert_eq!(out, body);
    let only = world.get(&format!("{path}?from_index=0&to_index=0")).await;
    assert_eq!(only.bytes().await.unwrap(), meter_boot_bytes(&body));
}

/// The first item of a body.
fn meter_boot_bytes(body: &[u8]) -> &[u8] {
    let Some(Ok(Item::Sign1(first))) = Items::new(body).next() else {
        panic!("the body begins with a record");
    };
    &body[..first.encode().unwrap().len()]
}

#[tokio::test]
async fn a_spliced_window_is_refused_whatever_was_changed() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let boot = meter.boot();
    let honest = meter.window(&readings(&meter, 0..60), 1, boot.encode().unwrap().digest());
    let mut richer = readings(&meter, 0..60);
    richer[59].produced = MilliwattHours::new(1_000_000).unwrap();
    let cases = [
        (
            "root",
            Window {
                root: Hash([1; 32]),
                ..honest
            },
        ),
        (
            "produced_close",
            Window {
                produced_close: MilliwattHours::new(9_999).unwrap(),
                ..honest
            },
        ),
        (
            "first_time",
            Window {
                first_time: None,
                ..honest
            },
        ),
    ];
    for (field, window) in cases {
        let body = [
            meter.sign1(&boot),
            meter.sign1(&window),
            packed(&readings(&meter, 0..60)),
        ];
        let problem = problem(world.post_records(body.concat()).await).await;
        assert_eq!(
            problem["type"], "/problems/window-contradicts-readings",
            "{problem}"
        );
        assert_eq!(problem["field"], field);
    }
    let body = [meter.sign1(&boot), meter.sign1(&honest), packed(&richer)].concat();
    let problem = problem(world.post_records(body).await).await;
    assert_eq!(problem["type"], "/problems/window-contradicts-readings");
    assert_eq!(world.visible_readings(meter.id).await, 0);
    let installation = world
        .json(&format!("/api/v1/installations/{}", meter.id))
        .await;
    assert_eq!(
        installation["firmware_digest"],
        Value::Null,
        "the boot was not stored either"
    );
}

#[tokio::test]
async fn a_window_that_contradicts_a_reading_signed_before_is_equivocation() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let other = Reading {
        voltage: ww_wire::Millivolts::new(1),
        ..meter.reading(0)
    };
    assert_eq!(world.submit(&meter, &other).await.status(), 201);
    let (_, body) = first_window(&meter);
    let problem = problem(world.post_records(body).await).await;
    assert_eq!(problem["status"], 409, "{problem}");
    assert_eq!(problem["type"], "/problems/equivocation");
    let findings = world
        .json(&format!("/api/v1/installations/{}/findings", meter.id))
        .await;
    assert_eq!(findings[0]["kind"], "window-contradicts-reading");
}

#[tokio::test]
async fn a_chain_that_does_not_follow_itself_is_broken() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let boot = meter.boot();
    let window = meter.window(&readings(&meter, 0..60), 1, Hash([5; 32]));
    let body = [meter.sign1(&boot), meter.sign1(&window)].concat();
    let problem = problem(world.post_records(body).await).await;
    assert_eq!(problem["type"], "/problems/chain-broken", "{problem}");
    assert_eq!(problem["record"]["chain_index"], 1);
}

#[tokio::test]
async fn bytes_that_are_no_records_are_refused_by_name() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let good = meter.sign1(&meter.reading(0));
    let mut unprotected = good.clone();
    unprotected[6] = 0xa1;
    let mut foreign = good.clone();
    *foreign.last_mut().unwrap() ^= 1;
    let two_meters = [good.clone(), TestMeter::new().sign1(&meter.boot())].concat();
    for (body, expected) in [
        (Vec::new(), "empty-batch"),
        (good[..good.len() - 1].to_vec(), "record-truncated"),
        (b"not cbor at all".to_vec(), "cose-malformed"),
        (unprotected, "cose-malformed"),
        (foreign, "signature-invalid"),
        (two_meters, "signature-invalid"),
        (packed(&readings(&meter, 0..3)), "readings-malformed"),
    ] {
        let problem = problem(world.post_records(body).await).await;
        assert_eq!(
            problem["type"],
            format!("/problems/{expected}"),
            "{problem}"
        );
    }
    assert_eq!(world.visible_readings(meter.id).await, 0);
}

#[tokio::test]
async fn a_batch_of_two_meters_is_refused() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let other = TestMeter::new();
    let id = world.announce(&other, "AABBCCDDEEFF").await;
    world.approve(id, &json!({"rated_power_w": 800})).await;
    let body = [
        meter.sign1(&meter.reading(0)),
        other.sign1(&other.reading(0)),
    ]
    .concat();
    let problem = problem(world.post_records(body).await).await;
    assert_eq!(problem["type"], "/problems/mixed-batch");
    assert_eq!(problem["record"]["position"], 1);
    assert_eq!(world.visible_readings(meter.id).await, 0);
}

#[tokio::test]
async fn records_that_anyone_sends_again_use_up_nothing_of_the_meters() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.meter_records_per_s = 1;
        config.limits.meter_burst = 3;
    })
    .await;
    let meter = world.enrolled().await;
    let first = meter.sign1(&meter.reading(0));
    assert_eq!(world.post_records(first.clone()).await.status(), 200);
    let path = format!("/api/v1/installations/{}", meter.id);
    let heard = world.json(&path).await["last_seen_at"].clone();
    world.clock.set(START_MS + 7_200_000);
    for _ in 0..10 {
        assert_eq!(world.post_records(first.clone()).await.status(), 200);
        assert_eq!(world.submit(&meter, &meter.reading(0)).await.status(), 200);
    }
    let shown = world.json(&path).await;
    assert_eq!(shown["last_seen_at"], heard);
    assert_eq!(shown["liveness"], "silent");
    assert_eq!(world.submit(&meter, &meter.reading(1)).await.status(), 201);
    let second = meter.sign1(&meter.reading(2));
    assert_eq!(world.post_records(second).await.status(), 200);
    assert_eq!(world.json(&path).await["liveness"], "live");
}

#[tokio::test]
async fn who_sends_known_records_again_pays_for_it() {
    let world = World::with(|config| {
        config.limits.peer_requests_per_s = 1;
        config.limits.peer_burst = 20;
    })
    .await;
    let meter = world.enrolled().await;
    let (_, body) = first_window(&meter);
    acknowledged(world.post_records(body.clone()).await).await;
    let reading = meter.sign1(&meter.reading(0));
    let many = reading.repeat(30);
    assert_eq!(world.post_records(many).await.status(), 200);
    let problem = problem(world.post_records(body).await).await;
    assert_eq!(problem["type"], "/problems/rate-limited");
}

#[tokio::test]
async fn a_window_that_does_not_open_where_the_last_one_closed_is_refused_with_evidence() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let (window, body) = first_window(&meter);
    acknowledged(world.post_records(body).await).await;
    let next = readings(&meter, 60..120);
    let honest = Window {
        produced_open: window.produced_close,
        ..meter.window(&next, 2, window.encode().unwrap().digest())
    };
    let torn = Window {
        produced_open: MilliwattHours::ZERO,
        ..honest
    };
    let body = [meter.sign1(&torn), packed(&next)].concat();
    let refused = problem(world.post_records(body).await).await;
    assert_eq!(refused["type"], "/problems/energy-torn-apart", "{refused}");
    assert_eq!(refused["status"], 409);
    assert_eq!(refused["field"], "produced_open");
    let path = format!("/api/v1/installations/{}/evidence", meter.id);
    let evidence = world.json(&path).await;
    assert_eq!(evidence[0]["kind"], "energy-torn-apart");
    assert_eq!(evidence[0]["number"], 2);
    let shown = |record: &Window| hex::encode(&record.encode().unwrap());
    assert_eq!(evidence[0]["stored"]["record"], shown(&window));
    assert_eq!(evidence[0]["refused"]["record"], shown(&torn));
    assert!(evidence[0]["refused"]["signature"].is_string());
    assert!(evidence[0]["refused_readings"].is_string());
    let windows = format!("/api/v1/installations/{}/windows", meter.id);
    assert_eq!(world.json(&windows).await.as_array().unwrap().len(), 1);
    let body = [meter.sign1(&honest), packed(&next)].concat();
    acknowledged(world.post_records(body).await).await;
    assert_eq!(
        world.json(&windows).await[1]["energy_wh"].to_string(),
        "6.0"
    );
}

/// The pages of a list, and how many rows each has.
async fn pages(world: &World, path: &str) -> Vec<(usize, usize)> {
    let (mut pages, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let page = world.get(&path).await;
        let link = page.headers().get("link");
        next = link.map(|link| {
            let link = link.to_str().unwrap().trim_start_matches('<');
            link.split('>').next().unwrap().to_owned()
        });
        let body = page.bytes().await.unwrap();
        let rows = match serde_json::from_slice::<Vec<serde_json::Value>>(&body) {
            Ok(rows) => rows.len(),
            Err(_) => Items::new(&body).map(Result::unwrap).count(),
        };
        pages.push((rows, body.len()));
    }
    pages
}

#[tokio::test]
async fn a_page_of_evidence_ends_early_where_the_evidence_is_large() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let (window, body) = first_window(&meter);
    acknowledged(world.post_records(body).await).await;
    let mut next = readings(&meter, 60..660);
    for (at, reading) in (0_u64..).zip(&mut next) {
        let noise = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        reading.power = Milliwatts::new((noise >> 32) as i64);
        reading.reactive_power = Millivars::new((noise & 0xffff_ffff) as i64);
        reading.voltage = Millivolts::new((noise >> 34) as u32);
        reading.current = Milliamperes::new((noise >> 33) as u32);
    }
    for open in 0..12 {
        let torn = Window {
            produced_open: MilliwattHours::new(open).unwrap(),
            ..meter.window(&next, 2, window.encode().unwrap().digest())
        };
        let body = [meter.sign1(&torn), packed(&next)].concat();
        assert_eq!(world.post_records(body).await.status(), 409);
    }
    let path = format!("/api/v1/installations/{}/evidence", meter.id);
    let pages = pages(&world, &path).await;
    let rows: Vec<_> = pages.iter().map(|(rows, _)| *rows).collect();
    assert_eq!(rows.iter().sum::<usize>(), 12, "{pages:?}");
    assert!(
        rows.len() > 1 && pages.iter().all(|(_, bytes)| *bytes < 512 << 10),
        "{pages:?}"
    );
}

#[tokio::test]
async fn statements_come_in_pages_of_bounded_length() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let operator = *world.gateway.operator_key();
    for number in 0..1_200 {
        let label = Label {
            operator: operator.id(),
            meter: meter.meter(),
            time: UtcMillis::new(START_MS + number).unwrap(),
            name: Text::new("Roof").unwrap(),
            time_zone: Text::new("UTC").unwrap(),
        };
        let label = Verified::vouched(label, meter.sign(Domain::Record(Label::TYPE), b"any"));
        let audit = NewAudit {
            at: None,
            actor: "test".to_owned(),
            action: "test".to_owned(),
            subject: "test".to_owned(),
            detail: String::new(),
        };
        world.store.label(label, audit).await.unwrap();
    }
    let path = format!("/api/v1/meters/{}/statements", meter.meter());
    let pages = pages(&world, &path).await;
    // The approval brought one of its own.
    assert_eq!(pages.iter().map(|(rows, _)| rows).sum::<usize>(), 1_201);
    assert!(
        pages.len() > 1 && pages.iter().all(|(_, bytes)| *bytes < 257 << 10),
        "{pages:?}"
    );
}

#[tokio::test]
async fn readings_of_a_backlog_are_looked_at_like_live_ones() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut odd = readings(&meter, 0..60);
    for reading in &mut odd[10..20] {
        reading.power = Milliwatts::new(1_080_001);
    }
    let boot = meter.boot();
    let window = meter.window(&odd, 1, boot.encode().unwrap().digest());
    let body = [meter.sign1(&boot), meter.sign1(&window), packed(&odd)].concat();
    acknowledged(world.post_records(body.clone()).await).await;
    let path = format!("/api/v1/installations/{}/findings", meter.id);
    let findings = world.json(&path).await;
    let shown: Vec<_> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["kind"].as_str().unwrap(), finding["number"].clone()))
        .collect();
    // The gateway's clock stands at the first second of the window: the eighth is a minute ahead.
    let expected = [
        ("future-time", json!(8)),
        ("power-above-rating", json!(11)),
        ("counter-and-power-disagree", json!(1)),
    ];
    assert_eq!(shown, expected);
    let detail = findings[1]["detail"].as_str().unwrap();
    assert!(detail.ends_with("10 readings of this window"), "{detail}");
    acknowledged(world.post_records(body).await).await;
    assert_eq!(world.json(&path).await, findings);
}

#[tokio::test]
async fn a_backlog_is_judged_by_the_enrolment_under_which_it_was_measured() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let path = format!("/api/v1/installations/{}", meter.id);
    let shown = world.json(&path).await;
    let digest = shown["enrolment_digest"].as_str().unwrap();
    let enrolment = Hash(hex::decode_array(digest).unwrap());
    world
        .approve(meter.id, &json!({"ct_ratio_milli": 4_000}))
        .await;
    world.clock.set(START_MS + 600_000);
    // Four times as much would be more than the plant can do.
    let mut strong = readings(&meter, 0..60);
    for reading in &mut strong {
        reading.power = Milliwatts::new(300_000);
    }
    let boot = meter.boot();
    let window = Window {
        enrolment,
        ..meter.window(&strong, 1, boot.encode().unwrap().digest())
    };
    let body = [meter.sign1(&boot), meter.sign1(&window), packed(&strong)];
    acknowledged(world.post_records(body.concat()).await).await;
    let findings = world.json(&format!("{path}/findings")).await;
    let above = |finding: &Value| finding["kind"] == "power-above-rating";
    assert!(
        !findings.as_array().unwrap().iter().any(above),
        "{findings}"
    );
}
