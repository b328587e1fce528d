import type { WatchedCall } from "../call/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { Fact, FactOf, Party, TransferFact } from "../timeline/index.ts";
import { endedEarly, isEnd } from "./watch.ts";

/** How a transfer may be expected to end. */
export interface ExpectedOutcome {
  readonly result: "completed" | "failed" | "refused";
  /** Of the new call, or of the refusal; default: any. */
  readonly statusCode?: number;
  readonly limitMs: number;
}

const FINAL_EVENTS: ReadonlySet<TransferFact["event"]> = new Set([
  "completed",
  "failed",
  "refused",
  "timedOut",
  "unreported",
]);

/** How long one end may know of a message before the other has told us of it. */
const CHANNEL_MS = 1000;
/** A BYE that a failed transfer brings about would come at once. */
const GOES_ON_MS = 500;

/**
 * The given side asks the other by REFER to call this target, within `limitMs` of now (or has done).
 * @throws ExpectationError ERR_NOT_TRANSFERRED, ERR_TRANSFER_TARGET_DIFFERS.
 */
export async function expectTransfer(
  call: WatchedCall,
  {
    party,
    target,
    limitMs,
  }: { readonly party: Party; readonly target: string; readonly limitMs: number },
): Promise<string> {
  const isAsked = (fact: Fact): boolean =>
    fact.kind === "transfer" && fact.event === "requested" && askedBy(fact) === party;
  const isWanted = (fact: Fact): boolean =>
    isAsked(fact) && isSameAddress((fact as TransferFact).target ?? "", target);
  const found = await call.waitFor(isWanted, limitMs);
  if (found !== undefined) return `REFER to ${target}`;
  const others = transfersOf(call).filter(isAsked);
  const context = { party, target, limitMs };
  if (others.length === 0) {
    throw new ExpectationError(
      "ERR_NOT_TRANSFERRED",
      `Expected the ${party} to transfer the call within ${formatMs(limitMs)}, but it sent no REFER.`,
      { context },
    );
  }
  throw new ExpectationError(
    "ERR_TRANSFER_TARGET_DIFFERS",
    `The ${party} transferred the call, but to another target than expected. The REFER in the trace has it.`,
    { context: { ...context, observed: others.map((fact) => fact.target) } },
  );
}

/**
 * What became of the latest transfer of this call, within `limitMs` of now: as the side that asked
 * was told, or where that is not ours, as the other told it.
 * @throws ExpectationError ERR_TRANSFER_UNDECIDED, ERR_TRANSFER_OUTCOME_DIFFERS.
 */
export async function expectTransferOutcome(
  call: WatchedCall,
  expected: ExpectedOutcome,
): Promise<string> {
  const { result, statusCode, limitMs } = expected;
  const observed = await outcomeOf(call, limitMs);
  const context = { ...expected, observed };
  if (observed === undefined) {
    throw new ExpectationError(
      "ERR_TRANSFER_UNDECIDED",
      `It was not known within ${formatMs(limitMs)} what came of the transfer; last seen: ${lastStep(call)}.`,
      { context },
    );
  }
  if (observed.event === result && (statusCode ?? observed.statusCode) === observed.statusCode) {
    return `the transfer ${describe(observed)}`;
  }
  const wanted = `${result}${statusCode === undefined ? "" : ` with ${statusCode}`}`;
  throw new ExpectationError(
    "ERR_TRANSFER_OUTCOME_DIFFERS",
    `Expected the transfer to be ${wanted}, but it ${describe(observed)}.`,
    { context },
  );
}

/**
 * The statuses of the new call that the transferring side was told in NOTIFYs, in order and
 * complete, up to a final one within `limitMs` of now.
 * @throws ExpectationError ERR_TRANSFER_PROGRESS_DIFFERS.
 */
export async function expectTransferProgress(
  call: WatchedCall,
  statusCodes: readonly number[],
  limitMs: number,
): Promise<string> {
  const first = await call.waitFor(tellsTheEnd, limitMs);
  // Both ends see each NOTIFY, and tell of it over different channels: whoever asked is believed.
  const asking = transfersOf(call).find(({ role }) => role === "transferor");
  const party = asking?.party ?? first?.party ?? transfersOf(call)[0]?.party;
  if (first !== undefined) {
    await call.waitFor((fact) => fact.party === party && tellsTheEnd(fact), CHANNEL_MS);
  }
  const told = call.timeline.facts.filter((fact) => fact.party === party).flatMap(toldListIn);
  const observed = told.join(", ");
  if (observed === statusCodes.join(", ")) return `told: ${observed}`;
  throw new ExpectationError(
    "ERR_TRANSFER_PROGRESS_DIFFERS",
    `Expected that the transferring side is told ${statusCodes.join(", ")} in NOTIFYs; it was told ${observed === "" ? "nothing" : observed}.`,
    { context: { statusCodes, observed: told, limitMs } },
  );
}

/**
 * The call that came of a transfer of `call`: which of `calls` it is, once it is known.
 * @throws ExpectationError ERR_NOT_TRANSFERRED.
 */
export async function expectTransferredCall(
  call: WatchedCall,
  calls: readonly WatchedCall[],
  limitMs: number,
): Promise<WatchedCall> {
  // Where the transferee is not ours, only the end that it called knows.
  const last = (): WatchedCall | undefined =>
    calls.findLast(({ purpose }) => purpose === "transferred");
  const fact = await call.waitFor((each) => placedCallId(each) !== undefined, last() ? 0 : limitMs);
  const latest = call.timeline.facts.findLast((each) => placedCallId(each) !== undefined) ?? fact;
  const callId = latest === undefined ? undefined : placedCallId(latest);
  const found = calls.find((each) => each.callId === callId) ?? last();
  if (found !== undefined) return found;
  throw new ExpectationError(
    "ERR_NOT_TRANSFERRED",
    `No call came of a transfer within ${formatMs(limitMs)}; last seen: ${lastStep(call)}.`,
    { context: { limitMs } },
  );
}

/**
 * This call, which came of a transfer, is up, audio arrives in it, and the other side is this one.
 * @throws ExpectationError ERR_NOT_ANSWERED, ERR_TRANSFER_TARGET_DIFFERS, ERR_NOTHING_HEARD;
 *   RemoteError ERR_CALL_ENDED_EARLY.
 */
export async function expectTalk(
  call: WatchedCall,
  target: string,
  limitMs: number,
): Promise<string> {
  const seen = await call.waitFor(isHeardOrOver, limitMs);
  if (call.timeline.facts.some(isEnd)) throw await endedEarly(call, `the talk with ${target}`);
  if (seen === undefined) throw silentOrRinging(call, limitMs);
  const { remote, local, direction } = call.describe();
  if (isSameAddress(direction === "outbound" ? remote : local, target))
    return `talks with ${target}`;
  throw new ExpectationError(
    "ERR_TRANSFER_TARGET_DIFFERS",
    "The transferred call is up, but with somebody else than expected. Its folder says with whom.",
    { context: { target, remote, local } },
  );
}

/**
 * The call is up, and still so half a second later.
 * @throws RemoteError ERR_CALL_ENDED_EARLY.
 */
export async function expectGoesOn(call: WatchedCall): Promise<string> {
  const end = await call.waitFor(isEnd, GOES_ON_MS);
  if (end === undefined) return "the call is still up";
  throw await endedEarly(call, "it was to go on");
}

/** Of the call that a transferee of ours placed. */
function placedCallId(fact: Fact): string | undefined {
  return fact.kind === "transfer" && fact.role === "transferee" ? fact.otherCallId : undefined;
}

function isHeardOrOver(fact: Fact): boolean {
  const isFirst = fact.kind === "rtpFlow" && fact.direction === "received";
  return isEnd(fact) || (isFirst && fact.event === "first");
}

function silentOrRinging(call: WatchedCall, limitMs: number): ExpectationError {
  const isAnswered = call.timeline.of("callPhase").some(({ phase }) => phase === "answered");
  return isAnswered
    ? new ExpectationError(
        "ERR_NOTHING_HEARD",
        `The transferred call was answered, but no audio came within ${formatMs(limitMs)}.`,
        { context: { limitMs } },
      )
    : new ExpectationError(
        "ERR_NOT_ANSWERED",
        `The transferred call was not answered within ${formatMs(limitMs)}.`,
        { context: { limitMs } },
      );
}

function transfersOf(call: WatchedCall): readonly TransferFact[] {
  return call.timeline.of("transfer").filter(({ role }) => role !== "target");
}

function askedBy({ role, party }: TransferFact): Party | undefined {
  if (role === "target") return undefined;
  const other = party === "caller" ? "bot" : "caller";
  return role === "transferor" ? party : other;
}

async function outcomeOf(call: WatchedCall, limitMs: number): Promise<TransferFact | undefined> {
  const asked = transfersOf(call).findLast(({ event }) => event === "requested");
  const isFinal = (fact: Fact): boolean =>
    fact.kind === "transfer" &&
    FINAL_EVENTS.has(fact.event) &&
    (asked === undefined || fact.at >= asked.at);
  // Whoever asked has the last word, where it is ours.
  const isOurs = transfersOf(call).some(({ role }) => role === "transferor");
  const decides = (fact: Fact): boolean =>
    isFinal(fact) && (!isOurs || (fact as TransferFact).role === "transferor");
  return (await call.waitFor(decides, limitMs)) as FactOf<"transfer"> | undefined;
}

function describe({ event, statusCode, reasonPhrase = "" }: TransferFact): string {
  const status = statusCode === undefined ? "" : ` (${`${statusCode} ${reasonPhrase}`.trim()})`;
  const words: Partial<Record<TransferFact["event"], string>> = {
    completed: "succeeded",
    refused: "was refused",
    timedOut: "was not reported on in time",
    unreported: "went ahead, but nobody said how it ended",
  };
  return `${words[event] ?? event}${status}`;
}

function lastStep(call: WatchedCall): string {
  const last = transfersOf(call).at(-1);
  return last === undefined ? "no REFER at all" : describe(last);
}

/** The status that a NOTIFY about a transfer tells (RFC 3515 §2.4.5). */
function toldIn(fact: Fact): number | undefined {
  if (fact.kind !== "sipMessage" || fact.method !== "NOTIFY") return undefined;
  if (fact.statusCode !== undefined || fact.retransmission === true) return undefined;
  const status = /\r?\n\r?\nSIP\/2\.0 ([1-6]\d\d)/u.exec(fact.text)?.[1];
  return status === undefined ? undefined : Number(status);
}

function tellsTheEnd(fact: Fact): boolean {
  return (toldIn(fact) ?? 0) >= 200;
}

function toldListIn(fact: Fact): number[] {
  const status = toldIn(fact);
  return status === undefined ? [] : [status];
}

/** Whether two SIP URIs mean the same telephone; parameters and headers do not count. */
function isSameAddress(left: string, right: string): boolean {
  const [one, other] = [addressOf(left), addressOf(right)];
  return one !== undefined && one === other;
}

function addressOf(uri: string): string | undefined {
  const [, user = "", host = "", port = "5060"] =
    /^<?sips?:(?:([^@]*)@)?(\[[^\]]+\]|[^:;?>\s]+)(?::(\d+))?/iu.exec(uri) ?? [];
  return host === "" ? undefined : `${user}@${host.toLowerCase()}:${port}`;
}
