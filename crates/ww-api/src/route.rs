//! The table of routes: every path, who may use it, what it takes and answers. The OpenAPI
//! document is made from it, and the gateway asks it for the role that a path needs.

use crate::Role;

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Writes.
    Post,
    /// Takes away.
    Delete,
}

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Anyone.
    Open,
    /// Whoever brings records with valid signatures, or questions with a proof whose they are.
    Signed,
    /// The bearer of a key that [may](Role::may) do what this role does. Viewers' routes are open to anyone
    /// while public read is on.
    Role(Role),
    /// The bearer of a key that may do what one of these roles does.
    EitherRole(Role, Role),
}

/// A parameter of a path or a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub shape: Shape,
    /// What it means.
    pub meaning: &'static str,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Text.
    Text,
    /// ISO 8601.
    Time,
    /// One of the names of [`crate::TimeFrame`].
    TimeFrame,
}

/// What a request or an answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON of this schema.
    Json(&'static str),
    /// A JSON array of this schema.
    JsonArray(&'static str),
    /// Other bytes of this media type.
    Bytes(&'static str),
}

/// One operation of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Method.
    pub method: Method,
    /// Path, with its parameters in braces.
    pub path: &'static str,
    /// Name of the operation, unique.
    pub operation: &'static str,
    /// Group in the documentation.
    pub tag: &'static str,
    /// Who may use it.
    pub access: Access,
    /// One sentence.
    pub summary: &'static str,
    /// Parameters of the query; those of the path are found in the path.
    pub query: &'static [Parameter],
    /// What it takes.
    pub request: Body,
    /// The status when all is well.
    pub status: u16,
    /// What it answers then.
    pub answer: Body,
}

impl Route {
    const fn get(path: &'static str, operation: &'static str, answer: Body) -> Self {
        Self {
            method: Method::Get,
            path,
            operation,
            tag: "gateway",
            access: Access::Role(Role::Viewer),
            summary: "",
            query: &[],
            request: Body::None,
            status: 200,
            answer,
        }
    }

    const fn post(
        path: &'static str,
        operation: &'static str,
        request: Body,
        answer: Body,
    ) -> Self {
        Self {
            method: Method::Post,
            request,
            ..Self::get(path, operation, answer)
        }
    }

    const fn delete(path: &'static str, operation: &'static str) -> Self {
        Self {
            method: Method::Delete,
            status: 204,
            ..Self::get(path, operation, Body::None)
        }
    }

    const fn tag(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    const fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    const fn query(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// The names of the path's parameters.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

const fn parameter(name: &'static str, shape: Shape, meaning: &'static str) -> Parameter {
    Parameter {
        name,
        shape,
        meaning,
    }
}

const START: Parameter = parameter("start_time", Shape::Time, "From this time on; ISO 8601.");
const END: Parameter = parameter("end_time", Shape::Time, "Up to this time; ISO 8601.");
const LIMIT: Parameter = parameter(
    "limit",
    Shape::Integer,
    "At most so many; then a `Link` header leads to the next page.",
);
const CURSOR: Parameter = parameter(
    "cursor",
    Shape::Text,
    "Where a page begins; from a `Link` header.",
);
const VERIFIED_ONLY: Parameter = parameter(
    "verified_only",
    Shape::Boolean,
    "Leave out rows that were imported without a signature.",
);
const ON_CHAIN_ONLY: Parameter = parameter(
    "on_chain_only",
    Shape::Boolean,
    "Only what a chain has confirmed.",
);
const FROM_INDEX: Parameter = parameter("from_index", Shape::Integer, "First chain index.");
const TO_INDEX: Parameter = parameter("to_index", Shape::Integer, "Last chain index.");
const TIME_FRAME: Parameter = parameter(
    "time_frame",
    Shape::TimeFrame,
    "How long the chart is: hour, day (if nothing is said), week, month or year.",
);
const MAX_POINTS: Parameter = parameter(
    "max_points",
    Shape::Integer,
    "At most about so many readings, the peaks among them.",
);
const LAST_EVENT_ID: Parameter = parameter(
    "last_event_id",
    Shape::Text,
    "Resume after this event, for clients that cannot send the `Last-Event-ID` header.",
);

const AT: Parameter = parameter(
    "at",
    Shape::Text,
    "A local date such as `2025-10-26`, or an ISO 8601 time: then the whole calendar period of the site's time zone that holds it. Without it the chart ends now.",
);
const ACTOR: Parameter = parameter("actor", Shape::Text, "Only what was done by this actor.");
const ACTION: Parameter = parameter(
    "action",
    Shape::Text,
    "Only this action, or all that begin with this and a dot: `key` means `key.create` and `key.revoke`.",
);
const SUBJECT: Parameter = parameter(
    "subject",
    Shape::Text,
    "Only where the subject contains this.",
);

/// The media type of signed records.
pub const COSE: &str = "application/cose";

/// The media type of a table for spreadsheets.
pub const CSV: &str = "text/csv";

/// The media type of firmware metadata.
pub const CBOR: &str = "application/cbor";

/// The media type of bytes that are nothing else, such as ciphertext.
pub const OCTETS: &str = "application/octet-stream";

/// The media type of an Acknowledgement.
pub const ACKNOWLEDGEMENT: &str = "application/vnd.wattwitness.acknowledgement";

const OPERATOR: Access = Access::Role(Role::Operator);
const FIRMWARE: Access = Access::Role(Role::Firmware);
const ADMIN: Access = Access::Role(Role::Admin);

/// To stop a rollout makes nothing run, so whoever runs the park may.
const STOPPING: Access = Access::EitherRole(Role::Operator, Role::Firmware);

/// All routes.
pub const ROUTES: &[Route] = &[
    Route::post("/api/v1/installations/", "announce_installation", Body::Json("Announcement"), Body::Json("Installation"))
        .tag("installations").access(Access::Open).status(201)
        .summary("Announces a meter; it waits for an operator's approval. A key that is known already is never overwritten: it is answered with status 200, and only those who may read installations are told more than they said."),
    Route::get("/api/v1/installations/", "list_installations", Body::JsonArray("Installation"))
        .tag("installations").query(&[LIMIT, CURSOR])
        .summary("Lists all installations by number."),
    Route::get("/api/v1/installations/{id}", "read_installation", Body::Json("InstallationDetail"))
        .tag("installations").summary("Shows one installation with its Enrolment, its last start and its last status report."),
    Route::get("/api/v1/installations/{id}/energy", "read_energy", Body::Json("Energy"))
        .tag("energy").summary("Energy today, this month, this year and ever, in the site's calendar, and the average of seven days."),
    Route::get("/api/v1/installations/{id}/readings.csv", "export_readings", Body::Bytes(CSV))
        .tag("readings").query(&[START, END])
        .summary("Readings as a table for spreadsheets, oldest first, however many; the last 24 h when nothing is said. Columns: time_utc, time_local, sequence, power_w, voltage_v, reactive_power_var, produced_wh, total_wh, flags, signature_state."),
    Route::get("/api/v1/installations/{id}/readings/{reading_id}", "read_reading", Body::Json("Reading"))
        .tag("readings").summary("Shows one reading with all that is needed to check it offline."),
    Route::get("/api/v1/installations/{id}/windows", "list_windows", Body::JsonArray("WindowSummary"))
        .tag("readings").query(&[START, END, LIMIT, CURSOR])
        .summary("Lists sealed windows, oldest first; the last 24 h when nothing is said."),
    Route::get("/api/v1/installations/{id}/windows/{window_id}", "read_window", Body::Json("WindowDetail"))
        .tag("readings").summary("Shows one sealed window with its readings, from which its root can be rebuilt, and its neighbours."),
    Route::get("/api/v1/installations/{id}/marks", "list_marks", Body::JsonArray("Mark"))
        .tag("installations").query(&[START, END])
        .summary("Lists starts, outages and gaps of a meter, oldest first; the last 24 h when nothing is said. At most 500: of more, the longest outages and the newest of the others, which are at least half if there are so many."),
    Route::get("/api/v1/installations/{id}/history", "list_history", Body::JsonArray("HistoryEntry"))
        .tag("installations")
        .summary("Lists what was said of a meter as it was signed, oldest first: Enrolments, Labels, Corrections, Revocation and Replacements."),
    Route::get("/api/v1/installations/{id}/findings", "list_findings", Body::JsonArray("Finding"))
        .tag("installations").query(&[LIMIT, CURSOR])
        .summary("Lists what was found out of the ordinary about a meter, oldest first. A page may end before `limit`; `Link` leads on."),
    Route::get("/api/v1/installations/{id}/evidence", "list_evidence", Body::JsonArray("Evidence"))
        .tag("installations").query(&[LIMIT, CURSOR])
        .summary("Lists pairs of signed records of a meter that cannot both be true, oldest first. A page may end before `limit`; `Link` leads on."),
    Route::post("/api/v1/installations/{id}/approve", "approve_installation", Body::Json("Approval"), Body::Json("Installation"))
        .tag("installations").access(OPERATOR)
        .summary("Approves a meter: its Enrolment is signed by the gateway's operator key, or brought signed."),
    Route::post("/api/v1/installations/{id}/label", "label_installation", Body::Json("LabelRequest"), Body::Json("Installation"))
        .tag("installations").access(OPERATOR)
        .summary("Gives an installation another name or time zone by a signed Label. Nothing measured depends on it; a new zone cuts the charts anew."),
    Route::post("/api/v1/installations/{id}/revoke", "revoke_installation", Body::Json("RevocationRequest"), Body::Json("Installation"))
        .tag("installations").access(OPERATOR)
        .summary("Ends the trust in a meter's key for good."),
    Route::post("/api/v1/readings/", "submit_reading", Body::Json("Submission"), Body::Json("Reading"))
        .tag("readings").access(Access::Signed).status(201)
        .summary("Takes one signed reading; answered once it is durable. The same reading again gets the stored answer with status 200."),
    Route::get("/api/v1/readings/pending", "list_pending_readings", Body::Json("PendingReadings"))
        .tag("readings").query(&[
            parameter("limit", Shape::Integer, "At most so many; 1000 when nothing is said."),
            parameter("after", Shape::Integer, "Only readings with a higher id, such as the `last_reading_id` of the answer before."),
        ])
        .summary("Lists readings that are not on a chain yet, oldest first."),
    Route::get("/api/v1/energy", "list_energy", Body::JsonArray("Energy"))
        .tag("energy").summary("Energy of all installations that were ever approved, by number: each as for one."),
    Route::get("/api/v1/readings/latest", "list_latest_readings", Body::JsonArray("Reading"))
        .tag("readings").summary("Shows the latest reading of each installation that has one, by number of the installation."),
    Route::get("/api/v1/readings/latest/{installation_id}", "read_latest_reading", Body::Json("Reading"))
        .tag("readings").query(&[VERIFIED_ONLY, ON_CHAIN_ONLY])
        .summary("Shows the reading with the newest measurement time. One whose time was more than a minute ahead when it came is passed over."),
    Route::get("/api/v1/readings/{installation_id}", "list_readings", Body::JsonArray("Reading"))
        .tag("readings").query(&[START, END, LIMIT, CURSOR, VERIFIED_ONLY, ON_CHAIN_ONLY])
        .summary("Lists readings, newest first; the last 24 h when nothing is said."),
    Route::get("/api/v1/readings/{installation_id}/optimized", "list_thinned_readings", Body::JsonArray("Reading"))
        .tag("readings").query(&[START, END, MAX_POINTS, VERIFIED_ONLY, ON_CHAIN_ONLY])
        .summary("Lists readings thinned for a curve, newest first: the first and the last one, and of max_points / 2 - 1 stretches of equal length the lowest and the highest power each, as they were measured. Of more than 400,000 readings, each day's lowest and highest power and whole days evenly spread over the time asked for are looked at."),
    Route::get("/api/v1/readings/{installation_id}/chart", "read_chart", Body::Json("Chart"))
        .tag("energy").query(&[TIME_FRAME, AT, VERIFIED_ONLY, ON_CHAIN_ONLY])
        .summary("Energy in bars in the site's time zone: ending now, or of a whole calendar period."),
    Route::get("/api/v1/status/", "read_status", Body::Json("ParkStatus"))
        .tag("gateway").summary("How gateway, internet and meters are, each with since when and why."),
    Route::get("/api/v1/alerts", "list_alerts", Body::JsonArray("Alert"))
        .tag("gateway").summary("Lists what an operator should look at now, newest first: meters that are silent or wait, equivocations, and findings of the last seven days."),
    Route::get("/api/v1/live", "stream_live", Body::Bytes("text/event-stream"))
        .tag("readings").query(&[LAST_EVENT_ID])
        .summary("Streams events `reading` (a Reading), `installation` (an Installation) and `rollout` (a Rollout) as they are stored; resumes after `Last-Event-ID`. `reload` instead means that too much was missed: ask for everything again. `alive` is sent when nothing else has been for a while."),
    Route::post("/api/v1/records", "submit_records", Body::Bytes(COSE), Body::Bytes(ACKNOWLEDGEMENT))
        .tag("records").access(Access::Signed)
        .summary("Takes a sequence of COSE_Sign1 records of one meter, each Window perhaps followed by its packed readings; answered once all are durable."),
    Route::get("/api/v1/meters/{meter_id}/enrolment", "read_enrolment", Body::Bytes(COSE))
        .tag("records").access(Access::Open)
        .summary("The Enrolment in force or awaiting the meter's acceptance, signed by the operator. Status 404 with the problem `meter-waiting` while there is none, and with `unknown-meter` when the meter was never announced."),
    Route::get("/api/v1/meters/{meter_id}/enrolments", "list_enrolments", Body::Bytes(COSE))
        .tag("records").summary("All Enrolments of a meter, oldest first."),
    Route::get("/api/v1/meters/{meter_id}/statements", "list_statements", Body::Bytes(COSE))
        .tag("records").query(&[CURSOR])
        .summary("What was said of a meter: its Labels, Corrections, Revocation and Replacements, as they were signed, oldest first. `Link` leads on when there are more."),
    Route::get("/api/v1/meters/{meter_id}/records", "list_records", Body::Bytes(COSE))
        .tag("records").query(&[FROM_INDEX, TO_INDEX])
        .summary("Chain records of a meter, each Window followed by its packed readings if they are still held. `Link` leads on when there are more."),
    Route::get("/api/v1/imports", "list_imports", Body::JsonArray("ImportSource"))
        .tag("imports").summary("Lists the older systems whose readings were taken over, unverified and in no total."),
    Route::get("/api/v1/imports/{source}", "list_imported_readings", Body::JsonArray("ImportedReading"))
        .tag("imports").query(&[LIMIT, CURSOR])
        .summary("Lists readings taken over from an older system, by their old number."),
    Route::get("/api/v1/audit", "list_audit", Body::JsonArray("AuditEntry"))
        .tag("administration").access(ADMIN).query(&[ACTOR, ACTION, SUBJECT, START, END, LIMIT, CURSOR])
        .summary("Lists who changed what, newest first."),
    Route::get("/api/v1/audit.csv", "export_audit", Body::Bytes(CSV))
        .tag("administration").access(ADMIN).query(&[ACTOR, ACTION, SUBJECT, START, END])
        .summary("Who changed what as a table for spreadsheets, newest first, however much. Columns: time_utc, actor, action, subject, detail."),
    Route::get("/api/v1/keys", "list_keys", Body::JsonArray("ApiKey"))
        .tag("administration").access(ADMIN).summary("Lists API keys."),
    Route::post("/api/v1/keys", "create_key", Body::Json("NewApiKey"), Body::Json("NewApiKeyAnswer"))
        .tag("administration").access(ADMIN).status(201)
        .summary("Makes an API key; it is shown this once."),
    Route::delete("/api/v1/keys/{id}", "revoke_key")
        .tag("administration").access(ADMIN).summary("Revokes an API key."),
    Route::get("/api/v1/firmware/roots", "list_firmware_roots", Body::JsonArray("FirmwareRoot"))
        .tag("firmware").summary("Lists who may sign firmware, oldest root first."),
    Route::post("/api/v1/firmware/roots", "add_firmware_root", Body::Bytes(CBOR), Body::Json("FirmwareRoot"))
        .tag("firmware").access(FIRMWARE).status(201)
        .summary("Takes a signed root: the first stands alone, a later one must follow the newest. The newest one again is answered with status 200."),
    Route::get("/api/v1/firmware/releases", "list_firmware_releases", Body::JsonArray("FirmwareRelease"))
        .tag("firmware").query(&[LIMIT, CURSOR]).summary("Lists releases, newest first; at most 100 when nothing is said."),
    Route::post("/api/v1/firmware/releases", "publish_firmware_release", Body::Bytes(OCTETS), Body::Json("FirmwareRelease"))
        .tag("firmware").access(FIRMWARE).status(201)
        .summary("Takes a release file (`*.wwr`, up to 64 MiB) and refuses what devices would refuse. Nothing is installed by it. The same one again is answered with status 200."),
    Route::get("/api/v1/firmware/releases/{digest}", "read_firmware_release", Body::Json("FirmwareRelease"))
        .tag("firmware").summary("Shows one release."),
    Route::post("/api/v1/firmware/releases/{digest}/withdraw", "withdraw_firmware_release", Body::None, Body::Json("FirmwareRelease"))
        .tag("firmware").access(FIRMWARE)
        .summary("Withdraws a release for good: no device is told to fetch or to start it, and its rollouts end. Devices that run it by one of these go back to the release that they had before, if its security counter allows that."),
    Route::get("/api/v1/firmware/rollouts", "list_rollouts", Body::JsonArray("Rollout"))
        .tag("firmware").query(&[LIMIT, CURSOR]).summary("Lists rollouts, newest first; at most 100 when nothing is said."),
    Route::post("/api/v1/firmware/rollouts", "begin_rollout", Body::Json("NewRollout"), Body::Json("RolloutDetail"))
        .tag("firmware").access(FIRMWARE).status(201)
        .summary("Begins to roll a release out: its meters are those of the group that are in service now."),
    Route::get("/api/v1/firmware/rollouts/{id}", "read_rollout", Body::Json("RolloutDetail"))
        .tag("firmware").summary("Shows one rollout with its waves and who did what."),
    Route::get("/api/v1/firmware/rollouts/{id}/devices", "list_rollout_devices", Body::JsonArray("RolloutDevice"))
        .tag("firmware").query(&[LIMIT, CURSOR])
        .summary("Lists the meters of a rollout by wave, with their progress; at most 1000 when nothing is said."),
    Route::post("/api/v1/firmware/rollouts/{id}/devices/{meter_id}/retry", "retry_rollout_device", Body::None, Body::Json("RolloutDetail"))
        .tag("firmware").access(FIRMWARE).summary("Tells a meter that has failed to try again."),
    Route::post("/api/v1/firmware/rollouts/{id}/pause", "pause_rollout", Body::None, Body::Json("RolloutDetail"))
        .tag("firmware").access(STOPPING).summary("Pauses a rollout: meters that have fetched do not start it."),
    Route::post("/api/v1/firmware/rollouts/{id}/resume", "resume_rollout", Body::None, Body::Json("RolloutDetail"))
        .tag("firmware").access(FIRMWARE).summary("Goes on with a rollout that is paused or has halted."),
    Route::post("/api/v1/firmware/rollouts/{id}/abort", "abort_rollout", Body::None, Body::Json("RolloutDetail"))
        .tag("firmware").access(STOPPING)
        .summary("Ends a rollout for good: what has not started the release does not."),
    Route::post("/ota/check", "check_firmware", Body::Bytes(CBOR), Body::Bytes(CBOR))
        .tag("ota").access(Access::Signed)
        .summary("Takes a device's proven question (at most 256 bytes) and answers with its signed assignment and wrapped keys (at most 2816)."),
    Route::post("/ota/verify", "verify_firmware", Body::Bytes(CBOR), Body::Bytes(CBOR))
        .tag("ota").access(Access::Signed)
        .summary("Takes the proven question of a device that has fetched all, and answers whether it may start it, for this question only."),
    Route::post("/ota/complete", "complete_firmware", Body::Bytes(COSE), Body::None)
        .tag("ota").access(Access::Signed).status(204)
        .summary("Takes the signed report of what became of an update; the same again changes nothing."),
    Route::get("/ota/chunk", "read_firmware_chunk", Body::Bytes(OCTETS))
        .tag("ota").access(Access::Open).query(&[
            parameter("device", Shape::Text, "The device's id, 64 hex digits."),
            parameter("nonce", Shape::Text, "The nonce of its newest question, 32 hex digits."),
            parameter("object", Shape::Text, "The digest of an object or of a list, 64 hex digits."),
            parameter("from", Shape::Integer, "The number of the first record, from 0."),
            parameter("n", Shape::Integer, "How many, 1 to 1024."),
        ])
        .summary("Streams records of an object or a list: for each, the 8 bytes of its tag in the device's session, then its 1024 bytes; the last one of an object is shorter."),
    Route::get("/ota/root/{number}", "read_firmware_root", Body::Bytes(CBOR))
        .tag("ota").access(Access::Open).summary("A root as it was signed. It never changes."),
    Route::get("/ota/release/{digest}", "read_firmware_envelope", Body::Bytes(CBOR))
        .tag("ota").access(Access::Open).summary("A release as it was signed. It never changes."),
    Route::get("/ota/object/{digest}", "read_firmware_object", Body::Bytes(OCTETS))
        .tag("ota").access(Access::Open)
        .summary("An encrypted object or the list of its sectors' digests, for mirrors; with `Range`. It never changes."),
    Route::get("/ota/status", "list_firmware_devices", Body::JsonArray("FirmwareDevice"))
        .tag("firmware").query(&[LIMIT, CURSOR])
        .summary("Lists how each meter in service is with its firmware, by number of the installation; at most 1000 when nothing is said."),
    Route::get("/ota/status/{meter_id}", "read_firmware_device", Body::Json("FirmwareDeviceDetail"))
        .tag("firmware").summary("Shows how one meter is with its firmware, and what it reported."),
    Route::get("/api/v1/session", "read_session", Body::Json("Session"))
        .tag("session").access(Access::Open)
        .summary("Says who is logged in and what anyone may do. The cookie of a session that has ended is taken back."),
    Route::post("/api/v1/session", "begin_session", Body::Json("NewSession"), Body::Json("Session"))
        .tag("session").access(Access::Open)
        .summary("Logs a browser in: changes an API key for a cookie that scripts cannot read. It is as good as the key until it is ended, for 30 days at most."),
    Route::delete("/api/v1/session", "end_session")
        .tag("session").access(Access::Open).summary("Logs out: ends the session and takes its cookie back."),
    Route::get("/health", "read_health", Body::Json("Alive"))
        .access(Access::Open).summary("Says that the process and its store are alive; status 503 when only a new start can help."),
    Route::get("/ready", "read_readiness", Body::Json("Readiness"))
        .access(Access::Open).summary("Says whether readings are taken now; status 503 when not."),
    Route::get("/metrics", "read_metrics", Body::Bytes("text/plain"))
        .summary("Figures for Prometheus."),
    Route::get("/api/v1/openapi.json", "read_openapi", Body::Json("OpenApi"))
        .access(Access::Open).summary("This document."),
    Route::get("/problems/{kind}", "explain_problem", Body::Bytes("text/plain"))
        .access(Access::Open).summary("Explains a kind of problem."),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn operations_and_paths_are_unique() {
        let operations: HashSet<_> = ROUTES.iter().map(|route| route.operation).collect();
        let paths: HashSet<_> = ROUTES.iter().map(|r| (r.method, r.path)).collect();
        assert_eq!(operations.len(), ROUTES.len());
        assert_eq!(paths.len(), ROUTES.len());
    }

    #[test]
    fn every_change_needs_a_signature_or_a_role() {
        for route in ROUTES.iter().filter(|route| route.method != Method::Get) {
            let open = route.access == Access::Open;
            let may_be = ["announce_installation", "begin_session", "end_session"];
            assert_eq!(open, may_be.contains(&route.operation), "{route:?}");
        }
    }
}
