import { Bridge, callTools, ToolRegistry } from "../bridge/index.ts";
import {
  after,
  type Environment,
  type Instant,
  isSidetoneError,
  RemoteError,
  type SidetoneError,
  type Timer,
} from "../environment/index.ts";
import {
  type GoalReport,
  instructionsFor,
  SpokenWords,
  TesterDirector,
  testerTools,
} from "../tester/index.ts";
import type { CallPhaseFact, FactDraft } from "../timeline/index.ts";
import type { AiOptions, TesterOptions } from "./agent-options.ts";
import { aiSessionOf } from "./ai-session-of.ts";
import type { Call } from "./call.ts";
import type { CallMedia } from "./call-media.ts";

/** The AI that plays this persona, whoever provides it. */
function testerAi({ persona, ai }: TesterOptions): AiOptions {
  return {
    ...ai,
    instructions: instructionsFor(persona),
    ...(persona.voice === undefined ? {} : { voice: persona.voice }),
    turnDetection: {
      type: "server_vad",
      silenceDurationMs: persona.pauseMs,
      interruptResponse: persona.yields,
    },
    greets: persona.speaks === "first",
    transcribes: true,
    language: persona.language,
  };
}

/**
 * Lets a model play the caller of a call: the same bridge as a bot's, in the other role. What goes
 * wrong with the AI, its settings included, ends the call and is on its timeline.
 */
export function connectTester(
  environment: Environment,
  options: TesterOptions,
  parts: CallMedia & { readonly call: Call },
): void {
  const tester = new ConnectedTester(environment, options, parts);
  try {
    tester.start();
  } catch (error) {
    if (!isSidetoneError(error)) throw error;
    tester.fail(error);
  }
}

/** One call's tester: joins its engines to the bridge, the media and the clock. */
class ConnectedTester {
  readonly #environment: Environment;
  readonly #ai: AiOptions;
  readonly #call: Call;
  readonly #parts: CallMedia;
  readonly #director: TesterDirector;
  readonly #words = new SpokenWords();
  readonly #cue: { give: (instructions: string) => void } = { give: () => {} };
  /** A response has left with the frame that is being taken. */
  #isLastFrame = false;
  #isTakingFrame = false;
  #failed = false;
  #timer: Timer | undefined;
  #armedFor: Instant | undefined;

  constructor(
    environment: Environment,
    options: TesterOptions,
    { call, ...parts }: CallMedia & { readonly call: Call },
  ) {
    this.#environment = environment;
    this.#ai = testerAi(options);
    this.#call = call;
    this.#parts = parts;
    this.#director = new TesterDirector(options.persona, environment.clock.now());
  }

  start(): void {
    const { clock, logger } = this.#environment;
    const { media, trace, player, speakBy } = this.#parts;
    this.#call.onFact = (fact) => {
      if (fact.kind === "callPhase") this.#handlePhase(fact);
    };
    this.#settle();
    const registry = new ToolRegistry(this.#tools());
    const session = aiSessionOf(this.#environment, this.#ai, registry.definitions);
    this.#cue.give = (instructions) => session.requestResponse(instructions);
    const bridge = new Bridge({
      session,
      tools: registry,
      record: (fact) => this.#record(fact),
      clock,
      ...(this.#ai.prices === undefined ? {} : { prices: this.#ai.prices }),
      logger,
      onAiEvent: (json, direction, at) => trace.addAiEvent(json, direction, at),
    });
    bridge.onClosed = ({ code, error }) => {
      this.fail(error ?? closedInCall(code));
    };
    this.#call.attachBridge(bridge, () => session.requestResponse());
    speakBy({
      begin: (format) => {
        this.#words.handleFormat(format);
        bridge.openAudio(format.sampleRateHz);
      },
      fill: (frame, deadline) => this.#takeFrame(bridge, frame, deadline),
    });
    // A caller's ear is behind the jitter buffer: the model hears what a person would hear.
    media.onIncomingAudio = undefined;
    media.onIncomingSilence = undefined;
    // An echo on the line (`LineEcho`) listens there, too.
    const { onHeardFrame } = media;
    media.onHeardFrame = (frame, now) => {
      onHeardFrame?.(frame, now);
      bridge.handleCallerAudio(frame, now);
    };
    media.onHeardSpeech = (event, at) => {
      player.handleHeardSpeech(event, at);
      this.#director.handleHeard(event, at);
      this.#settle();
    };
    if (this.#ai.greets) this.#call.greetWhenAnswered();
  }

  fail(error: SidetoneError): void {
    if (this.#call.hasEnded) return;
    this.#failed = true;
    this.#call.fail(error, { endedBy: "local", reason: "error" });
  }

  #tools(): ConstructorParameters<typeof ToolRegistry>[0] {
    const call = this.#call;
    const onCall = callTools({
      hangUp: unused,
      transfer: unused,
      sendDigits: (digits) => call.press({ digits }),
    });
    return [
      ...onCall.filter(({ definition }) => definition.name === "send_dtmf"),
      ...testerTools({
        reportGoal: (report) => this.#note((now) => this.#director.handleGoal(report, now)),
        endCall: (report: GoalReport) => {
          this.#note(() => this.#director.handleEndCall(report));
          return call.hangUp();
        },
      }),
    ];
  }

  #note(tell: (now: Instant) => void): void {
    tell(this.#environment.clock.now());
    this.#settle();
  }

  #takeFrame(bridge: Bridge, frame: Int16Array, deadline: Instant): boolean {
    this.#isTakingFrame = true;
    const isSpeech = bridge.takeFrame(frame, deadline);
    this.#isTakingFrame = false;
    if (isSpeech) this.#words.handleFrame(frame, deadline);
    if (this.#isLastFrame) this.#finishWords(deadline);
    this.#settle();
    return isSpeech;
  }

  /** Facts of the caller's bridge: what its AI calls its own speech is the caller's. */
  #record(fact: FactDraft): void {
    if (fact.kind === "aiTranscript") {
      this.#call.record({ ...fact, of: fact.of === "bot" ? "caller" : "bot" });
      return;
    }
    this.#call.record(fact);
    if (fact.kind === "aiUsage") this.#director.handleCost(fact.costUsd);
    if (fact.kind !== "playout") {
      this.#settle();
      return;
    }
    const { event, at } = fact;
    if (event === "started") this.#words.begin(this.#director.handleSpeaking(at), at);
    // The last frame of a response has yet to be listened to when it says that it has ended.
    if (event === "ended" && this.#isTakingFrame) this.#isLastFrame = true;
    else if (event === "ended" || event === "flushed") this.#finishWords(at);
    this.#settle();
  }

  #finishWords(at: Instant): void {
    this.#isLastFrame = false;
    this.#words.end(at);
    this.#director.handleSilent(at);
  }

  #handlePhase({ phase, endedBy, at }: CallPhaseFact): void {
    if (phase === "answered") this.#director.handleAnswered(at);
    else if (phase === "ended") {
      this.#words.end(at);
      const failed = this.#failed || endedBy === "network";
      this.#director.handleCallEnded({ byUs: endedBy === "local", failed }, at);
    } else return;
    this.#settle();
  }

  /** Does what the engines want, and arms the timer for what is next. */
  #settle(): void {
    for (let fact = this.#words.takeOutput(); fact; fact = this.#words.takeOutput()) {
      this.#call.record(fact);
    }
    for (let each = this.#director.takeOutput(); each; each = this.#director.takeOutput()) {
      if (each.kind === "fact") this.#call.record(each.fact);
      else if (each.kind === "cue") this.#cue.give(each.instructions);
      else void this.#call.hangUp();
    }
    const { clock } = this.#environment;
    const dueAt = this.#director.nextTimeout;
    if (dueAt === this.#armedFor) return;
    this.#armedFor = dueAt;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (dueAt === undefined) return;
    // Never in the past: a cue that is overdue is given in the next round of the event loop.
    const at = dueAt < clock.now() ? after(clock.now(), 0) : dueAt;
    this.#timer = clock.setTimer(at, () => {
      this.#armedFor = undefined;
      this.#director.handleTimeout(clock.now());
      this.#settle();
    });
  }
}

function unused(): never {
  throw new Error("Bug: a tester has no such tool.");
}

function closedInCall(code: number): RemoteError {
  return new RemoteError(
    "ERR_AI_CLOSED",
    `The tester's AI closed its connection (code ${code}) in the call.`,
    { context: { code } },
  );
}
