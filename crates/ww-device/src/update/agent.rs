//! The update agent: asks the gateway what to run, fetches it into the slot that does not run, has it
//! started, and keeps it only if it works. It trusts the root on its flash and nobody else: what a
//! gateway says only decides what is fetched, and when, among what enough release keys have signed.
//!
//! ```text
//!          due        an assignment: fetch       every sector is as signed       an assignment: arm
//!   Idle ───────► Checking ───────────► Fetching ──────────────────► Staged ──────────► (restart)
//!    ▲ ◄────────────┘ nothing, hold         │ no answer, bad records: again later            │
//!    │ ◄────────────────────────────────────┘                                                ▼
//!    │      told                all passed                                                 Trial
//!    ├◄──────────── Confirmed ◄──────────────────────────────────────────────────────────────┤
//!    └◄──────────── RolledBack ◄─────────── something failed, or it started too often ───────┘
//! ```
//!
//! It keeps no note of how far a download is: what lies in the slot is encrypted again and compared with
//! the list that was signed, so it goes on at the first sector that is not there, whatever was cut.

use core::cell::RefCell;

use embedded_storage::nor_flash::NorFlash;
use ww_release::assignment::{Assignment, Nonce, SignedAssignment, Stage};
use ww_release::canonical;
use ww_release::cipher::{ContentKey, SectorCipher};
use ww_release::delta::{self, DeltaError};
use ww_release::key::Verifier;
use ww_release::question::{
    Answer, AnsweredKey, MAX_ANSWER, MAX_ANSWERED_KEYS, MAX_QUESTION, Obstacle, ProvenQuestion,
    Question, UpdateState,
};
use ww_release::release::{Encoding, HardwareClass, MAX_RELEASE, Release, SignedRelease};
use ww_release::root::{MAX_ROOT, SignedRoot};
use ww_release::secret::{DeviceSecret, Session};
use ww_wire::{
    BootCounter, Hash, MeterId, UpdateObstacle, UpdateOutcome, UpdateReport, UptimeMillis,
};

use crate::flash::{FlashFailure, SECTOR_BYTES};
use crate::now::Now;
use crate::update::boot::{BootError, BootStore, Candidate, Fault, Phase};
use crate::update::download::{Download, Received};
use crate::update::layout::{DIGEST_BYTES, UpdateLayout};
use crate::update::slot::{Place, Sector, Sum, listed, summed, write_sector};
use crate::update::trust::{MAX_TRUSTED_ROOT, RootError, RootStore, read_anywhere};

/// How long a request may take; of a download, how long each record may.
pub const REQUEST_TIMEOUT_MS: u64 = 30_000;

/// The first wait after a failure; it doubles with every further one.
pub const FIRST_WAIT_MS: u64 = 15_000;

/// The longest wait after failures.
pub const LONGEST_WAIT_MS: u64 = 3_600_000;

/// So many records or sectors in a row that are not what they should be end a session.
pub const MOST_BAD: u8 = 3;

/// So many requests of a download in a row that bring nothing end a session.
const MOST_FRUITLESS: u8 = 4;

/// How a device updates itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How often it asks, ms; up to an eighth more, so that a fleet does not ask at once.
    pub check_every_ms: u64,
    /// How often it asks whether it may start what it has fetched, ms; up to an eighth more.
    pub verify_every_ms: u64,
    /// How long a new image has to show that it works, ms.
    pub trial_ms: u64,
}

impl Settings {
    /// Every six hours, every five minutes, half an hour.
    pub const DEFAULT: Self = Self {
        check_every_ms: 6 * 3_600_000,
        verify_every_ms: 300_000,
        trial_ms: 1_800_000,
    };
}

/// Which device this is, and what runs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The meter's id.
    pub device: MeterId,
    /// Its hardware.
    pub class: HardwareClass,
    /// SHA-256 of the payload that runs.
    pub running: Hash,
    /// How long that is.
    pub running_bytes: u32,
}

/// What keeps an update waiting, and whether what runs works; the shell says it at every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// The device's settings say to wait.
    pub is_paused: bool,
    /// The supply failed lately, or is about to.
    pub is_brown_out: bool,
    /// What the device found out about itself since it started.
    pub diagnostics: Diagnostics,
}

impl Conditions {
    const fn obstacle(&self) -> Option<Obstacle> {
        match self {
            Self {
                is_brown_out: true, ..
            } => Some(Obstacle::BrownOut),
            Self {
                is_paused: true, ..
            } => Some(Obstacle::Paused),
            _ => None,
        }
    }
}

/// What a device finds out about itself after a start. All of it must pass before a new image stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    /// The sensor answered.
    pub sensor: bool,
    /// The key signed, and the signature holds.
    pub signer: bool,
    /// The queue of records was mounted and can be written to.
    pub queue: bool,
    /// The gateway acknowledged something.
    pub gateway: bool,
    /// The clock is synchronised, and not before the image was made.
    pub time: bool,
}

impl Diagnostics {
    /// All of it passed.
    pub const PASSED: Self = Self {
        sensor: true,
        signer: true,
        queue: true,
        gateway: true,
        time: true,
    };

    /// The first of them that did not pass. The gateway comes last: where nothing is measured, signed or
    /// kept there is nothing to reach it with.
    const fn fault(&self) -> Option<Fault> {
        match self {
            Self { sensor: false, .. } => Some(Fault::Sensor),
            Self { signer: false, .. } => Some(Fault::Signer),
            Self { queue: false, .. } => Some(Fault::Queue),
            Self { time: false, .. } => Some(Fault::Time),
            Self { gateway: false, .. } => Some(Fault::Unreached),
            _ => None,
        }
    }
}

/// What the agent works with; it is the shell's.
pub struct Tools<'a, F, V> {
    /// The flash with the slots.
    pub flash: &'a mut F,
    /// Checks P-256 signatures.
    pub verifier: &'a mut V,
    /// Memory that is needed while metadata is verified or a delta is applied.
    pub workspace: &'a mut Workspace,
    /// Fills bytes with what nobody can foresee.
    pub random: &'a mut dyn FnMut(&mut [u8]),
}

/// Memory that is not needed while a payload is downloaded. What was in it is made again where it is
/// missing, so between two calls another one may come in its place.
pub struct Workspace(Memory);

#[expect(
    clippy::large_enum_variant,
    reason = "both take about the same, in the same place"
)]
enum Memory {
    Root([u8; MAX_TRUSTED_ROOT]),
    Delta(delta::Decoder),
}

impl Workspace {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self(Memory::Root([0; MAX_TRUSTED_ROOT]))
    }

    /// Room for a root.
    fn root(&mut self) -> &mut [u8; MAX_TRUSTED_ROOT] {
        if let Memory::Delta(_) = self.0 {
            *self = Self::new();
        }
        match &mut self.0 {
            Memory::Root(root) => root,
            Memory::Delta(_) => unreachable!("it was replaced"),
        }
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

/// What to ask the gateway. One request is under way at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `POST /ota/check` with [`Agent::question`] as its body.
    Check,
    /// `POST /ota/verify` with [`Agent::question`] as its body.
    Verify,
    /// `POST /ota/complete` with what [`Agent::report`] says, signed by the meter.
    Complete,
    /// `GET /ota/root/{number}`.
    Root {
        /// Which.
        number: u32,
    },
    /// `GET /ota/release/{digest}`.
    Release {
        /// Which.
        digest: Hash,
    },
    /// `GET /ota/chunk` for these records of an object, in the session of a nonce.
    Chunk {
        /// Which object, or list of digests.
        object: Hash,
        /// The first record.
        from: u32,
        /// How many.
        count: u32,
        /// The nonce of the question whose session this is.
        nonce: Nonce,
    },
}

/// What the shell has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Nothing until bytes arrive or [`Agent::deadline`] comes.
    Wait,
    /// Something was done that takes its time, and there is more: measure first, then call again.
    Continue,
    /// Send this, and give the answer back. It ends whatever was sent before: of that nothing is given back
    /// any more.
    Send(Request),
    /// Restart the device: another image starts.
    Restart,
}

/// How far the device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How far.
    pub state: UpdateState,
    /// Why not further.
    pub obstacle: Obstacle,
    /// The release that it is at.
    pub release: Option<Hash>,
    /// Bytes of it that are fetched.
    pub done_bytes: u32,
    /// Bytes of it in all.
    pub total_bytes: u32,
}

impl Progress {
    /// Of a hundred.
    #[must_use]
    pub fn percent(&self) -> u8 {
        let all = u64::from(self.total_bytes).max(1);
        (u64::from(self.done_bytes) * 100 / all) as u8
    }
}

/// How an update ended, of which somebody is to be told.
struct End {
    release: Hash,
    payload: Hash,
    outcome: UpdateOutcome,
    obstacle: Obstacle,
}

/// What is being fetched.
struct Target {
    candidate: Candidate,
    object: Hash,
    list: Hash,
    /// Where the object lies decrypted.
    place: Place,
    /// Whether that is a delta.
    is_delta: bool,
    cipher: SectorCipher,
}

/// What the device is at.
enum Activity {
    /// It waits until it is due.
    Idle,
    /// It waits to be told whether to start what it has.
    Staged,
    /// It runs a new image.
    Trial {
        /// When that has to have shown that it works.
        until: UptimeMillis,
    },
    /// It asks for what the request names.
    Asking(Request),
    /// It fetches the list of digests.
    List(Download),
    /// It looks for the first sector that is not in the slot.
    Resuming { sector: u32 },
    /// It fetches the object.
    Object(Download),
    /// It makes the payload of the one that runs and the delta, a sector at a time.
    Applying { sector: u32 },
    /// It sums up what is in the slot.
    Summing(Sum),
    /// It has another image start next.
    Restarting,
}

/// A request that is under way.
struct Exchange {
    deadline: UptimeMillis,
    /// Bytes of its answer in the buffer, where the answer is one piece.
    received: usize,
    /// A record of it held.
    is_fruitful: bool,
}

/// The update agent.
pub struct Agent {
    identity: Identity,
    secret: DeviceSecret,
    settings: Settings,
    layout: UpdateLayout,
    boot: BootStore,
    root: RootStore,
    activity: Activity,
    exchange: Option<Exchange>,
    target: Option<Target>,
    session: Option<Session>,
    /// The release that the gateway assigned.
    assigned: Option<Hash>,
    /// The release whose delta did not lead to its payload: of that the whole is fetched.
    without_delta: Option<Hash>,
    keys: [Option<AnsweredKey>; MAX_ANSWERED_KEYS],
    nonce: Nonce,
    obstacle: Obstacle,
    /// A release that is not taken, and of which nobody was told yet.
    refused: Option<(Hash, Hash, Obstacle)>,
    /// Nobody could be told: ask before that is tried again.
    told_in_vain: bool,
    due: UptimeMillis,
    /// Failures in a row that make the waits longer.
    failures: u8,
    /// Records, sectors or requests in a row that brought nothing.
    bad: u8,
    bad_sectors: u8,
    fruitless: u8,
    buffer: Sector,
}

/// Why an agent cannot start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    /// The boot state cannot be read.
    #[error("the boot state cannot be read")]
    Flash(#[from] FlashFailure),
}

/// What stops an activity: why, and for how long.
enum Stop {
    /// Try the same again after a while.
    Again(Obstacle),
    /// Ask anew after a while.
    Anew(Obstacle),
    /// Ask anew at once.
    Now,
    /// The delta does not lead to the payload: ask anew at once, and fetch the whole.
    Whole,
    /// Not this release: ask when it is time for the next check.
    Refuse(Obstacle),
}

impl From<FlashFailure> for Stop {
    fn from(_: FlashFailure) -> Self {
        Self::Anew(Obstacle::Flash)
    }
}

impl From<RootError> for Stop {
    fn from(error: RootError) -> Self {
        match error {
            RootError::Flash(failure) => failure.into(),
            RootError::Missing | RootError::TooLong(_) => Self::Anew(Obstacle::Untrusted),
        }
    }
}

impl Agent {
    /// Starts with what is on the flash. The first question is asked after up to a minute.
    ///
    /// # Errors
    /// Any [`MountError`].
    pub fn mount<F: NorFlash, V>(
        tools: &mut Tools<'_, F, V>,
        layout: UpdateLayout,
        identity: Identity,
        secret: DeviceSecret,
        settings: Settings,
        now: UptimeMillis,
    ) -> Result<Self, MountError> {
        let mut boot = BootStore::mount(tools.flash, layout.boot)?;
        let activity = match boot.state().phase {
            Phase::Trial { candidate, .. } if candidate.payload == identity.running => {
                Activity::Trial {
                    until: later(now, settings.trial_ms),
                }
            }
            Phase::Armed(_) | Phase::Trial { .. } => {
                // Its start could not be counted, so it is not what runs. Where that cannot be written
                // either, nothing else is armed before it can.
                let _ = boot.roll_back(tools.flash, Fault::Uncounted);
                Activity::Idle
            }
            _ => Activity::Idle,
        };
        let mut agent = Self {
            identity,
            secret,
            settings,
            layout,
            root: RootStore::mount(tools.flash, layout.root),
            boot,
            activity,
            exchange: None,
            target: None,
            session: None,
            assigned: None,
            without_delta: None,
            keys: [None; MAX_ANSWERED_KEYS],
            nonce: Nonce::default(),
            obstacle: Obstacle::None,
            refused: None,
            told_in_vain: false,
            due: now,
            failures: 0,
            bad: 0,
            bad_sectors: 0,
            fruitless: 0,
            buffer: [0; SECTOR_BYTES as usize],
        };
        agent.due = later(now, below(tools.random, 60_000));
        Ok(agent)
    }

    /// How far the device is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let (state, obstacle) = match (&self.activity, self.boot.state().phase) {
            (Activity::Trial { .. }, _) => (UpdateState::Trial, self.obstacle),
            (Activity::Staged | Activity::Asking(Request::Verify), _) => {
                (UpdateState::Staged, self.obstacle)
            }
            (Activity::Asking(Request::Check | Request::Root { .. }), _) => {
                (UpdateState::Checking, self.obstacle)
            }
            (Activity::Idle | Activity::Asking(Request::Complete), phase) => self.rested(phase),
            _ => (UpdateState::Fetching, self.obstacle),
        };
        let target = self.target.as_ref();
        let place = target.map(|target| target.place);
        let total_bytes = place.map_or(0, |place| place.object_bytes);
        let done_bytes = match &self.activity {
            Activity::Resuming { sector } => (sector * SECTOR_BYTES).min(total_bytes),
            Activity::Object(download) => download.done_bytes(),
            Activity::Applying { .. }
            | Activity::Summing(_)
            | Activity::Staged
            | Activity::Asking(Request::Verify) => total_bytes,
            _ => 0,
        };
        Progress {
            state,
            obstacle,
            release: self.release(),
            done_bytes,
            total_bytes,
        }
    }

    /// The release that the device is at.
    fn release(&self) -> Option<Hash> {
        let tried = match self.boot.state().phase {
            Phase::Trial { candidate, .. }
            | Phase::Confirmed(candidate)
            | Phase::RolledBack { candidate, .. } => Some(candidate.release),
            Phase::Settled | Phase::Armed(_) => None,
        };
        self.assigned.or(tried)
    }

    /// How a device is that does nothing about an update now.
    fn rested(&self, phase: Phase) -> (UpdateState, Obstacle) {
        match phase {
            Phase::Confirmed(_) => (UpdateState::Confirmed, Obstacle::None),
            Phase::RolledBack { fault, .. } => (UpdateState::RolledBack, obstacle_of(fault)),
            Phase::Settled | Phase::Armed(_) | Phase::Trial { .. } => {
                (UpdateState::Idle, self.obstacle)
            }
        }
    }

    /// Asks the gateway at the next call, whenever the next check would be.
    pub fn check_now(&mut self, now: UptimeMillis) {
        if let Activity::Idle | Activity::Staged = self.activity {
            self.due = now;
        }
    }

    /// When [`Agent::next`] is due.
    #[must_use]
    pub fn deadline(&self) -> UptimeMillis {
        match (&self.exchange, &self.activity) {
            (Some(exchange), _) => exchange.deadline,
            (None, Activity::Trial { until }) => *until,
            (None, _) => self.due,
        }
    }

    /// Does what is due. Called until it gives [`Step::Wait`], and whenever the conditions change.
    pub fn next<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        conditions: Conditions,
        now: UptimeMillis,
    ) -> Step {
        if let Activity::Trial { until } = self.activity {
            if conditions.is_brown_out || now < self.due {
                return Step::Wait;
            }
            return self.examine(tools, conditions.diagnostics, now >= until, now);
        }
        if let Some(obstacle) = conditions.obstacle() {
            // What is under way is not waited for, and its question is not asked again.
            self.exchange = None;
            match self.activity {
                Activity::Asking(Request::Verify) => self.activity = Activity::Staged,
                Activity::Asking(_) => self.forget(),
                _ => {}
            }
            self.obstacle = obstacle;
            let soonest = later(now, jittered(FIRST_WAIT_MS, tools.random));
            self.due = self.due.max(soonest);
            return Step::Wait;
        }
        if let Some(exchange) = &self.exchange {
            if now >= exchange.deadline {
                self.unreachable(tools, now);
            }
            return Step::Wait;
        }
        if now < self.due {
            return Step::Wait;
        }
        let step = self.work(tools, now);
        step.unwrap_or_else(|stop| {
            self.stop(stop, tools.random, now);
            Step::Wait
        })
    }

    fn work<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        now: UptimeMillis,
    ) -> Result<Step, Stop> {
        let has_to_tell = !self.told_in_vain && self.end().is_some();
        let request = match &mut self.activity {
            Activity::Idle if has_to_tell => Request::Complete,
            Activity::Idle => {
                (tools.random)(&mut self.nonce);
                Request::Check
            }
            Activity::Staged => {
                (tools.random)(&mut self.nonce);
                Request::Verify
            }
            Activity::Asking(request) => *request,
            Activity::List(download) | Activity::Object(download) => {
                let (from, count) = download.request();
                let object = download.object();
                let nonce = self.nonce;
                self.exchange = Some(Exchange::new(now));
                return Ok(Step::Send(Request::Chunk {
                    object,
                    from,
                    count,
                    nonce,
                }));
            }
            Activity::Resuming { sector } => {
                let sector = *sector;
                self.resume(tools, sector)?;
                return Ok(Step::Continue);
            }
            Activity::Applying { sector } => {
                let sector = *sector;
                self.apply(tools, sector)?;
                return Ok(Step::Continue);
            }
            Activity::Summing(sum) => {
                if sum.add(tools.flash, SECTOR_BYTES)? {
                    let digest = sum.digest();
                    self.summed(digest)?;
                }
                return Ok(Step::Continue);
            }
            Activity::Trial { .. } => return Ok(Step::Wait),
            Activity::Restarting => return Ok(Step::Restart),
        };
        self.activity = Activity::Asking(request);
        self.exchange = Some(Exchange::new(now));
        Ok(Step::Send(request))
    }

    /// The body of [`Request::Check`] and [`Request::Verify`]; how many bytes of it there are.
    pub fn question(&self, body: &mut [u8; MAX_QUESTION]) -> usize {
        let is_verify = matches!(self.activity, Activity::Asking(Request::Verify));
        let progress = self.progress();
        let (state, obstacle) = match is_verify {
            true => (UpdateState::Staged, self.obstacle),
            false => self.rested(self.boot.state().phase),
        };
        let question = Question {
            device: self.identity.device,
            nonce: self.nonce,
            root_number: self.root.number(),
            class: self.identity.class,
            running: self.identity.running,
            security_counter: self.boot.state().security_counter,
            state,
            obstacle,
            release: progress.release,
            done_bytes: progress.done_bytes,
            total_bytes: progress.total_bytes,
        };
        let proven = ProvenQuestion::new(question, &self.secret);
        canonical::encode(&proven, body)
            .expect("no question is longer than that")
            .len()
    }

    /// What there is to say of an update, until somebody was told: the body of [`Request::Complete`], once
    /// the meter has signed it. `boot` is how often the meter has started.
    #[must_use]
    pub fn report(&self, boot: BootCounter, now: Now) -> Option<UpdateReport> {
        let End {
            release,
            payload,
            outcome,
            obstacle,
        } = self.end()?;
        Some(UpdateReport {
            meter: self.identity.device,
            boot,
            time: now.time(),
            uptime: now.uptime(),
            time_quality: now.quality(),
            release,
            payload,
            running: self.identity.running,
            root_number: self.root.number(),
            security_counter: self.boot.state().security_counter,
            outcome,
            obstacle: UpdateObstacle::numbered(obstacle.number())
                .expect("both lists of obstacles have the same numbers"),
        })
    }

    /// How the last update ended, until somebody was told.
    fn end(&self) -> Option<End> {
        let tried = match self.boot.state().phase {
            Phase::Confirmed(candidate) => {
                Some((candidate, UpdateOutcome::Confirmed, Obstacle::None))
            }
            Phase::RolledBack {
                candidate,
                fault,
                is_reported: false,
            } => Some((candidate, UpdateOutcome::RolledBack, obstacle_of(fault))),
            _ => None,
        };
        let of_tried = |(candidate, outcome, obstacle): (Candidate, _, _)| End {
            release: candidate.release,
            payload: candidate.payload,
            outcome,
            obstacle,
        };
        let of_refused = |(release, payload, obstacle)| End {
            release,
            payload,
            outcome: UpdateOutcome::Refused,
            obstacle,
        };
        tried.map(of_tried).or_else(|| self.refused.map(of_refused))
    }

    /// Takes the status of an answer; whether its body is wanted.
    pub fn answer_begins<F, V>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        status: u16,
        now: UptimeMillis,
    ) -> bool
    where
        F: NorFlash,
        V: Verifier,
    {
        if self.exchange.is_none() {
            return false;
        }
        if (200..300).contains(&status) {
            return true;
        }
        self.exchange = None;
        let stop = match status {
            408 | 429 | 500.. => Stop::Again(Obstacle::NoAnswer),
            400 | 409 | 413 | 415 | 422
                if matches!(self.activity, Activity::Asking(Request::Complete)) =>
            {
                // These bytes will not be taken later either.
                self.told(tools, now);
                return false;
            }
            _ => Stop::Anew(Obstacle::Refused),
        };
        self.stop(stop, tools.random, now);
        false
    }

    /// Takes the next bytes of an answer; whether more are wanted. Where they are not, the connection is
    /// to be closed.
    pub fn answer_bytes<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        bytes: &[u8],
        now: UptimeMillis,
    ) -> bool {
        let Some(exchange) = &mut self.exchange else {
            return false;
        };
        let most = match &self.activity {
            Activity::Asking(Request::Check | Request::Verify) => MAX_ANSWER,
            Activity::Asking(Request::Root { .. }) => MAX_ROOT,
            Activity::Asking(Request::Release { .. }) => MAX_RELEASE,
            Activity::Asking(_) => return true,
            Activity::List(_) | Activity::Object(_) => {
                return self.answer_records(tools, bytes, now);
            }
            _ => return false,
        };
        let end = exchange.received + bytes.len();
        match self.buffer.get_mut(exchange.received..end) {
            Some(room) if end <= most => {
                room.copy_from_slice(bytes);
                exchange.received = end;
                true
            }
            _ => {
                self.exchange = None;
                self.stop(Stop::Anew(Obstacle::Malformed), tools.random, now);
                false
            }
        }
    }

    /// Says that an answer is whole.
    pub fn answer_ends<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        now: UptimeMillis,
    ) {
        let Some(exchange) = self.exchange.take() else {
            return;
        };
        let len = exchange.received;
        let taken = match &self.activity {
            Activity::Asking(Request::Check) => self.take_answer(tools, len, Stage::Fetch, now),
            Activity::Asking(Request::Verify) => self.take_answer(tools, len, Stage::Arm, now),
            Activity::Asking(Request::Root { .. }) => self.take_root(tools, len),
            Activity::Asking(Request::Release { .. }) => self.take_release(tools, len),
            Activity::Asking(Request::Complete) => {
                self.told(tools, now);
                Ok(())
            }
            // The object is not whole yet: the next request goes on.
            _ if exchange.is_fruitful => Ok(()),
            _ => Err(self.fruitless()),
        };
        if let Err(stop) = taken {
            self.stop(stop, tools.random, now);
        }
    }

    /// Says that there is no connection, or that it broke before the answer was whole.
    pub fn unreachable<F, V>(&mut self, tools: &mut Tools<'_, F, V>, now: UptimeMillis) {
        let Some(exchange) = self.exchange.take() else {
            return;
        };
        let stop = match &self.activity {
            Activity::List(_) | Activity::Object(_) if !exchange.is_fruitful => self.fruitless(),
            _ => Stop::Again(Obstacle::NoAnswer),
        };
        self.stop(stop, tools.random, now);
    }

    /// A request of a download brought nothing: after some of these the session is over, and with it what
    /// may be wrong with it.
    fn fruitless(&mut self) -> Stop {
        self.fruitless += 1;
        match self.fruitless < MOST_FRUITLESS {
            true => Stop::Again(Obstacle::NoAnswer),
            false => Stop::Anew(Obstacle::NoAnswer),
        }
    }

    fn take_answer<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        len: usize,
        most: Stage,
        now: UptimeMillis,
    ) -> Result<(), Stop> {
        let malformed = |_| Stop::Anew(Obstacle::Malformed);
        let answer = Answer::decode(&self.buffer[..len]).map_err(malformed)?;
        let signed = SignedAssignment::decode(answer.assignment).map_err(malformed)?;
        let claimed = signed.claimed().root_number;
        if claimed > self.root.number() {
            let number = self.root.number() + 1;
            self.activity = Activity::Asking(Request::Root { number });
            return Ok(());
        }
        let root = self.root.load(tools.flash, tools.workspace.root())?;
        let (device, asked) = (self.identity.device, &self.nonce);
        let assignment = signed
            .trust(&root, device, asked, tools.verifier)
            .map_err(|_| Stop::Anew(Obstacle::Untrusted))?;
        let mut keys = [None; MAX_ANSWERED_KEYS];
        for (place, key) in keys.iter_mut().zip(answer.keys()) {
            *place = Some(*key);
        }
        match most {
            Stage::Arm => self.may_start(tools, &assignment, now),
            _ => {
                self.keys = keys;
                self.assign(&assignment, tools.random, now);
                Ok(())
            }
        }
    }

    /// Goes on as a check was answered.
    fn assign(
        &mut self,
        assignment: &Assignment,
        random: &mut dyn FnMut(&mut [u8]),
        now: UptimeMillis,
    ) {
        let fetched = match assignment.stage {
            Stage::Hold => None,
            Stage::Fetch | Stage::Arm => assignment.release,
        };
        self.assigned = fetched;
        let Some(digest) = fetched else {
            if self.end().is_none() {
                self.failures = 0;
            }
            self.rest(random, now);
            self.obstacle = match assignment.release {
                Some(_) => Obstacle::Held,
                None => Obstacle::None,
            };
            return;
        };
        self.session = Some(self.secret.session(&self.nonce, &assignment.server_nonce));
        self.obstacle = Obstacle::None;
        self.activity = Activity::Asking(Request::Release { digest });
        self.due = now;
    }

    /// Follows the next root, and asks anew.
    fn take_root<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        len: usize,
    ) -> Result<(), Stop> {
        let signed =
            SignedRoot::decode(&self.buffer[..len]).map_err(|_| Stop::Anew(Obstacle::Malformed))?;
        let trusted = self.root.load(tools.flash, tools.workspace.root())?;
        let next = signed
            .follow(&trusted, tools.verifier)
            .map_err(|_| Stop::Anew(Obstacle::Untrusted))?;
        self.root
            .store(tools.flash, next.number, signed.approved().content)?;
        Err(Stop::Now)
    }

    fn take_release<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        len: usize,
    ) -> Result<(), Stop> {
        let malformed = |_| Stop::Anew(Obstacle::Malformed);
        let untrusted = |_| Stop::Anew(Obstacle::Untrusted);
        let signed = SignedRelease::decode(&self.buffer[..len]).map_err(malformed)?;
        let release = *signed.claimed();
        let digest = release.digest();
        if Some(digest) != self.assigned {
            return Err(Stop::Anew(Obstacle::Untrusted));
        }
        let root = self.root.load(tools.flash, tools.workspace.root())?;
        signed.trust(&root, tools.verifier).map_err(untrusted)?;
        let payload = release.payload;
        if payload == self.identity.running {
            // It runs already, under this release or another.
            return Err(Stop::Refuse(Obstacle::None));
        }
        if let Some(obstacle) = self.unfitness(&release) {
            self.refused = Some((digest, payload, obstacle));
            return Err(Stop::Refuse(obstacle));
        }
        let target = self.target_of(&release, digest)?;
        let list_bytes = target.place.sectors() * DIGEST_BYTES;
        let offset = self.layout.list * SECTOR_BYTES;
        let has_list = summed(tools.flash, offset, list_bytes)? == target.list;
        self.activity = match has_list {
            true => Activity::Resuming { sector: 0 },
            false => Activity::List(Download::new(target.list, list_bytes, 0)),
        };
        self.target = Some(target);
        (self.bad, self.bad_sectors, self.fruitless) = (0, 0, 0);
        Ok(())
    }

    /// Why this device may not run a release that is signed as it must be.
    fn unfitness(&self, release: &Release<'_>) -> Option<Obstacle> {
        let fits = release.encodings().next().is_some_and(|whole| {
            let payload_bytes = release.parts.payload_bytes();
            let object_bytes = release.object_bytes(whole);
            let slot_bytes = self.layout.slot_bytes();
            payload_bytes.is_some_and(|bytes| bytes <= slot_bytes)
                && object_bytes.is_some_and(|bytes| self.layout.has_list_of(bytes))
        });
        if release.class != self.identity.class {
            Some(Obstacle::OtherHardware)
        } else if release.security_counter < self.boot.state().security_counter {
            Some(Obstacle::CounterTooLow)
        } else if !fits {
            Some(Obstacle::TooLarge)
        } else {
            None
        }
    }

    /// What of a release is to be fetched, with the key that was answered for it.
    fn target_of(&self, release: &Release<'_>, digest: Hash) -> Result<Target, Stop> {
        let whole = release.encodings().next();
        let delta = release
            .encodings()
            .find(|encoding| encoding.base == Some(self.identity.running))
            .filter(|encoding| self.takes_delta(release, encoding, digest));
        let encoding = delta.or(whole).ok_or(Stop::Anew(Obstacle::Malformed))?;
        let key = self
            .key_of(encoding)
            .ok_or(Stop::Anew(Obstacle::WrongKey))?;
        let slot = self.boot.state().confirmed.other();
        // A delta lies at the slot's end, where the payload that is made of it does not come.
        let behind = match encoding.base {
            Some(_) => self.layout.slot_sectors - encoding.plain_bytes.div_ceil(SECTOR_BYTES),
            None => 0,
        };
        let object_bytes = release.object_bytes(encoding);
        let place = Place {
            offset: self.layout.slot_offset(slot) + behind * SECTOR_BYTES,
            plain_bytes: encoding.plain_bytes,
            object_bytes: object_bytes.ok_or(Stop::Anew(Obstacle::Malformed))?,
        };
        let payload_bytes = release.parts.payload_bytes();
        Ok(Target {
            candidate: Candidate {
                release: digest,
                payload: release.payload,
                payload_bytes: payload_bytes.ok_or(Stop::Anew(Obstacle::Malformed))?,
                security_counter: release.security_counter,
            },
            object: encoding.object,
            list: encoding.list,
            place,
            is_delta: encoding.base.is_some(),
            cipher: SectorCipher::new(release.suite, &key, encoding.nonce),
        })
    }

    /// Whether a delta leads to the payload here: its key was answered, both fit into the slot, and it did
    /// not fail before.
    fn takes_delta(&self, release: &Release<'_>, encoding: &Encoding, digest: Hash) -> bool {
        let sectors = |bytes: u32| bytes.div_ceil(SECTOR_BYTES);
        let fits = release.parts.payload_bytes().is_some_and(|payload_bytes| {
            sectors(payload_bytes) + sectors(encoding.plain_bytes) <= self.layout.slot_sectors
        });
        fits && self.without_delta != Some(digest) && self.key_of(encoding).is_some()
    }

    /// The key of an encoding's object, as it was answered, if it is the one that was signed.
    fn key_of(&self, encoding: &Encoding) -> Option<ContentKey> {
        let answered = self.keys.iter().flatten();
        answered
            .filter(|key| key.object == encoding.object)
            .find_map(|key| self.secret.unwrap(&key.object, &key.wrapped))
            .filter(|key| key.check() == encoding.key_check)
    }

    fn answer_records<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        mut bytes: &[u8],
        now: UptimeMillis,
    ) -> bool {
        while !bytes.is_empty() {
            match self.take_records(tools, &mut bytes, now) {
                Ok(true) => {}
                Ok(false) => {
                    self.exchange = None;
                    return false;
                }
                Err(stop) => {
                    self.exchange = None;
                    self.stop(stop, tools.random, now);
                    return false;
                }
            }
        }
        true
    }

    /// Takes bytes up to the end of a record; whether more of the answer is wanted.
    fn take_records<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        bytes: &mut &[u8],
        now: UptimeMillis,
    ) -> Result<bool, Stop> {
        let (Some(session), Some(target)) = (&self.session, &self.target) else {
            return Err(Stop::Now);
        };
        let (download, is_list) = match &mut self.activity {
            Activity::List(download) => (download, true),
            Activity::Object(download) => (download, false),
            _ => return Ok(false),
        };
        let received = download.take(bytes, &mut self.buffer, session);
        let (len, is_last) = match received {
            Ok(Received::More) => return Ok(true),
            Ok(Received::Record) => {
                self.held(now);
                return Ok(true);
            }
            Ok(Received::Sector { len, is_last }) => (len, is_last),
            Err(_) => return Err(bad(&mut self.bad, Obstacle::BadRecords)),
        };
        let sector = download.sector();
        if is_list {
            let offset = self.layout.list * SECTOR_BYTES + sector * SECTOR_BYTES;
            write_sector(tools.flash, offset, &self.buffer[..len])?;
        } else {
            let signed = listed(tools.flash, &self.layout, sector)?;
            if Hash::of(&[&self.buffer[..len]]) != signed {
                download.discard_sector();
                let stop = bad(&mut self.bad_sectors, Obstacle::BadSector);
                if target.is_delta && matches!(stop, Stop::Anew(_)) {
                    self.without_delta = self.assigned;
                }
                return Err(stop);
            }
            let encrypted = &mut self.buffer[..len];
            let content = target.cipher.decrypt(sector, is_last, encrypted);
            let expected = target.place.plain_of(sector);
            // With the key that the release names, this cannot be otherwise.
            if content != Ok(expected) {
                let Candidate {
                    release, payload, ..
                } = target.candidate;
                self.refused = Some((release, payload, Obstacle::BadPayload));
                return Err(Stop::Refuse(Obstacle::BadPayload));
            }
            let offset = target.place.offset + sector * SECTOR_BYTES;
            write_sector(tools.flash, offset, &self.buffer[..expected])?;
            (self.bad_sectors, self.failures) = (0, 0);
        }
        download.advance();
        self.held(now);
        if !is_last {
            return Ok(true);
        }
        self.fetched(tools, is_list)?;
        Ok(false)
    }

    /// A record held: the gateway is there, and has until then for the next.
    fn held(&mut self, now: UptimeMillis) {
        (self.bad, self.fruitless) = (0, 0);
        if let Some(exchange) = &mut self.exchange {
            exchange.is_fruitful = true;
            exchange.deadline = later(now, REQUEST_TIMEOUT_MS);
        }
    }

    /// An object is whole.
    fn fetched<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        is_list: bool,
    ) -> Result<(), Stop> {
        let Some(target) = &self.target else {
            return Err(Stop::Now);
        };
        if is_list {
            let list_bytes = target.place.sectors() * DIGEST_BYTES;
            let offset = self.layout.list * SECTOR_BYTES;
            if summed(tools.flash, offset, list_bytes)? != target.list {
                return Err(Stop::Anew(Obstacle::BadSector));
            }
            self.activity = Activity::Resuming { sector: 0 };
        } else {
            self.activity = self.complete(target);
        }
        Ok(())
    }

    /// What comes once the object is whole.
    fn complete(&self, target: &Target) -> Activity {
        match target.is_delta {
            true => Activity::Applying { sector: 0 },
            false => Activity::Summing(self.sum_of(target)),
        }
    }

    /// The sum over the payload in the slot.
    fn sum_of(&self, target: &Target) -> Sum {
        let slot = self.boot.state().confirmed.other();
        Sum::new(
            self.layout.slot_offset(slot),
            target.candidate.payload_bytes,
        )
    }

    /// Makes one sector of the payload of the one that runs and the delta. After a cut all of it is made
    /// again, and what is there already is not written.
    fn apply<F: NorFlash, V>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        sector: u32,
    ) -> Result<(), Stop> {
        let Some(target) = &self.target else {
            return Err(Stop::Now);
        };
        let confirmed = self.boot.state().confirmed;
        let flash = RefCell::new(&mut *tools.flash);
        let mut old = FlashSource {
            flash: &flash,
            offset: self.layout.slot_offset(confirmed),
        };
        let mut delta = FlashSource {
            flash: &flash,
            offset: target.place.offset,
        };
        let mut sector = sector;
        if !matches!(tools.workspace.0, Memory::Delta(_)) || sector == 0 {
            let sizes = delta::Sizes {
                delta: target.place.plain_bytes,
                old: self.identity.running_bytes,
                new: target.candidate.payload_bytes,
            };
            let opened = delta::Decoder::open(sizes, &mut delta);
            tools.workspace.0 = Memory::Delta(opened.map_err(|error| self.failed(error))?);
            sector = 0;
        }
        let Memory::Delta(decoder) = &mut tools.workspace.0 else {
            return Err(Stop::Now);
        };
        let made = decoder.decode(&mut old, &mut delta, &mut self.buffer);
        let len = match made {
            Ok(len) => len,
            Err(error) => return Err(self.failed(error)),
        };
        let start = self.layout.slot_offset(confirmed.other());
        let content = &self.buffer[..len];
        write_sector(tools.flash, start + sector * SECTOR_BYTES, content)?;
        let sector = sector + 1;
        self.activity = match sector * SECTOR_BYTES < target.candidate.payload_bytes {
            true => Activity::Applying { sector },
            false => Activity::Summing(self.sum_of(target)),
        };
        Ok(())
    }

    /// A delta that cannot be applied: the whole is fetched in its place, unless it was the flash.
    fn failed(&self, error: DeltaError<FlashFailure>) -> Stop {
        match error {
            DeltaError::Source(failure) => failure.into(),
            _ => Stop::Whole,
        }
    }

    /// Looks at one sector of the slot.
    fn resume<F: NorFlash, V: Verifier>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        sector: u32,
    ) -> Result<(), Stop> {
        let Some(target) = &self.target else {
            return Err(Stop::Now);
        };
        let place = target.place;
        if sector == place.sectors() {
            self.activity = self.complete(target);
            return Ok(());
        }
        let signed = listed(tools.flash, &self.layout, sector)?;
        let has = place.has(
            tools.flash,
            sector,
            &target.cipher,
            &signed,
            &mut self.buffer,
        )?;
        self.activity = match has {
            true => Activity::Resuming { sector: sector + 1 },
            false => Activity::Object(Download::new(target.object, place.object_bytes, sector)),
        };
        Ok(())
    }

    fn summed(&mut self, digest: Hash) -> Result<(), Stop> {
        let Some(target) = &self.target else {
            return Err(Stop::Now);
        };
        if digest != target.candidate.payload && target.is_delta {
            return Err(Stop::Whole);
        }
        if digest != target.candidate.payload {
            let Candidate {
                release, payload, ..
            } = target.candidate;
            self.refused = Some((release, payload, Obstacle::BadPayload));
            return Err(Stop::Refuse(Obstacle::BadPayload));
        }
        self.activity = Activity::Staged;
        Ok(())
    }

    /// Has what is staged start next, if that is what the gateway answered.
    fn may_start<F: NorFlash, V>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        assignment: &Assignment,
        now: UptimeMillis,
    ) -> Result<(), Stop> {
        let candidate = self.target.as_ref().map(|target| target.candidate);
        let Some(candidate) =
            candidate.filter(|candidate| assignment.release == Some(candidate.release))
        else {
            return Err(Stop::Anew(Obstacle::Held));
        };
        if assignment.stage != Stage::Arm {
            self.activity = Activity::Staged;
            self.obstacle = Obstacle::Held;
            self.due = later(now, jittered(self.settings.verify_every_ms, tools.random));
            return Ok(());
        }
        match self.boot.arm(tools.flash, candidate) {
            Ok(()) => {
                self.activity = Activity::Restarting;
                self.due = now;
                Ok(())
            }
            Err(BootError::Flash(failure)) => Err(failure.into()),
            Err(BootError::CounterTooLow { .. }) => Err(Stop::Refuse(Obstacle::CounterTooLow)),
            Err(BootError::WrongPhase) => Err(Stop::Anew(Obstacle::Held)),
        }
    }

    /// Keeps the image on trial, or gives it up.
    fn examine<F: NorFlash, V>(
        &mut self,
        tools: &mut Tools<'_, F, V>,
        diagnostics: Diagnostics,
        is_over: bool,
        now: UptimeMillis,
    ) -> Step {
        let decided = match diagnostics.fault() {
            None => self.boot.confirm(tools.flash).map(|()| Step::Continue),
            Some(fault) if is_over => self
                .boot
                .roll_back(tools.flash, fault)
                .map(|()| Step::Restart),
            Some(_) => return Step::Wait,
        };
        match decided {
            Ok(step) => {
                // After a fault nothing may be written before the old image runs again.
                self.activity = match step {
                    Step::Restart => Activity::Restarting,
                    _ => Activity::Idle,
                };
                self.due = now;
                step
            }
            // The flash refused: nothing was decided, and it is tried again.
            Err(_) => {
                self.due = later(now, FIRST_WAIT_MS);
                Step::Wait
            }
        }
    }

    /// Somebody was told what became of the last update.
    fn told<F: NorFlash, V>(&mut self, tools: &mut Tools<'_, F, V>, now: UptimeMillis) {
        match self.boot.reported(tools.flash) {
            Ok(()) => self.failures = 0,
            // That could not be kept: it is told again.
            Err(BootError::Flash(_)) => self.told_in_vain = true,
            Err(_) => self.refused = None,
        }
        self.rest(tools.random, now);
    }

    fn stop(&mut self, stop: Stop, random: &mut dyn FnMut(&mut [u8]), now: UptimeMillis) {
        let (obstacle, is_over) = match stop {
            Stop::Again(obstacle) => (obstacle, false),
            Stop::Anew(obstacle) => (obstacle, true),
            Stop::Now => {
                self.forget();
                self.due = now;
                return;
            }
            Stop::Whole => {
                self.without_delta = self.assigned;
                self.forget();
                self.obstacle = Obstacle::BadDelta;
                self.due = now;
                return;
            }
            Stop::Refuse(obstacle) => {
                self.rest(random, now);
                self.obstacle = obstacle;
                return;
            }
        };
        self.obstacle = obstacle;
        self.told_in_vain = matches!(self.activity, Activity::Asking(Request::Complete));
        match &self.activity {
            // A question is asked anew, by a fresh nonce.
            Activity::Asking(Request::Verify) if !is_over => self.activity = Activity::Staged,
            Activity::List(_) | Activity::Object(_) if !is_over => {}
            _ => self.forget(),
        }
        self.due = self.after_failure(random, now);
    }

    /// Waits for the next check.
    fn rest(&mut self, random: &mut dyn FnMut(&mut [u8]), now: UptimeMillis) {
        self.forget();
        self.due = match (self.end(), self.told_in_vain) {
            (Some(_), false) => now,
            (Some(_), true) => self.after_failure(random, now),
            (None, _) => later(now, jittered(self.settings.check_every_ms, random)),
        };
        self.told_in_vain = false;
    }

    /// When to try again after one more failure.
    fn after_failure(
        &mut self,
        random: &mut dyn FnMut(&mut [u8]),
        now: UptimeMillis,
    ) -> UptimeMillis {
        let wait = FIRST_WAIT_MS << self.failures.min(8);
        self.failures = self.failures.saturating_add(1);
        later(now, jittered(wait.min(LONGEST_WAIT_MS), random))
    }

    /// Ends the session and what was to be fetched in it.
    fn forget(&mut self) {
        self.activity = Activity::Idle;
        (self.target, self.session, self.assigned) = (None, None, None);
        self.keys = [None; MAX_ANSWERED_KEYS];
        (self.bad, self.bad_sectors, self.fruitless) = (0, 0, 0);
    }
}

impl Exchange {
    fn new(now: UptimeMillis) -> Self {
        Self {
            deadline: later(now, REQUEST_TIMEOUT_MS),
            received: 0,
            is_fruitful: false,
        }
    }
}

/// One more in a row that is not what it should be.
fn bad(count: &mut u8, obstacle: Obstacle) -> Stop {
    *count += 1;
    match *count < MOST_BAD {
        true => Stop::Again(obstacle),
        false => Stop::Anew(obstacle),
    }
}

/// A stretch of flash, as a delta is read.
struct FlashSource<'a, 'f, F> {
    flash: &'a RefCell<&'f mut F>,
    offset: u32,
}

impl<F: NorFlash> delta::Source for FlashSource<'_, '_, F> {
    type Error = FlashFailure;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashFailure> {
        read_anywhere(&mut **self.flash.borrow_mut(), self.offset + offset, bytes)
    }
}

const fn obstacle_of(fault: Fault) -> Obstacle {
    match fault {
        Fault::Image => Obstacle::BadPayload,
        Fault::Crashes => Obstacle::Crashes,
        Fault::BrownOuts => Obstacle::BrownOuts,
        Fault::Sensor => Obstacle::Sensor,
        Fault::Signer => Obstacle::Signer,
        Fault::Queue => Obstacle::Queue,
        Fault::Unreached => Obstacle::Unreached,
        Fault::Time => Obstacle::Time,
        Fault::Uncounted => Obstacle::Flash,
    }
}

fn later(now: UptimeMillis, ms: u64) -> UptimeMillis {
    UptimeMillis::new(now.get().saturating_add(ms)).unwrap_or(UptimeMillis::MAX)
}

/// A number below `most`, which is not 0.
fn below(random: &mut dyn FnMut(&mut [u8]), most: u64) -> u64 {
    let mut bytes = [0; 8];
    random(&mut bytes);
    u64::from_be_bytes(bytes) % most
}

/// A time, or up to an eighth more.
fn jittered(ms: u64, random: &mut dyn FnMut(&mut [u8])) -> u64 {
    ms + below(random, (ms / 8).max(1))
}
