import type { WatchedCall } from "../call/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { Fact, FactOf, Party } from "../timeline/index.ts";
import { injectedText } from "./injected.ts";
import { endedEarly, isEnd } from "./watch.ts";

/** By what an INVITE is to go. */
export type WantedTransport = "UDP" | "TCP" | "TLS" | "WebSocket" | "IPv6";

/**
 * The INVITE that the caller sent last went so.
 * @throws ExpectationError ERR_TRANSPORT_DIFFERS; RemoteError ERR_CALL_ENDED_EARLY.
 */
export async function expectTransport(
  call: WatchedCall,
  wanted: WantedTransport,
  limitMs: number,
): Promise<string> {
  await call.waitFor((fact) => isInvite(fact) || isEnd(fact), limitMs);
  const invite = call.timeline.facts.findLast(isInvite);
  if (invite === undefined) throw await endedEarly(call, "its INVITE was sent");
  if (isLike(invite, wanted)) return `INVITE by ${invite.transport} from ${invite.local}`;
  const family = invite.remote.startsWith("[") ? "IPv6" : "IPv4";
  throw new ExpectationError(
    "ERR_TRANSPORT_DIFFERS",
    `Expected the INVITE to go by ${wanted}, but it went by ${invite.transport} over ${family}. The target's URI decides, then the caller's own choice.`,
    { context: { wanted, transport: invite.transport, family } },
  );
}

function isInvite(fact: Fact): fact is FactOf<"sipMessage"> {
  return (
    fact.kind === "sipMessage" &&
    fact.party === "caller" &&
    fact.direction === "sent" &&
    fact.method === "INVITE" &&
    fact.statusCode === undefined
  );
}

function isLike({ transport, remote }: FactOf<"sipMessage">, wanted: WantedTransport): boolean {
  if (wanted === "IPv6") return remote.startsWith("[");
  if (wanted === "WebSocket") return transport === "WS" || transport === "WSS";
  return transport === wanted;
}

/**
 * After its connection was broken, a side sends such a request by another one.
 * @param wanted.message a method.
 * @throws ExpectationError ERR_NOT_RECONNECTED.
 */
export async function expectReconnected(
  call: WatchedCall,
  wanted: { readonly party: Party; readonly message: string; readonly limitMs: number },
): Promise<string> {
  const { party, message, limitMs } = wanted;
  const broken = call.timeline.facts.findLast(
    (fact) => fact.kind === "sipFault" && fact.name === "dropped connection",
  );
  // Of a bot that is not ours, what the caller received.
  const isOurs = call.parties.includes(party);
  const viewer = isOurs ? party : party === "caller" ? "bot" : "caller";
  const isOwn = (fact: Fact): fact is FactOf<"sipMessage"> =>
    fact.kind === "sipMessage" && fact.party === viewer;
  const isSuch = (fact: Fact): fact is FactOf<"sipMessage"> =>
    isOwn(fact) &&
    fact.direction === (isOurs ? "sent" : "received") &&
    fact.method === message &&
    fact.statusCode === undefined &&
    broken !== undefined &&
    fact.at >= broken.at;
  const before = call.timeline.facts.findLast(
    (fact): fact is FactOf<"sipMessage"> =>
      isOwn(fact) && broken !== undefined && fact.at < broken.at,
  );
  // Where the other side broke it, one may have gone into the old connection, and goes again.
  const isNew = (fact: Fact): fact is FactOf<"sipMessage"> =>
    isSuch(fact) && (before?.local !== fact.local || before.remote !== fact.remote);
  await call.waitFor(isNew, limitMs);
  const request = call.timeline.facts.find(isNew);
  if (request !== undefined) {
    return `${message} by a new connection, ${request.local} to ${request.remote}`;
  }
  const observed =
    broken === undefined
      ? "no connection was broken"
      : call.timeline.facts.some(isSuch)
        ? "it went by the same addresses"
        : "there was none";
  throw new ExpectationError(
    "ERR_NOT_RECONNECTED",
    `Expected the ${party} to send ${message} by a new connection within ${formatMs(limitMs)}, but ${observed}.${injectedText(call)}`,
    { context: { ...wanted } },
  );
}
