//! How ids and digests stand in what is stored: as hexadecimal text. It reads what this crate wrote and
//! lower case only.

use core::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserializer, Serializer};
use ww_wire::{Hash, MeterId, SignerId};

/// A value of `N` bytes.
pub(crate) trait Bytes<const N: usize>: Sized {
    fn bytes(&self) -> &[u8; N];
    fn from_bytes(bytes: [u8; N]) -> Self;
}

impl Bytes<32> for Hash {
    fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
    fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl Bytes<32> for MeterId {
    fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
    fn from_bytes(bytes: [u8; 32]) -> Self {
        SignerId(bytes)
    }
}

impl Bytes<16> for [u8; 16] {
    fn bytes(&self) -> &[u8; 16] {
        self
    }
    fn from_bytes(bytes: [u8; 16]) -> Self {
        bytes
    }
}

fn written<const N: usize>(bytes: &[u8; N]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

struct Digits<const N: usize>;

impl<const N: usize> Visitor<'_> for Digits<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hexadecimal digits in lower case", 2 * N)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<[u8; N], E> {
        read(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

pub(crate) fn serialize<const N: usize, T: Bytes<N>, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&written(value.bytes()))
}

pub(crate) fn deserialize<'de, const N: usize, T: Bytes<N>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(Digits).map(T::from_bytes)
}

/// A list of meters.
pub(crate) mod list {
    use super::*;

    struct Meters;

    impl<'de> Visitor<'de> for Meters {
        type Value = Vec<MeterId>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of meter ids")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<MeterId>, A::Error> {
            let mut meters = Vec::new();
            while let Some(Id(meter)) = list.next_element()? {
                meters.push(meter);
            }
            Ok(meters)
        }
    }

    #[derive(serde::Deserialize, serde::Serialize)]
    struct Id(#[serde(with = "super")] MeterId);

    pub(crate) fn serialize<S: Serializer>(
        meters: &[MeterId],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(meters.len()))?;
        for meter in meters {
            list.serialize_element(&Id(*meter))?;
        }
        list.end()
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<MeterId>, D::Error> {
        deserializer.deserialize_seq(Meters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_they_were_written_and_nothing_else_is() {
        assert_eq!(written(&[0x0a, 0xf9]), "0af9");
        assert_eq!(read("0af9"), Some([0x0a, 0xf9]));
        for other in ["0AF9", "0af", "0af9a", "0af9aa", "0ag9", "", "+af9"] {
            assert_eq!(read::<2>(other), None, "{other}");
        }
    }
}
