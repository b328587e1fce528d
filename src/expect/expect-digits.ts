import type { WatchedCall } from "../call/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { DigitMethod, FactOf, Party } from "../timeline/index.ts";
import { requireParty, settle } from "./watch.ts";

/** How digits are expected to arrive. */
export interface ExpectedDigits {
  /**
   * Default: as telephone events. Only this method is compared: a phone may send tones along with
   * its events, and each key would count twice.
   */
  readonly method?: DigitMethod;
  /** At whose end; default the caller's. */
  readonly party?: Party;
  /** What each key must last at least. */
  readonly minDurationMs?: number;
}

const METHOD_WORDS: Readonly<Record<DigitMethod, string>> = {
  "telephone-event": "as telephone events",
  "in-band": "in-band",
  info: "by SIP INFO",
};

/**
 * Exactly these digits arrive within `limitMs` of now (or have arrived), in this order.
 * @throws ExpectationError ERR_DIGITS_DIFFER, ERR_DIGIT_TOO_SHORT; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectDigits(
  call: WatchedCall,
  digits: string,
  limitMs: number,
  expected: ExpectedDigits = {},
): Promise<string> {
  const { method = "telephone-event", party = "caller", minDurationMs = 0 } = expected;
  requireParty(call, party);
  const received = (): readonly FactOf<"digit">[] =>
    digitsOf(call, party).filter((fact) => fact.method === method);
  await call.waitFor(() => received().length >= digits.length, limitMs);
  // A digit too many is as wrong as one that is missing, so listen a little longer.
  if (!call.hasEnded) await settle(call);
  const found = received();
  if (textOf(found) !== digits) throw differ(call, { digits, limitMs, method, party });
  const shortest = found.toSorted((one, other) => one.durationMs - other.durationMs)[0];
  const how = `digits "${digits}" ${METHOD_WORDS[method]} at the ${party}`;
  if (shortest === undefined) return how;
  if (shortest.durationMs < minDurationMs) {
    throw new ExpectationError(
      "ERR_DIGIT_TOO_SHORT",
      `Expected each of the ${how} to last ≥ ${formatMs(minDurationMs)}; "${shortest.digit}" lasted ${formatMs(shortest.durationMs)}.`,
      { context: { digits, method, party, minDurationMs, observedMs: shortest.durationMs } },
    );
  }
  return `${how}, the shortest ${formatMs(shortest.durationMs)}`;
}

function digitsOf(call: WatchedCall, party: Party): readonly FactOf<"digit">[] {
  return call.timeline
    .of("digit")
    .filter((fact) => fact.direction === "received" && fact.party === party);
}

/** Says what came in other ways, too: often that is the answer. */
function differ(
  call: WatchedCall,
  wanted: {
    readonly digits: string;
    readonly limitMs: number;
    readonly method: DigitMethod;
    readonly party: Party;
  },
): ExpectationError {
  const { digits, limitMs, method, party } = wanted;
  const all = digitsOf(call, party);
  const by = (each: DigitMethod): string => textOf(all.filter((fact) => fact.method === each));
  const others = (["telephone-event", "in-band", "info"] as const)
    .filter((each) => each !== method && by(each) !== "")
    .map((each) => `"${by(each)}" ${METHOD_WORDS[each]}`);
  const beside = others.length === 0 ? "" : ` (and ${others.join(", ")})`;
  return new ExpectationError(
    "ERR_DIGITS_DIFFER",
    `Expected the ${party} to receive the digits "${digits}" ${METHOD_WORDS[method]} within ${formatMs(limitMs)}, received "${by(method)}"${beside}.`,
    { context: { digits, method, party, received: by(method), limitMs } },
  );
}

function textOf(facts: readonly FactOf<"digit">[]): string {
  return facts.map(({ digit }) => digit).join("");
}
