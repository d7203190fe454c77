//! How a release reaches a fleet: in waves, stopped by the first that fail too often. A plan, its
//! members and what is heard of them go in; what a meter is to do, what a store has to write and when to
//! look again come out. No network, no storage, no clock: every call brings its time, in milliseconds
//! since 1970-01-01T00:00:00Z.
//!
//! # The states of a rollout
//!
//! ```text
//!                 Rollout::new
//!                      │
//!                      ▼
//!        ┌────────► running k ─────────────┐
//!        │             │                   │
//!        │             │ enough confirmed  │  too many failures, or a wave that
//!  soaked, and         ▼                   │  cannot succeed any more
//!  a wave is left   soaking k ─────────────┼──────────────► halted ──┐
//!        │             │                   │                         │
//!        └─────────────┤                   │  pause                  │ resume: back to where it was;
//!                      │ soaked, and       ├──────────────► paused ──┤ what failed before a halt
//!                      │ none is left      │                         │ counts no more
//!                      ▼                   │                         ▼
//!                  finishing ──────────────┘            running k, soaking k, finishing
//!                      │
//!                      │ nobody is waited for
//!                      ▼
//!                  COMPLETED
//!
//!   running, soaking, finishing, paused, halted ── abort ────► ABORTED
//!   any of them, COMPLETED, ABORTED ───────────── withdraw ──► WITHDRAWN
//! ```
//!
//! The states in capitals are ends: a meter that is late waits for the next rollout then. While a rollout is
//! paused or halted its clocks stand still: no deadline passes and nothing soaks, since no meter could go on.
//! If a whole fleet stays silent, it halts; a rollout that nobody touches comes to an end or a halt by itself.
//!
//! # When a meter counts
//!
//! The server's hope counts for nothing. A member of a rollout is
//!
//! - **confirmed** when its signed [`UpdateReport`](ww_wire::UpdateReport) says so, or when its newest
//!   signed [`Boot`](ww_wire::Boot) record names the release's payload and the meter asked after that as
//!   one that runs this payload, idle or confirmed;
//! - **failed** when its signed report says that it rolled back or refused, or when a signed Boot record
//!   names another payload after one that named the release's;
//! - **overdue**, which counts as failed, from the moment of its deadline on as long as it is neither. A
//!   meter that was only late may still fetch and start the release, and is confirmed then.
//!
//! Reports and Boot records are ordered by the meter's own boot counter and uptime: each may come twice,
//! late or in any order, and what is known in the end is the same. What a *question* says is proven by a
//! secret that a server holds too, and can be played back by who listens; so it is shown as progress, and
//! holds the one who asks if it says that it rolled back, but by itself counts for no threshold.
//!
//! Nobody is asked to try again what it rolled back or refused, until an operator says so
//! ([`Rollout::retry`]).
//!
//! # Numbers
//!
//! All shares are whole percents and compared in whole numbers. A share of devices that is not whole is
//! rounded **up** where it says how many (1 % of 10 is one device), so no wave is empty. A wave has
//! succeeded when at least `success_percent` of it is confirmed: 9 of 10 are 90 %. It has failed when at
//! least `error_percent` of it has failed *and* at least `error_minimum` devices have: 1 of 10 is 10 %.
//! Failures are looked at first. A wave of which so many have failed that `success_percent` is out of
//! reach halts the rollout too.

mod course;
mod decision;
mod event;
pub mod group;
mod hex;
mod member;
mod members;
mod plan;
mod rollout;
mod snapshot;

pub use course::{Course, HaltCause, State, Status, Step};
pub use decision::{Decision, Door, Why};
pub use event::{Changes, Event};
pub use member::{Asked, DeviceState, Failure, Member, Progress, Standing};
pub use plan::{
    MAX_DURATION_MS, MAX_MEMBERS, MAX_WAVES, Percent, Plan, PlanError, Prior, RolloutId, WaveSize,
    Window,
};
pub use rollout::{MemberView, Refusal, Rollout, WaveView};
pub use snapshot::{LoadError, Snapshot};
