import type {
  Body,
  IncomingRequestMessage,
  IncomingResponseMessage,
} from "sip.js/lib/core/index.js";
import {
  errorText,
  isSidetoneError,
  RemoteError,
  type SidetoneError,
} from "../environment/index.ts";
import type { CallEndReason } from "./sip-call.ts";

const SDP_TYPE = "application/sdp";

/** The two sides have no media in common, and neither is at fault. */
const INCOMPATIBLE = /^ERR_(?:SDP_NO_COMMON_CODEC|SRTP_(?:NO_COMMON_SUITE|REQUIRED|NOT_ALLOWED))$/u;

/** An SDP text as sip.js wants a body. */
export function sdpBody(content: string): Body {
  return { contentDisposition: "session", contentType: SDP_TYPE, content };
}

/** The session description in a message, if there is one. */
export function sdpOf(
  message: IncomingRequestMessage | IncomingResponseMessage,
): string | undefined {
  const type: unknown = message.headers["Content-Type"]?.[0]?.parsed;
  return type === SDP_TYPE && message.body ? message.body : undefined;
}

/** What came of an offer or answer. */
export type Negotiation =
  | { readonly isAgreed: true; readonly description: string | undefined }
  | { readonly isAgreed: false; readonly error: SidetoneError; readonly reason: CallEndReason };

/** Runs one step of a negotiator; its refusal is a value, because the peer's SDP caused it. */
export function negotiate(step: () => string | undefined | void): Negotiation {
  try {
    return { isAgreed: true, description: step() ?? undefined };
  } catch (cause) {
    const error = isSidetoneError(cause) ? cause : refusedDescription(cause);
    const isIncompatible = INCOMPATIBLE.test(error.code);
    const reason = isIncompatible ? "noCommonCodec" : "error";
    return { isAgreed: false, error, reason };
  }
}

/** The peer answered without the session description that the exchange needs. */
export function missingDescription(where: string): Negotiation {
  const error = new RemoteError(
    "ERR_SIP_DESCRIPTION_MISSING",
    `The ${where} carries no session description (SDP), so no media can flow. Look at it in the trace.`,
  );
  return { isAgreed: false, error, reason: "error" };
}

function refusedDescription(cause: unknown): SidetoneError {
  return new RemoteError(
    "ERR_SIP_DESCRIPTION_REFUSED",
    `The peer's session description (SDP) could not be used: ${errorText(cause)}.`,
    { cause },
  );
}
