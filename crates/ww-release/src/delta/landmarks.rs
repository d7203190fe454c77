//! What has moved by how much, as far as it was seen: pieces of the old image by their first address.
//! The newest are kept, in a table of one size.

/// How many pieces are kept.
const MOST: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Landmark {
    /// The first address of the piece in the old image.
    from: u32,
    /// How far it has moved.
    shift: u32,
}

/// The pieces, in the order of their addresses.
#[derive(Clone, Debug)]
pub(super) struct Landmarks {
    known: [Landmark; MOST],
    len: usize,
    /// Which piece makes room for the next one when all are taken.
    hand: usize,
}

/// How far an address may have moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Guess {
    /// As far as the piece before it, or it is in that piece.
    pub(super) below: u32,
    /// As far as the next piece.
    pub(super) above: u32,
}

impl Landmarks {
    pub(super) const NONE: Self = Self {
        known: [Landmark { from: 0, shift: 0 }; MOST],
        len: 0,
        hand: 0,
    };

    /// Pieces that begin at or below this address.
    fn below(&self, address: u32) -> usize {
        self.known[..self.len].partition_point(|known| known.from <= address)
    }

    pub(super) fn guess(&self, address: u32) -> Guess {
        let known = &self.known[..self.len];
        let place = self.below(address);
        let before = place.checked_sub(1).and_then(|place| known.get(place));
        let after = known.get(place).or(before);
        let shift = |landmark: Option<&Landmark>| landmark.map_or(0, |known| known.shift);
        Guess {
            below: shift(before.or(after)),
            above: shift(after),
        }
    }

    /// Takes it that what lies at `address` has moved by `shift`.
    pub(super) fn learn(&mut self, address: u32, shift: u32) {
        let place = self.below(address);
        if let Some(before) = place.checked_sub(1).map(|place| &mut self.known[place]) {
            if before.shift == shift {
                return;
            }
            if before.from == address {
                before.shift = shift;
                return;
            }
        }
        // The next piece begins earlier than was known.
        if let Some(after) = self.known[..self.len].get_mut(place)
            && after.shift == shift
        {
            after.from = address;
            return;
        }
        let place = self.make_room(place);
        self.known[place..=self.len].rotate_right(1);
        self.known[place] = Landmark {
            from: address,
            shift,
        };
        self.len += 1;
    }

    fn make_room(&mut self, place: usize) -> usize {
        if self.len < MOST {
            return place;
        }
        self.hand = (self.hand + 37) % MOST;
        self.known[self.hand..].rotate_left(1);
        self.len -= 1;
        if self.hand < place { place - 1 } else { place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_piece_reaches_to_the_next() {
        let mut landmarks = Landmarks::NONE;
        assert_eq!(landmarks.guess(5), Guess { below: 0, above: 0 });
        landmarks.learn(100, 4);
        landmarks.learn(200, 8);
        assert_eq!(landmarks.guess(99), Guess { below: 4, above: 4 });
        assert_eq!(landmarks.guess(150), Guess { below: 4, above: 8 });
        assert_eq!(landmarks.guess(200), Guess { below: 8, above: 8 });
    }

    #[test]
    fn a_piece_that_begins_earlier_than_was_known_takes_no_more_room() {
        let mut landmarks = Landmarks::NONE;
        landmarks.learn(100, 4);
        landmarks.learn(200, 8);
        landmarks.learn(150, 8);
        assert_eq!(landmarks.len, 2);
        assert_eq!(landmarks.guess(150), Guess { below: 8, above: 8 });
    }

    proptest! {
        #[test]
        fn what_was_learnt_last_is_known_and_all_stay_in_order(
            seen in proptest::collection::vec((0_u32..1000, 0_u32..20), 1..400),
        ) {
            let mut landmarks = Landmarks::NONE;
            for (address, shift) in seen {
                landmarks.learn(address, shift);
                prop_assert_eq!(landmarks.guess(address).below, shift);
                let known = &landmarks.known[..landmarks.len];
                prop_assert!(known.is_sorted_by(|a, b| a.from < b.from));
            }
        }
    }
}
