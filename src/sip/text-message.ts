import type { Body, IncomingRequest, OutgoingRequestMessage } from "sip.js/lib/core/index.js";
import { RemoteError, UsageError } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import type { DialogRequests } from "./dialog-requests.ts";
import type { OutsideReply } from "./outside-request.ts";
import { type MessageAnswer, type MessageListener, TEXT_TYPE } from "./text-exchange.ts";

/** RFC 3428 §8: of the whole request. Larger ones may meet a link that knows no congestion. */
const OUTSIDE_BYTES_MAX = 1300;
const UNSUPPORTED_MEDIA_TYPE = 415;
const REQUEST_TIMEOUT = 408;
/** As long as ours are. */
const SOME_BRANCH = "z9hG4bK".padEnd(40, "0");

/**
 * The body of a MESSAGE.
 * @throws UsageError ERR_MESSAGE_MALFORMED.
 */
export function textBody(text: string): Body {
  if (text !== "" && !text.includes("\0")) {
    return {
      contentDisposition: "render",
      contentType: `${TEXT_TYPE};charset=UTF-8`,
      content: text,
    };
  }
  throw new UsageError(
    "ERR_MESSAGE_MALFORMED",
    "A SIP MESSAGE needs a text that is not empty and has no NUL character in it.",
  );
}

/**
 * A MESSAGE outside of a dialog may not be larger than 1300 bytes (RFC 3428 §8); credentials that a
 * challenge may ask for are not counted.
 * @throws UsageError ERR_MESSAGE_TOO_LONG.
 */
export function requireShort(message: OutgoingRequestMessage): void {
  // The transaction writes the true one over it.
  message.setViaHeader(SOME_BRANCH, "UDP");
  const bytes = new TextEncoder().encode(message.toString()).length;
  if (bytes <= OUTSIDE_BYTES_MAX) return;
  throw new UsageError(
    "ERR_MESSAGE_TOO_LONG",
    `The MESSAGE request would have ${bytes} bytes; outside of a call it may have ${OUTSIDE_BYTES_MAX} (RFC 3428 §8). Send a shorter text, or send it within a call.`,
    { context: { bytes, limitBytes: OUTSIDE_BYTES_MAX } },
  );
}

/** Sends a text within a dialog; see `SipCall.message`. */
export async function sendMessage(requests: DialogRequests, text: string): Promise<MessageAnswer> {
  return answerIn(await requests.send({ method: "MESSAGE", body: textBody(text) }));
}

/** What the peer said to a MESSAGE. @throws RemoteError ERR_MESSAGE_REJECTED, or why a challenge was not answered. */
export function answerIn(
  reply: OutsideReply | Awaited<ReturnType<DialogRequests["send"]>>,
): MessageAnswer {
  if (reply.kind === "failed") throw reply.error;
  if (reply.kind === "ended") {
    throw rejected("ended the call before it had answered our MESSAGE request", {});
  }
  if (reply.kind === "silent") {
    throw rejected("did not answer our MESSAGE request in time", { statusCode: REQUEST_TIMEOUT });
  }
  const { statusCode, sentAt } = reply;
  if (statusCode < 300) return { statusCode, sentAt };
  throw (
    reply.error ?? rejected(`refused our MESSAGE request with status ${statusCode}`, { statusCode })
  );
}

/**
 * Answers the peer's MESSAGE (RFC 3428 §7) and hands the text on. Other content than text that we
 * can read gets 415; the 200 has neither body nor Contact.
 */
export function answerMessage(
  request: IncomingRequest & {
    accept(): unknown;
    reject(options: { statusCode: number; extraHeaders: string[] }): unknown;
  },
  owner: {
    readonly context: Pick<CallContext, "messageInstant" | "guard">;
    readonly lifecycle: { readonly onMessage: MessageListener | undefined };
  },
): void {
  const { message } = request;
  const { context, lifecycle } = owner;
  const contentType = message.getHeader("Content-Type") ?? TEXT_TYPE;
  const encoding = message.getHeader("Content-Encoding")?.trim().toLowerCase() ?? "identity";
  if (!isReadable(contentType)) {
    refuse(request, `Accept: ${TEXT_TYPE};charset=UTF-8`);
  } else if (encoding !== "identity") {
    refuse(request, "Accept-Encoding: identity");
  } else {
    const at = context.messageInstant();
    request.accept();
    const { callId, body: text } = message;
    const from = message.from.uri.toString();
    context.guard(() => lifecycle.onMessage?.({ text, from, callId, at }));
  }
}

function refuse(
  request: { reject(options: { statusCode: number; extraHeaders: string[] }): unknown },
  header: string,
): void {
  request.reject({ statusCode: UNSUPPORTED_MEDIA_TYPE, extraHeaders: [header] });
}

/** Bodies are read as UTF-8, of which ASCII is a part. */
function isReadable(contentType: string): boolean {
  const [type = "", ...rest] = contentType.split(";");
  if (type.trim().toLowerCase() !== TEXT_TYPE) return false;
  const charset = /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/iu;
  const named = rest.map((each) => charset.exec(each)?.[1]).find((each) => each !== undefined);
  return ["utf-8", "us-ascii", undefined].includes(named?.toLowerCase());
}

function rejected(what: string, context: { readonly statusCode?: number }): RemoteError {
  return new RemoteError(
    "ERR_MESSAGE_REJECTED",
    `The peer ${what}. Look for it in the trace, and whether the peer allows MESSAGE.`,
    { context },
  );
}
