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

fuzz_target!(|input: (u16, &[u8], &[u8])| {
    let (new_bytes, old, coded) = input;
    let mut delta = vec![FORMAT];
    for number in [old.len() as u32, new_bytes.into(), BASE] {
        delta.extend_from_slice(&number.to_be_bytes());
    }
    delta.extend_from_slice(coded);
    let whole = decode(old, &delta, new_bytes.into(), 4096);
    assert_eq!(whole, decode(old, &delta, new_bytes.into(), 7));

    let new = coded;
    let delta = make(old, new).expect("the payloads are short");
    let decoded = decode(old, &delta, new.len() as u32, 4096);
    assert_eq!(decoded.as_deref(), Some(new));
});
