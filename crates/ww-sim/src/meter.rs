//! A virtual meter: the product's own [`Meter`] with a simulated sensor, flash and network around
//! it, driven from event to event on a fake clock. It decides nothing that a meter decides.

use ww_device::chain::{ChainError, Start};
use ww_device::meter::{Meter, MeterError, Progress, StartError, Step};
use ww_device::now::Now;
use ww_device::queue::{Layout, PushError};
use ww_device::sampler::Enrolled;
use ww_device::signer::Signer;
use ww_device::uplink::{Lane, Request};
use ww_device::verifier::Verifier;
use ww_wire::{AnyReading, Boot, Hash, MeterId, ResetReason, TimeQuality, UptimeMillis, UtcMillis};

use crate::emulator::{self, Housing, HttpFaults};
use crate::flash::FlashHandle;
use crate::gateway::{Gateway, Reply};
use crate::network::{Link, LinkCounters, LinkQuality};
use crate::random::Random;
use crate::sensor::Sensor;

/// Bytes of a request body, as many as the meter on Linux has.
pub const UPLOAD_BYTES: usize = 256 * 1024;
/// The grid on which a meter that is offline is woken.
const GRID_MS: u64 = 10_000;
/// How long a meter that could not go on is left alone.
const PAUSE_MS: u64 = 1_000;

/// What a virtual meter is made of.
#[derive(Clone, Debug)]
pub struct Parts<S, V> {
    /// What it polls.
    pub sensor: Sensor,
    /// What it takes the sensor for before it is enrolled.
    pub proposed: Enrolled,
    /// Its flash.
    pub flash: FlashHandle,
    /// The queue's place on it.
    pub layout: Layout,
    /// Its key.
    pub signer: S,
    /// How it checks the operator.
    pub verifier: V,
    /// Seed of its network and of the randomness that it asks for.
    pub seed: u64,
    /// What runs on it.
    pub firmware: Firmware,
}

/// What runs on a meter, as its Boot records say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// SHA-256 of it.
    pub digest: Hash,
    /// Major, minor, patch.
    pub version: (u16, u16, u16),
    /// Its security counter.
    pub security_counter: u32,
}

impl Firmware {
    /// What runs on a meter that nobody updates.
    #[must_use]
    pub fn first() -> Self {
        Self {
            digest: Hash::of(&[b"virtual meter"]),
            version: (0, 1, 0),
            security_counter: 1,
        }
    }
}

/// What a meter has shown since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The sensor gave a value.
    pub sensor: bool,
    /// The gateway took something that the meter signed.
    pub gateway: bool,
}

/// What may be wrong around a meter, each until it is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterFaults {
    /// The way to the sensor.
    pub sensor: HttpFaults,
    /// The meter has heard no time server.
    pub clock_is_unknown: bool,
    /// No time server has answered: the clock shows something, and nobody vouches for it.
    pub clock_is_informative: bool,
    /// The meter's clock is ahead by this much, ms.
    pub clock_offset_ms: i64,
    /// The meter is not asked for uploads at all: cheaper than a link that loses everything.
    pub is_offline: bool,
}

/// Why a virtual meter stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// It could not start.
    #[error("the meter does not start")]
    Start(#[from] StartError),
    /// It does not know what its flash holds, and must be started anew.
    #[error("the meter must be started anew")]
    Doubtful(#[source] MeterError),
    /// The flash has no power. [`VirtualMeter::power_on`] gives it back.
    #[error("the power is gone")]
    PowerLost,
}

/// A meter in the park. Times are true times; what the meter believes follows from its faults.
pub struct VirtualMeter<S, V> {
    parts: Parts<S, V>,
    meter: Option<Meter<FlashHandle, S, V>>,
    faults: MeterFaults,
    /// True time of the last start.
    booted: UtcMillis,
    /// True time up to which everything has happened.
    now: UtcMillis,
    random: Random,
    answer: Option<SensorAnswer>,
    up: Link<Sent>,
    down: Link<Replied>,
    /// The number of the request that is under way on each lane: an answer to any other came over
    /// a connection that was dropped.
    awaited: [Option<u64>; 2],
    requests: u64,
    buffer: Vec<u8>,
    recorded: Option<Vec<AnyReading>>,
    mishaps: u64,
    last_mishap: Option<MeterError>,
    shown: Shown,
}

#[derive(Clone, Debug)]
struct SensorAnswer {
    due: UtcMillis,
    /// `None`: the connection breaks instead.
    answer: Option<(u16, String)>,
    /// The body breaks off after this many bytes.
    truncated_after_bytes: Option<usize>,
}

#[derive(Clone, Debug)]
struct Sent {
    number: u64,
    request: Request,
    body: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Replied {
    number: u64,
    lane: Lane,
    reply: Reply,
}

impl<S: Signer + Clone, V: Verifier + Clone> VirtualMeter<S, V> {
    /// A meter without power, at `now`.
    #[must_use]
    pub fn new(parts: Parts<S, V>, now: UtcMillis) -> Self {
        let seed = parts.seed;
        Self {
            parts,
            meter: None,
            faults: MeterFaults::default(),
            booted: now,
            now,
            random: Random::new(seed),
            answer: None,
            up: Link::new(LinkQuality::PERFECT, seed ^ 1),
            down: Link::new(LinkQuality::PERFECT, seed ^ 2),
            awaited: [None; 2],
            requests: 0,
            buffer: vec![0; UPLOAD_BYTES],
            recorded: None,
            mishaps: 0,
            last_mishap: None,
            shown: Shown::default(),
        }
    }

    /// Gives the flash its power back, forgets a cut that was planned, and starts the meter.
    ///
    /// # Errors
    /// As [`VirtualMeter::start`].
    pub fn power_on(&mut self) -> Result<Boot, Stopped> {
        self.parts.flash.with(|chip| chip.restore_power());
        self.start()
    }

    /// Starts the meter anew on its flash; one that was running is cut off.
    ///
    /// # Errors
    /// [`Stopped::Start`]; [`Stopped::PowerLost`] when a planned cut strikes.
    pub fn start(&mut self) -> Result<Boot, Stopped> {
        self.start_after(ResetReason::PowerOn)
    }

    /// As [`VirtualMeter::start`], after a reset for this reason.
    ///
    /// # Errors
    /// As [`VirtualMeter::start`].
    pub fn start_after(&mut self, reset_reason: ResetReason) -> Result<Boot, Stopped> {
        self.power_off();
        self.booted = self.now;
        self.shown = Shown::default();
        let Firmware {
            digest,
            version,
            security_counter,
        } = self.parts.firmware;
        let start = Start {
            now: self.meter_now(),
            firmware: digest,
            version,
            security_counter,
            reset_reason,
        };
        let parts = &self.parts;
        let started = Meter::start(
            parts.flash.clone(),
            parts.layout,
            parts.signer.clone(),
            parts.verifier.clone(),
            parts.proposed,
            &start,
        );
        match started {
            Ok((meter, boot)) => {
                self.meter = Some(meter);
                Ok(boot)
            }
            Err(_) if !self.has_power() => Err(Stopped::PowerLost),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the meter's power away between two flash operations.
    pub fn power_off(&mut self) {
        self.meter = None;
        self.answer = None;
        self.awaited = [None; 2];
    }

    /// Stops the meter in an orderly way.
    ///
    /// # Errors
    /// [`Stopped::Doubtful`], [`Stopped::PowerLost`].
    pub fn stop(&mut self) -> Result<(), Stopped> {
        let now = self.meter_now();
        let stopped = self.meter.as_mut().map_or(Ok(()), |meter| meter.stop(now));
        let went_well = self.noted(stopped).map(|_| ());
        self.power_off();
        went_well
    }

    /// Lets time pass until `until`, with everything that happens meanwhile.
    ///
    /// # Errors
    /// [`Stopped::Doubtful`], [`Stopped::PowerLost`]; the meter is off then, and `now` is when that
    /// happened.
    pub fn run_until(
        &mut self,
        until: UtcMillis,
        gateway: &mut impl Gateway,
    ) -> Result<(), Stopped> {
        loop {
            if let Err(stopped) = self.happen(gateway) {
                self.power_off();
                return Err(stopped);
            }
            let next = self.next_event();
            if next > until {
                self.now = self.now.max(until);
                return Ok(());
            }
            self.now = next;
        }
    }

    /// The meter's id.
    pub fn id(&self) -> MeterId {
        self.parts.signer.public_key().id()
    }

    /// True time up to which everything has happened.
    pub fn now(&self) -> UtcMillis {
        self.now
    }

    /// The meter, while it runs.
    pub fn meter(&self) -> Option<&Meter<FlashHandle, S, V>> {
        self.meter.as_ref()
    }

    /// The meter, while it runs, to have something signed.
    pub fn meter_mut(&mut self) -> Option<&mut Meter<FlashHandle, S, V>> {
        self.meter.as_mut()
    }

    /// What it has shown since it started.
    pub const fn shown(&self) -> Shown {
        self.shown
    }

    /// What it is made of, its sensor to be broken and its flash to be cut.
    pub fn parts_mut(&mut self) -> &mut Parts<S, V> {
        &mut self.parts
    }

    /// Gives the parts back, to go on in another shell; the meter is cut off.
    pub fn into_parts(self) -> Parts<S, V> {
        self.parts
    }

    /// What is wrong around it, to be changed at will.
    pub fn faults_mut(&mut self) -> &mut MeterFaults {
        &mut self.faults
    }

    /// The links to the gateway and back.
    pub fn set_network(&mut self, quality: LinkQuality) {
        self.up.set_quality(quality);
        self.down.set_quality(quality);
    }

    /// Takes both links down, or brings them up.
    pub fn set_network_up(&mut self, is_up: bool) {
        self.up.set_up(is_up);
        self.down.set_up(is_up);
    }

    /// What the links to the gateway and back did so far.
    pub fn network(&self) -> [LinkCounters; 2] {
        [self.up.counters(), self.down.counters()]
    }

    /// Begins to keep the readings that the meter calls durable.
    pub fn keep_readings(&mut self) {
        self.recorded.get_or_insert_default();
    }

    /// Gives out the readings that were kept since the last call.
    pub fn take_readings(&mut self) -> Vec<AnyReading> {
        self.recorded
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// How often the meter could not go on with something, and tried again later.
    pub fn mishaps(&self) -> (u64, Option<MeterError>) {
        (self.mishaps, self.last_mishap)
    }

    /// Everything that happens at this instant.
    fn happen(&mut self, gateway: &mut impl Gateway) -> Result<(), Stopped> {
        loop {
            let polled = self.poll()?;
            let carried = self.carry(gateway)?;
            let sent = self.send()?;
            if !(polled || carried || sent) {
                return Ok(());
            }
        }
    }

    /// Wakes the meter and does what it asks of the sensor.
    fn poll(&mut self) -> Result<bool, Stopped> {
        let now = self.meter_now();
        let random = self.random.bits() as u32;
        let Some(meter) = &mut self.meter else {
            return Ok(false);
        };
        let step = match self.answer.take_if(|answer| answer.due <= self.now) {
            Some(answer) => feed(meter, &answer, now),
            None => meter.wake(now, random),
        };
        match self.noted(step)? {
            None | Some(Step::Wait) => Ok(false),
            Some(Step::Ask(path)) => {
                self.answer = Some(self.asked(path));
                Ok(true)
            }
            Some(Step::Recorded(recording)) => {
                self.shown.sensor |= recording.reading.sum().power.is_some();
                if let Some(recorded) = &mut self.recorded {
                    recorded.push(recording.reading);
                }
                Ok(true)
            }
        }
    }

    fn asked(&mut self, path: &str) -> SensorAnswer {
        let faults = self.faults.sensor;
        let delay_ms = u64::try_from(faults.delay.as_millis()).unwrap_or(u64::MAX);
        let due = self.now.checked_add_ms(delay_ms).unwrap_or(UtcMillis::MAX);
        let answer = (!faults.is_unreachable).then(|| {
            let housing = Housing::default();
            let (status, body) =
                emulator::document(&mut self.parts.sensor, &housing, path, self.now);
            (status, faults.nonsense.map_or(body, Into::into))
        });
        SensorAnswer {
            due,
            answer,
            truncated_after_bytes: faults.truncated_after_bytes,
        }
    }

    /// Carries requests to the gateway and answers back.
    fn carry(&mut self, gateway: &mut impl Gateway) -> Result<bool, Stopped> {
        let now_ms = self.now.get();
        let mut busy = false;
        while let Some(sent) = self.up.receive(now_ms) {
            let reply = gateway.ask(self.id(), sent.request, &sent.body, self.now);
            let lane = sent.request.lane();
            self.down.send(
                now_ms,
                Replied {
                    number: sent.number,
                    lane,
                    reply,
                },
            );
            busy = true;
        }
        while let Some(replied) = self.down.receive(now_ms) {
            busy = true;
            let awaited = &mut self.awaited[replied.lane as usize];
            if awaited
                .take_if(|number| *number == replied.number)
                .is_none()
            {
                continue;
            }
            let (now, random) = (self.meter_now(), self.random.bits() as u32);
            let Some(meter) = &mut self.meter else {
                continue;
            };
            match replied.reply {
                Reply::Done(body) => {
                    let taken = meter.upload_done(replied.lane, &body, now, random);
                    let progress = self.noted(taken)?;
                    self.shown.gateway |= matches!(progress, Some(Progress::Acknowledged { .. }));
                }
                Reply::Refused(refusal) => {
                    meter.upload_refused(replied.lane, refusal, now, random);
                }
            }
        }
        Ok(busy)
    }

    /// Asks the meter for uploads.
    fn send(&mut self) -> Result<bool, Stopped> {
        let mut busy = false;
        while !self.faults.is_offline {
            let (now, random) = (self.meter_now(), self.random.bits() as u32);
            let Some(meter) = &mut self.meter else { break };
            let upload = meter.next_upload(now, random, &mut self.buffer);
            let Some(Some(upload)) = self.noted(upload)? else {
                break;
            };
            busy = true;
            self.requests += 1;
            let number = self.requests;
            self.awaited[upload.request.lane() as usize] = Some(number);
            let body = self.buffer[..upload.len].to_vec();
            self.up.send(
                self.now.get(),
                Sent {
                    number,
                    request: upload.request,
                    body,
                },
            );
        }
        Ok(busy)
    }

    /// Tells an error that ends the meter's life from one that it lives with.
    fn noted<T>(&mut self, outcome: Result<T, MeterError>) -> Result<Option<T>, Stopped> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(_) if !self.has_power() => Err(Stopped::PowerLost),
            Err(
                error @ (MeterError::Push(PushError::Doubtful(_))
                | MeterError::Chain(ChainError::Push(PushError::Doubtful(_)))),
            ) => Err(Stopped::Doubtful(error)),
            Err(error) => {
                self.mishaps += 1;
                self.last_mishap = Some(error);
                Ok(None)
            }
        }
    }

    fn next_event(&self) -> UtcMillis {
        let Some(meter) = &self.meter else {
            return UtcMillis::MAX;
        };
        let after = |ms: u64| self.now.checked_add_ms(ms).unwrap_or(UtcMillis::MAX);
        let now = self.meter_now();
        let deadline = meter.deadline(now);
        let due = if deadline > now.uptime() {
            after(deadline.since(now.uptime()))
        } else if self.faults.is_offline {
            let grid_ms = now.time().map_or(now.uptime().get(), |time| time.get());
            after(GRID_MS - grid_ms % GRID_MS)
        } else {
            after(PAUSE_MS)
        };
        let arrivals = [self.up.next_arrival_ms(), self.down.next_arrival_ms()];
        let arrivals = arrivals.into_iter().flatten().filter_map(UtcMillis::new);
        let answer = self.answer.as_ref().map(|answer| answer.due);
        arrivals.chain(answer).fold(due, UtcMillis::min)
    }

    /// The time as the meter knows it.
    pub fn meter_now(&self) -> Now {
        let uptime_ms = self.now.get().saturating_sub(self.booted.get());
        let uptime = UptimeMillis::new(uptime_ms).unwrap_or(UptimeMillis::MAX);
        let time_ms = self
            .now
            .get()
            .saturating_add_signed(self.faults.clock_offset_ms);
        match UtcMillis::new(time_ms) {
            Some(time) if !self.faults.clock_is_unknown => {
                let quality = if self.faults.clock_is_informative {
                    TimeQuality::Informative
                } else {
                    TimeQuality::Synchronised
                };
                Now::at(uptime, time, quality)
            }
            _ => Now::unsynchronised(uptime),
        }
    }

    fn has_power(&self) -> bool {
        self.parts.flash.with(|chip| chip.is_powered())
    }
}

/// Gives the sensor's answer to the meter as a shell does.
fn feed<S: Signer, V: Verifier>(
    meter: &mut Meter<FlashHandle, S, V>,
    answer: &SensorAnswer,
    now: Now,
) -> Result<Step, MeterError> {
    let Some((status, body)) = &answer.answer else {
        return meter.sensor_unreachable();
    };
    let kept = answer
        .truncated_after_bytes
        .unwrap_or(body.len())
        .min(body.len());
    for step in [
        meter.answer_begins(*status, now)?,
        meter.answer_bytes(&body.as_bytes()[..kept], now)?,
    ] {
        if !matches!(step, Step::Wait) {
            return Ok(step);
        }
    }
    // A connection that closes early is no whole answer.
    if kept < body.len() {
        meter.sensor_unreachable()
    } else {
        meter.answer_ends(now)
    }
}
