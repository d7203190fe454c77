//! What the queue knows of the chain: the sum of all chain entries so far. Every chain sector
//! carries it in its header as it was when the sector was opened, so a mount reads one sector.

use ww_wire::{ChainRecord, Gap, GapKind, Hash};

const NUMBERS: usize = 16;

/// Bytes of a [`ChainState`] in a sector's header.
pub(super) const STATE_BYTES: usize = NUMBERS * 8 + 4 + 3 * 32;

/// The newest Gap of kind Records: what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordsGap {
    /// The Gap's own place in the chain.
    pub(super) index: u64,
    pub(super) first_index: u64,
    pub(super) last_index: u64,
    /// Zero when no reading was lost.
    pub(super) first_sequence: u64,
    /// Zero when no reading was lost.
    pub(super) last_sequence: u64,
    pub(super) produced_open: u64,
    pub(super) produced_close: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChainState {
    /// The place of the next record.
    pub(super) next_index: u64,
    /// Digest of the last record; zero before the first.
    pub(super) previous: Hash,
    /// The last Boot record's counter; zero before the first.
    pub(super) boot: u32,
    /// The last Boot record's firmware.
    pub(super) firmware: Hash,
    /// Readings up to this one are in windows.
    pub(super) sealed_sequence: u64,
    /// `produced` at the close of the last window.
    pub(super) sealed_close: u64,
    /// The Enrolment that the last window was made under; zero for none.
    pub(super) sealed_enrolment: Hash,
    /// No new reading has a lower number: the last Boot record promised it.
    pub(super) first_new: u64,
    /// The records below this were acknowledged once.
    pub(super) settled_index: u64,
    /// Readings up to this one are in windows that were acknowledged once.
    pub(super) settled_sequence: u64,
    pub(super) records_gap: Option<RecordsGap>,
    /// Readings up to this one were given up by a Gap of kind Readings.
    pub(super) readings_floor: u64,
    /// The records that a Gap of kind Unreadable covers; empty when the first is above the last.
    pub(super) unreadable: (u64, u64),
}

impl ChainState {
    pub(super) const NEW: Self = Self {
        next_index: 0,
        previous: Hash::ZERO,
        boot: 0,
        firmware: Hash::ZERO,
        sealed_sequence: 0,
        sealed_close: 0,
        sealed_enrolment: Hash::ZERO,
        first_new: 1,
        settled_index: 0,
        settled_sequence: 0,
        records_gap: None,
        readings_floor: 0,
        unreadable: (1, 0),
    };

    /// Takes in the next record of the chain.
    pub(super) fn apply(&mut self, record: &ChainRecord, digest: Hash) {
        self.next_index = record.chain_index().get().saturating_add(1);
        self.previous = digest;
        match record {
            ChainRecord::Window(window) => {
                if window.boot.get() > self.boot {
                    // Its Boot record cannot be read any more.
                    self.boot = window.boot.get();
                    self.firmware = window.firmware;
                }
                self.sealed_sequence = window.last_sequence.get();
                self.sealed_close = window.produced_close.get();
                self.sealed_enrolment = window.enrolment;
            }
            ChainRecord::Boot(boot) => {
                self.boot = self.boot.max(boot.boot.get());
                self.firmware = boot.firmware;
                self.first_new = boot.first_new.get();
            }
            ChainRecord::Gap(gap) => self.apply_gap(gap),
        }
    }

    fn apply_gap(&mut self, gap: &Gap) {
        let sequence = |sequence: Option<ww_wire::Sequence>| sequence.map_or(0, |s| s.get());
        self.boot = self.boot.max(gap.boot.get());
        if gap.kind == GapKind::Records {
            // Readings of windows that cannot be read count as sealed.
            self.sealed_sequence = self.sealed_sequence.max(sequence(gap.last_sequence));
            self.sealed_close = self.sealed_close.max(gap.produced_close.get());
        }
        match gap.kind {
            // One that speaks of less, or of a hole in the middle, changes nothing for the rest.
            GapKind::Records
                if gap.first_index.get() > self.first_live_index()
                    || self
                        .records_gap
                        .is_some_and(|before| before.last_index > gap.last_index.get()) => {}
            GapKind::Records => {
                self.records_gap = Some(RecordsGap {
                    index: gap.chain_index.get(),
                    first_index: gap.first_index.get(),
                    last_index: gap.last_index.get(),
                    first_sequence: sequence(gap.first_sequence),
                    last_sequence: sequence(gap.last_sequence),
                    produced_open: gap.produced_open.get(),
                    produced_close: gap.produced_close.get(),
                });
            }
            GapKind::Readings => {
                self.readings_floor = self.readings_floor.max(sequence(gap.last_sequence));
            }
            GapKind::Unreadable => {
                self.unreadable = (gap.first_index.get(), gap.last_index.get());
            }
        }
    }

    /// Takes in that the records below `index`, with the readings up to `sequence`, are settled.
    pub(super) fn settle(&mut self, index: u64, sequence: u64) {
        self.settled_index = self.settled_index.max(index);
        self.settled_sequence = self.settled_sequence.max(sequence);
    }

    /// The first record that may not be erased without a Gap.
    pub(super) fn first_live_index(&self) -> u64 {
        let after_gap = self
            .records_gap
            .map_or(0, |gap| gap.last_index.saturating_add(1));
        self.settled_index.max(after_gap)
    }

    /// Readings up to this one were given up by a Gap, alone or with their windows.
    pub(super) fn last_given_up(&self) -> u64 {
        let with_windows = self.records_gap.map_or(0, |gap| gap.last_sequence);
        self.readings_floor.max(with_windows)
    }

    pub(super) fn to_bytes(self) -> [u8; STATE_BYTES] {
        let mut bytes = [0; STATE_BYTES];
        let gap = self.records_gap.unwrap_or(RecordsGap {
            index: u64::MAX,
            first_index: 0,
            last_index: 0,
            first_sequence: 0,
            last_sequence: 0,
            produced_open: 0,
            produced_close: 0,
        });
        let numbers = [
            self.next_index,
            self.sealed_sequence,
            self.sealed_close,
            self.first_new,
            self.settled_index,
            self.settled_sequence,
            gap.index,
            gap.first_index,
            gap.last_index,
            gap.first_sequence,
            gap.last_sequence,
            gap.produced_open,
            gap.produced_close,
            self.readings_floor,
            self.unreadable.0,
            self.unreadable.1,
        ];
        for (number, out) in numbers.iter().zip(bytes.chunks_exact_mut(8)) {
            out.copy_from_slice(&number.to_be_bytes());
        }
        let rest = &mut bytes[NUMBERS * 8..];
        rest[..4].copy_from_slice(&self.boot.to_be_bytes());
        rest[4..36].copy_from_slice(&self.previous.0);
        rest[36..68].copy_from_slice(&self.firmware.0);
        rest[68..].copy_from_slice(&self.sealed_enrolment.0);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; STATE_BYTES] = bytes.try_into().ok()?;
        let (numbers, rest) = bytes.split_at(NUMBERS * 8);
        let mut values = [0; NUMBERS];
        for (value, bytes) in values.iter_mut().zip(numbers.chunks_exact(8)) {
            *value = u64::from_be_bytes(bytes.try_into().ok()?);
        }
        let mut state = Self {
            next_index: values[0],
            sealed_sequence: values[1],
            sealed_close: values[2],
            first_new: values[3],
            settled_index: values[4],
            settled_sequence: values[5],
            records_gap: (values[6] != u64::MAX).then_some(RecordsGap {
                index: values[6],
                first_index: values[7],
                last_index: values[8],
                first_sequence: values[9],
                last_sequence: values[10],
                produced_open: values[11],
                produced_close: values[12],
            }),
            readings_floor: values[13],
            unreadable: (values[14], values[15]),
            boot: u32::from_be_bytes(rest[..4].try_into().ok()?),
            previous: Hash::ZERO,
            firmware: Hash::ZERO,
            sealed_enrolment: Hash::ZERO,
        };
        state.previous.0.copy_from_slice(&rest[4..36]);
        state.firmware.0.copy_from_slice(&rest[36..68]);
        state.sealed_enrolment.0.copy_from_slice(&rest[68..]);
        Some(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_back_as_it_was_written() {
        let gap = RecordsGap {
            index: 30,
            first_index: 4,
            last_index: 12,
            first_sequence: 40,
            last_sequence: 90,
            produced_open: 7,
            produced_close: 9,
        };
        let state = ChainState {
            next_index: 31,
            previous: Hash([3; 32]),
            boot: 5,
            firmware: Hash([4; 32]),
            sealed_sequence: 100,
            sealed_close: 1000,
            sealed_enrolment: Hash([6; 32]),
            first_new: 90,
            settled_index: 4,
            settled_sequence: 39,
            records_gap: Some(gap),
            readings_floor: 80,
            unreadable: (13, 14),
        };
        assert_eq!(ChainState::from_bytes(&state.to_bytes()), Some(state));
        let new = ChainState::NEW;
        assert_eq!(ChainState::from_bytes(&new.to_bytes()), Some(new));
    }
}
