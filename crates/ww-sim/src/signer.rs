//! A signer for runs that make millions of records: fast, different for every key and message, and
//! worth nothing. Only this module's verifier takes its signatures; no P-256 library does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ww_device::signer::{SignError, Signer};
use ww_device::verifier::Verifier;
use ww_wire::{Hash, PublicKey, Signature, ToBeSigned};

/// Signs by hashing.
#[derive(Clone, Debug)]
pub struct ShamSigner {
    key: PublicKey,
    is_out: Arc<AtomicBool>,
}

impl ShamSigner {
    /// The signer that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let half = |side: u8| Hash::of(&[&seed.to_be_bytes(), &[side]]).0;
        let mut key = [0; 64];
        key[..32].copy_from_slice(&half(0));
        key[32..].copy_from_slice(&half(1));
        Self {
            key: PublicKey(key),
            is_out: Arc::default(),
        }
    }

    /// Makes this signer and all its clones answer no more, or answer again.
    pub fn set_out(&self, is_out: bool) {
        self.is_out.store(is_out, Ordering::Relaxed);
    }
}

impl Signer for ShamSigner {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&mut self, message: &ToBeSigned) -> Result<Signature, SignError> {
        if self.is_out.load(Ordering::Relaxed) {
            Err(SignError::Unavailable)
        } else {
            Ok(sham(&self.key, message))
        }
    }
}

/// Checks what [`ShamSigner`] signs.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShamVerifier;

impl Verifier for ShamVerifier {
    fn holds(&mut self, key: &PublicKey, message: &ToBeSigned, signature: &Signature) -> bool {
        sham(key, message) == *signature
    }
}

fn sham(key: &PublicKey, message: &ToBeSigned) -> Signature {
    let digest = Hash::of(&[&key.0, message.as_bytes()]).0;
    // One in front keeps both halves above zero, below the order and low.
    let mut bytes = [1; 64];
    bytes[1..32].copy_from_slice(&digest[1..]);
    bytes[33..].copy_from_slice(&digest[1..]);
    Signature::from_low_s(bytes).expect("both halves begin with 01, so they are in range and low")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ww_wire::{Domain, RecordType};

    #[test]
    fn a_sham_signature_holds_for_its_key_and_message_only() {
        let message = |byte| ToBeSigned::new(Domain::Record(RecordType::Window), &[byte]).unwrap();
        let mut signer = ShamSigner::new(1);
        let signature = signer.sign(&message(1)).unwrap();
        let holds = |key, byte| {
            ShamVerifier.holds(
                &ShamSigner::new(key).public_key(),
                &message(byte),
                &signature,
            )
        };
        assert_eq!(
            (holds(1, 1), holds(1, 2), holds(2, 1)),
            (true, false, false)
        );
    }

    #[test]
    fn a_signer_that_is_out_signs_nothing() {
        let mut signer = ShamSigner::new(1);
        signer.clone().set_out(true);
        let message = ToBeSigned::new(Domain::Record(RecordType::Window), &[1]).unwrap();
        assert_eq!(signer.sign(&message), Err(SignError::Unavailable));
    }
}
