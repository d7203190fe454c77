//! Writes the golden vectors into a folder: `cargo run -p ww-wire --example vectors -- FOLDER`.
//! A file that is there already is never written over: vectors of a version are never edited.

#[path = "../tests/wire/golden/mod.rs"]
mod golden;

use std::fs::File;
use std::io::{Error, ErrorKind, Write as _};
use std::path::PathBuf;

fn main() -> Result<(), Error> {
    let folder: PathBuf = std::env::args_os()
        .nth(1)
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "name the folder to write to"))?
        .into();
    for (name, text) in golden::files() {
        let digest = ww_wire::Hash::of(&[text.as_bytes()]);
        File::create_new(folder.join(name))?.write_all(text.as_bytes())?;
        writeln!(std::io::stdout(), "{digest}  {name}")?;
    }
    Ok(())
}
