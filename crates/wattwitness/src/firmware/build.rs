//! `wattwitness firmware build`: reads image, configuration and layout, makes deltas from what is still
//! in the field, encrypts everything under fresh keys and writes one file that nobody has signed yet.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use ww_release::file::{Delta, Draft, ReleaseFile, Unmade};
use ww_release::fleet::FleetKey;
use ww_release::key::Suite;
use ww_release::release::HardwareClass;
use ww_wire::Hash;
use zeroize::Zeroizing;

use crate::artifact::{self, Place};
use crate::firmware::{bytes, decoded, delta, hardware_class, image, inspect, read};
use crate::keys;

/// The most bytes of a configuration or a layout.
const MAX_PART: usize = 1 << 20;

/// What the name of a release file ends with.
const RELEASE: &str = "wwr";

#[derive(Debug, clap::Args)]
pub(crate) struct BuildArguments {
    /// The image: an ELF program of 32-bit RISC-V, or the raw bytes
    image: PathBuf,
    /// Where to write the release (*.wwr)
    out: PathBuf,
    /// How people call it: 1 to 32 visible ASCII characters
    #[arg(long, value_name = "VERSION")]
    version: String,
    /// From 0; a device never goes below that of what it has confirmed. Raise it when older releases must
    /// not come back
    #[arg(long, value_name = "N")]
    security_counter: u32,
    /// The hardware that it is for, a UUID
    #[arg(long, value_name = "UUID", value_parser = hardware_class)]
    hardware_class: HardwareClass,
    /// The fleet's key, under which the keys of the release travel
    #[arg(long, value_name = "FILE")]
    fleet_key: PathBuf,
    /// How it is signed and encrypted: the suite of the fleet's root
    #[arg(long, value_name = "SUITE", default_value = "es256-aes256ctr")]
    suite: SuiteName,
    /// Configuration that comes with the image and under the same digest
    #[arg(long, value_name = "FILE")]
    configuration: Option<PathBuf>,
    /// Layout of the flash that the image needs, under the same digest
    #[arg(long, value_name = "FILE")]
    layout: Option<PathBuf>,
    /// Make a delta from this older release (*.wwr) or raw payload; may be given up to seven times
    #[arg(long, value_name = "FILE")]
    from: Vec<PathBuf>,
    /// Address of the flat image's first byte [default: the lowest physical address that an ELF segment
    /// with content is loaded at; gaps become 0xff]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    base_address: Option<u32>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// The name of a suite on the command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum SuiteName {
    /// ES256, AES-256 in counter mode
    Es256Aes256ctr,
    /// RSA with 2048 bits, AES-256 in CBC mode
    Rsa2048Aes256cbc,
}

impl From<SuiteName> for Suite {
    fn from(name: SuiteName) -> Self {
        match name {
            SuiteName::Es256Aes256ctr => Self::Es256Aes256Ctr,
            SuiteName::Rsa2048Aes256cbc => Self::Rsa2048Aes256Cbc,
        }
    }
}

fn address(text: &str) -> Result<u32, &'static str> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "write it like 0x42000000")
}

/// Makes the file and gives what is in it.
pub(crate) fn run(arguments: &BuildArguments) -> anyhow::Result<String> {
    let out = &arguments.out;
    ensure!(
        out.extension()
            .is_some_and(|extension| extension == RELEASE),
        "{} does not end with .{RELEASE}, as release files do",
        out.display()
    );
    ensure!(
        arguments.force || !out.exists(),
        "{} is there already; --force writes over it",
        out.display()
    );
    let fleet = keys::fleet_key(&arguments.fleet_key)?;
    let image = image_of(arguments)?;
    let part = |file: &Option<PathBuf>| match file {
        None => Ok(Vec::new()),
        Some(file) => artifact::read(file, MAX_PART),
    };
    let (config, layout) = (part(&arguments.configuration)?, part(&arguments.layout)?);
    let mut draft = Draft {
        class: arguments.hardware_class,
        security_counter: arguments.security_counter,
        version: &arguments.version,
        suite: arguments.suite.into(),
        image: &image,
        config: &config,
        layout: &layout,
        deltas: &[],
    };
    let payload = draft.payload();
    let deltas = deltas(arguments, &fleet, &payload)?;
    let deltas: Vec<Delta<'_>> = deltas
        .iter()
        .map(|(base, bytes)| Delta { base: *base, bytes })
        .collect();
    draft.deltas = &deltas;
    eprintln!(
        "encrypting {} and {} deltas",
        bytes(payload.len()),
        deltas.len()
    );
    let file = sealed(&draft, &fleet)?;
    let release = ReleaseFile::decode(&file).context("the release that was made cannot be read")?;
    checked(&release, &fleet, &payload, &deltas)?;
    let place = match arguments.force {
        true => Place::Replaced,
        false => Place::New,
    };
    artifact::write(out, &file, place)?;
    Ok(format!(
        "{} has {}\n{}",
        out.display(),
        bytes(file.len()),
        inspect::described(&release)
    ))
}

/// Makes the release file: every object under a key and a nonce of its own.
fn sealed(draft: &Draft<'_>, fleet: &FleetKey) -> anyhow::Result<Vec<u8>> {
    let entropy = |out: &mut [u8]| getrandom::fill(out).map_err(std::io::Error::other);
    draft.seal(fleet, entropy).map_err(|error| match error {
        Unmade::File(error) => anyhow::Error::new(error)
            .context("the release cannot be made; leave out deltas if the file is too long"),
        other => other.into(),
    })
}

/// What was made is read again as a gateway and a device read it.
fn checked(
    release: &ReleaseFile<'_>,
    fleet: &FleetKey,
    payload: &[u8],
    deltas: &[Delta<'_>],
) -> anyhow::Result<()> {
    let different = "the release that was made does not hold what went into it";
    ensure!(release.open(0, fleet)?[..] == *payload, different);
    for place in 1..=deltas.len() {
        let base = release
            .objects()
            .nth(place)
            .and_then(|(encoding, _)| encoding.base);
        let delta = deltas.iter().find(|delta| Some(delta.base) == base);
        let delta = delta.context(different)?;
        ensure!(release.open(place, fleet)?[..] == *delta.bytes, different);
    }
    Ok(())
}

fn image_of(arguments: &BuildArguments) -> anyhow::Result<Vec<u8>> {
    let file = &arguments.image;
    let shown = file.display();
    // An ELF file has symbols and more beside the image.
    let raw = artifact::read(file, 8 * image::MAX_IMAGE)?;
    if !image::is_elf(&raw) {
        ensure!(
            arguments.base_address.is_none(),
            "{shown} is a raw image, which has no address: --base-address is for ELF files"
        );
        ensure!(!raw.is_empty(), "{shown} is empty");
        ensure!(
            raw.len() <= image::MAX_IMAGE,
            "{shown} is longer than the {} bytes that an image may have",
            image::MAX_IMAGE
        );
        return Ok(raw);
    }
    let image = image::flat(&raw, arguments.base_address)
        .with_context(|| format!("{shown} gives no image"))?;
    eprintln!(
        "{shown}: {} from {:#010x} on",
        bytes(image.bytes.len()),
        image.base
    );
    Ok(image.bytes)
}

/// A payload that is still in the field.
struct Base {
    digest: Hash,
    payload: Zeroizing<Vec<u8>>,
}

/// The deltas that are worth it, each with the digest of its base.
fn deltas(
    arguments: &BuildArguments,
    fleet: &FleetKey,
    payload: &[u8],
) -> anyhow::Result<Vec<(Hash, Vec<u8>)>> {
    let own = Hash::of(&[payload]);
    let mut made: Vec<(Hash, Vec<u8>)> = Vec::new();
    let mut seen: Vec<Hash> = Vec::new();
    for file in &arguments.from {
        let shown = file.display();
        let base = base(arguments, fleet, file)?;
        ensure!(
            base.digest != own,
            "{shown} has the same payload as this release: no delta leads from it"
        );
        if seen.contains(&base.digest) {
            eprintln!("{shown}: the same payload as another; left out");
            continue;
        }
        seen.push(base.digest);
        let delta = delta::between(&base.payload, payload).with_context(|| {
            format!("no delta can be made from {shown}; leave out --from {shown}")
        })?;
        let (of, len) = (payload.len().max(1), delta.len());
        let share = format!(
            "{}, {:.1} % of the whole",
            bytes(len),
            100.0 * len as f64 / of as f64
        );
        if len >= payload.len() {
            eprintln!("{shown}: a delta of {share}; left out");
            continue;
        }
        eprintln!("{shown}: a delta of {share}");
        made.push((base.digest, delta));
    }
    Ok(made)
}

fn base(arguments: &BuildArguments, fleet: &FleetKey, file: &Path) -> anyhow::Result<Base> {
    let shown = file.display();
    let raw = Zeroizing::new(read(file)?);
    if file
        .extension()
        .is_none_or(|extension| extension != RELEASE)
    {
        ensure!(
            !image::is_elf(&raw),
            "{shown} is an ELF file; a delta leads from a payload: name the older release (*.wwr)"
        );
        if ReleaseFile::decode(&raw).is_ok() {
            bail!("{shown} is a release; let its name end with .{RELEASE}");
        }
        let digest = Hash::of(&[&raw]);
        return Ok(Base {
            digest,
            payload: raw,
        });
    }
    let older = decoded(&raw, file)?;
    let release = older.release();
    ensure!(
        release.class == arguments.hardware_class,
        "{shown} is for another hardware class"
    );
    if release.security_counter > arguments.security_counter {
        bail!(
            "{shown} has the security counter {}: devices that have confirmed it would refuse {}",
            release.security_counter,
            arguments.security_counter
        );
    }
    let payload = older
        .open(0, fleet)
        .with_context(|| format!("the payload of {shown} cannot be read"))?;
    Ok(Base {
        digest: release.payload,
        payload,
    })
}

#[cfg(test)]
mod tests;
