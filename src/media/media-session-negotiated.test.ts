import { beforeAll, describe, expect, it } from "vitest";
import { levelDbov, tone } from "../audio/index.ts";
import { type CodecId, codecOf, loadCodecs } from "../codec/index.ts";
import { instant, type SocketAddress, seededRandom } from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import type { NegotiatedMedia, ReceivedPayload } from "../sdp/index.ts";
import { generateKeys, SRTP_SUITES, type SrtpSuite } from "../srtp/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import type { FactDraft, FactKind, FactOf } from "../timeline/index.ts";
import { FrameWheel } from "./frame-wheel.ts";
import { MediaSession } from "./media-session.ts";
import type { MediaSettings } from "./media-settings.ts";
import type { TappedPacket } from "./packet-writer.ts";

const CODECS: readonly CodecId[] = ["PCMU", "PCMA", "G722", "opus", "L16/8000", "L16/16000"];

/** Two sides on a virtual network, agreed on whatever a test wants. */
async function openPair(settings: MediaSettings = {}) {
  const clock = new ManualClock(instant(1000));
  const random = seededRandom("negotiated");
  const cryptography = new NodeCryptography(seededRandom("negotiated keys"));
  const network = new VirtualNetwork({ clock, random, latencyMs: 7 });
  const facts: (FactDraft & { readonly by: string })[] = [];
  const taps: (TappedPacket & { readonly by: string })[] = [];
  const open = async (party: "caller" | "bot", address: string) => {
    const rtp = await network.bindDatagram({ address, port: 4000 });
    const rtcp = await network.bindDatagram({ address, port: 4001 });
    const media = new MediaSession({
      party,
      clock,
      random,
      cryptography,
      wheel: new FrameWheel(clock),
      sockets: { rtp, rtcp },
      settings,
      record: (fact) => facts.push({ ...fact, by: party }),
      recordsAudio: true,
      silentPeerLimitMs: 5000,
      onPacket: (packet) => {
        const { data, plain } = packet;
        const copies = {
          data: data.slice(),
          ...(plain === undefined ? {} : { plain: plain.slice() }),
        };
        taps.push({ ...packet, ...copies, by: party });
      },
    });
    return { media, rtp, rtcp };
  };
  const caller = await open("caller", "10.0.0.1");
  const bot = await open("bot", "10.0.0.2");
  const factsOf = <Kind extends FactKind>(by: string, kind: Kind): FactOf<Kind>[] =>
    facts.filter((fact) => fact.by === by && fact.kind === kind) as unknown as FactOf<Kind>[];
  return { clock, network, caller, bot, factsOf, taps, cryptography };
}

interface Agreement extends Partial<NegotiatedMedia> {
  readonly codec?: CodecId;
  /** Telephone events in both directions; default true. */
  readonly events?: boolean;
}

function agreed(remote: SocketAddress, wanted: Agreement = {}): NegotiatedMedia {
  const { codec: id = "PCMU", events = true, ...rest } = wanted;
  const codec = codecOf(id);
  const { clockRateHz, channels } = codec;
  const receive = new Map<number, ReceivedPayload>(
    CODECS.map((codecId) => [
      codecOf(codecId).preferredPayloadType,
      { kind: "audio", codecId } as const,
    ]),
  );
  receive.set(101, { kind: "telephoneEvent", clockRateHz });
  return {
    send: { codecId: id, payloadType: codec.preferredPayloadType, clockRateHz, channels },
    receive,
    ...(events ? { telephoneEventPayloadType: 101 } : {}),
    ptimeMs: 20,
    remote,
    remoteRtcp: { address: remote.address, port: remote.port + 1 },
    rtcpMux: false,
    remoteRtcpXr: true,
    direction: "sendrecv",
    ...rest,
  };
}

/** A 700 Hz tone without end. */
function playTone(media: MediaSession): void {
  let samples: Int16Array = new Int16Array(0);
  let position = 0;
  media.source = {
    begin: ({ sampleRateHz }) => {
      samples = tone({ frequencyHz: 700, durationMs: 1000, sampleRateHz, levelDbov: -12 });
    },
    fill: (frame) => {
      for (let index = 0; index < frame.length; index += 1) {
        frame[index] = samples[(position + index) % samples.length] as number;
      }
      position += frame.length;
      return true;
    },
  };
}

/** What is heard in a stretch of the recording, counted from its begin. */
function heardDbov(media: MediaSession, fromMs: number, toMs: number): number {
  const audio = media.recordedAudio();
  if (audio === undefined) throw new Error("It keeps a recording.");
  const at = (ms: number): number => (ms * audio.sampleRateHz) / 1000;
  return levelDbov(audio.left.subarray(at(fromMs), at(toMs)));
}

beforeAll(async () => {
  await loadCodecs(CODECS);
});

describe("MediaSession, agreed on", () => {
  it.each(CODECS)("%s is heard at its level, with nothing lost", async (codec) => {
    const { clock, caller, bot, factsOf } = await openPair();
    playTone(caller.media);
    caller.media.start(agreed(bot.rtp.local, { codec }));
    bot.media.start(agreed(caller.rtp.local, { codec }));

    clock.advance(1500);
    bot.media.stop();

    expect(heardDbov(bot.media, 400, 1300)).toBeCloseTo(-12, 0);
    const [statistics] = factsOf("bot", "mediaStatistics");
    expect(statistics).toMatchObject({ lost: 0, late: 0, duplicate: 0, malformed: 0 });
    expect(statistics?.concealedMs).toBe(0);
  });

  it.each([10, 20, 30, 40, 60] as const)("packets of %i ms are sent and heard", async (ptimeMs) => {
    const { clock, caller, bot, factsOf } = await openPair();
    playTone(caller.media);
    caller.media.start(agreed(bot.rtp.local, { ptimeMs }));
    bot.media.start(agreed(caller.rtp.local));

    clock.advance(3000);
    caller.media.stop();
    bot.media.stop();

    expect(factsOf("caller", "mediaStatistics")[0]?.packetsSent).toBe(3000 / ptimeMs + 1);
    expect(heardDbov(bot.media, 400, 2800)).toBeCloseTo(-12, 0);
    expect(factsOf("bot", "mediaStatistics")[0]).toMatchObject({ lost: 0, concealedMs: 0 });
  });

  it("goes over to another codec and packet length in mid-call without a gap", async () => {
    const { clock, caller, bot, factsOf } = await openPair();
    playTone(caller.media);
    caller.media.start(agreed(bot.rtp.local));
    bot.media.start(agreed(caller.rtp.local));
    clock.advance(1000);

    caller.media.start(agreed(bot.rtp.local, { codec: "G722", ptimeMs: 30 }));
    clock.advance(1000);
    bot.media.stop();

    expect(factsOf("caller", "mediaChanged")).toMatchObject([{ codec: "G722", ptimeMs: 30 }]);
    for (let ms = 400; ms < 1800; ms += 100) {
      expect(heardDbov(bot.media, ms, ms + 100)).toBeGreaterThan(-14);
    }
    const [statistics] = factsOf("bot", "mediaStatistics");
    expect(statistics?.lost).toBe(0);
    expect(statistics?.concealedMs).toBeLessThanOrEqual(20);
  });

  it.each(SRTP_SUITES)(
    "%s encrypts what is sent, and the other side understands it",
    async (suite) => {
      const { clock, caller, bot, factsOf, taps, cryptography } = await openPair();
      const [mine, yours] = [generateKeys(suite, cryptography), generateKeys(suite, cryptography)];
      playTone(caller.media);
      caller.media.start(agreed(bot.rtp.local, { srtp: { send: mine, receive: yours } }));
      bot.media.start(agreed(caller.rtp.local, { srtp: { send: yours, receive: mine } }));

      clock.advance(8000);
      caller.media.stop();
      bot.media.stop();

      expect(heardDbov(bot.media, 400, 7800)).toBeCloseTo(-12, 0);
      expect(factsOf("bot", "mediaStatistics")[0]).toMatchObject({ srtpRejected: 0, lost: 0 });
      expect(factsOf("bot", "rtcpReport").length).toBeGreaterThan(0);
      const sent = taps.find(({ by, direction }) => by === "caller" && direction === "sent");
      expect(sent?.plain).toHaveLength(172);
      expect(sent?.data.subarray(12, 172)).not.toEqual(sent?.plain?.subarray(12, 172));
      const got = taps.find(({ by, direction }) => by === "bot" && direction === "received");
      expect(got?.plain).toEqual(sent?.plain);
    },
  );

  it("hears nothing of a peer that encrypts with another key than it said", async () => {
    const { clock, caller, bot, factsOf, cryptography } = await openPair();
    const key = () => generateKeys("AES_CM_128_HMAC_SHA1_80" satisfies SrtpSuite, cryptography);
    const silences: number[] = [];
    bot.media.onSilentPeer = (silentMs) => silences.push(silentMs);
    playTone(caller.media);
    caller.media.start(agreed(bot.rtp.local, { srtp: { send: key(), receive: key() } }));
    bot.media.start(agreed(caller.rtp.local, { srtp: { send: key(), receive: key() } }));

    clock.advance(6000);
    const error = bot.media.silenceError(silences[0] ?? 0);
    bot.media.stop();

    expect(silences).toHaveLength(1);
    expect(error).toMatchObject({ code: "ERR_SRTP_UNREADABLE" });
    const [statistics] = factsOf("bot", "mediaStatistics");
    expect(statistics?.srtpRejected).toBeGreaterThan(200);
    expect(statistics?.packetsReceived).toBe(0);
    expect(heardDbov(bot.media, 0, 5000)).toBeLessThan(-90);
  });

  it.each([true, false])(
    "exchanges RTCP (multiplexed: %s), with the round trip",
    async (rtcpMux) => {
      const { clock, caller, bot, factsOf, taps } = await openPair({ rtcpIntervalMs: 1000 });
      const remoteRtcp = (remote: SocketAddress) => (rtcpMux ? { remoteRtcp: remote } : {});
      caller.media.start(agreed(bot.rtp.local, { rtcpMux, ...remoteRtcp(bot.rtp.local) }));
      bot.media.start(agreed(caller.rtp.local, { rtcpMux, ...remoteRtcp(caller.rtp.local) }));

      clock.advance(10_000);
      caller.media.stop();
      clock.advance(100);
      bot.media.stop();

      const reports = factsOf("caller", "rtcpReport");
      expect(reports.length).toBeGreaterThan(4);
      const [statistics] = factsOf("caller", "mediaStatistics");
      expect(statistics?.roundTripMsMean).toBeCloseTo(14, 0);
      expect(reports.at(-1)).toMatchObject({ fractionLost: 0 });
      const port = rtcpMux ? 4000 : 4001;
      const rtcp = taps.filter(
        ({ data }) => (data[1] as number) >= 200 && (data[1] as number) < 210,
      );
      expect(new Set(rtcp.map(({ remote }) => remote.port))).toEqual(new Set([port]));
      // The last compound of the caller ends with BYE.
      const last = rtcp.findLast(({ by, direction }) => by === "caller" && direction === "sent");
      expect([...(last?.data ?? [])].some((octet, index) => octet === 203 && index % 4 === 1)).toBe(
        true,
      );
    },
  );

  it("keeps reporting while it is held, and sends no audio", async () => {
    const { clock, caller, bot, taps } = await openPair({ rtcpIntervalMs: 1000 });
    caller.media.start(agreed(bot.rtp.local));
    bot.media.start(agreed(caller.rtp.local));
    clock.advance(1000);
    caller.media.start(agreed(bot.rtp.local, { direction: "recvonly" }));
    const before = taps.length;

    clock.advance(20_000);

    const sent = taps
      .slice(before)
      .filter(({ by, direction }) => by === "caller" && direction === "sent");
    expect(sent.filter(({ remote }) => remote.port === 4000)).toEqual([]);
    expect(sent.filter(({ remote }) => remote.port === 4001).length).toBeGreaterThan(10);
  });

  it("carries keys as tones in the audio", async () => {
    const { clock, caller, bot, factsOf } = await openPair();
    caller.media.start(agreed(bot.rtp.local, { events: false }));
    bot.media.start(agreed(caller.rtp.local, { events: false }));
    clock.advance(500);

    const pressed = caller.media.sendDigits({ digits: "0123456789*#AD", method: "in-band" });
    await clock.advanceAsync(5000);
    await pressed;

    const text = (by: string): string =>
      factsOf(by, "digit")
        .filter(({ method }) => method === "in-band")
        .map(({ digit }) => digit)
        .join("");
    expect(text("caller")).toBe("0123456789*#AD");
    expect(text("bot")).toBe("0123456789*#AD");
    const [sent] = factsOf("caller", "digit");
    const [received] = factsOf("bot", "digit");
    expect(received?.durationMs).toBeCloseTo(sent?.durationMs ?? 0, -1.5);
  });

  it.each(["PCMU", "G722", "opus", "L16/16000"] as const)(
    "carries keys as events beside %s",
    async (codec) => {
      const { clock, caller, bot, factsOf } = await openPair();
      caller.media.start(agreed(bot.rtp.local, { codec }));
      bot.media.start(agreed(caller.rtp.local, { codec }));
      clock.advance(500);

      const pressed = caller.media.sendDigits({ digits: "42#", durationMs: 200 });
      await clock.advanceAsync(2000);
      await pressed;

      const received = factsOf("bot", "digit").filter(({ method }) => method === "telephone-event");
      expect(received.map(({ digit }) => digit).join("")).toBe("42#");
      for (const { durationMs } of received) expect(durationMs).toBe(200);
    },
  );

  it("follows the source where it was asked to, and only then", async () => {
    for (const followsSource of [true, false]) {
      // oxlint-disable-next-line no-await-in-loop -- two worlds, one after the other.
      const { clock, caller, bot, factsOf, taps } = await openPair({ followsSource });
      const claimed = { address: "192.168.1.9", port: 4000 };
      caller.media.start(agreed(bot.rtp.local));
      bot.media.start(agreed(claimed));

      clock.advance(1000);
      bot.media.stop();

      const [statistics] = factsOf("bot", "mediaStatistics");
      const [source] = factsOf("bot", "rtpSource");
      expect(source).toMatchObject({ from: "10.0.0.1:4000", isAccepted: followsSource });
      expect(statistics?.packetsReceived).toBe(followsSource ? 50 : 0);
      const toCaller = taps.filter(
        ({ by, direction }) => by === "caller" && direction === "received",
      );
      expect(toCaller.length > 40).toBe(followsSource);
    }
  });

  it("is not disturbed by a flood of foreign and malformed packets", async () => {
    const { clock, network, caller, bot, factsOf } = await openPair();
    const noise = seededRandom("flood");
    playTone(caller.media);
    caller.media.start(agreed(bot.rtp.local));
    bot.media.start(agreed(caller.rtp.local));
    const stranger = await network.bindDatagram({ address: "10.0.0.66", port: 4000 });

    for (let ms = 0; ms < 2000; ms += 5) {
      for (let count = 0; count < 20; count += 1) {
        const junk = Uint8Array.from({ length: Math.floor(noise() * 200) }, () => noise() * 256);
        stranger.send(junk, bot.rtp.local);
        stranger.send(junk, bot.rtcp.local);
        // The same from the peer's own address: malformed, or of no known payload type.
        if (count === 0) caller.rtp.send(junk, bot.rtp.local);
      }
      clock.advance(5);
    }
    bot.media.stop();

    const [statistics] = factsOf("bot", "mediaStatistics");
    expect(statistics?.foreign).toBeGreaterThan(15_000);
    expect(statistics?.malformed).toBeGreaterThan(100);
    expect(factsOf("bot", "rtpSource")).toHaveLength(1);
    expect(heardDbov(bot.media, 400, 1900)).toBeCloseTo(-12, 0);
  });

  it("names a peer whose port is gone", async () => {
    const { clock, caller, bot } = await openPair();
    const silences: number[] = [];
    bot.media.onSilentPeer = (silentMs) => silences.push(silentMs);
    caller.media.start(agreed(bot.rtp.local));
    bot.media.start(agreed(caller.rtp.local));
    clock.advance(500);

    caller.media.stop();
    await caller.media.release();
    clock.advance(6000);

    expect(silences).toHaveLength(1);
    expect(bot.media.silenceError(5000)).toMatchObject({ code: "ERR_RTP_UNREACHABLE" });
  });
});
