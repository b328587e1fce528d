import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSidetoneError } from "../environment/index.ts";
import type { MediaCapabilities } from "./media-capabilities.ts";
import type { NegotiatedMedia, ReceivedPayload } from "./negotiated-media.ts";
import { OfferAnswer } from "./offer-answer.ts";
import { parseSdp } from "./parse.ts";
import type { SessionDescription } from "./session-description.ts";

const PCMU = { id: "PCMU", name: "PCMU", payloadType: 0, clockRateHz: 8000 };
const PCMA = { id: "PCMA", name: "PCMA", payloadType: 8, clockRateHz: 8000 };
const OPUS = {
  id: "opus",
  name: "opus",
  payloadType: 96,
  clockRateHz: 48_000,
  channels: 2,
  fmtp: "useinbandfec=1",
};

const CALLER: MediaCapabilities = {
  address: "192.0.2.1",
  port: 40_000,
  codecs: [PCMU, PCMA],
  telephoneEvents: true,
  comfortNoise: false,
  ptimeMs: 20,
  sessionId: 1234,
  rtcp: { mode: "off" },
  srtp: { policy: "off", offers: [] },
};
const BOT: MediaCapabilities = {
  ...CALLER,
  address: "192.0.2.2",
  port: 50_000,
  sessionId: 99,
};

function side(capabilities: Partial<MediaCapabilities> = {}): OfferAnswer {
  return new OfferAnswer({ ...BOT, ...capabilities });
}

/** An offer from lines below v=, with an address. */
function offer(...more: string[]): string {
  return ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0", ...more].join(
    "\r\n",
  );
}

function parsed(text: string): SessionDescription {
  const session = parseSdp(text);
  if (session.kind !== "session") throw new Error(session.reason);
  return session;
}

function negotiatedOf(exchange: OfferAnswer): NegotiatedMedia {
  if (exchange.negotiated === undefined) throw new Error("Nothing was negotiated.");
  return exchange.negotiated;
}

function lines(text: string): string[] {
  return text.split("\r\n");
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return isSidetoneError(error) ? error.code : String(error);
  }
  return "nothing thrown";
}

describe("OfferAnswer as offerer", () => {
  it("offers its codecs in order, with the telephone-event", () => {
    expect(new OfferAnswer(CALLER).createOffer()).toBe(
      [
        "v=0",
        "o=- 1234 1234 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 40000 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "",
      ].join("\r\n"),
    );
  });

  it("agrees with another one of its kind", () => {
    const caller = new OfferAnswer(CALLER);
    const bot = side();
    const seen: NegotiatedMedia[] = [];
    caller.onNegotiated = (media) => seen.push(media);

    caller.acceptAnswer(bot.acceptOffer(caller.createOffer()));

    expect(negotiatedOf(bot)).toEqual({
      send: { codecId: "PCMU", payloadType: 0, clockRateHz: 8000, channels: 1 },
      receive: new Map<number, ReceivedPayload>([
        [0, { kind: "audio", codecId: "PCMU" }],
        [8, { kind: "audio", codecId: "PCMA" }],
        [101, { kind: "telephoneEvent", clockRateHz: 8000 }],
      ]),
      telephoneEventPayloadType: 101,
      ptimeMs: 20,
      remotePtimeMs: 20,
      remote: { address: "192.0.2.1", port: 40_000 },
      remoteRtcp: undefined,
      rtcpMux: false,
      remoteRtcpXr: false,
      direction: "sendrecv",
    });
    const remote = { address: "192.0.2.2", port: 50_000 };
    expect(negotiatedOf(caller)).toEqual({ ...negotiatedOf(bot), remote });
    expect(seen).toEqual([caller.negotiated]);
  });

  it("sends with the answer's first codec and its numbers, and receives with its own", () => {
    const caller = new OfferAnswer({ ...CALLER, codecs: [PCMU, PCMA, OPUS] });
    caller.createOffer();

    caller.acceptAnswer(
      offer(
        "m=audio 6000 RTP/AVP 111 0 97 98",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:97 telephone-event/8000",
        "a=rtpmap:98 telephone-event/48000",
      ),
    );

    expect(negotiatedOf(caller)).toMatchObject({
      send: { codecId: "opus", clockRateHz: 48_000, payloadType: 111, channels: 2 },
      telephoneEventPayloadType: 98,
    });
    // Peers that send with their own number instead of ours are understood too.
    expect([...negotiatedOf(caller).receive]).toEqual([
      [96, { kind: "audio", codecId: "opus" }],
      [111, { kind: "audio", codecId: "opus" }],
      [0, { kind: "audio", codecId: "PCMU" }],
      [101, { kind: "telephoneEvent", clockRateHz: 8000 }],
      [97, { kind: "telephoneEvent", clockRateHz: 8000 }],
      [103, { kind: "telephoneEvent", clockRateHz: 48_000 }],
      [98, { kind: "telephoneEvent", clockRateHz: 48_000 }],
    ]);
  });

  it("does without telephone events where the answer has none", () => {
    const caller = new OfferAnswer(CALLER);
    caller.createOffer();

    caller.acceptAnswer(offer("m=audio 6000 RTP/AVP 8"));

    expect(negotiatedOf(caller)).toMatchObject({ send: { codecId: "PCMA", payloadType: 8 } });
    expect(negotiatedOf(caller)).not.toHaveProperty("telephoneEventPayloadType");
    expect(negotiatedOf(caller)).not.toHaveProperty("otherTelephoneEvent");
  });

  it("throws where the answer refuses the audio, speaks nothing of ours, or is unreadable", () => {
    const caller = new OfferAnswer(CALLER);
    caller.createOffer();

    for (const answer of [
      "m=audio 0 RTP/AVP 0",
      "m=audio 6000 RTP/AVP 18",
      "m=audio 6 UDP/TLS/RTP/SAVPF 0",
    ]) {
      expect(codeOf(() => caller.acceptAnswer(offer(answer)))).toBe("ERR_SDP_NO_COMMON_CODEC");
    }
    expect(codeOf(() => caller.acceptAnswer("rubbish"))).toBe("ERR_SDP_MALFORMED");
    expect(codeOf(() => caller.acceptAnswer("v=0\nm=audio 6000 RTP/AVP 0"))).toBe(
      "ERR_SDP_MALFORMED",
    );
    expect(caller.negotiated).toBeUndefined();
  });
});

describe("OfferAnswer as answerer", () => {
  it("keeps the offerer's numbers and order", () => {
    const bot = side();

    const answer = bot.acceptOffer(
      offer(
        "m=audio 6000 RTP/AVP 18 98 8 0 110",
        "a=rtpmap:98 pcmu/8000/1",
        "a=rtpmap:110 telephone-event/8000",
        "a=fmtp:110 0-16",
      ),
    );

    expect(parsed(answer).media[0]?.formats).toEqual(["98", "8", "110"]);
    expect(lines(answer)).toContain("a=fmtp:110 0-15");
    expect(negotiatedOf(bot)).toMatchObject({
      send: { codecId: "PCMU", payloadType: 98 },
      telephoneEventPayloadType: 110,
    });
    expect([...negotiatedOf(bot).receive]).toEqual([
      [98, { kind: "audio", codecId: "PCMU" }],
      [8, { kind: "audio", codecId: "PCMA" }],
      [110, { kind: "telephoneEvent", clockRateHz: 8000 }],
    ]);
  });

  it("puts its own order first when told to", () => {
    const bot = side({ codecs: [PCMA, PCMU], answerOrder: "own" });

    bot.acceptOffer(offer("m=audio 6000 RTP/AVP 0 8"));

    expect(negotiatedOf(bot).send.codecId).toBe("PCMA");
  });

  it("knows static payload types without rtpmap, but believes an rtpmap before them", () => {
    expect(
      codeOf(() => side().acceptOffer(offer("m=audio 6000 RTP/AVP 0", "a=rtpmap:0 L16/8000"))),
    ).toBe("ERR_SDP_NO_COMMON_CODEC");
    const bot = side();
    bot.acceptOffer(offer("m=audio 6000 RTP/AVP 8"));
    expect(negotiatedOf(bot).send.codecId).toBe("PCMA");
  });

  it("refuses all other m-lines in their places", () => {
    const answer = side().acceptOffer(
      offer(
        "m=video 7000 RTP/AVP 99",
        "a=rtpmap:99 H264/90000",
        "m=audio 6000 RTP/SAVP 0",
        "m=audio 6002 RTP/AVP 0",
        "m=audio 6004 RTP/AVP 8",
        "m=application 9 UDP/BFCP *",
      ),
    );

    expect(lines(answer).filter((line) => line.startsWith("m="))).toEqual([
      "m=video 0 RTP/AVP 99",
      "m=audio 0 RTP/SAVP 0",
      "m=audio 50000 RTP/AVP 0",
      "m=audio 0 RTP/AVP 8",
      "m=application 0 UDP/BFCP *",
    ]);
  });

  it("takes an audio line in use before one with port 0", () => {
    const answer = side().acceptOffer(offer("m=audio 0 RTP/AVP 0", "m=audio 6000 RTP/AVP 8"));

    expect(parsed(answer).media.map(({ port }) => port)).toEqual([0, 50_000]);
  });

  it("prefers the media's own address and direction to the session's", () => {
    const bot = side();

    bot.acceptOffer(
      offer("a=inactive", "m=audio 6000 RTP/AVP 0", "c=IN IP4 198.51.100.7", "a=sendonly"),
    );

    expect(negotiatedOf(bot)).toMatchObject({
      remote: { address: "198.51.100.7", port: 6000 },
      direction: "recvonly",
    });
  });

  it.each([
    ["sendrecv", "sendrecv"],
    ["sendonly", "recvonly"],
    ["recvonly", "sendonly"],
    ["inactive", "inactive"],
  ])("answers %s with %s", (offered, answered) => {
    const bot = side();

    const answer = bot.acceptOffer(offer("m=audio 6000 RTP/AVP 0", `a=${offered}`));

    expect(lines(answer)).toContain(`a=${answered}`);
    expect(negotiatedOf(bot).direction).toBe(answered);
  });

  it("has nowhere to send to while a null address holds the call (RFC 3264 §8.4)", () => {
    for (const address of ["IP4 0.0.0.0", "IP6 ::"]) {
      const bot = side();

      bot.acceptOffer(offer("m=audio 6000 RTP/AVP 0", `c=IN ${address}`));

      expect(negotiatedOf(bot)).toMatchObject({ remote: undefined, direction: "recvonly" });
    }
  });

  it("speaks IPv6", () => {
    const bot = side({ address: "2001:db8::2" });

    const answer = bot.acceptOffer(offer("m=audio 6000 RTP/AVP 0", "c=IN IP6 2001:db8::9"));

    expect(lines(answer)).toContain("c=IN IP6 2001:db8::2");
    expect(lines(answer)).toContain("o=- 99 99 IN IP6 2001:db8::2");
    expect(negotiatedOf(bot).remote).toEqual({ address: "2001:db8::9", port: 6000 });
  });

  it.each([
    [["m=audio 6000 RTP/AVP 18"], "ERR_SDP_NO_COMMON_CODEC"],
    [["m=audio 6000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"], "ERR_SDP_NO_COMMON_CODEC"],
    [["m=video 6000 RTP/AVP 99"], "ERR_SDP_NO_COMMON_CODEC"],
    [["m=audio 0 RTP/AVP 0"], "ERR_SDP_NO_COMMON_CODEC"],
    [[], "ERR_SDP_NO_COMMON_CODEC"],
    [["m=audio 6000 RTP/AVP 0", "c=IN IP4 media.example.com"], "ERR_SDP_MALFORMED"],
    [["m=audio sixthousand RTP/AVP 0"], "ERR_SDP_MALFORMED"],
  ])("refuses the offer %j with %s", (media, code) => {
    const bot = side();

    expect(codeOf(() => bot.acceptOffer(offer(...media)))).toBe(code);
    expect(bot.negotiated).toBeUndefined();
  });
});

describe("OfferAnswer over re-offers", () => {
  it("keeps the version of an unchanged description and counts it up otherwise", () => {
    const caller = new OfferAnswer(CALLER);
    const first = caller.createOffer();
    caller.acceptAnswer(side().acceptOffer(first));

    expect(caller.createOffer()).toBe(first);
    caller.reconfigure({ direction: "sendonly" });
    expect(lines(caller.createOffer())[1]).toBe("o=- 1234 1235 IN IP4 192.0.2.1");
    caller.reconfigure({ direction: "sendrecv" });
    expect(lines(caller.createOffer())[1]).toBe("o=- 1234 1236 IN IP4 192.0.2.1");
  });

  it("holds the peer and takes it back", () => {
    const [caller, bot] = [new OfferAnswer(CALLER), side()];
    caller.acceptAnswer(bot.acceptOffer(caller.createOffer()));

    caller.reconfigure({ direction: "sendonly" });
    caller.acceptAnswer(bot.acceptOffer(caller.createOffer()));
    expect([caller.negotiated?.direction, bot.negotiated?.direction]).toEqual([
      "sendonly",
      "recvonly",
    ]);

    caller.reconfigure({ direction: "sendrecv" });
    caller.acceptAnswer(bot.acceptOffer(caller.createOffer()));
    expect([caller.negotiated?.direction, bot.negotiated?.direction]).toEqual([
      "sendrecv",
      "sendrecv",
    ]);
  });

  it("re-offers with the numbers and m-lines that the peer's offer set", () => {
    const bot = side({ codecs: [PCMU, OPUS] });
    bot.acceptOffer(
      offer("m=image 0 udptl t38", "m=audio 6000 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/8000"),
    );

    const session = parsed(bot.createOffer());

    expect(session.media.map(({ media, port }) => [media, port])).toEqual([
      ["image", 0],
      ["audio", 50_000],
    ]);
    // 96 is the telephone-event now; Opus had to make way.
    expect(session.media[1]?.formats).toEqual(["0", "97", "96", "103"]);
    expect(session.media[1]?.attributes).toContainEqual({
      name: "rtpmap",
      value: "96 telephone-event/8000",
    });
  });

  it("answers a re-offer with port 0 with port 0 and stays up", () => {
    const bot = side();
    bot.acceptOffer(offer("m=audio 6000 RTP/AVP 0"));

    const answer = bot.acceptOffer(offer("m=audio 0 RTP/AVP 0"));

    expect(parsed(answer).media[0]?.port).toBe(0);
    expect(negotiatedOf(bot)).toMatchObject({ remote: undefined, direction: "inactive" });
  });

  it("keeps what was negotiated when a re-offer fails", () => {
    const bot = side();
    bot.acceptOffer(offer("m=audio 6000 RTP/AVP 0"));
    const before = bot.negotiated;

    expect(codeOf(() => bot.acceptOffer(offer("m=audio 6000 RTP/AVP 18")))).toBe(
      "ERR_SDP_NO_COMMON_CODEC",
    );

    expect(bot.negotiated).toBe(before);
  });
});

describe("OfferAnswer (property)", () => {
  it("throws nothing but its two errors, whatever the offer", () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "m=audio 6000 RTP/AVP 0 8 96",
        "m=audio 0 RTP/AVP 0",
        "m=video 5 RTP/AVP 31",
        "a=rtpmap:96 telephone-event/8000",
        "a=rtpmap:96 PCMU/8000",
        "a=rtpmap:0",
        "a=fmtp:96",
        "a=ptime:x",
        "a=maxptime:-1",
        "a=sendonly",
        "c=IN IP4 0.0.0.0",
        "c=IN IP6 ::1",
      ),
    );
    const known = ["nothing thrown", "ERR_SDP_NO_COMMON_CODEC", "ERR_SDP_MALFORMED"];
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (media) => {
        const bot = side();

        expect(known).toContain(codeOf(() => bot.acceptOffer(offer(...media))));
        expect(known).toContain(codeOf(() => bot.acceptOffer(media.join("\r\n"))));
      }),
      { numRuns: 500 },
    );
  });
});
