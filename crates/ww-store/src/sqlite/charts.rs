//! Charts and totals in SQL, from the rollups alone: no reading is touched.

use rusqlite::{Connection, params};
use ww_wire::{MilliwattHours, UtcMillis};

use super::failure::{Failure, Result};
use super::registry::carried;
use super::session::load_head;
use crate::booking::{Sums, decode_entries};
use crate::calendar::{Calendar, Period, Step, calendar_seconds};
use crate::{Bar, Chart, EnergySummary, InstallationId, Span};

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
}

fn line(connection: &Connection, id: InstallationId) -> Result<Option<Line>> {
    let Some(own) = carried(connection, id)? else {
        return Ok(None);
    };
    let calendar = Calendar::named(&own.zone)
        .ok_or_else(|| Failure::Damaged(format!("time zone {:?} is not known", own.zone)))?;
    let mut line = Line {
        calendar,
        zone: own.zone,
        members: vec![Member {
            id,
            ended: MilliwattHours::ZERO,
        }],
        corrected: own.corrected,
    };
    let (mut next, mut ended) = (own.replaces, own.carried);
    while let Some(id) = next {
        let before = carried(connection, id)?
            .ok_or_else(|| Failure::Damaged(format!("installation {id} has gone")))?;
        line.members.push(Member { id, ended });
        ended = before.carried;
        line.corrected = sum(line.corrected, before.corrected);
        next = before.replaces;
    }
    Ok(Some(line))
}

fn sum(a: MilliwattHours, b: MilliwattHours) -> MilliwattHours {
    a.checked_add(b).unwrap_or(MilliwattHours::MAX)
}

/// The sums of each of `periods`, which are of this step and follow one another.
fn sums(connection: &Connection, line: &Line, step: Step, periods: &[Period]) -> Result<Vec<Sums>> {
    let mut sums = vec![Sums::default(); periods.len()];
    let (Some(first), Some(last)) = (periods.first(), periods.last()) else {
        return Ok(sums);
    };
    let mut add = |start: i64, more: Sums| {
        let at = periods.partition_point(|period| period.end <= start);
        if periods.get(at).is_some_and(|period| period.contains(start)) {
            sums[at] = sums[at].plus(more);
        }
    };
    for member in &line.members {
        let mut statement = connection.prepare_cached(
            "SELECT start, energy, readings, gaps FROM rollups
             WHERE meter = ?1 AND step = ?2 AND start >= ?3 AND start < ?4",
        )?;
        let mut rows = statement.query(params![member.id.0, step as u8, first.start, last.end])?;
        while let Some(row) = rows.next()? {
            let more = Sums {
                energy: row.get(1)?,
                readings: row.get(2)?,
                gaps: row.get(3)?,
            };
            add(row.get(0)?, more);
        }
        if let Some((_, ledger)) = load_head(connection, member.id)? {
            for entry in decode_entries(&ledger)? {
                if entry.step == step {
                    add(entry.start, entry.sums);
                }
            }
        }
    }
    Ok(sums)
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
    let Some(now) = calendar_seconds(Some(now)) else {
        return Ok(Some(Chart {
            bars: Vec::new(),
            total: MilliwattHours::ZERO,
            time_zone: line.zone,
        }));
    };
    let periods = line.calendar.bars(span, now);
    let sums = sums(connection, &line, span.step(), &periods)?;
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
    if sums
        .iter()
        .all(|sums| sums.readings == 0 && sums.energy == 0)
    {
        bars.clear();
    }
    Ok(Some(Chart {
        bars,
        total,
        time_zone: line.zone,
    }))
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

pub(super) fn summary(
    connection: &Connection,
    id: InstallationId,
    now: UtcMillis,
) -> Result<Option<EnergySummary>> {
    let Some(line) = line(connection, id)? else {
        return Ok(None);
    };
    let mut lifetime = MilliwattHours::ZERO;
    let mut first_time = None;
    for member in &line.members {
        let mut produced = member.ended;
        if let Some((head, _)) = load_head(connection, member.id)? {
            first_time = first_time.into_iter().chain(head.first_time).min();
            // Readings that no window sealed before the meter ended are held and in its bars.
            let held = head.last.map(|last| last.produced);
            produced = produced.max(held.unwrap_or(produced));
        }
        lifetime = sum(lifetime, produced);
    }
    let mut summary = EnergySummary {
        today: MilliwattHours::ZERO,
        month: MilliwattHours::ZERO,
        year: MilliwattHours::ZERO,
        lifetime,
        seven_day_average: MilliwattHours::ZERO,
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
    let first_day = calendar_seconds(first_time).unwrap_or(i64::MAX);
    let (mut counted, mut week) = (0, 0_u64);
    for (day, sums) in days.iter().zip(&by_day).take(7) {
        if day.end > first_day {
            counted += 1;
            week = week.saturating_add(energy(*sums)?.get());
        }
    }
    summary.seven_day_average = week
        .checked_div(counted)
        .and_then(MilliwattHours::new)
        .unwrap_or(MilliwattHours::ZERO);
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
