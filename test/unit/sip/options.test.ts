import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type { InboundCall, OptionsAnswer, SipEndpoint } from "../../../src/sip/index.ts";
import {
  FakeNegotiator,
  headerIn,
  LIVE_NOTHING,
  RAW_CONTACT,
  RAW_SDP,
  rawRequest,
  responseTo,
  SDP_TYPE,
  SipLab,
} from "./sip-lab.ts";

let lab: SipLab;
let bot: SipEndpoint;
const incoming: InboundCall[] = [];

beforeEach(async () => {
  vi.useFakeTimers();
  incoming.length = 0;
  lab = new SipLab();
  bot = await lab.endpoint(2, "bot");
  bot.onInvite = (call) => incoming.push(call);
});

afterEach(async () => {
  await lab.close();
  vi.useRealTimers();
});

async function settled<Value>(promise: Promise<Value>): Promise<Value | Error> {
  const outcome = promise.catch((error: Error) => error);
  await lab.advance(50);
  return outcome;
}

async function answerTo(headers: readonly string[] = []): Promise<string> {
  const peer = await lab.peer(9);
  peer.send(rawRequest("OPTIONS", { headers }), 2);
  await lab.advance(20);
  await peer.close();
  return peer.received[0]?.text ?? "nothing";
}

describe("what OPTIONS is answered (RFC 3261 §11.2)", () => {
  it("says which methods, bodies, codings, languages and extensions are known", async () => {
    const answer = await answerTo();
    expect(answer).toContain("SIP/2.0 200 OK");
    expect(headerIn(answer, "Allow")).toContain("MESSAGE");
    expect(headerIn(answer, "Accept")).toContain("text/plain");
    expect(headerIn(answer, "Accept-Encoding")).toBe("identity");
    expect(headerIn(answer, "Accept-Language")).toBe("*");
    expect(answer.match(/^Supported:.*$/gm)?.join()).toMatch(/replaces.*100rel, timer/s);
    expect(headerIn(answer, "Contact")).toBe("<sip:bot@192.0.2.2:5060>");
    expect(headerIn(answer, "Content-Length")).toBe("0");
  });

  it("has SDP only for those who ask for it", async () => {
    bot.onOptions = () => ({ statusCode: 200, describe: () => RAW_SDP });
    expect(await answerTo()).not.toContain("v=0");
    expect(await answerTo(["Accept: text/plain"])).not.toContain("v=0");
    const answer = await answerTo(["Accept: text/plain, Application/SDP;level=1"]);
    expect(headerIn(answer, "Content-Type")).toBe("application/sdp");
    expect(answer.endsWith(RAW_SDP)).toBe(true);
  });

  it("is what an INVITE would get: 480 where nobody answers, else what is said", async () => {
    bot.onInvite = undefined;
    expect(await answerTo()).toContain("SIP/2.0 480");
    bot.onOptions = () => ({ statusCode: 486, reasonPhrase: "In a Meeting", describe: () => "x" });
    const busy = await answerTo(["Accept: application/sdp"]);
    expect(busy).toContain("SIP/2.0 486 In a Meeting");
    expect(headerIn(busy, "Content-Length")).toBe("0");
    bot.onOptions = () => ({ statusCode: 302, headers: ["Contact: <sip:desk@192.0.2.5>"] });
    const moved = await answerTo();
    expect(moved).toContain("SIP/2.0 302");
    expect(headerIn(moved, "Contact")).toBe("<sip:desk@192.0.2.5>");
  });

  it("is 200 all the same where the listener throws, which is counted", async () => {
    bot.onOptions = () => {
      throw new Error("A bug of the listener.");
    };
    expect(await answerTo()).toContain("SIP/2.0 200");
    expect(bot.counts.exceptions).toBe(1);
  });
});

describe("OPTIONS within a call", () => {
  it("goes both ways, changes nothing, and is 200 although other calls are refused", async () => {
    const caller = await lab.endpoint(1, "caller");
    const outbound = caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator() });
    await lab.advance(20);
    const inbound = present(incoming[0], "the INVITE arrived");
    inbound.answer(new FakeNegotiator());
    await lab.advance(20);
    bot.onOptions = () => ({ statusCode: 486, describe: () => RAW_SDP });

    const answers = [
      await settled(outbound.queryOptions()),
      await settled(inbound.queryOptions()),
    ] as OptionsAnswer[];

    expect(answers[0]).toMatchObject({ statusCode: 200, reasonPhrase: "OK" });
    expect(answers[0]?.description).toContain("s=raw");
    expect(answers[0]?.allow).toContain("INVITE");
    expect(answers[0]?.supported).toContain("timer");
    expect(answers[1]).toMatchObject({ statusCode: 200 });
    expect(answers[1]?.description).toBeUndefined();
    expect([outbound.state, inbound.state]).toEqual(["established", "established"]);
    const request = lab.traces.find(({ method }) => method === "OPTIONS");
    expect(headerIn(request?.text ?? "", "To")).toContain(";tag=");
  });

  it("any final response is an answer; none is ERR_SIP_NO_RESPONSE; an ended call has none", async () => {
    const peer = await lab.peer(9);
    peer.onMessage = (text) => {
      const answer = { toTag: "peer", headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP };
      if (text.startsWith("INVITE")) peer.send(responseTo(text, "200 OK", answer), 2);
      if (text.startsWith("BYE")) peer.send(responseTo(text, "200 OK"), 2);
      if (/CSeq: 2 OPTIONS/.test(text)) peer.send(responseTo(text, "405 No"), 2);
    };
    const call = bot.call("sip:raw@192.0.2.9", { negotiator: new FakeNegotiator() });
    await lab.advance(20);

    const refused = await settled(call.queryOptions());
    expect(refused).toMatchObject({ statusCode: 405, allow: [] });
    const silent = call.queryOptions().catch((error: Error) => error);
    await lab.advance(33_000);
    expect(await silent).toMatchObject({ code: "ERR_SIP_NO_RESPONSE" });
    const pending = call.queryOptions().catch((error: Error) => error);
    await lab.advance(10);
    void call.hangUp();
    await lab.advance(50);
    expect(await pending).toMatchObject({ code: "ERR_SIP_NO_RESPONSE" });
    expect(await settled(call.queryOptions())).toMatchObject({ code: "ERR_CALL_STATE" });
    await lab.advance(35_000);
    expect(bot.liveState).toEqual(LIVE_NOTHING);
  });
});
