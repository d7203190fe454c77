//! Which path leads where. The doors for records are dispatched before the router: nothing stands
//! around them. Everything else passes the access check of the table of routes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Response, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use hyper::body::Incoming;
use tower::{Layer as _, Service as _, ServiceExt as _};
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use ww_api::{Evidence, Finding, ProblemKind};

use crate::access::authorize;
use crate::connection::{Activity, BusyBody};
use crate::error::Failure;
use crate::firmware::{self, rollouts};
use crate::metrics::add;
use crate::state::{Encrypted, Gateway, Peer};
use crate::{
    administration, alerts, assets, export, history, ingest, installations, live, marks, network,
    ota, readings, records, session, status,
};

/// Where the requests of one connection come in.
pub(crate) struct Entrance {
    pub(crate) gateway: Gateway,
    pub(crate) router: Router,
    pub(crate) cors: CorsLayer,
    pub(crate) peer: Peer,
    /// Whether the peer is a proxy that says for whom it asks.
    pub(crate) is_proxy: bool,
    /// Whether the connection is encrypted.
    pub(crate) is_encrypted: bool,
    pub(crate) activity: Arc<Activity>,
}

/// Answers one request. What is rare stands in boxes, so that the future of a reading, which is
/// moved with every request, is small.
pub(crate) async fn answer(
    entrance: Arc<Entrance>,
    mut request: hyper::Request<Incoming>,
) -> Response<Body> {
    let busy = entrance.activity.begin();
    let Entrance {
        gateway, router, ..
    } = &*entrance;
    let peer = match entrance.is_proxy {
        false => entrance.peer,
        true => Peer(network::behind(
            &gateway.config.trusted_proxies,
            entrance.peer.0,
            request.headers(),
        )),
    };
    if let Some(door) = ota::Door::at(request.uri().path())
        && door.method() == request.method()
    {
        let answered = Box::pin(ota::enter(door, gateway, peer, request)).await;
        // An object is sent for longer than it takes to answer.
        return answered.map(|body| BusyBody::around(body, busy));
    }
    if let Some(door) = door(&request) {
        // Meters are no browsers: what a page of another origin needs is only for who names one.
        if !request.headers().contains_key(header::ORIGIN) {
            return enter(door, gateway, peer, request).await;
        }
        let entered = tower::service_fn(|request| async {
            Ok::<_, Infallible>(enter(door, gateway, peer, request).await)
        });
        let answering = entrance.cors.layer(entered).oneshot(request);
        let answered = Box::pin(answering).await;
        return answered.unwrap_or_else(|never| match never {});
    }
    let is_encrypted = entrance.is_encrypted
        || entrance.is_proxy && network::is_encrypted_behind(request.headers());
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(Encrypted(is_encrypted));
    let answered = Box::pin(router.clone().call(request)).await;
    let response = answered.unwrap_or_else(|never| match never {});
    response.map(|body| BusyBody::around(body, busy))
}

/// The doors for records.
#[derive(Clone, Copy)]
enum Door {
    Json,
    Binary,
}

fn door(request: &hyper::Request<Incoming>) -> Option<Door> {
    if request.method() != Method::POST {
        return None;
    }
    door_at(request.uri().path())
}

/// The one method that the door at a path takes.
pub(crate) fn method_of_door(path: &str) -> Option<&'static str> {
    let of_devices = ota::Door::at(path).map(|door| match door.method() {
        Method::GET => "GET",
        _ => "POST",
    });
    of_devices.or(door_at(path).map(|_| "POST"))
}

fn door_at(path: &str) -> Option<Door> {
    match path {
        "/api/v1/readings/" | "/api/v1/readings" => Some(Door::Json),
        "/api/v1/records" => Some(Door::Binary),
        _ => None,
    }
}

async fn enter(
    door: Door,
    gateway: &Gateway,
    peer: Peer,
    request: hyper::Request<Incoming>,
) -> Response<Body> {
    match door {
        Door::Json => ingest::submit_reading(gateway, peer, request).await,
        Door::Binary => records::submit_records(gateway, peer, request).await,
    }
}

/// Everything but the doors for records.
pub(crate) fn router(gateway: &Gateway) -> Router {
    let api = Router::new()
        .route(
            "/api/v1/installations/",
            get(installations::list).post(installations::announce),
        )
        .route(
            "/api/v1/installations",
            get(installations::list).post(installations::announce),
        )
        .route("/api/v1/installations/{id}", get(installations::one))
        .route("/api/v1/installations/{id}/energy", get(readings::energy))
        .route(
            "/api/v1/installations/{id}/readings/{reading_id}",
            get(readings::one),
        )
        .route("/api/v1/installations/{id}/windows", get(readings::windows))
        .route(
            "/api/v1/installations/{id}/windows/{window_id}",
            get(readings::window),
        )
        .route(
            "/api/v1/installations/{id}/readings.csv",
            get(export::readings),
        )
        .route("/api/v1/installations/{id}/history", get(history::list))
        .route("/api/v1/installations/{id}/marks", get(marks::list))
        .route(
            "/api/v1/installations/{id}/findings",
            get(readings::by_place::<Finding>),
        )
        .route(
            "/api/v1/installations/{id}/evidence",
            get(readings::by_place::<Evidence>),
        )
        .route(
            "/api/v1/installations/{id}/approve",
            post(installations::approve),
        )
        .route(
            "/api/v1/installations/{id}/label",
            post(installations::relabel),
        )
        .route(
            "/api/v1/installations/{id}/revoke",
            post(installations::revoke),
        )
        .route("/api/v1/energy", get(readings::energies))
        .route("/api/v1/readings/pending", get(readings::pending))
        .route("/api/v1/readings/latest", get(readings::latest_of_all))
        .route(
            "/api/v1/readings/latest/{installation_id}",
            get(readings::latest),
        )
        .route("/api/v1/readings/{installation_id}", get(readings::list))
        .route(
            "/api/v1/readings/{installation_id}/optimized",
            get(readings::thinned),
        )
        .route(
            "/api/v1/readings/{installation_id}/chart",
            get(readings::chart),
        )
        .route("/api/v1/status/", get(status::park))
        .route("/api/v1/status", get(status::park))
        .route("/api/v1/alerts", get(alerts::list))
        .route("/api/v1/live", get(live::stream_live))
        .route(
            "/api/v1/meters/{meter_id}/enrolment",
            get(records::read_enrolment),
        )
        .route(
            "/api/v1/meters/{meter_id}/enrolments",
            get(records::list_enrolments),
        )
        .route(
            "/api/v1/meters/{meter_id}/statements",
            get(records::list_statements),
        )
        .route(
            "/api/v1/meters/{meter_id}/records",
            get(records::list_records),
        )
        .route("/api/v1/imports", get(administration::list_imports))
        .route(
            "/api/v1/imports/{source}",
            get(administration::list_imported),
        )
        .route("/api/v1/audit", get(administration::list_audit))
        .route("/api/v1/audit.csv", get(administration::export_audit))
        .route(
            "/api/v1/keys",
            get(administration::list_keys).post(administration::create_key),
        )
        .route("/api/v1/keys/{id}", delete(administration::revoke_key))
        .route(
            "/api/v1/firmware/roots",
            get(firmware::list_roots).post(firmware::add_root),
        )
        .route(
            "/api/v1/firmware/releases",
            get(firmware::list_releases).post(firmware::publish),
        )
        .route(
            "/api/v1/firmware/releases/{digest}",
            get(firmware::read_release),
        )
        .route(
            "/api/v1/firmware/releases/{digest}/withdraw",
            post(firmware::withdraw),
        )
        .route(
            "/api/v1/firmware/rollouts",
            get(rollouts::list).post(rollouts::begin),
        )
        .route("/api/v1/firmware/rollouts/{id}", get(rollouts::one))
        .route(
            "/api/v1/firmware/rollouts/{id}/devices",
            get(rollouts::devices),
        )
        .route(
            "/api/v1/firmware/rollouts/{id}/devices/{meter_id}/retry",
            post(rollouts::retry),
        )
        .route(
            "/api/v1/firmware/rollouts/{id}/pause",
            post(rollouts::pause),
        )
        .route(
            "/api/v1/firmware/rollouts/{id}/resume",
            post(rollouts::resume),
        )
        .route(
            "/api/v1/firmware/rollouts/{id}/abort",
            post(rollouts::abort),
        )
        .route("/ota/status", get(firmware::list_devices))
        .route("/ota/status/{meter_id}", get(firmware::read_device))
        .route(
            "/api/v1/session",
            get(session::read).post(session::begin).delete(session::end),
        )
        .route("/api/v1/openapi.json", get(assets::openapi_document))
        .route("/metrics", get(administration::metrics))
        .route("/problems/{kind}", get(assets::explain_problem))
        .route_layer(middleware::from_fn_with_state(gateway.clone(), authorize));
    let pages = Router::new()
        .route("/health", get(status::health))
        .route("/ready", get(status::ready))
        .route("/docs", get(assets::docs_page))
        .route("/docs/", get(assets::docs_page))
        .route("/docs/{file}", get(assets::docs_asset));
    api.merge(pages)
        .fallback(assets::dashboard)
        .method_not_allowed_fallback(assets::not_allowed)
        .layer(CompressionLayer::new().gzip(true))
        .layer(middleware::from_fn_with_state(gateway.clone(), observe))
        .layer(cors(&gateway.config.cors_origins))
        .with_state(gateway.clone())
}

/// Counts a request, bounds its time, dates its answer and logs it.
async fn observe(State(gateway): State<Gateway>, request: Request, next: Next) -> Response<Body> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long an answer took is measured here"
    )]
    let started = Instant::now();
    add(&gateway.metrics.requests, 1);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let limits = &gateway.config.limits;
    let limit = match (&method, path.as_str()) {
        (&Method::POST, "/api/v1/firmware/releases") => limits.release_timeout_ms,
        _ => limits.request_timeout_ms,
    };
    let limit = Duration::from_millis(limit);
    let mut response = match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("no answer was found within {} ms", limit.as_millis());
            Failure::new(ProblemKind::RequestTimeout, detail).into_response()
        }
    };
    if let Some(kind) = response.extensions().get::<ProblemKind>() {
        gateway.metrics.problem(*kind);
    }
    let headers = response.headers_mut();
    headers
        .entry(header::X_CONTENT_TYPE_OPTIONS)
        .or_insert(HeaderValue::from_static("nosniff"));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    // Who does not know the time says none (RFC 9110, section 6.6.1).
    let date = gateway.now().map(ww_api::time::http_date);
    if let Some(date) = date.and_then(|date| date.parse().ok()) {
        headers.insert(header::DATE, date);
    }
    tracing::debug!(
        %method,
        path,
        status = response.status().as_u16(),
        duration_ms = started.elapsed().as_secs_f64() * 1e3,
        "answered"
    );
    response
}

/// What browsers are told about pages of other origins.
pub(crate) fn cors(origins: &[String]) -> CorsLayer {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| origin.parse().ok()))
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::HeaderName::from_static("last-event-id"),
        ])
        .expose_headers(Any)
        .max_age(Duration::from_secs(600))
}
