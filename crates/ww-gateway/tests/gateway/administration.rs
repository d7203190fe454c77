//! Keys, the audit trail, figures, and the documents.

use std::collections::HashSet;
use std::sync::Arc;

use reqwest::Response;
use serde_json::{Value, json};
use ww_api::ProblemKind;
use ww_store::{NewAudit, Store as _};
use ww_wire::UtcMillis;
use ww_wire::record::Record as _;

use crate::world::{START_MS, World, packed, problem};

#[tokio::test]
async fn a_key_is_shown_once_and_works_until_it_is_revoked() {
    let world = World::with(|_| {}).await;
    let body = json!({"name": "wall display", "role": "viewer"});
    let response = world.admin_post("/api/v1/keys", &body).await;
    let made: Value = response.json().await.unwrap();
    let key = made["key"].as_str().unwrap();
    let listed = world.admin_json("/api/v1/keys").await.to_string();
    assert!(listed.contains("wall display"));
    assert!(!listed.contains(key), "a list never shows a key");
    let ask = || {
        let request = world.client.get(world.url("/api/v1/status/"));
        request.bearer_auth(key).send()
    };
    assert_eq!(ask().await.unwrap().status(), 200);
    let path = format!("/api/v1/keys/{}", made["id"]);
    let revoke = world
        .client
        .delete(world.url(&path))
        .bearer_auth(&world.admin_key);
    assert_eq!(revoke.send().await.unwrap().status(), 204);
    assert_eq!(ask().await.unwrap().status(), 401);
}

#[tokio::test]
async fn every_change_leaves_a_line_in_the_audit_trail() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    world
        .admin_post("/api/v1/keys", &json!({"name": "n", "role": "operator"}))
        .await;
    let path = format!("/api/v1/installations/{}/revoke", meter.id);
    world.admin_post(&path, &json!({"reason": "lost"})).await;
    let trail = world.admin_json("/api/v1/audit").await;
    let actions: Vec<_> = trail
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    let expected = [
        "installation.revoke",
        "key.create",
        "installation.approve",
        "installation.announce",
        "key.create",
    ];
    assert_eq!(actions, expected);
    assert_eq!(trail[0]["actor"], "admin");
    let page = world.admin_json("/api/v1/audit?limit=2").await;
    assert_eq!(page.as_array().unwrap().len(), 2);
}

fn line(action: &str, subject: &str, detail: &str) -> NewAudit {
    NewAudit {
        at: UtcMillis::new(START_MS),
        actor: "=anna".to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_owned(),
    }
}

#[tokio::test]
async fn the_audit_trail_is_filtered_by_who_what_and_when() {
    let world = World::with(|_| {}).await;
    let meter = world.enrolled().await;
    world.clock.set(START_MS + 86_400_000);
    world.key(&json!({"name": "n", "role": "operator"})).await;
    for (query, expected) in [
        ("actor=gateway", &["key.create"][..]),
        ("action=key", &["key.create", "key.create"]),
        ("action=installation.approve", &["installation.approve"]),
        ("action=installation.appr", &[]),
        ("subject=installation%201", &["installation.approve"]),
        (
            "end_time=2025-06-19T23:00:00Z&actor=admin",
            &["installation.approve"],
        ),
        ("start_time=2025-06-20", &["key.create"]),
        ("actor=admin&limit=1", &["key.create"]),
    ] {
        let trail = world.admin_json(&format!("/api/v1/audit?{query}")).await;
        let lines = trail.as_array().unwrap();
        let actions: Vec<_> = lines.iter().map(|line| &line["action"]).collect();
        assert_eq!(actions, expected, "{query}");
    }
    let request = world
        .client
        .get(world.url("/api/v1/audit?actor=admin&limit=1"));
    let page = request.bearer_auth(&world.admin_key).send().await.unwrap();
    let link = page.headers()["link"].to_str().unwrap().to_owned();
    let (next, _) = link.trim_start_matches('<').split_once('>').unwrap();
    let next = world.admin_json(next).await;
    assert_eq!(next[0]["action"], "installation.approve");
    assert_eq!(next[0]["subject"], format!("installation {}", meter.id));
    for wrong in [
        "start_time=soon",
        "start_time=2025-06-20&end_time=2025-06-19",
    ] {
        let request = world
            .client
            .get(world.url(&format!("/api/v1/audit.csv?{wrong}")));
        let request = request.bearer_auth(&world.admin_key);
        assert_eq!(
            problem(request.send().await.unwrap()).await["field"],
            "start_time"
        );
    }
}

async fn export(world: &World, query: &str) -> Response {
    let request = world
        .client
        .get(world.url(&format!("/api/v1/audit.csv{query}")));
    request.bearer_auth(&world.admin_key).send().await.unwrap()
}

#[tokio::test]
async fn the_audit_trail_is_exported_as_a_file_that_runs_nothing() {
    let world = World::with(|_| {}).await;
    let formula = "=HYPERLINK(\"http://x\",\"y\")";
    let written = line("installation.label", formula, "Müller, \"Dach\"\n-2");
    world.store.record_audit(written).await.unwrap();
    let table = export(&world, "?action=installation").await;
    assert_eq!(table.status(), 200);
    let headers = table.headers();
    assert_eq!(
        headers["content-type"],
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"audit.csv\""
    );
    assert_eq!(headers["cache-control"], "no-store");
    let table = table.bytes().await.unwrap();
    let expected = "\u{feff}time_utc,actor,action,subject,detail\r\n\
        2025-06-19T16:50:00.000000,'=anna,installation.label,\
        \"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",\"Müller, \"\"Dach\"\"\n'-2\"\r\n";
    assert_eq!(std::str::from_utf8(&table).unwrap(), expected);
}

#[tokio::test]
async fn an_export_is_as_long_as_the_trail() {
    let world = World::with(|_| {}).await;
    let writing: Vec<_> = (0..2_000)
        .map(|number| {
            let store = Arc::clone(&world.store);
            let written = line("test.write", &format!("line {number}"), "");
            tokio::spawn(async move { store.record_audit(written).await })
        })
        .collect();
    for written in writing {
        written.await.unwrap().unwrap();
    }
    for (query, expected) in [("?action=test", 2_000), ("", 2_001)] {
        let table = export(&world, query).await.text().await.unwrap();
        let lines: HashSet<_> = table.lines().skip(1).collect();
        assert_eq!(lines.len(), expected, "{query}");
        assert_eq!(table.lines().count(), expected + 1, "{query}");
    }
}

#[tokio::test]
async fn what_is_no_key_is_refused_by_name() {
    let world = World::start().await;
    for (body, kind) in [
        (json!({"name": "", "role": "viewer"}), "invalid-field"),
        (json!({"name": "x", "role": "emperor"}), "invalid-field"),
        (json!({"role": "viewer"}), "missing-field"),
        (
            json!({"name": "x", "role": "viewer", "expires_at": "never"}),
            "invalid-field",
        ),
    ] {
        let problem = problem(world.admin_post("/api/v1/keys", &body).await).await;
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{problem}");
    }
}

#[tokio::test]
async fn figures_for_prometheus_count_what_happened() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    world.submit(&meter, &meter.reading(0)).await;
    world.submit(&meter, &meter.reading(0)).await;
    world.post("/api/v1/readings/", &json!({})).await;
    let text = world.get("/metrics").await.text().await.unwrap();
    for line in [
        "wattwitness_readings_stored_total 1",
        "wattwitness_duplicates_total 1",
        "wattwitness_problems_total{kind=\"missing-field\"} 1",
        "wattwitness_ingest_seconds_count 3",
        "wattwitness_installations 1",
    ] {
        assert!(
            text.lines().any(|known| known == line),
            "{line} is not in\n{text}"
        );
    }
}

#[tokio::test]
async fn figures_tell_readings_from_windows_and_reports_at_the_binary_door_too() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let readings: Vec<_> = (0..3).map(|place| meter.reading(place)).collect();
    let boot = meter.boot();
    let window = meter.window(&readings, 1, boot.encode().unwrap().digest());
    let body = [
        meter.sign1(&boot),
        meter.sign1(&window),
        packed(&readings),
        meter.sign1(&meter.reading(3)),
        meter.sign1(&meter.reading(4)),
        meter.sign1(&meter.report()),
    ];
    assert_eq!(world.post_records(body.concat()).await.status(), 200);
    let text = world.get("/metrics").await.text().await.unwrap();
    for line in [
        "wattwitness_readings_stored_total 2",
        "wattwitness_readings_sealed_total 3",
        "wattwitness_records_stored_total 2",
    ] {
        assert!(
            text.lines().any(|known| known == line),
            "{line} is not in\n{text}"
        );
    }
}

#[tokio::test]
async fn the_documentation_needs_no_other_host() {
    let world = World::with(|_| {}).await;
    let page = world.get("/docs").await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("default-src 'self'"));
    let html = page.text().await.unwrap();
    assert!(
        !html.contains("http://") && !html.contains("https://"),
        "{html}"
    );
    assert!(!html.contains("<script>"), "no inline script");
    for file in [
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-initializer.js",
    ] {
        assert!(html.contains(&format!("/docs/{file}")), "{file}");
        assert_eq!(world.get(&format!("/docs/{file}")).await.status(), 200);
    }
    let initializer = world
        .get("/docs/swagger-initializer.js")
        .await
        .text()
        .await
        .unwrap();
    assert!(initializer.contains("/api/v1/openapi.json"));
}

#[tokio::test]
async fn the_openapi_document_is_the_committed_one() {
    let world = World::with(|_| {}).await;
    let served = world
        .get("/api/v1/openapi.json")
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(served, ww_api::openapi::document_json());
}

#[tokio::test]
async fn every_kind_of_problem_is_explained_at_its_type() {
    let world = World::with(|config| config.limits.peer_burst = 10_000).await;
    for kind in ProblemKind::ALL {
        let text = world.get(kind.path()).await.text().await.unwrap();
        assert!(text.starts_with(kind.title()), "{text}");
    }
    assert_eq!(world.get("/problems/none").await.status(), 404);
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist_are_problems() {
    let world = World::start().await;
    let missing = problem(world.get("/api/v1/nothing").await).await;
    assert_eq!(missing["type"], "/problems/not-found");
    for (path, allowed) in [
        ("/api/v1/installations/", "GET,HEAD,POST"),
        ("/api/v1/readings/", "POST"),
        ("/api/v1/records", "POST"),
        ("/", "GET,HEAD"),
    ] {
        let wrong = world.client.delete(world.url(path)).send().await.unwrap();
        assert_eq!(wrong.headers()["allow"], allowed, "{path}");
        assert_eq!(problem(wrong).await["type"], "/problems/method-not-allowed");
    }
    let file = world
        .client
        .get(world.url("/nothing.js"))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(file).await["status"], 404);
}

#[tokio::test]
async fn a_path_that_cannot_be_read_is_a_problem() {
    let world = World::start().await;
    for unreadable in [
        "/api/v1/readings/%ff",
        "/api/v1/installations/%ff",
        "/api/v1/installations/%ff/readings/1",
        "/api/v1/meters/%ff/records",
        "/problems/%ff",
    ] {
        let unreadable = problem(world.get(unreadable).await).await;
        assert_eq!(unreadable["type"], "/problems/not-found");
    }
}

#[tokio::test]
async fn the_root_is_a_page_whether_the_dashboard_was_built_or_not() {
    let world = World::with(|_| {}).await;
    for path in ["/", "/meters/1"] {
        let page = world
            .client
            .get(world.url(path))
            .header("accept", "text/html")
            .send()
            .await
            .unwrap();
        assert_eq!(page.status(), 200);
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers()["x-content-type-options"], "nosniff");
        assert!(page.headers().contains_key("content-security-policy"));
    }
}
