import type {
  Dialog,
  IncomingResponseMessage,
  OutgoingRequestMessage,
} from "sip.js/lib/core/index.js";
import type { RemoteError } from "../environment/index.ts";
import type { Challenger, DigestAttempt, DigestClient, DigestRequest } from "./digest-client.ts";
import { type GuardedExchange, onResponse } from "./fixes-of-repetition.ts";
import type { SipCore } from "./sip-core.ts";
import { parseNameAddr } from "./wire-uri.ts";

/** What authentication asks of its endpoint. */
export interface AuthenticatorOptions {
  readonly core: SipCore;
  readonly client: DigestClient;
  /** False where nobody wants the request any more: its call was given up. */
  readonly isWanted: (message: OutgoingRequestMessage) => boolean;
  /** The request is about to go again, with credentials. */
  readonly onRepeat: (message: OutgoingRequestMessage) => void;
  /** A challenge was not answered, for the reason given; the peer's response stands. */
  readonly onRefused: (callId: string, error: RemoteError) => void;
}

/** INVITEs whose credentials their ACKs will need; more calls at once get ACKs without. */
const INVITES_LIMIT = 4096;
const HEADERS = ["Authorization", "Proxy-Authorization"] as const;

/** From now on the core's requests get credentials. */
export function authenticateRequests(options: AuthenticatorOptions): void {
  const authenticator = new Authenticator(options);
  options.core.onRequestMade = (message) => authenticator.prepare(message);
  onResponse(options.core, {
    handle: (exchange) => authenticator.handleResponse(exchange),
    retire: (transaction) => options.core.retire(transaction),
  });
}

/**
 * Gives requests their credentials: unasked where they are known to be asked for, and again after a
 * challenge (RFC 3261 §22). sip.js's own way knows MD5 only, takes the second of two realms for a
 * loop, and lets in-dialog requests repeat a CSeq.
 */
class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #attempts = new WeakMap<OutgoingRequestMessage, DigestAttempt>();
  /** Header lines of INVITEs, by Call-ID and CSeq. */
  readonly #invites = new Map<string, string[]>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** Before a request is sent for the first time. */
  prepare(message: OutgoingRequestMessage): void {
    // RFC 3261 §22.1: a CANCEL is never challenged, and an ACK has what its INVITE had.
    if (message.method === "CANCEL" || HEADERS.some((name) => message.hasHeader(name))) return;
    if (message.method === "ACK") {
      setCredentials(message, this.#invites.get(inviteKey(message)) ?? []);
      return;
    }
    this.#authorize(message, this.#attemptOf(message));
  }

  #authorize(message: OutgoingRequestMessage, attempt: DigestAttempt): void {
    const lines = this.#options.client.authorize(attempt, digestRequest(message));
    setCredentials(message, lines);
    if (message.method !== "INVITE" || lines.length === 0) return;
    const [oldest] = this.#invites.keys();
    if (this.#invites.size >= INVITES_LIMIT && oldest !== undefined) this.#invites.delete(oldest);
    this.#invites.set(inviteKey(message), lines);
  }

  #attemptOf(message: OutgoingRequestMessage): DigestAttempt {
    const attempt =
      this.#attempts.get(message) ?? this.#options.client.begin(digestRequest(message));
    this.#attempts.set(message, attempt);
    return attempt;
  }

  /** @returns true where the response shall be handled as it is; false: the request goes again. */
  handleResponse({ message, response, dialog, repeat }: GuardedExchange): boolean {
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) this.#learn(message, response);
    const challenger = CHALLENGERS[statusCode];
    if (challenger === undefined || !this.#options.isWanted(message)) return true;
    const name = challenger === "server" ? "WWW-Authenticate" : "Proxy-Authenticate";
    const attempt = this.#attemptOf(message);
    const outcome = this.#options.client.handleChallenges(attempt, digestRequest(message), {
      challenger,
      values: response.getHeaders(name),
    });
    if (outcome.kind === "refused") {
      this.#options.onRefused(message.callId, outcome.error);
      return true;
    }
    this.#options.onRepeat(message);
    renumber(message, dialog ?? this.#dialogOf(message));
    this.#authorize(message, attempt);
    repeat();
    return false;
  }

  #learn(message: OutgoingRequestMessage, response: IncomingResponseMessage): void {
    const attempt = this.#attempts.get(message);
    if (attempt === undefined || attempt.sessions.size === 0) return;
    const { client } = this.#options;
    const info = response.getHeader("Authentication-Info");
    const proxyInfo = response.getHeader("Proxy-Authentication-Info");
    if (info !== undefined) client.handleAuthenticationInfo(attempt, "server", info);
    if (proxyInfo !== undefined) client.handleAuthenticationInfo(attempt, "proxy", proxyInfo);
  }

  #dialogOf({ callId, fromTag, toTag }: OutgoingRequestMessage): Dialog | undefined {
    return toTag === undefined || toTag === ""
      ? undefined
      : this.#options.core.dialogs.get(callId + fromTag + toTag);
  }
}

const CHALLENGERS: Readonly<Partial<Record<number, Challenger>>> = { 401: "server", 407: "proxy" };

/**
 * RFC 3261 §22.2: the repeated request has the next CSeq. Within a dialog that is the dialog's next,
 * or the request after this one would repeat it.
 */
function renumber(message: OutgoingRequestMessage, dialog: Dialog | undefined): void {
  if (dialog?.localSequenceNumber === undefined) {
    message.cseq += 1;
  } else {
    dialog.incrementLocalSequenceNumber();
    message.cseq = dialog.localSequenceNumber;
  }
  message.setHeader("cseq", `${message.cseq} ${message.method}`);
}

function setCredentials(message: OutgoingRequestMessage, lines: readonly string[]): void {
  for (const name of HEADERS) {
    const values = lines
      .filter((line) => line.startsWith(`${name}: `))
      .map((line) => line.slice(name.length + 2));
    if (values.length > 0) message.setHeader(name, values);
  }
}

function inviteKey({ callId, cseq }: OutgoingRequestMessage): string {
  return `${callId} ${cseq}`;
}

function digestRequest(message: OutgoingRequestMessage): DigestRequest {
  const { method, callId, ruri } = message;
  const body: unknown = message.body;
  const route = message.getHeader("route");
  const next = (route === undefined ? undefined : parseNameAddr(route)?.uri) ?? ruri;
  return {
    method,
    uri: ruri.toRaw(),
    body: typeof body === "object" && body !== null ? (body as { body: string }).body : "",
    callId,
    destination: `${next.host.toLowerCase()}:${next.port ?? ""}`,
  };
}
