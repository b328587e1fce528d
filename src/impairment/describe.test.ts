import { expect, it } from "vitest";
import { describeNetwork } from "./describe.ts";
import { burstyLoss } from "./loss-model.ts";

it("a network is said in words, as far as it does something", () => {
  expect(describeNetwork({})).toBe("nothing done");
  expect(
    describeNetwork({
      sent: { loss: { kind: "bernoulli", lossRatio: 0.05 }, keepsOrder: true },
      received: {
        delay: { delayMs: 80, jitterMs: 20 },
        rate: { bitsPerSecond: 64_000 },
        duplicateRatio: 0.001,
      },
    }),
  ).toBe("sent: 5 % lost, in order; received: 80 ms ± 20 ms (normal), 0.1 % twice, 64 kbit/s");
  expect(describeNetwork({ sent: { loss: burstyLoss(0.02, 4) } })).toBe(
    "sent: Gilbert-Elliott 0.51 % / 25 % / 100 % / 0 % lost",
  );
  expect(
    describeNetwork({
      sent: {
        loss: {
          kind: "scripted",
          lost: [
            [3, 3],
            [50, 60],
          ],
        },
      },
    }),
  ).toBe("sent: packets 3 to 3, 50 to 60 lost");
  expect(
    describeNetwork({
      received: {
        changes: [
          { atMs: 0, durationMs: 400, settings: { loss: { kind: "bernoulli", lossRatio: 1 } } },
          { atMs: 900, settings: {} },
        ],
      },
    }),
  ).toBe("received: after 0 ms for 400 ms: 100 % lost, after 900 ms: nothing done");
});
