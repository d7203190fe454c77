//! The query of a request, read by name; a value that cannot be read is refused by its name.
//! Parameters that mean nothing here are let be: older clients send some. What stands in the path of a
//! request is read here too.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use ww_api::{ProblemKind, hex, time};
use ww_store::Moment;
use ww_wire::UtcMillis;

use crate::error::{Failure, Result};

/// The parameters in the query.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

/// What stands in a path in the place of its parameters. Nothing is to be found where it cannot be read.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(place)) => Ok(Self(place)),
            Err(_) => Err(Failure::not_found(format!("path {}", parts.uri.path()))),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        Self::of(&parts.uri)
    }
}

impl Parameters {
    /// The parameters of an address.
    pub(crate) fn of(uri: &Uri) -> Result<Self> {
        Query::try_from_uri(uri)
            .map(|Query(pairs)| Self(pairs))
            .map_err(|_| {
                Failure::new(ProblemKind::InvalidField, "the query cannot be read").field("query")
            })
    }

    /// Bytes in hex that must be there.
    pub(crate) fn hex<const N: usize>(&self, name: &'static str) -> Result<[u8; N]> {
        self.text(name)
            .and_then(hex::decode_array)
            .ok_or_else(|| Failure::invalid(name, format!("must be {} hex digits", 2 * N)))
    }

    pub(crate) fn text(&self, name: &'static str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn integer(&self, name: &'static str) -> Result<Option<u64>> {
        self.text(name)
            .map(|text| {
                text.parse()
                    .map_err(|_| Failure::invalid(name, "must be a whole number"))
            })
            .transpose()
    }

    /// A number of rows from 1 to `most`.
    pub(crate) fn limit(&self, most: u32) -> Result<Option<u32>> {
        match self.integer("limit")? {
            None => Ok(None),
            Some(limit) => match u32::try_from(limit) {
                Ok(limit) if (1..=most).contains(&limit) => Ok(Some(limit)),
                _ => Err(Failure::invalid(
                    "limit",
                    format!("must be from 1 to {most}"),
                )),
            },
        }
    }

    pub(crate) fn boolean(&self, name: &'static str) -> Result<bool> {
        match self.text(name) {
            None => Ok(false),
            Some("true" | "True" | "1") => Ok(true),
            Some("false" | "False" | "0") => Ok(false),
            Some(_) => Err(Failure::invalid(name, "must be true or false")),
        }
    }

    pub(crate) fn time(&self, name: &'static str) -> Result<Option<UtcMillis>> {
        self.text(name)
            .map(|text| {
                time::parse_iso(text)
                    .ok_or_else(|| invalid_time(name, "ISO 8601, such as 2025-06-19T16:52:26Z"))
            })
            .transpose()
    }

    /// A local date, or a moment as [`Self::time`] reads it, of the years that calendars have.
    pub(crate) fn moment(&self, name: &'static str) -> Result<Option<Moment>> {
        let rule =
            "a date such as 2025-10-26 or ISO 8601 such as 2025-06-19T16:52:26Z, from 1970 to 9998";
        self.text(name)
            .map(|text| {
                let date = text
                    .parse::<Date>()
                    .ok()
                    .filter(|_| text.len() == DATE_LENGTH);
                let moment = match date {
                    Some(date) => {
                        Some(Moment::Day(date)).filter(|_| Moment::YEARS.contains(&date.year()))
                    }
                    None => time::parse_iso(text)
                        .filter(|time| time.get() <= time::LAST_MILLIS)
                        .map(Moment::Time),
                };
                moment.ok_or_else(|| invalid_time(name, rule))
            })
            .transpose()
    }

    /// The range asked for; the last 24 h when nothing is said. While the gateway does not know
    /// the time, nothing said means everything.
    pub(crate) fn range(&self, now: Option<UtcMillis>) -> Result<(UtcMillis, UtcMillis)> {
        let (start, end) = (self.time("start_time")?, self.time("end_time")?);
        let default_start = |end: Option<UtcMillis>| {
            end.or(now)
                .and_then(|end| UtcMillis::new(end.get().saturating_sub(DAY_MS)))
                .unwrap_or(UtcMillis::ZERO)
        };
        let range = (
            start.unwrap_or_else(|| default_start(end)),
            end.unwrap_or(UtcMillis::MAX),
        );
        if range.0 > range.1 {
            return Err(Failure::invalid(
                "start_time",
                "must not be after `end_time`",
            ));
        }
        Ok(range)
    }

    /// The same query with another cursor, for the next page.
    pub(crate) fn with_cursor(&self, cursor: &str) -> String {
        let mut query = String::new();
        for (name, value) in self.0.iter().filter(|(name, _)| name != "cursor") {
            query.push_str(&format!("{}={}&", escape(name), escape(value)));
        }
        query + "cursor=" + &escape(cursor)
    }
}

const DAY_MS: u64 = 86_400_000;

/// Of `2025-10-26`. What is longer has a time of day.
const DATE_LENGTH: usize = 10;

fn invalid_time(name: &'static str, rule: &'static str) -> Failure {
    let detail = format!("`{name}` is no time that can be read here");
    Failure::new(ProblemKind::InvalidTime, detail)
        .field(name)
        .rule(rule)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        Parameters(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn nothing_said_means_the_last_day() {
        let now = UtcMillis::new(1_750_000_000_000);
        let (start, end) = parameters(&[]).range(now).unwrap();
        assert_eq!(start.get(), 1_750_000_000_000 - DAY_MS);
        assert_eq!(end, UtcMillis::MAX);
    }

    #[test]
    fn a_wrong_value_is_refused_by_its_name() {
        let wrong = parameters(&[
            ("limit", "0"),
            ("start_time", "soon"),
            ("verified_only", "maybe"),
        ]);
        assert!(wrong.limit(10).is_err());
        assert!(wrong.time("start_time").is_err());
        assert!(wrong.boolean("verified_only").is_err());
        assert!(wrong.integer("missing").unwrap().is_none());
    }

    #[test]
    fn a_moment_ends_with_the_last_day() {
        let last_day = UtcMillis::new(time::LAST_MILLIS + 1 - DAY_MS).unwrap();
        let iso = time::iso(last_day);
        assert_eq!(iso[..DATE_LENGTH], format!("{}-12-31", Moment::YEARS.end()));
    }

    #[test]
    fn the_next_page_keeps_the_rest_of_the_query() {
        let query = parameters(&[
            ("limit", "5"),
            ("cursor", "old"),
            ("end_time", "2025-01-01T00:00:00+01:00"),
        ]);
        assert_eq!(
            query.with_cursor("7.8"),
            "limit=5&end_time=2025-01-01T00%3A00%3A00%2B01%3A00&cursor=7.8"
        );
    }
}
