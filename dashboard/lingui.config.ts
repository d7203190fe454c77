// Where the texts are: one flat JSON file for each language and area, ICU messages by their id.
import { formatter } from "@lingui/format-json";
import type { LinguiConfig } from "@lingui/conf";

const areas = ["app", "park", "meter", "record", "proof", "installations", "firmware", "keys", "audit", "style", "term"];

export default {
  sourceLocale: "en",
  locales: ["en", "de", "es", "zh"],
  catalogs: areas.map((area) => ({ path: `<rootDir>/src/locales/{locale}/${area}`, include: [] })),
  format: formatter({ style: "minimal" }),
} satisfies LinguiConfig;
