//! Figures for Prometheus (text format 0.0.4): counts, states and one histogram. What they mean stands
//! beside them.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ww_api::{Health, ProblemKind};
use ww_store::Statistics;

/// Upper bounds of the histogram's buckets in microseconds.
const BUCKETS_US: [u64; 10] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000,
];

/// Counts since the start.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) readings_stored: AtomicU64,
    pub(crate) readings_sealed: AtomicU64,
    pub(crate) records_stored: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) connections_refused: AtomicU64,
    pub(crate) live_streams: AtomicU64,
    problems: Vec<AtomicU64>,
    ingest: Histogram,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS_US.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let zero = AtomicU64::default;
        Self {
            readings_stored: zero(),
            readings_sealed: zero(),
            records_stored: zero(),
            duplicates: zero(),
            requests: zero(),
            connections: zero(),
            connections_refused: zero(),
            live_streams: zero(),
            problems: ProblemKind::ALL.iter().map(|_| zero()).collect(),
            ingest: Histogram::default(),
        }
    }

    pub(crate) fn problem(&self, kind: ProblemKind) {
        add(&self.problems[kind as usize], 1);
    }

    /// One request to a door for records, from its head to its answer.
    pub(crate) fn ingested(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        add(&self.ingest.count, 1);
        add(&self.ingest.sum_us, us);
        if let Some(at) = BUCKETS_US.iter().position(|bound| us <= *bound) {
            add(&self.ingest.buckets[at], 1);
        }
    }

    /// All figures as text.
    pub(crate) fn render(&self, statistics: Option<&Statistics>, health: Option<Health>) -> String {
        let mut text = String::new();
        let counters = [
            (
                "readings_stored_total",
                "Readings stored by their own signature.",
                &self.readings_stored,
            ),
            (
                "readings_sealed_total",
                "Readings that came in windows.",
                &self.readings_sealed,
            ),
            (
                "records_stored_total",
                "Chain records stored.",
                &self.records_stored,
            ),
            (
                "duplicates_total",
                "Records that were durable before.",
                &self.duplicates,
            ),
            ("requests_total", "Requests.", &self.requests),
            (
                "connections_refused_total",
                "Connections of addresses that had their share.",
                &self.connections_refused,
            ),
        ];
        for (name, help, value) in counters {
            metric(&mut text, "counter", name, help, load(value));
        }
        let gauges = [
            ("connections", "Connections now.", &self.connections),
            ("live_streams", "Live streams now.", &self.live_streams),
        ];
        for (name, help, value) in gauges {
            metric(&mut text, "gauge", name, help, load(value));
        }
        if let Some(health) = health {
            let help = "How the park is: 0 healthy, 1 degraded, 2 unhealthy.";
            metric(&mut text, "gauge", "park_health", help, health as u64);
        }
        if let Some(statistics) = statistics {
            store_metrics(&mut text, statistics);
        }
        self.render_problems(&mut text);
        self.ingest.render(&mut text);
        text
    }

    fn render_problems(&self, text: &mut String) {
        head(
            text,
            "counter",
            "problems_total",
            "Requests answered with a problem, by kind.",
        );
        for (kind, count) in ProblemKind::ALL.iter().zip(&self.problems) {
            line(
                text,
                format_args!("problems_total{{kind=\"{}\"}} {}", kind.slug(), load(count)),
            );
        }
    }
}

impl Histogram {
    fn render(&self, text: &mut String) {
        head(
            text,
            "histogram",
            "ingest_seconds",
            "Time from a request's head to its durable answer.",
        );
        let mut below = 0;
        for (bound, count) in BUCKETS_US.iter().zip(&self.buckets) {
            below += load(count);
            let bound = *bound as f64 / 1e6;
            line(
                text,
                format_args!("ingest_seconds_bucket{{le=\"{bound}\"}} {below}"),
            );
        }
        let count = load(&self.count);
        line(
            text,
            format_args!("ingest_seconds_bucket{{le=\"+Inf\"}} {count}"),
        );
        let sum = load(&self.sum_us) as f64 / 1e6;
        line(text, format_args!("ingest_seconds_sum {sum}"));
        line(text, format_args!("ingest_seconds_count {count}"));
    }
}

fn store_metrics(text: &mut String, statistics: &Statistics) {
    let gauges = [
        (
            "installations",
            "Installations of any state.",
            statistics.installations,
        ),
        (
            "readings_live",
            "Readings held with their own signature.",
            statistics.live_readings,
        ),
        (
            "readings_sealed",
            "Readings held in windows.",
            statistics.sealed_readings,
        ),
        ("windows", "Windows held.", statistics.windows),
        (
            "store_bytes",
            "Bytes of the database in use.",
            statistics.bytes,
        ),
    ];
    for (name, help, value) in gauges {
        metric(text, "gauge", name, help, value);
    }
    metric(
        text,
        "counter",
        "store_commits_total",
        "Commits of the database.",
        statistics.commits,
    );
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

pub(crate) fn subtract(counter: &AtomicU64, count: u64) {
    counter.fetch_sub(count, Ordering::Relaxed);
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn metric(text: &mut String, kind: &str, name: &str, help: &str, value: u64) {
    head(text, kind, name, help);
    line(text, format_args!("{name} {value}"));
}

fn head(text: &mut String, kind: &str, name: &str, help: &str) {
    writeln!(
        text,
        "# HELP wattwitness_{name} {help}\n# TYPE wattwitness_{name} {kind}"
    )
    .expect("writing to a String does not fail");
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(text, "wattwitness_{content}").expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_what_is_below_each_bound() {
        let metrics = Metrics::new();
        metrics.ingested(Duration::from_micros(300));
        metrics.ingested(Duration::from_micros(700));
        metrics.ingested(Duration::from_secs(60));
        let text = metrics.render(None, None);
        assert!(text.contains("wattwitness_ingest_seconds_bucket{le=\"0.0005\"} 1\n"));
        assert!(text.contains("wattwitness_ingest_seconds_bucket{le=\"0.001\"} 2\n"));
        assert!(text.contains("wattwitness_ingest_seconds_bucket{le=\"+Inf\"} 3\n"));
    }

    #[test]
    fn problems_are_counted_by_kind() {
        let metrics = Metrics::new();
        metrics.problem(ProblemKind::SignatureInvalid);
        let text = metrics.render(None, None);
        assert!(text.contains("wattwitness_problems_total{kind=\"signature-invalid\"} 1\n"));
        assert!(text.contains("wattwitness_problems_total{kind=\"internal\"} 0\n"));
    }
}
