import type { WatchedCall } from "../call/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { Fact } from "../timeline/index.ts";
import { lastUtterance, requireParty } from "./watch.ts";

/**
 * What the bot says after the caller's last words is played to its end within `limitMs`: nothing,
 * the echo of its own voice least of all, is taken for the caller.
 * @throws ExpectationError ERR_FALSE_INTERRUPTION, ERR_NOT_PLAYED; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectUninterrupted(call: WatchedCall, limitMs: number): Promise<string> {
  requireParty(call, "bot");
  const since = lastUtterance(call)?.offsetAt;
  const isEnd = (fact: Fact): boolean =>
    fact.kind === "playout" &&
    (fact.event === "ended" || fact.event === "flushed") &&
    (since === undefined || fact.at >= since);
  const fact = await call.waitFor(isEnd, limitMs);
  if (fact?.kind !== "playout") {
    throw new ExpectationError(
      "ERR_NOT_PLAYED",
      `The bot had not finished its answer ${formatMs(limitMs)} after the step began.`,
      { context: { limitMs } },
    );
  }
  if (fact.event === "ended") return `played to its end: ${formatMs(fact.playedMs)}`;
  throw new ExpectationError(
    "ERR_FALSE_INTERRUPTION",
    `The bot was cut off ${formatMs(fact.playedMs)} into its answer although the caller said nothing; ${formatMs(fact.discardedMs ?? 0)} of it were thrown away.`,
    { context: { playedMs: fact.playedMs, discardedMs: fact.discardedMs, at: fact.at } },
  );
}

/**
 * A fault with this code stands on the call's timeline within `limitMs` of now.
 * @throws ExpectationError ERR_NO_SUCH_FAULT.
 */
export async function expectFault(
  call: WatchedCall,
  { code, limitMs }: { readonly code: string; readonly limitMs: number },
): Promise<string> {
  const isMeant = (fact: Fact): boolean => fact.kind === "fault" && fact.code === code;
  const fact = await call.waitFor(isMeant, limitMs);
  if (fact?.kind === "fault") return `${fact.code}: ${fact.message}`;
  const codes = call.timeline.of("fault").map((each) => each.code);
  throw new ExpectationError(
    "ERR_NO_SUCH_FAULT",
    `Expected the call to have the fault ${code} within ${formatMs(limitMs)}; it has ${codes.length === 0 ? "none" : codes.join(", ")}.`,
    { context: { expected: code, observed: codes } },
  );
}
