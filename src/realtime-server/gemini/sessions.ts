import { Brain } from "../engine/brain.ts";
import type { FollowUp } from "../engine/repertoire.ts";
import type { StateValue } from "../script/script.ts";

/** What a session remembers over its connections. */
export interface SessionMemory {
  hasGreeted: boolean;
  turns: number;
  generations: number;
  /** Functions that were called and not answered, and what the bot says to their results. */
  readonly calls: Map<string, FollowUp | undefined>;
  /** What the conversation knows. */
  readonly brain: Brain;
}

/** Of a session that begins. */
export function newMemory(state: Readonly<Record<string, StateValue>>): SessionMemory {
  const brain = new Brain(state);
  return { hasGreeted: false, turns: 0, generations: 0, calls: new Map(), brain };
}

/** Sessions remembered at once; the oldest are forgotten. */
const SESSIONS_MAX = 1000;

/** Sessions by the handles under which another connection may go on with them. */
export class ResumableSessions {
  readonly #byHandle = new Map<string, SessionMemory>();

  keep(handle: string, memory: SessionMemory): void {
    this.#byHandle.set(handle, memory);
    const [oldest] = this.#byHandle.keys();
    if (this.#byHandle.size > SESSIONS_MAX && oldest !== undefined) this.#byHandle.delete(oldest);
  }

  find(handle: string): SessionMemory | undefined {
    return this.#byHandle.get(handle);
  }
}
