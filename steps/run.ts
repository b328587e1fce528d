import {
  type EmbeddedAi,
  type Harness,
  openHarness,
  type RemoteAgent,
  scriptPath,
  type TurnDetection,
} from "../src/index.ts";

/** World parameters that Sidetone understands, all optional. */
export interface RunParameters {
  readonly seed?: string;
  readonly reportFolder?: string;
}

/** An embedded bot: its AI server and the agent that answers the telephone. */
export interface EmbeddedBot {
  readonly ai: EmbeddedAi;
  readonly agent: RemoteAgent;
}

/** Which embedded bot a scenario wants. */
export interface BotWish {
  readonly script: string;
  readonly turnDetection: TurnDetection;
  /** Whether it speaks first. */
  readonly greets: boolean;
}

/**
 * What a run shares between its scenarios: one harness, one caller, one bot per script. Starting
 * them takes longer than a call's set-up, and a bot that serves many calls is what users test.
 */
class Run {
  readonly harness: Harness;
  readonly #bots = new Map<string, Promise<EmbeddedBot>>();
  #caller: Promise<RemoteAgent> | undefined;

  constructor(harness: Harness) {
    this.harness = harness;
  }

  caller(): Promise<RemoteAgent> {
    this.#caller ??= this.harness.addAgent({
      party: "caller",
      user: "caller",
      local: { address: "127.0.0.1", port: 0 },
    });
    return this.#caller;
  }

  bot(wanted: BotWish): Promise<EmbeddedBot> {
    const key = JSON.stringify(wanted);
    let bot = this.#bots.get(key);
    if (bot === undefined) {
      bot = this.#startBot(wanted);
      this.#bots.set(key, bot);
    }
    return bot;
  }

  async #startBot({ script, turnDetection, greets }: BotWish): Promise<EmbeddedBot> {
    const ai = await this.harness.startEmbeddedAi({ scriptPath: scriptPath(script) });
    const agent = await this.harness.addAgent({
      party: "bot",
      user: "bot",
      local: { address: "127.0.0.1", port: 0 },
      answer: { kind: "answer", ringMs: 0 },
      ai: {
        provider: "openai",
        url: ai.url,
        apiKey: ai.apiKey,
        model: "gpt-realtime",
        turnDetection,
        greets,
      },
    });
    return { ai, agent };
  }
}

let current: Promise<Run> | undefined;

/** The run of this process; opened at its first scenario. */
export function runOf(parameters: RunParameters): Promise<Run> {
  current ??= openHarness(parameters).then((harness) => new Run(harness));
  return current;
}

/** Ends the run, if one was opened. */
export async function endRun(): Promise<void> {
  const run = await current;
  current = undefined;
  await run?.harness.close();
}

export type { Run };
