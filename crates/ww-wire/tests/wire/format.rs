//! docs/FORMAT.md says what the code does: its tables, its rules, its numbers.

use ww_wire::*;

use crate::tables;

const DOCUMENT: &str = include_str!("../../../../docs/FORMAT.md");

/// The modules whose records have rules.
const SOURCES: [&str; 4] = [
    include_str!("../../src/reading.rs"),
    include_str!("../../src/chain.rs"),
    include_str!("../../src/enrolment.rs"),
    include_str!("../../src/status.rs"),
];

#[test]
fn its_tables_are_current() {
    assert!(
        tables::renewed(DOCUMENT) == DOCUMENT,
        "renew them: cargo run -p ww-wire --example format_tables -- docs/FORMAT.md"
    );
}

/// The text of every rule: the string that ends each `require!`.
fn rules() -> Vec<&'static str> {
    SOURCES
        .iter()
        .flat_map(|source| source.split("require!(").skip(1))
        .map(|call| call.split('"').nth(1).unwrap())
        .collect()
}

#[test]
fn it_states_every_rule() {
    let rules = rules();
    assert!(rules.len() > 40, "{} rules found", rules.len());
    for rule in rules {
        let stated = DOCUMENT.to_lowercase().contains(&rule.to_lowercase());
        assert!(stated, "FORMAT.md does not state that {rule}");
    }
}

#[test]
fn it_names_every_domain() {
    let names = RecordType::ALL.iter().map(|t| t.name());
    let signed = names.filter(|name| *name != RecordType::Acknowledgement.name());
    for name in signed.chain([Domain::EnrolmentAcceptance.name()]) {
        assert!(
            DOCUMENT.contains(&format!("`wattwitness/v1/{name}`")),
            "{name}"
        );
    }
}

#[test]
fn it_gives_the_limits() {
    for limit in [
        format!("at most {} bytes", record::MAX_PAYLOAD),
        format!("at most {} bytes", cose::MAX_SIGN1),
        format!("at most {} bytes", packed::MAX_PACKED_READING),
        format!("{} ms", chain::WINDOW_MS),
    ] {
        assert!(DOCUMENT.contains(&limit), "{limit}");
    }
}
