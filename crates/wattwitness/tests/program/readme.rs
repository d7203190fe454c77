//! Runs the README's commands as they stand, in one shell, against an emulated Shelly: the way in
//! for someone with a real meter must work from the first line to the last.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use ww_sim::clock::{Clock, RunningClock};
use ww_sim::emulator::{Emulator, Housing};
use ww_sim::park::Park;
use ww_wire::UtcMillis;

use crate::place::{PROGRAM, free_address, until};

const README: &str = include_str!("../../../../README.md");
const MARK: &str = "<!-- sequence";

/// The shell blocks that follow a mark.
fn blocks() -> Vec<&'static str> {
    README
        .split(MARK)
        .skip(1)
        .map(|rest| {
            rest.split("```sh\n")
                .nth(1)
                .unwrap()
                .split("```")
                .next()
                .unwrap()
        })
        .collect()
}

/// Puts a real address in the place of the README's example.
fn with_address(block: &str, name: &str, address: &str) -> String {
    block
        .lines()
        .map(|line| match line.starts_with(&format!("{name}=http")) {
            true => format!("{name}={address}\n"),
            false => format!("{line}\n"),
        })
        .collect()
}

/// Comes back when the gateway has readings that only the meter's stop will seal, and gives the
/// newest one's number: the first ones are sealed as soon as the meter hears of its approval.
async fn readings_in_an_open_window(gateway: &str) -> u64 {
    let latest = format!("{gateway}/api/v1/readings/latest/1");
    let (mut first, mut newest) = (None, 0);
    until(Duration::from_secs(120), async || {
        let Ok(answer) = reqwest::get(&latest).await else {
            return false;
        };
        let reading: Value = answer.json().await.unwrap_or_default();
        newest = reading["sequence"].as_u64().unwrap_or_default();
        newest > 0 && newest > *first.get_or_insert(newest) + 1
    })
    .await;
    newest
}

/// The firmware that the meter's newest Boot record names, once the gateway has it.
async fn claimed_firmware(gateway: &str) -> String {
    let list = format!("{gateway}/api/v1/installations/");
    let mut firmware = String::new();
    until(Duration::from_secs(60), async || {
        let answer = reqwest::get(&list).await.unwrap();
        let installations: Value = answer.json().await.unwrap();
        let claimed = installations[0]["firmware_digest"].as_str();
        firmware = claimed.unwrap_or_default().to_owned();
        !firmware.is_empty()
    })
    .await;
    firmware
}

/// How many readings an audit's report calls proven.
fn proven(line: &str) -> Option<u64> {
    let (count, _) = line
        .trim()
        .strip_prefix("· ")?
        .split_once(" readings in ")?;
    count.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readmes_commands_lead_from_a_shelly_to_a_complete_audit() {
    let now = jiff::Timestamp::now().as_millisecond();
    let clock = RunningClock::new(UtcMillis::new(u64::try_from(now).unwrap()).unwrap(), 1.0);
    let sensor = Park::example(1, 1).posts[0].sensor(clock.utc());
    let shelly = Emulator::start(
        "127.0.0.1:0".parse().unwrap(),
        sensor,
        Housing::default(),
        Arc::new(clock),
    )
    .await
    .unwrap();
    let shelly = format!("http://{}", shelly.address());
    let gateway = format!("http://{}", free_address());
    let blocks = blocks();
    assert_eq!(blocks.len(), 3);

    let folder = tempfile::tempdir().unwrap();
    let programs = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash")
        .args(["-eu", "-o", "pipefail"])
        .current_dir(folder.path())
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut commands = shell.stdin.take().unwrap();
    // Should a command fail, what was started before it must not live on.
    commands
        .write_all(b"trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n")
        .unwrap();
    let first = with_address(blocks[0], "SHELLY", &shelly);
    let first = with_address(&first, "GATEWAY", &gateway);
    assert!(first.contains(&shelly) && first.contains(&gateway));
    commands.write_all(first.as_bytes()).unwrap();
    let seen = readings_in_an_open_window(&gateway).await;
    let program = ww_wire::Hash(Sha256::digest(std::fs::read(PROGRAM).unwrap()).into());
    assert_eq!(claimed_firmware(&gateway).await, program.to_string());
    commands.write_all(blocks[1].as_bytes()).unwrap();
    commands.write_all(blocks[2].as_bytes()).unwrap();
    drop(commands);
    let output = tokio::task::spawn_blocking(move || shell.wait_with_output().unwrap());
    let output = tokio::time::timeout(Duration::from_secs(90), output)
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("Verdict  COMPLETE").count(), 2, "{text}");
    let proven: Vec<u64> = text.lines().filter_map(proven).collect();
    assert_eq!(proven.len(), 2, "{text}");
    assert!(
        proven.iter().all(|proven| *proven >= seen),
        "{seen}: {text}"
    );
    assert!(folder.path().join("park.db").exists());
}
