import { describe, expect, it } from "vitest";
import { type DatagramSocket, type SocketAddress, seededRandom } from "../environment/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import { ImpairedPath } from "./impaired-path.ts";
import { type NetworkPlan, networkProfile, networkProfiles } from "./profiles.ts";

interface Lab {
  readonly clock: ManualClock;
  readonly path: ImpairedPath;
  readonly near: DatagramSocket;
  readonly far: DatagramSocket;
  readonly atNear: { readonly text: string; readonly at: number; readonly from: SocketAddress }[];
  readonly atFar: { readonly text: string; readonly at: number }[];
}

async function openLab(plan: NetworkPlan): Promise<Lab> {
  const clock = new ManualClock();
  const random = seededRandom("path");
  const network = new VirtualNetwork({ clock, random, latencyMs: 0 });
  const path = new ImpairedPath(clock, random, plan);
  const near = path.before(await network.bindDatagram({ address: "192.0.2.1", port: 5000 }));
  const far = await network.bindDatagram({ address: "192.0.2.2", port: 5000 });
  const lab: Lab = { clock, path, near, far, atNear: [], atFar: [] };
  const decoder = new TextDecoder("latin1");
  near.onDatagram = (data, from, at) => lab.atNear.push({ text: decoder.decode(data), at, from });
  far.onDatagram = (data, _from, at) => lab.atFar.push({ text: decoder.decode(data), at });
  return lab;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("an impaired path before UDP sockets", () => {
  it("delays each direction by its own figure, and says who sent", async () => {
    const lab = await openLab({
      sent: { delay: { delayMs: 30 } },
      received: { delay: { delayMs: 70 } },
    });
    const start = lab.clock.now();
    lab.near.send(bytes("there"), lab.far.local);
    lab.far.send(bytes("back"), lab.near.local);
    lab.clock.advance(100);
    expect(lab.atFar).toEqual([{ text: "there", at: start + 30 }]);
    expect(lab.atNear).toEqual([{ text: "back", at: start + 70, from: lab.far.local }]);
  });

  it("loses everything in one direction, and nothing in the other", async () => {
    const lab = await openLab({ received: { loss: { kind: "bernoulli", lossRatio: 1 } } });
    lab.near.send(bytes("there"), lab.far.local);
    lab.far.send(bytes("back"), lab.near.local);
    lab.clock.advance(10);
    expect(lab.atFar).toHaveLength(1);
    expect(lab.atNear).toHaveLength(0);
    expect(lab.path.counts.received.lost).toBe(1);
    // A direction to which nothing is done is not counted.
    expect(lab.path.counts.sent.offered).toBe(0);
  });

  it("flips one bit of a corrupted datagram, not of the sender's memory", async () => {
    const lab = await openLab({ sent: { corruptRatio: 1 } });
    const data = bytes("aaaaaaaa");
    lab.near.send(data, lab.far.local);
    lab.clock.advance(10);
    expect(data).toEqual(bytes("aaaaaaaa"));
    expect(lab.atFar[0]?.text.replaceAll("a", "")).toHaveLength(1);
  });

  it("keeps what it was given, though the sender uses its memory again", async () => {
    const lab = await openLab({ sent: { delay: { delayMs: 20 } } });
    const data = bytes("first");
    lab.near.send(data, lab.far.local);
    data.fill(0);
    lab.clock.advance(30);
    expect(lab.atFar[0]?.text).toBe("first");
  });

  it("can be changed at any moment, in the direction that is named", async () => {
    const lab = await openLab({ sent: { delay: { delayMs: 10 } } });
    lab.path.change({ received: { loss: { kind: "bernoulli", lossRatio: 1 } } });
    lab.near.send(bytes("there"), lab.far.local);
    lab.far.send(bytes("back"), lab.near.local);
    lab.clock.advance(50);
    expect(lab.atFar).toHaveLength(1);
    expect(lab.atNear).toHaveLength(0);
    expect(() => lab.path.change({ sent: {}, received: { duplicateRatio: 5 } })).toThrow(
      /duplicated/u,
    );
    lab.near.send(bytes("again"), lab.far.local);
    lab.clock.advance(9);
    expect(lab.atFar).toHaveLength(1);
  });

  it("hands nothing to a socket that was closed", async () => {
    const lab = await openLab({
      sent: { delay: { delayMs: 10 } },
      received: { delay: { delayMs: 10 } },
    });
    lab.near.send(bytes("there"), lab.far.local);
    lab.far.send(bytes("back"), lab.near.local);
    lab.clock.advance(1);
    await lab.near.close();
    lab.clock.advance(50);
    expect(lab.atFar).toHaveLength(0);
    expect(lab.atNear).toHaveLength(0);
  });
});

describe("networks that have names", () => {
  it.each(networkProfiles().map((profile) => [profile.name, profile] as const))(
    "%s carries a telephone call both ways, and says what it is",
    async (name, profile) => {
      const lab = await openLab(profile);
      for (let packet = 0; packet < 500; packet += 1) {
        lab.near.send(new Uint8Array(172), lab.far.local);
        lab.far.send(new Uint8Array(172), lab.near.local);
        lab.clock.advance(20);
      }
      lab.clock.advance(2000);
      expect(lab.atFar.length).toBeGreaterThan(400);
      expect(lab.atNear.length).toBeGreaterThan(400);
      expect(profile.about.length).toBeGreaterThan(30);
      expect(networkProfile(name.toUpperCase())).toBe(profile);
    },
  );

  it("are listed where one is not known", () => {
    expect(() => networkProfile("carrier pigeon")).toThrow(/good Wi-Fi, congested Wi-Fi/u);
  });
});
