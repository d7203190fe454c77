//! The trait that every storage backend keeps. SQL is in the backends, cryptography in neither.

use core::future::Future;
use core::pin::Pin;
use std::path::Path;

use ww_wire::{
    AnyReading, ChainIndex, ChainRecord, Correction, Enrolment, Hash, Label, MeterId, Replacement,
    Revocation, Sequence, StatusReport, UtcMillis, Window,
};

use crate::{
    Acceptance, Announced, Announcement, ApiKey, ApiSession, AuditQuery, AuditRecord, ChainEnd,
    Chart, DeviceQuestion, EnergySummary, Event, EventId, Evidence, EvidenceSum, Finding,
    FindingSum, FirmwareDevice, FirmwareRelease, FirmwareRoot, ImportedReading, Installation,
    InstallationId, KeyId, Mark, MarkQuery, Moment, NewApiKey, NewApiSession, NewAudit, NewFinding,
    NewFirmwareRelease, NewRollout, ObjectRange, ProvenReading, ReadingId, ReadingQuery, Refusal,
    RolloutChange, RolloutId, RolloutMember, Span, StoreError, StoredChainRecord, StoredEnrolment,
    StoredReading, StoredReport, StoredRollout, StoredStatement, StoredUpdateReport, StoredWindow,
    Verified, WholeWindow, WindowQuery, WindowReadings,
};

/// A future answer of the store. It does no work on the thread that polls it.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What was found of each installation, by number. One of which nothing can be read does not hide the others.
pub type OfAll<T> = Vec<(InstallationId, Result<T, StoreError>)>;

/// One thing that a meter sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ingest {
    /// A reading with a signature of its own.
    Reading(Verified<AnyReading>),
    /// A window, with its readings if they came too.
    Window(Verified<Window>, Option<WindowReadings>),
    /// A Boot or Gap. (A window here is one without readings.)
    Chain(Verified<ChainRecord>),
    /// A status report.
    Status(Verified<StatusReport>),
    /// Something odd about the record before it; stored if that one is.
    Finding(NewFinding),
}

/// What became of one [`Ingest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is durable now.
    Stored(Receipt),
    /// The very same payload was durable before: the first answer again.
    Duplicate(Receipt),
    /// It was not taken.
    Refused(Refusal),
}

/// What the store knows of a record that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whose.
    pub installation: InstallationId,
    /// When it was stored first.
    pub received: Option<UtcMillis>,
    /// The chain record expected next from this meter, after the whole batch.
    pub next_index: ChainIndex,
    /// Of a reading: the window that it is sealed in.
    pub sealed_in: Option<ChainIndex>,
    /// The event that tells of it, if it made one.
    pub event: Option<EventId>,
}

/// What one step of maintenance did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// Windows that were merged into compact columns.
    pub compacted_windows: u32,
    /// Their readings.
    pub compacted_readings: u32,
    /// Whether there is more to do at once.
    pub more: bool,
}

/// Sizes, for metrics and the benchmark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Installations of any state.
    pub installations: u64,
    /// Readings that still carry a signature of their own.
    pub live_readings: u64,
    /// Readings proven by a window.
    pub sealed_readings: u64,
    /// Of those, readings in compact columns.
    pub compacted_readings: u64,
    /// Windows.
    pub windows: u64,
    /// Bytes of the database in use (pages that are not free).
    pub bytes: u64,
    /// Of those, bytes of single readings with their signatures and indexes.
    pub live_bytes: u64,
    /// Commits since the store was opened.
    pub commits: u64,
}

/// The result of checking everything that is stored against itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Integrity {
    /// Readings that were looked at.
    pub readings: u64,
    /// Windows that were rebuilt and compared.
    pub windows: u64,
    /// Rollups that were recomputed from the readings.
    pub rollups: u64,
    /// What does not fit, in words with ids; empty when all is well.
    pub faults: Vec<String>,
}

/// Storage of one gateway or of many.
///
/// - Whatever was answered as stored is durable: the answer comes after the commit and its fsync.
/// - What is written by one call is written in one transaction, with its rollups and events.
/// - Calls may be dropped while they wait: the work is then done or not done, but never half.
/// - `now` and `received` come from the caller; `None` when it does not know the time.
pub trait Store: Send + Sync + 'static {
    // Writing what meters send.

    /// Stores what a meter or several sent, in order, and answers one [`Outcome`] for each. Many
    /// calls share one commit. A refusal of one leaves the others untouched.
    fn ingest(&self, batch: Vec<Ingest>, received: Option<UtcMillis>) -> Answer<'_, Vec<Outcome>>;

    /// Takes a meter's announcement, unless `waiting_limit` of them wait already and none of those
    /// has waited for a day: the one that has waited longest makes room. A known key is never
    /// overwritten.
    ///
    /// Refused: [`Refusal::UnknownTimeZone`].
    fn announce(
        &self,
        announcement: Announcement,
        waiting_limit: u32,
        audit: NewAudit,
    ) -> Answer<'_, Announced>;

    // Writing what operators say. Each line of the audit trail is in the same transaction.

    /// Stores an enrolment and makes its meter active; an installation that did not announce itself
    /// comes into being with `label`'s name and zone. The same enrolment again changes nothing.
    /// `replacement` comes before it, as by [`Store::replace`]: all of it is done, or nothing.
    ///
    /// Refused: [`Refusal::SensorTaken`], [`Refusal::StaleEnrolment`], [`Refusal::NotActive`] for a
    /// revoked meter, [`Refusal::UnknownTimeZone`], and what [`Store::replace`] refuses.
    fn enrol(
        &self,
        enrolment: Verified<Enrolment>,
        label: Option<Verified<Label>>,
        replacement: Option<(Verified<Replacement>, NewAudit)>,
        audit: NewAudit,
    ) -> Answer<'_, Installation>;

    /// Stores an enrolment that was brought and the one that takes its place, as by [`Store::enrol`]
    /// one after the other: both, or neither.
    ///
    /// Refused: as by [`Store::enrol`].
    fn renew(
        &self,
        brought: (Verified<Enrolment>, NewAudit),
        renewed: (Verified<Enrolment>, NewAudit),
    ) -> Answer<'_, Installation>;

    /// Stores a meter's consent to its enrolment; the same consent again changes nothing.
    ///
    /// Refused: [`Refusal::UnknownMeter`], [`Refusal::UnknownEnrolment`].
    fn accept_enrolment(
        &self,
        acceptance: Verified<Acceptance>,
        audit: NewAudit,
    ) -> Answer<'_, Installation>;

    /// Stores a name and time zone. A new zone rebuilds the site's local rollups. One that was replaced keeps
    /// the zone of the installation that follows it.
    ///
    /// Refused: [`Refusal::UnknownMeter`], [`Refusal::UnknownTimeZone`].
    fn label(&self, label: Verified<Label>, audit: NewAudit) -> Answer<'_, Installation>;

    /// Appends a correction.
    ///
    /// Refused: [`Refusal::UnknownMeter`].
    fn correct(
        &self,
        correction: Verified<Correction>,
        audit: NewAudit,
    ) -> Answer<'_, Installation>;

    /// Ends the trust in a meter from now on.
    ///
    /// Refused: [`Refusal::UnknownMeter`].
    fn revoke(&self, revocation: Verified<Revocation>, audit: NewAudit)
    -> Answer<'_, Installation>;

    /// Lets one meter follow another: lifetime totals and charts of the new one go on from the old,
    /// of which nothing past the record that is named is taken any more. That record must be the
    /// last one held, see [`Store::chain_end`]. The answer is the new installation.
    ///
    /// The caller answers for an operator having decided it; the store cannot tell.
    ///
    /// Refused: [`Refusal::UnknownMeter`], [`Refusal::UnfitReplacement`].
    fn replace(
        &self,
        replacement: Verified<Replacement>,
        audit: NewAudit,
    ) -> Answer<'_, Installation>;

    // Asking.

    /// All installations, by number.
    fn installations(&self) -> Answer<'_, Vec<Installation>>;

    /// One installation.
    fn installation(&self, id: InstallationId) -> Answer<'_, Option<Installation>>;

    /// The installation of a meter.
    fn installation_of(&self, meter: MeterId) -> Answer<'_, Option<Installation>>;

    /// Where the chain of an installation ends; `None` while it has no record.
    fn chain_end(&self, id: InstallationId) -> Answer<'_, Option<ChainEnd>>;

    /// All enrolments of an installation, by number.
    fn enrolments(&self, id: InstallationId) -> Answer<'_, Vec<StoredEnrolment>>;

    /// All labels, corrections, revocations and replacements of an installation, oldest first.
    fn statements(&self, id: InstallationId) -> Answer<'_, Vec<StoredStatement>>;

    /// The newest status report of an installation.
    fn status_report(&self, id: InstallationId) -> Answer<'_, Option<StoredReport>>;

    /// The reading with the newest measurement time (of those of one time, the highest number). One
    /// that was more than a minute ahead of the time of its arrival is the latest only while its
    /// number is the highest: it cannot stand for years, and a gateway whose clock is behind still
    /// shows what comes. If that leaves none, the one with the highest number.
    fn latest(&self, id: InstallationId) -> Answer<'_, Option<StoredReading>>;

    /// The latest reading of every installation that was ever approved and has one, as by
    /// [`Store::latest`], all at one moment.
    fn latest_of_all(&self) -> Answer<'_, OfAll<StoredReading>>;

    /// Readings, newest first.
    fn readings(&self, query: ReadingQuery) -> Answer<'_, Vec<StoredReading>>;

    /// Readings, oldest first: `after` of the query is what comes before them in this list.
    fn oldest_readings(&self, query: ReadingQuery) -> Answer<'_, Vec<StoredReading>>;

    /// Readings of `[start, end]` thinned to at most `max_points` that keep the shape of the power
    /// curve (the first and the last, the highest and lowest of each stretch), newest first. The work
    /// is bounded: of a very long span, the highest and lowest of each day that is merged, and windows
    /// or days evenly spread over it, are looked at.
    fn thinned(
        &self,
        id: InstallationId,
        start: UtcMillis,
        end: UtcMillis,
        max_points: u32,
    ) -> Answer<'_, Vec<StoredReading>>;

    /// One reading with everything that proves it.
    fn reading(&self, id: InstallationId, sequence: Sequence) -> Answer<'_, Option<ProvenReading>>;

    /// Readings that are on no chain yet, by id, after `after`, at most `limit`.
    fn pending(&self, after: Option<ReadingId>, limit: u32) -> Answer<'_, Vec<StoredReading>>;

    /// Windows, oldest first.
    fn windows(&self, query: WindowQuery) -> Answer<'_, Vec<StoredWindow>>;

    /// One window with its readings; `None` when no window of this index is held.
    fn window(&self, id: InstallationId, index: ChainIndex) -> Answer<'_, Option<WholeWindow>>;

    /// Chain records from index `from` up to and without `to`, at most `limit`, by index.
    fn chain(
        &self,
        id: InstallationId,
        from: ChainIndex,
        to: ChainIndex,
        limit: u32,
    ) -> Answer<'_, Vec<StoredChainRecord>>;

    /// The bars of a chart that ends now, in the site's time zone; `None` when there is no such
    /// installation.
    fn chart(&self, id: InstallationId, span: Span, now: UtcMillis) -> Answer<'_, Option<Chart>>;

    /// The bars of the whole hour, local day, week from Monday, month or year that holds the moment, in
    /// the site's time zone, all of them, whether there is a reading in them or not; `None` when there
    /// is no such installation. Those of the future are empty but for what meters with a fast clock have
    /// stated.
    fn whole_chart(
        &self,
        id: InstallationId,
        span: Span,
        moment: Moment,
    ) -> Answer<'_, Option<Chart>>;

    /// The energy figures; `None` when there is no such installation.
    fn energy(&self, id: InstallationId, now: UtcMillis) -> Answer<'_, Option<EnergySummary>>;

    /// The energy figures of every installation that was ever approved, as by [`Store::energy`], all at one
    /// moment. While it is not known what time it is, each calendar ends with the latest reading.
    fn energies(&self, now: Option<UtcMillis>) -> Answer<'_, OfAll<EnergySummary>>;

    /// What interrupted a meter, oldest first. Outages of a span of more than two days are whole steps of
    /// ten minutes without a reading, of more than two years whole hours. The work is bounded: the newest
    /// 20 years of a span, and of them 2,000 starts, are looked at, and the first 2,000 gaps from its
    /// beginning on, with 20,000 windows of all of them: of a gap beyond those only its record tells when it was.
    fn marks(&self, query: MarkQuery) -> Answer<'_, Vec<Mark>>;

    /// Findings after `after`, by place, at most `limit`; of all installations if none is named.
    fn findings(
        &self,
        id: Option<InstallationId>,
        after: u64,
        limit: u32,
    ) -> Answer<'_, Vec<Finding>>;

    /// The findings of each installation and kind since the beginning of the day of UTC that `since` lies
    /// in, in no order. Those that were stored while the gateway did not know the time are not among them.
    /// The work goes by installations, kinds and days, however many findings there are.
    fn finding_sums(&self, since: UtcMillis) -> Answer<'_, Vec<FindingSum>>;

    /// The evidence against each installation against which there is some, by number.
    fn evidence_sums(&self) -> Answer<'_, Vec<EvidenceSum>>;

    /// Evidence after `after`, by place, at most `limit`; of all installations if none is named.
    fn evidence(
        &self,
        id: Option<InstallationId>,
        after: u64,
        limit: u32,
    ) -> Answer<'_, Vec<Evidence>>;

    /// Events after `after`, in order, at most `limit`. Old events are forgotten; whoever asks for
    /// them gets the oldest that are kept.
    fn events(&self, after: EventId, limit: u32) -> Answer<'_, Vec<Event>>;

    /// The newest event; 0 when there is none yet.
    fn last_event(&self) -> Answer<'_, EventId>;

    // Keys, audit trail, imports.

    /// Stores an API key.
    fn add_key(&self, key: NewApiKey, audit: NewAudit) -> Answer<'_, ApiKey>;

    /// Withdraws an API key and ends its sessions; `None` when there is none of this number.
    fn revoke_key(&self, id: KeyId, audit: NewAudit) -> Answer<'_, Option<ApiKey>>;

    /// All API keys, withdrawn ones included, by number.
    fn keys(&self) -> Answer<'_, Vec<ApiKey>>;

    /// Stores a session; `None` when its key was withdrawn or never was. One key has no more than
    /// [`SESSIONS_PER_KEY`]: of more, those that end first are forgotten.
    ///
    /// [`SESSIONS_PER_KEY`]: crate::SESSIONS_PER_KEY
    fn add_session(&self, new: NewApiSession, audit: NewAudit) -> Answer<'_, Option<ApiSession>>;

    /// Ends a session; answers whether there was one. Without one nothing is written.
    fn end_session(&self, hash: Hash, audit: NewAudit) -> Answer<'_, bool>;

    /// Forgets the sessions that have ended by `now`, by themselves or with their key; answers how
    /// many there were.
    fn forget_sessions(&self, now: UtcMillis) -> Answer<'_, u32>;

    /// All sessions that are kept, in no order that means anything.
    fn sessions(&self) -> Answer<'_, Vec<ApiSession>>;

    /// Writes a line of the audit trail that belongs to no other change.
    fn record_audit(&self, audit: NewAudit) -> Answer<'_, ()>;

    /// Lines of the audit trail, newest first.
    fn audit(&self, query: AuditQuery) -> Answer<'_, Vec<AuditRecord>>;

    /// Takes over readings of an older system under the name `source`, apart from everything else;
    /// answers how many were new.
    fn import(
        &self,
        source: String,
        readings: Vec<ImportedReading>,
        audit: NewAudit,
    ) -> Answer<'_, u64>;

    /// Readings taken over under the name `source`, by their old number after `after`.
    fn imported(
        &self,
        source: String,
        after: Option<u64>,
        limit: u32,
    ) -> Answer<'_, Vec<ImportedReading>>;

    /// The names under which readings were taken over.
    fn import_sources(&self) -> Answer<'_, Vec<String>>;

    // Firmware.

    /// Stores a root, unless there is one with its number: tells whether it is new.
    fn add_firmware_root(&self, number: u32, bytes: Vec<u8>, audit: NewAudit) -> Answer<'_, bool>;

    /// All roots, by number.
    fn firmware_roots(&self) -> Answer<'_, Vec<FirmwareRoot>>;

    /// Stores a release and its objects, unless there is one with its digest: tells whether it is new.
    /// The objects are written in pieces before the release; one call at a time.
    fn publish_firmware(
        &self,
        new: NewFirmwareRelease,
        audit: NewAudit,
    ) -> Answer<'_, (FirmwareRelease, bool)>;

    /// Withdraws a release; `None` when there is none. Withdrawing twice keeps the first time.
    fn withdraw_firmware(
        &self,
        digest: Hash,
        audit: NewAudit,
    ) -> Answer<'_, Option<FirmwareRelease>>;

    /// One release.
    fn firmware_release(&self, digest: Hash) -> Answer<'_, Option<FirmwareRelease>>;

    /// Releases, newest first, with places below `before`, at most `limit`.
    fn firmware_releases(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Answer<'_, Vec<FirmwareRelease>>;

    /// Bytes of an object from `from` on, at most `most`, which is at most [`crate::OBJECT_PIECE_BYTES`]; fewer
    /// when it ends, and none past its end. `None` when there is no such object.
    fn firmware_object(
        &self,
        digest: Hash,
        from: u64,
        most: usize,
    ) -> Answer<'_, Option<ObjectRange>>;

    /// Stores the newest question of devices, each in the place of the one before; of two in one call the
    /// later one stays.
    fn put_firmware_questions(&self, questions: Vec<DeviceQuestion>) -> Answer<'_, ()>;

    /// The newest question of a device.
    fn firmware_question(&self, id: InstallationId) -> Answer<'_, Option<DeviceQuestion>>;

    /// Meters in service that no other follows, by number of the installation, after `after`, at most
    /// `limit`.
    fn firmware_devices(
        &self,
        after: InstallationId,
        limit: u32,
    ) -> Answer<'_, Vec<FirmwareDevice>>;

    /// One of them.
    fn firmware_device(&self, id: InstallationId) -> Answer<'_, Option<FirmwareDevice>>;

    /// Stores what a device reported, unless it did before: tells whether it is new. Of one meter the
    /// newest [`crate::FIRMWARE_REPORTS_KEPT`] are kept.
    fn add_firmware_report(
        &self,
        id: InstallationId,
        report: StoredUpdateReport,
        audit: NewAudit,
    ) -> Answer<'_, bool>;

    /// What a device reported, newest first, at most `limit`.
    fn firmware_reports(
        &self,
        id: InstallationId,
        limit: u32,
    ) -> Answer<'_, Vec<StoredUpdateReport>>;

    /// Stores a rollout. The subject of its audit line becomes `rollout` and its number. `None`, and
    /// nothing is changed, when one of its meters is in another that is open.
    fn add_rollout(&self, new: NewRollout, audit: NewAudit) -> Answer<'_, Option<StoredRollout>>;

    /// Stores what happened to a rollout; tells the event if there is one.
    fn change_rollout(&self, id: RolloutId, change: RolloutChange) -> Answer<'_, Option<EventId>>;

    /// One rollout.
    fn rollout(&self, id: RolloutId) -> Answer<'_, Option<StoredRollout>>;

    /// Rollouts, newest first, with numbers below `before`, at most `limit`.
    fn rollouts(&self, before: Option<RolloutId>, limit: u32) -> Answer<'_, Vec<StoredRollout>>;

    /// All rollouts of a release, by number.
    fn rollouts_of(&self, release: Hash) -> Answer<'_, Vec<RolloutId>>;

    /// Those that are not over, by number.
    fn telling_rollouts(&self) -> Answer<'_, Vec<RolloutId>>;

    /// The meters of a rollout from a place on, in their order, at most `limit`.
    fn rollout_members(
        &self,
        id: RolloutId,
        from: u32,
        limit: u32,
    ) -> Answer<'_, Vec<RolloutMember>>;

    // Upkeep.

    /// Does one bounded step of upkeep: merges windows into compact columns, forgets old events.
    /// Call it now and then, and again at once while [`Maintenance::more`] is set.
    fn maintain(&self) -> Answer<'_, Maintenance>;

    /// Writes a consistent copy of everything but the sessions to a new file while work goes on.
    fn backup<'a>(&'a self, path: &'a Path) -> Answer<'a, ()>;

    /// Checks everything stored against itself. Slow: it looks at every reading.
    fn integrity(&self) -> Answer<'_, Integrity>;

    /// Sizes and counts.
    fn statistics(&self) -> Answer<'_, Statistics>;

    /// Whether everything that the store runs on still runs; false after a fault of the program has
    /// ended a part of it, and once it is closed. Answers at once.
    fn is_running(&self) -> bool;

    /// Whether the store answers and can write.
    fn ready(&self) -> Answer<'_, ()>;

    /// Takes no new work, finishes what was taken, and closes.
    fn close(&self) -> Answer<'_, ()>;
}

const _: fn(&dyn Store) = |_| {};
