import { beforeAll, describe, expect, it } from "vitest";
import { CODECS, loadCodecs } from "../../../src/codec/index.ts";
import { instant, seededRandom } from "../../../src/environment/index.ts";
import { IngressPath } from "../../../src/media/ingress-path.ts";
import { PlayoutPath } from "../../../src/media/playout-path.ts";
import type { ReceivedFormat } from "../../../src/media/received-format.ts";
import { decodeRtp } from "../../../src/rtp/index.ts";
import { encodedFrames, rtpFlow, rtpPacket } from "./support/corpus.ts";
import { FUZZ_TIMEOUT_MS, FUZZ_TITLE, fuzz, mustHold } from "./support/fuzz.ts";

const SAMPLE_RATE_HZ = 24_000;
const FRAME_SAMPLES = SAMPLE_RATE_HZ / 50;
const FORMATS: ReadonlyMap<number, ReceivedFormat> = new Map<number, ReceivedFormat>([
  ...CODECS.map((codec): [number, ReceivedFormat] => [
    codec.preferredPayloadType,
    { kind: "audio", codec },
  ]),
  [13, { kind: "comfortNoise", clockRateHz: 8000 }],
  [101, { kind: "telephoneEvent", clockRateHz: 8000 }],
]);
/** After these, another stream begins. */
const INPUTS_PER_STREAM = 500;

const framesOf = new Map<number, readonly Uint8Array[]>();

/** A stream that changes its codec every 64 packets. */
function changingFlow(index: number): readonly Uint8Array[] {
  const codec = CODECS[(index >> 6) % CODECS.length];
  const frames = framesOf.get(codec?.preferredPayloadType ?? 0) ?? [];
  const frame = frames[index % frames.length];
  if (codec === undefined || frame === undefined) return rtpFlow(index);
  const audio = rtpPacket(frame, {
    payloadType: codec.preferredPayloadType,
    sequenceNumber: index,
    ticksPerPacket: codec.clockRateHz / 50,
  });
  return [audio, audio, audio, ...rtpFlow(index)];
}

function playoutPath(seed: number): PlayoutPath {
  return new PlayoutPath({
    formats: FORMATS,
    sampleRateHz: SAMPLE_RATE_HZ,
    random: seededRandom(seed),
  });
}

describe(`the paths of received audio, fuzzed ${FUZZ_TITLE}`, () => {
  beforeAll(async () => {
    await loadCodecs(CODECS.map((codec) => codec.id));
    for (const codec of CODECS) framesOf.set(codec.preferredPayloadType, encodedFrames(codec));
  });

  it(
    "the playout fills each frame and accounts for all that is heard",
    () => {
      let path = playoutPath(0);
      let frames = 0;
      let heardMs = 0;
      const output = new Int16Array(FRAME_SAMPLES);
      fuzz({
        name: "PlayoutPath",
        corpus: changingFlow,
        validShare: 0.8,
        share: 0.5,
        handle: (input, random, index) => {
          if (index % INPUTS_PER_STREAM === 0) {
            path.end(instant(index * 20));
            path.release();
            path = playoutPath(index);
            frames = 0;
          }
          const packet = decodeRtp(input);
          const arrivedAt = instant(index * 20 + random() * 15);
          if (packet.kind === "rtp") {
            if (packet.payloadType === 101) path.handleOtherPayload(packet, arrivedAt);
            else path.handlePacket(packet, arrivedAt);
          }
          path.takeFrame(output, instant(index * 20 + 15));
          frames += 1;
          const { skippedMs: _, ...heard } = path.heard;
          heardMs = Object.values(heard).reduce((sum, ms) => sum + ms, 0);
          mustHold(Math.abs(heardMs - frames * 20) < 1e-6, `heard ${JSON.stringify(heard)}`);
        },
      });
      path.release();

      expect(heardMs).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    "the ingress keeps to real time",
    () => {
      let samples = 0;
      const newPath = (index: number): IngressPath =>
        new IngressPath({
          formats: FORMATS,
          sampleRateHz: SAMPLE_RATE_HZ,
          random: seededRandom(index),
          onAudio: (audio) => {
            samples += audio.length;
          },
          onSilence: (count) => {
            mustHold(count > 0, "silence lasts");
            samples += count;
          },
        });
      let path = newPath(0);
      let startedAtMs = 0;
      fuzz({
        name: "IngressPath",
        corpus: changingFlow,
        validShare: 0.8,
        share: 0.5,
        handle: (input, random, index) => {
          const atMs = index * 20 + random() * 15;
          if (index % INPUTS_PER_STREAM === 0) {
            path.end(instant(atMs));
            path.release();
            path = newPath(index);
            path.start(instant(atMs));
            startedAtMs = atMs;
            samples = 0;
          }
          const packet = decodeRtp(input);
          if (packet.kind === "rtp") {
            if (packet.payloadType === 101) path.handleOtherPayload(packet, instant(atMs));
            else path.handlePacket(packet, instant(atMs));
          }
          path.handleTimeout(instant(atMs));
          const aheadMs = (samples * 1000) / SAMPLE_RATE_HZ - (atMs - startedAtMs);
          mustHold(Math.abs(aheadMs) < 400, `it is at real time, not ${aheadMs} ms ahead`);
        },
      });
      path.release();

      expect(samples).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );
});
