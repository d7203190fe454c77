//! Checks ES256 signatures over records: by aws-lc on machines, by `p256` in the browser.

use ww_wire::{Domain, PublicKey, Signature, ToBeSigned};

/// The bytes are not a point of P-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the public key {0} is not a point on P-256")]
pub struct NotAPoint(pub PublicKey);

/// The signature is not by this key over these bytes in this domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct BadSignature;

/// A public key, parsed once and used for many signatures.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    public: PublicKey,
    parsed: backend::Key,
}

impl VerifyingKey {
    /// Parses a key.
    ///
    /// # Errors
    /// [`NotAPoint`].
    pub fn new(public: PublicKey) -> Result<Self, NotAPoint> {
        let parsed = backend::parse(&public).ok_or(NotAPoint(public))?;
        Ok(Self { public, parsed })
    }

    /// The key's bytes.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Checks the signature of a record's payload in a domain.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(
        &self,
        domain: Domain,
        payload: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        let message = ToBeSigned::new(domain, payload).ok_or(BadSignature)?;
        if backend::holds(&self.parsed, message.as_bytes(), signature) {
            Ok(())
        } else {
            Err(BadSignature)
        }
    }
}

#[cfg(not(target_family = "wasm"))]
mod backend {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
    use ww_wire::{PublicKey, Signature};

    pub(super) type Key = ParsedPublicKey;

    pub(super) fn parse(public: &PublicKey) -> Option<Key> {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public.to_sec1()).ok()
    }

    pub(super) fn holds(key: &Key, message: &[u8], signature: &Signature) -> bool {
        key.verify_sig(message, signature.bytes()).is_ok()
    }
}

#[cfg(target_family = "wasm")]
mod backend {
    use p256::ecdsa::signature::Verifier;
    use ww_wire::{PublicKey, Signature};

    pub(super) type Key = p256::ecdsa::VerifyingKey;

    pub(super) fn parse(public: &PublicKey) -> Option<Key> {
        Key::from_sec1_bytes(&public.to_sec1()).ok()
    }

    pub(super) fn holds(key: &Key, message: &[u8], signature: &Signature) -> bool {
        p256::ecdsa::Signature::from_slice(signature.bytes())
            .is_ok_and(|signature| key.verify(message, &signature).is_ok())
    }
}
