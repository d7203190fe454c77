//! The pages: the dashboard at `/`, the interactive documentation at `/docs`, and the explanation
//! of every problem. All of it is in the binary; no other host is ever asked.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use rust_embed::RustEmbed;
use utoipa_swagger_ui::Config;
use ww_api::{ProblemKind, openapi};

use crate::error::{Failure, Result};
use crate::parameters::Path;
use crate::router::method_of_door;

/// The built files of the dashboard; none when it was not built before this program.
#[derive(RustEmbed)]
#[folder = "../../dashboard/dist"]
#[allow_missing = true]
struct Dashboard;

/// Nothing but what this gateway serves, and no inline script or style.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
     <title>WattWitness</title><h1>WattWitness gateway</h1>\
     <p>The dashboard is not in this program. Build it first, then the program:</p>\
     <pre>npm --prefix dashboard ci\nnpm --prefix dashboard run build\ncargo build --release -p wattwitness</pre>\
     <p>The API works without it: <a href=\"/docs\">documentation</a>.</p></html>";

/// Whatever no route of the API has: the dashboard's files, its page, or a problem.
pub(crate) async fn dashboard(method: Method, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let path = uri.path().trim_start_matches('/');
    if let Some(method) = method_of_door(uri.path()) {
        return allowing(method, not_allowed().await);
    }
    if path.starts_with("api/") || path.starts_with("ota/") {
        return Failure::not_found(format!("path /{path}")).into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return allowing("GET,HEAD", not_allowed().await);
    }
    if let Some(file) = Dashboard::get(path).filter(|_| !path.is_empty()) {
        return file_answer(path, &file, &headers);
    }
    let wants_page = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_none_or(|accept| accept.contains("text/html") || accept.contains("*/*"));
    let is_file = path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.contains('.'));
    if is_file || !wants_page {
        return Failure::not_found(format!("file /{path}")).into_response();
    }
    match Dashboard::get("index.html") {
        Some(file) => file_answer("index.html", &file, &headers),
        None => page(
            Cow::Borrowed(NOT_BUILT.as_bytes()),
            "text/html; charset=utf-8",
        ),
    }
}

/// Names the methods of a path that the router does not know.
fn allowing(methods: &'static str, failure: Failure) -> Response<Body> {
    let mut response = failure.into_response();
    let methods = HeaderValue::from_static(methods);
    response.headers_mut().insert(header::ALLOW, methods);
    response
}

/// A path that exists, but not with this method.
pub(crate) async fn not_allowed() -> Failure {
    Failure::new(
        ProblemKind::MethodNotAllowed,
        "this path does not know this method",
    )
}

fn file_answer(path: &str, file: &rust_embed::EmbeddedFile, headers: &HeaderMap) -> Response<Body> {
    let tag = format!(
        "\"{}\"",
        ww_api::hex::encode(&file.metadata.sha256_hash()[..16])
    );
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        page(file.data.clone(), media_type(path))
    };
    // The names of built files carry their digest; the page itself is asked for anew every time.
    let cache = match path.starts_with("assets/") {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

fn page(body: Cow<'static, [u8]>, media_type: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    let mut put = |name, value| headers.insert(name, HeaderValue::from_static(value));
    put(header::CONTENT_TYPE, media_type);
    put(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::REFERRER_POLICY, "no-referrer");
    response
}

/// `GET /api/v1/openapi.json`.
pub(crate) async fn openapi_document() -> Response<Body> {
    static DOCUMENT: LazyLock<String> = LazyLock::new(openapi::document_json);
    let mut response = Response::new(Body::from(DOCUMENT.as_str()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// `GET /docs`: the page itself, so that no redirect is needed.
pub(crate) async fn docs_page() -> Result<Response<Body>> {
    docs_file("index.html").map(|(body, _)| {
        let html = String::from_utf8_lossy(&body)
            .replace("href=\"./", "href=\"/docs/")
            .replace("src=\"./", "src=\"/docs/")
            .replace("href=\"index.css", "href=\"/docs/index.css");
        page(Cow::Owned(html.into_bytes()), "text/html; charset=utf-8")
    })
}

/// `GET /docs/{file}`.
pub(crate) async fn docs_asset(Path(file): Path<String>) -> Result<Response<Body>> {
    let (body, _) = docs_file(&file)?;
    Ok(page(Cow::Owned(body.into_owned()), media_type(&file)))
}

fn docs_file(file: &str) -> Result<(Cow<'static, [u8]>, String)> {
    static CONFIG: LazyLock<Arc<Config<'static>>> =
        LazyLock::new(|| Arc::new(Config::from("/api/v1/openapi.json")));
    match utoipa_swagger_ui::serve(file, Arc::clone(&CONFIG)) {
        Ok(Some(served)) => Ok((Cow::Owned(served.bytes.into_owned()), served.content_type)),
        _ => Err(Failure::not_found(format!("file /docs/{file}"))),
    }
}

/// `GET /problems/{kind}`.
pub(crate) async fn explain_problem(Path(slug): Path<String>) -> Result<Response<Body>> {
    let kind = ProblemKind::from_slug(&slug)
        .ok_or_else(|| Failure::not_found(format!("kind of problem named {slug}")))?;
    let mut text = format!("{}\n\n", kind.title());
    writeln!(text, "{}\n\nHTTP status {}.", kind.meaning(), kind.status())
        .expect("writing to a String does not fail");
    Ok(page(
        Cow::Owned(text.into_bytes()),
        "text/plain; charset=utf-8",
    ))
}
