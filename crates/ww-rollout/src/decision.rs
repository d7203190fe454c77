//! What one meter is to do now, and why it is to wait.

use core::fmt;

use ww_wire::Hash;

use crate::course::HaltCause;
use crate::member::Failure;

/// Where a device asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Whether there is anything for it.
    Check,
    /// Whether it may start what it has fetched.
    Verify,
}

/// What a device is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Stay as it is.
    Hold(Why),
    /// Fetch this release into the other slot.
    Fetch(Hash),
    /// Start what it has fetched of this release.
    Arm(Hash),
}

/// Why a device is to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not in this rollout.
    NotAMember,
    /// An operator has paused the rollout.
    Paused,
    /// The rollout has halted.
    Halted(HaltCause),
    /// The rollout is over.
    Completed,
    /// An operator has ended the rollout.
    Aborted,
    /// The release was withdrawn, and the device has nothing to go back from or to.
    Withdrawn,
    /// The release was withdrawn, and the device takes none with a security counter as low as that of the
    /// release before.
    CounterTooLow,
    /// It has the release.
    Confirmed,
    /// It runs the release, and its own word for it is not here yet.
    RunsIt,
    /// It failed, and no operator has told it to try again.
    Failed(Failure),
    /// It says that it rolled back; its signed word is not here yet.
    SaysRolledBack,
    /// Its wave has not started.
    BeforeItsWave {
        /// Its wave, counted from 1.
        wave: u32,
    },
    /// It has nothing to start.
    NothingStaged,
    /// Its maintenance window is closed.
    WindowClosed {
        /// When it opens, in milliseconds since the epoch.
        opens_ms: u64,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAMember => f.write_str("it is not in this rollout"),
            Self::Paused => f.write_str("the rollout is paused"),
            Self::Halted(cause) => write!(f, "the rollout has halted: {cause}"),
            Self::Completed => f.write_str("the rollout is over"),
            Self::Aborted => f.write_str("the rollout was aborted"),
            Self::Withdrawn => f.write_str("the release was withdrawn"),
            Self::CounterTooLow => {
                f.write_str("its security counter is above that of the release before")
            }
            Self::Confirmed => f.write_str("it has the release"),
            Self::RunsIt => f.write_str("it runs the release and has not confirmed it yet"),
            Self::Failed(failure) => write!(f, "it {failure}; an operator may tell it to retry"),
            Self::SaysRolledBack => f.write_str("it says that it rolled back"),
            Self::BeforeItsWave { wave } => write!(f, "wave {wave} has not started"),
            Self::NothingStaged => f.write_str("it has nothing to start"),
            Self::WindowClosed { .. } => f.write_str("its maintenance window is closed"),
        }
    }
}
