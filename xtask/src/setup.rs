//! The set-up of a machine: each step says what it does, does it only when its inputs changed,
//! and names the remedy when it cannot. It installs nothing outside Debian's packages, the
//! dashboard's `node_modules` and the tools folder.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::program::{Program, cargo};
use crate::stamp::{Inputs, Stamp};
use crate::workspace::Workspace;

/// Something this machine lacks and set-up could not bring; ends the run with an exit code of
/// its own.
#[derive(Debug)]
pub(crate) struct Missing {
    what: String,
    remedy: String,
}

impl Missing {
    pub(crate) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "missing: {}\n  to mend it: {}", self.what, self.remedy)
    }
}

impl std::error::Error for Missing {}

/// Says what is about to be done.
pub(crate) fn announce(what: impl fmt::Display) {
    eprintln!("==> {what}");
}

/// A program of the operating system, and Debian's packages that bring it.
pub(crate) struct Need {
    what: &'static str,
    packages: &'static [&'static str],
    is_there: fn() -> bool,
}

/// The browser of the end-to-end tests, and a font for it.
pub(crate) const CHROMIUM: Need = Need {
    what: "Chromium at /usr/bin/chromium",
    packages: &["chromium", "fonts-dejavu-core"],
    is_there: || Path::new("/usr/bin/chromium").exists(),
};

/// The interpreter of the independent check of the golden vectors.
pub(crate) const PYTHON: Need = Need {
    what: "Python 3 with its venv module",
    packages: &["python3", "python3-venv"],
    is_there: || {
        Program::new("python3")
            .args(["-c", "import ensurepip, venv"])
            .succeeds()
    },
};

/// What libFuzzer is compiled with.
pub(crate) const CXX_COMPILER: Need = Need {
    what: "a C++ compiler (c++)",
    packages: &["g++"],
    is_there: || Program::new("c++").arg("--version").succeeds(),
};

/// Brings what of `needs` is not there: by apt-get as root or by `sudo` that asks nothing.
///
/// # Errors
/// [`Missing`], with the exact command, when it may not or the packages did not help.
pub(crate) fn debian_packages(needs: &[&Need]) -> Result<()> {
    let missing: Vec<_> = needs.iter().filter(|need| !(need.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let what = missing
        .iter()
        .map(|need| need.what)
        .collect::<Vec<_>>()
        .join(", ");
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|need| need.packages)
        .copied()
        .collect();
    let by_hand = format!(
        "sudo apt-get update && sudo apt-get install --no-install-recommends {}",
        packages.join(" ")
    );
    let Some(prefix) = root_prefix() else {
        return Err(Missing::new(what, by_hand).into());
    };
    announce(format_args!("installing {what}: {}", packages.join(" ")));
    let apt_get = || {
        let mut words = prefix.iter().copied().chain(["apt-get", "--yes"]);
        Program::new(words.next().unwrap_or("apt-get"))
            .args(words)
            .env("DEBIAN_FRONTEND", "noninteractive")
    };
    let installed = apt_get().arg("update").run().and_then(|()| {
        apt_get()
            .args(["install", "--no-install-recommends"])
            .args(&packages)
            .run()
    });
    match installed {
        Ok(()) if missing.iter().all(|need| (need.is_there)()) => Ok(()),
        Ok(()) => Err(Missing::new(what, "the packages are installed, but it is not found").into()),
        Err(error) => Err(error.context(Missing::new(what, by_hand))),
    }
}

/// What goes before `apt-get` to run it as root; none when this user may not, or there is none.
fn root_prefix() -> Option<&'static [&'static str]> {
    if !Program::new("apt-get").arg("--version").succeeds() {
        return None;
    }
    let user = Program::new("id").arg("-u").read().unwrap_or_default();
    if user.trim() == "0" {
        return Some(&[]);
    }
    Program::new("sudo")
        .args(["-n", "true"])
        .succeeds()
        .then_some(&["sudo", "-n"])
}

/// The oldest Node.js that the dashboard's tools run on.
const NODE_VERSION: (u32, u32) = (20, 19);

/// Brings the dashboard's dependencies exactly as its lock file names them; returns its folder.
pub(crate) fn node_modules(workspace: &Workspace) -> Result<PathBuf> {
    let dashboard = workspace.path("dashboard");
    for file in ["package.json", "package-lock.json"] {
        if !dashboard.join(file).is_file() {
            bail!("dashboard/{file} is not there, but it belongs to the repository");
        }
    }
    let node = node()?;
    let digest = Inputs::default()
        .word(&node)
        .path(&dashboard.join("package.json"), &[])?
        .path(&dashboard.join("package-lock.json"), &[])?
        .digest();
    let stamp = Stamp::at(dashboard.join("node_modules/.wattwitness-stamp"));
    if stamp.says(&digest) {
        announce("dashboard/node_modules is up to date");
        return Ok(dashboard);
    }
    announce("installing the dashboard's packages");
    stamp.remove()?;
    Program::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .folder(&dashboard)
        .run()?;
    stamp.write(&digest)?;
    Ok(dashboard)
}

/// The version of Node.js.
///
/// # Errors
/// [`Missing`] when it is too old, or npm is not there.
pub(crate) fn node() -> Result<String> {
    let (major, minor) = NODE_VERSION;
    let remedy = "install a current Node.js with npm (Debian 12's own is too old), see \
                  https://nodejs.org/en/download";
    let wanted = format!("Node.js {major}.{minor} or later");
    if !Program::new("node").arg("--version").succeeds() {
        return Err(Missing::new(wanted, remedy).into());
    }
    let version = Program::new("node")
        .arg("--version")
        .read()?
        .trim()
        .to_owned();
    if !is_new_enough(&version) {
        return Err(Missing::new(format!("{wanted} (found {version})"), remedy).into());
    }
    if !Program::new("npm").arg("--version").succeeds() {
        return Err(Missing::new("npm", remedy).into());
    }
    Ok(version)
}

/// Judges a version as `node --version` prints it: `v20.19.4`.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= NODE_VERSION,
        _ => false,
    }
}

/// What in the dashboard's folder does not go into its built files.
const NOT_BUILT: [&str; 5] = [
    "node_modules",
    "dist",
    "e2e",
    "test-results",
    "playwright-report",
];

/// Builds the dashboard, which the gateway embeds; returns its folder.
pub(crate) fn dashboard(workspace: &Workspace) -> Result<PathBuf> {
    let folder = node_modules(workspace)?;
    let dist = folder.join("dist");
    let sources = Inputs::default().path(&folder, &NOT_BUILT)?.digest();
    // The stamp covers the built files too: someone may have built other sources by hand.
    let with_built = || anyhow::Ok(Inputs::default().word(&sources).path(&dist, &[])?.digest());
    let stamp = Stamp::at(folder.join("node_modules/.wattwitness-dist-stamp"));
    if with_built().is_ok_and(|digest| stamp.says(&digest)) {
        announce("dashboard/dist is up to date");
        return Ok(folder);
    }
    announce("building the dashboard");
    stamp.remove()?;
    Program::new("npm")
        .args(["run", "build"])
        .folder(&folder)
        .run()?;
    stamp.write(&with_built().context("`npm run build` left no dashboard/dist")?)?;
    Ok(folder)
}

/// Makes a Python environment with the packages that `requirements` pins; returns its
/// interpreter.
pub(crate) fn python(workspace: &Workspace, requirements: &Path) -> Result<PathBuf> {
    debian_packages(&[&PYTHON])?;
    let folder = workspace.tools().join("python");
    let interpreter = folder.join("bin/python");
    let version = Program::new("python3")
        .args(["-c", "import sys; print(sys.version)"])
        .read()?;
    let digest = Inputs::default()
        .word(&version)
        .path(requirements, &[])?
        .digest();
    let stamp = Stamp::at(folder.join("wattwitness-stamp"));
    if stamp.says(&digest) && interpreter.exists() {
        announce("the Python packages are up to date");
        return Ok(interpreter);
    }
    announce("installing the Python packages of the independent check");
    stamp.remove()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Program::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder)
        .run()?;
    Program::new(&interpreter)
        .args([
            "-m",
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
            "--requirement",
        ])
        .arg(requirements)
        .run()?;
    stamp.write(&digest)?;
    Ok(interpreter)
}

/// A program from the Rust package registry, at the version the project was checked with.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Judges licences, sources and banned crates by `deny.toml`.
pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
};

/// Runs the fuzz targets.
pub(crate) const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
};

/// Finds the tool on the path or in the tools folder, or compiles it into the latter.
pub(crate) fn tool(workspace: &Workspace, tool: &Tool) -> Result<PathBuf> {
    let Tool { name, version } = tool;
    let folder = workspace.tools().join(format!("{name}-{version}"));
    let kept = folder.join("bin").join(name);
    for program in [PathBuf::from(name), kept.clone()] {
        if has_version(&program, version) {
            return Ok(program);
        }
    }
    announce(format_args!(
        "compiling {name} {version} (once; some minutes)"
    ));
    // Unoptimised: it compiles in a fraction of the time, and runs for seconds only.
    cargo()
        .args([
            "install",
            "--locked",
            "--debug",
            "--version",
            version,
            "--root",
        ])
        .arg(&folder)
        .args(["--target-dir"])
        .arg(folder.join("build"))
        .arg(name)
        .run()?;
    fs::remove_dir_all(folder.join("build"))
        .with_context(|| format!("cannot clear up after installing {name}"))?;
    Ok(kept)
}

fn has_version(program: &Path, version: &str) -> bool {
    let asked = || Program::new(program).arg("--version");
    asked().succeeds()
        && asked()
            .read()
            .is_ok_and(|said| said.split(' ').any(|word| word.trim() == version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_is_judged_by_number_not_by_letter() {
        assert!(is_new_enough("v20.19.0"));
        assert!(is_new_enough("v100.0.0"));
        assert!(!is_new_enough("v20.9.1"));
        assert!(!is_new_enough("v18.20.4"));
        assert!(!is_new_enough("node"));
    }

    #[test]
    fn what_is_there_already_is_not_installed() {
        let need = Need {
            what: "this",
            packages: &["no-such-package"],
            is_there: || true,
        };
        debian_packages(&[&need]).unwrap();
    }

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        let missing = Missing::new("a pen", "buy one");
        assert_eq!(missing.to_string(), "missing: a pen\n  to mend it: buy one");
    }
}
