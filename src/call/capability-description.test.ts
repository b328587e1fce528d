import { describe, expect, it } from "vitest";
import { instant, SILENT_LOGGER, seededRandom } from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import { parseSdp } from "../sdp/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import { optionsReply } from "./answer-policy.ts";
import { describeCapabilities } from "./capability-description.ts";

const random = seededRandom("capabilities");
const clock = new ManualClock(instant(0));
const environment = {
  clock,
  random,
  network: new VirtualNetwork({ clock, random }),
  cryptography: new NodeCryptography(random),
  logger: SILENT_LOGGER,
};

describe("what OPTIONS is told of our media (RFC 3264 §9)", () => {
  it("is a valid description of all codecs, at port 0", () => {
    const text = describeCapabilities(environment, "192.0.2.1", { codecs: ["opus", "PCMA"] });
    expect(parseSdp(text)).toMatchObject({ media: [{}] });
    expect(text).toMatch(/^m=audio 0 RTP\/AVP /mu);
    expect(text).toMatch(/^a=rtpmap:\d+ opus\/48000\/2\r$/mu);
    expect(text).toMatch(/^a=rtpmap:8 PCMA\/8000\r$/mu);
    expect(text).not.toContain("PCMU");
  });

  it("has no keys and no port for RTCP", () => {
    const text = describeCapabilities(environment, "2001:db8::1", {
      srtp: "required",
      rtcp: "separate",
    });
    expect(text).toMatch(/^m=audio 0 RTP\/SAVP /mu);
    expect(text).not.toContain("crypto");
    expect(text).not.toMatch(/^a=rtcp:/mu);
    expect(text).toContain("IP6 2001:db8::1");
  });
});

describe("what OPTIONS is answered by an answer policy", () => {
  const agent = { dialog: { reliableProvisional: "off" }, describe: () => "v=0" } as const;

  it("is what an INVITE would get", () => {
    const reject = { kind: "reject", statusCode: 486, reasonPhrase: "In a Meeting" } as const;
    expect(optionsReply(reject, agent)).toEqual({
      statusCode: 486,
      reasonPhrase: "In a Meeting",
      headers: [],
    });
    const contacts = ["sip:desk@192.0.2.5", "sip:cell@192.0.2.6"];
    expect(optionsReply({ kind: "redirect", contacts, headers: ["X-A: 1"] }, agent)).toEqual({
      statusCode: 302,
      headers: [
        "X-A: 1",
        "Contact: <sip:desk@192.0.2.5>;q=1",
        "Contact: <sip:cell@192.0.2.6>;q=0.5",
      ],
    });
    const answer = optionsReply({ kind: "answer", ringMs: 0, media: { codecs: ["PCMA"] } }, agent);
    expect(answer).toMatchObject({ statusCode: 200, dialog: { reliableProvisional: "off" } });
    expect(answer.describe?.()).toBe("v=0");
    expect(optionsReply({ kind: "ringForever" }, agent)).toMatchObject({ statusCode: 200 });
  });
});
