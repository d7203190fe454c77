//! A reading changed in any way, at either door of the real gateway: refused by the name of what is
//! wrong with it, and in no view afterwards.

use std::time::Duration;

use p256::elliptic_curve::PrimeField as _;
use serde_json::{Value, json};
use ww_api::hex;
use ww_device::signer::{Signer, SoftwareSigner};
use ww_wire::record::Record as _;
use ww_wire::*;

use crate::place::Place;

const VIEWS: [&str; 14] = [
    "readings/1?start_time=1970-01-01T00:00:00Z",
    "readings/1?start_time=1970-01-01T00:00:00Z&verified_only=true",
    "readings/latest/1",
    "readings/1/optimized?max_points=100&start_time=1970-01-01T00:00:00Z",
    "readings/1/chart?time_frame=hour",
    "readings/1/chart?time_frame=day",
    "readings/1/chart?time_frame=week",
    "readings/1/chart?time_frame=month",
    "readings/1/chart?time_frame=year",
    "readings/pending",
    "installations/1/energy",
    "installations/1/windows?start_time=1970-01-01T00:00:00Z",
    "installations/1/evidence",
    "installations/1/findings",
];

/// A record and a signature beside it, which need not belong together.
struct Sent {
    kind: &'static str,
    record: Vec<u8>,
    signature: [u8; 64],
    refused_as: &'static str,
}

fn reading(signer: &SoftwareSigner, number: u64, now_ms: u64) -> Reading {
    let produced = MilliwattHours::new(number * 100).unwrap();
    Reading {
        meter: signer.public_key().id(),
        boot: BootCounter::new(1).unwrap(),
        sequence: Sequence::new(number).unwrap(),
        time: UtcMillis::new(now_ms - 60_000 + number * 10_000),
        uptime: UptimeMillis::new(number * 10_000).unwrap(),
        time_quality: TimeQuality::Synchronised,
        power: Milliwatts::new(36_000),
        import_total: Some(produced),
        export_total: MilliwattHours::new(0),
        counter_epoch: CounterEpoch::ZERO,
        produced,
        voltage: Millivolts::new(230_000),
        current: None,
        reactive_power: None,
        temperature: None,
        flags: ReadingFlags::NONE,
    }
}

fn sign(signer: &SoftwareSigner, record: &[u8]) -> Signature {
    let message = ToBeSigned::new(Domain::Record(RecordType::Reading), record).unwrap();
    signer.clone().sign(&message).unwrap()
}

/// The last byte of a field of a Reading.
fn last_byte(field: &str) -> usize {
    let mut end = record::HEADER_LENGTH;
    for layout in Reading::FIELDS {
        end += layout.width;
        if layout.name == field {
            return end - 1;
        }
    }
    panic!("a Reading has no field {field}");
}

/// The other s that holds for the same message: the order of P-256 less s.
fn high_s(signature: &Signature) -> [u8; 64] {
    let mut bytes = *signature.bytes();
    let low: [u8; 32] = bytes[32..].try_into().unwrap();
    let low = p256::Scalar::from_repr(low.into()).into_option().unwrap();
    bytes[32..].copy_from_slice(&(-low).to_repr());
    bytes
}

/// Every kind of tampering with the second reading.
fn tampered(signer: &SoftwareSigner, thief: &SoftwareSigner, now_ms: u64) -> Vec<Sent> {
    let second = reading(signer, 2, now_ms);
    let honest = second.encode().unwrap().to_vec();
    let signature = *sign(signer, &honest).bytes();
    let mut sent: Vec<Sent> = ["power", "import_total", "produced", "time", "sequence"]
        .into_iter()
        .map(|field| {
            let mut record = honest.clone();
            record[last_byte(field)] ^= 1;
            Sent {
                kind: field,
                record,
                signature,
                refused_as: "signature-invalid",
            }
        })
        .collect();
    let other = reading(signer, 3, now_ms).encode().unwrap();
    let mut unknown_flag = honest.clone();
    unknown_flag[last_byte("flags") - 1] |= 0x80;
    let by_signer = *sign(signer, &unknown_flag).bytes();
    sent.extend([
        Sent {
            kind: "the signature of another reading",
            record: honest.clone(),
            signature: *sign(signer, &other).bytes(),
            refused_as: "signature-invalid",
        },
        Sent {
            kind: "another key",
            record: honest.clone(),
            signature: *sign(thief, &honest).bytes(),
            refused_as: "signature-invalid",
        },
        Sent {
            kind: "truncated",
            record: honest[..honest.len() - 1].to_vec(),
            signature: *sign(signer, &honest[..honest.len() - 1]).bytes(),
            refused_as: "record-truncated",
        },
        Sent {
            kind: "non-canonical",
            record: unknown_flag,
            signature: by_signer,
            refused_as: "record-not-canonical",
        },
        Sent {
            kind: "high s",
            record: honest.clone(),
            signature: high_s(&sign(signer, &honest)),
            refused_as: "signature-high-s",
        },
    ]);
    sent
}

/// The bytes of a COSE_Sign1 around what may be neither canonical nor low-s.
fn cose(sent: &Sent) -> Vec<u8> {
    let payload = &sent.record;
    let signature = Signature::from_low_s([1; 64]).unwrap();
    let mut body = Sign1 { payload, signature }.encode().unwrap().to_vec();
    let at = body.len() - sent.signature.len();
    body[at..].copy_from_slice(&sent.signature);
    body
}

/// What the views show, without what time alone changes: a chart ends now.
async fn views(place: &Place) -> Vec<Value> {
    let mut views = Vec::new();
    for view in VIEWS {
        let shown = place.json(&format!("/api/v1/{view}")).await;
        let sums = ["total_energy", "lifetime_wh"].map(|sum| shown.get(sum).cloned());
        views.push(sums.into_iter().flatten().next().unwrap_or(shown));
    }
    views
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_tampered_with_is_refused_by_name_at_both_doors_and_is_in_no_view() {
    let place = Place::new();
    let gateway = place.serve().await;
    let signer = SoftwareSigner::new(&[7; 32]).unwrap();
    let thief = SoftwareSigner::new(&[8; 32]).unwrap();
    let announcement = json!({
        "name": "Roof", "public_key": signer.public_key().to_string(),
        "sensor_model": "shelly_em_gen1", "shelly_mac": "EC64C9C05E97",
        "channel": 0, "production_counter": "total", "rated_power_w": 5000,
    });
    let announced = place.post("/api/v1/installations/", &announcement).await;
    assert!(announced.status().is_success());
    place.approve(1, &json!({})).await;
    let now_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
    let honest = |number| {
        let record = reading(&signer, number, now_ms).encode().unwrap();
        let signature = sign(&signer, &record);
        json!({"record": hex::encode(&record), "signature": signature.to_string()})
    };
    let first = place.post("/api/v1/readings/", &honest(1)).await;
    assert_eq!(first.status(), 201);
    let before = views(&place).await;
    let mut live = (place.client.get(place.url("/api/v1/live")).send().await).unwrap();

    for sent in tampered(&signer, &thief, now_ms) {
        let body = json!({
            "record": hex::encode(&sent.record), "signature": hex::encode(&sent.signature),
        });
        let json = place.post("/api/v1/readings/", &body).await;
        let door = place.client.post(place.url("/api/v1/records"));
        let binary = door
            .header("content-type", "application/cose")
            .body(cose(&sent));
        for answer in [json, binary.send().await.unwrap()] {
            assert!(answer.status().is_client_error(), "{}", sent.kind);
            let problem: Value = answer.json().await.unwrap();
            let refused_as = format!("/problems/{}", sent.refused_as);
            assert_eq!(problem["type"], refused_as, "{}: {problem}", sent.kind);
        }
        assert_eq!(views(&place).await, before, "{}", sent.kind);
    }

    let second = place.post("/api/v1/readings/", &honest(2)).await;
    assert_eq!(second.status(), 201);
    let mut told = String::new();
    while !told.contains("\n\n") || !told.contains("event: reading") {
        let chunk = tokio::time::timeout(Duration::from_secs(20), live.chunk());
        let chunk = chunk.await.unwrap().unwrap().unwrap();
        told.push_str(core::str::from_utf8(&chunk).unwrap());
    }
    let event = told.split("event: reading").nth(1).unwrap();
    assert!(
        event.contains(honest(2)["record"].as_str().unwrap()),
        "{told}"
    );
    assert_ne!(views(&place).await, before);
    gateway.stop();
}
