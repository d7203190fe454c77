//! A board that is nothing but registers: a mailbox, a clock, a flash and a wire.

use core::fmt::{self, Write};
use core::ptr::{read_volatile, write_volatile};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use ww_device::now::Now;
use ww_wire::{TimeQuality, UptimeMillis, UtcMillis};

const REGISTERS: usize = 0x6000_0000;

fn read(register: usize) -> u32 {
    // SAFETY: a register of the board.
    unsafe { read_volatile((REGISTERS + register) as *const u32) }
}

fn write(register: usize, value: u32) {
    // SAFETY: a register of the board.
    unsafe { write_volatile((REGISTERS + register) as *mut u32, value) }
}

/// Says a line to whoever listens.
pub fn say(arguments: fmt::Arguments<'_>) {
    struct Console;
    impl Write for Console {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for byte in text.bytes() {
                write(0, byte.into());
            }
            Ok(())
        }
    }
    let _ = writeln!(Console, "{arguments}");
}

/// Where what happens comes in, and answers go out.
pub struct Mailbox;

/// What happened.
pub enum Mail {
    /// A deadline came.
    Wake,
    /// The sensor answered.
    Sensor,
    /// The gateway answered.
    Gateway,
    /// Something of an update came.
    Update,
}

impl Mailbox {
    pub fn next(&mut self) -> Mail {
        match self.number() % 4 {
            0 => Mail::Wake,
            1 => Mail::Sensor,
            2 => Mail::Gateway,
            _ => Mail::Update,
        }
    }

    pub fn number(&mut self) -> u32 {
        read(4)
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = read(8) as u8;
        }
    }

    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    pub fn message<'a>(&mut self, buffer: &'a mut [u8]) -> &'a [u8] {
        let len = self.number() as usize % (buffer.len() + 1);
        self.fill(&mut buffer[..len]);
        &buffer[..len]
    }

    pub fn send(&mut self, bytes: &[u8]) {
        for byte in bytes {
            write(12, (*byte).into());
        }
    }

    pub fn now(&mut self) -> Now {
        let long = |high, low| u64::from(read(high)) << 32 | u64::from(read(low));
        let uptime = UptimeMillis::new(long(16, 20));
        let utc = UtcMillis::new(long(24, 28));
        match (uptime, utc) {
            (Some(uptime), Some(utc)) => Now::at(uptime, utc, TimeQuality::Synchronised),
            (Some(uptime), None) => Now::unsynchronised(uptime),
            _ => Now::unsynchronised(UptimeMillis::ZERO),
        }
    }
}

/// The flash, a word at a time.
pub struct Flash;

#[derive(Clone, Copy, Debug)]
pub struct FlashError;

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl ErrorType for Flash {
    type Error = FlashError;
}

fn done() -> Result<(), FlashError> {
    match read(32) {
        0 => Ok(()),
        _ => Err(FlashError),
    }
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        for (place, word) in (offset..).step_by(4).zip(bytes.chunks_mut(4)) {
            write(36, place);
            word.copy_from_slice(&read(40).to_le_bytes()[..word.len()]);
        }
        done()
    }

    fn capacity(&self) -> usize {
        4 << 20
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        for sector in (from..to).step_by(Self::ERASE_SIZE) {
            write(44, sector);
        }
        done()
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        for (place, word) in (offset..).step_by(4).zip(bytes.as_chunks().0) {
            write(36, place);
            write(40, u32::from_le_bytes(*word));
        }
        done()
    }
}
