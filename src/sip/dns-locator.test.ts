import { beforeEach, describe, expect, it } from "vitest";
import { type NaptrRecord, type SrvRecord, seededRandom } from "../environment/index.ts";
import { ManualClock, VirtualDns } from "../testing/index.ts";
import { DnsLocator, type DnsLocatorOptions } from "./dns-locator.ts";
import type { NextHop } from "./next-hop.ts";

let dns: VirtualDns;
let clock: ManualClock;

beforeEach(() => {
  dns = new VirtualDns({ "bot.example": ["192.0.2.2", "192.0.2.3"] });
  clock = new ManualClock();
});

function locator(options: Partial<DnsLocatorOptions> = {}): DnsLocator {
  return new DnsLocator({
    dns,
    clock,
    random: seededRandom(1),
    defaultTransport: "udp",
    serves: () => true,
    reaches: (address) => !address.includes(":"),
    ...options,
  });
}

function hop(host: string, rest: Partial<NextHop> = {}): NextHop {
  return { host, port: undefined, transport: undefined, isSecure: false, ...rest };
}

async function located(
  wanted: NextHop,
  options: Partial<DnsLocatorOptions> = {},
): Promise<readonly string[]> {
  const targets = await locator(options).locate(wanted);
  return targets.map(({ transport, address, port }) => `${transport} ${address}:${port}`);
}

function srv(target: string, port: number, priority = 1, weight = 1): SrvRecord {
  return { target, port, priority, weight };
}

function naptr(order: number, service: string, replacement: string): NaptrRecord {
  return { order, preference: 1, flags: "s", service, regexp: "", replacement };
}

function isUdp(transport: string): boolean {
  return transport === "udp";
}

describe("DnsLocator", () => {
  it("asks nobody about numeric hosts", () => {
    const known = locator();
    expect(known.known(hop("192.0.2.1", { port: 1 }))).toEqual([
      { address: "192.0.2.1", port: 1, transport: "udp", host: "192.0.2.1" },
    ]);
    expect(known.known(hop("[::1]", { transport: "tcp" }))).toEqual([
      { address: "::1", port: 5060, transport: "tcp", host: "::1" },
    ]);
    expect(known.known(hop("192.0.2.1", { isSecure: true }))).toMatchObject([
      { port: 5061, transport: "tls" },
    ]);
    expect(dns.questions).toEqual([]);
  });

  it("asks only for addresses where the URI gives a port (RFC 3263 §4.2)", async () => {
    expect(await located(hop("bot.example", { port: 5070 }))).toEqual([
      "udp 192.0.2.2:5070",
      "udp 192.0.2.3:5070",
    ]);
    expect(await located(hop("bot.example", { port: 5070, transport: "tcp" }))).toContain(
      "tcp 192.0.2.2:5070",
    );
    expect(new Set(dns.questions)).toEqual(new Set(["A bot.example"]));
  });

  it("follows NAPTR to SRV to addresses (§4.1), the server proving the domain", async () => {
    dns.naptr.set("example.com", [
      naptr(2, "SIP+D2U", "_sip._udp.example.com"),
      naptr(1, "SIP+D2T", "_tcp.elsewhere.example"),
    ]);
    dns.srv.set("_tcp.elsewhere.example", [srv("b.example", 5080, 2), srv("a.example", 5070, 1)]);
    dns.hosts.set("a.example", [{ address: "192.0.2.11" }, { address: "192.0.2.12" }]);
    dns.hosts.set("b.example", [{ address: "192.0.2.13" }]);

    const targets = await locator().locate(hop("Example.COM"));
    expect(targets.map(({ address, port }) => `${address}:${port}`)).toEqual([
      "192.0.2.11:5070",
      "192.0.2.12:5070",
      "192.0.2.13:5080",
    ]);
    expect(targets[0]).toMatchObject({ transport: "tcp", host: "Example.COM" });
    expect(dns.questions).not.toContain("SRV _sip._udp.example.com");
  });

  it("looks for SRV records of each transport where there is no NAPTR, its own first", async () => {
    dns.srv.set("_sip._udp.bot.example", [srv("bot.example", 5071)]);
    dns.srv.set("_sip._tcp.bot.example", [srv("bot.example", 5072)]);
    expect((await located(hop("bot.example")))[0]).toBe("udp 192.0.2.2:5071");
    expect((await located(hop("bot.example"), { defaultTransport: "tcp" }))[0]).toBe(
      "tcp 192.0.2.2:5072",
    );
    expect(await located(hop("bot.example", { transport: "tcp" }))).toEqual([
      "tcp 192.0.2.2:5072",
      "tcp 192.0.2.3:5072",
    ]);
  });

  it("goes nowhere but by TLS for sips:", async () => {
    dns.naptr.set("bot.example", [
      naptr(1, "SIP+D2U", "_sip._udp.bot.example"),
      naptr(2, "SIPS+D2T", "_sips._tcp.bot.example"),
    ]);
    dns.srv.set("_sip._udp.bot.example", [srv("bot.example", 5060)]);
    dns.srv.set("_sips._tcp.bot.example", [srv("bot.example", 5443)]);
    expect((await located(hop("bot.example", { isSecure: true })))[0]).toBe("tls 192.0.2.2:5443");
    dns.naptr.clear();
    dns.srv.clear();
    expect((await located(hop("bot.example", { isSecure: true })))[0]).toBe("tls 192.0.2.2:5061");
    expect(dns.questions).not.toContain("SRV _sip._udp.bot.example");
  });

  it("takes A records and the default port where there is neither NAPTR nor SRV", async () => {
    expect(await located(hop("bot.example"))).toEqual(["udp 192.0.2.2:5060", "udp 192.0.2.3:5060"]);
  });

  it("uses no transport that is not served", async () => {
    dns.srv.set("_sip._tcp.bot.example", [srv("bot.example", 5072)]);
    expect(await located(hop("bot.example"), { serves: isUdp })).toContain("udp 192.0.2.2:5060");
    expect(dns.questions).not.toContain("SRV _sip._tcp.bot.example");
  });

  it("draws anew for each request among servers of one priority, without asking again", async () => {
    dns.srv.set("_sip._udp.bot.example", [srv("a.example", 1, 1, 1), srv("b.example", 2, 1, 3)]);
    dns.hosts.set("a.example", [{ address: "192.0.2.11" }]);
    dns.hosts.set("b.example", [{ address: "192.0.2.12" }]);
    const finder = locator();
    await finder.locate(hop("bot.example"));
    const { length } = dns.questions;
    const firsts = Array.from({ length: 400 }, () => finder.known(hop("bot.example"))?.[0]?.port);
    const share = firsts.filter((port) => port === 2).length / 400;
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.85);
    expect(dns.questions).toHaveLength(length);
  });

  it("believes records as long as they say, five minutes at most", async () => {
    dns.hosts.set("short.example", [{ address: "192.0.2.4", ttlMs: 10_000 }]);
    dns.hosts.set("long.example", [{ address: "192.0.2.5", ttlMs: 86_400_000 }]);
    const finder = locator();
    const [short, long] = [hop("short.example", { port: 1 }), hop("long.example", { port: 1 })];
    await Promise.all([finder.locate(short), finder.locate(long)]);
    clock.advance(9999);
    expect(finder.known(short)).toHaveLength(1);
    clock.advance(2);
    expect(finder.known(short)).toBeUndefined();
    expect(finder.known(long)).toHaveLength(1);
    clock.advance(300_000);
    expect(finder.known(long)).toBeUndefined();
  });

  it("asks once for requests that begin at once", async () => {
    const finder = locator();
    await Promise.all([1, 2, 3].map(() => finder.locate(hop("bot.example", { port: 5060 }))));
    expect(dns.questions).toEqual(["A bot.example"]);
  });

  it("leaves out addresses of a family that it is not bound to, and says so if none is left", async () => {
    dns.hosts.set("both.example", [{ address: "2001:db8::2" }, { address: "192.0.2.2" }]);
    dns.hosts.set("six.example", [{ address: "2001:db8::2" }]);
    expect(await located(hop("both.example"))).toEqual(["udp 192.0.2.2:5060"]);
    await expect(locator().locate(hop("six.example"))).rejects.toMatchObject({
      code: "ERR_HOST_UNRESOLVED",
      message: expect.stringContaining("another family"),
    });
  });

  it("says why there is nobody: unknown, denied, or no answer from DNS", async () => {
    await expect(locator().locate(hop("x.example"))).rejects.toMatchObject({
      code: "ERR_HOST_UNRESOLVED",
    });
    dns.srv.set("_sip._udp.bot.example", [srv(".", 0)]);
    await expect(locator().locate(hop("bot.example"))).rejects.toMatchObject({
      code: "ERR_HOST_UNRESOLVED",
      message: expect.stringContaining("no SIP service"),
    });
    dns.failing.add("*");
    await expect(locator().locate(hop("y.example"))).rejects.toMatchObject({
      code: "ERR_DNS_FAILED",
    });
  });

  it("goes on where only one kind of records cannot be had, and asks again soon", async () => {
    dns.failing.add("NAPTR bot.example");
    const finder = locator();
    expect(await finder.locate(hop("bot.example"))).toHaveLength(2);
    clock.advance(1001);
    expect(finder.known(hop("bot.example"))).toBeUndefined();
  });

  it("knows localhost without DNS (RFC 6761 §6.3)", async () => {
    dns.failing.add("*");
    expect(await located(hop("localhost"))).toEqual(["udp 127.0.0.1:5060"]);
  });

  it("tries eight servers at most, however many a domain names", async () => {
    const records = Array.from({ length: 50 }, (_, index) => srv("bot.example", 6000 + index));
    dns.srv.set("_sip._udp.bot.example", records);
    expect(await located(hop("bot.example"))).toHaveLength(8);
  });
});
