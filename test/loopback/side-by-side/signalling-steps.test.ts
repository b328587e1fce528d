import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "vitest";
import { endsOf, featureRuns, namedEnds } from "../feature-runs.ts";

const PASSWORDS = {
  SIDETONE_TEST_PASSWORD: "correct-horse-7Qz",
  SIDETONE_WRONG_PASSWORD: "wrong-donkey-8Xy",
};

const ran = featureRuns(PASSWORDS);

/** Every file that a run left, as one text. */
async function allTexts(folder: string): Promise<string> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => readFile(join(file.parentPath, file.name), "latin1"));
  return (await Promise.all(texts)).join("\n");
}

describe.concurrent("steps about transports, accounts, registration and messages", {
  timeout: 120_000,
}, () => {
  it("choose by what calls travel, and say by what they did", async ({ expect }) => {
    const { exitCode, output } = await ran("signalling-green.feature");
    expect(exitCode, output).toBe(0);
  });

  it("take the options of a run for what they do not say", async ({ expect }) => {
    const tls = ["ca", "ca.pem", "certificate", "caller.pem", "key", "caller.key"];
    const files = tls.map((text, index) =>
      index % 2 === 0 ? `--sip-${text}` : `fixtures/tls/${text}`,
    );
    const good = await ran("sip-options.feature", "--sip-transport", "tcp", ...files);
    expect(good.exitCode, good.output).toBe(0);
    const bad = await ran("sip-options.feature", "--sip-transport", "carrier-pigeon");
    expect([bad.exitCode, bad.output]).toEqual([2, expect.stringContaining("ERR_SIP_TRANSPORT")]);
  });

  it("let agents have accounts, and leave no password anywhere", async ({ expect }) => {
    const { exitCode, output, folder } = await ran("accounts-green.feature");
    expect(exitCode, output).toBe(0);
    const left = output + (await allTexts(folder));
    expect(left.length).toBeGreaterThan(20_000);
    for (const password of Object.values(PASSWORDS)) expect(left).not.toContain(password);
  });

  it("each fail for what is not as they ask", async ({ expect }) => {
    const result = await ran("signalling-red.feature");
    const ends = await endsOf(result);
    expect(ends).toHaveLength(16);
    expect(ends, result.output).toEqual(namedEnds(ends, "fail"));
    expect(result.exitCode, result.output).toBe(1);
  });

  it("say what is wrong with a scenario that cannot be", async ({ expect }) => {
    const result = await ran("signalling-broken.feature");
    const ends = await endsOf(result);
    expect(ends).toHaveLength(8);
    expect(ends, result.output).toEqual(namedEnds(ends, "broken"));
    expect(result.exitCode, result.output).toBe(2);
  });
});
