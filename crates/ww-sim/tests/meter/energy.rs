//! What the plant produced while the meter was off or its sensor out of reach: counted once, and in
//! the open when it cannot be.

use crate::bench::{Bench, HOUR_MS, MINUTE_MS};
use ww_wire::{AnyReading, MilliwattHours, ProductionCounter, ReadingFlags};

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
    assert_eq!(after.sum().counter_epoch, before.sum().counter_epoch);
    let produced = after.sum().produced.get() - before.sum().produced.get();
    assert_eq!(produced, bench.gain_mwh(&before, &after));
    bench.drain();
    bench.assert_complete();
}
