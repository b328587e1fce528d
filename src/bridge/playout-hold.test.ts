import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import { PlayoutHold, type SpeechFlow } from "./playout-hold.ts";
import { checkPlayout, type PlayoutSettings } from "./playout-settings.ts";

/** Hands audio in at these instants, 100 ms of it each, and ends the flow. */
function receive(hold: PlayoutHold, ...atMs: number[]): number {
  let flow: SpeechFlow | undefined;
  for (const ms of atMs) flow = hold.handleAudio(flow, 100, instant(ms));
  if (flow !== undefined) hold.handleFlowEnd(flow);
  return hold.targetMs;
}

describe("PlayoutHold", () => {
  it("holds nothing where nothing is said, and a fixed time whatever comes", () => {
    expect(receive(new PlayoutHold(), 0, 500)).toBe(0);
    const fixed = new PlayoutHold({ kind: "fixed", delayMs: 80 });
    expect(receive(fixed, 0, 500, 600)).toBe(80);
    expect(fixed.releaseAt(instant(1000))).toBe(1080);
  });

  it("rises at once to what a response needed, with a frame to spare", () => {
    const hold = new PlayoutHold({ kind: "adaptive" });
    // 100 ms of audio lasted until 100; what came at 250 was 150 late, what came after it less.
    const flow = hold.handleAudio(undefined, 100, instant(0));
    hold.handleAudio(flow, 100, instant(250));
    expect(hold.targetMs).toBe(170);
    hold.handleAudio(flow, 100, instant(300));
    expect(flow.neededMs).toBe(150);
  });

  it("gives up a fifth of what is not needed with each response, down to its least", () => {
    const hold = new PlayoutHold({ kind: "adaptive", minMs: 50, maxMs: 400 });
    expect(hold.targetMs).toBe(50);
    expect(receive(hold, 0, 480)).toBe(400);
    expect(receive(hold, 0, 20, 40)).toBeCloseTo(320, 6);
    expect(receive(hold, 0, 20, 40)).toBeCloseTo(256, 6);
    for (let count = 0; count < 30; count += 1) receive(hold, 0, 20, 40);
    expect(hold.targetMs).toBe(50);
  });

  it.each<[string, PlayoutSettings]>([
    ["a negative hold", { preBuffer: { kind: "fixed", delayMs: -1 } }],
    ["a hold without end", { preBuffer: { kind: "fixed", delayMs: Number.POSITIVE_INFINITY } }],
    ["no number", { preBuffer: { kind: "adaptive", maxMs: Number.NaN } }],
    ["bounds the wrong way round", { preBuffer: { kind: "adaptive", minMs: 300, maxMs: 200 } }],
    ["a negative limit", { concealment: { kind: "stretch", belowMs: -5 } }],
  ])("%s cannot be", (_name, settings) => {
    expect(() => checkPlayout(settings)).toThrow(
      expect.objectContaining({ code: "ERR_PLAYOUT_SETTINGS" }),
    );
  });
});
