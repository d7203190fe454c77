//! Firmware's whole journey: the demo's meters, with the product's own agent, are updated over HTTP by the
//! product's own gateway from releases that its own commands made.

use std::time::Duration;

use serde_json::Value;

use crate::place::{Place, until};

const ROLLOUTS: &str = "/api/v1/firmware/rollouts";

/// A wave of one, soaking and a wave of two take two minutes of the park's time, or ten seconds.
const PARK: [&str; 6] = ["--meters", "3", "--history", "10m", "--speed", "20"];

/// Longer than that takes on a computer that is busy.
const LONG: Duration = Duration::from_secs(120);

/// Waits until the rollout is in this state, and gives it.
async fn rolled_out(place: &Place, state: &str) -> Value {
    until(LONG, async || {
        place.json(ROLLOUTS).await[0]["state"] == *state
    })
    .await;
    place.json(ROLLOUTS).await[0].clone()
}

async fn devices(place: &Place) -> Vec<Value> {
    let devices = place.json("/ota/status").await;
    devices.as_array().unwrap().clone()
}

/// What the meters reported, and why.
async fn outcomes(place: &Place) -> Vec<(String, String)> {
    let mut outcomes = Vec::new();
    for device in devices(place).await {
        assert_eq!(device["security_counter"], 0);
        let meter = format!("/ota/status/{}", device["meter_id"].as_str().unwrap());
        let reports = place.json(&meter).await["reports"].clone();
        outcomes.extend(reports.as_array().unwrap().iter().map(|report| {
            let text = |field: &str| report[field].as_str().unwrap().to_owned();
            (text("outcome"), text("obstacle"))
        }));
    }
    outcomes
}

#[tokio::test]
async fn a_release_reaches_every_meter_and_each_says_so_in_its_signed_boot_record() {
    let place = Place::new();
    let park = place.demo(&PARK).await;
    let rollout = rolled_out(&place, "completed").await;
    assert_eq!(rollout["counts"]["updated"], 3);
    let devices = devices(&place).await;
    assert_eq!(devices.len(), 3);
    for device in &devices {
        assert_eq!(device["running_version"], "2.0.0");
        assert_eq!(device["running_release"], rollout["release"]);
        assert_eq!(device["security_counter"], 2);
        let number = &device["installation_id"];
        let meter = format!("/ota/status/{}", device["meter_id"].as_str().unwrap());
        let reports = &place.json(&meter).await["reports"];
        assert_eq!(reports[0]["outcome"], "confirmed", "{reports}");
        // Nothing of what was measured meanwhile is missing.
        let path = format!("/api/v1/readings/{number}?limit=1000");
        let readings = place.json(&path).await;
        let mut sequences: Vec<i64> = readings
            .as_array()
            .unwrap()
            .iter()
            .map(|reading| reading["sequence"].as_i64().unwrap())
            .collect();
        sequences.sort_unstable();
        let expected: Vec<i64> = (1..=sequences.len() as i64).collect();
        assert_eq!(sequences, expected);
        let boots =
            place.json(&format!("/api/v1/installations/{number}")).await["last_boot"].clone();
        assert_eq!(boots["reset_reason"], "update", "{boots}");
        assert_eq!(boots["firmware_digest"], device["running_digest"]);
    }
    let meter = devices[0]["meter_id"].as_str().unwrap();
    let url = place.url("");
    let audit = place.run(&["verify", "--gateway", &url, "--meter", meter]);
    assert!(audit.status.success(), "{audit:?}");
    park.stop();
}

#[tokio::test]
async fn a_release_that_does_not_work_is_halted_after_one_meter_which_runs_the_old_one_again() {
    let place = Place::new();
    let park = place.demo(&[&PARK[..], &["--bad-firmware"]].concat()).await;
    let rollout = rolled_out(&place, "halted").await;
    assert_eq!(rollout["counts"]["failed"], 1);
    assert_eq!(rollout["counts"]["waiting"], 2);
    until(LONG, async || {
        let devices = devices(&place).await;
        devices
            .iter()
            .all(|device| device["running_version"] == "1.0.0")
    })
    .await;
    // The new start was seen first; the report comes after it.
    until(LONG, async || !outcomes(&place).await.is_empty()).await;
    let expected = ("rolled_back".to_owned(), "sensor".to_owned());
    assert_eq!(outcomes(&place).await, [expected]);
    park.stop();
}
