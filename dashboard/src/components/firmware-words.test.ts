import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { languages } from "../util/text.ts";
import { failureWords, obstacles, obstacleWords } from "./firmware-words.ts";

test("there are words for each of the 24 obstacles, in every language, and no two are the same", () => {
  expect(obstacles).toHaveLength(24);
  for (const language of languages) {
    const texts = JSON.parse(readFileSync(new URL(`../locales/${language}/firmware.json`, import.meta.url), "utf8")) as Record<string, string>;
    const words = obstacles.map((obstacle) => texts[`firmware.obstacle.${obstacle}`]);
    expect(words.filter((each) => !each), language).toEqual([]);
    expect(new Set(words).size, language).toBe(24);
  }
});

test("an obstacle that this page has no words for is said as the gateway wrote it, as English", () => {
  expect(obstacleWords("moon-shine")).toEqual({ text: "moon-shine", lang: "en" });
  expect(obstacleWords("sensor").lang).toBeUndefined();
});

test.each([
  ["rolled back (sensor)", "Went back. Under the new firmware the sensor did not answer."],
  ["refused (counter-too-low)", "Refused it. The release’s security counter is below the one that holds for it."],
  ["runs another payload again", "It runs another firmware again, by its signed Boot record."],
  ["was silent past its deadline", "It was silent past its deadline. Check its power and network."],
  ["was not done by its deadline", "It was not done by its deadline."],
])("%s is said in words", (failure, text) => {
  expect(failureWords(failure)).toEqual({ text, lang: undefined });
});

test("a failure in no known form stays as it is", () => {
  expect(failureWords("rolled back (moon-shine)")).toEqual({ text: "rolled back (moon-shine)", lang: "en" });
});
