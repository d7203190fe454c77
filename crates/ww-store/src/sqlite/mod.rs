//! The SQLite backend: one file, one writer thread with group commit, a few reader threads. SQL
//! stays in the modules below; the rules that need no SQL are in the crate's other modules.

mod charts;
mod failure;
mod firmware;
mod ingest;
mod journal;
mod lookup;
mod marks;
mod queries;
mod registry;
mod schema;
mod session;
mod upkeep;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::{Semaphore, mpsc, oneshot};
use ww_wire::{
    ChainIndex, Correction, Enrolment, Hash, Label, MeterId, Replacement, Revocation, Sequence,
    UtcMillis,
};

use self::failure::{Failure, Result};
use self::session::{Job, Session, Work};
use crate::{
    Acceptance, Announced, Announcement, Answer, ApiKey, ApiSession, AuditQuery, AuditRecord,
    ChainEnd, Chart, DeviceQuestion, EnergySummary, Event, EventId, Evidence, EvidenceSum, Finding,
    FindingSum, FirmwareDevice, FirmwareRelease, FirmwareRoot, ImportedReading, Ingest,
    Installation, InstallationId, Integrity, KeyId, Maintenance, Mark, MarkQuery, Moment,
    NewApiKey, NewApiSession, NewAudit, NewFirmwareRelease, NewRollout, OBJECT_PIECE_BYTES,
    ObjectRange, OfAll, Outcome, ProvenReading, ReadingId, ReadingQuery, RolloutChange, RolloutId,
    RolloutMember, Span, Statistics, Store, StoreError, StoredChainRecord, StoredEnrolment,
    StoredReading, StoredReport, StoredRollout, StoredStatement, StoredUpdateReport, StoredWindow,
    Verified, WholeWindow, WindowQuery,
};

/// Prepared statements that each connection keeps.
const STATEMENTS_KEPT: usize = 256;

/// How a SQLite store is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Threads that read.
    pub readers: usize,
    /// Calls that may wait for the writer; who comes then waits to be let in.
    pub waiting_writes: usize,
    /// Calls that may wait for the readers.
    pub waiting_reads: usize,
    /// Readings that lie together in the order of their arrival before they are filed by meter. A
    /// look-up scans them, so there must not be many; the more there are, the more of them share a
    /// page when they are filed.
    pub fresh_readings: u32,
    /// Sealed readings that are unpacked for a thinned list, at most, beside its first and last day:
    /// by default those of about six weeks.
    pub thinned_readings: u64,
    /// Page cache of each connection.
    pub cache_kib: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 2,
            waiting_writes: 4096,
            waiting_reads: 256,
            fresh_readings: 2048,
            thinned_readings: 400_000,
            cache_kib: 8192,
        }
    }
}

/// A store in one SQLite file (with its write-ahead log beside it).
///
/// Dropping it finishes what was taken and ends its threads.
pub struct SqliteStore {
    path: PathBuf,
    thinned_readings: u64,
    writes: Mutex<Option<mpsc::Sender<Box<dyn Work>>>>,
    reads: Mutex<Option<std::sync::mpsc::Sender<Read>>>,
    room_to_read: Arc<Semaphore>,
    maintenance: tokio::sync::Mutex<()>,
    /// Held by who writes a release.
    publishing: tokio::sync::Mutex<()>,
    commits: Arc<AtomicU64>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

type Read = Box<dyn FnOnce(&mut Connection) + Send>;

impl core::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens a database, makes it if there is none, and brings it to the newest schema.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`], [`StoreError::Damaged`] for a file of another program,
    /// [`StoreError::Database`].
    pub fn open(path: &Path, options: SqliteOptions) -> core::result::Result<Self, StoreError> {
        let open = "open the database";
        let mut connection = connect(path, options.cache_kib).map_err(failing(open))?;
        schema::version(&connection)?;
        connection
            .pragma_update(None, "journal_mode", "wal")
            .map_err(failing(open))?;
        schema::migrate(&mut connection)?;
        let commits = Arc::new(AtomicU64::new(0));
        let session = Session::new(
            connection,
            options.fresh_readings.into(),
            Arc::clone(&commits),
        )
        .map_err(|failure| failure.attempting(open))?;
        let (writes, calls) = mpsc::channel(options.waiting_writes.max(1));
        let mut threads = vec![spawn("ww-store-write", move || session.serve(calls))?];
        let (reads, jobs) = std::sync::mpsc::channel::<Read>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..options.readers.max(1) {
            let mut connection = connect(path, options.cache_kib).map_err(failing(open))?;
            connection
                .pragma_update(None, "query_only", true)
                .map_err(failing(open))?;
            let jobs = Arc::clone(&jobs);
            threads.push(spawn("ww-store-read", move || {
                while let Some(read) = next_read(&jobs) {
                    read(&mut connection);
                }
            })?);
        }
        Ok(Self {
            path: path.to_owned(),
            thinned_readings: options.thinned_readings,
            writes: Mutex::new(Some(writes)),
            reads: Mutex::new(Some(reads)),
            room_to_read: Arc::new(Semaphore::new(options.waiting_reads.max(1))),
            maintenance: tokio::sync::Mutex::new(()),
            publishing: tokio::sync::Mutex::new(()),
            commits,
            threads: Mutex::new(threads),
        })
    }

    /// Whether a database has the newest schema, so that opening it leaves it as it is.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a file of another program, [`StoreError::Database`].
    pub fn is_up_to_date(path: &Path) -> core::result::Result<bool, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(failing("look at the database"))?;
        Ok(schema::version(&connection)? == schema::NEWEST)
    }

    /// Puts a backup in the place of a database that is not open, and writes into its audit trail
    /// that this was done. The backup is checked first; the newest schema is not needed, a newer
    /// one is refused. Nobody is logged in afterwards: who has logged out since the backup stays out.
    /// The database is there once it is whole, and not before.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`], [`StoreError::Damaged`], [`StoreError::Database`].
    pub fn restore(
        backup: &Path,
        path: &Path,
        audit: &NewAudit,
    ) -> core::result::Result<(), StoreError> {
        let attempt = "restore a backup";
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let from = Connection::open_with_flags(backup, flags).map_err(failing(attempt))?;
        let (found, known) = (schema::version(&from)?, schema::NEWEST);
        if found > known {
            return Err(StoreError::NewerSchema { found, known });
        }
        if found == 0 {
            let what = "the file is no backup of WattWitness".to_owned();
            return Err(StoreError::Damaged { what });
        }
        let verdict: String = from
            .pragma_query_value(None, "integrity_check", |row| row.get(0))
            .map_err(failing(attempt))?;
        if verdict != "ok" {
            return Err(StoreError::Damaged { what: verdict });
        }
        let making = beside(path, "-restoring");
        let put = || -> std::io::Result<()> {
            // A log that another database has left would be taken for this one's.
            for left in ["-wal", "-shm"] {
                remove(&beside(path, left))?;
            }
            std::fs::rename(&making, path)?;
            let folder = path.parent().filter(|folder| *folder != Path::new(""));
            std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        let io = |source| StoreError::Database {
            attempt,
            source: Box::new(source),
        };
        let discard = || {
            ["", "-wal", "-shm", "-journal"]
                .iter()
                .try_for_each(|left| remove(&beside(&making, left)))
        };
        discard().map_err(io)?;
        let restored = restored(&from, &making, audit)
            .map_err(|failure| failure.attempting(attempt))
            .and_then(|()| put().map_err(io));
        if restored.is_err() {
            // What stays is discarded by the next restore.
            discard().ok();
        }
        restored
    }

    /// Runs a change in the next transaction and answers after its commit.
    fn write<'a, T: Send + 'static>(
        &'a self,
        attempt: &'static str,
        change: impl FnMut(&mut Session) -> Result<T> + Send + 'static,
    ) -> Answer<'a, T> {
        let writes = clone_of(&self.writes);
        Box::pin(async move {
            let writes = writes.ok_or(StoreError::Closed)?;
            let (reply, answer) = oneshot::channel();
            let job = Job {
                attempt,
                change,
                answer: None,
                reply,
            };
            writes
                .send(Box::new(job))
                .await
                .map_err(|_| StoreError::Closed)?;
            answer.await.map_err(|_| StoreError::Closed)?
        })
    }

    /// Runs a query on a reader's thread, in a snapshot of its own.
    fn read<'a, T: Send + 'static>(
        &'a self,
        attempt: &'static str,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Answer<'a, T> {
        self.read_while_asked(attempt, |connection, _| query(connection))
    }

    /// As [`Self::read`]; the query can find out whether anybody still waits for its answer.
    fn read_while_asked<'a, T: Send + 'static>(
        &'a self,
        attempt: &'static str,
        query: impl FnOnce(&Connection, &dyn Fn() -> bool) -> Result<T> + Send + 'static,
    ) -> Answer<'a, T> {
        let reads = clone_of(&self.reads);
        Box::pin(async move {
            let reads = reads.ok_or(StoreError::Closed)?;
            let room = Arc::clone(&self.room_to_read)
                .acquire_owned()
                .await
                .map_err(|_| StoreError::Closed)?;
            let (reply, answer) = oneshot::channel();
            let read: Read = Box::new(move |connection| {
                let asked = || !reply.is_closed();
                if !asked() {
                    return;
                }
                let result = in_snapshot(connection, |connection| query(connection, &asked));
                drop(room);
                // Whoever asked may have gone.
                drop(reply.send(result.map_err(|failure| failure.attempting(attempt))));
            });
            reads.send(read).map_err(|_| StoreError::Closed)?;
            answer.await.map_err(|_| StoreError::Closed)?
        })
    }

    /// Writes an object piece by piece, so that other writes come between.
    async fn write_object(
        &self,
        digest: Hash,
        content: Arc<[u8]>,
    ) -> core::result::Result<(), StoreError> {
        let attempt = "store an object";
        let bytes = content.len() as u64;
        let begin = move |session: &mut Session| firmware::begin_object(session, &digest, bytes);
        let object = self.write(attempt, begin).await?;
        let pieces = content.len().div_ceil(OBJECT_PIECE_BYTES);
        for number in 0..pieces {
            let content = Arc::clone(&content);
            let write = move |session: &mut Session| {
                let start = number * OBJECT_PIECE_BYTES;
                let end = content.len().min(start + OBJECT_PIECE_BYTES);
                let is_last = number + 1 == pieces;
                firmware::write_piece(session, object, number, &content[start..end], is_last)
            };
            self.write(attempt, write).await?;
        }
        Ok(())
    }

    /// Ends the channels, so that the threads finish what they have and end.
    fn hang_up(&self) {
        lock(&self.writes).take();
        lock(&self.reads).take();
    }

    fn join(&self) {
        for thread in lock(&self.threads).drain(..) {
            // A thread that panicked has said so itself.
            drop(thread.join());
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.hang_up();
        self.join();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What they guard is whole at every moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn clone_of<T: Clone>(mutex: &Mutex<Option<T>>) -> Option<T> {
    lock(mutex).clone()
}

fn next_read(jobs: &Mutex<std::sync::mpsc::Receiver<Read>>) -> Option<Read> {
    lock(jobs).recv().ok()
}

fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> core::result::Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|source| StoreError::Database {
            attempt: "start a thread",
            source: Box::new(source),
        })
}

fn failing(attempt: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| Failure::from(error).attempting(attempt)
}

/// Copies a backup to a file of which nobody knows yet, whole and without a log beside it.
fn restored(from: &Connection, path: &Path, audit: &NewAudit) -> Result<()> {
    let mut to = connect(path, SqliteOptions::default().cache_kib)?;
    Backup::new(from, &mut to)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
    journal::forget_all_sessions(&to)?;
    journal::record_audit(&to, audit)?;
    to.pragma_update(None, "journal_mode", "delete")?;
    Ok(())
}

/// The file beside another whose name goes on like this.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn connect(path: &Path, cache_kib: u32) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // FULL: in WAL mode every commit is synced before it returns.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // A prepared statement keeps its plan: none is planned anew because other values are bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    Ok(connection)
}

fn in_snapshot<T>(
    connection: &mut Connection,
    query: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    query(&snapshot)
}

/// What a query finds of each installation that was ever approved. Gives up, with less than there is, once
/// nobody has `asked` any more.
fn of_all<T>(
    connection: &Connection,
    attempt: &'static str,
    asked: &dyn Fn() -> bool,
    query: impl Fn(InstallationId) -> Result<Option<T>>,
) -> Result<OfAll<T>> {
    let mut all = Vec::new();
    for id in registry::approved(connection)? {
        if !asked() {
            break;
        }
        let found = query(id).map_err(|failure| failure.attempting(attempt));
        all.extend(found.transpose().map(|found| (id, found)));
    }
    Ok(all)
}

/// Ingest runs without a savepoint of its own: its rules write only what they keep.
struct IngestCall {
    batch: Vec<Ingest>,
    received: Option<UtcMillis>,
    outcomes: Vec<Outcome>,
    reply: oneshot::Sender<core::result::Result<Vec<Outcome>, StoreError>>,
}

impl Work for IngestCall {
    fn run(&mut self, session: &mut Session) -> core::result::Result<(), StoreError> {
        self.outcomes = ingest::ingest(session, &self.batch, self.received)
            .map_err(|failure| failure.attempting("store what a meter sent"))?;
        Ok(())
    }

    fn answer(self: Box<Self>, committed: core::result::Result<(), StoreError>) {
        // Whoever asked may have gone; the work is done all the same.
        let Self {
            outcomes, reply, ..
        } = *self;
        drop(reply.send(committed.map(|()| outcomes)));
    }
}

impl Store for SqliteStore {
    fn ingest(&self, batch: Vec<Ingest>, received: Option<UtcMillis>) -> Answer<'_, Vec<Outcome>> {
        let writes = clone_of(&self.writes);
        Box::pin(async move {
            let writes = writes.ok_or(StoreError::Closed)?;
            let (reply, answer) = oneshot::channel();
            let call = IngestCall {
                batch,
                received,
                outcomes: Vec::new(),
                reply,
            };
            writes
                .send(Box::new(call))
                .await
                .map_err(|_| StoreError::Closed)?;
            answer.await.map_err(|_| StoreError::Closed)?
        })
    }

    fn announce(
        &self,
        announcement: Announcement,
        waiting_limit: u32,
        audit: NewAudit,
    ) -> Answer<'_, Announced> {
        self.write("announce a meter", move |session| {
            registry::announce(session, &announcement, waiting_limit, &audit)
        })
    }

    fn enrol(
        &self,
        enrolment: Verified<Enrolment>,
        label: Option<Verified<Label>>,
        replacement: Option<(Verified<Replacement>, NewAudit)>,
        audit: NewAudit,
    ) -> Answer<'_, Installation> {
        self.write("enrol a meter", move |session| {
            let (label, replacement) = (label.as_ref(), replacement.as_ref());
            registry::enrol(session, &enrolment, label, replacement, &audit)
        })
    }

    fn renew(
        &self,
        brought: (Verified<Enrolment>, NewAudit),
        renewed: (Verified<Enrolment>, NewAudit),
    ) -> Answer<'_, Installation> {
        self.write("renew an enrolment", move |session| {
            registry::enrol(session, &brought.0, None, None, &brought.1)?;
            registry::enrol(session, &renewed.0, None, None, &renewed.1)
        })
    }

    fn accept_enrolment(
        &self,
        acceptance: Verified<Acceptance>,
        audit: NewAudit,
    ) -> Answer<'_, Installation> {
        self.write("store a meter's acceptance", move |session| {
            registry::accept_enrolment(session, &acceptance, &audit)
        })
    }

    fn label(&self, label: Verified<Label>, audit: NewAudit) -> Answer<'_, Installation> {
        self.write("label a meter", move |session| {
            registry::label(session, &label, &audit)
        })
    }

    fn correct(
        &self,
        correction: Verified<Correction>,
        audit: NewAudit,
    ) -> Answer<'_, Installation> {
        self.write("store a correction", move |session| {
            registry::correct(session, &correction, &audit)
        })
    }

    fn revoke(
        &self,
        revocation: Verified<Revocation>,
        audit: NewAudit,
    ) -> Answer<'_, Installation> {
        self.write("revoke a meter", move |session| {
            registry::revoke(session, &revocation, &audit)
        })
    }

    fn replace(
        &self,
        replacement: Verified<Replacement>,
        audit: NewAudit,
    ) -> Answer<'_, Installation> {
        self.write("replace a meter", move |session| {
            registry::replace(session, &replacement, &audit)
        })
    }

    fn installations(&self) -> Answer<'_, Vec<Installation>> {
        self.read("list installations", registry::installations)
    }

    fn installation(&self, id: InstallationId) -> Answer<'_, Option<Installation>> {
        self.read("find an installation", move |connection| {
            registry::installation(connection, id)
        })
    }

    fn installation_of(&self, meter: MeterId) -> Answer<'_, Option<Installation>> {
        self.read("find the installation of a meter", move |connection| {
            registry::installation_of(connection, &meter)
        })
    }

    fn chain_end(&self, id: InstallationId) -> Answer<'_, Option<ChainEnd>> {
        self.read(
            "find the end of a chain",
            move |connection| match lookup::owner(connection, id)? {
                Some(owner) => lookup::chain_end(connection, owner),
                None => Ok(None),
            },
        )
    }

    fn enrolments(&self, id: InstallationId) -> Answer<'_, Vec<StoredEnrolment>> {
        self.read("list enrolments", move |connection| {
            registry::enrolments(connection, id)
        })
    }

    fn statements(&self, id: InstallationId) -> Answer<'_, Vec<StoredStatement>> {
        self.read("list statements", move |connection| {
            registry::statements(connection, id)
        })
    }

    fn status_report(&self, id: InstallationId) -> Answer<'_, Option<StoredReport>> {
        self.read("find the newest status report", move |connection| {
            registry::status_report(connection, id)
        })
    }

    fn latest(&self, id: InstallationId) -> Answer<'_, Option<StoredReading>> {
        self.read("find the latest reading", move |connection| {
            queries::latest(connection, id)
        })
    }

    fn latest_of_all(&self) -> Answer<'_, OfAll<StoredReading>> {
        let attempt = "find the latest readings";
        self.read_while_asked(attempt, move |connection, asked| {
            of_all(connection, attempt, asked, |id| {
                queries::latest(connection, id)
            })
        })
    }

    fn readings(&self, query: ReadingQuery) -> Answer<'_, Vec<StoredReading>> {
        self.read("list readings", move |connection| {
            queries::readings(connection, &query)
        })
    }

    fn oldest_readings(&self, query: ReadingQuery) -> Answer<'_, Vec<StoredReading>> {
        self.read("list readings", move |connection| {
            queries::oldest_readings(connection, &query)
        })
    }

    fn thinned(
        &self,
        id: InstallationId,
        start: UtcMillis,
        end: UtcMillis,
        max_points: u32,
    ) -> Answer<'_, Vec<StoredReading>> {
        let most = self.thinned_readings;
        self.read_while_asked("thin readings", move |connection, asked| {
            queries::thinned(connection, id, (start, end), max_points, most, asked)
        })
    }

    fn reading(&self, id: InstallationId, sequence: Sequence) -> Answer<'_, Option<ProvenReading>> {
        self.read("prove a reading", move |connection| {
            queries::reading(connection, id, sequence)
        })
    }

    fn pending(&self, after: Option<ReadingId>, limit: u32) -> Answer<'_, Vec<StoredReading>> {
        self.read("list pending readings", move |connection| {
            queries::pending(connection, after, limit)
        })
    }

    fn windows(&self, query: WindowQuery) -> Answer<'_, Vec<StoredWindow>> {
        self.read("list windows", move |connection| {
            queries::windows(connection, &query)
        })
    }

    fn window(&self, id: InstallationId, index: ChainIndex) -> Answer<'_, Option<WholeWindow>> {
        self.read("show a window", move |connection| {
            queries::window(connection, id, index)
        })
    }

    fn chain(
        &self,
        id: InstallationId,
        from: ChainIndex,
        to: ChainIndex,
        limit: u32,
    ) -> Answer<'_, Vec<StoredChainRecord>> {
        self.read("list chain records", move |connection| {
            queries::chain(connection, id, from, to, limit)
        })
    }

    fn chart(&self, id: InstallationId, span: Span, now: UtcMillis) -> Answer<'_, Option<Chart>> {
        self.read("draw a chart", move |connection| {
            charts::chart(connection, id, span, now)
        })
    }

    fn whole_chart(
        &self,
        id: InstallationId,
        span: Span,
        moment: Moment,
    ) -> Answer<'_, Option<Chart>> {
        self.read("draw a chart", move |connection| {
            charts::whole_chart(connection, id, span, moment)
        })
    }

    fn energy(&self, id: InstallationId, now: UtcMillis) -> Answer<'_, Option<EnergySummary>> {
        self.read("sum up energy", move |connection| {
            charts::summary(connection, id, now)
        })
    }

    fn energies(&self, now: Option<UtcMillis>) -> Answer<'_, OfAll<EnergySummary>> {
        let attempt = "sum up all energy";
        self.read_while_asked(attempt, move |connection, asked| {
            of_all(connection, attempt, asked, |id| {
                let now = match now {
                    Some(now) => Some(now),
                    None => queries::latest(connection, id)?
                        .and_then(|latest| latest.reading.sum().time),
                };
                charts::summary(connection, id, now.unwrap_or(UtcMillis::ZERO))
            })
        })
    }

    fn marks(&self, query: MarkQuery) -> Answer<'_, Vec<Mark>> {
        self.read_while_asked("list marks", move |connection, asked| {
            marks::marks(connection, &query, asked)
        })
    }

    fn findings(
        &self,
        id: Option<InstallationId>,
        after: u64,
        limit: u32,
    ) -> Answer<'_, Vec<Finding>> {
        self.read("list findings", move |connection| {
            journal::findings(connection, id, after, limit)
        })
    }

    fn finding_sums(&self, since: UtcMillis) -> Answer<'_, Vec<FindingSum>> {
        self.read("sum up findings", move |connection| {
            journal::finding_sums(connection, since)
        })
    }

    fn evidence_sums(&self) -> Answer<'_, Vec<EvidenceSum>> {
        self.read("sum up evidence", journal::evidence_sums)
    }

    fn evidence(
        &self,
        id: Option<InstallationId>,
        after: u64,
        limit: u32,
    ) -> Answer<'_, Vec<Evidence>> {
        self.read("list evidence", move |connection| {
            journal::evidence(connection, id, after, limit)
        })
    }

    fn events(&self, after: EventId, limit: u32) -> Answer<'_, Vec<Event>> {
        self.read("list events", move |connection| {
            journal::events(connection, after, limit)
        })
    }

    fn last_event(&self) -> Answer<'_, EventId> {
        self.read("find the newest event", session::last_event)
    }

    fn add_key(&self, key: NewApiKey, audit: NewAudit) -> Answer<'_, ApiKey> {
        self.write("store a key", move |session| {
            journal::add_key(session, &key, &audit)
        })
    }

    fn revoke_key(&self, id: KeyId, audit: NewAudit) -> Answer<'_, Option<ApiKey>> {
        self.write("withdraw a key", move |session| {
            journal::revoke_key(session, id, &audit)
        })
    }

    fn keys(&self) -> Answer<'_, Vec<ApiKey>> {
        self.read("list keys", journal::keys)
    }

    fn add_session(&self, new: NewApiSession, audit: NewAudit) -> Answer<'_, Option<ApiSession>> {
        self.write("store a session", move |session| {
            journal::add_session(session, &new, &audit)
        })
    }

    fn end_session(&self, hash: Hash, audit: NewAudit) -> Answer<'_, bool> {
        self.write("end a session", move |session| {
            journal::end_session(session, &hash, &audit)
        })
    }

    fn forget_sessions(&self, now: UtcMillis) -> Answer<'_, u32> {
        self.write("forget old sessions", move |session| {
            journal::forget_sessions(session, now)
        })
    }

    fn sessions(&self) -> Answer<'_, Vec<ApiSession>> {
        self.read("list sessions", journal::sessions)
    }

    fn record_audit(&self, audit: NewAudit) -> Answer<'_, ()> {
        self.write("write the audit trail", move |session| {
            journal::record_audit(&session.connection, &audit)
        })
    }

    fn audit(&self, query: AuditQuery) -> Answer<'_, Vec<AuditRecord>> {
        self.read("list the audit trail", move |connection| {
            journal::audit(connection, &query)
        })
    }

    fn import(
        &self,
        source: String,
        readings: Vec<ImportedReading>,
        audit: NewAudit,
    ) -> Answer<'_, u64> {
        self.write("import readings", move |session| {
            journal::import(session, &source, &readings, &audit)
        })
    }

    fn imported(
        &self,
        source: String,
        after: Option<u64>,
        limit: u32,
    ) -> Answer<'_, Vec<ImportedReading>> {
        self.read("list imported readings", move |connection| {
            journal::imported(connection, &source, after, limit)
        })
    }

    fn import_sources(&self) -> Answer<'_, Vec<String>> {
        self.read("list imports", journal::import_sources)
    }

    fn add_firmware_root(&self, number: u32, bytes: Vec<u8>, audit: NewAudit) -> Answer<'_, bool> {
        self.write("store a firmware root", move |session| {
            firmware::add_root(session, number, &bytes, &audit)
        })
    }

    fn firmware_roots(&self) -> Answer<'_, Vec<FirmwareRoot>> {
        self.read("list firmware roots", firmware::roots)
    }

    fn publish_firmware(
        &self,
        mut new: NewFirmwareRelease,
        audit: NewAudit,
    ) -> Answer<'_, (FirmwareRelease, bool)> {
        Box::pin(async move {
            let _alone = self.publishing.lock().await;
            let objects = core::mem::take(&mut new.objects);
            let wanted = objects
                .iter()
                .map(|(digest, _)| *digest)
                .collect::<Vec<_>>();
            let look =
                move |connection: &Connection| firmware::missing_objects(connection, &wanted);
            let missing = self.read("look for a release's objects", look).await?;
            for (digest, content) in objects {
                if missing.contains(&digest) {
                    self.write_object(digest, Arc::from(content)).await?;
                }
            }
            let publish = move |session: &mut Session| firmware::publish(session, &new, &audit);
            self.write("publish a release", publish).await
        })
    }

    fn withdraw_firmware(
        &self,
        digest: Hash,
        audit: NewAudit,
    ) -> Answer<'_, Option<FirmwareRelease>> {
        self.write("withdraw a release", move |session| {
            firmware::withdraw(session, &digest, &audit)
        })
    }

    fn firmware_release(&self, digest: Hash) -> Answer<'_, Option<FirmwareRelease>> {
        self.read("find a release", move |connection| {
            firmware::release(connection, &digest)
        })
    }

    fn firmware_releases(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Answer<'_, Vec<FirmwareRelease>> {
        self.read("list releases", move |connection| {
            firmware::releases(connection, before, limit)
        })
    }

    fn firmware_object(
        &self,
        digest: Hash,
        from: u64,
        most: usize,
    ) -> Answer<'_, Option<ObjectRange>> {
        self.read("read an object", move |connection| {
            firmware::object_range(connection, &digest, from, most.min(OBJECT_PIECE_BYTES))
        })
    }

    fn put_firmware_questions(&self, questions: Vec<DeviceQuestion>) -> Answer<'_, ()> {
        self.write("store the questions of devices", move |session| {
            firmware::put_questions(session, &questions)
        })
    }

    fn firmware_question(&self, id: InstallationId) -> Answer<'_, Option<DeviceQuestion>> {
        self.read("find a device's question", move |connection| {
            firmware::question(connection, id)
        })
    }

    fn firmware_devices(
        &self,
        after: InstallationId,
        limit: u32,
    ) -> Answer<'_, Vec<FirmwareDevice>> {
        self.read("list devices", move |connection| {
            firmware::devices(connection, after, limit)
        })
    }

    fn firmware_device(&self, id: InstallationId) -> Answer<'_, Option<FirmwareDevice>> {
        self.read("find a device", move |connection| {
            firmware::device(connection, id)
        })
    }

    fn add_firmware_report(
        &self,
        id: InstallationId,
        report: StoredUpdateReport,
        audit: NewAudit,
    ) -> Answer<'_, bool> {
        self.write("store a device's report", move |session| {
            firmware::add_report(session, id, &report, &audit)
        })
    }

    fn firmware_reports(
        &self,
        id: InstallationId,
        limit: u32,
    ) -> Answer<'_, Vec<StoredUpdateReport>> {
        self.read("list a device's reports", move |connection| {
            firmware::reports(connection, id, limit)
        })
    }

    fn add_rollout(&self, new: NewRollout, audit: NewAudit) -> Answer<'_, Option<StoredRollout>> {
        self.write("begin a rollout", move |session| {
            firmware::add_rollout(session, &new, &audit)
        })
    }

    fn change_rollout(&self, id: RolloutId, change: RolloutChange) -> Answer<'_, Option<EventId>> {
        self.write("change a rollout", move |session| {
            firmware::change_rollout(session, id, &change)
        })
    }

    fn rollout(&self, id: RolloutId) -> Answer<'_, Option<StoredRollout>> {
        self.read("find a rollout", move |connection| {
            firmware::rollout(connection, id)
        })
    }

    fn rollouts(&self, before: Option<RolloutId>, limit: u32) -> Answer<'_, Vec<StoredRollout>> {
        self.read("list rollouts", move |connection| {
            firmware::rollouts(connection, before, limit)
        })
    }

    fn rollouts_of(&self, release: Hash) -> Answer<'_, Vec<RolloutId>> {
        self.read("list the rollouts of a release", move |connection| {
            firmware::rollouts_of(connection, &release)
        })
    }

    fn telling_rollouts(&self) -> Answer<'_, Vec<RolloutId>> {
        self.read(
            "list rollouts that are not over",
            firmware::telling_rollouts,
        )
    }

    fn rollout_members(
        &self,
        id: RolloutId,
        from: u32,
        limit: u32,
    ) -> Answer<'_, Vec<RolloutMember>> {
        self.read("list the meters of a rollout", move |connection| {
            firmware::rollout_members(connection, id, from, limit)
        })
    }

    fn maintain(&self) -> Answer<'_, Maintenance> {
        Box::pin(async move {
            // Two plans at once would want the same rows.
            let _alone = self.maintenance.lock().await;
            let plan = self.read("plan to merge windows", upkeep::plan).await?;
            self.write("merge windows", move |session| {
                // Whoever needs a head has less to append to it then.
                session.flush()?;
                upkeep::forget_old_events(session)?;
                match &plan {
                    Some(plan) => upkeep::carry_out(session, plan),
                    None => Ok(Maintenance::default()),
                }
            })
            .await
        })
    }

    fn backup<'a>(&'a self, path: &'a Path) -> Answer<'a, ()> {
        let path = path.to_owned();
        let source = self.path.clone();
        self.read("write a backup", move |_| {
            let from = connect(&source, SqliteOptions::default().cache_kib)?;
            let mut to = Connection::open(&path)?;
            // In one step, which is one snapshot: a backup in several steps starts again whenever
            // the writer commits between them. Writes go on meanwhile, into the log.
            Backup::new(&from, &mut to)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
            journal::forget_all_sessions(&to)
        })
    }

    fn integrity(&self) -> Answer<'_, Integrity> {
        self.read("check everything", upkeep::integrity)
    }

    fn statistics(&self) -> Answer<'_, Statistics> {
        let commits = self.commits.load(Ordering::Relaxed);
        self.read("count", move |connection| {
            upkeep::statistics(connection, commits)
        })
    }

    fn is_running(&self) -> bool {
        let threads = lock(&self.threads);
        !threads.is_empty() && !threads.iter().any(JoinHandle::is_finished)
    }

    fn ready(&self) -> Answer<'_, ()> {
        if !self.is_running() {
            return Box::pin(core::future::ready(Err(StoreError::Closed)));
        }
        self.write("answer", |_| Ok(()))
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.hang_up();
            let threads = core::mem::take(&mut *lock(&self.threads));
            let (reply, done) = oneshot::channel();
            // Joining blocks, so a thread of its own does it.
            spawn("ww-store-close", move || {
                for thread in threads {
                    drop(thread.join());
                }
                // Whoever asked may have gone.
                reply.send(()).ok();
            })?;
            done.await.map_err(|_| StoreError::Closed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fault_that_ends_a_thread_is_told_and_no_longer_ready() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        for fault in ["read", "write"] {
            let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
            assert!(store.is_running());
            store.ready().await.unwrap();
            let failed: Answer<'_, ()> = match fault {
                "read" => store.read(fault, |_| panic!("a fault in a query")),
                _ => store.write(fault, |_| panic!("a fault in a change")),
            };
            assert!(matches!(failed.await, Err(StoreError::Closed)));
            // The answer is gone a moment before the thread is.
            for _ in 0..1_000_000 {
                if !store.is_running() {
                    break;
                }
                std::thread::yield_now();
            }
            assert!(!store.is_running(), "{fault}");
            assert!(matches!(store.ready().await, Err(StoreError::Closed)));
        }
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_not_begun() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let options = SqliteOptions {
            readers: 1,
            ..SqliteOptions::default()
        };
        let store = SqliteStore::open(&path, options).unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let first = store.read("hold the only reader", move |_| {
            held.recv().ok();
            Ok(())
        });
        let abandoned = store.read("never begun", |_| -> Result<()> {
            panic!("nobody waits for it")
        });
        let give_up = async {
            tokio::select! {
                biased;
                _ = abandoned => unreachable!("the only reader is held"),
                () = core::future::ready(()) => {}
            }
            drop(release);
        };
        let (held, ()) = tokio::join!(first, give_up);
        held.unwrap();
        store.installations().await.unwrap();
        assert!(store.is_running());
    }
}
