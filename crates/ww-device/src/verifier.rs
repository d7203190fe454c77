//! Who checks an operator's signature for the meter: a secure element, or software. What follows
//! from the verdict is the meter's affair.

use ww_wire::{PublicKey, Signature, ToBeSigned};

/// Checks P-256 signatures.
pub trait Verifier {
    /// Whether `key` signed `message`; false for a key that is no point on the curve.
    fn holds(&mut self, key: &PublicKey, message: &ToBeSigned, signature: &Signature) -> bool;
}

#[cfg(feature = "software-signer")]
pub use software::SoftwareVerifier;

#[cfg(feature = "software-signer")]
mod software {
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::hazmat::PrehashVerifier;
    use ww_wire::Hash;

    use super::*;

    /// Checks signatures with `p256`.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct SoftwareVerifier;

    impl Verifier for SoftwareVerifier {
        fn holds(&mut self, key: &PublicKey, message: &ToBeSigned, signature: &Signature) -> bool {
            is_signed(key, &message.digest(), signature)
        }
    }

    impl ww_release::key::Verifier for SoftwareVerifier {
        fn es256(&mut self, key: &PublicKey, digest: &Hash, signature: &Signature) -> bool {
            is_signed(key, digest, signature)
        }
    }

    fn is_signed(key: &PublicKey, digest: &Hash, signature: &Signature) -> bool {
        let key = VerifyingKey::from_sec1_bytes(&key.to_sec1());
        let signature = p256::ecdsa::Signature::from_slice(signature.bytes());
        match (key, signature) {
            (Ok(key), Ok(signature)) => key.verify_prehash(&digest.0, &signature).is_ok(),
            _ => false,
        }
    }
}
