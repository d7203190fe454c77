//! `kill -9` of the real gateway under load, fifty times: what it acknowledged is there afterwards,
//! bit by bit, and what comes again, acknowledged or not, is there once and counted once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use ww_api::hex;
use ww_device::signer::{Signer, SoftwareSigner};
use ww_wire::cose::byte_string_head;
use ww_wire::merkle::TreeBuilder;
use ww_wire::packed::{Codec, MAX_PACKED_READING};
use ww_wire::record::Record;
use ww_wire::*;

use crate::place::{Held, Place};

const KILLS: usize = 50;
const SENDERS: usize = 4;
const WINDOW_READINGS: u64 = 20;
/// More than fifty kills let through.
const WINDOWS: u64 = 500;
const STEP_MS: u64 = 1_000;
const STEP_MWH: u64 = 100;

/// What is sent in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Parcel {
    /// A reading that is signed alone.
    Reading(u64),
    /// A record of the chain, a window with its readings.
    Record(u64),
}

/// The only meter.
struct Meter {
    signer: SoftwareSigner,
    start_ms: u64,
    /// Its chain from the first record on, as it goes over the wire.
    chain: Vec<Vec<u8>>,
}

impl Meter {
    /// A meter that began three hours ago; its chain names this enrolment.
    fn new(signer: SoftwareSigner, enrolment: Hash) -> Self {
        let now_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
        let mut meter = Self {
            signer,
            start_ms: now_ms - 3 * 3_600_000,
            chain: Vec::new(),
        };
        let boot = meter.boot().encode().unwrap();
        meter.chain.push(meter.signed(RecordType::Boot, &boot));
        let mut previous = boot.digest();
        for index in 1..=WINDOWS {
            let window = meter.window(index, previous, enrolment).encode().unwrap();
            previous = window.digest();
            let mut body = meter.signed(RecordType::Window, &window);
            body.extend(meter.packed(index));
            meter.chain.push(body);
        }
        meter
    }

    fn time(&self, number: u64) -> Option<UtcMillis> {
        UtcMillis::new(self.start_ms + number * STEP_MS)
    }

    fn reading(&self, number: u64) -> Reading {
        let produced = MilliwattHours::new((number - 1) * STEP_MWH);
        Reading {
            meter: self.signer.public_key().id(),
            boot: BootCounter::new(1).unwrap(),
            sequence: Sequence::new(number).unwrap(),
            time: self.time(number),
            uptime: UptimeMillis::new(number * STEP_MS).unwrap(),
            time_quality: TimeQuality::Synchronised,
            power: Milliwatts::new(360_000),
            import_total: produced,
            export_total: MilliwattHours::new(0),
            counter_epoch: CounterEpoch::ZERO,
            produced: produced.unwrap(),
            voltage: Millivolts::new(230_000),
            current: None,
            reactive_power: None,
            temperature: None,
            flags: ReadingFlags::NONE,
        }
    }

    fn boot(&self) -> Boot {
        Boot {
            meter: self.signer.public_key().id(),
            chain_index: ChainIndex::ZERO,
            previous: Hash::ZERO,
            boot: BootCounter::new(1).unwrap(),
            time: self.time(0),
            uptime: UptimeMillis::ZERO,
            time_quality: TimeQuality::Synchronised,
            firmware: Hash::of(&[b"firmware"]),
            version_major: 1,
            version_minor: 0,
            version_patch: 0,
            security_counter: 1,
            reset_reason: ResetReason::PowerOn,
            last_recovered: None,
            first_new: Sequence::new(1).unwrap(),
            attestation: Attestation::NONE,
        }
    }

    fn readings(&self, index: u64) -> impl DoubleEndedIterator<Item = Reading> {
        let last = index * WINDOW_READINGS;
        (last - WINDOW_READINGS + 1..=last).map(|number| self.reading(number))
    }

    fn window(&self, index: u64, previous: Hash, enrolment: Hash) -> Window {
        let (first, last) = (
            self.readings(index).next().unwrap(),
            self.readings(index).next_back().unwrap(),
        );
        let mut tree = TreeBuilder::new();
        for reading in self.readings(index) {
            tree.push(&reading.encode().unwrap());
        }
        let opened = first.sequence.get().saturating_sub(2) * STEP_MWH;
        Window {
            meter: first.meter,
            chain_index: ChainIndex::new(index).unwrap(),
            previous,
            boot: first.boot,
            first_sequence: first.sequence,
            last_sequence: last.sequence,
            count: WINDOW_READINGS as u32,
            first_time: first.time,
            last_time: last.time,
            produced_open: MilliwattHours::new(opened).unwrap(),
            produced_close: last.produced,
            root: tree.root(),
            enrolment,
            firmware: self.boot().firmware,
            log_size: 0,
            log_root: Hash::ZERO,
            flags: WindowFlags::NONE,
        }
    }

    fn packed(&self, index: u64) -> Vec<u8> {
        let meter = self.signer.public_key().id();
        let mut codec = Codec::new(meter, RecordType::Reading).unwrap();
        let mut block = codec.block_header().to_vec();
        let mut bytes = [0; MAX_PACKED_READING];
        for reading in self.readings(index) {
            let used = codec.pack(&AnyReading::SinglePhase(reading), &mut bytes);
            block.extend_from_slice(&bytes[..used.unwrap()]);
        }
        let (head, len) = byte_string_head(block.len() as u32);
        [&head[..len], &block].concat()
    }

    fn signed(&self, record_type: RecordType, payload: &Payload) -> Vec<u8> {
        let message = ToBeSigned::new(Domain::Record(record_type), payload).unwrap();
        let signature = self.signer.clone().sign(&message).unwrap();
        Sign1 { payload, signature }.encode().unwrap().to_vec()
    }

    fn body(&self, parcel: Parcel) -> Vec<u8> {
        match parcel {
            Parcel::Reading(number) => {
                let payload = self.reading(number).encode().unwrap();
                self.signed(RecordType::Reading, &payload)
            }
            Parcel::Record(index) => self.chain[index as usize].clone(),
        }
    }

    /// What is held of it must be what it signed.
    fn assert_signed(&self, held: &BTreeMap<u64, Held>) {
        for (number, held) in held {
            let payload = self.reading(*number).encode().unwrap();
            assert_eq!(held.record, hex::encode(&payload), "reading {number}");
        }
    }
}

/// What was sent, and what comes next.
#[derive(Default)]
struct Load {
    readings: u64,
    /// Comes before any new reading.
    first: VecDeque<Parcel>,
    sent: BTreeSet<Parcel>,
    acknowledged: BTreeSet<Parcel>,
}

impl Load {
    /// The next parcel: when a window's last reading is on its way, the window follows, perhaps
    /// before others of its readings have arrived.
    fn next(&mut self) -> Parcel {
        let parcel = self.first.pop_front().unwrap_or_else(|| {
            self.readings += 1;
            if self.readings.is_multiple_of(WINDOW_READINGS) {
                let window = Parcel::Record(self.readings / WINDOW_READINGS);
                self.first.push_back(window);
            }
            Parcel::Reading(self.readings)
        });
        self.sent.insert(parcel);
        parcel
    }

    /// Whether all readings were sent, alone and in their windows.
    fn is_even(&self) -> bool {
        self.first.is_empty() && self.readings.is_multiple_of(WINDOW_READINGS)
    }

    /// Sends again whatever was not acknowledged, and some of what was.
    fn send_again(&mut self, kill: usize) {
        let unanswered = self.sent.difference(&self.acknowledged);
        let answered = self.acknowledged.iter().skip(kill % 5);
        let some = answered.step_by(self.acknowledged.len() / 10 + 1);
        let again: Vec<Parcel> = unanswered.chain(some).copied().collect();
        self.first.extend(again);
    }
}

struct World {
    place: Place,
    meter: Meter,
    load: Mutex<Load>,
}

impl World {
    /// A gateway that has enrolled the meter, and has stopped.
    async fn new() -> Self {
        let place = Place::new();
        let gateway = place.serve().await;
        let signer = SoftwareSigner::new(&[7; 32]).unwrap();
        let announcement = json!({
            "name": "Crash", "public_key": signer.public_key().to_string(),
            "sensor_model": "shelly_em_gen1", "shelly_mac": "EC64C9C05E97",
            "channel": 0, "production_counter": "total", "rated_power_w": 5000,
        });
        let announced = place.post("/api/v1/installations/", &announcement).await;
        assert!(announced.status().is_success());
        place.approve(1, &json!({})).await;
        let installation = place.json("/api/v1/installations/1").await;
        let enrolment = installation["enrolment_digest"].as_str().unwrap();
        let enrolment = Hash(hex::decode_array(enrolment).unwrap());
        gateway.stop();
        let mut load = Load::default();
        load.first.push_back(Parcel::Record(0));
        Self {
            place,
            meter: Meter::new(signer, enrolment),
            load: Mutex::new(load),
        }
    }

    /// Sends the next parcel; true when the gateway acknowledged it.
    async fn send(&self) -> bool {
        let parcel = self.load.lock().unwrap().next();
        let request = self.place.client.post(self.place.url("/api/v1/records"));
        let request = request
            .header("content-type", "application/cose")
            .body(self.meter.body(parcel));
        let Ok(answer) = request.send().await else {
            return false;
        };
        let status = answer.status();
        let Ok(body) = answer.bytes().await else {
            return false;
        };
        let words = String::from_utf8_lossy(&body);
        assert!(status.is_success(), "{parcel:?}: {words}");
        if Acknowledgement::decode(&body).is_err() {
            return false;
        }
        self.load.lock().unwrap().acknowledged.insert(parcel);
        true
    }

    /// Everything that was acknowledged must be held, and nothing that was never sent.
    async fn assert_held(&self) {
        let readings = self.place.readings(1).await;
        self.meter.assert_signed(&readings);
        let windows = "/api/v1/installations/1/windows?start_time=1970-01-01T00:00:00Z";
        let windows: BTreeSet<u64> = match self.place.json(windows).await {
            Value::Array(listed) => listed.iter().map(|w| w["id"].as_u64().unwrap()).collect(),
            other => panic!("{other}"),
        };
        let load = self.load.lock().unwrap();
        for parcel in &load.acknowledged {
            let is_held = match parcel {
                Parcel::Reading(number) => readings.contains_key(number),
                // The first record is the Boot, which the audit at the end looks for.
                Parcel::Record(index) => *index == 0 || windows.contains(index),
            };
            assert!(is_held, "{parcel:?} was acknowledged and is gone");
        }
        assert!(readings.keys().all(|number| *number <= load.readings));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_under_load_lose_nothing_that_was_acknowledged_and_double_nothing() {
    let world = Arc::new(World::new().await);
    for kill in 0..KILLS {
        let gateway = world.place.serve().await;
        world.assert_held().await;
        let enough = {
            let mut load = world.load.lock().unwrap();
            load.send_again(kill);
            load.acknowledged.len() + 5 + kill % 17
        };
        let reached = Arc::new(Notify::new());
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                let (world, reached) = (Arc::clone(&world), Arc::clone(&reached));
                tokio::spawn(async move {
                    // A sender ends with the gateway that it was sending to.
                    while world.send().await {
                        if world.load.lock().unwrap().acknowledged.len() >= enough {
                            reached.notify_one();
                        }
                    }
                })
            })
            .collect();
        tokio::time::timeout(Duration::from_secs(60), reached.notified())
            .await
            .unwrap();
        drop(gateway);
        for sender in senders {
            sender.await.unwrap();
        }
    }

    let _gateway = world.place.serve().await;
    world.assert_held().await;
    world.load.lock().unwrap().send_again(KILLS);
    while !world.load.lock().unwrap().is_even() {
        assert!(world.send().await);
    }
    let sent = world.load.lock().unwrap().readings;
    assert!(sent >= KILLS as u64 * 5);
    let held = world.place.readings(1).await;
    world.meter.assert_signed(&held);
    assert_eq!(held.len() as u64, sent);
    assert!(held.values().all(|held| held.is_sealed));
    let produced = (sent - 1) * STEP_MWH;
    assert_eq!(world.place.lifetime_mwh(1).await, produced);
    for frame in ["day", "week", "month", "year"] {
        assert_eq!(world.place.chart_mwh(1, frame).await, produced, "{frame}");
    }
    let meter = world.meter.signer.public_key().id().to_string();
    let report = world.place.audit(&meter);
    assert_eq!(report["readings"], sent);
    assert_eq!(report["windows"], sent / WINDOW_READINGS);
}
