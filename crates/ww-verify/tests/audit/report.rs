//! What the report says to people.

use crate::history::*;

#[test]
fn the_report_reads_in_plain_words() {
    let history = History::of_windows(2);
    let text = history.audit(&[0, 2]).to_string();
    assert!(text.contains("INCOMPLETE"), "{text}");
    assert!(
        text.contains("· chain record 1 (nobody declared it"),
        "{text}"
    );
    assert!(text.contains("energy: 0.6000 kWh"), "{text}");
    assert!(
        text.contains(
            "60 readings in 1 window, from 2025-06-19 15:20:00 UTC to 2025-06-19 15:29:50 UTC"
        ),
        "{text}"
    );
    assert!(
        text.contains("records after number 2, were they withheld, would leave no mark"),
        "{text}"
    );
    assert!(text.contains("Whom you still have to trust"), "{text}");
}
