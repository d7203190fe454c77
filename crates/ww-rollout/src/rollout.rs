//! The rollout itself: every call brings the time and one fact, and gives what changed. It looks at the
//! one member that the fact is about and at the waves, of which there are few: a call costs the same
//! however large the fleet is.

use std::collections::BTreeSet;

use ww_wire::{Boot, MeterId, UpdateOutcome, UpdateReport};

use crate::course::{Course, HaltCause, State, Status, Step, WaveCourse};
use crate::decision::{Decision, Door, Why};
use crate::event::{Changes, Event};
use crate::member::{Asked, DeviceState, Member, Progress, Standing, Verdict};
use crate::members::Members;
use crate::plan::{Plan, PlanError, Prior};

/// Why an operator's word is not carried out; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is over.
    #[error("the rollout is over")]
    Ended,
    /// It does not run.
    #[error("the rollout does not run")]
    NotRunning,
    /// It runs.
    #[error("the rollout is neither paused nor halted")]
    NotStopped,
    /// The release is withdrawn already.
    #[error("the release is withdrawn already")]
    WithdrawnAlready,
    /// The meter is not a member.
    #[error("meter {0} is not in this rollout")]
    NotAMember(MeterId),
    /// The meter has not failed.
    #[error("meter {0} has not failed")]
    NotFailed(MeterId),
}

/// How many members of a wave are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    size: u32,
    confirmed: u32,
    /// By their own evidence.
    failed: u32,
    /// Undecided, with a deadline of their own that has not come.
    retrying: u32,
}

impl Tally {
    const fn undecided(self) -> u32 {
        self.size - self.confirmed - self.failed
    }
}

/// A wave, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaveView {
    /// Its number, counted from 1.
    pub number: u32,
    /// So many devices.
    pub size: u32,
    /// Whether it has started.
    pub started: bool,
    /// So many are confirmed.
    pub confirmed: u32,
    /// So many have failed by their own evidence.
    pub failed: u32,
    /// So many are past their deadline; they count as failed too.
    pub overdue: u32,
    /// So many are undecided, and their deadline is ahead or their wave has not started.
    pub undecided: u32,
    /// So many failures count no more.
    pub excused: u32,
    /// When its devices are to be done, in milliseconds since the epoch; absent before it starts and while
    /// the rollout's clock stands still.
    pub deadline_ms: Option<u64>,
}

/// A member, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberView {
    /// Who.
    pub meter: MeterId,
    /// Its wave, counted from 1.
    pub wave: u32,
    /// What counts of it.
    pub standing: Standing,
    /// How far it last said it was.
    pub progress: Option<Progress>,
    /// How many times an operator told it to try again.
    pub retries: u32,
}

/// A release on its way over a fleet.
#[derive(Clone, Debug)]
pub struct Rollout {
    plan: Plan,
    members: Members,
    /// Where each wave ends in the order of the members.
    ends: Vec<u32>,
    course: Course,
    /// Follows from the members: one for each wave.
    tallies: Vec<Tally>,
    /// Follows from the members: deadlines of their own that have not come, on the rollout's clock.
    own_deadlines: BTreeSet<(u64, u32)>,
}

impl Rollout {
    /// Starts the first wave. `members` are in the order in which they are to be updated; see
    /// [`crate::group`].
    ///
    /// # Errors
    /// Any [`PlanError`].
    pub fn new(
        plan: Plan,
        members: Vec<MeterId>,
        now_ms: u64,
    ) -> Result<(Self, Changes), PlanError> {
        let course = Course {
            status: Status::Active,
            step: Step::Running,
            since_ms: now_ms,
            stopped_ms: 0,
            waves: Vec::new(),
        };
        let mut rollout = Self::with_course(plan, members, course)?;
        let mut call = Call::default();
        rollout.start_wave(now_ms, &mut call);
        let changes = rollout.finish(now_ms, call);
        Ok((rollout, changes))
    }

    /// A rollout of whose members nothing is known.
    pub(crate) fn with_course(
        plan: Plan,
        members: Vec<MeterId>,
        course: Course,
    ) -> Result<Self, PlanError> {
        let ends = plan.wave_ends(members.len())?;
        let starts = [0].into_iter().chain(ends.iter().copied());
        let tallies = starts.zip(&ends).map(|(start, end)| Tally {
            size: end - start,
            ..Tally::default()
        });
        Ok(Self {
            tallies: tallies.collect(),
            members: Members::new(members)?,
            plan,
            ends,
            course,
            own_deadlines: BTreeSet::new(),
        })
    }

    /// What was planned.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The row that changes.
    #[must_use]
    pub const fn course(&self) -> &Course {
        &self.course
    }

    /// Where it is, for people.
    #[must_use]
    pub fn state(&self) -> State {
        let wave = self.course.waves.len() as u32;
        match self.course.status {
            Status::Active => match self.course.step {
                Step::Running => State::Running { wave },
                Step::Soaking { until_ms } => State::Soaking {
                    wave,
                    until_ms: until_ms.saturating_add(self.course.stopped_ms),
                },
                Step::Finishing => State::Finishing,
            },
            Status::Paused => State::Paused,
            Status::Halted(cause) => State::Halted(cause),
            Status::Completed => State::Completed,
            Status::Aborted => State::Aborted,
            Status::Withdrawn { prior } => State::Withdrawn {
                reassigned: prior.is_some(),
            },
        }
    }

    /// All its waves, for people.
    pub fn waves(&self) -> impl Iterator<Item = WaveView> {
        self.tallies.iter().enumerate().map(|(wave, tally)| {
            let course = self.course.waves.get(wave);
            let overdue = self.overdue(wave);
            WaveView {
                number: wave as u32 + 1,
                size: tally.size,
                started: course.is_some(),
                confirmed: tally.confirmed,
                failed: tally.failed,
                overdue,
                undecided: tally.undecided() - overdue,
                excused: course.map_or(0, |course| course.excused),
                deadline_ms: course
                    .filter(|_| self.course.status == Status::Active)
                    .map(|course| course.deadline_ms.saturating_add(self.course.stopped_ms)),
            }
        })
    }

    /// Its members in their order.
    #[must_use]
    pub fn meters(&self) -> &[MeterId] {
        self.members.order()
    }

    /// One member, for people.
    #[must_use]
    pub fn member(&self, meter: MeterId) -> Option<MemberView> {
        let place = self.members.place(meter)?;
        let row = self.members.row(place);
        Some(MemberView {
            meter,
            wave: self.wave_of(place) as u32 + 1,
            standing: self.standing(place, &row),
            progress: row.progress(),
            retries: row.retries(),
        })
    }

    /// The row of a member, for a store.
    #[must_use]
    pub fn row(&self, meter: MeterId) -> Option<Member> {
        self.members
            .place(meter)
            .map(|place| self.members.row(place))
    }

    /// When to call [`Rollout::tick`] next, in milliseconds since the epoch: nothing changes by itself before
    /// that. Absent when nothing changes by itself at all.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        if self.course.status != Status::Active {
            return None;
        }
        let soaked = match self.course.step {
            Step::Soaking { until_ms } => Some(until_ms),
            Step::Running | Step::Finishing => None,
        };
        let waves = self.course.waves.iter().zip(&self.tallies);
        let deadlines = waves
            .filter(|(wave, tally)| !wave.expired && tally.undecided() > 0)
            .map(|(wave, _)| wave.deadline_ms);
        let own = self.own_deadlines.first().map(|(deadline, _)| *deadline);
        let next = deadlines.chain(soaked).chain(own).min()?;
        Some(next.saturating_add(self.course.stopped_ms))
    }

    /// Time has passed.
    pub fn tick(&mut self, now_ms: u64) -> Changes {
        self.finish(now_ms, Call::default())
    }

    /// A device asks, and its proof held. `utc_offset_s` is how many seconds its site's local time is ahead
    /// of UTC now.
    pub fn asked(
        &mut self,
        now_ms: u64,
        meter: MeterId,
        asked: &Asked,
        door: Door,
        utc_offset_s: i32,
    ) -> (Decision, Changes) {
        let Some(place) = self.members.place(meter) else {
            return (Decision::Hold(Why::NotAMember), self.tick(now_ms));
        };
        let mut call = Call::default();
        let row = self.members.row(place);
        let heard = row.with_question(asked, self.plan.release, self.plan.payload);
        self.put(place, heard, &mut call);
        let changes = self.finish(now_ms, call);
        let decision = self.decide(now_ms, place, asked, door, utc_offset_s);
        (decision, changes)
    }

    /// A device's signed report, verified. One about another release changes nothing.
    pub fn reported(&mut self, now_ms: u64, report: &UpdateReport) -> Changes {
        let confirms_another =
            report.outcome == UpdateOutcome::Confirmed && report.payload != self.plan.payload;
        let mut call = Call::default();
        if let Some(place) = self.members.place(report.meter)
            && report.release == self.plan.release
            && !confirms_another
        {
            let row = self.members.row(place).with_report(report);
            self.put(place, row, &mut call);
        }
        self.finish(now_ms, call)
    }

    /// A meter's signed Boot record, verified. Once the rollout is over, only one that names its payload
    /// changes anything: another release may follow.
    pub fn booted(&mut self, now_ms: u64, boot: &Boot) -> Changes {
        let ours = boot.firmware == self.plan.payload;
        let mut call = Call::default();
        if let Some(place) = self.members.place(boot.meter)
            && (ours || !self.course.status.is_end())
        {
            let row = self.members.row(place).with_boot(boot, self.plan.payload);
            self.put(place, row, &mut call);
        }
        self.finish(now_ms, call)
    }

    /// An operator pauses it. If time has halted it until now, it stays halted.
    ///
    /// # Errors
    /// [`Refusal::NotRunning`], [`Refusal::Ended`].
    pub fn pause(&mut self, now_ms: u64) -> Result<Changes, Refusal> {
        match self.course.status {
            Status::Active => Ok(self.stop(now_ms, Status::Paused, Event::Paused)),
            status if status.is_end() => Err(Refusal::Ended),
            _ => Err(Refusal::NotRunning),
        }
    }

    /// An operator lets it go on. After a halt, what has failed so far counts no more: it halts again only
    /// for what fails after this, or when nobody is left in a wave who could be confirmed.
    ///
    /// # Errors
    /// [`Refusal::NotStopped`], [`Refusal::Ended`].
    pub fn resume(&mut self, now_ms: u64) -> Result<Changes, Refusal> {
        match self.course.status {
            Status::Active => return Err(Refusal::NotStopped),
            Status::Paused => {}
            Status::Halted(_) => {
                for wave in 0..self.course.waves.len() {
                    self.course.waves[wave].excused = self.all_failed(wave);
                }
            }
            _ => return Err(Refusal::Ended),
        }
        let stood_ms = now_ms.saturating_sub(self.course.since_ms);
        self.course.stopped_ms = self.course.stopped_ms.saturating_add(stood_ms);
        self.course.status = Status::Active;
        self.course.since_ms = now_ms;
        let mut call = Call::default();
        call.turn(Event::Resumed);
        Ok(self.finish(now_ms, call))
    }

    /// An operator ends it: nobody fetches or starts the release any more. Who has it keeps it.
    ///
    /// # Errors
    /// [`Refusal::Ended`].
    pub fn abort(&mut self, now_ms: u64) -> Result<Changes, Refusal> {
        if self.course.status.is_end() {
            return Err(Refusal::Ended);
        }
        Ok(self.stop(now_ms, Status::Aborted, Event::Aborted))
    }

    /// An operator withdraws the release, even when the rollout is over. Those who run it go back to `prior`,
    /// all at once but in their windows, if its security counter is not below that of the release: a device
    /// that confirmed the release takes none below.
    ///
    /// # Errors
    /// [`Refusal::WithdrawnAlready`].
    pub fn withdraw(&mut self, now_ms: u64, prior: Option<Prior>) -> Result<Changes, Refusal> {
        if matches!(self.course.status, Status::Withdrawn { .. }) {
            return Err(Refusal::WithdrawnAlready);
        }
        let prior = prior.filter(|prior| prior.security_counter >= self.plan.security_counter);
        let reassigned = prior.is_some();
        let status = Status::Withdrawn { prior };
        Ok(self.stop(now_ms, status, Event::Withdrawn { reassigned }))
    }

    /// An operator tells a member that failed to try again, with a deadline of its own. What it said before
    /// counts no more.
    ///
    /// # Errors
    /// [`Refusal::Ended`], [`Refusal::NotAMember`], [`Refusal::NotFailed`].
    pub fn retry(&mut self, now_ms: u64, meter: MeterId) -> Result<Changes, Refusal> {
        if self.course.status.is_end() {
            return Err(Refusal::Ended);
        }
        let place = self.members.place(meter);
        let place = place.ok_or(Refusal::NotAMember(meter))?;
        let row = self.members.row(place);
        match self.standing(place, &row) {
            Standing::Failed(_) | Standing::Overdue { .. } => {}
            _ => return Err(Refusal::NotFailed(meter)),
        }
        let own = self.clock_ms(now_ms).saturating_add(self.plan.deadline_ms);
        let wave = self.course.waves.get(self.wave_of(place));
        let deadline_ms = wave.map(|wave| own.max(wave.deadline_ms));
        let mut call = Call::default();
        call.events.push(Event::Retried(meter));
        self.put(place, row.with_retry(deadline_ms), &mut call);
        Ok(self.finish(now_ms, call))
    }

    /// What a member may do. It looks at nothing but this member and its wave.
    fn decide(
        &self,
        now_ms: u64,
        place: u32,
        asked: &Asked,
        door: Door,
        utc_offset_s: i32,
    ) -> Decision {
        if let Err(why) = self.may_go_on(place, asked) {
            return Decision::Hold(why);
        }
        let release = match self.course.status {
            Status::Withdrawn { prior: Some(prior) } => prior.release,
            _ => self.plan.release,
        };
        if door == Door::Check {
            return Decision::Fetch(release);
        }
        if asked.state != DeviceState::Staged || asked.release != Some(release) {
            return Decision::Hold(Why::NothingStaged);
        }
        match self.plan.window {
            Some(window) if !window.is_open(now_ms, utc_offset_s) => {
                let opens_ms = window.opens_ms(now_ms, utc_offset_s);
                Decision::Hold(Why::WindowClosed { opens_ms })
            }
            _ => Decision::Arm(release),
        }
    }

    fn may_go_on(&self, place: u32, asked: &Asked) -> Result<(), Why> {
        match self.course.status {
            Status::Active => {}
            Status::Paused => return Err(Why::Paused),
            Status::Halted(cause) => return Err(Why::Halted(cause)),
            Status::Completed => return Err(Why::Completed),
            Status::Aborted => return Err(Why::Aborted),
            Status::Withdrawn { prior } => return self.may_go_back(prior, asked),
        }
        let (row, wave) = (self.members.row(place), self.wave_of(place));
        match row.verdict() {
            Verdict::Confirmed => return Err(Why::Confirmed),
            Verdict::Failed(failure) => return Err(Why::Failed(failure)),
            Verdict::Undecided => {}
        }
        if asked.running == self.plan.payload {
            return Err(Why::RunsIt);
        }
        if wave >= self.course.waves.len() {
            let wave = wave as u32 + 1;
            return Err(Why::BeforeItsWave { wave });
        }
        let at_it = asked.release == Some(self.plan.release);
        if at_it && asked.state == DeviceState::RolledBack && !row.may_try_again() {
            return Err(Why::SaysRolledBack);
        }
        Ok(())
    }

    /// Whether a device that has the withdrawn release may go back to the one before.
    fn may_go_back(&self, prior: Option<Prior>, asked: &Asked) -> Result<(), Why> {
        let prior = prior.ok_or(Why::Withdrawn)?;
        let has_it = asked.running == self.plan.payload && asked.state != DeviceState::Trial;
        if !has_it || prior.payload == self.plan.payload {
            return Err(Why::Withdrawn);
        }
        if asked.security_counter > prior.security_counter {
            return Err(Why::CounterTooLow);
        }
        if asked.state == DeviceState::RolledBack && asked.release == Some(prior.release) {
            return Err(Why::SaysRolledBack);
        }
        Ok(())
    }

    /// The rollout's clock: the time without what it stood still.
    fn clock_ms(&self, now_ms: u64) -> u64 {
        let at_ms = match self.course.status {
            Status::Active => now_ms,
            _ => self.course.since_ms,
        };
        at_ms.saturating_sub(self.course.stopped_ms)
    }

    fn wave_of(&self, place: u32) -> usize {
        self.ends.partition_point(|end| *end <= place)
    }

    fn overdue(&self, wave: usize) -> u32 {
        let tally = self.tallies[wave];
        match self.course.waves.get(wave) {
            Some(course) if course.expired => tally.undecided() - tally.retrying,
            _ => 0,
        }
    }

    fn all_failed(&self, wave: usize) -> u32 {
        self.tallies[wave].failed + self.overdue(wave)
    }

    fn standing(&self, place: u32, row: &Member) -> Standing {
        match row.verdict() {
            Verdict::Confirmed => return Standing::Confirmed,
            Verdict::Failed(failure) => return Standing::Failed(failure),
            Verdict::Undecided => {}
        }
        match self.course.waves.get(self.wave_of(place)) {
            None => Standing::Waiting,
            Some(wave) if wave.expired && row.waits_until().is_none() => Standing::Overdue {
                heard: row.progress().is_some(),
            },
            Some(_) => Standing::Pending,
        }
    }

    /// Counts a member in (or out again).
    pub(crate) fn count(&mut self, place: u32, row: &Member, in_not_out: bool) {
        let wave = self.wave_of(place);
        let tally = &mut self.tallies[wave];
        let add = |number: &mut u32| match in_not_out {
            true => *number += 1,
            false => *number -= 1,
        };
        match row.verdict() {
            Verdict::Confirmed => add(&mut tally.confirmed),
            Verdict::Failed(_) => add(&mut tally.failed),
            Verdict::Undecided => {}
        }
        let Some(deadline_ms) = row.waits_until() else {
            return;
        };
        add(&mut tally.retrying);
        match in_not_out {
            true => self.own_deadlines.insert((deadline_ms, place)),
            false => self.own_deadlines.remove(&(deadline_ms, place)),
        };
    }

    /// Loads the row of a member.
    pub(crate) fn load(&mut self, meter: MeterId, row: Member) -> bool {
        let Some(place) = self.members.place(meter) else {
            return false;
        };
        let before = self.members.row(place);
        self.count(place, &before, false);
        self.count(place, &row, true);
        self.members.set(place, row);
        true
    }

    /// Puts what is known of a member in the place of what was.
    fn put(&mut self, place: u32, row: Member, call: &mut Call) {
        let before = self.members.row(place);
        if row == before {
            return;
        }
        let stood = self.standing(place, &before);
        self.count(place, &before, false);
        self.count(place, &row, true);
        self.members.set(place, row);
        call.members.insert(place);
        let stands = self.standing(place, &row);
        if stands != stood {
            let meter = self.members.meter(place);
            call.events.push(Event::Member(meter, stands));
        }
        // Who is confirmed or tries again has not failed, so there is less to excuse.
        let wave = self.wave_of(place);
        let failed = self.all_failed(wave);
        if let Some(course) = self.course.waves.get_mut(wave)
            && course.excused > failed
        {
            course.excused = failed;
            call.turned = true;
        }
    }

    /// Brings the rollout to `now_ms`, then enters another status by an operator's word, unless it came to an
    /// end by itself (or, for a pause, halted) in that time.
    fn stop(&mut self, now_ms: u64, status: Status, event: Event) -> Changes {
        let mut call = Call::default();
        self.advance(now_ms, &mut call);
        let still = match status {
            Status::Paused => self.course.status == Status::Active,
            Status::Withdrawn { .. } => true,
            _ => !self.course.status.is_end(),
        };
        if still {
            self.enter(now_ms, status, event, &mut call);
        }
        self.finish(now_ms, call)
    }

    fn enter(&mut self, now_ms: u64, status: Status, event: Event, call: &mut Call) {
        self.course.status = status;
        self.course.since_ms = now_ms;
        call.turn(event);
    }

    fn finish(&mut self, now_ms: u64, mut call: Call) -> Changes {
        self.advance(now_ms, &mut call);
        let members = call.members.iter().map(|place| {
            let meter = self.members.meter(*place);
            (meter, self.members.row(*place))
        });
        Changes {
            members: members.collect(),
            course: call.turned.then(|| self.course.clone()),
            events: call.events,
        }
    }

    /// Goes as far as time and evidence allow. Each turn of the loop enters another step or ends it, so there
    /// are at most three for each wave.
    fn advance(&mut self, now_ms: u64, call: &mut Call) {
        while self.course.status == Status::Active {
            let clock_ms = self.clock_ms(now_ms);
            self.pass_deadlines(clock_ms, call);
            if let Some(cause) = self.cause_to_halt() {
                self.enter(now_ms, Status::Halted(cause), Event::Halted(cause), call);
                return;
            }
            match self.course.step {
                Step::Running => {
                    let wave = self.course.waves.len() - 1;
                    if !self.has_succeeded(wave) {
                        return;
                    }
                    let until_ms = clock_ms.saturating_add(self.plan.soak_ms);
                    self.course.step = Step::Soaking { until_ms };
                    let Tally {
                        size, confirmed, ..
                    } = self.tallies[wave];
                    call.turn(Event::WaveSucceeded {
                        wave: wave as u32 + 1,
                        confirmed,
                        size,
                    });
                }
                Step::Soaking { until_ms } if clock_ms < until_ms => return,
                Step::Soaking { .. } if self.course.waves.len() < self.ends.len() => {
                    self.start_wave(now_ms, call);
                }
                Step::Soaking { .. } => {
                    self.course.step = Step::Finishing;
                    call.turn(Event::Finishing);
                }
                Step::Finishing => {
                    let waited_for =
                        |wave: usize| self.tallies[wave].undecided() > self.overdue(wave);
                    if (0..self.tallies.len()).any(waited_for) {
                        return;
                    }
                    self.enter(now_ms, Status::Completed, Event::Completed, call);
                }
            }
        }
    }

    fn start_wave(&mut self, now_ms: u64, call: &mut Call) {
        let deadline_ms = self.clock_ms(now_ms).saturating_add(self.plan.deadline_ms);
        self.course.waves.push(WaveCourse {
            deadline_ms,
            expired: false,
            excused: 0,
        });
        self.course.step = Step::Running;
        let wave = self.course.waves.len();
        call.turn(Event::WaveStarted {
            wave: wave as u32,
            size: self.tallies[wave - 1].size,
        });
    }

    fn pass_deadlines(&mut self, clock_ms: u64, call: &mut Call) {
        for (wave, tally) in self.course.waves.iter_mut().zip(&self.tallies) {
            if !wave.expired && tally.undecided() > 0 && clock_ms >= wave.deadline_ms {
                wave.expired = true;
                call.turned = true;
            }
        }
        while let Some(&(deadline_ms, place)) = self.own_deadlines.first()
            && clock_ms >= deadline_ms
        {
            let row = self.members.row(place).with_deadline_passed();
            self.put(place, row, call);
        }
    }

    /// So many failures of a wave count, of so many devices that count.
    fn counting(&self, wave: usize) -> (u32, u32) {
        let excused = self.course.waves[wave].excused;
        let failed = self.all_failed(wave).saturating_sub(excused);
        (failed, self.tallies[wave].size - excused)
    }

    /// Asked of a wave that counts somebody: one that counts nobody has halted the rollout before.
    fn has_succeeded(&self, wave: usize) -> bool {
        let (_, of) = self.counting(wave);
        let confirmed = self.tallies[wave].confirmed;
        (self.plan.success_percent).is_reached(confirmed.into(), of.into())
    }

    fn cause_to_halt(&self) -> Option<HaltCause> {
        let limit = self.plan.error_percent;
        let minimum = self.plan.error_minimum.max(1);
        for wave in 0..self.course.waves.len() {
            let (failed, of) = self.counting(wave);
            if failed >= minimum && limit.is_reached(failed.into(), of.into()) {
                let wave = wave as u32 + 1;
                return Some(HaltCause::TooManyFailures {
                    wave,
                    failed,
                    of,
                    limit,
                });
            }
        }
        if self.course.step != Step::Running {
            return None;
        }
        let newest = self.course.waves.len() - 1;
        let (failed, of) = self.counting(newest);
        let (needed, wave) = (self.plan.success_percent, newest as u32 + 1);
        if of == 0 {
            return Some(HaltCause::NobodyLeft { wave });
        }
        let in_reach = needed.is_reached((of - failed).into(), of.into());
        (!in_reach).then_some(HaltCause::OutOfReach {
            wave,
            failed,
            of,
            needed,
        })
    }
}

/// What one call has changed so far.
#[derive(Debug, Default)]
struct Call {
    members: BTreeSet<u32>,
    turned: bool,
    events: Vec<Event>,
}

impl Call {
    /// Something happened that changes the row of the rollout.
    fn turn(&mut self, event: Event) {
        self.turned = true;
        self.events.push(event);
    }
}

#[cfg(test)]
mod tests {
    use ww_wire::{BootCounter, Hash, SignerId, TimeQuality, UpdateObstacle, UptimeMillis};

    use super::*;
    use crate::plan::{Percent, RolloutId, WaveSize};

    const DEADLINE_MS: u64 = 1000;

    fn meter(place: usize) -> MeterId {
        SignerId(Hash::of(&[&place.to_be_bytes()]).0)
    }

    /// All members in one wave; a tenth of them may not fail.
    fn fleet(members: usize) -> Rollout {
        let percent = |share| Percent::new(share).unwrap();
        let plan = Plan {
            id: RolloutId([0; 16]),
            release: Hash([1; 32]),
            payload: Hash([2; 32]),
            security_counter: 1,
            waves: vec![WaveSize::Percent(percent(100))],
            success_percent: percent(90),
            error_percent: percent(10),
            error_minimum: 1,
            soak_ms: 0,
            deadline_ms: DEADLINE_MS,
            window: None,
        };
        let members = (0..members).map(meter).collect();
        let (rollout, _) = Rollout::new(plan, members, 0).unwrap();
        rollout
    }

    fn failure(place: usize) -> UpdateReport {
        UpdateReport {
            meter: meter(place),
            boot: BootCounter::new(2).unwrap(),
            time: None,
            uptime: UptimeMillis::ZERO,
            time_quality: TimeQuality::Unknown,
            release: Hash([1; 32]),
            payload: Hash([2; 32]),
            running: Hash([3; 32]),
            root_number: 1,
            security_counter: 1,
            outcome: UpdateOutcome::RolledBack,
            obstacle: UpdateObstacle::Crashes,
        }
    }

    /// How many members a call looks at.
    fn looks(rollout: &mut Rollout, call: impl FnOnce(&mut Rollout) -> Changes) -> (u64, Changes) {
        rollout.members.looks.set(0);
        let changes = call(rollout);
        (rollout.members.looks.get(), changes)
    }

    #[test]
    fn the_report_that_halts_a_fleet_of_100_000_looks_three_times_at_one_member() {
        for members in [10, 100_000] {
            let mut rollout = fleet(members);
            let limit = members / 10;
            for place in 0..limit - 1 {
                let _stored = rollout.reported(0, &failure(place));
            }
            assert_eq!(rollout.course.status, Status::Active);
            let last = failure(limit - 1);
            let (looks, changes) = looks(&mut rollout, |rollout| rollout.reported(0, &last));
            assert!(matches!(rollout.course.status, Status::Halted(_)));
            assert_eq!((looks, changes.members.len()), (3, 1), "{members} members");
        }
    }

    #[test]
    fn the_deadline_of_a_silent_fleet_of_100_000_looks_at_no_member() {
        let mut rollout = fleet(100_000);
        let (looks, changes) = looks(&mut rollout, |rollout| rollout.tick(DEADLINE_MS));
        assert!(matches!(rollout.course.status, Status::Halted(_)));
        assert_eq!((looks, changes.members.len()), (0, 0));
    }

    #[test]
    fn rows_are_small() {
        let mut rollout = fleet(1);
        let changes = rollout.reported(0, &failure(0));
        let (_, row) = changes.members[0];
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(
            text,
            r#"{"told":{"at":{"boot":2,"uptime_ms":0},"failure":{"rolled-back":17}}}"#
        );
        let course = serde_json::to_string(&changes.course).unwrap();
        assert!(course.len() < 300, "{course}");
    }
}
