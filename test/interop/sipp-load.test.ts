import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elapsedMs, type Instant } from "../../src/environment/index.ts";
import { type Harness, type RemoteAgent, scriptPath, type WatchedCall } from "../../src/index.ts";
import { quantile } from "../../src/measure/index.ts";
import { LOCAL, openTestHarness } from "../loopback/bench-bot.ts";
import { report } from "./support/report.ts";
import { settle } from "./support/settle.ts";
import { Sipp, type SippStatistics } from "./support/sipp.ts";
import { udpSocketCount } from "./support/sockets.ts";
import { because, missingReason } from "./support/tools.ts";

const MISSING = missingReason(["sipp"]);
const ADDRESS = "127.0.0.1";
const SIPP_PORT = 15_080;
const CALLS = 200;
const CALLS_PER_SECOND = 10;
const HOLD_MS = 1500;
const TIMEOUT_MS = 90_000;
/** Timer J and its like are 32 s (RFC 3261 §17.2.2): so long a repeated BYE is answered again. */
const RELEASE_LIMIT_MS = 35_000;

/** Agents as users have them: the bot with the embedded AI, each in a thread of its own. */
describe.skipIf(MISSING !== undefined)(`${CALLS} calls with SIPp${because(MISSING)}`, () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  let harness: Harness;
  let bot: RemoteAgent;
  let caller: RemoteAgent;
  let socketsBefore: number;
  let sipp: Sipp | undefined;

  beforeAll(async () => {
    test = await openTestHarness("sipp-load");
    harness = test.harness;
    const ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
    const common = { local: LOCAL, keepsRecordings: false };
    bot = await harness.addAgent({
      ...common,
      party: "bot",
      user: "bot",
      answer: { kind: "answer", ringMs: 0 },
      ai: {
        provider: "openai",
        url: ai.url,
        apiKey: ai.apiKey,
        model: "gpt-realtime",
        turnDetection: { type: "semantic_vad" },
        greets: true,
      },
    });
    caller = await harness.addAgent({ ...common, party: "caller", user: "caller" });
    socketsBefore = udpSocketCount();
  });

  afterAll(async () => {
    await sipp?.stop();
    await test.close();
  });

  it(
    "lets SIPp call the bot at 10 calls per second",
    async () => {
      const calls = collectCalls(harness);
      sipp = await Sipp.startCaller({
        address: ADDRESS,
        port: SIPP_PORT,
        calls: CALLS,
        target: `${bot.local.address}:${bot.local.port}`,
        callsPerSecond: CALLS_PER_SECOND,
        holdMs: HOLD_MS,
      });
      // Proves that sockets are seen at all where the last test sees none.
      const { value: sockets } = await settle(udpSocketCount, (count) => count > 2, 10_000);
      const result = await sipp.finish(TIMEOUT_MS);
      const { tookMs } = await settle(
        () => calls.every(({ hasEnded }) => hasEnded),
        (haveEnded) => haveEnded,
        5000,
      );

      report("SIPp calls the bot", {
        ...result,
        errors: undefined,
        lastEndMs: tookMs,
        ...summary(calls),
      });
      expect(sockets).toBeGreaterThan(socketsBefore);
      expect(result).toMatchObject({ created: CALLS, successful: CALLS, failed: 0 });
      expect(calls).toHaveLength(CALLS);
      expect(new Set(calls.map(endOf))).toEqual(new Set(["remote bye"]));
      const speaking = calls.filter(({ timeline }) =>
        timeline.of("playout").some(({ event }) => event === "started"),
      );
      expect(speaking).toHaveLength(CALLS);
    },
    TIMEOUT_MS,
  );

  it(
    "lets our caller call SIPp at 10 calls per second",
    async () => {
      sipp = await Sipp.startAnswerer({ address: ADDRESS, port: SIPP_PORT, calls: CALLS });
      const target = `sip:service@${ADDRESS}:${SIPP_PORT}`;
      const calls = await Promise.all(
        Array.from({ length: CALLS }, async (_, index) => {
          await delay((index * 1000) / CALLS_PER_SECOND);
          return placeCall(caller, target);
        }),
      );
      const result = await sipp.finish(TIMEOUT_MS);

      report("Our caller calls SIPp", { ...shown(result), ...summary(calls) });
      expect(result).toMatchObject({ created: CALLS, successful: CALLS, failed: 0 });
      expect(new Set(calls.map(endOf))).toEqual(new Set(["local bye"]));
    },
    TIMEOUT_MS,
  );

  it(
    "leaves no call, dialog, transaction and socket behind 35 s later",
    async () => {
      const { value, tookMs } = await settle(
        async () => ({
          bot: await bot.liveState(),
          caller: await caller.liveState(),
          newSockets: udpSocketCount() - socketsBefore,
        }),
        (left) => JSON.stringify(left) === JSON.stringify(NOTHING),
        RELEASE_LIMIT_MS,
      );

      report("Released", { tookMs, socketsBefore });
      // The socket of each agent's SIP endpoint was counted before, and is still there.
      expect(socketsBefore).toBe(2);
      expect(value).toEqual(NOTHING);
    },
    TIMEOUT_MS,
  );
});

const NO_LIVE_STATE = { calls: 0, dialogs: 0, transactions: 0, retransmissions: 0, connections: 0 };
const NOTHING = { bot: NO_LIVE_STATE, caller: NO_LIVE_STATE, newSockets: 0 };

/** The calls that become known from now on. */
function collectCalls(harness: Harness): WatchedCall[] {
  const calls: WatchedCall[] = [];
  harness.switchboard.subscribe((call) => calls.push(call));
  return calls;
}

/** Dials, stays for a moment and hangs up. */
async function placeCall(caller: RemoteAgent, target: string): Promise<WatchedCall> {
  const call = await caller.dial(target);
  const confirmed = await call.waitFor(
    (fact) => fact.kind === "callPhase" && fact.phase === "confirmed",
    10_000,
  );
  if (confirmed === undefined) return call;
  await delay(HOLD_MS);
  await call.hangUp();
  await call.whenEnded(10_000);
  return call;
}

/** SIPp's log only where it matters: it also tells of every repeated answer. */
function shown(result: SippStatistics): object {
  return result.failed === 0 ? { ...result, errors: undefined } : result;
}

/** "remote bye": who ended the call, and how. */
function endOf({ timeline }: WatchedCall): string {
  const end = timeline.of("callPhase").find(({ phase }) => phase === "ended");
  return end === undefined ? "still up" : `${end.endedBy} ${end.reason}`;
}

function summary(calls: readonly WatchedCall[]): object {
  const setupMs = calls
    .map((call) => {
      const from = instantOf(call, "dialed") ?? instantOf(call, "offered");
      const to = instantOf(call, "answered");
      return from === undefined || to === undefined ? Number.NaN : elapsedMs(from, to);
    })
    .toSorted((left, right) => left - right);
  const statistics = calls.flatMap(({ timeline }) => timeline.of("mediaStatistics"));
  return {
    setupMsP50: quantile(setupMs, 0.5),
    setupMsP99: quantile(setupMs, 0.99),
    packetsSent: statistics.reduce((sum, { packetsSent }) => sum + packetsSent, 0),
    departureJitterMsP99: Math.max(...statistics.map((each) => each.departureJitterMsP99)),
  };
}

function instantOf({ timeline }: WatchedCall, wanted: string): Instant | undefined {
  return timeline.of("callPhase").find(({ phase }) => phase === wanted)?.at;
}
