//! A power cut at every flash operation of a day: before it, in the middle of it, after it.

use crate::bench::{Bench, HOUR_MS};
use ww_device::chain::Start;
use ww_device::meter::Meter;
use ww_device::now::Now;
use ww_device::queue::Layout;
use ww_sim::flash::{FlashHandle, NorFlashModel};
use ww_sim::gateway::{Gateway, ReferenceGateway, Reply};
use ww_sim::signer::{ShamSigner, ShamVerifier};
use ww_wire::{Boot, Hash, ResetReason, TimeQuality, UptimeMillis, UtcMillis};

const STEP_MS: u64 = 10_000;

/// What must be true of a flash that the power cut left behind.
struct Expected<'a> {
    bench: &'a Bench,
    /// The gateway as it was before the step in which the power went.
    gateway: ReferenceGateway<ShamVerifier>,
    /// The last reading that was durable before that step.
    last_sequence: u64,
    buffer: Vec<u8>,
}

type SimMeter = Meter<FlashHandle, ShamSigner, ShamVerifier>;

impl Expected<'_> {
    fn start(&self, chip: &FlashHandle, now: Now) -> (SimMeter, Boot) {
        let start = Start {
            now,
            firmware: Hash::of(&[b"virtual meter"]),
            version: (0, 1, 0),
            security_counter: 1,
            reset_reason: ResetReason::PowerOn,
        };
        let signer = self.bench.signer.clone();
        let proposed = self.bench.post.enrolled();
        Meter::start(chip.clone(), LAYOUT, signer, ShamVerifier, proposed, &start).unwrap()
    }

    /// Starts a meter on the flash and sends everything that is on it; `again` cuts the power at
    /// every operation of that start, too.
    fn check(&mut self, struck: NorFlashModel, again: bool, what: &dyn Fn() -> String) {
        let before = struck.clone();
        let chip = FlashHandle::new(struck);
        chip.with(|chip| chip.start_recording());
        let uptime = |ms| UptimeMillis::new(ms).unwrap();
        let time = |ms| self.bench.meter.now().checked_add_ms(ms).unwrap();
        let now = |ms| Now::at(uptime(ms), time(ms), TimeQuality::Synchronised);
        let (mut meter, boot) = self.start(&chip, now(0));
        let recording = chip.with(|chip| chip.take_recording());
        assert!(
            boot.first_new.get() > self.last_sequence,
            "a number comes again, {}",
            what()
        );
        let mut gateway = self.gateway.continued();
        drain(&mut meter, &mut gateway, &mut self.buffer, now(0), time(0));
        assert_eq!(gateway.contradictions(), [], "{}", what());
        assert_eq!(meter.depth().records, 0, "{}", what());
        for (sequence, digest) in gateway.readings() {
            let known = self.bench.recorded.get(sequence);
            assert!(
                known.is_none_or(|known| known == digest),
                "reading {sequence}, {}",
                what()
            );
        }
        for sequence in self.first_unsealed()..=self.last_sequence {
            let arrived = gateway.readings().contains_key(&sequence);
            assert!(arrived, "reading {sequence} is lost, {}", what());
        }
        let violations = chip.with(|chip| chip.counters().violations);
        assert_eq!(violations, 0, "{}", what());
        if again {
            before.strike_everywhere(&recording, 1, |index, point, struck| {
                let what = || {
                    format!(
                        "{}, then cut {point:?} operation {index} of the start",
                        what()
                    )
                };
                self.check(struck, false, &what);
            });
        }
    }

    /// The first reading that the gateway holds in no window.
    fn first_unsealed(&self) -> u64 {
        let windows = self.gateway.records().values().rev();
        let last = windows.filter_map(|known| match &known.record {
            ww_wire::ChainRecord::Window(window) => Some(window.last_sequence.get() + 1),
            _ => None,
        });
        last.max().unwrap_or(1)
    }
}

fn drain(
    meter: &mut SimMeter,
    gateway: &mut ReferenceGateway<ShamVerifier>,
    buffer: &mut [u8],
    now: Now,
    time: UtcMillis,
) {
    let id = meter.id();
    while let Some(upload) = meter.next_upload(now, 0, buffer).unwrap() {
        let lane = upload.request.lane();
        match gateway.ask(id, upload.request, &buffer[..upload.len], time) {
            Reply::Done(body) => {
                meter.upload_done(lane, &body, now, 0).unwrap();
            }
            Reply::Refused(refusal) => meter.upload_refused(lane, refusal, now, 0),
        }
    }
}

const LAYOUT: Layout = Layout::ONE_MEBIBYTE;

/// Runs `hours` in steps of one slot and cuts the power at every flash operation of each.
fn strike(bench: &mut Bench, hours: u64) -> u64 {
    let mut strikes = 0;
    for _ in 0..hours * HOUR_MS / STEP_MS {
        let flash = bench.meter.parts_mut().flash.clone();
        let before = flash.snapshot();
        let gateway = bench.gateway.continued();
        let last_sequence = bench.recorded.keys().next_back().copied().unwrap_or(0);
        flash.with(|chip| chip.start_recording());
        bench.run(STEP_MS);
        let recording = flash.with(|chip| chip.take_recording());
        let mut expected = Expected {
            bench,
            gateway,
            last_sequence,
            buffer: vec![0; 64 * 1024],
        };
        before.strike_everywhere(&recording, 1, |index, point, struck| {
            strikes += 1;
            // After a cut the recorded operation is there, or it is not: both are tried.
            let what = || format!("cut {point:?} operation {index}: {:?}", recording[index]);
            expected.check(struck, strikes % 16 == 0, &what);
        });
    }
    strikes
}

#[test]
fn a_power_cut_at_every_flash_operation_of_a_day_loses_nothing() {
    let mut bench = Bench::enrolled_on(0, LAYOUT);
    bench.run(HOUR_MS / 2);
    let mut strikes = strike(&mut bench, 11);
    // An outage of an hour, and the way back.
    bench.meter.set_network_up(false);
    strikes += strike(&mut bench, 1);
    bench.meter.set_network_up(true);
    strikes += strike(&mut bench, 12);
    assert!(strikes > 20_000, "{strikes} cuts");
    bench.drain();
    bench.assert_complete();
}
