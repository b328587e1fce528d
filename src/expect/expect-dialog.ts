import type { WatchedCall } from "../call/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { Fact, FactOf, Party } from "../timeline/index.ts";

/**
 * Media were agreed on before the answer.
 * @throws ExpectationError ERR_NO_EARLY_MEDIA.
 */
export async function expectEarlyMedia(call: WatchedCall, limitMs: number): Promise<string> {
  const isDecided = (fact: Fact): boolean =>
    isPhase(fact, "earlyMedia") || isPhase(fact, "answered") || isPhase(fact, "ended");
  const fact = await call.waitFor(isDecided, limitMs);
  if (fact !== undefined && isPhase(fact, "earlyMedia")) {
    return `early media with ${fact.statusCode ?? 183}`;
  }
  throw new ExpectationError(
    "ERR_NO_EARLY_MEDIA",
    "The caller got no session description before the answer, so no early media flowed. Look at the 18x responses in the trace.",
  );
}

/**
 * The caller followed a 3xx.
 * @throws ExpectationError ERR_NOT_REDIRECTED.
 */
export async function expectRedirected(call: WatchedCall, limitMs: number): Promise<string> {
  const isDecided = (fact: Fact): boolean =>
    isPhase(fact, "redirected") || isPhase(fact, "answered") || isPhase(fact, "ended");
  const fact = await call.waitFor(isDecided, limitMs);
  if (fact !== undefined && isPhase(fact, "redirected")) {
    return `redirected with ${fact.statusCode ?? 302}`;
  }
  throw new ExpectationError(
    "ERR_NOT_REDIRECTED",
    "The caller followed no redirection: no 3xx came, or it was not to be followed, or no Contact of it may be called.",
  );
}

/**
 * A session timer that was agreed on is refreshed by this side.
 * @throws ExpectationError ERR_SESSION_NOT_REFRESHED.
 */
export async function expectSessionRefresh(
  call: WatchedCall,
  party: Party,
  limitMs: number,
): Promise<string> {
  const seen: FactOf<"sessionTimer">[] = [];
  const refresh = await call.waitFor((fact) => {
    if (fact.kind !== "sessionTimer" || fact.party !== "caller") return false;
    if (!seen.includes(fact)) seen.push(fact);
    return seen.length > 1;
  }, limitMs);
  const [first] = seen;
  const refresher = first?.refresher === "local" ? "caller" : "bot";
  if (refresh !== undefined && refresher === party) {
    return `the ${party} refreshed the session of ${first?.intervalS ?? 0} s`;
  }
  const observed =
    first === undefined
      ? "no session timer was agreed on"
      : refresher === party
        ? "it did not within that time"
        : `the ${refresher} has to`;
  throw new ExpectationError(
    "ERR_SESSION_NOT_REFRESHED",
    `Expected the ${party} to refresh the session within ${formatMs(limitMs)}, but ${observed}.`,
    { context: { limitMs } },
  );
}

function isPhase(fact: Fact, phase: FactOf<"callPhase">["phase"]): fact is FactOf<"callPhase"> {
  return fact.kind === "callPhase" && fact.phase === phase && fact.party === "caller";
}
