import { loadVoices, resample, type Voice, type VoiceLibrary } from "../audio/index.ts";
import {
  type Channel,
  type Environment,
  type FileStore,
  UsageError,
} from "../environment/index.ts";
import type { Utterance, UtteranceStart } from "../media/index.ts";
import { type Persona, parsePersona } from "../tester/index.ts";
import type { UtteranceFact } from "../timeline/index.ts";
import type { AgentOptions, AnswerPolicy, DialOptions } from "./agent-options.ts";
import { CallBudget, type DialRules } from "./call-budget.ts";
import type { CallJournal } from "./call-journal.ts";
import { type LeftCall, leaveCallFolder } from "./leave-call-folder.ts";
import { EmbeddedAi, type EmbeddedAiOptions } from "./realtime-service.ts";
import { StandInServer } from "./stand-in-server.ts";
import { type RemoteAgent, Switchboard } from "./switchboard.ts";
import type { RunContext, WatchedCall } from "./watched-call.ts";

/** What a harness stands on; `index.ts` makes it of the host. */
export interface HarnessParts {
  readonly environment: Environment;
  readonly files: FileStore;
  /** Starts a thread in which `serveAgent` runs. */
  readonly startAgentThread: () => Channel;
  /** Starts a thread in which `serveRealtimeServer` runs. */
  readonly startAiThread: () => Channel;
  readonly context: RunContext;
  /** The folder that holds the fixtures' `caller/` and `bot/`. */
  readonly voicesFolder: string;
  /** The run's folder; call folders are left below it. */
  readonly reportFolder: string;
  /** Whom and how much the run's agents may call; default: loopback, and the default limits. */
  readonly dialling?: Omit<DialRules, "ledger">;
  /** Where live calls are written down, in case that this process is killed. */
  readonly journal?: CallJournal;
  /** What this harness cannot do, where it cannot do everything. */
  readonly bounds?: HarnessBounds;
  /** Called when everything has ended. */
  readonly onClosed?: () => void;
}

/** Each throws where it is asked for what cannot be done. */
export interface HarnessBounds {
  requireAgent(options: Omit<AgentOptions, "dialling">): void;
  requireCall(target: string, options: DialOptions): void;
  requireAnswer(policy: AnswerPolicy): void;
  requireEmbeddedAi(options: Partial<EmbeddedAiOptions>): void;
}

/** What a caller says, and when. */
export interface Speech {
  /** A fixture's id or its text. */
  readonly phrase: string;
  readonly purpose?: UtteranceFact["purpose"];
  readonly start?: UtteranceStart;
}

/** Of a call whose media have not begun: it will refuse to speak, whatever the rate. */
const TELEPHONE_RATE_HZ = 8000;
/** How long an answered call may take to begin its media. */
const MEDIA_LIMIT_MS = 1000;
/** How long calls may take to end when a run is over: BYE and its answer. */
const END_LIMIT_MS = 5000;
/** The same when the process is about to end; an endpoint that closes waits 2 s at most. */
const LAST_END_LIMIT_MS = 2500;

/**
 * One run's agents, embedded AI and calls. Whatever happens, `close` leaves no call up.
 */
export class Harness {
  readonly switchboard: Switchboard;
  readonly voices: VoiceLibrary;
  readonly #parts: HarnessParts;
  readonly #rules: DialRules;
  readonly #budget: CallBudget;
  readonly #servers = new Set<EmbeddedAi>();
  readonly #spoken = new Map<string, Int16Array>();
  #utteranceCount = 0;
  #isAborted = false;
  #closing: Promise<void> | undefined;

  private constructor(parts: HarnessParts, voices: VoiceLibrary) {
    this.#parts = parts;
    this.voices = voices;
    this.#rules = { ...parts.dialling, ledger: CallBudget.newLedger() };
    this.#budget = new CallBudget(this.#rules);
    const { environment, context, journal } = parts;
    this.switchboard = new Switchboard(environment.clock, context, journal);
  }

  /** @throws UsageError ERR_FIXTURE_MISSING. */
  static async open(parts: HarnessParts): Promise<Harness> {
    return new Harness(parts, await loadVoices(parts.files, parts.voicesFolder));
  }

  get seed(): string {
    return this.#parts.context.seed;
  }

  get reportFolder(): string {
    return this.#parts.reportFolder;
  }

  /** @throws UsageError ERR_SCRIPT_MALFORMED, ERR_FIXTURE_MISSING; EnvironmentError ERR_PORT_IN_USE. */
  async startEmbeddedAi(
    options: Omit<EmbeddedAiOptions, "voicesFolder" | "listen"> &
      Partial<Pick<EmbeddedAiOptions, "listen">>,
  ): Promise<EmbeddedAi> {
    this.#requireOpen();
    this.#parts.bounds?.requireEmbeddedAi(options);
    const server = await EmbeddedAi.start(this.#parts.startAiThread(), {
      listen: { address: "127.0.0.1", port: 0 },
      voicesFolder: this.#parts.voicesFolder,
      ...options,
    });
    this.#servers.add(server);
    return server;
  }

  /**
   * Starts an HTTP server of this machine in place of one that a bot's AI would ask; give its
   * address to the bot (`httpStandIns`), and close it.
   * @throws UsageError ERR_STAND_IN_ORIGIN.
   */
  startStandIn(origin: string): Promise<StandInServer> {
    this.#requireOpen();
    return StandInServer.start(this.#parts.environment, origin);
  }

  /**
   * Adds an agent under the run's rules of whom and how much may be called.
   * @throws EnvironmentError ERR_PORT_IN_USE and its like; UsageError ERR_ALLOW_MALFORMED,
   *   ERR_LIMIT_MALFORMED, ERR_CALL_LIMIT.
   */
  async addAgent(options: Omit<AgentOptions, "dialling">): Promise<RemoteAgent> {
    this.#requireOpen();
    const { bounds, startAgentThread } = this.#parts;
    bounds?.requireAgent(options);
    const ruled = { ...options, dialling: this.#rules };
    const agent = await this.switchboard.addAgent(startAgentThread(), ruled);
    if (bounds === undefined) return agent;
    return withinBounds(agent, bounds);
  }

  /**
   * Lets the caller of this call speak; resolves with the utterance's id once it is lined up.
   * @throws UsageError ERR_FIXTURE_MISSING, ERR_NOT_IN_CALL.
   */
  async say(call: WatchedCall, speech: Speech): Promise<string> {
    const voice = this.voices.find("caller", speech.phrase);
    this.#utteranceCount += 1;
    const utteranceId = `utterance-${this.#utteranceCount}`;
    const utterance: Utterance = {
      utteranceId,
      fixture: voice.id,
      purpose: speech.purpose ?? "speech",
      samples: this.#atRate(voice, await sampleRateOf(call)),
      onsetMs: voice.onsetMs,
      offsetMs: voice.offsetMs,
      start: speech.start ?? { kind: "now" },
    };
    await call.say(utterance);
    return utteranceId;
  }

  /**
   * Waits until an utterance has left completely.
   * @returns false where it did not within `limitMs`, or the call ended first.
   */
  async spoken(call: WatchedCall, utteranceId: string, limitMs: number): Promise<boolean> {
    const fact = await call.waitFor(
      (each) =>
        each.kind === "utterance" && each.event === "ended" && each.utteranceId === utteranceId,
      limitMs,
    );
    return fact !== undefined;
  }

  /** Waits until what the caller hears now has been said; false where it was not in `limitMs`. */
  async heardToEnd(call: WatchedCall, limitMs: number): Promise<boolean> {
    const started = call.timeline.of("heardSpeech").findLast(({ event }) => event === "started");
    const fact = await call.waitFor(
      (each) =>
        each.kind === "heardSpeech" &&
        each.event === "stopped" &&
        (started === undefined || each.at >= started.at),
      limitMs,
    );
    return fact !== undefined;
  }

  /**
   * Reads a persona; a script that plays it is named from the persona's own folder.
   * @throws UsageError ERR_PERSONA_MALFORMED, ERR_FIXTURE_MISSING.
   */
  async readPersona(path: string): Promise<Persona> {
    const persona = parsePersona(await this.#parts.files.readText(path), path);
    const { script } = persona;
    if (script === undefined || !script.endsWith(".yaml") || /^[/\\]/u.test(script)) return persona;
    const folder = /^.*[/\\]/u.exec(path)?.[0] ?? "";
    return { ...persona, script: `${folder}${script}` };
  }

  /** Writes the call's folder and its figures; call it once the call has ended. */
  leave(call: WatchedCall): Promise<LeftCall> {
    return leaveCallFolder(call, this.#parts.files, `${this.#parts.reportFolder}/calls`);
  }

  /** Hangs up what is still up and waits for it to end. */
  async endCalls(calls: readonly WatchedCall[] = this.switchboard.calls): Promise<void> {
    await Promise.all(
      calls.map(async (call) => {
        if (call.hasEnded) return;
        const party = call.parties.includes("caller") ? "caller" : "bot";
        // The end may have come in between, which is as good.
        await Promise.allSettled([call.hangUp(party), call.whenEnded(END_LIMIT_MS)]);
        await call.whenEnded(END_LIMIT_MS);
      }),
    );
  }

  /** Nothing new may begin, and every call is hung up now; what they left can still be had. */
  async abort(): Promise<void> {
    this.#isAborted = true;
    await this.endCalls();
  }

  /**
   * Hangs everything up and blocks until that is done, or for 2.5 s. For the very end of a process
   * (`exit`), when nothing can be awaited any more: the agents' threads work on meanwhile.
   */
  hangUpNow(): void {
    this.#isAborted = true;
    this.switchboard.closeNow();
    if (this.#budget.waitUntilNoneLive(LAST_END_LIMIT_MS)) this.#parts.journal?.clear();
  }

  get isAborted(): boolean {
    return this.#isAborted;
  }

  /** Ends every call, agent and server; may be called any number of times. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    await this.switchboard.close();
    // What their threads told last may have been lost with them.
    if (this.#budget.live <= 0) this.#parts.journal?.clear();
    await Promise.allSettled([...this.#servers].map((server) => server.close()));
    this.#parts.onClosed?.();
  }

  #requireOpen(): void {
    if (this.#closing === undefined && !this.#isAborted) return;
    throw new UsageError("ERR_HARNESS_CLOSED", "The run is being ended; nothing new can be begun.");
  }

  /** Resampled here, once for each rate, and not on the thread that paces the calls. */
  #atRate(voice: Voice, sampleRateHz: number): Int16Array {
    const key = `${voice.id} ${sampleRateHz}`;
    const known = this.#spoken.get(key);
    if (known !== undefined) return known;
    const samples = resample(voice.samples, voice.sampleRateHz, sampleRateHz);
    this.#spoken.set(key, samples);
    return samples;
  }
}

/** What is refused is refused by a promise, like what the agent itself refuses. */
function withinBounds(agent: RemoteAgent, bounds: HarnessBounds): RemoteAgent {
  /* oxlint-disable typescript/require-await */
  return {
    ...agent,
    dial: async (target, options = {}) => {
      bounds.requireCall(target, options);
      return agent.dial(target, options);
    },
    answerWith: async (policy) => {
      bounds.requireAnswer(policy);
      return agent.answerWith(policy);
    },
  };
  /* oxlint-enable typescript/require-await */
}

/** The fact that media began follows the answer, and may still be on its way to this thread. */
async function sampleRateOf(call: WatchedCall): Promise<number> {
  const fact = await call.waitFor(
    (each) =>
      (each.kind === "mediaStarted" && each.party === "caller") ||
      (each.kind === "callPhase" && each.phase === "ended"),
    MEDIA_LIMIT_MS,
  );
  return fact?.kind === "mediaStarted" ? fact.sampleRateHz : TELEPHONE_RATE_HZ;
}
