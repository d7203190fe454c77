//! The tables of the SQLite backend and their migrations, forward only. A landed migration is never
//! edited; a change is a new one at the end.

use rusqlite::Connection;

use crate::StoreError;

/// "Watt" in ASCII: tells our files from other SQLite files.
const APPLICATION_ID: i32 = 0x5761_7474;

/// Each brings the schema from its index to the next number.
const MIGRATIONS: [&str; 7] = [V1, V2, V3, V4, V5, V6, V7];

/// The newest schema known here.
pub(super) const NEWEST: u32 = MIGRATIONS.len() as u32;

/// Every key starts with the meter (the installation's number), so that the same tables can be
/// spread over machines by it.
///
/// - `fresh` and `live`: readings with a signature of their own. `body` is the time of arrival, the
///   signature and the reading packed by itself. They come into `fresh` in the order of arrival,
///   so that a commit writes few pages however many meters it serves, and move to `live` many at
///   a time. `singles` is both.
/// - `windows`: the readings of sealed windows that are not yet in a chunk; `packed` is null when
///   the readings did not come. Their Window record is in `chain`.
/// - `chunks`: runs of windows with readings, records and signatures in compact columns; their
///   Window records are nowhere else.
/// - `installations`: `ended_index` and `ended_sequence` are the last chain record and reading of a
///   meter that was replaced.
/// - `rollups`: `step` 0 ten minutes, 1 hour, 2 local day, 3 local month; `start` in seconds since
///   1970. What `heads.ledger` holds is to be added to them.
const V1: &str = "
CREATE TABLE installations (
    id INTEGER PRIMARY KEY,
    meter BLOB NOT NULL UNIQUE,
    public_key BLOB NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    state INTEGER NOT NULL,
    created INTEGER,
    sensor_model INTEGER,
    sensor_mac BLOB,
    sensor_channel INTEGER,
    production_counter INTEGER,
    rated_power INTEGER,
    shelly_payload BLOB NOT NULL,
    boot_time INTEGER,
    enrolment BLOB,
    enrolment_accepted INTEGER NOT NULL DEFAULT 0,
    label BLOB,
    revocation BLOB,
    replaces INTEGER REFERENCES installations (id),
    replaced_by INTEGER REFERENCES installations (id),
    ended_index INTEGER,
    ended_sequence INTEGER,
    carried INTEGER NOT NULL DEFAULT 0,
    corrected INTEGER NOT NULL DEFAULT 0,
    last_boot BLOB,
    status BLOB
) STRICT;

CREATE TABLE heads (
    meter INTEGER PRIMARY KEY REFERENCES installations (id),
    last_sequence INTEGER NOT NULL,
    last_time INTEGER,
    last_produced INTEGER NOT NULL,
    last_is_reading INTEGER NOT NULL,
    latest_time INTEGER,
    latest_sequence INTEGER NOT NULL,
    first_time INTEGER,
    sealed_sequence INTEGER NOT NULL,
    tip_index INTEGER,
    tip_digest BLOB,
    next_index INTEGER NOT NULL,
    last_seen INTEGER,
    live INTEGER NOT NULL,
    ledger BLOB NOT NULL
) STRICT;

CREATE TABLE live (
    meter INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    time INTEGER,
    body BLOB NOT NULL,
    PRIMARY KEY (meter, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX live_by_time ON live (meter, time);
CREATE TABLE fresh (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    time INTEGER,
    body BLOB NOT NULL
) STRICT;
CREATE VIEW singles AS
    SELECT meter, sequence, time, body FROM live
    UNION ALL
    SELECT meter, sequence, time, body FROM fresh;

CREATE TABLE chain (
    meter INTEGER NOT NULL,
    chain_index INTEGER NOT NULL,
    received INTEGER,
    payload BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (meter, chain_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE gaps (
    meter INTEGER NOT NULL,
    first_index INTEGER NOT NULL,
    last_index INTEGER NOT NULL,
    chain_index INTEGER NOT NULL,
    PRIMARY KEY (meter, first_index, chain_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE windows (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    chain_index INTEGER NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    min_time INTEGER,
    max_time INTEGER,
    received INTEGER,
    packed BLOB
) STRICT;
CREATE UNIQUE INDEX windows_by_sequence ON windows (meter, last_sequence);
CREATE INDEX windows_by_time ON windows (meter, max_time);
CREATE INDEX windows_by_index ON windows (meter, chain_index);

CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    first_index INTEGER NOT NULL,
    last_index INTEGER NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    min_time INTEGER,
    max_time INTEGER,
    windows INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX chunks_by_sequence ON chunks (meter, last_sequence);
CREATE INDEX chunks_by_index ON chunks (meter, last_index);
CREATE INDEX chunks_by_time ON chunks (meter, max_time);

CREATE TABLE rollups (
    meter INTEGER NOT NULL,
    step INTEGER NOT NULL,
    start INTEGER NOT NULL,
    energy INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    gaps INTEGER NOT NULL,
    PRIMARY KEY (meter, step, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolments (
    meter INTEGER NOT NULL REFERENCES installations (id),
    number INTEGER NOT NULL,
    payload BLOB NOT NULL,
    signature BLOB NOT NULL,
    acceptance BLOB,
    received INTEGER,
    PRIMARY KEY (meter, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE statements (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL REFERENCES installations (id),
    digest BLOB NOT NULL,
    payload BLOB NOT NULL,
    signature BLOB NOT NULL,
    received INTEGER
) STRICT;
CREATE UNIQUE INDEX statements_by_digest ON statements (meter, digest);

CREATE TABLE status_reports (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL REFERENCES installations (id),
    payload BLOB NOT NULL,
    signature BLOB NOT NULL,
    received INTEGER
) STRICT;
CREATE INDEX status_reports_by_meter ON status_reports (meter, id);

CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL REFERENCES installations (id),
    kind INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER,
    detail TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX findings_by_number ON findings (meter, kind, number);

CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL REFERENCES installations (id),
    kind INTEGER NOT NULL,
    number INTEGER NOT NULL,
    digest BLOB NOT NULL,
    at INTEGER,
    stored_payload BLOB NOT NULL,
    stored_signature BLOB,
    stored_in INTEGER,
    refused_payload BLOB NOT NULL,
    refused_signature BLOB,
    refused_readings BLOB
) STRICT;
CREATE UNIQUE INDEX evidence_by_digest ON evidence (meter, kind, number, digest);

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    role INTEGER NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    expires INTEGER,
    created INTEGER,
    revoked INTEGER
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE TABLE imports (
    source TEXT NOT NULL,
    original_id INTEGER NOT NULL,
    original_installation INTEGER NOT NULL,
    power INTEGER NOT NULL,
    total INTEGER NOT NULL,
    time INTEGER NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (source, original_id)
) STRICT, WITHOUT ROWID;
";

/// `heads.fresh_id`: the row of `fresh` up to which a head knows the fresh readings of its meter;
/// those behind it are to be appended to it. Numbers of `fresh` are never given twice.
const V2: &str = "
ALTER TABLE heads ADD COLUMN fresh_id INTEGER NOT NULL DEFAULT 0;
UPDATE heads SET fresh_id = (SELECT coalesce(max(id), 0) FROM fresh);
";

/// `chunk_extremes`: the readings of lowest and highest power of each chunk, so that a curve over years
/// needs no chunk unpacked; null until upkeep has looked.
const V3: &str = "
CREATE TABLE chunk_extremes (
    meter INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    body BLOB,
    PRIMARY KEY (meter, chunk)
) STRICT, WITHOUT ROWID;
CREATE INDEX chunk_extremes_missing ON chunk_extremes (meter, chunk) WHERE body IS NULL;
INSERT INTO chunk_extremes (meter, chunk) SELECT meter, id FROM chunks;
";

/// `sessions`: browsers that are logged in, by the SHA-256 of the token in their cookie.
const V4: &str = "
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    key INTEGER NOT NULL REFERENCES api_keys (id),
    created INTEGER,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_key ON sessions (key);
";

/// `chain_of_others`: Boots and Gaps, which are few, apart from the Windows among which they stand. 3 is the
/// record type of a Window.
const V5: &str = "
CREATE INDEX chain_of_others ON chain (meter, substr(payload, 1, 1), chain_index)
    WHERE substr(payload, 1, 1) <> x'03';
";

/// `finding_days`: how many findings of a kind there were on a day of UTC, when the first was stored, and
/// the newest: so that those of a week are counted in as many rows as there are kinds and days.
const V6: &str = "
CREATE TABLE finding_days (
    meter INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    first INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    PRIMARY KEY (meter, kind, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_days_by_day ON finding_days (day);
INSERT INTO finding_days
    SELECT meter, kind, at / 86400000, count(*), min(at), max(id) FROM findings
    WHERE at IS NOT NULL GROUP BY 1, 2, 3;
";

/// Firmware. What others have signed or sealed stands as it is in columns of bytes.
///
/// - `firmware_objects`, `firmware_pieces`: ciphertexts and lists in pieces of 256 KiB. One that is not
///   whole is of a publication that broke off, and goes with the next.
/// - `firmware_questions`: the newest question of each device.
/// - `firmware_rollouts`: `stage` 0 is open, 1 has ended and still tells its meters what to do, 2 is over.
/// - `firmware_members`: a meter is in one open rollout at most.
const V7: &str = "
CREATE TABLE firmware_roots (
    number INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL,
    added INTEGER,
    added_by TEXT NOT NULL
) STRICT;

CREATE TABLE firmware_releases (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    payload BLOB NOT NULL,
    root_number INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    keys BLOB NOT NULL,
    published INTEGER,
    published_by TEXT NOT NULL,
    withdrawn INTEGER,
    withdrawn_by TEXT
) STRICT;

CREATE TABLE firmware_objects (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    is_whole INTEGER NOT NULL
) STRICT;

CREATE TABLE firmware_pieces (
    object INTEGER NOT NULL REFERENCES firmware_objects (id),
    number INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (object, number)
) STRICT;

CREATE TABLE firmware_questions (
    meter INTEGER PRIMARY KEY REFERENCES installations (id) ON DELETE CASCADE,
    device_nonce BLOB NOT NULL,
    server_nonce BLOB NOT NULL,
    question BLOB NOT NULL,
    earlier BLOB NOT NULL,
    asked INTEGER
) STRICT;

CREATE TABLE firmware_reports (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL REFERENCES installations (id),
    digest BLOB NOT NULL,
    payload BLOB NOT NULL,
    signature BLOB NOT NULL,
    received INTEGER
) STRICT;
CREATE UNIQUE INDEX firmware_reports_by_digest ON firmware_reports (meter, digest);
CREATE INDEX firmware_reports_by_meter ON firmware_reports (meter, id);

CREATE TABLE firmware_rollouts (
    id INTEGER PRIMARY KEY,
    release BLOB NOT NULL,
    plan BLOB NOT NULL,
    course BLOB NOT NULL,
    summary BLOB NOT NULL,
    stage INTEGER NOT NULL,
    created INTEGER,
    created_by TEXT NOT NULL
) STRICT;
CREATE INDEX firmware_rollouts_by_release ON firmware_rollouts (release);
CREATE INDEX firmware_rollouts_telling ON firmware_rollouts (id) WHERE stage < 2;

CREATE TABLE firmware_members (
    rollout INTEGER NOT NULL REFERENCES firmware_rollouts (id),
    meter INTEGER NOT NULL REFERENCES installations (id),
    place INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (rollout, meter)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX firmware_members_by_place ON firmware_members (rollout, place);
CREATE UNIQUE INDEX firmware_members_open ON firmware_members (meter) WHERE is_open = 1;
";

/// Brings a database to the newest schema, one migration per transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found = version(connection)?;
    if found > NEWEST {
        return Err(StoreError::NewerSchema {
            found,
            known: NEWEST,
        });
    }
    for (number, migration) in (1_u32..).zip(MIGRATIONS).skip(found as usize) {
        let mut apply = || -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", number)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.commit()
        };
        apply().map_err(|source| StoreError::Database {
            attempt: "migrate to a newer schema",
            source: Box::new(source),
        })?;
    }
    Ok(())
}

/// The schema of a database; 0 when it is empty.
///
/// # Errors
/// [`StoreError::Damaged`] for a file that is not ours.
pub(super) fn version(connection: &Connection) -> Result<u32, StoreError> {
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
            .map_err(|source| StoreError::Database {
                attempt: "read the schema's version",
                source: Box::new(source),
            })
    };
    let (version, application) = (pragma("user_version")?, pragma("application_id")?);
    let is_ours = application == APPLICATION_ID || (version == 0 && application == 0);
    u32::try_from(version)
        .ok()
        .filter(|_| is_ours)
        .ok_or_else(|| StoreError::Damaged {
            what: "the file is an SQLite database of another program".to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_of_the_first_schema_knows_all_fresh_readings_of_its_meter() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(V1).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        connection
            .pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        connection
            .execute_batch(
                "INSERT INTO installations (id, meter, public_key, name, time_zone, state,
                     shelly_payload) VALUES (1, x'01', x'', '', 'UTC', 1, x'');
                 INSERT INTO heads (meter, last_sequence, last_produced, last_is_reading,
                     latest_sequence, sealed_sequence, next_index, live, ledger)
                 VALUES (1, 2, 0, 1, 2, 0, 0, 2, x'');
                 INSERT INTO fresh (meter, sequence, body) VALUES (1, 1, x''), (1, 2, x'')",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), NEWEST);
        let behind: u32 = connection
            .query_row(
                "SELECT count(*) FROM fresh f JOIN heads h ON h.meter = f.meter
                 WHERE f.id > h.fresh_id",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(behind, 0);
    }
}
