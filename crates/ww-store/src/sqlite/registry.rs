//! Installations and what operators say of them, in SQL: announcements, enrolments, labels,
//! corrections, revocations, replacements.

use rusqlite::{Connection, OptionalExtension, Row, params};
use ww_wire::field::{Field, Mac};
use ww_wire::{
    Boot, Correction, Enrolment, Hash, Label, MeterId, Payload, PublicKey, Record, Replacement,
    Revocation, SensorModel, Sequence, Signature, SignerId, StatusReport, UtcMillis, Watts,
};

use super::failure::{Failure, Result};
use super::journal::record_audit;
use super::lookup::{Owner, chain_end, chain_index};
use super::session::{
    Head, Session, energy_from, load_head, load_heads, millis, state_from_number, state_number,
    time_from,
};
use super::upkeep::rebuild_rollups;
use crate::calendar::Calendar;
use crate::{
    Acceptance, Announced, Announcement, Installation, InstallationId, InstallationState,
    LastReading, NewAudit, Refusal, SensorProposal, StoredEnrolment, StoredReport, StoredStatement,
    Verified,
};

const COLUMNS: &str = "id, meter, public_key, name, time_zone, state, created, sensor_model,
    sensor_mac, sensor_channel, production_counter, shelly_payload, boot_time, enrolment,
    enrolment_accepted, label, revocation, replaces, replaced_by, last_boot, status, rated_power";

/// How long a meter may wait before another one may take its place in a full list.
const WAITING_KEPT_MS: u64 = 86_400_000;

pub(super) fn announce(
    session: &mut Session,
    announcement: &Announcement,
    waiting_limit: u32,
    audit: &NewAudit,
) -> Result<Announced> {
    let meter = announcement.public_key.id();
    if let Some(known) = installation_of(&session.connection, &meter)? {
        return Ok(Announced::Known(known));
    }
    let waiting: u32 = session
        .connection
        .prepare_cached("SELECT count(*) FROM installations WHERE state = 0")?
        .query_row([], |row| row.get(0))?;
    let mut forgotten = None;
    if waiting >= waiting_limit {
        forgotten = forget_longest_waiting(session, audit)?;
        if forgotten.is_none() {
            return Ok(Announced::TooManyWaiting);
        }
    }
    let id = insert(session, &meter, announcement, audit.at)?;
    record_audit(&session.connection, audit)?;
    session.installation_changed(id)?;
    let installation = held(session, id)?;
    Ok(Announced::New {
        installation,
        forgotten,
    })
}

/// Forgets the meter that has waited longest, if it has waited long enough: whoever fills the list
/// with keys shuts new meters out for a day at most. A meter that is still there announces itself
/// again. While the time is not known nobody can be said to have waited long; who came then waits
/// from the first look at a full list on.
fn forget_longest_waiting(session: &mut Session, audit: &NewAudit) -> Result<Option<MeterId>> {
    let Some(now) = audit.at else {
        return Ok(None);
    };
    session
        .connection
        .prepare_cached(
            "UPDATE installations SET created = ?1 WHERE state = 0 AND created IS NULL",
        )?
        .execute([millis(Some(now))])?;
    let since = now.get().saturating_sub(WAITING_KEPT_MS) as i64;
    let longest: Option<(u32, [u8; 32])> = session
        .connection
        .prepare_cached(
            "SELECT id, meter FROM installations
             WHERE state = 0 AND created <= ?1
                 AND replaces IS NULL AND replaced_by IS NULL
                 AND NOT EXISTS (SELECT 1 FROM statements WHERE meter = installations.id)
             ORDER BY created, id LIMIT 1",
        )?
        .query_row([since], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((id, meter)) = longest else {
        return Ok(None);
    };
    let meter = SignerId(meter);
    session
        .connection
        .prepare_cached("DELETE FROM installations WHERE id = ?1")?
        .execute([id])?;
    let line = NewAudit {
        action: "installation.forget".to_owned(),
        subject: format!("installation {id}, meter {meter}"),
        detail: "it waited for a day, and the list was full".to_owned(),
        ..audit.clone()
    };
    record_audit(&session.connection, &line)?;
    session.installation_changed(InstallationId(id))?;
    Ok(Some(meter))
}

fn insert(
    session: &Session,
    meter: &MeterId,
    announcement: &Announcement,
    at: Option<UtcMillis>,
) -> Result<InstallationId> {
    let sensor = &announcement.sensor;
    let time_zone = announcement.time_zone.as_deref().unwrap_or("UTC");
    known_zone(time_zone)?;
    session
        .connection
        .prepare_cached(
            "INSERT INTO installations (meter, public_key, name, time_zone, state, created,
                 sensor_model, sensor_mac, sensor_channel, production_counter, shelly_payload,
                 boot_time, rated_power)
             VALUES (?1, ?2, ?3, ?11, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?12)",
        )?
        .execute(params![
            &meter.0[..],
            &announcement.public_key.0[..],
            announcement.name,
            millis(at),
            sensor.model.map(|model| model as u8),
            sensor.mac.as_ref().map(|mac| &mac.0[..]),
            sensor.channel,
            sensor.production_counter.map(|counter| counter as u8),
            announcement.shelly_payload,
            millis(announcement.boot_time),
            time_zone,
            sensor.rated_power.map(Watts::get),
        ])?;
    u32::try_from(session.connection.last_insert_rowid())
        .map(InstallationId)
        .map_err(|_| Failure::Damaged("there are too many installations".to_owned()))
}

pub(super) fn enrol(
    session: &mut Session,
    verified: &Verified<Enrolment>,
    label: Option<&Verified<Label>>,
    replacement: Option<&(Verified<Replacement>, NewAudit)>,
    audit: &NewAudit,
) -> Result<Installation> {
    if let Some((replacement, audit)) = replacement {
        replace(session, replacement, audit)?;
    }
    let enrolment = verified.record();
    let meter = enrolment.meter();
    let known = installation_of(&session.connection, &meter)?;
    let payload = enrolment.encode()?;
    if let Some(known) = &known {
        if known.state == InstallationState::Revoked {
            return Err(not_active(known).into());
        }
        if known.enrolment_digest == Some(payload.digest()) {
            return match label {
                Some(label) => self::label(session, label, audit),
                None => Ok(known.clone()),
            };
        }
        if let Some(last) = &known.enrolment
            && enrolment.number <= last.number
        {
            return Err(Refusal::StaleEnrolment {
                installation: known.id,
                last: last.number,
                got: enrolment.number,
            }
            .into());
        }
    }
    refuse_taken_sensor(session, enrolment, known.as_ref())?;
    let id = match known {
        Some(known) => known.id,
        None => insert(session, &meter, &unannounced(enrolment), audit.at)?,
    };
    store_enrolment(session, id, verified, &payload, audit.at)?;
    session.installation_changed(id)?;
    match label {
        Some(label) => self::label(session, label, audit),
        None => {
            record_audit(&session.connection, audit)?;
            held(session, id)
        }
    }
}

/// What stands for the announcement of a meter that an operator enrols first.
fn unannounced(enrolment: &Enrolment) -> Announcement {
    Announcement {
        name: format!("{:.8}", enrolment.meter()),
        public_key: enrolment.meter_key,
        time_zone: None,
        sensor: SensorProposal {
            model: Some(enrolment.sensor_model),
            mac: Some(enrolment.sensor_mac),
            channel: Some(enrolment.channel),
            production_counter: Some(enrolment.production_counter),
            rated_power: Some(enrolment.rated_power),
        },
        shelly_payload: Vec::new(),
        boot_time: None,
    }
}

/// One active meter per sensor and channel; who has been replaced counts no longer.
fn refuse_taken_sensor(
    session: &Session,
    enrolment: &Enrolment,
    own: Option<&Installation>,
) -> Result<()> {
    let other = installations(&session.connection)?
        .into_iter()
        .find(|other| {
            other.state == InstallationState::Active
                && other.replaced_by.is_none()
                && own.is_none_or(|own| own.id != other.id)
                && other.enrolment.is_some_and(|theirs| {
                    (theirs.sensor_mac, theirs.channel) == (enrolment.sensor_mac, enrolment.channel)
                })
        });
    match other {
        Some(other) => Err(Refusal::SensorTaken { other: other.id }.into()),
        None => Ok(()),
    }
}

fn store_enrolment(
    session: &Session,
    id: InstallationId,
    verified: &Verified<Enrolment>,
    payload: &Payload,
    at: Option<UtcMillis>,
) -> Result<()> {
    session
        .connection
        .prepare_cached(
            "INSERT INTO enrolments (meter, number, payload, signature, received)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            id.0,
            verified.record().number,
            &payload[..],
            &verified.signature().bytes()[..],
            millis(at)
        ])?;
    session
        .connection
        .prepare_cached(
            "UPDATE installations SET state = ?2, enrolment = ?3, enrolment_accepted = 0
             WHERE id = ?1",
        )?
        .execute(params![
            id.0,
            state_number(InstallationState::Active),
            &payload[..]
        ])?;
    Ok(())
}

pub(super) fn accept_enrolment(
    session: &mut Session,
    verified: &Verified<Acceptance>,
    audit: &NewAudit,
) -> Result<Installation> {
    let Acceptance(enrolment) = verified.record();
    let known = known(session, &enrolment.meter())?;
    let payload = enrolment.encode()?;
    let key = params![known.id.0, &payload[..]];
    let accepted: Option<bool> = session
        .connection
        .prepare_cached(
            "SELECT acceptance IS NOT NULL FROM enrolments WHERE meter = ?1 AND payload = ?2",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    match accepted {
        None => {
            return Err(Refusal::UnknownEnrolment {
                installation: known.id,
                digest: payload.digest(),
            }
            .into());
        }
        Some(true) => return Ok(known),
        Some(false) => {}
    }
    session
        .connection
        .prepare_cached("UPDATE enrolments SET acceptance = ?3 WHERE meter = ?1 AND payload = ?2")?
        .execute(params![
            known.id.0,
            &payload[..],
            &verified.signature().bytes()[..]
        ])?;
    session.with_meter(&known.meter, |meter, desk| {
        meter.head.last_seen = meter.head.last_seen.max(audit.at);
        desk.touch();
        Ok(())
    })?;
    record_audit(&session.connection, audit)?;
    if known.enrolment_digest == Some(payload.digest()) && !known.enrolment_accepted {
        session
            .connection
            .prepare_cached("UPDATE installations SET enrolment_accepted = 1 WHERE id = ?1")?
            .execute([known.id.0])?;
        session.installation_changed(known.id)?;
    }
    held(session, known.id)
}

fn known_zone(name: &str) -> Result<()> {
    match Calendar::named(name) {
        Some(_) => Ok(()),
        None => Err(Refusal::UnknownTimeZone {
            name: name.to_owned(),
        }
        .into()),
    }
}

pub(super) fn label(
    session: &mut Session,
    verified: &Verified<Label>,
    audit: &NewAudit,
) -> Result<Installation> {
    let label = verified.record();
    let known = known(session, &label.meter)?;
    let zone = match label.time_zone.as_str() {
        "" => "UTC",
        name => name,
    };
    known_zone(zone)?;
    let payload = label.encode()?;
    let is_new = append_statement(session, known.id, &payload, verified.signature(), audit)?;
    if !is_new || known.label.is_some_and(|newest| newest.time > label.time) {
        return held(session, known.id);
    }
    session
        .connection
        .prepare_cached("UPDATE installations SET name = ?2, label = ?3 WHERE id = ?1")?
        .execute(params![known.id.0, label.name.as_str(), &payload[..]])?;
    session.installation_changed(known.id)?;
    // The charts of one that was replaced are its follower's, and have that one's zone.
    if known.replaced_by.is_none() {
        set_time_zone(session, &known, zone)?;
    }
    held(session, known.id)
}

/// Sets the zone of an installation and of those it follows: their charts are one.
fn set_time_zone(session: &mut Session, installation: &Installation, zone: &str) -> Result<()> {
    let mut next = Some(installation.id);
    while let Some(id) = next {
        let (replaces, old_zone) = session
            .connection
            .prepare_cached("SELECT replaces, time_zone FROM installations WHERE id = ?1")?
            .query_row([id.0], |row| {
                Ok((row.get::<_, Option<u32>>(0)?, row.get::<_, String>(1)?))
            })?;
        if old_zone != zone {
            session
                .connection
                .prepare_cached("UPDATE installations SET time_zone = ?2 WHERE id = ?1")?
                .execute(params![id.0, zone])?;
            session.installation_changed(id)?;
            rebuild_rollups(session, id)?;
        }
        next = replaces.map(InstallationId);
    }
    Ok(())
}

pub(super) fn correct(
    session: &mut Session,
    verified: &Verified<Correction>,
    audit: &NewAudit,
) -> Result<Installation> {
    let correction = verified.record();
    let known = known(session, &correction.meter)?;
    let payload = correction.encode()?;
    let is_new = append_statement(session, known.id, &payload, verified.signature(), audit)?;
    if is_new {
        let corrected: i64 = session
            .connection
            .prepare_cached("SELECT corrected FROM installations WHERE id = ?1")?
            .query_row([known.id.0], |row| row.get(0))?;
        let reduction = i64::try_from(correction.reduction.get()).unwrap_or(i64::MAX);
        session
            .connection
            .prepare_cached("UPDATE installations SET corrected = ?2 WHERE id = ?1")?
            .execute(params![known.id.0, corrected.saturating_add(reduction)])?;
        session.installation_changed(known.id)?;
    }
    held(session, known.id)
}

pub(super) fn revoke(
    session: &mut Session,
    verified: &Verified<Revocation>,
    audit: &NewAudit,
) -> Result<Installation> {
    let revocation = verified.record();
    let known = known(session, &revocation.meter)?;
    let payload = revocation.encode()?;
    append_statement(session, known.id, &payload, verified.signature(), audit)?;
    if known.state != InstallationState::Revoked {
        session
            .connection
            .prepare_cached("UPDATE installations SET state = ?2, revocation = ?3 WHERE id = ?1")?
            .execute(params![
                known.id.0,
                state_number(InstallationState::Revoked),
                &payload[..]
            ])?;
        session.installation_changed(known.id)?;
    }
    held(session, known.id)
}

pub(super) fn replace(
    session: &mut Session,
    verified: &Verified<Replacement>,
    audit: &NewAudit,
) -> Result<Installation> {
    let replacement = verified.record();
    let old = known(session, &replacement.old_meter)?;
    let new = known(session, &replacement.new_meter)?;
    let unfit = |reason| Refusal::UnfitReplacement {
        installation: old.id,
        reason,
    };
    let payload = replacement.encode()?;
    if is_statement(session, old.id, &payload)? {
        return Ok(new);
    }
    if old.replaced_by.is_some() {
        return Err(unfit("another meter follows it already").into());
    }
    if new.replaces.is_some() {
        return Err(unfit("the new meter follows another one already").into());
    }
    if follows(session, old.id, new.id)? {
        return Err(unfit("the new meter is one that came before it").into());
    }
    let owner = Owner {
        id: old.id,
        meter: old.meter,
    };
    let Some(end) = chain_end(&session.connection, owner)? else {
        return Err(unfit("it has no chain record yet").into());
    };
    if (replacement.last_index, replacement.last_digest) != (end.index, end.digest) {
        return Err(unfit("the record named as its last is not the last one held").into());
    }
    if replacement.produced_close != end.produced {
        return Err(unfit("its `produced` at that record is another one").into());
    }
    let carried = i64::try_from(replacement.produced_close.get())
        .map_err(|_| unfit("its `produced` is out of range"))?;
    append_statement(session, old.id, &payload, verified.signature(), audit)?;
    session
        .connection
        .prepare_cached(
            "UPDATE installations SET replaced_by = ?2, ended_index = ?3, ended_sequence = ?4
             WHERE id = ?1",
        )?
        .execute(params![
            old.id.0,
            new.id.0,
            end.index.get() as i64,
            end.last_sequence.map_or(0, Sequence::get) as i64
        ])?;
    session
        .connection
        .prepare_cached("UPDATE installations SET replaces = ?2, carried = ?3 WHERE id = ?1")?
        .execute(params![new.id.0, old.id.0, carried])?;
    session.installation_changed(old.id)?;
    session.installation_changed(new.id)?;
    set_time_zone(session, &new, &new.time_zone)?;
    held(session, new.id)
}

/// Whether `id` comes after `earlier` in a line of replacements.
fn follows(session: &Session, id: InstallationId, earlier: InstallationId) -> Result<bool> {
    let mut next = Some(id.0);
    while let Some(id) = next {
        if id == earlier.0 {
            return Ok(true);
        }
        next = session
            .connection
            .prepare_cached("SELECT replaces FROM installations WHERE id = ?1")?
            .query_row([id], |row| row.get(0))?;
    }
    Ok(false)
}

fn is_statement(session: &Session, id: InstallationId, payload: &Payload) -> Result<bool> {
    Ok(session
        .connection
        .prepare_cached("SELECT 1 FROM statements WHERE meter = ?1 AND digest = ?2")?
        .exists(params![id.0, &payload.digest().0[..]])?)
}

/// Appends a statement with its line of the audit trail; the same one again changes nothing. Tells
/// whether it is new.
fn append_statement(
    session: &Session,
    id: InstallationId,
    payload: &Payload,
    signature: &Signature,
    audit: &NewAudit,
) -> Result<bool> {
    let inserted = session
        .connection
        .prepare_cached(
            "INSERT OR IGNORE INTO statements (meter, digest, payload, signature, received)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            id.0,
            &payload.digest().0[..],
            &payload[..],
            &signature.bytes()[..],
            millis(audit.at)
        ])?;
    if inserted > 0 {
        record_audit(&session.connection, audit)?;
    }
    Ok(inserted > 0)
}

fn known(session: &mut Session, meter: &MeterId) -> Result<Installation> {
    session.flush()?;
    installation_of(&session.connection, meter)?
        .ok_or_else(|| Refusal::UnknownMeter { meter: *meter }.into())
}

fn held(session: &mut Session, id: InstallationId) -> Result<Installation> {
    session.flush()?;
    installation(&session.connection, id)?
        .ok_or_else(|| Failure::Damaged(format!("installation {id} has gone")))
}

fn not_active(installation: &Installation) -> Refusal {
    Refusal::NotActive {
        installation: installation.id,
        state: installation.state,
    }
}

pub(super) fn installations(connection: &Connection) -> Result<Vec<Installation>> {
    let sql = format!("SELECT {COLUMNS} FROM installations ORDER BY id");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut heads = load_heads(connection)?;
    let mut installations = Vec::new();
    while let Some(row) = rows.next()? {
        let head = heads.remove(&InstallationId(row.get(0)?));
        installations.push(from_row(row, head)?);
    }
    Ok(installations)
}

/// All that were ever approved, by number.
pub(super) fn approved(connection: &Connection) -> Result<Vec<InstallationId>> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM installations WHERE state <> ?1 ORDER BY id")?;
    let waiting = [state_number(InstallationState::Waiting)];
    let ids = statement.query_map(waiting, |row| row.get(0).map(InstallationId))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn installation(
    connection: &Connection,
    id: InstallationId,
) -> Result<Option<Installation>> {
    let sql = format!("SELECT {COLUMNS} FROM installations WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id.0])?;
    rows.next()?
        .map(|row| from_row(row, load_head(connection, id)?))
        .transpose()
}

pub(super) fn installation_of(
    connection: &Connection,
    meter: &MeterId,
) -> Result<Option<Installation>> {
    let id = connection
        .prepare_cached("SELECT id FROM installations WHERE meter = ?1")?
        .query_row([&meter.0[..]], |row| row.get(0))
        .optional()?;
    match id {
        Some(id) => installation(connection, InstallationId(id)),
        None => Ok(None),
    }
}

fn from_row(row: &Row<'_>, head: Option<Head>) -> Result<Installation> {
    let id = InstallationId(row.get(0)?);
    let enrolment: Option<Vec<u8>> = row.get(13)?;
    Ok(Installation {
        id,
        meter: SignerId(row.get(1)?),
        public_key: PublicKey(row.get(2)?),
        name: row.get(3)?,
        time_zone: row.get(4)?,
        state: state_from_number(row.get(5)?)?,
        created: time_from(row.get(6)?),
        sensor: SensorProposal {
            model: byte::<SensorModel>(row, 7)?,
            mac: row.get::<_, Option<[u8; 6]>>(8)?.map(Mac),
            channel: row.get(9)?,
            production_counter: byte(row, 10)?,
            rated_power: row.get::<_, Option<u32>>(21)?.and_then(Watts::new),
        },
        shelly_payload: row.get(11)?,
        announced_boot_time: time_from(row.get(12)?),
        enrolment: record(enrolment.as_deref())?,
        enrolment_digest: enrolment.map(|payload| Hash::of(&[&payload])),
        enrolment_accepted: row.get(14)?,
        label: record(row.get::<_, Option<Vec<u8>>>(15)?.as_deref())?,
        revocation: record(row.get::<_, Option<Vec<u8>>>(16)?.as_deref())?,
        replaces: row.get::<_, Option<u32>>(17)?.map(InstallationId),
        replaced_by: row.get::<_, Option<u32>>(18)?.map(InstallationId),
        last_boot: record::<Boot>(row.get::<_, Option<Vec<u8>>>(19)?.as_deref())?,
        status: record::<StatusReport>(row.get::<_, Option<Vec<u8>>>(20)?.as_deref())?,
        last_seen: head.as_ref().and_then(|head| head.last_seen),
        last_reading: head
            .as_ref()
            .and_then(|head| head.last)
            .map(|last| LastReading {
                sequence: last.sequence,
                time: last.time,
                produced: last.produced,
            }),
        next_index: chain_index(head.map_or(0, |head| head.next_index))?,
    })
}

fn record<R: Record>(payload: Option<&[u8]>) -> Result<Option<R>> {
    Ok(payload.map(R::decode).transpose()?)
}

fn byte<T: Field>(row: &Row<'_>, column: usize) -> Result<Option<T>> {
    let number: Option<u8> = row.get(column)?;
    number
        .map(|number| T::take(&[number]))
        .transpose()
        .map_err(|error| Failure::Damaged(format!("a proposal of a sensor: {error}")))
}

pub(super) fn enrolments(
    connection: &Connection,
    id: InstallationId,
) -> Result<Vec<StoredEnrolment>> {
    let mut statement = connection.prepare_cached(
        "SELECT payload, signature, acceptance, received FROM enrolments
         WHERE meter = ?1 ORDER BY number",
    )?;
    let mut rows = statement.query([id.0])?;
    let mut enrolments = Vec::new();
    while let Some(row) = rows.next()? {
        enrolments.push(StoredEnrolment {
            enrolment: Enrolment::decode(&row.get::<_, Vec<u8>>(0)?)?,
            operator_signature: Signature::from_low_s(row.get(1)?)?,
            acceptance: row
                .get::<_, Option<[u8; 64]>>(2)?
                .map(Signature::from_low_s)
                .transpose()?,
            received: time_from(row.get(3)?),
        });
    }
    Ok(enrolments)
}

pub(super) fn statements(
    connection: &Connection,
    id: InstallationId,
) -> Result<Vec<StoredStatement>> {
    let mut statement = connection.prepare_cached(
        "SELECT payload, signature, received FROM statements WHERE meter = ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([id.0])?;
    let mut statements = Vec::new();
    while let Some(row) = rows.next()? {
        let payload: Vec<u8> = row.get(0)?;
        statements.push(StoredStatement {
            record_type: ww_wire::RecordType::of(&payload)?,
            payload,
            signature: Signature::from_low_s(row.get(1)?)?,
            received: time_from(row.get(2)?),
        });
    }
    Ok(statements)
}

pub(super) fn status_report(
    connection: &Connection,
    id: InstallationId,
) -> Result<Option<StoredReport>> {
    let mut statement = connection.prepare_cached(
        "SELECT payload, received FROM status_reports WHERE meter = ?1 ORDER BY id DESC LIMIT 1",
    )?;
    let mut rows = statement.query([id.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(StoredReport {
        report: StatusReport::decode(&row.get::<_, Vec<u8>>(0)?)?,
        received: time_from(row.get(1)?),
    }))
}

/// What an installation takes over from those it follows, and what was corrected.
pub(super) struct Carried {
    pub(super) zone: String,
    pub(super) replaces: Option<InstallationId>,
    pub(super) carried: ww_wire::MilliwattHours,
    pub(super) corrected: ww_wire::MilliwattHours,
}

pub(super) fn carried(connection: &Connection, id: InstallationId) -> Result<Option<Carried>> {
    let mut statement = connection.prepare_cached(
        "SELECT time_zone, replaces, carried, corrected FROM installations WHERE id = ?1",
    )?;
    let mut rows = statement.query([id.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Carried {
        zone: row.get(0)?,
        replaces: row.get::<_, Option<u32>>(1)?.map(InstallationId),
        carried: energy_from(row.get(2)?)?,
        corrected: energy_from(row.get(3)?)?,
    }))
}
