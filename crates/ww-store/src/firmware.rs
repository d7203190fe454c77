//! What a gateway keeps for firmware: roots, releases and their objects, what each device asked last,
//! what devices reported, and rollouts. Bytes that others have signed or sealed are kept as they are: what
//! they mean, the gateway knows.

use ww_wire::{Boot, Hash, MeterId, Signature, UtcMillis};

use crate::{InstallationId, NewAudit};

/// Bytes of an object that are written in one transaction, and read at one time: what is larger goes in
/// pieces, so that a large release holds up no reading.
pub const OBJECT_PIECE_BYTES: usize = 256 << 10;

/// Reports that are kept of one meter; a further one takes the place of the oldest.
pub const FIRMWARE_REPORTS_KEPT: u32 = 200;

/// A root of firmware keys, as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareRoot {
    /// Its number.
    pub number: u32,
    /// Its bytes with the signatures.
    pub bytes: Vec<u8>,
    /// When it was added.
    pub added: Option<UtcMillis>,
    /// By whom.
    pub added_by: String,
}

/// A release that is to be published, with everything that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFirmwareRelease {
    /// By which everything names it.
    pub digest: Hash,
    /// SHA-256 of what runs once it is installed.
    pub payload: Hash,
    /// The root by which it was trusted.
    pub root_number: u32,
    /// Its bytes with the signatures.
    pub envelope: Vec<u8>,
    /// The keys of its objects as they came, which nobody can read without the fleet's: opaque.
    pub keys: Vec<u8>,
    /// Its objects and their lists: digest and content. One that is held already is not written again.
    pub objects: Vec<(Hash, Vec<u8>)>,
}

/// A release that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareRelease {
    /// Its place in the order of publication; seek pagination goes by it.
    pub id: u64,
    /// By which everything names it.
    pub digest: Hash,
    /// SHA-256 of what runs once it is installed.
    pub payload: Hash,
    /// The root by which it was trusted.
    pub root_number: u32,
    /// Its bytes with the signatures.
    pub envelope: Vec<u8>,
    /// The keys of its objects as they came.
    pub keys: Vec<u8>,
    /// When it was published.
    pub published: Option<UtcMillis>,
    /// By whom.
    pub published_by: String,
    /// Its withdrawal, if there was one.
    pub withdrawal: Option<Withdrawal>,
}

/// The end of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// When.
    pub at: Option<UtcMillis>,
    /// By whom.
    pub by: String,
}

/// A part of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRange {
    /// Bytes of the whole object.
    pub object_bytes: u64,
    /// The bytes asked for, as far as the object goes.
    pub content: Vec<u8>,
}

/// The newest question of a device and the server's part of its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceQuestion {
    /// Whose.
    pub installation: InstallationId,
    /// What made the question another than every one before.
    pub device_nonce: [u8; 16],
    /// The server's part.
    pub server_nonce: [u8; 16],
    /// The question as it came, with its proof.
    pub question: Vec<u8>,
    /// By which the questions before it are known again: opaque.
    pub earlier: Vec<u8>,
    /// When it came.
    pub asked: Option<UtcMillis>,
}

/// What is known of a meter in service and its firmware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareDevice {
    /// The number of the installation.
    pub installation: InstallationId,
    /// The meter.
    pub meter: MeterId,
    /// The name that people see.
    pub name: String,
    /// The site's time zone by its IANA name.
    pub time_zone: String,
    /// The newest Boot record: what it runs by its own signature.
    pub last_boot: Option<Boot>,
    /// Its newest question.
    pub question: Option<DeviceQuestion>,
}

/// What a device reported of an update, as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUpdateReport {
    /// The canonical bytes.
    pub payload: Vec<u8>,
    /// The meter's signature.
    pub signature: Signature,
    /// When it was stored.
    pub received: Option<UtcMillis>,
}

/// A rollout as the store counts them, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RolloutId(pub u32);

impl core::fmt::Display for RolloutId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether meters are told by a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RolloutStage {
    /// It goes on, or waits to: its meters are in no other one.
    Open = 0,
    /// It has ended, and its meters are still told by it until another one takes them.
    Telling = 1,
    /// It is over.
    Over = 2,
}

/// A rollout that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRollout {
    /// The digest of its release.
    pub release: Hash,
    /// What was asked for: opaque.
    pub plan: Vec<u8>,
    /// How far it is: opaque.
    pub course: Vec<u8>,
    /// What a list shows of it: opaque.
    pub summary: Vec<u8>,
    /// Its meters in their order, and how each is in it: opaque.
    pub members: Vec<(InstallationId, Vec<u8>)>,
}

/// A rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRollout {
    /// Its number.
    pub id: RolloutId,
    /// The digest of its release.
    pub release: Hash,
    /// What was asked for: opaque.
    pub plan: Vec<u8>,
    /// How far it is: opaque.
    pub course: Vec<u8>,
    /// What a list shows of it: opaque.
    pub summary: Vec<u8>,
    /// Whether meters are told by it.
    pub stage: RolloutStage,
    /// When it was begun.
    pub created: Option<UtcMillis>,
    /// By whom.
    pub created_by: String,
}

/// A meter of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutMember {
    /// Its place in the rollout, from 0.
    pub place: u32,
    /// The number of the installation.
    pub installation: InstallationId,
    /// How it is in it: opaque.
    pub body: Vec<u8>,
}

/// What happened to a rollout. What is not named is as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RolloutChange {
    /// How these meters are in it now.
    pub members: Vec<(InstallationId, Vec<u8>)>,
    /// How far it is now.
    pub course: Option<Vec<u8>>,
    /// What a list shows of it now.
    pub summary: Option<Vec<u8>>,
    /// Whether meters are told by it now.
    pub stage: Option<RolloutStage>,
    /// Lines of the audit trail.
    pub audit: Vec<NewAudit>,
    /// Whether live streams are told.
    pub is_told: bool,
}
