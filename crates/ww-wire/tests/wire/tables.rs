//! Makes the tables of docs/FORMAT.md from the records' own lists of fields. It reads and writes
//! no file: a test holds the document against them, and an example writes them into it.

use core::fmt::Write as _;

use ww_wire::record::HEADER_LENGTH;
use ww_wire::*;

const END: &str = "<!-- end -->";

/// `document` with every table between its markers made anew.
pub(crate) fn renewed(document: &str) -> String {
    let mut out = document.to_owned();
    for (marker, table) in tables() {
        let start = out.find(&marker).map(|at| at + marker.len());
        let start = start.unwrap_or_else(|| panic!("the document has no {marker}"));
        let end = out[start..].find(END).map(|at| start + at);
        let end = end.unwrap_or_else(|| panic!("{marker} has no {END}"));
        out.replace_range(start..end, &format!("\n\n{table}\n"));
    }
    out
}

fn tables() -> Vec<(String, String)> {
    let mut tables = vec![
        ("<!-- types -->".to_owned(), types()),
        (
            "<!-- flags: reading -->".to_owned(),
            flags(
                ReadingFlags::NAMES
                    .iter()
                    .map(|(flag, name)| (flag.bits(), *name)),
            ),
        ),
        (
            "<!-- flags: window -->".to_owned(),
            flags(
                WindowFlags::NAMES
                    .iter()
                    .map(|(flag, name)| (flag.bits(), *name)),
            ),
        ),
    ];
    tables.extend([
        fields::<Reading>("meter"),
        fields::<ThreePhaseReading>("meter"),
        fields::<Window>("meter"),
        fields::<Boot>("meter"),
        fields::<Gap>("meter"),
        fields::<Enrolment>("operator"),
        fields::<Label>("operator"),
        fields::<Correction>("operator"),
        fields::<Revocation>("operator"),
        fields::<Replacement>("signer"),
        fields::<StatusReport>("meter"),
        fields::<Acknowledgement>("meter"),
        fields::<UpdateReport>("meter"),
    ]);
    tables
}

fn types() -> String {
    let mut table = String::from("| type | name | bytes |\n| --- | --- | --- |\n");
    let lengths = [
        Reading::LENGTH,
        ThreePhaseReading::LENGTH,
        Window::LENGTH,
        Boot::LENGTH,
        Gap::LENGTH,
        Enrolment::LENGTH,
        Label::LENGTH,
        Correction::LENGTH,
        Revocation::LENGTH,
        Replacement::LENGTH,
        StatusReport::LENGTH,
        Acknowledgement::LENGTH,
        UpdateReport::LENGTH,
    ];
    assert_eq!(lengths.len(), RecordType::ALL.len());
    for (record_type, length) in RecordType::ALL.iter().zip(lengths) {
        let (number, name) = (*record_type as u8, record_type.name());
        writeln!(table, "| `{number:02x}` | `{name}` | {length} |")
            .expect("a String takes any text");
    }
    table
}

fn flags(flags: impl Iterator<Item = (u16, &'static str)>) -> String {
    let mut table = String::from("| bit | value | name |\n| --- | --- | --- |\n");
    for (bits, name) in flags {
        let bit = bits.trailing_zeros();
        writeln!(table, "| {bit} | `{bits:04x}` | `{name}` |").expect("a String takes any text");
    }
    table
}

fn fields<R: Record>(signer: &str) -> (String, String) {
    let mut table =
        String::from("| at | bytes | field | form | meaning |\n| --- | --- | --- | --- | --- |\n");
    let mut row = |at: usize, width: usize, name: &str, shape: &str, meaning: &str| {
        let (shape, meaning) = (shape.trim_end_matches("; "), meaning.trim());
        writeln!(table, "| {at} | {width} | `{name}` | {shape} | {meaning} |")
            .expect("a String takes any text");
    };
    row(0, 1, "type", "u8", &format!("`{:02x}`.", R::TYPE as u8));
    row(1, 1, "version", "u8", "`01`.");
    let meaning = match R::TYPE {
        RecordType::Acknowledgement => "The meter that is answered; nobody signs.",
        _ => "Whose signature the record carries.",
    };
    row(2, 32, signer, "SHA-256 of a public key", meaning);
    let mut at = HEADER_LENGTH;
    for field in R::FIELDS {
        row(at, field.width, field.name, field.shape, field.meaning);
        at += field.width;
    }
    (format!("<!-- fields: {} -->", R::TYPE.name()), table)
}
