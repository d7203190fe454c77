//! One meter of the demo's park: it fast-forwards through its history, then lives at the park's
//! pace. It talks to the gateway over HTTP like any other meter.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Url};
use tokio::sync::Notify;
use ww_api::name::Named;
use ww_api::{Announcement, Approval, Installation};
use ww_device::queue::Layout;
use ww_device::signer::SoftwareSigner;
use ww_device::uplink::{Refusal, Request};
use ww_device::verifier::SoftwareVerifier;
use ww_release::question::{Obstacle, UpdateState};
use ww_sim::clock::{Clock, RunningClock};
use ww_sim::flash::{FlashHandle, NorFlashModel, SECTOR_BYTES};
use ww_sim::gateway::{Gateway, Reply};
use ww_sim::meter::{Firmware as Running, Parts, VirtualMeter};
use ww_sim::park::Post;
use ww_sim::updater::Updater;
use ww_wire::{MeterId, PublicKey, ResetReason, UtcMillis};

use super::firmware::{self, Carrying, Firmware};
use crate::keys::PrivateKey;
use crate::meter::gateway::{Answer, GatewayClient};
use crate::ota::OtaClient;

/// How much history a meter makes before it uploads: less than its flash holds.
const STRIDE_MS: u64 = 6 * 3_600_000;

/// How often a live meter looks at the clock. At a speed of 240 this is 12 s of the park's time, and a
/// meter is late after 30 s.
const PULSE: Duration = Duration::from_millis(50);

/// How far the park's history is, for people.
pub(super) struct Progress {
    /// What each meter has made, with the moment at the end, so that a history of no length is made
    /// too.
    made_ms: Vec<AtomicU64>,
    first_ms: u64,
    last_ms: u64,
    shown_percent: AtomicU64,
    complete: Notify,
}

impl Progress {
    pub(super) fn new(meters: usize, first: UtcMillis, last: UtcMillis) -> Self {
        Self {
            made_ms: (0..meters).map(|_| AtomicU64::new(0)).collect(),
            first_ms: first.get(),
            last_ms: last.get(),
            shown_percent: AtomicU64::new(0),
            complete: Notify::new(),
        }
    }

    /// Waits until the whole history of all is made; for one who waits.
    pub(super) async fn completed(&self) {
        self.complete.notified().await;
    }

    pub(super) fn begin(&self) {
        self.show(0);
    }

    fn reach(&self, number: usize, time: UtcMillis) {
        let made_ms = time.get().min(self.last_ms).saturating_sub(self.first_ms) + 1;
        self.made_ms[number].store(made_ms, Ordering::Relaxed);
        let whole_ms = self.last_ms - self.first_ms + 1;
        let made = self.made_ms.iter().map(|made| made.load(Ordering::Relaxed));
        let percent = made.sum::<u64>() * 100 / (whole_ms * self.made_ms.len() as u64);
        if self.shown_percent.fetch_max(percent, Ordering::Relaxed) < percent {
            self.show(percent);
        }
    }

    fn show(&self, percent: u64) {
        if percent == 100 {
            self.complete.notify_one();
            eprintln!("\rHistory is complete; the meters are live.");
        } else if std::io::stderr().is_terminal() {
            eprint!("\rMaking history: {percent} %");
        } else if percent.is_multiple_of(10) {
            eprintln!("Making history: {percent} %");
        }
    }
}

/// A meter of the park.
pub(super) type Metering = VirtualMeter<SoftwareSigner, SoftwareVerifier>;

/// Everything that one meter of the park needs.
pub(super) struct Demonstrator {
    pub(super) number: usize,
    pub(super) post: Post,
    pub(super) time_zone: &'static str,
    pub(super) gateway: Url,
    pub(super) admin_key: String,
    pub(super) first: UtcMillis,
    pub(super) clock: RunningClock,
    pub(super) stopping: Arc<AtomicBool>,
    pub(super) progress: Arc<Progress>,
    pub(super) runtime: tokio::runtime::Handle,
    /// Where its firmware comes from; none when it is not updated.
    pub(super) firmware: Option<Arc<Firmware>>,
}

/// A meter's firmware, and the way to who updates it.
struct Updating {
    updater: Updater,
    client: OtaClient,
    told: Option<(UpdateState, Obstacle)>,
}

impl Demonstrator {
    /// Lives until the demo stops.
    pub(super) fn run(self) -> anyhow::Result<()> {
        let key = PrivateKey::generate()?;
        let signer = SoftwareSigner::new(key.bytes())?;
        let mut uplink = Uplink {
            meter: GatewayClient::new(self.gateway.clone(), key.public().id())?,
            operator: Client::builder().timeout(Duration::from_secs(30)).build()?,
            runtime: self.runtime.clone(),
            base: self.gateway.clone(),
            admin_key: self.admin_key.clone(),
            post: self.post.clone(),
            time_zone: self.time_zone,
            public_key: key.public(),
        };
        let mut enrolled = self.post.enrolled();
        enrolled.mac = None;
        let mut updating = self.updating(key.public().id())?;
        let sectors = Layout::ONE_MEBIBYTE.end_bytes() as usize / SECTOR_BYTES;
        let parts = Parts {
            sensor: self.post.sensor(self.first),
            proposed: enrolled,
            flash: FlashHandle::new(NorFlashModel::new(sectors)),
            layout: Layout::ONE_MEBIBYTE,
            signer,
            verifier: SoftwareVerifier,
            seed: self.number as u64,
            firmware: match &mut updating {
                Some(updating) => firmware::running(&mut updating.updater),
                None => Running::first(),
            },
        };
        let mut meter = VirtualMeter::new(parts, self.first);
        meter.start()?;
        self.make_history(&mut meter, &mut uplink)?;
        self.live(&mut meter, &mut uplink, updating)?;
        Ok(meter.stop()?)
    }

    fn make_history(&self, meter: &mut Metering, uplink: &mut Uplink) -> anyhow::Result<()> {
        // First the enrolment, so that the whole history is made under it.
        meter.run_until(self.first, uplink)?;
        while !self.stopping.load(Ordering::Relaxed) {
            let now = self.clock.utc();
            let target = meter
                .now()
                .checked_add_ms(STRIDE_MS)
                .unwrap_or(now)
                .min(now);
            if now.get().saturating_sub(meter.now().get()) < STRIDE_MS / 36 {
                self.progress.reach(self.number, UtcMillis::MAX);
                return Ok(());
            }
            meter.faults_mut().is_offline = true;
            meter.run_until(target, uplink)?;
            meter.faults_mut().is_offline = false;
            meter.run_until(target, uplink)?;
            self.progress.reach(self.number, target);
        }
        Ok(())
    }

    fn live(
        &self,
        meter: &mut Metering,
        uplink: &mut Uplink,
        mut updating: Option<Updating>,
    ) -> anyhow::Result<()> {
        while !self.stopping.load(Ordering::Relaxed) {
            meter.run_until(self.clock.utc(), uplink)?;
            if let Some(updating) = &mut updating {
                self.update(meter, updating)?;
            }
            std::thread::park_timeout(PULSE);
        }
        Ok(())
    }

    fn updating(&self, device: MeterId) -> anyhow::Result<Option<Updating>> {
        let Some(firmware) = &self.firmware else {
            return Ok(None);
        };
        Ok(Some(Updating {
            updater: firmware.updater(device, self.number as u64)?,
            client: OtaClient::new(self.gateway.clone(), device)?,
            told: None,
        }))
    }

    /// Does what is due of an update. A restart is the meter's, too: it seals, and starts again with what
    /// the boot loader chose.
    fn update(&self, meter: &mut Metering, updating: &mut Updating) -> anyhow::Result<()> {
        let Updating {
            updater,
            client,
            told,
        } = updating;
        let (now, conditions) = (meter.meter_now(), firmware::conditions(meter));
        let mut carrying = Carrying {
            client,
            runtime: &self.runtime,
            meter,
        };
        let restarts = updater.run(now, conditions, &mut SoftwareVerifier, &mut carrying);
        let progress = updater.progress();
        let state = (progress.state, progress.obstacle);
        if *told != Some(state) {
            firmware::told(&self.post.name, &progress);
            *told = Some(state);
        }
        if restarts {
            meter.stop()?;
            updater.restart(ResetReason::Update, &mut SoftwareVerifier)?;
            let claimed = firmware::claimed(&updater.head());
            meter.faults_mut().sensor.is_unreachable =
                claimed.is_none_or(|claimed| !claimed.reaches_sensor);
            meter.parts_mut().firmware = firmware::running(updater);
            meter.start_after(ResetReason::Update)?;
        }
        Ok(())
    }
}

/// The way to the gateway. The meter announces itself, and the demo approves it at once.
struct Uplink {
    meter: GatewayClient,
    operator: Client,
    runtime: tokio::runtime::Handle,
    base: Url,
    admin_key: String,
    post: Post,
    time_zone: &'static str,
    public_key: PublicKey,
}

impl Gateway for Uplink {
    fn ask(&mut self, _meter: MeterId, request: Request, body: &[u8], _now: UtcMillis) -> Reply {
        let runtime = self.runtime.clone();
        let answered = runtime.block_on(async {
            match request {
                Request::Announce => self.announce().await,
                _ => Ok(self.meter.send(request, body.to_vec()).answer().await),
            }
        });
        match answered {
            Ok(Answer::Done(body)) => Reply::Done(body),
            Ok(Answer::Refused { refusal, why }) => {
                tracing::debug!(meter = self.post.name, ?request, why, "the gateway refused");
                Reply::Refused(refusal)
            }
            Ok(Answer::Contradicted { why }) => {
                tracing::error!(meter = self.post.name, why, "the meter contradicted itself");
                Reply::Refused(Refusal::Content)
            }
            Err(error) => {
                tracing::warn!(meter = self.post.name, "no approval: {error:#}");
                Reply::Refused(Refusal::Unavailable {
                    retry_after_ms: None,
                })
            }
        }
    }
}

impl Uplink {
    async fn announce(&self) -> anyhow::Result<Answer> {
        let announcement = Announcement {
            name: self.post.name.clone(),
            public_key: self.public_key.to_string(),
            shelly_payload: None,
            boot_timestamp: None,
            shelly_mac: Some(self.post.mac.to_string()),
            sensor_model: Some(self.post.model.name().to_owned()),
            channel: Some(0),
            production_counter: Some(self.post.production_counter.name().to_owned()),
            rated_power_w: Some(self.post.plant.rated_w.round() as u32),
            time_zone: Some(self.time_zone.to_owned()),
        };
        let body = serde_json::to_vec(&announcement)?;
        let answer = self.meter.send(Request::Announce, body).answer().await;
        if let Answer::Done(body) = &answer {
            self.approve(serde_json::from_slice::<Installation>(body)?.id)
                .await?;
        }
        Ok(answer)
    }

    async fn approve(&self, installation: u32) -> anyhow::Result<()> {
        let site = self.post.plant.weather.site();
        let plane = self.post.plant.plane;
        let approval = Approval {
            latitude_e7: Some((site.latitude_deg * 1e7).round() as i32),
            longitude_e7: Some((site.longitude_deg * 1e7).round() as i32),
            tilt_decidegrees: Some((plane.tilt_deg * 10.0).round() as u16),
            azimuth_decidegrees: Some((plane.azimuth_deg * 10.0).round() as u16),
            ..Approval::default()
        };
        let url = self
            .base
            .join(&format!("api/v1/installations/{installation}/approve"))?;
        let request = self
            .operator
            .post(url)
            .bearer_auth(&self.admin_key)
            .json(&approval);
        request
            .send()
            .await?
            .error_for_status()
            .context("the approval was refused")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(progress: &Progress) -> u64 {
        progress.shown_percent.load(Ordering::Relaxed)
    }

    #[test]
    fn a_history_of_no_length_is_complete_once_every_meter_is_through() {
        let start = UtcMillis::new(1_750_032_000_000).unwrap();
        let progress = Progress::new(2, start, start);
        progress.reach(0, UtcMillis::MAX);
        assert_eq!(shown(&progress), 50);
        progress.reach(1, UtcMillis::MAX);
        assert_eq!(shown(&progress), 100);
    }

    #[test]
    fn history_is_not_complete_before_its_end() {
        let start = UtcMillis::new(1_750_032_000_000).unwrap();
        let end = start.checked_add_ms(86_400_000).unwrap();
        let progress = Progress::new(1, start, end);
        progress.reach(0, start.checked_add_ms(86_399_999).unwrap());
        assert_eq!(shown(&progress), 99);
        progress.reach(0, end);
        assert_eq!(shown(&progress), 100);
    }
}
