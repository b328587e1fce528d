import type { SipCall } from "../sip/index.ts";
import type { FactSink } from "../timeline/index.ts";

/** Texts in SIP MESSAGE within one call, both ways, on the timeline. */
export class CallTexts {
  readonly #sip: SipCall;
  readonly #record: FactSink;

  constructor(sip: SipCall, record: FactSink) {
    this.#sip = sip;
    this.#record = record;
    sip.onMessage = ({ text, at }) => {
      record({ kind: "textMessage", direction: "received", at, text });
    };
  }

  /**
   * Sends a text; resolves when the peer took it.
   * @throws UsageError ERR_CALL_STATE, ERR_MESSAGE_MALFORMED; RemoteError ERR_MESSAGE_REJECTED.
   */
  async send(text: string): Promise<void> {
    const { sentAt: at } = await this.#sip.message(text);
    this.#record({ kind: "textMessage", direction: "sent", at, text });
  }
}
