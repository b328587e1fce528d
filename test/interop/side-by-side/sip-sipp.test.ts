import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Environment, instant } from "../../../src/environment/index.ts";
import { createEnvironment } from "../../../src/platform/index.ts";
import type { Negotiator, SipCallEvent, SipTrace } from "../../../src/sip/index.ts";
import { SipEndpoint } from "../../../src/sip/index.ts";
import { Sipp } from "../support/sipp.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["sipp"]);

const CALLS = Number(process.env["SIDETONE_SIPP_CALLS"] ?? 50);
const RATE = Number(process.env["SIDETONE_SIPP_RATE"] ?? 25);
const OUR_PORT = 15_060;
const SIPP_PORT = 15_070;
const HOLD_MS = 300;
const TIMEOUT_MS = 120_000;

/** SIPp's scenarios are content with any session description. */
const DESCRIPTION = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=-",
  "c=IN IP4 127.0.0.1",
  "t=0 0",
  "m=audio 16000 RTP/AVP 0",
  "a=rtpmap:0 PCMU/8000",
  "",
].join("\r\n");

const NEGOTIATOR: Negotiator = {
  createOffer: () => DESCRIPTION,
  acceptOffer: () => DESCRIPTION,
  acceptAnswer: () => {},
  withdrawOffer: () => {},
};

describe.skipIf(MISSING !== undefined)(`SIPp${because(MISSING)}`, () => {
  let environment: Environment;
  let endpoint: SipEndpoint;
  let sipp: Sipp | undefined;
  let cpuAtStart: NodeJS.CpuUsage;
  const traces: SipTrace[] = [];

  beforeEach(async () => {
    environment = createEnvironment({ seed: "sipp" });
    traces.length = 0;
    endpoint = await SipEndpoint.open({
      ...environment,
      local: { address: "127.0.0.1", port: OUR_PORT },
      user: "service",
      userAgent: "Sidetone",
      onTrace: (trace) => traces.push(trace),
    });
    cpuAtStart = process.cpuUsage();
  });

  afterEach(async () => {
    await sipp?.stop();
    await endpoint.close();
  });

  /** Shown, not asserted: the machine is not ours alone. */
  function report(what: string, extra: object): void {
    const { user, system } = process.cpuUsage(cpuAtStart);
    const cpuMsPerCall = (user + system) / 1000 / CALLS;
    const repeated = traces.filter((trace) => trace.retransmission).length;
    process.stdout.write(
      `${what}: ${JSON.stringify({ calls: CALLS, rate: RATE, cpuMsPerCall, repeated, ...extra })}\n`,
    );
  }

  it(`calls us ${CALLS} times and hangs up`, async () => {
    const ended: SipCallEvent[] = [];
    endpoint.onInvite = (call) => {
      call.onEvent = (event) => {
        if (event.type === "ended") ended.push(event);
      };
      call.ring();
      call.answer(NEGOTIATOR);
    };

    sipp = await Sipp.startCaller({
      address: "127.0.0.1",
      port: SIPP_PORT,
      calls: CALLS,
      target: `127.0.0.1:${OUR_PORT}`,
      user: "service",
      callsPerSecond: RATE,
      holdMs: HOLD_MS,
    });
    const result = await sipp.finish(TIMEOUT_MS);

    report("SIPp calls us", { repeatedBySipp: result.retransmissions });
    expect(result).toMatchObject({ successful: CALLS, failed: 0 });
    expect(ended).toHaveLength(CALLS);
    expect(new Set(ended.map((event) => (event.type === "ended" ? event.reason : "")))).toEqual(
      new Set(["bye"]),
    );
    expect(endpoint.counts).toEqual({ malformed: 0, exceptions: 0 });
  });

  it(`is called by us ${CALLS} times, and we hang up`, async () => {
    sipp = await Sipp.startAnswerer({ address: "127.0.0.1", port: SIPP_PORT, calls: CALLS });
    // It does not say when it is ready; where our INVITE comes too early, it is repeated.

    const setupMs: number[] = [];
    const calls = [];
    const start = environment.clock.now();
    for (let index = 0; index < CALLS; index += 1) {
      // Calls are started at a fixed rate.
      // oxlint-disable-next-line no-await-in-loop
      await until(instant(start + (index * 1000) / RATE));
      calls.push(placeCall(setupMs));
    }
    const reasons = await Promise.all(calls);
    const result = await sipp.finish(TIMEOUT_MS);

    setupMs.sort((left, right) => left - right);
    const quantile = (share: number): number | undefined =>
      setupMs[Math.floor((setupMs.length - 1) * share)];
    const repeatedBySipp = result.retransmissions;
    report("We call SIPp", {
      repeatedBySipp,
      setupMsP50: quantile(0.5),
      setupMsP95: quantile(0.95),
    });
    expect(new Set(reasons)).toEqual(new Set(["local bye"]));
    expect(result).toMatchObject({ successful: CALLS, failed: 0 });
    expect(endpoint.counts).toEqual({ malformed: 0, exceptions: 0 });
  });

  function until(at: number): Promise<void> {
    return new Promise((resolve) => {
      environment.clock.setTimer(instant(at), resolve);
    });
  }

  /** Dials, stays for a moment, hangs up; gives "endedBy reason". */
  function placeCall(setupMs: number[]): Promise<string> {
    const dialledAt = environment.clock.now();
    const call = endpoint.call(`sip:service@127.0.0.1:${SIPP_PORT}`, { negotiator: NEGOTIATOR });
    return new Promise((resolve) => {
      call.onEvent = (event) => {
        if (event.type === "confirmed") {
          setupMs.push(event.at - dialledAt);
          void until(event.at + HOLD_MS).then(() => call.hangUp());
        }
        if (event.type === "ended") resolve(`${event.endedBy} ${event.reason}`);
      };
    });
  }
});
