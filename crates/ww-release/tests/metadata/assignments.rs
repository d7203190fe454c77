//! What one device is to do now.

use ww_release::assignment::{Assignment, Batch, Nonce, SignedAssignment, Stage, leaf};
use ww_release::signatures::{Distrust, Domain};
use ww_wire::merkle::{inclusion_proof, root};
use ww_wire::{Hash, MeterId, SignerId};

use crate::support::{Fleet, Person, SUITES, Software, bytes_of, with_all};

const DEVICE: MeterId = SignerId([0xde; 32]);
const ASKED: Nonce = [0x0a; 16];

fn assignment(device: u8, stage: Stage) -> Assignment {
    Assignment {
        device: SignerId([device; 32]),
        device_nonce: ASKED,
        server_nonce: [0x5e; 16],
        root_number: 3,
        stage,
        release: Some(Hash([0xda; 32])),
    }
}

/// One of a batch of 100 devices, signed.
fn signed(of_whom: &Assignment, by: &[&Person]) -> Vec<u8> {
    let mut batch: Vec<_> = (0..100)
        .map(|device| assignment(device, Stage::Fetch))
        .collect();
    batch[41] = *of_whom;
    let leaves: Vec<_> = batch.iter().map(leaf).collect();
    let content = Batch {
        size: 100,
        root: root(&leaves),
    }
    .content();
    let signatures: Vec<_> = by
        .iter()
        .map(|one| one.sign(Domain::Assignment, &content))
        .collect();
    let proof = inclusion_proof(&leaves, 41).unwrap();
    let path: Vec<u8> = proof.hashes().iter().flat_map(|hash| hash.0).collect();
    bytes_of(&SignedAssignment::new(
        *of_whom,
        41,
        &path,
        with_all(&content, &signatures),
    ))
}

fn trust(bytes: &[u8], fleet: &Fleet, asked: &Nonce) -> Result<Stage, Distrust> {
    let signed = SignedAssignment::decode(bytes).unwrap();
    let root = fleet.root(3);
    signed
        .trust(&root, DEVICE, asked, &mut Software)
        .map(|assignment| assignment.stage)
}

#[test]
fn an_assignment_answers_its_device_s_question_from_a_batch_of_many() {
    let fleet = Fleet::new(SUITES[0]);
    for stage in [Stage::Hold, Stage::Fetch, Stage::Arm] {
        let bytes = signed(&assignment(0xde, stage), &[&fleet.assignment[0]]);
        assert_eq!(trust(&bytes, &fleet, &ASKED), Ok(stage));
    }
}

#[test]
fn an_old_go_and_that_of_another_device_are_worth_nothing() {
    let fleet = Fleet::new(SUITES[0]);
    let online = [&fleet.assignment[0]];
    let go = signed(&assignment(0xde, Stage::Arm), &online);
    assert_eq!(trust(&go, &fleet, &[0x0b; 16]), Err(Distrust::NotFresh));
    let of_another = signed(&assignment(0xdf, Stage::Arm), &online);
    let refused = trust(&of_another, &fleet, &ASKED);
    assert_eq!(refused, Err(Distrust::OtherDevice));
}

#[test]
fn an_assignment_of_an_older_or_a_newer_root_is_refused() {
    let fleet = Fleet::new(SUITES[0]);
    for assigned in [2, 4] {
        let go = Assignment {
            root_number: assigned,
            ..assignment(0xde, Stage::Arm)
        };
        let refused = trust(&signed(&go, &[&fleet.assignment[0]]), &fleet, &ASKED);
        let trusted = 3;
        assert_eq!(refused, Err(Distrust::OtherRoot { assigned, trusted }));
    }
}

#[test]
fn nobody_but_the_assignment_keys_assigns() {
    let fleet = Fleet::new(SUITES[0]);
    let go = assignment(0xde, Stage::Arm);
    for stranger in [&fleet.root[0], &fleet.release[0], &Person::numbered(77)] {
        let refused = trust(&signed(&go, &[stranger]), &fleet, &ASKED);
        assert_eq!(refused, Err(Distrust::Stranger(stranger.id())));
    }
    assert!(trust(&signed(&go, &[]), &fleet, &ASKED).is_err());
}

#[test]
fn every_flipped_bit_of_an_assignment_is_refused() {
    let fleet = Fleet::new(SUITES[0]);
    let bytes = signed(&assignment(0xde, Stage::Fetch), &[&fleet.assignment[0]]);
    let root = fleet.root(3);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = SignedAssignment::decode(&flipped) {
            let trusted = read.trust(&root, DEVICE, &ASKED, &mut Software);
            assert!(trusted.is_err(), "bit {bit}");
        }
    }
}

#[test]
fn a_place_in_a_batch_that_has_none_is_refused() {
    let fleet = Fleet::new(SUITES[0]);
    let alone = assignment(0xde, Stage::Fetch);
    let content = Batch {
        size: 0,
        root: leaf(&alone),
    }
    .content();
    let signature = [fleet.assignment[0].sign(Domain::Assignment, &content)];
    let bytes = bytes_of(&SignedAssignment::new(
        alone,
        0,
        &[],
        with_all(&content, &signature),
    ));
    assert_eq!(trust(&bytes, &fleet, &ASKED), Err(Distrust::NotInBatch));
}
