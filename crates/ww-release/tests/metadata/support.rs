//! People who sign, and the metadata that they sign.

use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p256::ecdsa::{SigningKey, VerifyingKey};
use ww_release::canonical::{self, Item};
use ww_release::key::{Algorithm, Key, Suite, Verifier};
use ww_release::release::{Encoding, HardwareClass, Parts, Release, SignedRelease, signed_content};
use ww_release::root::{MAX_KEYS, Role, Root};
use ww_release::signatures::{Approved, Domain, Signed, digest};
use ww_wire::{Hash, PublicKey, Signature, SignerId};

/// Checks P-256 signatures as a meter without a secure element does.
pub(crate) struct Software;

impl Verifier for Software {
    fn es256(&mut self, key: &PublicKey, digest: &Hash, signature: &Signature) -> bool {
        let key = VerifyingKey::from_sec1_bytes(&key.to_sec1());
        let signature = p256::ecdsa::Signature::from_slice(signature.bytes());
        match (key, signature) {
            (Ok(key), Ok(signature)) => key.verify_prehash(&digest.0, &signature).is_ok(),
            _ => false,
        }
    }
}

enum Secret {
    P256(SigningKey),
    Rsa(KeyPair),
}

/// Somebody with a key.
pub(crate) struct Person {
    secret: Secret,
    public: Vec<u8>,
}

impl Person {
    /// With the P-256 key of this number.
    pub(crate) fn numbered(number: u8) -> Self {
        let key = SigningKey::from_slice(&[number; 32]).unwrap();
        let public = key.verifying_key().to_sec1_point(false).as_bytes()[1..].to_vec();
        let secret = Secret::P256(key);
        Self { secret, public }
    }

    /// With a fresh RSA key.
    pub(crate) fn with_rsa() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = key
            .public_key()
            .modulus()
            .big_endian_without_leading_zero()
            .to_vec();
        let secret = Secret::Rsa(key);
        Self { secret, public }
    }

    pub(crate) fn key(&self) -> Key<'_> {
        Key::new(&self.public).unwrap()
    }

    pub(crate) fn id(&self) -> SignerId {
        self.key().id()
    }

    /// Signs content in a domain.
    pub(crate) fn sign(&self, domain: Domain, content: &[u8]) -> OwnedSignature {
        let algorithm = self.key().algorithm();
        let digest = digest(domain, algorithm, self.id(), content);
        let bytes = match &self.secret {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest.0).unwrap();
                let raw = signature.to_bytes().as_slice().try_into().unwrap();
                Signature::normalise(raw).unwrap().bytes().to_vec()
            }
            Secret::Rsa(key) => {
                let digest = aws_lc_rs::digest::Digest::import_less_safe(
                    &digest.0,
                    &aws_lc_rs::digest::SHA256,
                )
                .unwrap();
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature)
                    .unwrap();
                signature
            }
        };
        let signer = self.id();
        OwnedSignature {
            signer,
            algorithm,
            bytes,
        }
    }
}

/// A signature that outlives what it is put beside.
pub(crate) struct OwnedSignature {
    pub(crate) signer: SignerId,
    pub(crate) algorithm: Algorithm,
    pub(crate) bytes: Vec<u8>,
}

impl OwnedSignature {
    pub(crate) fn borrowed(&self) -> Signed<'_> {
        Signed::new(self.signer, self.algorithm, &self.bytes).unwrap()
    }
}

/// Content with the signatures of these people, as bytes.
pub(crate) fn approved(domain: Domain, content: &[u8], people: &[&Person]) -> Vec<u8> {
    let signatures: Vec<_> = people.iter().map(|one| one.sign(domain, content)).collect();
    bytes_of(&with_all(content, &signatures))
}

pub(crate) fn with_all<'a>(content: &'a [u8], signatures: &'a [OwnedSignature]) -> Approved<'a> {
    let none = Approved::new(content);
    signatures
        .iter()
        .fold(none, |all, one| all.with(one.borrowed()).unwrap())
}

pub(crate) fn bytes_of<'a, T: Item<'a>>(item: &T) -> Vec<u8> {
    let mut bytes = vec![0; canonical::length(item)];
    let len = canonical::encode(item, &mut bytes).unwrap().len();
    assert_eq!(len, bytes.len());
    bytes
}

pub(crate) fn role<'a>(threshold: u8, people: &'a [Person]) -> Role<'a> {
    let mut keys: Vec<_> = people.iter().map(Person::key).collect();
    keys.sort();
    assert!(keys.len() <= MAX_KEYS);
    Role::new(threshold, &keys).unwrap()
}

/// Everybody of a fleet.
pub(crate) struct Fleet {
    pub(crate) suite: Suite,
    pub(crate) root: Vec<Person>,
    pub(crate) release: Vec<Person>,
    pub(crate) assignment: Vec<Person>,
}

impl Fleet {
    /// Three root keys of which two sign, three release keys of which two sign, one key online.
    pub(crate) fn new(suite: Suite) -> Self {
        let releaser = |number| match suite {
            Suite::Es256Aes256Ctr => Person::numbered(number),
            Suite::Rsa2048Aes256Cbc => Person::with_rsa(),
        };
        Self {
            suite,
            root: [11, 12, 13].map(Person::numbered).into(),
            release: [21, 22, 23].map(releaser).into(),
            assignment: vec![Person::numbered(31)],
        }
    }

    pub(crate) fn root(&self, number: u32) -> Root<'_> {
        Root {
            number,
            suite: self.suite,
            root: role(2, &self.root),
            release: role(2, &self.release),
            assignment: role(1, &self.assignment),
        }
    }

    /// The release, signed by these.
    pub(crate) fn sign(&self, release: &Release<'_>, people: &[&Person]) -> Vec<u8> {
        let content = signed_content(release);
        let sign = |one: &&Person| one.sign(Domain::Release, &content);
        let signatures: Vec<_> = people.iter().map(sign).collect();
        bytes_of(&SignedRelease::new(
            *release,
            with_all(&content, &signatures),
        ))
    }
}

pub(crate) const SUITES: [Suite; 2] = [Suite::Es256Aes256Ctr, Suite::Rsa2048Aes256Cbc];

pub(crate) fn encoding(base: Option<u8>, plain_bytes: u32) -> Encoding {
    Encoding {
        base: base.map(|byte| Hash([byte; 32])),
        plain_bytes,
        object: Hash([0xc0; 32]),
        list: Hash([0x11; 32]),
        nonce: [7; 8],
        key_check: [9; 16],
    }
}

pub(crate) fn release(suite: Suite) -> Release<'static> {
    let parts = Parts {
        image_bytes: 1_000_000,
        config_bytes: 40_000,
        layout_bytes: 3_072,
    };
    let encodings = [
        encoding(None, 1_043_072),
        encoding(Some(1), 70_000),
        encoding(Some(2), 80_000),
    ];
    let (class, payload) = (HardwareClass([0xcc; 16]), Hash([0xda; 32]));
    Release::new(class, 5, "1.4.0", suite, payload, parts, &encodings).unwrap()
}
