//! A gateway without sockets: it answers a device's requests as `/ota` does, and lets a test meddle.

use std::collections::HashMap;

use ww_device::update::agent::Request;
use ww_release::assignment::{Assignment, Batch, Nonce, SignedAssignment, Stage, leaf};
use ww_release::cipher::ContentKey;
use ww_release::key::Suite;
use ww_release::question::{Answer, AnsweredKey, ProvenQuestion, Question};
use ww_release::release::{Encoding, HardwareClass, Parts, Release};
use ww_release::sealed::SealedObject;
use ww_release::secret::{DeviceSecret, RECORD_BYTES};
use ww_release::signatures::Domain;
use ww_sim::random::Random;
use ww_wire::{Hash, MeterId, Record, Sign1, UpdateReport};

use crate::people::{People, Person, bytes_of, signed};

pub(crate) const CLASS: HardwareClass = HardwareClass([0xcc; 16]);
pub(crate) const DEVICE: MeterId = ww_wire::SignerId([0xd1; 32]);
pub(crate) const SECRET: [u8; 32] = [0x5e; 32];

/// A payload of this many bytes that looks like code: some of it repeats.
pub(crate) fn payload(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut payload = vec![0; bytes];
    for run in payload.chunks_mut(64) {
        if random.chance(0.7) {
            random.fill(run);
        } else {
            run.fill((seed % 251) as u8);
        }
    }
    payload
}

/// What a release is made of.
pub(crate) struct Made {
    pub(crate) digest: Hash,
    pub(crate) payload: Hash,
}

/// What distinguishes one release from another.
#[derive(Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) version: &'static str,
    pub(crate) security_counter: u32,
    pub(crate) class: HardwareClass,
}

impl Spec {
    pub(crate) const NEXT: Self = Self {
        version: "2.0.0",
        security_counter: 5,
        class: CLASS,
    };
}

/// An answer before it is sent: status and body.
pub(crate) type Reply = (u16, Vec<u8>);

pub(crate) struct Gateway {
    pub(crate) people: People,
    pub(crate) suite: Suite,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) releases: HashMap<Hash, Vec<u8>>,
    /// Ciphertexts and lists by their digests.
    pub(crate) objects: HashMap<Hash, Vec<u8>>,
    keys: HashMap<Hash, [u8; 32]>,
    encodings: HashMap<Hash, Vec<Encoding>>,
    /// What the device should run.
    pub(crate) assigned: Option<Hash>,
    /// How far it may go once it asks with everything fetched.
    pub(crate) at_verify: Stage,
    pub(crate) secret: DeviceSecret,
    session: Option<(Nonce, Nonce)>,
    pub(crate) questions: Vec<Question>,
    pub(crate) reports: Vec<UpdateReport>,
    pub(crate) served_bytes: usize,
    random: Random,
}

impl Gateway {
    pub(crate) fn new(suite: Suite) -> Self {
        let people = People::new(suite);
        let root = people.root(1);
        let signers: Vec<&Person> = people.root.iter().take(2).collect();
        let roots = vec![People::signed_root(&root, &signers)];
        Self {
            suite,
            roots,
            people,
            releases: HashMap::new(),
            objects: HashMap::new(),
            keys: HashMap::new(),
            encodings: HashMap::new(),
            assigned: None,
            at_verify: Stage::Arm,
            secret: DeviceSecret::new(DEVICE, SECRET),
            session: None,
            questions: Vec::new(),
            reports: Vec::new(),
            served_bytes: 0,
            random: Random::new(77),
        }
    }

    /// The first root's bytes, as a device is made with them.
    pub(crate) fn first_root(&self) -> Vec<u8> {
        bytes_of(&self.people.root(1))
    }

    /// Makes a release of a payload, signed by two, with these deltas (from which payload, and what).
    pub(crate) fn publish(
        &mut self,
        payload: &[u8],
        spec: Spec,
        deltas: &[(Hash, Vec<u8>)],
    ) -> Made {
        let signers = [0, 1];
        self.publish_signed(payload, spec, deltas, &signers)
    }

    pub(crate) fn publish_signed(
        &mut self,
        payload: &[u8],
        spec: Spec,
        deltas: &[(Hash, Vec<u8>)],
        signers: &[usize],
    ) -> Made {
        let mut plain: Vec<(Option<Hash>, &[u8])> = vec![(None, payload)];
        plain.extend(deltas.iter().map(|(base, delta)| (Some(*base), &delta[..])));
        plain[1..].sort();
        let encodings: Vec<Encoding> = plain
            .iter()
            .map(|(base, plain)| self.seal(*base, plain))
            .collect();
        let digest = Hash::of(&[payload]);
        let parts = Parts {
            image_bytes: payload.len() as u32,
            config_bytes: 0,
            layout_bytes: 0,
        };
        let Spec {
            version,
            security_counter,
            class,
        } = spec;
        let release = Release::new(
            class,
            security_counter,
            version,
            self.suite,
            digest,
            parts,
            &encodings,
        )
        .unwrap();
        let people: Vec<&Person> = signers.iter().map(|at| &self.people.release[*at]).collect();
        let envelope = People::signed_release(&release, &people);
        let made = Made {
            digest: release.digest(),
            payload: digest,
        };
        self.releases.insert(made.digest, envelope);
        self.encodings.insert(made.digest, encodings);
        made
    }

    fn seal(&mut self, base: Option<Hash>, plain: &[u8]) -> Encoding {
        let (mut key, mut nonce) = ([0; 32], [0; 8]);
        self.random.fill(&mut key);
        self.random.fill(&mut nonce);
        let sealed =
            SealedObject::new(self.suite, &ContentKey::new(key), nonce, base, plain).unwrap();
        let encoding = sealed.encoding;
        self.objects.insert(encoding.object, sealed.ciphertext);
        self.objects.insert(encoding.list, sealed.list);
        self.keys.insert(encoding.object, key);
        encoding
    }

    /// The newest root becomes one of these people, signed by these.
    pub(crate) fn rotate(&mut self, next: People, signers: &[&Person]) {
        let number = self.roots.len() as u32 + 1;
        self.roots
            .push(People::signed_root(&next.root(number), signers));
        self.people = next;
    }

    pub(crate) fn answer(&mut self, request: Request, body: &[u8]) -> Reply {
        let (status, body) = match request {
            Request::Check => self.assign(body, Stage::Fetch),
            Request::Verify => self.assign(body, self.at_verify),
            Request::Complete => {
                let report = Sign1::decode(body)
                    .ok()
                    .and_then(|sign1| UpdateReport::decode(sign1.payload).ok());
                self.reports.push(report.unwrap());
                (204, Vec::new())
            }
            Request::Root { number } => found(self.roots.get(number as usize - 1)),
            Request::Release { digest } => found(self.releases.get(&digest)),
            Request::Chunk {
                object,
                from,
                count,
                nonce,
            } => self.chunk(&object, from, count, &nonce),
        };
        self.served_bytes += body.len();
        (status, body)
    }

    fn assign(&mut self, body: &[u8], stage: Stage) -> Reply {
        let proven = ProvenQuestion::decode(body).unwrap();
        let Some(question) = proven.prove(&self.secret) else {
            return (401, Vec::new());
        };
        self.questions.push(question);
        // Another for each question, and the same for the same.
        let mut server_nonce = Nonce::default();
        server_nonce.copy_from_slice(&Hash::of(&[&question.nonce]).0[..16]);
        self.session = Some((question.nonce, server_nonce));
        let assignment = Assignment {
            device: question.device,
            device_nonce: question.nonce,
            server_nonce,
            root_number: self.roots.len() as u32,
            stage: match self.assigned {
                Some(_) => stage,
                None => Stage::Hold,
            },
            release: self.assigned,
        };
        let keys = match stage {
            Stage::Fetch => self.answered(question.running),
            Stage::Hold | Stage::Arm => [None; 2],
        };
        (200, self.signed_answer(&assignment, keys))
    }

    /// The keys of the whole and of the delta from what runs.
    pub(crate) fn answered(&self, running: Hash) -> [Option<AnsweredKey>; 2] {
        let mut keys = [None; 2];
        let encodings = self.assigned.and_then(|digest| self.encodings.get(&digest));
        let wanted = encodings
            .into_iter()
            .flatten()
            .filter(|encoding| encoding.base.is_none_or(|base| base == running));
        for (place, encoding) in keys.iter_mut().zip(wanted) {
            let object = encoding.object;
            let key = ContentKey::new(self.keys[&object]);
            let wrapped = self.secret.wrap(&object, &key);
            *place = Some(AnsweredKey { object, wrapped });
        }
        keys
    }

    /// An answer with this assignment among two others in its batch.
    pub(crate) fn signed_answer(
        &self,
        assignment: &Assignment,
        keys: [Option<AnsweredKey>; 2],
    ) -> Vec<u8> {
        let signers: Vec<&Person> = self.people.assignment.iter().collect();
        answer_by(&signers, assignment, keys)
    }

    fn chunk(&self, object: &Hash, from: u32, count: u32, nonce: &Nonce) -> Reply {
        let Some((device, server)) = self.session.filter(|(device, _)| device == nonce) else {
            return (409, Vec::new());
        };
        let Some(bytes) = self.objects.get(object) else {
            return (404, Vec::new());
        };
        let session = self.secret.session(&device, &server);
        let mut body = Vec::new();
        let records = (0..).zip(bytes.chunks(RECORD_BYTES));
        for (number, record) in records.skip(from as usize).take(count as usize) {
            body.extend_from_slice(&session.tag(object, number, record));
            body.extend_from_slice(record);
        }
        (200, body)
    }
}

/// An answer signed by these, its assignment the second of a batch of three.
pub(crate) fn answer_by(
    signers: &[&Person],
    assignment: &Assignment,
    keys: [Option<AnsweredKey>; 2],
) -> Vec<u8> {
    let others = [1, 2].map(|byte| Assignment {
        device: ww_wire::SignerId([byte; 32]),
        ..*assignment
    });
    let leaves = [leaf(&others[0]), leaf(assignment), leaf(&others[1])];
    let left = ww_wire::merkle::node_hash(&leaves[0], &leaves[1]);
    let root = ww_wire::merkle::node_hash(&left, &leaves[2]);
    let path = [leaves[0].0, leaves[2].0].concat();
    let batch = Batch { size: 3, root };
    let content = batch.content();
    let assignment = signed(Domain::Assignment, &content, signers, |approved| {
        bytes_of(&SignedAssignment::new(*assignment, 1, &path, approved))
    });
    bytes_of(&Answer::new(&assignment, keys))
}

fn found(bytes: Option<&Vec<u8>>) -> Reply {
    bytes.map_or((404, Vec::new()), |bytes| (200, bytes.clone()))
}
