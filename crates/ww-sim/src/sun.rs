//! Where the sun stands over a site and what a cloudless sky sends down on a tilted plane. Clouds
//! are the weather's business.
//!
//! Position: the equations of the NOAA Solar Calculator (Global Monitoring Laboratory, after
//! J. Meeus, *Astronomical Algorithms*), good to about 0.01° between 1900 and 2100. Clear sky:
//! P. Ineichen and R. Perez, "A new airmass independent formulation for the Linke turbidity
//! coefficient", Solar Energy 73 (2002). Air mass: F. Kasten and A. Young (1989). Tilted plane:
//! isotropic sky (B. Liu and R. Jordan, 1963).

/// Irradiance outside the atmosphere at the mean distance, W/m² (Kopp and Lean, 2011).
const SOLAR_CONSTANT_W_M2: f64 = 1361.0;
/// Share of light that the ground throws back: grass, gravel.
const ALBEDO: f64 = 0.2;
/// 2000-01-01T12:00:00Z in seconds since 1970.
const J2000_S: f64 = 946_728_000.0;

/// A place on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Site {
    /// Degrees north of the equator.
    pub latitude_deg: f64,
    /// Degrees east of Greenwich.
    pub longitude_deg: f64,
    /// Metres above the sea.
    pub elevation_m: f64,
}

/// The sun as seen from a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolarPosition {
    /// Degrees above the horizon, refraction included; negative below it.
    pub elevation_deg: f64,
    /// Degrees clockwise from north.
    pub azimuth_deg: f64,
    /// Irradiance outside the atmosphere at today's distance, W/m².
    pub extraterrestrial_w_m2: f64,
}

/// The sun against the stars: what does not depend on the site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ephemeris {
    /// Degrees north of the celestial equator.
    pub declination_deg: f64,
    /// Apparent right ascension in degrees, 0 to 360.
    pub right_ascension_deg: f64,
    /// True solar time less mean solar time, in minutes.
    pub equation_of_time_min: f64,
    /// Distance in astronomical units.
    pub distance_au: f64,
}

/// Light on the ground, W/m².
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Irradiance {
    /// All light on a level plane.
    pub global_horizontal_w_m2: f64,
    /// Direct light on a plane that faces the sun.
    pub direct_normal_w_m2: f64,
    /// Light from the sky without the sun on a level plane.
    pub diffuse_horizontal_w_m2: f64,
}

/// How a row of modules stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    /// Degrees from level: 0 lies, 90 stands.
    pub tilt_deg: f64,
    /// Degrees clockwise from north that it faces.
    pub azimuth_deg: f64,
}

/// Computes the ephemeris at `utc_s` seconds since 1970.
#[must_use]
pub fn ephemeris(utc_s: f64) -> Ephemeris {
    let t = (utc_s - J2000_S) / (86_400.0 * 36_525.0);
    let mean_longitude = (280.466_46 + t * (36_000.769_83 + 0.000_303_2 * t)).rem_euclid(360.0);
    let anomaly = (357.529_11 + t * (35_999.050_29 - 0.000_153_7 * t)).to_radians();
    let eccentricity = 0.016_708_634 - t * (0.000_042_037 + 0.000_000_126_7 * t);
    let (sin_m, cos_m) = anomaly.sin_cos();
    let sin_2m = 2.0 * sin_m * cos_m;
    let sin_3m = sin_m * (3.0 - 4.0 * sin_m * sin_m);
    let centre = sin_m * (1.914_602 - t * (0.004_817 + 0.000_014 * t))
        + sin_2m * (0.019_993 - 0.000_101 * t)
        + sin_3m * 0.000_289;
    let (sin_node, cos_node) = (125.04 - 1934.136 * t).to_radians().sin_cos();
    let longitude = (mean_longitude + centre - 0.005_69 - 0.004_78 * sin_node).to_radians();
    let arc_seconds = 21.448 - t * (46.815 + t * (0.000_59 - t * 0.001_813));
    let obliquity = 23.0 + (26.0 + arc_seconds / 60.0) / 60.0 + 0.002_56 * cos_node;
    let (sin_o, cos_o) = obliquity.to_radians().sin_cos();
    let (sin_l, cos_l) = longitude.sin_cos();

    // tan(x/2) = sin x / (1 + cos x)
    let y = (sin_o / (1.0 + cos_o)).powi(2);
    let (sin_2l0, cos_2l0) = (2.0 * mean_longitude.to_radians()).sin_cos();
    let equation = y * sin_2l0 - 2.0 * eccentricity * sin_m
        + 4.0 * eccentricity * y * sin_m * cos_2l0
        - y * y * sin_2l0 * cos_2l0
        - 1.25 * eccentricity * eccentricity * sin_2m;
    let true_anomaly = anomaly + centre.to_radians();
    Ephemeris {
        declination_deg: (sin_o * sin_l).asin().to_degrees(),
        right_ascension_deg: (cos_o * sin_l).atan2(cos_l).to_degrees().rem_euclid(360.0),
        equation_of_time_min: 4.0 * equation.to_degrees(),
        distance_au: 1.000_001_018 * (1.0 - eccentricity * eccentricity)
            / (1.0 + eccentricity * true_anomaly.cos()),
    }
}

/// Computes where the sun stands over `site` at `utc_s` seconds since 1970.
#[must_use]
pub fn position(site: &Site, utc_s: f64) -> SolarPosition {
    let sun = ephemeris(utc_s);
    let minutes = utc_s.rem_euclid(86_400.0) / 60.0;
    let hour_angle_deg =
        (minutes + sun.equation_of_time_min + 4.0 * site.longitude_deg) / 4.0 - 180.0;
    let (sin_h, cos_h) = hour_angle_deg.to_radians().sin_cos();
    let (sin_lat, cos_lat) = site.latitude_deg.to_radians().sin_cos();
    let (sin_d, cos_d) = sun.declination_deg.to_radians().sin_cos();
    let sin_elevation = sin_lat * sin_d + cos_lat * cos_d * cos_h;
    let elevation_deg = sin_elevation.clamp(-1.0, 1.0).asin().to_degrees();
    let azimuth = (sin_h * cos_d).atan2(cos_h * sin_lat * cos_d - sin_d * cos_lat);
    SolarPosition {
        elevation_deg: elevation_deg + refraction_deg(elevation_deg),
        azimuth_deg: (azimuth.to_degrees() + 180.0).rem_euclid(360.0),
        extraterrestrial_w_m2: SOLAR_CONSTANT_W_M2 / (sun.distance_au * sun.distance_au),
    }
}

/// Computes what a cloudless sky sends down; `linke_turbidity` is 2 for mountain air, 3 for a
/// clean day inland, 5 for haze. Dark when the sun is down.
#[must_use]
pub fn clear_sky(site: &Site, sun: &SolarPosition, linke_turbidity: f64) -> Irradiance {
    if sun.elevation_deg <= 0.0 {
        return Irradiance::default();
    }
    let pressure_ratio = (1.0 - 2.255_77e-5 * site.elevation_m).powf(5.255_88);
    let air_mass = relative_air_mass(sun.elevation_deg) * pressure_ratio;
    ineichen(
        sun.elevation_deg,
        air_mass,
        linke_turbidity,
        site.elevation_m,
        sun.extraterrestrial_w_m2,
    )
}

impl Irradiance {
    /// The light on `plane`, W/m²: direct by the angle of incidence, sky and ground by the part
    /// of the dome that the plane sees.
    #[must_use]
    pub fn on_plane(&self, sun: &SolarPosition, plane: &Plane) -> f64 {
        let (sin_e, cos_e) = sun.elevation_deg.to_radians().sin_cos();
        let (sin_t, cos_t) = plane.tilt_deg.to_radians().sin_cos();
        let turn = (sun.azimuth_deg - plane.azimuth_deg).to_radians();
        let cos_incidence = (sin_e * cos_t + cos_e * sin_t * turn.cos()).max(0.0);
        self.direct_normal_w_m2 * cos_incidence
            + self.diffuse_horizontal_w_m2 * (1.0 + cos_t) / 2.0
            + self.global_horizontal_w_m2 * ALBEDO * (1.0 - cos_t) / 2.0
    }
}

fn ineichen(
    elevation_deg: f64,
    air_mass: f64,
    linke_turbidity: f64,
    elevation_m: f64,
    extraterrestrial_w_m2: f64,
) -> Irradiance {
    let sin_e = elevation_deg.to_radians().sin();
    let fh1 = (-elevation_m / 8000.0).exp();
    let fh2 = (-elevation_m / 1250.0).exp();
    let cg1 = 5.09e-5 * elevation_m + 0.868;
    let cg2 = 3.92e-5 * elevation_m + 0.0387;
    let turbid = linke_turbidity - 1.0;
    let global =
        cg1 * extraterrestrial_w_m2 * sin_e * (-cg2 * air_mass * (fh1 + fh2 * turbid)).exp();
    let b = 0.664 + 0.163 / fh1;
    let direct = b * extraterrestrial_w_m2 * (-0.09 * air_mass * turbid).exp();
    let share = 1.0 - (0.1 - 0.2 * (-linke_turbidity).exp()) / (0.1 + 0.882 / fh1);
    let direct = direct.min(global * share / sin_e).max(0.0);
    Irradiance {
        global_horizontal_w_m2: global,
        direct_normal_w_m2: direct,
        diffuse_horizontal_w_m2: global - direct * sin_e,
    }
}

fn relative_air_mass(elevation_deg: f64) -> f64 {
    let elevation_deg = elevation_deg.max(0.0);
    1.0 / (elevation_deg.to_radians().sin() + 0.505_72 * (elevation_deg + 6.079_95).powf(-1.6364))
}

fn refraction_deg(elevation_deg: f64) -> f64 {
    let tan = || elevation_deg.to_radians().tan();
    let arc_seconds = if elevation_deg > 85.0 {
        0.0
    } else if elevation_deg > 5.0 {
        let tan = tan();
        58.1 / tan - 0.07 / tan.powi(3) + 0.000_086 / tan.powi(5)
    } else if elevation_deg > -0.575 {
        let e = elevation_deg;
        1735.0 + e * (-518.2 + e * (103.4 + e * (-12.79 + e * 0.711)))
    } else {
        -20.774 / tan()
    };
    arc_seconds / 3600.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, want: f64, tolerance: f64) {
        assert!(
            (got - want).abs() <= tolerance,
            "got {got}, want {want} ± {tolerance}"
        );
    }

    #[test]
    fn ephemeris_is_meeus_examples_25a_and_28a() {
        // Astronomical Algorithms, 2nd ed.: 1992-10-13 0h TD, apparent right ascension
        // 198.380 83°, declination -7.785 07°, equation of time +13 min 42.6 s, R = 0.997 66.
        let sun = ephemeris(718_934_400.0);
        near(sun.right_ascension_deg, 198.380_83, 0.002);
        near(sun.declination_deg, -7.785_07, 0.001);
        near(sun.equation_of_time_min, 13.0 + 42.6 / 60.0, 0.02);
        near(sun.distance_au, 0.997_66, 0.000_05);
    }

    #[test]
    fn position_is_the_worked_example_of_nrel_spa() {
        // I. Reda, A. Andreas, NREL/TP-560-34302, table A5.1: 2003-10-17 12:30:30 at UTC-7,
        // zenith 50.111 62°, azimuth 194.340 24°. The difference left is the pressure at 1830 m
        // in their refraction and the air-less parallax.
        let golden = Site {
            latitude_deg: 39.742_476,
            longitude_deg: -105.1786,
            elevation_m: 1830.14,
        };
        let sun = position(&golden, 1_066_419_030.0);
        near(90.0 - sun.elevation_deg, 50.111_62, 0.02);
        near(sun.azimuth_deg, 194.340_24, 0.02);
    }

    #[test]
    fn the_sun_is_in_the_north_at_noon_in_a_southern_winter() {
        let sydney = Site {
            latitude_deg: -33.87,
            longitude_deg: 151.21,
            elevation_m: 20.0,
        };
        // 2024-06-21T02:00:00Z is within minutes of local solar noon.
        let sun = position(&sydney, 1_718_935_200.0);
        near(sun.elevation_deg, 90.0 - 33.87 - 23.44, 0.1);
        assert!(
            sun.azimuth_deg < 3.0 || sun.azimuth_deg > 357.0,
            "{}",
            sun.azimuth_deg
        );
    }

    #[test]
    fn clear_sky_is_what_pvlib_gives_for_ineichen() {
        // The figures of pvlib-python's own tests: Linke turbidity 3, sea level, 1364 W/m².
        let sky = ineichen(80.0, 1.0, 3.0, 0.0, 1364.0);
        near(sky.global_horizontal_w_m2, 1038.159, 0.01);
        near(sky.direct_normal_w_m2, 942.208, 0.01);
        near(sky.diffuse_horizontal_w_m2, 110.265, 0.01);
        let low = ineichen(90.0 - 82.854_570_44, 6.979_355_24, 3.0, 0.0, 1364.0);
        near(low.global_horizontal_w_m2, 65.494, 0.05);
        near(low.direct_normal_w_m2, 321.161, 0.2);
        let high = ineichen(80.0, 1.0, 3.0, 2000.0, 1364.0);
        near(high.global_horizontal_w_m2, 1134.243, 0.01);
        near(high.direct_normal_w_m2, 994.954, 0.01);
    }

    #[test]
    fn a_plane_that_faces_the_sun_gets_the_whole_direct_light() {
        let sun = SolarPosition {
            elevation_deg: 30.0,
            azimuth_deg: 180.0,
            extraterrestrial_w_m2: 1361.0,
        };
        let sky = Irradiance {
            direct_normal_w_m2: 800.0,
            ..Irradiance::default()
        };
        near(
            sky.on_plane(
                &sun,
                &Plane {
                    tilt_deg: 60.0,
                    azimuth_deg: 180.0,
                },
            ),
            800.0,
            1e-9,
        );
        near(
            sky.on_plane(
                &sun,
                &Plane {
                    tilt_deg: 0.0,
                    azimuth_deg: 180.0,
                },
            ),
            400.0,
            1e-9,
        );
        near(
            sky.on_plane(
                &sun,
                &Plane {
                    tilt_deg: 90.0,
                    azimuth_deg: 0.0,
                },
            ),
            0.0,
            1e-9,
        );
    }

    #[test]
    fn there_is_no_light_below_the_horizon() {
        let site = Site {
            latitude_deg: 52.5,
            longitude_deg: 13.4,
            elevation_m: 40.0,
        };
        let midnight = position(&site, 1_750_370_400.0);
        assert!(midnight.elevation_deg < 0.0);
        assert_eq!(clear_sky(&site, &midnight, 3.0), Irradiance::default());
    }
}
