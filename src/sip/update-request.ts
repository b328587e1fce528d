import type { IncomingRequestMessage, Session, UserAgentServer } from "sip.js/lib/core/index.js";
import type { CallContext } from "./call-context.ts";
import type { CallLifecycle } from "./call-lifecycle.ts";
import { refreshRemoteTarget } from "./fixes.ts";
import type { OfferState } from "./offer-state.ts";
import { type Negotiation, sdpBody, sdpOf } from "./session-description.ts";
import type { TimerAnswer } from "./session-expires.ts";
import type { SessionTimer } from "./session-timer.ts";

/** Whose dialog an UPDATE belongs to. */
export interface UpdateOwner {
  readonly context: CallContext;
  readonly lifecycle: CallLifecycle;
  readonly session: Session;
  readonly offers: OfferState;
  readonly acceptOffer: (offer: string) => Negotiation;
  /** Only in a confirmed dialog. */
  readonly timer?: SessionTimer;
  readonly supported: readonly string[];
}

const CALL_DOES_NOT_EXIST = 481;
const NOT_ACCEPTABLE_HERE = 488;
const REQUEST_PENDING = 491;
const SERVER_INTERNAL_ERROR = 500;

/**
 * Answers the peer's UPDATE (RFC 3311 §5.2): takes its Contact, its offer where it has one, and its
 * refresh of the session. What we refuse changes nothing.
 */
export function answerUpdate(request: UserAgentServer, owner: UpdateOwner): void {
  const { message } = request;
  const { lifecycle, session, timer } = owner;
  const timing = timer?.answer(message) ?? { kind: "none" };
  const refusal =
    lifecycle.state === "ended"
      ? { statusCode: CALL_DOES_NOT_EXIST }
      : timing.kind === "refused"
        ? timing.refusal
        : clashOf(message, owner);
  if (refusal !== undefined) {
    request.reject(refusal);
    return;
  }
  const offer = sdpOf(message);
  const result = offer === undefined ? undefined : owner.acceptOffer(offer);
  if (result?.isAgreed === false) {
    request.reject({ statusCode: NOT_ACCEPTABLE_HERE });
    return;
  }
  refreshRemoteTarget(session, message);
  accept(request, owner, { timing, description: result?.description });
  timer?.handleAnswered(timing);
}

function accept(
  request: UserAgentServer,
  { context, supported }: UpdateOwner,
  answer: { readonly timing: TimerAnswer; readonly description: string | undefined },
): void {
  const { timing, description } = answer;
  const headers = timing.kind === "agreed" ? timing.headers : [];
  const { contactHeader, allowHeader } = context.core;
  request.accept({
    statusCode: 200,
    extraHeaders: [contactHeader, allowHeader, ...supported, ...headers],
    ...(description === undefined ? {} : { body: sdpBody(description) }),
  });
}

/** RFC 3311 §5.2: there is one offer at a time. */
function clashOf(
  message: IncomingRequestMessage,
  { offers, context }: UpdateOwner,
): { readonly statusCode: number; readonly extraHeaders: string[] } | undefined {
  if (sdpOf(message) === undefined || offers.open === "none") return undefined;
  if (offers.open === "ours") return { statusCode: REQUEST_PENDING, extraHeaders: [] };
  const seconds = Math.floor(context.random() * 11);
  return { statusCode: SERVER_INTERNAL_ERROR, extraHeaders: [`Retry-After: ${seconds}`] };
}
