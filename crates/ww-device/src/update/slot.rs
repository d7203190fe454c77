//! What lies in a slot: sectors of it are written and read back, compared with what was signed, and
//! summed up. It decides nothing.

use embedded_storage::nor_flash::NorFlash;
use sha2::{Digest, Sha256};
use ww_release::cipher::SectorCipher;
use ww_wire::Hash;

use crate::flash::{FlashFailure, SECTOR_BYTES, erase, holds};
use crate::update::boot::{Candidate, Slot};
use crate::update::layout::{DIGEST_BYTES, UpdateLayout};
use crate::update::trust::{program, read_any};

/// A sector's bytes.
pub(crate) type Sector = [u8; SECTOR_BYTES as usize];

/// Bytes of a block of AES, which CBC pads to.
const BLOCK_BYTES: usize = 16;

/// Where an object lies decrypted, and how long it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Byte offset on the flash, a sector's beginning.
    pub(crate) offset: u32,
    /// Bytes of it decrypted.
    pub(crate) plain_bytes: u32,
    /// Bytes of it encrypted.
    pub(crate) object_bytes: u32,
}

impl Place {
    /// How many sectors the object has encrypted: one more than decrypted where CBC pads a whole block.
    pub(crate) const fn sectors(&self) -> u32 {
        self.object_bytes.div_ceil(SECTOR_BYTES)
    }

    /// Bytes of a sector decrypted.
    pub(crate) const fn plain_of(&self, sector: u32) -> usize {
        let rest = self.plain_bytes.saturating_sub(sector * SECTOR_BYTES);
        (if rest < SECTOR_BYTES {
            rest
        } else {
            SECTOR_BYTES
        }) as usize
    }

    /// Bytes of a sector encrypted.
    pub(crate) const fn encrypted_of(&self, sector: u32) -> usize {
        let rest = self.object_bytes.saturating_sub(sector * SECTOR_BYTES);
        (if rest < SECTOR_BYTES {
            rest
        } else {
            SECTOR_BYTES
        }) as usize
    }

    /// Whether the sector lies here as it was signed: it is encrypted again and summed up.
    pub(crate) fn has<F: NorFlash>(
        &self,
        flash: &mut F,
        sector: u32,
        cipher: &SectorCipher,
        signed: &Hash,
        buffer: &mut Sector,
    ) -> Result<bool, FlashFailure> {
        let (plain, encrypted) = (self.plain_of(sector), self.encrypted_of(sector));
        read_any(
            flash,
            self.offset + sector * SECTOR_BYTES,
            &mut buffer[..plain],
        )?;
        let padding = encrypted - plain;
        debug_assert!(padding <= BLOCK_BYTES);
        buffer[plain..encrypted].fill(padding as u8);
        let sector_bytes = &mut buffer[..encrypted];
        Ok(cipher.encrypt(sector, sector_bytes).is_ok() && Hash::of(&[sector_bytes]) == *signed)
    }
}

/// Writes a sector, unless it is there already: then it costs no wear.
pub(crate) fn write_sector<F: NorFlash>(
    flash: &mut F,
    offset: u32,
    content: &[u8],
) -> Result<(), FlashFailure> {
    let words = content.len() / 4 * 4;
    if content.is_empty() || (words == content.len() && holds(flash, offset, content)?) {
        return Ok(());
    }
    erase(flash, offset)?;
    program(flash, offset, content)
}

/// The digest that was signed for a sector, from the list on the flash.
pub(crate) fn listed<F: NorFlash>(
    flash: &mut F,
    layout: &UpdateLayout,
    sector: u32,
) -> Result<Hash, FlashFailure> {
    let mut digest = Hash::ZERO;
    let offset = layout.list * SECTOR_BYTES + sector * DIGEST_BYTES;
    read_any(flash, offset, &mut digest.0)?;
    Ok(digest)
}

/// SHA-256 of the first `bytes` from `offset` on.
pub(crate) fn summed<F: NorFlash>(
    flash: &mut F,
    offset: u32,
    bytes: u32,
) -> Result<Hash, FlashFailure> {
    let mut sum = Sum::new(offset, bytes);
    while !sum.add(flash, SECTOR_BYTES)? {}
    Ok(sum.digest())
}

/// A SHA-256 over a stretch of flash, a piece at a time.
pub(crate) struct Sum {
    sha: Sha256,
    offset: u32,
    left: u32,
}

impl Sum {
    pub(crate) fn new(offset: u32, bytes: u32) -> Self {
        Self {
            sha: Sha256::new(),
            offset,
            left: bytes,
        }
    }

    /// Adds the next `most` bytes; whether that was all.
    pub(crate) fn add<F: NorFlash>(
        &mut self,
        flash: &mut F,
        most: u32,
    ) -> Result<bool, FlashFailure> {
        let mut chunk = [0; 64];
        let mut piece = self.left.min(most);
        while piece > 0 {
            let len = piece.min(chunk.len() as u32);
            let bytes = &mut chunk[..len as usize];
            read_any(flash, self.offset, bytes)?;
            self.sha.update(&*bytes);
            self.offset += len;
            self.left -= len;
            piece -= len;
        }
        Ok(self.left == 0)
    }

    pub(crate) fn digest(&self) -> Hash {
        Hash(self.sha.clone().finalize().into())
    }
}

/// Whether a slot holds a candidate's payload, byte for byte: what a boot loader asks before it starts
/// an image for the first time. A flash that cannot be read holds nothing.
pub fn holds_payload<F: NorFlash>(
    flash: &mut F,
    layout: &UpdateLayout,
    slot: Slot,
    candidate: &Candidate,
) -> bool {
    candidate.payload_bytes <= layout.slot_bytes()
        && summed(flash, layout.slot_offset(slot), candidate.payload_bytes)
            .is_ok_and(|digest| digest == candidate.payload)
}
