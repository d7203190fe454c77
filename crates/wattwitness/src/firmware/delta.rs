//! The delta between two payloads, which is given out only when a device makes the newer payload of it.

use anyhow::{Context as _, ensure};
use ww_release::delta::{self, Decoder, Sizes};
use ww_release::release::SECTOR_BYTES;

/// Makes the delta that leads from `old` to `new`, and applies it as a device does, sector by sector.
pub(crate) fn between(old: &[u8], new: &[u8]) -> anyhow::Result<Vec<u8>> {
    let delta = delta::make(old, new)?;
    ensure!(
        leads_to(&delta, old, new)?,
        "the delta that was made does not lead to the new payload"
    );
    Ok(delta)
}

/// Whether a device that runs `old` makes `new` of a delta, and nothing beside it.
fn leads_to(mut delta: &[u8], mut old: &[u8], new: &[u8]) -> anyhow::Result<bool> {
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).context("a payload of 4 GiB");
    let sizes = Sizes {
        delta: size(delta)?,
        old: size(old)?,
        new: size(new)?,
    };
    let mut decoder = Decoder::open(sizes, &mut delta)?;
    let mut sector = [0; SECTOR_BYTES as usize];
    for expected in new.chunks(SECTOR_BYTES as usize) {
        let len = decoder.decode(&mut old, &mut delta, &mut sector)?;
        if sector[..len] != *expected {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(seed: u32) -> Vec<u8> {
        (0..20_000_u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 ^ (at / 9_000 * seed) as u8)
            .collect()
    }

    #[test]
    fn a_delta_leads_from_its_base_to_the_new_payload_and_nowhere_else() {
        let (old, new, other) = (payload(0), payload(1), payload(2));
        let delta = between(&old, &new).unwrap();
        assert!(leads_to(&delta, &old, &new).unwrap());
        assert!(!leads_to(&delta, &old, &other).unwrap_or(false));
        assert!(!leads_to(&delta, &other, &new).unwrap_or(false));
    }

    #[test]
    fn a_delta_that_ends_early_leads_nowhere() {
        let (old, new) = (payload(0), payload(1));
        let delta = between(&old, &new).unwrap();
        assert!(!leads_to(&delta[..delta.len() - 1], &old, &new).unwrap_or(false));
    }
}
