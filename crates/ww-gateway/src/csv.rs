//! Tables for spreadsheets (RFC 4180), row by row. What people have written is defused: a spreadsheet
//! runs a cell that begins like a formula, and where cells begin is up to its language.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use bytes::Bytes;
use futures_util::Stream;

/// What tells spreadsheets that a table with text of people is UTF-8.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What a cell that a spreadsheet would run begins with.
const RUN: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// What parts cells where a spreadsheet does not part them by commas. It then takes a quote inside a cell for
/// a letter, so that a new line parts rows as well.
const PARTS: [char; 4] = [';', '\t', '\r', '\n'];

/// What a spreadsheet may overlook before it runs a cell.
const OVERLOOKED: [char; 3] = [' ', '\u{a0}', '"'];

/// A row under way.
pub(crate) struct Row<'a> {
    table: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Row<'a> {
    pub(crate) const fn of(table: &'a mut Vec<u8>) -> Self {
        Self {
            table,
            is_empty: true,
        }
    }

    /// A cell that this gateway has made: a number, a time, a name of a flag.
    pub(crate) fn cell(&mut self, text: &str) -> &mut Self {
        if !self.is_empty {
            self.table.push(b',');
        }
        self.is_empty = false;
        if text.contains(['"', ',']) || text.contains(PARTS) {
            self.table.push(b'"');
            self.table
                .extend_from_slice(text.replace('"', "\"\"").as_bytes());
            self.table.push(b'"');
        } else {
            self.table.extend_from_slice(text.as_bytes());
        }
        self
    }

    /// A cell with what people, or meters, have said.
    pub(crate) fn said(&mut self, text: &str) -> &mut Self {
        self.cell(&defused(text))
    }

    pub(crate) fn end(&mut self) {
        self.table.extend_from_slice(b"\r\n");
    }
}

/// A text with a `'` wherever a spreadsheet of any language could begin a cell that it runs.
fn defused(text: &str) -> String {
    let mut defused = String::with_capacity(text.len() + 1);
    for cell in text.split_inclusive(PARTS) {
        // Some drop a tab or a line's end that a cell begins with, and look at what comes then.
        let is_first = defused.is_empty();
        if cell.trim_start_matches(OVERLOOKED).starts_with(RUN)
            || is_first && cell.starts_with(char::is_control)
        {
            defused.push('\'');
        }
        defused.push_str(cell);
    }
    defused
}

/// A table that a browser keeps as a file of this name.
pub(crate) fn download<E>(
    name: &str,
    pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Response<Body>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
{
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
    );
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(write: impl FnOnce(&mut Row<'_>)) -> String {
        let mut table = Vec::new();
        let mut row = Row::of(&mut table);
        write(&mut row);
        row.end();
        String::from_utf8(table).unwrap()
    }

    #[test]
    fn cells_are_parted_and_quoted() {
        let written = row(|row| {
            row.cell("")
                .cell("-1.5")
                .cell("a,b")
                .cell("say \"x\"")
                .cell("two\nlines")
                .cell("a;b");
        });
        assert_eq!(
            written,
            ",-1.5,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\"a;b\"\r\n"
        );
    }

    #[test]
    fn a_spreadsheet_that_parts_cells_elsewhere_runs_nothing_either() {
        for (said, written) in [
            ("a;=cmd|'/C calc'!A0", "a;'=cmd|'/C calc'!A0"),
            ("a; \t+1", "a; \t'+1"),
            ("a\r\n@b", "a\r\n'@b"),
            ("a;\"-1", "a;'\"-1"),
            ("a;;＝b", "a;;'＝b"),
            (" =a", "' =a"),
            ("a;b=1; c-d", "a;b=1; c-d"),
        ] {
            assert_eq!(defused(said), written);
        }
    }

    #[test]
    fn a_spreadsheet_runs_nothing_that_people_have_written() {
        for begin in RUN.into_iter().chain(['\t', '\r', '\n']) {
            let written = row(|row| {
                row.said(&format!("{begin}cmd"));
            });
            assert!(
                written.trim_start_matches('"').starts_with('\''),
                "{written:?}"
            );
        }
        assert_eq!(
            row(|row| {
                row.said("a=1");
            }),
            "a=1\r\n"
        );
    }
}
