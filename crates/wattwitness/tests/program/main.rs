//! The program from outside: the real binary, real HTTP and real signatures.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, what does not hold ends it; clippy knows that only inside the tests themselves"
)]

mod crash;
mod place;
mod readme;
