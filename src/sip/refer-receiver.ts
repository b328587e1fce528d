import type {
  IncomingRequestMessage,
  IncomingResponseMessage,
  Session,
} from "sip.js/lib/core/index.js";
import type { IncomingReferRequest } from "sip.js/lib/core/messages/methods/refer.js";
import type { Timer } from "../environment/index.ts";
import { ReferNotifier } from "./refer-notifier.ts";
import type { ReferOwner } from "./refer-sender.ts";
import { type ReferTarget, readReferTo } from "./refer-to.ts";
import { replacesText } from "./replaces.ts";
import { SIPFRAG_TYPE } from "./sipfrag.ts";
import type { ReceivedRefer, ReferDecision, ReportStatus } from "./transfer.ts";

type CallTarget = Extract<ReferTarget, { readonly kind: "call" }>;

const ACCEPTED = 202;
const DECLINE = 603;
const CALL_DOES_NOT_EXIST = 481;
const SERVER_INTERNAL_ERROR = 500;

/**
 * The transferee's side (RFC 3515 §2.4): answers the peer's REFERs within one dialog as the call's
 * listener decides, and tells the peer by NOTIFY how the new call fares. It places no call.
 */
export class ReferReceiver {
  readonly #session: Session;
  readonly #owner: ReferOwner;
  #acceptedCount = 0;

  constructor(session: Session, owner: ReferOwner) {
    this.#session = session;
    this.#owner = owner;
  }

  handleRefer(request: IncomingReferRequest): void {
    const { message } = request;
    const target = readReferTo(message.getHeaders("Refer-To"));
    const decision =
      target.kind === "refused" ? target : this.#decide(received(message, target, this.#owner));
    if (!("follow" in decision)) {
      request.reject({ statusCode: decision.statusCode });
      return;
    }
    // RFC 4488 §4: whoever does not want to be told is taken at its word.
    const isSilent = /^\s*false\b/i.test(message.getHeader("Refer-Sub") ?? "");
    request.accept({
      statusCode: ACCEPTED,
      extraHeaders: [
        this.#owner.context.core.contactHeader,
        ...(isSilent ? ["Refer-Sub: false"] : []),
      ],
    });
    const report = isSilent ? () => {} : this.#subscribe(message);
    this.#owner.context.guard(() => decision.follow(report));
  }

  #decide(refer: ReceivedRefer): ReferDecision {
    const { context, lifecycle } = this.#owner;
    if (lifecycle.state !== "established") return { statusCode: CALL_DOES_NOT_EXIST };
    const listener = lifecycle.onRefer;
    if (listener === undefined) return { statusCode: DECLINE };
    // What a listener throws is our fault.
    let decision: ReferDecision = { statusCode: SERVER_INTERNAL_ERROR };
    context.guard(() => {
      decision = listener(refer);
    });
    return decision;
  }

  /** Tells the peer from now on, by NOTIFYs of this REFER's implicit subscription. */
  #subscribe(refer: IncomingRequestMessage): ReportStatus {
    const { context } = this.#owner;
    this.#acceptedCount += 1;
    // RFC 3515 §2.4.6: every REFER of a dialog but the first is named by its CSeq.
    const event = this.#acceptedCount === 1 ? "refer" : `refer;id=${refer.cseq}`;
    const notifier = new ReferNotifier(context.clock.now());
    let timer: Timer | undefined;
    const pump = (): void => {
      const now = context.clock.now();
      const notification = notifier.takeOutput(now);
      if (notification !== undefined) this.#notify(event, notification, handleAnswer);
      timer?.cancel();
      const dueAt = notifier.nextTimeout;
      if (dueAt === undefined) return;
      timer = context.setTimer(dueAt, () => {
        notifier.handleTimeout(context.clock.now());
        pump();
      });
    };
    const handleAnswer = (statusCode: number): void => {
      notifier.handleAnswer(statusCode);
      pump();
    };
    pump();
    return (statusCode, reasonPhrase = "") => {
      notifier.handleStatus({ statusCode, reasonPhrase });
      pump();
    };
  }

  #notify(
    event: string,
    { subscriptionState, fragment }: { subscriptionState: string; fragment: string },
    onAnswer: (statusCode: number) => void,
  ): void {
    const { context } = this.#owner;
    const answered = ({ message }: { message: IncomingResponseMessage }): void => {
      if ((message as { data?: string }).data === undefined)
        context.takeSendFailure(this.#session.callId);
      onAnswer(message.statusCode ?? SERVER_INTERNAL_ERROR);
    };
    this.#session.notify(
      { onAccept: answered, onRedirect: answered, onReject: answered },
      {
        extraHeaders: [
          `Event: ${event}`,
          `Subscription-State: ${subscriptionState}`,
          context.core.contactHeader,
        ],
        body: { contentDisposition: "", contentType: SIPFRAG_TYPE, content: fragment },
      },
    );
  }
}

function received(
  message: IncomingRequestMessage,
  { uri, replaces, requiresReplaces }: CallTarget,
  { context }: ReferOwner,
): ReceivedRefer {
  const referredBy = message.getHeader("Referred-By");
  return {
    target: uri,
    ...(replaces === undefined ? {} : { replaces }),
    headers: [
      // RFC 3892 §2.2: copied as it came.
      ...(referredBy === undefined ? [] : [`Referred-By: ${referredBy}`]),
      ...(replaces === undefined ? [] : [`Replaces: ${replacesText(replaces)}`]),
      ...(replaces !== undefined && requiresReplaces ? ["Require: replaces"] : []),
    ],
    at: context.messageInstant(),
  };
}
