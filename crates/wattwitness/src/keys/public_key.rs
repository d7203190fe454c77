//! Public keys of those who sign firmware, as they travel between people: SubjectPublicKeyInfo in PEM
//! (RFC 5280, section 4.1.2.7; RFC 7468, section 13). Of P-256, or of RSA with 2,048 bits.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, bail};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::PublicKeyComponents;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use pkcs8::LineEnding;
use pkcs8::der::Document;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use ww_release::key::{Algorithm, Key};
use ww_wire::SignerId;

use crate::artifact::{self, Place};
use crate::keys::grouped;

/// No file with a public key is longer, in bytes.
const LONGEST: usize = 4096;

/// 65,537, the one public exponent that devices know.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// The algorithm `rsaEncryption` (RFC 8017, appendix C).
const RSA_ENCRYPTION: pkcs8::ObjectIdentifier =
    pkcs8::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A public key of somebody who signs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SignersKey(Vec<u8>);

impl SignersKey {
    /// The key of these bytes, which are as [`Key`] has them.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        Key::new(bytes).map(|key| Self(key.bytes().to_vec()))
    }

    /// Reads a file with a public key.
    pub(crate) fn load(file: &Path) -> anyhow::Result<Self> {
        let shown = file.display();
        let bytes = artifact::read(file, LONGEST)?;
        let pem = String::from_utf8(bytes).unwrap_or_default();
        if pem.contains("PRIVATE KEY-----") {
            bail!("{shown} holds a private key; its public half is in a file *.pub beside it");
        }
        Self::from_pem(&pem).with_context(|| {
            format!(
                "{shown} holds no public key of P-256, or of RSA with 2048 bits and the exponent \
                 65537, in PEM form"
            )
        })
    }

    fn from_pem(pem: &str) -> Option<Self> {
        if let Ok(key) = p256::PublicKey::from_public_key_pem(pem) {
            return Self::new(&key.to_sec1_point(false).as_bytes()[1..]);
        }
        let (label, document) = Document::from_pem(pem).ok()?;
        let info = SubjectPublicKeyInfoRef::try_from(document.as_bytes()).ok()?;
        if label != "PUBLIC KEY" || info.algorithm.oid != RSA_ENCRYPTION {
            return None;
        }
        // This reader knows both forms of RSA keys, and checks the numbers.
        let key = aws_lc_rs::rsa::PublicKey::from_der(document.as_bytes()).ok()?;
        let exponent = key.exponent().big_endian_without_leading_zero();
        let modulus = key.modulus().big_endian_without_leading_zero();
        let key = Self::new(modulus).filter(|key| key.key().algorithm() == Algorithm::Rs256)?;
        (exponent == EXPONENT).then_some(key)
    }

    /// The PEM form.
    pub(crate) fn to_pem(&self) -> anyhow::Result<String> {
        let cannot = "the public key cannot be written";
        let der = match self.key().algorithm() {
            Algorithm::Es256 => {
                let sec1 = [&[4], &self.0[..]].concat();
                let key = p256::PublicKey::from_sec1_bytes(&sec1).context(cannot)?;
                key.to_public_key_der().context(cannot)?.into_vec()
            }
            Algorithm::Rs256 => {
                let components = PublicKeyComponents {
                    n: &self.0[..],
                    e: &EXPONENT[..],
                };
                components.as_der().ok().context(cannot)?.as_ref().to_vec()
            }
        };
        let document = Document::try_from(der).context(cannot)?;
        document
            .to_pem("PUBLIC KEY", LineEnding::LF)
            .context(cannot)
    }

    /// Writes a new file.
    pub(crate) fn store(&self, file: &Path) -> anyhow::Result<()> {
        artifact::write(file, self.to_pem()?.as_bytes(), Place::New)
    }

    /// As roots have it.
    pub(crate) fn key(&self) -> Key<'_> {
        Key::new(&self.0).expect("nothing else becomes a signer's key")
    }

    /// SHA-256 of its bytes.
    pub(crate) fn id(&self) -> SignerId {
        self.key().id()
    }

    /// What kind of key it is.
    pub(crate) fn kind(&self) -> &'static str {
        kind(self.key().algorithm())
    }
}

/// What kind of key signs so.
pub(crate) const fn kind(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Es256 => "P-256",
        Algorithm::Rs256 => "RSA-2048",
    }
}

impl fmt::Debug for SignersKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(self.id()))
    }
}
