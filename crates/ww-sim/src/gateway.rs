//! The least gateway that a meter can live with, as the reference for what must arrive: it checks
//! and remembers everything that one meter sends, in memory, as strictly as the product's. That one
//! is another crate, and shares no code with this one above the records.

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
    /// Numbers or energy of a window, or of what a Gap gives up, do not go on from what is before
    /// it to what is after it.
    #[error("record {0:?} does not open where the one before closed")]
    EnergyTornApart(ChainIndex),
}

/// What one body may hold; more is refused, and that is no contradiction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most records.
    pub records: usize,
    /// The most bytes.
    pub bytes: usize,
}

impl Limits {
    /// Those of the product's gateway, as it comes.
    pub const USUAL: Self = Self {
        records: 512,
        bytes: 1 << 20,
    };
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
    limits: Limits,
    /// Records below this were taken before and are no longer kept.
    floor: u64,
    /// All before this are here, or given up by a Gap.
    next: u64,
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
            limits: Limits::USUAL,
            floor: 0,
            next: 0,
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

    /// Changes what one body may hold.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The enrolment that it has for the meter.
    pub fn enrolment(&self) -> Option<Enrolment> {
        self.enrolment.map(|(enrolment, _)| enrolment)
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
        ChainIndex::new(self.next).unwrap_or(ChainIndex::MAX)
    }

    fn advance(&mut self) {
        loop {
            if self.records.contains_key(&self.next) {
                self.next += 1;
            } else if self.records.range(self.next..).next().is_none() {
                return;
            } else if let Some(past) = self.past_gap(self.next) {
                self.next = past;
            } else {
                return;
            }
        }
    }

    fn past_gap(&self, index: u64) -> Option<u64> {
        let gaps = self
            .gaps()
            .filter(|gap| covers(gap, GapKind::Records, index));
        gaps.map(|gap| gap.last_index.get() + 1).max()
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
            limits: self.limits,
            floor,
            next,
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
            // What lies ahead of a hole is kept too; the answer says where the hole is.
            None => {
                self.check_link(&record, digest)?;
                self.check_energy(&record)?;
                let received = Received {
                    record,
                    digest,
                    is_whole: false,
                };
                self.records.insert(index.get(), received);
                self.advance();
            }
        }
        Ok(match record {
            ChainRecord::Window(window) => Some(window),
            _ => None,
        })
    }

    fn check_signature(&mut self, sign1: &Sign1<'_>, domain: Domain) -> Result<(), Contradiction> {
        let bad = Contradiction::BadSignature(RecordType::of(sign1.payload)?);
        let message = sign1.to_be_signed(domain).ok_or(bad)?;
        let holds = self.verifier.holds(&self.key, &message, &sign1.signature);
        if holds { Ok(()) } else { Err(bad) }
    }

    /// A record names the digest of the one before; after a Gap of kind Records, that of the last
    /// one that is gone. The Gap itself may come ahead of its place.
    fn check_link(&self, record: &ChainRecord, digest: Hash) -> Result<(), Contradiction> {
        let index = record.chain_index();
        let digest_of = |index: u64| self.records.get(&index).map(|known| known.digest);
        let named_after = |index: u64| {
            let after = self.records.get(&(index + 1));
            after.map(|known| known.record.previous())
        };
        let last_of_gap = |last: u64| {
            let gap = self
                .gaps()
                .find(|gap| gap.kind == GapKind::Records && gap.last_index.get() == last);
            gap.map(|gap| gap.last_digest)
        };
        let before = index.get().checked_sub(1);
        let mut holds = named_after(index.get()).is_none_or(|named| named == digest);
        if let Some(before) = before {
            let expected = digest_of(before).or_else(|| last_of_gap(before));
            holds &= expected.is_none_or(|expected| expected == record.previous());
        }
        if let ChainRecord::Gap(gap) = record
            && gap.kind == GapKind::Records
        {
            let last = gap.last_index.get();
            let known = if last + 1 == index.get() {
                Some(record.previous())
            } else {
                digest_of(last).or_else(|| named_after(last))
            };
            holds &= known.is_none_or(|known| known == gap.last_digest);
        }
        if holds {
            Ok(())
        } else {
            Err(Contradiction::NotLinked(index))
        }
    }

    /// Numbers and energy only rise from window to window, and over a Gap; where no record is
    /// missing between two windows, one opens where the other closed.
    fn check_energy(&self, record: &ChainRecord) -> Result<(), Contradiction> {
        let index = record.chain_index();
        let span = match record {
            ChainRecord::Window(window) => Span::of(window),
            ChainRecord::Gap(gap) if gap.kind == GapKind::Records => Span::given_up(gap),
            ChainRecord::Boot(_) | ChainRecord::Gap(_) => return Ok(()),
        };
        let window = |(_, known): (&u64, &Received)| match &known.record {
            ChainRecord::Window(window) => Some(Span::of(window)),
            _ => None,
        };
        let before = self.records.range(..span.indices.0).rev().find_map(window);
        let after = self.records.range(span.indices.1 + 1..).find_map(window);
        let in_order = before.is_none_or(|before| self.follows(&before, &span))
            && after.is_none_or(|after| self.follows(&span, &after));
        if in_order {
            Ok(())
        } else {
            Err(Contradiction::EnergyTornApart(index))
        }
    }

    fn follows(&self, before: &Span, after: &Span) -> bool {
        let (from, to) = (before.indices.1 + 1, after.indices.0);
        let is_whole = self.records.range(from..to).count() as u64 == to - from;
        let goes_on = match (before.sequences, after.sequences) {
            (Some((_, last)), Some((first, _))) => last < first,
            _ => true,
        };
        let (close, open) = (before.produced.1, after.produced.0);
        goes_on && (close == open || close < open && !is_whole)
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
        if self.is_newer(&sign1)? {
            self.enrolment = Some((Enrolment::decode(sign1.payload)?, sign1.signature));
            self.accepted = false;
            return Ok(());
        }
        self.check_signature(&sign1, Domain::EnrolmentAcceptance)?;
        let expected = self
            .enrolment
            .as_ref()
            .and_then(|(enrolment, _)| enrolment.encode().ok());
        self.accepted |= expected.is_some_and(|payload| payload[..] == *sign1.payload);
        Ok(())
    }

    /// Whether this is an enrolment with a higher number, signed by the operator of the one held.
    fn is_newer(&mut self, sign1: &Sign1<'_>) -> Result<bool, Contradiction> {
        let shown = Enrolment::decode(sign1.payload)?;
        let message = sign1.to_be_signed(Domain::Record(RecordType::Enrolment));
        let holds = message.is_some_and(|message| {
            (self.verifier).holds(&shown.operator_key, &message, &sign1.signature)
        });
        let is_above = self
            .enrolment
            .as_ref()
            .is_some_and(|(held, _)| held.operator == shown.operator && held.number < shown.number);
        Ok(holds && is_above)
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
        let is_record = |item: &Result<Item<'_>, CoseError>| matches!(item, Ok(Item::Sign1(_)));
        if body.len() > self.limits.bytes
            || Items::new(body).filter(is_record).count() > self.limits.records
        {
            return Reply::Refused(Refusal::Content);
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

/// What a window, or a Gap of whole records, says of a stretch of the chain.
struct Span {
    indices: (u64, u64),
    sequences: Option<(u64, u64)>,
    produced: (u64, u64),
}

impl Span {
    fn of(window: &Window) -> Self {
        let (index, first) = (window.chain_index.get(), window.first_sequence.get());
        Self {
            indices: (index, index),
            sequences: Some((first, window.last_sequence.get())),
            produced: (window.produced_open.get(), window.produced_close.get()),
        }
    }

    fn given_up(gap: &Gap) -> Self {
        let sequences = gap.first_sequence.zip(gap.last_sequence);
        Self {
            indices: (gap.first_index.get(), gap.last_index.get()),
            sequences: sequences.map(|(first, last)| (first.get(), last.get())),
            produced: (gap.produced_open.get(), gap.produced_close.get()),
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
