//! Vectors of signed records that are refused: another form, another signature, another key.

use ww_wire::*;

use super::json::{Json, Value, text};
use super::keys::{TestKey, meter, sign1};
use super::records::payload_of;
use super::samples::{energy, reading, sequence, utc};

/// n - s in the place of s.
pub(super) fn other_s(signature: &[u8; 64]) -> [u8; 64] {
    let scalar = p256::ecdsa::Signature::from_slice(signature).expect("it is in range");
    let negated = -*scalar.s();
    let other = p256::ecdsa::Signature::from_scalars(*scalar.r(), negated).expect("it is in range");
    other.to_bytes().into()
}

pub(super) fn cose_refusals() -> Json {
    let payload = payload_of(&reading());
    let domain = Domain::Record(RecordType::Reading);
    let signature = *meter().sign(domain, &payload).bytes();
    let good = meter().sign1(&payload, domain);
    // d2 84 43 a10126 a0 58 75 payload 58 40 signature
    let protected = &good[2..6];
    let written =
        |tag: &[u8], protected: &[u8], unprotected: &[u8], payload: &[u8], signature: &[u8]| {
            [tag, &[0x84], protected, unprotected, payload, signature].concat()
        };
    let with_signature = |signature: &[u8]| {
        let head = [0x58, signature.len() as u8];
        let payload = &good[7..9 + payload.len()];
        written(
            &[0xd2],
            protected,
            &[0xa0],
            payload,
            &[&head, signature].concat(),
        )
    };
    let payload_item = &good[7..9 + payload.len()];
    let signature_item = &good[9 + payload.len()..];
    let half = |part: usize, bytes: &[u8]| {
        let mut changed = signature;
        changed[32 * part..32 * part + 32].copy_from_slice(bytes);
        with_signature(&changed)
    };
    let order: [u8; 32] = {
        // n is one more than the largest scalar.
        let mut order: [u8; 32] = (-p256::Scalar::ONE).to_bytes().into();
        order[31] += 1;
        order
    };
    let refusal = |title: &str, bytes: &[u8], reason: &str| {
        Json::Object(vec![
            ("name", text(title)),
            ("cose_sign1", bytes.json()),
            ("reason", text(reason)),
        ])
    };
    let long_payload = [&[0x59, 0x01, 0x41][..], &[1; 321]].concat();
    let payload_len = payload.len() as u8;
    let refusals = vec![
        refusal("no bytes", &[], "truncated"),
        refusal("cut inside the payload", &good[..60], "truncated"),
        refusal(
            "cut before the last byte",
            &good[..good.len() - 1],
            "truncated",
        ),
        refusal(
            "a byte after the item",
            &[&good[..], &[0]].concat(),
            "trailing",
        ),
        refusal("the item twice", &[&good[..], &good].concat(), "trailing"),
        refusal("untagged", &good[1..], "shape"),
        refusal(
            "tag 98 (COSE_Sign)",
            &[&[0xd8, 0x62], &good[1..]].concat(),
            "shape",
        ),
        refusal(
            "tag 18 not in shortest form",
            &[&[0xd8, 0x12], &good[1..]].concat(),
            "shape",
        ),
        refusal(
            "array of indefinite length",
            &[&[0xd2, 0x9f], &good[2..], &[0xff]].concat(),
            "shape",
        ),
        refusal(
            "algorithm EdDSA",
            &written(
                &[0xd2],
                &[0x43, 0xa1, 0x01, 0x27],
                &[0xa0],
                payload_item,
                signature_item,
            ),
            "shape",
        ),
        refusal(
            "algorithm ES256 not in shortest form",
            &written(
                &[0xd2],
                &[0x44, 0xa1, 0x01, 0x38, 0x06],
                &[0xa0],
                payload_item,
                signature_item,
            ),
            "shape",
        ),
        refusal(
            "a key id in the protected header",
            &written(
                &[0xd2],
                &[0x46, 0xa2, 0x01, 0x26, 0x04, 0x41, 0x01],
                &[0xa0],
                payload_item,
                signature_item,
            ),
            "shape",
        ),
        refusal(
            "a key id in the unprotected header",
            &written(
                &[0xd2],
                protected,
                &[0xa1, 0x04, 0x41, 0x01],
                payload_item,
                signature_item,
            ),
            "shape",
        ),
        refusal(
            "payload detached",
            &written(&[0xd2], protected, &[0xa0], &[0xf6], signature_item),
            "shape",
        ),
        refusal(
            "payload in chunks",
            &written(
                &[0xd2],
                protected,
                &[0xa0],
                &[&[0x5f][..], payload_item, &[0xff]].concat(),
                signature_item,
            ),
            "shape",
        ),
        refusal(
            "length of the payload not in shortest form",
            &written(
                &[0xd2],
                protected,
                &[0xa0],
                &[&[0x59, 0, payload_len][..], &payload].concat(),
                signature_item,
            ),
            "not-canonical",
        ),
        refusal(
            "length of the signature not in shortest form",
            &written(
                &[0xd2],
                protected,
                &[0xa0],
                payload_item,
                &[&[0x59, 0, 64][..], &signature].concat(),
            ),
            "not-canonical",
        ),
        refusal(
            "length of the protected header not in shortest form",
            &written(
                &[0xd2],
                &[0x58, 3, 0xa1, 0x01, 0x26],
                &[0xa0],
                payload_item,
                signature_item,
            ),
            "not-canonical",
        ),
        refusal(
            "payload longer than any record",
            &written(&[0xd2], protected, &[0xa0], &long_payload, signature_item),
            "payload-too-long",
        ),
        refusal(
            "signature of 63 bytes",
            &with_signature(&signature[..63]),
            "shape",
        ),
        refusal(
            "signature of 65 bytes",
            &with_signature(&[&signature[..], &[0]].concat()),
            "shape",
        ),
        refusal("high s", &with_signature(&other_s(&signature)), "high-s"),
        refusal("r = 0", &half(0, &[0; 32]), "out-of-range"),
        refusal("s = 0", &half(1, &[0; 32]), "out-of-range"),
        refusal("r = n", &half(0, &order), "out-of-range"),
        refusal("s = n", &half(1, &order), "out-of-range"),
    ];
    Json::Object(vec![
        (
            "about",
            text(
                "Bytes that are not the one form of COSE_Sign1, and the first reason: truncated, \
                 trailing, shape, not-canonical, payload-too-long, high-s, out-of-range.",
            ),
        ),
        ("refusals", Json::List(refusals)),
    ])
}

pub(super) fn forgeries() -> Json {
    let domain = Domain::Record(RecordType::Reading);
    let meter = meter();
    let signature = meter.sign(domain, &payload_of(&reading()));
    let forged = |title: &str, payload: &[u8], signature: Signature, key: &TestKey| {
        Json::Object(vec![
            ("name", text(title)),
            ("public_key", key.public.json()),
            ("domain", text("wattwitness/v1/reading")),
            ("cose_sign1", sign1(payload, signature)[..].json()),
        ])
    };
    let tampered =
        |title: &str, record: Reading| forged(title, &payload_of(&record), signature, &meter);
    let good = payload_of(&reading());
    let other = TestKey::new("other meter");
    let bare = Signature::normalise(meter.sign_raw(&good)).expect("it is in range");
    let forgeries = vec![
        tampered(
            "power changed",
            Reading {
                power: Milliwatts::new(16_351),
                ..reading()
            },
        ),
        tampered(
            "total a thousandfold",
            Reading {
                import_total: Some(energy(8_900_000)),
                ..reading()
            },
        ),
        tampered(
            "time an hour later",
            Reading {
                time: Some(utc(1_750_349_980_000)),
                ..reading()
            },
        ),
        tampered(
            "next sequence",
            Reading {
                sequence: sequence(4_712),
                ..reading()
            },
        ),
        tampered(
            "another meter",
            Reading {
                meter: other.id(),
                ..reading()
            },
        ),
        forged("checked with another key", &good, signature, &other),
        forged(
            "signed as a window",
            &good,
            meter.sign(Domain::Record(RecordType::Window), &good),
            &meter,
        ),
        forged(
            "signed as the consent to an enrolment",
            &good,
            meter.sign(Domain::EnrolmentAcceptance, &good),
            &meter,
        ),
        forged("payload signed without Sig_structure", &good, bare, &meter),
        forged(
            "signature of another meter",
            &good,
            other.sign(domain, &good),
            &meter,
        ),
        forged(
            "r and s are 1",
            &good,
            Signature::from_low_s({
                let mut ones = [0; 64];
                (ones[31], ones[63]) = (1, 1);
                ones
            })
            .expect("it is in range"),
            &meter,
        ),
    ];
    Json::Object(vec![
        (
            "about",
            text(
                "COSE_Sign1 in the right form whose signature must not verify under the public key \
                 and the domain that are given.",
            ),
        ),
        ("forgeries", Json::List(forgeries)),
    ])
}
