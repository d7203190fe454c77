//! Runs the meter: gives the state machine time, the sensor's bytes and the gateway's answers, and
//! does what it asks for. What is measured, signed, kept and sent when is the machine's affair.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ww_api::Announcement;
use ww_api::name::Named;
use ww_device::meter::{Health, Meter, MeterError, Step};
use ww_device::queue::AcknowledgeError;
use ww_device::signer::SoftwareSigner;
use ww_device::uplink::{Lane, Refusal, Request, Standing};
use ww_device::verifier::SoftwareVerifier;
use ww_wire::{Bytes, DeciCelsius, PublicKey, UptimeMillis};

use super::clock::Clock;
use super::contradiction::Contradiction;
use super::gateway::{Answer, GatewayClient, Pending};
use super::journal::{Event, Reporter};
use super::queue_file::{LastFailure, QueueFile};
use super::sensor::{Exchange, Identified, Piece, SensorClient};

/// Room for the longest body that is sent: a gateway takes 1 MiB, and a request should be done well
/// within its time on a slow line.
const BUFFER_BYTES: usize = 256 << 10;

/// A step of the meter that failed is tried again after so long; an upload after its back-off.
const RETRY_MS: u64 = 1_000;

/// How often it is said again that the uplink is blocked.
const REMIND_MS: u64 = 3_600_000;

/// How long an orderly stop may take to send what is left.
const LAST_UPLOAD: Duration = Duration::from_secs(5);

/// A gateway that was set up anew says of a meter that it never heard of only that there is no
/// enrolment. After so many answers of that kind, five minutes, the meter announces itself again;
/// that changes nothing where it is known.
const WAITING_ANSWERS: u32 = 20;

/// The most of a sensor's answer that goes along with the announcement.
const LONGEST_PROOF: usize = 4 << 10;

/// What the meter says of itself when it announces itself, beside what it enrolled for.
#[derive(Debug)]
pub(super) struct Introduction {
    pub(super) name: Option<String>,
    pub(super) public_key: PublicKey,
    pub(super) boot_timestamp: Option<i64>,
    pub(super) identified: Option<Identified>,
    pub(super) rated_power_w: Option<u32>,
    pub(super) time_zone: Option<String>,
}

/// A started meter with everything around it.
pub(super) struct Driver<C, R> {
    pub(super) meter: Meter<QueueFile, SoftwareSigner, SoftwareVerifier>,
    pub(super) clock: C,
    pub(super) reporter: R,
    pub(super) sensor: SensorClient,
    pub(super) gateway: GatewayClient,
    pub(super) introduction: Introduction,
    pub(super) state: PathBuf,
    pub(super) last_failure: LastFailure,
    under_way: UnderWay,
    broken: Option<String>,
    waiting_answers: u32,
    retry_at: UptimeMillis,
    contradiction: Option<Contradiction>,
    remind_at: UptimeMillis,
    buffer: Vec<u8>,
}

/// What was asked and is not answered yet.
#[derive(Default)]
struct UnderWay {
    poll: Option<Exchange>,
    live: Option<Pending>,
    backlog: Option<Pending>,
}

enum Input {
    Sensor(Piece),
    Gateway(Lane, Request, Answer),
    Time,
}

impl UnderWay {
    fn is_nothing(&self) -> bool {
        self.poll.is_none() && self.live.is_none() && self.backlog.is_none()
    }

    fn lane(&mut self, lane: Lane) -> &mut Option<Pending> {
        match lane {
            Lane::Live => &mut self.live,
            Lane::Backlog => &mut self.backlog,
        }
    }

    /// The first that comes back. Dropping this future loses nothing.
    async fn next(&mut self) -> Input {
        let Self {
            poll,
            live,
            backlog,
        } = self;
        tokio::select! {
            piece = next_piece(poll) => Input::Sensor(piece),
            (request, answer) = next_answer(live) => Input::Gateway(Lane::Live, request, answer),
            (request, answer) = next_answer(backlog) => {
                Input::Gateway(Lane::Backlog, request, answer)
            }
        }
    }
}

async fn next_piece(exchange: &mut Option<Exchange>) -> Piece {
    match exchange {
        Some(exchange) => exchange.next().await,
        None => std::future::pending().await,
    }
}

async fn next_answer(pending: &mut Option<Pending>) -> (Request, Answer) {
    match pending {
        Some(waiting) => {
            let answer = waiting.answer().await;
            let request = waiting.request;
            *pending = None;
            (request, answer)
        }
        None => std::future::pending().await,
    }
}

impl<C: Clock, R: Reporter> Driver<C, R> {
    #[expect(
        clippy::too_many_arguments,
        reason = "these are all the parts, put together in one place"
    )]
    pub(super) fn new(
        meter: Meter<QueueFile, SoftwareSigner, SoftwareVerifier>,
        clock: C,
        reporter: R,
        sensor: SensorClient,
        gateway: GatewayClient,
        introduction: Introduction,
        state: PathBuf,
        last_failure: LastFailure,
    ) -> Self {
        Self {
            meter,
            clock,
            reporter,
            sensor,
            gateway,
            introduction,
            state,
            last_failure,
            under_way: UnderWay::default(),
            broken: None,
            waiting_answers: 0,
            retry_at: UptimeMillis::ZERO,
            contradiction: None,
            remind_at: UptimeMillis::ZERO,
            buffer: vec![0; BUFFER_BYTES],
        }
    }

    /// Sends nothing more and takes no answer; everything else goes on.
    pub(super) fn block(&mut self, contradiction: Contradiction) {
        self.meter.close_uplink();
        self.under_way.live = None;
        self.under_way.backlog = None;
        self.contradiction = Some(contradiction);
        self.remind();
    }

    /// Says that the uplink is blocked, if it is, and was not said for a while.
    fn remind(&mut self) {
        let now = self.clock.now().uptime();
        let Some(contradiction) = &mut self.contradiction else {
            return;
        };
        if now < self.remind_at {
            return;
        }
        self.remind_at = now.checked_add_ms(REMIND_MS).unwrap_or(UptimeMillis::MAX);
        contradiction.keep();
        let why = contradiction.words().to_owned();
        self.reporter.report(Event::UplinkBlocked { why });
    }

    /// Runs until `stop` comes, then stops in an orderly way.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let mut stop = std::pin::pin!(stop);
        loop {
            self.work()?;
            let until = self.deadline();
            let under_way = !self.under_way.is_nothing();
            self.reporter.report(Event::Waits { until, under_way });
            let input = tokio::select! {
                biased;
                () = &mut stop => break,
                input = self.under_way.next() => input,
                () = self.clock.sleep_until(until) => Input::Time,
            };
            self.take(input)?;
        }
        self.stop().await
    }

    /// Does everything that is due.
    fn work(&mut self) -> anyhow::Result<()> {
        self.check_queue_file()?;
        self.remind();
        let now = self.clock.now();
        if now.uptime() < self.retry_at {
            return Ok(());
        }
        loop {
            let step = self.meter.wake(self.clock.now(), super::random_number());
            if !self.follow(step)? {
                break;
            }
        }
        self.start_uploads()
    }

    /// At least a little later than now, so that nothing can turn this into a busy loop.
    fn deadline(&self) -> UptimeMillis {
        let now = self.clock.now();
        let soonest = now.uptime().checked_add_ms(1).unwrap_or(UptimeMillis::MAX);
        self.meter.deadline(now).max(self.retry_at).max(soonest)
    }

    fn take(&mut self, input: Input) -> anyhow::Result<()> {
        match input {
            Input::Time => Ok(()),
            Input::Sensor(piece) => self.take_piece(piece),
            Input::Gateway(lane, request, answer) => self.take_answer(lane, request, answer),
        }
    }

    fn take_piece(&mut self, piece: Piece) -> anyhow::Result<()> {
        let now = self.clock.now();
        let step = match piece {
            Piece::Begins(status) => self.meter.answer_begins(status, now),
            Piece::Bytes(bytes) => self.meter.answer_bytes(&bytes, now),
            Piece::Ends => {
                self.under_way.poll = None;
                self.meter.answer_ends(now)
            }
            Piece::Broke(why) => {
                self.under_way.poll = None;
                self.broken = Some(why);
                self.meter.sensor_unreachable()
            }
        };
        self.follow(step).map(|_| ())
    }

    /// Does a step, and says whether there may be another one at once.
    fn follow(&mut self, step: Result<Step, MeterError>) -> anyhow::Result<bool> {
        match step {
            Ok(Step::Wait) => Ok(false),
            Ok(Step::Ask(path)) => {
                self.broken = None;
                let model = self.meter.enrolled().sensor.model();
                self.under_way.poll = Some(self.sensor.get(path, model));
                Ok(false)
            }
            Ok(Step::Recorded(recording)) => {
                self.under_way.poll = None;
                self.meter.set_health(health());
                self.reporter.report(Event::Recorded {
                    recording: Box::new(recording),
                    broken: self.broken.take(),
                    production_counter: self.meter.enrolled().rules.production_counter,
                    standing: self.meter.standing(),
                    depth: self.meter.depth(),
                });
                Ok(true)
            }
            Err(error) => {
                let now = self.clock.now().uptime();
                self.retry_at = now.checked_add_ms(RETRY_MS).unwrap_or(now);
                self.failed(error).map(|()| false)
            }
        }
    }

    /// A failing disk ends the program: nothing that is measured from then on would be kept, and
    /// the next start finds out what was. A queue that is not the one of its key is measured into,
    /// and sent no more. Everything else is tried again.
    fn failed(&mut self, error: MeterError) -> anyhow::Result<()> {
        self.check_queue_file()?;
        if let MeterError::Acknowledge(AcknowledgeError::NeverMade { next, made }) = error {
            let why = match made {
                0 => format!("it expects record {next} next, and nothing was ever sent from here"),
                _ => format!("it expects record {next} next, and only {made} are made here"),
            };
            self.contradicted(&why);
            return Ok(());
        }
        self.reporter.report(Event::Failed(error));
        Ok(())
    }

    fn contradicted(&mut self, why: &str) {
        let contradiction = Contradiction::found(&self.state, self.meter.id(), why);
        self.block(contradiction);
    }

    /// Also what the meter itself can live without may not have reached the disk.
    fn check_queue_file(&self) -> anyhow::Result<()> {
        self.last_failure.take().map_or(Ok(()), |failure| {
            Err(disk_failed(&QueueFile::path(&self.state), &failure))
        })
    }

    fn start_uploads(&mut self) -> anyhow::Result<()> {
        loop {
            let now = self.clock.now();
            let upload = self
                .meter
                .next_upload(now, super::random_number(), &mut self.buffer);
            let upload = match upload {
                Ok(Some(upload)) => upload,
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.failed(error)?;
                    continue;
                }
            };
            let body = match upload.request {
                Request::Announce => self.announcement()?,
                _ => self.buffer[..upload.len].to_vec(),
            };
            // Whatever was under way on this lane before has taken too long.
            *self.under_way.lane(upload.request.lane()) =
                Some(self.gateway.send(upload.request, body));
        }
    }

    fn announcement(&self) -> anyhow::Result<Vec<u8>> {
        let introduction = &self.introduction;
        let enrolled = self.meter.enrolled();
        let identified = introduction.identified.as_ref();
        let mac = enrolled.mac.or(identified.map(|identified| identified.mac));
        let name = introduction.name.clone().unwrap_or_else(|| match mac {
            Some(mac) => format!("Shelly {mac}"),
            None => format!("Meter {}", super::fingerprint(&introduction.public_key)),
        });
        let announcement = Announcement {
            name,
            public_key: introduction.public_key.to_string(),
            shelly_payload: identified
                .filter(|identified| identified.answer.len() <= LONGEST_PROOF)
                .map(|identified| STANDARD.encode(&identified.answer)),
            boot_timestamp: introduction.boot_timestamp,
            shelly_mac: mac.map(|mac| mac.to_string()),
            sensor_model: Some(enrolled.sensor.model().name().to_owned()),
            channel: Some(enrolled.sensor.channel()),
            production_counter: Some(enrolled.rules.production_counter.name().to_owned()),
            rated_power_w: introduction.rated_power_w,
            time_zone: introduction.time_zone.clone(),
        };
        Ok(serde_json::to_vec(&announcement)?)
    }

    fn take_answer(&mut self, lane: Lane, request: Request, answer: Answer) -> anyhow::Result<()> {
        let (now, random) = (self.clock.now(), super::random_number());
        match answer {
            Answer::Refused { refusal, why } => {
                let told = self.consider(request, refusal);
                self.meter.upload_refused(lane, told, now, random);
                self.reporter.report(Event::Refused {
                    request,
                    refusal,
                    why,
                });
                Ok(())
            }
            Answer::Contradicted { why } => {
                self.contradicted(&why);
                Ok(())
            }
            Answer::Done(body) => match self.meter.upload_done(lane, &body, now, random) {
                Ok(progress) => {
                    let installation = (request == Request::Announce)
                        .then(|| installation(&body))
                        .flatten();
                    self.reporter.report(Event::Done {
                        request,
                        progress,
                        installation,
                        depth: self.meter.depth(),
                    });
                    Ok(())
                }
                Err(error) => self.failed(error),
            },
        }
    }

    /// What the meter is told of a refusal.
    fn consider(&mut self, request: Request, refusal: Refusal) -> Refusal {
        if (request, refusal) != (Request::Enrolment, Refusal::Waiting) {
            return refusal;
        }
        self.waiting_answers += 1;
        if self.waiting_answers < WAITING_ANSWERS {
            return refusal;
        }
        self.waiting_answers = 0;
        Refusal::UnknownMeter
    }

    async fn stop(mut self) -> anyhow::Result<()> {
        self.under_way.poll = None;
        if let Err(error) = self.meter.stop(self.clock.now()) {
            // The next start seals what this one could not.
            self.failed(error)?;
        }
        if self.meter.standing() == Standing::Enrolled {
            let sent = tokio::time::timeout(LAST_UPLOAD, self.send_the_rest()).await;
            sent.unwrap_or(Ok(()))?;
        }
        let depth = self.meter.depth();
        self.reporter.report(Event::Stopped { depth });
        Ok(())
    }

    /// Sends until there is nothing more, or the gateway does not take it.
    async fn send_the_rest(&mut self) -> anyhow::Result<()> {
        loop {
            self.start_uploads()?;
            if self.under_way.is_nothing() {
                return Ok(());
            }
            let input = self.under_way.next().await;
            self.take(input)?;
        }
    }
}

fn disk_failed(queue: &Path, failure: &io::Error) -> anyhow::Error {
    anyhow!(
        "the disk did not take or give back what the queue file {} should hold: {failure}. The \
         meter stops here, because it signs nothing that a power cut could take away. Look after \
         the disk (its space, its mount, the kernel's log) and start the meter again: what was \
         written before is found again",
        queue.display()
    )
}

/// The number in the answer to an announcement.
fn installation(body: &[u8]) -> Option<u64> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    answer.get("id")?.as_u64()
}

/// What Linux says of the machine, where it says so.
fn health() -> Health {
    let memory = std::fs::read_to_string("/proc/meminfo");
    let temperature = std::fs::read_to_string("/sys/class/thermal/thermal_zone0/temp");
    Health {
        signal_strength: None,
        free_memory: memory.ok().and_then(|text| free_memory(&text)),
        temperature: temperature.ok().and_then(|text| celsius(&text)),
    }
}

/// From `MemAvailable` in KiB (proc(5)); what does not fit is as much as fits.
fn free_memory(meminfo: &str) -> Option<Bytes> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let bytes = u32::try_from(kibibytes.saturating_mul(1024)).unwrap_or(u32::MAX);
    Some(Bytes::new(bytes).unwrap_or(Bytes::MAX))
}

/// From thousandths of a degree (Linux, Documentation/driver-api/thermal/sysfs-api).
fn celsius(text: &str) -> Option<DeciCelsius> {
    let thousandths: i32 = text.trim().parse().ok()?;
    DeciCelsius::new(i16::try_from(thousandths / 100).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_disk_is_told_with_its_file_and_what_to_do() {
        let failure = io::Error::from_raw_os_error(5);
        let words = disk_failed(Path::new("/srv/meter/queue.flash"), &failure).to_string();
        for part in [
            "/srv/meter/queue.flash",
            "os error 5",
            "start the meter again",
        ] {
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn free_memory_is_what_is_available_and_never_more_than_fits() {
        let bytes = |kibibytes: &str| {
            free_memory(&format!("MemTotal: 9 kB\nMemAvailable: {kibibytes} kB\n"))
        };
        assert_eq!(bytes("  2048"), Bytes::new(2 << 20));
        assert_eq!(bytes("99999999"), Some(Bytes::MAX));
        assert_eq!(free_memory("MemTotal: 9 kB"), None);
    }

    #[test]
    fn temperature_comes_in_thousandths() {
        assert_eq!(celsius("42355\n"), DeciCelsius::new(423));
        assert_eq!(celsius("-5000\n"), DeciCelsius::new(-50));
        assert_eq!(celsius("hot"), None);
    }

    #[test]
    fn the_installations_number_is_read_from_the_answer() {
        assert_eq!(installation(br#"{"id":3,"name":"x"}"#), Some(3));
        assert_eq!(installation(b"welcome"), None);
    }
}
