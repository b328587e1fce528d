import { RemoteError, UsageError } from "../environment/index.ts";
import type { DialogRequests } from "./dialog-requests.ts";
import type { InfoAnswer } from "./sip-call.ts";

/** type/subtype with parameters (RFC 3261 §25.1); no line end may slip into the header. */
const MEDIA_TYPE = /^[\w!%*+.`'~-]+\/[\w!%*+.`'~-]+(?:[ \t]*;[^\r\n\0]*)?$/;
const REQUEST_TIMEOUT = 408;

/** Sends INFO within a dialog; see `SipCall.info`. */
export async function sendInfo(
  requests: DialogRequests,
  contentType: string,
  content: string,
): Promise<InfoAnswer> {
  if (!MEDIA_TYPE.test(contentType) || content === "") throw malformedInfo();
  const body = { contentDisposition: "", contentType, content };
  const reply = await requests.send({ method: "INFO", body });
  if (reply.kind === "failed") throw reply.error;
  if (reply.kind === "silent") throw unanswered();
  if (reply.kind === "ended") throw endedBefore();
  const { statusCode, sentAt } = reply;
  if (statusCode < 300) return { statusCode, sentAt };
  throw rejected(statusCode);
}

function malformedInfo(): UsageError {
  return new UsageError(
    "ERR_INFO_MALFORMED",
    'An INFO request needs a media type like "application/dtmf-relay" and a body that is not empty.',
  );
}

function rejected(statusCode: number): RemoteError {
  return new RemoteError(
    "ERR_INFO_REJECTED",
    `The peer refused our INFO request with status ${statusCode}. Look at it in the trace, and choose another way to send digits if it takes none this way.`,
    { context: { statusCode } },
  );
}

function unanswered(): RemoteError {
  return new RemoteError(
    "ERR_INFO_REJECTED",
    "The peer did not answer our INFO request within 32 s. Look for it in the trace.",
    { context: { statusCode: REQUEST_TIMEOUT } },
  );
}

function endedBefore(): RemoteError {
  return new RemoteError(
    "ERR_INFO_REJECTED",
    "The call ended before the peer had answered our INFO request.",
  );
}
