//! The operator's key that the gateway keeps, and the signatures made with it. It signs what an
//! operator approves through the API; never a measurement.

use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use ww_store::Verified;
use ww_wire::record::Record;
use ww_wire::{Domain, PublicKey, Rule, Signature, SignerId, ToBeSigned};

use crate::key_file::{self, KeyFileError};

/// A P-256 key pair of an operator, in a PKCS #8 file (PEM).
pub struct OperatorKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl OperatorKey {
    /// Reads the file, or makes a key and the file when there is none.
    ///
    /// # Errors
    /// Any [`KeyFileError`].
    pub fn open_or_make(path: &Path) -> Result<Self, KeyFileError> {
        let content = || KeyFileError::Content {
            path: path.to_owned(),
        };
        if let Some(pem) = key_file::read(path)? {
            let pair = key_file::p256_from_pem(&pem);
            return pair.and_then(Self::from_pair).ok_or_else(content);
        }
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| KeyFileError::NoRandomness)?;
        let document = pair.to_pkcs8v1().map_err(|_| KeyFileError::NoRandomness)?;
        key_file::make(path, &key_file::pem(document.as_ref()))?;
        Self::from_pair(pair).ok_or_else(content)
    }

    fn from_pair(pair: EcdsaKeyPair) -> Option<Self> {
        let sec1: [u8; 65] = pair.public_key().as_ref().try_into().ok()?;
        let public = PublicKey::from_sec1(&sec1)?;
        Some(Self { pair, public })
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The operator's id.
    #[must_use]
    pub fn id(&self) -> SignerId {
        self.public.id()
    }

    /// Signs a record of which this operator is the signer.
    ///
    /// # Errors
    /// The first [`Rule`] that the record breaks.
    pub fn sign<R: Record>(&self, record: R) -> Result<Verified<R>, Rule> {
        debug_assert_eq!(record.signer(), self.id());
        let payload = record.encode()?;
        let message = ToBeSigned::new(Domain::Record(R::TYPE), &payload)
            .expect("a record is never longer than the longest record");
        let raw = self
            .pair
            .sign(&SystemRandom::new(), message.as_bytes())
            .expect("a key that was parsed signs, and the system gives randomness");
        let raw: [u8; 64] = raw
            .as_ref()
            .try_into()
            .expect("a fixed ECDSA P-256 signature has 64 bytes");
        let signature = Signature::normalise(raw).expect("the signer keeps r and s in 1..n");
        Ok(Verified::vouched(record, signature))
    }
}

impl std::fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OperatorKey").field(&self.public).finish()
    }
}

#[cfg(test)]
mod tests {
    use ww_verify::VerifyingKey;
    use ww_wire::{Revocation, RevocationReason, Text, UtcMillis};

    use super::*;

    #[test]
    fn a_key_that_was_made_is_the_same_after_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.key");
        let made = OperatorKey::open_or_make(&path).unwrap();
        let read = OperatorKey::open_or_make(&path).unwrap();
        assert_eq!(made.public(), read.public());
    }

    #[test]
    fn what_it_signs_holds_and_is_low_s() {
        let folder = tempfile::tempdir().unwrap();
        let key = OperatorKey::open_or_make(&folder.path().join("operator.key")).unwrap();
        let verifier = VerifyingKey::new(*key.public()).unwrap();
        for note in [
            "one", "two", "three", "four", "five", "six", "seven", "eight",
        ] {
            let record = Revocation {
                operator: key.id(),
                meter: SignerId([7; 32]),
                time: UtcMillis::new(1).unwrap(),
                reason: RevocationReason::Lost,
                note: Text::new(note).unwrap(),
            };
            let signed = key.sign(record).unwrap();
            let payload = record.encode().unwrap();
            let domain = Domain::Record(Revocation::TYPE);
            assert!(
                verifier
                    .verify(domain, &payload, signed.signature())
                    .is_ok()
            );
            assert!(Signature::from_low_s(*signed.signature().bytes()).is_ok());
        }
    }

    #[test]
    fn a_file_with_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.key");
        key_file::make(&path, "not a key").unwrap();
        let refused = OperatorKey::open_or_make(&path).unwrap_err();
        assert!(matches!(refused, KeyFileError::Content { .. }));
    }
}
