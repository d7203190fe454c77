//! Readings, windows and chain records as they come out of the store, and how one asks for them.

use ww_wire::{AnyReading, ChainIndex, Hash, Sequence, Signature, UtcMillis, Window};

use crate::InstallationId;

/// What proves a stored reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The meter's signature over this reading alone; no window with it has come yet.
    Signature(Signature),
    /// The reading is a leaf under the root of a signed window.
    Window {
        /// The window's index in the chain.
        index: ChainIndex,
        /// The leaf's place in the tree, from 0.
        leaf: u32,
        /// Digest of the Enrolment that the window names; zero for none.
        enrolment: Hash,
    },
}

/// A reading with what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReading {
    /// Whose it is.
    pub installation: InstallationId,
    /// The reading; its canonical bytes are `reading.encode()`.
    pub reading: AnyReading,
    /// When it was stored, or its window, if that brought it; to the second once sealed.
    pub received: Option<UtcMillis>,
    /// What proves it.
    pub proof: Proof,
}

/// The path from one reading to the signed root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowProof {
    /// The window.
    pub window: Window,
    /// The meter's signature over it.
    pub signature: Signature,
    /// The inclusion proof of RFC 9162, section 2.1.3.1, from the leaf upwards.
    pub path: Vec<Hash>,
}

/// A reading with everything that is needed to check it offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenReading {
    /// The reading.
    pub stored: StoredReading,
    /// The path to the window's root; `None` while the reading carries its own signature.
    pub window: Option<WindowProof>,
}

/// A place in the order by time, then number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The time.
    pub time: UtcMillis,
    /// The reading's number.
    pub sequence: Sequence,
}

/// Which readings, newest first. Readings of unknown time are in no such list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadingQuery {
    /// Whose.
    pub installation: InstallationId,
    /// The first moment.
    pub start: UtcMillis,
    /// The last moment, inclusive.
    pub end: UtcMillis,
    /// Only what comes after this in the list, that is, before it in time (seek pagination).
    pub after: Option<Position>,
    /// At most so many; `None` for all.
    pub limit: Option<u32>,
}

/// Which windows, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowQuery {
    /// Whose.
    pub installation: InstallationId,
    /// Windows with a reading at or after this moment.
    pub start: UtcMillis,
    /// Windows with a reading at or before this moment.
    pub end: UtcMillis,
    /// Only windows with a higher index (seek pagination).
    pub after: Option<ChainIndex>,
    /// At most so many.
    pub limit: u32,
}

/// A window as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWindow {
    /// The window.
    pub window: Window,
    /// The meter's signature.
    pub signature: Signature,
    /// When it was stored; to the second once compacted.
    pub received: Option<UtcMillis>,
    /// Whether its single readings are held too.
    pub has_readings: bool,
}

/// A window with its readings and its neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeWindow {
    /// The window.
    pub stored: StoredWindow,
    /// Its readings by number; empty when they are not held.
    pub readings: Vec<StoredReading>,
    /// The held window before it.
    pub previous: Option<ChainIndex>,
    /// The held window after it.
    pub next: Option<ChainIndex>,
}

/// A chain record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChainRecord {
    /// Its index.
    pub index: ChainIndex,
    /// The canonical bytes.
    pub payload: Vec<u8>,
    /// The meter's signature.
    pub signature: Signature,
    /// When it was stored; to the second once compacted.
    pub received: Option<UtcMillis>,
    /// Of a window whose readings are held: the readings as a `ww_wire::packed` block.
    pub packed: Option<Vec<u8>>,
}
