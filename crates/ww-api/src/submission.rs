//! What `POST /api/v1/readings/` takes, read without copying: the signed record, and plain fields
//! beside it that must then agree. Whether they do is the gateway's work.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::decimal::names_no_number;
use crate::{DecimalError, Milli, Problem, ProblemKind};

/// Text that is not copied out of the body unless it has escapes.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A submission as it stands in the body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<'a> {
    #[serde(borrow, default)]
    record: Option<Text<'a>>,
    #[serde(borrow, default)]
    signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    power_w: Option<&'a RawValue>,
    #[serde(borrow, default)]
    total_wh: Option<&'a RawValue>,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    installation_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    meter_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    public_key: Option<Text<'a>>,
    #[serde(borrow, default)]
    power: Option<&'a RawValue>,
    #[serde(borrow, default)]
    total: Option<&'a RawValue>,
    #[serde(borrow, default)]
    shelly_payload: Option<&'a RawValue>,
}

/// The OpenAPI shape of a submission.
#[derive(ToSchema)]
#[schema(as = Submission)]
#[expect(
    dead_code,
    reason = "only its schema is used; the fields are read by `Raw`"
)]
pub(crate) struct SubmissionShape {
    /// The canonical bytes of a Reading, hex.
    record: String,
    /// The meter's ES256 signature over them, 128 hex digits: r then s, low-s.
    signature: String,
    /// Power in W; when it stands here it must be the record's, as a list of readings shows it.
    power_w: Option<f64>,
    /// The production counter in Wh; must be the record's.
    total_wh: Option<f64>,
    /// Unix seconds; must be the record's.
    timestamp: Option<f64>,
    /// The meter's number of the reading; must be the record's.
    sequence: Option<i64>,
    /// Must be the signer's installation.
    installation_id: Option<i64>,
    /// Must be the signer's id, hex.
    meter_id: Option<String>,
    /// Must be the signer's public key, hex.
    public_key: Option<String>,
}

/// A submission whose numbers have been read exactly.
#[derive(Debug, PartialEq, Eq)]
pub struct Submission<'a> {
    /// The canonical bytes, hex.
    pub record: Option<Cow<'a, str>>,
    /// The signature, hex.
    pub signature: Option<Cow<'a, str>>,
    /// Plain power in W.
    pub power_w: Option<Milli>,
    /// Plain counter in Wh.
    pub total_wh: Option<Milli>,
    /// Plain time in s.
    pub timestamp: Option<Milli>,
    /// Plain sequence number.
    pub sequence: Option<Milli>,
    /// Plain number of the installation.
    pub installation_id: Option<Milli>,
    /// Plain meter id.
    pub meter_id: Option<Cow<'a, str>>,
    /// Plain public key.
    pub public_key: Option<Cow<'a, str>>,
    /// Whether the body has the fields of the firmware that WattWitness replaces.
    pub is_legacy: bool,
}

/// Which field is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The body is not one JSON object.
    #[error("the body is not one JSON object: {0}")]
    Malformed(String),
    /// A field is not known.
    #[error("{0}")]
    Unknown(String),
    /// A field is missing, has another type than it must have, or stands twice.
    #[error("{detail}")]
    Shape {
        /// The field, if it can be told.
        field: Option<String>,
        /// What is wrong.
        detail: String,
    },
    /// A number cannot be taken.
    #[error("`{field}` {error}")]
    Number {
        /// The field.
        field: String,
        /// Why.
        error: DecimalError,
    },
    /// A time before 1970.
    #[error("`timestamp` is negative")]
    NegativeTime,
}

impl<'a> Submission<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// Any [`FieldError`].
    pub fn parse(body: &'a [u8]) -> Result<Self, FieldError> {
        let raw: Raw<'a> = parse_object(body)?;
        let timestamp = number("timestamp", raw.timestamp)?;
        if timestamp.is_some_and(|time| time.0 < 0) {
            return Err(FieldError::NegativeTime);
        }
        let power = number("power", raw.power)?;
        let total = number("total", raw.total)?;
        Ok(Self {
            record: raw.record.map(|text| text.0),
            signature: raw.signature.map(|text| text.0),
            power_w: number("power_w", raw.power_w)?.or(power),
            total_wh: number("total_wh", raw.total_wh)?.or(total),
            timestamp,
            sequence: number("sequence", raw.sequence)?,
            installation_id: number("installation_id", raw.installation_id)?,
            meter_id: raw.meter_id.map(|text| text.0),
            public_key: raw.public_key.map(|text| text.0),
            is_legacy: power.is_some() || total.is_some() || raw.shelly_payload.is_some(),
        })
    }
}

fn number(field: &'static str, raw: Option<&RawValue>) -> Result<Option<Milli>, FieldError> {
    raw.map(|raw| Milli::parse(raw.get()))
        .transpose()
        .map_err(|error| FieldError::Number {
            field: field.to_owned(),
            error,
        })
}

/// Reads a body that must be one JSON object.
///
/// # Errors
/// Any [`FieldError`] but those of single numbers.
pub fn parse_object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, FieldError> {
    // serde would take an array for a struct, field by field.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(FieldError::Malformed(
            "it does not begin with `{`".to_owned(),
        ));
    }
    serde_json::from_slice(body).map_err(|error| explain_json_error(body, &error))
}

/// Says what serde found wrong, and names the field when it is a NaN: JSON has no way to write
/// it, so that a parser only sees a stray letter.
fn explain_json_error(body: &[u8], error: &serde_json::Error) -> FieldError {
    match error.classify() {
        serde_json::error::Category::Data if error.to_string().starts_with("unknown field") => {
            FieldError::Unknown(error.to_string())
        }
        serde_json::error::Category::Data => {
            let detail = error.to_string();
            let named = detail.starts_with("missing") || detail.starts_with("duplicate");
            let field = match detail.split('`').nth(1) {
                Some(field) if named => Some(field.to_owned()),
                _ => last_key(body, error),
            };
            FieldError::Shape { field, detail }
        }
        _ => bare_not_a_number(body).map_or_else(
            || FieldError::Malformed(error.to_string()),
            |field| FieldError::Number {
                field,
                error: DecimalError::NotANumber,
            },
        ),
    }
}

/// The last key before the place at which serde stopped.
fn last_key(body: &[u8], error: &serde_json::Error) -> Option<String> {
    let lines = body.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines
        .take(error.line().checked_sub(1)?)
        .map(<[u8]>::len)
        .sum();
    let text = str::from_utf8(body.get(..before + error.column())?).ok()?;
    let (head, _) = text.rsplit_once("\":")?;
    let (_, key) = head.rsplit_once('"')?;
    Some(key.to_owned())
}

/// The key before the first bare NaN or infinity outside a string.
fn bare_not_a_number(body: &[u8]) -> Option<String> {
    let text = str::from_utf8(body).ok()?;
    let mut last_string = "";
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c.is_ascii_alphabetic()) {
        rest = &rest[at..];
        let len = match rest.strip_prefix('"') {
            Some(string) => string_length(string)? + 2,
            None => rest
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(rest.len()),
        };
        let token = &rest[..len];
        if token.starts_with('"') {
            last_string = &token[1..len - 1];
        } else if names_no_number(token) {
            return Some(last_string.to_owned());
        }
        rest = &rest[len..];
    }
    None
}

/// The length of a JSON string's content up to its closing quote.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        let text = error.to_string();
        match error {
            FieldError::Malformed(_) => Self::new(ProblemKind::MalformedJson, text),
            FieldError::Unknown(detail) => {
                let problem = Self::new(ProblemKind::UnknownField, text);
                match detail.split('`').nth(1) {
                    Some(field) => problem.field(field),
                    None => problem,
                }
            }
            FieldError::Shape { field, detail } => {
                let kind = match detail.starts_with("missing field") {
                    true => ProblemKind::MissingField,
                    false => ProblemKind::InvalidField,
                };
                let problem = Self::new(kind, text);
                match field {
                    Some(field) => problem.field(field),
                    None => problem,
                }
            }
            FieldError::Number { field, error } => {
                let kind = match error {
                    DecimalError::NotANumber => ProblemKind::NotANumber,
                    DecimalError::WrongType => ProblemKind::InvalidField,
                    DecimalError::TooManyDigits => ProblemKind::TooManyDigits,
                    DecimalError::Overflow => ProblemKind::NumberOutOfRange,
                };
                Self::new(kind, text).field(field).rule(error.to_string())
            }
            FieldError::NegativeTime => Self::new(ProblemKind::NegativeTime, text)
                .field("timestamp")
                .rule("is counted from 1970 on"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(body: &str) -> Problem {
        Problem::from(Submission::parse(body.as_bytes()).unwrap_err())
    }

    #[test]
    fn a_submission_borrows_from_its_body() {
        let body = br#"{"record":"01","signature":"02","power_w":16.35,"timestamp":1750346382}"#;
        let submission = Submission::parse(body).unwrap();
        assert!(matches!(submission.record, Some(Cow::Borrowed("01"))));
        assert_eq!(submission.power_w, Some(Milli(16_350)));
        assert!(!submission.is_legacy);
    }

    #[test]
    fn each_wrong_number_is_refused_by_its_name() {
        for (body, kind, field) in [
            (r#"{"power_w":NaN}"#, "not-a-number", "power_w"),
            (
                r#"{"record":"NaN","total_wh": -Infinity }"#,
                "not-a-number",
                "total_wh",
            ),
            (r#"{"power_w":"NaN"}"#, "not-a-number", "power_w"),
            (r#"{"power_w":1e400}"#, "number-out-of-range", "power_w"),
            (r#"{"power_w":16.35001}"#, "too-many-digits", "power_w"),
            (r#"{"timestamp":-1}"#, "negative-time", "timestamp"),
            (r#"{"timestamp":"now"}"#, "invalid-field", "timestamp"),
            (r#"{"powre_w":1}"#, "unknown-field", "powre_w"),
            (
                "{\"signature\":\"00\",\n \"record\": 7}",
                "invalid-field",
                "record",
            ),
            (r#"{"power_w":1,"power_w":2}"#, "invalid-field", "power_w"),
        ] {
            let problem = problem(body);
            assert_eq!(problem.kind, format!("/problems/{kind}"), "{body}");
            assert_eq!(problem.field.as_deref(), Some(field), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for body in [
            "",
            "{",
            "[1",
            "[\"01\",\"02\"]",
            "{\"record\": nope}",
            "\u{0}",
        ] {
            assert_eq!(problem(body).kind, "/problems/malformed-json", "{body}");
        }
    }

    #[test]
    fn the_fields_of_the_old_firmware_are_noticed() {
        let body = br#"{"power":16.4,"total":8900.0,"timestamp":1750346382,"signature":"00","shelly_payload":"e30="}"#;
        let submission = Submission::parse(body).unwrap();
        assert!(submission.is_legacy);
        assert_eq!(submission.total_wh, Some(Milli(8_900_000)));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Err(error) = Submission::parse(&body) {
                let _ = Problem::from(error);
            }
        }

        #[test]
        fn no_text_makes_it_panic(body in "[\\{\\}\",:a-zN0-9\\\\ ]{0,80}") {
            if let Err(error) = Submission::parse(body.as_bytes()) {
                let _ = Problem::from(error);
            }
        }
    }
}
