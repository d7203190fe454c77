//! What the members of each answer mean, in units. Members that are not documented, or that no
//! reading needs, are passed over.

use super::document::{AnswerError, Name, Segment, Value};
use super::json::{Number, NumberError};
use ww_wire::{Mac, Milliamperes, Millivars, Millivolts, MilliwattHours, Milliwatts, Phase};

/// What the sensor says of its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SensorClock {
    /// The answer does not say.
    NotGiven,
    /// The sensor has never met a time server: `unixtime` is 0 or null.
    Unset,
    /// Seconds since 1970-01-01T00:00:00Z.
    At(u64),
}

/// One sample, merged from all answers that it takes. Absent is absent, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorSample {
    /// Who answered.
    pub mac: Mac,
    /// The sensor's own clock.
    pub clock: SensorClock,
    /// What was measured; `None` when the sensor says itself that its values are not valid.
    pub values: Option<SensorValues>,
}

/// The register's values: of one channel, or the sum of three phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorValues {
    /// Active power as the sensor signs it.
    pub power: Milliwatts,
    /// The counter `total`, in the sensor's direction of count. The sensor gives watt-hours.
    pub import_total: MilliwattHours,
    /// The counter `total_returned`, against it.
    pub export_total: MilliwattHours,
    /// Reactive power; Gen2 devices do not give it.
    pub reactive: Option<Millivars>,
    /// Voltage; of three phases, the mean.
    pub voltage: Option<Millivolts>,
    /// Current; of three phases, the sum.
    pub current: Option<Milliamperes>,
    /// The phases of a three-phase sensor.
    pub phases: Option<[Phase; 3]>,
}

/// What one channel or phase said so far.
#[derive(Clone, Copy, Debug, Default)]
struct Channel {
    valid: Option<bool>,
    power: Option<Milliwatts>,
    reactive: Option<Millivars>,
    voltage: Option<Millivolts>,
    current: Option<Milliamperes>,
    total: Option<MilliwattHours>,
    total_returned: Option<MilliwattHours>,
}

/// What the answers to one poll said so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Collected {
    pub(super) mac: Option<Mac>,
    clock: SensorClock,
    component: Option<u64>,
    /// The register as a three-phase Gen2 device sums it up itself.
    sum: Channel,
    /// Phases A, B, C; a single channel is the first.
    channels: [Channel; 3],
}

impl Collected {
    pub(super) const fn new() -> Self {
        const NOTHING: Channel = Channel {
            valid: None,
            power: None,
            reactive: None,
            voltage: None,
            current: None,
            total: None,
            total_returned: None,
        };
        Self {
            mac: None,
            clock: SensorClock::NotGiven,
            component: None,
            sum: NOTHING,
            channels: [NOTHING; 3],
        }
    }

    /// Gen1 `/status`: the elements of `emeters` that `channels` names become channel 0, 1, ….
    pub(super) fn gen1_status(
        &mut self,
        channels: core::ops::Range<u16>,
        path: &[Segment],
        value: Value<'_>,
    ) -> Result<(), AnswerError> {
        match *path {
            [Segment::Name(Name::Mac)] => self.mac = Some(mac(value)?),
            [Segment::Name(Name::Unixtime)] => self.clock = clock(value)?,
            [
                Segment::Name(Name::Emeters),
                Segment::Index(index),
                Segment::Name(name),
            ] if channels.contains(&index) => {
                let channel = &mut self.channels[usize::from(index - channels.start)];
                match name {
                    Name::IsValid => channel.valid = Some(truth(name, value)?),
                    Name::Power => channel.power = signed(name, value, Milliwatts::new)?,
                    Name::Reactive => channel.reactive = signed(name, value, Millivars::new)?,
                    Name::Voltage => channel.voltage = narrow(name, value, Millivolts::new)?,
                    Name::Current => channel.current = narrow(name, value, Milliamperes::new)?,
                    Name::Total => channel.total = wide(name, value)?,
                    Name::TotalReturned => channel.total_returned = wide(name, value)?,
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Gen2 `EM1.GetStatus` and `EM1Data.GetStatus`: one channel.
    pub(super) fn em1(&mut self, path: &[Segment], value: Value<'_>) -> Result<(), AnswerError> {
        let channel = &mut self.channels[0];
        match *path {
            [Segment::Name(Name::Id)] => self.component = Some(count(Name::Id, value)?),
            [Segment::Name(name)] => channel.gen2_member(name, value)?,
            [Segment::Name(Name::Errors), Segment::Index(_)] => channel.error(value),
            _ => {}
        }
        Ok(())
    }

    /// Gen2 `EM.GetStatus` and `EMData.GetStatus`: three phases and their sum.
    pub(super) fn em(&mut self, path: &[Segment], value: Value<'_>) -> Result<(), AnswerError> {
        match *path {
            [Segment::Name(Name::Id)] => self.component = Some(count(Name::Id, value)?),
            [Segment::Name(name)] => self.sum.gen2_sum_member(name, value)?,
            [Segment::OfPhase(phase, name)] => self.channels[phase].gen2_member(name, value)?,
            [Segment::Name(Name::Errors), Segment::Index(_)] => self.sum.error(value),
            [Segment::OfPhase(phase, Name::Errors), Segment::Index(_)] => {
                self.channels[phase].error(value);
            }
            _ => {}
        }
        Ok(())
    }

    /// Gen2 `Sys.GetStatus` and `Shelly.GetDeviceInfo`.
    pub(super) fn system(&mut self, path: &[Segment], value: Value<'_>) -> Result<(), AnswerError> {
        match *path {
            [Segment::Name(Name::Mac)] => self.mac = Some(mac(value)?),
            [Segment::Name(Name::Unixtime)] => self.clock = clock(value)?,
            _ => {}
        }
        Ok(())
    }

    /// Checks that the answer that just ended spoke of component `asked`.
    pub(super) fn component_is(&mut self, asked: u8) -> Result<(), AnswerError> {
        match self.component.take() {
            Some(answered) if answered == u64::from(asked) => Ok(()),
            Some(answered) => Err(AnswerError::OtherComponent { asked, answered }),
            None => Err(AnswerError::Missing { name: Name::Id }),
        }
    }

    /// The sample of a single channel. A Gen2 device says nothing of validity unless it has
    /// errors to tell of: `valid_unless_told`.
    pub(super) fn single_phase(
        &self,
        valid_unless_told: bool,
    ) -> Result<SensorSample, AnswerError> {
        let channel = &self.channels[0];
        let values = match channel.is_valid(valid_unless_told)? {
            true => Some(channel.values(None)?),
            false => None,
        };
        self.sample(values)
    }

    /// The sample of three phases. The sensor's own sums go before ours.
    pub(super) fn three_phase(&self, valid_unless_told: bool) -> Result<SensorSample, AnswerError> {
        let mut valid = self.sum.is_valid(true)?;
        for channel in &self.channels {
            valid &= channel.is_valid(valid_unless_told)?;
        }
        if !valid {
            return self.sample(None);
        }
        let register = self.register()?;
        let phases = self.channels.map(|channel| Phase {
            power: channel.power,
            voltage: channel.voltage,
            current: channel.current,
            import_total: channel.total,
            export_total: channel.total_returned,
        });
        self.sample(Some(register.values(Some(phases))?))
    }

    fn sample(&self, values: Option<SensorValues>) -> Result<SensorSample, AnswerError> {
        let mac = self.mac.ok_or(AnswerError::Missing { name: Name::Mac })?;
        Ok(SensorSample {
            mac,
            clock: self.clock,
            values,
        })
    }

    fn register(&self) -> Result<Channel, AnswerError> {
        let [a, b, c] = &self.channels;
        macro_rules! sum {
            ($field:ident, $unit:ident, $name:expr) => {
                match (self.sum.$field, a.$field, b.$field, c.$field) {
                    (Some(given), ..) => Some(given),
                    (None, Some(a), Some(b), Some(c)) => {
                        let sum = a.checked_add(b).and_then(|sum| sum.checked_add(c));
                        Some(sum.ok_or(too_large($name))?)
                    }
                    _ => None,
                }
            };
        }
        let voltage = match (a.voltage, b.voltage, c.voltage) {
            (Some(a), Some(b), Some(c)) => {
                let sum = u64::from(a.get()) + u64::from(b.get()) + u64::from(c.get());
                u32::try_from(sum / 3).ok().and_then(Millivolts::new)
            }
            _ => None,
        };
        Ok(Channel {
            valid: Some(true),
            power: sum!(power, Milliwatts, Name::Power),
            reactive: sum!(reactive, Millivars, Name::Reactive),
            voltage,
            current: sum!(current, Milliamperes, Name::Current),
            total: sum!(total, MilliwattHours, Name::Total),
            total_returned: sum!(total_returned, MilliwattHours, Name::TotalReturned),
        })
    }
}

impl Channel {
    fn gen2_member(&mut self, name: Name, value: Value<'_>) -> Result<(), AnswerError> {
        match name {
            Name::ActPower => self.power = signed(name, value, Milliwatts::new)?,
            Name::Voltage => self.voltage = narrow(name, value, Millivolts::new)?,
            Name::Current => self.current = narrow(name, value, Milliamperes::new)?,
            Name::TotalActEnergy => self.total = wide(name, value)?,
            Name::TotalActRetEnergy => self.total_returned = wide(name, value)?,
            _ => {}
        }
        Ok(())
    }

    fn gen2_sum_member(&mut self, name: Name, value: Value<'_>) -> Result<(), AnswerError> {
        match name {
            Name::TotalActPower => self.power = signed(name, value, Milliwatts::new)?,
            Name::TotalCurrent => self.current = narrow(name, value, Milliamperes::new)?,
            Name::TotalAct => self.total = wide(name, value)?,
            Name::TotalActRet => self.total_returned = wide(name, value)?,
            _ => {}
        }
        Ok(())
    }

    /// An entry of `errors`. A wrong order of the phases does not touch power or energy; anything
    /// else (`power_meter_failure`, `out_of_range:…`, `ct_type_not_set`, `database_error`, and
    /// what later firmware may add) does.
    fn error(&mut self, value: Value<'_>) {
        let harmless = matches!(value, Value::Text(text) if text.start() == b"phase_sequence");
        if !harmless {
            self.valid = Some(false);
        }
    }

    fn is_valid(&self, unless_told: bool) -> Result<bool, AnswerError> {
        match self.valid {
            Some(valid) => Ok(valid),
            None if unless_told => Ok(true),
            None => Err(AnswerError::Missing {
                name: Name::IsValid,
            }),
        }
    }

    fn values(&self, phases: Option<[Phase; 3]>) -> Result<SensorValues, AnswerError> {
        let missing = |name| AnswerError::Missing { name };
        Ok(SensorValues {
            power: self.power.ok_or(missing(Name::Power))?,
            import_total: self.total.ok_or(missing(Name::Total))?,
            export_total: self.total_returned.ok_or(missing(Name::TotalReturned))?,
            reactive: self.reactive,
            voltage: self.voltage,
            current: self.current,
            phases,
        })
    }
}

/// Reads `mac`: twelve hexadecimal digits without separators.
pub(super) fn mac(value: Value<'_>) -> Result<Mac, AnswerError> {
    let Value::Text(text) = value else {
        return Err(AnswerError::WrongType { name: Name::Mac });
    };
    let digits = text
        .bytes()
        .filter(|digits| digits.len() == 12)
        .ok_or(AnswerError::Mac)?;
    let mut mac = [0; 6];
    for (byte, pair) in mac.iter_mut().zip(digits.chunks_exact(2)) {
        for &digit in pair {
            let digit = char::from(digit).to_digit(16).ok_or(AnswerError::Mac)?;
            *byte = (*byte << 4) | u8::try_from(digit).map_err(|_| AnswerError::Mac)?;
        }
    }
    Ok(Mac(mac))
}

/// Reads a truth value.
pub(super) fn truth(name: Name, value: Value<'_>) -> Result<bool, AnswerError> {
    match value {
        Value::Bool(truth) => Ok(truth),
        _ => Err(AnswerError::WrongType { name }),
    }
}

/// Reads a number without unit.
pub(super) fn count(name: Name, value: Value<'_>) -> Result<u64, AnswerError> {
    let number = number(name, value)?.ok_or(AnswerError::WrongType { name })?;
    number
        .unsigned(0)
        .map_err(|error| AnswerError::Number { name, error })
}

fn clock(value: Value<'_>) -> Result<SensorClock, AnswerError> {
    Ok(match value {
        Value::Null => SensorClock::Unset,
        _ => match count(Name::Unixtime, value)? {
            0 => SensorClock::Unset,
            seconds => SensorClock::At(seconds),
        },
    })
}

/// Reads a quantity with a sign in thousandths of the sensor's unit.
fn signed<T>(
    name: Name,
    value: Value<'_>,
    new: fn(i64) -> Option<T>,
) -> Result<Option<T>, AnswerError> {
    let Some(number) = number(name, value)? else {
        return Ok(None);
    };
    let raw = number
        .signed(3)
        .map_err(|error| AnswerError::Number { name, error })?;
    new(raw).map(Some).ok_or(too_large(name))
}

/// Reads energy: the sensor gives watt-hours.
fn wide(name: Name, value: Value<'_>) -> Result<Option<MilliwattHours>, AnswerError> {
    let Some(number) = number(name, value)? else {
        return Ok(None);
    };
    let raw = number
        .unsigned(3)
        .map_err(|error| AnswerError::Number { name, error })?;
    MilliwattHours::new(raw).map(Some).ok_or(too_large(name))
}

/// Reads a quantity without a sign that has 32 bits.
fn narrow<T>(
    name: Name,
    value: Value<'_>,
    new: fn(u32) -> Option<T>,
) -> Result<Option<T>, AnswerError> {
    let Some(number) = number(name, value)? else {
        return Ok(None);
    };
    let raw = number
        .unsigned(3)
        .map_err(|error| AnswerError::Number { name, error })?;
    u32::try_from(raw)
        .ok()
        .and_then(new)
        .map(Some)
        .ok_or(too_large(name))
}

fn number<'a>(name: Name, value: Value<'a>) -> Result<Option<Number<'a>>, AnswerError> {
    match value {
        Value::Number(number) => Ok(Some(number)),
        Value::Null => Ok(None),
        _ => Err(AnswerError::WrongType { name }),
    }
}

fn too_large(name: Name) -> AnswerError {
    AnswerError::Number {
        name,
        error: NumberError::TooLarge,
    }
}
