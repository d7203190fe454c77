//! Which image starts. Two slots hold one each; the confirmed one is not touched while the other is
//! new, and starts again whenever the new one fails. What is decided stands in two sectors, each a
//! log of numbered states of its own: a cut leaves the state before or the one after, and a sector that
//! rots leaves the other.

use embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind};
use ww_wire::{Hash, ResetReason};

use crate::flash::{
    Checksum, FlashFailure, Operation, SECTOR_BYTES, erase, holds, programmed_bytes, read, write,
};

/// Sectors of the boot state: two copies.
pub const BOOT_SECTORS: u32 = 2;

/// How often a new image may crash or be ended by a watchdog before the old one starts again.
pub const CRASHES: u8 = 3;

/// How often the supply may fail under a new image: more than crashes, since an image is not to blame
/// for every one, and not without end, since it is for some.
pub const BROWN_OUTS: u8 = 8;

/// Bytes of one state in its log.
const ENTRY_BYTES: usize = 128;

/// Where the checksum of a state stands.
const CHECKSUM_AT: usize = ENTRY_BYTES - 4;

/// First bytes of every state: version 1 of the format.
const MAGIC: [u8; 4] = *b"WWB1";

/// Where an image lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// The one that is not this.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// What lies in the slot that is not confirmed: fetched, verified, and to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The release that it is of.
    pub release: Hash,
    /// SHA-256 of the payload in the slot.
    pub payload: Hash,
    /// How long that is.
    pub payload_bytes: u32,
    /// The security counter that holds once it is confirmed.
    pub security_counter: u32,
}

/// Why a new image was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The slot no longer holds what was verified.
    Image,
    /// It crashed, or a watchdog ended it, too often.
    Crashes,
    /// The supply failed under it too often.
    BrownOuts,
    /// Its start could not be counted, so another image started.
    Uncounted,
    /// It found that the sensor does not answer.
    Sensor,
    /// It found that the key does not sign.
    Signer,
    /// It found that the queue cannot be read.
    Queue,
    /// It did not reach the gateway.
    Unreached,
    /// It found that the time makes no sense.
    Time,
}

impl Fault {
    const ALL: [Self; 9] = [
        Self::Image,
        Self::Crashes,
        Self::BrownOuts,
        Self::Uncounted,
        Self::Sensor,
        Self::Signer,
        Self::Queue,
        Self::Unreached,
        Self::Time,
    ];

    const fn number(self) -> u8 {
        match self {
            Self::Image => 1,
            Self::Crashes => 2,
            Self::BrownOuts => 3,
            Self::Sensor => 4,
            Self::Signer => 5,
            Self::Queue => 6,
            Self::Unreached => 7,
            Self::Time => 8,
            Self::Uncounted => 9,
        }
    }

    fn numbered(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.number() == number)
    }
}

/// What becomes of the slot that is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing: it may be written to.
    Settled,
    /// It starts next.
    Armed(Candidate),
    /// It was started and is not confirmed.
    Trial {
        /// What is tried.
        candidate: Candidate,
        /// How often it crashed.
        crashes: u8,
        /// How often the supply failed under it.
        brown_outs: u8,
    },
    /// What was tried is the confirmed one now, and nobody was told yet. The slot may be written to.
    Confirmed(Candidate),
    /// It was given up; it may be written to.
    RolledBack {
        /// What was given up.
        candidate: Candidate,
        /// Why.
        fault: Fault,
        /// Whether somebody was told.
        is_reported: bool,
    },
}

/// What is decided about the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootState {
    /// The slot that starts unless the other is to be tried.
    pub confirmed: Slot,
    /// What was confirmed never had a higher one, and nothing with a lower one is tried.
    pub security_counter: u32,
    /// What becomes of the other slot.
    pub phase: Phase,
}

impl BootState {
    /// As a device is made: its first image is in slot A.
    pub const NEW: Self = Self {
        confirmed: Slot::A,
        security_counter: 0,
        phase: Phase::Settled,
    };

    fn with(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }
}

/// Why the state is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BootError {
    /// Neither copy could be written.
    #[error(transparent)]
    Flash(#[from] FlashFailure),
    /// Its security counter is lower than what was confirmed.
    #[error("security counter {offered} is below {confirmed}, which was confirmed")]
    CounterTooLow {
        /// That of the candidate.
        offered: u32,
        /// The one that holds.
        confirmed: u32,
    },
    /// Something is armed or tried already, or nothing is.
    #[error("the other slot is not as this needs it")]
    WrongPhase,
}

/// The boot state and where it stands on the flash.
#[derive(Clone, Copy, Debug)]
pub struct BootStore {
    first_sector: u32,
    number: u32,
    state: BootState,
    /// Which copies have this state.
    held: [bool; BOOT_SECTORS as usize],
}

impl BootStore {
    /// Reads the newest state of both copies. Where neither has one, the device is new.
    ///
    /// # Errors
    /// The [`FlashFailure`] of a read, when neither copy could be read.
    pub fn mount<F: NorFlash>(flash: &mut F, first_sector: u32) -> Result<Self, FlashFailure> {
        let copies = [0, 1].map(|copy| newest(flash, (first_sector + copy) * SECTOR_BYTES));
        if let [Err(failure), Err(_)] = copies {
            return Err(failure);
        }
        let of_copy = |copy: &Result<_, _>| copy.ok().flatten().unwrap_or((0, BootState::NEW));
        let found = [of_copy(&copies[0]), of_copy(&copies[1])];
        let (number, state) = if found[1].0 > found[0].0 {
            found[1]
        } else {
            found[0]
        };
        Ok(Self {
            first_sector,
            number,
            state,
            held: found.map(|(held, _)| held == number),
        })
    }

    /// What is decided.
    #[must_use]
    pub const fn state(&self) -> &BootState {
        &self.state
    }

    /// Has the candidate start next.
    ///
    /// # Errors
    /// Any [`BootError`].
    pub fn arm<F: NorFlash>(
        &mut self,
        flash: &mut F,
        candidate: Candidate,
    ) -> Result<(), BootError> {
        let (offered, confirmed) = (candidate.security_counter, self.state.security_counter);
        if offered < confirmed {
            return Err(BootError::CounterTooLow { offered, confirmed });
        }
        match self.state.phase {
            Phase::Settled | Phase::Confirmed(_) | Phase::RolledBack { .. } => {
                self.store(flash, self.state.with(Phase::Armed(candidate)))
            }
            Phase::Armed(_) | Phase::Trial { .. } => Err(BootError::WrongPhase),
        }
    }

    /// Says which slot starts, after a reset for this reason. It starts nothing that it could not
    /// count: where the state cannot be written, the confirmed image starts. `is_whole` says whether a
    /// slot holds what its candidate is, byte for byte.
    pub fn start<F: NorFlash>(
        &mut self,
        flash: &mut F,
        reset: ResetReason,
        is_whole: impl FnOnce(&mut F, Slot, &Candidate) -> bool,
    ) -> Slot {
        let confirmed = self.state.confirmed;
        let next = match self.state.phase {
            Phase::Settled | Phase::Confirmed(_) | Phase::RolledBack { .. } => return confirmed,
            Phase::Armed(candidate) if is_whole(flash, confirmed.other(), &candidate) => {
                Phase::Trial {
                    candidate,
                    crashes: 0,
                    brown_outs: 0,
                }
            }
            Phase::Armed(candidate) => given_up(candidate, Fault::Image),
            Phase::Trial {
                candidate,
                crashes,
                brown_outs,
            } => counted(candidate, crashes, brown_outs, reset),
        };
        let is_decided =
            next == self.state.phase || self.store(flash, self.state.with(next)).is_ok();
        match next {
            Phase::Trial { .. } if is_decided => confirmed.other(),
            _ => confirmed,
        }
    }

    /// Makes the image on trial the confirmed one, and its security counter the one that holds.
    ///
    /// # Errors
    /// [`BootError::WrongPhase`], [`BootError::Flash`].
    pub fn confirm<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), BootError> {
        let Phase::Trial { candidate, .. } = self.state.phase else {
            return Err(BootError::WrongPhase);
        };
        let confirmed = BootState {
            confirmed: self.state.confirmed.other(),
            security_counter: self.state.security_counter.max(candidate.security_counter),
            phase: Phase::Confirmed(candidate),
        };
        self.store(flash, confirmed)
    }

    /// Gives the image on trial, or the one that is to start next, up for this fault; the next start is the
    /// confirmed one's.
    ///
    /// # Errors
    /// [`BootError::WrongPhase`], [`BootError::Flash`].
    pub fn roll_back<F: NorFlash>(&mut self, flash: &mut F, fault: Fault) -> Result<(), BootError> {
        let (Phase::Armed(candidate) | Phase::Trial { candidate, .. }) = self.state.phase else {
            return Err(BootError::WrongPhase);
        };
        self.store(flash, self.state.with(given_up(candidate, fault)))
    }

    /// Keeps that somebody was told what became of the last candidate.
    ///
    /// # Errors
    /// [`BootError::WrongPhase`] when there is nothing to tell, [`BootError::Flash`].
    pub fn reported<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), BootError> {
        let next = match self.state.phase {
            Phase::Confirmed(_) => Phase::Settled,
            Phase::RolledBack {
                candidate,
                fault,
                is_reported: false,
            } => Phase::RolledBack {
                candidate,
                fault,
                is_reported: true,
            },
            _ => return Err(BootError::WrongPhase),
        };
        self.store(flash, self.state.with(next))
    }

    /// Writes a state after the newest of each copy, first to the one that lags behind. One copy is
    /// enough for it to hold.
    fn store<F: NorFlash>(&mut self, flash: &mut F, state: BootState) -> Result<(), BootError> {
        let number = self.number.saturating_add(1);
        let entry = encoded(number, &state);
        let order = if self.held[0] { [1, 0] } else { [0, 1] };
        let mut failure = None;
        let mut written = [false; BOOT_SECTORS as usize];
        for copy in order {
            // What this copy has may be all that there is of the newest state.
            let other = 1 - copy;
            let may_erase = written[other] || self.held[other];
            let start = (self.first_sector + copy as u32) * SECTOR_BYTES;
            match append(flash, start, &entry, may_erase) {
                Ok(()) => written[copy] = true,
                Err(failed) => {
                    self.held[copy] = false;
                    failure = Some(failed);
                }
            }
        }
        // What failed may stand there all the same: the next state has a number above it.
        self.number = number;
        match failure {
            Some(failure) if written == [false; 2] => Err(failure.into()),
            _ => {
                (self.state, self.held) = (state, written);
                Ok(())
            }
        }
    }
}

/// What follows from one more start of an image on trial. Whoever cuts the power is not to blame it
/// for; whatever else ended it before it was confirmed is counted.
fn counted(candidate: Candidate, crashes: u8, brown_outs: u8, reset: ResetReason) -> Phase {
    let (crashes, brown_outs) = match reset {
        ResetReason::PowerOn | ResetReason::Wake => (crashes, brown_outs),
        ResetReason::BrownOut => (crashes, brown_outs.saturating_add(1)),
        ResetReason::Unknown
        | ResetReason::Watchdog
        | ResetReason::Crash
        | ResetReason::Requested
        | ResetReason::Update => (crashes.saturating_add(1), brown_outs),
    };
    let fault = if crashes >= CRASHES {
        Fault::Crashes
    } else if brown_outs >= BROWN_OUTS {
        Fault::BrownOuts
    } else {
        return Phase::Trial {
            candidate,
            crashes,
            brown_outs,
        };
    };
    given_up(candidate, fault)
}

/// What is left of a candidate that failed, before anybody was told.
const fn given_up(candidate: Candidate, fault: Fault) -> Phase {
    Phase::RolledBack {
        candidate,
        fault,
        is_reported: false,
    }
}

/// The newest state of the copy at `start`. What was cut while it was written has no valid checksum.
fn newest<F: NorFlash>(
    flash: &mut F,
    start: u32,
) -> Result<Option<(u32, BootState)>, FlashFailure> {
    let mut found: Option<(u32, BootState)> = None;
    for at in (start..start + SECTOR_BYTES).step_by(ENTRY_BYTES) {
        let mut entry = [0; ENTRY_BYTES];
        read(flash, at, &mut entry)?;
        if let Some((number, state)) = decoded(&entry)
            && found.is_none_or(|(newest, _)| number > newest)
        {
            found = Some((number, state));
        }
    }
    Ok(found)
}

/// Writes an entry after all that was ever written to the copy at `start`, or erases it when it is
/// full, and if it may.
fn append<F: NorFlash>(
    flash: &mut F,
    start: u32,
    entry: &[u8; ENTRY_BYTES],
    may_erase: bool,
) -> Result<(), FlashFailure> {
    let refused = |attempted, offset| FlashFailure {
        attempted,
        offset,
        kind: NorFlashErrorKind::Other,
    };
    let used = programmed_bytes(flash, start, start + SECTOR_BYTES)?;
    let mut at = start + used.next_multiple_of(ENTRY_BYTES as u32);
    if at == start + SECTOR_BYTES {
        if !may_erase {
            return Err(refused(Operation::Erase, start));
        }
        erase(flash, start)?;
        at = start;
    }
    write(flash, at, entry)?;
    match holds(flash, at, entry)? {
        true => Ok(()),
        false => Err(refused(Operation::Write, at)),
    }
}

fn encoded(number: u32, state: &BootState) -> [u8; ENTRY_BYTES] {
    let none = Candidate {
        release: Hash::ZERO,
        payload: Hash::ZERO,
        payload_bytes: 0,
        security_counter: 0,
    };
    let (phase, candidate, counts, fault) = match state.phase {
        Phase::Settled => (0, none, [0, 0], 0),
        Phase::Armed(candidate) => (1, candidate, [0, 0], 0),
        Phase::Trial {
            candidate,
            crashes,
            brown_outs,
        } => (2, candidate, [crashes, brown_outs], 0),
        Phase::Confirmed(candidate) => (4, candidate, [0, 0], 0),
        Phase::RolledBack {
            candidate,
            fault,
            is_reported,
        } => (3, candidate, [u8::from(is_reported), 0], fault.number()),
    };
    let confirmed = match state.confirmed {
        Slot::A => 0,
        Slot::B => 1,
    };
    let mut entry = [0; ENTRY_BYTES];
    entry[..4].copy_from_slice(&MAGIC);
    entry[4..8].copy_from_slice(&number.to_be_bytes());
    entry[8..13].copy_from_slice(&[confirmed, phase, counts[0], counts[1], fault]);
    entry[16..20].copy_from_slice(&state.security_counter.to_be_bytes());
    entry[20..24].copy_from_slice(&candidate.security_counter.to_be_bytes());
    entry[24..28].copy_from_slice(&candidate.payload_bytes.to_be_bytes());
    entry[28..60].copy_from_slice(&candidate.payload.0);
    entry[60..92].copy_from_slice(&candidate.release.0);
    let checksum = Checksum::new().with(&entry[..CHECKSUM_AT]).finish();
    entry[CHECKSUM_AT..].copy_from_slice(&checksum);
    entry
}

fn decoded(entry: &[u8; ENTRY_BYTES]) -> Option<(u32, BootState)> {
    let (body, checksum) = entry.split_at(CHECKSUM_AT);
    if !body.starts_with(&MAGIC) || Checksum::new().with(body).finish() != *checksum {
        return None;
    }
    let number = |at: usize| {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&body[at..at + 4]);
        u32::from_be_bytes(bytes)
    };
    let hash = |at: usize| {
        let mut hash = Hash::ZERO;
        hash.0.copy_from_slice(&body[at..at + 32]);
        hash
    };
    let candidate = Candidate {
        release: hash(60),
        payload: hash(28),
        payload_bytes: number(24),
        security_counter: number(20),
    };
    let phase = match body[9] {
        0 => Phase::Settled,
        1 => Phase::Armed(candidate),
        2 => Phase::Trial {
            candidate,
            crashes: body[10],
            brown_outs: body[11],
        },
        3 => Phase::RolledBack {
            candidate,
            fault: Fault::numbered(body[12])?,
            is_reported: body[10] == 1,
        },
        4 => Phase::Confirmed(candidate),
        _ => return None,
    };
    let confirmed = match body[8] {
        0 => Slot::A,
        1 => Slot::B,
        _ => return None,
    };
    let state = BootState {
        confirmed,
        security_counter: number(16),
        phase,
    };
    Some((number(4), state))
}
