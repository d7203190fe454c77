//! Random functions of time that can be read at any instant without stepping to it. They have no
//! state: a seed and a time give the value.

use crate::random::{mix, unit};

/// A family of random functions; each `channel` is independent of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    seed: u64,
}

impl Noise {
    /// The family that belongs to `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed: mix(seed ^ 0x5741_5454),
        }
    }

    /// A uniform number in `0.0 .. 1.0` at an integer place.
    #[must_use]
    pub fn uniform(&self, channel: u64, place: i64) -> f64 {
        unit(self.bits(channel, place))
    }

    /// A number of mean 0 and deviation 1 at an integer place, never beyond 3.5: the sum of four
    /// uniform numbers, which is normal enough for a sky and has no tail to surprise a test.
    #[must_use]
    pub fn normal(&self, channel: u64, place: i64) -> f64 {
        let bits = self.bits(channel, place);
        let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
        (sum as f64 / 65_535.0 - 2.0) * 1.732_050_8
    }

    /// A continuous function of time with mean 0 whose values `scale_s` apart are independent: the
    /// random-access stand-in for an Ornstein–Uhlenbeck process of that correlation time (value
    /// noise: normal numbers at multiples of the scale, joined by a cubic with flat ends).
    #[must_use]
    pub fn smooth(&self, channel: u64, time_s: f64, scale_s: f64) -> f64 {
        let position = time_s / scale_s;
        let place = position.floor();
        let x = position - place;
        let (before, after) = (
            self.normal(channel, place as i64),
            self.normal(channel, place as i64 + 1),
        );
        before + (after - before) * x * x * (3.0 - 2.0 * x)
    }

    fn bits(&self, channel: u64, place: i64) -> u64 {
        let key = self.seed ^ channel.wrapping_mul(0xd6e8_feb8_6659_fd93);
        mix(key.wrapping_add((place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_has_mean_zero_and_deviation_one() {
        let noise = Noise::new(7);
        let values: Vec<f64> = (0..20_000).map(|place| noise.normal(1, place)).collect();
        let mean = values.iter().sum::<f64>() / 20_000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.05, "variance {variance}");
    }

    #[test]
    fn smooth_has_no_jump_at_the_joints() {
        let noise = Noise::new(7);
        for joint in 1..100 {
            let time_s = f64::from(joint) * 60.0;
            let step = noise.smooth(1, time_s, 60.0) - noise.smooth(1, time_s - 1e-6, 60.0);
            assert!(step.abs() < 1e-6);
        }
    }

    #[test]
    fn channels_and_seeds_are_unrelated() {
        assert_ne!(Noise::new(1).normal(1, 5), Noise::new(1).normal(2, 5));
        assert_ne!(Noise::new(1).normal(1, 5), Noise::new(2).normal(1, 5));
    }
}
