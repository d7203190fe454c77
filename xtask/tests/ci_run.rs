//! `.ci/run` in a repository of its own, with a `cargo` that only says what the test tells it to.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is the failure"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small repository around a copy of the real script.
struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// Makes it with a README and what `cargo xtask check` and `cargo xtask test` do, in shell.
    fn new(name: &str, readme: &str, check: &str, test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join(".ci")).unwrap();
        fs::write(folder.join("README.md"), readme).unwrap();
        fs::write(folder.join("Cargo.lock"), "").unwrap();
        fs::create_dir_all(folder.join("bin")).unwrap();
        let cargo = format!(
            "#!/bin/sh\ncase \"$*\" in\n'xtask check') {check} ;;\n'xtask test') {test} ;;\n\
             *) echo \"unexpected: $*\" ;;\nesac\n"
        );
        fs::write(folder.join("cargo.sh"), cargo).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/run");
        install(&script, &folder.join(".ci/run"));
        install(&folder.join("cargo.sh"), &folder.join("bin/cargo"));
        let repository = Self { folder };
        repository.git(&["init", "--quiet"]);
        repository.git(&["add", "."]);
        repository.git(&[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "commit",
            "-qm.",
        ]);
        repository
    }

    fn git(&self, args: &[&str]) {
        let status = Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(args)
            .current_dir(&self.folder)
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Runs the script; returns the lines of standard output and whether it succeeded.
    fn run(&self) -> (Vec<String>, bool) {
        let path = std::env::var("PATH").unwrap();
        let output = Command::new(self.folder.join(".ci/run"))
            .env(
                "PATH",
                format!("{}:{path}", self.folder.join("bin").display()),
            )
            .env_remove("WATTWITNESS_CACHE")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (
            text.lines().map(str::to_owned).collect(),
            output.status.success(),
        )
    }

    fn last_line(&self) -> (String, bool) {
        let (lines, success) = self.run();
        (lines.last().unwrap().clone(), success)
    }
}

/// Copies a script. Another process writes it: were it open for writing in this one, a test that
/// forks at the same time would keep it open, and it could not be executed (ETXTBSY).
fn install(from: &Path, to: &Path) {
    let status = Command::new("install")
        .arg("-m755")
        .args([from, to])
        .status()
        .unwrap();
    assert!(status.success());
}

const README: &str = "# It\n\n```sh\ncargo xtask demo\ncargo xtask test   # every test\n```\n";
const CHECK: &str = "echo '6 passed, 0 failed'";
const TEST: &str = "echo 'rust 40'; echo '41 passed, 0 failed'";

#[test]
fn the_last_line_sums_tests_and_checks() {
    let repository = Repository::new("sum", README, CHECK, TEST);
    assert_eq!(
        repository.last_line(),
        ("47 passed, 0 failed".to_owned(), true)
    );
}

#[test]
fn a_failed_check_fails_the_run() {
    let check = "echo '5 passed, 1 failed'; exit 1";
    let repository = Repository::new("check", README, check, TEST);
    assert_eq!(
        repository.last_line(),
        ("46 passed, 1 failed".to_owned(), false)
    );
}

#[test]
fn a_run_that_breaks_off_is_a_failure() {
    let repository = Repository::new("breaks-off", README, CHECK, "echo building; exit 101");
    assert_eq!(
        repository.last_line(),
        ("6 passed, 1 failed".to_owned(), false)
    );
}

#[test]
fn an_exit_code_is_believed_over_a_count() {
    let test = "echo '41 passed, 0 failed'; exit 1";
    let repository = Repository::new("exit-code", README, CHECK, test);
    assert_eq!(
        repository.last_line(),
        ("47 passed, 1 failed".to_owned(), false)
    );
}

#[test]
fn a_run_without_tests_is_a_failure() {
    let repository = Repository::new("no-tests", README, CHECK, "echo '0 passed, 0 failed'");
    assert_eq!(
        repository.last_line(),
        ("6 passed, 1 failed".to_owned(), false)
    );
}

#[test]
fn the_command_is_the_one_in_the_readme() {
    let readme = "$ cargo xtask test --only rust\n";
    let repository = Repository::new("readme", readme, CHECK, TEST);
    let (lines, success) = repository.run();
    assert!(lines.contains(&"== cargo xtask test --only rust".to_owned()));
    assert!(!success);
}

#[test]
fn a_readme_with_no_or_two_test_commands_is_a_failure() {
    let none = Repository::new("readme-none", "# It\n", CHECK, TEST);
    assert_eq!(none.last_line(), ("6 passed, 1 failed".to_owned(), false));
    let readme = "cargo xtask test\ncargo xtask test --only rust\n";
    let two = Repository::new("readme-two", readme, CHECK, TEST);
    assert_eq!(two.last_line(), ("6 passed, 1 failed".to_owned(), false));
}

#[test]
fn a_run_that_changes_a_committed_file_is_a_failure() {
    let test = "echo x >> Cargo.lock; echo '41 passed, 0 failed'";
    let repository = Repository::new("changes", README, CHECK, test);
    assert_eq!(
        repository.last_line(),
        ("47 passed, 1 failed".to_owned(), false)
    );
}

#[test]
fn nothing_in_the_run_can_wait_for_standard_input() {
    let repository = Repository::new("stdin", README, CHECK, "cat; echo '1 passed, 0 failed'");
    assert_eq!(
        repository.last_line(),
        ("7 passed, 0 failed".to_owned(), true)
    );
}
