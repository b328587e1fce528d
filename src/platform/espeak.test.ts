import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { espeakWav } from "./espeak.ts";

const folder = mkdtempSync(join(tmpdir(), "sidetone-espeak-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that is called as espeak-ng is. */
function program(body: string): string {
  const path = join(folder, `program-${body.length}`);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("espeakWav", () => {
  it("gives the voice and the text, and takes the file", async () => {
    const double = program('[ "$1" = -v ] && [ "$3" = -w ] && { echo "$2"; cat; } > "$4"');

    const wav = await espeakWav("-v is no option here", "en-us", double);

    expect(Buffer.from(wav).toString()).toBe("en-us\n-v is no option here");
  });

  it("says how to install it where it is missing", async () => {
    await expect(espeakWav("x", "en", join(folder, "none"))).rejects.toMatchObject({
      code: "ERR_SPEECH_UNAVAILABLE",
    });
  });

  it("tells what it complains of", async () => {
    const double = program('echo "no voice \\"xx\\"" >&2; exit 1');

    await expect(espeakWav("x", "xx", double)).rejects.toMatchObject({
      code: "ERR_SPEECH_FAILED",
      message: expect.stringContaining('no voice "xx"'),
    });
  });
});
