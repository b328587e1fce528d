import { after, elapsedMs, type Instant } from "../environment/index.ts";
import { alterMessage, type MessageAlteration } from "./message-alterations.ts";
import type { MessagePeek } from "./message-peek.ts";

/** What is done to a message on purpose. */
export type FaultEffect =
  | { readonly kind: "drop" }
  | { readonly kind: "delay"; readonly delayMs: number }
  /** So many more of the same, one every `intervalMs`. */
  | { readonly kind: "duplicate"; readonly copies: number; readonly intervalMs: number }
  /** Of sent messages only: what came shall be seen as it came. */
  | { readonly kind: "alter"; readonly alteration: MessageAlteration };

/** A fault that a scenario wants of one of its ends. Plain data: it crosses a thread's border. */
export interface MessageFault {
  /** What facts and reports call it: "no ACK", "lost BYE". */
  readonly name: string;
  readonly direction: "sent" | "received";
  /** Of a request; of a response, its CSeq's. Absent: any. */
  readonly method?: string;
  /** Absent: requests · "any": every response · 100 to 699: responses with this status. */
  readonly status?: number | "any";
  /** To how many messages it happens, repetitions included; default: to all. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

/** What the engine did to a message. */
export interface InjectedFault {
  readonly name: string;
  readonly effect: "dropped" | "delayed" | "duplicated" | "altered" | "released";
  readonly direction: "sent" | "received";
  readonly startLine: string;
  readonly at: Instant;
}

/** A message on its way; `pass` sends it, or hands it on. */
export interface PassingMessage {
  readonly direction: "sent" | "received";
  readonly peek: MessagePeek;
  readonly text: string;
  readonly pass: (text: string) => void;
}

/** What is to be done now. */
export type FaultOutput =
  | { readonly type: "pass"; readonly message: PassingMessage }
  | { readonly type: "injected"; readonly callId: string; readonly fault: InjectedFault };

interface Rule {
  readonly fault: MessageFault;
  left: number;
}

interface CallRules {
  readonly rules: readonly Rule[];
  lastUsedAt: Instant;
  /** The newest BYE or CANCEL that was dropped, and none that passed since. */
  held: PassingMessage | undefined;
}

interface Delayed {
  readonly dueAt: Instant;
  readonly message: PassingMessage;
}

/** Rules of calls that nobody speaks of any more: 64·T1 is the longest that a transaction lasts. */
const FORGET_MS = 128_000;
/** Without these the peer would be left in a call that nobody has. */
const ENDING_METHODS = new Set(["BYE", "CANCEL"]);

/**
 * Does to messages what a scenario asks for: drops, delays, duplicates or alters them, by rules that
 * belong to one call. It stands below retransmission, where the network is: what it drops is
 * repeated by whoever would repeat it. It performs no I/O and reads no clock.
 */
export class MessageFaultEngine {
  /** For calls that come in from now on. */
  inbound: readonly MessageFault[] = [];
  readonly #calls = new Map<string, CallRules>();
  #delayed: Delayed[] = [];
  readonly #output: FaultOutput[] = [];
  #isDisarmed = false;

  get nextTimeout(): Instant | undefined {
    return this.#delayed[0]?.dueAt;
  }

  /** Messages that are held back. */
  get pendingCount(): number {
    return this.#delayed.length;
  }

  /** From now on, this happens to the messages of a call. */
  arm(callId: string, faults: readonly MessageFault[], now: Instant): void {
    for (const [id, { lastUsedAt }] of this.#calls) {
      if (elapsedMs(lastUsedAt, now) > FORGET_MS) this.#calls.delete(id);
    }
    if (faults.length === 0) return;
    const rules = faults.map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }));
    this.#calls.set(callId, { rules, lastUsedAt: now, held: undefined });
  }

  /** Whether anything may happen to this message; if not, it need not be given to the engine. */
  concerns(message: Omit<PassingMessage, "pass">): boolean {
    if (this.#isDisarmed) return false;
    if (this.#calls.has(message.peek.callId)) return true;
    return this.inbound.length > 0 && isNewCall(message);
  }

  handleMessage(message: PassingMessage, now: Instant): void {
    const { callId } = message.peek;
    if (!this.#calls.has(callId)) this.arm(callId, this.inbound, now);
    const call = this.#calls.get(callId);
    if (call !== undefined) call.lastUsedAt = now;
    const rule = call?.rules.find(({ fault, left }) => left > 0 && matches(fault, message));
    if (call === undefined || rule === undefined) {
      if (call !== undefined && isEnding(message)) call.held = undefined;
      this.#output.push({ type: "pass", message });
      return;
    }
    rule.left -= 1;
    this.#apply(rule.fault, { call, message }, now);
  }

  /** Lets go what is due at or before `now`. */
  handleTimeout(now: Instant): void {
    while (this.#delayed[0] !== undefined && this.#delayed[0].dueAt <= now) {
      const [{ message }] = this.#delayed.splice(0, 1) as [Delayed];
      this.#output.push({ type: "pass", message });
    }
  }

  takeOutput(): FaultOutput | undefined {
    return this.#output.shift();
  }

  /** The call is over for us: a BYE or CANCEL that was kept from the peer is let go after all. */
  handleCallEnded(callId: string, now: Instant): void {
    const call = this.#calls.get(callId);
    const message = call?.held;
    if (call === undefined || message === undefined) return;
    call.held = undefined;
    this.#note({ name: "end of the call", message, effect: "released" }, now);
    this.#output.push({ type: "pass", message });
  }

  /** From now on nothing happens any more; what was held back is given up, but for BYE and CANCEL. */
  disarm(now: Instant): void {
    for (const callId of this.#calls.keys()) this.handleCallEnded(callId, now);
    this.#isDisarmed = true;
    this.#delayed = [];
    this.#calls.clear();
  }

  #apply(
    fault: MessageFault,
    { call, message }: { readonly call: CallRules; readonly message: PassingMessage },
    now: Instant,
  ): void {
    const { effect, name } = fault;
    switch (effect.kind) {
      case "drop":
        if (isEnding(message)) call.held = message;
        this.#note({ name, message, effect: "dropped" }, now);
        break;
      case "delay":
        this.#note({ name, message, effect: "delayed" }, now);
        this.#delay(message, after(now, effect.delayMs));
        break;
      case "duplicate":
        this.#note({ name, message, effect: "duplicated" }, now);
        this.#output.push({ type: "pass", message });
        for (let copy = 1; copy <= effect.copies; copy += 1) {
          this.#delay(message, after(now, copy * effect.intervalMs));
        }
        break;
      case "alter": {
        const text = alterMessage(message.text, effect.alteration);
        this.#note({ name, message, effect: "altered" }, now);
        this.#output.push({ type: "pass", message: { ...message, text } });
        break;
      }
    }
  }

  #delay(message: PassingMessage, dueAt: Instant): void {
    const place = this.#delayed.findIndex((each) => each.dueAt > dueAt);
    this.#delayed.splice(place === -1 ? this.#delayed.length : place, 0, { dueAt, message });
  }

  #note(
    {
      name,
      message,
      effect,
    }: {
      readonly name: string;
      readonly message: PassingMessage;
      readonly effect: InjectedFault["effect"];
    },
    at: Instant,
  ): void {
    const { direction, peek } = message;
    const fault = { name, effect, direction, startLine: peek.startLine, at };
    this.#output.push({ type: "injected", callId: peek.callId, fault });
  }
}

const TO_TAG = /^(?:to|t)[ \t]*:[^\r\n]*;[ \t]*tag[ \t]*=/imu;

/** Rules hold for calls that begin after they were made, not for a re-INVITE of one that is up. */
function isNewCall({ direction, peek, text }: Omit<PassingMessage, "pass">): boolean {
  const isInvite = peek.method === "INVITE" && peek.statusCode === undefined;
  return direction === "received" && isInvite && !TO_TAG.test(text);
}

function isEnding({ direction, peek }: PassingMessage): boolean {
  return direction === "sent" && peek.statusCode === undefined && ENDING_METHODS.has(peek.method);
}

function matches(fault: MessageFault, { direction, peek }: PassingMessage): boolean {
  if (fault.direction !== direction) return false;
  if (fault.method !== undefined && fault.method !== peek.method) return false;
  if (fault.status === undefined) return peek.statusCode === undefined;
  return peek.statusCode !== undefined && [peek.statusCode, "any"].includes(fault.status);
}
