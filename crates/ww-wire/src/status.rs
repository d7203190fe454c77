//! What meter and gateway tell one another beside the measurements: the status report and the
//! gateway's answer.

use crate::Hash;
use crate::reading::TimeQuality;
use crate::record::{Rule, record, require};
use crate::units::*;

record! {
    /// A meter's state of health; signed, not chained.
    pub struct StatusReport signed by
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
        /// Chain records that wait for the gateway.
        queued_records: u32,
        /// Readings that wait for the gateway.
        queued_readings: u32,
        /// Polls of the sensor that failed in this boot.
        sensor_failures: u32,
        /// Uploads that failed in this boot.
        upload_failures: u32,
        /// Signal strength of the radio.
        signal_strength: Option<Dbm>,
        /// Free memory.
        free_memory: Option<Bytes>,
        /// Temperature of the meter itself.
        temperature: Option<DeciCelsius>,
    }
}

impl StatusReport {
    fn rules(&self) -> Result<(), Rule> {
        require!(self.boot != BootCounter::ZERO, "boot counters start at 1");
        require!(
            (self.time_quality == TimeQuality::Unknown) == self.time.is_none(),
            "time is absent exactly when its quality is unknown"
        );
        Ok(())
    }
}

record! {
    /// The gateway's answer to an upload. Not signed: it can make a meter send again or drop what
    /// the gateway claims to hold, which the chain then shows; it can make it sign nothing.
    pub struct Acknowledgement signed by
    /// The meter that is answered.
    meter {
        /// The chain record that the gateway expects next: all before it are durable.
        next_index: ChainIndex,
        /// The gateway's time; absent when it does not know it.
        time: Option<UtcMillis>,
        /// Size of the newest log checkpoint; 0 for none.
        log_size: u64,
        /// Root of that checkpoint; zero for none.
        log_root: Hash,
        /// Digest of the Enrolment that the operator has signed last; zero for none.
        enrolment: Hash,
    }
}

impl Acknowledgement {
    fn rules(&self) -> Result<(), Rule> {
        require!(
            (self.log_size == 0) == self.log_root.is_zero(),
            "a log checkpoint has both a size and a root, or neither"
        );
        Ok(())
    }
}
