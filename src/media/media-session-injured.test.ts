import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeWav, resample } from "../audio/index.ts";
import { type CodecId, loadCodecs } from "../codec/index.ts";
import { type Instant, instant, type Random, seededRandom } from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import type { NegotiatedMedia, ReceivedPayload } from "../sdp/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import type { FactDraft, FactOf } from "../timeline/index.ts";
import { FrameWheel } from "./frame-wheel.ts";
import { MediaSession } from "./media-session.ts";
import { UtterancePlayer } from "./utterance-player.ts";

const RATE_HZ = 8000;
const SECONDS = 30;

interface Injury {
  readonly lossRatio: number;
  /** Mean length of a run of losses (Gilbert); 1 is random. */
  readonly burst: number;
  readonly jitterMs: number;
  readonly duplicateRatio: number;
}

/** What really crossed the line: the truth that the counters are held against. */
interface Truth {
  sent: number;
  dropped: number;
  duplicated: number;
  /** Dropped at the end, beyond the highest that came: nobody can know of them. */
  trailingDropped: number;
  /** Arrivals below the highest sequence number so far, repetitions left out. */
  reordered: number;
}

/** Losses in runs: from a good packet to the next run, and out of it, by two chances. */
function gilbert({ lossRatio, burst }: Injury, random: Random): () => boolean {
  const leave = 1 / burst;
  const enter = lossRatio === 0 ? 0 : (leave * lossRatio) / (1 - lossRatio);
  let isLosing = false;
  return () => {
    isLosing = isLosing ? random() >= leave : random() < enter;
    return isLosing;
  };
}

async function speakOver(injury: Injury, seed: string, codec: CodecId = "PCMU") {
  const clock = new ManualClock(instant(1000));
  const random = seededRandom(`sessions ${seed}`);
  const dice = seededRandom(`line ${seed}`);
  const network = new VirtualNetwork({ clock, random, latencyMs: 10 });
  const facts: FactDraft[] = [];
  const open = async (party: "caller" | "bot", address: string) => {
    const rtp = await network.bindDatagram({ address, port: 4000 });
    const media = new MediaSession({
      party,
      clock,
      random,
      cryptography: new NodeCryptography(random),
      wheel: new FrameWheel(clock),
      sockets: { rtp },
      settings: { rtcp: "off" },
      record: (fact) => {
        if (party === "bot") facts.push(fact);
      },
      recordsAudio: true,
      silentPeerLimitMs: 5000,
    });
    return { media, rtp };
  };
  const caller = await open("caller", "10.0.0.1");
  const bot = await open("bot", "10.0.0.2");
  const truth = injure(caller, bot, { injury, dice, clock });
  const player = new UtterancePlayer(() => {});
  caller.media.source = player;
  const voice = await voiceOf("tell-me-about-the-hotel", codec === "opus" ? 24_000 : RATE_HZ);
  for (let count = 0; count < 20; count += 1) {
    player.say({
      utteranceId: `u${count}`,
      fixture: "voice",
      purpose: "speech",
      samples: voice,
      onsetMs: 0,
      offsetMs: 0,
      start: { kind: "now" },
    });
  }
  caller.media.start(agreed({ address: "10.0.0.2", port: 4000 }, codec));
  bot.media.start(agreed({ address: "10.0.0.1", port: 4000 }, codec));
  clock.advance(SECONDS * 1000);
  caller.media.stop();
  clock.advance(1000);
  bot.media.stop();
  const statistics = facts.find(
    (fact): fact is FactDraft & FactOf<"mediaStatistics"> => fact.kind === "mediaStatistics",
  );
  if (statistics === undefined) throw new Error("It counts.");
  return {
    truth,
    statistics,
    sent: caller.media.recordedAudio(),
    heard: bot.media.recordedAudio(),
  };
}

/** Puts an injured line between the two, which notes what it did. */
function injure(
  caller: { readonly rtp: Awaited<ReturnType<VirtualNetwork["bindDatagram"]>> },
  bot: { readonly rtp: Awaited<ReturnType<VirtualNetwork["bindDatagram"]>> },
  line: { readonly injury: Injury; readonly dice: Random; readonly clock: ManualClock },
): Truth {
  const { injury, dice, clock } = line;
  const truth = { sent: 0, dropped: 0, duplicated: 0, trailingDropped: 0, reordered: 0 };
  const isLost = gilbert(injury, dice);
  const arrived = new Set<number>();
  let highest = -1;
  caller.rtp.send = (data) => {
    const index = truth.sent;
    truth.sent += 1;
    const lost = isLost();
    const copies = dice() < injury.duplicateRatio ? 2 : 1;
    const packet = data.slice();
    if (lost) {
      truth.dropped += 1;
      truth.trailingDropped += 1;
      return;
    }
    truth.duplicated += copies - 1;
    truth.trailingDropped = 0;
    for (let copy = 0; copy < copies; copy += 1) {
      const dueAt = (clock.now() + 10 + dice() * injury.jitterMs) as Instant;
      clock.setTimer(dueAt, () => {
        if (!arrived.has(index)) {
          arrived.add(index);
          if (index < highest) truth.reordered += 1;
          highest = Math.max(highest, index);
        }
        bot.rtp.onDatagram?.(packet, { address: "10.0.0.1", port: 4000 }, clock.now());
      });
    }
  };
  return truth;
}

function agreed(remote: NegotiatedMedia["remote"], codecId: CodecId): NegotiatedMedia {
  const [payloadType, clockRateHz, channels] =
    codecId === "opus" ? ([96, 48_000, 2] as const) : ([0, RATE_HZ, 1] as const);
  return {
    send: { codecId, payloadType, clockRateHz, channels, remoteFmtp: "useinbandfec=1" },
    receive: new Map<number, ReceivedPayload>([[payloadType, { kind: "audio", codecId }]]),
    ptimeMs: 20,
    remote,
    remoteRtcp: undefined,
    rtcpMux: false,
    remoteRtcpXr: false,
    direction: "sendrecv",
  };
}

async function voiceOf(id: string, rateHz: number): Promise<Int16Array> {
  const file = new URL(`../../fixtures/voices/caller/${id}.wav`, import.meta.url);
  const { channels, sampleRateHz } = decodeWav(await readFile(file));
  return resample(channels[0] ?? new Int16Array(0), sampleRateHz, rateHz);
}

/** The largest steps of the slope: a cut in the middle of a wave stands out by several times. */
function roughest(samples: Int16Array): number {
  let largest = 0;
  for (let index = 2; index < samples.length; index += 1) {
    const [a, b, c] = [samples[index - 2], samples[index - 1], samples[index]] as number[];
    largest = Math.max(largest, Math.abs((a as number) - 2 * (b as number) + (c as number)));
  }
  return largest;
}

const INJURIES: readonly (readonly [name: string, injury: Injury])[] = [
  ["nothing", { lossRatio: 0, burst: 1, jitterMs: 0, duplicateRatio: 0 }],
  ...[0.01, 0.05, 0.1, 0.2].flatMap((lossRatio) =>
    [1, 4].map(
      (burst) =>
        [
          `${lossRatio * 100} % ${burst === 1 ? "random" : "bursty"} loss`,
          { lossRatio, burst, jitterMs: 0, duplicateRatio: 0 },
        ] as const,
    ),
  ),
  ...[10, 40, 80].map(
    (jitterMs) =>
      [`${jitterMs} ms jitter`, { lossRatio: 0, burst: 1, jitterMs, duplicateRatio: 0 }] as const,
  ),
  ["repetitions", { lossRatio: 0, burst: 1, jitterMs: 5, duplicateRatio: 0.1 }],
  ["all at once", { lossRatio: 0.1, burst: 3, jitterMs: 80, duplicateRatio: 0.05 }],
];

beforeAll(async () => {
  await loadCodecs(["PCMU", "opus"]);
});

describe("MediaSession over an injured line", () => {
  it.each(INJURIES)("%s: the counts are what was injected, and add up", async (name, injury) => {
    const { truth, statistics } = await speakOver(injury, name);

    const { packetsReceived, packetsExpected, played, lost, late, discarded } = statistics;
    const { duplicate, other, outOfOrder } = statistics;
    expect(packetsExpected).toBe(truth.sent - truth.trailingDropped);
    expect(lost).toBe(truth.dropped - truth.trailingDropped);
    expect(duplicate).toBe(truth.duplicated);
    expect(outOfOrder).toBe(truth.reordered);
    expect(packetsReceived).toBe(truth.sent - truth.dropped + truth.duplicated);
    expect(played + late + discarded + duplicate + other).toBe(packetsReceived);
    expect(packetsReceived - duplicate + lost).toBe(packetsExpected);
  });

  it.each(INJURIES)(
    "%s: what is missing is concealed, millisecond for millisecond",
    async (name, injury) => {
      const { statistics } = await speakOver(injury, name);

      // A late packet was concealed; time is put in or left out where the buffer follows the jitter.
      const missingMs = (statistics.lost + statistics.late) * 20;
      const slackMs = 60 + statistics.insertedMs + statistics.skippedMs + statistics.discarded * 20;
      expect(Math.abs(statistics.concealedMs - missingMs)).toBeLessThanOrEqual(slackMs);
    },
  );

  it.each([1, 4])("conceals without clicks, in bursts of %i", async (burst) => {
    const injury = { lossRatio: 0.1, burst, jitterMs: 0, duplicateRatio: 0 };
    const { sent, heard } = await speakOver(injury, "clicks");
    if (sent === undefined || heard === undefined) throw new Error("Both keep recordings.");

    expect(roughest(heard.left)).toBeLessThan(1.5 * roughest(sent.left));
  });

  it("has Opus bring lost packets back out of the packets after them", async () => {
    const injury = { lossRatio: 0.1, burst: 1, jitterMs: 0, duplicateRatio: 0 };
    const { statistics } = await speakOver(injury, "fec", "opus");

    expect(statistics.lost).toBeGreaterThan(100);
    expect(statistics.fecRecoveredMs).toBeGreaterThan(0.7 * statistics.lost * 20);
  });
});
