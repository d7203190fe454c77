//! Polls the sensor on the grid and makes the draft of a reading of every poll, whether it worked
//! or not. It does not number, sign or store readings, and opens no connection: it says what to
//! `GET` and takes the answer's bytes.
//!
//! ```text
//!            due                      answers whole, or refused, or the timeout
//!   Waiting ─────► Polling(slot, Poll) ────────────────────────────────────────► draft, Waiting
//! ```
//!
//! | what happens | the reading of that slot |
//! | --- | --- |
//! | no connection, or no whole answer within the timeout | no values, SENSOR_UNREACHABLE |
//! | an answer with another status than 200, or one that cannot be read | no values, SENSOR_MALFORMED |
//! | another MAC than the enrolled one | no values, WRONG_SENSOR |
//! | the sensor calls its values invalid | no values, SENSOR_INVALID |
//! | the sensor's clock is unset | SENSOR_CLOCK_UNSET |
//! | it differs from a known time by more than 60 s | SENSOR_CLOCK_DIFFERS |
//! | since the last reading UTC moved otherwise than the uptime, by more than 1 s and 100 ppm | CLOCK_STEPPED |
//! | a slot is missed (see [`crate::grid`]) | none: the sequence counts readings, not slots |
//!
//! A reading without values leaves `produced` and the epoch as they were.

use crate::grid::Grid;
use crate::now::Now;
use crate::register::{Counted, Register, RegisterRules};
use crate::shelly::{Poll, PollError, Sensor, SensorClock, SensorSample, SensorValues};
use ww_wire::{
    AnyReading, BootCounter, CounterEpoch, Mac, MeterId, MilliwattHours, Phase, Reading,
    ReadingFlags, Sequence, ThreePhaseReading, UptimeMillis, UtcMillis,
};

/// How long a poll may take with all its requests; below [`crate::grid::CADENCE_MS`], so that
/// polls never overlap.
pub const TIMEOUT_MS: u64 = 8_000;
/// How far the sensor's clock may be off before a reading says so.
pub const SENSOR_CLOCK_TOLERANCE_MS: u64 = 60_000;
/// A smaller difference between UTC and uptime is a clock being disciplined, not stepped; to it
/// comes what an oscillator drifts, 100 ppm.
pub const STEP_MS: u64 = 1_000;

/// What the enrolment says of the sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// Model and channel.
    pub sensor: Sensor,
    /// The sensor's MAC address; `None` before there is an enrolment, when any sensor will do, and
    /// another one is another epoch.
    pub mac: Option<Mac>,
    /// How its counter counts.
    pub rules: RegisterRules,
}

/// What the shell has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[expect(
    clippy::large_enum_variant,
    reason = "nothing can be boxed without an allocator"
)]
pub enum Action {
    /// Nothing until bytes arrive or [`Sampler::deadline`] comes.
    Wait,
    /// `GET` this path from the sensor. A connection still open for an earlier poll is dropped.
    Ask(&'static str),
    /// A reading was made. Call [`Sampler::wake`] again.
    Sampled(Draft),
}

/// A reading that lacks its meter, boot counter and sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft {
    asked: Now,
    counted: Counted,
    values: Option<SensorValues>,
    three_phase: bool,
    cause: Option<PollError>,
}

impl Draft {
    /// What was out of the ordinary.
    #[must_use]
    pub const fn flags(&self) -> ReadingFlags {
        self.counted.flags
    }

    /// When the sensor was asked.
    #[must_use]
    pub const fn asked(&self) -> Now {
        self.asked
    }

    /// Why the answer could not be read, for the log of the shell: the flags say only that.
    #[must_use]
    pub const fn cause(&self) -> Option<PollError> {
        self.cause
    }

    /// The reading, with `more` flags (such as QUEUED) that the sampler cannot know.
    #[must_use]
    pub fn reading(
        &self,
        meter: MeterId,
        boot: BootCounter,
        sequence: Sequence,
        more: ReadingFlags,
    ) -> AnyReading {
        let values = self.values.as_ref();
        let reading = Reading {
            meter,
            boot,
            sequence,
            time: self.asked.time(),
            uptime: self.asked.uptime(),
            time_quality: self.asked.quality(),
            power: values.map(|values| values.power),
            import_total: values.map(|values| values.import_total),
            export_total: values.map(|values| values.export_total),
            counter_epoch: self.counted.epoch,
            produced: self.counted.produced,
            voltage: values.and_then(|values| values.voltage),
            current: values.and_then(|values| values.current),
            reactive_power: values.and_then(|values| values.reactive),
            // None of the Shelly meters measures its own temperature beside its energy.
            temperature: None,
            flags: self.counted.flags.with(more),
        };
        if !self.three_phase {
            return AnyReading::SinglePhase(reading);
        }
        let phases = values
            .and_then(|values| values.phases)
            .unwrap_or([Phase::ABSENT; 3]);
        AnyReading::ThreePhase(ThreePhaseReading {
            sum: reading,
            phases,
        })
    }
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Sampler {
    enrolled: Enrolled,
    register: Register,
    grid: Grid,
    /// UTC and uptime at the last reading that knew both.
    clock: Option<(UtcMillis, UptimeMillis)>,
    /// The MAC of the last sensor that was believed.
    seen: Option<Mac>,
    polling: Option<Polling>,
}

#[derive(Clone, Debug)]
struct Polling {
    asked: Now,
    poll: Poll,
}

impl Sampler {
    /// A sampler that polls as `enrolled` says and goes on with `register`.
    #[must_use]
    pub const fn new(enrolled: Enrolled, register: Register) -> Self {
        Self {
            enrolled,
            register,
            grid: Grid::new(),
            clock: None,
            seen: None,
            polling: None,
        }
    }

    /// The register as it stands.
    #[must_use]
    pub const fn register(&self) -> &Register {
        &self.register
    }

    /// The sum that the next failed poll would carry.
    #[must_use]
    pub const fn produced(&self) -> MilliwattHours {
        self.register.produced()
    }

    /// The epoch that the next failed poll would carry.
    #[must_use]
    pub const fn epoch(&self) -> CounterEpoch {
        self.register.epoch()
    }

    /// What is polled.
    #[must_use]
    pub const fn enrolled(&self) -> &Enrolled {
        &self.enrolled
    }

    /// Takes over another enrolment. A poll under way is given up without a reading. Another
    /// sensor, channel or counter starts another epoch; fixing the MAC of the sensor that was
    /// polled all along does not.
    pub fn enrol(&mut self, enrolled: Enrolled) {
        let mac = self.seen.or(self.enrolled.mac);
        let same_mac = mac.is_none() || enrolled.mac.is_none() || mac == enrolled.mac;
        let same_sensor = same_mac && self.enrolled.sensor == enrolled.sensor;
        self.enrolled = enrolled;
        self.seen = enrolled.mac.or(self.seen);
        self.polling = None;
        let epoch = self.register.epoch();
        self.register.change_rules(enrolled.rules);
        if !same_sensor && self.register.epoch() == epoch {
            self.register.swap_sensor();
        }
    }

    /// When [`Sampler::wake`] is due.
    #[must_use]
    pub fn deadline(&self, now: Now) -> UptimeMillis {
        match &self.polling {
            Some(polling) => polling.deadline(),
            None => self.grid.next_start(now),
        }
    }

    /// Starts a poll that is due, or ends one that took too long.
    pub fn wake(&mut self, now: Now) -> Action {
        match &self.polling {
            Some(polling) if polling.is_late(now) => self.unreachable(),
            Some(_) => Action::Wait,
            None if self.grid.next_start(now) <= now.uptime() => self.ask(now),
            None => Action::Wait,
        }
    }

    /// Takes the status of an answer, after authentication.
    pub fn answer_begins(&mut self, status: u16, now: Now) -> Action {
        self.proceed(now, |poll| poll.begin(status))
    }

    /// Takes the next bytes of the answer's body.
    pub fn answer_bytes(&mut self, bytes: &[u8], now: Now) -> Action {
        self.proceed(now, |poll| poll.push(bytes))
    }

    /// Says that the answer's body is whole.
    pub fn answer_ends(&mut self, now: Now) -> Action {
        match self.proceed(now, Poll::end) {
            Action::Wait => {}
            ended => return ended,
        }
        let Some(polling) = &self.polling else {
            return Action::Wait;
        };
        if let Some(path) = polling.poll.request() {
            return Action::Ask(path);
        }
        match polling.poll.sample() {
            Ok(sample) => self.sampled(sample, now),
            Err(error) => self.failed(ReadingFlags::SENSOR_MALFORMED, Some(error)),
        }
    }

    /// Says that there is no connection, or that it broke.
    pub fn unreachable(&mut self) -> Action {
        self.failed(ReadingFlags::SENSOR_UNREACHABLE, None)
    }

    fn ask(&mut self, now: Now) -> Action {
        self.grid.started(now);
        let poll = Poll::new(self.enrolled.sensor);
        let path = poll
            .request()
            .expect("every sensor takes at least one request");
        self.polling = Some(Polling { asked: now, poll });
        Action::Ask(path)
    }

    fn proceed(
        &mut self,
        now: Now,
        step: impl FnOnce(&mut Poll) -> Result<(), PollError>,
    ) -> Action {
        let Some(polling) = &mut self.polling else {
            return Action::Wait;
        };
        if polling.is_late(now) {
            return self.unreachable();
        }
        match step(&mut polling.poll) {
            Ok(()) => Action::Wait,
            Err(error) => self.failed(ReadingFlags::SENSOR_MALFORMED, Some(error)),
        }
    }

    fn sampled(&mut self, sample: SensorSample, now: Now) -> Action {
        if self.enrolled.mac.is_some_and(|mac| mac != sample.mac) {
            return self.failed(ReadingFlags::WRONG_SENSOR, None);
        }
        let clock = clock_flags(sample.clock, now);
        let Some(values) = sample.values else {
            return self.failed(ReadingFlags::SENSOR_INVALID.with(clock), None);
        };
        if self
            .seen
            .replace(sample.mac)
            .is_some_and(|mac| mac != sample.mac)
        {
            self.register.swap_sensor();
        }
        let mut counted = self
            .register
            .count(values.import_total, values.export_total, now);
        counted.flags = counted.flags.with(clock);
        self.draft(counted, Some(values), None)
    }

    fn failed(&mut self, flags: ReadingFlags, cause: Option<PollError>) -> Action {
        let produced = self.register.produced();
        let counted = Counted {
            produced,
            epoch: self.register.epoch(),
            flags,
        };
        self.draft(counted, None, cause)
    }

    fn draft(
        &mut self,
        mut counted: Counted,
        values: Option<SensorValues>,
        cause: Option<PollError>,
    ) -> Action {
        let Some(Polling { asked, .. }) = self.polling.take() else {
            return Action::Wait;
        };
        if self.clock_stepped(asked) {
            counted.flags = counted.flags.with(ReadingFlags::CLOCK_STEPPED);
        }
        let three_phase = self.enrolled.sensor.model().is_three_phase();
        Action::Sampled(Draft {
            asked,
            counted,
            values,
            three_phase,
            cause,
        })
    }

    /// Compares how UTC and uptime moved since the last reading that knew both.
    fn clock_stepped(&mut self, asked: Now) -> bool {
        let Some(time) = asked.time() else {
            return false;
        };
        let Some((last_time, last_uptime)) = self.clock.replace((time, asked.uptime())) else {
            return false;
        };
        let elapsed_ms = asked.uptime().since(last_uptime);
        let expected = last_time.get().saturating_add(elapsed_ms);
        expected.abs_diff(time.get()) > STEP_MS + elapsed_ms / 10_000
    }
}

impl Polling {
    fn deadline(&self) -> UptimeMillis {
        self.asked
            .uptime()
            .checked_add_ms(TIMEOUT_MS)
            .unwrap_or(UptimeMillis::MAX)
    }

    fn is_late(&self, now: Now) -> bool {
        now.uptime() >= self.deadline()
    }
}

fn clock_flags(clock: SensorClock, now: Now) -> ReadingFlags {
    match (clock, now.time()) {
        (SensorClock::Unset, _) => ReadingFlags::SENSOR_CLOCK_UNSET,
        (SensorClock::At(seconds), Some(time))
            if seconds.saturating_mul(1000).abs_diff(time.get()) > SENSOR_CLOCK_TOLERANCE_MS =>
        {
            ReadingFlags::SENSOR_CLOCK_DIFFERS
        }
        (SensorClock::At(_) | SensorClock::NotGiven, _) => ReadingFlags::NONE,
    }
}

#[cfg(test)]
mod tests;
