import { elapsedMs, type Instant } from "../../environment/index.ts";
import type { Fact, SipMessageFact } from "../../timeline/index.ts";

/** One message as far as it was seen: where it left, where it arrived, or both. */
export interface SeenMessage {
  readonly sent?: SipMessageFact;
  readonly received?: SipMessageFact;
}

/** On one host, the receiver may note an arrival before the sender's call to the socket returns. */
const CLOCK_SLACK_MS = 20;
/** Copies that left so close together are one burst: they arrive in their order. */
const BURST_MS = 50;

/**
 * Joins what one end of ours sent with what the other received: the same bytes. A message that was
 * sent again has several copies; an arrival belongs to the copies that left last before it, because
 * networks are faster than the timers by which messages are repeated.
 */
export function matchMessages(facts: readonly Fact[]): SeenMessage[] {
  const messages = facts.filter((fact): fact is SipMessageFact => fact.kind === "sipMessage");
  const open = new Map<string, SipMessageFact[]>();
  for (const fact of messages) {
    if (fact.direction !== "sent") continue;
    const copies = open.get(keyOf(fact)) ?? [];
    copies.push(fact);
    open.set(keyOf(fact), copies);
  }
  const arrivals = new Map<SipMessageFact, SipMessageFact>();
  const strays: SeenMessage[] = [];
  for (const received of messages) {
    if (received.direction !== "received") continue;
    const sent = takeCopy(open.get(keyOf(received, "other")) ?? [], received.at);
    if (sent === undefined) strays.push({ received });
    else arrivals.set(sent, received);
  }
  const departed = messages
    .filter(({ direction }) => direction === "sent")
    .map((sent): SeenMessage => {
      const received = arrivals.get(sent);
      return received === undefined ? { sent } : { sent, received };
    });
  return [...departed, ...strays];
}

/** Removes and returns the copy that arrived at `at`; the copies are in the order of their instants. */
function takeCopy(copies: SipMessageFact[], at: Instant): SipMessageFact | undefined {
  const newest = copies.findLastIndex((copy) => elapsedMs(copy.at, at) >= -CLOCK_SLACK_MS);
  if (newest === -1) return undefined;
  const newestAt = (copies[newest] as SipMessageFact).at;
  const first = copies.findIndex((copy) => elapsedMs(copy.at, newestAt) <= BURST_MS);
  return copies.splice(first, 1)[0];
}

/** The text, and who must have sent it. */
function keyOf({ party, text }: SipMessageFact, side: "own" | "other" = "own"): string {
  const isCaller = (party === "caller") === (side === "own");
  return `${isCaller ? "caller" : "bot"} ${text}`;
}

/** When it left, as far as that was seen: not after it arrived. */
export function beginOf({ sent, received }: SeenMessage): Instant {
  if (sent === undefined) return (received as SipMessageFact).at;
  return received !== undefined && received.at < sent.at ? received.at : sent.at;
}
