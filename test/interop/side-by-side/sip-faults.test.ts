import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Environment, instant } from "../../../src/environment/index.ts";
import { createEnvironment } from "../../../src/platform/index.ts";
import type { Negotiator, SipCallEvent, SipTrace } from "../../../src/sip/index.ts";
import {
  FAULTS,
  type InjectedFault,
  type MessageFault,
  SipEndpoint,
} from "../../../src/sip/index.ts";
import { Sipp } from "../support/sipp.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["sipp"]);

const OUR_PORT = 15_080;
const SIPP_PORT = 15_090;
const TIMEOUT_MS = 90_000;
/** Longer than the ACK is late. */
const HOLD_MS = 1500;

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

const HEAD = (
  method: string,
  cseq: number,
): string => `${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70`;

const INVITE = `<send retrans="500"><![CDATA[
${HEAD("INVITE", 1)}
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200"/>`;

/** A caller that never acknowledges. SIPp counts the repeated 200s itself, and takes them for what they are. */
const NO_ACK = `<?xml version="1.0"?>
<scenario name="no ACK">
${INVITE}
<pause milliseconds="2500"/>
<send retrans="500"><![CDATA[
${HEAD("BYE", 2)}
Content-Length: 0

]]></send>
<recv response="200" timeout="8000"/>
</scenario>
`;

/** A bot that answers, and then our BYE so late that it has been repeated. */
const DEAF_TO_BYE = `<?xml version="1.0"?>
<scenario name="deaf to BYE">
<recv request="INVITE"/>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:service@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
]]></send>
<recv request="ACK"/>
<recv request="BYE"/>
<pause milliseconds="2200"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
`;

describe.skipIf(MISSING !== undefined)(`faults, with SIPp${because(MISSING)}`, () => {
  let environment: Environment;
  let endpoint: SipEndpoint;
  let sipp: Sipp | undefined;
  let traces: SipTrace[];
  let injected: InjectedFault[];

  beforeEach(async () => {
    environment = createEnvironment({ seed: "sip-faults" });
    traces = [];
    injected = [];
    endpoint = await SipEndpoint.open({
      ...environment,
      local: { address: "127.0.0.1", port: OUR_PORT },
      user: "service",
      userAgent: "Sidetone",
      onTrace: (trace) => traces.push(trace),
      onInjected: (_callId, fault) => injected.push(fault),
    });
  });

  afterEach(async () => {
    await sipp?.stop();
    await endpoint.close();
  });

  function answered(): SipCallEvent[] {
    const events: SipCallEvent[] = [];
    endpoint.onInvite = (call) => {
      call.onEvent = (event) => events.push(event);
      call.ring();
      call.answer(NEGOTIATOR);
    };
    return events;
  }

  /** Dials SIPp, which may not be up yet; hangs up once confirmed, or says how it ended. */
  function dialled(...faults: readonly MessageFault[]): Promise<SipCallEvent[]> {
    const call = endpoint.call(`sip:service@127.0.0.1:${SIPP_PORT}`, {
      negotiator: NEGOTIATOR,
      faults,
    });
    const events: SipCallEvent[] = [];
    return new Promise((resolve) => {
      call.onEvent = (event) => {
        events.push(event);
        if (event.type === "confirmed") {
          environment.clock.setTimer(instant(event.at + HOLD_MS), () => void call.hangUp());
        }
        if (event.type === "ended") resolve(events);
      };
    });
  }

  function sentCount(method: string, statusCode?: number): number {
    return traces.filter(
      (trace) =>
        trace.direction === "sent" && trace.method === method && trace.statusCode === statusCode,
    ).length;
  }

  it("SIPp sends no ACK: our 200 is repeated, and its BYE ends the call", async () => {
    const events = answered();
    sipp = await Sipp.startCaller({
      address: "127.0.0.1",
      port: SIPP_PORT,
      calls: 1,
      target: `127.0.0.1:${OUR_PORT}`,
      user: "service",
      callsPerSecond: 1,
      holdMs: 0,
      scenario: NO_ACK,
    });
    expect(await sipp.finish(TIMEOUT_MS)).toMatchObject({ successful: 1, failed: 0 });
    expect(sentCount("INVITE", 200)).toBeGreaterThanOrEqual(3);
    expect(events.at(-1)).toMatchObject({ type: "ended", endedBy: "remote", reason: "bye" });
  });

  it("SIPp does not answer our BYE at first: it is repeated until it does", async () => {
    sipp = await Sipp.startAnswerer({
      address: "127.0.0.1",
      port: SIPP_PORT,
      calls: 1,
      scenario: DEAF_TO_BYE,
    });
    const events = await dialled();
    expect(events.at(-1)).toMatchObject({ type: "ended", endedBy: "local", reason: "bye" });
    expect(sentCount("BYE")).toBeGreaterThanOrEqual(3);
    expect(await sipp.finish(TIMEOUT_MS)).toMatchObject({ successful: 1, failed: 0 });
  });

  it("our ACK is late and our first BYE lost: SIPp repeats its 200, and the call is clean", async () => {
    sipp = await Sipp.startAnswerer({ address: "127.0.0.1", port: SIPP_PORT, calls: 1 });
    const events = await dialled(FAULTS.lateAck(700), FAULTS.lostBye(1));
    expect(events.at(-1)).toMatchObject({ type: "ended", endedBy: "local", reason: "bye" });
    const result = await sipp.finish(TIMEOUT_MS);
    expect(result).toMatchObject({ successful: 1, failed: 0 });
    expect(result.retransmissions).toBeGreaterThanOrEqual(1);
    expect(new Set(injected.map(({ name }) => name))).toEqual(new Set(["late ACK", "lost BYE"]));
  });

  it("every response of ours is late: SIPp repeats its INVITE, and there is one call", async () => {
    const events = answered();
    endpoint.inboundFaults = [FAULTS.slowResponses(700)];
    sipp = await Sipp.startCaller({
      address: "127.0.0.1",
      port: SIPP_PORT,
      calls: 1,
      target: `127.0.0.1:${OUR_PORT}`,
      user: "service",
      callsPerSecond: 1,
      holdMs: 200,
    });
    const result = await sipp.finish(TIMEOUT_MS);
    expect(result).toMatchObject({ successful: 1, failed: 0 });
    expect(result.retransmissions).toBeGreaterThanOrEqual(1);
    expect(events.filter(({ type }) => type === "answered")).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: "ended", endedBy: "remote", reason: "bye" });
  });
});
