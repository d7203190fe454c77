//! `wattwitness keys`: P-256 private keys in PKCS#8 PEM files that only their owner can read.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rustix::fs::OFlags;
use ww_wire::{PublicKey, SignerId};
use zeroize::Zeroizing;

/// No key file is longer; what is longer is something else.
const LONGEST_KEY_FILE: u64 = 4096;

const EXAMPLES: &str = "\
Examples:
  wattwitness keys new meter.key
  wattwitness keys show meter.key
  METER=$(wattwitness keys show --id meter.key)
      the id by which gateways and auditors know the meter";

/// What to do with keys.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum KeysCommand {
    /// Make a new P-256 key and print its public half
    #[command(after_help = EXAMPLES)]
    New {
        /// Where to write it (PKCS#8 PEM, mode 0600); never overwritten
        file: PathBuf,
    },
    /// Print the public key and the id of a key file
    #[command(after_help = EXAMPLES)]
    Show {
        /// The key file
        file: PathBuf,
        /// Print the id only
        #[arg(long)]
        id: bool,
    },
}

/// Reads the id of a meter or an operator.
pub(crate) fn signer_id(text: &str) -> Result<SignerId, &'static str> {
    ww_api::hex::decode_array(text)
        .map(SignerId)
        .ok_or("an id has 64 hex digits; `wattwitness keys show FILE --id` prints it")
}

/// A private key, wiped when dropped.
pub(crate) struct PrivateKey {
    bytes: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

impl PrivateKey {
    fn new(secret: &SecretKey) -> anyhow::Result<Self> {
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
        // A pipe without a writer would otherwise wait for one.
        let mut opened = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(file)
            .with_context(|| {
                format!(
                    "cannot open the key file {shown}; make one with: wattwitness keys new {shown}"
                )
            })?;
        let metadata = opened.metadata()?;
        ensure!(
            metadata.is_file(),
            "{shown} is no regular file; a key is kept in one"
        );
        let mode = metadata.permissions().mode() & 0o7777;
        ensure!(
            mode == 0o600,
            "the key file {shown} has mode {mode:04o} instead of 0600, with which its owner alone \
             can read it; run: chmod 600 {shown}"
        );
        let mut pem = Zeroizing::new(String::new());
        Read::by_ref(&mut opened)
            .take(LONGEST_KEY_FILE)
            .read_to_string(&mut pem)
            .with_context(|| format!("cannot read the key file {shown}"))?;
        match SecretKey::from_pkcs8_pem(&pem) {
            Ok(secret) => Self::new(&secret),
            // The cause could repeat parts of the file, which may be a secret of another kind.
            Err(_) => bail!("the key file {shown} is no P-256 private key in PKCS#8 PEM form"),
        }
    }

    /// Writes a new key file, whole or not at all.
    pub(crate) fn store(&self, file: &Path) -> anyhow::Result<()> {
        let shown = file.display();
        let secret = SecretKey::from_slice(&*self.bytes).context("the key is no P-256 key")?;
        let pem = secret
            .to_pkcs8_pem(LineEnding::LF)
            .context("the key cannot be written")?;
        let mut opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file)
            .with_context(|| match file.exists() {
                true => format!("{shown} is there already; a key is never replaced"),
                false => format!("cannot create {shown}"),
            })?;
        let written = opened
            .write_all(pem.as_bytes())
            .and_then(|()| opened.sync_all());
        if written.is_err() {
            std::fs::remove_file(file).with_context(|| format!("half of {shown} was written"))?;
        }
        written.with_context(|| format!("cannot write {shown}"))
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
    let (key, file) = match command {
        KeysCommand::New { file } => {
            let key = PrivateKey::generate()?;
            key.store(file)?;
            (key, file)
        }
        KeysCommand::Show { file, id } => {
            let key = PrivateKey::load(file)?;
            if *id {
                return Ok(key.public().id().to_string());
            }
            (key, file)
        }
    };
    let public = key.public();
    Ok(format!(
        "key file    {}\npublic key  {public}\nid          {}\nfingerprint {}",
        file.display(),
        public.id(),
        fingerprint(&public)
    ))
}

/// The first 16 hex digits of the id in groups of four: what two people compare by voice.
pub(crate) fn fingerprint(public: &PublicKey) -> String {
    let id = public.id().to_string();
    [&id[..4], &id[4..8], &id[8..12], &id[12..16]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        run(&KeysCommand::New { file: file.clone() }).unwrap();
        let before = std::fs::read(&file).unwrap();
        assert!(run(&KeysCommand::New { file: file.clone() }).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }

    #[test]
    fn a_key_of_any_other_mode_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("meter.key");
        run(&KeysCommand::New { file: file.clone() }).unwrap();
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
        let shown = run(&KeysCommand::New { file: file.clone() }).unwrap();
        let key = PrivateKey::load(&file).unwrap();
        let hex: String = key
            .bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(!shown.contains(&hex) && !format!("{key:?}").contains(&hex));
    }
}
