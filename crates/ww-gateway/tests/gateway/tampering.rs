//! Every kind of tampering, by name: refused with a problem of its own, and in no view afterwards.

use serde_json::{Value, json};
use ww_api::hex;
use ww_wire::record::Record as _;
use ww_wire::{Domain, Milliwatts, Reading, ReadingFlags, Signature};

use crate::world::{TestMeter, World, problem};

/// Sends a body that must be refused, and gives the last part of the problem's type.
async fn refused(world: &World, meter: &TestMeter, body: &Value) -> (String, Value) {
    let problem = problem(world.post("/api/v1/readings/", body).await).await;
    assert_eq!(world.visible_readings(meter.id).await, 0, "{problem}");
    let kind = problem["type"].as_str().unwrap();
    (kind.strip_prefix("/problems/").unwrap().to_owned(), problem)
}

async fn refused_kind(world: &World, meter: &TestMeter, body: &Value) -> String {
    refused(world, meter, body).await.0
}

/// The submission of reading 2 with one byte of its record changed.
fn changed_byte(meter: &TestMeter, at: usize) -> Value {
    let reading = meter.reading(1);
    let mut payload = reading.encode().unwrap().to_vec();
    payload[at] ^= 1;
    let mut body = meter.submission(&reading);
    body["record"] = json!(hex::encode(&payload));
    body
}

/// Where a field stands in a Reading.
fn offset(field: &str) -> usize {
    let mut at = ww_wire::record::HEADER_LENGTH;
    for layout in Reading::FIELDS {
        if layout.name == field {
            return at + layout.width - 1;
        }
        at += layout.width;
    }
    panic!("a Reading has no field {field}");
}

#[tokio::test]
async fn changed_power_total_time_and_sequence_in_the_record_break_the_signature() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for field in ["power", "import_total", "produced", "time", "sequence"] {
        let body = changed_byte(&meter, offset(field));
        assert_eq!(
            refused_kind(&world, &meter, &body).await,
            "signature-invalid",
            "{field}"
        );
    }
}

#[tokio::test]
async fn changed_power_beside_the_record_disagrees() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut body = meter.submission(&meter.reading(0));
    body["power_w"] = json!(16.36);
    let (kind, problem) = refused(&world, &meter, &body).await;
    assert_eq!(kind, "power-disagrees");
    assert_eq!(problem["field"], "power_w");
    assert_eq!(problem["record"]["sequence"], 1);
}

#[tokio::test]
async fn changed_total_time_and_sequence_beside_the_record_disagree() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for (field, value, expected) in [
        ("total_wh", json!(8_900.0), "total-disagrees"),
        ("timestamp", json!(1_750_351_801), "time-disagrees"),
        ("sequence", json!(2), "sequence-disagrees"),
        ("installation_id", json!(meter.id + 1), "key-disagrees"),
        ("meter_id", json!("00".repeat(32)), "key-disagrees"),
        ("public_key", json!("00".repeat(64)), "key-disagrees"),
    ] {
        let mut body = meter.submission(&meter.reading(0));
        body[field] = value;
        let (kind, problem) = refused(&world, &meter, &body).await;
        assert_eq!(kind, expected);
        assert_eq!(problem["field"], field);
    }
}

#[tokio::test]
async fn a_changed_signature_does_not_hold() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let reading = meter.reading(0);
    let other = meter.submission(&meter.reading(1))["signature"].clone();
    let mut body = meter.submission(&reading);
    body["signature"] = other;
    assert_eq!(
        refused_kind(&world, &meter, &body).await,
        "signature-invalid"
    );
}

#[tokio::test]
async fn a_signature_made_for_another_domain_does_not_hold() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let payload = meter.reading(0).encode().unwrap();
    let signature = meter.sign(Domain::EnrolmentAcceptance, &payload);
    let body = json!({"record": hex::encode(&payload), "signature": signature.to_string()});
    assert_eq!(
        refused_kind(&world, &meter, &body).await,
        "signature-invalid"
    );
}

#[tokio::test]
async fn another_key_cannot_sign_for_a_meter() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let thief = TestMeter::new();
    let reading = Reading {
        meter: meter.meter(),
        ..thief.reading(0)
    };
    let body = thief.submission(&reading);
    assert_eq!(
        refused_kind(&world, &meter, &body).await,
        "signature-invalid"
    );
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_refused_before_its_signature_is_looked_at() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let stranger = TestMeter::new();
    let body = stranger.submission(&stranger.reading(0));
    assert_eq!(refused_kind(&world, &meter, &body).await, "unknown-meter");
}

#[tokio::test]
async fn a_truncated_record_is_refused_wherever_it_ends() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.peer_burst = 10_000;
    })
    .await;
    let meter = world.enrolled().await;
    let whole = meter.submission(&meter.reading(0));
    let record = whole["record"].as_str().unwrap();
    for bytes in [0, 1, 2, 33, 34, 50, 116] {
        let mut body = whole.clone();
        body["record"] = json!(record[..2 * bytes]);
        assert_eq!(
            refused_kind(&world, &meter, &body).await,
            "record-truncated",
            "{bytes}"
        );
    }
    let mut body = whole.clone();
    body["record"] = json!(format!("{record}00"));
    assert_eq!(
        refused_kind(&world, &meter, &body).await,
        "record-truncated"
    );
}

#[tokio::test]
async fn a_record_that_is_not_canonical_is_refused_although_it_is_signed() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut payload = meter.reading(0).encode().unwrap().to_vec();
    // Flag bits without a meaning.
    let at = offset("flags");
    payload[at - 1] |= 0x80;
    let signature = meter.sign(Domain::Record(Reading::TYPE), &payload);
    let body = json!({"record": hex::encode(&payload), "signature": signature.to_string()});
    let (kind, problem) = refused(&world, &meter, &body).await;
    assert_eq!(kind, "record-not-canonical");
    assert_eq!(problem["field"], "flags");
    assert_eq!(problem["record"]["record_type"], "reading");
}

#[tokio::test]
async fn a_failed_poll_with_a_value_breaks_a_rule_of_the_record() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut payload = meter.reading(0).encode().unwrap().to_vec();
    payload[offset("flags")] |= ReadingFlags::SENSOR_UNREACHABLE.bits() as u8;
    let signature = meter.sign(Domain::Record(Reading::TYPE), &payload);
    let body = json!({"record": hex::encode(&payload), "signature": signature.to_string()});
    let (kind, problem) = refused(&world, &meter, &body).await;
    assert_eq!(kind, "record-not-canonical");
    assert_eq!(
        problem["rule"],
        "a failed poll carries no value of the sensor"
    );
}

#[tokio::test]
async fn another_version_and_another_type_are_refused_by_name() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for at in [0, 1] {
        let mut body = meter.submission(&meter.reading(0));
        let mut record = body["record"].as_str().unwrap().to_owned();
        record.replace_range(2 * at..2 * at + 2, "7f");
        body["record"] = json!(record);
        assert_eq!(
            refused_kind(&world, &meter, &body).await,
            "record-type-unexpected"
        );
    }
}

/// n of P-256.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn high_s(signature: &Signature) -> [u8; 64] {
    let mut bytes = *signature.bytes();
    let mut borrow = 0;
    for i in (0..32).rev() {
        let difference = i16::from(ORDER[i]) - i16::from(bytes[32 + i]) - borrow;
        borrow = i16::from(difference < 0);
        bytes[32 + i] = difference.rem_euclid(256) as u8;
    }
    bytes
}

#[tokio::test]
async fn a_signature_in_high_s_form_is_refused_although_it_holds() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let payload = meter.reading(0).encode().unwrap();
    let signature = meter.sign(Domain::Record(Reading::TYPE), &payload);
    let body = json!({
        "record": hex::encode(&payload),
        "signature": hex::encode(&high_s(&signature)),
    });
    assert_eq!(
        refused_kind(&world, &meter, &body).await,
        "signature-high-s"
    );
}

#[tokio::test]
async fn a_signature_of_zeros_or_of_another_length_is_refused_by_name() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    for (signature, expected) in [
        ("00".repeat(64), "signature-out-of-range"),
        ("00".repeat(63), "signature-malformed"),
        ("zz".repeat(64), "signature-malformed"),
    ] {
        let mut body = meter.submission(&meter.reading(0));
        body["signature"] = json!(signature);
        assert_eq!(refused_kind(&world, &meter, &body).await, expected);
    }
}

#[tokio::test]
async fn the_checksum_of_the_old_firmware_is_recognised_and_refused_by_its_own_name() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let signature = "E8E9BAF0FA7C8231F222C3FBC0B1EA31A11F3E1774F4B95840ED815B6201A503C10B0980F021FB3F01000000000000007D5B0000040000002850FC3F2C50FC3F";
    let body = json!({
        "power": 16.4, "total": 8900.0, "timestamp": 1_750_346_382,
        "signature": signature, "shelly_payload": "e30=",
    });
    let (kind, problem) = refused(&world, &meter, &body).await;
    assert_eq!(kind, "legacy-firmware-signature");
    assert!(problem["detail"].as_str().unwrap().contains("SHA-256"));
    let mut other = body.clone();
    other["timestamp"] = json!(1_750_346_383);
    assert_eq!(
        refused_kind(&world, &meter, &other).await,
        "unsigned-reading"
    );
}

#[tokio::test]
async fn numbers_that_cannot_be_taken_exactly_are_refused_by_name_and_nothing_breaks() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let submission = meter.submission(&meter.reading(0)).to_string();
    let with = |fields: &str| submission.replace('{', &format!("{{{fields},"));
    for (fields, expected) in [
        ("\"power_w\":NaN", "not-a-number"),
        ("\"power_w\":\"NaN\"", "not-a-number"),
        ("\"total_wh\":-Infinity", "not-a-number"),
        ("\"power_w\":1e300", "number-out-of-range"),
        ("\"power_w\":16.350000000000001", "too-many-digits"),
        ("\"timestamp\":-1", "negative-time"),
        ("\"powre_w\":16.35", "unknown-field"),
    ] {
        let response = world.post_text("/api/v1/readings/", with(fields)).await;
        let problem = problem(response).await;
        assert_eq!(problem["type"], format!("/problems/{expected}"), "{fields}");
        assert!(problem["field"].is_string(), "{problem}");
    }
    assert_eq!(world.visible_readings(meter.id).await, 0);
    // One NaN made the replaced system answer 500 for ever.
    assert_eq!(world.submit(&meter, &meter.reading(0)).await.status(), 201);
    assert_eq!(world.visible_readings(meter.id).await, 1);
}

#[tokio::test]
async fn a_sequence_number_without_an_id_and_a_time_without_a_date_are_out_of_range() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let mut reading = meter.reading(0);
    reading.sequence = ww_wire::Sequence::new(1 << 29).unwrap();
    let kind = refused_kind(&world, &meter, &meter.submission(&reading)).await;
    assert_eq!(kind, "sequence-out-of-range");
    let mut reading = meter.reading(0);
    reading.time = ww_wire::UtcMillis::new(u64::MAX - 1);
    let kind = refused_kind(&world, &meter, &meter.submission(&reading)).await;
    assert_eq!(kind, "time-out-of-range");
}

#[tokio::test]
async fn two_readings_with_one_number_are_equivocation_and_both_are_kept() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let first = meter.reading(0);
    let second = Reading {
        power: Milliwatts::new(99_000),
        ..first
    };
    assert_eq!(world.submit(&meter, &first).await.status(), 201);
    let problem = problem(world.submit(&meter, &second).await).await;
    assert_eq!(problem["type"], "/problems/equivocation");
    assert_eq!(problem["status"], 409);
    assert_eq!(
        problem["held_record"],
        hex::encode(&first.encode().unwrap())
    );
    let latest = world
        .json(&format!("/api/v1/readings/latest/{}", meter.id))
        .await;
    assert_eq!(latest["power_w"].to_string(), "16.35");
    let findings = world
        .json(&format!("/api/v1/installations/{}/findings", meter.id))
        .await;
    assert_eq!(findings[0]["kind"], "equivocating-reading");
    let evidence = world
        .json(&format!("/api/v1/installations/{}/evidence", meter.id))
        .await;
    let shown = |record: &Reading| hex::encode(&record.encode().unwrap());
    assert_eq!(evidence[0]["kind"], "equivocating-reading");
    assert_eq!(evidence[0]["stored"]["record"], shown(&first));
    assert_eq!(evidence[0]["refused"]["record"], shown(&second));
    for side in ["stored", "refused"] {
        let record: Vec<u8> = evidence[0][side]["record"].as_str().unwrap().into();
        let signature = evidence[0][side]["signature"].as_str().unwrap();
        assert!(!record.is_empty() && signature.len() == 128);
    }
}

#[tokio::test]
async fn a_page_of_evidence_is_bounded_and_leads_to_the_next() {
    let world = World::start().await;
    let meter = world.enrolled().await;
    let first = meter.reading(0);
    assert_eq!(world.submit(&meter, &first).await.status(), 201);
    for more in 1..=101 {
        let other = Reading {
            power: Milliwatts::new(99_000 + more),
            ..first
        };
        assert_eq!(world.submit(&meter, &other).await.status(), 409);
    }
    let path = format!("/api/v1/installations/{}/evidence", meter.id);
    let refused = problem(world.get(&format!("{path}?limit=101")).await).await;
    assert_eq!(refused["field"], "limit");
    let page = world.get(&path).await;
    let link = page.headers()["link"].to_str().unwrap().to_owned();
    let rows: Value = page.json().await.unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 100);
    let next = link.trim_start_matches('<').split('>').next().unwrap();
    assert_eq!(world.json(next).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_meter_that_waits_or_was_revoked_is_refused() {
    let world = World::start().await;
    let mut meter = TestMeter::new();
    meter.id = world.announce(&meter, "EC64C9C05E97").await;
    let body = meter.submission(&meter.reading(0));
    assert_eq!(refused_kind(&world, &meter, &body).await, "meter-waiting");
    world
        .approve(meter.id, &json!({"rated_power_w": 800}))
        .await;
    let path = format!("/api/v1/installations/{}/revoke", meter.id);
    let revoked = world.admin_post(&path, &json!({"reason": "lost"})).await;
    assert_eq!(revoked.status(), 200);
    assert_eq!(refused_kind(&world, &meter, &body).await, "meter-revoked");
}
