//! A solar plant: modules under a sky, an inverter, the mains at its terminals. It knows true
//! values only; what a sensor makes of them is the sensor's business.
//!
//! Power is given at nodes 10 s apart and runs straight between them, so that the energy between
//! any two instants is an exact sum and not an estimate.

use crate::noise::Noise;
use crate::sun::{self, Plane};
use crate::weather::Weather;

/// Seconds between two nodes of the power curve.
pub const NODE_S: i64 = 10;
const DAY_S: i64 = 86_400;
const NODES_PER_DAY: usize = (DAY_S / NODE_S) as usize;

/// What was built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plant {
    /// The sky above.
    pub weather: Weather,
    /// How the modules stand.
    pub plane: Plane,
    /// Peak power of the modules at 1000 W/m² and 25 °C, W.
    pub module_w: f64,
    /// Rated power of the inverter, W: it never gives more.
    pub rated_w: f64,
    /// What the inverter draws when there is no light, W.
    pub standby_w: f64,
    /// Seconds by which the clouds reach this plant later than the middle of the park.
    pub cloud_delay_s: f64,
    /// Seed of the mains and of the inverter's ripple.
    pub seed: u64,
}

/// The state of a plant at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlantState {
    /// Active power to the mains, W; negative when the plant draws.
    pub power_w: f64,
    /// Reactive power, var; positive when inductive.
    pub reactive_var: f64,
    /// Voltage at the terminals, V.
    pub voltage_v: f64,
    /// Light on the modules, W/m².
    pub irradiance_w_m2: f64,
    /// Temperature of the modules, °C.
    pub module_c: f64,
    /// Temperature of the air, °C.
    pub ambient_c: f64,
}

impl Plant {
    /// The true state at a node or at any other instant.
    #[must_use]
    pub fn state(&self, utc_s: f64) -> PlantState {
        let position = utc_s / NODE_S as f64;
        let node = position.floor() as i64;
        let share = position - position.floor();
        let (irradiance_w_m2, module_c, ambient_c) = self.modules(utc_s);
        let power_w = if share == 0.0 {
            self.node_power_w(node)
        } else {
            self.node_power_w(node) * (1.0 - share) + self.node_power_w(node + 1) * share
        };
        let (voltage_v, reactive_var) = self.mains(utc_s, power_w);
        PlantState {
            power_w,
            reactive_var,
            voltage_v,
            irradiance_w_m2,
            module_c,
            ambient_c,
        }
    }

    /// The power at node `node`, which is at `node` × 10 s since 1970.
    #[must_use]
    pub fn node_power_w(&self, node: i64) -> f64 {
        let utc_s = (node * NODE_S) as f64;
        let (irradiance_w_m2, module_c, _) = self.modules(utc_s);
        let noise = Noise::new(self.seed);
        let heat = 1.0 - 0.0038 * (module_c - 25.0);
        let direct_current_w = self.module_w * irradiance_w_m2 / 1000.0
            * heat
            * 0.94
            * (1.0 + 0.002 * noise.normal(1, node));
        // The inverter wakes when the light pays for its own consumption twice.
        if direct_current_w < 2.0 * self.standby_w.max(0.002 * self.rated_w) {
            return -self.standby_w * (1.0 + 0.03 * noise.normal(2, node));
        }
        let load = direct_current_w / self.rated_w;
        let efficiency = 0.975 - 0.004 / load.max(0.01) * 0.5 - 0.008 * load.min(1.2);
        let limit_w = self.rated_w * (1.0 - 0.0008 * (noise.normal(3, node).abs()));
        (direct_current_w * efficiency.max(0.5)).min(limit_w)
    }

    /// The voltage at the terminals and the reactive power, at an active power.
    #[must_use]
    pub fn mains(&self, utc_s: f64, power_w: f64) -> (f64, f64) {
        let noise = Noise::new(self.seed ^ 0x6d61_696e);
        let place = (utc_s * 1000.0) as i64;
        // Feeding in lifts the voltage at the end of the line: 2.2 % at full power.
        let voltage_v = 231.5
            + 5.0 * (power_w / self.rated_w)
            + 1.6 * noise.smooth(1, utc_s, 5400.0)
            + 0.7 * noise.smooth(2, utc_s, 240.0)
            + 0.25 * noise.smooth(3, utc_s, 15.0)
            + 0.08 * noise.normal(4, place);
        // The filter's capacitors and a nearly straight power factor.
        let filter_var = 0.0035 * self.rated_w * (voltage_v / 230.0).powi(2);
        let reactive_var =
            filter_var * (1.0 + 0.01 * noise.normal(5, place)) + 0.012 * power_w.max(0.0);
        (voltage_v, reactive_var)
    }

    /// Light on the modules, their temperature and the air's.
    fn modules(&self, utc_s: f64) -> (f64, f64, f64) {
        let site = self.weather.site();
        let sun = sun::position(site, utc_s);
        let sky = self.weather.sky(utc_s - self.cloud_delay_s);
        let clear = sun::clear_sky(site, &sun, sky.linke_turbidity);
        let light = sky.under(&clear, &sun).on_plane(&sun, &self.plane);
        // Nominal operating cell temperature 45 °C: 25 K above the air at 800 W/m².
        (light, sky.ambient_c + light * 25.0 / 800.0, sky.ambient_c)
    }
}

/// Energy that has passed the terminals, in joules, each direction by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Energy {
    /// To the mains.
    pub produced_j: f64,
    /// From the mains.
    pub drawn_j: f64,
}

/// The plant's energy since it was commissioned, readable at any instant.
///
/// It keeps the sums of every day that it has passed and the curve of the day that was asked for
/// last: going forward costs one node each 10 s, a jump ahead costs the days between.
#[derive(Clone, Debug)]
pub struct Production {
    plant: Plant,
    first_day: i64,
    /// Sums at the start of each day from the first on; one more entry than days passed.
    days: Vec<Energy>,
    day: DayCurve,
}

#[derive(Clone, Debug)]
struct DayCurve {
    day: i64,
    power_w: Vec<f64>,
    sums: Vec<Energy>,
}

impl Production {
    /// Starts counting at the UTC day that holds `commissioned_s`.
    #[must_use]
    pub fn new(plant: Plant, commissioned_s: i64) -> Self {
        let first_day = commissioned_s.div_euclid(DAY_S);
        let days = vec![Energy::default()];
        let day = DayCurve::new(&plant, first_day, Energy::default());
        Self {
            plant,
            first_day,
            days,
            day,
        }
    }

    /// The plant.
    #[must_use]
    pub fn plant(&self) -> &Plant {
        &self.plant
    }

    /// Power to the mains at `utc_ms`, W. Before the commissioning there is none.
    pub fn power_w(&mut self, utc_ms: u64) -> f64 {
        self.at(utc_ms).map_or(0.0, |(power_w, _)| power_w)
    }

    /// Energy from the commissioning to `utc_ms`.
    pub fn energy(&mut self, utc_ms: u64) -> Energy {
        self.at(utc_ms)
            .map_or(Energy::default(), |(_, energy)| energy)
    }

    fn at(&mut self, utc_ms: u64) -> Option<(f64, Energy)> {
        let utc_ms = i64::try_from(utc_ms).ok()?;
        let day = utc_ms.div_euclid(DAY_S * 1000);
        if day < self.first_day {
            return None;
        }
        self.open_day(day);
        let within_s = (utc_ms - day * DAY_S * 1000) as f64 / 1000.0;
        let index = (within_s / NODE_S as f64) as usize;
        let since_node_s = within_s - (index as i64 * NODE_S) as f64;
        let (from_w, to_w) = (self.day.power_w[index], self.day.power_w[index + 1]);
        let power_w = from_w + (to_w - from_w) * since_node_s / NODE_S as f64;
        Some((
            power_w,
            self.day.sums[index].plus(from_w, power_w, since_node_s),
        ))
    }

    fn open_day(&mut self, day: i64) {
        if self.day.day == day {
            return;
        }
        let wanted = (day - self.first_day) as usize;
        while self.days.len() <= wanted {
            let last = self.days.len() - 1;
            let number = self.first_day + last as i64;
            if self.day.day != number {
                self.day = DayCurve::new(&self.plant, number, self.days[last]);
            }
            self.days.push(self.day.sums[NODES_PER_DAY]);
        }
        self.day = DayCurve::new(&self.plant, day, self.days[wanted]);
    }
}

impl DayCurve {
    fn new(plant: &Plant, day: i64, start: Energy) -> Self {
        let first = day * NODES_PER_DAY as i64;
        let power_w: Vec<f64> = (0..=NODES_PER_DAY as i64)
            .map(|node| plant.node_power_w(first + node))
            .collect();
        let mut sums = Vec::with_capacity(NODES_PER_DAY + 1);
        let mut sum = start;
        sums.push(sum);
        for pair in power_w.windows(2) {
            sum = sum.plus(pair[0], pair[1], NODE_S as f64);
            sums.push(sum);
        }
        Self { day, power_w, sums }
    }
}

impl Energy {
    /// Adds a straight stretch of power. Where it crosses zero, each side counts for its own
    /// direction.
    fn plus(self, from_w: f64, to_w: f64, duration_s: f64) -> Self {
        let (produced_j, drawn_j) = if from_w >= 0.0 && to_w >= 0.0 {
            ((from_w + to_w) / 2.0 * duration_s, 0.0)
        } else if from_w <= 0.0 && to_w <= 0.0 {
            (0.0, -(from_w + to_w) / 2.0 * duration_s)
        } else {
            let (high, low) = (from_w.max(to_w), -from_w.min(to_w));
            let scale = duration_s / (high + low) / 2.0;
            (high * high * scale, low * low * scale)
        };
        Self {
            produced_j: self.produced_j + produced_j,
            drawn_j: self.drawn_j + drawn_j,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sun::Site;
    use crate::weather::Climate;

    /// 2025-06-16T00:00:00Z.
    const START_S: i64 = 1_750_032_000;

    fn plant() -> Plant {
        let site = Site {
            latitude_deg: 48.14,
            longitude_deg: 11.58,
            elevation_m: 520.0,
        };
        Plant {
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
        }
    }

    #[test]
    fn energy_is_the_integral_of_power() {
        let mut production = Production::new(plant(), START_S);
        let (from_ms, to_ms) = (
            START_S as u64 * 1000 + 3_600_000,
            START_S as u64 * 1000 + 100_000_000,
        );
        let (mut produced_j, mut drawn_j) = (0.0, 0.0);
        // By the midpoint of each second, which is exact on straight stretches.
        for at_ms in (from_ms..to_ms).step_by(1000) {
            let power_w = production.power_w(at_ms + 500);
            produced_j += power_w.max(0.0);
            drawn_j += (-power_w).max(0.0);
        }
        let (before, after) = (production.energy(from_ms), production.energy(to_ms));
        assert!(produced_j > 1e7, "a summer day and a bit: {produced_j} J");
        assert!((after.produced_j - before.produced_j - produced_j).abs() < 50.0);
        assert!((after.drawn_j - before.drawn_j - drawn_j).abs() < 50.0);
    }

    #[test]
    fn energy_never_falls() {
        let mut production = Production::new(plant(), START_S);
        let mut last = Energy::default();
        for at_ms in (START_S as u64 * 1000..).step_by(3_333).take(60_000) {
            let energy = production.energy(at_ms);
            assert!(energy.produced_j >= last.produced_j && energy.drawn_j >= last.drawn_j);
            last = energy;
        }
    }

    #[test]
    fn any_order_of_questions_has_the_same_answers() {
        let at_ms = (START_S as u64 + 5 * 86_400 + 43_211) * 1000 + 700;
        let mut jumping = Production::new(plant(), START_S);
        let jumped = (jumping.energy(at_ms), jumping.power_w(at_ms));
        jumping.energy(START_S as u64 * 1000 + 1);
        let mut walking = Production::new(plant(), START_S);
        for day in 0..5 {
            walking.energy((START_S as u64 + day * 86_400 + 7) * 1000);
        }
        assert_eq!((walking.energy(at_ms), walking.power_w(at_ms)), jumped);
        assert_eq!((jumping.energy(at_ms), jumping.power_w(at_ms)), jumped);
    }

    #[test]
    fn an_instant_of_the_plant_is_the_instant_of_its_production() {
        let at_ms = (START_S as u64 + 40_000) * 1000 + 2_500;
        let by_curve = Production::new(plant(), START_S).power_w(at_ms);
        assert!((plant().state(at_ms as f64 / 1000.0).power_w - by_curve).abs() < 1e-6);
    }

    #[test]
    fn the_inverter_clips_at_its_rating() {
        let big = Plant {
            module_w: 12_000.0,
            ..plant()
        };
        let noon = START_S / NODE_S + 11 * 360;
        let powers: Vec<f64> = (0..30)
            .flat_map(|day| (0..360).map(move |n| noon + day * 8640 + n))
            .map(|n| big.node_power_w(n))
            .collect();
        let clipped = powers
            .iter()
            .filter(|power| **power > 0.995 * big.rated_w)
            .count();
        assert!(powers.iter().all(|power| *power <= big.rated_w));
        assert!(
            clipped > 500,
            "{clipped} of {} nodes at the limit",
            powers.len()
        );
    }

    #[test]
    fn at_night_the_plant_draws_its_standby_and_produces_nothing() {
        let mut production = Production::new(plant(), START_S);
        let midnight_ms = (START_S as u64 + 86_400 - 3_600) * 1000;
        let before = production.energy(midnight_ms);
        let after = production.energy(midnight_ms + 3_600_000);
        assert_eq!(after.produced_j, before.produced_j);
        let mean_w = (after.drawn_j - before.drawn_j) / 3600.0;
        assert!((mean_w - 1.2).abs() < 0.05, "{mean_w} W");
    }

    #[test]
    fn a_year_yields_what_such_a_roof_yields() {
        // Southern Germany: 900 to 1250 kWh a year for each kW of modules.
        let mut production = Production::new(plant(), START_S);
        let year = production.energy((START_S as u64 + 365 * 86_400) * 1000);
        let yield_h = year.produced_j / 3.6e6 / (plant().module_w / 1000.0);
        assert!((850.0..1350.0).contains(&yield_h), "{yield_h} kWh per kW");
    }

    #[test]
    fn clouds_reach_a_plant_downwind_later() {
        let downwind = Plant {
            cloud_delay_s: 120.0,
            ..plant()
        };
        let at = START_S as f64 + 43_200.0;
        let here = plant().weather.sky(at).clear_sky_index;
        let there = downwind
            .weather
            .sky(at + 120.0 - downwind.cloud_delay_s)
            .clear_sky_index;
        assert_eq!(here, there);
        assert_ne!(plant().state(at).power_w, downwind.state(at).power_w);
    }

    #[test]
    fn feeding_in_lifts_the_voltage() {
        let (idle_v, _) = plant().mains(1e9, 0.0);
        let (full_v, _) = plant().mains(1e9, 6000.0);
        assert!((full_v - idle_v - 5.0).abs() < 1e-9);
    }
}
