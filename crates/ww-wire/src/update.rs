//! What a meter says for good about an update. How far it is on the way is in its questions
//! (`ww-release`), which nobody keeps as a record.

use crate::Hash;
use crate::field::byte_enum;
use crate::reading::TimeQuality;
use crate::record::{Rule, record, require};
use crate::units::*;

byte_enum! {
    /// How an update ended.
    pub enum UpdateOutcome {
        /// The new payload runs and passed its own examination.
        Confirmed = 1,
        /// The new payload was started, and the old one runs again.
        RolledBack = 2,
        /// The new payload was never started, whether or not it was fetched.
        Refused = 3,
    }
}

impl UpdateOutcome {
    /// The name, for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::RolledBack => "rolled-back",
            Self::Refused => "refused",
        }
    }
}

byte_enum! {
    /// What was in the way of an update. The numbers and names are those with which a meter asks
    /// (`ww_release::question::Obstacle`).
    pub enum UpdateObstacle {
        /// Nothing was in its way.
        None = 0,
        /// The meter's settings say to wait.
        Paused = 1,
        /// The supply failed lately.
        BrownOut = 2,
        /// The gateway did not answer in time.
        NoAnswer = 3,
        /// The gateway refused.
        Refused = 4,
        /// Metadata is not in its form.
        Malformed = 5,
        /// Metadata is not signed as it must be.
        Untrusted = 6,
        /// The release is for other hardware.
        OtherHardware = 7,
        /// The release's security counter is below the one that holds.
        CounterTooLow = 8,
        /// The release does not fit the slot.
        TooLarge = 9,
        /// The key that was answered does not fit the release.
        WrongKey = 10,
        /// Three records in a row were not the gateway's.
        BadRecords = 11,
        /// A sector is not the one that was signed.
        BadSector = 12,
        /// The delta does not lead to the payload that was signed.
        BadDelta = 13,
        /// What is in the slot is not the payload that was signed.
        BadPayload = 14,
        /// The flash refused.
        Flash = 15,
        /// The gateway said to wait.
        Held = 16,
        /// The new payload crashed too often.
        Crashes = 17,
        /// The supply failed too often under the new payload.
        BrownOuts = 18,
        /// Under the new payload the sensor did not answer.
        Sensor = 19,
        /// Under the new payload the key did not sign.
        Signer = 20,
        /// Under the new payload the queue could not be read.
        Queue = 21,
        /// Under the new payload the gateway was not reached.
        Unreached = 22,
        /// Under the new payload the time made no sense.
        Time = 23,
    }
}

impl UpdateObstacle {
    /// The obstacle with this number, from 0 to 23.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The name, for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Paused => "paused",
            Self::BrownOut => "brown-out",
            Self::NoAnswer => "no-answer",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Untrusted => "untrusted",
            Self::OtherHardware => "other-hardware",
            Self::CounterTooLow => "counter-too-low",
            Self::TooLarge => "too-large",
            Self::WrongKey => "wrong-key",
            Self::BadRecords => "bad-records",
            Self::BadSector => "bad-sector",
            Self::BadDelta => "bad-delta",
            Self::BadPayload => "bad-payload",
            Self::Flash => "flash",
            Self::Held => "held",
            Self::Crashes => "crashes",
            Self::BrownOuts => "brown-outs",
            Self::Sensor => "sensor",
            Self::Signer => "signer",
            Self::Queue => "queue",
            Self::Unreached => "unreached",
            Self::Time => "time",
        }
    }
}

record! {
    /// How an update of a meter ended; signed, not chained.
    pub struct UpdateReport signed by
    /// The meter.
    meter {
        /// The boot.
        boot: BootCounter,
        /// When it was made.
        time: Option<UtcMillis>,
        /// The same moment since this boot.
        uptime: UptimeMillis,
        /// How far `time` can be relied on.
        time_quality: TimeQuality,
        /// Digest of the release.
        release: Hash,
        /// Digest of the payload that the release would install.
        payload: Hash,
        /// Digest of the payload that runs.
        running: Hash,
        /// The number of the root that the meter trusts.
        root_number: u32,
        /// The security counter that holds.
        security_counter: u32,
        /// How the update ended.
        outcome: UpdateOutcome,
        /// What was in its way.
        obstacle: UpdateObstacle,
    }
}

impl UpdateReport {
    fn rules(&self) -> Result<(), Rule> {
        let confirmed = self.outcome == UpdateOutcome::Confirmed;
        require!(self.boot != BootCounter::ZERO, "boot counters start at 1");
        require!(
            (self.time_quality == TimeQuality::Unknown) == self.time.is_none(),
            "time is absent exactly when its quality is unknown"
        );
        require!(
            confirmed == (self.obstacle == UpdateObstacle::None),
            "an update is confirmed exactly when nothing was in its way"
        );
        require!(
            !confirmed || self.running == self.payload,
            "a confirmed payload is the one that runs"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_obstacle_stands_at_its_number() {
        for (number, obstacle) in (0..).zip(UpdateObstacle::ALL) {
            assert_eq!(*obstacle as u8, number);
            assert_eq!(UpdateObstacle::numbered(number), Some(*obstacle));
        }
        assert_eq!(UpdateObstacle::numbered(24), None);
    }
}
