import type { Crossing } from "./channel.ts";
import { RecentMessages } from "./recent-messages.ts";
import { redactMessage } from "./redact.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";
import type { SipTrace } from "./sip-trace.ts";
import { hostPortText } from "./sip-uri.ts";
import { transportTraits } from "./transport-name.ts";

const encoder = new TextEncoder();

/** Tells of every message that crossed a socket or connection, without its secrets. */
export class MessageTracer {
  readonly #onTrace: ((trace: SipTrace) => void) | undefined;
  readonly #seen: Readonly<Record<SipTrace["direction"], RecentMessages>> = {
    sent: new RecentMessages(TRANSACTION_TIMEOUT_MS),
    received: new RecentMessages(TRANSACTION_TIMEOUT_MS),
  };

  constructor(onTrace: ((trace: SipTrace) => void) | undefined) {
    this.#onTrace = onTrace;
  }

  trace(direction: SipTrace["direction"], crossing: Crossing): void {
    if (this.#onTrace === undefined) return;
    const { peek, at, channel, remote } = crossing;
    const text = redactMessage(crossing.text);
    this.#onTrace({
      at,
      direction,
      transport: transportTraits(channel.transport).viaToken,
      local: hostPortText(channel.local),
      remote: hostPortText(remote),
      startLine: peek.startLine,
      method: peek.method,
      ...(peek.statusCode === undefined ? {} : { statusCode: peek.statusCode }),
      cseq: peek.cseq,
      callId: peek.callId,
      text,
      retransmission: this.#seen[direction].isRepeated(crossing.text, at),
      bytes: text === crossing.text ? new Uint8Array(crossing.bytes) : encoder.encode(text),
    });
  }
}
