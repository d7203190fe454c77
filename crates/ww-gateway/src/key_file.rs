//! Files that hold a secret: made once with mode 0600, refused when others may read them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// Why a file with a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file could not be read.
    #[error("cannot read the key file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file could not be made.
    #[error("cannot make the key file {}", path.display())]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error("the key file {} has mode {mode:03o}; only its owner may read it: chmod 600", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// What stands in it is no such key.
    #[error("the key file {} holds no key of the kind that belongs here", path.display())]
    Content {
        /// The file.
        path: PathBuf,
    },
    /// No randomness could be had.
    #[error("the system gives no randomness")]
    NoRandomness,
}

/// Reads a secret; `None` when there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<String>, KeyFileError> {
    let failed = |source| KeyFileError::Read {
        path: path.to_owned(),
        source,
    };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    check_mode(path, &metadata)?;
    fs::read_to_string(path).map(Some).map_err(failed)
}

/// Reads a secret that must be there.
pub(crate) fn read_existing(path: &Path) -> Result<String, KeyFileError> {
    read(path)?.ok_or_else(|| KeyFileError::Read {
        path: path.to_owned(),
        source: io::ErrorKind::NotFound.into(),
    })
}

/// The P-256 key pair in a PKCS #8 document (PEM).
pub(crate) fn p256_from_pem(pem: &str) -> Option<EcdsaKeyPair> {
    let body = pem.trim().strip_prefix(PEM_BEGIN)?.strip_suffix(PEM_END)?;
    let body: String = body.split_whitespace().collect();
    let der = STANDARD.decode(body).ok()?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()
}

/// A PKCS #8 document as PEM.
pub(crate) fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut pem = format!("{PEM_BEGIN}\n");
    for line in body.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem + PEM_END + "\n"
}

/// Makes a file that only its owner may read, and never in the place of another: a key that somebody
/// made meanwhile may be in use already. It is whole or not there: a start that is cut off leaves no
/// half key.
pub(crate) fn make(path: &Path, content: &str) -> Result<(), KeyFileError> {
    let temporary = path.with_extension(format!("key.{}.new", std::process::id()));
    let made =
        write_new(&temporary, content).and_then(|()| match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                // A file system without links, such as that of a memory card.
                write_new(path, content)
            }
            linked => linked,
        });
    // Whether it was made or not, the other name is of no use; it may be gone.
    let _ = fs::remove_file(&temporary);
    made.map_err(|source| KeyFileError::Make {
        path: path.to_owned(),
        source,
    })
}

fn write_new(path: &Path, content: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file
        .write_all(content.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(KeyFileError::Open { path, mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _metadata: &fs::Metadata) -> Result<(), KeyFileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_made_is_read_back_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.key");
        make(&path, "secret\n").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("secret\n"));
        assert!(read(&folder.path().join("other.key")).unwrap().is_none());
    }

    #[test]
    fn a_file_that_is_there_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.key");
        make(&path, "first").unwrap();
        let refused = make(&path, "second").unwrap_err();
        assert!(matches!(refused, KeyFileError::Make { .. }));
        assert_eq!(read(&path).unwrap().as_deref(), Some("first"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.key");
        make(&path, "secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = read(&path).unwrap_err();
        assert!(matches!(refused, KeyFileError::Open { mode: 0o640, .. }));
    }
}
