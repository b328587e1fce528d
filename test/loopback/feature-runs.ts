import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { ScenarioSummary } from "../../src/report/index.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

/** Folder of the features that these tests run, from the repository's root. */
export const FEATURES = "test/loopback/features";

/**
 * For features that must not pass. What their steps say hangs on a call's facts, which are the same
 * in either time; that facts come from real sockets, the features that must pass show.
 */
export const VIRTUAL = "--virtual";

/** A run of a feature. */
export interface FeatureRun extends CliResult {
  /** Where its reports lie. */
  readonly folder: string;
}

/** What a scenario was named, and how it ended. */
export interface ScenarioEnd {
  readonly name: string;
  readonly verdict: string;
  /** The code of its error, or "none". */
  readonly code: string;
}

/**
 * Runs features of `FEATURES` in processes of their own, as `sidetone run`. The folders for their
 * reports are removed when the tests of the file are done.
 */
export function featureRuns(
  env: Readonly<Record<string, string>> = {},
  lifetimeMs?: number,
): (feature: string, ...options: readonly string[]) => Promise<FeatureRun> {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  return async (feature, ...options) => {
    const folder = await mkdtemp(join(tmpdir(), "sidetone-feature-"));
    folders.push(folder);
    const args = ["run", `${FEATURES}/${feature}`, ...options, "--reports", folder];
    return { ...(await resultOf(startCli(args, env, lifetimeMs))), folder };
  };
}

/** What came of each scenario of a run. */
export async function endsOf({ report }: CliResult): Promise<readonly ScenarioEnd[]> {
  type Results = { readonly scenarios: readonly ScenarioSummary[] };
  const { scenarios } = await report.json<Results>("results.json");
  return scenarios.map(({ name, verdict, error }) => ({
    name,
    verdict,
    code: error?.code ?? "none",
  }));
}

/**
 * What should have come of scenarios that are named for their code, and a comma before whatever
 * makes the name unique.
 */
export function namedEnds(
  ends: readonly ScenarioEnd[],
  verdict: string | ((code: string) => string),
): readonly ScenarioEnd[] {
  return ends.map(({ name }) => {
    const code = name.split(",")[0] ?? "";
    return { name, verdict: typeof verdict === "string" ? verdict : verdict(code), code };
  });
}
