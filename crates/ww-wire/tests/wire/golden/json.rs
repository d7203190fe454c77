//! How the vectors are written: JSON whose members keep their order, and every value as text.

use core::fmt::Write as _;
use ww_wire::*;

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes any text");
        text
    })
}

/// JSON whose members keep their order.
pub(super) enum Json {
    Null,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub(super) fn file(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out);
        out.push('\n');
        out
    }

    fn write(&self, indent: usize, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Text(text) => {
                assert!(
                    text.chars()
                        .all(|c| !c.is_control() && c != '"' && c != '\\')
                );
                write!(out, "\"{text}\"").expect("a String takes any text");
            }
            Self::List(items) => {
                let items = items.iter().map(|item| (None, item));
                Self::write_all(items, ['[', ']'], indent, out);
            }
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| (Some(*name), value));
                Self::write_all(members, ['{', '}'], indent, out);
            }
        }
    }

    fn write_all<'a>(
        items: impl ExactSizeIterator<Item = (Option<&'static str>, &'a Json)>,
        [open, close]: [char; 2],
        indent: usize,
        out: &mut String,
    ) {
        out.push(open);
        let count = items.len();
        for (i, (name, value)) in items.enumerate() {
            out.push('\n');
            out.push_str(&" ".repeat(indent + 1));
            if let Some(name) = name {
                write!(out, "\"{name}\": ").expect("a String takes any text");
            }
            value.write(indent + 1, out);
            if i + 1 < count {
                out.push(',');
            }
        }
        if count > 0 {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
        }
        out.push(close);
    }
}

/// How a value stands in the vectors: whole numbers as decimal text (JSON's numbers lose digits
/// in some languages), bytes in hexadecimal, text as it is, absent as null.
pub(super) trait Value {
    fn json(&self) -> Json;
}

macro_rules! decimal {
    ($($integer:ty),*) => {$(
        impl Value for $integer {
            fn json(&self) -> Json {
                Json::Text(self.to_string())
            }
        }
    )*};
}
decimal!(u8, u16, u32, u64, i16, i32, i64, usize);

macro_rules! units {
    ($($unit:ty),*) => {$(
        impl Value for $unit {
            fn json(&self) -> Json {
                self.get().json()
            }
        }
    )*};
}
units!(
    MilliwattHours,
    Milliwatts,
    Millivars,
    Millivolts,
    Milliamperes,
    DeciCelsius,
    UtcMillis,
    UptimeMillis,
    Watts,
    GeoDegrees,
    DeciDegrees,
    Dbm,
    Bytes,
    Sequence,
    ChainIndex,
    BootCounter,
    CounterEpoch
);

macro_rules! hexadecimal {
    ($($name:ty),*) => {$(
        impl Value for $name {
            fn json(&self) -> Json {
                Json::Text(hex(&self.0))
            }
        }
    )*};
}
hexadecimal!(Hash, SignerId, PublicKey, Mac, Address, Attestation);

macro_rules! enumerations {
    ($($name:ty),*) => {$(
        impl Value for $name {
            fn json(&self) -> Json {
                (*self as u8).json()
            }
        }
    )*};
}
enumerations!(
    TimeQuality,
    ResetReason,
    GapKind,
    Custody,
    SensorModel,
    ProductionCounter,
    CorrectionReason,
    RevocationReason,
    UpdateOutcome,
    UpdateObstacle
);

impl Value for ReadingFlags {
    fn json(&self) -> Json {
        self.bits().json()
    }
}

impl Value for WindowFlags {
    fn json(&self) -> Json {
        self.bits().json()
    }
}

impl<const N: usize> Value for Text<N> {
    fn json(&self) -> Json {
        text(self.as_str())
    }
}

impl<T: Value> Value for Option<T> {
    fn json(&self) -> Json {
        self.as_ref().map_or(Json::Null, Value::json)
    }
}

impl Value for [u8] {
    fn json(&self) -> Json {
        Json::Text(hex(self))
    }
}

impl Value for [Hash] {
    fn json(&self) -> Json {
        Json::List(self.iter().map(Value::json).collect())
    }
}

impl Value for [Phase; 3] {
    fn json(&self) -> Json {
        let phase = |phase: &Phase| {
            Json::Object(vec![
                ("power", phase.power.json()),
                ("voltage", phase.voltage.json()),
                ("current", phase.current.json()),
                ("import_total", phase.import_total.json()),
                ("export_total", phase.export_total.json()),
            ])
        };
        Json::List(self.iter().map(phase).collect())
    }
}

pub(super) fn text(text: &str) -> Json {
    Json::Text(text.to_owned())
}

/// The fields of a record by name, as the struct holds them; all of them, in their order.
macro_rules! fields {
    ($record:expr, $layout:expr, $($field:ident),* $(,)?) => {{
        let names: Vec<&str> = $layout.iter().map(|field: &FieldLayout| field.name).collect();
        assert_eq!(names, [$(stringify!($field)),*], "a field is missing in the vectors");
        Json::Object(vec![$((stringify!($field), $record.$field.json())),*])
    }};
}

pub(super) use fields;
