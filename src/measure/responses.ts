import type { Instant } from "../environment/index.ts";
import type { AiResponseFact, Fact, PlayoutFact } from "../timeline/index.ts";
import { factsOf } from "./facts-of.ts";

/** What became of one response of the AI, on the bridge's side. */
export interface ResponseTrack {
  readonly responseId: string;
  createdAt?: Instant;
  firstAudioAt?: Instant;
  playoutStartedAt?: Instant;
  /** The last frame left, the response being complete. */
  playoutEndedAt?: Instant;
  /** What was queued was thrown away. */
  flushedAt?: Instant;
  /** The AI was told, or told us, that this response was cut off. */
  interruptedAt?: Instant;
  status?: string;
}

/** The bot's responses by their facts, in the order in which their playout started. */
export function responsesOf(facts: readonly Fact[]): ResponseTrack[] {
  const tracks = new Map<string, ResponseTrack>();
  const trackOf = (responseId: string): ResponseTrack => {
    const known = tracks.get(responseId);
    if (known !== undefined) return known;
    const track: ResponseTrack = { responseId };
    tracks.set(responseId, track);
    return track;
  };
  for (const fact of factsOf(facts, "aiResponse", "bot")) noteResponse(trackOf, fact);
  for (const fact of factsOf(facts, "playout", "bot")) notePlayout(trackOf, fact);
  for (const fact of factsOf(facts, "interruption", "bot")) {
    trackOf(fact.responseId).interruptedAt ??= fact.at;
  }
  return [...tracks.values()].toSorted((a, b) => orderOf(a) - orderOf(b));
}

/** When the bot's response was cut off, if it was: what may still be heard of it is stale. */
export function cutAt(track: ResponseTrack): Instant | undefined {
  return track.flushedAt ?? track.interruptedAt;
}

function noteResponse(trackOf: (id: string) => ResponseTrack, fact: AiResponseFact): void {
  const track = trackOf(fact.responseId);
  if (fact.event === "created") track.createdAt ??= fact.at;
  if (fact.event === "firstAudio") track.firstAudioAt ??= fact.at;
  if (fact.event === "done" && fact.status !== undefined) track.status = fact.status;
}

function notePlayout(trackOf: (id: string) => ResponseTrack, fact: PlayoutFact): void {
  const track = trackOf(fact.responseId);
  if (fact.event === "started") track.playoutStartedAt ??= fact.at;
  if (fact.event === "ended") track.playoutEndedAt = fact.at;
  if (fact.event === "flushed") track.flushedAt ??= fact.at;
}

function orderOf(track: ResponseTrack): number {
  return track.playoutStartedAt ?? Number.POSITIVE_INFINITY;
}
