import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headerValues, parseAddress, summariseMessage } from "./index.ts";

const INVITE = [
  "INVITE sip:bot@192.0.2.2 SIP/2.0",
  "v: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK-1, SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK-2",
  'f: "A, \\"B\\"" <sip:ann@192.0.2.1;user=phone>;tag=a1',
  "t: <tel:+15550100;phone-context=example.com>",
  "i: abc@192.0.2.1",
  "Reason: SIP;cause=200;",
  ' text="Call completed elsewhere"',
  "X-List: a, b",
  "Diversion: <sip:x@y>;reason=no-answer, <sip:z@y>",
  "Diversion: <sip:w@y>",
  "c: application/sdp;charset=utf-8",
  "",
  "v=0",
  "c=IN IP4 192.0.2.7",
  "a=sendonly",
  "m=audio 40000 RTP/SAVP 0 111 42",
  "a=rtpmap:111 opus/48000/2",
  "",
].join("\r\n");

describe("summariseMessage", () => {
  it("says what a message is about", () => {
    expect(summariseMessage(INVITE)).toEqual({
      fromUri: "sip:ann@192.0.2.1;user=phone",
      fromTag: "a1",
      toUri: "tel:+15550100;phone-context=example.com",
      branch: "z9hG4bK-1",
      callId: "abc@192.0.2.1",
      contentType: "application/sdp",
      reason: 'SIP;cause=200; text="Call completed elsewhere"',
      sdp: {
        address: "192.0.2.7:40000",
        codecs: ["PCMU", "opus", "42"],
        direction: "sendonly",
        isEncrypted: true,
      },
    });
  });

  it("has the phrase of a response, which may be empty", () => {
    expect(summariseMessage("SIP/2.0 486 Busy Here\r\n\r\n").reasonPhrase).toBe("Busy Here");
    expect(summariseMessage("SIP/2.0 486 \r\n\r\n").reasonPhrase).toBe("");
  });

  it("takes any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        summariseMessage(text);
      }),
    );
    fc.assert(
      fc.property(fc.nat(INVITE.length), fc.string(), (at, text) => {
        summariseMessage(INVITE.slice(0, at) + text + INVITE.slice(at));
      }),
    );
  });
});

describe("headerValues", () => {
  it("lists those of several lines and those of one, but splits no header of one's own", () => {
    expect(headerValues(INVITE, "diversion")).toEqual([
      "<sip:x@y>;reason=no-answer",
      "<sip:z@y>",
      "<sip:w@y>",
    ]);
    expect(headerValues(INVITE, "X-List")).toEqual(["a, b"]);
    expect(headerValues(INVITE, "Missing")).toEqual([]);
  });
});

describe("parseAddress", () => {
  it("reads names, any scheme and parameters", () => {
    expect(parseAddress('"A \\"B\\"" <tel:+1555;x=y>;p="q;r";flag')).toEqual({
      displayName: 'A "B"',
      uri: "tel:+1555;x=y",
      parameters: { p: '"q;r"', flag: null },
    });
    expect(parseAddress("sip:a@b;tag=1")).toMatchObject({
      uri: "sip:a@b",
      parameters: { tag: "1" },
    });
    expect(parseAddress('"open <sip:a@b>')).toBeUndefined();
    expect(parseAddress("<sip:a@b")).toBeUndefined();
    expect(parseAddress("Ann")).toBeUndefined();
  });
});
