//! What a Shelly energy meter is asked over HTTP for one sample, and how its answers are read into
//! units. It speaks no HTTP itself: paths go out, status codes and body bytes come in, in any
//! pieces.
//!
//! | model | requests per sample, in this order |
//! | --- | --- |
//! | Shelly EM Gen1, 3EM Gen1 | `/status` |
//! | EM1 components (Gen2 and later) | `EM1Data.GetStatus`, `EM1.GetStatus`, `Sys.GetStatus` |
//! | EM component (Gen2 and later), three phases | `EMData.GetStatus`, `EM.GetStatus`, `Sys.GetStatus` |
//!
//! From Gen2 on the MAC address and the time come with `Sys.GetStatus`; a device that refuses it is
//! asked `Shelly.GetDeviceInfo` for its MAC, and its clock counts as not given. Counters
//! (`total`, `total_returned`, `total_act_energy`, …) are **watt-hours** in every generation.
//!
//! Sources: Shelly API reference, Gen1 "Shelly EM", "Shelly 3EM"; Gen2+ "EM1", "EM1Data", "EM",
//! "EMData", "Sys", "Shelly.GetDeviceInfo".

mod answer;
mod document;
mod identity;
pub mod json;

pub use answer::{SensorClock, SensorSample, SensorValues};
pub use document::{AnswerError, Name};
pub use identity::{IDENTITY_PATH, Identity, IdentityReader};

use answer::Collected;
use document::Document;
use ww_wire::SensorModel;

/// A sensor's model and the channel of it that is the meter's register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensor {
    model: SensorModel,
    channel: u8,
}

impl Sensor {
    /// Takes a model and channel; `None` when the model has no such channel.
    #[must_use]
    pub const fn new(model: SensorModel, channel: u8) -> Option<Self> {
        let channels = match model {
            SensorModel::ShellyEmGen1 => 2,
            SensorModel::ShellyEm1Gen2 => 3,
            SensorModel::Shelly3EmGen1 | SensorModel::ShellyEmGen2 => 1,
        };
        if channel < channels {
            Some(Self { model, channel })
        } else {
            None
        }
    }

    /// The model.
    #[must_use]
    pub const fn model(self) -> SensorModel {
        self.model
    }

    /// The channel, from 0.
    #[must_use]
    pub const fn channel(self) -> u8 {
        self.channel
    }

    const fn requests(self) -> &'static [Request] {
        match self.model {
            SensorModel::ShellyEmGen1 | SensorModel::Shelly3EmGen1 => &[Request::Gen1Status],
            SensorModel::ShellyEm1Gen2 => &[
                Request::Em1Data,
                Request::Em1,
                Request::Sys,
                Request::DeviceInfo,
            ],
            SensorModel::ShellyEmGen2 => &[
                Request::EmData,
                Request::Em,
                Request::Sys,
                Request::DeviceInfo,
            ],
        }
    }

    const fn path(self, request: Request) -> &'static str {
        match (request, self.channel) {
            (Request::Gen1Status, _) => "/status",
            (Request::Em1, 0) => "/rpc/EM1.GetStatus?id=0",
            (Request::Em1, 1) => "/rpc/EM1.GetStatus?id=1",
            (Request::Em1, _) => "/rpc/EM1.GetStatus?id=2",
            (Request::Em1Data, 0) => "/rpc/EM1Data.GetStatus?id=0",
            (Request::Em1Data, 1) => "/rpc/EM1Data.GetStatus?id=1",
            (Request::Em1Data, _) => "/rpc/EM1Data.GetStatus?id=2",
            (Request::Em, _) => "/rpc/EM.GetStatus?id=0",
            (Request::EmData, _) => "/rpc/EMData.GetStatus?id=0",
            (Request::Sys, _) => "/rpc/Sys.GetStatus",
            (Request::DeviceInfo, _) => "/rpc/Shelly.GetDeviceInfo",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Gen1Status,
    Em1Data,
    Em1,
    EmData,
    Em,
    Sys,
    DeviceInfo,
}

/// Why a poll gives no sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PollError {
    /// The sensor answered with another status than 200.
    #[error("{path} was answered with status {status}")]
    Status {
        /// The request.
        path: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// An answer could not be read.
    #[error("the answer to {path} was refused")]
    Answer {
        /// The request.
        path: &'static str,
        /// The reason.
        #[source]
        error: AnswerError,
    },
}

/// One poll of the sensor: its requests one after the other, merged into one sample.
///
/// ```text
///        ┌──────────────────────────────────────────────┐
///        ▼                                              │ another request
///   request() = Some(path) ── begin(status) ── push* ── end ── request() = None ── sample()
/// ```
#[derive(Clone, Debug)]
pub struct Poll {
    sensor: Sensor,
    next: usize,
    document: Option<Document>,
    collected: Collected,
}

impl Poll {
    /// A poll that has asked nothing yet.
    #[must_use]
    pub const fn new(sensor: Sensor) -> Self {
        Self {
            sensor,
            next: 0,
            document: None,
            collected: Collected::new(),
        }
    }

    /// Path and query to `GET` next; `None` once all answers are there.
    #[must_use]
    pub fn request(&self) -> Option<&'static str> {
        self.current().map(|request| self.sensor.path(request))
    }

    /// Takes the status of the answer to [`Poll::request`]. Authentication is settled before: a
    /// 401 that gets here is final.
    ///
    /// # Errors
    /// [`PollError::Status`] when the sample cannot do without this answer.
    pub fn begin(&mut self, status: u16) -> Result<(), PollError> {
        self.document = None;
        match self.current() {
            Some(Request::Sys) if status != 200 => Ok(()),
            Some(request) if status != 200 => Err(PollError::Status {
                path: self.sensor.path(request),
                status,
            }),
            Some(_) => {
                self.document = Some(Document::new());
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Takes the next bytes of the answer's body. Bytes of an answer that is passed over are
    /// ignored.
    ///
    /// # Errors
    /// [`PollError::Answer`]; the poll is then of no use.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), PollError> {
        let (Some(request), Some(document)) = (self.current(), self.document.as_mut()) else {
            return Ok(());
        };
        let collected = &mut self.collected;
        let channel = u16::from(self.sensor.channel);
        let channels = match self.sensor.model {
            SensorModel::Shelly3EmGen1 => 0..3,
            _ => channel..channel + 1,
        };
        let read = document.push(bytes, |path, value| match request {
            Request::Gen1Status => collected.gen1_status(channels.clone(), path, value),
            Request::Em1Data | Request::Em1 => collected.em1(path, value),
            Request::EmData | Request::Em => collected.em(path, value),
            Request::Sys | Request::DeviceInfo => collected.system(path, value),
        });
        read.map_err(|error| self.refused(request, error))
    }

    /// Says that the answer's body is whole.
    ///
    /// # Errors
    /// [`PollError::Answer`] when it is cut off, or speaks of another component.
    pub fn end(&mut self) -> Result<(), PollError> {
        let Some(request) = self.current() else {
            return Ok(());
        };
        if let Some(document) = self.document.take() {
            let mut whole = document.finish();
            if matches!(
                request,
                Request::Em1 | Request::Em1Data | Request::Em | Request::EmData
            ) {
                whole = whole.and_then(|()| self.collected.component_is(self.sensor.channel));
            }
            whole.map_err(|error| self.refused(request, error))?;
        }
        self.next += 1;
        if self.current() == Some(Request::DeviceInfo) && self.collected.mac.is_some() {
            self.next += 1;
        }
        Ok(())
    }

    /// The sample, once [`Poll::request`] is `None`.
    ///
    /// # Errors
    /// [`PollError::Answer`] when something is missing without which there is no sample.
    pub fn sample(&self) -> Result<SensorSample, PollError> {
        let sample = match self.sensor.model {
            SensorModel::ShellyEmGen1 => self.collected.single_phase(false),
            SensorModel::ShellyEm1Gen2 => self.collected.single_phase(true),
            SensorModel::Shelly3EmGen1 => self.collected.three_phase(false),
            SensorModel::ShellyEmGen2 => self.collected.three_phase(true),
        };
        sample.map_err(|error| self.refused(self.sensor.requests()[0], error))
    }

    fn current(&self) -> Option<Request> {
        self.sensor.requests().get(self.next).copied()
    }

    fn refused(&self, request: Request, error: AnswerError) -> PollError {
        PollError::Answer {
            path: self.sensor.path(request),
            error,
        }
    }
}

#[cfg(test)]
mod tests;
