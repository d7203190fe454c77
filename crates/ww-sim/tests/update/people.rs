//! Those who sign for a fleet, with keys made for the test.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use ww_release::canonical::{self, Item};
use ww_release::key::{Algorithm, Key, Suite};
use ww_release::release::{Release, SignedRelease, signed_content};
use ww_release::root::{Role, Root, SignedRoot};
use ww_release::signatures::{Approved, Domain, Signed, digest};
use ww_wire::{Hash, Signature, SignerId};

enum Secret {
    P256(SigningKey),
    Rsa(&'static KeyPair),
}

/// Somebody with a key.
pub(crate) struct Person {
    secret: Secret,
    public: Vec<u8>,
    /// What it signed before, by what that was: thousands of starts ask for the same.
    signed: Mutex<HashMap<Hash, Vec<u8>>>,
}

/// RSA keys take long to make: all tests share these.
fn rsa_keys() -> &'static [KeyPair; 3] {
    static KEYS: OnceLock<[KeyPair; 3]> = OnceLock::new();
    KEYS.get_or_init(|| [(); 3].map(|()| KeyPair::generate(KeySize::Rsa2048).unwrap()))
}

impl Person {
    /// With the P-256 key of this number.
    pub(crate) fn numbered(number: u8) -> Self {
        let key = SigningKey::from_slice(&[number; 32]).unwrap();
        let public = key.verifying_key().to_sec1_point(false).as_bytes()[1..].to_vec();
        Self::new(Secret::P256(key), public)
    }

    fn with_rsa(key: &'static KeyPair) -> Self {
        let modulus = key.public_key().modulus();
        let public = modulus.big_endian_without_leading_zero().to_vec();
        Self::new(Secret::Rsa(key), public)
    }

    fn new(secret: Secret, public: Vec<u8>) -> Self {
        let signed = Mutex::default();
        Self {
            secret,
            public,
            signed,
        }
    }

    pub(crate) fn key(&self) -> Key<'_> {
        Key::new(&self.public).unwrap()
    }

    fn sign(&self, domain: Domain, content: &[u8]) -> (SignerId, Algorithm, Vec<u8>) {
        let (signer, algorithm) = (self.key().id(), self.key().algorithm());
        let digest = digest(domain, algorithm, signer, content);
        let mut signed = self.signed.lock().unwrap();
        if let Some(bytes) = signed.get(&digest) {
            return (signer, algorithm, bytes.clone());
        }
        let bytes = match &self.secret {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest.0).unwrap();
                let raw = signature.to_bytes().as_slice().try_into().unwrap();
                Signature::normalise(raw).unwrap().bytes().to_vec()
            }
            Secret::Rsa(key) => {
                use aws_lc_rs::digest::{Digest, SHA256};
                let digest = Digest::import_less_safe(&digest.0, &SHA256).unwrap();
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature)
                    .unwrap();
                signature
            }
        };
        signed.insert(digest, bytes.clone());
        (signer, algorithm, bytes)
    }
}

pub(crate) fn bytes_of<'a, T: Item<'a>>(item: &T) -> Vec<u8> {
    let mut bytes = vec![0; canonical::length(item)];
    canonical::encode(item, &mut bytes).unwrap();
    bytes
}

/// Content with the signatures of these people: the item that `made` makes of both, as bytes.
pub(crate) fn signed<R>(
    domain: Domain,
    content: &[u8],
    people: &[&Person],
    made: impl FnOnce(Approved<'_>) -> R,
) -> R {
    let signatures: Vec<_> = people.iter().map(|one| one.sign(domain, content)).collect();
    let none = Approved::new(content);
    let all = signatures
        .iter()
        .fold(none, |all, (signer, algorithm, bytes)| {
            all.with(Signed::new(*signer, *algorithm, bytes).unwrap())
                .unwrap()
        });
    made(all)
}

/// Everybody of a fleet: three root keys of which two sign, three release keys of which two sign, one key
/// online.
pub(crate) struct People {
    pub(crate) suite: Suite,
    pub(crate) root: Vec<Person>,
    pub(crate) release: Vec<Person>,
    pub(crate) assignment: Vec<Person>,
}

impl People {
    pub(crate) fn new(suite: Suite) -> Self {
        let release = match suite {
            Suite::Es256Aes256Ctr => [21, 22, 23].map(Person::numbered).into(),
            Suite::Rsa2048Aes256Cbc => rsa_keys().iter().map(Person::with_rsa).collect(),
        };
        Self {
            suite,
            root: [11, 12, 13].map(Person::numbered).into(),
            release,
            assignment: vec![Person::numbered(31)],
        }
    }

    /// A root of these people.
    pub(crate) fn root(&self, number: u32) -> Root<'_> {
        Root {
            number,
            suite: self.suite,
            root: role_of(2, &self.root),
            release: role_of(2, &self.release),
            assignment: role_of(1, &self.assignment),
        }
    }

    /// A root signed by these.
    pub(crate) fn signed_root(root: &Root<'_>, signers: &[&Person]) -> Vec<u8> {
        let content = bytes_of(root);
        let bytes = signed(Domain::Root, &content, signers, |approved| {
            bytes_of(&approved)
        });
        assert!(SignedRoot::decode(&bytes).is_ok());
        bytes
    }

    /// A release signed by these.
    pub(crate) fn signed_release(release: &Release<'_>, signers: &[&Person]) -> Vec<u8> {
        let content = signed_content(release);
        signed(Domain::Release, &content, signers, |approved| {
            bytes_of(&SignedRelease::new(*release, approved))
        })
    }
}

fn role_of(threshold: u8, people: &[Person]) -> Role<'_> {
    let mut keys: Vec<_> = people.iter().map(Person::key).collect();
    keys.sort();
    Role::new(threshold, &keys).unwrap()
}
