//! COSE_Sign1 has one form here, and bodies are plain sequences of it.

use proptest::prelude::*;
use ww_wire::cose::{CoseError, Item, Items, MAX_SIGN1, PROTECTED_HEADER, byte_string_head};
use ww_wire::record::MAX_PAYLOAD;
use ww_wire::*;

/// The order of P-256 and its half, rounded down, as hexadecimal numbers.
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const HALF_ORDER: &str = "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8";

fn scalar(hex: &str) -> [u8; 32] {
    core::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

fn plus(mut number: [u8; 32], add: i32) -> [u8; 32] {
    let mut carry = add;
    for byte in number.iter_mut().rev() {
        let sum = i32::from(*byte) + carry;
        *byte = sum.rem_euclid(256) as u8;
        carry = sum.div_euclid(256);
    }
    number
}

fn raw_signature(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&r);
    bytes[32..].copy_from_slice(&s);
    bytes
}

/// Signatures in range; whether they verify is not this crate's question.
fn signature() -> impl Strategy<Value = Signature> {
    any::<[u8; 64]>().prop_filter_map("out of range", |bytes| Signature::normalise(bytes).ok())
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..=MAX_PAYLOAD)
}

fn any_domain() -> impl Strategy<Value = Domain> {
    let records = prop::sample::select(RecordType::ALL).prop_map(Domain::Record);
    prop_oneof![records, Just(Domain::EnrolmentAcceptance)]
}

fn encoded(payload: &[u8], signature: Signature) -> Vec<u8> {
    Sign1 { payload, signature }.encode().unwrap().to_vec()
}

/// A byte string whose length is written in `width` bytes, shortest or not.
fn byte_string(bytes: &[u8], width: usize) -> Vec<u8> {
    let len = (bytes.len() as u64).to_be_bytes();
    let mut out = match width {
        0 => vec![0x40 | bytes.len() as u8],
        1 => vec![0x58],
        2 => vec![0x59],
        4 => vec![0x5a],
        _ => vec![0x5b],
    };
    out.extend(&len[8 - width..]);
    out.extend(bytes);
    out
}

/// Any COSE_Sign1 from its parts, to build the ones that must be refused.
fn assembled(protected: &[u8], unprotected: &[u8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    [&[0xd2, 0x84], protected, unprotected, payload, signature].concat()
}

proptest! {
    #[test]
    fn round_trip(payload in payload(), signature in signature()) {
        let bytes = encoded(&payload, signature);
        prop_assert!(bytes.len() <= MAX_SIGN1);
        prop_assert_eq!(Sign1::decode(&bytes), Ok(Sign1 { payload: &payload, signature }));
    }

    #[test]
    fn a_cut_at_any_byte_is_truncated(payload in payload(), signature in signature()) {
        let bytes = encoded(&payload, signature);
        for len in 0..bytes.len() {
            prop_assert_eq!(Sign1::decode(&bytes[..len]), Err(CoseError::Truncated), "at {}", len);
        }
    }

    #[test]
    fn bytes_after_the_item_are_refused(
        payload in payload(), signature in signature(), tail in prop::collection::vec(any::<u8>(), 1..9)
    ) {
        let bytes = [encoded(&payload, signature), tail.clone()].concat();
        prop_assert_eq!(Sign1::decode(&bytes), Err(CoseError::Trailing(tail.len())));
    }

    #[test]
    fn whatever_is_accepted_is_the_one_form(
        payload in payload(), signature in signature(), at in any::<usize>(), bits in 1..=u8::MAX
    ) {
        let mut bytes = encoded(&payload, signature);
        let at = at % bytes.len();
        bytes[at] ^= bits;
        if let Ok(sign1) = Sign1::decode(&bytes) {
            prop_assert_eq!(&*sign1.encode().unwrap(), &bytes[..]);
        }
    }

    #[test]
    fn random_bytes_end_in_an_error_value(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        if let Ok(sign1) = Sign1::decode(&bytes) {
            prop_assert_eq!(&*sign1.encode().unwrap(), &bytes[..]);
        }
        for item in Items::new(&bytes) {
            prop_assert!(item.is_err() || matches!(item, Ok(Item::Readings(_) | Item::Sign1(_))));
        }
    }

    #[test]
    fn lengths_that_are_not_shortest_are_refused(
        payload in payload(), signature in signature(), which in 0..3, width in 1..4usize
    ) {
        let width = [1, 2, 4, 8][width];
        let (mut widths, lens) = ([0, 0, 1], [3, payload.len(), 64]);
        widths[1] = match payload.len() { 0..24 => 0, 24..256 => 1, _ => 2 };
        let which = which as usize;
        prop_assume!(width > widths[which]);
        widths[which] = width;
        let bytes = assembled(
            &byte_string(&PROTECTED_HEADER, widths[0]),
            &[0xa0],
            &byte_string(&payload, widths[1]),
            &byte_string(signature.bytes(), widths[2]),
        );
        // Lengths of eight bytes are never needed: they are no length at all here.
        let refused = Sign1::decode(&bytes);
        if width == 8 {
            prop_assert!(matches!(refused, Err(CoseError::Expected(_))), "{refused:?} {lens:?}");
        } else {
            prop_assert_eq!(refused, Err(CoseError::NotCanonical));
        }
    }

    #[test]
    fn the_sig_structure_is_that_of_rfc_9052(domain in any_domain(), payload in payload()) {
        let external_aad = [b"wattwitness/v1/", domain.name().as_bytes()].concat();
        let width = |len: usize| match len { 0..24 => 0, 24..256 => 1, _ => 2 };
        let expected = [
            &[0x84, 0x6a][..],
            b"Signature1",
            &[0x43, 0xa1, 0x01, 0x26],
            &byte_string(&external_aad, width(external_aad.len())),
            &byte_string(&payload, width(payload.len())),
        ]
        .concat();
        let to_be_signed = ToBeSigned::new(domain, &payload).unwrap();
        prop_assert_eq!(to_be_signed.as_bytes(), &expected[..]);
        prop_assert_eq!(to_be_signed.digest(), Hash::of(&[&expected]));
    }

    #[test]
    fn a_sequence_gives_its_items_in_order(
        items in prop::collection::vec((payload(), signature(), prop::option::of(payload())), 0..6)
    ) {
        let mut body = Vec::new();
        for (payload, signature, readings) in &items {
            body.extend(encoded(payload, *signature));
            if let Some(readings) = readings {
                let (head, head_len) = byte_string_head(readings.len() as u32);
                body.extend(&head[..head_len]);
                body.extend(readings);
            }
        }
        let expected: Vec<Item<'_>> = items
            .iter()
            .flat_map(|(payload, signature, readings)| {
                let sign1 = Sign1 { payload, signature: *signature };
                core::iter::once(Item::Sign1(sign1)).chain(readings.as_deref().map(Item::Readings))
            })
            .collect();
        let got: Result<Vec<Item<'_>>, CoseError> = Items::new(&body).collect();
        prop_assert_eq!(got, Ok(expected));
    }

    #[test]
    fn a_sequence_ends_at_its_first_fault(
        payload in payload(), signature in signature(), cut in any::<usize>()
    ) {
        let one = encoded(&payload, signature);
        let body = [&one[..], &one[..1 + cut % (one.len() - 1)], ].concat();
        let items: Vec<_> = Items::new(&body).collect();
        prop_assert_eq!(items.len(), 2);
        prop_assert!(items[0].is_ok());
        prop_assert_eq!(items[1], Err(CoseError::Truncated));
    }

    #[test]
    fn normalising_keeps_r_and_gives_the_same_form_for_both_forms_of_s(bytes in any::<[u8; 64]>()) {
        if let Ok(low) = Signature::normalise(bytes) {
            prop_assert_eq!(&low.bytes()[..32], &bytes[..32]);
            prop_assert_eq!(Signature::from_low_s(*low.bytes()), Ok(low));
            prop_assert!(low.bytes()[32..] <= scalar(HALF_ORDER)[..]);
        }
    }
}

#[test]
fn a_payload_longer_than_any_record_is_neither_written_nor_read() {
    let signature = Signature::from_low_s([1; 64]).unwrap();
    let payload = vec![0; MAX_PAYLOAD + 1];
    assert!(ToBeSigned::new(Domain::EnrolmentAcceptance, &payload).is_none());
    assert!(
        Sign1 {
            payload: &payload,
            signature
        }
        .encode()
        .is_none()
    );
    let bytes = assembled(
        &byte_string(&PROTECTED_HEADER, 0),
        &[0xa0],
        &byte_string(&payload, 2),
        &byte_string(&[1; 64], 1),
    );
    assert_eq!(
        Sign1::decode(&bytes),
        Err(CoseError::PayloadTooLong(MAX_PAYLOAD + 1))
    );
}

#[test]
fn other_headers_tags_and_shapes_are_refused() {
    let signature = byte_string(&[1; 64], 1);
    let payload = byte_string(b"payload", 0);
    let es256 = byte_string(&PROTECTED_HEADER, 0);
    let good = assembled(&es256, &[0xa0], &payload, &signature);
    assert!(Sign1::decode(&good).is_ok());
    let refused = [
        ("untagged", good[1..].to_vec()),
        ("tag 98, COSE_Sign", [&[0xd8, 0x62], &good[1..]].concat()),
        ("tag 18 in two bytes", [&[0xd8, 0x12], &good[1..]].concat()),
        ("three elements", [&[0xd2, 0x83], &good[2..]].concat()),
        (
            "indefinite array",
            [&[0xd2, 0x9f], &good[2..], &[0xff]].concat(),
        ),
        (
            "EdDSA",
            assembled(
                &byte_string(&[0xa1, 0x01, 0x27], 0),
                &[0xa0],
                &payload,
                &signature,
            ),
        ),
        (
            "a long form of ES256",
            assembled(
                &byte_string(&[0xa1, 0x01, 0x38, 0x06], 0),
                &[0xa0],
                &payload,
                &signature,
            ),
        ),
        (
            "a key id beside the algorithm",
            assembled(
                &byte_string(&[0xa2, 0x01, 0x26, 0x04, 0x41, 0x00], 0),
                &[0xa0],
                &payload,
                &signature,
            ),
        ),
        (
            "empty protected header",
            assembled(&[0x40], &[0xa0], &payload, &signature),
        ),
        (
            "an unprotected header",
            assembled(&es256, &[0xa1, 0x04, 0x41, 0x00], &payload, &signature),
        ),
        (
            "detached payload",
            assembled(&es256, &[0xa0], &[0xf6], &signature),
        ),
        (
            "text for payload",
            assembled(&es256, &[0xa0], &[0x61, b'a'], &signature),
        ),
        (
            "chunked payload",
            assembled(&es256, &[0xa0], &[0x5f, 0x41, b'a', 0xff], &signature),
        ),
        (
            "63 bytes of signature",
            assembled(&es256, &[0xa0], &payload, &byte_string(&[1; 63], 1)),
        ),
        (
            "65 bytes of signature",
            assembled(&es256, &[0xa0], &payload, &byte_string(&[1; 65], 1)),
        ),
    ];
    for (what, bytes) in refused {
        assert!(
            matches!(Sign1::decode(&bytes), Err(CoseError::Expected(_))),
            "{what}: {:?}",
            Sign1::decode(&bytes)
        );
    }
}

#[test]
fn r_and_s_stay_within_their_range() {
    let (zero, one) = ([0; 32], plus([0; 32], 1));
    let (order, half) = (scalar(ORDER), scalar(HALF_ORDER));
    let verdicts = [
        (one, one, Ok(())),
        (plus(order, -1), one, Ok(())),
        (one, half, Ok(())),
        (zero, one, Err(SignatureError::OutOfRange)),
        (one, zero, Err(SignatureError::OutOfRange)),
        (order, one, Err(SignatureError::OutOfRange)),
        (one, order, Err(SignatureError::OutOfRange)),
        ([0xff; 32], one, Err(SignatureError::OutOfRange)),
        (one, [0xff; 32], Err(SignatureError::OutOfRange)),
        (one, plus(half, 1), Err(SignatureError::HighS)),
        (one, plus(order, -1), Err(SignatureError::HighS)),
    ];
    for (r, s, verdict) in verdicts {
        let raw = raw_signature(r, s);
        assert_eq!(
            Signature::from_low_s(raw).map(|_| ()),
            verdict,
            "{r:x?} {s:x?}"
        );
        let bytes = assembled(
            &byte_string(&PROTECTED_HEADER, 0),
            &[0xa0],
            &[0x40],
            &byte_string(&raw, 1),
        );
        assert_eq!(
            Sign1::decode(&bytes).map(|_| ()),
            verdict.map_err(CoseError::Signature)
        );
    }
}

#[test]
fn normalising_takes_the_highest_s_to_the_lowest() {
    let highest = raw_signature(plus([0; 32], 7), plus(scalar(ORDER), -1));
    let low = Signature::normalise(highest).unwrap();
    assert_eq!(
        *low.bytes(),
        raw_signature(plus([0; 32], 7), plus([0; 32], 1))
    );
}
