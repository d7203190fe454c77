//! A release: what may be installed on which hardware, as a SUIT envelope (draft-ietf-suit-manifest,
//! sections 8.2 to 8.4) in its one form here. The manifest says what the image is; an entry of ours
//! beside it says in which encodings it travels. What is installed is one payload, the image with its
//! configuration and partition layout, under one digest: nothing of it can be exchanged alone.

use minicbor::data::Tag;
use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};
use ww_wire::Hash;

use crate::canonical::{self, Item, Malformed, array, expected, fixed, hash, hashed, list};
use crate::canonical::{map, number, optional, unwrapped, wrapped};
use crate::key::{Suite, Verifier};
use crate::root::Root;
use crate::signatures::{Approved, Distrust, Domain};

/// The longest envelope: one sector of flash.
pub const MAX_RELEASE: usize = 4096;

/// The most encodings: the full one and seven deltas.
pub const MAX_ENCODINGS: usize = 8;

/// The most bytes of a version's text.
pub const MAX_VERSION: usize = 32;

/// Bytes of ciphertext under one digest of the list, and of flash that is erased at a time.
pub const SECTOR_BYTES: u32 = 4096;

/// Whose devices these are: UUID version 5 of the project's address in the name space of URLs
/// (RFC 9562, section 5.5).
pub const VENDOR: [u8; 16] = [
    0xba, 0x42, 0x6a, 0xa0, 0xa8, 0xef, 0x5b, 0x86, 0xa4, 0x19, 0x5e, 0x93, 0x0d, 0x2b, 0x50, 0x7d,
];

const SUIT_ENVELOPE: u64 = 107;

/// Elements of the envelope.
const AUTHENTICATION: i64 = 2;
const MANIFEST: i64 = 3;

/// Elements of the manifest. The last is for private use (below -65536).
const MANIFEST_VERSION: i64 = 1;
const SEQUENCE_NUMBER: i64 = 2;
const COMMON: i64 = 3;
const VALIDATE: i64 = 7;
const ENCODINGS: i64 = -65_537;

/// Elements of what is common.
const COMPONENTS: i64 = 2;
const SHARED_SEQUENCE: i64 = 4;

/// Commands, and parameters of the first of them.
const OVERRIDE_PARAMETERS: i64 = 20;
const VENDOR_IDENTIFIER: i64 = 1;
const CLASS_IDENTIFIER: i64 = 2;
const IMAGE_MATCH: i64 = 3;
const VENDOR_PARAMETER: i64 = 1;
const CLASS_PARAMETER: i64 = 2;
const DIGEST_PARAMETER: i64 = 3;
const SIZE_PARAMETER: i64 = 14;

/// Report of a condition whatever comes of it.
const REPORT_ALWAYS: i64 = 15;

/// SHA-256 among COSE's algorithms (RFC 9054, section 3.1).
const SHA_256: i64 = -16;

/// The one component, an image in a slot.
const COMPONENT: [u8; 1] = [0];

/// Which hardware an image is made for: a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HardwareClass(pub [u8; 16]);

/// How large the parts of the payload are that follow each other in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The image that runs.
    pub image_bytes: u32,
    /// Its configuration; 0 when there is none.
    pub config_bytes: u32,
    /// The layout of the flash that it needs; 0 when it needs no other.
    pub layout_bytes: u32,
}

impl Parts {
    /// All of them; `None` when that is more than a flash has.
    #[must_use]
    pub const fn payload_bytes(&self) -> Option<u32> {
        match self.image_bytes.checked_add(self.config_bytes) {
            Some(bytes) => bytes.checked_add(self.layout_bytes),
            None => None,
        }
    }
}

/// One way in which the payload travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The payload's digest that must be installed before; `None` for the whole.
    pub base: Option<Hash>,
    /// Bytes before encryption: the payload, or the delta.
    pub plain_bytes: u32,
    /// SHA-256 of the ciphertext, under which it is fetched.
    pub object: Hash,
    /// SHA-256 of the list of the digests of its sectors, under which that is fetched.
    pub list: Hash,
    /// The first half of the first counter block, or nothing that matters in CBC.
    pub nonce: [u8; 8],
    /// What the right key gives, so that a wrong one is known before anything is fetched.
    pub key_check: [u8; 16],
}

/// What may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release<'a> {
    /// On which hardware.
    pub class: HardwareClass,
    /// Never below that of what a device has confirmed.
    pub security_counter: u32,
    /// How people call it: 1 to 32 visible ASCII characters.
    pub version: &'a str,
    /// How it is signed and encrypted.
    pub suite: Suite,
    /// SHA-256 of the payload.
    pub payload: Hash,
    /// What the payload has in it.
    pub parts: Parts,
    encodings: [Option<Encoding>; MAX_ENCODINGS],
}

impl<'a> Release<'a> {
    /// A release with these encodings: the whole first, then deltas in the order of what they start
    /// from.
    ///
    /// # Errors
    /// [`Malformed::Expected`] names the rule that is broken.
    pub fn new(
        class: HardwareClass,
        security_counter: u32,
        version: &'a str,
        suite: Suite,
        payload: Hash,
        parts: Parts,
        encodings: &[Encoding],
    ) -> Result<Self, Malformed> {
        if encodings.len() > MAX_ENCODINGS {
            return Err(Malformed::Expected("up to 8 encodings"));
        }
        let mut held = [None; MAX_ENCODINGS];
        for (place, encoding) in held.iter_mut().zip(encodings) {
            *place = Some(*encoding);
        }
        let release = Self {
            class,
            security_counter,
            version,
            suite,
            payload,
            parts,
            encodings: held,
        };
        release.rule().map(|()| release)
    }

    /// The ways in which it travels: the whole first.
    pub fn encodings(&self) -> impl Iterator<Item = &Encoding> {
        self.encodings.iter().map_while(Option::as_ref)
    }

    /// Bytes of an encoding's ciphertext.
    #[must_use]
    pub fn object_bytes(&self, encoding: &Encoding) -> Option<u32> {
        self.suite.encrypted_bytes(encoding.plain_bytes)
    }

    /// The digest by which everything else names this release.
    #[must_use]
    pub fn digest(&self) -> Hash {
        hashed(|out| wrapped(out, &Manifest(*self)))
    }

    fn rule(&self) -> Result<(), Malformed> {
        let payload_bytes = self.parts.payload_bytes();
        let whole = self.encodings().next();
        let is_whole = |encoding: &Encoding| {
            encoding.base.is_none() && Some(encoding.plain_bytes) == payload_bytes
        };
        let bases = || self.encodings().map(|encoding| encoding.base);
        let rules = [
            (
                (1..=MAX_VERSION).contains(&self.version.len())
                    && self.version.bytes().all(|byte| byte.is_ascii_graphic()),
                "a version of 1 to 32 visible ASCII characters",
            ),
            (self.parts.image_bytes > 0, "an image"),
            (
                whole.is_some_and(is_whole),
                "first an encoding of the whole payload",
            ),
            (
                bases().zip(bases().skip(1)).all(|(one, next)| one < next),
                "deltas in the order of their bases, each once",
            ),
            (
                self.encodings()
                    .all(|each| each.plain_bytes > 0 && self.object_bytes(each).is_some()),
                "encodings with something in them",
            ),
            (
                bases().all(|base| base != Some(self.payload)),
                "deltas from other payloads",
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(Malformed::Expected(rule)),
            None => Ok(()),
        }
    }
}

/// A release with the signatures beside it.
#[derive(Clone, Copy, Debug)]
pub struct SignedRelease<'a> {
    approved: Approved<'a>,
    release: Release<'a>,
}

impl<'a> SignedRelease<'a> {
    /// Reads one in its only form.
    ///
    /// # Errors
    /// Any [`Malformed`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        canonical::decode(bytes, MAX_RELEASE)
    }

    /// A release with the signatures beside it; they are over [`signed_content`].
    #[must_use]
    pub const fn new(release: Release<'a>, approved: Approved<'a>) -> Self {
        Self { approved, release }
    }

    /// What it says, whether or not it is trusted.
    #[must_use]
    pub const fn claimed(&self) -> &Release<'a> {
        &self.release
    }

    /// What was signed and by whom, whether or not it holds.
    #[must_use]
    pub const fn approved(&self) -> &Approved<'a> {
        &self.approved
    }

    /// The release, if enough keys of the root have signed it.
    ///
    /// # Errors
    /// [`Distrust::OtherManifest`], [`Distrust::OtherSuite`], and [`Distrust`] of the signatures.
    pub fn trust<V: Verifier>(
        &self,
        root: &Root<'_>,
        verifier: &mut V,
    ) -> Result<Release<'a>, Distrust> {
        if self.approved.content != signed_content(&self.release) {
            return Err(Distrust::OtherManifest);
        }
        if self.release.suite != root.suite {
            return Err(Distrust::OtherSuite);
        }
        self.approved
            .check(Domain::Release, &[&root.release], verifier)?;
        Ok(self.release)
    }
}

/// Bytes of a SUIT_Digest.
const DIGEST_BYTES: usize = 36;

/// What the signers of a release sign: the SUIT_Digest of its manifest, which is over the byte string
/// with its head.
#[must_use]
pub fn signed_content(release: &Release<'_>) -> [u8; DIGEST_BYTES] {
    let mut content = [0; DIGEST_BYTES];
    canonical::encode(&SuitDigest(release.digest()), &mut content)
        .expect("a SUIT_Digest is as long as that");
    content
}

impl<'a> Item<'a> for SignedRelease<'a> {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        let what = "a SUIT envelope";
        if expected(input.tag(), what)? != Tag::new(SUIT_ENVELOPE) {
            return Err(Malformed::Expected(what));
        }
        map(input, 2, what)?;
        number(input, AUTHENTICATION, "the authentication wrapper")?;
        let approved = unwrapped(input, "the authentication wrapper")?;
        number(input, MANIFEST, "the manifest")?;
        let Manifest(release) = unwrapped(input, "the manifest")?;
        Ok(Self { approved, release })
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.tag(Tag::new(SUIT_ENVELOPE))?.map(2)?;
        out.i64(AUTHENTICATION)?;
        wrapped(out, &self.approved)?;
        out.i64(MANIFEST)?;
        wrapped(out, &Manifest(self.release))
    }
}

struct Manifest<'a>(Release<'a>);

impl<'a> Item<'a> for Manifest<'a> {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        map(input, 5, "a manifest of five elements")?;
        number(input, MANIFEST_VERSION, "the manifest's version")?;
        number(input, 1, "version 1 of the manifest")?;
        number(input, SEQUENCE_NUMBER, "the sequence number")?;
        let security_counter = expected(input.u32(), "a security counter")?;
        number(input, COMMON, "what is common")?;
        let Common {
            class,
            payload,
            payload_bytes,
        } = unwrapped(input, "what is common")?;
        number(input, VALIDATE, "how it is validated")?;
        let Validate = unwrapped(input, "how it is validated")?;
        number(input, ENCODINGS, "how it travels")?;
        array(input, 7, "how it travels, in seven fields")?;
        let suite = Suite::numbered(expected(input.u8(), "the number of a suite")?)?;
        let version = expected(input.str(), "a version")?;
        let parts = Parts {
            image_bytes: expected(input.u32(), "the image's size")?,
            config_bytes: expected(input.u32(), "the configuration's size")?,
            layout_bytes: expected(input.u32(), "the layout's size")?,
        };
        if parts.payload_bytes() != Some(payload_bytes) {
            return Err(Malformed::Expected("parts that are the payload together"));
        }
        number(input, SECTOR_BYTES.into(), "sectors of 4096 bytes")?;
        let count = list(input, MAX_ENCODINGS, "up to 8 encodings")?;
        let mut encodings = [None; MAX_ENCODINGS];
        for place in &mut encodings[..count] {
            *place = Some(Encoding::read(input)?);
        }
        let release = Release {
            class,
            security_counter,
            version,
            suite,
            payload,
            parts,
            encodings,
        };
        release.rule().map(|()| Self(release))
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        let release = &self.0;
        let Parts {
            image_bytes,
            config_bytes,
            layout_bytes,
        } = release.parts;
        let common = Common {
            class: release.class,
            payload: release.payload,
            // A release whose parts are more than that cannot be made.
            payload_bytes: release.parts.payload_bytes().unwrap_or(u32::MAX),
        };
        out.map(5)?.i64(MANIFEST_VERSION)?.i64(1)?;
        out.i64(SEQUENCE_NUMBER)?.u32(release.security_counter)?;
        out.i64(COMMON)?;
        wrapped(out, &common)?;
        out.i64(VALIDATE)?;
        wrapped(out, &Validate)?;
        out.i64(ENCODINGS)?.array(7)?;
        out.u8(release.suite.number())?.str(release.version)?;
        out.u32(image_bytes)?.u32(config_bytes)?.u32(layout_bytes)?;
        out.u32(SECTOR_BYTES)?;
        out.array(release.encodings().count() as u64)?;
        for encoding in release.encodings() {
            encoding.write(out)?;
        }
        Ok(())
    }
}

/// What all commands of a manifest have in common: the component and its parameters.
struct Common {
    class: HardwareClass,
    payload: Hash,
    payload_bytes: u32,
}

impl<'a> Item<'a> for Common {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        map(input, 2, "components and a shared sequence")?;
        number(input, COMPONENTS, "the components")?;
        array(input, 1, "one component")?;
        array(input, 1, "a component's identifier")?;
        if *fixed(input, "a component's identifier")? != COMPONENT {
            return Err(Malformed::Expected("component 0"));
        }
        number(input, SHARED_SEQUENCE, "the shared sequence")?;
        let Shared(common) = unwrapped(input, "the shared sequence")?;
        Ok(common)
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        let Self {
            class,
            payload,
            payload_bytes,
        } = *self;
        out.map(2)?.i64(COMPONENTS)?;
        out.array(1)?.array(1)?.bytes(&COMPONENT)?;
        out.i64(SHARED_SEQUENCE)?;
        wrapped(
            out,
            &Shared(Self {
                class,
                payload,
                payload_bytes,
            }),
        )
    }
}

struct Shared(Common);

impl<'a> Item<'a> for Shared {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 6, "three commands")?;
        number(input, OVERRIDE_PARAMETERS, "the parameters")?;
        map(input, 4, "four parameters")?;
        number(input, VENDOR_PARAMETER, "the vendor")?;
        if *fixed(input, "the vendor's UUID")? != VENDOR {
            return Err(Malformed::Expected("this vendor"));
        }
        number(input, CLASS_PARAMETER, "the hardware class")?;
        let class = HardwareClass(*fixed(input, "the UUID of a hardware class")?);
        number(input, DIGEST_PARAMETER, "the image's digest")?;
        let SuitDigest(payload) = unwrapped(input, "the image's digest")?;
        number(input, SIZE_PARAMETER, "the image's size")?;
        let payload_bytes = expected(input.u32(), "the image's size")?;
        for condition in [VENDOR_IDENTIFIER, CLASS_IDENTIFIER] {
            number(input, condition, "conditions of vendor and class")?;
            number(input, REPORT_ALWAYS, "a report of each condition")?;
        }
        Ok(Self(Common {
            class,
            payload,
            payload_bytes,
        }))
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        let Common {
            class,
            payload,
            payload_bytes,
        } = self.0;
        out.array(6)?.i64(OVERRIDE_PARAMETERS)?.map(4)?;
        out.i64(VENDOR_PARAMETER)?.bytes(&VENDOR)?;
        out.i64(CLASS_PARAMETER)?.bytes(&class.0)?;
        out.i64(DIGEST_PARAMETER)?;
        wrapped(out, &SuitDigest(payload))?;
        out.i64(SIZE_PARAMETER)?.u32(payload_bytes)?;
        for condition in [VENDOR_IDENTIFIER, CLASS_IDENTIFIER] {
            out.i64(condition)?.i64(REPORT_ALWAYS)?;
        }
        Ok(())
    }
}

/// The command by which an installed image is validated.
struct Validate;

impl<'a> Item<'a> for Validate {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 2, "one command")?;
        number(input, IMAGE_MATCH, "that the image matches")?;
        number(input, REPORT_ALWAYS, "a report of the condition")?;
        Ok(Self)
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(2)?.i64(IMAGE_MATCH)?.i64(REPORT_ALWAYS)?.ok()
    }
}

struct SuitDigest(Hash);

impl<'a> Item<'a> for SuitDigest {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 2, "a SUIT_Digest")?;
        number(input, SHA_256, "SHA-256")?;
        Ok(Self(hash(input, "a SHA-256")?))
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(2)?.i64(SHA_256)?.bytes(&self.0.0)?.ok()
    }
}

impl<'a> Item<'a> for Encoding {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 6, "an encoding of six fields")?;
        Ok(Self {
            base: optional(input, |input| hash(input, "the digest of a delta's base"))?,
            plain_bytes: expected(input.u32(), "an encoding's size")?,
            object: hash(input, "the digest of a ciphertext")?,
            list: hash(input, "the digest of a list of digests")?,
            nonce: *fixed(input, "a nonce of 8 bytes")?,
            key_check: *fixed(input, "a key check of 16 bytes")?,
        })
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(6)?;
        match &self.base {
            Some(base) => out.bytes(&base.0)?,
            None => out.null()?,
        };
        out.u32(self.plain_bytes)?;
        out.bytes(&self.object.0)?.bytes(&self.list.0)?;
        out.bytes(&self.nonce)?.bytes(&self.key_check)?.ok()
    }
}
