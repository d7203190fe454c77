//! `wattwitness firmware inspect`: what is in a release file, in plain words, and against a root whether a
//! device would take it, who has signed and who is missing.

use std::path::PathBuf;

use ww_release::file::{Field, ReleaseFile};
use ww_release::release::{HardwareClass, SECTOR_BYTES};
use ww_release::signatures::Domain;

use crate::firmware::{Uuid, bytes, decoded, hardware_class, read};
use crate::keys;
use crate::keys::grouped;
use crate::keys::root::RootFile;
use crate::keys::trust::{self, Software};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 the file is whole and, with --root, a device would take it; 1 otherwise.")]
pub(crate) struct InspectArguments {
    /// The release
    file: PathBuf,
    /// The root that devices trust
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    #[command(flatten)]
    field: FieldArguments,
}

/// What is known of the devices that are to take a release.
#[derive(Debug, clap::Args)]
pub(crate) struct FieldArguments {
    /// The fleet's key: what is encrypted is read and checked too
    #[arg(long, value_name = "FILE", requires = "root")]
    fleet_key: Option<PathBuf>,
    /// The devices' hardware class, a UUID
    #[arg(long, value_name = "UUID", value_parser = hardware_class, requires = "root")]
    hardware_class: Option<HardwareClass>,
    /// The highest security counter that a device has confirmed
    #[arg(long, value_name = "N", default_value_t = 0, requires = "root")]
    confirmed_counter: u32,
}

impl FieldArguments {
    /// Holds a release against a root and these devices.
    pub(crate) fn judged(
        &self,
        release: &ReleaseFile<'_>,
        root: &RootFile,
    ) -> anyhow::Result<Result<(), ww_release::file::Unacceptable>> {
        let fleet = self.fleet_key.as_deref().map(keys::fleet_key);
        let fleet = fleet.transpose()?;
        let field = Field {
            class: self.hardware_class,
            confirmed_counter: self.confirmed_counter,
            fleet: fleet.as_ref(),
        };
        let signed = root.signed();
        Ok(release
            .acceptable(signed.claimed(), &field, &mut Software)
            .map(|_| ()))
    }
}

/// Gives everything about a file, and whether a device would take it.
pub(crate) fn run(arguments: &InspectArguments) -> anyhow::Result<(String, bool)> {
    let bytes = read(&arguments.file)?;
    let release = decoded(&bytes, &arguments.file)?;
    let described = described(&release);
    let Some(root_file) = &arguments.root else {
        return Ok((described, true));
    };
    let root = RootFile::load(root_file)?;
    root.in_force(root_file)?;
    let (signers, _) = judged(&release, &root);
    let verdict = arguments.field.judged(&release, &root)?;
    let (words, is_well) = match verdict {
        Ok(()) => ("A device that trusts this root takes it.".to_owned(), true),
        Err(why) => (
            format!("NO DEVICE THAT TRUSTS THIS ROOT TAKES IT: {why}."),
            false,
        ),
    };
    Ok((format!("{described}\n{signers}\n{words}"), is_well))
}

/// What a release file says.
pub(crate) fn described(file: &ReleaseFile<'_>) -> String {
    let release = file.release();
    let parts = release.parts;
    let mut lines = vec![
        format!("release           {}", release.version),
        format!("digest            {}", release.digest()),
        format!("hardware class    {}", Uuid(release.class)),
        format!("security counter  {}", release.security_counter),
        format!("suite             {}", release.suite.name()),
        format!("payload           {}", release.payload),
        format!("  image           {}", bytes(parts.image_bytes as usize)),
    ];
    let extra = [
        ("configuration", parts.config_bytes),
        ("layout", parts.layout_bytes),
    ];
    for (name, size) in extra.into_iter().filter(|(_, size)| *size > 0) {
        lines.push(format!("  {name:15} {}", bytes(size as usize)));
    }
    let whole = file
        .objects()
        .next()
        .map_or(1, |(_, whole)| whole.ciphertext.len());
    for (encoding, object) in file.objects() {
        let len = object.ciphertext.len();
        lines.push(match &encoding.base {
            None => format!(
                "the whole         {} in {} sectors",
                bytes(len),
                len.div_ceil(SECTOR_BYTES as usize)
            ),
            Some(base) => format!(
                "delta             {}, {:.1} % of the whole, from payload {base}",
                bytes(len),
                100.0 * len as f64 / whole as f64
            ),
        });
    }
    let signers = file.signed().approved().signatures();
    let signers: Vec<String> = signers.map(|signed| grouped(signed.signer())).collect();
    lines.push(match signers.is_empty() {
        true => "signatures        none yet".to_owned(),
        false => format!("signatures        {}", signers.join(", ")),
    });
    lines.join("\n")
}

/// Who of a root's release keys has signed, and whether that is enough.
pub(crate) fn judged(file: &ReleaseFile<'_>, root: &RootFile) -> (String, bool) {
    let signed = root.signed();
    let root = signed.claimed();
    let approved = file.signed().approved();
    let (threshold, count) = (
        usize::from(root.release.threshold()),
        trust::count(approved, Domain::Release, &root.release),
    );
    let mut lines = vec![format!(
        "{count} of the {threshold} signatures that root {} asks for are there:",
        root.number
    )];
    lines.extend(trust::keys(
        &root.release,
        Some((approved, Domain::Release)),
    ));
    for stranger in trust::strangers(approved, &[&root.release]) {
        lines.push(format!(
            "  {}  NOT A RELEASE KEY OF THIS ROOT",
            grouped(stranger)
        ));
    }
    (lines.join("\n"), count >= threshold)
}
