//! The gateway is away for a day while the meters go on.

use crate::place::Place;
use crate::post::{HOUR_MS, MINUTE_MS, MeteredPost, example, morning};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_a_day_comes_back_complete() {
    let place = Place::new();
    let gateway = place.serve().await;
    let mut post = MeteredPost::enrolled(&place, &example(0), 1, morning(2)).await;
    post.run(HOUR_MS);
    gateway.stop();
    let before = post.made().len();
    post.run(24 * HOUR_MS);
    assert_eq!(post.made().len() - before, 24 * 360);
    assert!(post.depth().readings >= 24 * 360, "{:?}", post.depth());

    let _gateway = place.serve().await;
    post.run(HOUR_MS + 5 * MINUTE_MS);
    assert_eq!(post.depth().records, 0);
    post.assert_held(&place).await;
    post.assert_counted(&place).await;
    let counter = |number| post.made()[&number].sum().import_total.unwrap().get();
    let last = post.made().len() as u64;
    assert_eq!(post.produced_mwh(), counter(last) - counter(1));
}
