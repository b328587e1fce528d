import type { CallLifecycle } from "./call-lifecycle.ts";
import { notEstablished } from "./dialog-requests.ts";
import type { EstablishedDialog } from "./established-dialog.ts";
import type { OptionsAnswer } from "./peer-capabilities.ts";
import { notInCall } from "./refer-sender.ts";
import { notInDialog } from "./reinvite-sender.ts";
import type { Renegotiation } from "./renegotiation.ts";
import type { DialogIdentity } from "./replaces.ts";
import type { InfoAnswer, InfoListener, SipCall, SipCallEvent } from "./sip-call.ts";
import type { MessageAnswer, MessageListener } from "./text-exchange.ts";
import type { ReferListener, ReferRequest, TransferOutcome } from "./transfer.ts";

/** What a call is made of, whoever placed it. */
export interface DialogCallParts {
  readonly lifecycle: CallLifecycle;
  /** From the answer on. */
  readonly dialog: EstablishedDialog | undefined;
  readonly early: { renegotiate(how: Renegotiation): Promise<void> | undefined };
}

/** What a call of either direction does in the same way: all that its dialog and its listeners do. */
export abstract class DialogCall {
  protected abstract get parts(): DialogCallParts;

  get state(): SipCall["state"] {
    return this.parts.lifecycle.state;
  }

  get onEvent(): ((event: SipCallEvent) => void) | undefined {
    return this.parts.lifecycle.onEvent;
  }

  set onEvent(listener: ((event: SipCallEvent) => void) | undefined) {
    this.parts.lifecycle.onEvent = listener;
  }

  get onInfo(): InfoListener | undefined {
    return this.parts.lifecycle.onInfo;
  }

  set onInfo(listener: InfoListener | undefined) {
    this.parts.lifecycle.onInfo = listener;
  }

  get onMessage(): MessageListener | undefined {
    return this.parts.lifecycle.onMessage;
  }

  set onMessage(listener: MessageListener | undefined) {
    this.parts.lifecycle.onMessage = listener;
  }

  get onRefer(): ReferListener | undefined {
    return this.parts.lifecycle.onRefer;
  }

  set onRefer(listener: ReferListener | undefined) {
    this.parts.lifecycle.onRefer = listener;
  }

  get dialog(): DialogIdentity | undefined {
    return this.parts.dialog?.identity;
  }

  get remoteTarget(): string | undefined {
    return this.parts.dialog?.session.remoteTarget.toString();
  }

  info(contentType: string, body: string): Promise<InfoAnswer> {
    return this.parts.dialog?.info(contentType, body) ?? Promise.reject(notEstablished("INFO"));
  }

  message(text: string): Promise<MessageAnswer> {
    return this.parts.dialog?.message(text) ?? Promise.reject(notEstablished("MESSAGE"));
  }

  queryOptions(): Promise<OptionsAnswer> {
    return this.parts.dialog?.queryOptions() ?? Promise.reject(notEstablished("OPTIONS"));
  }

  renegotiate(how: Renegotiation = {}): Promise<void> {
    const { dialog, early } = this.parts;
    const sent = dialog?.renegotiate(how) ?? early.renegotiate(how);
    return sent ?? Promise.reject(notInDialog());
  }

  refer(request: ReferRequest): Promise<TransferOutcome> {
    return this.parts.dialog?.refer(request) ?? Promise.reject(notInCall());
  }
}
