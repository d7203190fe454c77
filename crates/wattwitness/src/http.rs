//! A person's way to a gateway's API: asks with an API key, bounds what comes back, and gives the
//! gateway's own words when it refuses. How addresses and errors of HTTP are read stands here for all.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use reqwest::header::{HeaderMap, LINK};
use reqwest::{Client, Method, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ww_api::{Installation, Problem, ProblemKind};
use ww_verify::Plain;

/// The most bytes that one answer may have.
const LONGEST_ANSWER: usize = 64 << 20;

/// The most pages of one list.
const MOST_PAGES: usize = 1_000;

/// How an address is written, for whoever wrote it otherwise.
pub(crate) const EXAMPLE: &str = "http://192.168.1.10:8000";

/// Reads the address of a gateway on the command line.
pub(crate) fn address(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).ok().filter(is_address);
    url.with_context(|| format!("write it like {EXAMPLE}"))
}

/// Whether it leads to a server on the network.
pub(crate) fn is_address(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// What an error of HTTP comes from, in one line: what lies between says the same in words of the
/// library.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if cause.is::<reqwest::Error>() {
        // It would name the address, which is known.
        return cause
            .to_string()
            .split(" for url")
            .next()
            .unwrap_or_default()
            .to_owned();
    }
    Plain(&cause.to_string()).to_string()
}

/// Nobody answered.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    base: Url,
    why: String,
    /// Not even a connection was made.
    pub(crate) is_unconnected: bool,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no gateway answers at {}: {}", self.base, self.why)
    }
}

impl Error for NoAnswer {}

/// The gateway, as something that answers.
pub(crate) struct Server {
    client: Client,
    base: Url,
    api_key: Option<String>,
}

impl Server {
    /// A way to `gateway`; nothing is asked yet.
    pub(crate) fn new(gateway: &Url, api_key_file: Option<&Path>) -> anyhow::Result<Self> {
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(30))
            .build()?;
        let mut base = gateway.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let api_key = match api_key_file {
            None => None,
            Some(file) => {
                let key = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read the API key in {}", file.display()))?;
                let key = key.trim();
                ensure!(
                    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()),
                    "{} holds no API key",
                    file.display()
                );
                Some(key.to_owned())
            }
        };
        Ok(Self {
            client,
            base,
            api_key,
        })
    }

    /// The installation of a meter, if the gateway knows it.
    pub(crate) async fn installation(&self, meter: &str) -> anyhow::Result<Option<Installation>> {
        let all: Vec<Installation> = self.json("api/v1/installations/").await?;
        Ok(all
            .into_iter()
            .find(|installation| installation.meter_id.eq_ignore_ascii_case(meter)))
    }

    /// `GET`s JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let body = self.bytes(path).await?;
        read(path, &body)
    }

    /// `GET`s bytes.
    pub(crate) async fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        self.exchange(Method::GET, path, None).await
    }

    /// `GET`s the pages of a list, and gives each to `take`; none when there is nothing at that path.
    /// All of them together have a bound, however far a gateway leads.
    pub(crate) async fn pages(
        &self,
        path: &str,
        mut take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut answer = self.ask(Method::GET, path, None).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        let mut length = 0;
        for _ in 0..MOST_PAGES {
            let next = answer.next.take();
            let page = answer.taken()?;
            length += page.len();
            ensure!(
                length <= LONGEST_ANSWER,
                "the gateway's answers to {path} are too long"
            );
            take(&page)?;
            let Some(query) = next else {
                return Ok(());
            };
            answer = self
                .ask(Method::GET, &format!("{path}?{query}"), None)
                .await?;
        }
        bail!("the gateway's answer to {path} has more than {MOST_PAGES} pages")
    }

    /// `POST`s JSON and reads JSON.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<T> {
        let body = Body {
            kind: "application/json",
            bytes: body,
        };
        let body = self.exchange(Method::POST, path, Some(body)).await?;
        read(path, &body)
    }

    /// `POST`s bytes of this media type, or nothing.
    pub(crate) async fn upload(
        &self,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> anyhow::Result<Vec<u8>> {
        let body = body.map(|(kind, bytes)| Body { kind, bytes });
        self.exchange(Method::POST, path, body).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Body>,
    ) -> anyhow::Result<Vec<u8>> {
        self.ask(method, path, body).await?.taken()
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Body>) -> anyhow::Result<Answer> {
        let url = self.base.join(path)?;
        let mut request = self.client.request(method, url.clone());
        if let Some(key) = &self.api_key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.header("content-type", body.kind).body(body.bytes);
        }
        let mut response = request.send().await.map_err(|error| NoAnswer {
            base: self.base.clone(),
            why: reason(&error),
            is_unconnected: error.is_connect(),
        })?;
        let next = next_page(&url, response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .context("the gateway's answer broke off")?
        {
            ensure!(
                body.len() + chunk.len() <= LONGEST_ANSWER,
                "the gateway's answer is too long"
            );
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            url,
            status: response.status(),
            body,
            next,
        })
    }
}

/// What is sent.
struct Body {
    kind: &'static str,
    bytes: Vec<u8>,
}

/// What came back, whatever it says.
struct Answer {
    url: Url,
    status: StatusCode,
    body: Vec<u8>,
    /// What to ask for at the same path to get what follows.
    next: Option<String>,
}

impl Answer {
    /// The body, unless the gateway refused.
    fn taken(self) -> anyhow::Result<Vec<u8>> {
        if !self.status.is_success() {
            bail!(
                "the gateway refused {}: {}",
                self.url,
                refusal(self.status, &self.body)
            );
        }
        Ok(self.body)
    }
}

/// The query of the next page (RFC 8288). Only the query is taken: a gateway leads on in its own list,
/// and the API key goes nowhere else.
fn next_page(url: &Url, headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(LINK).iter();
    let next = links
        .filter_map(|link| link.to_str().ok())
        .find_map(|link| link.strip_prefix('<')?.strip_suffix(">; rel=\"next\""))?;
    Some(url.join(next).ok()?.query()?.to_owned())
}

/// Reads JSON of others. An error quotes what is wrong in it.
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> anyhow::Result<T> {
    serde_json::from_slice(body).map_err(|error| anyhow!("{}", Plain(&error.to_string())))
}

fn read<T: DeserializeOwned>(path: &str, body: &[u8]) -> anyhow::Result<T> {
    read_json(body).with_context(|| {
        format!("the answer to {path} is not what a gateway says; is this its address?")
    })
}

/// What a problem says in its own words; the status of what is no problem document.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    match Problem::deserialize(&mut serde_json::Deserializer::from_slice(body)) {
        Ok(problem) if problem.kind == ProblemKind::Unauthorized.path() => {
            format!(
                "{}. Name a file with an API key by --api-key-file",
                Plain(&problem.title)
            )
        }
        Ok(problem) => format!("{}: {}", Plain(&problem.title), Plain(&problem.detail)),
        Err(_) => format!("{status}, which is not what a gateway says; is this its address?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_gateway_says_cannot_act_on_the_terminal() {
        let said = refusal_of("about:blank", "No\u{1b}[2J", "\u{202e}esrever\u{9b}31m");
        assert_eq!(said, "No\u{fffd}[2J: \u{fffd}esrever\u{fffd}31m");
        let said = refusal_of("/problems/unauthorized", "No\u{1b}[2J", "");
        assert!(said.starts_with("No\u{fffd}[2J. Name a file"), "{said}");
    }

    #[test]
    fn who_named_a_key_is_not_told_to_name_one() {
        let said = refusal_of("/problems/key-unknown", "Not known", "send another one");
        assert_eq!(said, "Not known: send another one");
    }

    fn refusal_of(kind: &str, title: &str, detail: &str) -> String {
        let body = serde_json::json!({
            "type": kind, "title": title, "status": 401, "detail": detail,
        });
        refusal(StatusCode::UNAUTHORIZED, body.to_string().as_bytes())
    }

    #[test]
    fn what_a_gateway_says_wrongly_cannot_act_on_the_terminal() {
        let body = br#""\u001b]0;mine\u0007""#;
        let error = read::<ww_api::Role>("api/v1/keys", body).unwrap_err();
        let said = format!("{error:#}");
        assert!(said.contains("\u{fffd}]0;mine\u{fffd}"), "{said}");
    }

    #[test]
    fn a_link_that_leads_elsewhere_gives_no_more_than_a_query() {
        let url = Url::parse("http://127.0.0.1:8000/api/v1/list").unwrap();
        let next = |link: &str| {
            let headers = HeaderMap::from_iter([(LINK, link.parse().unwrap())]);
            next_page(&url, &headers)
        };
        let cursor = Some("cursor=7".to_owned());
        assert_eq!(next("</api/v1/list?cursor=7>; rel=\"next\""), cursor);
        assert_eq!(next("<http://192.0.2.1/?cursor=7>; rel=\"next\""), cursor);
        assert_eq!(next("</api/v1/list?cursor=7>; rel=\"prev\""), None);
        assert_eq!(next_page(&url, &HeaderMap::new()), None);
    }
}
