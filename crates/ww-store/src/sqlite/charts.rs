//! Charts and totals in SQL, from the rollups: but for where a meter takes over from another, no
//! reading is touched.

use rusqlite::{Connection, params};
use ww_wire::{MilliwattHours, UtcMillis};

use super::failure::{Failure, Result};
use super::lookup::{Owner, first_from, owner, point_before};
use super::registry::carried;
use super::session::{Head, calendar, load_standing};
use crate::booking::{Entry, Point, Sums};
use crate::calendar::{Calendar, Period, Step, TEN_MINUTES_S, calendar_seconds};
use crate::{Bar, Chart, EnergySummary, InstallationId, Moment, Span};

/// An installation with those it follows.
struct Line {
    calendar: Calendar,
    zone: String,
    members: Vec<Member>,
    corrected: MilliwattHours,
}

/// An installation of a line.
struct Member {
    id: InstallationId,
    /// `produced` at the record with which a Replacement ends it; zero for the one that goes on.
    ended: MilliwattHours,
    head: Option<Head>,
    /// What is booked and not yet in the rollups.
    booked: Vec<Entry>,
    overlap: Overlap,
}

impl Member {
    fn load(connection: &Connection, id: InstallationId, ended: MilliwattHours) -> Result<Self> {
        let (head, booked) = match load_standing(connection, id)? {
            Some((head, mut ledger)) => (Some(head), ledger.settle_all()),
            None => (None, Vec::new()),
        };
        Ok(Self {
            id,
            ended,
            head,
            booked,
            overlap: Overlap::NONE,
        })
    }

    /// When it measured last.
    fn last_time(&self) -> Option<UtcMillis> {
        let head = self.head.as_ref()?;
        let newest = head.latest.map(|(time, _)| time);
        // Of windows whose readings are lost there is only the close.
        newest.or(head.last.and_then(|last| last.time))
    }
}

/// What a meter measured beside the one that it follows. The energy is that one's, and stands
/// outside every figure of this one.
#[derive(Clone, Copy)]
struct Overlap {
    /// Of this meter only periods from this second on count.
    until: Option<i64>,
    /// What it had produced by then.
    energy: MilliwattHours,
}

impl Overlap {
    const NONE: Self = Self {
        until: None,
        energy: MilliwattHours::ZERO,
    };
}

fn line(connection: &Connection, id: InstallationId) -> Result<Option<Line>> {
    let Some(own) = carried(connection, id)? else {
        return Ok(None);
    };
    let mut line = Line {
        calendar: calendar(&own.zone)?,
        zone: own.zone,
        members: vec![Member::load(connection, id, MilliwattHours::ZERO)?],
        corrected: own.corrected,
    };
    let (mut next, mut ended) = (own.replaces, own.carried);
    while let Some(id) = next {
        let before = carried(connection, id)?
            .ok_or_else(|| Failure::Damaged(format!("installation {id} has gone")))?;
        line.members.push(Member::load(connection, id, ended)?);
        ended = before.carried;
        line.corrected = sum(line.corrected, before.corrected);
        next = before.replaces;
    }
    let mut end = None;
    for at in (1..line.members.len()).rev() {
        end = end.max(line.members[at].last_time());
        if let Some(end) = end {
            let follower = &mut line.members[at - 1];
            follower.overlap = overlap(connection, follower, end)?;
        }
    }
    Ok(Some(line))
}

/// What a meter measured before the `end` of those that it follows. A bar of ten minutes in which both
/// measured is the earlier one's. Readings of unknown time may have been made at any time: they are
/// taken for later ones only where they stand behind a later one.
fn overlap(connection: &Connection, member: &Member, end: UtcMillis) -> Result<Overlap> {
    let (Some(owner), Some(head)) = (owner(connection, member.id)?, &member.head) else {
        return Ok(Overlap::NONE);
    };
    let is_earlier = |time: Option<UtcMillis>| time.is_some_and(|time| time < end);
    let first = first_from(connection, owner, end)?;
    let before = first_before(connection, owner, first.as_ref())?;
    let is_beside =
        is_earlier(head.first_time) || before.is_some_and(|before| is_earlier(before.time));
    let broken = calendar_seconds(Some(end))
        .filter(|_| is_beside)
        .map(|seconds| Calendar::UTC.period(Step::TenMinutes, seconds));
    let Some(broken) = broken else {
        return Ok(Overlap {
            until: None,
            energy: produced_before(first.as_ref(), before.as_ref(), head),
        });
    };
    let first = first_from(connection, owner, utc(broken.end)?)?;
    let before = first_before(connection, owner, first.as_ref())?;
    Ok(Overlap {
        until: Some(broken.end),
        energy: produced_before(first.as_ref(), before.as_ref(), head),
    })
}

/// The point before `first`.
fn first_before(
    connection: &Connection,
    owner: Owner,
    first: Option<&Point>,
) -> Result<Option<Point>> {
    first.map_or(Ok(None), |first| {
        point_before(connection, owner, first.sequence)
    })
}

/// What a meter had produced before the `first` point that counts, as far as is known: while what
/// came before it is on its way, all that it states may be of then.
fn produced_before(first: Option<&Point>, before: Option<&Point>, head: &Head) -> MilliwattHours {
    match (first, before) {
        (_, Some(before)) => before.produced,
        (Some(first), None) if first.sequence.get() == 1 => MilliwattHours::ZERO,
        (Some(first), None) => first.produced,
        (None, None) => (head.last).map_or(MilliwattHours::ZERO, |last| last.produced),
    }
}

fn sum(a: MilliwattHours, b: MilliwattHours) -> MilliwattHours {
    a.checked_add(b).unwrap_or(MilliwattHours::MAX)
}

/// The sums of each of `periods`, which are of this step and follow one another.
fn sums(connection: &Connection, line: &Line, step: Step, periods: &[Period]) -> Result<Vec<Sums>> {
    let mut sums = vec![Sums::default(); periods.len()];
    let mut add = |start: i64, more: Sums| {
        let at = periods.partition_point(|period| period.end <= start);
        if periods.get(at).is_some_and(|period| period.contains(start)) {
            sums[at] = sums[at].plus(more);
        }
    };
    for member in &line.members {
        for (step, from, to) in counted(member, step, periods) {
            let mut statement = connection.prepare_cached(
                "SELECT start, energy, readings, gaps FROM rollups
                 WHERE meter = ?1 AND step = ?2 AND start >= ?3 AND start < ?4",
            )?;
            let mut rows = statement.query(params![member.id.0, step as u8, from, to])?;
            while let Some(row) = rows.next()? {
                let more = Sums {
                    energy: row.get(1)?,
                    readings: row.get(2)?,
                    gaps: row.get(3)?,
                };
                add(row.get(0)?, more);
            }
            for entry in &member.booked {
                if entry.step == step && (from..to).contains(&entry.start) {
                    add(entry.start, entry.sums);
                }
            }
        }
    }
    Ok(sums)
}

/// Which rollups of a member make up its part of `periods`: those of the step, and where its part
/// begins within a period, the ten minutes of the rest of it.
fn counted(member: &Member, step: Step, periods: &[Period]) -> Vec<(Step, i64, i64)> {
    let (Some(first), Some(last)) = (periods.first(), periods.last()) else {
        return Vec::new();
    };
    let Some(until) = member.overlap.until.filter(|until| *until > first.start) else {
        return vec![(step, first.start, last.end)];
    };
    let at = periods.partition_point(|period| period.end <= until);
    let Some(broken) = periods.get(at) else {
        return Vec::new();
    };
    if broken.start == until {
        return vec![(step, until, last.end)];
    }
    // In a zone of quarter hours a bar of ten minutes may go on into the next period: it is left out.
    let rest = (Step::TenMinutes, until, broken.end - TEN_MINUTES_S + 1);
    vec![rest, (step, broken.end, last.end)]
}

pub(super) fn chart(
    connection: &Connection,
    id: InstallationId,
    span: Span,
    now: UtcMillis,
) -> Result<Option<Chart>> {
    let Some(line) = line(connection, id)? else {
        return Ok(None);
    };
    let periods = calendar_seconds(Some(now)).map(|now| line.calendar.bars(span, now));
    let mut chart = draw(connection, line, span, &periods.unwrap_or_default())?;
    let is_empty = |bar: &Bar| bar.readings == 0 && bar.energy == MilliwattHours::ZERO;
    if chart.bars.iter().all(is_empty) {
        chart.bars.clear();
    }
    Ok(Some(chart))
}

pub(super) fn whole_chart(
    connection: &Connection,
    id: InstallationId,
    span: Span,
    moment: Moment,
) -> Result<Option<Chart>> {
    let Some(line) = line(connection, id)? else {
        return Ok(None);
    };
    let moment = line.calendar.moment(moment);
    let periods = moment.map(|moment| line.calendar.whole(span, moment));
    draw(connection, line, span, &periods.unwrap_or_default()).map(Some)
}

fn draw(connection: &Connection, line: Line, span: Span, periods: &[Period]) -> Result<Chart> {
    let sums = sums(connection, &line, span.step(), periods)?;
    let mut total = MilliwattHours::ZERO;
    let mut bars = Vec::with_capacity(periods.len());
    for (period, sums) in periods.iter().zip(&sums) {
        let energy = energy(*sums)?;
        total = self::sum(total, energy);
        bars.push(Bar {
            start: utc(period.start)?,
            end: utc(period.end)?,
            label: line.calendar.label(span, period.start),
            energy,
            readings: u32::try_from(sums.readings).unwrap_or(0),
            spans_gap: sums.gaps > 0,
        });
    }
    Ok(Chart {
        start: bars.first().map_or(UtcMillis::ZERO, |bar| bar.start),
        end: bars.last().map_or(UtcMillis::ZERO, |bar| bar.end),
        bars,
        total,
        time_zone: line.zone,
    })
}

fn energy(sums: Sums) -> Result<MilliwattHours> {
    u64::try_from(sums.energy)
        .ok()
        .and_then(MilliwattHours::new)
        .ok_or_else(|| Failure::Damaged(format!("a rollup holds {} mWh", sums.energy)))
}

fn utc(seconds: i64) -> Result<UtcMillis> {
    // Bars of a chart that ends in 1970 may start before it.
    u64::try_from(seconds.max(0))
        .ok()
        .and_then(|seconds| UtcMillis::new(seconds * 1000))
        .ok_or_else(|| Failure::Damaged(format!("a period starts at {seconds}")))
}

/// What the sum of the line's own meter has come to.
fn own_sum(line: &Line) -> MilliwattHours {
    let head = line.members.first().and_then(|own| own.head.as_ref());
    head.and_then(|head| head.last)
        .map_or(MilliwattHours::ZERO, |last| last.produced)
}

pub(super) fn summary(
    connection: &Connection,
    id: InstallationId,
    now: UtcMillis,
) -> Result<Option<EnergySummary>> {
    let Some(line) = line(connection, id)? else {
        return Ok(None);
    };
    let (mut lifetime, mut overlap) = (MilliwattHours::ZERO, MilliwattHours::ZERO);
    let mut first_time = None;
    for member in &line.members {
        let mut produced = member.ended;
        if let Some(head) = &member.head {
            first_time = first_time.into_iter().chain(head.first_time).min();
            // Readings that no window sealed before the meter ended are held and in its bars.
            let held = head.last.map(|last| last.produced);
            produced = produced.max(held.unwrap_or(produced));
        }
        let beside = member.overlap.energy.min(produced);
        overlap = sum(overlap, beside);
        let own = produced.checked_sub(beside);
        lifetime = sum(lifetime, own.unwrap_or(MilliwattHours::ZERO));
    }
    let mut summary = EnergySummary {
        today: MilliwattHours::ZERO,
        month: MilliwattHours::ZERO,
        year: MilliwattHours::ZERO,
        lifetime,
        overlap,
        seven_day_average: None,
        produced: own_sum(&line),
        corrected: line.corrected,
        time_zone: line.zone.clone(),
    };
    let Some(now) = calendar_seconds(Some(now)) else {
        return Ok(Some(summary));
    };
    let mut days = line.calendar.bars(Span::Week, now);
    // Seven days before today, and today.
    let before = line.calendar.period(Step::Day, days[0].start - 1);
    days.insert(0, before);
    let by_day = sums(connection, &line, Step::Day, &days)?;
    summary.today = energy(by_day[7])?;
    let first = calendar_seconds(first_time).unwrap_or(i64::MAX);
    let (mut counted, mut week) = (0, 0_u64);
    for (day, sums) in days.iter().zip(&by_day).take(7) {
        if day.start >= first {
            counted += 1;
            week = week.saturating_add(energy(*sums)?.get());
        }
    }
    summary.seven_day_average = week.checked_div(counted).and_then(MilliwattHours::new);
    let months = line.calendar.bars(Span::Year, now);
    let by_month = sums(connection, &line, Step::Month, &months)?;
    let start_of_year = line.calendar.start_of_year(now);
    summary.month = by_month
        .last()
        .map_or(Ok(MilliwattHours::ZERO), |sums| energy(*sums))?;
    for (month, sums) in months.iter().zip(&by_month) {
        if month.start >= start_of_year {
            summary.year = sum(summary.year, energy(*sums)?);
        }
    }
    Ok(Some(summary))
}
