//! The records and the meter as the chip links them: without the standard library and without an
//! allocator, all their dependencies included.

use std::fs;
use std::path::Path;
use std::process::Command;

const MANIFEST: &str = r#"
[package]
name = "bare"
edition = "2024"

[lib]
path = "bare.rs"
crate-type = ["staticlib"]

[dependencies]
ww-device = { path = "DEVICE" }
ww-wire = { path = "DEVICE/../ww-wire" }

[profile.dev]
panic = "abort"

[workspace]
"#;

/// A panic handler of its own clashes with that of `std`, and `alloc` asks for an allocator that
/// is not here: either ends the build.
const LIBRARY: &str = "\
#![no_std]
use {ww_device as _, ww_wire as _};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
";

#[test]
fn the_meter_links_without_the_standard_library_and_without_an_allocator() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bare");
    fs::create_dir_all(&folder).unwrap();
    let device = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = MANIFEST.replace("DEVICE", device.to_str().unwrap());
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("bare.rs"), LIBRARY).unwrap();
    fs::copy(device.join("../../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--quiet", "--target-dir", "target"])
        .current_dir(&folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}
