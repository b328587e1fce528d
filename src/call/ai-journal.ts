import { elapsedMs, type Instant } from "../environment/index.ts";
import { CALL_FILES, type Fact, type Party } from "../timeline/index.ts";

/** Audio as the wire tap writes it: its size, and where it stands in the caller's audio or a response. */
interface AudioNote {
  readonly bytes: number;
  readonly responseId?: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where the recording of the AI's side begins, and what stands in it where. */
interface Places {
  readonly party: Party;
  readonly recordingAt: Instant;
  /** Where the audio that the AI heard begins. */
  readonly heardAt: Instant | undefined;
  readonly played: ReadonlyMap<string, { readonly at: Instant; readonly playedMs: number }>;
}

/**
 * `ai.jsonl` as it is left: each event of the AI's with its instant, and in place of its audio where
 * that is found in the recording of its side. Where a response ran dry, what came after it stands later
 * by that pause.
 *
 * @param party whose AI it is: the bot's, or that of a tester (`ai-tester.jsonl`).
 */
export function aiJournal(lines: string, facts: readonly Fact[], party: Party): string {
  const places = placesIn(facts, party);
  if (places === undefined) return lines;
  return lines
    .split("\n")
    .map((line) => (line.includes('"fromMs":') ? located(line, places) : line))
    .join("\n");
}

function placesIn(facts: readonly Fact[], party: Party): Places | undefined {
  const own = facts.filter((fact) => fact.party === party);
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
  // A bot hears packets as they come; a tester what is played out, from the recording's first frame.
  const heardAt = party === "bot" ? heard?.at : recordingAt;
  return { party, recordingAt, heardAt, played };
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
    return { ...base, ...inRecording(places.party, "heard", [shiftMs + fromMs, shiftMs + toMs]) };
  }
  const response = places.played.get(responseId);
  if (response === undefined || response.playedMs <= fromMs) return { ...base, notPlayed: true };
  const endMs = Math.min(toMs, response.playedMs);
  const shiftMs = elapsedMs(places.recordingAt, response.at);
  return { ...base, ...inRecording(places.party, "said", [shiftMs + fromMs, shiftMs + endMs]) };
}

/** Left in either recording is the caller, right the bot. */
function inRecording(party: Party, what: "heard" | "said", range: readonly number[]): object {
  const channel = (party === "bot") === (what === "said") ? "right" : "left";
  const [fromMs, toMs] = range.map((ms) => Math.round(ms * 10) / 10);
  const recording = party === "bot" ? CALL_FILES.botAudio : CALL_FILES.audio;
  return { recording, channel, fromMs, toMs };
}
