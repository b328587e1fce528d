import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import type { ScenarioSummary } from "../../src/report/index.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const FEATURES = "test/loopback/features";
const PASSWORDS = {
  SIDETONE_TEST_PASSWORD: "correct-horse-7Qz",
  SIDETONE_WRONG_PASSWORD: "wrong-donkey-8Xy",
};

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(
  feature: string,
  ...options: readonly string[]
): Promise<CliResult & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-signalling-"));
  folders.push(folder);
  const args = ["run", `${FEATURES}/${feature}`, ...options, "--reports", folder];
  return { ...(await resultOf(startCli(args, PASSWORDS))), folder };
}

async function judged({ report }: CliResult): Promise<readonly ScenarioSummary[]> {
  const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
    "results.json",
  );
  return scenarios;
}

/** What a scenario is named for: the code, and whatever makes the name unique after a comma. */
function codeIn({ name }: ScenarioSummary): string {
  return name.split(",")[0] ?? "";
}

/** Every file that a run left, as one text. */
async function allTexts(folder: string): Promise<string> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => readFile(join(file.parentPath, file.name), "latin1"));
  return (await Promise.all(texts)).join("\n");
}

describe.concurrent("steps about transports, accounts, registration and messages", {
  timeout: 60_000,
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
    const { exitCode, output } = result;
    const scenarios = await judged(result);
    expect(scenarios).toHaveLength(16);
    for (const scenario of scenarios) {
      expect([scenario.name, scenario.verdict, scenario.error?.code], output).toEqual([
        scenario.name,
        "fail",
        codeIn(scenario),
      ]);
    }
    expect(exitCode, output).toBe(1);
  });

  it("say what is wrong with a scenario that cannot be", async ({ expect }) => {
    const result = await ran("signalling-broken.feature");
    const { exitCode, output } = result;
    const scenarios = await judged(result);
    expect(scenarios).toHaveLength(8);
    for (const scenario of scenarios) {
      expect([scenario.name, scenario.verdict, scenario.error?.code], output).toEqual([
        scenario.name,
        "broken",
        codeIn(scenario),
      ]);
    }
    expect(exitCode, output).toBe(2);
  });
});
