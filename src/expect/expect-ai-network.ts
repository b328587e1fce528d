import type { WatchedCall } from "../call/index.ts";
import { ExpectationError, UsageError } from "../environment/index.ts";
import { type AiStallFigures, carrierWords, formatMs, measureAiPath } from "../measure/index.ts";
import { requireParty, settle } from "./watch.ts";

/** How long a call that is being hung up may take to state its counts. */
const END_LIMIT_MS = 5000;

type PathStalls = AiStallFigures & { readonly carrier: string };

/** To the AI is sent, from it received: as its bridge sees it. */
interface AiDirection {
  readonly direction: "sent" | "received";
}

/**
 * The network between our bot and its AI held nothing up for longer than this so far.
 * @throws ExpectationError ERR_AI_HELD_UP; UsageError ERR_AI_PATH_MISSING, ERR_BOT_NOT_OURS.
 */
export async function expectAiHeldUpAtMost(
  call: WatchedCall,
  { direction, limitMs }: AiDirection & { readonly limitMs: number },
): Promise<string> {
  const stalls = await stallsOf(call, direction);
  return heldUp(stalls, {
    direction,
    limitMs,
    what: "at once",
    observedMs: stalls.longestMs,
  });
}

/**
 * All that it held up so far took no longer than this together.
 * @throws as `expectAiHeldUpAtMost`.
 */
export async function expectAiHeldUpInAllAtMost(
  call: WatchedCall,
  { direction, limitMs }: AiDirection & { readonly limitMs: number },
): Promise<string> {
  const stalls = await stallsOf(call, direction);
  return heldUp(stalls, { direction, limitMs, what: "in all", observedMs: stalls.totalMs });
}

/**
 * It held something up for at least so long, so that a scenario knows its fault.
 * @throws ExpectationError ERR_NETWORK_HARMLESS; UsageError as `expectAiHeldUpAtMost`.
 */
export async function expectAiHeldUp(
  call: WatchedCall,
  { direction, atLeastMs }: AiDirection & { readonly atLeastMs: number },
): Promise<string> {
  const stalls = await stallsOf(call, direction);
  const observed = `held up ${wayOf(direction)} the AI: ${wordsOf(stalls)}`;
  if (stalls.longestMs >= atLeastMs) return observed;
  throw new ExpectationError(
    "ERR_NETWORK_HARMLESS",
    `Expected at least ${formatMs(atLeastMs)}, but ${observed}.`,
    { context: { direction, atLeastMs, observedMs: stalls.longestMs } },
  );
}

/**
 * It lost at least this share of the packets. The call must be over.
 * @throws ExpectationError ERR_NETWORK_HARMLESS; UsageError ERR_CALL_STILL_UP, ERR_BOT_NOT_OURS.
 */
export async function expectAiNetworkLoss(
  call: WatchedCall,
  { direction, atLeastPercent }: AiDirection & { readonly atLeastPercent: number },
): Promise<string> {
  requireParty(call, "bot");
  if (!(await call.whenEnded(END_LIMIT_MS))) {
    throw new UsageError(
      "ERR_CALL_STILL_UP",
      "The packets to and from the AI are counted up to the end of a call, and this one is still up. Let one side hang up before this step.",
      { context: { callId: call.callId } },
    );
  }
  const path = measureAiPath(call.timeline.facts);
  const { offered = 0, lost = 0, overflowed = 0 } = path?.[direction].packets ?? {};
  const percent = offered === 0 ? 0 : (100 * (lost + overflowed)) / offered;
  const observed = `the network lost ${lost + overflowed} of ${offered} packets ${wayOf(direction)} the AI (${percent.toFixed(1)} %, ${path === undefined ? "no injured network" : carrierWords(path)})`;
  if (offered > 0 && percent >= atLeastPercent) return observed;
  throw new ExpectationError(
    "ERR_NETWORK_HARMLESS",
    `Expected at least ${atLeastPercent} %, but ${observed}.`,
    { context: { direction, atLeastPercent, offered, lost, overflowed } },
  );
}

function heldUp(
  stalls: PathStalls,
  figure: AiDirection & {
    readonly limitMs: number;
    readonly what: string;
    readonly observedMs: number;
  },
): string {
  const { direction, limitMs, what, observedMs } = figure;
  const text = `held up ${wayOf(direction)} the AI: expected ≤ ${formatMs(limitMs)} ${what}, found ${wordsOf(stalls)}`;
  if (observedMs <= limitMs) return text;
  throw new ExpectationError("ERR_AI_HELD_UP", `${text}.`, {
    context: { direction, limitMs, observedMs, count: stalls.count },
  });
}

async function stallsOf(
  call: WatchedCall,
  direction: AiDirection["direction"],
): Promise<PathStalls> {
  requireParty(call, "bot");
  await settle(call);
  const path = measureAiPath(call.timeline.facts);
  const stalls = path?.[direction].stalls;
  if (path !== undefined && stalls !== undefined) return { ...stalls, carrier: carrierWords(path) };
  if (path !== undefined) {
    throw new UsageError(
      "ERR_AI_STALLS_UNSEEN",
      "The AI was reached through nft or netem, which do not tell what they held up. Let the hub carry the packets (kernel TCP, without a backend), or ask for what the caller heard.",
      { context: { callId: call.callId } },
    );
  }
  throw new UsageError(
    "ERR_AI_PATH_MISSING",
    "Nothing was put between the bot and its AI in this call, so that nobody knows what was held up. Name the AI's network, or how it is reached, before the call.",
    { context: { callId: call.callId } },
  );
}

function wayOf(direction: AiDirection["direction"]): string {
  return direction === "sent" ? "to" : "from";
}

function wordsOf({ count, longestMs, totalMs, causes, carrier }: PathStalls): string {
  if (count === 0) return `nothing (${carrier})`;
  return `${count}, the longest ${formatMs(longestMs)}, ${formatMs(totalMs)} in all (${carrier}; ${causes.join(", ")})`;
}
