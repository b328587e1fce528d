import type {
  ClientTransaction,
  InviteClientTransaction,
  NonInviteClientTransaction,
  UserAgentCore,
} from "sip.js/lib/core/index.js";
import { after, type Clock, type Timer } from "../environment/index.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";

type Retired = InviteClientTransaction | NonInviteClientTransaction;

/** Transactions whose request went on to another server, kept for what still comes for them. */
export class RetiredTransactions {
  readonly #clock: Clock;
  readonly #core: UserAgentCore;
  readonly #byBranch = new Map<string, { readonly transaction: Retired; readonly timer: Timer }>();

  constructor(clock: Clock, core: UserAgentCore) {
    this.#clock = clock;
    this.#core = core;
  }

  get(branch: string): Retired | undefined {
    return this.#byBranch.get(branch)?.transaction;
  }

  /** Keeps it for 64·T1: no peer repeats its answer for longer. */
  add(transaction: ClientTransaction): void {
    const { id } = transaction;
    const dueAt = after(this.#clock.now(), TRANSACTION_TIMEOUT_MS);
    const timer = this.#clock.setTimer(dueAt, () => {
      this.#byBranch.delete(id);
      this.#core.userAgentClients.delete(`${id}${transaction.request.method}`);
      transaction.dispose();
    });
    this.#byBranch.set(id, { transaction: transaction as Retired, timer });
  }

  /** Ends all of them, and with them sip.js's timers. */
  dispose(): void {
    for (const { transaction, timer } of this.#byBranch.values()) {
      timer.cancel();
      transaction.dispose();
    }
    this.#byBranch.clear();
  }
}
