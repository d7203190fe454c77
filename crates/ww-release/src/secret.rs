//! What a device shares with its gateway alone, and what is derived from it: the tags that filter what
//! it receives, the proof that a question is its own, and the key that wraps those of releases. A
//! stolen one shows firmware and makes records that a device takes for its gateway's; it installs
//! nothing, since releases and assignments are signed by others.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ww_wire::{Hash, MeterId};
use zeroize::Zeroizing;

use crate::assignment::{NONCE_BYTES, Nonce};
use crate::cipher::ContentKey;

/// Bytes of a secret.
pub const SECRET_BYTES: usize = 32;

/// The most bytes of an object under one tag.
pub const RECORD_BYTES: usize = 1024;

/// Bytes of a tag: an HMAC-SHA-256, truncated (RFC 2104, section 5).
pub const TAG_BYTES: usize = 8;

/// Bytes of a question's proof.
pub const PROOF_BYTES: usize = 16;

/// Bytes of a wrapped key: AES-256 key wrap (RFC 3394) adds eight.
pub const WRAPPED_BYTES: usize = 40;

const RECORDS: &[u8] = b"wattwitness/v1/ota-records";
const QUESTIONS: &[u8] = b"wattwitness/v1/ota-questions";
const WRAPPING: &[u8] = b"wattwitness/v1/ota-wrapping";

/// What one device shares with its gateway.
pub struct DeviceSecret {
    secret: Zeroizing<[u8; SECRET_BYTES]>,
    device: MeterId,
}

impl DeviceSecret {
    /// The secret of this device: 32 bytes that nobody can foresee.
    #[must_use]
    pub fn new(device: MeterId, secret: [u8; SECRET_BYTES]) -> Self {
        let secret = Zeroizing::new(secret);
        Self { secret, device }
    }

    /// The session of a question and its answer.
    #[must_use]
    pub fn session(&self, device_nonce: &Nonce, server_nonce: &Nonce) -> Session {
        let mut salt = [0; 2 * NONCE_BYTES];
        salt[..NONCE_BYTES].copy_from_slice(device_nonce);
        salt[NONCE_BYTES..].copy_from_slice(server_nonce);
        Session {
            key: self.derive(&salt, RECORDS, &[]),
        }
    }

    /// The proof that a question is this device's.
    #[must_use]
    pub fn prove(&self, question: &[u8]) -> [u8; PROOF_BYTES] {
        truncated(&self.questions(question).finalize().into_bytes())
    }

    /// Whether a question is this device's.
    #[must_use]
    pub fn proves(&self, question: &[u8], proof: &[u8; PROOF_BYTES]) -> bool {
        self.questions(question)
            .verify_truncated_left(proof)
            .is_ok()
    }

    /// The key of an object, as only this device can read it.
    #[must_use]
    pub fn wrap(&self, object: &Hash, key: &ContentKey) -> [u8; WRAPPED_BYTES] {
        key.wrap(&self.derive(&[], WRAPPING, &object.0))
    }

    /// The key of an object; `None` when it was not wrapped for this device and this object.
    #[must_use]
    pub fn unwrap(&self, object: &Hash, wrapped: &[u8; WRAPPED_BYTES]) -> Option<ContentKey> {
        ContentKey::unwrap(&self.derive(&[], WRAPPING, &object.0), wrapped)
    }

    fn questions(&self, question: &[u8]) -> Hmac<Sha256> {
        authenticator(&self.derive(&[], QUESTIONS, &[]), &[question])
    }

    /// HKDF-SHA-256 (RFC 5869) for this device, one purpose and what it is about.
    fn derive(&self, salt: &[u8], purpose: &[u8], about: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), &*self.secret)
            .expand_multi_info(&[purpose, &self.device.0, about], &mut *key)
            .expect("HKDF gives as many bytes as a hash has");
        key
    }
}

/// One download: what comes in it is tagged by its key.
pub struct Session {
    key: Zeroizing<[u8; 32]>,
}

impl Session {
    /// The tag of a record: the `number`th of an object, from 0.
    #[must_use]
    pub fn tag(&self, object: &Hash, number: u32, record: &[u8]) -> [u8; TAG_BYTES] {
        let tag = self.authenticator(object, number, record);
        truncated(&tag.finalize().into_bytes())
    }

    /// Whether a record is the `number`th of an object, sent in this session.
    #[must_use]
    pub fn holds(&self, object: &Hash, number: u32, record: &[u8], tag: &[u8; TAG_BYTES]) -> bool {
        let authenticator = self.authenticator(object, number, record);
        authenticator.verify_truncated_left(tag).is_ok()
    }

    fn authenticator(&self, object: &Hash, number: u32, record: &[u8]) -> Hmac<Sha256> {
        authenticator(&self.key, &[&object.0, &number.to_be_bytes(), record])
    }
}

fn authenticator(key: &[u8; 32], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut authenticator =
        Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        authenticator.update(part);
    }
    authenticator
}

fn truncated<const N: usize>(tag: &[u8]) -> [u8; N] {
    let mut first = [0; N];
    first.copy_from_slice(&tag[..N]);
    first
}
