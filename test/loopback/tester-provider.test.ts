import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { loadVoices } from "../../src/audio/index.ts";
import type { Environment, HttpRequest, Network } from "../../src/environment/index.ts";
import { createEnvironment, NodeFileStore } from "../../src/platform/index.ts";
import { parseScript, RealtimeServer } from "../../src/realtime-server/index.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const KEY = "planted-provider-key-0123456789";
const SCRIPT = "test/loopback/scripts/restless.yaml";
const FEATURE = "test/loopback/features/tester-provider.feature";
/** A dollar for each thousand tokens of any kind: the prices of nobody. */
const PRICE = {
  inputText: 1000,
  inputAudio: 1000,
  cachedText: 1000,
  cachedAudio: 1000,
  outputText: 1000,
  outputAudio: 1000,
};

const PROVIDERS = {
  openai: {
    path: "/v1/realtime",
    keyVariable: "OPENAI_API_KEY",
    model: "gpt-realtime-2.1",
    header: { name: "authorization", value: `Bearer ${KEY}` },
  },
  gemini: {
    path: "",
    keyVariable: "GEMINI_API_KEY",
    model: "gemini-3.8-live",
    header: { name: "x-goog-api-key", value: KEY },
  },
} as const;

const closing: (() => Promise<unknown>)[] = [];

afterAll(() => Promise.all(closing.map((close) => close())));

/** A provider elsewhere: it knows its own key and nothing of the run; and what it was asked. */
async function provider(): Promise<{ readonly origin: string; readonly asked: HttpRequest[] }> {
  const asked: HttpRequest[] = [];
  const environment = createEnvironment({ seed: "provider" });
  const files = new NodeFileStore();
  const server = await RealtimeServer.start(watched(environment, asked), {
    listen: { address: "127.0.0.1", port: 0 },
    apiKey: KEY,
    script: parseScript(await files.readText(SCRIPT), SCRIPT),
    voices: await loadVoices(files, "fixtures/voices"),
  });
  closing.push(() => server.close());
  return { origin: server.geminiUrl, asked };
}

function watched(environment: Environment, asked: HttpRequest[]): Environment {
  const { network } = environment;
  const listenHttp: Network["listenHttp"] = (local, handlers) =>
    network.listenHttp(local, {
      ...handlers,
      onUpgrade: (request) => {
        asked.push(request);
        return handlers.onUpgrade(request);
      },
    });
  return {
    ...environment,
    network: Object.assign(Object.create(network) as Network, { listenHttp }),
  };
}

async function ran(
  env: Readonly<Record<string, string>>,
  ...more: readonly string[]
): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-provider-"));
  closing.push(() => rm(folder, { recursive: true }));
  const prices = join(folder, "prices.json");
  const models = Object.values(PROVIDERS).map(({ model }) => [model, PRICE]);
  await writeFile(prices, JSON.stringify(Object.fromEntries(models)));
  const args = ["run", FEATURE, "--prices", prices, ...more, "--reports", folder];
  return resultOf(startCli(args, { OPENAI_API_KEY: "", GEMINI_API_KEY: "", ...env }, 110_000));
}

type Json = Readonly<Record<string, unknown>>;

async function factsOf({ report }: CliResult, callId: string): Promise<readonly Json[]> {
  const lines = (await report.text(`calls/${callId}/timeline.jsonl`)).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Json);
}

function endOf(facts: readonly Json[] | undefined): Json | undefined {
  return facts?.find(({ kind, event }) => kind === "tester" && event === "ended");
}

describe.concurrent("A tester whom a provider plays", { timeout: 120_000 }, () => {
  it.for(["openai", "gemini"] as const)(
    "behaves like its persona by the protocol of %s, and its key is nowhere",
    async (name, { expect }) => {
      const { path, keyVariable, model, header } = PROVIDERS[name];
      const { origin, asked } = await provider();
      const result = await ran({
        SIDETONE_TESTER: name,
        SIDETONE_TESTER_URL: `${origin}${path}`,
        [keyVariable]: KEY,
      });
      expect(result.exitCode, result.output).toBe(0);

      // One connection for each call, by the key in its header and nowhere else.
      expect(asked).toHaveLength(3);
      for (const { headers, target } of asked) {
        expect(headers).toMatchObject({ [header.name]: header.value });
        expect(target).not.toContain(KEY);
        if (name === "openai") expect(target).toContain(`model=${model}`);
      }
      const files = [...(await result.report.everything())];
      expect(files.map(([file]) => file)).toContain("calls/001/ai-tester.jsonl");
      expect(files.filter(([, text]) => text.includes(KEY)).map(([file]) => file)).toEqual([]);
      expect(result.output).not.toContain(KEY);

      const [habits, silence, cost] = await Promise.all(
        ["001", "002", "003"].map((id) => factsOf(result, id)),
      );
      const cues = habits?.filter(({ event }) => event === "cue").map(({ cue }) => cue);
      // A sign of listening, then it breaks in; and asks into the silence that it leaves.
      expect(cues?.[0]).toBe("backchannel");
      expect(cues?.filter((cue) => cue !== "backchannel")).toEqual(["interrupt", "silence"]);
      const purposes = habits
        ?.filter(
          ({ kind, party, event }) =>
            `${String(kind)} ${String(party)} ${String(event)}` === "utterance caller started",
        )
        .map(({ purpose }) => purpose);
      expect(purposes?.slice(0, 3)).toEqual(["speech", "backchannel", "interruption"]);
      expect(endOf(habits)).toMatchObject({ endedBy: "tester", goalReached: true });
      expect(endOf(silence)).toMatchObject({ endedBy: "silence" });
      expect(endOf(cost)).toMatchObject({ endedBy: "limit", limit: "costUsd" });
      expect(Number(endOf(cost)?.["costUsd"])).toBeGreaterThan(0.0001);
    },
  );
});

describe.concurrent("A tester whom nobody will play", { timeout: 120_000 }, () => {
  it("makes no run red that is not the bot's fault: no key, or a wrong one", async ({ expect }) => {
    const names = ["openai", "gemini"] as const;
    const served = await Promise.all(names.map(() => provider()));
    const runs = names.map((name, index) => {
      const url = `${served[index]?.origin ?? ""}${PROVIDERS[name].path}`;
      const env = { SIDETONE_TESTER: name, SIDETONE_TESTER_URL: url };
      return { env, keyVariable: PROVIDERS[name].keyVariable };
    });
    const wrong = "planted-wrong-key-0123456789";
    const [without, ...refused] = await Promise.all([
      ran(runs[0]?.env ?? {}, "--tags", "@money"),
      ...runs.map(({ env, keyVariable }) =>
        ran({ ...env, [keyVariable]: wrong }, "--tags", "@money"),
      ),
    ]);
    expect(without).toMatchObject({ exitCode: 2 });
    expect(without.output).toContain("ERR_AI_KEY_MISSING");
    for (const { exitCode, output } of refused) {
      expect(exitCode, output).toBe(3);
      expect(output).toContain("ERR_AI_UNAUTHORIZED");
      expect(output).not.toContain(wrong);
    }
    expect(served.map(({ asked }) => asked.length)).toEqual([1, 1]);
  });
});
