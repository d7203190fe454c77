//! What is odd about a reading or a window. It only remarks: nothing is refused or changed here.
//!
//! | finding | rule |
//! | --- | --- |
//! | power above rating | more than the plant is believed to reach ([`Nameplate`]), in either direction |
//! | future time | more than 60 s after the gateway's own time, if that is known |
//! | time went back | earlier than a reading with a lower number |
//! | energy above rating | `produced` rose by more than that since a reading last showed the counter |
//! | counter and power disagree | over a window without a gap, the counter's energy and the power's differ by more than a fifth and 3 Wh |

use ww_store::{FindingKind, LastReading};
use ww_wire::{AnyReading, Enrolment, MilliwattHours, Reading, ReadingFlags, Sequence, UtcMillis};

/// How far a meter's clock may be ahead of the gateway's.
const CLOCK_TOLERANCE_MS: u64 = 60_000;

/// What the coarsest sensor counts in one step: 1 Wh.
const COUNTER_STEP_MWH: u128 = 1_000;

const MS_PER_HOUR: u128 = 3_600_000;

/// The shortest window over which counter and power are compared.
const COMPARED_MS: u64 = 300_000;

/// Flags that mean that an increment of `produced` is not that of the time between two readings.
const NOT_COMPARABLE: ReadingFlags = ReadingFlags::FAILED
    .with(ReadingFlags::RECOVERED)
    .with(ReadingFlags::COUNTER_FELL)
    .with(ReadingFlags::INCREMENT_REFUSED)
    .with(ReadingFlags::INCREMENT_PENDING)
    .with(ReadingFlags::CLOCK_STEPPED);

/// One remark.
pub(crate) type Remark = (FindingKind, String);

/// A remark and the number of the reading that it speaks of.
pub(crate) type NumberedRemark = (FindingKind, u64, String);

/// What is remembered of a meter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plausibility {
    last: Option<LastReading>,
    /// When a reading last showed the counter: energy since then may be counted at once. Not known
    /// after a restart until the next one does.
    settled: Option<UtcMillis>,
}

impl Plausibility {
    pub(crate) const fn after(last: Option<LastReading>) -> Self {
        Self {
            last,
            settled: None,
        }
    }

    /// Takes over what was learned from a record that is stored now, unless more is known already.
    pub(crate) fn adopt(&mut self, later: Self) {
        let number = |memory: &Self| memory.last.map(|last| last.sequence);
        if number(self) < number(&later) {
            *self = later;
        }
    }

    /// Whether this reading comes after everything that is remembered.
    pub(crate) fn is_before(&self, sequence: Sequence) -> bool {
        self.last.is_none_or(|last| last.sequence < sequence)
    }

    /// Looks at the readings of a window: one remark of a kind, at the first reading that it is
    /// about.
    pub(crate) fn look_at_readings(
        &mut self,
        readings: &[AnyReading],
        enrolment: Option<&Enrolment>,
        now: Option<UtcMillis>,
    ) -> Vec<NumberedRemark> {
        let mut found: Vec<(NumberedRemark, u32)> = Vec::new();
        for reading in readings {
            let sum = reading.sum();
            for (kind, detail) in self.look(sum, enrolment, now) {
                match found.iter_mut().find(|((known, ..), _)| *known == kind) {
                    Some((_, count)) => *count += 1,
                    None => found.push(((kind, sum.sequence.get(), detail), 1)),
                }
            }
        }
        let counted = found.into_iter().map(|((kind, number, detail), count)| {
            let detail = match count {
                1 => detail,
                _ => format!("{detail}; {count} readings of this window"),
            };
            (kind, number, detail)
        });
        counted.collect()
    }

    /// Looks at the next reading.
    pub(crate) fn look(
        &mut self,
        reading: &Reading,
        enrolment: Option<&Enrolment>,
        now: Option<UtcMillis>,
    ) -> Vec<Remark> {
        let mut remarks = Vec::new();
        if let Some(enrolment) = enrolment
            && let Some(power) = enrolment.plant_power(reading)
            && power.unsigned_abs() > u128::from(enrolment.nameplate().power_mw())
        {
            let rated_w = enrolment.rated_power.get();
            let detail = format!("{power} mW with {rated_w} W rated");
            remarks.push((FindingKind::PowerAboveRating, detail));
        }
        if let (Some(time), Some(now)) = (reading.time, now)
            && time.get() > now.get().saturating_add(CLOCK_TOLERANCE_MS)
        {
            let ahead_ms = time.get() - now.get();
            let detail = format!("{ahead_ms} ms ahead of the gateway");
            remarks.push((FindingKind::FutureTime, detail));
        }
        if let Some(last) = self.last.filter(|last| last.sequence < reading.sequence) {
            self.compare(&last, reading, enrolment, &mut remarks);
        }
        if self
            .last
            .is_none_or(|last| last.sequence < reading.sequence)
        {
            self.last = Some(LastReading {
                sequence: reading.sequence,
                time: reading.time,
                produced: reading.produced,
            });
            if reading.settles_counter() {
                self.settled = reading.time;
            }
        }
        remarks
    }

    fn compare(
        &self,
        last: &LastReading,
        reading: &Reading,
        enrolment: Option<&Enrolment>,
        remarks: &mut Vec<Remark>,
    ) {
        if let (Some(before), Some(time)) = (last.time, reading.time)
            && time < before
        {
            let back_ms = before.get() - time.get();
            let detail = format!("{back_ms} ms before reading {}", last.sequence.get());
            remarks.push((FindingKind::TimeWentBack, detail));
            return;
        }
        let (Some(settled), Some(time), Some(enrolment)) = (self.settled, reading.time, enrolment)
        else {
            return;
        };
        let elapsed_ms = time.get().saturating_sub(settled.get());
        let rise = reading.produced.get().saturating_sub(last.produced.get());
        if u128::from(rise) > enrolment.nameplate().energy_mwh(elapsed_ms) {
            let rated_w = enrolment.rated_power.get();
            let detail = format!("{rise} mWh in {elapsed_ms} ms with {rated_w} W rated");
            remarks.push((FindingKind::EnergyAboveRating, detail));
        }
    }
}

/// Compares the counter's energy over a window with the power's.
pub(crate) fn look_at_window(
    produced_open: MilliwattHours,
    readings: &[AnyReading],
    enrolment: Option<&Enrolment>,
) -> Option<Remark> {
    let enrolment = enrolment?;
    let (first, last) = (readings.first()?.sum(), readings.last()?.sum());
    let length_ms = last.time?.get().checked_sub(first.time?.get())?;
    let odd = |reading: &AnyReading| reading.sum().flags.intersects(NOT_COMPARABLE);
    if length_ms < COMPARED_MS || readings.iter().any(odd) || produced_open > first.produced {
        return None;
    }
    let by_power = integrate(readings, enrolment)?;
    let by_counter = u128::from(last.produced.get().checked_sub(first.produced.get())?);
    let difference = by_power.abs_diff(by_counter);
    let tolerance = by_power.max(by_counter) / 5 + 3 * COUNTER_STEP_MWH;
    (difference > tolerance).then(|| {
        let detail = format!("counter {by_counter} mWh, power {by_power} mWh in {length_ms} ms");
        (FindingKind::CounterAndPowerDisagree, detail)
    })
}

/// Energy in mWh under the plant's power while it produced, by trapezoids.
fn integrate(readings: &[AnyReading], enrolment: &Enrolment) -> Option<u128> {
    let mut doubled = 0u128;
    for pair in readings.windows(2) {
        let (a, b) = (pair[0].sum(), pair[1].sum());
        let elapsed_ms = b.time?.get().checked_sub(a.time?.get())?;
        let power = production(a, enrolment)?.checked_add(production(b, enrolment)?)?;
        doubled = doubled.checked_add(power.checked_mul(u128::from(elapsed_ms))?)?;
    }
    Some(doubled / 2 / MS_PER_HOUR)
}

fn production(reading: &Reading, enrolment: &Enrolment) -> Option<u128> {
    let power = enrolment.plant_power(reading)?;
    Some(u128::try_from(power).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use ww_wire::{
        Address, BootCounter, CounterEpoch, Custody, Mac, Milliwatts, ProductionCounter, PublicKey,
        SensorModel, SignerId, Text, TimeQuality, UptimeMillis, Watts,
    };

    use super::*;

    const START: u64 = 1_750_000_200_000;

    fn enrolment(rated_w: u32) -> Enrolment {
        let operator_key = PublicKey([1; 64]);
        Enrolment {
            operator: operator_key.id(),
            operator_key,
            meter_key: PublicKey([2; 64]),
            number: 1,
            time: UtcMillis::new(START).unwrap(),
            custody: Custody::Software,
            sensor_model: SensorModel::ShellyEmGen1,
            sensor_mac: Mac([0; 6]),
            channel: 0,
            production_counter: ProductionCounter::Total,
            ct_ratio_milli: 1000,
            rated_power: Watts::new(rated_w).unwrap(),
            latitude: None,
            longitude: None,
            tilt: None,
            azimuth: None,
            grid_connection: Text::EMPTY,
            start_import: None,
            start_export: None,
            owner: Address::ZERO,
            chain_id: 0,
            minter: Address::ZERO,
        }
    }

    fn reading(sequence: u64, time: u64, power_mw: i64, produced_mwh: u64) -> Reading {
        Reading {
            meter: SignerId([3; 32]),
            boot: BootCounter::new(1).unwrap(),
            sequence: Sequence::new(sequence).unwrap(),
            time: UtcMillis::new(time),
            uptime: UptimeMillis::ZERO,
            time_quality: TimeQuality::Synchronised,
            power: Milliwatts::new(power_mw),
            import_total: MilliwattHours::new(produced_mwh),
            export_total: Some(MilliwattHours::ZERO),
            counter_epoch: CounterEpoch::ZERO,
            produced: MilliwattHours::new(produced_mwh).unwrap(),
            voltage: None,
            current: None,
            reactive_power: None,
            temperature: None,
            flags: ReadingFlags::NONE,
        }
    }

    fn kinds(remarks: &[Remark]) -> Vec<FindingKind> {
        remarks.iter().map(|(kind, _)| *kind).collect()
    }

    #[test]
    fn power_at_the_bound_is_plausible_and_a_milliwatt_more_is_not() {
        let enrolment = enrolment(800);
        let mut memory = Plausibility::after(None);
        let at = memory.look(&reading(1, START, 1_080_000, 0), Some(&enrolment), None);
        assert!(at.is_empty());
        let above = memory.look(&reading(2, START, -1_080_001, 0), Some(&enrolment), None);
        assert_eq!(kinds(&above), [FindingKind::PowerAboveRating]);
    }

    #[test]
    fn a_time_in_the_future_is_noted_only_by_a_gateway_that_knows_the_time() {
        let mut memory = Plausibility::after(None);
        let late = reading(1, START + CLOCK_TOLERANCE_MS + 1, 0, 0);
        assert!(memory.look(&late, None, None).is_empty());
        let remarks = memory.look(&late, None, UtcMillis::new(START));
        assert_eq!(kinds(&remarks), [FindingKind::FutureTime]);
    }

    #[test]
    fn time_that_goes_back_is_noted_but_not_of_a_reading_that_came_late() {
        let mut memory = Plausibility::after(None);
        memory.look(&reading(5, START, 0, 0), None, None);
        assert!(
            memory
                .look(&reading(4, START - 10_000, 0, 0), None, None)
                .is_empty()
        );
        let remarks = memory.look(&reading(6, START - 1, 0, 0), None, None);
        assert_eq!(kinds(&remarks), [FindingKind::TimeWentBack]);
    }

    #[test]
    fn energy_that_the_plant_cannot_have_produced_is_noted() {
        let enrolment = enrolment(800);
        let mut memory = Plausibility::after(None);
        memory.look(&reading(1, START, 0, 0), Some(&enrolment), None);
        // 1,080 W for the 10 s between them and for the 60 s that the sensor may lag are 21,000
        // mWh; 300 mWh is its resolution, and 1 may have been left over.
        let at = reading(2, START + 10_000, 0, 21_301);
        assert!(memory.look(&at, Some(&enrolment), None).is_empty());
        let above = reading(3, START + 20_000, 0, 21_301 + 21_302);
        let remarks = memory.look(&above, Some(&enrolment), None);
        assert_eq!(kinds(&remarks), [FindingKind::EnergyAboveRating]);
    }

    #[test]
    fn energy_of_the_time_in_which_the_sensor_was_not_reached_is_plausible() {
        let enrolment = enrolment(800);
        let mut memory = Plausibility::after(None);
        memory.look(&reading(1, START, 0, 0), Some(&enrolment), None);
        for step in 1..60 {
            let mut failed = reading(1 + step, START + step * 10_000, 0, 0);
            failed.power = None;
            failed.import_total = None;
            failed.export_total = None;
            failed.flags = ReadingFlags::SENSOR_UNREACHABLE;
            memory.look(&failed, Some(&enrolment), None);
        }
        // 800 W for ten minutes.
        let back = reading(61, START + 600_000, 0, 133_333);
        assert!(memory.look(&back, Some(&enrolment), None).is_empty());
    }

    #[test]
    fn an_external_transformer_multiplies_the_power_that_is_judged() {
        let mut enrolment = enrolment(800);
        enrolment.ct_ratio_milli = 2_000;
        let mut memory = Plausibility::after(None);
        let at = memory.look(&reading(1, START, 540_000, 0), Some(&enrolment), None);
        assert!(at.is_empty());
        let above = memory.look(&reading(2, START, 540_001, 0), Some(&enrolment), None);
        assert_eq!(kinds(&above), [FindingKind::PowerAboveRating]);
        // 180 W as the sensor sees it are 360 W, 1 Wh in 10 s.
        let remark = look_at_window(
            MilliwattHours::ZERO,
            &window(180_000, 1_000),
            Some(&enrolment),
        );
        assert_eq!(remark, None);
    }

    fn window(power_mw: i64, step_mwh: u64) -> Vec<AnyReading> {
        (0..60)
            .map(|i| reading(i + 1, START + i * 10_000, power_mw, i * step_mwh))
            .map(AnyReading::SinglePhase)
            .collect()
    }

    #[test]
    fn readings_of_a_window_are_remarked_on_once_of_a_kind() {
        let enrolment = enrolment(800);
        let mut memory = Plausibility::after(None);
        let readings = window(1_080_001, 1_000);
        let remarks = memory.look_at_readings(&readings, Some(&enrolment), UtcMillis::new(START));
        let shown: Vec<_> = remarks
            .iter()
            .map(|(kind, number, _)| (*kind, *number))
            .collect();
        // The eighth reading is 70 s ahead.
        let expected = [
            (FindingKind::PowerAboveRating, 1),
            (FindingKind::FutureTime, 8),
        ];
        assert_eq!(shown, expected);
        assert!(remarks[0].2.ends_with("60 readings of this window"));
    }

    #[test]
    fn what_is_older_than_the_memory_does_not_replace_it() {
        let (mut memory, mut other) = (Plausibility::after(None), Plausibility::after(None));
        memory.look(&reading(5, START, 0, 0), None, None);
        other.look(&reading(4, START, 0, 0), None, None);
        memory.adopt(other);
        assert!(!memory.is_before(Sequence::new(5).unwrap()));
        other.look(&reading(6, START, 0, 0), None, None);
        memory.adopt(other);
        assert!(!memory.is_before(Sequence::new(6).unwrap()));
    }

    #[test]
    fn a_counter_that_follows_its_power_is_plausible() {
        // 360 W for 10 s are 1 Wh.
        let readings = window(360_000, 1_000);
        let enrolment = enrolment(800);
        assert_eq!(
            look_at_window(MilliwattHours::ZERO, &readings, Some(&enrolment)),
            None
        );
    }

    #[test]
    fn a_counter_that_runs_three_times_as_fast_as_its_power_is_noted() {
        let readings = window(360_000, 3_000);
        let enrolment = enrolment(800);
        let remark = look_at_window(MilliwattHours::ZERO, &readings, Some(&enrolment)).unwrap();
        assert_eq!(remark.0, FindingKind::CounterAndPowerDisagree);
    }
}
