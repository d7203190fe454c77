//! One object on its way: records with their tags are put together to sectors in a buffer. It writes no
//! flash and knows no keys but the session's.

use ww_release::secret::{RECORD_BYTES, Session, TAG_BYTES};
use ww_wire::Hash;

use crate::flash::SECTOR_BYTES;
use crate::update::slot::Sector;

/// Records of a whole sector.
const RECORDS_IN_SECTOR: u32 = SECTOR_BYTES / RECORD_BYTES as u32;

/// The most records that are asked for at once: 1 MiB.
const MOST_RECORDS: u32 = 1024;

/// A record that was not sent in this session, at its place, for this object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ForeignRecord;

/// What came of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// More bytes are needed.
    More,
    /// A record is in its place in the buffer.
    Record,
    /// The buffer holds a sector: so many bytes of it, and whether it is the last.
    Sector { len: usize, is_last: bool },
}

/// An object on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Download {
    object: Hash,
    bytes: u32,
    sector: u32,
    /// Bytes of the sector that are in the buffer and hold.
    filled: usize,
    /// Bytes of the record that is on its way, its tag before it.
    part: usize,
    tag: [u8; TAG_BYTES],
}

impl Download {
    /// The object from this sector on.
    pub(crate) const fn new(object: Hash, bytes: u32, sector: u32) -> Self {
        Self {
            object,
            bytes,
            sector,
            filled: 0,
            part: 0,
            tag: [0; TAG_BYTES],
        }
    }

    /// The object's digest.
    pub(crate) const fn object(&self) -> Hash {
        self.object
    }

    /// Which sector comes next.
    pub(crate) const fn sector(&self) -> u32 {
        self.sector
    }

    /// How many bytes of the object are here.
    pub(crate) fn done_bytes(&self) -> u32 {
        (self.sector * SECTOR_BYTES + self.filled as u32).min(self.bytes)
    }

    /// The records to ask for: the first, and how many. What was begun of a record is forgotten.
    pub(crate) fn request(&mut self) -> (u32, u32) {
        self.part = 0;
        let from = self.next_record();
        let all = self.bytes.div_ceil(RECORD_BYTES as u32);
        (from, (all - from).min(MOST_RECORDS))
    }

    fn next_record(&self) -> u32 {
        self.sector * RECORDS_IN_SECTOR + (self.filled / RECORD_BYTES) as u32
    }

    /// Takes from the front of `bytes` what belongs to the record that is on its way.
    pub(crate) fn take(
        &mut self,
        bytes: &mut &[u8],
        buffer: &mut Sector,
        session: &Session,
    ) -> Result<Received, ForeignRecord> {
        if self.part < TAG_BYTES {
            let tag = split(bytes, TAG_BYTES - self.part);
            self.tag[self.part..self.part + tag.len()].copy_from_slice(tag);
            self.part += tag.len();
        }
        let len = self.record_bytes();
        let have = self.part.saturating_sub(TAG_BYTES);
        let content = split(bytes, len - have);
        let at = self.filled + have;
        buffer[at..at + content.len()].copy_from_slice(content);
        self.part += content.len();
        if self.part < TAG_BYTES + len {
            return Ok(Received::More);
        }
        self.part = 0;
        let record = &buffer[self.filled..self.filled + len];
        if !session.holds(&self.object, self.next_record(), record, &self.tag) {
            return Err(ForeignRecord);
        }
        self.filled += len;
        let end = self.sector * SECTOR_BYTES + self.filled as u32;
        let is_last = end == self.bytes;
        if !is_last && self.filled < buffer.len() {
            return Ok(Received::Record);
        }
        let len = self.filled;
        Ok(Received::Sector { len, is_last })
    }

    /// The sector in the buffer was taken: the next one begins.
    pub(crate) fn advance(&mut self) {
        self.sector += 1;
        self.filled = 0;
    }

    /// The sector in the buffer is not what was signed: it is fetched again.
    pub(crate) fn discard_sector(&mut self) {
        self.filled = 0;
    }

    fn record_bytes(&self) -> usize {
        let rest = self.bytes - self.sector * SECTOR_BYTES - self.filled as u32;
        (rest as usize).min(RECORD_BYTES)
    }
}

/// Takes up to `most` bytes from the front.
fn split<'a>(bytes: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(bytes.len().min(most));
    *bytes = rest;
    taken
}
