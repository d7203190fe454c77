//! The root that the device trusts, on the flash: two copies, of which a change writes the older, so that
//! a cut leaves the root before or the one after. Only a root that was verified is written.

use embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind};
use ww_release::canonical;
use ww_release::root::{MAX_ROOT, Root};

use crate::flash::{
    Checksum, FlashFailure, Operation, SECTOR_BYTES, WORD_BYTES, erase, holds, read, write,
};

/// Sectors of the root: two copies.
pub const ROOT_SECTORS: u32 = 2;

/// The longest root without its signatures: three roles of eight keys, those of releases RSA.
pub const MAX_TRUSTED_ROOT: usize = 3200;

/// First bytes of every copy: version 1 of the format.
const MAGIC: [u8; 4] = *b"WWR1";

/// Magic, number, length; the root follows, then a checksum over all.
const HEAD_BYTES: usize = 12;

const _: () = assert!(MAX_TRUSTED_ROOT + HEAD_BYTES + WORD_BYTES <= SECTOR_BYTES as usize);
const _: () = assert!(MAX_TRUSTED_ROOT <= MAX_ROOT);

/// Why there is no root to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// The flash refused.
    #[error(transparent)]
    Flash(#[from] FlashFailure),
    /// Neither copy holds one: the device was made without, or both have rotted.
    #[error("no root is on the flash")]
    Missing,
    /// It is longer than a device keeps.
    #[error("a root of {0} bytes is longer than a device keeps")]
    TooLong(usize),
}

/// Which copy of the root holds.
#[derive(Clone, Copy, Debug)]
pub struct RootStore {
    first_sector: u32,
    held: Option<Held>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    copy: u32,
    number: u32,
    len: usize,
}

impl RootStore {
    /// Finds the newest root of both copies. A copy that cannot be read counts as none.
    pub fn mount<F: NorFlash>(flash: &mut F, first_sector: u32) -> Self {
        let held = (0..ROOT_SECTORS)
            .filter_map(|copy| look(flash, first_sector, copy).ok().flatten())
            .max_by_key(|held| held.number);
        Self { first_sector, held }
    }

    /// The number of the root that holds; 0 when there is none.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.held.map_or(0, |held| held.number)
    }

    /// Reads the root that holds into `bytes`.
    ///
    /// # Errors
    /// Any [`RootError`].
    pub fn load<'a, F: NorFlash>(
        &self,
        flash: &mut F,
        bytes: &'a mut [u8; MAX_TRUSTED_ROOT],
    ) -> Result<Root<'a>, RootError> {
        let held = self.held.ok_or(RootError::Missing)?;
        let bytes = &mut bytes[..held.len];
        read_any(flash, self.start(held.copy) + HEAD_BYTES as u32, bytes)?;
        canonical::decode(bytes, MAX_TRUSTED_ROOT).map_err(|_| RootError::Missing)
    }

    /// Keeps a root that was verified, in the place of the older copy.
    ///
    /// # Errors
    /// [`RootError::Flash`] and [`RootError::TooLong`]; the root that held until now still does.
    pub fn store<F: NorFlash>(
        &mut self,
        flash: &mut F,
        number: u32,
        root: &[u8],
    ) -> Result<(), RootError> {
        if root.len() > MAX_TRUSTED_ROOT {
            return Err(RootError::TooLong(root.len()));
        }
        let copy = self.held.map_or(0, |held| 1 - held.copy);
        let start = self.start(copy);
        erase(flash, start)?;
        let mut head = [0; HEAD_BYTES];
        head[..4].copy_from_slice(&MAGIC);
        head[4..8].copy_from_slice(&number.to_be_bytes());
        head[8..].copy_from_slice(&(root.len() as u32).to_be_bytes());
        let checksum = Checksum::new().with(&head).with(root).finish();
        let body = start + HEAD_BYTES as u32;
        program(flash, body, root)?;
        let end = body + root.len().next_multiple_of(WORD_BYTES) as u32;
        program(flash, end, &checksum)?;
        // The head comes last: without it the rest is nothing.
        program(flash, start, &head)?;
        let len = root.len();
        self.held = Some(Held { copy, number, len });
        Ok(())
    }

    const fn start(&self, copy: u32) -> u32 {
        (self.first_sector + copy) * SECTOR_BYTES
    }
}

/// What a copy holds, if its checksum says so.
fn look<F: NorFlash>(
    flash: &mut F,
    first_sector: u32,
    copy: u32,
) -> Result<Option<Held>, FlashFailure> {
    let start = (first_sector + copy) * SECTOR_BYTES;
    let mut head = [0; HEAD_BYTES];
    read(flash, start, &mut head)?;
    let number =
        |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (root, len) = (number(4), number(8) as usize);
    if head[..4] != MAGIC || len > MAX_TRUSTED_ROOT {
        return Ok(None);
    }
    let mut checksum = Checksum::new().with(&head);
    let body = start + HEAD_BYTES as u32;
    let mut chunk = [0; 64];
    for at in (0..len).step_by(chunk.len()) {
        let held = &mut chunk[..(len - at).min(64)];
        read_any(flash, body + at as u32, held)?;
        checksum = checksum.with(held);
    }
    let mut stated = [0; 4];
    let end = body + len.next_multiple_of(WORD_BYTES) as u32;
    read(flash, end, &mut stated)?;
    let is_whole = stated == checksum.finish();
    Ok(is_whole.then_some(Held {
        copy,
        number: root,
        len,
    }))
}

/// Reads any number of bytes from a word's beginning on.
pub(crate) fn read_any<F: NorFlash>(
    flash: &mut F,
    offset: u32,
    bytes: &mut [u8],
) -> Result<(), FlashFailure> {
    let whole = bytes.len() / WORD_BYTES * WORD_BYTES;
    let (words, rest) = bytes.split_at_mut(whole);
    if !words.is_empty() {
        read(flash, offset, words)?;
    }
    if !rest.is_empty() {
        let mut word = [0; WORD_BYTES];
        read(flash, offset + whole as u32, &mut word)?;
        rest.copy_from_slice(&word[..rest.len()]);
    }
    Ok(())
}

/// Reads any number of bytes from anywhere.
pub(crate) fn read_anywhere<F: NorFlash>(
    flash: &mut F,
    offset: u32,
    bytes: &mut [u8],
) -> Result<(), FlashFailure> {
    let before = offset as usize % WORD_BYTES;
    if before == 0 {
        return read_any(flash, offset, bytes);
    }
    let mut word = [0; WORD_BYTES];
    read(flash, offset - before as u32, &mut word)?;
    let first = bytes.len().min(WORD_BYTES - before);
    let (head, rest) = bytes.split_at_mut(first);
    head.copy_from_slice(&word[before..before + first]);
    read_any(flash, offset + first as u32, rest)
}

/// Programs any number of bytes from a word's beginning on, and reads them back.
pub(crate) fn program<F: NorFlash>(
    flash: &mut F,
    offset: u32,
    bytes: &[u8],
) -> Result<(), FlashFailure> {
    let (words, rest) = bytes.split_at(bytes.len() / WORD_BYTES * WORD_BYTES);
    let mut last = [0xff; WORD_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    let tail: &[u8] = if rest.is_empty() { &[] } else { &last };
    let parts = [(offset, words), (offset + words.len() as u32, tail)];
    for (offset, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
        write(flash, offset, part)?;
        if !holds(flash, offset, part)? {
            return Err(FlashFailure {
                attempted: Operation::Write,
                offset,
                kind: NorFlashErrorKind::Other,
            });
        }
    }
    Ok(())
}
