//! The least gateway that a meter can live with, as the reference for what must arrive: it checks
//! and remembers everything that one meter sends, in memory. The product's gateway is another
//! crate, and shares no code with this one above the records.

use std::collections::BTreeMap;

use ww_device::uplink::{Refusal, Request};
use ww_device::verifier::Verifier;
use ww_wire::cose::{CoseError, Item, Items};
use ww_wire::packed::{Codec, PackError};
use ww_wire::{
    Acknowledgement, AnyReading, ChainIndex, ChainRecord, DecodeError, Domain, Enrolment, Gap,
    GapKind, Hash, MeterId, PublicKey, Record, RecordType, Sign1, Signature, UtcMillis, Window,
    merkle,
};

/// Whoever answers a meter's requests.
pub trait Gateway {
    /// Takes a request of `meter` and answers it.
    fn ask(&mut self, meter: MeterId, request: Request, body: &[u8], now: UtcMillis) -> Reply;
}

/// An answer to a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done; the body of the answer.
    Done(Vec<u8>),
    /// Not done.
    Refused(Refusal),
}

/// What contradicts the records or the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// The body is no sequence of signed records.
    #[error("the body cannot be read: {0}")]
    Unreadable(#[from] CoseError),
    /// A payload is no record.
    #[error("a record cannot be read: {0}")]
    NoRecord(#[from] DecodeError),
    /// Packed readings cannot be unpacked.
    #[error("packed readings cannot be read: {0}")]
    NotPacked(#[from] PackError),
    /// The signature does not hold.
    #[error("the signature of a {0:?} does not hold")]
    BadSignature(RecordType),
    /// The record is of another meter.
    #[error("a record of meter {0}")]
    ForeignMeter(MeterId),
    /// Two records have one place in the chain.
    #[error("two records have index {0:?}")]
    Forked(ChainIndex),
    /// The record does not follow from the one before, nor from a Gap.
    #[error("record {0:?} does not link to the chain")]
    NotLinked(ChainIndex),
    /// Packed readings follow no window.
    #[error("readings without a window")]
    LooseReadings,
    /// The readings do not give the root, number or range of their window.
    #[error("the readings of window {0:?} are not those that it seals")]
    NotSealed(ChainIndex),
    /// Two readings have one number.
    #[error("two readings have number {0}")]
    Equivocation(u64),
    /// A window opens with less energy than the one before closed with.
    #[error("window {0:?} does not open where the one before closed")]
    EnergyTornApart(ChainIndex),
}

/// A chain record that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The record.
    pub record: ChainRecord,
    /// Its digest.
    pub digest: Hash,
    /// Of a window: whether its readings came along.
    pub is_whole: bool,
}

/// The reference gateway of one meter.
#[derive(Clone, Debug)]
pub struct ReferenceGateway<V> {
    key: PublicKey,
    verifier: V,
    enrolment: Option<(Enrolment, Signature)>,
    accepted: bool,
    /// Records below this were taken before and are no longer kept.
    floor: u64,
    records: BTreeMap<u64, Received>,
    /// Digest of the payload of every reading, live or packed.
    readings: BTreeMap<u64, Hash>,
    statuses: u64,
    contradictions: Vec<Contradiction>,
}

impl<V: Verifier> ReferenceGateway<V> {
    /// A gateway that knows the meter with `key`, and has no enrolment for it yet.
    pub fn new(key: PublicKey, verifier: V) -> Self {
        Self {
            key,
            verifier,
            enrolment: None,
            accepted: false,
            floor: 0,
            records: BTreeMap::new(),
            readings: BTreeMap::new(),
            statuses: 0,
            contradictions: Vec::new(),
        }
    }

    /// Approves the meter.
    pub fn enrol(&mut self, enrolment: Enrolment, signature: Signature) {
        self.enrolment = Some((enrolment, signature));
        self.accepted = false;
    }

    /// Whether the meter consented to the enrolment.
    pub fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// The chain as it arrived, by index.
    pub fn records(&self) -> &BTreeMap<u64, Received> {
        &self.records
    }

    /// Digests of the readings that arrived, by number.
    pub fn readings(&self) -> &BTreeMap<u64, Hash> {
        &self.readings
    }

    /// Status reports that arrived.
    pub fn statuses(&self) -> u64 {
        self.statuses
    }

    /// Everything that was wrong with what arrived.
    pub fn contradictions(&self) -> &[Contradiction] {
        &self.contradictions
    }

    /// The record that is expected next: all before it are here, or given up by a Gap.
    pub fn next_index(&self) -> ChainIndex {
        let mut next = self.floor;
        loop {
            if self.records.contains_key(&next) {
                next += 1;
            } else if let Some(gap) = self.gaps().find(|gap| covers(gap, GapKind::Records, next)) {
                next = gap.last_index.get() + 1;
            } else {
                return ChainIndex::new(next).unwrap_or(ChainIndex::MAX);
            }
        }
    }

    /// Whether reading `sequence` is proven by a window with its readings, or given up by a Gap.
    pub fn accounts_for(&self, sequence: u64) -> bool {
        let in_window = self
            .records
            .values()
            .any(|received| match &received.record {
                ChainRecord::Window(window) => {
                    let range = window.first_sequence.get()..=window.last_sequence.get();
                    range.contains(&sequence) && received.is_whole
                }
                _ => false,
            });
        in_window || self.gives_up(sequence)
    }

    /// Whether a Gap gives reading `sequence` up.
    pub fn gives_up(&self, sequence: u64) -> bool {
        self.gaps().any(|gap| {
            gap.first_sequence
                .is_some_and(|first| first.get() <= sequence)
                && gap.last_sequence.is_some_and(|last| sequence <= last.get())
        })
    }

    /// Goes back to an earlier state, as a gateway that was restored from a backup does.
    pub fn restore(&mut self, backup: &Self)
    where
        V: Clone,
    {
        let contradictions = std::mem::take(&mut self.contradictions);
        *self = backup.clone();
        self.contradictions = contradictions;
    }

    /// A gateway that goes on from here and remembers only what the next record must link to: a
    /// small copy for tests that need thousands.
    #[must_use]
    pub fn continued(&self) -> Self
    where
        V: Clone,
    {
        let next = self.next_index().get();
        let is_window = |received: &Received| matches!(received.record, ChainRecord::Window(_));
        let last_window = self
            .records
            .range(..next)
            .rev()
            .find(|(_, known)| is_window(known));
        let floor = last_window.map_or(next.saturating_sub(1), |(index, _)| *index);
        let records = self
            .records
            .range(floor..)
            .map(|(index, known)| (*index, *known));
        Self {
            key: self.key,
            verifier: self.verifier.clone(),
            enrolment: self.enrolment,
            accepted: self.accepted,
            floor,
            records: records.collect(),
            readings: BTreeMap::new(),
            statuses: 0,
            contradictions: Vec::new(),
        }
    }

    fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.records
            .values()
            .filter_map(|received| match &received.record {
                ChainRecord::Gap(gap) => Some(gap),
                _ => None,
            })
    }

    fn take(&mut self, body: &[u8]) -> Result<(), Contradiction> {
        let mut window = None;
        for item in Items::new(body) {
            match item? {
                Item::Sign1(sign1) => window = self.take_record(&sign1)?,
                Item::Readings(block) => {
                    let window: Window = window.take().ok_or(Contradiction::LooseReadings)?;
                    if self.records.contains_key(&window.chain_index.get()) {
                        self.take_readings(&window, block)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn take_record(&mut self, sign1: &Sign1<'_>) -> Result<Option<Window>, Contradiction> {
        let record_type = RecordType::of(sign1.payload)?;
        self.check_signature(sign1, Domain::Record(record_type))?;
        match record_type {
            RecordType::Reading | RecordType::ThreePhaseReading => {
                self.take_reading(&AnyReading::decode(sign1.payload)?)?;
                return Ok(None);
            }
            RecordType::StatusReport => {
                self.statuses += 1;
                return Ok(None);
            }
            _ => {}
        }
        let record = ChainRecord::decode(sign1.payload)?;
        if record.meter() != self.key.id() {
            return Err(Contradiction::ForeignMeter(record.meter()));
        }
        let digest = Hash::of(&[sign1.payload]);
        let index = record.chain_index();
        match self.records.get(&index.get()) {
            Some(known) if known.digest != digest => return Err(Contradiction::Forked(index)),
            Some(_) => {}
            None if index.get() < self.floor => {}
            // Passed over: the answer says what is expected.
            None if self.is_ahead(&record) => {}
            None => {
                self.check_link(&record)?;
                let received = Received {
                    record,
                    digest,
                    is_whole: false,
                };
                self.records.insert(index.get(), received);
            }
        }
        Ok(match record {
            ChainRecord::Window(window) => Some(window),
            _ => None,
        })
    }

    /// Whether records before this one have not come yet. A Gap of kind Records comes first, out
    /// of its place, where it is what the next record links to.
    fn is_ahead(&self, record: &ChainRecord) -> bool {
        let next = self.next_index().get();
        let bridges = matches!(
            record,
            ChainRecord::Gap(gap) if covers(gap, GapKind::Records, next)
        );
        record.chain_index().get() > next && !bridges
    }

    fn check_signature(&mut self, sign1: &Sign1<'_>, domain: Domain) -> Result<(), Contradiction> {
        let bad = Contradiction::BadSignature(RecordType::of(sign1.payload)?);
        let message = sign1.to_be_signed(domain).ok_or(bad)?;
        let holds = self.verifier.holds(&self.key, &message, &sign1.signature);
        if holds { Ok(()) } else { Err(bad) }
    }

    /// A record names the digest of the one before; after a Gap of kind Records, that of the last
    /// one that is gone. The Gap itself comes ahead of its place.
    fn check_link(&self, record: &ChainRecord) -> Result<(), Contradiction> {
        let index = record.chain_index();
        let Some(before) = index.get().checked_sub(1) else {
            return Ok(());
        };
        let not_linked = Contradiction::NotLinked(index);
        if let Some(after) = self.records.get(&(index.get() + 1)) {
            let digest = record.encode().map_err(|_| not_linked)?.digest();
            if after.record.previous() != digest {
                return Err(not_linked);
            }
        }
        if let Some(known) = self.records.get(&before) {
            if record.previous() != known.digest {
                return Err(not_linked);
            }
            return self.check_energy(before, record);
        }
        let gap = self
            .gaps()
            .find(|gap| covers(gap, GapKind::Records, before));
        let after_gap =
            |gap: &Gap| gap.last_index.get() != before || gap.last_digest == record.previous();
        let is_gap = matches!(record, ChainRecord::Gap(gap) if gap.kind == GapKind::Records);
        if gap.is_some_and(after_gap) || is_gap {
            Ok(())
        } else {
            Err(not_linked)
        }
    }

    /// Energy goes on where the last window before left it.
    fn check_energy(&self, before: u64, record: &ChainRecord) -> Result<(), Contradiction> {
        let ChainRecord::Window(window) = record else {
            return Ok(());
        };
        let mut at = before;
        while let Some(received) = self.records.get(&at) {
            if let ChainRecord::Window(earlier) = &received.record {
                let goes_on = earlier.produced_close == window.produced_open
                    && earlier.last_sequence < window.first_sequence;
                let torn = Contradiction::EnergyTornApart(window.chain_index);
                return if goes_on { Ok(()) } else { Err(torn) };
            }
            let Some(next) = at.checked_sub(1) else { break };
            at = next;
        }
        Ok(())
    }

    fn take_readings(&mut self, window: &Window, block: &[u8]) -> Result<(), Contradiction> {
        let index = window.chain_index;
        let (mut codec, mut rest) = Codec::open(window.meter, block)?;
        let mut leaves = Vec::new();
        let mut readings = Vec::new();
        while !rest.is_empty() {
            let (reading, length) = codec.unpack(rest)?;
            rest = &rest[length..];
            let expected = window.first_sequence.get() + leaves.len() as u64;
            if reading.sum().sequence.get() != expected || reading.sum().boot != window.boot {
                return Err(Contradiction::NotSealed(index));
            }
            leaves.push(
                reading
                    .leaf_hash()
                    .map_err(|_| Contradiction::NotSealed(index))?,
            );
            readings.push(reading);
        }
        let closes = readings.last().map(|last| last.sum().produced);
        if leaves.len() != window.count as usize
            || merkle::root(&leaves) != window.root
            || closes != Some(window.produced_close)
        {
            return Err(Contradiction::NotSealed(index));
        }
        for reading in &readings {
            self.take_reading(reading)?;
        }
        if let Some(received) = self.records.get_mut(&index.get()) {
            received.is_whole = true;
        }
        Ok(())
    }

    fn take_reading(&mut self, reading: &AnyReading) -> Result<(), Contradiction> {
        let sequence = reading.sum().sequence.get();
        if reading.sum().meter != self.key.id() {
            return Err(Contradiction::ForeignMeter(reading.sum().meter));
        }
        let digest = reading
            .encode()
            .map_err(|_| Contradiction::Equivocation(sequence))?
            .digest();
        match self.readings.insert(sequence, digest) {
            Some(known) if known != digest => Err(Contradiction::Equivocation(sequence)),
            _ => Ok(()),
        }
    }

    fn take_acceptance(&mut self, body: &[u8]) -> Result<(), Contradiction> {
        let sign1 = Sign1::decode(body)?;
        self.check_signature(&sign1, Domain::EnrolmentAcceptance)?;
        let expected = self
            .enrolment
            .as_ref()
            .and_then(|(enrolment, _)| enrolment.encode().ok());
        self.accepted |= expected.is_some_and(|payload| payload[..] == *sign1.payload);
        Ok(())
    }

    fn acknowledgement(&self, now: UtcMillis) -> Vec<u8> {
        let enrolment = self
            .enrolment
            .as_ref()
            .and_then(|(enrolment, _)| enrolment.encode().ok());
        let answer = Acknowledgement {
            meter: self.key.id(),
            next_index: self.next_index(),
            time: Some(now),
            log_size: 0,
            log_root: Hash::ZERO,
            enrolment: enrolment.map_or(Hash::ZERO, |payload| payload.digest()),
        };
        answer
            .encode()
            .expect("an acknowledgement of what is known keeps its rules")
            .to_vec()
    }
}

impl<V: Verifier> Gateway for ReferenceGateway<V> {
    fn ask(&mut self, meter: MeterId, request: Request, body: &[u8], now: UtcMillis) -> Reply {
        if meter != self.key.id() {
            return Reply::Refused(Refusal::UnknownMeter);
        }
        let taken = match request {
            Request::Announce => return Reply::Done(Vec::new()),
            Request::Enrolment => {
                return match &self.enrolment {
                    None => Reply::Refused(Refusal::Waiting),
                    Some((enrolment, signature)) => Reply::Done(signed(enrolment, *signature)),
                };
            }
            Request::Acceptance => self.take_acceptance(body),
            Request::Reading | Request::Status | Request::Batch => self.take(body),
        };
        match taken {
            Ok(()) => Reply::Done(self.acknowledgement(now)),
            Err(contradiction) => {
                self.contradictions.push(contradiction);
                Reply::Refused(Refusal::Content)
            }
        }
    }
}

fn covers(gap: &Gap, kind: GapKind, index: u64) -> bool {
    gap.kind == kind && (gap.first_index.get()..=gap.last_index.get()).contains(&index)
}

fn signed(enrolment: &Enrolment, signature: Signature) -> Vec<u8> {
    let payload = enrolment
        .encode()
        .expect("an enrolment that was signed keeps its rules");
    let sign1 = Sign1 {
        payload: &payload,
        signature,
    };
    sign1
        .encode()
        .expect("an enrolment is no longer than the longest record")
        .to_vec()
}
