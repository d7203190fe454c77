//! `wattwitness demo`: a gateway and a simulated park on this computer. The meters are the
//! product's own, with real keys; sun, sensors and flash are simulated. History is made behind the
//! open page as real signed windows, then the meters go on live.

pub(crate) mod firmware;
mod park;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use ww_gateway::{Clock as GatewayClock, Config, Gateway, Limits};
use ww_sim::clock::{Clock, RunningClock};
use ww_sim::park::Park;
use ww_wire::UtcMillis;

use crate::data_folder::DataFolder;
use crate::{serve, stop};
use firmware::{Deltas, Firmware, IMAGE_BYTES};
use park::{Demonstrator, Progress};

const EXAMPLES: &str = "\
Examples:
  wattwitness demo
  wattwitness demo --meters 10 --history 30d
  wattwitness demo --speed 60 --listen 127.0.0.1:0
  wattwitness demo --private
      to log in, give the page the key in the file named under Administrator

Everything that the demo makes lies in a temporary folder and goes with it,
unless --data names one.";

/// What the demo is told by flags, environment and configuration file.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[command(after_help = EXAMPLES)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DemoArguments {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8000]
    #[arg(
        long,
        value_name = "ADDR",
        env = "WATTWITNESS_LISTEN",
        value_parser = serve::listen_address
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<std::net::SocketAddr>,
    /// New or empty folder for the database and the keys, kept afterwards
    #[arg(long = "data", value_name = "DIR", env = "WATTWITNESS_DATA")]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<PathBuf>,
    /// Meters in the park, 1 to 100 [default: 3]
    #[arg(long, value_name = "COUNT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    meters: Option<u16>,
    /// How far back history goes, such as 365d or 12h, 3650d at most [default: 365d]
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<String>,
    /// How many times faster than real time the park lives, 1 to 1000 [default: 1]
    #[arg(long, value_name = "TIMES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<u16>,
    /// The same seed gives the same weather [default: 1]
    #[arg(long, value_name = "NUMBER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// Let nobody read without a key; the page then asks for one
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    private: bool,
    /// Leave the meters' firmware as it is; otherwise a new release is rolled out once history is complete
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    without_firmware: bool,
    /// Roll out a release that does not work: the rollout halts, and the meter goes back by itself
    #[arg(long, conflicts_with = "without_firmware")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bad_firmware: bool,
}

/// The park's time, for the gateway.
struct ParkClock(RunningClock);

impl GatewayClock for ParkClock {
    fn now(&self) -> Option<UtcMillis> {
        Some(self.0.utc())
    }
}

/// Runs the demo until it is asked to stop.
pub(crate) async fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    let meters = arguments.meters.unwrap_or(3);
    ensure!(
        (1..=100).contains(&meters),
        "--meters is 1 to 100, not {meters}"
    );
    let speed = arguments.speed.unwrap_or(1);
    ensure!(
        (1..=1000).contains(&speed),
        "--speed is 1 to 1000, not {speed}"
    );
    let history_ms = history_ms(arguments.history.as_deref().unwrap_or("365d"))?;
    let (folder, _temporary) = folder(arguments.data.as_deref())?;
    let taken = DataFolder::take(&folder)?;
    let start = now()?;
    let clock = RunningClock::new(start, f64::from(speed));
    let firmware = firmware(&arguments, &folder).await?;
    let mut config = gateway_config(&arguments, folder.clone());
    if let Some(firmware) = &firmware {
        config.firmware_key_file = Some(firmware.fleet_key_file());
        config.assignment_key_file = Some(firmware.assignment_key_file());
    }
    let gateway = serve::start(config, Arc::new(ParkClock(clock))).await?;
    let url = format!("http://{}", serve::address(&gateway));
    let park = Park::example(usize::from(meters), arguments.seed.unwrap_or(1));
    let first = start.get().saturating_sub(history_ms);
    let first = UtcMillis::new(first).context("the history begins before 1970")?;
    announce(&url, &gateway, &folder, arguments.private);
    let admin_key = std::fs::read_to_string(gateway.admin_key_file())
        .context("the administrator's key cannot be read")?;
    let stopping = Arc::new(AtomicBool::new(false));
    let progress = Arc::new(Progress::new(park.posts.len(), first, start));
    progress.begin();
    let mut threads = Vec::new();
    for (number, post) in park.posts.iter().enumerate() {
        let demonstrator = Demonstrator {
            number,
            post: post.clone(),
            time_zone: park.time_zone,
            gateway: url.parse()?,
            admin_key: admin_key.trim().to_owned(),
            first,
            clock,
            stopping: Arc::clone(&stopping),
            progress: Arc::clone(&progress),
            runtime: tokio::runtime::Handle::current(),
            firmware: firmware.clone(),
        };
        let thread = std::thread::Builder::new().name(format!("meter-{number}"));
        threads.push(
            thread
                .spawn(move || demonstrator.run())
                .context("no thread for a meter")?,
        );
    }
    let rollout = firmware.map(|firmware| {
        let admin_key_file = gateway.admin_key_file().to_owned();
        let (progress, url) = (Arc::clone(&progress), url.clone());
        let admin_key = admin_key.trim().to_owned();
        tokio::spawn(async move {
            progress.completed().await;
            let shown = roll_out(firmware, url, admin_key_file, admin_key).await;
            shown.unwrap_or_else(|error| tracing::error!("no rollout is shown: {error:#}"));
        })
    });
    stop::requested().await;
    rollout.inspect(tokio::task::JoinHandle::abort);
    stopping.store(true, Ordering::Relaxed);
    tokio::task::spawn_blocking(move || join(threads)).await?;
    gateway.shutdown().await;
    drop(taken);
    Ok(())
}

/// The park's firmware, unless it is to stay as it is.
async fn firmware(
    arguments: &DemoArguments,
    folder: &Path,
) -> anyhow::Result<Option<Arc<Firmware>>> {
    if arguments.without_firmware {
        return Ok(None);
    }
    let (folder, is_bad) = (folder.to_owned(), arguments.bad_firmware);
    let made = tokio::task::spawn_blocking(move || {
        Firmware::prepare(&folder, IMAGE_BYTES, Deltas::FromFirst, is_bad)
    });
    Ok(Some(Arc::new(made.await??)))
}

/// Publishes both releases, and begins the rollout of the second.
async fn roll_out(
    firmware: Arc<Firmware>,
    url: String,
    admin_key_file: PathBuf,
    admin_key: String,
) -> anyhow::Result<()> {
    let gateway = url.parse()?;
    tokio::task::spawn_blocking(move || firmware.publish(&url, &admin_key_file)).await??;
    let one_then_all = serde_json::json!([{ "count": 1 }, { "percent": 100 }]);
    firmware::roll_out(&gateway, &admin_key, one_then_all).await
}

fn join(threads: Vec<JoinHandle<anyhow::Result<()>>>) {
    for thread in threads {
        match thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("a meter of the park ended: {error:#}"),
            Err(_) => tracing::error!("a meter of the park ended by a fault of the program"),
        }
    }
}

fn gateway_config(arguments: &DemoArguments, folder: PathBuf) -> Config {
    let mut config = Config {
        data_dir: folder,
        public_read: !arguments.private,
        ..Config::default()
    };
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    // A year of history arrives in minutes, all of it from this computer.
    config.limits = Limits {
        meter_records_per_s: 1_000_000,
        meter_burst: 1_000_000,
        peer_requests_per_s: 100_000,
        peer_burst: 100_000,
        connections_per_peer: 10_000,
        ..Limits::default()
    };
    config
}

/// The URL is what scripts wait for, so it goes to standard output.
#[expect(
    clippy::print_stdout,
    reason = "the demo's result is the address to open"
)]
fn announce(url: &str, gateway: &Gateway, folder: &Path, private: bool) {
    let admin_key_file = gateway.admin_key_file().display();
    println!("The park is at {url}");
    eprintln!("API:              {url}/docs");
    eprintln!("Administrator:    {admin_key_file}");
    eprintln!("Data:             {}", folder.display());
    eprintln!("Meters:           {url}/api/v1/installations/");
    let program = std::env::args().next();
    let program = program.as_deref().unwrap_or("wattwitness");
    let check = format!("{program} verify --gateway {url} --meter METER_ID");
    match private {
        false => eprintln!("Check a meter:    {check}"),
        true => eprintln!("Check a meter:    {check} --api-key-file {admin_key_file}"),
    }
    eprintln!("Stop:             Ctrl-C");
}

/// The data folder, and what removes it if it is a temporary one.
fn folder(data: Option<&Path>) -> anyhow::Result<(PathBuf, Option<tempfile::TempDir>)> {
    let Some(data) = data else {
        let temporary = tempfile::Builder::new()
            .prefix("wattwitness-demo-")
            .tempdir()?;
        return Ok((temporary.path().to_owned(), Some(temporary)));
    };
    std::fs::create_dir_all(data)
        .with_context(|| format!("cannot make the folder {}", data.display()))?;
    let mut held = std::fs::read_dir(data)?;
    ensure!(
        held.all(|entry| entry.is_ok_and(|entry| DataFolder::is_lock(&entry.file_name()))),
        "{} is not empty; the demo's meters begin anew, so it wants a folder of its own",
        data.display()
    );
    Ok((data.to_owned(), None))
}

/// `365d`, `12h` or `30m` as milliseconds.
fn history_ms(text: &str) -> anyhow::Result<u64> {
    let wrong = || format!("--history is a number with d, h or m, such as 365d, not `{text}`");
    let unit_at = text
        .len()
        .checked_sub(1)
        .filter(|at| text.is_char_boundary(*at));
    let (number, unit) = text.split_at(unit_at.with_context(wrong)?);
    let unit_ms = match unit {
        "d" => 86_400_000,
        "h" => 3_600_000,
        "m" => 60_000,
        _ => anyhow::bail!(wrong()),
    };
    let number: u64 = number.parse().ok().with_context(wrong)?;
    let longest = 3650 * 86_400_000_u64;
    number
        .checked_mul(unit_ms)
        .filter(|ms| *ms <= longest)
        .context("--history is at most 3650d")
}

fn now() -> anyhow::Result<UtcMillis> {
    GatewayClock::now(&ww_gateway::SystemClock)
        .context("the computer's clock is not set; the demo needs today's date")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anyone_may_read_unless_the_demo_is_private() {
        for (private, public_read) in [(false, true), (true, false)] {
            let arguments = DemoArguments {
                private,
                ..DemoArguments::default()
            };
            let config = gateway_config(&arguments, PathBuf::from("demo"));
            assert_eq!(config.public_read, public_read);
        }
    }

    #[test]
    fn history_is_told_in_days_hours_or_minutes() {
        assert_eq!(history_ms("365d").unwrap(), 31_536_000_000);
        assert_eq!(history_ms("12h").unwrap(), 43_200_000);
        assert_eq!(history_ms("0m").unwrap(), 0);
    }

    #[test]
    fn what_is_no_history_is_refused_with_an_example() {
        for text in [
            "",
            "d",
            "1y",
            "1",
            "-1d",
            "99999d",
            "é",
            "18446744073709551615d",
        ] {
            let error = history_ms(text).unwrap_err().to_string();
            assert!(error.contains("--history"), "{text}: {error}");
        }
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let folder_with = tempfile::tempdir().unwrap();
        std::fs::write(folder_with.path().join("thesis.txt"), "x").unwrap();
        assert!(folder(Some(folder_with.path())).is_err());
        assert!(folder_with.path().join("thesis.txt").exists());
    }
}
