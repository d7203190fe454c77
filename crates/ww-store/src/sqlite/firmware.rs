//! Roots, releases, objects, questions, reports and rollouts of firmware in SQL.

use rusqlite::{Connection, OptionalExtension, Row, params};
use ww_wire::{Boot, Hash, Record as _, Signature, SignerId};

use super::failure::{Failure, Result};
use super::journal::record_audit;
use super::session::{Session, millis, time_from};
use crate::{
    DeviceQuestion, EventId, FIRMWARE_REPORTS_KEPT, FirmwareDevice, FirmwareRelease, FirmwareRoot,
    InstallationId, NewAudit, NewFirmwareRelease, NewRollout, OBJECT_PIECE_BYTES, ObjectRange,
    RolloutChange, RolloutId, RolloutMember, RolloutStage, StoredRollout, StoredUpdateReport,
    Withdrawal,
};

pub(super) fn add_root(
    session: &mut Session,
    number: u32,
    bytes: &[u8],
    audit: &NewAudit,
) -> Result<bool> {
    let connection = &session.connection;
    let added = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO firmware_roots (number, bytes, added, added_by)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![number, bytes, millis(audit.at), audit.actor])?;
    if added > 0 {
        record_audit(connection, audit)?;
    }
    Ok(added > 0)
}

pub(super) fn roots(connection: &Connection) -> Result<Vec<FirmwareRoot>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, bytes, added, added_by FROM firmware_roots ORDER BY number",
    )?;
    let mut rows = statement.query([])?;
    let mut roots = Vec::new();
    while let Some(row) = rows.next()? {
        roots.push(FirmwareRoot {
            number: row.get(0)?,
            bytes: row.get(1)?,
            added: time_from(row.get(2)?),
            added_by: row.get(3)?,
        });
    }
    Ok(roots)
}

/// Which of these objects are not held whole.
pub(super) fn missing_objects(connection: &Connection, wanted: &[Hash]) -> Result<Vec<Hash>> {
    let mut held = connection
        .prepare_cached("SELECT 1 FROM firmware_objects WHERE digest = ?1 AND is_whole = 1")?;
    let mut missing = Vec::new();
    for digest in wanted {
        if !held.exists([&digest.0[..]])? {
            missing.push(*digest);
        }
    }
    Ok(missing)
}

/// Begins to write an object anew, and forgets those that were left half.
pub(super) fn begin_object(session: &mut Session, digest: &Hash, bytes: u64) -> Result<i64> {
    let connection = &session.connection;
    connection
        .prepare_cached(
            "DELETE FROM firmware_pieces
             WHERE object IN (SELECT id FROM firmware_objects WHERE is_whole = 0)",
        )?
        .execute([])?;
    connection
        .prepare_cached("DELETE FROM firmware_objects WHERE is_whole = 0")?
        .execute([])?;
    connection
        .prepare_cached(
            "INSERT INTO firmware_objects (digest, bytes, is_whole) VALUES (?1, ?2, 0)",
        )?
        .execute(params![&digest.0[..], bytes as i64])?;
    Ok(connection.last_insert_rowid())
}

/// Writes one piece; the object is whole with its last.
pub(super) fn write_piece(
    session: &mut Session,
    object: i64,
    number: usize,
    content: &[u8],
    is_last: bool,
) -> Result<()> {
    let connection = &session.connection;
    connection
        .prepare_cached(
            "INSERT INTO firmware_pieces (object, number, content) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![object, number as i64, content])?;
    if is_last {
        connection
            .prepare_cached("UPDATE firmware_objects SET is_whole = 1 WHERE id = ?1")?
            .execute([object])?;
    }
    Ok(())
}

/// Publishes a release whose objects are held.
pub(super) fn publish(
    session: &mut Session,
    new: &NewFirmwareRelease,
    audit: &NewAudit,
) -> Result<(FirmwareRelease, bool)> {
    let connection = &session.connection;
    let inserted = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO firmware_releases (digest, payload, root_number, envelope, keys,
                 published, published_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            &new.digest.0[..],
            &new.payload.0[..],
            new.root_number,
            new.envelope,
            new.keys,
            millis(audit.at),
            audit.actor
        ])?;
    if inserted > 0 {
        record_audit(connection, audit)?;
    }
    let stored = release(connection, &new.digest)?;
    let stored =
        stored.ok_or_else(|| Failure::Damaged("a release that was just written".to_owned()))?;
    Ok((stored, inserted > 0))
}

/// Withdrawing twice keeps the first time.
pub(super) fn withdraw(
    session: &mut Session,
    digest: &Hash,
    audit: &NewAudit,
) -> Result<Option<FirmwareRelease>> {
    let connection = &session.connection;
    let withdrawn = connection
        .prepare_cached(
            "UPDATE firmware_releases SET withdrawn = ?2, withdrawn_by = ?3
             WHERE digest = ?1 AND withdrawn_by IS NULL",
        )?
        .execute(params![&digest.0[..], millis(audit.at), audit.actor])?;
    if withdrawn > 0 {
        record_audit(connection, audit)?;
    }
    release(connection, digest)
}

const RELEASE: &str = "SELECT id, digest, payload, root_number, envelope, keys, published,
    published_by, withdrawn, withdrawn_by FROM firmware_releases";

pub(super) fn release(connection: &Connection, digest: &Hash) -> Result<Option<FirmwareRelease>> {
    let mut statement = connection.prepare_cached(&format!("{RELEASE} WHERE digest = ?1"))?;
    let found = statement.query_row([&digest.0[..]], release_from);
    Ok(found.optional()?)
}

pub(super) fn releases(
    connection: &Connection,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<FirmwareRelease>> {
    let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let mut statement = connection.prepare_cached(&format!(
        "{RELEASE} WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![before, limit], release_from)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn release_from(row: &Row<'_>) -> rusqlite::Result<FirmwareRelease> {
    let withdrawn_by: Option<String> = row.get(9)?;
    let withdrawn = time_from(row.get(8)?);
    Ok(FirmwareRelease {
        id: row.get::<_, i64>(0)? as u64,
        digest: Hash(row.get(1)?),
        payload: Hash(row.get(2)?),
        root_number: row.get(3)?,
        envelope: row.get(4)?,
        keys: row.get(5)?,
        published: time_from(row.get(6)?),
        published_by: row.get(7)?,
        withdrawal: withdrawn_by.map(|by| Withdrawal { at: withdrawn, by }),
    })
}

/// Bytes `from..from + most` of an object as far as it goes; `None` when no whole one has this digest.
pub(super) fn object_range(
    connection: &Connection,
    digest: &Hash,
    from: u64,
    most: usize,
) -> Result<Option<ObjectRange>> {
    let found: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT id, bytes FROM firmware_objects WHERE digest = ?1 AND is_whole = 1",
        )?
        .query_row([&digest.0[..]], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((object, bytes)) = found else {
        return Ok(None);
    };
    let object_bytes = bytes as u64;
    let piece_bytes = OBJECT_PIECE_BYTES as u64;
    let end = from.saturating_add(most as u64).min(object_bytes);
    let mut content = Vec::with_capacity(end.saturating_sub(from) as usize);
    let mut statement = connection.prepare_cached(
        "SELECT substr(content, ?3, ?4) FROM firmware_pieces WHERE object = ?1 AND number = ?2",
    )?;
    let mut at = from;
    while at < end {
        let (number, skipped) = (at / piece_bytes, at % piece_bytes);
        let wanted = (piece_bytes - skipped).min(end - at);
        let place = params![object, number as i64, skipped as i64 + 1, wanted as i64];
        let piece: Vec<u8> = statement.query_row(place, |row| row.get(0))?;
        if piece.len() as u64 != wanted {
            return Err(Failure::Damaged(format!(
                "piece {number} of object {digest}"
            )));
        }
        content.extend_from_slice(&piece);
        at += wanted;
    }
    Ok(Some(ObjectRange {
        object_bytes,
        content,
    }))
}

pub(super) fn put_questions(session: &mut Session, questions: &[DeviceQuestion]) -> Result<()> {
    let mut statement = session.connection.prepare_cached(
        "INSERT OR REPLACE INTO firmware_questions (meter, device_nonce, server_nonce, question,
             earlier, asked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for question in questions {
        statement.execute(params![
            question.installation.0,
            &question.device_nonce[..],
            &question.server_nonce[..],
            question.question,
            question.earlier,
            millis(question.asked)
        ])?;
    }
    Ok(())
}

pub(super) fn question(
    connection: &Connection,
    id: InstallationId,
) -> Result<Option<DeviceQuestion>> {
    let found = connection
        .prepare_cached(
            "SELECT meter, device_nonce, server_nonce, question, earlier, asked
             FROM firmware_questions WHERE meter = ?1",
        )?
        .query_row([id.0], |row| question_from(row, 0))
        .optional()?;
    Ok(found.flatten())
}

/// The question in six columns from this one on; `None` when there is none beside its meter.
fn question_from(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<DeviceQuestion>> {
    let Some(installation) = row.get::<_, Option<u32>>(first)? else {
        return Ok(None);
    };
    Ok(Some(DeviceQuestion {
        installation: InstallationId(installation),
        device_nonce: row.get(first + 1)?,
        server_nonce: row.get(first + 2)?,
        question: row.get(first + 3)?,
        earlier: row.get(first + 4)?,
        asked: time_from(row.get(first + 5)?),
    }))
}

/// 1 is the state of an installation that is in service.
const DEVICES: &str = "SELECT i.id, i.meter, i.name, i.time_zone, i.last_boot, q.meter,
    q.device_nonce, q.server_nonce, q.question, q.earlier, q.asked
    FROM installations i LEFT JOIN firmware_questions q ON q.meter = i.id
    WHERE i.state = 1 AND i.replaced_by IS NULL";

pub(super) fn devices(
    connection: &Connection,
    after: InstallationId,
    limit: u32,
) -> Result<Vec<FirmwareDevice>> {
    let sql = format!("{DEVICES} AND i.id > ?1 ORDER BY i.id LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![after.0, limit])?;
    let mut devices = Vec::new();
    while let Some(row) = rows.next()? {
        devices.push(device_from(row)?);
    }
    Ok(devices)
}

pub(super) fn device(
    connection: &Connection,
    id: InstallationId,
) -> Result<Option<FirmwareDevice>> {
    let mut statement = connection.prepare_cached(&format!("{DEVICES} AND i.id = ?1"))?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(device_from).transpose()
}

fn device_from(row: &Row<'_>) -> Result<FirmwareDevice> {
    let boot: Option<Vec<u8>> = row.get(4)?;
    Ok(FirmwareDevice {
        installation: InstallationId(row.get(0)?),
        meter: SignerId(row.get(1)?),
        name: row.get(2)?,
        time_zone: row.get(3)?,
        last_boot: boot.map(|payload| Boot::decode(&payload)).transpose()?,
        question: question_from(row, 5)?,
    })
}

pub(super) fn add_report(
    session: &mut Session,
    id: InstallationId,
    report: &StoredUpdateReport,
    audit: &NewAudit,
) -> Result<bool> {
    let connection = &session.connection;
    let digest = Hash::of(&[&report.payload]);
    let added = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO firmware_reports (meter, digest, payload, signature, received)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            id.0,
            &digest.0[..],
            report.payload,
            &report.signature.bytes()[..],
            millis(report.received)
        ])?;
    if added == 0 {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "DELETE FROM firmware_reports WHERE meter = ?1 AND id <= (
                 SELECT id FROM firmware_reports WHERE meter = ?1
                 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![id.0, FIRMWARE_REPORTS_KEPT])?;
    record_audit(connection, audit)?;
    Ok(true)
}

pub(super) fn reports(
    connection: &Connection,
    id: InstallationId,
    limit: u32,
) -> Result<Vec<StoredUpdateReport>> {
    let mut statement = connection.prepare_cached(
        "SELECT payload, signature, received FROM firmware_reports WHERE meter = ?1
         ORDER BY id DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![id.0, limit])?;
    let mut reports = Vec::new();
    while let Some(row) = rows.next()? {
        reports.push(StoredUpdateReport {
            payload: row.get(0)?,
            signature: Signature::from_low_s(row.get(1)?)?,
            received: time_from(row.get(2)?),
        });
    }
    Ok(reports)
}

/// `None` when one of the meters is in another rollout that is open.
pub(super) fn add_rollout(
    session: &mut Session,
    new: &NewRollout,
    audit: &NewAudit,
) -> Result<Option<StoredRollout>> {
    let connection = &session.connection;
    let mut taken = connection
        .prepare_cached("SELECT 1 FROM firmware_members WHERE meter = ?1 AND is_open = 1")?;
    for (member, _) in &new.members {
        if taken.exists([member.0])? {
            return Ok(None);
        }
    }
    drop(taken);
    connection
        .prepare_cached(
            "INSERT INTO firmware_rollouts (release, plan, course, summary, stage, created,
                 created_by)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
        )?
        .execute(params![
            &new.release.0[..],
            new.plan,
            new.course,
            new.summary,
            millis(audit.at),
            audit.actor
        ])?;
    let id = u32::try_from(connection.last_insert_rowid())
        .map_err(|_| Failure::Damaged("there are too many rollouts".to_owned()))?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO firmware_members (rollout, meter, place, is_open, body)
         VALUES (?1, ?2, ?3, 1, ?4)",
    )?;
    for (place, (member, body)) in (0_u32..).zip(&new.members) {
        statement.execute(params![id, member.0, place, body])?;
    }
    drop(statement);
    let audit = NewAudit {
        subject: format!("rollout {id}"),
        ..audit.clone()
    };
    record_audit(connection, &audit)?;
    let stored = rollout(connection, RolloutId(id))?;
    session.rollout_changed(RolloutId(id));
    Ok(stored)
}

pub(super) fn change_rollout(
    session: &mut Session,
    id: RolloutId,
    change: &RolloutChange,
) -> Result<Option<EventId>> {
    let connection = &session.connection;
    let mut statement = connection.prepare_cached(
        "UPDATE firmware_members SET body = ?3 WHERE rollout = ?1 AND meter = ?2",
    )?;
    for (member, body) in &change.members {
        statement.execute(params![id.0, member.0, body])?;
    }
    drop(statement);
    connection
        .prepare_cached(
            "UPDATE firmware_rollouts SET course = coalesce(?2, course),
                 summary = coalesce(?3, summary), stage = coalesce(?4, stage)
             WHERE id = ?1",
        )?
        .execute(params![
            id.0,
            change.course,
            change.summary,
            change.stage.map(|stage| stage as u8)
        ])?;
    if let Some(stage) = change.stage {
        connection
            .prepare_cached("UPDATE firmware_members SET is_open = ?2 WHERE rollout = ?1")?
            .execute(params![id.0, stage == RolloutStage::Open])?;
    }
    for audit in &change.audit {
        record_audit(connection, audit)?;
    }
    Ok(change.is_told.then(|| session.rollout_changed(id)))
}

const ROLLOUT: &str = "SELECT id, release, plan, course, summary, stage, created, created_by
    FROM firmware_rollouts";

pub(super) fn rollout(connection: &Connection, id: RolloutId) -> Result<Option<StoredRollout>> {
    let mut statement = connection.prepare_cached(&format!("{ROLLOUT} WHERE id = ?1"))?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(rollout_from).transpose()
}

pub(super) fn rollouts(
    connection: &Connection,
    before: Option<RolloutId>,
    limit: u32,
) -> Result<Vec<StoredRollout>> {
    let before = before.map_or(u32::MAX, |before| before.0);
    let mut statement = connection.prepare_cached(&format!(
        "{ROLLOUT} WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
    ))?;
    let mut rows = statement.query([before, limit])?;
    let mut rollouts = Vec::new();
    while let Some(row) = rows.next()? {
        rollouts.push(rollout_from(row)?);
    }
    Ok(rollouts)
}

pub(super) fn rollouts_of(connection: &Connection, release: &Hash) -> Result<Vec<RolloutId>> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM firmware_rollouts WHERE release = ?1 ORDER BY id")?;
    let rows = statement.query_map([&release.0[..]], |row| row.get(0).map(RolloutId))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// 2 is the stage of a rollout that is over.
pub(super) fn telling_rollouts(connection: &Connection) -> Result<Vec<RolloutId>> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM firmware_rollouts WHERE stage < 2 ORDER BY id")?;
    let rows = statement.query_map([], |row| row.get(0).map(RolloutId))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn rollout_members(
    connection: &Connection,
    id: RolloutId,
    from: u32,
    limit: u32,
) -> Result<Vec<RolloutMember>> {
    let mut statement = connection.prepare_cached(
        "SELECT place, meter, body FROM firmware_members WHERE rollout = ?1 AND place >= ?2
         ORDER BY place LIMIT ?3",
    )?;
    let rows = statement.query_map([id.0, from, limit], |row| {
        Ok(RolloutMember {
            place: row.get(0)?,
            installation: InstallationId(row.get(1)?),
            body: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn rollout_from(row: &Row<'_>) -> Result<StoredRollout> {
    Ok(StoredRollout {
        id: RolloutId(row.get(0)?),
        release: Hash(row.get(1)?),
        plan: row.get(2)?,
        course: row.get(3)?,
        summary: row.get(4)?,
        stage: match row.get::<_, u8>(5)? {
            0 => RolloutStage::Open,
            1 => RolloutStage::Telling,
            2 => RolloutStage::Over,
            number => return Err(Failure::Damaged(format!("stage {number} of a rollout"))),
        },
        created: time_from(row.get(6)?),
        created_by: row.get(7)?,
    })
}
