//! The benchmark's command line: every figure is there and is a number. What the numbers are is for
//! people to judge.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

const FIGURES: [&str; 15] = [
    "p256_verify_per_s",
    "http_readings_per_s",
    "http_ratio",
    "http_ratio_binary",
    "http_wall_readings_per_s",
    "http_binary_wall_readings_per_s",
    "http_p50_ms",
    "http_p99_ms",
    "window_readings_per_s_per_core",
    "window_wall_readings_per_s",
    "bytes_per_reading_live",
    "bytes_per_reading_sealed",
    "chart_p99_ms",
    "latest_p99_ms",
    "rss_mb",
];

#[test]
fn a_quick_run_gives_every_figure_as_a_positive_number() {
    let run = Command::new(env!("CARGO_BIN_EXE_wattwitness"))
        .args(["bench", "ingest", "--json", "--quick"])
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let figures: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&run.stdout).unwrap();
    for name in FIGURES {
        let value = figures.get(name).and_then(serde_json::Value::as_f64);
        assert!(
            value.is_some_and(|value| value.is_finite() && value > 0.0),
            "{name}: {value:?}"
        );
    }
    assert!(figures.values().all(serde_json::Value::is_number));
}

#[test]
fn a_run_that_is_stopped_leaves_no_gateway_and_no_folder_behind() {
    let place = tempfile::tempdir().unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_wattwitness"))
        .args(["bench", "ingest", "--quick"])
        .env("TMPDIR", place.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(run.stderr.take().unwrap());
    let pid = run.id().to_string();
    let mut gateways = String::new();
    for line in told.lines() {
        if gateways.is_empty() && line.unwrap().starts_with("Sending") {
            let children = format!("/proc/{pid}/task/{pid}/children");
            gateways = std::fs::read_to_string(children).unwrap();
            Command::new("kill").arg(&pid).status().unwrap();
        }
    }
    assert_eq!(run.wait().unwrap().code(), Some(1));
    let gateways: Vec<&str> = gateways.split_whitespace().collect();
    assert_eq!(gateways.len(), 1);
    assert!(!Path::new("/proc").join(gateways[0]).exists());
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}
