//! Which model a Shelly is, from `/shelly`, which every generation answers without a password. It
//! only proposes: what a meter measures is fixed by its enrolment.

use super::answer::{count, mac, truth};
use super::document::{AnswerError, Document, Name, Segment, Value};
use ww_wire::{Mac, SensorModel};

/// Where every generation says what it is.
pub const IDENTITY_PATH: &str = "/shelly";

/// What a device says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its MAC address.
    pub mac: Mac,
    /// Its model; `None` when it is no energy meter known here.
    pub model: Option<SensorModel>,
    /// Whether it asks for a password.
    pub password_needed: bool,
}

/// Reads the answer to [`IDENTITY_PATH`] (or to `Shelly.GetDeviceInfo`).
#[derive(Clone, Debug)]
pub struct IdentityReader {
    document: Document,
    found: Found,
}

#[derive(Clone, Debug)]
struct Found {
    mac: Option<Mac>,
    generation: u64,
    model: Option<SensorModel>,
    single_phase_profile: bool,
    password_needed: bool,
}

impl Default for IdentityReader {
    fn default() -> Self {
        Self::new()
    }
}

impl IdentityReader {
    /// A reader at the start of the answer.
    #[must_use]
    pub const fn new() -> Self {
        let found = Found {
            mac: None,
            generation: 1,
            model: None,
            single_phase_profile: false,
            password_needed: false,
        };
        Self {
            document: Document::new(),
            found,
        }
    }

    /// Takes the next bytes of the answer.
    ///
    /// # Errors
    /// Any [`AnswerError`]; the answer is then of no use.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), AnswerError> {
        let found = &mut self.found;
        self.document
            .push(bytes, |path, value| found.member(path, value))
    }

    /// Says that the answer is whole.
    ///
    /// # Errors
    /// Any [`AnswerError`], such as a missing `mac`.
    pub fn finish(&self) -> Result<Identity, AnswerError> {
        self.document.finish()?;
        let found = &self.found;
        let model = match found.model {
            Some(SensorModel::ShellyEmGen2) if found.single_phase_profile => {
                Some(SensorModel::ShellyEm1Gen2)
            }
            Some(SensorModel::ShellyEm1Gen2 | SensorModel::ShellyEmGen2)
                if found.generation < 2 =>
            {
                None
            }
            model => model,
        };
        Ok(Identity {
            mac: found.mac.ok_or(AnswerError::Missing { name: Name::Mac })?,
            model,
            password_needed: found.password_needed,
        })
    }
}

impl Found {
    fn member(&mut self, path: &[Segment], value: Value<'_>) -> Result<(), AnswerError> {
        let &[Segment::Name(name)] = path else {
            return Ok(());
        };
        match (name, value) {
            (Name::Mac, _) => self.mac = Some(mac(value)?),
            (Name::Generation, _) => self.generation = count(name, value)?,
            (Name::Auth | Name::AuthEnabled, _) => self.password_needed = truth(name, value)?,
            (Name::Type | Name::Model, Value::Text(text)) => {
                self.model = text.bytes().and_then(|text| model(name, text));
            }
            (Name::Profile, Value::Text(text)) => {
                self.single_phase_profile = text.bytes() == Some(b"monophase");
            }
            _ => {}
        }
        Ok(())
    }
}

/// Gen1 gives its model as `type`. From Gen2 on, `model` is `S`, the family, `EM-`, the number of
/// channels in three digits, and the variant: SPEM-002CEBEU50, SPEM-003CEBEU, S3EM-002CXCEU.
fn model(name: Name, text: &[u8]) -> Option<SensorModel> {
    match (name, text) {
        (Name::Type, b"SHEM") => Some(SensorModel::ShellyEmGen1),
        (Name::Type, b"SHEM-3") => Some(SensorModel::Shelly3EmGen1),
        (Name::Model, [b'S', _, b'E', b'M', b'-', b'0', b'0', b'2', ..]) => {
            Some(SensorModel::ShellyEm1Gen2)
        }
        (Name::Model, [b'S', _, b'E', b'M', b'-', b'0', b'0', b'3', ..]) => {
            Some(SensorModel::ShellyEmGen2)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(answer: &[u8]) -> Result<Identity, AnswerError> {
        let mut reader = IdentityReader::new();
        reader.push(answer)?;
        reader.finish()
    }

    #[test]
    fn each_model_is_known_by_its_answer() {
        let answers: [(&[u8], SensorModel); 5] = [
            (
                include_bytes!("../../tests/fixtures/shelly-em-gen1-identity.json"),
                SensorModel::ShellyEmGen1,
            ),
            (
                include_bytes!("../../tests/fixtures/shelly-3em-gen1-identity.json"),
                SensorModel::Shelly3EmGen1,
            ),
            (
                include_bytes!("../../tests/fixtures/shelly-pro-em-gen2-identity.json"),
                SensorModel::ShellyEm1Gen2,
            ),
            (
                include_bytes!("../../tests/fixtures/shelly-pro-3em-gen2-identity.json"),
                SensorModel::ShellyEmGen2,
            ),
            (
                br#"{"mac":"AABBCCDDEEFF","model":"S3EM-002CXCEU","gen":3}"#,
                SensorModel::ShellyEm1Gen2,
            ),
        ];
        for (answer, model) in answers {
            assert_eq!(identity(answer).unwrap().model, Some(model));
        }
    }

    #[test]
    fn a_three_phase_device_in_its_single_phase_profile_has_single_channels() {
        let answer =
            br#"{"mac":"AABBCCDDEEFF","model":"SPEM-003CEBEU","gen":2,"profile":"monophase"}"#;
        assert_eq!(
            identity(answer).unwrap().model,
            Some(SensorModel::ShellyEm1Gen2)
        );
    }

    #[test]
    fn a_password_is_known_to_be_needed() {
        let gen1 = br#"{"type":"SHEM","mac":"AABBCCDDEEFF","auth":true}"#;
        let gen2 = br#"{"mac":"AABBCCDDEEFF","model":"SPEM-002CEBEU50","gen":2,"auth_en":true}"#;
        assert!(identity(gen1).unwrap().password_needed);
        assert!(identity(gen2).unwrap().password_needed);
    }

    #[test]
    fn a_device_that_is_no_known_meter_has_no_model() {
        let plug = br#"{"type":"SHPLG-S","mac":"AABBCCDDEEFF","auth":false}"#;
        assert_eq!(identity(plug).unwrap().model, None);
    }

    #[test]
    fn an_identity_without_mac_is_refused() {
        assert_eq!(
            identity(br#"{"type":"SHEM"}"#),
            Err(AnswerError::Missing { name: Name::Mac })
        );
    }
}
