//! What a store says no with: [`Refusal`] is about the record, [`StoreError`] about the store.

use ww_wire::{ChainIndex, Hash, MeterId, Sequence};

use crate::{InstallationId, InstallationState};

/// Why a record was not taken. Nothing was changed, except that evidence was kept where the
/// variant says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No installation has this meter.
    #[error("no installation has the meter {meter}")]
    UnknownMeter {
        /// The meter named by the record.
        meter: MeterId,
    },
    /// There is no such installation.
    #[error("there is no installation {installation}")]
    UnknownInstallation {
        /// The installation asked for.
        installation: InstallationId,
    },
    /// The meter waits for approval or was revoked.
    #[error("installation {installation} is {state}, not active")]
    NotActive {
        /// The installation.
        installation: InstallationId,
        /// Its state.
        state: InstallationState,
    },
    /// Another meter follows this one: nothing is taken past the record with which it ended.
    #[error("installation {installation} ended with chain record {}; installation {by} follows it", last_index.get())]
    Replaced {
        /// The installation.
        installation: InstallationId,
        /// The installation that follows it.
        by: InstallationId,
        /// The last record of its chain, as the Replacement names it.
        last_index: ChainIndex,
    },
    /// Another reading with this number was signed before. Both are kept as evidence.
    #[error("installation {installation} has signed two readings numbered {}", sequence.get())]
    EquivocatingReading {
        /// The installation.
        installation: InstallationId,
        /// The number both have.
        sequence: Sequence,
        /// Digest of the one that was stored first.
        stored: Hash,
        /// Digest of this one.
        got: Hash,
    },
    /// Another chain record with this index was signed before. Both are kept as evidence.
    #[error("installation {installation} has signed two chain records with index {}", index.get())]
    EquivocatingChain {
        /// The installation.
        installation: InstallationId,
        /// The index both have.
        index: ChainIndex,
        /// Digest of the one that was stored first.
        stored: Hash,
        /// Digest of this one.
        got: Hash,
    },
    /// The record does not name the digest of the one before it, or the one after it does not name
    /// this one's. Kept as evidence.
    #[error("chain record {} of installation {installation} does not follow the one before it", index.get())]
    BrokenChain {
        /// The installation.
        installation: InstallationId,
        /// The index of the record whose `previous` does not fit.
        index: ChainIndex,
        /// The digest of the record before.
        expected: Hash,
        /// The digest that it names.
        got: Hash,
    },
    /// A reading that was signed alone is not the leaf of the window that covers it. Both are kept
    /// as evidence.
    #[error("window {} of installation {installation} contradicts the signed reading {}", index.get(), sequence.get())]
    WindowContradictsReading {
        /// The installation.
        installation: InstallationId,
        /// The window's index.
        index: ChainIndex,
        /// The first reading that differs.
        sequence: Sequence,
    },
    /// Two windows cover the same reading. The new one is kept as evidence.
    #[error("window {} of installation {installation} covers reading {}, which window {} has", index.get(), sequence.get(), other.get())]
    OverlappingWindows {
        /// The installation.
        installation: InstallationId,
        /// The new window's index.
        index: ChainIndex,
        /// The window that was stored first.
        other: ChainIndex,
        /// The first reading that both cover.
        sequence: Sequence,
    },
    /// The readings given with a window are those of another one.
    #[error("the readings given with window {} of installation {installation} belong to another window", index.get())]
    ForeignReadings {
        /// The installation.
        installation: InstallationId,
        /// The window's index.
        index: ChainIndex,
    },
    /// A number that no honest meter reaches: sequence above [`crate::ReadingId::MAX_SEQUENCE`],
    /// `chain_index` above 2^53, `produced` above 2^63.
    #[error("{field} {value} of installation {installation} is out of range")]
    OutOfRange {
        /// The installation.
        installation: InstallationId,
        /// The field of the record.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// `produced` fell between two readings. Kept as evidence.
    #[error("`produced` of installation {installation} falls at reading {}", sequence.get())]
    ProducedFell {
        /// The installation.
        installation: InstallationId,
        /// The later reading.
        sequence: Sequence,
    },
    /// `produced` does not go on from one window to the next: the later one does not open where the
    /// earlier one closed. Kept as evidence.
    #[error("`produced` of installation {installation} does not go on between the windows {} and {}", index.get(), other.get())]
    EnergyTornApart {
        /// The installation.
        installation: InstallationId,
        /// The index of the window that was refused.
        index: ChainIndex,
        /// The window before or after it that is held.
        other: ChainIndex,
    },
    /// Another active installation measures with this sensor and channel.
    #[error("the sensor and channel are in use by installation {other}")]
    SensorTaken {
        /// The installation that has it.
        other: InstallationId,
    },
    /// An enrolment's number is not above that of the one in force.
    #[error("enrolment number {got} of installation {installation} is not above {last}")]
    StaleEnrolment {
        /// The installation.
        installation: InstallationId,
        /// The number in force.
        last: u32,
        /// The number given.
        got: u32,
    },
    /// A meter accepted an enrolment that is not stored.
    #[error("installation {installation} has no enrolment {digest}")]
    UnknownEnrolment {
        /// The installation.
        installation: InstallationId,
        /// The enrolment's digest.
        digest: Hash,
    },
    /// A replacement does not fit what is stored of the two meters.
    #[error("installation {installation} cannot be replaced so: {reason}")]
    UnfitReplacement {
        /// The meter that ends.
        installation: InstallationId,
        /// What does not fit.
        reason: &'static str,
    },
    /// The time zone's name is not in the IANA database.
    #[error("no time zone is named {name:?}")]
    UnknownTimeZone {
        /// The name given.
        name: String,
    },
}

impl Refusal {
    /// Whether the meter contradicted itself: two signed statements cannot both be true.
    #[must_use]
    pub const fn is_equivocation(&self) -> bool {
        matches!(
            self,
            Self::EquivocatingReading { .. }
                | Self::EquivocatingChain { .. }
                | Self::BrokenChain { .. }
                | Self::WindowContradictsReading { .. }
                | Self::OverlappingWindows { .. }
                | Self::ProducedFell { .. }
                | Self::EnergyTornApart { .. }
        )
    }
}

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What was asked for is refused; see there.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The database was made by a newer program.
    #[error("the database has schema {found}; this program knows {known} at most")]
    NewerSchema {
        /// The schema of the database.
        found: u32,
        /// The newest schema that is known here.
        known: u32,
    },
    /// What is stored breaks a rule that held when it was written.
    #[error("the database is damaged: {what}")]
    Damaged {
        /// What does not hold, with ids.
        what: String,
    },
    /// The database itself failed.
    #[error("the database failed while it should {attempt}")]
    Database {
        /// What was attempted.
        attempt: &'static str,
        /// The database's own words.
        source: Box<dyn core::error::Error + Send + Sync>,
    },
}
