//! What goes wrong inside the SQLite backend, before it is known what was attempted.

use ww_wire::{DecodeError, Rule, SignatureError};

use crate::varint::Unreadable;
use crate::{Refusal, StoreError};

pub(super) type Result<T> = core::result::Result<T, Failure>;

#[derive(Debug)]
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Damaged(String),
    Refused(Refusal),
}

impl Failure {
    pub(super) fn attempting(self, attempt: &'static str) -> StoreError {
        match self {
            Self::Sql(source) => StoreError::Database {
                attempt,
                source: Box::new(source),
            },
            Self::Damaged(what) => StoreError::Damaged {
                what: format!("{what} (found while it should {attempt})"),
            },
            Self::Refused(refusal) => StoreError::Refused(refusal),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

macro_rules! damaged_by {
    ($($error:ty: $what:literal),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Damaged(format!(concat!($what, ": {}"), error))
            }
        }
    )*};
}
damaged_by! {
    Unreadable: "a stored value",
    DecodeError: "a stored record",
    Rule: "a stored record",
    SignatureError: "a stored signature",
    ww_wire::packed::PackError: "stored readings",
    crate::chunk::ChunkError: "a stored chunk",
}
