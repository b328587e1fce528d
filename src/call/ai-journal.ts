import { elapsedMs, type Instant } from "../environment/index.ts";
import { CALL_FILES, type Fact } from "../timeline/index.ts";

/** Audio as the wire tap writes it: its size, and where it stands in the caller's audio or a response. */
interface AudioNote {
  readonly bytes: number;
  readonly responseId?: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where the bot's recording begins, and what stands in it where. */
interface Places {
  readonly recordingAt: Instant;
  /** The first packet of the caller's at the bot. */
  readonly heardAt: Instant | undefined;
  readonly played: ReadonlyMap<string, { readonly at: Instant; readonly playedMs: number }>;
}

/**
 * `ai.jsonl` as it is left: each event of the AI's with its instant, and in place of its audio where
 * that is found in the bot's recording. Where a response ran dry, what came after it stands later
 * by that pause.
 */
export function aiJournal(lines: string, facts: readonly Fact[]): string {
  const places = placesIn(facts);
  if (places === undefined) return lines;
  return lines
    .split("\n")
    .map((line) => (line.includes('"fromMs":') ? located(line, places) : line))
    .join("\n");
}

function placesIn(facts: readonly Fact[]): Places | undefined {
  const own = facts.filter(({ party }) => party === "bot");
  const recordingAt = own.find(({ kind }) => kind === "recordingStarted")?.at;
  if (recordingAt === undefined) return undefined;
  const heard = own.find(
    (fact) => fact.kind === "rtpFlow" && fact.direction === "received" && fact.event === "first",
  );
  const played = new Map<string, { readonly at: Instant; readonly playedMs: number }>();
  for (const fact of own) {
    if (fact.kind !== "playout") continue;
    const at = played.get(fact.responseId)?.at ?? fact.at;
    played.set(fact.responseId, { at, playedMs: fact.playedMs });
  }
  return { recordingAt, heardAt: heard?.at, played };
}

function located(line: string, places: Places): string {
  return JSON.stringify(
    JSON.parse(line, (_name, value: unknown) => (isNote(value) ? placed(value, places) : value)),
  );
}

function isNote(value: unknown): value is AudioNote {
  const note = value as Partial<AudioNote> | null;
  return (
    typeof note === "object" && typeof note?.bytes === "number" && typeof note.fromMs === "number"
  );
}

function placed({ bytes, responseId, fromMs, toMs }: AudioNote, places: Places): object {
  const base = { bytes, ...(responseId === undefined ? {} : { responseId }) };
  if (responseId === undefined) {
    if (places.heardAt === undefined) return base;
    const shiftMs = elapsedMs(places.recordingAt, places.heardAt);
    return { ...base, ...inRecording("left", shiftMs + fromMs, shiftMs + toMs) };
  }
  const response = places.played.get(responseId);
  if (response === undefined || response.playedMs <= fromMs) return { ...base, notPlayed: true };
  const endMs = Math.min(toMs, response.playedMs);
  const shiftMs = elapsedMs(places.recordingAt, response.at);
  return { ...base, ...inRecording("right", shiftMs + fromMs, shiftMs + endMs) };
}

function inRecording(channel: "left" | "right", fromMs: number, toMs: number): object {
  const [start, end] = [fromMs, toMs].map((ms) => Math.round(ms * 10) / 10);
  return { recording: CALL_FILES.botAudio, channel, fromMs: start, toMs: end };
}
