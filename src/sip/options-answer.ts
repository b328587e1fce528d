import type {
  IncomingRequestMessage,
  IncomingResponseMessage,
  ResponseOptions,
} from "sip.js/lib/core/index.js";
import { RemoteError } from "../environment/index.ts";
import type { DialogReply, DialogRequests } from "./dialog-requests.ts";
import { type DialogSettings, supportedHeader } from "./dialog-settings.ts";
import { DTMF_RELAY_TYPE, DTMF_TYPE } from "./dtmf-info.ts";
import type { OutsideReply } from "./outside-request.ts";
import type { OptionsAnswer } from "./peer-capabilities.ts";
import { sdpBody, sdpOf } from "./session-description.ts";
import type { SipCore } from "./sip-core.ts";
import { TEXT_TYPE } from "./text-exchange.ts";

/** What an INVITE would get now (RFC 3261 §11.2). */
export interface OptionsReply {
  readonly statusCode: number;
  readonly reasonPhrase?: string;
  /** Further header lines. */
  readonly headers?: readonly string[];
  readonly dialog?: DialogSettings;
  /** Writes SDP with our media, for those who ask for it. */
  readonly describe?: () => string;
}

/** The header lines of an OPTIONS of ours. */
export const OPTIONS_ACCEPT: string = "Accept: application/sdp";

/** What the bodies of requests to us may be. */
const ACCEPTED = ["application/sdp", TEXT_TYPE, DTMF_RELAY_TYPE, DTMF_TYPE, "message/sipfrag"];

/** Our answer to OPTIONS, with all that RFC 3261 §11.2 asks for. */
export function answerOptions(
  message: IncomingRequestMessage,
  core: SipCore,
  reply: OptionsReply,
): ResponseOptions {
  const { statusCode, reasonPhrase, headers = [], dialog = {}, describe } = reply;
  const isGood = statusCode < 300;
  const wantsSdp = isGood && listed(message, "Accept").includes("application/sdp");
  const description = wantsSdp ? describe?.() : undefined;
  return {
    statusCode,
    ...(reasonPhrase === undefined ? {} : { reasonPhrase }),
    extraHeaders: [
      ...headers,
      ...(isGood ? [core.contactHeader] : []),
      core.allowHeader,
      `Accept: ${ACCEPTED.join(", ")}`,
      "Accept-Encoding: identity",
      "Accept-Language: *",
      // Beside those that the core adds to each response.
      ...supportedHeader(dialog),
    ],
    ...(description === undefined ? {} : { body: sdpBody(description) }),
  };
}

/** Asks within a dialog; see `SipCall.queryOptions`. */
export async function askInDialog(requests: DialogRequests, core: SipCore): Promise<OptionsAnswer> {
  const headers = [core.contactHeader, core.allowHeader, OPTIONS_ACCEPT];
  return optionsAnswerIn(await requests.send({ method: "OPTIONS", headers }));
}

/** What the peer said. @throws RemoteError ERR_SIP_NO_RESPONSE, and why it could not be sent. */
export function optionsAnswerIn(reply: OutsideReply | DialogReply): OptionsAnswer {
  if (reply.kind === "failed") throw reply.error;
  if (reply.kind !== "answered") throw noResponse();
  const { message, statusCode } = reply;
  const description = sdpOf(message);
  return {
    statusCode,
    reasonPhrase: message.reasonPhrase ?? "",
    allow: listed(message, "Allow", (text) => text),
    accept: listed(message, "Accept"),
    supported: listed(message, "Supported"),
    ...(description === undefined ? {} : { description }),
  };
}

/** The items of a header, without parameters. */
function listed(
  message: IncomingRequestMessage | IncomingResponseMessage,
  name: string,
  spelled: (text: string) => string = (text) => text.toLowerCase(),
): string[] {
  return message
    .getHeaders(name)
    .flatMap((value) => value.split(","))
    .map((item) => spelled((item.split(";")[0] as string).trim()))
    .filter((item) => item !== "");
}

function noResponse(): RemoteError {
  return new RemoteError(
    "ERR_SIP_NO_RESPONSE",
    "The peer did not answer our OPTIONS request in time. Check the target's address and port, and firewalls between.",
  );
}
