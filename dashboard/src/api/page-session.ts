// The session as an open page lives with it: who was logged in a moment ago, and when to ask anew. It asks for nothing itself.

import { instantOf } from "../util/instant.ts";
import type { Session } from "./types.ts";

/** The session, and whether it has come to its end while this page was open. */
export interface PageSession extends Session {
  ended?: boolean;
}

/** What the gateway says now, after what it said before: whoever is no longer known without having logged out is told so. */
export function following(before: PageSession | undefined, session: Session): PageSession {
  const ended = session.role === null && before !== undefined && (before.role !== null || before.ended === true);
  return ended ? { ...session, ended } : session;
}

const day = 86_400_000;

/** When it is asked for anew, milliseconds from now: at its end, and not all the time where the gateway's clock is behind. False where nobody is logged in. */
export function untilEnd(session: Session | undefined, now: number): number | false {
  const end = instantOf(session?.expires_at);
  return end === null ? false : Math.min(Math.max(end - now + 1000, 10_000), day);
}
