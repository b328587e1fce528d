import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NaptrRecord, type SrvRecord, seededRandom } from "../environment/index.ts";
import { orderServers, servicesIn, srvNameOf } from "./server-selection.ts";

function srv(target: string, priority: number, weight: number): SrvRecord {
  return { target, priority, weight, port: 5060 };
}

function naptr(order: number, preference: number, service: string, rest = {}): NaptrRecord {
  const replacement = `${service}.example`;
  return { order, preference, flags: "s", service, regexp: "", replacement, ...rest };
}

const any = (): boolean => true;

describe("orderServers (RFC 2782)", () => {
  it("puts lower priorities first, and loses or invents no server", () => {
    const record = fc.record({
      target: fc.stringMatching(/^[a-z]{1,6}$/u),
      priority: fc.integer({ min: 0, max: 5 }),
      weight: fc.integer({ min: 0, max: 65_535 }),
      port: fc.integer({ min: 1, max: 65_535 }),
    });
    fc.assert(
      fc.property(fc.array(record), fc.string(), (records, seed) => {
        const ordered = orderServers(records, seededRandom(seed));
        expect(ordered).toHaveLength(records.length);
        expect(new Set(ordered)).toEqual(new Set(records));
        const priorities = ordered.map(({ priority }) => priority);
        expect(priorities).toEqual(priorities.toSorted((left, right) => left - right));
      }),
    );
  });

  it("repeats its choice from a seed", () => {
    const records = ["a", "b", "c", "d"].map((target) => srv(target, 1, 1));
    const order = (): string[] =>
      orderServers(records, seededRandom("one")).map(({ target }) => target);
    expect(order()).toEqual(order());
  });

  it("gives each server the share of its weight, at every place in the order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 4 }),
        fc.integer(),
        (weights, seed) => {
          const random = seededRandom(seed);
          const records = weights.map((weight, index) => srv(String(index), 0, weight));
          const rounds = 4000;
          const firsts = new Map<string, number>();
          for (let round = 0; round < rounds; round += 1) {
            const first = orderServers(records, random)[0]?.target ?? "";
            firsts.set(first, (firsts.get(first) ?? 0) + 1);
          }
          const sum = weights.reduce((total, weight) => total + weight, 0);
          for (const [index, weight] of weights.entries()) {
            const share = weight / sum;
            // Five standard deviations of a binomial distribution: one miss in two million.
            const tolerance = 5 * Math.sqrt((share * (1 - share)) / rounds);
            const observed = (firsts.get(String(index)) ?? 0) / rounds;
            expect(Math.abs(observed - share)).toBeLessThan(tolerance);
          }
        },
      ),
      { numRuns: 10 },
    );
  });

  it("uses a server of weight 0 only when those with a weight are used up", () => {
    const records = [srv("never first", 1, 0), srv("first", 1, 1)];
    for (let seed = 0; seed < 100; seed += 1) {
      const order = orderServers(records, seededRandom(seed)).map(({ target }) => target);
      expect(order).toEqual(["first", "never first"]);
    }
  });

  it("gives servers that all have weight 0 the same chance", () => {
    const random = seededRandom("zero");
    const records = [srv("a", 1, 0), srv("b", 1, 0)];
    const firsts = Array.from({ length: 400 }, () => orderServers(records, random)[0]?.target);
    expect(firsts.filter((target) => target === "a").length).toBeGreaterThan(150);
    expect(firsts.filter((target) => target === "b").length).toBeGreaterThan(150);
  });
});

describe("servicesIn (RFC 3263 §4.1)", () => {
  it("takes the lowest order with a usable service, by preference", () => {
    const records = [
      naptr(90, 50, "SIP+D2T"),
      naptr(100, 10, "SIP+D2U"),
      naptr(90, 10, "sips+d2t"),
      naptr(50, 1, "SIP+D2S"),
    ];
    expect(servicesIn(records, any).map(({ transport }) => transport)).toEqual(["tls", "tcp"]);
    const udpOnly = servicesIn(records, (transport) => transport === "udp");
    expect(udpOnly).toEqual([{ name: "SIP+D2U.example", transport: "udp" }]);
  });

  it("leaves out what is no SRV pointer or of another protocol", () => {
    const records = [
      naptr(1, 1, "SIP+D2U", { flags: "u", regexp: "!.*!sip:x@y!" }),
      naptr(1, 1, "SIP+D2U", { flags: "" }),
      naptr(1, 1, "SIP+D2U", { regexp: "!a!b!" }),
      naptr(1, 1, "E2U+sip"),
      naptr(1, 1, "constructor"),
    ];
    expect(servicesIn(records, any)).toEqual([]);
  });
});

describe("srvNameOf", () => {
  it("names the records of each transport", () => {
    expect(srvNameOf("example.com", "udp")).toBe("_sip._udp.example.com");
    expect(srvNameOf("example.com", "tls")).toBe("_sips._tcp.example.com");
  });
});
