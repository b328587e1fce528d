import { describe, expect, it } from "vitest";
import {
  type Clock,
  type DatagramSocket,
  type Instant,
  instant,
  seededRandom,
} from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import { encodeRtp } from "../rtp/index.ts";
import type { NegotiatedMedia } from "../sdp/index.ts";
import type { FactDraft, FactOf } from "../timeline/index.ts";
import { FrameWheel } from "./frame-wheel.ts";
import { MediaSession } from "./media-session.ts";

const FRAME_MS = 20;
const FRAME_SAMPLES = 160;
/** PCMU: a loud sample. */
const LOUD = 0x80;
const PEER = { address: "10.0.0.1", port: 4000 };
const SILENT_PEER_LIMIT_MS = 1000;

const MEDIA: NegotiatedMedia = {
  send: { codecId: "PCMU", payloadType: 0, clockRateHz: 8000, channels: 1 },
  receive: new Map([[0, { kind: "audio", codecId: "PCMU" }]]),
  ptimeMs: FRAME_MS,
  remote: PEER,
  remoteRtcp: undefined,
  rtcpMux: false,
  remoteRtcpXr: false,
  direction: "sendrecv",
};

/**
 * A bridge's host: timers fire, and then the sockets are read, as an event loop does it. What comes
 * while it stands still lies in the socket.
 */
class Host {
  readonly clock: Clock;
  readonly socket: DatagramSocket;
  /** Loud samples handed to the bridge. */
  heardSamples = 0;
  silencesMs: number[] = [];
  readonly #unread: Uint8Array[] = [];
  #now = 1000;
  #timer: { readonly dueAt: Instant; readonly handler: () => void } | undefined;
  #sent = 0;

  constructor() {
    this.clock = {
      now: () => instant(this.#now),
      wallClockMs: () => this.#now,
      setTimer: (dueAt, handler) => {
        const timer = { dueAt, handler };
        this.#timer = timer;
        return {
          cancel: () => {
            if (this.#timer === timer) this.#timer = undefined;
          },
        };
      },
    };
    this.socket = {
      local: { address: "10.0.0.2", port: 4000 },
      onDatagram: undefined,
      onError: undefined,
      send: () => {},
      tieTo: () => {},
      close: () => Promise.resolve(),
    };
  }

  /** The peer's packets of so many frames come, and the host does nothing meanwhile. */
  standStill(frames: number): void {
    for (let frame = 0; frame < frames; frame += 1) {
      this.#now += FRAME_MS;
      this.#unread.push(this.#packet());
    }
  }

  /** As `standStill`, but nothing comes. */
  standStillInSilence(frames: number): void {
    this.#now += frames * FRAME_MS;
  }

  /** One turn of the event loop. */
  turn(): void {
    const timer = this.#timer;
    if (timer !== undefined && timer.dueAt <= this.#now) {
      this.#timer = undefined;
      timer.handler();
    }
    for (const packet of this.#unread.splice(0)) {
      this.socket.onDatagram?.(packet, PEER, this.clock.now());
    }
  }

  run(frames: number): void {
    for (let frame = 0; frame < frames; frame += 1) {
      this.standStill(1);
      this.turn();
    }
  }

  get sentSamples(): number {
    return this.#sent * FRAME_SAMPLES;
  }

  #packet(): Uint8Array {
    const packet = new Uint8Array(12 + FRAME_SAMPLES);
    const header = {
      marker: false,
      payloadType: 0,
      sequenceNumber: this.#sent & 0xffff,
      timestamp: this.#sent * FRAME_SAMPLES,
      ssrc: 7,
    };
    encodeRtp(header, new Uint8Array(FRAME_SAMPLES).fill(LOUD), packet);
    this.#sent += 1;
    return packet;
  }
}

function openBridge() {
  const host = new Host();
  const facts: FactDraft[] = [];
  const vanished: number[] = [];
  const random = seededRandom("stalled");
  const media = new MediaSession({
    party: "bot",
    clock: host.clock,
    random,
    cryptography: new NodeCryptography(random),
    wheel: new FrameWheel(host.clock),
    sockets: { rtp: host.socket },
    settings: { rtcp: "off" },
    record: (fact) => facts.push(fact),
    recordsAudio: false,
    silentPeerLimitMs: SILENT_PEER_LIMIT_MS,
  });
  media.onIncomingAudio = (samples) => {
    host.heardSamples += samples.filter((sample) => Math.abs(sample) > 10_000).length;
  };
  media.onIncomingSilence = (samples) => host.silencesMs.push(samples / 8);
  media.onSilentPeer = (silentMs) => vanished.push(silentMs);
  media.start(MEDIA);
  const statistics = (): FactOf<"mediaStatistics"> => {
    media.stop();
    return facts.find((fact) => fact.kind === "mediaStatistics") as FactOf<"mediaStatistics">;
  };
  return { host, media, vanished, statistics };
}

describe("MediaSession on a host that stood still", () => {
  it.each([4, 8, 25])(
    "hands the AI all of what the caller said in %i frames without a turn",
    (frames) => {
      const { host, statistics } = openBridge();
      host.run(25);

      host.standStill(frames);
      host.turn();
      host.run(25);

      expect(host.heardSamples).toBe(host.sentSamples);
      expect(host.silencesMs).toEqual([]);
      expect(statistics()).toMatchObject({ late: 0, lost: 0, discarded: 0, concealedMs: 0 });
    },
  );

  it("still stands in for what does not come, one turn later", () => {
    const { host, statistics } = openBridge();
    host.run(25);

    host.standStillInSilence(6);
    host.turn();
    expect(host.silencesMs).toEqual([]);
    expect(host.heardSamples).toBe(host.sentSamples);
    host.standStillInSilence(1);
    host.turn();

    expect(host.silencesMs.length).toBeGreaterThan(0);
    expect(statistics().concealedMs).toBeGreaterThan(0);
  });

  it("stands in for what is missing on a host that is late at every turn, too", () => {
    const { host, statistics } = openBridge();
    host.run(25);

    for (let turn = 0; turn < 4; turn += 1) {
      host.standStillInSilence(4);
      host.turn();
    }

    // All that was not there at the turn before the last one.
    const standInMs = host.silencesMs.reduce((sum, ms) => sum + ms, 0);
    expect(standInMs + statistics().concealedMs).toBeGreaterThanOrEqual(3 * 4 * FRAME_MS - 80);
  });

  it("takes no peer for gone whose packets lie unread", () => {
    const { host, vanished } = openBridge();
    host.run(25);

    host.standStill(SILENT_PEER_LIMIT_MS / FRAME_MS + 10);
    host.turn();
    host.run(2);
    expect(vanished).toEqual([]);

    for (let frame = 0; frame < SILENT_PEER_LIMIT_MS / FRAME_MS + 2; frame += 1) {
      host.standStillInSilence(1);
      host.turn();
    }
    expect(vanished).toHaveLength(1);
  });
});
