//! Deltas: what comes out is what was meant, whatever the payloads, and a broken one harms nothing.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it says"
)]

use core::convert::Infallible;

use proptest::collection::vec;
use proptest::prelude::*;
use ww_release::delta::{Decoder, DeltaError, HEADER_BYTES, Sizes, make};

fn open(old: &[u8], new_bytes: usize, delta: &[u8]) -> Result<Decoder, DeltaError<Infallible>> {
    let sizes = Sizes {
        delta: delta.len() as u32,
        old: old.len() as u32,
        new: new_bytes as u32,
    };
    Decoder::open(sizes, &mut &*delta)
}

/// Decodes in pieces of `chunk` bytes, as a device does.
fn decoded(
    old: &[u8],
    new_bytes: usize,
    delta: &[u8],
    chunk: usize,
) -> Result<Vec<u8>, DeltaError<Infallible>> {
    let mut decoder = open(old, new_bytes, delta)?;
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
    assert_eq!(decoded(old, new.len(), &delta, 4096).unwrap(), new);
    delta
}

proptest! {
    #[test]
    fn any_payload_is_made_of_any_other(old in vec(any::<u8>(), 0..600), new in vec(any::<u8>(), 0..600)) {
        round_trip(&old, &new);
    }

    #[test]
    fn any_chunks_give_the_same(
        old in vec(any::<u8>(), 0..3000),
        new in vec(any::<u8>(), 0..3000),
        chunk in 1_usize..5000,
    ) {
        let delta = make(&old, &new).unwrap();
        prop_assert_eq!(decoded(&old, new.len(), &delta, chunk).unwrap(), new);
    }

    #[test]
    fn a_delta_of_anything_ends(
        old in vec(any::<u8>(), 0..300),
        coded in vec(any::<u8>(), 0..600),
        new_bytes in 0_usize..3000,
    ) {
        let mut delta = vec![1];
        for number in [old.len(), new_bytes, 0x4200_0000] {
            delta.extend_from_slice(&(number as u32).to_be_bytes());
        }
        delta.extend_from_slice(&coded);
        prop_assert!(delta.len() >= HEADER_BYTES);
        let _ = decoded(&old, new_bytes, &delta, 64);
    }
}

#[test]
fn an_identical_payload_costs_next_to_nothing() {
    let payload: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    assert!(round_trip(&payload, &payload).len() < 200);
}

#[test]
fn a_decoder_fits_three_kibibytes() {
    assert!(size_of::<Decoder>() <= 3 * 1024, "{}", size_of::<Decoder>());
}
