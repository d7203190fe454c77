//! A key that goes on with another flash than the one that its numbers were counted on: nothing may
//! leave that contradicts what it signed before.

use std::time::Duration;

use crate::bench::{Bench, HOUR_MS, MINUTE_MS};
use ww_device::meter::MeterError;
use ww_device::queue::{AcknowledgeError, Layout};
use ww_sim::flash::{FlashHandle, NorFlashModel};

impl Bench {
    /// Puts another chip in the place of the meter's, starts again and lets time pass; nothing of
    /// what it makes now reaches the gateway.
    fn is_silent_with(&mut self, chip: NorFlashModel) {
        let before = self.gateway.clone();
        self.meter.power_off();
        self.meter.parts_mut().flash = FlashHandle::new(chip);
        self.meter.start().unwrap();
        let until = self.meter.now().checked_add_ms(30 * MINUTE_MS).unwrap();
        self.meter.run_until(until, &mut self.gateway).unwrap();
        assert_eq!(self.gateway.contradictions(), []);
        assert_eq!(self.gateway.readings(), before.readings());
        assert_eq!(self.gateway.records().len(), before.records().len());
        let (_, mishap) = self.meter.mishaps();
        assert!(
            matches!(
                mishap,
                Some(MeterError::Acknowledge(AcknowledgeError::NeverMade { .. }))
            ),
            "{mishap:?}"
        );
    }
}

fn erased() -> NorFlashModel {
    NorFlashModel::new(Layout::ONE_MEBIBYTE.end_bytes() as usize / 4096)
}

#[test]
fn a_key_on_an_erased_flash_sends_nothing() {
    let mut bench = Bench::enrolled(0);
    bench.run(HOUR_MS);
    bench.is_silent_with(erased());
}

#[test]
fn a_key_on_an_erased_flash_sends_nothing_even_if_the_gateway_holds_its_first_boot_only() {
    let mut bench = Bench::enrolled(0);
    bench.meter.faults_mut().sensor.delay = Duration::from_secs(5);
    bench.run(3_000);
    assert_eq!(bench.gateway.records().len(), 1);
    bench.is_silent_with(erased());
}

#[test]
fn rolled_back_flash_sends_nothing() {
    let mut bench = Bench::enrolled(0);
    bench.run(HOUR_MS);
    let old = bench.meter.parts_mut().flash.snapshot();
    bench.run(HOUR_MS);
    bench.is_silent_with(old);
}
