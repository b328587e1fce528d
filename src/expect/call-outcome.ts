import type { WatchedCall } from "../call/index.ts";
import type { FactOf } from "../timeline/index.ts";
import { describeEnd } from "./end.ts";
import { injectedText } from "./injected.ts";

/** When the caller's INVITE left. */
export function dialedAt(call: WatchedCall): FactOf<"callPhase"> | undefined {
  return call.timeline.of("callPhase").find(({ phase }) => phase === "dialed");
}

/** What the caller's attempt came to: answered, or ended without. */
export async function awaitOutcome(
  call: WatchedCall,
  limitMs: number,
): Promise<FactOf<"callPhase"> | undefined> {
  const fact = await call.waitFor(
    (each) =>
      each.party === "caller" &&
      each.kind === "callPhase" &&
      (each.phase === "ended" || each.phase === "answered"),
    limitMs,
    dialedAt(call)?.at,
  );
  return fact as FactOf<"callPhase"> | undefined;
}

/** "it was answered", "it ended: 486, rejected by the remote side", with the faults seen. */
export function describeOutcome(call: WatchedCall, fact: FactOf<"callPhase"> | undefined): string {
  if (fact === undefined) return `nothing final came (last seen: ${lastResponse(call)})`;
  if (fact.phase === "answered") return "it was answered";
  const faults = call.timeline.of("fault").map(({ code, message }) => ` ${code}: ${message}`);
  return `it ended: ${describeEnd(fact)}${faults.join("")}${injectedText(call)}`;
}

/** The first line of what the caller received last. */
export function lastResponse(call: WatchedCall): string {
  const last = call.timeline
    .of("sipMessage")
    .findLast(({ direction, party }) => direction === "received" && party === "caller");
  return last === undefined ? "no SIP message at all" : last.startLine;
}
