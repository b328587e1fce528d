import type { Instant } from "../../environment/index.ts";
import type { Fact, FactOf, Party, SipMessageFact } from "../../timeline/index.ts";
import { beginOf, matchMessages, type SeenMessage } from "./match-messages.ts";
import { type LadderNote, notesOf } from "./notes.ts";
import { type Participant, Participants } from "./participants.ts";

/** A message between two participants. */
export interface LadderMessage {
  readonly kind: "message";
  readonly at: Instant;
  /** Places in `Ladder.participants`. */
  readonly from: number;
  readonly to: number;
  /** As it left; where only its arrival was seen, as it arrived. */
  readonly fact: SipMessageFact;
  /** Where both ends are ours and it came. */
  readonly arrivedAt?: Instant;
  /** It left one end of ours and never came to the other. */
  readonly isLost: boolean;
}

/** A stretch of time in which a participant had media. */
export interface LadderMedia {
  readonly place: number;
  readonly from: Instant;
  readonly to: Instant;
}

/** One row of a ladder. */
export type LadderRow = LadderMessage | LadderNote;

/** The signalling of one call: what a ladder shows, before anybody draws it. */
export interface Ladder {
  readonly participants: readonly Participant[];
  /** In the order in which they began. */
  readonly rows: readonly LadderRow[];
  readonly media: readonly LadderMedia[];
}

/** Makes the ladder of a call from its timeline; `undefined` where no SIP message crossed. */
export function ladderOf(facts: readonly Fact[]): Ladder | undefined {
  const seen = matchMessages(facts);
  if (seen.length === 0) return undefined;
  const participants = new Participants(facts, seen);
  const messages = seen.map((each) => messageOf(each, facts, participants));
  const notes = notesOf(facts, (party) => participants.ofParty(party));
  return {
    participants: participants.all,
    rows: [...messages, ...notes].toSorted((a, b) => a.at - b.at),
    media: mediaOf(facts, participants),
  };
}

function messageOf(
  seen: SeenMessage,
  facts: readonly Fact[],
  participants: Participants,
): LadderMessage {
  const { sent, received } = seen;
  const fact = (sent ?? received) as SipMessageFact;
  const { from, to } = participants.endsOf(seen);
  const hasBoth = sent !== undefined && received !== undefined;
  return {
    kind: "message",
    at: beginOf(seen),
    from,
    to,
    fact,
    ...(hasBoth ? { arrivedAt: received.at } : {}),
    isLost: received === undefined && isMissed(fact, participants.all[to]?.role, facts),
  };
}

/** Sent to an end of ours, which recorded later things, but not this. */
function isMissed(
  { at }: SipMessageFact,
  role: Participant["role"] | undefined,
  facts: readonly Fact[],
): boolean {
  return facts.some((fact) => fact.party === role && fact.kind === "sipMessage" && fact.at > at);
}

function mediaOf(facts: readonly Fact[], participants: Participants): LadderMedia[] {
  const parties: readonly Party[] = ["caller", "bot"];
  return parties.flatMap((party) => {
    const own = facts.filter((fact) => fact.party === party);
    const begin = own.find(({ kind }) => kind === "mediaStarted");
    const place = participants.ofParty(party);
    if (begin === undefined || place === -1) return [];
    const end = own.find(isEnd) ?? (facts.at(-1) as Fact);
    return [{ place, from: begin.at, to: end.at }];
  });
}

function isEnd(fact: Fact): fact is FactOf<"callPhase"> {
  return fact.kind === "callPhase" && fact.phase === "ended";
}
