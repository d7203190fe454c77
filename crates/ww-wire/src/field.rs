//! How single fields stand in the bytes: fixed width, big-endian, one form for each value.
//! Rules that tie several fields together belong to the records.

use crate::units::*;
use crate::{Hash, PublicKey, SignerId};

/// Why the bytes of one field are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The mark for "absent" stands where a value must be.
    #[error("must not be absent")]
    Absent,
    /// No meaning is given to this number.
    #[error("{0} has no meaning here")]
    UnknownValue(u64),
    /// Bits are set that have no meaning.
    #[error("bits {0:#06x} have no meaning")]
    UnknownBits(u16),
    /// Text is UTF-8 without control characters, padded with zero bytes only.
    #[error("must be UTF-8 text without control characters, padded at its end with zero bytes")]
    Text,
}

/// A value with one fixed-width form.
pub trait Field: Sized {
    /// Bytes it takes.
    const WIDTH: usize;
    /// Type and unit as the documents name them.
    const SHAPE: &'static str;
    /// Writes itself; `out` has [`Field::WIDTH`] bytes.
    fn put(&self, out: &mut [u8]);
    /// Reads itself; `bytes` has [`Field::WIDTH`] bytes.
    ///
    /// # Errors
    /// Any [`FieldError`] whose rule the bytes break.
    fn take(bytes: &[u8]) -> Result<Self, FieldError>;
}

macro_rules! integer_field {
    ($($integer:ty),*) => {$(
        impl Field for $integer {
            const WIDTH: usize = size_of::<$integer>();
            const SHAPE: &'static str = stringify!($integer);
            fn put(&self, out: &mut [u8]) {
                out.copy_from_slice(&self.to_be_bytes());
            }
            fn take(bytes: &[u8]) -> Result<Self, FieldError> {
                let mut value = [0; size_of::<$integer>()];
                value.copy_from_slice(bytes);
                Ok(<$integer>::from_be_bytes(value))
            }
        }
    )*};
}
integer_field!(u8, u16, u32, u64, i16, i32, i64);

macro_rules! unit_field {
    ($($unit:ident: $shape:literal),* $(,)?) => {$(
        impl Field for $unit {
            const WIDTH: usize = size_of::<<$unit as Unit>::Raw>();
            const SHAPE: &'static str = $shape;
            fn put(&self, out: &mut [u8]) {
                self.raw().put(out);
            }
            fn take(bytes: &[u8]) -> Result<Self, FieldError> {
                Self::from_raw(Field::take(bytes)?).ok_or(FieldError::Absent)
            }
        }
        impl Field for Option<$unit> {
            const WIDTH: usize = <$unit as Field>::WIDTH;
            const SHAPE: &'static str = concat!($shape, " or absent");
            fn put(&self, out: &mut [u8]) {
                self.map_or($unit::ABSENT, Unit::raw).put(out);
            }
            fn take(bytes: &[u8]) -> Result<Self, FieldError> {
                Ok($unit::from_raw(Field::take(bytes)?))
            }
        }
    )*};
}
unit_field! {
    MilliwattHours: "u64 mWh", Milliwatts: "i64 mW", Millivars: "i64 mvar", Millivolts: "u32 mV",
    Milliamperes: "u32 mA", DeciCelsius: "i16 0.1 °C", UtcMillis: "u64 ms UTC",
    UptimeMillis: "u64 ms", Watts: "u32 W", GeoDegrees: "i32 1e-7 °", DeciDegrees: "u16 0.1 °",
    Dbm: "i16 dBm", Bytes: "u32 bytes", Sequence: "u64 sequence", ChainIndex: "u64 chain index",
    BootCounter: "u32 boot counter", CounterEpoch: "u16 epoch",
}

macro_rules! bytes_field {
    ($($name:ident[$width:literal]: $shape:literal),* $(,)?) => {$(
        impl Field for $name {
            const WIDTH: usize = $width;
            const SHAPE: &'static str = $shape;
            fn put(&self, out: &mut [u8]) {
                out.copy_from_slice(&self.0);
            }
            fn take(bytes: &[u8]) -> Result<Self, FieldError> {
                let mut value = [0; $width];
                value.copy_from_slice(bytes);
                Ok(Self(value))
            }
        }
    )*};
}

/// A MAC address, as IEEE 802 prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// An account or contract of an EVM chain; zero means "none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// "None".
    pub const ZERO: Self = Self([0; 20]);
}

/// Room for a signature by another key inside a payload; zero means "none".
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attestation(pub [u8; 64]);

impl Attestation {
    /// "None": what the record says is claimed, not attested.
    pub const NONE: Self = Self([0; 64]);
}

bytes_field! {
    Hash[32]: "SHA-256", SignerId[32]: "SHA-256 of a public key", PublicKey[64]: "X then Y",
    Mac[6]: "6 bytes", Address[20]: "20 bytes", Attestation[64]: "r then s, or zeros",
}

macro_rules! hex_display {
    ($($name:ident $format:literal),*) => {$(
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, $format, byte))
            }
        }
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }
    )*};
}
hex_display!(Mac "{:02X}", Address "{:02x}", Attestation "{:02x}");

/// UTF-8 text of at most `N` bytes, padded with zero bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Text<N> {
    /// No text.
    pub const EMPTY: Self = Self([0; N]);

    /// Takes text; `None` when it is longer than `N` bytes or holds control characters.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.chars().any(char::is_control) {
            return None;
        }
        let mut bytes = [0; N];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        Self::take(&bytes).ok()
    }

    /// The text without its padding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(N);
        core::str::from_utf8(&self.0[..len]).expect("`take` let only UTF-8 in")
    }
}

impl<const N: usize> core::fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const N: usize> Field for Text<N> {
    const WIDTH: usize = N;
    const SHAPE: &'static str = "UTF-8, zero-padded";
    fn put(&self, out: &mut [u8]) {
        out.copy_from_slice(&self.0);
    }
    fn take(bytes: &[u8]) -> Result<Self, FieldError> {
        let len = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len());
        let (text, padding) = bytes.split_at(len);
        let text = core::str::from_utf8(text).map_err(|_| FieldError::Text)?;
        if text.chars().any(char::is_control) || padding.iter().any(|byte| *byte != 0) {
            return Err(FieldError::Text);
        }
        let mut value = [0; N];
        value.copy_from_slice(bytes);
        Ok(Self(value))
    }
}

/// Declares an enumeration that stands in one byte.
macro_rules! byte_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $value:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant = $value),* }

        impl $name {
            /// All values, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }

        impl $crate::field::Field for $name {
            const WIDTH: usize = 1;
            const SHAPE: &'static str = concat!("u8: ", $(stringify!($value), " ", stringify!($variant), "; "),*);
            fn put(&self, out: &mut [u8]) {
                out[0] = *self as u8;
            }
            fn take(bytes: &[u8]) -> Result<Self, $crate::field::FieldError> {
                match bytes[0] {
                    $($value => Ok(Self::$variant),)*
                    other => Err($crate::field::FieldError::UnknownValue(u64::from(other))),
                }
            }
        }
    };
}

/// Declares a set of flags that stands in two bytes.
macro_rules! flag_set {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$flag_doc:meta])* $flag:ident = $bit:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(u16);

        impl $name {
            $($(#[$flag_doc])* pub const $flag: Self = Self(1 << $bit);)*
            /// No flag.
            pub const NONE: Self = Self(0);
            const KNOWN: u16 = 0 $(| 1 << $bit)*;
            /// Every flag with its name.
            pub const NAMES: &'static [(Self, &'static str)] = &[$((Self::$flag, stringify!($flag))),*];

            /// Takes bits; `None` when one has no meaning.
            #[must_use]
            pub const fn from_bits(bits: u16) -> Option<Self> {
                if bits & !Self::KNOWN == 0 { Some(Self(bits)) } else { None }
            }

            /// The bits.
            #[must_use]
            pub const fn bits(self) -> u16 {
                self.0
            }

            /// Whether all of `other` are set.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any of `other` is set.
            #[must_use]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// These and `other`.
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// These without `other`.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_set()
                    .entries(Self::NAMES.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| name))
                    .finish()
            }
        }

        impl $crate::field::Field for $name {
            const WIDTH: usize = 2;
            const SHAPE: &'static str = concat!("u16 bits: ", $(stringify!($bit), " ", stringify!($flag), "; "),*);
            fn put(&self, out: &mut [u8]) {
                self.0.put(out);
            }
            fn take(bytes: &[u8]) -> Result<Self, $crate::field::FieldError> {
                let bits: u16 = $crate::field::Field::take(bytes)?;
                Self::from_bits(bits).ok_or($crate::field::FieldError::UnknownBits(bits & !Self::KNOWN))
            }
        }
    };
}

pub(crate) use {byte_enum, flag_set};
