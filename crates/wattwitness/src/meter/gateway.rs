//! The gateway over HTTP: sends what the meter composed and says what became of it in the uplink's
//! own words. It reads no record.

use std::pin::Pin;
use std::time::Duration;

use anyhow::Context;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use ww_api::problem::ProblemKind;
use ww_api::route::{ACKNOWLEDGEMENT, COSE};
use ww_device::uplink::{REQUEST_TIMEOUT_MS, Refusal, Request};
use ww_verify::Plain;
use ww_wire::MeterId;

use crate::http::reason;

/// The most that is read of an answer; a longer one is not the gateway's.
const LONGEST_ANSWER: usize = 64 << 10;

/// The most of a problem's own words that is logged.
const LONGEST_DETAIL: usize = 300;

/// The longest wait that a gateway can ask for.
const LONGEST_WAIT_S: u64 = 3600;

/// The way to one gateway.
#[derive(Clone, Debug)]
pub(crate) struct GatewayClient {
    http: Client,
    base: Url,
    meter: MeterId,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was done; the body of the answer.
    Done(Vec<u8>),
    /// It was not done: the gateway holds another record of this meter in that place.
    Contradicted {
        /// In words.
        why: String,
    },
    /// It was not done.
    Refused {
        /// In the uplink's terms.
        refusal: Refusal,
        /// In words.
        why: String,
    },
}

/// A request under way. Dropping it closes its connection.
pub(crate) struct Pending {
    /// What was asked.
    pub(crate) request: Request,
    answer: Pin<Box<dyn Future<Output = Answer> + Send>>,
}

impl Pending {
    /// The answer. Nothing is lost when this is dropped before it is done.
    pub(crate) async fn answer(&mut self) -> Answer {
        (&mut self.answer).await
    }
}

/// As much of a problem (RFC 9457) as is of use here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    detail: String,
}

impl Problem {
    fn is(&self, known: ProblemKind) -> bool {
        self.kind.rsplit('/').next() == Some(known.slug())
    }
}

impl GatewayClient {
    /// A way for `meter` to the gateway at `base`; nothing is asked yet.
    pub(crate) fn new(base: Url, meter: MeterId) -> anyhow::Result<Self> {
        let http = Client::builder()
            .redirect(Policy::none())
            .timeout(Duration::from_millis(REQUEST_TIMEOUT_MS))
            .user_agent(super::USER_AGENT)
            .build()
            .context("no HTTP client can be made")?;
        Ok(Self { http, base, meter })
    }

    /// Sends `request` with its body.
    pub(crate) fn send(&self, request: Request, body: Vec<u8>) -> Pending {
        let prepared = self.prepare(request, body);
        let answer = async move {
            match prepared.send().await {
                Ok(response) => read(request, response).await,
                Err(error) => unavailable(reason(&error), None),
            }
        };
        Pending {
            request,
            answer: Box::pin(answer),
        }
    }

    fn prepare(&self, request: Request, body: Vec<u8>) -> RequestBuilder {
        match request {
            Request::Announce => self
                .http
                .post(self.url("/api/v1/installations/"))
                .header(CONTENT_TYPE, "application/json")
                .body(body),
            Request::Enrolment => self
                .http
                .get(self.url(&format!("/api/v1/meters/{}/enrolment", self.meter)))
                .header(ACCEPT, COSE),
            Request::Acceptance | Request::Reading | Request::Status | Request::Batch => self
                .http
                .post(self.url("/api/v1/records"))
                .header(CONTENT_TYPE, COSE)
                .header(ACCEPT, ACKNOWLEDGEMENT)
                .body(body),
        }
    }

    /// The base may lie below a path of its own, behind a reverse proxy.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }
}

async fn read(request: Request, mut response: Response) -> Answer {
    let status = response.status();
    let retry_after_ms = retry_after_ms(response.headers());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(bytes)) if body.len() + bytes.len() <= LONGEST_ANSWER => {
                body.extend_from_slice(&bytes);
            }
            Ok(Some(_)) => {
                let why = format!("the answer is longer than {LONGEST_ANSWER} bytes");
                return unavailable(why, None);
            }
            Ok(None) => break,
            Err(error) => return unavailable(reason(&error), None),
        }
    }
    if status.is_success() {
        return Answer::Done(body);
    }
    // What is no problem document says nothing that is understood; the status alone counts then.
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    let why = in_words(status.as_u16(), &problem);
    if is_contradiction(request, status, &problem) {
        return Answer::Contradicted { why };
    }
    Answer::Refused {
        refusal: refusal(request, status.as_u16(), &problem, retry_after_ms),
        why,
    }
}

/// Whether a refusal says that the meter contradicts itself. Only what has a number of its own can;
/// of anything else that answer is a fault of whoever gives it.
fn is_contradiction(request: Request, status: StatusCode, problem: &Problem) -> bool {
    let has_number = matches!(request, Request::Reading | Request::Batch);
    has_number && status == StatusCode::CONFLICT && problem.is(ProblemKind::Equivocation)
}

fn unavailable(why: String, retry_after_ms: Option<u64>) -> Answer {
    Answer::Refused {
        refusal: Refusal::Unavailable { retry_after_ms },
        why,
    }
}

/// How long a meter whose place another has taken keeps to itself: what it measures now is not
/// taken, unless an operator thinks again.
const REPLACED_MS: u64 = 3_600_000;

/// What a status means to the uplink; the problem's type goes before it.
fn refusal(
    request: Request,
    status: u16,
    problem: &Problem,
    retry_after_ms: Option<u64>,
) -> Refusal {
    if problem.is(ProblemKind::UnknownMeter) {
        return Refusal::UnknownMeter;
    }
    if problem.is(ProblemKind::MeterWaiting) {
        return Refusal::Waiting;
    }
    if problem.is(ProblemKind::MeterRevoked) {
        return Refusal::Revoked;
    }
    if problem.is(ProblemKind::MeterReplaced) {
        return Refusal::Unavailable {
            retry_after_ms: Some(REPLACED_MS),
        };
    }
    match status {
        404 if request == Request::Enrolment => Refusal::Waiting,
        400 | 409 | 413 | 415 | 422 => Refusal::Content,
        _ => Refusal::Unavailable { retry_after_ms },
    }
}

fn in_words(status: u16, problem: &Problem) -> String {
    let words = match (problem.title.as_str(), problem.detail.as_str()) {
        ("", "") => "no reason given".to_owned(),
        (title, "") => title.to_owned(),
        ("", detail) => detail.to_owned(),
        (title, detail) => format!("{title}: {detail}"),
    };
    let shown: String = words.chars().take(LONGEST_DETAIL).collect();
    format!("{} (status {status})", Plain(&shown))
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3); a date is not taken, because the two clocks
/// may differ.
fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let seconds: u64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(seconds.min(LONGEST_WAIT_S) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IN_AN_HOUR: Refusal = Refusal::Unavailable {
        retry_after_ms: Some(3_600_000),
    };
    const LATER: Refusal = Refusal::Unavailable {
        retry_after_ms: None,
    };

    fn of_kind(kind: &str) -> Problem {
        Problem {
            kind: kind.to_owned(),
            ..Problem::default()
        }
    }

    #[test]
    fn a_problems_type_goes_before_its_status() {
        for (kind, expected) in [
            ("/problems/unknown-meter", Refusal::UnknownMeter),
            ("/problems/meter-waiting", Refusal::Waiting),
            ("https://x/problems/meter-revoked", Refusal::Revoked),
            ("/problems/meter-replaced", IN_AN_HOUR),
            ("/problems/forbidden", LATER),
        ] {
            assert_eq!(
                refusal(Request::Reading, 403, &of_kind(kind), None),
                expected
            );
        }
    }

    #[test]
    fn what_will_never_be_taken_is_told_from_what_may_be_later() {
        for status in [400, 409, 413, 415, 422] {
            let told = refusal(Request::Batch, status, &of_kind(""), None);
            assert_eq!(told, Refusal::Content);
        }
        for status in [301, 401, 404, 408, 429, 500, 503] {
            let told = refusal(Request::Batch, status, &of_kind(""), None);
            assert_eq!(told, LATER);
        }
    }

    #[test]
    fn only_what_has_a_number_is_contradicted_and_only_by_a_conflict() {
        let equivocation = of_kind("/problems/equivocation");
        let conflict = StatusCode::CONFLICT;
        for request in [Request::Reading, Request::Batch] {
            assert!(is_contradiction(request, conflict, &equivocation));
            assert!(!is_contradiction(request, conflict, &of_kind("")));
            let unavailable = StatusCode::SERVICE_UNAVAILABLE;
            assert!(!is_contradiction(request, unavailable, &equivocation));
        }
        for request in [
            Request::Announce,
            Request::Enrolment,
            Request::Acceptance,
            Request::Status,
        ] {
            assert!(!is_contradiction(request, conflict, &equivocation));
        }
    }

    #[test]
    fn no_enrolment_yet_is_waiting() {
        let told = refusal(Request::Enrolment, 404, &of_kind(""), None);
        assert_eq!(told, Refusal::Waiting);
    }

    #[test]
    fn retry_after_is_taken_in_seconds_and_bounded() {
        let wait = |text| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text);
            retry_after_ms(&headers)
        };
        let header = reqwest::header::HeaderValue::from_static;
        assert_eq!(wait(header("7")), Some(7_000));
        assert_eq!(wait(header("99999999999")), Some(3_600_000));
        assert_eq!(wait(header("Wed, 21 Oct 2015 07:28:00 GMT")), None);
    }

    #[test]
    fn a_path_of_the_base_stays_in_front() {
        let base = Url::parse("https://park.example/energy/").unwrap();
        let client = GatewayClient::new(base, ww_wire::SignerId([0; 32])).unwrap();
        assert_eq!(
            client.url("/api/v1/records").as_str(),
            "https://park.example/energy/api/v1/records"
        );
    }

    #[test]
    fn words_of_a_gateway_cannot_steer_the_terminal() {
        let problem = Problem {
            title: "a\u{1b}[2Jb\n".to_owned(),
            ..Problem::default()
        };
        assert_eq!(
            in_words(422, &problem),
            "a\u{fffd}[2Jb\u{fffd} (status 422)"
        );
    }
}
