//! What is derived from a fleet's key, held against another implementation of the same standards.

use aws_lc_rs::hkdf;
use ww_release::cipher::ContentKey;
use ww_release::fleet::FleetKey;
use ww_wire::{Hash, MeterId, SignerId};

const DEVICE: MeterId = SignerId([0xde; 32]);
const OTHER: MeterId = SignerId([0xdf; 32]);
const OBJECT: Hash = Hash([0xc0; 32]);

fn fleet() -> FleetKey {
    FleetKey::new([0xf1; 32])
}

fn derived(info: &[&[u8]]) -> [u8; 32] {
    let key = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&[0xf1; 32]);
    let mut out = [0; 32];
    key.expand(info, hkdf::HKDF_SHA256)
        .unwrap()
        .fill(&mut out)
        .unwrap();
    out
}

#[test]
fn a_device_s_secret_is_hkdf_of_the_fleet_key_for_that_device() {
    let expected = derived(&[b"wattwitness/v1/device-secret", &DEVICE.0]);
    assert_eq!(*fleet().provision(DEVICE), expected);
}

#[test]
fn the_gateway_derives_the_secret_that_a_device_was_provisioned_with() {
    let provisioned = ww_release::secret::DeviceSecret::new(DEVICE, *fleet().provision(DEVICE));
    let derived = fleet().device_secret(DEVICE);
    assert!(derived.proves(b"question", &provisioned.prove(b"question")));
}

#[test]
fn key_of_another_device_or_of_another_fleet_proves_nothing() {
    let proof = fleet().device_secret(DEVICE).prove(b"question");
    let others = [
        fleet().device_secret(OTHER),
        FleetKey::new([0xf2; 32]).device_secret(DEVICE),
    ];
    assert!(others.iter().all(|one| !one.proves(b"question", &proof)));
    assert_ne!(*fleet().provision(DEVICE), *fleet().provision(OTHER));
}

fn read(fleet: &FleetKey, object: &Hash, wrapped: &[u8; 40]) -> Option<[u8; 32]> {
    fleet.unwrap(object, wrapped).map(|key| *key.bytes())
}

#[test]
fn a_wrapped_key_is_read_by_its_fleet_for_its_object_alone() {
    let wrapped = fleet().wrap(&OBJECT, &ContentKey::new([9; 32]));
    assert_eq!(read(&fleet(), &OBJECT, &wrapped), Some([9; 32]));
    assert_eq!(read(&fleet(), &Hash([0xc1; 32]), &wrapped), None);
    assert_eq!(read(&FleetKey::new([0; 32]), &OBJECT, &wrapped), None);
    for bit in 0..wrapped.len() * 8 {
        let mut flipped = wrapped;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(read(&fleet(), &OBJECT, &flipped), None);
    }
}

#[test]
fn wrapping_uses_a_key_of_its_own_for_each_object() {
    let secret = derived(&[b"wattwitness/v1/fleet-wrapping", &OBJECT.0]);
    let wrapping =
        aws_lc_rs::key_wrap::AesKek::new(&aws_lc_rs::key_wrap::AES_256, &secret).unwrap();
    let mut room = [0; 40];
    let expected = aws_lc_rs::key_wrap::KeyWrap::wrap(wrapping, &[9; 32], &mut room).unwrap();
    assert_eq!(fleet().wrap(&OBJECT, &ContentKey::new([9; 32])), *expected);
}

#[test]
fn a_fleet_key_in_a_file_is_64_hex_digits_and_nothing_else() {
    let read = |text: &str| FleetKey::from_hex(text).map(|key| *key.bytes());
    let digits = "F1".repeat(32);
    assert_eq!(read(&digits), Some([0xf1; 32]));
    assert_eq!(read(&format!("{digits}\n")), Some([0xf1; 32]));
    for wrong in [
        "",
        &digits[1..],
        &digits[2..],
        &format!("{digits}00"),
        &format!("{}g0", &digits[2..]),
        &format!("{} {}", &digits[..32], &digits[..31]),
        &"é".repeat(32),
    ] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}
