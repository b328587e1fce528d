import { beforeAll, describe, expect, it } from "vitest";
import { voice } from "../../test/unit/quality/known-sound.ts";
import { levelDbov } from "../audio/index.ts";
import type { AiEvent, AiSession } from "../bridge/index.ts";
import { loadCodecs } from "../codec/index.ts";
import { instant } from "../environment/index.ts";
import type { AiNetwork } from "../impairment/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import { UdpPath } from "./udp-path.ts";

const RATE_HZ = 24_000;
const SPEECH = voice("bot/long", RATE_HZ);

beforeAll(() => loadCodecs(["opus"]));

/** An AI's session that says what a test wants it to, and keeps what it is told. */
class ScriptedSession implements AiSession {
  readonly inputSampleRateHz = RATE_HZ;
  readonly outputSampleRateHz = RATE_HZ;
  readonly provider = "test";
  onEvent: AiSession["onEvent"];
  readonly heard: number[] = [];
  readonly told: string[] = [];

  appendAudio(samples: Int16Array): void {
    this.heard.push(...samples);
  }

  truncate(itemId: string, playedMs: number): void {
    this.told.push(`truncate ${itemId} ${playedMs}`);
  }

  cancelResponse(responseId: string): void {
    this.told.push(`cancel ${responseId}`);
  }

  sendToolResult(): void {}

  requestResponse(): void {
    this.told.push("respond");
  }

  close(): void {}
}

interface Told {
  readonly atMs: number;
  readonly event: AiEvent;
}

function openLeg(plan: AiNetwork = {}, seed = "leg") {
  const clock = new ManualClock(instant(0));
  const network = new VirtualNetwork({ clock, random: () => 0 });
  const path = new UdpPath({ clock, network, seed, plan });
  const ai = new ScriptedSession();
  const session = path.through(ai);
  const told: Told[] = [];
  session.onEvent = (event, at) => told.push({ atMs: at, event });
  const say = (event: AiEvent): void => ai.onEvent?.(event, clock.now());
  /** A response in bursts of 200 ms, four times as fast as it is spoken. */
  const speak = (responseId: string, ms: number): void => {
    say({ type: "responseCreated", responseId });
    for (let from = 0; from < ms; from += 200) {
      const samples = SPEECH.subarray((from * RATE_HZ) / 1000, ((from + 200) * RATE_HZ) / 1000);
      say({ type: "audio", responseId, itemId: `${responseId}-item`, samples });
      clock.advance(50);
    }
    say({ type: "audioDone", responseId });
    say({ type: "turnDone", responseId, status: "completed" });
  };
  const audio = (responseId?: string): { readonly atMs: number; readonly samples: Int16Array }[] =>
    told.flatMap(({ atMs, event }) =>
      event.type === "audio" && (responseId ?? event.responseId) === event.responseId
        ? [{ atMs, samples: event.samples }]
        : [],
    );
  const heardMs = (responseId?: string): number =>
    (audio(responseId).reduce((sum, { samples }) => sum + samples.length, 0) * 1000) / RATE_HZ;
  const when = (type: AiEvent["type"]): number | undefined =>
    told.find(({ event }) => event.type === type)?.atMs;
  return { clock, path, ai, session, told, speak, say, audio, heardMs, when };
}

describe("UdpAiSession", () => {
  it("brings bursts as they are spoken, whole, and their end when they have been played", () => {
    const leg = openLeg({ received: { delay: { delayMs: 40 } } });
    leg.speak("r", 2000);
    leg.clock.advance(3000);
    expect(leg.when("responseCreated")).toBe(40);
    const pieces = leg.audio("r");
    expect(pieces[0]?.atMs).toBeGreaterThanOrEqual(40);
    expect(pieces[0]?.atMs).toBeLessThan(140);
    expect(leg.heardMs("r")).toBeGreaterThanOrEqual(1980);
    expect(leg.heardMs("r")).toBeLessThan(2100);
    // As it is spoken: half of it at half of its time.
    const half = pieces.filter(({ atMs }) => atMs < 1000).length / pieces.length;
    expect(half).toBeGreaterThan(0.4);
    expect(half).toBeLessThan(0.55);
    const lastAt = pieces.at(-1)?.atMs ?? Number.NaN;
    expect(lastAt).toBeGreaterThan(1950);
    expect(leg.when("audioDone")).toBeGreaterThanOrEqual(lastAt);
    expect(leg.when("turnDone")).toBeLessThan(lastAt + 100);
    const types = leg.told.map(({ event }) => event.type).filter((type) => type !== "audio");
    expect(types).toEqual(["responseCreated", "audioDone", "turnDone"]);
    const level = levelDbov(Int16Array.from(pieces.flatMap(({ samples }) => [...samples])));
    const spoken = levelDbov(SPEECH.subarray(0, 2 * RATE_HZ));
    expect(Math.abs(level - spoken)).toBeLessThan(1);
  });

  it("brings each response whole, however long the pause before it", () => {
    const leg = openLeg({ received: { delay: { delayMs: 40 } } });
    for (const [index, pauseMs] of [5000, 3500, 8000].entries()) {
      const saidAt = leg.clock.now();
      leg.speak(`r${index}`, 2000);
      leg.clock.advance(pauseMs);
      const pieces = leg.audio(`r${index}`);
      expect((pieces[0]?.atMs ?? 0) - saidAt).toBeLessThan(140);
      expect(leg.heardMs(`r${index}`)).toBeGreaterThanOrEqual(1980);
      expect((pieces.at(-1)?.atMs ?? 0) - saidAt).toBeGreaterThan(1950);
    }
  });

  it("plays on without a pause where the AI's deltas are a few milliseconds late", () => {
    const leg = openLeg({ received: { delay: { delayMs: 40 } } });
    leg.say({ type: "responseCreated", responseId: "r" });
    // As fast as it is spoken, each delta late by another 0 to 12 ms.
    for (let from = 0; from < 4000; from += 200) {
      const samples = SPEECH.subarray((from * RATE_HZ) / 1000, ((from + 200) * RATE_HZ) / 1000);
      const lateMs = (from / 200) % 2 === 0 ? 0 : 12;
      leg.clock.advance(lateMs);
      leg.say({ type: "audio", responseId: "r", itemId: "r-item", samples });
      leg.clock.advance(200 - lateMs);
    }
    leg.say({ type: "audioDone", responseId: "r" });
    leg.clock.advance(1000);
    const pieces = leg.audio("r");
    const gaps = pieces.map(({ atMs }, index) => atMs - (pieces[index - 1]?.atMs ?? atMs));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(20);
    expect(leg.heardMs("r")).toBeGreaterThanOrEqual(3980);
    expect(leg.heardMs("r")).toBeLessThan(4020);
    const { insertedMs = 0, skippedMs = 0 } = leg.path.counts.audio?.received ?? {};
    expect(insertedMs + skippedMs).toBeLessThan(5);
  });

  it("conceals and recovers what is lost; nothing waits", () => {
    const loss = { loss: { kind: "bernoulli", lossRatio: 0.1 } } as const;
    const leg = openLeg({ received: { ...loss, delay: { delayMs: 40 } } });
    leg.speak("r", 4000);
    leg.clock.advance(5000);
    const { received, audio } = leg.path.counts;
    expect(received).toMatchObject({ offered: 200, underWay: 0 });
    expect(received.lost).toBeGreaterThan(8);
    const work = audio?.received;
    const { concealedMs = 0, fecRecoveredMs = 0 } = work ?? {};
    // All but what was lost at the very end stands in for something.
    expect(Math.abs(concealedMs + fecRecoveredMs - 20 * received.lost)).toBeLessThanOrEqual(60);
    expect(fecRecoveredMs).toBeGreaterThan(60);
    const gaps = leg
      .audio("r")
      .map(({ atMs }, index, all) => atMs - (all[index - 1]?.atMs ?? atMs));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(60);
  });

  it("meets the same fate again with the same seed, and another with another", () => {
    const plan: AiNetwork = { received: { loss: { kind: "bernoulli", lossRatio: 0.2 } } };
    const run = (seed: string): unknown => {
      const leg = openLeg(plan, seed);
      leg.speak("r", 2000);
      leg.clock.advance(3000);
      return [leg.path.counts, leg.audio().map(({ atMs, samples }) => [atMs, ...samples])];
    };
    expect(run("a")).toEqual(run("a"));
    expect(run("a")).not.toEqual(run("b"));
  });

  it("throws away what is not wanted any more when the AI is interrupted", () => {
    const leg = openLeg({ sent: { delay: { delayMs: 20 } }, received: { delay: { delayMs: 30 } } });
    leg.speak("r", 3000);
    leg.clock.advance(250);
    leg.say({ type: "interrupted", responseId: "r" });
    const before = leg.heardMs("r");
    leg.clock.advance(3000);
    expect(leg.heardMs("r") - before).toBeLessThanOrEqual(60);
    expect(leg.when("interrupted")).toBe(1030);
    expect(leg.when("turnDone")).toBeLessThan(1100);
    leg.speak("s", 400);
    leg.clock.advance(1000);
    expect(leg.heardMs("s")).toBeGreaterThan(360);
  });

  it("stops what it is told to cancel, and tells the AI after the network's delay", () => {
    const leg = openLeg({ sent: { delay: { delayMs: 100 } } });
    leg.speak("r", 2000);
    leg.session.truncate("r-item", 300);
    leg.session.cancelResponse("r");
    const before = leg.heardMs("r");
    leg.clock.advance(99);
    expect(leg.ai.told).toEqual([]);
    leg.clock.advance(2);
    expect(leg.ai.told).toEqual(["truncate r-item 300", "cancel r"]);
    leg.clock.advance(3000);
    expect(leg.heardMs("r")).toBe(before);
  });

  it("carries the caller's audio to the AI in real time, with silence in an outage", () => {
    const outage = { loss: { kind: "bernoulli", lossRatio: 1 } } as const;
    const leg = openLeg({
      sent: {
        delay: { delayMs: 30 },
        changes: [{ atMs: 1000, durationMs: 400, settings: outage }],
      },
    });
    for (let at = 0; at < 3000; at += 20) {
      leg.session.appendAudio(SPEECH.subarray((at * RATE_HZ) / 1000, ((at + 20) * RATE_HZ) / 1000));
      leg.clock.advance(20);
    }
    leg.clock.advance(200);
    expect(leg.session.sentAudioMs).toBe(3000);
    const heardMs = (leg.ai.heard.length * 1000) / RATE_HZ;
    expect(heardMs).toBeGreaterThan(2900);
    expect(heardMs).toBeLessThan(3300);
    const part = (fromMs: number, toMs: number): number =>
      levelDbov(
        Int16Array.from(leg.ai.heard.slice((fromMs * RATE_HZ) / 1000, (toMs * RATE_HZ) / 1000)),
      );
    expect(part(200, 900)).toBeGreaterThan(-35);
    expect(part(1250, 1350)).toBeLessThan(-50);
    expect(leg.path.counts.audio?.sent.concealedMs).toBeGreaterThan(300);
    expect(leg.path.counts.sent).toMatchObject({ offered: 150, lost: 20 });
  });

  it("tells the end of the session, and holds nothing back then", async () => {
    const leg = openLeg();
    leg.speak("r", 400);
    leg.say({ type: "closed", code: 1000, reason: "" });
    leg.clock.advance(10);
    expect(leg.told.at(-1)?.event.type).toBe("closed");
    expect(leg.told.filter(({ event }) => event.type === "turnDone")).toHaveLength(1);
    await leg.path.close();
    leg.session.appendAudio(SPEECH.subarray(0, 480));
    leg.clock.advance(1000);
    expect(leg.ai.heard).toEqual([]);
  });
});
