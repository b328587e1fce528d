import { describe, expect, it } from "vitest";
import { instant } from "../../../src/environment/index.ts";
import { expectDigits } from "../../../src/expect/index.ts";
import { ManualClock } from "../../../src/testing/index.ts";
import { codeOf, digitsReceived, recordedCall, upCall } from "./recorded-call.ts";

const differ = { code: "ERR_DIGITS_DIFFER" };

describe("expectDigits", () => {
  it("wants exactly these, in this order", async () => {
    const call = recordedCall(digitsReceived("42#"));
    await expect(expectDigits(call, "42#", 0)).resolves.toContain('digits "42#"');
    for (const wrong of ["24#", "42", "42#1", "4"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other reads better.
      await expect(expectDigits(call, wrong, 0)).rejects.toMatchObject(differ);
    }
  });

  it("does not count a tone that goes along with an event", async () => {
    const call = recordedCall([
      ...digitsReceived("42"),
      ...digitsReceived("42", { method: "in-band", fromMs: 1510 }),
    ]);
    await expect(expectDigits(call, "42", 0)).resolves.toContain("as telephone events");
    await expect(expectDigits(call, "42", 0, { method: "in-band" })).resolves.toContain("in-band");
    await expect(expectDigits(call, "42", 0, { method: "info" })).rejects.toThrow(
      'by SIP INFO within 0 ms, received "" (and "42" as telephone events, "42" in-band).',
    );
  });

  it("looks at one end only", async () => {
    const call = recordedCall(digitsReceived("7", { party: "bot" }));
    await expect(expectDigits(call, "7", 0, { party: "bot" })).resolves.toContain("at the bot");
    await expect(expectDigits(call, "7", 0)).rejects.toMatchObject(differ);
    const foreign = recordedCall([], ["caller"]);
    await expect(expectDigits(foreign, "7", 0, { party: "bot" })).rejects.toMatchObject({
      code: "ERR_BOT_NOT_OURS",
    });
  });

  it("wants each key to last", async () => {
    const call = recordedCall([
      ...digitsReceived("4", { durationMs: 100 }),
      ...digitsReceived("2", { durationMs: 60, fromMs: 1800 }),
    ]);
    await expect(expectDigits(call, "42", 0, { minDurationMs: 60 })).resolves.toContain("60 ms");
    await expect(expectDigits(call, "42", 0, { minDurationMs: 61 })).rejects.toMatchObject({
      code: "ERR_DIGIT_TOO_SHORT",
      message: expect.stringContaining('"2" lasted 60 ms') as string,
    });
  });

  it("waits for keys to come, and for one too many", async () => {
    const clock = new ManualClock(instant(10_000));
    const call = upCall([], ["caller"], clock);
    const judged = Promise.all([
      expectDigits(call, "42", 2000),
      codeOf(expectDigits(call, "4", 2000)),
    ]);
    await clock.advanceAsync(500);
    for (const digit of digitsReceived("42", { fromMs: 10_400 })) call.timeline.add(digit);
    await clock.advanceAsync(600);
    expect(await judged).toEqual([expect.stringContaining('"42"'), "ERR_DIGITS_DIFFER"]);
  });
});
