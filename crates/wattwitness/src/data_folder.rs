//! A gateway's data folder: one gateway serves it at a time. What lies in it others know.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::{Context, bail, ensure};

/// The lock's name in the folder. The file stays; whether somebody holds it is what counts, and
/// that ends with the process, however it ends.
const LOCK_FILE: &str = "lock";

/// The right to write in a data folder, until it is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if there is none, and takes it for this process alone. Two gateways on one
    /// database would each go by what they remember and not by what the other has written.
    pub(crate) fn take(folder: &Path) -> anyhow::Result<Self> {
        let shown = folder.display();
        ensure!(
            folder.is_dir() || !folder.exists(),
            "the data folder {shown} is no folder; name another with --data"
        );
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the data folder {shown}"))?;
        let file = folder.join(LOCK_FILE);
        let cannot = || format!("cannot take the data folder {shown}: {}", file.display());
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&file)
            .with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "the data folder {shown} is in use by another wattwitness; stop it first, or name another folder with --data"
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
        }
    }

    /// Whether a file in the folder is the lock, which says nothing of what the folder is for.
    pub(crate) fn is_lock(name: &std::ffi::OsStr) -> bool {
        name == LOCK_FILE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_by_one_at_a_time_and_the_error_names_it() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        let first = DataFolder::take(&folder).unwrap();
        let refused = format!("{:#}", DataFolder::take(&folder).unwrap_err());
        assert!(refused.contains(folder.to_str().unwrap()), "{refused}");
        drop(first);
        DataFolder::take(&folder).unwrap();
    }
}
