//! The whole meter: sampler, chain, queue and uplink as one state machine. The shell asks what to
//! do, does it, and says how it went; sockets, clocks and randomness are the shell's.
//!
//! ```text
//!  shell ── wake ──────────────► Step::Ask(path)      GET it from the sensor, give the bytes back
//!        ── answer_* ──────────► Step::Recorded(..)   durable on the flash now
//!        ── next_upload ───────► Upload               send it to the gateway, give the answer back
//!        ── upload_done / upload_refused
//!        ── deadline ──────────► sleep until then or until bytes come
//! ```

use embedded_storage::nor_flash::NorFlash;
use ww_wire::record::Record;
use ww_wire::{
    Acknowledgement, AnyReading, Boot, BootCounter, Bytes, ChainIndex, Dbm, DeciCelsius,
    DecodeError, Domain, Enrolment, Hash, MeterId, Payload, Reading, ReadingFlags, RecordType,
    Rule, Sequence, Sign1, Signature, StatusReport, ToBeSigned, UpdateReport,
};

use crate::chain::{Chain, ChainError, Start};
use crate::flash::FlashFailure;
use crate::now::Now;
use crate::queue::{
    AcknowledgeError, Batch, BatchLimit, Depth, Layout, LogCheckpoint, MountError, PushError,
    Queue, Recovered,
};
use crate::register::{self, Register, RegisterRules};
use crate::sampler::{Action, Draft, Enrolled, Sampler};
use crate::shelly::{PollError, Sensor};
use crate::signer::{SignError, Signer};
use crate::uplink::{Lane, Refusal, Request, Standing, Uplink, Work};
use crate::verifier::Verifier;

/// How many readings before the last one bring back the register's memory: ten minutes.
const REPLAYED_READINGS: u64 = 60;

/// The number of a meter's first reading.
const FIRST_READING: Sequence = match Sequence::new(1) {
    Some(first) => first,
    None => panic!("1 is a sequence number"),
};

/// What the shell has to do for the sensor.
#[derive(Clone, Copy, Debug)]
#[must_use]
#[expect(
    clippy::large_enum_variant,
    reason = "nothing can be boxed without an allocator"
)]
pub enum Step {
    /// Nothing until bytes arrive or [`Meter::deadline`] comes.
    Wait,
    /// `GET` this path from the sensor. A connection still open for an earlier poll is dropped.
    Ask(&'static str),
    /// A reading is durable. Call [`Meter::wake`] again.
    Recorded(Recording),
}

/// A reading that was just made.
#[derive(Clone, Copy, Debug)]
pub struct Recording {
    /// The reading.
    pub reading: AnyReading,
    /// Why the sensor's answer could not be read, if it could not.
    pub cause: Option<PollError>,
}

/// A request to the gateway; its body, if it has one, is in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload {
    /// What to ask.
    pub request: Request,
    /// Bytes of the body. The shell composes the body of [`Request::Announce`] itself;
    /// [`Request::Enrolment`] has none.
    pub len: usize,
}

/// What came of an answer of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing that a person would want to know.
    None,
    /// The meter is known now and waits for approval.
    Announced,
    /// An Enrolment is in force.
    Enrolled {
        /// Its digest.
        digest: Hash,
    },
    /// The gateway holds all chain records before this one.
    Acknowledged {
        /// The record that it expects next.
        next_index: ChainIndex,
    },
}

/// What the device says of itself in a status report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Signal strength of the radio.
    pub signal_strength: Option<Dbm>,
    /// Free memory.
    pub free_memory: Option<Bytes>,
    /// Temperature of the device.
    pub temperature: Option<DeciCelsius>,
}

/// Why a meter cannot start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The flash cannot be used.
    #[error("the queue cannot be mounted")]
    Mount(#[from] MountError),
    /// The chain cannot go on.
    #[error("the chain cannot go on")]
    Chain(#[from] ChainError),
    /// Reading the flash failed.
    #[error("the flash cannot be read")]
    Flash(#[from] FlashFailure),
    /// The Enrolment on the flash names a channel that its sensor does not have.
    #[error("the enrolment names channel {0}, which the sensor does not have")]
    NoSuchChannel(u8),
}

/// Why the meter could not go on with something. It stays usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeterError {
    /// The chain could not go on.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Nothing was signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Nothing was stored.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The acknowledgement was not taken.
    #[error(transparent)]
    Acknowledge(#[from] AcknowledgeError),
    /// The gateway's answer cannot be read.
    #[error("the gateway's answer cannot be read: {0}")]
    Answer(#[from] DecodeError),
    /// The gateway answered for another meter.
    #[error("the gateway answered for meter {0}")]
    ForeignAnswer(MeterId),
    /// The Enrolment is not one that this meter takes.
    #[error("the enrolment was not taken: {0}")]
    Enrolment(#[from] EnrolmentError),
    /// A record would break a rule of its own.
    #[error("the record is not valid: {0}")]
    Rule(#[from] Rule),
    /// The buffer for uploads is too small.
    #[error("the upload does not fit a buffer of {0} bytes")]
    BufferTooSmall(usize),
}

/// Why an Enrolment is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolmentError {
    /// It is no COSE_Sign1 of an Enrolment.
    #[error("it cannot be read")]
    Unreadable,
    /// It enrols another key.
    #[error("it is for meter {0}")]
    ForeignMeter(MeterId),
    /// The operator's signature does not hold.
    #[error("the operator's signature does not hold")]
    BadSignature,
    /// Another operator than the one that this meter has followed so far.
    #[error("it is signed by operator {0}, not by the operator of the enrolment in force")]
    ForeignOperator(ww_wire::SignerId),
    /// Not newer than the one in force.
    #[error("it has number {got}, and number {in_force} is in force")]
    Outdated {
        /// Its number.
        got: u32,
        /// The number in force.
        in_force: u32,
    },
    /// A channel that the sensor does not have.
    #[error("it names channel {0}, which the sensor does not have")]
    NoSuchChannel(u8),
}

/// A reading that the gateway has not seen yet; kept in memory only.
#[derive(Clone, Copy, Debug)]
struct Unsent {
    record_type: RecordType,
    sequence: Sequence,
    payload: Payload,
}

/// The meter.
pub struct Meter<F, S, V> {
    queue: Queue<F>,
    chain: Chain,
    signer: S,
    verifier: V,
    sampler: Sampler,
    uplink: Uplink,
    unsent: Option<Unsent>,
    /// The number of the reading that is under way to the gateway.
    sending: Option<Sequence>,
    consent_pending: bool,
    /// The gateway has an older enrolment than the one in force here: it is to be shown this one.
    shows_enrolment: bool,
    /// The chain record that the gateway wants next.
    wanted: ChainIndex,
    /// The gateway has said in this boot which chain record it expects, or that it takes no status
    /// report, by which it is asked. Nothing numbered goes out before, because the flash may be a
    /// new one under an old key.
    agreed: bool,
    /// The first chain record of the batch that is under way.
    batch_from: ChainIndex,
    /// How much the next batch may hold.
    batch_limit: BatchLimit,
    /// The batch that is under way.
    batch: Option<Batch>,
    sensor_failures: u32,
    health: Health,
}

impl<F: NorFlash, S: Signer, V: Verifier> Meter<F, S, V> {
    /// Starts: mounts the queue, seals what the last boot left, and writes the Boot record. Before
    /// there is an Enrolment the meter polls what `proposed` says.
    ///
    /// # Errors
    /// Any [`StartError`].
    pub fn start(
        flash: F,
        layout: Layout,
        mut signer: S,
        verifier: V,
        proposed: Enrolled,
        start: &Start,
    ) -> Result<(Self, Boot), StartError> {
        let meter = signer.public_key().id();
        let (mut queue, recovered) = Queue::mount(flash, layout, meter)?;
        let enrolment = queue.enrolment()?.map(|(enrolment, _)| enrolment);
        let enrolled = match &enrolment {
            Some(enrolment) => {
                enrolled(enrolment).ok_or(StartError::NoSuchChannel(enrolment.channel))?
            }
            None => proposed,
        };
        let mut register = Register::new(
            enrolled.rules,
            recovered.produced,
            recovered
                .last_reading
                .map_or(ww_wire::CounterEpoch::ZERO, |r| r.sum().counter_epoch),
        );
        replay(&mut queue, &recovered, &mut register)?;
        let (chain, boot) = Chain::start(&mut queue, &mut signer, &recovered, start)?;
        let wanted = queue.first_unacknowledged();
        let meter = Self {
            queue,
            chain,
            signer,
            verifier,
            sampler: Sampler::new(enrolled, register),
            uplink: Uplink::new(enrolment.is_some()),
            unsent: None,
            sending: None,
            consent_pending: enrolment.is_some(),
            shows_enrolment: false,
            wanted,
            agreed: false,
            batch_from: wanted,
            batch_limit: BatchLimit::MOST,
            batch: None,
            sensor_failures: 0,
            health: Health::default(),
        };
        Ok((meter, boot))
    }

    /// The meter's id.
    pub const fn id(&self) -> MeterId {
        self.queue.meter()
    }

    /// What the gateway makes of this meter, as far as it said.
    pub const fn standing(&self) -> Standing {
        self.uplink.standing()
    }

    /// How much waits for the gateway.
    pub fn depth(&self) -> Depth {
        self.queue.depth()
    }

    /// What is polled, and how its counter counts.
    pub const fn enrolled(&self) -> &Enrolled {
        self.sampler.enrolled()
    }

    /// The sum of accepted increments.
    pub const fn produced(&self) -> ww_wire::MilliwattHours {
        self.sampler.produced()
    }

    /// How often it has started, this time included.
    pub const fn boot(&self) -> BootCounter {
        self.chain.boot()
    }

    /// Signs how an update ended, into `buffer`; how many bytes that are.
    ///
    /// # Errors
    /// Any [`MeterError`].
    pub fn sign_update(
        &mut self,
        report: &UpdateReport,
        buffer: &mut [u8],
    ) -> Result<usize, MeterError> {
        let payload = report.encode()?;
        let domain = Domain::Record(RecordType::UpdateReport);
        self.put_signed(domain, &payload, buffer)
    }

    /// Takes what the next status report says of the device.
    pub fn set_health(&mut self, health: Health) {
        self.health = health;
    }

    /// When [`Meter::wake`] and [`Meter::next_upload`] are due.
    pub fn deadline(&self, now: Now) -> ww_wire::UptimeMillis {
        self.sampler
            .deadline(now)
            .min(self.uplink.deadline(self.work()))
    }

    /// Does what is due. Called until it gives [`Step::Wait`].
    ///
    /// # Errors
    /// Any [`MeterError`]; what failed is tried again at the next call.
    pub fn wake(&mut self, now: Now, random: u32) -> Result<Step, MeterError> {
        self.uplink.expire(now.uptime(), random);
        let action = self.sampler.wake(now);
        let step = self.act(action)?;
        // Measuring comes first: a signer that is out delays windows and stops nothing.
        if matches!(step, Step::Wait) {
            self.chain.tick(&mut self.queue, &mut self.signer, now)?;
        }
        Ok(step)
    }

    /// Takes the status of the sensor's answer, after authentication.
    ///
    /// # Errors
    /// Any [`MeterError`].
    pub fn answer_begins(&mut self, status: u16, now: Now) -> Result<Step, MeterError> {
        let action = self.sampler.answer_begins(status, now);
        self.act(action)
    }

    /// Takes the next bytes of the sensor's answer.
    ///
    /// # Errors
    /// Any [`MeterError`].
    pub fn answer_bytes(&mut self, bytes: &[u8], now: Now) -> Result<Step, MeterError> {
        let action = self.sampler.answer_bytes(bytes, now);
        self.act(action)
    }

    /// Says that the sensor's answer is whole.
    ///
    /// # Errors
    /// Any [`MeterError`].
    pub fn answer_ends(&mut self, now: Now) -> Result<Step, MeterError> {
        let action = self.sampler.answer_ends(now);
        self.act(action)
    }

    /// Says that there is no connection to the sensor, or that it broke.
    ///
    /// # Errors
    /// Any [`MeterError`].
    pub fn sensor_unreachable(&mut self) -> Result<Step, MeterError> {
        let action = self.sampler.unreachable();
        self.act(action)
    }

    fn act(&mut self, action: Action) -> Result<Step, MeterError> {
        match action {
            Action::Wait => Ok(Step::Wait),
            Action::Ask(path) => Ok(Step::Ask(path)),
            Action::Sampled(draft) => self.record(&draft).map(Step::Recorded),
        }
    }

    fn record(&mut self, draft: &Draft) -> Result<Recording, MeterError> {
        if draft.flags().intersects(ReadingFlags::FAILED) {
            self.sensor_failures = self.sensor_failures.saturating_add(1);
        }
        let queued = if self.unsent.is_some() {
            ReadingFlags::QUEUED
        } else {
            ReadingFlags::NONE
        };
        let (boot, sequence) = (self.chain.boot(), self.queue.next_sequence());
        let draft_reading = draft.reading(self.id(), boot, sequence, queued);
        let recorded = self
            .chain
            .record(&mut self.queue, &mut self.signer, draft_reading)?;
        self.unsent = Some(Unsent {
            record_type: recorded.reading.record_type(),
            sequence: recorded.reading.sum().sequence,
            payload: recorded.payload,
        });
        Ok(Recording {
            reading: recorded.reading,
            cause: draft.cause(),
        })
    }

    /// The next request to the gateway, with its body in `buffer`. Called until there is none;
    /// at most one request on each [`Lane`] is under way.
    ///
    /// # Errors
    /// Any [`MeterError`]; the request then counts as failed.
    pub fn next_upload(
        &mut self,
        now: Now,
        random: u32,
        buffer: &mut [u8],
    ) -> Result<Option<Upload>, MeterError> {
        let work = self.work();
        let Some(request) = self.uplink.next(now.uptime(), work) else {
            return Ok(None);
        };
        let composed = self.compose(request, now, buffer);
        if composed.is_err() {
            let refusal = Refusal::Unavailable {
                retry_after_ms: None,
            };
            self.uplink
                .refused(request.lane(), refusal, now.uptime(), random);
        }
        composed.map(|len| Some(Upload { request, len }))
    }

    fn work(&self) -> Work {
        Work {
            reading: self.agreed && self.unsent.is_some(),
            batch: self.agreed && self.queue.next_index() > self.wanted,
            acceptance: self.consent_pending,
        }
    }

    fn compose(
        &mut self,
        request: Request,
        now: Now,
        buffer: &mut [u8],
    ) -> Result<usize, MeterError> {
        match request {
            Request::Announce | Request::Enrolment => Ok(0),
            Request::Reading => match self.unsent {
                Some(unsent) => {
                    self.queue.set_sent()?;
                    self.sending = Some(unsent.sequence);
                    let domain = Domain::Record(unsent.record_type);
                    self.put_signed(domain, &unsent.payload, buffer)
                }
                None => Ok(0),
            },
            Request::Acceptance => match self.queue.enrolment().map_err(ChainError::from)? {
                Some((enrolment, signature)) if self.shows_enrolment => {
                    let payload = enrolment.encode()?;
                    let payload = &payload;
                    put(&Sign1 { payload, signature }, buffer)
                }
                Some((enrolment, _)) => {
                    let payload = enrolment.encode()?;
                    self.put_signed(Domain::EnrolmentAcceptance, &payload, buffer)
                }
                None => Ok(0),
            },
            Request::Status => {
                let payload = self.status(now).encode()?;
                self.put_signed(Domain::Record(RecordType::StatusReport), &payload, buffer)
            }
            Request::Batch => {
                self.queue.set_sent()?;
                self.batch_from = self.wanted;
                let (queue, signer) = (&mut self.queue, &mut self.signer);
                let (from, limit) = (self.wanted, self.batch_limit);
                let batch = self
                    .chain
                    .next_batch(queue, signer, from, limit, now, buffer)?;
                self.batch = Some(batch);
                Ok(batch.len)
            }
        }
    }

    fn put_signed(
        &mut self,
        domain: Domain,
        payload: &Payload,
        buffer: &mut [u8],
    ) -> Result<usize, MeterError> {
        let too_small = MeterError::BufferTooSmall(buffer.len());
        let message = ToBeSigned::new(domain, payload).ok_or(too_small)?;
        let signature: Signature = self.signer.sign(&message)?;
        put(&Sign1 { payload, signature }, buffer)
    }

    fn status(&self, now: Now) -> StatusReport {
        let depth = self.queue.depth();
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        StatusReport {
            meter: self.id(),
            boot: self.chain.boot(),
            time: now.time(),
            uptime: now.uptime(),
            time_quality: now.quality(),
            queued_records: count(depth.records),
            queued_readings: count(depth.readings),
            sensor_failures: self.sensor_failures,
            upload_failures: self.uplink.failures(),
            signal_strength: self.health.signal_strength,
            free_memory: self.health.free_memory,
            temperature: self.health.temperature,
        }
    }

    /// Takes the body of an answer with a status of success.
    ///
    /// # Errors
    /// Any [`MeterError`]; the request then counts as failed.
    pub fn upload_done(
        &mut self,
        lane: Lane,
        body: &[u8],
        now: Now,
        random: u32,
    ) -> Result<Progress, MeterError> {
        let Some(request) = self.uplink.under_way(lane) else {
            return Ok(Progress::None);
        };
        let taken = match request {
            Request::Announce => Ok(Progress::Announced),
            Request::Enrolment => self.take_enrolment(body, now),
            _ => self.take_acknowledgement(body),
        };
        if let Err(MeterError::Enrolment(EnrolmentError::Outdated { .. })) = taken {
            // A new gateway, or a restored one. What is in force holds, and readings do not wait.
            self.uplink.done(lane);
            self.shows_enrolment = true;
            self.consent_pending = true;
            return taken;
        }
        // A gateway that acknowledges nothing of a batch is not asked again at once.
        let stuck = request == Request::Batch && self.wanted == self.batch_from;
        if taken.is_err() || stuck {
            let refusal = Refusal::Unavailable {
                retry_after_ms: None,
            };
            self.uplink.refused(lane, refusal, now.uptime(), random);
            return taken;
        }
        self.uplink.done(lane);
        match request {
            Request::Reading => self.sent(),
            Request::Acceptance if self.shows_enrolment => self.shows_enrolment = false,
            Request::Acceptance => self.consent_pending = false,
            Request::Batch => self.batch_limit = self.batch_limit.doubled(),
            _ => {}
        }
        taken
    }

    /// Says that the gateway did not do what was asked.
    pub fn upload_refused(&mut self, lane: Lane, refusal: Refusal, now: Now, random: u32) {
        match self.uplink.refused(lane, refusal, now.uptime(), random) {
            Some(Request::Reading) if refusal == Refusal::Content => self.sent(),
            Some(Request::Acceptance) if refusal == Refusal::Content => {
                self.shows_enrolment = false;
                self.consent_pending = false;
            }
            // A gateway that takes no status report says nothing of the chain either.
            Some(Request::Status) if refusal == Refusal::Content => self.agreed = true,
            // The same bytes would be refused again; half of them may pass.
            Some(Request::Batch) if refusal == Refusal::Content => {
                if let Some(batch) = &self.batch {
                    self.batch_limit = BatchLimit::half_of(batch);
                }
            }
            _ => {}
        }
    }

    /// Sends nothing more in this boot, and takes no answer: the gateway holds what this queue
    /// never made. Measuring, sealing and keeping go on as in an outage. It is the shell's to
    /// remember that over a restart.
    pub fn close_uplink(&mut self) {
        self.uplink.close();
    }

    /// Forgets the reading that was under way, unless a newer one has taken its place.
    fn sent(&mut self) {
        let sent = self.sending.take();
        if self
            .unsent
            .is_some_and(|unsent| Some(unsent.sequence) == sent)
        {
            self.unsent = None;
        }
    }

    fn take_acknowledgement(&mut self, body: &[u8]) -> Result<Progress, MeterError> {
        let answer = Acknowledgement::decode(body)?;
        if answer.meter != self.id() {
            return Err(MeterError::ForeignAnswer(answer.meter));
        }
        let next = answer.next_index.get();
        // However much was made here since: what the gateway holds is not from this flash.
        if next > 0 && !self.queue.has_sent() {
            return Err(AcknowledgeError::NeverMade { next, made: 0 }.into());
        }
        if answer.next_index > self.queue.first_unacknowledged() {
            self.queue.acknowledge(answer.next_index)?;
        }
        self.agreed = true;
        self.wanted = answer.next_index;
        if answer.log_size > self.queue.checkpoint().size {
            let checkpoint = LogCheckpoint {
                size: answer.log_size,
                root: answer.log_root,
            };
            self.queue.set_checkpoint(&checkpoint)?;
        }
        if !answer.enrolment.is_zero() && answer.enrolment != self.queue.enrolment_digest() {
            self.uplink.want_enrolment();
        }
        Ok(Progress::Acknowledged {
            next_index: answer.next_index,
        })
    }

    fn take_enrolment(&mut self, body: &[u8], now: Now) -> Result<Progress, MeterError> {
        let sign1 = Sign1::decode(body).map_err(|_| EnrolmentError::Unreadable)?;
        let enrolment = Enrolment::decode(sign1.payload).map_err(|_| EnrolmentError::Unreadable)?;
        let digest = Hash::of(&[sign1.payload]);
        if digest == self.queue.enrolment_digest() {
            return Ok(Progress::None);
        }
        let enrolled = self.check_enrolment(&enrolment, &sign1)?;
        let (queue, signer) = (&mut self.queue, &mut self.signer);
        self.chain
            .enrol(queue, signer, &enrolment, &sign1.signature, now)?;
        self.sampler.enrol(enrolled);
        self.consent_pending = true;
        Ok(Progress::Enrolled { digest })
    }

    /// The first operator is believed (nobody else could tell the meter whom to follow); another
    /// one later is not.
    fn check_enrolment(
        &mut self,
        enrolment: &Enrolment,
        sign1: &Sign1<'_>,
    ) -> Result<Enrolled, MeterError> {
        if enrolment.meter() != self.id() {
            return Err(EnrolmentError::ForeignMeter(enrolment.meter()).into());
        }
        if let Some((in_force, _)) = self.queue.enrolment().map_err(ChainError::from)? {
            if in_force.operator != enrolment.operator {
                return Err(EnrolmentError::ForeignOperator(enrolment.operator).into());
            }
            if in_force.number >= enrolment.number {
                let (got, in_force) = (enrolment.number, in_force.number);
                return Err(EnrolmentError::Outdated { got, in_force }.into());
            }
        }
        let message = sign1
            .to_be_signed(Domain::Record(RecordType::Enrolment))
            .ok_or(EnrolmentError::Unreadable)?;
        if !self
            .verifier
            .holds(&enrolment.operator_key, &message, &sign1.signature)
        {
            return Err(EnrolmentError::BadSignature.into());
        }
        Ok(enrolled(enrolment).ok_or(EnrolmentError::NoSuchChannel(enrolment.channel))?)
    }

    /// Stops in an orderly way: seals the open window. What the gateway has not acknowledged stays
    /// on the flash.
    ///
    /// # Errors
    /// Any [`MeterError`]; the next start seals then.
    pub fn stop(&mut self, now: Now) -> Result<(), MeterError> {
        Ok(self.chain.stop(&mut self.queue, &mut self.signer, now)?)
    }

    /// Gives the flash back, as it is.
    pub fn into_flash(self) -> F {
        self.queue.into_flash()
    }
}

fn put(sign1: &Sign1<'_>, buffer: &mut [u8]) -> Result<usize, MeterError> {
    let too_small = MeterError::BufferTooSmall(buffer.len());
    let bytes = sign1.encode().ok_or(too_small)?;
    buffer
        .get_mut(..bytes.len())
        .ok_or(too_small)?
        .copy_from_slice(&bytes);
    Ok(bytes.len())
}

/// Gives the register back what the last boot knew of the counter.
fn replay<F: NorFlash>(
    queue: &mut Queue<F>,
    recovered: &Recovered,
    register: &mut Register,
) -> Result<(), FlashFailure> {
    let Some(last) = recovered.last_reading.map(|last| last.sum().sequence) else {
        if recovered.next_sequence > FIRST_READING {
            register.forget_counter();
        }
        return Ok(());
    };
    if queue.is_of_earlier_enrolment(last) {
        register.swap_sensor();
        return Ok(());
    }
    if let Some(newest) = newest(queue, last, |reading, _| reading.settles_counter())? {
        let first = newest_baseline(queue, before(newest))?.unwrap_or(FIRST_READING);
        return queue.for_each_reading(first, last, |reading| register.replay(reading.sum()));
    }
    // With all that were ever made here and none with a value, there was no counter yet.
    let mut first_is_here = false;
    queue.for_each_reading(FIRST_READING, FIRST_READING, |_| first_is_here = true)?;
    if !first_is_here {
        register.forget_counter();
    }
    Ok(())
}

/// The last reading up to `last` of which it is certain that its value became the baseline: a value
/// within a dip would be too low a one to begin with.
fn newest_baseline<F: NorFlash>(
    queue: &mut Queue<F>,
    last: Sequence,
) -> Result<Option<Sequence>, FlashFailure> {
    newest(queue, last, register::is_baseline)
}

/// The last reading up to `last` that is `wanted`, which also sees the one before: one of the newest,
/// unless the sensor was out of reach, or an increment waited, for longer than those.
fn newest<F: NorFlash>(
    queue: &mut Queue<F>,
    last: Sequence,
    wanted: impl Fn(&Reading, Option<&Reading>) -> bool,
) -> Result<Option<Sequence>, FlashFailure> {
    let mut newest = None;
    for first in [before(last), FIRST_READING] {
        let mut previous: Option<Reading> = None;
        queue.for_each_reading(first, last, |reading| {
            let sum = reading.sum();
            if wanted(sum, previous.as_ref()) {
                newest = Some(sum.sequence);
            }
            previous = Some(*sum);
        })?;
        if newest.is_some() {
            break;
        }
    }
    Ok(newest)
}

/// The readings before this one that bring back the register's memory begin here.
fn before(reading: Sequence) -> Sequence {
    let first = reading.get().saturating_sub(REPLAYED_READINGS);
    Sequence::new(first)
        .unwrap_or(FIRST_READING)
        .max(FIRST_READING)
}

/// What an Enrolment says of the sensor; `None` when the sensor has no such channel.
fn enrolled(enrolment: &Enrolment) -> Option<Enrolled> {
    Some(Enrolled {
        sensor: Sensor::new(enrolment.sensor_model, enrolment.channel)?,
        mac: Some(enrolment.sensor_mac),
        rules: RegisterRules {
            production_counter: enrolment.production_counter,
            nameplate: enrolment.nameplate(),
        },
    })
}
