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
