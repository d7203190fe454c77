//! What the gateway writes down beside the measurements: events, findings, evidence, API keys, the
//! audit trail, and readings taken over from an older system.

use ww_wire::{ChainIndex, Hash, MilliwattHours, Milliwatts, Signature, UtcMillis};

use crate::{EventId, InstallationId, KeyId, RolloutId, StoredReading};

/// Events that are kept at least, for those who resume a live stream.
pub const EVENTS_KEPT: u64 = 100_000;

/// Something that a live view wants to know, in the order in which it became durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A reading was stored for itself (not one of a backlog).
    Reading(Box<StoredReading>),
    /// Something about an installation changed; ask for it.
    Installation(InstallationId),
    /// Something about a rollout changed; ask for it.
    Rollout(RolloutId),
}

/// What is odd about a record that was taken nevertheless, or why one was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FindingKind {
    /// Power above 1.35 times the rated power.
    PowerAboveRating = 1,
    /// Counter and power do not agree over a window.
    CounterAndPowerDisagree = 2,
    /// A time in the gateway's future.
    FutureTime = 3,
    /// A time before that of the reading before.
    TimeWentBack = 4,
    /// Two signed readings with one number.
    EquivocatingReading = 5,
    /// Two signed chain records with one index.
    EquivocatingChain = 6,
    /// A chain record that does not follow the one before it.
    BrokenChain = 7,
    /// A window that contradicts a signed reading.
    WindowContradictsReading = 8,
    /// Two windows over the same reading.
    OverlappingWindows = 9,
    /// `produced` fell.
    ProducedFell = 10,
    /// `produced` rose faster than the rated power allows.
    EnergyAboveRating = 11,
    /// A window that does not open where the one before it closed.
    EnergyTornApart = 12,
}

impl FindingKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::PowerAboveRating,
        Self::CounterAndPowerDisagree,
        Self::FutureTime,
        Self::TimeWentBack,
        Self::EquivocatingReading,
        Self::EquivocatingChain,
        Self::BrokenChain,
        Self::WindowContradictsReading,
        Self::OverlappingWindows,
        Self::ProducedFell,
        Self::EnergyAboveRating,
        Self::EnergyTornApart,
    ];

    /// Whether it is of two statements that cannot both be true: there is evidence of it. All others are
    /// of one that is hard to believe.
    #[must_use]
    pub const fn is_contradiction(self) -> bool {
        match self {
            Self::EquivocatingReading
            | Self::EquivocatingChain
            | Self::BrokenChain
            | Self::WindowContradictsReading
            | Self::OverlappingWindows
            | Self::ProducedFell
            | Self::EnergyTornApart => true,
            Self::PowerAboveRating
            | Self::CounterAndPowerDisagree
            | Self::FutureTime
            | Self::TimeWentBack
            | Self::EnergyAboveRating => false,
        }
    }

    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PowerAboveRating => "power-above-rating",
            Self::CounterAndPowerDisagree => "counter-and-power-disagree",
            Self::FutureTime => "future-time",
            Self::TimeWentBack => "time-went-back",
            Self::EquivocatingReading => "equivocating-reading",
            Self::EquivocatingChain => "equivocating-chain",
            Self::BrokenChain => "broken-chain",
            Self::WindowContradictsReading => "window-contradicts-reading",
            Self::OverlappingWindows => "overlapping-windows",
            Self::ProducedFell => "produced-fell",
            Self::EnergyAboveRating => "energy-above-rating",
            Self::EnergyTornApart => "energy-torn-apart",
        }
    }
}

/// A finding to be stored. One of a kind per installation and number is kept, the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFinding {
    /// Whose record.
    pub installation: InstallationId,
    /// What is odd.
    pub kind: FindingKind,
    /// The number of the reading, or the index of the chain record.
    pub number: u64,
    /// In words, with the values.
    pub detail: String,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its place; seek pagination goes by it.
    pub id: u64,
    /// When it was stored.
    pub at: Option<UtcMillis>,
    /// What was found.
    pub finding: NewFinding,
}

/// The findings of one kind about one installation, together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingSum {
    /// How many.
    pub count: u64,
    /// When the first of them was stored.
    pub since: Option<UtcMillis>,
    /// The newest.
    pub newest: NewFinding,
}

/// The evidence against one installation, together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvidenceSum {
    /// Against whom.
    pub installation: InstallationId,
    /// How many pieces, 100 at most.
    pub count: u64,
    /// When the first of those came.
    pub since: Option<UtcMillis>,
    /// What the newest of those is of.
    pub kind: FindingKind,
    /// The number of the reading, or the index of the chain record, that it is about.
    pub number: u64,
}

/// A payload with its signature; a reading that came in a window has none of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBytes {
    /// The canonical bytes.
    pub payload: Vec<u8>,
    /// The meter's signature over them.
    pub signature: Option<Signature>,
}

/// Two statements of one meter that cannot both be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Its place; seek pagination goes by it.
    pub id: u64,
    /// Whose.
    pub installation: InstallationId,
    /// The finding that belongs to it.
    pub kind: FindingKind,
    /// The number of the reading, or the index of the chain record.
    pub number: u64,
    /// When the second one came.
    pub at: Option<UtcMillis>,
    /// The one that was stored.
    pub stored: SignedBytes,
    /// For a reading that was stored as part of a window: that window's index.
    pub stored_in: Option<ChainIndex>,
    /// The one that was refused.
    pub refused: SignedBytes,
    /// Of a window that was refused: its readings as a `ww_wire::packed` block, if they came.
    pub refused_readings: Option<Vec<u8>>,
}

/// What the holder of an API key may do. The numbers are those in databases; they say nothing about rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Sees everything but keys and audit trail.
    Viewer = 1,
    /// Enrols and labels meters.
    Operator = 2,
    /// Manages keys.
    Admin = 3,
    /// Publishes firmware and rolls it out.
    Firmware = 4,
}

/// An API key to be stored: its hash only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the key.
    pub hash: Hash,
    /// When it ends.
    pub expires: Option<UtcMillis>,
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its number.
    pub id: KeyId,
    /// What was stored.
    pub key: NewApiKey,
    /// When it was made.
    pub created: Option<UtcMillis>,
    /// When it was withdrawn.
    pub revoked: Option<UtcMillis>,
}

/// So many sessions one API key has at one time; a further one takes the place of that which ends first.
pub const SESSIONS_PER_KEY: u32 = 100;

/// A browser's session to be stored: the hash of its token only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewApiSession {
    /// SHA-256 of the token.
    pub hash: Hash,
    /// The API key with which it was begun; it may do what that may, and ends with it.
    pub key: KeyId,
    /// When it ends by itself.
    pub expires: UtcMillis,
}

/// A session that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiSession {
    /// What was stored.
    pub session: NewApiSession,
    /// When it was begun.
    pub created: Option<UtcMillis>,
}

/// A line of the audit trail to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAudit {
    /// When.
    pub at: Option<UtcMillis>,
    /// Who: the name of an API key, `meter` and its id, or a command of the program.
    pub actor: String,
    /// What was done, such as `installation.approve`.
    pub action: String,
    /// To what, such as `installation 7`.
    pub subject: String,
    /// What else there is to know, as the actor gave it; no secret.
    pub detail: String,
}

/// A line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its place; seek pagination goes by it.
    pub id: u64,
    /// What was written.
    pub audit: NewAudit,
}

/// Which lines of the audit trail are asked for, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only what this actor did.
    pub actor: Option<String>,
    /// Only this action, and those that begin with it and a dot.
    pub action: Option<String>,
    /// Only where the subject contains this, letter by letter.
    pub subject: Option<String>,
    /// Only from this time on; lines of unknown time are left out.
    pub start: Option<UtcMillis>,
    /// Only up to this time; lines of unknown time are left out.
    pub end: Option<UtcMillis>,
    /// Only places below this one.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// A row of an older system's database. Never verified, and in no total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedReading {
    /// The old database's number of the reading.
    pub original_id: u64,
    /// The old database's number of the installation.
    pub original_installation: u64,
    /// Power as it stood there.
    pub power: Milliwatts,
    /// The counter as it stood there.
    pub total: MilliwattHours,
    /// The time as it stood there.
    pub time: UtcMillis,
    /// What stood there as signature.
    pub signature: String,
}
