//! The durable queue: readings, chain records and settings on a NOR flash, whole after a power
//! cut at any operation. It keeps and gives back; it signs nothing and sends nothing.
//!
//! ```text
//! settings (2 sectors) | chain ring | readings ring
//! ```
//! Both rings are append-only; nothing is copied forward, and a ring's oldest sector is erased
//! only when its newest is full. Invariants:
//!
//! - What a call has returned `Ok` for is found by every later [`Queue::mount`].
//! - A reading that was not acknowledged is erased only after a Gap of kind Readings that covers
//!   its window is durable; one that is in no window yet, never.
//! - A chain record that was not acknowledged is erased only after a Gap of kind Records that
//!   covers it is durable. Such a Gap is always the first entry of a sector whose predecessors
//!   freed the room for it: two sectors ahead of the newest hold nothing that is still needed.
//!   A sector without a valid entry counts as never opened, so a power cut in the middle of
//!   writing that Gap, however often, uses up nothing.
//! - No sequence number and no chain index is given out twice for different content.
//!
//! The promise to lose nothing is made for a chip that loses power. Of one that forgets, this holds:
//!
//! - A sector whose header has rotted, the newest too, is read by its entries, whose checksums
//!   start with the sector's number: nothing is lost and no number comes again. (Settings are in
//!   the header: they fall back to those of the sector before.)
//! - Behind a spoilt chain record the others are found; a Gap of kind Records is signed for it when
//!   it is next wanted. Behind a spoilt reading the others of its sector are lost: their numbers are
//!   skipped, and once sealed, a Gap of kind Unreadable is signed.
//! - When an acknowledgement on the flash speaks of chain records that cannot be read, their numbers
//!   are skipped, and a Gap says so before anything else is added.
//! - When nothing in the newest sector of readings can be read, as many numbers are skipped as it
//!   could have held.
//!
//! It does not hold that a last chain record which rots before its acknowledgement is on the flash
//! keeps its number: it looks like one that a power cut tore. Nor does it for a newest chain sector
//! of which nothing at all can be read, header and every entry: it looks like one whose opening a
//! power cut tore.

mod batch;
mod layout;
mod mount;
mod readings;
mod records;
mod ring;
mod settings;
mod state;

use embedded_storage::nor_flash::NorFlash;
use ww_wire::packed::Codec;
use ww_wire::{
    AnyReading, BootCounter, ChainIndex, GapKind, Hash, MeterId, MilliwattHours, Rule, Sequence,
};

pub use batch::{Batch, BatchError, BatchLimit, MAX_BATCH_RECORDS};
pub use layout::{Layout, LayoutError};
pub use mount::MountError;
pub use records::AcknowledgeError;
pub use settings::LogCheckpoint;

use crate::flash::FlashFailure;
use ring::Ring;
use settings::Digests;
use state::ChainState;

/// The queue on its flash. Not counting the flash driver it stays below 2 KiB of memory.
pub struct Queue<F> {
    flash: F,
    meter: MeterId,
    settings: Ring,
    digests: Digests,
    chain: Ring,
    state: ChainState,
    /// The last chain sector that may be opened without another look at what it erases.
    chain_clear: u32,
    /// What is settled by the word of the newest chain sector's header.
    head_settled: u64,
    /// Readings up to this one are settled by the word of the flash.
    durably_settled: u64,
    /// The windows of a Gap in readings that was looked up last; empty when the first is above the
    /// last.
    declared: (u64, u64),
    /// The first of the last records of the chain, when they cannot be read: no Gap says so yet.
    lost_from: Option<u64>,
    readings: Ring,
    codec: Option<Codec>,
    next_sequence: u64,
    last_produced: u64,
    /// Set when it is not known whether an entry is on the flash; only a new mount can tell.
    doubtful: Option<FlashFailure>,
}

/// What a mount found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The newest reading on the flash; the register goes on from its values.
    pub last_reading: Option<AnyReading>,
    /// The counter of the last Boot record.
    pub last_boot: Option<BootCounter>,
    /// The place of the next chain record.
    pub next_index: ChainIndex,
    /// The number of the next reading.
    pub next_sequence: Sequence,
    /// `produced` of the last reading, or at the close of the last window when no reading is left.
    pub produced: MilliwattHours,
    /// Sequence numbers passed over because bytes that cannot be read may have held them.
    pub skipped: u64,
}

/// How much waits for the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Chain records that were never acknowledged and are still here.
    pub records: u64,
    /// Readings that were never acknowledged and are still here, those of the open window
    /// included; numbers that were skipped count too.
    pub readings: u64,
}

/// What a Gap record must say before something may be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What is given up.
    pub kind: GapKind,
    /// The first chain record that goes or loses its readings.
    pub first_index: ChainIndex,
    /// The last such record.
    pub last_index: ChainIndex,
    /// The first reading that goes, if any does.
    pub first_sequence: Option<Sequence>,
    /// The last reading that goes.
    pub last_sequence: Option<Sequence>,
    /// `produced` before the first of them.
    pub produced_open: MilliwattHours,
    /// `produced` after the last of them.
    pub produced_close: MilliwattHours,
    /// Digest of the last chain record that goes; zero when records stay.
    pub last_digest: Hash,
}

/// What must happen before there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The readings that are in no window yet must be sealed.
    Seal,
    /// A Gap that says this must be in the chain.
    Gap(Loss),
}

/// Why nothing was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// Something else comes first; then the same call is made again.
    #[error("there is no room before {0:?} is done")]
    Blocked(Need),
    /// The record breaks a rule of its own.
    #[error("the record is not valid: {0}")]
    Rule(#[from] Rule),
    /// The reading is of another meter, or its number or energy goes back.
    #[error("reading {got} of boot {boot} does not follow: the next number is {next}")]
    OutOfOrder {
        /// The next number.
        next: u64,
        /// The reading's number.
        got: u64,
        /// The reading's boot.
        boot: u32,
    },
    /// The chain record does not link to the last one.
    #[error("record {got} does not link to the chain, whose next index is {next}")]
    NotLinked {
        /// The next index.
        next: u64,
        /// The record's index.
        got: u64,
    },
    /// The flash did not take the entry; it is certain that the entry is not on it.
    #[error("the flash takes no entry: {0}")]
    Refused(FlashFailure),
    /// The flash failed in a way that leaves open what is on it; the queue must be mounted again.
    #[error("it is not known what the flash holds, mount again: {0}")]
    Doubtful(FlashFailure),
    /// Reading the flash failed; nothing was changed.
    #[error(transparent)]
    Flash(#[from] FlashFailure),
}

impl<F: NorFlash> Queue<F> {
    /// The meter whose queue this is.
    pub const fn meter(&self) -> MeterId {
        self.meter
    }

    /// The number that the next reading must have, or a higher one.
    pub const fn next_sequence(&self) -> Sequence {
        sequence(self.next_sequence)
    }

    /// The place of the next chain record.
    pub const fn next_index(&self) -> ChainIndex {
        index(self.state.next_index)
    }

    /// The digest that the next chain record names; zero for the first.
    pub const fn previous(&self) -> Hash {
        self.state.previous
    }

    /// The first chain record that was never acknowledged; uploads go on from here.
    pub const fn first_unacknowledged(&self) -> ChainIndex {
        index(self.state.settled_index)
    }

    /// How much waits for the gateway.
    pub fn depth(&self) -> Depth {
        let state = &self.state;
        Depth {
            records: state.next_index.saturating_sub(state.first_live_index()),
            readings: (self.next_sequence - 1)
                .saturating_sub(state.settled_sequence.max(state.last_given_up())),
        }
    }

    /// Whether readings are on the flash that are in no window yet.
    pub fn has_unsealed(&self) -> bool {
        self.next_sequence - 1 > self.state.sealed_sequence && self.readings.head.is_some()
    }

    /// Whether a window made under another Enrolment than the one in force holds this reading: its
    /// counters may be those of another sensor.
    pub(crate) fn is_of_earlier_enrolment(&self, number: Sequence) -> bool {
        number.get() <= self.state.sealed_sequence
            && self.state.sealed_enrolment != self.enrolment_digest()
    }

    /// The chain as the queue knows it: last boot counter and its firmware, last sealed reading,
    /// `produced` at the last close.
    pub(crate) const fn chain_facts(&self) -> ChainFacts {
        ChainFacts {
            boot: self.state.boot,
            firmware: self.state.firmware,
            sealed_sequence: self.state.sealed_sequence,
            sealed_close: energy(self.state.sealed_close),
        }
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.flash
    }

    fn check_certain(&self) -> Result<(), PushError> {
        self.doubtful
            .map_or(Ok(()), |failure| Err(PushError::Doubtful(failure)))
    }

    fn doubt(&mut self, failure: FlashFailure) -> PushError {
        self.doubtful = Some(failure);
        PushError::Doubtful(failure)
    }
}

/// What sealing needs to know of the chain so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainFacts {
    pub(crate) boot: u32,
    pub(crate) firmware: Hash,
    pub(crate) sealed_sequence: u64,
    pub(crate) sealed_close: MilliwattHours,
}

/// Numbers come from checked records or count up from them: they stay below the mark for absent
/// in any lifetime, and saturate there should the flash have been written by hand.
const fn sequence(value: u64) -> Sequence {
    match Sequence::new(value) {
        Some(sequence) => sequence,
        None => Sequence::MAX,
    }
}

const fn index(value: u64) -> ChainIndex {
    match ChainIndex::new(value) {
        Some(index) => index,
        None => ChainIndex::MAX,
    }
}

const fn energy(value: u64) -> MilliwattHours {
    match MilliwattHours::new(value) {
        Some(energy) => energy,
        None => MilliwattHours::MAX,
    }
}
