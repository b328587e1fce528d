import { createHash } from "node:crypto";
import {
  after,
  type Instant,
  isSidetoneError,
  type Random,
  SILENT_LOGGER,
  seededRandom,
} from "../../../src/environment/index.ts";
import { NodeCryptography } from "../../../src/platform/index.ts";
import {
  type InboundCall,
  type SipCall,
  type SipCallEvent,
  SipEndpoint,
  type SipFaultCounts,
  type SipLiveState,
  type SipTrace,
} from "../../../src/sip/index.ts";
import { type DatagramCounts, VirtualNetwork } from "../../../src/testing/index.ts";
import { briefly, FakeNegotiator } from "./sip-lab.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What the two sides of one call intend to do. */
export interface CallPlan {
  readonly offer: "early" | "late";
  readonly bot: "answers" | "rejects" | "rings for ever";
  readonly botActsAfterMs: number;
  readonly statusCode: number;
  /** The caller gives up, by hanging up or by its ring timeout. */
  readonly givesUp: "never" | "cancel" | "ringTimeout";
  readonly givesUpAfterMs: number;
  readonly hangsUp: "caller" | "bot" | "both";
  readonly hangsUpAfterMs: number;
  /** Who sends re-INVITE and INFO while the call is up. */
  readonly busy: { readonly caller: boolean; readonly bot: boolean };
}

/** What became of it. */
export interface CallRecord {
  readonly plan: CallPlan;
  readonly caller: SipCallEvent[];
  /** Undefined where the INVITE never arrived, or the call is over by then. */
  bot: SipCallEvent[] | undefined;
  /** Re-INVITEs and INFOs: "ok", "call over" or what went wrong. */
  readonly requests: string[];
}

/** A whole run. */
export interface CrowdResult {
  readonly calls: readonly CallRecord[];
  /** Of both endpoints, while the last call was placed, and 35 s after the last call. */
  readonly busy: LiveState;
  readonly left: LiveState;
  readonly afterClose: Pick<LiveState, "timers" | "sockets">;
  readonly counts: readonly SipFaultCounts[];
  readonly datagrams: DatagramCounts;
  readonly retransmissions: number;
  /** SHA-256 over every message that crossed a socket, with its instant. */
  readonly traceHash: string;
}

interface LiveState {
  readonly endpoints: readonly SipLiveState[];
  readonly timers: number;
  readonly sockets: number;
}

const CALL_INTERVAL_MS = 50;
/** So long a call may take to end, whatever is lost: 64·T1 for its INVITE, and again for its BYE. */
const LONGEST_END_MS = 80_000;
const LINGER_MS = 35_000;
const CALLER = { address: "192.0.2.1", port: 5060 };
const BOT = { address: "192.0.2.2", port: 5060 };

/** Lets two endpoints have many calls over a network that loses, delays, reorders and doubles. */
export class Crowd {
  readonly #time: VirtualTime;
  readonly #seed: string;
  readonly #random: Random;
  readonly #network: VirtualNetwork;
  readonly #hash = createHash("sha256");
  readonly #calls: CallRecord[] = [];
  #retransmissions = 0;

  constructor(time: VirtualTime, seed: string) {
    this.#time = time;
    this.#seed = seed;
    this.#random = seededRandom(`${seed}/plans`);
    this.#network = new VirtualNetwork({
      clock: time,
      random: seededRandom(`${seed}/network`),
      lossRatio: 0.1,
      jitterMs: 40,
      duplicateRatio: 0.05,
    });
  }

  async run(count: number): Promise<CrowdResult> {
    const caller = await this.#open("caller", CALLER);
    const bot = await this.#open("bot", BOT);
    const endpoints = [caller, bot];
    bot.onInvite = (call) => this.#take(call);
    for (let index = 0; index < count; index += 1) {
      this.#place(caller, planOf(this.#random), index);
      // One call after the other: that is the rate.
      // oxlint-disable-next-line no-await-in-loop
      await this.#time.advance(CALL_INTERVAL_MS);
    }
    const busy = this.#liveState(endpoints);
    await this.#time.advance(LONGEST_END_MS);
    await this.#time.advance(LINGER_MS);
    const left = this.#liveState(endpoints);
    const counts = endpoints.map((endpoint) => endpoint.counts);
    const closing = Promise.all(endpoints.map((endpoint) => endpoint.close()));
    await this.#time.advance(2500);
    await closing;
    const { timers, sockets } = this.#liveState([]);
    return {
      calls: this.#calls,
      busy,
      left,
      afterClose: { timers, sockets },
      counts,
      datagrams: this.#network.counts,
      retransmissions: this.#retransmissions,
      traceHash: this.#hash.digest("hex"),
    };
  }

  #open(user: string, local: typeof CALLER): Promise<SipEndpoint> {
    return SipEndpoint.open({
      clock: this.#time,
      random: seededRandom(`${this.#seed}/${user}`),
      cryptography: new NodeCryptography(seededRandom(`${this.#seed}/${user}/keys`)),
      logger: SILENT_LOGGER,
      network: this.#network,
      local,
      user,
      userAgent: "Sidetone-Test",
      allow: ["192.0.2.0/24"],
      onTrace: (trace) => this.#note(trace),
    });
  }

  #note({ at, local, direction, text, retransmission }: SipTrace): void {
    this.#hash.update(`${at.toFixed(6)} ${local} ${direction} ${text}`);
    if (retransmission && direction === "sent") this.#retransmissions += 1;
  }

  #liveState(endpoints: readonly SipEndpoint[]): LiveState {
    return {
      endpoints: endpoints.map((endpoint) => endpoint.liveState),
      timers: this.#time.pendingTimers,
      sockets: this.#network.socketCount,
    };
  }

  #place(caller: SipEndpoint, plan: CallPlan, index: number): void {
    const call = caller.call("sip:bot@192.0.2.2", {
      negotiator: new FakeNegotiator(),
      offer: plan.offer,
      headers: [`X-Plan: ${index}`],
      ...(plan.givesUp === "ringTimeout" ? { ringTimeoutMs: plan.givesUpAfterMs } : {}),
    });
    const record: CallRecord = { plan, caller: [], bot: undefined, requests: [] };
    this.#calls.push(record);
    if (plan.givesUp === "cancel") this.#later(plan.givesUpAfterMs, () => void call.hangUp());
    call.onEvent = (event) => {
      record.caller.push(event);
      if (event.type === "confirmed") this.#live(call, record, "caller");
    };
    call.onInfo = () => 200;
  }

  #take(call: InboundCall): void {
    const record = this.#calls[Number(call.header("X-Plan"))] as CallRecord;
    const { plan } = record;
    const events: SipCallEvent[] = [];
    // A second call from one INVITE must not pass unseen.
    record.bot = record.bot === undefined ? events : undefined;
    call.onEvent = (event) => {
      events.push(event);
      if (event.type === "confirmed") this.#live(call, record, "bot");
    };
    call.onInfo = () => 200;
    call.ring();
    this.#later(plan.botActsAfterMs, () => {
      if (plan.bot === "answers") call.answer(new FakeNegotiator());
      if (plan.bot === "rejects") call.reject(plan.statusCode);
    });
  }

  /** The call is up at this side: does what was planned, and hangs up. */
  #live(call: SipCall, { plan, requests }: CallRecord, side: "caller" | "bot"): void {
    if (plan.busy[side]) {
      const note = (what: string, outcome: Promise<unknown>): void => {
        outcome.then(
          () => requests.push("ok"),
          (error: unknown) => requests.push(this.#excuse(what, call, error)),
        );
      };
      this.#later(200, () => {
        if (call.state === "established") note("re-INVITE", call.renegotiate());
      });
      this.#later(500, () => {
        if (call.state === "established") note("INFO", call.info("application/dtmf", "5"));
      });
    }
    if (plan.hangsUp === side || plan.hangsUp === "both") {
      this.#later(plan.hangsUpAfterMs, () => void call.hangUp());
    }
  }

  /**
   * A request may fail because the call ended first, which 481 also tells: then the peer's BYE was
   * lost, or because we hang up. For no other reason.
   */
  #excuse(what: string, call: SipCall, error: unknown): string {
    const isGone = isSidetoneError(error) && error.context["statusCode"] === 481;
    if (isSidetoneError(error) && error.code === "ERR_CALL_STATE") return "call over";
    if (call.state === "ended" || isGone) return "call over";
    const detail = isSidetoneError(error) ? JSON.stringify(error.context) : "";
    return `${what}: ${String(error)} ${detail}`;
  }

  #later(ms: number, action: () => void): void {
    const dueAt: Instant = after(this.#time.now(), ms);
    this.#time.setTimer(dueAt, action);
  }
}

function planOf(random: Random): CallPlan {
  const pick = <T>(...choices: readonly T[]): T =>
    choices[Math.floor(random() * choices.length)] as T;
  const bot = pick<CallPlan["bot"]>("answers", "answers", "answers", "rejects", "rings for ever");
  return {
    offer: pick("early", "early", "late"),
    bot,
    botActsAfterMs: random() * 2000,
    statusCode: pick(486, 480, 404, 503, 603),
    givesUp: bot === "rings for ever" ? pick("cancel", "ringTimeout") : pick("never", "cancel"),
    // Often while something else is under way.
    givesUpAfterMs: bot === "answers" ? 1500 + random() * 3000 : random() * 3000,
    hangsUp: pick("caller", "bot", "both"),
    hangsUpAfterMs: random() * 8000,
    busy: { caller: random() < 0.5, bot: random() < 0.5 },
  };
}

/** Ends that fit together, by what both sides intended: "caller's end | bot's end". */
const FITTING: readonly RegExp[] = [
  /^local bye(?: 200)? \| remote bye$/,
  /^remote bye \| local bye$/,
  // Both BYEs crossed.
  /^local bye \| local bye$/,
  /^remote rejected (\d{3}) \| local rejected \1$/,
  /^local (?:cancel|ringTimeout)(?: 487)? \| remote cancel 487$/,
  // All that the bot sent until then was lost.
  /^network noAnswer \| remote cancel 487$/,
  // The bot offered in its 200, which the caller acknowledged without an answer, having given up.
  /^local cancel 200 \| local error$/,
  // A re-INVITE got 481 before the peer's BYE arrived.
  /^(?:network noAnswer \| local bye|local bye \| network noAnswer)$/,
  // CANCEL and 200, or a rejection, crossed.
  /^local (?:cancel|ringTimeout)(?: 200)? \| remote bye$/,
  /^local (?:cancel|ringTimeout) \| local rejected \d{3}$/,
];

/** What is wrong with how a call went; empty where nothing is. */
export function faultsOf({ plan, caller, bot, requests }: CallRecord): string[] {
  const ends = `${endOf(caller)} | ${endOf(bot ?? [])}`;
  const faults = requests.filter((outcome) => outcome !== "ok" && outcome !== "call over");
  if (!FITTING.some((fitting) => fitting.test(ends))) faults.push(ends);
  for (const events of [caller, bot ?? []]) {
    if (events.filter(({ type }) => type === "ended").length !== 1) faults.push("ended not once");
  }
  const mustComeUp = plan.bot === "answers" && plan.givesUp === "never";
  if (mustComeUp && !caller.some(({ type }) => type === "confirmed")) faults.push("not confirmed");
  return faults.map((fault) => `${fault} (${JSON.stringify(plan)})`);
}

/** "local bye", without what was observed about it. */
export function endOf(events: readonly SipCallEvent[]): string {
  return briefly(events).at(-1)?.replace("ended ", "") ?? "never";
}
