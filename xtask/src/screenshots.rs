//! `cargo xtask screenshots`: the dashboard's pictures in `docs/images`, taken of two demos: a park
//! with a month of history that anyone may read, which lives fast so that its next noon is minutes
//! away, and one that is administered. It only starts both sides; the pictures are the dashboard's
//! own script.

use anyhow::Result;

use crate::demo::{self, Profile, RunningDemo};
use crate::program::Program;
use crate::setup;
use crate::workspace::Workspace;

/// Takes them all.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    setup::debian_packages(&[&setup::CHROMIUM])?;
    let folder = setup::dashboard(workspace)?;
    let binary = demo::build(workspace, Profile::Release)?;
    let scratch = workspace.scratch().join("screenshots");
    let open = RunningDemo::start(
        &binary,
        &scratch.join("open"),
        &["--meters", "4", "--history", "35d", "--speed", "240"],
    )?;
    let private = RunningDemo::start(
        &binary,
        &scratch.join("private"),
        &["--private", "--history", "2d"],
    )?;
    Program::new("npm")
        .args(["run", "screenshots"])
        .env("WATTWITNESS_URL", open.url())
        .env("WATTWITNESS_PRIVATE_URL", private.url())
        .env("WATTWITNESS_ADMIN_KEY_FILE", private.admin_key_file())
        .folder(&folder)
        .run()?;
    open.stop()?;
    private.stop()
}
