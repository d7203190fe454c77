//! What a Shelly energy meter measures at a plant: its resolution, its noise, its counters and its
//! faults. It speaks no protocol; the emulator does.

use ww_device::shelly::{SensorClock, SensorSample, SensorValues};
use ww_wire::{
    DeciCelsius, Mac, Milliamperes, Millivars, Millivolts, MilliwattHours, Milliwatts, Phase,
    ProductionCounter, SensorModel, UtcMillis,
};

use crate::noise::Noise;
use crate::plant::Production;

/// What one channel showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelObservation {
    /// Active power, by the direction of the clip.
    pub power: Milliwatts,
    /// Reactive power.
    pub reactive: Millivars,
    /// Voltage.
    pub voltage: Millivolts,
    /// Current.
    pub current: Milliamperes,
    /// Counter of positive energy.
    pub total: MilliwattHours,
    /// Counter of negative energy.
    pub total_returned: MilliwattHours,
    /// Whether the sensor vouches for its values.
    pub is_valid: bool,
}

/// What the whole sensor showed at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The address that it gave.
    pub mac: Mac,
    /// Its own clock in seconds since 1970; `None` before it has heard a time server.
    pub unixtime: Option<u64>,
    /// Seconds since its last start.
    pub uptime_s: u64,
    /// Inside its housing.
    pub temperature: DeciCelsius,
    /// One for each transformer.
    pub channels: Vec<ChannelObservation>,
}

impl Observation {
    /// The sample that a meter reads from the answers in which a sensor of `model` shows this,
    /// without the way through HTTP and JSON; the register is `channel`, or all three phases.
    #[must_use]
    pub fn sample(&self, model: SensorModel, channel: u8) -> SensorSample {
        let register = if model.is_three_phase() {
            &self.channels[..]
        } else {
            std::slice::from_ref(&self.channels[usize::from(channel)])
        };
        let is_valid = register.iter().all(|shown| shown.is_valid);
        SensorSample {
            mac: self.mac,
            clock: self.unixtime.map_or(SensorClock::Unset, SensorClock::At),
            values: is_valid.then(|| values(register, model)),
        }
    }
}

fn values(register: &[ChannelObservation], model: SensorModel) -> SensorValues {
    let sum = |value: fn(&ChannelObservation) -> u64| register.iter().map(value).sum::<u64>();
    let energy = |mwh| MilliwattHours::new(mwh).expect("a plant's energy is far below a u64");
    let power = register.iter().map(|shown| shown.power.get()).sum();
    let voltage = sum(|shown| u64::from(shown.voltage.get())) / register.len() as u64;
    let current = sum(|shown| u64::from(shown.current.get())) as u32;
    let gives_reactive = model == SensorModel::ShellyEmGen1;
    let phase = |shown: &ChannelObservation| Phase {
        power: Some(shown.power),
        voltage: Some(shown.voltage),
        current: Some(shown.current),
        import_total: Some(shown.total),
        export_total: Some(shown.total_returned),
    };
    SensorValues {
        power: Milliwatts::new(power).expect("a plant's power is far from the end of an i64"),
        import_total: energy(sum(|shown| shown.total.get())),
        export_total: energy(sum(|shown| shown.total_returned.get())),
        reactive: register
            .first()
            .filter(|_| gives_reactive)
            .map(|shown| shown.reactive),
        voltage: Millivolts::new(voltage as u32),
        // The first Shelly EM gives no current.
        current: Milliamperes::new(current).filter(|_| !gives_reactive),
        phases: match register {
            [a, b, c] => Some([phase(a), phase(b), phase(c)]),
            _ => None,
        },
    }
}

/// What may be wrong with a sensor, each until it is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SensorFaults {
    /// It says `is_valid: false`.
    pub is_invalid: bool,
    /// It has not heard a time server.
    pub clock_is_unset: bool,
    /// Its clock is ahead by this much (behind when negative), s.
    pub clock_offset_s: i64,
    /// Another device answers at its address.
    pub other_mac: Option<Mac>,
    /// All counters show this much less, mWh (never less than zero).
    pub dip_mwh: u64,
    /// All counters show zero.
    pub counters_show_zero: bool,
}

/// A sensor in the park.
#[derive(Clone, Debug)]
pub struct Sensor {
    model: SensorModel,
    mac: Mac,
    noise: Noise,
    /// True power times this is what it takes for true.
    gain: f64,
    productions: Vec<Production>,
    circuits: Vec<Option<Circuit>>,
    started_ms: u64,
    faults: SensorFaults,
}

#[derive(Clone, Copy, Debug)]
struct Circuit {
    production: usize,
    share: f64,
    production_counter: ProductionCounter,
    /// Added to what was counted since the commissioning, mWh; falls below zero at a reset.
    total_offset_mwh: f64,
    returned_offset_mwh: f64,
}

#[derive(Clone, Copy, Debug)]
struct Resolution {
    power_mw: i64,
    voltage_mv: i64,
    current_ma: i64,
    energy_mwh: i64,
}

impl Resolution {
    const fn of(model: SensorModel) -> Self {
        if speaks_rpc(model) {
            Self {
                power_mw: 100,
                voltage_mv: 100,
                current_ma: 1,
                energy_mwh: 10,
            }
        } else {
            Self {
                power_mw: 10,
                voltage_mv: 10,
                current_ma: 10,
                energy_mwh: 100,
            }
        }
    }
}

/// Whether a model speaks the RPC protocol of the second generation.
pub(crate) const fn speaks_rpc(model: SensorModel) -> bool {
    matches!(
        model,
        SensorModel::ShellyEm1Gen2 | SensorModel::ShellyEmGen2
    )
}

impl Sensor {
    /// A sensor with one plant: on channel 0 of a single-phase model, on all phases of a
    /// three-phase one. It was started at `started`.
    #[must_use]
    pub fn new(
        model: SensorModel,
        mac: Mac,
        production: Production,
        production_counter: ProductionCounter,
        started: UtcMillis,
    ) -> Self {
        let seed = mac
            .0
            .iter()
            .fold(0u64, |seed, byte| seed << 8 | u64::from(*byte));
        let noise = Noise::new(seed);
        let circuit = |share| {
            Some(Circuit {
                production: 0,
                share,
                production_counter,
                total_offset_mwh: 0.0,
                returned_offset_mwh: 0.0,
            })
        };
        let circuits = if model.is_three_phase() {
            vec![circuit(0.334), circuit(0.3325), circuit(0.3335)]
        } else {
            vec![circuit(1.0), None]
        };
        Self {
            model,
            mac,
            noise,
            gain: 1.0 + 0.003 * noise.normal(0, 0),
            productions: vec![production],
            circuits,
            started_ms: started.get(),
            faults: SensorFaults::default(),
        }
    }

    /// Puts a second plant on channel 1.
    ///
    /// # Panics
    /// When the model has no free channel.
    #[must_use]
    pub fn with_second_plant(
        mut self,
        production: Production,
        production_counter: ProductionCounter,
    ) -> Self {
        assert!(
            !self.model.is_three_phase(),
            "a three-phase sensor has no free channel"
        );
        self.productions.push(production);
        self.circuits[1] = Some(Circuit {
            production: 1,
            share: 1.0,
            production_counter,
            total_offset_mwh: 0.0,
            returned_offset_mwh: 0.0,
        });
        self
    }

    /// Sets what the counters of a channel showed when the plant was commissioned.
    ///
    /// # Panics
    /// When nothing is on the channel.
    #[must_use]
    pub fn with_start_counters(
        mut self,
        channel: usize,
        total: MilliwattHours,
        total_returned: MilliwattHours,
    ) -> Self {
        let circuit = self.circuits[channel].as_mut().expect("a channel in use");
        circuit.total_offset_mwh = total.get() as f64;
        circuit.returned_offset_mwh = total_returned.get() as f64;
        self
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> SensorModel {
        self.model
    }

    /// The address that is printed on it.
    #[must_use]
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// What is wrong with it, to be changed at will.
    pub fn faults_mut(&mut self) -> &mut SensorFaults {
        &mut self.faults
    }

    /// Sets all counters to zero, as `ResetCounters` does; they count on from there.
    pub fn reset_counters(&mut self, now: UtcMillis) {
        for index in 0..self.circuits.len() {
            let Some((total_mwh, returned_mwh)) = self.counted_mwh(index, now) else {
                continue;
            };
            if let Some(circuit) = &mut self.circuits[index] {
                circuit.total_offset_mwh -= total_mwh;
                circuit.returned_offset_mwh -= returned_mwh;
            }
        }
    }

    /// Takes the sensor's power away for a moment: it starts anew, counters kept.
    pub fn restart(&mut self, now: UtcMillis) {
        self.started_ms = now.get();
    }

    /// True energy in the register that `channel` counts production in, without resolution,
    /// gain or fault, since the commissioning.
    pub fn true_production(&mut self, channel: usize, now: UtcMillis) -> MilliwattHours {
        let produced = self.circuits[channel].map(|circuit| {
            let energy = self.productions[circuit.production].energy(now.get());
            energy.produced_j * circuit.share / JOULES_PER_MILLIWATT_HOUR
        });
        energy(produced.unwrap_or(0.0), 1)
    }

    /// Looks at everything at `now`.
    pub fn observe(&mut self, now: UtcMillis) -> Observation {
        let channels = (0..self.circuits.len()).map(|index| self.observe_channel(index, now));
        let channels: Vec<_> = channels.collect();
        let faults = &self.faults;
        let unixtime = now.seconds().saturating_add_signed(faults.clock_offset_s);
        let warmth = self.noise.smooth(1, now.get() as f64 / 1000.0, 3600.0);
        Observation {
            mac: faults.other_mac.unwrap_or(self.mac),
            unixtime: (!faults.clock_is_unset).then_some(unixtime),
            uptime_s: now.get().saturating_sub(self.started_ms) / 1000,
            temperature: DeciCelsius::new((420.0 + 25.0 * warmth) as i16)
                .expect("a housing is between 30 and 60 °C"),
            channels,
        }
    }

    fn observe_channel(&mut self, index: usize, now: UtcMillis) -> ChannelObservation {
        let resolution = Resolution::of(self.model);
        let utc_s = now.get() as f64 / 1000.0;
        let place = now.get() as i64;
        let channel = 16 * (index as u64 + 1);
        let production = self.circuits[index].map_or(0, |circuit| circuit.production);
        let power_w = self.productions[production].power_w(now.get());
        let plant = *self.productions[production].plant();
        let (mut voltage_v, reactive_var) = plant.mains(utc_s, power_w);
        if self.model.is_three_phase() {
            voltage_v += 1.1 * self.noise.smooth(channel, utc_s, 600.0);
        }
        let voltage = quantised(voltage_v * 1000.0, resolution.voltage_mv);
        let (power_w, reactive_var) = match self.circuits[index] {
            None => (0.0, 0.0),
            Some(circuit) => {
                let sign = match circuit.production_counter {
                    ProductionCounter::Total => 1.0,
                    ProductionCounter::TotalReturned => -1.0,
                };
                let power_w = power_w * circuit.share * self.gain;
                let spread_w = 0.015 + 0.000_3 * power_w.abs();
                let power_w = power_w + spread_w * self.noise.normal(channel + 1, place);
                (sign * power_w, reactive_var * circuit.share)
            }
        };
        let apparent_va = power_w.hypot(reactive_var);
        let (total_mwh, returned_mwh) = self.counted_mwh(index, now).unwrap_or((0.0, 0.0));
        let power = quantised(power_w * 1000.0, resolution.power_mw);
        let reactive = quantised(reactive_var * 1000.0, resolution.power_mw);
        let current = quantised(apparent_va / voltage_v * 1000.0, resolution.current_ma);
        ChannelObservation {
            power: Milliwatts::new(power).expect("a plant's power is far from the end of an i64"),
            reactive: Millivars::new(reactive).expect("as far as its power"),
            voltage: Millivolts::new(voltage as u32).expect("mains voltage is some 230,000 mV"),
            current: Milliamperes::new(current as u32).expect("a current fits its transformer"),
            total: self.shown(total_mwh, resolution),
            total_returned: self.shown(returned_mwh, resolution),
            is_valid: !self.faults.is_invalid,
        }
    }

    /// What the two counters of a channel stand at, before resolution and faults.
    fn counted_mwh(&mut self, index: usize, now: UtcMillis) -> Option<(f64, f64)> {
        let circuit = self.circuits[index]?;
        let energy = self.productions[circuit.production].energy(now.get());
        let scale = circuit.share * self.gain / JOULES_PER_MILLIWATT_HOUR;
        let (produced, drawn) = (energy.produced_j * scale, energy.drawn_j * scale);
        let (total, returned) = match circuit.production_counter {
            ProductionCounter::Total => (produced, drawn),
            ProductionCounter::TotalReturned => (drawn, produced),
        };
        Some((
            total + circuit.total_offset_mwh,
            returned + circuit.returned_offset_mwh,
        ))
    }

    fn shown(&self, counted_mwh: f64, resolution: Resolution) -> MilliwattHours {
        if self.faults.counters_show_zero {
            return MilliwattHours::ZERO;
        }
        energy(
            counted_mwh - self.faults.dip_mwh as f64,
            resolution.energy_mwh as u64,
        )
    }
}

const JOULES_PER_MILLIWATT_HOUR: f64 = 3.6;

/// Rounds to the nearest multiple of `step`.
fn quantised(value: f64, step: i64) -> i64 {
    (value / step as f64).round() as i64 * step
}

/// Whole multiples of `step_mwh` that have been counted; a counter shows no more than that.
fn energy(counted_mwh: f64, step_mwh: u64) -> MilliwattHours {
    // The hair's breadth keeps a start value of 8,900 from becoming 8,899.999 and 8,800.
    let steps = (counted_mwh.max(0.0) / step_mwh as f64 + 1e-6).floor() as u64;
    MilliwattHours::new(steps * step_mwh).expect("a plant's energy is far below a u64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plant::Plant;
    use crate::sun::{Plane, Site};
    use crate::weather::{Climate, Weather};

    const START_S: u64 = 1_750_032_000;

    fn at(seconds: u64) -> UtcMillis {
        UtcMillis::new((START_S + seconds) * 1000).unwrap()
    }

    fn sensor(model: SensorModel, production_counter: ProductionCounter) -> Sensor {
        let site = Site {
            latitude_deg: 48.14,
            longitude_deg: 11.58,
            elevation_m: 520.0,
        };
        let plant = Plant {
            weather: Weather::new(site, Climate::CENTRAL_EUROPE, 5),
            plane: Plane {
                tilt_deg: 30.0,
                azimuth_deg: 180.0,
            },
            module_w: 7200.0,
            rated_w: 6000.0,
            standby_w: 1.2,
            cloud_delay_s: 0.0,
            seed: 9,
        };
        let production = Production::new(plant, START_S as i64);
        Sensor::new(
            model,
            Mac([2, 0, 0, 0, 0, 1]),
            production,
            production_counter,
            at(0),
        )
    }

    fn noon() -> UtcMillis {
        at(11 * 3600)
    }

    #[test]
    fn values_have_the_resolution_of_a_real_first_generation_sensor() {
        let mut sensor = sensor(SensorModel::ShellyEmGen1, ProductionCounter::Total);
        for step in 0..200 {
            let shown = sensor.observe(at(40_000 + step * 10)).channels[0];
            assert_eq!(shown.power.get() % 10, 0);
            assert_eq!(shown.voltage.get() % 10, 0);
            assert_eq!(shown.total.get() % 100, 0);
        }
    }

    #[test]
    fn values_are_not_smooth_in_their_last_digit() {
        let mut sensor = sensor(SensorModel::ShellyEmGen1, ProductionCounter::Total);
        let digits: std::collections::HashSet<_> = (0..100)
            .map(|step| {
                sensor.observe(at(40_000 + step * 10)).channels[0]
                    .voltage
                    .get()
                    / 10
                    % 10
            })
            .collect();
        assert!(digits.len() >= 9, "{digits:?}");
    }

    #[test]
    fn a_clip_turned_round_swaps_sign_and_counters() {
        let mut plain = sensor(SensorModel::ShellyEmGen1, ProductionCounter::Total);
        let mut turned = sensor(SensorModel::ShellyEmGen1, ProductionCounter::TotalReturned);
        let (plain, turned) = (plain.observe(noon()), turned.observe(noon()));
        assert!(plain.channels[0].power.get() > 0);
        assert_eq!(
            plain.channels[0].power.get(),
            -turned.channels[0].power.get()
        );
        assert_eq!(plain.channels[0].total, turned.channels[0].total_returned);
        assert_eq!(plain.channels[0].total_returned, turned.channels[0].total);
    }

    #[test]
    fn an_unused_channel_shows_voltage_and_nothing_else() {
        let mut sensor = sensor(SensorModel::ShellyEmGen1, ProductionCounter::Total);
        let unused = sensor.observe(noon()).channels[1];
        assert_eq!(
            (unused.power.get(), unused.total.get(), unused.current.get()),
            (0, 0, 0)
        );
        assert!(unused.voltage.get() > 200_000);
    }

    #[test]
    fn the_phases_of_a_three_phase_sensor_sum_to_the_plant() {
        let mut three = sensor(SensorModel::ShellyEmGen2, ProductionCounter::Total);
        let mut one = sensor(SensorModel::ShellyEm1Gen2, ProductionCounter::Total);
        let sum: u64 = three
            .observe(noon())
            .channels
            .iter()
            .map(|phase| phase.total.get())
            .sum();
        let whole = one.observe(noon()).channels[0].total.get();
        assert!(whole.abs_diff(sum) <= 30, "{whole} and {sum}");
    }

    #[test]
    fn after_a_reset_the_counters_count_on_from_zero() {
        let mut sensor = sensor(SensorModel::ShellyEmGen1, ProductionCounter::Total);
        let before = sensor.observe(noon()).channels[0].total;
        sensor.reset_counters(noon());
        assert_eq!(
            sensor.observe(noon()).channels[0].total,
            MilliwattHours::ZERO
        );
        let later = at(12 * 3600);
        let counted = sensor.observe(later).channels[0].total.get();
        let mut untouched = self::sensor(SensorModel::ShellyEmGen1, ProductionCounter::Total);
        let expected = untouched.observe(later).channels[0].total.get() - before.get();
        assert!(
            counted.abs_diff(expected) <= 100,
            "{counted} and {expected}"
        );
    }

    #[test]
    fn a_dip_passes_without_a_trace() {
        let mut sensor = sensor(SensorModel::ShellyEmGen1, ProductionCounter::Total);
        let before = sensor.observe(noon()).channels[0].total;
        sensor.faults_mut().dip_mwh = 5_000;
        assert_eq!(
            sensor.observe(noon()).channels[0].total.get(),
            before.get() - 5_000
        );
        sensor.faults_mut().dip_mwh = 0;
        assert_eq!(sensor.observe(noon()).channels[0].total, before);
    }

    #[test]
    fn start_counters_are_shown_to_the_digit() {
        let start = MilliwattHours::new(8_900).unwrap();
        let mut sensor = sensor(SensorModel::ShellyEmGen1, ProductionCounter::Total)
            .with_start_counters(0, start, MilliwattHours::ZERO);
        assert_eq!(sensor.observe(at(0)).channels[0].total, start);
    }

    #[test]
    fn power_and_counter_agree_over_ten_minutes() {
        let mut sensor = sensor(SensorModel::ShellyEmGen1, ProductionCounter::Total);
        let from = 11 * 3600;
        let mean_mw = (0..60)
            .map(|slot| {
                sensor.observe(at(from + slot * 10 + 5)).channels[0]
                    .power
                    .get()
            })
            .sum::<i64>()
            / 60;
        let counted = sensor.observe(at(from + 600)).channels[0].total.get()
            - sensor.observe(at(from)).channels[0].total.get();
        let counted_mw = counted as i64 * 6;
        assert!(
            (counted_mw - mean_mw).abs() < 2_000 + mean_mw / 500,
            "{counted_mw} {mean_mw}"
        );
    }
}
