use super::*;
use proptest::prelude::*;
use std::vec::Vec;
use ww_wire::nameplate::RESOLUTION_MWH;
use ww_wire::{BootCounter, Sequence, SignerId, TimeQuality, Watts};

const FELL: ReadingFlags = ReadingFlags::COUNTER_FELL;
const REFUSED: ReadingFlags = ReadingFlags::INCREMENT_REFUSED;
const PENDING: ReadingFlags = ReadingFlags::INCREMENT_PENDING;
const RECOVERED: ReadingFlags = ReadingFlags::RECOVERED;
const NONE: ReadingFlags = ReadingFlags::NONE;

const RATED_W: u32 = 3_000;
/// 1.35 × 3 kW for 90 s, and 0.3 Wh.
const TOLERANCE_MWH: u64 = 101_550;
/// A counter far above the tolerance.
const HIGH: u64 = 5_000_000;

fn rules() -> RegisterRules {
    RegisterRules {
        production_counter: ProductionCounter::Total,
        nameplate: Nameplate {
            rated_power: Watts::new(RATED_W).unwrap(),
            ct_ratio_milli: 1000,
        },
    }
}

fn energy(mwh: u64) -> MilliwattHours {
    MilliwattHours::new(mwh).unwrap()
}

fn uptime(seconds: u64) -> UptimeMillis {
    UptimeMillis::new(seconds * 1000).unwrap()
}

/// A moment of which only the uptime is known.
fn blind(seconds: u64) -> Now {
    Now::unsynchronised(uptime(seconds))
}

fn known(seconds: u64, utc_seconds: u64) -> Now {
    clock(seconds, utc_seconds, TimeQuality::Synchronised)
}

fn clock(seconds: u64, utc_seconds: u64, quality: TimeQuality) -> Now {
    let time = UtcMillis::new(utc_seconds * 1000).unwrap();
    Now::at(uptime(seconds), time, quality)
}

fn reading(value: Option<u64>, counted: Counted, now: Now) -> Reading {
    Reading {
        meter: SignerId([7; 32]),
        boot: BootCounter::new(1).unwrap(),
        sequence: Sequence::new(1).unwrap(),
        time: now.time(),
        uptime: now.uptime(),
        time_quality: now.quality(),
        power: None,
        import_total: value.map(energy),
        export_total: value.map(|_| MilliwattHours::ZERO),
        counter_epoch: counted.epoch,
        produced: counted.produced,
        voltage: None,
        current: None,
        reactive_power: None,
        temperature: None,
        flags: counted.flags,
    }
}

/// A register beside the readings it made, as they lie on flash.
struct Bench {
    register: Register,
    readings: Vec<Reading>,
}

impl Bench {
    fn new() -> Self {
        Self::with(rules())
    }

    fn with(rules: RegisterRules) -> Self {
        let register = Register::new(rules, MilliwattHours::ZERO, CounterEpoch::ZERO);
        Self {
            register,
            readings: Vec::new(),
        }
    }

    fn count(&mut self, value: u64, now: Now) -> Counted {
        let counted = self
            .register
            .count(energy(value), MilliwattHours::ZERO, now);
        self.readings.push(reading(Some(value), counted, now));
        counted
    }

    /// Values 10 s apart, from 1000 s of uptime on; the flags of each.
    fn flags(&mut self, values: &[u64]) -> Vec<ReadingFlags> {
        let start = self
            .readings
            .last()
            .map_or(990, |last| last.uptime.get() / 1000);
        (1..)
            .zip(values)
            .map(|(slot, value)| self.count(*value, blind(start + 10 * slot)).flags)
            .collect()
    }

    fn reboot(&mut self) {
        self.register = Register::new(
            self.register.rules,
            MilliwattHours::ZERO,
            CounterEpoch::ZERO,
        );
        let Some(newest) = self.readings.iter().rposition(Reading::settles_counter) else {
            return;
        };
        let is_baseline = |at: &usize| is_baseline(&self.readings[*at], self.readings.get(at - 1));
        let first = (1..=newest.saturating_sub(60)).rev().find(is_baseline);
        for reading in &self.readings[first.unwrap_or(0)..] {
            self.register.replay(reading);
        }
    }

    fn produced(&self) -> u64 {
        self.register.produced().get()
    }

    fn epoch(&self) -> u16 {
        self.register.epoch().get()
    }
}

#[test]
fn the_first_value_counts_nothing() {
    let mut bench = Bench::new();
    assert_eq!(bench.flags(&[HIGH]), [NONE]);
    assert_eq!((bench.produced(), bench.epoch()), (0, 0));
}

#[test]
fn increments_are_counted_exactly() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.flags(&[HIGH, HIGH + 8_300, HIGH + 8_300, HIGH + 16_600]),
        [NONE; 4]
    );
    assert_eq!((bench.produced(), bench.epoch()), (16_600, 0));
}

#[test]
fn production_is_what_the_enrolled_counter_counts() {
    let returned = RegisterRules {
        production_counter: ProductionCounter::TotalReturned,
        ..rules()
    };
    let mut register = Register::new(returned, MilliwattHours::ZERO, CounterEpoch::ZERO);
    let _ = register.count(energy(10), energy(5_000), blind(1000));
    let counted = register.count(energy(9_000), energy(5_700), blind(1010));
    assert_eq!(counted.produced, energy(700));
}

#[test]
fn an_external_transformer_multiplies_what_the_counter_shows_without_losing_fractions() {
    let mut bench = Bench::with(RegisterRules {
        nameplate: Nameplate {
            ct_ratio_milli: 2_500,
            ..rules().nameplate
        },
        ..rules()
    });
    bench.flags(&[HIGH, HIGH + 1, HIGH + 2, HIGH + 3, HIGH + 4]);
    assert_eq!(bench.produced(), 10);
}

#[test]
fn a_counter_published_once_a_minute_at_full_power_is_counted_whole() {
    let mut bench = Bench::new();
    let values: Vec<u64> = (0..60).map(|slot| HIGH + 50_000 * (slot / 6)).collect();
    assert!(bench.flags(&values).iter().all(|flags| *flags == NONE));
    assert_eq!(bench.produced(), 450_000);
}

#[test]
fn more_than_the_plant_can_produce_is_refused_and_the_next_increment_is_counted() {
    let mut bench = Bench::new();
    let jump = HIGH + 1_000_000;
    assert_eq!(
        bench.flags(&[HIGH, jump, jump + 8_000]),
        [NONE, REFUSED, NONE]
    );
    assert_eq!((bench.produced(), bench.epoch()), (8_000, 1));
}

#[test]
fn the_bound_is_not_earned_twice() {
    let mut bench = Bench::new();
    bench.flags(&[HIGH]);
    let too_much_for_each_slot = 50_000;
    let values: Vec<u64> = (1..=6)
        .map(|slot| HIGH + too_much_for_each_slot * slot)
        .collect();
    assert!(bench.flags(&values).contains(&REFUSED));
    assert!(bench.produced() <= 4_050_000 * (60 + 60) / 3_600 + RESOLUTION_MWH);
}

#[test]
fn a_reset_counts_from_the_new_value() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.flags(&[HIGH, 200, 8_200, 16_200]),
        [NONE, FELL, NONE, NONE]
    );
    assert_eq!((bench.produced(), bench.epoch()), (16_000, 1));
}

#[test]
fn a_reset_keeps_no_allowance_from_before_it() {
    let mut bench = Bench::new();
    let more_than_20_s_of_production = 50_000;
    assert_eq!(
        bench.flags(&[HIGH, 0, more_than_20_s_of_production]),
        [NONE, FELL, REFUSED]
    );
}

#[test]
fn a_counter_that_passed_its_old_value_after_a_reset_is_trusted_across_gaps_again() {
    let mut bench = Bench::new();
    let old_value = TOLERANCE_MWH + 1;
    bench.flags(&[old_value, 0]);
    let grown: Vec<u64> = (1..=13).map(|slot| slot * 8_000).collect();
    bench.flags(&grown);
    assert!(grown[12] > old_value);
    let recovered = bench.count(grown[12] + 2_500_000, blind(1_200 + 3_600));
    assert_eq!(recovered.flags, RECOVERED);
    assert_eq!(bench.produced(), grown[12] + 2_500_000);
}

#[test]
fn a_dip_does_not_count_the_way_back_up_twice() {
    let mut bench = Bench::new();
    let values = [HIGH, HIGH - 100_000, HIGH - 92_000, HIGH + 16_000];
    assert_eq!(bench.flags(&values), [NONE, FELL, NONE, NONE]);
    assert_eq!((bench.produced(), bench.epoch()), (16_000, 1));
}

#[test]
fn a_dip_is_within_the_tolerance_and_a_reset_beyond_it() {
    let mut bench = Bench::new();
    bench.flags(&[HIGH, HIGH - TOLERANCE_MWH, HIGH - TOLERANCE_MWH + 1_000]);
    assert_eq!(bench.produced(), 0);
    let mut bench = Bench::new();
    bench.flags(&[HIGH, HIGH - TOLERANCE_MWH - 1, HIGH - TOLERANCE_MWH + 999]);
    assert_eq!(bench.produced(), 1_000);
}

#[test]
fn a_glitch_to_zero_and_back_counts_nothing() {
    let mut bench = Bench::new();
    let values = [HIGH, 0, 0, HIGH + 24_000, HIGH + 32_000];
    assert_eq!(bench.flags(&values), [NONE, FELL, NONE, REFUSED, NONE]);
    assert_eq!((bench.produced(), bench.epoch()), (8_000, 2));
}

#[test]
fn a_glitch_of_a_small_counter_counts_nothing() {
    let mut bench = Bench::new();
    bench.flags(&[10_000, 0, 10_000]);
    assert_eq!(bench.produced(), 0);
}

#[test]
fn a_glitch_that_ends_in_a_gap_counts_nothing() {
    let mut bench = Bench::new();
    bench.flags(&[HIGH, 0]);
    let a_day_later = bench.count(HIGH + 1_000, blind(1_010 + 86_400));
    assert!(a_day_later.flags.contains(REFUSED.with(RECOVERED)));
    assert_eq!(bench.produced(), 0);
}

#[test]
fn an_increment_across_a_gap_is_counted_and_flagged() {
    let mut bench = Bench::new();
    bench.flags(&[HIGH]);
    let recovered = bench.count(HIGH + 2_500_000, blind(1_000 + 3_600));
    assert_eq!(recovered.flags, RECOVERED);
    assert_eq!(bench.produced(), 2_500_000);
}

#[test]
fn one_missed_slot_is_no_gap() {
    let mut bench = Bench::new();
    bench.flags(&[HIGH]);
    assert_eq!(bench.count(HIGH + 10_000, blind(1_020)).flags, NONE);
}

#[test]
fn an_increment_across_a_gap_stays_within_the_bound_of_that_gap() {
    let mut bench = Bench::new();
    bench.flags(&[HIGH]);
    let recovered = bench.count(HIGH + 4_500_000, blind(1_000 + 3_600));
    assert_eq!(recovered.flags, RECOVERED.with(REFUSED));
    assert_eq!(bench.produced(), 0);
}

#[test]
fn an_increment_across_a_reboot_is_counted_by_the_clock() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.reboot();
    let recovered = bench.count(HIGH + 2_500_000, known(5, 1_750_003_600));
    assert_eq!(recovered.flags, RECOVERED);
    assert_eq!(bench.produced(), 2_500_000);
}

#[test]
fn without_a_clock_the_increment_across_a_reboot_waits_for_the_clock() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.reboot();
    assert_eq!(bench.count(HIGH + 2_500_000, blind(5)).flags, PENDING);
    assert_eq!(bench.produced(), 0);
    let settled = bench.count(HIGH + 2_508_000, known(15, 1_750_003_610));
    assert_eq!(settled.flags, RECOVERED);
    assert_eq!(bench.produced(), 2_508_000);
}

#[test]
fn without_a_clock_the_increment_across_a_reboot_waits_until_the_uptime_allows_it() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.reboot();
    assert_eq!(bench.count(HIGH + 150_000, blind(5)).flags, PENDING);
    assert_eq!(bench.count(HIGH + 150_000, blind(60)).flags, PENDING);
    assert_eq!(bench.count(HIGH + 150_000, blind(80)).flags, RECOVERED);
    assert_eq!(bench.produced(), 150_000);
}

#[test]
fn a_pending_increment_survives_another_reboot() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.reboot();
    bench.count(HIGH + 2_500_000, blind(5));
    bench.reboot();
    bench.count(HIGH + 2_500_000, known(5, 1_750_003_600));
    assert_eq!(bench.produced(), 2_500_000);
}

#[test]
fn a_pending_increment_that_the_clock_does_not_explain_is_refused() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.reboot();
    assert_eq!(bench.count(HIGH + 2_500_000, blind(5)).flags, PENDING);
    let refused = bench.count(HIGH + 2_500_000, known(15, 1_750_000_100));
    assert_eq!(refused.flags, REFUSED.with(RECOVERED));
    assert_eq!((bench.produced(), bench.epoch()), (0, 1));
}

#[test]
fn a_clock_that_went_backwards_over_a_reboot_is_no_clock() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.reboot();
    assert_eq!(
        bench.count(HIGH + 2_500_000, known(5, 1_700_000_000)).flags,
        PENDING
    );
}

#[test]
fn a_clock_restored_at_boot_does_not_refuse_what_the_stop_produced() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.reboot();
    // Twelve hours later the clock goes on from where it stood.
    let restored = clock(50, 1_750_000_050, TimeQuality::Informative);
    assert_eq!(bench.count(HIGH + 4_000_000, restored).flags, PENDING);
    let settled = bench.count(HIGH + 4_008_000, known(60, 1_750_043_260));
    assert_eq!(settled.flags, RECOVERED);
    assert_eq!((bench.produced(), bench.epoch()), (4_008_000, 0));
}

#[test]
fn a_clock_that_was_not_synchronised_before_the_reboot_proves_no_elapsed_time() {
    for quality in [TimeQuality::Informative, TimeQuality::Relative] {
        let mut bench = Bench::new();
        bench.count(HIGH, clock(1_000, 1_750_000_000, quality));
        bench.reboot();
        let pending = bench.count(HIGH + 2_500_000, known(5, 1_750_000_100));
        assert_eq!(pending.flags, PENDING, "{quality:?}");
    }
}

#[test]
fn without_ever_a_synchronised_clock_a_pending_increment_is_in_after_three_stops_at_full_power() {
    let mut bench = Bench::new();
    let stopped_s = 12 * 3_600;
    let at_full_power = |seconds: u64| u64::from(RATED_W) * seconds * 10 / 36;
    bench.count(HIGH, clock(1_000, 1_750_000_000, TimeQuality::Informative));
    bench.reboot();
    let mut flags = NONE;
    for up_s in (10..=3 * stopped_s).step_by(10) {
        let now = clock(up_s, 1_750_000_000 + up_s, TimeQuality::Informative);
        flags = bench
            .count(HIGH + at_full_power(stopped_s + up_s), now)
            .flags;
        assert!(!flags.intersects(REFUSED), "after {up_s} s");
    }
    assert_eq!((flags, bench.epoch()), (NONE, 0));
    assert_eq!(bench.produced(), at_full_power(4 * stopped_s));
}

#[test]
fn a_clock_that_shows_less_time_than_the_meter_has_been_up_is_not_believed() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.reboot();
    let recovered = bench.count(HIGH + 2_500_000, known(3_600, 1_750_000_100));
    assert_eq!(recovered.flags, RECOVERED);
}

#[test]
fn a_counter_that_falls_while_an_increment_is_pending_adds_nothing_yet() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.reboot();
    bench.count(HIGH + 2_500_000, blind(5));
    let fell = bench.count(HIGH + 2_400_000, known(15, 1_750_003_600));
    assert_eq!(fell.flags, FELL.with(PENDING));
    assert_eq!(bench.produced(), 0);
    bench.count(HIGH + 2_500_000, known(25, 1_750_003_610));
    assert_eq!(bench.produced(), 2_500_000);
}

#[test]
fn a_dip_that_outlasts_a_reboot_does_not_count_the_way_back_up_twice() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.count(HIGH - 100_000, known(1_010, 1_750_000_010));
    bench.reboot();
    bench.count(HIGH, known(5, 1_750_000_300));
    assert_eq!(bench.produced(), 0);
}

#[test]
fn another_sensor_before_a_reboot_is_no_dip_of_the_one_before_it() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    bench.register.swap_sensor();
    bench.count(HIGH - 50_000, known(1_010, 1_750_000_010));
    bench.reboot();
    bench.count(HIGH - 42_000, known(5, 1_750_000_030));
    assert_eq!((bench.produced(), bench.epoch()), (8_000, 1));
}

#[test]
fn a_forgotten_counter_refuses_what_it_gained_once() {
    let mut bench = Bench::new();
    bench.register.forget_counter();
    assert_eq!(
        bench.flags(&[HIGH, HIGH + 8_000]),
        [REFUSED.with(RECOVERED), NONE]
    );
    assert_eq!((bench.produced(), bench.epoch()), (8_000, 1));
}

#[test]
fn failed_polls_on_flash_do_not_hide_the_last_value() {
    let mut bench = Bench::new();
    bench.count(HIGH, known(1_000, 1_750_000_000));
    let counted = Counted {
        produced: bench.register.produced(),
        epoch: bench.register.epoch(),
        flags: ReadingFlags::SENSOR_UNREACHABLE,
    };
    bench
        .readings
        .push(reading(None, counted, known(1_010, 1_750_000_010)));
    bench.reboot();
    bench.count(HIGH + 20_000, known(5, 1_750_000_030));
    assert_eq!(bench.produced(), 20_000);
}

#[test]
fn another_sensor_is_another_epoch_and_counts_from_its_first_value() {
    let mut bench = Bench::new();
    bench.flags(&[HIGH, HIGH + 8_000]);
    bench.register.swap_sensor();
    bench.flags(&[700, 8_700]);
    assert_eq!((bench.produced(), bench.epoch()), (16_000, 1));
}

#[test]
fn another_rated_power_is_no_swap() {
    let mut bench = Bench::new();
    bench.flags(&[HIGH]);
    bench.register.change_rules(RegisterRules {
        nameplate: Nameplate {
            rated_power: Watts::new(5_000).unwrap(),
            ..rules().nameplate
        },
        ..rules()
    });
    bench.flags(&[HIGH + 8_000]);
    assert_eq!((bench.produced(), bench.epoch()), (8_000, 0));
}

#[test]
fn counting_the_other_counter_is_a_swap() {
    let mut bench = Bench::new();
    bench.flags(&[HIGH]);
    let production_counter = ProductionCounter::TotalReturned;
    bench.register.change_rules(RegisterRules {
        production_counter,
        ..rules()
    });
    assert_eq!(bench.flags(&[HIGH]), [NONE]);
    assert_eq!(bench.epoch(), 1);
}

/// One stretch of a meter's life.
#[derive(Clone, Debug)]
enum Stretch {
    Normal {
        slots: u8,
    },
    /// Polls fail.
    Gap {
        slots: u16,
    },
    /// The meter is off, then on; the clock is there at once, or after so many slots.
    Reboot {
        off_slots: u16,
        blind_slots: u8,
    },
    /// The meter is off, then on; for so many slots the clock shows the time at which it went off.
    RestoredClock {
        off_slots: u16,
        restored_slots: u8,
    },
    /// The counter starts again at zero.
    Reset,
    /// The counter shows so much less for a while.
    Dip {
        mwh: u64,
        slots: u8,
    },
    /// The counter shows a constant for a while.
    Glitch {
        value: u64,
        slots: u8,
    },
}

/// A plant, a sensor and their clock.
struct Model {
    true_uwh: u64,
    offset_mwh: u64,
    published_mwh: u64,
    publication_slots: u64,
    utc_s: u64,
    uptime_s: u64,
    blind_slots: u8,
    /// How far behind an unsynchronised clock is, and for how long yet.
    restored: (u64, u8),
    slot: u64,
    running_s: u64,
    boots: u64,
    powers_w: Vec<u32>,
}

impl Model {
    fn step(&mut self) {
        let power_w = u64::from(self.powers_w[self.slot as usize % self.powers_w.len()]);
        self.true_uwh += power_w * 10 * 1_000_000 / 3_600;
        self.slot += 1;
        self.utc_s += 10;
        self.uptime_s += 10;
        self.running_s += 10;
        self.blind_slots = self.blind_slots.saturating_sub(1);
        self.restored.1 = self.restored.1.saturating_sub(1);
        if self.slot.is_multiple_of(self.publication_slots) {
            self.published_mwh = (self.true_uwh / 1000 - self.offset_mwh) / 100 * 100;
        }
    }

    fn stop(&mut self, off_slots: u16) {
        for _ in 0..off_slots {
            self.step();
        }
        self.boots += 1;
        self.uptime_s = 2;
    }

    fn now(&self) -> Now {
        if self.blind_slots > 0 {
            blind(self.uptime_s)
        } else if let (behind_s, 1..) = self.restored {
            let utc_s = self.utc_s - behind_s;
            clock(self.uptime_s, utc_s, TimeQuality::Informative)
        } else {
            known(self.uptime_s, self.utc_s)
        }
    }

    fn bound_mwh(&self) -> u64 {
        let plausible_mw = rules().nameplate.power_mw();
        let first_slots = self.boots * (plausible_mw * 60 / 3_600 + RESOLUTION_MWH);
        plausible_mw * self.running_s / 3_600 + first_slots + 1
    }
}

/// Lives through `stretches` and checks after each value that nothing was made up. The
/// first value is sound, and a dip or glitch ends before another begins: from one false value to
/// another there is nothing to hold on to.
fn lived(
    stretches: &[Stretch],
    powers_w: Vec<u32>,
    publication_slots: u64,
    start_mwh: u64,
) -> Result<(Bench, Model), TestCaseError> {
    let mut bench = Bench::new();
    let mut model = Model {
        true_uwh: start_mwh * 1000,
        offset_mwh: 0,
        published_mwh: start_mwh / 100 * 100,
        publication_slots,
        utc_s: 1_750_000_000,
        uptime_s: 100,
        blind_slots: 0,
        restored: (0, 0),
        slot: 0,
        running_s: 0,
        boots: 1,
        powers_w,
    };
    let sound = Stretch::Normal { slots: 1 };
    let disturbance =
        |stretch: &&Stretch| matches!(stretch, Stretch::Dip { .. } | Stretch::Glitch { .. });
    let mut disturbed = true;
    let life = stretches.iter().flat_map(|stretch| {
        let sound_first = disturbed && disturbance(&stretch);
        disturbed = disturbance(&stretch) || (disturbed && matches!(stretch, Stretch::Gap { .. }));
        sound_first.then_some(&sound).into_iter().chain([stretch])
    });
    for stretch in life {
        let (slots, shown): (u64, &dyn Fn(u64) -> Option<u64>) = match stretch {
            Stretch::Normal { slots } => (u64::from(*slots), &Some),
            Stretch::Gap { slots } => (u64::from(*slots), &|_| None),
            Stretch::Reboot {
                off_slots,
                blind_slots,
            } => {
                model.stop(*off_slots);
                model.blind_slots = *blind_slots;
                bench.reboot();
                (1, &Some)
            }
            Stretch::RestoredClock {
                off_slots,
                restored_slots,
            } => {
                model.stop(*off_slots);
                model.restored = (u64::from(*off_slots) * 10, *restored_slots);
                bench.reboot();
                (1, &Some)
            }
            Stretch::Reset => {
                model.offset_mwh = model.true_uwh / 1000;
                model.published_mwh = 0;
                (1, &Some)
            }
            Stretch::Dip { mwh, slots } => {
                (u64::from(*slots), &|value| Some(value.saturating_sub(*mwh)))
            }
            Stretch::Glitch { value, slots } => {
                (u64::from(*slots), &|published| Some(published.min(*value)))
            }
        };
        for _ in 0..slots {
            model.step();
            let before = bench.produced();
            if let Some(value) = shown(model.published_mwh) {
                bench.count(value, model.now());
            }
            prop_assert!(bench.produced() >= before, "produced fell");
            prop_assert!(
                bench.produced() <= model.true_uwh / 1000 - start_mwh / 100 * 100,
                "made up"
            );
            prop_assert!(bench.produced() <= model.bound_mwh(), "beyond the bound");
        }
    }
    Ok((bench, model))
}

fn powers() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(prop_oneof![Just(0), Just(RATED_W), 0..=RATED_W], 1..40)
}

fn faultless() -> impl Strategy<Value = Stretch> {
    prop_oneof![
        (1_u8..80).prop_map(|slots| Stretch::Normal { slots }),
        (1_u16..2_000).prop_map(|slots| Stretch::Gap { slots }),
        (0_u16..2_000).prop_map(|off_slots| Stretch::Reboot {
            off_slots,
            blind_slots: 0
        }),
    ]
}

fn faulty() -> impl Strategy<Value = Stretch> {
    prop_oneof![
        4 => faultless(),
        1 => (0_u16..2_000, 0_u8..50)
            .prop_map(|(off_slots, blind_slots)| Stretch::Reboot { off_slots, blind_slots }),
        1 => (0_u16..2_000, 0_u8..50).prop_map(|(off_slots, restored_slots)| {
            Stretch::RestoredClock { off_slots, restored_slots }
        }),
        1 => Just(Stretch::Reset),
        2 => (1_u64..400_000, 1_u8..9).prop_map(|(mwh, slots)| Stretch::Dip { mwh, slots }),
        2 => (prop_oneof![Just(0), 0_u64..2_000_000], 1_u8..40)
            .prop_map(|(value, slots)| Stretch::Glitch { value, slots }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_happens_no_energy_is_made_up(
        stretches in prop::collection::vec(faulty(), 1..25), powers_w in powers(),
        publication_slots in 1_u64..=6, start_mwh in prop_oneof![0_u64..500_000, 0_u64..10_000_000],
    ) {
        lived(&stretches, powers_w, publication_slots, start_mwh)?;
    }

    #[test]
    fn gaps_and_reboots_lose_nothing_when_the_sensor_is_sound(
        stretches in prop::collection::vec(faultless(), 1..25), powers_w in powers(),
        publication_slots in 1_u64..=6, start_mwh in 0_u64..10_000_000,
    ) {
        let (bench, _) = lived(&stretches, powers_w, publication_slots, start_mwh)?;
        let values: Vec<u64> =
            bench.readings.iter().map(|reading| reading.import_total.unwrap().get()).collect();
        let shown = values.last().map_or(0, |last| last - values[0]);
        prop_assert_eq!(bench.produced(), shown);
        prop_assert_eq!(bench.epoch(), 0);
    }

    #[test]
    fn a_reboot_without_a_sound_clock_loses_nothing_once_it_is_there(
        off_slots in 0_u16..5_000, slots in 2_u8..200, restored in any::<bool>(),
        powers_w in powers(),
    ) {
        let reboot = if restored {
            Stretch::RestoredClock { off_slots, restored_slots: slots }
        } else {
            Stretch::Reboot { off_slots, blind_slots: slots }
        };
        let life = [Stretch::Normal { slots: 3 }, reboot, Stretch::Normal { slots: 255 }];
        let (bench, _) = lived(&life, powers_w, 1, 1_000_000)?;
        let total = |reading: &Reading| reading.import_total.unwrap().get();
        let shown = total(bench.readings.last().unwrap()) - total(&bench.readings[0]);
        prop_assert_eq!((bench.produced(), bench.epoch()), (shown, 0));
    }
}
