import { expect, test } from "vitest";
import { installation } from "../api/installation.fixture.ts";
import type { Installation } from "../api/types.ts";
import { runningVersions } from "./firmware-versions.ts";
import { deviceOf, release } from "./rollout.fixture.ts";

const old = "a".repeat(64);

function running(digest: string | null): Installation {
  return { ...installation, firmware_digest: digest };
}

test("versions are counted by what meters in service have signed, most first and unknown ones last", () => {
  const meters = [old, release.payload_digest, release.payload_digest, null, null, null].map(running);
  const gone = [
    { ...installation, state: "revoked" as const, firmware_digest: old },
    { ...installation, replaced_by: 2, firmware_digest: old },
  ];
  const rows = runningVersions([...meters, ...gone], [release], [deviceOf("Roof", { running_digest: old, running_version: "1.3.0" })]);
  expect(rows.map(({ version, meters: count }) => [version, count])).toEqual([
    ["1.4.0", 2],
    ["1.3.0", 1],
    [null, 3],
  ]);
  expect(rows.map(({ release: known }) => known?.version ?? null)).toEqual(["1.4.0", null, null]);
});
