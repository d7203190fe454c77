//! CBOR in its one form here: what is read is written again, and must be the same bytes. So there
//! is one way to say a thing, and none that only the reader understands (RFC 8949, section 4.2.1).

use core::convert::Infallible;

use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};
use sha2::{Digest, Sha256};
use ww_wire::Hash;

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than any of its kind.
    #[error("{got} bytes are more than the {most} that it may have")]
    TooLong {
        /// How many came.
        got: usize,
        /// How many there may be.
        most: usize,
    },
    /// Something else stands where this must.
    #[error("expected {0}")]
    Expected(&'static str),
    /// The same is said in another way than the one in which it must be.
    #[error("not written in the one form that is taken")]
    NotCanonical,
}

/// What has one form.
pub trait Item<'a>: Sized {
    /// Reads it; other forms of the same may pass here.
    ///
    /// # Errors
    /// Any [`Malformed`].
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed>;

    /// Writes the one form.
    ///
    /// # Errors
    /// Those of `out`.
    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>>;
}

/// Reads an item of at most `most` bytes in its one form, and nothing after it.
///
/// # Errors
/// Any [`Malformed`].
pub fn decode<'a, T: Item<'a>>(bytes: &'a [u8], most: usize) -> Result<T, Malformed> {
    if bytes.len() > most {
        let got = bytes.len();
        return Err(Malformed::TooLong { got, most });
    }
    let item = T::read(&mut Decoder::new(bytes))?;
    let mut same = Encoder::new(Same(bytes));
    let written = item.write(&mut same);
    if written.is_err() || !same.into_writer().0.is_empty() {
        return Err(Malformed::NotCanonical);
    }
    Ok(item)
}

/// Writes an item to the beginning of `out`; `None` when there is no room for it.
pub fn encode<'a, 'o, T: Item<'a>>(item: &T, out: &'o mut [u8]) -> Option<&'o [u8]> {
    let mut written = Encoder::new(encode::write::Cursor::new(&mut *out));
    item.write(&mut written).ok()?;
    let len = written.into_writer().position();
    Some(&out[..len])
}

/// How many bytes an item takes.
pub fn length<'a, T: Item<'a>>(item: &T) -> usize {
    let mut counted = Encoder::new(Counted(0));
    item.write(&mut counted)
        .expect("counting never fails, and no item refuses to be written");
    counted.into_writer().0
}

/// SHA-256 of what is written.
pub(crate) fn hashed(
    write: impl FnOnce(&mut Encoder<Hashed>) -> Result<(), encode::Error<Infallible>>,
) -> Hash {
    let mut out = Encoder::new(Hashed(Sha256::new()));
    write(&mut out).expect("hashing never fails, and no item refuses to be written");
    Hash(out.into_writer().0.finalize().into())
}

/// Writes an item as the content of a byte string.
pub(crate) fn wrapped<'a, T: Item<'a>, W: Write>(
    out: &mut Encoder<W>,
    item: &T,
) -> Result<(), encode::Error<W::Error>> {
    out.bytes_len(length(item) as u64)?;
    item.write(out)
}

/// Reads a byte string and the item in it.
pub(crate) fn unwrapped<'a, T: Item<'a>>(
    input: &mut Decoder<'a>,
    what: &'static str,
) -> Result<T, Malformed> {
    T::read(&mut Decoder::new(bytes(input, what)?))
}

/// Reads the head of an array of exactly `len` items.
pub(crate) fn array(
    input: &mut Decoder<'_>,
    len: u64,
    what: &'static str,
) -> Result<(), Malformed> {
    match input.array() {
        Ok(Some(got)) if got == len => Ok(()),
        _ => Err(Malformed::Expected(what)),
    }
}

/// Reads the head of an array of at most `most` items.
pub(crate) fn list(
    input: &mut Decoder<'_>,
    most: usize,
    what: &'static str,
) -> Result<usize, Malformed> {
    match input.array() {
        Ok(Some(got)) if got <= most as u64 => Ok(got as usize),
        _ => Err(Malformed::Expected(what)),
    }
}

/// Reads the head of a map of exactly `len` entries.
pub(crate) fn map(input: &mut Decoder<'_>, len: u64, what: &'static str) -> Result<(), Malformed> {
    match input.map() {
        Ok(Some(got)) if got == len => Ok(()),
        _ => Err(Malformed::Expected(what)),
    }
}

/// Reads the number that must stand here.
pub(crate) fn number(
    input: &mut Decoder<'_>,
    expected: i64,
    what: &'static str,
) -> Result<(), Malformed> {
    match input.i64() {
        Ok(got) if got == expected => Ok(()),
        _ => Err(Malformed::Expected(what)),
    }
}

/// Reads a byte string.
pub(crate) fn bytes<'a>(
    input: &mut Decoder<'a>,
    what: &'static str,
) -> Result<&'a [u8], Malformed> {
    input.bytes().map_err(|_| Malformed::Expected(what))
}

/// Reads a byte string of exactly `N` bytes.
pub(crate) fn fixed<'a, const N: usize>(
    input: &mut Decoder<'a>,
    what: &'static str,
) -> Result<&'a [u8; N], Malformed> {
    bytes(input, what)?
        .try_into()
        .map_err(|_| Malformed::Expected(what))
}

/// Reads a hash.
pub(crate) fn hash(input: &mut Decoder<'_>, what: &'static str) -> Result<Hash, Malformed> {
    fixed(input, what).copied().map(Hash)
}

/// Reads an item that `absent` may stand for: `null`.
pub(crate) fn optional<'a, T>(
    input: &mut Decoder<'a>,
    read: impl FnOnce(&mut Decoder<'a>) -> Result<T, Malformed>,
) -> Result<Option<T>, Malformed> {
    match input.datatype() {
        Ok(minicbor::data::Type::Null) => input
            .null()
            .map(|()| None)
            .map_err(|_| Malformed::Expected("null")),
        _ => read(input).map(Some),
    }
}

/// A reader's answer, or what should have stood there.
pub(crate) fn expected<T>(
    read: Result<T, minicbor::decode::Error>,
    what: &'static str,
) -> Result<T, Malformed> {
    read.map_err(|_| Malformed::Expected(what))
}

/// Takes only what stands next in the bytes.
struct Same<'a>(&'a [u8]);

impl Write for Same<'_> {
    type Error = Malformed;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        self.0 = self.0.strip_prefix(bytes).ok_or(Malformed::NotCanonical)?;
        Ok(())
    }
}

struct Counted(usize);

impl Write for Counted {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0 += bytes.len();
        Ok(())
    }
}

/// Hashes what is written.
pub(crate) struct Hashed(Sha256);

impl Write for Hashed {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.update(bytes);
        Ok(())
    }
}
