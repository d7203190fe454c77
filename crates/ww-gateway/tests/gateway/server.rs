//! Limits, restarts, stopping, HTTPS, proxies and other origins.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use ww_gateway::{StopReason, Tls};
use ww_store::Store as _;

use crate::world::{World, problem};

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart_and_so_are_the_keys() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    assert_eq!(world.submit(&meter, &meter.reading(0)).await.status(), 201);
    let (admin_key, operator_key) = (world.admin_key.clone(), *world.gateway.operator_key());
    let reason = world.gateway.shutdown().await;
    assert_eq!(reason, StopReason::Drained);

    let world = World::open(world.folder, |config| config.public_read = true).await;
    assert_eq!(world.admin_key, admin_key);
    assert_eq!(*world.gateway.operator_key(), operator_key);
    assert_eq!(world.visible_readings(meter.id).await, 1);
    assert_eq!(world.submit(&meter, &meter.reading(0)).await.status(), 200);
    assert_eq!(world.submit(&meter, &meter.reading(1)).await.status(), 201);
}

#[tokio::test]
async fn answers_bear_the_gateway_s_own_time_and_none_while_it_knows_none() {
    let world = World::start().await;
    // 2025-06-19T16:52:26.093Z.
    world.clock.set(1_750_351_946_093);
    for path in ["/health", "/api/v1/status/", "/api/v1/nothing"] {
        let answer = world.get(path).await;
        assert_eq!(answer.headers()["date"], "Thu, 19 Jun 2025 16:52:26 GMT");
    }
    world.clock.set(0);
    assert!(!world.get("/health").await.headers().contains_key("date"));
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_gateway_stops() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let body = meter.submission(&meter.reading(0)).to_string();
    let mut stream = TcpStream::connect(world.gateway.local_addr())
        .await
        .unwrap();
    let head = format!(
        "POST /api/v1/readings/ HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The gateway asks for the body: the request is under way.
    let mut answer = vec![0; 25];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    let stopping = tokio::spawn(world.gateway.shutdown());
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(stopping.await.unwrap(), StopReason::Drained);
}

#[tokio::test]
async fn bodies_and_batches_above_the_limit_are_refused_by_name() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.json_body_bytes = 2_000;
        config.limits.records_body_bytes = 2_000;
        config.limits.batch_records = 2;
    })
    .await;
    let meter = world.enrolled().await;
    let long = json!({"record": "0".repeat(2_000)});
    let refused = problem(world.post("/api/v1/readings/", &long).await).await;
    assert_eq!(refused["type"], "/problems/body-too-large");
    let refused = problem(world.post("/api/v1/installations/", &long).await).await;
    assert_eq!(refused["type"], "/problems/body-too-large");
    let refused = problem(world.post_records(vec![0; 2_001]).await).await;
    assert_eq!(refused["type"], "/problems/body-too-large");
    let three: Vec<u8> = (0..3)
        .flat_map(|place| meter.sign1(&meter.reading(place)))
        .collect();
    let refused = problem(world.post_records(three).await).await;
    assert_eq!(refused["type"], "/problems/batch-too-large");
    assert_eq!(world.visible_readings(meter.id).await, 0);
}

#[tokio::test]
async fn a_meter_that_sends_too_much_waits_and_others_do_not() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.meter_records_per_s = 1;
        config.limits.meter_burst = 2;
    })
    .await;
    let meter = world.enrolled().await;
    for place in 0..2 {
        assert_eq!(
            world.submit(&meter, &meter.reading(place)).await.status(),
            201
        );
    }
    let response = world.submit(&meter, &meter.reading(2)).await;
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(problem(response).await["type"], "/problems/rate-limited");
    let other = crate::world::TestMeter::new();
    let id = world.announce(&other, "AABBCCDDEEFF").await;
    world.approve(id, &json!({"rated_power_w": 800})).await;
    assert_eq!(world.submit(&other, &other.reading(0)).await.status(), 201);
}

#[tokio::test]
async fn an_address_that_sends_what_does_not_hold_gets_slower() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.peer_requests_per_s = 1;
        config.limits.peer_burst = 8;
    })
    .await;
    let meter = world.enrolled().await;
    let mut kinds = Vec::new();
    for _ in 0..9 {
        let problem = problem(world.post("/api/v1/readings/", &json!({})).await).await;
        kinds.push(problem["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds[0], "/problems/missing-field");
    assert_eq!(kinds[8], "/problems/rate-limited");
    let response = world.submit(&meter, &meter.reading(0)).await;
    assert_eq!(response.status(), 429);
}

#[tokio::test]
async fn readers_without_a_key_do_not_slow_down_the_meters_beside_them() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.peer_requests_per_s = 1;
        config.limits.peer_burst = 8;
    })
    .await;
    let meter = world.enrolled().await;
    let mut status = 0;
    for _ in 0..9 {
        status = world.get("/api/v1/readings/1").await.status().as_u16();
    }
    assert_eq!(status, 429);
    assert_eq!(world.submit(&meter, &meter.reading(0)).await.status(), 201);
}

#[tokio::test]
async fn peers_behind_a_trusted_proxy_are_told_apart_and_nobody_else_is_believed() {
    for (trusted, others) in [("127.0.0.0/8", 200), ("192.0.2.0/24", 429)] {
        let world = World::with(|config| {
            config.public_read = true;
            config.trusted_proxies = vec![trusted.parse().unwrap()];
            config.limits.peer_requests_per_s = 1;
            config.limits.peer_burst = 2;
        })
        .await;
        let ask = async |peer: &str| {
            let request = world.client.get(world.url("/api/v1/status/"));
            let request = request.header("x-forwarded-for", peer);
            request.send().await.unwrap().status().as_u16()
        };
        let mut last = 0;
        for _ in 0..3 {
            last = ask("203.0.113.1").await;
        }
        assert_eq!(last, 429);
        assert_eq!(ask("203.0.113.2").await, others, "{trusted}");
    }
}

/// What is read until the other side ends the connection; it fails when that takes too long.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut read));
    // A reset is an end too.
    let _ = ended.await.expect("the gateway closes it in time");
    read
}

#[tokio::test]
async fn a_connection_that_says_nothing_or_never_finishes_its_first_word_is_closed() {
    let world = World::with(|config| config.limits.head_timeout_ms = 100).await;
    let address = world.gateway.local_addr();
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut halting = TcpStream::connect(address).await.unwrap();
    halting.write_all(b"PRI * HT").await.unwrap();
    assert!(until_closed(&mut silent).await.is_empty());
    assert!(until_closed(&mut halting).await.is_empty());
}

#[tokio::test]
async fn silent_connections_do_not_keep_others_out() {
    let world = World::with(|config| {
        config.limits.head_timeout_ms = 100;
        config.limits.connections = 4;
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(
            TcpStream::connect(world.gateway.local_addr())
                .await
                .unwrap(),
        );
    }
    let health = tokio::time::timeout(Duration::from_secs(20), world.get("/health"));
    assert_eq!(health.await.expect("an answer in time").status(), 200);
}

#[tokio::test]
async fn an_http2_connection_without_requests_is_closed() {
    let world = World::with(|config| config.limits.head_timeout_ms = 100).await;
    let mut stream = TcpStream::connect(world.gateway.local_addr())
        .await
        .unwrap();
    // The preface and an empty SETTINGS frame.
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    assert!(!until_closed(&mut stream).await.is_empty(), "its settings");
}

#[tokio::test]
async fn one_address_has_only_its_share_of_the_connections() {
    let world = World::with(|config| config.limits.connections_per_peer = 2).await;
    let address = world.gateway.local_addr();
    // The world's own client has made no request yet.
    let mut first = TcpStream::connect(address).await.unwrap();
    let _second = TcpStream::connect(address).await.unwrap();
    let mut third = TcpStream::connect(address).await.unwrap();
    assert!(until_closed(&mut third).await.is_empty());
    let request = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    first.write_all(request).await.unwrap();
    let answer = String::from_utf8(until_closed(&mut first).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn who_asks_for_much_and_takes_nothing_is_broken_off() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.write_timeout_ms = 100;
    })
    .await;
    let mut stream = TcpStream::connect(world.gateway.local_addr())
        .await
        .unwrap();
    // More answers than all buffers between the two can hold.
    let requests = b"GET /api/v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(2_000);
    let asking = stream.write_all(&requests);
    drop(tokio::time::timeout(Duration::from_secs(1), asking).await);
    let watching = async {
        loop {
            let metrics = world.get("/metrics").await.text().await.unwrap();
            if metrics.contains("wattwitness_connections 1\n") {
                return;
            }
        }
    };
    let broken_off = tokio::time::timeout(Duration::from_secs(20), watching);
    broken_off.await.expect("only the one that watches is left");
}

#[tokio::test]
async fn unfinished_bodies_have_bounded_room() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.unfinished_body_bytes = 1_000;
    })
    .await;
    let meter = world.enrolled().await;
    let mut stream = TcpStream::connect(world.gateway.local_addr())
        .await
        .unwrap();
    let mut part = b"POST /api/v1/records HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 9000\r\n\r\n".to_vec();
    part.resize(part.len() + 2_000, 0);
    stream.write_all(&part).await.unwrap();
    let answer = String::from_utf8(until_closed(&mut stream).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(answer.contains("retry-after: "), "{answer}");
    assert_eq!(world.submit(&meter, &meter.reading(0)).await.status(), 201);
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let world = World::start().await;
    for (path, media_type) in [
        ("/api/v1/readings/", "text/xml"),
        ("/api/v1/records", "application/json"),
    ] {
        let request = world
            .client
            .post(world.url(path))
            .header("content-type", media_type);
        let refused = problem(request.body("x").send().await.unwrap()).await;
        assert_eq!(refused["type"], "/problems/unsupported-media-type");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_read_and_others_may_not() {
    let world = World::with(|config| {
        config.public_read = true;
        config.cors_origins = vec!["https://dashboard.example".to_owned()];
    })
    .await;
    for (origin, allowed) in [
        ("https://dashboard.example", true),
        ("https://evil.example", false),
    ] {
        let request = world
            .client
            .get(world.url("/api/v1/installations/"))
            .header("origin", origin);
        let response = request.send().await.unwrap();
        let header = response.headers().get("access-control-allow-origin");
        assert_eq!(
            header.is_some_and(|value| value == origin),
            allowed,
            "{origin}"
        );
    }
    for path in ["/api/v1/readings/", "/api/v1/records"] {
        let request = world
            .client
            .post(world.url(path))
            .header("origin", "https://dashboard.example");
        let response = request.body("x").send().await.unwrap();
        let header = response.headers().get("access-control-allow-origin");
        assert_eq!(header.unwrap(), "https://dashboard.example", "{path}");
    }
    let preflight = world
        .client
        .request(reqwest::Method::OPTIONS, world.url("/api/v1/readings/1"))
        .header("origin", "https://dashboard.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    assert_eq!(preflight.send().await.unwrap().status(), 200);
}

/// A gateway with a certificate of its own, and what it answers to this head.
async fn answer_over_https(head: impl FnOnce(&World) -> String) -> (World, String) {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate_file = folder.path().join("cert.pem");
    let key_file = folder.path().join("key.pem");
    std::fs::write(&certificate_file, made.cert.pem()).unwrap();
    std::fs::write(&key_file, made.signing_key.serialize_pem()).unwrap();
    let world = World::with(|config| {
        config.tls = Some(Tls {
            certificate_file,
            key_file,
        });
    })
    .await;
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(world.gateway.local_addr())
        .await
        .unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(client))
        .connect(name, stream)
        .await
        .unwrap();
    let head = head(&world);
    let head = format!("{head}\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    (world, String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn https_is_served_with_a_certificate_and_its_key() {
    let (_, answer) = answer_over_https(|_| "GET /health HTTP/1.1".to_owned()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\"status\":\"healthy\""));
}

#[tokio::test]
async fn over_https_a_session_has_the_cookie_that_is_for_https_alone() {
    let (world, answer) = answer_over_https(|world| {
        let name = world.cookie_name();
        format!("GET /api/v1/session HTTP/1.1\r\ncookie: __Host-{name}=wws_old")
    })
    .await;
    let taken_back = format!(
        "set-cookie: __Host-{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure\r\n",
        world.cookie_name()
    );
    assert!(answer.contains(&taken_back), "{answer}");
}

#[tokio::test]
async fn a_store_that_has_ended_is_told_by_health_and_readiness() {
    let world = World::start().await;
    assert_eq!(world.json("/health").await["status"], "healthy");
    world.store.close().await.unwrap();
    for (path, field, value) in [
        ("/health", "status", json!("unhealthy")),
        ("/ready", "store", json!(false)),
    ] {
        let response = world.get(path).await;
        assert_eq!(response.status(), 503, "{path}");
        let said: serde_json::Value = response.json().await.unwrap();
        assert_eq!(said[field], value, "{path}");
    }
}

#[tokio::test]
async fn readiness_and_the_probe_of_the_internet_say_what_is_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let world = World::with(|config| {
        config.public_read = true;
        config.internet_probe = Some(ww_gateway::InternetProbe {
            address,
            interval_s: 1,
            timeout_ms: 5_000,
        });
    })
    .await;
    listener.accept().await.unwrap();
    let ready = world.json("/ready").await;
    assert_eq!(
        ready,
        json!({"ready": true, "store": true, "time_known": true, "stopping": false})
    );
    // The probe has connected; that it was noted is a matter of its next step.
    let state = loop {
        let status = world.admin_json("/api/v1/status/").await;
        let state = status["internet"]["state"].as_str().unwrap().to_owned();
        if state != "unknown" {
            break state;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(state, "reachable");
}
