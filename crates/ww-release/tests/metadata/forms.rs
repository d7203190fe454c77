//! One form for each thing, whatever bytes come.

use proptest::prelude::*;
use ww_release::assignment::SignedAssignment;
use ww_release::file::ReleaseFile;
use ww_release::question::{Answer, ProvenQuestion};
use ww_release::release::SignedRelease;
use ww_release::root::SignedRoot;
use ww_release::signatures::Domain;

use crate::support::{Fleet, SUITES, approved, bytes_of, release};

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = SignedRoot::decode(&bytes);
        let _ = SignedRelease::decode(&bytes);
        let _ = SignedAssignment::decode(&bytes);
        let _ = ProvenQuestion::decode(&bytes);
        let _ = Answer::decode(&bytes);
        let _ = ReleaseFile::decode(&bytes);
    }

    #[test]
    fn what_is_read_is_written_the_same(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let fleet = Fleet::new(SUITES[0]);
        let people = [&fleet.release[0], &fleet.release[1]];
        let mut bytes = fleet.sign(&release(SUITES[0]), &people);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(signed) = SignedRelease::decode(&bytes) {
            prop_assert_eq!(bytes_of(&signed), bytes);
        }
    }
}

#[test]
fn a_length_in_a_longer_form_is_refused() {
    let fleet = Fleet::new(SUITES[0]);
    let root = bytes_of(&fleet.root(1));
    let signed = approved(Domain::Root, &root, &[]);
    assert!(SignedRoot::decode(&signed).is_ok());
    // An array of one item, its length in a byte of its own.
    let mut longer = vec![0x98, 0x01];
    longer.extend_from_slice(&signed[1..]);
    assert!(SignedRoot::decode(&longer).is_err());
    // The same, ended by a break instead of a length.
    let mut endless = vec![0x9f];
    endless.extend_from_slice(&signed[1..]);
    endless.push(0xff);
    assert!(SignedRoot::decode(&endless).is_err());
}
