import { describe, expect, it } from "vitest";
import {
  bot,
  caller,
  description,
  errorOf,
  exchange,
  G722,
  L16_8000,
  linesOf,
  negotiatedOf,
  OPUS,
  PCMA,
  PCMU,
} from "./sides.ts";

describe("reconfigure", () => {
  it("changes the codec in the middle of a call", () => {
    const [left, right] = [caller(), bot()];
    exchange(left, right);

    left.reconfigure({ codecs: ["G722"] });
    const offer = left.createOffer();
    left.acceptAnswer(right.acceptOffer(offer));

    expect(linesOf(offer, "m=")).toEqual(["m=audio 40000 RTP/AVP 9 13 101"]);
    for (const side of [left, right]) {
      expect(negotiatedOf(side).send).toMatchObject({ codecId: "G722", payloadType: 9 });
      // Packets of the codec before may still be under way.
      expect(negotiatedOf(side).receive.get(0)).toEqual({ kind: "audio", codecId: "PCMU" });
    }
  });

  it("forces a codec from the first offer on, and lets another one come later", () => {
    const [left, right] = [caller(), bot()];
    left.reconfigure({ codecs: ["PCMA"] });
    expect(exchange(left, right).answerer.send.codecId).toBe("PCMA");

    left.reconfigure({ codecs: ["opus", "PCMA"] });

    expect(exchange(left, right).answerer.send).toMatchObject({
      codecId: "opus",
      payloadType: 96,
    });
  });

  it("holds for answers too", () => {
    const [left, right] = [caller(), bot()];
    exchange(left, right);
    right.reconfigure({ codecs: ["PCMA"] });

    expect(exchange(left, right).offerer.send.codecId).toBe("PCMA");
    left.reconfigure({ codecs: ["G722"] });
    expect(errorOf(() => exchange(left, right)).code).toBe("ERR_SDP_NO_COMMON_CODEC");
  });

  it("knows only codecs that the call was set up with", () => {
    const side = caller({ codecs: [PCMU, PCMA] });

    const { code, text } = errorOf(() => side.reconfigure({ codecs: ["opus"] }));

    expect(code).toBe("ERR_CODEC_NOT_ENABLED");
    expect(text).toContain("set up for PCMU, PCMA.");
  });

  it("changes the packet length and the direction", () => {
    const [left, right] = [caller(), bot()];
    exchange(left, right);

    left.reconfigure({ ptimeMs: 40, direction: "sendonly" });

    const result = exchange(left, right);
    expect(result.answerer).toMatchObject({ ptimeMs: 40, direction: "recvonly" });
    expect(result.offerer).toMatchObject({ direction: "sendonly" });
  });
});

describe("withdrawOffer", () => {
  it("forgets what the peer refused", () => {
    const [left, right] = [caller(), bot({ codecs: [PCMU] })];
    const { offerer: before } = exchange(left, right);
    const lastOffer = left.createOffer();
    left.withdrawOffer();
    left.reconfigure({ codecs: ["G722"], direction: "sendonly" });
    expect(errorOf(() => right.acceptOffer(left.createOffer())).code).toBe(
      "ERR_SDP_NO_COMMON_CODEC",
    );

    left.withdrawOffer();

    expect(left.negotiated).toBe(before);
    expect(linesOf(left.createOffer(), "m=")).toEqual(linesOf(lastOffer, "m="));
  });
});

describe("re-offers for other reasons", () => {
  it("keep the codec in use", () => {
    const [left, right] = [caller({ codecs: [PCMU, PCMA, G722] }), bot({ answerOrder: "own" })];
    right.reconfigure({ codecs: ["G722", "PCMA", "PCMU"] });
    exchange(left, right);
    expect(negotiatedOf(left).send.codecId).toBe("G722");

    left.reconfigure({ direction: "sendonly" });
    const offer = left.createOffer();

    expect(linesOf(offer, "m=")).toEqual(["m=audio 40000 RTP/AVP 9 0 8 13 101"]);
  });

  it("keep the numbers of the peer's offers (RFC 3264 §8.3.2)", () => {
    const side = bot({ codecs: [PCMU, OPUS, L16_8000], comfortNoise: false });
    side.acceptOffer(
      description(
        "m=audio 6000 RTP/AVP 116 0 98 96",
        "a=rtpmap:116 OPUS/48000/2",
        "a=rtpmap:98 telephone-event/48000",
        "a=rtpmap:96 iLBC/8000",
      ),
    );

    const offer = side.createOffer();

    // 98 and 96 mean something else now: L16 had to make way, to a number that meant nothing yet.
    expect(linesOf(offer, "a=rtpmap")).toEqual([
      "a=rtpmap:116 opus/48000/2",
      "a=rtpmap:0 PCMU/8000",
      "a=rtpmap:97 L16/8000",
      "a=rtpmap:101 telephone-event/8000",
      "a=rtpmap:98 telephone-event/48000",
    ]);
  });

  it("never give a number that was announced to another format", () => {
    const side = caller({ codecs: [OPUS, L16_8000], telephoneEvents: false, comfortNoise: false });
    side.createOffer(); // 96 opus, 98 L16
    side.acceptAnswer(description("m=audio 6000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2"));
    side.acceptOffer(
      description("m=audio 6000 RTP/AVP 98 99", "a=rtpmap:98 opus/48000/2", "a=rtpmap:99 x/8000"),
    );

    expect(linesOf(side.createOffer(), "a=rtpmap")).toEqual([
      "a=rtpmap:98 opus/48000/2",
      "a=rtpmap:97 L16/8000",
    ]);
    // What was once announced as Opus still is.
    expect(negotiatedOf(side).receive.get(96)).toEqual({ kind: "audio", codecId: "opus" });
  });
});

describe("numbers of the peer's answers", () => {
  it("are not given to another format later", () => {
    const side = caller({ codecs: [OPUS, L16_8000], telephoneEvents: false, comfortNoise: false });
    side.createOffer();
    side.acceptAnswer(description("m=audio 6000 RTP/AVP 99", "a=rtpmap:99 opus/48000/2"));
    side.acceptOffer(
      description("m=audio 6000 RTP/AVP 97 98", "a=rtpmap:97 opus/48000/2", "a=rtpmap:98 x/8000"),
    );

    // 96 was our Opus, 97 is the peer's, 98 is x, 99 was the peer's Opus.
    expect(linesOf(side.createOffer(), "a=rtpmap")).toEqual([
      "a=rtpmap:97 opus/48000/2",
      "a=rtpmap:100 L16/8000",
    ]);
  });
});

describe("the peer's re-offers", () => {
  it("narrow the codecs, move the address, and change the packet length", () => {
    const side = bot();
    side.acceptOffer(description("m=audio 6000 RTP/AVP 0 8 9", "a=ptime:20"));

    const answer = side.acceptOffer(
      description(
        "m=audio 7000 RTP/AVP 8",
        "c=IN IP4 198.51.100.7",
        "a=ptime:60",
        "a=rtcp:7009",
        "a=sendonly",
      ),
    );

    expect(linesOf(answer, "m=")).toEqual(["m=audio 50000 RTP/AVP 8"]);
    expect(negotiatedOf(side)).toMatchObject({
      send: { codecId: "PCMA" },
      remote: { address: "198.51.100.7", port: 7000 },
      remoteRtcp: { address: "198.51.100.7", port: 7009 },
      ptimeMs: 60,
      direction: "recvonly",
    });
  });

  it("change the profile of their m-line, which the answer repeats", () => {
    const side = bot();
    for (const profile of ["RTP/AVP", "RTP/AVPF"]) {
      const answer = side.acceptOffer(
        description(`m=audio 6000 ${profile} 0`, "a=rtcp-fb:* trr-int 5000"),
      );
      expect(linesOf(answer, "m=")).toEqual([`m=audio 50000 ${profile} 0`]);
      expect(linesOf(answer, "a=rtcp-fb")).toEqual([]);
    }
  });
});

describe("a late offer", () => {
  it("brings both together: the called side offers, the caller answers in its ACK", () => {
    const [left, right] = [caller({ codecs: [G722, PCMU] }), bot({ codecs: [PCMU, G722] })];

    const result = exchange(right, left);

    expect(result.answerer.send.codecId).toBe("PCMU");
    expect(result.offerer.send.codecId).toBe("PCMU");
    // And the other way round afterwards.
    right.reconfigure({ direction: "inactive" });
    expect(exchange(right, left).answerer.direction).toBe("inactive");
    right.reconfigure({ direction: "sendrecv" });
    expect(exchange(left, right).answerer.direction).toBe("sendrecv");
  });
});
