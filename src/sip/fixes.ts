/**
 * Everything that we change in sip.js 0.21.2, in one place (and in fixes-of-repetition.ts), each with its reason. The version is
 * pinned in package.json and asserted here: a new one has to be read again first. See
 * docs/adr/0002-sip-js.md.
 *
 * What could be done from outside (configuration, delegates, the subclass in sip-core.ts, own
 * transport and parser) is done there, not here.
 */
import {
  ClientTransaction,
  Dialog,
  type IncomingInviteRequest,
  type IncomingRequest,
  type IncomingRequestMessage,
  type IncomingResponseMessage,
  NameAddrHeader,
  NonInviteClientTransaction,
  NonInviteServerTransaction,
  type OutgoingRequest,
  type OutgoingRequestDelegate,
  type OutgoingRequestMessage,
  type RequestOptions,
  type Session,
  SessionDialog,
  Timers,
  URI,
  UserAgentClient,
  type UserAgentCore,
  UserAgentServer,
} from "sip.js/lib/core/index.js";
import { AllowedMethods } from "sip.js/lib/core/user-agent-core/allowed-methods.js";
import { LIBRARY_VERSION } from "sip.js/lib/version.js";
import { assert } from "../environment/index.ts";
import {
  patchAuthentication,
  patchReinviteAckTimeout,
  patchRejectionAck,
} from "./fixes-of-repetition.ts";
import { isUserInfo } from "./wire-uri.ts";

const CALL_DOES_NOT_EXIST = 481;
/** What version.js of the package 0.21.2 says of itself. */
const PATCHED_LIBRARY_VERSION: string = "0.21.1";

/** Methods that this user agent handles; sip.js answers 405 to all others. */
const OUR_METHODS = "ACK BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK REFER UPDATE".split(
  " ",
);

/** Members that TypeScript takes for private. */
interface ClientTransactionStatics {
  makeId: (request: OutgoingRequestMessage) => string;
}
interface UriInternals {
  escapeUser: (user: string) => string;
}

interface SessionDialogInternals {
  ackWait: boolean;
  reinviteUserAgentServer: unknown;
  dispose: () => void;
  core: UserAgentCore;
  dialogState: { remoteTarget: URI };
  sequenceGuard: (message: IncomingRequestMessage) => boolean;
  receiveRequest: (message: IncomingRequestMessage) => void;
}

const updateHandlers = new WeakMap<object, (request: UserAgentServer) => void>();
const targetsBefore = new WeakMap<object, URI>();
const branchSources = new WeakMap<OutgoingRequestMessage, () => string>();
let isApplied = false;

/** Applies all process-wide changes, once. */
export function applyFixes(): void {
  if (isApplied) return;
  assert(LIBRARY_VERSION === PATCHED_LIBRARY_VERSION, "sip.js is pinned to the patched version");
  setUnreliableTransportTimers();
  patchBranches();
  patchUserEscaping();
  patchDisposal();
  patchUpdate();
  patchAuthentication();
  patchRejectionAck();
  patchReinviteAckTimeout();
  AllowedMethods.splice(0, AllowedMethods.length, ...OUR_METHODS);
  isApplied = true;
}

/**
 * sip.js has the values of reliable transports (0). Over UDP, a late duplicate of an INVITE would
 * start a second call, and a repeated BYE would be answered 481 (RFC 3261 §17, table 4).
 */
function setUnreliableTransportTimers(): void {
  Timers.TIMER_D = 32_000;
  Timers.TIMER_I = Timers.T4;
  Timers.TIMER_J = 64 * Timers.T1;
  Timers.TIMER_K = Timers.T4;
}

/**
 * sip.js draws branches from 10^7 values with Math.random: too few for hundreds of calls, and not
 * repeatable from a seed. A request made by our core brings its own source.
 */
function patchBranches(): void {
  const statics = ClientTransaction as unknown as ClientTransactionStatics;
  const original = statics.makeId;
  assert(typeof original === "function", "0.21.2 has ClientTransaction.makeId");
  statics.makeId = (request) => {
    const source = request.method === "CANCEL" ? undefined : branchSources.get(request);
    return source === undefined ? original(request) : source();
  };
}

/** Makes a request draw its branch from `source`, ACKs of 2xx included. */
export function useBranchSource(request: OutgoingRequestMessage, source: () => string): void {
  branchSources.set(request, source);
  if (request.method !== "ACK") return;
  // An ACK of a 2xx has no transaction; InviteClientTransaction.ackResponse makes its branch up.
  const setViaHeader = request.setViaHeader.bind(request);
  request.setViaHeader = (_branch, transport) => setViaHeader(source(), transport);
}

/**
 * sip.js decodes and re-encodes the user part: "alice;day=tuesday" became "alice%3Bday%3Dtuesday",
 * which is another URI (RFC 3261 §19.1.4), and a stray "%" threw. What is valid stays as it is.
 */
function patchUserEscaping(): void {
  const prototype = URI.prototype as unknown as UriInternals;
  const original = prototype.escapeUser;
  assert(typeof original === "function", "0.21.2 has URI.prototype.escapeUser");
  prototype.escapeUser = (user) => (isUserInfo(user) ? user : encodeURIComponent(user));
}

/**
 * A dialog that repeats the 200s of two INVITEs has one slot for both timers: where neither was
 * acknowledged, the first repeats itself for ever, dialog or no dialog. Both look at these fields.
 */
function patchDisposal(): void {
  const prototype = SessionDialog.prototype as unknown as SessionDialogInternals;
  const original = prototype.dispose;
  assert(typeof original === "function", "0.21.2 has SessionDialog.prototype.dispose");
  prototype.dispose = function dispose(this: SessionDialogInternals): void {
    this.ackWait = false;
    this.reinviteUserAgentServer = undefined;
    original.call(this);
  };
}

/**
 * sip.js knows no UPDATE (RFC 3311). It belongs to the dialog: its CSeq counts, so the dialog's own
 * checks have to run. What an INVITE does to the remote target is noted, to be taken back.
 */
function patchUpdate(): void {
  const prototype = SessionDialog.prototype as unknown as SessionDialogInternals;
  const original = prototype.receiveRequest;
  assert(typeof original === "function", "0.21.2 has SessionDialog.prototype.receiveRequest");
  assert(typeof prototype.sequenceGuard === "function", "0.21.2 has Dialog.sequenceGuard");
  prototype.receiveRequest = function receiveRequest(message) {
    if (message.method !== "UPDATE") {
      targetsBefore.set(this, this.dialogState.remoteTarget);
      original.call(this, message);
      return;
    }
    if (!this.sequenceGuard(message)) return;
    Dialog.prototype.receiveRequest.call(this as unknown as Dialog, message);
    const request = new UserAgentServer(NonInviteServerTransaction, this.core, message);
    const handler = updateHandlers.get(this);
    if (handler === undefined) request.reject({ statusCode: CALL_DOES_NOT_EXIST });
    else handler(request);
  };
}

/**
 * Sends a request within a dialog. sip.js knows no UPDATE, no OPTIONS there, and treats the others so,
 * too.
 */
export function sendInDialog(
  session: Session,
  core: UserAgentCore,
  {
    method,
    delegate,
    options,
  }: {
    readonly method: "INFO" | "MESSAGE" | "OPTIONS" | "UPDATE";
    readonly delegate: OutgoingRequestDelegate;
    readonly options: RequestOptions;
  },
): UserAgentClient {
  const dialog = session as SessionDialog;
  const message = dialog.createOutgoingRequestMessage(method, options);
  return new UserAgentClient(NonInviteClientTransaction, core, message, delegate);
}

/** Lets `handler` answer the UPDATE requests of a dialog. */
export function onUpdate(session: Session, handler: (request: UserAgentServer) => void): void {
  updateHandlers.set(session, handler);
}

/**
 * sip.js takes the Contact of a re-INVITE over before we accept it. One that we refuse changes
 * nothing (RFC 3261 §12.2.2, RFC 6141 §4.3).
 */
export function restoreRemoteTarget(session: Session): void {
  const before = targetsBefore.get(session);
  const internals = session as unknown as SessionDialogInternals;
  if (before !== undefined) internals.dialogState.remoteTarget = before;
}

/** The tag of our side in all responses to this request; sip.js draws it with Math.random. */
export function setLocalTag(request: IncomingRequest, tag: string): void {
  (request as unknown as { toTag: string }).toTag = tag;
}

/** The same tag again. */
export function localTagOf(request: IncomingInviteRequest): string {
  return (request as unknown as { toTag: string }).toTag;
}

/** The client transaction behind a request. */
export function branchOf(request: OutgoingRequest): string {
  return request.message.branch ?? "";
}

/**
 * sip.js keeps the remote target of the early dialog; a 2xx replaces it, as do re-INVITE and UPDATE
 * with their 2xx (RFC 3261 §12.2.1.2, RFC 3311 §5.1).
 */
export function refreshRemoteTarget(
  session: Session,
  message: IncomingResponseMessage | IncomingRequestMessage,
): void {
  const contact: unknown = message.parseHeader("contact");
  if (!(contact instanceof NameAddrHeader)) return;
  (session as unknown as { dialogState: { remoteTarget: URI } }).dialogState.remoteTarget =
    contact.uri;
}

/**
 * RFC 3261 §15: a callee waits for the ACK before BYE, which sip.js enforces by throwing. When our
 * endpoint closes there is no more waiting, and a BYE too early is better for the peer than none.
 */
export function stopWaitingForAck(session: Session): void {
  (session as unknown as { ackWait: boolean }).ackWait = false;
}

/**
 * sip.js repeats the answer of a provisional response in the 200. Where that came reliably, the
 * exchange is over, and a later one may have changed it (RFC 6337 §3.1.1).
 */
export function forgetAnswer(session: Session): void {
  Object.assign(session, { ["_answer"]: undefined });
}
