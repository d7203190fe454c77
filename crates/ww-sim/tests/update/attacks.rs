//! Attacks by name on the real agent: whoever holds the network, a mirror, another device's secret, an old
//! release or the assignment key. None of them has anything started that enough release keys did not sign
//! for this hardware, nor anything older than what was confirmed.

use std::cell::Cell;

use proptest::prelude::*;
use ww_device::update::agent::Request;
use ww_device::update::boot::{Phase, Slot};
use ww_release::assignment::{Assignment, Nonce, SignedAssignment, Stage};
use ww_release::key::Suite;
use ww_release::question::{Answer, Obstacle, UpdateState};
use ww_release::release::HardwareClass;
use ww_release::secret::{DeviceSecret, RECORD_BYTES};
use ww_sim::random::Random;
use ww_wire::{Hash, SignerId, UpdateObstacle, UpdateOutcome};

use crate::device::{Device, Meddler};
use crate::gateway::{DEVICE, Gateway, Made, Reply, SECRET, Spec, answer_by, payload};
use crate::journey::{SUITES, honest, made};
use crate::people::{People, Person};

/// One record with its tag, as it travels.
const FRAME: usize = RECORD_BYTES + 8;

/// Lets the device go on against this adversary until it has stopped for the obstacle, and sees that
/// nothing was started and that the slot that runs is as it was.
fn withstands(
    gateway: &mut Gateway,
    device: &mut Device,
    obstacle: Obstacle,
    meddle: &mut Meddler<'_>,
) {
    let running = device.running;
    device.run(gateway, meddle, |device, _| {
        assert_eq!(device.running, running);
        device.agent().progress().obstacle == obstacle
    });
    for _ in 0..40 {
        device.step(gateway, meddle);
        assert_eq!(device.running, running);
    }
    assert_eq!(device.payload_in(device.slot), Some(running));
    assert!(!matches!(
        device.boot_state().phase,
        Phase::Armed(_) | Phase::Trial { .. }
    ));
}

/// As [`withstands`], and the device says for good that it will not have it.
fn refuses(gateway: &mut Gateway, device: &mut Device, obstacle: UpdateObstacle) {
    let running = device.running;
    device.run(gateway, &mut honest, |device, gateway| {
        assert_eq!(device.running, running);
        !gateway.reports.is_empty()
    });
    let report = gateway.reports.pop().unwrap();
    assert_eq!(
        (report.outcome, report.obstacle),
        (UpdateOutcome::Refused, obstacle)
    );
    assert_eq!(device.boot_state().phase, Phase::Settled);
}

fn small(suite: Suite) -> (Gateway, Device, Made) {
    made(suite, 20_000)
}

/// Changes the body of answers to these requests.
fn on(
    wanted: impl Fn(Request) -> bool,
    mut change: impl FnMut(&mut Vec<u8>),
) -> impl FnMut(Request, &mut Reply) {
    move |request, reply| {
        if wanted(request) && reply.0 == 200 {
            change(&mut reply.1);
        }
    }
}

/// The assignment in an answer to a question.
fn assigned_in(reply: &Reply) -> Assignment {
    let answer = Answer::decode(&reply.1).unwrap();
    let signed = SignedAssignment::decode(answer.assignment).unwrap();
    *signed.claimed()
}

fn is_chunk(request: Request) -> bool {
    matches!(request, Request::Chunk { .. })
}

#[test]
fn rollback_to_an_older_release_is_refused_though_it_is_signed() {
    for suite in SUITES {
        let (mut gateway, mut device, newer) = small(suite);
        device.run_until_confirmed(&mut gateway, newer.payload);
        gateway.reports.clear();
        let older = Spec {
            version: "1.9.9",
            security_counter: Spec::NEXT.security_counter - 1,
            ..Spec::NEXT
        };
        let vulnerable = gateway.publish(&payload(3, 20_000), older, &[]);
        gateway.assigned = Some(vulnerable.digest);
        device
            .agent
            .as_mut()
            .unwrap()
            .check_now(ww_wire::UptimeMillis::ZERO);
        refuses(&mut gateway, &mut device, UpdateObstacle::CounterTooLow);
        assert_eq!(device.boot_state().security_counter, 5);
    }
}

#[test]
fn freeze_by_old_answers_is_known_at_the_next_question() {
    let (mut gateway, mut device, _) = small(Suite::Es256Aes256Ctr);
    let release = gateway.assigned.take();
    let mut first = None;
    let mut frozen = |request: Request, reply: &mut Reply| {
        if request == Request::Check {
            *reply = first.get_or_insert_with(|| reply.clone()).clone();
        }
    };
    device.run(&mut gateway, &mut frozen, |_, gateway| {
        !gateway.questions.is_empty()
    });
    gateway.assigned = release;
    withstands(&mut gateway, &mut device, Obstacle::Untrusted, &mut frozen);
}

#[test]
fn indefinite_replay_of_an_assignment_starts_and_fetches_nothing() {
    let (mut gateway, mut device, made) = small(Suite::Es256Aes256Ctr);
    let mut kept: Option<Reply> = None;
    device.run(
        &mut gateway,
        &mut |request, reply| {
            if request == Request::Check {
                kept = Some(std::mem::take(reply));
            }
        },
        |_, gateway| gateway.questions.len() == 1,
    );
    let kept = kept.unwrap();
    let mut fetched = 0;
    withstands(
        &mut gateway,
        &mut device,
        Obstacle::Untrusted,
        &mut |request, reply| match request {
            Request::Check => *reply = kept.clone(),
            _ => fetched += 1,
        },
    );
    assert_eq!(fetched, 0);
    device.run_until_confirmed(&mut gateway, made.payload);
}

#[test]
fn mix_and_match_of_two_signed_releases_does_not_come_together() {
    for suite in SUITES {
        let (mut gateway, mut device, made) = small(suite);
        let other = Spec {
            version: "2.0.1",
            ..Spec::NEXT
        };
        let other = gateway.publish(&payload(4, 20_000), other, &[]);
        // The envelope of one, where the other was assigned.
        let envelope = gateway.releases[&other.digest].clone();
        withstands(
            &mut gateway,
            &mut device,
            Obstacle::Untrusted,
            &mut on(
                |request| matches!(request, Request::Release { .. }),
                |body| body.clone_from(&envelope),
            ),
        );
        // The manifest of one with the signatures of the other.
        let mine = gateway.releases[&made.digest].clone();
        let (head, _) = split_at_manifest(&mine);
        let (_, manifest) = split_at_manifest(&envelope);
        let mixed = [head, manifest].concat();
        withstands(
            &mut gateway,
            &mut device,
            Obstacle::Untrusted,
            &mut on(
                |request| matches!(request, Request::Release { .. }),
                |body| body.clone_from(&mixed),
            ),
        );
    }
}

/// An envelope's bytes before its manifest, and from there on. The manifest's key in the map is 3.
fn split_at_manifest(envelope: &[u8]) -> (&[u8], &[u8]) {
    let common = [0xa5, 0x01, 0x01, 0x02];
    let at = envelope
        .windows(4)
        .position(|bytes| bytes == common)
        .unwrap();
    // Key 3, and a head of three bytes of a string that is 256 bytes or longer.
    envelope.split_at(at - 4)
}

#[test]
fn endless_data_is_cut_off_at_the_longest_that_there_can_be() {
    for request in [
        |request| request == Request::Check,
        |request| matches!(request, Request::Release { .. }),
    ] {
        let (mut gateway, mut device, _) = small(Suite::Es256Aes256Ctr);
        withstands(
            &mut gateway,
            &mut device,
            Obstacle::Malformed,
            &mut on(request, |body| body.resize(1 << 20, 0)),
        );
    }
    // An object that does not end is taken up to its end, and that is enough.
    let (mut gateway, mut device, made) = small(Suite::Es256Aes256Ctr);
    device.run(
        &mut gateway,
        &mut on(is_chunk, |body| body.resize(body.len() + (1 << 20), 0)),
        |device, _| device.running == made.payload,
    );
}

#[test]
fn wrong_hardware_class_is_refused_though_it_is_signed() {
    for suite in SUITES {
        let (mut gateway, mut device, _) = small(suite);
        let class = HardwareClass([0xcd; 16]);
        let other = gateway.publish(
            &payload(4, 20_000),
            Spec {
                class,
                ..Spec::NEXT
            },
            &[],
        );
        gateway.assigned = Some(other.digest);
        refuses(&mut gateway, &mut device, UpdateObstacle::OtherHardware);
    }
}

#[test]
fn stolen_assignment_key_and_server_install_nothing_that_the_thresholds_did_not_sign() {
    for suite in SUITES {
        // One release key signed it, where two must; and nobody; and the assignment key itself.
        for signers in [&[0][..], &[]] {
            let (mut gateway, mut device, _) = small(suite);
            let own = gateway.publish_signed(&payload(4, 20_000), Spec::NEXT, &[], signers);
            gateway.assigned = Some(own.digest);
            withstands(&mut gateway, &mut device, Obstacle::Untrusted, &mut honest);
        }
    }
    let (mut gateway, mut device, _) = small(Suite::Es256Aes256Ctr);
    gateway.people.release = vec![Person::numbered(31), Person::numbered(31)];
    let own = gateway.publish_signed(&payload(4, 20_000), Spec::NEXT, &[], &[0]);
    gateway.assigned = Some(own.digest);
    withstands(&mut gateway, &mut device, Obstacle::Untrusted, &mut honest);
}

#[test]
fn a_key_that_is_no_assignment_key_assigns_nothing() {
    let (mut gateway, mut device, _) = small(Suite::Es256Aes256Ctr);
    gateway.people.assignment = vec![Person::numbered(21)];
    withstands(&mut gateway, &mut device, Obstacle::Untrusted, &mut honest);
}

#[test]
fn fast_forward_of_the_counter_holds_only_once_a_signed_image_was_confirmed() {
    let (mut gateway, mut device, _) = small(Suite::Es256Aes256Ctr);
    let far = Spec {
        security_counter: u32::MAX,
        ..Spec::NEXT
    };
    // Whoever is not enough release keys cannot raise it.
    let own = gateway.publish_signed(&payload(4, 20_000), far, &[], &[2]);
    gateway.assigned = Some(own.digest);
    withstands(&mut gateway, &mut device, Obstacle::Untrusted, &mut honest);
    assert_eq!(device.boot_state().security_counter, 0);
    // An image that was signed and does not work leaves it as it was.
    let signed = gateway.publish(&payload(2, 20_000), far, &[]);
    gateway.assigned = Some(signed.digest);
    device.conditions.diagnostics.signer = false;
    device.run(&mut gateway, &mut honest, |_, gateway| {
        !gateway.reports.is_empty()
    });
    assert_eq!(device.boot_state().security_counter, 0);
}

#[test]
fn rotated_root_with_too_few_signatures_is_not_followed() {
    let old = || [11, 12, 13].map(Person::numbered);
    let thieves = || {
        vec![
            Person::numbered(41),
            Person::numbered(42),
            Person::numbered(43),
        ]
    };
    for suite in SUITES {
        for signers in [
            // Of the old one only one; of the old one none; of the new one none.
            vec![
                Person::numbered(11),
                Person::numbered(41),
                Person::numbered(42),
            ],
            vec![Person::numbered(41), Person::numbered(42)],
            vec![Person::numbered(11), Person::numbered(12)],
        ] {
            let (mut gateway, mut device, _) = small(suite);
            let next = People {
                root: thieves(),
                ..People::new(suite)
            };
            gateway.rotate(next, &signers.iter().collect::<Vec<_>>());
            withstands(&mut gateway, &mut device, Obstacle::Untrusted, &mut honest);
        }
        // One number further, signed by enough: it does not follow at once.
        let (mut gateway, mut device, _) = small(suite);
        let (people, signers) = (People::new(suite), old());
        let third = People::signed_root(&people.root(3), &signers.each_ref());
        gateway.roots.push(third);
        withstands(&mut gateway, &mut device, Obstacle::Untrusted, &mut honest);
    }
}

/// Chunks whose frames were changed by `change`, in which every tag and record stays as it was sent.
fn reframed(change: impl Fn(&mut Vec<Vec<u8>>)) -> impl FnMut(&mut Vec<u8>) {
    move |body| {
        let mut frames: Vec<Vec<u8>> = body.chunks(FRAME).map(<[u8]>::to_vec).collect();
        change(&mut frames);
        *body = frames.concat();
    }
}

#[test]
fn reordered_and_skipped_records_end_the_session_and_write_nothing() {
    type Change = fn(&mut Vec<Vec<u8>>);
    let changes: [Change; 2] = [
        |frames| frames.rotate_left(1),
        |frames| {
            frames.remove(0);
        },
    ];
    for suite in SUITES {
        for change in changes {
            let (mut gateway, mut device, made) = small(suite);
            let is_object = |request| matches!(request, Request::Chunk { count, .. } if count > 2);
            let mut meddle = on(is_object, reframed(change));
            withstands(&mut gateway, &mut device, Obstacle::BadRecords, &mut meddle);
            assert_eq!(device.payload_in(Slot::B), None);
            device.run_until_confirmed(&mut gateway, made.payload);
        }
    }
}

#[test]
fn repeated_records_are_refused_each_and_what_comes_in_order_is_kept() {
    for suite in SUITES {
        let (mut gateway, mut device, made) = small(suite);
        let requests = Cell::new(0);
        let mut doubled = on(is_chunk, |body| {
            requests.set(requests.get() + 1);
            let first: Vec<u8> = body.iter().take(FRAME).copied().collect();
            body.splice(0..0, first);
        });
        device.run(&mut gateway, &mut doubled, |device, _| {
            device.running == made.payload
        });
        assert!(requests.get() >= 20, "one for each record: {requests:?}");
    }
}

#[test]
fn three_bad_records_end_a_session_and_no_more_are_asked_for_in_it() {
    let (mut gateway, mut device, _) = small(Suite::Es256Aes256Ctr);
    let (mut checks, mut chunks) = (0, 0);
    let running = device.running;
    for _ in 0..2_000 {
        device.step(&mut gateway, &mut |request, reply| match request {
            Request::Check => checks += 1,
            Request::Chunk { .. } => {
                chunks += 1;
                reply.1[3] ^= 1;
            }
            _ => {}
        });
    }
    assert_eq!(device.running, running);
    assert!(checks > 5);
    assert!(chunks <= 3 * checks, "{chunks} chunks in {checks} sessions");
}

#[test]
fn truncated_records_are_fetched_again_and_nothing_half_is_taken() {
    for suite in SUITES {
        for len in [0, 1, 7, 8, 9, 1031, 1032, 1033, 4127, 4128, 4129] {
            let (mut gateway, mut device, made) = small(suite);
            let mut times = 0;
            let mut truncate = on(is_chunk, move |body| {
                times += 1;
                if times < 4 {
                    body.truncate(len);
                }
            });
            device.run(&mut gateway, &mut truncate, |device, _| {
                device.running == made.payload
            });
        }
    }
}

#[test]
fn cross_device_replay_of_records_is_refused() {
    let (mut gateway, mut device, _) = small(Suite::Es256Aes256Ctr);
    // Another device's session: its own secret, the same nonces.
    let other = DeviceSecret::new(SignerId([0xd2; 32]), SECRET);
    let object_of = gateway.objects.clone();
    let mut nonces = (Nonce::default(), Nonce::default());
    withstands(
        &mut gateway,
        &mut device,
        Obstacle::BadRecords,
        &mut |request, reply| match request {
            Request::Check => {
                let claimed = assigned_in(reply);
                nonces = (claimed.device_nonce, claimed.server_nonce);
            }
            Request::Chunk { object, from, .. } => {
                let session = other.session(&nonces.0, &nonces.1);
                let bytes = &object_of[&object][from as usize * RECORD_BYTES..];
                reply.1 = (from..)
                    .zip(bytes.chunks(RECORD_BYTES))
                    .flat_map(|(number, record)| {
                        [&session.tag(&object, number, record)[..], record].concat()
                    })
                    .collect();
            }
            _ => {}
        },
    );
}

#[test]
fn key_of_another_device_opens_nothing() {
    for suite in SUITES {
        let (mut gateway, mut device, _) = small(suite);
        let other = DeviceSecret::new(SignerId([0xd2; 32]), [0x5f; 32]);
        let mut keys = gateway.answered(Hash::ZERO);
        for key in keys.iter_mut().flatten() {
            let content = gateway.secret.unwrap(&key.object, &key.wrapped).unwrap();
            key.wrapped = other.wrap(&key.object, &content);
        }
        let people = People::new(suite);
        withstands(
            &mut gateway,
            &mut device,
            Obstacle::WrongKey,
            &mut |request, reply| {
                if request == Request::Check {
                    let claimed = assigned_in(reply);
                    reply.1 = answer_by(&[&people.assignment[0]], &claimed, keys);
                }
            },
        );
    }
}

#[test]
fn an_assignment_for_another_device_or_another_question_is_worth_nothing() {
    for (device_id, nonce) in [(SignerId([0xd2; 32]), None), (DEVICE, Some([9; 16]))] {
        let (mut gateway, mut device, _) = small(Suite::Es256Aes256Ctr);
        let people = People::new(Suite::Es256Aes256Ctr);
        let keys = gateway.answered(Hash::ZERO);
        withstands(
            &mut gateway,
            &mut device,
            Obstacle::Untrusted,
            &mut |request, reply| {
                if request == Request::Check {
                    let claimed = assigned_in(reply);
                    let assignment = Assignment {
                        device: device_id,
                        device_nonce: nonce.unwrap_or(claimed.device_nonce),
                        ..claimed
                    };
                    reply.1 = answer_by(&[&people.assignment[0]], &assignment, keys);
                }
            },
        );
    }
}

#[test]
fn malicious_mirror_that_knows_the_session_writes_no_sector_that_was_not_signed() {
    for suite in SUITES {
        let (mut gateway, mut device, made) = small(suite);
        // Its own ciphertext, of the right length, tagged as the gateway would.
        let objects: Vec<Hash> = gateway.objects.keys().copied().collect();
        let honest_objects = gateway.objects.clone();
        for object in objects {
            let bytes = gateway.objects.get_mut(&object).unwrap();
            for sector in bytes.chunks_mut(4096) {
                sector[17] ^= 0x40;
            }
        }
        withstands(&mut gateway, &mut device, Obstacle::BadSector, &mut honest);
        assert_eq!(device.payload_in(Slot::B), None);
        assert!(gateway.questions.len() > 2, "it ends the session");
        // The list as it was signed, the sectors not.
        let lists = honest_objects
            .iter()
            .filter(|(_, bytes)| bytes.len() % 32 == 0 && bytes.len() < 400);
        for (digest, bytes) in lists {
            gateway.objects.insert(*digest, bytes.clone());
        }
        withstands(&mut gateway, &mut device, Obstacle::BadSector, &mut honest);
        let slot = device.layout.slot_offset(Slot::B);
        assert!(device.holds(slot, &[0xff; 4096]), "no sector was written");
        gateway.objects = honest_objects;
        device.run_until_confirmed(&mut gateway, made.payload);
    }
}

#[test]
fn a_session_that_somebody_else_ended_is_begun_anew() {
    // The system that this replaces kept a device out for ever once a connection was lost.
    let (mut gateway, mut device, made) = small(Suite::Es256Aes256Ctr);
    let mut times = 0;
    let mut superseded = |request: Request, reply: &mut Reply| {
        if is_chunk(request) {
            times += 1;
            if times <= 5 {
                *reply = (409, Vec::new());
            }
        }
    };
    device.run(&mut gateway, &mut superseded, |device, _| {
        device.running == made.payload
    });
}

#[test]
fn every_flipped_bit_of_every_answer_is_noticed() {
    for suite in SUITES {
        let requests: [fn(Request) -> bool; 3] = [
            |request| request == Request::Check,
            |request| matches!(request, Request::Release { .. }),
            |request| request == Request::Verify,
        ];
        for wanted in requests {
            let (mut gateway, mut device, made) = small(suite);
            let running = device.running;
            // One bit further at each answer, until all were flipped.
            let (mut bit, mut bits) = (0, 1);
            while bit < bits {
                device.step(&mut gateway, &mut |request, reply| {
                    if wanted(request) && bit < bits {
                        bits = reply.1.len() * 8;
                        reply.1[bit / 8] ^= 1 << (bit % 8);
                        bit += 1;
                    }
                });
                assert_eq!(device.running, running, "bit {bit}");
                assert!(!matches!(device.boot_state().phase, Phase::Armed(_)));
            }
            device.run_until_confirmed(&mut gateway, made.payload);
        }
    }
}

#[test]
fn a_gateway_that_dribbles_a_byte_at_a_time_does_not_hold_a_device_for_ever() {
    let (mut gateway, mut device, made) = small(Suite::Es256Aes256Ctr);
    device.run(&mut gateway, &mut honest, |device, _| {
        device.agent().progress().state == UpdateState::Fetching
    });
    // The request is out; a byte comes every 20 seconds.
    let mut dribbled = 0;
    device.dribble(20_000, &mut dribbled);
    assert!(dribbled <= 2, "{dribbled} bytes were waited for");
    device.run_until_confirmed(&mut gateway, made.payload);
}

/// What an adversary may answer with: what is honest, what was said before, parts of it, or noise.
#[derive(Clone, Debug)]
enum Move {
    Honest,
    Old(usize),
    Flip(usize),
    Truncate(usize),
    Extend(usize),
    Noise(u64, usize),
    Status(u16),
    Silence,
    Cut,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => Just(Move::Honest),
        3 => any::<usize>().prop_map(Move::Old),
        3 => any::<usize>().prop_map(Move::Flip),
        1 => any::<usize>().prop_map(Move::Truncate),
        1 => (0..5000_usize).prop_map(Move::Extend),
        1 => (any::<u64>(), 0..5000_usize).prop_map(|(seed, len)| Move::Noise(seed, len)),
        1 => prop_oneof![Just(204), Just(404), Just(409), Just(429), Just(503)].prop_map(Move::Status),
        1 => Just(Move::Silence),
        1 => Just(Move::Cut),
    ];
    prop::collection::vec(one, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The adversary holds the network and the assignment key, and has a release that one release key signed
    /// where two must.
    #[test]
    fn no_sequence_of_messages_touches_what_runs_unless_the_thresholds_signed(
        moves in moves(),
        is_assigned_unsigned in any::<bool>(),
    ) {
        let (mut gateway, mut device, _) = small(Suite::Es256Aes256Ctr);
        let unsigned = gateway.publish_signed(&payload(4, 9_000), Spec::NEXT, &[], &[1]);
        let signed = gateway.assigned;
        if is_assigned_unsigned {
            gateway.assigned = Some(unsigned.digest);
        }
        let first = device.running;
        let mut said: Vec<Vec<u8>> = Vec::new();
        let mut moves = moves.into_iter();
        let mut cut = false;
        while moves.len() > 0 {
            device.step(&mut gateway, &mut |_, reply| {
                let Some(next) = moves.next() else { return };
                said.push(reply.1.clone());
                match next {
                    Move::Honest => {}
                    Move::Old(at) => reply.1.clone_from(&said[at % said.len()]),
                    Move::Flip(at) if !reply.1.is_empty() => {
                        let bit = at % (reply.1.len() * 8);
                        reply.1[bit / 8] ^= 1 << (bit % 8);
                    }
                    Move::Flip(_) => {}
                    Move::Truncate(at) => reply.1.truncate(at % (reply.1.len() + 1)),
                    Move::Extend(len) => reply.1.resize(reply.1.len() + len, 0xa5),
                    Move::Noise(seed, len) => {
                        reply.1 = vec![0; len];
                        Random::new(seed).fill(&mut reply.1);
                    }
                    Move::Status(status) => reply.0 = status,
                    Move::Silence => *reply = (0, Vec::new()),
                    Move::Cut => cut = true,
                }
            });
            if std::mem::take(&mut cut) {
                device.restart(ww_wire::ResetReason::PowerOn);
            }
            // Every start asserts that what starts is whole; here, that it is what was signed.
            if is_assigned_unsigned {
                prop_assert_eq!(device.running, first);
                prop_assert!(!matches!(device.boot_state().phase, Phase::Armed(_)));
            }
            prop_assert_eq!(device.payload_in(device.slot), Some(device.running));
        }
        // Whatever was said, an honest gateway is believed afterwards.
        gateway.assigned = signed;
        device.restart(ww_wire::ResetReason::PowerOn);
        let new = Hash::of(&[&payload(2, 20_000)]);
        device.run(&mut gateway, &mut honest, |device, _| device.running == new);
    }
}

#[test]
fn a_stage_that_says_arm_at_a_check_starts_nothing() {
    let (mut gateway, mut device, _) = small(Suite::Es256Aes256Ctr);
    let running = device.running;
    let people = People::new(Suite::Es256Aes256Ctr);
    let keys = gateway.answered(Hash::ZERO);
    gateway.at_verify = Stage::Hold;
    device.run(
        &mut gateway,
        &mut |request, reply| {
            if request == Request::Check {
                let claimed = assigned_in(reply);
                let assignment = Assignment {
                    stage: Stage::Arm,
                    ..claimed
                };
                reply.1 = answer_by(&[&people.assignment[0]], &assignment, keys);
            }
        },
        |device, _| {
            assert_eq!(device.running, running);
            device.agent().progress().obstacle == Obstacle::Held
        },
    );
    assert_eq!(device.boot_state().phase, Phase::Settled);
}
