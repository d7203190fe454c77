//! Makes the deltas between files, applies them, and prints how long they are and how long that took:
//! a line of JSON for each pair. It keeps no delta.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it is a program that prints, and what it prints are times"
)]

use std::time::Instant;
use std::{env, fs, io};

use ww_release::delta::{Decoder, Sizes, make};

/// Bytes of a sector of flash, which is what a device decodes at a time.
const SECTOR_BYTES: usize = 4096;

fn main() -> io::Result<()> {
    let files: Vec<String> = env::args().skip(1).collect();
    let (pairs, rest) = files.as_chunks();
    if pairs.is_empty() || !rest.is_empty() {
        return Err(io::Error::other("usage: delta OLD NEW [OLD NEW ...]"));
    }
    for [old, new] in pairs {
        println!("{}", measured(&fs::read(old)?, &fs::read(new)?)?);
    }
    Ok(())
}

fn measured(old: &[u8], new: &[u8]) -> io::Result<String> {
    let begun = Instant::now();
    let delta = make(old, new).map_err(io::Error::other)?;
    let make_ms = begun.elapsed().as_millis();

    let begun = Instant::now();
    let sizes = Sizes {
        delta: delta.len() as u32,
        old: old.len() as u32,
        new: new.len() as u32,
    };
    let mut decoder = Decoder::open(sizes, &mut &delta[..]).map_err(io::Error::other)?;
    let mut decoded = Vec::with_capacity(new.len());
    let mut sector = [0; SECTOR_BYTES];
    while decoded.len() < new.len() {
        let len = decoder.decode(&mut &*old, &mut &delta[..], &mut sector);
        decoded.extend_from_slice(&sector[..len.map_err(io::Error::other)?]);
    }
    let decode_us = begun.elapsed().as_micros();
    if decoded != new {
        return Err(io::Error::other("the delta leads to another file"));
    }
    let (old_bytes, new_bytes, delta_bytes) = (old.len(), new.len(), delta.len());
    let decoder_bytes = size_of::<Decoder>();
    Ok(format!(
        r#"{{"old_bytes":{old_bytes},"new_bytes":{new_bytes},"delta_bytes":{delta_bytes},"make_ms":{make_ms},"decode_us":{decode_us},"decoder_bytes":{decoder_bytes}}}"#
    ))
}
