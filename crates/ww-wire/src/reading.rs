//! The Reading: one sample of the sensor on the 10-second grid, as measured, never invented.

use crate::field::{Field, byte_enum, flag_set};
use crate::record::{
    DecodeError, FieldLayout, HEADER_LENGTH, Payload, Record, RecordType, Rule, put_header, record,
    require, split_header,
};
use crate::units::*;
use crate::{Hash, MeterId, merkle};

byte_enum! {
    /// How far the time of a record can be relied on; the meaning of OCMF's letters U, I, S, R.
    pub enum TimeQuality {
        /// The time is not known (U).
        Unknown = 0,
        /// From a clock that nobody keeps synchronised, such as the sensor's (I).
        Informative = 1,
        /// From a clock that is synchronised now (S).
        Synchronised = 2,
        /// Counted on by the device's own oscillator since the last synchronisation (R).
        Relative = 3,
    }
}

flag_set! {
    /// What was out of the ordinary about a reading.
    pub struct ReadingFlags {
        /// The sensor did not answer in time: no value is present.
        SENSOR_UNREACHABLE = 0,
        /// The sensor itself said that its values are not valid: no value is present.
        SENSOR_INVALID = 1,
        /// Another device answered (its MAC is not the enrolled one): no value is present.
        WRONG_SENSOR = 2,
        /// The sensor's answer could not be read: no value is present.
        SENSOR_MALFORMED = 3,
        /// The reading before it, of the same boot, still waited for the gateway when this one was taken.
        QUEUED = 4,
        /// The first value after a gap: its increment of `produced` spans the gap.
        RECOVERED = 5,
        /// The sensor's counter fell: the epoch went up, nothing was added to `produced`.
        COUNTER_FELL = 6,
        /// The counter rose by more than the plant can produce: nothing was added.
        INCREMENT_REFUSED = 7,
        /// The time since the last value is not known yet: the increment waits.
        INCREMENT_PENDING = 8,
        /// The clock stepped since the reading before.
        CLOCK_STEPPED = 9,
        /// The sensor's own clock is not set (`unixtime` 0).
        SENSOR_CLOCK_UNSET = 10,
        /// The sensor's own clock differs from the meter's by more than 60 s.
        SENSOR_CLOCK_DIFFERS = 11,
    }
}

impl ReadingFlags {
    /// The flags of a failed poll: any of them means that no value is present.
    pub const FAILED: Self = Self::SENSOR_UNREACHABLE
        .with(Self::SENSOR_INVALID)
        .with(Self::WRONG_SENSOR)
        .with(Self::SENSOR_MALFORMED);

    /// The flags that speak of an increment, which only a poll that worked has.
    const OF_VALUES: Self = Self::RECOVERED
        .with(Self::COUNTER_FELL)
        .with(Self::INCREMENT_REFUSED)
        .with(Self::INCREMENT_PENDING);
}

record! {
    /// One sample of a single-phase sensor. Also the sum of a [`ThreePhaseReading`].
    pub struct Reading signed by
    /// The meter that measured and signs.
    meter {
        /// The boot of the meter in which it was taken.
        boot: BootCounter,
        /// Its number; the next reading's is one more, except after a reboot, which may skip some.
        sequence: Sequence,
        /// When the sensor was asked.
        time: Option<UtcMillis>,
        /// The same moment since this boot.
        uptime: UptimeMillis,
        /// How far `time` can be relied on.
        time_quality: TimeQuality,
        /// Active power as the sensor gave it.
        power: Option<Milliwatts>,
        /// The sensor's counter `total`, as it gave it.
        import_total: Option<MilliwattHours>,
        /// The sensor's counter `total_returned`, as it gave it.
        export_total: Option<MilliwattHours>,
        /// How many times the counter was reset, dipped or swapped before this reading.
        counter_epoch: CounterEpoch,
        /// The meter's own never-decreasing sum of accepted increments.
        produced: MilliwattHours,
        /// Voltage; of three phases, the mean.
        voltage: Option<Millivolts>,
        /// Current; of three phases, the sum.
        current: Option<Milliamperes>,
        /// Reactive power.
        reactive_power: Option<Millivars>,
        /// The sensor's own temperature.
        temperature: Option<DeciCelsius>,
        /// What was out of the ordinary.
        flags: ReadingFlags,
    }
}

impl Reading {
    /// Whether the counter was seen and all that it had gained was either added to `produced` or
    /// refused: what is added later was gained later.
    #[must_use]
    pub const fn settles_counter(&self) -> bool {
        self.import_total.is_some() && !self.flags.contains(ReadingFlags::INCREMENT_PENDING)
    }

    fn rules(&self) -> Result<(), Rule> {
        let failed = self.flags.intersects(ReadingFlags::FAILED);
        let values = [
            self.power.is_some(),
            self.import_total.is_some(),
            self.export_total.is_some(),
            self.voltage.is_some(),
            self.current.is_some(),
            self.reactive_power.is_some(),
            self.temperature.is_some(),
        ];
        require!(
            self.sequence != Sequence::ZERO,
            "sequence numbers start at 1"
        );
        require!(self.boot != BootCounter::ZERO, "boot counters start at 1");
        require!(
            (self.time_quality == TimeQuality::Unknown) == self.time.is_none(),
            "time is absent exactly when its quality is unknown"
        );
        require!(
            !failed || !values.contains(&true),
            "a failed poll carries no value of the sensor"
        );
        require!(
            failed || (values[0] && values[1] && values[2]),
            "a poll that worked carries power and both totals"
        );
        require!(
            !failed || !self.flags.intersects(ReadingFlags::OF_VALUES),
            "a failed poll has no increment to speak of"
        );
        Ok(())
    }
}

/// The values of one phase, beside the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// Active power of this phase.
    pub power: Option<Milliwatts>,
    /// Voltage of this phase to neutral.
    pub voltage: Option<Millivolts>,
    /// Current of this phase.
    pub current: Option<Milliamperes>,
    /// The phase's counter `total`.
    pub import_total: Option<MilliwattHours>,
    /// The phase's counter `total_returned`.
    pub export_total: Option<MilliwattHours>,
}

impl Phase {
    /// A phase of a failed poll.
    pub const ABSENT: Self = Self {
        power: None,
        voltage: None,
        current: None,
        import_total: None,
        export_total: None,
    };
}

const PHASE_WIDTH: usize = 32;

impl Field for [Phase; 3] {
    const WIDTH: usize = 3 * PHASE_WIDTH;
    const SHAPE: &'static str = "3 × (power i64 mW, voltage u32 mV, current u32 mA, import_total u64 mWh, export_total u64 mWh), each or absent";
    fn put(&self, out: &mut [u8]) {
        for (phase, out) in self.iter().zip(out.chunks_exact_mut(PHASE_WIDTH)) {
            phase.power.put(&mut out[..8]);
            phase.voltage.put(&mut out[8..12]);
            phase.current.put(&mut out[12..16]);
            phase.import_total.put(&mut out[16..24]);
            phase.export_total.put(&mut out[24..]);
        }
    }
    fn take(bytes: &[u8]) -> Result<Self, crate::field::FieldError> {
        let mut phases = [Phase::ABSENT; 3];
        for (phase, bytes) in phases.iter_mut().zip(bytes.chunks_exact(PHASE_WIDTH)) {
            *phase = Phase {
                power: Field::take(&bytes[..8])?,
                voltage: Field::take(&bytes[8..12])?,
                current: Field::take(&bytes[12..16])?,
                import_total: Field::take(&bytes[16..24])?,
                export_total: Field::take(&bytes[24..])?,
            };
        }
        Ok(phases)
    }
}

/// One sample of a three-phase sensor: one register, which is the sum, and its phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreePhaseReading {
    /// The register: all fields of a [`Reading`], summed over the phases.
    pub sum: Reading,
    /// The phases A, B, C.
    pub phases: [Phase; 3],
}

impl ThreePhaseReading {
    const FIELD_TABLE: [FieldLayout; Reading::FIELDS.len() + 1] = {
        let mut table = [FieldLayout {
            name: "phases",
            width: <[Phase; 3]>::WIDTH,
            shape: <[Phase; 3]>::SHAPE,
            meaning: " The phases A, B, C.",
        }; Reading::FIELDS.len() + 1];
        let mut i = 0;
        while i < Reading::FIELDS.len() {
            table[i] = Reading::FIELDS[i];
            i += 1;
        }
        table
    };
}

impl Record for ThreePhaseReading {
    const TYPE: RecordType = RecordType::ThreePhaseReading;
    const LENGTH: usize = Reading::LENGTH + <[Phase; 3]>::WIDTH;
    const FIELDS: &'static [FieldLayout] = &Self::FIELD_TABLE;

    fn signer(&self) -> MeterId {
        self.sum.meter
    }

    fn check(&self) -> Result<(), Rule> {
        self.sum.check()?;
        let failed = self.sum.flags.intersects(ReadingFlags::FAILED);
        require!(
            !failed || self.phases == [Phase::ABSENT; 3],
            "a failed poll carries no value of the sensor"
        );
        Ok(())
    }

    fn encode(&self) -> Result<Payload, Rule> {
        self.check()?;
        let mut payload = Payload::zeroed(Self::LENGTH);
        let (header, fields) = payload.bytes_mut().split_at_mut(HEADER_LENGTH);
        put_header(header, Self::TYPE, &self.sum.meter);
        let (sum, phases) = fields.split_at_mut(Reading::FIELDS_LENGTH);
        self.sum.put_fields(sum);
        self.phases.put(phases);
        Ok(payload)
    }

    fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let record = Self::TYPE;
        let (meter, fields) = split_header(payload, record, Self::LENGTH)?;
        let (sum, phases) = fields.split_at(Reading::FIELDS_LENGTH);
        let sum = Reading::take_fields(meter, sum, record)?;
        let phases = Field::take(phases).map_err(|error| DecodeError::Field {
            record,
            field: "phases",
            error,
        })?;
        let reading = Self { sum, phases };
        reading
            .check()
            .map_err(|rule| DecodeError::Rule { record, rule })?;
        Ok(reading)
    }
}

/// A reading of either kind of sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnyReading {
    /// Of a single-phase sensor.
    SinglePhase(Reading),
    /// Of a three-phase sensor.
    ThreePhase(ThreePhaseReading),
}

impl AnyReading {
    /// A reading with or without phases.
    #[must_use]
    pub const fn new(sum: Reading, phases: Option<[Phase; 3]>) -> Self {
        match phases {
            None => Self::SinglePhase(sum),
            Some(phases) => Self::ThreePhase(ThreePhaseReading { sum, phases }),
        }
    }

    /// The register.
    #[must_use]
    pub const fn sum(&self) -> &Reading {
        match self {
            Self::SinglePhase(reading) => reading,
            Self::ThreePhase(reading) => &reading.sum,
        }
    }

    /// The phases, of a three-phase sensor.
    #[must_use]
    pub const fn phases(&self) -> Option<&[Phase; 3]> {
        match self {
            Self::SinglePhase(_) => None,
            Self::ThreePhase(reading) => Some(&reading.phases),
        }
    }

    /// The type byte of its payload.
    #[must_use]
    pub const fn record_type(&self) -> RecordType {
        match self {
            Self::SinglePhase(_) => RecordType::Reading,
            Self::ThreePhase(_) => RecordType::ThreePhaseReading,
        }
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// The first [`Rule`] that the reading breaks.
    pub fn encode(&self) -> Result<Payload, Rule> {
        match self {
            Self::SinglePhase(reading) => reading.encode(),
            Self::ThreePhase(reading) => reading.encode(),
        }
    }

    /// Reads the canonical bytes of either kind.
    ///
    /// # Errors
    /// Any [`DecodeError`]; [`DecodeError::WrongType`] for a record that is no reading.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        match RecordType::of(payload)? {
            RecordType::ThreePhaseReading => {
                ThreePhaseReading::decode(payload).map(Self::ThreePhase)
            }
            _ => Reading::decode(payload).map(Self::SinglePhase),
        }
    }

    /// The leaf hash in the tree of its window.
    ///
    /// # Errors
    /// The first [`Rule`] that the reading breaks.
    pub fn leaf_hash(&self) -> Result<Hash, Rule> {
        self.encode().map(|payload| merkle::leaf_hash(&payload))
    }
}
