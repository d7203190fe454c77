//! Instructions by their fields, where one stands instead of another: what is the same in both, and
//! what else is there, each field among those of its kind.

use super::coder::{Bits, Flag, Rough};

/// How many kinds of short instructions there are, by what their fields hold.
const CLASSES: usize = 13;

/// The kind of the short instructions with this opcode, which is the quadrant and what the highest bits
/// say.
const fn class(opcode: u32) -> usize {
    match opcode {
        0 => 0,
        1..=4 => 1,
        5..=7 => 2,
        8 => 3,
        9 | 13 => 4,
        10 => 5,
        11 => 6,
        12 => 7,
        14 | 15 => 8,
        18 => 10,
        20 => 11,
        22 => 12,
        _ => 9,
    }
}

/// What is learnt of fields.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    /// By field, and whether one before it is another.
    long_same: [[Flag; 2]; 6],
    short_same: [[Flag; 2]; 4],
    opcode: [Rough; 32],
    function: [[Rough; 8]; 4],
    register: [[Rough; 32]; 2],
    third: [[Rough; 32]; 2],
    top: [Rough; 128],
    short_opcode: [Rough; 32],
    low: [[Rough; 32]; CLASSES],
    middle: [[Rough; 32]; CLASSES],
    high: [Rough; 8],
}

impl Fields {
    pub(super) const EVEN: Self = Self {
        long_same: [[Flag::EVEN; 2]; 6],
        short_same: [[Flag::EVEN; 2]; 4],
        opcode: [Rough::EVEN; 32],
        function: [[Rough::EVEN; 8]; 4],
        register: [[Rough::EVEN; 32]; 2],
        third: [[Rough::EVEN; 32]; 2],
        top: [Rough::EVEN; 128],
        short_opcode: [Rough::EVEN; 32],
        low: [[Rough::EVEN; 32]; CLASSES],
        middle: [[Rough::EVEN; 32]; CLASSES],
        high: [Rough::EVEN; 8],
    };

    /// A long instruction instead of another, or of nothing.
    pub(super) fn long<B: Bits>(
        &mut self,
        bits: &mut B,
        old: Option<u32>,
        new: u32,
    ) -> Result<u32, B::Error> {
        let mut coded = 3;
        let mut others = 0;
        for (index, (place, width)) in [(2, 5), (7, 5), (12, 3), (15, 5), (20, 5), (25, 7)]
            .into_iter()
            .enumerate()
        {
            let mask = (1 << width) - 1;
            let is = new >> place & mask;
            let opcode = coded >> 2 & 31;
            // Registers, or parts of a number.
            let is_register = usize::from(matches!(opcode, 0x0c | 0x08 | 0x18));
            let nodes: &mut [Rough] = match index {
                0 => &mut self.opcode,
                1 => &mut self.register[0],
                2 => &mut self.function[(opcode >> 2 & 3) as usize],
                3 => &mut self.register[1],
                4 => &mut self.third[is_register],
                _ => &mut self.top,
            };
            let same = &mut self.long_same[index][others.min(1)];
            let is = match old.map(|old| old >> place & mask) {
                Some(was) if same.code(bits, was == is)? => was,
                _ => {
                    others += 1;
                    branch(bits, nodes, width, is)?
                }
            };
            coded |= is << place;
        }
        Ok(coded)
    }

    /// A short instruction instead of another, or of nothing.
    pub(super) fn short<B: Bits>(
        &mut self,
        bits: &mut B,
        old: Option<u32>,
        new: u32,
    ) -> Result<u32, B::Error> {
        // The opcode's two parts side by side.
        let turned =
            |word: u32| (word & 3) << 14 | word >> 13 << 11 | word >> 12 & 1 | (word & 0xffc) >> 1;
        let (old, new) = (old.map(turned), turned(new));
        let mut coded = 0;
        let mut others = 0;
        for (index, (place, width)) in [(11, 5), (6, 5), (1, 5), (0, 1)].into_iter().enumerate() {
            let mask = (1 << width) - 1;
            let is = new >> place & mask;
            let class = class(coded >> 11);
            let nodes: &mut [Rough] = match index {
                0 => &mut self.short_opcode,
                1 => &mut self.middle[class],
                2 => &mut self.low[class],
                _ => &mut self.high,
            };
            let same = &mut self.short_same[index][others.min(1)];
            let is = match old.map(|old| old >> place & mask) {
                Some(was) if same.code(bits, was == is)? => was,
                _ => {
                    others += 1;
                    branch(bits, nodes, width, is)?
                }
            };
            coded |= is << place;
        }
        Ok(coded >> 14 | (coded >> 11 & 7) << 13 | (coded & 1) << 12 | coded << 1 & 0xffc)
    }
}

/// A number of `width` bits, from the highest down, each in the context of those before it.
fn branch<B: Bits>(
    bits: &mut B,
    nodes: &mut [Rough],
    width: u32,
    number: u32,
) -> Result<u32, B::Error> {
    let mut node = 1;
    for place in (0..width).rev() {
        let bit = nodes[node].code(bits, number >> place & 1 == 1)?;
        node = node << 1 | usize::from(bit);
    }
    Ok(node as u32 - (1 << width))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::delta::coder::Taken;

    #[test]
    fn every_short_instruction_is_said_as_it_is() {
        let mut fields = Fields::EVEN;
        for new in (0..=u32::from(u16::MAX)).filter(|new| new & 3 != 3) {
            for old in [None, Some(new ^ 0x1041)] {
                assert_eq!(fields.short(&mut Taken, old, new), Ok(new));
            }
        }
    }

    proptest! {
        #[test]
        fn any_long_instruction_is_said_as_it_is(old: Option<u32>, new: u32) {
            let new = new | 3;
            let mut fields = Fields::EVEN;
            prop_assert_eq!(fields.long(&mut Taken, old, new), Ok(new));
        }
    }
}
