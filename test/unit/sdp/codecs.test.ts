import { describe, expect, it } from "vitest";
import {
  bot,
  caller,
  description,
  errorOf,
  exchange,
  G722,
  L16_8000,
  L16_16000,
  linesOf,
  negotiatedOf,
  OPUS,
  PCMA,
  PCMU,
} from "./sides.ts";

describe("the offer of all codecs", () => {
  it("has digits at every clock rate and comfort noise at 8 and 16 kHz", () => {
    const offer = caller().createOffer();

    expect(linesOf(offer, "m=")).toEqual([
      "m=audio 40000 RTP/AVP 0 8 9 96 97 98 13 104 101 103 102",
    ]);
    expect(linesOf(offer, "a=rtpmap")).toEqual([
      "a=rtpmap:0 PCMU/8000",
      "a=rtpmap:8 PCMA/8000",
      "a=rtpmap:9 G722/8000",
      "a=rtpmap:96 opus/48000/2",
      "a=rtpmap:97 L16/16000",
      "a=rtpmap:98 L16/8000",
      "a=rtpmap:13 CN/8000",
      "a=rtpmap:104 CN/16000",
      "a=rtpmap:101 telephone-event/8000",
      "a=rtpmap:103 telephone-event/48000",
      "a=rtpmap:102 telephone-event/16000",
    ]);
    expect(linesOf(offer, "a=fmtp:96")).toEqual(["a=fmtp:96 useinbandfec=1;minptime=10"]);
    expect(linesOf(offer, "a=fmtp:103")).toEqual(["a=fmtp:103 0-15"]);
  });

  it("leaves out what is not wanted", () => {
    const offer = caller({
      codecs: [OPUS],
      telephoneEvents: false,
      comfortNoise: true,
    }).createOffer();

    expect(linesOf(offer, "m=")).toEqual(["m=audio 40000 RTP/AVP 96"]);
  });

  it("moves its digits where a codec has their number", () => {
    const offer = caller({ codecs: [{ ...OPUS, payloadType: 101 }], comfortNoise: false });

    expect(linesOf(offer.createOffer(), "a=rtpmap")).toEqual([
      "a=rtpmap:101 opus/48000/2",
      "a=rtpmap:103 telephone-event/48000",
      "a=rtpmap:96 telephone-event/8000",
    ]);
  });
});

describe("what is sent", () => {
  it.each([
    [PCMU, 0, 8000, 101, 13],
    [G722, 9, 8000, 101, 13],
    [L16_8000, 98, 8000, 101, 13],
    [L16_16000, 97, 16_000, 102, 104],
    [OPUS, 96, 48_000, 103, undefined],
  ])("%o alone is forced on both sides", (codec, ...expected) => {
    const [payloadType, clockRateHz, event, noise] = expected;
    const result = exchange(caller({ codecs: [codec] }), bot());

    for (const side of [result.offerer, result.answerer]) {
      expect(side.send).toMatchObject({ codecId: codec.id, payloadType, clockRateHz });
      expect(side.telephoneEventPayloadType).toBe(event);
      expect(side.comfortNoisePayloadType).toBe(noise);
    }
  });

  it("hands the peer's format parameters on", () => {
    const side = bot({ codecs: [OPUS] });

    side.acceptOffer(
      description(
        "m=audio 6000 RTP/AVP 109",
        "a=rtpmap:109 OPUS/48000/2",
        "a=fmtp:109 maxplaybackrate=16000; stereo=0; usedtx=1",
      ),
    );

    expect(negotiatedOf(side).send).toEqual({
      codecId: "opus",
      payloadType: 109,
      clockRateHz: 48_000,
      channels: 2,
      remoteFmtp: "maxplaybackrate=16000; stereo=0; usedtx=1",
    });
  });

  it("knows digits of another clock rate for what they are", () => {
    const side = bot({ codecs: [OPUS] });

    const answer = side.acceptOffer(
      description(
        "m=audio 6000 RTP/AVP 96 101",
        "a=rtpmap:96 opus/48000/2",
        "a=rtpmap:101 telephone-event/8000",
      ),
    );

    expect(linesOf(answer, "m=")).toEqual(["m=audio 50000 RTP/AVP 96 101"]);
    expect(negotiatedOf(side)).not.toHaveProperty("telephoneEventPayloadType");
    expect(negotiatedOf(side)).toMatchObject({
      otherTelephoneEvent: { payloadType: 101, clockRateHz: 8000 },
    });
    expect(negotiatedOf(side).receive.get(101)).toEqual({
      kind: "telephoneEvent",
      clockRateHz: 8000,
    });
  });

  it("does not answer digits and noise that go with no common codec", () => {
    const answer = bot({ codecs: [PCMU] }).acceptOffer(
      description(
        "m=audio 6000 RTP/AVP 0 96 101 102 103 13 105",
        "a=rtpmap:96 opus/48000/2",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:102 telephone-event/16000",
        "a=rtpmap:103 telephone-event/48000",
        "a=rtpmap:105 CN/16000",
      ),
    );

    expect(linesOf(answer, "m=")).toEqual(["m=audio 50000 RTP/AVP 0 101 13"]);
  });
});

describe("what is not ours", () => {
  it.each([
    ["static L16 is at 44.1 kHz", ["m=audio 6000 RTP/AVP 10 11"]],
    ["L16 in stereo", ["m=audio 6000 RTP/AVP 97", "a=rtpmap:97 L16/16000/2"]],
    ["L16 at 48 kHz", ["m=audio 6000 RTP/AVP 97", "a=rtpmap:97 L16/48000"]],
    ["Opus with one channel", ["m=audio 6000 RTP/AVP 97", "a=rtpmap:97 opus/48000"]],
    ["G.722 with its audio's rate", ["m=audio 6000 RTP/AVP 97", "a=rtpmap:97 G722/16000"]],
    ["comfort noise alone", ["m=audio 6000 RTP/AVP 13"]],
    ["a dynamic number without rtpmap", ["m=audio 6000 RTP/AVP 97"]],
  ])("%s", (_, media) => {
    expect(errorOf(() => bot().acceptOffer(description(...media))).code).toBe(
      "ERR_SDP_NO_COMMON_CODEC",
    );
  });

  it("is named beside what we speak", () => {
    const side = bot({ codecs: [PCMU, OPUS] });

    const { text } = errorOf(() =>
      side.acceptOffer(
        description(
          "m=audio 6000 RTP/AVP 18 9 97 101",
          "a=rtpmap:97 L16/44100/2",
          "a=rtpmap:101 telephone-event/8000",
        ),
      ),
    );

    expect(text).toContain("The peer's offer has G729/8000, G722/8000, L16/44100/2;");
    expect(text).toContain("we speak PCMU/8000, opus/48000/2.");
  });

  it.each([
    [[], "no media at all"],
    [["m=video 6000 RTP/AVP 99", "m=audio 9 UDP/TLS/RTP/SAVPF 0"], "audio over UDP/TLS/RTP/SAVPF"],
    [["m=audio 0 RTP/AVP 0"], "refuses the audio"],
    [["m=audio 6000 RTP/AVP 97"], "no codec that has a name"],
  ])("is described where it has no name: %j", (media, words) => {
    expect(errorOf(() => bot().acceptOffer(description(...media))).text).toContain(words);
  });

  it("is cut short where it is long", () => {
    const numbers = Array.from({ length: 30 }, (_, index) => 97 + index);
    const maps = numbers.map((each) => `a=rtpmap:${each} ${"x".repeat(200)}${each}/8000`);

    const { text } = errorOf(() =>
      bot().acceptOffer(description(`m=audio 6000 RTP/AVP ${numbers.join(" ")}`, ...maps)),
    );

    expect(text.length).toBeLessThan(1000);
    expect(text).toContain("and more");
  });
});

describe("numbers that differ in the two directions", () => {
  it("sends with the answer's and receives with its own", () => {
    const side = caller({ codecs: [OPUS, L16_16000], comfortNoise: false });
    side.createOffer();

    side.acceptAnswer(
      description(
        "m=audio 6000 RTP/AVP 97 96 120",
        "a=rtpmap:97 opus/48000/2",
        "a=rtpmap:96 L16/16000",
        "a=rtpmap:120 telephone-event/48000",
      ),
    );

    const { send, receive, telephoneEventPayloadType } = negotiatedOf(side);
    expect(send).toMatchObject({ codecId: "opus", payloadType: 97 });
    expect(telephoneEventPayloadType).toBe(120);
    // Each number keeps the meaning that we gave it, although the peer's is crosswise.
    expect([...receive]).toEqual([
      [96, { kind: "audio", codecId: "opus" }],
      [97, { kind: "audio", codecId: "L16/16000" }],
      [103, { kind: "telephoneEvent", clockRateHz: 48_000 }],
      [120, { kind: "telephoneEvent", clockRateHz: 48_000 }],
    ]);
  });

  it("takes the answer's order for sending, and only what was offered", () => {
    const side = caller({ codecs: [PCMU, PCMA] });
    side.createOffer();

    side.acceptAnswer(description("m=audio 6000 RTP/AVP 9 8 0"));

    expect(negotiatedOf(side).send.codecId).toBe("PCMA");
  });
});
