import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { loadVoices } from "../../../src/audio/index.ts";
import { TokenDesk } from "../../../src/bridge/index.ts";
import { createEnvironment, NodeFileStore } from "../../../src/platform/index.ts";
import { parseScript, RealtimeServer } from "../../../src/realtime-server/index.ts";
import { resultOf, startCli } from "../cli-process.ts";

const SECRET = "planted-service-secret-0123";
const LOCAL = { address: "127.0.0.1", port: 0 };
const environment = createEnvironment({ seed: "providers" });
const files = new NodeFileStore();
const closing: (() => Promise<unknown>)[] = [];

afterAll(() => Promise.all(closing.map((close) => close())));

/** A provider elsewhere that plays this script. */
async function provider(script: string, apiKey: string): Promise<RealtimeServer> {
  const path = `fixtures/scripts/${script}.yaml`;
  const server = await RealtimeServer.start(environment, {
    listen: LOCAL,
    apiKey,
    script: parseScript(await files.readText(path), path),
    voices: await loadVoices(files, "fixtures/voices"),
  });
  closing.push(() => server.close());
  return server;
}

/** Where tokens are given, as `sidetone tokens serve` does; and what it logged. */
async function tokens(
  providers: ConstructorParameters<typeof TokenDesk>[1]["providers"],
): Promise<{ readonly url: string; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const desk = new TokenDesk(environment, {
    clients: [{ name: "runner", secret: SECRET }],
    providers,
    perMinute: 60,
    log: (line) => lines.push(line),
  });
  const service = await environment.network.listenHttp(LOCAL, {
    onRequest: (request) => desk.answer(request),
    onUpgrade: () => ({ accept: false, response: { status: 404 } }),
  });
  closing.push(() => service.close());
  return { url: `http://127.0.0.1:${service.local.port}`, lines };
}

function urlOf(server: RealtimeServer, name: "openai" | "gemini"): string {
  return name === "openai" ? server.url : server.geminiUrl;
}

describe.concurrent("Bot and tester of providers", { timeout: 110_000 }, () => {
  it.for([
    ["openai", "gemini"],
    ["gemini", "openai"],
  ] as const)(
    "talk to each other by tokens, the bot by %s and the tester by %s, and no key is near",
    async ([bots, testers], { expect }) => {
      const keys = [`planted-key-of-bots-${bots}`, `planted-key-of-testers-${testers}`] as const;
      const concierge = await provider("reception", keys[0]);
      const guest = await provider("guest", keys[1]);
      const service = await tokens({
        [bots]: { url: urlOf(concierge, bots), apiKey: keys[0] },
        [testers]: { url: urlOf(guest, testers), apiKey: keys[1] },
      });
      const folder = await mkdtemp(join(tmpdir(), "sidetone-providers-"));
      closing.push(() => rm(folder, { recursive: true }));
      const feature = "test/loopback/features/provider-bot.feature";
      const steps = ["--import", "test/loopback/features/provider-bot.mjs"];
      const env = {
        OPENAI_API_KEY: "",
        GEMINI_API_KEY: "",
        BOT_PROVIDER: bots,
        BOT_URL: urlOf(concierge, bots),
        SIDETONE_TESTER: testers,
        SIDETONE_TESTER_URL: urlOf(guest, testers),
        SIDETONE_TESTER_TOKENS: service.url,
        SIDETONE_TOKENS_SECRET: SECRET,
      };
      const run = startCli(["run", feature, ...steps, "--reports", folder], env, 100_000);
      const { exitCode, output, report } = await resultOf(run);

      expect(exitCode, output).toBe(0);
      expect(service.lines).toHaveLength(2);
      const left = [...(await report.everything()), ["the output", output] as const];
      for (const secret of [SECRET, ...keys]) {
        expect(left.filter(([, text]) => text.includes(secret)).map(([file]) => file)).toEqual([]);
      }
    },
  );
});
