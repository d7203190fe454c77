//! An installation: a meter as the API shows it, with what was said of it. What it measured is
//! elsewhere.

use ww_wire::{
    Boot, ChainIndex, Enrolment, Hash, Label, Mac, MeterId, MilliwattHours, ProductionCounter,
    PublicKey, RecordType, Revocation, SensorModel, Sequence, Signature, StatusReport, UtcMillis,
    Watts,
};

use crate::InstallationId;

/// How far an installation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstallationState {
    /// It announced itself; no operator has enrolled it.
    Waiting,
    /// An operator has enrolled it: its readings are taken.
    Active,
    /// It is no longer trusted. What it signed before stays.
    Revoked,
}

impl core::fmt::Display for InstallationState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Revoked => "revoked",
        })
    }
}

/// What a meter that announces itself proposes of its sensor; an operator decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SensorProposal {
    /// The kind of sensor.
    pub model: Option<SensorModel>,
    /// Its MAC address.
    pub mac: Option<Mac>,
    /// Its channel.
    pub channel: Option<u8>,
    /// Which counter counts production.
    pub production_counter: Option<ProductionCounter>,
    /// Rated power of the plant behind it.
    pub rated_power: Option<Watts>,
}

/// A meter that makes itself known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The name it proposes.
    pub name: String,
    /// Its public key.
    pub public_key: PublicKey,
    /// The site's time zone that it proposes; UTC for none.
    pub time_zone: Option<String>,
    /// What it proposes of its sensor.
    pub sensor: SensorProposal,
    /// The sensor's answer as the meter sent it, uninterpreted; empty for none.
    pub shelly_payload: Vec<u8>,
    /// When it says that it started.
    pub boot_time: Option<UtcMillis>,
}

/// What became of an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announced {
    /// A new installation waits for approval.
    New {
        /// It.
        installation: Installation,
        /// The meter that had waited longest and was forgotten to make room.
        forgotten: Option<MeterId>,
    },
    /// The key is known already. Nothing was changed.
    Known(Installation),
    /// As many installations wait as may, and none of them for a day; this one was not taken.
    TooManyWaiting,
}

/// The newest reading by number, whatever its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastReading {
    /// Its number.
    pub sequence: Sequence,
    /// Its time.
    pub time: Option<UtcMillis>,
    /// `produced` then.
    pub produced: MilliwattHours,
}

/// Where the chain of a meter ends, which a Replacement has to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// The record with the highest index.
    pub index: ChainIndex,
    /// Its digest.
    pub digest: Hash,
    /// `produced` there: at the close of the last window, or of what the last Gap gave up.
    pub produced: MilliwattHours,
    /// The last reading that a window or a Gap up to there covers.
    pub last_sequence: Option<Sequence>,
}

/// One installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Its number.
    pub id: InstallationId,
    /// Its meter.
    pub meter: MeterId,
    /// The meter's public key; never changed.
    pub public_key: PublicKey,
    /// The label's name, or the one announced.
    pub name: String,
    /// The site's time zone by its IANA name; `UTC` until a label says otherwise.
    pub time_zone: String,
    /// How far it has come.
    pub state: InstallationState,
    /// When it was announced or enrolled first; `None` if the gateway did not know the time. One that
    /// waits is then dated by the first look at a full list, to know how long it waits.
    pub created: Option<UtcMillis>,
    /// What the meter proposed when it announced itself.
    pub sensor: SensorProposal,
    /// The sensor's answer at the announcement.
    pub shelly_payload: Vec<u8>,
    /// When the meter said it started, at the announcement.
    pub announced_boot_time: Option<UtcMillis>,
    /// The enrolment that the operator has signed last.
    pub enrolment: Option<Enrolment>,
    /// Its digest.
    pub enrolment_digest: Option<Hash>,
    /// Whether the meter has accepted it.
    pub enrolment_accepted: bool,
    /// The newest label.
    pub label: Option<Label>,
    /// The revocation, if there is one.
    pub revocation: Option<Revocation>,
    /// The installation that this one follows at the same place.
    pub replaces: Option<InstallationId>,
    /// The installation that follows this one.
    pub replaced_by: Option<InstallationId>,
    /// The newest Boot record.
    pub last_boot: Option<Boot>,
    /// The newest status report.
    pub status: Option<StatusReport>,
    /// When anything new of this meter was stored last.
    pub last_seen: Option<UtcMillis>,
    /// The newest reading by number.
    pub last_reading: Option<LastReading>,
    /// The chain record expected next: all before it are durable, or covered by a Gap.
    pub next_index: ChainIndex,
}

/// An enrolment as it is kept for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEnrolment {
    /// What was signed.
    pub enrolment: Enrolment,
    /// The operator's signature.
    pub operator_signature: Signature,
    /// The meter's signature in the domain `enrolment-acceptance`.
    pub acceptance: Option<Signature>,
    /// When it was stored.
    pub received: Option<UtcMillis>,
}

/// A status report as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredReport {
    /// What was signed.
    pub report: StatusReport,
    /// When it was stored.
    pub received: Option<UtcMillis>,
}

/// A Label, Correction, Revocation or Replacement as it is kept for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStatement {
    /// Which of them.
    pub record_type: RecordType,
    /// The canonical bytes.
    pub payload: Vec<u8>,
    /// The signature of whom the payload names as signer.
    pub signature: Signature,
    /// When it was stored.
    pub received: Option<UtcMillis>,
}
