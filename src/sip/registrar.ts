import { type IncomingRequestMessage, NameAddrHeader } from "sip.js/lib/core/index.js";
import { after, type Instant } from "../environment/index.ts";
import type { Refusal } from "./incoming-request.ts";

/** A small registrar of our own, for tests and for bots that want one. */
export interface RegistrarOptions {
  /** Shorter wishes get 423. Default 1. */
  readonly minExpiresS?: number;
  /** Longer wishes are cut. Default 3600. */
  readonly maxExpiresS?: number;
  /** Service-Route values for whom it registers (RFC 3608). */
  readonly serviceRoute?: readonly string[];
}

/** Where an address can be reached. */
export interface Binding {
  /** The Contact's URI. */
  readonly contact: string;
  readonly expiresAt: Instant;
  /** Route values to it (RFC 3327). */
  readonly path: readonly string[];
}

interface StoredBinding extends Binding {
  readonly callId: string;
  readonly cseq: number;
  readonly instance: string | undefined;
  /** The parameters of the Contact that are given back. */
  readonly parameters: string;
}

interface ContactWish {
  readonly message: IncomingRequestMessage;
  readonly contact: NameAddrHeader;
  readonly now: Instant;
}

const DEFAULT_EXPIRES_S = 3600;
/** Peers decide how much is stored. */
const BINDINGS_PER_ADDRESS = 16;
const ADDRESSES_MAX = 10_000;

/**
 * Stores bindings in memory (RFC 3261 §10.3), with Path (RFC 3327), Service-Route (RFC 3608) and
 * public GRUUs (RFC 5627). It authenticates nobody and routes nothing: an endpoint's `demand` does
 * the one, and `lookup` tells where to.
 */
export class Registrar {
  /** Told what an address is bound to whenever that was asked for, changed or not. */
  onBindings: ((aor: string, bindings: readonly Binding[]) => void) | undefined;
  readonly #options: RegistrarOptions;
  readonly #bindings = new Map<string, StoredBinding[]>();

  constructor(options: RegistrarOptions = {}) {
    this.#options = options;
  }

  /** The bindings of an address such as "sip:bot@example.org" that have not run out. */
  lookup(aor: string, now: Instant): readonly Binding[] {
    return this.#live(aor.toLowerCase(), now);
  }

  /** The final response to a REGISTER. */
  handle(message: IncomingRequestMessage, now: Instant): Refusal {
    const { uri } = message.to;
    const key = `sip:${uri.user ?? ""}@${uri.host}`.toLowerCase();
    if (/^(?:contact|m)[ \t]*:[ \t]*\*[ \t]*\r?$/im.test(message.data)) {
      // §10.2.2: all bindings, and nothing else.
      if (message.getHeader("Expires")?.trim() !== "0") return { statusCode: 400 };
      this.#bindings.delete(key);
      this.onBindings?.(key, []);
      return this.#accepted(message, [], now);
    }
    if (!this.#bindings.has(key) && this.#bindings.size >= ADDRESSES_MAX)
      return { statusCode: 503 };
    let bindings: readonly StoredBinding[] = this.#live(key, now);
    for (const contact of contactsOf(message)) {
      const changed = this.#changed(bindings, { message, contact, now });
      if ("statusCode" in changed) return changed;
      bindings = changed;
    }
    if (bindings.length > BINDINGS_PER_ADDRESS) return { statusCode: 503 };
    this.#bindings.set(key, [...bindings]);
    this.onBindings?.(key, bindings);
    return this.#accepted(message, bindings, now);
  }

  /** The bindings after one Contact, or why it is refused (§10.3, steps 6 and 7). */
  #changed(
    bindings: readonly StoredBinding[],
    { message, contact, now }: ContactWish,
  ): readonly StoredBinding[] | Refusal {
    const { minExpiresS = 1, maxExpiresS = DEFAULT_EXPIRES_S } = this.#options;
    const wantedS =
      seconds(contact.getParam("expires")) ??
      seconds(message.getHeader("Expires")) ??
      DEFAULT_EXPIRES_S;
    if (wantedS > 0 && wantedS < minExpiresS) {
      return { statusCode: 423, extraHeaders: [`Min-Expires: ${minExpiresS}`] };
    }
    const binding = bindingOf(message, contact, after(now, Math.min(wantedS, maxExpiresS) * 1000));
    const former = bindings.find((each) => isSame(each, binding));
    // A request that others have overtaken changes nothing.
    if (former?.callId === message.callId && former.cseq > message.cseq) return { statusCode: 500 };
    const others = bindings.filter((each) => each !== former);
    return wantedS > 0 ? [...others, binding] : others;
  }

  #live(key: string, now: Instant): StoredBinding[] {
    return (this.#bindings.get(key) ?? []).filter(({ expiresAt }) => expiresAt > now);
  }

  #accepted(
    message: IncomingRequestMessage,
    bindings: readonly StoredBinding[],
    now: Instant,
  ): Refusal {
    const tags = message.getHeaders("Supported").join(",");
    const { user = "", host } = message.to.uri;
    const contacts = bindings.map(({ contact, parameters, instance, expiresAt }) => {
      const remaining = Math.max(0, Math.ceil((expiresAt - now) / 1000));
      const gruu =
        instance === undefined || !/\bgruu\b/.test(tags)
          ? ""
          : `;pub-gruu="sip:${user}@${host};gr=${instance.replaceAll(/[<>"]/g, "")}"`;
      return `Contact: <${contact}>${parameters};expires=${remaining}${gruu}`;
    });
    const path = message.getHeaders("Path").map((value) => `Path: ${value}`);
    const serviceRoute = this.#options.serviceRoute ?? [];
    return {
      statusCode: 200,
      extraHeaders: [
        ...contacts,
        ...path,
        ...serviceRoute.map((value) => `Service-Route: ${value}`),
      ],
    };
  }
}

function contactsOf(message: IncomingRequestMessage): NameAddrHeader[] {
  return (message.headers["Contact"] ?? [])
    .map(({ parsed }: { parsed?: unknown }) => parsed)
    .filter((each) => each instanceof NameAddrHeader);
}

function bindingOf(
  message: IncomingRequestMessage,
  contact: NameAddrHeader,
  expiresAt: Instant,
): StoredBinding {
  const instance = contact.getParam("+sip.instance") ?? undefined;
  return {
    contact: contact.uri.toString(),
    expiresAt,
    path: message.getHeaders("Path"),
    callId: message.callId,
    cseq: message.cseq,
    instance,
    parameters: instance === undefined ? "" : `;+sip.instance=${instance}`,
  };
}

function isSame(a: StoredBinding, b: StoredBinding): boolean {
  return a.instance === undefined || b.instance === undefined
    ? a.contact === b.contact
    : a.instance === b.instance;
}

function seconds(text: string | null | undefined): number | undefined {
  const digits = /^\d{1,10}$/.exec(text?.trim() ?? "")?.[0];
  return digits === undefined ? undefined : Number(digits);
}
