import { describe, expect, it } from "vitest";
import {
  type Instant,
  instant,
  type Random,
  randomInteger,
} from "../../../src/environment/index.ts";
import {
  decodeRtp,
  IngressOrderer,
  JitterBuffer,
  type PlayoutDelay,
  type RtpPacket,
} from "../../../src/rtp/index.ts";
import { rtpFlow } from "./support/corpus.ts";
import { FUZZ_TIMEOUT_MS, FUZZ_TITLE, fuzz, mustHold } from "./support/fuzz.ts";
import { pick } from "./support/mutations.ts";

const CLOCK_RATE_HZ = 8000;
const FRAME_TICKS = 160;
const TELEPHONE_EVENT = 101;
const COMFORT_NOISE = 13;
/** After these, another stream begins. */
const INPUTS_PER_STREAM = 1000;
/** What packets may last: from 2.5 to 120 ms, and as much as their payload is long. */
const DURATIONS_TICKS = [20, 80, 160, 160, 240, 320, 960];
const DELAYS: readonly PlayoutDelay[] = [
  { kind: "fixed", delayMs: 0 },
  { kind: "fixed", delayMs: 60 },
  { kind: "adaptive" },
];

function durationOf(packet: RtpPacket, random: Random): number {
  return random() < 0.9 ? Math.max(1, packet.payload.length) : pick(DURATIONS_TICKS, random);
}

/** Mostly a steady pace, now and then a burst or a pause. */
function pauseMs(random: Random): number {
  const kind = random();
  if (kind < 0.05) return 0;
  return kind < 0.06 ? random() * 3000 : 15 + random() * 10;
}

class BufferUnderFire {
  readonly #buffer: JitterBuffer;
  #debtTicks = 0;

  constructor(delay: PlayoutDelay) {
    this.#buffer = new JitterBuffer({ clockRateHz: CLOCK_RATE_HZ, delay });
  }

  get played(): number {
    return this.#buffer.counts.played;
  }

  handle(packet: RtpPacket, now: Instant, random: Random): void {
    const { payloadType } = packet;
    if (payloadType === TELEPHONE_EVENT) this.#buffer.handleOtherPayload(packet, now);
    else {
      const isNoise = payloadType === COMFORT_NOISE;
      this.#buffer.handlePacket(packet, isNoise ? 0 : durationOf(packet, random), now);
    }
  }

  /** Takes a frame, as the playout does. */
  pull(now: Instant, random: Random): void {
    this.#debtTicks += FRAME_TICKS;
    let pieces = 0;
    while (this.#debtTicks > 0) {
      const limitTicks = this.#debtTicks;
      const piece = this.#buffer.take(now, limitTicks);
      pieces += 1;
      mustHold(pieces < 3000, "a pull comes to its end");
      mustHold(piece.durationTicks >= 0, "time goes forward");
      if (piece.kind !== "packet") {
        const isWhole = piece.kind === "lost" && piece.next !== undefined;
        mustHold(isWhole || piece.durationTicks <= limitTicks, "no more than asked for");
        mustHold(piece.durationTicks > 0, "a hole lasts");
      }
      this.#debtTicks -= piece.durationTicks;
    }
    const wanted = this.#buffer.pendingShiftTicks;
    if (wanted !== 0 && random() < 0.3) this.#buffer.applyShift(Math.trunc(wanted / 2));
  }

  check(): void {
    const { counts, bufferedPackets, depthMs, delayMs, driftPpm } = this.#buffer;
    const { received, played, late, discarded, duplicate, other, expected, lost } = counts;
    mustHold(
      received === played + late + discarded + duplicate + other + bufferedPackets,
      `each packet has one fate: ${JSON.stringify({ ...counts, bufferedPackets })}`,
    );
    mustHold(
      expected === received - duplicate + lost,
      `expected = received - duplicate + lost: ${JSON.stringify(counts)}`,
    );
    mustHold(lost >= 0 && depthMs >= 0 && delayMs >= 0, "nothing is negative");
    mustHold(Number.isFinite(delayMs) && Number.isFinite(driftPpm ?? 0), "figures are numbers");
  }

  end(now: Instant): void {
    this.#buffer.end(now);
    mustHold(this.#buffer.bufferedPackets === 0, "nothing is left");
    this.check();
  }
}

class OrdererUnderFire {
  readonly #orderer = new IngressOrderer({ clockRateHz: CLOCK_RATE_HZ });
  #startedAt: Instant | undefined;
  #ticks = 0;

  get passed(): number {
    return this.#orderer.counts.passed;
  }

  handle(packet: RtpPacket, now: Instant, random: Random): void {
    const isAudio = packet.payloadType !== TELEPHONE_EVENT && packet.payloadType !== COMFORT_NOISE;
    if (!isAudio) this.#orderer.handleOtherPayload(packet, now);
    else {
      this.#orderer.handlePacket(packet, durationOf(packet, random), now);
      this.#startedAt ??= now;
    }
    this.#drain();
  }

  handleTimeout(now: Instant): void {
    this.#orderer.handleTimeout(now);
    this.#drain();
    const { nextTimeout } = this.#orderer;
    mustHold(nextTimeout === undefined || nextTimeout > now - 0.01, "the next timeout is to come");
    if (this.#startedAt === undefined) return;
    const elapsedTicks = (now - this.#startedAt) * (CLOCK_RATE_HZ / 1000);
    mustHold(this.#ticks > elapsedTicks - 8 * 200, `it keeps up: ${this.#ticks}/${elapsedTicks}`);
    mustHold(
      this.#ticks < elapsedTicks + 8 * 400,
      `it runs not ahead: ${this.#ticks}/${elapsedTicks}`,
    );
  }

  check(): void {
    const { counts, heldPackets } = this.#orderer;
    const { received, passed, late, discarded, duplicate, other, expected, lost } = counts;
    mustHold(
      received === passed + late + discarded + duplicate + other + heldPackets,
      `each packet has one fate: ${JSON.stringify({ ...counts, heldPackets })}`,
    );
    mustHold(
      expected === received - duplicate + lost,
      `expected = received - duplicate + lost: ${JSON.stringify(counts)}`,
    );
  }

  end(): void {
    this.#orderer.end();
    mustHold(this.#orderer.heldPackets === 0, "nothing is left");
    this.check();
  }

  #drain(): void {
    for (let piece = this.#orderer.takeOutput(); piece; piece = this.#orderer.takeOutput()) {
      const ticks = piece.kind === "audio" ? piece.durationTicks : piece.ticks;
      mustHold(ticks > 0 && Number.isFinite(ticks), "each piece lasts");
      this.#ticks += ticks;
    }
  }
}

describe(`the jitter buffer, fuzzed ${FUZZ_TITLE}`, () => {
  it.each(DELAYS)(
    "plays on and leaves its counts in balance, with delay $kind $delayMs",
    (delay) => {
      let buffer = new BufferUnderFire(delay);
      let atMs = 0;
      let pulledMs = 0;
      let played = 0;
      fuzz({
        name: `JitterBuffer ${JSON.stringify(delay)}`,
        corpus: rtpFlow,
        validShare: 0.8,
        handle: (input, random, index) => {
          if (index % INPUTS_PER_STREAM === 0) {
            played += buffer.played;
            buffer.end(instant(atMs));
            buffer = new BufferUnderFire(delay);
          }
          atMs += pauseMs(random);
          for (; pulledMs <= atMs; pulledMs += 20) buffer.pull(instant(pulledMs), random);
          const packet = decodeRtp(input);
          if (packet.kind === "rtp") buffer.handle(packet, instant(atMs), random);
          buffer.check();
        },
      });

      expect(played + buffer.played).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );
});

describe(`the ingress orderer, fuzzed ${FUZZ_TITLE}`, () => {
  it(
    "keeps to real time and leaves its counts in balance",
    () => {
      let orderer = new OrdererUnderFire();
      let atMs = 0;
      let passed = 0;
      fuzz({
        name: "IngressOrderer",
        corpus: rtpFlow,
        validShare: 0.8,
        handle: (input, random, index) => {
          if (index % INPUTS_PER_STREAM === 0) {
            passed += orderer.passed;
            orderer.end();
            orderer = new OrdererUnderFire();
          }
          const untilMs = atMs + pauseMs(random);
          for (; atMs < untilMs; atMs += 5 + randomInteger(random, 15)) {
            orderer.handleTimeout(instant(atMs));
          }
          const packet = decodeRtp(input);
          if (packet.kind === "rtp") orderer.handle(packet, instant(atMs), random);
          orderer.check();
        },
      });

      expect(passed + orderer.passed).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );
});
