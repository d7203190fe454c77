//! RSA signatures of 2,048 bits with PKCS#1 v1.5 padding and SHA-256, verified on integers of fixed
//! size (RFC 8017, section 8.2.2). The public exponent is 65,537.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U2048};
use ww_wire::Hash;

/// Bytes of a modulus and of a signature.
pub const BYTES: usize = 256;

/// What stands before the digest: the DER head of a DigestInfo with SHA-256 (RFC 8017, section 9.2,
/// note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Squarings for the exponent 2¹⁶ + 1.
const SQUARINGS: usize = 16;

/// Whether the owner of `modulus` signed what has this digest. A modulus must have all its 2,048
/// bits and be odd; a signature must be smaller than it.
#[must_use]
pub fn verify(modulus: &[u8; BYTES], digest: &Hash, signature: &[u8; BYTES]) -> bool {
    let (n, s) = (
        U2048::from_be_slice(modulus),
        U2048::from_be_slice(signature),
    );
    let Some(n) = Option::<Odd<U2048>>::from(Odd::new(n)) else {
        return false;
    };
    if modulus[0] & 0x80 == 0 || s >= *n.as_ref() {
        return false;
    }
    let field = FixedMontyParams::new_vartime(n);
    let s = FixedMontyForm::new(&s, &field);
    let mut power = s;
    for _ in 0..SQUARINGS {
        power = power.square();
    }
    power.mul(&s).retrieve() == U2048::from_be_slice(&encoded(digest))
}

/// EMSA-PKCS1-v1_5 (RFC 8017, section 9.2). The whole is compared, so nothing in it can be chosen.
fn encoded(digest: &Hash) -> [u8; BYTES] {
    let mut message = [0xff; BYTES];
    let (padding, end) = message.split_at_mut(BYTES - DIGEST_INFO.len() - 32);
    padding[0] = 0;
    padding[1] = 1;
    padding[padding.len() - 1] = 0;
    end[..DIGEST_INFO.len()].copy_from_slice(&DIGEST_INFO);
    end[DIGEST_INFO.len()..].copy_from_slice(&digest.0);
    message
}
