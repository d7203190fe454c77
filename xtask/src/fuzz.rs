//! `cargo xtask fuzz`: every fuzz target for a short while, from its committed corpus. It never
//! writes into that corpus.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::program::{Program, cargo};
use crate::report::Report;
use crate::setup::{self, announce};
use crate::tally::Tally;
use crate::timed;
use crate::workspace::Workspace;

/// Runs every target, or the chosen ones, for so many seconds each; true when none crashed.
pub(crate) fn run(workspace: &Workspace, seconds: u64, chosen: &[String]) -> Result<bool> {
    let folder = workspace.path("fuzz");
    let all = targets(&folder)?;
    if let Some(name) = chosen.iter().find(|name| !all.contains(name)) {
        bail!(
            "there is no fuzz target `{name}`; there are: {}",
            all.join(", ")
        );
    }
    setup::debian_packages(&[&setup::CXX_COMPILER])?;
    let cargo_fuzz = setup::tool(workspace, &setup::CARGO_FUZZ)?;
    let nightly = has_nightly();
    let mut report = Report::default();
    for name in all
        .iter()
        .filter(|name| chosen.is_empty() || chosen.contains(name))
    {
        announce(format_args!("fuzzing {name} for {seconds} s"));
        let (outcome, took) =
            timed(|| fuzz(workspace, &folder, &cargo_fuzz, nightly, name, seconds));
        let tally = Tally::of(outcome.map(|()| Tally::single()))?;
        report.add(name, tally, took);
    }
    crate::result(&report.text());
    Ok(report.is_green())
}

fn fuzz(
    workspace: &Workspace,
    folder: &Path,
    cargo_fuzz: &Path,
    nightly: bool,
    name: &str,
    seconds: u64,
) -> Result<()> {
    // libFuzzer writes what it finds into the first folder and only reads the others.
    let found = workspace.scratch().join("fuzz").join(name);
    fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    let committed = Some(folder.join("corpus").join(name)).filter(|corpus| corpus.is_dir());
    // The sanitizers need a nightly compiler, or a stable one that is told to take their flags.
    let program = if nightly {
        cargo().arg("+nightly")
    } else {
        cargo().env("RUSTC_BOOTSTRAP", "1")
    };
    program
        .args(["fuzz", "run", "--fuzz-dir"])
        .arg(folder)
        .arg(name)
        .arg(found)
        .args(committed)
        .args(["--", &format!("-max_total_time={seconds}"), "-timeout=10"])
        .env("PATH", path_with(cargo_fuzz.parent())?)
        .folder(workspace.root())
        .run()
}

/// The names of the fuzz targets: the programs of the workspace in `fuzz/`.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        bail!("fuzz/Cargo.toml is not there, but it belongs to the repository");
    }
    let text = cargo()
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(manifest)
        .read()?;
    let names = programs(&serde_json::from_str(&text)?);
    if names.is_empty() {
        bail!("fuzz/Cargo.toml declares no fuzz target");
    }
    Ok(names)
}

fn programs(metadata: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(&metadata["packages"])
        .iter()
        .flat_map(|package| list(&package["targets"]))
        .filter(|target| list(&target["kind"]).iter().any(|kind| kind == "bin"))
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect()
}

fn has_nightly() -> bool {
    Program::new("cargo")
        .args(["+nightly", "--version"])
        .succeeds()
}

/// The search path with `folder` in front, so that cargo finds its subcommand there.
fn path_with(folder: Option<&Path>) -> Result<std::ffi::OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let first = folder
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(PathBuf::from);
    env::join_paths(first.into_iter().chain(env::split_paths(&path)))
        .context("cannot put the tools folder into PATH")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_targets_are_the_programs_and_not_the_library() {
        let metadata = json!({"packages": [{"targets": [
            {"kind": ["lib"], "name": "fuzz"},
            {"kind": ["bin"], "name": "reading"},
            {"kind": ["bin"], "name": "packed"},
        ]}]});
        assert_eq!(programs(&metadata), ["reading", "packed"]);
    }

    #[test]
    fn a_tool_that_is_on_the_path_already_adds_nothing_to_it() {
        assert_eq!(
            path_with(Some(Path::new(""))).unwrap(),
            env::var_os("PATH").unwrap()
        );
    }
}
