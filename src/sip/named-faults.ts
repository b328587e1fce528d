import { UsageError } from "../environment/index.ts";
import type { MessageAlteration } from "./message-alterations.ts";
import type { MessageFault } from "./message-faults.ts";

const LATE_MAX_MS = 120_000;
const COPIES_MAX = 1000;

/** A method, or a status of the response to INVITE. */
export type FaultyMessage = string | number;

/** The faults that a scenario may ask for, each by its name. Each throws UsageError ERR_FAULT_LIMIT. */
export const FAULTS = {
  /** The 200 to INVITE is never acknowledged (RFC 3261 §13.3.1.4). */
  noAck: (): MessageFault => sent("no ACK", "ACK", { effect: { kind: "drop" } }),
  lateAck: (delayMs: number): MessageFault =>
    sent("late ACK", "ACK", { effect: { kind: "delay", delayMs: checkedDelay(delayMs) } }),
  /** `times` of the copies; default: all. */
  lostBye: (times?: number): MessageFault =>
    sent("lost BYE", "BYE", {
      effect: { kind: "drop" },
      ...(times === undefined ? {} : { times: checkedCount(times) }),
    }),
  /** The first INVITE is sent so many times at once (RFC 3261 §17.2.1, §8.2.2.2). */
  duplicatedInvite: (copies: number): MessageFault =>
    sent("duplicated INVITE", "INVITE", {
      effect: { kind: "duplicate", copies: checkedCount(copies), intervalMs: 0 },
      times: 1,
    }),
  delayedAnswer: (delayMs: number): MessageFault =>
    sent("delayed 200", "INVITE", {
      status: 200,
      effect: { kind: "delay", delayMs: checkedDelay(delayMs) },
    }),
  answerWithoutDescription: (): MessageFault =>
    sent("answer without SDP", "INVITE", {
      status: 200,
      effect: { kind: "alter", alteration: "without body" },
    }),
  unknownCodecOffer: (): MessageFault =>
    sent("unknown codec", "INVITE", { effect: { kind: "alter", alteration: "unknown codec" } }),
  malformed: (message: FaultyMessage, alteration: MessageAlteration): MessageFault =>
    typeof message === "number"
      ? sent(`malformed ${message}`, "INVITE", {
          status: message,
          effect: { kind: "alter", alteration },
        })
      : sent(`malformed ${message}`, message, { effect: { kind: "alter", alteration } }),
  slowResponses: (delayMs: number): MessageFault => ({
    name: "slow peer",
    direction: "sent",
    status: "any",
    effect: { kind: "delay", delayMs: checkedDelay(delayMs) },
  }),
  /** Every message of this side, request or response, so many times more. */
  storm: (copies: number): readonly MessageFault[] => {
    const effect = { kind: "duplicate", copies: checkedCount(copies), intervalMs: 2 } as const;
    const storm = { name: "retransmission storm", direction: "sent", effect } as const;
    return [storm, { ...storm, status: "any" }];
  },
} as const;

function sent(
  name: string,
  method: string,
  rest: Pick<MessageFault, "effect" | "status" | "times">,
): MessageFault {
  return { name, direction: "sent", method, ...rest };
}

function checkedDelay(delayMs: number): number {
  if (delayMs > 0 && delayMs <= LATE_MAX_MS) return delayMs;
  throw limitError(`A message can be delayed by up to ${LATE_MAX_MS} ms, not by ${delayMs} ms.`);
}

function checkedCount(count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= COPIES_MAX) return count;
  throw limitError(`A fault can happen 1 to ${COPIES_MAX} times, not ${count} times.`);
}

function limitError(message: string): UsageError {
  return new UsageError("ERR_FAULT_LIMIT", message);
}
