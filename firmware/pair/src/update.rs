//! The trust of updates on a mailbox.

use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use ww_release::assignment::SignedAssignment;
use ww_release::cipher::SectorCipher;
use ww_release::key::Verifier;
use ww_release::question::Answer;
use ww_release::release::{MAX_RELEASE, SignedRelease};
use ww_release::root::SignedRoot;
use ww_release::secret::DeviceSecret;
use ww_release::signatures::Distrust;
use ww_wire::{Hash, PublicKey, Signature, SignerId};

use crate::board::{Mailbox, say};

struct Software;

impl Verifier for Software {
    fn es256(&mut self, key: &PublicKey, digest: &Hash, signature: &Signature) -> bool {
        let key = VerifyingKey::from_sec1_bytes(&key.to_sec1());
        let signature = p256::ecdsa::Signature::from_slice(signature.bytes());
        match (key, signature) {
            (Ok(key), Ok(signature)) => key.verify_prehash(&digest.0, &signature).is_ok(),
            _ => false,
        }
    }
}

/// Follows a root, trusts a release and an answer under it, and decrypts a sector.
pub fn take(mailbox: &mut Mailbox) {
    let mut root = [0; MAX_RELEASE];
    let Ok(root) = SignedRoot::decode(mailbox.message(&mut root)) else {
        return say(format_args!("no root"));
    };
    let root = match root.stand_alone(&mut Software) {
        Ok(root) => root,
        Err(distrust) => return refuse("root", distrust),
    };
    let mut release = [0; MAX_RELEASE];
    let Ok(release) = SignedRelease::decode(mailbox.message(&mut release)) else {
        return say(format_args!("no release"));
    };
    let release = match release.trust(&root, &mut Software) {
        Ok(release) => release,
        Err(distrust) => return refuse("release", distrust),
    };
    let mut answer = [0; MAX_RELEASE];
    let Ok(answer) = Answer::decode(mailbox.message(&mut answer)) else {
        return say(format_args!("no answer"));
    };
    let device = SignerId(mailbox.array());
    let secret = DeviceSecret::new(device, mailbox.array());
    let (nonce, other) = (mailbox.array(), mailbox.array());
    let session = secret.session(&nonce, &other);
    if let Ok(assignment) = SignedAssignment::decode(mailbox.message(&mut [0; 512])) {
        match assignment.trust(&root, device, &nonce, &mut Software) {
            Ok(assignment) => say(format_args!("{assignment:?}")),
            Err(distrust) => return refuse("assignment", distrust),
        }
    }
    for (encoding, wrapped) in release.encodings().zip(answer.keys()) {
        let Some(key) = secret.unwrap(&wrapped.object, &wrapped.wrapped) else {
            continue;
        };
        let mut sector: [u8; 4096] = mailbox.array();
        if !session.holds(&encoding.object, 0, &sector[..1024], &mailbox.array()) {
            #[cfg(feature = "change")]
            say(format_args!("a record of {} is foreign", encoding.object));
            continue;
        }
        let cipher = SectorCipher::new(release.suite, &key, encoding.nonce);
        match cipher.decrypt(0, true, &mut sector) {
            Ok(len) => mailbox.send(&sector[..len]),
            Err(error) => say(format_args!("{error}")),
        }
    }
}

fn refuse(what: &str, distrust: Distrust) {
    say(format_args!("the {what} is not trusted: {distrust}"));
}
