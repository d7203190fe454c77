// Who looks at this page, what he may do, and how he logs in and out.

import { useMutation, useQuery, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { ApiError, holdCsrfToken, send } from "../api/client.ts";
import type { PageSession } from "../api/page-session.ts";
import { queries } from "../api/queries.ts";
import type { Role, Session } from "../api/types.ts";
import { t } from "../util/text.ts";

/** What is needed for something: a role, or either of the two that may stop a rollout. */
export type Needed = Role | "operatorOrFirmware";

/** Operators and firmware engineers stand beside each other, above viewers; administrators may do all. */
function suffices(role: Role, needed: Needed): boolean {
  if (needed === "viewer" || role === "admin" || role === needed) return true;
  return needed === "operatorOrFirmware" && role !== "viewer";
}

/** The session; undefined until the gateway has said. */
export function useSession(): PageSession | undefined {
  return useQuery(queries.session()).data;
}

/** Whether something is allowed here and now, and if not, why, in words for the person. */
export interface Permission {
  allowed: boolean;
  /** Null when it is allowed, and while it is not known yet. */
  reason: string | null;
}

export function useMay(needed: Needed): Permission {
  const session = useSession();
  if (!session) return { allowed: false, reason: null };
  return permission(session, needed);
}

export function permission(session: PageSession, needed: Needed): Permission {
  const { role } = session;
  const isEnough = role ? suffices(role, needed) : needed === "viewer" && session.public_read;
  if (isEnough) return { allowed: true, reason: null };
  const standing = role ? t("app.session.youAre", { role: t(`app.role.${role}`) }) : t(session.ended ? "app.session.ended" : "app.session.nobody");
  return { allowed: false, reason: `${t(`app.session.needs.${needed}`)} ${standing}` };
}

/**
 * Exchanges an API key for a session. What was shown before is asked for again with the new rights. The key is handed over by a function, since what
 * a mutation is called with is kept beside it.
 */
export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    gcTime: 0,
    mutationFn: (key: () => string) => send<Session>("POST", "/api/v1/session", { key: key() }),
    onSuccess: (session) => {
      begin(session);
      client.setQueryData(queries.session().queryKey, session);
      return client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== queries.session().queryKey[0] });
    },
  });
}

/** Ends the session, and forgets what only it could see. */
export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => send<undefined>("DELETE", "/api/v1/session"),
    onSuccess: async () => {
      begin(null);
      // Who one is now is known before anything else is asked for in one's name.
      await client.resetQueries({ queryKey: queries.session().queryKey });
      client.removeQueries({ type: "inactive" });
      await client.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== queries.session().queryKey[0] });
    },
  });
}

/**
 * A change at the gateway, after which what it made `outdated` is asked for again. When it is refused because of who one is, the session is asked
 * for, so that the page says what has become of it; a token that this person has renewed in another tab is taken, and the change sent once more.
 */
export function useChange<Asked, Answer>(act: (asked: Asked) => Promise<Answer>, outdated: readonly QueryKey[]) {
  const client = useQueryClient();
  return useMutation({
    gcTime: 0,
    mutationFn: async (asked: Asked) => {
      try {
        return await act(asked);
      } catch (error) {
        if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 403)) throw error;
        const before = client.getQueryData(queries.session().queryKey);
        const session = await client.fetchQuery({ ...queries.session(), staleTime: 0 });
        const isRenewed = error.problem.type === "/problems/csrf-token-wrong" && session.name === before?.name;
        if (!isRenewed) throw error;
        return await act(asked);
      }
    },
    onSuccess: () => Promise.all(outdated.map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}

function begin(session: Session | null): void {
  holdCsrfToken(session?.csrf_token ?? null);
}
