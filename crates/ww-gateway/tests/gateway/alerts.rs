//! What an operator should look at now.

use serde_json::{Value, json};
use ww_wire::{Milliwatts, Reading, UtcMillis};

use crate::world::{START_MS, TestMeter, World};

const DAY_MS: u64 = 86_400_000;

fn alert(id: u64, kind: &str, since: &str, count: u64, detail: &str) -> Value {
    json!({
        "installation_id": id, "name": "Hackathon Test 1", "kind": kind, "since": since,
        "count": count, "detail": detail,
    })
}

/// A reading `millis` after the start, with this power in W.
fn reading(meter: &TestMeter, sequence: u64, millis: u64, power_w: i64) -> Reading {
    Reading {
        time: UtcMillis::new(START_MS + millis),
        power: Milliwatts::new(power_w * 1_000),
        ..meter.reading(sequence - 1)
    }
}

#[tokio::test]
async fn a_park_in_which_all_is_well_has_no_alerts() {
    let world = World::start().await;
    assert_eq!(world.json("/api/v1/alerts").await, json!([]));
    let meter = world.enrolled().await;
    // Approved and never heard: it may be on its way.
    assert_eq!(world.json("/api/v1/alerts").await, json!([]));
    world.submit(&meter, &meter.reading(0)).await;
    world.clock.set(START_MS + 601_000);
    assert_eq!(world.json("/api/v1/alerts").await, json!([]));
}

#[tokio::test]
async fn a_silent_meter_is_told_by_the_bound_that_holds_for_its_cadence() {
    for (cadence_s, silent_ms, detail) in [
        (400, 1_200_000, "not heard for more than 20 minutes"),
        (401, 1_203_000, "not heard for more than 1203 seconds"),
    ] {
        let change = |config: &mut ww_gateway::Config| {
            config.public_read = true;
            config.expected_cadence_s = cadence_s;
        };
        let world = World::with(change).await;
        let meter = world.enrolled().await;
        world.submit(&meter, &meter.reading(0)).await;
        world.clock.set(START_MS + 1_000 + silent_ms);
        assert_eq!(world.json("/api/v1/alerts").await, json!([]));
        world.clock.set(START_MS + 1_000 + silent_ms + 1);
        assert_eq!(world.json("/api/v1/alerts").await[0]["detail"], detail);
    }
}

#[tokio::test]
async fn what_waits_is_silent_contradicts_itself_or_is_hard_to_believe_is_told_newest_first() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    // 1.35 times 800 W are 1080 W.
    for (sequence, power_w) in [(1, 1_081), (2, 2_000), (3, 500)] {
        let reading = reading(&meter, sequence, 1_000 * sequence, power_w);
        assert_eq!(world.submit(&meter, &reading).await.status(), 201);
    }
    world.clock.set(START_MS + 5_000);
    let other = reading(&meter, 3, 3_000, 501);
    assert_eq!(world.submit(&meter, &other).await.status(), 409);
    world.clock.set(START_MS + 700_000);
    let waiting = world.announce(&TestMeter::new(), "EC64C9C05E98").await;
    let power = alert(
        meter.id,
        "plausibility",
        "2025-06-19T16:50:01.000000",
        2,
        "power-above-rating: 2000000 mW with 800 W rated",
    );
    let silent = alert(
        meter.id,
        "silent",
        "2025-06-19T16:50:01.000000",
        1,
        "not heard for more than 10 minutes",
    );
    let equivocation = alert(
        meter.id,
        "equivocation",
        "2025-06-19T16:50:05.000000",
        1,
        "equivocating-reading: number 3",
    );
    let waits = alert(
        waiting,
        "waiting",
        "2025-06-19T17:01:40.000000",
        1,
        "no operator has approved it yet",
    );
    let expected = json!([&waits, &equivocation, &silent, &power]);
    assert_eq!(world.json("/api/v1/alerts").await, expected);

    // A week later the findings are past; what was signed twice is so for ever.
    world.clock.set(START_MS + 8 * DAY_MS);
    let expected = json!([&waits, &equivocation, &silent]);
    assert_eq!(world.json("/api/v1/alerts").await, expected);
    // Nobody knows how old anything is then.
    world.clock.set(0);
    let expected = json!([&waits, &equivocation]);
    assert_eq!(world.json("/api/v1/alerts").await, expected);
    // Out of service it is not missed.
    world.clock.set(START_MS + 8 * DAY_MS);
    let body = json!({"reason": "lost"});
    let path = format!("/api/v1/installations/{}/revoke", meter.id);
    assert_eq!(world.admin_post(&path, &body).await.status(), 200);
    let expected = json!([&waits, &equivocation]);
    assert_eq!(world.json("/api/v1/alerts").await, expected);
}
