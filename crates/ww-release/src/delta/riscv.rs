//! References of RISC-V code: instructions, pairs of them and words that name an address, which a
//! linker changes wherever something moves. It reads and writes them and knows nothing of deltas.

/// How an address is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `jal`.
    Jump,
    /// `beq` and its like.
    Branch,
    /// `c.j` and `c.jal`.
    ShortJump,
    /// `c.beqz`, `c.bnez`.
    ShortBranch,
    /// `auipc` or `lui`, to the upper part of which another instruction adds the lower.
    Upper,
    /// `c.lui`, likewise.
    ShortUpper,
    /// The instruction that adds it: `addi`, `jalr`, a load or a store.
    Lower,
    /// A word.
    Pointer,
}

pub(super) const KINDS: usize = 8;

impl Kind {
    /// Bytes of a reference.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::ShortJump | Self::ShortBranch | Self::ShortUpper => 2,
            _ => 4,
        }
    }
}

/// An address that is named; all addresses are counted from the start of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) kind: Kind,
    pub(super) target: u32,
    /// What names it, without the address: the same in two references that differ in that only.
    pub(super) rest: u32,
}

/// Where an image lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    base: u32,
    span: u32,
}

impl Frame {
    /// An image of so many bytes, the first of which has this address; 0 when that is unknown, and then
    /// no word counts as an address.
    pub(super) const fn new(base: u32, size: u32) -> Self {
        let span = if base == 0 { 0 } else { size };
        Self { base, span }
    }
}

/// Bytes of the instruction that begins so.
pub(super) const fn instruction_len(first: u8) -> usize {
    if first & 3 == 3 { 4 } else { 2 }
}

const JUMP_FIELD: u32 = 0xffff_f000;
const BRANCH_FIELD: u32 = 0xfe00_0f80;
const SHORT_JUMP_FIELD: u16 = 0x1ffc;
const SHORT_BRANCH_FIELD: u16 = 0x1c7c;
const UPPER_FIELD: u32 = 0xffff_f000;
const SHORT_UPPER_FIELD: u16 = 0x107c;
const LOAD_FIELD: u32 = 0xfff0_0000;
const STORE_FIELD: u32 = 0xfe00_0f80;

/// Moves `len` bits from `from` to `to`.
const fn bits(word: u32, from: u32, len: u32, to: u32) -> u32 {
    (word >> from & ((1 << len) - 1)) << to
}

const fn extend(value: u32, sign: u32) -> u32 {
    ((value << (31 - sign)) as i32 >> (31 - sign)) as u32
}

/// The field that holds the lower part, if the second instruction adds one to `register`.
const fn lower_field(second: u32, register: u32) -> Option<u32> {
    let (opcode, base) = (second & 0x7f, second >> 15 & 31);
    if base != register {
        return None;
    }
    match opcode {
        // Loads, of floats too, `addi` and `jalr`.
        0x03 | 0x07 | 0x67 => Some(LOAD_FIELD),
        0x13 if second >> 12 & 7 == 0 => Some(LOAD_FIELD),
        0x23 | 0x27 => Some(STORE_FIELD),
        _ => None,
    }
}

/// The upper part of an address, in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Upper {
    pub(super) register: u32,
    /// The address, counted from the start of the image, but for the lower part.
    pub(super) address: u32,
}

impl Upper {
    /// The upper part that this instruction at `place` gives to a register.
    pub(super) fn read(bytes: &[u8], place: u32, frame: Frame) -> Option<Self> {
        let short = u32::from(u16::from_le_bytes(*bytes.first_chunk()?));
        let register = short >> 7 & 31;
        let origin = origin(short, place, frame)?;
        let sum = match short & 3 {
            3 => u32::from_le_bytes(*bytes.first_chunk()?) & UPPER_FIELD,
            _ => extend(bits(short, 2, 5, 12) | bits(short, 12, 1, 17), 17),
        };
        let address = sum.wrapping_add(origin);
        Some(Self { register, address })
    }

    /// The address, by the instruction that adds the lower part to this register.
    fn with(self, instruction: &[u8]) -> Option<u32> {
        let word = u32::from_le_bytes(*instruction.first_chunk()?);
        let lower = match lower_field(word, self.register)? {
            STORE_FIELD => bits(word, 25, 7, 5) | bits(word, 7, 5, 0),
            _ => word >> 20,
        };
        Some(self.address.wrapping_add(extend(lower, 11)))
    }
}

/// The register that an instruction writes to, but for what it calls.
pub(super) fn written(instruction: &[u8]) -> Option<u32> {
    let short = u32::from(u16::from_le_bytes(*instruction.first_chunk()?));
    let (full, low, middle) = (short >> 7 & 31, 8 + (short >> 2 & 7), 8 + (short >> 7 & 7));
    match (short & 3, short >> 13) {
        (3, _) => (!matches!(short & 0x7f, 0x23 | 0x27 | 0x63)).then_some(full),
        (0, 0 | 2) => Some(low),
        (1, 4) => Some(middle),
        (1, 0 | 2 | 3) | (2, 0 | 2 | 4) => Some(full),
        _ => None,
    }
}

/// What an instruction adds its upper part to.
fn origin(first: u32, place: u32, frame: Frame) -> Option<u32> {
    let absolute = frame.base.wrapping_neg();
    match first & 0x7f {
        0x17 => Some(place),
        0x37 => Some(absolute),
        // With the stack's register or none, the same bits are other instructions.
        _ if first & 0xe003 == 0x6001 && !matches!(first >> 7 & 31, 0 | 2) => Some(absolute),
        _ => None,
    }
}

impl Reference {
    /// The reference that these bytes, which lie at `place`, begin with, besides [`Kind::Lower`]. The
    /// bytes after it may tell more of it.
    pub(super) fn read(bytes: &[u8], place: u32, frame: Frame) -> Option<Self> {
        let short = u16::from_le_bytes(*bytes.first_chunk()?);
        if let Some(upper) = Upper::read(bytes, place, frame)
            && let Some(target) = lower_ahead(bytes, upper)
        {
            let (kind, field) = match short & 3 {
                3 => (Kind::Upper, UPPER_FIELD as u16),
                _ => (Kind::ShortUpper, SHORT_UPPER_FIELD),
            };
            let rest = u32::from(short & !field);
            return Some(Self { kind, target, rest });
        }
        let Some(word) = bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)) else {
            return Self::read_short(short, place);
        };
        if place.is_multiple_of(4) && word.wrapping_sub(frame.base) < frame.span {
            let (kind, target) = (Kind::Pointer, word.wrapping_sub(frame.base));
            return Some(Self {
                kind,
                target,
                rest: 0,
            });
        }
        let (kind, offset, field) = match word & 0x7f {
            0x6f => (Kind::Jump, jump_offset(word), JUMP_FIELD),
            0x63 => (Kind::Branch, branch_offset(word), BRANCH_FIELD),
            _ => return Self::read_short(short, place),
        };
        let (target, rest) = (place.wrapping_add(offset), word & !field);
        Some(Self { kind, target, rest })
    }

    fn read_short(short: u16, place: u32) -> Option<Self> {
        let word = u32::from(short);
        let (kind, offset, field) = match short & 0xe003 {
            0x2001 | 0xa001 => (Kind::ShortJump, short_jump_offset(word), SHORT_JUMP_FIELD),
            0xc001 | 0xe001 => (
                Kind::ShortBranch,
                short_branch_offset(word),
                SHORT_BRANCH_FIELD,
            ),
            _ => return None,
        };
        let (target, rest) = (place.wrapping_add(offset), word & !u32::from(field));
        Some(Self { kind, target, rest })
    }

    /// The reference of an instruction that adds the lower part to this upper one.
    pub(super) fn read_lower(bytes: &[u8], upper: Upper) -> Option<Self> {
        let target = upper.with(bytes)?;
        let word = u32::from_le_bytes(*bytes.first_chunk()?);
        let rest = word & !lower_field(word, upper.register)?;
        let kind = Kind::Lower;
        Some(Self { kind, target, rest })
    }

    /// What the upper part of the address comes to at `place`: the address, but for the lower part.
    pub(super) fn upper_address(&self, place: u32, frame: Frame) -> u32 {
        let origin = origin(self.rest, place, frame).unwrap_or(0);
        let sum = self.target.wrapping_sub(origin);
        (sum.wrapping_add(0x800) & UPPER_FIELD).wrapping_add(origin)
    }

    /// The bytes by which this reference is named at `place`, as many as its kind has; `None` when the
    /// address is too far from there or odd. `upper` is what a [`Kind::Lower`] adds to.
    pub(super) fn write(&self, place: u32, frame: Frame, upper: Upper) -> Option<[u8; 4]> {
        let offset = self.target.wrapping_sub(place);
        let reaches = |sign| extend(offset, sign) == offset && offset & 1 == 0;
        let field = match self.kind {
            Kind::Jump => reaches(20).then(|| jump_field(offset)),
            Kind::Branch => reaches(12).then(|| branch_field(offset)),
            Kind::ShortJump => reaches(11).then(|| short_jump_field(offset)),
            Kind::ShortBranch => reaches(8).then(|| short_branch_field(offset)),
            Kind::Upper | Kind::ShortUpper => {
                let origin = origin(self.rest, place, frame)?;
                let upper = self.upper_address(place, frame).wrapping_sub(origin);
                if self.kind == Kind::Upper {
                    Some(upper)
                } else {
                    let field = bits(upper, 12, 5, 2) | bits(upper, 17, 1, 12);
                    (upper != 0 && extend(upper, 17) == upper).then_some(field)
                }
            }
            Kind::Lower => {
                let lower = self.target.wrapping_sub(upper.address);
                let is_store = matches!(self.rest & 0x7f, 0x23 | 0x27);
                (extend(lower, 11) == lower).then(|| match is_store {
                    true => bits(lower, 5, 7, 25) | bits(lower, 0, 5, 7),
                    false => lower << 20,
                })
            }
            Kind::Pointer => Some(self.target.wrapping_add(frame.base)),
        };
        field.map(|field| (self.rest | field).to_le_bytes())
    }
}

/// The address whose upper part the first of these instructions gives, by the next one that adds to it.
fn lower_ahead(bytes: &[u8], upper: Upper) -> Option<u32> {
    let mut rest = bytes.get(instruction_len(*bytes.first()?)..)?;
    while let Some(first) = rest.first() {
        if let Some(target) = upper.with(rest) {
            return Some(target);
        }
        rest = rest.get(instruction_len(*first)..)?;
    }
    None
}

/// An instruction that adds a number to a register: `addi`, loads and stores, their short forms too. The
/// number is often a place in a structure or on the stack, which moves when one of these changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    pub(super) register: usize,
    pub(super) number: u32,
    /// The instruction without the number.
    rest: u32,
    form: Form,
}

/// How an [`Offset`] holds its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Load,
    Store,
    ShortWord,
    ShortStackLoad,
    ShortStackStore,
    ShortStackAddress,
}

impl Offset {
    pub(super) fn read(instruction: &[u8]) -> Option<Self> {
        if let Some(word) = instruction
            .first_chunk()
            .map(|bytes| u32::from_le_bytes(*bytes))
        {
            let register = word >> 15 & 31;
            let (form, field, number) = match lower_field(word, register)? {
                STORE_FIELD => (
                    Form::Store,
                    STORE_FIELD,
                    bits(word, 25, 7, 5) | bits(word, 7, 5, 0),
                ),
                field => (Form::Load, field, word >> 20),
            };
            let (number, rest) = (extend(number, 11), word & !field);
            let register = register as usize;
            return Some(Self {
                register,
                number,
                rest,
                form,
            });
        }
        let word = u32::from(u16::from_le_bytes(*instruction.first_chunk()?));
        let (form, register) = match word & 0xe003 {
            0x4000 | 0xc000 => (Form::ShortWord, 8 + (word >> 7 & 7) as usize),
            0x4002 => (Form::ShortStackLoad, 2),
            0xc002 => (Form::ShortStackStore, 2),
            0x0000 if word != 0 => (Form::ShortStackAddress, 2),
            _ => return None,
        };
        let number = form.number(word);
        let rest = word & !form.field(u32::MAX);
        Some(Self {
            register,
            number,
            rest,
            form,
        })
    }

    /// The instruction with this number instead; `None` when it does not hold that.
    pub(super) fn with(&self, number: u32) -> Option<[u8; 4]> {
        let field = self.form.field(number);
        (self.form.number(field) == number).then(|| (self.rest | field).to_le_bytes())
    }

    /// Whether the two differ in their numbers only.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.rest == other.rest && self.form == other.form
    }
}

impl Form {
    fn number(self, word: u32) -> u32 {
        match self {
            Self::Load => extend(word >> 20, 11),
            Self::Store => extend(bits(word, 25, 7, 5) | bits(word, 7, 5, 0), 11),
            Self::ShortWord => bits(word, 10, 3, 3) | bits(word, 6, 1, 2) | bits(word, 5, 1, 6),
            Self::ShortStackLoad => {
                bits(word, 12, 1, 5) | bits(word, 4, 3, 2) | bits(word, 2, 2, 6)
            }
            Self::ShortStackStore => bits(word, 9, 4, 2) | bits(word, 7, 2, 6),
            Self::ShortStackAddress => {
                let low = bits(word, 6, 1, 2) | bits(word, 5, 1, 3) | bits(word, 11, 2, 4);
                low | bits(word, 7, 4, 6)
            }
        }
    }

    fn field(self, number: u32) -> u32 {
        match self {
            Self::Load => number << 20,
            Self::Store => bits(number, 5, 7, 25) | bits(number, 0, 5, 7),
            Self::ShortWord => {
                bits(number, 3, 3, 10) | bits(number, 2, 1, 6) | bits(number, 6, 1, 5)
            }
            Self::ShortStackLoad => {
                bits(number, 5, 1, 12) | bits(number, 2, 3, 4) | bits(number, 6, 2, 2)
            }
            Self::ShortStackStore => bits(number, 2, 4, 9) | bits(number, 6, 2, 7),
            Self::ShortStackAddress => {
                let low = bits(number, 2, 1, 6) | bits(number, 3, 1, 5) | bits(number, 4, 2, 11);
                low | bits(number, 6, 4, 7)
            }
        }
    }
}

fn jump_offset(word: u32) -> u32 {
    let low = bits(word, 21, 10, 1) | bits(word, 20, 1, 11) | bits(word, 12, 8, 12);
    extend(low | bits(word, 31, 1, 20), 20)
}

fn jump_field(offset: u32) -> u32 {
    let low = bits(offset, 1, 10, 21) | bits(offset, 11, 1, 20) | bits(offset, 12, 8, 12);
    low | bits(offset, 20, 1, 31)
}

fn branch_offset(word: u32) -> u32 {
    let low = bits(word, 8, 4, 1) | bits(word, 25, 6, 5) | bits(word, 7, 1, 11);
    extend(low | bits(word, 31, 1, 12), 12)
}

fn branch_field(offset: u32) -> u32 {
    let low = bits(offset, 1, 4, 8) | bits(offset, 5, 6, 25) | bits(offset, 11, 1, 7);
    low | bits(offset, 12, 1, 31)
}

fn short_jump_offset(word: u32) -> u32 {
    let low = bits(word, 3, 3, 1) | bits(word, 11, 1, 4) | bits(word, 2, 1, 5);
    let middle = bits(word, 7, 1, 6) | bits(word, 6, 1, 7) | bits(word, 9, 2, 8);
    extend(
        low | middle | bits(word, 8, 1, 10) | bits(word, 12, 1, 11),
        11,
    )
}

fn short_jump_field(offset: u32) -> u32 {
    let low = bits(offset, 1, 3, 3) | bits(offset, 4, 1, 11) | bits(offset, 5, 1, 2);
    let middle = bits(offset, 6, 1, 7) | bits(offset, 7, 1, 6) | bits(offset, 8, 2, 9);
    low | middle | bits(offset, 10, 1, 8) | bits(offset, 11, 1, 12)
}

fn short_branch_offset(word: u32) -> u32 {
    let low = bits(word, 3, 2, 1) | bits(word, 10, 2, 3) | bits(word, 2, 1, 5);
    extend(low | bits(word, 5, 2, 6) | bits(word, 12, 1, 8), 8)
}

fn short_branch_field(offset: u32) -> u32 {
    let low = bits(offset, 1, 2, 3) | bits(offset, 3, 2, 10) | bits(offset, 5, 1, 2);
    low | bits(offset, 6, 2, 5) | bits(offset, 8, 1, 12)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use proptest::prelude::*;

    const FRAME: Frame = Frame::new(0x4200_0000, 0x10_0000);
    const PLACE: u32 = 0x1000;
    const NO_UPPER: Upper = Upper {
        register: 32,
        address: 0,
    };

    fn read(word: u32) -> Option<(Kind, u32)> {
        let reference = Reference::read(&word.to_le_bytes(), PLACE, FRAME)?;
        Some((reference.kind, reference.target.wrapping_sub(PLACE)))
    }

    // As the disassembler of LLVM reads them.
    #[test]
    fn what_jumps_and_branches_name_is_read() {
        assert_eq!(read(0x0100_00ef), Some((Kind::Jump, 16)));
        assert_eq!(read(0xff1f_f06f), Some((Kind::Jump, 16_u32.wrapping_neg())));
        assert_eq!(read(0x00b5_0863), Some((Kind::Branch, 16)));
        assert_eq!(
            read(0xfeb5_18e3),
            Some((Kind::Branch, 16_u32.wrapping_neg()))
        );
        assert_eq!(read(0xa801), Some((Kind::ShortJump, 16)));
        assert_eq!(read(0x2801), Some((Kind::ShortJump, 16)));
        assert_eq!(read(0xc901), Some((Kind::ShortBranch, 16)));
        assert_eq!(
            read(0xf965),
            Some((Kind::ShortBranch, 16_u32.wrapping_neg()))
        );
    }

    #[test]
    fn a_word_names_an_address_of_the_image_only() {
        assert_eq!(read(0x4200_1010), Some((Kind::Pointer, 16)));
        assert_eq!(read(0x4210_0000), None);
        let nowhere = Frame::new(0, 0x10_0000);
        let small = Reference::read(&0x1010_u32.to_le_bytes(), PLACE, nowhere);
        assert_eq!(small, None);
    }

    #[test]
    fn the_two_parts_of_an_address_are_read_together_though_others_stand_between() {
        let code: Vec<u8> = [0x4200_2537, 0x0000_0013, 0x8105_0593]
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
        let upper = Reference::read(&code, PLACE, FRAME).unwrap();
        assert_eq!((upper.kind, upper.target), (Kind::Upper, 0x1810));

        let register = Upper::read(&code, PLACE, FRAME).unwrap();
        let lower = Reference::read_lower(&code[8..], register).unwrap();
        assert_eq!((lower.kind, lower.target), (Kind::Lower, 0x1810));

        let moved = Reference {
            target: 0x1810 + 0x800,
            ..upper
        };
        let bytes = moved.write(PLACE, FRAME, NO_UPPER).unwrap();
        assert_eq!(u32::from_le_bytes(bytes), 0x4200_2537);
        let moved = Reference {
            target: 0x1810 - 0x20,
            ..upper
        };
        let bytes = moved.write(PLACE, FRAME, NO_UPPER).unwrap();
        assert_eq!(u32::from_le_bytes(bytes), 0x4200_1537);
    }

    #[test]
    fn a_short_upper_part_holds_no_zero() {
        let upper = Reference {
            kind: Kind::ShortUpper,
            target: 0x1000_u32.wrapping_sub(0x4200_0000),
            rest: 0x6501,
        };
        let bytes = upper.write(PLACE, FRAME, NO_UPPER).unwrap();
        assert_eq!(u32::from_le_bytes(bytes), 0x6505);
        let zero = Reference {
            target: 0x4200_0000_u32.wrapping_neg(),
            ..upper
        };
        assert_eq!(zero.write(PLACE, FRAME, NO_UPPER), None);
    }

    proptest! {
        #[test]
        fn a_reference_that_is_read_is_written_as_it_was(
            bytes in any::<[u8; 24]>(),
            place in (0_u32..0x8000).prop_map(|place| 2 * place),
            register in 0_u32..32,
            address in any::<u32>(),
        ) {
            let upper = Upper { register, address };
            let lower = Reference::read_lower(&bytes, upper);
            for reference in [Reference::read(&bytes, place, FRAME), lower].into_iter().flatten() {
                let len = reference.kind.len();
                let written = reference.write(place, FRAME, upper).unwrap();
                prop_assert_eq!(&written[..len], &bytes[..len]);
            }
        }

        #[test]
        fn a_number_that_is_read_is_written_as_it_was(bytes in any::<[u8; 4]>(), is_long: bool) {
            let instruction = if is_long { &bytes[..] } else { &bytes[..2] };
            if let Some(offset) = Offset::read(instruction) {
                let written = offset.with(offset.number).unwrap();
                prop_assert_eq!(&written[..instruction.len()], instruction);
            }
        }
    }
}
