//! What is encrypted and tagged, held against another implementation of the same standards.

use std::collections::HashSet;

use aws_lc_rs::cipher::{
    AES_256, EncryptingKey, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{hkdf, hmac};
use ww_release::assignment::Nonce;
use ww_release::cipher::{CipherError, ContentKey, SectorCipher};
use ww_release::key::Suite;
use ww_release::release::SECTOR_BYTES;
use ww_release::secret::{DeviceSecret, RECORD_BYTES};
use ww_wire::{Hash, MeterId, SignerId};

const SECTOR: usize = SECTOR_BYTES as usize;
const DEVICE: MeterId = SignerId([0xde; 32]);
const OTHER: MeterId = SignerId([0xdf; 32]);
const ASKED: Nonce = [0x0a; 16];
const ANSWERED: Nonce = [0x0b; 16];
const OBJECT: Hash = Hash([0xc0; 32]);
const NONCE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn expanded(key: &hkdf::Prk, info: &[&[u8]]) -> [u8; 32] {
    let mut out = [0; 32];
    key.expand(info, hkdf::HKDF_SHA256)
        .unwrap()
        .fill(&mut out)
        .unwrap();
    out
}

fn content_key(byte: u8) -> ContentKey {
    ContentKey::new([byte; 32])
}

fn subkey(byte: u8, purpose: &str) -> [u8; 32] {
    let key = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &[byte; 32]);
    expanded(&key, &[purpose.as_bytes()])
}

fn aes(key: [u8; 32]) -> UnboundCipherKey {
    UnboundCipherKey::new(&AES_256, &key).unwrap()
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|place| (place * 7 % 251) as u8).collect()
}

#[test]
fn sectors_in_counter_mode_are_one_stream_of_aes_256_ctr() {
    let plain = text(2 * SECTOR + 1001);
    let data = subkey(5, "wattwitness/v1/firmware-data");
    let mut first = [0; 16];
    first[..8].copy_from_slice(&NONCE);
    let context = EncryptionContext::Iv128(FixedLength::from(first));
    let mut expected = plain.clone();
    EncryptingKey::ctr(aes(data))
        .unwrap()
        .less_safe_encrypt(&mut expected, context)
        .unwrap();

    let cipher = SectorCipher::new(Suite::Es256Aes256Ctr, &content_key(5), NONCE);
    let mut encrypted = plain.clone();
    for (number, sector) in encrypted.chunks_mut(SECTOR).enumerate() {
        cipher.encrypt(number as u32, sector).unwrap();
    }
    assert_eq!(encrypted, expected);
    for (number, sector) in encrypted.chunks_mut(SECTOR).enumerate().rev() {
        let is_last = number == 2;
        let len = sector.len();
        assert_eq!(cipher.decrypt(number as u32, is_last, sector), Ok(len));
    }
    assert_eq!(encrypted, plain);
}

#[test]
fn a_sector_in_cbc_mode_is_aes_256_cbc_under_a_vector_of_its_own() {
    let cipher = SectorCipher::new(Suite::Rsa2048Aes256Cbc, &content_key(6), NONCE);
    let data = subkey(6, "wattwitness/v1/firmware-data");
    let vectors = subkey(6, "wattwitness/v1/firmware-vectors");
    for (number, len) in [
        (0_u32, 0),
        (1, 1),
        (2, 15),
        (3, 16),
        (77, 4000),
        (254, 4079),
    ] {
        let plain = text(len);
        // One block of ECB is a CBC block under a vector of zeros.
        let mut vector = u128::from(number).to_be_bytes().to_vec();
        let zeros = EncryptionContext::Iv128(FixedLength::from([0; 16]));
        PaddedBlockEncryptingKey::cbc_pkcs7(aes(vectors))
            .unwrap()
            .less_safe_encrypt(&mut vector, zeros)
            .unwrap();
        let vector: [u8; 16] = vector[..16].try_into().unwrap();
        let mut expected = plain.clone();
        let context = EncryptionContext::Iv128(FixedLength::from(vector));
        PaddedBlockEncryptingKey::cbc_pkcs7(aes(data))
            .unwrap()
            .less_safe_encrypt(&mut expected, context)
            .unwrap();

        let padding = 16 - len % 16;
        let mut sector = plain.clone();
        sector.resize(len + padding, padding as u8);
        cipher.encrypt(number, &mut sector).unwrap();
        assert_eq!(sector, expected);
        let content = cipher.decrypt(number, true, &mut sector);
        assert_eq!(content, Ok(len));
        assert_eq!(sector[..len], plain);
    }
}

#[test]
fn padding_is_in_the_last_sector_only_and_must_be_right() {
    let cipher = SectorCipher::new(Suite::Rsa2048Aes256Cbc, &content_key(7), NONCE);
    let decrypted = |end: &[u8], is_last| {
        let mut sector = text(32);
        sector[32 - end.len()..].copy_from_slice(end);
        cipher.encrypt(9, &mut sector).unwrap();
        cipher.decrypt(9, is_last, &mut sector)
    };
    assert_eq!(decrypted(&[2, 2], true), Ok(30));
    assert_eq!(decrypted(&[2, 2], false), Ok(32));
    assert_eq!(decrypted(&[16; 16], true), Ok(16));
    for wrong in [&[0][..], &[17; 17], &[1, 2], &[3, 2, 3], &[255]] {
        assert_eq!(decrypted(wrong, true), Err(CipherError::Padding));
    }
    let mut nothing = [];
    let refused = cipher.decrypt(9, true, &mut nothing);
    assert_eq!(refused, Err(CipherError::Padding));
    let mut partial = [0; 17];
    let refused = cipher.decrypt(9, true, &mut partial);
    assert_eq!(refused, Err(CipherError::PartialBlock(17)));
}

#[test]
fn a_key_check_tells_keys_apart_and_is_not_the_key() {
    let checks: HashSet<_> = (0..=255).map(|byte| content_key(byte).check()).collect();
    assert_eq!(checks.len(), 256);
    let expected = subkey(5, "wattwitness/v1/firmware-key-check");
    assert_eq!(content_key(5).check(), expected[..16]);
}

#[test]
fn a_tag_is_an_hmac_over_session_object_number_and_record() {
    let secret = DeviceSecret::new(DEVICE, [0x5e; 32]);
    let session = secret.session(&ASKED, &ANSWERED);
    let record = text(RECORD_BYTES);
    let key = hkdf::Salt::new(hkdf::HKDF_SHA256, &[ASKED, ANSWERED].concat());
    let key = expanded(
        &key.extract(&[0x5e; 32]),
        &[b"wattwitness/v1/ota-records", &DEVICE.0],
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signed = [&OBJECT.0[..], &7_u32.to_be_bytes(), &record].concat();
    let expected = hmac::sign(&key, &signed);
    let tag = session.tag(&OBJECT, 7, &record);
    assert_eq!(tag, expected.as_ref()[..8]);
    assert!(session.holds(&OBJECT, 7, &record, &tag));
}

#[test]
fn records_of_another_device_session_object_or_place_are_refused() {
    let secret = DeviceSecret::new(DEVICE, [0x5e; 32]);
    let session = secret.session(&ASKED, &ANSWERED);
    let record = text(RECORD_BYTES);
    let tag = session.tag(&OBJECT, 7, &record);
    let foreign = [
        DeviceSecret::new(OTHER, [0x5e; 32]).session(&ASKED, &ANSWERED),
        DeviceSecret::new(DEVICE, [0x5f; 32]).session(&ASKED, &ANSWERED),
        secret.session(&ANSWERED, &ASKED),
        secret.session(&ASKED, &ASKED),
    ];
    for session in foreign {
        assert!(!session.holds(&OBJECT, 7, &record, &tag));
    }
    assert!(!session.holds(&Hash([0xc1; 32]), 7, &record, &tag));
    for number in [0, 6, 8, u32::MAX] {
        assert!(!session.holds(&OBJECT, number, &record, &tag));
    }
    assert!(!session.holds(&OBJECT, 7, &record[..1023], &tag));
    let mut flipped = record.clone();
    for bit in 0..record.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!session.holds(&OBJECT, 7, &flipped, &tag));
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
    for bit in 0..64 {
        let mut wrong = tag;
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(!session.holds(&OBJECT, 7, &record, &wrong));
    }
}

#[test]
fn a_question_is_proven_by_its_device_alone() {
    let secret = DeviceSecret::new(DEVICE, [0x5e; 32]);
    let proof = secret.prove(b"question");
    assert!(secret.proves(b"question", &proof));
    assert!(!secret.proves(b"questions", &proof));
    assert!(!DeviceSecret::new(OTHER, [0x5e; 32]).proves(b"question", &proof));
    assert!(!DeviceSecret::new(DEVICE, [0x5f; 32]).proves(b"question", &proof));
}

#[test]
fn a_wrapped_key_is_read_by_its_device_for_its_object_alone() {
    let secret = DeviceSecret::new(DEVICE, [0x5e; 32]);
    let wrapped = secret.wrap(&OBJECT, &content_key(9));
    let read = |secret: &DeviceSecret, object| {
        let key = secret.unwrap(object, &wrapped);
        key.map(|key| *key.bytes())
    };
    assert_eq!(read(&secret, &OBJECT), Some([9; 32]));
    assert_eq!(read(&secret, &Hash([0xc1; 32])), None);
    assert_eq!(read(&DeviceSecret::new(OTHER, [0x5e; 32]), &OBJECT), None);
    for bit in 0..wrapped.len() * 8 {
        let mut flipped = wrapped;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(secret.unwrap(&OBJECT, &flipped).is_none());
    }
}
