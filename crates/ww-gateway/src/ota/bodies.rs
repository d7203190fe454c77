//! Bodies of answers that are read from the store while they are sent, piece by piece: whoever takes them
//! slowly holds one piece and nothing else.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use ww_api::ProblemKind;
use ww_release::secret::{RECORD_BYTES, Session, TAG_BYTES};
use ww_wire::Hash;

use crate::error::{Failure, Result};
use crate::state::{Gateway, Shared};

/// The most records of one answer.
pub(crate) const MAX_RECORDS: u64 = 1_024;

/// Bytes of a piece: whole records.
const PIECE_BYTES: u64 = 64 << 10;

const RECORD: u64 = RECORD_BYTES as u64;

/// Records of an object that are asked for and are there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Records {
    object: Hash,
    /// The first byte.
    start: u64,
    /// The byte behind the last.
    end: u64,
}

impl Records {
    /// Up to `count` records of an object with so many bytes, from this one on.
    ///
    /// # Errors
    /// `past-the-end`.
    pub(crate) fn new(object: Hash, bytes: u64, from: u64, count: u64) -> Result<Self> {
        let start = from.checked_mul(RECORD).filter(|start| *start < bytes);
        let Some(start) = start else {
            let records = bytes.div_ceil(RECORD);
            let detail = format!("the object has {records} records");
            return Err(Failure::new(ProblemKind::PastTheEnd, detail).field("from"));
        };
        let end = bytes.min(start + count * RECORD);
        Ok(Self { object, start, end })
    }

    /// Bytes of the answer: the records and their tags.
    pub(crate) const fn body_bytes(&self) -> u64 {
        let bytes = self.end - self.start;
        bytes + bytes.div_ceil(RECORD) * TAG_BYTES as u64
    }
}

/// Records, each behind its tag in the session.
pub(crate) fn tagged(gateway: Gateway, session: Session, records: Records) -> Body {
    let pieces = stream::unfold(
        (gateway, session, records),
        |(gateway, session, mut records)| async move {
            let piece = next_piece(&gateway, &records.object, records.start, records.end).await?;
            // The number of a record of an object of at most 4 GiB.
            let first = (records.start / RECORD) as u32;
            let mut tagged = Vec::with_capacity(piece.len() + piece.len() / 64);
            for (number, record) in (first..).zip(piece.chunks(RECORD_BYTES)) {
                tagged.extend_from_slice(&session.tag(&records.object, number, record));
                tagged.extend_from_slice(record);
            }
            records.start += piece.len() as u64;
            let tagged = Ok::<_, Infallible>(Bytes::from(tagged));
            Some((tagged, (gateway, session, records)))
        },
    );
    Body::from_stream(pieces)
}

/// Bytes of an object as they are.
pub(crate) fn plain(gateway: Gateway, object: Hash, start: u64, end: u64) -> Body {
    let pieces = stream::unfold((gateway, start), move |(gateway, start)| async move {
        let piece = next_piece(&gateway, &object, start, end).await?;
        let next = start + piece.len() as u64;
        Some((Ok::<_, Infallible>(Bytes::from(piece)), (gateway, next)))
    });
    Body::from_stream(pieces)
}

/// The next bytes of an object; none at the end. Where the store fails, the answer breaks off before the
/// length that it has stated.
async fn next_piece(gateway: &Shared, object: &Hash, start: u64, end: u64) -> Option<Vec<u8>> {
    let most = (end - start).min(PIECE_BYTES);
    if most == 0 {
        return None;
    }
    let range = gateway.store.firmware_object(*object, start, most as usize);
    match range.await {
        Ok(Some(range)) if range.content.len() as u64 == most => Some(range.content),
        Ok(_) => {
            tracing::error!(%object, "an object is not there as it was published");
            None
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "an object could not be read on"
            );
            None
        }
    }
}

/// One range of bytes (RFC 9110, section 14.1.2) as a start and the byte behind the end. `None` for what
/// is to be ignored: other units, several ranges, what cannot be read. An error when it begins past the
/// end.
pub(crate) fn range(text: &str, bytes: u64) -> Option<Result<(u64, u64), ()>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", last) => {
            let suffix: u64 = last.parse().ok()?;
            (
                bytes.saturating_sub(suffix),
                if suffix == 0 { 0 } else { bytes },
            )
        }
        (first, "") => (first.parse().ok()?, bytes),
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            if last < first {
                return None;
            }
            (first, last.saturating_add(1).min(bytes))
        }
    };
    Some(if start < end {
        Ok((start, end))
    } else {
        Err(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_rfc_9110() {
        for (text, range_of_ten) in [
            ("bytes=0-3", Some(Ok((0, 4)))),
            ("bytes=4-", Some(Ok((4, 10)))),
            ("bytes=-3", Some(Ok((7, 10)))),
            ("bytes=-30", Some(Ok((0, 10)))),
            ("bytes=8-99", Some(Ok((8, 10)))),
            ("bytes=10-", Some(Err(()))),
            ("bytes=-0", Some(Err(()))),
            ("bytes=3-2", None),
            ("bytes=0-1,4-5", None),
            ("lines=0-1", None),
            ("bytes=a-b", None),
        ] {
            assert_eq!(range(text, 10), range_of_ten, "{text}");
        }
    }

    #[test]
    fn records_end_with_the_object() {
        let records = |from, count| Records::new(Hash::ZERO, 2_500, from, count);
        assert_eq!(records(0, 2).unwrap().body_bytes(), 2 * 1_032);
        assert_eq!(records(2, 9).unwrap().body_bytes(), 8 + 452);
        for from in [3, u64::MAX] {
            assert_eq!(records(from, 1).unwrap_err().kind, ProblemKind::PastTheEnd);
        }
    }
}
