//! `cargo xtask demo`, and the same demo running beside a test. It knows of the binary only its
//! command line and what it prints.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::program::{Program, cargo};
use crate::setup::{self, announce};
use crate::workspace::Workspace;

/// How the binary is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Fast to compile.
    Dev,
    /// Fast to run.
    Release,
}

/// Builds the `wattwitness` binary; the dashboard must be built already. Returns its path.
pub(crate) fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let (flags, folder): (&[&str], _) = match profile {
        Profile::Dev => (&[], "debug"),
        Profile::Release => (&["--release"], "release"),
    };
    announce(format_args!("building wattwitness ({folder})"));
    cargo()
        .args(["build", "--package", "wattwitness", "--bin", "wattwitness"])
        .args(flags)
        .folder(workspace.root())
        .run()?;
    Ok(workspace.target().join(folder).join("wattwitness"))
}

/// Sets up, builds, and becomes `wattwitness demo`, so that Ctrl-C goes to it alone.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<()> {
    setup::dashboard(workspace)?;
    let binary = build(workspace, Profile::Release)?;
    announce("starting the demo; Ctrl-C stops it");
    Err(Program::new(binary).arg("demo").args(args).replace())
}

/// How long a demo may take to print its URL: the time the product promises.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a demo may take to end after Ctrl-C.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A demo on a free port with a fresh data folder; killed when dropped.
pub(crate) struct RunningDemo {
    child: Child,
    url: String,
    data: PathBuf,
    log: PathBuf,
    /// Yields nothing more and disconnects when the demo closes its standard output.
    output: Receiver<String>,
}

impl RunningDemo {
    /// Starts it and waits until it names its URL; its data and log are kept in `folder`, which
    /// is emptied first.
    pub(crate) fn start(binary: &Path, folder: &Path, args: &[&str]) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).context("cannot remove the data of the last run")?;
        }
        fs::create_dir_all(folder).context("cannot make a folder for the demo's data")?;
        let log = folder.join("demo.log");
        announce(format_args!(
            "starting the demo; its log is {}",
            log.display()
        ));
        let mut log_file = File::create(&log).context("cannot make the demo's log")?;
        let data = folder.join("data");
        let mut child = Program::new(binary)
            .args([
                "demo",
                "--without-firmware",
                "--listen",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(&data)
            .args(args)
            .start(
                log_file
                    .try_clone()
                    .context("cannot share the demo's log")?
                    .into(),
            )?;
        let stdout = child
            .stdout
            .take()
            .context("the demo's output is not readable")?;
        let (found, output) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = writeln!(log_file, "{line}");
                if let Some(url) = url_in(&line) {
                    let _ = found.send(url.to_owned());
                }
            }
        });
        let mut demo = Self {
            child,
            url: String::new(),
            data,
            log,
            output,
        };
        demo.url = match demo.output.recv_timeout(START_TIMEOUT) {
            Ok(url) => url,
            Err(RecvTimeoutError::Timeout) => {
                bail!(
                    "the demo named no URL within {START_TIMEOUT:?}\n{}",
                    demo.log_end()
                )
            }
            Err(RecvTimeoutError::Disconnected) => {
                bail!("the demo ended before it named its URL\n{}", demo.log_end())
            }
        };
        Ok(demo)
    }

    /// Where it serves.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The file with the key of its gateway's administrator.
    pub(crate) fn admin_key_file(&self) -> PathBuf {
        self.data.join("admin.key")
    }

    /// Stops it as Ctrl-C does.
    ///
    /// # Errors
    /// When it has ended already, does not end in time, or ends with an error.
    pub(crate) fn stop(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the demo ended by itself ({status})\n{}", self.log_end());
        }
        let id = self.child.id().to_string();
        Program::new("sh")
            .args(["-c", "kill -INT \"$0\"", &id])
            .run()?;
        loop {
            match self.output.recv_timeout(STOP_TIMEOUT) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    bail!("the demo did not end within {STOP_TIMEOUT:?} of Ctrl-C")
                }
            }
        }
        let status = self.child.wait()?;
        if !status.success() {
            bail!(
                "the demo ended with an error after Ctrl-C ({status})\n{}",
                self.log_end()
            );
        }
        Ok(())
    }

    /// The last lines it printed.
    fn log_end(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for RunningDemo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first `http://` address in a line, without what a sentence puts behind it.
fn url_in(line: &str) -> Option<&str> {
    let from = &line[line.find("http://")?..];
    let end = from.find(|letter: char| letter.is_whitespace() || ",;\"'<>)".contains(letter));
    Some(from[..end.unwrap_or(from.len())].trim_end_matches(['.', '/']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScratchFolder;

    /// Starts a shell script in the place of the binary, in a folder that must outlive it.
    fn start(folder: &Path, script: &str) -> Result<RunningDemo> {
        let (text, binary) = (folder.join("text"), folder.join("wattwitness"));
        // Run in the background of a shell, these tests ignore SIGINT, and a script cannot trap what
        // it was started to ignore.
        let shell = "#!/usr/bin/env -S --default-signal=INT sh";
        fs::write(&text, format!("{shell}\n{script}\n")).unwrap();
        // Written by another process: were the file open for writing in this one, a test that
        // forks at the same time would keep it open, and it could not be executed (ETXTBSY).
        Program::new("install")
            .arg("-m755")
            .args([&text, &binary])
            .run()
            .unwrap();
        RunningDemo::start(&binary, &folder.join("run"), &["--history", "1d"])
    }

    /// Waits for its own end; `$!` goes with it, so that nothing holds the output open.
    const SERVING: &str = "sleep 60 & echo serving at http://127.0.0.1:7/; wait";

    #[test]
    fn a_demo_that_ends_well_at_ctrl_c_is_stopped() {
        let folder = ScratchFolder::new("demo-well");
        let demo = start(&folder, &format!("trap 'kill $!; exit 0' INT; {SERVING}")).unwrap();
        assert_eq!(demo.url(), "http://127.0.0.1:7");
        assert_eq!(
            demo.admin_key_file(),
            folder.join("run").join("data").join("admin.key")
        );
        demo.stop().unwrap();
    }

    #[test]
    fn a_demo_that_fails_at_ctrl_c_is_an_error() {
        let script = format!("trap 'kill $!; echo lost it >&2; exit 9' INT; {SERVING}");
        let folder = ScratchFolder::new("demo-fails");
        let error = start(&folder, &script).unwrap().stop().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the demo ended with an error after Ctrl-C (exit status: 9)\n\
             serving at http://127.0.0.1:7/\nlost it"
        );
    }

    #[test]
    fn a_demo_that_cannot_start_is_an_error_with_its_last_words() {
        let folder = ScratchFolder::new("demo-ends");
        let error = start(&folder, "echo \"no: $*\" >&2; exit 1")
            .err()
            .unwrap()
            .to_string();
        assert!(
            error
                .starts_with("the demo ended before it named its URL\nno: demo --without-firmware")
        );
        assert!(error.ends_with("--history 1d"));
    }

    #[test]
    fn the_url_is_found_within_a_sentence() {
        assert_eq!(
            url_in("open http://127.0.0.1:8000/ now"),
            Some("http://127.0.0.1:8000")
        );
        assert_eq!(
            url_in("Dashboard (http://[::1]:80), docs"),
            Some("http://[::1]:80")
        );
        assert_eq!(
            url_in("It is http://127.0.0.1:1."),
            Some("http://127.0.0.1:1")
        );
        assert_eq!(url_in("no address"), None);
    }
}
