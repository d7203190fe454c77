//! Release files: each way in which one can be wrong, by its name.

use std::io;

use ww_release::canonical::Malformed;
use ww_release::cipher::ContentKey;
use ww_release::file::{
    Delta, Draft, Field, FileError, FileObject, MAX_FILE, ReleaseFile, Unacceptable, Unmade,
    Unopened,
};
use ww_release::fleet::FleetKey;
use ww_release::key::Suite;
use ww_release::release::{Encoding, HardwareClass, Parts, Release, signed_content};
use ww_release::sealed::SealedObject;
use ww_release::signatures::{Distrust, Domain};
use ww_wire::Hash;

use crate::support::{Fleet, SUITES, Software};

const CLASS: HardwareClass = HardwareClass([0xcc; 16]);

fn fleet_key() -> FleetKey {
    FleetKey::new([0xf1; 32])
}

/// Bytes that differ each time, the same in each run.
fn entropy() -> impl FnMut(&mut [u8]) -> io::Result<()> {
    let mut drawn = 0_u32;
    move |out| {
        drawn += 1;
        let bytes = Hash::of(&[&drawn.to_be_bytes()]).0;
        out.copy_from_slice(&bytes[..out.len()]);
        Ok(())
    }
}

fn image() -> Vec<u8> {
    (0..9_000_u32).map(|at| (at * 31 % 251) as u8).collect()
}

fn draft<'a>(suite: Suite, image: &'a [u8], deltas: &'a [Delta<'a>]) -> Draft<'a> {
    Draft {
        class: CLASS,
        security_counter: 5,
        version: "1.4.0",
        suite,
        image,
        config: b"configuration",
        layout: b"layout",
        deltas,
    }
}

fn deltas() -> [Delta<'static>; 2] {
    [(2, &b"the delta from two"[..]), (1, b"that from one")].map(|(base, bytes)| Delta {
        base: Hash([base; 32]),
        bytes,
    })
}

fn made(suite: Suite) -> Vec<u8> {
    let image = image();
    draft(suite, &image, &deltas())
        .seal(&fleet_key(), entropy())
        .unwrap()
}

/// The file with the signatures of these release keys of the fleet.
fn signed(fleet: &Fleet, file: &[u8], people: &[usize]) -> Vec<u8> {
    people.iter().fold(file.to_vec(), |bytes, number| {
        let file = ReleaseFile::decode(&bytes).unwrap();
        let content = signed_content(file.release());
        let signature = fleet.release[*number].sign(Domain::Release, &content);
        file.with(signature.borrowed()).unwrap()
    })
}

fn accepted(file: &[u8], fleet: &Fleet, field: &Field<'_>) -> Result<Hash, Unacceptable> {
    let file = ReleaseFile::decode(file).unwrap();
    file.acceptable(&fleet.root(1), field, &mut Software)
        .map(|release| release.digest())
}

#[test]
fn a_file_gives_back_what_it_was_made_of_in_both_suites() {
    for suite in SUITES {
        let bytes = made(suite);
        let file = ReleaseFile::decode(&bytes).unwrap();
        assert_eq!(file.to_bytes(), bytes);
        let open = |place| file.open(place, &fleet_key()).map(|plain| plain.to_vec());
        let payload = [&image()[..], b"configuration", b"layout"].concat();
        assert_eq!(open(0), Ok(payload));
        assert_eq!(open(1), Ok(b"that from one".to_vec()));
        assert_eq!(open(2), Ok(b"the delta from two".to_vec()));
        assert_eq!(open(3), Err(Unopened::NoEncoding(3)));
        let bases: Vec<_> = file.objects().map(|(encoding, _)| encoding.base).collect();
        assert_eq!(bases, [None, Some(Hash([1; 32])), Some(Hash([2; 32]))]);
    }
}

#[test]
fn signers_sign_apart_and_in_any_order() {
    for suite in SUITES {
        let fleet = Fleet::new(suite);
        let file = made(suite);
        let apart = signed(&fleet, &file, &[2, 0]);
        assert_eq!(apart.len(), signed(&fleet, &file, &[0, 2]).len());
        let digest = ReleaseFile::decode(&file).unwrap().release().digest();
        assert_eq!(accepted(&apart, &fleet, &Field::default()), Ok(digest));
        // One who signs again replaces what he signed.
        assert_eq!(signed(&fleet, &apart, &[2]).len(), apart.len());
    }
}

#[test]
fn a_release_with_too_few_signatures_is_not_acceptable() {
    for suite in SUITES {
        let fleet = Fleet::new(suite);
        let file = signed(&fleet, &made(suite), &[1]);
        let too_few = Distrust::TooFew {
            valid: 1,
            threshold: 2,
        };
        let refused = Err(Unacceptable::Distrust(too_few));
        assert_eq!(accepted(&file, &fleet, &Field::default()), refused);
    }
}

#[test]
fn what_devices_in_the_field_would_refuse_is_not_acceptable() {
    let fleet = Fleet::new(SUITES[0]);
    let file = signed(&fleet, &made(SUITES[0]), &[0, 1]);
    let class = |byte| Some(HardwareClass([byte; 16]));
    let of_class = |byte| Field {
        class: class(byte),
        ..Field::default()
    };
    assert!(accepted(&file, &fleet, &of_class(0xcc)).is_ok());
    let refused = accepted(&file, &fleet, &of_class(0xcd));
    assert_eq!(refused, Err(Unacceptable::OtherClass));
    let at = |confirmed_counter| Field {
        confirmed_counter,
        ..Field::default()
    };
    assert!(accepted(&file, &fleet, &at(5)).is_ok());
    let fell_behind = Unacceptable::Counter {
        got: 5,
        confirmed: 6,
    };
    assert_eq!(accepted(&file, &fleet, &at(6)), Err(fell_behind));
}

#[test]
fn keys_of_another_fleet_are_not_acceptable() {
    for suite in SUITES {
        let fleet = Fleet::new(suite);
        let file = signed(&fleet, &made(suite), &[0, 1]);
        let of = |key: &FleetKey| {
            let field = Field {
                fleet: Some(key),
                ..Field::default()
            };
            accepted(&file, &fleet, &field)
        };
        assert!(of(&fleet_key()).is_ok());
        let refused = of(&FleetKey::new([0; 32]));
        let object = ReleaseFile::decode(&file)
            .unwrap()
            .release()
            .encodings()
            .next()
            .unwrap()
            .object;
        let wrong = Unacceptable::Unopened(Unopened::WrongKey(object));
        assert_eq!(refused, Err(wrong));
    }
}

#[test]
fn truncated_files_are_refused_wherever_they_are_cut() {
    let bytes = made(SUITES[0]);
    // Every cut near what is not ciphertext, and some in it.
    let cuts = (0..1_500).chain((1_500..bytes.len()).step_by(13));
    for len in cuts.chain(bytes.len() - 400..bytes.len()) {
        let refused = ReleaseFile::decode(&bytes[..len]).unwrap_err();
        assert!(matches!(refused, FileError::File(_)), "{len}: {refused}");
    }
}

#[test]
fn endless_data_is_refused_before_it_is_read() {
    let mut bytes = made(SUITES[0]);
    bytes.push(0);
    let longer = FileError::File(Malformed::NotCanonical);
    assert_eq!(ReleaseFile::decode(&bytes).unwrap_err(), longer);
    bytes.resize(MAX_FILE + 1, 0);
    let too_long = FileError::File(Malformed::TooLong {
        got: MAX_FILE + 1,
        most: MAX_FILE,
    });
    assert_eq!(ReleaseFile::decode(&bytes).unwrap_err(), too_long);
}

#[test]
fn every_flipped_bit_outside_the_wrapped_keys_and_signatures_is_refused() {
    for suite in SUITES {
        let bytes = made(suite);
        let file = ReleaseFile::decode(&bytes).unwrap();
        let keys: Vec<_> = file.objects().map(|(_, object)| object.key).collect();
        let is_key = |flipped: &[u8]| {
            let file = ReleaseFile::decode(flipped);
            file.is_ok_and(|file| {
                let places = file.objects().map(|(_, object)| object.key).zip(&keys);
                places.filter(|(now, before)| now != *before).count() == 1
                    && (0..3).any(|place| file.open(place, &fleet_key()).is_err())
            })
        };
        // All of what is not ciphertext, and a bit of each of its bytes.
        for at in 0..bytes.len() {
            let bits = if (1_200..9_500).contains(&at) { 1 } else { 8 };
            for bit in 0..bits {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << ((at + bit) % 8);
                let refused = ReleaseFile::decode(&flipped).is_err();
                assert!(refused || is_key(&flipped), "byte {at}");
            }
        }
    }
}

#[test]
fn a_length_in_a_longer_form_is_refused() {
    let bytes = made(SUITES[0]);
    let mut longer = vec![0x98, 0x03];
    longer.extend_from_slice(&bytes[1..]);
    let refused = FileError::File(Malformed::NotCanonical);
    assert_eq!(ReleaseFile::decode(&longer).unwrap_err(), refused);
    let mut endless = vec![0x9f];
    endless.extend_from_slice(&bytes[1..]);
    endless.push(0xff);
    assert!(ReleaseFile::decode(&endless).is_err());
}

/// The objects of a made file, to be put together in other ways.
fn with_objects<T>(
    change: impl FnOnce(&[u8], Vec<FileObject<'_>>) -> Result<T, FileError>,
) -> Result<T, FileError> {
    let bytes = made(SUITES[0]);
    let file = ReleaseFile::decode(&bytes).unwrap();
    let objects = file.objects().map(|(_, object)| *object).collect();
    change(file.envelope(), objects)
}

fn objects_changed(change: impl FnOnce(&mut Vec<FileObject<'_>>)) -> Result<(), FileError> {
    with_objects(|envelope, mut objects| {
        change(&mut objects);
        ReleaseFile::new(envelope, objects).map(|_| ())
    })
}

#[test]
fn missing_and_surplus_objects_are_refused() {
    let missing = objects_changed(|objects| objects.truncate(2));
    let count = |got| {
        let encodings = 3;
        Err(FileError::Objects { got, encodings })
    };
    assert_eq!(missing, count(2));
    assert_eq!(
        objects_changed(|objects| objects.push(objects[0])),
        count(4)
    );
}

#[test]
fn mixed_and_matched_objects_are_refused() {
    let swapped = objects_changed(|objects| objects.swap(0, 1));
    assert!(matches!(swapped, Err(FileError::ObjectSize { .. })));
    let list = objects_changed(|objects| objects[1].list = objects[2].list);
    assert!(matches!(list, Err(FileError::ListDigest(_))));
}

#[test]
fn truncated_and_oversized_parts_are_refused_by_name() {
    for more in [false, true] {
        let cut = |bytes: &'static mut Vec<u8>| match more {
            true => {
                bytes.push(0);
                &bytes[..]
            }
            false => &bytes[1..],
        };
        let ciphertext = objects_changed(|objects| {
            objects[0].ciphertext = cut(Box::leak(Box::new(objects[0].ciphertext.to_vec())));
        });
        assert!(matches!(ciphertext, Err(FileError::ObjectSize { .. })));
        let list = objects_changed(|objects| {
            objects[0].list = cut(Box::leak(Box::new(objects[0].list.to_vec())));
        });
        assert!(matches!(list, Err(FileError::ListSize { .. })));
    }
    let envelope = with_objects(|envelope, objects| {
        ReleaseFile::new(&envelope[..envelope.len() - 1], objects).map(|_| ())
    });
    assert!(matches!(envelope, Err(FileError::Envelope(_))));
}

#[test]
fn a_list_that_is_signed_but_says_what_its_object_is_not_is_refused() {
    let image = image();
    let key = ContentKey::new([7; 32]);
    let mut sealed = SealedObject::new(SUITES[0], &key, [1; 8], None, &image).unwrap();
    sealed.list[40] ^= 1;
    sealed.encoding.list = Hash::of(&[&sealed.list]);
    let refused = assembled(&image, &[(&sealed, &key)]);
    let object = sealed.encoding.object;
    let expected = FileError::Sector { object, sector: 1 };
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn an_object_that_is_signed_under_another_digest_is_refused() {
    let image = image();
    let key = ContentKey::new([7; 32]);
    let mut sealed = SealedObject::new(SUITES[0], &key, [1; 8], None, &image).unwrap();
    sealed.encoding.object = Hash([9; 32]);
    let refused = assembled(&image, &[(&sealed, &key)]).unwrap_err();
    assert_eq!(refused, FileError::ObjectDigest(Hash([9; 32])));
}

#[test]
fn a_key_that_serves_two_objects_is_refused() {
    let image = image();
    let key = ContentKey::new([7; 32]);
    let base = Some(Hash([1; 32]));
    let whole = SealedObject::new(SUITES[0], &key, [1; 8], None, &image).unwrap();
    let delta = SealedObject::new(SUITES[0], &key, [2; 8], base, b"delta").unwrap();
    let refused = assembled(&image, &[(&whole, &key), (&delta, &key)]);
    let expected = FileError::ReusedKey(delta.encoding.object);
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn a_whole_that_holds_another_payload_is_not_opened() {
    let image = image();
    let key = ContentKey::new([7; 32]);
    let other = vec![0; image.len()];
    let sealed = SealedObject::new(SUITES[0], &key, [1; 8], None, &other).unwrap();
    let bytes = assembled(&image, &[(&sealed, &key)]).unwrap();
    let file = ReleaseFile::decode(&bytes).unwrap();
    let refused = file.open(0, &fleet_key()).unwrap_err();
    assert_eq!(refused, Unopened::OtherContent(sealed.encoding.object));
}

/// A file of these objects whose release says that `image` is the payload.
fn assembled(image: &[u8], objects: &[(&SealedObject, &ContentKey)]) -> Result<Vec<u8>, FileError> {
    let parts = Parts {
        image_bytes: image.len() as u32,
        config_bytes: 0,
        layout_bytes: 0,
    };
    let encodings: Vec<Encoding> = objects.iter().map(|(one, _)| one.encoding).collect();
    let payload = Hash::of(&[image]);
    let release = Release::new(CLASS, 1, "1", SUITES[0], payload, parts, &encodings).unwrap();
    let envelope = Fleet::new(SUITES[0]).sign(&release, &[]);
    let objects = objects.iter().map(|(one, key)| FileObject {
        ciphertext: &one.ciphertext,
        list: &one.list,
        key: fleet_key().wrap(&one.encoding.object, key),
    });
    ReleaseFile::new(&envelope, objects.collect()).map(|file| file.to_bytes())
}

#[test]
fn an_envelope_whose_signers_signed_another_manifest_is_refused() {
    let (one, other) = (made(SUITES[0]), {
        let image = image();
        let mut draft = draft(SUITES[0], &image, &[]);
        draft.security_counter = 6;
        draft.seal(&fleet_key(), entropy()).unwrap()
    });
    let (one, other) = (
        ReleaseFile::decode(&one).unwrap(),
        ReleaseFile::decode(&other).unwrap(),
    );
    let mixed = crate::support::bytes_of(&ww_release::release::SignedRelease::new(
        *one.release(),
        *other.signed().approved(),
    ));
    let objects = one.objects().map(|(_, object)| *object).collect();
    let refused = ReleaseFile::new(&mixed, objects).unwrap_err();
    assert_eq!(refused, FileError::OtherManifest);
}

#[test]
fn a_wrapped_key_that_is_not_the_object_s_is_not_taken_for_it() {
    let image = image();
    let [key, other] = [7, 8].map(|byte| ContentKey::new([byte; 32]));
    let sealed = SealedObject::new(SUITES[0], &key, [1; 8], None, &image).unwrap();
    let bytes = assembled(&image, &[(&sealed, &other)]).unwrap();
    let file = ReleaseFile::decode(&bytes).unwrap();
    let refused = file.key(0, &fleet_key()).err();
    assert_eq!(refused, Some(Unopened::WrongKey(sealed.encoding.object)));
}

#[test]
fn a_draft_that_breaks_a_rule_makes_no_file() {
    let image = image();
    let refused = |draft: Draft<'_>| match draft.seal(&fleet_key(), entropy()) {
        Err(Unmade::Release(Malformed::Expected(rule))) => rule,
        other => panic!("{other:?}"),
    };
    let mut wrong = draft(SUITES[0], &image, &[]);
    wrong.version = "1.0 beta";
    assert!(refused(wrong).starts_with("a version"));
    let nothing = draft(SUITES[0], &[], &[]);
    assert_eq!(refused(nothing), "an image");
    let twice = [deltas()[0]; 2];
    let wrong = draft(SUITES[0], &image, &twice);
    assert!(refused(wrong).contains("each once"));
    let many: Vec<_> = (0..8)
        .map(|base| Delta {
            base: Hash([base; 32]),
            bytes: b"d",
        })
        .collect();
    assert_eq!(refused(draft(SUITES[0], &image, &many)), "up to 7 deltas");
}

#[test]
fn without_randomness_there_is_no_file() {
    let image = image();
    let none = |_: &mut [u8]| Err(io::Error::other("none"));
    let refused = draft(SUITES[0], &image, &[]).seal(&fleet_key(), none);
    assert!(matches!(refused, Err(Unmade::Entropy(_))));
}
