//! `cargo xtask test`: the set-up, then every test of the project, cheap suites first. Whatever
//! cannot run is a failure, never left out.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::Value;

use crate::demo::{self, RunningDemo};
use crate::program::{Program, cargo};
use crate::report::Report;
use crate::setup::{self, announce};
use crate::tally::{CargoTally, Tally};
use crate::timed;
use crate::workspace::Workspace;

/// The Python program that checks the golden vectors with implementations that are not ours, with
/// its `requirements.txt`.
const INDEPENDENT_CHECK: &str = "crates/ww-wire/python";

/// A suite of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Golden vectors, checked by Python's cryptography and COSE packages
    Python,
    /// The dashboard's logic, in Vitest
    Dashboard,
    /// Every crate: units, properties, simulations, doc tests
    Rust,
    /// End to end: the real binary, a simulated park, the dashboard in Chromium
    Browser,
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Dashboard => "dashboard",
            Self::Rust => "rust",
            Self::Browser => "browser",
        }
    }
}

/// Runs the chosen suites, or all; true when all is green.
pub(crate) fn run(workspace: &Workspace, chosen: &[Suite]) -> Result<bool> {
    let suites: Vec<Suite> = Suite::value_variants()
        .iter()
        .copied()
        .filter(|suite| chosen.is_empty() || chosen.contains(suite))
        .collect();
    announce("set-up");
    let needs = [
        (Suite::Browser, &setup::CHROMIUM),
        (Suite::Python, &setup::PYTHON),
    ];
    let needs = needs.iter().filter(|(suite, _)| suites.contains(suite));
    setup::debian_packages(&needs.map(|(_, need)| *need).collect::<Vec<_>>())?;
    if suites.iter().any(|suite| *suite != Suite::Python) {
        setup::node()?;
    }
    fs::create_dir_all(workspace.scratch()).context("cannot make a scratch folder")?;

    let mut report = Report::default();
    for suite in suites {
        announce(format_args!("tests: {}", suite.name()));
        let (outcome, took) = timed(|| match suite {
            Suite::Python => python(workspace),
            Suite::Dashboard => dashboard(workspace),
            Suite::Rust => rust(workspace),
            Suite::Browser => browser(workspace),
        });
        report.add(suite.name(), Tally::of(outcome)?, took);
    }
    crate::result(&report.text());
    Ok(report.is_green())
}

fn python(workspace: &Workspace) -> Result<Tally> {
    let folder = workspace.path(INDEPENDENT_CHECK);
    let requirements = folder.join("requirements.txt");
    if !requirements.is_file() {
        bail!("{INDEPENDENT_CHECK}/requirements.txt is not there, but the repository needs it");
    }
    let interpreter = setup::python(workspace, &requirements)?;
    let mut tally = Tally::default();
    let status = Program::new(interpreter)
        .arg(folder.join("check_vectors.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .folder(workspace.root())
        .watch(|line| tally = Tally::from_closing_line(line).unwrap_or_else(|| tally.clone()))?;
    Ok(tally.close(status.success()))
}

fn dashboard(workspace: &Workspace) -> Result<Tally> {
    let folder = setup::node_modules(workspace)?;
    let report = workspace.scratch().join("vitest.json");
    remove_old(&report)?;
    let status = Program::new("npm")
        .args(["test", "--", "--reporter=default", "--reporter=json"])
        .arg(format!("--outputFile.json={}", report.display()))
        .env("CI", "1")
        .folder(&folder)
        .status()?;
    Ok(from_json(&report, Tally::from_vitest).close(status.success()))
}

fn rust(workspace: &Workspace) -> Result<Tally> {
    // The gateway embeds the built dashboard.
    setup::dashboard(workspace)?;
    let mut counter = CargoTally::default();
    let status = cargo()
        .args(["test", "--workspace", "--no-fail-fast"])
        .env("CARGO_TERM_COLOR", "never")
        .folder(workspace.root())
        .watch(|line| counter.see(line))?;
    Ok(counter.tally().close(status.success()))
}

/// Most tests look at a park that anyone may read; those of log-in and administration change one
/// that nobody may read without a key. Both live beside the tests.
fn browser(workspace: &Workspace) -> Result<Tally> {
    let folder = setup::dashboard(workspace)?;
    let binary = demo::build(workspace, demo::Profile::Dev)?;
    let report = workspace.scratch().join("playwright.json");
    remove_old(&report)?;
    let scratch = workspace.scratch().join("end-to-end");
    // Two days back all of yesterday is there, at whatever time of the day the tests run.
    let open = RunningDemo::start(&binary, &scratch.join("open"), &["--history", "2d"])?;
    let private = RunningDemo::start(
        &binary,
        &scratch.join("private"),
        &["--private", "--history", "2h"],
    )?;
    let status = Program::new("npm")
        .args(["run", "e2e", "--", "--reporter=list,json", "--forbid-only"])
        .arg(format!(
            "--output={}",
            workspace.scratch().join("playwright").display()
        ))
        .env("WATTWITNESS_URL", open.url())
        .env("WATTWITNESS_PRIVATE_URL", private.url())
        .env("WATTWITNESS_ADMIN_KEY_FILE", private.admin_key_file())
        .env("WATTWITNESS_BINARY", &binary)
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report)
        .env("CI", "1")
        .folder(&folder)
        .status()?;
    let mut tally = from_json(&report, Tally::from_playwright);
    for demo in [open, private] {
        if let Err(error) = demo.stop() {
            tally.faults.push(format!("{error:#}"));
        }
    }
    Ok(tally.close(status.success()))
}

/// A report of an earlier run must not stand for this one.
fn remove_old(report: &Path) -> Result<()> {
    if report.exists() {
        fs::remove_file(report).with_context(|| format!("cannot remove {}", report.display()))?;
    }
    Ok(())
}

/// Reads a runner's report; one that is not there, or in another shape, is a fault.
fn from_json(report: &Path, read: impl Fn(&Value) -> Option<Tally>) -> Tally {
    let tally = || -> Result<Tally> {
        let text = fs::read_to_string(report)?;
        let report: Value = serde_json::from_str(&text)?;
        match read(&report) {
            Some(tally) => Ok(tally),
            None => bail!("it has an unknown shape"),
        }
    };
    tally().unwrap_or_else(|error| {
        let why = format!("no report of the tests in {}: {error:#}", report.display());
        Tally {
            faults: vec![why],
            ..Tally::default()
        }
    })
}
