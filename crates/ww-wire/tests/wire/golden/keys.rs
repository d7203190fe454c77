//! The keys of the vectors. Everybody knows them: they sign nothing else.

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use ww_wire::*;

use super::json::{Json, Value, text};

/// A key that everybody knows.
pub(super) struct TestKey {
    pub(super) label: &'static str,
    pub(super) secret: [u8; 32],
    pub(super) signing: SigningKey,
    pub(super) public: PublicKey,
}

impl TestKey {
    pub(super) fn new(label: &'static str) -> Self {
        let secret = Hash::of(&[b"wattwitness test key: ", label.as_bytes()]).0;
        let signing = SigningKey::from_slice(&secret).expect("the hash is in the range of a key");
        let point = signing.verifying_key().to_sec1_point(false);
        let sec1: [u8; 65] = point.as_bytes().try_into().expect("it is not compressed");
        let public = PublicKey::from_sec1(&sec1).expect("it is not compressed");
        Self {
            label,
            secret,
            signing,
            public,
        }
    }

    pub(super) fn id(&self) -> SignerId {
        self.public.id()
    }

    /// As a signer makes it: deterministic (RFC 6979), with s high or low.
    pub(super) fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        let signature: p256::ecdsa::Signature = self.signing.sign(message);
        signature.to_bytes().into()
    }

    pub(super) fn sign(&self, domain: Domain, payload: &[u8]) -> Signature {
        let to_be_signed = ToBeSigned::new(domain, payload).expect("it is a record");
        Signature::normalise(self.sign_raw(to_be_signed.as_bytes())).expect("it is in range")
    }

    pub(super) fn sign1(&self, payload: &[u8], domain: Domain) -> Vec<u8> {
        sign1(payload, self.sign(domain, payload))
    }
}

pub(super) fn sign1(payload: &[u8], signature: Signature) -> Vec<u8> {
    let sign1 = Sign1 { payload, signature };
    sign1.encode().expect("it is a record").to_vec()
}

pub(super) fn meter() -> TestKey {
    TestKey::new("meter")
}

pub(super) fn operator() -> TestKey {
    TestKey::new("operator")
}

pub(super) fn keys() -> Json {
    let key = |key: TestKey| {
        Json::Object(vec![
            ("label", text(key.label)),
            ("secret", key.secret.json()),
            ("public_key", key.public.json()),
            ("id", key.id().json()),
        ])
    };
    Json::Object(vec![
        (
            "about",
            text(
                "TEST KEYS, known to everybody: never trust them. The secret is SHA-256 of the text \
                 'wattwitness test key: ' and the label. The id is SHA-256 of the public key X then Y.",
            ),
        ),
        (
            "keys",
            Json::List(
                ["meter", "operator", "other meter"]
                    .map(|label| key(TestKey::new(label)))
                    .into(),
            ),
        ),
    ])
}
