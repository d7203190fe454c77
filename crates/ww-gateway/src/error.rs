//! The one place that turns errors into answers: RFC 9457 problems outside, log lines inside.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use ww_api::submission::FieldError;
use ww_api::{Problem, ProblemKind, RecordReference, hex};
use ww_store::{InstallationState, Refusal, StoreError, WindowContradiction};
use ww_wire::cose::CoseError;
use ww_wire::{DecodeError, SignatureError};

use crate::limits::RetryAfter;

/// A request that is answered with a problem.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ProblemKind,
    problem: Box<Problem>,
    retry_after_s: Option<u64>,
}

/// The shape of all that can fail here.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            problem: Box::new(Problem::new(kind, detail)),
            retry_after_s: None,
        }
    }

    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.problem.field = Some(field.into());
        self
    }

    pub(crate) fn rule(mut self, rule: impl Into<String>) -> Self {
        self.problem.rule = Some(rule.into());
        self
    }

    pub(crate) fn record(mut self, record: RecordReference) -> Self {
        self.problem.record.get_or_insert(record);
        self
    }

    pub(crate) fn held(mut self, payload: &[u8]) -> Self {
        self.problem.held_record = Some(hex::encode(payload));
        self
    }

    pub(crate) const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// With the status of a question for something that is not there; the kind says why it is not.
    pub(crate) fn answered_404(mut self) -> Self {
        self.problem.status = ProblemKind::NotFound.status();
        self
    }

    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(ProblemKind::NotFound, format!("there is no {what}"))
    }

    pub(crate) fn invalid(field: &'static str, rule: impl Into<String>) -> Self {
        let rule = rule.into();
        Self::new(ProblemKind::InvalidField, format!("`{field}` {rule}"))
            .field(field)
            .rule(rule)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        let body = serde_json::to_vec(&self.problem).expect("a problem has only string keys");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.problem.status)
            .expect("the table of problems has only valid statuses");
        response.extensions_mut().insert(self.kind);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(retry_after_s) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
        }
        // RFC 6750, 3.1: an error is named only to who has sent a key.
        let challenge = match self.kind {
            ProblemKind::Unauthorized => Some("Bearer realm=\"wattwitness\""),
            ProblemKind::KeyUnknown => {
                Some("Bearer realm=\"wattwitness\", error=\"invalid_token\"")
            }
            // RFC 9110, 15.5.2: whoever is told 401 is told by what.
            ProblemKind::QuestionNotProven => Some("WattWitness-Proof"),
            _ => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        response
    }
}

impl From<RetryAfter> for Failure {
    fn from(RetryAfter(seconds): RetryAfter) -> Self {
        let detail = format!("try again in {seconds} s");
        Self::new(ProblemKind::RateLimited, detail).retry_after(seconds)
    }
}

impl From<FieldError> for Failure {
    fn from(error: FieldError) -> Self {
        let problem = Problem::from(error);
        let slug = problem.kind.rsplit('/').next().unwrap_or_default();
        Self {
            kind: ProblemKind::from_slug(slug).unwrap_or(ProblemKind::InvalidField),
            problem: Box::new(problem),
            retry_after_s: None,
        }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        let detail = error.to_string();
        match error {
            DecodeError::Empty | DecodeError::WrongLength { .. } => {
                Self::new(ProblemKind::RecordTruncated, detail).field("record")
            }
            DecodeError::UnknownType(_)
            | DecodeError::UnknownVersion(_)
            | DecodeError::WrongType { .. } => {
                Self::new(ProblemKind::RecordTypeUnexpected, detail).field("record")
            }
            DecodeError::Field { field, error, .. } => {
                Self::new(ProblemKind::RecordNotCanonical, detail)
                    .field(field)
                    .rule(error.to_string())
            }
            DecodeError::Rule { rule, .. } => Self::new(ProblemKind::RecordNotCanonical, detail)
                .field("record")
                .rule(rule.0),
        }
    }
}

impl From<SignatureError> for Failure {
    fn from(error: SignatureError) -> Self {
        let kind = match error {
            SignatureError::OutOfRange => ProblemKind::SignatureOutOfRange,
            SignatureError::HighS => ProblemKind::SignatureHighS,
        };
        Self::new(kind, error.to_string()).field("signature")
    }
}

impl From<CoseError> for Failure {
    fn from(error: CoseError) -> Self {
        match error {
            CoseError::Signature(error) => error.into(),
            CoseError::Truncated => {
                Self::new(ProblemKind::RecordTruncated, error.to_string()).field("body")
            }
            other => Self::new(ProblemKind::CoseMalformed, other.to_string()).field("body"),
        }
    }
}

impl From<WindowContradiction> for Failure {
    fn from(error: WindowContradiction) -> Self {
        let detail = error.to_string();
        match error {
            WindowContradiction::Packing(source) => Self::new(
                ProblemKind::ReadingsMalformed,
                format!("{detail}: {source}"),
            )
            .field("readings"),
            WindowContradiction::TrailingBytes(_) => {
                Self::new(ProblemKind::ReadingsMalformed, detail).field("readings")
            }
            WindowContradiction::Reading(rule) => Self::new(ProblemKind::ReadingsMalformed, detail)
                .field("readings")
                .rule(rule.0),
            WindowContradiction::Field { field } => {
                Self::new(ProblemKind::WindowContradictsReadings, detail).field(field)
            }
            WindowContradiction::WrongRoot { .. } => {
                Self::new(ProblemKind::WindowContradictsReadings, detail).field("root")
            }
            _ => Self::new(ProblemKind::WindowContradictsReadings, detail).field("readings"),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::UnknownMeter { .. } => {
                Self::new(ProblemKind::UnknownMeter, detail).field("meter")
            }
            Refusal::UnknownInstallation { .. } => Self::new(ProblemKind::NotFound, detail),
            Refusal::NotActive { state, .. } => not_active(state).field("meter"),
            Refusal::Replaced { .. } => {
                Self::new(ProblemKind::MeterReplaced, detail).field("meter")
            }
            Refusal::EquivocatingReading { .. } => {
                Self::new(ProblemKind::Equivocation, detail).field("sequence")
            }
            Refusal::EquivocatingChain { .. } | Refusal::OverlappingWindows { .. } => {
                Self::new(ProblemKind::Equivocation, detail).field("chain_index")
            }
            Refusal::ProducedFell { .. } => {
                Self::new(ProblemKind::Equivocation, detail).field("produced")
            }
            Refusal::BrokenChain { .. } => {
                Self::new(ProblemKind::ChainBroken, detail).field("previous")
            }
            Refusal::EnergyTornApart { .. } => {
                Self::new(ProblemKind::EnergyTornApart, detail).field("produced_open")
            }
            Refusal::WindowContradictsReading { .. } => {
                Self::new(ProblemKind::Equivocation, detail).field("root")
            }
            Refusal::ForeignReadings { .. } => {
                Self::new(ProblemKind::WindowContradictsReadings, detail).field("readings")
            }
            Refusal::OutOfRange { field, .. } => {
                Self::new(ProblemKind::SequenceOutOfRange, detail).field(field)
            }
            Refusal::SensorTaken { .. } => {
                Self::new(ProblemKind::SensorInUse, detail).field("sensor_mac")
            }
            Refusal::StaleEnrolment { .. } => {
                Self::new(ProblemKind::KeyExists, detail).field("number")
            }
            Refusal::UnknownEnrolment { .. } => Self::new(ProblemKind::EnrolmentUnknown, detail),
            Refusal::UnfitReplacement { .. } => {
                Self::new(ProblemKind::StateConflict, detail).field("replaces")
            }
            Refusal::UnknownTimeZone { .. } => {
                Self::new(ProblemKind::InvalidField, detail).field("time_zone")
            }
            #[expect(unreachable_patterns, reason = "the store may learn further refusals")]
            _ => Self::new(ProblemKind::StateConflict, detail),
        }
    }
}

/// Why nothing of a meter in this state is taken.
pub(crate) fn not_active(state: InstallationState) -> Failure {
    match state {
        InstallationState::Revoked => {
            Failure::new(ProblemKind::MeterRevoked, "the meter's key was revoked")
        }
        InstallationState::Waiting | InstallationState::Active => Failure::new(
            ProblemKind::MeterWaiting,
            "no operator has approved this meter yet",
        ),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refusal) => refusal.into(),
            StoreError::Closed => Self::new(ProblemKind::Stopping, "nothing was stored"),
            other => {
                tracing::error!(error = &other as &dyn std::error::Error, "the store failed");
                Self::new(ProblemKind::StoreUnavailable, "nothing was acknowledged")
            }
        }
    }
}
