//! The lock on the emulator's doors: basic authentication (RFC 7617) or digest authentication by
//! SHA-256 (RFC 7616, `qop=auth`), written apart from the device's so that each checks the other.

use std::collections::{HashMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::random::Random;

const USER: &str = "admin";

/// Nonces that are remembered; a client that comes with an older one is challenged again, as after
/// a restart.
const NONCES: usize = 64;

/// Admits who knows the password.
pub(super) enum Guard {
    Basic {
        expected: String,
        realm: String,
    },
    Digest {
        secret: String,
        realm: String,
        nonces: Nonces,
        random: Random,
    },
}

/// The newest nonces, the oldest first, each with the highest count that was used with it.
#[derive(Default)]
pub(super) struct Nonces(VecDeque<(String, u32)>);

impl Nonces {
    fn remember(&mut self, nonce: String) {
        if self.0.len() == NONCES {
            self.0.pop_front();
        }
        self.0.push_back((nonce, 0));
    }

    fn count(&mut self, nonce: &str) -> Option<&mut u32> {
        self.0
            .iter_mut()
            .find_map(|(known, count)| (known == nonce).then_some(count))
    }
}

impl Guard {
    pub(super) fn basic(realm: &str, password: &str) -> Self {
        let expected = format!("Basic {}", STANDARD.encode(format!("{USER}:{password}")));
        Self::Basic {
            expected,
            realm: realm.into(),
        }
    }

    pub(super) fn digest(realm: &str, password: &str, seed: u64) -> Self {
        Self::Digest {
            secret: hashed(&format!("{USER}:{realm}:{password}")),
            realm: realm.into(),
            nonces: Nonces::default(),
            random: Random::new(seed),
        }
    }

    pub(super) fn forget_nonces(&mut self) {
        if let Self::Digest { nonces, .. } = self {
            nonces.0.clear();
        }
    }

    /// Lets the request in, or gives the challenge for a 401.
    pub(super) fn admit(
        &mut self,
        method: &str,
        target: &str,
        authorization: Option<&str>,
    ) -> Result<(), String> {
        match self {
            Self::Basic { expected, realm } => {
                let admitted = authorization == Some(expected);
                if admitted {
                    Ok(())
                } else {
                    Err(format!(r#"Basic realm="{realm}""#))
                }
            }
            Self::Digest {
                secret,
                realm,
                nonces,
                random,
            } => {
                let verdict = authorization
                    .and_then(|header| header.strip_prefix("Digest "))
                    .map_or(Verdict::Unknown, |fields| {
                        check_digest(&fields_of(fields), method, target, secret, realm, nonces)
                    });
                if verdict == Verdict::Admitted {
                    return Ok(());
                }
                let nonce = format!("{:016x}", random.bits());
                let stale = if verdict == Verdict::Stale {
                    ", stale=true"
                } else {
                    ""
                };
                let challenge = format!(
                    r#"Digest qop="auth", realm="{realm}", nonce="{nonce}", algorithm=SHA-256{stale}"#
                );
                nonces.remember(nonce);
                Err(challenge)
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Admitted,
    /// The password was right but the nonce is not, or its count was used before.
    Stale,
    Unknown,
}

fn check_digest(
    fields: &HashMap<&str, &str>,
    method: &str,
    target: &str,
    secret: &str,
    realm: &str,
    nonces: &mut Nonces,
) -> Verdict {
    let field = |name: &str| fields.get(name).copied().unwrap_or_default();
    let (nonce, count, cnonce) = (field("nonce"), field("nc"), field("cnonce"));
    let request = hashed(&format!("{method}:{target}"));
    let response = hashed(&format!("{secret}:{nonce}:{count}:{cnonce}:auth:{request}"));
    let is_right = field("username") == USER
        && field("realm") == realm
        && field("uri") == target
        && field("qop") == "auth"
        && field("algorithm") == "SHA-256"
        && !cnonce.is_empty()
        && field("response") == response;
    if !is_right {
        return Verdict::Unknown;
    }
    let (Some(last), Ok(count)) = (nonces.count(nonce), u32::from_str_radix(count, 16)) else {
        return Verdict::Stale;
    };
    if count <= *last {
        return Verdict::Stale;
    }
    *last = count;
    Verdict::Admitted
}

/// Splits `name="value", name=value`; no value here holds a comma.
fn fields_of(text: &str) -> HashMap<&str, &str> {
    text.split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect()
}

fn hashed(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of a client that answers `challenge`.
    fn header(challenge: &str, target: &str, password: &str, count: u32) -> String {
        let fields = fields_of(challenge.strip_prefix("Digest ").unwrap());
        let (realm, nonce) = (fields["realm"], fields["nonce"]);
        let secret = hashed(&format!("admin:{realm}:{password}"));
        let request = hashed(&format!("GET:{target}"));
        let response = hashed(&format!(
            "{secret}:{nonce}:{count:08x}:c0ffee:auth:{request}"
        ));
        format!(
            r#"Digest username="admin", realm="{realm}", nonce="{nonce}", uri="{target}", algorithm=SHA-256, qop=auth, nc={count:08x}, cnonce="c0ffee", response="{response}""#
        )
    }

    fn challenged(guard: &mut Guard) -> String {
        guard.admit("GET", "/rpc/Sys.GetStatus", None).unwrap_err()
    }

    #[test]
    fn the_hash_is_that_of_rfc_7616_section_3_9_1() {
        let secret = hashed("Mufasa:http-auth@example.org:Circle of Life");
        let request = hashed("GET:/dir/index.html");
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        assert_eq!(
            hashed(&format!(
                "{secret}:{nonce}:00000001:{cnonce}:auth:{request}"
            )),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }

    #[test]
    fn basic_admits_the_password_and_nothing_else() {
        // RFC 7617's alphabet; "admin:sun" in base64.
        let mut guard = Guard::basic("shellyem", "sun");
        assert_eq!(
            guard.admit("GET", "/status", Some("Basic YWRtaW46c3Vu")),
            Ok(())
        );
        assert!(
            guard
                .admit("GET", "/status", Some("Basic YWRtaW46bW9vbg=="))
                .is_err()
        );
        assert!(guard.admit("GET", "/status", None).is_err());
    }

    #[test]
    fn digest_admits_the_password_for_its_own_request_only() {
        let mut guard = Guard::digest("shelly", "sun", 1);
        let challenge = challenged(&mut guard);
        let right = header(&challenge, "/rpc/Sys.GetStatus", "sun", 1);
        assert!(
            guard
                .admit("GET", "/rpc/EM1.GetStatus?id=0", Some(&right))
                .is_err()
        );
        assert_eq!(
            guard.admit("GET", "/rpc/Sys.GetStatus", Some(&right)),
            Ok(())
        );
        let wrong = header(&challenge, "/rpc/Sys.GetStatus", "moon", 2);
        assert!(
            guard
                .admit("GET", "/rpc/Sys.GetStatus", Some(&wrong))
                .is_err()
        );
    }

    #[test]
    fn replayed_digest_is_stale_and_a_higher_count_is_not() {
        let mut guard = Guard::digest("shelly", "sun", 1);
        let challenge = challenged(&mut guard);
        let target = "/rpc/Sys.GetStatus";
        let first = header(&challenge, target, "sun", 1);
        assert_eq!(guard.admit("GET", target, Some(&first)), Ok(()));
        assert!(
            guard
                .admit("GET", target, Some(&first))
                .unwrap_err()
                .contains("stale=true")
        );
        let second = header(&challenge, target, "sun", 2);
        assert_eq!(guard.admit("GET", target, Some(&second)), Ok(()));
    }

    #[test]
    fn old_nonces_make_room_for_new_ones() {
        let mut guard = Guard::digest("shelly", "sun", 1);
        let first = challenged(&mut guard);
        let mut last = String::new();
        for _ in 0..NONCES {
            last = challenged(&mut guard);
        }
        let target = "/rpc/Sys.GetStatus";
        let late = header(&first, target, "sun", 1);
        let refused = guard.admit("GET", target, Some(&late)).unwrap_err();
        assert!(refused.contains("stale=true"), "{refused}");
        let timely = header(&last, target, "sun", 1);
        assert_eq!(guard.admit("GET", target, Some(&timely)), Ok(()));
    }

    #[test]
    fn a_nonce_that_was_forgotten_is_stale() {
        let mut guard = Guard::digest("shelly", "sun", 1);
        let challenge = challenged(&mut guard);
        guard.forget_nonces();
        let late = header(&challenge, "/rpc/Sys.GetStatus", "sun", 1);
        assert!(
            guard
                .admit("GET", "/rpc/Sys.GetStatus", Some(&late))
                .unwrap_err()
                .contains("stale")
        );
    }
}
