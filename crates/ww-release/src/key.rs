//! The keys of those who sign metadata, and how a signature of theirs is checked. A key is its
//! bytes: the point of a P-256 key (64), or the modulus of an RSA key of 2,048 bits (256) whose
//! public exponent is 65,537.

use ww_wire::{Hash, PublicKey, Signature, SignerId};

use crate::canonical::Malformed;
use crate::rsa;

/// How somebody signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256 (RFC 9053, section 2.1).
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8812, section 2).
    Rs256,
}

impl Algorithm {
    /// Its number in COSE.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::Rs256 => -257,
        }
    }

    /// Bytes of a signature.
    #[must_use]
    pub const fn signature_bytes(self) -> usize {
        match self {
            Self::Es256 => 64,
            Self::Rs256 => rsa::BYTES,
        }
    }

    pub(crate) const fn numbered(number: i64) -> Option<Self> {
        match number {
            -7 => Some(Self::Es256),
            -257 => Some(Self::Rs256),
            _ => None,
        }
    }
}

/// How a release is signed and encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// ES256, AES-256 in counter mode.
    Es256Aes256Ctr,
    /// RSA with 2,048 bits, AES-256 in CBC mode with PKCS#7 padding.
    Rsa2048Aes256Cbc,
}

impl Suite {
    /// Its number in the metadata.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Es256Aes256Ctr => 1,
            Self::Rsa2048Aes256Cbc => 2,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256Aes256Ctr => "es256-aes256ctr",
            Self::Rsa2048Aes256Cbc => "rsa2048-aes256cbc",
        }
    }

    /// How its releases are signed.
    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::Es256Aes256Ctr => Algorithm::Es256,
            Self::Rsa2048Aes256Cbc => Algorithm::Rs256,
        }
    }

    /// How long `plain` bytes are once encrypted: padding of CBC is 1 to 16 bytes.
    #[must_use]
    pub const fn encrypted_bytes(self, plain: u32) -> Option<u32> {
        match self {
            Self::Es256Aes256Ctr => Some(plain),
            Self::Rsa2048Aes256Cbc => match (plain / 16).checked_add(1) {
                Some(blocks) => blocks.checked_mul(16),
                None => None,
            },
        }
    }

    pub(crate) fn numbered(number: u8) -> Result<Self, Malformed> {
        [Self::Es256Aes256Ctr, Self::Rsa2048Aes256Cbc]
            .into_iter()
            .find(|suite| suite.number() == number)
            .ok_or(Malformed::Expected("the number of a suite"))
    }
}

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key<'a>(&'a [u8]);

impl<'a> Key<'a> {
    /// A key of these bytes; `None` when no key is so long.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Option<Self> {
        match bytes.len() {
            64 | rsa::BYTES => Some(Self(bytes)),
            _ => None,
        }
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// How its owner signs.
    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        match self.0.len() {
            64 => Algorithm::Es256,
            _ => Algorithm::Rs256,
        }
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn id(self) -> SignerId {
        SignerId(Hash::of(&[self.0]).0)
    }

    /// Whether its owner signed what has this digest.
    pub fn signed<V: Verifier>(self, digest: &Hash, signature: &[u8], verifier: &mut V) -> bool {
        if let (Ok(point), Ok(bytes)) = (self.0.try_into(), signature.try_into()) {
            return Signature::from_low_s(bytes)
                .is_ok_and(|signature| verifier.es256(&PublicKey(point), digest, &signature));
        }
        match (self.0.try_into(), signature.try_into()) {
            (Ok(modulus), Ok(signature)) => rsa::verify(modulus, digest, signature),
            _ => false,
        }
    }
}

impl core::fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&self.id(), f)
    }
}

/// Checks P-256 signatures: hardware, or software.
pub trait Verifier {
    /// Whether `key` signed what has this digest; false for a key that is no point on the curve.
    fn es256(&mut self, key: &PublicKey, digest: &Hash, signature: &Signature) -> bool;
}
