//! Whom metadata names and who has signed it, in words for people. Whether devices take it, the checks
//! of `ww_release` say.

use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use ww_release::key::{Key, Verifier};
use ww_release::root::Role;
use ww_release::signatures::{Approved, Domain, Signed};
use ww_wire::{Hash, PublicKey, Signature, SignerId};

use crate::keys::grouped;
use crate::keys::public_key::kind;

/// Checks P-256 signatures in software, as a meter without a secure element does.
pub(crate) struct Software;

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

/// What is known of a key's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is there and holds.
    Signed,
    /// It is there and does not hold.
    Broken,
    /// It is not there.
    Missing,
}

/// Whether the owner of a key has signed this.
pub(crate) fn verdict(approved: &Approved<'_>, domain: Domain, key: Key<'_>) -> Verdict {
    let of_key = |signed: &&Signed<'_>| signed.signer() == key.id();
    let Some(signed) = approved.signatures().find(of_key) else {
        return Verdict::Missing;
    };
    let alone = Approved::new(approved.content).with(*signed);
    let role = Role::new(1, &[key]);
    match alone.zip(role) {
        Some((alone, role)) if alone.check(domain, &[&role], &mut Software).is_ok() => {
            Verdict::Signed
        }
        _ => Verdict::Broken,
    }
}

/// How many keys of a role have signed.
pub(crate) fn count(approved: &Approved<'_>, domain: Domain, role: &Role<'_>) -> usize {
    role.keys()
        .filter(|key| verdict(approved, domain, *key) == Verdict::Signed)
        .count()
}

/// A line for each key of a role, with what is known of its signature.
pub(crate) fn keys(role: &Role<'_>, signed: Option<(&Approved<'_>, Domain)>) -> Vec<String> {
    role.keys()
        .map(|key| {
            let id = key.id();
            let signed = signed.map(|(approved, domain)| match verdict(approved, domain, key) {
                Verdict::Signed => "  has signed",
                Verdict::Broken => "  ITS SIGNATURE DOES NOT HOLD",
                Verdict::Missing => "  has not signed",
            });
            format!(
                "  {}  {:8}  {id}{}",
                grouped(id),
                kind(key.algorithm()),
                signed.unwrap_or_default()
            )
        })
        .collect()
}

/// The signers that none of these roles has.
pub(crate) fn strangers(approved: &Approved<'_>, roles: &[&Role<'_>]) -> Vec<SignerId> {
    approved
        .signatures()
        .map(Signed::signer)
        .filter(|signer| roles.iter().all(|role| role.key(*signer).is_none()))
        .collect()
}
