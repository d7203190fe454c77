//! The numbers by which the API names things. Signed records never hold them.

use ww_wire::Sequence;

/// An installation as the API counts them, from 1; one meter each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstallationId(pub u32);

impl core::fmt::Display for InstallationId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// A reading as the API counts them: the installation times 2^29 plus the sequence number. It
/// needs no table, and for the first 2^24 installations a JavaScript number holds it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadingId(pub u64);

impl ReadingId {
    const SEQUENCE_BITS: u32 = 29;

    /// The largest sequence number that the API can name: 170 years of a reading every 10 s.
    pub const MAX_SEQUENCE: u64 = (1 << Self::SEQUENCE_BITS) - 1;

    /// The id; `None` when the sequence number is above [`ReadingId::MAX_SEQUENCE`].
    #[must_use]
    pub const fn new(installation: InstallationId, sequence: Sequence) -> Option<Self> {
        if sequence.get() > Self::MAX_SEQUENCE {
            return None;
        }
        Some(Self(
            ((installation.0 as u64) << Self::SEQUENCE_BITS) | sequence.get(),
        ))
    }

    /// The installation; `None` when the number is no id of a reading.
    #[must_use]
    pub fn installation(self) -> Option<InstallationId> {
        u32::try_from(self.0 >> Self::SEQUENCE_BITS)
            .ok()
            .map(InstallationId)
    }

    /// The sequence number.
    #[must_use]
    pub fn sequence(self) -> Sequence {
        Sequence::new(self.0 & Self::MAX_SEQUENCE).expect("29 bits are below the mark for absent")
    }
}

impl core::fmt::Display for ReadingId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an event in the store's one order of events, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u64);

impl core::fmt::Display for EventId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// An API key as the API counts them, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

impl core::fmt::Display for KeyId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_id_gives_back_what_it_was_made_of() {
        let sequence = Sequence::new(ReadingId::MAX_SEQUENCE).unwrap();
        let id = ReadingId::new(InstallationId(7), sequence).unwrap();
        assert_eq!(id.installation(), Some(InstallationId(7)));
        assert_eq!(id.sequence(), sequence);
    }

    #[test]
    fn a_sequence_number_that_would_run_into_the_next_installation_has_no_id() {
        let sequence = Sequence::new(ReadingId::MAX_SEQUENCE + 1).unwrap();
        assert_eq!(ReadingId::new(InstallationId(1), sequence), None);
    }
}
