import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { TokenDesk } from "../../../src/bridge/index.ts";
import { openHarness, personaPath, scriptPath } from "../../../src/index.ts";
import { createEnvironment } from "../../../src/platform/index.ts";

const PASSWORD = "planted-sip-password-0123";
const SERVICE_SECRET = "planted-service-secret-0123";
const LOCAL = { address: "127.0.0.1", port: 0 };
const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** A secret as it might slip through: as it is, in a URL, in base64 at each of its three offsets. */
function formsOf(secret: string): string[] {
  const shifted = [0, 1, 2].map((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    // The characters that depend on what stands before and behind are left out.
    return padded.toString("base64").slice(offset === 0 ? 0 : offset + 1, -4);
  });
  return [
    secret,
    encodeURIComponent(secret),
    ...shifted,
    ...shifted.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

async function everything(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const read = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path, await readFile(path, "latin1")] as const;
  });
  return new Map(await Promise.all(read));
}

describe("The search for secrets", () => {
  it.each([0, 1, 2, 3, 4, 5])("finds one in base64 behind %i other bytes", (count) => {
    const text = Buffer.from(`${"x".repeat(count)}${PASSWORD}, and more`).toString("base64");
    expect(formsOf(PASSWORD).some((form) => text.includes(form))).toBe(true);
  });
});

describe.each(["openai", "gemini"] as const)("What a call with %s leaves", (provider) => {
  it("holds no secret in any form, and no audio in its journal", { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "sidetone-privacy-"));
    folders.push(folder);
    const harness = await openHarness({ seed: "privacy", reportFolder: folder });
    const ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
    const environment = createEnvironment({ seed: "privacy" });
    const url = provider === "gemini" ? ai.geminiUrl : ai.url;
    const tokens: string[] = [];
    const lines: string[] = [];
    const desk = new TokenDesk(environment, {
      clients: [{ name: "bot", secret: SERVICE_SECRET }],
      providers: { [provider]: { url, apiKey: ai.apiKey } },
      perMinute: 60,
      log: (line) => lines.push(line),
    });
    const service = await environment.network.listenHttp(LOCAL, {
      onRequest: async (request) => {
        const answer = await desk.answer(request);
        tokens.push((JSON.parse(answer.body ?? "{}") as { value?: string }).value ?? "none");
        return answer;
      },
      onUpgrade: () => ({ accept: false, response: { status: 404 } }),
    });
    const account = { user: "caller", password: PASSWORD };
    const caller = await harness.addAgent({
      party: "caller",
      user: "caller",
      local: LOCAL,
      credentials: [{ ...account, realm: "privacy" }],
    });
    const bot = await harness.addAgent({
      party: "bot",
      user: "bot",
      local: LOCAL,
      answer: { kind: "answer", ringMs: 0 },
      demand: { realm: "privacy", users: [account] },
      ai: {
        provider,
        url,
        model: "some-model",
        greets: true,
        tokens: {
          from: "service",
          url: `http://127.0.0.1:${service.local.port}`,
          secret: SERVICE_SECRET,
        },
      },
    });
    const testersAi = await harness.startEmbeddedAi({ scriptPath: scriptPath("guest") });
    const call = await caller.dial(bot.uri, {
      tester: {
        persona: await harness.readPersona(personaPath("guest")),
        ai: {
          provider,
          url: provider === "gemini" ? testersAi.geminiUrl : testersAi.url,
          model: "some-model",
          apiKey: testersAi.apiKey,
        },
      },
    });
    const spoken = await call.waitFor(
      (fact) => fact.kind === "playout" && fact.party === "caller" && fact.event === "ended",
      20_000,
    );
    expect(spoken).toBeDefined();
    await call.hangUp();
    await call.whenEnded(5000);
    await harness.leave(call);
    await harness.close();
    await service.close();

    const files = await everything(folder);
    const names = [...files.keys()].join("\n");
    for (const name of ["call.json", "timeline.jsonl", "call.pcap", "metrics.json"]) {
      expect(names).toContain(name);
    }
    expect(tokens).toHaveLength(1);
    const secrets = [PASSWORD, SERVICE_SECRET, ai.apiKey, testersAi.apiKey, ...tokens];
    for (const [path, text] of files) {
      for (const form of secrets.flatMap(formsOf)) {
        expect(form.length).toBeGreaterThan(8);
        expect(text.includes(form), `${path} holds a secret`).toBe(false);
      }
    }
    expect(lines.join("\n")).not.toContain(SERVICE_SECRET);

    expectJournal(files, { name: "ai.jsonl", recording: "audio-bot.wav" });
    expectJournal(files, { name: "ai-tester.jsonl", recording: "audio.wav" });
  });
});

/** Each event has its instant; audio is where it stands in the recording, in both directions. */
function expectJournal(
  files: ReadonlyMap<string, string>,
  { name, recording }: { readonly name: string; readonly recording: string },
): void {
  const journal = [...files].find(([path]) => path.endsWith(`/${name}`))?.[1] ?? "";
  // The longest base64 that is no audio is an id.
  expect(journal).not.toMatch(/[A-Za-z0-9+/]{200}/u);
  for (const channel of ["left", "right"]) {
    expect(journal).toMatch(
      new RegExp(`"bytes":\\d+.*"recording":"${recording}","channel":"${channel}"`, "u"),
    );
  }
  for (const line of journal.trim().split("\n")) {
    expect(JSON.parse(line)).toMatchObject({ at: expect.any(Number), event: expect.anything() });
  }
}
