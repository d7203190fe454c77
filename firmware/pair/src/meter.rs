//! The meter on its mailbox.

use ww_device::chain::Start;
use ww_device::meter::{Health, Meter, Progress, Step};
use ww_device::queue::Layout;
use ww_device::register::RegisterRules;
use ww_device::sampler::Enrolled;
use ww_device::shelly::Sensor;
use ww_device::signer::SoftwareSigner;
use ww_device::uplink::{Lane, Refusal};
use ww_device::verifier::SoftwareVerifier;
use ww_wire::{Hash, Nameplate, ProductionCounter, ResetReason, SensorModel, Watts};

use crate::board::{Flash, Mailbox, say};

/// Bytes of a request's body.
const UPLOAD_BYTES: usize = if cfg!(feature = "fix") { 8192 } else { 4096 };

pub type BoardMeter = Meter<Flash, SoftwareSigner, SoftwareVerifier>;

pub fn start(mailbox: &mut Mailbox, version: (u16, u16, u16)) -> BoardMeter {
    let key = mailbox.array();
    let signer = SoftwareSigner::new(&key).expect("the board was made with a key");
    let sensor = Sensor::new(SensorModel::ShellyEmGen1, 0).expect("the sensor has a channel 0");
    let proposed = Enrolled {
        sensor,
        mac: None,
        rules: RegisterRules {
            production_counter: ProductionCounter::Total,
            nameplate: Nameplate {
                rated_power: Watts::new(3_000).expect("a plant has power"),
                ct_ratio_milli: 1000,
            },
        },
    };
    let start = Start {
        now: mailbox.now(),
        firmware: Hash(mailbox.array()),
        version,
        security_counter: mailbox.number(),
        reset_reason: ResetReason::PowerOn,
    };
    let layout = Layout::ONE_MEBIBYTE;
    let started = Meter::start(Flash, layout, signer, SoftwareVerifier, proposed, &start);
    let (meter, boot) = started.expect("the queue mounts");
    say(format_args!("boot {:?} of {}", boot.boot, meter.id()));
    meter
}

pub fn wake(meter: &mut BoardMeter, mailbox: &mut Mailbox) {
    let now = mailbox.now();
    meter.set_health(health(mailbox));
    step(meter.wake(now, mailbox.number()), mailbox);
    let mut body = [0; UPLOAD_BYTES];
    match meter.next_upload(now, mailbox.number(), &mut body) {
        Ok(Some(upload)) => mailbox.send(&body[..upload.len]),
        Ok(None) => {}
        Err(error) => say(format_args!("no upload: {error}")),
    }
}

#[cfg(not(feature = "change"))]
fn health(_: &mut Mailbox) -> Health {
    Health::default()
}

/// Tells of memory and signal, and warns of little memory.
#[cfg(feature = "change")]
fn health(mailbox: &mut Mailbox) -> Health {
    let free = mailbox.number();
    if free < 16 * 1024 {
        say(format_args!(
            "only {free} bytes of memory are free, deadlines may be missed"
        ));
    }
    Health {
        signal_strength: ww_wire::Dbm::new(mailbox.number() as i16),
        free_memory: ww_wire::Bytes::new(free),
        temperature: None,
    }
}

fn step(step: Result<Step, ww_device::meter::MeterError>, mailbox: &mut Mailbox) {
    match step {
        Ok(Step::Wait) => {}
        Ok(Step::Ask(path)) => mailbox.send(path.as_bytes()),
        Ok(Step::Recorded(recording)) => say(format_args!("{:?}", recording.reading)),
        Err(error) => say(format_args!("the meter cannot go on: {error}")),
    }
}

pub fn sensor(meter: &mut BoardMeter, mailbox: &mut Mailbox) {
    let now = mailbox.now();
    let mut buffer = [0; 512];
    let taken = match mailbox.number() {
        0 => meter.sensor_unreachable(),
        1 => meter.answer_ends(now),
        status @ 100..600 => meter.answer_begins(status as u16, now),
        _ => meter.answer_bytes(mailbox.message(&mut buffer), now),
    };
    step(taken, mailbox);
}

pub fn gateway(meter: &mut BoardMeter, mailbox: &mut Mailbox) {
    let now = mailbox.now();
    let lane = match mailbox.number() {
        0 => Lane::Live,
        _ => Lane::Backlog,
    };
    let refusal = match mailbox.number() {
        404 => Refusal::UnknownMeter,
        403 => Refusal::Revoked,
        409 => Refusal::Waiting,
        400 => Refusal::Content,
        200 => return done(meter, lane, mailbox),
        _ => Refusal::Unavailable {
            retry_after_ms: None,
        },
    };
    #[cfg(feature = "change")]
    say(format_args!(
        "the gateway refused: {refusal:?}, after {} records",
        meter.depth().records
    ));
    meter.upload_refused(lane, refusal, now, mailbox.number());
}

fn done(meter: &mut BoardMeter, lane: Lane, mailbox: &mut Mailbox) {
    let now = mailbox.now();
    let mut buffer = [0; 512];
    let body = mailbox.message(&mut buffer);
    match meter.upload_done(lane, body, now, mailbox.number()) {
        Ok(Progress::Enrolled { digest }) => say(format_args!("enrolled by {digest}")),
        Ok(progress) => say(format_args!("{progress:?}")),
        Err(error) => say(format_args!("the answer was not taken: {error}")),
    }
}
