//! What is alike in two payloads, whatever their references name: which piece of the new one comes from
//! which of the old, by the cheapest way through the new one. It says nothing of how that is coded.

use std::vec::Vec;

use crate::delta::model::{AHEAD_BYTES, UPPER_REACH, UPPERS};
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
    Matcher::new(&old, &new).pieces()
}

/// The payload without what its references name.
fn skeleton(payload: &[u8], frame: Frame) -> Vec<u8> {
    let mut skeleton = payload.to_vec();
    let (mut place, mut uppers) = (0, [None; UPPERS]);
    while place < payload.len() {
        let rest = &payload[place..];
        let lower = |upper: &Option<(usize, Upper)>| match upper {
            Some((from, upper)) if place - from < UPPER_REACH as usize => {
                Reference::read_lower(rest, *upper)
            }
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

/// A way to go on, and what it has cost to come there.
#[derive(Clone, Copy)]
struct Lane {
    diagonal: Diagonal,
    cost: u32,
    /// The last byte was another.
    other: bool,
    /// The last place for which the diagonal was proposed.
    proposed: usize,
}

impl Lane {
    /// A lane that nobody has come to.
    const NOWHERE: Self = Self {
        diagonal: usize::MAX / 2,
        cost: u32::MAX / 2,
        other: false,
        proposed: 0,
    };
}

/// What a step did: the lane that was the cheapest before it, and which lanes came from that one.
#[derive(Clone, Copy)]
struct Step {
    cheapest: u8,
    switched: u32,
}

/// A lane that got another diagonal.
#[derive(Clone, Copy)]
struct Replaced {
    place: usize,
    lane: usize,
    /// The one that it had.
    diagonal: Diagonal,
}

/// The cheapest way through the new payload: along diagonals, and as new bytes.
struct Matcher<'a> {
    old: &'a [u8],
    new: &'a [u8],
    suffixes: Vec<u32>,
    lanes: [Lane; 1 + LANES],
    replaced: Vec<Replaced>,
    /// Up to where diagonals were looked for.
    sought: usize,
}

impl<'a> Matcher<'a> {
    fn new(old: &'a [u8], new: &'a [u8]) -> Self {
        let mut lanes = [Lane::NOWHERE; 1 + LANES];
        (lanes[LITERAL].diagonal, lanes[LITERAL].cost) = (0, 0);
        Self {
            old,
            new,
            suffixes: suffixes::sorted(old),
            lanes,
            replaced: Vec::new(),
            sought: 0,
        }
    }

    fn pieces(mut self) -> Vec<Piece> {
        let mut steps = Vec::with_capacity(self.new.len());
        for place in 0..self.new.len() {
            let cheapest = cheapest(&self.lanes);
            self.seek(place, cheapest);
            steps.push(self.step(place, cheapest));
            // Costs are compared only.
            if self.lanes[cheapest].cost > u32::MAX / 4 {
                let least = self.lanes.iter().map(|lane| lane.cost).min().unwrap_or(0);
                for lane in &mut self.lanes {
                    lane.cost -= least;
                }
            }
        }
        trace(&self.lanes, &steps, &self.replaced)
    }

    /// Gives lanes to the diagonals that begin not far ahead of the place.
    fn seek(&mut self, place: usize, cheapest: usize) {
        let near = self.lanes[cheapest].diagonal;
        while self.sought < self.new.len().min(place + AHEAD) {
            let is_followed = self.lanes[1..].iter().any(|lane| lane.diagonal == near);
            if is_followed && self.same(self.sought, near) >= SETTLED {
                self.sought += SETTLED / 2;
                continue;
            }
            if let Some(diagonal) = self.propose(self.sought, near) {
                self.follow(diagonal, place, cheapest);
            }
            self.sought += 1;
        }
    }

    /// Gives the diagonal the lane of that which was not proposed for the longest time.
    fn follow(&mut self, diagonal: Diagonal, place: usize, cheapest: usize) {
        let proposed = self.sought;
        let known = self.lanes[1..]
            .iter_mut()
            .find(|lane| lane.diagonal == diagonal);
        if let Some(known) = known {
            known.proposed = proposed;
            return;
        }
        let others = (1..self.lanes.len()).filter(|lane| *lane != cheapest);
        let lane = others
            .min_by_key(|lane| self.lanes[*lane].proposed)
            .unwrap_or(1);
        self.replaced.push(Replaced {
            place,
            lane,
            diagonal: self.lanes[lane].diagonal,
        });
        self.lanes[lane] = Lane {
            diagonal,
            proposed,
            ..Lane::NOWHERE
        };
    }

    /// Goes on by a byte in every lane, each from where it is or from the cheapest.
    fn step(&mut self, place: usize, cheapest: usize) -> Step {
        let (new, best) = (self.new[place], self.lanes[cheapest]);
        let (literal, diagonals) = self.lanes.split_at_mut(1);
        let mut switched = 0;
        for lane in literal {
            let left = best.cost + cost::LEAVE;
            if cheapest != LITERAL && left < lane.cost {
                switched |= 1;
                (lane.cost, lane.diagonal) = (left, best.diagonal);
            }
            lane.cost += cost::NEW;
        }
        for (index, lane) in (1..).zip(diagonals) {
            let away = lane.diagonal.wrapping_sub(best.diagonal) as isize;
            let far = (away.unsigned_abs() + 1).ilog2() * cost::FAR;
            let entered = best.cost + cost::SWITCH + far;
            if index != cheapest && entered < lane.cost {
                switched |= 1 << index;
                (lane.cost, lane.other) = (entered, false);
            }
            let old = self.old.get(place.wrapping_add(lane.diagonal));
            lane.cost += match old {
                Some(old) if *old == new => cost::SAME,
                Some(_) if lane.other => cost::OTHER_AGAIN,
                Some(_) => cost::OTHER,
                None => u32::MAX / 4,
            };
            lane.cost = lane.cost.min(u32::MAX / 2);
            lane.other = old != Some(&new);
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

fn cheapest(lanes: &[Lane]) -> usize {
    let lanes = lanes.iter().enumerate();
    lanes
        .min_by_key(|(_, lane)| lane.cost)
        .map_or(LITERAL, |(index, _)| index)
}

/// The pieces of the cheapest way, from its end.
fn trace(lanes: &[Lane], steps: &[Step], replaced: &[Replaced]) -> Vec<Piece> {
    let mut diagonals: Vec<Diagonal> = lanes.iter().map(|lane| lane.diagonal).collect();
    let mut replaced = replaced.iter().rev().peekable();
    let mut lane = cheapest(lanes);
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
        while let Some(replaced) = replaced.next_if(|replaced| replaced.place == place) {
            diagonals[replaced.lane] = replaced.diagonal;
        }
    }
    pieces.reverse();
    pieces
}
