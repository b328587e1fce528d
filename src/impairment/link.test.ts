import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, instant, seededRandom } from "../environment/index.ts";
import { Link, type LinkOutput } from "./link.ts";
import type { LinkPlan } from "./link-settings.ts";
import { burstyLoss, type LossModel, meanLossRatio } from "./loss-model.ts";

const FRAME_MS = 20;

/** Packets 1 to `count`, one each 20 ms, through a link; what came out, with the instant. */
function through(
  plan: LinkPlan,
  { count = 1000, seed = "link", sizeBytes = 200, everyMs = FRAME_MS } = {},
): {
  readonly link: Link<number>;
  readonly out: readonly (LinkOutput<number> & { at: Instant })[];
} {
  const link = new Link<number>(plan, seededRandom(seed));
  const out: (LinkOutput<number> & { at: Instant })[] = [];
  const drain = (now: Instant): void => {
    link.handleTimeout(now);
    for (let output = link.takeOutput(); output !== undefined; output = link.takeOutput()) {
      out.push({ ...output, at: now });
    }
  };
  for (let packet = 1; packet <= count; packet += 1) {
    const now = instant(packet * everyMs);
    while (link.nextTimeout !== undefined && link.nextTimeout <= now) drain(link.nextTimeout);
    link.handlePacket(packet, sizeBytes, now);
  }
  while (link.nextTimeout !== undefined) drain(link.nextTimeout);
  return { link, out };
}

interface Spread {
  readonly mean: number;
  readonly deviation: number;
  readonly delays: readonly number[];
}

/** What 40,000 packets were delayed by. */
function spread(wanted: LinkPlan): Spread {
  const { out } = through(wanted, { count: 40_000 });
  const delays = out.map(({ sentAt, dueAt }) => dueAt - sentAt);
  const mean = delays.reduce((sum, each) => sum + each, 0) / delays.length;
  const variance = delays.reduce((sum, each) => sum + (each - mean) ** 2, 0) / delays.length;
  return { mean, deviation: Math.sqrt(variance), delays };
}

const ratio = fc.double({ min: 0, max: 1, noNaN: true });
const lossModel: fc.Arbitrary<LossModel> = fc.oneof(
  ratio.map((lossRatio) => ({ kind: "bernoulli" as const, lossRatio })),
  fc.record({
    kind: fc.constant("gilbert-elliott" as const),
    toBadRatio: ratio,
    toGoodRatio: ratio,
    lossInBadRatio: ratio,
    lossInGoodRatio: ratio,
  }),
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 0, max: 20 })))
    .map((ranges) => ({
      kind: "scripted" as const,
      lost: ranges.map(([first, more]) => [first, first + more] as const),
    })),
);
const settings = fc.record(
  {
    loss: lossModel,
    delay: fc.record(
      {
        delayMs: fc.double({ min: 0, max: 500, noNaN: true }),
        jitterMs: fc.double({ min: 0, max: 100, noNaN: true }),
        distribution: fc.constantFrom("uniform" as const, "normal" as const, "pareto" as const),
        correlation: ratio,
      },
      { requiredKeys: ["delayMs"] },
    ),
    reorderRatio: ratio,
    duplicateRatio: ratio,
    corruptRatio: ratio,
    rate: fc.record({
      bitsPerSecond: fc.integer({ min: 1000, max: 1_000_000 }),
      queueBytesMax: fc.integer({ min: 0, max: 20_000 }),
    }),
    keepsOrder: fc.boolean(),
  },
  { requiredKeys: [] },
);
const plan: fc.Arbitrary<LinkPlan> = fc
  .tuple(
    settings,
    fc.array(
      fc.record(
        {
          atMs: fc.integer({ min: 0, max: 2000 }),
          durationMs: fc.integer({ min: 0, max: 1000 }),
          settings,
        },
        { requiredKeys: ["atMs", "settings"] },
      ),
      { maxLength: 3 },
    ),
  )
  .map(([first, changes]) => ({ ...first, changes }));

describe("a link conserves packets", () => {
  it("accounts for each packet, whatever it is asked to do to them", () => {
    fc.assert(
      fc.property(plan, fc.string(), (wanted, seed) => {
        const { link, out } = through(wanted, { count: 100, seed });
        const { counts } = link;
        expect(counts.underWay).toBe(0);
        expect(counts.offered + counts.duplicated).toBe(
          counts.delivered + counts.lost + counts.overflowed,
        );
        expect(out).toHaveLength(counts.delivered);
        expect(new Set(out.map(({ packet }) => packet)).size).toBeLessThanOrEqual(counts.offered);
      }),
    );
  });

  it("hands nothing over before it was offered, nor early, nor in another order than due", () => {
    fc.assert(
      fc.property(plan, (wanted) => {
        const { out } = through(wanted, { count: 100 });
        for (const [index, output] of out.entries()) {
          expect(output.sentAt).toBe(output.packet * FRAME_MS);
          expect(output.dueAt).toBeGreaterThanOrEqual(output.sentAt);
          expect(output.at).toBe(output.dueAt);
          expect(output.dueAt).toBeGreaterThanOrEqual(out[index - 1]?.dueAt ?? 0);
        }
      }),
    );
  });

  it("gives packets the same fate for the same seed, and another for another", () => {
    const wanted: LinkPlan = {
      loss: { kind: "bernoulli", lossRatio: 0.1 },
      delay: { delayMs: 50, jitterMs: 20 },
    };
    expect(through(wanted).out).toEqual(through(wanted).out);
    expect(through(wanted).out).not.toEqual(through(wanted, { seed: "other" }).out);
  });

  it("keeps the order where it is asked to, however delays vary", () => {
    const { link, out } = through({
      delay: { delayMs: 60, jitterMs: 60, distribution: "pareto" },
      keepsOrder: true,
    });
    expect(link.counts.reordered).toBe(0);
    expect(out.map(({ packet }) => packet)).toEqual(out.map((_, index) => index + 1));
  });
});

describe("losses of a link", () => {
  it.each([0.01, 0.05, 0.3])(
    "are %d of all by Bernoulli, within four standard errors",
    (lossRatio) => {
      const count = 40_000;
      const { link } = through({ loss: { kind: "bernoulli", lossRatio } }, { count });
      const error = Math.sqrt((lossRatio * (1 - lossRatio)) / count);
      expect(Math.abs(link.counts.lost / count - lossRatio)).toBeLessThan(4 * error);
    },
  );

  it.each([
    [0.02, 3],
    [0.05, 5],
    [0.1, 1.5],
  ])("are %d of all in bursts of %d in the mean by Gilbert", (lossRatio, burst) => {
    const count = 200_000;
    const model = burstyLoss(lossRatio, burst);
    expect(meanLossRatio(model)).toBeCloseTo(lossRatio, 10);
    const { out } = through({ loss: model }, { count });
    const bursts: number[] = [];
    let expected = 1;
    for (const { packet } of out) {
      if (packet > expected) bursts.push(packet - expected);
      expected = packet + 1;
    }
    const lost = bursts.reduce((sum, each) => sum + each, 0);
    expect(lost / count).toBeCloseTo(lossRatio, 2);
    expect(lost / bursts.length / burst).toBeGreaterThan(0.94);
    expect(lost / bursts.length / burst).toBeLessThan(1.06);
  });

  it("are what the four figures of Gilbert and Elliott say in the long run", () => {
    const model: LossModel = {
      kind: "gilbert-elliott",
      toBadRatio: 0.02,
      toGoodRatio: 0.2,
      lossInBadRatio: 0.7,
      lossInGoodRatio: 0.01,
    };
    const { link } = through({ loss: model }, { count: 200_000 });
    expect(link.counts.lost / 200_000).toBeCloseTo(meanLossRatio(model), 2);
  });

  it("are the packets of a script, and no others", () => {
    const lost = [
      [3, 3],
      [50, 60],
    ] as const;
    const { out } = through({ loss: { kind: "scripted", lost } }, { count: 70 });
    const arrived = new Set(out.map(({ packet }) => packet));
    const missing = Array.from({ length: 70 }, (_, index) => index + 1).filter(
      (packet) => !arrived.has(packet),
    );
    expect(missing).toEqual([3, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60]);
  });
});

describe("delays of a link", () => {
  it("are constant where there is no jitter", () => {
    const { delays } = spread({ delay: { delayMs: 80 } });
    expect(new Set(delays)).toEqual(new Set([80]));
  });

  it.each([
    ["normal", 10, 0],
    ["normal", 10, 0.8],
    ["uniform", 10 / Math.sqrt(3), 0],
    ["uniform", 10 / Math.sqrt(3), 0.8],
    ["pareto", 10, 0],
  ] as const)("have the mean and deviation of %s (%d, correlation %d)", (...row) => {
    const [distribution, deviation, correlation] = row;
    const found = spread({ delay: { delayMs: 200, jitterMs: 10, distribution, correlation } });
    expect(Math.abs(found.mean - 200)).toBeLessThan(1);
    expect(Math.abs(found.deviation / deviation - 1)).toBeLessThan(0.04);
  });

  it("are like the one before as far as the correlation says", () => {
    const { delays, mean, deviation } = spread({
      delay: { delayMs: 200, jitterMs: 10, correlation: 0.8 },
    });
    let product = 0;
    for (let index = 1; index < delays.length; index += 1) {
      product += ((delays[index] ?? 0) - mean) * ((delays[index - 1] ?? 0) - mean);
    }
    expect(product / delays.length / deviation ** 2).toBeCloseTo(0.8, 1);
  });

  it("let packets overtake each other where they vary by more than the packets' distance", () => {
    const { link } = through({ delay: { delayMs: 60, jitterMs: 30 } });
    expect(link.counts.reordered).toBeGreaterThan(50);
  });

  it("are skipped by the share that is to be reordered", () => {
    const { link, out } = through({ delay: { delayMs: 50 }, reorderRatio: 0.1 });
    expect(link.counts.delivered).toBe(1000);
    expect(link.counts.reordered).toBeGreaterThan(100);
    const early = out.filter(({ sentAt, dueAt }) => dueAt === sentAt).length;
    expect(early).toBeGreaterThan(60);
    expect(early).toBeLessThan(140);
  });
});

describe("a bottleneck", () => {
  it("lets packets out one after the other, at its rate", () => {
    const rate = { bitsPerSecond: 64_000, queueBytesMax: 100_000 };
    const { out } = through({ rate }, { count: 10, sizeBytes: 800, everyMs: 1 });
    expect(out.map(({ at }) => at)).toEqual(
      Array.from({ length: 10 }, (_, n) => 1 + 100 * (n + 1)),
    );
  });

  it("drops what its queue does not hold", () => {
    const rate = { bitsPerSecond: 64_000, queueBytesMax: 1600 };
    const { link } = through({ rate }, { count: 100, sizeBytes: 800, everyMs: 1 });
    expect(link.counts.overflowed).toBeGreaterThan(90);
    expect(link.counts.delivered).toBeGreaterThanOrEqual(2);
  });

  it("takes a packet that finds it idle, however small the queue", () => {
    const rate = { bitsPerSecond: 1_000_000, queueBytesMax: 0 };
    const { link } = through({ rate }, { count: 100 });
    expect(link.counts.delivered).toBe(100);
  });
});

describe("a link that changes in time", () => {
  it("loses everything for 400 ms, 10 s after its first packet, and nothing else", () => {
    const changes = [
      { atMs: 10_000, durationMs: 400, settings: { loss: { kind: "bernoulli", lossRatio: 1 } } },
    ] as const;
    const { out } = through({ changes }, { count: 1000 });
    const arrived = new Set(out.map(({ packet }) => packet));
    const missing = Array.from({ length: 1000 }, (_, index) => index + 1).filter(
      (packet) => !arrived.has(packet),
    );
    expect(missing).toEqual(Array.from({ length: 20 }, (_, index) => 501 + index));
  });

  it("counts the times of new changes from the change on, and keeps what is under way", () => {
    const link = new Link<number>({ delay: { delayMs: 100 } }, seededRandom("change"));
    link.handlePacket(1, 100, instant(0));
    link.change({ changes: [{ atMs: 50, settings: { delay: { delayMs: 5 } } }] }, instant(10));
    link.handlePacket(2, 100, instant(20));
    link.handlePacket(3, 100, instant(60));
    const due: number[] = [];
    while (link.nextTimeout !== undefined) {
      due.push(link.nextTimeout);
      link.handleTimeout(link.nextTimeout);
    }
    expect(due).toEqual([20, 65, 100]);
  });
});

describe("a change of a link", () => {
  const outage: LinkPlan = {
    changes: [
      { atMs: 0, durationMs: 400, settings: { loss: { kind: "bernoulli", lossRatio: 1 } } },
    ],
  };

  it("that says nothing of passing changes lets them go on to their end", () => {
    const link = new Link<number>({}, seededRandom("outage"));
    link.change(outage, instant(0));
    link.change({ delay: { delayMs: 5 } }, instant(100));
    for (const at of [101, 399, 400, 500]) link.handlePacket(at, 100, instant(at));
    expect(link.counts).toMatchObject({ lost: 2, underWay: 2 });
  });

  it("can end them", () => {
    const link = new Link<number>({}, seededRandom("outage"));
    link.change(outage, instant(0));
    link.change({ changes: [] }, instant(100));
    expect(link.isIdle).toBe(true);
  });
});

describe("figures that cannot be are refused, and named", () => {
  it.each<[string, LinkPlan]>([
    ["loss is -1 %", { loss: { kind: "bernoulli", lossRatio: -0.01 } }],
    ["loss is NaN %", { loss: { kind: "bernoulli", lossRatio: Number.NaN } }],
    [
      "R of Gilbert-Elliott",
      { loss: { kind: "gilbert-elliott", toBadRatio: 0, toGoodRatio: 1.2 } },
    ],
    ["Packets 5 to 3", { loss: { kind: "scripted", lost: [[5, 3]] } }],
    ["delay is -3 ms", { delay: { delayMs: -3 } }],
    ["jitter is Infinity ms", { delay: { delayMs: 3, jitterMs: Number.POSITIVE_INFINITY } }],
    ["correlation of delays", { delay: { delayMs: 3, correlation: 2 } }],
    ["reordered", { reorderRatio: 2 }],
    ["duplicated", { duplicateRatio: -2 }],
    ["corrupted", { corruptRatio: 7 }],
    ["rate is 0 bit/s", { rate: { bitsPerSecond: 0 } }],
    ["queue is -1 bytes", { rate: { bitsPerSecond: 5, queueBytesMax: -1 } }],
    ["at -1 ms", { changes: [{ atMs: -1, settings: {} }] }],
    ["duplicated", { changes: [{ atMs: 1, settings: { duplicateRatio: 3 } }] }],
  ])("%s", (text, wanted) => {
    expect(() => new Link(wanted, seededRandom("bad"))).toThrow(text);
  });

  it("a burst shorter than the loss allows", () => {
    expect(() => burstyLoss(0.8, 2)).toThrow(/bursts of at least 4\.0 packets/u);
    expect(() => burstyLoss(1, 3)).toThrow(/name none/u);
    expect(() => burstyLoss(0.1, 0.5)).toThrow(/at least 1\.0 packets/u);
  });
});
