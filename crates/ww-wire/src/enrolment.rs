//! What an operator says of a meter: the Enrolment, and the changes that are appended to it. A
//! change never edits what stands before it.

use crate::field::{Address, Mac, Text, byte_enum};
use crate::nameplate::Nameplate;
use crate::record::{Rule, record, require};
use crate::units::*;
use crate::{Hash, MeterId, PublicKey, Reading};

byte_enum! {
    /// Where the meter's private key lives.
    pub enum Custody {
        /// In the meter's own memory.
        Software = 0,
        /// In a secure element; counts only with the vendor's attestation chain.
        SecureElement = 1,
    }
}

byte_enum! {
    /// The kind of sensor, which fixes the requests and the reading of the answers.
    pub enum SensorModel {
        /// Shelly EM, first generation (SHEM): `/status`.
        ShellyEmGen1 = 1,
        /// Shelly 3EM, first generation (SHEM-3): `/status`, three phases.
        Shelly3EmGen1 = 2,
        /// Shelly with EM1 components, second generation and later (Pro EM, EM Gen3).
        ShellyEm1Gen2 = 3,
        /// Shelly with an EM component, second generation and later (Pro 3EM), three phases.
        ShellyEmGen2 = 4,
    }
}

impl SensorModel {
    /// Whether the sensor measures three phases.
    #[must_use]
    pub const fn is_three_phase(self) -> bool {
        matches!(self, Self::Shelly3EmGen1 | Self::ShellyEmGen2)
    }
}

byte_enum! {
    /// Which counter of the sensor counts production; also which sign of power means it.
    pub enum ProductionCounter {
        /// `total`: production makes power positive.
        Total = 0,
        /// `total_returned`: production makes power negative.
        TotalReturned = 1,
    }
}

record! {
    /// What a meter measures, by the word of the operator; the meter signs the same payload in
    /// the domain `enrolment-acceptance`.
    pub struct Enrolment signed by
    /// The operator: SHA-256 of `operator_key`.
    operator {
        /// The operator's public key.
        operator_key: PublicKey,
        /// The meter's public key; its SHA-256 is the meter id.
        meter_key: PublicKey,
        /// Counts the enrolments of this meter, from 1.
        number: u32,
        /// When the operator signed.
        time: UtcMillis,
        /// Where the meter's private key lives.
        custody: Custody,
        /// The sensor.
        sensor_model: SensorModel,
        /// The sensor's MAC address.
        sensor_mac: Mac,
        /// The sensor's channel, from 0; 0 for a three-phase sensor.
        channel: u8,
        /// Which counter counts production.
        production_counter: ProductionCounter,
        /// Ratio of an external current transformer in thousandths; 1000 when the sensor's own is all there is.
        ct_ratio_milli: u32,
        /// Rated power of the plant.
        rated_power: Watts,
        /// Latitude, positive to the north.
        latitude: Option<GeoDegrees>,
        /// Longitude, positive to the east.
        longitude: Option<GeoDegrees>,
        /// The modules' tilt from the horizontal.
        tilt: Option<DeciDegrees>,
        /// Where the modules face, clockwise from north.
        azimuth: Option<DeciDegrees>,
        /// The grid connection's identifier as the grid operator names it; empty for none.
        grid_connection: Text<40>,
        /// The sensor's `total` when the meter was put in.
        start_import: Option<MilliwattHours>,
        /// The sensor's `total_returned` when the meter was put in.
        start_export: Option<MilliwattHours>,
        /// Who owns what is minted; zero for nobody.
        owner: Address,
        /// Mint domain: EIP-155 chain id; 0 for none.
        chain_id: u64,
        /// Mint domain: the minter contract; zero for none.
        minter: Address,
    }
}

impl Enrolment {
    /// The id of the meter that is enrolled.
    #[must_use]
    pub fn meter(&self) -> MeterId {
        self.meter_key.id()
    }

    /// The plant's power in mW, positive when it produces: the sensor's, in the direction of the
    /// production counter, times the transformer ratio, towards zero.
    #[must_use]
    pub fn plant_power(&self, reading: &Reading) -> Option<i128> {
        let power = i128::from(reading.power?.get());
        let produced = match self.production_counter {
            ProductionCounter::Total => power,
            ProductionCounter::TotalReturned => -power,
        };
        Some(produced * i128::from(self.ct_ratio_milli) / 1000)
    }

    /// The sensor's production counter, as it stands in the reading.
    #[must_use]
    pub const fn production_total(&self, reading: &Reading) -> Option<MilliwattHours> {
        match self.production_counter {
            ProductionCounter::Total => reading.import_total,
            ProductionCounter::TotalReturned => reading.export_total,
        }
    }

    /// What bounds the plant.
    #[must_use]
    pub const fn nameplate(&self) -> Nameplate {
        Nameplate {
            rated_power: self.rated_power,
            ct_ratio_milli: self.ct_ratio_milli,
        }
    }

    fn rules(&self) -> Result<(), Rule> {
        require!(
            self.operator_key.id() == self.operator,
            "the operator id is the SHA-256 of its key"
        );
        require!(
            self.operator_key != self.meter_key,
            "operator and meter have keys of their own"
        );
        require!(self.number != 0, "enrolments are numbered from 1");
        require!(
            self.ct_ratio_milli != 0,
            "the transformer ratio is not zero"
        );
        require!(
            self.rated_power != Watts::ZERO,
            "the rated power is not zero"
        );
        require!(
            !self.sensor_model.is_three_phase() || self.channel == 0,
            "a three-phase sensor is one register: its channel is 0"
        );
        require!(
            self.latitude.is_some() == self.longitude.is_some(),
            "coordinates are both present or both absent"
        );
        require!(
            self.latitude
                .is_none_or(|degrees| degrees.get().unsigned_abs() <= 900_000_000),
            "latitude is within 90 degrees"
        );
        require!(
            self.longitude
                .is_none_or(|degrees| degrees.get().unsigned_abs() <= 1_800_000_000),
            "longitude is within 180 degrees"
        );
        require!(
            self.tilt.is_none_or(|tilt| tilt.get() <= 900),
            "tilt is within 90 degrees"
        );
        require!(
            self.azimuth.is_none_or(|azimuth| azimuth.get() < 3600),
            "azimuth is below 360 degrees"
        );
        require!(
            (self.chain_id == 0) == (self.minter == Address::ZERO),
            "a mint domain has both a chain and a contract, or neither"
        );
        Ok(())
    }
}

record! {
    /// A meter's name and time zone; the newest is shown, and nothing measured depends on it.
    pub struct Label signed by
    /// The operator.
    operator {
        /// The meter.
        meter: MeterId,
        /// When the operator signed.
        time: UtcMillis,
        /// The name that people see.
        name: Text<64>,
        /// The site's time zone, as the IANA database names it; empty for UTC.
        time_zone: Text<40>,
    }
}

impl Label {
    fn rules(&self) -> Result<(), Rule> {
        require!(!self.name.as_str().is_empty(), "a label has a name");
        Ok(())
    }
}

byte_enum! {
    /// Why energy is taken back.
    pub enum CorrectionReason {
        /// Any other reason; the note says which.
        Other = 0,
        /// The sensor measured wrongly.
        SensorFault = 1,
        /// The installation was wired or configured wrongly.
        Installation = 2,
        /// The readings were found to be manipulated.
        Manipulation = 3,
    }
}

record! {
    /// Energy taken back after the fact. It can only lower what counts: there is no field by
    /// which it could raise it.
    pub struct Correction signed by
    /// The operator.
    operator {
        /// The meter.
        meter: MeterId,
        /// When the operator signed.
        time: UtcMillis,
        /// Digest of the chain record that is corrected; the last one, if several are.
        target: Hash,
        /// The first reading concerned.
        first_sequence: Sequence,
        /// The last reading concerned.
        last_sequence: Sequence,
        /// The energy that no longer counts.
        reduction: MilliwattHours,
        /// Why.
        reason: CorrectionReason,
        /// In words.
        note: Text<64>,
    }
}

impl Correction {
    fn rules(&self) -> Result<(), Rule> {
        require!(
            self.first_sequence <= self.last_sequence,
            "a correction runs from first to last"
        );
        require!(
            self.first_sequence != Sequence::ZERO,
            "sequence numbers start at 1"
        );
        require!(
            !self.target.is_zero(),
            "a correction names the record it corrects"
        );
        Ok(())
    }
}

byte_enum! {
    /// Why a meter is no longer trusted.
    pub enum RevocationReason {
        /// Any other reason; the note says which.
        Other = 0,
        /// Taken out of service.
        Decommissioned = 1,
        /// The device is lost or stolen.
        Lost = 2,
        /// The key may be known to others.
        KeyCompromise = 3,
        /// The installation was manipulated.
        Manipulation = 4,
    }
}

record! {
    /// The end of a meter. It acts from its own place in the log on, not from a device's time.
    pub struct Revocation signed by
    /// The operator.
    operator {
        /// The meter.
        meter: MeterId,
        /// When the operator signed.
        time: UtcMillis,
        /// Why.
        reason: RevocationReason,
        /// In words.
        note: Text<64>,
    }
}

impl Revocation {
    fn rules(&self) -> Result<(), Rule> {
        require!(
            self.meter != self.operator,
            "a meter does not revoke itself"
        );
        Ok(())
    }
}

record! {
    /// One meter following another at the same place; lifetime totals go on across it.
    pub struct Replacement signed by
    /// The old meter or an operator.
    signer {
        /// The meter that ends.
        old_meter: MeterId,
        /// The meter that follows.
        new_meter: MeterId,
        /// When it was signed.
        time: UtcMillis,
        /// The last record of the old meter's chain.
        last_index: ChainIndex,
        /// That record's digest.
        last_digest: Hash,
        /// The old meter's `produced` at that record.
        produced_close: MilliwattHours,
    }
}

impl Replacement {
    fn rules(&self) -> Result<(), Rule> {
        require!(
            self.old_meter != self.new_meter,
            "a meter does not replace itself"
        );
        require!(
            !self.last_digest.is_zero(),
            "a replacement names the old meter's last record"
        );
        Ok(())
    }
}
