import { setImmediate as settle } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Bridge, type Tool, ToolRegistry } from "../../../src/bridge/index.ts";
import { ProtocolSession } from "../../../src/bridge/provider/protocol-session.ts";
import {
  type Clock,
  type Instant,
  instant,
  type MessageSocket,
  type MessageSocketState,
  SILENT_LOGGER,
} from "../../../src/environment/index.ts";
import type { FactDraft } from "../../../src/timeline/index.ts";
import { LiveProtocol } from "./live-protocol.ts";

const FRAME_SAMPLES = 480;

class LiveSocket implements MessageSocket {
  state: MessageSocketState = "open";
  readonly bufferedBytes = 0;
  onOpen: (() => void) | undefined;
  onMessage: ((text: string, arrivedAt: Instant) => void) | undefined;
  onClose: ((code: number, reason: string) => void) | undefined;
  onError: ((error: Error) => void) | undefined;
  readonly sent: Record<string, unknown>[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.state = "closed";
  }

  terminate(): void {
    this.state = "closed";
  }
}

/** A call at 24 kHz that is bridged to a full-duplex AI; time is moved by hand. */
class Rig {
  nowMs = 1000;
  readonly socket = new LiveSocket();
  readonly facts: FactDraft[] = [];
  readonly bridge: Bridge;
  readonly called: unknown[] = [];
  readonly frame = new Int16Array(FRAME_SAMPLES);

  constructor() {
    const clock: Clock = {
      now: () => instant(this.nowMs),
      wallClockMs: () => 0,
      setTimer: () => ({ cancel: () => undefined }),
    };
    const session = new ProtocolSession(
      { clock },
      {
        provider: "openai-live",
        model: "gpt-live-1",
        inputSampleRateHz: 24_000,
        outputSampleRateHz: 24_000,
        supportsTruncation: false,
        protocol: new LiveProtocol(clock.now()),
        connect: () => this.socket,
      },
    );
    const parameters = { type: "object", properties: {}, additionalProperties: false };
    const tool: Tool = {
      definition: { name: "look_up", description: "Looks up.", parameters },
      actsOnCall: false,
      waitsForSpeech: false,
      responds: true,
      run: () => {
        this.called.push("look_up");
        return Promise.resolve({ found: true });
      },
    };
    this.bridge = new Bridge({
      session,
      tools: new ToolRegistry([tool]),
      record: (fact) => this.facts.push(fact),
      clock,
      logger: SILENT_LOGGER,
    });
    this.bridge.openAudio(24_000);
    this.socket.onOpen?.();
    this.receive({ type: "session.started", session: {} });
  }

  receive(event: object): void {
    this.socket.onMessage?.(JSON.stringify(event), instant(this.nowMs));
  }

  /** 20 ms of the stream, every sample of which is `value`. */
  hear(value: number): void {
    const samples = new Int16Array(FRAME_SAMPLES).fill(value);
    const delta = Buffer.from(samples.buffer).toString("base64");
    this.receive({ type: "session.output_audio.delta", delta });
  }

  /** What leaves in the next frame: its last sample. */
  play(): number {
    this.nowMs += 20;
    this.bridge.takeFrame(this.frame, instant(this.nowMs));
    return this.frame.at(-1) ?? Number.NaN;
  }
}

describe("A provider without turns and interruptions (OpenAI Live)", () => {
  it("is started by the client, and gets the caller's audio without a pause", () => {
    const rig = new Rig();
    rig.bridge.handleCallerAudio(new Int16Array(FRAME_SAMPLES * 3), instant(rig.nowMs));
    expect(rig.socket.sent.map(({ type }) => type)).toEqual([
      "session.start",
      ...Array.from({ length: 3 }, () => "session.input_audio.append"),
    ]);
    expect(rig.facts).toContainEqual(
      expect.objectContaining({ kind: "aiSession", event: "ready", provider: "openai-live" }),
    );
  });

  it("is played as it comes, silence and all, as one response that never ends", () => {
    const rig = new Rig();
    const played: number[] = [];
    for (let frame = 1; frame <= 100; frame += 1) {
      rig.hear(frame % 10 < 5 ? frame : 0);
      played.push(rig.play());
    }
    expect(played.filter((value) => value !== 0).length).toBeGreaterThan(40);
    expect(played.slice(-10)).toEqual([91, 92, 93, 94, 0, 0, 0, 0, 0, 100]);
    const playout = rig.facts.filter(({ kind }) => kind === "playout");
    expect(playout).toMatchObject([{ event: "started", responseId: "live" }]);
    expect(rig.facts.some(({ kind }) => kind === "interruption")).toBe(false);
  });

  it("goes on after the network has held it up, without losing a sample", () => {
    const rig = new Rig();
    const heard: number[] = [];
    const note = (value: number): void => {
      if (value !== 0) heard.push(value);
    };
    for (let frame = 1; frame <= 5; frame += 1) {
      rig.hear(frame);
      note(rig.play());
    }
    for (let frame = 0; frame < 5; frame += 1) note(rig.play());
    for (let frame = 6; frame <= 10; frame += 1) rig.hear(frame);
    for (let frame = 0; frame < 7; frame += 1) note(rig.play());
    expect(heard).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const events = rig.facts.flatMap((fact) => (fact.kind === "playout" ? [fact.event] : []));
    expect(events.slice(0, 3)).toEqual(["started", "underrun", "resumed"]);
  });

  it("tells transcripts of both sides", () => {
    const rig = new Rig();
    rig.receive({
      type: "session.input_transcript.delta",
      delta: "Hello?",
      start_ms: 0,
      end_ms: 200,
    });
    rig.receive({
      type: "session.output_transcript.delta",
      delta: "Yes.",
      start_ms: 0,
      end_ms: 200,
    });
    expect(rig.facts.filter(({ kind }) => kind === "aiTranscript")).toMatchObject([
      { of: "caller", text: "Hello?" },
      { of: "bot", text: "Yes.", responseId: "live" },
    ]);
  });

  it("has tools called by delegation, and is answered in its own form", async () => {
    const rig = new Rig();
    const item = { type: "function_call", call_id: "c", name: "look_up", arguments: "{}" };
    const event = { type: "response.output_item.done", item };
    rig.receive({ type: "response.event", delegation_id: "d", event });
    for (let turn = 0; turn < 5; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await settle();
    }
    expect(rig.called).toEqual(["look_up"]);
    expect(rig.socket.sent.slice(-2)).toMatchObject([
      { type: "response.item.create", item: { type: "function_call_output", call_id: "c" } },
      { type: "response.create" },
    ]);
  });

  it("ends like any other", () => {
    const rig = new Rig();
    let end: unknown;
    rig.bridge.onClosed = (event) => {
      end = event;
    };
    rig.receive({ type: "session.closed", reason: "expired" });
    expect(end).toEqual({ code: 1000, reason: "" });
    expect(rig.socket.state).toBe("closed");
  });
});
