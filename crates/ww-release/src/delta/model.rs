//! What a delta says, in the order in which it says it, once for the encoder and the decoder: commands,
//! then each unit of what is copied and each byte of what is new.

use super::coder::{Bits, Flag, Number, Tree};
use super::landmarks::Landmarks;
use super::riscv::{self, Frame, KINDS, Reference};

/// The most bytes of a unit.
pub(super) const UNIT_BYTES: usize = 8;

/// New bytes, then old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// How many new bytes.
    pub(super) literal: u32,
    /// How many old ones after them.
    pub(super) copy: u32,
    /// Where the old ones lie.
    pub(super) from: u32,
}

/// Why a delta cannot go on.
pub(super) enum Impossible<E> {
    /// A bit is not there.
    Bits(E),
    /// It says what cannot be.
    Nonsense(&'static str),
}

impl<E> From<E> for Impossible<E> {
    fn from(error: E) -> Self {
        Self::Bits(error)
    }
}

type Possible<T, B> = Result<T, Impossible<<B as Bits>::Error>>;

/// A unit of what is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) bytes: [u8; UNIT_BYTES],
    pub(super) len: usize,
}

#[derive(Clone, Debug)]
struct ReferenceModel {
    /// By whether the guesses agree, and whether the last reference of the kind was as expected.
    expected: [Flag; 4],
    linked: Flag,
    above: Flag,
}

impl ReferenceModel {
    const EVEN: Self = Self {
        expected: [Flag::EVEN; 4],
        linked: Flag::EVEN,
        above: Flag::EVEN,
    };
}

/// All that is learnt.
#[derive(Clone, Debug)]
pub(super) struct Model {
    frame: Frame,
    landmarks: Landmarks,
    references: [ReferenceModel; KINDS],
    surprised: u8,
    shift: Number,
    /// By the length of a unit, and which of the last ones were the same.
    same: [[Flag; 16]; 3],
    history: usize,
    same_byte: [[Flag; 4]; 3],
    difference: Tree,
    literals: [Tree; 2],
    literal_len: Number,
    copy_len: Number,
    known_source: Flag,
    source: Number,
}

impl Model {
    pub(super) const fn new(frame: Frame) -> Self {
        Self {
            frame,
            landmarks: Landmarks::NONE,
            references: [const { ReferenceModel::EVEN }; KINDS],
            surprised: 0,
            shift: Number::EVEN,
            same: [[Flag::EVEN; 16]; 3],
            history: 0,
            same_byte: [[Flag::EVEN; 4]; 3],
            difference: Tree::EVEN,
            literals: [const { Tree::EVEN }; 2],
            literal_len: Number::EVEN,
            copy_len: Number::EVEN,
            known_source: Flag::EVEN,
            source: Number::EVEN,
        }
    }

    /// The command at `place`, of `left` bytes that are still to be made; the last copy ended at `end`
    /// in the old image.
    pub(super) fn command<B: Bits>(
        &mut self,
        bits: &mut B,
        place: u32,
        left: u32,
        end: u32,
        wanted: Command,
    ) -> Possible<Command, B> {
        let literal = self.literal_len.code(bits, wanted.literal)?;
        let copy_most = left.checked_sub(literal);
        let copy_most =
            copy_most.ok_or(Impossible::Nonsense("more new bytes than are to be made"))?;
        if copy_most == 0 {
            return Ok(Command {
                literal,
                copy: 0,
                from: end,
            });
        }
        let copy = self.copy_len.code(bits, wanted.copy.wrapping_sub(1))?;
        if copy >= copy_most {
            return Err(Impossible::Nonsense("more old bytes than are to be made"));
        }
        let place = place + literal;
        let known = place.wrapping_sub(self.landmarks.guess(end).above);
        let from = if self.known_source.code(bits, known == wanted.from)? {
            known
        } else {
            let expected = end.wrapping_add(literal);
            let ahead = self
                .source
                .code_signed(bits, wanted.from.wrapping_sub(expected) as i32)?;
            expected.wrapping_add(ahead as u32)
        };
        self.landmarks.learn(from, place.wrapping_sub(from));
        Ok(Command {
            literal,
            copy: copy + 1,
            from,
        })
    }

    /// A new byte at `place`.
    pub(super) fn literal<B: Bits>(
        &mut self,
        bits: &mut B,
        place: u32,
        wanted: u8,
    ) -> Possible<u8, B> {
        self.history = 0;
        Ok(self.literals[(place & 1) as usize].code(bits, wanted)?)
    }

    /// The unit at `place` that is made from what the old image holds at `from`, of which `old` is at
    /// least one byte and no more than are to be copied.
    pub(super) fn unit<B: Bits>(
        &mut self,
        bits: &mut B,
        place: u32,
        from: u32,
        old: &[u8],
        wanted: &[u8],
    ) -> Possible<Unit, B> {
        if (place | from) & 1 == 0
            && let Some(reference) = Reference::read(old, from, self.frame)
            && let Some(unit) = self.reference(bits, place, reference, wanted)?
        {
            return Ok(unit);
        }
        let len = match old {
            _ if from & 1 == 1 => 1,
            [first, ..] => riscv::instruction_len(*first),
            [] => return Err(Impossible::Nonsense("a unit of no bytes")),
        };
        let len = len.min(old.len());
        Ok(self.plain(bits, &old[..len], wanted)?)
    }

    fn reference<B: Bits>(
        &mut self,
        bits: &mut B,
        place: u32,
        old: Reference,
        wanted: &[u8],
    ) -> Possible<Option<Unit>, B> {
        let (kind, frame) = (old.kind, self.frame);
        let len = kind.len();
        let moved = |shift: u32| Reference {
            target: old.target.wrapping_add(shift),
            ..old
        };
        let unit = |reference: Reference| {
            let bytes = reference.write(place, frame);
            bytes.map(|bytes| Unit { bytes, len })
        };
        let guess = self.landmarks.guess(old.target);
        let model = &mut self.references[kind as usize];
        let agreed = usize::from(guess.below == guess.above);
        let surprised = usize::from(self.surprised >> kind as usize & 1);
        let expected = unit(moved(guess.below));
        let is_expected = expected.is_some_and(|unit| wanted.starts_with(&unit.bytes[..len]));
        if model.expected[agreed << 1 | surprised].code(bits, is_expected)? {
            self.surprised &= !(1 << kind as usize);
            return match expected {
                Some(unit) => Ok(Some(unit)),
                None => Err(Impossible::Nonsense("a reference out of reach")),
            };
        }
        self.surprised |= 1 << kind as usize;
        let new = Reference::read(wanted, place, frame)
            .filter(|new| new.kind == kind && new.rest == old.rest);
        if !model.linked.code(bits, new.is_some())? {
            return Ok(None);
        }
        let shift = new.map_or(0, |new| new.target.wrapping_sub(old.target));
        let shift = if guess.below != guess.above && model.above.code(bits, shift == guess.above)? {
            guess.above
        } else {
            let further = shift.wrapping_sub(guess.below) as i32;
            let further = self.shift.code_signed(bits, further)?;
            guess.below.wrapping_add(further as u32)
        };
        self.landmarks.learn(old.target, shift);
        match unit(moved(shift)) {
            Some(unit) => Ok(Some(unit)),
            None => Err(Impossible::Nonsense("a reference out of reach")),
        }
    }

    fn plain<B: Bits>(
        &mut self,
        bits: &mut B,
        old: &[u8],
        wanted: &[u8],
    ) -> Result<Unit, B::Error> {
        let len = old.len();
        let mut bytes = [0; UNIT_BYTES];
        bytes[..len].copy_from_slice(old);
        let size = len / 2;
        let same = self.same[size][self.history & 15].code(bits, wanted.starts_with(old))?;
        self.history = self.history << 1 | usize::from(!same);
        if same {
            return Ok(Unit { bytes, len });
        }
        for (place, old) in old.iter().enumerate() {
            let new = wanted.get(place).copied().unwrap_or(*old);
            if len > 1 && self.same_byte[size][place & 3].code(bits, new == *old)? {
                continue;
            }
            let difference = self.difference.code(bits, new.wrapping_sub(*old))?;
            bytes[place] = old.wrapping_add(difference);
        }
        Ok(Unit { bytes, len })
    }
}
