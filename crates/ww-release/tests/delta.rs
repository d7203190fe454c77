//! Deltas: what comes out is what was meant, whatever the payloads, and a broken one harms nothing.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it says"
)]

use core::convert::Infallible;

use proptest::collection::vec;
use proptest::prelude::*;
use ww_release::delta::{
    Decoder, DeltaError, FORMAT, HEADER_BYTES, MAX_PAYLOAD, MakeError, Sizes, Source, make,
};

fn sizes(old: &[u8], new_bytes: usize, delta: &[u8]) -> Sizes {
    Sizes {
        delta: delta.len() as u32,
        old: old.len() as u32,
        new: new_bytes as u32,
    }
}

/// Decodes in pieces of `chunk` bytes, as a device does.
fn decoded(
    old: &[u8],
    new_bytes: usize,
    delta: &[u8],
    chunk: usize,
) -> Result<Vec<u8>, DeltaError<Infallible>> {
    let mut decoder = Decoder::open(sizes(old, new_bytes, delta), &mut &*delta)?;
    let (mut new, mut piece) = (Vec::new(), vec![0; chunk]);
    loop {
        let len = decoder.decode(&mut &*old, &mut &*delta, &mut piece)?;
        new.extend_from_slice(&piece[..len]);
        assert!(new.len() <= new_bytes);
        if len < chunk {
            return Ok(new);
        }
    }
}

fn round_trip(old: &[u8], new: &[u8]) -> Vec<u8> {
    let delta = make(old, new).unwrap();
    assert!(decoded(old, new.len(), &delta, 4096).unwrap() == new);
    delta
}

/// Bytes that follow no rule.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    core::iter::repeat_with(next).take(len).collect()
}

/// A piece of code of the kind that references are found in: calls, branches, pairs of upper and lower
/// parts, loads, and words that name places of the image.
fn code(seed: u64, words: usize) -> Vec<u8> {
    let random = noise(seed, words * 8);
    let instruction = |bytes: &[u8; 8]| {
        let [kind, rest @ ..] = bytes;
        let random = u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]);
        match kind % 8 {
            0 => random & 0x001f_f000 | 0xef,
            1 => random & 0x0e00_0f80 | 0x00b5_0063,
            2 => random & 0x0000_1000 | 0x4200_0537,
            3 => random & 0xfff0_0000 | 0x0005_0513,
            4 => random & 0x0000_f000 | 0x0000_0597,
            5 => random & 0xfe00_0f80 | 0x00a5_a023,
            6 => random & 0x0000_0ffc | 0x4200_0000,
            _ => random & 0x1c7c_1ffc | 0xc401_a001,
        }
    };
    let (groups, _) = random.as_chunks::<8>();
    groups
        .iter()
        .map(instruction)
        .flat_map(u32::to_le_bytes)
        .collect()
}

/// A place in a payload, in 65,536ths of it.
type Part = u16;

fn place(part: Part, payload: &[u8]) -> usize {
    (usize::from(part) * (payload.len() + 1)) >> 16
}

/// A change of a payload.
#[derive(Clone, Debug)]
enum Edit {
    Insert(Part, Vec<u8>),
    Remove(Part, usize),
    Replace(Part, Vec<u8>),
    Move(Part, Part, usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let at = any::<Part>;
    let bytes = || vec(any::<u8>(), 1..40);
    let edit = prop_oneof![
        (at(), bytes()).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (at(), 1_usize..300).prop_map(|(at, len)| Edit::Remove(at, len)),
        (at(), bytes()).prop_map(|(at, bytes)| Edit::Replace(at, bytes)),
        (at(), at(), 1_usize..500).prop_map(|(from, to, len)| Edit::Move(from, to, len)),
    ];
    vec(edit, 0..12)
}

fn edited(old: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut new = old.to_vec();
    let range = |new: &[u8], at: Part, len: usize| {
        let from = place(at, new);
        from..new.len().min(from + len)
    };
    for edit in edits {
        match edit {
            Edit::Insert(at, bytes) => {
                new.splice(range(&new, *at, 0), bytes.iter().copied());
            }
            Edit::Remove(at, len) => {
                new.drain(range(&new, *at, *len));
            }
            Edit::Replace(at, bytes) => {
                new.splice(range(&new, *at, bytes.len()), bytes.iter().copied());
            }
            Edit::Move(from, to, len) => {
                let moved: Vec<u8> = new.drain(range(&new, *from, *len)).collect();
                new.splice(range(&new, *to, 0), moved);
            }
        }
    }
    new
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_payload_is_made_of_any_other(
        old in vec(any::<u8>(), 0..600),
        new in vec(any::<u8>(), 0..600),
    ) {
        round_trip(&old, &new);
    }

    #[test]
    fn code_is_made_of_code_that_was_edited(
        seed in any::<u64>(),
        words in 1_usize..3000,
        edits in edits(),
    ) {
        let old = code(seed, words);
        let new = edited(&old, &edits);
        round_trip(&old, &new);
        round_trip(&new, &old);
    }

    #[test]
    fn any_chunks_give_the_same(
        seed in any::<u64>(),
        edits in edits(),
        chunk in 1_usize..5000,
    ) {
        let old = code(seed, 2000);
        let new = edited(&old, &edits);
        let delta = make(&old, &new).unwrap();
        prop_assert!(decoded(&old, new.len(), &delta, chunk).unwrap() == new);
    }

    #[test]
    fn a_delta_of_anything_ends(
        seed in any::<u64>(),
        coded in vec(any::<u8>(), 0..600),
        new_bytes in 0_usize..10_000,
        base in prop_oneof![Just(0), Just(0x4200_0000), any::<u32>()],
    ) {
        let old = code(seed, 500);
        let mut delta = vec![FORMAT];
        for number in [old.len() as u32, new_bytes as u32, base] {
            delta.extend_from_slice(&number.to_be_bytes());
        }
        delta.extend_from_slice(&coded);
        if let Ok(new) = decoded(&old, new_bytes, &delta, 64) {
            prop_assert_eq!(new.len(), new_bytes);
        }
    }

    #[test]
    fn a_flipped_bit_gives_an_error_or_another_payload(
        seed in any::<u64>(),
        edits in edits(),
        flipped in any::<Part>(),
        bit in 0_u32..8,
    ) {
        let old = code(seed, 1000);
        let new = edited(&old, &edits);
        let mut delta = make(&old, &new).unwrap();
        prop_assume!(delta.len() > HEADER_BYTES);
        let at = HEADER_BYTES + place(flipped, &delta[HEADER_BYTES + 1..]);
        delta[at] ^= 1 << bit;
        if let Ok(other) = decoded(&old, new.len(), &delta, 4096) {
            prop_assert_eq!(other.len(), new.len());
        }
    }

    #[test]
    fn an_incompressible_payload_costs_little_more_than_itself(
        seed in any::<u64>(),
        len in 0_usize..20_000,
    ) {
        let new = noise(seed, len);
        let delta = round_trip(&noise(seed ^ 0x55, 3000), &new);
        prop_assert!(delta.len() <= 64 + len + len / 20, "{} of {len}", delta.len());
    }
}

/// A delta of this format, as devices in the field will go on to get it.
const GOLDEN: &str = "\
    0100000e1000000de4000000007fdd7fffffffffffffffffffffffffd376f45a8882576e2c05734a86162e71eab1\
    91e5954c878384e1b03c89e9180fe28c2ec95982e9414f93ebffffffff3b05c030ed4f3b3405153932699d71850d\
    af0f730c141e96ec83c27e8ea269c6a44c6332d0c21ea3869093cbc68a3d0b82f17f4091e23cea286708635d1a11\
    3586ce6bcb18787c7de482d573022105b1781cf8ad3d0af0f12d49e364bfec895a0e2b4d10b0891b2465fe9e7faa\
    314fa1f1cbc0";

fn golden() -> (Vec<u8>, Vec<u8>) {
    let old = code(11, 900);
    let edits = [
        Edit::Insert(9_000, noise(12, 24)),
        Edit::Remove(30_000, 68),
        Edit::Move(50_000, 20_000, 160),
    ];
    let new = edited(&old, &edits);
    (old, new)
}

#[test]
fn a_delta_that_was_made_once_leads_where_it_led() {
    let (old, new) = golden();
    let digits = GOLDEN.as_bytes().as_chunks::<2>().0.iter();
    let byte = |digits: &[u8; 2]| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    let delta: Vec<u8> = digits.map(byte).collect();
    assert!(decoded(&old, new.len(), &delta, 4096).unwrap() == new);
}

#[test]
fn a_truncated_delta_never_gives_the_payload() {
    let old = code(1, 3000);
    let new = edited(
        &old,
        &[Edit::Remove(40_000, 100), Edit::Insert(5_000, noise(2, 50))],
    );
    let delta = make(&old, &new).unwrap();
    for len in 0..delta.len() {
        let cut = decoded(&old, new.len(), &delta[..len], 4096);
        assert!(cut.ok().as_ref() != Some(&new), "{len} of {}", delta.len());
    }
}

#[test]
fn a_delta_without_its_end_is_found_to_end_too_early() {
    let old = vec![0; 1 << 20];
    let mut delta = vec![FORMAT];
    for number in [old.len() as u32, old.len() as u32, 0] {
        delta.extend_from_slice(&number.to_be_bytes());
    }
    let cut = decoded(&old, old.len(), &delta, 4096);
    assert_eq!(cut, Err(DeltaError::Truncated));
}

#[test]
fn a_delta_with_a_byte_too_many_is_refused() {
    for (old, new) in [
        (code(1, 500), code(2, 500)),
        (code(1, 500), code(1, 500)),
        (code(1, 500), Vec::new()),
    ] {
        let mut delta = make(&old, &new).unwrap();
        delta.extend_from_slice(&[0; 5]);
        let refused = decoded(&old, new.len(), &delta, 4096);
        assert_eq!(refused, Err(DeltaError::Trailing));
    }
}

#[test]
fn a_delta_of_another_format_or_size_is_refused() {
    let (old, new) = (code(1, 50), code(2, 60));
    let delta = make(&old, &new).unwrap();
    let open =
        |sizes: Sizes, delta: &[u8]| Decoder::open(sizes, &mut &*delta).map(|_| ()).unwrap_err();
    let right = sizes(&old, new.len(), &delta);

    let other = [&[FORMAT + 1], &delta[1..]].concat();
    assert_eq!(open(right, &other), DeltaError::Format(FORMAT + 1));
    let longer = Sizes { old: 201, ..right };
    assert_eq!(open(longer, &delta), DeltaError::OldSize(200));
    let shorter = Sizes { new: 239, ..right };
    assert_eq!(open(shorter, &delta), DeltaError::NewSize(240));
    let cut = Sizes { delta: 12, ..right };
    assert_eq!(open(cut, &delta[..12]), DeltaError::Truncated);
}

#[test]
fn a_payload_beyond_the_bound_is_refused() {
    let long = vec![0; MAX_PAYLOAD as usize + 1];
    assert_eq!(make(&long, &[]), Err(MakeError::TooLong(long.len())));
    assert_eq!(make(&[], &long), Err(MakeError::TooLong(long.len())));

    let mut header = vec![FORMAT];
    for number in [MAX_PAYLOAD + 1, 0, 0] {
        header.extend_from_slice(&number.to_be_bytes());
    }
    let sizes = Sizes {
        delta: header.len() as u32,
        old: MAX_PAYLOAD + 1,
        new: 0,
    };
    let refused = Decoder::open(sizes, &mut &header[..]).map(|_| ());
    assert_eq!(refused, Err(DeltaError::OldSize(MAX_PAYLOAD + 1)));
}

#[test]
fn payloads_of_nothing_and_of_zeros_are_made() {
    let zeros = vec![0; 100_000];
    let code = code(3, 5000);
    for old in [&[][..], &[7], &zeros, &code] {
        for new in [
            &[][..],
            &[7],
            &[1, 2, 3],
            &zeros,
            &zeros[..5001],
            &code,
            &code[..777],
        ] {
            round_trip(old, new);
        }
    }
}

#[test]
fn an_identical_payload_costs_next_to_nothing() {
    for payload in [code(4, 50_000), noise(5, 200_000), vec![0xff; 200_000]] {
        let delta = round_trip(&payload, &payload);
        assert!(delta.len() < 100, "{}", delta.len());
    }
}

/// Flash that counts how often it is read, and fails after so many times.
struct Flash<'a> {
    bytes: &'a [u8],
    reads: u32,
    most: u32,
}

#[derive(Debug, PartialEq, Eq)]
struct Worn;

impl Source for Flash<'_> {
    type Error = Worn;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Worn> {
        self.reads += 1;
        if self.reads > self.most {
            return Err(Worn);
        }
        let from = &self.bytes[offset as usize..];
        bytes.copy_from_slice(&from[..bytes.len()]);
        Ok(())
    }
}

#[test]
fn flash_is_read_in_pieces_and_never_beyond_its_end() {
    let old = code(6, 10_000);
    let new = edited(&old, &[Edit::Remove(30_000, 30)]);
    let delta = make(&old, &new).unwrap();
    let flash = |bytes| Flash {
        bytes,
        reads: 0,
        most: u32::MAX,
    };
    let (mut from, mut by) = (flash(&old), flash(&delta));
    let mut decoder = Decoder::open(sizes(&old, new.len(), &delta), &mut by).unwrap();
    let mut out = vec![0; new.len()];
    let len = decoder.decode(&mut from, &mut by, &mut out).unwrap();

    assert!(len == new.len() && out == new);
    assert!(from.reads as usize <= old.len() / 32, "{}", from.reads);
    assert!(by.reads as usize <= 2 + delta.len() / 64, "{}", by.reads);
}

#[test]
fn flash_that_fails_is_said_to() {
    let old = code(7, 1000);
    let delta = make(&old, &old).unwrap();
    let flash = |bytes, most| Flash {
        bytes,
        reads: 0,
        most,
    };
    let sizes = sizes(&old, old.len(), &delta);
    let unreadable = Decoder::open(sizes, &mut flash(&delta, 0)).map(|_| ());
    assert_eq!(unreadable, Err(DeltaError::Source(Worn)));
    for (from, by) in [(3, 9), (u32::MAX, 1)] {
        let mut delta = flash(&delta, by);
        let mut decoder = Decoder::open(sizes, &mut delta).unwrap();
        let mut out = vec![0; old.len()];
        let failed = decoder.decode(&mut flash(&old, from), &mut delta, &mut out);
        assert_eq!(failed, Err(DeltaError::Source(Worn)));
    }
}

#[test]
fn a_decoder_fits_three_kibibytes() {
    assert!(size_of::<Decoder>() <= 3 * 1024, "{}", size_of::<Decoder>());
}
