import type { IncomingResponseMessage, OutgoingRequest, URI } from "sip.js/lib/core/index.js";
import { after, RemoteError, type Timer, UsageError } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import { addressOfRecord } from "./sip-uri.ts";

/** A peer's final response to OPTIONS. */
export interface OptionsAnswer {
  readonly statusCode: number;
  readonly reasonPhrase: string;
}

/** One OPTIONS request outside of a dialog (RFC 3261 §11). */
export class OptionsQuery {
  readonly #context: CallContext;
  readonly #target: URI;
  #request: OutgoingRequest | undefined;
  #timer: Timer | undefined;
  #reject: (error: Error) => void = () => {};

  constructor(context: CallContext, target: URI) {
    this.#context = context;
    this.#target = target;
  }

  /** Sends the request and waits for its final response. May be called once. */
  run(timeoutMs: number): Promise<OptionsAnswer> {
    const { core, clock } = this.#context;
    const message = core.makeOutgoingRequestMessage(
      "OPTIONS",
      this.#target,
      core.configuration.aor,
      addressOfRecord(this.#target),
      {},
      [core.contactHeader, "Accept: application/sdp"],
    );
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      const settle = ({ message: response }: { message: IncomingResponseMessage }): void => {
        this.#finish();
        const answer = answerIn(response);
        if (answer !== undefined) resolve(answer);
        else reject(this.#context.takeSendFailure(message.callId) ?? noResponse());
      };
      this.#request = core.request(message, {
        onAccept: settle,
        onRedirect: settle,
        onReject: settle,
      });
      this.#timer = clock.setTimer(after(clock.now(), timeoutMs), () => this.#giveUp(noResponse()));
    });
  }

  /** Stops waiting because the endpoint is being closed. */
  abandon(): void {
    this.#giveUp(
      new UsageError(
        "ERR_ENDPOINT_CLOSED",
        "The SIP endpoint was closed while it waited for an answer.",
      ),
    );
  }

  #giveUp(error: Error): void {
    this.#finish();
    if (this.#request !== undefined) this.#context.forgetRequest(this.#request);
    this.#reject(error);
  }

  #finish(): void {
    this.#timer?.cancel();
    this.#context.onEnded();
  }
}

/** sip.js makes up responses, without text, where none came. */
function answerIn(response: IncomingResponseMessage): OptionsAnswer | undefined {
  if ((response as { data?: string }).data === undefined) return undefined;
  const { statusCode = 0, reasonPhrase = "" } = response;
  return { statusCode, reasonPhrase };
}

function noResponse(): RemoteError {
  return new RemoteError(
    "ERR_SIP_NO_RESPONSE",
    "The peer did not answer our OPTIONS request in time. Check the target's address and port, and firewalls between.",
  );
}
