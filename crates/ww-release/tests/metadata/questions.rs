//! What a device asks and is answered.

use std::collections::HashSet;

use ww_release::canonical::Malformed;
use ww_release::cipher::ContentKey;
use ww_release::question::{
    Answer, AnsweredKey, MAX_ANSWER, MAX_QUESTION, Obstacle, ProvenQuestion, Question, UpdateState,
};
use ww_release::release::HardwareClass;
use ww_release::secret::DeviceSecret;
use ww_wire::{Hash, MeterId, SignerId, UpdateObstacle};

use crate::support::bytes_of;

const DEVICE: MeterId = SignerId([0xde; 32]);

fn question() -> Question {
    Question {
        device: DEVICE,
        nonce: [0x0a; 16],
        root_number: 3,
        class: HardwareClass([0xcc; 16]),
        running: Hash([0x11; 32]),
        security_counter: 4,
        state: UpdateState::Fetching,
        obstacle: Obstacle::NoAnswer,
        release: Some(Hash([0xda; 32])),
        done_bytes: 40_960,
        total_bytes: 1_043_072,
    }
}

fn secret() -> DeviceSecret {
    DeviceSecret::new(DEVICE, [0x5e; 32])
}

#[test]
fn a_question_is_read_as_it_was_asked_and_proven_by_its_device() {
    let bytes = bytes_of(&ProvenQuestion::new(question(), &secret()));
    assert!(bytes.len() <= MAX_QUESTION, "{} bytes", bytes.len());
    let read = ProvenQuestion::decode(&bytes).unwrap();
    assert_eq!(read.prove(&secret()), Some(question()));
    assert_eq!(read.prove(&DeviceSecret::new(DEVICE, [0x5f; 32])), None);
}

#[test]
fn every_flipped_bit_of_a_question_is_refused() {
    let bytes = bytes_of(&ProvenQuestion::new(question(), &secret()));
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let proven = ProvenQuestion::decode(&flipped).ok();
        assert_eq!(proven.and_then(|read| read.prove(&secret())), None);
    }
}

#[test]
fn the_longest_question_and_answer_have_room() {
    let longest = Question {
        root_number: u32::MAX,
        security_counter: u32::MAX,
        done_bytes: u32::MAX,
        total_bytes: u32::MAX,
        ..question()
    };
    assert!(bytes_of(&ProvenQuestion::new(longest, &secret())).len() <= MAX_QUESTION);
    let assignment = vec![0; ww_release::assignment::MAX_ASSIGNMENT];
    let key = Some(AnsweredKey {
        object: Hash([1; 32]),
        wrapped: [2; 40],
    });
    let bytes = bytes_of(&Answer::new(&assignment, [key, key]));
    assert!(bytes.len() <= MAX_ANSWER, "{} bytes", bytes.len());
}

#[test]
fn nobody_has_fetched_more_than_there_is() {
    let more = Question {
        done_bytes: 2,
        total_bytes: 1,
        ..question()
    };
    let bytes = bytes_of(&ProvenQuestion::new(more, &secret()));
    let rule = Malformed::Expected("no more bytes fetched than there are");
    assert_eq!(ProvenQuestion::decode(&bytes).err(), Some(rule));
}

#[test]
fn an_answer_brings_the_keys_that_its_device_unwraps() {
    let object = Hash([0xc0; 32]);
    let wrapped = secret().wrap(&object, &ContentKey::new([9; 32]));
    let key = AnsweredKey { object, wrapped };
    for keys in [[None, None], [Some(key), None], [None, Some(key)]] {
        let bytes = bytes_of(&Answer::new(b"assignment", keys));
        let read = Answer::decode(&bytes).unwrap();
        assert_eq!(read.assignment, b"assignment");
        let read: Vec<_> = read.keys().copied().collect();
        assert_eq!(read, keys.into_iter().flatten().collect::<Vec<_>>());
    }
    let unwrapped = secret().unwrap(&object, &wrapped).unwrap();
    assert_eq!(*unwrapped.bytes(), [9; 32]);
}

#[test]
fn states_and_obstacles_have_a_number_and_a_name_each() {
    let states: HashSet<_> = UpdateState::ALL.iter().map(|one| one.number()).collect();
    assert_eq!(states.len(), UpdateState::ALL.len());
    let numbers: HashSet<_> = Obstacle::ALL.iter().map(|one| one.number()).collect();
    let names: HashSet<_> = Obstacle::ALL.iter().map(|one| one.name()).collect();
    assert_eq!(numbers.len(), Obstacle::ALL.len());
    assert_eq!(names.len(), Obstacle::ALL.len());
}

#[test]
fn questions_and_reports_name_the_same_obstacles() {
    let asked = Obstacle::ALL
        .iter()
        .map(|each| (each.number(), each.name()));
    let reported = UpdateObstacle::ALL
        .iter()
        .map(|each| (*each as u8, each.name()));
    assert!(asked.eq(reported));
    for obstacle in Obstacle::ALL {
        assert_eq!(UpdateObstacle::from(*obstacle) as u8, obstacle.number());
    }
}
