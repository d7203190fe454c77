//! What `cargo xtask` does on a machine that lacks something: the real command, with an `apt-get`, a
//! `sudo`, a user and a Node.js that the test makes up.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is the failure"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A machine without Python's venv module, until `apt-get install` has run.
struct Machine {
    folder: PathBuf,
}

impl Machine {
    /// Makes it; `user` is the number that `id` prints, `sudo` what `sudo -n true` ends with, and
    /// `apt` what `apt-get install` does, in shell.
    fn new(name: &str, user: u32, sudo: u8, apt: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("bin")).unwrap();
        let machine = Self { folder };
        let here = machine.folder.display().to_string();
        let metadata = format!(
            r#"{{"packages":[],"workspace_root":"{here}","target_directory":"{here}/target"}}"#
        );
        machine.install("cargo", &format!("echo '{metadata}'"));
        machine.install("python3", &format!("test -e '{here}/installed'"));
        machine.install("id", &format!("echo {user}"));
        machine.install(
            "sudo",
            &format!(
                "test \"$*\" = '-n true' && exit {sudo}\n\
                 echo \"sudo $1\" >>'{here}/log'; shift; exec \"$@\""
            ),
        );
        machine.install(
            "apt-get",
            &format!(
                "test \"$1\" = --version && exit 0\n\
                 echo \"apt-get $*\" >>'{here}/log'\n\
                 cd '{here}'; case \"$*\" in *' install '*) {apt} ;; esac"
            ),
        );
        machine
    }

    /// Puts a program on the path. Another process writes it: were it open for writing in this
    /// one, a test that forks at the same time would keep it open, and it could not be executed.
    fn install(&self, name: &str, script: &str) {
        let text = self.folder.join(format!("{name}.sh"));
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
        let status = Command::new("install")
            .arg("-m755")
            .args([text, self.folder.join("bin").join(name)])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Runs one suite of the tests.
    fn run(&self, suite: &str) -> Output {
        let path = std::env::var("PATH").unwrap();
        let bin = self.folder.join("bin");
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["test", "--only", suite])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", bin.display()))
            .env_remove("WATTWITNESS_CACHE")
            .output()
            .unwrap()
    }

    /// What was asked of `sudo` and `apt-get`, a line each.
    fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

const INSTALLS: &str = "touch installed";
const UPDATE: &str = "apt-get --yes update";
const INSTALL: &str = "apt-get --yes install --no-install-recommends python3 python3-venv";
const BY_HAND: &str = "to mend it: sudo apt-get update && sudo apt-get install --no-install-recommends python3 python3-venv\n";

/// The exit code of a machine that lacks something.
const LACKING: Option<i32> = Some(3);

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn root_installs_what_is_missing_and_goes_on() {
    let machine = Machine::new("root", 0, 1, INSTALLS);
    let output = machine.run("python");
    assert_eq!(machine.log(), [UPDATE, INSTALL]);
    assert_ne!(output.status.code(), LACKING, "{}", errors(&output));
}

#[test]
fn a_user_whose_sudo_asks_nothing_installs_what_is_missing_and_goes_on() {
    let machine = Machine::new("sudo", 1000, 0, INSTALLS);
    let output = machine.run("python");
    assert_eq!(machine.log(), ["sudo -n", UPDATE, "sudo -n", INSTALL]);
    assert_ne!(output.status.code(), LACKING, "{}", errors(&output));
}

#[test]
fn a_user_who_may_not_install_gets_the_exact_command_and_nothing_is_tried() {
    let machine = Machine::new("neither", 1000, 1, INSTALLS);
    let output = machine.run("python");
    assert_eq!(machine.log(), [""; 0]);
    assert_eq!(output.status.code(), LACKING);
    assert!(errors(&output).ends_with(BY_HAND), "{}", errors(&output));
}

#[test]
fn an_installation_that_fails_ends_with_the_exact_command() {
    let machine = Machine::new("fails", 0, 1, "exit 100");
    let output = machine.run("python");
    assert_eq!(output.status.code(), LACKING);
    assert!(errors(&output).contains(BY_HAND.trim_end()));
}

#[test]
fn packages_that_do_not_help_are_an_error_and_no_loop() {
    let machine = Machine::new("no-help", 0, 1, "true");
    let output = machine.run("python");
    assert_eq!(machine.log(), [UPDATE, INSTALL]);
    assert_eq!(output.status.code(), LACKING);
}

#[test]
fn a_node_that_is_too_old_is_named_with_where_to_get_another() {
    let machine = Machine::new("old-node", 0, 1, INSTALLS);
    machine.install("node", "echo v18.20.4");
    let output = machine.run("rust");
    assert_eq!(output.status.code(), LACKING);
    let errors = errors(&output);
    assert!(
        errors.contains("missing: Node.js 20.19 or later (found v18.20.4)\n"),
        "{errors}"
    );
    assert!(errors.contains("https://nodejs.org/"), "{errors}");
    assert_eq!(machine.log(), [""; 0], "Debian's own is too old");
}

#[test]
fn a_node_that_is_not_there_is_named_with_where_to_get_it() {
    let machine = Machine::new("no-node", 0, 1, INSTALLS);
    machine.install("node", "exit 127");
    let output = machine.run("rust");
    assert_eq!(output.status.code(), LACKING);
    let errors = errors(&output);
    assert!(
        errors.contains("missing: Node.js 20.19 or later\n"),
        "{errors}"
    );
}
