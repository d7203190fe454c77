//! Honest and dishonest histories of one meter, signed with real keys, before the auditor.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bound;
mod chain;
mod cuts;
mod ends;
mod enrolments;
mod history;
mod question;
mod report;
mod statements;
