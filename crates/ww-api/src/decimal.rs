//! Exact decimals of at most three places, as JSON writes them. No binary float is involved in
//! either direction.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A decimal number in thousandths: 16.35 is `Milli(16_350)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milli(pub i128);

/// Why a text is not a number that can be taken exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// NaN or an infinity, bare or as a string.
    #[error("is not a number (NaN and infinities are refused)")]
    NotANumber,
    /// Something else than a number.
    #[error("must be a JSON number")]
    WrongType,
    /// More than three places after the point.
    #[error("has more than three decimal places, the finest that a record holds")]
    TooManyDigits,
    /// More digits than any record holds.
    #[error("is larger than any record can hold")]
    Overflow,
}

/// More significant digits than the widest field has; longer texts are not looked at further.
const MAX_DIGITS: usize = 40;

/// The largest exponent, of either sign, that is worth reading.
const MAX_EXPONENT: i32 = 60;

impl Milli {
    /// Reads one JSON value, which must be a number.
    ///
    /// # Errors
    /// Any [`DecimalError`].
    pub fn parse(json: &str) -> Result<Self, DecimalError> {
        let (negative, unsigned) = match json.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, json),
        };
        if names_no_number(json) {
            return Err(DecimalError::NotANumber);
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        if !is_digits(whole) || !is_digits(fraction) || (whole.len() > 1 && whole.starts_with('0'))
        {
            return Err(DecimalError::WrongType);
        }
        let magnitude = scale(whole, fraction.trim_end_matches('0'), exponent)?;
        Ok(Self(if negative { -magnitude } else { magnitude }))
    }

    /// Whole units, when there is no fraction.
    #[must_use]
    pub const fn whole(self) -> Option<i128> {
        if self.0 % 1000 == 0 {
            Some(self.0 / 1000)
        } else {
            None
        }
    }
}

/// `whole`.`fraction` × 10^`exponent` in thousandths, if that is a whole number.
fn scale(whole: &str, fraction: &str, exponent: i32) -> Result<i128, DecimalError> {
    let digits = format!("{}{fraction}", whole.trim_start_matches('0'));
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    let trailing_zeros = digits.len() - digits.trim_end_matches('0').len();
    let places = i32::try_from(fraction.len()).map_err(|_| DecimalError::TooManyDigits)?;
    let trailing_zeros = i32::try_from(trailing_zeros).map_err(|_| DecimalError::Overflow)?;
    let shift = 3 + exponent - places + trailing_zeros;
    if shift < 0 {
        return Err(DecimalError::TooManyDigits);
    }
    if significant.len() > MAX_DIGITS {
        return Err(DecimalError::Overflow);
    }
    let significant: i128 = significant.parse().map_err(|_| DecimalError::Overflow)?;
    10i128
        .checked_pow(shift.unsigned_abs())
        .and_then(|power| significant.checked_mul(power))
        .ok_or(DecimalError::Overflow)
}

fn parse_exponent(text: &str) -> Result<i32, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !is_digits(digits) {
        return Err(DecimalError::WrongType);
    }
    match text.parse::<i32>() {
        Ok(exponent) if exponent.abs() <= MAX_EXPONENT => Ok(exponent),
        _ if text.starts_with('-') => Err(DecimalError::TooManyDigits),
        _ => Err(DecimalError::Overflow),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a JSON-like text is one of the ways in which programs write NaN and the infinities.
#[must_use]
pub fn names_no_number(text: &str) -> bool {
    let bare = text.trim_matches('"').trim_start_matches(['+', '-']);
    ["nan", "inf", "infinity"]
        .iter()
        .any(|name| bare.eq_ignore_ascii_case(name))
}

impl fmt::Display for Milli {
    /// At least one place, at most three: `21700.0`, `16.35`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, thousandths) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        let (places, fraction) = match thousandths {
            t if t % 100 == 0 => (1, t / 100),
            t if t % 10 == 0 => (2, t / 10),
            t => (3, t),
        };
        write!(f, "{sign}{whole}.{fraction:0places$}")
    }
}

impl Serialize for Milli {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string())
            .expect("a decimal is a JSON number")
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Milli {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Milli {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::Object::builder()
            .schema_type(utoipa::openapi::schema::Type::Number)
            .description(Some(
                "A decimal with at most three places, exact to the last one.",
            ))
            .into()
    }
}

impl utoipa::ToSchema for Milli {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_taken_exactly() {
        assert_eq!(Milli::parse("16.35"), Ok(Milli(16_350)));
        assert_eq!(Milli::parse("-0.001"), Ok(Milli(-1)));
        assert_eq!(Milli::parse("21700.0"), Ok(Milli(21_700_000)));
        assert_eq!(Milli::parse("1.5e3"), Ok(Milli(1_500_000)));
        assert_eq!(Milli::parse("1500e-3"), Ok(Milli(1_500)));
        assert_eq!(Milli::parse("0.0000"), Ok(Milli(0)));
        // 2^53 + 1 Wh: a binary double would have lost the last digit.
        let large = Milli::parse("9007199254740993.001");
        assert_eq!(large, Ok(Milli(9_007_199_254_740_993_001)));
    }

    #[test]
    fn what_is_not_a_number_is_refused_by_its_own_name() {
        for text in ["NaN", "\"NaN\"", "Infinity", "-Infinity", "\"-inf\""] {
            assert_eq!(Milli::parse(text), Err(DecimalError::NotANumber), "{text}");
        }
        for text in ["\"16.35\"", "true", "[]", "01", "1.", ".5", "+1", "1e", ""] {
            assert_eq!(Milli::parse(text), Err(DecimalError::WrongType), "{text}");
        }
    }

    #[test]
    fn a_fourth_place_and_a_number_without_end_are_refused_by_name() {
        assert_eq!(Milli::parse("16.3501"), Err(DecimalError::TooManyDigits));
        assert_eq!(Milli::parse("1e-4"), Err(DecimalError::TooManyDigits));
        assert_eq!(
            Milli::parse("1e-9999999999"),
            Err(DecimalError::TooManyDigits)
        );
        assert_eq!(Milli::parse("1e400"), Err(DecimalError::Overflow));
        assert_eq!(Milli::parse(&"9".repeat(500)), Err(DecimalError::Overflow));
    }

    #[test]
    fn the_shape_of_the_seed_has_at_least_one_place() {
        assert_eq!(
            serde_json::to_string(&Milli(21_700_000)).unwrap(),
            "21700.0"
        );
        assert_eq!(serde_json::to_string(&Milli(16_350)).unwrap(), "16.35");
        assert_eq!(serde_json::to_string(&Milli(-5)).unwrap(), "-0.005");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in -10i128.pow(22)..10i128.pow(22)) {
            prop_assert_eq!(Milli::parse(&Milli(value).to_string()), Ok(Milli(value)));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            let _ = Milli::parse(&text);
        }

        #[test]
        fn no_number_makes_it_panic(text in "-?[0-9]{1,50}(\\.[0-9]{1,50})?([eE][+-]?[0-9]{1,12})?") {
            let _ = Milli::parse(&text);
        }
    }
}
