import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DtmfToneDetector } from "../../src/audio/index.ts";
import { elapsedMs } from "../../src/environment/index.ts";
import type { Harness, RemoteAgent, WatchedCall } from "../../src/index.ts";
import type { DigitMethod, FactOf } from "../../src/timeline/index.ts";
import { LOCAL, openTestHarness } from "../loopback/bench-bot.ts";
import type { Baresip } from "./support/baresip.ts";
import type { TelephoneAudio } from "./support/known-speech.ts";
import { report } from "./support/report.ts";
import { Sipp } from "./support/sipp.ts";
import { sippScenario } from "./support/sipp-scenario.ts";
import {
  ADDRESS,
  baresipPorts,
  callWith,
  endCall,
  heardByBaresip,
  mediaOf,
  startBaresip,
  stopBaresips,
} from "./support/spoken-calls.ts";
import { because, missingReason } from "./support/tools.ts";

const ALL_KEYS = "1234567890*#ABCD";
const RATE_HZ = 8000;
const KEY_MS = 120;
const GAP_MS = 80;
/** Of a tone found in audio, by the detector's own word; a frame's length otherwise. */
const DURATION_ERROR_MS = 20;

let test: Awaited<ReturnType<typeof openTestHarness>>;
let harness: Harness;
let caller: RemoteAgent;
let bot: RemoteAgent;

beforeAll(async () => {
  test = await openTestHarness("dtmf");
  harness = test.harness;
  const common = { local: LOCAL, media: { codecs: ["PCMU"] } } as const;
  caller = await harness.addAgent({ ...common, party: "caller", user: "caller" });
  const answer = { kind: "answer", ringMs: 0 } as const;
  bot = await harness.addAgent({ ...common, party: "bot", user: "bot", answer });
  // A thread's first call is late, by what it has to compile.
  const call = await caller.dial(bot.uri);
  await mediaOf(call, "bot");
  await delay(300);
  await endCall(call);
});

afterAll(async () => {
  await stopBaresips();
  await test.close();
});

const MISSING = missingReason(["baresip"]);

describe.skipIf(MISSING !== undefined)(`Keys to and from baresip${because(MISSING)}`, () => {
  it.concurrent("cross as telephone events", async () => {
    const baresip = await startBaresip(harness, { user: "events", speech: new Int16Array() });
    const call = await caller.dial(baresip.uri);
    await mediaOf(call, "caller");
    await call.press(ALL_KEYS, { durationMs: KEY_MS });
    const heard = await keysAt(baresip, ALL_KEYS.length);
    for (const key of ALL_KEYS) {
      baresip.press(key);
      await call.waitFor((fact) => isReceived(fact, key), 5000);
    }
    await endCall(call);
    await baresip.stop();

    const received = digitsOf(call, "received", "telephone-event");
    report("Telephone events with baresip", {
      heard,
      sentMs: durationsOf(digitsOf(call, "sent", "telephone-event")),
      receivedMs: durationsOf(received),
    });
    expect(heard).toBe(ALL_KEYS);
    expectKeys(digitsOf(call, "sent", "telephone-event"), KEY_MS);
    expect(textOf(received)).toBe(ALL_KEYS);
    expect(Math.min(...durationsOf(received))).toBeGreaterThanOrEqual(40);
    expect(digitsOf(call, "received", "in-band")).toEqual([]);
  });

  it.concurrent("cross as tones in the audio", async () => {
    const speech = tones(ALL_KEYS);
    const baresip = await startBaresip(harness, { user: "tones", speech });
    // An adaptive buffer may stretch a tone, by 20 ms or so, while it finds its delay.
    const jitterBuffer = { kind: "fixed", delayMs: 80 } as const;
    const media = { telephoneEvents: false, jitterBuffer };
    const call = await caller.dial(baresip.uri, { media });
    await mediaOf(call, "caller");
    await Promise.all([
      call.press(ALL_KEYS, { method: "in-band", durationMs: KEY_MS }),
      delay((speech.length * 1000) / RATE_HZ + 800),
    ]);
    await delay(500);
    await endCall(call);
    const heard = detected(await heardByBaresip(baresip));
    await baresip.stop();

    const received = digitsOf(call, "received", "in-band");
    report("Tones with baresip", {
      heardMs: durationsOf(heard),
      receivedMs: durationsOf(received),
    });
    expectKeys(heard, KEY_MS);
    expectKeys(received, KEY_MS);
    expectKeys(digitsOf(call, "sent", "in-band"), KEY_MS);
    expect(digitsOf(call, "received", "telephone-event")).toEqual([]);
    const spans = received.map(({ at, endedAt }) => elapsedMs(at, endedAt));
    for (const span of spans) expect(Math.abs(span - KEY_MS)).toBeLessThan(DURATION_ERROR_MS);
  });

  it.concurrent("reach it as INFO requests", async () => {
    const baresip = await startBaresip(harness, { user: "info", speech: new Int16Array() });
    const call = await caller.dial(baresip.uri);
    await mediaOf(call, "caller");
    await call.press(ALL_KEYS, { method: "info", durationMs: KEY_MS });
    const heard = await keysAt(baresip, ALL_KEYS.length);
    await endCall(call);
    await baresip.stop();

    expect(heard).toBe(ALL_KEYS);
    expectKeys(digitsOf(call, "sent", "info"), KEY_MS);
    const infos = call.timeline.of("sipMessage").filter(({ method }) => method === "INFO");
    expect(new Set(infos.flatMap(({ statusCode }) => statusCode ?? []))).toEqual(new Set([200]));
  });
});

const SIPP_MISSING = missingReason(["sipp"]);

describe.skipIf(SIPP_MISSING !== undefined)(`Keys from SIPp${because(SIPP_MISSING)}`, () => {
  it("come as INFO requests of either kind", async () => {
    const { sipPort: port, controlPort } = await baresipPorts();
    const coming = callWith(harness, "presser");
    const sipp = await Sipp.startCaller({
      address: ADDRESS,
      port,
      calls: 1,
      target: `${ADDRESS}:${bot.local.port}`,
      user: "bot",
      callsPerSecond: 1,
      holdMs: 0,
      extraArgs: ["-rtp_echo", "-mp", String(controlPort)],
      scenario: sippScenario("presser", [
        { kind: "offer", payloadType: 0, encoding: "PCMU/8000" },
        { kind: "pause", ms: 200 },
        relay("4", KEY_MS),
        relay("*", KEY_MS),
        { kind: "info", contentType: "application/dtmf", body: "#" },
        relay("D", 250),
        { kind: "pause", ms: 200 },
      ]),
    });
    const call = await coming;
    const result = await sipp.finish(10_000);
    expect(await call.whenEnded(5000)).toBe(true);

    const received = digitsOf(call, "received", "info");
    report("INFO from SIPp", { keys: textOf(received), ms: durationsOf(received) });
    expect(result).toMatchObject({ successful: 1, failed: 0 });
    expect(textOf(received)).toBe("4*#D");
    const [first, second, , last] = durationsOf(received);
    expect([first, second, last]).toEqual([KEY_MS, KEY_MS, 250]);
  });
});

function relay(key: string, durationMs: number): Parameters<typeof sippScenario>[1][number] {
  const body = `Signal=${key}\nDuration=${durationMs}`;
  return { kind: "info", contentType: "application/dtmf-relay", body };
}

/** What the peer was told of keys: the first so many that it names. */
async function keysAt(baresip: Baresip, count: number): Promise<string> {
  let keys = "";
  while (keys.length < count) {
    keys += (await baresip.waitForEvent("CALL_DTMF_START", 5000)).param ?? "";
  }
  // One more than there should be would come now.
  await delay(300);
  const more = baresip.events.filter(({ type }) => type === "CALL_DTMF_START");
  return keys + more.map(({ param }) => param).join("");
}

interface Key {
  readonly digit: string;
  readonly durationMs: number;
}

function isReceived(fact: WatchedCall["timeline"]["facts"][number], key: string): boolean {
  return fact.kind === "digit" && fact.direction === "received" && fact.digit === key;
}

function digitsOf(
  call: WatchedCall,
  wanted: "sent" | "received",
  by: DigitMethod,
): FactOf<"digit">[] {
  return call.timeline
    .of("digit")
    .filter(({ direction, method }) => direction === wanted && method === by);
}

function textOf(keys: readonly Key[]): string {
  return keys.map(({ digit }) => digit).join("");
}

function durationsOf(keys: readonly Key[]): number[] {
  return keys.map(({ durationMs }) => durationMs);
}

/** All of them in their order, each as long as it was pressed. */
function expectKeys(keys: readonly Key[], pressedMs: number): void {
  expect(textOf(keys)).toBe(ALL_KEYS);
  for (const { durationMs } of keys) {
    expect(Math.abs(durationMs - pressedMs)).toBeLessThanOrEqual(DURATION_ERROR_MS);
  }
}

function detected({ samples, sampleRateHz }: TelephoneAudio): Key[] {
  const detector = new DtmfToneDetector({ sampleRateHz });
  detector.handleSamples(samples);
  // Digits come out a moment after their end.
  detector.handleSamples(new Int16Array(sampleRateHz / 10));
  const keys: Key[] = [];
  for (let key = detector.takeDigit(); key !== undefined; key = detector.takeDigit()) {
    keys.push(key);
  }
  return keys;
}

/** Q.23, made here and not by our generator. */
const LOW_HZ = [697, 770, 852, 941];
const HIGH_HZ = [1209, 1336, 1477, 1633];
const ROWS = ["123A", "456B", "789C", "*0#D"];
const AMPLITUDE = 6000;

/** Half a second of silence, then each key with a pause behind it. */
function tones(keys: string): Int16Array {
  const toneSamples = (KEY_MS * RATE_HZ) / 1000;
  const stepSamples = toneSamples + (GAP_MS * RATE_HZ) / 1000;
  const samples = new Int16Array(RATE_HZ / 2 + keys.length * stepSamples);
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys.charAt(index);
    const row = ROWS.findIndex((each) => each.includes(key));
    const low = LOW_HZ[row] ?? 0;
    const high = HIGH_HZ[ROWS[row]?.indexOf(key) ?? 0] ?? 0;
    const from = RATE_HZ / 2 + index * stepSamples;
    for (let time = 0; time < toneSamples; time += 1) {
      const phase = (2 * Math.PI * time) / RATE_HZ;
      samples[from + time] = AMPLITUDE * (Math.sin(phase * low) + Math.sin(phase * high));
    }
  }
  return samples;
}
