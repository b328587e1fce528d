import { describe, expect, it } from "vitest";
import { type SocketAddress, seededRandom } from "../environment/index.ts";
import { ManualClock } from "./manual-clock.ts";
import { VirtualNetwork, type VirtualNetworkOptions } from "./virtual-network.ts";

const A: SocketAddress = { address: "192.0.2.1", port: 1000 };
const B: SocketAddress = { address: "192.0.2.2", port: 1000 };

async function pair(options: Partial<VirtualNetworkOptions> = {}) {
  const clock = new ManualClock();
  const network = new VirtualNetwork({ clock, random: seededRandom("net"), ...options });
  const a = await network.bindDatagram(A);
  const b = await network.bindDatagram(B);
  const got: { data: number; at: number; from: SocketAddress }[] = [];
  b.onDatagram = (data, from, at) => got.push({ data: data[0] as number, at, from });
  return { clock, network, a, b, got };
}

describe("VirtualNetwork", () => {
  it("delivers a datagram after its latency, with sender and instant", async () => {
    const { clock, a, got } = await pair({ latencyMs: 20 });

    a.send(Uint8Array.of(7), B);
    clock.advance(19);
    expect(got).toEqual([]);
    clock.advance(1);

    expect(got).toEqual([{ data: 7, at: 20, from: A }]);
  });

  it("copies the data, which the sender may reuse", async () => {
    const { clock, a, got } = await pair();
    const data = Uint8Array.of(1);

    a.send(data, B);
    data[0] = 2;
    clock.advance(10);

    expect(got[0]?.data).toBe(1);
  });

  it("loses about the configured share, the same for the same seed", async () => {
    const runs = await Promise.all(
      [0, 1].map(async () => {
        const { clock, a, network } = await pair({ lossRatio: 0.1 });
        for (let index = 0; index < 5000; index += 1) a.send(Uint8Array.of(1), B);
        clock.advance(10);
        return network.counts;
      }),
    );

    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]?.lost).toBeGreaterThan(400);
    expect(runs[0]?.lost).toBeLessThan(600);
    expect((runs[0]?.lost ?? 0) + (runs[0]?.delivered ?? 0)).toBe(5000);
  });

  it("lets datagrams overtake each other where jitter exceeds their distance", async () => {
    const { clock, a, got } = await pair({ jitterMs: 50 });
    for (let index = 0; index < 50; index += 1) {
      a.send(Uint8Array.of(index), B);
      clock.advance(1);
    }
    clock.advance(100);

    const order = got.map((each) => each.data);
    expect(order).toHaveLength(50);
    expect(order).not.toEqual(order.toSorted((left, right) => left - right));
  });

  it("refuses a port in use and gives free ports", async () => {
    const { network } = await pair();

    await expect(network.bindDatagram(A)).rejects.toMatchObject({ code: "ERR_PORT_IN_USE" });
    const first = await network.bindDatagram({ address: "192.0.2.1", port: 0 });
    const second = await network.bindDatagram({ address: "192.0.2.1", port: 0 });
    expect(first.local.port).not.toBe(second.local.port);
  });

  it("tells the sender of an unbound destination only when asked to", async () => {
    const { clock, a, b, network } = await pair({ reportsUnbound: true });
    const errors: unknown[] = [];
    a.onError = (error) => errors.push(error);
    await b.close();

    a.send(Uint8Array.of(1), B);
    clock.advance(10);

    expect(errors).toMatchObject([{ code: "ECONNREFUSED", ...B }]);
    expect(network.counts.unbound).toBe(1);
  });

  it("resolves names that it knows", async () => {
    const { network } = await pair({ hosts: { "bot.example": ["192.0.2.2"] } });

    expect(await network.dns.resolveAddresses("bot.example")).toEqual([{ address: "192.0.2.2" }]);
    expect(await network.dns.resolveAddresses("x.example")).toEqual([]);
    network.dns.failing.add("A bot.example");
    await expect(network.dns.resolveAddresses("bot.example")).rejects.toMatchObject({
      code: "ERR_DNS_FAILED",
    });
  });
});
