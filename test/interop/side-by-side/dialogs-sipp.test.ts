import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { after, type Environment } from "../../../src/environment/index.ts";
import { createEnvironment } from "../../../src/platform/index.ts";
import { type DialogSettings, type Negotiator, SipEndpoint } from "../../../src/sip/index.ts";
import { Sipp } from "../support/sipp.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["sipp"]);
const SIPP_PORT = 15_170;

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

const SDP = `Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 16000 RTP/AVP 0
a=rtpmap:0 PCMU/8000
`;

/** The INVITE, whose headers are kept for responses that follow other requests. */
const RECEIVE_INVITE = `<recv request="INVITE"><action>
<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
</action></recv>`;

/** A response to that INVITE. */
function answered(status: string, tag: string, rest: string): string {
  return `<send><![CDATA[
SIP/2.0 ${status}
Via:[$via]
From:[$from]
To:[$to];tag=${tag}
Call-ID: [call_id]
CSeq:[$cseq]
Contact: <sip:[local_ip]:[local_port]>
Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE
${rest}
]]></send>`;
}

/** Takes a request within the dialog. */
function taken(method: string, rest = "Content-Length: 0\n"): string {
  return `<recv request="${method}"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
${rest}
]]></send>`;
}

const ACK = '<recv request="ACK"/>';

function scenario(...parts: readonly string[]): string {
  return `<?xml version="1.0"?>
<scenario name="answerer">
${RECEIVE_INVITE}
${parts.join("\n")}
</scenario>
`;
}

describe.skipIf(MISSING !== undefined)(`dialogs with SIPp${because(MISSING)}`, () => {
  let environment: Environment;
  let endpoint: SipEndpoint;
  let sipp: Sipp | undefined;

  beforeEach(async () => {
    environment = createEnvironment({ seed: "dialogs" });
    endpoint = await SipEndpoint.open({
      ...environment,
      local: { address: "127.0.0.1", port: 0 },
      user: "caller",
      userAgent: "Sidetone",
    });
  });

  afterEach(async () => {
    await sipp?.stop();
    await endpoint.close();
  });

  /** Calls SIPp, hangs up `holdMs` after the call came up, and says what happened to it. */
  async function called(
    xml: string,
    { settings = {}, holdMs = 200 }: { settings?: DialogSettings; holdMs?: number } = {},
  ): Promise<string[]> {
    sipp = await Sipp.startAnswerer({
      address: "127.0.0.1",
      port: SIPP_PORT,
      calls: 1,
      scenario: xml,
    });
    const target = `sip:bot@127.0.0.1:${SIPP_PORT}`;
    const call = endpoint.call(target, { negotiator: NEGOTIATOR, settings });
    const events: string[] = [];
    const { clock } = environment;
    await new Promise<void>((resolve) => {
      call.onEvent = ({ type }) => {
        events.push(type);
        if (type === "confirmed")
          clock.setTimer(after(clock.now(), holdMs), () => void call.hangUp());
        if (type === "ended") resolve();
      };
    });
    expect(await sipp.finish(20_000)).toMatchObject({ successful: 1, failed: 0 });
    return events;
  }

  it("acknowledge its reliable 183 with PRACK, and need no SDP in its 200", async () => {
    const events = await called(
      scenario(
        answered("183 Session Progress", "A", `Require: 100rel\nRSeq: 7\n${SDP}`),
        taken("PRACK"),
        answered("200 OK", "A", "Content-Length: 0\n"),
        ACK,
        taken("BYE"),
      ),
    );

    expect(events).toEqual(expect.arrayContaining(["earlyMedia", "answered", "confirmed"]));
  });

  it("come up with another fork than the one that was heard first", async () => {
    const events = await called(
      scenario(
        answered("183 Session Progress", "A", SDP),
        answered("200 OK", "B", SDP),
        ACK,
        taken("BYE"),
      ),
    );

    expect(events).toEqual(expect.arrayContaining(["earlyMedia", "confirmed", "ended"]));
  });

  it("keep the session alive by UPDATE, as often as its 200 asks for", async () => {
    const timer = "Require: timer\nSession-Expires: 2;refresher=uac";
    const events = await called(
      scenario(
        answered("200 OK", "A", `${timer}\n${SDP}`),
        ACK,
        taken("UPDATE", `${timer}\nContent-Length: 0\n`),
        taken("BYE"),
      ),
      { settings: { sessionTimer: { intervalS: 2, minIntervalS: 2 } }, holdMs: 1500 },
    );

    expect(events.filter((type) => type === "sessionTimer")).toHaveLength(2);
  });
});
