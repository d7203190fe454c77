//! Carries a device's questions about firmware over HTTP to `/ota` of a gateway, and the answers back. What is
//! asked and what is believed is the update agent's affair.

use anyhow::Context;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Url};
use ww_api::hex;
use ww_api::route::{CBOR, COSE};
use ww_device::update::agent::Request;
use ww_wire::MeterId;

/// The way of one device to one gateway.
pub(crate) struct OtaClient {
    http: Client,
    base: Url,
    device: MeterId,
}

impl OtaClient {
    /// A way for `device` to the gateway at `base`; nothing is asked yet.
    pub(crate) fn new(base: Url, device: MeterId) -> anyhow::Result<Self> {
        let http = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("no HTTP client can be made")?;
        Ok(Self { http, base, device })
    }

    /// Sends a request with its body: the status and the body of the answer, `None` where there was no
    /// connection or it broke.
    pub(crate) async fn send(&self, request: Request, body: Vec<u8>) -> Option<(u16, Vec<u8>)> {
        let answer = self.prepared(request, body).ok()?.send().await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.ok()?;
        Some((status, body.to_vec()))
    }

    fn prepared(&self, request: Request, body: Vec<u8>) -> anyhow::Result<RequestBuilder> {
        let post = |path, content_type| self.posted(path, content_type, body);
        match request {
            Request::Check => post("ota/check", CBOR),
            Request::Verify => post("ota/verify", CBOR),
            Request::Complete => post("ota/complete", COSE),
            Request::Root { number } => self.got(&format!("ota/root/{number}")),
            Request::Release { digest } => self.got(&format!("ota/release/{digest}")),
            Request::Chunk {
                object,
                from,
                count,
                nonce,
            } => {
                let (device, nonce) = (self.device, hex::encode(&nonce));
                self.got(&format!(
                    "ota/chunk?device={device}&nonce={nonce}&object={object}&from={from}&n={count}"
                ))
            }
        }
    }

    fn posted(
        &self,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<RequestBuilder> {
        let request = self.http.post(self.base.join(path)?);
        Ok(request.header(CONTENT_TYPE, content_type).body(body))
    }

    fn got(&self, path: &str) -> anyhow::Result<RequestBuilder> {
        Ok(self.http.get(self.base.join(path)?))
    }
}
