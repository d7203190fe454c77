//! Which sectors the queue may use, and for what.

use crate::flash::SECTOR_BYTES;

/// Sectors of the settings: one in force, one to write the next into.
pub(super) const SETTINGS_SECTORS: u32 = 2;

/// Chain sectors that are always free of unacknowledged records, ahead of the one being written:
/// the next one, and one more should the flash not take it.
pub(super) const CHAIN_RESERVE: u32 = 2;

/// The queue's place on the chip: `settings (2) | chain ring | readings ring`, in sectors of
/// 4 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    first_sector: u32,
    chain_sectors: u32,
    readings_sectors: u32,
}

/// Why a layout cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The chain ring keeps two sectors free, and a Gap and what it covers must have room.
    #[error("the chain ring needs at least {min} sectors, got {got}", min = Layout::MIN_CHAIN_SECTORS)]
    ChainTooSmall {
        /// Sectors asked for.
        got: u32,
    },
    /// The open window must never be in the way of its own next reading.
    #[error("the readings ring needs at least {min} sectors, got {got}", min = Layout::MIN_READINGS_SECTORS)]
    ReadingsTooSmall {
        /// Sectors asked for.
        got: u32,
    },
    /// Offsets are 32 bits wide.
    #[error("the layout ends beyond 4 GiB")]
    TooLarge,
}

impl Layout {
    /// The fewest sectors of the chain ring.
    pub const MIN_CHAIN_SECTORS: u32 = 4;

    /// The fewest sectors of the readings ring.
    pub const MIN_READINGS_SECTORS: u32 = 3;

    /// 1 MiB from the start of the chip: nine days of windows, two days and a half of readings.
    pub const ONE_MEBIBYTE: Self = Self {
        first_sector: 0,
        chain_sectors: 126,
        readings_sectors: 128,
    };

    /// Places the queue at `first_sector`.
    ///
    /// # Errors
    /// Any [`LayoutError`].
    pub const fn new(
        first_sector: u32,
        chain_sectors: u32,
        readings_sectors: u32,
    ) -> Result<Self, LayoutError> {
        if chain_sectors < Self::MIN_CHAIN_SECTORS {
            return Err(LayoutError::ChainTooSmall { got: chain_sectors });
        }
        if readings_sectors < Self::MIN_READINGS_SECTORS {
            return Err(LayoutError::ReadingsTooSmall {
                got: readings_sectors,
            });
        }
        let end = first_sector as u64
            + SETTINGS_SECTORS as u64
            + chain_sectors as u64
            + readings_sectors as u64;
        if end > (u32::MAX / SECTOR_BYTES) as u64 {
            return Err(LayoutError::TooLarge);
        }
        Ok(Self {
            first_sector,
            chain_sectors,
            readings_sectors,
        })
    }

    /// Bytes of the chip up to the end of the layout.
    #[must_use]
    pub const fn end_bytes(&self) -> u32 {
        (self.readings_start() + self.readings_sectors) * SECTOR_BYTES
    }

    pub(super) const fn settings_start(&self) -> u32 {
        self.first_sector
    }

    pub(super) const fn chain_start(&self) -> u32 {
        self.first_sector + SETTINGS_SECTORS
    }

    pub(super) const fn chain_sectors(&self) -> u32 {
        self.chain_sectors
    }

    pub(super) const fn readings_start(&self) -> u32 {
        self.chain_start() + self.chain_sectors
    }

    pub(super) const fn readings_sectors(&self) -> u32 {
        self.readings_sectors
    }
}
