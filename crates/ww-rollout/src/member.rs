//! What is known of one member, and what follows from it. It knows neither its wave nor the time.

use core::fmt;

use serde::{Deserialize, Serialize};
use ww_wire::{Boot, Hash, UpdateObstacle, UpdateOutcome, UpdateReport};

/// How far a device says it is with an update. The numbers are those with which a meter asks
/// (`ww_release::question::UpdateState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceState {
    /// It has what it should have, or knows of nothing else.
    Idle,
    /// It asks.
    Checking,
    /// It fetches into the slot that does not run.
    Fetching,
    /// It has all of it, verified, and waits to be told to start it.
    Staged,
    /// It runs the new payload, which has not passed its own examination.
    Trial,
    /// It runs the new payload for good.
    Confirmed,
    /// It runs the old payload again.
    RolledBack,
}

impl DeviceState {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Idle,
        Self::Checking,
        Self::Fetching,
        Self::Staged,
        Self::Trial,
        Self::Confirmed,
        Self::RolledBack,
    ];

    /// The state with this number, from 0 to 6.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Checking => "checking",
            Self::Fetching => "fetching",
            Self::Staged => "staged",
            Self::Trial => "trial",
            Self::Confirmed => "confirmed",
            Self::RolledBack => "rolled-back",
        }
    }
}

/// What a device says of itself when it asks; proven to be its own, but not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How far it is.
    pub state: DeviceState,
    /// Why it is not further.
    pub obstacle: UpdateObstacle,
    /// The release that it is at.
    pub release: Option<Hash>,
    /// Digest of the payload that runs.
    pub running: Hash,
    /// The security counter that holds.
    pub security_counter: u32,
    /// Bytes of the release that are fetched.
    pub done_bytes: u32,
    /// Bytes of it in all.
    pub total_bytes: u32,
}

/// How far a device last said it was with the release of its rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// How far it is.
    pub state: DeviceState,
    /// Why it is not further.
    #[serde(with = "obstacle")]
    pub obstacle: UpdateObstacle,
    /// Bytes of the release that are fetched.
    pub done_bytes: u32,
    /// Bytes of it in all.
    pub total_bytes: u32,
}

/// Why a device failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// It started the release and went back.
    RolledBack(#[serde(with = "obstacle")] UpdateObstacle),
    /// It never started the release.
    Refused(#[serde(with = "obstacle")] UpdateObstacle),
    /// Its Boot records name the release's payload, then another; it has not said why.
    Reverted,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RolledBack(obstacle) => write!(f, "rolled back ({})", obstacle.name()),
            Self::Refused(obstacle) => write!(f, "refused ({})", obstacle.name()),
            Self::Reverted => f.write_str("runs another payload again"),
        }
    }
}

/// What counts of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is decided, and its wave has not started.
    Waiting,
    /// Nothing is decided, and its deadline is ahead.
    Pending,
    /// It runs the release for good.
    Confirmed,
    /// It failed.
    Failed(Failure),
    /// Its deadline passed; it counts as failed until it is confirmed.
    Overdue {
        /// Whether it said anything about the release.
        heard: bool,
    },
}

impl Standing {
    /// Its name, for JSON and for filters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Failed(Failure::RolledBack(_)) => "rolled-back",
            Self::Failed(Failure::Refused(_)) => "refused",
            Self::Failed(Failure::Reverted) => "reverted",
            Self::Overdue { .. } => "overdue",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => fmt::Display::fmt(failure, f),
            Self::Overdue { heard: false } => f.write_str("silent past its deadline"),
            Self::Overdue { heard: true } => f.write_str("not done by its deadline"),
            other => f.write_str(other.name()),
        }
    }
}

/// A moment in the life of a meter by its own count: the boot, then milliseconds since it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Moment {
    boot: u32,
    uptime_ms: u64,
}

/// The newest report about the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    at: Moment,
    /// Absent when it is confirmed.
    failure: Option<Failure>,
}

/// The newest Boot record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Booted {
    boot: u32,
    /// Whether it names the payload of the release.
    ours: bool,
}

/// What is known of one member: the row that a store keeps, as opaque as it can be. In JSON, what is not
/// known is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    /// The newest word of the device when an operator told it to try again: nothing up to it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<Told>,
    #[serde(skip_serializing_if = "Option::is_none")]
    booted: Option<Booted>,
    /// The newest boot that named the release's payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    ours: Option<u32>,
    /// The boot of the release's payload in which the device asked as one that runs it for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    /// How many times an operator told it to try again.
    #[serde(skip_serializing_if = "is_zero")]
    retries: u32,
    /// Told to try again, and it has not begun yet.
    #[serde(skip_serializing_if = "is_false")]
    to_begin: bool,
    /// A deadline of its own, on the rollout's clock, since it was told to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_ms: Option<u64>,
    /// That deadline passed.
    #[serde(skip_serializing_if = "is_false")]
    expired: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference to such a function"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference to such a function"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// What follows from evidence alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Undecided,
    Confirmed,
    Failed(Failure),
}

impl Member {
    /// How far it last said it was.
    #[must_use]
    pub const fn progress(&self) -> Option<Progress> {
        self.progress
    }

    /// How many times an operator told it to try again.
    #[must_use]
    pub const fn retries(&self) -> u32 {
        self.retries
    }

    /// A failure that a report names counts from the boot of the report on; one that Boot records show,
    /// from the first boot of another payload; confirmation, from its own boot. The newest counts, of
    /// equals the failure.
    pub(crate) fn verdict(&self) -> Verdict {
        let (mut failed, mut confirmed) = (None, self.settled);
        if let Some(told) = self.told {
            match told.failure {
                Some(failure) => failed = Some((told.at.boot, failure)),
                None => confirmed = confirmed.max(Some(told.at.boot)),
            }
        }
        if let Some((boot, failure)) = failed
            && confirmed.is_none_or(|confirmed| boot >= confirmed)
        {
            return Verdict::Failed(failure);
        }
        let ran = confirmed.max(self.ours);
        let left = |ran| matches!(self.booted, Some(last) if !last.ours && last.boot > ran);
        if ran.is_some_and(left) {
            return Verdict::Failed(Failure::Reverted);
        }
        match confirmed {
            Some(_) => Verdict::Confirmed,
            None => Verdict::Undecided,
        }
    }

    /// When it counts as failed, on the rollout's clock, if that is another time than its wave's and has not
    /// come yet.
    pub(crate) fn waits_until(&self) -> Option<u64> {
        let waits = !self.expired && self.verdict() == Verdict::Undecided;
        self.deadline_ms.filter(|_| waits)
    }

    pub(crate) const fn may_try_again(&self) -> bool {
        self.to_begin
    }

    #[must_use]
    pub(crate) fn with_report(mut self, report: &UpdateReport) -> Self {
        let at = Moment {
            boot: report.boot.get(),
            uptime_ms: report.uptime.get(),
        };
        if Some(at) <= self.floor || self.told.is_some_and(|told| at <= told.at) {
            return self;
        }
        let failure = match report.outcome {
            UpdateOutcome::Confirmed => None,
            UpdateOutcome::RolledBack => Some(Failure::RolledBack(report.obstacle)),
            UpdateOutcome::Refused => Some(Failure::Refused(report.obstacle)),
        };
        self.told = Some(Told { at, failure });
        self
    }

    #[must_use]
    pub(crate) fn with_boot(mut self, record: &Boot, payload: Hash) -> Self {
        let (boot, ours) = (record.boot.get(), record.firmware == payload);
        if self.floor.is_some_and(|floor| boot <= floor.boot) {
            return self;
        }
        if ours {
            self.ours = self.ours.max(Some(boot));
        }
        if self.booted.is_none_or(|last| last.boot < boot) {
            self.booted = Some(Booted { boot, ours });
        }
        self
    }

    #[must_use]
    pub(crate) fn with_question(mut self, asked: &Asked, release: Hash, payload: Hash) -> Self {
        let (at_it, runs_it) = (asked.release == Some(release), asked.running == payload);
        if at_it || runs_it {
            self.progress = Some(Progress {
                state: asked.state,
                obstacle: asked.obstacle,
                done_bytes: asked.done_bytes,
                total_bytes: asked.total_bytes,
            });
        }
        let begun = matches!(
            asked.state,
            DeviceState::Fetching | DeviceState::Staged | DeviceState::Trial
        );
        if at_it && begun {
            self.to_begin = false;
        }
        let for_good = matches!(asked.state, DeviceState::Confirmed | DeviceState::Idle);
        if let Some(Booted { boot, ours: true }) = self.booted
            && runs_it
            && for_good
        {
            self.settled = self.settled.max(Some(boot));
        }
        self
    }

    /// Nothing that it said before counts any more; a Boot record that names the release's payload still
    /// does, if it is the newest.
    #[must_use]
    pub(crate) fn with_retry(self, deadline_ms: Option<u64>) -> Self {
        let told = self.told.map(|told| told.at);
        let runs_it = |last: &Booted| last.ours && told.is_none_or(|told| last.boot > told.boot);
        let kept = self.booted.filter(runs_it);
        let booted = self.booted.filter(|_| kept.is_none());
        let booted = booted.map(|last| Moment {
            boot: last.boot,
            uptime_ms: 0,
        });
        Self {
            floor: self.floor.max(told).max(booted),
            told: None,
            booted: kept,
            ours: kept.map(|last| last.boot),
            settled: None,
            progress: self.progress,
            retries: self.retries.saturating_add(1),
            to_begin: true,
            deadline_ms,
            expired: false,
        }
    }

    #[must_use]
    pub(crate) const fn with_deadline_passed(mut self) -> Self {
        self.expired = true;
        self
    }
}

/// An obstacle by its number.
mod obstacle {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use ww_wire::UpdateObstacle;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands a reference to such a function"
    )]
    pub(super) fn serialize<S: Serializer>(
        obstacle: &UpdateObstacle,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*obstacle as u8)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<UpdateObstacle, D::Error> {
        let number = u8::deserialize(deserializer)?;
        UpdateObstacle::numbered(number)
            .ok_or_else(|| D::Error::custom(format_args!("{number} is no obstacle")))
    }
}
