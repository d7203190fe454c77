// The names the dashboard uses for the gateway's shapes, which are generated from its OpenAPI document. It deliberately derives nothing from them.

import type { components } from "./schema.ts";

type Schemas = components["schemas"];

/** One meter as the gateway lists it. */
export type Installation = Schemas["Installation"];

/** One meter at its place with all that is known of it. */
export type InstallationDetail = Schemas["InstallationDetail"];

/** What an operator should look at now. */
export type Alert = Schemas["Alert"];

/** One reading. */
export type Reading = Schemas["Reading"];

/** One sealed window with its readings, and those before and after it. */
export type WindowDetail = Schemas["WindowDetail"];

/** Energy of one meter in its site's calendar. */
export type Energy = Schemas["Energy"];

/** Energy of a stretch of time in bars. */
export type Chart = Schemas["Chart"];

/** A start, an outage or a gap of one meter. */
export type Mark = Schemas["Mark"];

/** How one meter is, since when and why. */
export type MeterStatus = Schemas["MeterStatus"];

/** How the park and the gateway are. */
export type ParkStatus = Schemas["ParkStatus"];

/** A rollout of firmware as a list shows it. */
export type Rollout = Schemas["Rollout"];

/** RFC 9457. */
export type Problem = Schemas["Problem"];

/** Who is logged in, and what the gateway lets everybody read. */
export type Session = Schemas["Session"];

/** What the bearer of a key may do. */
export type Role = Schemas["Role"];
