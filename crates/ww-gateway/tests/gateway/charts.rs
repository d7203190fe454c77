//! Charts of whole calendar periods, and what stands beside them on the axis of time.

use serde_json::{Value, json};
use ww_wire::record::Record as _;
use ww_wire::{ChainIndex, Gap, GapKind, Hash, MilliwattHours, Reading, UtcMillis, Window};

use crate::world::{START_MS, TestMeter, World, packed, problem};

/// Approved, at a site in Berlin.
async fn in_berlin(world: &World) -> TestMeter {
    at_site(world, "Europe/Berlin").await
}

async fn at_site(world: &World, time_zone: &str) -> TestMeter {
    let mut meter = TestMeter::new();
    meter.id = world.announce(&meter, "EC64C9C05E97").await;
    let body = json!({"rated_power_w": 800, "time_zone": time_zone});
    world.approve(meter.id, &body).await;
    meter
}

/// The reading of this number at this time, with so much produced.
fn reading_at(meter: &TestMeter, sequence: u64, time: &str, produced_mwh: u64) -> Reading {
    let time: jiff::Timestamp = time.parse().unwrap();
    Reading {
        time: UtcMillis::new(time.as_millisecond() as u64),
        produced: MilliwattHours::new(produced_mwh).unwrap(),
        ..meter.reading(sequence - 1)
    }
}

fn starts(chart: &Value) -> Vec<i64> {
    let bars = chart["data_points"].as_array().unwrap();
    bars.iter()
        .map(|bar| bar["timestamp"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_local_date_shows_the_whole_day_of_the_site_through_a_change_of_the_clocks() {
    let world = World::start().await;
    let meter = in_berlin(&world).await;
    for (sequence, time, produced) in [
        (1, "2025-10-25T21:59:50Z", 0),
        (2, "2025-10-25T22:00:00Z", 250),
        (3, "2025-10-26T22:59:50Z", 1_000),
        (4, "2025-10-26T23:00:00Z", 5_000),
    ] {
        let reading = reading_at(&meter, sequence, time, produced);
        assert_eq!(world.submit(&meter, &reading).await.status(), 201);
    }
    let path = format!("/api/v1/readings/{}/chart", meter.id);
    let day = world
        .json(&format!("{path}?time_frame=day&at=2025-10-26"))
        .await;
    let bars = day["data_points"].as_array().unwrap();
    assert_eq!(bars.len(), 25);
    assert_eq!(day["timezone"], "Europe/Berlin");
    assert_eq!(day["total_energy"].to_string(), "1.0");
    assert_eq!(bars[0]["value"].to_string(), "0.25");
    assert_eq!(
        (&bars[0]["readings"], &bars[1]["readings"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(day["start"], 1_761_429_600);
    assert_eq!(day["end"], 1_761_429_600 + 25 * 3600);
    for pair in bars.windows(2) {
        assert_eq!(pair[0]["end"], pair[1]["timestamp"]);
    }
    assert_eq!(bars[24]["end"], day["end"]);
    // The same day by a moment in it, however that is written.
    for at in ["2025-10-26T22:59:59Z", "2025-10-26T23:59:59%2B01:00"] {
        let same = world.json(&format!("{path}?time_frame=day&at={at}")).await;
        assert_eq!(same, day, "{at}");
    }
    for (frame, at, count, total) in [
        ("hour", "2025-10-26T22:59:50Z", 6, "0.75"),
        ("week", "2025-10-20", 7, "1.0"),
        ("month", "2025-10-01", 31, "5.0"),
        ("year", "2025-12-31", 12, "5.0"),
        ("year", "2024-06-30", 12, "0.0"),
        ("month", "2028-02-29", 29, "0.0"),
    ] {
        let query = format!("time_frame={frame}&at={at}");
        let chart = world.json(&format!("{path}?{query}")).await;
        assert_eq!(starts(&chart).len(), count, "{query}");
        assert_eq!(chart["total_energy"].to_string(), total, "{query}");
    }
}

#[tokio::test]
async fn a_local_date_is_the_sites_own_west_of_greenwich_too() {
    let world = World::start().await;
    let meter = at_site(&world, "America/New_York").await;
    let path = format!("/api/v1/readings/{}/chart", meter.id);
    let day = world
        .json(&format!("{path}?time_frame=day&at=2025-06-19"))
        .await;
    // 2025-06-19T04:00:00Z.
    assert_eq!(day["start"], 1_750_305_600);
    // Midnight in Greenwich is still the day before.
    let midnight = world
        .json(&format!("{path}?time_frame=day&at=2025-06-19T00:00:00Z"))
        .await;
    assert_eq!(midnight["end"], day["start"]);
}

#[tokio::test]
async fn a_chart_that_ends_now_tells_where_it_begins_and_ends_even_without_a_reading() {
    let world = World::start().await;
    let meter = in_berlin(&world).await;
    let path = format!("/api/v1/readings/{}/chart?time_frame=day", meter.id);
    let empty = world.json(&path).await;
    // 18:50 in Berlin: the bars go up to 19:00.
    assert_eq!(empty["end"], 1_750_352_400);
    assert_eq!(empty["start"], 1_750_352_400 - 24 * 3600);
    assert_eq!(
        (&empty["data_points"], &empty["timezone"]),
        (&json!([]), &json!("Europe/Berlin"))
    );
    world.submit(&meter, &meter.reading(0)).await;
    let chart = world.json(&path).await;
    assert_eq!(
        (&chart["start"], &chart["end"]),
        (&empty["start"], &empty["end"])
    );
    assert_eq!(starts(&chart).len(), 24);
    assert_eq!(chart["data_points"][23]["readings"], 1);
    let on_chain = world.json(&format!("{path}&on_chain_only=true")).await;
    assert_eq!(on_chain, empty);
}

#[tokio::test]
async fn a_moment_that_no_calendar_has_is_refused_by_its_name() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for at in [
        "yesterday",
        "2025-13-01",
        "1969-12-31",
        "9999-01-01",
        "9999-06-01T00:00:00Z",
        "2025",
    ] {
        let path = format!("/api/v1/readings/{}/chart?at={at}", meter.id);
        let refused = problem(world.get(&path).await).await;
        assert_eq!(refused["type"], "/problems/invalid-time", "{at}");
        assert_eq!(refused["field"], "at", "{at}");
    }
    let edge = format!(
        "/api/v1/readings/{}/chart?time_frame=year&at=9998-12-31",
        meter.id
    );
    assert_eq!(starts(&world.json(&edge).await).len(), 12);
    assert_eq!(
        starts(&world.json(&edge.replace("9998-12-31", "1970-01-01")).await)[0],
        0
    );
}

#[tokio::test]
async fn starts_outages_and_gaps_are_marks_on_the_axis_of_time() {
    let world = World::start().await;
    let meter = in_berlin(&world).await;
    let boot = meter.boot();
    let kept: Vec<_> = (0..60).map(|place| meter.reading(place)).collect();
    let window = meter.window(&kept, 1, boot.encode().unwrap().digest());
    // Ten minutes later, for ten minutes, and the readings are given up.
    let lost: Vec<_> = (60..120)
        .map(|place| Reading {
            time: UtcMillis::new(START_MS + 10_000 * (place + 60)),
            ..meter.reading(place)
        })
        .collect();
    let bare = Window {
        produced_open: window.produced_close,
        ..meter.window(&lost, 2, window.encode().unwrap().digest())
    };
    let gap = Gap {
        meter: meter.meter(),
        chain_index: ChainIndex::new(3).unwrap(),
        previous: bare.encode().unwrap().digest(),
        boot: boot.boot,
        time: UtcMillis::new(START_MS + 1_900_000),
        kind: GapKind::Readings,
        first_index: bare.chain_index,
        last_index: bare.chain_index,
        first_sequence: Some(bare.first_sequence),
        last_sequence: Some(bare.last_sequence),
        produced_open: bare.produced_open,
        produced_close: bare.produced_close,
        last_digest: Hash::ZERO,
    };
    let records = [
        meter.sign1(&boot),
        meter.sign1(&window),
        packed(&kept),
        meter.sign1(&bare),
        meter.sign1(&gap),
    ];
    world.clock.set(START_MS + 2_000_000);
    assert_eq!(world.post_records(records.concat()).await.status(), 200);
    let marks = world
        .json(&format!("/api/v1/installations/{}/marks", meter.id))
        .await;
    let start = START_MS / 1000;
    let boot_mark = json!({
        "kind": "boot", "start": start - 5, "end": start - 5, "boot": 1, "reset_reason": "power_on",
        "firmware_digest": "09".repeat(32), "firmware_version": "0.1.0",
        "readings_lost": null, "energy_wh": null,
    });
    let outage = |start, end: Value| {
        json!({
            "kind": "outage", "start": start, "end": end, "boot": null, "reset_reason": null,
            "firmware_digest": null, "firmware_version": null, "readings_lost": null,
            "energy_wh": null,
        })
    };
    let gap_mark = json!({
        "kind": "gap", "start": start + 1_200, "end": start + 1_790, "boot": 1, "reset_reason": null,
        "firmware_digest": null, "firmware_version": null, "readings_lost": 60, "energy_wh": 6.0,
    });
    let expected = [
        boot_mark,
        outage(start + 590, json!(start + 1_200)),
        gap_mark,
        outage(start + 1_790, Value::Null),
    ];
    assert_eq!(marks, json!(expected));
    let elsewhere = "start_time=2025-06-18T00:00:00Z&end_time=2025-06-19T00:00:00Z";
    let path = format!("/api/v1/installations/{}/marks?{elsewhere}", meter.id);
    assert_eq!(world.json(&path).await, json!([]));
    let path = "/api/v1/installations/99/marks";
    assert_eq!(world.get(path).await.status(), 404);
}
