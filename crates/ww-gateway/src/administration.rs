//! API keys, the audit trail, figures, and readings taken over from an older system.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use ww_api::{
    ApiKey, AuditEntry, ImportSource, ImportedReading, NewApiKey, NewApiKeyAnswer, ProblemKind,
    time,
};
use ww_store::{AuditQuery, KeyId};
use ww_wire::Hash;

use crate::access::{Caller, new_key, stored_role};
use crate::csv::{self, BYTE_ORDER_MARK};
use crate::error::{Failure, Result};
use crate::export::pages;
use crate::installations::JsonBody;
use crate::parameters::{Parameters, Path};
use crate::readings::page;
use crate::state::{Gateway, to_its_end};
use crate::view;

/// Rows of the audit trail when nothing is said.
const AUDIT_ROWS: u32 = 100;

/// Rows of an export that are read at a time.
const EXPORT_ROWS: u32 = 1_000;

/// The longest name of a key.
const MAX_NAME: usize = 64;

/// `GET /api/v1/keys`.
pub(crate) async fn list_keys(State(gateway): State<Gateway>) -> Result<Json<Vec<ApiKey>>> {
    let keys = gateway.store.keys().await?;
    Ok(Json(keys.iter().map(view::key).collect()))
}

/// `POST /api/v1/keys`.
pub(crate) async fn create_key(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    JsonBody(body): JsonBody<NewApiKey>,
) -> Result<Response<Body>> {
    let length = body.name.chars().count();
    if length == 0 || length > MAX_NAME || body.name.chars().any(char::is_control) {
        let rule = format!("has 1 to {MAX_NAME} characters, none of them a control character");
        return Err(Failure::invalid("name", rule));
    }
    let expires = match &body.expires_at {
        None => None,
        Some(text) => Some(
            time::parse_iso(text)
                .ok_or_else(|| Failure::invalid("expires_at", "must be an ISO 8601 time"))?,
        ),
    };
    let key = new_key().map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "no key could be made"
        );
        Failure::new(ProblemKind::Internal, "no key could be made")
    })?;
    let new = ww_store::NewApiKey {
        name: body.name.clone(),
        role: stored_role(body.role),
        hash: Hash::of(&[key.as_bytes()]),
        expires,
    };
    let audit = gateway.audit_of(
        &caller,
        "key.create",
        format!("key {}", body.name),
        format!("role {}", body.role.name()),
    );
    let stored = to_its_end(async move {
        let stored = gateway.store.add_key(new, audit).await?;
        gateway.keys.put(&stored);
        Ok(stored)
    })
    .await?;
    let answer = NewApiKeyAnswer {
        id: u64::from(stored.id.0),
        name: body.name,
        role: body.role,
        key,
    };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// `DELETE /api/v1/keys/{id}`.
pub(crate) async fn revoke_key(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let missing = || Failure::not_found(format!("key {id}"));
    let number = id.parse().map(KeyId).map_err(|_| missing())?;
    let audit = gateway.audit_of(&caller, "key.revoke", format!("key {id}"), "");
    let intake = Arc::clone(&gateway);
    let revoked = to_its_end(async move {
        let revoked = intake.store.revoke_key(number, audit).await?;
        if let Some(revoked) = &revoked {
            intake.keys.put(revoked);
        }
        Ok(revoked)
    });
    revoked.await?.ok_or_else(missing)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/audit`.
pub(crate) async fn list_audit(
    State(gateway): State<Gateway>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let limit = parameters
        .limit(gateway.config.limits.page_rows)?
        .unwrap_or(AUDIT_ROWS);
    let query = AuditQuery {
        before: parameters.integer("cursor")?,
        limit,
        ..audit_query(&parameters)?
    };
    let records = gateway.store.audit(query).await?;
    let shown: Vec<AuditEntry> = records.into_iter().map(view::audit).collect();
    let cursor = shown.last().map(|entry| entry.id.to_string());
    Ok(page(shown, limit, cursor, &uri, &parameters))
}

/// What a query says of the lines that are asked for; where a page begins and ends it does not look.
fn audit_query(parameters: &Parameters) -> Result<AuditQuery> {
    let text = |name| parameters.text(name).map(str::to_owned);
    let (start, end) = (parameters.time("start_time")?, parameters.time("end_time")?);
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        return Err(Failure::invalid(
            "start_time",
            "must not be after `end_time`",
        ));
    }
    Ok(AuditQuery {
        actor: text("actor"),
        action: text("action"),
        subject: text("subject"),
        start,
        end,
        before: None,
        limit: 0,
    })
}

/// `GET /api/v1/audit.csv`.
pub(crate) async fn export_audit(
    State(gateway): State<Gateway>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let query = AuditQuery {
        limit: EXPORT_ROWS,
        ..audit_query(&parameters)?
    };
    let mut head = BYTE_ORDER_MARK.as_bytes().to_vec();
    let mut row = csv::Row::of(&mut head);
    for name in ["time_utc", "actor", "action", "subject", "detail"] {
        row.cell(name);
    }
    row.end();
    let table = (query, head);
    let pieces = pages(gateway, Some(caller), table, |table, gateway| async move {
        let (query, mut piece) = table;
        let records = gateway.store.audit(query.clone()).await?;
        for ww_store::AuditRecord { audit, .. } in &records {
            let time = view::iso(audit.at).unwrap_or_default();
            let mut row = csv::Row::of(&mut piece);
            row.cell(&time).said(&audit.actor).said(&audit.action);
            row.said(&audit.subject).said(&audit.detail).end();
        }
        let next = match records.last() {
            Some(last) if records.len() as u32 == EXPORT_ROWS => {
                let before = Some(last.id);
                Some((AuditQuery { before, ..query }, Vec::new()))
            }
            _ => None,
        };
        Ok((piece, next))
    });
    Ok(csv::download("audit.csv", pieces))
}

/// `GET /api/v1/imports`.
pub(crate) async fn list_imports(
    State(gateway): State<Gateway>,
) -> Result<Json<Vec<ImportSource>>> {
    let sources = gateway.store.import_sources().await?;
    let shown = sources.into_iter().map(|name| ImportSource { name });
    Ok(Json(shown.collect()))
}

/// `GET /api/v1/imports/{source}`.
pub(crate) async fn list_imported(
    State(gateway): State<Gateway>,
    Path(source): Path<String>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response<Body>> {
    let most = gateway.config.limits.page_rows;
    let limit = parameters.limit(most)?.unwrap_or(most);
    let after = parameters.integer("cursor")?;
    let readings = gateway.store.imported(source, after, limit).await?;
    let shown: Vec<ImportedReading> = readings.into_iter().map(view::imported).collect();
    let cursor = shown.last().map(|reading| reading.id.to_string());
    Ok(page(shown, limit, cursor, &uri, &parameters))
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(gateway): State<Gateway>) -> Response<Body> {
    let statistics = gateway.store.statistics().await.ok();
    let figures = &gateway.metrics;
    let text = figures.render(statistics.as_ref(), gateway.status.health());
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    response
}
