//! Deltas: a payload made from the one that a device runs. The decoder reads the old payload and the
//! delta where they lie, gives out the new one piece by piece, and allocates nothing; for a byte of code
//! it decodes about one binary decision in two and takes some two hundred machine instructions. It is no
//! security: the digest of what comes out is somebody else's affair. But no delta of an adversary's makes
//! it read outside of its sources, panic, or go on beyond the size that was expected.

mod coder;
mod fields;
mod landmarks;
#[cfg(feature = "make")]
mod make;
mod model;
mod riscv;
#[cfg(feature = "make")]
mod suffixes;

use coder::Bits;
#[cfg(feature = "make")]
pub use make::{MakeError, make};
use model::{AHEAD_BYTES, Command, Impossible, Model, UNIT_BYTES};
use riscv::Frame;

/// The number of this format.
pub const FORMAT: u8 = 1;

/// Bytes before the coded ones.
pub const HEADER_BYTES: usize = 13;

/// The most bytes of a payload that deltas are made from or to.
pub const MAX_PAYLOAD: u32 = 1 << 24;

/// Bytes that are read at once.
const WINDOW_BYTES: usize = 64;

/// Zeros that a decoder reads after the end of a delta.
const TAIL_BYTES: u32 = 4;

/// Where bytes lie: flash, as a rule.
pub trait Source {
    /// Why they cannot be read.
    type Error;

    /// Reads `bytes.len()` bytes, which are all there.
    ///
    /// # Errors
    /// What the medium says.
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error>;
}

/// Bytes in memory; none are read beyond their end.
impl Source for &[u8] {
    type Error = core::convert::Infallible;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let from = self.get(offset as usize..).unwrap_or_default();
        let len = bytes.len().min(from.len());
        bytes[..len].copy_from_slice(&from[..len]);
        Ok(())
    }
}

/// Why a delta gives no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError<E> {
    /// The old payload or the delta cannot be read.
    #[error("the old payload or the delta cannot be read")]
    Source(E),
    /// It is of another format.
    #[error("the delta is of format {0}")]
    Format(u8),
    /// It starts from a payload of another size.
    #[error("the delta starts from {0} bytes")]
    OldSize(u32),
    /// It leads to a payload of another size.
    #[error("the delta leads to {0} bytes")]
    NewSize(u32),
    /// It ends too early.
    #[error("the delta ends too early")]
    Truncated,
    /// It goes on after the new payload is whole.
    #[error("the delta goes on after the new payload is whole")]
    Trailing,
    /// It says what cannot be.
    #[error("the delta says what cannot be: {0}")]
    Nonsense(&'static str),
}

/// The sizes that a device knows of before it looks at a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of the delta.
    pub delta: u32,
    /// Bytes of the payload that it starts from.
    pub old: u32,
    /// Bytes of the payload that it leads to.
    pub new: u32,
}

/// Makes a new payload of an old one and a delta. It goes from the start to the end; what was interrupted
/// is done again, and gives the same.
#[derive(Debug)]
pub struct Decoder {
    sizes: Sizes,
    range: RangeDecoder,
    model: Model,
    old: Window,
    /// New bytes that were made.
    made: u32,
    /// What is left of the command.
    command: Command,
    /// Bytes of the unit that were not given out yet, from `given`.
    unit: [u8; UNIT_BYTES],
    given: u8,
    unit_len: u8,
}

impl Decoder {
    /// Opens a delta: reads its header.
    ///
    /// # Errors
    /// [`DeltaError::Source`], [`DeltaError::Format`], [`DeltaError::OldSize`], [`DeltaError::NewSize`],
    /// [`DeltaError::Truncated`].
    pub fn open<D: Source>(sizes: Sizes, delta: &mut D) -> Result<Self, DeltaError<D::Error>> {
        if sizes.delta < HEADER_BYTES as u32 {
            return Err(DeltaError::Truncated);
        }
        let mut header = [0; HEADER_BYTES];
        delta.read(0, &mut header).map_err(DeltaError::Source)?;
        let [format, numbers @ ..] = header;
        let number = |place: usize| {
            let bytes = numbers[4 * place..].first_chunk();
            bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
        };
        let (old, new, base) = (number(0), number(1), number(2));
        if format != FORMAT {
            return Err(DeltaError::Format(format));
        }
        if old != sizes.old || old > MAX_PAYLOAD {
            return Err(DeltaError::OldSize(old));
        }
        if new != sizes.new || new > MAX_PAYLOAD {
            return Err(DeltaError::NewSize(new));
        }
        Ok(Self {
            sizes,
            range: RangeDecoder::new(),
            model: Model::new(Frame::new(base, old.max(new))),
            old: Window::EMPTY,
            made: 0,
            command: Command {
                literal: 0,
                is_code: false,
                copy: 0,
                from: 0,
            },
            unit: [0; UNIT_BYTES],
            given: 0,
            unit_len: 0,
        })
    }

    /// Fills `out` with the next bytes of the new payload, as far as there are any, and says how many
    /// that are. With the last of them it has seen that the delta ends there.
    ///
    /// # Errors
    /// Any [`DeltaError`] but those of the header; the decoder is of no use then.
    pub fn decode<O: Source, D: Source<Error = O::Error>>(
        &mut self,
        old: &mut O,
        delta: &mut D,
        out: &mut [u8],
    ) -> Result<usize, DeltaError<O::Error>> {
        let mut filled = 0;
        while filled < out.len() {
            let unit = &self.unit[usize::from(self.given)..usize::from(self.unit_len)];
            if unit.is_empty() {
                if self.made == self.sizes.new {
                    break;
                }
                self.next_unit(old, delta)?;
                continue;
            }
            let len = unit.len().min(out.len() - filled);
            out[filled..filled + len].copy_from_slice(&unit[..len]);
            filled += len;
            self.given += len as u8;
        }
        let is_whole = self.made == self.sizes.new && self.given == self.unit_len;
        if is_whole && self.range.next < self.sizes.delta {
            return Err(DeltaError::Trailing);
        }
        Ok(filled)
    }

    fn next_unit<O: Source, D: Source<Error = O::Error>>(
        &mut self,
        old: &mut O,
        delta: &mut D,
    ) -> Result<(), DeltaError<O::Error>> {
        let mut bits = DeltaBits {
            range: &mut self.range,
            source: delta,
            len: self.sizes.delta,
        };
        if self.command.literal == 0 && self.command.copy == 0 {
            let left = self.sizes.new - self.made;
            let end = self.command.from;
            let wanted = self.command;
            self.command = self
                .model
                .command(&mut bits, self.made, left, end, wanted)?;
            let Command { copy, from, .. } = self.command;
            if from > self.sizes.old || copy > self.sizes.old - from {
                return Err(DeltaError::Nonsense("old bytes that are not there"));
            }
        }
        let Command {
            literal,
            is_code,
            copy,
            from,
        } = self.command;
        let unit = if literal > 0 {
            let unit = self
                .model
                .literal(&mut bits, self.made, literal, is_code, &[])?;
            self.command.literal -= unit.len as u32;
            unit
        } else {
            let most = copy.min(UNIT_BYTES as u32) as usize;
            let bytes = self.old.bytes(from, self.sizes.old, old)?;
            let unit = self
                .model
                .unit(&mut bits, self.made, from, bytes, most, &[])?;
            self.command.copy -= unit.len as u32;
            self.command.from += unit.len as u32;
            unit
        };
        (self.unit, self.unit_len) = (unit.bytes, unit.len as u8);
        self.given = 0;
        self.made += u32::from(self.unit_len);
        Ok(())
    }
}

impl<E> From<Impossible<DeltaError<E>>> for DeltaError<E> {
    fn from(impossible: Impossible<Self>) -> Self {
        match impossible {
            Impossible::Bits(error) => error,
            Impossible::Nonsense(what) => Self::Nonsense(what),
        }
    }
}

/// Bytes of the old payload that were read together.
#[derive(Debug)]
struct Window {
    bytes: [u8; WINDOW_BYTES],
    from: u32,
    len: u32,
}

impl Window {
    const EMPTY: Self = Self {
        bytes: [0; WINDOW_BYTES],
        from: 0,
        len: 0,
    };

    /// The bytes at `from` by which a unit is known, of a payload of `size` bytes.
    fn bytes<S: Source>(
        &mut self,
        from: u32,
        size: u32,
        source: &mut S,
    ) -> Result<&[u8], DeltaError<S::Error>> {
        let most = (size - from).min(AHEAD_BYTES as u32) as usize;
        let inside = from.checked_sub(self.from);
        let inside = inside.filter(|inside| inside + most as u32 <= self.len);
        let place = match inside {
            Some(place) => place as usize,
            None => {
                let len = (size - from).min(WINDOW_BYTES as u32);
                let read = source.read(from, &mut self.bytes[..len as usize]);
                read.map_err(DeltaError::Source)?;
                (self.from, self.len) = (from, len);
                0
            }
        };
        Ok(&self.bytes[place..place + most])
    }
}

/// The decoder of a range coder with carry, as in LZMA but for its end.
#[derive(Debug)]
struct RangeDecoder {
    range: u32,
    code: u32,
    /// Offset of the next byte, beyond the end too.
    next: u32,
    window: [u8; WINDOW_BYTES],
}

impl RangeDecoder {
    const fn new() -> Self {
        Self {
            // Four bytes are shifted in by the first bit.
            range: 0,
            code: 0,
            next: HEADER_BYTES as u32,
            window: [0; WINDOW_BYTES],
        }
    }
}

struct DeltaBits<'a, S> {
    range: &'a mut RangeDecoder,
    source: &'a mut S,
    len: u32,
}

impl<S: Source> DeltaBits<'_, S> {
    fn byte(&mut self) -> Result<u8, DeltaError<S::Error>> {
        let RangeDecoder { next, window, .. } = self.range;
        let place = (*next as usize - HEADER_BYTES) % WINDOW_BYTES;
        if *next >= self.len {
            if *next - self.len >= TAIL_BYTES {
                return Err(DeltaError::Truncated);
            }
            *next += 1;
            return Ok(0);
        }
        if place == 0 {
            let len = (self.len - *next).min(WINDOW_BYTES as u32);
            let read = self.source.read(*next, &mut window[..len as usize]);
            read.map_err(DeltaError::Source)?;
        }
        *next += 1;
        Ok(window[place])
    }
}

impl<S: Source> Bits for DeltaBits<'_, S> {
    type Error = DeltaError<S::Error>;

    fn bit(&mut self, zero: u16, _: bool) -> Result<bool, Self::Error> {
        if self.range.range == 0 {
            for _ in 0..4 {
                self.range.code = self.range.code << 8 | u32::from(self.byte()?);
            }
            self.range.range = u32::MAX;
        }
        while self.range.range < 1 << 24 {
            self.range.code = self.range.code << 8 | u32::from(self.byte()?);
            self.range.range <<= 8;
        }
        let bound = (self.range.range >> 16) * u32::from(zero);
        let bit = self.range.code >= bound;
        if bit {
            self.range.code -= bound;
            self.range.range -= bound;
        } else {
            self.range.range = bound;
        }
        Ok(bit)
    }
}
