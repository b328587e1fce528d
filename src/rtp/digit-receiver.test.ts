import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import { DigitReceiver, type ReceivedDigit } from "./digit-receiver.ts";
import { type DigitPacket, DigitSender, type DigitSenderOptions } from "./digit-sender.ts";
import type { RtpPacket } from "./packet.ts";
import { decodeTelephoneEvent, encodeTelephoneEvent } from "./telephone-event.ts";

const TICK_MS = 20;
const FIRST_TIMESTAMP = 0xffff_fc00;

interface SentPacket extends Omit<DigitPacket, "payload"> {
  readonly tick: number;
  readonly payload: Uint8Array;
  readonly durationTicks: number;
  readonly isEnd: boolean;
  readonly volume: number;
}

function sender(options: Partial<DigitSenderOptions> = {}): DigitSender {
  return new DigitSender({ clockRateHz: 8000, payloadType: 101, ...options });
}

/** All packets of `digits`, with the tick at which each left. */
function send(digits: string, options: Partial<DigitSenderOptions> = {}): SentPacket[] {
  const source = sender(options);
  source.queue(digits);
  return packetsOf(source, options);
}

/** All that a sender has to send, in frames of 20 ms unless said. */
function packetsOf(
  source: DigitSender,
  { clockRateHz = 8000, frameTicks = clockRateHz / 50 }: Partial<DigitSenderOptions> = {},
): SentPacket[] {
  const packets: SentPacket[] = [];
  for (let tick = 0; !source.isIdle; tick += 1) {
    const packet = source.takePacket((FIRST_TIMESTAMP + tick * frameTicks) >>> 0);
    if (packet === undefined) continue;
    const event = decodeTelephoneEvent(packet.payload);
    if (event === undefined) throw new Error("The payload is too short.");
    packets.push({ ...packet, ...event, payload: packet.payload.slice(), tick });
  }
  return packets;
}

function rtp(packet: Pick<SentPacket, "marker" | "timestamp" | "payload">, ssrc = 1): RtpPacket {
  const { marker, timestamp, payload } = packet;
  return { kind: "rtp", marker, payloadType: 101, sequenceNumber: 0, timestamp, ssrc, payload };
}

function receive(
  packets: readonly SentPacket[],
  receiver = receiverOf8k(),
  tickMs = TICK_MS,
): ReceivedDigit[] {
  for (const packet of packets) {
    const now = instant(packet.tick * tickMs);
    receiver.handleTimeout(now);
    receiver.handlePacket(rtp(packet), now);
  }
  return drain(receiver);
}

function receiverOf8k(): DigitReceiver {
  return new DigitReceiver({ clockRateHz: 8000 });
}

/** All digits, the last one ended by its timeout if need be. */
function drain(receiver: DigitReceiver): ReceivedDigit[] {
  if (receiver.nextTimeout !== undefined) receiver.handleTimeout(receiver.nextTimeout);
  const digits: ReceivedDigit[] = [];
  for (let digit = receiver.takeDigit(); digit; digit = receiver.takeDigit()) digits.push(digit);
  return digits;
}

function text(digits: readonly ReceivedDigit[]): string {
  return digits.map(({ digit }) => digit).join("");
}

function eventPacket(code: number, timestamp: number, over: object = {}): RtpPacket {
  const payload = new Uint8Array(4);
  encodeTelephoneEvent({ code, isEnd: false, volume: 10, durationTicks: 160, ...over }, payload);
  return rtp({ marker: false, timestamp, payload });
}

describe("DigitSender", () => {
  it("sends one event as RFC 4733 §2.5.1 has it", () => {
    const packets = send("5");

    expect(packets.map(({ marker }) => marker)).toEqual([true, ...Array(6).fill(false)]);
    expect(packets.map(({ durationTicks }) => durationTicks)).toEqual([
      160, 320, 480, 640, 800, 800, 800,
    ]);
    expect(packets.map(({ isEnd }) => isEnd)).toEqual([...Array(4).fill(false), true, true, true]);
    expect(packets.map(({ event }) => event)).toEqual([
      "start",
      ...Array(3).fill("continue"),
      ...Array(3).fill("end"),
    ]);
    expect(new Set(packets.map(({ timestamp }) => timestamp))).toEqual(new Set([FIRST_TIMESTAMP]));
    expect(new Set(packets.map(({ volume }) => volume))).toEqual(new Set([10]));
    expect([...(packets[0]?.payload ?? [])]).toEqual([5, 10, 0, 160]);
    expect([...(packets[6]?.payload ?? [])]).toEqual([5, 0x80 | 10, 3, 32]);
  });

  it("keeps the gap from the end of one tone to the begin of the next", () => {
    const starts = send("42#", { durationMs: 100, gapMs: 60 })
      .filter(({ marker }) => marker)
      .map(({ tick, timestamp }) => [tick, timestamp]);

    expect(starts).toEqual([
      [0, FIRST_TIMESTAMP],
      [8, (FIRST_TIMESTAMP + 8 * 160) >>> 0],
      [16, (FIRST_TIMESTAMP + 16 * 160) >>> 0],
    ]);
  });

  it("keeps the gap also before digits queued later", () => {
    const source = sender();
    source.queue("1");
    while (!source.isIdle) source.takePacket(0);

    source.queue("2");

    expect(source.takePacket(0)).toBeUndefined();
    expect(source.takePacket(0)?.digit).toBe("2");
  });

  it("sends audio's place to nobody while it is idle", () => {
    expect(sender().takePacket(0)).toBeUndefined();
    expect(sender().isIdle).toBe(true);
  });

  it("refuses what is no digit, without saying what it was, and queues nothing of it", () => {
    const source = sender();

    expect(() => source.queue("12x")).toThrow(
      expect.objectContaining({ code: "ERR_DIGIT_UNKNOWN" }),
    );
    expect(() => source.queue("12x")).toThrow(/Character 3/u);
    expect(source.isIdle).toBe(true);
  });

  it.each([40, 8180])("sends a digit of %d ms", (durationMs) => {
    expect(receive(send("1", { durationMs }))[0]?.durationMs).toBe(durationMs);
  });

  it.each([0, 39, 600_001, Number.NaN])("refuses a duration of %d ms", (durationMs) => {
    const refusal = expect.objectContaining({ code: "ERR_DIGIT_DURATION_OUT_OF_RANGE" });
    const source = sender();

    expect(() => sender({ durationMs })).toThrow(refusal);
    expect(() => source.queue("1", { durationMs })).toThrow(refusal);
    expect(source.isIdle).toBe(true);
  });

  it.each([
    [0, 0],
    [-10.4, 10],
    [-63, 63],
  ])("says a volume of %d dBm0 as %d", (volumeDbm0, field) => {
    expect(send("1", { volumeDbm0 })[0]?.volume).toBe(field);
  });

  it.each([10, -64, Number.NaN])("refuses a volume of %d dBm0", (volumeDbm0) => {
    expect(() => sender({ volumeDbm0 })).toThrow(
      expect.objectContaining({ code: "ERR_DIGIT_VOLUME_OUT_OF_RANGE" }),
    );
  });

  it("sends digits of different durations from one queue", () => {
    const source = sender();
    source.queue("1");
    source.queue("2", { durationMs: 240 });
    source.queue("3");

    const digits = receive(packetsOf(source));

    expect(digits.map(({ digit, durationMs }) => [digit, durationMs])).toEqual([
      ["1", 100],
      ["2", 240],
      ["3", 100],
    ]);
  });

  it.each([
    [8000, 20, 800],
    [16_000, 10, 1600],
    [16_000, 30, 1920],
    [48_000, 20, 4800],
    [48_000, 2.5, 4800],
    [48_000, 60, 5760],
  ])("rounds 100 ms up to whole frames (%d Hz, %d ms)", (clockRateHz, frameMs, ticks) => {
    const frameTicks = (clockRateHz * frameMs) / 1000;
    const packets = send("5", { clockRateHz, frameTicks });

    expect(packets[0]?.durationTicks).toBe(frameTicks);
    expect(packets.at(-1)?.durationTicks).toBe(ticks);
    expect(packets.at(-1)?.durationMs).toBe((ticks * 1000) / clockRateHz);
    expect(packets.filter(({ isEnd }) => isEnd)).toHaveLength(3);
    expect(packets.filter(({ marker }) => marker)).toHaveLength(1);
  });

  it("splits a long tone into segments (RFC 4733 §2.5.1.3)", () => {
    const packets = send("9", { clockRateHz: 48_000, durationMs: 3000 });
    const timestamps = [...new Set(packets.map(({ timestamp }) => timestamp))];

    expect(timestamps).toEqual([
      FIRST_TIMESTAMP,
      (FIRST_TIMESTAMP + 0xffff) >>> 0,
      (FIRST_TIMESTAMP + 2 * 0xffff) >>> 0,
    ]);
    const last = timestamps.map((each) => packets.findLast(({ timestamp }) => timestamp === each));
    expect(last.map((packet) => packet?.durationTicks)).toEqual([
      0xffff,
      0xffff,
      144_000 - 2 * 0xffff,
    ]);
    expect(packets.filter(({ marker }) => marker)).toHaveLength(1);
    expect(packets.filter(({ isEnd }) => isEnd)).toHaveLength(3);
    expect(new Set(packets.slice(-3).map(({ timestamp }) => timestamp)).size).toBe(1);
  });

  it("ends a tone of exactly one segment with its end packets", () => {
    // 65,535 ticks are 257 · 255, so that a whole number of frames fills the segment.
    const packets = send("9", { clockRateHz: 51_000, frameTicks: 255, durationMs: 1285 });

    expect(packets.at(-1)).toMatchObject({ isEnd: true, durationTicks: 0xffff });
    expect(new Set(packets.map(({ timestamp }) => timestamp)).size).toBe(1);
  });

  it("takes over another payload type in the middle of a digit", () => {
    const source = sender();
    source.queue("1");
    const before = source.takePacket(1000);
    source.reconfigure({ clockRateHz: 8000, payloadType: 96 });

    const after = source.takePacket(1160);

    expect(before).toMatchObject({ payloadType: 101, timestamp: 1000, marker: true });
    expect(after).toMatchObject({ payloadType: 96, timestamp: 1000, marker: false });
  });

  it("finishes a digit on its old clock, and sends the next on the new one", () => {
    const source = sender();
    source.queue("12", { durationMs: 80 });
    source.takePacket(1000);
    source.reconfigure({ clockRateHz: 48_000, payloadType: 103 });
    const rest = packetsOf(source, { clockRateHz: 48_000 });

    const old = rest.filter(({ payloadType }) => payloadType === 101);
    const fresh = rest.filter(({ payloadType }) => payloadType === 103);

    expect(old.map(({ durationTicks }) => durationTicks)).toEqual([320, 480, 640, 640, 640]);
    expect(new Set(old.map(({ timestamp }) => timestamp))).toEqual(new Set([1000]));
    expect(fresh.map(({ durationTicks }) => durationTicks)).toEqual([
      960, 1920, 2880, 3840, 3840, 3840,
    ]);
  });
});

describe("DigitReceiver", () => {
  it("receives all sixteen digits with duration and instants", () => {
    const digits = receive(send("0123456789*#abcd"));

    expect(text(digits)).toBe("0123456789*#ABCD");
    expect(digits[0]).toEqual({
      digit: "0",
      durationMs: 100,
      volumeDbm0: -10,
      startedAt: 0,
      endedAt: 80,
    });
    expect(digits[1]).toMatchObject({ startedAt: 160, endedAt: 240 });
  });

  it("tells the same digit pressed twice from one", () => {
    expect(text(receive(send("1100", { gapMs: 40 })))).toBe("1100");
  });

  it("gives a digit out when its end comes, not later", () => {
    const receiver = receiverOf8k();
    const packets = send("7");
    for (const packet of packets.slice(0, 5)) receiver.handlePacket(rtp(packet), instant(0));

    expect(receiver.takeDigit()?.digit).toBe("7");
    expect(receiver.nextTimeout).toBeUndefined();
  });

  it("ends a digit by timeout when no end comes", () => {
    const receiver = receiverOf8k();
    for (const packet of send("7").slice(0, 3)) {
      receiver.handlePacket(rtp(packet), instant(packet.tick * TICK_MS));
    }
    expect(receiver.nextTimeout).toBe(160);
    receiver.handleTimeout(instant(159));
    expect(receiver.takeDigit()).toBeUndefined();

    receiver.handleTimeout(instant(160));

    expect(receiver.takeDigit()).toEqual({
      digit: "7",
      durationMs: 60,
      volumeDbm0: -10,
      startedAt: 0,
      endedAt: 40,
    });
  });

  it("does not receive a digit again from packets after its timeout", () => {
    const receiver = receiverOf8k();
    const packets = send("7");
    receiver.handlePacket(rtp(packets[0] as SentPacket), instant(0));
    receiver.handleTimeout(instant(500));

    for (const packet of packets.slice(1)) receiver.handlePacket(rtp(packet), instant(600));

    expect(text(drain(receiver))).toBe("7");
  });

  it("ignores packets of an older digit that come late", () => {
    const packets = send("12");
    const reordered = [...packets.slice(0, 9), ...packets.slice(4, 7), ...packets.slice(9)];

    expect(text(receive(reordered))).toBe("12");
  });

  it("does not let a reordered update shorten a digit", () => {
    const [first, second, third] = send("3") as [SentPacket, SentPacket, SentPacket];

    expect(receive([first, third, second])[0]?.durationMs).toBe(60);
  });

  it("joins the segments of an event longer than 16 bits can say (RFC 4733 §2.5.1.3)", () => {
    const receiver = receiverOf8k();
    const second = (FIRST_TIMESTAMP + 0xffff) >>> 0;
    receiver.handlePacket(eventPacket(9, FIRST_TIMESTAMP, { durationTicks: 64_000 }), instant(0));
    receiver.handlePacket(eventPacket(9, FIRST_TIMESTAMP, { durationTicks: 0xffff }), instant(20));
    receiver.handlePacket(eventPacket(9, second, { durationTicks: 160 }), instant(40));
    receiver.handlePacket(eventPacket(9, second, { durationTicks: 800, isEnd: true }), instant(60));

    const digits = drain(receiver);

    expect(text(digits)).toBe("9");
    expect(digits[0]?.durationMs).toBe((0xffff + 800) / 8);
  });

  it("reads several events from one packet (RFC 4733 §2.5.1.5)", () => {
    const receiver = receiverOf8k();
    const payload = Uint8Array.from([1, 0x8a, 3, 32, 2, 0x8a, 3, 32]);

    receiver.handlePacket(rtp({ marker: true, timestamp: 5, payload }), instant(0));

    expect(text(drain(receiver))).toBe("12");
  });

  it("begins anew with another SSRC, whatever its timestamps", () => {
    const receiver = receiverOf8k();
    receiver.handlePacket(eventPacket(1, 5000), instant(0));

    receiver.handlePacket({ ...eventPacket(2, 4000), ssrc: 2 }, instant(20));

    expect(text(drain(receiver))).toBe("12");
  });

  it("does not join a segment to a digit that had ended", () => {
    const receiver = receiverOf8k();
    const second = (FIRST_TIMESTAMP + 0xffff) >>> 0;
    receiver.handlePacket(
      eventPacket(9, FIRST_TIMESTAMP, { durationTicks: 0xffff, isEnd: true }),
      instant(0),
    );
    receiver.handlePacket(eventPacket(9, second, { isEnd: true }), instant(20));

    expect(text(drain(receiver))).toBe("99");
  });

  it("does not make a second digit of segments that come after a pause in the network", () => {
    const packets = send("9", { durationMs: 20_000 });
    const receiver = receiverOf8k();
    // Everything from 6 s to 10 s comes at 10 s: 120 ms without a packet have ended the digit.
    for (const packet of packets) {
      const sentMs = packet.tick * TICK_MS;
      const now = instant(sentMs > 6000 && sentMs < 10_000 ? 10_000 : sentMs);
      receiver.handleTimeout(now);
      receiver.handlePacket(rtp(packet), now);
    }

    expect(text(drain(receiver))).toBe("9");
  });

  it.each([8000, 16_000, 48_000])("joins what the sender split (%d Hz)", (clockRateHz) => {
    const packets = send("95", { clockRateHz, durationMs: 20_000 });

    const digits = receive(packets, new DigitReceiver({ clockRateHz }));

    expect(text(digits)).toBe("95");
    expect(digits.map(({ durationMs }) => durationMs)).toEqual([20_000, 20_000]);
  });

  it("says the volume of the sender", () => {
    expect(receive(send("1", { volumeDbm0: -27 }))[0]?.volumeDbm0).toBe(-27);
    expect(receive(send("1", { volumeDbm0: 0 }))[0]?.volumeDbm0).toBe(0);
  });

  it("receives on several clocks, and no digit twice where they change", () => {
    const receiver = receiverOf8k();
    const narrow = send("12");
    const wide = send("34", { clockRateHz: 48_000, payloadType: 103 });
    for (const packet of narrow) receiver.handlePacket(rtp(packet), instant(0));
    for (const packet of wide) receiver.handlePacket(rtp(packet), instant(500), 48_000);
    // Repetitions of the last end packet that took a longer way.
    for (const packet of narrow.slice(-2)) receiver.handlePacket(rtp(packet), instant(900));

    const digits = drain(receiver);

    expect(text(digits)).toBe("1234");
    expect(digits.map(({ durationMs }) => durationMs)).toEqual([100, 100, 100, 100]);
  });

  it("is not disturbed by the stragglers of a source before", () => {
    const receiver = receiverOf8k();
    const packets = send("12");
    for (const packet of packets) receiver.handlePacket(rtp(packet, 1), instant(0));
    for (const packet of packets.slice(0, 3)) receiver.handlePacket(rtp(packet, 2), instant(0));
    for (const packet of packets.slice(-3)) receiver.handlePacket(rtp(packet, 1), instant(0));
    for (const packet of packets.slice(3)) receiver.handlePacket(rtp(packet, 2), instant(0));

    expect(text(drain(receiver))).toBe("1212");
  });

  it("ignores events that are no digits, and payloads that are too short", () => {
    const receiver = receiverOf8k();
    receiver.handlePacket(eventPacket(16, 5), instant(0));
    receiver.handlePacket(
      rtp({ marker: true, timestamp: 9, payload: new Uint8Array(3) }),
      instant(0),
    );

    expect(drain(receiver)).toEqual([]);
  });

  it("gets the exact digits whenever one packet of each came (property)", () => {
    const digits = fc.string({
      unit: fc.constantFrom(...Array.from("0123456789*#ABCD")),
      minLength: 1,
      maxLength: 20,
    });
    const durations = fc.constantFrom(40, 60, 100, 250);
    fc.assert(
      fc.property(
        digits,
        durations,
        fc.infiniteStream(fc.nat()),
        (dialled, durationMs, choices) => {
          const choose = (): number => choices.next().value as number;
          const packets = send(dialled, { durationMs, gapMs: 40 });
          const byDigit = grouped(packets);
          const survivors = byDigit.flatMap((group) => {
            const kept = choose() % group.length;
            return group.filter((_, index) => index === kept || choose() % 4 === 0);
          });

          expect(text(receive(survivors))).toBe(dialled);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("gets the exact digits whenever at most two packets in a row were lost (property)", () => {
    const tones = fc.array(
      fc.record({
        digit: fc.constantFrom(...Array.from("0123456789*#ABCD")),
        durationMs: fc.oneof(fc.integer({ min: 40, max: 400 }), fc.integer({ min: 40, max: 9000 })),
      }),
      { minLength: 1, maxLength: 8 },
    );
    const clocks = fc.constantFrom(8000, 16_000, 48_000);
    const frames = fc.constantFrom(10, 20, 30, 60);
    const gaps = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(tones, clocks, frames, gaps, fc.infiniteStream(fc.nat(3)), (...parameters) => {
        const [dialled, clockRateHz, frameMs, gapMs, choices] = parameters;
        const options = { clockRateHz, gapMs, frameTicks: (clockRateHz * frameMs) / 1000 };
        const source = sender(options);
        for (const { digit, durationMs } of dialled) source.queue(digit, { durationMs });
        const survivors = withLosses(packetsOf(source, options), choices);

        const digits = receive(survivors, new DigitReceiver({ clockRateHz }), frameMs);

        expect(text(digits)).toBe(dialled.map(({ digit }) => digit).join(""));
        digits.forEach(({ durationMs }, index) => {
          const wantedMs = dialled[index]?.durationMs ?? 0;
          expect(durationMs).toBeCloseTo(Math.ceil(wantedMs / frameMs) * frameMs, 6);
        });
      }),
      { numRuns: 300 },
    );
  });

  it("throws for no payload (property)", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.nat(), (payloads, timestamp) => {
        const receiver = receiverOf8k();
        for (const payload of payloads) {
          receiver.handlePacket(rtp({ marker: false, timestamp, payload }), instant(0));
        }
        const known = drain(receiver).every(({ digit }) => "0123456789*#ABCD".includes(digit));

        expect(known).toBe(true);
      }),
    );
  });
});

/** Takes out runs of one or two packets, between which at least one is left. */
function withLosses(packets: readonly SentPacket[], choices: Iterator<number>): SentPacket[] {
  let lost = 0;
  return packets.filter(() => {
    lost = lost < 2 && choices.next().value >= 2 ? lost + 1 : 0;
    return lost === 0;
  });
}

function grouped(packets: readonly SentPacket[]): SentPacket[][] {
  const groups: SentPacket[][] = [];
  for (const packet of packets) {
    if (packet.marker) groups.push([]);
    groups.at(-1)?.push(packet);
  }
  return groups;
}
