//! The suffixes of a text in their order, by induced sorting (Nong, Zhang and Chan, 2009): linear in
//! time, a few words a byte in memory.

use std::vec;
use std::vec::Vec;

const NONE: u32 = u32::MAX;

/// The places of a text's suffixes, in the order of the suffixes.
pub(super) fn sorted(text: &[u8]) -> Vec<u32> {
    let text: Vec<u32> = text.iter().map(|byte| u32::from(*byte)).collect();
    sort(&text, 256)
}

/// As [`sorted`], for letters below `letters`.
fn sort(text: &[u32], letters: usize) -> Vec<u32> {
    let len = text.len();
    if len <= 1 {
        return (0..len as u32).collect();
    }
    // A suffix is small when it comes before the one that begins after it.
    let mut is_small = vec![false; len];
    for place in (0..len - 1).rev() {
        let (this, next) = (text[place], text[place + 1]);
        is_small[place] = this < next || this == next && is_small[place + 1];
    }
    let is_leftmost = |place: usize| place > 0 && is_small[place] && !is_small[place - 1];
    let leftmost: Vec<u32> = (1..len as u32)
        .filter(|place| is_leftmost(*place as usize))
        .collect();
    let sorter = Sorter::new(text, &is_small, letters);
    let rough = sorter.induce(&leftmost);
    if leftmost.len() <= 1 {
        return rough;
    }

    // Names the pieces between leftmost small suffixes in their order.
    let mut number = vec![NONE; len];
    for (index, place) in leftmost.iter().enumerate() {
        number[*place as usize] = index as u32;
    }
    let piece = |index: usize| {
        let end = leftmost
            .get(index + 1)
            .map_or(len, |place| *place as usize + 1);
        &text[leftmost[index] as usize..end]
    };
    let mut names = vec![0; leftmost.len()];
    let (mut name, mut before) = (0, None);
    for place in rough
        .iter()
        .filter(|place| number[**place as usize] != NONE)
    {
        let index = number[*place as usize] as usize;
        let is_last = index + 1 == leftmost.len();
        if before.is_some_and(|before: usize| {
            is_last || before + 1 == leftmost.len() || piece(before) != piece(index)
        }) {
            name += 1;
        }
        names[index] = name;
        before = Some(index);
    }
    let order = if name as usize + 1 == names.len() {
        let mut order = vec![0; names.len()];
        for (index, name) in names.iter().enumerate() {
            order[*name as usize] = index as u32;
        }
        order
    } else {
        sort(&names, name as usize + 1)
    };
    let exact: Vec<u32> = order
        .iter()
        .map(|index| leftmost[*index as usize])
        .collect();
    sorter.induce(&exact)
}

/// Sorts all suffixes by what is known of some.
struct Sorter<'a> {
    text: &'a [u32],
    is_small: &'a [bool],
    /// Where the suffixes begin that begin with a letter, and with the letter after the last.
    starts: Vec<u32>,
}

impl<'a> Sorter<'a> {
    fn new(text: &'a [u32], is_small: &'a [bool], letters: usize) -> Self {
        let mut starts = vec![0; letters + 1];
        for letter in text {
            starts[*letter as usize + 1] += 1;
        }
        for letter in 0..letters {
            starts[letter + 1] += starts[letter];
        }
        Self {
            text,
            is_small,
            starts,
        }
    }

    fn induce(&self, leftmost: &[u32]) -> Vec<u32> {
        let len = self.text.len();
        let mut order = vec![NONE; len];
        let mut ends = self.starts[1..].to_vec();
        for place in leftmost.iter().rev() {
            put_last(&mut order, &mut ends, self.text[*place as usize], *place);
        }
        let mut starts = self.starts.clone();
        let mut put_first = |order: &mut [u32], place: usize| {
            let start = &mut starts[self.text[place] as usize];
            order[*start as usize] = place as u32;
            *start += 1;
        };
        // The empty suffix is the first of all, and the last letter begins no small one.
        put_first(&mut order, len - 1);
        for index in 0..len {
            let place = order[index];
            if place != NONE && place > 0 && !self.is_small[place as usize - 1] {
                put_first(&mut order, place as usize - 1);
            }
        }
        let mut ends = self.starts[1..].to_vec();
        for index in (0..len).rev() {
            let place = order[index];
            if place != NONE && place > 0 && self.is_small[place as usize - 1] {
                let before = place - 1;
                put_last(&mut order, &mut ends, self.text[before as usize], before);
            }
        }
        order
    }
}

fn put_last(order: &mut [u32], ends: &mut [u32], letter: u32, place: u32) {
    let end = &mut ends[letter as usize];
    *end -= 1;
    order[*end as usize] = place;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_comparison(text: &[u8]) -> Vec<u32> {
        let mut places: Vec<u32> = (0..text.len() as u32).collect();
        places.sort_by_key(|place| &text[*place as usize..]);
        places
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_comparisons(text in proptest::collection::vec(0_u8..4, 0..300)) {
            prop_assert_eq!(sorted(&text), by_comparison(&text));
        }

        #[test]
        fn any_letters_are_sorted(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(sorted(&text), by_comparison(&text));
        }
    }

    #[test]
    fn a_text_of_one_letter_is_sorted_from_its_end() {
        assert_eq!(sorted(&[0xff; 1000]), (0..1000).rev().collect::<Vec<u32>>());
    }
}
