//! A rollout as it is stored, whole or in rows. What follows from the rows is not stored with them.

use serde::{Deserialize, Serialize};
use ww_wire::MeterId;

use crate::course::Course;
use crate::member::Member;
use crate::plan::{Plan, PlanError};
use crate::rollout::Rollout;

/// Everything of a rollout: the plan, the order of its members, how far it is, and what is known of those
/// members of whom anything is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    plan: Plan,
    #[serde(with = "crate::hex::list")]
    members: Vec<MeterId>,
    course: Course,
    /// The place of a member in their order, and its row.
    rows: Vec<(u32, Member)>,
}

/// Why rows are not those of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The plan cannot be carried out for these members.
    #[error("the plan does not fit its members")]
    Plan(#[from] PlanError),
    /// More waves have started than there are, or none.
    #[error("{started} of {planned} waves have started")]
    Waves {
        /// So many have started.
        started: usize,
        /// So many there are.
        planned: usize,
    },
    /// More failures of a wave are excused than it has.
    #[error("wave {wave} excuses {excused} failures, but has {failed}")]
    Excused {
        /// The wave, counted from 1.
        wave: usize,
        /// So many are excused.
        excused: u32,
        /// So many there are.
        failed: u32,
    },
    /// A row of a meter that is not a member.
    #[error("there is a row of meter {0}, which is not a member")]
    NotAMember(MeterId),
    /// A row at a place behind the last member.
    #[error("there is a row at place {0}, behind the last member")]
    NoSuchPlace(u32),
}

impl Rollout {
    /// Everything of it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let rows = (0..).zip(self.meters()).filter_map(|(place, meter)| {
            let row = self.row(*meter).filter(|row| *row != Member::default())?;
            Some((place, row))
        });
        Snapshot {
            plan: self.plan().clone(),
            members: self.meters().to_vec(),
            course: self.course().clone(),
            rows: rows.collect(),
        }
    }

    /// A rollout from its rows, as a store kept them: the newest of each.
    ///
    /// # Errors
    /// Any [`LoadError`] but [`LoadError::NoSuchPlace`].
    pub fn from_rows(
        plan: Plan,
        members: Vec<MeterId>,
        course: Course,
        rows: impl IntoIterator<Item = (MeterId, Member)>,
    ) -> Result<Self, LoadError> {
        let mut rollout = Self::with_course(plan, members, course)?;
        let (started, planned) = (rollout.course().waves.len(), rollout.waves().count());
        if started == 0 || started > planned {
            return Err(LoadError::Waves { started, planned });
        }
        for (meter, row) in rows {
            if !rollout.load(meter, row) {
                return Err(LoadError::NotAMember(meter));
            }
        }
        let excused = rollout
            .waves()
            .find(|wave| wave.excused > wave.failed + wave.overdue);
        match excused {
            None => Ok(rollout),
            Some(wave) => Err(LoadError::Excused {
                wave: wave.number as usize,
                excused: wave.excused,
                failed: wave.failed + wave.overdue,
            }),
        }
    }
}

impl TryFrom<Snapshot> for Rollout {
    type Error = LoadError;

    fn try_from(snapshot: Snapshot) -> Result<Self, LoadError> {
        let members = &snapshot.members;
        let rows = snapshot.rows.iter().map(|(place, row)| {
            let meter = members.get(*place as usize);
            let meter = meter.ok_or(LoadError::NoSuchPlace(*place))?;
            Ok((*meter, *row))
        });
        let rows: Vec<_> = rows.collect::<Result<_, LoadError>>()?;
        Self::from_rows(snapshot.plan, snapshot.members, snapshot.course, rows)
    }
}
