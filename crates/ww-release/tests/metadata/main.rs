//! What is trusted and what is not, with real keys of both suites: each attack on the metadata by its
//! name.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it says"
)]

mod assignments;
mod files;
mod fleets;
mod forms;
mod objects;
mod questions;
mod releases;
mod roots;
mod secrets;
mod support;
