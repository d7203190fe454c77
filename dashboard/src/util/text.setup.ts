// What tests say, they say in English.

import { loadTexts, speak } from "./text.ts";

await loadTexts(["app", "park", "meter", "record", "proof", "installations", "firmware", "keys", "audit", "style", "term"], "en");
speak("en");
