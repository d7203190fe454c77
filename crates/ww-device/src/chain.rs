//! The meter's chain: it numbers and stores readings, seals them into signed windows, and writes
//! the Boot and Gap records. It decides what is signed and when; the queue keeps it.
//!
//! A window holds the readings of one cell of the UTC grid, `[k · 600 s, (k + 1) · 600 s)`: a
//! reading at exactly hh:m0:00.000 belongs to the new window. It is closed when
//!
//! - a reading of another cell comes, earlier or later (a clock that steps back closes it too),
//! - [`Chain::tick`] says that its cell is over,
//! - time becomes known or unknown,
//! - it holds 600 readings, or 60 while time is unknown,
//! - the enrolment changes, the meter stops, or the flash needs its sector.
//!
//! Sealing reads the readings back from the flash and forms the tree over what is there, the same
//! way in operation and after a reboot: what a window proves is what a mount would find. So a
//! signer that fails for a while delays windows and loses none.

use embedded_storage::nor_flash::NorFlash;
use ww_wire::chain::{MAX_WINDOW_READINGS, WINDOW_MS};
use ww_wire::{
    AnyReading, Attestation, Boot, BootCounter, ChainIndex, ChainRecord, Domain, Enrolment, Gap,
    Hash, MeterId, MilliwattHours, Payload, Reading, RecordType, ResetReason, Rule, Sequence,
    Signature, ToBeSigned, UtcMillis, Window, WindowFlags, merkle,
};

use crate::flash::FlashFailure;
use crate::now::Now;
use crate::queue::{Batch, BatchError, BatchLimit, Loss, Need, PushError, Queue, Recovered};
use crate::signer::{SignError, Signer};

/// Readings of a window while time is unknown: ten minutes of the 10-second grid.
const SLOTS_WITHOUT_TIME: u32 = 60;

/// How often room is made before one record, should the flash fail meanwhile.
const MAX_TRIES: u32 = 8;

/// The one who writes the chain. A few words of memory; everything durable is in the queue.
#[derive(Clone, Debug)]
pub struct Chain {
    meter: MeterId,
    boot: BootCounter,
    open: Option<OpenWindow>,
}

/// The window that takes the next reading.
#[derive(Clone, Copy, Debug)]
struct OpenWindow {
    /// Its cell of the UTC grid, while time is known.
    cell: Option<u64>,
    count: u32,
    /// It should be sealed already, but could not be.
    overdue: bool,
}

/// What a start of the meter says about itself in its Boot record.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// When.
    pub now: Now,
    /// Digest of the running firmware.
    pub firmware: Hash,
    /// Its version: major, minor, patch.
    pub version: (u16, u16, u16),
    /// Its security counter.
    pub security_counter: u32,
    /// Why the meter started.
    pub reset_reason: ResetReason,
}

/// A reading that is durable on the flash.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// The reading, with its number and boot.
    pub reading: AnyReading,
    /// Its canonical bytes.
    pub payload: Payload,
}

/// Why the chain did not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The signer holds another key than the queue's meter.
    #[error("the signer's key is that of meter {signer}, the queue is that of meter {queue}")]
    ForeignSigner {
        /// The signer's meter id.
        signer: MeterId,
        /// The queue's meter id.
        queue: MeterId,
    },
    /// Nothing was signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Nothing was stored.
    #[error(transparent)]
    Push(#[from] PushError),
    /// Reading the flash failed.
    #[error(transparent)]
    Flash(#[from] FlashFailure),
    /// A record would break a rule of its own.
    #[error("the record is not valid: {0}")]
    Rule(#[from] Rule),
    /// The upload batch could not be made.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A counter is at its end: the meter must be replaced.
    #[error("the boot counter is at its end")]
    CounterExhausted,
}

impl Chain {
    /// Begins a new boot: signs a Gap for records at the end of the chain that cannot be read, seals
    /// what the last boot left unsealed, under its boot counter and
    /// flagged recovered, then writes the Boot record. Nothing may be sent before this returns.
    /// After an error it may be called again.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub fn start<F: NorFlash>(
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        recovered: &Recovered,
        start: &Start,
    ) -> Result<(Self, Boot), ChainError> {
        let meter = queue.meter();
        let signer_id = signer.public_key().id();
        if signer_id != meter {
            return Err(ChainError::ForeignSigner {
                signer: signer_id,
                queue: meter,
            });
        }
        let boot = queue
            .chain_facts()
            .boot
            .checked_add(1)
            .and_then(BootCounter::new)
            .ok_or(ChainError::CounterExhausted)?;
        let mut chain = Self {
            meter,
            boot,
            open: None,
        };
        let time = start.now.time();
        if let Some(loss) = queue.lost_tail()? {
            chain.append_gap(queue, signer, time, &loss)?;
        }
        chain.seal(queue, signer, time, WindowFlags::NONE)?;
        let first_new = queue.next_sequence();
        let last_recovered = recovered.last_reading.map(|reading| reading.sum().sequence);
        let record = chain.append(queue, signer, time, |chain_index, previous| {
            ChainRecord::Boot(Boot {
                meter,
                chain_index,
                previous,
                boot,
                time,
                uptime: start.now.uptime(),
                time_quality: start.now.quality(),
                firmware: start.firmware,
                version_major: start.version.0,
                version_minor: start.version.1,
                version_patch: start.version.2,
                security_counter: start.security_counter,
                reset_reason: start.reset_reason,
                last_recovered,
                first_new,
                attestation: Attestation::NONE,
            })
        })?;
        match record {
            ChainRecord::Boot(record) => Ok((chain, record)),
            _ => unreachable!("the record that was appended is the one that was built"),
        }
    }

    /// The counter of this boot.
    #[must_use]
    pub const fn boot(&self) -> BootCounter {
        self.boot
    }

    /// Numbers a reading and makes it durable; seals the open window first if the reading is not of
    /// it. Meter, boot and sequence of the draft are overwritten. From here on it may be signed.
    ///
    /// # Errors
    /// Any [`ChainError`]; then the reading is not stored.
    pub fn record<F: NorFlash>(
        &mut self,
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        draft: AnyReading,
    ) -> Result<Recorded, ChainError> {
        let time = draft.sum().time;
        let cell = cell(time);
        if self.open.is_some_and(|open| !open.takes(cell)) {
            self.seal_or_remember(queue, signer, time)?;
        }
        let reading = self.store(queue, signer, draft)?;
        let open = self.open.get_or_insert(OpenWindow {
            cell,
            count: 0,
            overdue: false,
        });
        open.cell = cell;
        open.count += 1;
        let payload = reading.encode()?;
        Ok(Recorded { reading, payload })
    }

    /// Seals the open window when its ten minutes are over; to be called at least once a slot.
    ///
    /// # Errors
    /// Any [`ChainError`]; the next call tries again.
    pub fn tick<F: NorFlash>(
        &mut self,
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        now: Now,
    ) -> Result<(), ChainError> {
        let over = self.open.is_some_and(|open| {
            open.overdue || (now.time().is_some() && !open.takes(cell(now.time())))
        });
        if over {
            self.seal(queue, signer, now.time(), WindowFlags::NONE)?;
        }
        Ok(())
    }

    /// Seals what is open because the meter stops.
    ///
    /// # Errors
    /// Any [`ChainError`]; what is not sealed now is sealed at the next start.
    pub fn stop<F: NorFlash>(
        &mut self,
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        now: Now,
    ) -> Result<(), ChainError> {
        self.seal(queue, signer, now.time(), WindowFlags::ORDERLY_STOP)
    }

    /// Puts an Enrolment in force, from the next reading on: the readings before are sealed under
    /// the old one.
    ///
    /// # Errors
    /// Any [`ChainError`]; then the old one stays in force.
    pub fn enrol<F: NorFlash>(
        &mut self,
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        enrolment: &Enrolment,
        operator_signature: &Signature,
        now: Now,
    ) -> Result<(), ChainError> {
        self.seal(queue, signer, now.time(), WindowFlags::NONE)?;
        queue.set_enrolment(enrolment, operator_signature)?;
        Ok(())
    }

    /// Writes an upload batch into `buffer`, see [`Queue::next_batch`]; a Gap is signed first for
    /// records and readings that the flash does not give back.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub fn next_batch<F: NorFlash>(
        &mut self,
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        from: ChainIndex,
        limit: BatchLimit,
        now: Now,
        buffer: &mut [u8],
    ) -> Result<Batch, ChainError> {
        let mut tries = 0;
        loop {
            match queue.next_batch(from, limit, buffer) {
                Err(BatchError::Unreadable(loss) | BatchError::Missing(loss))
                    if tries < MAX_TRIES =>
                {
                    tries += 1;
                    self.append_gap(queue, signer, now.time(), &loss)?;
                }
                other => return Ok(other?),
            }
        }
    }

    /// Makes the reading durable, whatever room has to be made for it.
    fn store<F: NorFlash>(
        &mut self,
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        draft: AnyReading,
    ) -> Result<AnyReading, ChainError> {
        let time = draft.sum().time;
        let mut tries = 0;
        loop {
            let sum = Reading {
                meter: self.meter,
                boot: self.boot,
                sequence: queue.next_sequence(),
                ..*draft.sum()
            };
            let reading = AnyReading::new(sum, draft.phases().copied());
            let error = match queue.push_reading(&reading) {
                Ok(()) => return Ok(reading),
                Err(error) => error,
            };
            tries += 1;
            match error {
                PushError::Blocked(_) if tries > MAX_TRIES => return Err(error.into()),
                PushError::Blocked(Need::Seal) => {
                    self.seal(queue, signer, time, WindowFlags::NONE)?;
                }
                PushError::Blocked(Need::Gap(loss)) => {
                    self.append_gap(queue, signer, time, &loss)?;
                }
                _ => return Err(error.into()),
            }
        }
    }

    /// Seals the open window; what fails for another reason than the flash's state being unknown
    /// must not cost the next reading, and is tried again.
    fn seal_or_remember<F: NorFlash>(
        &mut self,
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        time: Option<UtcMillis>,
    ) -> Result<(), ChainError> {
        match self.seal(queue, signer, time, WindowFlags::NONE) {
            Err(error @ ChainError::Push(PushError::Doubtful(_))) => Err(error),
            Err(_) => {
                if let Some(open) = &mut self.open {
                    open.overdue = true;
                }
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Seals all readings on the flash that are in no window yet, cell by cell. `flags` are those of
    /// a window of this boot that is closed before its time.
    fn seal<F: NorFlash>(
        &mut self,
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        time: Option<UtcMillis>,
        flags: WindowFlags,
    ) -> Result<(), ChainError> {
        while let Some(group) = Group::gather(queue)? {
            let facts = queue.chain_facts();
            let checkpoint = queue.checkpoint();
            let enrolment = queue.enrolment_digest();
            let flags = if group.boot != self.boot {
                WindowFlags::RECOVERED
            } else if group.takes_more(time) {
                flags
            } else {
                WindowFlags::NONE
            };
            let meter = self.meter;
            self.append(queue, signer, time, |chain_index, previous| {
                ChainRecord::Window(Window {
                    meter,
                    chain_index,
                    previous,
                    boot: group.boot,
                    first_sequence: group.first_sequence,
                    last_sequence: group.last_sequence,
                    count: group.tree.size(),
                    first_time: group.first_time,
                    last_time: group.last_time,
                    produced_open: facts.sealed_close,
                    produced_close: group.produced,
                    root: group.tree.root(),
                    enrolment,
                    firmware: facts.firmware,
                    log_size: checkpoint.size,
                    log_root: checkpoint.root,
                    flags,
                })
            })?;
        }
        self.open = None;
        Ok(())
    }

    fn append_gap<F: NorFlash>(
        &mut self,
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        time: Option<UtcMillis>,
        loss: &Loss,
    ) -> Result<(), ChainError> {
        self.append(queue, signer, time, |chain_index, previous| {
            self.gap(time, loss, chain_index, previous)
        })?;
        Ok(())
    }

    fn gap(
        &self,
        time: Option<UtcMillis>,
        loss: &Loss,
        chain_index: ChainIndex,
        previous: Hash,
    ) -> ChainRecord {
        ChainRecord::Gap(Gap {
            meter: self.meter,
            chain_index,
            previous,
            boot: self.boot,
            time,
            kind: loss.kind,
            first_index: loss.first_index,
            last_index: loss.last_index,
            first_sequence: loss.first_sequence,
            last_sequence: loss.last_sequence,
            produced_open: loss.produced_open,
            produced_close: loss.produced_close,
            last_digest: loss.last_digest,
        })
    }

    /// Appends the record that `build` makes for the next place of the chain, after the Gap that
    /// the queue may ask for first.
    fn append<F: NorFlash>(
        &self,
        queue: &mut Queue<F>,
        signer: &mut impl Signer,
        time: Option<UtcMillis>,
        build: impl Fn(ChainIndex, Hash) -> ChainRecord,
    ) -> Result<ChainRecord, ChainError> {
        let mut tries = 0;
        let mut blocked = None;
        loop {
            let record = match blocked {
                None => build(queue.next_index(), queue.previous()),
                Some(loss) => self.gap(time, &loss, queue.next_index(), queue.previous()),
            };
            let pushed = match (queue.prepare_record(), blocked) {
                (Ok(()), _) | (Err(PushError::Blocked(_)), Some(_)) => {
                    let payload = record.encode()?;
                    let signature = sign(signer, record.record_type(), &payload)?;
                    queue.push_chain(&record, &signature)
                }
                (Err(error), _) => Err(error),
            };
            match pushed {
                Ok(()) if blocked.is_none() => return Ok(record),
                Ok(()) => blocked = None,
                Err(PushError::Blocked(Need::Gap(loss))) if tries < MAX_TRIES => {
                    tries += 1;
                    blocked = Some(loss);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl OpenWindow {
    fn takes(&self, cell: Option<u64>) -> bool {
        !self.overdue && self.cell == cell && self.count < most_readings(cell)
    }
}

/// The cell of the UTC grid that a time lies in.
fn cell(time: Option<UtcMillis>) -> Option<u64> {
    time.map(|time| time.get() / WINDOW_MS)
}

const fn most_readings(cell: Option<u64>) -> u32 {
    match cell {
        Some(_) => MAX_WINDOW_READINGS,
        None => SLOTS_WITHOUT_TIME,
    }
}

fn sign(
    signer: &mut impl Signer,
    record_type: RecordType,
    payload: &Payload,
) -> Result<Signature, SignError> {
    let message = ToBeSigned::new(Domain::Record(record_type), payload)
        .expect("a payload is no longer than the longest record");
    signer.sign(&message)
}

/// Unsealed readings that go into one window.
struct Group {
    boot: BootCounter,
    cell: Option<u64>,
    record_type: RecordType,
    first_sequence: Sequence,
    last_sequence: Sequence,
    first_time: Option<UtcMillis>,
    last_time: Option<UtcMillis>,
    produced: MilliwattHours,
    tree: WindowTree,
}

impl Group {
    /// Reads the next group from the flash; `None` when everything is sealed.
    fn gather<F: NorFlash>(queue: &mut Queue<F>) -> Result<Option<Self>, ChainError> {
        if !queue.has_unsealed() {
            return Ok(None);
        }
        let mut cursor = queue.readings_after(queue.chain_facts().sealed_sequence)?;
        let mut group: Option<Self> = None;
        while let Some(reading) = queue.next_reading(&mut cursor)? {
            // A reading that a newer firmware's rules refuse must not hold up the chain for ever:
            // it is a hole, which the windows around it show.
            let Ok(leaf) = reading.leaf_hash() else {
                continue;
            };
            let group = match &mut group {
                None => group.insert(Self::new(&reading)),
                Some(group) if group.takes(&reading) => group,
                Some(_) => break,
            };
            let sum = reading.sum();
            group.last_sequence = sum.sequence;
            group.last_time = sum.time;
            group.produced = sum.produced;
            group.tree.push(leaf);
        }
        Ok(group)
    }

    fn new(first: &AnyReading) -> Self {
        let sum = first.sum();
        Self {
            boot: sum.boot,
            cell: cell(sum.time),
            record_type: first.record_type(),
            first_sequence: sum.sequence,
            last_sequence: sum.sequence,
            first_time: sum.time,
            last_time: sum.time,
            produced: sum.produced,
            tree: WindowTree::new(),
        }
    }

    /// Whether a reading at this time would still have gone in: the window is closed before its
    /// time.
    fn takes_more(&self, time: Option<UtcMillis>) -> bool {
        cell(time) == self.cell && self.tree.size() < most_readings(self.cell)
    }

    fn takes(&self, reading: &AnyReading) -> bool {
        let sum = reading.sum();
        sum.boot == self.boot
            && self.last_sequence.next() == Some(sum.sequence)
            && cell(sum.time) == self.cell
            && reading.record_type() == self.record_type
            && self.tree.size() < most_readings(self.cell)
    }
}

/// The tree over the readings of one window: [`merkle::TreeBuilder`] with no more levels than
/// [`MAX_WINDOW_READINGS`] need, in 328 bytes instead of 2 KiB.
#[derive(Clone, Debug)]
pub(crate) struct WindowTree {
    size: u32,
    /// `peaks[level]` is in use exactly when bit `level` of `size` is set.
    peaks: [Hash; WINDOW_LEVELS],
}

const WINDOW_LEVELS: usize = (u32::BITS - MAX_WINDOW_READINGS.leading_zeros()) as usize;

impl WindowTree {
    pub(crate) const fn new() -> Self {
        Self {
            size: 0,
            peaks: [Hash::ZERO; WINDOW_LEVELS],
        }
    }

    pub(crate) const fn size(&self) -> u32 {
        self.size
    }

    /// Appends a leaf; the caller keeps to [`MAX_WINDOW_READINGS`].
    pub(crate) fn push(&mut self, leaf: Hash) {
        let merges = self.size.trailing_ones() as usize;
        let mut node = leaf;
        for left in &self.peaks[..merges] {
            node = merkle::node_hash(left, &node);
        }
        self.peaks[merges] = node;
        self.size += 1;
    }

    pub(crate) fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for (level, peak) in self.peaks.iter().enumerate() {
            if self.size >> level & 1 == 1 {
                root = Some(root.map_or(*peak, |right| merkle::node_hash(peak, &right)));
            }
        }
        root.unwrap_or_else(merkle::empty_root)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_window_tree_is_the_merkle_tree_at_every_size_of_a_window() {
        let mut tree = WindowTree::new();
        let mut leaves = Vec::new();
        for i in 0..MAX_WINDOW_READINGS {
            leaves.push(merkle::leaf_hash(&i.to_be_bytes()));
            tree.push(leaves[i as usize]);
            if i % 37 == 0 || i > 590 {
                assert_eq!(tree.root(), merkle::root(&leaves), "size {}", i + 1);
            }
        }
    }

    #[test]
    fn a_time_on_the_boundary_is_in_the_new_cell() {
        let at = |ms| cell(UtcMillis::new(ms));
        assert_eq!(at(1_199_999), Some(1));
        assert_eq!(at(1_200_000), Some(2));
    }
}
