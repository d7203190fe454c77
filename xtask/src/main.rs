//! `cargo xtask`: the project's own commands, each with all its set-up. Results go to standard
//! output, progress to standard error; the product itself is not in here.

mod arrows;
mod bench;
mod check;
mod demo;
mod fuzz;
mod program;
mod report;
mod screenshots;
mod setup;
mod stamp;
mod tally;
mod test;
mod workspace;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::check::Check;
use crate::setup::Missing;
use crate::test::Suite;
use crate::workspace::Workspace;

const EXAMPLES: &str = "\
Examples:
  cargo xtask demo                        a gateway and a park of three meters, with the dashboard
  cargo xtask demo --history 365d --meters 3
  cargo xtask test                        all the set-up and every test
  cargo xtask test --only rust            one suite of them
  cargo xtask check                       formatting, lints, documentation, licences, arrows
  cargo xtask bench ingest                figures beside their goals
  cargo xtask bench ingest --json         one JSON object, figure to number
  cargo xtask bench ota                   the same of firmware updates
  cargo xtask bench dashboard             the same of the dashboard, in Chromium
  cargo xtask fuzz --seconds 60           every fuzz target for a minute

Exit codes: 0 all is well; 1 a test or check failed, or a step broke; 2 the command line is wrong;
3 this machine lacks something, and the message says what to do.

WATTWITNESS_CACHE names a folder for tools that are kept between runs (else `tools` in cargo's
target folder).";

/// The project's own commands, each with all its set-up.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sets up, then runs every test; the last line is `N passed, N failed`
    Test {
        /// Runs this suite only (may be given several times)
        #[arg(long, value_enum, value_name = "SUITE")]
        only: Vec<Suite>,
    },
    /// Runs every check of form; the last line is `N passed, N failed`
    Check {
        /// Runs this check only (may be given several times)
        #[arg(long, value_enum, value_name = "CHECK")]
        only: Vec<Check>,
    },
    /// Sets up, builds and starts the demo: a gateway with a simulated park
    Demo {
        /// Passed on to `wattwitness demo`; its own help: `cargo xtask demo -- --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measures, and shows the figures beside their goals
    Bench {
        /// What to measure: `ingest` or `dashboard`
        name: String,
        /// Prints one JSON object, figure name to number, instead of the table
        #[arg(long)]
        json: bool,
        /// Passed on to `wattwitness bench`; for the dashboard: the parts to measure, all when none
        /// is named (views, live, memory)
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Runs every fuzz target for a while
    Fuzz {
        /// Seconds for each target
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
        seconds: u64,
        /// The targets to run, all when none is named
        targets: Vec<String>,
    },
    /// Takes the dashboard's screenshots anew, into docs/images
    Screenshots,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<Missing>() { 3 } else { 1 })
        }
    }
}

/// True when all is well, false when something was found wanting and said so.
fn run(command: Command) -> Result<bool> {
    let workspace = Workspace::read()?;
    match command {
        Command::Test { only } => test::run(&workspace, &only),
        Command::Check { only } => check::run(&workspace, &only),
        Command::Demo { args } => demo::run(&workspace, &args).map(|()| true),
        Command::Bench { name, json, args } => {
            bench::run(&workspace, &name, json, &args).map(|()| true)
        }
        Command::Fuzz { seconds, targets } => fuzz::run(&workspace, seconds, &targets),
        Command::Screenshots => screenshots::run(&workspace).map(|()| true),
    }
}

/// Prints a result to standard output; whoever closed it does not want it.
fn result(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Does something and says how long it took.
#[expect(
    clippy::disallowed_methods,
    reason = "a shell: durations are shown, nothing depends on them"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let outcome = work();
    (outcome, start.elapsed())
}

/// An empty folder for one test; goes with it.
#[cfg(test)]
struct ScratchFolder(std::path::PathBuf);

#[cfg(test)]
impl ScratchFolder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
        Self(folder)
    }
}

#[cfg(test)]
impl std::ops::Deref for ScratchFolder {
    type Target = std::path::Path;

    fn deref(&self) -> &std::path::Path {
        &self.0
    }
}

#[cfg(test)]
impl Drop for ScratchFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn flags_of_the_demo_are_passed_on() {
        let line = ["xtask", "demo", "--history", "365d", "--meters", "3"];
        let Command::Demo { args } = Arguments::parse_from(line).command else {
            unreachable!()
        };
        assert_eq!(args, ["--history", "365d", "--meters", "3"]);
    }

    #[test]
    fn fuzzing_for_no_time_is_refused() {
        assert!(Arguments::try_parse_from(["xtask", "fuzz", "--seconds", "0"]).is_err());
    }
}
