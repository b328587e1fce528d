import type { Instant } from "../../environment/index.ts";
import type { DigitMethod, Fact, FactKind, FactOf, Party } from "../../timeline/index.ts";

/** Something that happened at one participant. */
export interface LadderNote {
  readonly kind: "note";
  readonly at: Instant;
  readonly place: number;
  readonly tone: "media" | "digit" | "fault" | "end";
  readonly text: string;
}

type Note = Pick<LadderNote, "tone" | "text">;

/** What of a call is noted beside its messages; what is not here is not. */
const NOTES: { readonly [Kind in FactKind]?: (fact: FactOf<Kind>) => Note | undefined } = {
  mediaStarted: ({ codec, ptimeMs, srtpSuite }) => ({
    tone: "media",
    text: `${srtpSuite === undefined ? "RTP" : `SRTP ${srtpSuite}`}: ${codec}, ${ptimeMs} ms`,
  }),
  mediaChanged: ({ codec, direction }) => ({ tone: "media", text: `RTP: ${codec}, ${direction}` }),
  networkChanged: ({ description, leg }) => ({
    tone: "fault",
    text: `${NETWORK_NAMES[leg ?? "media"]}: ${description}`,
  }),
  rtpFlow: ({ direction, event }) =>
    event === "first" ? undefined : { tone: "media", text: `RTP ${direction}: ${event}` },
  rtpSource: ({ from, isAccepted }) => ({
    tone: "media",
    text: `RTP from ${from}${isAccepted ? "" : ", not taken"}`,
  }),
  sipFault: ({ name, effect, startLine }) => ({
    tone: "fault",
    text: `on purpose: ${name} (${startLine.replace(/^SIP\/2\.0\s+/u, "").split(" ")[0]} ${effect})`,
  }),
  fault: ({ code }) => ({ tone: "fault", text: code }),
  callPhase: ({ phase, reason, endedBy }) =>
    phase === "ended"
      ? { tone: "end", text: `ended: ${reason ?? "?"}, ${ENDED_BY[endedBy ?? "network"]}` }
      : undefined,
};

const NETWORK_NAMES = { ai: "AI's network", signalling: "network of SIP", media: "network" };

const ENDED_BY = { local: "by this side", remote: "by the other side", network: "nobody asked" };

const DIGIT_WAYS: Readonly<Record<DigitMethod, string>> = {
  "telephone-event": "telephone events",
  "in-band": "tones",
  info: "INFO",
};

/** Media, keys, faults and ends of a call, each at the participant who recorded it. */
export function notesOf(facts: readonly Fact[], placeOf: (party: Party) => number): LadderNote[] {
  const notes: LadderNote[] = [];
  for (const [index, fact] of facts.entries()) {
    const place = placeOf(fact.party);
    if (place === -1) continue;
    const note = fact.kind === "digit" ? digitsNote(facts, index) : noteOf(fact);
    if (note !== undefined) notes.push({ kind: "note", at: fact.at, place, ...note });
  }
  return notes;
}

function noteOf(fact: Fact): Note | undefined {
  // The table pairs each kind with a function of that kind, which TypeScript cannot follow here.
  return (NOTES[fact.kind] as ((fact: Fact) => Note | undefined) | undefined)?.(fact);
}

/** Keys that follow each other are one note, at the first of them. */
function digitsNote(facts: readonly Fact[], index: number): Note | undefined {
  const first = facts[index] as FactOf<"digit">;
  // A key that crosses in INFO is a message of the ladder already.
  if (first.method === "info") return undefined;
  const isSame = (fact: Fact | undefined): fact is FactOf<"digit"> =>
    fact?.kind === "digit" &&
    fact.party === first.party &&
    fact.direction === first.direction &&
    fact.method === first.method;
  const before = facts.slice(0, index).findLast((fact) => isSame(fact) || isBorder(fact));
  if (isSame(before)) return undefined;
  const end = facts.findIndex((fact, each) => each > index && isBorder(fact));
  const run = facts.slice(index, end === -1 ? undefined : end).filter(isSame);
  const keys = run.map(({ digit }) => digit).join(" ");
  return {
    tone: "digit",
    text: `keys ${keys} ${first.direction}, ${DIGIT_WAYS[first.method]}`,
  };
}

/** What must not stand between the keys of one note. */
function isBorder({ kind }: Fact): boolean {
  return kind === "sipMessage" || kind === "callPhase";
}
