//! `cargo xtask bench NAME`: measures and sets the figures beside their goals. The measuring itself
//! is done by `wattwitness bench NAME --json`, and for the dashboard by its own script in a browser,
//! against demos that are started here. A missed goal is shown and is no failure, since machines
//! differ.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::demo::{self, Profile, RunningDemo};
use crate::program::Program;
use crate::setup;
use crate::workspace::Workspace;

/// A bound that a figure is to keep.
enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    /// The goals of the design, by the figure's name in the JSON.
    fn of(figure: &str) -> Option<Self> {
        Some(match figure {
            "http_ratio" => Self::AtLeast(0.60),
            "window_readings_per_s_per_core" => Self::AtLeast(400_000.0),
            "bytes_per_reading_live" => Self::AtMost(170.0),
            "bytes_per_reading_sealed" => Self::AtMost(6.0),
            "chart_p99_ms" => Self::AtMost(20.0),
            "first_view_js_gzip_kb" => Self::AtMost(150.0),
            "largest_paint_ms" | "receipt_to_screen_p99_ms" => Self::AtMost(1_000.0),
            "year_chart_draw_ms" => Self::AtMost(50.0),
            "tab_requests_per_min" => Self::AtMost(2.0),
            "wire_overhead" => Self::AtMost(0.018),
            "time_ratio_to_tcp" => Self::AtMost(1.05),
            "checks_per_s_per_core" => Self::AtLeast(50_000.0),
            "busy_share_1mbit" => Self::AtMost(0.02),
            "agent_ram_bytes" => Self::AtMost(8_192.0),
            _ => return None,
        })
    }

    fn is_met_by(&self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= *bound,
            Self::AtMost(bound) => value <= *bound,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}", number(*bound)),
            Self::AtMost(bound) => format!("≤ {}", number(*bound)),
        }
    }
}

/// Measures and prints: one JSON object, or a table.
pub(crate) fn run(workspace: &Workspace, name: &str, json: bool, args: &[String]) -> Result<()> {
    let figures = match name {
        "dashboard" => in_a_browser(workspace, args),
        _ => by_the_binary(workspace, name, args),
    };
    let figures = figures.with_context(|| format!("the benchmark `{name}` gave no figures"))?;
    crate::result(&if json {
        format!("{}\n", Value::Object(figures))
    } else {
        table(&figures)
    });
    Ok(())
}

fn by_the_binary(workspace: &Workspace, name: &str, args: &[String]) -> Result<Map<String, Value>> {
    setup::dashboard(workspace)?;
    let binary = demo::build(workspace, Profile::Release)?;
    let text = Program::new(binary)
        .args(["bench", name, "--json"])
        .args(args)
        .read()?;
    figures(&text)
}

/// The parts of the dashboard's benchmark, and the park in front of which each is measured.
const DASHBOARD_PARTS: [(&str, &[&str]); 3] = [
    ("views", &["--meters", "1", "--history", "366d"]),
    ("live", &["--meters", "10", "--history", "2h"]),
    (
        "memory",
        &["--meters", "3", "--history", "2d", "--speed", "120"],
    ),
];

/// Measures the chosen parts, or all, one after the other, each before a demo of its own.
fn in_a_browser(workspace: &Workspace, chosen: &[String]) -> Result<Map<String, Value>> {
    if let Some(part) = chosen.iter().find(|part| {
        let mut parts = DASHBOARD_PARTS.iter();
        parts.all(|(name, _)| name != part)
    }) {
        bail!(
            "the dashboard's benchmark has no part `{part}`: views, live and memory are its parts"
        );
    }
    setup::debian_packages(&[&setup::CHROMIUM])?;
    let folder = setup::dashboard(workspace)?;
    let binary = demo::build(workspace, Profile::Release)?;
    let mut all = Map::new();
    for (part, park) in DASHBOARD_PARTS {
        if !chosen.is_empty() && !chosen.iter().any(|name| name == part) {
            continue;
        }
        setup::announce(format_args!("measuring: {part}"));
        let demo = RunningDemo::start(&binary, &workspace.scratch().join("bench"), park)?;
        let text = Program::new("npm")
            .args(["run", "--silent", "bench", "--", part])
            .env("WATTWITNESS_URL", demo.url())
            .folder(&folder)
            .read()?;
        demo.stop()?;
        all.extend(figures(&text).with_context(|| format!("the part `{part}`"))?);
    }
    Ok(all)
}

/// Reads one object of numbers, and nothing else.
fn figures(text: &str) -> Result<Map<String, Value>> {
    let value: Value =
        serde_json::from_str(text).context("standard output is not one JSON object")?;
    let Value::Object(figures) = value else {
        bail!("standard output is not a JSON object")
    };
    if figures.is_empty() {
        bail!("it measured nothing");
    }
    if let Some((name, value)) = figures.iter().find(|(_, value)| !value.is_number()) {
        bail!("the figure `{name}` is not a number: {value}");
    }
    Ok(figures)
}

fn table(figures: &Map<String, Value>) -> String {
    let width = figures
        .keys()
        .map(String::len)
        .max()
        .unwrap_or_default()
        .max("figure".len());
    let mut text = format!("{:<width$}  {:>14}  {:>10}\n", "figure", "measured", "goal");
    for (name, value) in figures {
        let value = value.as_f64().unwrap_or(f64::NAN);
        let goal = Goal::of(name);
        let bound = goal.as_ref().map(Goal::text).unwrap_or_default();
        let verdict = match goal {
            None => "",
            Some(goal) if goal.is_met_by(value) => "  met",
            Some(_) => "  missed",
        };
        let row = format!(
            "{name:<width$}  {:>14}  {bound:>10}{verdict}",
            number(value)
        );
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

/// Writes a number to be read: whole thousands apart, decimals only where they say something.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 1_000.0 || value.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), ""), |parts| parts);
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let mut grouped = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if !fraction.is_empty() {
        let _ = write!(grouped, ".{fraction}");
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_sets_each_figure_beside_its_goal() {
        let figures =
            figures(r#"{"http_ratio": 0.634, "chart_p99_ms": 31.5, "p256_verify_per_s": 13512.7}"#)
                .unwrap();
        assert_eq!(
            table(&figures),
            "figure                   measured        goal\n\
             chart_p99_ms                 31.5        ≤ 20  missed\n\
             http_ratio                  0.634     ≥ 0.600  met\n\
             p256_verify_per_s          13,513\n"
        );
    }

    #[test]
    fn the_dashboards_figures_stand_beside_the_goals_of_the_first_view_and_of_an_open_tab() {
        let figures = figures(r#"{"first_view_js_gzip_kb": 151.2, "tab_requests_per_min": 1.4}"#);
        assert_eq!(
            table(&figures.unwrap()),
            "figure                       measured        goal\n\
             first_view_js_gzip_kb           151.2       ≤ 150  missed\n\
             tab_requests_per_min            1.400         ≤ 2  met\n"
        );
    }

    #[test]
    fn a_goal_is_met_at_its_very_bound() {
        assert!(Goal::AtLeast(0.6).is_met_by(0.6));
        assert!(Goal::AtMost(6.0).is_met_by(6.0));
        assert!(!Goal::AtMost(6.0).is_met_by(6.01));
    }

    #[test]
    fn anything_but_one_object_of_numbers_is_refused() {
        let refusal = |text: &str| figures(text).unwrap_err().to_string();
        assert_eq!(refusal("{}"), "it measured nothing");
        assert_eq!(refusal("[1]"), "standard output is not a JSON object");
        assert_eq!(
            refusal("done\n{\"a\":1}"),
            "standard output is not one JSON object"
        );
        assert_eq!(
            refusal(r#"{"a":"1"}"#),
            "the figure `a` is not a number: \"1\""
        );
    }

    #[test]
    fn numbers_are_written_to_be_read() {
        assert_eq!(number(400_000.0), "400,000");
        assert_eq!(number(-1234.5), "-1,234");
        assert_eq!(number(16.35), "16.4");
        assert_eq!(number(5.9), "5.900");
        assert_eq!(number(0.0), "0");
    }
}
