//! What a person is told of the meter: one line for every change of state, and on a terminal one
//! for every reading. It decides nothing.

use std::io::{IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ww_api::Milli;
use ww_api::name::Named;
use ww_device::meter::{MeterError, Progress, Recording};
use ww_device::queue::Depth;
use ww_device::uplink::{Lane, Refusal, Request, Standing};
use ww_wire::{
    BootCounter, MeterId, ProductionCounter, Reading, ReadingFlags, SensorModel, UptimeMillis,
};

use super::sensor::Identified;

/// What happened.
#[derive(Debug)]
pub(super) enum Event {
    /// It is not known yet what the sensor is.
    SensorSought {
        /// Why not.
        why: String,
    },
    /// The sensor said what it is.
    SensorFound(Identified),
    /// The meter runs.
    Started {
        /// Its id.
        meter: MeterId,
        /// The first digits of it, for people.
        fingerprint: String,
        /// Which start this is.
        boot: BootCounter,
        /// What the sensor is taken for.
        model: SensorModel,
        /// Which of its channels.
        channel: u8,
    },
    /// A reading is durable.
    Recorded {
        /// The reading.
        recording: Box<Recording>,
        /// How the connection to the sensor failed, if it did.
        broken: Option<String>,
        /// Which counter counts production.
        production_counter: ProductionCounter,
        /// What the gateway makes of the meter.
        standing: Standing,
        /// What waits for the gateway.
        depth: Depth,
    },
    /// The gateway did what was asked.
    Done {
        /// What was asked.
        request: Request,
        /// What came of it.
        progress: Progress,
        /// The number that an announced meter has there.
        installation: Option<u64>,
        /// What waits for the gateway.
        depth: Depth,
    },
    /// The gateway did not do it.
    Refused {
        /// What was asked.
        request: Request,
        /// What that means.
        refusal: Refusal,
        /// In words.
        why: String,
    },
    /// Nothing is sent any more, because the gateway holds what this queue never made.
    UplinkBlocked {
        /// What happened and what to do, in words.
        why: String,
    },
    /// The meter could not go on with something and tries again.
    Failed(MeterError),
    /// Nothing is to be done before a time, unless something under way comes back.
    Waits {
        /// The time.
        until: UptimeMillis,
        /// Whether something is under way.
        under_way: bool,
    },
    /// The meter has stopped.
    Stopped {
        /// What still waits for the gateway.
        depth: Depth,
    },
}

/// Who is told.
pub(super) trait Reporter {
    /// Takes note of an event.
    fn report(&mut self, event: Event);
}

/// The log and the terminal.
#[derive(Debug)]
pub(super) struct Journal {
    zone: TimeZone,
    on_terminal: bool,
    fingerprint: String,
    sensor: Condition,
    gateway: Lanes,
    has_backlog: bool,
    announced: Option<Option<u64>>,
    refusal: Option<(Request, Refusal)>,
    failure: Option<MeterError>,
    is_blocked: bool,
}

/// Whether the other side is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    NotTried,
    Found,
    Lost,
}

/// Which lanes to the gateway are closed. They are told of together: a gateway that is away closes
/// both, one after the other, and that is one change.
#[derive(Debug, Default)]
struct Lanes {
    live_is_lost: bool,
    backlog_is_lost: bool,
}

impl Lanes {
    const fn is_any_lost(&self) -> bool {
        self.live_is_lost || self.backlog_is_lost
    }

    /// Notes how a lane is, and says whether that changes the whole.
    fn note(&mut self, lane: Lane, is_lost: bool) -> bool {
        let before = self.is_any_lost();
        match lane {
            Lane::Live => self.live_is_lost = is_lost,
            Lane::Backlog => self.backlog_is_lost = is_lost,
        }
        before != self.is_any_lost()
    }
}

impl Journal {
    /// A journal with the times of `zone`.
    pub(super) fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            on_terminal: std::io::stdout().is_terminal(),
            fingerprint: String::new(),
            sensor: Condition::NotTried,
            gateway: Lanes::default(),
            has_backlog: false,
            announced: None,
            refusal: None,
            failure: None,
            is_blocked: false,
        }
    }

    fn recorded(&mut self, recording: &Recording, broken: Option<String>) {
        let sum = recording.reading.sum();
        tracing::debug!(
            sequence = sum.sequence.get(),
            power_mw = sum.power.map(|power| power.get()),
            produced_mwh = sum.produced.get(),
            flags = ?sum.flags,
            "a reading is durable"
        );
        self.failure = None;
        if !sum.flags.intersects(ReadingFlags::FAILED) {
            if self.sensor != Condition::Found {
                tracing::info!("the sensor gives readings");
            }
            self.sensor = Condition::Found;
            return;
        }
        if self.sensor == Condition::Lost {
            return;
        }
        self.sensor = Condition::Lost;
        let why = match (broken, recording.cause) {
            (Some(broken), _) => broken,
            (None, Some(cause)) => format!("{:#}", anyhow::Error::from(cause)),
            (None, None) => sensor_state(sum).to_owned(),
        };
        tracing::warn!(
            why,
            "the sensor gives no reading; each failed poll is recorded as one"
        );
    }

    fn gateway_answers(&mut self, lane: Lane) {
        if self.gateway.note(lane, false) {
            tracing::info!("the gateway takes what is sent again");
        }
    }

    fn done(&mut self, request: Request, progress: &Progress, installation: Option<u64>) {
        if self.refusal.is_some_and(|(refused, _)| refused == request) {
            self.refusal = None;
        }
        match progress {
            Progress::Announced => {
                if self.announced.replace(installation) != Some(installation) {
                    tracing::info!(
                        fingerprint = self.fingerprint,
                        installation,
                        "announced: readings are kept here until an operator has compared the \
                         fingerprint and approved this meter at the gateway"
                    );
                }
            }
            Progress::Enrolled { digest } => {
                tracing::info!(enrolment = %digest, "enrolled: the readings go to the gateway now");
            }
            Progress::None | Progress::Acknowledged { .. } => {}
        }
    }

    fn refused(&mut self, request: Request, refusal: Refusal, why: String) {
        let is_known = self.refusal.replace((request, refusal)) == Some((request, refusal));
        if let Refusal::Unavailable { .. } = refusal {
            if self.gateway.note(request.lane(), true) {
                tracing::warn!(
                    why,
                    "the gateway does not take what is sent; it is kept here"
                );
            }
            return;
        }
        self.gateway_answers(request.lane());
        if is_known {
            return;
        }
        match refusal {
            Refusal::UnknownMeter => {
                tracing::warn!(
                    why,
                    "the gateway does not know this meter; it is announced again"
                );
            }
            Refusal::Waiting if request == Request::Enrolment => {
                tracing::debug!(why, "no operator has approved this meter yet");
            }
            Refusal::Waiting => tracing::warn!(why, "the gateway waits for an operator's approval"),
            Refusal::Revoked => {
                tracing::error!(why, "an operator has ended the trust in this meter's key");
            }
            Refusal::Content => {
                tracing::error!(?request, why, "the gateway refuses what was sent");
            }
            Refusal::Unavailable { .. } => {}
        }
    }

    fn backlog(&mut self, depth: Depth) {
        if self.gateway.is_any_lost() && depth.records > 0 {
            self.has_backlog = true;
        }
        if self.has_backlog && depth.records == 0 {
            self.has_backlog = false;
            tracing::info!("the backlog is with the gateway");
        }
    }

    /// `14:20:10  16.35 W  8.9 Wh  live`
    fn show(&self, reading: &Reading, counter: ProductionCounter, standing: Standing) {
        let time = reading.time.and_then(|time| {
            let ms = i64::try_from(time.get()).ok()?;
            Timestamp::from_millisecond(ms).ok()
        });
        let time = match time {
            Some(time) => time
                .to_zoned(self.zone.clone())
                .strftime("%H:%M:%S")
                .to_string(),
            None => "--:--:--".to_owned(),
        };
        let state = if reading.flags.intersects(ReadingFlags::FAILED) {
            sensor_state(reading)
        } else if self.is_blocked {
            "kept: nothing is sent, see the log"
        } else {
            match (standing, self.gateway.live_is_lost) {
                (Standing::Revoked, _) => "revoked",
                (_, true) => "kept until the gateway answers",
                (Standing::Enrolled, _) => "live",
                (Standing::Waiting, _) => "kept until this meter is approved",
                (Standing::Unknown, _) => "kept until this meter is announced",
            }
        };
        // A terminal that is gone is no reason to stop measuring.
        let _ = writeln!(
            std::io::stdout(),
            "{time}  {}  {state}",
            figures(reading, counter)
        );
    }
}

impl Reporter for Journal {
    fn report(&mut self, event: Event) {
        match event {
            Event::SensorSought { why } => {
                if self.sensor != Condition::Lost {
                    tracing::warn!(why, "the sensor cannot be reached; trying until it can");
                }
                self.sensor = Condition::Lost;
            }
            Event::SensorFound(Identified { model, mac, .. }) => {
                tracing::info!(model = model.name(), %mac, "this is the sensor");
                self.sensor = Condition::NotTried;
            }
            Event::Started {
                meter,
                fingerprint,
                boot,
                model,
                channel,
            } => {
                tracing::info!(
                    %meter, fingerprint, boot = boot.get(), model = model.name(), channel,
                    "the meter runs"
                );
                self.fingerprint = fingerprint;
            }
            Event::Recorded {
                recording,
                broken,
                production_counter,
                standing,
                depth,
            } => {
                self.recorded(&recording, broken);
                self.backlog(depth);
                if self.on_terminal {
                    self.show(recording.reading.sum(), production_counter, standing);
                }
            }
            Event::Done {
                request,
                progress,
                installation,
                depth,
            } => {
                self.gateway_answers(request.lane());
                self.done(request, &progress, installation);
                self.backlog(depth);
            }
            Event::Refused {
                request,
                refusal,
                why,
            } => self.refused(request, refusal, why),
            Event::UplinkBlocked { why } => {
                self.is_blocked = true;
                tracing::error!(why, "nothing is sent any more; readings are kept here");
            }
            Event::Failed(error) => {
                if self.failure.replace(error) != Some(error) {
                    tracing::error!(
                        why = format!("{:#}", anyhow::Error::from(error)),
                        "the meter tries again"
                    );
                }
            }
            Event::Waits { until, under_way } => {
                tracing::trace!(until_ms = until.get(), under_way, "nothing to do");
            }
            Event::Stopped { depth } => tracing::info!(
                records = depth.records,
                readings = depth.readings,
                "stopped; what the gateway does not have is kept for the next start"
            ),
        }
    }
}

fn sensor_state(reading: &Reading) -> &'static str {
    let has = |flag| reading.flags.intersects(flag);
    if has(ReadingFlags::SENSOR_UNREACHABLE) {
        "the sensor does not answer"
    } else if has(ReadingFlags::WRONG_SENSOR) {
        "another sensor answers than the enrolled one"
    } else if has(ReadingFlags::SENSOR_INVALID) {
        "the sensor calls its values invalid"
    } else {
        "the sensor's answer cannot be read"
    }
}

/// Power and counter as people read them.
fn figures(reading: &Reading, counter: ProductionCounter) -> String {
    let total = match counter {
        ProductionCounter::Total => reading.import_total,
        ProductionCounter::TotalReturned => reading.export_total,
    };
    match (reading.power, total) {
        (Some(power), Some(total)) => format!(
            "{} W  {} Wh",
            Milli(power.get().into()),
            Milli(total.get().into())
        ),
        _ => "no values".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ww_wire::{CounterEpoch, MilliwattHours, Milliwatts, Sequence, SignerId, TimeQuality};

    use super::*;

    fn reading() -> Reading {
        Reading {
            meter: SignerId([1; 32]),
            boot: BootCounter::MAX,
            sequence: Sequence::MAX,
            time: None,
            uptime: UptimeMillis::ZERO,
            time_quality: TimeQuality::Unknown,
            power: Milliwatts::new(16_350),
            import_total: MilliwattHours::new(8_900),
            export_total: MilliwattHours::new(0),
            counter_epoch: CounterEpoch::ZERO,
            produced: MilliwattHours::ZERO,
            voltage: None,
            current: None,
            reactive_power: None,
            temperature: None,
            flags: ReadingFlags::NONE,
        }
    }

    #[test]
    fn figures_are_in_watts_and_watt_hours_of_the_counter_of_production() {
        let reading = reading();
        assert_eq!(
            figures(&reading, ProductionCounter::Total),
            "16.35 W  8.9 Wh"
        );
        assert_eq!(
            figures(&reading, ProductionCounter::TotalReturned),
            "16.35 W  0.0 Wh"
        );
    }

    #[test]
    fn a_gateway_that_goes_and_comes_back_changes_twice_whatever_its_lanes_do() {
        let mut lanes = Lanes::default();
        let changes = [
            (Lane::Live, false),
            (Lane::Live, true),
            (Lane::Backlog, true),
            (Lane::Live, true),
            (Lane::Live, false),
            (Lane::Backlog, false),
        ];
        let told = changes.map(|(lane, is_lost)| lanes.note(lane, is_lost));
        assert_eq!(told, [false, true, false, false, false, true]);
    }

    #[test]
    fn a_failed_poll_shows_no_figure() {
        let failed = Reading {
            power: None,
            flags: ReadingFlags::WRONG_SENSOR,
            ..reading()
        };
        assert_eq!(figures(&failed, ProductionCounter::Total), "no values");
        assert!(sensor_state(&failed).contains("another sensor"));
    }
}
