import { DelayFinder, type LocalDelay, WINDOW_MS } from "./delay-finder.ts";
import type { PlacedAudio } from "./narrow-reader.ts";

/** A clean recording of speech whose edges are known. A `Voice` is one. */
export interface KnownSpeech {
  readonly samples: Int16Array;
  readonly sampleRateHz: number;
  /** Where speech starts and ends, in ms from the first sample. */
  readonly onsetMs: number;
  readonly offsetMs: number;
}

/** An edge of speech, by where the clean recording has it and how much later it was heard. */
export interface LocatedEdge {
  /** On the clock of the recording that was searched. */
  readonly atMs: number;
  /** The edge lies within ± this in 95 % of cases. */
  readonly uncertaintyMs: number;
}

/** Where known speech was found. */
export interface LocatedSpeech {
  readonly onset: LocatedEdge;
  readonly offset: LocatedEdge;
  /** Of the window by which it was found: the peak over the root mean square; 8 and more count. */
  readonly confidence: number;
}

/** Windows at the edges reach so far beyond them. */
const MARGIN_MS = 100;

/**
 * Finds known speech in a recording between two instants (default: all of it) and says where its
 * edges lie, by correlation: noise, level and codec do not matter, and weak sounds at the edges,
 * which no detector hears in noise, are placed where they were spoken. Each edge has a delay of its
 * own, so that a jitter buffer may move in between. `undefined` where it is not there.
 */
export function locateSpeech(
  known: KnownSpeech,
  recording: PlacedAudio,
  range: { readonly fromMs?: number; readonly toMs?: number } = {},
): LocatedSpeech | undefined {
  const { samples, sampleRateHz, onsetMs, offsetMs } = known;
  const lengthMs = (recording.samples.length * 1000) / recording.sampleRateHz;
  const fromMs = range.fromMs ?? recording.startMs;
  const toMs = range.toMs ?? recording.startMs + lengthMs;
  const finder = new DelayFinder({ samples, sampleRateHz, startMs: 0 }, recording, {
    leastMs: fromMs - onsetMs,
    mostMs: Math.max(fromMs, toMs) - onsetMs,
  });
  const first = onsetMs - MARGIN_MS;
  const last = Math.max(first, offsetMs + MARGIN_MS - WINDOW_MS);
  const anchor = anchorOf(finder, first, last);
  if (anchor === undefined) return undefined;
  // What is near the anchor is tried first, so that both ends are those of the same utterance.
  const head = delayAt(finder, first) ?? anchor;
  finder.expect(anchor.delayMs);
  const tail = delayAt(finder, last) ?? anchor;
  return {
    onset: edgeAt(onsetMs, head, anchor),
    offset: edgeAt(offsetMs, tail, anchor),
    confidence: anchor.confidence,
  };
}

/** The first window from the middle outwards that is found anywhere. */
function anchorOf(finder: DelayFinder, first: number, last: number): LocalDelay | undefined {
  for (const share of [0.5, 0, 1]) {
    const found = delayAt(finder, first + share * (last - first));
    if (found !== undefined) return found;
  }
  return undefined;
}

function delayAt(finder: DelayFinder, fromMs: number): LocalDelay | undefined {
  const outcome = finder.at(fromMs);
  return typeof outcome === "string" ? undefined : outcome;
}

/** A delay that differs from the anchor's by more than a buffer moves is another utterance's. */
const SAME_MS = 500;

function edgeAt(edgeMs: number, own: LocalDelay, anchor: LocalDelay): LocatedEdge {
  const delay = Math.abs(own.delayMs - anchor.delayMs) <= SAME_MS ? own : anchor;
  return { atMs: edgeMs + delay.delayMs, uncertaintyMs: delay.uncertaintyMs };
}
