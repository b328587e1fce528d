import type { IncomingInfoRequest } from "sip.js/lib/core/messages/methods/info.js";
import type { CallContext } from "./call-context.ts";
import type { CallLifecycle } from "./call-lifecycle.ts";
import { DTMF_RELAY_TYPE, DTMF_TYPE } from "./dtmf-info.ts";

/** Whose INFO request it is. */
export interface InfoOwner {
  readonly context: CallContext;
  readonly lifecycle: CallLifecycle;
}

const CALL_DOES_NOT_EXIST = 481;
const UNSUPPORTED_MEDIA_TYPE = 415;
const BAD_INFO_PACKAGE = 469;
const SERVER_INTERNAL_ERROR = 500;

/**
 * Answers the peer's INFO (RFC 6086 §4.2.2). Legacy bodies, as DTMF has them, go to the call's
 * listener; Info Packages were not agreed on, so they are refused.
 */
export function answerInfo(request: IncomingInfoRequest, owner: InfoOwner): void {
  const statusCode = statusOf(request, owner);
  if (statusCode < 300) request.accept({ statusCode });
  else request.reject({ statusCode, extraHeaders: headersFor(statusCode) });
}

function statusOf({ message }: IncomingInfoRequest, { context, lifecycle }: InfoOwner): number {
  if (lifecycle.state === "ended") return CALL_DOES_NOT_EXIST;
  if ((message.getHeader("Info-Package") ?? "") !== "") return BAD_INFO_PACKAGE;
  const { body } = message;
  const listener = lifecycle.onInfo;
  if (listener === undefined) return body === "" ? 200 : UNSUPPORTED_MEDIA_TYPE;
  const parsed: unknown = message.headers["Content-Type"]?.[0]?.parsed;
  const contentType = typeof parsed === "string" ? parsed : "";
  // What a listener throws, or a status that cannot be sent, is our fault.
  let statusCode = SERVER_INTERNAL_ERROR;
  context.guard(() => {
    statusCode = listener({ contentType, body, at: context.messageInstant() });
  });
  return isFinal(statusCode) ? statusCode : SERVER_INTERNAL_ERROR;
}

/** RFC 3261 §21.4.13: what would have been accepted; RFC 6086 §5.2.2: no package would. */
function headersFor(statusCode: number): string[] {
  if (statusCode === UNSUPPORTED_MEDIA_TYPE) return [`Accept: ${DTMF_RELAY_TYPE}, ${DTMF_TYPE}`];
  return statusCode === BAD_INFO_PACKAGE ? ["Recv-Info:"] : [];
}

function isFinal(statusCode: number): boolean {
  return Number.isInteger(statusCode) && statusCode >= 200 && statusCode <= 699;
}
