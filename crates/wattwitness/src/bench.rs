//! `wattwitness bench ingest`: measures what taking, proving and showing readings costs. It makes
//! the load beforehand, runs the gateway as a process of its own, and judges nothing.

mod connection;
mod gateway;
mod meter;
mod ota;

use std::ops::Range;

use anyhow::{Context, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, ParsedPublicKey,
};
use serde_json::{Map, Value};
use ww_api::TimeFrame;
use ww_gateway::Clock;
use ww_sim::park::{Park, Post};
use ww_wire::{AnyReading, Domain, SensorModel, Sign1, Signature, ToBeSigned, UtcMillis};

use self::connection::{Connection, Run, percentile};
use self::gateway::{Gateway, Site, own_cpu_s};
use self::meter::{Backlog, CADENCE_MS};
use crate::keys::PrivateKey;

const EXAMPLES: &str = "\
Examples:
  wattwitness bench ingest
  wattwitness bench ingest --json
  wattwitness bench ingest --readings 300000
  wattwitness bench ota --json

Figures mean something in a release build only. docs/BENCHMARKS.md says what each one is.";

/// A tick of the kernel's clock: less processor time than this cannot be told.
const TICK_S: f64 = 0.01;

/// What to measure.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum BenchCommand {
    /// Take, verify and store readings; then show them
    Ingest(IngestArguments),
    /// Update firmware: one device, many at once, on a slow line; and answer questions
    Ota(OtaArguments),
}

/// How much of updates to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct OtaArguments {
    /// Print one JSON object, figure name to number
    #[arg(long)]
    json: bool,
    /// A small run that shows only that everything works
    #[arg(long)]
    quick: bool,
}

/// How much to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct IngestArguments {
    /// Print one JSON object, figure name to number
    #[arg(long)]
    json: bool,
    /// Readings of the backlog, one every ten seconds; the default is a year
    #[arg(long, default_value_t = 3_153_600, value_parser = clap::value_parser!(u64).range(8_640..))]
    readings: u64,
    /// A small run that shows only that everything works
    #[arg(long, conflicts_with = "readings")]
    quick: bool,
}

/// The sizes of a run.
struct Plan {
    /// Meters that send single readings at the same time, each on a connection of its own.
    meters: usize,
    /// Rounds of: JSON door, bare verification, binary door.
    rounds: usize,
    /// Readings of each meter in each round for each door.
    each: usize,
    /// Readings of the backlog.
    backlog: u64,
    /// Requests of each kind that are timed on the backlog.
    questions: usize,
}

type Figures = Map<String, Value>;

/// Measures; the figures are the answer, progress goes to standard error.
pub(crate) fn run(command: &BenchCommand) -> anyhow::Result<String> {
    let arguments = match command {
        BenchCommand::Ingest(arguments) => arguments,
        BenchCommand::Ota(arguments) => return updates(arguments),
    };
    // One thread for the load: the other core is the gateway's.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(crate::unless_stopped(
        measure(arguments),
        "everything was measured",
    ))
}

/// Measures updates of firmware: gateway and devices are in this process, on all its threads.
fn updates(arguments: &OtaArguments) -> anyhow::Result<String> {
    let plan = ota::Plan {
        herd: if arguments.quick { 3 } else { 500 },
        questions: if arguments.quick { 16 } else { 400 },
        slow: !arguments.quick,
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let mut figures = Figures::new();
    runtime.block_on(crate::unless_stopped(
        ota::measure(&plan, &mut figures),
        "everything was measured",
    ))?;
    Ok(printed(figures, arguments.json))
}

/// One JSON object, or a line for each figure.
fn printed(figures: Figures, json: bool) -> String {
    if json {
        return Value::Object(figures).to_string();
    }
    let lines = figures
        .iter()
        .map(|(name, value)| format!("{name} {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

async fn measure(arguments: &IngestArguments) -> anyhow::Result<String> {
    let plan = if arguments.quick {
        Plan {
            meters: 8,
            rounds: 1,
            each: 8,
            backlog: 9_600,
            questions: 20,
        }
    } else {
        Plan {
            meters: 256,
            rounds: 5,
            each: 16,
            backlog: arguments.readings,
            questions: 200,
        }
    };
    let mut figures = Figures::new();
    single_readings(&plan, &mut figures).await?;
    backlog(&plan, &mut figures).await?;
    Ok(printed(figures, arguments.json))
}

/// Readings with a signature of their own, through both doors, beside bare verification.
async fn single_readings(plan: &Plan, figures: &mut Figures) -> anyhow::Result<()> {
    let count = 2 * plan.rounds * plan.each;
    eprintln!(
        "Signing {count} readings of each of {} meters.",
        plan.meters
    );
    let site = Site::new()?;
    let gateway = site.serve().await?;
    let mut senders = Vec::new();
    let first = earlier(now()?, (count as u64 + 3) * CADENCE_MS)?;
    // Every third post has a sensor with three phases, the readings of which are longer.
    let park = Park::example(plan.meters * 3 / 2 + 2, 1);
    let posts = park.posts.iter().filter(|post| has_one_phase(post));
    for post in posts.take(plan.meters) {
        let key = PrivateKey::generate()?;
        gateway.enrol(&park, post, key.public()).await?;
        senders.push(Sender::new(
            &key,
            &meter::readings(post, &key, first, count)?,
        )?);
    }
    ensure!(senders.len() == plan.meters, "the park is too small");
    drop(gateway);
    let empty = site.kept().await?;

    let gateway = site.serve().await?;
    eprintln!("Sending them.");
    let mut connections = Vec::new();
    for _ in &senders {
        connections.push(Connection::open(gateway.address()).await?);
    }
    let (mut json, mut binary, mut bare) = (Door::default(), Door::default(), Bare::default());
    for round in 0..plan.rounds {
        let from = 2 * round * plan.each;
        let lists = lists(&senders, from, plan.each, Signed::json);
        json.measure(&gateway, &mut connections, lists).await?;
        bare.measure(&senders, &(from..from + 2 * plan.each))?;
        let lists = self::lists(&senders, from + plan.each, plan.each, Signed::binary);
        binary.measure(&gateway, &mut connections, lists).await?;
    }
    let rss_mb = gateway.peak_rss_mb()?;
    drop((connections, gateway));
    let full = site.kept().await?;
    let stored = full.live_readings - empty.live_readings;
    ensure!(
        stored == (plan.meters * count) as u64,
        "{stored} readings are stored, not those that were acknowledged"
    );

    let verify_per_s = bare.per_cpu_s();
    put(figures, "p256_verify_per_s", verify_per_s)?;
    put(figures, "http_readings_per_s", json.per_cpu_s())?;
    put(figures, "http_ratio", json.per_cpu_s() / verify_per_s)?;
    put(figures, "http_binary_readings_per_s", binary.per_cpu_s())?;
    put(
        figures,
        "http_ratio_binary",
        binary.per_cpu_s() / verify_per_s,
    )?;
    put(figures, "http_wall_readings_per_s", json.per_wall_s())?;
    put(
        figures,
        "http_binary_wall_readings_per_s",
        binary.per_wall_s(),
    )?;
    put(figures, "http_p50_ms", percentile(&json.latencies_ms, 0.50))?;
    put(figures, "http_p99_ms", percentile(&json.latencies_ms, 0.99))?;
    let bytes = full.bytes.saturating_sub(empty.bytes) as f64;
    put(figures, "bytes_per_reading_live", bytes / stored as f64)?;
    put(figures, "ingest_rss_mb", rss_mb)
}

/// A long backlog of one meter: taken in windows, merged, and shown.
async fn backlog(plan: &Plan, figures: &mut Figures) -> anyhow::Result<()> {
    eprintln!("Making a backlog of {} readings.", plan.backlog);
    let site = Site::new()?;
    let gateway = site.serve().await?;
    let park = Park::example(1, 1);
    let post = &park.posts[0];
    let key = PrivateKey::generate()?;
    let id = gateway.enrol(&park, post, key.public()).await?;
    let enrolment = gateway.enrolment(key.public().id()).await?;
    drop(gateway);
    let empty = site.kept().await?;
    let last = now()?;
    let first = earlier(last, plan.backlog * CADENCE_MS)?;
    let backlog = Backlog::make(post, &key, enrolment, first, last)?;

    let gateway = site.serve().await?;
    eprintln!("Sending {} readings in windows.", backlog.readings);
    let mut connections = vec![Connection::open(gateway.address()).await?];
    let requests = backlog.bodies.iter();
    let requests = requests.map(|body| connection::post(RECORDS, COSE, body));
    let mut windows = Door::default();
    let lists = vec![requests.collect()];
    windows.measure(&gateway, &mut connections, lists).await?;
    windows.readings = backlog.readings;
    let mut rss_mb = gateway.peak_rss_mb()?;
    drop((connections, gateway));
    eprintln!("Merging them.");
    let full = site.kept().await?;
    ensure!(
        full.sealed_readings == backlog.readings,
        "{} readings are stored of {}",
        full.sealed_readings,
        backlog.readings
    );
    let bytes = full.bytes.saturating_sub(empty.bytes) as f64;

    eprintln!("Asking for charts and the latest reading.");
    let gateway = site.serve().await?;
    ensure!(
        gateway.energy_of_year(id).await? > 0.0,
        "the year's chart is empty"
    );
    let mut connection = Connection::open(gateway.address()).await?;
    let mut chart_p99_ms: f64 = 0.0;
    for frame in TimeFrame::ALL {
        let path = format!("/api/v1/readings/{id}/chart?time_frame={}", frame.name());
        let run = ask(&mut connection, &path, plan.questions).await?;
        let p99_ms = percentile(&run.latencies_ms, 0.99);
        put(figures, &format!("chart_{}_p99_ms", frame.name()), p99_ms)?;
        chart_p99_ms = chart_p99_ms.max(p99_ms);
    }
    let path = format!("/api/v1/readings/latest/{id}");
    let latest = ask(&mut connection, &path, plan.questions).await?;
    rss_mb = rss_mb.max(gateway.peak_rss_mb()?);

    put(figures, "backlog_readings", backlog.readings as f64)?;
    put(
        figures,
        "window_readings_per_s_per_core",
        windows.per_cpu_s(),
    )?;
    put(figures, "window_wall_readings_per_s", windows.per_wall_s())?;
    put(
        figures,
        "bytes_per_reading_sealed",
        bytes / backlog.readings as f64,
    )?;
    put(figures, "chart_p99_ms", chart_p99_ms)?;
    put(
        figures,
        "latest_p99_ms",
        percentile(&latest.latencies_ms, 0.99),
    )?;
    put(figures, "rss_mb", rss_mb)
}

async fn ask(connection: &mut Connection, path: &str, times: usize) -> anyhow::Result<Run> {
    connection.run(&vec![connection::get(path); times]).await
}

const READINGS: &str = "/api/v1/readings/";
const RECORDS: &str = "/api/v1/records";
const COSE: &str = "application/cose";

/// A meter's readings, signed.
struct Sender {
    key: ParsedPublicKey,
    readings: Vec<Signed>,
}

struct Signed {
    payload: Vec<u8>,
    message: ToBeSigned,
    signature: Signature,
}

impl Sender {
    fn new(key: &PrivateKey, readings: &[AnyReading]) -> anyhow::Result<Self> {
        let public = key.public().to_sec1();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            key.bytes(),
            &public,
        )?;
        let random = SystemRandom::new();
        let sign = |reading: &AnyReading| {
            let payload = reading.encode()?.to_vec();
            let message = ToBeSigned::new(Domain::Record(reading.record_type()), &payload)
                .context("a reading is longer than a record")?;
            let signature = pair.sign(&random, message.as_bytes())?;
            let signature = Signature::normalise(signature.as_ref().try_into()?)?;
            Ok(Signed {
                payload,
                message,
                signature,
            })
        };
        Ok(Self {
            key: ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)?,
            readings: readings.iter().map(sign).collect::<anyhow::Result<_>>()?,
        })
    }
}

impl Signed {
    fn json(&self) -> Vec<u8> {
        let body = format!(
            r#"{{"record":"{}","signature":"{}"}}"#,
            ww_api::hex::encode(&self.payload),
            self.signature
        );
        connection::post(READINGS, "application/json", body.as_bytes())
    }

    fn binary(&self) -> Vec<u8> {
        let sign1 = Sign1 {
            payload: &self.payload,
            signature: self.signature,
        };
        let body = sign1
            .encode()
            .expect("a reading is no longer than the longest record");
        connection::post(RECORDS, COSE, &body)
    }
}

/// The requests of each sender for `count` readings.
fn lists(
    senders: &[Sender],
    from: usize,
    count: usize,
    request: fn(&Signed) -> Vec<u8>,
) -> Vec<Vec<Vec<u8>>> {
    let list = |sender: &Sender| {
        let readings = &sender.readings[from..from + count];
        readings.iter().map(request).collect()
    };
    senders.iter().map(list).collect()
}

/// What was measured at one door.
#[derive(Default)]
struct Door {
    readings: u64,
    cpu_s: f64,
    wall_s: f64,
    latencies_ms: Vec<f64>,
}

impl Door {
    async fn measure(
        &mut self,
        gateway: &Gateway,
        connections: &mut Vec<Connection>,
        lists: Vec<Vec<Vec<u8>>>,
    ) -> anyhow::Result<()> {
        self.readings += lists.iter().map(|list| list.len() as u64).sum::<u64>();
        let before_s = gateway.cpu_s()?;
        let run = connection::run_all(connections, lists).await?;
        self.cpu_s += gateway.cpu_s()? - before_s;
        self.wall_s += run.wall_s;
        self.latencies_ms.extend(run.latencies_ms);
        Ok(())
    }

    fn per_cpu_s(&self) -> f64 {
        self.readings as f64 / self.cpu_s.max(TICK_S)
    }

    fn per_wall_s(&self) -> f64 {
        self.readings as f64 / self.wall_s
    }
}

/// Verification by the library alone.
#[derive(Default)]
struct Bare {
    signatures: u64,
    cpu_s: f64,
}

impl Bare {
    fn measure(&mut self, senders: &[Sender], range: &Range<usize>) -> anyhow::Result<()> {
        let before_s = own_cpu_s()?;
        for sender in senders {
            for signed in &sender.readings[range.clone()] {
                let message = signed.message.as_bytes();
                sender.key.verify_sig(message, signed.signature.bytes())?;
                self.signatures += 1;
            }
        }
        self.cpu_s += own_cpu_s()? - before_s;
        Ok(())
    }

    fn per_cpu_s(&self) -> f64 {
        self.signatures as f64 / self.cpu_s.max(TICK_S)
    }
}

fn put(figures: &mut Figures, name: &str, value: f64) -> anyhow::Result<()> {
    // Four digits are more than repeat.
    let digits = (3 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 6);
    let value: f64 = format!("{value:.*}", digits as usize).parse()?;
    let number = serde_json::Number::from_f64(value);
    let number = number.with_context(|| format!("{name} is not a number: {value}"))?;
    figures.insert(name.to_owned(), Value::Number(number));
    Ok(())
}

fn has_one_phase(post: &Post) -> bool {
    matches!(
        post.model,
        SensorModel::ShellyEmGen1 | SensorModel::ShellyEm1Gen2
    )
}

fn now() -> anyhow::Result<UtcMillis> {
    let now = ww_gateway::SystemClock
        .now()
        .context("the computer's clock is not set")?;
    UtcMillis::new(now.get() / CADENCE_MS * CADENCE_MS).context("the clock shows no time")
}

fn earlier(time: UtcMillis, ms: u64) -> anyhow::Result<UtcMillis> {
    let ms = time
        .get()
        .checked_sub(ms)
        .context("the backlog is too long")?;
    UtcMillis::new(ms).context("the backlog is too long")
}
