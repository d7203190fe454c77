// Generated from docs/openapi.json by `npm run generate`. Do not edit.

export interface paths {
    "/api/v1/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists what an operator should look at now, newest first: meters that are silent or wait, equivocations, and findings of the last seven days.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_alerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists who changed what, newest first.
         * @description Needs the role admin, or one that may do more.
         */
        get: operations["list_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who changed what as a table for spreadsheets, newest first, however much. Columns: time_utc, actor, action, subject, detail.
         * @description Needs the role admin, or one that may do more.
         */
        get: operations["export_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/energy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Energy of all installations that were ever approved, by number: each as for one.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_energy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/releases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists releases, newest first; at most 100 when nothing is said.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_firmware_releases"];
        put?: never;
        /**
         * Takes a release file (`*.wwr`, up to 64 MiB) and refuses what devices would refuse. Nothing is installed by it. The same one again is answered with status 200.
         * @description Needs the role firmware, or one that may do more.
         */
        post: operations["publish_firmware_release"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/releases/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows one release.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_firmware_release"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/releases/{digest}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Withdraws a release for good: no device is told to fetch or to start it, and its rollouts end. Devices that run it by one of these go back to the release that they had before, if its security counter allows that.
         * @description Needs the role firmware, or one that may do more.
         */
        post: operations["withdraw_firmware_release"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/rollouts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists rollouts, newest first; at most 100 when nothing is said.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_rollouts"];
        put?: never;
        /**
         * Begins to roll a release out: its meters are those of the group that are in service now.
         * @description Needs the role firmware, or one that may do more.
         */
        post: operations["begin_rollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/rollouts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows one rollout with its waves and who did what.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_rollout"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/rollouts/{id}/abort": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends a rollout for good: what has not started the release does not.
         * @description Needs the role operator or firmware, or one that may do more.
         */
        post: operations["abort_rollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/rollouts/{id}/devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the meters of a rollout by wave, with their progress; at most 1000 when nothing is said.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_rollout_devices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/rollouts/{id}/devices/{meter_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tells a meter that has failed to try again.
         * @description Needs the role firmware, or one that may do more.
         */
        post: operations["retry_rollout_device"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/rollouts/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pauses a rollout: meters that have fetched do not start it.
         * @description Needs the role operator or firmware, or one that may do more.
         */
        post: operations["pause_rollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/rollouts/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Goes on with a rollout that is paused or has halted.
         * @description Needs the role firmware, or one that may do more.
         */
        post: operations["resume_rollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/firmware/roots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists who may sign firmware, oldest root first.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_firmware_roots"];
        put?: never;
        /**
         * Takes a signed root: the first stands alone, a later one must follow the newest. The newest one again is answered with status 200.
         * @description Needs the role firmware, or one that may do more.
         */
        post: operations["add_firmware_root"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the older systems whose readings were taken over, unverified and in no total.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_imports"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports/{source}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists readings taken over from an older system, by their old number.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_imported_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists all installations by number.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_installations"];
        put?: never;
        /**
         * Announces a meter; it waits for an operator's approval. A key that is known already is never overwritten: it is answered with status 200, and only those who may read installations are told more than they said.
         * @description Anyone may use it.
         */
        post: operations["announce_installation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows one installation with its Enrolment, its last start and its last status report.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_installation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approves a meter: its Enrolment is signed by the gateway's operator key, or brought signed.
         * @description Needs the role operator, or one that may do more.
         */
        post: operations["approve_installation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/energy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Energy today, this month, this year and ever, in the site's calendar, and the average of seven days.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_energy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/evidence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists pairs of signed records of a meter that cannot both be true, oldest first. A page may end before `limit`; `Link` leads on.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_evidence"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/findings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists what was found out of the ordinary about a meter, oldest first. A page may end before `limit`; `Link` leads on.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_findings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists what was said of a meter as it was signed, oldest first: Enrolments, Labels, Corrections, Revocation and Replacements.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/label": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Gives an installation another name or time zone by a signed Label. Nothing measured depends on it; a new zone cuts the charts anew.
         * @description Needs the role operator, or one that may do more.
         */
        post: operations["label_installation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/marks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists starts, outages and gaps of a meter, oldest first; the last 24 h when nothing is said. At most 500: of more, the longest outages and the newest of the others, which are at least half if there are so many.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_marks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/readings.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Readings as a table for spreadsheets, oldest first, however many; the last 24 h when nothing is said. Columns: time_utc, time_local, sequence, power_w, voltage_v, reactive_power_var, produced_wh, total_wh, flags, signature_state.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["export_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/readings/{reading_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows one reading with all that is needed to check it offline.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_reading"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends the trust in a meter's key for good.
         * @description Needs the role operator, or one that may do more.
         */
        post: operations["revoke_installation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/windows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists sealed windows, oldest first; the last 24 h when nothing is said.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_windows"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/installations/{id}/windows/{window_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows one sealed window with its readings, from which its root can be rebuilt, and its neighbours.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_window"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists API keys.
         * @description Needs the role admin, or one that may do more.
         */
        get: operations["list_keys"];
        put?: never;
        /**
         * Makes an API key; it is shown this once.
         * @description Needs the role admin, or one that may do more.
         */
        post: operations["create_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revokes an API key.
         * @description Needs the role admin, or one that may do more.
         */
        delete: operations["revoke_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Streams events `reading` (a Reading), `installation` (an Installation) and `rollout` (a Rollout) as they are stored; resumes after `Last-Event-ID`. `reload` instead means that too much was missed: ask for everything again. `alive` is sent when nothing else has been for a while.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["stream_live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/meters/{meter_id}/enrolment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The Enrolment in force or awaiting the meter's acceptance, signed by the operator. Status 404 with the problem `meter-waiting` while there is none, and with `unknown-meter` when the meter was never announced.
         * @description Anyone may use it.
         */
        get: operations["read_enrolment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/meters/{meter_id}/enrolments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All Enrolments of a meter, oldest first.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_enrolments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/meters/{meter_id}/records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Chain records of a meter, each Window followed by its packed readings if they are still held. `Link` leads on when there are more.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_records"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/meters/{meter_id}/statements": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was said of a meter: its Labels, Corrections, Revocation and Replacements, as they were signed, oldest first. `Link` leads on when there are more.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_statements"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This document.
         * @description Anyone may use it.
         */
        get: operations["read_openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes one signed reading; answered once it is durable. The same reading again gets the stored answer with status 200.
         * @description What it takes is signed; no key is needed.
         */
        post: operations["submit_reading"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings/{installation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists readings, newest first; the last 24 h when nothing is said.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings/{installation_id}/chart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Energy in bars in the site's time zone: ending now, or of a whole calendar period.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_chart"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings/{installation_id}/optimized": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists readings thinned for a curve, newest first: the first and the last one, and of max_points / 2 - 1 stretches of equal length the lowest and the highest power each, as they were measured. Of more than 400,000 readings, each day's lowest and highest power and whole days evenly spread over the time asked for are looked at.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_thinned_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings/latest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows the latest reading of each installation that has one, by number of the installation.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_latest_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings/latest/{installation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows the reading with the newest measurement time. One whose time was more than a minute ahead when it came is passed over.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_latest_reading"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings/pending": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists readings that are not on a chain yet, oldest first.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_pending_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes a sequence of COSE_Sign1 records of one meter, each Window perhaps followed by its packed readings; answered once all are durable.
         * @description What it takes is signed; no key is needed.
         */
        post: operations["submit_records"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says who is logged in and what anyone may do. The cookie of a session that has ended is taken back.
         * @description Anyone may use it.
         */
        get: operations["read_session"];
        put?: never;
        /**
         * Logs a browser in: changes an API key for a cookie that scripts cannot read. It is as good as the key until it is ended, for 30 days at most.
         * @description Anyone may use it.
         */
        post: operations["begin_session"];
        /**
         * Logs out: ends the session and takes its cookie back.
         * @description Anyone may use it.
         */
        delete: operations["end_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/status/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How gateway, internet and meters are, each with since when and why.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says that the process and its store are alive; status 503 when only a new start can help.
         * @description Anyone may use it.
         */
        get: operations["read_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Figures for Prometheus.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ota/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes a device's proven question (at most 256 bytes) and answers with its signed assignment and wrapped keys (at most 2816).
         * @description What it takes is signed; no key is needed.
         */
        post: operations["check_firmware"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ota/chunk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Streams records of an object or a list: for each, the 8 bytes of its tag in the device's session, then its 1024 bytes; the last one of an object is shorter.
         * @description Anyone may use it.
         */
        get: operations["read_firmware_chunk"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ota/complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes the signed report of what became of an update; the same again changes nothing.
         * @description What it takes is signed; no key is needed.
         */
        post: operations["complete_firmware"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ota/object/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An encrypted object or the list of its sectors' digests, for mirrors; with `Range`. It never changes.
         * @description Anyone may use it.
         */
        get: operations["read_firmware_object"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ota/release/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A release as it was signed. It never changes.
         * @description Anyone may use it.
         */
        get: operations["read_firmware_envelope"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ota/root/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A root as it was signed. It never changes.
         * @description Anyone may use it.
         */
        get: operations["read_firmware_root"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ota/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists how each meter in service is with its firmware, by number of the installation; at most 1000 when nothing is said.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["list_firmware_devices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ota/status/{meter_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows how one meter is with its firmware, and what it reported.
         * @description Needs the role viewer, or one that may do more.
         */
        get: operations["read_firmware_device"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ota/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes the proven question of a device that has fetched all, and answers whether it may start it, for this question only.
         * @description What it takes is signed; no key is needed.
         */
        post: operations["verify_firmware"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems/{kind}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Explains a kind of problem.
         * @description Anyone may use it.
         */
        get: operations["explain_problem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says whether readings are taken now; status 503 when not.
         * @description Anyone may use it.
         */
        get: operations["read_readiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description One alert. There is one for each installation and thing that is the matter. */
        Alert: {
            /**
             * Format: int64
             * @description How many findings or pieces of evidence there are; 1 where nothing is counted.
             * @example 1
             */
            count: number;
            /** @description In words; of findings it begins with their kind, such as `power-above-rating`. */
            detail: string;
            /**
             * Format: int64
             * @description Number of the installation.
             */
            installation_id: number;
            /** @description What is the matter. */
            kind: components["schemas"]["AlertKind"];
            /**
             * @description Its name.
             * @example Barn roof
             */
            name: string;
            /**
             * @description Since when; ISO 8601 in UTC without a zone. Null when the gateway did not know the time.
             * @example 2025-06-19T16:52:26.093000
             */
            since: string | null;
        };
        /**
         * @description What is the matter.
         * @enum {string}
         */
        AlertKind: "silent" | "equivocation" | "plausibility" | "waiting";
        /** @description What `GET /health` answers: the process is alive. */
        Alive: {
            /**
             * @description Always `healthy`.
             * @example healthy
             */
            status: string;
            /** @description The gateway's version. */
            version: string;
        };
        /** @description What `POST /api/v1/installations/` takes: a meter announces itself and waits. */
        Announcement: {
            /**
             * Format: int64
             * @description When the meter started, Unix seconds.
             * @example 1750346382
             */
            boot_timestamp?: number | null;
            /**
             * Format: int32
             * @description Channel of the sensor, from 0: a proposal to the operator.
             */
            channel?: number | null;
            /**
             * @description A name for people; at most 64 bytes.
             * @example Hackathon Test 1
             */
            name: string;
            /** @description `total` or `total_returned`: a proposal to the operator. */
            production_counter?: string | null;
            /** @description The meter's P-256 public key, 128 hex digits: X then Y (130 with SEC 1's leading `04`). */
            public_key: string;
            /**
             * Format: int32
             * @description Rated power in W: a proposal to the operator.
             */
            rated_power_w?: number | null;
            /** @description Model of the sensor, if `shelly_payload` does not show it. */
            sensor_model?: string | null;
            /** @description MAC address of the sensor, if `shelly_payload` does not say it. */
            shelly_mac?: string | null;
            /** @description Base64 of the sensor's answer to `/status` (or `Shelly.GetDeviceInfo`), from which MAC and model are proposed. */
            shelly_payload?: string | null;
            /** @description IANA name of the site's time zone: a proposal to the operator. */
            time_zone?: string | null;
        };
        /** @description An API key, without the key itself. */
        ApiKey: {
            /** @description When it was made; ISO 8601 in UTC without a zone. */
            created_at: string | null;
            /** @description When it ends by itself; null for never. */
            expires_at: string | null;
            /**
             * Format: int64
             * @description Number of the key.
             */
            id: number;
            /** @description What it is for. */
            name: string;
            /** @description When it was revoked; null while it is valid. */
            revoked_at: string | null;
            /** @description What it allows. */
            role: components["schemas"]["Role"];
        };
        /**
         * @description What `POST /api/v1/installations/{id}/approve` takes. What is left out is taken from the
         *     announcement. Either the gateway's operator key signs, or a signed record is brought.
         */
        Approval: {
            /**
             * Format: int32
             * @description Where the modules face, clockwise from north, in tenths of a degree.
             */
            azimuth_decidegrees?: number | null;
            /**
             * Format: int32
             * @description Channel of the sensor, from 0.
             */
            channel?: number | null;
            /**
             * Format: int32
             * @description Ratio of an external current transformer in thousandths; 1000 for none.
             */
            ct_ratio_milli?: number | null;
            /** @description Where the meter's key lives: `software` or `secure_element`. */
            custody?: string | null;
            /** @description The grid connection's identifier; at most 40 bytes. */
            grid_connection?: string | null;
            /**
             * Format: int32
             * @description Degrees north times 10^7.
             */
            latitude_e7?: number | null;
            /**
             * Format: int32
             * @description Degrees east times 10^7.
             */
            longitude_e7?: number | null;
            /** @description The name that people see; at most 64 bytes. */
            name?: string | null;
            /** @description Which counter counts production: `total` or `total_returned`. */
            production_counter?: string | null;
            /**
             * Format: int32
             * @description Rated power of the plant in W.
             * @example 800
             */
            rated_power_w?: number | null;
            /**
             * @description A COSE_Sign1 of an Enrolment made by an offline operator key, hex. Beside it only
             *     `name`, `time_zone`, `replaces` and `replacement` may stand.
             */
            record?: string | null;
            /**
             * @description In the place of `replaces`: a COSE_Sign1 of a Replacement, hex, signed by an offline operator
             *     key or by the meter that ends.
             */
            replacement?: string | null;
            /**
             * Format: int64
             * @description The installation whose meter this one replaces: lifetime totals go on across it.
             */
            replaces?: number | null;
            /** @description `shelly_em_gen1`, `shelly_3em_gen1`, `shelly_em1_gen2` or `shelly_em_gen2`. */
            sensor_model?: string | null;
            /** @description MAC address of the sensor, 12 hex digits. */
            shelly_mac?: string | null;
            /**
             * Format: int32
             * @description The modules' tilt from the horizontal in tenths of a degree.
             */
            tilt_decidegrees?: number | null;
            /**
             * @description IANA name of the site's time zone.
             * @example Europe/Berlin
             */
            time_zone?: string | null;
        };
        /** @description One line of the audit trail. */
        AuditEntry: {
            /**
             * @description What was done.
             * @example installation.approved
             */
            action: string;
            /** @description Who: the name of a key, or `gateway`. */
            actor: string;
            /** @description With what. */
            detail: string;
            /**
             * Format: int64
             * @description Number of the line.
             */
            id: number;
            /** @description To what. */
            subject: string;
            /** @description When; ISO 8601 in UTC without a zone; null when the gateway did not know the time. */
            time: string | null;
        };
        /**
         * @description A chart. One that ends now has no bars when the meter has no reading in it, and one of a whole period has all
         *     of its bars; where it begins and ends is told anyway.
         */
        Chart: {
            /** @description The bars, oldest first. */
            data_points: components["schemas"]["DataPoint"][];
            /**
             * Format: int64
             * @description The first moment after the whole chart, Unix seconds.
             * @example 1750370400
             */
            end: number;
            /**
             * Format: int64
             * @description The first moment of the whole chart, Unix seconds.
             * @example 1750284000
             */
            start: number;
            /** @description The time frame asked for. */
            time_frame: components["schemas"]["TimeFrame"];
            /**
             * @description IANA name of the site's time zone, in which the bars are cut.
             * @example Europe/Berlin
             */
            timezone: string;
            /**
             * Format: double
             * @description Sum of the bars in Wh.
             * @example 1250.25
             */
            total_energy: number;
        };
        /** @description One bar. */
        DataPoint: {
            /**
             * Format: int64
             * @description The first moment after it, Unix seconds.
             * @example 1750356000
             */
            end: number;
            /**
             * @description Its start in the site's time zone.
             * @example 14:00
             */
            label: string;
            /**
             * Format: int32
             * @description How many readings there are in it.
             * @example 360
             */
            readings: number;
            /** @description Whether readings are missing in it, so that energy of other bars may be booked here. */
            spans_gap: boolean;
            /**
             * Format: int64
             * @description Its start, Unix seconds.
             * @example 1750352400
             */
            timestamp: number;
            /**
             * Format: double
             * @description Energy in Wh.
             * @example 250.5
             */
            value: number;
        };
        /** @description Energy of one installation in its site's calendar. */
        Energy: {
            /**
             * Format: double
             * @description Mean of the whole ones of the seven local days before today, Wh; null before there is one.
             */
            average_7d_wh: number | null;
            /**
             * Format: double
             * @description What signed corrections have taken back, Wh; the lifetime figure is before that.
             */
            corrected_wh: number;
            /**
             * Format: int64
             * @description Number of the installation.
             */
            installation_id: number;
            /**
             * Format: double
             * @description Ever, across replaced meters, Wh.
             */
            lifetime_wh: number;
            /**
             * Format: double
             * @description Since the first of the local month, Wh.
             */
            month_wh: number;
            /**
             * Format: double
             * @description What a meter measured beside the one that it replaced, before that one ended, Wh. It was
             *     counted there; none of the other figures has it again.
             */
            overlap_wh: number;
            /**
             * Format: double
             * @description The meter's own sum at its newest record that is in these figures, Wh; 0 before the first. A
             *     reading of the live stream whose `produced_wh` is higher is not in them yet.
             */
            produced_wh: number;
            /** @description IANA name of the time zone in which this was counted. */
            timezone: string;
            /**
             * Format: double
             * @description Since local midnight, Wh.
             */
            today_wh: number;
            /**
             * Format: double
             * @description Since the first of the local year, Wh.
             */
            year_wh: number;
        };
        /** @description What a meter measures and where, by the word of an operator. */
        EnrolmentDetail: {
            /** @description Whether the meter has countersigned it. */
            accepted: boolean;
            /**
             * Format: int32
             * @description Where the modules face, clockwise from north, in tenths of a degree.
             * @example 1800
             */
            azimuth_decidegrees: number | null;
            /**
             * Format: int32
             * @description Channel of the sensor, from 0.
             * @example 0
             */
            channel: number;
            /**
             * Format: int32
             * @description Ratio of an external current transformer in thousandths; 1000 for none.
             * @example 1000
             */
            ct_ratio_milli: number;
            /**
             * @description Where the meter's key lives: `software` or `secure_element`.
             * @example software
             */
            custody: string;
            /** @description SHA-256 of the record, hex. */
            digest: string;
            /** @description The grid connection's identifier; null for none. */
            grid_connection: string | null;
            /**
             * Format: int32
             * @description Degrees north times 10^7.
             * @example 481374300
             */
            latitude_e7: number | null;
            /**
             * Format: int32
             * @description Degrees east times 10^7.
             * @example 115754900
             */
            longitude_e7: number | null;
            /**
             * Format: int32
             * @description Counts the enrolments of this meter, from 1.
             * @example 1
             */
            number: number;
            /** @description SHA-256 of the operator's public key, hex. */
            operator: string;
            /**
             * @description Which counter counts production: `total` or `total_returned`.
             * @example total
             */
            production_counter: string;
            /**
             * Format: int32
             * @description Rated power of the plant in W.
             * @example 800
             */
            rated_power_w: number;
            /**
             * @description The sensor's model.
             * @example shelly_em_gen1
             */
            sensor_model: string;
            /**
             * @description MAC address of the sensor, 12 hex digits.
             * @example EC64C9C05E97
             */
            shelly_mac: string;
            /**
             * Format: int32
             * @description The modules' tilt from the horizontal in tenths of a degree.
             * @example 300
             */
            tilt_decidegrees: number | null;
            /**
             * @description When the operator signed; ISO 8601 in UTC without a zone.
             * @example 2025-06-19T16:52:26.093000
             */
            time: string;
        };
        /** @description Two signed statements of one meter that cannot both be true. Anyone can check the signatures. */
        Evidence: {
            /** @description When the second statement came; ISO 8601 in UTC without a zone. */
            created_at: string | null;
            /**
             * Format: int64
             * @description Number of the evidence.
             */
            id: number;
            /**
             * Format: int64
             * @description Number of the installation.
             */
            installation_id: number;
            /**
             * @description Kind of the finding that it belongs to.
             * @example equivocating-reading
             */
            kind: string;
            /**
             * Format: int64
             * @description Number of the reading, or index of the chain record, concerned.
             */
            number: number;
            /** @description The one that was refused. */
            refused: components["schemas"]["SignedRecord"];
            /** @description Of a window that was refused: its packed readings, hex, if they came. */
            refused_readings: string | null;
            stored: components["schemas"]["SignedRecord"] | null;
            /**
             * Format: int64
             * @description Of a held reading without a signature of its own: the chain index of the window that seals it.
             */
            stored_in_window: number | null;
        };
        /** @description One finding. It is a remark: what it speaks of was stored, or kept as evidence. */
        Finding: {
            /** @description When the gateway found it; ISO 8601 in UTC without a zone. */
            created_at: string | null;
            /** @description In words. */
            detail: string;
            /**
             * Format: int64
             * @description Number of the finding.
             */
            id: number;
            /**
             * Format: int64
             * @description Number of the installation.
             */
            installation_id: number;
            /**
             * @description Kind.
             * @example power-above-rating
             */
            kind: string;
            /**
             * Format: int64
             * @description Number of the reading, or index of the chain record, concerned.
             */
            number: number;
        };
        /** @description How a meter is with its firmware. */
        FirmwareDevice: {
            /**
             * @description When it asked last; ISO 8601 in UTC without a zone. Null before its first question, and when the gateway
             *     did not know the time.
             */
            asked_at: string | null;
            /**
             * Format: int32
             * @description Bytes of it that are fetched.
             * @example 131072
             */
            done_bytes: number;
            /** @description Its hardware by its own word, a UUID; null before its first question. */
            hardware_class: string | null;
            /**
             * Format: int64
             * @description Number of the installation.
             * @example 1
             */
            installation_id: number;
            /** @description SHA-256 of the public key, hex. */
            meter_id: string;
            /** @description The name that people see. */
            name: string;
            /**
             * @description Why it is not further, such as `paused` or `bad-sector`; null when nothing is in its way.
             * @example paused
             */
            obstacle: string | null;
            /** @description The release that it is at, hex; null when it is at none. */
            release: string | null;
            /**
             * Format: int32
             * @description The rollout that it is in and that is not over; null for none.
             * @example 1
             */
            rollout_id: number | null;
            /**
             * Format: int32
             * @description The root that it trusts; null before its first question.
             * @example 1
             */
            root_number: number | null;
            /** @description What it runs as its newest signed Boot record says: SHA-256 of the payload, hex; null before the first. */
            running_digest: string | null;
            /** @description The published release with that payload, hex; null when there is none. */
            running_release: string | null;
            /**
             * @description The version that this record says; null before the first.
             * @example 1.3.0
             */
            running_version: string | null;
            /**
             * Format: int32
             * @description The security counter that holds for it; null before its first question.
             * @example 7
             */
            security_counter: number | null;
            state: components["schemas"]["UpdateState"] | null;
            /**
             * Format: int32
             * @description Bytes of it in all; 0 while it is at none.
             * @example 561152
             */
            total_bytes: number;
            /**
             * @description That release's version; null when it is not published here.
             * @example 1.4.0
             */
            version: string | null;
        };
        /** @description A meter with what it reported of its updates. */
        FirmwareDeviceDetail: components["schemas"]["FirmwareDevice"] & {
            /** @description What it reported, newest first; at most 100. */
            reports: components["schemas"]["FirmwareReport"][];
        };
        /** @description One way in which a release travels. */
        FirmwareEncoding: {
            /** @description SHA-256 of the payload from which the delta starts, hex; null for the whole. */
            base: string | null;
            /**
             * @description The version of the published release with that payload; null when there is none.
             * @example 1.3.0
             */
            base_version: string | null;
            /** @description SHA-256 of the list of its sectors' digests, hex. */
            list: string;
            /** @description SHA-256 of the ciphertext, hex: `GET /ota/object/{digest}`. */
            object: string;
            /**
             * Format: int32
             * @description Bytes that travel, without the list of digests.
             * @example 561152
             */
            object_bytes: number;
            /**
             * Format: int32
             * @description Bytes before encryption.
             * @example 561152
             */
            plain_bytes: number;
        };
        /** @description A release that was published. */
        FirmwareRelease: {
            /**
             * Format: int32
             * @description Bytes of its configuration; 0 for none.
             * @example 0
             */
            config_bytes: number;
            /** @description SHA-256 of its manifest, hex, by which everything names it. */
            digest: string;
            /** @description The ways in which it travels: the whole first. */
            encodings: components["schemas"]["FirmwareEncoding"][];
            /**
             * @description On which hardware it runs: a UUID.
             * @example 6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7f
             */
            hardware_class: string;
            /**
             * Format: int32
             * @description Bytes of the image.
             * @example 561152
             */
            image_bytes: number;
            /**
             * Format: int64
             * @description Meters in service whose newest signed Boot record names its payload.
             * @example 12
             */
            installed: number;
            /**
             * Format: int32
             * @description Bytes of the layout of the flash that it needs; 0 for none.
             * @example 0
             */
            layout_bytes: number;
            /** @description SHA-256 of the payload, hex: what a meter's signed Boot record names once it runs. */
            payload_digest: string;
            /** @description When it was published; ISO 8601 in UTC without a zone. Null when the gateway did not know the time. */
            published_at: string | null;
            /**
             * @description By whom: the name of a key.
             * @example firmware desk
             */
            published_by: string;
            /**
             * Format: int32
             * @description The number of the root by which it was trusted when it was published.
             * @example 1
             */
            root_number: number;
            /**
             * Format: int32
             * @description Never below that of what a device has confirmed.
             * @example 7
             */
            security_counter: number;
            /** @description SHA-256 of the keys that signed it, hex. */
            signers: string[];
            /** @description Whether it may be rolled out. */
            state: components["schemas"]["FirmwareReleaseState"];
            /**
             * @description `es256-aes256ctr` or `rsa2048-aes256cbc`.
             * @example es256-aes256ctr
             */
            suite: string;
            /**
             * @description How people call it.
             * @example 1.4.0
             */
            version: string;
            /** @description When it was withdrawn; null when it was not, or the gateway did not know the time. */
            withdrawn_at: string | null;
            /** @description By whom; null when it was not withdrawn. */
            withdrawn_by: string | null;
        };
        /**
         * @description Whether a release may be rolled out.
         * @enum {string}
         */
        FirmwareReleaseState: "published" | "withdrawn";
        /** @description What a meter reported of an update, as it signed it. */
        FirmwareReport: {
            /**
             * Format: int32
             * @description The boot in which it was made.
             * @example 3
             */
            boot: number;
            /**
             * @description What was in its way, such as `sensor` or `crashes`; null when it is confirmed.
             * @example sensor
             */
            obstacle: string | null;
            /** @description How the update ended. */
            outcome: components["schemas"]["UpdateOutcome"];
            /** @description When the gateway stored it; ISO 8601 in UTC without a zone. Null when it did not know the time. */
            received_at: string | null;
            /** @description The signed bytes, hex. */
            record: string;
            /** @description The release that it is about, hex. */
            release: string;
            /** @description SHA-256 of the payload that ran when it was made, hex. */
            running_digest: string;
            /**
             * Format: int32
             * @description The security counter that held then.
             * @example 7
             */
            security_counter: number;
            /** @description The meter's signature over them, r then s, hex. */
            signature: string;
            /**
             * Format: int64
             * @description When the meter made it, Unix seconds; null when the meter did not know the time.
             * @example 1750352712
             */
            timestamp: number | null;
            /**
             * @description Its version; null when it is not published here.
             * @example 1.4.0
             */
            version: string | null;
        };
        /** @description A role in a root. */
        FirmwareRole: {
            /** @description SHA-256 of each key, hex, in ascending order of the keys. */
            keys: string[];
            /**
             * Format: int32
             * @description How many of its keys have to sign.
             * @example 2
             */
            threshold: number;
        };
        /** @description A root: which keys may sign firmware. */
        FirmwareRoot: {
            /** @description When it was added; ISO 8601 in UTC without a zone. Null when the gateway did not know the time. */
            added_at: string | null;
            /**
             * @description By whom: the name of a key.
             * @example firmware desk
             */
            added_by: string;
            /** @description Whether this gateway's own assignment key is among those. */
            assigned_here: boolean;
            /** @description Who signs assignments. */
            assignment: components["schemas"]["FirmwareRole"];
            /**
             * Format: int32
             * @description Its number; each root follows the one whose number is one less.
             * @example 1
             */
            number: number;
            /** @description Who signs releases. */
            release: components["schemas"]["FirmwareRole"];
            /** @description Who signs roots. */
            root: components["schemas"]["FirmwareRole"];
            /**
             * @description How releases are signed and encrypted: `es256-aes256ctr` or `rsa2048-aes256cbc`.
             * @example es256-aes256ctr
             */
            suite: string;
        };
        /**
         * @description How well something is.
         * @enum {string}
         */
        Health: "healthy" | "degraded" | "unhealthy";
        /** @description One signed record of it. */
        HistoryEntry: {
            /** @description Of an Enrolment that the meter has accepted: the meter's signature over the same bytes, 128 hex digits. */
            acceptance: string | null;
            /** @description SHA-256 of the record, hex. */
            digest: string;
            /**
             * @description When it was signed, by the signer's word; ISO 8601 in UTC without a zone.
             * @example 2025-06-19T16:52:26.093000
             */
            issued_at: string;
            /** @description What was said. */
            kind: components["schemas"]["HistoryKind"];
            /** @description When the gateway stored it; ISO 8601 in UTC without a zone. Null when it did not know the time. */
            received_at: string | null;
            /** @description The signed bytes, hex. */
            record: string;
            /** @description The signature, 128 hex digits. */
            signature: string;
            /** @description Whose key that is. */
            signed_by: components["schemas"]["SignedBy"];
            /** @description SHA-256 of the signer's public key, hex. */
            signer: string;
            /**
             * @description What the record says, by the names of its fields.
             * @example {
             *       "name": "Barn roof",
             *       "time_zone": "Europe/Berlin"
             *     }
             */
            summary: {
                [key: string]: string;
            };
        };
        /**
         * @description What was said.
         * @enum {string}
         */
        HistoryKind: "enrolment" | "label" | "correction" | "revocation" | "replacement";
        /** @description A row of an older system's database. */
        ImportedReading: {
            /**
             * Format: int64
             * @description Its number there.
             */
            id: number;
            /**
             * Format: int64
             * @description The number of its installation there.
             */
            installation_id: number;
            /** @description Always false. */
            is_verified: boolean;
            /**
             * Format: double
             * @description Power in W as it stood there.
             */
            power_w: number;
            /** @description What stood there as signature. */
            signature: string;
            /**
             * Format: int64
             * @description The time as it stood there, Unix seconds.
             */
            timestamp: number;
            /**
             * Format: double
             * @description The counter in Wh as it stood there.
             */
            total_wh: number;
        };
        /** @description An older system. */
        ImportSource: {
            /** @description The name under which its readings were taken over. */
            name: string;
        };
        /** @description One meter at its place. */
        Installation: {
            /**
             * @description When it was announced; ISO 8601 in UTC without a zone. Null when the gateway did not know the time.
             * @example 2025-06-19T16:52:26.093539
             */
            created_at: string | null;
            /** @description Whether the meter has countersigned that Enrolment. */
            enrolment_accepted: boolean;
            /** @description Digest of the Enrolment in force or awaiting the meter's acceptance, hex. */
            enrolment_digest: string | null;
            /**
             * Format: int32
             * @description Seconds between two readings of a healthy meter.
             */
            expected_cadence_s: number;
            /** @description SHA-256 of the running firmware as the newest Boot record claims it, hex. */
            firmware_digest: string | null;
            /**
             * Format: int64
             * @description Number of the installation in this gateway.
             * @example 1
             */
            id: number;
            /** @description Whether its readings are accepted. */
            is_active: boolean;
            /**
             * Format: int64
             * @description When the meter last started, Unix seconds.
             */
            last_boot_timestamp: number | null;
            /** @description When the gateway last heard it; ISO 8601 in UTC without a zone. */
            last_seen_at: string | null;
            /** @description When it was last heard, against its cadence. */
            liveness: components["schemas"]["Liveness"];
            /** @description SHA-256 of the public key, hex. */
            meter_id: string;
            /**
             * @description The name that people see.
             * @example Hackathon Test 1
             */
            name: string;
            /** @description The meter's P-256 public key, 128 hex digits: X then Y. */
            public_key: string;
            /**
             * Format: int32
             * @description Rated power of the plant in W, once enrolled.
             */
            rated_power_w: number | null;
            /**
             * Format: int64
             * @description Number of the installation that follows this one.
             */
            replaced_by: number | null;
            /**
             * Format: int64
             * @description Number of the installation that this one follows at the same place.
             */
            replaces: number | null;
            /**
             * @description The sensor's model.
             * @example shelly_em_gen1
             */
            sensor_model: string | null;
            /**
             * @description MAC address of the sensor, 12 hex digits; announced, or enrolled once active.
             * @example EC64C9C05E97
             */
            shelly_mac: string | null;
            /** @description What an operator decided. */
            state: components["schemas"]["InstallationState"];
            /**
             * @description IANA name of the site's time zone.
             * @example Europe/Berlin
             */
            timezone: string;
        };
        /** @description One meter at its place with all that is known of it. */
        InstallationDetail: components["schemas"]["Installation"] & {
            enrolment: components["schemas"]["EnrolmentDetail"] | null;
            last_boot: components["schemas"]["LastBoot"] | null;
            /** @description What the meter proposed when it announced itself. */
            proposal: components["schemas"]["Proposal"];
            revocation: components["schemas"]["RevocationDetail"] | null;
            status_report: components["schemas"]["MeterReport"] | null;
        };
        /**
         * @description What an operator decided about a meter's key.
         * @enum {string}
         */
        InstallationState: "waiting" | "active" | "revoked";
        /** @description Whether the internet can be reached, since when and why. */
        Internet: {
            /** @description Since when; ISO 8601 in UTC without a zone. */
            since: string | null;
            /** @description What the probe says. */
            state: components["schemas"]["InternetState"];
            /** @description Why. */
            why: string;
        };
        /**
         * @description Whether the internet can be reached.
         * @enum {string}
         */
        InternetState: "unknown" | "reachable" | "unreachable";
        /** @description What `POST /api/v1/installations/{id}/label` takes: one of them or both. What is left out stays. */
        LabelRequest: {
            /**
             * @description The name that people see; 1 to 64 bytes.
             * @example Barn roof
             */
            name?: string | null;
            /**
             * @description IANA name of the site's time zone.
             * @example Europe/Berlin
             */
            time_zone?: string | null;
        };
        /** @description A start of the meter, as it signed it. */
        LastBoot: {
            /**
             * Format: int32
             * @description How many times the meter has started, this one included.
             * @example 3
             */
            boot: number;
            /** @description SHA-256 of the running firmware, as the meter claims it, hex. */
            firmware_digest: string;
            /**
             * @description The firmware's version.
             * @example 0.1.0
             */
            firmware_version: string;
            /** @description When the gateway stored it; ISO 8601 in UTC without a zone. Null when it did not know the time. */
            received_at: string | null;
            /**
             * @description Why: `unknown`, `power_on`, `brown_out`, `watchdog`, `crash`, `requested`, `update` or `wake`.
             * @example power_on
             */
            reset_reason: string;
            /**
             * Format: int64
             * @description When, Unix seconds; null when the meter did not know the time.
             * @example 1750346382
             */
            timestamp: number | null;
        };
        /**
         * @description When a meter was last heard, against the cadence it should keep.
         * @enum {string}
         */
        Liveness: "live" | "late" | "silent" | "never";
        /** @description When meters may start a release, in their own local time. It may go past midnight. */
        MaintenanceWindow: {
            /**
             * @description From this time of the day on, `HH:MM`.
             * @example 22:00
             */
            from: string;
            /**
             * @description Up to this one, `HH:MM`; not the same.
             * @example 05:00
             */
            to: string;
        };
        /** @description One mark. A field that does not belong to its kind is null. */
        Mark: {
            /**
             * Format: int32
             * @description Of a boot or a gap: how many times the meter had started, this one included.
             * @example 3
             */
            boot: number | null;
            /**
             * Format: int64
             * @description Its last moment, Unix seconds, the start again for what has no length; null while it lasts.
             * @example 1750353000
             */
            end: number | null;
            /**
             * Format: double
             * @description The energy that the meter counted meanwhile, Wh; null when that cannot be told.
             */
            energy_wh: number | null;
            /** @description Of a boot: SHA-256 of the running firmware, as the meter claims it, hex. */
            firmware_digest: string | null;
            /**
             * @description Of a boot: the firmware's version.
             * @example 0.1.0
             */
            firmware_version: string | null;
            /** @description What happened. */
            kind: components["schemas"]["MarkKind"];
            /**
             * Format: int64
             * @description Of a gap: how many readings are gone; null when that cannot be told.
             */
            readings_lost: number | null;
            /**
             * @description Of a boot, why: `unknown`, `power_on`, `brown_out`, `watchdog`, `crash`, `requested`, `update`
             *     or `wake`.
             * @example power_on
             */
            reset_reason: string | null;
            /**
             * Format: int64
             * @description Its first moment, Unix seconds.
             * @example 1750352400
             */
            start: number;
        };
        /**
         * @description What happened.
         * @enum {string}
         */
        MarkKind: "boot" | "outage" | "gap";
        /** @description A meter's state of health, as it signed it. */
        MeterReport: {
            /**
             * Format: int32
             * @description The boot in which it was made.
             * @example 3
             */
            boot: number;
            /**
             * Format: int64
             * @description Free memory in bytes.
             * @example 143360
             */
            free_memory_bytes: number | null;
            /**
             * Format: int32
             * @description Readings that waited for the gateway.
             * @example 0
             */
            queued_readings: number;
            /**
             * Format: int32
             * @description Chain records that waited for the gateway.
             * @example 0
             */
            queued_records: number;
            /** @description When the gateway stored it; ISO 8601 in UTC without a zone. Null when it did not know the time. */
            received_at: string | null;
            /**
             * Format: int32
             * @description Polls of the sensor that had failed in this boot.
             * @example 0
             */
            sensor_failures: number;
            /**
             * Format: int32
             * @description Signal strength of the radio in dBm.
             * @example -61
             */
            signal_strength_dbm: number | null;
            /**
             * Format: double
             * @description Temperature of the meter itself in °C.
             * @example 41.5
             */
            temperature_c: number | null;
            /**
             * @description How far that can be relied on: `unknown`, `informative`, `synchronised` or `relative`.
             * @example synchronised
             */
            time_quality: string;
            /**
             * Format: int64
             * @description When the meter made it, Unix seconds; null when the meter did not know the time.
             * @example 1750352712
             */
            timestamp: number | null;
            /**
             * Format: int32
             * @description Uploads that had failed in this boot.
             * @example 0
             */
            upload_failures: number;
            /**
             * Format: int64
             * @description How long the meter had run then, ms.
             * @example 6330000
             */
            uptime_ms: number;
        };
        /** @description How one meter is. */
        MeterStatus: {
            /** @description What an operator decided. */
            decision: components["schemas"]["InstallationState"];
            /**
             * Format: int32
             * @description Seconds between two readings of a healthy meter.
             */
            expected_cadence_s: number;
            /**
             * Format: int64
             * @description Number of the installation.
             */
            installation_id: number;
            /** @description Whether it is live. */
            is_alive: boolean;
            /** @description When the gateway last heard it; ISO 8601 in UTC without a zone. */
            last_seen_at: string | null;
            /** @description When it was last heard, against its cadence. */
            liveness: components["schemas"]["Liveness"];
            /** @description Its name. */
            name: string;
            /** @description Since when it is in this state; ISO 8601 in UTC without a zone. */
            since: string | null;
            /**
             * @description `waiting` or `revoked` by an operator's decision, else `live`, `late`, `silent` or `never`.
             * @example live
             */
            state: string;
            /** @description Why. */
            why: string | null;
        };
        /** @description What `POST /api/v1/keys` takes. */
        NewApiKey: {
            /** @description When it ends by itself; ISO 8601. It never does when this is left out. */
            expires_at?: string | null;
            /** @description What it is for; 1 to 64 characters. */
            name: string;
            /** @description What it allows. */
            role: components["schemas"]["Role"];
        };
        /** @description What `POST /api/v1/keys` answers: the only time that the key itself is shown. */
        NewApiKeyAnswer: {
            /**
             * Format: int64
             * @description Number of the key.
             */
            id: number;
            /** @description The key: send it as `Authorization: Bearer …`. It cannot be shown again. */
            key: string;
            /** @description What it is for. */
            name: string;
            /** @description What it allows. */
            role: components["schemas"]["Role"];
        };
        /** @description What `POST /api/v1/firmware/rollouts` takes. */
        NewRollout: {
            /**
             * Format: int32
             * @description How long a meter may take from the start of its wave; a silent one has failed then. With a window a day
             *     or more.
             * @example 86400
             */
            deadline_seconds: number;
            /**
             * Format: int32
             * @description It does not halt for fewer failures of a wave than this.
             * @example 1
             */
            error_minimum?: number;
            /**
             * Format: int32
             * @description When at least so many of a hundred of a wave have failed, the rollout halts; 1 to 100.
             * @example 5
             */
            error_percent: number;
            /** @description Which meters. */
            group: components["schemas"]["RolloutGroup"];
            /**
             * @description How people call it; 1 to 64 characters.
             * @example 1.4.0 to the south roof
             */
            name: string;
            /** @description The digest of a published release, hex. */
            release: string;
            /**
             * Format: int32
             * @description How long a wave that has succeeded is watched before the next one begins.
             * @example 3600
             */
            soak_seconds: number;
            /**
             * Format: int32
             * @description At least so many of a hundred of a wave have to run the release before the next wave begins; 1 to 100.
             * @example 95
             */
            success_percent: number;
            /** @description Its waves, 1 to 32. Together they take every meter: the last one may say 100 percent. */
            waves: components["schemas"]["RolloutWaveSize"][];
            window?: components["schemas"]["MaintenanceWindow"] | null;
        };
        /** @description What `POST /api/v1/session` takes. */
        NewSession: {
            /** @description An API key, `wwk_…`. */
            key: string;
        };
        OpenApi: Record<string, never>;
        /** @description What `GET /api/v1/status/` answers. */
        ParkStatus: {
            /** @description Since when the gateway has been running and known the time. */
            gateway_since: string | null;
            /** @description Every meter. */
            installations: components["schemas"]["MeterStatus"][];
            /** @description The internet. */
            internet: components["schemas"]["Internet"];
            /** @description Since when; ISO 8601 in UTC without a zone. */
            since: string | null;
            /** @description The worst of all. */
            status: components["schemas"]["Health"];
            /** @description The gateway's time; null when it does not know it. */
            time: string | null;
            /** @description Why. */
            why: string;
        };
        /** @description Readings that are not on a chain yet, in the compact shape of the seed. */
        PendingReadings: {
            /** @description How many are listed. */
            count: number;
            /**
             * Format: int64
             * @description Id of the first; null when there is none.
             */
            first_reading_id: number | null;
            /**
             * Format: int64
             * @description Id of the last; null when there is none.
             */
            last_reading_id: number | null;
            /** @description `[id, power_w, total_wh, timestamp, signature]`, oldest first. */
            readings: unknown[][];
        };
        /** @description Why a request was refused. Nothing was changed by it, except where the kind says so. */
        Problem: {
            /** @description What was wrong in this very request. */
            detail: string;
            /** @description The field that is wrong. */
            field?: string | null;
            /** @description Of an equivocation: the record that is held, hex. */
            held_record?: string | null;
            record?: components["schemas"]["RecordReference"] | null;
            /** @description The rule that it breaks. */
            rule?: string | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind in a few words. */
            title: string;
            /**
             * @description The kind: a path under `/problems/`, where it is explained.
             * @example /problems/signature-invalid
             */
            type: string;
        };
        /** @description What a meter proposed of itself when it announced itself; an operator decides. */
        Proposal: {
            /**
             * Format: int32
             * @description Channel of the sensor, from 0.
             * @example 0
             */
            channel: number | null;
            /**
             * @description Which counter counts production: `total` or `total_returned`.
             * @example total
             */
            production_counter: string | null;
            /**
             * Format: int32
             * @description Rated power of the plant in W.
             * @example 800
             */
            rated_power_w: number | null;
            /**
             * @description The sensor's model.
             * @example shelly_em_gen1
             */
            sensor_model: string | null;
            /**
             * @description MAC address of the sensor, 12 hex digits.
             * @example EC64C9C05E97
             */
            shelly_mac: string | null;
            /**
             * @description IANA name of the site's time zone; null once an operator has said one.
             * @example Europe/Berlin
             */
            time_zone: string | null;
        };
        /** @description What `GET /ready` answers: whether readings are taken and stored now. */
        Readiness: {
            /** @description Whether it is ready. */
            ready: boolean;
            /** @description Whether it is about to stop. */
            stopping: boolean;
            /** @description Whether the store answers. */
            store: boolean;
            /** @description Whether the gateway knows the time; it takes readings even when it does not. */
            time_known: boolean;
        };
        /** @description One reading. */
        Reading: {
            /**
             * Format: int64
             * @description The block of that transaction.
             */
            blockchain_block_number: number | null;
            /** @description The transaction that did it. */
            blockchain_tx_hash: string | null;
            /** @description When the gateway received it; ISO 8601 in UTC without a zone; null when the gateway did not know the time. */
            created_at: string | null;
            /** @description Names of the flags that are set. */
            flags: string[];
            /**
             * Format: int64
             * @description Number of the reading: installation · 2^29 + sequence.
             */
            id: number;
            /**
             * Format: int64
             * @description Number of the installation.
             */
            installation_id: number;
            /** @description Whether it is part of what a chain has confirmed. */
            is_on_chain: boolean;
            /** @description Whether a signature of the meter covers it. False only for rows imported from an older system. */
            is_verified: boolean;
            /** @description SHA-256 of the meter's public key, hex. */
            meter_id: string | null;
            /**
             * Format: double
             * @description Power of the plant in W, positive in the direction of production: the sensor's value, times the ratio of an external transformer if the enrolment names one. Null when the poll failed.
             * @example 16.6
             */
            power_w: number | null;
            /**
             * Format: double
             * @description The meter's own never-decreasing sum in Wh.
             */
            produced_wh: number | null;
            proof: components["schemas"]["ReadingProof"] | null;
            /** @description The signed bytes, hex; null for imported rows. */
            record: string | null;
            /**
             * Format: int64
             * @description The meter's number of this reading.
             */
            sequence: number;
            /** @description The reading's own signature, 128 hex digits; null once it is sealed in a window. */
            signature: string | null;
            /**
             * Format: int64
             * @description When the sensor was asked, Unix seconds; null when the meter did not know the time.
             * @example 1750352712
             */
            timestamp: number | null;
            /**
             * Format: double
             * @description The sensor's production counter in Wh, as it gave it; null when the poll failed.
             * @example 21700
             */
            total_wh: number | null;
            /** @description When the gateway checked the signature. */
            verification_timestamp: string | null;
            /**
             * Format: int64
             * @description Chain index of the window that seals it; null until then.
             */
            window_id: number | null;
        };
        /**
         * @description How a sealed window proves one of its readings (RFC 9162, section 2.1.3): hash the record
         *     behind a zero byte, then go up along `path` to `root`, which the window's signature covers.
         */
        ReadingProof: {
            /**
             * Format: int64
             * @description How many readings the window has; null in lists.
             */
            leaf_count: number | null;
            /**
             * Format: int64
             * @description Place among the window's readings, from 0.
             */
            leaf_index: number;
            /** @description The sibling hashes from leaf to root, hex; null in lists: ask for the single reading. */
            path: string[] | null;
            /** @description The root of the window's tree, hex; null in lists. */
            root: string | null;
            /** @description The window's signed bytes, hex; null in lists. */
            window_record: string | null;
            /** @description The meter's signature over the window, hex; null in lists. */
            window_signature: string | null;
        };
        /** @description Which record of a request a problem speaks of. */
        RecordReference: {
            /**
             * Format: int64
             * @description Its chain index, of a record of the chain.
             */
            chain_index?: number | null;
            /** @description The meter. */
            meter_id?: string | null;
            /** @description Its place in the request, from 0. */
            position: number;
            /** @description Its type. */
            record_type?: string | null;
            /**
             * Format: int64
             * @description Its sequence number, of a reading.
             */
            sequence?: number | null;
        };
        /** @description Why a meter is no longer trusted. */
        RevocationDetail: {
            /** @description In words; may be empty. */
            note: string;
            /**
             * @description `other`, `decommissioned`, `lost`, `key_compromise` or `manipulation`.
             * @example lost
             */
            reason: string;
            /** @description When the operator signed; ISO 8601 in UTC without a zone. Null when the gateway did not know the time. */
            time: string | null;
        };
        /** @description What `POST /api/v1/installations/{id}/revoke` takes. */
        RevocationRequest: {
            /** @description In words; at most 64 bytes. */
            note?: string;
            /** @description `other`, `decommissioned`, `lost`, `key_compromise` or `manipulation`. */
            reason: string;
        };
        /**
         * @description What the bearer of a key may do. Operators and firmware engineers stand beside each other: each may do
         *     what a viewer may, neither what the other does; an administrator may do all.
         * @enum {string}
         */
        Role: "viewer" | "operator" | "firmware" | "admin";
        /** @description A rollout as a list shows it, and as the live stream tells it. */
        Rollout: {
            /** @description When something about it changed last. */
            changed_at: string | null;
            /** @description How they are. */
            counts: components["schemas"]["RolloutCounts"];
            /** @description When it was begun; ISO 8601 in UTC without a zone. Null when the gateway did not know the time. */
            created_at: string | null;
            /**
             * @description By whom: the name of a key.
             * @example firmware desk
             */
            created_by: string;
            /**
             * Format: int32
             * @description Its number.
             * @example 1
             */
            id: number;
            /**
             * Format: int32
             * @description Meters in all waves together.
             * @example 100
             */
            meters: number;
            /** @description How people call it. */
            name: string;
            /**
             * @description Why it is as it is, in words.
             * @example wave 2 updates itself
             */
            reason: string;
            /** @description The release's digest, hex. */
            release: string;
            /** @description How it is. */
            state: components["schemas"]["RolloutState"];
            /**
             * @description The release's version.
             * @example 1.4.0
             */
            version: string;
            /**
             * Format: int32
             * @description The number of the wave that is under way, or was last, from 1.
             * @example 2
             */
            wave: number;
            /**
             * Format: int32
             * @description How many waves it has.
             * @example 3
             */
            waves_in_all: number;
        };
        /** @description How many meters of a rollout or a wave are how far. Together they are all of it. */
        RolloutCounts: {
            /**
             * Format: int32
             * @description They run another release again, or said that they cannot, or were silent past the deadline.
             */
            failed: number;
            /**
             * Format: int32
             * @description They fetch.
             */
            fetching: number;
            /**
             * Format: int32
             * @description They have all of it and have not started it.
             */
            staged: number;
            /**
             * Format: int32
             * @description They run it and have not passed their own examination.
             */
            trial: number;
            /**
             * Format: int32
             * @description They run it: a signed record says so.
             */
            updated: number;
            /**
             * Format: int32
             * @description Their wave has not begun, or they have not asked since.
             */
            waiting: number;
        };
        /** @description A rollout with its plan, its waves and who did what. */
        RolloutDetail: components["schemas"]["Rollout"] & {
            /** @description What was asked for. */
            plan: components["schemas"]["NewRollout"];
            /** @description What was done to it and what it decided, newest first; at most 100. */
            steps: components["schemas"]["RolloutStep"][];
            /** @description Its waves, all of them to which meters are left. */
            waves: components["schemas"]["RolloutWave"][];
        };
        /** @description A meter of a rollout. */
        RolloutDevice: components["schemas"]["FirmwareDevice"] & {
            /** @description Why it has failed, in words; null when it has not. */
            failure: string | null;
            /** @description How it is in the rollout. */
            rollout_state: components["schemas"]["RolloutDeviceState"];
            /**
             * Format: int32
             * @description The number of its wave, from 1.
             * @example 1
             */
            wave: number;
        };
        /**
         * @description How a meter of a rollout is in it.
         * @enum {string}
         */
        RolloutDeviceState: "waiting" | "fetching" | "staged" | "trial" | "updated" | "failed";
        /** @description Which meters a rollout is for: those that fit everything that is said. At least one thing is. */
        RolloutGroup: {
            /**
             * @description The release's hardware class, said again: all meters that have said it is theirs.
             * @default null
             */
            hardware_class: string | null;
            /**
             * @description Names of installations, as their Labels have them; with a `*` at the end, all that begin so. Up to 64.
             * @default null
             */
            labels: string[] | null;
            /**
             * @description Ids of meters, hex. Up to 1,000.
             * @default null
             */
            meters: string[] | null;
        };
        /**
         * @description How a rollout is.
         * @enum {string}
         */
        RolloutState: "running" | "soaking" | "finishing" | "paused" | "halted" | "completed" | "aborted" | "withdrawn";
        /** @description Something that was done to a rollout, or that it decided. */
        RolloutStep: {
            /**
             * @description What, as in the audit trail.
             * @example rollout.pause
             */
            action: string;
            /** @description Who: the name of a key, or `gateway`. */
            actor: string;
            /** @description With what. */
            detail: string;
            /** @description When; ISO 8601 in UTC without a zone. Null when the gateway did not know the time. */
            time: string | null;
        };
        /** @description A wave of a rollout. */
        RolloutWave: {
            /** @description How its meters are. */
            counts: components["schemas"]["RolloutCounts"];
            /** @description While it is under way: when its meters are to be done; ISO 8601 in UTC without a zone. */
            deadline_at: string | null;
            /**
             * Format: int32
             * @description Meters of it, without those of the waves before it.
             * @example 5
             */
            meters: number;
            /**
             * Format: int32
             * @description Its number, from 1.
             * @example 1
             */
            number: number;
            /** @description While it soaks: until when; ISO 8601 in UTC without a zone. */
            soaks_until: string | null;
            /** @description How it is. */
            state: components["schemas"]["RolloutWaveState"];
        };
        /** @description How many meters a wave takes, at most as many as the waves before it have left: one of the two is said. */
        RolloutWaveSize: {
            /**
             * Format: int32
             * @description So many; at least 1.
             */
            count?: number | null;
            /**
             * Format: int32
             * @description So many of a hundred of the whole group, rounded up; 1 to 100.
             */
            percent?: number | null;
        };
        /**
         * @description How a wave is.
         * @enum {string}
         */
        RolloutWaveState: "waiting" | "running" | "soaking" | "passed" | "stopped";
        /** @description Who is logged in, and what anyone may do. */
        Session: {
            /** @description What `X-CSRF-Token` has to say in every request of this session but GET and HEAD; null without a session. */
            csrf_token: string | null;
            /**
             * @description When the session ends by itself; ISO 8601 in UTC without a zone. Null without a session.
             * @example 2025-07-19T16:52:26.093000
             */
            expires_at: string | null;
            /**
             * @description That key's name, under which changes stand in the audit trail.
             * @example control room
             */
            name: string | null;
            /** @description Whether anyone may read what a viewer may. */
            public_read: boolean;
            role: components["schemas"]["Role"] | null;
            /**
             * @description The gateway's version.
             * @example 0.1.0
             */
            version: string;
        };
        /**
         * @description Whose key has signed.
         * @enum {string}
         */
        SignedBy: "operator" | "meter";
        /** @description The canonical bytes of a record and the meter's signature over them. */
        SignedRecord: {
            /** @description The bytes, hex. */
            record: string;
            /** @description The signature, 128 hex digits; null for a reading that came in a window. */
            signature: string | null;
        };
        /** @description The OpenAPI shape of a submission. */
        Submission: {
            /**
             * Format: int64
             * @description Must be the signer's installation.
             */
            installation_id?: number | null;
            /** @description Must be the signer's id, hex. */
            meter_id?: string | null;
            /**
             * Format: double
             * @description Power in W; when it stands here it must be the record's, as a list of readings shows it.
             */
            power_w?: number | null;
            /** @description Must be the signer's public key, hex. */
            public_key?: string | null;
            /** @description The canonical bytes of a Reading, hex. */
            record: string;
            /**
             * Format: int64
             * @description The meter's number of the reading; must be the record's.
             */
            sequence?: number | null;
            /** @description The meter's ES256 signature over them, 128 hex digits: r then s, low-s. */
            signature: string;
            /**
             * Format: double
             * @description Unix seconds; must be the record's.
             */
            timestamp?: number | null;
            /**
             * Format: double
             * @description The production counter in Wh; must be the record's.
             */
            total_wh?: number | null;
        };
        /**
         * @description How long a chart is: so far back from now, or the whole calendar period that holds a moment.
         * @enum {string}
         */
        TimeFrame: "hour" | "day" | "week" | "month" | "year";
        /**
         * @description How an update ended.
         * @enum {string}
         */
        UpdateOutcome: "confirmed" | "rolled_back" | "refused";
        /**
         * @description How far a meter is with an update, by its own word.
         * @enum {string}
         */
        UpdateState: "idle" | "checking" | "fetching" | "staged" | "trial" | "confirmed" | "rolled_back";
        /** @description One sealed window with its readings and its neighbours: all that is needed to rebuild its root. */
        WindowDetail: components["schemas"]["WindowSummary"] & {
            /**
             * Format: int64
             * @description Its place in the meter's chain; the same as `id`.
             * @example 17
             */
            chain_index: number;
            /**
             * Format: int64
             * @description Chain index of the window after it; null when there is none yet.
             */
            next_id: number | null;
            /** @description SHA-256 of the record before it in the chain, hex; null for the first record. */
            previous_digest: string | null;
            /**
             * Format: int64
             * @description Chain index of the window before it; null when none is held.
             */
            previous_id: number | null;
            /** @description Its readings by number; empty when they are not held. */
            readings: components["schemas"]["WindowReading"][];
        };
        /** @description One reading of a window. */
        WindowReading: {
            /**
             * Format: int64
             * @description Number of the reading: installation · 2^29 + sequence.
             */
            id: number;
            /**
             * Format: double
             * @description Power of the plant in W, positive in the direction of production; null when the poll failed.
             * @example 16.6
             */
            power_w: number | null;
            /** @description The canonical bytes, hex: a leaf of the window's tree. */
            record: string;
            /**
             * Format: int64
             * @description The meter's number of this reading.
             */
            sequence: number;
            /**
             * Format: int64
             * @description When the sensor was asked, Unix seconds; null when the meter did not know the time.
             * @example 1750352712
             */
            timestamp: number | null;
        };
        /** @description One sealed window. */
        WindowSummary: {
            /**
             * Format: int32
             * @description The boot in which it was taken.
             */
            boot: number;
            /**
             * Format: int32
             * @description How many readings there are.
             */
            count: number;
            /** @description When the gateway received it; ISO 8601 in UTC without a zone. */
            created_at: string | null;
            /** @description SHA-256 of the record, hex. */
            digest: string;
            /**
             * Format: double
             * @description The energy between the close of the window before and this close, Wh.
             */
            energy_wh: number;
            /** @description Digest of the Enrolment in force, hex; null for none. */
            enrolment_digest: string | null;
            /** @description Digest of the running firmware, hex. */
            firmware_digest: string;
            /**
             * Format: int64
             * @description Number of the first reading.
             */
            first_sequence: number;
            /**
             * Format: int64
             * @description Time of the first reading, Unix seconds.
             */
            first_timestamp: number | null;
            /** @description How it was closed: names of the flags. */
            flags: string[];
            /** @description Whether its single readings are held too. */
            has_readings: boolean;
            /**
             * Format: int64
             * @description Chain index of the window.
             */
            id: number;
            /**
             * Format: int64
             * @description Number of the installation.
             */
            installation_id: number;
            /**
             * Format: int64
             * @description Number of the last reading.
             */
            last_sequence: number;
            /**
             * Format: int64
             * @description Time of the last reading, Unix seconds.
             */
            last_timestamp: number | null;
            /**
             * Format: double
             * @description `produced` at the close, Wh.
             */
            produced_close_wh: number;
            /** @description The signed bytes, hex. */
            record: string;
            /** @description Root over the readings, hex. */
            root: string;
            /** @description The meter's signature, 128 hex digits. */
            signature: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_alerts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alert"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_audit: {
        parameters: {
            query?: {
                /** @description Only this action, or all that begin with this and a dot: `key` means `key.create` and `key.revoke`. */
                action?: string;
                /** @description Only what was done by this actor. */
                actor?: string;
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description Up to this time; ISO 8601. */
                end_time?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
                /** @description From this time on; ISO 8601. */
                start_time?: string;
                /** @description Only where the subject contains this. */
                subject?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEntry"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_audit: {
        parameters: {
            query?: {
                /** @description Only this action, or all that begin with this and a dot: `key` means `key.create` and `key.revoke`. */
                action?: string;
                /** @description Only what was done by this actor. */
                actor?: string;
                /** @description Up to this time; ISO 8601. */
                end_time?: string;
                /** @description From this time on; ISO 8601. */
                start_time?: string;
                /** @description Only where the subject contains this. */
                subject?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_energy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Energy"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_firmware_releases: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FirmwareRelease"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    publish_firmware_release: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description All is well. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FirmwareRelease"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_firmware_release: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FirmwareRelease"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    withdraw_firmware_release: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FirmwareRelease"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_rollouts: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    begin_rollout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRollout"];
            };
        };
        responses: {
            /** @description All is well. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutDetail"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_rollout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutDetail"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    abort_rollout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutDetail"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_rollout_devices: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutDevice"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry_rollout_device: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
                meter_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutDetail"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pause_rollout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutDetail"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resume_rollout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutDetail"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_firmware_roots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FirmwareRoot"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_firmware_root: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/cbor": string;
            };
        };
        responses: {
            /** @description All is well. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FirmwareRoot"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_imports: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportSource"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_imported_readings: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
            };
            header?: never;
            path: {
                source: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportedReading"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_installations: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Installation"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    announce_installation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Announcement"];
            };
        };
        responses: {
            /** @description All is well. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Installation"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_installation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InstallationDetail"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approve_installation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Approval"];
            };
        };
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Installation"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_energy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Energy"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_evidence: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Evidence"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_findings: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Finding"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_history: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HistoryEntry"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    label_installation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LabelRequest"];
            };
        };
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Installation"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_marks: {
        parameters: {
            query?: {
                /** @description Up to this time; ISO 8601. */
                end_time?: string;
                /** @description From this time on; ISO 8601. */
                start_time?: string;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mark"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_readings: {
        parameters: {
            query?: {
                /** @description Up to this time; ISO 8601. */
                end_time?: string;
                /** @description From this time on; ISO 8601. */
                start_time?: string;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_reading: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
                reading_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reading"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_installation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevocationRequest"];
            };
        };
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Installation"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_windows: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description Up to this time; ISO 8601. */
                end_time?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
                /** @description From this time on; ISO 8601. */
                start_time?: string;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WindowSummary"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_window: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
                window_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WindowDetail"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_keys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewApiKey"];
            };
        };
        responses: {
            /** @description All is well. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKeyAnswer"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stream_live: {
        parameters: {
            query?: {
                /** @description Resume after this event, for clients that cannot send the `Last-Event-ID` header. */
                last_event_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_enrolment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                meter_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/cose": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_enrolments: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                meter_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/cose": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_records: {
        parameters: {
            query?: {
                /** @description First chain index. */
                from_index?: number;
                /** @description Last chain index. */
                to_index?: number;
            };
            header?: never;
            path: {
                meter_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/cose": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_statements: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
            };
            header?: never;
            path: {
                meter_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/cose": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenApi"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    submit_reading: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Submission"];
            };
        };
        responses: {
            /** @description All is well. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reading"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_readings: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description Up to this time; ISO 8601. */
                end_time?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
                /** @description Only what a chain has confirmed. */
                on_chain_only?: boolean;
                /** @description From this time on; ISO 8601. */
                start_time?: string;
                /** @description Leave out rows that were imported without a signature. */
                verified_only?: boolean;
            };
            header?: never;
            path: {
                installation_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reading"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_chart: {
        parameters: {
            query?: {
                /** @description A local date such as `2025-10-26`, or an ISO 8601 time: then the whole calendar period of the site's time zone that holds it. Without it the chart ends now. */
                at?: string;
                /** @description Only what a chain has confirmed. */
                on_chain_only?: boolean;
                /** @description How long the chart is: hour, day (if nothing is said), week, month or year. */
                time_frame?: components["schemas"]["TimeFrame"];
                /** @description Leave out rows that were imported without a signature. */
                verified_only?: boolean;
            };
            header?: never;
            path: {
                installation_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Chart"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_thinned_readings: {
        parameters: {
            query?: {
                /** @description Up to this time; ISO 8601. */
                end_time?: string;
                /** @description At most about so many readings, the peaks among them. */
                max_points?: number;
                /** @description Only what a chain has confirmed. */
                on_chain_only?: boolean;
                /** @description From this time on; ISO 8601. */
                start_time?: string;
                /** @description Leave out rows that were imported without a signature. */
                verified_only?: boolean;
            };
            header?: never;
            path: {
                installation_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reading"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_latest_readings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reading"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_latest_reading: {
        parameters: {
            query?: {
                /** @description Only what a chain has confirmed. */
                on_chain_only?: boolean;
                /** @description Leave out rows that were imported without a signature. */
                verified_only?: boolean;
            };
            header?: never;
            path: {
                installation_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reading"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_pending_readings: {
        parameters: {
            query?: {
                /** @description Only readings with a higher id, such as the `last_reading_id` of the answer before. */
                after?: number;
                /** @description At most so many; 1000 when nothing is said. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PendingReadings"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    submit_records: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/cose": string;
            };
        };
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.wattwitness.acknowledgement": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    begin_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSession"];
            };
        };
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    end_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ParkStatus"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alive"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    check_firmware: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/cbor": string;
            };
        };
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/cbor": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_firmware_chunk: {
        parameters: {
            query?: {
                /** @description The device's id, 64 hex digits. */
                device?: string;
                /** @description The number of the first record, from 0. */
                from?: number;
                /** @description How many, 1 to 1024. */
                n?: number;
                /** @description The nonce of its newest question, 32 hex digits. */
                nonce?: string;
                /** @description The digest of an object or of a list, 64 hex digits. */
                object?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    complete_firmware: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/cose": string;
            };
        };
        responses: {
            /** @description All is well. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_firmware_object: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_firmware_envelope: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/cbor": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_firmware_root: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/cbor": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_firmware_devices: {
        parameters: {
            query?: {
                /** @description Where a page begins; from a `Link` header. */
                cursor?: string;
                /** @description At most so many; then a `Link` header leads to the next page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FirmwareDevice"][];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_firmware_device: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                meter_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FirmwareDeviceDetail"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verify_firmware: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/cbor": string;
            };
        };
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/cbor": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    explain_problem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kind: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_readiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All is well. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description A problem. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
