//! Readings as a table.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use serde_json::json;
use ww_gateway::StopReason;
use ww_store::{Ingest, NewAudit, Store as _, Verified};
use ww_wire::record::Record as _;
use ww_wire::{AnyReading, Domain, MilliwattHours, Milliwatts, Reading, ReadingFlags, UtcMillis};

use crate::world::{START_MS, TestMeter, World, packed, problem};

const HEAD: &str = "time_utc,time_local,sequence,power_w,voltage_v,reactive_power_var,produced_wh,total_wh,flags,signature_state";

#[tokio::test]
async fn readings_are_rows_with_the_times_of_the_site_oldest_first() {
    let world = World::start().await;
    let mut meter = TestMeter::new();
    meter.id = world.announce(&meter, "EC64C9C05E97").await;
    let body = json!({"rated_power_w": 800, "time_zone": "Asia/Kolkata", "ct_ratio_milli": 2_000});
    world.approve(meter.id, &body).await;
    let sealed: Vec<_> = (0..2).map(|place| meter.reading(place)).collect();
    let boot = meter.boot();
    let window = meter.window(&sealed, 1, boot.encode().unwrap().digest());
    let records = [meter.sign1(&boot), meter.sign1(&window), packed(&sealed)];
    assert_eq!(world.post_records(records.concat()).await.status(), 200);
    let failed = Reading {
        power: None,
        import_total: None,
        export_total: None,
        voltage: None,
        current: None,
        reactive_power: None,
        flags: ReadingFlags::SENSOR_UNREACHABLE,
        produced: MilliwattHours::new(200).unwrap(),
        ..meter.reading(3)
    };
    let drawing = Reading {
        power: Milliwatts::new(-7_505),
        flags: ReadingFlags::RECOVERED.with(ReadingFlags::CLOCK_STEPPED),
        ..meter.reading(2)
    };
    for reading in [&failed, &drawing] {
        assert_eq!(world.submit(&meter, reading).await.status(), 201);
    }
    let path = format!("/api/v1/installations/{}/readings.csv", meter.id);
    let response = world.get(&path).await;
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-type").starts_with("text/csv"));
    let file = format!(
        "attachment; filename=\"installation-{}-readings.csv\"",
        meter.id
    );
    assert_eq!(header("content-disposition"), file);
    let rows = [
        HEAD,
        "2025-06-19T16:50:00.000000,2025-06-19T22:20:00.000000+05:30,1,32.7,237.13,24.38,0.0,8.9,,sealed",
        "2025-06-19T16:50:10.000000,2025-06-19T22:20:10.000000+05:30,2,32.7,237.13,24.38,0.1,9.0,,sealed",
        "2025-06-19T16:50:20.000000,2025-06-19T22:20:20.000000+05:30,3,-15.01,237.13,24.38,0.2,9.1,recovered clock_stepped,signed",
        "2025-06-19T16:50:30.000000,2025-06-19T22:20:30.000000+05:30,4,,,,0.2,,sensor_unreachable,signed",
        "",
    ];
    let table = response.text().await.unwrap();
    assert_eq!(table.split("\r\n").collect::<Vec<_>>(), rows);

    let some = world
        .get(&format!(
            "{path}?start_time=2025-06-19T16:50:10Z&end_time=2025-06-19T16:50:20Z"
        ))
        .await;
    assert_eq!(some.text().await.unwrap().split("\r\n").count(), 4);
    let none = world.get(&format!("{path}?end_time=2025-01-01")).await;
    assert_eq!(none.text().await.unwrap(), format!("{HEAD}\r\n"));
    let head = world.client.head(world.url(&path)).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-disposition"], file);
    assert_eq!(head.text().await.unwrap(), "");
    let missing = world.get("/api/v1/installations/99/readings.csv").await;
    assert_eq!(problem(missing).await["type"], "/problems/not-found");
}

/// Stores more readings than the buffers of a connection hold rows of.
async fn with_many(world: &World, meter: &TestMeter, count: u64) {
    let signature = meter.sign(Domain::Record(Reading::TYPE), &[]);
    for start in (0..count).step_by(5_000) {
        let batch = (start..(start + 5_000).min(count)).map(|place| {
            let reading = AnyReading::SinglePhase(meter.reading(place));
            Ingest::Reading(Verified::vouched(reading, signature))
        });
        let received = UtcMillis::new(START_MS);
        world.store.ingest(batch.collect(), received).await.unwrap();
    }
}

#[tokio::test]
async fn a_table_of_many_pages_is_whole() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    with_many(&world, &meter, 10_001).await;
    let path = format!("/api/v1/installations/{}/readings.csv", meter.id);
    let table = world.get(&path).await.text().await.unwrap();
    let sequences: Vec<u64> = table
        .lines()
        .skip(1)
        .map(|row| row.split(',').nth(2).unwrap().parse().unwrap())
        .collect();
    assert_eq!(sequences, (1..=10_001).collect::<Vec<u64>>());
}

/// Fills the audit trail with more than the buffers of a connection hold.
async fn with_a_long_trail(world: &World) {
    let written = NewAudit {
        at: UtcMillis::new(START_MS),
        actor: "anna".to_owned(),
        action: "test.write".to_owned(),
        subject: String::new(),
        detail: "x".repeat(10_000),
    };
    let writing: Vec<_> = (0..4_000)
        .map(|_| {
            let (store, written) = (Arc::clone(&world.store), written.clone());
            tokio::spawn(async move { store.record_audit(written).await })
        })
        .collect();
    for written in writing {
        written.await.unwrap().unwrap();
    }
}

/// A long answer of which the first piece was read.
async fn begun(
    world: &World,
    key: &str,
    path: &str,
) -> impl Stream<Item = reqwest::Result<Bytes>> + use<> {
    let request = world.client.get(world.url(path)).bearer_auth(key);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let mut pieces = Box::pin(response.bytes_stream());
    assert!(pieces.next().await.unwrap().is_ok());
    pieces
}

async fn breaks_off(mut pieces: impl Stream<Item = reqwest::Result<Bytes>> + Unpin) -> bool {
    let mut is_broken = false;
    while let Some(piece) = pieces.next().await {
        is_broken |= piece.is_err();
    }
    is_broken
}

#[tokio::test]
async fn exports_end_with_the_gateway_and_are_not_taken_for_whole() {
    let world = World::with(|config| config.shutdown_grace_ms = 300_000).await;
    let meter = world.enrolled().await;
    with_many(&world, &meter, 80_000).await;
    with_a_long_trail(&world).await;
    let readings = format!("/api/v1/installations/{}/readings.csv", meter.id);
    let readings = begun(&world, &world.admin_key, &readings).await;
    let trail = begun(&world, &world.admin_key, "/api/v1/audit.csv").await;
    let stopping = tokio::spawn(world.gateway.shutdown());
    assert!(breaks_off(readings).await);
    assert!(breaks_off(trail).await);
    assert_eq!(stopping.await.unwrap(), StopReason::Drained);
}

#[tokio::test]
async fn an_export_ends_with_the_key_that_asked_for_it() {
    let world = World::with(|_| {}).await;
    let meter = world.enrolled().await;
    with_many(&world, &meter, 80_000).await;
    with_a_long_trail(&world).await;
    for path in [
        format!("/api/v1/installations/{}/readings.csv", meter.id),
        format!("/api/v1/readings/{}", meter.id),
        "/api/v1/audit.csv".to_owned(),
    ] {
        let (id, key) = world.key(&json!({"name": "n", "role": "admin"})).await;
        let pieces = begun(&world, &key, &path).await;
        world.revoke_key(id).await;
        assert!(breaks_off(pieces).await, "{path}");
    }
}
