import type { EmbeddedAi, Harness, RemoteAgent, WatchedCall } from "../../call/index.ts";
import {
  after,
  EnvironmentError,
  type Instant,
  type Random,
  seededRandom,
} from "../../environment/index.ts";
import type { AiNetwork } from "../../impairment/index.ts";
import type { Fact } from "../../timeline/index.ts";
import { type AiFormat, type Cell, lossModelOf, type PlannedCall } from "./sweep.ts";

/** Where calls are placed: what they share. */
export interface CallPlace {
  readonly harness: Harness;
  readonly server: EmbeddedAi;
  readonly caller: RemoteAgent;
  readonly aiFormat: AiFormat;
}

const LOCAL = { address: "127.0.0.1", port: 0 };
/** A call over the worst of networks takes a multiple of its time. */
const CALL_DURATION_LIMIT_MS = 1_800_000;
const RING_MS = 120;
/** The AI answers so long after the caller stopped; exact. */
const ANSWER_DELAY_MS = 400;
/** The same for every call: an adaptive buffer would add delays of its own. */
const MEDIA = { jitterBuffer: { kind: "fixed", delayMs: 60 } } as const;
/** Time for a connection to be set up over the worst of networks: SYNs are sent after 1, 3, 7 s. */
const CONNECT_LIMIT_MS = 15_000;
const GREETING_LIMIT_MS = 20_000;
/** An answer of 12 s, and what a network may add. */
const ANSWER_LIMIT_MS = 30_000;
const END_LIMIT_MS = 5000;
/** The caller thinks for so long between an answer and the next question. */
const PAUSE_MS = { least: 500, most: 900 };
/** The caller breaks in so long after an answer has begun to be heard. */
const BREAK_IN_MS = { least: 1500, most: 4000 };
/** One question in five is asked to be interrupted. */
const STOP_EVERY = 5;
const QUESTION = "what-time-is-breakfast";
const LONG_QUESTION = "tell-me-about-the-hotel";
const INTERRUPTION = "excuse-me-may-i-ask-something";

/** A call that is up; its bot is to be closed. */
export interface StartedCall {
  readonly bot: RemoteAgent;
  readonly talk: Talk;
}

/** A call that ended, and which of its utterances asked which question. */
export interface PlacedCall {
  readonly call: WatchedCall;
  /** Utterance id → which of the call's questions or interruptions it was. */
  readonly indexOf: ReadonlyMap<string, number>;
}

/** What lies between bridge and AI in a cell. @throws UsageError ERR_IMPAIRMENT. */
export function aiNetworkOf(cell: Cell, seed: string): AiNetwork {
  const { transport, congestionControl, roundTripMs } = cell;
  const way = { delay: { delayMs: roundTripMs / 2 }, loss: lossModelOf(cell) };
  const network = { transport, seed, sent: way, received: way };
  return congestionControl === undefined ? network : { ...network, congestionControl };
}

/** Starts a caller and an AI in a harness. @param scriptPath of the script `head-of-line`. */
export async function openPlace(
  harness: Harness,
  { scriptPath, aiFormat }: { readonly scriptPath: string; readonly aiFormat: AiFormat },
): Promise<CallPlace> {
  const server = await harness.startEmbeddedAi({ scriptPath, answerDelayMs: ANSWER_DELAY_MS });
  const caller = await harness.addAgent({
    party: "caller",
    user: "caller",
    local: LOCAL,
    media: MEDIA,
    callDurationLimitMs: CALL_DURATION_LIMIT_MS,
  });
  return { harness, server, caller, aiFormat };
}

/**
 * Brings a call by the plan up, to a bot of its own, until that has greeted.
 *
 * @throws EnvironmentError of the code that the bot's side failed with, where the call could not be
 *   set up.
 */
export async function startCall(place: CallPlace, planned: PlannedCall): Promise<StartedCall> {
  const bot = await addBot(place, planned);
  try {
    const call = await place.caller.dial(bot.uri, { ringTimeoutMs: CONNECT_LIMIT_MS });
    const talk = new Talk(place.harness, call, seededRandom(`${planned.seed}/pauses`));
    await talk.begin();
    return { bot, talk };
  } catch (error) {
    await bot.close();
    throw error;
  }
}

function addBot(
  { harness, server, aiFormat }: CallPlace,
  { cell, seed }: PlannedCall,
): Promise<RemoteAgent> {
  return harness.addAgent({
    party: "bot",
    user: "bot",
    local: LOCAL,
    media: MEDIA,
    callDurationLimitMs: CALL_DURATION_LIMIT_MS,
    answer: { kind: "answer", ringMs: RING_MS },
    ai: {
      provider: "openai",
      url: server.url,
      apiKey: server.apiKey,
      model: "gpt-realtime",
      greets: true,
      // By UDP it is Opus.
      ...(cell.transport === "udp" ? {} : { audioFormat: aiFormat }),
      turnDetection: { type: "server_vad" },
      connectTimeoutMs: CONNECT_LIMIT_MS,
      network: aiNetworkOf(cell, seed),
      ...(cell.preBufferMs === 0
        ? {}
        : { playout: { preBuffer: { kind: "fixed", delayMs: cell.preBufferMs } } }),
    },
  });
}

/** The caller's side of a call: asks, listens, pauses, breaks in. */
export class Talk {
  readonly #indexOf = new Map<string, number>();
  readonly #harness: Harness;
  readonly #call: WatchedCall;
  readonly #random: Random;

  constructor(harness: Harness, call: WatchedCall, random: Random) {
    this.#harness = harness;
    this.#call = call;
    this.#random = random;
  }

  /**
   * Waits for the greeting's end.
   * @throws EnvironmentError of the code of what went wrong.
   */
  async begin(): Promise<void> {
    const call = this.#call;
    const found = await call.waitFor((fact) => isSaid(fact) || isEnd(fact), GREETING_LIMIT_MS);
    if (found !== undefined && isSaid(found)) return;
    const fault = call.timeline.of("fault")[0];
    await Promise.allSettled([this.#harness.endCalls([call])]);
    throw new EnvironmentError(
      fault?.code ?? "ERR_HOL_CALL",
      fault?.message ?? "The call was not answered, or nobody greeted.",
    );
  }

  /** Asks so many questions and hangs up. */
  async untilEnd(turns: number): Promise<PlacedCall> {
    const call = this.#call;
    for (let index = 0; index < turns && !call.hasEnded; index += 1) {
      // oxlint-disable-next-line no-await-in-loop -- a conversation.
      await this.#take(index);
    }
    await this.end();
    return { call, indexOf: this.#indexOf };
  }

  async end(): Promise<void> {
    const call = this.#call;
    await Promise.allSettled([call.hangUp()]);
    if (!(await call.whenEnded(END_LIMIT_MS))) await this.#harness.endCalls([call]);
  }

  async #take(index: number): Promise<void> {
    await this.#pause(this.#between(PAUSE_MS));
    if (index % STOP_EVERY !== STOP_EVERY - 1) return this.#ask(index, QUESTION);
    const begunAt = await this.#say(index, LONG_QUESTION);
    const heard = await this.#call.waitFor(
      (fact) => fact.kind === "heardSpeech" && fact.event === "started" && fact.at >= begunAt,
      ANSWER_LIMIT_MS,
    );
    await this.#pause(this.#between(BREAK_IN_MS));
    if (heard !== undefined && !this.#call.hasEnded) await this.#ask(index, INTERRUPTION);
  }

  async #ask(index: number, phrase: string): Promise<void> {
    const saidAt = await this.#say(index, phrase);
    await this.#call.waitFor(
      (fact) => (isSaid(fact) && fact.at >= saidAt) || isEnd(fact),
      ANSWER_LIMIT_MS,
    );
  }

  /** Says it to the end; resolves with when that was. */
  async #say(index: number, phrase: string): Promise<Instant> {
    const { clock } = this.#call;
    if (this.#call.hasEnded) return clock.now();
    const purpose = phrase === INTERRUPTION ? "interruption" : "speech";
    const utteranceId = await this.#harness.say(this.#call, { phrase, purpose });
    this.#indexOf.set(utteranceId, index);
    await this.#harness.spoken(this.#call, utteranceId, ANSWER_LIMIT_MS);
    return clock.now();
  }

  #between({ least, most }: { readonly least: number; readonly most: number }): number {
    return least + this.#random() * (most - least);
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#call;
    return new Promise((resolve) => {
      clock.setTimer(after(clock.now(), ms), resolve);
    });
  }
}

/** The bot has said all of an answer. */
function isSaid(fact: Fact): boolean {
  return fact.kind === "playout" && fact.event === "ended";
}

function isEnd(fact: Fact): boolean {
  return fact.kind === "callPhase" && fact.phase === "ended";
}
