import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import type { ScenarioSummary } from "../../src/report/index.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const FEATURES = "test/loopback/features";
const STEPS = ["--import", `${FEATURES}/recorded-counts.mjs`];

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-media-"));
  folders.push(folder);
  return resultOf(startCli(["run", `${FEATURES}/${feature}`, ...STEPS, "--reports", folder]));
}

async function judged(report: CliResult["report"]): Promise<readonly ScenarioSummary[]> {
  const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
    "results.json",
  );
  return scenarios;
}

/** What a scenario is named for: the code, and whatever makes the name unique after a comma. */
function codeIn({ name }: ScenarioSummary): string {
  return name.split(",")[0] ?? "";
}

describe.concurrent("steps about media", { timeout: 60_000 }, () => {
  it("choose what a call is made of, and say what it was", async ({ expect }) => {
    const { exitCode, output, report } = await ran("media-green.feature");
    expect(exitCode, output).toBe(0);
    const page = await report.text("index.html");
    expect(page).toContain("AEAD_AES_128_GCM");
    expect(page).toContain('href="calls/001/call-decrypted.pcap"');
    expect((await report.everything()).has("calls/001/call-decrypted.pcap")).toBe(true);
    expect((await report.everything()).has("calls/002/call-decrypted.pcap")).toBe(false);
    expect(page).not.toContain('href="calls/002/call-decrypted.pcap"');
  });

  it("each fail for a call that is not what they ask for", async ({ expect }) => {
    const { exitCode, output, report } = await ran("media-red.feature");
    const scenarios = await judged(report);
    expect(scenarios.length).toBeGreaterThan(12);
    for (const scenario of scenarios) {
      const code = codeIn(scenario);
      const verdict = code === "ERR_CALL_UNSUPPORTED" ? "unsupported" : "fail";
      expect({
        name: scenario.name,
        verdict: scenario.verdict,
        code: scenario.error?.code,
      }).toEqual({
        name: scenario.name,
        verdict,
        code,
      });
    }
    expect(exitCode, output).toBe(1);
    expect(output).toMatch(/ERR_CALL_UNSUPPORTED: .*ERR_SDP_NO_COMMON_CODEC: .*PCMA/u);
    expect(output).toMatch(/ERR_CALL_UNSUPPORTED: .*ERR_SRTP_REQUIRED: /u);
  });

  it("refuse what cannot be asked for", async ({ expect }) => {
    const { exitCode, output, report } = await ran("media-broken.feature");
    for (const scenario of await judged(report)) {
      expect([scenario.name, scenario.verdict, scenario.error?.code]).toEqual([
        scenario.name,
        "broken",
        codeIn(scenario),
      ]);
    }
    expect(exitCode, output).toBe(2);
  });
});
