import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AgentOptions,
  type AiOptions,
  type EmbeddedAi,
  type Harness,
  type HarnessOptions,
  openHarness,
  type RemoteAgent,
} from "../../src/index.ts";

/** All agents of these tests live on loopback and let the host choose their ports. */
export const LOCAL: AgentOptions["local"] = { address: "127.0.0.1", port: 0 };

/** A harness whose reports go to a folder that is removed with it. */
export async function openTestHarness(
  seed: string,
  options: HarnessOptions = {},
): Promise<{
  readonly harness: Harness;
  readonly folder: string;
  close(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-test-"));
  const harness = await openHarness({ seed, reportFolder: folder, ...options });
  return {
    harness,
    folder,
    close: async () => {
      await harness.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A bot that is bridged to this embedded AI. */
export function addBot(
  harness: Harness,
  ai: EmbeddedAi,
  options: Partial<AiOptions> = {},
): Promise<RemoteAgent> {
  return harness.addAgent({
    party: "bot",
    user: "bot",
    local: LOCAL,
    answer: { kind: "answer", ringMs: 0 },
    ai: {
      provider: "openai",
      url: ai.url,
      apiKey: ai.apiKey,
      model: "gpt-realtime",
      turnDetection: { type: "semantic_vad" },
      greets: false,
      ...options,
    },
  });
}

/** The code that a promise is rejected with; fails where it is not rejected. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
  return "it was not rejected";
}
