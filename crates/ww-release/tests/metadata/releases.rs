//! What may be installed.

use ww_release::canonical::Malformed;
use ww_release::key::Suite;
use ww_release::release::{
    HardwareClass, MAX_RELEASE, Parts, Release, SignedRelease, signed_content,
};
use ww_release::root::Root;
use ww_release::signatures::{Distrust, Domain};
use ww_wire::Hash;

use crate::support::{Fleet, Person, SUITES, Software, bytes_of, encoding, release, with_all};

fn trust(bytes: &[u8], root: &Root<'_>) -> Result<Hash, Distrust> {
    let signed = SignedRelease::decode(bytes).unwrap();
    signed
        .trust(root, &mut Software)
        .map(|trusted| trusted.digest())
}

#[test]
fn a_release_that_enough_have_signed_is_trusted_in_both_suites() {
    for suite in SUITES {
        let (fleet, release) = (Fleet::new(suite), release(suite));
        let bytes = fleet.sign(&release, &[&fleet.release[0], &fleet.release[2]]);
        assert_eq!(trust(&bytes, &fleet.root(1)), Ok(release.digest()));
    }
}

#[test]
fn the_digest_is_over_the_manifest_with_the_head_of_its_byte_string_as_suit_has_it() {
    let (fleet, release) = (Fleet::new(SUITES[0]), release(SUITES[0]));
    let envelope = fleet.sign(&release, &[]);
    // 107({2: authentication, 3: manifest}): the manifest's byte string is what follows the key 3.
    let head = [0x59, 0x01];
    let at = (0..envelope.len())
        .find(|at| envelope[*at] == 3 && envelope[at + 1..].starts_with(&head))
        .unwrap();
    assert_eq!(Hash::of(&[&envelope[at + 1..]]), release.digest());
    assert!(signed_content(&release).ends_with(&release.digest().0));
}

#[test]
fn the_server_s_key_alone_or_too_few_release_keys_make_no_release() {
    for suite in SUITES {
        let (fleet, release) = (Fleet::new(suite), release(suite));
        let root = fleet.root(1);
        let one = fleet.sign(&release, &[&fleet.release[1]]);
        let too_few = Distrust::TooFew {
            valid: 1,
            threshold: 2,
        };
        assert_eq!(trust(&one, &root), Err(too_few));
        let online = &fleet.assignment[0];
        let stolen = fleet.sign(&release, &[&fleet.release[1], online]);
        assert_eq!(trust(&stolen, &root), Err(Distrust::Stranger(online.id())));
    }
}

#[test]
fn mix_and_match_of_manifest_and_signatures_is_refused() {
    for suite in SUITES {
        let fleet = Fleet::new(suite);
        let (old, mut new) = (release(suite), release(suite));
        new.security_counter = 6;
        let people = [&fleet.release[0], &fleet.release[1]];
        let content = signed_content(&old);
        let signatures = people.map(|one| one.sign(Domain::Release, &content));
        let mixed = bytes_of(&SignedRelease::new(new, with_all(&content, &signatures)));
        let root = fleet.root(1);
        assert_eq!(trust(&mixed, &root), Err(Distrust::OtherManifest));
        let content = signed_content(&new);
        let matched = bytes_of(&SignedRelease::new(new, with_all(&content, &signatures)));
        assert!(matches!(
            trust(&matched, &root),
            Err(Distrust::BadSignature(_))
        ));
    }
}

#[test]
fn a_release_of_the_other_suite_is_refused() {
    let fleet = Fleet::new(Suite::Rsa2048Aes256Cbc);
    let other = release(Suite::Es256Aes256Ctr);
    let bytes = fleet.sign(&other, &[&fleet.release[0], &fleet.release[1]]);
    assert_eq!(trust(&bytes, &fleet.root(1)), Err(Distrust::OtherSuite));
}

#[test]
fn every_flipped_bit_of_an_envelope_is_refused() {
    for suite in SUITES {
        let (fleet, release) = (Fleet::new(suite), release(suite));
        let root = fleet.root(1);
        let bytes = fleet.sign(&release, &[&fleet.release[0], &fleet.release[1]]);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(signed) = SignedRelease::decode(&flipped) {
                assert!(signed.trust(&root, &mut Software).is_err(), "bit {bit}");
            }
        }
    }
}

#[test]
fn truncated_and_endless_envelopes_are_refused() {
    let (fleet, release) = (Fleet::new(SUITES[0]), release(SUITES[0]));
    let bytes = fleet.sign(&release, &[&fleet.release[0], &fleet.release[1]]);
    for len in 0..bytes.len() {
        assert!(SignedRelease::decode(&bytes[..len]).is_err());
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(
        SignedRelease::decode(&longer).err(),
        Some(Malformed::NotCanonical)
    );
    longer.resize(MAX_RELEASE + 1, 0);
    let too_long = Malformed::TooLong {
        got: MAX_RELEASE + 1,
        most: MAX_RELEASE,
    };
    assert_eq!(SignedRelease::decode(&longer).err(), Some(too_long));
}

#[test]
fn the_largest_release_of_either_suite_fits_a_sector() {
    for suite in SUITES {
        let mut fleet = Fleet::new(suite);
        let more = |number| match suite {
            Suite::Es256Aes256Ctr => Person::numbered(number),
            Suite::Rsa2048Aes256Cbc => Person::with_rsa(),
        };
        fleet.release.extend((40..45).map(more));
        let mut encodings = vec![encoding(None, u32::MAX - 64)];
        encodings.extend((1..8).map(|base| encoding(Some(base), 1 << 30)));
        let parts = Parts {
            image_bytes: u32::MAX - 64,
            config_bytes: 0,
            layout_bytes: 0,
        };
        let (class, payload) = (HardwareClass([1; 16]), Hash([0xda; 32]));
        let version = "x".repeat(32);
        let release =
            Release::new(class, u32::MAX, &version, suite, payload, parts, &encodings).unwrap();
        let everybody: Vec<_> = fleet.release.iter().collect();
        let bytes = fleet.sign(&release, &everybody);
        assert!(bytes.len() <= MAX_RELEASE, "{} bytes", bytes.len());
        assert!(trust(&bytes, &fleet.root(1)).is_ok());
    }
}

#[test]
fn a_release_that_breaks_a_rule_is_refused_by_name() {
    let make = |version: &'static str, parts: Parts, encodings: &[_]| {
        let (class, payload) = (HardwareClass([1; 16]), Hash([2; 32]));
        Release::new(class, 1, version, SUITES[0], payload, parts, encodings).err()
    };
    let parts = Parts {
        image_bytes: 100,
        config_bytes: 20,
        layout_bytes: 3,
    };
    let whole = encoding(None, 123);
    assert_eq!(make("1.0.0", parts, &[whole]), None);
    let refused = |rule| Some(Malformed::Expected(rule));
    let version = "a version of 1 to 32 visible ASCII characters";
    assert_eq!(make("", parts, &[whole]), refused(version));
    assert_eq!(make("1.0 beta", parts, &[whole]), refused(version));
    let first = "first an encoding of the whole payload";
    assert_eq!(make("1", parts, &[]), refused(first));
    assert_eq!(make("1", parts, &[encoding(None, 122)]), refused(first));
    assert_eq!(make("1", parts, &[encoding(Some(1), 123)]), refused(first));
    let order = "deltas in the order of their bases, each once";
    let (one, three) = (encoding(Some(1), 9), encoding(Some(3), 9));
    assert_eq!(make("1", parts, &[whole, three, one]), refused(order));
    assert_eq!(make("1", parts, &[whole, one, one]), refused(order));
    let itself = encoding(Some(2), 9);
    let others = refused("deltas from other payloads");
    assert_eq!(make("1", parts, &[whole, itself]), others);
    let nothing = refused("encodings with something in them");
    assert_eq!(make("1", parts, &[whole, encoding(Some(1), 0)]), nothing);
    let overflowing = Parts {
        image_bytes: u32::MAX,
        config_bytes: 1,
        layout_bytes: 0,
    };
    assert_eq!(make("1", overflowing, &[whole]), refused(first));
}
