import { afterEach, beforeEach, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type { InboundCall, OutboundCall, SipEndpoint } from "../../../src/sip/index.ts";
import { FakeNegotiator, SipLab } from "./sip-lab.ts";

/** A call between the two, with both negotiators. */
export interface Connected {
  readonly outbound: OutboundCall;
  readonly inbound: InboundCall;
  readonly callers: FakeNegotiator;
  readonly bots: FakeNegotiator;
}

/** A caller at 192.0.2.1 and a bot at 192.0.2.2, which takes no call by itself. */
export class TwoParties {
  lab!: SipLab;
  caller!: SipEndpoint;
  bot!: SipEndpoint;
  /** The calls that came to the bot. */
  readonly incoming: InboundCall[] = [];

  /** Begins anew, on another network. */
  async open(network: ConstructorParameters<typeof SipLab>[0] = {}): Promise<void> {
    this.incoming.length = 0;
    this.lab = new SipLab(network);
    this.bot = await this.lab.endpoint(2, "bot");
    this.bot.onInvite = (call) => this.incoming.push(call);
    this.caller = await this.lab.endpoint(1, "caller");
  }

  /** A call with early media that is not answered yet. */
  async ringing(): Promise<Connected> {
    const call = await this.#offered();
    call.inbound.openEarlyMedia(call.bots);
    await this.lab.advance(50);
    return call;
  }

  /** A call that is answered; what its negotiators were asked is forgotten. */
  connected(): Promise<Connected> {
    return this.#answered(() => this.#offered());
  }

  /** The same, with early media before. */
  connectedAfterEarlyMedia(): Promise<Connected> {
    return this.#answered(() => this.ringing());
  }

  async #offered(): Promise<Connected> {
    const callers = new FakeNegotiator();
    const bots = new FakeNegotiator();
    const outbound = this.caller.call("sip:bot@192.0.2.2", { negotiator: callers });
    await this.lab.advance(20);
    const inbound = present(this.incoming.at(-1), "the INVITE arrived");
    return { outbound, inbound, callers, bots };
  }

  async #answered(begin: () => Promise<Connected>): Promise<Connected> {
    const call = await begin();
    call.inbound.answer(call.bots);
    await this.lab.advance(50);
    call.callers.steps.length = 0;
    call.bots.steps.length = 0;
    return call;
  }
}

/** New parties and fake timers for each test of a file. */
export function useTwoParties(): TwoParties {
  const parties = new TwoParties();
  beforeEach(async () => {
    vi.useFakeTimers();
    await parties.open();
  });
  afterEach(async () => {
    await parties.lab.close();
    vi.useRealTimers();
  });
  return parties;
}

/** What a promise came to, for promises that fake time settles. */
export interface Outcome {
  isDone: boolean;
  value?: unknown;
  error?: unknown;
}

export function outcomeOf(promise: Promise<unknown>): Outcome {
  const outcome: Outcome = { isDone: false };
  void (async () => {
    try {
      const value = await promise;
      if (value !== undefined) outcome.value = value;
    } catch (error) {
      outcome.error = error;
    }
    outcome.isDone = true;
  })();
  return outcome;
}
