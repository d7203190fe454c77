//! Objects as they are made and as a device reads them.

use std::collections::HashSet;

use proptest::prelude::*;
use ww_release::cipher::{ContentKey, SectorCipher};
use ww_release::key::Suite;
use ww_release::release::{Encoding, SECTOR_BYTES};
use ww_release::sealed::SealedObject;
use ww_wire::Hash;

use crate::support::SUITES;

/// Reads an object as a device does: each sector against the list, then decrypted.
fn opened(suite: Suite, key: &ContentKey, sealed: &SealedObject) -> Vec<u8> {
    let Encoding {
        plain_bytes,
        object,
        list,
        nonce,
        key_check,
        ..
    } = sealed.encoding;
    assert_eq!(Hash::of(&[&sealed.ciphertext]), object);
    assert_eq!(Hash::of(&[&sealed.list]), list);
    assert_eq!(key.check(), key_check);
    let len = sealed.ciphertext.len();
    assert_eq!(suite.encrypted_bytes(plain_bytes), Some(len as u32));
    let cipher = SectorCipher::new(suite, key, nonce);
    let sectors = sealed.ciphertext.chunks(SECTOR_BYTES as usize);
    let (digests, rest) = sealed.list.as_chunks::<32>();
    assert!(rest.is_empty());
    assert_eq!(digests.len(), sectors.len());
    let last = digests.len() - 1;
    let mut plain = Vec::new();
    for (number, (sector, digest)) in sectors.zip(digests).enumerate() {
        assert_eq!(Hash::of(&[sector]).0, *digest);
        let mut sector = sector.to_vec();
        let content = cipher.decrypt(number as u32, number == last, &mut sector);
        plain.extend_from_slice(&sector[..content.unwrap()]);
    }
    assert_eq!(plain.len(), plain_bytes as usize);
    plain
}

proptest! {
    #[test]
    fn an_object_of_any_length_is_read_as_it_was(
        plain in proptest::collection::vec(any::<u8>(), 1..20_000),
        key in any::<[u8; 32]>(),
        nonce in any::<[u8; 8]>(),
    ) {
        for suite in SUITES {
            let key = ContentKey::new(key);
            let sealed = SealedObject::new(suite, &key, nonce, None, &plain).unwrap();
            prop_assert_eq!(opened(suite, &key, &sealed), plain.as_slice());
        }
    }
}

#[test]
fn an_object_that_ends_with_a_sector_is_read_as_it_was() {
    for suite in SUITES {
        for sectors in 1..4 {
            let plain = vec![0x5a; sectors * SECTOR_BYTES as usize];
            let key = ContentKey::new([3; 32]);
            let sealed = SealedObject::new(suite, &key, [0; 8], None, &plain).unwrap();
            assert_eq!(opened(suite, &key, &sealed), plain);
        }
    }
}

#[test]
fn nothing_is_no_object() {
    for suite in SUITES {
        let key = ContentKey::new([3; 32]);
        assert!(SealedObject::new(suite, &key, [0; 8], None, &[]).is_none());
    }
}

#[test]
fn no_block_of_equal_sectors_repeats_within_a_release_or_between_releases() {
    let plain = vec![0; 3 * SECTOR_BYTES as usize];
    for suite in SUITES {
        let mut blocks = HashSet::new();
        let mut count = 0;
        for release in 0..20_u8 {
            let key = ContentKey::new(Hash::of(&[&[release]]).0);
            let sealed = SealedObject::new(suite, &key, [release; 8], None, &plain).unwrap();
            let (of_release, _) = sealed.ciphertext.as_chunks::<16>();
            count += of_release.len();
            blocks.extend(of_release.iter().copied());
        }
        assert_eq!(blocks.len(), count);
    }
}
