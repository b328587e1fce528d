import { type KnownSpeech, locateSpeech, resample, trackDelay } from "../audio/index.ts";
import { type LineInjuries, overInjuredLine } from "./injured-line.ts";

/** A line over which delays are measured, and what must be reached on it. */
export interface DelayRow {
  readonly name: string;
  readonly line: Omit<LineInjuries, "seed">;
}

/** The goal: 95 % of errors below this, at 10 dB of SNR and 10 % of loss. */
export const DELAY_GOAL_P95_MS = 1;
/** What is reached. Opus' own filters delay speech 0.05 ms less than its nominal lookahead. */
export const DELAY_BOUND_P95_MS = 0.1;
/** Of what is stated as uncertainty, the share that must hold the truth. */
export const DELAY_BOUND_COVERED = 0.95;

const BAD = { snrDb: 10, loss: 0.1 } as const;

/** From a clean line to the worst that the goal speaks of, for every codec and rate. */
export const DELAY_ROWS: readonly DelayRow[] = [
  { name: "G.711 µ-law", line: { codec: "PCMU", sentHz: 8000, heardHz: 8000 } },
  {
    name: "G.711 µ-law, 10 dB, 10 % lost",
    line: { ...BAD, codec: "PCMU", sentHz: 8000, heardHz: 8000 },
  },
  {
    name: "G.711 A-law, pink 10 dB, 10 % lost, 40 ms jitter, 24 → 16 kHz",
    line: {
      ...BAD,
      codec: "PCMA",
      sentHz: 24_000,
      heardHz: 16_000,
      noise: "pink",
      jitterMs: 40,
    },
  },
  {
    name: "G.722, 10 dB, 10 % lost, 24 → 48 kHz",
    line: { ...BAD, codec: "G722", sentHz: 24_000, heardHz: 48_000 },
  },
  {
    name: "Opus, 10 dB, 10 % lost, 24 kHz",
    line: { ...BAD, codec: "opus", sentHz: 24_000, heardHz: 24_000 },
  },
  {
    name: "Opus, 25 dB quieter, 20 dB, 5 % lost, 48 → 8 kHz",
    line: { codec: "opus", sentHz: 48_000, heardHz: 8000, snrDb: 20, gainDb: -25, loss: 0.05 },
  },
];

/** How far off figures by correlation were. */
export interface CorrelationAccuracy {
  /** |found − true| in ms: of windows, or of edges. */
  readonly errorsMs: readonly number[];
  /** Windows that were not sure, or utterances that were not found. */
  readonly missed: number;
  /** The share of stated uncertainties that hold the truth. */
  readonly coveredRatio: number;
}

/** Sends all voices over the line and follows the delay, window by window. */
export function measureDelayRow(
  { line }: DelayRow,
  voices: readonly KnownSpeech[],
  seed: string,
): CorrelationAccuracy {
  const { samples } = inTurn(voices, line.sentHz);
  const call = overInjuredLine(samples, { ...line, seed });
  const { delays, unsureWindows } = trackDelay(call.sent, call.heard);
  return accuracyOf(
    delays.map(({ delayMs, uncertaintyMs }) => ({
      errorMs: Math.abs(delayMs - call.truthMs),
      uncertaintyMs,
    })),
    unsureWindows,
  );
}

/** Sends all voices over the line and locates each among the others. */
export function measureLocatedRow(
  { line }: DelayRow,
  voices: readonly KnownSpeech[],
  seed: string,
): CorrelationAccuracy {
  const { samples, startsMs } = inTurn(voices, line.sentHz);
  const { heard, sent, truthMs } = overInjuredLine(samples, { ...line, seed });
  let missed = 0;
  const edges = voices.flatMap((voice, index) => {
    const startMs = sent.startMs + (startsMs[index] as number) + truthMs;
    const found = locateSpeech(voice, heard);
    if (found === undefined) {
      missed += 1;
      return [];
    }
    const error = (atMs: number, edgeMs: number): number => Math.abs(atMs - startMs - edgeMs);
    return [
      { ...found.onset, errorMs: error(found.onset.atMs, voice.onsetMs) },
      { ...found.offset, errorMs: error(found.offset.atMs, voice.offsetMs) },
    ];
  });
  return accuracyOf(edges, missed);
}

/** Voices one after the other with pauses, and where each begins. */
export function inTurn(
  voices: readonly KnownSpeech[],
  sampleRateHz: number,
): { readonly samples: Int16Array; readonly startsMs: readonly number[] } {
  const parts = voices.map((voice) => resample(voice.samples, voice.sampleRateHz, sampleRateHz));
  const pause = Math.round(0.713 * sampleRateHz);
  const length = parts.reduce((sum, part) => sum + part.length + pause, pause);
  const samples = new Int16Array(length);
  const startsMs: number[] = [];
  let at = pause;
  for (const part of parts) {
    startsMs.push((at * 1000) / sampleRateHz);
    samples.set(part, at);
    at += part.length + pause;
  }
  return { samples, startsMs };
}

function accuracyOf(
  found: readonly { readonly errorMs: number; readonly uncertaintyMs: number }[],
  missed: number,
): CorrelationAccuracy {
  const covered = found.filter(({ errorMs, uncertaintyMs }) => errorMs <= uncertaintyMs);
  return {
    errorsMs: found.map(({ errorMs }) => errorMs),
    missed,
    coveredRatio: covered.length / Math.max(1, found.length),
  };
}
