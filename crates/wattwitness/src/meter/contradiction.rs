//! A key whose queue is not the one that it signed from, as far as the gateway says: the uplink is
//! blocked, and a note in the state folder blocks it at every further start, until a person has
//! looked. What a person is told is written here; nothing is judged.
//!
//! Measuring goes on: one wrong answer, of a gateway at fault or of somebody on the way to it, must
//! not cost a reading. So does sealing, although on a lost or older flash it signs records in places
//! that are taken: what never leaves contradicts nothing. That is also why nothing but a person
//! lifts the block: with every start and every window the queue comes nearer to as many records as
//! the gateway has, and then their number would no longer tell the two apart.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ww_wire::MeterId;

/// Why the uplink is blocked.
#[derive(Debug)]
pub(super) struct Contradiction {
    note: PathBuf,
    words: String,
    is_noted: bool,
}

impl Contradiction {
    /// One that was found just now; leaves the note.
    pub(super) fn found(state: &Path, meter: MeterId, why: &str) -> Self {
        let note = note(state, meter);
        let mut found = Self {
            words: in_words(state, &note, why),
            note,
            is_noted: false,
        };
        found.keep();
        found
    }

    /// The one of which an earlier start left a note; a note that cannot be read counts as well.
    pub(super) fn noted(state: &Path, meter: MeterId) -> Option<Self> {
        let note = note(state, meter);
        let words = match std::fs::read_to_string(&note) {
            Ok(words) => words.trim_end().to_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => in_words(state, &note, &format!("the note cannot be read, {error}")),
        };
        Some(Self {
            note,
            words,
            is_noted: true,
        })
    }

    /// What happened and what to do.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Leaves the note, if that did not succeed before.
    pub(super) fn keep(&mut self) {
        if self.is_noted {
            return;
        }
        match write(&self.note, &self.words) {
            Ok(()) => self.is_noted = true,
            Err(error) => {
                tracing::warn!(%error, "the contradiction cannot be noted in the state folder yet");
            }
        }
    }
}

/// Where the note of a key is; another key in the same folder has another.
fn note(state: &Path, meter: MeterId) -> PathBuf {
    let mut name = meter.to_string();
    name.truncate(16);
    state.join(format!("contradiction-{name}.txt"))
}

fn in_words(state: &Path, note: &Path, why: &str) -> String {
    format!(
        "the gateway says that it holds records of this meter that the queue in {state} never made: \
         {why}. Nothing more is sent, because a second record in the place of a first one counts as \
         a contradiction of this key. Measuring goes on, and what is measured is kept here as in an \
         outage. If the state folder was lost or is an old copy, or if another meter uses the same \
         key: bring the right folder back if it still exists; otherwise make a new key (wattwitness \
         keys new FILE), start the meter with it, and let the operator approve it as the replacement \
         of this one. Only if this folder has been the key's only one all the time, the gateway or \
         the way to it is at fault: have that mended, remove {note} and start the meter again",
        state = state.display(),
        note = note.display()
    )
}

/// Whole or not at all, and there after a power cut.
fn write(note: &Path, words: &str) -> io::Result<()> {
    let unfinished = note.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    writeln!(file, "{words}")?;
    file.sync_all()?;
    std::fs::rename(&unfinished, note)?;
    match note.parent() {
        Some(state) => File::open(state)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use ww_wire::SignerId;

    use super::*;

    const METER: MeterId = SignerId([1; 32]);

    #[test]
    fn a_note_is_found_again_by_its_own_key_only() {
        let state = tempfile::tempdir().unwrap();
        assert!(Contradiction::noted(state.path(), METER).is_none());
        let found = Contradiction::found(state.path(), METER, "record 7 is another");
        let noted = Contradiction::noted(state.path(), METER).unwrap();
        assert_eq!(noted.words(), found.words());
        assert!(Contradiction::noted(state.path(), SignerId([2; 32])).is_none());
    }

    #[test]
    fn a_note_that_cannot_be_read_blocks_as_well() {
        let state = tempfile::tempdir().unwrap();
        std::fs::write(note(state.path(), METER), [0xff]).unwrap();
        let noted = Contradiction::noted(state.path(), METER).unwrap();
        assert!(noted.words().contains("cannot be read"), "{noted:?}");
    }

    #[test]
    fn a_note_that_could_not_be_written_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("unmounted");
        let mut found = Contradiction::found(&state, METER, "record 7 is another");
        assert!(Contradiction::noted(&state, METER).is_none());
        std::fs::create_dir(&state).unwrap();
        found.keep();
        assert!(Contradiction::noted(&state, METER).is_some());
    }
}
