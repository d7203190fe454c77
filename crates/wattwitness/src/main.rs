//! The one program: it parses the command line, starts the log and hands over to the command.
#![forbid(unsafe_code)]

mod artifact;
mod bench;
mod data_folder;
mod database;
mod demo;
mod enrol;
mod firmware;
mod http;
mod keys;
mod meter;
mod ota;
mod serve;
mod settings;
mod stop;
mod verify;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "\
Examples:
  wattwitness demo
      a gateway and a simulated park, with history
  wattwitness serve --listen 127.0.0.1:8000 --data data
      a gateway
  wattwitness keys new meter.key
      a key for a meter
  wattwitness meter --shelly http://192.168.1.50 \\
      --gateway http://127.0.0.1:8000 --key meter.key
      a meter
  wattwitness verify --gateway http://127.0.0.1:8000 --meter ID
      an audit of that meter

Settings come from flags, then from WATTWITNESS_* in the environment, then from
--config FILE.";

/// Every kilowatt-hour of a solar park, checkable by anyone.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
struct CommandLine {
    /// Configuration file (TOML) of serve, demo and meter; docs/wattwitness.toml is a sample
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What to log, such as `info`, `debug` or `ww_gateway=trace`
    #[arg(
        long,
        global = true,
        env = "WATTWITNESS_LOG",
        default_value = "info",
        value_name = "FILTER",
        display_order = 900
    )]
    log: String,
    /// Log as JSON lines
    #[arg(long, global = true, env = "WATTWITNESS_LOG_JSON", display_order = 901)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a gateway: take, verify, store and show what meters sign
    Serve(Configured<serve::ServeArguments>),
    /// Run a gateway with a simulated park that has a year of history
    Demo(Configured<demo::DemoArguments>),
    /// Run a meter beside a Shelly on the local network
    Meter(Configured<meter::MeterArguments>),
    /// Make keys and look at them, and say by roots who may sign firmware
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Make, sign, inspect and publish firmware
    #[command(subcommand)]
    Firmware(firmware::FirmwareCommand),
    /// Approve a meter that announced itself, or list those that wait
    Enrol(enrol::EnrolArguments),
    /// Check what a gateway says about a meter, believing only the meter's signatures
    Verify(verify::VerifyArguments),
    /// Copy a gateway's database while it is in use
    Backup(database::BackupArguments),
    /// Put a backup in the place of a database
    Restore(database::RestoreArguments),
    /// Take over readings of an older system, apart and never as verified
    Import(database::ImportArguments),
    /// Measure what this computer can do
    #[command(subcommand)]
    Bench(bench::BenchCommand),
}

/// The arguments of a command that also reads a table of the configuration file.
#[derive(Debug, clap::Args)]
struct Configured<A: clap::Args> {
    /// Configuration file (TOML); docs/wattwitness.toml is a sample with every field
    #[arg(
        id = "config_of_command",
        long = "config",
        env = "WATTWITNESS_CONFIG",
        value_name = "FILE"
    )]
    config: Option<PathBuf>,
    #[command(flatten)]
    arguments: A,
}

impl<A: clap::Args + Serialize> Configured<A> {
    /// The command's settings from flags, environment and the file that stands before or after the
    /// command's name.
    fn settings<C: DeserializeOwned>(
        &self,
        before: Option<&Path>,
        section: &str,
    ) -> anyhow::Result<C> {
        settings::layered(before.or(self.config.as_deref()), section, &self.arguments)
    }
}

impl Command {
    /// Whether the command has a table in the configuration file.
    const fn reads_configuration(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Demo(_) | Self::Meter(_))
    }
}

impl CommandLine {
    /// A flag that would do nothing is refused.
    fn checked(self) -> Result<Self, clap::Error> {
        if self.config.is_some() && !self.command.reads_configuration() {
            return Err(Self::command().error(
                ErrorKind::ArgumentConflict,
                "only serve, demo and meter read a configuration file: --config means nothing here",
            ));
        }
        Ok(self)
    }
}

fn main() -> ExitCode {
    let line = CommandLine::try_parse()
        .and_then(CommandLine::checked)
        .unwrap_or_else(|error| refuse(&error));
    if let Err(error) = start_log(&line) {
        eprintln!("error: {error:#}");
        return ExitCode::from(2);
    }
    match run(line) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Ends with what is wrong with the command line. Where it came from the environment instead, the
/// library speaks of the flag nevertheless.
fn refuse(error: &clap::Error) -> ! {
    let _ = error.print();
    let set = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("WATTWITNESS_"))
        .collect::<Vec<_>>();
    if error.use_stderr() && !set.is_empty() {
        eprintln!(
            "Set in the environment, which counts like flags: {}",
            set.join(", ")
        );
    }
    std::process::exit(error.exit_code())
}

/// Waits for work that may be broken off without harm.
async fn unless_stopped<T>(
    work: impl Future<Output = anyhow::Result<T>>,
    unfinished: &str,
) -> anyhow::Result<T> {
    tokio::select! {
        biased;
        () = stop::requested() => anyhow::bail!("stopped before {unfinished}"),
        done = work => done,
    }
}

/// Does work with a gateway that may be broken off before it has answered.
fn online<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Runtime::new().context("no thread can be started")?;
    runtime.block_on(unless_stopped(work, "the gateway had answered"))
}

fn run(line: CommandLine) -> anyhow::Result<ExitCode> {
    let config = line.config.as_deref();
    let runtime = || tokio::runtime::Runtime::new().context("no thread can be started");
    match line.command {
        Command::Serve(arguments) => {
            let settings = arguments.settings(config, "serve")?;
            runtime()?.block_on(serve::run(settings))?;
        }
        Command::Demo(arguments) => {
            let settings = arguments.settings(config, "demo")?;
            runtime()?.block_on(demo::run(settings))?;
        }
        Command::Meter(arguments) => {
            let settings = arguments.settings(config, "meter")?;
            runtime()?.block_on(meter::run(settings, stop::requested()))?;
        }
        Command::Keys(command) => print(&keys::run(&command)?),
        Command::Firmware(command) => {
            let (text, is_well) = firmware::run(&command)?;
            print(&text);
            if !is_well {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Enrol(arguments) => {
            let work = enrol::run(&arguments);
            print(&runtime()?.block_on(unless_stopped(work, "the gateway had answered"))?);
        }
        Command::Verify(arguments) => {
            let work = unless_stopped(verify::run(&arguments), "the audit was done");
            let (report, code) = runtime()?.block_on(work)?;
            print(&report);
            return Ok(code);
        }
        Command::Backup(arguments) => {
            let work = database::backup(&arguments);
            print(&runtime()?.block_on(unless_stopped(work, "the backup was whole"))?);
        }
        Command::Restore(arguments) => print(&database::restore(&arguments)?),
        Command::Import(arguments) => {
            let rows = database::Rows::read(&arguments)?;
            let work = database::import(&arguments, &rows);
            let unfinished = "every row was taken; the same command takes the rest";
            print(&runtime()?.block_on(unless_stopped(work, unfinished))?);
        }
        Command::Bench(command) => print(&bench::run(&command)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// What a command was asked for goes to standard output, and only that.
#[expect(
    clippy::print_stdout,
    reason = "the one place that prints a command's result"
)]
fn print(text: &str) {
    println!("{text}");
}

fn start_log(line: &CommandLine) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&line.log).map_err(|_| {
        anyhow::anyhow!(
            "`{}` does not say what to log; write it like info, debug or ww_gateway=trace \
             (--log, WATTWITNESS_LOG)",
            line.log
        )
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    if line.log_json {
        builder.json().init()
    } else {
        builder.init()
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<CommandLine, clap::Error> {
        CommandLine::try_parse_from(words.split(' ')).and_then(CommandLine::checked)
    }

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_configuration_file_may_stand_before_and_after_the_commands_that_read_one() {
        for command in ["serve", "demo", "meter"] {
            for words in [
                format!("wattwitness --config some.toml {command}"),
                format!("wattwitness {command} --config some.toml"),
            ] {
                assert!(parsed(&words).is_ok(), "{words}");
            }
        }
    }

    #[test]
    fn a_configuration_file_that_nobody_would_read_is_refused() {
        for command in [
            "verify --saved folder",
            "keys new meter.key",
            "firmware inspect meter.wwr",
            "enrol --gateway http://[::1] --api-key-file admin.key",
            "backup park.db",
            "restore park.db",
            "import --source old old.json",
        ] {
            assert!(
                parsed(&format!("wattwitness {command}")).is_ok(),
                "{command}"
            );
            for words in [
                format!("wattwitness --config some.toml {command}"),
                format!("wattwitness {command} --config some.toml"),
            ] {
                assert!(parsed(&words).is_err(), "{words}");
            }
        }
    }
}
