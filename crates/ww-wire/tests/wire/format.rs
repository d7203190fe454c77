//! docs/FORMAT.md says what the code does: its tables, its rules, its numbers.

use serde_json::Value;
use ww_wire::*;

use crate::tables;

const DOCUMENT: &str = include_str!("../../../../docs/FORMAT.md");

/// The modules whose records have rules.
const SOURCES: [&str; 5] = [
    include_str!("../../src/reading.rs"),
    include_str!("../../src/chain.rs"),
    include_str!("../../src/enrolment.rs"),
    include_str!("../../src/status.rs"),
    include_str!("../../src/update.rs"),
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
        format!(
            "a window holds 1 to {} readings",
            chain::MAX_WINDOW_READINGS
        ),
    ] {
        assert!(DOCUMENT.contains(&limit), "{limit}");
    }
}

#[test]
fn it_gives_the_bound_of_a_plants_energy() {
    let percent = nameplate::PLAUSIBLE_PERCENT;
    for figure in [
        format!("{}.{} times its rated power", percent / 100, percent % 100),
        format!(
            "(rated_power · {} · (t + {}) + {} · ct_ratio_milli · 3600) / 3600000 + 1",
            10 * percent,
            nameplate::PUBLICATION_MS,
            nameplate::RESOLUTION_MWH
        ),
    ] {
        assert!(DOCUMENT.contains(&figure), "{figure}");
    }
    let plant = Nameplate {
        rated_power: Watts::new(800).unwrap(),
        ct_ratio_milli: 1000,
    };
    let example = format!("t = 600000 that is {} mWh", plant.energy_mwh(600_000));
    assert!(DOCUMENT.contains(&example), "{example}");
}

/// The bytes of the drawing below `heading`, as runs of hex between ellipses.
fn drawing(heading: &str) -> Vec<String> {
    let section = DOCUMENT.split(heading).nth(1).unwrap();
    let lines = section.split("```").nth(1).unwrap().lines();
    let is_drawn = |token: &&str| {
        *token == "…"
            || token
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    };
    let bytes: Vec<&str> = lines
        .flat_map(|line| line.split_whitespace().take_while(is_drawn))
        .collect();
    bytes.concat().split('…').map(str::to_owned).collect()
}

#[test]
fn its_drawings_are_those_of_a_vector() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../vectors/v1/records.json")).unwrap();
    let reading = &vectors["records"][0];
    assert_eq!(reading["type"], "reading");
    let text = |name: &str| reading[name].as_str().unwrap();
    let (payload, signature) = (text("payload"), text("signature"));

    let runs = drawing("which is this CBOR array:");
    assert_eq!(text("sig_structure"), runs.join(payload));
    let runs = drawing("in this one form, which has at most");
    let [before, between, after] = &runs[..] else {
        panic!("{runs:?}");
    };
    let drawn = format!("{before}{payload}{between}{signature}{after}");
    assert_eq!(text("cose_sign1"), drawn);
}

#[test]
fn it_names_what_a_gateway_answers() {
    for path in [
        "/api/v1/installations/",
        "/api/v1/installations/{id}/readings/{reading_id}",
        "/api/v1/meters/{meter_id}/enrolments",
        "/api/v1/meters/{meter_id}/statements",
        "/api/v1/meters/{meter_id}/records",
    ] {
        let openapi = include_str!("../../../../docs/openapi.json");
        assert!(openapi.contains(&format!("\"{path}\"")), "{path}");
        assert!(DOCUMENT.contains(&format!("`GET {path}")), "{path}");
    }
}
