import type { Clock, Instant, Timer } from "../environment/index.ts";
import {
  type InjectedFault,
  type MessageFault,
  MessageFaultEngine,
  type PassingMessage,
} from "./message-faults.ts";

/** Joins the fault engine to the transport and to a timer. */
export class FaultPump {
  readonly #engine = new MessageFaultEngine();
  readonly #clock: Clock;
  readonly #onInjected: (callId: string, fault: InjectedFault) => void;
  #timer: Timer | undefined;
  #timerDueAt: Instant | undefined;

  constructor(clock: Clock, onInjected: (callId: string, fault: InjectedFault) => void) {
    this.#clock = clock;
    this.#onInjected = onInjected;
  }

  /** For calls that come in from now on. */
  set inbound(faults: readonly MessageFault[]) {
    this.#engine.inbound = faults;
  }

  /** Messages that are held back. */
  get pendingCount(): number {
    return this.#engine.pendingCount;
  }

  /** From now on, this happens to the messages of a call. */
  arm(callId: string, faults: readonly MessageFault[]): void {
    this.#engine.arm(callId, faults, this.#clock.now());
  }

  /**
   * Passes a message on as `message.pass` does, unless a fault is wanted of it. A received message
   * whose octets do not outlive this call must be copied by `pass` where `concerns` says so.
   */
  handle(message: PassingMessage): void {
    if (!this.concerns(message)) {
      message.pass(message.text);
      return;
    }
    this.#engine.handleMessage(message, this.#clock.now());
    this.#drain();
  }

  concerns(message: Omit<PassingMessage, "pass">): boolean {
    return this.#engine.concerns(message);
  }

  /** Lets a BYE or CANCEL go that was kept from the peer of an ended call. */
  handleCallEnded(callId: string): void {
    this.#engine.handleCallEnded(callId, this.#clock.now());
    this.#drain();
  }

  /** Ends all faults, before the last calls are hung up. */
  disarm(): void {
    this.#engine.disarm(this.#clock.now());
    this.#drain();
    this.#timer?.cancel();
  }

  #drain(): void {
    for (;;) {
      const output = this.#engine.takeOutput();
      if (output === undefined) break;
      if (output.type === "pass") output.message.pass(output.message.text);
      else this.#onInjected(output.callId, output.fault);
    }
    const dueAt = this.#engine.nextTimeout;
    if (dueAt === undefined || (this.#timerDueAt !== undefined && this.#timerDueAt <= dueAt))
      return;
    this.#timer?.cancel();
    this.#timerDueAt = dueAt;
    this.#timer = this.#clock.setTimer(dueAt, () => {
      this.#timerDueAt = undefined;
      this.#engine.handleTimeout(this.#clock.now());
      this.#drain();
    });
  }
}
