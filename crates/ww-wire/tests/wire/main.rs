//! ww-wire as others see it: properties of every encoder and decoder, the golden vectors, and the
//! tables of the format description.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its own values are wrong"
)]

mod arbitrary;
mod cose;
mod format;
mod golden;
mod merkle;
mod packed;
mod records;
mod tables;
mod vectors;
