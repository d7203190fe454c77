//! `wattwitness keys`: the private keys of meters, of those who sign firmware and of fleets, each in a
//! file that only its owner can read, and the roots that say who may sign what.

pub(crate) mod passphrase;
pub(crate) mod public_key;
pub(crate) mod root;
pub(crate) mod secret_file;
pub(crate) mod signing_key;
pub(crate) mod trust;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use ww_release::fleet::FleetKey;
use ww_release::key::Algorithm;
use ww_wire::{MeterId, PublicKey, SignerId};
use zeroize::Zeroizing;

use crate::keys::passphrase::PassphraseArguments;
use crate::keys::public_key::SignersKey;
use crate::keys::root::{RevokeArguments, RootCommand, RotateArguments};
use crate::keys::signing_key::SigningKey;

const EXAMPLES: &str = "\
Examples:
  wattwitness keys new meter.key
      a key for a meter
  METER=$(wattwitness keys show --id meter.key)
      the id by which gateways and auditors know the meter
  wattwitness keys new --role release anna.key
      a key that signs firmware, under a passphrase; anna.pub is for the others
  wattwitness keys fleet fleet.key
  wattwitness keys device device.key --fleet-key fleet.key --meter $METER
      what this meter and its gateway share, for updates

docs/FIRMWARE.md says who holds which key, and what to do when one is lost.";

const NEW_EXAMPLES: &str = "\
Examples:
  wattwitness keys new meter.key
  wattwitness keys new --role root anna-root.key
  wattwitness keys new --role release --rsa bert.key
      for a fleet whose releases are signed by RSA
  wattwitness keys new --role assignment --no-passphrase assignment.key
      for a gateway that starts by itself";

/// What to do with keys.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum KeysCommand {
    /// Make a new key and print its public half
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArguments),
    /// Print what a key file holds: the kind, the public key and its id
    Show(ShowArguments),
    /// Make the key that a fleet's gateways and the maker of its releases share
    Fleet(FleetArguments),
    /// Derive from the fleet's key what one meter and its gateways share
    Device(DeviceArguments),
    /// Make, sign, show and publish roots: who may sign what
    #[command(subcommand)]
    Root(RootCommand),
    /// Make the next root, with keys added or in the place of others
    Rotate(RotateArguments),
    /// Make the next root, without a key that is lost or stolen
    Revoke(RevokeArguments),
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum KeyRole {
    /// Signs what a meter measures
    Meter,
    /// Signs roots: who may sign what
    Root,
    /// Signs what may be installed
    Release,
    /// Signs, on a gateway, what devices are to do now
    Assignment,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewArguments {
    /// Where to write it (PKCS#8 PEM, mode 0600); never overwritten
    file: PathBuf,
    /// What it is for; a meter's has no passphrase, since a meter starts by itself
    #[arg(long, value_name = "ROLE", default_value = "meter")]
    role: KeyRole,
    /// RSA with 2048 bits instead of P-256; for release keys
    #[arg(long)]
    rsa: bool,
    /// Do not encrypt it; for assignment keys
    #[arg(long)]
    no_passphrase: bool,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArguments {
    /// The key file: private, public (*.pub), of a fleet or of a device
    file: PathBuf,
    /// Print the id only
    #[arg(long)]
    id: bool,
    /// Print the public key in PEM form, as a file *.pub has it
    #[arg(long, conflicts_with = "id")]
    pem: bool,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FleetArguments {
    /// Where to write it (64 hex digits, mode 0600); never overwritten
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeviceArguments {
    /// Where to write the device's secret (64 hex digits, mode 0600); never overwritten
    file: PathBuf,
    /// The fleet's key
    #[arg(long, value_name = "FILE")]
    fleet_key: PathBuf,
    /// The meter's id
    #[arg(long, value_name = "ID", value_parser = signer_id)]
    meter: MeterId,
}

/// Reads the id of a meter or an operator.
pub(crate) fn signer_id(text: &str) -> Result<SignerId, &'static str> {
    ww_api::hex::decode_array(text)
        .map(SignerId)
        .ok_or("an id has 64 hex digits; `wattwitness keys show FILE --id` prints it")
}

/// Reads the file with a fleet's key.
pub(crate) fn fleet_key(file: &Path) -> anyhow::Result<FleetKey> {
    let shown = file.display();
    let remedy = format!("make one with: wattwitness keys fleet {shown}");
    let text = secret_file::read(file, &remedy)?;
    FleetKey::from_hex(&text)
        .with_context(|| format!("the key file {shown} does not hold the 64 hex digits of a key"))
}

/// A private key, wiped when dropped.
pub(crate) struct PrivateKey {
    bytes: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

impl PrivateKey {
    pub(crate) fn new(secret: &SecretKey) -> anyhow::Result<Self> {
        let point = secret.public_key().to_sec1_point(false);
        let sec1 = point
            .as_bytes()
            .try_into()
            .context("the key is not a point on P-256")?;
        let public = PublicKey::from_sec1(sec1).context("the key is not a point on P-256")?;
        Ok(Self {
            bytes: Zeroizing::new(secret.to_bytes().into()),
            public,
        })
    }

    /// 32 big-endian bytes.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The public half.
    pub(crate) fn public(&self) -> PublicKey {
        self.public
    }

    /// Makes a new key from the system's randomness.
    pub(crate) fn generate() -> anyhow::Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        loop {
            getrandom::fill(&mut *bytes).context("the system gives no randomness")?;
            // One number in 2^32 is not below the order of the group.
            if let Ok(secret) = SecretKey::from_slice(&*bytes) {
                return Self::new(&secret);
            }
        }
    }

    /// Reads a key file.
    pub(crate) fn load(file: &Path) -> anyhow::Result<Self> {
        let shown = file.display();
        let remedy = format!("make one with: wattwitness keys new {shown}");
        let pem = secret_file::read(file, &remedy)?;
        match SecretKey::from_pkcs8_pem(&pem) {
            Ok(secret) => Self::new(&secret),
            // The cause could repeat parts of the file, which may be a secret of another kind.
            Err(_) => bail!("the key file {shown} is no P-256 private key in PKCS#8 PEM form"),
        }
    }

    /// Writes a new key file, whole or not at all.
    pub(crate) fn store(&self, file: &Path) -> anyhow::Result<()> {
        let secret = SecretKey::from_slice(&*self.bytes).context("the key is no P-256 key")?;
        let pem = secret
            .to_pkcs8_pem(LineEnding::LF)
            .context("the key cannot be written")?;
        secret_file::make(file, &pem)
    }
}

impl fmt::Debug for PrivateKey {
    /// The public half only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// Does what was asked and gives what to print.
pub(crate) fn run(command: &KeysCommand) -> anyhow::Result<String> {
    match command {
        KeysCommand::New(arguments) if arguments.role == KeyRole::Meter => new_meter(arguments),
        KeysCommand::New(arguments) => new_signer(arguments),
        KeysCommand::Show(arguments) => show(arguments),
        KeysCommand::Fleet(FleetArguments { file }) => new_fleet(file),
        KeysCommand::Device(arguments) => new_device(arguments),
        KeysCommand::Root(command) => root::run(command),
        KeysCommand::Rotate(arguments) => root::rotate(arguments),
        KeysCommand::Revoke(arguments) => root::revoke(arguments),
    }
}

fn new_meter(arguments: &NewArguments) -> anyhow::Result<String> {
    ensure!(
        !arguments.rsa,
        "only release keys may be of RSA: a meter signs by P-256"
    );
    let key = PrivateKey::generate()?;
    key.store(&arguments.file)?;
    Ok(described_meter(&arguments.file, &key.public()))
}

fn new_signer(arguments: &NewArguments) -> anyhow::Result<String> {
    let (file, role) = (&arguments.file, arguments.role);
    ensure!(
        !arguments.rsa || role == KeyRole::Release,
        "only release keys may be of RSA: roots and assignments are signed by P-256"
    );
    ensure!(
        !arguments.no_passphrase || role == KeyRole::Assignment,
        "only a meter's and an assignment key may be without a passphrase: the others are offline, \
         and whoever finds the file must not have the key"
    );
    let public_file = file.with_extension("pub");
    for taken in [file, &public_file] {
        ensure!(
            !taken.exists(),
            "{} is there already; a key is never replaced",
            taken.display()
        );
    }
    let passphrase = match arguments.no_passphrase {
        true => None,
        false => Some(arguments.passphrase.chosen(file)?),
    };
    let key = SigningKey::generate(match arguments.rsa {
        true => Algorithm::Rs256,
        false => Algorithm::Es256,
    })?;
    key.store(
        file,
        passphrase.as_ref().map(|passphrase| passphrase.as_str()),
    )?;
    key.public().store(&public_file)?;
    Ok(format!(
        "key file    {}\npublic half {}\n{}",
        file.display(),
        public_file.display(),
        described(key.public())
    ))
}

fn show(arguments: &ShowArguments) -> anyhow::Result<String> {
    let file = &arguments.file;
    let shown = file.display();
    ensure!(
        file.exists(),
        "there is no key file {shown}; make one with: wattwitness keys new {shown}"
    );
    let bytes = crate::artifact::read(file, secret_file::LONGEST).map(Zeroizing::new)?;
    let is = |mark: &str| {
        bytes
            .windows(mark.len())
            .any(|part| part == mark.as_bytes())
    };
    let public = if is("-----BEGIN PUBLIC KEY-----") {
        SignersKey::load(file)?
    } else if is("-----BEGIN ") {
        SigningKey::load(file, &arguments.passphrase)?
            .public()
            .clone()
    } else {
        fleet_key(file).with_context(|| format!("{shown} holds no key that is known here"))?;
        ensure!(
            !arguments.id && !arguments.pem,
            "a secret that is shared has no public key and no id"
        );
        return Ok(format!(
            "key file    {shown}\nkind        32 secret bytes, of a fleet or of a device"
        ));
    };
    if arguments.id {
        return Ok(public.id().to_string());
    }
    if arguments.pem {
        return Ok(public.to_pem()?.trim_end().to_owned());
    }
    Ok(format!("key file    {shown}\n{}", described(&public)))
}

fn new_fleet(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).context("the system gives no randomness")?;
    store_secret(file, &bytes)?;
    Ok(format!(
        "key file    {}\nkind        key of a fleet; its gateways and the maker of its releases hold it",
        file.display()
    ))
}

fn new_device(arguments: &DeviceArguments) -> anyhow::Result<String> {
    let fleet = fleet_key(&arguments.fleet_key)?;
    store_secret(&arguments.file, &fleet.provision(arguments.meter))?;
    Ok(format!(
        "key file    {}\nkind        secret of the meter {}\nIt belongs on that meter alone.",
        arguments.file.display(),
        arguments.meter
    ))
}

/// Writes 32 secret bytes as hex digits.
fn store_secret(file: &Path, bytes: &[u8; 32]) -> anyhow::Result<()> {
    let mut text = Zeroizing::new(String::with_capacity(65));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            // A digit below 16 has a character.
            text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    text.push('\n');
    secret_file::make(file, &text)
}

fn described_meter(file: &Path, public: &PublicKey) -> String {
    format!(
        "key file    {}\npublic key  {public}\nid          {}\nfingerprint {}",
        file.display(),
        public.id(),
        fingerprint(public)
    )
}

fn described(public: &SignersKey) -> String {
    format!(
        "kind        {}\npublic key  {}\nid          {}\nfingerprint {}",
        public.kind(),
        ww_api::hex::encode(public.key().bytes()),
        public.id(),
        grouped(public.id())
    )
}

/// The first 16 hex digits of the id in groups of four: what two people compare by voice.
pub(crate) fn fingerprint(public: &PublicKey) -> String {
    grouped(public.id())
}

/// The same of an id.
pub(crate) fn grouped(id: SignerId) -> String {
    let id = id.to_string();
    [&id[..4], &id[4..8], &id[8..12], &id[12..16]].join("-")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn new(file: &Path) -> KeysCommand {
        KeysCommand::New(NewArguments {
            file: file.to_owned(),
            role: KeyRole::Meter,
            rsa: false,
            no_passphrase: false,
            passphrase: PassphraseArguments::default(),
        })
    }

    #[test]
    fn a_new_key_is_private_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("meter.key");
        let key = PrivateKey::generate().unwrap();
        key.store(&file).unwrap();
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let loaded = PrivateKey::load(&file).unwrap();
        assert_eq!(loaded.public(), key.public());
        assert_eq!(loaded.bytes(), key.bytes());
    }

    #[test]
    fn an_existing_key_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("meter.key");
        run(&new(&file)).unwrap();
        let before = std::fs::read(&file).unwrap();
        assert!(run(&new(&file)).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }

    #[test]
    fn a_key_of_any_other_mode_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("meter.key");
        run(&new(&file)).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o700, 0o400, 0o4600] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = PrivateKey::load(&file).unwrap_err().to_string();
            assert!(
                error.contains(&format!("mode {mode:04o}")) && error.contains("chmod 600"),
                "{error}"
            );
        }
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        PrivateKey::load(&file).unwrap();
    }

    #[test]
    fn a_key_is_no_folder_and_no_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        for file in [folder.path(), &pipe] {
            let error = PrivateKey::load(file).unwrap_err().to_string();
            assert!(error.contains("no regular file"), "{error}");
        }
    }

    #[test]
    fn an_error_never_shows_what_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("meter.key");
        std::fs::write(&file, "hunter2").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let error = format!("{:?}", PrivateKey::load(&file).unwrap_err());
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn neither_output_nor_debug_shows_the_private_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("meter.key");
        let shown = run(&new(&file)).unwrap();
        let key = PrivateKey::load(&file).unwrap();
        let hex: String = key
            .bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(!shown.contains(&hex) && !format!("{key:?}").contains(&hex));
    }
}
