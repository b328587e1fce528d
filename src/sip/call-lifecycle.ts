import type { Instant } from "../environment/index.ts";
import type { CallContext } from "./call-context.ts";
import type {
  CallEndedEvent,
  CallProgressEvent,
  InfoListener,
  SessionTimerEvent,
  SipCall,
  SipCallEvent,
} from "./sip-call.ts";
import type { MessageListener } from "./text-exchange.ts";
import type { ReferListener } from "./transfer.ts";

/** How a call ended, without what the lifecycle adds. */
export type CallEnd = Omit<CallEndedEvent, "type">;

/** The state and the events of one call, either direction: early → established → ended. */
export class CallLifecycle {
  /** Of the call's user; see `SipCall`. */
  onInfo: InfoListener | undefined;
  /** As above. */
  onMessage: MessageListener | undefined;
  /** As above. */
  onRefer: ReferListener | undefined;
  /** Header lines of the request or response by which we end the call. */
  endHeaders: string[] = [];
  readonly #context: CallContext;
  readonly #waiters: (() => void)[] = [];
  /** What happened before anybody listened: a CANCEL may overtake whoever prepares an answer. */
  readonly #unheard: SipCallEvent[] = [];
  #listener: ((event: SipCallEvent) => void) | undefined;
  #state: SipCall["state"] = "early";

  constructor(context: CallContext) {
    this.#context = context;
  }

  /** As sip.js wants them. */
  get endOptions(): { extraHeaders: string[] } {
    return { extraHeaders: this.endHeaders };
  }

  get onEvent(): ((event: SipCallEvent) => void) | undefined {
    return this.#listener;
  }

  /** The first listener is told what it missed. */
  set onEvent(listener: ((event: SipCallEvent) => void) | undefined) {
    this.#listener = listener;
    if (listener === undefined) return;
    for (const event of this.#unheard.splice(0)) this.#emit(event);
  }

  get state(): SipCall["state"] {
    return this.#state;
  }

  /** Resolves when the call has ended. */
  whenEnded(): Promise<void> {
    if (this.#state === "ended") return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /** Tells of progress, unless the call has ended. */
  progress(type: CallProgressEvent["type"], at: Instant, statusCode?: number): void {
    if (this.#state === "ended") return;
    if (type === "answered") this.#state = "established";
    this.#emit(statusCode === undefined ? { type, at } : { type, at, statusCode });
  }

  /** Tells of something else, unless the call has ended. */
  tell(event: SessionTimerEvent): void {
    if (this.#state !== "ended") this.#emit(event);
  }

  /** Ends the call; only the first time counts. */
  end(end: CallEnd): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#emit({ type: "ended", ...end });
    for (const resolve of this.#waiters) resolve();
    this.#context.onEnded();
  }

  /** A listener that throws must not disturb the protocol. */
  #emit(event: SipCallEvent): void {
    const listener = this.#listener;
    if (listener === undefined) this.#unheard.push(event);
    else this.#context.guard(() => listener(event));
  }
}
