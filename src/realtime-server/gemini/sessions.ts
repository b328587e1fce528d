import type { Reply } from "../engine/repertoire.ts";

/** What a session remembers over its connections. */
export interface SessionMemory {
  hasGreeted: boolean;
  turns: number;
  generations: number;
  /** Functions that were called and not answered, and what the bot says to their results. */
  readonly calls: Map<string, Reply | undefined>;
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
