//! Files that may be shown to anybody, such as public keys, roots and releases: read within a bound,
//! and written whole or not at all. Secrets are kept in [`crate::keys`]'s files instead.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use rustix::fs::OFlags;

/// Whether a file may take the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Never.
    New,
    /// It is the next version of the same.
    Replaced,
}

/// Reads a file of at most `most_bytes`.
pub(crate) fn read(file: &Path, most_bytes: usize) -> anyhow::Result<Vec<u8>> {
    let shown = file.display();
    // A pipe without a writer would otherwise wait for one.
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(file)
        .with_context(|| format!("cannot open {shown}"))?;
    ensure!(opened.metadata()?.is_file(), "{shown} is no regular file");
    let mut bytes = Vec::new();
    opened
        .take(most_bytes as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {shown}"))?;
    ensure!(
        bytes.len() <= most_bytes,
        "{shown} is longer than the {most_bytes} bytes that such a file may have"
    );
    Ok(bytes)
}

/// Writes a file with mode 0644. It appears whole: whoever reads it meanwhile sees what was there
/// before, or all of this.
pub(crate) fn write(file: &Path, bytes: &[u8], place: Place) -> anyhow::Result<()> {
    let shown = file.display();
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let cannot = || format!("cannot write {shown}");
    let mut making = tempfile::Builder::new()
        .prefix(".wattwitness-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(folder)
        .with_context(cannot)?;
    making.write_all(bytes).with_context(cannot)?;
    making.as_file().sync_all().with_context(cannot)?;
    let made = match place {
        Place::New => making.persist_noclobber(file),
        Place::Replaced => making.persist(file),
    };
    match made {
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{shown} is there already, and is not overwritten; name another file")
        }
        Err(error) => Err(error.error).with_context(cannot),
        // The name is as durable as what is in the file.
        Ok(_) => File::open(folder)
            .and_then(|folder| folder.sync_all())
            .with_context(cannot),
    }
}
