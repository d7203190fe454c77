//! A seeded sky over a site: which kind of day it is, how much of the clear-sky light the clouds
//! let through at any instant, how warm the air is. It is plausible, not a forecast and not a
//! statistic of a real place.
//!
//! Kinds of day follow each other as a Markov chain; within a day, clouds are a threshold over
//! noise of four time scales (fronts, clouds, their edges, their texture). Every value is a
//! function of seed and time, so any instant can be asked for at once.

use crate::noise::Noise;
use crate::sun::{Irradiance, Site, SolarPosition};

const DAY_S: f64 = 86_400.0;

/// The kind of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DayKind {
    /// Hardly a cloud.
    Clear,
    /// Fair-weather clouds: sun and shade by the minute.
    Broken,
    /// A closed, bright layer.
    Overcast,
    /// A closed, dark layer.
    Rain,
    /// Fog until late morning, then sun.
    Fog,
}

/// What stands between the sun and the ground, and how warm the air is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sky {
    /// Global light as a share of the clear sky's; above 1 at the bright edge of a cloud.
    pub clear_sky_index: f64,
    /// Air temperature in °C.
    pub ambient_c: f64,
    /// Turbidity of the cloudless air.
    pub linke_turbidity: f64,
}

/// The climate of a place, as far as the sky needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Climate {
    /// Mean temperature of the year in °C.
    pub mean_c: f64,
    /// Summer's mean less the year's mean in K.
    pub seasonal_c: f64,
    /// Half of the difference between afternoon and dawn on a clear day, in K.
    pub daily_c: f64,
}

impl Climate {
    /// Central Europe, inland.
    pub const CENTRAL_EUROPE: Self = Self {
        mean_c: 10.0,
        seasonal_c: 9.5,
        daily_c: 6.0,
    };
}

/// The sky over one site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    site: Site,
    climate: Climate,
    noise: Noise,
}

/// How the clouds of one kind of day behave.
#[derive(Clone, Copy, Debug)]
struct Clouds {
    /// Deviations that the noise must exceed to make a cloud: below 0, more cloud than sky.
    threshold: f64,
    /// Width of a cloud's edge, in deviations.
    edge: f64,
    /// Share of the light that gets through the thick of it.
    through: f64,
    /// Extra light at the bright edge.
    glare: f64,
    /// Share of the day's swing in temperature.
    swing: f64,
}

impl Weather {
    /// The sky that belongs to `seed` over `site`.
    #[must_use]
    pub fn new(site: Site, climate: Climate, seed: u64) -> Self {
        Self {
            site,
            climate,
            noise: Noise::new(seed),
        }
    }

    /// The place under this sky.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The kind of the day with this number (local solar days since 1970).
    ///
    /// With one chance in four a day begins a spell of its own, drawn by the season; else it
    /// follows from the day before. Looking back to the last such beginning makes the chain
    /// readable at any day.
    #[must_use]
    pub fn day_kind(&self, day: i64) -> DayKind {
        let begins = |day| self.noise.uniform(CHANNEL_SPELL, day) < 0.25;
        let mut first = day;
        while !begins(first) && day - first < 60 {
            first -= 1;
        }
        let mut kind = self.drawn_kind(first);
        for next in first + 1..=day {
            kind = follows(kind, self.noise.uniform(CHANNEL_NEXT, next));
        }
        kind
    }

    /// The sky at `utc_s` seconds since 1970.
    #[must_use]
    pub fn sky(&self, utc_s: f64) -> Sky {
        let local_s = utc_s + self.site.longitude_deg * 240.0;
        let day = (local_s / DAY_S).floor();
        let hour = (local_s - day * DAY_S) / 3600.0;
        let kind = self.day_kind(day as i64);
        let clouds = kind.clouds();
        // Around midnight the two days blend, so that nothing jumps.
        let (other, share) = if hour < 2.0 {
            (self.day_kind(day as i64 - 1).clouds(), 0.5 - hour / 4.0)
        } else if hour > 22.0 {
            (self.day_kind(day as i64 + 1).clouds(), (hour - 22.0) / 4.0)
        } else {
            (clouds, 0.0)
        };
        let clouds = clouds.blended(&other, share);
        let mut index = self.cloud_index(utc_s, &clouds);
        if kind == DayKind::Fog {
            index *= fog(hour, self.noise.uniform(CHANNEL_FOG, day as i64));
        }
        Sky {
            clear_sky_index: index,
            ambient_c: self.ambient_c(utc_s, local_s, hour, clouds.swing),
            linke_turbidity: 3.2 + 0.5 * self.noise.smooth(CHANNEL_HAZE, utc_s, 5.0 * DAY_S),
        }
    }

    fn drawn_kind(&self, day: i64) -> DayKind {
        let summer = season(day as f64 * DAY_S, self.site.latitude_deg);
        let draw = self.noise.uniform(CHANNEL_KIND, day);
        let clear = 0.24 + 0.10 * summer;
        let broken = clear + 0.30 + 0.10 * summer;
        let overcast = broken + 0.22 - 0.08 * summer;
        let rain = overcast + 0.16 - 0.04 * summer;
        match draw {
            d if d < clear => DayKind::Clear,
            d if d < broken => DayKind::Broken,
            d if d < overcast => DayKind::Overcast,
            d if d < rain => DayKind::Rain,
            _ => DayKind::Fog,
        }
    }

    fn cloud_index(&self, utc_s: f64, clouds: &Clouds) -> f64 {
        let noise = &self.noise;
        let field = 0.55 * noise.smooth(CHANNEL_FRONT, utc_s, 5400.0)
            + 0.80 * noise.smooth(CHANNEL_CLOUD, utc_s, 540.0)
            + 0.40 * noise.smooth(CHANNEL_EDGE, utc_s, 80.0)
            + 0.12 * noise.smooth(CHANNEL_TEXTURE, utc_s, 17.0);
        let x = ((field - clouds.threshold) / clouds.edge + 0.5).clamp(0.0, 1.0);
        let cover = x * x * (3.0 - 2.0 * x);
        let thick = clouds.through
            * (1.0
                + 0.22 * noise.smooth(CHANNEL_THICKNESS, utc_s, 1500.0)
                + 0.08 * noise.smooth(CHANNEL_EDGE, utc_s, 80.0));
        let glare = clouds.glare * 4.0 * cover * (1.0 - cover);
        ((1.0 - cover) + thick * cover + glare).clamp(0.03, 1.3)
    }

    fn ambient_c(&self, utc_s: f64, local_s: f64, hour: f64, swing: f64) -> f64 {
        let climate = &self.climate;
        let daily = ((hour - 15.0) / 24.0 * std::f64::consts::TAU).cos();
        climate.mean_c
            + climate.seasonal_c * season(local_s - 25.0 * DAY_S, self.site.latitude_deg)
            + climate.daily_c * swing * daily
            + 3.0 * self.noise.smooth(CHANNEL_AIR_MASS, utc_s, 4.0 * DAY_S)
            + 0.5 * self.noise.smooth(CHANNEL_GUST, utc_s, 2400.0)
    }
}

impl Sky {
    /// What is left of the clear sky's light. Direct light goes first: behind a cloud that lets a
    /// third through there is none.
    #[must_use]
    pub fn under(&self, clear: &Irradiance, sun: &SolarPosition) -> Irradiance {
        let index = self.clear_sky_index;
        let global = clear.global_horizontal_w_m2 * index;
        let direct = clear.direct_normal_w_m2 * ((index - 0.35) / 0.65).clamp(0.0, 1.0);
        let sin_e = sun.elevation_deg.to_radians().sin().max(0.0);
        Irradiance {
            global_horizontal_w_m2: global,
            direct_normal_w_m2: direct,
            diffuse_horizontal_w_m2: (global - direct * sin_e).max(0.0),
        }
    }
}

impl DayKind {
    const fn clouds(self) -> Clouds {
        match self {
            Self::Clear => Clouds {
                threshold: 2.7,
                edge: 0.8,
                through: 0.55,
                glare: 0.02,
                swing: 1.0,
            },
            Self::Broken => Clouds {
                threshold: 0.15,
                edge: 0.45,
                through: 0.34,
                glare: 0.14,
                swing: 0.8,
            },
            Self::Overcast => Clouds {
                threshold: -1.6,
                edge: 1.4,
                through: 0.33,
                glare: 0.0,
                swing: 0.4,
            },
            Self::Rain => Clouds {
                threshold: -2.6,
                edge: 1.2,
                through: 0.15,
                glare: 0.0,
                swing: 0.25,
            },
            Self::Fog => Clouds {
                threshold: 1.7,
                edge: 0.8,
                through: 0.5,
                glare: 0.03,
                swing: 0.7,
            },
        }
    }
}

impl Clouds {
    fn blended(&self, other: &Self, share: f64) -> Self {
        let mix = |a: f64, b: f64| a + (b - a) * share;
        Self {
            threshold: mix(self.threshold, other.threshold),
            edge: mix(self.edge, other.edge),
            through: mix(self.through, other.through),
            glare: mix(self.glare, other.glare),
            swing: mix(self.swing, other.swing),
        }
    }
}

const CHANNEL_SPELL: u64 = 1;
const CHANNEL_NEXT: u64 = 2;
const CHANNEL_KIND: u64 = 3;
const CHANNEL_FOG: u64 = 4;
const CHANNEL_HAZE: u64 = 5;
const CHANNEL_FRONT: u64 = 6;
const CHANNEL_CLOUD: u64 = 7;
const CHANNEL_EDGE: u64 = 8;
const CHANNEL_TEXTURE: u64 = 9;
const CHANNEL_THICKNESS: u64 = 10;
const CHANNEL_AIR_MASS: u64 = 11;
const CHANNEL_GUST: u64 = 12;

/// The day after: fair weather lasts, fronts pass through.
fn follows(kind: DayKind, draw: f64) -> DayKind {
    use DayKind::{Broken, Clear, Fog, Overcast, Rain};
    let (steps, otherwise): ([(f64, DayKind); 3], DayKind) = match kind {
        Clear => ([(0.55, Clear), (0.87, Broken), (0.94, Fog)], Overcast),
        Broken => ([(0.22, Clear), (0.62, Broken), (0.86, Overcast)], Rain),
        Overcast => ([(0.10, Clear), (0.40, Broken), (0.75, Overcast)], Rain),
        Rain => ([(0.08, Clear), (0.48, Broken), (0.70, Overcast)], Rain),
        Fog => ([(0.45, Clear), (0.75, Broken), (0.90, Fog)], Overcast),
    };
    steps
        .into_iter()
        .find(|(below, _)| draw < *below)
        .map_or(otherwise, |(_, kind)| kind)
}

/// 1 at midsummer of the hemisphere, -1 at midwinter.
fn season(utc_s: f64, latitude_deg: f64) -> f64 {
    let year = (utc_s / DAY_S - 171.0) / 365.2425 * std::f64::consts::TAU;
    year.cos() * latitude_deg.signum()
}

/// Share of the light that morning fog lets through; it lifts between 9:30 and 12:30.
fn fog(hour: f64, draw: f64) -> f64 {
    let lifts = 9.5 + 3.0 * draw;
    0.22 + 0.78 / (1.0 + (-(hour - lifts) * 4.0).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const BERLIN: Site = Site {
        latitude_deg: 52.52,
        longitude_deg: 13.4,
        elevation_m: 40.0,
    };
    const MIDSUMMER_NOON_S: f64 = 1_750_503_600.0;

    fn weather(seed: u64) -> Weather {
        Weather::new(BERLIN, Climate::CENTRAL_EUROPE, seed)
    }

    #[test]
    fn the_same_seed_gives_the_same_sky_and_another_seed_another() {
        let at = MIDSUMMER_NOON_S;
        assert_eq!(weather(1).sky(at), weather(1).sky(at));
        assert_ne!(weather(1).sky(at), weather(2).sky(at));
    }

    #[test]
    fn a_year_has_every_kind_of_day_and_none_rules() {
        let mut days = HashMap::new();
        for day in 20_000..20_365 {
            *days.entry(weather(1).day_kind(day)).or_insert(0) += 1;
        }
        assert_eq!(days.len(), 5, "{days:?}");
        assert!(
            days.values().all(|count| (5..200).contains(count)),
            "{days:?}"
        );
    }

    #[test]
    fn weather_comes_in_spells() {
        let weather = weather(1);
        let kept = (20_000..21_000)
            .filter(|day| weather.day_kind(*day) == weather.day_kind(day + 1))
            .count();
        // Independent days of these shares would repeat about 260 times in 1000.
        assert!(kept > 320, "{kept} of 1000 days like the day before");
    }

    #[test]
    fn broken_days_change_by_the_minute_and_clear_days_do_not() {
        let weather = weather(1);
        let restless = |kind| {
            let day = (20_000..)
                .find(|day| weather.day_kind(*day) == kind)
                .unwrap();
            let noon = (day as f64 + 0.5) * DAY_S - BERLIN.longitude_deg * 240.0;
            let index = |minute: i32| weather.sky(noon + f64::from(minute) * 60.0).clear_sky_index;
            (-120..120)
                .map(|minute| (index(minute + 1) - index(minute)).abs())
                .sum::<f64>()
        };
        assert!(restless(DayKind::Broken) > 10.0 * restless(DayKind::Clear));
    }

    #[test]
    fn the_sky_has_no_jump_at_midnight() {
        let weather = weather(1);
        for day in 20_000..20_100 {
            let midnight = f64::from(day) * DAY_S - BERLIN.longitude_deg * 240.0;
            let (before, after) = (weather.sky(midnight - 0.01), weather.sky(midnight + 0.01));
            assert!((before.ambient_c - after.ambient_c).abs() < 0.05);
        }
    }

    #[test]
    fn july_is_warmer_than_january_and_neither_is_absurd() {
        let weather = weather(1);
        let mean = |from_s: f64| {
            (0..30 * 24)
                .map(|hour| weather.sky(from_s + f64::from(hour) * 3600.0).ambient_c)
                .sum::<f64>()
                / 720.0
        };
        let (january, july) = (mean(1_735_689_600.0), mean(1_751_328_000.0));
        assert!((-6.0..6.0).contains(&january), "{january}");
        assert!((15.0..25.0).contains(&july), "{july}");
    }

    #[test]
    fn behind_a_thick_cloud_there_is_no_direct_light() {
        let sun = SolarPosition {
            elevation_deg: 60.0,
            azimuth_deg: 180.0,
            extraterrestrial_w_m2: 1361.0,
        };
        let clear = crate::sun::clear_sky(&BERLIN, &sun, 3.0);
        let sky = Sky {
            clear_sky_index: 0.3,
            ambient_c: 20.0,
            linke_turbidity: 3.0,
        };
        let under = sky.under(&clear, &sun);
        assert_eq!(under.direct_normal_w_m2, 0.0);
        assert_eq!(under.diffuse_horizontal_w_m2, under.global_horizontal_w_m2);
    }
}
