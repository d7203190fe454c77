//! The OpenAPI 3.1 document, made from the table of routes and the schemas.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::security::{
    self, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Content, InfoBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr, Required, ResponseBuilder,
};

use crate::finding::{Evidence, Finding, SignedRecord};
use crate::import::{ImportSource, ImportedReading};
use crate::route::{Access, Body, Method, Parameter, ROUTES, Route, Shape};
use crate::session::SESSION_COOKIE;
use crate::status::{Alive, InternetState};
use crate::submission::SubmissionShape;
use crate::{
    Alert, AlertKind, Announcement, ApiKey, Approval, AuditEntry, Chart, DataPoint, Energy,
    EnrolmentDetail, FirmwareDevice, FirmwareDeviceDetail, FirmwareEncoding, FirmwareRelease,
    FirmwareReleaseState, FirmwareReport, FirmwareRole, FirmwareRoot, Health, HistoryEntry,
    HistoryKind, Installation, InstallationDetail, InstallationState, Internet, LabelRequest,
    LastBoot, Liveness, MaintenanceWindow, Mark, MarkKind, MeterReport, MeterStatus, NewApiKey,
    NewApiKeyAnswer, NewRollout, NewSession, ParkStatus, PendingReadings, Problem, Proposal,
    Readiness, Reading, ReadingProof, RecordReference, RevocationDetail, RevocationRequest, Role,
    Rollout, RolloutCounts, RolloutDetail, RolloutDevice, RolloutDeviceState, RolloutGroup,
    RolloutState, RolloutStep, RolloutWave, RolloutWaveSize, RolloutWaveState, Session, SignedBy,
    TimeFrame, UpdateOutcome, UpdateState, WindowDetail, WindowReading, WindowSummary,
};

/// The name of the security scheme for API keys.
const BEARER: &str = "api_key";

/// The name of the security scheme for browsers.
const SESSION: &str = "session";

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let mut paths = Paths::new();
    for route in ROUTES {
        paths.add_path_operation(route.path, vec![method(route.method)], operation(route));
    }
    let bearer = SecurityScheme::Http(
        Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An API key, `wwk_…`. Viewers' routes need none while public read is on.",
            ))
            .build(),
    );
    let session = SecurityScheme::ApiKey(security::ApiKey::Cookie(ApiKeyValue::with_description(
        SESSION_COOKIE,
        "A browser's session, see `POST /api/v1/session`; the name goes on with `_` and eight digits of \
         the gateway's own, and over HTTPS has `__Host-` before it. Requests other than GET and HEAD then have the session's `csrf_token` in the header \
         `X-CSRF-Token`.",
    )));
    let components = ComponentsBuilder::new()
        .security_scheme(BEARER, bearer)
        .security_scheme(SESSION, session)
        .schema("OpenApi", any_object())
        .schema_from::<Alert>()
        .schema_from::<AlertKind>()
        .schema_from::<Alive>()
        .schema_from::<Announcement>()
        .schema_from::<ApiKey>()
        .schema_from::<Approval>()
        .schema_from::<AuditEntry>()
        .schema_from::<Chart>()
        .schema_from::<DataPoint>()
        .schema_from::<Energy>()
        .schema_from::<EnrolmentDetail>()
        .schema_from::<Evidence>()
        .schema_from::<Finding>()
        .schema_from::<FirmwareDevice>()
        .schema_from::<FirmwareDeviceDetail>()
        .schema_from::<FirmwareEncoding>()
        .schema_from::<FirmwareRelease>()
        .schema_from::<FirmwareReleaseState>()
        .schema_from::<FirmwareReport>()
        .schema_from::<FirmwareRole>()
        .schema_from::<FirmwareRoot>()
        .schema_from::<Health>()
        .schema_from::<HistoryEntry>()
        .schema_from::<HistoryKind>()
        .schema_from::<ImportSource>()
        .schema_from::<ImportedReading>()
        .schema_from::<Installation>()
        .schema_from::<InstallationDetail>()
        .schema_from::<InstallationState>()
        .schema_from::<Internet>()
        .schema_from::<InternetState>()
        .schema_from::<LabelRequest>()
        .schema_from::<LastBoot>()
        .schema_from::<Liveness>()
        .schema_from::<MaintenanceWindow>()
        .schema_from::<Mark>()
        .schema_from::<MarkKind>()
        .schema_from::<MeterReport>()
        .schema_from::<MeterStatus>()
        .schema_from::<NewApiKey>()
        .schema_from::<NewApiKeyAnswer>()
        .schema_from::<NewRollout>()
        .schema_from::<NewSession>()
        .schema_from::<ParkStatus>()
        .schema_from::<PendingReadings>()
        .schema_from::<Problem>()
        .schema_from::<Proposal>()
        .schema_from::<Readiness>()
        .schema_from::<Reading>()
        .schema_from::<ReadingProof>()
        .schema_from::<RecordReference>()
        .schema_from::<RevocationDetail>()
        .schema_from::<RevocationRequest>()
        .schema_from::<Role>()
        .schema_from::<Rollout>()
        .schema_from::<RolloutCounts>()
        .schema_from::<RolloutDetail>()
        .schema_from::<RolloutDevice>()
        .schema_from::<RolloutDeviceState>()
        .schema_from::<RolloutGroup>()
        .schema_from::<RolloutState>()
        .schema_from::<RolloutStep>()
        .schema_from::<RolloutWave>()
        .schema_from::<RolloutWaveSize>()
        .schema_from::<RolloutWaveState>()
        .schema_from::<Session>()
        .schema_from::<SignedBy>()
        .schema_from::<SignedRecord>()
        .schema_from::<SubmissionShape>()
        .schema_from::<TimeFrame>()
        .schema_from::<UpdateOutcome>()
        .schema_from::<UpdateState>()
        .schema_from::<WindowDetail>()
        .schema_from::<WindowReading>()
        .schema_from::<WindowSummary>()
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("WattWitness gateway")
                .version("1")
                .description(Some(
                    "Signed readings of solar meters: taken, verified, stored, shown and proven. \
                     Problems are RFC 9457 documents; every type is explained at its own path.",
                ))
                .build(),
        )
        .paths(paths)
        .components(Some(components))
        .build()
}

/// The document as it is served and committed: pretty JSON with a line end.
#[must_use]
pub fn document_json() -> String {
    let mut json = document()
        .to_pretty_json()
        .expect("the document has only string keys");
    json.push('\n');
    json
}

const fn method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Delete => HttpMethod::Delete,
    }
}

fn operation(route: &Route) -> OperationBuilder {
    let path_parameters = route.path_parameters().map(|name| {
        let shape = match name {
            "meter_id" | "kind" | "source" | "digest" => Shape::Text,
            _ => Shape::Integer,
        };
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(parameter_schema(shape)))
    });
    let query = route.query.iter().map(query_parameter);
    let mut operation = OperationBuilder::new()
        .operation_id(Some(route.operation))
        .tag(route.tag)
        .summary(Some(route.summary))
        .description(Some(access(route.access)))
        .parameters(Some(path_parameters.chain(query)))
        .response(
            route.status.to_string(),
            with_content(
                ResponseBuilder::new().description("All is well."),
                route.answer,
            ),
        )
        .response(
            "default",
            ResponseBuilder::new().description("A problem.").content(
                "application/problem+json",
                Content::new(Some(reference("Problem"))),
            ),
        );
    if let Some((media_type, content)) = content(route.request) {
        operation = operation.request_body(Some(
            RequestBodyBuilder::new()
                .required(Some(Required::True))
                .content(media_type, content)
                .build(),
        ));
    }
    match route.access {
        Access::Role(_) | Access::EitherRole(..) => operation
            .security(SecurityRequirement::new(BEARER, [""; 0]))
            .security(SecurityRequirement::new(SESSION, [""; 0])),
        Access::Open | Access::Signed => operation,
    }
}

fn access(access: Access) -> String {
    match access {
        Access::Open => "Anyone may use it.".to_owned(),
        Access::Signed => "What it takes is signed; no key is needed.".to_owned(),
        Access::Role(role) => format!("Needs the role {}, or one that may do more.", role.name()),
        Access::EitherRole(one, other) => format!(
            "Needs the role {} or {}, or one that may do more.",
            one.name(),
            other.name()
        ),
    }
}

fn query_parameter(parameter: &Parameter) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(parameter.meaning))
        .schema(Some(parameter_schema(parameter.shape)))
}

fn parameter_schema(shape: Shape) -> RefOr<Schema> {
    let schema = match shape {
        Shape::Integer => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))),
        Shape::Boolean => ObjectBuilder::new().schema_type(Type::Boolean),
        Shape::Text => ObjectBuilder::new().schema_type(Type::String),
        Shape::Time => ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
        Shape::TimeFrame => return reference("TimeFrame"),
    };
    RefOr::T(Schema::Object(schema.build()))
}

fn with_content(response: ResponseBuilder, body: Body) -> ResponseBuilder {
    match content(body) {
        Some((media_type, content)) => response.content(media_type, content),
        None => response,
    }
}

fn content(body: Body) -> Option<(&'static str, Content)> {
    match body {
        Body::None => None,
        Body::Json(name) => Some(("application/json", Content::new(Some(reference(name))))),
        Body::JsonArray(name) => Some((
            "application/json",
            Content::new(Some(ArrayBuilder::new().items(reference(name)).build())),
        )),
        Body::Bytes(media_type) => Some((
            media_type,
            Content::new(Some(ObjectBuilder::new().schema_type(Type::String).build())),
        )),
    }
}

fn reference(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

fn any_object() -> RefOr<Schema> {
    RefOr::T(Schema::Object(
        ObjectBuilder::new().schema_type(Type::Object).build(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == document_json(),
            "docs/openapi.json is stale: cargo run -p ww-api --example openapi > docs/openapi.json"
        );
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let json: serde_json::Value = serde_json::from_str(&document_json()).unwrap();
        let text = json.to_string();
        for name in text.split("#/components/schemas/").skip(1) {
            let name = name.split('"').next().unwrap();
            let schema = &json["components"]["schemas"][name];
            assert!(schema.is_object(), "{name} is not among the schemas");
        }
    }

    #[test]
    fn the_document_says_that_it_is_openapi_3_1() {
        assert_eq!(
            serde_json::to_value(document()).unwrap()["openapi"],
            "3.1.0"
        );
    }
}
