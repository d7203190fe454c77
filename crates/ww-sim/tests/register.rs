//! The product's register at a simulated plant: what it signs as produced against what the plant
//! really produced, by the counter of a sensor that nothing ever happened to.
#![expect(clippy::unwrap_used, reason = "a test stops where its helper fails")]

use ww_device::now::Now;
use ww_device::register::{Register, RegisterRules};
use ww_sim::park::{Park, Post};
use ww_sim::random::Random;
use ww_sim::sensor::{Observation, Sensor};
use ww_wire::{
    CounterEpoch, MilliwattHours, Nameplate, ProductionCounter, TimeQuality, UptimeMillis,
    UtcMillis, Watts,
};

/// 2025-06-16T00:00:00Z.
const START_MS: u64 = 1_750_032_000_000;
const SLOT_MS: u64 = 10_000;
const SLOTS_PER_DAY: u64 = 8_640;

struct Bench {
    post: Post,
    sensor: Sensor,
    untouched: Sensor,
    start_mwh: u64,
    register: Register,
}

fn bench(index: usize) -> Bench {
    let post = Park::example(3, 5).posts.remove(index);
    let start = UtcMillis::new(START_MS).unwrap();
    let rules = RegisterRules {
        production_counter: post.production_counter,
        nameplate: Nameplate {
            rated_power: Watts::new(post.plant.rated_w as u32).unwrap(),
            ct_ratio_milli: 1000,
        },
    };
    let register = Register::new(rules, MilliwattHours::ZERO, CounterEpoch::ZERO);
    let (sensor, mut untouched) = (post.sensor(start), post.sensor(start));
    let start_mwh = shown_mwh(&post, &untouched.observe(start));
    Bench {
        post,
        sensor,
        untouched,
        start_mwh,
        register,
    }
}

impl Bench {
    fn time(slot: u64) -> UtcMillis {
        UtcMillis::new(START_MS + slot * SLOT_MS).unwrap()
    }

    fn count(&mut self, slot: u64) -> MilliwattHours {
        let time = Self::time(slot);
        let values = self
            .sensor
            .observe(time)
            .sample(self.post.model, 0)
            .values
            .unwrap();
        let uptime = UptimeMillis::new(60_000 + slot * SLOT_MS).unwrap();
        let now = Now::at(uptime, time, TimeQuality::Synchronised);
        self.register
            .count(values.import_total, values.export_total, now)
            .produced
    }

    /// What the counter of a sensor without faults has gained since the start.
    fn truth_mwh(&mut self, slot: u64) -> u64 {
        let observation = self.untouched.observe(Self::time(slot));
        shown_mwh(&self.post, &observation) - self.start_mwh
    }
}

fn shown_mwh(post: &Post, observation: &Observation) -> u64 {
    let values = observation.sample(post.model, 0).values.unwrap();
    match post.production_counter {
        ProductionCounter::Total => values.import_total.get(),
        ProductionCounter::TotalReturned => values.export_total.get(),
    }
}

#[test]
fn without_faults_produced_is_what_the_counter_gained() {
    for index in 0..3 {
        let mut bench = bench(index);
        let slots = 3 * SLOTS_PER_DAY;
        let produced = (0..=slots).map(|slot| bench.count(slot)).last().unwrap();
        assert!(
            produced.get() > 10_000_000,
            "{} in three days",
            produced.get()
        );
        assert_eq!(
            produced.get(),
            bench.truth_mwh(slots),
            "{}",
            bench.post.name
        );
    }
}

#[test]
fn whatever_befalls_the_sensor_produced_never_exceeds_the_truth() {
    for seed in 0..6 {
        let mut bench = bench(seed as usize % 3);
        let mut random = Random::new(seed);
        let mut last = bench.count(0);
        let mut slot = 0;
        let mut trouble_ends = 0;
        while slot < 10 * SLOTS_PER_DAY {
            slot += 1;
            if random.chance(0.0008) {
                match random.below(4) {
                    0 => bench.sensor.reset_counters(Bench::time(slot)),
                    1 => bench.sensor.faults_mut().dip_mwh = 1_000 + random.below(60_000),
                    2 => bench.sensor.faults_mut().counters_show_zero = true,
                    // Out of reach for up to three hours.
                    _ => slot += random.below(1_080),
                }
                trouble_ends = slot + 1 + random.below(30);
            }
            if slot >= trouble_ends {
                *bench.sensor.faults_mut() = Default::default();
            }
            let produced = bench.count(slot);
            assert!(produced >= last, "seed {seed}, slot {slot}");
            last = produced;
            let truth = bench.truth_mwh(slot);
            assert!(
                produced.get() <= truth,
                "seed {seed}, slot {slot}: {produced:?} of {truth}"
            );
        }
        assert!(
            last.get() * 2 > bench.truth_mwh(slot),
            "seed {seed}: more is lost than faults explain"
        );
    }
}
