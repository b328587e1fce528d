/** The whole agent, with its ports and media, in a process of its own. */
import { setTimeout as delay } from "node:timers/promises";
import {
  type AgentOptions,
  type RemoteAgent,
  Switchboard,
  type WatchedCall,
} from "../../src/call/index.ts";
import { quantile } from "../../src/measure/index.ts";
import {
  compiledModule,
  hostInfo,
  type ProcessChannel,
  SystemClock,
  startProcess,
} from "../../src/platform/index.ts";
import { cpuMsOf, residentBytesOf } from "../media/host.ts";
import type { Load, RunResult } from "./load.ts";
import { SippRun } from "./sipp-run.ts";

const LIMIT_MS = 120_000;
const CLOSE_LIMIT_MS = 4000;

export async function agentCalls(load: Load, folder: string): Promise<RunResult> {
  const measured = await MeasuredAgent.start({ party: "caller", user: "caller" });
  const sipp = await SippRun.answerer(load, folder);
  try {
    measured.begin();
    const startedAt = performance.now();
    const placed: Promise<void>[] = [];
    for (let index = 0; index < load.calls; index += 1) {
      const earlyMs = startedAt + (index * 1000) / load.callsPerSecond - performance.now();
      // One call after the other: that is the rate.
      if (earlyMs > 1) await delay(earlyMs);
      placed.push(measured.place(sipp.target, load.holdMs));
    }
    await Promise.all(placed);
    return await measured.result(load, sipp);
  } finally {
    await measured.stop();
    await sipp.end();
  }
}

export async function agentTakes(load: Load, folder: string): Promise<RunResult> {
  const measured = await MeasuredAgent.start({ party: "bot", user: "bot" });
  measured.begin();
  const sipp = SippRun.caller(load, measured.agent.local.port, folder);
  try {
    await sipp.end(LIMIT_MS);
    return await measured.result(load, sipp);
  } finally {
    await measured.stop();
    await sipp.end();
  }
}

class MeasuredAgent {
  readonly agent: RemoteAgent;
  readonly #process: ProcessChannel;
  readonly #setupMs: number[] = [];
  readonly #ended: Promise<void>[] = [];
  readonly #loopLagMs = { p99: 0, max: 0 };
  #successful = 0;
  #retransmissions = 0;
  #cpuBefore = 0;

  static async start(who: Pick<AgentOptions, "party" | "user">): Promise<MeasuredAgent> {
    const process = startProcess(compiledModule("bench/agent-process.js"));
    const { node, platform } = hostInfo();
    const context = { seed: "bench", sidetoneVersion: "", node, platform };
    const switchboard = new Switchboard(new SystemClock(), context);
    const agent = await switchboard.addAgent(process, {
      ...who,
      local: { address: "127.0.0.1", port: 0 },
      keepsRecordings: false,
      answer: { kind: "answer", ringMs: 0 },
      callDurationLimitMs: LIMIT_MS,
    });
    return new MeasuredAgent(agent, process, switchboard);
  }

  private constructor(agent: RemoteAgent, process: ProcessChannel, switchboard: Switchboard) {
    this.agent = agent;
    this.#process = process;
    switchboard.subscribe((call) => this.#ended.push(this.#watch(call)));
  }

  /** CPU time counts from here on. */
  begin(): void {
    this.#cpuBefore = this.#cpuMs();
  }

  async place(target: string, holdMs: number): Promise<void> {
    const call = await this.agent.dial(target);
    await call.waitFor(
      (fact) => fact.kind === "callPhase" && /^(?:confirmed|ended)$/.test(fact.phase),
      LIMIT_MS,
    );
    await delay(holdMs);
    await call.hangUp();
    await call.whenEnded(LIMIT_MS);
  }

  async result({ calls }: Load, sipp: SippRun): Promise<RunResult> {
    await Promise.all(this.#ended);
    const cpuMs = this.#cpuMs() - this.#cpuBefore;
    const sorted = this.#setupMs.toSorted((one, other) => one - other);
    const at = (share: number): number =>
      sorted.length === 0 ? Number.NaN : quantile(sorted, share);
    return {
      failed: calls - this.#successful,
      cpuMsPerCall: cpuMs / calls,
      sippCpuMsPerCall: (await sipp.end()) / calls,
      setupMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
      retransmissions: this.#retransmissions,
      loopLagMs: this.#loopLagMs,
      residentMiB: residentBytesOf(this.#process.pid ?? 0) / 2 ** 20,
    };
  }

  async stop(): Promise<void> {
    await Promise.race([this.agent.close().catch(() => undefined), delay(CLOSE_LIMIT_MS)]);
    await this.#process.terminate();
  }

  #cpuMs(): number {
    return cpuMsOf(this.#process.pid ?? 0);
  }

  /** Reads what a call came to when it is over, and forgets it, as a long run would. */
  async #watch(call: WatchedCall): Promise<void> {
    await call.whenEnded(LIMIT_MS);
    const { timeline } = call;
    const phases = timeline.of("callPhase");
    const at = (wanted: string): number | undefined =>
      phases.find(({ phase }) => phase === wanted)?.at;
    const [from, to] = [at("dialed") ?? at("offered"), at("confirmed")];
    if (from !== undefined && to !== undefined) this.#setupMs.push(to - from);
    const end = phases.find(({ phase }) => phase === "ended");
    if (to !== undefined && end?.reason === "bye") this.#successful += 1;
    this.#retransmissions += timeline
      .of("sipMessage")
      .filter(({ direction, retransmission }) => direction === "sent" && retransmission).length;
    for (const { eventLoopLagMsP99, eventLoopLagMsMax } of timeline.of("instrument")) {
      this.#loopLagMs.p99 = Math.max(this.#loopLagMs.p99, eventLoopLagMsP99);
      this.#loopLagMs.max = Math.max(this.#loopLagMs.max, eventLoopLagMsMax);
    }
    // The agent may be gone by now, which is as good.
    await call.release().catch(() => undefined);
  }
}
