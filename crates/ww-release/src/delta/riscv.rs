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
    /// `auipc`, and what adds the lower part.
    Relative,
    /// `lui`, and what adds the lower part.
    Absolute,
    /// A word.
    Pointer,
}

pub(super) const KINDS: usize = 7;

/// An address that is named; all addresses are counted from the start of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) kind: Kind,
    pub(super) target: u32,
    /// What names it, without the address: the same in two references that differ in that only.
    pub(super) rest: u64,
}

impl Kind {
    /// Bytes of a reference.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::ShortJump | Self::ShortBranch => 2,
            Self::Jump | Self::Branch | Self::Pointer => 4,
            Self::Relative | Self::Absolute => 8,
        }
    }
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

impl Reference {
    /// The reference that these bytes, which lie at `place`, begin with.
    pub(super) fn read(bytes: &[u8], place: u32, frame: Frame) -> Option<Self> {
        let short = u16::from_le_bytes(*bytes.first_chunk()?);
        let word = bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        if let Some(word) = word
            && place.is_multiple_of(4)
            && word.wrapping_sub(frame.base) < frame.span
        {
            let (kind, target) = (Kind::Pointer, word.wrapping_sub(frame.base));
            return Some(Self {
                kind,
                target,
                rest: 0,
            });
        }
        if short & 3 != 3 {
            return Self::read_short(short, place);
        }
        let word = word?;
        let (kind, offset, field) = match word & 0x7f {
            0x6f => (Kind::Jump, jump_offset(word), JUMP_FIELD),
            0x63 => (Kind::Branch, branch_offset(word), BRANCH_FIELD),
            0x17 | 0x37 => return Self::read_pair(bytes, place, frame),
            _ => return None,
        };
        let (target, rest) = (place.wrapping_add(offset), u64::from(word & !field));
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
        let (target, rest) = (place.wrapping_add(offset), u64::from(short & !field));
        Some(Self { kind, target, rest })
    }

    fn read_pair(bytes: &[u8], place: u32, frame: Frame) -> Option<Self> {
        let first = u32::from_le_bytes(*bytes.first_chunk()?);
        let second = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
        let field = lower_field(second, first >> 7 & 31)?;
        let lower = match field {
            STORE_FIELD => bits(second, 25, 7, 5) | bits(second, 7, 5, 0),
            _ => second >> 20,
        };
        let sum = (first & UPPER_FIELD).wrapping_add(extend(lower, 11));
        let (kind, target) = match first & 0x7f {
            0x17 => (Kind::Relative, place.wrapping_add(sum)),
            _ => (Kind::Absolute, sum.wrapping_sub(frame.base)),
        };
        let rest = u64::from(second & !field) << 32 | u64::from(first & !UPPER_FIELD);
        Some(Self { kind, target, rest })
    }

    /// The bytes by which this reference is named at `place`, as many as its kind has; `None` when the
    /// address is too far from there or odd.
    pub(super) fn write(&self, place: u32, frame: Frame) -> Option<[u8; 8]> {
        let offset = self.target.wrapping_sub(place);
        let reaches = |sign| extend(offset, sign) == offset && offset & 1 == 0;
        let first = self.rest as u32;
        let words = match self.kind {
            Kind::Jump => reaches(20).then(|| u64::from(first | jump_field(offset))),
            Kind::Branch => reaches(12).then(|| u64::from(first | branch_field(offset))),
            Kind::ShortJump => reaches(11).then(|| u64::from(first | short_jump_field(offset))),
            Kind::ShortBranch => reaches(8).then(|| u64::from(first | short_branch_field(offset))),
            Kind::Relative => Some(self.pair(offset)),
            Kind::Absolute => Some(self.pair(self.target.wrapping_add(frame.base))),
            Kind::Pointer => Some(u64::from(self.target.wrapping_add(frame.base))),
        };
        words.map(u64::to_le_bytes)
    }

    fn pair(&self, sum: u32) -> u64 {
        let second = (self.rest >> 32) as u32;
        let lower = match second & 0x7f {
            0x23 | 0x27 => bits(sum, 5, 7, 25) | bits(sum, 0, 5, 7),
            _ => sum << 20,
        };
        let upper = sum.wrapping_add(0x800) & UPPER_FIELD;
        u64::from(second | lower) << 32 | u64::from(self.rest as u32 | upper)
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
