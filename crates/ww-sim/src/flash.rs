//! A NOR flash in memory that keeps the rules of the chip and loses power on command. It is no
//! file: a meter on Linux brings its own.
//!
//! Rules: a sector of 4 KiB erases to ones; a word of 4 bytes is programmed once between two
//! erases (programming the same content again does no harm); programming only clears bits.
//!
//! Operations are numbered from 0 over the life of the chip: each `write` call is one, each sector
//! of an `erase` call is one. A [`PowerCut`] names the operation that it strikes and how far that
//! got; from then on every access fails until [`NorFlashModel::restore_power`].

use std::sync::{Arc, Mutex, PoisonError};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

use crate::random::Random;

/// Bytes that erase together.
pub const SECTOR_BYTES: usize = 4096;
/// Bytes that are programmed together.
pub const WORD_BYTES: usize = 4;

/// How far the operation got that the power cut struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutPoint {
    /// Nothing of it happened.
    Before,
    /// Some of it happened: of a write, some words whole and one in part; of an erase, a mix of
    /// old bytes, erased bytes and bytes in between. The seed chooses.
    Torn {
        /// Which of the many ways to tear.
        seed: u64,
    },
    /// So many first words of a write happened, and the rest did not; an erase happened whole.
    AfterWords(u32),
    /// All of it happened, but nobody was told.
    After,
}

/// Where the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerCut {
    /// The number of the operation that it strikes.
    pub operation: u64,
    /// How far that operation got.
    pub point: CutPoint,
}

/// Why the flash refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlashError {
    /// The address or length is not a multiple of the unit of the operation.
    #[error("flash access at {offset} is not aligned")]
    NotAligned {
        /// Byte address of the access.
        offset: u32,
    },
    /// The access ends beyond the chip.
    #[error("flash access at {offset} is beyond the chip")]
    OutOfBounds {
        /// Byte address of the access.
        offset: u32,
    },
    /// A word that is not erased would have been programmed with other content.
    #[error("flash word at {offset} is {held:08x} and cannot become {wanted:08x} without an erase")]
    WordNotErased {
        /// Byte address of the word.
        offset: u32,
        /// What the word holds (big-endian).
        held: u32,
        /// What should have been written (big-endian).
        wanted: u32,
    },
    /// The power is gone.
    #[error("the flash has no power")]
    PowerLost,
}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::NotAligned { .. } => NorFlashErrorKind::NotAligned,
            Self::OutOfBounds { .. } => NorFlashErrorKind::OutOfBounds,
            Self::WordNotErased { .. } | Self::PowerLost => NorFlashErrorKind::Other,
        }
    }
}

/// One operation of a recorded run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlashOperation {
    /// Words were programmed.
    Write {
        /// Byte address of the first.
        offset: u32,
        /// What was programmed.
        bytes: Vec<u8>,
    },
    /// A sector was erased.
    Erase {
        /// Its number.
        sector: u32,
    },
}

/// What the chip has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlashCounters {
    /// Writes and sector erases together: the number of the next operation.
    pub operations: u64,
    /// `write` calls.
    pub writes: u64,
    /// Bytes programmed.
    pub bytes_written: u64,
    /// Sector erases.
    pub erases: u64,
    /// `read` calls.
    pub reads: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Attempts to break the rules of the chip, whatever the caller did with the error.
    pub violations: u64,
}

/// The chip. A clone is a snapshot; sectors are shared until one of the two changes them.
#[derive(Clone, Debug)]
pub struct NorFlashModel {
    sectors: Vec<Arc<[u8; SECTOR_BYTES]>>,
    erases: Vec<u32>,
    counters: FlashCounters,
    cut: Option<PowerCut>,
    powered: bool,
    record: Option<Vec<FlashOperation>>,
}

impl NorFlashModel {
    /// Makes an erased chip of `sectors` sectors.
    #[must_use]
    pub fn new(sectors: usize) -> Self {
        let erased = Arc::new([0xff; SECTOR_BYTES]);
        Self {
            sectors: vec![erased; sectors],
            erases: vec![0; sectors],
            counters: FlashCounters::default(),
            cut: None,
            powered: true,
            record: None,
        }
    }

    /// Plans a power cut; one at an operation that is past never comes.
    pub fn cut_power_at(&mut self, cut: PowerCut) {
        self.cut = Some(cut);
    }

    /// Gives the power back and forgets the planned cut.
    pub fn restore_power(&mut self) {
        self.powered = true;
        self.cut = None;
    }

    /// Begins to record every operation that is carried out whole.
    pub fn start_recording(&mut self) {
        self.record = Some(Vec::new());
    }

    /// Ends the recording and gives it out.
    pub fn take_recording(&mut self) -> Vec<FlashOperation> {
        self.record.take().unwrap_or_default()
    }

    /// Carries out a recorded operation.
    ///
    /// # Errors
    /// As `write` and `erase`.
    pub fn apply(&mut self, operation: &FlashOperation) -> Result<(), FlashError> {
        match operation {
            FlashOperation::Write { offset, bytes } => self.write(*offset, bytes),
            FlashOperation::Erase { sector } => {
                let from = sector * SECTOR_BYTES as u32;
                self.erase(from, from + SECTOR_BYTES as u32)
            }
        }
    }

    /// Calls `look` with the flash that each possible power cut leaves behind: for every
    /// recorded operation, cut before it, torn in `torn_each` ways, and cut after it. The flash
    /// has its power back. `self` is the flash as it was when the recording began.
    ///
    /// # Panics
    /// When the recording does not fit this flash.
    pub fn strike_everywhere(
        &self,
        recording: &[FlashOperation],
        torn_each: u64,
        mut look: impl FnMut(usize, CutPoint, NorFlashModel),
    ) {
        let mut flash = self.clone();
        flash.record = None;
        for (index, operation) in recording.iter().enumerate() {
            let torn = (0..torn_each).map(|way| CutPoint::Torn {
                seed: index as u64 * 64 + way,
            });
            // What a cut before this operation leaves is what the cut after the last one left.
            let before = (index == 0).then_some(CutPoint::Before);
            for point in before.into_iter().chain(torn).chain([CutPoint::After]) {
                let mut struck = flash.clone();
                struck.cut_power_at(PowerCut {
                    operation: struck.counters.operations,
                    point,
                });
                let outcome = struck.apply(operation);
                assert_eq!(
                    outcome,
                    Err(FlashError::PowerLost),
                    "operation {index} of the recording"
                );
                struck.restore_power();
                look(index, point, struck);
            }
            flash
                .apply(operation)
                .expect("a recorded operation was carried out on such a flash");
        }
    }

    /// Whether the chip has power.
    #[must_use]
    pub fn is_powered(&self) -> bool {
        self.powered
    }

    /// What the chip has done so far.
    #[must_use]
    pub fn counters(&self) -> FlashCounters {
        self.counters
    }

    /// Erases of each sector so far: its wear.
    #[must_use]
    pub fn wear(&self) -> &[u32] {
        &self.erases
    }

    /// Flips one bit, as an old or irradiated cell does.
    ///
    /// # Panics
    /// When `offset` is beyond the chip or `bit` above 7.
    pub fn flip_bit(&mut self, offset: u32, bit: u8) {
        assert!(bit < 8, "a byte has bits 0 to 7");
        self.sector_mut(offset)[offset as usize % SECTOR_BYTES] ^= 1 << bit;
    }

    /// The whole content.
    #[must_use]
    pub fn contents(&self) -> Vec<u8> {
        self.sectors
            .iter()
            .flat_map(|sector| sector.iter().copied())
            .collect()
    }

    fn sector_mut(&mut self, offset: u32) -> &mut [u8; SECTOR_BYTES] {
        Arc::make_mut(&mut self.sectors[offset as usize / SECTOR_BYTES])
    }

    fn word(&self, offset: u32) -> [u8; WORD_BYTES] {
        let start = offset as usize % SECTOR_BYTES;
        let sector = &self.sectors[offset as usize / SECTOR_BYTES];
        let mut word = [0; WORD_BYTES];
        word.copy_from_slice(&sector[start..start + WORD_BYTES]);
        word
    }

    fn program(&mut self, offset: u32, word: &[u8]) {
        let start = offset as usize % SECTOR_BYTES;
        let held = &mut self.sector_mut(offset)[start..start + WORD_BYTES];
        for (held, wanted) in held.iter_mut().zip(word) {
            *held &= wanted;
        }
    }

    fn program_all(&mut self, offset: u32, bytes: &[u8]) {
        for (index, word) in bytes.chunks_exact(WORD_BYTES).enumerate() {
            self.program(offset + (index * WORD_BYTES) as u32, word);
        }
    }

    fn erase_sector(&mut self, sector: usize) {
        *Arc::make_mut(&mut self.sectors[sector]) = [0xff; SECTOR_BYTES];
    }

    /// Counts one operation and says whether the planned cut strikes it.
    fn begin_operation(&mut self) -> Option<CutPoint> {
        let operation = self.counters.operations;
        self.counters.operations += 1;
        self.cut
            .filter(|cut| cut.operation == operation)
            .map(|cut| cut.point)
    }

    fn lose_power(&mut self) -> FlashError {
        self.powered = false;
        FlashError::PowerLost
    }

    fn check_power(&self) -> Result<(), FlashError> {
        if self.powered {
            Ok(())
        } else {
            Err(FlashError::PowerLost)
        }
    }

    fn check_words_erased(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        for (index, wanted) in bytes.chunks_exact(WORD_BYTES).enumerate() {
            let offset = offset + (index * WORD_BYTES) as u32;
            let held = self.word(offset);
            if held != [0xff; WORD_BYTES] && held != wanted {
                self.counters.violations += 1;
                let wanted = [wanted[0], wanted[1], wanted[2], wanted[3]];
                return Err(FlashError::WordNotErased {
                    offset,
                    held: u32::from_be_bytes(held),
                    wanted: u32::from_be_bytes(wanted),
                });
            }
        }
        Ok(())
    }

    fn refuse(&mut self, kind: NorFlashErrorKind, offset: u32) -> FlashError {
        self.counters.violations += 1;
        match kind {
            NorFlashErrorKind::NotAligned => FlashError::NotAligned { offset },
            _ => FlashError::OutOfBounds { offset },
        }
    }

    /// Programs some words whole, one in part and leaves the rest. Half of the time the whole ones
    /// are the first ones (a chip that programs word by word), else any (one that programs a page
    /// at once).
    fn tear_write(&mut self, offset: u32, bytes: &[u8], seed: u64) {
        let mut random = Random::new(seed);
        let words = (bytes.len() / WORD_BYTES) as u64;
        let in_order = random.chance(0.5);
        let partly = random.below(words);
        for (index, wanted) in bytes.chunks_exact(WORD_BYTES).enumerate() {
            let offset = offset + (index * WORD_BYTES) as u32;
            if index as u64 == partly {
                let mut part = [0; WORD_BYTES];
                random.fill(&mut part);
                // Only some of the bits that were to be cleared are.
                for (part, wanted) in part.iter_mut().zip(wanted) {
                    *part |= wanted;
                }
                self.program(offset, &part);
            } else if if in_order {
                (index as u64) < partly
            } else {
                random.chance(0.5)
            } {
                self.program(offset, wanted);
            }
        }
    }

    /// Leaves each run of 64 bytes old, erased or in between.
    fn tear_erase(&mut self, sector: usize, seed: u64) {
        let mut random = Random::new(seed);
        let bytes = Arc::make_mut(&mut self.sectors[sector]);
        for run in bytes.chunks_mut(64) {
            match random.below(3) {
                0 => {}
                1 => run.fill(0xff),
                _ => {
                    for byte in run {
                        *byte |= random.bits() as u8;
                    }
                }
            }
        }
    }
}

/// The chip as a meter holds it. All clones are the same chip, so it is still there when the meter
/// that held one has lost its power; [`FlashHandle::snapshot`] makes another.
#[derive(Clone, Debug)]
pub struct FlashHandle {
    chip: Arc<Mutex<NorFlashModel>>,
}

impl FlashHandle {
    /// Holds `chip`.
    #[must_use]
    pub fn new(chip: NorFlashModel) -> Self {
        Self {
            chip: Arc::new(Mutex::new(chip)),
        }
    }

    /// A copy of the chip as it is now.
    #[must_use]
    pub fn snapshot(&self) -> NorFlashModel {
        self.with(|chip| chip.clone())
    }

    /// Gives the chip to `change`: to cut its power, to break it, to look at it.
    pub fn with<T>(&self, change: impl FnOnce(&mut NorFlashModel) -> T) -> T {
        change(&mut self.chip.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ErrorType for FlashHandle {
    type Error = FlashError;
}

impl ReadNorFlash for FlashHandle {
    const READ_SIZE: usize = NorFlashModel::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        self.with(|chip| chip.read(offset, bytes))
    }

    fn capacity(&self) -> usize {
        self.with(|chip| chip.capacity())
    }
}

impl NorFlash for FlashHandle {
    const WRITE_SIZE: usize = NorFlashModel::WRITE_SIZE;
    const ERASE_SIZE: usize = NorFlashModel::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        self.with(|chip| chip.erase(from, to))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        self.with(|chip| chip.write(offset, bytes))
    }
}

impl ErrorType for NorFlashModel {
    type Error = FlashError;
}

impl ReadNorFlash for NorFlashModel {
    const READ_SIZE: usize = WORD_BYTES;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        self.check_power()?;
        if let Err(kind) = check_read(self, offset, bytes.len()) {
            return Err(self.refuse(kind, offset));
        }
        self.counters.reads += 1;
        self.counters.bytes_read += bytes.len() as u64;
        let mut address = offset as usize;
        let mut rest = bytes;
        while !rest.is_empty() {
            let start = address % SECTOR_BYTES;
            let length = rest.len().min(SECTOR_BYTES - start);
            let (now, later) = rest.split_at_mut(length);
            now.copy_from_slice(&self.sectors[address / SECTOR_BYTES][start..start + length]);
            address += length;
            rest = later;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.sectors.len() * SECTOR_BYTES
    }
}

impl NorFlash for NorFlashModel {
    const WRITE_SIZE: usize = WORD_BYTES;
    const ERASE_SIZE: usize = SECTOR_BYTES;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        self.check_power()?;
        if let Err(kind) = check_erase(self, from, to) {
            return Err(self.refuse(kind, from));
        }
        for sector in from as usize / SECTOR_BYTES..to as usize / SECTOR_BYTES {
            let cut = self.begin_operation();
            match cut {
                Some(CutPoint::Before) => return Err(self.lose_power()),
                Some(CutPoint::Torn { seed }) => self.tear_erase(sector, seed),
                Some(CutPoint::AfterWords(_) | CutPoint::After) | None => self.erase_sector(sector),
            }
            self.erases[sector] += 1;
            self.counters.erases += 1;
            if cut.is_some() {
                return Err(self.lose_power());
            }
            if let Some(record) = &mut self.record {
                record.push(FlashOperation::Erase {
                    sector: sector as u32,
                });
            }
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        self.check_power()?;
        if let Err(kind) = check_write(self, offset, bytes.len()) {
            return Err(self.refuse(kind, offset));
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.check_words_erased(offset, bytes)?;
        let cut = self.begin_operation();
        match cut {
            Some(CutPoint::Before) => return Err(self.lose_power()),
            Some(CutPoint::Torn { seed }) => self.tear_write(offset, bytes, seed),
            Some(CutPoint::AfterWords(words)) => {
                let done = bytes.len().min(words as usize * WORD_BYTES);
                self.program_all(offset, &bytes[..done]);
            }
            Some(CutPoint::After) | None => self.program_all(offset, bytes),
        }
        self.counters.writes += 1;
        self.counters.bytes_written += bytes.len() as u64;
        if cut.is_some() {
            return Err(self.lose_power());
        }
        if let Some(record) = &mut self.record {
            record.push(FlashOperation::Write {
                offset,
                bytes: bytes.to_vec(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(operation: u64, point: CutPoint) -> PowerCut {
        PowerCut { operation, point }
    }

    fn read<const N: usize>(flash: &mut NorFlashModel, offset: u32) -> [u8; N] {
        let mut bytes = [0; N];
        flash.read(offset, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read_across_a_sector_border() {
        let mut flash = NorFlashModel::new(2);
        flash.write(4092, b"sunshine").unwrap();
        assert_eq!(&read::<8>(&mut flash, 4092), b"sunshine");
    }

    #[test]
    fn a_word_that_is_not_erased_takes_no_other_content() {
        let mut flash = NorFlashModel::new(1);
        flash.write(8, &[0xf0; 4]).unwrap();
        let refused = flash.write(8, &[0x00; 4]);
        let expected = FlashError::WordNotErased {
            offset: 8,
            held: 0xf0f0_f0f0,
            wanted: 0x0000_0000,
        };
        assert_eq!(refused, Err(expected));
        assert_eq!(read(&mut flash, 8), [0xf0; 4]);
        assert_eq!(flash.counters().violations, 1);
    }

    #[test]
    fn the_same_content_may_be_written_again() {
        let mut flash = NorFlashModel::new(1);
        flash.write(0, b"same").unwrap();
        assert_eq!(flash.write(0, b"same"), Ok(()));
    }

    #[test]
    fn access_that_is_not_aligned_or_beyond_the_chip_is_refused() {
        let mut flash = NorFlashModel::new(1);
        assert_eq!(
            flash.write(2, &[0; 4]),
            Err(FlashError::NotAligned { offset: 2 })
        );
        assert_eq!(
            flash.write(0, &[0; 3]),
            Err(FlashError::NotAligned { offset: 0 })
        );
        assert_eq!(
            flash.erase(0, 2048),
            Err(FlashError::NotAligned { offset: 0 })
        );
        assert_eq!(
            flash.write(4096, &[0; 4]),
            Err(FlashError::OutOfBounds { offset: 4096 })
        );
        assert_eq!(
            flash.read(4092, &mut [0; 8]),
            Err(FlashError::OutOfBounds { offset: 4092 })
        );
    }

    #[test]
    fn erase_gives_ones_and_counts_as_wear() {
        let mut flash = NorFlashModel::new(3);
        flash.write(4096, &[0; 8]).unwrap();
        flash.erase(4096, 3 * 4096).unwrap();
        assert_eq!(read(&mut flash, 4096), [0xff; 8]);
        assert_eq!(flash.wear(), [0, 1, 1]);
        assert_eq!(flash.counters().operations, 3);
    }

    #[test]
    fn a_cut_before_leaves_the_content_and_takes_the_power() {
        let mut flash = NorFlashModel::new(1);
        flash.cut_power_at(cut(1, CutPoint::Before));
        flash.write(0, b"kept").unwrap();
        assert_eq!(flash.write(4, b"lost"), Err(FlashError::PowerLost));
        assert_eq!(flash.read(0, &mut [0; 4]), Err(FlashError::PowerLost));
        flash.restore_power();
        assert_eq!(&read::<8>(&mut flash, 0), b"kept\xff\xff\xff\xff");
    }

    #[test]
    fn a_cut_after_leaves_the_content_written_though_the_caller_saw_an_error() {
        let mut flash = NorFlashModel::new(1);
        flash.cut_power_at(cut(0, CutPoint::After));
        assert_eq!(flash.write(0, b"done"), Err(FlashError::PowerLost));
        flash.restore_power();
        assert_eq!(&read::<4>(&mut flash, 0), b"done");
    }

    #[test]
    fn a_torn_erase_of_two_sectors_never_reaches_the_second() {
        let mut flash = NorFlashModel::new(2);
        flash.write(0, &[0; 4096]).unwrap();
        flash.write(4096, &[0; 4096]).unwrap();
        flash.cut_power_at(cut(2, CutPoint::Torn { seed: 3 }));
        assert_eq!(flash.erase(0, 8192), Err(FlashError::PowerLost));
        flash.restore_power();
        let torn = flash.contents()[..4096].to_vec();
        assert!(torn.contains(&0xff) && torn.contains(&0));
        assert!(flash.contents()[4096..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_snapshot_does_not_follow_the_original() {
        let mut flash = NorFlashModel::new(2);
        flash.write(0, b"then").unwrap();
        let mut snapshot = flash.clone();
        flash.erase(0, 4096).unwrap();
        assert_eq!(&read::<4>(&mut snapshot, 0), b"then");
        assert_eq!(snapshot.counters().operations, 1);
    }

    #[test]
    fn all_handles_hold_one_chip_and_a_snapshot_is_another() {
        let handle = FlashHandle::new(NorFlashModel::new(1));
        let snapshot = handle.snapshot();
        handle.clone().write(0, b"here").unwrap();
        assert_eq!(&handle.snapshot().contents()[..4], b"here");
        assert_eq!(snapshot.contents()[..4], [0xff; 4]);
    }

    #[test]
    fn a_recording_makes_the_same_flash_again() {
        let mut flash = NorFlashModel::new(2);
        let start = flash.clone();
        flash.start_recording();
        flash.write(0, b"once").unwrap();
        flash.erase(0, 8192).unwrap();
        flash.write(4096, b"more").unwrap();
        let recording = flash.take_recording();
        let mut again = start;
        recording
            .iter()
            .for_each(|operation| again.apply(operation).unwrap());
        assert_eq!(recording.len(), 4);
        assert_eq!(again.contents(), flash.contents());
    }

    #[test]
    fn power_strikes_every_operation_before_torn_and_after() {
        let mut flash = NorFlashModel::new(1);
        let start = flash.clone();
        flash.start_recording();
        flash.write(0, b"old!").unwrap();
        flash.write(4, b"news").unwrap();
        flash.erase(0, 4096).unwrap();
        let mut seen = Vec::new();
        start.strike_everywhere(&flash.take_recording(), 2, |index, point, mut struck| {
            let torn = matches!(point, CutPoint::Torn { .. });
            seen.push((index, torn, read::<8>(&mut struck, 0)));
        });
        let whole: Vec<_> = seen
            .iter()
            .filter(|(_, torn, _)| !torn)
            .map(|seen| seen.2)
            .collect();
        let erased = [0xff; 8];
        assert_eq!(
            whole,
            [erased, *b"old!\xff\xff\xff\xff", *b"old!news", erased]
        );
        assert_eq!(seen.iter().filter(|(_, torn, _)| *torn).count(), 6);
    }

    proptest! {
        #[test]
        fn a_torn_write_clears_only_bits_that_were_to_be_cleared_and_stays_in_its_words(
            bytes in prop::collection::vec(any::<u8>(), 16..=64), seed: u64,
        ) {
            let bytes = &bytes[..bytes.len() / 4 * 4];
            let mut flash = NorFlashModel::new(1);
            flash.cut_power_at(cut(0, CutPoint::Torn { seed }));
            prop_assert_eq!(flash.write(32, bytes), Err(FlashError::PowerLost));
            let after = flash.contents();
            prop_assert!(after[..32].iter().chain(&after[32 + bytes.len()..]).all(|b| *b == 0xff));
            let words = after[32..].chunks(4).zip(bytes.chunks(4));
            let odd = words.filter(|(held, wanted)| held != wanted && *held != [0xff; 4]).count();
            prop_assert!(odd <= 1, "{} words partly programmed", odd);
            prop_assert!(after[32..].iter().zip(bytes).all(|(held, wanted)| held & wanted == *wanted));
        }

        #[test]
        fn a_torn_erase_sets_bits_and_clears_none(seed: u64, fill: u8) {
            let mut flash = NorFlashModel::new(1);
            flash.write(0, &[fill; SECTOR_BYTES]).unwrap();
            flash.cut_power_at(cut(1, CutPoint::Torn { seed }));
            prop_assert_eq!(flash.erase(0, 4096), Err(FlashError::PowerLost));
            prop_assert!(flash.contents().iter().all(|byte| byte & fill == fill));
        }
    }
}
