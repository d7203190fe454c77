//! The gateway under measurement: this very program as a process of its own, so that its processor
//! time and memory can be told from those of the load.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::Client;
use ww_api::name::Named;
use ww_api::{Announcement, Approval, Installation};
use ww_sim::park::{Park, Post};
use ww_store::{Statistics, Store};
use ww_wire::{MeterId, PublicKey};

use crate::serve;

/// Nothing of the gateway is switched off; only its limits for one meter and one address are out of
/// the way.
const CONFIG: &str = "\
[serve.limits]
connections_per_peer = 1000
meter_records_per_s = 1000000000
meter_burst = 1000000000
peer_requests_per_s = 1000000000
peer_burst = 1000000000
";

/// The kernel counts processor time for user programs in hundredths of a second on every
/// architecture that Linux has (`USER_HZ`).
const TICKS_PER_S: f64 = 100.0;

/// A gateway's data folder, and how to start it.
pub(super) struct Site {
    folder: tempfile::TempDir,
}

/// A gateway that runs; killed when dropped. What it acknowledged is durable all the same.
pub(super) struct Gateway {
    child: Child,
    address: SocketAddr,
    client: Client,
    data: PathBuf,
}

impl Site {
    pub(super) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("wattwitness-bench-")
            .tempdir()?;
        std::fs::write(folder.path().join("wattwitness.toml"), CONFIG)?;
        Ok(Self { folder })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the gateway and waits until it answers.
    pub(super) async fn serve(&self) -> anyhow::Result<Gateway> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(std::env::current_exe()?);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WATTWITNESS_") {
                command.env_remove(name);
            }
        }
        command
            .arg("--config")
            .arg(self.folder.path().join("wattwitness.toml"))
            .args(["--log", "error", "serve", "--public-read", "--data"])
            .arg(self.data())
            .args(["--listen", &address.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let gateway = Gateway {
            child: command.spawn().context("the gateway does not start")?,
            address,
            client: Client::builder().timeout(Duration::from_secs(30)).build()?,
            data: self.data(),
        };
        tokio::time::timeout(Duration::from_secs(60), gateway.ready())
            .await
            .context("the gateway did not answer within a minute")??;
        Ok(gateway)
    }

    /// Lets the store do all its upkeep, and counts. No gateway may run.
    pub(super) async fn kept(&self) -> anyhow::Result<Statistics> {
        let store = serve::open(&self.data())?;
        while store.maintain().await?.more {}
        let statistics = store.statistics().await?;
        store.close().await?;
        Ok(statistics)
    }
}

impl Gateway {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Seconds of processor time that it has used, its own and the kernel's for it.
    pub(super) fn cpu_s(&self) -> anyhow::Result<f64> {
        cpu_s(Path::new(&format!("/proc/{}/stat", self.child.id())))
    }

    /// The most memory that it ever had resident, in MB.
    pub(super) fn peak_rss_mb(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))
            .context("the kernel does not tell the peak of the memory")?;
        Ok(kib.trim().parse::<f64>()? * 1024.0 / 1e6)
    }

    /// Announces a meter and approves it; answers the number of the installation.
    pub(super) async fn enrol(
        &self,
        park: &Park,
        post: &Post,
        key: PublicKey,
    ) -> anyhow::Result<u32> {
        let announcement = Announcement {
            name: post.name.clone(),
            public_key: key.to_string(),
            shelly_payload: None,
            boot_timestamp: None,
            shelly_mac: Some(post.mac.to_string()),
            sensor_model: Some(post.model.name().to_owned()),
            channel: Some(0),
            production_counter: Some(post.production_counter.name().to_owned()),
            rated_power_w: None,
            time_zone: None,
        };
        let url = self.url("/api/v1/installations/");
        let announced = self.client.post(url).json(&announcement).send().await?;
        let installation: Installation = announced.error_for_status()?.json().await?;
        let admin_key = std::fs::read_to_string(self.data.join("admin.key"))?;
        let url = self.url(&format!(
            "/api/v1/installations/{}/approve",
            installation.id
        ));
        let approval = Approval {
            rated_power_w: Some(post.plant.rated_w.round() as u32),
            time_zone: Some(park.time_zone.to_owned()),
            ..Approval::default()
        };
        let request = self.client.post(url).bearer_auth(admin_key.trim());
        let approved = request.json(&approval).send().await?;
        if !approved.status().is_success() {
            bail!("the approval was refused: {}", approved.text().await?);
        }
        Ok(installation.id)
    }

    /// The enrolment of a meter, as signed by the operator.
    pub(super) async fn enrolment(&self, meter: MeterId) -> anyhow::Result<Vec<u8>> {
        let url = self.url(&format!("/api/v1/meters/{meter}/enrolment"));
        let answer = self.client.get(url).send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// What the longest chart shows in all, in Wh.
    pub(super) async fn energy_of_year(&self, installation: u32) -> anyhow::Result<f64> {
        let path = format!("/api/v1/readings/{installation}/chart?time_frame=year");
        let answer = self.client.get(self.url(&path)).send().await?;
        let chart: serde_json::Value = answer.error_for_status()?.json().await?;
        chart["total_energy"]
            .as_f64()
            .context("a chart tells its total energy")
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            let answer = self.client.get(self.url("/ready")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            let exists = Path::new(&format!("/proc/{}", self.child.id())).exists();
            ensure!(exists, "the gateway ended before it answered");
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // A gateway that has ended by itself is no failure here: whoever needed it was told.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of processor time that this process has used.
pub(super) fn process_cpu_s() -> anyhow::Result<f64> {
    cpu_s(Path::new("/proc/self/stat"))
}

/// Seconds of processor time that the calling thread has used.
pub(super) fn own_cpu_s() -> anyhow::Result<f64> {
    cpu_s(Path::new("/proc/thread-self/stat"))
}

fn cpu_s(file: &Path) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} is not there; measuring needs Linux", file.display()))?;
    ticks(&text)
        .map(|ticks| ticks as f64 / TICKS_PER_S)
        .with_context(|| format!("{} has another form than proc(5) says", file.display()))
}

/// `utime` and `stime`, fields 14 and 15 in proc(5). The second field is a name in brackets, which
/// may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "7 (watt) 9 (x) S 1 7 7 0 -1 4194304 100 0 0 0 1250 75 0 0 20 0 9 0 8 1 2";
        assert_eq!(ticks(stat), Some(1325));
        assert_eq!(ticks("7 (x) S 1"), None);
    }
}
