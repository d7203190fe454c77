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

/// Where a stretch of the new payload lies in the old one: the distance, which wraps.
type Diagonal = usize;

/// How many diagonals are followed at a time.
const LANES: usize = 24;

/// The lane of new bytes; those of diagonals come after it.
const LITERAL: usize = 0;

/// How far ahead of the place diagonals are looked for, so that they are known where what is alike but
/// not the same begins.
const AHEAD: usize = 40;

/// What is alike for so many bytes needs no other diagonal.
const SETTLED: usize = 32;

/// The shortest match that makes a diagonal.
const SHORTEST: usize = 4;

/// Costs in 64ths of a bit, as they come out on the whole.
mod cost {
    pub(super) const NEW: u32 = 5 * 64;
    pub(super) const SAME: u32 = 8;
    pub(super) const OTHER: u32 = 8 * 64;
    pub(super) const OTHER_AGAIN: u32 = 9 * 64;
    pub(super) const LEAVE: u32 = 4 * 64;
    pub(super) const SWITCH: u32 = 20 * 64;
    pub(super) const FAR: u32 = 64;
}

#[derive(Clone, Copy)]
struct Lane {
    diagonal: Diagonal,
    cost: u32,
    /// The last byte was another.
    other: bool,
    /// The last place for which the diagonal was proposed.
    proposed: usize,
}

/// The cheapest way through the new payload: along diagonals, and as new bytes.
struct Matcher<'a> {
    old: &'a [u8],
    new: &'a [u8],
    suffixes: Vec<u32>,
}

/// What a step did: the lane that was the cheapest before it, and which lanes came from that one.
#[derive(Clone, Copy)]
struct Step {
    cheapest: u8,
    switched: u32,
}

impl Matcher<'_> {
    fn pieces(&mut self) -> Vec<Piece> {
        let nowhere = Lane {
            diagonal: usize::MAX / 2,
            cost: u32::MAX / 2,
            other: false,
            proposed: 0,
        };
        let mut lanes = [nowhere; 1 + LANES];
        lanes[LITERAL] = Lane {
            diagonal: 0,
            cost: 0,
            ..nowhere
        };
        let mut steps = Vec::with_capacity(self.new.len());
        // The diagonals that lanes had, and until where.
        let mut replaced: Vec<(usize, usize, Diagonal)> = Vec::new();
        let mut sought = 0;
        for place in 0..self.new.len() {
            let cheapest = (0..lanes.len())
                .min_by_key(|lane| lanes[*lane].cost)
                .unwrap_or(LITERAL);
            let best = lanes[cheapest];
            while sought < self.new.len().min(place + AHEAD) {
                let is_followed = lanes[1..].iter().any(|lane| lane.diagonal == best.diagonal);
                if is_followed && self.same(sought, best.diagonal) >= SETTLED {
                    sought += SETTLED / 2;
                    continue;
                }
                if let Some(diagonal) = self.propose(sought, best.diagonal) {
                    let known = lanes[1..].iter_mut().find(|lane| lane.diagonal == diagonal);
                    if let Some(known) = known {
                        known.proposed = sought;
                    } else {
                        let oldest = (1..lanes.len())
                            .filter(|lane| *lane != cheapest)
                            .min_by_key(|lane| lanes[*lane].proposed)
                            .unwrap_or(1);
                        replaced.push((place, oldest, lanes[oldest].diagonal));
                        lanes[oldest] = Lane {
                            diagonal,
                            proposed: sought,
                            ..nowhere
                        };
                    }
                }
                sought += 1;
            }
            steps.push(self.step(&mut lanes, place, cheapest));
            // Costs are compared only.
            if lanes[cheapest].cost > u32::MAX / 4 {
                let least = lanes.iter().map(|lane| lane.cost).min().unwrap_or(0);
                for lane in &mut lanes {
                    lane.cost -= least;
                }
            }
        }
        trace(&lanes, &steps, &replaced)
    }

    fn step(&self, lanes: &mut [Lane; 1 + LANES], place: usize, cheapest: usize) -> Step {
        let best = lanes[cheapest];
        let mut switched = 0;
        for (index, lane) in lanes.iter_mut().enumerate() {
            if index == LITERAL {
                if cheapest != LITERAL && best.cost + cost::LEAVE < lane.cost {
                    switched |= 1;
                    (lane.cost, lane.diagonal) = (best.cost + cost::LEAVE, best.diagonal);
                }
                lane.cost += cost::NEW;
                continue;
            }
            let away = lane.diagonal.wrapping_sub(best.diagonal) as isize;
            let far = (away.unsigned_abs() + 1).ilog2() * cost::FAR;
            let entered = best.cost + cost::SWITCH + far;
            if index != cheapest && entered < lane.cost {
                switched |= 1 << index;
                (lane.cost, lane.other) = (entered, false);
            }
            let old = self.old.get(place.wrapping_add(lane.diagonal));
            lane.cost += match old {
                Some(old) if *old == self.new[place] => cost::SAME,
                Some(_) if lane.other => cost::OTHER_AGAIN,
                Some(_) => cost::OTHER,
                None => u32::MAX / 4,
            };
            lane.cost = lane.cost.min(u32::MAX / 2);
            lane.other = old != Some(&self.new[place]);
        }
        Step {
            cheapest: cheapest as u8,
            switched,
        }
    }

    /// How many bytes from `place` are the same along a diagonal, up to [`SETTLED`].
    fn same(&self, place: usize, diagonal: Diagonal) -> usize {
        let old = self
            .old
            .get(place.wrapping_add(diagonal)..)
            .unwrap_or_default();
        let new = &self.new[place..];
        let both = old.iter().zip(new).take(SETTLED);
        both.take_while(|(old, new)| old == new).count()
    }

    /// The diagonal along which the most bytes from `place` on are the same, the nearest of such.
    fn propose(&self, place: usize, near: Diagonal) -> Option<Diagonal> {
        let wanted = &self.new[place..];
        let rank = self
            .suffixes
            .partition_point(|suffix| &self.old[*suffix as usize..] < wanted);
        let len = |suffix: u32| {
            let old = &self.old[suffix as usize..];
            old.iter()
                .zip(wanted)
                .take_while(|(old, new)| old == new)
                .count()
        };
        let before = self.suffixes[..rank].iter().rev().take(LANES);
        let after = self.suffixes[rank..].iter().take(LANES);
        let around = before
            .chain(after)
            .map(|suffix| (len(*suffix), *suffix as usize));
        let away = |suffix: usize| {
            let diagonal = suffix.wrapping_sub(place);
            (diagonal.wrapping_sub(near) as isize).unsigned_abs()
        };
        let longest = around.max_by_key(|(len, suffix)| (*len, core::cmp::Reverse(away(*suffix))));
        let (len, suffix) = longest?;
        (len >= SHORTEST).then(|| suffix.wrapping_sub(place))
    }
}

/// The pieces of the cheapest way.
fn trace(lanes: &[Lane], steps: &[Step], replaced: &[(usize, usize, Diagonal)]) -> Vec<Piece> {
    let mut diagonals: Vec<Diagonal> = lanes.iter().map(|lane| lane.diagonal).collect();
    let mut replaced = replaced.iter().rev().peekable();
    let mut lane = (0..lanes.len())
        .min_by_key(|lane| lanes[*lane].cost)
        .unwrap_or(LITERAL);
    let mut pieces: Vec<Piece> = Vec::new();
    if lane == LITERAL && !steps.is_empty() {
        pieces.push(Piece {
            new: steps.len(),
            old: 0,
            len: 0,
        });
    }
    for (place, step) in steps.iter().enumerate().rev() {
        if lane != LITERAL {
            let old = place.wrapping_add(diagonals[lane]);
            match pieces.last_mut() {
                Some(piece) if piece.new == place + 1 && piece.old == old + 1 && piece.len > 0 => {
                    *piece = Piece {
                        new: place,
                        old,
                        len: piece.len + 1,
                    };
                }
                _ => pieces.push(Piece {
                    new: place,
                    old,
                    len: 1,
                }),
            }
        }
        if step.switched >> lane & 1 == 1 {
            lane = usize::from(step.cheapest);
        }
        while let Some((_, lane, diagonal)) = replaced.next_if(|(from, ..)| *from == place) {
            diagonals[*lane] = *diagonal;
        }
    }
    pieces.reverse();
    pieces
}
