import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { present } from "../../../src/environment/index.ts";
import { createEnvironment } from "../../../src/platform/index.ts";
import {
  type InboundCall,
  type Negotiator,
  type OutboundCall,
  type ReceivedRefer,
  SipEndpoint,
  type SipTrace,
  type TransferOutcome,
} from "../../../src/sip/index.ts";
import { Sipp } from "../support/sipp.ts";
import {
  replacingCaller,
  sippTransferee,
  sippTransferor,
  waitingAnswerer,
} from "../support/sipp-transfer.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["sipp"]);
const ADDRESS = "127.0.0.1";
const SIPP_PORT = 15_100;
const SECOND_SIPP_PORT = 15_110;
const LIMIT_MS = 30_000;

/** SIPp is content with any session description. */
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

describe.skipIf(MISSING !== undefined)(`Transfers with SIPp${because(MISSING)}`, () => {
  let endpoint: SipEndpoint;
  const running: Sipp[] = [];
  const traces: SipTrace[] = [];

  beforeEach(async () => {
    traces.length = 0;
    endpoint = await SipEndpoint.open({
      ...createEnvironment({ seed: "transfers with sipp" }),
      local: { address: ADDRESS, port: 0 },
      user: "service",
      userAgent: "Sidetone",
      onTrace: (trace) => traces.push(trace),
    });
  });

  afterEach(async () => {
    await endpoint.close();
    await Promise.all(running.splice(0).map((sipp) => sipp.stop()));
  });

  async function answering(scenario: string): Promise<Sipp> {
    const sipp = await Sipp.startAnswerer({
      address: ADDRESS,
      port: SIPP_PORT,
      calls: 1,
      scenario,
    });
    running.push(sipp);
    return sipp;
  }

  async function calling(scenario: string, port: number): Promise<Sipp> {
    const sipp = await Sipp.startCaller({
      address: ADDRESS,
      port,
      calls: 1,
      scenario,
      target: `${ADDRESS}:${endpoint.local.port}`,
      user: "service",
      callsPerSecond: 1,
      holdMs: 100,
    });
    running.push(sipp);
    return sipp;
  }

  /** Calls SIPp, refers it, hangs up, and says what was told. */
  async function refer(): Promise<{ outcome: TransferOutcome; told: string[] }> {
    const call = endpoint.call(`sip:sipp@${ADDRESS}:${SIPP_PORT}`, { negotiator: NEGOTIATOR });
    await established(call);
    const told: string[] = [];
    const outcome = await call.refer({
      target: "sip:desk@127.0.0.1:9",
      onProgress: ({ type, statusCode }) => told.push(`${type} ${statusCode ?? ""}`.trim()),
    });
    await call.hangUp();
    return { outcome, told };
  }

  it("is told by a transferee of 100, 180 and 200", async () => {
    const sipp = await answering(sippTransferee(["100 Trying", "180 Ringing", "200 OK"]));
    const { outcome, told } = await refer();
    expect(told).toEqual(["requested", "accepted 202", "progress 100", "progress 180"]);
    expect(outcome).toMatchObject({ result: "completed", statusCode: 200, reasonPhrase: "OK" });
    expect(await sipp.finish(LIMIT_MS)).toMatchObject({ successful: 1, failed: 0 });
  });

  it.each(["486 Busy Here", "603 Decline"])("is told by a transferee of %s", async (status) => {
    const sipp = await answering(sippTransferee(["100 Trying", status]));
    const { outcome } = await refer();
    expect(outcome).toMatchObject({ result: "failed", statusCode: Number(status.slice(0, 3)) });
    expect(await sipp.finish(LIMIT_MS)).toMatchObject({ successful: 1, failed: 0 });
  });

  it("tells a transferor of 100, 180 and 200, by the rules", async () => {
    const refers: ReceivedRefer[] = [];
    endpoint.onInvite = (call) => {
      call.answer(NEGOTIATOR);
      call.onRefer = (received) => {
        refers.push(received);
        return {
          follow: (report) => {
            report(180, "Ringing");
            report(200, "OK");
          },
        };
      };
    };
    const sipp = await calling(sippTransferor("sip:desk@127.0.0.1:9"), SIPP_PORT);
    expect(await sipp.finish(LIMIT_MS)).toMatchObject({ successful: 1, failed: 0 });
    expect(refers).toMatchObject([
      {
        target: "sip:desk@127.0.0.1:9",
        headers: ['Referred-By: "SIPp" <sip:sipp@127.0.0.1>'],
      },
    ]);
  });

  it("lets an INVITE with Replaces take the place of a call, and no other", async () => {
    const replacing: InboundCall[] = [];
    endpoint.onInvite = (call) => {
      replacing.push(call);
      call.answer(NEGOTIATOR);
    };
    const first = await answering(waitingAnswerer());
    const call = endpoint.call(`sip:sipp@${ADDRESS}:${SIPP_PORT}`, { negotiator: NEGOTIATOR });
    await established(call);
    const { callId, localTag, remoteTag } = present(call.dialog, "it is answered");

    const wrong = `${callId};to-tag=${localTag};from-tag=${remoteTag}x`;
    const stranger = await calling(replacingCaller(wrong, 481), SECOND_SIPP_PORT);
    expect(await stranger.finish(LIMIT_MS)).toMatchObject({ successful: 1, failed: 0 });
    const early = await calling(
      replacingCaller(`${callId};to-tag=${localTag};from-tag=${remoteTag};early-only`, 486),
      SECOND_SIPP_PORT,
    );
    expect(await early.finish(LIMIT_MS)).toMatchObject({ successful: 1, failed: 0 });
    expect(call.state).toBe("established");

    const right = `${callId};to-tag=${localTag};from-tag=${remoteTag}`;
    const second = await calling(replacingCaller(right, 200), SECOND_SIPP_PORT);
    expect(await first.finish(LIMIT_MS)).toMatchObject({ successful: 1, failed: 0 });
    expect(await second.finish(LIMIT_MS)).toMatchObject({ successful: 1, failed: 0 });
    expect(endpoint.counts).toEqual({ malformed: 0, exceptions: 0 });
    expect(replacing.map(({ replacedCallId }) => replacedCallId)).toEqual([callId]);
  });
});

function established(call: OutboundCall): Promise<void> {
  return new Promise((resolve, reject) => {
    call.onEvent = ({ type }) => {
      if (type === "confirmed") resolve();
      if (type === "ended") reject(new Error("The call ended before it was answered."));
    };
  });
}
