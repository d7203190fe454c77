//! Where a gateway runs: the real program in a folder of its own, asked over HTTP as anyone would.
//! Of meters it knows what the gateway shows.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_wattwitness");

/// Meters on a fake clock send in seconds what takes days.
const CONFIG: &str = "\
[serve.limits]
meter_records_per_s = 1000000
meter_burst = 1000000
peer_requests_per_s = 1000000
peer_burst = 1000000
";

/// How long a gateway may take to start, on a computer that is busy with other tests.
const START: Duration = Duration::from_secs(60);

/// An address on this computer where nobody listens.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Asks until it is so; every question waits for the answer to the one before.
pub(crate) async fn until(limit: Duration, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        while !is_so().await {
            pause.tick().await;
        }
    };
    tokio::time::timeout(limit, asking).await.unwrap();
}

/// A folder with a gateway's configuration and data, and the address where it serves.
pub(crate) struct Place {
    folder: TempDir,
    address: String,
    pub(crate) client: Client,
}

/// A gateway's process; killed without warning when dropped.
pub(crate) struct Gateway(Child);

impl Gateway {
    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) {
        let kill = ["-c", "kill \"$0\"", &self.0.id().to_string()];
        let asked = Command::new("sh").args(kill).status();
        assert!(asked.unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A reading as the gateway lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The signed bytes, hex.
    pub(crate) record: String,
    pub(crate) is_sealed: bool,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            address: free_address(),
            client: Client::builder()
                .timeout(Duration::from_secs(20))
                .build()
                .unwrap(),
        };
        std::fs::write(place.path("wattwitness.toml"), CONFIG).unwrap();
        place
    }

    /// Lists a key among the operators, for the next start.
    pub(crate) fn trust(&self, operator_key: &str) {
        let config = format!("[serve]\ntrusted_operator_keys = [\"{operator_key}\"]\n{CONFIG}");
        std::fs::write(self.path("wattwitness.toml"), config).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What lies in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let held = std::fs::read_dir(self.folder.path()).unwrap();
        held.map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Starts the gateway and waits until it answers.
    pub(crate) async fn serve(&self) -> Gateway {
        let child = Command::new(PROGRAM)
            .args(["--config", "wattwitness.toml", "--log", "error"])
            .args(["serve", "--public-read", "--data", "data"])
            .args(["--listen", &self.address])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .spawn();
        let gateway = Gateway(child.unwrap());
        until(START, async || {
            let answer = self.client.get(self.url("/ready")).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        gateway
    }

    /// Starts a demo whose park's time goes fast, and waits until its gateway answers.
    pub(crate) async fn demo(&self, arguments: &[&str]) -> Gateway {
        let child = Command::new(PROGRAM)
            .args(["--log", "error", "demo", "--data", "demo"])
            .args(["--listen", &self.address])
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let gateway = Gateway(child.unwrap());
        until(START, async || {
            let answer = self.client.get(self.url("/ready")).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        gateway
    }

    /// Runs another command of the program in the folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(&[], arguments)
    }

    /// The same with variables of its own.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let run = Command::new(PROGRAM)
            .envs(variables.iter().copied())
            .args(["--log", "error"])
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output();
        run.unwrap()
    }

    /// What a command that succeeds prints.
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.client.get(self.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Posts as the administrator.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let key = std::fs::read_to_string(self.path("data/admin.key")).unwrap();
        let request = self.client.post(self.url(path)).bearer_auth(key.trim());
        request.json(body).send().await.unwrap()
    }

    pub(crate) async fn approve(&self, installation: u64, approval: &Value) {
        let path = format!("/api/v1/installations/{installation}/approve");
        let answer = self.post(&path, approval).await;
        let status = answer.status();
        assert!(status.is_success(), "{}", answer.text().await.unwrap());
    }

    /// All readings of an installation by number. None is there twice, and each is verified.
    pub(crate) async fn readings(&self, installation: u64) -> BTreeMap<u64, Held> {
        let path = format!("/api/v1/readings/{installation}?start_time=1970-01-01T00:00:00Z");
        let listed = self.json(&path).await;
        let mut readings = BTreeMap::new();
        for reading in listed.as_array().unwrap() {
            let number = reading["sequence"].as_u64().unwrap();
            assert_eq!(reading["is_verified"], true, "{reading}");
            let held = Held {
                record: reading["record"].as_str().unwrap().to_owned(),
                is_sealed: !reading["proof"].is_null(),
            };
            let twin = readings.insert(number, held);
            assert_eq!(twin, None, "reading {number} is there twice");
        }
        readings
    }

    /// Lifetime energy, mWh.
    pub(crate) async fn lifetime_mwh(&self, installation: u64) -> u64 {
        let path = format!("/api/v1/installations/{installation}/energy");
        mwh(&self.json(&path).await["lifetime_wh"])
    }

    /// The sum of a chart's bars, mWh.
    pub(crate) async fn chart_mwh(&self, installation: u64, frame: &str) -> u64 {
        let path = format!("/api/v1/readings/{installation}/chart?time_frame={frame}");
        let chart = self.json(&path).await;
        let bars = chart["data_points"].as_array().unwrap();
        let sum = bars.iter().map(|bar| mwh(&bar["value"])).sum();
        assert_eq!(mwh(&chart["total_energy"]), sum);
        sum
    }

    /// Audits a meter from outside, which must find its whole history complete, and gives the
    /// report.
    pub(crate) fn audit(&self, meter: &str) -> Value {
        let gateway = self.url("");
        let verify = ["verify", "--gateway", &gateway, "--meter", meter];
        let words = self.run(&verify);
        let shown = String::from_utf8(words.stdout).unwrap();
        assert_eq!(words.status.code(), Some(0), "{shown}");
        assert!(shown.contains("Verdict  COMPLETE"), "{shown}");
        let report = self.told(&[&verify[..], &["--json"]].concat());
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["missing"], json!([]));
        report
    }
}

/// Watt-hours with three decimals.
fn mwh(watt_hours: &Value) -> u64 {
    (watt_hours.as_f64().unwrap() * 1000.0).round() as u64
}
