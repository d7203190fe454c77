//! Walks an answer of a Shelly and says of every value where in the document it stands. What a
//! place means is the business of the answers.

use super::json::{Event, JsonError, MAX_DEPTH, Number, NumberError, Reader, Text};

macro_rules! names {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// The member names that some answer is read for; all others are passed over.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Name {
            $(#[doc = concat!("`", $text, "`")] $name),*
        }

        impl Name {
            fn of(text: &[u8]) -> Option<Self> {
                $(if text == $text.as_bytes() {
                    return Some(Self::$name);
                })*
                None
            }

            const fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

names! {
    ActPower = "act_power", Auth = "auth", AuthEnabled = "auth_en", Current = "current",
    Emeters = "emeters", Errors = "errors", Generation = "gen", Id = "id", IsValid = "is_valid",
    Mac = "mac", Model = "model", Power = "power", Profile = "profile", Reactive = "reactive",
    Total = "total", TotalAct = "total_act", TotalActEnergy = "total_act_energy",
    TotalActPower = "total_act_power", TotalActRet = "total_act_ret",
    TotalActRetEnergy = "total_act_ret_energy", TotalCurrent = "total_current",
    TotalReturned = "total_returned", Type = "type", Unixtime = "unixtime", Voltage = "voltage",
}

impl core::fmt::Display for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

/// Why an answer of the sensor was refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is no JSON, or more of it than any sensor sends.
    #[error("the answer is no readable JSON")]
    Json(#[source] JsonError),
    /// A member that counts stands twice in one object: which of them is true?
    #[error("`{name}` stands twice")]
    DuplicateName {
        /// The member.
        name: Name,
    },
    /// A member is of another JSON type than documented.
    #[error("`{name}` is of the wrong type")]
    WrongType {
        /// The member.
        name: Name,
    },
    /// A number does not fit its unit.
    #[error("`{name}` does not fit its unit")]
    Number {
        /// The member.
        name: Name,
        /// In which way.
        #[source]
        error: NumberError,
    },
    /// A member is missing without which there is no sample.
    #[error("`{name}` is missing")]
    Missing {
        /// The member.
        name: Name,
    },
    /// `mac` is not twelve hexadecimal digits.
    #[error("`mac` is no MAC address")]
    Mac,
    /// The answer speaks of another component than the one that was asked.
    #[error("component {asked} was asked, {answered} answered")]
    OtherComponent {
        /// The `id` in the request.
        asked: u8,
        /// The `id` in the answer.
        answered: u64,
    },
}

impl From<JsonError> for AnswerError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

/// One step from a document's root towards a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// A member.
    Name(Name),
    /// A member of phase 0, 1 or 2: its name without the `a_`, `b_` or `c_`.
    OfPhase(usize, Name),
    /// An element of an array.
    Index(u16),
    /// A member that nobody reads.
    Other,
}

impl Segment {
    fn of(key: Text<'_>) -> Self {
        let Some(key) = key.bytes() else {
            return Self::Other;
        };
        let phase = match key {
            [b'a', b'_', name @ ..] => Some((0, name)),
            [b'b', b'_', name @ ..] => Some((1, name)),
            [b'c', b'_', name @ ..] => Some((2, name)),
            _ => None,
        };
        match (Name::of(key), phase) {
            (Some(name), _) => Self::Name(name),
            (None, Some((phase, name))) => {
                Name::of(name).map_or(Self::Other, |name| Self::OfPhase(phase, name))
            }
            (None, None) => Self::Other,
        }
    }

    /// The name, and the bit that marks it as seen: 32 for each phase, and 32 for no phase.
    fn mark(self) -> Option<(Name, u128)> {
        match self {
            Self::Name(name) => Some((name, 1 << (name as u32))),
            Self::OfPhase(phase, name) => Some((name, 1 << (32 * (phase + 1) + name as usize))),
            Self::Index(_) | Self::Other => None,
        }
    }
}

/// A value as the walk meets it; members and elements of containers follow on their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// An object or array begins.
    Container,
    /// A string.
    Text(Text<'a>),
    /// A number.
    Number(Number<'a>),
    /// A truth value.
    Bool(bool),
    /// `null`: the sensor has no value.
    Null,
}

/// A walk through one document.
#[derive(Clone, Debug)]
pub(super) struct Document {
    reader: Reader,
    path: Path,
}

impl Document {
    pub(super) const fn new() -> Self {
        Self {
            reader: Reader::new(),
            path: Path::new(),
        }
    }

    /// Takes the next bytes and hands every value in them to `accept` with its place.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        mut accept: impl FnMut(&[Segment], Value<'_>) -> Result<(), AnswerError>,
    ) -> Result<(), AnswerError> {
        while let Some(event) = self.reader.next(&mut bytes)? {
            let (value, container) = match event {
                Event::Key(key) => {
                    self.path.enter_member(Segment::of(key))?;
                    continue;
                }
                Event::ObjectEnd | Event::ArrayEnd => {
                    self.path.leave_container();
                    continue;
                }
                Event::ObjectStart => (Value::Container, Some(Segment::Other)),
                Event::ArrayStart => (Value::Container, Some(Path::BEFORE_FIRST)),
                Event::String(text) => (Value::Text(text), None),
                Event::Number(number) => (Value::Number(number), None),
                Event::Bool(value) => (Value::Bool(value), None),
                Event::Null => (Value::Null, None),
            };
            self.path.enter_element();
            accept(self.path.segments(), value)?;
            if let Some(first) = container {
                self.path.enter_container(first);
            }
        }
        Ok(())
    }

    pub(super) fn finish(&self) -> Result<(), AnswerError> {
        Ok(self.reader.finish()?)
    }
}

/// Where the walk stands. Never deeper than the reader, which counts levels itself.
#[derive(Clone, Debug)]
struct Path {
    segments: [Segment; MAX_DEPTH],
    seen: [u128; MAX_DEPTH],
    depth: usize,
}

impl Path {
    /// Stands in an array before its first element.
    const BEFORE_FIRST: Segment = Segment::Index(u16::MAX);

    const fn new() -> Self {
        Self {
            segments: [Segment::Other; MAX_DEPTH],
            seen: [0; MAX_DEPTH],
            depth: 0,
        }
    }

    fn segments(&self) -> &[Segment] {
        &self.segments[..self.depth]
    }

    fn enter_member(&mut self, segment: Segment) -> Result<(), AnswerError> {
        let level = self.depth - 1;
        if let Some((name, mark)) = segment.mark() {
            if self.seen[level] & mark != 0 {
                return Err(AnswerError::DuplicateName { name });
            }
            self.seen[level] |= mark;
        }
        self.segments[level] = segment;
        Ok(())
    }

    fn enter_element(&mut self) {
        if let Some(Segment::Index(index)) = self.segments[..self.depth].last_mut() {
            *index = index.wrapping_add(1);
        }
    }

    fn enter_container(&mut self, first: Segment) {
        self.segments[self.depth] = first;
        self.seen[self.depth] = 0;
        self.depth += 1;
    }

    fn leave_container(&mut self) {
        self.depth -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn places(document: &str) -> Result<Vec<Vec<Segment>>, AnswerError> {
        let mut places = Vec::new();
        let mut walk = Document::new();
        walk.push(document.as_bytes(), |path, value| {
            if value != Value::Container {
                places.push(path.to_vec());
            }
            Ok(())
        })?;
        walk.finish()?;
        Ok(places)
    }

    #[test]
    fn every_value_is_met_at_its_place() {
        use Segment::{Index, OfPhase, Other};
        let document = r#"{"emeters":[{"power":1},{"x":[2]}],"b_act_power":3,"":{"mac":4}}"#;
        assert_eq!(
            places(document).unwrap(),
            [
                [
                    Segment::Name(Name::Emeters),
                    Index(0),
                    Segment::Name(Name::Power)
                ]
                .as_slice(),
                &[Segment::Name(Name::Emeters), Index(1), Other, Index(0)],
                &[OfPhase(1, Name::ActPower)],
                &[Other, Segment::Name(Name::Mac)],
            ]
        );
    }

    #[test]
    fn a_member_that_stands_twice_in_one_object_is_refused() {
        let error = places(r#"{"a":{"power":1},"b":{"power":2,"power":2}}"#).unwrap_err();
        assert_eq!(error, AnswerError::DuplicateName { name: Name::Power });
    }

    #[test]
    fn a_member_hidden_behind_an_escape_still_stands_twice() {
        let error = places(r#"{"total":1,"t\u006ftal":2}"#).unwrap_err();
        assert_eq!(error, AnswerError::DuplicateName { name: Name::Total });
    }

    #[test]
    fn the_same_member_of_two_phases_or_two_elements_is_no_duplicate() {
        assert!(places(r#"{"a_current":1,"b_current":1,"current":1}"#).is_ok());
        assert!(places(r#"{"emeters":[{"total":1},{"total":1}]}"#).is_ok());
    }

    #[test]
    fn members_that_nobody_reads_may_stand_twice() {
        assert!(places(r#"{"x":1,"x":2}"#).is_ok());
    }

    #[test]
    fn names_fit_their_marks() {
        assert!((Name::Voltage as u32) < 32);
        assert_eq!(
            Segment::OfPhase(2, Name::Voltage)
                .mark()
                .unwrap()
                .1
                .count_ones(),
            1
        );
    }
}
