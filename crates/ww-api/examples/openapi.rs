//! Prints the OpenAPI document, to be committed as `docs/openapi.json`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(ww_api::openapi::document_json().as_bytes())
}
