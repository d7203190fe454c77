//! A JSON reader (RFC 8259) for bytes that arrive in any pieces, in bounded memory. It keeps one
//! key, string or number at a time and builds no tree; it does not look at what the values mean.
//!
//! ```text
//! bytes ──► Reader::next ──► Event  { [ key "mac" · string · number · true · null ] }
//!           depth ≤ 8, number ≤ 32 bytes, document ≤ 16 KiB; of a text the first 64 bytes
//! ```
//!
//! Two points are looser than the RFC on purpose, because a meter that refuses to measure over a
//! neighbour's Wi-Fi name helps nobody: a text need not be UTF-8 (texts are only ever compared),
//! and a text longer than the buffer is passed on as cut instead of refused.

/// Nesting that is followed; a real answer needs three levels.
pub const MAX_DEPTH: usize = 8;
/// Bytes kept of a key or string.
pub const MAX_TEXT_BYTES: usize = 64;
/// Characters of a number.
pub const MAX_NUMBER_BYTES: usize = 32;
/// Length of a whole document, so that an answer without end ends.
pub const MAX_DOCUMENT_BYTES: u32 = 16 * 1024;

/// Why a document was refused. Offsets count bytes from the document's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// A byte that the grammar does not allow there.
    #[error("byte {byte:#04x} at offset {offset} does not belong there")]
    UnexpectedByte {
        /// The byte.
        byte: u8,
        /// Where it stands.
        offset: u32,
    },
    /// `NaN`, `nan`, `Infinity` or `inf`, which are no JSON and no measurement.
    #[error("NaN or infinity at offset {offset}")]
    NotANumber {
        /// Where it stands.
        offset: u32,
    },
    /// More nesting than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} at offset {offset}")]
    TooDeep {
        /// Where the level opens.
        offset: u32,
    },
    /// A number of more than [`MAX_NUMBER_BYTES`] characters.
    #[error("number longer than {MAX_NUMBER_BYTES} characters at offset {offset}")]
    NumberTooLong {
        /// The first character too many.
        offset: u32,
    },
    /// A control character inside a text.
    #[error("control character {byte:#04x} in a text at offset {offset}")]
    ControlCharacter {
        /// The byte.
        byte: u8,
        /// Where it stands.
        offset: u32,
    },
    /// An escape that JSON does not know, or half of a surrogate pair.
    #[error("bad escape in a text at offset {offset}")]
    BadEscape {
        /// The byte that made it bad.
        offset: u32,
    },
    /// More bytes than [`MAX_DOCUMENT_BYTES`].
    #[error("document longer than {MAX_DOCUMENT_BYTES} bytes")]
    DocumentTooLong,
    /// The bytes ended before the document did.
    #[error("document cut off after {offset} bytes")]
    CutOff {
        /// How many bytes there were.
        offset: u32,
    },
}

/// Why a number does not fit the unit it was asked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Written with an exponent, which no Shelly does.
    #[error("written with an exponent")]
    Exponent,
    /// More digits than the unit resolves; rounding would change the value.
    #[error("more than {decimals} decimals")]
    TooPrecise {
        /// Decimals that the unit resolves.
        decimals: u8,
    },
    /// Beyond the unit's range.
    #[error("beyond the unit's range")]
    TooLarge,
    /// Below zero where the unit has no sign.
    #[error("negative where the quantity has no sign")]
    Negative,
}

/// One step through a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// A member's name; its value follows.
    Key(Text<'a>),
    /// A string.
    String(Text<'a>),
    /// A number, as it was written.
    Number(Number<'a>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
}

/// A key or string with its escapes resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    bytes: &'a [u8],
    cut: bool,
}

impl<'a> Text<'a> {
    /// The whole text; `None` when it was longer than [`MAX_TEXT_BYTES`].
    #[must_use]
    pub fn bytes(self) -> Option<&'a [u8]> {
        (!self.cut).then_some(self.bytes)
    }

    /// The text's first bytes, at most [`MAX_TEXT_BYTES`].
    #[must_use]
    pub fn start(self) -> &'a [u8] {
        self.bytes
    }
}

/// A number as it was written: well-formed JSON, not yet a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a>(&'a [u8]);

impl Number<'_> {
    /// The exact value times 10^`decimals`, with its sign.
    ///
    /// # Errors
    /// [`NumberError::Exponent`], [`NumberError::TooPrecise`] (zeros behind the last decimal are
    /// no precision) or [`NumberError::TooLarge`].
    pub fn signed(self, decimals: u8) -> Result<i64, NumberError> {
        let (negative, magnitude) = self.scaled(decimals)?;
        let value = if negative {
            -i128::from(magnitude)
        } else {
            i128::from(magnitude)
        };
        i64::try_from(value).map_err(|_| NumberError::TooLarge)
    }

    /// The exact value times 10^`decimals`, for quantities without a sign. `-0.0` is zero.
    ///
    /// # Errors
    /// As [`Number::signed`], and [`NumberError::Negative`].
    pub fn unsigned(self, decimals: u8) -> Result<u64, NumberError> {
        let (negative, magnitude) = self.scaled(decimals)?;
        if negative && magnitude != 0 {
            return Err(NumberError::Negative);
        }
        Ok(magnitude)
    }

    fn scaled(self, decimals: u8) -> Result<(bool, u64), NumberError> {
        let (negative, digits) = match self.0 {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let mut magnitude = 0_u64;
        let mut missing_decimals = None;
        for &byte in digits {
            match (byte, missing_decimals) {
                (b'e' | b'E', _) => return Err(NumberError::Exponent),
                (b'.', _) => missing_decimals = Some(decimals),
                (b'0', Some(0)) => {}
                (_, Some(0)) => return Err(NumberError::TooPrecise { decimals }),
                (digit, missing) => {
                    magnitude = magnitude
                        .checked_mul(10)
                        .and_then(|shifted| shifted.checked_add(u64::from(digit - b'0')))
                        .ok_or(NumberError::TooLarge)?;
                    missing_decimals = missing.map(|count| count - 1);
                }
            }
        }
        let padding = 10_u64.checked_pow(u32::from(missing_decimals.unwrap_or(decimals)));
        let magnitude = padding.and_then(|factor| magnitude.checked_mul(factor));
        Ok((negative, magnitude.ok_or(NumberError::TooLarge)?))
    }
}

/// The reader: a push-down automaton with one buffer.
#[derive(Clone, Debug)]
pub struct Reader {
    state: State,
    depth: usize,
    /// Bit `d` is set when level `d` is an array.
    arrays: u8,
    buffer: [u8; MAX_TEXT_BYTES],
    length: usize,
    cut: bool,
    offset: u32,
    failed: Option<JsonError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    KeyOrEnd,
    Key,
    Colon,
    Value,
    ValueOrEnd,
    CommaOrEnd,
    Text { key: bool, escape: Escape },
    Number(Digits),
    Word { word: Word, matched: usize },
    Done,
}

/// Where inside an escape sequence a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    Backslash,
    /// `\u` and `digits` hexadecimal digits so far; `high` is the first half of a pair.
    Unicode {
        digits: u8,
        value: u16,
        high: Option<u16>,
    },
    /// The first half of a pair is there: a backslash has to follow.
    LowBackslash {
        high: u16,
    },
    /// And then a `u`.
    LowU {
        high: u16,
    },
}

/// Where inside a number the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    ExponentMark,
    ExponentSign,
    Exponent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    True,
    False,
    Null,
}

impl Word {
    const fn letters(self) -> &'static [u8] {
        match self {
            Word::True => b"true",
            Word::False => b"false",
            Word::Null => b"null",
        }
    }

    const fn token(self) -> Token {
        match self {
            Word::True => Token::Bool(true),
            Word::False => Token::Bool(false),
            Word::Null => Token::Null,
        }
    }
}

/// An [`Event`] whose text still lies in the buffer.
#[derive(Clone, Copy)]
enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Key,
    String,
    Number,
    Bool(bool),
    Null,
}

/// What one byte did. A number ends at the byte behind it, which is then looked at again.
struct Step {
    taken: bool,
    token: Option<Token>,
}

impl Step {
    const NOTHING: Step = Step {
        taken: true,
        token: None,
    };

    const fn token(token: Token) -> Step {
        Step {
            taken: true,
            token: Some(token),
        }
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// A reader at the start of a document, which has to be an object.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Start,
            depth: 0,
            arrays: 0,
            buffer: [0; MAX_TEXT_BYTES],
            length: 0,
            cut: false,
            offset: 0,
            failed: None,
        }
    }

    /// Takes bytes off the front of `input` up to and including the next event; `None` when
    /// `input` is used up first.
    ///
    /// # Errors
    /// The first [`JsonError`], and the same one ever after.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Event<'_>>, JsonError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let token = loop {
            let Some((&byte, rest)) = input.split_first() else {
                return Ok(None);
            };
            let step = match self.step(byte) {
                Ok(step) => step,
                Err(error) => {
                    self.failed = Some(error);
                    return Err(error);
                }
            };
            if step.taken {
                *input = rest;
                self.offset += 1;
            }
            if let Some(token) = step.token {
                break token;
            }
        };
        Ok(Some(self.event(token)))
    }

    /// Says that no more bytes come.
    ///
    /// # Errors
    /// [`JsonError::CutOff`] when the document is not whole, or the error that it had before.
    pub fn finish(&self) -> Result<(), JsonError> {
        match self.failed {
            Some(error) => Err(error),
            None if self.state == State::Done => Ok(()),
            None => Err(JsonError::CutOff {
                offset: self.offset,
            }),
        }
    }

    fn event(&self, token: Token) -> Event<'_> {
        let bytes = &self.buffer[..self.length];
        match token {
            Token::ObjectStart => Event::ObjectStart,
            Token::ObjectEnd => Event::ObjectEnd,
            Token::ArrayStart => Event::ArrayStart,
            Token::ArrayEnd => Event::ArrayEnd,
            Token::Key => Event::Key(Text {
                bytes,
                cut: self.cut,
            }),
            Token::String => Event::String(Text {
                bytes,
                cut: self.cut,
            }),
            Token::Number => Event::Number(Number(bytes)),
            Token::Bool(value) => Event::Bool(value),
            Token::Null => Event::Null,
        }
    }

    fn step(&mut self, byte: u8) -> Result<Step, JsonError> {
        if self.offset >= MAX_DOCUMENT_BYTES {
            return Err(JsonError::DocumentTooLong);
        }
        match self.state {
            State::Text { key, escape } => return self.text(byte, key, escape),
            State::Number(digits) => return self.number(byte, digits),
            State::Word { word, matched } => return self.word(byte, word, matched),
            _ => {}
        }
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            return Ok(Step::NOTHING);
        }
        match (self.state, byte) {
            (State::Start, b'{') => self.open(false),
            (State::KeyOrEnd | State::Key, b'"') => Ok(self.begin_text(true)),
            (State::Colon, b':') => Ok(self.go(State::Value)),
            (State::KeyOrEnd, b'}') => Ok(self.close()),
            (State::ValueOrEnd, b']') => Ok(self.close()),
            (State::Value | State::ValueOrEnd, _) => self.value(byte),
            (State::CommaOrEnd, b',') if self.in_array() => Ok(self.go(State::Value)),
            (State::CommaOrEnd, b',') => Ok(self.go(State::Key)),
            (State::CommaOrEnd, b']') if self.in_array() => Ok(self.close()),
            (State::CommaOrEnd, b'}') if !self.in_array() => Ok(self.close()),
            _ => Err(self.unexpected(byte)),
        }
    }

    fn value(&mut self, byte: u8) -> Result<Step, JsonError> {
        match byte {
            b'{' => self.open(false),
            b'[' => self.open(true),
            b'"' => Ok(self.begin_text(false)),
            b'-' => Ok(self.begin_number(byte, Digits::Minus)),
            b'0' => Ok(self.begin_number(byte, Digits::Zero)),
            b'1'..=b'9' => Ok(self.begin_number(byte, Digits::Integer)),
            b't' => Ok(self.go(State::Word {
                word: Word::True,
                matched: 1,
            })),
            b'f' => Ok(self.go(State::Word {
                word: Word::False,
                matched: 1,
            })),
            b'n' => Ok(self.go(State::Word {
                word: Word::Null,
                matched: 1,
            })),
            b'N' | b'I' | b'i' => Err(JsonError::NotANumber {
                offset: self.offset,
            }),
            _ => Err(self.unexpected(byte)),
        }
    }

    fn word(&mut self, byte: u8, word: Word, matched: usize) -> Result<Step, JsonError> {
        let letters = word.letters();
        if word == Word::Null && matched == 1 && byte == b'a' {
            return Err(JsonError::NotANumber {
                offset: self.offset,
            });
        }
        if letters.get(matched) != Some(&byte) {
            return Err(self.unexpected(byte));
        }
        if matched + 1 < letters.len() {
            return Ok(self.go(State::Word {
                word,
                matched: matched + 1,
            }));
        }
        self.state = State::CommaOrEnd;
        Ok(Step::token(word.token()))
    }

    fn number(&mut self, byte: u8, digits: Digits) -> Result<Step, JsonError> {
        use Digits::{Exponent, ExponentMark, ExponentSign, Fraction, Integer, Minus, Point, Zero};
        let next = match (digits, byte) {
            (Minus, b'0') => Zero,
            (Minus, b'1'..=b'9') | (Integer, b'0'..=b'9') => Integer,
            (Minus, b'i' | b'I' | b'n' | b'N') => {
                return Err(JsonError::NotANumber {
                    offset: self.offset,
                });
            }
            (Zero | Integer, b'.') => Point,
            (Point | Fraction, b'0'..=b'9') => Fraction,
            (Zero | Integer | Fraction, b'e' | b'E') => ExponentMark,
            (ExponentMark, b'+' | b'-') => ExponentSign,
            (ExponentMark | ExponentSign | Exponent, b'0'..=b'9') => Exponent,
            (Zero | Integer | Fraction | Exponent, b' ' | b'\t' | b'\n' | b'\r' | b',')
            | (Zero | Integer | Fraction | Exponent, b']' | b'}') => {
                self.state = State::CommaOrEnd;
                return Ok(Step {
                    taken: false,
                    token: Some(Token::Number),
                });
            }
            _ => return Err(self.unexpected(byte)),
        };
        if self.length == MAX_NUMBER_BYTES {
            return Err(JsonError::NumberTooLong {
                offset: self.offset,
            });
        }
        self.keep(byte);
        Ok(self.go(State::Number(next)))
    }

    fn text(&mut self, byte: u8, key: bool, escape: Escape) -> Result<Step, JsonError> {
        let bad = JsonError::BadEscape {
            offset: self.offset,
        };
        if byte < 0x20 {
            return Err(JsonError::ControlCharacter {
                byte,
                offset: self.offset,
            });
        }
        let escape = match (escape, byte) {
            (Escape::None, b'"') => {
                self.state = if key { State::Colon } else { State::CommaOrEnd };
                return Ok(Step::token(if key { Token::Key } else { Token::String }));
            }
            (Escape::None, b'\\') => Escape::Backslash,
            (Escape::None, _) => self.keep_and(byte, Escape::None),
            (Escape::Backslash, b'"' | b'\\' | b'/') => self.keep_and(byte, Escape::None),
            (Escape::Backslash, b'b') => self.keep_and(0x08, Escape::None),
            (Escape::Backslash, b'f') => self.keep_and(0x0c, Escape::None),
            (Escape::Backslash, b'n') => self.keep_and(b'\n', Escape::None),
            (Escape::Backslash, b'r') => self.keep_and(b'\r', Escape::None),
            (Escape::Backslash, b't') => self.keep_and(b'\t', Escape::None),
            (Escape::Backslash, b'u') => Escape::Unicode {
                digits: 0,
                value: 0,
                high: None,
            },
            (
                Escape::Unicode {
                    digits,
                    value,
                    high,
                },
                _,
            ) => {
                let digit = char::from(byte).to_digit(16).ok_or(bad)?;
                let value = (value << 4) | u16::try_from(digit).map_err(|_| bad)?;
                if digits < 3 {
                    Escape::Unicode {
                        digits: digits + 1,
                        value,
                        high,
                    }
                } else {
                    self.keep_unit(value, high).ok_or(bad)?
                }
            }
            (Escape::LowBackslash { high }, b'\\') => Escape::LowU { high },
            (Escape::LowU { high }, b'u') => Escape::Unicode {
                digits: 0,
                value: 0,
                high: Some(high),
            },
            (Escape::Backslash | Escape::LowBackslash { .. } | Escape::LowU { .. }, _) => {
                return Err(bad);
            }
        };
        Ok(self.go(State::Text { key, escape }))
    }

    /// Keeps a UTF-16 unit of a `\u` escape as UTF-8; `None` when surrogates do not pair.
    fn keep_unit(&mut self, unit: u16, high: Option<u16>) -> Option<Escape> {
        let character = match (high, unit) {
            (None, 0xd800..=0xdbff) => return Some(Escape::LowBackslash { high: unit }),
            (None, _) => char::from_u32(u32::from(unit))?,
            (Some(high), 0xdc00..=0xdfff) => {
                let pair = (u32::from(high - 0xd800) << 10) | u32::from(unit - 0xdc00);
                char::from_u32(0x1_0000 + pair)?
            }
            (Some(_), _) => return None,
        };
        let mut utf8 = [0; 4];
        for &byte in character.encode_utf8(&mut utf8).as_bytes() {
            self.keep(byte);
        }
        Some(Escape::None)
    }

    fn keep_and(&mut self, byte: u8, escape: Escape) -> Escape {
        self.keep(byte);
        escape
    }

    fn keep(&mut self, byte: u8) {
        match self.buffer.get_mut(self.length) {
            Some(place) => {
                *place = byte;
                self.length += 1;
            }
            None => self.cut = true,
        }
    }

    fn begin_text(&mut self, key: bool) -> Step {
        self.length = 0;
        self.cut = false;
        self.go(State::Text {
            key,
            escape: Escape::None,
        })
    }

    fn begin_number(&mut self, byte: u8, digits: Digits) -> Step {
        self.length = 0;
        self.cut = false;
        self.keep(byte);
        self.go(State::Number(digits))
    }

    fn open(&mut self, array: bool) -> Result<Step, JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(JsonError::TooDeep {
                offset: self.offset,
            });
        }
        let level = 1 << self.depth;
        self.arrays = if array {
            self.arrays | level
        } else {
            self.arrays & !level
        };
        self.depth += 1;
        self.state = if array {
            State::ValueOrEnd
        } else {
            State::KeyOrEnd
        };
        Ok(Step::token(if array {
            Token::ArrayStart
        } else {
            Token::ObjectStart
        }))
    }

    fn close(&mut self) -> Step {
        let token = if self.in_array() {
            Token::ArrayEnd
        } else {
            Token::ObjectEnd
        };
        self.depth -= 1;
        self.state = if self.depth == 0 {
            State::Done
        } else {
            State::CommaOrEnd
        };
        Step::token(token)
    }

    fn in_array(&self) -> bool {
        self.depth > 0 && self.arrays & (1 << (self.depth - 1)) != 0
    }

    fn go(&mut self, state: State) -> Step {
        self.state = state;
        Step::NOTHING
    }

    fn unexpected(&self, byte: u8) -> JsonError {
        JsonError::UnexpectedByte {
            byte,
            offset: self.offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    /// The document written out again from its events, without white space.
    fn rewritten<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<String, JsonError> {
        let mut reader = Reader::new();
        let mut written = String::new();
        for mut piece in pieces {
            while let Some(event) = reader.next(&mut piece)? {
                write_event(&mut written, event);
            }
        }
        reader.finish()?;
        Ok(written)
    }

    fn write_event(written: &mut String, event: Event<'_>) {
        let closing = matches!(event, Event::ObjectEnd | Event::ArrayEnd);
        if !closing && !matches!(written.chars().last(), None | Some('{' | '[' | ':')) {
            written.push(',');
        }
        match event {
            Event::ObjectStart => written.push('{'),
            Event::ObjectEnd => written.push('}'),
            Event::ArrayStart => written.push('['),
            Event::ArrayEnd => written.push(']'),
            Event::Key(text) => {
                written.push_str(&quoted(text));
                written.push(':');
            }
            Event::String(text) => written.push_str(&quoted(text)),
            Event::Number(Number(bytes)) => written.push_str(core::str::from_utf8(bytes).unwrap()),
            Event::Bool(value) => written.push_str(&value.to_string()),
            Event::Null => written.push_str("null"),
        }
    }

    fn quoted(text: Text<'_>) -> String {
        let mut quoted = String::from("\"");
        for character in String::from_utf8_lossy(text.start()).chars() {
            match character {
                '"' | '\\' => quoted.extend(['\\', character]),
                control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", control as u32)),
                other => quoted.push(other),
            }
        }
        quoted.push('"');
        quoted
    }

    fn refused(document: &str) -> JsonError {
        rewritten([document.as_bytes()]).expect_err("the document must be refused")
    }

    fn number(text: &str) -> Number<'_> {
        Number(text.as_bytes())
    }

    #[test]
    fn white_space_between_tokens_means_nothing() {
        let document = " { \"a\" : [ 1 , -2.50 ,\ttrue ] ,\r\n \"b\" : { } } \n";
        assert_eq!(
            rewritten([document.as_bytes()]).unwrap(),
            r#"{"a":[1,-2.50,true],"b":{}}"#
        );
    }

    #[test]
    fn escapes_are_resolved() {
        let document = r#"{"a":"\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00"}"#;
        let mut reader = Reader::new();
        let mut input = document.as_bytes();
        let mut seen = Vec::new();
        while let Some(event) = reader.next(&mut input).unwrap() {
            if let Event::String(text) = event {
                seen = text.bytes().unwrap().to_vec();
            }
        }
        assert_eq!(seen, "\"\\/\u{8}\u{c}\n\r\té€😀".as_bytes());
    }

    #[test]
    fn half_of_a_surrogate_pair_is_refused() {
        for document in [
            r#"{"a":"\ud83d"}"#,
            r#"{"a":"\ud83d\u0041"}"#,
            r#"{"a":"\ude00"}"#,
        ] {
            assert!(
                matches!(refused(document), JsonError::BadEscape { .. }),
                "{document}"
            );
        }
    }

    #[test]
    fn nan_and_infinity_are_refused_by_name() {
        for value in ["NaN", "nan", "-nan", "inf", "-inf", "Infinity", "-Infinity"] {
            let document = format!("{{\"a\":{value}}}");
            assert!(
                matches!(refused(&document), JsonError::NotANumber { .. }),
                "{value}"
            );
        }
    }

    #[test]
    fn numbers_that_are_no_json_are_refused() {
        for value in [
            "01", "+1", "1.", ".5", "1e", "1e+", "-", "--1", "1.2.3", "0x10", "1_000",
        ] {
            let document = format!("{{\"a\":{value}}}");
            assert!(
                matches!(refused(&document), JsonError::UnexpectedByte { .. }),
                "{value}"
            );
        }
    }

    #[test]
    fn a_number_too_long_to_keep_is_refused() {
        let fits = format!("{{\"a\":{}}}", "1".repeat(MAX_NUMBER_BYTES));
        let too_long = format!("{{\"a\":{}}}", "1".repeat(MAX_NUMBER_BYTES + 1));
        assert!(rewritten([fits.as_bytes()]).is_ok());
        assert!(matches!(
            refused(&too_long),
            JsonError::NumberTooLong { .. }
        ));
    }

    #[test]
    fn nesting_is_followed_to_the_limit_and_refused_beyond() {
        let nested = |depth: usize| {
            format!(
                "{{\"a\":{}{}}}",
                "[".repeat(depth - 1),
                "]".repeat(depth - 1)
            )
        };
        assert!(rewritten([nested(MAX_DEPTH).as_bytes()]).is_ok());
        assert!(matches!(
            refused(&nested(MAX_DEPTH + 1)),
            JsonError::TooDeep { .. }
        ));
    }

    #[test]
    fn an_answer_without_end_is_ended() {
        let endless = format!("{{{}", " ".repeat(MAX_DOCUMENT_BYTES as usize));
        assert_eq!(refused(&endless), JsonError::DocumentTooLong);
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let document = format!("{{\"{}\":1}}", "k".repeat(MAX_TEXT_BYTES + 1));
        let mut reader = Reader::new();
        let mut input = document.as_bytes();
        reader.next(&mut input).unwrap();
        let Ok(Some(Event::Key(key))) = reader.next(&mut input) else {
            panic!("no key")
        };
        assert_eq!((key.bytes(), key.start().len()), (None, MAX_TEXT_BYTES));
    }

    #[test]
    fn a_text_need_not_be_utf8() {
        assert!(rewritten([b"{\"ssid\":\"\xff\xfe\"}".as_slice()]).is_ok());
    }

    #[test]
    fn a_control_character_in_a_text_is_refused() {
        assert!(matches!(
            refused("{\"a\":\"\n\"}"),
            JsonError::ControlCharacter { .. }
        ));
    }

    #[test]
    fn every_prefix_of_a_document_is_cut_off() {
        let document = r#"{"a":[1,{"b":"c\n"}],"d":null}"#;
        for length in 0..document.len() {
            let prefix = &document.as_bytes()[..length];
            assert!(
                matches!(rewritten([prefix]), Err(JsonError::CutOff { .. })),
                "{length}"
            );
        }
    }

    #[test]
    fn bytes_behind_the_document_are_refused() {
        assert!(matches!(
            refused("{} {}"),
            JsonError::UnexpectedByte {
                byte: b'{',
                offset: 3
            }
        ));
    }

    #[test]
    fn only_an_object_is_a_document() {
        for document in ["[]", "1", "\"a\"", "null", "<html>"] {
            assert!(matches!(
                refused(document),
                JsonError::UnexpectedByte { offset: 0, .. }
            ));
        }
    }

    #[test]
    fn structure_that_is_no_json_is_refused() {
        for document in [
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":[1,]}",
            "{\"a\":[,1]}",
            "{\"a\":1]",
            "{\"a\":[1}}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":tru}",
            "{\"a\":True}",
            "{\"a\" 1}",
            "{\"a\":1 2}",
        ] {
            assert!(
                matches!(refused(document), JsonError::UnexpectedByte { .. }),
                "{document}"
            );
        }
    }

    #[test]
    fn a_failed_reader_stays_failed() {
        let mut reader = Reader::new();
        let error = reader.next(&mut b"]".as_slice()).unwrap_err();
        assert_eq!(reader.next(&mut b"{".as_slice()).unwrap_err(), error);
        assert_eq!(reader.finish(), Err(error));
    }

    #[test]
    fn decimals_become_integers_exactly() {
        assert_eq!(number("16.35").signed(3), Ok(16_350));
        assert_eq!(number("-0.001").signed(3), Ok(-1));
        assert_eq!(number("8.9").unsigned(3), Ok(8_900));
        assert_eq!(number("237").unsigned(3), Ok(237_000));
        assert_eq!(number("1.2300000").unsigned(2), Ok(123));
        assert_eq!(number("-0.0").unsigned(3), Ok(0));
        assert_eq!(number("18446744073709551615").unsigned(0), Ok(u64::MAX));
        assert_eq!(number("-9223372036854775808").signed(0), Ok(i64::MIN));
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused_by_name() {
        assert_eq!(number("1e3").signed(3), Err(NumberError::Exponent));
        assert_eq!(number("1.5E-3").signed(3), Err(NumberError::Exponent));
        assert_eq!(
            number("1.2345").signed(3),
            Err(NumberError::TooPrecise { decimals: 3 })
        );
        assert_eq!(
            number("18446744073709551616").unsigned(0),
            Err(NumberError::TooLarge)
        );
        assert_eq!(
            number("18446744073709552").unsigned(3),
            Err(NumberError::TooLarge)
        );
        assert_eq!(
            number("9223372036854775808").signed(0),
            Err(NumberError::TooLarge)
        );
        assert_eq!(number("-1").unsigned(3), Err(NumberError::Negative));
    }

    #[derive(Clone, Debug)]
    enum Tree {
        Null,
        Bool(bool),
        Number(String),
        Text(String),
        Array(Vec<Tree>),
        Object(Vec<(String, Tree)>),
    }

    impl Tree {
        fn write(&self, written: &mut String) {
            let quote = |text: &str| {
                quoted(Text {
                    bytes: text.as_bytes(),
                    cut: false,
                })
            };
            match self {
                Tree::Null => written.push_str("null"),
                Tree::Bool(value) => written.push_str(&value.to_string()),
                Tree::Number(text) => written.push_str(text),
                Tree::Text(text) => written.push_str(&quote(text)),
                Tree::Array(items) => {
                    written.push('[');
                    for (index, item) in items.iter().enumerate() {
                        written.push_str(if index > 0 { "," } else { "" });
                        item.write(written);
                    }
                    written.push(']');
                }
                Tree::Object(members) => {
                    written.push('{');
                    for (index, (key, value)) in members.iter().enumerate() {
                        written.push_str(if index > 0 { "," } else { "" });
                        written.push_str(&quote(key));
                        written.push(':');
                        value.write(written);
                    }
                    written.push('}');
                }
            }
        }
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let leaf = prop_oneof![
            Just(Tree::Null),
            any::<bool>().prop_map(Tree::Bool),
            "-?(0|[1-9][0-9]{0,12})(\\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?".prop_map(Tree::Number),
            "\\PC{0,12}".prop_map(Tree::Text),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::Array),
                prop::collection::vec(("\\PC{0,8}", inner), 0..6).prop_map(Tree::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_generated_document_comes_back_whole_however_it_is_cut(
            members in prop::collection::vec(("\\PC{0,8}", tree()), 0..5),
            cuts in prop::collection::vec(1_usize..40, 1..20),
        ) {
            let mut document = String::new();
            Tree::Object(members).write(&mut document);
            let mut pieces = Vec::new();
            let mut rest = document.as_bytes();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, tail) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = tail;
            }
            prop_assert_eq!(rewritten(pieces), Ok(document));
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = rewritten([bytes.as_slice()]);
        }

        #[test]
        fn bytes_that_look_like_json_never_panic(
            text in "[{}\\[\\]:,\"\\\\0-9.eEtrufalsnN +\\-]{0,120}",
        ) {
            let _ = rewritten([text.as_bytes()]);
        }

        #[test]
        fn a_decimal_says_the_same_at_any_scale_that_holds_it(
            value in -1_000_000_000_000_i64..1_000_000_000_000, decimals in 0_u8..4,
        ) {
            let factor = 10_i64.pow(u32::from(decimals));
            let sign = if value < 0 { "-" } else { "" };
            let (whole, part) = (value.abs() / factor, value.abs() % factor);
            let text = match decimals {
                0 => format!("{sign}{whole}"),
                _ => format!("{sign}{whole}.{part:0width$}", width = usize::from(decimals)),
            };
            prop_assert_eq!(number(&text).signed(decimals), Ok(value));
            prop_assert_eq!(number(&text).signed(decimals + 2), Ok(value * 100));
        }
    }
}
