//! Who may sign what, and how that changes.

use ww_release::canonical::Malformed;
use ww_release::key::{Key, Suite};
use ww_release::root::{Role, Root, SignedRoot};
use ww_release::signatures::{Distrust, Domain};

use crate::support::{Fleet, Person, SUITES, Software, approved, bytes_of, role};

fn signed(root: &Root<'_>, people: &[&Person]) -> Vec<u8> {
    approved(Domain::Root, &bytes_of(root), people)
}

fn follow(next: &[u8], trusted: &Root<'_>) -> Result<u32, Distrust> {
    let next = SignedRoot::decode(next).unwrap();
    next.follow(trusted, &mut Software).map(|root| root.number)
}

#[test]
fn a_root_is_followed_by_the_next_that_both_have_signed() {
    for suite in SUITES {
        let (old, mut new) = (Fleet::new(suite), Fleet::new(suite));
        new.root = [13, 14, 15].map(Person::numbered).into();
        let (one, two) = (old.root(1), new.root(2));
        let enough = [&old.root[0], &old.root[2], &new.root[1]];
        assert_eq!(follow(&signed(&two, &enough), &one), Ok(2));
    }
}

#[test]
fn a_rotated_root_with_too_few_signatures_is_refused() {
    let (old, mut new) = (Fleet::new(SUITES[0]), Fleet::new(SUITES[0]));
    new.root = [14, 15, 16].map(Person::numbered).into();
    let (one, two) = (old.root(1), new.root(2));
    let [a, b, _] = [0, 1, 2].map(|place| &old.root[place]);
    let [x, y, _] = [0, 1, 2].map(|place| &new.root[place]);
    let too_few = Err(Distrust::TooFew {
        valid: 1,
        threshold: 2,
    });
    assert_eq!(follow(&signed(&two, &[a, b, x]), &one), too_few);
    assert_eq!(follow(&signed(&two, &[a, x, y]), &one), too_few);
    assert!(follow(&signed(&two, &[]), &one).is_err());
    assert_eq!(follow(&signed(&two, &[a, b, x, y]), &one), Ok(2));
}

#[test]
fn rollback_and_fast_forward_of_the_root_are_refused() {
    let fleet = Fleet::new(SUITES[0]);
    let everybody: Vec<_> = fleet.root.iter().collect();
    let trusted = fleet.root(7);
    for number in [1, 6, 7, 9, u32::MAX] {
        let refused = follow(&signed(&fleet.root(number), &everybody), &trusted);
        assert_eq!(refused, Err(Distrust::OutOfOrder { number, trusted: 7 }));
    }
    assert_eq!(follow(&signed(&fleet.root(8), &everybody), &trusted), Ok(8));
    let last = fleet.root(u32::MAX);
    assert!(follow(&signed(&fleet.root(1), &everybody), &last).is_err());
}

#[test]
fn a_stranger_and_keys_of_other_roles_have_no_say_in_a_root() {
    let fleet = Fleet::new(SUITES[0]);
    let (one, two) = (fleet.root(1), fleet.root(2));
    let [a, b] = [0, 1].map(|place| &fleet.root[place]);
    for stranger in [
        &Person::numbered(99),
        &fleet.release[0],
        &fleet.assignment[0],
    ] {
        let refused = follow(&signed(&two, &[a, b, stranger]), &one);
        assert_eq!(refused, Err(Distrust::Stranger(stranger.id())));
    }
}

#[test]
fn a_signature_of_another_domain_or_root_does_not_hold() {
    let fleet = Fleet::new(SUITES[0]);
    let (one, two, three) = (fleet.root(1), fleet.root(2), fleet.root(3));
    let [a, b] = [0, 1].map(|place| &fleet.root[place]);
    let content = bytes_of(&two);
    let replayed = [
        a.sign(Domain::Root, &bytes_of(&three)),
        b.sign(Domain::Root, &content),
    ];
    let refused = follow(
        &bytes_of(&crate::support::with_all(&content, &replayed)),
        &one,
    );
    assert_eq!(refused, Err(Distrust::BadSignature(a.id())));
    let other = approved(Domain::Release, &content, &[a, b]);
    assert!(matches!(
        follow(&other, &one),
        Err(Distrust::BadSignature(_))
    ));
}

#[test]
fn one_signer_counts_once() {
    let fleet = Fleet::new(SUITES[0]);
    let two = fleet.root(2);
    let content = bytes_of(&two);
    let once = approved(Domain::Root, &content, &[&fleet.root[0]]);
    // The same signature again: one more item in the array, and the item itself.
    let items = once.clone();
    let head = items[0];
    let content_len = bytes_of(&ww_release::signatures::Approved::new(&content)).len();
    let signature = &items[content_len..];
    let mut twice = items.clone();
    twice[0] = head + 1;
    twice.extend_from_slice(signature);
    assert_eq!(
        SignedRoot::decode(&twice).err(),
        Some(Malformed::Expected("signers in ascending order, each once"))
    );
}

#[test]
fn the_first_root_stands_by_its_own_keys() {
    let fleet = Fleet::new(SUITES[0]);
    let one = fleet.root(1);
    let [a, b] = [0, 1].map(|place| &fleet.root[place]);
    let alone = |bytes: &[u8]| {
        let root = SignedRoot::decode(bytes).unwrap();
        root.stand_alone(&mut Software).map(|root| root.number)
    };
    assert_eq!(alone(&signed(&one, &[a, b])), Ok(1));
    assert!(alone(&signed(&one, &[a])).is_err());
}

#[test]
fn a_role_that_nobody_can_fill_or_anybody_can_is_none() {
    let people = [Person::numbered(1), Person::numbered(2)];
    let mut keys: Vec<Key<'_>> = people.iter().map(Person::key).collect();
    keys.sort();
    assert!(Role::new(2, &keys).is_some());
    assert!(Role::new(0, &keys).is_none());
    assert!(Role::new(3, &keys).is_none());
    assert!(Role::new(1, &[]).is_none());
    assert!(Role::new(1, &[keys[0], keys[0]]).is_none());
    keys.reverse();
    assert!(Role::new(1, &keys).is_none());
}

#[test]
fn a_root_that_breaks_a_rule_is_refused_by_name() {
    let fleet = Fleet::new(SUITES[0]);
    let rsa = Fleet::new(Suite::Rsa2048Aes256Cbc);
    let good = fleet.root(1);
    let broken = [
        (Root { number: 0, ..good }, "a root's number from 1 on"),
        (
            Root {
                root: role(1, &rsa.release),
                ..good
            },
            "root keys of P-256",
        ),
        (
            Root {
                suite: Suite::Rsa2048Aes256Cbc,
                ..good
            },
            "release keys of the suite's algorithm",
        ),
        (
            Root {
                assignment: role(1, &fleet.root),
                ..good
            },
            "one role for each key",
        ),
    ];
    for (root, rule) in broken {
        let refused = SignedRoot::decode(&signed(&root, &[])).err();
        assert_eq!(refused, Some(Malformed::Expected(rule)));
    }
}
