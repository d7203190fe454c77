import { expect, test } from "vitest";
import { sensorName } from "./installation-words.ts";
import { custodies, sensorModels, termOf } from "./terms.ts";

test("a sensor is called the same on every page", () => {
  expect(sensorModels.map(sensorName)).toEqual(sensorModels.map((model) => termOf("sensor", model)));
  expect(termOf("sensor", "shelly_em_gen1")).toBe("Shelly EM (1st generation)");
  expect(custodies.map((custody) => termOf("custody", custody))).toEqual(["In the meter’s memory", "In a secure element"]);
});

test("a term that only a newer gateway knows stays as it is", () => {
  expect(termOf("sensor", "shelly_em_gen9")).toBe("shelly_em_gen9");
  expect(termOf("reset", "meteor")).toBe("meteor");
});
