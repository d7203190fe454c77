//! The queue on a flash whose bytes have changed in any way: it mounts or refuses, writes nothing
//! by mounting, and whatever it is then asked ends in a value.
//! The input is a list of changes to a good flash, four bytes each: kind, offset, value.
#![no_main]

use std::sync::LazyLock;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use libfuzzer_sys::fuzz_target;
use ww_device::flash::{SECTOR_BYTES, WORD_BYTES};
use ww_device::queue::{BatchLimit, Layout, LogCheckpoint, Queue};
use ww_wire::*;

const METER: SignerId = SignerId([5; 32]);
const SECTORS: usize = 9;

#[derive(Clone)]
struct Flash(Vec<u8>);

/// An access outside the chip.
#[derive(Debug)]
struct Outside;

impl NorFlashError for Outside {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::OutOfBounds
    }
}

impl ErrorType for Flash {
    type Error = Outside;
}

impl Flash {
    fn at(&mut self, from: u32, len: usize) -> Result<&mut [u8], Outside> {
        let from = from as usize;
        self.0.get_mut(from..from + len).ok_or(Outside)
    }
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = WORD_BYTES;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Outside> {
        bytes.copy_from_slice(self.at(offset, bytes.len())?);
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD_BYTES;
    const ERASE_SIZE: usize = SECTOR_BYTES as usize;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Outside> {
        self.at(from, (to - from) as usize)?.fill(0xff);
        Ok(())
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Outside> {
        for (cell, byte) in self.at(offset, bytes.len())?.iter_mut().zip(bytes) {
            *cell &= byte;
        }
        Ok(())
    }
}

fn layout() -> Layout {
    Layout::new(0, Layout::MIN_CHAIN_SECTORS, Layout::MIN_READINGS_SECTORS)
        .expect("these are the least that it takes")
}

fn signature() -> Signature {
    Signature::from_low_s([1; 64]).expect("it is in range and low")
}

fn reading(sequence: u64, produced: MilliwattHours) -> AnyReading {
    AnyReading::SinglePhase(Reading {
        meter: METER,
        boot: BootCounter::new(1).expect("it is a value"),
        sequence: Sequence::new(sequence).expect("it is a value"),
        time: UtcMillis::new(1_750_000_000_000 + 10_000 * sequence),
        uptime: UptimeMillis::new(10_000).expect("it is a value"),
        time_quality: TimeQuality::Synchronised,
        power: Milliwatts::new(16_350),
        import_total: MilliwattHours::new(100 * sequence),
        export_total: MilliwattHours::new(0),
        counter_epoch: CounterEpoch::ZERO,
        produced,
        voltage: Millivolts::new(230_000),
        current: None,
        reactive_power: None,
        temperature: None,
        flags: ReadingFlags::NONE,
    })
}

/// A flash after a boot, a window and some readings more.
static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let blank = Flash(vec![0xff; SECTORS * SECTOR_BYTES as usize]);
    let (mut queue, _) = Queue::mount(blank, layout(), METER).expect("a blank flash mounts");
    let checkpoint = LogCheckpoint {
        size: 5,
        root: Hash([6; 32]),
    };
    queue.set_checkpoint(&checkpoint).expect("there is room");
    let one = BootCounter::new(1).expect("it is a value");
    let boot = Boot {
        meter: METER,
        chain_index: queue.next_index(),
        previous: queue.previous(),
        boot: one,
        time: None,
        uptime: UptimeMillis::ZERO,
        time_quality: TimeQuality::Unknown,
        firmware: Hash([3; 32]),
        version_major: 1,
        version_minor: 0,
        version_patch: 0,
        security_counter: 0,
        reset_reason: ResetReason::PowerOn,
        last_recovered: None,
        first_new: queue.next_sequence(),
        attestation: Attestation::NONE,
    };
    let stored = queue.push_chain(&ChainRecord::Boot(boot), &signature());
    stored.expect("there is room");
    let mut leaves = Vec::new();
    for sequence in 1..=40 {
        let produced = MilliwattHours::new(100 * sequence).expect("it is a value");
        let reading = reading(sequence, produced);
        queue.push_reading(&reading).expect("there is room");
        leaves.push(reading.leaf_hash().expect("it keeps the rules"));
        if sequence == 20 {
            let window = Window {
                meter: METER,
                chain_index: queue.next_index(),
                previous: queue.previous(),
                boot: one,
                first_sequence: Sequence::new(1).expect("it is a value"),
                last_sequence: Sequence::new(20).expect("it is a value"),
                count: 20,
                first_time: UtcMillis::new(1_750_000_010_000),
                last_time: UtcMillis::new(1_750_000_200_000),
                produced_open: MilliwattHours::ZERO,
                produced_close: produced,
                root: merkle::root(&leaves),
                enrolment: Hash::ZERO,
                firmware: Hash([3; 32]),
                log_size: 5,
                log_root: Hash([6; 32]),
                flags: WindowFlags::NONE,
            };
            let stored = queue.push_chain(&ChainRecord::Window(window), &signature());
            stored.expect("there is room");
        }
    }
    queue.into_flash().0
});

fn changed(changes: &[u8]) -> Flash {
    let mut flash = Flash(GOOD.clone());
    for change in changes.chunks_exact(4) {
        let offset = usize::from(u16::from_be_bytes([change[1], change[2]])) % flash.0.len();
        let sector = offset / SECTOR_BYTES as usize * SECTOR_BYTES as usize;
        let value = change[3];
        match change[0] % 4 {
            0 => flash.0[offset] = value,
            1 => flash.0[offset] &= value,
            2 => flash.0[sector..sector + SECTOR_BYTES as usize].fill(0xff),
            _ => flash.0[offset..sector + SECTOR_BYTES as usize].fill(value),
        }
    }
    flash
}

fuzz_target!(|changes: &[u8]| {
    let flash = changed(changes);
    let before = flash.0.clone();
    let Ok((queue, found)) = Queue::mount(flash, layout(), METER) else {
        return;
    };
    let flash = queue.into_flash();
    assert_eq!(flash.0, before, "mounting writes nothing");
    let (mut queue, again) =
        Queue::mount(flash, layout(), METER).expect("the same bytes mount again");
    assert_eq!(found, again);

    let _ = queue.depth();
    let mut body = [0; 16 * 1024];
    let batch = queue.next_batch(queue.first_unacknowledged(), BatchLimit::MOST, &mut body);
    if let Ok(batch) = batch {
        for item in ww_wire::cose::Items::new(&body[..batch.len]) {
            item.expect("a batch is a body");
        }
    }
    let next = found.next_sequence;
    if queue
        .push_reading(&reading(next.get(), found.produced))
        .is_ok()
    {
        let (_, later) =
            Queue::mount(queue.into_flash(), layout(), METER).expect("what was written mounts");
        assert!(later.next_sequence > next, "no number is given out twice");
    }
});
