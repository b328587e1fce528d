import type { WatchedCall } from "../call/index.ts";
import { EnvironmentError, ExpectationError, UsageError } from "../environment/index.ts";
import { formatMs, instrumentConcerns, quantile } from "../measure/index.ts";
import type { FactOf, Party } from "../timeline/index.ts";
import { expectWithin } from "./verdict-on-figure.ts";
import { endedEarly, isEnd, measureNow } from "./watch.ts";

/** How long a call that is being hung up may take to state its counts. */
const END_LIMIT_MS = 5000;
/** Two reports at the default interval (RFC 3550 §6.2), and then some. */
const REPORT_LIMIT_MS = 15_000;

/**
 * No end of ours missed more than this share of the packets that it expected. The call must be
 * over: counts are stated then.
 * @throws ExpectationError ERR_ABOVE_LIMIT, ERR_NOTHING_HEARD; UsageError ERR_CALL_STILL_UP.
 */
export async function expectLossAtMost(call: WatchedCall, limitPercent: number): Promise<string> {
  const counts = await countsOf(call);
  const silent = counts.find(({ packetsReceived }) => packetsReceived === 0);
  if (silent !== undefined) {
    throw new ExpectationError(
      "ERR_NOTHING_HEARD",
      `Expected at most ${limitPercent} % of the packets to be lost, but no packet came to the ${silent.party}.`,
      { context: { limitPercent, party: silent.party } },
    );
  }
  const observed = counts
    .map((each) => {
      const percent = lossPercent(each).toFixed(1);
      return `the ${each.party} missed ${each.lost} of ${each.packetsExpected} packets (${percent} %)`;
    })
    .join(", ");
  if (counts.every((each) => lossPercent(each) <= limitPercent)) return observed;
  throw new ExpectationError(
    "ERR_ABOVE_LIMIT",
    `packets lost: expected ≤ ${limitPercent} %, but ${observed}.`,
    { context: { limitPercent, observedPercent: counts.map(lossPercent) } },
  );
}

/**
 * The network that was injured on purpose lost at least this share of what it was given in one
 * direction of an end of ours. The call must be over.
 * @throws ExpectationError ERR_NETWORK_HARMLESS; UsageError ERR_CALL_STILL_UP.
 */
export async function expectNetworkLoss(
  call: WatchedCall,
  wanted: {
    readonly party: Party;
    readonly direction: "sent" | "received";
    readonly atLeastPercent: number;
  },
): Promise<string> {
  const { party, direction, atLeastPercent } = wanted;
  await countsOf(call);
  const fates = call.timeline
    .of("networkCounts")
    .find((fact) => fact.party === party && fact.leg === undefined)?.[direction];
  const { offered = 0, lost = 0, overflowed = 0 } = fates ?? {};
  const percent = offered === 0 ? 0 : (100 * (lost + overflowed)) / offered;
  const observed = `the network lost ${lost + overflowed} of ${offered} packets ${direction} by the ${party} (${percent.toFixed(1)} %)`;
  if (offered > 0 && percent >= atLeastPercent) return observed;
  throw new ExpectationError(
    "ERR_NETWORK_HARMLESS",
    `Expected at least ${atLeastPercent} %, but ${observed}.`,
    { context: { ...wanted, offered, lost, overflowed } },
  );
}

/**
 * The network before the SIP of one end of ours lost at least so many messages in one direction while
 * the call was up. The call must be over.
 * @throws ExpectationError ERR_NETWORK_HARMLESS; UsageError ERR_CALL_STILL_UP.
 */
export async function expectSipLoss(
  call: WatchedCall,
  wanted: {
    readonly party: Party;
    readonly direction: "sent" | "received";
    readonly atLeast: number;
  },
): Promise<string> {
  const { party, direction, atLeast } = wanted;
  if (!(await call.whenEnded(END_LIMIT_MS))) throw stillUp(call);
  const fates = call.timeline
    .of("networkCounts")
    .find((fact) => fact.party === party && fact.leg === "signalling")?.[direction];
  const { offered = 0, lost = 0, overflowed = 0 } = fates ?? {};
  const observed = `the network lost ${lost + overflowed} of ${offered} SIP messages ${direction} by the ${party}`;
  if (lost + overflowed >= atLeast) return observed;
  throw new ExpectationError(
    "ERR_NETWORK_HARMLESS",
    `Expected at least ${atLeast}, but ${observed}.`,
    {
      context: { ...wanted, offered, lost, overflowed },
    },
  );
}

/**
 * No end of ours had to conceal more audio than this. The call must be over.
 * @throws ExpectationError ERR_ABOVE_LIMIT; EnvironmentError ERR_INSTRUMENT_UNHEALTHY; UsageError
 *   ERR_CALL_STILL_UP.
 */
export async function expectConcealedAtMost(call: WatchedCall, limitMs: number): Promise<string> {
  const counts = await countsOf(call);
  const observed = counts
    .map(({ party, concealedMs }) => `the ${party} concealed ${formatMs(concealedMs)}`)
    .join(", ");
  if (counts.every(({ concealedMs }) => concealedMs <= limitMs)) return observed;
  const context = { limitMs, observedMs: counts.map(({ concealedMs }) => concealedMs) };
  const text = `concealed audio: expected ≤ ${formatMs(limitMs)}, but ${observed}`;
  const concerns = instrumentConcerns((await measureNow(call)).metrics);
  if (concerns.length > 0) {
    // Packets of ours that left late, and frames that were due late, are concealed like any other.
    throw new EnvironmentError(
      "ERR_INSTRUMENT_UNHEALTHY",
      `Inconclusive: ${text}, but our own timing may be the cause (${concerns.join("; ")}). Run it again on a quieter machine.`,
      { context },
    );
  }
  throw new ExpectationError("ERR_ABOVE_LIMIT", `${text}.`, { context });
}

/**
 * The median of the round trips that RTCP measured at one end of ours (the caller's, where it is
 * ours) is at most this. Waits for one where none is known yet and the call is still up.
 * @throws ExpectationError ERR_ABOVE_LIMIT, ERR_NO_ROUND_TRIP; EnvironmentError
 *   ERR_INSTRUMENT_UNHEALTHY.
 */
export async function expectRoundTrip(call: WatchedCall, limitMs: number): Promise<string> {
  const party = call.parties.includes("caller") ? "caller" : "bot";
  await call.waitFor(
    (fact) =>
      isEnd(fact) ||
      (fact.kind === "rtcpReport" && fact.party === party && fact.roundTripMs !== undefined),
    REPORT_LIMIT_MS,
  );
  const roundTripsMs = call.timeline
    .of("rtcpReport")
    .flatMap((fact) =>
      fact.party === party && fact.roundTripMs !== undefined ? [fact.roundTripMs] : [],
    )
    .toSorted((one, other) => one - other);
  if (roundTripsMs.length === 0) {
    throw new ExpectationError(
      "ERR_NO_ROUND_TRIP",
      `Expected a round trip of at most ${formatMs(limitMs)}, but RTCP measured none at the ${party}: the other side sends no reports, or the call was shorter than their interval.`,
      { context: { limitMs, party } },
    );
  }
  const { metrics } = await measureNow(call);
  const observedMs = quantile(roundTripsMs, 0.5);
  const figure = `round trip (median of ${roundTripsMs.length}, RTCP at the ${party})`;
  return expectWithin({ figure, limitMs, observedMs, observedBy: "measured" }, metrics);
}

/** What each end of ours counted, once the call is over. */
async function countsOf(call: WatchedCall): Promise<readonly FactOf<"mediaStatistics">[]> {
  if (!(await call.whenEnded(END_LIMIT_MS))) throw stillUp(call);
  const counts = call.timeline.of("mediaStatistics");
  if (counts.length === 0) throw await endedEarly(call, "media were agreed on");
  return counts;
}

function stillUp(call: WatchedCall): UsageError {
  return new UsageError(
    "ERR_CALL_STILL_UP",
    "Packets, messages and concealed audio are counted up to the end of a call, and this one is still up. Let one side hang up before this step.",
    { context: { callId: call.callId } },
  );
}

function lossPercent({ lost, packetsExpected }: FactOf<"mediaStatistics">): number {
  return packetsExpected > 0 ? (100 * lost) / packetsExpected : 0;
}
