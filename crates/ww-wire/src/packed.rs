//! Readings in few bytes, for the flash and for the way to the gateway: differences from what the
//! reading before lets one expect. Not signed and not canonical: whoever unpacks encodes the
//! readings again and compares with the root of their Window.

use crate::reading::{AnyReading, Phase, Reading, ReadingFlags, TimeQuality};
use crate::record::RecordType;
use crate::units::*;
use crate::{MeterId, field::Field};

/// The version of this packing; the first byte of a packed block.
pub const PACKING_VERSION: u8 = 1;

/// Bytes before the first reading of a block: packing version, record type.
pub const BLOCK_HEADER: usize = 2;

/// The most bytes that one packed reading takes.
pub const MAX_PACKED_READING: usize = 2 * 2 + 2 + 1 + (13 + 15) * MAX_VARINT;

/// Ten groups of seven bits hold the 66 bits of the widest value.
const MAX_VARINT: usize = 10;

/// The step of the grid, which the first reading of a block is expected to keep.
const GRID_STEP_MS: u64 = 10_000;

/// Why readings cannot be packed or unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The output has no room left.
    #[error("no room for the packed reading")]
    NoRoom,
    /// A reading of another meter or another kind of sensor than the block's.
    #[error("the reading is of another meter or another kind of sensor than the block")]
    Foreign,
    /// The bytes end inside a reading or its header.
    #[error("the packed readings end too early")]
    Truncated,
    /// The packing version or the record type is not known.
    #[error("packing version {version}, record type {record_type:#04x} is not known here")]
    UnknownPacking {
        /// The version found.
        version: u8,
        /// The type byte found.
        record_type: u8,
    },
    /// A number does not fit its field.
    #[error("a packed number does not fit its field")]
    OutOfRange,
}

/// Which fields of a reading are not as expected; the first two bytes of a packed reading.
mod differs {
    pub(super) const BOOT: u16 = 1;
    pub(super) const SEQUENCE: u16 = 1 << 1;
    pub(super) const TIME: u16 = 1 << 2;
    pub(super) const UPTIME: u16 = 1 << 3;
    pub(super) const TIME_QUALITY: u16 = 1 << 4;
    pub(super) const POWER: u16 = 1 << 5;
    pub(super) const IMPORT_TOTAL: u16 = 1 << 6;
    pub(super) const EXPORT_TOTAL: u16 = 1 << 7;
    pub(super) const COUNTER_EPOCH: u16 = 1 << 8;
    pub(super) const PRODUCED: u16 = 1 << 9;
    /// Not a difference: `produced` is expected to follow `export_total` instead of `import_total`.
    pub(super) const FOLLOWS_EXPORT: u16 = 1 << 10;
    pub(super) const VOLTAGE: u16 = 1 << 11;
    pub(super) const CURRENT: u16 = 1 << 12;
    pub(super) const REACTIVE_POWER: u16 = 1 << 13;
    pub(super) const TEMPERATURE: u16 = 1 << 14;
    pub(super) const FLAGS: u16 = 1 << 15;
}

/// A value that may be absent: whether it was there last, and what it was when last there.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    present: bool,
    raw: u64,
}

/// Packs or unpacks the readings of one meter, in order, one at a time.
#[derive(Clone, Debug)]
pub struct Codec {
    meter: MeterId,
    record_type: RecordType,
    boot: u64,
    sequence: u64,
    time: Last,
    time_step: u64,
    uptime: u64,
    time_quality: u8,
    power: Last,
    import_total: Last,
    export_total: Last,
    counter_epoch: u64,
    produced: u64,
    follows_export: bool,
    voltage: Last,
    current: Last,
    reactive_power: Last,
    temperature: Last,
    flags: u16,
    phases: [[Last; 5]; 3],
}

/// Sensors count in tenths of a watt-hour and hundredths of a watt, volt and var: a difference
/// that is a multiple of this is sent divided by it.
mod scale {
    pub(super) const NONE: i64 = 1;
    pub(super) const POWER: i64 = 10;
    pub(super) const ENERGY: i64 = 100;
}

impl Codec {
    /// A codec at the start of a block of `meter`'s readings of the kind `record_type`; `None`
    /// when that is no kind of reading.
    #[must_use]
    pub fn new(meter: MeterId, record_type: RecordType) -> Option<Self> {
        matches!(
            record_type,
            RecordType::Reading | RecordType::ThreePhaseReading
        )
        .then_some(Self {
            meter,
            record_type,
            boot: 0,
            sequence: 0,
            time: Last::default(),
            time_step: GRID_STEP_MS,
            uptime: 0,
            time_quality: 0,
            power: Last::default(),
            import_total: Last::default(),
            export_total: Last::default(),
            counter_epoch: 0,
            produced: 0,
            follows_export: false,
            voltage: Last::default(),
            current: Last::default(),
            reactive_power: Last::default(),
            temperature: Last::default(),
            flags: 0,
            phases: Default::default(),
        })
    }

    /// The two bytes that open a block.
    #[must_use]
    pub const fn block_header(&self) -> [u8; BLOCK_HEADER] {
        [PACKING_VERSION, self.record_type as u8]
    }

    /// Opens a block of `meter`'s readings and gives the bytes after its header.
    ///
    /// # Errors
    /// [`PackError::Truncated`], [`PackError::UnknownPacking`].
    pub fn open(meter: MeterId, block: &[u8]) -> Result<(Self, &[u8]), PackError> {
        let (&[version, record_type], rest) = block
            .split_first_chunk::<BLOCK_HEADER>()
            .ok_or(PackError::Truncated)?;
        let unknown = PackError::UnknownPacking {
            version,
            record_type,
        };
        if version != PACKING_VERSION {
            return Err(unknown);
        }
        RecordType::of(&[record_type])
            .ok()
            .and_then(|record_type| Self::new(meter, record_type))
            .map(|codec| (codec, rest))
            .ok_or(unknown)
    }

    /// Packs the next reading into the front of `out` and gives the number of bytes.
    ///
    /// # Errors
    /// [`PackError::NoRoom`], [`PackError::Foreign`]; then the codec has not moved.
    pub fn pack(&mut self, reading: &AnyReading, out: &mut [u8]) -> Result<usize, PackError> {
        let sum = reading.sum();
        if sum.meter != self.meter || reading.record_type() != self.record_type {
            return Err(PackError::Foreign);
        }
        let mut next = self.clone();
        let mut packer = Packer {
            out,
            len: 2,
            differs: 0,
        };
        next.pack_sum(sum, &mut packer)?;
        let mask = packer.differs.to_be_bytes();
        if let Some(phases) = reading.phases() {
            let at = packer.len;
            packer.skip(2)?;
            packer.differs = 0;
            next.pack_phases(phases, &mut packer)?;
            packer.out[at..at + 2].copy_from_slice(&packer.differs.to_be_bytes());
        }
        let len = packer.len;
        out.get_mut(..2)
            .ok_or(PackError::NoRoom)?
            .copy_from_slice(&mask);
        *self = next;
        Ok(len)
    }

    fn pack_sum(&mut self, sum: &Reading, packer: &mut Packer<'_>) -> Result<(), PackError> {
        packer.plain(differs::BOOT, &mut self.boot, u64::from(sum.boot.get()), 0)?;
        packer.plain(differs::SEQUENCE, &mut self.sequence, sum.sequence.get(), 1)?;
        let step = self.elapsed_if(sum.time.map(UtcMillis::get));
        let expected = self.time.raw.wrapping_add(self.time_step);
        let time = sum.time.map(UtcMillis::get);
        packer.optional(differs::TIME, &mut self.time, expected, time, scale::NONE)?;
        self.time_step = step.unwrap_or(self.time_step);
        packer.plain(
            differs::UPTIME,
            &mut self.uptime,
            sum.uptime.get(),
            step.unwrap_or(self.time_step),
        )?;
        if sum.time_quality as u8 != self.time_quality {
            self.time_quality = sum.time_quality as u8;
            packer.differs |= differs::TIME_QUALITY;
            packer.put(&[self.time_quality])?;
        }
        let before = (self.import_total, self.export_total);
        packer.last(
            differs::POWER,
            &mut self.power,
            sum.power.map(|v| v.get() as u64),
            scale::POWER,
        )?;
        packer.last(
            differs::IMPORT_TOTAL,
            &mut self.import_total,
            sum.import_total.map(MilliwattHours::get),
            scale::ENERGY,
        )?;
        packer.last(
            differs::EXPORT_TOTAL,
            &mut self.export_total,
            sum.export_total.map(MilliwattHours::get),
            scale::ENERGY,
        )?;
        packer.plain(
            differs::COUNTER_EPOCH,
            &mut self.counter_epoch,
            u64::from(sum.counter_epoch.get()),
            0,
        )?;
        self.pack_produced(sum.produced.get(), before, packer)?;
        packer.last(
            differs::VOLTAGE,
            &mut self.voltage,
            sum.voltage.map(|v| v.get().into()),
            scale::POWER,
        )?;
        packer.last(
            differs::CURRENT,
            &mut self.current,
            sum.current.map(|v| v.get().into()),
            scale::NONE,
        )?;
        packer.last(
            differs::REACTIVE_POWER,
            &mut self.reactive_power,
            sum.reactive_power.map(|v| v.get() as u64),
            scale::POWER,
        )?;
        packer.last(
            differs::TEMPERATURE,
            &mut self.temperature,
            sum.temperature.map(|v| i64::from(v.get()) as u64),
            scale::NONE,
        )?;
        if sum.flags.bits() != self.flags {
            self.flags = sum.flags.bits();
            packer.differs |= differs::FLAGS;
            packer.put(&self.flags.to_be_bytes())?;
        }
        Ok(())
    }

    /// `produced` is expected to rise like the counter that it followed last; when it does not,
    /// like the other one.
    fn pack_produced(
        &mut self,
        produced: u64,
        before: (Last, Last),
        packer: &mut Packer<'_>,
    ) -> Result<(), PackError> {
        let by_import = self.import_total.raw.wrapping_sub(before.0.raw);
        let by_export = self.export_total.raw.wrapping_sub(before.1.raw);
        let step = produced.wrapping_sub(self.produced);
        let kept = if self.follows_export {
            by_export
        } else {
            by_import
        };
        if step != kept {
            self.follows_export = step == by_export && step != by_import;
        }
        if self.follows_export {
            packer.differs |= differs::FOLLOWS_EXPORT;
        }
        let expected = if self.follows_export {
            by_export
        } else {
            by_import
        };
        packer.plain(differs::PRODUCED, &mut self.produced, produced, expected)
    }

    fn pack_phases(
        &mut self,
        phases: &[Phase; 3],
        packer: &mut Packer<'_>,
    ) -> Result<(), PackError> {
        for (i, (phase, last)) in phases.iter().zip(&mut self.phases).enumerate() {
            let values = [
                (phase.power.map(|v| v.get() as u64), scale::POWER),
                (phase.voltage.map(|v| v.get().into()), scale::POWER),
                (phase.current.map(|v| v.get().into()), scale::NONE),
                (phase.import_total.map(MilliwattHours::get), scale::ENERGY),
                (phase.export_total.map(MilliwattHours::get), scale::ENERGY),
            ];
            for (j, ((value, scale), last)) in values.into_iter().zip(last).enumerate() {
                packer.last(1 << (5 * i + j), last, value, scale)?;
            }
        }
        Ok(())
    }

    /// Milliseconds since the last known time, if both are known.
    fn elapsed_if(&self, time: Option<u64>) -> Option<u64> {
        if self.time.present {
            time.map(|time| time.wrapping_sub(self.time.raw))
        } else {
            None
        }
    }

    /// Unpacks the next reading from the front of `bytes` and gives it with the number of bytes
    /// it took. The rules of a reading are checked when it is encoded.
    ///
    /// # Errors
    /// [`PackError::Truncated`], [`PackError::OutOfRange`]; then the codec is spoilt.
    pub fn unpack(&mut self, bytes: &[u8]) -> Result<(AnyReading, usize), PackError> {
        let mut unpacker = Unpacker {
            rest: bytes,
            differs: 0,
        };
        unpacker.differs = unpacker.u16()?;
        let sum = self.unpack_sum(&mut unpacker)?;
        let phases = if self.record_type == RecordType::ThreePhaseReading {
            unpacker.differs = unpacker.u16()?;
            Some(self.unpack_phases(&mut unpacker)?)
        } else {
            None
        };
        Ok((
            AnyReading::new(sum, phases),
            bytes.len() - unpacker.rest.len(),
        ))
    }

    fn unpack_sum(&mut self, unpacker: &mut Unpacker<'_>) -> Result<Reading, PackError> {
        unpacker.plain(differs::BOOT, &mut self.boot, 0)?;
        unpacker.plain(differs::SEQUENCE, &mut self.sequence, 1)?;
        let before = self.time;
        let expected = self.time.raw.wrapping_add(self.time_step);
        let time = unpacker.optional(differs::TIME, &mut self.time, expected, scale::NONE)?;
        if before.present
            && let Some(time) = time
        {
            self.time_step = time.wrapping_sub(before.raw);
        }
        unpacker.plain(differs::UPTIME, &mut self.uptime, self.time_step)?;
        if unpacker.differs & differs::TIME_QUALITY != 0 {
            self.time_quality = unpacker.take(1)?[0];
        }
        let before = (self.import_total, self.export_total);
        let power = unpacker.last(differs::POWER, &mut self.power, scale::POWER)?;
        let import_total =
            unpacker.last(differs::IMPORT_TOTAL, &mut self.import_total, scale::ENERGY)?;
        let export_total =
            unpacker.last(differs::EXPORT_TOTAL, &mut self.export_total, scale::ENERGY)?;
        unpacker.plain(differs::COUNTER_EPOCH, &mut self.counter_epoch, 0)?;
        self.follows_export = unpacker.differs & differs::FOLLOWS_EXPORT != 0;
        let expected = if self.follows_export {
            self.export_total.raw.wrapping_sub(before.1.raw)
        } else {
            self.import_total.raw.wrapping_sub(before.0.raw)
        };
        unpacker.plain(differs::PRODUCED, &mut self.produced, expected)?;
        let voltage = unpacker.last(differs::VOLTAGE, &mut self.voltage, scale::POWER)?;
        let current = unpacker.last(differs::CURRENT, &mut self.current, scale::NONE)?;
        let reactive = unpacker.last(
            differs::REACTIVE_POWER,
            &mut self.reactive_power,
            scale::POWER,
        )?;
        let temperature =
            unpacker.last(differs::TEMPERATURE, &mut self.temperature, scale::NONE)?;
        if unpacker.differs & differs::FLAGS != 0 {
            self.flags = unpacker.u16()?;
        }
        Ok(Reading {
            meter: self.meter,
            boot: required(narrow::<u32>(self.boot)?)?,
            sequence: required(self.sequence)?,
            time: time.map(required).transpose()?,
            uptime: required(self.uptime)?,
            time_quality: TimeQuality::take(&[self.time_quality])
                .map_err(|_| PackError::OutOfRange)?,
            power: signed(power)?,
            import_total: import_total.map(required).transpose()?,
            export_total: export_total.map(required).transpose()?,
            counter_epoch: required(narrow::<u16>(self.counter_epoch)?)?,
            produced: required(self.produced)?,
            voltage: narrowed(voltage)?,
            current: narrowed(current)?,
            reactive_power: signed(reactive)?,
            temperature: temperature
                .map(|raw| required(i16::try_from(raw as i64).map_err(|_| PackError::OutOfRange)?))
                .transpose()?,
            flags: ReadingFlags::from_bits(self.flags).ok_or(PackError::OutOfRange)?,
        })
    }

    fn unpack_phases(&mut self, unpacker: &mut Unpacker<'_>) -> Result<[Phase; 3], PackError> {
        let mut phases = [Phase::ABSENT; 3];
        for (i, (phase, last)) in phases.iter_mut().zip(&mut self.phases).enumerate() {
            let scales = [
                scale::POWER,
                scale::POWER,
                scale::NONE,
                scale::ENERGY,
                scale::ENERGY,
            ];
            let mut values = [None; 5];
            for (j, last) in last.iter_mut().enumerate() {
                values[j] = unpacker.last(1 << (5 * i + j), last, scales[j])?;
            }
            let [power, voltage, current, import_total, export_total] = values;
            *phase = Phase {
                power: signed(power)?,
                voltage: narrowed(voltage)?,
                current: narrowed(current)?,
                import_total: import_total.map(required).transpose()?,
                export_total: export_total.map(required).transpose()?,
            };
        }
        Ok(phases)
    }
}

fn required<U: Unit>(raw: U::Raw) -> Result<U, PackError> {
    U::from_raw(raw).ok_or(PackError::OutOfRange)
}

fn narrow<T: TryFrom<u64>>(raw: u64) -> Result<T, PackError> {
    T::try_from(raw).map_err(|_| PackError::OutOfRange)
}

fn narrowed<U: Unit<Raw = u32>>(raw: Option<u64>) -> Result<Option<U>, PackError> {
    raw.map(|raw| required(narrow::<u32>(raw)?)).transpose()
}

fn signed<U: Unit<Raw = i64>>(raw: Option<u64>) -> Result<Option<U>, PackError> {
    raw.map(|raw| required(raw as i64)).transpose()
}

struct Packer<'a> {
    out: &'a mut [u8],
    len: usize,
    differs: u16,
}

impl Packer<'_> {
    /// A value that is always there and expected `step` above the last.
    fn plain(&mut self, bit: u16, last: &mut u64, now: u64, step: u64) -> Result<(), PackError> {
        let expected = last.wrapping_add(step);
        *last = now;
        if now == expected {
            return Ok(());
        }
        self.differs |= bit;
        self.varint(u128::from(zigzag(now.wrapping_sub(expected) as i64)))
    }

    /// A value that may be absent and is expected as it was last.
    fn last(
        &mut self,
        bit: u16,
        last: &mut Last,
        now: Option<u64>,
        scale: i64,
    ) -> Result<(), PackError> {
        self.optional(bit, last, last.raw, now, scale)
    }

    /// A value that may be absent: 0 for absent; else, one above, twice the difference in scaled
    /// steps, or twice the plain difference and one.
    fn optional(
        &mut self,
        bit: u16,
        last: &mut Last,
        expected: u64,
        now: Option<u64>,
        scale: i64,
    ) -> Result<(), PackError> {
        let was_present = last.present;
        last.present = now.is_some();
        let Some(raw) = now else {
            if was_present {
                self.differs |= bit;
                self.varint(0)?;
            }
            return Ok(());
        };
        last.raw = raw;
        if was_present && raw == expected {
            return Ok(());
        }
        self.differs |= bit;
        let difference = raw.wrapping_sub(expected) as i64;
        let code = if difference % scale == 0 {
            u128::from(zigzag(difference / scale)) << 1
        } else {
            u128::from(zigzag(difference)) << 1 | 1
        };
        self.varint(code + 1)
    }

    fn varint(&mut self, mut value: u128) -> Result<(), PackError> {
        while value >= 0x80 {
            self.put(&[value as u8 | 0x80])?;
            value >>= 7;
        }
        self.put(&[value as u8])
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        let at = self.len;
        self.skip(bytes.len())?;
        self.out[at..self.len].copy_from_slice(bytes);
        Ok(())
    }

    fn skip(&mut self, len: usize) -> Result<(), PackError> {
        if self.out.len() < self.len + len {
            return Err(PackError::NoRoom);
        }
        self.len += len;
        Ok(())
    }
}

struct Unpacker<'a> {
    rest: &'a [u8],
    differs: u16,
}

impl<'a> Unpacker<'a> {
    fn plain(&mut self, bit: u16, last: &mut u64, step: u64) -> Result<(), PackError> {
        *last = last.wrapping_add(step);
        if self.differs & bit != 0 {
            let code = narrow_code(self.varint()?)?;
            *last = last.wrapping_add(unzigzag(code) as u64);
        }
        Ok(())
    }

    fn last(&mut self, bit: u16, last: &mut Last, scale: i64) -> Result<Option<u64>, PackError> {
        self.optional(bit, last, last.raw, scale)
    }

    fn optional(
        &mut self,
        bit: u16,
        last: &mut Last,
        expected: u64,
        scale: i64,
    ) -> Result<Option<u64>, PackError> {
        if self.differs & bit == 0 {
            if last.present {
                last.raw = expected;
            }
        } else if let Some(code) = self.varint()?.checked_sub(1) {
            let difference = unzigzag(narrow_code(code >> 1)?);
            let difference = if code & 1 == 0 {
                difference.wrapping_mul(scale)
            } else {
                difference
            };
            *last = Last {
                present: true,
                raw: expected.wrapping_add(difference as u64),
            };
        } else {
            last.present = false;
        }
        Ok(last.present.then_some(last.raw))
    }

    fn varint(&mut self) -> Result<u128, PackError> {
        let mut value = 0;
        for i in 0..MAX_VARINT {
            let byte = self.take(1)?[0];
            value |= u128::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(PackError::OutOfRange)
    }

    fn u16(&mut self) -> Result<u16, PackError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], PackError> {
        let (head, tail) = self
            .rest
            .split_at_checked(len)
            .ok_or(PackError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }
}

fn narrow_code(code: u128) -> Result<u64, PackError> {
    u64::try_from(code).map_err(|_| PackError::OutOfRange)
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

const fn unzigzag(code: u64) -> i64 {
    (code >> 1) as i64 ^ -((code & 1) as i64)
}
