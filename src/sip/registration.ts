import type {
  IncomingResponseMessage,
  OutgoingRequest,
  OutgoingRequestMessage,
  URI,
} from "sip.js/lib/core/index.js";
import {
  errorText,
  type Instant,
  isSidetoneError,
  RemoteError,
  type Timer,
} from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import { type OwnContact, type RegistrationGrant, readGrant, readReply } from "./register-reply.ts";
import {
  type RegisterOrder,
  type RegisterReply,
  RegistrationEngine,
  type RegistrationEvent,
  type RegistrationState,
  type RegistrationTimes,
} from "./registration-engine.ts";
import { parseTarget } from "./sip-uri.ts";

/** What to register where. */
export interface RegistrationOptions extends RegistrationTimes {
  /** The registrar, or the domain that it serves: sip:example.org. */
  readonly registrar: string;
  /** The address to be reached at; default: our user at the registrar's host. It becomes our From. */
  readonly aor?: string;
  /**
   * Asks for a GRUU (RFC 5627) and uses it as Contact. Default false: many proxies hand one out and
   * then do not route requests of a dialog to it.
   */
  readonly gruu?: boolean;
  /** Stable over restarts, e.g. "urn:uuid:…"; default: a random one. Only with `gruu`. */
  readonly instanceId?: string;
}

/** One address that is kept registered until it is closed. */
export interface Registration {
  readonly aor: string;
  readonly state: RegistrationState;
  /** What the registrar granted last. */
  readonly grant: RegistrationGrant | undefined;
  onEvent: ((event: RegistrationEvent) => void) | undefined;
  /**
   * Resolves when it is registered.
   * @throws (rejects) RemoteError ERR_SIP_REGISTRATION_FAILED, ERR_SIP_CREDENTIALS_REFUSED and its
   *   like where it is refused for good, or closed first.
   */
  whenRegistered(): Promise<void>;
  /** Takes the binding away; resolves when that was answered, 64·T1 later at most. */
  close(): Promise<void>;
}

/** Joins the engine of a registration to REGISTER requests and a timer (RFC 3261 §10.2). */
export class EndpointRegistration implements Registration {
  readonly aor: string;
  onEvent: ((event: RegistrationEvent) => void) | undefined;
  readonly #context: CallContext;
  readonly #registrar: URI;
  readonly #aorUri: URI;
  readonly #own: OwnContact;
  readonly #engine: RegistrationEngine;
  /** All REGISTERs of one registration share these (RFC 3261 §10.2.4). */
  readonly #callId: string;
  readonly #fromTag: string;
  readonly #waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly #enders: (() => void)[] = [];
  #cseq = 1;
  #request: OutgoingRequest | undefined;
  #timer: Timer | undefined;
  #grant: RegistrationGrant | undefined;
  #lastError: RegistrationEvent["error"];
  #isOver = false;

  /** @throws UsageError ERR_TARGET_MALFORMED, ERR_TARGET_UNSUPPORTED. */
  constructor(context: CallContext, options: RegistrationOptions) {
    const { core, random } = context;
    this.#context = context;
    this.#registrar = parseTarget(options.registrar);
    this.#aorUri = aorOf(options, this.#registrar, core.configuration.aor);
    this.aor = this.#aorUri.toString();
    const { uri } = core.configuration.contact;
    this.#own = {
      uri,
      instance: options.gruu === true ? `<${instanceOf(context, options)}>` : undefined,
    };
    this.#engine = new RegistrationEngine(options, random);
    this.#callId = core.newCallId();
    this.#fromTag = core.newTag();
  }

  get state(): RegistrationState {
    return this.#engine.state;
  }

  get grant(): RegistrationGrant | undefined {
    return this.#grant;
  }

  get callId(): string {
    return this.#callId;
  }

  /** Sends the first REGISTER. */
  start(): void {
    this.#context.core.configuration.aor = this.#aorUri;
    this.#engine.start();
    this.#drain();
  }

  whenRegistered(): Promise<void> {
    if (this.state === "registered") return Promise.resolve();
    if (this.state === "refused" || this.#isOver) return Promise.reject(this.#failure());
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  close(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    const ended = new Promise<void>((resolve) => {
      this.#enders.push(resolve);
    });
    this.#engine.stop(this.#now());
    this.#drain();
    return ended;
  }

  /** The endpoint closes now, whatever the registrar says. */
  abandon(): void {
    this.#end();
  }

  #drain(): void {
    for (
      let order = this.#engine.takeOrder();
      order !== undefined;
      order = this.#engine.takeOrder()
    ) {
      this.#send(order);
    }
    for (
      let event = this.#engine.takeEvent();
      event !== undefined;
      event = this.#engine.takeEvent()
    ) {
      this.#handleEvent(event);
    }
    this.#armTimer();
  }

  #send(order: RegisterOrder): void {
    // A transaction that was not awaited any longer (see `STOP_PATIENCE_MS`) must not go on.
    if (this.#request !== undefined) this.#context.forgetRequest(this.#request);
    this.#request = undefined;
    try {
      const message = this.#message(order);
      const settle = ({ message: response }: { message: IncomingResponseMessage }): void => {
        this.#cseq = message.cseq + 1;
        this.#request = undefined;
        this.#handleResponse(order, response);
      };
      this.#request = this.#context.core.register(message, {
        onAccept: settle,
        onRedirect: settle,
        onReject: settle,
      });
    } catch (error) {
      // A redirection to where we must not, or cannot, send.
      if (!isSidetoneError(error)) throw error;
      this.#engine.handleReply(order.number, noReply(403, error), this.#now());
    }
  }

  #message({ expiresS, target }: RegisterOrder): OutgoingRequestMessage {
    const { core } = this.#context;
    const { uri, instance } = this.#own;
    const tag = instance === undefined ? "" : `;+sip.instance="${instance}"`;
    const optionTags = [...core.configuration.supportedOptionTags, "path"];
    if (instance !== undefined) optionTags.push("gruu");
    this.#cseq += 1;
    return core.makeOutgoingRequestMessage(
      "REGISTER",
      target === undefined ? this.#registrar : parseTarget(target),
      this.#aorUri,
      this.#aorUri,
      { callId: this.#callId, fromTag: this.#fromTag, cseq: this.#cseq - 1, optionTags },
      [
        `Contact: <${uri.toString()}>${tag};expires=${expiresS}`,
        `Expires: ${expiresS}`,
        core.allowHeader,
      ],
    );
  }

  #handleResponse(order: RegisterOrder, response: IncomingResponseMessage): void {
    const { statusCode = 0 } = response;
    const failure = this.#context.takeSendFailure(this.#callId);
    // sip.js makes a 408 or 503 up where none came.
    const isFromPeer = (response as { data?: string }).data !== undefined;
    const reply = isFromPeer
      ? { ...readReply(response, this.#own), ...(failure === undefined ? {} : { error: failure }) }
      : noReply(statusCode, failure ?? silentRegistrar());
    if (isFromPeer && statusCode < 300) this.#adopt(readGrant(response, this.#own), order.expiresS);
    this.#engine.handleReply(order.number, reply, this.#context.messageInstant());
    this.#drain();
  }

  #adopt(grant: RegistrationGrant, askedS: number): void {
    const { core } = this.#context;
    this.#grant = askedS === 0 ? undefined : grant;
    core.serviceRoute = this.#grant?.serviceRoute ?? [];
    core.usePublicGruu(this.#own.instance === undefined ? undefined : this.#grant?.publicGruu);
  }

  #handleEvent(event: RegistrationEvent): void {
    this.#lastError = event.error;
    if (event.state === "registered" && event.error === undefined) {
      for (const { resolve } of this.#waiters.splice(0)) resolve();
    }
    if (event.state === "waiting" || event.state === "refused") {
      this.#adopt({ serviceRoute: [], path: [], publicGruu: undefined }, 0);
    }
    if (event.state === "refused") {
      for (const { reject } of this.#waiters.splice(0)) reject(this.#failure());
    }
    const listener = this.onEvent;
    if (listener !== undefined) this.#context.guard(() => listener(event));
    if (event.state === "unregistered") this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const { reject } of this.#waiters.splice(0)) reject(this.#failure());
    for (const resolve of this.#enders.splice(0)) resolve();
    this.#context.onEnded();
  }

  #armTimer(): void {
    const { clock } = this.#context;
    this.#timer?.cancel();
    const dueAt = this.#isOver ? undefined : this.#engine.nextTimeout;
    this.#timer =
      dueAt === undefined
        ? undefined
        : clock.setTimer(dueAt, () => {
            this.#engine.handleTimeout(clock.now());
            this.#drain();
          });
  }

  #now(): Instant {
    return this.#context.clock.now();
  }

  #failure(): RemoteError {
    const { code = "ERR_SIP_REGISTRATION_FAILED", message = "The registration was given up." } =
      this.#lastError ?? {};
    return new RemoteError(code, message);
  }
}

function aorOf(options: RegistrationOptions, registrar: URI, ours: URI): URI {
  if (options.aor !== undefined) return parseTarget(options.aor);
  const aor = registrar.clone();
  aor.user = ours.user ?? "";
  aor.clearParams();
  return aor;
}

/** RFC 5626 §4.1: a UUID URN. */
function instanceOf(context: CallContext, { instanceId }: RegistrationOptions): string {
  if (instanceId !== undefined) return instanceId;
  const digits = Array.from({ length: 32 }, () => Math.floor(context.random() * 16).toString(16));
  digits[12] = "4";
  digits[16] = "89ab".charAt(Math.floor(context.random() * 4));
  const text = digits.join("");
  const parts = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20)];
  return `urn:uuid:${parts.join("-")}-${text.slice(20)}`;
}

function noReply(statusCode: number, error: Error): RegisterReply {
  const code = isSidetoneError(error) ? error.code : "ERR_SIP_REGISTRATION_FAILED";
  const message = errorText(error);
  return { statusCode, reasonPhrase: "", alternatives: [], error: { code, message } };
}

function silentRegistrar(): RemoteError {
  return new RemoteError(
    "ERR_SIP_NO_RESPONSE",
    "The registrar sent no response to our REGISTER. Check its address and port, and firewalls between.",
  );
}
