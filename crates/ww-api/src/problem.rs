//! Problems (RFC 9457): every kind of refusal with its own type, status and title in one table.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was refused. Nothing was changed by it, except where the kind says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The kind: a path under `/problems/`, where it is explained.
    #[serde(rename = "type")]
    #[schema(example = "/problems/signature-invalid")]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong in this very request.
    pub detail: String,
    /// The field that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule that it breaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The record concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordReference>,
    /// Of an equivocation: the record that is held, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_record: Option<String>,
}

/// Which record of a request a problem speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordReference {
    /// Its place in the request, from 0.
    pub position: usize,
    /// Its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_type: Option<String>,
    /// The meter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter_id: Option<String>,
    /// Its sequence number, of a reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub sequence: Option<u64>,
    /// Its chain index, of a record of the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub chain_index: Option<u64>,
}

macro_rules! problem_kinds {
    ($($variant:ident $slug:literal $status:literal $title:literal, $meaning:literal;)*) => {
        /// The kinds of problems.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ProblemKind {
            $(#[doc = $meaning] $variant,)*
        }

        impl ProblemKind {
            /// All kinds, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The last part of the type's path.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),* }
            }

            /// The type: where it is explained.
            #[must_use]
            pub const fn path(self) -> &'static str {
                match self { $(Self::$variant => concat!("/problems/", $slug)),* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// The kind in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// What it means and what to do about it.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }
        }
    };
}

problem_kinds! {
    MalformedJson "malformed-json" 400 "The body is not JSON", "The body could not be read as one JSON object.";
    MissingField "missing-field" 422 "A field is missing", "A field that the request needs is not there.";
    UnknownField "unknown-field" 422 "A field is not known", "The request has a field that means nothing here; a misspelt name is better refused than ignored.";
    InvalidField "invalid-field" 422 "A field breaks its rule", "The field named is not of the form that the rule asks for.";
    NotANumber "not-a-number" 422 "A number is not a number", "NaN and infinities are no measurements.";
    NumberOutOfRange "number-out-of-range" 422 "A number is too large", "The number does not fit the field of the record.";
    TooManyDigits "too-many-digits" 422 "A number has too many digits", "Records hold thousandths; a finer decimal cannot be what was signed.";
    NegativeTime "negative-time" 422 "A time is negative", "Times are counted from 1970 on.";
    InvalidTime "invalid-time" 422 "A time cannot be read", "Times in queries are ISO 8601, such as 2025-06-19T16:52:26Z.";
    LegacyFirmwareSignature "legacy-firmware-signature" 422 "This is a checksum of the old firmware, not a signature", "The first 32 bytes are the SHA-256 of the reading's text, which anyone can compute, followed by whatever lay in memory. No key was used. Install the present firmware and enrol the meter's key.";
    UnsignedReading "unsigned-reading" 422 "The reading is not signed", "A reading is taken as `record` (the canonical bytes, hex) with `signature`; plain fields alone prove nothing.";
    PowerDisagrees "power-disagrees" 422 "The power beside the record is not the one that is signed", "`power_w` must be the power of the record.";
    TotalDisagrees "total-disagrees" 422 "The total beside the record is not the one that is signed", "`total_wh` must be the production counter of the record.";
    TimeDisagrees "time-disagrees" 422 "The time beside the record is not the one that is signed", "`timestamp` must be the time of the record.";
    SequenceDisagrees "sequence-disagrees" 422 "The sequence number beside the record is not the one that is signed", "`sequence` must be the number of the record.";
    KeyDisagrees "key-disagrees" 422 "The meter named beside the record is not its signer", "`public_key`, `meter_id` and `installation_id` must be the signer's.";
    BodyTooLarge "body-too-large" 413 "The body is too large", "The request is longer than this gateway takes; send it in parts.";
    BatchTooLarge "batch-too-large" 413 "The batch has too many records", "Send fewer records at a time.";
    EmptyBatch "empty-batch" 422 "The batch is empty", "A batch has at least one record.";
    MixedBatch "mixed-batch" 422 "The batch is of several meters", "All records of one request are of one meter, because one Acknowledgement answers it.";
    UnsupportedMediaType "unsupported-media-type" 415 "This media type is not taken here", "The OpenAPI document says which one is.";
    CoseMalformed "cose-malformed" 422 "The bytes are not COSE_Sign1 in the one form", "Records travel as tagged COSE_Sign1 with a constant header and shortest lengths; docs/FORMAT.md has every byte.";
    UnknownMeter "unknown-meter" 403 "The meter is not known", "The record names a signer that was never announced here.";
    MeterWaiting "meter-waiting" 403 "The meter waits for approval", "An operator has to approve this meter first.";
    MeterRevoked "meter-revoked" 403 "The meter is revoked", "An operator ended the trust in this meter's key.";
    MeterReplaced "meter-replaced" 403 "Another meter has taken this one's place", "An operator let another meter follow this one. What it measured up to the end of its chain is still taken, nothing after it; do not send that again.";
    UnknownOperator "unknown-operator" 403 "The operator is not known", "The record is signed by a key that this gateway does not take for an operator's.";
    RecordTruncated "record-truncated" 422 "The record has the wrong length", "A record has one length only; bytes are missing or left over.";
    RecordTypeUnexpected "record-type-unexpected" 422 "This type of record is not taken here", "The first two bytes are a record's type and version.";
    RecordNotCanonical "record-not-canonical" 422 "The record is not in its canonical form", "Every record has exactly one form; these bytes are not it.";
    SignatureMalformed "signature-malformed" 422 "The signature has the wrong form", "A signature is 64 bytes: r then s.";
    SignatureOutOfRange "signature-out-of-range" 422 "The signature's numbers are out of range", "r and s are in 1..n, the order of P-256.";
    SignatureHighS "signature-high-s" 422 "The signature is not in low-s form", "Send n - s in the place of s: a signature has one form only.";
    SignatureInvalid "signature-invalid" 422 "The signature does not hold", "The meter's key did not sign these bytes: the record, the signature or the key was changed.";
    SequenceOutOfRange "sequence-out-of-range" 422 "The sequence number is out of range", "Sequence numbers run from 1 to 2^29 - 1.";
    TimeOutOfRange "time-out-of-range" 422 "The time is out of range", "Times end before the year 9999.";
    Equivocation "equivocation" 409 "The meter signed two different records for one place", "Both are kept as evidence and an alert is raised; the one that came first stays.";
    ChainBroken "chain-broken" 409 "The record does not follow the one before it", "A chain record names the digest of the record with the index before its own.";
    EnergyTornApart "energy-torn-apart" 409 "The energy does not go on from window to window", "A window opens with the `produced` with which the one before it closed. Both are kept as evidence.";
    ReadingsMalformed "readings-malformed" 422 "The packed readings cannot be unpacked", "Packed readings follow their Window; docs/FORMAT.md has every byte.";
    WindowContradictsReadings "window-contradicts-readings" 422 "The window contradicts its readings", "Root, count, numbers, times and `produced` of a window are those of its readings.";
    EnrolmentUnknown "enrolment-unknown" 422 "There is no such enrolment", "The record names an Enrolment that no operator has signed here.";
    EnrolmentForeign "enrolment-foreign" 422 "The enrolment is of another meter", "The Enrolment's meter key is not the installation's.";
    KeyExists "key-exists" 409 "The name or number is taken", "Something else has this identity already.";
    KeyNotOnCurve "key-not-on-curve" 422 "The public key is no point of P-256", "A public key is X then Y of a point on the curve, 64 bytes.";
    SensorInUse "sensor-in-use" 409 "The sensor's channel belongs to another active meter", "There is one active meter for one (MAC, channel); revoke or replace the other one first.";
    StateConflict "state-conflict" 409 "The installation's state does not allow this", "A revoked key stays revoked; a meter that is active needs no approval.";
    TooManyWaiting "too-many-waiting" 429 "Too many meters wait for approval", "An operator has to approve or revoke some first.";
    RateLimited "rate-limited" 429 "Too many requests", "Wait as long as `Retry-After` says.";
    Unauthorized "unauthorized" 401 "A key is needed", "Send `Authorization: Bearer` with an API key that is valid.";
    KeyUnknown "key-unknown" 401 "The key is not known or has expired", "The API key sent was never one of this gateway's, was revoked, or has reached its end; which of these is told to nobody. Send another one, or none where none is needed.";
    Forbidden "forbidden" 403 "The key does not allow this", "The key's role is not enough for this request.";
    CsrfTokenWrong "csrf-token-wrong" 403 "The request does not show that a page of this gateway sent it", "A request with the cookie of a session, other than GET and HEAD, has the `csrf_token` of `GET /api/v1/session` in the header `X-CSRF-Token`.";
    NotFound "not-found" 404 "There is nothing here", "No such thing, or no such path.";
    MethodNotAllowed "method-not-allowed" 405 "The method is not allowed here", "`Allow` says which methods are.";
    RequestTimeout "request-timeout" 408 "The request took too long", "The body did not arrive, or the answer was not found, in time.";
    FirmwareNotConfigured "firmware-not-configured" 404 "This gateway updates no firmware", "It was started without `firmware_key_file` and `assignment_key_file`. Nothing is down, so this is no 503, by which proxies would take the gateway for lost.";
    QuestionMalformed "question-malformed" 422 "The question is not in its form", "A question about firmware is CBOR in its one form; docs/FIRMWARE.md has every byte.";
    QuestionNotProven "question-not-proven" 401 "The question is not proven", "The proof is not by the secret of the device that the question names, or no such meter is in service; which of these is told to nobody.";
    SessionSuperseded "session-superseded" 409 "The device has asked again since", "Records are tagged for the newest question of a device only. Go on with the session of that, or ask again.";
    NotStaged "not-staged" 409 "The device has fetched nothing", "Whether to start a release is asked in the state `staged`, with the release that was fetched.";
    PastTheEnd "past-the-end" 416 "There is nothing so far behind", "The object or list ends before what was asked for.";
    RootMalformed "root-malformed" 422 "The root is not in its form", "A root with its signatures is CBOR in its one form; docs/FIRMWARE.md has every byte.";
    RootUntrusted "root-untrusted" 422 "The root is not trusted", "The first root is signed by its own keys, a later one by the thresholds of the one before it and of its own, and its number is one more.";
    ReleaseMalformed "release-malformed" 422 "The release file is not in its form", "A release file has one form; docs/FIRMWARE.md has every byte. Its objects and lists are those that the release names by digest and size.";
    ReleaseUntrusted "release-untrusted" 422 "The release is not trusted", "The thresholds of the newest root have to sign a release of its suite; devices refuse any other.";
    ReleaseUnfit "release-unfit" 422 "Devices would refuse this release", "`rule` says why.";
    ReleaseWithdrawn "release-withdrawn" 409 "The release was withdrawn", "A release that was withdrawn is rolled out no more; publish another one.";
    RolloutConflict "rollout-conflict" 409 "The rollout's state or its meters do not allow this", "A meter is in one rollout at a time, and a rollout that is over stays over.";
    StoreUnavailable "store-unavailable" 503 "The store does not answer", "Nothing was acknowledged; send it again later.";
    Stopping "stopping" 503 "The gateway is stopping", "Send it again in a moment.";
    Internal "internal" 500 "Something went wrong inside", "The gateway's log says more; nothing was acknowledged.";
}

impl ProblemKind {
    /// The kind whose path ends in `slug`.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}

impl Problem {
    /// A problem of this kind; `detail` is read by people outside.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.path().to_owned(),
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            field: None,
            rule: None,
            record: None,
            held_record: None,
        }
    }

    /// Names the field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the rule.
    #[must_use]
    pub fn rule(mut self, rule: impl Into<String>) -> Self {
        self.rule = Some(rule.into());
        self
    }

    /// Names the record.
    #[must_use]
    pub fn record(mut self, record: RecordReference) -> Self {
        self.record = Some(record);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_path_of_its_own() {
        let slugs: HashSet<_> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::from_slug(kind.slug()), Some(*kind));
            assert!((400..600).contains(&kind.status()), "{kind:?}");
        }
    }

    #[test]
    fn fields_that_say_nothing_are_left_out() {
        let problem = Problem::new(ProblemKind::NotFound, "no installation 7");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["type"], "/problems/not-found");
        assert_eq!(json.as_object().unwrap().len(), 4);
    }
}
