import { describe, expect, it } from "vitest";
import { levelDbov, tone } from "../audio/index.ts";
import { instant, seededRandom } from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import type { NegotiatedMedia, ReceivedPayload } from "../sdp/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import type { FactDraft, FactKind, FactOf } from "../timeline/index.ts";
import { FrameWheel } from "./frame-wheel.ts";
import { MediaSession } from "./media-session.ts";
import type { MediaSettings } from "./media-settings.ts";
import { UtterancePlayer } from "./utterance-player.ts";

const LATENCY_MS = 7;
const PLAYOUT_DELAY_MS = 40;
const FRAME_MS = 20;
const RATE_HZ = 8000;

/** A caller and a bot on a virtual network under one clock. */
async function openPair(
  options: { readonly lossRatio?: number; readonly settings?: MediaSettings } = {},
) {
  const { settings } = options;
  const cryptography = new NodeCryptography(seededRandom("media-session keys"));
  const clock = new ManualClock(instant(1000));
  const random = seededRandom("media-session");
  const network = new VirtualNetwork({
    clock,
    random,
    latencyMs: LATENCY_MS,
    lossRatio: options.lossRatio ?? 0,
  });
  const facts: (FactDraft & { readonly by: string })[] = [];
  const open = async (party: "caller" | "bot", address: string) => {
    const socket = await network.bindDatagram({ address, port: 0 });
    const rtcp = await network.bindDatagram({ address, port: 0 });
    const media = new MediaSession({
      party,
      clock,
      random,
      cryptography,
      wheel: new FrameWheel(clock),
      sockets: { rtp: socket, rtcp },
      settings: { jitterBuffer: { kind: "fixed", delayMs: PLAYOUT_DELAY_MS }, ...settings },
      record: (fact) => facts.push({ ...fact, by: party }),
      recordsAudio: true,
      silentPeerLimitMs: 2000,
    });
    return { media, socket, rtcp };
  };
  const caller = await open("caller", "10.0.0.1");
  const bot = await open("bot", "10.0.0.2");
  const factsOf = <Kind extends FactKind>(by: string, kind: Kind): FactOf<Kind>[] =>
    facts.filter((fact) => fact.by === by && fact.kind === kind) as unknown as FactOf<Kind>[];
  return { clock, network, caller, bot, factsOf };
}

function negotiated(remote: NegotiatedMedia["remote"]): NegotiatedMedia {
  return {
    send: { codecId: "PCMU", payloadType: 0, clockRateHz: RATE_HZ, channels: 1 },
    receive: new Map<number, ReceivedPayload>([
      [0, { kind: "audio", codecId: "PCMU" }],
      [101, { kind: "telephoneEvent", clockRateHz: RATE_HZ }],
    ]),
    telephoneEventPayloadType: 101,
    ptimeMs: FRAME_MS,
    remote,
    remoteRtcp: undefined,
    rtcpMux: false,
    remoteRtcpXr: false,
    direction: "sendrecv",
  };
}

/** First sample louder than a tenth of full scale, in ms from the recording's start. */
function onsetMs(samples: Int16Array): number {
  return (samples.findIndex((sample) => Math.abs(sample) > 3276) * 1000) / RATE_HZ;
}

function speakTone(media: MediaSession): void {
  const player = new UtterancePlayer(() => {});
  media.source = player;
  player.say({
    utteranceId: "u1",
    fixture: "tone",
    purpose: "speech",
    samples: tone({ frequencyHz: 1000, durationMs: 500, sampleRateHz: RATE_HZ, levelDbov: -6 }),
    onsetMs: 0,
    offsetMs: 500,
    start: { kind: "now" },
  });
}

describe("MediaSession", () => {
  it("lets the other side hear what was sent, after network and playout delay", async () => {
    const { clock, caller, bot } = await openPair();
    speakTone(caller.media);
    caller.media.start(negotiated(bot.socket.local));
    bot.media.start(negotiated(caller.socket.local));

    clock.advance(1000);

    const sent = caller.media.recordedAudio();
    const heard = bot.media.recordedAudio();
    if (sent === undefined || heard === undefined) throw new Error("Both keep recordings.");
    expect(sent.startedAt).toBe(1000 - FRAME_MS);
    const spokenAt = sent.startedAt + onsetMs(sent.left);
    const heardAt = heard.startedAt + onsetMs(heard.left);
    // One frame of packetisation, the network, the jitter buffer up to the next tick.
    expect(heardAt - spokenAt).toBe(FRAME_MS + 60);
    const [spoken, arrived] = [sent.left, heard.left].map((all) => all.subarray(800, 4000));
    expect(levelDbov(arrived ?? sent.right)).toBeCloseTo(levelDbov(spoken ?? sent.right), 0);
  });

  it("gives a bridge the packets at their arrival, and records them there", async () => {
    const { clock, caller, bot } = await openPair();
    const arrivals: number[] = [];
    bot.media.onIncomingAudio = (samples, now) => {
      if (samples.some((sample) => Math.abs(sample) > 3276)) arrivals.push(now);
    };
    speakTone(caller.media);
    caller.media.start(negotiated(bot.socket.local));
    bot.media.start(negotiated(caller.socket.local));

    clock.advance(1000);

    expect(arrivals[0]).toBe(1000 + LATENCY_MS);
    const heard = bot.media.recordedAudio();
    // The tone's own first sample is zero.
    const oneSampleMs = 1000 / RATE_HZ;
    expect((heard?.startedAt ?? 0) + onsetMs(heard?.left ?? new Int16Array())).toBe(
      1000 + LATENCY_MS + oneSampleMs,
    );
  });

  it("sends on absolute deadlines and counts what it sent and got", async () => {
    const { clock, caller, bot, factsOf } = await openPair();
    caller.media.start(negotiated(bot.socket.local));
    bot.media.start(negotiated(caller.socket.local));

    clock.advance(10_000);
    caller.media.stop();
    bot.media.stop();

    const [sent] = factsOf("caller", "mediaStatistics");
    const [got] = factsOf("bot", "mediaStatistics");
    expect(sent).toMatchObject({ packetsSent: 501, missedDeadlines: 0, departureJitterMsMax: 0 });
    expect(got).toMatchObject({ packetsReceived: 500, lost: 0, late: 0, concealedMs: 0 });
  });

  it("carries digits as telephone events, with what was pressed and how long", async () => {
    const { clock, caller, bot, factsOf } = await openPair({ lossRatio: 0.2 });
    caller.media.start(negotiated(bot.socket.local));
    bot.media.start(negotiated(caller.socket.local));
    clock.advance(200);

    const sending = caller.media.sendDigits({ digits: "42#" });
    await clock.advanceAsync(2000);
    await sending;

    expect(
      factsOf("caller", "digit")
        .map(({ digit }) => digit)
        .join(""),
    ).toBe("42#");
    expect(factsOf("caller", "digit")[0]?.durationMs).toBe(100);
    expect(
      factsOf("bot", "digit")
        .map(({ digit }) => digit)
        .join(""),
    ).toBe("42#");
  });

  it("says that digits cannot be sent where telephone-event was not negotiated", async () => {
    const { caller, bot } = await openPair();
    const { telephoneEventPayloadType: _, ...without } = negotiated(bot.socket.local);
    caller.media.start(without);

    expect(() => caller.media.sendDigits({ digits: "1" })).toThrow(/telephone-event/u);
  });

  it("counts what was lost and conceals it", async () => {
    const { clock, caller, bot, factsOf } = await openPair({ lossRatio: 0.1 });
    caller.media.start(negotiated(bot.socket.local));
    bot.media.start(negotiated(caller.socket.local));

    clock.advance(20_000);
    bot.media.stop();

    const [got] = factsOf("bot", "mediaStatistics");
    expect(got?.lost).toBeGreaterThan(60);
    expect(got?.packetsExpected).toBe((got?.packetsReceived ?? 0) + (got?.lost ?? 0));
    expect(got?.concealedMs).toBeGreaterThan(60 * FRAME_MS);
  });

  it("ignores packets from strangers, and counts them", async () => {
    const { clock, network, caller, bot, factsOf } = await openPair();
    caller.media.start(negotiated(bot.socket.local));
    bot.media.start(negotiated(caller.socket.local));
    const stranger = await network.bindDatagram({ address: "10.0.0.66", port: 0 });

    clock.advance(100);
    stranger.send(new Uint8Array(172).fill(0x80), bot.socket.local);
    clock.advance(100);
    bot.media.stop();

    expect(factsOf("bot", "mediaStatistics")[0]).toMatchObject({ foreign: 1, malformed: 0 });
  });

  it("follows a peer that moves to another address, and forgets the old one", async () => {
    const { clock, network, caller, bot, factsOf } = await openPair();
    caller.media.start(negotiated(bot.socket.local));
    bot.media.start(negotiated(caller.socket.local));
    clock.advance(100);
    const moved = await network.bindDatagram({ address: "10.0.0.3", port: 0 });
    const arrived: number[] = [];
    moved.onDatagram = (data) => arrived.push(data.length);

    bot.media.start(negotiated(moved.local));
    for (let sequence = 0; sequence < 5; sequence += 1) {
      const packet = new Uint8Array(172);
      packet[0] = 0x80;
      packet[3] = sequence;
      packet[7] = sequence * 160;
      packet[6] = (sequence * 160) >> 8;
      moved.send(packet, bot.socket.local);
      clock.advance(20);
    }
    bot.media.stop();

    expect(arrived.length).toBeGreaterThan(3);
    const [got] = factsOf("bot", "mediaStatistics");
    // What the caller still sends from its old address is a stranger's now.
    expect(got?.foreign).toBeGreaterThanOrEqual(4);
    expect(got?.packetsReceived).toBe(10);
  });

  it("gives a peer that comes back from hold its full time again", async () => {
    const { clock, caller, bot } = await openPair();
    const silences: number[] = [];
    bot.media.onSilentPeer = (silentMs) => silences.push(silentMs);
    caller.media.start(negotiated(bot.socket.local));
    bot.media.start(negotiated(caller.socket.local));
    clock.advance(500);
    caller.media.stop();
    bot.media.start({ ...negotiated(caller.socket.local), direction: "sendonly" });
    clock.advance(30_000);
    expect(silences).toEqual([]);

    bot.media.start(negotiated(caller.socket.local));
    clock.advance(1900);
    expect(silences).toEqual([]);
    clock.advance(200);

    expect(silences).toHaveLength(1);
  });

  it("notices a peer that falls silent", async () => {
    const { clock, caller, bot, factsOf } = await openPair();
    const silences: number[] = [];
    bot.media.onSilentPeer = (silentMs) => silences.push(silentMs);
    caller.media.start(negotiated(bot.socket.local));
    bot.media.start(negotiated(caller.socket.local));
    clock.advance(500);

    caller.media.stop();
    clock.advance(5000);

    expect(silences).toHaveLength(1);
    expect(silences[0]).toBeGreaterThanOrEqual(2000);
    expect(silences[0]).toBeLessThan(2050);
    expect(
      factsOf("bot", "rtpFlow")
        .filter(({ direction }) => direction === "received")
        .map(({ event }) => event),
    ).toEqual(["first", "stopped"]);
  });

  it("leaves no timer behind", async () => {
    const { clock, caller, bot } = await openPair();
    caller.media.start(negotiated(bot.socket.local));
    clock.advance(100);

    caller.media.stop();
    // Packets under way are the virtual network's.
    clock.advance(LATENCY_MS);

    expect(clock.timerCount).toBe(0);
  });
});
