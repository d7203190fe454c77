//! The SQLite backend under the shared suite, and what only SQLite can get wrong.

#![expect(
    clippy::unwrap_used,
    reason = "the suite's claims are functions outside of #[test]"
)]

mod suite;

use std::sync::Arc;

use proptest::prelude::*;
use suite::meter::{Meter, audit, live, sealed, utc};
use suite::{
    Backend, active, all, assert_whole, key_of, newest_lines, sessions_of, take, take_one,
};
use tempfile::TempDir;
use ww_store::{
    FindingKind, Ingest, NewFinding, Span, SqliteOptions, SqliteStore, Store, StoreError,
};
use ww_wire::{AnyReading, UtcMillis};

struct Sqlite(TempDir);

impl Backend for Sqlite {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn open(&self) -> Arc<dyn Store> {
        let path = self.0.path().join("store.db");
        // Few fresh readings, so that every claim sees them filed.
        let options = SqliteOptions {
            fresh_readings: 16,
            ..SqliteOptions::default()
        };
        Arc::new(SqliteStore::open(&path, options).unwrap())
    }
}

store_suite! { Sqlite;
    a_stored_reading_comes_back_to_the_last_bit,
    what_was_answered_is_there_after_a_restart,
    the_same_reading_again_gets_the_first_answer,
    another_reading_with_the_same_number_is_refused_and_both_are_kept,
    a_sealed_reading_cannot_be_contradicted_either,
    an_unknown_waiting_or_revoked_meter_stores_nothing,
    announcing_again_changes_nothing_and_waiting_is_bounded,
    a_window_drops_the_single_signatures_and_proves_every_reading,
    a_window_that_contradicts_a_signed_reading_is_refused,
    readings_of_another_window_are_not_taken_for_this_one,
    a_record_that_does_not_name_the_one_before_is_refused,
    a_spliced_window_does_not_fit_the_one_after_it,
    a_hole_in_the_chain_holds_the_next_index_until_a_gap_covers_it,
    who_fills_a_hole_before_many_records_sends_again_until_all_are_passed,
    a_backlog_behind_a_live_reading_moves_its_energy_to_where_it_belongs,
    a_window_without_readings_keeps_its_energy_and_takes_them_later,
    a_window_over_readings_that_come_one_by_one_is_sealed_by_the_last,
    overlapping_windows_are_refused,
    produced_that_falls_is_refused,
    one_refused_record_leaves_the_others_of_its_batch_alone,
    readings_of_unknown_time_count_in_lifetime_only,
    the_latest_reading_is_the_one_with_the_newest_time,
    the_average_is_of_whole_days_and_there_is_none_before_the_first,
    pages_follow_one_another_without_loss_or_repetition,
    thinning_keeps_the_peak_and_stays_within_its_bound,
    chain_records_come_with_their_readings_in_order,
    days_of_windows_become_compact_and_lose_nothing,
    a_new_time_zone_moves_the_days,
    the_day_of_the_change_to_winter_has_25_hours_of_energy,
    a_whole_period_has_all_of_its_bars_with_and_without_readings,
    a_whole_period_goes_on_from_the_meter_that_was_replaced,
    a_time_without_readings_is_an_outage_that_begins_and_ends_with_one,
    outages_of_days_are_steps_without_a_reading_wherever_these_are_kept,
    outages_of_years_are_hours_without_a_reading,
    an_outage_beside_windows_without_readings_is_the_same_in_every_span,
    a_start_beside_a_window_of_a_wrong_clock_is_marked,
    a_start_is_marked_when_it_was_or_with_the_first_reading_after_it,
    what_a_meter_gave_up_is_marked_when_it_was_measured,
    of_too_many_marks_the_longest_outages_are_kept,
    a_window_comes_with_its_readings_and_neighbours_wherever_it_is_kept,
    findings_of_a_week_are_counted_by_kind_and_evidence_by_meter,
    a_park_is_told_as_each_of_its_meters_is,
    all_readings_come_oldest_first_page_by_page_without_loss_or_repetition,
    lifetime_goes_on_when_a_meter_is_replaced,
    who_has_waited_for_a_day_makes_room_in_a_full_list,
    who_came_while_the_time_was_unknown_is_not_the_first_to_go,
    a_replaced_meter_keeps_the_zone_of_its_follower,
    a_replacement_that_names_another_end_of_the_chain_is_refused,
    a_replaced_meter_counts_no_further_but_its_backlog_is_taken,
    what_a_replaced_meter_had_not_sealed_still_counts,
    what_a_meter_measured_beside_the_one_it_replaces_counts_once,
    a_meter_is_enrolled_in_the_place_of_another_or_not_at_all,
    a_window_that_does_not_open_where_the_last_one_closed_is_refused,
    across_a_gap_energy_may_have_risen_but_not_fallen,
    behind_many_other_records_energy_may_have_risen_but_not_fallen,
    a_window_in_a_hole_goes_on_from_its_neighbours_in_the_chunk,
    a_window_without_readings_closes_as_its_last_reading_did,
    what_is_known_already_is_no_sign_of_life,
    a_reading_from_the_future_is_not_the_latest_for_years,
    a_gateway_with_a_slow_clock_shows_what_comes_as_the_latest,
    a_correction_is_shown_beside_the_total,
    one_sensor_and_channel_has_one_active_meter,
    an_enrolment_is_accepted_by_its_meter_and_never_goes_back,
    an_enrolment_is_renewed_with_the_one_that_was_brought_or_not_at_all,
    events_are_resumed_where_one_left_off,
    pending_readings_go_by_id_over_all_installations,
    keys_are_kept_by_hash_and_stay_withdrawn,
    a_session_is_kept_until_it_or_its_key_ends,
    roots_are_kept_by_number_and_the_first_of_two_stays,
    a_release_comes_back_and_its_objects_are_read_in_ranges,
    the_same_release_again_changes_nothing_and_objects_are_shared,
    a_publication_that_broke_off_is_taken_up_anew,
    a_withdrawn_release_stays_withdrawn_by_the_first,
    the_newest_question_of_a_device_is_kept,
    devices_are_meters_in_service_with_what_they_run_and_asked,
    reports_are_kept_once_newest_first_and_bounded,
    a_meter_is_in_one_open_rollout_at_a_time,
    the_rows_of_a_rollout_change_one_by_one,
    a_change_of_a_rollout_is_told_and_stands_in_the_audit_trail,
    a_withdrawn_key_begins_no_session,
    a_key_has_no_more_than_so_many_sessions,
    the_audit_trail_is_asked_for_by_who_what_and_when,
    imported_readings_are_in_no_total,
    many_calls_at_once_share_commits,
    a_poisoned_call_fails_alone,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_interleaving_of_deliveries_ends_like_the_model(
        life in suite::model::life(),
        deliveries in suite::model::deliveries(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(suite::model::holds::<Sqlite>(&life, &deliveries));
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let backend = Sqlite::new();
    drop(backend.open());
    let path = backend.0.path().join("store.db");
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    drop(raw);
    let refused = SqliteStore::open(&path, SqliteOptions::default()).unwrap_err();
    assert!(matches!(refused, StoreError::NewerSchema { found: 99, .. }));
}

#[tokio::test]
async fn a_file_of_another_program_is_left_alone() {
    let backend = Sqlite::new();
    let path = backend.0.path().join("store.db");
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("CREATE TABLE theirs (a); PRAGMA user_version = 1")
        .unwrap();
    drop(raw);
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteStore::open(&path, SqliteOptions::default()).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged { .. }));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_restored_old_backup_is_filled_again_by_its_meter() {
    let (backend, restored) = (Sqlite::new(), Sqlite::new());
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "Europe/Berlin").await;
    let first = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let first_window = meter.seal(&first);
    take_one(&*store, sealed(first_window, &first)).await;
    let backup = backend.0.path().join("backup.db");
    store.backup(&backup).await.unwrap();
    let second = meter.ten_minutes(utc("2025-06-19T12:10:00Z"), 45);
    let second_window = meter.seal(&second);
    let tail = meter.read(Some(utc("2025-06-19T12:20:00Z")), 45);
    let after = vec![sealed(second_window, &second), live(tail)];
    take(&*store, after.clone()).await;
    let whole = all(&*store, id).await;

    let mut line = audit(None);
    line.action = "database.restore".to_owned();
    SqliteStore::restore(&backup, &restored.0.path().join("store.db"), &line).unwrap();
    let store = restored.open();
    let newest = &store.audit(newest_lines(1)).await.unwrap()[0];
    assert_eq!(newest.audit, line);
    assert_eq!(all(&*store, id).await.len(), 60);
    take_one(&*store, after[1].clone()).await;
    let mut again = vec![sealed(first_window, &first)];
    again.extend(after);
    take(&*store, again).await;
    assert_eq!(all(&*store, id).await, whole);
    assert_whole(&*store).await;
}

#[tokio::test]
async fn nobody_is_logged_in_on_a_restored_backup() {
    let (backend, restored) = (Sqlite::new(), Sqlite::new());
    let store = backend.open();
    let key = key_of(&*store, 1, None).await;
    let session = ww_store::NewApiSession {
        hash: ww_wire::Hash([7; 32]),
        key,
        expires: utc("2035-06-19T12:00:00Z"),
    };
    store.add_session(session, audit(None)).await.unwrap();
    let backup = backend.0.path().join("backup.db");
    store.backup(&backup).await.unwrap();
    assert_eq!(sessions_of(&*store).await, [7]);
    let path = restored.0.path().join("store.db");
    SqliteStore::restore(&backup, &path, &audit(None)).unwrap();
    assert!(sessions_of(&*restored.open()).await.is_empty());
    let copy = SqliteStore::open(&backup, SqliteOptions::default()).unwrap();
    assert!(sessions_of(&copy).await.is_empty());
}

#[tokio::test]
async fn what_an_earlier_database_and_restore_left_is_not_in_the_way_of_another() {
    let (backend, restored) = (Sqlite::new(), Sqlite::new());
    let store = backend.open();
    let key = key_of(&*store, 1, None).await;
    let backup = backend.0.path().join("backup.db");
    store.backup(&backup).await.unwrap();
    let folder = restored.0.path();
    for left in ["store.db-restoring", "store.db-wal", "store.db-shm"] {
        std::fs::write(folder.join(left), "left behind").unwrap();
    }
    let path = folder.join("store.db");
    SqliteStore::restore(&backup, &path, &audit(None)).unwrap();
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(restored.open().keys().await.unwrap()[0].id, key);
}

#[tokio::test]
async fn a_closed_store_says_so_and_keeps_what_it_answered() {
    let backend = Sqlite::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    take(
        &*store,
        readings.iter().map(|reading| live(*reading)).collect(),
    )
    .await;
    store.close().await.unwrap();
    let closed = store.ingest(vec![live(readings[0])], None).await;
    assert!(matches!(closed, Err(StoreError::Closed)));
    let store = backend.open();
    assert_eq!(all(&*store, id).await.len(), 60);
}

#[tokio::test]
async fn readings_are_filed_by_meter_before_there_are_too_many_to_scan() {
    let backend = Sqlite::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    for reading in meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45) {
        take_one(&*store, live(reading)).await;
    }
    let raw = rusqlite::Connection::open(backend.0.path().join("store.db")).unwrap();
    let count = |sql| raw.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    let (fresh, filed) = (
        count("SELECT count(*) FROM fresh"),
        count("SELECT count(*) FROM live"),
    );
    assert!(fresh < 16, "{fresh} fresh readings");
    assert_eq!(fresh + filed, 60);
}

#[tokio::test]
async fn a_reading_in_order_is_one_row_and_every_view_knows_it() {
    let backend = Sqlite::new();
    let path = backend.0.path().join("store.db");
    let open = || SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let store = open();
    let mut meter = Meter::new(1);
    let id = active(&store, &meter, "Europe/Berlin").await;
    let start = utc("2025-06-19T12:00:00Z");
    let readings = meter.ten_minutes(start, 45);
    for reading in &readings {
        take_one(&store, live(*reading)).await;
    }
    let raw = rusqlite::Connection::open(&path).unwrap();
    let written: i64 = raw
        .query_row("SELECT last_sequence FROM heads", [], |row| row.get(0))
        .unwrap();
    assert_eq!(written, 1, "only the first reading wrote its meter's head");
    store.close().await.unwrap();

    let store = open();
    let last = readings.last().unwrap().sum();
    let latest = store.latest(id).await.unwrap().unwrap();
    assert_eq!(latest.reading.sum(), last);
    let listed = store.installations().await.unwrap();
    assert_eq!(listed[0].last_reading.unwrap().sequence, last.sequence);
    assert_eq!(listed[0].last_seen, latest.received);
    assert_eq!(
        store.installation(id).await.unwrap().as_ref(),
        listed.first()
    );
    let now = UtcMillis::new(start.get() + 599_000).unwrap();
    let chart = store.chart(id, Span::Hour, now).await.unwrap().unwrap();
    let first = readings[0].sum().produced.get();
    assert_eq!(chart.total.get(), last.produced.get() - first);
    let energy = store.energy(id, now).await.unwrap().unwrap();
    assert_eq!(energy.lifetime, last.produced);
    assert_eq!(store.statistics().await.unwrap().live_readings, 60);
    assert_whole(&store).await;

    take_one(
        &store,
        live(meter.read(UtcMillis::new(start.get() + 600_000), 45)),
    )
    .await;
    assert_whole(&store).await;
}

#[tokio::test]
async fn a_meter_that_is_silent_keeps_its_head_when_others_fill_the_fresh_readings() {
    let backend = Sqlite::new();
    let mut store = backend.open();
    let (mut silent, mut busy) = (Meter::new(1), Meter::new(2));
    let id = active(&*store, &silent, "Europe/Berlin").await;
    active(&*store, &busy, "Europe/Berlin").await;
    let start = utc("2025-06-19T12:00:00Z").get();
    for round in 0..6 {
        let now = UtcMillis::new(start + round * 10_000);
        if round % 2 == 0 {
            store.close().await.unwrap();
            store = backend.open();
        }
        take_one(&*store, live(silent.read(now, 45))).await;
        if round % 3 == 0 {
            store.close().await.unwrap();
            store = backend.open();
        }
        // With the last of them there are as many as are filed.
        for _ in 0..15 {
            take_one(&*store, live(busy.read(now, 45))).await;
            let known = store.installation(id).await.unwrap().unwrap();
            assert_eq!(known.last_reading.unwrap().sequence.get(), round + 1);
        }
        assert_whole(&*store).await;
    }
}

#[tokio::test]
async fn a_fault_of_the_disk_after_a_rollback_leaves_no_head_behind_for_good() {
    let backend = Sqlite::new();
    let store = backend.open();
    let (mut silent, mut busy) = (Meter::new(1), Meter::new(2));
    active(&*store, &silent, "UTC").await;
    active(&*store, &busy, "UTC").await;
    let start = utc("2025-06-19T12:00:00Z").get();
    for round in 0..2 {
        let now = UtcMillis::new(start + round * 10_000);
        take_one(&*store, live(silent.read(now, 45))).await;
    }
    // As long as a table cannot be read nothing can be committed, nor be taken up again.
    let raw = rusqlite::Connection::open(backend.0.path().join("store.db")).unwrap();
    raw.execute_batch("ALTER TABLE events RENAME TO unreadable")
        .unwrap();
    let now = UtcMillis::new(start);
    for _ in 0..2 {
        let refused = store.ingest(vec![live(busy.read(now, 45))], now).await;
        refused.unwrap_err();
    }
    raw.execute_batch("ALTER TABLE unreadable RENAME TO events")
        .unwrap();
    for _ in 0..20 {
        take_one(&*store, live(busy.read(now, 45))).await;
    }
    let filed: u32 = raw
        .query_row("SELECT count(*) FROM live WHERE meter = 1", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(filed, 2);
    assert_whole(&*store).await;
}

#[tokio::test]
async fn an_import_beside_a_gateway_leaves_the_heads_of_its_meters_alone() {
    let backend = Sqlite::new();
    let gateway = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*gateway, &meter, "UTC").await;
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let (now, later) = readings.split_at(9);
    for reading in now {
        take_one(&*gateway, live(*reading)).await;
    }
    let importer = backend.open();
    for reading in later {
        take_one(&*gateway, live(*reading)).await;
    }
    let imported = importer.import("old".to_owned(), Vec::new(), audit(None));
    imported.await.unwrap();
    let held = gateway.installation(id).await.unwrap().unwrap();
    assert_eq!(held.last_reading.unwrap().sequence.get(), 60);
    assert_whole(&*gateway).await;
    importer.close().await.unwrap();
}

/// Days of ten-minute windows of two readings each, merged; on each day one reading has a peak.
async fn days_with_peaks(store: &dyn Store, meter: &mut Meter, days: u64) -> Vec<AnyReading> {
    let start = utc("2025-06-19T00:00:00Z").get();
    let mut peaks = Vec::new();
    for window in 0..days * 144 {
        let is_peak = window % 144 == 60 + window / 144;
        let at = |seconds: u64| UtcMillis::new(start + (window * 600 + seconds) * 1000);
        let readings = [
            meter.read(at(0), 45),
            meter.read(at(10), if is_peak { 900 } else { 45 }),
        ];
        if is_peak {
            peaks.push(readings[1]);
        }
        let window = meter.seal(&readings);
        take_one(store, sealed(window, &readings)).await;
    }
    while store.maintain().await.unwrap().more {}
    peaks
}

#[tokio::test]
async fn a_file_of_the_first_schema_is_taken_up_with_nothing_lost_or_counted_twice() {
    let backend = Sqlite::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "Europe/Berlin").await;
    days_with_peaks(&*store, &mut meter, 2).await;
    let readings = meter.ten_minutes(utc("2025-06-21T00:00:00Z"), 45);
    let (before, after) = readings.split_at(9);
    for reading in before {
        take_one(&*store, live(*reading)).await;
    }
    // Upkeep writes the heads, as every commit once did.
    store.maintain().await.unwrap();
    let held = store.installation(id).await.unwrap();
    let everything = all(&*store, id).await;
    store.close().await.unwrap();
    let raw = rusqlite::Connection::open(backend.0.path().join("store.db")).unwrap();
    raw.execute_batch(
        "ALTER TABLE heads DROP COLUMN fresh_id; DROP TABLE chunk_extremes;
         DROP TABLE sessions; DROP INDEX chain_of_others;
         DROP TABLE finding_days;
         DROP TABLE firmware_members; DROP TABLE firmware_rollouts;
         DROP TABLE firmware_reports; DROP TABLE firmware_questions; DROP TABLE firmware_pieces;
         DROP TABLE firmware_objects; DROP TABLE firmware_releases; DROP TABLE firmware_roots;
         PRAGMA user_version = 1",
    )
    .unwrap();

    let path = backend.0.path().join("store.db");
    assert!(!SqliteStore::is_up_to_date(&path).unwrap());
    let store = backend.open();
    assert!(SqliteStore::is_up_to_date(&path).unwrap());
    assert_eq!(store.installation(id).await.unwrap(), held);
    assert_eq!(all(&*store, id).await, everything);
    assert_whole(&*store).await;
    for reading in after {
        take_one(&*store, live(*reading)).await;
    }
    while store.maintain().await.unwrap().more {}
    assert_whole(&*store).await;
    let noted: Vec<bool> = raw
        .prepare("SELECT body IS NOT NULL FROM chunk_extremes")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(noted, [true, true]);
}

#[tokio::test]
async fn findings_of_an_older_file_are_counted_by_day_and_the_next_one_after_them() {
    let backend = Sqlite::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let mut note = async |store: &dyn Store, received: Option<&str>| {
        let finding = NewFinding {
            installation: id,
            kind: FindingKind::PowerAboveRating,
            number: meter.next_sequence,
            detail: String::new(),
        };
        let reading = live(meter.read(Some(utc("2025-06-19T00:00:00Z")), 10));
        let batch = vec![reading, Ingest::Finding(finding)];
        store.ingest(batch, received.map(utc)).await.unwrap();
    };
    note(&*store, Some("2025-06-18T23:59:59Z")).await;
    note(&*store, Some("2025-06-19T10:00:00Z")).await;
    note(&*store, Some("2025-06-19T11:00:00Z")).await;
    note(&*store, None).await;
    let counted = async |store: &dyn Store| {
        let mut sums = Vec::new();
        for since in ["2025-06-18T00:00:00Z", "2025-06-19T00:00:00Z"] {
            sums.extend(store.finding_sums(utc(since)).await.unwrap());
        }
        sums
    };
    let before = counted(&*store).await;
    store.close().await.unwrap();
    let raw = rusqlite::Connection::open(backend.0.path().join("store.db")).unwrap();
    raw.execute_batch(
        "DROP TABLE finding_days;
         DROP TABLE firmware_members; DROP TABLE firmware_rollouts;
         DROP TABLE firmware_reports; DROP TABLE firmware_questions; DROP TABLE firmware_pieces;
         DROP TABLE firmware_objects; DROP TABLE firmware_releases; DROP TABLE firmware_roots;
         PRAGMA user_version = 5",
    )
    .unwrap();

    let store = backend.open();
    let sums = counted(&*store).await;
    assert_eq!(sums, before);
    let counts = sums.iter().map(|sum| (sum.count, sum.newest.number));
    assert_eq!(counts.collect::<Vec<_>>(), [(3, 3), (2, 3)]);
    note(&*store, Some("2025-06-19T12:00:00Z")).await;
    let sums = counted(&*store).await;
    let counts = sums.iter().map(|sum| (sum.count, sum.newest.number));
    assert_eq!(counts.collect::<Vec<_>>(), [(4, 5), (3, 5)]);
    assert_eq!(sums[1].since, Some(utc("2025-06-19T10:00:00Z")));
}

#[tokio::test]
async fn a_damaged_installation_does_not_hide_the_rest_of_the_park() {
    let backend = Sqlite::new();
    let store = backend.open();
    let (mut one, mut other) = (Meter::new(1), Meter::new(2));
    let start = utc("2025-06-19T12:00:00Z");
    for meter in [&mut one, &mut other] {
        active(&*store, meter, "UTC").await;
        take_one(&*store, live(meter.read(Some(start), 45))).await;
    }
    let raw = rusqlite::Connection::open(backend.0.path().join("store.db")).unwrap();
    raw.execute_batch(
        "UPDATE fresh SET body = x'00' WHERE meter = 1;
         UPDATE installations SET time_zone = 'Europe/Atlantis' WHERE id = 1",
    )
    .unwrap();
    let latest = store.latest_of_all().await.unwrap();
    let latest = latest.iter().map(|(id, latest)| (id.0, latest.is_ok()));
    assert_eq!(latest.collect::<Vec<_>>(), [(1, false), (2, true)]);
    let energies = store.energies(Some(start)).await.unwrap();
    let energies = energies.iter().map(|(id, energy)| (id.0, energy.is_ok()));
    assert_eq!(energies.collect::<Vec<_>>(), [(1, false), (2, true)]);
}

#[tokio::test]
async fn a_curve_over_more_days_than_are_unpacked_keeps_the_peak_of_each() {
    let backend = Sqlite::new();
    let path = backend.0.path().join("store.db");
    let options = SqliteOptions {
        thinned_readings: 300,
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open(&path, options).unwrap();
    let mut meter = Meter::new(1);
    let id = active(&store, &meter, "UTC").await;
    let peaks = days_with_peaks(&store, &mut meter, 6).await;
    let curve = async |points| {
        let thinned = store.thinned(id, UtcMillis::ZERO, UtcMillis::MAX, points);
        thinned.await.unwrap()
    };
    let everything = all(&store, id).await;
    for (points, kept) in [(8, 3), (14, 6), (40, 6)] {
        let thinned = curve(points).await;
        assert!(thinned.len() <= points as usize);
        let is_kept = |peak: &&AnyReading| thinned.iter().any(|kept| kept.reading == **peak);
        assert_eq!(
            peaks.iter().filter(is_kept).count(),
            kept,
            "of {points} points"
        );
        assert_eq!(thinned.first(), everything.first());
        assert_eq!(thinned.last(), everything.last());
        // What is noted of a chunk is what comes out of it.
        assert!(thinned.iter().all(|kept| everything.contains(kept)));
    }

    // A file of an older version has nothing noted; upkeep does that.
    let noted = curve(14).await;
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("UPDATE chunk_extremes SET body = NULL")
        .unwrap();
    drop(raw);
    assert!(curve(14).await.len() < noted.len());
    while store.maintain().await.unwrap().more {}
    assert_eq!(curve(14).await, noted);
    assert_eq!(all(&store, id).await, everything);
    assert_whole(&store).await;
}
