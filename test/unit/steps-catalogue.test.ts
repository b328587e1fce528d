import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

describe("docs/steps.md", () => {
  const catalogue = readFileSync(join(ROOT, "docs", "steps.md"), "utf8");
  const listed = [...catalogue.matchAll(/^\| (?:Given|When|Then) \| `([^`]+)` \| \S/gm)].map(
    ([, phrase = ""]) => phrase,
  );
  const defined = readdirSync(join(ROOT, "steps"))
    .filter((file) => file.endsWith(".steps.ts"))
    .flatMap((file) => phrasesOf(readFileSync(join(ROOT, "steps", file), "utf8")));

  it("lists every phrase of steps/, and no other", () => {
    expect(defined.length).toBeGreaterThan(0);
    expect(listed.toSorted()).toEqual(defined.toSorted());
  });

  it("is as its script writes it", () => {
    const { stderr, status } = spawnSync(
      process.execPath,
      [join(ROOT, "scripts", "write-steps-catalogue.mjs"), "--check"],
      { encoding: "utf8" },
    );

    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  });
});

/** The first text in each call of Given, When and Then; without regard to comments and layout. */
function phrasesOf(source: string): string[] {
  return source
    .split(/^(?:Given|When|Then)\(/m)
    .slice(1)
    .map((call) => /"([^"]+)"/.exec(call)?.[1] ?? "a step without a phrase");
}
