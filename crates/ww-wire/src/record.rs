//! What all records share: a type, a version, a signer, fixed-width fields after them, and one
//! canonical form. The single records are in their own modules.

use crate::field::FieldError;
use crate::{Hash, SignerId};

/// The format version of every record so far.
pub const VERSION: u8 = 1;

/// Bytes before a record's own fields: type, version, signer id.
pub const HEADER_LENGTH: usize = 34;

/// The longest payload of any record.
pub const MAX_PAYLOAD: usize = 320;

/// What a payload is; the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RecordType {
    /// One sample of a single-phase sensor.
    Reading = 0x01,
    /// One sample of a three-phase sensor: the sum, with the phases beside it.
    ThreePhaseReading = 0x02,
    /// Readings of up to ten minutes under one root.
    Window = 0x03,
    /// A start of the meter.
    Boot = 0x04,
    /// What a full queue gave up.
    Gap = 0x05,
    /// What a meter measures, by whose word.
    Enrolment = 0x06,
    /// A meter's name and time zone; changes nothing measured.
    Label = 0x07,
    /// Energy taken back after the fact.
    Correction = 0x08,
    /// A meter's end of trust.
    Revocation = 0x09,
    /// One meter following another at the same place.
    Replacement = 0x0a,
    /// A meter's state of health.
    StatusReport = 0x0b,
    /// The gateway's answer to a meter; not signed.
    Acknowledgement = 0x0c,
    /// How an update of a meter ended.
    UpdateReport = 0x0d,
}

impl RecordType {
    /// All types in the order of their numbers.
    pub const ALL: &'static [Self] = &[
        Self::Reading,
        Self::ThreePhaseReading,
        Self::Window,
        Self::Boot,
        Self::Gap,
        Self::Enrolment,
        Self::Label,
        Self::Correction,
        Self::Revocation,
        Self::Replacement,
        Self::StatusReport,
        Self::Acknowledgement,
        Self::UpdateReport,
    ];

    /// The name, as it stands in the signing domain.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::ThreePhaseReading => "three-phase-reading",
            Self::Window => "window",
            Self::Boot => "boot",
            Self::Gap => "gap",
            Self::Enrolment => "enrolment",
            Self::Label => "label",
            Self::Correction => "correction",
            Self::Revocation => "revocation",
            Self::Replacement => "replacement",
            Self::StatusReport => "status-report",
            Self::Acknowledgement => "acknowledgement",
            Self::UpdateReport => "update-report",
        }
    }

    /// The type that the first byte of `payload` names.
    ///
    /// # Errors
    /// [`DecodeError::Empty`], [`DecodeError::UnknownType`].
    pub fn of(payload: &[u8]) -> Result<Self, DecodeError> {
        let &number = payload.first().ok_or(DecodeError::Empty)?;
        Self::ALL
            .iter()
            .copied()
            .find(|record_type| *record_type as u8 == number)
            .ok_or(DecodeError::UnknownType(number))
    }
}

/// A tie between the fields of a record that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Rule(pub &'static str);

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// There are no bytes.
    #[error("the payload is empty")]
    Empty,
    /// No record has this type number.
    #[error("{0:#04x} is no record type")]
    UnknownType(u8),
    /// Another record was expected.
    #[error("expected a {expected:?}, got a {got:?}")]
    WrongType {
        /// The type asked for.
        expected: RecordType,
        /// The type found.
        got: RecordType,
    },
    /// This version is not known; a newer program may know it.
    #[error("version {0} is not known here")]
    UnknownVersion(u8),
    /// A record has one length only.
    #[error("a {record:?} has {expected} bytes, got {got}")]
    WrongLength {
        /// The record's type.
        record: RecordType,
        /// Its length.
        expected: usize,
        /// The length found.
        got: usize,
    },
    /// A field breaks its own rule.
    #[error("{record:?}.{field} {error}")]
    Field {
        /// The record's type.
        record: RecordType,
        /// The field's name.
        field: &'static str,
        /// The rule.
        error: FieldError,
    },
    /// Fields do not agree with one another.
    #[error("{record:?}: {rule}")]
    Rule {
        /// The record's type.
        record: RecordType,
        /// What does not hold.
        rule: Rule,
    },
}

/// Where a field stands, for documents and for people who look at the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldLayout {
    /// The field's name.
    pub name: &'static str,
    /// Its width in bytes; the fields follow one another without a hole.
    pub width: usize,
    /// Its type and unit.
    pub shape: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// The canonical bytes of one record.
#[derive(Clone, Copy)]
pub struct Payload {
    bytes: [u8; MAX_PAYLOAD],
    len: usize,
}

impl Payload {
    pub(crate) const fn zeroed(len: usize) -> Self {
        assert!(len <= MAX_PAYLOAD);
        Self {
            bytes: [0; MAX_PAYLOAD],
            len,
        }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }

    /// The record's digest: SHA-256 of the payload, without any signature.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash::of(&[self])
    }
}

impl core::ops::Deref for Payload {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl core::fmt::Debug for Payload {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Payload {}

/// A record with one canonical form.
pub trait Record: Sized + Copy + Eq + core::fmt::Debug {
    /// The type byte.
    const TYPE: RecordType;
    /// The length of the payload; always the same.
    const LENGTH: usize;
    /// The fields after type, version and signer id.
    const FIELDS: &'static [FieldLayout];

    /// Whose signature the record carries.
    fn signer(&self) -> SignerId;

    /// Checks the ties between fields.
    ///
    /// # Errors
    /// The first [`Rule`] that does not hold.
    fn check(&self) -> Result<(), Rule>;

    /// The canonical bytes.
    ///
    /// # Errors
    /// The first [`Rule`] that the record breaks: what could not be read back is not written.
    fn encode(&self) -> Result<Payload, Rule>;

    /// Reads the canonical bytes; whatever is accepted encodes to the very same bytes.
    ///
    /// # Errors
    /// Any [`DecodeError`].
    fn decode(payload: &[u8]) -> Result<Self, DecodeError>;
}

/// Checks type, version and length, and gives the signer id and the bytes of the fields.
pub(crate) fn split_header(
    payload: &[u8],
    expected: RecordType,
    length: usize,
) -> Result<(SignerId, &[u8]), DecodeError> {
    let got = RecordType::of(payload)?;
    if got != expected {
        return Err(DecodeError::WrongType { expected, got });
    }
    if let Some(&version) = payload.get(1)
        && version != VERSION
    {
        return Err(DecodeError::UnknownVersion(version));
    }
    if payload.len() != length {
        let (record, got) = (expected, payload.len());
        return Err(DecodeError::WrongLength {
            record,
            expected: length,
            got,
        });
    }
    let (header, fields) = payload.split_at(HEADER_LENGTH);
    let mut signer = [0; 32];
    signer.copy_from_slice(&header[2..]);
    Ok((SignerId(signer), fields))
}

pub(crate) fn put_header(out: &mut [u8], record: RecordType, signer: &SignerId) {
    out[0] = record as u8;
    out[1] = VERSION;
    out[2..HEADER_LENGTH].copy_from_slice(&signer.0);
}

/// Declares a record: the struct, its bytes and its table of fields from one list.
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $name:ident signed by $(#[doc = $signer_doc:literal])* $signer:ident {
            $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            $(#[doc = $signer_doc])*
            pub $signer: $crate::SignerId,
            $($(#[doc = $field_doc])+ pub $field: $type,)*
        }

        impl $name {
            /// Bytes of the fields, without type, version and signer id.
            pub(crate) const FIELDS_LENGTH: usize = 0 $(+ <$type as $crate::field::Field>::WIDTH)*;

            pub(crate) fn put_fields(&self, out: &mut [u8]) {
                let mut at = 0;
                $(
                    let width = <$type as $crate::field::Field>::WIDTH;
                    $crate::field::Field::put(&self.$field, &mut out[at..at + width]);
                    at += width;
                )*
                debug_assert_eq!(at, Self::FIELDS_LENGTH);
            }

            pub(crate) fn take_fields(
                $signer: $crate::SignerId,
                bytes: &[u8],
                record: $crate::record::RecordType,
            ) -> Result<Self, $crate::record::DecodeError> {
                let mut rest = bytes;
                $(
                    let (head, tail) = rest.split_at(<$type as $crate::field::Field>::WIDTH);
                    rest = tail;
                    let $field = <$type as $crate::field::Field>::take(head).map_err(|error| {
                        $crate::record::DecodeError::Field { record, field: stringify!($field), error }
                    })?;
                )*
                debug_assert!(rest.is_empty());
                Ok(Self { $signer, $($field),* })
            }
        }

        impl $crate::record::Record for $name {
            const TYPE: $crate::record::RecordType = $crate::record::RecordType::$name;
            const LENGTH: usize = $crate::record::HEADER_LENGTH + Self::FIELDS_LENGTH;
            const FIELDS: &'static [$crate::record::FieldLayout] = &[$(
                $crate::record::FieldLayout {
                    name: stringify!($field),
                    width: <$type as $crate::field::Field>::WIDTH,
                    shape: <$type as $crate::field::Field>::SHAPE,
                    meaning: concat!($($field_doc),+),
                }
            ),*];

            fn signer(&self) -> $crate::SignerId {
                self.$signer
            }

            fn check(&self) -> Result<(), $crate::record::Rule> {
                self.rules()
            }

            fn encode(&self) -> Result<$crate::record::Payload, $crate::record::Rule> {
                self.rules()?;
                let mut payload = $crate::record::Payload::zeroed(Self::LENGTH);
                let (header, fields) = payload.bytes_mut().split_at_mut($crate::record::HEADER_LENGTH);
                $crate::record::put_header(header, Self::TYPE, &self.$signer);
                self.put_fields(fields);
                Ok(payload)
            }

            fn decode(payload: &[u8]) -> Result<Self, $crate::record::DecodeError> {
                let (signer, fields) = $crate::record::split_header(payload, Self::TYPE, Self::LENGTH)?;
                let record = Self::take_fields(signer, fields, Self::TYPE)?;
                record.rules().map_err(|rule| {
                    $crate::record::DecodeError::Rule { record: Self::TYPE, rule }
                })?;
                Ok(record)
            }
        }
    };
}

/// Fails with the rule's text when the condition does not hold.
macro_rules! require {
    ($condition:expr, $rule:literal) => {
        if !$condition {
            return Err($crate::record::Rule($rule));
        }
    };
}

pub(crate) use {record, require};
