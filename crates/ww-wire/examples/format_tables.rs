//! Renews the tables of the format description: `cargo run -p ww-wire --example format_tables --
//! docs/FORMAT.md`.

#[path = "../tests/wire/tables.rs"]
mod tables;

use std::io::{Error, ErrorKind};

fn main() -> Result<(), Error> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "name the document"))?;
    let document = std::fs::read_to_string(&path)?;
    std::fs::write(&path, tables::renewed(&document))
}
