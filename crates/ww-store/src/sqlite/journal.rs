//! Events, findings, evidence, keys, audit trail and imports in SQL.

use rusqlite::{Connection, OptionalExtension, Row, params};
use ww_wire::{ChainIndex, Hash, MilliwattHours, Milliwatts, Sequence, Signature, UtcMillis};

use super::failure::{Failure, Result};
use super::lookup::{find_near, owner};
use super::session::{
    EVENT_INSTALLATION, EVENT_READING, EVENT_ROLLOUT, Session, millis, time_from,
};
use crate::varint::{Bytes, Unreadable};
use crate::{
    ApiKey, ApiSession, AuditQuery, AuditRecord, Event, EventId, EventKind, Evidence, EvidenceSum,
    Finding, FindingKind, FindingSum, ImportedReading, InstallationId, KeyId, NewApiKey,
    NewApiSession, NewAudit, NewFinding, Role, RolloutId, SESSIONS_PER_KEY, SignedBytes,
};

/// The length of a day of UTC.
const DAY_MS: i64 = 86_400_000;

/// Pieces of evidence against one meter that are counted, at most.
const EVIDENCE_COUNTED: u32 = 100;

/// Calls `each` with kind, installation and sequence of every event in a row's body.
pub(super) fn each_event(
    body: &[u8],
    mut each: impl FnMut(u8, InstallationId, u64),
) -> core::result::Result<(), Unreadable> {
    let mut bytes = Bytes(body);
    while !bytes.is_empty() {
        let [kind] = bytes.array()?;
        let installation = InstallationId(bytes.number()?);
        each(kind, installation, bytes.unsigned()?);
    }
    Ok(())
}

/// An event as it is written down.
struct Listed {
    id: u64,
    kind: u8,
    installation: InstallationId,
    sequence: u64,
}

/// Events after `after`. A reading that was given up since then is left out.
pub(super) fn events(connection: &Connection, after: EventId, limit: u32) -> Result<Vec<Event>> {
    // The row that holds the next event starts at it or before it.
    let start: i64 = connection
        .prepare_cached("SELECT coalesce(max(id), 0) FROM events WHERE id <= ?1")?
        .query_row([after.0.saturating_add(1) as i64], |row| row.get(0))?;
    let mut statement =
        connection.prepare_cached("SELECT id, body FROM events WHERE id >= ?1 ORDER BY id")?;
    let mut rows = statement.query([start])?;
    let (mut events, mut batch) = (Vec::new(), Vec::new());
    while events.len() < limit as usize
        && let Some(row) = rows.next()?
    {
        let mut id = row.get::<_, i64>(0)? as u64;
        let body: Vec<u8> = row.get(1)?;
        each_event(&body, |kind, installation, sequence| {
            if id > after.0 {
                batch.push(Listed {
                    id,
                    kind,
                    installation,
                    sequence,
                });
            }
            id += 1;
        })?;
        if events.len() + batch.len() >= limit as usize {
            resolve(connection, &mut batch, &mut events)?;
        }
    }
    resolve(connection, &mut batch, &mut events)?;
    events.truncate(limit as usize);
    Ok(events)
}

/// Moves events from `batch` to `events` with what they are about. They are looked up meter by
/// meter, by number, so that what lies together is unpacked once and only one such piece is held.
fn resolve(
    connection: &Connection,
    batch: &mut Vec<Listed>,
    events: &mut Vec<Event>,
) -> Result<()> {
    batch.sort_by_key(|listed| (listed.installation, listed.sequence));
    let first = events.len();
    let mut meter = None;
    let mut held = Vec::new();
    for listed in batch.drain(..) {
        let id = EventId(listed.id);
        if meter.is_none_or(|(installation, _)| installation != listed.installation) {
            meter = Some((listed.installation, owner(connection, listed.installation)?));
            held.clear();
        }
        let owner = meter.and_then(|(_, owner)| owner);
        let kind = match listed.kind {
            EVENT_INSTALLATION => Some(EventKind::Installation(listed.installation)),
            EVENT_ROLLOUT => Some(EventKind::Rollout(RolloutId(listed.installation.0))),
            EVENT_READING => match (owner, Sequence::new(listed.sequence)) {
                (Some(owner), Some(sequence)) => find_near(connection, owner, sequence, &mut held)?
                    .map(|stored| EventKind::Reading(Box::new(stored))),
                _ => None,
            },
            _ => return Err(Unreadable.into()),
        };
        events.extend(kind.map(|kind| Event { id, kind }));
    }
    events[first..].sort_by_key(|event| event.id);
    Ok(())
}

/// Keeps a finding, unless one of the kind is known for this number.
pub(super) fn record_finding(
    connection: &Connection,
    finding: &NewFinding,
    at: Option<UtcMillis>,
) -> Result<()> {
    let inserted = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO findings (meter, kind, number, at, detail)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            finding.installation.0,
            finding.kind as u8,
            finding.number as i64,
            millis(at),
            finding.detail
        ])?;
    if let (1.., Some(at)) = (inserted, millis(at)) {
        connection
            .prepare_cached(
                "INSERT INTO finding_days (meter, kind, day, count, first, newest)
                 VALUES (?1, ?2, ?3, 1, ?4, ?5)
                 ON CONFLICT DO UPDATE SET count = count + 1, first = min(first, excluded.first),
                     newest = excluded.newest",
            )?
            .execute(params![
                finding.installation.0,
                finding.kind as u8,
                at / DAY_MS,
                at,
                connection.last_insert_rowid()
            ])?;
    }
    Ok(())
}

/// The findings of each installation and kind since the beginning of the day of UTC that `since` lies in.
pub(super) fn finding_sums(connection: &Connection, since: UtcMillis) -> Result<Vec<FindingSum>> {
    let first_day = i64::try_from(since.get()).unwrap_or(i64::MAX) / DAY_MS;
    let mut statement = connection.prepare_cached(
        "SELECT d.meter, d.kind, d.count, d.first, f.number, f.detail FROM (
             SELECT meter, kind, sum(count) AS count, min(first) AS first, max(newest) AS newest
             FROM finding_days WHERE day >= ?1 GROUP BY meter, kind) d
         JOIN findings f ON f.id = d.newest",
    )?;
    let mut rows = statement.query([first_day])?;
    let mut sums = Vec::new();
    while let Some(row) = rows.next()? {
        sums.push(FindingSum {
            count: row.get::<_, i64>(2)? as u64,
            since: time_from(row.get(3)?),
            newest: NewFinding {
                installation: InstallationId(row.get(0)?),
                kind: kind_from(row.get(1)?)?,
                number: row.get::<_, i64>(4)? as u64,
                detail: row.get(5)?,
            },
        });
    }
    Ok(sums)
}

/// The evidence against each installation: from one to the next, and so many of each.
pub(super) fn evidence_sums(connection: &Connection) -> Result<Vec<EvidenceSum>> {
    let mut next = connection.prepare_cached("SELECT min(meter) FROM evidence WHERE meter > ?1")?;
    let mut counted = connection.prepare_cached(
        "SELECT count(*), min(at), max(id) FROM (
             SELECT at, id FROM evidence WHERE meter = ?1 LIMIT ?2)",
    )?;
    let mut newest =
        connection.prepare_cached("SELECT kind, number FROM evidence WHERE id = ?1")?;
    let mut sums = Vec::new();
    let mut meter = 0;
    while let Some(found) = next.query_row([meter], |row| row.get::<_, Option<u32>>(0))? {
        meter = found;
        let (count, since, id): (i64, Option<i64>, i64) = counted
            .query_row(params![meter, EVIDENCE_COUNTED], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let (kind, number): (u8, i64) =
            newest.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        sums.push(EvidenceSum {
            installation: InstallationId(meter),
            count: count as u64,
            since: time_from(since),
            kind: kind_from(kind)?,
            number: number as u64,
        });
    }
    Ok(sums)
}

/// Two statements that cannot both be true.
pub(super) struct NewEvidence<'a> {
    pub(super) kind: FindingKind,
    pub(super) number: u64,
    pub(super) stored: &'a [u8],
    pub(super) stored_signature: Option<&'a Signature>,
    pub(super) stored_in: Option<ChainIndex>,
    pub(super) refused: &'a [u8],
    pub(super) refused_signature: Option<&'a Signature>,
    pub(super) refused_readings: Option<&'a [u8]>,
}

/// Keeps evidence and a finding that tells of it; the same evidence once only. Tells whether it is
/// new.
pub(super) fn record_evidence(
    connection: &Connection,
    installation: InstallationId,
    evidence: &NewEvidence<'_>,
    at: Option<UtcMillis>,
) -> Result<bool> {
    let digest = Hash::of(&[evidence.refused]);
    let inserted = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO evidence (meter, kind, number, digest, at, stored_payload,
                 stored_signature, stored_in, refused_payload, refused_signature,
                 refused_readings)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            installation.0,
            evidence.kind as u8,
            evidence.number as i64,
            &digest.0[..],
            millis(at),
            evidence.stored,
            evidence
                .stored_signature
                .map(|signature| &signature.bytes()[..]),
            evidence.stored_in.map(|index| index.get() as i64),
            evidence.refused,
            evidence
                .refused_signature
                .map(|signature| &signature.bytes()[..]),
            evidence.refused_readings,
        ])?;
    let finding = NewFinding {
        installation,
        kind: evidence.kind,
        number: evidence.number,
        detail: format!(
            "refused {digest}; stored {}",
            if evidence.stored.is_empty() {
                "nothing".to_owned()
            } else {
                Hash::of(&[evidence.stored]).to_string()
            }
        ),
    };
    record_finding(connection, &finding, at)?;
    Ok(inserted > 0)
}

pub(super) fn findings(
    connection: &Connection,
    id: Option<InstallationId>,
    after: u64,
    limit: u32,
) -> Result<Vec<Finding>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, meter, kind, number, at, detail FROM findings
         WHERE id > ?1 AND (?2 IS NULL OR meter = ?2) ORDER BY id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![after as i64, id.map(|id| id.0), limit])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        findings.push(Finding {
            id: row.get::<_, i64>(0)? as u64,
            at: time_from(row.get(4)?),
            finding: NewFinding {
                installation: InstallationId(row.get(1)?),
                kind: kind_from(row.get(2)?)?,
                number: row.get::<_, i64>(3)? as u64,
                detail: row.get(5)?,
            },
        });
    }
    Ok(findings)
}

pub(super) fn evidence(
    connection: &Connection,
    id: Option<InstallationId>,
    after: u64,
    limit: u32,
) -> Result<Vec<Evidence>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, meter, kind, number, at, stored_payload, stored_signature, stored_in,
             refused_payload, refused_signature, refused_readings
         FROM evidence WHERE id > ?1 AND (?2 IS NULL OR meter = ?2) ORDER BY id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![after as i64, id.map(|id| id.0), limit])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(Evidence {
            id: row.get::<_, i64>(0)? as u64,
            installation: InstallationId(row.get(1)?),
            kind: kind_from(row.get(2)?)?,
            number: row.get::<_, i64>(3)? as u64,
            at: time_from(row.get(4)?),
            stored: signed_bytes(row, 5, 6)?,
            stored_in: row
                .get::<_, Option<i64>>(7)?
                .and_then(|index| ChainIndex::new(index as u64)),
            refused: signed_bytes(row, 8, 9)?,
            refused_readings: row.get(10)?,
        });
    }
    Ok(all)
}

fn signed_bytes(row: &Row<'_>, payload: usize, signature: usize) -> Result<SignedBytes> {
    let signature: Option<[u8; 64]> = row.get(signature)?;
    Ok(SignedBytes {
        payload: row.get(payload)?,
        signature: signature.map(Signature::from_low_s).transpose()?,
    })
}

fn kind_from(number: u8) -> Result<FindingKind> {
    FindingKind::ALL
        .into_iter()
        .find(|kind| *kind as u8 == number)
        .ok_or_else(|| Failure::Damaged(format!("finding kind {number}")))
}

pub(super) fn record_audit(connection: &Connection, audit: &NewAudit) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            millis(audit.at),
            audit.actor,
            audit.action,
            audit.subject,
            audit.detail
        ])?;
    Ok(())
}

pub(super) fn audit(connection: &Connection, query: &AuditQuery) -> Result<Vec<AuditRecord>> {
    // `instr` knows no wildcards: whatever is asked for is meant letter by letter.
    let mut statement = connection.prepare_cached(
        "SELECT id, at, actor, action, subject, detail FROM audit
         WHERE id < ?1
             AND (?3 IS NULL OR actor = ?3)
             AND (?4 IS NULL OR action = ?4 OR instr(action, ?4 || '.') = 1)
             AND (?5 IS NULL OR instr(subject, ?5) > 0)
             AND (?6 IS NULL OR at >= ?6)
             AND (?7 IS NULL OR at <= ?7)
         ORDER BY id DESC LIMIT ?2",
    )?;
    let before = query
        .before
        .map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let mut rows = statement.query(params![
        before,
        query.limit,
        query.actor,
        query.action,
        query.subject,
        millis(query.start),
        millis(query.end)
    ])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(AuditRecord {
            id: row.get::<_, i64>(0)? as u64,
            audit: NewAudit {
                at: time_from(row.get(1)?),
                actor: row.get(2)?,
                action: row.get(3)?,
                subject: row.get(4)?,
                detail: row.get(5)?,
            },
        });
    }
    Ok(records)
}

pub(super) fn add_key(session: &mut Session, key: &NewApiKey, audit: &NewAudit) -> Result<ApiKey> {
    let connection = &session.connection;
    connection
        .prepare_cached(
            "INSERT INTO api_keys (name, role, hash, expires, created)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            key.name,
            key.role as u8,
            &key.hash.0[..],
            millis(key.expires),
            millis(audit.at)
        ])?;
    let id = u32::try_from(connection.last_insert_rowid())
        .map_err(|_| Failure::Damaged("there are too many keys".to_owned()))?;
    record_audit(connection, audit)?;
    Ok(ApiKey {
        id: KeyId(id),
        key: key.clone(),
        created: audit.at,
        revoked: None,
    })
}

/// Withdrawing twice keeps the first time.
pub(super) fn revoke_key(
    session: &mut Session,
    id: KeyId,
    audit: &NewAudit,
) -> Result<Option<ApiKey>> {
    let connection = &session.connection;
    // A gateway without a clock still withdraws: any time does, the oldest says "unknown".
    let at = audit.at.unwrap_or(UtcMillis::ZERO);
    connection
        .prepare_cached("UPDATE api_keys SET revoked = coalesce(revoked, ?2) WHERE id = ?1")?
        .execute(params![id.0, millis(Some(at))])?;
    connection
        .prepare_cached("DELETE FROM sessions WHERE key = ?1")?
        .execute([id.0])?;
    let key = keys(connection)?.into_iter().find(|key| key.id == id);
    if key.is_some() {
        record_audit(connection, audit)?;
    }
    Ok(key)
}

pub(super) fn keys(connection: &Connection) -> Result<Vec<ApiKey>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, role, hash, expires, created, revoked FROM api_keys ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(ApiKey {
            id: KeyId(row.get(0)?),
            key: NewApiKey {
                name: row.get(1)?,
                role: role_from(row.get(2)?)?,
                hash: Hash(row.get(3)?),
                expires: time_from(row.get(4)?),
            },
            created: time_from(row.get(5)?),
            revoked: time_from(row.get(6)?),
        });
    }
    Ok(keys)
}

pub(super) fn add_session(
    session: &mut Session,
    new: &NewApiSession,
    audit: &NewAudit,
) -> Result<Option<ApiSession>> {
    let connection = &session.connection;
    let is_known = connection
        .prepare_cached("SELECT 1 FROM api_keys WHERE id = ?1 AND revoked IS NULL")?
        .exists([new.key.0])?;
    if !is_known {
        return Ok(None);
    }
    connection
        .prepare_cached(
            "DELETE FROM sessions WHERE hash IN (
                 SELECT hash FROM sessions WHERE key = ?1
                 ORDER BY expires DESC, hash LIMIT -1 OFFSET ?2)",
        )?
        .execute([new.key.0, SESSIONS_PER_KEY - 1])?;
    connection
        .prepare_cached(
            "INSERT INTO sessions (hash, key, created, expires) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            &new.hash.0[..],
            new.key.0,
            millis(audit.at),
            millis(Some(new.expires))
        ])?;
    record_audit(connection, audit)?;
    Ok(Some(ApiSession {
        session: *new,
        created: audit.at,
    }))
}

pub(super) fn end_session(session: &mut Session, hash: &Hash, audit: &NewAudit) -> Result<bool> {
    let connection = &session.connection;
    let ended = connection
        .prepare_cached("DELETE FROM sessions WHERE hash = ?1")?
        .execute([&hash.0[..]])?;
    if ended > 0 {
        record_audit(connection, audit)?;
    }
    Ok(ended > 0)
}

pub(super) fn forget_sessions(session: &mut Session, now: UtcMillis) -> Result<u32> {
    let forgotten = session
        .connection
        .prepare_cached(
            "DELETE FROM sessions WHERE expires <= ?1
                 OR key IN (SELECT id FROM api_keys WHERE expires <= ?1)",
        )?
        .execute([millis(Some(now))])?;
    Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
}

/// Ends every session of a database of any schema.
pub(super) fn forget_all_sessions(connection: &Connection) -> Result<()> {
    let has_any = connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sessions'")?
        .exists([])?;
    if has_any {
        connection.execute("DELETE FROM sessions", [])?;
    }
    Ok(())
}

pub(super) fn sessions(connection: &Connection) -> Result<Vec<ApiSession>> {
    let mut statement = connection
        .prepare_cached("SELECT hash, key, created, expires FROM sessions ORDER BY hash")?;
    let mut rows = statement.query([])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        let expires = time_from(row.get(3)?)
            .ok_or_else(|| Failure::Damaged("a session without an end".to_owned()))?;
        sessions.push(ApiSession {
            session: NewApiSession {
                hash: Hash(row.get(0)?),
                key: KeyId(row.get(1)?),
                expires,
            },
            created: time_from(row.get(2)?),
        });
    }
    Ok(sessions)
}

fn role_from(number: u8) -> Result<Role> {
    match number {
        1 => Ok(Role::Viewer),
        2 => Ok(Role::Operator),
        3 => Ok(Role::Admin),
        4 => Ok(Role::Firmware),
        _ => Err(Failure::Damaged(format!("role {number}"))),
    }
}

pub(super) fn import(
    session: &mut Session,
    source: &str,
    readings: &[ImportedReading],
    audit: &NewAudit,
) -> Result<u64> {
    let connection = &session.connection;
    let mut statement = connection.prepare_cached(
        "INSERT OR IGNORE INTO imports (source, original_id, original_installation, power, total,
             time, signature)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let mut new = 0;
    for reading in readings {
        new += statement.execute(params![
            source,
            reading.original_id as i64,
            reading.original_installation as i64,
            reading.power.get(),
            reading.total.get() as i64,
            millis(Some(reading.time)),
            reading.signature
        ])? as u64;
    }
    record_audit(connection, audit)?;
    Ok(new)
}

pub(super) fn imported(
    connection: &Connection,
    source: &str,
    after: Option<u64>,
    limit: u32,
) -> Result<Vec<ImportedReading>> {
    let mut statement = connection.prepare_cached(
        "SELECT original_id, original_installation, power, total, time, signature FROM imports
         WHERE source = ?1 AND (?2 IS NULL OR original_id > ?2) ORDER BY original_id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![source, after.map(|after| after as i64), limit])?;
    let mut readings = Vec::new();
    while let Some(row) = rows.next()? {
        let unfit = || Failure::Damaged(format!("imported reading of {source}"));
        readings.push(ImportedReading {
            original_id: row.get::<_, i64>(0)? as u64,
            original_installation: row.get::<_, i64>(1)? as u64,
            power: Milliwatts::new(row.get(2)?).ok_or_else(unfit)?,
            total: MilliwattHours::new(row.get::<_, i64>(3)? as u64).ok_or_else(unfit)?,
            time: time_from(row.get(4)?).ok_or_else(unfit)?,
            signature: row.get(5)?,
        });
    }
    Ok(readings)
}

pub(super) fn import_sources(connection: &Connection) -> Result<Vec<String>> {
    let mut sources = Vec::new();
    let mut statement = connection
        .prepare_cached("SELECT source FROM imports WHERE source > ?1 ORDER BY source LIMIT 1")?;
    let mut last = String::new();
    while let Some(source) = statement
        .query_row([&last], |row| row.get::<_, String>(0))
        .optional()?
    {
        last.clone_from(&source);
        sources.push(source);
    }
    Ok(sources)
}
