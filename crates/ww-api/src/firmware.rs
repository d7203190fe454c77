//! Firmware as people see it: who may sign it, what was published, how it is rolled out, and how far
//! each meter is. What devices are told is CBOR and stands in docs/FIRMWARE.md.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A root: which keys may sign firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirmwareRoot {
    /// Its number; each root follows the one whose number is one less.
    #[schema(example = 1)]
    pub number: u32,
    /// How releases are signed and encrypted: `es256-aes256ctr` or `rsa2048-aes256cbc`.
    #[schema(example = "es256-aes256ctr")]
    pub suite: String,
    /// Who signs roots.
    pub root: FirmwareRole,
    /// Who signs releases.
    pub release: FirmwareRole,
    /// Who signs assignments.
    pub assignment: FirmwareRole,
    /// Whether this gateway's own assignment key is among those.
    pub assigned_here: bool,
    /// When it was added; ISO 8601 in UTC without a zone. Null when the gateway did not know the time.
    #[schema(required)]
    pub added_at: Option<String>,
    /// By whom: the name of a key.
    #[schema(example = "firmware desk")]
    pub added_by: String,
}

/// A role in a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirmwareRole {
    /// How many of its keys have to sign.
    #[schema(example = 2)]
    pub threshold: u8,
    /// SHA-256 of each key, hex, in ascending order of the keys.
    pub keys: Vec<String>,
}

/// Whether a release may be rolled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirmwareReleaseState {
    /// It may.
    Published,
    /// It may not any more; no device is told to fetch or to start it.
    Withdrawn,
}

/// A release that was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirmwareRelease {
    /// SHA-256 of its manifest, hex, by which everything names it.
    pub digest: String,
    /// How people call it.
    #[schema(example = "1.4.0")]
    pub version: String,
    /// On which hardware it runs: a UUID.
    #[schema(example = "6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7f")]
    pub hardware_class: String,
    /// Never below that of what a device has confirmed.
    #[schema(example = 7)]
    pub security_counter: u32,
    /// `es256-aes256ctr` or `rsa2048-aes256cbc`.
    #[schema(example = "es256-aes256ctr")]
    pub suite: String,
    /// SHA-256 of the payload, hex: what a meter's signed Boot record names once it runs.
    pub payload_digest: String,
    /// Bytes of the image.
    #[schema(example = 561_152)]
    pub image_bytes: u32,
    /// Bytes of its configuration; 0 for none.
    #[schema(example = 0)]
    pub config_bytes: u32,
    /// Bytes of the layout of the flash that it needs; 0 for none.
    #[schema(example = 0)]
    pub layout_bytes: u32,
    /// SHA-256 of the keys that signed it, hex.
    pub signers: Vec<String>,
    /// The number of the root by which it was trusted when it was published.
    #[schema(example = 1)]
    pub root_number: u32,
    /// Whether it may be rolled out.
    pub state: FirmwareReleaseState,
    /// When it was published; ISO 8601 in UTC without a zone. Null when the gateway did not know the time.
    #[schema(required)]
    pub published_at: Option<String>,
    /// By whom: the name of a key.
    #[schema(example = "firmware desk")]
    pub published_by: String,
    /// When it was withdrawn; null when it was not, or the gateway did not know the time.
    #[schema(required)]
    pub withdrawn_at: Option<String>,
    /// By whom; null when it was not withdrawn.
    #[schema(required)]
    pub withdrawn_by: Option<String>,
    /// Meters in service whose newest signed Boot record names its payload.
    #[schema(value_type = i64, example = 12)]
    pub installed: u64,
    /// The ways in which it travels: the whole first.
    pub encodings: Vec<FirmwareEncoding>,
}

/// One way in which a release travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirmwareEncoding {
    /// SHA-256 of the payload from which the delta starts, hex; null for the whole.
    #[schema(required)]
    pub base: Option<String>,
    /// The version of the published release with that payload; null when there is none.
    #[schema(required, example = "1.3.0")]
    pub base_version: Option<String>,
    /// Bytes before encryption.
    #[schema(example = 561_152)]
    pub plain_bytes: u32,
    /// Bytes that travel, without the list of digests.
    #[schema(example = 561_152)]
    pub object_bytes: u32,
    /// SHA-256 of the ciphertext, hex: `GET /ota/object/{digest}`.
    pub object: String,
    /// SHA-256 of the list of its sectors' digests, hex.
    pub list: String,
}

/// Which meters a rollout is for: those that fit everything that is said. At least one thing is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutGroup {
    /// Names of installations, as their Labels have them; with a `*` at the end, all that begin so. Up to 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// The release's hardware class, said again: all meters that have said it is theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_class: Option<String>,
    /// Ids of meters, hex. Up to 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meters: Option<Vec<String>>,
}

/// How many meters a wave takes, at most as many as the waves before it have left: one of the two is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutWaveSize {
    /// So many of a hundred of the whole group, rounded up; 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub percent: Option<u8>,
    /// So many; at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub count: Option<u32>,
}

/// When meters may start a release, in their own local time. It may go past midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceWindow {
    /// From this time of the day on, `HH:MM`.
    #[schema(example = "22:00")]
    pub from: String,
    /// Up to this one, `HH:MM`; not the same.
    #[schema(example = "05:00")]
    pub to: String,
}

/// What `POST /api/v1/firmware/rollouts` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRollout {
    /// The digest of a published release, hex.
    pub release: String,
    /// How people call it; 1 to 64 characters.
    #[schema(example = "1.4.0 to the south roof")]
    pub name: String,
    /// Which meters.
    pub group: RolloutGroup,
    /// Its waves, 1 to 32. Together they take every meter: the last one may say 100 percent.
    pub waves: Vec<RolloutWaveSize>,
    /// At least so many of a hundred of a wave have to run the release before the next wave begins; 1 to 100.
    #[schema(minimum = 1, maximum = 100, example = 95)]
    pub success_percent: u8,
    /// When at least so many of a hundred of a wave have failed, the rollout halts; 1 to 100.
    #[schema(minimum = 1, maximum = 100, example = 5)]
    pub error_percent: u8,
    /// It does not halt for fewer failures of a wave than this.
    #[serde(default = "one")]
    #[schema(minimum = 1, example = 1)]
    pub error_minimum: u32,
    /// How long a wave that has succeeded is watched before the next one begins.
    #[schema(example = 3600)]
    pub soak_seconds: u32,
    /// How long a meter may take from the start of its wave; a silent one has failed then. With a window a day
    /// or more.
    #[schema(minimum = 1, example = 86400)]
    pub deadline_seconds: u32,
    /// When meters may start the release; at any time when there is none.
    #[serde(default)]
    pub window: Option<MaintenanceWindow>,
}

const fn one() -> u32 {
    1
}

/// How a rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// A wave updates itself.
    Running,
    /// A wave has succeeded and is watched.
    Soaking,
    /// All waves have succeeded; the last meters have until their deadline.
    Finishing,
    /// Somebody said to wait; meters that have fetched wait too.
    Paused,
    /// It has stopped itself: too many meters have failed. It can be resumed or aborted.
    Halted,
    /// Nobody is waited for any more.
    Completed,
    /// Somebody ended it. What has not started the release does not.
    Aborted,
    /// The release was withdrawn. Meters that have it go back to the one before, if its security counter
    /// allows that.
    Withdrawn,
}

/// How a wave is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutWaveState {
    /// It has not begun.
    Waiting,
    /// Its meters update.
    Running,
    /// Enough have, and are watched.
    Soaking,
    /// It is over and well.
    Passed,
    /// It was under way when the rollout was paused, halted or was ended.
    Stopped,
}

/// How many meters of a rollout or a wave are how far. Together they are all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutCounts {
    /// Their wave has not begun, or they have not asked since.
    pub waiting: u32,
    /// They fetch.
    pub fetching: u32,
    /// They have all of it and have not started it.
    pub staged: u32,
    /// They run it and have not passed their own examination.
    pub trial: u32,
    /// They run it: a signed record says so.
    pub updated: u32,
    /// They run another release again, or said that they cannot, or were silent past the deadline.
    pub failed: u32,
}

/// A wave of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutWave {
    /// Its number, from 1.
    #[schema(example = 1)]
    pub number: u32,
    /// Meters of it, without those of the waves before it.
    #[schema(example = 5)]
    pub meters: u32,
    /// How it is.
    pub state: RolloutWaveState,
    /// How its meters are.
    pub counts: RolloutCounts,
    /// While it is under way: when its meters are to be done; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub deadline_at: Option<String>,
    /// While it soaks: until when; ISO 8601 in UTC without a zone.
    #[schema(required)]
    pub soaks_until: Option<String>,
}

/// A rollout as a list shows it, and as the live stream tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rollout {
    /// Its number.
    #[schema(example = 1)]
    pub id: u32,
    /// How people call it.
    pub name: String,
    /// The release's digest, hex.
    pub release: String,
    /// The release's version.
    #[schema(example = "1.4.0")]
    pub version: String,
    /// How it is.
    pub state: RolloutState,
    /// Why it is as it is, in words.
    #[schema(example = "wave 2 updates itself")]
    pub reason: String,
    /// The number of the wave that is under way, or was last, from 1.
    #[schema(example = 2)]
    pub wave: u32,
    /// How many waves it has.
    #[schema(example = 3)]
    pub waves_in_all: u32,
    /// Meters in all waves together.
    #[schema(example = 100)]
    pub meters: u32,
    /// How they are.
    pub counts: RolloutCounts,
    /// When it was begun; ISO 8601 in UTC without a zone. Null when the gateway did not know the time.
    #[schema(required)]
    pub created_at: Option<String>,
    /// By whom: the name of a key.
    #[schema(example = "firmware desk")]
    pub created_by: String,
    /// When something about it changed last.
    #[schema(required)]
    pub changed_at: Option<String>,
}

/// A rollout with its plan, its waves and who did what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RolloutDetail {
    /// The rollout as a list shows it.
    #[serde(flatten)]
    pub rollout: Rollout,
    /// What was asked for.
    pub plan: NewRollout,
    /// Its waves, all of them to which meters are left.
    pub waves: Vec<RolloutWave>,
    /// What was done to it and what it decided, newest first; at most 100.
    pub steps: Vec<RolloutStep>,
}

/// Something that was done to a rollout, or that it decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutStep {
    /// When; ISO 8601 in UTC without a zone. Null when the gateway did not know the time.
    #[schema(required)]
    pub time: Option<String>,
    /// Who: the name of a key, or `gateway`.
    pub actor: String,
    /// What, as in the audit trail.
    #[schema(example = "rollout.pause")]
    pub action: String,
    /// With what.
    pub detail: String,
}

/// How far a meter is with an update, by its own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateState {
    /// It has what it should have.
    Idle,
    /// It asks.
    Checking,
    /// It fetches.
    Fetching,
    /// It has all of it and waits to be told to start it.
    Staged,
    /// It runs the new image, which has not passed its own examination.
    Trial,
    /// It runs the new image for good.
    Confirmed,
    /// It runs the old image again.
    RolledBack,
}

/// How a meter of a rollout is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutDeviceState {
    /// Its wave has not begun, or it has not asked since.
    Waiting,
    /// It fetches.
    Fetching,
    /// It has all of it and has not started it.
    Staged,
    /// It runs it and has not passed its own examination.
    Trial,
    /// It runs it: a signed record says so.
    Updated,
    /// It runs another release again, or said that it cannot, or was silent past the deadline.
    Failed,
}

/// A meter of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RolloutDevice {
    /// How the meter is with its firmware.
    #[serde(flatten)]
    pub device: FirmwareDevice,
    /// The number of its wave, from 1.
    #[schema(example = 1)]
    pub wave: u32,
    /// How it is in the rollout.
    pub rollout_state: RolloutDeviceState,
    /// Why it has failed, in words; null when it has not.
    #[schema(required)]
    pub failure: Option<String>,
}

/// How a meter is with its firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirmwareDevice {
    /// Number of the installation.
    #[schema(value_type = i64, example = 1)]
    pub installation_id: u32,
    /// SHA-256 of the public key, hex.
    pub meter_id: String,
    /// The name that people see.
    pub name: String,
    /// What it runs as its newest signed Boot record says: SHA-256 of the payload, hex; null before the first.
    #[schema(required)]
    pub running_digest: Option<String>,
    /// The version that this record says; null before the first.
    #[schema(required, example = "1.3.0")]
    pub running_version: Option<String>,
    /// The published release with that payload, hex; null when there is none.
    #[schema(required)]
    pub running_release: Option<String>,
    /// Its hardware by its own word, a UUID; null before its first question.
    #[schema(required)]
    pub hardware_class: Option<String>,
    /// The security counter that holds for it; null before its first question.
    #[schema(required, example = 7)]
    pub security_counter: Option<u32>,
    /// The root that it trusts; null before its first question.
    #[schema(required, example = 1)]
    pub root_number: Option<u32>,
    /// How far it is by its own word; null before its first question.
    #[schema(required)]
    pub state: Option<UpdateState>,
    /// Why it is not further, such as `paused` or `bad-sector`; null when nothing is in its way.
    #[schema(required, example = "paused")]
    pub obstacle: Option<String>,
    /// The release that it is at, hex; null when it is at none.
    #[schema(required)]
    pub release: Option<String>,
    /// That release's version; null when it is not published here.
    #[schema(required, example = "1.4.0")]
    pub version: Option<String>,
    /// Bytes of it that are fetched.
    #[schema(example = 131_072)]
    pub done_bytes: u32,
    /// Bytes of it in all; 0 while it is at none.
    #[schema(example = 561_152)]
    pub total_bytes: u32,
    /// When it asked last; ISO 8601 in UTC without a zone. Null before its first question, and when the gateway
    /// did not know the time.
    #[schema(required)]
    pub asked_at: Option<String>,
    /// The rollout that it is in and that is not over; null for none.
    #[schema(required, example = 1)]
    pub rollout_id: Option<u32>,
}

/// A meter with what it reported of its updates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FirmwareDeviceDetail {
    /// How it is.
    #[serde(flatten)]
    pub device: FirmwareDevice,
    /// What it reported, newest first; at most 100.
    pub reports: Vec<FirmwareReport>,
}

/// How an update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateOutcome {
    /// The new image runs and passed its own examination.
    Confirmed,
    /// The new image was started, and the old one runs again.
    RolledBack,
    /// The new image was never started, whether or not it was fetched.
    Refused,
}

/// What a meter reported of an update, as it signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirmwareReport {
    /// When the gateway stored it; ISO 8601 in UTC without a zone. Null when it did not know the time.
    #[schema(required)]
    pub received_at: Option<String>,
    /// When the meter made it, Unix seconds; null when the meter did not know the time.
    #[schema(required, example = 1_750_352_712)]
    pub timestamp: Option<i64>,
    /// How the update ended.
    pub outcome: UpdateOutcome,
    /// What was in its way, such as `sensor` or `crashes`; null when it is confirmed.
    #[schema(required, example = "sensor")]
    pub obstacle: Option<String>,
    /// The release that it is about, hex.
    pub release: String,
    /// Its version; null when it is not published here.
    #[schema(required, example = "1.4.0")]
    pub version: Option<String>,
    /// SHA-256 of the payload that ran when it was made, hex.
    pub running_digest: String,
    /// The security counter that held then.
    #[schema(example = 7)]
    pub security_counter: u32,
    /// The boot in which it was made.
    #[schema(example = 3)]
    pub boot: u32,
    /// The signed bytes, hex.
    pub record: String,
    /// The meter's signature over them, r then s, hex.
    pub signature: String,
}
