//! Tables for spreadsheets (RFC 4180), row by row. What people have written is defused: a spreadsheet
//! runs a cell that begins like a formula.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use bytes::Bytes;
use futures_util::Stream;

/// What tells spreadsheets that a table with text of people is UTF-8.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What a cell that a spreadsheet would run begins with.
const RUN: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

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
        if text.contains(['"', ',', '\n', '\r']) {
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
        match text.starts_with(RUN) {
            true => self.cell(&format!("'{text}")),
            false => self.cell(text),
        }
    }

    pub(crate) fn end(&mut self) {
        self.table.extend_from_slice(b"\r\n");
    }
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
                .cell("two\nlines");
        });
        assert_eq!(
            written,
            ",-1.5,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r\n"
        );
    }

    #[test]
    fn a_spreadsheet_runs_nothing_that_people_have_written() {
        for begin in RUN {
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
