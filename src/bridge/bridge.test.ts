import { setImmediate as settle } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  type Clock,
  type Instant,
  instant,
  RemoteError,
  SILENT_LOGGER,
} from "../environment/index.ts";
import type { FactDraft } from "../timeline/index.ts";
import type { AiEvent, AiSession, WireTap } from "./ai-session.ts";
import { Bridge, type BridgeEnd, type BridgeOptions } from "./bridge.ts";
import { callTools, type ToolHandlers } from "./call-tools.ts";
import { ToolRegistry } from "./tool-registry.ts";
import type { Tool } from "./tools.ts";

/** Time that moves by hand; timers fire as it passes them. */
class ManualClock implements Clock {
  nowMs = 1000;
  #timers: { readonly dueAt: Instant; readonly handler: () => void }[] = [];

  now(): Instant {
    return instant(this.nowMs);
  }

  wallClockMs(): number {
    return 0;
  }

  setTimer(dueAt: Instant, handler: () => void): { cancel(): void } {
    const timer = { dueAt, handler };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  get pendingTimers(): number {
    return this.#timers.length;
  }

  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.#timers.filter((timer) => timer.dueAt <= this.nowMs);
    this.#timers = this.#timers.filter((timer) => timer.dueAt > this.nowMs);
    for (const timer of due) timer.handler();
  }
}

class FakeSession implements AiSession {
  readonly provider = "fake";
  readonly model = "fake-1";
  readonly inputSampleRateHz = 24_000;
  readonly outputSampleRateHz = 24_000;
  readonly counts = { unknownEvents: 3 };
  onEvent: ((event: AiEvent, arrivedAt: Instant) => void) | undefined;
  onWireMessage: WireTap | undefined;
  readonly log: string[] = [];
  appended = 0;

  get sentAudioMs(): number {
    return this.appended / 24;
  }

  appendAudio(samples: Int16Array): void {
    this.appended += samples.length;
  }

  truncate(itemId: string, playedMs: number): void {
    this.log.push(`truncate ${itemId} ${playedMs}`);
  }

  cancelResponse(responseId: string): void {
    this.log.push(`cancel ${responseId}`);
  }

  sendToolResult(id: string, result: string, { respond }: { readonly respond: boolean }): void {
    const { status } = JSON.parse(result) as { status: string };
    this.log.push(`result ${id} ${status} ${respond ? "respond" : "stay silent"}`);
  }

  requestResponse(): void {
    this.log.push("request");
  }

  close(): void {
    this.log.push("close");
  }
}

const NO_HANDLERS: ToolHandlers = {
  hangUp: () => Promise.resolve(),
  sendDigits: () => Promise.resolve(),
  transfer: () => Promise.resolve({ result: "completed" }),
};

function registry(handlers: ToolHandlers = NO_HANDLERS, ...others: readonly Tool[]): ToolRegistry {
  return new ToolRegistry([...callTools(handlers), ...others]);
}

class Rig {
  readonly clock = new ManualClock();
  readonly session = new FakeSession();
  readonly facts: FactDraft[] = [];
  readonly frame = new Int16Array(160);
  readonly bridge: Bridge;
  end: BridgeEnd | undefined;

  constructor(options: Partial<BridgeOptions> = {}) {
    this.bridge = new Bridge({
      session: this.session,
      tools: registry({
        hangUp: () => {
          this.session.log.push(`hang up at ${this.clock.nowMs}`);
          return Promise.resolve();
        },
        sendDigits: (digits) => {
          this.session.log.push(`press ${digits} at ${this.clock.nowMs}`);
          return Promise.resolve();
        },
        transfer: ({ destination, attended }) => {
          const how = attended ? " attended" : "";
          this.session.log.push(`transfer to ${destination}${how} at ${this.clock.nowMs}`);
          return Promise.resolve({ result: "completed", statusCode: 200 });
        },
      }),
      record: (fact) => this.facts.push(fact),
      clock: this.clock,
      logger: SILENT_LOGGER,
      ...options,
    });
    this.bridge.openAudio(8000);
    this.bridge.onClosed = (end) => {
      this.end = end;
    };
  }

  ai(...events: AiEvent[]): void {
    for (const event of events) this.session.onEvent?.(event, this.clock.now());
  }

  speak(responseId: string, ms: number, itemId = `${responseId}-item`): void {
    const samples = new Int16Array(ms * 24).fill(1000);
    this.ai({ type: "audio", responseId, itemId, samples });
  }

  done(responseId: string, status = "completed"): void {
    this.ai({ type: "audioDone", responseId }, { type: "turnDone", responseId, status });
  }

  call(id: string, name: string, args: Record<string, unknown>, responseId: string): void {
    this.ai({ type: "toolCall", id, name, args, responseId });
  }

  /** Plays frames as the media clock would, letting promises settle between them. */
  async play(frames: number): Promise<number> {
    if (frames === 0) return 0;
    const isSpeech = this.bridge.takeFrame(this.frame, this.clock.now());
    await settle();
    this.clock.pass(20);
    return Number(isSpeech) + (await this.play(frames - 1));
  }

  of(kind: FactDraft["kind"]): FactDraft[] {
    return this.facts.filter((fact) => fact.kind === kind);
  }
}

describe("Bridge playout", () => {
  it("plays the bot's speech frame by frame and states when it did", async () => {
    const rig = new Rig();
    rig.ai({ type: "responseCreated", responseId: "r" });
    rig.speak("r", 50);
    rig.clock.pass(7);
    rig.done("r");

    expect(await rig.play(5)).toBe(3);
    expect(rig.of("playout")).toEqual([
      { kind: "playout", event: "started", responseId: "r", at: 1007, playedMs: 0, heldMs: 0 },
      { kind: "playout", event: "ended", responseId: "r", at: 1047, playedMs: 50 },
    ]);
    expect(rig.of("aiResponse")).toEqual([
      { kind: "aiResponse", event: "created", responseId: "r", at: 1000 },
      { kind: "aiResponse", event: "firstAudio", responseId: "r", at: 1000 },
      { kind: "aiResponse", event: "audioDone", responseId: "r", audioMs: 50, at: 1007 },
      {
        kind: "aiResponse",
        event: "done",
        responseId: "r",
        status: "completed",
        audioMs: 50,
        at: 1007,
      },
    ]);
  });

  it("plays a full-duplex stream that has neither responses nor turns", async () => {
    const rig = new Rig();
    for (let index = 0; index < 5; index += 1) rig.speak("stream", 40, "stream");
    expect(await rig.play(9)).toBe(9);
  });

  it("reports speech beyond the buffer", () => {
    const rig = new Rig({ playoutCapacityMs: 100 });
    rig.speak("r", 200);
    expect(rig.of("fault")).toMatchObject([{ code: "ERR_PLAYOUT_OVERFLOW", at: 1000 }]);
  });

  it("has the bot speak first where asked to", () => {
    const rig = new Rig({ greet: true });
    expect(rig.session.log).toEqual([]);
    rig.ai({ type: "ready" });
    expect(rig.session.log).toEqual(["request"]);
  });
});

describe("Bridge interruption", () => {
  it("is silent from the next frame on, and tells the AI what was heard", async () => {
    const rig = new Rig();
    rig.ai({ type: "responseCreated", responseId: "r" });
    rig.speak("r", 45, "a");
    rig.speak("r", 500, "b");
    rig.done("r");
    await rig.play(4);

    rig.ai({ type: "callerSpeechStarted", audioMs: 900 }, { type: "interrupted" });

    expect(await rig.play(2)).toBe(0);
    expect(rig.session.log).toEqual(["truncate b 35"]);
    expect(rig.of("interruption")).toEqual([
      { kind: "interruption", responseId: "r", playedMs: 80, truncationSent: true, at: 1080 },
    ]);
    expect(rig.of("playout").at(-1)).toEqual({
      kind: "playout",
      event: "flushed",
      responseId: "r",
      playedMs: 80,
      discardedMs: 465,
      at: 1080,
    });
  });

  it("truncates whole ms, rounded down", async () => {
    const rig = new Rig();
    const base = { type: "audio", responseId: "r" } as const;
    rig.ai({ ...base, itemId: "a", samples: new Int16Array(33) });
    rig.ai({ ...base, itemId: "b", samples: new Int16Array(2400) });
    await rig.play(1);
    rig.ai({ type: "interrupted", responseId: "r" });
    // Of 20 ms, 1.375 belonged to the first item.
    expect(rig.session.log).toEqual(["truncate b 18"]);
  });

  it("accounts for all that was received, also what is still being converted", async () => {
    const rig = new Rig();
    rig.speak("r", 100);
    await rig.play(1);
    rig.ai({ type: "interrupted" });
    expect(rig.of("playout").at(-1)).toMatchObject({ playedMs: 20, discardedMs: 80 });
  });

  it("drops stragglers, and plays the next response", async () => {
    const rig = new Rig();
    rig.ai({ type: "responseCreated", responseId: "r" });
    rig.speak("r", 100);
    rig.ai({ type: "interrupted" });
    rig.speak("r", 100);
    rig.done("r", "cancelled");
    expect(await rig.play(2)).toBe(0);
    rig.speak("s", 40);
    rig.done("s");
    expect(await rig.play(3)).toBe(2);
  });

  it("leaves the queue alone where the caller's speech does not interrupt", async () => {
    const rig = new Rig();
    rig.speak("r", 100);
    rig.done("r");
    rig.ai({ type: "callerSpeechStarted", audioMs: 900 });
    expect(await rig.play(6)).toBe(5);
    expect(rig.of("interruption")).toEqual([]);
  });

  it("has nothing to report where the bot was silent", () => {
    const rig = new Rig();
    rig.ai({ type: "interrupted" });
    expect(rig.of("interruption")).toEqual([]);
    expect(rig.session.log).toEqual([]);
  });
});

/** Somebody speaks up. */
function loud(ms: number): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, index) => (index % 2 === 0 ? 4000 : -4000));
}

describe("Bridge interruption, found in the caller's audio", () => {
  it("silences the bot at the next frame, and tells the AI what was heard", async () => {
    const rig = new Rig({ localBargeIn: { minSpeechMs: 60 } });
    rig.ai({ type: "responseCreated", responseId: "r" });
    rig.speak("r", 1000);
    await rig.play(5);
    for (let frame = 0; frame < 3; frame += 1) {
      rig.bridge.handleCallerAudio(loud(20), rig.clock.now());
    }
    expect(await rig.play(2)).toBe(0);
    expect(rig.session.log).toEqual(["cancel r", "truncate r-item 100"]);
    expect(rig.of("interruption")).toEqual([
      {
        kind: "interruption",
        responseId: "r",
        playedMs: 100,
        truncationSent: true,
        detectedBy: "local",
        speechMs: 60,
        at: 1100,
      },
    ]);
    // The provider notices, too: there is nothing left to be thrown away.
    rig.ai({ type: "interrupted" });
    expect(rig.of("interruption")).toHaveLength(1);
  });

  it("leaves the bot alone for its own echo, and where it is silent", async () => {
    const rig = new Rig({ localBargeIn: { minSpeechMs: 60 } });
    for (let frame = 0; frame < 10; frame += 1) {
      rig.bridge.handleCallerAudio(loud(20), rig.clock.now());
    }
    rig.speak("r", 1000);
    for (let frame = 0; frame < 10; frame += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one frame after the other.
      await rig.play(1);
      const echo = rig.frame.map((sample) => sample / 10);
      rig.bridge.handleCallerAudio(echo, rig.clock.now());
    }
    expect(rig.of("interruption")).toEqual([]);
    expect(rig.session.log).toEqual([]);
  });

  it("is off where nobody asks for it", async () => {
    const rig = new Rig();
    rig.speak("r", 1000);
    await rig.play(2);
    rig.bridge.handleCallerAudio(loud(500), rig.clock.now());
    expect(await rig.play(1)).toBe(1);
  });
});

describe("Bridge tools", () => {
  it("hangs up once what the bot said has left, its own response included", async () => {
    const rig = new Rig();
    rig.ai({ type: "responseCreated", responseId: "r" });
    rig.speak("r", 40);
    rig.call("c", "hangup_call", {}, "r");
    rig.speak("r", 40);
    await rig.play(6);
    expect(rig.session.log).toEqual([]);
    rig.done("r");
    // The rate converter gave its last 4 ms only now; they take a frame, and the wait one more.
    await rig.play(2);
    expect(rig.session.log).toEqual(["hang up at 1140", "result c ok stay silent"]);
    expect(rig.of("toolCall")).toMatchObject([
      { event: "called", toolCallId: "c", name: "hangup_call", arguments: {}, at: 1000 },
      { event: "started", at: 1140 },
      { event: "finished", result: '{"status":"ok"}', at: 1140 },
    ]);
  });

  it("waits for the goodbye of the response before", async () => {
    const rig = new Rig();
    rig.speak("goodbye", 100);
    rig.done("goodbye");
    rig.ai({ type: "responseCreated", responseId: "r" });
    rig.call("c", "hangup_call", {}, "r");
    rig.done("r");
    await rig.play(5);
    expect(rig.session.log).toEqual([]);
    await rig.play(1);
    // The last frame left at 1080; the wait ends one frame time later.
    expect(rig.session.log[0]).toBe("hang up at 1100");
  });

  it("does not hang up on a caller who interrupts the goodbye, and says so to the model", async () => {
    const rig = new Rig();
    rig.speak("r", 5000);
    rig.call("c", "hangup_call", {}, "r");
    await rig.play(1);
    rig.ai({ type: "interrupted" });
    await settle();
    expect(rig.session.log).toEqual(["truncate r-item 20", "result c error stay silent"]);
    expect(rig.of("toolCall").at(-1)).toMatchObject({
      event: "failed",
      code: "ERR_TOOL_CANCELLED",
      result: expect.stringContaining("The caller interrupted") as string,
    });
  });

  it("waits no longer than its limit, even where no media flows", async () => {
    const rig = new Rig({ toolWaitMsMax: 300 });
    rig.speak("r", 5000);
    rig.call("c", "hangup_call", {}, "r");
    rig.clock.pass(299);
    await settle();
    expect(rig.session.log).toEqual([]);
    rig.clock.pass(1);
    await settle();
    expect(rig.session.log[0]).toBe("hang up at 1300");
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it("presses keys, then lets the model go on; calls keep their order", async () => {
    const rig = new Rig();
    rig.call("c1", "send_dtmf", { digits: "42#" }, "r");
    rig.call("c2", "hangup_call", {}, "r");
    rig.done("r");
    await rig.play(2);
    expect(rig.session.log).toEqual([
      "press 42# at 1000",
      "result c1 ok respond",
      "hang up at 1000",
      "result c2 ok stay silent",
    ]);
  });

  it.each([
    ["send_dtmf", { digits: "12x" }, undefined, "ERR_TOOL_ARGUMENTS"],
    ["send_dtmf", { digits: "" }, undefined, "ERR_TOOL_ARGUMENTS"],
    ["send_dtmf", { digits: 42 }, undefined, "ERR_TOOL_ARGUMENTS"],
    ["send_dtmf", { digits: "1".repeat(65) }, undefined, "ERR_TOOL_ARGUMENTS"],
    ["send_dtmf", {}, "The arguments are not JSON.", "ERR_TOOL_ARGUMENTS"],
    ["transfer_call", {}, undefined, "ERR_TOOL_ARGUMENTS"],
    ["transfer_call", { destination: " " }, undefined, "ERR_TOOL_ARGUMENTS"],
    ["transfer_call", { destination: "d".repeat(257) }, undefined, "ERR_TOOL_ARGUMENTS"],
    ["transfer_call", { destination: "desk", attended: "yes" }, undefined, "ERR_TOOL_ARGUMENTS"],
    ["transfer_call", { destination: "desk" }, "It is no JSON.", "ERR_TOOL_ARGUMENTS"],
    ["order_pizza", {}, undefined, "ERR_TOOL_UNKNOWN"],
  ])("refuses %s %o", (name, args, argsError, code) => {
    const rig = new Rig();
    const base = { type: "toolCall", id: "c", name, args, responseId: "r" } as const;
    rig.ai(argsError === undefined ? base : { ...base, argsError });
    expect(rig.session.log).toEqual(["result c error respond"]);
    expect(rig.of("toolCall")).toMatchObject([{ event: "called" }, { event: "failed", code }]);
  });

  it("tells the model where the call could not do it", async () => {
    const rig = new Rig({
      tools: registry({
        hangUp: () => Promise.reject(new Error("boom")),
        sendDigits: () => Promise.reject(new RemoteError("ERR_NO_TELEPHONE_EVENT", "No.")),
        transfer: () => Promise.reject(new Error("not asked for")),
      }),
    });
    rig.call("c1", "send_dtmf", { digits: "1" }, "r");
    rig.call("c2", "hangup_call", {}, "r");
    rig.done("r");
    await rig.play(2);
    expect(rig.session.log).toEqual(["result c1 error respond", "result c2 error respond"]);
    expect(rig.of("toolCall").filter((fact) => "code" in fact)).toMatchObject([
      { toolCallId: "c1", code: "ERR_NO_TELEPHONE_EVENT" },
      { toolCallId: "c2", code: "ERR_TOOL_FAILED" },
    ]);
  });

  it("transfers once what the bot said has left, and says with which status that went", async () => {
    const rig = new Rig();
    rig.speak("r", 40);
    rig.call("c1", "transfer_call", { destination: "desk" }, "r");
    rig.call("c2", "transfer_call", { destination: "desk", attended: true }, "r");
    rig.done("r");
    expect(rig.session.log).toEqual([]);
    await rig.play(4);
    expect(rig.session.log).toEqual([
      "transfer to desk at 1040",
      "result c1 ok stay silent",
      "transfer to desk attended at 1040",
      "result c2 ok stay silent",
    ]);
    expect(rig.of("toolCall").find((fact) => "result" in fact)).toMatchObject({
      event: "finished",
      result: '{"status":"ok","outcome":"completed","statusCode":200}',
    });
  });

  it("tells the model why a transfer failed, which then has to go on talking", async () => {
    const failed = new RemoteError("ERR_TRANSFER_FAILED", "Busy.", {
      context: { outcome: "failed", statusCode: 486 },
    });
    const rig = new Rig({
      tools: registry({
        hangUp: () => Promise.resolve(),
        sendDigits: () => Promise.resolve(),
        transfer: () => Promise.reject(failed),
      }),
    });
    rig.call("c", "transfer_call", { destination: "desk" }, "r");
    rig.done("r");
    await rig.play(2);
    expect(rig.session.log).toEqual(["result c error respond"]);
    expect(rig.of("toolCall").at(-1)).toMatchObject({
      event: "failed",
      code: "ERR_TRANSFER_FAILED",
      result:
        '{"status":"error","message":"ERR_TRANSFER_FAILED: Busy.","outcome":"failed","statusCode":486}',
    });
  });

  it("does not begin what was taken back, or what the end of the call overtook", async () => {
    const rig = new Rig();
    rig.speak("r", 1000);
    rig.call("c1", "hangup_call", {}, "r");
    rig.ai({ type: "toolCancelled", id: "c1" });
    rig.call("c2", "hangup_call", {}, "r");
    rig.bridge.close();
    await settle();
    expect(rig.session.log.filter((line) => line.startsWith("hang up"))).toEqual([]);
    expect(rig.of("toolCall").filter((fact) => "code" in fact)).toHaveLength(2);
    expect(rig.clock.pendingTimers).toBe(0);
  });
});

/** A tool that ends when the test says so. */
class SlowTool implements Tool {
  readonly definition;
  readonly actsOnCall = false;
  readonly waitsForSpeech = false;
  readonly timeoutMs = 1000;
  readonly responds = true;
  readonly signals: AbortSignal[] = [];
  readonly finish: ((answer: Record<string, unknown>) => void)[] = [];

  constructor(name: string) {
    const parameters = {
      type: "object",
      properties: { city: { type: "string", minLength: 2 }, days: { type: "integer", default: 1 } },
      required: ["city"],
      additionalProperties: false,
    };
    this.definition = { name, description: "Slow.", parameters };
  }

  run(
    args: Readonly<Record<string, unknown>>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Record<string, unknown>> {
    this.signals.push(signal);
    return new Promise((resolve) => {
      this.finish.push((answer) => resolve({ ...args, ...answer }));
    });
  }
}

function rigWith(...tools: readonly Tool[]): Rig {
  return new Rig({ tools: registry(NO_HANDLERS, ...tools) });
}

describe("Bridge tools of one's own", () => {
  it("run at once and side by side, and each is answered when it is done", async () => {
    const slow = new SlowTool("weather");
    const rig = rigWith(slow);
    rig.speak("r", 5000);
    rig.call("c1", "weather", { city: "Ulm" }, "r");
    rig.call("c2", "weather", { city: "Kiel", days: 3 }, "r");
    await settle();
    expect(slow.finish).toHaveLength(2);
    slow.finish[1]?.({ rain: true });
    await settle();
    expect(rig.session.log).toEqual(["result c2 ok respond"]);
    slow.finish[0]?.({ rain: false });
    await settle();
    expect(rig.session.log).toEqual(["result c2 ok respond", "result c1 ok respond"]);
    const results = rig.of("toolCall").flatMap((fact) => ("result" in fact ? [fact.result] : []));
    expect(results).toEqual([
      '{"status":"ok","city":"Kiel","days":3,"rain":true}',
      '{"status":"ok","city":"Ulm","days":1,"rain":false}',
    ]);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it("let what acts on the call wait until they are done", async () => {
    const slow = new SlowTool("weather");
    const rig = rigWith(slow);
    rig.call("c1", "weather", { city: "Ulm" }, "r");
    rig.call("c2", "hangup_call", {}, "r");
    rig.done("r");
    await rig.play(3);
    expect(rig.session.log).toEqual([]);
    slow.finish[0]?.({});
    await rig.play(1);
    expect(rig.session.log).toEqual(["result c1 ok respond", "result c2 ok stay silent"]);
  });

  it("are given up when their time is over, and what comes then is nobody's business", async () => {
    const slow = new SlowTool("weather");
    const rig = rigWith(slow);
    rig.call("c", "weather", { city: "Ulm" }, "r");
    await settle();
    rig.clock.pass(999);
    await settle();
    expect(rig.session.log).toEqual([]);
    rig.clock.pass(1);
    await settle();
    slow.finish[0]?.({});
    await settle();
    expect(rig.session.log).toEqual(["result c error respond"]);
    expect(slow.signals[0]?.aborted).toBe(true);
    expect(rig.of("toolCall").at(-1)).toMatchObject({ code: "ERR_TOOL_TIMED_OUT" });
  });

  it("are broken off when the model takes them back, which is not answered", async () => {
    const slow = new SlowTool("weather");
    const rig = rigWith(slow);
    rig.call("c1", "weather", { city: "Ulm" }, "r");
    rig.call("c2", "weather", { city: "Kiel" }, "r");
    await settle();
    rig.ai({ type: "toolCancelled", id: "c1" });
    slow.finish[1]?.({});
    await settle();
    expect(slow.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(rig.session.log).toEqual(["result c2 ok respond"]);
    expect(rig.of("toolCall").filter((fact) => "code" in fact)).toMatchObject([
      { toolCallId: "c1", event: "failed", code: "ERR_TOOL_CANCELLED" },
    ]);
  });

  it("are broken off at the end of the call", async () => {
    const slow = new SlowTool("weather");
    const rig = rigWith(slow);
    rig.call("c", "weather", { city: "Ulm" }, "r");
    await settle();
    rig.bridge.close();
    await settle();
    expect(slow.signals[0]?.aborted).toBe(true);
    expect(rig.of("toolCall").at(-1)).toMatchObject({ code: "ERR_TOOL_CANCELLED" });
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it("are not run with arguments that do not fit, and the model is told why", async () => {
    const slow = new SlowTool("weather");
    const rig = rigWith(slow);
    rig.call("c", "weather", { city: "U", days: 1.5, no: 1 }, "r");
    await settle();
    expect(slow.signals).toEqual([]);
    const fact = rig.of("toolCall").find((each) => "result" in each);
    expect(fact).toMatchObject({ event: "failed", code: "ERR_TOOL_ARGUMENTS" });
    expect((fact as { readonly result: string }).result).toMatch(
      /\\"city\\": .+; \\"days\\": .+; the arguments: Unrecognized key: \\"no\\"/u,
    );
  });

  it("may give anything that is JSON, of bearable length", async () => {
    const slow = new SlowTool("weather");
    const rig = rigWith(slow);
    for (const id of ["c1", "c2"]) rig.call(id, "weather", { city: "Ulm" }, "r");
    await settle();
    slow.finish[0]?.({ count: 1n });
    slow.finish[1]?.({ text: "x".repeat(70_000) });
    await settle();
    expect(rig.of("toolCall").filter((fact) => "code" in fact)).toMatchObject([
      { toolCallId: "c1", code: "ERR_TOOL_RESULT" },
      { toolCallId: "c2", code: "ERR_TOOL_RESULT" },
    ]);
  });
});

describe("Bridge caller audio", () => {
  it("hands audio over at the AI's rate, and states once a second where its clock stands", () => {
    const rig = new Rig();
    for (let frame = 0; frame < 150; frame += 1) {
      if (frame % 10 === 9) rig.bridge.handleCallerSilence(160, rig.clock.now());
      else rig.bridge.handleCallerAudio(new Int16Array(160), rig.clock.now());
      rig.clock.pass(20);
    }
    expect(rig.session.appended).toBe(150 * 480);
    expect(rig.of("aiInputClock")).toEqual([
      { kind: "aiInputClock", at: 1000, appendedMs: 20, filledMs: 0 },
      { kind: "aiInputClock", at: 2000, appendedMs: 1020, filledMs: 100 },
      { kind: "aiInputClock", at: 3000, appendedMs: 2020, filledMs: 200 },
    ]);
  });
});

describe("Bridge facts", () => {
  it("states how the session fared", () => {
    const rig = new Rig();
    const error = new RemoteError("ERR_AI_CLOSED", "Ended.");
    rig.ai(
      { type: "ready" },
      { type: "callerTranscript", text: "Hello" },
      { type: "goingAway", timeLeftMs: 500 },
      { type: "error", code: error.code, message: error.message, fatal: true, error },
      { type: "closed", code: 1011, reason: "internal" },
    );
    const base = { kind: "aiSession", provider: "fake", model: "fake-1", at: 1000 };
    expect(rig.facts).toEqual([
      { ...base, event: "connecting" },
      { ...base, event: "ready" },
      { kind: "aiTranscript", of: "caller", text: "Hello", at: 1000 },
      { ...base, event: "goingAway", detail: "500 ms left" },
      { ...base, event: "failed", code: "ERR_AI_CLOSED", detail: "Ended." },
      { kind: "fault", code: "ERR_AI_CLOSED", message: "Ended.", fault: "remote", at: 1000 },
      { ...base, event: "closed", code: "1011", detail: "internal" },
    ]);
    expect(rig.end).toEqual({ code: 1011, reason: "internal", error });
  });

  it("plays on what is queued when the session has ended", async () => {
    const rig = new Rig();
    rig.speak("r", 100);
    rig.ai({ type: "closed", code: 1006, reason: "" });
    expect(await rig.play(7)).toBe(5);
    expect(rig.of("playout").at(-1)).toMatchObject({ event: "ended", playedMs: 100 });
  });

  it("tells the log what the session threw away", () => {
    const logged: unknown[] = [];
    const rig = new Rig({
      logger: { ...SILENT_LOGGER, info: (_message, fields) => logged.push(fields) },
    });
    rig.ai({ type: "closed", code: 1000, reason: "" });
    expect(logged).toEqual([{ unknownEvents: 3 }]);
  });

  it("passes the tap on", () => {
    const lines: string[] = [];
    const rig = new Rig({ onAiEvent: (json) => lines.push(json) });
    rig.session.onWireMessage?.("{}", "sent", instant(1));
    expect(lines).toEqual(["{}"]);
  });
});
