//! The end of a queue whose key has signed what the queue never made: what a person is told, and the
//! note in the state folder that keeps the next start from trying again. It judges nothing.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

fn note(state: &Path) -> PathBuf {
    state.join("contradiction.txt")
}

fn in_words(state: &Path, why: &str) -> String {
    format!(
        "the gateway holds records of this meter that the queue in {} never made: {why}. The state \
         folder was lost or is an old copy, or another meter uses the same key. Nothing more is sent \
         or measured, because a second record in the place of a first one counts as a contradiction \
         of this key. If the right state folder still exists, bring it back. Otherwise make a new \
         key (wattwitness keys new FILE), start the meter with it, and let the operator approve it \
         as the replacement of this one. To try again all the same, remove {}",
        state.display(),
        note(state).display()
    )
}

/// The error with which the meter ends, after leaving the note.
pub(super) fn found(state: &Path, why: &str) -> anyhow::Error {
    let words = in_words(state, why);
    let noted = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(note(state))
        .and_then(|mut file| {
            writeln!(file, "{words}")?;
            file.sync_all()
        });
    if let Err(error) = noted {
        // The next start finds out by itself, from the gateway.
        tracing::warn!(%error, "the contradiction cannot be noted in the state folder");
    }
    anyhow!(words)
}

/// Refuses to start where there is a note: every start signs a Boot record, until the queue has as
/// many records as the gateway and nothing tells the two apart.
///
/// # Errors
/// In the words of the note.
pub(super) fn refuse_if_noted(state: &Path) -> anyhow::Result<()> {
    match std::fs::read_to_string(note(state)) {
        Ok(words) => bail!("{}", words.trim_end()),
        Err(_) => Ok(()),
    }
}
