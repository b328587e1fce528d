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
  const packets: SentPacket[] = [];
  for (let tick = 0; !source.isIdle; tick += 1) {
    const packet = source.takePacket((FIRST_TIMESTAMP + tick * 160) >>> 0);
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

function receive(packets: readonly SentPacket[], receiver = receiverOf8k()): ReceivedDigit[] {
  for (const packet of packets) {
    const now = instant(packet.tick * TICK_MS);
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

  it.each([0, 39, 8181, Number.NaN])("refuses a duration of %d ms", (durationMs) => {
    expect(() => sender({ durationMs })).toThrow(
      expect.objectContaining({ code: "ERR_DIGIT_DURATION_OUT_OF_RANGE" }),
    );
  });
});

describe("DigitReceiver", () => {
  it("receives all sixteen digits with duration and instants", () => {
    const digits = receive(send("0123456789*#abcd"));

    expect(text(digits)).toBe("0123456789*#ABCD");
    expect(digits[0]).toEqual({ digit: "0", durationMs: 100, startedAt: 0, endedAt: 80 });
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

function grouped(packets: readonly SentPacket[]): SentPacket[][] {
  const groups: SentPacket[][] = [];
  for (const packet of packets) {
    if (packet.marker) groups.push([]);
    groups.at(-1)?.push(packet);
  }
  return groups;
}
