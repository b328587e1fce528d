import {
  type IncomingRequestMessage,
  type IncomingResponseMessage,
  NameAddrHeader,
  TransactionState,
  URI,
} from "sip.js/lib/core/index.js";
import { type Instant, type Logger, RemoteError } from "../environment/index.ts";
import type { Channel, Crossing } from "./channel.ts";
import type { DigestServer, DigestServerOptions } from "./digest-server.ts";
import type { Via } from "./header-grammar.ts";
import {
  isOfRfc2543,
  type Refusal,
  refusalOf,
  stampVia,
  transactionKey,
} from "./incoming-request.ts";
import type { OutgoingCall } from "./outbound-call.ts";
import { type MalformedMessage, parseMessage } from "./parser.ts";
import type { Registrar } from "./registrar.ts";
import type { SipCore } from "./sip-core.ts";
import { uriHost } from "./sip-uri.ts";
import { transportTraits } from "./transport-name.ts";

/** Which requests need credentials of us; default INVITE and REGISTER. ACK and CANCEL never do. */
export interface Demand extends DigestServerOptions {
  readonly methods?: readonly string[];
}

/** What the intake needs to know. */
export interface MessageIntakeOptions {
  readonly core: SipCore;
  readonly logger: Logger;
  readonly now: () => Instant;
  /** Whether a response that came this way has a Via of ours. */
  readonly isOurs: (via: Via, channel: Channel) => boolean;
  /** Our outgoing call with this Call-ID, while it lives. */
  readonly callOf: (callId: string) => OutgoingCall | undefined;
  /** Takes a request before the core gets it; false where it is for the core. */
  readonly takeRequest: (message: IncomingRequestMessage) => boolean;
  readonly demand?: Pick<Demand, "methods"> & { readonly server: DigestServer };
  readonly registrar?: Registrar;
}

const DEMANDING_METHODS = ["INVITE", "REGISTER"];

/**
 * From what crossed a socket to sip.js's core: parses, checks what the core does not, and mends what it is
 * too strict about.
 */
export class MessageIntake {
  readonly #options: MessageIntakeOptions;
  #malformedCount = 0;

  constructor(options: MessageIntakeOptions) {
    this.#options = options;
  }

  /** What came and was no valid SIP message. */
  get malformedCount(): number {
    return this.#malformedCount;
  }

  handleMessage(crossing: Crossing): void {
    const parsed = parseMessage(crossing.bytes, crossing.text);
    switch (parsed.kind) {
      case "request":
        this.#handleRequest(parsed.message, crossing);
        break;
      case "response":
        this.#handleResponse(parsed.message, crossing);
        break;
      case "malformed":
        this.#handleMalformed(parsed, crossing);
        break;
      case "keepAlive":
        break;
    }
  }

  #handleMalformed({ reason, statusCode, request }: MalformedMessage, crossing: Crossing): void {
    this.#malformedCount += 1;
    this.#options.logger.warn("A malformed SIP message arrived.", { reason });
    if (request === undefined) return;
    stampVia(request, crossing);
    this.#options.core.replyMalformed(request, statusCode, reason);
  }

  #handleRequest(message: IncomingRequestMessage, crossing: Crossing): void {
    const { core } = this.#options;
    stampVia(message, crossing);
    message.viaBranch = transactionKey(message);
    if (core.settlesRefusedInvite(message)) return;
    this.#separateAck(message);
    const refusal =
      refusalOf(message) ?? this.#challengeOf(message) ?? this.#registrarsAnswer(message);
    if (refusal !== undefined) {
      core.replyStateless(message, refusal);
      return;
    }
    if (isOfRfc2543(message) && !message.hasHeader("Contact")) addContact(message, crossing);
    this.#addressToUs(message);
    if (this.#options.takeRequest(message)) return;
    core.receiveIncomingRequestFromTransport(message);
  }

  /**
   * RFC 3261 §22.2. Without a transaction, as §8.2.7 recommends: a repeated request gets a new
   * challenge, which is as good.
   */
  #challengeOf(message: IncomingRequestMessage): Refusal | undefined {
    const { demand, now } = this.#options;
    const { method } = message;
    if (demand === undefined || method === "ACK" || method === "CANCEL") return undefined;
    if (!(demand.methods ?? DEMANDING_METHODS).includes(method)) return undefined;
    // A repetition of a request that was let in; its digest must not be used twice.
    if (this.#options.core.userAgentServers.has(message.viaBranch)) return undefined;
    const authorizations = message.getHeaders("Authorization");
    const verdict = demand.server.judge({ method, body: message.body, authorizations }, now());
    if (verdict.isAuthorized) return undefined;
    const extraHeaders = verdict.challenges.map((value) => `WWW-Authenticate: ${value}`);
    return { statusCode: 401, extraHeaders };
  }

  /** Without a transaction: what is registered twice is registered. */
  #registrarsAnswer(message: IncomingRequestMessage): Refusal | undefined {
    const { registrar, now } = this.#options;
    if (message.method !== "REGISTER") return undefined;
    return registrar?.handle(message, now());
  }

  /**
   * Some peers send the ACK of a 2xx with the branch of the INVITE. The core then takes it for that
   * of a rejection and drops it; it belongs to the dialog.
   */
  #separateAck(message: IncomingRequestMessage): void {
    if (message.method !== "ACK") return;
    const invite = this.#options.core.userAgentServers.get(message.viaBranch);
    if (invite?.transaction.state === TransactionState.Accepted) message.viaBranch += " 2xx";
  }

  /**
   * The core refuses a Request-URI with another user part than ours. Within a dialog that is none
   * of its business, a URI without user means this host, and "%62ot" is "bot".
   */
  #addressToUs(message: IncomingRequestMessage): void {
    const { ruri } = message;
    // Who routes a telephone number to us (RFC 3966) wants us to take it.
    if (ruri?.scheme === "tel") message.ruri = this.#options.core.configuration.contact.uri;
    if (ruri?.scheme !== "sip" && ruri?.scheme !== "sips") return;
    const { uri } = this.#options.core.configuration.contact;
    const user = unescaped((ruri.user ?? "").split(":")[0] as string);
    const isOurs = message.toTag !== "" || user === "" || user === unescaped(uri.user ?? "");
    if (isOurs) message.ruri = uri;
    // The core would answer 416 to sips:, whoever is meant.
    else ruri.scheme = "sip";
  }

  #handleResponse(message: IncomingResponseMessage, crossing: Crossing): void {
    const { core, now, callOf } = this.#options;
    if (!this.#isForUs(message, crossing.channel)) return;
    const { statusCode = 0 } = message;
    if (message.method === "INVITE" && statusCode < 300) {
      const call = callOf(message.callId);
      if (statusCode < 200) {
        call?.handleProvisional(statusCode, now());
        // RFC 3261 §20, table 2: Contact is optional in 1xx; the core makes no dialog without it.
        if (message.toTag !== "" && !message.hasHeader("Contact")) addContact(message, crossing);
      } else if (!this.#mendSuccess(message, crossing, call)) return;
    }
    core.receiveIncomingResponseFromTransport(message);
  }

  /** The core drops a 2xx without Contact, and never acknowledges it: its source has to do. */
  #mendSuccess(
    message: IncomingResponseMessage,
    crossing: Crossing,
    call: OutgoingCall | undefined,
  ): boolean {
    if (message.toTag === "") {
      this.#malformedCount += 1;
      call?.fail(missingTag());
      return false;
    }
    if (!message.hasHeader("Contact")) addContact(message, crossing);
    return true;
  }

  /** RFC 3261 §18.1.2: a response whose top Via is not ours has lost its way. */
  #isForUs(message: IncomingResponseMessage, channel: Channel): boolean {
    const via = message.headers["Via"]?.[0]?.parsed as Via | undefined;
    return via !== undefined && this.#options.isOurs(via, channel);
  }
}

function unescaped(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    // Escapes that are no UTF-8 stay what they are: nobody's name here has them.
    return user;
  }
}

function addContact(
  message: IncomingRequestMessage | IncomingResponseMessage,
  { remote, channel }: Crossing,
): void {
  const { uriParameter } = transportTraits(channel.transport);
  const [, transport] = uriParameter.split("=");
  const parameters = transport === undefined ? {} : { transport };
  const uri = new URI("sip", "", uriHost(remote.address), remote.port, parameters);
  message.headers["Contact"] = [
    { raw: `<${uri.toString()}>`, parsed: new NameAddrHeader(uri, "", {}) },
  ];
}

function missingTag(): RemoteError {
  return new RemoteError(
    "ERR_SIP_MALFORMED_RESPONSE",
    "The peer answered our INVITE with a 2xx response that has no To tag, so no dialog can be made of it (RFC 3261 §12.1.2). Look at it in the trace.",
  );
}
