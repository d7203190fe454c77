import { expect, test } from "vitest";
import { compareFingerprint, fingerprintGroups } from "./installation-comparison.ts";

const id = "8fd6ea08d4400a1201fe12bfbd20a5b9377e58c2e3c25c784631e8e384364ff0";

test("a fingerprint is the first sixteen digits of the id in fours", () => {
  expect(fingerprintGroups(id)).toEqual(["8fd6", "ea08", "d440", "0a12"]);
});

test.each(["8fd6-ea08-d440-0a12", "8FD6 EA08 D440 0A12", "8fd6ea08d4400a12", id])("the same fingerprint, typed as %s, is the same", (typed) => {
  const { isSame, differs } = compareFingerprint(typed, id);
  expect({ isSame, differs }).toEqual({ isSame: true, differs: false });
});

test("of another fingerprint the groups that differ are named", () => {
  const { groups, isSame, differs } = compareFingerprint("8fd6-ea09-d440-0a12", id);
  expect(groups.map(({ verdict }) => verdict)).toEqual(["same", "differs", "same", "same"]);
  expect({ isSame, differs }).toEqual({ isSame: false, differs: true });
});

test("a fingerprint that is half typed neither is the same nor differs", () => {
  const { groups, isSame, differs } = compareFingerprint("8fd6-ea", id);
  expect(groups.map(({ verdict }) => verdict)).toEqual(["same", "missing", "missing", "missing"]);
  expect({ isSame, differs }).toEqual({ isSame: false, differs: false });
});

test("nothing typed is not the same", () => {
  expect(compareFingerprint("", id).isSame).toBe(false);
});

test("an id that differs after the fingerprint is another meter's", () => {
  const { isSame, differs } = compareFingerprint(`${id.slice(0, -1)}1`, id);
  expect({ isSame, differs }).toEqual({ isSame: false, differs: true });
});

test("digits that were typed into the wrong group differ", () => {
  expect(compareFingerprint("ea08-8fd6-d440-0a12", id).differs).toBe(true);
});
