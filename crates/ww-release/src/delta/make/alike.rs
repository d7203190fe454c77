//! What is alike in two payloads, as in bsdiff (Percival, 2003), but for references: they match
//! whatever they name. It says which piece of the new payload comes from which of the old.

use std::vec::Vec;

use crate::delta::model::AHEAD_BYTES;
use crate::delta::riscv::{self, Frame, Kind, Reference, Upper, instruction_len};
use crate::delta::suffixes;

/// What is made from old bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) new: usize,
    pub(super) old: usize,
    pub(super) len: usize,
}

/// The pieces in the order of the new payload, the last of which ends with it unless that ends with
/// new bytes: then it is empty.
pub(super) fn pieces(old: &[u8], new: &[u8], frame: Frame) -> Vec<Piece> {
    let (old, new) = (skeleton(old, frame), skeleton(new, frame));
    let mut matcher = Matcher {
        suffixes: suffixes::sorted(&old),
        old: &old,
        new: &new,
    };
    matcher.pieces()
}

/// The payload without what its references name.
fn skeleton(payload: &[u8], frame: Frame) -> Vec<u8> {
    let mut skeleton = payload.to_vec();
    let (mut place, mut uppers) = (0, [None; 8]);
    while place < payload.len() {
        let rest = &payload[place..];
        let lower = |upper: &Option<(usize, Upper)>| match upper {
            Some((from, upper)) if place - from < 128 => Reference::read_lower(rest, *upper),
            _ => None,
        };
        let ahead = &rest[..rest.len().min(AHEAD_BYTES)];
        let lower = uppers.iter().find_map(lower);
        let reference = lower.or_else(|| Reference::read(ahead, place as u32, frame));
        let written = riscv::written(rest);
        for known in &mut uppers {
            if known.is_some_and(|(_, upper): (usize, Upper)| Some(upper.register) == written) {
                *known = None;
            }
        }
        if let Some(upper) = Upper::read(rest, place as u32, frame) {
            uppers.rotate_right(1);
            uppers[0] = Some((place, upper));
        }
        let Some(reference) = reference else {
            place += instruction_len(rest[0]);
            continue;
        };
        let rest = match reference.kind {
            Kind::Pointer => 0x5aa5_a55a,
            _ => reference.rest,
        };
        let len = reference.kind.len();
        skeleton[place..place + len].copy_from_slice(&rest.to_le_bytes()[..len]);
        place += len;
    }
    skeleton
}

struct Matcher<'a> {
    old: &'a [u8],
    new: &'a [u8],
    suffixes: Vec<u32>,
}

impl Matcher<'_> {
    fn pieces(&mut self) -> Vec<Piece> {
        let (old, new) = (self.old, self.new);
        let mut pieces = Vec::new();
        let (mut scan, mut len, mut position) = (0, 0, 0);
        let (mut last_scan, mut last_position, mut last_offset) = (0, 0, 0_isize);
        let aligned = |place: usize, offset: isize| {
            let from = place.checked_add_signed(offset);
            from.and_then(|from| old.get(from)) == Some(&new[place])
        };
        while scan < new.len() {
            let mut old_score = 0;
            scan += len;
            let mut scored = scan;
            while scan < new.len() {
                (position, len) = self.longest(&new[scan..]);
                while scored < scan + len {
                    old_score += usize::from(aligned(scored, last_offset));
                    scored += 1;
                }
                if len == old_score && len != 0 || len > old_score + 8 {
                    break;
                }
                old_score -= usize::from(aligned(scan, last_offset) && old_score > 0);
                scan += 1;
            }
            if len == old_score && scan != new.len() {
                continue;
            }
            let mut forward = best_extent((last_scan..scan).zip(last_position..old.len()).map(|(n, o)| new[n] == old[o]));
            let mut backward = 0;
            if scan < new.len() {
                let most = (scan - last_scan).min(position);
                backward = best_extent((1..=most).map(|back| new[scan - back] == old[position - back]));
            }
            let overlap = (last_scan + forward).saturating_sub(scan - backward);
            if overlap > 0 {
                let (mut score, mut best, mut keep) = (0_isize, 0, 0);
                for place in 0..overlap {
                    let ahead = last_scan + forward - overlap + place;
                    let behind = scan - backward + place;
                    let first = new[ahead] == old[last_position + forward - overlap + place];
                    let second = new[behind] == old[position - backward + place];
                    score += isize::from(first) - isize::from(second);
                    if score > best {
                        (best, keep) = (score, place + 1);
                    }
                }
                forward = forward + keep - overlap;
                backward -= keep;
            }
            pieces.push(Piece {
                new: last_scan,
                old: last_position,
                len: forward,
            });
            last_scan = scan - backward;
            last_position = position - backward;
            last_offset = position as isize - scan as isize;
        }
        pieces.retain(|piece| piece.len > 0);
        let end = pieces.last().map_or(0, |piece| piece.new + piece.len);
        if end < new.len() {
            let old = pieces.last().map_or(0, |piece| piece.old + piece.len);
            pieces.push(Piece { new: new.len(), old, len: 0 });
        }
        pieces
    }

    /// Where the old payload goes on most like this, and how far.
    fn longest(&self, wanted: &[u8]) -> (usize, usize) {
        let place = self.suffixes.partition_point(|suffix| &self.old[*suffix as usize..] < wanted);
        let around = [place.wrapping_sub(1), place];
        let candidates = around.iter().filter_map(|place| self.suffixes.get(*place));
        let lengths = candidates.map(|suffix| {
            let old = &self.old[*suffix as usize..];
            let len = old.iter().zip(wanted).take_while(|(old, new)| old == new).count();
            (*suffix as usize, len)
        });
        lengths.max_by_key(|(_, len)| *len).unwrap_or_default()
    }
}

/// How far two pieces go together: as far as most bytes of them are the same.
fn best_extent(same: impl Iterator<Item = bool>) -> usize {
    let (mut score, mut best, mut extent) = (0_isize, 0, 0);
    for (place, same) in same.enumerate() {
        score += if same { 1 } else { -1 };
        if score > best {
            (best, extent) = (score, place + 1);
        }
    }
    extent
}
