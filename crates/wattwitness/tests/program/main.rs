//! The program from outside: the real binary, real HTTP and real signatures. Meters are the
//! product's own, in the simulated park and on its clock, so that days pass in seconds.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, what does not hold ends it; clippy knows that only inside the tests themselves"
)]

mod backup;
mod crash;
mod enrolment;
mod firmware;
mod import;
mod journey;
mod mistakes;
mod outage;
mod place;
mod post;
mod readme;
mod swap;
mod tampering;
