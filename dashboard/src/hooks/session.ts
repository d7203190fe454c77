// Who looks at this page, what he may do, and how he logs in and out.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { holdCsrfToken, send } from "../api/client.ts";
import { queries } from "../api/queries.ts";
import type { Role, Session } from "../api/types.ts";
import { t } from "../util/text.ts";

/** Least first: each may do what the one before it may. */
const ranks: readonly Role[] = ["viewer", "operator", "admin"];

/** The session; undefined until the gateway has said. */
export function useSession(): Session | undefined {
  return useQuery(queries.session()).data;
}

/** Whether something is allowed here and now, and if not, why, in words for the person. */
export interface Permission {
  allowed: boolean;
  /** Null when it is allowed, and while it is not known yet. */
  reason: string | null;
}

export function useMay(needed: Role): Permission {
  const session = useSession();
  if (!session) return { allowed: false, reason: null };
  return permission(session, needed);
}

export function permission(session: Session, needed: Role): Permission {
  const { role } = session;
  const isEnough = role ? ranks.indexOf(role) >= ranks.indexOf(needed) : needed === "viewer" && session.public_read;
  if (isEnough) return { allowed: true, reason: null };
  const standing = role ? t("app.session.youAre", { role: t(`app.role.${role}`) }) : t("app.session.nobody");
  return { allowed: false, reason: `${t(`app.session.needs.${needed}`)} ${standing}` };
}

/** Exchanges an API key for a session. What was shown before is asked for again with the new rights. */
export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (key: string) => send<Session>("POST", "/api/v1/session", { key }),
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
    onSuccess: () => {
      begin(null);
      client.clear();
    },
  });
}

function begin(session: Session | null): void {
  holdCsrfToken(session?.csrf_token ?? null);
}
