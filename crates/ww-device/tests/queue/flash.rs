//! A small NOR flash in memory that loses power on command. (`ww-sim` has the full model; this one
//! keeps these tests free of a dependency that points upwards.)

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

pub(crate) const SECTOR: usize = 4096;

/// How far the operation that the cut strikes gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Before,
    /// In part: some words whole, one in between; an erase leaves a mix.
    Torn(u64),
    After,
}

#[derive(Clone, Debug)]
pub(crate) struct Flash {
    pub(crate) bytes: Vec<u8>,
    /// Writes and erases so far.
    pub(crate) operations: u64,
    pub(crate) cut: Option<(u64, Cut)>,
    pub(crate) powered: bool,
    /// Sectors that take neither erase nor write.
    pub(crate) bad: Vec<u32>,
    pub(crate) erases: Vec<u32>,
}

impl Flash {
    pub(crate) fn new(sectors: u32) -> Self {
        Self {
            // What a factory leaves on a chip is anything.
            bytes: vec![0xff; sectors as usize * SECTOR],
            operations: 0,
            cut: None,
            powered: true,
            bad: Vec::new(),
            erases: vec![0; sectors as usize],
        }
    }

    /// The cut that strikes this operation, if any.
    fn strike(&mut self) -> Option<Cut> {
        let operation = self.operations;
        self.operations += 1;
        let cut = self.cut.filter(|(at, _)| *at == operation)?.1;
        self.powered = false;
        Some(cut)
    }

    fn check(&self, sector: u32) -> Result<(), NorFlashErrorKind> {
        if self.powered && !self.bad.contains(&sector) {
            Ok(())
        } else {
            Err(NorFlashErrorKind::Other)
        }
    }
}

/// A stream of bits that a seed fixes (SplitMix64).
pub(crate) fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut value = *seed;
    value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        if !self.powered {
            return Err(NorFlashErrorKind::Other);
        }
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        assert_eq!(to - from, SECTOR as u32, "one sector at a time");
        self.check(from / SECTOR as u32)?;
        let struck = self.strike();
        self.erases[from as usize / SECTOR] += 1;
        let sector = &mut self.bytes[from as usize..to as usize];
        match struck {
            Some(Cut::Before) => {}
            Some(Cut::Torn(mut seed)) => {
                for run in sector.chunks_mut(64) {
                    match random(&mut seed) % 3 {
                        0 => {}
                        1 => run.fill(0xff),
                        _ => run
                            .iter_mut()
                            .for_each(|byte| *byte |= random(&mut seed) as u8),
                    }
                }
            }
            Some(Cut::After) | None => sector.fill(0xff),
        }
        struck.map_or(Ok(()), |_| Err(NorFlashErrorKind::Other))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        self.check(offset / SECTOR as u32)?;
        let held = &self.bytes[offset as usize..][..bytes.len()];
        assert!(
            held.iter().all(|byte| *byte == 0xff),
            "a word is programmed twice at {offset:#x}"
        );
        let struck = self.strike();
        let held = &mut self.bytes[offset as usize..][..bytes.len()];
        match struck {
            Some(Cut::Before) => {}
            Some(Cut::Torn(mut seed)) => {
                let words = bytes.len() as u64 / 4;
                let (in_order, partly) = (
                    random(&mut seed).is_multiple_of(2),
                    random(&mut seed) % words,
                );
                for (i, (held, wanted)) in held.chunks_mut(4).zip(bytes.chunks(4)).enumerate() {
                    let whole = if in_order {
                        (i as u64) < partly
                    } else {
                        random(&mut seed).is_multiple_of(2)
                    };
                    for (held, wanted) in held.iter_mut().zip(wanted) {
                        if i as u64 == partly {
                            *held &= wanted | random(&mut seed) as u8;
                        } else if whole {
                            *held &= wanted;
                        }
                    }
                }
            }
            Some(Cut::After) | None => {
                for (held, wanted) in held.iter_mut().zip(bytes) {
                    *held &= wanted;
                }
            }
        }
        struck.map_or(Ok(()), |_| Err(NorFlashErrorKind::Other))
    }
}
