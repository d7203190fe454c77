//! Deltas as they are made: what is alike in two payloads is found, and said in the order of the model.
//! A device needs none of it.

mod alike;
mod frame;
mod writer;

use core::convert::Infallible;
use std::vec::Vec;

use alike::Piece;
use writer::{Length, RangeEncoder};

use super::coder::Bits;
use super::model::{AHEAD_BYTES, Command, Impossible, Model, UNIT_BYTES, Unit};
use super::riscv::Frame;
use super::{FORMAT, MAX_PAYLOAD};

/// Why no delta is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MakeError {
    /// A payload is longer than [`MAX_PAYLOAD`].
    #[error("a payload of {0} bytes is too long for a delta")]
    TooLong(usize),
}

/// Makes the delta that leads from `old` to `new`.
///
/// # Errors
/// [`MakeError::TooLong`].
pub fn make(old: &[u8], new: &[u8]) -> Result<Vec<u8>, MakeError> {
    for payload in [old, new] {
        if payload.len() > MAX_PAYLOAD as usize {
            return Err(MakeError::TooLong(payload.len()));
        }
    }
    let bases = [0, frame::base(old)];
    let deltas = bases.map(|base| encode(old, new, base));
    Ok(deltas
        .into_iter()
        .min_by_key(Vec::len)
        .expect("there are two bases"))
}

fn encode(old: &[u8], new: &[u8], base: u32) -> Vec<u8> {
    let frame = Frame::new(base, old.len().max(new.len()) as u32);
    let mut out = Vec::with_capacity(new.len() / 8);
    out.push(FORMAT);
    for number in [old.len() as u32, new.len() as u32, base] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    let mut encoder = Encoder {
        old,
        new,
        model: Model::new(frame),
        bits: RangeEncoder::new(out),
        place: 0,
        end: 0,
    };
    for piece in alike::pieces(old, new, frame) {
        encoder.piece(piece);
    }
    encoder.bits.finish()
}

struct Encoder<'a> {
    old: &'a [u8],
    new: &'a [u8],
    model: Model,
    bits: RangeEncoder,
    /// How much of the new payload is said.
    place: usize,
    /// Where the last copy ended in the old one.
    end: u32,
}

impl Encoder<'_> {
    /// Whether new bytes at the place are said shorter as instructions.
    fn is_code(&self, new: &[u8]) -> bool {
        let [as_bytes, as_code] = [false, true].map(|is_code| {
            let mut model = self.model.clone();
            let mut length = Length::default();
            literal(&mut model, &mut length, self.place, new, is_code);
            length
        });
        as_code < as_bytes
    }

    fn literal(&mut self, new: &[u8], is_code: bool) {
        literal(&mut self.model, &mut self.bits, self.place, new, is_code);
        self.place += new.len();
    }

    /// Says what is new before a piece, and the piece.
    fn piece(&mut self, piece: Piece) {
        let new = &self.new[self.place..piece.new];
        let wanted = Command {
            literal: new.len() as u32,
            is_code: self.is_code(new),
            copy: piece.len as u32,
            from: if piece.len == 0 {
                self.end
            } else {
                piece.old as u32
            },
        };
        let (place, left) = (self.place as u32, (self.new.len() - self.place) as u32);
        let command = self
            .model
            .command(&mut self.bits, place, left, self.end, wanted);
        debug_assert_eq!(said(command), wanted);
        self.literal(new, wanted.is_code);
        self.end = wanted.from + wanted.copy;
        let mut from = wanted.from as usize;
        while from < self.end as usize {
            let most = (self.end as usize - from).min(UNIT_BYTES);
            let old = &self.old[from..self.old.len().min(from + AHEAD_BYTES)];
            let wanted = &self.new[self.place..self.place + most];
            let place = self.place as u32;
            let unit = self
                .model
                .unit(&mut self.bits, place, from as u32, old, most, wanted);
            let Unit { bytes, len } = said(unit);
            debug_assert!(wanted.starts_with(&bytes[..len]), "the unit is another");
            from += len;
            self.place += len;
        }
    }
}

/// Says new bytes.
fn literal<B>(model: &mut Model, bits: &mut B, mut place: usize, mut new: &[u8], is_code: bool)
where
    B: Bits<Error = Infallible>,
{
    while !new.is_empty() {
        let most = new.len() as u32;
        let unit = said(model.literal(bits, place as u32, most, is_code, new));
        new = &new[unit.len..];
        place += unit.len;
    }
}

fn said<T>(coded: Result<T, Impossible<Infallible>>) -> T {
    match coded {
        Ok(said) => said,
        Err(Impossible::Bits(never)) => match never {},
        Err(Impossible::Nonsense(what)) => unreachable!("the encoder said what cannot be: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::{Decoder, Sizes};
    use super::*;

    const BASE: u32 = 0x4200_0000;

    /// Instructions and words that name places of an image.
    fn words() -> impl Strategy<Value = Vec<u32>> {
        let word = prop_oneof![
            (0_u32..3000).prop_map(|address| BASE + address),
            (0_u32..3).prop_map(|page| (BASE + (page << 12)) | 0x537),
            (0_u32..4096).prop_map(|lower| (lower << 20) | 0x0005_0513),
            (0_u32..4096).prop_map(|lower| (lower << 20) | 0x0005_2583),
            (0_u32..3).prop_map(|page| (page << 12) | 0x597),
            (0_u32..1024).prop_map(|offset| (offset << 21) | 0xef),
            Just(0x6505_8082),
            any::<u32>(),
        ];
        vec(word, 1..400)
    }

    fn image(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    proptest! {
        #[test]
        fn where_an_image_lies_changes_nothing_but_the_size(
            words in words(),
            inserted in words(),
            at in any::<proptest::sample::Index>(),
            base in prop_oneof![Just(0), Just(BASE), Just(BASE + 4), any::<u32>()],
        ) {
            let old = image(&words);
            let (before, after) = words.split_at(at.index(words.len()));
            let new = image(&[before, &inserted[..inserted.len().min(20)], after].concat());
            let delta = encode(&old, &new, base);

            let sizes = Sizes {
                delta: delta.len() as u32,
                old: old.len() as u32,
                new: new.len() as u32,
            };
            let mut decoder = Decoder::open(sizes, &mut &delta[..]).expect("the sizes are right");
            let mut decoded = std::vec![0; new.len()];
            let len = decoder.decode(&mut &old[..], &mut &delta[..], &mut decoded);
            prop_assert_eq!(len, Ok(new.len()));
            prop_assert!(decoded == new);
        }
    }

    #[test]
    fn an_image_of_code_that_names_its_own_places_tells_where_it_lies() {
        // Functions of 24 bytes that end with a return, and a table of them.
        let function = |number: u32| [0x13, 0x13, number << 20 | 0x513, 0x13, 0x13, 0x8082_0001];
        let table = (0..200).map(|number| BASE + 0x100 + 24 * number);
        let head = [0x13; 64];
        let words: Vec<u32> = head
            .into_iter()
            .chain((0..200).flat_map(function))
            .chain(table)
            .collect();
        assert_eq!(frame::base(&image(&words)), BASE);
        assert_eq!(frame::base(&[0; 4000]), 0);
        assert_eq!(frame::base(&[]), 0);
    }
}
