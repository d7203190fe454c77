//! `cargo xtask screenshots`: the dashboard's pictures in `docs/images`, taken of a demo with
//! some history. It only starts both sides; the pictures are the dashboard's own script.

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
    let demo_folder = workspace.scratch().join("screenshots");
    let demo = RunningDemo::start(&binary, &demo_folder, &["--history", "7d"])?;
    Program::new("npm")
        .args(["run", "screenshots"])
        .env("WATTWITNESS_URL", demo.url())
        .folder(&folder)
        .run()?;
    demo.stop()
}
