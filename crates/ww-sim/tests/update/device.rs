//! A device that updates itself on a simulated chip: boot loader, agent, and a loop that carries requests
//! to the gateway. Time passes only where it waits.

use std::collections::HashMap;

use embedded_storage::nor_flash::{NorFlash as _, ReadNorFlash as _};
use ww_device::now::Now;
use ww_device::update::agent::{
    Agent, Conditions, Diagnostics, Identity, Request, Settings, Step, Tools, Workspace,
};
use ww_device::update::boot::{BootState, BootStore, Slot};
use ww_device::update::layout::UpdateLayout;
use ww_device::update::slot::holds_payload;
use ww_device::update::trust::RootStore;
use ww_device::verifier::SoftwareVerifier;
use ww_release::key::Verifier;
use ww_release::question::UpdateState;
use ww_release::secret::DeviceSecret;
use ww_sim::flash::{FlashHandle, NorFlashModel};
use ww_sim::random::Random;
use ww_wire::{BootCounter, Hash, PublicKey, Record, ResetReason, Sign1, Signature, UptimeMillis};

use crate::gateway::{CLASS, DEVICE, Gateway, Reply, SECRET};

/// Checks each signature once: thousands of starts check the same ones.
#[derive(Clone, Default)]
pub(crate) struct Remembering(HashMap<(Vec<u8>, Hash, Vec<u8>), bool>);

impl Verifier for Remembering {
    fn es256(&mut self, key: &PublicKey, digest: &Hash, signature: &Signature) -> bool {
        let question = (key.0.to_vec(), *digest, signature.bytes().to_vec());
        let answer = self.0.entry(question);
        *answer.or_insert_with(|| SoftwareVerifier.es256(key, digest, signature))
    }
}

/// What meddles with an answer before the device gets it.
pub(crate) type Meddler<'a> = dyn FnMut(Request, &mut Reply) + 'a;

pub(crate) struct Device {
    pub(crate) flash: FlashHandle,
    pub(crate) layout: UpdateLayout,
    pub(crate) agent: Option<Agent>,
    pub(crate) slot: Slot,
    pub(crate) running: Hash,
    pub(crate) now: u64,
    pub(crate) conditions: Conditions,
    pub(crate) settings: Settings,
    pub(crate) verifier: Remembering,
    pub(crate) restarts: u32,
    /// What a boot loader could start, with its digest.
    known: Vec<(Vec<u8>, Hash)>,
    workspace: Workspace,
    random: Random,
    /// Bytes of an answer that arrive together.
    pub(crate) piece: usize,
    /// Questions that were asked without that any time passed.
    asked_at: (u64, u32),
}

/// Conditions under which everything works.
pub(crate) const FINE: Conditions = Conditions {
    is_paused: false,
    is_brown_out: false,
    diagnostics: Diagnostics::PASSED,
};

impl Device {
    /// A device as it is made: the first payload in slot A, the first root, and nothing else.
    pub(crate) fn new(gateway: &Gateway, slot_sectors: u32, known: &[&[u8]]) -> Self {
        let layout = UpdateLayout::in_a_row(0, slot_sectors);
        let mut chip = NorFlashModel::new(layout.end() as usize);
        let mut image = known[0].to_vec();
        image.resize(image.len().next_multiple_of(4), 0xff);
        chip.write(layout.slot_offset(Slot::A), &image).unwrap();
        RootStore::mount(&mut chip, layout.root)
            .store(&mut chip, 1, &gateway.first_root())
            .unwrap();
        Self::on(chip, layout, known)
    }

    /// A device on a chip that was used before.
    pub(crate) fn on(chip: NorFlashModel, layout: UpdateLayout, known: &[&[u8]]) -> Self {
        let mut device = Self {
            flash: FlashHandle::new(chip),
            layout,
            agent: None,
            slot: Slot::A,
            running: Hash::ZERO,
            now: 0,
            conditions: FINE,
            settings: Settings::DEFAULT,
            verifier: Remembering::default(),
            restarts: 0,
            known: known
                .iter()
                .map(|payload| (payload.to_vec(), Hash::of(&[payload])))
                .collect(),
            workspace: Workspace::new(),
            random: Random::new(5),
            piece: 700,
            asked_at: (0, 0),
        };
        device.restart(ResetReason::PowerOn);
        device
    }

    /// What lies in a slot, if it is one of the payloads that there are.
    pub(crate) fn payload_in(&self, slot: Slot) -> Option<Hash> {
        let offset = self.layout.slot_offset(slot);
        let known = self.known.iter();
        let mut held = known.filter(|(payload, _)| self.holds(offset, payload));
        held.next().map(|(_, digest)| *digest)
    }

    fn running_bytes(&self) -> u32 {
        let mut known = self.known.iter();
        let running = known.find(|(_, digest)| *digest == self.running);
        running.map_or(0, |(payload, _)| payload.len() as u32)
    }

    /// Whether the chip has these bytes there.
    pub(crate) fn holds(&self, offset: u32, bytes: &[u8]) -> bool {
        let mut held = [0; 256];
        self.flash.with(|chip| {
            (offset..)
                .step_by(held.len())
                .zip(bytes.chunks(held.len()))
                .all(|(offset, bytes)| {
                    let held = &mut held[..bytes.len().next_multiple_of(4)];
                    chip.read(offset, held).unwrap();
                    held.starts_with(bytes)
                })
        })
    }

    pub(crate) fn boot_state(&self) -> BootState {
        *BootStore::mount(&mut self.flash.clone(), self.layout.boot)
            .unwrap()
            .state()
    }

    /// Restarts: the boot loader chooses, and what it starts must be whole.
    pub(crate) fn restart(&mut self, reset: ResetReason) {
        self.restarts += 1;
        self.flash.with(|chip| chip.restore_power());
        self.now = 0;
        let layout = self.layout;
        loop {
            self.agent = None;
            let mut flash = self.flash.clone();
            let mut boot = BootStore::mount(&mut flash, layout.boot).unwrap();
            self.slot = boot.start(&mut flash, reset, |flash, slot, candidate| {
                holds_payload(flash, &layout, slot, candidate)
            });
            let running = self.payload_in(self.slot);
            self.running = running.expect("what starts is a payload that was signed, and whole");
            let identity = Identity {
                device: DEVICE,
                class: CLASS,
                running: self.running,
                running_bytes: self.running_bytes(),
            };
            let (settings, secret) = (self.settings, DeviceSecret::new(DEVICE, SECRET));
            let mounted = self.with_tools(|tools| {
                Agent::mount(
                    tools,
                    layout,
                    identity,
                    secret,
                    settings,
                    UptimeMillis::ZERO,
                )
            });
            match mounted {
                Ok(agent) => {
                    self.agent = Some(agent);
                    return;
                }
                // The power went while it started: it starts again.
                Err(_) => self.flash.with(|chip| chip.restore_power()),
            }
        }
    }

    fn with_tools<R>(
        &mut self,
        act: impl FnOnce(&mut Tools<'_, FlashHandle, Remembering>) -> R,
    ) -> R {
        let mut flash = self.flash.clone();
        let random = &mut self.random;
        let mut fill = |bytes: &mut [u8]| random.fill(bytes);
        let mut tools = Tools {
            flash: &mut flash,
            verifier: &mut self.verifier,
            workspace: &mut self.workspace,
            random: &mut fill,
        };
        act(&mut tools)
    }

    fn with_agent<R>(
        &mut self,
        act: impl FnOnce(&mut Agent, &mut Tools<'_, FlashHandle, Remembering>, UptimeMillis) -> R,
    ) -> R {
        let mut agent = self.agent.take().unwrap();
        let now = UptimeMillis::new(self.now).unwrap();
        let result = self.with_tools(|tools| act(&mut agent, tools, now));
        self.agent = Some(agent);
        result
    }

    pub(crate) fn agent(&self) -> &Agent {
        self.agent.as_ref().unwrap()
    }

    pub(crate) fn state(&self) -> UpdateState {
        self.agent().progress().state
    }

    /// Does one thing; a power cut restarts the device.
    pub(crate) fn step(
        &mut self,
        gateway: &mut Gateway,
        meddle: &mut Meddler<'_>,
    ) -> Option<Request> {
        let conditions = self.conditions;
        let step = self.with_agent(|agent, tools, now| agent.next(tools, conditions, now));
        let mut sent = None;
        match step {
            Step::Wait => {
                let deadline = self.agent().deadline().get();
                self.now = self.now.max(deadline);
            }
            Step::Continue => {}
            Step::Send(request) => {
                sent = Some(request);
                self.note(request);
                let body = self.body(request);
                let mut reply = gateway.answer(request, &body);
                meddle(request, &mut reply);
                self.take(&reply);
            }
            Step::Restart => self.restart(ResetReason::Update),
        }
        if !self.flash.with(|chip| chip.is_powered()) {
            self.restart(ResetReason::PowerOn);
        }
        sent
    }

    /// Whatever it is answered, a device that asks again has waited, but for what it learnt from the answer.
    fn note(&mut self, request: Request) {
        if request == Request::Check {
            let (at, times) = self.asked_at;
            let times = if at == self.now { times + 1 } else { 1 };
            assert!(times <= 4, "{times} questions at once");
            self.asked_at = (self.now, times);
        }
    }

    /// Starts the agent under this payload, whatever the boot state says.
    pub(crate) fn mount_under(&mut self, running: Hash) {
        self.running = running;
        self.now = 0;
        let identity = Identity {
            device: DEVICE,
            class: CLASS,
            running,
            running_bytes: self.running_bytes(),
        };
        let (layout, settings) = (self.layout, self.settings);
        let secret = DeviceSecret::new(DEVICE, SECRET);
        let mounted = self.with_tools(|tools| {
            Agent::mount(
                tools,
                layout,
                identity,
                secret,
                settings,
                UptimeMillis::ZERO,
            )
        });
        self.agent = Some(mounted.unwrap());
    }

    pub(crate) fn body(&self, request: Request) -> Vec<u8> {
        match request {
            Request::Check | Request::Verify => {
                let mut body = [0; 256];
                let len = self.agent().question(&mut body);
                body[..len].to_vec()
            }
            Request::Complete => {
                let now = Now::unsynchronised(UptimeMillis::new(self.now).unwrap());
                let boot = BootCounter::new(1).unwrap();
                let report = self.agent().report(boot, now).unwrap();
                let payload = report.encode().unwrap();
                let signature = Signature::from_low_s([1; 64]).unwrap();
                let sign1 = Sign1 {
                    payload: &payload,
                    signature,
                };
                sign1.encode().unwrap().to_vec()
            }
            _ => Vec::new(),
        }
    }

    /// Takes an answer in pieces. Status 0 stands for no connection.
    fn take(&mut self, (status, body): &Reply) {
        if *status == 0 {
            self.with_agent(|agent, tools, now| agent.unreachable(tools, now));
            return;
        }
        let status = *status;
        if !self.with_agent(|agent, tools, now| agent.answer_begins(tools, status, now)) {
            return;
        }
        for piece in body.chunks(self.piece) {
            if !self.with_agent(|agent, tools, now| agent.answer_bytes(tools, piece, now)) {
                return;
            }
        }
        self.with_agent(|agent, tools, now| agent.answer_ends(tools, now));
    }

    /// Sends the next request and answers it with a byte every so many milliseconds, until the device does
    /// not wait any longer; counts them.
    pub(crate) fn dribble(&mut self, every_ms: u64, bytes: &mut u32) {
        let conditions = self.conditions;
        let next = |device: &mut Self| {
            device.with_agent(|agent, tools, now| agent.next(tools, conditions, now))
        };
        while !matches!(next(self), Step::Send(_)) {
            self.now = self.now.max(self.agent().deadline().get());
        }
        self.with_agent(|agent, tools, now| agent.answer_begins(tools, 200, now));
        loop {
            self.now += every_ms;
            let step = next(self);
            assert_eq!(step, Step::Wait);
            if !self.with_agent(|agent, tools, now| agent.answer_bytes(tools, &[0], now)) {
                return;
            }
            *bytes += 1;
        }
    }

    /// Goes on until `is_done`, or panics after many steps.
    pub(crate) fn run(
        &mut self,
        gateway: &mut Gateway,
        meddle: &mut Meddler<'_>,
        mut is_done: impl FnMut(&Self, &Gateway) -> bool,
    ) {
        for _ in 0..20_000 {
            if is_done(self, gateway) {
                return;
            }
            self.step(gateway, meddle);
        }
        panic!("after many steps it is at {:?}", self.agent().progress());
    }

    /// Goes on until a payload runs, is confirmed, and the gateway was told.
    pub(crate) fn run_until_confirmed(&mut self, gateway: &mut Gateway, payload: Hash) {
        self.run(gateway, &mut |_, _| {}, |device, gateway| {
            device.running == payload
                && device.state() == UpdateState::Idle
                && !gateway.reports.is_empty()
        });
    }
}
