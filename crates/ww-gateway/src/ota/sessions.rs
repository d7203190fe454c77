//! The newest question of each device, which is its session: in memory, and behind that in the store.
//! A question is answered before its row is written; what a crash loses is asked again. Of two gateways
//! on one store, the one that wrote last has the newest, so a session that is written already is looked up
//! in its row.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use ww_api::ProblemKind;
use ww_release::assignment::Nonce;
use ww_release::question::{ProvenQuestion, Question};
use ww_store::{DeviceQuestion, InstallationId};
use ww_wire::UtcMillis;

use crate::error::{Failure, Result};
use crate::state::Shared;

/// Questions before the newest that are known again, by a part of their nonces.
const EARLIER: usize = 32;

/// Bytes of that part: a device chooses 16, so that one of its new nonces is taken for an old one once
/// in a hundred million questions, and it asks again then.
const PART: usize = 4;

/// Questions that are written in one transaction.
const ROWS_AT_ONCE: usize = 4_096;

/// The newest question of a device.
#[derive(Clone, Debug)]
pub(crate) struct Newest {
    /// What it said.
    pub(crate) question: Question,
    /// The server's part of the session.
    pub(crate) server_nonce: Nonce,
    /// When it came.
    pub(crate) asked: Option<UtcMillis>,
    bytes: Vec<u8>,
    earlier: Vec<u8>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    newest: HashMap<InstallationId, Newest>,
    /// Whose row is behind.
    unwritten: HashSet<InstallationId>,
}

impl Newest {
    fn of(stored: DeviceQuestion) -> Option<Self> {
        Some(Self {
            question: *ProvenQuestion::decode(&stored.question).ok()?.claimed(),
            server_nonce: stored.server_nonce,
            asked: stored.asked,
            bytes: stored.question,
            earlier: stored.earlier,
        })
    }

    fn stored(&self, installation: InstallationId) -> DeviceQuestion {
        DeviceQuestion {
            installation,
            device_nonce: self.question.nonce,
            server_nonce: self.server_nonce,
            question: self.bytes.clone(),
            earlier: self.earlier.clone(),
            asked: self.asked,
        }
    }

    /// Whether a nonce is that of a question before the newest.
    fn has_seen(&self, nonce: &Nonce) -> bool {
        let mut parts = self.earlier.chunks_exact(PART);
        parts.any(|part| part == &nonce[..PART])
    }

    /// By which this question and those before it are known again.
    fn seen(&self) -> Vec<u8> {
        let mut seen = self.question.nonce[..PART].to_vec();
        seen.extend_from_slice(&self.earlier);
        seen.truncate(EARLIER * PART);
        seen
    }
}

impl Sessions {
    /// Takes a question that is proven, and gives the server's part of its session. The same bytes again go
    /// on with the same session; a question that came before the newest is told so.
    pub(crate) async fn begin(
        &self,
        gateway: &Shared,
        installation: InstallationId,
        question: &Question,
        bytes: &[u8],
        server_nonce: Nonce,
    ) -> Result<Nonce> {
        let is_held = self.lock().newest.contains_key(&installation);
        let stored = match is_held {
            true => None,
            false => gateway.store.firmware_question(installation).await?,
        };
        let mut held = self.lock();
        if let Some(stored) = stored.and_then(Newest::of) {
            held.newest.entry(installation).or_insert(stored);
        }
        let known = held.newest.get(&installation);
        if let Some(known) = known {
            if known.bytes == bytes {
                return Ok(known.server_nonce);
            }
            if known.question.nonce == question.nonce || known.has_seen(&question.nonce) {
                return Err(superseded());
            }
        }
        let newest = Newest {
            question: *question,
            server_nonce,
            asked: gateway.now(),
            bytes: bytes.to_vec(),
            earlier: known.map(Newest::seen).unwrap_or_default(),
        };
        held.newest.insert(installation, newest);
        held.unwritten.insert(installation);
        drop(held);
        gateway.ota.questions_wait.notify_one();
        Ok(server_nonce)
    }

    /// The server's part of the session that this nonce of the device's is of.
    ///
    /// # Errors
    /// `session-superseded` when it is not the newest.
    pub(crate) async fn server_nonce(
        &self,
        gateway: &Shared,
        installation: InstallationId,
        nonce: &Nonce,
    ) -> Result<Nonce> {
        let unwritten = {
            let held = self.lock();
            let is_unwritten = held.unwritten.contains(&installation);
            held.newest
                .get(&installation)
                .filter(|_| is_unwritten)
                .map(|newest| (newest.question.nonce, newest.server_nonce))
        };
        let newest = match unwritten {
            Some(newest) => Some(newest),
            None => gateway
                .store
                .firmware_question(installation)
                .await?
                .map(|stored| (stored.device_nonce, stored.server_nonce)),
        };
        match newest {
            Some((newest, server_nonce)) if newest == *nonce => Ok(server_nonce),
            _ => Err(superseded()),
        }
    }

    /// The newest question, as far as it is in memory.
    pub(crate) fn newest(&self, installation: InstallationId) -> Option<Newest> {
        self.lock().newest.get(&installation).cloned()
    }

    /// Writes what is unwritten, many rows at a time.
    pub(crate) async fn write(&self, gateway: &Shared) {
        while self.write_some(gateway).await {}
    }

    /// Whether there may be more to write.
    async fn write_some(&self, gateway: &Shared) -> bool {
        let rows: Vec<_> = {
            let held = self.lock();
            let of = |id: &InstallationId| Some(held.newest.get(id)?.stored(*id));
            let unwritten = held.unwritten.iter().take(ROWS_AT_ONCE);
            unwritten.filter_map(of).collect()
        };
        let is_full = rows.len() == ROWS_AT_ONCE;
        if rows.is_empty() {
            return false;
        }
        let written: Vec<_> = rows
            .iter()
            .map(|row| (row.installation, row.device_nonce))
            .collect();
        if let Err(error) = gateway.store.put_firmware_questions(rows).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "questions of devices were not written; they are tried again with the next"
            );
            return false;
        }
        let mut held = self.lock();
        for (installation, nonce) in written {
            let newest = held.newest.get(&installation);
            // One that came meanwhile is still to be written.
            if newest.is_some_and(|newest| newest.question.nonce == nonce) {
                held.unwritten.remove(&installation);
            }
        }
        is_full
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

fn superseded() -> Failure {
    Failure::new(
        ProblemKind::SessionSuperseded,
        "this is not the newest question of the device",
    )
    .field("nonce")
}
