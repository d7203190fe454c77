import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../../index.html", import.meta.url), "utf8");
const styles = readFileSync(new URL("first-paint.css", import.meta.url), "utf8");
const [, root = ""] = /<div id="root">(.*)<\/div>\s*<script/s.exec(page) ?? [];

test("the page brings its frame along, in no language and with nothing to operate", () => {
  const classes = Array.from(root.matchAll(/class="([^"]*)"/g), ([, name]) => name ?? "");
  expect(classes).toEqual(["first-paint", "first-paint-bar", "first-paint-page"]);
  expect(classes.filter((name) => !styles.includes(`.${name} {`))).toEqual([]);
  expect(root.replaceAll(/<[^>]*>/g, "").trim()).toBe("");
  expect(root).toContain('aria-hidden="true"');
});

test("nothing in the page needs more than the gateway's policy allows", () => {
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=/);
  expect(page.match(/<script(?![^>]*\ssrc=)/g)).toBeNull();
});

test("the frame has the colours of the theme that was chosen", () => {
  expect(styles).not.toMatch(/#[0-9a-f]{3}|rgb\(|prefers-color-scheme/);
});
