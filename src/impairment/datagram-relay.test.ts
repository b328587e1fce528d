import { describe, expect, it } from "vitest";
import { type DatagramSocket, instant, seededRandom } from "../environment/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import { DatagramRelay } from "./datagram-relay.ts";
import { ImpairedPath } from "./impaired-path.ts";
import type { NetworkPlan } from "./profiles.ts";

async function world(plan: NetworkPlan = {}) {
  const clock = new ManualClock(instant(0));
  const network = new VirtualNetwork({ clock, random: seededRandom("net"), latencyMs: 1 });
  const bind = async (address: string, port: number) => {
    const socket = await network.bindDatagram({ address, port });
    const got: { text: string; from: string; atMs: number }[] = [];
    socket.onDatagram = (data, from) => {
      const text = new TextDecoder().decode(data);
      got.push({ text, from: `${from.address}:${from.port}`, atMs: clock.now() });
    };
    const send = (text: string, to: DatagramSocket["local"]): void =>
      socket.send(new TextEncoder().encode(text), to);
    return { socket, got, send };
  };
  const alice = await bind("10.0.0.1", 4000);
  const bob = await bind("10.0.0.2", 6000);
  const target = bob.socket.local;
  const near = await network.bindDatagram({ address: "10.0.0.9", port: 5000 });
  const far = await network.bindDatagram({ address: "10.0.0.9", port: 5002 });
  const path = new ImpairedPath(clock, seededRandom("relay"), plan);
  const relay = new DatagramRelay(path, [{ near, far, target }]);
  const port = (): DatagramRelay["ports"][number] => relay.ports[0] as never;
  return { clock, bind, alice, bob, near: near.local, far: far.local, relay, port };
}

describe("DatagramRelay", () => {
  it("passes on both ways, and learns where the near peer is", async () => {
    const { clock, alice, bob, near, far, port } = await world();
    bob.send("too early", far);
    clock.advance(5);
    expect(port().received).toEqual({ packets: 1, bytes: 9, homeless: 1 });
    alice.send("hello", near);
    clock.advance(5);
    expect(bob.got).toMatchObject([{ text: "hello", from: "10.0.0.9:5002" }]);
    bob.send("good day", far);
    clock.advance(5);
    expect(alice.got).toMatchObject([{ text: "good day", from: "10.0.0.9:5000" }]);
    expect(port()).toMatchObject({
      nearPeer: { address: "10.0.0.1", port: 4000 },
      farPeer: { address: "10.0.0.2", port: 6000 },
      peerChanges: 0,
      sent: { packets: 1, bytes: 5, homeless: 0 },
      socketErrors: 0,
    });
  });

  it("follows peers that come from elsewhere", async () => {
    const { clock, bind, alice, bob, near, far, port } = await world();
    alice.send("1", near);
    clock.advance(5);
    const moved = await bind("10.0.0.1", 4444);
    const other = await bind("10.0.0.2", 6666);
    moved.send("2", near);
    other.send("3", far);
    clock.advance(5);
    moved.send("4", near);
    clock.advance(5);
    expect(bob.got.map(({ text }) => text)).toEqual(["1", "2"]);
    expect(other.got.map(({ text }) => text)).toEqual(["4"]);
    expect(moved.got.map(({ text }) => text)).toEqual(["3"]);
    expect(port().peerChanges).toBe(2);
  });

  it("injures each direction by itself, and by a profile in time", async () => {
    const outage = { loss: { kind: "bernoulli", lossRatio: 1 } } as const;
    const { clock, alice, bob, near, far, relay } = await world({
      sent: { delay: { delayMs: 30 }, changes: [{ atMs: 100, durationMs: 50, settings: outage }] },
      received: { loss: { kind: "scripted", lost: [[2, 2]] } },
    });
    for (let count = 0; count < 20; count += 1) {
      alice.send(String(count), near);
      if (count > 0 && count < 4) bob.send(`back ${count}`, far);
      clock.advance(10);
    }
    clock.advance(100);
    // The first came at 1 ms; from 101 to 151 ms all was lost.
    expect(bob.got.map(({ text }) => Number(text))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19,
    ]);
    expect(bob.got[0]?.atMs).toBe(32);
    expect(alice.got.map(({ text }) => text)).toEqual(["back 1", "back 3"]);
    expect(relay.counts.sent).toMatchObject({ offered: 20, lost: 5, delivered: 15 });
    expect(relay.counts.received).toMatchObject({ offered: 3, lost: 1, delivered: 2 });
    await relay.close();
  });
});
