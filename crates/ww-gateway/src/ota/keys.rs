//! The keys with which a gateway updates firmware: the fleet's, from which every device's secret is
//! derived, and its own assignment key. It makes neither; both are brought in files.

use std::path::Path;

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use ww_release::fleet::FleetKey;
use ww_release::key::{Algorithm, Verifier};
use ww_release::signatures::{self, Domain};
use ww_wire::{Hash, PublicKey, Signature, SignerId};
use zeroize::Zeroizing;

use crate::key_file::{self, KeyFileError};

/// What it takes to answer devices.
pub(crate) struct FirmwareKeys {
    pub(crate) fleet: FleetKey,
    pub(crate) assignment: AssignmentKey,
}

impl FirmwareKeys {
    /// Reads both files: the fleet key as 64 hex digits, the assignment key as PKCS #8 (PEM).
    ///
    /// # Errors
    /// Any [`KeyFileError`]; a file that is not there cannot be read.
    pub(crate) fn open(fleet: &Path, assignment: &Path) -> Result<Self, KeyFileError> {
        let content = |path: &Path| KeyFileError::Content {
            path: path.to_owned(),
        };
        let digits = Zeroizing::new(key_file::read_existing(fleet)?);
        let fleet_key = FleetKey::from_hex(&digits).ok_or_else(|| content(fleet))?;
        let pem = Zeroizing::new(key_file::read_existing(assignment)?);
        let pair = key_file::p256_from_pem(&pem).ok_or_else(|| content(assignment))?;
        let assignment = AssignmentKey::new(pair).ok_or_else(|| content(assignment))?;
        Ok(Self {
            fleet: fleet_key,
            assignment,
        })
    }
}

/// The key that signs assignments, online.
pub(crate) struct AssignmentKey {
    pair: EcdsaKeyPair,
    id: SignerId,
}

impl AssignmentKey {
    fn new(pair: EcdsaKeyPair) -> Option<Self> {
        let sec1: [u8; 65] = pair.public_key().as_ref().try_into().ok()?;
        let id = PublicKey::from_sec1(&sec1)?.id();
        Some(Self { pair, id })
    }

    /// SHA-256 of the public key, by which a root names it.
    pub(crate) const fn id(&self) -> SignerId {
        self.id
    }

    /// Signs the content of a batch of assignments.
    pub(crate) fn sign(&self, content: &[u8]) -> Signature {
        let digest = signatures::digest(Domain::Assignment, Algorithm::Es256, self.id, content);
        let raw = self
            .pair
            .sign_digest(&digest_of(&digest))
            .expect("a key that was parsed signs, and the system gives randomness");
        let raw: [u8; 64] = raw
            .as_ref()
            .try_into()
            .expect("a fixed ECDSA P-256 signature has 64 bytes");
        Signature::normalise(raw).expect("the signer keeps r and s in 1..n")
    }
}

/// Checks what others have signed.
pub(crate) struct Checker;

impl Verifier for Checker {
    fn es256(&mut self, key: &PublicKey, digest: &Hash, signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.to_sec1())
            .verify_digest(&digest_of(digest), signature.bytes())
            .is_ok()
    }
}

fn digest_of(hash: &Hash) -> Digest {
    Digest::import_less_safe(&hash.0, &SHA256).expect("a hash is as long as SHA-256 has it")
}
