//! The tests that every backend of the trait must pass. A backend gives a [`Backend`] and calls
//! [`store_suite!`].

mod firmware;
pub(crate) mod meter;
pub(crate) mod model;
mod views;

pub(crate) use self::firmware::*;
pub(crate) use self::views::*;

use std::sync::Arc;

use ww_store::{
    Announced, Announcement, ApiSession, AuditQuery, EventId, EventKind, FindingKind, Ingest,
    InstallationId, InstallationState, KeyId, NewApiKey, NewApiSession, NewAudit, Outcome, Proof,
    ReadingId, ReadingQuery, Receipt, Refusal, Role, SESSIONS_PER_KEY, SensorProposal, Span, Store,
    StoreError, StoredReading, Verified, WindowQuery,
};
use ww_wire::merkle::{leaf_hash, verify_inclusion};
use ww_wire::{
    AnyReading, ChainIndex, ChainRecord, Correction, CorrectionReason, Hash, MilliwattHours,
    Record, Replacement, Revocation, RevocationReason, Sequence, Text, UtcMillis,
};

use self::meter::{
    Meter, audit, bare, chained, live, operator_key, sealed, signature, tampered, utc,
};

/// A place where a store can be opened again and again.
pub(crate) trait Backend: Sized {
    fn new() -> Self;
    fn open(&self) -> Arc<dyn Store>;
}

/// Makes a test of each claim for one backend.
#[macro_export]
macro_rules! store_suite {
    ($backend:ty; $($claim:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $claim() {
            $crate::suite::$claim::<$backend>().await;
        }
    )*};
}

pub(crate) async fn active(store: &dyn Store, meter: &Meter, zone: &str) -> InstallationId {
    let label = meter.label("Roof", zone, 1_750_000_000_000);
    let installation = store
        .enrol(meter.enrolment(1), Some(label), None, audit(None))
        .await
        .unwrap();
    assert_eq!(installation.state, InstallationState::Active);
    installation.id
}

pub(crate) async fn take(store: &dyn Store, batch: Vec<Ingest>) -> Vec<Outcome> {
    store
        .ingest(batch, UtcMillis::new(1_790_000_000_123))
        .await
        .unwrap()
}

pub(crate) async fn take_one(store: &dyn Store, item: Ingest) -> Outcome {
    take(store, vec![item]).await.remove(0)
}

pub(crate) fn receipt(outcome: &Outcome) -> Receipt {
    match outcome {
        Outcome::Stored(receipt) => *receipt,
        other => panic!("not stored: {other:?}"),
    }
}

fn refusal(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) async fn all(store: &dyn Store, id: InstallationId) -> Vec<StoredReading> {
    store.readings(everything(id)).await.unwrap()
}

fn everything(id: InstallationId) -> ReadingQuery {
    ReadingQuery {
        installation: id,
        start: UtcMillis::ZERO,
        end: UtcMillis::MAX,
        after: None,
        limit: None,
    }
}

pub(crate) async fn assert_whole(store: &dyn Store) {
    let report = store.integrity().await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
}

fn mwh(energy: u64) -> MilliwattHours {
    MilliwattHours::new(energy).unwrap()
}

pub(crate) async fn a_stored_reading_comes_back_to_the_last_bit<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "Europe/Berlin").await;
    let reading = meter.read(Some(utc("2025-06-19T12:00:00Z")), 45);
    let stored = receipt(&take_one(&*store, live(reading)).await);
    let found = store
        .reading(id, Sequence::new(1).unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.stored.reading, reading);
    assert_eq!(found.stored.received, stored.received);
    assert_eq!(found.stored.proof, Proof::Signature(signature(4)));
    assert_eq!(found.window, None);
    assert_eq!(store.latest(id).await.unwrap(), Some(found.stored));
}

pub(crate) async fn what_was_answered_is_there_after_a_restart<B: Backend>() {
    let backend = B::new();
    let mut meter = Meter::new(1);
    let store = backend.open();
    let id = active(&*store, &meter, "Europe/Berlin").await;
    let start = utc("2025-06-19T12:00:00Z");
    let readings = meter.ten_minutes(start, 45);
    let window = meter.seal(&readings);
    take_one(&*store, sealed(window, &readings)).await;
    let late = meter.read(UtcMillis::new(start.get() + 600_000), 45);
    take_one(&*store, live(late)).await;
    store.close().await.unwrap();
    drop(store);
    let store = backend.open();
    assert_eq!(all(&*store, id).await.len(), 61);
    let next = meter.read(UtcMillis::new(start.get() + 610_000), 45);
    receipt(&take_one(&*store, live(next)).await);
    assert_whole(&*store).await;
}

pub(crate) async fn the_same_reading_again_gets_the_first_answer<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let reading = meter.read(Some(utc("2025-06-19T12:00:00Z")), 45);
    let first = receipt(&take_one(&*store, live(reading)).await);
    let later = UtcMillis::new(1_770_000_000_000);
    let again = store.ingest(vec![live(reading)], later).await.unwrap();
    let Outcome::Duplicate(again) = &again[0] else {
        panic!("not a duplicate: {again:?}");
    };
    assert_eq!(again.received, first.received);
}

pub(crate) async fn another_reading_with_the_same_number_is_refused_and_both_are_kept<
    B: Backend,
>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let reading = meter.read(Some(utc("2025-06-19T12:00:00Z")), 45);
    take_one(&*store, live(reading)).await;
    let refused = refusal(take_one(&*store, live(tampered(reading))).await);
    assert!(matches!(refused, Refusal::EquivocatingReading { .. }));
    assert!(refused.is_equivocation());
    assert_eq!(all(&*store, id).await[0].reading, reading);
    let evidence = store.evidence(Some(id), 0, 10).await.unwrap();
    assert_eq!(evidence.len(), 1);
    assert_eq!(
        evidence[0].stored.payload,
        reading.encode().unwrap().to_vec()
    );
    assert_eq!(
        evidence[0].refused.payload,
        tampered(reading).encode().unwrap().to_vec()
    );
    assert_eq!(evidence[0].refused.signature, Some(signature(4)));
    let findings = store.findings(None, 0, 10).await.unwrap();
    assert_eq!(findings[0].finding.kind, FindingKind::EquivocatingReading);
}

pub(crate) async fn a_sealed_reading_cannot_be_contradicted_either<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let window = meter.seal(&readings);
    take_one(&*store, sealed(window, &readings)).await;
    assert!(matches!(
        take_one(&*store, live(readings[7])).await,
        Outcome::Duplicate(_)
    ));
    let refused = refusal(take_one(&*store, live(tampered(readings[7]))).await);
    assert!(matches!(refused, Refusal::EquivocatingReading { .. }));
}

pub(crate) async fn an_unknown_waiting_or_revoked_meter_stores_nothing<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let reading = meter.read(Some(utc("2025-06-19T12:00:00Z")), 45);
    let unknown = refusal(take_one(&*store, live(reading)).await);
    assert_eq!(unknown, Refusal::UnknownMeter { meter: meter.id() });
    let announced = store
        .announce(announcement(&meter), 10, audit(None))
        .await
        .unwrap();
    let Announced::New {
        installation: waiting,
        ..
    } = announced
    else {
        panic!("{announced:?}");
    };
    let refused = refusal(take_one(&*store, live(reading)).await);
    assert!(matches!(
        refused,
        Refusal::NotActive {
            state: InstallationState::Waiting,
            ..
        }
    ));
    active(&*store, &meter, "UTC").await;
    receipt(&take_one(&*store, live(reading)).await);
    let revocation = Revocation {
        operator: operator_key().id(),
        meter: meter.id(),
        time: UtcMillis::new(1_750_000_000_000).unwrap(),
        reason: RevocationReason::Lost,
        note: Text::EMPTY,
    };
    let revoked = store
        .revoke(Verified::vouched(revocation, signature(2)), audit(None))
        .await
        .unwrap();
    assert_eq!(revoked.state, InstallationState::Revoked);
    let next = meter.read(Some(utc("2025-06-19T12:00:10Z")), 45);
    let refused = refusal(take_one(&*store, live(next)).await);
    assert!(matches!(
        refused,
        Refusal::NotActive {
            state: InstallationState::Revoked,
            ..
        }
    ));
    assert_eq!(all(&*store, waiting.id).await.len(), 1);
}

fn announcement(meter: &Meter) -> Announcement {
    Announcement {
        name: "Hackathon Test 1".to_owned(),
        public_key: meter.key,
        time_zone: None,
        sensor: SensorProposal::default(),
        shelly_payload: b"{}".to_vec(),
        boot_time: None,
    }
}

pub(crate) async fn announcing_again_changes_nothing_and_waiting_is_bounded<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let meter = Meter::new(1);
    let first = store
        .announce(announcement(&meter), 1, audit(None))
        .await
        .unwrap();
    let mut renamed = announcement(&meter);
    renamed.name = "Impostor".to_owned();
    let again = store.announce(renamed, 1, audit(None)).await.unwrap();
    let (Announced::New { installation, .. }, Announced::Known(again)) = (first, again) else {
        panic!("not new, then known");
    };
    assert_eq!(installation, again);
    let other = store
        .announce(announcement(&Meter::new(2)), 1, audit(None))
        .await
        .unwrap();
    assert_eq!(other, Announced::TooManyWaiting);
}

pub(crate) async fn who_has_waited_for_a_day_makes_room_in_a_full_list<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let day = 86_400_000;
    let start = utc("2025-06-19T12:00:00Z").get();
    let announce = async |number, after_ms: Option<u64>| {
        let at = after_ms.and_then(|ms| UtcMillis::new(start + ms));
        let announcement = announcement(&Meter::new(number));
        store.announce(announcement, 2, audit(at)).await.unwrap()
    };
    announce(1, Some(0)).await;
    announce(2, Some(1)).await;
    assert_eq!(announce(3, Some(day - 1)).await, Announced::TooManyWaiting);
    assert_eq!(announce(3, None).await, Announced::TooManyWaiting);
    let Announced::New { forgotten, .. } = announce(3, Some(day)).await else {
        panic!("not taken");
    };
    assert_eq!(forgotten, Some(Meter::new(1).id()));
    assert_eq!(announce(4, Some(day)).await, Announced::TooManyWaiting);
    let waiting: Vec<_> = store.installations().await.unwrap();
    let waiting: Vec<_> = waiting.iter().map(|waiting| waiting.meter).collect();
    assert_eq!(waiting, [Meter::new(2).id(), Meter::new(3).id()]);
    let lines = store.audit(newest_lines(10)).await.unwrap();
    assert_eq!(lines[1].audit.action, "installation.forget");
}

pub(crate) async fn who_came_while_the_time_was_unknown_is_not_the_first_to_go<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let day = 86_400_000;
    let start = utc("2025-06-19T12:00:00Z").get();
    let announce = async |number, after_ms: Option<u64>| {
        let at = after_ms.and_then(|ms| UtcMillis::new(start + ms));
        let announcement = announcement(&Meter::new(number));
        store.announce(announcement, 2, audit(at)).await.unwrap()
    };
    announce(1, None).await;
    announce(2, None).await;
    assert_eq!(announce(3, Some(0)).await, Announced::TooManyWaiting);
    assert_eq!(announce(3, Some(day - 1)).await, Announced::TooManyWaiting);
    let Announced::New { forgotten, .. } = announce(3, Some(day)).await else {
        panic!("whoever fills the list shuts others out for a day only");
    };
    assert_eq!(forgotten, Some(Meter::new(1).id()));
}

pub(crate) async fn a_window_drops_the_single_signatures_and_proves_every_reading<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    take(
        &*store,
        readings.iter().map(|reading| live(*reading)).collect(),
    )
    .await;
    assert_eq!(store.statistics().await.unwrap().live_readings, 60);
    let window = meter.seal(&readings);
    let stored = receipt(&take_one(&*store, bare(window)).await);
    assert_eq!(stored.next_index, ChainIndex::new(1).unwrap());
    let statistics = store.statistics().await.unwrap();
    assert_eq!(
        (statistics.live_readings, statistics.sealed_readings),
        (0, 60)
    );
    for (leaf, reading) in readings.iter().enumerate() {
        let found = store
            .reading(id, reading.sum().sequence)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.stored.reading, *reading);
        let proof = found.window.unwrap();
        assert_eq!(proof.window, window);
        let leaf_hash = leaf_hash(&reading.encode().unwrap());
        verify_inclusion(&leaf_hash, leaf as u64, 60, &proof.path, &window.root).unwrap();
    }
    assert_whole(&*store).await;
}

pub(crate) async fn a_window_that_contradicts_a_signed_reading_is_refused<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    take_one(&*store, live(tampered(readings[3]))).await;
    let window = meter.seal(&readings);
    let refused = refusal(take_one(&*store, sealed(window, &readings)).await);
    assert!(
        matches!(refused, Refusal::WindowContradictsReading { sequence, .. }
        if sequence == readings[3].sum().sequence)
    );
    assert_eq!(all(&*store, id).await.len(), 1);
    let evidence = store.evidence(None, 0, 10).await.unwrap();
    assert_eq!(
        evidence[0].refused.payload,
        window.encode().unwrap().to_vec()
    );
    assert!(evidence[0].refused_readings.is_some());
    assert_whole(&*store).await;
}

pub(crate) async fn readings_of_another_window_are_not_taken_for_this_one<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let more = meter.ten_minutes(utc("2025-06-19T12:10:00Z"), 45);
    let (first, second) = (meter.seal(&readings), meter.seal(&more));
    let Ingest::Window(_, of_second) = sealed(second, &more) else {
        unreachable!();
    };
    let mixed = Ingest::Window(Verified::vouched(first, signature(5)), of_second);
    let refused = refusal(take_one(&*store, mixed).await);
    assert!(matches!(refused, Refusal::ForeignReadings { .. }));
}

pub(crate) async fn a_record_that_does_not_name_the_one_before_is_refused<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let boot = meter.start(None);
    take_one(&*store, chained(ChainRecord::Boot(boot))).await;
    let mut spliced = meter.start(None);
    spliced.previous = Hash([9; 32]);
    let refused = refusal(take_one(&*store, chained(ChainRecord::Boot(spliced))).await);
    assert!(matches!(refused, Refusal::BrokenChain { .. }));
    let mut forked = boot;
    forked.version_minor = 9;
    let refused = refusal(take_one(&*store, chained(ChainRecord::Boot(forked))).await);
    assert!(matches!(refused, Refusal::EquivocatingChain { .. }));
    assert_eq!(store.evidence(None, 0, 10).await.unwrap().len(), 2);
}

pub(crate) async fn a_spliced_window_does_not_fit_the_one_after_it<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let boot = meter.start(None);
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let window = meter.seal(&readings);
    let end = meter.start(None);
    take(
        &*store,
        vec![
            chained(ChainRecord::Boot(boot)),
            chained(ChainRecord::Boot(end)),
        ],
    )
    .await;
    let mut spliced = window;
    spliced.firmware = Hash([1; 32]);
    let refused = refusal(take_one(&*store, sealed(spliced, &readings)).await);
    assert!(matches!(refused, Refusal::BrokenChain { .. }));
    receipt(&take_one(&*store, sealed(window, &readings)).await);
    assert_whole(&*store).await;
}

pub(crate) async fn a_hole_in_the_chain_holds_the_next_index_until_a_gap_covers_it<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let first = meter.start(None);
    meter.start(None);
    let lost = meter.start(None);
    let kept = meter.start(None);
    let index = |number| ChainIndex::new(number).unwrap();
    let boots = vec![
        chained(ChainRecord::Boot(first)),
        chained(ChainRecord::Boot(kept)),
    ];
    let outcomes = take(&*store, boots).await;
    assert_eq!(receipt(&outcomes[1]).next_index, index(1));
    let gap = meter.give_up(1, 2, lost.encode().unwrap().digest());
    let outcome = take_one(&*store, chained(ChainRecord::Gap(gap))).await;
    assert_eq!(receipt(&outcome).next_index, index(5));
}

pub(crate) async fn who_fills_a_hole_before_many_records_sends_again_until_all_are_passed<
    B: Backend,
>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let mut boots = Vec::new();
    for _ in 0..10_000 {
        boots.push(chained(ChainRecord::Boot(meter.start(None))));
    }
    let hole = boots.remove(0);
    take(&*store, boots.clone()).await;
    let mut next = receipt(&take_one(&*store, hole).await).next_index.get();
    let mut sent = 1;
    while next < 10_000 {
        assert!(next < 5_000 * sent, "{next} after {sent}");
        let again = take_one(&*store, boots[next as usize - 1].clone()).await;
        let Outcome::Duplicate(receipt) = again else {
            panic!("not a duplicate: {again:?}");
        };
        next = receipt.next_index.get();
        sent += 1;
    }
    assert_eq!((next, sent), (10_000, 3));
    assert_whole(&*store).await;
}

pub(crate) async fn a_backlog_behind_a_live_reading_moves_its_energy_to_where_it_belongs<
    B: Backend,
>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "Europe/Berlin").await;
    let start = utc("2025-06-19T12:00:00Z");
    let first = meter.read(Some(start), 0);
    let opening = meter.seal(&[first]);
    take_one(&*store, sealed(opening, &[first])).await;
    let backlog = meter.ten_minutes(UtcMillis::new(start.get() + 600_000).unwrap(), 50);
    let window = meter.seal(&backlog);
    let now = UtcMillis::new(start.get() + 3_600_000).unwrap();
    let tail = meter.read(Some(now), 50);
    take_one(&*store, live(tail)).await;
    let chart = store.chart(id, Span::Hour, now).await.unwrap().unwrap();
    assert_eq!(chart.bars[5].energy, mwh(61 * 50));
    assert!(chart.bars[5].spans_gap);
    take_one(&*store, sealed(window, &backlog)).await;
    let chart = store.chart(id, Span::Hour, now).await.unwrap().unwrap();
    assert_eq!(chart.bars[5].energy, mwh(50));
    assert_eq!(chart.bars[0].energy, mwh(60 * 50));
    assert_eq!(chart.bars[0].readings, 60);
    assert_eq!(chart.total, mwh(61 * 50));
    assert_whole(&*store).await;
}

pub(crate) async fn a_window_without_readings_keeps_its_energy_and_takes_them_later<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let start = utc("2025-06-19T12:00:00Z");
    let first = meter.read(Some(start), 0);
    let opening = meter.seal(&[first]);
    let lost = meter.ten_minutes(UtcMillis::new(start.get() + 600_000).unwrap(), 50);
    let window = meter.seal(&lost);
    take(&*store, vec![sealed(opening, &[first]), bare(window)]).await;
    let now = UtcMillis::new(start.get() + 1_200_000).unwrap();
    let chart = store.chart(id, Span::Hour, now).await.unwrap().unwrap();
    assert_eq!(
        (chart.bars[4].energy, chart.bars[4].readings),
        (mwh(3000), 0)
    );
    assert_whole(&*store).await;
    receipt(&take_one(&*store, sealed(window, &lost)).await);
    let again = take_one(&*store, sealed(window, &lost)).await;
    assert!(matches!(again, Outcome::Duplicate(_)));
    let chart = store.chart(id, Span::Hour, now).await.unwrap().unwrap();
    assert_eq!(
        (chart.bars[4].energy, chart.bars[4].readings),
        (mwh(3000), 60)
    );
    assert_eq!(all(&*store, id).await.len(), 61);
    assert_whole(&*store).await;
}

pub(crate) async fn a_window_over_readings_that_come_one_by_one_is_sealed_by_the_last<
    B: Backend,
>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let window = meter.seal(&readings);
    take_one(&*store, bare(window)).await;
    for reading in &readings {
        receipt(&take_one(&*store, live(*reading)).await);
    }
    let statistics = store.statistics().await.unwrap();
    assert_eq!(
        (statistics.live_readings, statistics.sealed_readings),
        (0, 60)
    );
    assert_whole(&*store).await;
}

pub(crate) async fn overlapping_windows_are_refused<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let window = meter.seal(&readings);
    let again = meter.seal(&readings[30..]);
    take_one(&*store, sealed(window, &readings)).await;
    let refused = refusal(take_one(&*store, bare(again)).await);
    assert!(matches!(refused, Refusal::OverlappingWindows { .. }));
}

pub(crate) async fn produced_that_falls_is_refused<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let first = meter.read(Some(utc("2025-06-19T12:00:00Z")), 100);
    take_one(&*store, live(first)).await;
    meter.produced = 0;
    let fallen = meter.read(Some(utc("2025-06-19T12:00:10Z")), 10);
    let refused = refusal(take_one(&*store, live(fallen)).await);
    assert!(matches!(refused, Refusal::ProducedFell { .. }));
    assert_whole(&*store).await;
}

pub(crate) async fn one_refused_record_leaves_the_others_of_its_batch_alone<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let first = meter.read(Some(utc("2025-06-19T12:00:00Z")), 45);
    let second = meter.read(Some(utc("2025-06-19T12:00:10Z")), 45);
    let batch = vec![live(first), live(tampered(first)), live(second)];
    let outcomes = take(&*store, batch).await;
    assert!(matches!(
        outcomes[..],
        [Outcome::Stored(_), Outcome::Refused(_), Outcome::Stored(_)]
    ));
    assert_eq!(all(&*store, id).await.len(), 2);
}

pub(crate) async fn readings_of_unknown_time_count_in_lifetime_only<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let now = utc("2025-06-19T12:00:00Z");
    let first = meter.read(None, 0);
    let second = meter.read(None, 700);
    take(&*store, vec![live(first), live(second)]).await;
    let energy = store.energy(id, now).await.unwrap().unwrap();
    assert_eq!((energy.lifetime, energy.today), (mwh(700), mwh(0)));
    assert_eq!(store.latest(id).await.unwrap().unwrap().reading, second);
    assert!(
        store
            .chart(id, Span::Day, now)
            .await
            .unwrap()
            .unwrap()
            .bars
            .is_empty()
    );
    assert_eq!(store.pending(None, 10).await.unwrap().len(), 2);
}

pub(crate) async fn the_latest_reading_is_the_one_with_the_newest_time<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let old = meter.read(Some(utc("2025-06-19T12:00:00Z")), 0);
    let new = meter.read(Some(utc("2025-06-19T12:00:10Z")), 0);
    let stepped_back = meter.read(Some(utc("2025-06-19T11:00:00Z")), 0);
    take(&*store, vec![live(new), live(stepped_back), live(old)]).await;
    assert_eq!(store.latest(id).await.unwrap().unwrap().reading, new);
}

pub(crate) async fn the_average_is_of_whole_days_and_there_is_none_before_the_first<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "Europe/Berlin").await;
    for time in [
        "2025-06-19T08:00:00Z",
        "2025-06-19T12:00:00Z",
        "2025-06-20T12:00:00Z",
    ] {
        take_one(&*store, live(meter.read(Some(utc(time)), 400))).await;
    }
    for (now, average) in [
        ("2025-06-19T21:59:59Z", None),
        ("2025-06-20T12:00:00Z", None),
        ("2025-06-20T22:00:00Z", Some(400)),
        ("2025-06-21T22:00:00Z", Some(200)),
    ] {
        let energy = store.energy(id, utc(now)).await.unwrap().unwrap();
        assert_eq!(energy.seven_day_average, average.map(mwh), "{now}");
    }
}

pub(crate) async fn pages_follow_one_another_without_loss_or_repetition<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let start = utc("2025-06-19T12:00:00Z");
    let sealed_readings = meter.ten_minutes(start, 45);
    let window = meter.seal(&sealed_readings);
    take_one(&*store, sealed(window, &sealed_readings)).await;
    let more = meter.ten_minutes(UtcMillis::new(start.get() + 600_000).unwrap(), 45);
    take(&*store, more.iter().map(|reading| live(*reading)).collect()).await;
    let whole = all(&*store, id).await;
    assert_eq!(whole.len(), 120);
    let mut paged: Vec<StoredReading> = Vec::new();
    loop {
        let after = paged.last().map(|stored| ww_store::Position {
            time: stored.reading.sum().time.unwrap(),
            sequence: stored.reading.sum().sequence,
        });
        let limit = Some(7);
        let query = ReadingQuery {
            after,
            limit,
            ..everything(id)
        };
        let page = store.readings(query).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 7);
        paged.extend(page);
    }
    assert_eq!(paged, whole);
    let from = UtcMillis::new(start.get() + 590_000).unwrap();
    let to = UtcMillis::new(start.get() + 600_000).unwrap();
    let query = ReadingQuery {
        start: from,
        end: to,
        ..everything(id)
    };
    let between = store.readings(query).await.unwrap();
    assert_eq!(between.len(), 2);
}

pub(crate) async fn thinning_keeps_the_peak_and_stays_within_its_bound<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let start = utc("2025-06-19T12:00:00Z");
    let mut readings: Vec<AnyReading> = Vec::new();
    for slot in 0..60_u64 {
        let time = UtcMillis::new(start.get() + slot * 10_000);
        readings.push(meter.read(time, if slot == 37 { 900 } else { 45 }));
    }
    take(
        &*store,
        readings.iter().map(|reading| live(*reading)).collect(),
    )
    .await;
    let end = UtcMillis::new(start.get() + 600_000).unwrap();
    let thinned = store.thinned(id, start, end, 10).await.unwrap();
    assert!(thinned.len() <= 10);
    assert!(thinned.iter().any(|stored| stored.reading == readings[37]));
    assert!(thinned.is_sorted_by_key(|stored| core::cmp::Reverse(stored.reading.sum().time)));
    assert_eq!(store.thinned(id, start, end, 60).await.unwrap().len(), 60);
    // A span far longer than what there is has the same shape, not all of it in one stretch.
    let all = store.thinned(id, UtcMillis::ZERO, UtcMillis::MAX, 10);
    assert_eq!(all.await.unwrap().len(), thinned.len());
}

pub(crate) async fn chain_records_come_with_their_readings_in_order<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let boot = meter.start(None);
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let window = meter.seal(&readings);
    take(
        &*store,
        vec![chained(ChainRecord::Boot(boot)), sealed(window, &readings)],
    )
    .await;
    let (from, to) = (ChainIndex::ZERO, ChainIndex::MAX);
    let records = store.chain(id, from, to, 10).await.unwrap();
    assert_eq!(records[0].payload, boot.encode().unwrap().to_vec());
    assert_eq!(records[0].packed, None);
    assert_eq!(records[1].payload, window.encode().unwrap().to_vec());
    let packed = records[1].packed.as_ref().unwrap();
    let opened = ww_store::WindowReadings::open(&window, packed).unwrap();
    assert_eq!(opened.readings(), readings);
    let installation = store.installation(id).await.unwrap().unwrap();
    assert_eq!(installation.last_boot, Some(boot));
}

pub(crate) async fn days_of_windows_become_compact_and_lose_nothing<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "Europe/Berlin").await;
    let start = utc("2025-06-19T00:00:00Z");
    let boot = meter.start(Some(start));
    take_one(&*store, chained(ChainRecord::Boot(boot))).await;
    let mut batch = Vec::new();
    for number in 0..150_u64 {
        let at = UtcMillis::new(start.get() + number * 600_000).unwrap();
        let readings = meter.ten_minutes(at, 40 + number % 7);
        let window = meter.seal(&readings);
        batch.push(sealed(window, &readings));
    }
    take(&*store, batch).await;
    let (from, to) = (ChainIndex::ZERO, ChainIndex::MAX);
    let readings = all(&*store, id).await;
    let records = store.chain(id, from, to, 1000).await.unwrap();
    let done = store.maintain().await.unwrap();
    assert_eq!(
        (done.compacted_windows, done.compacted_readings),
        (144, 144 * 60)
    );
    assert!(!store.maintain().await.unwrap().more);
    let without_arrival = |readings: Vec<StoredReading>| -> Vec<(AnyReading, Proof)> {
        readings
            .into_iter()
            .map(|stored| (stored.reading, stored.proof))
            .collect()
    };
    assert_eq!(
        without_arrival(all(&*store, id).await),
        without_arrival(readings)
    );
    let compact = store.chain(id, from, to, 1000).await.unwrap();
    assert_eq!(compact.len(), 151);
    for (compact, record) in compact.iter().zip(&records) {
        assert_eq!(
            (
                compact.index,
                &compact.payload,
                compact.signature,
                &compact.packed
            ),
            (
                record.index,
                &record.payload,
                record.signature,
                &record.packed
            )
        );
    }
    let middle = Sequence::new(5000).unwrap();
    let found = store.reading(id, middle).await.unwrap().unwrap();
    let proof = found.window.unwrap();
    let Proof::Window { leaf, .. } = found.stored.proof else {
        panic!("not sealed");
    };
    let leaf_hash = leaf_hash(&found.stored.reading.encode().unwrap());
    verify_inclusion(&leaf_hash, leaf.into(), 60, &proof.path, &proof.window.root).unwrap();
    let query = WindowQuery {
        installation: id,
        start,
        end: UtcMillis::MAX,
        after: ChainIndex::new(100),
        limit: 20,
    };
    let windows = store.windows(query).await.unwrap();
    assert_eq!(windows.len(), 20);
    assert_eq!(windows[0].window.chain_index.get(), 101);
    assert!(matches!(
        take_one(&*store, live(found.stored.reading)).await,
        Outcome::Duplicate(_)
    ));
    assert_whole(&*store).await;
}

pub(crate) async fn a_new_time_zone_moves_the_days<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let first = meter.read(Some(utc("2025-06-19T17:00:00Z")), 0);
    let second = meter.read(Some(utc("2025-06-19T19:00:00Z")), 500);
    take(&*store, vec![live(first), live(second)]).await;
    let now = utc("2025-06-19T19:00:10Z");
    let energy = store.energy(id, now).await.unwrap().unwrap();
    assert_eq!(energy.today, mwh(500));
    let label = meter.label("Roof", "Asia/Kolkata", 1_760_000_000_000);
    store.label(label, audit(None)).await.unwrap();
    // 19:00 UTC is half past midnight in Kolkata: the 20th has begun.
    let chart = store.chart(id, Span::Week, now).await.unwrap().unwrap();
    assert_eq!(chart.bars[6].energy, mwh(500));
    assert_eq!(chart.bars[6].start, utc("2025-06-19T18:30:00Z"));
    assert_eq!(chart.bars[6].readings, 1);
    assert_eq!(chart.bars[5].readings, 1);
    assert_whole(&*store).await;
    let nowhere = meter.label("Roof", "Europe/Atlantis", 1_770_000_000_000);
    let refused = store.label(nowhere, audit(None)).await.unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Refused(Refusal::UnknownTimeZone { .. })
    ));
}

pub(crate) async fn the_day_of_the_change_to_winter_has_25_hours_of_energy<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "Europe/Berlin").await;
    // Berlin's 26 October 2025 goes from 22:00 UTC the day before to 23:00 UTC.
    let mut batch = vec![live(meter.read(Some(utc("2025-10-25T21:59:50Z")), 0))];
    let start = utc("2025-10-25T22:00:00Z");
    for half_hour in 0..50 {
        let time = UtcMillis::new(start.get() + half_hour * 1_800_000);
        batch.push(live(meter.read(time, 10)));
    }
    batch.push(live(meter.read(Some(utc("2025-10-26T23:00:00Z")), 10)));
    take(&*store, batch).await;
    let chart = store
        .chart(id, Span::Week, utc("2025-10-26T23:00:10Z"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(chart.bars[5].label, "Sun");
    assert_eq!(chart.bars[5].energy, mwh(500));
    assert_eq!(
        chart.bars[5].end.get() - chart.bars[5].start.get(),
        25 * 3_600_000
    );
    assert_eq!(chart.bars[6].energy, mwh(10));
}

pub(crate) async fn lifetime_goes_on_when_a_meter_is_replaced<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (mut old, mut new) = (Meter::new(1), Meter::new(2));
    let old_id = active(&*store, &old, "Europe/Berlin").await;
    let first = old.read(Some(utc("2025-06-19T10:00:00Z")), 0);
    let last = old.read(Some(utc("2025-06-19T10:00:10Z")), 5000);
    let window = old.seal(&[first, last]);
    take_one(&*store, sealed(window, &[first, last])).await;
    let new_id = active(&*store, &new, "Europe/Berlin").await;
    let replacement = Replacement {
        signer: operator_key().id(),
        old_meter: old.id(),
        new_meter: new.id(),
        time: utc("2025-06-19T11:00:00Z"),
        last_index: window.chain_index,
        last_digest: window.encode().unwrap().digest(),
        produced_close: window.produced_close,
    };
    let end = store.chain_end(old_id).await.unwrap().unwrap();
    assert_eq!(
        (end.index, end.digest, end.produced),
        (
            replacement.last_index,
            replacement.last_digest,
            replacement.produced_close
        )
    );
    let replaced = store
        .replace(Verified::vouched(replacement, signature(2)), audit(None))
        .await
        .unwrap();
    assert_eq!((replaced.id, replaced.replaces), (new_id, Some(old_id)));
    let first = new.read(Some(utc("2025-06-19T12:00:00Z")), 0);
    let second = new.read(Some(utc("2025-06-19T12:00:10Z")), 300);
    take(&*store, vec![live(first), live(second)]).await;
    let now = utc("2025-06-19T13:00:00Z");
    let energy = store.energy(new_id, now).await.unwrap().unwrap();
    assert_eq!((energy.lifetime, energy.today), (mwh(5300), mwh(5300)));
    let energy = store.energy(old_id, now).await.unwrap().unwrap();
    assert_eq!(energy.lifetime, mwh(5000));
}

/// Two meters, the first with a Boot and a window, and the Replacement that fits them.
async fn old_and_new(store: &dyn Store) -> (Meter, Meter, Replacement) {
    let (mut old, new) = (Meter::new(1), Meter::new(2));
    active(store, &old, "UTC").await;
    active(store, &new, "UTC").await;
    let boot = old.start(None);
    let readings = old.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let window = old.seal(&readings);
    take(
        store,
        vec![chained(ChainRecord::Boot(boot)), sealed(window, &readings)],
    )
    .await;
    let replacement = Replacement {
        signer: operator_key().id(),
        old_meter: old.id(),
        new_meter: new.id(),
        time: utc("2025-06-19T13:00:00Z"),
        last_index: window.chain_index,
        last_digest: window.encode().unwrap().digest(),
        produced_close: window.produced_close,
    };
    (old, new, replacement)
}

async fn replace(store: &dyn Store, replacement: Replacement) -> Result<(), StoreError> {
    let replacement = Verified::vouched(replacement, signature(2));
    store.replace(replacement, audit(None)).await.map(drop)
}

pub(crate) async fn a_replaced_meter_keeps_the_zone_of_its_follower<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (old, new, replacement) = old_and_new(&*store).await;
    replace(&*store, replacement).await.unwrap();
    let label = new.label("Roof", "Europe/Berlin", 1_760_000_000_000);
    store.label(label, audit(None)).await.unwrap();
    let label = old.label("Before", "Asia/Kolkata", 1_770_000_000_000);
    let labelled = store.label(label, audit(None)).await.unwrap();
    assert_eq!(labelled.name, "Before");
    assert_eq!(labelled.time_zone, "Europe/Berlin");
    assert_whole(&*store).await;
}

pub(crate) async fn a_replacement_that_names_another_end_of_the_chain_is_refused<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (old, new, fit) = old_and_new(&*store).await;
    let first = ChainIndex::ZERO;
    let records = store
        .chain(InstallationId(1), first, ChainIndex::MAX, 1)
        .await
        .unwrap();
    let forgeries = [
        // A record that is not held, with whatever energy one likes.
        Replacement {
            last_index: ChainIndex::new(1 << 40).unwrap(),
            produced_close: mwh(1 << 62),
            ..fit
        },
        // A record that is held, but is not the last.
        Replacement {
            last_index: first,
            last_digest: Hash::of(&[&records[0].payload]),
            ..fit
        },
        Replacement {
            last_digest: Hash([3; 32]),
            ..fit
        },
        Replacement {
            produced_close: mwh(fit.produced_close.get() + 1),
            ..fit
        },
        // A meter that has no record at all.
        Replacement {
            old_meter: new.id(),
            new_meter: old.id(),
            ..fit
        },
    ];
    for forged in forgeries {
        let refused = replace(&*store, forged).await.unwrap_err();
        assert!(
            matches!(
                refused,
                StoreError::Refused(Refusal::UnfitReplacement { .. })
            ),
            "{forged:?}: {refused}"
        );
    }
    let now = utc("2025-06-19T13:00:00Z");
    let energy = store.energy(InstallationId(2), now).await.unwrap().unwrap();
    assert_eq!(energy.lifetime, mwh(0));
    replace(&*store, fit).await.unwrap();
    let energy = store.energy(InstallationId(2), now).await.unwrap().unwrap();
    assert_eq!(energy.lifetime, fit.produced_close);
    let lines = store.audit(newest_lines(100)).await.unwrap().len();
    replace(&*store, fit).await.unwrap();
    assert_eq!(store.audit(newest_lines(100)).await.unwrap().len(), lines);
}

pub(crate) async fn a_replaced_meter_counts_no_further_but_its_backlog_is_taken<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (mut old, mut new) = (Meter::new(1), Meter::new(2));
    let id = active(&*store, &old, "UTC").await;
    active(&*store, &new, "UTC").await;
    let first = old.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let first_window = old.seal(&first);
    let last = old.ten_minutes(utc("2025-06-19T12:10:00Z"), 45);
    let last_window = old.seal(&last);
    let tail = old.read(Some(utc("2025-06-19T12:20:00Z")), 45);
    take(&*store, vec![sealed(last_window, &last), live(tail)]).await;
    let end = store.chain_end(id).await.unwrap().unwrap();
    let replacement = Replacement {
        signer: operator_key().id(),
        old_meter: old.id(),
        new_meter: new.id(),
        time: utc("2025-06-19T12:20:05Z"),
        last_index: end.index,
        last_digest: end.digest,
        produced_close: end.produced,
    };
    replace(&*store, replacement).await.unwrap();

    let further = old.read(Some(utc("2025-06-19T12:20:10Z")), 45);
    let further_window = old.seal(&[tail, further]);
    let boot = old.start(None);
    for item in [
        live(further),
        sealed(further_window, &[tail, further]),
        bare(further_window),
        chained(ChainRecord::Boot(boot)),
    ] {
        let refused = refusal(take_one(&*store, item).await);
        assert!(
            matches!(refused, Refusal::Replaced { by, last_index, .. }
                if by == InstallationId(2) && last_index == end.index),
            "{refused}"
        );
    }
    // What came before the end is taken, and what is known is known.
    receipt(&take_one(&*store, sealed(first_window, &first)).await);
    let again = take_one(&*store, live(tail)).await;
    assert!(matches!(again, Outcome::Duplicate(_)));
    receipt(&take_one(&*store, live(new.read(None, 10))).await);
    assert_eq!(all(&*store, id).await.len(), 121);
    assert_whole(&*store).await;
}

pub(crate) async fn what_a_replaced_meter_had_not_sealed_still_counts<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (mut old, mut new, replacement) = old_and_new(&*store).await;
    let tail = old.read(Some(utc("2025-06-19T12:10:00Z")), 700);
    take_one(&*store, live(tail)).await;
    replace(&*store, replacement).await.unwrap();
    let own = new.read(Some(utc("2025-06-19T13:00:10Z")), 30);
    take_one(&*store, live(own)).await;
    let now = utc("2025-06-19T14:00:00Z");
    let energy = store.energy(InstallationId(2), now).await.unwrap().unwrap();
    assert_eq!(energy.lifetime, mwh(tail.sum().produced.get() + 30));
}

pub(crate) async fn what_a_meter_measured_beside_the_one_it_replaces_counts_once<B: Backend>() {
    for replaced_first in [true, false] {
        let backend = B::new();
        let store = backend.open();
        // The old one measures from 12:00 to 12:10, the new one from 12:00 to 12:20.
        let (_, mut new, replacement) = old_and_new(&*store).await;
        let boot = new.start(None);
        let mut backlog = vec![chained(ChainRecord::Boot(boot))];
        for start in ["2025-06-19T12:00:00Z", "2025-06-19T12:10:00Z"] {
            let readings = new.ten_minutes(utc(start), 45);
            backlog.push(sealed(new.seal(&readings), &readings));
        }
        let newest = new.read(Some(utc("2025-06-19T12:20:00Z")), 45);
        let now = utc("2025-06-19T12:30:00Z");
        if replaced_first {
            replace(&*store, replacement).await.unwrap();
            // Its newest reading comes before its backlog, and nobody can tell yet.
            receipt(&take_one(&*store, live(newest)).await);
            let energy = store.energy(InstallationId(2), now).await.unwrap().unwrap();
            assert_eq!((energy.lifetime, energy.overlap), (mwh(2700), mwh(5445)));
            take(&*store, backlog).await;
        } else {
            backlog.push(live(newest));
            take(&*store, backlog).await;
            replace(&*store, replacement).await.unwrap();
        }
        let energy = store.energy(InstallationId(2), now).await.unwrap().unwrap();
        assert_eq!((energy.lifetime, energy.overlap), (mwh(5445), mwh(2700)));
        // The first reading of all brings nothing: what was before it is of an unknown time.
        assert_eq!((energy.today, energy.month), (mwh(5400), mwh(5400)));
        for span in Span::ALL {
            let chart = store.chart(InstallationId(2), span, now).await;
            assert_eq!(chart.unwrap().unwrap().total, mwh(5400), "{span:?}");
        }
        assert_whole(&*store).await;
    }
}

pub(crate) async fn a_meter_is_enrolled_in_the_place_of_another_or_not_at_all<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (_, new, replacement) = old_and_new(&*store).await;
    let third = Meter::new(3);
    active(&*store, &third, "UTC").await;
    let enrol = async |mac_of: &Meter| {
        let mut enrolment = *new.enrolment(2).record();
        enrolment.sensor_mac = mac_of.enrolment(1).record().sensor_mac;
        let replacement = Verified::vouched(replacement, signature(2));
        let enrolment = Verified::vouched(enrolment, signature(2));
        store
            .enrol(
                enrolment,
                None,
                Some((replacement, audit(None))),
                audit(None),
            )
            .await
    };
    let refused = enrol(&third).await.unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Refused(Refusal::SensorTaken { .. })
    ));
    let old = store
        .installation(InstallationId(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(old.replaced_by, None);
    let enrolled = enrol(&Meter::new(1)).await.unwrap();
    assert_eq!(enrolled.replaces, Some(InstallationId(1)));
}

pub(crate) async fn a_window_that_does_not_open_where_the_last_one_closed_is_refused<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let first = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let first_window = meter.seal(&first);
    let boot = meter.start(None);
    let second = meter.ten_minutes(utc("2025-06-19T12:10:00Z"), 45);
    let second_window = meter.seal(&second);
    let third = meter.ten_minutes(utc("2025-06-19T12:20:00Z"), 45);
    let third_window = meter.seal(&third);
    take(
        &*store,
        vec![
            sealed(first_window, &first),
            chained(ChainRecord::Boot(boot)),
            sealed(third_window, &third),
        ],
    )
    .await;
    // With energy of its own between the windows, or with energy that both count.
    for (open, close) in [(2_701, 5_400), (2_699, 5_400), (2_700, 5_399)] {
        let torn = ww_wire::Window {
            produced_open: mwh(open),
            produced_close: mwh(close),
            ..second_window
        };
        let refused = refusal(take_one(&*store, bare(torn)).await);
        assert!(
            matches!(
                refused,
                Refusal::EnergyTornApart { .. } | Refusal::BrokenChain { .. }
            ),
            "{refused}"
        );
    }
    receipt(&take_one(&*store, sealed(second_window, &second)).await);
    let next = meter.ten_minutes(utc("2025-06-19T12:30:00Z"), 45);
    let next_window = meter.seal(&next);
    let torn = ww_wire::Window {
        produced_open: mwh(8_099),
        ..next_window
    };
    let refused = refusal(take_one(&*store, bare(torn)).await);
    assert!(refused.is_equivocation());
    assert!(matches!(refused, Refusal::EnergyTornApart { .. }));
    let evidence = store.evidence(Some(id), 0, 10).await.unwrap();
    let evidence = evidence.last().unwrap();
    assert_eq!(evidence.kind, FindingKind::EnergyTornApart);
    assert_eq!(
        evidence.stored.payload,
        third_window.encode().unwrap().to_vec()
    );
    assert_eq!(evidence.refused.payload, torn.encode().unwrap().to_vec());
    receipt(&take_one(&*store, sealed(next_window, &next)).await);
    assert_whole(&*store).await;
}

pub(crate) async fn across_a_gap_energy_may_have_risen_but_not_fallen<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let first = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let first_window = meter.seal(&first);
    let lost = meter.ten_minutes(utc("2025-06-19T12:10:00Z"), 45);
    meter.seal(&lost);
    let third = meter.ten_minutes(utc("2025-06-19T12:20:00Z"), 45);
    let third_window = meter.seal(&third);
    take_one(&*store, sealed(first_window, &first)).await;
    let fallen = ww_wire::Window {
        produced_open: mwh(2_699),
        ..third_window
    };
    let refused = refusal(take_one(&*store, bare(fallen)).await);
    assert!(matches!(refused, Refusal::EnergyTornApart { .. }));
    receipt(&take_one(&*store, sealed(third_window, &third)).await);
    assert_whole(&*store).await;
}

pub(crate) async fn behind_many_other_records_energy_may_have_risen_but_not_fallen<B: Backend>() {
    for (boots, is_counted, is_reopened) in [
        (1_000, true, false),
        (1_001, false, false),
        (1_000, true, true),
        (1_001, false, true),
    ] {
        let backend = B::new();
        let mut store = backend.open();
        let mut meter = Meter::new(1);
        active(&*store, &meter, "UTC").await;
        let first = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
        let mut batch = vec![sealed(meter.seal(&first), &first)];
        for _ in 0..boots {
            batch.push(chained(ChainRecord::Boot(meter.start(None))));
        }
        take(&*store, batch).await;
        let second = meter.ten_minutes(utc("2025-06-19T12:10:00Z"), 45);
        let window = meter.seal(&second);
        if is_reopened {
            store.close().await.unwrap();
            store = backend.open();
        }
        let opens_with = async |produced| {
            let torn = ww_wire::Window {
                produced_open: mwh(produced),
                ..window
            };
            take_one(&*store, bare(torn)).await
        };
        let fallen = refusal(opens_with(2_699).await);
        assert!(matches!(fallen, Refusal::EnergyTornApart { .. }));
        let risen = opens_with(2_701).await;
        let is_refused = matches!(risen, Outcome::Refused(Refusal::EnergyTornApart { .. }));
        assert_eq!(is_refused, is_counted, "{boots} boots: {risen:?}");
    }
}

pub(crate) async fn a_window_in_a_hole_goes_on_from_its_neighbours_in_the_chunk<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    active(&*store, &meter, "UTC").await;
    let start = utc("2025-06-19T00:00:00Z");
    let mut windows = Vec::new();
    for number in 0..150_u64 {
        let at = UtcMillis::new(start.get() + number * 600_000).unwrap();
        let readings = meter.ten_minutes(at, 45);
        windows.push((meter.seal(&readings), readings));
    }
    let missing = 70..73;
    let batch = windows
        .iter()
        .enumerate()
        .filter(|(at, _)| !missing.contains(at))
        .map(|(_, (window, readings))| sealed(*window, readings));
    take(&*store, batch.collect()).await;
    assert_eq!(store.maintain().await.unwrap().compacted_windows, 144);
    let (first, second, last) = (windows[70].0, windows[71].0, windows[72].0);
    let other = |outcome| match refusal(outcome) {
        Refusal::EnergyTornApart { other, .. } => other.get(),
        refused => panic!("{refused}"),
    };
    let mwh_of = |at: u64| at * 60 * 45;
    // The first is next to its neighbour, so nothing can have come between.
    let torn = ww_wire::Window {
        produced_open: mwh(mwh_of(70) + 1),
        ..first
    };
    assert_eq!(other(take_one(&*store, bare(torn)).await), 69);
    // The second is next to none.
    let fallen = ww_wire::Window {
        produced_open: mwh(mwh_of(70) - 1),
        ..second
    };
    assert_eq!(other(take_one(&*store, bare(fallen)).await), 69);
    let risen = ww_wire::Window {
        produced_close: mwh(mwh_of(73) + 1),
        ..second
    };
    assert_eq!(other(take_one(&*store, bare(risen)).await), 73);
    for (window, at) in [(second, 71), (last, 72), (first, 70)] {
        receipt(&take_one(&*store, sealed(window, &windows[at].1)).await);
    }
    assert_whole(&*store).await;
}

pub(crate) async fn a_window_without_readings_closes_as_its_last_reading_did<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let window = meter.seal(&readings);
    take_one(&*store, live(readings[59])).await;
    let richer = ww_wire::Window {
        produced_close: mwh(window.produced_close.get() + 1_000_000),
        ..window
    };
    let refused = refusal(take_one(&*store, bare(richer)).await);
    assert!(matches!(refused, Refusal::WindowContradictsReading { .. }));
    let evidence = store.evidence(Some(id), 0, 10).await.unwrap();
    assert_eq!(
        evidence[0].refused.payload,
        richer.encode().unwrap().to_vec()
    );
    receipt(&take_one(&*store, bare(window)).await);
    assert_whole(&*store).await;
}

pub(crate) async fn what_is_known_already_is_no_sign_of_life<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let boot = meter.start(None);
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let window = meter.seal(&readings);
    let finding = Ingest::Finding(ww_store::NewFinding {
        installation: id,
        kind: FindingKind::FutureTime,
        number: 9,
        detail: String::new(),
    });
    let mut batch = vec![
        chained(ChainRecord::Boot(boot)),
        sealed(window, &readings),
        live(readings[4]),
    ];
    take(&*store, batch.clone()).await;
    let heard = store.installation(id).await.unwrap().unwrap().last_seen;
    batch.push(finding);
    let later = UtcMillis::new(1_800_000_000_000);
    for outcome in &store.ingest(batch, later).await.unwrap()[..3] {
        assert!(matches!(outcome, Outcome::Duplicate(_)));
    }
    let shown = store.installation(id).await.unwrap().unwrap();
    assert_eq!(shown.last_seen, heard);
    assert_eq!(store.findings(None, 0, 10).await.unwrap(), []);
}

pub(crate) async fn a_reading_from_the_future_is_not_the_latest_for_years<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let now = utc("2025-06-19T12:00:00Z");
    let ahead = |ms| UtcMillis::new(now.get() + ms);
    let future = meter.read(ahead(60_001), 45);
    store.ingest(vec![live(future)], Some(now)).await.unwrap();
    assert_eq!(store.latest(id).await.unwrap().unwrap().reading, future);
    let present = meter.read(ahead(60_000), 45);
    let before = meter.read(ahead(0), 45);
    store
        .ingest(vec![live(present), live(before)], Some(now))
        .await
        .unwrap();
    assert_eq!(store.latest(id).await.unwrap().unwrap().reading, present);
    let future = meter.read(ahead(1_000_000_000_000), 45);
    let next = meter.read(ahead(70_000), 45);
    for reading in [future, next] {
        let at = ahead(70_000);
        store.ingest(vec![live(reading)], at).await.unwrap();
    }
    assert_eq!(store.latest(id).await.unwrap().unwrap().reading, next);
}

pub(crate) async fn a_gateway_with_a_slow_clock_shows_what_comes_as_the_latest<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let latest_after = async |reading, arrival: &str| {
        let at = Some(utc(arrival));
        store.ingest(vec![live(reading)], at).await.unwrap();
        store.latest(id).await.unwrap().unwrap().reading
    };
    let mut read = |time: &str| meter.read(Some(utc(time)), 45);
    let before = read("2025-06-19T12:00:00Z");
    let missed = read("2025-06-19T12:00:10Z");
    let missed_too = read("2025-06-19T12:00:20Z");
    let back = read("2025-06-19T18:00:00Z");
    let next = read("2025-06-19T18:00:10Z");
    let right = read("2025-06-19T18:00:20Z");
    assert_eq!(latest_after(before, "2025-06-19T12:00:00Z").await, before);
    // The outage is over, and the clock stands where it stood an hour before the outage.
    assert_eq!(latest_after(back, "2025-06-19T11:00:00Z").await, back);
    assert_eq!(latest_after(next, "2025-06-19T11:00:10Z").await, next);
    assert_eq!(latest_after(missed, "2025-06-19T11:00:11Z").await, next);
    let with_the_right_time = latest_after(missed_too, "2025-06-19T18:00:12Z");
    assert_eq!(with_the_right_time.await, next);
    assert_eq!(latest_after(right, "2025-06-19T18:00:20Z").await, right);
}

pub(crate) async fn a_correction_is_shown_beside_the_total<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let first = meter.read(Some(utc("2025-06-19T12:00:00Z")), 1000);
    take_one(&*store, live(first)).await;
    let correction = Correction {
        operator: operator_key().id(),
        meter: meter.id(),
        time: utc("2025-06-20T12:00:00Z"),
        target: Hash([1; 32]),
        first_sequence: Sequence::new(1).unwrap(),
        last_sequence: Sequence::new(1).unwrap(),
        reduction: mwh(400),
        reason: CorrectionReason::SensorFault,
        note: Text::EMPTY,
    };
    for _ in 0..2 {
        store
            .correct(Verified::vouched(correction, signature(2)), audit(None))
            .await
            .unwrap();
    }
    let energy = store
        .energy(id, utc("2025-06-21T12:00:00Z"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((energy.lifetime, energy.corrected), (mwh(1000), mwh(400)));
    assert_eq!(store.statements(id).await.unwrap().len(), 2);
}

pub(crate) async fn one_sensor_and_channel_has_one_active_meter<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (first, second) = (Meter::new(1), Meter::new(2));
    active(&*store, &first, "UTC").await;
    let mut enrolment = *second.enrolment(1).record();
    enrolment.sensor_mac = first.enrolment(1).record().sensor_mac;
    let refused = store
        .enrol(
            Verified::vouched(enrolment, signature(2)),
            None,
            None,
            audit(None),
        )
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Refused(Refusal::SensorTaken { .. })
    ));
    assert_eq!(store.installations().await.unwrap().len(), 1);
}

pub(crate) async fn an_enrolment_is_accepted_by_its_meter_and_never_goes_back<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let second = meter.enrolment(2);
    let acceptance = Verified::vouched(ww_store::Acceptance(*second.record()), signature(9));
    let refused = store
        .accept_enrolment(acceptance.clone(), audit(None))
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Refused(Refusal::UnknownEnrolment { .. })
    ));
    store
        .enrol(second.clone(), None, None, audit(None))
        .await
        .unwrap();
    let lines = store.audit(newest_lines(10)).await.unwrap().len();
    for _ in 0..2 {
        let accepted = store.accept_enrolment(acceptance.clone(), audit(None));
        assert!(accepted.await.unwrap().enrolment_accepted);
    }
    assert_eq!(
        store.audit(newest_lines(10)).await.unwrap().len(),
        lines + 1
    );
    let enrolments = store.enrolments(id).await.unwrap();
    assert_eq!(enrolments.len(), 2);
    assert_eq!(enrolments[1].acceptance, Some(signature(9)));
    let mut older = *meter.enrolment(1).record();
    older.rated_power = ww_wire::Watts::new(1).unwrap();
    let refused = store
        .enrol(
            Verified::vouched(older, signature(2)),
            None,
            None,
            audit(None),
        )
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Refused(Refusal::StaleEnrolment { .. })
    ));
}

pub(crate) async fn an_enrolment_is_renewed_with_the_one_that_was_brought_or_not_at_all<
    B: Backend,
>() {
    let backend = B::new();
    let store = backend.open();
    let meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let with_audit = |number| (meter.enrolment(number), audit(None));
    let refused = store.renew(with_audit(7), with_audit(6)).await;
    assert!(matches!(
        refused.unwrap_err(),
        StoreError::Refused(Refusal::StaleEnrolment {
            last: 7,
            got: 6,
            ..
        })
    ));
    assert_eq!(store.enrolments(id).await.unwrap().len(), 1);
    let renewed = store.renew(with_audit(7), with_audit(8)).await.unwrap();
    assert_eq!(renewed.enrolment.unwrap().number, 8);
    assert_eq!(store.enrolments(id).await.unwrap().len(), 3);
}

pub(crate) async fn events_are_resumed_where_one_left_off<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let before = store.last_event().await.unwrap();
    let first = meter.read(Some(utc("2025-06-19T12:00:00Z")), 45);
    let second = meter.read(Some(utc("2025-06-19T12:00:10Z")), 45);
    let outcomes = take(&*store, vec![live(first), live(second)]).await;
    assert_eq!(receipt(&outcomes[0]).event, Some(EventId(before.0 + 1)));
    store.close().await.unwrap();
    let store = backend.open();
    let events = store.events(EventId(before.0 + 1), 10).await.unwrap();
    assert_eq!(events.len(), 1);
    let EventKind::Reading(stored) = &events[0].kind else {
        panic!("{events:?}");
    };
    assert_eq!((stored.installation, stored.reading), (id, second));
    let third = meter.read(Some(utc("2025-06-19T12:00:20Z")), 45);
    let outcome = take_one(&*store, live(third)).await;
    assert_eq!(receipt(&outcome).event, Some(EventId(before.0 + 3)));
}

pub(crate) async fn pending_readings_go_by_id_over_all_installations<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    for number in 1..=2 {
        let mut meter = Meter::new(number);
        active(&*store, &meter, "UTC").await;
        let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
        let window = meter.seal(&readings[..30]);
        take_one(&*store, sealed(window, &readings[..30])).await;
        take(
            &*store,
            readings[30..]
                .iter()
                .map(|reading| live(*reading))
                .collect(),
        )
        .await;
    }
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let page = store.pending(after, 25).await.unwrap();
        let page = page.iter().map(|stored| {
            ReadingId::new(stored.installation, stored.reading.sum().sequence).unwrap()
        });
        let page: Vec<ReadingId> = page.collect();
        let Some(last) = page.last() else {
            break;
        };
        after = Some(*last);
        ids.extend(page);
    }
    assert_eq!(ids.len(), 120);
    assert!(ids.is_sorted_by(|a, b| a < b));
}

pub(crate) async fn keys_are_kept_by_hash_and_stay_withdrawn<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let key = NewApiKey {
        name: "dashboard".to_owned(),
        role: Role::Viewer,
        hash: Hash([4; 32]),
        expires: None,
    };
    let made = store.add_key(key.clone(), audit(None)).await.unwrap();
    assert_eq!(made.key, key);
    let at = UtcMillis::new(1_760_000_000_000);
    store.revoke_key(made.id, audit(at)).await.unwrap();
    store.revoke_key(made.id, audit(None)).await.unwrap();
    assert_eq!(store.keys().await.unwrap()[0].revoked, at);
    assert_eq!(
        store
            .revoke_key(ww_store::KeyId(99), audit(None))
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.audit(newest_lines(10)).await.unwrap().len(), 3);
}

pub(crate) async fn key_of(store: &dyn Store, number: u8, expires: Option<UtcMillis>) -> KeyId {
    let key = NewApiKey {
        name: format!("key {number}"),
        role: Role::Viewer,
        hash: Hash([number; 32]),
        expires,
    };
    store.add_key(key, audit(None)).await.unwrap().id
}

/// The first bytes of the hashes of all sessions.
pub(crate) async fn sessions_of(store: &dyn Store) -> Vec<u8> {
    let sessions = store.sessions().await.unwrap();
    let first = |kept: &ApiSession| kept.session.hash.0[0];
    let mut numbers: Vec<u8> = sessions.iter().map(first).collect();
    numbers.sort_unstable();
    numbers
}

pub(crate) async fn a_session_is_kept_until_it_or_its_key_ends<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let at = |seconds: u64| UtcMillis::new(1_760_000_000_000 + 1_000 * seconds).unwrap();
    let (lasting, brief) = (
        key_of(&*store, 1, None).await,
        key_of(&*store, 2, Some(at(50))).await,
    );
    let lost = key_of(&*store, 3, None).await;
    let session = |number, key, ends| NewApiSession {
        hash: Hash([number; 32]),
        key,
        expires: at(ends),
    };
    for new in [
        session(1, lasting, 100),
        session(2, lasting, 200),
        session(3, lasting, 200),
        session(4, brief, 200),
        session(5, lost, 200),
    ] {
        let added = store.add_session(new, audit(Some(at(0)))).await.unwrap();
        let added = added.unwrap();
        assert_eq!((added.session, added.created), (new, Some(at(0))));
    }
    drop(store);
    let store = backend.open();
    assert_eq!(sessions_of(&*store).await, [1, 2, 3, 4, 5]);
    store.revoke_key(lost, audit(None)).await.unwrap();
    assert_eq!(sessions_of(&*store).await, [1, 2, 3, 4]);
    for was_there in [true, false] {
        let ended = store.end_session(Hash([2; 32]), audit(None)).await.unwrap();
        assert_eq!(ended, was_there);
    }
    assert_eq!(sessions_of(&*store).await, [1, 3, 4]);
    assert_eq!(store.forget_sessions(at(49)).await.unwrap(), 0);
    assert_eq!(store.forget_sessions(at(50)).await.unwrap(), 1);
    assert_eq!(store.forget_sessions(at(100)).await.unwrap(), 1);
    assert_eq!(sessions_of(&*store).await, [3]);
    // Three keys, five sessions, a withdrawal, and the one end that was one.
    assert_eq!(store.audit(newest_lines(20)).await.unwrap().len(), 10);
}

pub(crate) async fn a_withdrawn_key_begins_no_session<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let key = key_of(&*store, 1, None).await;
    store.revoke_key(key, audit(None)).await.unwrap();
    for key in [key, KeyId(99)] {
        let new = NewApiSession {
            hash: Hash([7; 32]),
            key,
            expires: utc("2025-06-19T12:00:00Z"),
        };
        assert_eq!(store.add_session(new, audit(None)).await.unwrap(), None);
    }
    assert_eq!(store.sessions().await.unwrap(), []);
    assert_eq!(store.audit(newest_lines(10)).await.unwrap().len(), 2);
}

pub(crate) async fn a_key_has_no_more_than_so_many_sessions<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let (key, other) = (
        key_of(&*store, 1, None).await,
        key_of(&*store, 2, None).await,
    );
    let begun = utc("2025-06-19T12:00:00Z").get();
    let session = |number: u32, key| {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        NewApiSession {
            hash: Hash(hash),
            key,
            expires: UtcMillis::new(begun + u64::from(number)).unwrap(),
        }
    };
    let of_the_other = session(1_000_000, other);
    store.add_session(of_the_other, audit(None)).await.unwrap();
    for number in 0..SESSIONS_PER_KEY + 2 {
        let new = session(number, key);
        store.add_session(new, audit(None)).await.unwrap().unwrap();
    }
    let sessions = store.sessions().await.unwrap();
    assert_eq!(sessions.len(), SESSIONS_PER_KEY as usize + 1);
    let expected: Vec<_> = (2..SESSIONS_PER_KEY + 2)
        .map(|number| session(number, key))
        .chain([of_the_other])
        .collect();
    let mut kept: Vec<_> = sessions.iter().map(|kept| kept.session).collect();
    kept.sort_unstable_by_key(|session| session.expires);
    assert_eq!(kept, expected);
}

pub(crate) async fn the_audit_trail_is_asked_for_by_who_what_and_when<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let day = |day: u64| UtcMillis::new(1_760_000_000_000 + 86_400_000 * day);
    for (at, actor, action, subject) in [
        (day(0), "admin", "key.create", "key wall"),
        (day(1), "admin", "installation.approve", "installation 7"),
        (day(2), "anna", "key.revoke", "key 1"),
        (None, "anna", "keyring.open", "100% of_all"),
        (day(4), "anna", "installation.approve", "installation 17"),
    ] {
        let line = NewAudit {
            at,
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail: String::new(),
        };
        store.record_audit(line).await.unwrap();
    }
    let some = |text: &str| Some(text.to_owned());
    let all = AuditQuery {
        limit: 10,
        ..AuditQuery::default()
    };
    for (query, expected) in [
        (
            AuditQuery {
                actor: some("admin"),
                ..all.clone()
            },
            &[2, 1][..],
        ),
        (
            AuditQuery {
                actor: some("adm"),
                ..all.clone()
            },
            &[],
        ),
        (
            AuditQuery {
                action: some("key"),
                ..all.clone()
            },
            &[3, 1],
        ),
        (
            AuditQuery {
                action: some("key.create"),
                ..all.clone()
            },
            &[1],
        ),
        (
            AuditQuery {
                subject: some("installation 7"),
                ..all.clone()
            },
            &[2],
        ),
        (
            AuditQuery {
                subject: some("7"),
                ..all.clone()
            },
            &[5, 2],
        ),
        (
            AuditQuery {
                subject: some("% of_"),
                ..all.clone()
            },
            &[4],
        ),
        (
            AuditQuery {
                subject: some("%"),
                ..all.clone()
            },
            &[4],
        ),
        (
            AuditQuery {
                start: day(2),
                ..all.clone()
            },
            &[5, 3],
        ),
        (
            AuditQuery {
                end: day(2),
                ..all.clone()
            },
            &[3, 2, 1],
        ),
        (
            AuditQuery {
                before: Some(4),
                limit: 2,
                ..all.clone()
            },
            &[3, 2],
        ),
        (
            AuditQuery {
                actor: some("anna"),
                action: some("installation"),
                ..all.clone()
            },
            &[5],
        ),
    ] {
        let found = store.audit(query.clone()).await.unwrap();
        let ids: Vec<u64> = found.iter().map(|line| line.id).collect();
        assert_eq!(ids, expected, "{query:?}");
    }
}

/// The last lines of the audit trail, whatever they are.
pub(crate) fn newest_lines(limit: u32) -> AuditQuery {
    AuditQuery {
        limit,
        ..AuditQuery::default()
    }
}

pub(crate) async fn imported_readings_are_in_no_total<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let reading = ww_store::ImportedReading {
        original_id: 1,
        original_installation: 1,
        power: ww_wire::Milliwatts::new(16_600).unwrap(),
        total: mwh(21_700_000),
        time: utc("2025-06-19T17:05:12Z"),
        signature: "ab".to_owned(),
    };
    for new in [1, 0] {
        let count = store
            .import("old".to_owned(), vec![reading.clone()], audit(None))
            .await
            .unwrap();
        assert_eq!(count, new);
    }
    assert_eq!(
        store.imported("old".to_owned(), None, 10).await.unwrap(),
        vec![reading]
    );
    assert_eq!(
        store.import_sources().await.unwrap(),
        vec!["old".to_owned()]
    );
    let energy = store
        .energy(id, utc("2025-06-19T18:00:00Z"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(energy.lifetime, mwh(0));
    assert_eq!(store.latest(id).await.unwrap(), None);
}

pub(crate) async fn many_calls_at_once_share_commits<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let before = store.statistics().await.unwrap().commits;
    let readings = meter.ten_minutes(utc("2025-06-19T12:00:00Z"), 45);
    let calls: Vec<_> = readings
        .into_iter()
        .map(|reading| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { take_one(&*store, live(reading)).await })
        })
        .collect();
    for call in calls {
        receipt(&call.await.unwrap());
    }
    assert_eq!(all(&*store, id).await.len(), 60);
    let commits = store.statistics().await.unwrap().commits - before;
    assert!(commits < 60, "{commits} commits for 60 readings");
    assert_whole(&*store).await;
}

pub(crate) async fn a_poisoned_call_fails_alone<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meter = Meter::new(1);
    let id = active(&*store, &meter, "UTC").await;
    let key = NewApiKey {
        name: "twice".to_owned(),
        role: Role::Viewer,
        hash: Hash([4; 32]),
        expires: None,
    };
    store.add_key(key.clone(), audit(None)).await.unwrap();
    let first = meter.read(Some(utc("2025-06-19T12:00:00Z")), 45);
    let second = meter.read(Some(utc("2025-06-19T12:00:10Z")), 45);
    // All four wait at once, so they share a transaction until it fails.
    let (before, poisoned, after, event) = tokio::join!(
        store.ingest(vec![live(first)], None),
        store.add_key(key, audit(None)),
        store.ingest(vec![live(second)], None),
        store.ready(),
    );
    assert!(matches!(poisoned, Err(StoreError::Database { .. })));
    receipt(&before.unwrap()[0]);
    receipt(&after.unwrap()[0]);
    event.unwrap();
    assert_eq!(all(&*store, id).await.len(), 2);
    assert_eq!(store.keys().await.unwrap().len(), 1);
    assert_eq!(store.audit(newest_lines(10)).await.unwrap().len(), 2);
    assert_whole(&*store).await;
}
