//! `cargo xtask check`: everything that is judged without running the product. Every check runs,
//! whatever the others said.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::arrows::Arrows;
use crate::program::{Program, cargo};
use crate::report::Report;
use crate::setup::{self, announce};
use crate::tally::Tally;
use crate::timed;
use crate::workspace::Workspace;

/// A check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Check {
    /// Rust is formatted by rustfmt
    Fmt,
    /// The crates' dependencies are the arrows drawn in ARCHITECTURE.md
    Arrows,
    /// Licences, sources and banned crates, by deny.toml
    Deny,
    /// The dashboard's types, lint, import rules and generated files
    Dashboard,
    /// Clippy, warnings denied
    Clippy,
    /// The Rust documentation builds, warnings denied
    Docs,
}

impl Check {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Arrows => "arrows",
            Self::Deny => "deny",
            Self::Dashboard => "dashboard",
            Self::Clippy => "clippy",
            Self::Docs => "docs",
        }
    }
}

/// Runs the chosen checks, or all; true when all hold.
pub(crate) fn run(workspace: &Workspace, chosen: &[Check]) -> Result<bool> {
    let mut report = Report::default();
    for check in Check::value_variants() {
        if !chosen.is_empty() && !chosen.contains(check) {
            continue;
        }
        announce(format_args!("check: {}", check.name()));
        let (outcome, took) = timed(|| match check {
            Check::Fmt => fmt(workspace),
            Check::Arrows => arrows(workspace),
            Check::Deny => deny(workspace),
            Check::Dashboard => dashboard(workspace),
            Check::Clippy => clippy(workspace),
            Check::Docs => docs(workspace),
        });
        let tally = Tally::of(outcome.map(|()| Tally::single()))?;
        report.add(check.name(), tally, took);
    }
    crate::result(&report.text());
    Ok(report.is_green())
}

fn fmt(workspace: &Workspace) -> Result<()> {
    cargo()
        .args(["fmt", "--all", "--check"])
        .folder(workspace.root())
        .run()?;
    match fuzz_manifest(workspace) {
        Some(manifest) => cargo()
            .args(["fmt", "--check", "--manifest-path"])
            .arg(manifest)
            .run(),
        None => Ok(()),
    }
}

fn clippy(workspace: &Workspace) -> Result<()> {
    // The gateway embeds the built dashboard.
    setup::dashboard(workspace)?;
    cargo()
        .args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])
        .folder(workspace.root())
        .run()?;
    let Some(manifest) = fuzz_manifest(workspace) else {
        return Ok(());
    };
    setup::debian_packages(&[&setup::CXX_COMPILER])?;
    cargo()
        .args(["clippy", "--target-dir"])
        .arg(workspace.target())
        .arg("--manifest-path")
        .arg(manifest)
        .args(["--", "-D", "warnings"])
        .folder(workspace.root())
        .run()
}

/// The fuzz targets are a workspace of their own, which cargo's `--workspace` leaves out.
fn fuzz_manifest(workspace: &Workspace) -> Option<PathBuf> {
    Some(workspace.path("fuzz/Cargo.toml")).filter(|manifest| manifest.is_file())
}

fn docs(workspace: &Workspace) -> Result<()> {
    setup::dashboard(workspace)?;
    cargo()
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .folder(workspace.root())
        .run()
}

/// The advisory database is not asked: a new advisory must not turn an old commit red.
fn deny(workspace: &Workspace) -> Result<()> {
    let program = setup::tool(workspace, &setup::CARGO_DENY)?;
    Program::new(program)
        .args(["check", "bans", "licenses", "sources"])
        .folder(workspace.root())
        .run()
}

fn dashboard(workspace: &Workspace) -> Result<()> {
    let folder = setup::node_modules(workspace)?;
    Program::new("npm")
        .args(["run", "check"])
        .folder(&folder)
        .run()
}

fn arrows(workspace: &Workspace) -> Result<()> {
    let text = fs::read_to_string(workspace.path("ARCHITECTURE.md"))
        .context("cannot read ARCHITECTURE.md")?;
    let drawn = Arrows::from_markdown(&text).context("ARCHITECTURE.md")?;
    let differences = drawn.differences(&workspace.arrows()?);
    if !differences.is_empty() {
        bail!(
            "ARCHITECTURE.md and the manifests differ:\n  {}",
            differences.join("\n  ")
        );
    }
    eprintln!("    the arrows of {} crates are as drawn", drawn.count());
    Ok(())
}
