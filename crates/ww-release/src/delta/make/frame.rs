//! Where an image lies, as its own references tell. It guesses; a wrong guess costs bytes and nothing
//! else.

use std::collections::BTreeSet;
use std::vec::Vec;

use crate::delta::riscv::{Frame, Kind, Reference, instruction_len};

/// The most words, and groups of words, that are tried.
const SAMPLES: usize = 2048;
const GROUPS: usize = 8;

/// Images begin at multiples of this.
const ALIGNMENT: u32 = 256;

/// The address of the first byte; 0 when there is no telling.
pub(super) fn base(image: &[u8]) -> u32 {
    let targets = targets(image);
    groups(image)
        .into_iter()
        .filter_map(|words| most_frequent(&words, &targets))
        .max()
        .map_or(0, |(_, base)| base)
}

/// What is called, named or stands after a return.
fn targets(image: &[u8]) -> BTreeSet<u32> {
    let nowhere = Frame::new(0, 0);
    let mut targets = BTreeSet::new();
    let mut place = 0;
    while let Some(rest) = image.get(place..).filter(|rest| !rest.is_empty()) {
        let len = instruction_len(rest[0]);
        match Reference::read(rest, place as u32, nowhere) {
            Some(Reference {
                kind: Kind::Jump | Kind::Upper,
                target,
                ..
            }) if (target as usize) < image.len() => {
                targets.insert(target);
            }
            _ if rest.starts_with(&0x8082_u16.to_le_bytes()) => {
                targets.insert(place as u32 + 2);
            }
            _ => {}
        }
        place += len;
    }
    targets
}

/// Different words of the image, by the mebibyte that they point into; the largest groups.
fn groups(image: &[u8]) -> Vec<Vec<u32>> {
    let words = image
        .as_chunks()
        .0
        .iter()
        .map(|word| u32::from_le_bytes(*word));
    let words: BTreeSet<u32> = words.filter(|word| *word >> 20 != 0).collect();
    let words: Vec<u32> = words.into_iter().collect();
    let mut groups: Vec<&[u32]> = words.chunk_by(|a, b| a >> 20 == b >> 20).collect();
    groups.sort_by_key(|group| core::cmp::Reverse(group.len()));
    groups.truncate(GROUPS);
    let sample = |group: &&[u32]| {
        let step = group.len().div_ceil(SAMPLES);
        group.iter().copied().step_by(step).collect()
    };
    groups.iter().map(sample).collect()
}

/// The difference that most words have from a target, and how many have it.
fn most_frequent(words: &[u32], targets: &BTreeSet<u32>) -> Option<(usize, u32)> {
    let differences = words
        .iter()
        .flat_map(|word| targets.iter().map(|target| word.wrapping_sub(*target)));
    let mut differences: Vec<u32> = differences.filter(|base| base % ALIGNMENT == 0).collect();
    differences.sort_unstable();
    let runs = differences.chunk_by(|a, b| a == b);
    runs.map(|run| (run.len(), run[0])).max()
}
