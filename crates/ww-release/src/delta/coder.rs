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

/// The least probability of a bit, in 65,536ths.
const FLOOR: u16 = 32;

/// Follows a bit by a part of what is missing.
const fn learn(zero: u16, bit: bool, rate: u32) -> u16 {
    if bit {
        zero - (zero >> rate)
    } else {
        zero + ((u16::MAX - zero) >> rate)
    }
}

/// An exact probability, for bits that are nearly always the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag(u16);

impl Flag {
    pub(super) const EVEN: Self = Self(1 << 15);

    pub(super) fn code<B: Bits>(&mut self, bits: &mut B, bit: bool) -> Result<bool, B::Error> {
        let bit = bits.bit(self.0.clamp(FLOOR, u16::MAX - FLOOR), bit)?;
        self.0 = learn(self.0, bit, 5);
        Ok(bit)
    }
}

/// A rough probability in a byte, of which there are many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rough(u8);

impl Rough {
    pub(super) const EVEN: Self = Self(1 << 7);

    pub(super) fn code<B: Bits>(&mut self, bits: &mut B, bit: bool) -> Result<bool, B::Error> {
        let zero = u16::from(self.0) << 8 | 0x80;
        let bit = bits.bit(zero, bit)?;
        self.0 = (learn(zero, bit, 4) >> 8) as u8;
        Ok(bit)
    }
}

/// A byte, from its highest bit down, each bit in the context of those before it.
#[derive(Clone, Debug)]
pub(super) struct Tree([Rough; 256]);

impl Tree {
    pub(super) const EVEN: Self = Self([Rough::EVEN; 256]);

    pub(super) fn code<B: Bits>(&mut self, bits: &mut B, byte: u8) -> Result<u8, B::Error> {
        let mut node = 1;
        for place in (0..8).rev() {
            let bit = self.0[node].code(bits, byte >> place & 1 == 1)?;
            node = node << 1 | usize::from(bit);
        }
        Ok(node as u8)
    }
}

/// Bits of a number above which all count alike.
const LONGEST: usize = 23;

/// Its low bits, of which each has a probability of its own; those above them share the last one.
const LOW_BITS: usize = 10;

/// A number of up to 32 bits: how many it has, then those below the highest.
#[derive(Clone, Debug)]
pub(super) struct Number {
    more: [Flag; LONGEST + 1],
    low: [Flag; LOW_BITS],
}

impl Number {
    pub(super) const EVEN: Self = Self {
        more: [Flag::EVEN; LONGEST + 1],
        low: [Flag::EVEN; LOW_BITS],
    };

    pub(super) fn code<B: Bits>(&mut self, bits: &mut B, number: u32) -> Result<u32, B::Error> {
        let wanted = 32 - number.leading_zeros();
        let mut len = 0;
        while len < 32 && self.more[LONGEST.min(len as usize)].code(bits, len < wanted)? {
            len += 1;
        }
        if len == 0 {
            return Ok(0);
        }
        let mut coded = 1;
        for place in (0..len - 1).rev() {
            let low = &mut self.low[(LOW_BITS - 1).min(place as usize)];
            coded = coded << 1 | u32::from(low.code(bits, number >> place & 1 == 1)?);
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

/// Takes every bit as it comes.
#[cfg(test)]
pub(super) struct Taken;

#[cfg(test)]
impl Bits for Taken {
    type Error = core::convert::Infallible;

    fn bit(&mut self, _: u16, bit: bool) -> Result<bool, Self::Error> {
        Ok(bit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_probability_stays_within_its_bounds_and_is_learnt_both_ways() {
        struct Bounded;
        impl Bits for Bounded {
            type Error = u16;

            fn bit(&mut self, zero: u16, bit: bool) -> Result<bool, u16> {
                let bounds = FLOOR..=u16::MAX - FLOOR;
                bounds.contains(&zero).then_some(bit).ok_or(zero)
            }
        }
        for bit in [false, true] {
            let (mut exact, mut rough) = (Flag::EVEN, Rough::EVEN);
            for _ in 0..10_000 {
                assert_eq!(exact.code(&mut Bounded, bit), Ok(bit));
                assert_eq!(rough.code(&mut Bounded, bit), Ok(bit));
            }
            assert_eq!(exact.0 > 1 << 15, !bit);
            assert_eq!(rough.0 > 1 << 7, !bit);
        }
    }

    proptest! {
        #[test]
        fn any_number_is_said_as_it_is(number: u32, signed: i32, byte: u8) {
            prop_assert_eq!(Number::EVEN.clone().code(&mut Taken, number), Ok(number));
            prop_assert_eq!(Number::EVEN.clone().code_signed(&mut Taken, signed), Ok(signed));
            prop_assert_eq!(Tree::EVEN.clone().code(&mut Taken, byte), Ok(byte));
        }
    }
}
