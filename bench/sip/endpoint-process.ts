/**
 * One SIP endpoint in a process of its own, without media, so that its CPU time can be told from
 * everything else: takes calls, or places them at a rate, and says how that went.
 */
import { after, elapsedMs, type Instant } from "../../src/environment/index.ts";
import { quantile } from "../../src/measure/index.ts";
import {
  createEnvironment,
  EventLoopMonitor,
  parentProcessChannel,
} from "../../src/platform/index.ts";
import { type Negotiator, type SipCall, SipEndpoint } from "../../src/sip/index.ts";

/** What the process is asked. */
export type EndpointRequest =
  /** Places calls; the answer is a report, when the last one has ended. */
  | {
      readonly type: "call";
      readonly target: string;
      readonly calls: number;
      readonly callsPerSecond: number;
      readonly holdMs: number;
    }
  /** Counts from now on; answered with a report when so many calls have come and gone. */
  | { readonly type: "take"; readonly calls: number }
  | { readonly type: "close" };

/** How it went. */
export interface EndpointReport {
  readonly type: "report";
  /** Calls that were answered, acknowledged and ended with BYE. */
  readonly successful: number;
  /** How the others ended. */
  readonly failures: Readonly<Record<string, number>>;
  readonly cpuMsPerCall: number;
  /** INVITE → 200 at a caller; INVITE → ACK at a bot. */
  readonly setupMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly retransmissions: number;
  readonly loopLagMs: { readonly p99: number; readonly max: number };
  readonly residentMiB: number;
}

const PACE_MS = 5;
const SDP = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=-",
  "c=IN IP4 127.0.0.1",
  "t=0 0",
  "m=audio 40000 RTP/AVP 0",
  "",
].join("\r\n");

const NEGOTIATOR: Negotiator = {
  createOffer: () => SDP,
  acceptOffer: () => SDP,
  acceptAnswer: () => {},
  withdrawOffer: () => {},
};

const channel = parentProcessChannel();
const environment = createEnvironment({ seed: "bench" });
const { clock } = environment;
const monitor = new EventLoopMonitor();
let retransmissions = 0;

const endpoint = await SipEndpoint.open({
  ...environment,
  local: { address: "127.0.0.1", port: 0 },
  user: "bot",
  userAgent: "Sidetone-Bench",
  // As an agent does, which keeps every message.
  onTrace: ({ direction, retransmission }) => {
    if (direction === "sent" && retransmission) retransmissions += 1;
  },
});

/** One run: what it counts until all of its calls have ended. */
class Run {
  readonly #calls: number;
  readonly #cpuBefore = process.cpuUsage();
  readonly #setupMs: number[] = [];
  readonly #failures: Record<string, number> = {};
  #successful = 0;
  #ended = 0;

  constructor(calls: number) {
    this.#calls = calls;
    retransmissions = 0;
    monitor.read();
  }

  /** Follows a call to its end, and hangs it up after `holdMs` where that is ours to do. */
  follow(
    call: SipCall,
    how: {
      readonly startedAt: Instant;
      readonly upWhen: "answered" | "confirmed";
      readonly holdMs?: number;
    },
  ): void {
    const { startedAt, upWhen, holdMs } = how;
    let isUp = false;
    call.onEvent = (event) => {
      if (event.type === upWhen) {
        isUp = true;
        this.#setupMs.push(elapsedMs(startedAt, event.at));
        if (holdMs !== undefined) {
          clock.setTimer(after(clock.now(), holdMs), () => void call.hangUp());
        }
      }
      if (event.type !== "ended") return;
      if (isUp && event.reason === "bye") this.#successful += 1;
      else {
        const key = `${event.endedBy} ${event.reason} ${event.statusCode ?? ""}`.trim();
        this.#failures[key] = (this.#failures[key] ?? 0) + 1;
      }
      this.#ended += 1;
      if (this.#ended === this.#calls) channel.post(this.#report());
    };
  }

  #report(): EndpointReport {
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    const { p99Ms, maxMs } = monitor.read();
    const sorted = this.#setupMs.toSorted((one, other) => one - other);
    const at = (share: number): number =>
      sorted.length === 0 ? Number.NaN : quantile(sorted, share);
    return {
      type: "report",
      successful: this.#successful,
      failures: this.#failures,
      cpuMsPerCall: (user + system) / 1000 / this.#calls,
      setupMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
      retransmissions,
      loopLagMs: { p99: p99Ms, max: maxMs },
      residentMiB: process.memoryUsage().rss / 2 ** 20,
    };
  }
}

function take(calls: number): void {
  const run = new Run(calls);
  endpoint.onInvite = (call) => {
    run.follow(call, { startedAt: clock.now(), upWhen: "confirmed" });
    call.ring();
    call.answer(NEGOTIATOR);
  };
}

function place(request: Extract<EndpointRequest, { type: "call" }>): void {
  const { target, calls, callsPerSecond, holdMs } = request;
  const run = new Run(calls);
  const startedAt = clock.now();
  let placed = 0;
  const pace = (): void => {
    const due = Math.min(calls, (elapsedMs(startedAt, clock.now()) * callsPerSecond) / 1000);
    for (; placed < due; placed += 1) {
      const dialedAt = clock.now();
      const call = endpoint.call(target, { negotiator: NEGOTIATOR });
      run.follow(call, { startedAt: dialedAt, upWhen: "answered", holdMs });
    }
    if (placed < calls) clock.setTimer(after(clock.now(), PACE_MS), pace);
  };
  pace();
}

channel.onMessage = (message) => {
  const request = message as EndpointRequest;
  if (request.type === "call") place(request);
  else if (request.type === "take") take(request.calls);
  else void endpoint.close().then(() => process.exit());
};
channel.onGone = () => process.exit();
channel.post({ type: "ready", local: endpoint.local });
