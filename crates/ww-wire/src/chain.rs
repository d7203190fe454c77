//! The chain of a meter: Window, Boot and Gap records, each naming the digest of the one before.

use crate::Hash;
use crate::field::{Attestation, byte_enum, flag_set};
use crate::reading::TimeQuality;
use crate::record::{Payload, Record, RecordType, Rule, record, require};
use crate::units::*;
use crate::{DecodeError, MeterId};

/// The length of a window on the UTC grid.
pub const WINDOW_MS: u64 = 600_000;

/// The most readings that a window may hold: one a second for ten minutes.
pub const MAX_WINDOW_READINGS: u32 = 600;

flag_set! {
    /// How a window came to be closed.
    pub struct WindowFlags {
        /// Closed after a reboot over what the flash still held, under the old boot counter.
        RECOVERED = 0,
        /// Closed before its time by an orderly stop.
        ORDERLY_STOP = 1,
    }
}

record! {
    /// Readings of up to ten minutes under one Merkle root.
    pub struct Window signed by
    /// The meter that measured and signs.
    meter {
        /// Its place in the chain.
        chain_index: ChainIndex,
        /// Digest of the chain's record before; zero for the first.
        previous: Hash,
        /// The boot in which the readings were taken.
        boot: BootCounter,
        /// The first reading's number.
        first_sequence: Sequence,
        /// The last reading's number; none is missing in between.
        last_sequence: Sequence,
        /// How many readings there are.
        count: u32,
        /// The first reading's time.
        first_time: Option<UtcMillis>,
        /// The last reading's time.
        last_time: Option<UtcMillis>,
        /// `produced` at the close of the window before.
        produced_open: MilliwattHours,
        /// `produced` of the last reading.
        produced_close: MilliwattHours,
        /// Merkle tree head over the readings' payloads.
        root: Hash,
        /// Digest of the Enrolment in force; zero for none.
        enrolment: Hash,
        /// Digest of the running firmware.
        firmware: Hash,
        /// Size of the newest log checkpoint that the meter has received; 0 for none.
        log_size: u64,
        /// Root of that checkpoint; zero for none.
        log_root: Hash,
        /// How the window came to be closed.
        flags: WindowFlags,
    }
}

impl Window {
    fn rules(&self) -> Result<(), Rule> {
        check_link(self.chain_index, &self.previous)?;
        check_boot(self.boot)?;
        require!(
            self.first_sequence != Sequence::ZERO,
            "sequence numbers start at 1"
        );
        require!(
            self.count >= 1 && self.count <= MAX_WINDOW_READINGS,
            "a window holds 1 to 600 readings"
        );
        require!(
            self.last_sequence
                .get()
                .checked_sub(self.first_sequence.get())
                == Some(u64::from(self.count) - 1),
            "the sequence numbers of a window follow one another, and count says how many"
        );
        require!(
            self.produced_open <= self.produced_close,
            "produced never decreases within a window"
        );
        require!(
            (self.log_size == 0) == self.log_root.is_zero(),
            "a log checkpoint has both a size and a root, or neither"
        );
        Ok(())
    }
}

byte_enum! {
    /// Why the meter started.
    pub enum ResetReason {
        /// The cause is not known.
        Unknown = 0,
        /// Power came on.
        PowerOn = 1,
        /// The supply voltage fell too far.
        BrownOut = 2,
        /// A watchdog ended the program.
        Watchdog = 3,
        /// The program ended itself on a fault.
        Crash = 4,
        /// Somebody asked for a restart, or the service was started.
        Requested = 5,
        /// A new firmware was installed.
        Update = 6,
        /// Out of a sleep.
        Wake = 7,
    }
}

record! {
    /// A start of the meter.
    pub struct Boot signed by
    /// The meter that started and signs.
    meter {
        /// Its place in the chain.
        chain_index: ChainIndex,
        /// Digest of the chain's record before; zero for the first.
        previous: Hash,
        /// How many times the meter has started, this one included.
        boot: BootCounter,
        /// When this record was made.
        time: Option<UtcMillis>,
        /// The same moment since this boot.
        uptime: UptimeMillis,
        /// How far `time` can be relied on.
        time_quality: TimeQuality,
        /// Digest of the running firmware (on Linux: of the executable).
        firmware: Hash,
        /// The firmware's version: major.
        version_major: u16,
        /// The firmware's version: minor.
        version_minor: u16,
        /// The firmware's version: patch.
        version_patch: u16,
        /// The firmware's security counter; it never goes down.
        security_counter: u32,
        /// Why the meter started.
        reset_reason: ResetReason,
        /// The last reading found on the flash, absent for none.
        last_recovered: Option<Sequence>,
        /// The number that the first reading of this boot has.
        first_new: Sequence,
        /// Room for the signature by which an immutable boot loader attests `firmware`; zeros: then the digest is claimed, not attested.
        attestation: Attestation,
    }
}

impl Boot {
    fn rules(&self) -> Result<(), Rule> {
        check_link(self.chain_index, &self.previous)?;
        check_boot(self.boot)?;
        require!(
            (self.time_quality == TimeQuality::Unknown) == self.time.is_none(),
            "time is absent exactly when its quality is unknown"
        );
        require!(
            self.last_recovered.is_none_or(|last| last < self.first_new),
            "the first new reading comes after the last recovered one"
        );
        require!(
            self.first_new != Sequence::ZERO && self.last_recovered != Some(Sequence::ZERO),
            "sequence numbers start at 1"
        );
        Ok(())
    }
}

byte_enum! {
    /// What a meter had to give up.
    pub enum GapKind {
        /// Single readings; their windows, and so the energy, are kept.
        Readings = 1,
        /// Whole records of the chain, windows included.
        Records = 2,
        /// Readings that the flash no longer gives back whole.
        Unreadable = 3,
    }
}

record! {
    /// What a full queue gave up. The newest Gap of a kind covers all losses of that kind since
    /// the last record that the gateway acknowledged.
    pub struct Gap signed by
    /// The meter that lost it and signs.
    meter {
        /// Its place in the chain.
        chain_index: ChainIndex,
        /// Digest of the chain's record before; zero for the first.
        previous: Hash,
        /// The boot in which it was given up.
        boot: BootCounter,
        /// When it was given up.
        time: Option<UtcMillis>,
        /// What was given up.
        kind: GapKind,
        /// The first chain record that is gone or has lost its readings.
        first_index: ChainIndex,
        /// The last such record.
        last_index: ChainIndex,
        /// The first reading that is gone, absent if no window is among the records.
        first_sequence: Option<Sequence>,
        /// The last reading that is gone.
        last_sequence: Option<Sequence>,
        /// `produced` before the first of them.
        produced_open: MilliwattHours,
        /// `produced` after the last of them.
        produced_close: MilliwattHours,
        /// Digest of the last chain record that is gone; zero when records were kept.
        last_digest: Hash,
    }
}

impl Gap {
    fn rules(&self) -> Result<(), Rule> {
        check_link(self.chain_index, &self.previous)?;
        check_boot(self.boot)?;
        require!(
            self.first_index <= self.last_index,
            "a gap runs from its first to its last record"
        );
        require!(
            self.last_index < self.chain_index,
            "a gap speaks of records before itself"
        );
        require!(
            match (self.first_sequence, self.last_sequence) {
                (Some(first), Some(last)) => first <= last,
                (first, last) => first == last,
            },
            "a gap runs from its first to its last reading"
        );
        require!(
            self.first_sequence != Some(Sequence::ZERO),
            "sequence numbers start at 1"
        );
        require!(
            self.kind == GapKind::Records || self.first_sequence.is_some(),
            "a gap in readings names them"
        );
        require!(
            (self.kind == GapKind::Records) != self.last_digest.is_zero(),
            "exactly a gap of whole records names the digest of the last one"
        );
        require!(
            self.produced_open <= self.produced_close,
            "produced never decreases over a gap"
        );
        Ok(())
    }
}

fn check_link(chain_index: ChainIndex, previous: &Hash) -> Result<(), Rule> {
    require!(
        (chain_index == ChainIndex::ZERO) == previous.is_zero(),
        "the first record of a chain, and only that, has no record before it"
    );
    Ok(())
}

fn check_boot(boot: BootCounter) -> Result<(), Rule> {
    require!(boot != BootCounter::ZERO, "boot counters start at 1");
    Ok(())
}

/// Any record of a meter's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainRecord {
    /// A window.
    Window(Window),
    /// A boot.
    Boot(Boot),
    /// A gap.
    Gap(Gap),
}

impl ChainRecord {
    /// The meter whose chain it is.
    #[must_use]
    pub const fn meter(&self) -> MeterId {
        match self {
            Self::Window(record) => record.meter,
            Self::Boot(record) => record.meter,
            Self::Gap(record) => record.meter,
        }
    }

    /// Its place in the chain.
    #[must_use]
    pub const fn chain_index(&self) -> ChainIndex {
        match self {
            Self::Window(record) => record.chain_index,
            Self::Boot(record) => record.chain_index,
            Self::Gap(record) => record.chain_index,
        }
    }

    /// The digest of the record before.
    #[must_use]
    pub const fn previous(&self) -> Hash {
        match self {
            Self::Window(record) => record.previous,
            Self::Boot(record) => record.previous,
            Self::Gap(record) => record.previous,
        }
    }

    /// The type byte of its payload.
    #[must_use]
    pub const fn record_type(&self) -> RecordType {
        match self {
            Self::Window(_) => RecordType::Window,
            Self::Boot(_) => RecordType::Boot,
            Self::Gap(_) => RecordType::Gap,
        }
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// The first [`Rule`] that the record breaks.
    pub fn encode(&self) -> Result<Payload, Rule> {
        match self {
            Self::Window(record) => record.encode(),
            Self::Boot(record) => record.encode(),
            Self::Gap(record) => record.encode(),
        }
    }

    /// Reads the canonical bytes of any of them.
    ///
    /// # Errors
    /// Any [`DecodeError`]; [`DecodeError::WrongType`] for a record of no chain.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        match RecordType::of(payload)? {
            RecordType::Boot => Boot::decode(payload).map(Self::Boot),
            RecordType::Gap => Gap::decode(payload).map(Self::Gap),
            _ => Window::decode(payload).map(Self::Window),
        }
    }
}
