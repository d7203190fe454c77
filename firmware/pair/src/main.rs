//! A meter's firmware as far as it can be without a board: the state machines of `ww-device`, the trust
//! of `ww-release` and a TCP/IP stack around a mailbox in memory. It exists to be linked in
//! neighbouring versions, on which deltas are measured; it is never run.
#![no_std]
#![no_main]

mod board;
mod meter;
mod network;
mod update;

use board::{Mail, Mailbox};
use riscv_rt::entry;

/// What the next version says of itself.
const VERSION: (u16, u16, u16) = if cfg!(feature = "dependency") {
    (2, 0, 0)
} else if cfg!(feature = "change") {
    (1, 1, 0)
} else if cfg!(feature = "fix") {
    (1, 0, 1)
} else {
    (1, 0, 0)
};

#[entry]
fn main() -> ! {
    let mut mailbox = Mailbox;
    let mut meter = meter::start(&mut mailbox, VERSION);
    let mut network = network::Network::new(&mut mailbox);
    loop {
        network.poll(&mut mailbox);
        match mailbox.next() {
            Mail::Wake => meter::wake(&mut meter, &mut mailbox),
            Mail::Sensor => meter::sensor(&mut meter, &mut mailbox),
            Mail::Gateway => meter::gateway(&mut meter, &mut mailbox),
            Mail::Update => update::take(&mut mailbox),
        }
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    board::say(format_args!("{info}"));
    loop {}
}
