//! A release as one file: the envelope with as many signatures as there are so far, and beside it each
//! encoding's ciphertext, list and key. What is read here fits together; who signed it, the envelope
//! says, and whether devices take it, [`ReleaseFile::acceptable`]. For those who make releases and those
//! who keep them, not for devices.

use std::io;
use std::vec::Vec;

use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};
use ww_wire::Hash;
use zeroize::Zeroizing;

use crate::canonical::{self, Item, Malformed, array, bytes, fixed, list, number};
use crate::cipher::{ContentKey, SectorCipher};
use crate::fleet::FleetKey;
use crate::key::{Suite, Verifier};
use crate::release::{
    Encoding, HardwareClass, MAX_ENCODINGS, Parts, Release, SECTOR_BYTES, SignedRelease,
    signed_content,
};
use crate::root::Root;
use crate::sealed::SealedObject;
use crate::secret::WRAPPED_BYTES;
use crate::signatures::{Approved, Distrust, Signed};

/// The longest release file: 64 MiB.
pub const MAX_FILE: usize = 64 << 20;

/// Version of the file's format.
const FORMAT: i64 = 1;

/// What a release file has for one encoding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FileObject<'a> {
    /// The ciphertext, one for the whole fleet.
    pub ciphertext: &'a [u8],
    /// SHA-256 of each sector of it, one after the other.
    pub list: &'a [u8],
    /// Its key, wrapped under the fleet's: see [`FleetKey::wrap`].
    pub key: [u8; WRAPPED_BYTES],
}

impl core::fmt::Debug for FileObject<'_> {
    /// How long it is.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FileObject")
            .field("ciphertext_bytes", &self.ciphertext.len())
            .field("list_bytes", &self.list.len())
            .finish_non_exhaustive()
    }
}

/// Why bytes are no release file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file around the envelope.
    #[error("the file is no release file: {0}")]
    File(Malformed),
    /// The envelope in it.
    #[error("the file's envelope is no release: {0}")]
    Envelope(Malformed),
    /// What was signed is not this release.
    #[error("what was signed is another manifest")]
    OtherManifest,
    /// Not one object for each encoding.
    #[error("{got} objects are there for {encodings} encodings")]
    Objects {
        /// How many are there.
        got: usize,
        /// How many there must be.
        encodings: usize,
    },
    /// A ciphertext that is not as long as its encoding says.
    #[error("object {object} has {got} bytes instead of {stated}")]
    ObjectSize {
        /// Which object.
        object: Hash,
        /// Its bytes.
        got: usize,
        /// Its bytes by the release.
        stated: u32,
    },
    /// A ciphertext with another digest than its encoding says.
    #[error("object {0} is not what the release says: its digest is another")]
    ObjectDigest(Hash),
    /// A list of digests that is not as long as its object has sectors.
    #[error("the list of object {object} has {got} bytes instead of {stated}")]
    ListSize {
        /// Which object.
        object: Hash,
        /// The list's bytes.
        got: usize,
        /// 32 for each sector.
        stated: usize,
    },
    /// A list with another digest than its encoding says.
    #[error("the list of object {0} is not what the release says: its digest is another")]
    ListDigest(Hash),
    /// A list that says of a sector what it is not.
    #[error("the list of object {object} does not fit its sector {sector}")]
    Sector {
        /// Which object.
        object: Hash,
        /// Which of its sectors, from 0.
        sector: usize,
    },
    /// A key that serves two objects.
    #[error("object {0} has the key of another: no key may serve twice")]
    ReusedKey(Hash),
}

/// Why an object of a release file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// The release has no such encoding.
    #[error("the release has no encoding {0}")]
    NoEncoding(usize),
    /// The key in the file was wrapped by another fleet, for another object, or is not the one that the
    /// release says.
    #[error("the key of object {0} was not wrapped under this fleet key")]
    WrongKey(Hash),
    /// What comes out is not what the release says.
    #[error("object {0} holds something else than the release says")]
    OtherContent(Hash),
}

/// Why devices would not take a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// Those who must sign have not, or others have.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// It is made for other hardware.
    #[error("the release is for another hardware class")]
    OtherClass,
    /// Its security counter is below what devices have confirmed.
    #[error(
        "the release's security counter is {got}; devices are at {confirmed} and never go back"
    )]
    Counter {
        /// The release's.
        got: u32,
        /// The devices'.
        confirmed: u32,
    },
    /// What is in it cannot be read.
    #[error(transparent)]
    Unopened(#[from] Unopened),
}

/// What is known of the devices that are to take a release; what is not known is not checked.
#[derive(Clone, Copy, Default)]
pub struct Field<'a> {
    /// Their hardware.
    pub class: Option<HardwareClass>,
    /// The highest security counter that one of them has confirmed.
    pub confirmed_counter: u32,
    /// Their fleet's key, with which the objects are read.
    pub fleet: Option<&'a FleetKey>,
}

/// A release file whose parts fit together.
#[derive(Clone, Debug)]
pub struct ReleaseFile<'a> {
    envelope: &'a [u8],
    signed: SignedRelease<'a>,
    objects: Vec<FileObject<'a>>,
}

impl<'a> ReleaseFile<'a> {
    /// Reads one in its only form.
    ///
    /// # Errors
    /// Any [`FileError`].
    pub fn decode(file: &'a [u8]) -> Result<Self, FileError> {
        let Contents { envelope, objects } =
            canonical::decode(file, MAX_FILE).map_err(FileError::File)?;
        Self::new(envelope, objects)
    }

    /// A file of this envelope and one object for each encoding, in their order.
    ///
    /// # Errors
    /// Any [`FileError`].
    pub fn new(envelope: &'a [u8], objects: Vec<FileObject<'a>>) -> Result<Self, FileError> {
        let signed = SignedRelease::decode(envelope).map_err(FileError::Envelope)?;
        let release = signed.claimed();
        if signed.approved().content != signed_content(release) {
            return Err(FileError::OtherManifest);
        }
        let encodings = release.encodings().count();
        let got = objects.len();
        if got != encodings {
            return Err(FileError::Objects { got, encodings });
        }
        for (place, (encoding, object)) in release.encodings().zip(&objects).enumerate() {
            fits(release, encoding, object)?;
            let mut earlier = release.encodings().take(place);
            if earlier.any(|other| other.key_check == encoding.key_check) {
                return Err(FileError::ReusedKey(encoding.object));
            }
        }
        let file = Self {
            envelope,
            signed,
            objects,
        };
        let got = canonical::length(&file.contents());
        if got > MAX_FILE {
            let most = MAX_FILE;
            return Err(FileError::File(Malformed::TooLong { got, most }));
        }
        Ok(file)
    }

    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encoded(&self.contents())
    }

    /// The envelope's bytes: a [`SignedRelease`].
    #[must_use]
    pub const fn envelope(&self) -> &'a [u8] {
        self.envelope
    }

    /// The envelope.
    #[must_use]
    pub const fn signed(&self) -> &SignedRelease<'a> {
        &self.signed
    }

    /// What it says, whether or not it is trusted.
    #[must_use]
    pub const fn release(&self) -> &Release<'a> {
        self.signed.claimed()
    }

    /// Each encoding with what the file has for it.
    pub fn objects(&self) -> impl Iterator<Item = (&Encoding, &FileObject<'a>)> {
        self.release().encodings().zip(&self.objects)
    }

    /// The file with one more signature, as bytes; a signer's new one replaces the old. `None` when there
    /// is no room for it.
    #[must_use]
    pub fn with(&self, added: Signed<'a>) -> Option<Vec<u8>> {
        let approved = self.signed.approved().with(added)?;
        let envelope = encoded(&SignedRelease::new(*self.release(), approved));
        SignedRelease::decode(&envelope).ok()?;
        Some(encoded(&Contents {
            envelope: &envelope,
            objects: self.objects.clone(),
        }))
    }

    /// The content key of the `place`th encoding.
    ///
    /// # Errors
    /// [`Unopened::NoEncoding`], [`Unopened::WrongKey`].
    pub fn key(&self, place: usize, fleet: &FleetKey) -> Result<ContentKey, Unopened> {
        let (encoding, object) = self.at(place)?;
        fleet
            .unwrap(&encoding.object, &object.key)
            .filter(|key| key.check() == encoding.key_check)
            .ok_or(Unopened::WrongKey(encoding.object))
    }

    /// What the `place`th encoding is before encryption: 0 is the payload, and its digest is checked;
    /// the others are deltas.
    ///
    /// # Errors
    /// Any [`Unopened`].
    pub fn open(&self, place: usize, fleet: &FleetKey) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let key = self.key(place, fleet)?;
        let (encoding, object) = self.at(place)?;
        let release = self.release();
        let other = Unopened::OtherContent(encoding.object);
        let cipher = SectorCipher::new(release.suite, &key, encoding.nonce);
        let mut plain = Zeroizing::new(object.ciphertext.to_vec());
        let last = plain.len().div_ceil(SECTOR_BYTES as usize) - 1;
        let mut content = 0;
        for (number, sector) in plain.chunks_mut(SECTOR_BYTES as usize).enumerate() {
            content += cipher
                .decrypt(number as u32, number == last, sector)
                .map_err(|_| other)?;
        }
        if content != encoding.plain_bytes as usize {
            return Err(other);
        }
        plain.truncate(content);
        if encoding.base.is_none() && Hash::of(&[&plain]) != release.payload {
            return Err(other);
        }
        Ok(plain)
    }

    /// The release, if devices that trust this root would take it: enough of its keys have signed, it is
    /// made for their hardware, its counter does not fall behind theirs, and, with the fleet's key, each
    /// object's key is the one that the release says and the whole is the payload.
    ///
    /// # Errors
    /// Any [`Unacceptable`].
    pub fn acceptable<V: Verifier>(
        &self,
        root: &Root<'_>,
        field: &Field<'_>,
        verifier: &mut V,
    ) -> Result<Release<'a>, Unacceptable> {
        let release = self.signed.trust(root, verifier)?;
        if field.class.is_some_and(|class| class != release.class) {
            return Err(Unacceptable::OtherClass);
        }
        let (got, confirmed) = (release.security_counter, field.confirmed_counter);
        if got < confirmed {
            return Err(Unacceptable::Counter { got, confirmed });
        }
        if let Some(fleet) = field.fleet {
            for place in 0..self.objects.len() {
                self.open(place, fleet)?;
            }
        }
        Ok(release)
    }

    fn at(&self, place: usize) -> Result<(&Encoding, &FileObject<'a>), Unopened> {
        self.objects().nth(place).ok_or(Unopened::NoEncoding(place))
    }

    fn contents(&self) -> Contents<'a> {
        Contents {
            envelope: self.envelope,
            objects: self.objects.clone(),
        }
    }
}

/// Whether a ciphertext and its list are what an encoding says.
fn fits(
    release: &Release<'_>,
    encoding: &Encoding,
    held: &FileObject<'_>,
) -> Result<(), FileError> {
    let object = encoding.object;
    let stated = release
        .object_bytes(encoding)
        .expect("a release whose encodings are too long cannot be made");
    let got = held.ciphertext.len();
    if got != stated as usize {
        return Err(FileError::ObjectSize {
            object,
            got,
            stated,
        });
    }
    let sectors = held.ciphertext.chunks(SECTOR_BYTES as usize);
    let (got, stated) = (held.list.len(), 32 * sectors.len());
    if got != stated {
        return Err(FileError::ListSize {
            object,
            got,
            stated,
        });
    }
    if Hash::of(&[held.ciphertext]) != object {
        return Err(FileError::ObjectDigest(object));
    }
    if Hash::of(&[held.list]) != encoding.list {
        return Err(FileError::ListDigest(object));
    }
    let digests = held.list.chunks_exact(32);
    match sectors
        .zip(digests)
        .position(|(sector, digest)| Hash::of(&[sector]).0 != *digest)
    {
        Some(sector) => Err(FileError::Sector { object, sector }),
        None => Ok(()),
    }
}

/// A delta on its way into a release.
#[derive(Clone, Copy)]
pub struct Delta<'a> {
    /// The payload from which it starts.
    pub base: Hash,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What a release is made of.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// For which hardware.
    pub class: HardwareClass,
    /// Never below that of what a device has confirmed.
    pub security_counter: u32,
    /// How people call it: 1 to 32 visible ASCII characters.
    pub version: &'a str,
    /// How it is signed and encrypted.
    pub suite: Suite,
    /// The image that runs.
    pub image: &'a [u8],
    /// Its configuration, if it has one.
    pub config: &'a [u8],
    /// The layout of the flash that it needs, if another.
    pub layout: &'a [u8],
    /// The deltas in any order: up to seven, each from another payload.
    pub deltas: &'a [Delta<'a>],
}

/// Why no release file can be made of a draft.
#[derive(Debug, thiserror::Error)]
pub enum Unmade {
    /// The release would break a rule.
    #[error("the release cannot be made: {0}")]
    Release(Malformed),
    /// The file would not be one.
    #[error(transparent)]
    File(FileError),
    /// There is no randomness for keys.
    #[error("there is no randomness for the keys")]
    Entropy(#[source] io::Error),
}

impl Draft<'_> {
    /// The payload: image, configuration and layout, one after the other.
    #[must_use]
    pub fn payload(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([self.image, self.config, self.layout].concat())
    }

    /// The release file that nobody has signed yet, as bytes. Every object gets a key and a nonce of its
    /// own from `entropy`, which fills bytes that nobody can foresee.
    ///
    /// # Errors
    /// Any [`Unmade`].
    pub fn seal(
        &self,
        fleet: &FleetKey,
        mut entropy: impl FnMut(&mut [u8]) -> io::Result<()>,
    ) -> Result<Vec<u8>, Unmade> {
        let refused = |rule| Unmade::Release(Malformed::Expected(rule));
        if self.deltas.len() >= MAX_ENCODINGS {
            return Err(refused("up to 7 deltas"));
        }
        let size = |part: &[u8]| u32::try_from(part.len());
        let parts = match [self.image, self.config, self.layout].map(size) {
            [Ok(image_bytes), Ok(config_bytes), Ok(layout_bytes)] => Parts {
                image_bytes,
                config_bytes,
                layout_bytes,
            },
            _ => return Err(refused("parts of less than 4 GiB")),
        };
        let payload = self.payload();
        let mut deltas = self.deltas.to_vec();
        deltas.sort_by_key(|delta| delta.base);
        let whole = (None, &payload[..]);
        let rest = deltas.iter().map(|delta| (Some(delta.base), delta.bytes));
        let mut sealed = Vec::new();
        let mut keys = Vec::new();
        for (base, plain) in core::iter::once(whole).chain(rest) {
            let (key, nonce) = fresh(&mut entropy).map_err(Unmade::Entropy)?;
            let object = SealedObject::new(self.suite, &key, nonce, base, plain)
                .ok_or_else(|| refused("encodings with something in them"))?;
            keys.push(fleet.wrap(&object.encoding.object, &key));
            sealed.push(object);
        }
        let encodings: Vec<_> = sealed.iter().map(|object| object.encoding).collect();
        let release = Release::new(
            self.class,
            self.security_counter,
            self.version,
            self.suite,
            Hash::of(&[&payload]),
            parts,
            &encodings,
        )
        .map_err(Unmade::Release)?;
        let content = signed_content(&release);
        let envelope = encoded(&SignedRelease::new(release, Approved::new(&content)));
        let objects = sealed.iter().zip(keys).map(|(object, key)| FileObject {
            ciphertext: &object.ciphertext,
            list: &object.list,
            key,
        });
        ReleaseFile::new(&envelope, objects.collect())
            .map(|file| file.to_bytes())
            .map_err(Unmade::File)
    }
}

/// A key and a nonce that have served nothing.
fn fresh(
    entropy: &mut impl FnMut(&mut [u8]) -> io::Result<()>,
) -> io::Result<(ContentKey, [u8; 8])> {
    let mut key = Zeroizing::new([0; 32]);
    let mut nonce = [0; 8];
    entropy(&mut *key)?;
    entropy(&mut nonce)?;
    Ok((ContentKey::new(*key), nonce))
}

fn encoded<'a, T: Item<'a>>(item: &T) -> Vec<u8> {
    let mut bytes = std::vec![0; canonical::length(item)];
    canonical::encode(item, &mut bytes).expect("there is as much room as it takes");
    bytes
}

/// What stands in a file, whether or not it fits together.
struct Contents<'a> {
    envelope: &'a [u8],
    objects: Vec<FileObject<'a>>,
}

impl<'a> Item<'a> for Contents<'a> {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 3, "a release file of three fields")?;
        number(input, FORMAT, "format 1 of a release file")?;
        let envelope = bytes(input, "an envelope")?;
        let what = "one to eight objects";
        let count = list(input, MAX_ENCODINGS, what)?;
        let objects: Vec<_> = (0..count)
            .map(|_| FileObject::read(input))
            .collect::<Result<_, _>>()?;
        match objects.is_empty() {
            true => Err(Malformed::Expected(what)),
            false => Ok(Self { envelope, objects }),
        }
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(3)?.i64(FORMAT)?.bytes(self.envelope)?;
        out.array(self.objects.len() as u64)?;
        for object in &self.objects {
            object.write(out)?;
        }
        Ok(())
    }
}

impl<'a> Item<'a> for FileObject<'a> {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 3, "an object of three fields")?;
        Ok(Self {
            ciphertext: bytes(input, "a ciphertext")?,
            list: bytes(input, "a list of digests")?,
            key: *fixed(input, "a wrapped key of 40 bytes")?,
        })
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(3)?.bytes(self.ciphertext)?;
        out.bytes(self.list)?.bytes(&self.key)?.ok()
    }
}
