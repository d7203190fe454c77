//! What several people sign apart: the content and, beside it, a detached COSE_Sign1 of each of them
//! (RFC 9052, section 4.2), in the shape of SUIT's authentication wrapper. A signature counts once,
//! for a key of a role, in one domain.

use minicbor::data::Tag;
use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};
use ww_wire::{Hash, SignerId};

use crate::canonical::{Item, Malformed, array, bytes, expected, fixed, hashed, list, map, number};
use crate::canonical::{unwrapped, wrapped};
use crate::key::{Algorithm, Verifier};
use crate::root::Role;

/// The most signatures beside one content: every key of two roles.
pub const MAX_SIGNATURES: usize = 16;

/// COSE_Sign1 (RFC 9052, section 4.2).
const COSE_SIGN1: u64 = 18;

/// Header parameters `alg` and `kid` (RFC 9052, section 3.1).
const ALGORITHM: i64 = 1;
const KEY_ID: i64 = 4;

/// What a signature means: every one is made for exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Who may sign what.
    Root,
    /// What may be installed.
    Release,
    /// What devices are to do now.
    Assignment,
}

impl Domain {
    /// The `external_aad`.
    #[must_use]
    pub const fn context(self) -> &'static str {
        match self {
            Self::Root => "wattwitness/v1/firmware-root",
            Self::Release => "wattwitness/v1/firmware-release",
            Self::Assignment => "wattwitness/v1/firmware-assignment",
        }
    }
}

/// A signature of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    header: Header,
    /// Its bytes.
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// A signature by the key with this id; `None` when the algorithm has none of that length.
    #[must_use]
    pub const fn new(signer: SignerId, algorithm: Algorithm, signature: &'a [u8]) -> Option<Self> {
        if signature.len() != algorithm.signature_bytes() {
            return None;
        }
        let header = Header { algorithm, signer };
        Some(Self { header, signature })
    }

    /// Who signed.
    #[must_use]
    pub const fn signer(&self) -> SignerId {
        self.header.signer
    }
}

/// SHA-256 of what a key signs: the Sig_structure of RFC 9052, section 4.4,
/// `["Signature1", protected, external_aad, payload]`.
#[must_use]
pub fn digest(domain: Domain, algorithm: Algorithm, signer: SignerId, content: &[u8]) -> Hash {
    hashed(|out| {
        out.array(4)?.str("Signature1")?;
        wrapped(out, &Header { algorithm, signer })?;
        out.bytes(domain.context().as_bytes())?.bytes(content)?.ok()
    })
}

/// Content and who signed it, each once, in the order of their ids.
#[derive(Clone, Copy, Debug)]
pub struct Approved<'a> {
    /// What was signed.
    pub content: &'a [u8],
    signatures: [Option<Signed<'a>>; MAX_SIGNATURES],
}

/// Why metadata is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// A signature that its signer did not make over this.
    #[error("the signature of {0} does not hold")]
    BadSignature(SignerId),
    /// A signature by a key that has no say in this.
    #[error("{0} has no say in this")]
    Stranger(SignerId),
    /// Too few of a role have signed.
    #[error("{valid} of the {threshold} signatures that it takes are there")]
    TooFew {
        /// How many hold.
        valid: u8,
        /// How many it takes.
        threshold: u8,
    },
    /// A root that does not follow the trusted one at once.
    #[error("root {number} does not follow root {trusted}")]
    OutOfOrder {
        /// The one that came.
        number: u32,
        /// The one that is trusted.
        trusted: u32,
    },
    /// A release of the other suite.
    #[error("the release is not of the root's suite")]
    OtherSuite,
    /// The signed digest is that of another manifest.
    #[error("what was signed is another manifest")]
    OtherManifest,
    /// An assignment for another device.
    #[error("the assignment is for another device")]
    OtherDevice,
    /// An assignment that does not answer this question.
    #[error("the assignment answers another question")]
    NotFresh,
    /// An assignment that was made under another root than the one it is held against.
    #[error("the assignment is of root {assigned}, not of root {trusted}")]
    OtherRoot {
        /// The one that it names.
        assigned: u32,
        /// The one that is trusted.
        trusted: u32,
    },
    /// An assignment that is not in the batch that was signed.
    #[error("the assignment is not in the batch that was signed")]
    NotInBatch,
}

impl<'a> Approved<'a> {
    /// Content that nobody has signed yet.
    #[must_use]
    pub const fn new(content: &'a [u8]) -> Self {
        Self {
            content,
            signatures: [None; MAX_SIGNATURES],
        }
    }

    /// With one more signature, in its place; a signer's new one replaces the old. `None` when there
    /// are as many as there can be.
    #[must_use]
    pub fn with(mut self, added: Signed<'a>) -> Option<Self> {
        let place = self
            .signatures()
            .position(|signed| signed.signer() >= added.signer())
            .unwrap_or(self.signatures().count());
        match self.signatures.get(place)? {
            Some(known) if known.signer() == added.signer() => {}
            _ if self.signatures[MAX_SIGNATURES - 1].is_some() => return None,
            _ => self.signatures[place..].rotate_right(1),
        }
        self.signatures[place] = Some(added);
        Some(self)
    }

    /// The signatures in the order of their signers.
    pub fn signatures(&self) -> impl Iterator<Item = &Signed<'a>> {
        self.signatures.iter().map_while(Option::as_ref)
    }

    /// Holds every signature against the keys of these roles. All of them must hold, each by a key of
    /// at least one role, and each role's threshold must be reached.
    ///
    /// # Errors
    /// [`Distrust::Stranger`], [`Distrust::BadSignature`], [`Distrust::TooFew`].
    pub fn check<V: Verifier>(
        &self,
        domain: Domain,
        roles: &[&Role<'_>],
        verifier: &mut V,
    ) -> Result<(), Distrust> {
        for signed in self.signatures() {
            let Header { algorithm, signer } = signed.header;
            let key = roles.iter().find_map(|role| role.key(signer));
            let key = key.ok_or(Distrust::Stranger(signer))?;
            let digest = digest(domain, algorithm, signer, self.content);
            if key.algorithm() != algorithm || !key.signed(&digest, signed.signature, verifier) {
                return Err(Distrust::BadSignature(signer));
            }
        }
        for role in roles {
            let by_role = |signed: &&Signed<'_>| role.key(signed.signer()).is_some();
            let valid = self.signatures().filter(by_role).count() as u8;
            let threshold = role.threshold();
            if valid < threshold {
                return Err(Distrust::TooFew { valid, threshold });
            }
        }
        Ok(())
    }
}

impl<'a> Item<'a> for Approved<'a> {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        let what = "content and up to 16 signatures";
        let items = list(input, 1 + MAX_SIGNATURES, what)?;
        let count = items.checked_sub(1).ok_or(Malformed::Expected(what))?;
        let mut approved = Self::new(bytes(input, "the content that was signed")?);
        for place in 0..count {
            let signed: Signed<'a> = unwrapped(input, "a signature")?;
            let last = place
                .checked_sub(1)
                .and_then(|last| approved.signatures[last]);
            if last.is_some_and(|last| last.signer() >= signed.signer()) {
                return Err(Malformed::Expected("signers in ascending order, each once"));
            }
            approved.signatures[place] = Some(signed);
        }
        Ok(approved)
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(1 + self.signatures().count() as u64)?
            .bytes(self.content)?;
        for signed in self.signatures() {
            wrapped(out, signed)?;
        }
        Ok(())
    }
}

impl<'a> Item<'a> for Signed<'a> {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        let what = "a COSE_Sign1 without its payload";
        if expected(input.tag(), what)? != Tag::new(COSE_SIGN1) {
            return Err(Malformed::Expected(what));
        }
        array(input, 4, what)?;
        let header: Header = unwrapped(input, "a protected header")?;
        map(input, 0, "an empty unprotected header")?;
        expected(input.null(), "no payload")?;
        let signature = bytes(input, "a signature's bytes")?;
        Self::new(header.signer, header.algorithm, signature).ok_or(Malformed::Expected(
            "a signature as long as its algorithm's are",
        ))
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.tag(Tag::new(COSE_SIGN1))?.array(4)?;
        wrapped(out, &self.header)?;
        out.map(0)?.null()?.bytes(self.signature)?.ok()
    }
}

/// The protected header of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    algorithm: Algorithm,
    signer: SignerId,
}

impl<'a> Item<'a> for Header {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        map(input, 2, "a header of two entries")?;
        number(input, ALGORITHM, "the algorithm")?;
        let algorithm = expected(input.i64(), "the number of an algorithm")?;
        let algorithm =
            Algorithm::numbered(algorithm).ok_or(Malformed::Expected("ES256 or RS256"))?;
        number(input, KEY_ID, "the key's id")?;
        let signer = SignerId(*fixed(input, "the SHA-256 of a key")?);
        Ok(Self { algorithm, signer })
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.map(2)?.i64(ALGORITHM)?.i64(self.algorithm.number())?;
        out.i64(KEY_ID)?.bytes(&self.signer.0)?.ok()
    }
}
