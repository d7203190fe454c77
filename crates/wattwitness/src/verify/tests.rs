//! `verify` against a gateway that serves what a test gives it, and against saved folders.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path as UrlPath, Query, State};
use axum::http::header::LINK;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use clap::Parser as _;
use ww_device::signer::{Signer as _, SoftwareSigner};
use ww_wire::{
    Attestation, Boot, BootCounter, ChainIndex, Domain, Hash, MilliwattHours, Record as _,
    RecordType, Replacement, ResetReason, Sequence, Sign1, TimeQuality, ToBeSigned, UptimeMillis,
    UtcMillis,
};

use super::*;

const HOUR_MS: u64 = 3_600_000;
/// 2025-06-19T15:00:00Z.
const START_MS: u64 = 1_750_345_200_000;

fn meter() -> SoftwareSigner {
    SoftwareSigner::new(&[2; 32]).unwrap()
}

fn meter_id() -> MeterId {
    meter().public_key().id()
}

/// What the clock of a record reads, and how far it can be relied on.
type Clock = (u64, TimeQuality);

/// The right time of the n-th record.
const fn kept(index: u64) -> Clock {
    (START_MS + index * HOUR_MS, TimeQuality::Synchronised)
}

/// A start of the meter, as COSE_Sign1: a chain that a test can write by hand.
fn boot(index: u64, previous: Hash, (time_ms, time_quality): Clock) -> (Hash, Vec<u8>) {
    let record = Boot {
        meter: meter_id(),
        chain_index: ChainIndex::new(index).unwrap(),
        previous,
        boot: BootCounter::new(u32::try_from(index).unwrap() + 1).unwrap(),
        time: UtcMillis::new(time_ms),
        uptime: UptimeMillis::ZERO,
        time_quality,
        firmware: Hash([7; 32]),
        version_major: 0,
        version_minor: 1,
        version_patch: 0,
        security_counter: 0,
        reset_reason: ResetReason::PowerOn,
        last_recovered: None,
        first_new: Sequence::new(1).unwrap(),
        attestation: Attestation::NONE,
    };
    let payload = record.encode().unwrap();
    let message = ToBeSigned::new(Domain::Record(RecordType::Boot), &payload).unwrap();
    let signature = meter().sign(&message).unwrap();
    let sign1 = Sign1 {
        payload: &payload,
        signature,
    };
    (payload.digest(), sign1.encode().unwrap().to_vec())
}

/// Records by their index, each with what its clock reads.
type Chain = BTreeMap<u64, (u64, Vec<u8>)>;

/// A chain of starts, one an hour.
fn chain(indices: impl Iterator<Item = u64>) -> Chain {
    chain_by(indices, kept)
}

fn chain_by(indices: impl Iterator<Item = u64>, clock: impl Fn(u64) -> Clock) -> Chain {
    let mut previous = Hash::ZERO;
    let mut chain = BTreeMap::new();
    for index in indices {
        let (digest, bytes) = boot(index, previous, clock(index));
        previous = digest;
        chain.insert(index, (clock(index).0, bytes));
    }
    chain
}

/// A gateway that has a chain of starts, one an hour, and gives out two records at a time.
struct Fake {
    chain: Chain,
    /// What it says where to begin, if not the truth.
    lie: Option<u64>,
    /// From where on it gives no records out.
    fails_from: u64,
    /// What was said of the meter since, page by page.
    statements: Vec<Vec<u8>>,
    /// The last page leads on to itself.
    is_endless: bool,
    asked: Mutex<Vec<u64>>,
}

#[derive(Deserialize)]
struct Stretch {
    from_index: Option<u64>,
    to_index: Option<u64>,
}

#[derive(Deserialize)]
struct Times {
    start_time: String,
    end_time: String,
}

async fn serve(chain: Chain) -> (Arc<Fake>, String) {
    serve_with(Fake::of(chain)).await
}

impl Fake {
    fn of(chain: Chain) -> Self {
        Self {
            chain,
            lie: None,
            fails_from: u64::MAX,
            statements: Vec::new(),
            is_endless: false,
            asked: Mutex::default(),
        }
    }
}

async fn serve_with(fake: Fake) -> (Arc<Fake>, String) {
    let fake = Arc::new(fake);
    let router = Router::new()
        .route("/api/v1/installations/", get(installations))
        .route("/api/v1/installations/{id}/windows", get(windows))
        .route("/api/v1/meters/{meter}/statements", get(statements))
        .route("/api/v1/meters/{meter}/{what}", get(records))
        .with_state(fake.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (fake, url)
}

async fn installations() -> Json<serde_json::Value> {
    Json(serde_json::json!([{
        "id": 1, "name": "", "shelly_mac": null, "created_at": null, "is_active": true,
        "public_key": meter().public_key().to_string(), "meter_id": meter_id().to_string(),
        "last_boot_timestamp": null, "state": "active", "liveness": "live", "last_seen_at": null,
        "expected_cadence_s": 10, "rated_power_w": null, "timezone": "UTC", "sensor_model": null,
        "firmware_digest": null, "enrolment_digest": null, "enrolment_accepted": false,
        "replaces": null, "replaced_by": null
    }]))
}

/// The starts stand in for windows.
async fn windows(
    State(fake): State<Arc<Fake>>,
    Query(times): Query<Times>,
) -> Json<Vec<serde_json::Value>> {
    let (start, end) = (
        utc_ms(&times.start_time).unwrap(),
        utc_ms(&times.end_time).unwrap(),
    );
    let first = fake
        .chain
        .iter()
        .find(|(_, (time_ms, _))| (start..=end).contains(time_ms))
        .map(|(index, _)| index);
    let first = fake.lie.as_ref().or(first);
    Json(
        first
            .map(|id| serde_json::json!({"id": id}))
            .into_iter()
            .collect(),
    )
}

async fn records(
    State(fake): State<Arc<Fake>>,
    UrlPath((_, what)): UrlPath<(String, String)>,
    Query(stretch): Query<Stretch>,
) -> (StatusCode, Vec<u8>) {
    match (what.as_str(), stretch.from_index) {
        ("enrolments", _) => (StatusCode::OK, Vec::new()),
        ("records", Some(from)) if from >= fake.fails_from => {
            (StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
        }
        ("records", Some(from)) => {
            fake.asked.lock().unwrap().push(from);
            let to = stretch.to_index.unwrap_or(u64::MAX);
            let page = fake.chain.range(from..=to).take(2);
            (
                StatusCode::OK,
                page.flat_map(|(_, (_, bytes))| bytes.clone()).collect(),
            )
        }
        _ => (StatusCode::NOT_FOUND, Vec::new()),
    }
}

#[derive(Deserialize)]
struct Cursor {
    cursor: Option<usize>,
}

async fn statements(
    State(fake): State<Arc<Fake>>,
    Query(Cursor { cursor }): Query<Cursor>,
) -> Result<(HeaderMap, Vec<u8>), StatusCode> {
    let at = cursor.unwrap_or(0);
    let page = fake.statements.get(at).ok_or(StatusCode::NOT_FOUND)?;
    let is_last = at + 1 == fake.statements.len();
    let mut headers = HeaderMap::new();
    if fake.is_endless || !is_last {
        let next = if is_last { at } else { at + 1 };
        let link = format!("</api/v1/meters/it/statements?cursor={next}>; rel=\"next\"");
        headers.insert(LINK, link.parse().unwrap());
    }
    Ok((headers, page.clone()))
}

/// What an operator, each time another one, says of the meter.
fn replacement(operator: u8) -> Vec<u8> {
    let mut operator = SoftwareSigner::new(&[operator; 32]).unwrap();
    let record = Replacement {
        signer: operator.public_key().id(),
        old_meter: meter_id(),
        new_meter: SignerId([9; 32]),
        time: UtcMillis::new(START_MS).unwrap(),
        last_index: ChainIndex::ZERO,
        last_digest: Hash([8; 32]),
        produced_close: MilliwattHours::ZERO,
    };
    let payload = record.encode().unwrap();
    let message = ToBeSigned::new(Domain::Record(RecordType::Replacement), &payload).unwrap();
    let signature = operator.sign(&message).unwrap();
    let sign1 = Sign1 {
        payload: &payload,
        signature,
    };
    sign1.encode().unwrap().to_vec()
}

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    verify: VerifyArguments,
}

async fn verify(arguments: &[&str]) -> anyhow::Result<serde_json::Value> {
    let line = Line::try_parse_from([&["verify", "--json"], arguments].concat())?;
    let (text, _) = run(&line.verify).await?;
    Ok(serde_json::from_str(&text)?)
}

#[tokio::test]
async fn a_hole_wider_than_any_page_does_not_end_the_audit() {
    let (_, gateway) = serve(chain((0..3).chain(2_000..2_003))).await;
    let meter = meter_id().to_string();
    let report = verify(&["--gateway", &gateway, "--meter", &meter])
        .await
        .unwrap();
    assert_eq!(report["last_index"], 2_002);
    assert_eq!(report["verdict"], "incomplete");
    assert_eq!(report["missing"][0]["first_index"], 3);
    assert_eq!(report["missing"][0]["last_index"], 1_999);
}

#[tokio::test]
async fn a_question_with_a_start_is_fetched_from_before_it() {
    let (fake, gateway) = serve(chain(0..400)).await;
    let meter = meter_id().to_string();
    let from = iso(START_MS + 300 * HOUR_MS).unwrap();
    let report = verify(&["--gateway", &gateway, "--meter", &meter, "--from", &from])
        .await
        .unwrap();
    assert_eq!(report["verdict"], "complete", "{report}");
    assert_eq!(report["first_index"], 299);
    assert_eq!(fake.asked.lock().unwrap()[0], 299);
}

/// Asks for the hours from `from` on, before `to`.
async fn verify_hours(gateway: &str, from: u64, to: Option<u64>) -> serde_json::Value {
    let meter = meter_id().to_string();
    let hour = |hour| iso(START_MS + hour * HOUR_MS).unwrap();
    let from = hour(from);
    let to = to.map(hour);
    let mut asked = vec!["--gateway", gateway, "--meter", &meter, "--from", &from];
    if let Some(to) = &to {
        asked.extend(["--to", to]);
    }
    verify(&asked).await.unwrap()
}

#[tokio::test]
async fn a_start_amid_records_that_prove_no_time_is_found_in_a_few_steps() {
    let clock = |index| match index {
        100..900 => (kept(index).0, TimeQuality::Informative),
        _ => kept(index),
    };
    let (fake, gateway) = serve(chain_by(0..1_000, clock)).await;
    let report = verify_hours(&gateway, 850, None).await;
    assert_eq!(report["verdict"], "complete", "{report}");
    // 849, and 144, 288 and 576 records further back.
    let asked = fake.asked.lock().unwrap();
    assert_eq!(asked[..5], [849, 705, 417, 0, 2]);
    assert_eq!(report["first_index"], 0);
}

#[tokio::test]
async fn cut_by_a_gateway_that_says_where_to_begin() {
    // It would have the audit begin at a start that reads hours before its time.
    let clock = |index| match index {
        320 => (kept(290).0, TimeQuality::Informative),
        _ => kept(index),
    };
    for lie in [320, 350, u64::MAX >> 1] {
        let (fake, gateway) = serve_with(Fake {
            lie: Some(lie),
            ..Fake::of(chain_by(0..400, clock))
        })
        .await;
        let report = verify_hours(&gateway, 300, Some(390)).await;
        assert_eq!(report["verdict"], "complete", "{report}");
        assert!(report["first_index"].as_u64().unwrap() < 300, "{report}");
        let asked = fake.asked.lock().unwrap();
        let back = asked
            .windows(2)
            .take_while(|pair| pair[1] < pair[0])
            .count();
        assert!(back < 64, "{asked:?}");
    }
}

#[tokio::test]
async fn cut_at_a_record_that_reads_past_the_end() {
    let clock = |index| match index {
        310..314 => (kept(index + 500).0, TimeQuality::Informative),
        _ => kept(index),
    };
    let (_, gateway) = serve(chain_by(0..400, clock)).await;
    let report = verify_hours(&gateway, 300, Some(320)).await;
    assert_eq!(report["verdict"], "complete", "{report}");
    assert!(report["last_index"].as_u64().unwrap() >= 320, "{report}");
    // Who serves no more than those is not believed that this was the end.
    let (_, gateway) = serve(chain_by(0..314, clock)).await;
    let report = verify_hours(&gateway, 300, Some(320)).await;
    assert_eq!(report["missing"][0]["kind"], "after", "{report}");
}

#[tokio::test]
async fn a_chain_that_was_never_synchronised_is_read_whole_and_has_no_ends() {
    let clock = |index| (kept(index).0, TimeQuality::Informative);
    let (fake, gateway) = serve(chain_by(0..400, clock)).await;
    let report = verify_hours(&gateway, 300, Some(320)).await;
    assert_eq!(report["verdict"], "incomplete", "{report}");
    assert_eq!(report["missing"][0]["kind"], "after", "{report}");
    assert_eq!(
        (&report["first_index"], &report["last_index"]),
        (&0.into(), &399.into())
    );
    assert_eq!(fake.asked.lock().unwrap()[..3], [299, 155, 0]);
}

#[tokio::test]
async fn a_start_after_a_long_silence_does_not_fetch_the_years_before_it() {
    let clock = |index| match index {
        300.. => kept(index + 10_000),
        _ => kept(index),
    };
    let (fake, gateway) = serve(chain_by(0..302, clock)).await;
    for (from, to) in [(10_250, None), (5_000, Some(5_010))] {
        fake.asked.lock().unwrap().clear();
        let report = verify_hours(&gateway, from, to).await;
        assert_eq!(report["verdict"], "complete", "{report}");
        assert_eq!(report["first_index"], 299, "{report}");
        assert!(fake.asked.lock().unwrap().len() <= 3);
    }
}

#[tokio::test]
async fn what_was_said_of_a_meter_is_read_and_saved_to_its_last_page() {
    let pages = (3..=5).map(replacement);
    let (_, gateway) = serve_with(Fake {
        statements: pages.collect(),
        ..Fake::of(chain(0..2))
    })
    .await;
    let meter = meter_id().to_string();
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("evidence");
    let saved = evidence.to_str().unwrap();
    let served = ["--gateway", &gateway, "--meter", &meter, "--save", saved];
    for asked in [&served[..], &["--saved", saved, "--meter", &meter]] {
        let report = verify(asked).await.unwrap();
        // No enrolment says that these operators count; each is named nevertheless.
        assert_eq!(report["remarks"].as_array().unwrap().len(), 3, "{report}");
    }
}

#[tokio::test]
async fn a_list_that_leads_on_for_ever_ends_the_audit() {
    let (_, gateway) = serve_with(Fake {
        statements: vec![Vec::new()],
        is_endless: true,
        ..Fake::of(chain(0..2))
    })
    .await;
    let meter = meter_id().to_string();
    let error = verify(&["--gateway", &gateway, "--meter", &meter]).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("more than 1000 pages"), "{error}");
}

#[tokio::test]
async fn what_was_saved_is_of_the_meter_and_the_time_that_one_names() {
    let (_, gateway) = serve(chain(0..9)).await;
    let meter = meter_id().to_string();
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("evidence");
    let saved = evidence.to_str().unwrap();
    let from = iso(START_MS + 5 * HOUR_MS).unwrap();
    let asked = [
        "--gateway",
        &gateway,
        "--meter",
        &meter,
        "--from",
        &from,
        "--save",
        saved,
    ];
    verify(&asked).await.unwrap();

    let other = "5f".repeat(32);
    let error = verify(&["--saved", saved, "--meter", &other])
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("records of meter {meter}, not of {other}")),
        "{error}"
    );

    let again = verify(&["--saved", saved, "--meter", &meter, "--from", &from])
        .await
        .unwrap();
    assert_eq!(again["verdict"], "complete", "{again}");
    let whole = verify(&["--saved", saved, "--meter", &meter])
        .await
        .unwrap();
    assert_eq!(whole["verdict"], "incomplete");
    assert_eq!(whole["missing"][0]["last_index"], 3);
}

#[tokio::test]
async fn what_was_saved_until_the_gateway_failed_is_not_taken_for_the_whole() {
    let (_, gateway) = serve_with(Fake {
        fails_from: 4,
        ..Fake::of(chain(0..9))
    })
    .await;
    let meter = meter_id().to_string();
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("evidence");
    let saved = evidence.to_str().unwrap();
    let asked = ["--gateway", &gateway, "--meter", &meter, "--save", saved];
    verify(&asked).await.unwrap_err();
    let error = verify(&["--saved", saved, "--meter", &meter]).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("saved to its end"), "{error}");
}

#[tokio::test]
async fn words_in_a_saved_folder_cannot_act_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().to_str().unwrap();
    for subject in [
        r#"{"\u001b[2J": 1}"#,
        r#"{"meter_id": "\u001b[2J", "public_key": "", "from_ms": null, "to_ms": null}"#,
    ] {
        std::fs::write(folder.path().join(SUBJECT_FILE), subject).unwrap();
        let error = format!("{:#}", verify(&["--saved", saved]).await.unwrap_err());
        assert!(!error.chars().any(char::is_control), "{error:?}");
    }
}

#[tokio::test]
async fn a_meter_that_the_folder_chose_is_said_to_be_its_makers_word() {
    let (_, gateway) = serve(chain(0..2)).await;
    let meter = meter_id().to_string();
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("evidence");
    let saved = evidence.to_str().unwrap();
    verify(&["--gateway", &gateway, "--meter", &meter, "--save", saved])
        .await
        .unwrap();
    let says_so = |report: serde_json::Value| report["trust"].to_string().contains("by --meter");
    assert!(says_so(verify(&["--saved", saved]).await.unwrap()));
    assert!(!says_so(
        verify(&["--saved", saved, "--meter", &meter])
            .await
            .unwrap()
    ));
}

#[tokio::test]
async fn a_time_that_ends_before_it_begins_is_refused() {
    let (_, gateway) = serve(chain(0..2)).await;
    let meter = meter_id().to_string();
    let times = ["--from", "2025-06-20", "--to", "2025-06-19"];
    let asked = [&["--gateway", &gateway, "--meter", &meter][..], &times].concat();
    let error = verify(&asked).await.unwrap_err();
    assert_eq!(error.to_string(), "--from must be before --to");
}

#[tokio::test]
async fn a_meter_or_a_gateway_that_is_not_there_is_named() {
    let (_, gateway) = serve(chain(0..2)).await;
    let other = "5f".repeat(32);
    let error = verify(&["--gateway", &gateway, "--meter", &other]).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains(&format!("knows no meter {other}")),
        "{error}"
    );
    let error = verify(&["--gateway", "127.0.0.1:8000", "--meter", &other]).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("write it like http://"), "{error}");
}

#[test]
fn a_date_is_its_start_in_utc() {
    assert_eq!(utc_ms("2025-06-19"), Ok(1_750_291_200_000));
    assert_eq!(utc_ms("2025-06-19T15:19:42Z"), Ok(1_750_346_382_000));
    assert_eq!(utc_ms("2025-06-19T17:19:42+02:00"), Ok(1_750_346_382_000));
}

#[test]
fn what_is_no_time_is_refused_with_an_example() {
    let error = utc_ms("yesterday").unwrap_err();
    assert!(
        error.contains("yesterday") && error.contains("2026-06-01"),
        "{error}"
    );
    assert!(utc_ms("1969-12-31").is_err());
}

#[test]
fn an_id_is_64_hex_digits() {
    assert!(signer_id(&"5f".repeat(32)).is_ok());
    assert!(signer_id(&"5f".repeat(31)).is_err());
    assert!(signer_id(&"+f".repeat(32)).is_err());
    assert!(signer_id(&"é".repeat(32)).is_err());
}
