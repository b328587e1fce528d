import { describe, expect, it } from "vitest";
import { seededRandom } from "../environment/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import { HostLocator } from "./locate.ts";
import type { NextHop } from "./next-hop.ts";

const isIpv4 = (address: string): boolean => !address.includes(":");

function locator(hosts: Record<string, readonly string[]> = {}) {
  const clock = new ManualClock();
  const network = new VirtualNetwork({ clock, random: seededRandom(1), hosts });
  return {
    clock,
    locator: new HostLocator({ network, clock, defaultTransport: "udp", reaches: isIpv4 }),
  };
}

function hop(host: string, rest: Partial<NextHop> = {}): NextHop {
  return { host, port: undefined, transport: undefined, isSecure: false, ...rest };
}

describe("HostLocator", () => {
  it("knows numeric hosts at once", () => {
    const { locator: known } = locator();

    expect(known.known(hop("192.0.2.1", { port: 1 }))).toEqual([
      { address: "192.0.2.1", port: 1, transport: "udp", host: "192.0.2.1" },
    ]);
    expect(known.known(hop("[::1]", { transport: "tcp" }))).toEqual([
      { address: "::1", port: 5060, transport: "tcp", host: "::1" },
    ]);
  });

  it("takes TLS and its port for sips:", () => {
    expect(locator().locator.known(hop("192.0.2.1", { isSecure: true }))).toMatchObject([
      { port: 5061, transport: "tls" },
    ]);
  });

  it("knows names for five minutes after it asked", async () => {
    const { clock, locator: known } = locator({ "bot.example": ["192.0.2.2", "192.0.2.3"] });
    const bot = hop("bot.example");

    expect(known.known(bot)).toBeUndefined();
    expect(await known.locate(bot)).toMatchObject([
      { address: "192.0.2.2", port: 5060, host: "bot.example" },
      { address: "192.0.2.3", port: 5060, host: "bot.example" },
    ]);
    expect(known.known(bot)).toHaveLength(2);
    clock.advance(300_001);
    expect(known.known(bot)).toBeUndefined();
  });

  it("leaves out addresses of a family that it is not bound to, and says so if none is left", async () => {
    const { locator: known } = locator({
      "both.example": ["2001:db8::2", "192.0.2.2"],
      "six.example": ["2001:db8::2"],
    });

    expect(await known.locate(hop("both.example"))).toMatchObject([{ address: "192.0.2.2" }]);
    await expect(known.locate(hop("six.example"))).rejects.toMatchObject({
      code: "ERR_HOST_UNRESOLVED",
      message: expect.stringContaining("another family"),
    });
  });
});
