//! The part of a virtual meter that updates itself: a boot loader, two slots on a flash, and the product's
//! own update agent, whose requests somebody carries to a gateway. What an image does, its first bytes say:
//! there is no chip here that runs it.

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use ww_device::flash::FlashFailure;
use ww_device::now::Now;
use ww_device::update::agent::{
    Agent, Conditions, Identity, MountError, Progress, Request, Settings, Step, Tools, Workspace,
};
use ww_device::update::boot::{BootError, BootStore, Phase, Slot};
use ww_device::update::layout::UpdateLayout;
use ww_device::update::slot::holds_payload;
use ww_device::update::trust::{RootError, RootStore};
use ww_release::key::Verifier;
use ww_release::question::MAX_QUESTION;
use ww_release::release::HardwareClass;
use ww_release::secret::{DeviceSecret, SECRET_BYTES};
use ww_wire::{Hash, MeterId, ResetReason, UpdateReport, UptimeMillis};
use zeroize::Zeroizing;

use crate::flash::{FlashError, FlashHandle, NorFlashModel, SECTOR_BYTES};
use crate::random::Random;

/// What a virtual meter is made with.
pub struct Make<'a> {
    /// The image in slot A.
    pub image: &'a [u8],
    /// The bytes of the root that it trusts, without their signatures.
    pub root: &'a [u8],
    /// That root's number.
    pub root_number: u32,
    /// The meter's id.
    pub device: MeterId,
    /// Its hardware.
    pub class: HardwareClass,
    /// What it shares with its gateway.
    pub secret: Zeroizing<[u8; SECRET_BYTES]>,
    /// How it updates itself.
    pub settings: Settings,
    /// Sectors of each slot.
    pub slot_sectors: u32,
    /// Seed of its randomness.
    pub seed: u64,
}

/// Why one cannot be made or started.
#[derive(Debug, thiserror::Error)]
pub enum UpdaterError {
    /// The image does not fit the slot, or the chip has no power.
    #[error("the first image cannot be written")]
    Image(#[from] FlashError),
    /// The root cannot be written.
    #[error("the root cannot be written")]
    Root(#[from] RootError),
    /// The boot state cannot be read.
    #[error("the boot state cannot be read")]
    Boot(#[from] FlashFailure),
    /// The agent does not start.
    #[error("the update agent does not start")]
    Agent(#[from] MountError),
    /// What was armed cannot be started.
    #[error("the boot state cannot be changed")]
    State(#[from] BootError),
}

/// Whoever carries requests to a gateway.
pub trait Carrier {
    /// The status and the body of the answer; `None` when there is no connection.
    fn carry(&mut self, request: Request, body: &[u8]) -> Option<(u16, Vec<u8>)>;

    /// The report as the meter signs it.
    fn sign(&mut self, report: &UpdateReport) -> Option<Vec<u8>>;

    /// What the next report says of the meter: how often it started.
    fn boot(&self) -> ww_wire::BootCounter;
}

/// The image in a slot, as the image says it of itself.
#[derive(Clone, Copy, Debug)]
struct Image {
    payload: Hash,
    bytes: u32,
}

/// A device's slots, its boot loader and its agent.
pub struct Updater {
    flash: FlashHandle,
    layout: UpdateLayout,
    device: MeterId,
    class: HardwareClass,
    secret: Zeroizing<[u8; SECRET_BYTES]>,
    settings: Settings,
    images: [Image; 2],
    slot: Slot,
    agent: Agent,
    workspace: Box<Workspace>,
    random: Random,
}

impl Updater {
    /// Makes a device: writes its first image and its root, and starts it.
    ///
    /// # Errors
    /// Any [`UpdaterError`].
    pub fn new<V: Verifier>(make: Make<'_>, verifier: &mut V) -> Result<Self, UpdaterError> {
        let layout = UpdateLayout::in_a_row(0, make.slot_sectors);
        let mut flash = FlashHandle::new(NorFlashModel::new(layout.end() as usize));
        let mut image = make.image.to_vec();
        image.resize(image.len().next_multiple_of(4), 0xff);
        flash.write(layout.slot_offset(Slot::A), &image)?;
        RootStore::mount(&mut flash, layout.root).store(&mut flash, make.root_number, make.root)?;
        let first = Image {
            payload: Hash::of(&[make.image]),
            bytes: make.image.len() as u32,
        };
        let mut random = Random::new(make.seed);
        let mut workspace = Box::new(Workspace::new());
        let identity = Identity {
            device: make.device,
            class: make.class,
            running: first.payload,
            running_bytes: first.bytes,
        };
        let agent = Agent::mount(
            &mut Tools {
                flash: &mut flash,
                verifier,
                workspace: &mut workspace,
                random: &mut |bytes| random.fill(bytes),
            },
            layout,
            identity,
            DeviceSecret::new(make.device, *make.secret),
            make.settings,
            UptimeMillis::ZERO,
        )?;
        Ok(Self {
            flash,
            layout,
            device: make.device,
            class: make.class,
            secret: make.secret,
            settings: make.settings,
            images: [first; 2],
            slot: Slot::A,
            agent,
            workspace,
            random,
        })
    }

    /// Restarts: the boot loader says which image starts.
    ///
    /// # Errors
    /// Any [`UpdaterError`].
    pub fn restart<V: Verifier>(
        &mut self,
        reset: ResetReason,
        verifier: &mut V,
    ) -> Result<(), UpdaterError> {
        let mut boot = BootStore::mount(&mut self.flash, self.layout.boot)?;
        let other = boot.state().confirmed.other();
        if let Phase::Armed(candidate) = boot.state().phase {
            self.images[other as usize] = Image {
                payload: candidate.payload,
                bytes: candidate.payload_bytes,
            };
        }
        let layout = self.layout;
        self.slot = boot.start(&mut self.flash, reset, |flash, slot, candidate| {
            holds_payload(flash, &layout, slot, candidate)
        });
        let running = self.images[self.slot as usize];
        let identity = Identity {
            device: self.device,
            class: self.class,
            running: running.payload,
            running_bytes: running.bytes,
        };
        let random = &mut self.random;
        self.agent = Agent::mount(
            &mut Tools {
                flash: &mut self.flash,
                verifier,
                workspace: &mut self.workspace,
                random: &mut |bytes| random.fill(bytes),
            },
            layout,
            identity,
            DeviceSecret::new(self.device, *self.secret),
            self.settings,
            UptimeMillis::ZERO,
        )?;
        Ok(())
    }

    /// SHA-256 of the payload that runs.
    #[must_use]
    pub fn running(&self) -> Hash {
        self.images[self.slot as usize].payload
    }

    /// The security counter that holds.
    #[must_use]
    pub fn security_counter(&mut self) -> u32 {
        BootStore::mount(&mut self.flash, self.layout.boot)
            .map_or(0, |boot| boot.state().security_counter)
    }

    /// The first bytes of the image that runs.
    #[must_use]
    pub fn head(&mut self) -> [u8; 256] {
        let mut head = [0xff; 256];
        let offset = self.layout.slot_offset(self.slot);
        // A slot that cannot be read says nothing.
        let _ = self.flash.read(offset, &mut head);
        head
    }

    /// How far an update is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.agent.progress()
    }

    /// Does what is due; whether the device is to be restarted.
    pub fn run<V: Verifier>(
        &mut self,
        now: Now,
        conditions: Conditions,
        verifier: &mut V,
        carrier: &mut dyn Carrier,
    ) -> bool {
        loop {
            match self.step(now, conditions, verifier, carrier) {
                Step::Wait if self.agent.deadline() > now.uptime() => return false,
                Step::Wait | Step::Continue | Step::Send(_) => {}
                Step::Restart => return true,
            }
            if conditions.is_paused || conditions.is_brown_out {
                return false;
            }
        }
    }

    fn step<V: Verifier>(
        &mut self,
        now: Now,
        conditions: Conditions,
        verifier: &mut V,
        carrier: &mut dyn Carrier,
    ) -> Step {
        let random = &mut self.random;
        let mut tools = Tools {
            flash: &mut self.flash,
            verifier,
            workspace: &mut self.workspace,
            random: &mut |bytes| random.fill(bytes),
        };
        let agent = &mut self.agent;
        let uptime = now.uptime();
        let step = agent.next(&mut tools, conditions, uptime);
        let Step::Send(request) = step else {
            return step;
        };
        let answer =
            body_of(agent, request, now, carrier).and_then(|body| carrier.carry(request, &body));
        let Some((status, body)) = answer else {
            agent.unreachable(&mut tools, uptime);
            return step;
        };
        if agent.answer_begins(&mut tools, status, uptime) {
            let mut pieces = body.chunks(SECTOR_BYTES);
            if pieces.all(|piece| agent.answer_bytes(&mut tools, piece, uptime)) {
                agent.answer_ends(&mut tools, uptime);
            }
        }
        step
    }
}

/// What a request brings with it; `None` when it cannot be signed now.
fn body_of(
    agent: &Agent,
    request: Request,
    now: Now,
    carrier: &mut dyn Carrier,
) -> Option<Vec<u8>> {
    match request {
        Request::Check | Request::Verify => {
            let mut body = [0; MAX_QUESTION];
            let len = agent.question(&mut body);
            Some(body[..len].to_vec())
        }
        Request::Complete => {
            let report = agent.report(carrier.boot(), now)?;
            carrier.sign(&report)
        }
        Request::Root { .. } | Request::Release { .. } | Request::Chunk { .. } => Some(Vec::new()),
    }
}
