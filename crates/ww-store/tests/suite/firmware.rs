//! Claims about firmware: roots, releases, objects, questions, reports and rollouts.

use ww_store::{
    DeviceQuestion, EventId, EventKind, FIRMWARE_REPORTS_KEPT, InstallationId, NewFirmwareRelease,
    NewRollout, OBJECT_PIECE_BYTES, RolloutChange, RolloutId, RolloutStage, Store,
    StoredUpdateReport, Verified,
};
use ww_wire::{ChainRecord, Hash, Revocation, RevocationReason, Text, UtcMillis};

use super::meter::{Meter, audit, chained, operator_key, signature};
use super::{Backend, active, newest_lines, take_one};

fn at(millis: u64) -> Option<UtcMillis> {
    UtcMillis::new(1_760_000_000_000 + millis)
}

fn release(number: u8, objects: Vec<(Hash, Vec<u8>)>) -> NewFirmwareRelease {
    NewFirmwareRelease {
        digest: Hash([number; 32]),
        payload: Hash([number + 100; 32]),
        root_number: 1,
        envelope: vec![number; 300],
        keys: vec![number; 40],
        objects,
    }
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|place| (place % 251) as u8).collect()
}

pub(crate) async fn roots_are_kept_by_number_and_the_first_of_two_stays<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    for (number, bytes, is_new) in [(2, 2, true), (1, 1, true), (2, 3, false)] {
        let added = store.add_firmware_root(number, vec![bytes], audit(at(0)));
        assert_eq!(added.await.unwrap(), is_new, "{number} {bytes}");
    }
    drop(store);
    let roots = backend.open().firmware_roots().await.unwrap();
    let bytes: Vec<_> = roots
        .iter()
        .map(|root| (root.number, root.bytes[0]))
        .collect();
    assert_eq!(bytes, [(1, 1), (2, 2)]);
    assert_eq!((roots[0].added, &*roots[0].added_by), (at(0), "test"));
}

pub(crate) async fn a_release_comes_back_and_its_objects_are_read_in_ranges<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let whole = content(2 * OBJECT_PIECE_BYTES + 100);
    let objects = vec![(Hash([1; 32]), whole.clone()), (Hash([2; 32]), content(64))];
    let new = release(7, objects);
    let (stored, is_new) = store
        .publish_firmware(new.clone(), audit(at(5)))
        .await
        .unwrap();
    assert!(is_new);
    assert_eq!((stored.digest, stored.payload), (new.digest, new.payload));
    assert_eq!((&stored.envelope, &stored.keys), (&new.envelope, &new.keys));
    assert_eq!((stored.published, stored.withdrawal.clone()), (at(5), None));
    drop(store);
    let store = backend.open();
    assert_eq!(
        store.firmware_release(new.digest).await.unwrap(),
        Some(stored)
    );
    for (from, most) in [
        (0, 10),
        (OBJECT_PIECE_BYTES - 5, 10),
        (OBJECT_PIECE_BYTES, OBJECT_PIECE_BYTES),
        (whole.len() - 3, 10),
        (whole.len(), 10),
        (whole.len() + 9, 10),
    ] {
        let range = store.firmware_object(Hash([1; 32]), from as u64, most);
        let range = range.await.unwrap().unwrap();
        assert_eq!(range.object_bytes, whole.len() as u64);
        let end = whole.len().min(from + most);
        assert_eq!(
            range.content,
            whole.get(from..end).unwrap_or_default(),
            "{from}"
        );
    }
    let none = store.firmware_object(Hash([9; 32]), 0, 1).await.unwrap();
    assert_eq!(none, None);
}

pub(crate) async fn the_same_release_again_changes_nothing_and_objects_are_shared<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let shared = (Hash([1; 32]), content(100));
    for (number, is_new) in [(1, true), (1, false), (2, true)] {
        let published = store.publish_firmware(release(number, vec![shared.clone()]), audit(None));
        assert_eq!(published.await.unwrap().1, is_new);
    }
    assert_eq!(store.audit(newest_lines(10)).await.unwrap().len(), 2);
    let page = store.firmware_releases(None, 1).await.unwrap();
    assert_eq!(page[0].digest, Hash([2; 32]));
    let rest = store.firmware_releases(Some(page[0].id), 9).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].digest, Hash([1; 32]));
}

pub(crate) async fn a_publication_that_broke_off_is_taken_up_anew<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let new = release(1, vec![(Hash([1; 32]), content(12 * OBJECT_PIECE_BYTES))]);
    let mut broken = store.publish_firmware(new.clone(), audit(None));
    // Some of its pieces are written, and then nobody asks any more.
    for _ in 0..8 {
        tokio::select! {
            biased;
            _ = &mut broken => panic!("it is not done so soon"),
            () = core::future::ready(()) => {}
        }
        store.firmware_roots().await.unwrap();
        store.ready().await.unwrap();
    }
    drop(broken);
    let held = store.firmware_object(Hash([1; 32]), 0, 1).await.unwrap();
    assert_eq!(held, None, "half an object is none");
    assert_eq!(store.firmware_release(new.digest).await.unwrap(), None);
    assert!(store.publish_firmware(new, audit(None)).await.unwrap().1);
    let held = store.firmware_object(Hash([1; 32]), 0, 1).await.unwrap();
    assert_eq!(held.unwrap().content, [0]);
}

pub(crate) async fn a_withdrawn_release_stays_withdrawn_by_the_first<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let digest = Hash([1; 32]);
    assert_eq!(
        store.withdraw_firmware(digest, audit(None)).await.unwrap(),
        None
    );
    store
        .publish_firmware(release(1, vec![]), audit(None))
        .await
        .unwrap();
    for time in [at(1), at(2)] {
        let withdrawn = store.withdraw_firmware(digest, audit(time)).await.unwrap();
        assert_eq!(withdrawn.unwrap().withdrawal.unwrap().at, at(1));
    }
    assert_eq!(store.audit(newest_lines(10)).await.unwrap().len(), 2);
}

fn question(installation: InstallationId, number: u8) -> DeviceQuestion {
    DeviceQuestion {
        installation,
        device_nonce: [number; 16],
        server_nonce: [number + 1; 16],
        question: vec![number; 200],
        earlier: vec![number; 8],
        asked: at(u64::from(number)),
    }
}

pub(crate) async fn the_newest_question_of_a_device_is_kept<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let one = active(&*store, &Meter::new(1), "UTC").await;
    let other = active(&*store, &Meter::new(2), "UTC").await;
    let asked = vec![question(one, 1), question(other, 2), question(one, 3)];
    store.put_firmware_questions(asked).await.unwrap();
    drop(store);
    let store = backend.open();
    let newest = store.firmware_question(one).await.unwrap();
    assert_eq!(newest, Some(question(one, 3)));
    let next = vec![question(one, 4)];
    store.put_firmware_questions(next).await.unwrap();
    let newest = store.firmware_question(one).await.unwrap();
    assert_eq!(newest, Some(question(one, 4)));
    assert_eq!(
        store.firmware_question(InstallationId(99)).await.unwrap(),
        None
    );
}

pub(crate) async fn devices_are_meters_in_service_with_what_they_run_and_asked<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let mut meters: Vec<_> = (1..=3).map(Meter::new).collect();
    let mut ids = Vec::new();
    for meter in &meters {
        ids.push(active(&*store, meter, "Europe/Berlin").await);
    }
    let boot = meters[0].start(at(1));
    take_one(&*store, chained(ChainRecord::Boot(boot))).await;
    store
        .put_firmware_questions(vec![question(ids[0], 1)])
        .await
        .unwrap();
    let revocation = Revocation {
        operator: operator_key().id(),
        meter: meters[1].id(),
        time: UtcMillis::ZERO,
        reason: RevocationReason::Lost,
        note: Text::EMPTY,
    };
    let revocation = Verified::vouched(revocation, signature(2));
    store.revoke(revocation, audit(None)).await.unwrap();
    let page = store.firmware_devices(InstallationId(0), 1).await.unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(
        (page[0].installation, &*page[0].time_zone),
        (ids[0], "Europe/Berlin")
    );
    assert_eq!(page[0].last_boot, Some(boot));
    assert_eq!(page[0].question, Some(question(ids[0], 1)));
    let rest = store.firmware_devices(ids[0], 10).await.unwrap();
    let rest: Vec<_> = rest.iter().map(|device| device.installation).collect();
    assert_eq!(rest, [ids[2]], "a revoked meter is no device");
    assert_eq!(store.firmware_device(ids[1]).await.unwrap(), None);
    let one = store.firmware_device(ids[2]).await.unwrap().unwrap();
    assert_eq!((one.question, one.last_boot), (None, None));
}

pub(crate) async fn reports_are_kept_once_newest_first_and_bounded<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let id = active(&*store, &Meter::new(1), "UTC").await;
    let report = |number: u32| StoredUpdateReport {
        payload: number.to_be_bytes().to_vec(),
        signature: signature(4),
        received: at(u64::from(number)),
    };
    for (number, is_new) in [(1, true), (2, true), (1, false)] {
        let added = store.add_firmware_report(id, report(number), audit(None));
        assert_eq!(added.await.unwrap(), is_new, "{number}");
    }
    let reports = store.firmware_reports(id, 10).await.unwrap();
    assert_eq!(reports, [report(2), report(1)]);
    for number in 3..FIRMWARE_REPORTS_KEPT + 3 {
        store
            .add_firmware_report(id, report(number), audit(None))
            .await
            .unwrap();
    }
    let reports = store
        .firmware_reports(id, 2 * FIRMWARE_REPORTS_KEPT)
        .await
        .unwrap();
    assert_eq!(reports.len() as u32, FIRMWARE_REPORTS_KEPT);
    assert_eq!(reports.last(), Some(&report(3)));
}

fn rollout(members: &[InstallationId]) -> NewRollout {
    NewRollout {
        release: Hash([1; 32]),
        plan: vec![1],
        course: vec![2],
        summary: vec![3],
        members: members.iter().map(|member| (*member, vec![0])).collect(),
    }
}

async fn begin(store: &dyn Store, members: &[InstallationId]) -> Option<RolloutId> {
    let begun = store
        .add_rollout(rollout(members), audit(at(1)))
        .await
        .unwrap();
    begun.map(|begun| begun.id)
}

fn enters(stage: RolloutStage) -> RolloutChange {
    RolloutChange {
        stage: Some(stage),
        ..RolloutChange::default()
    }
}

pub(crate) async fn a_meter_is_in_one_open_rollout_at_a_time<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let one = active(&*store, &Meter::new(1), "UTC").await;
    let other = active(&*store, &Meter::new(2), "UTC").await;
    let first = begin(&*store, &[one]).await.unwrap();
    assert_eq!(begin(&*store, &[other, one]).await, None);
    let second = begin(&*store, &[other]).await.unwrap();
    assert_eq!(store.telling_rollouts().await.unwrap(), [first, second]);
    store
        .change_rollout(first, enters(RolloutStage::Over))
        .await
        .unwrap();
    store
        .change_rollout(second, enters(RolloutStage::Telling))
        .await
        .unwrap();
    assert_eq!(store.telling_rollouts().await.unwrap(), [second]);
    let stored = store.rollout(first).await.unwrap().unwrap();
    assert_eq!(stored.stage, RolloutStage::Over);
    let third = begin(&*store, &[other, one]).await.unwrap();
    let listed = store.rollouts(Some(third), 1).await.unwrap();
    assert_eq!(listed[0].id, second);
    let of_release = store.rollouts_of(Hash([1; 32])).await.unwrap();
    assert_eq!(of_release, [first, second, third]);
    assert_eq!(store.rollouts_of(Hash([2; 32])).await.unwrap(), []);
    let lines = store.audit(newest_lines(1)).await.unwrap();
    assert_eq!(lines[0].audit.subject, format!("rollout {third}"));
}

pub(crate) async fn the_rows_of_a_rollout_change_one_by_one<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let one = active(&*store, &Meter::new(1), "UTC").await;
    let other = active(&*store, &Meter::new(2), "UTC").await;
    let id = begin(&*store, &[other, one]).await.unwrap();
    let change = RolloutChange {
        members: vec![(one, vec![7])],
        course: Some(vec![8]),
        ..RolloutChange::default()
    };
    assert_eq!(store.change_rollout(id, change).await.unwrap(), None);
    drop(store);
    let store = backend.open();
    let stored = store.rollout(id).await.unwrap().unwrap();
    assert_eq!((&*stored.plan, &*stored.course), (&[1][..], &[8][..]));
    assert_eq!((&*stored.summary, stored.created), (&[3][..], at(1)));
    let members = store.rollout_members(id, 0, 10).await.unwrap();
    let rows: Vec<_> = members
        .iter()
        .map(|row| (row.place, row.installation, row.body[0]))
        .collect();
    assert_eq!(rows, [(0, other, 0), (1, one, 7)]);
    assert_eq!(
        store.rollout_members(id, 1, 10).await.unwrap(),
        members[1..]
    );
    assert_eq!(store.rollout_members(id, 0, 1).await.unwrap(), members[..1]);
}

pub(crate) async fn a_change_of_a_rollout_is_told_and_stands_in_the_audit_trail<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let one = active(&*store, &Meter::new(1), "UTC").await;
    let before = store.last_event().await.unwrap();
    let id = begin(&*store, &[one]).await.unwrap();
    let change = RolloutChange {
        is_told: true,
        audit: vec![audit(at(3))],
        ..RolloutChange::default()
    };
    let told = store.change_rollout(id, change).await.unwrap();
    assert_eq!(told, Some(EventId(before.0 + 2)));
    let events = store.events(before, 10).await.unwrap();
    assert_eq!(events.len(), 2);
    assert!(
        events
            .iter()
            .all(|event| event.kind == EventKind::Rollout(id))
    );
    assert_eq!(
        store.audit(newest_lines(1)).await.unwrap()[0].audit.at,
        at(3)
    );
}
