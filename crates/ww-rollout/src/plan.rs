//! What an operator decides before a rollout starts. Nothing here changes once it runs.

use core::fmt;

use serde::{Deserialize, Serialize};
use ww_wire::{Hash, MeterId};

/// The most members of one rollout.
pub const MAX_MEMBERS: usize = 1_000_000;

/// The most waves of one rollout.
pub const MAX_WAVES: usize = 32;

/// The longest soak time or deadline: 366 days.
pub const MAX_DURATION_MS: u64 = 366 * DAY_MS;

const DAY_MS: u64 = 86_400_000;
const MINUTE_MS: u64 = 60_000;
const DAY_MINUTES: u16 = 1440;

/// Sixteen random bytes that name a rollout, drawn by who makes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RolloutId(#[serde(with = "crate::hex")] pub [u8; 16]);

impl fmt::Display for RolloutId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RolloutId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A share from 1 % to 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub struct Percent(u8);

impl Percent {
    /// Makes a share; `None` unless it is from 1 to 100.
    #[must_use]
    pub const fn new(percent: u8) -> Option<Self> {
        match percent {
            1..=100 => Some(Self(percent)),
            _ => None,
        }
    }

    /// The share in percent.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// So many of `whole`, rounded up.
    #[must_use]
    pub const fn of_rounded_up(self, whole: u64) -> u64 {
        // In 128 bits the product cannot overflow, and the quotient is at most `whole`.
        (whole as u128 * self.0 as u128).div_ceil(100) as u64
    }

    /// Whether `part` is at least this share of `whole`.
    #[must_use]
    pub const fn is_reached(self, part: u64, whole: u64) -> bool {
        part as u128 * 100 >= whole as u128 * self.0 as u128
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = &'static str;

    fn try_from(percent: u8) -> Result<Self, Self::Error> {
        Self::new(percent).ok_or("a share is from 1 to 100 percent")
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

/// How many devices a wave takes, at most as many as are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaveSize {
    /// So many.
    Count(u32),
    /// A share of all members, rounded up.
    Percent(Percent),
}

/// When devices may start a new image: minutes of their site's day, from `from_minute` up to and
/// without `to_minute`. It crosses midnight when it ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first minute, from 0 to 1439.
    pub from_minute: u16,
    /// The first minute that is outside again, from 0 to 1439.
    pub to_minute: u16,
}

impl Window {
    /// Whether it is open at a site that is so many seconds ahead of UTC.
    #[must_use]
    pub fn is_open(self, now_ms: u64, utc_offset_s: i32) -> bool {
        self.since_opening_ms(now_ms, utc_offset_s) < self.length_ms()
    }

    /// When it opens next; now, if it is open. In milliseconds since the epoch; a change of the site's
    /// offset until then is not foreseen.
    #[must_use]
    pub fn opens_ms(self, now_ms: u64, utc_offset_s: i32) -> u64 {
        if self.is_open(now_ms, utc_offset_s) {
            return now_ms;
        }
        let left = DAY_MS - self.since_opening_ms(now_ms, utc_offset_s);
        now_ms.saturating_add(left)
    }

    fn since_opening_ms(self, now_ms: u64, utc_offset_s: i32) -> u64 {
        let local = i128::from(now_ms) + i128::from(utc_offset_s) * 1000;
        let from = i128::from(u64::from(self.from_minute) * MINUTE_MS);
        let since = (local - from).rem_euclid(i128::from(DAY_MS));
        u64::try_from(since).expect("a remainder of a day's milliseconds")
    }

    fn length_ms(self) -> u64 {
        let (from, to) = (u64::from(self.from_minute), u64::from(self.to_minute));
        let day = u64::from(DAY_MINUTES);
        (to + day - from) % day * MINUTE_MS
    }
}

/// A release that those go back to who have a withdrawn one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prior {
    /// Digest of the release.
    #[serde(with = "crate::hex")]
    pub release: Hash,
    /// Digest of the payload that it installs.
    #[serde(with = "crate::hex")]
    pub payload: Hash,
    /// Its security counter.
    pub security_counter: u32,
}

/// What is rolled out, how far at a time, and when to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which rollout this is.
    pub id: RolloutId,
    /// Digest of the release.
    #[serde(with = "crate::hex")]
    pub release: Hash,
    /// Digest of the payload that it installs.
    #[serde(with = "crate::hex")]
    pub payload: Hash,
    /// Its security counter.
    pub security_counter: u32,
    /// The waves in their order; together they take every member.
    pub waves: Vec<WaveSize>,
    /// How much of a wave must be confirmed before the next may start.
    pub success_percent: Percent,
    /// How much of a wave has failed when the rollout halts.
    pub error_percent: Percent,
    /// How many of a wave have failed, at the least, when the rollout halts; 0 is taken as 1.
    pub error_minimum: u32,
    /// How long a wave that succeeded is watched before the next starts, in milliseconds.
    pub soak_ms: u64,
    /// How long a device has from the start of its wave, in milliseconds; with a window a day or more.
    pub deadline_ms: u64,
    /// When devices may start the new image; at any time when absent.
    pub window: Option<Window>,
}

impl Plan {
    /// Where each wave ends in the order of `members` members. A wave to which none is left is left out.
    ///
    /// # Errors
    /// Any [`PlanError`] but [`PlanError::MemberTwice`].
    pub fn wave_ends(&self, members: usize) -> Result<Vec<u32>, PlanError> {
        self.check()?;
        if members == 0 {
            return Err(PlanError::NoMembers);
        }
        if members > MAX_MEMBERS {
            return Err(PlanError::TooManyMembers(members));
        }
        let all = u32::try_from(members).expect("there are no more than a million");
        let (mut end, mut ends) = (0, Vec::new());
        for size in &self.waves {
            let size = match *size {
                WaveSize::Count(count) => count,
                WaveSize::Percent(percent) => u32::try_from(percent.of_rounded_up(all.into()))
                    .expect("a share is no more than the whole"),
            };
            let size = size.min(all - end);
            if size > 0 {
                end += size;
                ends.push(end);
            }
        }
        if end < all {
            return Err(PlanError::LeftOut(all - end));
        }
        Ok(ends)
    }

    fn check(&self) -> Result<(), PlanError> {
        if self.waves.is_empty() {
            return Err(PlanError::NoWaves);
        }
        if self.waves.len() > MAX_WAVES {
            return Err(PlanError::TooManyWaves(self.waves.len()));
        }
        if self.waves.contains(&WaveSize::Count(0)) {
            return Err(PlanError::EmptyWave);
        }
        if self.soak_ms > MAX_DURATION_MS || self.deadline_ms > MAX_DURATION_MS {
            return Err(PlanError::TooLong);
        }
        if self.deadline_ms == 0 {
            return Err(PlanError::NoTime);
        }
        let Some(window) = self.window else {
            return Ok(());
        };
        if window.from_minute >= DAY_MINUTES || window.to_minute >= DAY_MINUTES {
            return Err(PlanError::NoSuchMinute);
        }
        if window.from_minute == window.to_minute {
            return Err(PlanError::EmptyWindow);
        }
        if self.deadline_ms < DAY_MS {
            return Err(PlanError::DeadlineBeforeWindow);
        }
        Ok(())
    }
}

/// Why a plan cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The group is empty.
    #[error("the group has no meters")]
    NoMembers,
    /// The group is too large for one rollout.
    #[error("a rollout has at most {MAX_MEMBERS} meters, this one {0}")]
    TooManyMembers(usize),
    /// A meter is named twice.
    #[error("meter {0} is named twice")]
    MemberTwice(MeterId),
    /// There is no wave.
    #[error("a rollout has at least one wave")]
    NoWaves,
    /// There are too many waves.
    #[error("a rollout has at most {MAX_WAVES} waves, this one {0}")]
    TooManyWaves(usize),
    /// A wave takes no device.
    #[error("a wave takes at least one device")]
    EmptyWave,
    /// The waves do not take all.
    #[error("the waves leave {0} meters out: let the last take 100 %, or choose a smaller group")]
    LeftOut(u32),
    /// The soak time or the deadline is too long.
    #[error("soak time and deadline are at most 366 days")]
    TooLong,
    /// A device has no time at all.
    #[error("a device needs time until its deadline")]
    NoTime,
    /// A window names a minute that no day has.
    #[error("a window begins and ends at a minute from 0 to 1439 of the day")]
    NoSuchMinute,
    /// A window that begins when it ends.
    #[error("a window ends at another minute than it begins; leave it out for any time of the day")]
    EmptyWindow,
    /// A device could reach its deadline before its window opens.
    #[error("with a window, a device needs at least a day until its deadline")]
    DeadlineBeforeWindow,
}
