// All API keys: what each is for and may do, and until when. The keys themselves are shown to nobody again.

import type { ApiKey } from "../api/administration.ts";
import { useNow } from "../hooks/now.ts";
import buttons from "../ui/button.module.css";
import { Badge } from "../ui/badge.tsx";
import { Table, type Column } from "../ui/table.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { dateTime, nothing } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { keyState } from "./key-state.ts";
import styles from "./key-table.module.css";

interface KeyTableProps {
  keys: readonly ApiKey[];
  /** The name of the key by which one is logged in. */
  own: string | null;
  zone: string;
  onRevoke: (key: ApiKey) => void;
}

const looks = {
  valid: { tone: "good", glyph: "own" },
  ending: { tone: "late", glyph: "late" },
  expired: { tone: "plain", glyph: "late" },
  revoked: { tone: "plain", glyph: "revoked" },
} as const;

export function KeyTable({ keys, own, zone, onRevoke }: KeyTableProps) {
  const now = useNow(60_000);
  const time = (iso: string | null, otherwise: string) => {
    const at = instantOf(iso);
    return at === null ? otherwise : <TimeText at={at}>{dateTime(at, zone)}</TimeText>;
  };
  const columns: Column<ApiKey>[] = [
    {
      id: "name",
      header: t("keys.list.name"),
      renderCell: ({ name, revoked_at }) => (
        <span className={styles["name"]}>
          <strong>{name}</strong>
          {name === own && revoked_at === null ? <span>{t("keys.list.own")}</span> : null}
        </span>
      ),
    },
    { id: "role", header: t("keys.list.role"), renderCell: ({ role }) => t(`app.role.${role}`) },
    {
      id: "state",
      header: t("keys.list.state"),
      renderCell: (key) => {
        const state = keyState(key, now);
        return <Badge {...looks[state]}>{t(`keys.state.${state}`)}</Badge>;
      },
    },
    { id: "created", header: t("keys.list.created"), renderCell: ({ created_at }) => time(created_at, nothing) },
    { id: "expires", header: t("keys.list.expires"), renderCell: ({ expires_at }) => time(expires_at, t("keys.list.never")) },
    { id: "revoked", header: t("keys.list.revoked"), renderCell: ({ revoked_at }) => time(revoked_at, nothing) },
    {
      id: "act",
      header: t("keys.list.act"),
      renderCell: (key) =>
        key.revoked_at === null ? (
          <button
            type="button"
            className={buttons["button"]}
            aria-label={t("keys.revoke.named", { name: key.name })}
            onClick={() => {
              onRevoke(key);
            }}
          >
            {t("keys.revoke.open")}
          </button>
        ) : null,
    },
  ];
  const rank = (key: ApiKey) => (["revoked", "expired"].includes(keyState(key, now)) ? 1 : 0);
  return (
    <Table
      label={t("app.nav.keys")}
      columns={columns}
      rows={keys.toSorted((one, other) => rank(one) - rank(other) || one.id - other.id)}
      rowKey={({ id }) => id}
      rowState={(key) => keyState(key, now)}
    />
  );
}
