//! The live stream: what becomes durable is heard, in order, and after a break from where it broke.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use ww_store::Store as _;

use crate::world::{Login, START_MS, World, problem};

/// One stream, read event by event.
struct Listener {
    response: Response,
    text: String,
}

#[derive(Debug)]
struct Heard {
    id: String,
    event: String,
    data: Value,
}

impl Listener {
    async fn open(world: &World, last_event_id: Option<&str>) -> Self {
        let mut request = world.client.get(world.url("/api/v1/live"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        Self::send(request).await
    }

    async fn send(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut listener = Self {
            response,
            text: String::new(),
        };
        let opening = listener.block().await.unwrap();
        assert!(opening.starts_with("retry: "), "{opening}");
        listener
    }

    /// The text up to the next blank line; `None` when the stream has ended.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.response.chunk());
            let chunk = chunk.await.expect("something is heard in time").unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn hear(&mut self) -> Heard {
        let block = self.block().await.expect("the stream goes on");
        let field = |name: &str| -> String {
            let prefix = format!("{name}: ");
            let line = block.lines().find_map(|line| line.strip_prefix(&prefix));
            line.unwrap_or_else(|| panic!("{name} is missing in {block}"))
                .to_owned()
        };
        Heard {
            id: field("id"),
            event: field("event"),
            data: serde_json::from_str(&field("data")).unwrap(),
        }
    }
}

#[tokio::test]
async fn a_reading_is_heard_as_the_list_shows_it() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut listener = Listener::open(&world, None).await;
    world.submit(&meter, &meter.reading(0)).await;
    let heard = listener.hear().await;
    assert_eq!(heard.event, "reading");
    let list = world.json(&format!("/api/v1/readings/{}", meter.id)).await;
    assert_eq!(heard.data, list[0]);
    assert_eq!(heard.data["meter_id"], meter.meter().to_string());
}

#[tokio::test]
async fn a_decision_about_a_meter_is_heard() {
    let world = World::start().await;
    let mut listener = Listener::open(&world, None).await;
    let meter = world.enrolled().await;
    let mut last = listener.hear().await;
    assert_eq!(last.event, "installation");
    while last.data["state"] != "active" {
        last = listener.hear().await;
    }
    assert_eq!(last.data["id"], meter.id);
}

#[tokio::test]
async fn a_stream_that_broke_goes_on_where_it_broke() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut listener = Listener::open(&world, None).await;
    for place in 0..2 {
        world.submit(&meter, &meter.reading(place)).await;
    }
    let first = listener.hear().await;
    drop(listener);
    world.submit(&meter, &meter.reading(2)).await;
    let mut resumed = Listener::open(&world, Some(&first.id)).await;
    let sequences = [resumed.hear().await, resumed.hear().await];
    assert_eq!(
        sequences.map(|heard| heard.data["sequence"].as_u64().unwrap()),
        [2, 3]
    );
    let request = world.client.get(world.url("/api/v1/live?last_event_id=x"));
    let refused = problem(request.send().await.unwrap()).await;
    assert_eq!(refused["field"], "last_event_id");
}

#[tokio::test]
async fn a_refused_reading_is_not_heard() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut listener = Listener::open(&world, None).await;
    let mut tampered = meter.submission(&meter.reading(0));
    tampered["signature"] = meter.submission(&meter.reading(1))["signature"].clone();
    assert_eq!(
        world.post("/api/v1/readings/", &tampered).await.status(),
        422
    );
    world.submit(&meter, &meter.reading(2)).await;
    assert_eq!(listener.hear().await.data["sequence"], 3);
}

#[tokio::test]
async fn only_so_many_streams_are_open_at_one_time() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.live_streams = 1;
    })
    .await;
    let _listener = Listener::open(&world, None).await;
    let refused = problem(world.get("/api/v1/live").await).await;
    assert_eq!(refused["type"], "/problems/rate-limited");
}

#[tokio::test]
async fn one_address_has_only_its_share_of_the_streams() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.live_streams_per_peer = 1;
    })
    .await;
    let listener = Listener::open(&world, None).await;
    assert_eq!(world.get("/api/v1/live").await.status(), 429);
    drop(listener);
    // The gateway notices a closed connection in its own time.
    while world.get("/api/v1/live").await.status() != 200 {}
}

#[tokio::test]
async fn who_missed_too_many_events_is_told_to_reload_and_then_goes_on() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.resumed_events = 3;
    })
    .await;
    let meter = world.enrolled().await;
    let mut listener = Listener::open(&world, None).await;
    for place in 0..5 {
        world.submit(&meter, &meter.reading(place)).await;
    }
    let mut heard = Vec::new();
    for _ in 0..5 {
        heard.push(listener.hear().await);
    }
    let mut lagging = Listener::open(&world, Some(&heard[0].id)).await;
    let reload = lagging.hear().await;
    assert_eq!(
        (reload.event.as_str(), &reload.id),
        ("reload", &heard[4].id)
    );
    world.submit(&meter, &meter.reading(5)).await;
    assert_eq!(lagging.hear().await.data["sequence"], 6);
    let mut close_behind = Listener::open(&world, Some(&heard[1].id)).await;
    assert_eq!(close_behind.hear().await.event, "reload");
    let mut in_time = Listener::open(&world, Some(&heard[2].id)).await;
    assert_eq!(in_time.hear().await.data["sequence"], 4);
}

#[tokio::test]
async fn who_knows_events_that_the_gateway_does_not_is_told_to_reload() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut from_the_future = Listener::open(&world, Some("4000000")).await;
    assert_eq!(from_the_future.hear().await.event, "reload");
    world.submit(&meter, &meter.reading(0)).await;
    assert_eq!(from_the_future.hear().await.data["sequence"], 1);
}

#[tokio::test]
async fn a_stream_without_news_says_that_it_is_alive_and_moves_no_place() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.live_quiet_ms = 50;
    })
    .await;
    let meter = world.enrolled().await;
    let mut listener = Listener::open(&world, None).await;
    for _ in 0..2 {
        let block = listener.block().await.unwrap();
        let (event, data) = block.split_once("\ndata: ").unwrap();
        assert_eq!(
            event, "event: alive",
            "without an id: no event to resume after"
        );
        let said: Value = serde_json::from_str(data).unwrap();
        assert_eq!(said["time"], world.json("/api/v1/status/").await["time"]);
    }
    world.submit(&meter, &meter.reading(0)).await;
    while let Some(block) = listener.block().await {
        if !block.starts_with("event: alive") {
            assert!(block.contains("event: reading"), "{block}");
            break;
        }
    }
}

#[tokio::test]
async fn a_stream_ends_when_the_gateway_stops() {
    let world = World::start().await;
    let mut listener = Listener::open(&world, None).await;
    let reason = world.gateway.shutdown().await;
    assert_eq!(reason, ww_gateway::StopReason::Drained);
    assert!(listener.block().await.is_none());
}

#[tokio::test]
async fn an_event_of_before_is_told_by_the_enrolment_of_then() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let newest = world.store.last_event().await.unwrap();
    let mut listener = Listener::open(&world, Some(&newest.to_string())).await;
    world.submit(&meter, &meter.reading(0)).await;
    assert_eq!(listener.hear().await.data["power_w"].as_f64(), Some(16.35));
    world.clock.set(START_MS + 100_000);
    let turned = json!({"production_counter": "total_returned", "ct_ratio_milli": 2_000});
    world.approve(meter.id, &turned).await;
    let mut again = Listener::open(&world, Some(&newest.to_string())).await;
    assert_eq!(again.hear().await.data["power_w"].as_f64(), Some(16.35));
}

#[tokio::test]
async fn a_stream_ends_with_the_key_that_it_was_opened_with() {
    let world = World::with(|_| {}).await;
    let (id, key) = world.key(&json!({"name": "wall", "role": "viewer"})).await;
    let (_, other) = world.key(&json!({"name": "hall", "role": "viewer"})).await;
    let open = async |key: &str| {
        let request = world.client.get(world.url("/api/v1/live"));
        Listener::send(request.bearer_auth(key)).await
    };
    let (mut ends, mut goes_on) = (open(&key).await, open(&other).await);
    world.revoke_key(id).await;
    assert!(ends.block().await.is_none());
    let meter = world.enrolled().await;
    assert_eq!(goes_on.hear().await.data["id"], meter.id);
}

#[tokio::test]
async fn a_stream_ends_when_its_session_does_and_nobodys_goes_on() {
    let world = World::start().await;
    let login = Login::begin(&world, &world.admin_key).await;
    let request = world.client.get(world.url("/api/v1/live"));
    let mut ends = Listener::send(login.with_cookie(request)).await;
    let mut goes_on = Listener::open(&world, None).await;
    login.end(&world).await;
    assert!(ends.block().await.is_none());
    let meter = world.enrolled().await;
    assert_eq!(goes_on.hear().await.data["id"], meter.id);
}

#[tokio::test]
async fn a_stream_tells_nothing_any_more_once_its_session_is_over() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let login = Login::begin(&world, &world.admin_key).await;
    let request = world.client.get(world.url("/api/v1/live"));
    let mut listener = Listener::send(login.with_cookie(request)).await;
    world.submit(&meter, &meter.reading(0)).await;
    assert_eq!(listener.hear().await.event, "reading");
    world.clock.set(START_MS + 31 * 86_400_000);
    world.submit(&meter, &meter.reading(1)).await;
    assert!(listener.block().await.is_none());
}
