//! What the queue needs of a flash chip: the three operations of a NOR flash with errors that say
//! where they happened, and the checksum that guards every entry. It knows no layout.

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};

/// The sector size that the queue is laid out for.
pub const SECTOR_BYTES: u32 = 4096;

/// The unit of programming that the queue keeps to.
pub const WORD_BYTES: usize = 4;

/// What was attempted on the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reading bytes.
    Read,
    /// Programming words.
    Write,
    /// Erasing a sector.
    Erase,
}

/// An operation that the chip refused or did not carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("flash {attempted:?} at offset {offset:#x} failed: {kind:?}")]
pub struct FlashFailure {
    /// What was attempted.
    pub attempted: Operation,
    /// The byte offset on the chip.
    pub offset: u32,
    /// What the driver said.
    pub kind: NorFlashErrorKind,
}

/// Reads `bytes.len()` bytes; offset and length are multiples of [`WORD_BYTES`].
pub(crate) fn read<F: NorFlash>(
    flash: &mut F,
    offset: u32,
    bytes: &mut [u8],
) -> Result<(), FlashFailure> {
    flash.read(offset, bytes).map_err(|error| FlashFailure {
        attempted: Operation::Read,
        offset,
        kind: error.kind(),
    })
}

/// Programs erased words.
pub(crate) fn write<F: NorFlash>(
    flash: &mut F,
    offset: u32,
    bytes: &[u8],
) -> Result<(), FlashFailure> {
    flash.write(offset, bytes).map_err(|error| FlashFailure {
        attempted: Operation::Write,
        offset,
        kind: error.kind(),
    })
}

/// Erases the sector that begins at `offset`.
pub(crate) fn erase<F: NorFlash>(flash: &mut F, offset: u32) -> Result<(), FlashFailure> {
    flash
        .erase(offset, offset + SECTOR_BYTES)
        .map_err(|error| FlashFailure {
            attempted: Operation::Erase,
            offset,
            kind: error.kind(),
        })
}

/// Whether the chip holds exactly `bytes` at `offset`: what was programmed is read back before it
/// counts as durable.
pub(crate) fn holds<F: NorFlash>(
    flash: &mut F,
    offset: u32,
    bytes: &[u8],
) -> Result<bool, FlashFailure> {
    let mut chunk = [0; 64];
    let mut at = offset;
    for wanted in bytes.chunks(chunk.len()) {
        let held = &mut chunk[..wanted.len()];
        read(flash, at, held)?;
        if held != wanted {
            return Ok(false);
        }
        at += wanted.len() as u32;
    }
    Ok(true)
}

/// How many bytes from `from` on, up to the last that is not erased, lie before `to`; 0 when all
/// of them are erased.
pub(crate) fn programmed_bytes<F: NorFlash>(
    flash: &mut F,
    from: u32,
    to: u32,
) -> Result<u32, FlashFailure> {
    let mut chunk = [0; 64];
    let mut programmed = 0;
    let mut at = from;
    while at < to {
        let len = (to - at).min(chunk.len() as u32);
        let held = &mut chunk[..len as usize];
        read(flash, at, held)?;
        if let Some(last) = held.iter().rposition(|byte| *byte != 0xff) {
            programmed = at + last as u32 + 1 - from;
        }
        at += len;
    }
    Ok(programmed)
}

/// CRC-32 (ISO-HDLC, the one of Ethernet and zip), a nibble at a time: 64 bytes of table.
#[derive(Clone, Copy)]
pub(crate) struct Checksum(u32);

impl Checksum {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut i = 0;
        while i < 16 {
            let mut value = i as u32;
            let mut bit = 0;
            while bit < 4 {
                value = if value & 1 == 1 {
                    value >> 1 ^ 0xedb8_8320
                } else {
                    value >> 1
                };
                bit += 1;
            }
            table[i] = value;
            i += 1;
        }
        table
    };

    pub(crate) const fn new() -> Self {
        Self(u32::MAX)
    }

    pub(crate) fn with(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..2 {
                self.0 = self.0 >> 4 ^ Self::TABLE[(self.0 & 15) as usize];
            }
        }
        self
    }

    pub(crate) const fn finish(self) -> [u8; 4] {
        (!self.0).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_has_the_catalogued_check_value() {
        // The check value of CRC-32/ISO-HDLC over "123456789" is 0xcbf43926.
        let checksum = Checksum::new().with(b"12345").with(b"6789").finish();
        assert_eq!(u32::from_be_bytes(checksum), 0xcbf4_3926);
    }
}
