import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { after, seededRandom } from "../../../src/environment/index.ts";
import type { SipCallEvent } from "../../../src/sip/index.ts";
import { briefly, eventsOf, FakeNegotiator, LIVE_NOTHING, SipLab } from "./sip-lab.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Calls, ten a second, each held for a second, ended by either side in turn. */
async function runCalls(
  lab: SipLab,
  count: number,
): Promise<{ calls: SipCallEvent[][]; bot: SipCallEvent[][] }> {
  const caller = await lab.endpoint(1, "caller");
  const bot = await lab.endpoint(2, "bot");
  const botEvents: SipCallEvent[][] = [];
  bot.onInvite = (call) => {
    botEvents.push(eventsOf(call));
    call.ring();
    lab.clock.setTimer(after(lab.clock.now(), 300), () => call.answer(new FakeNegotiator()));
    if (botEvents.length % 2 === 0) {
      lab.clock.setTimer(after(lab.clock.now(), 1300), () => void call.hangUp());
    }
  };
  const calls: SipCallEvent[][] = [];
  for (let index = 0; index < count; index += 1) {
    const offer = index % 3 === 0 ? "late" : "early";
    const call = caller.call("sip:bot@192.0.2.2", { negotiator: new FakeNegotiator(), offer });
    const events: SipCallEvent[] = [];
    call.onEvent = (event) => {
      events.push(event);
      if (event.type === "confirmed") {
        lab.clock.setTimer(after(lab.clock.now(), 1500), () => void call.hangUp());
      }
    };
    calls.push(events);
    // One call after the other: that is the rate.
    // oxlint-disable-next-line no-await-in-loop
    await lab.advance(100);
  }
  // Long enough for every repetition.
  await lab.advance(64_000);
  await lab.advance(35_000);
  expect(caller.liveState).toEqual(LIVE_NOTHING);
  expect(bot.liveState).toEqual(LIVE_NOTHING);
  expect({ ...caller.counts, ...bot.counts }).toEqual({ malformed: 0, exceptions: 0 });
  await lab.close();
  return { calls, bot: botEvents };
}

describe("with one datagram in ten lost in each direction", () => {
  it.each(["one", "two"])("all calls are clean (seed %s)", async (seed) => {
    const lab = new SipLab({ lossRatio: 0.1, jitterMs: 20, random: seededRandom(seed) });

    const { calls, bot } = await runCalls(lab, 100);

    for (const events of calls) {
      const steps = briefly(events);
      expect(steps.slice(-3, -1)).toEqual(["answered 200", "confirmed"]);
      expect(steps.at(-1)).toMatch(/^ended (?:local|remote) bye$/);
    }
    expect(bot).toHaveLength(100);
    for (const events of bot) expect(briefly(events).at(-1)).toMatch(/^ended \w+ bye$/);
    expect(lab.network.counts.lost).toBeGreaterThan(50);
  });

  it("repeats the same run from the same seed, bit for bit", async () => {
    const texts: string[] = [];
    for (let run = 0; run < 2; run += 1) {
      vi.useFakeTimers({ now: 0 });
      const lab = new SipLab({ lossRatio: 0.1 });
      const start = lab.clock.now();
      vi.spyOn(lab.clock, "wallClockMs").mockReturnValue(1_750_000_000_000);
      // The second run has to follow the first.
      // oxlint-disable-next-line no-await-in-loop
      await runCalls(lab, 30);
      texts.push(
        lab.traces.map((trace) => `${(trace.at - start).toFixed(3)} ${trace.text}`).join(),
      );
      vi.useRealTimers();
    }
    expect(texts[0]).toBe(texts[1]);
  });
});
