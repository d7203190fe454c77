//! `wattwitness firmware`: makes releases, collects the signatures of several people, says what is in a
//! release file, and hands it to a gateway. What devices take is decided by `ww_release`, here as there.

mod build;
mod delta;
pub(crate) mod gateway;
mod image;
mod inspect;
mod publication;
mod sign;

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use ww_release::file::{MAX_FILE, ReleaseFile};
use ww_release::release::HardwareClass;

use crate::artifact;
use crate::firmware::build::BuildArguments;
use crate::firmware::inspect::InspectArguments;
use crate::firmware::publication::{ListArguments, PublishArguments, WithdrawArguments};
use crate::firmware::sign::SignArguments;

const EXAMPLES: &str = "\
Examples:
  wattwitness firmware build meter.elf meter-1.4.0.wwr --version 1.4.0 --security-counter 5 \\
      --hardware-class 6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7f --fleet-key fleet.key \\
      --from meter-1.3.0.wwr --from meter-1.2.0.wwr
      encrypts the image, makes deltas from what is still in the field, writes one file
  wattwitness firmware sign meter-1.4.0.wwr --key anna.key
      each signer does this on a computer of his own, and hands the file on
  wattwitness firmware inspect meter-1.4.0.wwr --root root-1.cbor
      who has signed, who is missing, and whether a device would take it
  wattwitness firmware publish meter-1.4.0.wwr --root root-1.cbor \\
      --gateway http://127.0.0.1:8000 --api-key-file admin.key
  wattwitness firmware withdraw meter-1.4.0.wwr --gateway http://127.0.0.1:8000 \\
      --api-key-file admin.key";

/// What to do with firmware.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum FirmwareCommand {
    /// Make a release file of an image: encrypted, with deltas, not signed yet
    Build(BuildArguments),
    /// Add a signature to a release, or those of a copy that others have signed
    Sign(SignArguments),
    /// Say what is in a release file, who has signed it, and whether a device would take it
    Inspect(InspectArguments),
    /// Hand a release to a gateway, unless devices would refuse it
    Publish(PublishArguments),
    /// List the releases that a gateway has
    List(ListArguments),
    /// Take a release back: a gateway has no device fetch or start it any more
    Withdraw(WithdrawArguments),
}

/// Does what was asked, and gives what to print and whether all is well.
pub(crate) fn run(command: &FirmwareCommand) -> anyhow::Result<(String, bool)> {
    match command {
        FirmwareCommand::Build(arguments) => build::run(arguments).map(well),
        FirmwareCommand::Sign(arguments) => sign::run(arguments).map(well),
        FirmwareCommand::Inspect(arguments) => inspect::run(arguments),
        FirmwareCommand::Publish(arguments) => publication::publish(arguments).map(well),
        FirmwareCommand::List(arguments) => publication::list(arguments).map(well),
        FirmwareCommand::Withdraw(arguments) => publication::withdraw(arguments).map(well),
    }
}

const fn well(text: String) -> (String, bool) {
    (text, true)
}

/// Reads the bytes of a release file.
pub(crate) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    artifact::read(file, MAX_FILE)
}

/// Understands the bytes of a release file.
pub(crate) fn decoded<'a>(bytes: &'a [u8], file: &Path) -> anyhow::Result<ReleaseFile<'a>> {
    ReleaseFile::decode(bytes).with_context(|| {
        format!(
            "{} is no release that anybody may sign or send",
            file.display()
        )
    })
}

/// Reads a hardware class on the command line.
pub(crate) fn hardware_class(text: &str) -> Result<HardwareClass, &'static str> {
    let digits: String = text.split('-').collect();
    let lengths = text.split('-').map(str::len);
    ww_api::hex::decode_array(&digits)
        .filter(|_| lengths.eq([8, 4, 4, 4, 12]))
        .map(HardwareClass)
        .ok_or("write it as a UUID: 6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7f")
}

/// A hardware class as people write it: a UUID (RFC 9562, section 4).
pub(crate) struct Uuid(pub(crate) HardwareClass);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = ww_api::hex::encode(&self.0.0);
        let (a, rest) = digits.split_at(8);
        let (b, rest) = rest.split_at(4);
        let (c, rest) = rest.split_at(4);
        let (d, e) = rest.split_at(4);
        write!(f, "{a}-{b}-{c}-{d}-{e}")
    }
}

/// A number of bytes with its digits in groups.
pub(crate) fn bytes(count: usize) -> String {
    let digits = count.to_string();
    let grouped: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    format!("{} bytes", grouped.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_class_is_a_uuid() {
        let text = "6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7f";
        assert_eq!(Uuid(hardware_class(text).unwrap()).to_string(), text);
        for wrong in [
            "",
            "6b2f3a1e58a05cf49f0e2d3b4c5d6e7f",
            "6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7",
            "6b2f3a1e-58a0-5cf4-9f0e2-d3b4c5d6e7f",
            "6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7g",
        ] {
            assert!(hardware_class(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bytes_are_grouped_by_thousands() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1_234_567), "1,234,567 bytes");
    }
}
