//! Bits under adaptive probabilities: what a range coder needs to know of a bit, and the decoder of
//! it. It gives the bits no meaning.

/// Codes bits: an encoder writes the bit that it is given, a decoder reads one and gives it back.
/// All that is said of a delta is written once over this trait, so that both agree.
pub(super) trait Bits {
    /// Why a bit is not there.
    type Error;

    /// Codes a bit that is 0 with a probability of `zero`/65,536.
    fn bit(&mut self, zero: u16, bit: bool) -> Result<bool, Self::Error>;
}

/// A probability that follows fast where it is not sure, for what is coded often in one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    fast: u16,
    slow: u16,
}

impl Flag {
    pub(super) const EVEN: Self = Self {
        fast: 1 << 15,
        slow: 1 << 15,
    };

    pub(super) fn code<B: Bits>(&mut self, bits: &mut B, bit: bool) -> Result<bool, B::Error> {
        let zero = (u32::from(self.fast) + u32::from(self.slow)) / 2;
        let bit = bits.bit((zero as u16).clamp(FLOOR, u16::MAX - FLOOR), bit)?;
        learn(&mut self.fast, bit, 4);
        learn(&mut self.slow, bit, 7);
        Ok(bit)
    }
}

const FLOOR: u16 = 32;

fn learn(zero: &mut u16, bit: bool, rate: u32) {
    if bit {
        *zero -= *zero >> rate;
    } else {
        *zero += (u16::MAX - *zero) >> rate;
    }
}

/// A probability that is learnt in one pace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slow(u16);

impl Slow {
    pub(super) const EVEN: Self = Self(1 << 15);

    pub(super) fn code<B: Bits>(&mut self, bits: &mut B, bit: bool) -> Result<bool, B::Error> {
        let bit = bits.bit(self.0.clamp(FLOOR, u16::MAX - FLOOR), bit)?;
        learn(&mut self.0, bit, 4);
        Ok(bit)
    }
}

/// A byte, from its highest bit down, each bit in the context of those before it.
#[derive(Clone, Debug)]
pub(super) struct Tree([Slow; 256]);

impl Tree {
    pub(super) const EVEN: Self = Self([Slow::EVEN; 256]);

    pub(super) fn code<B: Bits>(&mut self, bits: &mut B, byte: u8) -> Result<u8, B::Error> {
        let mut node = 1;
        for place in (0..8).rev() {
            let bit = self.0[node].code(bits, byte >> place & 1 == 1)?;
            node = node << 1 | usize::from(bit);
        }
        Ok(node as u8)
    }
}

/// A number of up to 32 bits: how many it has, then those below the highest.
#[derive(Clone, Debug)]
pub(super) struct Number {
    more: [Slow; 33],
    low: [Slow; 32],
}

impl Number {
    pub(super) const EVEN: Self = Self {
        more: [Slow::EVEN; 33],
        low: [Slow::EVEN; 32],
    };

    pub(super) fn code<B: Bits>(&mut self, bits: &mut B, number: u32) -> Result<u32, B::Error> {
        let wanted = 32 - number.leading_zeros();
        let mut len = 0;
        while len < 32 && self.more[len as usize].code(bits, len < wanted)? {
            len += 1;
        }
        if len == 0 {
            return Ok(0);
        }
        let mut coded = 1;
        for place in (0..len - 1).rev() {
            let bit = self.low[place as usize].code(bits, number >> place & 1 == 1)?;
            coded = coded << 1 | u32::from(bit);
        }
        Ok(coded)
    }

    /// A number with a sign, which comes last and counts as the lowest bit.
    pub(super) fn code_signed<B: Bits>(
        &mut self,
        bits: &mut B,
        number: i32,
    ) -> Result<i32, B::Error> {
        let folded = self.code(bits, (number << 1 ^ number >> 31) as u32)?;
        Ok((folded >> 1) as i32 ^ -((folded & 1) as i32))
    }
}
