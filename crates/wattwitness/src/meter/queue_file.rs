//! The queue's flash as a file of 1 MiB that one process holds. It knows no layout: what stands in
//! it is the queue's affair.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail, ensure};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use rustix::fs::{Advice, fadvise};
use ww_device::flash::{SECTOR_BYTES, WORD_BYTES};

/// Bytes of the file.
pub(super) const QUEUE_BYTES: usize = 1 << 20;

const SECTOR: usize = SECTOR_BYTES as usize;

/// A NOR flash in a file: programming clears bits, erasing sets those of a whole sector. Every
/// `write` and `erase` is on the disk when it returns, so the order in which the queue commits is
/// the order in which the disk does; at a reading every ten seconds that is a handful of syncs.
///
/// After the first operation that fails it refuses all others, reads included: what the system gives
/// back then may stand in its memory only, and would pass for durable.
#[derive(Debug)]
pub(super) struct QueueFile {
    file: File,
    sync: fn(&File) -> io::Result<()>,
    has_failed: bool,
    /// Held as long as the file is in use; the system lets go of it however the process ends.
    _lock: File,
    failure: LastFailure,
}

/// What the system said when the file failed; a flash driver can only say "other".
#[derive(Clone, Debug, Default)]
pub(super) struct LastFailure(Arc<Mutex<Option<io::Error>>>);

impl LastFailure {
    /// Takes the failure, if there was one since the last time.
    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl QueueFile {
    /// Opens the queue in `directory`, which is made if need be, and keeps everyone else out.
    pub(super) fn open(directory: &Path) -> anyhow::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .with_context(|| format!("cannot make the state directory {}", directory.display()))?;
        let lock = lock(&directory.join("queue.lock"))?;
        let path = Self::path(directory);
        let shown = path.display();
        let is_there = path
            .try_exists()
            .with_context(|| format!("cannot look for {shown}"))?;
        if !is_there {
            create(directory, &path)
                .with_context(|| format!("cannot make the queue file {shown} of 1 MiB"))?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open the queue file {shown} for writing"))?;
        let size_bytes = file.metadata()?.len();
        ensure!(
            size_bytes == QUEUE_BYTES as u64,
            "the queue file {shown} has {size_bytes} bytes instead of {QUEUE_BYTES}: it was cut off \
             or is something else. Readings that no gateway has may be in it, so it is not \
             touched; move it away to begin a new one"
        );
        forget_cached(&file)
            .with_context(|| format!("cannot read the queue file {shown} from the disk"))?;
        Ok(Self {
            file,
            sync: File::sync_data,
            has_failed: false,
            _lock: lock,
            failure: LastFailure::default(),
        })
    }

    /// Where the queue of `directory` is.
    pub(super) fn path(directory: &Path) -> PathBuf {
        directory.join("queue.flash")
    }

    /// Where to look when an operation has failed.
    pub(super) fn last_failure(&self) -> LastFailure {
        self.failure.clone()
    }

    fn attempt(
        &mut self,
        operation: impl FnOnce(&Self) -> io::Result<()>,
    ) -> Result<(), NorFlashErrorKind> {
        if self.has_failed {
            return Err(NorFlashErrorKind::Other);
        }
        operation(self).map_err(|error| {
            self.has_failed = true;
            *self
                .failure
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(error);
            NorFlashErrorKind::Other
        })
    }
}

/// Lets go of what the system remembers of the file: after a sync that failed, under a process
/// before this one, that may be more than the disk holds.
fn forget_cached(file: &File) -> io::Result<()> {
    file.sync_all()?;
    Ok(fadvise(file, 0, None, Advice::DontNeed)?)
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let shown = path.display();
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot open the lock file {shown} for writing"))?;
    hold(file, path)
}

/// Keeps every other meter away from the key, wherever it keeps its queue. Who only reads the key is
/// not in the way.
pub(super) fn lock_key(path: &Path) -> anyhow::Result<File> {
    let file =
        File::open(path).with_context(|| format!("cannot open the key file {}", path.display()))?;
    hold(file, path)
}

fn hold(file: File, path: &Path) -> anyhow::Result<File> {
    let shown = path.display();
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another process holds {shown}: this meter is running already, and a key may have one \
             meter only"
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {shown}"))
        }
    }
}

/// Makes an erased flash under another name first: a file that is there is whole, and its space is
/// taken for good, so that a full disk never stops a meter that has once started.
fn create(directory: &Path, path: &Path) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    let written = file
        .write_all(&vec![0xff; QUEUE_BYTES])
        .and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a file only takes space on a disk that has none; that it cannot be removed changes
        // nothing about the error.
        let _ = std::fs::remove_file(&unfinished);
        return Err(error);
    }
    std::fs::rename(&unfinished, path)?;
    File::open(directory)?.sync_all()
}

impl ErrorType for QueueFile {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for QueueFile {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        self.attempt(|held| held.file.read_exact_at(bytes, offset.into()))
    }

    fn capacity(&self) -> usize {
        QUEUE_BYTES
    }
}

impl NorFlash for QueueFile {
    const WRITE_SIZE: usize = WORD_BYTES;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.attempt(|held| {
            for sector in (from..to).step_by(SECTOR) {
                held.file.write_all_at(&[0xff; SECTOR], sector.into())?;
            }
            (held.sync)(&held.file)
        })
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        let mut programmed = vec![0; bytes.len()];
        self.attempt(|held| {
            held.file.read_exact_at(&mut programmed, offset.into())?;
            for (byte, wanted) in programmed.iter_mut().zip(bytes) {
                *byte &= wanted;
            }
            held.file.write_all_at(&programmed, offset.into())?;
            (held.sync)(&held.file)
        })
    }
}

#[cfg(test)]
mod tests {
    use ww_device::queue::{Layout, PushError, Queue};
    use ww_wire::{
        AnyReading, BootCounter, CounterEpoch, MeterId, MilliwattHours, Reading, ReadingFlags,
        Sequence, SignerId, TimeQuality, UptimeMillis,
    };

    use super::*;

    #[test]
    fn programming_only_clears_bits_and_erasing_sets_a_sector() {
        let folder = tempfile::tempdir().unwrap();
        let mut flash = QueueFile::open(folder.path()).unwrap();
        flash.write(SECTOR_BYTES, &[0b1100; 4]).unwrap();
        flash.write(SECTOR_BYTES, &[0b1010; 4]).unwrap();
        flash.write(0, &[0; 4]).unwrap();
        let mut held = [0; 4];
        flash.read(SECTOR_BYTES, &mut held).unwrap();
        assert_eq!(held, [0b1000; 4]);
        flash.erase(SECTOR_BYTES, 2 * SECTOR_BYTES).unwrap();
        flash.read(SECTOR_BYTES, &mut held).unwrap();
        assert_eq!(held, [0xff; 4]);
        flash.read(0, &mut held).unwrap();
        assert_eq!(held, [0; 4]);
    }

    #[test]
    fn what_was_written_is_there_after_opening_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut flash = QueueFile::open(folder.path()).unwrap();
        flash.write(8, b"held").unwrap();
        drop(flash);
        let mut held = [0; 4];
        QueueFile::open(folder.path())
            .unwrap()
            .read(8, &mut held)
            .unwrap();
        assert_eq!(&held, b"held");
    }

    #[test]
    fn accesses_off_the_grid_or_beyond_the_end_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut flash = QueueFile::open(folder.path()).unwrap();
        let not_aligned = Err(NorFlashErrorKind::NotAligned);
        assert_eq!(flash.write(2, &[0; 4]), not_aligned);
        assert_eq!(flash.erase(0, 100), not_aligned);
        let end = QUEUE_BYTES as u32;
        assert_eq!(
            flash.read(end, &mut [0]),
            Err(NorFlashErrorKind::OutOfBounds)
        );
        assert!(flash.last_failure().take().is_none());
    }

    #[test]
    fn one_at_a_time_holds_the_queue() {
        let folder = tempfile::tempdir().unwrap();
        let first = QueueFile::open(folder.path()).unwrap();
        let error = QueueFile::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("running already"), "{error}");
        drop(first);
        QueueFile::open(folder.path()).unwrap();
    }

    #[test]
    fn a_file_of_the_wrong_size_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = QueueFile::path(folder.path());
        std::fs::write(&path, b"short").unwrap();
        let error = QueueFile::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("has 5 bytes"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"short");
    }

    #[test]
    fn a_creation_that_was_cut_short_is_made_good() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("queue.new"), b"half").unwrap();
        let mut flash = QueueFile::open(folder.path()).unwrap();
        let mut held = [0; 4];
        flash.read(QUEUE_BYTES as u32 - 4, &mut held).unwrap();
        assert_eq!(held, [0xff; 4]);
    }

    #[test]
    fn a_full_disk_is_told_by_its_own_error() {
        let folder = tempfile::tempdir().unwrap();
        let full = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut flash = QueueFile::open(folder.path()).unwrap();
        flash.file = full;
        assert_eq!(flash.erase(0, SECTOR_BYTES), Err(NorFlashErrorKind::Other));
        let failure = flash.last_failure().take().unwrap();
        assert_eq!(failure.kind(), io::ErrorKind::StorageFull);
    }

    fn failing_sync(_: &File) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(5))
    }

    #[test]
    fn a_reading_whose_sync_failed_never_counts_as_durable() {
        let folder = tempfile::tempdir().unwrap();
        let mut flash = QueueFile::open(folder.path()).unwrap();
        let last_failure = flash.last_failure();
        let meter = SignerId([7; 32]);
        let (mut queue, _) = Queue::mount(&mut flash, Layout::ONE_MEBIBYTE, meter).unwrap();
        queue.push_reading(&failed_poll(meter, 1)).unwrap();
        flash.sync = failing_sync;
        let (mut queue, _) = Queue::mount(&mut flash, Layout::ONE_MEBIBYTE, meter).unwrap();
        let pushed = queue.push_reading(&failed_poll(meter, 2));
        assert!(matches!(pushed, Err(PushError::Doubtful(_))), "{pushed:?}");
        let failure = last_failure.take().unwrap();
        assert_eq!(failure.raw_os_error(), Some(5));
    }

    #[test]
    fn after_one_failure_everything_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut flash = QueueFile::open(folder.path()).unwrap();
        flash.sync = failing_sync;
        let failed = Err(NorFlashErrorKind::Other);
        assert_eq!(flash.write(0, b"lost"), failed);
        flash.sync = File::sync_data;
        assert_eq!(flash.read(0, &mut [0; 4]), failed);
        assert_eq!(flash.write(4, b"more"), failed);
        assert_eq!(flash.erase(0, SECTOR_BYTES), failed);
    }

    fn failed_poll(meter: MeterId, number: u64) -> AnyReading {
        AnyReading::SinglePhase(Reading {
            meter,
            boot: BootCounter::new(1).unwrap(),
            sequence: Sequence::new(number).unwrap(),
            time: None,
            uptime: UptimeMillis::ZERO,
            time_quality: TimeQuality::Unknown,
            power: None,
            import_total: None,
            export_total: None,
            counter_epoch: CounterEpoch::ZERO,
            produced: MilliwattHours::ZERO,
            voltage: None,
            current: None,
            reactive_power: None,
            temperature: None,
            flags: ReadingFlags::SENSOR_UNREACHABLE,
        })
    }
}
