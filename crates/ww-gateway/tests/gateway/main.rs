//! A real gateway on a free port, real HTTP, real signatures, a real database in a folder of its
//! own. Only the clock is a fake.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, what does not hold ends it; clippy knows that only inside the tests themselves"
)]

mod administration;
mod alerts;
mod charts;
mod details;
mod enrolment;
mod exports;
mod firmware;
mod fleet;
mod labels;
mod live;
mod ota;
mod readings;
mod records;
mod roles;
mod server;
mod sessions;
mod shapes;
mod tampering;
mod world;
