//! Raw ES256 signatures (r‖s) and their low-s form. Signing and verifying are the shells' work:
//! a secure element, `p256` or aws-lc does it; this module only knows the bytes.

/// The order n of the group of P-256 (SEC 2, section 2.4.2), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// n / 2, rounded down: the largest s that is low.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// An ES256 signature in the form of RFC 9053, section 2.1: r then s, 32 big-endian bytes each;
/// both in 1..n, s at most n/2.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

/// Why 64 bytes are not a signature in the form that WattWitness takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// r or s is zero or not below the order of the group.
    #[error("r or s of the signature is outside 1..n")]
    OutOfRange,
    /// s is above n/2: the same signature has a second, low form, which is the only one taken.
    #[error("the signature is not in low-s form; send n - s in the place of s")]
    HighS,
}

impl Signature {
    /// Takes raw bytes that must already be in low-s form.
    ///
    /// # Errors
    /// [`SignatureError::OutOfRange`], [`SignatureError::HighS`].
    pub fn from_low_s(bytes: [u8; 64]) -> Result<Self, SignatureError> {
        let (r, s) = halves(&bytes);
        if !in_range(&r) || !in_range(&s) {
            return Err(SignatureError::OutOfRange);
        }
        if s > HALF_ORDER {
            return Err(SignatureError::HighS);
        }
        Ok(Self(bytes))
    }

    /// Takes raw bytes as a signer made them and brings s into its low form. Hardware emits high
    /// s half of the time.
    ///
    /// # Errors
    /// [`SignatureError::OutOfRange`].
    pub fn normalise(bytes: [u8; 64]) -> Result<Self, SignatureError> {
        match Self::from_low_s(bytes) {
            Err(SignatureError::HighS) => {
                let (_, s) = halves(&bytes);
                let mut low = bytes;
                low[32..].copy_from_slice(&order_minus(&s));
                Ok(Self(low))
            }
            other => other,
        }
    }

    /// r then s.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl core::fmt::Display for Signature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl core::fmt::Debug for Signature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

fn halves(bytes: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    r.copy_from_slice(&bytes[..32]);
    s.copy_from_slice(&bytes[32..]);
    (r, s)
}

/// Big-endian arrays of one length compare like the numbers that they hold.
fn in_range(scalar: &[u8; 32]) -> bool {
    *scalar != [0; 32] && *scalar < ORDER
}

fn order_minus(scalar: &[u8; 32]) -> [u8; 32] {
    let mut difference = [0; 32];
    let mut borrow = false;
    for i in (0..32).rev() {
        let (byte, borrowed_once) = ORDER[i].overflowing_sub(scalar[i]);
        let (byte, borrowed_twice) = byte.overflowing_sub(u8::from(borrow));
        difference[i] = byte;
        borrow = borrowed_once || borrowed_twice;
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(s: [u8; 32]) -> [u8; 64] {
        let mut bytes = [1; 64];
        bytes[32..].copy_from_slice(&s);
        bytes
    }

    #[test]
    fn half_the_order_is_low_and_one_more_is_high() {
        let mut one_more = HALF_ORDER;
        one_more[31] += 1;
        assert!(Signature::from_low_s(signature(HALF_ORDER)).is_ok());
        assert_eq!(
            Signature::from_low_s(signature(one_more)),
            Err(SignatureError::HighS)
        );
    }

    #[test]
    fn normalising_negates_a_high_s() {
        let mut one_more = HALF_ORDER;
        one_more[31] += 1;
        let low = Signature::normalise(signature(one_more)).unwrap();
        // n = 2 · (n/2) + 1, so n − (n/2 + 1) = n/2.
        assert_eq!(low.bytes()[32..], HALF_ORDER);
    }

    #[test]
    fn zero_and_the_order_itself_are_out_of_range() {
        assert_eq!(
            Signature::normalise(signature([0; 32])),
            Err(SignatureError::OutOfRange)
        );
        assert_eq!(
            Signature::normalise(signature(ORDER)),
            Err(SignatureError::OutOfRange)
        );
    }
}
