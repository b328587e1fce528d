import type { WatchedCall } from "../call/index.ts";
import { RemoteError } from "../environment/index.ts";
import type { FactOf } from "../timeline/index.ts";
import { describeEnd } from "./end.ts";

/** The two sides have no codec, or no way of encrypting, in common. Nobody did anything wrong. */
const INCOMPATIBILITIES: ReadonlySet<string> = new Set([
  "ERR_SDP_NO_COMMON_CODEC",
  "ERR_SRTP_NO_COMMON_SUITE",
  "ERR_SRTP_NOT_ALLOWED",
  "ERR_SRTP_REQUIRED",
]);
/** Not Acceptable Here, Not Acceptable (RFC 3261 §21.4.26, §21.6.4). */
const REFUSALS: ReadonlySet<number> = new Set([488, 606]);

/**
 * The error of a call that never came up because the two sides have no media in common;
 * `undefined` for any other call. The verdict on its scenario is "unsupported".
 */
export function unsupportedError(call: WatchedCall): RemoteError | undefined {
  const ends = call.timeline.of("callPhase").filter(({ phase }) => phase === "ended");
  const end = ends.find(isIncompatible) ?? ends.find(isRefusal);
  if (end === undefined) return undefined;
  const fault = call.timeline.of("fault").find(({ code }) => INCOMPATIBILITIES.has(code));
  // Other faults of the same kind are the peer's mistakes: keys taken out, an unusable answer.
  if (fault === undefined && !isRefusal(end)) return undefined;
  const why =
    fault === undefined
      ? "The bot does not say what it lacks: a codec, or encryption. Compare the offer in the trace with what the bot speaks."
      : `${fault.code}: ${fault.message}`;
  return new RemoteError(
    "ERR_CALL_UNSUPPORTED",
    `The two sides have no media in common, and the call ended (${describeEnd(end)}). ${why}`,
    { context: { end, ...(fault === undefined ? {} : { cause: fault.code }) } },
  );
}

function isIncompatible({ reason }: FactOf<"callPhase">): boolean {
  return reason === "noCommonCodec";
}

function isRefusal({ party, reason, statusCode }: FactOf<"callPhase">): boolean {
  return party === "caller" && reason === "rejected" && REFUSALS.has(statusCode ?? 0);
}
