import type { IncomingResponseMessage, Session } from "sip.js/lib/core/index.js";
import type { OutgoingReferRequest } from "sip.js/lib/core/messages/methods/refer.js";
import { type Timer, UsageError } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import type { CallLifecycle } from "./call-lifecycle.ts";
import { type NotifyRequest, referEventId, referNotification } from "./refer-notification.ts";
import { ReferSubscription } from "./refer-subscription.ts";
import { referToHeader } from "./refer-to.ts";
import { parseTarget } from "./sip-uri.ts";
import type { ReferRequest, TransferOutcome } from "./transfer.ts";

/** Whose dialog it is. */
export interface ReferOwner {
  readonly context: CallContext;
  readonly lifecycle: CallLifecycle;
}

/** A REFER of ours, and what we are told of it. */
interface OpenRefer {
  readonly request: ReferRequest;
  readonly subscription: ReferSubscription;
  readonly resolve: (outcome: TransferOutcome) => void;
  sent: OutgoingReferRequest | undefined;
  timer: Timer | undefined;
}

const BAD_EVENT = 489;
const SUBSCRIPTION_DOES_NOT_EXIST = 481;

/**
 * The transferor's side (RFC 3515, RFC 5589): sends REFER within one dialog and follows the NOTIFYs.
 * sip.js sends them; of what became of the call it has no idea.
 */
export class ReferSender {
  readonly #session: Session;
  readonly #owner: ReferOwner;
  readonly #open = new Set<OpenRefer>();

  constructor(session: Session, owner: ReferOwner) {
    this.#session = session;
    this.#owner = owner;
  }

  /** See `SipCall.refer`. */
  async send(request: ReferRequest): Promise<TransferOutcome> {
    const { context, lifecycle } = this.#owner;
    const uri = parseTarget(request.target).toRaw();
    if (lifecycle.state !== "established") throw notInCall();
    const subscription = new ReferSubscription(context.clock.now(), request.timeoutMs);
    void this.#watchEnd();
    return new Promise((resolve) => {
      const open: OpenRefer = { request, subscription, resolve, sent: undefined, timer: undefined };
      this.#open.add(open);
      const answered = ({ message }: { message: IncomingResponseMessage }): void =>
        this.#handleAnswer(open, message);
      const at = context.sentAt(() => {
        open.sent = this.#session.refer(
          { onAccept: answered, onRedirect: answered, onReject: answered },
          { extraHeaders: this.#headers(uri, request) },
        );
      });
      this.#tell(request, { type: "requested", at });
      this.#pump(open);
    });
  }

  /** RFC 6665 §4.1.3: a NOTIFY that belongs to no subscription is refused with 481. */
  handleNotify(notify: NotifyRequest): void {
    const { context } = this.#owner;
    const { message } = notify;
    const event = referEventId(message);
    if (event === undefined) {
      notify.reject({ statusCode: BAD_EVENT, extraHeaders: ["Allow-Events: refer"] });
      return;
    }
    const open = this.#matching(event.id);
    const statusCode =
      open?.subscription.handleNotify(referNotification(message), context.messageInstant()) ??
      SUBSCRIPTION_DOES_NOT_EXIST;
    if (statusCode < 300) notify.accept({ statusCode });
    else notify.reject({ statusCode });
    if (open !== undefined) this.#pump(open);
  }

  #headers(uri: string, { replaces }: ReferRequest): string[] {
    return [
      referToHeader(uri, replaces),
      // RFC 3892 §2.1: so that the target can be told who sends it the call.
      `Referred-By: <${this.#session.localURI.toString()}>`,
      this.#owner.context.core.contactHeader,
    ];
  }

  /** The REFER's CSeq is the event's id; the first one need not be named (RFC 3515 §2.4.6). */
  #matching(id: string | undefined): OpenRefer | undefined {
    for (const open of this.#open) {
      if (id === undefined || String(open.sent?.message.cseq) === id) return open;
    }
    return undefined;
  }

  #handleAnswer(open: OpenRefer, message: IncomingResponseMessage): void {
    const { context } = this.#owner;
    const { statusCode = 0, reasonPhrase = "" } = message;
    // sip.js makes responses up, without text, where none came.
    const isFromPeer = (message as { data?: string }).data !== undefined;
    if (!isFromPeer) context.takeSendFailure(this.#session.callId);
    const referSub = isFromPeer ? (message.getHeader("Refer-Sub") ?? "") : "";
    const reports = !/^\s*false\b/i.test(referSub);
    open.subscription.handleAnswer(
      { statusCode, reasonPhrase, isFromPeer, reports },
      context.messageInstant(),
    );
    this.#pump(open);
  }

  #pump(open: OpenRefer): void {
    const { subscription, request, resolve } = open;
    for (let out = subscription.takeOutput(); out; out = subscription.takeOutput()) {
      if (out.kind === "outcome") resolve(out.outcome);
      else this.#tell(request, out.progress);
    }
    open.timer?.cancel();
    const dueAt = subscription.nextTimeout;
    if (dueAt === undefined) return;
    const { context } = this.#owner;
    open.timer = context.setTimer(dueAt, () => {
      subscription.handleTimeout(context.clock.now());
      this.#pump(open);
    });
  }

  #tell(
    { onProgress }: ReferRequest,
    progress: Parameters<NonNullable<typeof onProgress>>[0],
  ): void {
    if (onProgress !== undefined) this.#owner.context.guard(() => onProgress(progress));
  }

  /** The subscription may outlive the call's part of the dialog (RFC 5057 §4.2), for a moment here. */
  async #watchEnd(): Promise<void> {
    const { context, lifecycle } = this.#owner;
    if (this.#open.size > 0) return;
    await lifecycle.whenEnded();
    const waiting = [...this.#open].filter(({ subscription }) => !subscription.isDecided);
    for (const open of waiting) {
      open.subscription.handleCallEnded(context.messageInstant());
      this.#pump(open);
    }
    if (waiting.some(({ subscription }) => !subscription.isDecided)) {
      context.expectNotify(this.#session.id, (notify) => this.handleNotify(notify));
    }
  }
}

/** There is no answered call that could be transferred. */
export function notInCall(): UsageError {
  return new UsageError(
    "ERR_CALL_STATE",
    "Only an answered call can be transferred. Wait until it is established.",
  );
}
