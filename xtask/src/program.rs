//! An external program, started with its command line shown; it never gives a program standard
//! input, so that nothing can stop to ask.
//!
//! Standard output is kept for the results of `cargo xtask`: what a program prints goes to
//! standard error, except where its output is read or it takes this process's place.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// A command line in the making.
pub(crate) struct Program {
    command: Command,
    /// The command line as a person would type it.
    line: String,
}

impl Program {
    pub(crate) fn new(name: impl AsRef<OsStr>) -> Self {
        let name = name.as_ref();
        let mut command = Command::new(name);
        command.stdin(Stdio::null());
        Self {
            command,
            line: name.to_string_lossy().into_owned(),
        }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        let _ = write!(self.line, " {}", arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it to its end, output to standard error; anything but success is an error.
    pub(crate) fn run(self) -> Result<()> {
        let line = self.line.clone();
        let status = self.status()?;
        if !status.success() {
            bail!("`{line}` failed ({status})");
        }
        Ok(())
    }

    /// Runs it to its end, output to standard error.
    pub(crate) fn status(mut self) -> Result<ExitStatus> {
        self.show();
        self.command
            .stdout(io::stderr())
            .stderr(io::stderr())
            .status()
            .with_context(|| format!("cannot start `{}`", self.line))
    }

    /// Runs it silently; true when it can be started and succeeds.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Runs it and returns its standard output; anything but success is an error.
    pub(crate) fn read(mut self) -> Result<String> {
        let output = self
            .command
            .stderr(io::stderr())
            .output()
            .with_context(|| format!("cannot start `{}`", self.line))?;
        if !output.status.success() {
            bail!("`{}` failed ({})", self.line, output.status);
        }
        String::from_utf8(output.stdout)
            .with_context(|| format!("`{}` printed something that is not UTF-8", self.line))
    }

    /// Runs it to its end; hands every line it prints, standard output and error in the order
    /// they came, to `seen` and passes it on to standard error.
    pub(crate) fn watch(mut self, mut seen: impl FnMut(&str)) -> Result<ExitStatus> {
        self.show();
        let (reader, writer) = io::pipe().context("cannot make a pipe")?;
        self.command
            .stdout(writer.try_clone().context("cannot make a pipe")?)
            .stderr(writer);
        let mut child = self
            .command
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.line))?;
        // The command holds the writing ends: without dropping it the pipe would never end.
        drop(self.command);
        let mut lines = BufReader::new(reader);
        let mut bytes = Vec::new();
        while lines.read_until(b'\n', &mut bytes)? > 0 {
            io::stderr().write_all(&bytes)?;
            seen(String::from_utf8_lossy(&bytes).trim_end());
            bytes.clear();
        }
        child
            .wait()
            .with_context(|| format!("cannot wait for `{}`", self.line))
    }

    /// Starts it beside this process, standard output readable by the caller.
    pub(crate) fn start(mut self, errors: Stdio) -> Result<Child> {
        self.show();
        self.command
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.line))
    }

    /// Becomes the program: it gets the terminal, Ctrl-C and the exit code. Returns only when
    /// it cannot be started.
    pub(crate) fn replace(mut self) -> anyhow::Error {
        use std::os::unix::process::CommandExt;
        self.show();
        let cause = self.command.stdin(Stdio::inherit()).exec();
        anyhow::Error::new(cause).context(format!("cannot start `{}`", self.line))
    }

    fn show(&self) {
        eprintln!("    $ {}", self.line);
    }
}

/// The cargo on the path.
pub(crate) fn cargo() -> Program {
    Program::new("cargo")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watched_lines_come_in_the_order_they_were_printed() {
        let mut seen = Vec::new();
        let status = Program::new("sh")
            .args(["-c", "echo one; echo two >&2; echo three; exit 7"])
            .watch(|line| seen.push(line.to_owned()))
            .unwrap();
        assert_eq!(seen, ["one", "two", "three"]);
        assert_eq!(status.code(), Some(7));
    }

    #[test]
    fn a_failing_program_is_an_error_that_names_its_command_line() {
        let error = Program::new("sh").args(["-c", "exit 3"]).run().unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` failed (exit status: 3)");
    }

    #[test]
    fn a_program_gets_no_standard_input() {
        assert_eq!(Program::new("cat").read().unwrap(), "");
    }

    #[test]
    fn a_program_that_is_not_there_does_not_succeed() {
        assert!(!Program::new("no-such-program-anywhere").succeeds());
    }
}
