import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { decodeWav, resample, tone } from "../audio/index.ts";
import { seededRandom } from "../environment/index.ts";
import { type Transmission, TransmissionSwitch } from "./transmission-switch.ts";

const VOICES = fileURLToPath(new URL("../../fixtures/voices/", import.meta.url));
const LEAD_MS = 3000;

interface Utterance {
  readonly samples: Int16Array;
  readonly onsetMs: number;
}

function utterances(sampleRateHz: number): Utterance[] {
  return ["bot", "caller"].flatMap((voice) => {
    const catalogue: { file: string; onsetMs: number }[] = JSON.parse(
      readFileSync(`${VOICES}${voice}/voices.json`, "utf8"),
    );
    return catalogue.map(({ file, onsetMs }) => {
      const wav = decodeWav(readFileSync(`${VOICES}${voice}/${file}`));
      const [samples] = wav.channels as [Int16Array];
      return { samples: resample(samples, wav.sampleRateHz, sampleRateHz), onsetMs };
    });
  });
}

/** Low-pass noise, as of a room, at −`level` dBov. */
function noise(length: number, level: number, seed = "room"): Int16Array {
  const random = seededRandom(seed);
  const gain = 32_768 * 10 ** (-level / 20) * Math.sqrt(3 * (1 - 0.7 ** 2));
  let state = 0;
  return Int16Array.from({ length }, () => {
    state = 0.7 * state + (2 * random() - 1);
    return Math.round(state * gain);
  });
}

function decisions(samples: Int16Array, sampleRateHz: number, frameMs = 20): Transmission[] {
  const transmission = new TransmissionSwitch({ sampleRateHz });
  const frame = (sampleRateHz * frameMs) / 1000;
  return Array.from({ length: Math.floor(samples.length / frame) }, (_, index) => {
    return transmission.handleFrame(samples.subarray(index * frame, (index + 1) * frame));
  });
}

describe.each([8000, 16_000])("TransmissionSwitch on speech at %i Hz", (sampleRateHz) => {
  // Front clipping in ms: what of an utterance goes by before the first frame that is sent. Below
  // the noise nobody misses it; so the loss is judged by energy.
  it.each([
    { what: "digital silence", level: undefined, clippedMs: 15, meanMs: 3, lostDb: -50 },
    { what: "noise of −65 dBov", level: 65, clippedMs: 15, meanMs: 3, lostDb: -48 },
    { what: "noise of −55 dBov", level: 55, clippedMs: 110, meanMs: 15, lostDb: -48 },
    { what: "noise of −45 dBov", level: 45, clippedMs: 110, meanMs: 30, lostDb: -40 },
  ])("hardly clips words out of $what", ({ level, clippedMs, meanMs, lostDb }) => {
    const frame = sampleRateHz / 50;
    const lead = (LEAD_MS * sampleRateHz) / 1000;
    const clips = utterances(sampleRateHz).map(({ samples, onsetMs }) => {
      const room = new Int16Array(lead + samples.length);
      if (level !== undefined) room.set(noise(room.length, level));
      const heard = room.map((sample, index) => sample + (samples[index - lead] ?? 0));
      const sent = decisions(heard, sampleRateHz);
      let energy = 0;
      let lost = 0;
      for (const [index, sample] of samples.entries()) {
        energy += sample * sample;
        const frameIndex = Math.floor((lead + index) / frame);
        if (sent[frameIndex] !== "speech") lost += sample * sample;
      }
      const onsetFrame = Math.floor((LEAD_MS + onsetMs) / 20);
      const firstMs = 20 * sent.indexOf("speech", onsetFrame);
      // Idle before, and so really switching.
      expect(sent.slice(25, 140)).not.toContain("speech");
      expect(firstMs).toBeGreaterThan(0);
      expect(10 * Math.log10(lost / energy + 1e-12)).toBeLessThan(lostDb);
      return Math.max(0, firstMs - LEAD_MS - onsetMs);
    });

    expect(Math.max(...clips)).toBeLessThanOrEqual(clippedMs);
    expect(clips.reduce((sum, clip) => sum + clip, 0) / clips.length).toBeLessThan(meanMs);
  });
});

describe("TransmissionSwitch", () => {
  const sampleRateHz = 8000;

  it("hangs over for 200 ms, then describes the background every 200 ms", () => {
    const samples = new Int16Array(8000 * 2);
    samples.set(tone({ frequencyHz: 500, durationMs: 500, sampleRateHz }));
    const sent = decisions(samples, sampleRateHz);

    expect(sent.slice(0, 35)).toEqual(Array.from({ length: 35 }, () => "speech"));
    expect(sent.slice(35, 46)).toEqual([
      "sid",
      ...Array.from({ length: 9 }, () => "nothing"),
      "sid",
    ]);
    expect(sent.slice(35).filter((decision) => decision === "sid")).toHaveLength(7);
    expect(sent.slice(35)).not.toContain("speech");
  });

  it("takes frames of 10 and 60 ms", () => {
    const samples = new Int16Array(8000 * 2);
    samples.set(tone({ frequencyHz: 500, durationMs: 480, sampleRateHz }));

    expect(decisions(samples, sampleRateHz, 10).indexOf("sid")).toBe(68);
    expect(decisions(samples, sampleRateHz, 60).indexOf("sid")).toBe(11);
  });

  it("gets used to louder noise within 6 s, and back to softer at once", () => {
    const second = 8000;
    const samples = new Int16Array(15 * second);
    samples.set(noise(5 * second, 60), 0);
    samples.set(noise(8 * second, 47, "louder"), 5 * second);
    samples.set(noise(2 * second, 60, "softer"), 13 * second);
    const sent = decisions(samples, sampleRateHz);
    const isSent = (fromS: number, toS: number) => {
      return sent.slice(fromS * 50, toS * 50).filter((decision) => decision === "speech").length;
    };

    expect(isSent(1, 5)).toBe(0);
    expect(isSent(5, 6)).toBe(50);
    expect(isSent(11, 15)).toBe(0);
  });

  it("goes on sending a steady loud tone: music and ringing are no background", () => {
    const sent = decisions(tone({ frequencyHz: 440, durationMs: 20_000, sampleRateHz }), 8000);

    expect(sent.every((decision) => decision === "speech")).toBe(true);
  });
});
