//! A post of the simulated park with the product's own meter, which reaches the gateway over HTTP
//! and may be compared with what arrived there.

use std::collections::BTreeMap;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use ww_api::hex;
use ww_api::name::Named;
use ww_device::queue::{Depth, Layout};
use ww_device::signer::{Signer, SoftwareSigner};
use ww_device::uplink::{Refusal, Request};
use ww_device::verifier::SoftwareVerifier;
use ww_sim::flash::{FlashHandle, NorFlashModel, SECTOR_BYTES};
use ww_sim::gateway::{Gateway, Reply};
use ww_sim::meter::{Firmware, Parts, VirtualMeter};
use ww_sim::park::{Park, Post};
use ww_sim::sensor::Sensor;
use ww_wire::{AnyReading, MeterId, UtcMillis};

use crate::place::Place;

pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// The morning of a day before today, with this many whole days in between.
pub(crate) fn morning(days: u64) -> UtcMillis {
    let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
    let today = now - now % DAY_MS;
    UtcMillis::new(today - (days + 1) * DAY_MS + 8 * HOUR_MS).unwrap()
}

/// The description of a post of the park.
pub(crate) fn example(number: usize) -> Post {
    Park::example(3, 5).posts.remove(number)
}

/// A meter at its post.
pub(crate) struct MeteredPost {
    meter: VirtualMeter<SoftwareSigner, SoftwareVerifier>,
    uplink: Uplink,
    made: BTreeMap<u64, AnyReading>,
}

impl MeteredPost {
    /// A meter that the gateway does not know yet, switched on at `start`. Its key belongs to
    /// `seed`.
    pub(crate) fn announced(place: &Place, post: &Post, seed: u8, start: UtcMillis) -> Self {
        Self::with_sensor(place, post, seed, post.sensor(start), start)
    }

    /// The same beside a sensor that has been there before.
    pub(crate) fn with_sensor(
        place: &Place,
        post: &Post,
        seed: u8,
        sensor: Sensor,
        start: UtcMillis,
    ) -> Self {
        let signer = SoftwareSigner::new(&[seed; 32]).unwrap();
        let announcement = json!({
            "name": post.name,
            "public_key": signer.public_key().to_string(),
            "sensor_model": post.model.name(),
            "shelly_mac": post.mac.to_string(),
            "channel": 0,
            "production_counter": post.production_counter.name(),
            "rated_power_w": post.plant.rated_w.round() as u32,
            "time_zone": "Europe/Berlin",
        });
        let mut proposed = post.enrolled();
        proposed.mac = None;
        let layout = Layout::ONE_MEBIBYTE;
        let parts = Parts {
            sensor,
            proposed,
            flash: FlashHandle::new(NorFlashModel::new(
                layout.end_bytes() as usize / SECTOR_BYTES,
            )),
            layout,
            signer,
            verifier: SoftwareVerifier,
            seed: u64::from(seed),
            firmware: Firmware::first(),
        };
        let mut meter = VirtualMeter::new(parts, start);
        meter.keep_readings();
        meter.start().unwrap();
        let uplink = Uplink {
            client: place.client.clone(),
            base: place.url(""),
            announcement,
            refused: Vec::new(),
        };
        let mut metered = Self {
            meter,
            uplink,
            made: BTreeMap::new(),
        };
        metered.run(0);
        metered
    }

    /// A meter that an operator has approved, one minute after it was switched on.
    pub(crate) async fn enrolled(place: &Place, post: &Post, seed: u8, start: UtcMillis) -> Self {
        let mut metered = Self::announced(place, post, seed, start);
        let installation = metered.installation(place).await;
        place.approve(installation, &json!({})).await;
        metered.run(MINUTE_MS);
        metered
    }

    pub(crate) fn id(&self) -> String {
        self.meter.id().to_string()
    }

    pub(crate) fn now(&self) -> UtcMillis {
        self.meter.now()
    }

    /// Its number in the gateway.
    pub(crate) async fn installation(&self, place: &Place) -> u64 {
        let all = place.json("/api/v1/installations/").await;
        let (all, id) = (all.as_array().unwrap(), self.id());
        let own = all
            .iter()
            .find(|installation| installation["meter_id"] == *id);
        own.unwrap()["id"].as_u64().unwrap()
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, duration_ms: u64) {
        let until = self.meter.now().checked_add_ms(duration_ms).unwrap();
        block_in_place(|| self.meter.run_until(until, &mut self.uplink)).unwrap();
        for reading in self.meter.take_readings() {
            let number = reading.sum().sequence.get();
            let twin = self.made.insert(number, reading);
            assert_eq!(twin, None, "the meter used number {number} twice");
        }
    }

    /// Lets time pass until shortly before the next window ends.
    pub(crate) fn run_to_the_end_of_a_window(&mut self) {
        let end_ms = self.now().get().next_multiple_of(10 * MINUTE_MS);
        self.run(end_ms - self.now().get() - 5_000);
    }

    /// Stops the meter in an orderly way, and starts it again for long enough to send what that
    /// sealed, but not to measure.
    pub(crate) fn seal(&mut self) {
        self.run_to_the_end_of_a_window();
        self.meter.stop().unwrap();
        self.meter.start().unwrap();
        self.run(1_000);
        let depth = self.depth();
        assert_eq!((depth.records, depth.readings), (0, 0));
    }

    /// Takes the meter away and leaves its sensor.
    pub(crate) fn into_sensor(self) -> Sensor {
        self.meter.into_parts().sensor
    }

    /// Puts another sensor in the place of the one that is there.
    pub(crate) fn change_sensor(&mut self, sensor: Sensor) {
        self.meter.parts_mut().sensor = sensor;
    }

    /// What waits for the gateway.
    pub(crate) fn depth(&self) -> Depth {
        self.meter.meter().unwrap().depth()
    }

    /// The register, mWh.
    pub(crate) fn produced_mwh(&self) -> u64 {
        self.meter.meter().unwrap().produced().get()
    }

    /// Every reading that the meter ever called durable, by number.
    pub(crate) fn made(&self) -> &BTreeMap<u64, AnyReading> {
        &self.made
    }

    /// The gateway holds every reading that was made, once and as it was signed; nothing was
    /// refused; and an auditor finds the sealed ones complete.
    pub(crate) async fn assert_held(&self, place: &Place) {
        let installation = self.installation(place).await;
        let held = place.readings(installation).await;
        let signed: BTreeMap<u64, String> = self
            .made
            .iter()
            .map(|(number, reading)| (*number, hex::encode(&reading.encode().unwrap())))
            .collect();
        let missing: Vec<_> = signed.keys().filter(|n| !held.contains_key(n)).collect();
        assert!(missing.is_empty(), "readings {missing:?} are missing");
        assert_eq!(held.len(), signed.len());
        for (number, held) in &held {
            assert_eq!(held.record, signed[number], "reading {number}");
        }
        assert_eq!(self.uplink.refused, [""; 0]);
        let evidence = format!("/api/v1/installations/{installation}/evidence");
        assert_eq!(place.json(&evidence).await, json!([]));
        let report = place.audit(&self.id());
        let sealed = held.values().filter(|held| held.is_sealed).count();
        assert_eq!(report["readings"], sealed);
        assert!(held.len() - sealed <= 60, "{sealed} of {}", held.len());
    }

    /// All that the register counted is in the totals and in the bars of this meter.
    pub(crate) async fn assert_counted(&self, place: &Place) {
        let installation = self.installation(place).await;
        let produced = self.produced_mwh();
        assert!(produced > 0);
        assert_eq!(place.lifetime_mwh(installation).await, produced);
        assert_eq!(place.chart_mwh(installation, "year").await, produced);
    }
}

/// The way to the gateway.
struct Uplink {
    client: Client,
    base: String,
    announcement: Value,
    /// What the gateway would not take, now or later.
    refused: Vec<String>,
}

impl Gateway for Uplink {
    fn ask(&mut self, meter: MeterId, request: Request, body: &[u8], _now: UtcMillis) -> Reply {
        Handle::current().block_on(self.send(meter, request, body.to_vec()))
    }
}

impl Uplink {
    async fn send(&mut self, meter: MeterId, request: Request, body: Vec<u8>) -> Reply {
        let (client, base) = (&self.client, &self.base);
        let prepared = match request {
            Request::Announce => client
                .post(format!("{base}/api/v1/installations/"))
                .json(&self.announcement),
            Request::Enrolment => client.get(format!("{base}/api/v1/meters/{meter}/enrolment")),
            _ => client
                .post(format!("{base}/api/v1/records"))
                .header("content-type", "application/cose")
                .body(body),
        };
        let unavailable = Reply::Refused(Refusal::Unavailable {
            retry_after_ms: None,
        });
        let Ok(answer) = prepared.send().await else {
            return unavailable;
        };
        let status = answer.status();
        let Ok(body) = answer.bytes().await else {
            return unavailable;
        };
        match (status.as_u16(), request) {
            (200..300, _) => Reply::Done(body.to_vec()),
            (404, Request::Enrolment) => Reply::Refused(Refusal::Waiting),
            _ => {
                let why = String::from_utf8_lossy(&body).into_owned();
                self.refused.push(format!("{request:?}: {why}"));
                Reply::Refused(Refusal::Content)
            }
        }
    }
}
