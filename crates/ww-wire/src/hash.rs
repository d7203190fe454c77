//! The one hash of the platform, SHA-256 (FIPS 180-4), and the identities made with it.

use sha2::{Digest, Sha256};

/// A SHA-256 value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// All zeros: "none", where a record says so (no SHA-256 preimage of it is known).
    pub const ZERO: Self = Self([0; 32]);

    /// Hashes the concatenation of `parts`.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// Whether this is the all-zero value that stands for "none".
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl core::fmt::Display for Hash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl core::fmt::Debug for Hash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// Who signs: SHA-256 of the signer's public key. For a meter this is the meter id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignerId(pub [u8; 32]);

/// A meter's id: SHA-256 of its public key. One key = one meter = one register.
pub type MeterId = SignerId;

impl core::fmt::Display for SignerId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&Hash(self.0), f)
    }
}

impl core::fmt::Debug for SignerId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// A P-256 public key: the affine coordinates X then Y, 32 big-endian bytes each. Whether the
/// point lies on the curve is checked where a signature is verified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 64]);

impl PublicKey {
    /// SHA-256 over the 64 bytes X‖Y.
    #[must_use]
    pub fn id(&self) -> SignerId {
        SignerId(Hash::of(&[&self.0]).0)
    }

    /// The uncompressed point of SEC 1, section 2.3.3: 0x04, X, Y.
    #[must_use]
    pub fn to_sec1(self) -> [u8; 65] {
        let mut sec1 = [4; 65];
        sec1[1..].copy_from_slice(&self.0);
        sec1
    }

    /// Takes an uncompressed SEC 1 point; `None` when the first byte is not 0x04.
    #[must_use]
    pub fn from_sec1(sec1: &[u8; 65]) -> Option<Self> {
        let (&head, point) = sec1.split_first()?;
        (head == 4)
            .then(|| point.try_into().ok().map(Self))
            .flatten()
    }
}

impl core::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl core::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}
