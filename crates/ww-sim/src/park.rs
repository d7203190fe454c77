//! The park that the demo and the tests share: a few plants at one site, each with a sensor of
//! another kind. It says what stands there; meters and time come from elsewhere.

use ww_device::register::RegisterRules;
use ww_device::sampler::Enrolled;
use ww_device::shelly;
use ww_wire::{
    Address, Custody, DeciDegrees, Enrolment, GeoDegrees, Mac, MilliwattHours, Nameplate,
    ProductionCounter, PublicKey, SensorModel, Text, UtcMillis, Watts,
};

use crate::noise::Noise;
use crate::plant::{Plant, Production};
use crate::sensor::Sensor;
use crate::sun::{Plane, Site};
use crate::weather::{Climate, Weather};

/// One plant of the park and the sensor at its terminals.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// What people call it.
    pub name: String,
    /// The plant.
    pub plant: Plant,
    /// The sensor's model.
    pub model: SensorModel,
    /// The sensor's address.
    pub mac: Mac,
    /// The register that counts production.
    pub production_counter: ProductionCounter,
    /// What that register showed at the commissioning.
    pub start_counter: MilliwattHours,
}

/// The park.
#[derive(Clone, Debug, PartialEq)]
pub struct Park {
    /// Where it is.
    pub site: Site,
    /// The zone of its local days, as in the IANA database.
    pub time_zone: &'static str,
    /// What stands there.
    pub posts: Vec<Post>,
}

impl Park {
    /// A park of `meters` posts that belongs to `seed`: the first three are a field, a roof to the
    /// east and a three-phase roof to the west; further ones are variations of these.
    #[must_use]
    pub fn example(meters: usize, seed: u64) -> Self {
        let site = Site {
            latitude_deg: 51.312,
            longitude_deg: 9.479,
            elevation_m: 167.0,
        };
        let weather = Weather::new(site, Climate::CENTRAL_EUROPE, seed);
        let posts = (0..meters)
            .map(|index| post(&weather, seed, index))
            .collect();
        Self {
            site,
            time_zone: "Europe/Berlin",
            posts,
        }
    }
}

impl Post {
    /// Puts the sensor in place; energy counts from the UTC day of `commissioned` on.
    #[must_use]
    pub fn sensor(&self, commissioned: UtcMillis) -> Sensor {
        let production = Production::new(self.plant, commissioned.seconds() as i64);
        let sensor = Sensor::new(
            self.model,
            self.mac,
            production,
            self.production_counter,
            commissioned,
        );
        let (total, returned) = self.start_counters();
        sensor.with_start_counters(0, total, returned)
    }

    /// What the operator with `operator_key` says of the meter with `meter_key` at this post.
    ///
    /// # Panics
    /// When the post was written by hand with numbers that no plant has.
    #[must_use]
    pub fn enrolment(
        &self,
        operator_key: PublicKey,
        meter_key: PublicKey,
        time: UtcMillis,
    ) -> Enrolment {
        let site = self.plant.weather.site();
        let degrees = |degrees: f64| GeoDegrees::new((degrees * 1e7).round() as i32);
        let tenths = |degrees: f64| DeciDegrees::new((degrees * 10.0).round() as u16);
        let (start_import, start_export) = self.start_counters();
        Enrolment {
            operator: operator_key.id(),
            operator_key,
            meter_key,
            number: 1,
            time,
            custody: Custody::Software,
            sensor_model: self.model,
            sensor_mac: self.mac,
            channel: 0,
            production_counter: self.production_counter,
            ct_ratio_milli: 1000,
            rated_power: self.rated_power(),
            latitude: degrees(site.latitude_deg),
            longitude: degrees(site.longitude_deg),
            tilt: tenths(self.plant.plane.tilt_deg),
            azimuth: tenths(self.plant.plane.azimuth_deg),
            grid_connection: Text::new("").expect("nothing fits forty bytes"),
            start_import: Some(start_import),
            start_export: Some(start_export),
            owner: Address::ZERO,
            chain_id: 0,
            minter: Address::ZERO,
        }
    }

    /// What a meter at this post polls, enrolled or not.
    ///
    /// # Panics
    /// When the post was written by hand with numbers that no plant has.
    #[must_use]
    pub fn enrolled(&self) -> Enrolled {
        Enrolled {
            sensor: shelly::Sensor::new(self.model, 0).expect("every model has a channel 0"),
            mac: Some(self.mac),
            rules: RegisterRules {
                production_counter: self.production_counter,
                nameplate: Nameplate {
                    rated_power: self.rated_power(),
                    ct_ratio_milli: 1000,
                },
            },
        }
    }

    fn rated_power(&self) -> Watts {
        Watts::new(self.plant.rated_w.round() as u32).expect("a plant is below four gigawatts")
    }

    fn start_counters(&self) -> (MilliwattHours, MilliwattHours) {
        match self.production_counter {
            ProductionCounter::Total => (self.start_counter, MilliwattHours::ZERO),
            ProductionCounter::TotalReturned => (MilliwattHours::ZERO, self.start_counter),
        }
    }
}

fn post(weather: &Weather, seed: u64, index: usize) -> Post {
    let noise = Noise::new(seed ^ 0x706f_7374);
    let draw = noise.uniform(1, index as i64);
    let (name, tilt_deg, azimuth_deg, rated_w, model, production_counter) = match index % 3 {
        0 => (
            "South field",
            30.0,
            178.0,
            6000.0,
            SensorModel::ShellyEmGen1,
            ProductionCounter::Total,
        ),
        1 => {
            // The clip is on the other way round, as on every second roof.
            let counter = ProductionCounter::TotalReturned;
            (
                "East roof",
                22.0,
                98.0,
                4600.0,
                SensorModel::ShellyEm1Gen2,
                counter,
            )
        }
        _ => (
            "West roof",
            18.0,
            262.0,
            9900.0,
            SensorModel::ShellyEmGen2,
            ProductionCounter::Total,
        ),
    };
    let round = index / 3 + 1;
    let name = if round == 1 {
        name.into()
    } else {
        format!("{name} {round}")
    };
    let mut mac = [0x02, 0x57, 0x57, 0, 0, 0];
    mac[3..].copy_from_slice(&(index as u32 + 1).to_be_bytes()[1..]);
    Post {
        name,
        plant: Plant {
            weather: *weather,
            plane: Plane {
                tilt_deg,
                azimuth_deg,
            },
            module_w: rated_w * (1.12 + 0.12 * draw),
            rated_w,
            standby_w: 1.1 + 0.6 * draw,
            cloud_delay_s: 11.0 * index as f64,
            seed: seed.wrapping_mul(31).wrapping_add(index as u64),
        },
        model,
        mac: Mac(mac),
        production_counter,
        // A sensor that has been on a bench before: 8.9 Wh, 17.8 Wh, ….
        start_counter: MilliwattHours::new(8_900 * (index as u64 % 100 + 1))
            .expect("a few watt-hours fit a u64"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_posts_share_a_name_or_an_address() {
        let park = Park::example(50, 1);
        let names: HashSet<_> = park.posts.iter().map(|post| &post.name).collect();
        let macs: HashSet<_> = park.posts.iter().map(|post| post.mac).collect();
        assert_eq!((names.len(), macs.len()), (50, 50));
    }

    #[test]
    fn the_east_leads_in_the_morning_and_the_west_in_the_evening() {
        let park = Park::example(3, 1);
        // 2025-06-16: shares of the rated power, UTC.
        let share = |post: &Post, hour: f64| {
            post.plant.state(1_750_032_000.0 + hour * 3600.0).power_w / post.plant.rated_w
        };
        let (east, west) = (&park.posts[1], &park.posts[2]);
        assert!(share(east, 6.0) > share(west, 6.0));
        assert!(share(east, 16.5) < share(west, 16.5));
    }

    #[test]
    fn a_sensor_starts_from_the_counter_of_its_post() {
        let start = UtcMillis::new(1_750_032_000_000).unwrap();
        for post in Park::example(3, 1).posts {
            let sample = post.sensor(start).observe(start).sample(post.model, 0);
            let values = sample.values.unwrap();
            let register = match post.production_counter {
                ProductionCounter::Total => values.import_total,
                ProductionCounter::TotalReturned => values.export_total,
            };
            assert_eq!(
                register.get() / 1000,
                post.start_counter.get() / 1000,
                "{}",
                post.name
            );
        }
    }
}
