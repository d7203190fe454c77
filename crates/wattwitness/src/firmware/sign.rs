//! `wattwitness firmware sign`: adds one signer's signature to a release, or takes over what others have
//! signed on copies of it. No gateway is needed, and no other signer.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use ww_release::canonical;
use ww_release::file::ReleaseFile;
use ww_release::release::SignedRelease;
use ww_release::signatures::{Approved, Domain};

use crate::artifact::{self, Place};
use crate::firmware::{decoded, inspect, read};
use crate::keys::grouped;
use crate::keys::passphrase::PassphraseArguments;
use crate::keys::public_key::kind;
use crate::keys::root::RootFile;
use crate::keys::signing_key::SigningKey;
use crate::keys::trust::{self, Verdict};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("signed").required(true).multiple(true))]
pub(crate) struct SignArguments {
    /// The release; the signature is added to this file
    file: PathBuf,
    /// The private key of who signs
    #[arg(long, value_name = "FILE", group = "signed")]
    key: Option<PathBuf>,
    /// A copy of the same release, whose signatures are taken over; may be given several times. Needs
    /// --root
    #[arg(long, value_name = "FILE", group = "signed", requires = "root")]
    merge: Vec<PathBuf>,
    /// The root that devices trust: who is not among its release keys does not sign, and a signature of
    /// a key that it no longer has is taken out
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

/// Adds what was asked for and gives what is in the file then.
pub(crate) fn run(arguments: &SignArguments) -> anyhow::Result<String> {
    let mut bytes = read(&arguments.file)?;
    decoded(&bytes, &arguments.file)?;
    let root = match &arguments.root {
        None => None,
        Some(file) => {
            let root = RootFile::load(file)?;
            root.in_force(file)?;
            Some(root)
        }
    };
    if let Some(root) = &root {
        bytes = without_strangers(&decoded(&bytes, &arguments.file)?, root)?;
    }
    for copy in &arguments.merge {
        let root = root.as_ref().context("--merge needs --root")?;
        bytes = merged(&bytes, arguments, copy, root)?;
    }
    if let Some(key) = &arguments.key {
        let release = decoded(&bytes, &arguments.file)?;
        let key = SigningKey::load(key, &arguments.passphrase)?;
        bytes = signed(&release, &key, root.as_ref())?;
    }
    let release = decoded(&bytes, &arguments.file)?;
    let described = inspect::described(&release);
    let judged = root.as_ref().map(|root| inspect::judged(&release, root));
    artifact::write(&arguments.file, &bytes, Place::Replaced)?;
    Ok(match judged {
        None => described,
        Some((judged, _)) => format!("{described}\n{judged}"),
    })
}

/// The file without the signatures that would make every device refuse it: those of keys that the root
/// does not have, since it has revoked them.
fn without_strangers(release: &ReleaseFile<'_>, root: &RootFile) -> anyhow::Result<Vec<u8>> {
    let root = root.signed();
    let signed = release.signed();
    let mut approved = Approved::new(signed.approved().content);
    for signature in signed.approved().signatures() {
        if root.claimed().release.key(signature.signer()).is_some() {
            approved = approved
                .with(*signature)
                .context("a part of the signatures has room where all have")?;
        } else {
            eprintln!(
                "{} is no release key of root {}: its signature is taken out",
                grouped(signature.signer()),
                root.claimed().number
            );
        }
    }
    let kept = SignedRelease::new(*release.release(), approved);
    let mut envelope = vec![0; canonical::length(&kept)];
    canonical::encode(&kept, &mut envelope).context("there is as much room as it takes")?;
    let objects = release.objects().map(|(_, object)| *object).collect();
    Ok(ReleaseFile::new(&envelope, objects)?.to_bytes())
}

fn signed(
    release: &ReleaseFile<'_>,
    key: &SigningKey,
    root: Option<&RootFile>,
) -> anyhow::Result<Vec<u8>> {
    let suite = release.release().suite;
    let algorithm = key.public().key().algorithm();
    ensure!(
        algorithm == suite.algorithm(),
        "a release of suite {} is signed by keys of {}, and this is one of {}",
        suite.name(),
        kind(suite.algorithm()),
        kind(algorithm)
    );
    if let Some(root) = root.map(RootFile::signed) {
        ensure!(
            root.claimed().release.key(key.public().id()).is_some(),
            "{} is no release key of root {}: with this signature every device would refuse the release",
            grouped(key.public().id()),
            root.claimed().number
        );
    }
    let made = key.sign(Domain::Release, release.signed().approved().content)?;
    release
        .with(made.signed())
        .context("the release has no room for more signatures")
}

fn merged(
    bytes: &[u8],
    arguments: &SignArguments,
    copy_file: &Path,
    root: &RootFile,
) -> anyhow::Result<Vec<u8>> {
    let shown = copy_file.display();
    let copy = read(copy_file)?;
    let copy = decoded(&copy, copy_file)?;
    let approved = copy.signed().approved();
    let root = root.signed();
    let mut merged = bytes.to_vec();
    for signature in approved.signatures() {
        let release = decoded(&merged, &arguments.file)?;
        ensure!(
            release.release().digest() == copy.release().digest(),
            "{shown} is another release than {}: only copies of the same have signatures in common",
            arguments.file.display()
        );
        let id = grouped(signature.signer());
        let key = root.claimed().release.key(signature.signer());
        let key = key.with_context(|| {
            format!(
                "{id}, who signed {shown}, is no release key of root {}",
                root.claimed().number
            )
        })?;
        ensure!(
            trust::verdict(approved, Domain::Release, key) == Verdict::Signed,
            "the signature of {id} in {shown} does not hold; nothing of it is taken over"
        );
        merged = release
            .with(*signature)
            .context("the release has no room for more signatures")?;
    }
    Ok(merged)
}
