// The ways in which a release travels: the whole image, and what a meter with an older one needs, with what that saves.

import type { FirmwareEncoding, FirmwareRelease } from "../api/firmware.ts";
import { Table, type Column } from "../ui/table.tsx";
import { byteSize, counted, fingerprint, nothing, percent } from "../util/format.ts";
import { t } from "../util/text.ts";
import { Digest } from "./firmware-text.tsx";

export function FirmwareEncodings({ release }: { release: FirmwareRelease }) {
  const whole = release.encodings.find(({ base }) => base === null)?.object_bytes ?? 0;
  const columns: Column<FirmwareEncoding>[] = [
    {
      id: "from",
      header: t("firmware.encoding.from"),
      renderCell: ({ base, base_version: version }) =>
        base === null ? t("firmware.encoding.whole") : t("firmware.encoding.delta", { version: version ?? fingerprint(base) }),
    },
    {
      id: "size",
      header: t("firmware.encoding.size"),
      isNumber: true,
      renderCell: ({ object_bytes: bytes }) => <span title={t("firmware.encoding.bytes", { bytes: counted(bytes) })}>{byteSize(bytes)}</span>,
    },
    {
      id: "saves",
      header: t("firmware.encoding.saves"),
      isNumber: true,
      renderCell: ({ base, object_bytes: bytes }) => (base === null || whole === 0 ? nothing : percent(1 - bytes / whole)),
    },
    {
      id: "object",
      header: t("firmware.encoding.object"),
      renderCell: ({ object }) => <Digest digest={object} label={t("firmware.encoding.object")} />,
    },
  ];
  return <Table label={t("firmware.encoding.heading")} columns={columns} rows={release.encodings} rowKey={({ object }) => object} />;
}
