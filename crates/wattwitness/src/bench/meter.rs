//! What meters of the simulated park send, made before anything is measured: readings with the
//! resolution and noise of a real sensor, by the product's own meter.

use anyhow::Context;
use ww_device::queue::Layout;
use ww_device::signer::SoftwareSigner;
use ww_device::uplink::Request;
use ww_device::verifier::SoftwareVerifier;
use ww_sim::flash::{FlashHandle, NorFlashModel, SECTOR_BYTES};
use ww_sim::gateway::{Gateway, Reply};
use ww_sim::meter::{Firmware, Parts, VirtualMeter};
use ww_sim::park::Post;
use ww_wire::cose::{Item, Items};
use ww_wire::record::Record;
use ww_wire::{
    Acknowledgement, AnyReading, ChainIndex, ChainRecord, Hash, MeterId, Sign1, UtcMillis, Window,
};

use crate::keys::PrivateKey;

/// Between two readings.
pub(super) const CADENCE_MS: u64 = 10_000;

/// How much history is made before it is uploaded: less than the meter's flash holds.
const STRIDE_MS: u64 = 6 * 3_600_000;

type Meter = VirtualMeter<SoftwareSigner, SoftwareVerifier>;

/// A backlog as a meter uploads it.
pub(super) struct Backlog {
    meter: MeterId,
    /// The operator's enrolment, which the meter asks for.
    enrolment: Vec<u8>,
    enrolment_digest: Hash,
    next_index: ChainIndex,
    /// Bodies for the binary door, in order.
    pub(super) bodies: Vec<Vec<u8>>,
    /// Readings that they bring.
    pub(super) readings: u64,
}

impl Backlog {
    /// Everything that the meter at `post` with `key` sends of the time from `first` to `last`.
    pub(super) fn make(
        post: &Post,
        key: &PrivateKey,
        enrolment: Vec<u8>,
        first: UtcMillis,
        last: UtcMillis,
    ) -> anyhow::Result<Self> {
        let mut backlog = Self {
            meter: key.public().id(),
            enrolment_digest: Hash::of(&[Sign1::decode(&enrolment)?.payload]),
            enrolment,
            next_index: ChainIndex::ZERO,
            bodies: Vec::new(),
            readings: 0,
        };
        let mut meter = meter(post, key, first)?;
        meter.run_until(first, &mut backlog)?;
        let mut shown = 0;
        while meter.now() < last {
            let target = meter.now().checked_add_ms(STRIDE_MS);
            let target = target.map_or(last, |target| target.min(last));
            meter.faults_mut().is_offline = true;
            meter.run_until(target, &mut backlog)?;
            meter.faults_mut().is_offline = false;
            meter.run_until(target, &mut backlog)?;
            let percent = (target.get() - first.get()) * 100 / (last.get() - first.get());
            if percent / 20 > shown {
                shown = percent / 20;
                eprintln!("  {percent} %");
            }
        }
        Ok(backlog)
    }

    fn acknowledgement(&self, now: UtcMillis) -> Reply {
        let answer = Acknowledgement {
            meter: self.meter,
            next_index: self.next_index,
            time: Some(now),
            log_size: 0,
            log_root: Hash::ZERO,
            enrolment: self.enrolment_digest,
        };
        let payload = answer
            .encode()
            .expect("an acknowledgement of what was just made keeps its rules");
        Reply::Done(payload.to_vec())
    }

    /// Keeps a body, and takes from it what comes next.
    fn keep(&mut self, body: &[u8]) {
        let mut window = None;
        for item in Items::new(body) {
            match item.expect("a meter sends whole items") {
                Item::Sign1(sign1) => {
                    let record =
                        ChainRecord::decode(sign1.payload).expect("a meter's backlog is its chain");
                    self.next_index = record
                        .chain_index()
                        .next()
                        .expect("a bench is shorter than all indices");
                    window = match record {
                        ChainRecord::Window(window) => Some(window),
                        ChainRecord::Boot(_) | ChainRecord::Gap(_) => None,
                    };
                }
                Item::Readings(_) => {
                    let count = window.take().map_or(0, |window: Window| window.count);
                    self.readings += u64::from(count);
                }
            }
        }
        self.bodies.push(body.to_vec());
    }
}

impl Gateway for Backlog {
    fn ask(&mut self, _meter: MeterId, request: Request, body: &[u8], now: UtcMillis) -> Reply {
        match request {
            Request::Announce => Reply::Done(Vec::new()),
            Request::Enrolment => Reply::Done(self.enrolment.clone()),
            Request::Acceptance => {
                self.bodies.push(body.to_vec());
                self.acknowledgement(now)
            }
            Request::Batch => {
                self.keep(body);
                self.acknowledgement(now)
            }
            // Measured by themselves.
            Request::Reading | Request::Status => self.acknowledgement(now),
        }
    }
}

/// The first `count` readings that the meter at `post` takes from `first` on, of the kind that
/// one channel gives.
pub(super) fn readings(
    post: &Post,
    key: &PrivateKey,
    first: UtcMillis,
    count: usize,
) -> anyhow::Result<Vec<AnyReading>> {
    let mut meter = meter(post, key, first)?;
    meter.faults_mut().is_offline = true;
    meter.keep_readings();
    let until = first
        .checked_add_ms((count as u64 + 2) * CADENCE_MS)
        .context("the time is beyond all calendars")?;
    let mut nobody = Nobody;
    meter.run_until(until, &mut nobody)?;
    let mut readings = meter.take_readings();
    anyhow::ensure!(readings.len() >= count, "the meter took too few readings");
    readings.truncate(count);
    Ok(readings)
}

/// A meter that has power, at `first`.
fn meter(post: &Post, key: &PrivateKey, first: UtcMillis) -> anyhow::Result<Meter> {
    let sectors = Layout::ONE_MEBIBYTE.end_bytes() as usize / SECTOR_BYTES;
    let parts = Parts {
        sensor: post.sensor(first),
        proposed: post.enrolled(),
        flash: FlashHandle::new(NorFlashModel::new(sectors)),
        layout: Layout::ONE_MEBIBYTE,
        signer: SoftwareSigner::new(key.bytes())?,
        verifier: SoftwareVerifier,
        seed: 1,
        firmware: Firmware::first(),
    };
    let mut meter = VirtualMeter::new(parts, first);
    meter.start()?;
    Ok(meter)
}

/// Asked by nobody: the meter is offline.
struct Nobody;

impl Gateway for Nobody {
    fn ask(&mut self, _meter: MeterId, _request: Request, _body: &[u8], _now: UtcMillis) -> Reply {
        Reply::Refused(ww_device::uplink::Refusal::Unavailable {
            retry_after_ms: None,
        })
    }
}
