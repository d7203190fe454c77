//! Private keys of those who sign roots, releases and assignments: PKCS#8 in PEM, encrypted under a
//! passphrase with scrypt and AES-256 (RFC 8018, section 6.2; RFC 7914). It signs what its caller shows
//! it; what that means, the domain says.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use p256::SecretKey;
use p256::ecdsa::SigningKey as EcdsaKey;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use pkcs8::der::asn1::OctetString;
use pkcs8::der::{Decode as _, SecretDocument};
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Parameters, ScryptParams};
use pkcs8::{EncryptedPrivateKeyInfoOwned, LineEnding};
use ww_release::key::Algorithm;
use ww_release::signatures::{self, Domain, Signed};
use ww_wire::{Signature, SignerId};
use zeroize::Zeroizing;

use crate::keys::passphrase::PassphraseArguments;
use crate::keys::public_key::SignersKey;
use crate::keys::{PrivateKey, secret_file};

const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const PLAIN: &str = "PRIVATE KEY";

/// What a guess at a passphrase costs: 16 MiB, and as much time as N = 2^17 with one lane. OpenSSL
/// reads keys of up to 32 MiB.
const COST: u64 = 1 << 14;
const BLOCK_SIZE: u16 = 8;
const LANES: u16 = 5;

/// What opening a file may cost, in bytes times lanes: a file could ask for more than this computer has.
const MOST_MEMORY: u64 = 1 << 30;

/// What signs.
enum Secret {
    P256(PrivateKey),
    Rsa(KeyPair),
}

/// A private key of somebody who signs.
pub(crate) struct SigningKey {
    secret: Secret,
    public: SignersKey,
}

/// A signature, and by whom.
pub(crate) struct MadeSignature {
    signer: SignerId,
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl MadeSignature {
    /// As it stands beside what was signed.
    pub(crate) fn signed(&self) -> Signed<'_> {
        Signed::new(self.signer, self.algorithm, &self.bytes)
            .expect("a signature is as long as its algorithm's are")
    }
}

impl SigningKey {
    /// Makes a new key for this algorithm from the system's randomness.
    pub(crate) fn generate(algorithm: Algorithm) -> anyhow::Result<Self> {
        match algorithm {
            Algorithm::Es256 => Self::of_p256(PrivateKey::generate()?),
            Algorithm::Rs256 => {
                let key = KeyPair::generate(KeySize::Rsa2048);
                Self::of_rsa(key.ok().context("the system makes no RSA key")?)
            }
        }
    }

    fn of_p256(key: PrivateKey) -> anyhow::Result<Self> {
        let public = SignersKey::new(&key.public().0).context("the key is not a point on P-256")?;
        let secret = Secret::P256(key);
        Ok(Self { secret, public })
    }

    fn of_rsa(key: KeyPair) -> anyhow::Result<Self> {
        let modulus = key.public_key().modulus();
        let public = SignersKey::new(modulus.big_endian_without_leading_zero())
            .filter(|public| public.key().algorithm() == Algorithm::Rs256);
        let exponent = key.public_key().exponent();
        ensure!(
            exponent.big_endian_without_leading_zero() == [1, 0, 1],
            "devices know RSA keys with the exponent 65537 only"
        );
        let public = public.context("devices know RSA keys of 2048 bits only")?;
        let secret = Secret::Rsa(key);
        Ok(Self { secret, public })
    }

    /// Reads a key file; asks for the passphrase where the key is encrypted.
    pub(crate) fn load(file: &Path, passphrase: &PassphraseArguments) -> anyhow::Result<Self> {
        let shown = file.display();
        let remedy = format!("make one with: wattwitness keys new --role ROLE {shown}");
        let pem = secret_file::read(file, &remedy)?;
        // No cause is repeated: it could show parts of the file.
        let (label, document) = SecretDocument::from_pem(&pem).ok().with_context(|| {
            format!("the key file {shown} is no private key in PKCS#8 PEM form")
        })?;
        let key = match label {
            PLAIN => document,
            ENCRYPTED => opened(file, &document, passphrase)?,
            _ => bail!("the key file {shown} is no private key in PKCS#8 form"),
        };
        if let Ok(secret) = SecretKey::from_pkcs8_der(key.as_bytes()) {
            return Self::of_p256(PrivateKey::new(&secret)?);
        }
        let pair = KeyPair::from_pkcs8(key.as_bytes()).ok();
        let pair = pair.with_context(|| format!("{shown} is no key of P-256 or RSA"))?;
        Self::of_rsa(pair).with_context(|| format!("{shown} cannot sign firmware"))
    }

    /// Writes a new key file, encrypted when there is a passphrase.
    pub(crate) fn store(&self, file: &Path, passphrase: Option<&str>) -> anyhow::Result<()> {
        let cannot = "the key cannot be written";
        let der = self.to_der()?;
        let (label, document) = match passphrase {
            None => (
                PLAIN,
                SecretDocument::try_from(der.to_vec())
                    .ok()
                    .context(cannot)?,
            ),
            Some(passphrase) => {
                let sealed = sealed(&der, passphrase)?;
                (
                    ENCRYPTED,
                    SecretDocument::try_from(sealed).ok().context(cannot)?,
                )
            }
        };
        let pem = document
            .to_pem(label, LineEnding::LF)
            .ok()
            .context(cannot)?;
        secret_file::make(file, &pem)
    }

    fn to_der(&self) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        let cannot = "the key cannot be written";
        match &self.secret {
            Secret::P256(key) => {
                let secret = SecretKey::from_slice(key.bytes()).ok().context(cannot)?;
                Ok(secret.to_pkcs8_der().ok().context(cannot)?.to_bytes())
            }
            Secret::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().ok().context(cannot)?;
                Ok(Zeroizing::new(der.as_ref().to_vec()))
            }
        }
    }

    /// The public half.
    pub(crate) const fn public(&self) -> &SignersKey {
        &self.public
    }

    /// Signs content in a domain.
    pub(crate) fn sign(&self, domain: Domain, content: &[u8]) -> anyhow::Result<MadeSignature> {
        let (signer, algorithm) = (self.public.id(), self.public.key().algorithm());
        let digest = signatures::digest(domain, algorithm, signer, content);
        let bytes = match &self.secret {
            Secret::P256(key) => {
                let key = EcdsaKey::from_slice(key.bytes())
                    .ok()
                    .context("no P-256 key")?;
                let signature: p256::ecdsa::Signature = key
                    .sign_prehash(&digest.0)
                    .ok()
                    .context("the key does not sign")?;
                let raw: [u8; 64] = signature.to_bytes().into();
                let low = Signature::normalise(raw).context("the key does not sign")?;
                low.bytes().to_vec()
            }
            Secret::Rsa(pair) => {
                let mut bytes = vec![0; pair.public_modulus_len()];
                Digest::import_less_safe(&digest.0, &SHA256)
                    .and_then(|digest| pair.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut bytes))
                    .ok()
                    .context("the key does not sign")?;
                bytes
            }
        };
        Ok(MadeSignature {
            signer,
            algorithm,
            bytes,
        })
    }
}

impl fmt::Debug for SigningKey {
    /// The public half only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// Encrypts a private key.
fn sealed(der: &[u8], passphrase: &str) -> anyhow::Result<Vec<u8>> {
    let cannot = "the key cannot be encrypted";
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    getrandom::fill(&mut salt).context("the system gives no randomness")?;
    getrandom::fill(&mut iv).context("the system gives no randomness")?;
    let scrypt = ScryptParams {
        salt: (&salt[..]).try_into().ok().context(cannot)?,
        cost_parameter: COST,
        block_size: BLOCK_SIZE,
        parallelization: LANES,
        key_length: None,
    };
    let parameters = Parameters {
        kdf: scrypt.into(),
        encryption: EncryptionScheme::Aes256Cbc { iv },
    };
    let encrypted = parameters.encrypt(passphrase, der).ok().context(cannot)?;
    let info = EncryptedPrivateKeyInfoOwned {
        encryption_algorithm: parameters.into(),
        encrypted_data: OctetString::new(encrypted).ok().context(cannot)?,
    };
    let document = SecretDocument::try_from(&info).ok().context(cannot)?;
    Ok(document.to_bytes().to_vec())
}

/// Decrypts a private key.
fn opened(
    file: &Path,
    document: &SecretDocument,
    passphrase: &PassphraseArguments,
) -> anyhow::Result<SecretDocument> {
    let shown = file.display();
    let info = EncryptedPrivateKeyInfoOwned::from_der(document.as_bytes())
        .ok()
        .with_context(|| {
            format!("the key file {shown} is not encrypted as this program does it")
        })?;
    let scrypt = info
        .encryption_algorithm
        .pbes2()
        .and_then(|parameters| parameters.kdf.scrypt())
        .with_context(|| format!("the key file {shown} is not encrypted with scrypt"))?;
    let lane = scrypt
        .cost_parameter
        .saturating_mul(128 * u64::from(scrypt.block_size));
    ensure!(
        scrypt.cost_parameter.is_power_of_two()
            && lane.saturating_mul(scrypt.parallelization.into()) <= MOST_MEMORY,
        "to open the key file {shown} would take more memory or time than any key does"
    );
    let passphrase = passphrase.known(file)?;
    info.decrypt(passphrase.as_bytes())
        .ok()
        .with_context(|| format!("the passphrase does not open the key file {shown}"))
}

#[cfg(test)]
mod tests {
    use ww_release::key::Key;
    use ww_release::root::Role;
    use ww_release::signatures::Approved;

    use super::*;
    use crate::keys::trust::Software;

    const PASSPHRASE: &str = "correct horse battery";

    /// A folder with a key file, and passphrase files `right` and `wrong`.
    fn folder(key: &SigningKey) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        key.store(&folder.path().join("key"), Some(PASSPHRASE))
            .unwrap();
        for (name, text) in [("right", PASSPHRASE), ("wrong", "staple")] {
            secret_file::make(&folder.path().join(name), &format!("{text}\n")).unwrap();
        }
        folder
    }

    fn load(folder: &tempfile::TempDir, passphrase: &str) -> anyhow::Result<SigningKey> {
        let passphrase = PassphraseArguments::of_file(folder.path().join(passphrase));
        SigningKey::load(&folder.path().join("key"), &passphrase)
    }

    #[test]
    fn a_key_comes_back_by_its_passphrase_and_by_no_other() {
        for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let folder = folder(&key);
            assert_eq!(load(&folder, "right").unwrap().public(), key.public());
            let refused = format!("{:#}", load(&folder, "wrong").unwrap_err());
            assert!(refused.contains("passphrase does not open"), "{refused}");
        }
    }

    #[test]
    fn neither_the_file_nor_debug_shows_the_private_key() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let Secret::P256(secret) = &key.secret else {
            panic!("a key of P-256 was made");
        };
        let folder = folder(&key);
        let pem = std::fs::read_to_string(folder.path().join("key")).unwrap();
        let (_, document) = SecretDocument::from_pem(&pem).unwrap();
        let holds = document
            .as_bytes()
            .windows(32)
            .any(|part| part == secret.bytes());
        assert!(!holds);
        let hex = ww_api::hex::encode(secret.bytes());
        assert!(!format!("{key:?}").contains(&hex));
    }

    #[test]
    fn a_signature_holds_in_its_domain_alone() {
        for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let made = key.sign(Domain::Release, b"content").unwrap();
            let role = Role::new(1, &[key.public().key()]).unwrap();
            let approved = Approved::new(b"content").with(made.signed()).unwrap();
            let check = |domain| approved.check(domain, &[&role], &mut Software);
            assert!(check(Domain::Release).is_ok());
            assert!(check(Domain::Root).is_err());
        }
    }

    #[test]
    fn a_file_that_asks_for_all_memory_or_for_none_is_refused_before_the_passphrase() {
        for (cost, block_size, lanes) in [
            (1 << 24, 8, 1),
            (1 << 63, 8, 1),
            (1 << 20, 8, 60),
            (0, 8, 1),
            (3, 8, 1),
        ] {
            let scrypt = ScryptParams {
                salt: (&[0; 16][..]).try_into().unwrap(),
                cost_parameter: cost,
                block_size,
                parallelization: lanes,
                key_length: None,
            };
            let parameters = Parameters {
                kdf: scrypt.into(),
                encryption: EncryptionScheme::Aes256Cbc { iv: [0; 16] },
            };
            let info = EncryptedPrivateKeyInfoOwned {
                encryption_algorithm: parameters.into(),
                encrypted_data: OctetString::new([0; 32]).unwrap(),
            };
            let document = SecretDocument::try_from(&info).unwrap();
            let passphrase = PassphraseArguments::default();
            let refused = opened(Path::new("key"), &document, &passphrase).unwrap_err();
            assert!(refused.to_string().contains("more memory"), "{refused}");
        }
    }

    #[test]
    fn an_rsa_key_that_devices_do_not_know_is_refused() {
        let pair = KeyPair::generate(KeySize::Rsa3072).unwrap();
        let refused = SigningKey::of_rsa(pair).unwrap_err();
        assert!(refused.to_string().contains("2048 bits"), "{refused}");
    }

    #[test]
    fn a_public_key_travels_as_pem() {
        let folder = tempfile::tempdir().unwrap();
        for (algorithm, label) in [(Algorithm::Es256, "P-256"), (Algorithm::Rs256, "RSA-2048")] {
            let key = SigningKey::generate(algorithm).unwrap();
            let file = folder.path().join(label);
            key.public().store(&file).unwrap();
            let read = SignersKey::load(&file).unwrap();
            assert_eq!(&read, key.public());
            assert_eq!(read.kind(), label);
            assert_eq!(Key::new(read.key().bytes()).unwrap().id(), read.id());
        }
    }

    #[test]
    fn a_private_key_is_not_taken_for_a_public_one() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let folder = folder(&key);
        let refused = SignersKey::load(&folder.path().join("key")).unwrap_err();
        assert!(refused.to_string().contains("private key"), "{refused}");
    }
}
