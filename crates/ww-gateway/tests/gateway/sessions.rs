//! Browsers' sessions: a key for a cookie, what the cookie may do, and how it ends.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use ww_store::{NewApiKey, NewApiSession, NewAudit, SqliteOptions, SqliteStore, Store as _};
use ww_wire::{Hash, UtcMillis};

use crate::world::{Login, START_MS, World, problem};

const DAY_MS: u64 = 86_400_000;

fn set_cookie(response: &Response) -> &str {
    response.headers()["set-cookie"].to_str().unwrap()
}

/// Whether an answer takes the cookie back.
fn takes_back(world: &World, response: &Response) -> bool {
    let taken_back = format!("{}=; Path=/; Max-Age=0; ", world.cookie_name());
    set_cookie(response).starts_with(&taken_back)
}

#[tokio::test]
async fn a_key_is_changed_for_a_cookie_that_scripts_cannot_read() {
    let world = World::with(|_| {}).await;
    let (_, key) = world
        .key(&json!({"name": "control room", "role": "operator"}))
        .await;
    let response = world.post("/api/v1/session", &json!({"key": key})).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let cookie = set_cookie(&response).to_owned();
    let (token, attributes) = cookie.split_once(';').unwrap();
    let (name, secret) = token.split_once('=').unwrap();
    assert_eq!(name, world.cookie_name());
    assert!(secret.starts_with("wws_"), "{token}");
    assert_eq!(
        attributes,
        " Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"
    );
    let begun: Value = response.json().await.unwrap();
    assert_eq!(begun["role"], "operator");
    assert_eq!(begun["name"], "control room");
    assert_eq!(begun["public_read"], false);
    assert_eq!(begun["expires_at"], "2025-07-19T16:50:01.000000");
    assert_eq!(begun["version"], env!("CARGO_PKG_VERSION"));
    let login = Login {
        cookie: token.to_owned(),
        csrf_token: begun["csrf_token"].as_str().unwrap().to_owned(),
    };
    assert_eq!(login.session(&world).await, begun);
    assert_eq!(
        login.get(&world, "/api/v1/installations/").await.status(),
        200
    );
    assert!(!begun.to_string().contains(secret));
    let database = std::fs::read(world.folder.path().join("store.sqlite-wal")).unwrap();
    let random = &secret.as_bytes()["wws_".len()..];
    let is_stored = database.windows(random.len()).any(|bytes| bytes == random);
    assert!(!is_stored, "only its hash is");
}

#[tokio::test]
async fn nobody_is_told_that_he_is_nobody_and_what_anyone_may_read() {
    for public_read in [false, true] {
        let world = World::with(|config| config.public_read = public_read).await;
        let response = world.get("/api/v1/session").await;
        assert!(!response.headers().contains_key("set-cookie"));
        assert_eq!(response.headers()["cache-control"], "no-store");
        let session: Value = response.json().await.unwrap();
        let expected = json!({
            "role": null,
            "name": null,
            "public_read": public_read,
            "expires_at": null,
            "csrf_token": null,
            "version": env!("CARGO_PKG_VERSION"),
        });
        assert_eq!(session, expected);
    }
}

#[tokio::test]
async fn a_session_outlives_a_restart() {
    let world = World::with(|_| {}).await;
    let login = Login::begin(&world, &world.admin_key).await;
    let before = login.session(&world).await;
    world.gateway.shutdown().await;
    let world = World::open(world.folder, |_| {}).await;
    assert_eq!(login.session(&world).await, before);
    assert_eq!(login.get(&world, "/api/v1/keys").await.status(), 200);
}

#[tokio::test]
async fn two_gateways_of_one_host_log_nobody_out_of_each_other() {
    let (one, other) = (World::with(|_| {}).await, World::with(|_| {}).await);
    let mut login = Login::begin(&one, &one.admin_key).await;
    let there = Login::begin(&other, &other.admin_key).await;
    // A browser sends both of them to both.
    login.cookie = format!("{}; {}", there.cookie, login.cookie);
    assert_eq!(login.session(&one).await["role"], "admin");
    login.end(&one).await;
    assert_eq!(there.session(&other).await["role"], "admin");
    let asked = there.get(&one, "/api/v1/session").await;
    assert!(!asked.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn a_session_ends_by_itself_after_30_days() {
    let world = World::with(|_| {}).await;
    let login = Login::begin(&world, &world.admin_key).await;
    let begun = START_MS + 1_000;
    world.clock.set(begun + 30 * DAY_MS - 1);
    assert_eq!(login.get(&world, "/api/v1/keys").await.status(), 200);
    world.clock.set(begun + 30 * DAY_MS);
    assert_eq!(login.get(&world, "/api/v1/keys").await.status(), 401);
}

#[tokio::test]
async fn a_session_ends_with_its_key() {
    let world = World::with(|_| {}).await;
    let body = json!({
        "name": "for a day",
        "role": "viewer",
        "expires_at": "2025-06-20T16:50:00Z",
    });
    let (id, key) = world.key(&body).await;
    let (_, other) = world.key(&body).await;
    let (login, lasting) = (
        Login::begin(&world, &key).await,
        Login::begin(&world, &other).await,
    );
    let session = lasting.session(&world).await;
    assert_eq!(session["expires_at"], "2025-06-20T16:50:00.000000");
    world.revoke_key(id).await;
    assert_eq!(login.get(&world, "/api/v1/status/").await.status(), 401);
    assert_eq!(lasting.get(&world, "/api/v1/status/").await.status(), 200);
    world.clock.set(START_MS + DAY_MS);
    assert_eq!(lasting.get(&world, "/api/v1/status/").await.status(), 401);
}

#[tokio::test]
async fn who_logs_out_takes_the_session_with_him() {
    let world = World::start().await;
    let login = Login::begin(&world, &world.admin_key).await;
    let ended = login.end(&world).await;
    assert_eq!(ended.status(), 204);
    assert!(takes_back(&world, &ended));
    // The cookie that somebody kept is as none where none is needed, and is taken back.
    assert_eq!(login.get(&world, "/api/v1/status/").await.status(), 200);
    assert_eq!(login.get(&world, "/api/v1/keys").await.status(), 401);
    let asked = login.get(&world, "/api/v1/session").await;
    assert!(takes_back(&world, &asked));
    let session: Value = asked.json().await.unwrap();
    assert_eq!(session["role"], Value::Null);
    let again = login.end(&world).await;
    assert_eq!(again.status(), 204);
    assert!(takes_back(&world, &again));
}

#[tokio::test]
async fn a_planted_cookie_hides_no_session() {
    let world = World::with(|_| {}).await;
    let mut login = Login::begin(&world, &world.admin_key).await;
    let (name, _) = login.cookie.split_once('=').unwrap();
    login.cookie = format!("{name}=wws_planted; {}", login.cookie);
    let asked = login.get(&world, "/api/v1/session").await;
    assert!(!asked.headers().contains_key("set-cookie"));
    let session: Value = asked.json().await.unwrap();
    assert_eq!(session["role"], "admin");
    let body = json!({"name": "n", "role": "viewer"});
    let made = login.post(&world, "/api/v1/keys", &body).await;
    assert_eq!(made.status(), 201);
    assert_eq!(login.end(&world).await.status(), 204);
    assert!(world.store.sessions().await.unwrap().is_empty());
}

#[tokio::test]
async fn who_logs_in_again_leaves_no_session_behind() {
    let world = World::with(|_| {}).await;
    let first = Login::begin(&world, &world.admin_key).await;
    let body = json!({"key": world.admin_key});
    let request = world.client.post(world.url("/api/v1/session"));
    let response = first.with_cookie(request).json(&body).send().await.unwrap();
    let second = Login::of(response).await;
    assert_eq!(first.get(&world, "/api/v1/keys").await.status(), 401);
    assert_eq!(second.get(&world, "/api/v1/keys").await.status(), 200);
    assert_eq!(world.store.sessions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn cross_site_request_forgery_changes_nothing() {
    let world = World::with(|_| {}).await;
    let login = Login::begin(&world, &world.admin_key).await;
    let other = Login::begin(&world, &world.admin_key).await;
    let url = world.url("/api/v1/keys");
    let body = json!({"name": "mine", "role": "admin"});
    for csrf_token in [None, Some(""), Some("x"), Some(&*other.csrf_token)] {
        let mut request = login.with_cookie(world.client.post(&url)).json(&body);
        if let Some(csrf_token) = csrf_token {
            request = request.header("x-csrf-token", csrf_token);
        }
        let refused = problem(request.send().await.unwrap()).await;
        assert_eq!(
            refused["type"], "/problems/csrf-token-wrong",
            "{csrf_token:?}"
        );
        assert_eq!(refused["status"], 403);
    }
    let end = world.client.delete(world.url("/api/v1/session"));
    let refused = login.with_cookie(end).send().await.unwrap();
    assert!(!refused.headers().contains_key("set-cookie"));
    assert_eq!(problem(refused).await["type"], "/problems/csrf-token-wrong");
    assert_eq!(login.session(&world).await["role"], "admin");
    let keys = world.admin_json("/api/v1/keys").await;
    assert_eq!(keys.as_array().unwrap().len(), 1);
    assert_eq!(
        login.post(&world, "/api/v1/keys", &body).await.status(),
        201
    );
}

#[tokio::test]
async fn what_a_form_of_another_site_can_send_logs_nobody_in() {
    let world = World::with(|_| {}).await;
    let body = json!({"key": world.admin_key}).to_string();
    for media_type in [
        None,
        Some("text/plain"),
        Some("text/plain; x=application/json"),
    ] {
        let mut request = world.client.post(world.url("/api/v1/session"));
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let refused = problem(request.body(body.clone()).send().await.unwrap()).await;
        assert_eq!(
            refused["type"], "/problems/unsupported-media-type",
            "{media_type:?}"
        );
    }
}

#[tokio::test]
async fn a_meter_is_not_hurt_by_a_cookie() {
    let world = World::start().await;
    let login = Login::begin(&world, &world.admin_key).await;
    let meter = world.enrolled().await;
    let other = crate::world::TestMeter::new();
    for (path, body, status) in [
        (
            "/api/v1/readings/",
            meter.submission(&meter.reading(0)),
            201,
        ),
        (
            "/api/v1/installations/",
            json!({"name": "New", "public_key": other.public_key().to_string()}),
            201,
        ),
    ] {
        let request = login.with_cookie(world.client.post(world.url(path)));
        let response = request.json(&body).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
    let request = login.with_cookie(world.client.post(world.url("/api/v1/records")));
    let request = request.header("content-type", "application/cose");
    let response = request.body(meter.sign1(&meter.boot())).send().await;
    assert_eq!(response.unwrap().status(), 200);
}

#[tokio::test]
async fn a_bearer_key_goes_before_a_cookie() {
    let world = World::with(|_| {}).await;
    let (_, key) = world.key(&json!({"name": "wall", "role": "viewer"})).await;
    let login = Login::begin(&world, &world.admin_key).await;
    let ask = async |path: &str, key: &str| {
        let request = login.with_cookie(world.client.get(world.url(path)));
        request.bearer_auth(key).send().await.unwrap()
    };
    assert_eq!(ask("/api/v1/keys", &key).await.status(), 403);
    let session: Value = ask("/api/v1/session", &key).await.json().await.unwrap();
    assert_eq!(session["name"], "wall");
    assert_eq!(session["csrf_token"], Value::Null);
    let refused = problem(ask("/api/v1/status/", "wwk_wrong").await).await;
    assert_eq!(refused["type"], "/problems/key-unknown");
    // A program that sends a key is no page: it needs no word of one.
    let body = json!({"name": "n", "role": "viewer"});
    let request = login.with_cookie(world.client.post(world.url("/api/v1/keys")));
    let request = request.bearer_auth(&world.admin_key).json(&body);
    assert_eq!(request.send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn guessing_keys_is_soon_over() {
    let world = World::with(|config| {
        config.limits.peer_requests_per_s = 1;
        config.limits.peer_burst = 100;
    })
    .await;
    let mut tries = 0;
    let limited = loop {
        let guess = json!({"key": format!("wwk_{tries}")});
        let refused = problem(world.post("/api/v1/session", &guess).await).await;
        if refused["type"] != "/problems/key-unknown" {
            break refused;
        }
        tries += 1;
    };
    assert_eq!(limited["type"], "/problems/rate-limited");
    assert!(tries <= 6, "{tries}");
    let right = json!({"key": world.admin_key});
    let refused = problem(world.post("/api/v1/session", &right).await).await;
    assert_eq!(refused["type"], "/problems/rate-limited");
}

#[tokio::test]
async fn logging_in_again_and_again_is_soon_over() {
    let world = World::with(|config| {
        config.limits.peer_requests_per_s = 1;
        config.limits.peer_burst = 100;
    })
    .await;
    let body = json!({"key": world.admin_key});
    let mut begun = 0;
    let limited = loop {
        let response = world.post("/api/v1/session", &body).await;
        if response.status() != 200 {
            break problem(response).await;
        }
        begun += 1;
    };
    assert_eq!(limited["type"], "/problems/rate-limited");
    assert!(begun <= 6, "{begun}");
}

#[tokio::test]
async fn who_is_logged_in_can_log_out_whatever_others_of_the_address_ask() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.peer_requests_per_s = 1;
        config.limits.peer_burst = 30;
    })
    .await;
    let login = Login::begin(&world, &world.admin_key).await;
    while world.get("/api/v1/status/").await.status() == 200 {}
    assert_eq!(login.end(&world).await.status(), 204);
}

#[tokio::test]
async fn logging_in_and_out_stands_in_the_audit_trail_without_the_key() {
    let world = World::with(|_| {}).await;
    let (id, key) = world
        .key(&json!({"name": "anna", "role": "operator"}))
        .await;
    let login = Login::begin(&world, &key).await;
    login.end(&world).await;
    login.end(&world).await;
    let trail = world.admin_json("/api/v1/audit?action=session").await;
    let lines: Vec<_> = trail.as_array().unwrap().iter().collect();
    let told: Vec<_> = lines.iter().map(|line| line["action"].as_str()).collect();
    assert_eq!(told, [Some("session.end"), Some("session.begin")]);
    for line in &lines {
        assert_eq!(line["actor"], "anna");
        assert_eq!(line["subject"], format!("key {id}"));
        assert!(!line.to_string().contains("ww"), "{line}");
    }
    let enrolled = login.post(&world, "/api/v1/keys", &json!({})).await;
    assert_eq!(enrolled.status(), 401);
}

#[tokio::test]
async fn what_is_done_in_a_session_is_done_by_its_key() {
    let world = World::with(|_| {}).await;
    let (_, key) = world.key(&json!({"name": "anna", "role": "admin"})).await;
    let login = Login::begin(&world, &key).await;
    let body = json!({"name": "n", "role": "viewer"});
    assert_eq!(
        login.post(&world, "/api/v1/keys", &body).await.status(),
        201
    );
    let newest = &world.admin_json("/api/v1/audit?limit=1").await[0];
    assert_eq!(newest["actor"], "anna");
    assert_eq!(newest["action"], "key.create");
}

#[tokio::test]
async fn nobody_logs_in_while_the_time_is_not_known() {
    let world = World::with(|_| {}).await;
    world.clock.set(0);
    let body = json!({"key": world.admin_key});
    let refused = problem(world.post("/api/v1/session", &body).await).await;
    assert_eq!(refused["type"], "/problems/state-conflict");
}

#[tokio::test]
async fn while_the_time_is_not_known_a_session_is_kept_and_can_be_ended() {
    let world = World::with(|_| {}).await;
    let login = Login::begin(&world, &world.admin_key).await;
    world.clock.set(0);
    let asked = login.get(&world, "/api/v1/session").await;
    assert!(!asked.headers().contains_key("set-cookie"));
    let session: Value = asked.json().await.unwrap();
    assert_eq!(session["role"], Value::Null);
    world.clock.set(START_MS + 1_000);
    assert_eq!(login.session(&world).await["role"], "admin");
    world.clock.set(0);
    let ended = login.end(&world).await;
    assert_eq!(ended.status(), 204);
    assert!(takes_back(&world, &ended));
    assert!(world.store.sessions().await.unwrap().is_empty());
    world.clock.set(START_MS + 1_000);
    assert_eq!(login.session(&world).await["role"], Value::Null);
}

#[tokio::test]
async fn over_https_at_a_trusted_proxy_the_cookie_is_for_https_alone() {
    for (trusted, is_secure) in [("127.0.0.0/8", true), ("192.0.2.0/24", false)] {
        let world = World::with(|config| {
            config.trusted_proxies = vec![trusted.parse().unwrap()];
        })
        .await;
        let ask = async |method, body: &Value, cookie: &str| {
            let request = world.client.request(method, world.url("/api/v1/session"));
            let request = request.header("x-forwarded-proto", "https").json(body);
            request.header("cookie", cookie).send().await.unwrap()
        };
        let body = json!({"key": world.admin_key});
        let response = ask(Method::POST, &body, "").await;
        let cookie = set_cookie(&response).to_owned();
        assert_eq!(
            cookie.ends_with("; SameSite=Strict; Secure"),
            is_secure,
            "{cookie}"
        );
        assert_eq!(cookie.starts_with("__Host-"), is_secure, "{cookie}");
        let (cookie, _) = cookie.split_once(';').unwrap();
        let asked = ask(Method::GET, &json!({}), cookie).await;
        let session: Value = asked.json().await.unwrap();
        assert_eq!(session["role"], "admin");
    }
}

#[tokio::test]
async fn no_page_of_another_origin_acts_with_the_cookie() {
    let world = World::with(|config| {
        config.public_read = true;
        config.cors_origins = vec!["https://example.org".to_owned()];
    })
    .await;
    let login = Login::begin(&world, &world.admin_key).await;
    let preflight = world
        .client
        .request(Method::OPTIONS, world.url("/api/v1/keys"))
        .header("origin", "https://example.org")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "content-type,x-csrf-token",
        );
    let asked = world.client.get(world.url("/api/v1/session"));
    let asked = login
        .with_cookie(asked)
        .header("origin", "https://example.org");
    for response in [preflight.send().await.unwrap(), asked.send().await.unwrap()] {
        let headers = response.headers();
        assert_eq!(
            headers["access-control-allow-origin"],
            "https://example.org"
        );
        assert!(!headers.contains_key("access-control-allow-credentials"));
        let allowed = headers.get("access-control-allow-headers");
        let allowed = allowed.map_or("", |allowed| allowed.to_str().unwrap());
        assert!(!allowed.contains("csrf"), "{allowed}");
    }
}

#[tokio::test]
async fn sessions_that_have_ended_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let audit = |action: &str| NewAudit {
        at: None,
        actor: String::new(),
        action: action.to_owned(),
        subject: String::new(),
        detail: String::new(),
    };
    let key = NewApiKey {
        name: "old".to_owned(),
        role: ww_store::Role::Viewer,
        hash: Hash([1; 32]),
        expires: None,
    };
    let key = store.add_key(key, audit("key.create")).await.unwrap().id;
    for (number, end) in [(1, START_MS), (2, START_MS + DAY_MS)] {
        let session = NewApiSession {
            hash: Hash([number; 32]),
            key,
            expires: UtcMillis::new(end).unwrap(),
        };
        let added = store.add_session(session, audit("session.begin")).await;
        assert!(added.unwrap().is_some());
    }
    store.close().await.unwrap();
    let world = World::open(folder, |_| {}).await;
    // The gateway does its upkeep in its own time.
    let forgotten = async {
        loop {
            let kept = world.store.sessions().await.unwrap();
            if let [kept] = kept[..] {
                break kept;
            }
        }
    };
    let kept = tokio::time::timeout(Duration::from_secs(10), forgotten).await;
    let kept = kept.expect("it is forgotten in time");
    assert_eq!(kept.session.hash, Hash([2; 32]));
}
