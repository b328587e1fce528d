import { elapsedMs } from "../environment/index.ts";
import type { Fact, Party } from "../timeline/index.ts";
import { SEGMENT_GAP_MS } from "./bot-turns.ts";
import type { CallMetrics } from "./call-metrics.ts";
import type { CallRecord, RecordedAudio } from "./call-record.ts";
import { formatMs } from "./evidence.ts";
import { factsOf } from "./facts-of.ts";
import { recordingMs, speechIn } from "./recording.ts";
import { overlapMs, type TimeSpan } from "./time-spans.ts";

/** Why the figures of a record mean nothing. */
export interface RecordConcern {
  readonly code: "ERR_TIMELINE_CLOCK" | "ERR_RECORDING_SWAPPED";
  readonly message: string;
}

/** Agents tell of their event loop once a second; so long a silence of a live call is a jump. */
const SILENCE_MS_MAX = 10_000;
/** A recording and the clock may differ by this, and by so much of the call's length. */
const RECORDING_MS_MAX = 1500;
const RECORDING_SHARE_MAX = 0.02;
/** The other channel must hold this much more of what the caller said. */
const SWAPPED_RATIO = 2;

/** What makes a written record unfit to be measured: its clock jumped, or its channels are swapped. */
export function recordConcern(record: CallRecord, metrics: CallMetrics): RecordConcern | undefined {
  return clockJump(record) ?? swappedSides(record, metrics);
}

function clockJump(record: CallRecord): RecordConcern | undefined {
  const jump = silentClock(record.facts) ?? recordingOffClock(record);
  if (jump === undefined) return undefined;
  return {
    code: "ERR_TIMELINE_CLOCK",
    message: `the clock of its timeline jumped: ${jump}. Was the machine suspended, or the file edited? Figures across the jump would be wrong.`,
  };
}

/** A gap between the facts that come every second while a call is up. */
function silentClock(facts: readonly Fact[]): string | undefined {
  for (const party of ["caller", "bot"] as const) {
    const beats = factsOf(facts, "instrument", party);
    for (const [index, beat] of beats.entries()) {
      const before = beats[index - 1];
      if (before === undefined) continue;
      const gapMs = elapsedMs(before.at, beat.at);
      if (gapMs > SILENCE_MS_MAX && beat.eventLoopLagMsMax < gapMs / 2) {
        return `the ${party} recorded nothing for ${formatMs(gapMs)} during the call`;
      }
    }
  }
  return undefined;
}

/** Audio has a clock of its own: its length must be the time from its start to the call's end. */
function recordingOffClock({ facts, audio, botAudio }: CallRecord): string | undefined {
  return offClock(facts, "caller", audio) ?? offClock(facts, "bot", botAudio);
}

function offClock(
  facts: readonly Fact[],
  party: Party,
  audio: RecordedAudio | undefined,
): string | undefined {
  const ended = factsOf(facts, "callPhase", party).find(({ phase }) => phase === "ended");
  if (audio === undefined || ended === undefined) return undefined;
  const clockMs = elapsedMs(audio.startedAt, ended.at);
  const audioMs = recordingMs(audio);
  const allowedMs = RECORDING_MS_MAX + RECORDING_SHARE_MAX * clockMs;
  if (Math.abs(clockMs - audioMs) <= allowedMs) return undefined;
  return `by the ${party}'s timeline the recording lasted ${formatMs(clockMs)}, and it holds ${formatMs(audioMs)}`;
}

/** Whether what the caller said by the script is heard in the channel of the bot instead. */
function swappedSides({ audio }: CallRecord, metrics: CallMetrics): RecordConcern | undefined {
  const script = metrics.callerTurns
    .filter(({ source }) => source === "script")
    .map(({ onsetAt, offsetAt }) => ({ startAt: onsetAt, endAt: offsetAt }));
  if (audio === undefined || script.length === 0) return undefined;
  const own = covered(script, speechIn(audio, "left", SEGMENT_GAP_MS));
  const other = covered(script, speechIn(audio, "right", SEGMENT_GAP_MS));
  const scriptMs = script.reduce((sum, { startAt, endAt }) => sum + elapsedMs(startAt, endAt), 0);
  if (other < scriptMs / 2 || other < SWAPPED_RATIO * own) return undefined;
  return {
    code: "ERR_RECORDING_SWAPPED",
    message: `the channels of audio.wav are swapped: of ${formatMs(scriptMs)} that the caller said by the script, ${formatMs(other)} are in the right channel and ${formatMs(own)} in the left, where the caller belongs. Swap them: sox audio.wav swapped.wav remix 2 1`,
  };
}

function covered(script: readonly TimeSpan[], heard: readonly TimeSpan[]): number {
  let sum = 0;
  for (const own of script) for (const other of heard) sum += overlapMs(own, other);
  return sum;
}
