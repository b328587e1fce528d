import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Crowd, type CrowdResult, endOf, faultsOf } from "./crowd.ts";
import { LIVE_NOTHING } from "./sip-lab.ts";
import { VirtualTime } from "./virtual-time.ts";

/** Seconds alone, but this may run beside much else. */
const TIMEOUT_MS = 120_000;
const CALLS = 1000;

let time: VirtualTime;

beforeEach(() => {
  time = new VirtualTime();
});
afterEach(() => time.uninstall());

function countBy(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

function expectClean(result: CrowdResult): void {
  expect(result.calls.flatMap(faultsOf)).toEqual([]);
  expect(result.counts).toEqual([
    { malformed: 0, exceptions: 0 },
    { malformed: 0, exceptions: 0 },
  ]);
  expect(result.left).toEqual({ endpoints: [LIVE_NOTHING, LIVE_NOTHING], timers: 0, sockets: 2 });
  expect(result.afterClose).toEqual({ timers: 0, sockets: 0 });
}

describe(`${CALLS} calls over a network that loses one datagram in ten each way, reorders and doubles them`, () => {
  it(
    "are all clean: answered, rejected, cancelled, hung up by either side, with re-INVITE and INFO",
    async () => {
      const result = await new Crowd(time, "one").run(CALLS);

      expectClean(result);
      // That something happened, of every kind.
      const callers = countBy(result.calls.map(({ caller }) => endOf(caller)));
      for (const end of ["local bye", "remote bye", "local cancel 487", "remote rejected 486"]) {
        expect(callers[end]).toBeGreaterThan(20);
      }
      const requests = countBy(result.calls.flatMap((call) => call.requests));
      expect(requests["ok"]).toBeGreaterThan(300);
      expect(result.datagrams.lost / result.datagrams.sent).toBeCloseTo(0.1, 1);
      expect(result.retransmissions).toBeGreaterThan(1000);
      expect(result.busy.timers).toBeGreaterThan(100);
      expect(result.busy.endpoints[0]?.transactions).toBeGreaterThan(100);
    },
    TIMEOUT_MS,
  );

  it(
    "go the same way again from the same seed, message for message, and another from another",
    async () => {
      const hashes: string[] = [];
      for (const seed of ["one", "one", "two"]) {
        time.uninstall();
        time = new VirtualTime();
        // The second run has to follow the first.
        // oxlint-disable-next-line no-await-in-loop
        const result = await new Crowd(time, seed).run(120);
        expectClean(result);
        hashes.push(result.traceHash);
      }

      expect(hashes[1]).toBe(hashes[0]);
      expect(hashes[2]).not.toBe(hashes[0]);
    },
    TIMEOUT_MS,
  );
});
