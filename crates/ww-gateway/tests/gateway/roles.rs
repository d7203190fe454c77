//! Every route of the table with every role, with and without public read, by key and by cookie.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use ww_api::{Access, Method, ROUTES, Role, Route};

use crate::world::{Login, World, problem};

/// A key of each role, and nobody's.
async fn callers(world: &World) -> Vec<(Option<Role>, String)> {
    let mut callers = vec![(None, String::new())];
    for role in Role::ALL {
        let body = json!({"name": role.name(), "role": role.name()});
        let response = world.admin_post("/api/v1/keys", &body).await;
        assert_eq!(response.status(), 201);
        let key: Value = response.json().await.unwrap();
        callers.push((Some(role), key["key"].as_str().unwrap().to_owned()));
    }
    callers
}

fn request(world: &World, route: &Route, key: &str) -> RequestBuilder {
    let path = route
        .path
        .replace("{kind}", "not-found")
        .replace("{meter_id}", &"00".repeat(32))
        .replace("{source}", "old")
        .replace("{digest}", &"00".repeat(32))
        .replace("{number}", "999")
        .replace("{id}", "999")
        .replace("{installation_id}", "999")
        .replace("{window_id}", "999")
        .replace("{reading_id}", "999");
    let url = world.url(&path);
    let request = match route.method {
        Method::Get => world.client.get(url),
        Method::Post => world.client.post(url).header("content-length", "0"),
        Method::Delete => world.client.delete(url),
    };
    match key {
        "" => request,
        key => request.bearer_auth(key),
    }
}

/// How a request says who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Credential {
    Bearer,
    /// A session's cookie with the word that shows whose page it is.
    Session,
    /// A session's cookie alone, as a page of another site could make a browser send it.
    CookieAlone,
}

async fn send(world: &World, route: &Route, key: &str, credential: Credential) -> StatusCode {
    let request = match credential {
        _ if key.is_empty() => request(world, route, ""),
        Credential::Bearer => request(world, route, key),
        // A session for each request, because one of them ends it.
        Credential::Session => {
            let login = Login::begin(world, key).await;
            login.with_csrf(request(world, route, ""))
        }
        Credential::CookieAlone => {
            let login = Login::begin(world, key).await;
            login.with_cookie(request(world, route, ""))
        }
    };
    request.send().await.unwrap().status()
}

async fn check_all(world: &World, public_read: bool) {
    for (role, key) in callers(world).await {
        for route in ROUTES {
            check(world, public_read, route, role, &key, Credential::Bearer).await;
            if role.is_some() {
                check(world, public_read, route, role, &key, Credential::Session).await;
                check(
                    world,
                    public_read,
                    route,
                    role,
                    &key,
                    Credential::CookieAlone,
                )
                .await;
            }
        }
    }
}

async fn check(
    world: &World,
    public_read: bool,
    route: &Route,
    role: Option<Role>,
    key: &str,
    credential: Credential,
) {
    let status = send(world, route, key, credential).await;
    let is_change = route.method != Method::Get;
    let is_for_roles = !matches!(route.access, Access::Open | Access::Signed);
    let needs_csrf = is_for_roles || route.operation == "end_session";
    let expected = match route.access {
        _ if credential == Credential::CookieAlone && is_change && needs_csrf => {
            Some(StatusCode::FORBIDDEN)
        }
        Access::Open | Access::Signed => None,
        Access::Role(Role::Viewer) if public_read => None,
        Access::Role(needed) => refusal(role, &[needed]),
        Access::EitherRole(one, other) => refusal(role, &[one, other]),
    };
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    let case = format!("{role:?} {credential:?} {route:?}");
    match expected {
        Some(expected) => assert_eq!(status, expected, "{case}"),
        None => assert!(!refused.contains(&status), "{case} {status}"),
    }
    assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{case}");
    assert!(!status.is_server_error(), "{case} {status}");
}

fn refusal(role: Option<Role>, needed: &[Role]) -> Option<StatusCode> {
    match role {
        None => Some(StatusCode::UNAUTHORIZED),
        Some(role) if needed.iter().any(|needed| role.may(*needed)) => None,
        Some(_) => Some(StatusCode::FORBIDDEN),
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_says_and_nobody_else() {
    let world = World::with(|config| config.limits.peer_burst = 100_000).await;
    check_all(&world, false).await;
}

#[tokio::test]
async fn public_read_opens_what_a_viewer_may_and_nothing_more() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.peer_burst = 100_000;
    })
    .await;
    check_all(&world, true).await;
}

#[tokio::test]
async fn a_wrong_key_is_refused_even_where_none_is_needed() {
    let world = World::start().await;
    let request = world.client.get(world.url("/api/v1/installations/"));
    let response = request.bearer_auth("wwk_wrong").send().await.unwrap();
    assert_eq!(problem(response).await["type"], "/problems/key-unknown");
}

#[tokio::test]
async fn no_key_is_told_from_a_wrong_one() {
    let world = World::with(|_| {}).await;
    let response = world.get("/api/v1/installations/").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        response.headers()["www-authenticate"],
        "Bearer realm=\"wattwitness\""
    );
    let problem = problem(response).await;
    assert_eq!(problem["type"], "/problems/unauthorized");
    // The dashboard shows these words to who opens it on a gateway without public read.
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("`--public-read`"), "{detail}");
}

#[tokio::test]
async fn unknown_expired_and_revoked_keys_are_answered_alike() {
    let world = World::with(|_| {}).await;
    let mut keys = vec!["wwk_wrong".to_owned()];
    for body in [
        json!({"name": "old", "role": "viewer", "expires_at": "2020-01-01T00:00:00"}),
        json!({"name": "lost", "role": "viewer"}),
    ] {
        let response = world.admin_post("/api/v1/keys", &body).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let made: Value = response.json().await.unwrap();
        keys.push(made["key"].as_str().unwrap().to_owned());
        if made["name"] == "lost" {
            let url = world.url(&format!("/api/v1/keys/{}", made["id"]));
            let revoked = world
                .client
                .delete(url)
                .bearer_auth(&world.admin_key)
                .send();
            assert_eq!(revoked.await.unwrap().status(), StatusCode::NO_CONTENT);
        }
    }
    let mut answers = Vec::new();
    for key in keys {
        let request = world.client.get(world.url("/api/v1/installations/"));
        let response = request.bearer_auth(key).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let challenge = response.headers()["www-authenticate"].clone();
        answers.push((challenge, problem(response).await));
    }
    let (challenge, problem) = &answers[0];
    assert_eq!(problem["type"], "/problems/key-unknown");
    assert_eq!(problem["title"], "The key is not known or has expired");
    assert_eq!(
        challenge,
        "Bearer realm=\"wattwitness\", error=\"invalid_token\""
    );
    assert!(answers.iter().all(|answer| answer == &answers[0]));
}

#[tokio::test]
async fn who_asks_too_often_without_a_key_waits() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.peer_requests_per_s = 1;
        config.limits.peer_burst = 5;
    })
    .await;
    for _ in 0..5 {
        assert_eq!(world.get("/api/v1/installations/").await.status(), 200);
    }
    let response = world.get("/api/v1/installations/").await;
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(problem(response).await["type"], "/problems/rate-limited");
    world.admin_json("/api/v1/installations/").await;
    assert_eq!(world.get("/health").await.status(), 200);
}
