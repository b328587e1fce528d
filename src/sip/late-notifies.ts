import type { IncomingRequestMessage } from "sip.js/lib/core/index.js";
import { NotifyUserAgentServer } from "sip.js/lib/core/user-agents/notify-user-agent-server.js";
import type { NotifyRequest } from "./refer-notification.ts";
import type { SipCore } from "./sip-core.ts";

/** Transfers whose calls are over are few; the oldest have been decided long ago. */
const DIALOGS_MAX = 64;

/**
 * NOTIFYs of dialogs that ended with a subscription still open (RFC 5057 §4.2): the core forgets
 * the whole dialog with its BYE, and would answer 481.
 */
export class LateNotifies {
  readonly #core: SipCore;
  readonly #handlers = new Map<string, (notify: NotifyRequest) => void>();

  constructor(core: SipCore) {
    this.#core = core;
  }

  /** From now on `handler` gets those of this dialog. */
  expect(dialogId: string, handler: (notify: NotifyRequest) => void): void {
    this.#handlers.set(dialogId, handler);
    if (this.#handlers.size <= DIALOGS_MAX) return;
    const [oldest] = this.#handlers.keys();
    if (oldest !== undefined) this.#handlers.delete(oldest);
  }

  /** False where the request is none of these, or a repeated one, which the core answers again. */
  take(message: IncomingRequestMessage): boolean {
    if (message.method !== "NOTIFY") return false;
    const dialogId = message.callId + message.toTag + message.fromTag;
    const handler = this.#handlers.get(dialogId);
    if (handler === undefined) return false;
    const { dialogs, userAgentServers } = this.#core;
    if (dialogs.has(dialogId) || userAgentServers.has(message.viaBranch)) return false;
    handler(new NotifyUserAgentServer(this.#core, message));
    return true;
  }
}
