//! What the plant produced while the meter was off or its sensor out of reach: counted once, and in
//! the open when it cannot be.

use crate::bench::{Bench, HOUR_MS, MINUTE_MS};
use ww_device::queue::Layout;
use ww_wire::{AnyReading, CounterEpoch, MilliwattHours, ProductionCounter, ReadingFlags};

impl Bench {
    /// What the sensor's counter of production shows.
    fn counter_mwh(reading: &AnyReading, counter: ProductionCounter) -> Option<u64> {
        let sum = reading.sum();
        let total = match counter {
            ProductionCounter::Total => sum.import_total,
            ProductionCounter::TotalReturned => sum.export_total,
        };
        total.map(MilliwattHours::get)
    }

    /// What the counter gained between two readings with values.
    fn gain_mwh(&self, from: &AnyReading, to: &AnyReading) -> u64 {
        let counter = self.post.production_counter;
        let shown = |reading| Self::counter_mwh(reading, counter).unwrap();
        shown(to) - shown(from)
    }

    /// The meter is without power for so long; the plant is not.
    fn off(&mut self, duration_ms: u64) {
        self.meter.power_off();
        self.run(duration_ms);
    }

    fn restart(&mut self) {
        self.meter.power_off();
        self.meter.start().unwrap();
    }

    /// All that the counter gained between two readings was counted, once.
    fn assert_counted(&self, from: &AnyReading, to: &AnyReading) {
        assert_eq!(from.sum().counter_epoch, to.sum().counter_epoch);
        let produced = to.sum().produced.get() - from.sum().produced.get();
        assert_eq!(produced, self.gain_mwh(from, to));
    }
}

fn flags(reading: &AnyReading) -> ReadingFlags {
    reading.sum().flags
}

#[test]
fn a_clock_that_stood_still_while_the_meter_was_off_costs_no_energy() {
    let mut bench = Bench::enrolled(0);
    let before = *bench.run(20 * MINUTE_MS).last().unwrap();
    bench.off(4 * HOUR_MS);
    let faults = bench.meter.faults_mut();
    faults.clock_is_informative = true;
    faults.clock_offset_ms = -(4 * HOUR_MS as i64);
    bench.meter.start().unwrap();
    let restored = bench.run(2 * MINUTE_MS);
    assert!(restored.iter().all(
        |reading| flags(reading).contains(ReadingFlags::INCREMENT_PENDING)
            && reading.sum().produced == before.sum().produced
    ));
    *bench.meter.faults_mut() = Default::default();
    let after = *bench.run(MINUTE_MS).last().unwrap();
    bench.assert_counted(&before, &after);
    bench.drain();
    bench.assert_complete();
}

#[test]
fn a_restart_after_an_hour_without_the_sensor_costs_no_energy() {
    let mut bench = Bench::enrolled(0);
    let before = *bench.run(20 * MINUTE_MS).last().unwrap();
    bench.meter.faults_mut().sensor.is_unreachable = true;
    bench.run(HOUR_MS);
    bench.restart();
    bench.meter.faults_mut().sensor.is_unreachable = false;
    let after = bench.run(MINUTE_MS);
    assert!(flags(&after[0]).contains(ReadingFlags::RECOVERED));
    bench.assert_counted(&before, after.last().unwrap());
}

#[test]
fn an_increment_that_waited_longer_than_ten_minutes_survives_the_next_restart() {
    let mut bench = Bench::enrolled(0);
    let before = *bench.run(20 * MINUTE_MS).last().unwrap();
    bench.off(4 * HOUR_MS);
    bench.meter.faults_mut().clock_is_unknown = true;
    bench.meter.start().unwrap();
    let waiting = bench.run(15 * MINUTE_MS);
    assert!(waiting.len() > 80);
    assert!(flags(waiting.last().unwrap()).contains(ReadingFlags::INCREMENT_PENDING));
    bench.restart();
    bench.meter.faults_mut().clock_is_unknown = false;
    let after = *bench.run(MINUTE_MS).last().unwrap();
    bench.assert_counted(&before, &after);
}

#[test]
fn energy_whose_beginning_is_on_no_flash_any_more_is_refused_in_the_open() {
    let mut bench = Bench::enrolled_on(0, Layout::new(0, 4, 3).unwrap());
    let before = *bench.run(20 * MINUTE_MS).last().unwrap();
    bench.meter.faults_mut().sensor.is_unreachable = true;
    bench.run(8 * HOUR_MS);
    bench.restart();
    bench.meter.faults_mut().sensor.is_unreachable = false;
    let after = bench.run(20_000)[0];
    assert!(flags(&after).contains(ReadingFlags::INCREMENT_REFUSED));
    assert_eq!(
        Some(after.sum().counter_epoch),
        before.sum().counter_epoch.next()
    );
    assert_eq!(after.sum().produced, before.sum().produced);
}

#[test]
fn a_restart_before_the_first_value_ever_refuses_nothing() {
    let mut bench = Bench::enrolled(0);
    bench.meter.faults_mut().sensor.is_unreachable = true;
    bench.run(20 * MINUTE_MS);
    bench.restart();
    bench.meter.faults_mut().sensor.is_unreachable = false;
    let first = bench.run(20_000)[0];
    assert!(!flags(&first).contains(ReadingFlags::INCREMENT_REFUSED));
    assert_eq!(first.sum().counter_epoch, CounterEpoch::ZERO);
}
