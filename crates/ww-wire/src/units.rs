//! Units as types: a milliwatt-hour cannot be taken for a watt-hour. Only widths, ranges and
//! checked arithmetic live here; formatting for people belongs to the shells.

/// A value that the records know how to leave out: `None` is written as [`Unit::ABSENT`].
pub trait Unit: Copy + Eq {
    /// The integer that stands in the bytes.
    type Raw: Copy + Eq;
    /// The raw value that means "absent": all ones when unsigned, the minimum when signed.
    const ABSENT: Self::Raw;
    /// Takes a raw value; `None` when it is the one that means "absent".
    fn from_raw(raw: Self::Raw) -> Option<Self>;
    /// The raw value, never [`Unit::ABSENT`].
    fn raw(self) -> Self::Raw;
}

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($raw:ty), absent $absent:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($raw);

        impl $name {
            /// Zero of this unit.
            pub const ZERO: Self = Self(0);
            /// The largest value that is not the mark for "absent".
            pub const MAX: Self = Self(if <$raw>::MIN == 0 { <$raw>::MAX - 1 } else { <$raw>::MAX });

            /// Makes a value; `None` when `value` is the mark for "absent".
            #[must_use]
            pub const fn new(value: $raw) -> Option<Self> {
                if value == $absent { None } else { Some(Self(value)) }
            }

            /// The number in this unit.
            #[must_use]
            pub const fn get(self) -> $raw {
                self.0
            }

            /// The sum; `None` on overflow.
            #[must_use]
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(sum) => Self::new(sum),
                    None => None,
                }
            }

            /// The difference; `None` when it does not fit.
            #[must_use]
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) {
                    Some(difference) => Self::new(difference),
                    None => None,
                }
            }
        }

        impl Unit for $name {
            type Raw = $raw;
            const ABSENT: $raw = $absent;
            fn from_raw(raw: $raw) -> Option<Self> {
                Self::new(raw)
            }
            fn raw(self) -> $raw {
                self.0
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!("{} ", stringify!($name)), self.0)
            }
        }
    };
}

unit! {
    /// Energy in mWh. A u64 holds 18,446 TWh.
    MilliwattHours(u64), absent u64::MAX
}
unit! {
    /// Active power in mW; positive is drawn through the sensor's direction of count.
    Milliwatts(i64), absent i64::MIN
}
unit! {
    /// Reactive power in mvar.
    Millivars(i64), absent i64::MIN
}
unit! {
    /// Voltage in mV, root mean square.
    Millivolts(u32), absent u32::MAX
}
unit! {
    /// Current in mA, root mean square.
    Milliamperes(u32), absent u32::MAX
}
unit! {
    /// Temperature in tenths of a degree Celsius.
    DeciCelsius(i16), absent i16::MIN
}
unit! {
    /// Milliseconds since 1970-01-01T00:00:00Z without leap seconds (POSIX time).
    UtcMillis(u64), absent u64::MAX
}
unit! {
    /// Milliseconds since this boot of the meter; it never steps.
    UptimeMillis(u64), absent u64::MAX
}
unit! {
    /// Rated (nameplate) power in W.
    Watts(u32), absent u32::MAX
}
unit! {
    /// Degrees north (latitude) or east (longitude) times 10^7 (WGS 84).
    GeoDegrees(i32), absent i32::MIN
}
unit! {
    /// Tilt from the horizontal, or azimuth clockwise from north, in tenths of a degree.
    DeciDegrees(u16), absent u16::MAX
}
unit! {
    /// Received signal strength in dBm.
    Dbm(i16), absent i16::MIN
}
unit! {
    /// Memory in bytes.
    Bytes(u32), absent u32::MAX
}

unit! {
    /// A reading's number: it never repeats, and survives reboots. The first is 1.
    Sequence(u64), absent u64::MAX
}
unit! {
    /// A record's place in the chain of its meter. The first is 0.
    ChainIndex(u64), absent u64::MAX
}
unit! {
    /// How many times the meter has started. The first start is 1.
    BootCounter(u32), absent u32::MAX
}
unit! {
    /// How many times the sensor's counter was reset, dipped or swapped.
    CounterEpoch(u16), absent u16::MAX
}

macro_rules! successor {
    ($($name:ident),*) => {$(
        impl $name {
            /// The next one; `None` at the end of the range.
            #[must_use]
            pub const fn next(self) -> Option<Self> {
                self.checked_add(Self(1))
            }
        }
    )*};
}
successor!(Sequence, ChainIndex, BootCounter, CounterEpoch);

impl UtcMillis {
    /// This time plus `duration_ms`; `None` on overflow.
    #[must_use]
    pub const fn checked_add_ms(self, duration_ms: u64) -> Option<Self> {
        match self.0.checked_add(duration_ms) {
            Some(sum) => Self::new(sum),
            None => None,
        }
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

impl UptimeMillis {
    /// This time plus `duration_ms`; `None` on overflow.
    #[must_use]
    pub const fn checked_add_ms(self, duration_ms: u64) -> Option<Self> {
        match self.0.checked_add(duration_ms) {
            Some(sum) => Self::new(sum),
            None => None,
        }
    }

    /// Milliseconds from `earlier` to this; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_for_absent_is_no_value() {
        assert_eq!(MilliwattHours::new(u64::MAX), None);
        assert_eq!(Milliwatts::new(i64::MIN), None);
        assert_eq!(DeciCelsius::new(i16::MIN), None);
    }

    #[test]
    fn a_sum_that_reaches_the_mark_for_absent_is_an_overflow() {
        let one = MilliwattHours::new(1).unwrap();
        assert_eq!(MilliwattHours::MAX.checked_add(one), None);
    }

    #[test]
    fn energy_never_goes_below_zero() {
        let one = MilliwattHours::new(1).unwrap();
        assert_eq!(MilliwattHours::ZERO.checked_sub(one), None);
    }
}
