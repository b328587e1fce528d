import type { CallContexts } from "./call-contexts.ts";
import { OPTIONS_ACCEPT, optionsAnswerIn } from "./options-answer.ts";
import { type OutsideReply, OutsideRequest } from "./outside-request.ts";
import type { OptionsAnswer } from "./peer-capabilities.ts";
import type { SipCore } from "./sip-core.ts";
import { addressOfRecord, parseTarget } from "./sip-uri.ts";
import type { MessageAnswer } from "./text-exchange.ts";
import { answerIn, requireShort, textBody } from "./text-message.ts";

type RequestBody = Parameters<SipCore["makeOutgoingRequestMessage"]>[6];

/** The requests of an endpoint that belong to no dialog and make none: OPTIONS and MESSAGE. */
export class StandaloneRequests {
  readonly #core: SipCore;
  readonly #contexts: CallContexts;
  readonly #open = new Set<OutsideRequest>();

  constructor(core: SipCore, contexts: CallContexts) {
    this.#core = core;
    this.#contexts = contexts;
  }

  /** See `SipEndpoint.queryOptions`. */
  async queryOptions(target: string, timeoutMs: number): Promise<OptionsAnswer> {
    const headers = [this.#core.contactHeader, this.#core.allowHeader, OPTIONS_ACCEPT];
    return optionsAnswerIn(await this.#send({ method: "OPTIONS", target, headers, timeoutMs }));
  }

  /** See `SipEndpoint.sendMessage`. RFC 3428 §4: it has no Contact. */
  async sendMessage(target: string, text: string, timeoutMs: number): Promise<MessageAnswer> {
    const body = textBody(text);
    return answerIn(await this.#send({ method: "MESSAGE", target, body, timeoutMs }));
  }

  /** The endpoint closes. */
  abandon(): void {
    for (const request of this.#open) request.abandon();
  }

  #send(wanted: {
    readonly method: "OPTIONS" | "MESSAGE";
    readonly target: string;
    readonly headers?: string[];
    readonly body?: RequestBody;
    readonly timeoutMs: number;
  }): Promise<OutsideReply> {
    const { method, headers = [], body, timeoutMs } = wanted;
    const target = parseTarget(wanted.target);
    this.#core.dialPolicy.require(target);
    const message = this.#core.makeOutgoingRequestMessage(
      method,
      target,
      this.#core.configuration.aor,
      addressOfRecord(target),
      {},
      headers,
      body,
    );
    if (method === "MESSAGE") requireShort(message);
    const context = this.#contexts.open(() => this.#open.delete(request));
    const request: OutsideRequest = new OutsideRequest(context, message);
    this.#open.add(request);
    return request.run(timeoutMs);
  }
}
