//! Who holds the meter's private key: a secure element, or software. It signs what it is given;
//! what may be signed, and when, is the chain's affair.

use ww_wire::{PublicKey, Signature, SignatureError, ToBeSigned};

/// Holds one P-256 key and signs with it.
pub trait Signer {
    /// The public key; its SHA-256 is the meter id.
    fn public_key(&self) -> PublicKey;

    /// Signs the Sig_structure by ES256, in low-s form.
    ///
    /// # Errors
    /// Any [`SignError`]; then nothing was signed.
    fn sign(&mut self, message: &ToBeSigned) -> Result<Signature, SignError>;
}

impl<S: Signer> Signer for &mut S {
    fn public_key(&self) -> PublicKey {
        (**self).public_key()
    }

    fn sign(&mut self, message: &ToBeSigned) -> Result<Signature, SignError> {
        (**self).sign(message)
    }
}

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key's holder does not answer.
    #[error("the signer does not answer")]
    Unavailable,
    /// The key's holder answered that it will not or cannot sign.
    #[error("the signer refused to sign")]
    Refused,
    /// What came back is no signature.
    #[error("the signer gave back no signature: {0}")]
    Malformed(#[from] SignatureError),
}

#[cfg(feature = "software-signer")]
pub use software::{KeyError, SoftwareSigner};

#[cfg(feature = "software-signer")]
mod software {
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner;

    use super::*;

    /// A key in the meter's own memory. Signatures are deterministic (RFC 6979), so that no bad
    /// source of randomness can give the key away; the key is wiped when the signer is dropped.
    #[derive(Clone)]
    pub struct SoftwareSigner {
        key: SigningKey,
        public_key: PublicKey,
    }

    /// Why bytes are not a private key.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    #[error("the number is zero or not below the order of P-256, so it is no private key")]
    pub struct KeyError;

    impl SoftwareSigner {
        /// Takes a private key as 32 big-endian bytes. The caller wipes its own copy.
        ///
        /// # Errors
        /// [`KeyError`] when the number is not in 1..n.
        pub fn new(private_key: &[u8; 32]) -> Result<Self, KeyError> {
            let key = SigningKey::from_slice(private_key).map_err(|_| KeyError)?;
            let point = key.verifying_key().to_sec1_point(false);
            let sec1 = point.as_bytes().try_into().map_err(|_| KeyError)?;
            let public_key = PublicKey::from_sec1(sec1).ok_or(KeyError)?;
            Ok(Self { key, public_key })
        }
    }

    impl Signer for SoftwareSigner {
        fn public_key(&self) -> PublicKey {
            self.public_key
        }

        fn sign(&mut self, message: &ToBeSigned) -> Result<Signature, SignError> {
            let signature: p256::ecdsa::Signature = self
                .key
                .sign_prehash(&message.digest().0)
                .map_err(|_| SignError::Refused)?;
            Ok(Signature::normalise(signature.to_bytes().into())?)
        }
    }

    impl core::fmt::Debug for SoftwareSigner {
        /// The public key only.
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.debug_struct("SoftwareSigner")
                .field("public_key", &self.public_key)
                .finish_non_exhaustive()
        }
    }

    #[cfg(test)]
    mod tests {
        use p256::ecdsa::VerifyingKey;
        use p256::ecdsa::signature::hazmat::PrehashVerifier;
        use ww_wire::{Domain, RecordType};

        use super::*;

        fn message(payload: &[u8]) -> ToBeSigned {
            ToBeSigned::new(Domain::Record(RecordType::Window), payload).unwrap()
        }

        #[test]
        fn a_signature_verifies_under_the_public_key_and_has_a_low_s() {
            let mut signer = SoftwareSigner::new(&[7; 32]).unwrap();
            let key = VerifyingKey::from_sec1_bytes(&signer.public_key().to_sec1()).unwrap();
            for i in 0..8 {
                let message = message(&[i; 40]);
                let signature = signer.sign(&message).unwrap();
                assert_eq!(Signature::from_low_s(*signature.bytes()), Ok(signature));
                let signature = p256::ecdsa::Signature::from_slice(signature.bytes()).unwrap();
                assert!(key.verify_prehash(&message.digest().0, &signature).is_ok());
            }
        }

        #[test]
        fn the_same_message_gets_the_same_signature() {
            let mut signer = SoftwareSigner::new(&[7; 32]).unwrap();
            let (first, second) = (signer.sign(&message(b"x")), signer.sign(&message(b"x")));
            assert_eq!(first, second);
        }

        #[test]
        fn zero_and_numbers_above_the_order_are_no_keys() {
            assert_eq!(SoftwareSigner::new(&[0; 32]).err(), Some(KeyError));
            assert_eq!(SoftwareSigner::new(&[0xff; 32]).err(), Some(KeyError));
        }

        #[test]
        fn debug_shows_no_private_key() {
            let signer = SoftwareSigner::new(&[7; 32]).unwrap();
            let shown = std::format!("{signer:?}");
            assert!(!shown.contains("0707"), "{shown}");
        }
    }
}
