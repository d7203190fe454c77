//! Where things are: the workspace's folders and packages, as cargo itself reports them. It
//! reads no file of the repository.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::arrows::Arrows;
use crate::program::cargo;

/// The variable that moves everything which is kept between runs out of the target folder.
pub(crate) const CACHE_VARIABLE: &str = "WATTWITNESS_CACHE";

/// The workspace this command was called in.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    metadata: Value,
}

impl Workspace {
    /// Asks cargo about the workspace of the current folder.
    pub(crate) fn read() -> Result<Self> {
        let text = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .read()?;
        let metadata: Value =
            serde_json::from_str(&text).context("`cargo metadata` printed no JSON")?;
        let folder = |field: &str| {
            metadata[field]
                .as_str()
                .map(PathBuf::from)
                .with_context(|| format!("`cargo metadata` names no {field}"))
        };
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
            metadata,
        })
    }

    /// A path inside the repository.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The top of the repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target folder.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The folder for tools that are made once and kept: `$WATTWITNESS_CACHE/tools`, or `tools`
    /// in the target folder.
    pub(crate) fn tools(&self) -> PathBuf {
        match std::env::var_os(CACHE_VARIABLE) {
            Some(cache) if !cache.is_empty() => self.root.join(cache).join("tools"),
            _ => self.target.join("tools"),
        }
    }

    /// The folder for what a run leaves behind: reports, logs, data of a demo under test.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// The arrows that the crates' manifests really draw.
    pub(crate) fn arrows(&self) -> Result<Arrows> {
        Arrows::from_metadata(&self.metadata)
    }
}
