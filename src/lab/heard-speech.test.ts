import { describe, expect, it } from "vitest";
import { ABRUPT_EDGE_MS, detectSpeech } from "../audio/index.ts";
import { MULAW } from "../codec/index.ts";
import { instant, seededRandom } from "../environment/index.ts";
import type { CapturedRtp } from "./captured-packets.ts";
import { deliveryOf, HeardSpeech } from "./heard-speech.ts";
import { SentSpeech } from "./sent-speech.ts";

const RATE_HZ = 8000;
const FRAME = 160;
const HOW = { rateHz: RATE_HZ, frameSamples: FRAME };
/** Of the frames of `speech`, some of silence before and behind. */
const BEFORE = 5;
const BEHIND = 10;
const DELIVERY_MS = 70;

/** Noise: loud, and no frame like another. */
function noise(samples: number): Int16Array {
  const random = seededRandom("noise");
  return Int16Array.from({ length: samples }, () => Math.round((random() - 0.5) * 20_000));
}

/** A stream with speech in it; `lateMs` says by how much each packet left after its deadline. */
function streamOf(speech: Int16Array, lateMs: (index: number) => number = () => 0): CapturedRtp[] {
  const count = BEFORE + Math.ceil(speech.length / FRAME) + BEHIND;
  const all = new Int16Array(count * FRAME);
  all.set(speech, BEFORE * FRAME);
  return Array.from({ length: count }, (_, index) => {
    const payload = new Uint8Array(FRAME);
    MULAW.compress(all.subarray(index * FRAME, (index + 1) * FRAME), payload);
    return {
      at: instant(1000 + 20 * index + lateMs(index)),
      payload,
      payloadType: 0,
      marker: false,
      sequenceNumber: (65_530 + index) & 0xff_ff,
      timestamp: (0xff_ff_ff_00 + FRAME * index) >>> 0,
      ssrc: 1,
    };
  });
}

/** What is heard of it: each frame `DELIVERY_MS` after its deadline; `replace` stands for a concealer. */
function heard(
  packets: readonly CapturedRtp[],
  replace: (index: number, frame: Int16Array) => Int16Array = (_, frame) => frame,
) {
  const right = new Int16Array((packets.length + 20) * FRAME);
  for (const [index, { payload }] of packets.entries()) {
    const frame = new Int16Array(FRAME);
    MULAW.expand(payload, frame);
    right.set(replace(index, frame), index * FRAME + (DELIVERY_MS * RATE_HZ) / 1000);
  }
  const left = new Int16Array(right.length);
  return { startedAt: instant(1000), sampleRateHz: RATE_HZ, left, right };
}

function located(
  packets: readonly CapturedRtp[],
  audio: ReturnType<typeof heard>,
  speech: Int16Array,
) {
  const sent = SentSpeech.find(speech, packets, HOW);
  const found = sent && HeardSpeech.locate(sent, audio);
  if (found === undefined) throw new Error("It is not heard.");
  return found;
}

const SPEECH = noise(FRAME * 20 + 40);
const START_AT = 1000 + 20 * BEFORE + DELIVERY_MS;
const END_AT = START_AT + SPEECH.length / 8;

describe("speech that was sent, in what was heard", () => {
  it("is found to the sample", () => {
    const packets = streamOf(SPEECH);
    const found = located(packets, heard(packets), SPEECH);
    expect(found.startAt).toBe(START_AT);
    expect(found.end).toEqual({ earliest: END_AT, latest: END_AT });
    expect(found.hasLostEdge).toBe(false);
    expect(deliveryOf([found])).toEqual({ medianMs: DELIVERY_MS, movedMs: 0 });
  });

  it("is where it is heard, however late its packets left", () => {
    const packets = streamOf(SPEECH, (index) => (index === BEFORE ? 45 : index % 3));
    const found = located(packets, heard(packets), SPEECH);
    expect(found.startAt).toBe(START_AT);
    expect(found.end.latest).toBe(END_AT);
  });

  it("begins with the first frame that is heard as it was sent", () => {
    const packets = streamOf(SPEECH);
    const audio = heard(packets, (index, frame) =>
      index === BEFORE ? new Int16Array(FRAME) : frame,
    );
    const found = located(packets, audio, SPEECH);
    expect(found.startAt).toBe(START_AT + 20);
    expect(found.hasLostEdge).toBe(true);
  });

  it("ends somewhere in what a concealer made of it, where the silence behind it was lost", () => {
    const packets = streamOf(SPEECH);
    const lost = BEFORE + 21;
    const audio = heard(packets, (index, frame) => (index === lost ? noise(FRAME) : frame));
    const { end, hasLostEdge } = located(packets, audio, SPEECH);
    expect(end.earliest).toBe(END_AT);
    // To the frame after the one that was lost.
    expect(end.latest).toBe(1000 + 20 * (lost + 1) + DELIVERY_MS);
    expect(hasLostEdge).toBe(true);
  });

  it("says by how much playout moved within it", () => {
    const packets = streamOf(SPEECH);
    const right = heard(packets).right;
    const middle = (BEFORE + 10) * FRAME + (DELIVERY_MS * RATE_HZ) / 1000;
    const moved = new Int16Array(right.length + FRAME);
    moved.set(right.subarray(0, middle));
    moved.set(right.subarray(middle), middle + FRAME);
    const found = located(packets, { ...heard(packets), right: moved }, SPEECH);
    expect(deliveryOf([found]).movedMs).toBe(20);
    expect(found.startAt).toBe(START_AT);
    expect(found.end.latest).toBe(END_AT + 20);
  });

  it("is not found where nothing of it is heard", () => {
    const packets = streamOf(SPEECH);
    const sent = SentSpeech.find(SPEECH, packets, HOW);
    const silent = { ...heard(packets), right: new Int16Array(5000) };
    expect(sent && HeardSpeech.locate(sent, silent)).toBeUndefined();
    expect(SentSpeech.find(noise(FRAME * 3).toReversed(), packets, HOW)).toBeUndefined();
  });
});

describe("the constant of the definition of an edge", () => {
  it.each([8000, 16_000, 24_000, 48_000])(
    "is by how much a sound that begins and ends at once is found too long, at %i Hz",
    (rateHz) => {
      for (const scale of [1, 0.1, 0.02]) {
        const sound = noise(rateHz).map((sample) => Math.round(sample * scale));
        const samples = new Int16Array(3 * rateHz);
        samples.set(sound, rateHz);
        const [found, other] = detectSpeech(samples, rateHz);
        expect(other).toBeUndefined();
        const perMs = rateHz / 1000;
        const onsetMs = ((found?.startSample ?? 0) - rateHz) / perMs;
        const offsetMs = ((found?.endSample ?? 0) - 2 * rateHz) / perMs;
        expect(Math.abs(onsetMs + ABRUPT_EDGE_MS)).toBeLessThanOrEqual(0.25);
        expect(Math.abs(offsetMs - ABRUPT_EDGE_MS)).toBeLessThanOrEqual(0.25);
      }
    },
  );
});
