//! How a meter becomes known and what operators say of it: bodies of requests.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What `POST /api/v1/installations/` takes: a meter announces itself and waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// A name for people; at most 64 bytes.
    #[schema(example = "Hackathon Test 1")]
    pub name: String,
    /// The meter's P-256 public key, 128 hex digits: X then Y (130 with SEC 1's leading `04`).
    pub public_key: String,
    /// Base64 of the sensor's answer to `/status` (or `Shelly.GetDeviceInfo`), from which MAC and model are proposed.
    #[serde(default)]
    pub shelly_payload: Option<String>,
    /// When the meter started, Unix seconds.
    #[serde(default)]
    #[schema(example = 1_750_346_382)]
    pub boot_timestamp: Option<i64>,
    /// MAC address of the sensor, if `shelly_payload` does not say it.
    #[serde(default)]
    pub shelly_mac: Option<String>,
    /// Model of the sensor, if `shelly_payload` does not show it.
    #[serde(default)]
    pub sensor_model: Option<String>,
    /// Channel of the sensor, from 0: a proposal to the operator.
    #[serde(default)]
    pub channel: Option<u8>,
    /// `total` or `total_returned`: a proposal to the operator.
    #[serde(default)]
    pub production_counter: Option<String>,
    /// Rated power in W: a proposal to the operator.
    #[serde(default)]
    pub rated_power_w: Option<u32>,
    /// IANA name of the site's time zone: a proposal to the operator.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// What `POST /api/v1/installations/{id}/approve` takes. What is left out is taken from the
/// announcement. Either the gateway's operator key signs, or a signed record is brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// A COSE_Sign1 of an Enrolment made by an offline operator key, hex. Beside it only
    /// `name`, `time_zone`, `replaces` and `replacement` may stand.
    #[serde(default)]
    pub record: Option<String>,
    /// The name that people see; at most 64 bytes.
    #[serde(default)]
    pub name: Option<String>,
    /// IANA name of the site's time zone.
    #[serde(default)]
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// Rated power of the plant in W.
    #[serde(default)]
    #[schema(example = 800)]
    pub rated_power_w: Option<u32>,
    /// `shelly_em_gen1`, `shelly_3em_gen1`, `shelly_em1_gen2` or `shelly_em_gen2`.
    #[serde(default)]
    pub sensor_model: Option<String>,
    /// MAC address of the sensor, 12 hex digits.
    #[serde(default)]
    pub shelly_mac: Option<String>,
    /// Channel of the sensor, from 0.
    #[serde(default)]
    pub channel: Option<u8>,
    /// Which counter counts production: `total` or `total_returned`.
    #[serde(default)]
    pub production_counter: Option<String>,
    /// Where the meter's key lives: `software` or `secure_element`.
    #[serde(default)]
    pub custody: Option<String>,
    /// Ratio of an external current transformer in thousandths; 1000 for none.
    #[serde(default)]
    pub ct_ratio_milli: Option<u32>,
    /// Degrees north times 10^7.
    #[serde(default)]
    pub latitude_e7: Option<i32>,
    /// Degrees east times 10^7.
    #[serde(default)]
    pub longitude_e7: Option<i32>,
    /// The modules' tilt from the horizontal in tenths of a degree.
    #[serde(default)]
    pub tilt_decidegrees: Option<u16>,
    /// Where the modules face, clockwise from north, in tenths of a degree.
    #[serde(default)]
    pub azimuth_decidegrees: Option<u16>,
    /// The grid connection's identifier; at most 40 bytes.
    #[serde(default)]
    pub grid_connection: Option<String>,
    /// The installation whose meter this one replaces: lifetime totals go on across it.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub replaces: Option<u32>,
    /// In the place of `replaces`: a COSE_Sign1 of a Replacement, hex, signed by an offline operator
    /// key or by the meter that ends.
    #[serde(default)]
    pub replacement: Option<String>,
}

/// What `POST /api/v1/installations/{id}/label` takes: one of them or both. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelRequest {
    /// The name that people see; 1 to 64 bytes.
    #[serde(default)]
    #[schema(example = "Barn roof")]
    pub name: Option<String>,
    /// IANA name of the site's time zone.
    #[serde(default)]
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
}

/// What `POST /api/v1/installations/{id}/revoke` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationRequest {
    /// `other`, `decommissioned`, `lost`, `key_compromise` or `manipulation`.
    pub reason: String,
    /// In words; at most 64 bytes.
    #[serde(default)]
    pub note: String,
}
