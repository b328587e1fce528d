import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type {
  AgentOptions,
  AnswerPolicy,
  DialOptions,
  Harness,
  RemoteAgent,
  WatchedCall,
} from "../../../src/index.ts";
import type { Party } from "../../../src/timeline/index.ts";
import { Sipp } from "./sipp.ts";
import type { SippScenario } from "./sipp-dialog.ts";

const ADDRESS = "127.0.0.1";
const LOCAL = { address: ADDRESS, port: 0 } as const;
const LIMIT_MS = 10_000;

/** What we do in a call. */
type During = (call: WatchedCall) => Promise<unknown> | undefined;

/** Agents of ours and SIPps that play one call each, against each other. */
export class SippCalls {
  readonly #harness: Harness;
  readonly #running: { stop(): Promise<unknown> }[] = [];

  constructor(harness: Harness) {
    this.#harness = harness;
  }

  /** An agent for one test. */
  async agent(party: Party, options: Partial<AgentOptions> = {}): Promise<RemoteAgent> {
    const agent = await this.#harness.addAgent({
      party,
      user: "service",
      local: LOCAL,
      ...options,
    });
    this.#running.push({ stop: () => agent.close() });
    return agent;
  }

  /** SIPp waits for a call. */
  async called(scenario: SippScenario): Promise<{ readonly sipp: Sipp; readonly uri: string }> {
    const port = await freePort();
    const sipp = await Sipp.startAnswerer({
      address: ADDRESS,
      port,
      calls: 1,
      scenario: scenario.xml,
    });
    this.#running.push(sipp);
    return { sipp, uri: `sip:sipp@${ADDRESS}:${port}` };
  }

  /** We call SIPp, do something in the call, and hang up unless SIPp does. */
  async dial(
    scenario: SippScenario,
    options: DialOptions = {},
    during: During = hangUp("caller"),
    by?: RemoteAgent,
  ): Promise<WatchedCall> {
    const agent = by ?? (await this.agent("caller"));
    const { sipp, uri } = await this.called(scenario);
    const call = await agent.dial(uri, options);
    return this.#through({ call, sipp, agent }, during);
  }

  /** SIPp calls a bot of ours, which does something, and hangs up unless SIPp does. */
  async take(
    scenario: SippScenario,
    options: Partial<AgentOptions> & { readonly answer: AnswerPolicy },
    during: During = () => undefined,
  ): Promise<WatchedCall> {
    const agent = await this.agent("bot", options);
    const coming = this.#nextCall();
    const sipp = await Sipp.startCaller({
      address: ADDRESS,
      port: await freePort(),
      calls: 1,
      scenario: scenario.xml,
      target: agent.uri.replace(/^sip:[^@]*@/u, ""),
      user: "service",
      callsPerSecond: 1,
      holdMs: 100,
    });
    this.#running.push(sipp);
    // Where SIPp cannot even read its scenario, no call ever comes.
    const failed = sipp.process.waitForEnd(LIMIT_MS).then(async ({ exitCode }) => {
      if (exitCode !== 0) throw new Error(`sipp: ${exitCode}\n${sipp.process.output}`);
      return coming;
    });
    const call = await Promise.race([coming, failed]);
    failed.catch(() => undefined);
    return this.#through({ call, sipp, agent }, during);
  }

  /** Ends what a test left running. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((each) => each.stop()));
  }

  async #through(
    { call, sipp, agent }: { call: WatchedCall; sipp: Sipp; agent: RemoteAgent },
    during: During,
  ): Promise<WatchedCall> {
    await during(call);
    const statistics = await sipp.finish(LIMIT_MS);
    assert.deepEqual([statistics.successful, statistics.failed], [1, 0], sipp.process.output);
    assert.ok(await call.whenEnded(LIMIT_MS), "the call ends");
    const { calls } = await agent.liveState();
    assert.equal(calls, 0, "calls left");
    return call;
  }

  #nextCall(): Promise<WatchedCall> {
    return new Promise((resolve) => {
      const unsubscribe = this.#harness.switchboard.subscribe((call) => {
        unsubscribe();
        resolve(call);
      });
    });
  }
}

/** Waits until the call is up there. */
export async function confirmed(call: WatchedCall, party: Party): Promise<void> {
  const fact = await call.waitFor(
    (each) => each.kind === "callPhase" && each.phase === "confirmed" && each.party === party,
    LIMIT_MS,
  );
  assert.ok(fact, `the call is up: ${phasesOf(call).join(", ")}`);
}

/** Hangs up once the call is up. */
export function hangUp(party: Party): (call: WatchedCall) => Promise<void> {
  return async (call) => {
    await confirmed(call, party);
    await call.hangUp(party);
  };
}

/** "ringing 180", "confirmed", "ended remote bye": in order. */
export function phasesOf(call: WatchedCall): string[] {
  return call.timeline
    .of("callPhase")
    .map(({ phase, statusCode, endedBy, reason }) =>
      [phase, phase === "ended" ? `${endedBy} ${reason}` : "", statusCode ?? ""]
        .filter((word) => word !== "")
        .join(" "),
    );
}

/** The directions that the media took, as our end saw them. */
export function directionsOf(call: WatchedCall): string[] {
  return call.timeline.of("mediaChanged").map(({ direction }) => direction);
}

async function freePort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, ADDRESS);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}
