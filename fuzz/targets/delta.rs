//! Deltas: refused, or a payload of the size that was said; and what is made leads where it should.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ww_release::delta::{Decoder, FORMAT, Sizes, make};

/// The address that payloads of instructions begin at here.
const BASE: u32 = 0x4200_0000;

fn decode(old: &[u8], delta: &[u8], new_bytes: u32, chunk: usize) -> Option<Vec<u8>> {
    let sizes = Sizes {
        delta: delta.len() as u32,
        old: old.len() as u32,
        new: new_bytes,
    };
    let mut decoder = Decoder::open(sizes, &mut &*delta).ok()?;
    let (mut new, mut piece) = (Vec::new(), vec![0; chunk]);
    loop {
        let len = decoder.decode(&mut &*old, &mut &*delta, &mut piece).ok()?;
        new.extend_from_slice(&piece[..len]);
        if len < chunk {
            assert_eq!(new.len(), new_bytes as usize);
            return Some(new);
        }
    }
}

fn split(input: &[u8], at: usize) -> (&[u8], &[u8]) {
    input.split_at(at.min(input.len()))
}

// The input: how long a payload the last bytes are taken to lead to, how many bytes after these six are
// the old payload, which byte of a delta is changed, and by what; the old payload; a delta, or a new payload.
fuzz_target!(|input: &[u8]| {
    let Some((head, rest)) = input.split_first_chunk::<6>() else {
        return;
    };
    let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (new_bytes, old_bytes) = (u32::from(number(0)), usize::from(number(2)));
    let (old, coded) = split(rest, old_bytes);
    let mut delta = vec![FORMAT];
    for number in [old.len() as u32, new_bytes, BASE] {
        delta.extend_from_slice(&number.to_be_bytes());
    }
    delta.extend_from_slice(coded);
    let whole = decode(old, &delta, new_bytes, 4096);
    assert_eq!(whole, decode(old, &delta, new_bytes, 7));

    let new = coded;
    let mut delta = make(old, new).expect("the payloads are short");
    let decoded = decode(old, &delta, new.len() as u32, 4096);
    assert_eq!(decoded.as_deref(), Some(new));

    let at = usize::from(head[4]) % delta.len();
    delta[at] ^= head[5];
    let _ = decode(old, &delta, new.len() as u32, 4096);
});
