import type { Clock } from "../environment/index.ts";
import type { InboundCall, ReceivedRefer, SipCall, SipCallEvent } from "../sip/index.ts";
import type { Call } from "./call.ts";
import type { TransferPolicy } from "./call-transfers.ts";

/** Where a call that we were asked for comes from. */
export interface Referral {
  /** The Call-ID of the call that is transferred. */
  readonly from: string;
  readonly target: string;
  readonly onEvent: (event: SipCallEvent) => void;
}

/** What the transfers of an agent's calls ask of it. */
export interface TransferHost {
  readonly clock: Clock;
  readonly policy: TransferPolicy;
  place(refer: ReceivedRefer, referral: Referral): Promise<Call>;
  callNamed(callId: string): Call | undefined;
}

/** What ties one call of an agent to another: who was referred whereto, and who replaced whom. */
export class AgentTransfers {
  policy: TransferPolicy;
  readonly #host: TransferHost;

  constructor(host: TransferHost) {
    this.#host = host;
    this.policy = host.policy;
  }

  /** Before the call begins. */
  watch(call: Call): void {
    call.transfers.handleRefers({
      policy: () => this.policy,
      place: async (refer, onEvent) => {
        const placed = { from: call.callId, target: refer.target, onEvent };
        return (await this.#host.place(refer, placed)).callId;
      },
    });
  }

  /** A call was placed because a peer asked for it; nothing has happened to it yet. */
  notePlaced(call: Call, { from, target, onEvent }: Referral): void {
    call.onSipEvent = onEvent;
    this.#note(call, { role: "transferee", event: "placed", target, otherCallId: from });
  }

  /** A call came that somebody was sent to us with. */
  noteOffered(call: Call, invite: InboundCall): void {
    if (!comesOfTransfer(invite)) return;
    const { replacedCallId } = invite;
    const other = replacedCallId === undefined ? {} : { otherCallId: replacedCallId };
    const isAttended = replacedCallId !== undefined;
    this.#note(call, { role: "target", event: "offered", isAttended, ...other });
  }

  /** It was answered, and another call gave way to it. */
  noteReplaced({ replacedCallId, callId, state }: InboundCall): void {
    if (replacedCallId === undefined || state !== "established") return;
    const replaced = this.#host.callNamed(replacedCallId);
    if (replaced === undefined) return;
    this.#note(replaced, { role: "target", event: "replaced", otherCallId: callId });
  }

  #note(
    call: Call,
    fact: {
      readonly role: "transferee" | "target";
      readonly event: "placed" | "offered" | "replaced";
      readonly target?: string;
      readonly isAttended?: boolean;
      readonly otherCallId?: string;
    },
  ): void {
    call.record({ kind: "transfer", at: this.#host.clock.now(), ...fact });
  }
}

/** RFC 3892, RFC 3891: whoever calls was sent here, or takes somebody else's place. */
export function comesOfTransfer(sip: SipCall | InboundCall): boolean {
  if (!("header" in sip)) return false;
  return sip.replacedCallId !== undefined || sip.header("Referred-By") !== undefined;
}
