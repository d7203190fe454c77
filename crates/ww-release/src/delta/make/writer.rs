//! The encoder of a range coder with carry, as in LZMA but for its end: the zeros that would come last
//! are left out. It is the other half of the decoder's.

use std::vec::Vec;

use crate::delta::coder::Bits;
use crate::delta::{HEADER_BYTES, TAIL_BYTES};

pub(super) struct RangeEncoder {
    out: Vec<u8>,
    low: u64,
    range: u32,
    /// The last byte that a carry may still change; there is none before the first.
    held: Option<u8>,
    /// Bytes of 255 after it, which a carry goes through.
    full: usize,
}

impl RangeEncoder {
    /// Writes after what there is.
    pub(super) fn new(out: Vec<u8>) -> Self {
        Self {
            out,
            low: 0,
            range: u32::MAX,
            held: None,
            full: 0,
        }
    }

    fn shift(&mut self) {
        let (carry, top) = ((self.low >> 32) as u8, (self.low >> 24) as u8);
        if top == 0xff && carry == 0 {
            self.full += 1;
        } else {
            if let Some(held) = self.held {
                self.out.push(held.wrapping_add(carry));
            }
            let filler = 0xff_u8.wrapping_add(carry);
            self.out.extend(core::iter::repeat_n(filler, self.full));
            self.full = 0;
            self.held = Some(top);
        }
        self.low = (self.low & 0x00ff_ffff) << 8;
    }

    /// What was written, with the shortest end that leaves no doubt.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let last = self.low + u64::from(self.range) - 1;
        let end = (0..=32)
            .rev()
            .map(|zeros| last >> zeros << zeros)
            .find(|end| *end >= self.low);
        self.low = end.unwrap_or(self.low);
        for _ in 0..5 {
            self.shift();
        }
        for _ in 0..TAIL_BYTES {
            if self.out.len() > HEADER_BYTES && self.out.last() == Some(&0) {
                self.out.pop();
            }
        }
        self.out
    }
}

/// How long something would be if it were said, in 256ths of a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Length(u64);

impl Bits for Length {
    type Error = core::convert::Infallible;

    fn bit(&mut self, zero: u16, bit: bool) -> Result<bool, Self::Error> {
        let probability = if bit {
            0x1_0000 - u32::from(zero)
        } else {
            zero.into()
        };
        self.0 += u64::from(length(probability));
        Ok(bit)
    }
}

/// Of a bit with a probability of so many 65,536ths: the negative logarithm, which is followed along a
/// line between powers of two.
fn length(probability: u32) -> u32 {
    let whole = probability.ilog2();
    let part = (probability << 8 >> whole) - 256;
    (16 - whole) * 256 - part
}

impl Bits for RangeEncoder {
    type Error = core::convert::Infallible;

    fn bit(&mut self, zero: u16, bit: bool) -> Result<bool, Self::Error> {
        while self.range < 1 << 24 {
            self.shift();
            self.range <<= 8;
        }
        let bound = (self.range >> 16) * u32::from(zero);
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        Ok(bit)
    }
}
