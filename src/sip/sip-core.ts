import {
  type ClientTransaction,
  type IncomingRequestMessage,
  type IncomingResponseMessage,
  Levels,
  LoggerFactory,
  type OutgoingInviteRequest,
  type OutgoingMessageRequest,
  type OutgoingPublishRequest,
  type OutgoingRegisterRequest,
  type OutgoingRequest,
  type OutgoingRequestMessage,
  type OutgoingResponse,
  type OutgoingSubscribeRequest,
  type ResponseOptions,
  type Transport,
  URI,
  UserAgentClient,
  UserAgentCore,
  type UserAgentCoreDelegate,
} from "sip.js/lib/core/index.js";
import { AllowedMethods } from "sip.js/lib/core/user-agent-core/allowed-methods.js";
import {
  type Clock,
  type Logger,
  type Random,
  randomToken,
  type SocketAddress,
} from "../environment/index.ts";
import type { DialPolicy } from "./dial-policy.ts";
import { branchOf, useBranchSource } from "./fixes.ts";
import { malformedResponse } from "./malformed-response.ts";
import { GENERAL_OPTION_TAGS } from "./option-tags.ts";
import { RefusedInvites } from "./refused-invites.ts";
import { enableFailover, type FailoverHost } from "./request-failover.ts";
import { RetiredTransactions } from "./retired-transactions.ts";
import { hostPortText, parseTarget, uriHost } from "./sip-uri.ts";
import { routed } from "./strict-route.ts";
import { parseUri } from "./wire-uri.ts";

/** What the core has to know of its endpoint. */
export interface SipCoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly local: SocketAddress;
  readonly user: string;
  readonly displayName: string;
  readonly userAgent: string;
  readonly transport: Transport;
  readonly dialPolicy: DialPolicy;
  /** A sip: or sips: URI. */
  readonly outboundProxy: string | undefined;
  readonly failover: Omit<FailoverHost, "clock" | "retire">;
  /** See `SipEndpointOptions`. */
  readonly ownsCallId?: (callId: string) => boolean;
}

/** RFC 3261 §8.1.1.7. */
const MAGIC_COOKIE = "z9hG4bK";
const BUSY_SECONDS_MAX = 3;

/**
 * sip.js's transactions and dialogs, with our identifiers.
 *
 * Tags, branches and Call-IDs come from the given randomness, so that a seed repeats them, and
 * begin with the wall clock, so that two runs with one seed do not look like one to a peer.
 */
export class SipCore extends UserAgentCore {
  /** Asked before any request leaves that is not within a dialog. */
  readonly dialPolicy: DialPolicy;
  /** Called for each request that is made, before it is sent. */
  onRequestMade: ((message: OutgoingRequestMessage) => void) | undefined;
  /** Makes the answer to OPTIONS that the core would accept. */
  answerOptions: ((message: IncomingRequestMessage) => ResponseOptions) | undefined;
  /** Routes of all requests outside of dialogs, other than REGISTER (RFC 3608 §5). */
  serviceRoute: readonly string[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #refusedInvites = new RefusedInvites();
  readonly #prefix: string;
  readonly #host: string;
  readonly #ownsCallId: (callId: string) => boolean;
  readonly #preloadedRoutes: readonly string[];
  readonly #failover: FailoverHost;
  readonly #retired: RetiredTransactions;

  constructor(options: SipCoreOptions, delegate: UserAgentCoreDelegate) {
    super(configurationOf(options), delegate);
    this.dialPolicy = options.dialPolicy;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#prefix = `${Math.floor(options.clock.wallClockMs()).toString(36)}${options.local.port.toString(36)}`;
    this.#host = uriHost(options.local.address);
    this.#ownsCallId = options.ownsCallId ?? (() => true);
    this.#preloadedRoutes = outboundRoutes(options.outboundProxy);
    this.#retired = new RetiredTransactions(options.clock, this);
    this.#failover = {
      ...options.failover,
      clock: options.clock,
      retire: (transaction) => this.retire(transaction),
    };
  }

  /** The Contact header line. */
  get contactHeader(): string {
    return `Contact: ${this.configuration.contact.toString()}`;
  }

  /** The Allow header line. */
  get allowHeader(): string {
    return `Allow: ${AllowedMethods.join(", ")}`;
  }

  newTag(): string {
    return `${this.#prefix}${randomToken(this.#random, 8)}`;
  }

  newCallId(): string {
    for (;;) {
      const callId = `${this.#prefix}${randomToken(this.#random, 12)}@${this.#host}`;
      if (this.#ownsCallId(callId)) return callId;
    }
  }

  override makeOutgoingRequestMessage(
    ...parameters: Parameters<UserAgentCore["makeOutgoingRequestMessage"]>
  ): OutgoingRequestMessage {
    const [method, requestUri, fromUri, toUri, options, ...rest] = parameters;
    const way = routed({ requestUri, routeSet: this.#routeSetOf(method, options) });
    const identified = {
      callId: this.newCallId(),
      fromTag: this.newTag(),
      ...options,
      routeSet: [...way.routeSet],
    };
    const message = super.makeOutgoingRequestMessage(
      method,
      way.requestUri,
      fromUri,
      toUri,
      identified,
      ...rest,
    );
    useBranchSource(
      message,
      () => `${MAGIC_COOKIE}${this.#prefix}${randomToken(this.#random, 12)}`,
    );
    // sip.js always writes the header, empty where there is nothing to say.
    const text = message.toString.bind(message);
    message.toString = () => text().replace("\r\nSupported: \r\n", "\r\n");
    this.onRequestMade?.(message);
    return message;
  }

  /** What the maker of a request says comes first; else it goes by the outbound proxy. */
  #routeSetOf(
    method: string,
    { routeSet = [], toTag = "" }: Parameters<UserAgentCore["makeOutgoingRequestMessage"]>[4],
  ): readonly string[] {
    const isOutside = toTag === "" && method !== "CANCEL" && method !== "ACK";
    if (routeSet.length > 0 || !isOutside) return routeSet;
    if (method === "REGISTER") return this.#preloadedRoutes;
    return [...this.#preloadedRoutes, ...this.serviceRoute];
  }

  /** From now on our Contact is this GRUU (RFC 5627 §4.4); `undefined`: our address again. */
  usePublicGruu(gruu: string | undefined): void {
    const { contact } = this.configuration;
    contact.pubGruu = gruu === undefined ? undefined : parseUri(gruu);
    contact.toString = () => `<${(contact.pubGruu ?? contact.uri).toString()}>`;
  }

  // Every request outside of a dialog goes through one of these six, whoever makes it.

  override invite(...parameters: Parameters<UserAgentCore["invite"]>): OutgoingInviteRequest {
    return this.#outside(parameters[0], () => super.invite(...parameters));
  }

  override request(...parameters: Parameters<UserAgentCore["request"]>): OutgoingRequest {
    return this.#outside(parameters[0], () => super.request(...parameters));
  }

  override register(...parameters: Parameters<UserAgentCore["register"]>): OutgoingRegisterRequest {
    return this.#outside(parameters[0], () => super.register(...parameters));
  }

  override message(...parameters: Parameters<UserAgentCore["message"]>): OutgoingMessageRequest {
    return this.#outside(parameters[0], () => super.message(...parameters));
  }

  override publish(...parameters: Parameters<UserAgentCore["publish"]>): OutgoingPublishRequest {
    return this.#outside(parameters[0], () => super.publish(...parameters));
  }

  override subscribe(
    ...parameters: Parameters<UserAgentCore["subscribe"]>
  ): OutgoingSubscribeRequest {
    return this.#outside(parameters[0], () => super.subscribe(...parameters));
  }

  /** Checks where it would go, and lets it go elsewhere where that fails. */
  #outside<Request>(message: OutgoingRequestMessage, send: () => Request): Request {
    this.dialPolicy.requireMessage(message);
    const request = send();
    enableFailover(request, this.#failover);
    return request;
  }

  /** The transaction was replaced by another one; what still comes for it belongs to it. */
  retire(transaction: ClientTransaction): void {
    this.#retired.add(transaction);
  }

  /**
   * What comes for a transaction that was replaced (another server, credentials) belongs there. sip.js
   * would give it to the new one, which would take it for its own.
   */
  override receiveIncomingResponseFromTransport(message: IncomingResponseMessage): void {
    const retired = this.#retired.get(message.viaBranch);
    if (retired === undefined) super.receiveIncomingResponseFromTransport(message);
    else retired.receiveResponse(message);
  }

  override reset(): void {
    super.reset();
    this.#retired.dispose();
  }

  /**
   * RFC 3261 §8.2.7: a stateless response to a repeated request has the same tag. That of a 200 to
   * CANCEL is the one of the INVITE (§9.2).
   */
  override replyStateless(
    message: IncomingRequestMessage,
    wanted: ResponseOptions,
  ): OutgoingResponse {
    const isOptions = message.method === "OPTIONS" && wanted.statusCode === 200;
    const options = isOptions ? (this.answerOptions?.(message) ?? wanted) : wanted;
    const cancelled = this.userAgentServers.get(message.viaBranch) as
      | { toTag?: string }
      | undefined;
    const toTag = cancelled?.toTag ?? statelessTag(message);
    const response = { toTag, ...options, ...this.#busyHeaders(options) };
    if (message.method === "INVITE") {
      this.#refusedInvites.note(message.viaBranch, response, this.#clock.now());
    }
    return super.replyStateless(message, response);
  }

  /** Whether this is the repetition, or the ACK, of an INVITE that was refused without transaction. */
  settlesRefusedInvite(message: IncomingRequestMessage): boolean {
    if (message.method !== "INVITE" && message.method !== "ACK") return false;
    const response = this.#refusedInvites.find(message.viaBranch, this.#clock.now());
    if (response === undefined) return false;
    if (message.method === "INVITE") super.replyStateless(message, response);
    return true;
  }

  /**
   * sip.js draws the Retry-After of a colliding re-INVITE (RFC 3261 §14.2) with Math.random; ours can
   * be repeated, and is short, because the collision is mostly an ACK that was lost.
   */
  #busyHeaders({ extraHeaders = [] }: ResponseOptions): Pick<ResponseOptions, "extraHeaders"> {
    const seconds = (): number => 1 + Math.floor(this.#random() * BUSY_SECONDS_MAX);
    return {
      extraHeaders: extraHeaders.map((header) =>
        header.startsWith("Retry-After:") ? `Retry-After: ${seconds()}` : header,
      ),
    };
  }

  /** Answers a request that cannot be understood. */
  replyMalformed(request: IncomingRequestMessage, statusCode: 400 | 505, reason: string): void {
    const text = malformedResponse(request, {
      statusCode,
      reason,
      toTag: statelessTag(request),
      userAgent: this.configuration.userAgentHeaderFieldValue,
    });
    // Whoever cannot be reached with it has no answer; the transport logs why.
    this.transport.send(text).catch(() => {});
  }

  /**
   * Ends a client transaction for which no final response can be waited for any longer. sip.js has
   * no way to leave the Proceeding state without one.
   */
  forgetRequest(request: OutgoingRequest): void {
    if (!(request instanceof UserAgentClient)) return;
    this.userAgentClients.delete(`${branchOf(request)}${request.message.method}`);
    request.dispose();
  }
}

function configurationOf(options: SipCoreOptions): ConstructorParameters<typeof UserAgentCore>[0] {
  const { local, user, userAgent, transport } = options;
  const host = uriHost(local.address);
  const contactUri = contactUriOf(user, local);
  return {
    aor: new URI("sip", user, host),
    contact: {
      pubGruu: undefined,
      tempGruu: undefined,
      uri: contactUri,
      toString: () => `<${contactUri.toString()}>`,
    },
    displayName: options.displayName.replaceAll(/["\\]/g, String.raw`\$&`),
    loggerFactory: loggerFactory(options.logger),
    hackViaTcp: false,
    routeSet: [],
    sipjsId: "",
    supportedOptionTags: [...GENERAL_OPTION_TAGS],
    supportedOptionTagsResponse: [...GENERAL_OPTION_TAGS],
    userAgentHeaderFieldValue: userAgent,
    viaForceRport: true,
    viaHost: hostPortText(local),
    authenticationFactory: () => undefined,
    transportAccessor: () => transport,
  };
}

/**
 * The Contact URI with which the core writes its messages; what they carry in the end depends on
 * the way by which they leave (`MessageStamp`).
 */
export function contactUriOf(user: string, local: SocketAddress): URI {
  return new URI("sip", user, uriHost(local.address), local.port);
}

/** RFC 3261 §8.1.2: an outbound proxy is a route set with one loose router in it. */
function outboundRoutes(proxy: string | undefined): readonly string[] {
  if (proxy === undefined) return [];
  const uri = parseTarget(proxy);
  uri.setParam("lr", null);
  return [`<${uri.toString()}>`];
}

function loggerFactory(logger: Logger): LoggerFactory {
  const factory = new LoggerFactory();
  factory.builtinEnabled = false;
  factory.level = Levels.warn;
  // Its texts may quote identifiers of the peer, so they are for debugging only.
  factory.connector = (level, category, _label, content) => {
    logger.debug("sip.js reports.", { level, category, content: String(content) });
  };
  return factory;
}

/** FNV-1a over what identifies the request's transaction. */
function statelessTag(message: IncomingRequestMessage): string {
  let hash = 0x811c9dc5;
  const text = `${message.viaBranch} ${message.callId} ${message.fromTag}`;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return `sl${(hash >>> 0).toString(36)}`;
}
