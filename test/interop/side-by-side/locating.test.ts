import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Environment, elapsedMs } from "../../../src/environment/index.ts";
import { createEnvironment } from "../../../src/platform/index.ts";
import {
  type Negotiator,
  type SipCallEvent,
  SipEndpoint,
  type SipTrace,
} from "../../../src/sip/index.ts";
import { Dnsmasq } from "../support/dnsmasq.ts";
import { Sipp } from "../support/sipp.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["dnsmasq", "sipp"]);
const SIPP_PORT = 15_072;
/** Nobody is bound there, and the host says so. */
const CLOSED_PORT = 15_073;
const SILENT_LIMIT_MS = 500;

const DESCRIPTION = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=-",
  "c=IN IP4 127.0.0.1",
  "t=0 0",
  "m=audio 16000 RTP/AVP 0",
  "",
].join("\r\n");

const NEGOTIATOR: Negotiator = {
  createOffer: () => DESCRIPTION,
  acceptOffer: () => DESCRIPTION,
  acceptAnswer: () => {},
  withdrawOffer: () => {},
};

/**
 * A real DNS server with the records of two domains; one server of each that works (SIPp), and
 * others that are busy (503), silent, or not there.
 */
describe.skipIf(MISSING !== undefined)(`servers found by DNS${because(MISSING)}`, () => {
  let environment: Environment;
  let dnsmasq: Dnsmasq;
  let caller: SipEndpoint;
  let busy: SipEndpoint;
  let silent: Awaited<ReturnType<Environment["network"]["bindDatagram"]>>;
  let silentCount = 0;
  let sipp: Sipp | undefined;
  const traces: SipTrace[] = [];

  beforeEach(async () => {
    traces.length = 0;
    silentCount = 0;
    const plain = createEnvironment({ seed: "locating" });
    const local = { address: "127.0.0.1", port: 0 };
    busy = await SipEndpoint.open({ ...plain, local, user: "service", userAgent: "Sidetone-Test" });
    busy.onInvite = (call) => call.reject(503);
    silent = await plain.network.bindDatagram(local);
    silent.onDatagram = () => {
      silentCount += 1;
    };
    dnsmasq = await Dnsmasq.start([
      "--host-record=sip.example,127.0.0.1",
      // order, preference, flags, service, regexp, replacement
      "--naptr-record=pbx.example,10,1,s,SIP+D2U,,_sip._udp.pbx.example",
      "--naptr-record=pbx.example,5,1,s,SIPS+D2W,,_sips._ws.pbx.example",
      // name, target, port, priority, weight
      `--srv-host=_sip._udp.pbx.example,sip.example,${busy.local.port},1,1`,
      `--srv-host=_sip._udp.pbx.example,sip.example,${CLOSED_PORT},2,1`,
      `--srv-host=_sip._udp.pbx.example,sip.example,${silent.local.port},3,1`,
      `--srv-host=_sip._udp.pbx.example,sip.example,${SIPP_PORT},4,1`,
      `--srv-host=_sip._udp.direct.example,sip.example,${SIPP_PORT},1,1`,
    ]);
    environment = createEnvironment({ seed: "locating", dnsServers: [dnsmasq.server] });
    caller = await SipEndpoint.open({
      ...environment,
      local,
      user: "caller",
      userAgent: "Sidetone-Test",
      allow: ["*.example"],
      sip: { serverTimeoutMs: SILENT_LIMIT_MS },
      onTrace: (trace) => traces.push(trace),
    });
    sipp = await Sipp.startAnswerer({ address: "127.0.0.1", port: SIPP_PORT, calls: 1 });
  });

  afterEach(async () => {
    await sipp?.stop();
    await caller.close();
    await busy.close();
    await silent.close();
    await dnsmasq.stop();
  });

  /** A call that is hung up as soon as it is up; how it ended. */
  function called(target: string): Promise<SipCallEvent> {
    const call = caller.call(target, { negotiator: NEGOTIATOR, ringTimeoutMs: 20_000 });
    return new Promise((resolve) => {
      call.onEvent = (event) => {
        if (event.type === "confirmed") void call.hangUp();
        if (event.type === "ended") resolve(event);
      };
    });
  }

  /** The port of each server that an INVITE went to, in order, without repetitions. */
  function triedPorts(): readonly number[] {
    return traces
      .filter(
        ({ direction, method, statusCode, retransmission }) =>
          direction === "sent" &&
          method === "INVITE" &&
          statusCode === undefined &&
          !retransmission,
      )
      .map(({ remote }) => Number(remote.split(":")[1]));
  }

  it("are tried in order by NAPTR and SRV: busy, closed, silent, and the one that answers", async () => {
    const start = environment.clock.now();
    const ended = await called("sip:service@pbx.example");
    expect(ended).toMatchObject({ type: "ended", endedBy: "local", reason: "bye" });
    expect(triedPorts()).toEqual([busy.local.port, CLOSED_PORT, silent.local.port, SIPP_PORT]);
    expect(silentCount).toBeGreaterThan(0);
    expect(dnsmasq.questions).toContain("NAPTR pbx.example");
    expect(dnsmasq.questions).toContain("SRV _sip._udp.pbx.example");
    // One time-out for the silent one; the closed one is known at once where the host tells.
    expect(elapsedMs(start, environment.clock.now())).toBeLessThan(5000);
    const bye = traces.find(({ method, direction }) => method === "BYE" && direction === "sent");
    expect(bye?.remote).toBe(`127.0.0.1:${SIPP_PORT}`);
    expect(caller.counts).toEqual({ malformed: 0, exceptions: 0 });
  });

  it("are found by SRV alone, and asked for once", async () => {
    await called("sip:service@direct.example");
    expect(triedPorts()).toEqual([SIPP_PORT]);
    expect(dnsmasq.questions.filter((each) => each.startsWith("NAPTR"))).toHaveLength(1);
  });

  it("are found by their address alone where the URI says the port", async () => {
    await called(`sip:service@sip.example:${SIPP_PORT}`);
    expect(triedPorts()).toEqual([SIPP_PORT]);
    expect(dnsmasq.questions.filter((each) => /NAPTR|SRV/u.test(each))).toEqual([]);
  });

  it("are unknown where the DNS server says so, and where it is not there", async () => {
    expect(await called("sip:service@nowhere.example")).toMatchObject({
      error: { code: "ERR_HOST_UNRESOLVED" },
    });
    await dnsmasq.stop();
    expect(await called("sip:service@other.example")).toMatchObject({
      error: { code: "ERR_DNS_FAILED" },
    });
  });
});
