//! Makes the golden vectors of format version 1 out of records written down here. It writes no
//! file: a test holds what it makes against the committed files, and an example writes new ones.

mod bodies;
mod cose;
mod json;
mod keys;
mod merkle;
mod packed;
mod records;
mod refusals;
mod samples;

/// Every file of the vectors: its name and its text.
pub(crate) fn files() -> Vec<(&'static str, String)> {
    vec![
        ("keys.json", keys::keys()),
        ("records.json", records::records()),
        ("records-2.json", records::update_reports()),
        ("record-refusals.json", refusals::record_refusals()),
        ("record-refusals-2.json", refusals::more_record_refusals()),
        ("record-refusals-3.json", refusals::update_report_refusals()),
        ("cose-refusals.json", cose::cose_refusals()),
        ("forgeries.json", cose::forgeries()),
        ("merkle.json", merkle::merkle_tree()),
        ("packed.json", packed::packed_blocks()),
        ("packed-refusals.json", packed::packed_refusals()),
        ("bodies.json", bodies::bodies()),
    ]
    .into_iter()
    .map(|(name, json)| (name, json.file()))
    .collect()
}
