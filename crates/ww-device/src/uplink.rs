//! When to send what to the gateway: two lanes, so that a live reading never waits behind a
//! backlog, each with back-off and a deadline. It composes no body and opens no connection.
//!
//! ```text
//!              announced            an enrolment came
//!   Unknown ──────────────► Waiting ──────────────────► Enrolled
//!      ▲                                                    │
//!      └──────────── the gateway does not know us ──────────┘
//! ```

use ww_wire::UptimeMillis;

/// How long a request may take; then it counts as failed and its answer is not taken any more.
pub const REQUEST_TIMEOUT_MS: u64 = 30_000;
/// How often a meter that waits for approval asks.
pub const APPROVAL_POLL_MS: u64 = 15_000;
/// How long after an enrolment was asked for, and was not taken, it is asked for again; up to half
/// as long again, so that a fleet does not ask at once.
pub const ENROLMENT_EVERY_MS: u64 = 300_000;
/// How often a meter tells how it is.
pub const STATUS_EVERY_MS: u64 = 300_000;
/// The first wait after a failure; it doubles with every further one.
pub const FIRST_WAIT_MS: u64 = 5_000;
/// The longest wait after failures.
pub const LONGEST_WAIT_MS: u64 = 120_000;

/// Two requests can be under way, one on each lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The newest reading, and what has to do with enrolment.
    Live,
    /// Sealed windows and the rest of the chain.
    Backlog,
}

/// What to ask of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Make the meter known: `POST /api/v1/installations/`.
    Announce,
    /// Ask for the newest enrolment: `GET /api/v1/meters/{id}/enrolment`.
    Enrolment,
    /// Send the meter's consent to it, or, to a gateway that has an older one, the one in force as
    /// its operator signed it: `POST /api/v1/records`.
    Acceptance,
    /// Send the newest reading: `POST /api/v1/records`.
    Reading,
    /// Send a status report: `POST /api/v1/records`.
    Status,
    /// Send a batch of the chain: `POST /api/v1/records`.
    Batch,
}

impl Request {
    /// The lane that it goes on.
    #[must_use]
    pub const fn lane(self) -> Lane {
        match self {
            Self::Batch => Lane::Backlog,
            _ => Lane::Live,
        }
    }
}

/// What the gateway makes of this meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was never told of it.
    Unknown,
    /// It was told; an operator has not approved yet.
    Waiting,
    /// There is an enrolment.
    Enrolled,
    /// An operator ended the trust in this key. The meter goes on measuring and asks now and then.
    Revoked,
}

/// Why the gateway did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not know the meter.
    UnknownMeter,
    /// The meter waits for approval, or there is no enrolment yet.
    Waiting,
    /// The meter is revoked.
    Revoked,
    /// It will not take these bytes, now or later.
    Content,
    /// It did not answer, or asks to try again later, perhaps after a time of its own.
    Unavailable {
        /// `Retry-After`, in ms.
        retry_after_ms: Option<u64>,
    },
}

/// What there is to send, besides what the uplink knows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// A reading that the gateway has not seen.
    pub reading: bool,
    /// Chain records that the gateway expects.
    pub batch: bool,
    /// A consent that the gateway has not seen.
    pub acceptance: bool,
}

/// The state of both lanes.
#[derive(Clone, Debug)]
pub struct Uplink {
    standing: Standing,
    live: LaneState,
    backlog: LaneState,
    enrolment_wanted: bool,
    /// While an enrolment is in force, the next one has a wait of its own.
    enrolment_due: UptimeMillis,
    status_due: UptimeMillis,
    failures: u32,
    closed: bool,
}

#[derive(Clone, Copy, Debug)]
struct LaneState {
    under_way: Option<(Request, UptimeMillis)>,
    not_before: UptimeMillis,
    failures_in_a_row: u8,
}

impl LaneState {
    const fn new() -> Self {
        Self {
            under_way: None,
            not_before: UptimeMillis::ZERO,
            failures_in_a_row: 0,
        }
    }

    fn is_free(&self, now: UptimeMillis) -> bool {
        self.under_way.is_none() && self.not_before <= now
    }

    fn wait(&mut self, now: UptimeMillis, wait_ms: u64) {
        self.not_before = after(now, wait_ms);
    }

    /// Doubles the wait with every failure, and spreads meters that failed together over half of
    /// it.
    fn back_off(&mut self, now: UptimeMillis, random: u32) {
        let doubled = FIRST_WAIT_MS << self.failures_in_a_row.min(8);
        let longest = doubled.min(LONGEST_WAIT_MS);
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.wait(now, longest / 2 + u64::from(random) % (longest / 2));
    }
}

fn after(now: UptimeMillis, wait_ms: u64) -> UptimeMillis {
    now.checked_add_ms(wait_ms).unwrap_or(UptimeMillis::MAX)
}

impl Uplink {
    /// An uplink at the start of the meter; `enrolled` when the flash holds an enrolment.
    #[must_use]
    pub const fn new(enrolled: bool) -> Self {
        Self {
            standing: if enrolled {
                Standing::Enrolled
            } else {
                Standing::Unknown
            },
            live: LaneState::new(),
            backlog: LaneState::new(),
            enrolment_wanted: false,
            enrolment_due: UptimeMillis::ZERO,
            status_due: UptimeMillis::ZERO,
            failures: 0,
            closed: false,
        }
    }

    /// What the gateway makes of this meter, as far as it said.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Requests that failed in this boot.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// The request that is under way on this lane.
    #[must_use]
    pub fn under_way(&self, lane: Lane) -> Option<Request> {
        let state = match lane {
            Lane::Live => &self.live,
            Lane::Backlog => &self.backlog,
        };
        state.under_way.map(|(request, _)| request)
    }

    /// The next request, which then counts as under way. Called until there is none.
    pub fn next(&mut self, now: UptimeMillis, work: Work) -> Option<Request> {
        if self.closed {
            return None;
        }
        let request = self
            .live_request(now, work)
            .or_else(|| self.backlog_request(now, work))?;
        match request {
            Request::Status => self.status_due = after(now, STATUS_EVERY_MS),
            Request::Enrolment => self.enrolment_due = after(now, ENROLMENT_EVERY_MS),
            _ => {}
        }
        self.lane(request.lane()).under_way = Some((request, now));
        Some(request)
    }

    fn live_request(&self, now: UptimeMillis, work: Work) -> Option<Request> {
        if !self.live.is_free(now) {
            return None;
        }
        match self.standing {
            Standing::Unknown => Some(Request::Announce),
            Standing::Waiting | Standing::Revoked => Some(Request::Enrolment),
            Standing::Enrolled if work.reading => Some(Request::Reading),
            Standing::Enrolled if self.enrolment_wanted && self.enrolment_due <= now => {
                Some(Request::Enrolment)
            }
            Standing::Enrolled if work.acceptance => Some(Request::Acceptance),
            Standing::Enrolled if self.status_due <= now => Some(Request::Status),
            Standing::Enrolled => None,
        }
    }

    fn backlog_request(&self, now: UptimeMillis, work: Work) -> Option<Request> {
        let sends = self.standing == Standing::Enrolled && work.batch;
        (sends && self.backlog.is_free(now)).then_some(Request::Batch)
    }

    /// When [`Uplink::next`] or [`Uplink::expire`] has something to do without any input.
    #[must_use]
    pub fn deadline(&self, work: Work) -> UptimeMillis {
        if self.closed {
            return UptimeMillis::MAX;
        }
        let live_waits = self.standing != Standing::Enrolled || work.reading || work.acceptance;
        let lane = |state: &LaneState, waits: bool| match state.under_way {
            Some((_, since)) => after(since, REQUEST_TIMEOUT_MS),
            None if waits => state.not_before,
            None => UptimeMillis::MAX,
        };
        let due = |due: UptimeMillis, waits: bool| match self.live.under_way {
            None if self.standing == Standing::Enrolled && waits => due.max(self.live.not_before),
            _ => UptimeMillis::MAX,
        };
        let backlog_waits = self.standing == Standing::Enrolled && work.batch;
        lane(&self.live, live_waits)
            .min(lane(&self.backlog, backlog_waits))
            .min(due(self.status_due, true))
            .min(due(self.enrolment_due, self.enrolment_wanted))
    }

    /// Gives up requests that took too long. An answer to them is no longer taken.
    pub fn expire(&mut self, now: UptimeMillis, random: u32) {
        for lane in [Lane::Live, Lane::Backlog] {
            let late = |(_, since): (Request, UptimeMillis)| now.since(since) >= REQUEST_TIMEOUT_MS;
            if self.lane(lane).under_way.is_some_and(late) {
                self.refused(
                    lane,
                    Refusal::Unavailable {
                        retry_after_ms: None,
                    },
                    now,
                    random,
                );
            }
        }
    }

    /// Says that the request on `lane` was done, and gives which one that was.
    pub fn done(&mut self, lane: Lane) -> Option<Request> {
        let state = self.lane(lane);
        let (request, _) = state.under_way.take()?;
        state.failures_in_a_row = 0;
        match request {
            Request::Announce => self.standing = Standing::Waiting,
            Request::Enrolment => {
                self.standing = Standing::Enrolled;
                self.enrolment_wanted = false;
            }
            Request::Acceptance | Request::Reading | Request::Status | Request::Batch => {}
        }
        Some(request)
    }

    /// Says that the request on `lane` was not done, and gives which one that was.
    pub fn refused(
        &mut self,
        lane: Lane,
        refusal: Refusal,
        now: UptimeMillis,
        random: u32,
    ) -> Option<Request> {
        let (request, _) = self.lane(lane).under_way.take()?;
        self.failures = self.failures.saturating_add(1);
        match refusal {
            Refusal::UnknownMeter => self.standing = Standing::Unknown,
            Refusal::Waiting => self.standing = Standing::Waiting,
            Refusal::Revoked => self.standing = Standing::Revoked,
            // The enrolment in force still holds: readings do not wait for another one.
            Refusal::Content | Refusal::Unavailable { .. }
                if request == Request::Enrolment && self.standing == Standing::Enrolled =>
            {
                let spread = u64::from(random) % (ENROLMENT_EVERY_MS / 2);
                self.enrolment_due = after(now, ENROLMENT_EVERY_MS + spread);
                return Some(request);
            }
            Refusal::Content | Refusal::Unavailable { .. } => {}
        }
        if request == Request::Status && refusal != Refusal::Content {
            // It did not arrive; how the meter is doing is of more interest now, not of less.
            self.status_due = now;
        }
        let state = self.lane(lane);
        match refusal {
            Refusal::Waiting => state.wait(now, APPROVAL_POLL_MS),
            Refusal::Unavailable {
                retry_after_ms: Some(wait_ms),
            } => {
                state.back_off(now, random);
                state.not_before = state.not_before.max(after(now, wait_ms));
            }
            // A reading that is not taken must not hold back the next one.
            Refusal::Content if request == Request::Reading => {}
            _ => state.back_off(now, random),
        }
        Some(request)
    }

    /// Says that the gateway has another enrolment than the one in force.
    pub fn want_enrolment(&mut self) {
        self.enrolment_wanted = true;
    }

    /// Asks nothing more in this boot, and takes no answer to what is under way.
    pub fn close(&mut self) {
        self.closed = true;
        self.live.under_way = None;
        self.backlog.under_way = None;
    }

    fn lane(&mut self, lane: Lane) -> &mut LaneState {
        match lane {
            Lane::Live => &mut self.live,
            Lane::Backlog => &mut self.backlog,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Work = Work {
        reading: false,
        batch: false,
        acceptance: false,
    };
    const ALL: Work = Work {
        reading: true,
        batch: true,
        acceptance: true,
    };
    const UNAVAILABLE: Refusal = Refusal::Unavailable {
        retry_after_ms: None,
    };

    fn at(ms: u64) -> UptimeMillis {
        UptimeMillis::new(ms).unwrap()
    }

    #[test]
    fn a_new_meter_announces_itself_and_then_asks_for_its_enrolment() {
        let mut uplink = Uplink::new(false);
        assert_eq!(uplink.next(at(0), ALL), Some(Request::Announce));
        uplink.done(Lane::Live);
        assert_eq!(uplink.next(at(0), ALL), Some(Request::Enrolment));
        uplink.refused(Lane::Live, Refusal::Waiting, at(0), 0);
        assert_eq!(uplink.next(at(APPROVAL_POLL_MS - 1), ALL), None);
        assert_eq!(
            uplink.next(at(APPROVAL_POLL_MS), ALL),
            Some(Request::Enrolment)
        );
        uplink.done(Lane::Live);
        assert_eq!(uplink.standing(), Standing::Enrolled);
    }

    #[test]
    fn nothing_that_was_measured_is_sent_before_there_is_an_enrolment() {
        let mut uplink = Uplink::new(false);
        uplink.next(at(0), ALL);
        assert_eq!(uplink.next(at(0), ALL), None);
    }

    #[test]
    fn a_live_reading_goes_out_while_a_backlog_is_under_way() {
        let mut uplink = Uplink::new(true);
        let backlog = Work {
            batch: true,
            ..NOTHING
        };
        uplink.status_due = UptimeMillis::MAX;
        assert_eq!(uplink.next(at(0), backlog), Some(Request::Batch));
        assert_eq!(uplink.next(at(1), ALL), Some(Request::Reading));
    }

    #[test]
    fn the_wait_doubles_with_every_failure_up_to_its_limit() {
        let mut uplink = Uplink::new(true);
        let mut now = at(0);
        let mut waits = std::vec::Vec::new();
        for _ in 0..7 {
            assert_eq!(uplink.next(now, ALL), Some(Request::Reading));
            uplink.refused(Lane::Live, UNAVAILABLE, now, 0);
            waits.push(uplink.live.not_before.since(now));
            now = uplink.live.not_before;
        }
        assert_eq!(
            waits,
            [2_500, 5_000, 10_000, 20_000, 40_000, 60_000, 60_000]
        );
    }

    #[test]
    fn meters_that_failed_together_come_back_apart() {
        let wait = |random| {
            let mut uplink = Uplink::new(true);
            uplink.next(at(0), ALL);
            uplink.refused(Lane::Live, UNAVAILABLE, at(0), random);
            uplink.live.not_before
        };
        assert_eq!(wait(0), at(2_500));
        assert_eq!(wait(2_499), at(4_999));
    }

    #[test]
    fn the_gateways_own_wait_is_kept() {
        let mut uplink = Uplink::new(true);
        uplink.next(at(0), ALL);
        let refusal = Refusal::Unavailable {
            retry_after_ms: Some(90_000),
        };
        uplink.refused(Lane::Live, refusal, at(0), 0);
        assert_eq!(uplink.live.not_before, at(90_000));
    }

    #[test]
    fn a_request_that_takes_too_long_is_given_up_and_its_answer_not_taken() {
        let mut uplink = Uplink::new(true);
        uplink.next(at(0), ALL);
        uplink.expire(at(REQUEST_TIMEOUT_MS - 1), 0);
        assert!(uplink.under_way(Lane::Live).is_some());
        uplink.expire(at(REQUEST_TIMEOUT_MS), 0);
        assert_eq!(uplink.under_way(Lane::Live), None);
        assert_eq!(uplink.done(Lane::Live), None);
    }

    #[test]
    fn a_refused_reading_does_not_hold_back_the_next() {
        let mut uplink = Uplink::new(true);
        uplink.next(at(0), ALL);
        uplink.refused(Lane::Live, Refusal::Content, at(0), 0);
        assert_eq!(uplink.next(at(0), ALL), Some(Request::Reading));
    }

    #[test]
    fn a_gateway_that_forgot_the_meter_is_told_again() {
        let mut uplink = Uplink::new(true);
        uplink.next(at(0), ALL);
        uplink.refused(Lane::Live, Refusal::UnknownMeter, at(0), 0);
        assert_eq!(uplink.next(at(5_000), ALL), Some(Request::Announce));
    }

    #[test]
    fn an_enrolment_that_is_not_taken_is_asked_for_minutes_later_and_the_live_lane_goes_on() {
        let mut uplink = Uplink::new(true);
        uplink.status_due = UptimeMillis::MAX;
        uplink.want_enrolment();
        assert_eq!(uplink.next(at(0), NOTHING), Some(Request::Enrolment));
        uplink.refused(Lane::Live, UNAVAILABLE, at(100), 7);
        assert_eq!(uplink.next(at(100), ALL), Some(Request::Reading));
        uplink.done(Lane::Live);
        // The answer to every reading names the enrolment that was not taken.
        uplink.want_enrolment();
        let due = at(100 + ENROLMENT_EVERY_MS + 7);
        assert_eq!(uplink.deadline(NOTHING), due);
        assert_eq!(uplink.next(at(due.get() - 1), NOTHING), None);
        assert_eq!(uplink.next(due, NOTHING), Some(Request::Enrolment));
    }

    #[test]
    fn a_status_report_that_did_not_arrive_is_due_again_after_the_back_off() {
        let mut uplink = Uplink::new(true);
        assert_eq!(uplink.next(at(0), NOTHING), Some(Request::Status));
        uplink.refused(Lane::Live, UNAVAILABLE, at(0), 0);
        assert_eq!(uplink.deadline(NOTHING), at(2_500));
        assert_eq!(uplink.next(at(2_500), NOTHING), Some(Request::Status));
        uplink.refused(Lane::Live, Refusal::Content, at(2_500), 0);
        assert_eq!(uplink.deadline(NOTHING), at(2_500 + STATUS_EVERY_MS));
    }

    #[test]
    fn meters_that_do_not_take_an_enrolment_ask_again_apart() {
        let wait = |random| {
            let mut uplink = Uplink::new(true);
            uplink.want_enrolment();
            uplink.next(at(0), NOTHING);
            uplink.refused(Lane::Live, UNAVAILABLE, at(0), random);
            uplink.enrolment_due
        };
        assert_eq!(wait(0), at(ENROLMENT_EVERY_MS));
        assert_eq!(wait(149_999), at(ENROLMENT_EVERY_MS + 149_999));
    }

    #[test]
    fn a_closed_uplink_asks_nothing_more_and_takes_no_answer() {
        for enrolled in [false, true] {
            let mut uplink = Uplink::new(enrolled);
            uplink.next(at(0), ALL);
            uplink.next(at(0), ALL);
            uplink.close();
            assert_eq!(uplink.done(Lane::Live), None);
            assert_eq!(uplink.done(Lane::Backlog), None);
            assert_eq!(uplink.next(at(STATUS_EVERY_MS), ALL), None);
            assert_eq!(uplink.deadline(ALL), UptimeMillis::MAX);
        }
    }

    #[test]
    fn the_deadline_is_when_there_is_something_to_do() {
        let mut uplink = Uplink::new(true);
        assert_eq!(uplink.next(at(0), NOTHING), Some(Request::Status));
        assert_eq!(uplink.deadline(NOTHING), at(REQUEST_TIMEOUT_MS));
        uplink.done(Lane::Live);
        assert_eq!(uplink.deadline(NOTHING), at(STATUS_EVERY_MS));
        uplink.next(at(10), ALL);
        uplink.refused(Lane::Live, UNAVAILABLE, at(10), 0);
        assert_eq!(
            uplink.deadline(Work {
                reading: true,
                ..NOTHING
            }),
            at(2_510)
        );
    }
}
