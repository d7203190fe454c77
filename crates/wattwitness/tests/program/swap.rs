//! A Shelly or a meter is swapped for another, and the totals of the plant go on.

use serde_json::json;
use ww_sim::park::Post;
use ww_wire::{Mac, MilliwattHours};

use crate::enrolment::enrol;
use crate::place::{Gateway, Place};
use crate::post::{HOUR_MS, MINUTE_MS, MeteredPost, example, morning};

/// A gateway, and an approved meter at this post with its number there.
async fn metered(description: &Post) -> (Place, Gateway, MeteredPost, u64) {
    let place = Place::new();
    let gateway = place.serve().await;
    let post = MeteredPost::enrolled(&place, description, 1, morning(1)).await;
    let installation = post.installation(&place).await;
    (place, gateway, post, installation)
}

/// Puts a new meter in the place of one whose readings are all held; gives what the old one had
/// produced, mWh.
async fn replaced(place: &Place, old: MeteredPost) -> (u64, MeteredPost) {
    old.assert_held(place).await;
    old.assert_counted(place).await;
    let (before, at) = (old.produced_mwh(), old.now());
    let new = MeteredPost::with_sensor(place, &example(0), 2, old.into_sensor(), at);
    (before, new)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_go_on_across_a_new_shelly_whose_counters_begin_at_zero() {
    let old = example(0);
    let (place, _gateway, mut post, installation) = metered(&old).await;
    post.run(HOUR_MS);
    let before = post.produced_mwh();
    let swapped_at = post.made().len() as u64;
    let new = Post {
        mac: Mac([0xec, 0x64, 0xc9, 0xc0, 0x5e, 0x97]),
        start_counter: MilliwattHours::ZERO,
        ..old
    };
    let mut sensor = new.sensor(post.now());
    sensor.reset_counters(post.now());
    post.change_sensor(sensor);

    // Until an operator says so, another device at the old address counts for nothing.
    post.run(10 * MINUTE_MS);
    assert_eq!(post.produced_mwh(), before);
    assert_eq!(place.lifetime_mwh(installation).await, before);

    let approval = json!({"shelly_mac": new.mac.to_string()});
    place.approve(installation, &approval).await;
    post.run(HOUR_MS);
    let shown = post.made().range(swapped_at + 1..);
    let mut counters = shown.filter_map(|(_, reading)| reading.sum().import_total);
    let (first, last) = (counters.next().unwrap(), counters.next_back().unwrap());
    assert!(first.get() < before && first < last, "{first:?} {last:?}");
    assert_eq!(post.produced_mwh(), before + last.get() - first.get());
    post.assert_held(&place).await;
    post.assert_counted(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_go_on_across_a_new_meter_that_replaces_the_old_one() {
    let (place, _gateway, mut old, first) = metered(&example(0)).await;
    old.run(HOUR_MS);
    old.seal();
    let (before, mut new) = replaced(&place, old).await;
    let second = new.installation(&place).await;
    let (gateway, meter) = (place.url(""), new.id());
    let said = place.told(&enrol(&gateway, &["--meter", &meter, "--replaces", "1"]));
    assert!(said.contains("is active"), "{said}");
    assert_eq!((first, place.lifetime_mwh(second).await), (1, before));
    new.run(HOUR_MS);
    let own = new.produced_mwh();
    assert!(own > 0);
    assert_eq!(place.lifetime_mwh(second).await, before + own);
    assert_eq!(place.chart_mwh(second, "year").await, before + own);
    assert_eq!(place.lifetime_mwh(first).await, before);
    new.assert_held(&place).await;
    let shown = place.json("/api/v1/installations/").await;
    assert_eq!(shown[0]["replaced_by"], second);
    assert_eq!(shown[1]["replaces"], first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_go_on_across_a_new_meter_when_the_old_one_died_within_a_window() {
    let (place, _gateway, mut old, first) = metered(&example(0)).await;
    old.run(HOUR_MS + 5 * MINUTE_MS);
    let (before, mut new) = replaced(&place, old).await;
    let second = new.installation(&place).await;
    place.approve(second, &json!({"replaces": first})).await;
    assert_eq!(place.lifetime_mwh(second).await, before);
    new.run(HOUR_MS);
    let own = new.produced_mwh();
    assert_eq!(place.lifetime_mwh(second).await, before + own);
    assert_eq!(place.chart_mwh(second, "year").await, before + own);
}
