import type { Random } from "../../environment/index.ts";
import type { Pacing, Range } from "../script/script.ts";
import type { Faults } from "./faults.ts";
import type { Reply } from "./repertoire.ts";

/**
 * One thing to send, `atMs` after the first audio of the response (negative: before it).
 * `part` counts the reply's parts; the protocol face turns steps into messages.
 */
export type PlannedStep = { readonly atMs: number } & (
  | { readonly kind: "speechBegin" | "speechEnd" | "toolBegin" | "toolEnd"; readonly part: number }
  | { readonly kind: "transcript"; readonly part: number; readonly text: string }
  | {
      readonly kind: "audio";
      readonly part: number;
      readonly fromMs: number;
      readonly toMs: number;
    }
  | { readonly kind: "finish" }
);

/** The words run ahead of the voice by this much. */
const TRANSCRIPT_LEAD_MS = 10;
/** Between two words. */
const WORD_INTERVAL_MS = 3;

/**
 * When which piece of a reply leaves: words first, then audio in bursts at several times real time,
 * with sizes and speed drawn from `random`. The first audio of a reply is at 0 to the millisecond.
 */
export function planPerformance(
  reply: Reply,
  pacing: Pacing,
  faults: Pick<Faults, "lateDoneMs">,
  random: Random,
): readonly PlannedStep[] {
  const steps: PlannedStep[] = [];
  const speed = drawn(pacing.speedFactor, random);
  let atMs = 0;
  let openSpeech: number | undefined;
  for (const [part, each] of reply.parts.entries()) {
    if (each.kind === "speech") {
      const { text, samples, sampleRateHz } = each.voice;
      const durationMs = (samples.length * 1000) / sampleRateHz;
      steps.push({ kind: "speechBegin", part, atMs: atMs - TRANSCRIPT_LEAD_MS });
      steps.push(...wordSteps(text, part, atMs - TRANSCRIPT_LEAD_MS));
      steps.push(...audioSteps({ part, durationMs, atMs, speed }, pacing, random));
      atMs = Math.max(...steps.map((step) => step.atMs));
      openSpeech = part;
    } else {
      const isBeforeSpeech = reply.parts.slice(part).some(({ kind }) => kind === "speech");
      const calledMs = isBeforeSpeech ? atMs - TRANSCRIPT_LEAD_MS : atMs;
      steps.push({ kind: "toolBegin", part, atMs: calledMs });
      // As recorded from gpt-realtime-2: a message ends after the first arguments of the call.
      if (openSpeech !== undefined) {
        steps.push({ kind: "speechEnd", part: openSpeech, atMs: calledMs });
      }
      openSpeech = undefined;
      steps.push({ kind: "toolEnd", part, atMs: calledMs });
    }
  }
  const endMs = atMs + (faults.lateDoneMs ?? 0);
  if (openSpeech !== undefined) steps.push({ kind: "speechEnd", part: openSpeech, atMs: endMs });
  steps.push({ kind: "finish", atMs: endMs });
  return steps.toSorted((left, right) => left.atMs - right.atMs);
}

function wordSteps(text: string, part: number, startMs: number): PlannedStep[] {
  const words = text.match(/\s*\S+/gu) ?? [];
  return words.map((word, index) => ({
    kind: "transcript",
    part,
    text: word,
    atMs: startMs + index * WORD_INTERVAL_MS,
  }));
}

function audioSteps(
  speech: { part: number; durationMs: number; atMs: number; speed: number },
  pacing: Pacing,
  random: Random,
): PlannedStep[] {
  const steps: PlannedStep[] = [];
  let { atMs } = speech;
  let fromMs = 0;
  while (fromMs < speech.durationMs) {
    const range = fromMs === 0 ? pacing.firstDeltaMs : pacing.deltaMs;
    const toMs = Math.min(speech.durationMs, fromMs + Math.round(drawn(range, random)));
    steps.push({ kind: "audio", part: speech.part, fromMs, toMs, atMs });
    atMs += (toMs - fromMs) / speech.speed;
    fromMs = toMs;
  }
  return steps;
}

function drawn([min, max]: Range, random: Random): number {
  return min + (max - min) * random();
}
