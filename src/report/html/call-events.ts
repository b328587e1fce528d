import { elapsedMs, type Instant } from "../../environment/index.ts";
import type { Fact, FactKind, FactOf, Party } from "../../timeline/index.ts";
import { DIGIT_WORDS } from "./media-tables.ts";

/** An event of a call as a mark on its time axis. */
export interface ChartEvent {
  readonly atMs: number;
  readonly lane: "ai" | "tools" | "sip";
  readonly label: string;
  /** Who recorded it. */
  readonly party: Party;
}

/** The events of a call that a reader looks for, in order; ms from `zero`. */
export function eventsOf(facts: readonly Fact[], zero: Instant): ChartEvent[] {
  const sipSeenBy = partyOfSip(facts);
  return facts.flatMap((fact) => {
    if (fact.kind === "sipMessage" && fact.party !== sipSeenBy) return [];
    // The table pairs each kind with a function of that kind, which TypeScript cannot follow here.
    const markOf = MARKS[fact.kind] as ((fact: Fact) => Mark) | undefined;
    if (markOf === undefined) return [];
    return [{ atMs: elapsedMs(zero, fact.at), party: fact.party, ...markOf(fact) }];
  });
}

/** Both ends see the same SIP messages; only one end's are shown, the caller's if it is ours. */
function partyOfSip(facts: readonly Fact[]): Party {
  return facts.some(isSipOfCaller) ? "caller" : "bot";
}

function isSipOfCaller({ kind, party }: Fact): boolean {
  return kind === "sipMessage" && party === "caller";
}

type Mark = Pick<ChartEvent, "lane" | "label">;

/** How each kind of fact is shown; what is not here is not shown. */
const MARKS: { readonly [Kind in FactKind]?: (fact: FactOf<Kind>) => Mark } = {
  sipMessage: (fact) => ({ lane: "sip", label: sipLabel(fact) }),
  sipFault: ({ name, effect }) => ({ lane: "sip", label: `on purpose: ${name} ${effect}` }),
  digit: ({ digit, direction, method }) => ({
    lane: "tools",
    label: `digit ${digit} ${direction} (${DIGIT_WORDS[method]})`,
  }),
  rtcpReport: ({ report, roundTripMs }) => ({
    lane: "sip",
    label:
      roundTripMs === undefined
        ? `RTCP ${report}`
        : `RTCP ${report}, round trip ${roundTripMs.toFixed(1)} ms`,
  }),
  mediaChanged: ({ codec, direction }) => ({ lane: "sip", label: `media: ${codec}, ${direction}` }),
  networkChanged: ({ description, leg, transport }) =>
    leg === "ai"
      ? { lane: "ai", label: `network to the AI (${aiTransportWords(transport)}): ${description}` }
      : {
          lane: "sip",
          label: `${leg === "signalling" ? "network of SIP" : "network"}: ${description}`,
        },
  rtpSource: ({ from, isAccepted }) => ({
    lane: "sip",
    label: `RTP from ${from}${isAccepted ? "" : ", not taken"}`,
  }),
  toolCall: ({ name, event }) => ({ lane: "tools", label: `${name} ${event}` }),
  transfer: ({ role, event, statusCode }) => ({
    lane: "tools",
    label: `transfer ${event}${statusCode === undefined ? "" : ` ${statusCode}`} (${role})`,
  }),
  fault: ({ code }) => ({ lane: "tools", label: code }),
  aiSession: ({ event }) => ({ lane: "ai", label: `session ${event}` }),
  aiCallerSpeech: ({ event }) => ({ lane: "ai", label: `speech ${event}` }),
  aiResponse: ({ event, status }) => ({ lane: "ai", label: responseLabel(event, status) }),
  playout: ({ event }) => ({ lane: "ai", label: `playout ${event}` }),
  interruption: () => ({ lane: "ai", label: "interrupted" }),
};

const RESPONSE_LABELS = {
  created: "response created",
  firstAudio: "first audio",
  audioDone: "audio done",
  done: "response done",
} as const;

function responseLabel(event: keyof typeof RESPONSE_LABELS, status: string | undefined): string {
  return status === undefined ? RESPONSE_LABELS[event] : `${RESPONSE_LABELS[event]} (${status})`;
}

/** "INVITE", or "200 OK (INVITE)": the first line without addresses. */
function sipLabel(message: {
  readonly method: string;
  readonly startLine: string;
  readonly statusCode?: number;
}): string {
  if (message.statusCode === undefined) return message.method;
  const status = message.startLine.replace(/^SIP\/2\.0\s+/u, "");
  return `${status} (${message.method})`;
}

/** What carries the AI's leg, and what it stands for. */
function aiTransportWords(transport = "?"): string {
  return transport === "udp" ? "UDP, standing for WebRTC" : transport;
}
