//! Where what belongs to updates lies on the flash.

use crate::flash::SECTOR_BYTES;
use crate::update::boot::{BOOT_SECTORS, Slot};
use crate::update::trust::ROOT_SECTORS;

/// Bytes of a SHA-256 in the list of a payload's sectors.
pub(crate) const DIGEST_BYTES: u32 = 32;

/// Where updates keep what they keep, in sectors of 4,096 bytes. Nothing of it overlaps, and nothing
/// else lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateLayout {
    /// The first of [`BOOT_SECTORS`] with the boot state.
    pub boot: u32,
    /// The first of [`ROOT_SECTORS`] with the root.
    pub root: u32,
    /// The first with the list of digests of what is being fetched.
    pub list: u32,
    /// How many these are.
    pub list_sectors: u32,
    /// The first of slot A.
    pub slot_a: u32,
    /// The first of slot B.
    pub slot_b: u32,
    /// How many each slot has.
    pub slot_sectors: u32,
}

impl UpdateLayout {
    /// The layout of two slots of `slot_sectors`, all in a row from the sector `first` on.
    #[must_use]
    pub const fn in_a_row(first: u32, slot_sectors: u32) -> Self {
        let root = first + BOOT_SECTORS;
        let list = root + ROOT_SECTORS;
        // An object is never longer than the slot by more than the padding of CBC.
        let list_sectors = ((slot_sectors + 1) * DIGEST_BYTES).div_ceil(SECTOR_BYTES);
        let slot_a = list + list_sectors;
        Self {
            boot: first,
            root,
            list,
            list_sectors,
            slot_a,
            slot_b: slot_a + slot_sectors,
            slot_sectors,
        }
    }

    /// The first sector after all of it, when it was made by [`Self::in_a_row`].
    #[must_use]
    pub const fn end(&self) -> u32 {
        self.slot_b + self.slot_sectors
    }

    /// Where a slot begins, in bytes.
    #[must_use]
    pub const fn slot_offset(&self, slot: Slot) -> u32 {
        match slot {
            Slot::A => self.slot_a * SECTOR_BYTES,
            Slot::B => self.slot_b * SECTOR_BYTES,
        }
    }

    /// Bytes of a slot.
    #[must_use]
    pub const fn slot_bytes(&self) -> u32 {
        self.slot_sectors * SECTOR_BYTES
    }

    /// Whether there is room for the list of an object of so many bytes.
    pub(crate) const fn has_list_of(&self, object_bytes: u32) -> bool {
        let sectors = object_bytes.div_ceil(SECTOR_BYTES);
        sectors <= self.list_sectors * (SECTOR_BYTES / DIGEST_BYTES)
    }
}
