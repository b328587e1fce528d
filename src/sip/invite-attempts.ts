import type {
  Body,
  IncomingResponseMessage,
  OutgoingRequestMessage,
  URI,
} from "sip.js/lib/core/index.js";
import type { CallContext } from "./call-context.ts";
import { type DialogSettings, extensionHeaders } from "./dialog-settings.ts";
import { type InviteAddresses, type InviteIdentity, inviteAddresses } from "./invite-identity.ts";
import { RedirectTargets } from "./redirect-targets.ts";
import { type RequestHeaders, splitRoutes } from "./request-headers.ts";
import { sdpBody } from "./session-description.ts";
import { readMinimum } from "./session-expires.ts";
import { inviteTimerHeaders, raisedMinimum } from "./session-timer.ts";

/** What all INVITEs of a call have in common. */
export interface InviteParts {
  readonly target: URI;
  /** Makes the offer, where it goes out with the INVITE. */
  readonly offer: (() => string) | undefined;
  readonly settings: DialogSettings;
  readonly identity: InviteIdentity;
  /** Of the user; Route lines become the route set. */
  readonly headers: readonly string[];
}

/** RFC 4028 §7.3: each 422 must ask for more than the one before; a peer that goes on is at fault. */
const TIMER_RETRIES_MAX = 3;

/**
 * The INVITEs of one call: the first, and those after a 422 or a redirection, which have the same
 * Call-ID, From and To, and a higher CSeq (RFC 3261 §8.1.3.4, RFC 4028 §7.4).
 */
export class InviteAttempts {
  readonly #context: CallContext;
  readonly #addresses: InviteAddresses;
  readonly #headers: RequestHeaders;
  readonly #body: Body | undefined;
  readonly #targets: RedirectTargets;
  readonly #first: OutgoingRequestMessage;
  #settings: DialogSettings;
  #cseq = 1;
  #timerRetries = 0;
  /** Where the next INVITE goes. */
  #next: URI | undefined;
  /** Where the last one went. */
  #uri: URI;

  /** @throws UsageError where the target or a header cannot be used. */
  constructor(context: CallContext, parts: InviteParts) {
    this.#context = context;
    this.#settings = parts.settings;
    this.#addresses = inviteAddresses(parts.target, parts.identity);
    const { requestUri, route } = this.#addresses;
    this.#uri = requestUri;
    this.#headers = splitRoutes(parts.headers);
    if (route !== undefined) this.#headers.routeSet.unshift(route);
    context.core.dialPolicy.require(requestUri, this.#headers.routeSet);
    this.#body = parts.offer && sdpBody(parts.offer());
    this.#targets = new RedirectTargets(parts.target, parts.settings);
    this.#first = this.#message({});
  }

  get first(): OutgoingRequestMessage {
    return this.#first;
  }

  /** As they are after what the peers asked for. */
  get settings(): DialogSettings {
    return this.#settings;
  }

  /** What a refusal makes of it; `next` gives the INVITE that follows. */
  handleRefusal(refusal: IncomingResponseMessage): void {
    const { statusCode = 0 } = refusal;
    if (statusCode === 422) this.#lengthen(refusal);
    else if (statusCode >= 300 && statusCode < 400) this.#targets.add(refusal);
    // RFC 3261 §16.7: a 6xx speaks for all targets.
    else if (statusCode >= 600) this.#targets.clear();
  }

  /**
   * The INVITE that follows; `undefined` where the refusal is final.
   * @throws UsageError where the safety policy forbids it; the one after it may be allowed.
   */
  next(): OutgoingRequestMessage | undefined {
    const uri = this.#next ?? this.#targets.next();
    this.#next = undefined;
    if (uri === undefined) return undefined;
    this.#context.core.dialPolicy.require(uri, this.#headers.routeSet);
    this.#uri = uri;
    this.#cseq += 1;
    const { callId, fromTag } = this.#first;
    return this.#message({ callId, fromTag, cseq: this.#cseq });
  }

  #lengthen(refusal: IncomingResponseMessage): void {
    const settings = raisedMinimum(this.#settings, readMinimum(refusal));
    this.#timerRetries += 1;
    if (settings === undefined || this.#timerRetries > TIMER_RETRIES_MAX) return;
    this.#settings = settings;
    this.#next = this.#uri;
  }

  #message(identity: { callId?: string; fromTag?: string; cseq?: number }): OutgoingRequestMessage {
    const { core } = this.#context;
    const { from, to } = this.#addresses;
    const { routeSet, others } = this.#headers;
    return core.makeOutgoingRequestMessage(
      "INVITE",
      this.#uri,
      from?.uri ?? core.configuration.aor,
      to.uri,
      {
        routeSet,
        toDisplayName: to.displayName,
        ...(from === undefined ? {} : { fromDisplayName: from.displayName }),
        ...identity,
      },
      [
        core.contactHeader,
        core.allowHeader,
        ...extensionHeaders(this.#settings),
        ...inviteTimerHeaders(this.#settings),
        ...others,
      ],
      this.#body,
    );
  }
}
