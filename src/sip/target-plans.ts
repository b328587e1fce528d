import { after, type Instant } from "../environment/index.ts";
import type { Target } from "./locate.ts";

/** How long the servers of a call are kept to, after its last request to them. */
const PLAN_LIFETIME_MS = 300_000;
const PLANS_MAX = 4096;

interface Plan {
  readonly targets: readonly Target[];
  index: number;
  until: Instant;
}

/**
 * Which of several servers the requests of one call go to: the same until it fails, then the next
 * (RFC 3263 §4.3). So a request that is repeated with credentials meets the server that asked for
 * them, and a BYE the one that took the INVITE.
 */
export class TargetPlans {
  readonly #plans = new Map<string, Plan>();

  get size(): number {
    return this.#plans.size;
  }

  /**
   * The target for a request of this call to this hop.
   * @param targets the servers, in the order of this moment; a call keeps to the order that it met.
   */
  choose(key: string, targets: readonly Target[], now: Instant): Target | undefined {
    const plan = this.#living(key, now) ?? this.#begin(targets);
    // Put behind the others: the first is the one that was used least recently.
    this.#plans.delete(key);
    this.#plans.set(key, plan);
    plan.until = after(now, PLAN_LIFETIME_MS);
    return plan.targets[plan.index];
  }

  /** The target that was chosen, while the plan lasts. */
  chosen(key: string, now: Instant): Target | undefined {
    const plan = this.#living(key, now);
    if (plan !== undefined) plan.until = after(now, PLAN_LIFETIME_MS);
    return plan?.targets[plan.index];
  }

  /** `undefined` where no target was chosen yet. */
  hasNext(key: string, now: Instant): boolean | undefined {
    const plan = this.#living(key, now);
    return plan === undefined ? undefined : plan.index + 1 < plan.targets.length;
  }

  /**
   * The present target failed.
   * @returns false where there is no other; a later request begins with the first again.
   */
  advance(key: string, now: Instant): boolean {
    const plan = this.#living(key, now);
    if (plan === undefined) return false;
    plan.index += 1;
    if (plan.index < plan.targets.length) return true;
    this.#plans.delete(key);
    return false;
  }

  #begin(targets: readonly Target[]): Plan {
    const [oldest] = this.#plans.keys();
    if (this.#plans.size >= PLANS_MAX && oldest !== undefined) this.#plans.delete(oldest);
    return { targets, index: 0, until: 0 as Instant };
  }

  #living(key: string, now: Instant): Plan | undefined {
    const plan = this.#plans.get(key);
    if (plan === undefined || plan.until > now) return plan;
    this.#plans.delete(key);
    return undefined;
  }
}
