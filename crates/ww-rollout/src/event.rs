//! What a call has changed: rows for a store, and what there is to tell people.

use core::fmt;

use ww_wire::MeterId;

use crate::course::{Course, HaltCause};
use crate::member::{Member, Standing};

/// What a call has changed. Rows that are not here are as they were; those that are belong together, and are
/// written all or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "what is not stored is lost with a restart"]
pub struct Changes {
    /// The rows of members, each as it is now.
    pub members: Vec<(MeterId, Member)>,
    /// The row of the rollout as it is now.
    pub course: Option<Course>,
    /// What happened, in its order: for the audit trail and the live stream.
    pub events: Vec<Event>,
}

impl Changes {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.course.is_none() && self.events.is_empty()
    }
}

/// Something that happened to a rollout. Waves are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A wave started.
    WaveStarted {
        /// Which.
        wave: u32,
        /// So many devices.
        size: u32,
    },
    /// Enough of a wave is confirmed.
    WaveSucceeded {
        /// Which.
        wave: u32,
        /// So many are confirmed.
        confirmed: u32,
        /// Of so many.
        size: u32,
    },
    /// All waves succeeded; devices that are not done have until their deadline.
    Finishing,
    /// Nobody is waited for any more.
    Completed,
    /// It halted.
    Halted(HaltCause),
    /// An operator paused it.
    Paused,
    /// An operator resumed it.
    Resumed,
    /// An operator ended it.
    Aborted,
    /// An operator withdrew the release.
    Withdrawn {
        /// Whether those who have it go back to the release before.
        reassigned: bool,
    },
    /// An operator told a member to try again.
    Retried(MeterId),
    /// What counts of a member is another than before.
    Member(MeterId, Standing),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WaveStarted { wave, size } => write!(f, "wave {wave} of {size} meters started"),
            Self::WaveSucceeded {
                wave,
                confirmed,
                size,
            } => write!(f, "wave {wave} succeeded: {confirmed} of {size} meters confirmed"),
            Self::Finishing => f.write_str("all waves succeeded; the last meters have until their deadline"),
            Self::Completed => f.write_str("completed"),
            Self::Halted(cause) => write!(f, "halted: {cause}"),
            Self::Paused => f.write_str("paused"),
            Self::Resumed => f.write_str("resumed"),
            Self::Aborted => f.write_str("aborted"),
            Self::Withdrawn { reassigned: true } => {
                f.write_str("withdrawn; meters that have the release go back to the one before")
            }
            Self::Withdrawn { reassigned: false } => f.write_str(
                "withdrawn; meters that have the release keep it, since there is none before it with so \
                 high a security counter",
            ),
            Self::Retried(meter) => write!(f, "meter {meter} is to try again"),
            Self::Member(meter, standing) => write!(f, "meter {meter}: {standing}"),
        }
    }
}
