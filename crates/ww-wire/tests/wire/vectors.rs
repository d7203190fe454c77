//! The committed golden vectors: never edited, made by this code, and read back by it.

use std::fs;
use std::path::PathBuf;

use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::Verifier as _;
use serde_json::Value;
use ww_wire::cose::{CoseError, Item, Items};
use ww_wire::field::FieldError;
use ww_wire::packed::{Codec, PackError};
use ww_wire::*;

use crate::golden;

/// SHA-256 of each committed file. A new version gets a folder and a list of its own.
const COMMITTED: [(&str, &str); 12] = [
    (
        "bodies.json",
        "db3e8662147d4e26a544dc6fa4f59372e14cd3cff1ffd874f962199f0759b89e",
    ),
    (
        "cose-refusals.json",
        "99acc04f3f96af62e85268f84401396178b037ace3adb9486920ff1839343b3e",
    ),
    (
        "forgeries.json",
        "4b8f8ef80023383a5400a4723757f0273d840c53fedfee8a4f16b235de171c2d",
    ),
    (
        "keys.json",
        "c02ebc3e1d604f45731c7ae0786b21a160e24e9feb3cafe5f9445d815fc0eca3",
    ),
    (
        "merkle.json",
        "abfe5e8eb5f730b197db85682b583e2b77043ab8f362bd82d25af837fb69eaf2",
    ),
    (
        "packed-refusals.json",
        "83feba3e3a959f3ad6c4912eee0270139af3af14338676386b31bc081a6d7b40",
    ),
    (
        "packed.json",
        "386e9c9fd1625fa9c10231a814e8d4fd819561313bb9bd233f91a9255f33b0bb",
    ),
    (
        "record-refusals-2.json",
        "107761e7145a1d51b2500c74f84bdfbac8d0d5868827d935c25d58fcf1a63bbd",
    ),
    (
        "record-refusals-3.json",
        "7e53c6d38073f69ce8ae339bcb51d7d0d941ce9bb6ebd6dcd67172f70821d03d",
    ),
    (
        "record-refusals.json",
        "645002c6a4fd0e9e718dbe6ef30ae37dcaa3e9b75344d35df033bf2289c0fef0",
    ),
    (
        "records-2.json",
        "d025e477cd60a9addbdb92d88ba6bf2dd20e19477658c9463dc0a3a48d5dd969",
    ),
    (
        "records.json",
        "e4ae3f2b9acdb928206cd443e17a08d6fe067e78ee26717ab7cea5e31eabbf45",
    ),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/v1")
}

fn file(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join(name)).unwrap()).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let list = value[name].as_array().unwrap();
    assert!(!list.is_empty(), "no {name}");
    list
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn bytes(value: &Value, name: &str) -> Vec<u8> {
    unhex(text(value, name))
}

fn unhex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2));
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

fn array<const N: usize>(value: &Value, name: &str) -> [u8; N] {
    bytes(value, name).try_into().unwrap()
}

fn hashes(value: &Value, name: &str) -> Vec<Hash> {
    value[name]
        .as_array()
        .unwrap()
        .iter()
        .map(|hash| Hash(unhex(hash.as_str().unwrap()).try_into().unwrap()))
        .collect()
}

fn record_type(value: &Value) -> RecordType {
    let name = text(value, "type");
    *RecordType::ALL.iter().find(|t| t.name() == name).unwrap()
}

/// Decodes `payload` as `record_type` and encodes it again; with the signer.
fn canonical(record_type: RecordType, payload: &[u8]) -> Result<(SignerId, Vec<u8>), DecodeError> {
    fn of<R: Record>(payload: &[u8]) -> Result<(SignerId, Vec<u8>), DecodeError> {
        let record = R::decode(payload)?;
        Ok((record.signer(), record.encode().unwrap().to_vec()))
    }
    match record_type {
        RecordType::Reading => of::<Reading>(payload),
        RecordType::ThreePhaseReading => of::<ThreePhaseReading>(payload),
        RecordType::Window => of::<Window>(payload),
        RecordType::Boot => of::<Boot>(payload),
        RecordType::Gap => of::<Gap>(payload),
        RecordType::Enrolment => of::<Enrolment>(payload),
        RecordType::Label => of::<Label>(payload),
        RecordType::Correction => of::<Correction>(payload),
        RecordType::Revocation => of::<Revocation>(payload),
        RecordType::Replacement => of::<Replacement>(payload),
        RecordType::StatusReport => of::<StatusReport>(payload),
        RecordType::Acknowledgement => of::<Acknowledgement>(payload),
        RecordType::UpdateReport => of::<UpdateReport>(payload),
    }
}

fn domain(text: &str) -> Domain {
    let domains = RecordType::ALL.iter().map(|t| Domain::Record(*t));
    domains
        .chain([Domain::EnrolmentAcceptance])
        .find(|domain| format!("wattwitness/v1/{}", domain.name()) == text)
        .unwrap()
}

fn verifies(sign1: &Sign1<'_>, domain: Domain, key: &PublicKey) -> bool {
    let key = VerifyingKey::from_sec1_bytes(&key.to_sec1()).unwrap();
    let signature = p256::ecdsa::Signature::from_slice(sign1.signature.bytes()).unwrap();
    let to_be_signed = sign1.to_be_signed(domain).unwrap();
    key.verify(to_be_signed.as_bytes(), &signature).is_ok()
}

#[test]
fn committed_vectors_are_never_edited() {
    for (name, digest) in COMMITTED {
        let text = fs::read(folder().join(name)).unwrap();
        assert_eq!(Hash::of(&[&text]).to_string(), digest, "{name}");
    }
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, COMMITTED.map(|(name, _)| name));
}

#[test]
fn the_code_makes_the_committed_vectors() {
    for (name, text) in golden::files() {
        let committed = fs::read_to_string(folder().join(name)).unwrap();
        assert!(text == committed, "{name} is not what the code makes");
    }
}

#[test]
fn every_record_reads_back_and_its_signature_verifies() {
    let (first, second) = (file("records.json"), file("records-2.json"));
    let mut seen = Vec::new();
    for vector in [list(&first, "records"), list(&second, "records")].concat() {
        let vector = &vector;
        let (name, record_type) = (text(vector, "name"), record_type(vector));
        let payload = bytes(vector, "payload");
        let (signer, again) = canonical(record_type, &payload).unwrap();
        assert_eq!(again, payload, "{name}");
        assert_eq!(signer.to_string(), text(vector, "signer_id"), "{name}");
        let digest = Hash::of(&[&payload]);
        assert_eq!(digest.to_string(), text(vector, "digest"), "{name}");
        if let Ok(reading) = AnyReading::decode(&payload) {
            let leaf = reading.leaf_hash().unwrap();
            assert_eq!(leaf.to_string(), text(vector, "leaf_hash"), "{name}");
        }
        if record_type != RecordType::Acknowledgement {
            let (cose, domain) = (bytes(vector, "cose_sign1"), domain(text(vector, "domain")));
            let sign1 = Sign1::decode(&cose).unwrap();
            assert_eq!(sign1.payload, payload, "{name}");
            assert_eq!(
                sign1.signature.bytes()[..],
                bytes(vector, "signature"),
                "{name}"
            );
            let to_be_signed = sign1.to_be_signed(domain).unwrap();
            assert_eq!(
                to_be_signed.as_bytes(),
                bytes(vector, "sig_structure"),
                "{name}"
            );
            let key = PublicKey(array(vector, "public_key"));
            assert!(verifies(&sign1, domain, &key), "{name}");
            let own = domain != Domain::EnrolmentAcceptance;
            assert_eq!(key.id() == signer, own, "{name}");
        }
        seen.push(record_type);
    }
    seen.dedup();
    assert_eq!(seen, RecordType::ALL);
}

/// The name of a refusal in the vectors, and the field that it is about.
fn reason(error: DecodeError) -> (&'static str, Option<&'static str>) {
    match error {
        DecodeError::Empty => ("empty", None),
        DecodeError::UnknownType(_) => ("unknown-type", None),
        DecodeError::WrongType { .. } => ("wrong-type", None),
        DecodeError::UnknownVersion(_) => ("unknown-version", None),
        DecodeError::WrongLength { .. } => ("wrong-length", None),
        DecodeError::Rule { .. } => ("rule", None),
        DecodeError::Field { field, error, .. } => {
            let reason = match error {
                FieldError::Absent => "absent",
                FieldError::UnknownValue(_) => "unknown-value",
                FieldError::UnknownBits(_) => "unknown-bits",
                FieldError::Text => "text",
            };
            (reason, Some(field))
        }
    }
}

#[test]
fn every_refused_record_is_refused_for_its_reason() {
    let files = ["", "-2", "-3"].map(|part| file(&format!("record-refusals{part}.json")));
    for vector in files.iter().flat_map(|file| list(file, "refusals")) {
        let error = canonical(record_type(vector), &bytes(vector, "payload")).unwrap_err();
        let expected = (text(vector, "reason"), vector["field"].as_str());
        assert_eq!(reason(error), expected, "{}: {error}", text(vector, "name"));
    }
}

fn cose_reason(error: CoseError) -> &'static str {
    match error {
        CoseError::Truncated => "truncated",
        CoseError::Expected(_) => "shape",
        CoseError::NotCanonical => "not-canonical",
        CoseError::PayloadTooLong(_) => "payload-too-long",
        CoseError::Signature(SignatureError::HighS) => "high-s",
        CoseError::Signature(SignatureError::OutOfRange) => "out-of-range",
        CoseError::Trailing(_) => "trailing",
    }
}

#[test]
fn every_refused_sign1_is_refused_for_its_reason() {
    for vector in list(&file("cose-refusals.json"), "refusals") {
        let cose = bytes(vector, "cose_sign1");
        let error = Sign1::decode(&cose).unwrap_err();
        assert_eq!(
            cose_reason(error),
            text(vector, "reason"),
            "{}",
            text(vector, "name")
        );
    }
}

#[test]
fn no_forgery_verifies() {
    for vector in list(&file("forgeries.json"), "forgeries") {
        let cose = bytes(vector, "cose_sign1");
        let sign1 = Sign1::decode(&cose).unwrap();
        let key = PublicKey(array(vector, "public_key"));
        let domain = domain(text(vector, "domain"));
        assert!(!verifies(&sign1, domain, &key), "{}", text(vector, "name"));
    }
}

#[test]
fn every_proof_of_the_tree_holds() {
    let file = file("merkle.json");
    let (leaves, roots) = (hashes(&file, "leaf_hashes"), hashes(&file, "roots"));
    let number = |value: &Value, name: &str| text(value, name).parse::<u64>().unwrap();
    for (entry, leaf) in list(&file, "entries").iter().zip(&leaves) {
        assert_eq!(merkle::leaf_hash(&unhex(entry.as_str().unwrap())), *leaf);
    }
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(merkle::root(&leaves[..size]), *root);
    }
    for vector in list(&file, "inclusion") {
        let (index, size) = (number(vector, "index"), number(vector, "size"));
        let (leaf, root) = (&leaves[index as usize], &roots[size as usize]);
        let proof = hashes(vector, "proof");
        assert_eq!(
            merkle::verify_inclusion(leaf, index, size, &proof, root),
            Ok(())
        );
    }
    for vector in list(&file, "consistency") {
        let (from, to) = (number(vector, "from"), number(vector, "to"));
        let (old, new) = (&roots[from as usize], &roots[to as usize]);
        let proof = hashes(vector, "proof");
        assert_eq!(
            merkle::verify_consistency(from, old, to, new, &proof),
            Ok(())
        );
    }
}

/// The payloads of all readings of a block.
fn unpack(meter: MeterId, block: &[u8]) -> Result<Vec<Vec<u8>>, PackError> {
    let (mut codec, mut rest) = Codec::open(meter, block)?;
    let mut payloads = Vec::new();
    while !rest.is_empty() {
        let (reading, len) = codec.unpack(rest)?;
        payloads.push(reading.encode().unwrap().to_vec());
        rest = &rest[len..];
    }
    Ok(payloads)
}

#[test]
fn every_block_unpacks_to_its_payloads() {
    for vector in list(&file("packed.json"), "blocks") {
        let expected: Vec<Vec<u8>> = list(vector, "payloads")
            .iter()
            .map(|payload| unhex(payload.as_str().unwrap()))
            .collect();
        let meter = SignerId(array(vector, "meter"));
        let got = unpack(meter, &bytes(vector, "block"));
        assert_eq!(got, Ok(expected), "{}", text(vector, "name"));
    }
}

#[test]
fn every_refused_block_is_refused_for_its_reason() {
    for vector in list(&file("packed-refusals.json"), "refusals") {
        let block = bytes(vector, "block");
        let reason = match unpack(SignerId([0; 32]), &block).unwrap_err() {
            PackError::Truncated => "truncated",
            PackError::UnknownPacking { .. } => "unknown-packing",
            PackError::OutOfRange => "out-of-range",
            PackError::NoRoom | PackError::Foreign => "never when unpacking",
        };
        assert_eq!(reason, text(vector, "reason"), "{}", text(vector, "name"));
    }
}

#[test]
fn the_body_is_a_whole_chain() {
    let file = file("bodies.json");
    let body = bytes(&file, "body");
    let key = PublicKey(array(&file, "public_key"));
    let items: Vec<Item<'_>> = Items::new(&body).collect::<Result<_, _>>().unwrap();
    let mut chain: Vec<ChainRecord> = Vec::new();
    let mut blocks = 0;
    for (item, expected) in items.iter().zip(list(&file, "items")) {
        match item {
            Item::Sign1(sign1) => {
                assert_eq!(sign1.encode().unwrap()[..], bytes(expected, "cose_sign1"));
                let record = ChainRecord::decode(sign1.payload).unwrap();
                assert!(verifies(sign1, Domain::Record(record.record_type()), &key));
                let before = chain.last().map(|last| last.encode().unwrap().digest());
                assert_eq!(record.previous(), before.unwrap_or(Hash::ZERO));
                assert_eq!(record.chain_index().get(), chain.len() as u64);
                chain.push(record);
            }
            Item::Readings(block) => {
                assert_eq!(*block, bytes(expected, "readings"));
                let Some(ChainRecord::Window(window)) = chain.last() else {
                    panic!("readings follow their window");
                };
                let payloads = unpack(window.meter, block).unwrap();
                let leaves: Vec<Hash> = payloads.iter().map(|p| merkle::leaf_hash(p)).collect();
                assert_eq!(merkle::root(&leaves), window.root);
                blocks += 1;
            }
        }
    }
    assert_eq!((chain.len(), blocks), (4, 1));
    assert_eq!(items.len(), list(&file, "items").len());
}

#[test]
fn every_refused_body_is_refused_for_its_reason() {
    for vector in list(&file("bodies.json"), "refusals") {
        let body = bytes(vector, "body");
        let error = Items::new(&body).find_map(Result::err).unwrap();
        assert_eq!(
            cose_reason(error),
            text(vector, "reason"),
            "{}",
            text(vector, "name")
        );
    }
}

#[test]
fn test_keys_come_from_their_labels() {
    for vector in list(&file("keys.json"), "keys") {
        let label = text(vector, "label");
        let secret = Hash::of(&[b"wattwitness test key: ", label.as_bytes()]);
        assert_eq!(secret.to_string(), text(vector, "secret"));
        let key = PublicKey(array(vector, "public_key"));
        assert_eq!(key.id().to_string(), text(vector, "id"));
    }
}
