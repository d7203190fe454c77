// How a meter is, in a word.

import { meterState } from "../api/meter-state.ts";
import type { Installation } from "../api/types.ts";
import { Badge } from "../ui/badge.tsx";
import { t } from "../util/text.ts";

const tones = { live: "good", late: "late", silent: "gone", waiting: "late", revoked: "plain", replaced: "plain", never: "plain" } as const;

export function InstallationState({ installation }: { installation: Installation }) {
  const { name } = meterState(installation, undefined);
  return (
    <Badge tone={tones[name]} glyph={name}>
      {t(`app.state.name.${name}`)}
    </Badge>
  );
}
