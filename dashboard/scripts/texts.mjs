// Holds the languages against English: the same ids, the same values in each message, every text of the code there, none that nothing says,
// and one word for each idea.

import { readdirSync, readFileSync } from "node:fs";
import { compileMessage } from "@lingui/message-utils/compileMessage";

const locales = new URL("../src/locales/", import.meta.url);
const source = new URL("../src/", import.meta.url);
const faults = [];

/** Words that an idea must not have beside its one word, which is the second: [the other words, the word]. */
const glossary = {
  de: [
    [/Messwert/, "Messung"],
    [/Berichtigung/, "Korrektur"],
    [/Eintragung/, "Registrierung"],
    [/Sicherheitschip/, "Sicherheitselement"],
  ],
  es: [
    [/gateway/i, "pasarela"],
    [/reemplaz/i, "sustituir"],
    [/refrend/i, "contrafirmar"],
    [/sondeo/i, "consulta"],
    [/alerta/i, "aviso"],
  ],
  zh: [
    [/吊销/, "撤销"],
    [/注册/, "登记"],
    [/[个块](在用)?电表/, "台…电表"],
    [/比对/, "核对"],
    [/安全芯片/, "安全元件"],
  ],
};

const read = (language, file) => JSON.parse(readFileSync(new URL(`${language}/${file}`, locales), "utf8"));

/** The names of the values that a message takes, sorted. */
function valuesOf(message) {
  const names = new Set();
  const walk = (tokens) => {
    if (!Array.isArray(tokens)) return;
    for (const token of tokens) {
      if (!Array.isArray(token)) continue;
      names.add(String(token[0]));
      for (const form of Object.values(token[2] ?? {})) walk(form);
    }
  };
  walk(compileMessage(message));
  return [...names].toSorted().join(", ");
}

const code = readdirSync(source, { recursive: true })
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith(".test.ts") && file !== "api/schema.ts")
  .map((file) => readFileSync(new URL(file, source), "utf8"))
  .join("\n");
const said = new Set([...code.matchAll(/"((?:[a-z]\w*\.)+[\w-]+)"/g)].map(([, id]) => id));
const patterns = [...code.matchAll(/`((?:[a-z]\w*\.)+[^`\s]*\$\{[^`]*)`/g)].map(
  ([, template]) => new RegExp(`^${template.replaceAll(".", "\\.").replaceAll(/\$\{[^}]*\}/g, "[\\w-]+")}$`),
);

for (const file of readdirSync(new URL("en/", locales))) {
  const area = file.replace(".json", "");
  const english = read("en", file);
  for (const id of Object.keys(english)) {
    if (!id.startsWith(`${area}.`)) faults.push(`en/${file}: ${id} does not begin with ${area}.`);
    if (!said.has(id) && !patterns.some((pattern) => pattern.test(id))) faults.push(`en/${file}: nothing says ${id}`);
  }
  for (const language of readdirSync(locales)) {
    const other = read(language, file);
    for (const [id, message] of Object.entries(english)) {
      if (!other[id]) faults.push(`${language}/${file}: ${id} is missing`);
      else if (valuesOf(other[id]) !== valuesOf(message)) {
        faults.push(`${language}/${file}: ${id} takes ${valuesOf(other[id]) || "nothing"}, in English ${valuesOf(message) || "nothing"}`);
      }
    }
    for (const [id, message] of Object.entries(other)) {
      for (const [others, word] of glossary[language] ?? []) {
        const found = others.exec(message);
        if (found) faults.push(`${language}/${file}: ${id} says ${found[0]}, elsewhere ${word}`);
      }
    }
    for (const id of Object.keys(other)) if (!(id in english)) faults.push(`${language}/${file}: ${id} is not in English`);
  }
}

for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
