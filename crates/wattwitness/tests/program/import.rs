//! Rows of the system that stood here before are taken over.

use serde_json::{Value, json};

use crate::place::Place;
use crate::post::{HOUR_MS, MeteredPost, example, morning};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imported_rows_are_shown_apart_and_are_in_no_total() {
    let place = Place::new();
    let _gateway = place.serve().await;
    let mut post = MeteredPost::enrolled(&place, &example(0), 1, morning(1)).await;
    post.run(HOUR_MS);
    let installation = post.installation(&place).await;
    let latest = format!("/api/v1/readings/latest/{installation}");
    let before = place.json(&latest).await;

    // As the old system had them: of the same installation, at the same time and after it, with the
    // thousandfold of the energy.
    let second = post.now().seconds();
    let rows: Vec<Value> = (0..3_u64)
        .map(|row| {
            json!({
                "id": row + 1, "installation_id": installation, "power_w": 16.6,
                "total_wh": 21_700_000.0 + 1000.5 * row as f64, "timestamp": second + 10 * row,
                "signature": "e8e9", "is_verified": true,
            })
        })
        .collect();
    std::fs::write(place.path("old.json"), json!(rows).to_string()).unwrap();
    let import = [
        "import",
        "--data",
        "data",
        "--source",
        "solar-2025",
        "old.json",
    ];
    let said = place.told(&import);
    assert!(said.contains("3 of 3 rows were new"), "{said}");
    let said = place.told(&import);
    assert!(said.contains("0 of 3 rows were new"), "{said}");

    let sources = place.json("/api/v1/imports").await;
    assert_eq!(sources, json!([{"name": "solar-2025"}]));
    let imported = place.json("/api/v1/imports/solar-2025").await;
    let imported = imported.as_array().unwrap();
    assert_eq!(imported.len(), rows.len());
    for (shown, row) in imported.iter().zip(&rows) {
        assert_eq!(shown["is_verified"], false);
        for field in ["id", "installation_id", "power_w", "total_wh", "timestamp"] {
            assert_eq!(shown[field].as_f64(), row[field].as_f64(), "{field}");
        }
    }
    assert_eq!(place.json(&latest).await, before);
    post.run(HOUR_MS);
    post.assert_held(&place).await;
    post.assert_counted(&place).await;
}
