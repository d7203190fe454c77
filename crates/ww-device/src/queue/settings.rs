//! The settings area: the Enrolment in force, the newest log checkpoint and whether anything was
//! sent, in two sectors by turns. A sector's header carries all settings, so a sector counts as soon
//! as its header does.

use embedded_storage::nor_flash::NorFlash;
use ww_wire::{Enrolment, Hash, Record, Signature};

use super::ring::{Appended, Found};
use super::{PushError, Queue};
use crate::flash::FlashFailure;

/// Enrolment payload and operator's signature, then checkpoint size and root, then a word of ones
/// once something was sent. A payload that begins with zero stands for none.
pub(super) const SETTINGS_BYTES: usize = ENROLMENT_BYTES + CHECKPOINT_BYTES + SENT_BYTES;

const ENROLMENT_BYTES: usize = Enrolment::LENGTH + 64;
const CHECKPOINT_BYTES: usize = 40;
const SENT_BYTES: usize = 4;

const ENROLMENT: u8 = 1;
const CHECKPOINT: u8 = 2;
const SENT: u8 = 3;

/// Size and root of a checkpoint of the public log; both zero for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogCheckpoint {
    /// Leaves of the log.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

impl LogCheckpoint {
    /// No checkpoint was received yet.
    pub const NONE: Self = Self {
        size: 0,
        root: Hash::ZERO,
    };
}

/// What every window and every upload needs of the settings; kept in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digests {
    enrolment: Hash,
    checkpoint: LogCheckpoint,
    sent: bool,
}

impl Digests {
    pub(super) const NONE: Self = Self {
        enrolment: Hash::ZERO,
        checkpoint: LogCheckpoint::NONE,
        sent: false,
    };

    pub(super) fn of(blob: &[u8; SETTINGS_BYTES]) -> Self {
        let (enrolment, rest) = blob.split_at(ENROLMENT_BYTES);
        let (checkpoint, sent) = rest.split_at(CHECKPOINT_BYTES);
        let (size, root) = checkpoint.split_at(8);
        let mut digests = Self::NONE;
        if enrolment[0] != 0 {
            digests.enrolment = Hash::of(&[&enrolment[..Enrolment::LENGTH]]);
        }
        digests.checkpoint.size = size
            .iter()
            .fold(0, |size, byte| size << 8 | u64::from(*byte));
        digests.checkpoint.root.0.copy_from_slice(root);
        digests.sent = sent[0] != 0;
        digests
    }
}

/// Takes an entry into the settings.
pub(super) fn apply(blob: &mut [u8; SETTINGS_BYTES], kind: u8, body: &[u8]) {
    let (enrolment, rest) = blob.split_at_mut(ENROLMENT_BYTES);
    let (checkpoint, sent) = rest.split_at_mut(CHECKPOINT_BYTES);
    match kind {
        ENROLMENT if body.len() == ENROLMENT_BYTES => enrolment.copy_from_slice(body),
        CHECKPOINT if body.len() == CHECKPOINT_BYTES => checkpoint.copy_from_slice(body),
        SENT if body.len() == SENT_BYTES => sent.copy_from_slice(body),
        _ => {}
    }
}

impl<F: NorFlash> Queue<F> {
    /// Digest of the Enrolment in force; zero for none.
    pub const fn enrolment_digest(&self) -> Hash {
        self.digests.enrolment
    }

    /// The newest log checkpoint that was stored.
    pub const fn checkpoint(&self) -> LogCheckpoint {
        self.digests.checkpoint
    }

    /// The Enrolment in force and the operator's signature over it.
    ///
    /// # Errors
    /// The [`FlashFailure`] of a read.
    pub fn enrolment(&mut self) -> Result<Option<(Enrolment, Signature)>, FlashFailure> {
        let blob = self.settings_blob()?;
        let (payload, signature) = blob[..ENROLMENT_BYTES].split_at(Enrolment::LENGTH);
        let mut bytes = [0; 64];
        bytes.copy_from_slice(signature);
        Ok(Enrolment::decode(payload)
            .ok()
            .zip(Signature::from_low_s(bytes).ok()))
    }

    /// Stores the Enrolment in force. What it says holds from the next reading on, so the readings
    /// before must be sealed first: `Chain::enrol` does both.
    ///
    /// # Errors
    /// [`PushError::Rule`], [`PushError::Refused`], [`PushError::Flash`],
    /// [`PushError::Doubtful`].
    pub fn set_enrolment(
        &mut self,
        enrolment: &Enrolment,
        signature: &Signature,
    ) -> Result<(), PushError> {
        let mut body = [0; ENROLMENT_BYTES];
        body[..Enrolment::LENGTH].copy_from_slice(&enrolment.encode()?);
        body[Enrolment::LENGTH..].copy_from_slice(signature.bytes());
        self.set(ENROLMENT, &body)
    }

    /// Stores the newest log checkpoint; the windows from now on name it.
    ///
    /// # Errors
    /// [`PushError::Refused`], [`PushError::Flash`], [`PushError::Doubtful`].
    pub fn set_checkpoint(&mut self, checkpoint: &LogCheckpoint) -> Result<(), PushError> {
        let mut body = [0; CHECKPOINT_BYTES];
        body[..8].copy_from_slice(&checkpoint.size.to_be_bytes());
        body[8..].copy_from_slice(&checkpoint.root.0);
        self.set(CHECKPOINT, &body)
    }

    /// Whether anything that has a number may have left this flash, in whichever boot. What was
    /// acknowledged tells it as well, should the settings have rotted.
    pub const fn has_sent(&self) -> bool {
        self.digests.sent || self.state.settled_index > 0
    }

    /// Stores, once, that something that has a number is about to leave.
    ///
    /// # Errors
    /// [`PushError::Refused`], [`PushError::Flash`], [`PushError::Doubtful`].
    pub fn set_sent(&mut self) -> Result<(), PushError> {
        if self.digests.sent {
            return Ok(());
        }
        self.set(SENT, &[1; SENT_BYTES])
    }

    fn set(&mut self, kind: u8, body: &[u8]) -> Result<(), PushError> {
        self.check_certain()?;
        let mut blob = self.settings_blob()?;
        apply(&mut blob, kind, body);
        let appended = match self.settings.append(&mut self.flash, kind, &[body]) {
            Ok(appended) => appended,
            Err(failure) => return Err(self.doubt(failure)),
        };
        if appended != Appended::Done {
            let number = self.settings.next;
            if let Err(failure) = self.settings.open(&mut self.flash, &blob) {
                // The sector after the next one is the one in force: it is not touched.
                self.settings.next = number;
                return Err(PushError::Refused(failure));
            }
        }
        self.digests = Digests::of(&blob);
        Ok(())
    }

    fn settings_blob(&mut self) -> Result<[u8; SETTINGS_BYTES], FlashFailure> {
        let mut blob = [0; SETTINGS_BYTES];
        let Some(head) = self.settings.head else {
            return Ok(blob);
        };
        if let Some(header) = self.settings.header(&mut self.flash, head.number)? {
            blob.copy_from_slice(header.carry());
        }
        let mut at = self.settings.first_entry();
        while let Found::Entry(entry) = self.settings.entry(&mut self.flash, head.number, at)? {
            apply(&mut blob, entry.kind, entry.body());
            at = entry.next;
        }
        Ok(blob)
    }
}
