//! How far a rollout is: the one row of it that changes, and what it means to people.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::plan::{Percent, Prior};

/// What a rollout that is under way waits for. Times are on the rollout's clock, which stands still while
/// it is paused or halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// For enough of the newest wave to be confirmed.
    Running,
    /// For the newest wave, which succeeded, to show no failure for a while.
    Soaking {
        /// Until when, in milliseconds.
        until_ms: u64,
    },
    /// For the devices of any wave that are not done, until their deadlines.
    Finishing,
}

/// Whether a rollout is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is.
    Active,
    /// An operator has paused it.
    Paused,
    /// It has halted.
    Halted(HaltCause),
    /// Nobody is waited for any more.
    Completed,
    /// An operator has ended it.
    Aborted,
    /// An operator has withdrawn the release.
    Withdrawn {
        /// What those go back to who have it.
        prior: Option<Prior>,
    },
}

impl Status {
    /// Whether nothing can start it again.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        match self {
            Self::Active | Self::Paused | Self::Halted(_) => false,
            Self::Completed | Self::Aborted | Self::Withdrawn { .. } => true,
        }
    }
}

/// Why a rollout halted. Waves are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HaltCause {
    /// As many of a wave failed as the plan allows, or more.
    TooManyFailures {
        /// Which wave.
        wave: u32,
        /// So many failed.
        failed: u32,
        /// Of so many that count.
        of: u32,
        /// The share at which it halts.
        limit: Percent,
    },
    /// So many of a wave failed that not enough of it can be confirmed any more.
    OutOfReach {
        /// Which wave.
        wave: u32,
        /// So many failed.
        failed: u32,
        /// Of so many that count.
        of: u32,
        /// The share that must be confirmed.
        needed: Percent,
    },
    /// After a halt was overruled, nobody is left in a wave who could show that it succeeds.
    NobodyLeft {
        /// Which wave.
        wave: u32,
    },
}

impl fmt::Display for HaltCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyFailures {
                wave,
                failed,
                of,
                limit,
            } => write!(
                f,
                "{failed} of {of} meters of wave {wave} failed; the limit is {limit}"
            ),
            Self::OutOfReach {
                wave,
                failed,
                of,
                needed,
            } => write!(
                f,
                "{failed} of {of} meters of wave {wave} failed, so {needed} of it cannot be confirmed any more"
            ),
            Self::NobodyLeft { wave } => write!(
                f,
                "all meters of wave {wave} that were not confirmed have failed; tell some to retry, or abort"
            ),
        }
    }
}

/// What is stored of a wave that has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WaveCourse {
    /// When its devices are to be done, on the rollout's clock.
    pub(crate) deadline_ms: u64,
    /// That time came.
    pub(crate) expired: bool,
    /// So many failures count no more, since an operator resumed the rollout in spite of them.
    pub(crate) excused: u32,
}

/// The row of a rollout that changes as it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    pub(crate) status: Status,
    pub(crate) step: Step,
    /// When the status was entered, in milliseconds since the epoch.
    pub(crate) since_ms: u64,
    /// For how long the rollout's clock has stood still so far: what the time is ahead of it.
    pub(crate) stopped_ms: u64,
    /// The waves that have started.
    pub(crate) waves: Vec<WaveCourse>,
}

impl Course {
    /// Whether it is under way, and if not, why.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// What it waits for while it is under way, or waited for when it stopped.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// When its status became what it is, in milliseconds since the epoch.
    #[must_use]
    pub const fn since_ms(&self) -> u64 {
        self.since_ms
    }
}

/// Where a rollout is, for people. Waves are counted from 1; times are in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A wave updates itself.
    Running {
        /// Which.
        wave: u32,
    },
    /// A wave succeeded and is watched.
    Soaking {
        /// Which.
        wave: u32,
        /// Until when.
        until_ms: u64,
    },
    /// All waves succeeded; the last devices have until their deadline.
    Finishing,
    /// An operator has paused it.
    Paused,
    /// It has halted.
    Halted(HaltCause),
    /// Nobody is waited for any more.
    Completed,
    /// An operator has ended it.
    Aborted,
    /// An operator has withdrawn the release.
    Withdrawn {
        /// Whether those who have it go back to the release before.
        reassigned: bool,
    },
}

impl State {
    /// Its name, for JSON and for filters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running { .. } => "running",
            Self::Soaking { .. } => "soaking",
            Self::Finishing => "finishing",
            Self::Paused => "paused",
            Self::Halted(_) => "halted",
            Self::Completed => "completed",
            Self::Aborted => "aborted",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { wave } => write!(f, "wave {wave} updates itself"),
            Self::Soaking { wave, .. } => write!(f, "wave {wave} succeeded and is watched"),
            Self::Finishing => f.write_str("all waves succeeded; the last meters have until their deadline"),
            Self::Paused => f.write_str("paused by an operator"),
            Self::Halted(cause) => write!(f, "halted: {cause}"),
            Self::Completed => f.write_str("completed"),
            Self::Aborted => f.write_str("aborted by an operator"),
            Self::Withdrawn { reassigned: true } => {
                f.write_str("withdrawn; meters that have the release go back to the one before")
            }
            Self::Withdrawn { reassigned: false } => f.write_str(
                "withdrawn; meters that have the release keep it: publish one with a security counter at \
                 least as high",
            ),
        }
    }
}
