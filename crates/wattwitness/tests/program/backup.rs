//! The gateway's disk dies, and an old backup takes its place.

use crate::place::Place;
use crate::post::{HOUR_MS, MINUTE_MS, MeteredPost, example, morning};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_old_backup_is_filled_again_by_the_meters() {
    let place = Place::new();
    let gateway = place.serve().await;
    let mut single = MeteredPost::enrolled(&place, &example(0), 1, morning(1)).await;
    let mut three_phase = MeteredPost::enrolled(&place, &example(2), 2, morning(1)).await;
    let run = |posts: [&mut MeteredPost; 2], duration_ms| {
        posts.into_iter().for_each(|post| post.run(duration_ms));
    };
    run([&mut single, &mut three_phase], HOUR_MS + 4 * MINUTE_MS);
    let installation = single.installation(&place).await;
    place.told(&["backup", "--data", "data", "park.db"]);
    let mut names = place.names();
    names.sort();
    assert_eq!(names, ["data", "park.db", "wattwitness.toml"]);
    let backed_up = single.made().len();
    run([&mut single, &mut three_phase], 3 * HOUR_MS);
    // No orderly end, and nothing but the database itself is moved out of the way.
    drop(gateway);
    std::fs::rename(
        place.path("data/wattwitness.db"),
        place.path("data/lost.db"),
    )
    .unwrap();
    run([&mut single, &mut three_phase], 10 * MINUTE_MS);
    place.told(&["restore", "--data", "data", "park.db"]);

    let _gateway = place.serve().await;
    assert_eq!(place.readings(installation).await.len(), backed_up);
    run([&mut single, &mut three_phase], HOUR_MS);
    for post in [&single, &three_phase] {
        assert_eq!(post.depth().records, 0);
        post.assert_held(&place).await;
        post.assert_counted(&place).await;
    }
}
