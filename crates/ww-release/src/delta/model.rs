//! What a delta says, in the order in which it says it, once for the encoder and the decoder: commands,
//! then each unit of what is copied and each byte of what is new.

use super::coder::{Bits, Flag, Number, Tree};
use super::fields::Fields;
use super::landmarks::Landmarks;
use super::riscv::{self, Frame, KINDS, Kind, Offset, Reference, Upper};

/// The most bytes of a unit.
pub(super) const UNIT_BYTES: usize = 4;

/// Bytes of the old payload by which a unit is known.
pub(super) const AHEAD_BYTES: usize = 24;

/// New bytes, then old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// How many new bytes.
    pub(super) literal: u32,
    /// Whether they are instructions.
    pub(super) is_code: bool,
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

/// How many upper parts are remembered, and for how many old bytes.
pub(super) const UPPERS: usize = 3;
pub(super) const UPPER_REACH: u32 = 128;

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

/// An upper part that was met in what is copied: what it is in the old payload and in the new.
#[derive(Clone, Copy, Debug)]
struct Met {
    from: u32,
    old: Upper,
    new: Upper,
}

impl Met {
    const NONE: Self = {
        let none = Upper {
            register: 32,
            address: 0,
        };
        Self {
            from: 0,
            old: none,
            new: none,
        }
    };
}

/// All that is learnt.
#[derive(Clone, Debug)]
pub(super) struct Model {
    frame: Frame,
    landmarks: Landmarks,
    met: [Met; UPPERS],
    references: [ReferenceModel; KINDS],
    surprised: u8,
    shift: Number,
    /// By the length of a unit, or whether its register moved; and by which of the last four were others.
    same: [[Flag; 16]; 5],
    history: usize,
    /// The registers to which another number was added the last time.
    changed: u32,
    last_change: [i16; 32],
    is_number: Flag,
    as_last: Flag,
    change: Number,
    same_byte: [[Flag; 4]; 3],
    alike: [Flag; 2],
    fields: Fields,
    literals: Tree,
    literal_len: Number,
    is_code: Flag,
    is_long: Flag,
    copy_len: Number,
    known_source: Flag,
    source: Number,
}

impl Model {
    pub(super) const fn new(frame: Frame) -> Self {
        Self {
            frame,
            landmarks: Landmarks::NONE,
            met: [Met::NONE; UPPERS],
            references: [const { ReferenceModel::EVEN }; KINDS],
            surprised: 0,
            shift: Number::EVEN,
            same: [[Flag::EVEN; 16]; 5],
            history: 0,
            changed: 0,
            last_change: [0; 32],
            is_number: Flag::EVEN,
            as_last: Flag::EVEN,
            change: Number::EVEN,
            same_byte: [[Flag::EVEN; 4]; 3],
            alike: [Flag::EVEN; 2],
            fields: Fields::EVEN,
            literals: Tree::EVEN,
            literal_len: Number::EVEN,
            is_code: Flag::EVEN,
            is_long: Flag::EVEN,
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
        let is_code = literal > 0 && self.is_code.code(bits, wanted.is_code)?;
        let copy_most = left.checked_sub(literal);
        let copy_most =
            copy_most.ok_or(Impossible::Nonsense("more new bytes than are to be made"))?;
        if copy_most == 0 {
            return Ok(Command {
                literal,
                is_code,
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
            is_code,
            copy: copy + 1,
            from,
        })
    }

    /// New bytes at `place`, of `most` that follow: a byte, or an instruction.
    pub(super) fn literal<B: Bits>(
        &mut self,
        bits: &mut B,
        place: u32,
        most: u32,
        is_code: bool,
        wanted: &[u8],
    ) -> Possible<Unit, B> {
        self.history = 0;
        if !is_code || place & 1 == 1 || most < 4 {
            let byte = wanted.first().copied().unwrap_or_default();
            let byte = self.literals.code(bits, byte)?;
            return Ok(Unit {
                bytes: [byte, 0, 0, 0],
                len: 1,
            });
        }
        let word = wanted
            .first_chunk()
            .map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let is_long = self.is_long.code(bits, word & 3 == 3)?;
        let (word, len) = match is_long {
            true => (self.fields.long(bits, None, word)?, 4),
            false => (self.fields.short(bits, None, word & 0xffff)?, 2),
        };
        Ok(Unit {
            bytes: word.to_le_bytes(),
            len,
        })
    }

    /// The unit at `place` that is made from what the old payload holds at `from`: of `old`, which is at
    /// least a byte, up to `most` bytes.
    pub(super) fn unit<B: Bits>(
        &mut self,
        bits: &mut B,
        place: u32,
        from: u32,
        old: &[u8],
        most: usize,
        wanted: &[u8],
    ) -> Possible<Unit, B> {
        let is_code = (place | from) & 1 == 0;
        let first = *old
            .first()
            .ok_or(Impossible::Nonsense("a unit of no bytes"))?;
        let len = if from & 1 == 1 {
            1
        } else {
            riscv::instruction_len(first)
        };
        let len = len.min(most).min(old.len());
        if !is_code {
            return self.plain(bits, &old[..len], wanted, is_code);
        }
        let met = self.met_at(from, old);
        let reference = match met.and_then(|met| Reference::read_lower(old, met.old)) {
            Some(lower) => Some(lower),
            None => Reference::read(old, from, self.frame),
        };
        let reference = reference.filter(|reference| reference.kind.len() <= most);
        let new = met.unwrap_or(Met::NONE).new;
        let unit = match reference {
            Some(reference) => self.reference(bits, place, reference, new, wanted)?,
            None => None,
        };
        let unit = match unit {
            Some(unit) => unit,
            None => self.plain(bits, &old[..len], wanted, is_code)?,
        };
        self.remember(place, from, old, &unit);
        Ok(unit)
    }

    fn met_at(&self, from: u32, old: &[u8]) -> Option<Met> {
        let recent = |met: &&Met| from.wrapping_sub(met.from) < UPPER_REACH;
        let fits = |met: &&Met| Reference::read_lower(old, met.old).is_some();
        self.met.iter().filter(recent).find(fits).copied()
    }

    fn remember(&mut self, place: u32, from: u32, old: &[u8], unit: &Unit) {
        if let Some(written) = riscv::written(old) {
            for met in &mut self.met {
                if met.old.register == written {
                    *met = Met::NONE;
                }
            }
        }
        let old = Upper::read(old, from, self.frame);
        let new = Upper::read(&unit.bytes, place, self.frame);
        if let (Some(old), Some(new)) = (old, new)
            && old.register == new.register
        {
            self.met.rotate_right(1);
            self.met[0] = Met { from, old, new };
        }
    }

    fn reference<B: Bits>(
        &mut self,
        bits: &mut B,
        place: u32,
        old: Reference,
        upper: Upper,
        wanted: &[u8],
    ) -> Possible<Option<Unit>, B> {
        let (kind, frame) = (old.kind, self.frame);
        let len = kind.len();
        let moved = |shift: u32| Reference {
            target: old.target.wrapping_add(shift),
            ..old
        };
        let unit = |reference: Reference| {
            let bytes = reference.write(place, frame, upper);
            bytes.map(|bytes| Unit { bytes, len })
        };
        let reached = |unit: Option<Unit>| match unit {
            Some(unit) => Ok(Some(unit)),
            None => Err(Impossible::Nonsense("a reference out of reach")),
        };
        let guess = self.landmarks.guess(old.target);
        let model = &mut self.references[kind as usize];
        let agreed = usize::from(guess.below == guess.above);
        let surprised = usize::from(self.surprised >> kind as usize & 1);
        let expected = unit(moved(guess.below));
        let is_expected = expected.is_some_and(|unit| wanted.starts_with(&unit.bytes[..len]));
        if model.expected[agreed << 1 | surprised].code(bits, is_expected)? {
            self.surprised &= !(1 << kind as usize);
            return reached(expected);
        }
        self.surprised |= 1 << kind as usize;
        let new = match kind {
            Kind::Lower => Reference::read_lower(wanted, upper),
            Kind::Upper | Kind::ShortUpper => {
                Upper::read(wanted, place, frame).map(|upper| Reference {
                    target: upper.address,
                    ..old
                })
            }
            _ => Reference::read(wanted, place, frame),
        };
        let new = new.filter(|new| {
            let unit = new.write(place, frame, upper);
            new.kind == kind
                && new.rest == old.rest
                && unit.is_some_and(|unit| wanted.starts_with(&unit[..len]))
        });
        if !model.linked.code(bits, new.is_some())? {
            return Ok(None);
        }
        let shift = new.map_or(0, |new| new.target.wrapping_sub(old.target));
        if matches!(kind, Kind::Upper | Kind::ShortUpper) {
            // The lower part will tell the rest.
            let near = moved(guess.below).upper_address(place, frame);
            let away = new.map_or(0, |new| new.target.wrapping_sub(near));
            let pages = self.shift.code_signed(bits, away as i32 >> 12)?;
            let shift = guess.below.wrapping_add((pages as u32) << 12);
            return reached(unit(moved(shift)));
        }
        let shift = if guess.below != guess.above && model.above.code(bits, shift == guess.above)? {
            guess.above
        } else {
            let further = shift.wrapping_sub(guess.below) as i32;
            let further = self.shift.code_signed(bits, further)?;
            guess.below.wrapping_add(further as u32)
        };
        self.landmarks.learn(old.target, shift);
        reached(unit(moved(shift)))
    }

    fn plain<B: Bits>(
        &mut self,
        bits: &mut B,
        old: &[u8],
        wanted: &[u8],
        is_code: bool,
    ) -> Possible<Unit, B> {
        let len = old.len();
        let offset = Offset::read(old).filter(|_| len > 1);
        let mut bytes = [0; UNIT_BYTES];
        bytes[..len].copy_from_slice(old);
        let kind = match offset {
            Some(Offset { register, .. }) => 3 + (self.changed >> register & 1) as usize,
            None => len / 2,
        };
        let same = self.same[kind][self.history & 15].code(bits, wanted.starts_with(old))?;
        self.history = self.history << 1 | usize::from(!same);
        if let Some(offset) = offset {
            self.changed &= !(1 << offset.register);
            if same {
                return Ok(Unit { bytes, len });
            }
            let new = Offset::read(wanted.get(..len).unwrap_or_default());
            let new = new.filter(|new| offset.is_like(new));
            if self.is_number.code(bits, new.is_some())? {
                self.changed |= 1 << offset.register;
                return self.number(bits, offset, new, len);
            }
        }
        if same {
            return Ok(Unit { bytes, len });
        }
        let size = len / 2;
        if len & 1 == 0 && is_code {
            let is_long = |unit: &[u8]| unit.first().is_some_and(|first| first & 3 == 3);
            let alike = wanted.len() >= len && is_long(wanted) == (len == 4);
            if is_long(old) == (len == 4) && self.alike[size - 1].code(bits, alike)? {
                let word = |bytes: &[u8]| {
                    (0..len).rev().fold(0, |word, place| {
                        word << 8 | u32::from(bytes.get(place).copied().unwrap_or_default())
                    })
                };
                let (old, new) = (word(old), word(wanted));
                let new = match len {
                    4 => self.fields.long(bits, Some(old), new)?,
                    _ => self.fields.short(bits, Some(old), new)?,
                };
                let bytes = new.to_le_bytes();
                return Ok(Unit { bytes, len });
            }
        }
        for (place, old) in old.iter().enumerate() {
            let new = wanted.get(place).copied().unwrap_or(*old);
            if len > 1 && self.same_byte[size][place & 3].code(bits, new == *old)? {
                continue;
            }
            bytes[place] = self.literals.code(bits, new)?;
        }
        Ok(Unit { bytes, len })
    }

    fn number<B: Bits>(
        &mut self,
        bits: &mut B,
        old: Offset,
        wanted: Option<Offset>,
        len: usize,
    ) -> Possible<Unit, B> {
        let register = old.register % 32;
        let last = i32::from(self.last_change[register]);
        let change = wanted.map_or(0, |new| new.number.wrapping_sub(old.number)) as i32;
        let change = if self.as_last.code(bits, change == last)? {
            last
        } else {
            self.change.code_signed(bits, change)?
        };
        self.last_change[register] = change as i16;
        let bytes = old.with(old.number.wrapping_add(change as u32));
        let bytes = bytes.ok_or(Impossible::Nonsense(
            "a number that its instruction cannot hold",
        ))?;
        Ok(Unit { bytes, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::coder::Taken;

    fn command(literal: u32, copy: u32) -> Option<Command> {
        let wanted = Command {
            literal,
            is_code: false,
            copy,
            from: 7,
        };
        let mut model = Model::new(Frame::new(0, 1000));
        model.command(&mut Taken, 90, 10, 7, wanted).ok()
    }

    #[test]
    fn a_command_makes_no_more_than_is_to_be_made() {
        assert!(command(3, 7).is_some());
        assert!(command(10, 0).is_some());
        assert!(command(3, 8).is_none());
        assert!(command(0, u32::MAX).is_none());
        assert!(command(11, 0).is_none());
        assert!(command(u32::MAX, 1).is_none());
    }

    #[test]
    fn a_reference_that_cannot_be_named_from_its_place_is_refused() {
        let mut model = Model::new(Frame::new(0, 1000));
        model.landmarks.learn(0, 1 << 12);
        // A short branch reaches 256 bytes, and the encoder's next bit is "as expected".
        struct Expected;
        impl Bits for Expected {
            type Error = core::convert::Infallible;

            fn bit(&mut self, _: u16, _: bool) -> Result<bool, Self::Error> {
                Ok(true)
            }
        }
        let branch = 0xc901_u16.to_le_bytes();
        let unit = model.unit(&mut Expected, 0, 0, &branch, 2, &[]);
        assert!(matches!(unit, Err(Impossible::Nonsense(_))));
    }
}
