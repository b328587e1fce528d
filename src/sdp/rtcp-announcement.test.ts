import { describe, expect, it } from "vitest";
import type { MediaCapabilities } from "./media-capabilities.ts";
import type { NegotiatedMedia } from "./negotiated-media.ts";
import { OfferAnswer } from "./offer-answer.ts";

const BASE: MediaCapabilities = {
  address: "192.0.2.1",
  port: 40_000,
  codecs: [{ id: "PCMU", name: "PCMU", payloadType: 0, clockRateHz: 8000 }],
  telephoneEvents: false,
  comfortNoise: false,
  ptimeMs: 20,
  sessionId: 1,
  rtcp: { mode: "mux", port: 40_001 },
  rtcpXr: true,
  srtp: { policy: "off", offers: [] },
};

function side(rtcp: MediaCapabilities["rtcp"], rtcpXr = false): OfferAnswer {
  return new OfferAnswer({ ...BASE, rtcp, rtcpXr });
}

/** What a peer says whose RTP is at 192.0.2.9:6000. */
function peer(...more: string[]): string {
  const head = ["v=0", "c=IN IP4 192.0.2.9", "m=audio 6000 RTP/AVP 0"];
  return [...head, ...more].join("\r\n");
}

function rtcpLines(text: string): string[] {
  return text.split("\r\n").filter((line) => line.startsWith("a=rtcp"));
}

function afterOffer(rtcp: MediaCapabilities["rtcp"], ...more: string[]): NegotiatedMedia {
  const answerer = side(rtcp);
  answerer.acceptOffer(peer(...more));
  if (answerer.negotiated === undefined) throw new Error("Nothing was negotiated.");
  return answerer.negotiated;
}

describe("RTCP in our descriptions", () => {
  it.each<[MediaCapabilities["rtcp"], string[]]>([
    [{ mode: "off", port: 40_001 }, []],
    [{ mode: "separate", port: 40_001 }, []],
    [{ mode: "separate", port: 41_001 }, ["a=rtcp:41001"]],
    [{ mode: "mux", port: 40_001 }, ["a=rtcp-mux"]],
    [{ mode: "mux", port: 41_001 }, ["a=rtcp:41001", "a=rtcp-mux"]],
    [{ mode: "mux" }, ["a=rtcp-mux"]],
  ])("is offered, with %j, as %j", (rtcp, expected) => {
    expect(rtcpLines(side(rtcp).createOffer())).toEqual(expected);
  });

  it.each<[MediaCapabilities["rtcp"]["mode"], boolean, boolean]>([
    ["mux", true, true],
    ["mux", false, false],
    ["separate", true, false],
    ["off", true, false],
  ])("multiplexes in an answer, with %s and an offer of it %s: %s", (mode, isOffered, expected) => {
    const answerer = side({ mode, port: 40_001 });

    const answer = answerer.acceptOffer(peer(...(isOffered ? ["a=rtcp-mux"] : [])));

    expect(rtcpLines(answer)).toEqual(expected ? ["a=rtcp-mux"] : []);
    expect(answerer.negotiated?.rtcpMux).toBe(expected);
  });

  it("asks for VoIP metrics (RFC 3611 §5) unless RTCP is off", () => {
    expect(rtcpLines(side({ mode: "separate" }, true).createOffer())).toEqual([
      "a=rtcp-xr:voip-metrics",
    ]);
    expect(rtcpLines(side({ mode: "separate" }, true).acceptOffer(peer()))).toEqual([
      "a=rtcp-xr:voip-metrics",
    ]);
    expect(rtcpLines(side({ mode: "off" }, true).createOffer())).toEqual([]);
  });
});

describe("where RTCP is sent to", () => {
  const separate = { mode: "separate", port: 40_001 } as const;

  it.each<[string[], { address: string; port: number } | undefined]>([
    [[], { address: "192.0.2.9", port: 6001 }],
    [["a=rtcp:7777"], { address: "192.0.2.9", port: 7777 }],
    // The example of RFC 3605 §2.1.
    [["a=rtcp:53020 IN IP4 126.16.64.4"], { address: "126.16.64.4", port: 53_020 }],
    [["a=rtcp:53020 IN IP6 2001:db8::4"], { address: "2001:db8::4", port: 53_020 }],
    [["a=rtcp:53020 IN IP4 media.example.com"], { address: "192.0.2.9", port: 53_020 }],
    [["a=rtcp:0"], undefined],
    [["a=rtcp:70000"], undefined],
    [["a=rtcp:53020 IN IP4 0.0.0.0"], undefined],
    [["a=rtcp:what"], { address: "192.0.2.9", port: 6001 }],
    [["a=inactive"], { address: "192.0.2.9", port: 6001 }],
    [["c=IN IP4 0.0.0.0"], undefined],
  ])("for %j is %j", (more, expected) => {
    expect(afterOffer(separate, ...more).remoteRtcp).toEqual(expected);
  });

  it("is the RTP port where both multiplex, whatever a=rtcp says (RFC 5761 §5.1.1)", () => {
    expect(afterOffer({ mode: "mux" }, "a=rtcp-mux", "a=rtcp:7777")).toMatchObject({
      rtcpMux: true,
      remoteRtcp: { address: "192.0.2.9", port: 6000 },
    });
  });

  it("is nowhere where it is off, or where we have no socket for it", () => {
    expect(afterOffer({ mode: "off", port: 40_001 }).remoteRtcp).toBeUndefined();
    expect(afterOffer({ mode: "mux" }).remoteRtcp).toBeUndefined();
    expect(afterOffer({ mode: "separate" }).remoteRtcp).toBeUndefined();
  });

  it("has no port after the last one", () => {
    const answerer = side(separate);
    answerer.acceptOffer(peer().replace("6000", "65535"));

    expect(answerer.negotiated?.remoteRtcp).toBeUndefined();
  });

  it("follows the answer: a peer that does not know multiplexing gets RTCP apart", () => {
    const offerer = side({ mode: "mux", port: 40_001 });
    offerer.createOffer();
    offerer.acceptAnswer(peer());
    expect(offerer.negotiated).toMatchObject({ rtcpMux: false, remoteRtcp: { port: 6001 } });

    offerer.createOffer();
    offerer.acceptAnswer(peer("a=rtcp-mux"));
    expect(offerer.negotiated).toMatchObject({ rtcpMux: true, remoteRtcp: { port: 6000 } });
  });
});

describe("the peer's wish for VoIP metrics", () => {
  it.each([
    ["a=rtcp-xr:voip-metrics", true],
    ["a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup voip-metrics", true],
    ["a=rtcp-xr:pkt-loss-rle", false],
    ["a=rtcp-xr", false],
    ["a=ptime:20", false],
  ])("in %j is %s", (line, expected) => {
    expect(afterOffer({ mode: "mux" }, line).remoteRtcpXr).toBe(expected);
    expect(afterOffer({ mode: "off" }, line).remoteRtcpXr).toBe(false);
  });
});
