//! Files that hold a secret: read only when their owner alone can read them, made with mode 0600, and
//! never in the place of another. What is in them is for others to understand.

use std::fs::OpenOptions;
use std::io::{Read, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// No such file is longer, in bytes; what is longer is something else.
pub(crate) const LONGEST: usize = 8192;

/// Reads a secret. `remedy` says how one is made where there is no such file.
pub(crate) fn read(file: &Path, remedy: &str) -> anyhow::Result<Zeroizing<String>> {
    let shown = file.display();
    // A pipe without a writer would otherwise wait for one.
    let mut opened = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(file)
        .with_context(|| format!("cannot open the key file {shown}; {remedy}"))?;
    let metadata = opened.metadata()?;
    ensure!(
        metadata.is_file(),
        "{shown} is no regular file; a key is kept in one"
    );
    let mode = metadata.permissions().mode() & 0o7777;
    ensure!(
        mode == 0o600,
        "the key file {shown} has mode {mode:04o} instead of 0600, with which its owner alone \
         can read it; run: chmod 600 {shown}"
    );
    let mut text = Zeroizing::new(String::with_capacity(LONGEST));
    Read::by_ref(&mut opened)
        .take(LONGEST as u64)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read the key file {shown}"))?;
    Ok(text)
}

/// Writes a new file, whole or not at all.
pub(crate) fn make(file: &Path, text: &str) -> anyhow::Result<()> {
    let shown = file.display();
    let mut opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| match file.exists() {
            true => format!("{shown} is there already; a key is never replaced"),
            false => format!("cannot create {shown}"),
        })?;
    let written = opened
        .write_all(text.as_bytes())
        .and_then(|()| opened.sync_all());
    if written.is_err() {
        std::fs::remove_file(file).with_context(|| format!("half of {shown} was written"))?;
    }
    written.with_context(|| format!("cannot write {shown}"))
}
