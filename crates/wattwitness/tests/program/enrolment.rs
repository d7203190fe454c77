//! An operator approves a meter with a key that never leaves his own computer.

use serde_json::Value;

use crate::place::Place;
use crate::post::{HOUR_MS, MeteredPost, example, morning};

/// Makes an operator's key and gives its public half and its id.
fn new_key(place: &Place, file: &str) -> (String, String) {
    let shown = place.told(&["keys", "new", file]);
    let told = |name: &str| {
        let line = shown.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().to_owned()
    };
    (told("public key"), told("id"))
}

/// The arguments of `wattwitness enrol`.
pub(crate) fn enrol<'a>(gateway: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let begin = [
        "enrol",
        "--gateway",
        gateway,
        "--api-key-file",
        "data/admin.key",
    ];
    [&begin[..], more].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_enrols_a_meter_with_a_key_of_his_own() {
    let place = Place::new();
    let (public, operator) = new_key(&place, "operator.key");
    place.trust(&public);
    let _gateway = place.serve().await;
    let mut post = MeteredPost::announced(&place, &example(0), 1, morning(1));
    let (gateway, meter) = (place.url(""), post.id());
    let waiting = place.told(&enrol(&gateway, &[]));
    assert!(waiting.contains(&meter), "{waiting}");

    let own = ["--meter", &meter, "--operator-key", "operator.key"];
    let said = place.told(&enrol(&gateway, &own));
    assert!(said.contains("is active"), "{said}");
    post.run(HOUR_MS);
    post.assert_held(&place).await;
    post.assert_counted(&place).await;
    let installation = &place.json("/api/v1/installations/").await[0];
    assert_eq!(installation["enrolment_accepted"], true);

    let verify = ["verify", "--gateway", &gateway, "--meter", &meter, "--json"];
    let trusting = |operator: &str| {
        let output = place.run(&[&verify[..], &["--operator", operator]].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), report["verdict"].clone())
    };
    assert_eq!(trusting(&operator), (Some(0), "complete".into()));
    let (_, stranger) = new_key(&place, "stranger.key");
    assert_eq!(trusting(&stranger), (Some(3), "refuted".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_whom_the_gateway_does_not_list_enrols_nobody() {
    let place = Place::new();
    new_key(&place, "stranger.key");
    let _gateway = place.serve().await;
    let post = MeteredPost::announced(&place, &example(0), 1, morning(1));
    let (gateway, meter) = (place.url(""), post.id());
    let own = ["--meter", &meter, "--operator-key", "stranger.key"];
    let refused = place.run(&enrol(&gateway, &own));
    let why = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{why}");
    assert!(why.contains("operator"), "{why}");
    let installation = &place.json("/api/v1/installations/").await[0];
    assert_eq!(installation["state"], "waiting");
}
