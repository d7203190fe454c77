//! COSE_Sign1 (RFC 9052, section 4.2) in its one form here: tagged, ES256, empty unprotected
//! header, domain in `external_aad`. Reading refuses every other way to write the same.

use crate::record::{MAX_PAYLOAD, RecordType};
use crate::{Hash, Signature, SignatureError};

/// CBOR of the protected header `{1: -7}`: the algorithm is ES256 (RFC 9053, section 2.1).
pub const PROTECTED_HEADER: [u8; 3] = [0xa1, 0x01, 0x26];

/// The most bytes before the payload in a Sig_structure.
const MAX_PREFIX: usize = 72;

/// The longest COSE_Sign1 of any record.
pub const MAX_SIGN1: usize = MAX_PAYLOAD + 76;

/// What a signature means: every one is made for exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// The signer's own record of this type.
    Record(RecordType),
    /// A meter's consent to the Enrolment in the payload.
    EnrolmentAcceptance,
}

impl Domain {
    /// The `external_aad`, as `wattwitness/v1/` and this name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Record(record_type) => record_type.name(),
            Self::EnrolmentAcceptance => "enrolment-acceptance",
        }
    }
}

/// The bytes that are signed: the Sig_structure of RFC 9052, section 4.4,
/// `["Signature1", protected, external_aad, payload]`.
#[derive(Clone)]
pub struct ToBeSigned {
    bytes: [u8; MAX_PREFIX + MAX_PAYLOAD],
    len: usize,
}

impl ToBeSigned {
    /// The Sig_structure over `payload`; `None` when it is longer than any record.
    #[must_use]
    pub fn new(domain: Domain, payload: &[u8]) -> Option<Self> {
        if payload.len() > MAX_PAYLOAD {
            return None;
        }
        let mut out = Writer {
            bytes: [0; MAX_PREFIX + MAX_PAYLOAD],
            len: 0,
        };
        out.put(&[0x84, 0x6a]);
        out.put(b"Signature1");
        out.put_byte_string(&[&PROTECTED_HEADER]);
        out.put_byte_string(&[b"wattwitness/v1/", domain.name().as_bytes()]);
        out.put_byte_string(&[payload]);
        Some(Self {
            bytes: out.bytes,
            len: out.len,
        })
    }

    /// The bytes, for signers and verifiers that hash by themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Their SHA-256, for those that sign a digest.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash::of(&[self.as_bytes()])
    }
}

/// A payload with its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign1<'a> {
    /// The record's canonical bytes.
    pub payload: &'a [u8],
    /// The signature over them in the record's domain.
    pub signature: Signature,
}

/// Why bytes are not the one form of COSE_Sign1, or not a sequence of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoseError {
    /// The bytes end inside an item.
    #[error("the bytes end inside an item")]
    Truncated,
    /// Something else stands where this must.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A length is not written in its shortest form (RFC 8949, section 4.2.1).
    #[error("a length is not in its shortest form")]
    NotCanonical,
    /// The payload is longer than any record.
    #[error("a payload of {0} bytes is longer than any record")]
    PayloadTooLong(usize),
    /// The signature's numbers are not acceptable.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Bytes follow where the item should have been all.
    #[error("{0} bytes follow the item")]
    Trailing(usize),
}

/// The canonical bytes of one COSE_Sign1.
#[derive(Clone, Copy)]
pub struct Sign1Bytes {
    bytes: [u8; MAX_SIGN1],
    len: usize,
}

impl core::ops::Deref for Sign1Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl<'a> Sign1<'a> {
    /// Writes the one form; `None` when the payload is longer than any record.
    #[must_use]
    pub fn encode(&self) -> Option<Sign1Bytes> {
        if self.payload.len() > MAX_PAYLOAD {
            return None;
        }
        let mut out = Writer {
            bytes: [0; MAX_SIGN1],
            len: 0,
        };
        out.put(&[0xd2, 0x84]);
        out.put_byte_string(&[&PROTECTED_HEADER]);
        out.put(&[0xa0]);
        out.put_byte_string(&[self.payload]);
        out.put_byte_string(&[self.signature.bytes()]);
        Some(Sign1Bytes {
            bytes: out.bytes,
            len: out.len,
        })
    }

    /// Reads one COSE_Sign1 and nothing after it.
    ///
    /// # Errors
    /// Any [`CoseError`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, CoseError> {
        let mut reader = Reader { rest: bytes };
        let sign1 = reader.sign1()?;
        if reader.rest.is_empty() {
            Ok(sign1)
        } else {
            Err(CoseError::Trailing(reader.rest.len()))
        }
    }

    /// The Sig_structure that the signature must be over.
    #[must_use]
    pub fn to_be_signed(&self, domain: Domain) -> Option<ToBeSigned> {
        ToBeSigned::new(domain, self.payload)
    }
}

/// One item of an `application/cose` body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A signed record.
    Sign1(Sign1<'a>),
    /// The packed readings of the Window before it.
    Readings(&'a [u8]),
}

/// Reads a CBOR sequence (RFC 8742) of COSE_Sign1, each Window perhaps followed by a byte string
/// with its packed readings.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    reader: Reader<'a>,
}

impl<'a> Items<'a> {
    /// Reads `body` from its start.
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self {
            reader: Reader { rest: body },
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, CoseError>;

    /// The next item; after an error there is none.
    fn next(&mut self) -> Option<Self::Item> {
        let &first = self.reader.rest.first()?;
        let item = if first >> 5 == 2 {
            self.reader.byte_string("a byte string").map(Item::Readings)
        } else {
            self.reader.sign1().map(Item::Sign1)
        };
        if item.is_err() {
            self.reader.rest = &[];
        }
        Some(item)
    }
}

/// The head of a CBOR byte string of `len` bytes, in shortest form, and how long the head is:
/// what goes before packed readings in a body.
#[must_use]
pub fn byte_string_head(len: u32) -> ([u8; 5], usize) {
    let [a, b, c, d] = len.to_be_bytes();
    match len {
        0..24 => ([0x40 | d, 0, 0, 0, 0], 1),
        24..0x100 => ([0x58, d, 0, 0, 0], 2),
        0x100..0x1_0000 => ([0x59, c, d, 0, 0], 3),
        _ => ([0x5a, a, b, c, d], 5),
    }
}

struct Writer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Writer<N> {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn put_byte_string(&mut self, parts: &[&[u8]]) {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let (head, head_len) = byte_string_head(len as u32);
        self.put(&head[..head_len]);
        parts.iter().for_each(|part| self.put(part));
    }
}

#[derive(Clone, Copy, Debug)]
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], CoseError> {
        let (head, tail) = self
            .rest
            .split_at_checked(len)
            .ok_or(CoseError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    fn expect(&mut self, bytes: &[u8], what: &'static str) -> Result<(), CoseError> {
        if self.take(bytes.len())? == bytes {
            Ok(())
        } else {
            Err(CoseError::Expected(what))
        }
    }

    fn byte_string(&mut self, what: &'static str) -> Result<&'a [u8], CoseError> {
        let head = self.take(1)?[0];
        let (len, shortest) = match head {
            0x40..=0x57 => (usize::from(head & 0x1f), 0),
            0x58 => (self.length(1)?, 24),
            0x59 => (self.length(2)?, 0x100),
            0x5a => (self.length(4)?, 0x1_0000),
            _ => return Err(CoseError::Expected(what)),
        };
        if len < shortest {
            return Err(CoseError::NotCanonical);
        }
        self.take(len)
    }

    fn length(&mut self, width: usize) -> Result<usize, CoseError> {
        Ok(self
            .take(width)?
            .iter()
            .fold(0, |len, byte| len << 8 | usize::from(*byte)))
    }

    fn sign1(&mut self) -> Result<Sign1<'a>, CoseError> {
        self.expect(
            &[0xd2, 0x84],
            "a tagged COSE_Sign1 (tag 18) of four elements",
        )?;
        let protected = self.byte_string("a protected header")?;
        if protected != PROTECTED_HEADER {
            return Err(CoseError::Expected("the protected header {1: -7} (ES256)"));
        }
        self.expect(&[0xa0], "an empty unprotected header")?;
        let payload = self.byte_string("a payload")?;
        if payload.len() > MAX_PAYLOAD {
            return Err(CoseError::PayloadTooLong(payload.len()));
        }
        let signature = self.byte_string("a signature")?;
        let signature: [u8; 64] = signature
            .try_into()
            .map_err(|_| CoseError::Expected("a signature of 64 bytes, r then s"))?;
        Ok(Sign1 {
            payload,
            signature: Signature::from_low_s(signature)?,
        })
    }
}
